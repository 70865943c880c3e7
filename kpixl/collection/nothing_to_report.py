"""Of what nothing is to be reported: the declarations of kpixl.yaml against the roster and what came back."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

from kpixl.checks.configuration import Declaration
from kpixl.forms.definition import Form
from kpixl.forms.names import unit_field
from kpixl.forms.values import fold, text_of
from kpixl.portfolio.model import Portfolio
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
