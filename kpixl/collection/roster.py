"""An office's own list of projects (Excel or CSV, one row per project) -> the roster.

Ids stay what they were when the list grows: a project is known by its id column, or else by its name (the
form's first key field) and the others of these that the list has.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from itertools import count
from pathlib import Path

from kpixl.checks.rules.compliance.value_unread import RULE as VALUE_UNREAD
from kpixl.collection.list_headings import ID
from kpixl.collection.project_list import Listing, ListLine, find_listings, read_lines, skipped_lists
from kpixl.disk import Output, Written, check_target, commit
from kpixl.forms.definition import Field, Form, MoneyUnit, Value
from kpixl.forms.money import read_money
from kpixl.forms.types import FIELD_TYPES
from kpixl.forms.values import MAX_CELL_TEXT, Raw, digits_lost, refused_character, text_of, utf16_length
from kpixl.inputs import check_regular, read_input
from kpixl.portfolio import canonical
from kpixl.portfolio.model import Portfolio, Project
from kpixl.portfolio.print_layout import PrintedCell, printed_text
from kpixl.problems import KpixlError, Location, Problem, failure
from kpixl.readers import DEFAULT_LIMITS, FileReading, Grid, Limits, UnreadableError, file_too_large, open_content
from kpixl.recognise.shown_grids import read_shown

MIN_DIGITS = 2

Key = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RosterEntry:
    """One project of the list: a text for each column of ids, the values that have a column, its place."""

    ids: tuple[str, ...]
    values: Mapping[str, Value]
    place: Location


# --- reading and writing ----------------------------------------------------------------------


def write_roster(
    form: Form,
    source: Path,
    out: Path,
    *,
    year: int | None = None,
    organization: str | None = None,
    limits: Limits = DEFAULT_LIMITS,
    lang: str = "zh",
    today: date | None = None,
) -> tuple[list[Written], int, tuple[Problem, ...]]:
    """Make the roster `out` from the list `source`, keeping the ids of an `out` that is already there.

    Returns what was written, how many projects it holds, and the problems. An `out` that is no roster of an earlier
    run, or that somebody has edited, is copied first. Raises KpixlError.
    """
    check_target(out)
    old = canonical.load(out, partial(_same_form, form))[1] if out.exists() else None
    roster, problems = roster_from(form, source, old=old, year=year, organization=organization, limits=limits)
    output = Output(out, canonical.dumps(form, roster).encode(), "roster")
    written, refused = commit([output], lang=lang, today=today or date.today())
    if roster.year is None:
        problems = (*problems, Problem("roster-no-year", Location(out.name)))
    return written, len(roster.projects), (*problems, *refused)


def roster_from(
    form: Form,
    source: Path,
    *,
    old: Portfolio | None = None,
    year: int | None = None,
    organization: str | None = None,
    limits: Limits = DEFAULT_LIMITS,
) -> tuple[Portfolio, tuple[Problem, ...]]:
    """Read the list `source` as a roster; `old` and what is raised: as for make_roster."""
    reading = open_list(source, limits)
    roster, problems = make_roster(form, reading.grids, file=source.name, old=old, year=year, organization=organization)
    return roster, (*reading.problems, *problems)


def plan_roster(
    form: Form,
    source: Path,
    out: Path | None = None,
    *,
    year: int | None = None,
    organization: str | None = None,
    limits: Limits = DEFAULT_LIMITS,
) -> ReadList:
    """Read a list as `write_roster` does and write nothing; a list that would be refused is returned as well."""
    reading = open_list(source, limits)
    old = canonical.load(out, partial(_same_form, form))[1] if out is not None and out.exists() else None
    read = read_list(form, reading.grids, file=source.name, old=old, year=year, organization=organization)
    return replace(read, problems=(*reading.problems, *read.problems))


def open_list(source: Path, limits: Limits = DEFAULT_LIMITS) -> FileReading:
    """Read the grids of a list's file. Raises KpixlError."""
    check_regular(source)
    if source.is_dir():
        raise failure("folder-not-file", path=str(source))
    if (size := source.stat().st_size) > limits.file_bytes:
        raise KpixlError(file_too_large(size, limits).problem(source.name))
    try:
        reading = read_shown(open_content(read_input(source), limits), source.name)
    except UnreadableError as error:
        raise KpixlError(error.problem(source.name)) from error
    if not reading.grids and reading.problems:
        raise KpixlError(*reading.problems)
    return reading


def _same_form(form: Form, name: str) -> Form:
    if name != form.id:
        raise failure("form-unknown", form=name, known=form.id)
    return form


def make_roster(
    form: Form,
    grids: Iterable[Grid],
    *,
    file: str,
    old: Portfolio | None = None,
    year: int | None = None,
    organization: str | None = None,
) -> tuple[Portfolio, tuple[Problem, ...]]:
    """Make the roster from a list; `old` is the roster that was made before.

    What the list has no column for is kept from `old`. Raises KpixlError: `list-no-header` where no grid is a
    list, `list-no-amounts` where none of its amounts was understood, `text-refused` or `text-too-long` for a text that
    no roster can hold.
    """
    read = read_list(form, grids, file=file, old=old, year=year, organization=organization)
    if read.roster is None:
        raise KpixlError(*read.problems)
    return read.roster, read.problems


@dataclass(frozen=True, slots=True)
class ReadList:
    """What a list was read as: its headings, its rows, the roster made of them; None where the list is refused."""

    listings: tuple[Listing, ...]
    lines: tuple[tuple[ListLine, ...], ...]
    roster: Portfolio | None
    problems: tuple[Problem, ...]


def read_list(
    form: Form,
    grids: Iterable[Grid],
    *,
    file: str,
    old: Portfolio | None = None,
    year: int | None = None,
    organization: str | None = None,
) -> ReadList:
    """Read a list as `make_roster` does, and keep how. Raises KpixlError for a text that no roster can hold."""
    found = find_listings(form, list(grids), file, year)
    read = [read_lines(form, listing) for listing in found.listings]
    lines = tuple(tuple(lines) for lines, _ in read)
    if found.refused:
        return ReadList(found.listings, lines, None, found.refused)
    entries: list[RosterEntry] = []
    problems: list[Problem] = []
    for listing, (rows, skipped) in zip(found.listings, read, strict=True):
        problems += (*listing.problems, *skipped)
        for line in rows:
            entry, noted = _entry(form, listing, line)
            entries.append(entry)
            problems += noted
    problems[:0] = skipped_lists(form, found, [entry.values[form.key_fields[0]] for entry in entries])
    ids, doubts = _Ids(form, entries, old, found.listings[0].keys).assign()
    before = {project.id: project for project in old.projects} if old else {}
    projects = tuple(_project(form, e, i, before.get(i)) for e, i in zip(entries, ids, strict=True))
    problems += doubts + _gone(form, before, set(ids), file)
    known_year = year or (old.year if old else None) or _year(form, found.listings, projects)
    known_name = organization or (old.organization if old else None) or _organization(form, projects)
    return ReadList(found.listings, lines, Portfolio(form.id, known_year, known_name, projects), tuple(problems))


def _year(form: Form, listings: Sequence[Listing], projects: Sequence[Project]) -> int | None:
    """Return the year that the titles or headings of the lists name, or else that of all dates, where it is one."""
    named = {listing.year for listing in listings} - {None}
    dates = {key for key, field in form.fields.items() if FIELD_TYPES[field.type].python is date}
    dated = {value.year for p in projects for key in dates if isinstance(value := p.values[key], date)}
    years = named or dated
    return next(iter(years)) if len(years) == 1 else None


def _organization(form: Form, projects: Sequence[Project]) -> str | None:
    """Take the organisation from its field where all projects name the same."""
    key = form.organization_field
    named = {project.values[key] for project in projects} if key else set()
    only = named.pop() if len(named) == 1 else None
    return only if isinstance(only, str) else None


# --- values -----------------------------------------------------------------------------------


def _entry(form: Form, found: Listing, line: ListLine) -> tuple[RosterEntry, list[Problem]]:
    """Read one row; report what was read otherwise than typed, and what could not be read."""
    ids: list[str] = []
    values: dict[str, Value] = {}
    problems: list[Problem] = []
    for column, raw in zip(found.columns, line.cells, strict=True):
        field = column.field
        place = found.place(line.row, column.col, field.heading)
        _check_text(text_of(raw), place, found.grid.top + line.row + 1)
        if field.key == ID or FIELD_TYPES[field.type].free_text:
            problems += [Problem("digits-lost", place, {"raw": text_of(raw)})] if digits_lost(raw) else []
        if field.key == ID:
            ids.append(text_of(raw).strip())
            continue
        value, noted = _read(form, field, raw, column.money)
        values[field.key] = value
        if noted:
            reading = printed_text(PrintedCell("value", value, 0, 0, type=field.type))
            problems.append(Problem("value-normalised", place, {"raw": text_of(raw), "reading": reading}))
        elif (kind := FIELD_TYPES[field.type]).is_unread(value):
            details = {
                "raw": text_of(value),
                "type": kind.noun,
                "expected": kind.expected_instead(text_of(value), form.money),
            }
            problems.append(Problem(VALUE_UNREAD.code, place, details, rule=VALUE_UNREAD.entry))
    name = next(c.col for c in found.columns if c.field.key == form.key_fields[0])
    return RosterEntry(tuple(ids), values, found.place(line.row, name)), problems


def _read(form: Form, field: Field, raw: Raw, money: MoneyUnit | None) -> tuple[Value, bool]:
    """Read a cell; a bare number in a list that counts in `money` is read with that unit."""
    if money is not None:
        return read_money(raw, form.money, money)
    return canonical.read_value(form, field, raw)


def _check_text(text: str, place: Location, line: int) -> None:
    if (character := refused_character(text)) is not None:
        details: dict[str, object] = {"line": line, "key": place.field, "found": character}
        raise KpixlError(Problem("text-refused", place, details))
    if (length := utf16_length(text)) > MAX_CELL_TEXT:
        details = {"line": line, "key": place.field, "length": length, "limit": MAX_CELL_TEXT}
        raise KpixlError(Problem("text-too-long", place, details))


def _project(form: Form, entry: RosterEntry, project_id: str, before: Project | None) -> Project:
    """Replace what the roster held before by what the list holds.

    A computed value that the list has no column for is computed again where the list has one of its operands.
    """
    values: dict[str, Value] = dict.fromkeys(form.fields)
    if before is not None:
        values |= before.values
        values |= {k: None for k, f in form.fields.items() if _follows(f, entry.values)}
    values |= entry.values
    tables = before.tables if before is not None else dict.fromkeys(form.tables, ())
    return canonical.complete(form, Project(project_id, values, tables))


def _follows(field: Field, given: Container[str]) -> bool:
    """Return whether a computed value follows from one of those that are given."""
    return field.computation is not None and any(part in given for part in field.computation.keys)


def _gone(form: Form, before: Mapping[str, Project], ids: set[str], file: str) -> list[Problem]:
    name = form.key_fields[0]
    return [
        Problem("list-row-gone", Location(file), {"id": i, "name": text_of(project.values[name])})
        for i, project in before.items()
        if i not in ids
    ]


# --- ids --------------------------------------------------------------------------------------


class _Ids:
    """Gives every entry its id."""

    def __init__(
        self, form: Form, entries: Sequence[RosterEntry], old: Portfolio | None, listed: Container[str]
    ) -> None:
        self.form, self.entries = form, entries
        # A list without a column for a key field cannot tell projects apart by it.
        self.name, *others = form.key_fields
        self.keys = (self.name, *(key for key in others if key in listed))
        self.known: dict[Key, list[str]] = defaultdict(list)
        for project in old.projects if old else ():
            self.known[self._key(project.values)].append(project.id)
        self.taken = {project.id for project in old.projects} if old else set()

    def _key(self, values: Mapping[str, Value]) -> Key:
        return tuple(FIELD_TYPES[self.form.fields[key].type].compared(values[key]) for key in self.keys)

    def assign(self) -> tuple[list[str], list[Problem]]:
        """Return the ids in the order of the entries.

        A column of running numbers (1, 2, 3) counts the rows of a list and identifies no project
        when a row is put in: there the name comes first.
        """
        given, running, problems = self._given()
        if given is None:
            problems += self._twice()
        ids = [""] * len(self.entries)
        if given is not None and not running:
            ids = list(given)
        used = set(filter(None, ids))
        for number, entry in enumerate(self.entries):
            same = [i for i in self.known[self._key(entry.values)] if i not in used]
            if not ids[number] and same:
                ids[number] = same[0]
                used.add(same[0])
        self.taken |= used
        new = self._new_ids()
        for number in range(len(ids)):
            if not ids[number]:
                wanted = given[number] if given is not None else ""
                ids[number] = wanted if wanted and wanted not in self.taken else next(new)
                self.taken.add(ids[number])
        return ids, problems

    def _given(self) -> tuple[tuple[str, ...] | None, bool, list[Problem]]:
        """Choose the column of ids: the first without repetition that is more than running numbers."""
        columns = list(zip(*(entry.ids for entry in self.entries), strict=True))
        usable = [c for c in columns if any(c) and max(Counter(filter(None, c)).values()) == 1]
        numbers = tuple(str(n) for n in range(1, len(self.entries) + 1))
        real = [column for column in usable if column != numbers]
        if real or usable:
            return (real or usable)[0], not real, []
        if not any(any(column) for column in columns):
            return None, False, []
        repeated = [i for i, times in Counter(filter(None, columns[0])).items() if times > 1]
        label = self.form.id_field.heading
        details = {"label": label, "found": "、".join(repeated[:12])}
        place = self.entries[0].place
        return None, False, [Problem("list-ids-repeated", Location(place.file, place.sheet, None, label), details)]

    def _twice(self) -> list[Problem]:
        """Report each entry that has the name and unit of an earlier one."""
        seen: set[Key] = set()
        problems = []
        for entry in self.entries:
            key = self._key(entry.values)
            if key in seen:
                others = "、".join(text_of(entry.values[key]) for key in self.keys[1:])
                details = {"name": text_of(entry.values[self.name]), "unit": others}
                problems.append(Problem("list-name-twice", entry.place, details))
            seen.add(key)
        return problems

    def _new_ids(self) -> Iterator[str]:
        """Yield the numbers after the highest, written like those that are there."""
        numbers = [i for i in self.taken if i.isascii() and i.isdecimal() and len(i) < 9]
        padded = [len(i) for i in numbers if i.startswith("0")]
        width = max(MIN_DIGITS, len(str(len(self.entries))), *padded) if padded or not numbers else 1
        for number in count(max(map(int, numbers), default=0) + 1):
            if (project_id := f"{number:0{width}}") not in self.taken:
                yield project_id
