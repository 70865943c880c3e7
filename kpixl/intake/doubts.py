"""Settles what extraction left in doubt, by a second look into the file: nothing is guessed where the file can tell."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

from kpixl.grids import Opened, biff
from kpixl.grids.kinds import Kind
from kpixl.intake import odslook, secondlook, xlslook
from kpixl.intake.extracted import Doubt, Extracted
from kpixl.intake.looks import Broken, Look, Place, Seen
from kpixl.marker import STATUS
from kpixl.model import Choices, Field, Form, Row, Target, Value
from kpixl.problems import Location, Problem
from kpixl.values import number_text, read_target, text_of, total

_PACKED = "xl/workbook.bin"
DAYS_TO_1904 = 1462  # between the days that the two date systems of Excel call 0
PERCENT = "%"
_TYPED_PERCENT = re.compile(r"=[\s(+]*(-?[\d.]{1,20})[\s(]*%[\s)]*")  # a formula only because = or + was typed before
_OWN_TOTAL = "=IF(COUNT("  # how those of the template begin, also where they were pasted and refer elsewhere
_OWN_FORMULAS = (_OWN_TOTAL, f'="{STATUS}"')  # totals, and the status beside a form
MAX_CELLS = 12  # listed in a message


def settle(found: list[Extracted], opened: Opened, file: str, forms: Mapping[str, Form]) -> tuple[list[Extracted], int]:
    """Settle the doubts of a file's forms; also tell how often the file was opened again: once at most."""
    if opened.kind is Kind.OLD:
        found = [_without_zeros(f, forms[f.form]) for f in found]
    if opened.kind not in (Kind.PACKAGE, Kind.OLD, Kind.XML2003) or not any(f.doubts or f.suspect for f in found):
        return found, 0
    packed = opened.package.read(_PACKED) if opened.package is not None else b""
    from_1904 = biff.counts_from_1904(packed)
    if packed and not from_1904:
        found = [replace(f, doubts=tuple(d for d in f.doubts if d.kind != "serial")) for f in found]
    look, count = _look(found, opened)
    if look == Look() and not count:
        return found, count
    settlers = [_Settler(f, forms[f.form], file) for f in found]
    for settler in settlers:
        settler.blanks(look)
        settler.numbers(look or Look(from_1904=from_1904))
    claimed = {(f.sheet, cell) for f in found for cell in (*f.cells.values(), *(d.cell for d in f.doubts))}
    return _with_unclaimed([settler.result() for settler in settlers], claimed, look, file), count


def _look(found: Iterable[Extracted], opened: Opened) -> tuple[Look | None, int]:
    """Look again, with what opens that kind of file; None where nothing does."""
    blank, doubtful = _places(found, ("blank",)), _places(found, ("total", "percent", "serial", "date"))
    if opened.package is None:
        if opened.kind is not Kind.OLD:
            return None, 0
        places = blank + _places(found, ("percent", "serial"))
        return (xlslook.look(opened.content, places), 1) if places else (Look(), 0)
    names = opened.package.names
    if _PACKED in names:
        return None, 0
    if odslook.CONTENT in names and "xl/workbook.xml" not in names:
        return odslook.look(opened.package, blank + doubtful), 1
    broken = secondlook.broken_cells(opened.package, blank, {f.sheet for f in found if f.suspect and f.sheet})
    seen = secondlook.look(opened.package, doubtful) if doubtful else Look()
    return replace(seen or Look(), broken=broken), int(bool(doubtful))


def _with_unclaimed(
    found: list[Extracted], claimed: Collection[tuple[str | None, str]], look: Look | None, file: str
) -> list[Extracted]:
    """Report the formulas without a value, and the errors, in cells that belong to no value: they read blank too."""
    problems: dict[str, list[Problem]] = {}
    for (sheet, cell), why in (look.broken if look else {}).items():
        if (sheet, cell) not in claimed and not why.formula.startswith(_OWN_FORMULAS):
            problems.setdefault(sheet, []).append(_broken(Location(file, sheet, cell), why))
    return [replace(f, problems=(*f.problems, *problems.pop(f.sheet or "", ()))) for f in found]


def _broken(where: Location, why: Broken) -> Problem:
    if why.error:
        return Problem("cell-error", where, {"error": why.error, "formula": why.formula and f"（{why.formula}）"})
    return Problem("formula-uncached", where, {"formula": why.formula or "="})


def _places(found: Iterable[Extracted], kinds: tuple[str, ...]) -> list[Place]:
    doubts = [(f, d) for f in found if f.sheet is not None for d in f.doubts if d.kind in kinds]
    return [(f.sheet or "", d.cell or f.cells[d.key]) for f, d in doubts]


def _without_zeros(found: Extracted, form: Form) -> Extracted:
    """Take a total of 0 over blank parts as blank: LibreOffice saves an empty formula result as 0 in .xls."""
    totals = [d.key for d in found.doubts if d.kind == "total"]
    blank = {key for key in totals if total([found.values[part] for part in form.fields[key].sum]) is None}
    zero = [key for key in blank if found.values[key] == 0]
    values = {**found.values, **dict.fromkeys(zero)}
    return replace(found, values=values, doubts=tuple(d for d in found.doubts if d.key not in zero))


_REFERENCE = re.compile(r"\$?([A-Z]{1,3})\$?(\d{1,7})(?::\$?([A-Z]{1,3})\$?(\d{1,7}))?")


def adds_up(formula: str, parts: Collection[str]) -> bool:
    """Tell whether a formula is the sum of just these cells, as the template's own is: no other cell, no number."""
    cells: set[str] = set()
    for column, first, last_column, last in _REFERENCE.findall(formula):
        if last_column not in ("", column) or int(last or first) - int(first) > len(parts) * 100:
            return False
        cells |= {f"{column}{row}" for row in range(int(first), int(last or first) + 1)}
    rest = _REFERENCE.sub("", formula)
    return set(parts) <= cells and not re.search(r"[1-9*/^&-]", rest) and len(cells - set(parts)) == 0


class _Settler:
    """Settles the doubts of one form; used once."""

    def __init__(self, found: Extracted, form: Form, file: str) -> None:
        self.found, self.form, self.file = found, form, file
        self.values: dict[str, Value] = dict(found.values)
        self.cells = dict(found.cells)
        self.tables = {key: [dict(row) for row in rows] for key, rows in found.tables.items()}
        self.problems = list(found.problems)

    def result(self) -> Extracted:
        """Return the form with what was settled."""
        tables: dict[str, tuple[Row, ...]] = {key: tuple(rows) for key, rows in self.tables.items()}
        return replace(self.found, values=self.values, tables=tables, cells=self.cells, problems=tuple(self.problems))

    def _place(self, doubt: Doubt) -> Place:
        return (self.found.sheet or "", doubt.cell or self.found.cells[doubt.key])

    # --- numbers: totals, per cent, serial numbers of days -----------------------------------

    def numbers(self, look: Look) -> None:
        """Settle what the file can tell; say what it cannot."""
        for doubt in self.found.doubts:
            seen = look.cells.get(self._place(doubt))
            if doubt.kind == "total" and seen is not None and seen.formula is not None:
                parts = self.form.fields[doubt.key].sum
                if not adds_up(seen.formula, {self.cells.get(part, "") for part in parts}):
                    continue  # somebody's own formula: its value counts, and is checked
                self.values[doubt.key] = total([self.values[part] for part in parts])
            elif doubt.kind == "percent":
                self._percent(doubt, seen)
            elif doubt.kind == "serial" and (look.from_1904 or seen is None):
                self._later(doubt, sure=seen is not None or look.from_1904)
            elif doubt.kind == "date" and seen is not None and seen.yearless:
                details = {"kind": ("日期", "a date"), "example": ("6-8 或 3/4", "6-8 or 3/4")}
                self._say("value-recast", doubt, {**details, "reading": text_of(self._value(doubt.key))})

    def _percent(self, doubt: Doubt, seen: Seen | None) -> None:
        value = self._value(doubt.key)
        if not isinstance(value, Decimal):
            return
        if seen is None:
            self._unverified(doubt, text_of(value), text_of(value), f"{number_text(value * 100)}{PERCENT}")
            return
        typed = _TYPED_PERCENT.fullmatch(seen.formula or "")
        if not (typed and self._retarget(doubt, f"={typed[1]}{PERCENT}", text_of(value))) and seen.percent:
            self._retarget(doubt, f"{number_text(value * 100)}{PERCENT}", text_of(value))

    def _later(self, doubt: Doubt, *, sure: bool) -> None:
        value = self._value(doubt.key)
        if isinstance(value, date):
            raw, later = str((value - date(1899, 12, 30)).days), value + timedelta(days=DAYS_TO_1904)
            if not sure:
                self._unverified(doubt, raw, value.isoformat(), later.isoformat())
                return
            self._set(doubt.key, later)
            self._note(doubt, raw, later.isoformat())

    # --- cells that read blank ---------------------------------------------------------------

    def blanks(self, look: Look | None) -> None:
        """Read formulas that only spell a target, =100%; report the others, and errors, and what cannot be told."""
        unknown = []
        for doubt in self.found.doubts:
            if doubt.kind != "blank":
                continue
            if look is None:
                field = self._field(doubt.key)
                unknown += [] if field.required or field.sum else [self.cells[doubt.key]]
                continue
            why = look.broken.get(self._place(doubt))
            if why is None or self._retarget(doubt, why.formula, why.formula) or self._follows_parts(doubt.key, why):
                continue
            if doubt.cell:
                self._empty_level(doubt)
            label = self._field(doubt.key).label.rstrip(":：")
            where = Location(self.file, self.found.sheet, self.cells[doubt.key], label)
            self.problems.append(_broken(where, why))
        if unknown:
            where = Location(self.file, self.found.sheet)
            shown = "、".join(unknown[:MAX_CELLS]) + ("……" if len(unknown) > MAX_CELLS else "")
            self.problems.append(Problem("blank-unverified", where, {"count": len(unknown), "cells": shown}))

    def _follows_parts(self, key: str, why: Broken) -> bool:
        """Tell whether a total reads blank because of its parts: they are blank, not counted, or said themselves."""
        parts = self._field(key).sum
        known = {self.cells[part] for part in parts if part in self.cells}
        own = not why.formula or why.formula.startswith(_OWN_TOTAL) or len(known) < len(parts)
        own = own or adds_up(why.formula, known)
        return bool(parts) and own and (not why.error or total([self.values[part] for part in parts]) is not None)

    def _empty_level(self, doubt: Doubt) -> None:
        """Take back a level that came from the row above, also where it went on to the rows below."""
        table, number, column = doubt.key.split(".", 2)
        above = self.cells[doubt.key]
        for row in range(int(number), len(self.tables[table])):
            key = f"{table}.{row}.{column}"
            if self.cells.get(key) != above:
                return
            self.cells[key] = doubt.cell
            self._set(key, None)

    # --- values by key -----------------------------------------------------------------------

    def _field(self, key: str) -> Field:
        if key in self.form.fields:
            return self.form.fields[key]
        table, _, column = key.split(".", 2)
        return self.form.tables[table].columns[column]

    def _value(self, key: str) -> Value:
        if key in self.values:
            return self.values[key]
        table, number, column = key.split(".", 2)
        return self.tables[table][int(number)][column]

    def _set(self, key: str, value: Value) -> None:
        if key in self.values:
            self.values[key] = value
        else:
            table, number, column = key.split(".", 2)
            self.tables[table][int(number)][column] = value

    def _target(self, key: str) -> Target | None:
        if key in self.form.fields:
            return None
        table, _, column = key.split(".", 2)
        return next((t for t in self.form.tables[table].targets.values() if t.value == column), None)

    def _retarget(self, doubt: Doubt, text: str, raw: str) -> bool:
        """Read a target's value anew from a text that says the same; an operator or unit that was typed stays."""
        target = self._target(doubt.key)
        if target is None:
            return False
        table, number, _ = doubt.key.split(".", 2)
        row = self.tables[table][int(number)]
        read = read_target(text, self._choices(table, target.operator), self._choices(table, target.unit))
        if read is None or (row[target.unit] is not None and read.unit not in (None, row[target.unit])):
            return False
        for part in (target.operator, target.unit):
            if row[part] is None:  # it comes from where the value was typed
                self.cells[f"{table}.{number}.{part}"] = self.cells[doubt.key]
        row[target.value] = read.value
        row[target.unit] = row[target.unit] or read.unit
        row[target.operator] = row[target.operator] or read.operator
        self._note(doubt, raw, "".join(text_of(row[part]) for part in target.parts if row[part] is not None))
        return True

    def _choices(self, table: str, column: str) -> Choices:
        name = self.form.tables[table].columns[column].choices
        assert name is not None
        return self.form.choices[name]

    # --- problems ----------------------------------------------------------------------------

    def _note(self, doubt: Doubt, raw: str, reading: str) -> None:
        self._say("value-normalised", doubt, {"raw": raw, "reading": reading})

    def _unverified(self, doubt: Doubt, raw: str, reading: str, other: str) -> None:
        self._say("value-unverified", doubt, {"raw": raw, "reading": reading, "other": other})

    def _say(self, code: str, doubt: Doubt, details: Mapping[str, object]) -> None:
        """Say how a value was read, instead of what was said of it before."""
        said = ("value-normalised", self.cells[doubt.key])
        self.problems = [p for p in self.problems if (p.code, p.location.cell) != said]
        self._problem(code, doubt, details)

    def _problem(self, code: str, doubt: Doubt, details: Mapping[str, object]) -> None:
        label = self._field(doubt.key).label.rstrip(":：")
        where = Location(self.file, self.found.sheet, self.cells[doubt.key], label)
        self.problems.append(Problem(code, where, details))
