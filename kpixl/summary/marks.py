"""What tells later whether a person edited one of our sheets: a fingerprint for each row, kept on a hidden sheet.

A fingerprint survives re-saving by Excel, WPS and LibreOffice: numbers count to 13 digits, dates as serial
numbers, and results of formulas not at all (a saved filter changes them); formulas are counted instead.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from itertools import zip_longest
from typing import Any
from zlib import crc32

from kpixl.cells import Span, quoted
from kpixl.grids import Grid
from kpixl.marker import OWN_SHEET
from kpixl.model import Form, Portfolio
from kpixl.sheets import Book
from kpixl.values import EXCEL_EPOCH, Raw, fits_float, number_text

SHEET = OWN_SHEET
FORMAT = 1
KIND = "summary"
NAME_PREFIX = "kpixl."
_MOST_SPANS = 64
_PER_CELL = 500  # marks of eight digits; a cell holds 32,767 characters
_SEPARATOR = "\x1f"
_UNSTABLE = re.compile(r"_x[0-9A-Fa-f]{4}_|[\x00-\x08\x0b-\x1e]")


# --- one row ----------------------------------------------------------------------------------


def row_mark(values: Iterable[Raw]) -> int:
    """Fingerprint the values of a row; blanks at its end do not count, a blank row is 0."""
    text = _SEPARATOR.join([v if type(v) is str else _spelled(v) for v in values]).rstrip(_SEPARATOR)
    if _UNSTABLE.search(text):
        text = _UNSTABLE.sub("", text)
    return crc32(text.encode("utf-8", "surrogatepass"))


def _spelled(value: Raw) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, Decimal):
        return _number(float(value)) if fits_float(value) else number_text(value)
    if isinstance(value, datetime):
        return _number((value - datetime.combine(EXCEL_EPOCH, time())) / timedelta(days=1))
    if isinstance(value, date):
        return value.isoformat() if value.year < 1901 else _number((value - EXCEL_EPOCH).days)
    if isinstance(value, timedelta):
        return _number(value / timedelta(days=1))
    if isinstance(value, time):
        return _number((value.hour * 3600 + value.minute * 60 + value.second) / 86400)
    return _number(float(value))


def _number(number: float) -> str:
    return f"{number + 0.0:.13g}"


# --- a sheet of ours --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class OwnSheet:
    """What is remembered of a sheet that was written: a mark per row, and where formulas stand.

    `computed` are the rectangles whose values are results; `formulas` is how many cells hold one.
    """

    role: str
    name: str
    marks: tuple[int, ...]
    computed: tuple[Span, ...] = ()
    formulas: int = 0


def grid_marks(grid: Grid, computed: Sequence[Span]) -> list[int]:
    """Fingerprint the rows of a sheet that was read."""
    blanks: dict[int, list[tuple[int, int]]] = {}
    end = grid.top + len(grid.rows)
    for span in computed:
        for row in range(span.row, min(span.last_row + 1, end)):
            blanks.setdefault(row, []).append((span.col, span.last_col))
    marks = [0] * grid.top
    for number, cells in enumerate(grid.rows, grid.top):
        values: list[Raw] = [None] * grid.left + cells
        for first, last in blanks.get(number, ()):
            for col in range(first, min(last + 1, len(values))):
                values[col] = None
        marks.append(row_mark(values))
    return _trimmed(marks)


def changed_rows(old: Sequence[int], new: Sequence[int]) -> list[tuple[int, int]]:
    """List the rows of `new` that differ from `old`, as (first, last) runs from 0.

    Where rows were inserted or deleted, it is the one run between the equal beginning and the equal end.
    """
    old, new = _trimmed(list(old)), _trimmed(list(new))
    pairs = zip_longest(old, new, fillvalue=0)
    by_place = runs_of(row for row, (before, after) in enumerate(pairs) if before != after)
    moved = _moved_run(old, new)
    size = sum(last - first + 1 for first, last in by_place)
    return by_place if size <= moved[1] - moved[0] + 1 or len(old) == len(new) else [moved]


def runs_of(rows: Iterable[int]) -> list[tuple[int, int]]:
    """Join neighbouring rows to (first, last) runs."""
    runs: list[tuple[int, int]] = []
    for row in rows:
        if runs and runs[-1][1] == row - 1:
            runs[-1] = (runs[-1][0], row)
        else:
            runs.append((row, row))
    return runs


def _moved_run(old: Sequence[int], new: Sequence[int]) -> tuple[int, int]:
    shorter = min(len(old), len(new))
    start = next((i for i in range(shorter) if old[i] != new[i]), shorter)
    end = next((i for i in range(shorter - start) if old[-1 - i] != new[-1 - i]), shorter - start)
    return (start, max(start, len(new) - 1 - end))


def _trimmed(marks: list[int]) -> list[int]:
    end = len(marks)
    while end and not marks[end - 1]:
        end -= 1
    return marks[:end]


# --- the hidden sheet -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Memory:
    """What the hidden sheet of a summary says: its language and its own sheets by role."""

    lang: str
    sheets: Mapping[str, OwnSheet]


def write_memory(book: Book, form: Form, portfolio: Portfolio, lang: str, own: Sequence[OwnSheet]) -> None:
    """Add the hidden sheet: the marker in A1, below it a column of packed marks for each sheet of ours."""
    sheet = book.sheet(SHEET)
    facts: dict[str, Any] = {
        "kpixl": FORMAT,
        "kind": KIND,
        "form": form.id,
        "version": form.version,
        "year": portfolio.year,
        "lang": lang,
        "sheets": {
            s.role: {"name": s.name, "rows": len(s.marks), "computed": s.computed, "formulas": s.formulas} for s in own
        },
    }
    sheet.write(0, 0, json.dumps(facts, ensure_ascii=False, separators=(",", ":")))
    for col, one in enumerate(own):
        sheet.write(1, col, one.role)
        for row, first in enumerate(range(0, len(one.marks), _PER_CELL), 2):
            sheet.write(row, col, "".join([f"{mark:08x}" for mark in one.marks[first : first + _PER_CELL]]))
        # A name follows its sheet when somebody renames it.
        book.define(NAME_PREFIX + one.role, f"={quoted(one.name)}!$A$1")
    sheet.raw.very_hidden()


def read_memory(grids: Sequence[Grid]) -> Memory | None:
    """Read the hidden sheet back; None where there is none or it is damaged."""
    grid = next((g for g in grids if g.name == SHEET), None)
    if grid is None or (grid.top, grid.left) != (0, 0) or not grid.rows or not grid.rows[0]:
        return None
    try:
        facts = json.loads(str(grid.rows[0][0]))
        if facts["kpixl"] != FORMAT or facts["kind"] != KIND:
            return None
        roles = [str(cell) for cell in grid.rows[1]] if len(grid.rows) > 1 else []
        sheets = {str(role): _own_sheet(str(role), spec, grid, roles) for role, spec in facts["sheets"].items()}
        return Memory(str(facts["lang"]), sheets)
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError, OverflowError):
        return None


def _own_sheet(role: str, spec: Mapping[str, Any], grid: Grid, roles: Sequence[str]) -> OwnSheet:
    col = roles.index(role)
    packed = "".join([str(row[col]) for row in grid.rows[2:] if col < len(row)])
    marks = tuple(int(packed[i : i + 8], 16) for i in range(0, len(packed), 8))
    if len(marks) != spec["rows"]:
        raise ValueError(role)
    computed = tuple(Span(*(min(max(int(n), 0), 1 << 20) for n in span)) for span in spec["computed"][:_MOST_SPANS])
    return OwnSheet(role, str(spec["name"]), marks, computed, int(spec["formulas"]))
