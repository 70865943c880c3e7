"""Rule rate-at-least-100: a rate of at least 100%."""

from __future__ import annotations

from collections.abc import Iterator

from kpixl.checks.rule import Hit, Rule, Subject
from kpixl.checks.rules.measurability.rates import HUNDRED, Rates, rate_lines
from kpixl.keys import Key
from kpixl.problems.entry import Entry


def rate_at_least_100(p: Rates, subject: Subject) -> Iterator[Hit]:
    """Find ≥100 %."""
    for line, value in rate_lines(p, subject):
        if value == HUNDRED and line.operator == "≥":
            details = {"name": line.named, "target": line.target}
            yield Hit(Key(p.rows.table, line.number, p.rows.operator), details)


RULE = Rule(
    "rate-at-least-100",
    entry=Entry(
        "warning",
        "“{name}”的指标值是 {target}，比率不会高于 100%。",
        "请把计算符号改为“=”，或把指标值改为可以超过的数。",
        "{name} has the target {target}, but a rate cannot be more than 100%.",
        "Make the operator =, or the value one that can be exceeded.",
        category="measurability",
        title=("比率写作 ≥100%", "A rate of at least 100%"),
    ),
    parameters=Rates,
    find=rate_at_least_100,
)
