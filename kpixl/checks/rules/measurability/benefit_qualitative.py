"""Rule benefit-qualitative: every benefit indicator is qualitative."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from kpixl.checks.parameters import Item
from kpixl.checks.rule import Hit, Roles, Rule, Subject
from kpixl.keys import Key
from kpixl.problems.entry import Entry


@dataclass(frozen=True, slots=True)
class AllQualitative:
    """An item of level 1 of which at least one row has a number."""

    rows: Roles
    level: Item


def benefit_qualitative(p: AllQualitative, subject: Subject) -> Iterator[Hit]:
    """Find projects of which every row of the level is text."""
    lines = [line for line in subject.lines[p.rows.table] if line.level1 == p.level and line.value is not None]
    if lines and all(isinstance(line.value, str) for line in lines):
        key = Key(p.rows.table, lines[0].number, p.rows.value)
        yield Hit(key, {"count": len(lines), "level": p.level})


RULE = Rule(
    "benefit-qualitative",
    entry=Entry(
        "info",
        "{count} 条{level}全部是文字描述，没有一条有数字。",
        "请至少给一条{level}定数字和单位。",
        "None of the {level} ({count}) has a number.",
        "Give at least one of them a number and a unit.",
        category="measurability",
        title=("效益指标全部定性", "Every benefit indicator is qualitative"),
    ),
    parameters=AllQualitative,
    find=benefit_qualitative,
)
