"""The gate: what is published has passed the checks; whatever has not is named, and nothing is written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

from kpixl.collection.consolidate import disputes_of
from kpixl.collection.nothing_to_report import match_declarations
from kpixl.collection.review import for_people, review
from kpixl.forms.definition import Form
from kpixl.forms.names import unit_field
from kpixl.forms.values import text_of
from kpixl.output.publish.model import long_fields
from kpixl.portfolio.model import Portfolio, Project
from kpixl.problems import Location, Problem, Severity

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
    conflicts = disputes_of(path)
    reasons: Mapping[str, str] = {}
    if roster is not None:
        known = {project.id for project in found.portfolio.projects}
        declarations, file = found.config.declarations, found.config.file
        reasons = match_declarations(found.form, roster, declarations, known, file).reasons
    return judge(found.form, found.portfolio, for_people(found), Location(path.name), roster, reasons, conflicts)


def judge(
    form: Form,
    portfolio: Portfolio,
    found: Sequence[Problem],
    place: Location,
    roster: Portfolio | None = None,
    reasons: Mapping[str, str] = MappingProxyType({}),
    conflicts: Mapping[str, Sequence[str]] = MappingProxyType({}),
) -> Verdict:
    """Judge a portfolio by the problems `found` in it and by the roster.

    `place`: of the portfolio; `reasons`: by project of the roster, why nothing is to be reported of it; `conflicts`: by
    project, how the versions that came back differ.
    """
    listed = {project.id: project for project in roster.projects} if roster else {}
    blank = {project.id for project in portfolio.projects if is_blank(form, project, listed.get(project.id))}
    known = {project.id for project in portfolio.projects}
    published = replace(portfolio, projects=tuple(p for p in portfolio.projects if p.id not in blank))
    problems = [
        # What a blank project lacks follows from its being blank.
        *(problem for problem in found if problem.project not in blank),
        *(
            _problem("publish-conflict", place, form, project, differences=differences)
            for project in published.projects
            for differences in conflicts.get(project.id, ())
        ),
        *(_problem("publish-blank", place, form, p) for p in portfolio.projects if p.id in blank),
        *(_problem("publish-missing", place, form, listed[i]) for i in listed if i not in known and i not in reasons),
    ]
    if not portfolio.projects:
        problems.append(Problem("publish-nothing", place))
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
    """Return whether staff wrote nothing into a project: no row, no running text, no value that the roster lacks.

    Without the roster, what the office may have filled in beforehand (names, choices, dates, amounts) is not counted.
    """
    long = long_fields(form)
    if any(project.tables.values()) or not (form.tables or long):
        return False
    prefilled = form.fields.keys() - long if listed is None else {k for k, v in listed.values.items() if v is not None}
    return all(value is None or key in prefilled for key, value in project.values.items())


def _problem(code: str, place: Location, form: Form, project: Project, **details: object) -> Problem:
    unit = unit_field(form)
    name = text_of(project.values[form.key_fields[0]])
    whose = text_of(project.values[unit.key]) if unit else ""
    place = replace(place, sheet=f"{project.id} {name}".strip())
    return Problem(code, place, {"id": project.id, "name": name, "unit": whose, **details}, project=project.id)
