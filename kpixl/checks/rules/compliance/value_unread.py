"""Rule value-unread: a value is not of its type."""

from __future__ import annotations

from collections.abc import Iterator

from kpixl.checks.rule import Hit, NoParameters, Rule, Subject
from kpixl.forms.definition import Field, Form, Value
from kpixl.forms.types import FIELD_TYPES
from kpixl.forms.values import text_of
from kpixl.keys import Key
from kpixl.problems.entry import Entry


def unread(_: NoParameters, subject: Subject) -> Iterator[Hit]:
    """Find values that are not of their type and were kept as typed."""
    form, project = subject.form, subject.project
    for key, field in form.fields.items():
        if (value := project.values[key]) is not None:
            yield from _unread(form, field, Key(key), value)
    for table, rows in project.tables.items():
        for key, field in form.tables[table].columns.items():
            if FIELD_TYPES[field.type].typed:
                for number, row in enumerate(rows):
                    yield from _unread(form, field, Key(table, number, key), row[key])


def _unread(form: Form, field: Field, key: Key, value: Value) -> Iterator[Hit]:
    kind = FIELD_TYPES[field.type]
    if kind.is_unread(value):
        raw = text_of(value)
        yield Hit(key, {"raw": raw, "type": kind.noun, "expected": kind.expected_instead(raw, form.money)})


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
