"""Rule amount-small: an amount too small to be in yuan."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from kpixl.checks.rule import ROOTS, Hit, Rule, Subject
from kpixl.checks.rules.cost_output.amounts import WAN, Amount
from kpixl.entry import Entry
from kpixl.values import number_text


def amount_small(p: Amount, subject: Subject) -> Iterator[Hit]:
    """Find amounts too small to be in yuan, where no roster says otherwise."""
    amount = subject.project.values[p.field]
    if isinstance(amount, Decimal) and 0 < amount < p.below:
        if subject.listed and subject.listed.values.get(p.field) == amount:
            return
        details = {"label": subject.heading(p.field), "amount": number_text(amount), "meant": number_text(amount * WAN)}
        yield Hit(p.field, details)


RULE = Rule(
    "amount-small",
    entry=Entry(
        "warning",
        "“{label}”只有 {amount} 元，像是以万元填写的。",
        "请以元为单位填写，例如 {meant}。",
        "{label} is only {amount} yuan, as if it had been typed in 万元.",
        "Type it in yuan, for example {meant}.",
        category="cost-output",
        title=("金额过小", "An amount too small to be in yuan"),
    ),
    parameters=Amount,
    find=amount_small,
    yields_to=ROOTS | {"amount-magnitude"},
    compares_amounts=True,
)
