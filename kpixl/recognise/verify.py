"""Resolves what extraction left ambiguous, by inspecting cells of the file: nothing is guessed where it can tell."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from functools import partial

from kpixl.a1 import CellRef
from kpixl.forms.compute import computed_value
from kpixl.forms.definition import Field, Form
from kpixl.forms.values import number_text, text_of, total
from kpixl.keys import Key
from kpixl.portfolio.sheet_id import HINT, OWN_LINK, STATUS
from kpixl.problems import Location, Problem
from kpixl.readers import Opened, biff
from kpixl.readers.detect import FileKind
from kpixl.recognise import displayed, inspect_ods, inspect_xls, inspect_xlsb, inspect_xlsx
from kpixl.recognise.draft import Draft
from kpixl.recognise.inspected import Broken, Inspected, Inspector, Look, Place
from kpixl.recognise.submission import Doubt, Submission
from kpixl.recognise.totals import adds_up, is_own_total

_PACKED = "xl/workbook.bin"
DAYS_TO_1904 = 1462  # between the days that the two date systems of Excel call 0
PERCENT = "%"
_TYPED_PERCENT = re.compile(r"=[\s(+]*(-?[\d.]{1,20})[\s(]*%[\s)]*")  # a formula only because = or + was typed before
# Totals of the template, and what stands beside a form: the status, its hidden list; before version 3 without a link.
_OWN_FORMULAS = ("=IF(COUNT(", OWN_LINK, f'="{HINT}', f'="{STATUS}"')
MAX_CELLS = 12  # listed in a message


def settle(
    found: list[Submission], opened: Opened, file: str, forms: Mapping[str, Form], *, rich: bool = False
) -> tuple[list[Submission], int]:
    """Settle the doubts of a file's forms; also tell how often the file was opened again: once at most.

    `rich`: its cells hold texts of several fonts.
    """
    if opened.kind is FileKind.OLD:
        found = [_without_zeros(f, forms[f.form]) for f in found]
    inspector = inspector_of(opened) if found else None
    marked = inspector is not None and (rich or inspector.is_marked())
    if opened.kind not in (FileKind.PACKAGE, FileKind.OLD, FileKind.XML2003) or not (
        marked or any(f.doubts or f.suspect for f in found)
    ):
        return found, 0
    packed = opened.package.read(_PACKED) if opened.package is not None else b""
    from_1904 = biff.counts_from_1904(packed)
    if packed and not from_1904:
        found = [replace(f, doubts=tuple(d for d in f.doubts if d.kind != "serial")) for f in found]
    look, count = _look(found, inspector, marked=marked)
    if from_1904:
        look = replace(look, from_1904=True)
    if look == Look() and not count:
        return found, count
    settlers = [_Settler(f, forms[f.form], file) for f in found]
    for settler in settlers:
        settler.blanks(look)
        settler.numbers(look)
        if marked:
            settler.displayed(look)
    claimed = {(f.sheet, cell) for f in found for cell in (*f.cells.values(), *(d.cell for d in f.doubts))}
    return _with_unclaimed([settler.draft.result() for settler in settlers], claimed, look, file), count


def inspector_of(opened: Opened) -> Inspector | None:
    """Return what inspects cells of a file of this kind, if anything does."""
    package = opened.package
    if opened.kind is FileKind.OLD:
        return Inspector(partial(inspect_xls.is_marked, opened.content), partial(inspect_xls.look, opened.content))
    if opened.kind is not FileKind.PACKAGE or package is None:
        return None
    if _PACKED in package.names:
        return Inspector(partial(inspect_xlsb.is_marked, package), partial(inspect_xlsb.look, package), blanks=False)
    if inspect_ods.CONTENT in package.names and "xl/workbook.xml" not in package.names:
        return Inspector(partial(inspect_ods.is_marked, package), partial(inspect_ods.look, package))
    broken = partial(inspect_xlsx.broken_cells, package)
    return Inspector(partial(inspect_xlsx.is_marked, package), partial(inspect_xlsx.look, package), broken)


def _look(found: Iterable[Submission], inspector: Inspector | None, *, marked: bool) -> tuple[Look, int]:
    """Inspect the cells in doubt; all cells of the forms where any may show something else than its value."""
    if inspector is None:
        return Look(failed=True, blanks=False), 0
    blank, places = _places(found, ("blank",)), _places(found, ("total", "percent", "serial", "date", "shown"))
    if marked:
        places += [(f.sheet, cell) for f in found if f.sheet is not None for cell in f.cells.values()]
    if inspector.broken is None and inspector.blanks:
        places += blank
    seen = inspector.look(places) if places else Look()
    count = int(bool(places) and (inspector.blanks or seen is not None))
    if inspector.broken is not None:
        return replace(
            seen or Look(failed=True), broken=inspector.broken(blank, {f.sheet for f in found if f.suspect and f.sheet})
        ), count
    known = inspector.blanks and seen is not None
    return replace(seen or Look(failed=True), blanks=known or not blank), count


def _with_unclaimed(
    found: list[Submission], claimed: Collection[tuple[str | None, CellRef | None]], look: Look, file: str
) -> list[Submission]:
    """Report the formulas without a value, and the errors, in cells that belong to no value: they read blank too."""
    problems: dict[str, list[Problem]] = {}
    for (sheet, cell), why in look.broken.items():
        if (sheet, cell) not in claimed and not why.formula.startswith(_OWN_FORMULAS):
            problems.setdefault(sheet, []).append(broken_cell(Location(file, sheet, cell), why))
    return [replace(f, reported=(*f.reported, *problems.pop(f.sheet or "", ()))) for f in found]


def broken_cell(where: Location, why: Broken, keys: tuple[Key, ...] = ()) -> Problem:
    """Report a cell that reads blank and is not."""
    if why.error:
        details = {"error": why.error, "formula": why.formula and f"（{why.formula}）"}
        return Problem("cell-error", where, details, keys=keys)
    return Problem("formula-uncached", where, {"formula": why.formula or "="}, keys=keys)


def _places(found: Iterable[Submission], kinds: tuple[str, ...]) -> list[Place]:
    doubts = [(f, d) for f in found if f.sheet is not None for d in f.doubts if d.kind in kinds]
    return [(f.sheet or "", d.cell or f.cells[d.key]) for f, d in doubts]


def _without_zeros(found: Submission, form: Form) -> Submission:
    """Take a total of 0 over blank parts as blank: LibreOffice saves an empty formula result as 0 in .xls."""
    totals = [d.key.name for d in found.doubts if d.kind == "total"]
    blank = {key for key in totals if _is_blank(form.fields[key], found)}
    zero = [key for key in blank if found.values[key] == 0]
    values = {**found.values, **dict.fromkeys(zero)}
    return replace(found, values=values, doubts=tuple(d for d in found.doubts if d.key.name not in zero))


def _is_blank(field: Field, found: Submission) -> bool:
    """Return whether a computed value is blank, as nothing that it follows from is a number."""
    if field.sum:
        return total([found.values[part] for part in field.sum]) is None
    return computed_value(field, found.values, found.tables) is None


class _Settler:
    """Settles the doubts of one form; used once."""

    def __init__(self, found: Submission, form: Form, file: str) -> None:
        self.draft = Draft(found, form, file)

    def displayed(self, look: Look) -> None:
        """Read values as their cells show them; report once where the file hides that."""
        draft = self.draft
        if not look.failed:
            displayed.verify(draft, look)
        elif not draft.is_unverified:
            draft.reported.append(Problem("display-unverified", Location(draft.file, draft.found.sheet)))

    # --- numbers: totals, per cent, serial numbers of days -----------------------------------

    def numbers(self, look: Look) -> None:
        """Settle what the file can tell; say what it cannot."""
        draft = self.draft
        for doubt in draft.found.doubts:
            seen = look.cells.get(draft.place(doubt.key, doubt.cell))
            if doubt.kind == "total" and seen is not None and seen.formula is not None:
                if not draft.is_own(doubt.key, seen.formula):
                    continue  # somebody's own formula: its value counts, and is checked
                draft.values[doubt.key.name] = draft.computed(doubt.key.name)
            elif doubt.kind == "percent":
                self._percent(doubt, seen)
            elif doubt.kind == "shown":
                displayed.read_as_displayed(draft, doubt.key, seen)
            elif doubt.kind == "serial" and (look.from_1904 or seen is None):
                self._later(doubt, sure=seen is not None or look.from_1904)
            elif doubt.kind == "date" and seen is not None and seen.yearless:
                self._recast(doubt, seen)

    def _percent(self, doubt: Doubt, seen: Inspected | None) -> None:
        draft, value = self.draft, self.draft.value(doubt.key)
        if not isinstance(value, Decimal):
            return
        if seen is None:
            draft.unverified(doubt, text_of(value), text_of(value), f"{number_text(value * 100)}{PERCENT}")
            return
        typed = _TYPED_PERCENT.fullmatch(seen.formula or "")
        if not (typed and draft.retarget(doubt.key, f"={typed[1]}{PERCENT}", text_of(value))) and seen.percent:
            displayed.read_shown(draft, doubt.key, seen)

    def _recast(self, doubt: Doubt, seen: Inspected) -> None:
        """Report a day without its year: 6-8 or 3/4 was typed and became one."""
        if displayed.is_recast(seen):
            details = {"kind": ("日期", "a date"), "example": ("6-8 或 3/4", "6-8 or 3/4")}
            reading = text_of(self.draft.value(doubt.key))
            self.draft.resolve("value-recast", doubt.key, {**details, "reading": reading})

    def _later(self, doubt: Doubt, *, sure: bool) -> None:
        draft, value = self.draft, self.draft.value(doubt.key)
        if isinstance(value, date):
            raw, later = str((value - date(1899, 12, 30)).days), value + timedelta(days=DAYS_TO_1904)
            if not sure:
                draft.unverified(doubt, raw, value.isoformat(), later.isoformat())
                return
            draft.set(doubt.key, later)
            draft.note(doubt.key, raw, later.isoformat())

    # --- cells that read blank ---------------------------------------------------------------

    def blanks(self, look: Look) -> None:
        """Read formulas that only spell a target, =100%; report the others, and errors, and what cannot be told."""
        draft, unknown = self.draft, []
        for doubt in draft.found.doubts:
            if doubt.kind != "blank":
                continue
            if not look.blanks:
                field = draft.field(doubt.key)
                unknown += [] if field.required or field.computation else [str(draft.cells[doubt.key])]
                continue
            # Where the blank cell is: a unit read with its value has that one's cell by now.
            why = look.broken.get(draft.place(doubt.key, doubt.cell or draft.found.cells[doubt.key]))
            if why is None or draft.retarget(doubt.key, why.formula, why.formula):
                continue
            if self._follows_parts(doubt.key, why):
                continue
            keys = self._empty_level(doubt.key, doubt.cell) if doubt.cell else (doubt.key,)
            where = Location(draft.file, draft.found.sheet, draft.cells[doubt.key], draft.label(doubt.key))
            draft.reported.append(broken_cell(where, why, keys))
        if unknown:
            where = Location(draft.file, draft.found.sheet)
            shown = "、".join(unknown[:MAX_CELLS]) + ("……" if len(unknown) > MAX_CELLS else "")
            draft.reported.append(Problem("blank-unverified", where, {"count": len(unknown), "cells": shown}))

    def _follows_parts(self, key: Key, why: Broken) -> bool:
        """Return whether a total reads blank because of its parts: they are blank, not counted, or said themselves."""
        draft = self.draft
        if draft.field(key).compute is not None:
            return not why.error and (not why.formula or draft.is_own(key, why.formula))
        parts = draft.field(key).sum
        known = {draft.cells[Key(part)] for part in parts if Key(part) in draft.cells}
        own = not why.formula or is_own_total(why.formula) or len(known) < len(parts)
        own = own or adds_up(why.formula, known)
        return bool(parts) and own and (not why.error or total([draft.values[part] for part in parts]) is not None)

    def _empty_level(self, first: Key, cell: CellRef) -> tuple[Key, ...]:
        """Blank a level that came from the row above, also where it went on to the rows below; return their keys."""
        draft, keys = self.draft, []
        above = draft.cells[first]
        for row in range(first.row, len(draft.tables[first.name])):
            key = first._replace(row=row)
            if draft.cells.get(key) != above:
                break
            draft.cells[key] = cell
            draft.set(key, None)
            keys.append(key)
        return tuple(keys)
