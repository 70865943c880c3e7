"""Projects from many files -> one portfolio: who is who, what came twice, what is missing.

Identity: the marker in the sheet, then the form's key fields (name and unit), folded; never a guess.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from kpixl.files import natural_key
from kpixl.forms.definition import Form, Value
from kpixl.forms.values import fold, text_of
from kpixl.portfolio import sheet_id as sheet_ids
from kpixl.portfolio.canonical import complete
from kpixl.portfolio.model import Portfolio, Project
from kpixl.problems import Location, Problem
from kpixl.recognise.submission import Extracted

MAX_DIFFERENCES = 12
NEAR = 60  # per cent alike: from there on a name is worth suggesting; no name is ever matched by it


@dataclass(frozen=True, slots=True)
class Returned:
    """One form with the file it came in."""

    file: str
    sha256: str
    form: Extracted

    @property
    def place(self) -> Location:
        """Say where it is."""
        return Location(self.file, self.form.sheet)

    def at(self, key: str) -> Location:
        """Say where a value of it was typed."""
        return replace(self.place, cell=self.form.cells.get(key))


@dataclass(frozen=True, slots=True)
class Source:
    """Where a project came from: file, digest, sheet, and the cell of each value."""

    file: str
    sha256: str
    sheet: str | None
    cells: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.file} › {self.sheet}" if self.sheet else self.file


@dataclass(frozen=True, slots=True)
class Version:
    """One of the forms in which a project came back. `same`: it says what the form that was taken says."""

    file: str
    sheet: str | None
    same: bool


@dataclass(frozen=True, slots=True)
class Merged:
    """The portfolio, the source of each project by id, and what was noticed on the way.

    `ids`: the project of each returned form, in their order. `versions`: the forms in which each project came back;
    the first is the one that was taken.
    """

    portfolio: Portfolio
    sources: Mapping[str, Source]
    problems: tuple[Problem, ...]
    ids: tuple[str, ...]
    versions: Mapping[str, tuple[Version, ...]]


def merge(form: Form, returned: Sequence[Returned], roster: Portfolio | None) -> Merged:
    """Merge what came back. Without a roster, projects are in the order in which the template listed them."""
    year = _year(returned, roster)
    organization = _organization(form, returned, roster)
    names = _Names(form, roster)
    ids = names.assign(returned)
    problems = [*_other_years(returned, ids, year), *_foreign(form, returned, ids, roster, year, organization)]
    problems += names.problems
    chosen: dict[str, tuple[Returned, Project]] = {}
    versions: dict[str, list[Version]] = {}
    for item, project_id in zip(returned, ids, strict=True):
        project = complete(form, Project(project_id, item.form.values, item.form.tables))
        again = _twice(form, item, project, *chosen[project_id]) if project_id in chosen else None
        if again is None:
            chosen[project_id] = (item, project)
        else:
            problems.append(again)
        same = again is None or again.code == "returned-twice"
        versions.setdefault(project_id, []).append(Version(item.file, item.form.sheet, same))
    order = _order(chosen, roster)
    portfolio = Portfolio(form.id, year, organization, tuple(chosen[i][1] for i in order))
    if roster is not None:
        problems += _missing(form, roster, chosen)
    sources = {i: _source(chosen[i][0]) for i in order}
    returns = {i: tuple(versions[i]) for i in order}
    return Merged(portfolio, sources, tuple(problems), tuple(ids), returns)


def _source(item: Returned) -> Source:
    return Source(item.file, item.sha256, item.form.sheet, item.form.cells)


def _order(chosen: Mapping[str, tuple[Returned, Project]], roster: Portfolio | None) -> list[str]:
    if roster is not None:
        listed = [p.id for p in roster.projects if p.id in chosen]
        return listed + [i for i in chosen if i not in set(listed)]

    def key(project_id: str) -> tuple[bool, int]:
        mark = chosen[project_id][0].form.marker
        own = mark is not None and mark.project == project_id
        return (not own, mark.order if own and mark is not None else 0)

    return sorted(chosen, key=key)


# --- whose and of which year ------------------------------------------------------------------


def _year(returned: Sequence[Returned], roster: Portfolio | None) -> int | None:
    if roster is not None and roster.year is not None:
        return roster.year
    years = Counter(item.form.year for item in returned if item.form.year is not None)
    return max(years, key=lambda y: (years[y], y), default=None)


def _other_years(returned: Sequence[Returned], ids: Sequence[str], year: int | None) -> list[Problem]:
    return [
        Problem("marker-year", item.place, {"other": item.form.year, "year": year}, project=project_id)
        for item, project_id in zip(returned, ids, strict=True)
        if item.form.year not in (None, year)
    ]


def _organization(form: Form, returned: Sequence[Returned], roster: Portfolio | None) -> str | None:
    if roster is not None and roster.organization is not None:
        return roster.organization
    said = Counter(item.form.organization for item in returned if item.form.organization)
    if not said and all(item.form.marker is None for item in returned) and form.organization_field:
        values = (item.form.values.get(form.organization_field) for item in returned)
        said = Counter(value for value in values if isinstance(value, str))
    return max(said, key=lambda o: (said[o], o), default=None)


def _foreign(
    form: Form,
    returned: Sequence[Returned],
    ids: Sequence[str],
    roster: Portfolio | None,
    year: int | None,
    organization: str | None,
) -> list[Problem]:
    """Report markers of another version or another portfolio."""
    own = sheet_ids.portfolio_id(roster or Portfolio(form.id, year, organization, ()))
    problems = []
    for item, project_id in zip(returned, ids, strict=True):
        mark = item.form.marker
        if mark is None:
            continue
        if mark.version != form.version:
            details: dict[str, object] = {"other": mark.version, "version": form.version}
            problems.append(Problem("marker-version", item.place, details, project=project_id))
        same = mark.organization == organization and mark.year in (None, year)
        if mark.portfolio != own and mark.year in (None, year) and not same:
            details = {"other": mark.organization or mark.portfolio}
            problems.append(Problem("marker-portfolio", item.place, details, project=project_id))
    return problems


# --- who is who -------------------------------------------------------------------------------

Key = tuple[str, ...]


class _Names:
    """Gives every returned form the id of its project."""

    def __init__(self, form: Form, roster: Portfolio | None) -> None:
        self.form, self.roster = form, roster
        self.problems: list[Problem] = []
        self.known: dict[Key, str] = {}
        self.names: dict[str, str] = {}
        for project in roster.projects if roster else ():
            self.known.setdefault(self._key(project.values), project.id)
            self.names[project.id] = text_of(sheet_ids.name_of(form, project))
        self.taken: set[str] = set(self.names)
        self.width = 2

    def _key(self, values: Mapping[str, Value]) -> Key:
        """Fold the values by which people tell projects apart."""
        return tuple(fold(text_of(values[key])) for key in self.form.key_fields)

    def assign(self, returned: Sequence[Returned]) -> list[str]:
        """Return an id for each form, by marker, else by name, else a new one."""
        ids: list[str | None] = [self._marked(item) for item in returned]
        self._copies(returned, ids)
        self._renamed(returned, ids)
        self.taken |= {i for i in ids if i is not None}
        for item, project_id in zip(returned, ids, strict=True):
            if project_id is not None and self.roster is None:
                self.known.setdefault(self._key(item.form.values), project_id)
        new = sum(i is None for i in ids)
        self.width = max(2, len(str(len(self.taken) + new)))
        return [self._named(item) if i is None else i for item, i in zip(returned, ids, strict=True)]

    def _marked(self, item: Returned) -> str | None:
        mark = item.form.marker
        if mark is None or (self.roster is not None and mark.project not in self.names):
            return None
        return mark.project

    def _copies(self, returned: Sequence[Returned], ids: list[str | None]) -> None:
        """Where one marker stands in sheets of different names, only the one it was written for keeps it."""
        first = self.form.key_fields[0]
        groups: dict[str, list[int]] = defaultdict(list)
        for number, project_id in enumerate(ids):
            if project_id is not None:
                groups[project_id].append(number)
        for numbers in groups.values():
            if len(numbers) < 2:
                continue
            true = [n for n in numbers if self._is_original(returned[n], first)]
            for n in numbers:
                if true and n not in true and returned[n].form.values[first] is not None:
                    ids[n] = None

    def _renamed(self, returned: Sequence[Returned], ids: list[str | None]) -> None:
        """Where the name is not the marker's, the form was pasted over another project's sheet, or renamed."""
        sent = {r.form.marker.name: r.form.marker.project for r in returned if r.form.marker and r.form.marker.name}
        listed = {sheet_ids.digest(name): project_id for project_id, name in self.names.items()}
        names = listed if self.roster is not None else sent
        expected = {project_id: name for name, project_id in names.items()}
        for number, item in enumerate(returned):
            own, name = ids[number], item.form.values[self.form.key_fields[0]]
            found = sheet_ids.digest(name)
            if own is None or not found or item.form.marker is None or found == expected.get(own, found):
                continue
            if found == item.form.marker.name and self.roster is None:
                continue  # two projects of one name
            details: dict[str, object] = {"id": own, "name": text_of(name)}
            other = names.get(found)
            if other is None:
                place = item.at(self.form.key_fields[0])
                self.problems.append(Problem("name-changed", place, details, project=own))
            else:
                ids[number] = other
                place = item.at(self.form.key_fields[0])
                details = {**details, "other": other}
                self.problems.append(Problem("marker-other-project", place, details, project=other))

    def _is_original(self, item: Returned, first: str) -> bool:
        assert item.form.marker is not None
        return item.form.marker.name == sheet_ids.digest(item.form.values[first])

    def _named(self, item: Returned) -> str:
        key = self._key(item.form.values)
        name = text_of(item.form.values[self.form.key_fields[0]])
        if key[0] and (known := self.known.get(key)) is not None:
            if self.roster is not None or item.form.marker is None:
                self.problems.append(Problem("matched-by-name", item.place, {"id": known}, project=known))
            return known
        project_id = self._new_id()
        if key[0]:
            self.known[key] = project_id
        mark, place = item.form.marker, item.at(self.form.key_fields[0])
        if self.roster is not None:
            details: dict[str, object] = {"name": name, "id": project_id, "suggestion": self._suggestion(name)}
            self.problems.append(Problem("not-in-roster", place, details, project=project_id))
        elif mark is not None:
            details = {"id": mark.project, "name": name, "new": project_id}
            self.problems.append(Problem("marker-copied", place, details, project=project_id))
        return project_id

    def _suggestion(self, name: str) -> tuple[str, str]:
        from rapidfuzz import fuzz, process  # loaded only where something is not in the roster

        near = process.extractOne(name, self.names, scorer=fuzz.ratio, processor=fold, score_cutoff=NEAR)
        if near is None:
            return ("", "")
        nearest, _, project_id = near
        return (f"最接近的是 {project_id}“{nearest}”。", f"The nearest is {project_id} {nearest}.")

    def _new_id(self) -> str:
        highest = max((int(i) for i in self.taken if i.isascii() and i.isdecimal() and len(i) < 9), default=0)
        project_id = f"{highest + 1:0{self.width}}"
        self.taken.add(project_id)
        return project_id


# --- twice, and not at all --------------------------------------------------------------------


def _twice(form: Form, item: Returned, project: Project, used: Returned, other: Project) -> Problem:
    if replace(project, id=other.id) == other:
        details: dict[str, object] = {"id": project.id, "other": str(used.place)}
        return Problem("returned-twice", item.place, details, project=project.id)
    differences = _differences(form, item, project, used, other)
    texts = list(differences.values())
    shown = "；".join(texts[:MAX_DIFFERENCES]) + ("……" if len(texts) > MAX_DIFFERENCES else "")
    details = {"id": project.id, "used": str(used.place), "differences": shown}
    # A total differs because a part of it does.
    typed = [key for key in differences if key in item.form.cells and not (key in form.fields and form.fields[key].sum)]
    place = item.at(typed[0]) if typed else item.place
    return Problem("returned-differently", place, details, project=project.id)


def _differences(form: Form, item: Returned, a: Project, used: Returned, b: Project) -> dict[str, str]:
    """Say for each value in which two versions of a project differ how, with the cells."""

    def line(label: str, key: str, x: Value, y: Value) -> str:
        here, there = item.form.cells.get(key, ""), used.form.cells.get(key, "")
        return f"{label.rstrip(':：')} {here} “{_short(x)}” ≠ {there} “{_short(y)}”"

    found = {
        key: line(f.heading, key, a.values[key], b.values[key])
        for key, f in form.fields.items()
        if a.values[key] != b.values[key]
    }
    for table, rows in a.tables.items():
        others = b.tables[table]
        for number in range(max(len(rows), len(others))):
            mine = rows[number] if number < len(rows) else {}
            theirs = others[number] if number < len(others) else {}
            for key, column in form.tables[table].columns.items():
                if mine.get(key) != theirs.get(key):
                    label = f"{form.tables[table].label}{number + 1}.{column.label}"
                    place = f"{table}.{number}.{key}"
                    found[place] = line(label, place, mine.get(key), theirs.get(key))
    return found


def _short(value: Value) -> str:
    text = text_of(value)
    return text if len(text) <= 24 else text[:23] + "…"


def _missing(form: Form, roster: Portfolio, chosen: Mapping[str, object]) -> list[Problem]:
    return [
        Problem(
            "not-returned",
            Location(),
            {
                "id": project.id,
                "name": text_of(sheet_ids.name_of(form, project)),
                "unit": "、".join(text_of(project.values[key]) for key in form.key_fields[1:]),
            },
            project=project.id,
        )
        for project in sorted(roster.projects, key=lambda p: natural_key(p.id))
        if project.id not in chosen
    ]
