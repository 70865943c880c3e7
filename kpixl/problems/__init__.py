"""What can be wrong, in two languages."""

from kpixl.problems.problem import KpixlError, Location, Problem, Severity, failure, worst

__all__ = ["KpixlError", "Location", "Problem", "Severity", "failure", "worst"]
