"""Rounds for the laws of merging: a project as it was sent out, and what two to five people made of it.

Every value that somebody types is unlike any other, so that it can be looked for afterwards without the code that
merges.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from hypothesis import strategies as st

from kpixl.forms.definition import Form, Row, Value
from kpixl.forms.types import FIELD_TYPES
from kpixl.portfolio.canonical import complete
from kpixl.portfolio.model import Project
from tests.strategies import form_of

FORM = form_of("shanghai-target")
TABLE = FORM.tables["indicators"]
# Fields that people type: no totals, and not the names, by which a project is known.
FIELDS = tuple(key for key, f in FORM.fields.items() if not f.sum and key not in FORM.key_fields)
COLUMNS = ("level1", "level2", "name", "target")
TARGET = TABLE.targets["target"].parts

# What is edited: ("", field), or (row as sent out or added, column); "row" for a row as a whole.
Spot = tuple[str, str]


@dataclass(frozen=True)
class Person:
    """What one person did, spot by spot: the values typed, by column; None for a row that was deleted."""

    edits: Mapping[Spot, Mapping[str, Value] | None]


@dataclass(frozen=True)
class Round:
    """A project as it was sent out, and what each person made of it."""

    sent: Project
    people: tuple[Person, ...]

    @property
    def returned(self) -> tuple[Project, ...]:
        """Return the project of each person."""
        return tuple(applied(self.sent, [person]) for person in self.people)


def applied(sent: Project, people: list[Person] | tuple[Person, ...]) -> Project:
    """Do what people did, one after the other."""
    values = {key: None if FORM.fields[key].sum else value for key, value in sent.values.items()}
    rows: dict[str, dict[str, Value] | None] = {f"s{n}": dict(row) for n, row in enumerate(sent.tables["indicators"])}
    for person in people:
        for (row, _), typed in person.edits.items():
            if typed is None:
                rows[row] = None
            elif row in rows and rows[row] is None:
                continue  # it is gone
            elif row:
                there = rows.setdefault(row, dict.fromkeys(TABLE.columns))
                rows[row] = {**(there or {}), **typed}
            else:
                values.update(typed)
    kept = tuple(row for row in rows.values() if row is not None)
    return complete(FORM, Project(sent.id, values, {"indicators": kept}))


def typed_values(person: Person) -> set[Value]:
    """Return every value that a person typed."""
    return {value for typed in person.edits.values() for value in (typed or {}).values() if value is not None}


def all_values(project: Project) -> set[Value]:
    """Return every value of a project but its totals, which nobody types."""
    rows = {value for row in project.tables["indicators"] for value in row.values()}
    return {*(value for key, value in project.values.items() if not FORM.fields[key].sum), *rows}


# --- drawing ----------------------------------------------------------------------------------


class _Typist:
    """Types values that nobody else types."""

    def __init__(self) -> None:
        self.count = 0

    def value(self, form: Form, key: str) -> Value:
        """Return a value for a field."""
        self.count += 1
        amount = FIELD_TYPES[form.fields[key].type].is_amount
        return Decimal(1000 + self.count) if amount else f"值{self.count}"

    def cells(self, column: str) -> dict[str, Value]:
        """Return what is typed for a column of a row, or for its target."""
        self.count += 1
        if column != "target":
            return {column: f"值{self.count}"}
        operator, value, unit = TARGET
        return {operator: f"符{self.count}", value: Decimal(1000 + self.count), unit: f"单位{self.count}"}

    def row(self) -> dict[str, Value]:
        """Return what is typed into a new row."""
        return {part: value for column in COLUMNS for part, value in self.cells(column).items()}


def _sent(typist: _Typist, rows: int, filled: bool) -> Project:
    values: dict[str, Value] = dict.fromkeys(FORM.fields)
    values |= {key: typist.value(FORM, key) for key in FORM.key_fields}
    if filled:
        values |= {key: typist.value(FORM, key) for key in FIELDS}
    lines: list[Row] = [typist.row() for _ in range(rows)]
    return complete(FORM, Project("07", values, {"indicators": tuple(lines)}))


@st.composite
def rounds(draw: st.DrawFn, *, disjoint: bool) -> Round:
    """Draw a round. `disjoint`: nobody touches what somebody else does; else anybody may touch anything."""
    typist = _Typist()
    rows = draw(st.integers(0, 4))
    sent = _sent(typist, rows, draw(st.booleans()))
    count = draw(st.integers(2, 5))
    spots: list[Spot] = [("", key) for key in FIELDS]
    for number in range(rows):
        # A row is either deleted as a whole or edited column by column.
        deleted = draw(st.booleans()) if disjoint else None
        spots += [(f"s{number}", "row")] if deleted else [(f"s{number}", column) for column in COLUMNS]
        spots += [(f"s{number}", "row")] if deleted is None else []
    spots += [(f"new{number}", "new") for number in range(draw(st.integers(0, 3)))]
    edits: list[dict[Spot, Mapping[str, Value] | None]] = [{} for _ in range(count)]
    for spot in draw(st.permutations(spots)):
        who = draw(st.integers(0, count)) if disjoint else None
        chosen = [who] if who is not None else draw(st.sets(st.integers(0, count - 1)))
        same = typed_at(typist, spot)
        for number in sorted(chosen):
            if number < count:
                alike = disjoint or draw(st.booleans())
                _edit(edits[number], spot, same if alike else typed_at(typist, spot))
    return Round(sent, tuple(map(Person, edits)))


def typed_at(typist: _Typist, spot: Spot) -> Mapping[str, Value] | None:
    """Return what somebody types at a spot."""
    row, column = spot
    if not row:
        return {column: typist.value(FORM, column)}
    if column == "new":
        return typist.row()
    return None if column == "row" else typist.cells(column)


def _disguised(spot: Spot, edits: Mapping[Spot, object]) -> bool:
    """Tell whether an edit would leave nothing by which a row is known: levels and name both changed."""
    row, column = spot
    levels = any((row, level) in edits for level in ("level1", "level2"))
    return (column == "name" and levels) or (column in ("level1", "level2") and (row, "name") in edits)


def _edit(edits: dict[Spot, Mapping[str, Value] | None], spot: Spot, typed: Mapping[str, Value] | None) -> None:
    """Note an edit; a row that somebody deleted is not edited by the same person, and the other way round."""
    row = spot[0]
    if row and spot[1] == "row":
        if any(other[0] == row for other in edits):
            return
    elif (row, "row") in edits or (row and _disguised(spot, edits)):
        return
    edits[spot] = typed
