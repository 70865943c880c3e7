"""Status and findings -> letters: for each unit what came, what is to be corrected and what is missing. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from kpixl.collection.model import Collection
from kpixl.files import natural_key
from kpixl.forms.values import fold
from kpixl.output.status import Status
from kpixl.output.status.model import ProjectStatus, UnitStatus, Unread
from kpixl.output.status.words import State
from kpixl.problems import Location, Problem, Severity
from kpixl.readers import Delivery

MAX_ADDRESSES = 10  # of one letter
# Codes, or how they begin, of what the office has to settle and no unit can.
FOR_OFFICE = (
    "conflict", "returned-", "decision-", "exclusion-", "yaml-", "declaration-", "waiver-", "not-in-roster",
    "not-returned", "nothing-to-report", "file-excluded",
)  # fmt: skip
# Codes of files that the result takes nothing from: what is wrong in them is no longer to be corrected.
LEFT_OUT = frozenset({"returned-superseded", "returned-contained", "returned-twice", "returned-unfilled"})


@dataclass(frozen=True, slots=True)
class Came:
    """A file that came from a unit, when, by whose mail, and its projects."""

    file: str
    time: datetime | None
    delivery: Delivery | None
    projects: tuple[ProjectStatus, ...]


@dataclass(frozen=True, slots=True)
class Letter:
    """What is written to a unit. `unit` may be blank; `to`: addresses, none where none is known."""

    unit: str
    to: tuple[str, ...]
    came: tuple[Came, ...]
    errors: tuple[Problem, ...]
    warnings: tuple[Problem, ...]
    unread: tuple[Unread, ...]
    missing: tuple[ProjectStatus, ...]

    @property
    def is_complete(self) -> bool:
        """Return whether there is nothing to do; what is only to be checked does not count."""
        return not (self.errors or self.unread or self.missing)

    @property
    def files(self) -> tuple[str, ...]:
        """Return the files in which something is to be corrected or checked."""
        found = {p.location.file for p in (*self.errors, *self.warnings) if p.location.file is not None}
        return tuple(sorted(found, key=natural_key))


@dataclass(frozen=True, slots=True)
class Letters:
    """The letters to write, and `rest`: errors that are in none, because they are the office's or nobody's."""

    letters: tuple[Letter, ...]
    rest: tuple[Problem, ...]


def letters_of(
    reviewed: Collection,
    status: Status,
    contacts: Mapping[str, Sequence[str]],
    *,
    warnings: bool = False,
    everything: bool = False,
) -> Letters:
    """Make the letters. `contacts`: addresses by unit, which go before those of senders.

    `warnings`: units with nothing but warnings get a letter too; `everything`: all units do.
    """
    desk = _Desk(reviewed, status, {fold(unit): tuple(to) for unit, to in contacts.items()})
    made = [desk.letter(number, unit) for number, unit in enumerate(status.units)]
    chosen = [one for one in made if everything or not one.is_complete or (warnings and one.warnings)]
    return Letters(tuple(chosen), (*desk.rest, *desk.unknown()))


class _Desk:
    """Sorts findings and files by unit; used once."""

    def __init__(self, reviewed: Collection, status: Status, contacts: Mapping[str, Sequence[str]]) -> None:
        self.status, self.contacts, self.file = status, contacts, reviewed.config.file
        self.owner: dict[str, int] = {}
        self.files: dict[str, set[int]] = {}
        for number, unit in enumerate(status.units):
            for project in unit.projects:
                self.owner[project.id] = number
                for returned in project.returns:
                    self.files.setdefault(returned.file, set()).add(number)
        self.names = {unit.name: number for number, unit in enumerate(status.units)}
        self.unread: dict[int | None, list[Unread]] = {}
        for item in status.unread:
            self.unread.setdefault(self._unread_owner(item), []).append(item)
        self.found: dict[int | None, list[Problem]] = {}
        self.rest: list[Problem] = [item.problem for item in self.unread.get(None, ())]
        self._sort(reviewed.problems)

    def _sort(self, problems: Sequence[Problem]) -> None:
        told = {(item.problem.code, item.problem.location) for item in self.status.unread}
        for problem in _effective(problems):
            if problem.severity is Severity.INFO or (problem.code, problem.location) in told:
                continue
            owner = None if problem.code.startswith(FOR_OFFICE) else self._owner(problem)
            if owner is not None:
                self.found.setdefault(owner, []).append(problem)
            elif problem.severity is Severity.ERROR:
                self.rest.append(problem)

    def _owner(self, problem: Problem) -> int | None:
        """Return whose a problem is: its project's, else that of the only unit that the file has projects of."""
        if problem.project is not None:
            return self.owner.get(problem.project)
        owners = self.files.get(problem.location.file or "", set())
        return next(iter(owners)) if len(owners) == 1 else None

    def _unread_owner(self, item: Unread) -> int | None:
        if item.project is not None and item.project in self.owner:
            return self.owner[item.project]
        return self.names.get(item.unit) if item.unit is not None else self._owner(item.problem)

    def letter(self, number: int, unit: UnitStatus) -> Letter:
        """Make the letter to one unit."""
        found = self.found.get(number, [])
        came = self._came(unit)
        return Letter(
            unit.name,
            self._addresses(unit, came),
            came,
            tuple(p for p in found if p.severity is Severity.ERROR),
            tuple(p for p in found if p.severity is Severity.WARNING),
            tuple(self.unread.get(number, ())),
            tuple(p for p in unit.projects if p.state is State.MISSING),
        )

    def _came(self, unit: UnitStatus) -> tuple[Came, ...]:
        files: dict[str, Came] = {}
        for project in unit.projects:
            for item in project.returns:
                known = files.get(item.file)
                projects = (*(known.projects if known else ()), project)
                files[item.file] = Came(item.file, item.time, item.delivery, projects)
        return tuple(files[file] for file in sorted(files, key=natural_key))

    def _addresses(self, unit: UnitStatus, came: Sequence[Came]) -> tuple[str, ...]:
        """Return the office's own address of a unit, else those of its mails, the newest first."""
        if (own := self.contacts.get(fold(unit.name))) is not None:
            return tuple(own)
        by_mail = [one for one in came if one.delivery is not None and one.delivery.address]
        by_mail.sort(key=lambda one: one.time or datetime.min, reverse=True)
        found = dict.fromkeys(one.delivery.address for one in by_mail if one.delivery is not None)
        return tuple(found)[:MAX_ADDRESSES]

    def unknown(self) -> list[Problem]:
        """Report addresses of units that there are not."""
        known = {fold(unit.name) for unit in self.status.units}
        return [
            Problem("contact-unknown", Location(self.file), {"unit": unit})
            for unit in self.contacts
            if unit not in known
        ]


def _effective(problems: Sequence[Problem]) -> Iterator[Problem]:
    """Yield the problems but those in a file, or of a project in a file, that the result takes nothing from."""
    gone = {(p.location.file, p.project) for p in problems if p.code in LEFT_OUT and p.project is not None}
    excluded = {p.location.file for p in problems if p.code == "file-excluded"}
    for problem in problems:
        file = problem.location.file
        if file not in excluded and (problem.code in LEFT_OUT or (file, problem.project) not in gone):
            yield problem
