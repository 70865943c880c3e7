"""Write the roster of a new year, with the year before beside it, and tell what changed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

from kpixl.disk import Output, Written, commit
from kpixl.forms.values import text_of, to_yaml
from kpixl.portfolio import canonical
from kpixl.portfolio.rollover import Carried, Rollover, RolloverFate, last_year_path
from kpixl.problems import Problem
from kpixl.texts import Text, say

FATES: dict[RolloverFate, Text] = {
    RolloverFate.EMPTIED: ("已清空，原为 {old}", "emptied, was {old}"),
    RolloverFate.MOVED: ("{old} → {new}", "{old} → {new}"),
    RolloverFate.KEPT: ("未改动，请核对：{old}", "left as it is, please check: {old}"),
    RolloverFate.LOST: ("新表式没有此项，未带入：{old}", "the new form has no place for it: {old}"),
}
COUNTED: Text = (
    "{projects} 个项目：清空 {emptied} 项，改年度 {moved} 项，未改动待核对 {kept} 项，未带入 {lost} 项。",
    "Projects: {projects}. Values emptied: {emptied}; moved to {year}: {moved}; to check: {kept}; lost: {lost}.",
)


def write_rollover(rolled: Rollover, out: Path, *, lang: str, today: date) -> tuple[list[Written], list[Problem]]:
    """Write the roster to `out`, and beside it the year before, from where `kpixl template` takes its notes."""
    outputs = [
        Output(out, canonical.dumps(rolled.form, rolled.roster).encode(), "roster"),
        Output(last_year_path(out), canonical.dumps(rolled.form, rolled.last).encode(), "last-year"),
    ]
    return commit(outputs, lang=lang, today=today)


def rollover_lines(rolled: Rollover, lang: str) -> Iterator[str]:
    """Yield a line for every value that is not as it was, below its project, and the counts."""
    names = {p.id: " ".join(text_of(p.values[rolled.form.key_fields[0]]).split()) for p in rolled.last.projects}
    project = None
    for change in rolled.changes:
        if change.project != project:
            project = change.project
            yield f"{project}  {names[project]}"
        texts = {"old": _on_one_line(change.old), "new": _on_one_line(change.new)}
        yield f"  {change.label}: {say(FATES[change.fate], lang, **texts)}"
    counts = {str(fate): sum(change.fate is fate for change in rolled.changes) for fate in RolloverFate}
    yield say(COUNTED, lang, projects=len(rolled.roster.projects), year=rolled.roster.year, **counts)


def _on_one_line(value: Any) -> str:
    return " ".join(text_of(value).split())


def rollover_data(rolled: Rollover) -> dict[str, Any]:
    """Turn what changed into JSON data."""

    def data(change: Carried) -> dict[str, Any]:
        return {
            "project": change.project,
            "key": str(change.key),
            "label": change.label,
            "old": to_yaml(change.old),
            "new": to_yaml(change.new),
            "fate": str(change.fate),
        }

    return {
        "form": rolled.form.id,
        "year": rolled.roster.year,
        "projects": len(rolled.roster.projects),
        "changes": [data(change) for change in rolled.changes],
    }
