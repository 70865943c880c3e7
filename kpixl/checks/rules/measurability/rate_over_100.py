"""Rule rate-over-100: a rate over 100%."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from kpixl.checks.rule import Hit, Rule, Subject, shown
from kpixl.checks.rules.measurability.rates import HUNDRED, Rates, rate_lines
from kpixl.keys import Key
from kpixl.problems.entry import Entry


def rate_over_100(p: Rates, subject: Subject) -> Iterator[Hit]:
    """Find rates over 100 %; an operator that means more than 100 is one."""
    for line, value in rate_lines(p, subject):
        if value > HUNDRED or (value == HUNDRED and line.operator == ">"):
            details = {"name": line.named, "target": line.target, "value": shown(value), "meant": _misread(value)}
            yield Hit(Key(p.rows.table, line.number, p.rows.value), details)


def _misread(value: Decimal) -> tuple[str, str]:
    """Guess what was typed: a 2 in front may be a ≥ that was recognised badly."""
    rest = shown(value)[1:]
    if shown(value).startswith("2") and rest[:1].isdigit() and Decimal(rest) <= HUNDRED:
        return f"是否应为 ≥{rest}（“≥”误作“2”）", f"is it ≥{rest}, with the ≥ taken for a 2"
    return "是否多写了一位", "is there a digit too many"


RULE = Rule(
    "rate-over-100",
    entry=Entry(
        "error",
        "“{name}”的指标值是 {target}，比率不能超过 100%。",
        "请核对 {value}，{meant}？比率最高填 100。",
        "{name} has the target {target}; a rate cannot exceed 100%.",
        "Check {value}: {meant}? A rate is 100 at most.",
        category="measurability",
        title=("比率超过 100%", "A rate over 100%"),
    ),
    parameters=Rates,
    find=rate_over_100,
)
