"""Submissions or a portfolio -> every problem, by the form's checks and the office's kpixl.yaml."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from kpixl import canonical
from kpixl.check import Finding, Locate, find, in_portfolio, label_of
from kpixl.config import Config, Waiver, find_config, load_config, matches
from kpixl.consolidate import consolidate, sources_path
from kpixl.files import check_target
from kpixl.intake import DEFAULT_LIMITS, FileResult, Limits, Progress
from kpixl.merge import Source
from kpixl.model import Form, Portfolio
from kpixl.problems import Location, Problem, Severity, failure
from kpixl.rules.registry import Check, Checks, checks_of
from kpixl.values import fold, text_of

PORTFOLIO_SUFFIXES = (".yaml", ".yml")


@dataclass(frozen=True, slots=True)
class Waived:
    """A finding that was let be, and why."""

    finding: Problem
    project: str
    reason: str


@dataclass(frozen=True, slots=True)
class Reviewed:
    """What checking gave. `projects[n]` is the id of the project that `problems[n]` is about, None for others."""

    form: Form
    portfolio: Portfolio
    problems: tuple[Problem, ...]
    projects: tuple[str | None, ...]
    waived: tuple[Waived, ...]
    files: tuple[FileResult, ...]
    config: Config
    checks: tuple[Check, ...]


def review(
    paths: Sequence[Path],
    forms: Sequence[Form],
    *,
    roster: Portfolio | None = None,
    config: Path | None = None,
    output: Path | None = None,
    limits: Limits = DEFAULT_LIMITS,
    progress: Progress | None = None,
) -> Reviewed:
    """Check submissions and folders of them, or one portfolio (.yaml), by all rules of the form.

    `config`: a kpixl.yaml; without it the one beside the data. `output`: what will be written. Raises KpixlError
    where there is nothing to check, or where the configuration or the form's checks are wrong.
    """
    if output is not None:
        check_target(output)
    all_checks = {form.id: checks_of(form) for form in forms}
    codes = [check.code for checks in all_checks.values() for check in checks.checks]
    place = config or find_config(paths)
    office = load_config(place, codes) if place else Config()
    run = _Run(office, all_checks, roster)
    if len(paths) == 1 and paths[0].suffix.lower() in PORTFOLIO_SUFFIXES:
        return run.portfolio(paths[0], forms)
    return run.submissions(paths, forms, limits, progress)


class _Run:
    """One run of the checks with an office's configuration."""

    def __init__(self, config: Config, checks: Mapping[str, Checks], roster: Portfolio | None) -> None:
        self.config, self.checks, self.roster = config, checks, roster
        self.projects: dict[int, str] = {}  # id() of a problem -> its project
        self.waived: list[Waived] = []
        self.used: set[Waiver] = set()

    def submissions(
        self, paths: Sequence[Path], forms: Sequence[Form], limits: Limits, progress: Progress | None
    ) -> Reviewed:
        result = consolidate(paths, forms, roster=self.roster, limits=limits, progress=progress, checker=self.apply)
        problems = [*result.problems]
        known = result.portfolio.projects
        if self.roster is not None:
            known = (*known, *self.roster.projects)
        problems += self.unused({p.id for p in known}, complete=self.roster is not None)
        return self.reviewed(result.form, result.portfolio, problems, result.files)

    def portfolio(self, path: Path, forms: Sequence[Form]) -> Reviewed:
        known = {form.id: form for form in forms}

        def form_of(form_id: str) -> Form:
            if form_id not in known:
                raise failure("form-unknown", form=form_id, known=", ".join(known))
            return known[form_id]

        form, portfolio = canonical.load(path, form_of)
        problems = [*self.apply(form, portfolio, _sources(path, in_portfolio(form, portfolio)))]
        problems += self.unused({p.id for p in portfolio.projects}, complete=True)
        return self.reviewed(form, portfolio, problems, ())

    def apply(self, form: Form, portfolio: Portfolio, locate: Locate | None) -> tuple[Problem, ...]:
        """Find, drop what the configuration does not want, and set waived findings aside."""
        where = locate or in_portfolio(form, portfolio)
        waivers: dict[str, list[Waiver]] = {}
        for waiver in self.config.waivers:
            waivers.setdefault(waiver.project, []).append(waiver)
        problems: list[Problem] = []
        for found in find(form, portfolio, self.checks[form.id], self.roster):
            level = self.config.severity_of(found.code, found.category) or found.severity
            place = where(found.project, found.key, label_of(form, found.key))
            problem = Problem(found.code, place, found.details, level)
            match = next((w for w in waivers.get(found.project, ()) if _lets_be(w, found, problem)), None)
            if match is None:
                self.projects[id(problem)] = found.project
                problems.append(problem)
            else:
                self.used.add(match)
                self.waived.append(Waived(problem, found.project, match.reason))
        return tuple(problems)

    def unused(self, known: set[str], *, complete: bool) -> list[Problem]:
        """Report waivers that matched nothing, of the projects that were looked at."""
        file = Location(self.config.file)
        return [
            Problem("waiver-unused", file, {"line": w.line, "project": w.project, "code": w.code})
            for w in self.config.waivers
            if w not in self.used and (complete or w.project in known)
        ]

    def reviewed(
        self, form: Form, portfolio: Portfolio, problems: Sequence[Problem], files: tuple[FileResult, ...]
    ) -> Reviewed:
        """Apply `select`, `ignore` and `severity` to what is left."""
        categories = {check.code: check.category for check in self.checks[form.id].checks}
        kept, projects = [], []
        for problem in problems:
            category = categories.get(problem.code, problem.entry.category)
            if self.config.wants(problem.code, category):
                projects.append(self.projects.get(id(problem)))
                level = self.config.severity_of(problem.code, category)
                kept.append(replace(problem, level=level) if level else problem)
        checks = self.checks[form.id].checks
        return Reviewed(form, portfolio, tuple(kept), tuple(projects), tuple(self.waived), files, self.config, checks)


def _lets_be(waiver: Waiver, found: Finding, problem: Problem) -> bool:
    if not matches(waiver.code, found.code, found.category):
        return False
    if waiver.cell is not None and waiver.cell.upper() != problem.location.cell:
        return False
    return waiver.field is None or waiver.field == found.key or fold(waiver.field) == fold(problem.location.field or "")


def _sources(portfolio: Path, otherwise: Locate) -> Locate:
    """Locate values by the sources file beside a portfolio, where there is one that can be read."""
    try:
        data: Any = json.loads(sources_path(portfolio).read_text(encoding="utf-8"))
        projects = data["projects"].items()
        sources = {str(i): Source(str(s["file"]), "", s["sheet"], dict(s["cells"])) for i, s in projects}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return otherwise

    def locate(project: str, key: str, label: str) -> Location:
        if project not in sources:
            return otherwise(project, key, label)
        source = sources[project]
        return Location(source.file, source.sheet, source.cell(key), label.rstrip(":："))

    return locate


def for_people(result: Reviewed) -> tuple[Problem, ...]:
    """Return the problems to print; where a file has no sheets, the project stands in place of the sheet."""
    first = result.form.key_fields[0]
    names = {p.id: f"{p.id} {text_of(p.values[first])}" for p in result.portfolio.projects}
    return tuple(
        replace(problem, location=replace(problem.location, sheet=names[project]))
        if project is not None and problem.location.sheet is None
        else problem
        for problem, project in zip(result.problems, result.projects, strict=True)
    )


# --- for machines -----------------------------------------------------------------------------


def review_data(result: Reviewed, lang: str) -> dict[str, Any]:
    """Turn a run into JSON data."""
    categories = {check.code: check.category for check in result.checks}
    problems = []
    for problem, project in zip(result.problems, result.projects, strict=True):
        category = categories.get(problem.code, problem.entry.category) or None
        problems.append({**problem.data(lang), "category": category, "project": project})
    severities = [problem.severity for problem in result.problems]
    return {
        "form": result.form.id,
        "year": result.portfolio.year,
        "projects": len(result.portfolio.projects),
        "counts": {str(severity): severities.count(severity) for severity in Severity},
        "problems": problems,
        "waived": [{**w.finding.data(lang), "project": w.project, "reason": w.reason} for w in result.waived],
    }
