"""Rule level-missing: a kind of indicator is missing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from kpixl.checks.parameters import Item
from kpixl.checks.rule import Hit, Roles, Rule, Subject
from kpixl.keys import Key
from kpixl.portfolio.model import waiting_row
from kpixl.problems.entry import Entry


@dataclass(frozen=True, slots=True)
class LevelMissing:
    """A kind of indicator that each project has: an item of level 1 or of level 2."""

    rows: Roles
    level: Item


def level_missing(p: LevelMissing, subject: Subject) -> Iterator[Hit]:
    """Find projects without a row of the level; silent where a row may be the one: its level is blank, not one of
    the list, or belongs to another."""
    columns = subject.form.tables[p.rows.table].columns
    lines = subject.lines[p.rows.table]
    if any(p.level in (line.level1, line.level2) for line in lines):
        return
    for key in (p.rows.level1, p.rows.level2):
        items = subject.form.choices[columns[key].choices or ""].items
        if any(line.row[key] not in items for line in lines):
            return
    below = subject.form.choices[columns[p.rows.level2].choices or ""].children
    for line in lines:
        own = below.get(line.level1, ())
        if line.level2 not in own and p.level in own:
            return
    example = _example(subject, p)
    details = ("，例如“{0}”", ", for example {0}") if example else ("", "")
    zh, en = (text.format(example) for text in details)
    yield Hit(Key(p.rows.table), {"level": p.level, "example": (zh, en)}, waiting_row(p.rows.table, p.level))


def _example(subject: Subject, p: LevelMissing) -> str:
    """Return a usual name for such a row, from the form's own lists."""
    columns = subject.form.tables[p.rows.table].columns
    below: list[str] = [p.level]
    for key in (p.rows.level2, p.rows.name):
        name = columns[key].choices
        children = subject.form.choices[name].children if name else {}
        below = list(children.get(below[0], below)) or below
    return below[0] if below[0] != p.level else ""


RULE = Rule(
    "level-missing",
    entry=Entry(
        "warning",
        "没有“{level}”。",
        "请增加一条{level}{example}，表中已列出该级别的，直接往下填；确不适用的，请在表右侧的“说明”中写明理由，由财务核定。",
        "There is no {level}.",
        "Add a row of {level}{example}, or go on with the one that is there; where it does not apply, say why in 说明 "
        "beside the form, and the office decides.",
        category="completeness",
        title=("缺少某类指标", "A kind of indicator is missing"),
    ),
    parameters=LevelMissing,
    find=level_missing,
)
