"""Rule sum-mismatch: a total differs from its parts."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from kpixl.checks.rule import Hit, NoParameters, Rule, Subject
from kpixl.forms.values import number_text, total
from kpixl.keys import Key
from kpixl.problems.entry import Entry


def sums(_: NoParameters, subject: Subject) -> Iterator[Hit]:
    """Find totals that differ from the sum of their parts; silent where a part could not be read."""
    form, project = subject.form, subject.project
    for key, field in form.fields.items():
        if not field.sum:
            continue
        amount, parts = project.values[key], [project.values[part] for part in field.sum]
        if not isinstance(amount, Decimal) or any(isinstance(part, str) for part in parts):
            continue
        added = total(parts)
        if added is not None and added != amount:
            yield Hit(
                Key(key),
                {
                    "label": field.heading,
                    "amount": number_text(amount),
                    "sum": number_text(added),
                    "difference": number_text(amount - added),
                    "parts": "、".join(form.fields[part].heading for part in field.sum),
                },
            )


RULE = Rule(
    "sum-mismatch",
    entry=Entry(
        "error",
        "“{label}”为 {amount}，各分项之和为 {sum}，相差 {difference}。",
        "请改正分项（{parts}），或将合计改为 {sum}。",
        "{label} is {amount}, its parts add up to {sum}, a difference of {difference}.",
        "Correct a part ({parts}), or set the total to {sum}.",
        category="compliance",
        title=("合计与分项不符", "A total differs from its parts"),
    ),
    parameters=NoParameters,
    find=sums,
    compares_amounts=True,
)
