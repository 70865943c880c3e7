"""What did not come back, and of what nothing is to be reported: kpixl.yaml and the roster against what came back."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from kpixl.checks.configuration import Config, Declaration
from kpixl.files import natural_key
from kpixl.forms.definition import Form
from kpixl.forms.names import unit_field
from kpixl.forms.values import fold, text_of
from kpixl.portfolio import sheet_id as sheet_ids
from kpixl.portfolio.model import Portfolio, Project
from kpixl.problems import Location, Problem
from kpixl.texts import Text

_MEANT: Text = ("是否应为“{near}”？", "Did you mean {near}?")
_LOOK: Text = (
    "请按项目名册核对单位名称或项目编号。",
    "Check the name of the unit or the project's id against the roster.",
)


class Declared(NamedTuple):
    """Matched declarations: the reason for each project (by id) that has none to report, and what has to be said."""

    reasons: dict[str, str]
    problems: tuple[Problem, ...]


def declared_of(form: Form, roster: Portfolio | None, config: Config, returned: Collection[str]) -> Declared:
    """Match what the office has declared with its roster; without a roster nobody knows what is to be expected."""
    if roster is None:
        return Declared({}, ())
    return match_declarations(form, roster, config.declarations, returned, config.file)


def absence_problems(form: Form, absent: Iterable[Project], reasons: Mapping[str, str]) -> list[Problem]:
    """Report each project that did not come back: as missing, or with the reason why there is nothing to report."""
    return [
        _absence(form, project, reasons.get(project.id)) for project in sorted(absent, key=lambda p: natural_key(p.id))
    ]


def _absence(form: Form, project: Project, reason: str | None) -> Problem:
    details = {
        "id": project.id,
        "name": text_of(sheet_ids.name_of(form, project)),
        "unit": "、".join(text_of(project.values[key]) for key in form.key_fields[1:]),
    }
    if reason is None:
        return Problem("not-returned", Location(), details, project=project.id)
    return Problem("nothing-to-report", Location(), {**details, "reason": reason}, project=project.id)


def match_declarations(
    form: Form, roster: Portfolio, declarations: Sequence[Declaration], returned: Collection[str], file: str | None
) -> Declared:
    """Match declarations with the roster's projects. `returned`: the ids of those that came back, which always count.

    `file`: where the declarations stand. What matches nothing is reported, and what came back all the same.
    """
    reasons: dict[str, str] = {}
    problems = []
    units, ids = _units(form, roster), {p.id: [p.id] for p in roster.projects}
    for declaration in declarations:
        by_unit = declaration.unit is not None
        name = (declaration.unit if by_unit else declaration.project) or ""
        meant = (units if by_unit else ids).get(fold(name) if by_unit else name, [])
        details: dict[str, object] = {"line": declaration.line, "name": name}
        if not meant:
            suggestion = _suggestion(name, _unit_names(form, roster) if by_unit else ids)
            problems.append(Problem("declaration-unknown", Location(file), {**details, "suggestion": suggestion}))
        if back := [i for i in meant if i in returned]:
            problems.append(Problem("declaration-contradicted", Location(file), {**details, "ids": ", ".join(back)}))
        reasons = {i: declaration.reason for i in meant if i not in returned} | reasons
    return Declared(reasons, tuple(problems))


def _units(form: Form, roster: Portfolio) -> dict[str, list[str]]:
    """Map each folded unit to the ids of its projects."""
    units: dict[str, list[str]] = {}
    if (field := unit_field(form)) is not None:
        for project in roster.projects:
            if name := fold(text_of(project.values[field.key])):
                units.setdefault(name, []).append(project.id)
    return units


def _unit_names(form: Form, roster: Portfolio) -> list[str]:
    field = unit_field(form)
    return [] if field is None else list(dict.fromkeys(text_of(p.values[field.key]) for p in roster.projects))


def _suggestion(name: str, known: Iterable[str]) -> Text:
    near = difflib.get_close_matches(name, known, 1)
    return (_MEANT[0].format(near=near[0]), _MEANT[1].format(near=near[0])) if near else _LOOK
