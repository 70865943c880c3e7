"""Submissions or a portfolio -> every problem, by the form's checks and the office's kpixl.yaml."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import replace
from pathlib import Path
from typing import Any

from kpixl.checks.configuration import NO_CONFIG, Config, Waiver, find_config, load_config, matches
from kpixl.checks.engine import NO_CAUSES, Causes, Finding, Locate, find, in_portfolio, label_of
from kpixl.checks.registry import Checks, checks_of
from kpixl.collection.consolidate import Decided, consolidate
from kpixl.collection.decisions import NAME as DECISIONS
from kpixl.collection.decisions import NONE, load_decisions
from kpixl.collection.intake import DEFAULT_LIMITS, Limits, Progress, Workers
from kpixl.collection.model import Collection, Since, Waived
from kpixl.collection.sources import read_source, sources_path
from kpixl.disk import check_target, refuse_overlap, unfinished
from kpixl.files import PORTFOLIO_SUFFIXES
from kpixl.forms.definition import Form
from kpixl.forms.values import fold, text_of
from kpixl.keys import Key
from kpixl.portfolio import canonical
from kpixl.portfolio.model import Portfolio
from kpixl.problems import Location, Problem, Severity, failure


def review(
    paths: Sequence[Path],
    forms: Sequence[Form],
    *,
    roster: Portfolio | None = None,
    config: Path | None = None,
    inputs: Sequence[Path] = (),
    outputs: Sequence[Path] = (),
    limits: Limits = DEFAULT_LIMITS,
    workers: Workers = None,
    progress: Progress | None = None,
    may_be_empty: bool = False,
    sent: Portfolio | None = None,
    decided: Decided | None = None,
    elsewhere: Sequence[str] = (),
) -> Collection:
    """Check submissions and folders of them, or one portfolio (.yaml), by all rules of the form.

    `sent`, `elsewhere`: as for consolidate. `decided`: what the office decided, by default what is in the
    decisions.yaml beside the data. `config`: a kpixl.yaml; without it the one beside the data. `outputs`: what will be
    written; refused before any work where it cannot be, or where it is itself read, also as one of the other `inputs`
    (the roster). Raises KpixlError where the configuration or the form's checks are wrong, or, unless that `may_be`,
    where there is nothing to check.
    """
    for out in outputs:
        check_target(out)
    all_checks = {form.id: checks_of(form) for form in forms}
    codes = [check.code for checks in all_checks.values() for check in checks.checks]
    place = config or find_config(paths)
    office = load_config(place, codes) if place else NO_CONFIG
    run = _Run(office, all_checks, roster)
    inputs = [*inputs, *([place] if place else [])]
    if is_portfolio(paths):
        refuse_overlap(outputs, [*paths, *inputs])
        return run.portfolio(paths[0], forms)
    return run.submissions(
        consolidate(
            paths,
            forms,
            roster=roster,
            limits=limits,
            inputs=inputs,
            outputs=outputs,
            workers=workers,
            progress=progress,
            checker=run.apply,
            config=office,
            may_be_empty=may_be_empty,
            decided=decided or _decided(paths),
            sent=sent,
            elsewhere=elsewhere,
        )
    )


def _decided(paths: Sequence[Path]) -> Decided:
    """Take the decisions that are beside the data, if there are any."""
    place = find_config(paths, DECISIONS)
    return lambda form: (load_decisions(place, form) if place else NONE, ())


def is_portfolio(paths: Sequence[Path]) -> bool:
    """Return whether what is to be checked is one portfolio, and not submissions."""
    return len(paths) == 1 and paths[0].suffix.lower() in PORTFOLIO_SUFFIXES


class _Run:
    """One run of the checks with an office's configuration."""

    def __init__(self, config: Config, checks: Mapping[str, Checks], roster: Portfolio | None) -> None:
        self.config, self.checks, self.roster = config, checks, roster
        self.waived: list[Waived] = []
        self.used: set[Waiver] = set()

    def submissions(self, result: Collection) -> Collection:
        """Add waivers that meet nothing to what `apply` has looked at, and configure all of it."""
        returned = {p.id for p in result.portfolio.projects}
        listed = set() if self.roster is None else {p.id for p in self.roster.projects}
        unused = self.unused(returned, outstanding=listed - returned, complete=self.roster is not None)
        return self.configured(replace(result, problems=(*result.problems, *unused)))

    def portfolio(self, path: Path, forms: Sequence[Form]) -> Collection:
        known = {form.id: form for form in forms}

        def form_of(form_id: str) -> Form:
            if form_id not in known:
                raise failure("form-unknown", form=form_id, known=", ".join(known))
            return known[form_id]

        form, portfolio = canonical.load(path, form_of)
        problems = [*unfinished(path), *self.apply(form, portfolio, _sources(path, in_portfolio(form, portfolio)))]
        problems += self.unused({p.id for p in portfolio.projects}, complete=True)
        return self.configured(Collection(form, portfolio, tuple(problems), roster=self.roster, config=self.config))

    def apply(
        self, form: Form, portfolio: Portfolio, locate: Locate | None, causes: Causes = NO_CAUSES
    ) -> tuple[Problem, ...]:
        """Find, drop what the configuration does not want, and set waived findings aside."""
        where = locate or in_portfolio(form, portfolio)
        waivers: dict[str, list[Waiver]] = {}
        for waiver in self.config.waivers:
            waivers.setdefault(waiver.project, []).append(waiver)
        problems: list[Problem] = []
        for found in find(form, portfolio, self.checks[form.id], self.roster, causes):
            place = where(found.project, found.key, label_of(form, found.key))
            if found.at and (cell := where(found.project, found.at, "").cell) is not None:
                place = replace(place, cell=cell)
            problem = Problem(
                found.code, place, found.details, found.severity, found.project, found.rule, found.keys, found.caused_by
            )
            match = next((w for w in waivers.get(found.project, ()) if _lets_be(w, found, problem)), None)
            if match is None:
                problems.append(problem)
            else:
                self.used.add(match)
                self.waived.append(Waived(problem, found.project, match.reason))
        return tuple(problems)

    def unused(self, known: set[str], outstanding: Set[str] = frozenset(), *, complete: bool) -> list[Problem]:
        """Report waivers that matched nothing, of the projects that were looked at and not of those yet to come."""
        file = Location(self.config.file)
        return [
            Problem("waiver-unused", file, {"line": w.line, "project": w.project, "code": w.code})
            for w in self.config.waivers
            if w not in self.used and w.project not in outstanding and (complete or w.project in known)
        ]

    def configured(self, result: Collection) -> Collection:
        """Apply `select` and `ignore` to the problems, and `severity` to these and to what is waived."""
        checks = self.checks[result.form.id].checks
        categories = {check.code: check.category for check in checks}

        def levelled(problem: Problem) -> Problem:
            level = self.config.severity_of(problem.code, categories.get(problem.code, problem.entry.category))
            return replace(problem, level=level) if level else problem

        problems = tuple(
            levelled(problem)
            for problem in result.problems
            if self.config.wants(problem.code, categories.get(problem.code, problem.entry.category))
        )
        waived = tuple(replace(one, finding=levelled(one.finding)) for one in self.waived)
        return replace(result, problems=problems, waived=waived, checks=checks)


def _lets_be(waiver: Waiver, found: Finding, problem: Problem) -> bool:
    if not matches(waiver.code, found.code, found.category):
        return False
    if waiver.cell is not None and waiver.cell.upper() != problem.location.address:
        return False
    if waiver.field is None or waiver.field == str(found.key):
        return True
    return fold(waiver.field) == fold(problem.location.field or "")


def _sources(portfolio: Path, otherwise: Locate) -> Locate:
    """Locate values by the sources file beside a portfolio, where there is one that can be read."""
    try:
        data: Any = json.loads(sources_path(portfolio).read_text(encoding="utf-8"))
        projects = data["projects"].items()
        sources = {str(i): read_source(s) for i, s in projects}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return otherwise

    def locate(project: str, key: Key, label: str) -> Location:
        if project not in sources:
            return otherwise(project, key, label)
        return replace(sources[project].at(key), field=label.rstrip(":："))

    return locate


def for_people(result: Collection) -> tuple[Problem, ...]:
    """Return the problems to print; where a file has no sheets, the project is shown in place of the sheet."""
    first = result.form.key_fields[0]
    names = {p.id: f"{p.id} {text_of(p.values[first])}" for p in result.portfolio.projects}
    return tuple(
        replace(problem, location=replace(problem.location, sheet=names[problem.project]))
        if problem.project in names and problem.location.sheet is None
        else problem
        for problem in result.problems
    )


# --- for machines -----------------------------------------------------------------------------


def review_data(result: Collection, lang: str) -> dict[str, Any]:
    """Turn a run into JSON data."""
    categories = {check.code: check.category for check in result.checks}

    def data(problem: Problem) -> dict[str, Any]:
        category = categories.get(problem.code, problem.entry.category) or None
        return {**problem.data(lang), "category": category, "project": problem.project}

    severities = [problem.severity for problem in result.problems]
    return {
        "form": result.form.id,
        "year": result.portfolio.year,
        "projects": len(result.portfolio.projects),
        "counts": {str(severity): severities.count(severity) for severity in Severity},
        "problems": [data(problem) for problem in result.problems],
        "waived": [{**w.finding.data(lang), "project": w.project, "reason": w.reason} for w in result.waived],
        **({"since": _since_data(result.since, data)} if result.since else {}),
    }


def _since_data(since: Since, data: Callable[[Problem], dict[str, Any]]) -> dict[str, Any]:
    return {
        "file": since.name,
        "known": [data(problem) for problem in since.known],
        "resolved": [
            {"code": k.code, "severity": k.severity, "project": k.project, "file": k.place.file,
             "sheet": k.place.sheet, "cell": k.place.address, "field": k.place.field}
            for k in since.resolved
        ],
    }  # fmt: skip
