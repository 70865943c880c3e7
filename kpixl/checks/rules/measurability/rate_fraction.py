"""Rule rate-fraction: a percentage written as a fraction."""

from __future__ import annotations

from collections.abc import Iterator

from kpixl.checks.rule import Hit, Rule, Subject
from kpixl.checks.rules.measurability.rates import Rates, rate_lines
from kpixl.forms.values import number_text
from kpixl.keys import Key
from kpixl.problems.entry import Entry


def rate_fraction(p: Rates, subject: Subject) -> Iterator[Hit]:
    """Find 0.95 % where 95 % is meant."""
    for line, value in rate_lines(p, subject):
        if 0 < value <= 1 and line.operator not in ("≤", "<"):
            details = {"name": line.named, "target": line.target, "meant": number_text(value * 100)}
            yield Hit(Key(p.rows.table, line.number, p.rows.value), details)


RULE = Rule(
    "rate-fraction",
    entry=Entry(
        "warning",
        "“{name}”的指标值是 {target}，像是 {meant}% 写成了小数。",
        "请填 {meant}，单位为 %。",
        "{name} has the target {target}, which looks like {meant}% written as a fraction.",
        "Type {meant} with the unit %.",
        category="measurability",
        title=("百分数写成小数", "A percentage written as a fraction"),
    ),
    parameters=Rates,
    find=rate_fraction,
)
