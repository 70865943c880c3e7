"""Portfolios of a lower level as inputs: their projects are merged like any that came back.

Several offices each number from 01. Where more than one of them is collected, an id becomes unique by what its office
is called, 甲局-01, unless this level has the project already, by name and unit: then it keeps the number of this level.
A workbook that such an office sent out and that came straight here is the same project.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from kpixl.collection.one_file import FileResult, Job
from kpixl.collection.sources import read_sources, undecided
from kpixl.collection.versions import Lower, Returned, Source
from kpixl.disk import unfinished
from kpixl.files import PORTFOLIO_SUFFIXES
from kpixl.forms.definition import Form, Value
from kpixl.forms.load import among
from kpixl.forms.values import fold, text_of
from kpixl.inputs import read_input
from kpixl.portfolio import canonical
from kpixl.portfolio import sheet_id as sheet_ids
from kpixl.portfolio.model import Portfolio
from kpixl.portfolio.sheet_id import LOWER, SheetId
from kpixl.problems import KpixlError, Location, Problem
from kpixl.recognise.submission import Submission

MAX_PREFIX = 40  # characters of an office's name in an id; of a longer one the rest is a digest
MAX_PROBLEMS = 20  # of one portfolio: a file of something else has one for every line

Name = tuple[str, ...]  # by which people tell projects apart, folded


def is_lower(job: Job) -> bool:
    """Return whether a file is a portfolio that somebody named; one that lies in a folder is an output."""
    return job.named and job.path.suffix.lower() in PORTFOLIO_SUFFIXES


def read_lower(job: Job, forms: Sequence[Form]) -> FileResult:
    """Read a portfolio of a lower level: a submission for each project, whose sheet is the project's id."""
    try:
        digest = hashlib.sha256(read_input(job.path)).hexdigest()
        form, portfolio = canonical.load(job.path, among(forms))
    except KpixlError as error:
        located = [replace(p, location=replace(p.location, file=job.shown)) for p in error.problems]
        more = len(located) - MAX_PROBLEMS
        rest = [Problem("lower-more-problems", Location(job.shown), {"count": more})] if more > 0 else []
        return FileResult(job.shown, problems=(*located[:MAX_PROBLEMS], *rest))
    name = " ".join((portfolio.organization or "").split()) or job.path.stem
    own = sheet_ids.portfolio_id(replace(portfolio, organization=name))
    lower = Lower(job.shown, own, name, read_sources(job.path))
    open_ones = undecided(job.path)
    problems = [
        *unfinished(job.path),
        *(
            Problem("lower-undecided", Location(job.shown, project), {"id": project, "count": count})
            for project, count in open_ones.items()
        ),
    ]
    submissions = tuple(_submissions(form, portfolio, lower))
    modified = datetime.fromtimestamp(int(job.path.stat().st_mtime))
    return FileResult(job.shown, digest, submissions, tuple(problems), modified=modified, job=job, lower=lower)


def _submissions(form: Form, portfolio: Portfolio, lower: Lower) -> Iterator[Submission]:
    for order, project in enumerate(portfolio.projects, 1):
        name = sheet_ids.digest(sheet_ids.name_of(form, project))
        place = (form.id, form.version, lower.portfolio, project.id)
        sheet_id = SheetId(*place, order, name, portfolio.year, explicit=True)
        yield Submission(
            form.id,
            project.id,
            False,
            sheet_id,
            portfolio.year,
            portfolio.organization,
            project.values,
            project.tables,
            {},
            (),
            (),
        )


def of_lower(item: Returned, lower: Lower) -> Returned:
    """Add to a project of a lower level where that had it from, and the digests of those files: it supersedes them."""
    below = lower.sources.get(item.form.sheet or "")
    return replace(item, keyed=True, below=below, origins=() if below is None else tuple(_digests(below)))


def _digests(source: Source) -> Iterator[str]:
    for one in (source, *source.others):
        yield one.sha256
        if one.below is not None:
            yield from _digests(one.below)


# --- the numbers of this level ------------------------------------------------------------------


def placed(
    form: Form, items: Sequence[Returned], lowers: Sequence[Lower], roster: Portfolio | None
) -> tuple[list[Returned], list[Problem]]:
    """Give projects of lower levels the ids that they have here; return all items, and what became of the numbers.

    One portfolio alone keeps its own, unless the roster is another office's.
    """
    portfolios = {lower.portfolio: lower for lower in reversed(lowers)}
    if not _need_ids(portfolios, roster):
        return list(items), []
    placing = _Placing(form, portfolios, _known(form, items, portfolios, roster))
    order = 0
    found = []
    for item in items:
        sheet_id = item.form.sheet_id
        if sheet_id is None or sheet_id.portfolio not in portfolios:
            found.append(item)
            continue
        order += 1
        project = placing.id_of(item, sheet_id)
        sheet_id = replace(sheet_id, portfolio=LOWER, project=project, order=order, organization=None)
        found.append(replace(item, form=replace(item.form, sheet_id=sheet_id, organization=None)))
    return found, [placing.problem(lower) for lower in lowers]


def _need_ids(portfolios: Mapping[str, Lower], roster: Portfolio | None) -> bool:
    if len(portfolios) != 1 or roster is None:
        return len(portfolios) > 1
    (only,) = portfolios.values()
    return fold(only.name) != fold(roster.organization or "")


def _known(
    form: Form, items: Sequence[Returned], portfolios: Mapping[str, Lower], roster: Portfolio | None
) -> dict[Name, str]:
    """Map names and units to the ids of this level, where these are unambiguous."""
    if roster is not None:
        pairs = [(_name_of(form, project.values), project.id) for project in roster.projects]
    else:
        own = [(i, m) for i in items if (m := i.form.sheet_id) is not None and m.portfolio not in portfolios]
        pairs = [(_name_of(form, item.form.values), sheet_id.project) for item, sheet_id in own]
    ids: dict[Name, set[str]] = {}
    for key, project in pairs:
        ids.setdefault(key, set()).add(project)
    return {key: found.pop() for key, found in ids.items() if key[0] and len(found) == 1}


def _name_of(form: Form, values: Mapping[str, Value]) -> Name:
    return tuple(fold(text_of(values[key])) for key in form.key_fields)


class _Placing:
    """Gives every project of lower levels its id; used once."""

    def __init__(self, form: Form, portfolios: Mapping[str, Lower], known: Mapping[Name, str]) -> None:
        self.form, self.portfolios, self.known = form, portfolios, known
        self.ids: dict[tuple[str, str], str] = {}
        self.taken: dict[tuple[str, str], str] = {}  # by portfolio and id of this level: the id there

    def id_of(self, item: Returned, sheet_id: SheetId) -> str:
        """Return the id here of a project by its id there: one that two projects of one portfolio share goes to one."""
        place = (sheet_id.portfolio, sheet_id.project)
        if place not in self.ids:
            wanted = self.known.get(_name_of(self.form, item.form.values), "")
            if not wanted or self.taken.setdefault((sheet_id.portfolio, wanted), sheet_id.project) != sheet_id.project:
                wanted = f"{_prefix(self.portfolios[sheet_id.portfolio].name)}{sheet_id.project}"
            self.ids[place] = wanted
        return self.ids[place]

    def problem(self, lower: Lower) -> Problem:
        """Report what became of the numbers of a portfolio."""
        prefix = _prefix(lower.name)
        ids = [(old, new) for (portfolio, old), new in self.ids.items() if portfolio == lower.portfolio]
        prefixed = sum(new == prefix + old for old, new in ids)
        details = {"prefix": prefix, "count": prefixed, "matched": len(ids) - prefixed}
        return Problem("lower-numbered", Location(lower.file), details)


def _prefix(name: str) -> str:
    short = name if len(name) <= MAX_PREFIX else f"{name[:MAX_PREFIX]}{sheet_ids.digest(name)}"
    return f"{short}-"
