"""Merge the versions of one project by value, against the version that was sent out (design section 8).

What is merged as one has an Address: a field, a column of a row, or a target of a row, whose operator, value and unit
make sense together only; and whether a row is there at all. An address that one version changed has its value; one
that two changed differently is a conflict and keeps the value sent out.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from kpixl.forms.compute import computed_value
from kpixl.forms.definition import Field, Form, Row, Table, Value
from kpixl.forms.types import FIELD_TYPES
from kpixl.forms.values import fold, text_of, total
from kpixl.keys import Key
from kpixl.portfolio.canonical import complete
from kpixl.portfolio.merge_model import (
    DELETE,
    KEEP,
    NAMELESS,
    Address,
    Candidate,
    Choice,
    Conflict,
    MergeOutcome,
    Overruled,
    Parts,
    Variant,
)
from kpixl.portfolio.model import Project
from kpixl.portfolio.pairing import pair_rows, row_path


def merge_versions(
    form: Form,
    sent: Project | None,
    versions: Sequence[Variant],
    choices: Sequence[Choice] = (),
    fresh: Sequence[Choice] = (),
) -> MergeOutcome:
    """Merge at least one version of a project; their order decides nothing but which of equal ones is named first,
    and the order of rows that several added.

    `choices`: those of earlier runs, whose rows are named by their paths. `fresh`: those of this run, whose rows are
    named as the result of the earlier ones has them; in the outcome they are named by their paths.
    """
    draft = _Draft(form, sent, versions)
    overruled = tuple(draft.choose(choice) for choice in choices)
    named = [draft.named(choice) for choice in fresh]
    return draft.outcome(overruled, tuple(draft.choose(choice) for choice in named))


def blank(form: Form, project_id: str) -> Project:
    """Make a project without any value."""
    return Project(project_id, dict.fromkeys(form.fields), dict.fromkeys(form.tables, ()))


def columns_of(table: Table) -> dict[str, tuple[str, ...]]:
    """Group the columns of a table by what is merged as one: a target, or a column."""
    parts = {part: target for target in table.targets.values() for part in target.parts}
    groups: dict[str, tuple[str, ...]] = {}
    for key in table.columns:
        target = parts.get(key)
        groups[target.key if target else key] = target.parts if target else (key,)
    return groups


# --- one address ------------------------------------------------------------------------------


@dataclass(slots=True)
class _Unit:
    """An address on the way: its value, the version it came from, and the candidates where these differ."""

    value: Parts
    giver: int | None
    sent: Parts
    candidates: tuple[Candidate, ...] = ()
    open: bool = False  # the candidates are a conflict

    def choose(self, value: Parts) -> None:
        """Take the value of a person."""
        self.value, self.giver, self.open = value, None, False


def _candidates(values: Mapping[int, Parts], sent: Parts, keys: Mapping[int, Key]) -> tuple[Candidate, ...]:
    """Collect what the versions made of what was sent, equal values together."""
    changed: dict[Parts, list[int]] = {}
    for number, value in values.items():
        if value != sent:
            changed.setdefault(value, []).append(number)
    return tuple(Candidate(value, tuple((n, keys[n]) for n in numbers)) for value, numbers in changed.items())


def _unit(values: Mapping[int, Parts], sent: Parts, keys: Mapping[int, Key], *, needed: bool = False) -> _Unit:
    """Merge the values of one address. `needed`: a blank that was sent out is replaced by a candidate even in a
    conflict, as a name must be, and everything where nobody knows what was sent out."""
    found = _candidates(values, sent, keys)
    value = found[0].value if len(found) == 1 or (found and needed and not any(map(text_of, sent))) else sent
    giver = next((number for number, other in values.items() if other == value), None)
    return _Unit(value, giver, sent, found, len(found) > 1)


# --- a project --------------------------------------------------------------------------------


@dataclass(slots=True)
class _Line:
    """A row on the way: its path, its row in each version that has it, its units by column or target."""

    path: str
    sent: Row | None
    at: dict[int, int] = field(default_factory=dict)
    units: dict[str, _Unit] = field(default_factory=dict)
    presence: _Unit | None = None  # None: no version had to say anything of it
    now: str = ""  # the path by its present values

    @property
    def there(self) -> bool:
        """Return whether it is in the result."""
        return self.presence is None or self.presence.value == KEEP


class _Draft:
    """A project that is being merged."""

    def __init__(self, form: Form, sent: Project | None, versions: Sequence[Variant]) -> None:
        self.form, self.unknown, self.versions = form, sent is None, versions
        self.sent = sent or blank(form, versions[0].project.id)
        self.fields = {key: self._field(key, f) for key, f in form.fields.items()}
        self.lines = {key: self._lines(table) for key, table in form.tables.items()}

    # --- fields ------------------------------------------------------------------------------

    def _field(self, key: str, definition: Field) -> _Unit:
        values = {n: v.project.values[key] for n, v in enumerate(self.versions) if ("", key) not in v.unread}
        keys = dict.fromkeys(values, Key(key))
        if definition.computation is not None:
            return self._total(key, definition, values, keys)
        needed = self.unknown or key in self.form.key_fields
        kind, sent = FIELD_TYPES[definition.type], self.sent.values[key]
        values = {n: sent if kind.includes(sent, v) else v for n, v in values.items()}  # another spelling is no change
        return _unit({n: (v,) for n, v in values.items()}, (sent,), keys, needed=needed)

    def _total(self, key: str, definition: Field, values: Mapping[int, Value], keys: Mapping[int, Key]) -> _Unit:
        """Merge a computed value: one that only follows from its operands is no change of its own."""
        sent = _typed_total(key, definition, self.sent)
        own = {n: _typed_total(key, definition, self.versions[n].project) for n in values}
        changed = {n: value for n, value in own.items() if value != sent}
        typed_ones = {value for value in changed.values() if value != (None,)}
        shown = {n: (values[n],) if n in changed else sent for n in own}
        if not typed_ones:  # those that changed it added up their parts
            value = (None,) if changed else sent
            giver = next((n for n in own if own[n] == value), None)
            return _Unit(value, giver, sent)
        return _unit(shown, sent, keys, needed=self.unknown)

    # --- rows --------------------------------------------------------------------------------

    def _lines(self, table: Table) -> list[_Line]:
        paths = _Paths()
        sent = self.sent.tables[table.key]
        lines = [_Line(paths.unique(row_path(table, row)), row) for row in sent]
        added: dict[tuple[str, int], _Line] = {}
        # What follows a line that was not sent, by the identity of the line before it; 0: at the beginning.
        followers: dict[int, list[_Line]] = defaultdict(list)
        readable = self._readable(table)
        for number in readable:
            rows = self.versions[number].project.tables[table.key]
            partner = {new: old for old, new in pair_rows(table, sent, rows)}
            names = _numbered(table, rows, partner)
            before = 0
            for index, row in enumerate(rows):
                line = lines[partner[index]] if index in partner else added.get(names[index])
                if line is None:
                    line = added[names[index]] = _Line(paths.unique(row_path(table, row)), None)
                    followers[before].append(line)
                line.at[number] = index
                before = id(line)
        ordered = _ordered(lines, followers)
        if len(readable) == 1:  # one version alone has its own order
            ordered.sort(key=lambda line: line.at.get(readable[0], -1))
        for line in ordered:
            self._units(table, line, readable)
        return ordered

    def _readable(self, table: Table) -> list[int]:
        """List the versions in which a table could be read."""
        return [n for n, v in enumerate(self.versions) if (table.key, "") not in v.unread]

    def _units(self, table: Table, line: _Line, readable: Sequence[int]) -> None:
        """Merge the columns of a row, then whether it is there."""
        for name, columns in columns_of(table).items():
            line.units[name] = self._columns(table, line, name, columns)
        line.now = row_path(table, _row(table, line)) or NAMELESS
        gone = [n for n in readable if n not in line.at]
        if line.sent is not None and gone:
            line.presence = _presence(table, line, gone)

    def _columns(self, table: Table, line: _Line, name: str, columns: Sequence[str]) -> _Unit:
        """Merge the columns of a row that are merged as one, in the versions in which they could be read."""
        blank_row: Row = line.sent or dict.fromkeys(table.columns)
        values, keys = {}, {}
        for n, index in line.at.items():
            if not self.versions[n].unread.isdisjoint({(table.key, c) for c in (name, *columns)}):
                continue
            row = self.versions[n].project.tables[table.key][index]
            values[n] = tuple(row[c] for c in columns)
            # Of a target the cell of its value, where that differs: the middle one of three.
            typed = next((c for c in (*columns[1:2], *columns) if row[c] != blank_row[c]), columns[0])
            keys[n] = Key(table.key, index, typed)
        return _unit(values, tuple(blank_row[c] for c in columns), keys, needed=self.unknown)

    # --- what a person chose -----------------------------------------------------------------

    def named(self, choice: Choice) -> Choice:
        """Name the row of a choice by its path, where the choice names it as it is now."""
        address = choice.address
        lines = [line for line in self.lines.get(address.key, ()) if line.there and fold(line.now) == fold(address.row)]
        return replace(choice, address=replace(address, row=lines[0].path)) if lines else choice

    def choose(self, choice: Choice) -> Overruled:
        """Take a choice over; a row is named by its path, or as it is now."""
        address = choice.address
        if address.key in self.fields and not address.row:
            return _taken(choice, self.fields[address.key])
        table = self.form.tables.get(address.key)
        if table is None:
            return Overruled(choice, None)
        line = self._line(table, address.row)
        if not address.column:
            return self._choose_row(choice, table, line)
        if line is None or address.column not in line.units:
            return Overruled(choice, None)
        found = _taken(choice, line.units[address.column])
        line.now = row_path(table, _row(table, line)) or NAMELESS
        return found

    def _line(self, table: Table, path: str) -> _Line | None:
        lines, wanted = self.lines[table.key], fold(path)
        found = [line for line in lines if fold(line.path) == wanted]
        found = found or [line for line in lines if line.there and fold(line.now) == wanted]
        return found[0] if found else None

    def _choose_row(self, choice: Choice, table: Table, line: _Line | None) -> Overruled:
        if choice.value in (KEEP, DELETE):
            if line is None:
                return Overruled(choice, None)
            line.presence = line.presence or _Unit(KEEP, None, KEEP)
            lost = _changed(table, line) if choice.value == DELETE else ()
            return replace(_taken(choice, line.presence), lost=lost)
        values = dict(zip(table.columns, choice.value, strict=True))
        replaced, lost = DELETE, _changed(table, line) if line is not None else ()
        if line is None:
            line = _Line(choice.address.row, None)
            self.lines[table.key].append(line)
        elif line.there:
            replaced = tuple(_row(table, line).values())
        line.presence, line.now = _Unit(KEEP, None, DELETE), row_path(table, values)
        for name, columns in columns_of(table).items():
            line.units[name] = _Unit(tuple(values[c] for c in columns), None, (None,) * len(columns))
        return Overruled(choice, replaced, lost=lost)

    # --- the result --------------------------------------------------------------------------

    def outcome(self, overruled: tuple[Overruled, ...], fresh: tuple[Overruled, ...]) -> MergeOutcome:
        """Put the project together."""
        givers = {Key(key): (u.giver, Key(key)) for key, u in self.fields.items() if u.giver is not None}
        tables: dict[str, tuple[Row, ...]] = {}
        paths: dict[str, tuple[str, ...]] = {}
        for key, table in self.form.tables.items():
            kept = self._kept(table)
            tables[key] = tuple(row for _, row in kept)
            paths[key] = tuple(line.path for line, _ in kept)
            for number, (line, _) in enumerate(kept):
                givers |= dict(_row_givers(table, number, line))
        values = {key: unit.value[0] for key, unit in self.fields.items()}
        project = complete(self.form, Project(self.versions[0].project.id, values, tables))
        conflicts = tuple(Conflict(a, u.sent, u.value, u.candidates) for a, u in self._addressed() if u.open)
        return MergeOutcome(project, conflicts, givers, paths, overruled, fresh, self._edits())

    def _kept(self, table: Table) -> list[tuple[_Line, Row]]:
        """List the rows of a table that are in the result and not blank."""
        lines = [(line, _row(table, line)) for line in self.lines[table.key] if line.there]
        return [(line, row) for line, row in lines if _filled(row)]

    def _addressed(self) -> Iterator[tuple[Address, _Unit]]:
        for key, unit in self.fields.items():
            yield Address(key), unit
        for key, lines in self.lines.items():
            for line in lines:
                if line.presence is not None:
                    yield Address(key, line.path), line.presence
                if line.there:
                    yield from ((Address(key, line.path, name), unit) for name, unit in line.units.items())

    def _edits(self) -> tuple[Mapping[Address, Parts], ...]:
        edits: list[dict[Address, Parts]] = [{} for _ in self.versions]
        for address, unit in self._addressed():
            for candidate in unit.candidates:
                for number, _ in candidate.places:
                    edits[number][address] = candidate.value
        return tuple(edits)


def _typed_total(key: str, definition: Field, project: Project) -> Parts:
    """Return a computed value that was typed; a blank where it is what follows from its operands."""
    value = project.values[key]
    if definition.sum:
        expected = total([project.values[part] for part in definition.sum])
        return (None if value == expected else value,)
    return (None if value == computed_value(definition, project.values, project.tables) else value,)


def _taken(choice: Choice, unit: _Unit) -> Overruled:
    found = Overruled(choice, unit.value, unit.sent, unit.candidates)
    unit.choose(choice.value)
    return found


def _presence(table: Table, line: _Line, gone: Sequence[int]) -> _Unit:
    """Merge whether a row is there that some versions deleted; it is a conflict where others changed the row."""
    changed = sorted({n for unit in line.units.values() for c in unit.candidates for n, _ in c.places})
    column = next(iter(table.columns))
    found = [Candidate(DELETE, tuple((n, None) for n in gone))]
    if changed:
        found.append(Candidate(KEEP, tuple((n, Key(table.key, line.at[n], column)) for n in changed)))
    return _Unit(KEEP if changed else DELETE, gone[0], KEEP, tuple(found), bool(changed))


def _changed(table: Table, line: _Line) -> tuple[tuple[Address, Candidate], ...]:
    """List what versions changed in a row."""
    return tuple((Address(table.key, line.path, name), c) for name, unit in line.units.items() for c in unit.candidates)


def _row(table: Table, line: _Line) -> dict[str, Value]:
    values: dict[str, Value] = {}
    for name, columns in columns_of(table).items():
        values |= dict(zip(columns, line.units[name].value, strict=True))
    return {key: values[key] for key in table.columns}


def _filled(row: Mapping[str, Value]) -> bool:
    return any(value is not None for value in row.values())


def _row_givers(table: Table, number: int, line: _Line) -> Iterator[tuple[Key, tuple[int, Key]]]:
    """Yield for each value of a row of the result the version and the key of its cell there."""
    for name, columns in columns_of(table).items():
        giver = line.units[name].giver
        if giver is not None:
            for column in columns:
                yield Key(table.key, number, column), (giver, Key(table.key, line.at[giver], column))


def _numbered(table: Table, rows: Sequence[Row], paired: Container[int]) -> dict[int, tuple[str, int]]:
    """Name each row that is not paired by its folded path and by which of the equal ones it is, counted from 1."""
    seen: Counter[str] = Counter()
    names = {}
    for index, row in enumerate(rows):
        if index not in paired:
            path = fold(row_path(table, row))
            seen[path] += 1
            names[index] = (path, seen[path])
    return names


def _ordered(sent: Sequence[_Line], followers: Mapping[int, list[_Line]]) -> list[_Line]:
    """Put every line behind the one that it follows."""
    waiting = [*reversed(sent), *reversed(followers.get(0, []))]
    ordered = []
    while waiting:
        ordered.append(line := waiting.pop())
        waiting += reversed(followers.get(id(line), []))
    return ordered


class _Paths:
    """Gives every row a path of its own: the second of two equal ones ends in #2."""

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}

    def unique(self, path: str) -> str:
        """Return the path, numbered where it was given before."""
        name, folded = path or NAMELESS, fold(path)
        count = self._counts[folded] = self._counts.get(folded, 0) + 1
        return name if count == 1 else f"{name} #{count}"


# --- two versions -----------------------------------------------------------------------------


class Change(NamedTuple):
    """What a version has otherwise than an older one: the address and new value, what it was, and the key of its cell
    in the newer version, None where the row is gone."""

    choice: Choice
    was: Parts
    key: Key | None


def changes(form: Form, old: Project, new: Project) -> Iterator[Change]:
    """Yield what was changed from one version to another; rows are named as in the older one.

    A total that was not touched is no change, whatever became of its parts.
    """
    draft = _Draft(form, old, [Variant(replace(new, id=old.id))])
    for key, unit in draft.fields.items():
        if unit.candidates and old.values[key] != new.values[key]:
            yield Change(Choice(Address(key), (new.values[key],)), (old.values[key],), Key(key))
    for key, table in form.tables.items():
        for line in draft.lines[key]:
            yield from _row_changes(table, line)


def _row_changes(table: Table, line: _Line) -> Iterator[Change]:
    """Yield what was changed in a row: that it was added, that it was deleted, or each of its values that differs."""
    key = table.key
    if line.sent is None:
        values = _row(table, line)
        filled = next(column for column, value in values.items() if value is not None)
        choice = Choice(Address(key, line.path), tuple(values.values()))
        yield Change(choice, DELETE, Key(key, line.at[0], filled))
    elif not line.there:
        yield Change(Choice(Address(key, line.path), DELETE), KEEP, None)
    else:
        for name, unit in line.units.items():
            for found in unit.candidates:
                yield Change(Choice(Address(key, line.path, name), found.value), unit.sent, found.places[0][1])
