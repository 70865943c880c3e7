"""What every kind of file becomes: grids of cells, and the problems met on the way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from kpixl.cells import Span, a1
from kpixl.problems import Location, Problem
from kpixl.values import Raw

Rows = list[list[Raw]]


@dataclass(frozen=True, slots=True)
class Grid:
    """The cells of one sheet or table. `rows[0][0]` stands at (`top`, `left`); blank cells are "".

    `merges` is a function because most grids are read without looking at them.
    """

    name: str | None
    rows: Rows
    top: int = 0
    left: int = 0
    hidden: bool = False
    merges: Callable[[], list[Span]] = field(default=list)

    def address(self, row: int, col: int) -> str:
        """Name the cell at `rows[row][col]` as its file does."""
        return a1(self.top + row, self.left + col)


@dataclass(frozen=True, slots=True)
class Reading:
    """What a file held: its digest, its grids, and what kept others from being read."""

    sha256: str
    grids: tuple[Grid, ...]
    problems: tuple[Problem, ...] = ()


class UnreadableError(Exception):
    """Reading a file, or a sheet of it, cannot go on; carries the problem to report, its place not yet known."""

    def __init__(self, code: str, **details: object) -> None:
        super().__init__(code)
        self.code, self.details = code, details

    def problem(self, file: str, sheet: str | None = None) -> Problem:
        """Turn into the problem of `file`."""
        return Problem(self.code, Location(file, sheet), self.details)


def broken(reason: BaseException | str | tuple[str, str]) -> UnreadableError:
    """Make the error for a file that is damaged; `reason` is what its library said, or a (zh, en) pair."""
    if isinstance(reason, BaseException):
        reason = " ".join(str(reason).split())[:160] or type(reason).__name__
    return UnreadableError("not-a-workbook", reason=reason)


def exceeded(what: tuple[str, str], found: object, limit: int) -> UnreadableError:
    """Make the error for a bound of Limits that is exceeded; `what` is a (zh, en) pair."""
    return UnreadableError("bound-exceeded", what=what, found=found, limit=limit)
