"""Rule required-blank: a required value is blank."""

from __future__ import annotations

from collections.abc import Iterator

from kpixl.checks.rule import Hit, NoParameters, Rule, Subject
from kpixl.forms.definition import Form
from kpixl.keys import Key
from kpixl.portfolio.model import Project
from kpixl.problems.entry import Entry


def required(_: NoParameters, subject: Subject) -> Iterator[Hit]:
    """Find blank values that the form requires."""
    yield from _blank_fields(subject.form, subject.project)
    yield from _blank_cells(subject.form, subject.project)


def _blank_fields(form: Form, project: Project) -> Iterator[Hit]:
    for key, field in form.fields.items():
        if not field.required or project.values[key] is not None:
            continue
        if any(isinstance(project.values[part], str) for part in field.sum):
            continue  # the total is not known because of a part, which is reported
        if field.sum:  # a total cannot be typed: point at its first part
            parts = "、".join(form.fields[part].heading for part in field.sum)
            yield Hit(Key(field.sum[0]), {"label": f"{field.heading} ({parts})"})
        else:
            yield Hit(Key(key), {"label": field.heading})


def _blank_cells(form: Form, project: Project) -> Iterator[Hit]:
    for table, rows in project.tables.items():
        needed = [field for field in form.tables[table].columns.values() if field.required]
        for number, row in enumerate(rows):
            for field in needed:
                if row[field.key] is None:
                    yield Hit(Key(table, number, field.key), {"label": field.label})


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
