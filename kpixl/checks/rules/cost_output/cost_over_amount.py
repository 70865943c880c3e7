"""Rule cost-over-amount: the cost exceeds the amount asked for."""

from __future__ import annotations

from collections.abc import Iterator

from kpixl.checks.rule import ROOTS, Hit, Rule, Subject
from kpixl.checks.rules.cost_output.costs import DOUBT_AMOUNTS, CostOver, total_costs
from kpixl.problems.entry import Entry


def cost_over_amount(p: CostOver, subject: Subject) -> Iterator[Hit]:
    """Find total costs above the amount that is asked for."""
    return (hit for cost, amount, hit in total_costs(p, subject) if cost > amount)


RULE = Rule(
    "cost-over-amount",
    entry=Entry(
        "warning",
        "“{name}”的指标值折合 {cost} {money}，超过“{label}”{amount} {money}。",
        "请改正成本指标，不超过 {amount} {money}。",
        "{name} comes to {cost} {money}, more than {label}, {amount}.",
        "Correct the cost indicator: at most {amount} yuan.",
        category="cost-output",
        title=("成本超过申请资金", "The cost exceeds the amount asked for"),
    ),
    parameters=CostOver,
    find=cost_over_amount,
    yields_to=ROOTS | {"cost-magnitude"},
    follows=DOUBT_AMOUNTS,
    compares_amounts=True,
)
