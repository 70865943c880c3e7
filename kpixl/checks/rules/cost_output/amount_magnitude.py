"""Rule amount-magnitude: yuan and ten thousand yuan may be mixed up."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from kpixl.checks.rule import Hit, Rule, Subject
from kpixl.checks.rules.cost_output.amounts import Amount, ten_thousand_fold
from kpixl.forms.money import unit_text
from kpixl.forms.values import number_text
from kpixl.keys import Key
from kpixl.problems.entry import Entry


def amount_magnitude(p: Amount, subject: Subject) -> Iterator[Hit]:
    """Find amounts that are ten thousand times the roster's, or a ten thousandth of it."""
    amount = subject.project.values[p.field]
    listed = subject.listed.values.get(p.field) if subject.listed else None
    if not isinstance(amount, Decimal) or not isinstance(listed, Decimal):
        return
    if ten_thousand_fold(amount, listed):
        details = {"label": subject.heading(p.field), "money": unit_text(subject.form.money)}
        details |= {"amount": number_text(amount), "expected": number_text(listed)}
        yield Hit(Key(p.field), details)


RULE = Rule(
    "amount-magnitude",
    entry=Entry(
        "warning",
        "“{label}”为 {amount} {money}，项目名册中为 {expected} {money}，相差约一万倍。",
        "请核对是否把万元和元弄混：以{money}为单位应填 {expected}。",
        "{label} is {amount} {money}, in the roster {expected}: about ten thousand times as much or as little.",
        "Check whether 万元 and 元 were mixed up: in {money} it would be {expected}.",
        category="cost-output",
        title=("元与万元可能弄混", "Yuan and ten thousand yuan may be mixed up"),
    ),
    parameters=Amount,
    find=amount_magnitude,
    compares_amounts=True,
)
