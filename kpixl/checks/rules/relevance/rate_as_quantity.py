"""Rule rate-as-quantity: a rate among the quantities."""

from __future__ import annotations

from kpixl.checks.rule import Rule
from kpixl.checks.rules.relevance.misplaced import Misplaced, misplaced
from kpixl.problems.entry import Entry

RULE = Rule(
    "rate-as-quantity",
    entry=Entry(
        "warning",
        "“{name}”像是比率，放在“{level}”下。",
        "请移到{better}，另为“{level}”写一条说明做多少的指标。",
        "{name} looks like a rate, but stands under {level}.",
        "Move it to {better}, and give {level} an indicator that says how much.",
        category="relevance",
        title=("比率放在数量指标下", "A rate among the quantities"),
    ),
    parameters=Misplaced,
    find=misplaced,
)
