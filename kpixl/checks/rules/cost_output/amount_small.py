"""Rule amount-small: an amount too small to be in yuan."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from kpixl.checks.rule import ROOTS, Hit, Rule, Subject
from kpixl.checks.rules.cost_output.amounts import TEN_THOUSAND, Amount
from kpixl.forms.money import ten_thousand_times, unit_text
from kpixl.forms.values import number_text
from kpixl.keys import Key
from kpixl.problems.entry import Entry


def amount_small(p: Amount, subject: Subject) -> Iterator[Hit]:
    """Find amounts too small to be in yuan, where no roster gives another."""
    amount = subject.project.values[p.field]
    if isinstance(amount, Decimal) and 0 < amount < p.below:
        if subject.listed and subject.listed.values.get(p.field) == amount:
            return
        unit, label = subject.form.money, subject.heading(p.field)
        details: dict[str, object] = {"label": label, "amount": number_text(amount)}
        details |= {"meant": number_text(amount * TEN_THOUSAND)}
        details |= {"money": unit_text(unit), "larger": ten_thousand_times(unit).name}
        yield Hit(Key(p.field), details)


RULE = Rule(
    "amount-small",
    entry=Entry(
        "warning",
        "“{label}”只有 {amount} {money}，像是以{larger}填写的。",
        "请以{money}为单位填写，例如 {meant}。",
        "{label} is only {amount} {money}, as if it had been typed in {larger}.",
        "Type it in {money}, for example {meant}.",
        category="cost-output",
        title=("金额过小", "An amount too small to be in yuan"),
    ),
    parameters=Amount,
    find=amount_small,
    yields_to=ROOTS | {"amount-magnitude"},
    compares_amounts=True,
)
