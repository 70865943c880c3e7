"""Problems (what a person must fix) and KpixlError (cannot go on): one catalogue, two languages.

A message names what was found, a hint what to do. Both are `str.format` templates over the
problem's details, so that a problem stays data until it is shown.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol, TypeVar

from kpixl.a1 import ValuePlace
from kpixl.keys import Key
from kpixl.problems.catalogue import CATALOGUE
from kpixl.problems.entry import Entry


class Severity(StrEnum):
    """How much a problem matters; errors make the exit code 1."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


@dataclass(frozen=True, slots=True)
class Location:
    """The place of something; every part may be unknown. `cell`: in a portfolio a key; `field`: the printed label."""

    file: str | None = None
    sheet: str | None = None
    cell: ValuePlace | None = None
    field: str | None = None

    @property
    def address(self) -> str | None:
        """Return the cell as people know it: A1."""
        return None if self.cell is None else str(self.cell)

    def __str__(self) -> str:
        return " › ".join(part for part in (self.file, self.sheet, self.address, self.field) if part)


@dataclass(frozen=True, slots=True)
class Problem:
    """One finding: a code of the catalogue, where it is, and the details its message needs.

    `code` may carry the id of a check of the form behind a dot, `expression.overall-goal`; `level` is the severity
    where a form or the office's configuration sets another than the catalogue. `project`: the id of the project it
    is about, None where it is about none or none is known; it follows from the place and is not compared. `rule`: the
    texts of the rule that found it, None for what the catalogue has the texts of. `keys`: the values it is about, by
    which another problem names it: `caused_by`, where that one follows from it.
    """

    code: str
    location: Location = Location()
    details: Mapping[str, object] = field(default_factory=dict)
    level: Severity | None = None
    project: str | None = field(default=None, compare=False)
    rule: Entry | None = field(default=None, compare=False, repr=False)
    keys: tuple[Key, ...] = field(default=(), compare=False)
    caused_by: Key | None = field(default=None, compare=False)

    @property
    def entry(self) -> Entry:
        """Return severity and texts: those of the rule, or the catalogue's."""
        return self.rule or CATALOGUE[self.code]

    @property
    def severity(self) -> Severity:
        """Look up the severity of the code, unless it was set."""
        return self.level or Severity(self.entry.severity)

    def message(self, lang: str = "zh") -> str:
        """Return what was found, in `lang` ("zh" or "en")."""
        return self.entry.message(lang).format_map(_Details(self.details, lang))

    def hint(self, lang: str = "zh") -> str:
        """Return what to do about it, in `lang`; may be empty."""
        return self.entry.hint(lang).format_map(_Details(self.details, lang))

    def text(self, lang: str = "zh") -> str:
        """Return both in one line, as each language joins sentences."""
        return f"{self.message(lang)}{' ' if lang == 'en' else ''}{self.hint(lang)}".strip()

    def data(self, lang: str = "zh") -> dict[str, str | None]:
        """Return the problem as data for machines."""
        place = self.location
        return {
            "code": self.code,
            "severity": str(self.severity),
            "file": place.file,
            "sheet": place.sheet,
            "cell": place.address,
            "field": place.field,
            "message": self.message(lang),
            "hint": self.hint(lang),
        }


class KpixlError(Exception):
    """Work cannot go on. Carries one or more problems of the catalogue; exit code 3."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__("; ".join(p.message("en") for p in problems))
        self.problems = problems

    def __reduce__(self) -> tuple[type[KpixlError], tuple[Problem, ...]]:
        return (type(self), self.problems)


def failure(code: str, /, file: str | None = None, **details: object) -> KpixlError:
    """Make the KpixlError for a single problem."""
    return KpixlError(Problem(code, Location(file=file), details))


class Caused(Protocol):
    """What may follow from another of its project."""

    @property
    def project(self) -> str | None:
        """Return the id of its project."""

    @property
    def keys(self) -> tuple[Key, ...]:
        """Return the keys of the values that it is about."""

    @property
    def caused_by(self) -> Key | None:
        """Return the key of the one that it follows from."""


C = TypeVar("C", bound="Caused")


def independent(found: Iterable[C]) -> list[C]:
    """Leave out what follows from another that is there too: whoever solves that one has solved both."""
    found = list(found)
    known = Counter((one.project, key) for one in found for key in one.keys)

    def follows(one: C) -> bool:
        # One that names its own key as the cause is about the same value as the other.
        return one.caused_by is not None and known[one.project, one.caused_by] > (one.caused_by in one.keys)

    return [one for one in found if not follows(one)]


def worst(problems: Iterable[Problem]) -> Severity | None:
    """Return the highest severity among `problems`, None when there are none."""
    found = {p.severity for p in problems}
    return next((s for s in Severity if s in found), None)


MAX_SHOWN = 600


class _Details(dict[str, object]):
    """Details for `format_map`; a value that is a (zh, en) pair is shown in the language asked for."""

    def __init__(self, details: Mapping[str, object], lang: str) -> None:
        super().__init__({k: _spoken(v, lang) for k, v in details.items()})


def _spoken(value: object, lang: str) -> object:
    if isinstance(value, tuple) and len(value) == 2:
        return value[lang == "en"]
    if isinstance(value, str) and len(value) > MAX_SHOWN:
        return value[: MAX_SHOWN - 1] + "…"
    return value
