"""What every kind of file becomes: grids of cells, and the problems met on the way."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NoReturn

from kpixl.a1 import CellRef, Span, a1, cell_at
from kpixl.forms.values import Raw
from kpixl.problems import Location, Problem
from kpixl.readers.limits import Limits, label, raising
from kpixl.readers.reasons import reason_of

Rows = list[list[Raw]]


@dataclass(frozen=True, slots=True)
class Grid:
    """The cells of one sheet or table. `rows[0][0]` is at (`top`, `left`); blank cells are "".

    `merges` is a function because most grids are read without looking at them. `suspect`: cells of it that read blank
    may be errors, or formulas that were never calculated; where it is False, none is. `printed`: its texts are what a
    program printed, so that #REF! is an error and no text. `rich`: cells of it may hold text that is struck out, raised
    or lowered, and that is read like any other. `origins`: of a grid whose cells were rearranged, where each is in its
    file; the one at None is that of all others.
    """

    name: str | None
    rows: Rows
    top: int = 0
    left: int = 0
    hidden: bool = False
    merges: Callable[[], list[Span]] = field(default=list)
    suspect: bool = False
    printed: bool = False
    rich: bool = False
    origins: Mapping[tuple[int, int] | None, tuple[int, int]] | None = None

    def cell(self, row: int, col: int) -> CellRef:
        """Return the cell of the file that is at `rows[row][col]`."""
        if self.origins is not None:
            row, col = self.origins.get((row, col), self.origins[None])
        return cell_at(self.top + row, self.left + col)

    def address(self, row: int, col: int) -> str:
        """Name the cell at `rows[row][col]` as its file does."""
        return a1(*self.cell(row, col))


@dataclass(frozen=True, slots=True)
class FileReading:
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


def broken(reason: BaseException | tuple[str, str]) -> UnreadableError:
    """Make the error for a file that is damaged; `reason` is what its library raised, or a (zh, en) pair."""
    pair = reason_of(reason) if isinstance(reason, BaseException) else reason
    return UnreadableError("not-a-workbook", reason=pair)


def no_entities(*_: object) -> NoReturn:
    """Refuse a document type, hence every entity, as a handler of expat."""
    raise broken(("含有文档类型声明（DTD）", "it declares a document type (DTD)"))


def exceeded(name: str, found: float | None, limits: Limits) -> UnreadableError:
    """Make the error for a bound of Limits that is exceeded; `found` where it is known how far."""
    limit = getattr(limits, name)
    said = f"{limit:g}" if isinstance(limit, float) else str(limit)
    shown = f"> {said}" if found is None else str(found)
    return UnreadableError(
        "bound-exceeded", what=label(name), found=shown, limit=said, option=raising(name, limits, found or 0)
    )


def too_large(cells: int, limits: Limits, name: str = "sheet_cells") -> UnreadableError:
    """Make the error for a sheet, or a table, of too many cells; `name`: the bound of Limits that is exceeded."""
    option = raising(name, limits, cells)
    return UnreadableError("sheet-too-large", cells=cells, limit=getattr(limits, name), option=option)


def file_too_large(size: int, limits: Limits) -> UnreadableError:
    """Make the error for a file of too many bytes."""
    option = raising("file_bytes", limits, size)
    return UnreadableError("file-too-large", size=size, limit=limits.file_bytes, option=option)


def bounded(spans: list[Span], rows: Rows, limits: Limits) -> list[Span]:
    """Return merged ranges as they are. Raises UnreadableError where they are too many, or cover too many cells.

    What they cover is looked at cell by cell, and ranges that lie over each other again and again.
    """
    if len(spans) > limits.merges:
        raise exceeded("merges", len(spans), limits)
    height, width = len(rows), max(map(len, rows), default=0)
    covered = sum(
        max(0, min(span.last_row + 1, height) - max(span.row, 0))
        * max(0, min(span.last_col + 1, width) - max(span.col, 0))
        for span in spans
    )
    if covered > limits.sheet_cells:
        raise too_large(covered, limits)
    return spans
