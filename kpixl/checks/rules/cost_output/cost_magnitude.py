"""Rule cost-magnitude: a cost in the wrong one of yuan and ten thousand yuan."""

from __future__ import annotations

from collections.abc import Iterator

from kpixl.checks.rule import Hit, Rule, Subject
from kpixl.checks.rules.cost_output.amounts import ten_thousand_fold
from kpixl.checks.rules.cost_output.costs import DOUBT_AMOUNTS, CostOver, total_costs
from kpixl.problems.entry import Entry


def cost_magnitude(p: CostOver, subject: Subject) -> Iterator[Hit]:
    """Find total costs that are ten thousand times the amount that is asked for, or a ten thousandth of it."""
    return (hit for cost, amount, hit in total_costs(p, subject) if ten_thousand_fold(cost, amount))


RULE = Rule(
    "cost-magnitude",
    entry=Entry(
        "warning",
        "“{name}”的指标值折合 {cost} {money}，“{label}”为 {amount} {money}，相差约一万倍。",
        "请核对是否把元和万元弄混，改正指标值或计量单位。",
        "{name} comes to {cost} {money}, {label} is {amount}: about ten thousand times as much or as little.",
        "Check whether 元 and 万元 were mixed up; correct the value or its unit.",
        category="cost-output",
        title=("成本指标元与万元弄混", "A cost in the wrong one of yuan and ten thousand yuan"),
    ),
    parameters=CostOver,
    find=cost_magnitude,
    follows=DOUBT_AMOUNTS,
    compares_amounts=True,
)
