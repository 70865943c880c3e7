"""A collection: one round of one form, with everything that follows from what came back.

`consolidate`, `check`, `status` and what they write are views of it: files are read once, and a severity is decided
once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from kpixl.checks.configuration import NO_CONFIG, Config
from kpixl.checks.registry import Check
from kpixl.collection.decisions import NONE, Decisions
from kpixl.collection.intake import FileResult
from kpixl.collection.settle import OpenConflict, Superseded
from kpixl.collection.versions import Source, Version
from kpixl.forms.definition import Form
from kpixl.portfolio.model import Portfolio
from kpixl.problems import Location, Problem


@dataclass(frozen=True, slots=True)
class Waived:
    """A finding that was let be, and why."""

    finding: Problem
    project: str
    reason: str


@dataclass(frozen=True, slots=True)
class Known:
    """A finding of an earlier check. `texts`: message and hint without white space, in each language that is known."""

    code: str
    project: str | None
    place: Location
    texts: tuple[str, ...]
    severity: str


@dataclass(frozen=True, slots=True)
class Since:
    """What an earlier check found: `known` is there still, `resolved` is not. `name`: of its file."""

    name: str
    known: tuple[Problem, ...]
    resolved: tuple[Known, ...]


@dataclass(frozen=True, slots=True)
class Collection:
    """Everything that a run gave: the portfolio, where each value came from, the problems, and every file read.

    `versions`: the forms in which each project came back, the one that gave most first. `roster`: what was expected;
    `sent`: as it was sent out, None where that is the same. `conflicts`: what is to be decided. `superseded`: values
    that were typed and are not in the result. `decisions`: all of them, the new ones too. `declared`: the reason for
    each project of the roster that did not come back and of which nothing is to be reported. `config`: the office's
    kpixl.yaml; `checks`: the rules that were applied, none where only the fields themselves were checked; `waived`:
    the findings that it lets be. `since`: what an earlier check found, where `problems` are only those that are new.

    A portfolio that is checked by itself has no files, sources or versions.
    """

    form: Form
    portfolio: Portfolio
    problems: tuple[Problem, ...]
    sources: Mapping[str, Source] = field(default_factory=dict)
    files: tuple[FileResult, ...] = ()
    versions: Mapping[str, tuple[Version, ...]] = field(default_factory=dict)
    roster: Portfolio | None = None
    sent: Portfolio | None = None
    conflicts: tuple[OpenConflict, ...] = ()
    superseded: tuple[Superseded, ...] = ()
    decisions: Decisions = NONE
    declared: Mapping[str, str] = field(default_factory=dict)
    config: Config = NO_CONFIG
    checks: tuple[Check, ...] = ()
    waived: tuple[Waived, ...] = ()
    since: Since | None = None
