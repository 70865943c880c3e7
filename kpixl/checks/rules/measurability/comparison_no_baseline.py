"""Rule comparison-no-baseline: a comparison without a baseline."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from kpixl.checks.parameters import Words
from kpixl.checks.rule import Hit, Roles, Rule, Subject
from kpixl.checks.rules.measurability.qualitative import text_values
from kpixl.keys import Key
from kpixl.problems.entry import Entry


@dataclass(frozen=True, slots=True)
class Comparison:
    """Words that compare with another time."""

    rows: Roles
    words: Words


def comparison_no_baseline(p: Comparison, subject: Subject) -> Iterator[Hit]:
    """Find comparisons without any number."""
    for line, text in text_values(p.rows, subject):
        if text in p.words and not any(c.isdigit() for c in text):
            yield Hit(Key(p.rows.table, line.number, p.rows.value), {"name": line.named, "value": line.value})


RULE = Rule(
    "comparison-no-baseline",
    entry=Entry(
        "warning",
        "“{name}”的指标值“{value}”有比较，没有基数。",
        "请写出上年的数和本年的数，例如“由上年 20 篇增至 25 篇”。",
        "The value {value} of {name} compares, but gives no baseline.",
        "Give last year's number and this year's.",
        category="measurability",
        title=("比较没有基数", "A comparison without a baseline"),
    ),
    parameters=Comparison,
    find=comparison_no_baseline,
)
