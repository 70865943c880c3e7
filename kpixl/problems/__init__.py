"""What can be wrong, in two languages."""

from kpixl.problems.problem import KpixlError, Location, Problem, Severity, failure, independent, worst

__all__ = ["KpixlError", "Location", "Problem", "Severity", "failure", "independent", "worst"]
