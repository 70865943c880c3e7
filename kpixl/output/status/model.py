"""Roster x returns -> status: what became of each project, by unit. Pure; nothing here reads or writes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from functools import cached_property
from typing import Any

from kpixl.collection.deliveries import delivery_data
from kpixl.collection.intake import FileResult
from kpixl.collection.model import Collection
from kpixl.collection.run_record import bases, is_blank
from kpixl.files import natural_key
from kpixl.forms.definition import Field, Form
from kpixl.forms.values import fold, text_of
from kpixl.output.status.words import State
from kpixl.portfolio.model import Portfolio, Project
from kpixl.problems import Problem, Severity
from kpixl.readers import Delivery

LEAST_NAME = 2  # characters of a name that a file's name may be searched for


@dataclass(frozen=True, slots=True)
class Return:
    """One form in which a project came back: its file, when that came, and whether it is after the due time.

    `time`: when the mail was received that brought the file, else the file's own time. `same`: it has the values of the
    form that was taken, which is the first one. `superseded`: a later one was made from it. `unfilled`: it is as it was
    sent out.
    """

    file: str
    sheet: str | None
    time: datetime | None
    late: bool
    same: bool
    delivery: Delivery | None = None
    superseded: bool = False
    unfilled: bool = False


@dataclass(frozen=True, slots=True)
class ProjectStatus:
    """What became of one project.

    `listed`: it is in the roster. `reason`: why there is nothing to report of it. `round`: 2 where it came back a
    second time, corrected; 0 where it did not come back, or only blank.
    """

    id: str
    name: str
    state: State
    listed: bool
    returns: tuple[Return, ...]
    errors: int
    warnings: int
    reason: str | None
    round: int = 0

    @property
    def late(self) -> bool:
        """Return whether everything that was filled in is late: what is corrected later was in time."""
        filled = [r for r in self.returns if not r.unfilled] or self.returns
        return bool(filled) and all(r.late for r in filled)

    @property
    def twice(self) -> str | None:
        """Return how it came back more than once, corrected and blank ones left out: "same" or "different", or None."""
        counting = self.counting
        if len(counting) < 2:
            return None
        return "same" if all(r.same for r in counting) else "different"

    @property
    def counting(self) -> tuple[Return, ...]:
        """Return the forms that count: neither superseded nor blank, unless it is the one that was taken."""
        return (*self.returns[:1], *(r for r in self.returns[1:] if not (r.superseded or r.unfilled)))


@dataclass(frozen=True, slots=True)
class Counts:
    """Numbers of projects. The five states add up to `projects`; `twice` and `late` cut across them."""

    projects: int
    returned: int
    errors: int
    blank: int
    nothing: int
    missing: int
    twice: int
    late: int

    @property
    def back(self) -> int:
        """Count those that came back filled in, with errors or without."""
        return self.returned + self.errors


@dataclass(frozen=True, slots=True)
class UnitStatus:
    """The projects of one unit, in the roster's order, then those that are not in it. `name` may be blank."""

    name: str
    projects: tuple[ProjectStatus, ...]

    @property
    def counts(self) -> Counts:
        """Count the unit's projects."""
        return count(self.projects)


@dataclass(frozen=True, slots=True)
class Unread:
    """A file, or a sheet of one, that could not be read, and why.

    `unit`, `project`: whose it probably is, by its name or folder alone; never counted.
    """

    file: str
    time: datetime | None
    late: bool
    problem: Problem
    unit: str | None
    project: str | None
    delivery: Delivery | None = None


@dataclass(frozen=True)
class Status:
    """What became of every project of the roster, and of every file. `by`: the field whose values are the units.

    `problems`: what else must be looked at, such as a declaration that matches nothing.
    """

    form: Form
    roster: Portfolio
    by: Field | None
    due: datetime | None
    units: tuple[UnitStatus, ...]
    unread: tuple[Unread, ...]
    problems: tuple[Problem, ...]

    @cached_property
    def projects(self) -> tuple[tuple[UnitStatus, ProjectStatus], ...]:
        """Return every project with its unit."""
        return tuple((unit, project) for unit in self.units for project in unit.projects)

    @cached_property
    def counts(self) -> Counts:
        """Count all projects."""
        return count(project for _, project in self.projects)

    @property
    def complete(self) -> bool:
        """Return whether everything is in, was read, and has no errors."""
        wrong = any(p.severity is Severity.ERROR for p in self.problems)
        return not (self.counts.missing or self.counts.errors or self.counts.blank or self.unread or wrong)


def count(projects: Iterable[ProjectStatus]) -> Counts:
    """Count projects by state."""
    projects = list(projects)
    states = [p.state for p in projects]
    return Counts(
        projects=len(projects),
        returned=states.count(State.RETURNED),
        errors=states.count(State.ERRORS),
        blank=states.count(State.BLANK),
        nothing=states.count(State.NOTHING),
        missing=states.count(State.MISSING),
        twice=sum(p.twice is not None for p in projects),
        late=sum(p.late for p in projects),
    )


def day_end(due: datetime | None) -> datetime | None:
    """Return the last moment that is not late: a date without a time means the whole day."""
    if due is None or due.time() != time():
        return due
    return due + timedelta(days=1, seconds=-1)


def status_of(reviewed: Collection, roster: Portfolio, *, by: Field | None, due: datetime | None = None) -> Status:
    """Turn what checking the returned files gave into the status of the roster's projects.

    `by`: the field by which to group, None for one group. `due`: local time; a date alone means its whole day.
    """
    return _Stock(reviewed, roster, by, day_end(due)).status()


class _Stock:
    """Takes stock once."""

    def __init__(self, reviewed: Collection, roster: Portfolio, by: Field | None, due: datetime | None) -> None:
        self.reviewed, self.roster, self.by, self.due = reviewed, roster, by, due
        self.bases = bases(roster, reviewed.sent)
        self.merged = {project.id: project for project in reviewed.portfolio.projects}
        self.files = {file.file: file for file in reviewed.files}
        self.counts: dict[tuple[str, Severity], int] = {}
        for problem in reviewed.problems:
            if problem.project is not None:
                key = (problem.project, problem.severity)
                self.counts[key] = self.counts.get(key, 0) + 1

    def status(self) -> Status:
        listed = {project.id for project in self.roster.projects}
        extra = [project for project in self.reviewed.portfolio.projects if project.id not in listed]
        units: dict[str, list[ProjectStatus]] = {}
        for project in (*self.roster.projects, *extra):
            units.setdefault(fold(self.unit(project)), []).append(self.project(project, project.id in listed))
        names: dict[str, str] = {}
        for project in (*self.roster.projects, *extra):
            names.setdefault(fold(self.unit(project)), self.unit(project))
        unread = self.unread(list(names.values()))
        said = {(item.problem.code, item.problem.location) for item in unread}
        return Status(
            self.reviewed.form,
            self.roster,
            self.by,
            self.due,
            tuple(UnitStatus(names[key], tuple(projects)) for key, projects in units.items()),
            unread,
            tuple(
                p
                for p in self.reviewed.problems
                if p.project is None and p.severity is not Severity.INFO and (p.code, p.location) not in said
            ),
        )

    def unit(self, project: Project) -> str:
        return "" if self.by is None else " ".join(text_of(project.values[self.by.key]).split())

    def project(self, project: Project, listed: bool) -> ProjectStatus:
        versions = self.reviewed.versions.get(project.id, ())
        returns = tuple(
            Return(v.file, v.sheet, *self.time(v.file), v.same, self.delivery(v.file), v.superseded, v.unfilled)
            for v in versions
        )
        errors = self.counts.get((project.id, Severity.ERROR), 0)
        reason = self.reviewed.declared.get(project.id)
        state = self.state(project.id, errors, reason)
        earlier = sum(v.superseded and not v.unfilled and not v.twin for v in versions)
        times = 0 if not returns or state is State.BLANK else 1 + earlier
        warnings = self.counts.get((project.id, Severity.WARNING), 0) if returns else 0
        name = text_of(project.values[self.reviewed.form.key_fields[0]])
        return ProjectStatus(project.id, name, state, listed, returns, errors, warnings, reason, times)

    def state(self, project: str, errors: int, reason: str | None) -> State:
        merged, base = self.merged.get(project), self.bases.get(project)
        if merged is None:
            return State.MISSING if reason is None else State.NOTHING
        if base is not None and is_blank(merged, base):
            return State.BLANK
        return State.ERRORS if errors else State.RETURNED

    def time(self, file: str) -> tuple[datetime | None, bool]:
        time = self.files[file].time if file in self.files else None
        return time, time is not None and self.due is not None and time > self.due

    def delivery(self, file: str) -> Delivery | None:
        return self.files[file].delivery if file in self.files else None

    def unread(self, units: Sequence[str]) -> tuple[Unread, ...]:
        """List what could not be read: files, sheets of files, and forms of another kind."""
        first = self.reviewed.form.key_fields[0]
        near_unit = _Names((unit, unit) for unit in units)
        near_project = _Names((text_of(p.values[first]), p.id) for p in self.roster.projects)
        known = {(p.code, p.location): p for p in self.reviewed.problems}  # with the severity that the office gives it
        kept = [problem for file in self.reviewed.files for problem in file_errors(file)]
        problems = [known.get((p.code, p.location), p) for p in kept]
        problems += [p for p in self.reviewed.problems if p.code == "sheet-id-form"]
        found = [
            Unread(file, *self.time(file), problem, near_unit.only(file), near_project.only(file), self.delivery(file))
            for problem in problems
            if (file := problem.location.file) is not None
        ]
        return tuple(sorted(found, key=lambda item: natural_key(item.file)))


def file_errors(file: FileResult) -> list[Problem]:
    """List what kept a file, or a sheet of it, from being read."""
    return [problem for problem in file.problems if problem.entry.severity == Severity.ERROR]


class _Names:
    """Finds in a file's name the one name that it holds. `names`: (name, what it means) pairs."""

    def __init__(self, names: Iterable[tuple[str, str]]) -> None:
        self.names: dict[str, str | None] = {}
        for name, meaning in names:
            folded = fold(name)
            if len(folded) >= LEAST_NAME:
                self.names[folded] = meaning if self.names.get(folded, meaning) == meaning else None

    def only(self, file: str) -> str | None:
        """Return what the one name that the file's name or folder holds means; None where it holds none or several."""
        text = fold(file)
        held = [folded for folded in self.names if folded in text]
        # A name within a longer one that is there too adds nothing.
        held = [name for name in held if not any(name != other and name in other for other in held)]
        return self.names[held[0]] if len(held) == 1 else None


# --- for machines -----------------------------------------------------------------------------


def status_data(status: Status, lang: str) -> dict[str, Any]:
    """Turn a status into JSON data."""
    return {
        "form": status.form.id,
        "year": status.roster.year,
        "organization": status.roster.organization,
        "by": status.by.key if status.by else None,
        "due": _iso(status.due),
        "complete": status.complete,
        "counts": _counts_data(status.counts),
        "units": [
            {
                "unit": unit.name,
                "counts": _counts_data(unit.counts),
                "projects": [_project_data(project) for project in unit.projects],
            }
            for unit in status.units
        ],
        "unread": [
            {
                **item.problem.data(lang),
                "modified": _iso(item.time),
                "late": item.late,
                **delivery_data(item.delivery),
                "probably": {"unit": item.unit, "project": item.project},
            }
            for item in status.unread
        ],
        "problems": [problem.data(lang) for problem in status.problems],
    }


def _counts_data(counts: Counts) -> dict[str, int]:
    return {name: getattr(counts, name) for name in Counts.__dataclass_fields__}


def _project_data(project: ProjectStatus) -> dict[str, Any]:
    return {
        "id": project.id,
        "name": project.name,
        "status": str(project.state),
        "listed": project.listed,
        "errors": project.errors,
        "warnings": project.warnings,
        "twice": project.twice,
        "late": project.late,
        "round": project.round,
        "reason": project.reason,
        "returns": [
            {
                "file": r.file,
                "sheet": r.sheet,
                "modified": _iso(r.time),
                "late": r.late,
                "same": r.same,
                "superseded": r.superseded,
                "blank": r.unfilled,
                **delivery_data(r.delivery),
            }
            for r in project.returns
        ],
    }


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment is not None else None
