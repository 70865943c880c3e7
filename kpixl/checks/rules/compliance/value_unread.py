"""Rule value-unread: a value is not of its type."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal

from kpixl.checks.rule import Hit, NoParameters, Rule, Subject
from kpixl.entry import Entry
from kpixl.model import Field, Value
from kpixl.values import FIELD_TYPES

_TYPED = (date, Decimal)


def unread(_: NoParameters, subject: Subject) -> Iterator[Hit]:
    """Find values that are not of their type and were kept as typed."""
    form, project = subject.form, subject.project
    for key, field in form.fields.items():
        yield from _unread(field, key, project.values[key])
    for table, rows in project.tables.items():
        for key, field in form.tables[table].columns.items():
            if FIELD_TYPES[field.type].typed in _TYPED:
                for number, row in enumerate(rows):
                    yield from _unread(field, f"{table}.{number}.{key}", row[key])


def _unread(field: Field, key: str, value: Value) -> Iterator[Hit]:
    if isinstance(value, str) and FIELD_TYPES[field.type].typed in _TYPED:
        kind = FIELD_TYPES[field.type]
        yield Hit(key, {"raw": value, "type": kind.noun, "expected": kind.expected})


RULE = Rule(
    "value-unread",
    entry=Entry(
        "error",
        "“{raw}”不是{type}，已按原文保留。",
        "请填写{expected}。",
        "{raw} is not {type}; it was kept as typed.",
        "Type {expected}.",
        category="compliance",
        title=("内容类型不符", "A value is not of its type"),
    ),
    parameters=NoParameters,
    find=unread,
    yields_to=frozenset(),
)
