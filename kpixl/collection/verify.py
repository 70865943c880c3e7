"""Verify a portfolio against its sources and the returned files: nothing changed since, and nothing is missing."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from kpixl.collection.account import Account, account
from kpixl.collection.cell_fates import Fate
from kpixl.collection.consolidate import consolidate
from kpixl.collection.decisions import decisions_path, load_decisions
from kpixl.collection.intake import DEFAULT_LIMITS, Limits, Progress
from kpixl.collection.merge import Source
from kpixl.collection.model import Collection
from kpixl.collection.sources import all_sources, portfolio_digest, sources_path
from kpixl.forms.definition import Form
from kpixl.forms.load import among
from kpixl.inputs import read_input
from kpixl.keys import Key
from kpixl.portfolio import canonical
from kpixl.portfolio.diff import Diff, ProjectChange, ValueChange, diff, value_text
from kpixl.portfolio.model import Portfolio
from kpixl.problems import KpixlError, Location, Problem

RETURNED = "returned"  # the folder beside the portfolio that is looked into where none is named
MAX_SHOWN = 80  # characters of a value in a message


@dataclass(frozen=True, slots=True)
class Verified:
    """What verifying gave: how many files and cells were held against the portfolio, and what does not agree."""

    files: int
    account: Account
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class Base:
    """What the portfolio was merged with: the roster, and the roster as it was sent where that is another.

    Where neither is known the portfolio takes their place; then a value that one of several files lacks looks deleted.
    """

    roster: Portfolio | None = None
    sent: Portfolio | None = None


def verify(
    portfolio_path: Path,
    paths: Sequence[Path],
    forms: Sequence[Form],
    *,
    base: Base = Base(),
    limits: Limits = DEFAULT_LIMITS,
    progress: Progress | None = None,
) -> Verified:
    """Read the returned files again and hold portfolio and sources against them. Raises KpixlError."""
    form, portfolio = canonical.load(portfolio_path, among(forms))
    decisions = load_decisions(decisions_path(portfolio_path), form)
    result = consolidate(
        paths,
        [form],
        roster=base.roster or portfolio,
        sent=base.sent,
        limits=limits,
        inputs=[portfolio_path],
        progress=progress,
        checker=_unchecked,
        decided=lambda _: (decisions, ()),
    )
    problems = [
        *_sources(portfolio_path, portfolio, result),
        *_differences(diff(form, portfolio, result.portfolio), result),
    ]
    found = account(result, [form], limits)
    return Verified(len(result.files), found, (*problems, *found.problems))


def returned_folder(portfolio: Path) -> Path:
    """Return the folder of returned files beside a portfolio."""
    return portfolio.parent / RETURNED


def _unchecked(*_: object) -> tuple[Problem, ...]:
    return ()


def _sources(path: Path, portfolio: Portfolio, result: Collection) -> Iterator[Problem]:
    """Hold the sources file against the portfolio that it was written with, and against the files."""
    beside = sources_path(path)
    try:
        content = read_input(beside)
        sources = all_sources(content)
    except (KpixlError, ValueError):
        yield Problem("sources-missing", Location(beside.name), {"path": beside.name, "portfolio": path.name})
        return
    if portfolio_digest(content) != hashlib.sha256(read_input(path)).hexdigest():
        yield Problem("portfolio-edited", Location(path.name), {"path": path.name})
    yield from _files(sources, {file.file: file.sha256 for file in result.files})
    for project in portfolio.projects:
        if project.id not in sources:
            yield Problem("project-without-source", Location(path.name), {"id": project.id}, project=project.id)


def _files(sources: Mapping[str, Source], files: Mapping[str, str]) -> Iterator[Problem]:
    """Report each file of the sources that is not there, or is not what it was."""
    digests = {digest: name for name, digest in files.items()}
    parts = (part for source in sources.values() for part in (source, *source.others))
    for name, digest in dict.fromkeys((part.file, part.sha256) for part in parts):
        if files.get(name) == digest:
            continue
        if name in files:
            yield Problem("source-changed", Location(name), {"file": name})
        elif digest in digests:
            yield Problem("source-renamed", Location(name), {"file": name, "other": digests[digest]})
        else:
            yield Problem("source-gone", Location(name), {"file": name})


def _differences(found: Diff, result: Collection) -> Iterator[Problem]:
    """Report each value of the portfolio that is not what the files hold."""
    for change in found.projects:
        if change.old is None or change.new is None:
            place = _place(result, change, None)
            code = "project-not-in-portfolio" if change.old is None else "project-not-in-files"
            yield Problem(code, place, {"id": change.project.id}, project=change.project.id)
            continue
        for value in change.values:
            yield _differs(result, change, value, Key(value.field.key))
        for row in change.rows:
            for value in row.values:
                key = None if row.new is None else Key(row.table.key, row.new, value.field.key)
                yield _differs(result, change, value, key, f"{row.table.label} {row.title} ")


def _differs(
    result: Collection, change: ProjectChange, value: ValueChange, key: Key | None, where: str = ""
) -> Problem:
    label = where + value.field.label.rstrip(":：")
    texts = [_short(value_text(value.field, one)) or ("空", "blank") for one in (value.old, value.new)]
    place = _place(result, change, key)
    place = Location(place.file, place.sheet, place.cell, label)
    details = {"id": change.project.id, "portfolio": texts[0], "file": texts[1]}
    return Problem("value-not-in-file", place, details, project=change.project.id)


def _place(result: Collection, change: ProjectChange, key: Key | None) -> Location:
    source = result.sources.get(change.new.id) if change.new else None
    return source.at(key) if source else Location()


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= MAX_SHOWN else f"{text[: MAX_SHOWN - 1]}…"


def verified_data(found: Verified, lang: str) -> dict[str, object]:
    """Turn what verifying gave into JSON data."""
    return {
        "files": found.files,
        "cells": {str(fate): found.account.cells[fate] for fate in Fate},
        "problems": [{**problem.data(lang), "project": problem.project} for problem in found.problems],
    }
