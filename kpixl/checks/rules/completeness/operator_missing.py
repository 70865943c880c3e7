"""Rule operator-missing: the operator is missing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from kpixl.checks.rule import Hit, Roles, Rule, Subject, shown
from kpixl.checks.rules.completeness.rows import numeric_lines, operators_of
from kpixl.keys import Key
from kpixl.problems.entry import Entry


@dataclass(frozen=True, slots=True)
class OperatorMissing:
    """The table whose numbers need an operator."""

    rows: Roles


def operator_missing(p: OperatorMissing, subject: Subject) -> Iterator[Hit]:
    """Find numbers without an operator."""
    for line in numeric_lines(p.rows, subject):
        if line.operator is None:
            label = subject.form.tables[p.rows.table].columns[p.rows.operator].label
            operators = operators_of(p.rows, subject)[0]
            details = {"name": line.named, "value": shown(line.value), "label": label, "operators": operators}
            yield Hit(Key(p.rows.table, line.number, p.rows.operator), details)


RULE = Rule(
    "operator-missing",
    entry=Entry(
        "warning",
        "“{name}”的指标值 {value} 没有计算符号。",
        "请在“{label}”中选择 {operators} 之一。",
        "The value {value} of {name} has no operator.",
        "Choose one of {operators} in {label}.",
        category="completeness",
        title=("缺少计算符号", "The operator is missing"),
    ),
    parameters=OperatorMissing,
    find=operator_missing,
)
