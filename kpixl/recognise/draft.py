"""One form while its ambiguous cells are resolved: values by key, and the problems that follow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from kpixl.a1 import CellRef
from kpixl.forms.compute import computed_value
from kpixl.forms.definition import Choices, Field, Form, Row, Target, Value
from kpixl.forms.values import read_target, text_of
from kpixl.keys import Key
from kpixl.problems import Location, Problem
from kpixl.recognise.inspected import Place
from kpixl.recognise.submission import READ_AS, Doubt, ReadingNote, Reported, Submission
from kpixl.recognise.totals import adds_up, computes


class Draft:
    """A form whose values can be replaced; `result` returns it again."""

    def __init__(self, found: Submission, form: Form, file: str) -> None:
        self.found, self.form, self.file = found, form, file
        self.values: dict[str, Value] = dict(found.values)
        self.cells = dict(found.cells)
        self.tables = {key: [dict(row) for row in rows] for key, rows in found.tables.items()}
        self.reported: list[Reported] = list(found.reported)
        self.is_unverified = False  # of any value it is noted that it may be another
        self._told: set[tuple[str, CellRef, str]] = set()

    def result(self) -> Submission:
        """Return the form with what was resolved."""
        tables: dict[str, tuple[Row, ...]] = {key: tuple(rows) for key, rows in self.tables.items()}
        return replace(self.found, values=self.values, tables=tables, cells=self.cells, reported=tuple(self.reported))

    def place(self, key: Key, cell: CellRef | None = None) -> Place:
        """Return where a value is in the file."""
        return (self.found.sheet or "", cell or self.cells[key])

    # --- values by key -----------------------------------------------------------------------

    def field(self, key: Key) -> Field:
        """Return the definition of a value."""
        return self.form.tables[key.name].columns[key.column] if key.in_row else self.form.fields[key.name]

    def row(self, key: Key) -> dict[str, Value]:
        """Return the row that a value of a table is in."""
        return self.tables[key.name][key.row]

    def value(self, key: Key) -> Value:
        """Return a value."""
        return self.row(key)[key.column] if key.in_row else self.values[key.name]

    def set(self, key: Key, value: Value) -> None:
        """Replace a value."""
        if key.in_row:
            self.row(key)[key.column] = value
        else:
            self.values[key.name] = value

    def target(self, key: Key) -> Target | None:
        """Return the target whose value this is, if any."""
        if not key.in_row:
            return None
        return next((t for t in self.form.tables[key.name].targets.values() if t.value == key.column), None)

    def computed(self, name: str) -> Value:
        """Compute the value of a field anew from what it follows from."""
        return computed_value(self.form.fields[name], self.values, self.tables)

    def is_own(self, key: Key, formula: str | None) -> bool:
        """Return whether a formula is the form's own for a computed value."""
        field = self.field(key)
        computation = None if key.in_row else field.computation
        if computation is None or formula is None:
            return False
        if field.sum:
            return adds_up(formula, {self.cells.get(Key(part)) for part in field.sum})
        return computes(formula, computation, self.cells_of)

    def cells_of(self, name: str) -> CellRef | list[CellRef] | None:
        """Return the cell of a field, or those of a column in all rows."""
        if name in self.form.fields:
            return self.cells.get(Key(name))
        table, _, column = name.rpartition(".")
        keys = (Key(table, number, column) for number in range(len(self.tables[table])))
        return [self.cells[key] for key in keys if key in self.cells]

    def choices(self, key: Key, column: str) -> Choices:
        """Return the list of a column of the table that a value is in."""
        name = self.form.tables[key.name].columns[column].choices
        assert name is not None
        return self.form.choices[name]

    def retarget(self, key: Key, text: str, raw: str) -> bool:
        """Read a target's value anew from a text that means the same; an operator or unit that was typed stays."""
        target = self.target(key)
        if target is None:
            return False
        row = self.row(key)
        read = read_target(text, self.choices(key, target.operator), self.choices(key, target.unit))
        if read is None or (row[target.unit] is not None and read.unit not in (None, row[target.unit])):
            return False
        for part in (target.operator, target.unit):
            if row[part] is None:  # it comes from where the value was typed
                self.cells[key._replace(column=part)] = self.cells[key]
        row[target.value] = read.value
        row[target.unit] = row[target.unit] or read.unit
        row[target.operator] = row[target.operator] or read.operator
        self.note(key, raw, self.spelled(key))
        return True

    def spelled(self, key: Key) -> str:
        """Spell a value for a message; a target with its operator and unit."""
        target = self.target(key)
        if target is None:
            return text_of(self.value(key))
        row = self.row(key)
        return "".join(text_of(row[part]) for part in target.parts if row[part] is not None)

    # --- problems ----------------------------------------------------------------------------

    def note(self, key: Key, raw: str, reading: str, resolves: frozenset[str] = READ_AS) -> None:
        """Note that a value is not read as it was typed."""
        problem = self._made("value-normalised", key, {"raw": raw, "reading": reading})
        self.reported.append(ReadingNote(problem, resolves))

    def resolve(self, code: str, key: Key, details: Mapping[str, object], resolves: frozenset[str] = READ_AS) -> None:
        """Note how a value is read by what is known of its cell, which resolves what was noted of that before."""
        if self._is_new(code, key):
            self.reported.append(ReadingNote(self._made(code, key, details), resolves))

    def problem(self, code: str, key: Key, details: Mapping[str, object]) -> None:
        """Report a problem of a value."""
        if self._is_new(code, key):
            self.reported.append(self._made(code, key, details))

    def unverified(self, doubt: Doubt, raw: str, reading: str, other: str) -> None:
        """Note a value that may be another, which this file does not tell."""
        self.is_unverified = True
        self.resolve("value-unverified", doubt.key, {"raw": raw, "reading": reading, "other": other})

    def label(self, key: Key) -> str:
        """Return the label of a value for a message."""
        return self.field(key).label.rstrip(":：")

    def _is_new(self, code: str, key: Key) -> bool:
        """Return whether a cell is not yet reported: a level that goes on to the rows below is so once."""
        place = (code, self.cells[key], key.column or key.name)
        is_new = place not in self._told
        self._told.add(place)
        return is_new

    def _made(self, code: str, key: Key, details: Mapping[str, object]) -> Problem:
        where = Location(self.file, self.found.sheet, self.cells[key], self.label(key))
        return Problem(code, where, details, keys=(key,))
