"""The law: what is typed into a returned file is in the result or quoted in a problem; nothing else is in the result.

It is held against the raw XML of the file (typed_cells.py). A cell equal to a text of the template is not typed.
Three parts:
lost: a typed cell is neither in the portfolio nor quoted in a problem, and no problem reports its sheet as not taken;
made up: the portfolio has a value that no cell of the file holds or can be read as;
misplaced: a value's source is a cell that does not hold it, or a row has values of different rows.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from functools import cache
from itertools import combinations
from pathlib import Path
from typing import NamedTuple

from kpixl.collection.consolidate import consolidate
from kpixl.collection.merge import Source
from kpixl.collection.model import Collection
from kpixl.forms.definition import Choices, Form, Value
from kpixl.portfolio.model import Project
from tests.laws.edits import FORMS, OTHER, OTHER_FORMS, Edit, Sequence, sent, template
from tests.laws.engines import Edited
from tests.laws.typed_cells import FilledCell, filled_cells, normal
from tests.strategies import form_of

_OWN = ('{"kpixl":1,"kind":"cover"', '{"kpixl":1,"kind":"template"')
# Problems that report a whole sheet, or a file, as not taken: it is no form, or another version of the project counts.
_NOT_TAKEN = frozenset(
    {"sheet-skipped", "sheet-part", "sheet-rows", "sheets-apart", "sheet-unread", "no-form", "sheet-id-form",
     "returned-differently", "returned-unfilled"}
)  # fmt: skip
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_DAY_ZERO = date(1899, 12, 30)
_LEAST_QUOTE = 4  # characters; a shorter text may be part of any sentence, and counts only in a problem at its cell


@dataclass(frozen=True, slots=True)
class Violation:
    """A break of the law: what (lost, made up, misplaced), and where."""

    kind: str
    what: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.what}"


@dataclass(slots=True)
class Account:
    """How many cells of a file were typed, where they are found, and the breaks of the law.

    `not_taken`: those on a sheet that a problem reports as a whole. `as_sent`: those that the roster has too, where
    the sheet was copied: of two versions of a value the one that was changed counts.
    """

    typed: int = 0
    in_yaml: int = 0
    quoted: int = 0
    not_taken: int = 0
    as_sent: int = 0
    breaks: list[Violation] = field(default_factory=list)

    @property
    def lost(self) -> int:
        """Count the cells that are nowhere."""
        return self.typed - self.in_yaml - self.quoted - self.not_taken - self.as_sent


@dataclass(slots=True)
class Record:
    """What is known of a text that was typed: what it may be read as, and whether as itself."""

    reads: set[str] = field(default_factory=set)
    itself: bool = True


# --- what was typed -----------------------------------------------------------------------------


def records(sequence: Sequence) -> dict[str, Record]:
    """Map what was typed, and the values that were sent, to how they may be read."""
    found: dict[str, Record] = {}
    for edit in sequence.edits:
        text, number = _typed(edit)
        if text:
            record = found.setdefault(normal(text, is_number=number), Record())
            record.reads |= {normal(one) for one in edit.get("reads", ())}
            record.itself = record.itself and not edit.get("exact", False)
    for project in (p for base in _bases(sequence) for p in sent(sequence.form, base).projects):
        for value in _values(project):
            found.setdefault(_spelled(value), Record()).reads.add(_spelled(value))
            if isinstance(value, date):  # a workbook stores it as a number of days
                found.setdefault(str((value - _DAY_ZERO).days), Record()).reads.add(value.isoformat())
    return found


def _bases(sequence: Sequence) -> list[str]:
    """List the templates that a sequence begins with or copies into."""
    return [sequence.base, *([OTHER] if any(edit["do"] == "transplant" for edit in sequence.edits) else [])]


def _typed(edit: Edit) -> tuple[str, bool]:
    if edit["do"] == "rich":
        return "".join(run["text"] for run in edit["runs"]), False
    if edit["do"] == "comment":
        return edit["text"], False
    if edit["do"] not in ("type", "append"):
        return "", False
    return str(edit["value"]), edit["kind"] in ("number", "date")


def _spelled(value: Value) -> str:
    if isinstance(value, Decimal):
        return normal(str(value), is_number=True)
    return value.isoformat() if isinstance(value, date) else normal(value or "")


def _values(project: Project) -> Iterator[Value]:
    yield from (value for value in project.values.values() if value is not None)
    for rows in project.tables.values():
        yield from (value for row in rows for value in row.values() if value is not None)


@cache
def _sent_cells(form_id: str, base: str) -> tuple[FilledCell, ...]:
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "sent.xlsx"
        path.write_bytes(template(form_id, base))
        return tuple(filled_cells(path))


@cache
def _furniture(form_id: str, base: str) -> frozenset[str]:
    """List what the template itself holds, besides the values of its projects."""
    cells = _sent_cells(form_id, base)
    values = {_spelled(value) for project in sent(form_id, base).projects for value in _values(project)}
    values |= {str((v - _DAY_ZERO).days) for p in sent(form_id, base).projects for v in _values(p)
               if isinstance(v, date)}  # fmt: skip
    choices = {normal(item) for listed in form_of(form_id).choices.values() for item in listed.items}
    return frozenset({normal(c.text, is_number=c.is_number) for c in cells} - values | choices)


@cache
def _own_sheets(form_id: str, base: str) -> dict[str, frozenset[str]]:
    """Map what the first cell of kpixl holds on the cover and the hidden sheet to all that they hold."""
    own: dict[str, set[str]] = {}
    for cell in _sent_cells(form_id, base):
        own.setdefault(cell.sheet, set()).add(normal(cell.text, is_number=cell.is_number))
    signs = {name: sign for name, texts in own.items() for sign in texts if sign.startswith(_OWN)}
    return {signs[name]: frozenset(own[name]) for name in signs}


# --- the law ------------------------------------------------------------------------------------


@dataclass(slots=True)
class Reading:
    """A returned file as the walker sees it, and what kpixl made of it."""

    sequence: Sequence
    cells: list[FilledCell]
    result: Collection
    records: Mapping[str, Record]
    places: dict[tuple[str, str], FilledCell] = field(default_factory=dict)
    told: dict[tuple[str | None, str | None], str] = field(default_factory=dict)
    all_told: str = ""

    def __post_init__(self) -> None:
        for cell in self.cells:
            if not cell.is_note:
                self.places[cell.sheet, cell.address] = cell
        for problem in self.result.problems:
            text = normal(problem.message("zh"))
            self.told[problem.location.sheet, problem.location.address] = (
                self.told.get((problem.location.sheet, problem.location.address), "") + text
            )
            self.all_told += text

    def reads(self, cell: FilledCell) -> set[str]:
        """Return what a cell may be read as."""
        key = normal(cell.text, is_number=cell.is_number)
        record = self.records.get(key)
        if record is None and cell.formula:
            record = self.records.get(normal(cell.formula.removeprefix("of:").lstrip("=")))
        if record is None and (record := self._part(key)) is None:
            return {key}
        if not record.itself:
            return record.reads
        # In a cell that is formatted as a date, a number is shown as one.
        return record.reads | {key} | (set(_displays(key)) if cell.is_number else set())

    def _part(self, key: str) -> Record | None:
        """Find what was typed behind a label."""
        return next((Record({key, *r.reads}) for typed, r in self.records.items()
                     if len(typed) > _LEAST_QUOTE and key.endswith(typed)), None)  # fmt: skip


def held(edited: Edited) -> Account:
    """Read an edited file and account for its cells."""
    sequence = edited.sequence
    roster = sent(sequence.form, sequence.base) if sequence.with_roster else None
    forms = [form_of(form_id) for form_id in (*FORMS, *OTHER_FORMS)]
    result = consolidate([edited.path], forms, roster=roster, workers=0)
    reading = Reading(sequence, filled_cells(edited.path), result, records(sequence))
    account = Account()
    account.breaks += [*_lost(reading, account), *_made_up(reading), *_misplaced(reading)]
    return account


def _typed_cells(reading: Reading) -> Iterator[FilledCell]:
    """List the cells that hold something else than the template's own texts and formulas."""
    form, bases = reading.sequence.form, _bases(reading.sequence)
    known = frozenset().union(*(_furniture(form, base) for base in bases))
    signs = {sign: texts for base in bases for sign, texts in _own_sheets(form, base).items()}
    own = {c.sheet: signs[sign] for c in reading.cells if (sign := normal(c.text)) in signs}
    for cell in reading.cells:
        key = normal(cell.text, is_number=cell.is_number)
        typed = normal(cell.formula.removeprefix("of:").lstrip("=")) in reading.records
        if key not in known and key not in own.get(cell.sheet, ()) and (typed or not cell.formula):
            yield cell


def _lost(reading: Reading, account: Account) -> Iterator[Violation]:
    filled = [v for p in reading.result.portfolio.projects for v in _values(p)]
    values = {_spelled(v) for v in filled}
    lines = (normal(line) for v in filled for line in str(v).splitlines())
    joined = "\n".join((*values, *lines))
    not_taken = {p.location.sheet for p in reading.result.problems if p.code in _NOT_TAKEN}
    sent_values = _sent_values(reading.sequence)
    for cell in _typed_cells(reading):
        key = normal(cell.text, is_number=cell.is_number)
        reads = reading.reads(cell)
        account.typed += 1
        if reads & values or (key in reads and any(_within(one, joined) for one in reads)):
            account.in_yaml += 1
        elif _quoted(reading, cell, key, reads):
            account.quoted += 1
        elif cell.sheet in not_taken or None in not_taken:
            account.not_taken += 1
        elif key in sent_values:
            account.as_sent += 1
        else:
            yield Violation("lost", f"{cell.sheet}!{cell.address} {cell.text!r} {cell.formula}")


def _sent_values(sequence: Sequence) -> set[str]:
    """Return what the roster has, where a sheet was copied: a copy that still has it gives way to a changed one."""
    if not sequence.with_roster or all(edit["do"] != "copy_sheet" for edit in sequence.edits):
        return set()
    return {_spelled(value) for p in sent(sequence.form, sequence.base).projects for value in _values(p)}


def _within(spelled: str, joined: str) -> bool:
    """Find what was joined with other cells to one text; a number as a whole, not as a part of another."""
    if len(spelled) < _LEAST_QUOTE:
        return False
    if not spelled.replace(".", "").isdecimal():
        return spelled in joined
    return re.search(rf"(?<![\d.]){re.escape(spelled)}(?![\d.])", joined) is not None


def _quoted(reading: Reading, cell: FilledCell, key: str, reads: set[str]) -> bool:
    here = reading.told.get((cell.sheet, cell.address), "")
    if here and (cell.formula or key.startswith("#")):
        return True
    spelled = {key, *reads, *(_displays(key) if cell.is_number else ())}
    return any(one in here or (len(one) >= _LEAST_QUOTE and one in reading.all_told) for one in spelled if one)


def _displays(number: str) -> Iterator[str]:
    """Spell a number as an amount, and as the day that it is where its cell is formatted as a date."""
    yield f"{float(number):,.2f}"
    if 0 < float(number) < (date.max - _DAY_ZERO).days:
        yield (_DAY_ZERO + timedelta(days=int(float(number)))).isoformat()


def _made_up(reading: Reading) -> Iterator[Violation]:
    """Find values that nothing in the file can be read as."""
    allowed: set[str] = set()
    for cell in reading.cells:
        allowed |= reading.reads(cell)
    allowed |= {normal(i) for listed in reading.result.form.choices.values() for i in listed.items}
    sums = {_spelled(v) for p in reading.result.portfolio.projects for v in _sums(reading.result.form, p)}
    allowed |= sums
    if reading.result.portfolio.projects and reading.sequence.base:
        allowed |= {_spelled(v) for p in sent(reading.sequence.form, reading.sequence.base).projects for v in _keys(p)}
    for project in reading.result.portfolio.projects:
        source = reading.result.sources.get(project.id)
        cells = _cells(source)
        for key, value in _addressed(project):
            spelled = _spelled(value)
            if value is None or spelled in allowed or any(len(a) > _LEAST_QUOTE and a in spelled for a in allowed):
                continue
            if (computed := reading.result.form.fields.get(key)) is not None and computed.compute is not None:
                continue  # a rate or a grade is what the form makes of other values
            address = cells.get(key)
            if source is None or (source.sheet, address) not in reading.told:
                yield Violation("made up", f"{project.id} {key} {value} from {source and source.sheet}!{address}")


def _keys(project: Project) -> Iterator[Value]:
    """List the values that a roster gives."""
    yield from (value for value in project.values.values() if value is not None)


def _sums(form: Form, project: Project) -> Iterator[Decimal]:
    for total in form.fields.values():
        parts = [v for key in total.sum if isinstance(v := project.values[key], Decimal)]
        for count in range(1, len(parts) + 1):
            yield from (sum(some, Decimal(0)) for some in combinations(parts, count))


def _cells(source: Source | None) -> dict[str, str]:
    """Return the cell of each value by its key as a text, as the sources file has it."""
    return {str(key): str(cell) for key, cell in source.cells.items()} if source else {}


def _addressed(project: Project) -> Iterator[tuple[str, Value]]:
    yield from project.values.items()
    for table, rows in project.tables.items():
        for number, row in enumerate(rows):
            yield from ((f"{table}.{number}.{key}", value) for key, value in row.items())


def _misplaced(reading: Reading) -> Iterator[Violation]:
    form = reading.result.form
    for project in reading.result.portfolio.projects:
        source = reading.result.sources.get(project.id)
        if source is None or source.sheet is None or source.file == "":
            continue
        cells = _cells(source)
        for key, value in _addressed(project):
            if value is None or (address := cells.get(key)) is None:
                continue
            if (field := form.fields.get(key)) is not None and field.computation is not None:
                continue
            cell = reading.places.get((source.sheet, address))
            if cell is None or not _holds(reading, cell, value):
                yield Violation("misplaced", f"{project.id} {key} {value!s} is not in {source.sheet}!{address}")
        yield from _rows(reading, form, project, source.sheet, cells)


def _holds(reading: Reading, cell: FilledCell, value: Value) -> bool:
    spelled, key = _spelled(value), normal(cell.text, is_number=cell.is_number)
    if spelled in reading.reads(cell) or (spelled and spelled in key) or (cell.formula and cell.text == ""):
        return True
    if isinstance(value, str) and key and (key in spelled or not spelled.startswith("记号")):
        return True  # a choice, read by a synonym or a sign
    return (cell.sheet, cell.address) in reading.told


def _rows(reading: Reading, form: Form, project: Project, sheet: str, cells: Mapping[str, str]) -> Iterator[Violation]:
    """Find rows of a table whose values come from different rows; a level may come from the nearest above."""
    for table, rows in project.tables.items():
        columns = form.tables[table].columns
        for number, row in enumerate(rows):
            prefix = f"{table}.{number}"
            own = {int(address.lstrip(_LETTERS)) for key in columns if not columns[key].fill
                   and row[key] is not None and (address := cells.get(f"{prefix}.{key}")) is not None}  # fmt: skip
            if len(own) > 1:
                yield Violation("misplaced", f"{project.id} {prefix} has values of rows {sorted(own)}")
            for key, column in columns.items():
                if column.fill and row[key] is not None and own:
                    found = _Level(sheet, f"{prefix}.{key}", row[key], max(own), cells.get(f"{prefix}.{key}"))
                    yield from _level(reading, form.choices.get(column.choices or ""), found)


class _Level(NamedTuple):
    """A level of a row, the row it is read in, and the cell that it comes from."""

    sheet: str
    key: str
    value: Value
    row: int
    address: str | None


def _level(reading: Reading, choices: Choices | None, found: _Level) -> Iterator[Violation]:
    items = {normal(item) for item in choices.items} if choices else set()
    if _spelled(found.value) not in items or found.address is None:
        return
    origin = int(found.address.lstrip(_LETTERS))
    column = found.address.rstrip("0123456789")
    cells = [(r, reading.places.get((found.sheet, f"{column}{r}"))) for r in range(origin + 1, found.row + 1)]
    between = [r for r, cell in cells if cell is not None and normal(cell.text) in items]
    if origin > found.row or between:
        what = f"{found.key} {found.value} is from row {origin}, of row {found.row}; {column}{between} is nearer"
        yield Violation("misplaced", what)
