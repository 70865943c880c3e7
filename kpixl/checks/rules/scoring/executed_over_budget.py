"""Rule executed-over-budget: more was spent than budgeted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from kpixl.checks.parameters import FieldKey
from kpixl.checks.rule import Hit, Rule, Subject, shown
from kpixl.forms.definition import Value
from kpixl.forms.money import unit_text
from kpixl.keys import Key
from kpixl.problems.entry import Entry


@dataclass(frozen=True, slots=True)
class ExecutedOverBudget:
    """Pairs of amounts: what was executed and its budget."""

    pairs: tuple[tuple[FieldKey, FieldKey], ...]


def executed_over_budget(p: ExecutedOverBudget, subject: Subject) -> Iterator[Hit]:
    """Find amounts above their budget; a total only where none of its parts is."""
    values, money = subject.project.values, unit_text(subject.form.money)
    over = {executed: budget for executed, budget in p.pairs if _is_over(values[executed], values[budget])}
    for executed, budget in over.items():
        if over.keys().isdisjoint(subject.form.fields[executed].sum):
            details = {"label": subject.heading(executed), "amount": shown(values[executed]), "money": money}
            more = {"budget_label": subject.heading(budget), "budget": shown(values[budget])}
            yield Hit(Key(executed), {**details, **more})


def _is_over(executed: Value, budget: Value) -> bool:
    return isinstance(executed, Decimal) and isinstance(budget, Decimal) and executed > budget


RULE = Rule(
    "executed-over-budget",
    entry=Entry(
        "error",
        "“{label}”{amount} {money}，超过“{budget_label}”{budget} {money}。",
        "请核对两个金额；执行数不超过预算数，年中调整过的，全年预算数填调整后的数。",
        "{label} is {amount} {money}, more than {budget_label}, {budget}.",
        "Check both amounts: what was executed is at most the budget, as it was last adjusted.",
        category="scoring",
        title=("执行数超过预算数", "More was executed than budgeted"),
    ),
    parameters=ExecutedOverBudget,
    find=executed_over_budget,
    compares_amounts=True,
)
