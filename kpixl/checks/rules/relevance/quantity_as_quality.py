"""Rule quantity-as-quality: a quantity among the qualities."""

from __future__ import annotations

from kpixl.checks.rule import Rule
from kpixl.checks.rules.relevance.misplaced import Misplaced, misplaced
from kpixl.problems.entry import Entry

RULE = Rule(
    "quantity-as-quality",
    entry=Entry(
        "warning",
        "“{name}”像是数量，放在“{level}”下。",
        "请移到{better}，或改为说明做得多好的指标。",
        "{name} looks like a quantity, but stands under {level}.",
        "Move it to {better}, or replace it by one that says how well.",
        category="relevance",
        title=("数量放在质量指标下", "A quantity among the qualities"),
    ),
    parameters=Misplaced,
    find=misplaced,
)
