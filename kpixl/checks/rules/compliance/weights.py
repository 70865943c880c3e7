"""Rule weights: weights do not add up."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from kpixl.checks.rule import Hit, Rule, Subject
from kpixl.forms.values import number_text, total
from kpixl.keys import Key
from kpixl.problems.entry import Entry


@dataclass(frozen=True, slots=True)
class Weights:
    """A column of numbers and what they add up to."""

    table: str
    column: str
    total: Decimal


def weights(p: Weights, subject: Subject) -> Iterator[Hit]:
    """Find weights that do not add up; silent where one is blank or no number."""
    values = [row[p.column] for row in subject.project.tables[p.table]]
    if not values or any(not isinstance(value, Decimal) for value in values):
        return
    if (added := total(values)) is not None and added != p.total:
        label = subject.form.tables[p.table].columns[p.column].label
        details = {"label": label, "sum": number_text(added), "total": number_text(p.total)}
        yield Hit(Key(p.table, 0, p.column), details)


RULE = Rule(
    "weights",
    entry=Entry(
        "error",
        "“{label}”合计 {sum}，应为 {total}。",
        "请调整各条的{label}，使合计为 {total}。",
        "{label} adds up to {sum}, not {total}.",
        "Change the rows so that they add up to {total}.",
        category="compliance",
        title=("权重合计不对", "Weights do not add up"),
    ),
    parameters=Weights,
    find=weights,
)
