"""The gate: what is published has passed the checks; whatever has not is named, and nothing is written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from kpixl.consolidate import conflicts_of
from kpixl.declared import match_declarations
from kpixl.fields import unit_field
from kpixl.model import Form, Portfolio, Project
from kpixl.problems import Location, Problem, Severity
from kpixl.review import Reviewed, for_people, review
from kpixl.values import text_of

BLOCKING = ("publish-conflict", "publish-blank", "publish-missing")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the gate found. `portfolio`: the projects that can be published, without the blank ones.

    `problems`: everything that was found, the reason for a refusal last; `open`: whether nothing of it forbids.
    """

    form: Form
    portfolio: Portfolio
    problems: tuple[Problem, ...]
    open: bool


def examine(
    path: Path,
    forms: Sequence[Form],
    *,
    roster: Portfolio | None = None,
    config: Path | None = None,
    inputs: Sequence[Path] = (),
    outputs: Sequence[Path] = (),
) -> Verdict:
    """Check a portfolio as `kpixl check` does, and look for conflicts, blank projects and those of the roster missing.

    `config`: a kpixl.yaml; without it the one beside the portfolio. Raises KpixlError as `review` does.
    """
    found = review([path], forms, roster=roster, config=config, inputs=inputs, outputs=outputs)
    form, portfolio = found.form, found.portfolio
    listed = {project.id: project for project in roster.projects} if roster else {}
    blank = [project for project in portfolio.projects if is_blank(form, project, listed.get(project.id))]
    ids = {project.id for project in blank}
    known = {project.id for project in portfolio.projects}
    conflicts = [
        _problem("publish-conflict", path, form, project, differences=differences)
        for project in portfolio.projects
        for differences in conflicts_of(path).get(project.id, ())
    ]
    problems = [
        # What a blank project lacks follows from its being blank.
        *(problem for problem in for_people(found) if problem.project not in ids),
        *conflicts,
        *(_problem("publish-blank", path, form, project) for project in blank),
        *_missing(path, found, roster, known),
    ]
    published = replace(portfolio, projects=tuple(p for p in portfolio.projects if p.id not in ids))
    if not published.projects:
        problems.append(Problem("publish-nothing", Location(path.name)))
    is_open = not any(problem.severity is Severity.ERROR for problem in problems)
    return Verdict(form, published, tuple(problems), is_open)


def refusal(problems: Sequence[Problem]) -> Problem:
    """Sum up why nothing was written."""
    codes = [problem.code for problem in problems if problem.severity is Severity.ERROR]
    conflicts, blank, missing = (codes.count(code) for code in BLOCKING)
    errors = len(codes) - conflicts - blank - missing
    details = {"errors": errors, "conflicts": conflicts, "blank": blank, "missing": missing}
    return Problem("publish-refused", Location(), details)


def is_blank(form: Form, project: Project, listed: Project | None) -> bool:
    """Tell whether staff wrote nothing into a project: no row, no running text, nothing that the roster lacks.

    Without the roster, what the office may have filled in beforehand (names, choices, dates, amounts) is not counted.
    """
    if any(project.tables.values()):
        return False
    if listed is not None:
        return project.values == listed.values
    written = [key for key, field in form.fields.items() if field.lines > 1]
    return bool(form.tables or written) and all(project.values[key] is None for key in written)


def _missing(
    path: Path, found: Reviewed, roster: Portfolio | None, known: set[str]
) -> Iterator[Problem]:
    """Yield a problem for each project of the roster that the portfolio lacks, save those with nothing to report."""
    if roster is None:
        return
    reasons: Mapping[str, str] = match_declarations(
        found.form, roster, found.config.declarations, known, found.config.file
    ).reasons
    for project in roster.projects:
        if project.id not in known and project.id not in reasons:
            yield _problem("publish-missing", path, found.form, project)


def _problem(code: str, path: Path, form: Form, project: Project, **details: object) -> Problem:
    unit = unit_field(form)
    name = text_of(project.values[form.key_fields[0]])
    whose = text_of(project.values[unit.key]) if unit else ""
    place = Location(path.name, f"{project.id} {name}".strip())
    return Problem(code, place, {"id": project.id, "name": name, "unit": whose, **details}, project=project.id)
