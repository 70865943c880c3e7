"""The rules that need no parameters: what the form's fields themselves demand. `consolidate` applies them too."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal

from kpixl.model import Field, Value
from kpixl.rules.base import Hit, NoParameters, Rule, Subject
from kpixl.values import FIELD_TYPES, number_text, total

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


def required(_: NoParameters, subject: Subject) -> Iterator[Hit]:
    """Find blank values that the form requires."""
    form, project = subject.form, subject.project
    for key, field in form.fields.items():
        if field.required and project.values[key] is None:
            if field.sum:  # a total cannot be typed: point at its first part
                parts = "、".join(form.fields[part].heading for part in field.sum)
                yield Hit(field.sum[0], {"label": f"{field.heading} ({parts})"})
            else:
                yield Hit(key, {"label": field.heading})
    for table, rows in project.tables.items():
        needed = [field for field in form.tables[table].columns.values() if field.required]
        for number, row in enumerate(rows):
            for field in needed:
                if row[field.key] is None:
                    yield Hit(f"{table}.{number}.{field.key}", {"label": field.label})


def no_rows(_: NoParameters, subject: Subject) -> Iterator[Hit]:
    """Find tables without rows, where a column of theirs is required."""
    for table, rows in subject.project.tables.items():
        columns: Mapping[str, Field] = subject.form.tables[table].columns
        if not rows and any(field.required for field in columns.values()):
            yield Hit(table, {"label": subject.form.tables[table].label})


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
                key,
                {
                    "label": field.heading,
                    "amount": number_text(amount),
                    "sum": number_text(added),
                    "difference": number_text(amount - added),
                    "parts": "、".join(form.fields[part].heading for part in field.sum),
                },
            )


RULES = (
    Rule("value-unread", NoParameters, unread, yields_to=frozenset()),
    Rule("sum-mismatch", NoParameters, sums),
    Rule("required-blank", NoParameters, required, yields_to=frozenset()),
    Rule("no-rows", NoParameters, no_rows, yields_to=frozenset()),
)
