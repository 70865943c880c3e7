"""Rule execution-rate: a rate of execution that does not follow from its amounts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal, localcontext

from kpixl.checks.parameters import FieldKey
from kpixl.checks.rule import ROOTS, Hit, Rule, Subject
from kpixl.forms.types import FIELD_TYPES
from kpixl.forms.values import number_text
from kpixl.keys import Key
from kpixl.problems.entry import Entry

_PRECISION = 40  # digits of a ratio; two decimals of it count
_CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class ExecutionRate:
    """A rate, what it is the rate of, and by how many per cent it may differ for rounding."""

    rate: FieldKey
    executed: FieldKey
    budget: FieldKey
    tolerance: Decimal


def execution_rate(p: ExecutionRate, subject: Subject) -> Iterator[Hit]:
    """Find a typed rate that is not executed by budget; one that is not of type percent counts one as all."""
    values, form = subject.project.values, subject.form
    rate, executed, budget = (values[key] for key in (p.rate, p.executed, p.budget))
    if not isinstance(rate, Decimal) or not isinstance(executed, Decimal) or not isinstance(budget, Decimal):
        return
    if budget <= 0:
        return
    with localcontext(prec=_PRECISION):
        typed = rate if FIELD_TYPES[form.fields[p.rate].type].in_percent else rate * 100
        computed = (executed / budget * 100).quantize(_CENT, ROUND_HALF_UP)
    if abs(typed - computed) > p.tolerance:
        details = {"label": subject.heading(p.rate), "rate": number_text(typed), "computed": number_text(computed)}
        yield Hit(Key(p.rate), details)


RULE = Rule(
    "execution-rate",
    entry=Entry(
        "error",
        "“{label}”为 {rate}%，按执行数除以预算数应为 {computed}%。",
        "请核对执行数和预算数；如无误，将“{label}”改为 {computed}%。",
        "{label} is {rate} %; the amount executed by the budget is {computed} %.",
        "Check both amounts; if they are right, set {label} to {computed} %.",
        category="scoring",
        title=("执行率与金额不符", "A rate of execution differs from its amounts"),
    ),
    parameters=ExecutionRate,
    find=execution_rate,
    yields_to=ROOTS | {"computed-mismatch"},
    compares_amounts=True,
)
