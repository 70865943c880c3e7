"""Columns of a table that the form does not have: one problem for a column, not one for each of its cells."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import NamedTuple

from kpixl.forms.values import Raw, fold, text_of
from kpixl.recognise.labels import MAX_LABEL, FoundTable
from kpixl.recognise.quoted import MAX_CELLS, MAX_QUOTED

LEAST_CELLS = 2  # one cell below another text may be anything
_NUMBERS = frozenset({"序号", "编号", "行号", "no", "no.", "number", "#"})

Strays = Mapping[tuple[int, int], Raw]


class UnknownColumn(NamedTuple):
    """A column that is not the form's: its heading and the filled cells below. `numbers`: it counts the rows."""

    heading: tuple[int, int]
    cells: tuple[tuple[int, int], ...]
    numbers: bool


def unknown_columns(tables: Collection[FoundTable], strays: Strays) -> list[UnknownColumn]:
    """Find among what was taken for nothing the columns whose cells can be quoted whole."""
    found: dict[tuple[int, int], UnknownColumn] = {}  # by heading: tables side by side share rows
    for table in tables:
        rows = {table.row, *(table.row - heading.up for heading in table.headings)}
        # Of headings over two rows the lower one names the column.
        headings = {col: row for row, col in sorted(strays) if row in rows and _may_head(strays[row, col])}
        for col, row in headings.items():
            cells = tuple((r, col) for r in range(table.row + 1, table.last_row + 1) if (r, col) in strays)
            if LEAST_CELLS <= len(cells) <= MAX_CELLS and all(_is_short(strays[place]) for place in cells):
                found[row, col] = UnknownColumn((row, col), cells, _are_numbers(strays, (row, col), cells))
    return [*found.values()]


def _may_head(raw: Raw) -> bool:
    return isinstance(raw, str) and len(raw) <= MAX_LABEL


def _is_short(raw: Raw) -> bool:
    return len(text_of(raw)) <= MAX_QUOTED


def _are_numbers(strays: Strays, heading: tuple[int, int], cells: Collection[tuple[int, int]]) -> bool:
    texts = [text_of(strays[place]).strip().rstrip(".、") for place in cells]
    return fold(text_of(strays[heading])) in _NUMBERS and texts == [str(n) for n in range(1, len(texts) + 1)]
