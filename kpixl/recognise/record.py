"""The record of reading one form: what has been gathered, and what every step of reading needs."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import NamedTuple

from kpixl.a1 import CellRef, Span
from kpixl.forms.definition import MoneyUnit, Row, Value
from kpixl.forms.types import FieldType
from kpixl.forms.values import (
    MAX_CELL_TEXT,
    SERIAL_LENGTH,
    Raw,
    is_blank,
    is_number,
    maybe_percent,
    text_of,
    utf16_length,
)
from kpixl.keys import Key
from kpixl.portfolio.sheet_id import SheetId
from kpixl.problems import Location, Problem
from kpixl.readers import Grid
from kpixl.recognise.labels import FoundForm, LabelIndex
from kpixl.recognise.submission import NO_NOTES, Doubt, ReadingNote, Reported

# Problems of one kind in a form that are told one by one: nobody works through more of them, and half a million stray
# cells would take half a gigabyte.
MAX_ALIKE = 1_000
# What programs print of a cell that shows an error, or whose column is too narrow: all that a text or a page has of it.
_ERROR = re.compile(
    r"#(?:NULL!|DIV/0!|VALUE!|REF!|NAME\?|NUM!|N/A|SPILL!|CALC!|FIELD!|GETTING_DATA)|#{3,}|(?:Err|错误)[:：]\d{3}"
)


class Named(NamedTuple):
    """A text that names the unit of amounts, and its cell."""

    text: str
    unit: MoneyUnit
    place: tuple[int, int]


class TableAmount(NamedTuple):
    """An amount in a table: its heading's place, and what was typed where."""

    table: str
    row: int
    column: str
    heading: tuple[int, int]
    place: tuple[int, int]
    raw: Raw


class Record:
    """Gathers values, rows, sources and problems of one form; used once.

    `hidden`: the filled cells that a merge hides, and that merge. `used`: the cells that were taken, as labels too.
    """

    def __init__(
        self,
        index: LabelIndex,
        grid: Grid,
        file: str,
        found: FoundForm,
        sheet_id: SheetId | None,
        hidden: Mapping[tuple[int, int], Span],
    ) -> None:
        self.hidden = hidden
        self.form, self.index = index.form, index
        self.grid, self.rows, self.file, self.found = grid, grid.rows, file, found
        self.sheet_id = sheet_id
        self.values: dict[str, Value] = {}
        self.tables: dict[str, list[Row]] = {key: [] for key in index.form.tables}
        self.cells: dict[Key, CellRef] = {}
        self.reported: list[Reported] = []
        self.alike: Counter[str] = Counter()
        self.more: dict[str, tuple[int, int] | None] = {}  # kinds of problems with too many, and where those begin
        self.used: set[tuple[int, int]] = set()
        self.doubts: list[Doubt] = []
        self._noted: set[tuple[tuple[int, int], str]] = set()
        self.amounts: dict[str, tuple[tuple[int, int], Raw]] = {}
        self.table_amounts: list[TableAmount] = []
        self.unit: Named | None = None  # what a remark says that amounts count
        self.captions: dict[str, Named] = {}  # the unit that a caption of other wording gives to an amount
        self.remark: tuple[int, int] | None = None  # where that is still to be said

    def doubt_serial(self, key: Key, raw: Raw, value: Value) -> None:
        """Doubt a date that was typed as the number of a day: two date systems count from different days."""
        if isinstance(value, date) and (is_number(raw) or (isinstance(raw, str) and len(raw.strip()) == SERIAL_LENGTH)):
            self.doubts.append(Doubt("serial", key))

    def doubt_display(self, key: Key, kind: FieldType, raw: Raw) -> None:
        """Doubt a number that its cell may show otherwise: as per cent, or where what is shown counts."""
        if kind.in_percent and is_number(raw) and maybe_percent(raw):
            self.doubts.append(Doubt("percent", key))
        elif kind.as_displayed and not isinstance(raw, str):
            self.doubts.append(Doubt("shown", key))

    def shown_over(self, place: tuple[int, int]) -> Raw:
        """Return what a merge shows over a cell that it hides; a blank where it shows nothing."""
        span = self.hidden[place]
        return self.raw(span.row, span.col) if self.filled(span.row, span.col) else ""

    def say_hidden(self, place: tuple[int, int], *, taken: bool) -> None:
        """Report what a merge hides and what is shown in its place; blanks were not looked at."""
        span = self.hidden[place]
        merge = f"{self.grid.address(span.row, span.col)}:{self.grid.address(span.last_row, span.last_col)}"
        done = ("已读取藏着的内容", "what is hidden was read") if taken else ("未汇总", "it was not taken up")
        over = text_of(self.shown_over(place)) or ("空白", "nothing")
        self.problem("value-hidden", place, None, text=text_of(self.raw(*place)), merge=merge, shown=over, done=done)

    @cached_property
    def first_col(self) -> int:
        """Return the first column of the form."""
        return min((a.col for a in self.found.anchors.values()), default=0)

    @cached_property
    def first_label(self) -> int:
        """Return the row of the first label of a field: above it is the form's head."""
        return min((a.row for a in self.found.anchors.values()), default=self.found.last_row)

    def raw(self, row: int, col: int) -> Raw:
        """Return what a cell holds."""
        return self.rows[row][col]

    def filled(self, row: int, col: int) -> bool:
        """Return whether there is such a cell and it holds something."""
        if row >= len(self.rows) or col >= len(self.rows[row]):
            return False
        raw = self.rows[row][col]
        return raw != "" and not is_blank(raw)

    def problem(
        self, code: str, place: tuple[int, int] | None, field: str | None, *keys: Key, **details: object
    ) -> None:
        """Report a problem at a cell, of the values that have the `keys`; one of too many alike is only counted."""
        if self._is_listed(code, place):
            self.reported.append(Problem(code, self._location(place, field), details, keys=keys))

    def unkey(self, since: int) -> None:
        """Leave out of what was reported since then the keys of values: they are in a row that is not kept."""
        self.reported[since:] = [replace(one, keys=()) if isinstance(one, Problem) else one
                                 for one in self.reported[since:]]  # fmt: skip

    def note(
        self,
        code: str,
        place: tuple[int, int],
        field: str,
        details: Mapping[str, object],
        resolves: frozenset[str] = NO_NOTES,
    ) -> None:
        """Note how a cell was read; see ReadingNote."""
        if self._is_listed(code, place):
            self.reported.append(ReadingNote(Problem(code, self._location(place, field), details), resolves))

    def _is_listed(self, code: str, place: tuple[int, int] | None) -> bool:
        """Return whether there are not yet too many of a code; count them."""
        self.alike[code] += 1
        if self.alike[code] > MAX_ALIKE:
            self.more.setdefault(code, place)
            return False
        return True

    def _location(self, place: tuple[int, int] | None, field: str | None = None) -> Location:
        return Location(self.file, self.grid.name, self.grid.cell(*place) if place else None, field)

    def counted(self) -> Iterator[Problem]:
        """Report how many problems were not listed one by one."""
        for code, place in self.more.items():
            yield counted(code, self._location(place), self.alike[code] - MAX_ALIKE)

    def legible(self, place: tuple[int, int], label: str, raw: Raw, key: Key) -> Raw:
        """Leave out an error that came as text, and a text that no cell could hold again, and say so."""
        if not isinstance(raw, str):
            return raw
        text = raw.strip() if self.grid.printed or not self.found.expected else "-"  # what is typed as sent, is text
        if text[:1] in "#E错" and _ERROR.fullmatch(text):
            self.problem("cell-error", place, label, key, error=text, formula="")
            return ""
        if 2 * len(raw) <= MAX_CELL_TEXT or utf16_length(raw) <= MAX_CELL_TEXT:
            return raw
        self.problem("cell-too-long", place, label, key, length=utf16_length(raw), limit=MAX_CELL_TEXT)
        return ""

    def normalised(self, place: tuple[int, int], label: str, raw: Raw, reading: str) -> None:
        """Note that a value is not read as it was typed; once, although two tables may have the cell in common."""
        if (place, reading) in self._noted:
            return
        self._noted.add((place, reading))
        self.note("value-normalised", place, label, {"raw": text_of(raw), "reading": reading})


def counted(code: str, where: Location, count: int) -> Problem:
    """Make the problem that stands for many of one kind, as severe as they are."""
    return Problem("problems-many", where, {"count": count, "code": code}, Problem(code).severity)


def shown(value: Value) -> str:
    """Spell a value for a message."""
    if isinstance(value, date):
        return value.isoformat()
    return text_of(value) if isinstance(value, Decimal) else (value or "")
