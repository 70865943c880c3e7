"""Tables and lines of text, one below the other, as one grid: what a page, a document or a PDF becomes.

One grid, because a form may be torn into several tables, and its heading may stand outside of them. Lines of text
stand in a column to the right of every table: a title there is a title, but a remark cannot pass for a value.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from kpixl.a1 import Span
from kpixl.readers.grid import Grid, Rows, bounded, too_large
from kpixl.readers.limits import Limits

_ASIDE = 10  # columns between the widest table and the lines of text: more than any form is wider than its table
RAISED = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")  # digits set above the line: 10 with a raised 2 is not 102
MAX_SPAN = 1_000  # columns; the HTML standard has the same bound


class Placed(NamedTuple):
    """A cell of a table: its place, how many rows and columns it takes, its text."""

    row: int
    col: int
    rows: int
    cols: int
    text: str


class Stack:
    """Collects blocks and makes a grid of them. Raises UnreadableError where it becomes too large."""

    def __init__(self, limits: Limits, name: str | None = None) -> None:
        self._limits, self._name = limits, name
        self._rows: Rows = []
        self._merges: list[Span] = []
        self._texts: dict[int, str] = {}
        self._width = self._cells = 0
        self._after_table = False

    def text(self, text: str) -> None:
        """Add a line of text as a row of its own."""
        if text and not text.isspace():
            self._gap(False)
            self._texts[len(self._rows)] = text
            self._rows.append([])

    def table(self, cells: Iterable[Placed]) -> None:
        """Add a table, with a blank row before it."""
        self._gap(True)
        top, first_merge = len(self._rows), len(self._merges)
        for row, col, rows, cols, text in cells:
            while len(self._rows) <= top + row:
                self._rows.append([])
            line = self._rows[top + row]
            self._count(max(0, col + 1 - len(line)))
            line += [""] * (col + 1 - len(line))
            line[col] = text
            self._width = max(self._width, col + cols)
            if rows > 1 or cols > 1:
                self._count(1)
                self._merges.append(Span(top + row, col, top + row + rows - 1, col + cols - 1))
        # What claims more rows than the table has does not reach into the next one.
        last = len(self._rows) - 1
        self._merges[first_merge:] = [s._replace(last_row=min(s.last_row, last)) for s in self._merges[first_merge:]]

    def grid(self) -> Grid | None:
        """Return the grid; None where there is nothing in it."""
        aside = self._width + _ASIDE if self._width else 0
        self._count(aside * len(self._texts))
        rows: Rows = [[*[""] * aside, self._texts[n]] if n in self._texts else row for n, row in enumerate(self._rows)]
        merges, limits = self._merges, self._limits
        if not any(rows):
            return None
        return Grid(self._name, rows, merges=lambda: bounded(merges, rows, limits), printed=True)

    def _gap(self, table: bool) -> None:
        if self._rows and (table or self._after_table):
            self._rows.append([])
        self._after_table = table

    def _count(self, cells: int) -> None:
        self._cells += cells
        if self._cells > self._limits.table_cells:
            raise too_large(self._cells, self._limits, "table_cells")


class Flow:
    """Gives cells that name no place theirs: from left to right, around what hangs down from rows above."""

    def __init__(self, limits: Limits) -> None:
        self._row = -1
        self._col = 0
        self._hanging: dict[int, int] = {}  # column -> first row that is free again
        self._limits, self._spent = limits, 0

    def next_row(self) -> None:
        """Begin a row."""
        self._row += 1
        self._col = 0

    def place(self, text: str, rows: int = 1, cols: int = 1) -> Placed:
        """Place a cell in the row that was begun."""
        cols = min(max(cols, 1), MAX_SPAN)
        first = self._col
        while self._hanging.get(self._col, 0) > self._row:
            self._col += 1
        self._spend(self._col - first)  # every row goes past what hangs down beside it
        placed = Placed(self._row, self._col, max(rows, 1), cols, text)
        if rows > 1:
            self._spend(cols)
            self._hanging |= dict.fromkeys(range(self._col, self._col + cols), self._row + rows)
        self._spend(1)
        self._col += cols
        return placed

    def _spend(self, cells: int) -> None:
        self._spent += cells
        if self._spent > self._limits.table_cells:
            raise too_large(self._spent, self._limits, "table_cells")
