"""Rule computed-mismatch: a value differs from the one that is computed for it."""

from __future__ import annotations

from collections.abc import Iterator

from kpixl.checks.rule import Hit, NoParameters, Rule, Subject
from kpixl.forms.compute import agrees, computed_value
from kpixl.forms.definition import Form
from kpixl.forms.types import FIELD_TYPES
from kpixl.keys import Key
from kpixl.problems.entry import Entry


def computed(_: NoParameters, subject: Subject) -> Iterator[Hit]:
    """Find values that are not what they follow from; silent where that is not known."""
    form, project = subject.form, subject.project
    for key in form.computed:
        field = form.fields[key]
        if field.compute is None or (value := project.values[key]) is None:
            continue
        expected = computed_value(field, project.values, project.tables)
        if expected is not None and not agrees(field, value, expected):
            operands = "、".join(_heading(form, operand) for operand in field.compute.keys)
            text = FIELD_TYPES[field.type].text
            details = {"label": field.heading, "value": text(value), "computed": text(expected), "operands": operands}
            yield Hit(Key(key), details)


def _heading(form: Form, key: str) -> str:
    if key in form.fields:
        return form.fields[key].heading
    table, _, column = key.rpartition(".")
    return f"{form.tables[table].label} {form.tables[table].columns[column].label}"


RULE = Rule(
    "computed-mismatch",
    entry=Entry(
        "error",
        "“{label}”为 {value}，按“{operands}”计算应为 {computed}。",
        "请核对“{operands}”；如无误，将“{label}”改为 {computed}。",
        "{label} is {value}; computed from {operands} it is {computed}.",
        "Check {operands}; if they are right, set {label} to {computed}.",
        category="compliance",
        title=("与计算结果不符", "A value differs from the computed one"),
    ),
    parameters=NoParameters,
    find=computed,
    compares_amounts=True,
)
