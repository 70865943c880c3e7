"""Cells, and their names in A1; rectangles of cells. Rows and columns count from 0 everywhere in kpixl."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from kpixl.keys import Key, parse_key

_A1 = re.compile(r"[A-Z]{1,3}[1-9][0-9]{0,6}", re.ASCII)


class Span(NamedTuple):
    """A rectangle of cells, both corners included."""

    row: int
    col: int
    last_row: int
    last_col: int

    @property
    def single(self) -> bool:
        """Return whether the rectangle is one cell."""
        return self.row == self.last_row and self.col == self.last_col


class CellRef(NamedTuple):
    """A cell of a sheet; as a text, how people know it: A1."""

    row: int
    column: int

    def __str__(self) -> str:
        return a1(self.row, self.column)


@lru_cache(maxsize=1024)
def column_name(col: int) -> str:
    """Name a column: 0 -> A, 26 -> AA."""
    name = ""
    col += 1
    while col:
        col, rest = divmod(col - 1, 26)
        name = chr(65 + rest) + name
    return name


@lru_cache(maxsize=65536)
def a1(row: int, col: int) -> str:
    """Name a cell: (0, 0) -> A1."""
    return f"{column_name(col)}{row + 1}"


def parse_a1(address: str) -> CellRef:
    """Parse the address of a cell, in a file or a formula: A1 -> (0, 0)."""
    letters = address.rstrip("0123456789")
    col = 0
    for letter in letters:
        col = col * 26 + ord(letter) - 64
    return CellRef(int(address[len(letters) :]) - 1, col - 1)


def cell_from(text: str) -> CellRef | None:
    """Parse what a file or a person gives as the address of a cell; None where it is none."""
    return parse_a1(text) if _A1.fullmatch(text) else None


ValuePlace = CellRef | Key
"""Where in a file a value is: its cell, or in a portfolio its key."""


def parse_place(text: str) -> ValuePlace:
    """Parse the place of a value as JSON files spell it."""
    return cell_from(text) or parse_key(text)


def absolute(row: int, col: int) -> str:
    """Name a cell absolutely: (0, 0) -> $A$1."""
    return f"${column_name(col)}${row + 1}"


def area(span: Span) -> str:
    """Name a rectangle absolutely: $A$1:$B$2."""
    return f"{absolute(span.row, span.col)}:{absolute(span.last_row, span.last_col)}"


def quoted(sheet: str) -> str:
    """Quote a sheet name for use in a formula."""
    return "'" + sheet.replace("'", "''") + "'"


def span_size(span: Span) -> int:
    """Count the cells of a rectangle."""
    return (span.last_row - span.row + 1) * (span.last_col - span.col + 1)


def span_from(ref: str) -> Span | None:
    """Read an address such as A1:C3, with or without dollar signs; None where it is none."""
    first, _, last = ref.replace("$", "").partition(":")
    try:
        (top, left), (bottom, right) = _corner(first), _corner(last or first)
    except ValueError:
        return None
    return Span(min(top, bottom) - 1, min(left, right) - 1, max(top, bottom) - 1, max(left, right) - 1)


def _corner(cell: str) -> tuple[int, int]:
    letters = cell.rstrip("0123456789")
    col = 0
    for letter in letters:
        col = col * 26 + ord(letter) - 64
    return int(cell[len(letters) :]), col


def span_text(span: Span) -> str:
    """Name a rectangle without dollar signs."""
    return area(span).replace("$", "")
