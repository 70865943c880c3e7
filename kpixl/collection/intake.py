"""Files -> forms: finding the forms of the office in whatever came back, each file in a worker process."""

from kpixl.collection.one_file import (
    FileResult,
    Job,
    content_of,
    read_again,
    read_file,
)
from kpixl.collection.own_files import is_own_output, is_problem_list, origins_of, problem_list
from kpixl.collection.workers import Workers, bounds_of, death_reason, read_files
from kpixl.parallel import Progress
from kpixl.readers import DEFAULT_LIMITS, Limits

__all__ = [
    "DEFAULT_LIMITS",
    "FileResult",
    "Job",
    "Limits",
    "Progress",
    "Workers",
    "bounds_of",
    "content_of",
    "death_reason",
    "is_own_output",
    "is_problem_list",
    "origins_of",
    "problem_list",
    "read_again",
    "read_file",
    "read_files",
]
