"""Rule operator-unfit: operator and value do not go together."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from kpixl.checks.rule import ROOTS, Hit, Roles, Rule, Subject, shown
from kpixl.checks.rules.completeness.rows import operators_of
from kpixl.keys import Key
from kpixl.problems.entry import Entry


@dataclass(frozen=True, slots=True)
class OperatorUnfit:
    """The table whose operators and values must go together."""

    rows: Roles


def operator_unfit(p: OperatorUnfit, subject: Subject) -> Iterator[Hit]:
    """Find the qualitative operator beside a number, and others beside a text."""
    qualitative = operators_of(p.rows, subject)[1]
    if qualitative is None:
        return
    for line in subject.lines[p.rows.table]:
        if line.operator is None or line.value is None:
            continue
        if (line.operator == qualitative) == isinstance(line.value, Decimal):
            operators = operators_of(p.rows, subject)[0]
            details = {"name": line.named, "operator": line.operator, "value": shown(line.value)}
            key = Key(p.rows.table, line.number, p.rows.operator)
            yield Hit(key, {**details, "operators": operators, "qualitative": qualitative})


RULE = Rule(
    "operator-unfit",
    entry=Entry(
        "warning",
        "“{name}”的计算符号“{operator}”与指标值“{value}”不配。",
        "数字配 {operators}，“指标值”只填数字，单位另填；文字目标选“{qualitative}”。",
        "The operator {operator} of {name} does not go with the value {value}.",
        "A number goes with {operators}, its unit in a cell of its own; a text goes with {qualitative}.",
        category="compliance",
        title=("符号与指标值不配", "Operator and value do not go together"),
    ),
    parameters=OperatorUnfit,
    find=operator_unfit,
    yields_to=ROOTS | {"choice-unlisted"},
)
