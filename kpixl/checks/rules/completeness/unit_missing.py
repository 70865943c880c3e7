"""Rule unit-missing: the unit is missing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from kpixl.checks.parameters import NO_WORDS, Words
from kpixl.checks.rule import Hit, Roles, Rule, Subject, shown
from kpixl.checks.rules.completeness.rows import numeric_lines
from kpixl.keys import Key
from kpixl.problems.entry import Entry


@dataclass(frozen=True, slots=True)
class UnitMissing:
    """A unit to name as an example; `unless`: names whose numbers have no unit."""

    rows: Roles
    example: str
    unless: Words = NO_WORDS


def unit_missing(p: UnitMissing, subject: Subject) -> Iterator[Hit]:
    """Find numbers without a unit."""
    label = subject.form.tables[p.rows.table].columns[p.rows.unit].label
    for line in numeric_lines(p.rows, subject):
        if line.unit is None and line.folded not in p.unless:
            details = {"name": line.named, "value": shown(line.value), "label": label, "example": p.example}
            yield Hit(Key(p.rows.table, line.number, p.rows.unit), details)


RULE = Rule(
    "unit-missing",
    entry=Entry(
        "warning",
        "“{name}”的指标值 {value} 没有计量单位。",
        "请在“{label}”中填写单位，例如 {example}。",
        "The value {value} of {name} has no unit.",
        "Type a unit into {label}, for example {example}.",
        category="completeness",
        title=("缺少计量单位", "The unit is missing"),
    ),
    parameters=UnitMissing,
    find=unit_missing,
)
