"""Rule indicator-duplicate: the same indicator twice."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from kpixl.checks.rule import Hit, Roles, Rule, Subject
from kpixl.keys import Key
from kpixl.problems.entry import Entry


@dataclass(frozen=True, slots=True)
class Duplicates:
    """The table in which no name is repeated."""

    rows: Roles


def indicator_duplicate(p: Duplicates, subject: Subject) -> Iterator[Hit]:
    """Find names that are in several rows; one hit, at the second."""
    places: dict[str, list[int]] = {}
    for line in subject.lines[p.rows.table]:
        if line.name:
            places.setdefault(line.folded, []).append(line.number)
    for numbers in places.values():
        if len(numbers) > 1:
            rows = "、".join(str(number + 1) for number in numbers)
            name = subject.lines[p.rows.table][numbers[0]].name
            details = {"name": name, "count": len(numbers), "rows": rows}
            yield Hit(Key(p.rows.table, numbers[1], p.rows.name), details)


RULE = Rule(
    "indicator-duplicate",
    entry=Entry(
        "warning",
        "指标“{name}”写了 {count} 次（第 {rows} 条）。",
        "请删除重复的一条，或把名称写得能够区分。",
        "The indicator {name} stands {count} times (rows {rows}).",
        "Delete the repeated one, or give them names that differ.",
        category="relevance",
        title=("指标重复", "The same indicator twice"),
    ),
    parameters=Duplicates,
    find=indicator_duplicate,
)
