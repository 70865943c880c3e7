"""Numbers of a table, and the operators that go with them."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from kpixl.checks.rule import Roles, RuleLine, Subject


def numeric_lines(rows: Roles, subject: Subject) -> Iterator[RuleLine]:
    return (line for line in subject.lines[rows.table] if isinstance(line.value, Decimal))


def operators_of(rows: Roles, subject: Subject) -> tuple[str, str | None]:
    """Return the operators that go with a number, for a message, and the one that goes with text."""
    column = subject.form.tables[rows.table].columns[rows.operator]
    choices = subject.form.choices[column.choices or ""]
    return " ".join(item for item in choices.items if item != choices.qualitative), choices.qualitative
