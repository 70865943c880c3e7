"""What somebody changed by hand in the YAML of the last run -> decisions, so that the next run keeps it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from kpixl.collection.decisions import BY_YAML, PROJECT, Decision
from kpixl.forms.definition import Form
from kpixl.inputs import read_input
from kpixl.portfolio import canonical
from kpixl.portfolio.merge_model import DELETE, Choice
from kpixl.portfolio.model import Portfolio
from kpixl.portfolio.three_way import changes
from kpixl.problems import KpixlError, Location, Problem
from kpixl.texts import Text

_ADDED: Text = ("增加的项目 {id}", "adding project {id}")
_HEAD: Text = ("修改的年度或单位", "changing year or organisation")


def written_path(portfolio: Path) -> Path:
    """Return where the text of a portfolio is kept as it was written, to see what was edited since: beside it."""
    return portfolio.with_name(f".{portfolio.stem}.written.yaml")


def hand_edits(form: Form, path: Path, today: str, known: bool) -> tuple[list[Decision], list[Problem]]:
    """Compare a portfolio file with what the last run wrote. `known`: whether an earlier run wrote another text there.

    Raises KpixlError where the edited text cannot be read: it must be corrected before anything replaces it.
    """
    previous = written_path(path)
    if not path.is_file():
        return [], []
    if not previous.is_file():
        details = {"path": path.name, "previous": previous.name}
        return [], [Problem("yaml-edits-unknown", Location(path.name), details)] if known else []
    if read_input(previous) == read_input(path):
        return [], []
    try:
        old = canonical.load(previous, lambda _: form)[1]
    except KpixlError:
        details = {"path": path.name, "previous": previous.name}
        return [], [Problem("yaml-edits-unknown", Location(path.name), details)]
    if old.form != form.id:
        return [], []
    edited = canonical.load(path, lambda _: form)[1]
    return list(_decisions(form, old, edited, today)), list(_refused(path, old, edited))


def _decisions(form: Form, old: Portfolio, edited: Portfolio, today: str) -> Iterator[Decision]:
    after = {project.id: project for project in edited.projects}
    for project in old.projects:
        changed = after.get(project.id)
        if changed is None:
            yield Decision(project.id, Choice(PROJECT, DELETE), by=BY_YAML, date=today)
        elif changed != project:
            for choice, was, _ in changes(form, project, changed):
                yield Decision(project.id, choice, by=BY_YAML, date=today, was=was)


def _refused(path: Path, old: Portfolio, edited: Portfolio) -> Iterator[Problem]:
    known = {project.id for project in old.projects}
    what = [tuple(t.format(id=p.id) for t in _ADDED) for p in edited.projects if p.id not in known]
    if (old.year, old.organization) != (edited.year, edited.organization):
        what.append(_HEAD)
    for text in what:
        yield Problem("yaml-edit-refused", Location(path.name), {"path": path.name, "what": text})
