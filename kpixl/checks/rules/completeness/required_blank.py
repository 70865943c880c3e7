"""Rule required-blank: a required value is blank."""

from __future__ import annotations

from collections.abc import Iterator

from kpixl.checks.rule import Hit, NoParameters, Rule, Subject
from kpixl.forms.definition import Field, Form
from kpixl.keys import Key
from kpixl.problems.entry import Entry


def required(_: NoParameters, subject: Subject) -> Iterator[Hit]:
    """Find blank values that the form requires."""
    values = subject.project.values
    for key, field in subject.form.fields.items():
        # A total may not be known because of a part that was not read, which is reported.
        if field.required and values[key] is None and not any(isinstance(values[part], str) for part in field.sum):
            yield _of_field(subject.form, field)
    for table, number, row in subject.rows():
        for column in table.columns.values():
            if column.required and row[column.key] is None:
                yield Hit(Key(table.key, number, column.key), {"label": column.label})


def _of_field(form: Form, field: Field) -> Hit:
    if not field.sum:
        return Hit(Key(field.key), {"label": field.heading})
    # A total cannot be typed: point at its first part.
    parts = "、".join(form.fields[part].heading for part in field.sum)
    return Hit(Key(field.sum[0]), {"label": f"{field.heading} ({parts})"})


RULE = Rule(
    "required-blank",
    entry=Entry(
        "warning",
        "“{label}”没有填写。",
        "请填写“{label}”。",
        "{label} is blank.",
        "Fill in {label}.",
        category="completeness",
        title=("必填项空白", "A required value is blank"),
    ),
    parameters=NoParameters,
    find=required,
    yields_to=frozenset(),
)
