"""Files -> forms: finding the forms of the office in whatever came back, each file in a worker process."""

from kpixl.grids import DEFAULT_LIMITS, Limits
from kpixl.intake.onefile import (
    PROBLEM_LIST,
    FileResult,
    Job,
    content_of,
    contents_of,
    is_own_output,
    is_problem_list,
    read_file,
)
from kpixl.intake.workers import bounds_of, death_reason, read_files
from kpixl.workers import Progress

__all__ = [
    "DEFAULT_LIMITS",
    "PROBLEM_LIST",
    "FileResult",
    "Job",
    "Limits",
    "Progress",
    "bounds_of",
    "content_of",
    "contents_of",
    "death_reason",
    "is_own_output",
    "is_problem_list",
    "read_file",
    "read_files",
]
