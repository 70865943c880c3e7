"""What became of each value of a returned form: in the result, equal to it, in conflict, superseded, or as sent.

By value and cell, not by file: in a form that differs from the result most cells are in it all the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from kpixl.a1 import ValuePlace
from kpixl.collection.model import Collection
from kpixl.collection.run_record import bases
from kpixl.collection.versions import Source
from kpixl.forms.definition import Form, Value
from kpixl.keys import Key
from kpixl.portfolio.model import Project, filled_keys, of_values
from kpixl.portfolio.pairing import pair_rows
from kpixl.portfolio.three_way import columns_of
from kpixl.recognise.submission import Submission

CellPlace = tuple[str | None, str | None, ValuePlace | None]  # file, sheet, cell


class Fate(StrEnum):
    """What became of a filled cell."""

    RESULT = "result"
    SAME = "same"
    CONFLICT = "conflict"
    QUOTED = "quoted"
    NOT_TAKEN = "not-taken"
    TEMPLATE = "template"
    LOST = "lost"


def cell_fates(result: Collection) -> dict[CellPlace, Fate]:
    """Return the fate of every cell that holds a value of a project; one that is not here is nowhere."""
    projects = {project.id: project for project in result.portfolio.projects}
    before = bases(result.roster, result.sent) if result.roster is not None else {}
    owners = {(v.file, v.sheet): (i, v) for i, several in result.versions.items() for v in several}
    noted = _noted(result)
    fates: dict[CellPlace, Fate] = {}
    for file in result.files:
        for read in file.forms:
            project, version = owners.get((file.file, read.sheet), (None, None))
            if project is not None and version is not None and read.form == result.form.id:
                place = _Place(file.file, read.sheet, result.sources[project], version.superseded)
                fates |= _form_fates(result.form, read, place, (projects[project], before.get(project)), noted)
    return fates


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a form was read, where most of its project's values are from, and whether the form was superseded."""

    file: str
    sheet: str | None
    source: Source
    superseded: bool

    @property
    def equal(self) -> Fate:
        """Return the fate of a value that is also in the result."""
        own = self.source.file == self.file and self.source.sheet == self.sheet
        return Fate.RESULT if own else Fate.SAME


def _form_fates(
    form: Form,
    read: Submission,
    place: _Place,
    sides: tuple[Project, Project | None],
    noted: Mapping[CellPlace, Fate],
) -> dict[CellPlace, Fate]:
    """Return the fate of every cell of one form. `sides`: the project in the result, and as it was sent."""
    # In a portfolio of a lower level the place of a value is its key.
    lower = {key: key for key in filled_keys(read.values, read.tables)} if not read.cells else {}
    cells: Mapping[Key, ValuePlace] = read.cells or lower
    found = _compared(form, read, cells, sides, place.equal)
    if place.superseded:
        found = {key: fate or Fate.NOT_TAKEN for key, fate in found.items()}
    notes = {key: noted.get((place.file, place.sheet, cell)) for key, cell in cells.items()}
    return {(place.file, place.sheet, cells[key]): fate for key, fate in _with_notes(form, found, notes).items()}


def _noted(result: Collection) -> dict[CellPlace, Fate]:
    """Return what merging has reported of single cells."""
    found: dict[CellPlace, Fate] = {}
    for lost in result.superseded:
        found[lost.location.file, lost.location.sheet, lost.location.cell] = Fate.NOT_TAKEN
    for conflict in result.conflicts:
        for place in (place.location for offer in conflict.offers for place in offer.places):
            found[place.file, place.sheet, place.cell] = Fate.CONFLICT
    return found


def _with_notes(form: Form, found: Mapping[Key, Fate | None], notes: Mapping[Key, Fate | None]) -> dict[Key, Fate]:
    """Put what was reported of a cell over what was found; a target is reported at one of its three cells."""
    targets: dict[Key, Fate] = {_target(form, key): fate for key, fate in notes.items() if fate is not None}
    fates: dict[Key, Fate] = {}
    for key, fate in found.items():
        known = notes.get(key) or fate or targets.get(_target(form, key))
        if known is not None:
            fates[key] = known
    return fates


def _target(form: Form, key: Key) -> Key:
    """Return the key of what is merged as one with a value."""
    if not key.in_row:
        return key
    groups = columns_of(form.tables[key.name])
    return Key(key.name, key.row, next((name for name, columns in groups.items() if key.column in columns), key.column))


def _compared(
    form: Form, read: Submission, keys: Iterable[Key], sides: tuple[Project, Project | None], equal: Fate
) -> dict[Key, Fate | None]:
    """Compare the values of a form with the result, then with what was sent; None for what is in neither."""
    merged, base = sides
    theirs, sent = dict(_values(form, read, merged)), dict(_values(form, read, base)) if base is not None else {}
    fates: dict[Key, Fate | None] = {}
    for key in of_values(dict.fromkeys(keys)):
        if key.name in form.tables and not key.in_row:
            continue
        value = _value(read, key)
        if value is None or theirs.get(key) == value:
            fates[key] = equal
        elif sent.get(key) == value:
            fates[key] = Fate.TEMPLATE
        elif key.name in form.fields and form.fields[key.name].sum:
            fates[key] = Fate.NOT_TAKEN  # a total follows its parts
        else:
            fates[key] = None
    return fates


def _value(read: Submission, key: Key) -> Value:
    if not key.in_row:
        return read.values.get(key.name)
    rows = read.tables.get(key.name, ())
    return rows[key.row].get(key.column) if key.row < len(rows) else None


def _values(form: Form, read: Submission, other: Project) -> Iterator[tuple[Key, Value]]:
    """Yield the values of a project by the keys that a form has for them: rows are paired."""
    yield from ((Key(key), value) for key, value in other.values.items())
    for name, table in form.tables.items():
        rows = other.tables[name]
        for mine, its in pair_rows(table, read.tables.get(name, ()), rows):
            yield from ((Key(name, mine, column), value) for column, value in rows[its].items())
