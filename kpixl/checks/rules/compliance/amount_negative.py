"""Rule amount-negative: a negative amount."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from kpixl.checks.parameters import FieldKey
from kpixl.checks.rule import Hit, Rule, Subject, shown
from kpixl.keys import Key
from kpixl.problems.entry import Entry


@dataclass(frozen=True, slots=True)
class Amounts:
    """Amounts that are 0 or more."""

    fields: tuple[FieldKey, ...]


def amount_negative(p: Amounts, subject: Subject) -> Iterator[Hit]:
    """Find negative amounts; a total only where none of its parts is one."""
    values = subject.project.values
    negative = {key for key, value in values.items() if isinstance(value, Decimal) and value < 0}
    for key in p.fields:
        if key in negative and not negative.intersection(subject.form.fields[key].sum):
            yield Hit(Key(key), {"label": subject.heading(key), "amount": shown(values[key])})


RULE = Rule(
    "amount-negative",
    entry=Entry(
        "error",
        "“{label}”是负数：{amount}。",
        "请核对正负号；金额填 0 或正数。",
        "{label} is negative: {amount}.",
        "Check the sign; an amount is 0 or more.",
        category="compliance",
        title=("金额是负数", "A negative amount"),
    ),
    parameters=Amounts,
    find=amount_negative,
)
