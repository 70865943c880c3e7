"""The roster as it is, beside the roster as it was sent: what is new, gone and changed since.

Values are merged with what was sent (the base); who is expected, and in which order, is the roster as it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from kpixl.forms.definition import Form
from kpixl.forms.values import text_of
from kpixl.portfolio.canonical import complete
from kpixl.portfolio.model import Portfolio, Project
from kpixl.portfolio.three_way import changes
from kpixl.portfolio.wording import label_of, shown
from kpixl.problems import Location, Problem
from kpixl.texts import Text

MAX_CHANGES = 12  # values of one project that a message names


def as_sent(roster: Portfolio, sent: Portfolio | None) -> Portfolio:
    """Return every project as it was first sent, in the order of the roster; those that it has no more come last.

    The first time counts: what a later template had filled in otherwise is a change like any other.
    """
    before = _by_id(sent)
    known = [before.get(project.id, project) for project in roster.projects]
    ids = {project.id for project in known}
    return replace(roster, projects=(*known, *(p for p in before.values() if p.id not in ids)))


def roster_problems(form: Form, roster: Portfolio | None, sent: Portfolio | None) -> list[Problem]:
    """Report each project that was put into the roster, taken out of it or changed since the workbooks went out."""
    if sent is None or roster is None:
        return []
    now, before = _by_id(roster), _by_id(sent)
    new = (project for project in roster.projects if project.id not in before)
    problems = [Problem("roster-new", Location(), _named(form, project), project=project.id) for project in new]
    for project in sent.projects:
        current = now.get(project.id)
        if current is None:
            problems.append(Problem("roster-removed", Location(), _named(form, project), project=project.id))
        elif texts := list(_changes(form, project, current)):
            details = {**_named(form, current), "changes": _joined(texts)}
            problems.append(Problem("roster-changed", Location(), details, project=project.id))
    return problems


def _changes(form: Form, sent: Project, now: Project) -> Iterator[Text]:
    for choice, old, _ in changes(form, complete(form, sent), complete(form, now)):
        label = label_of(form, choice.address)
        (old_zh, old_en), (new_zh, new_en) = shown(old), shown(choice.value)
        yield f"{label} {old_zh} → {new_zh}", f"{label} {old_en} → {new_en}"


def _joined(texts: list[Text]) -> Text:
    more = "……" if len(texts) > MAX_CHANGES else ""
    zh, en = zip(*texts[:MAX_CHANGES], strict=True)
    return "；".join(zh) + more, "; ".join(en) + more


def _named(form: Form, project: Project) -> Mapping[str, object]:
    return {"id": project.id, "name": text_of(project.values[form.key_fields[0]])}


def _by_id(portfolio: Portfolio | None) -> dict[str, Project]:
    return {project.id: project for project in portfolio.projects} if portfolio is not None else {}
