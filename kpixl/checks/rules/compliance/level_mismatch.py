"""Rule level-mismatch: a level that does not belong to the one above."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from kpixl.checks.rule import Hit, NoParameters, Rule, Subject
from kpixl.checks.rules.compliance.lists import closed_lists
from kpixl.forms.definition import Choices, Field, Form
from kpixl.keys import Key
from kpixl.problems.entry import Entry


def level_mismatch(_: NoParameters, subject: Subject) -> Iterator[Hit]:
    """Find items of a list that belong to another item of the list above."""
    form = subject.form
    for table, rows in subject.project.tables.items():
        for field, above, choices in _dependent_lists(form, form.tables[table].columns):
            for number, row in enumerate(rows):
                parent, value = row[above.key], row[field.key]
                below = choices.children.get(parent, ()) if isinstance(parent, str) else ()
                if below and value in choices.items and value not in below:
                    details = {"value": value, "parent": parent, "items": "、".join(below), "parent_label": above.label}
                    yield Hit(Key(table, number, field.key), details)


def _dependent_lists(form: Form, columns: Mapping[str, Field]) -> Iterator[tuple[Field, Field, Choices]]:
    """Yield each column whose closed list depends on another column, that column, and the list."""
    owner = {column.choices: column for column in columns.values() if column.choices}
    for field, choices in closed_lists(form, columns):
        above = owner.get(choices.parent or "")
        if above is not None:
            yield field, above, choices


RULE = Rule(
    "level-mismatch",
    entry=Entry(
        "error",
        "“{value}”不属于“{parent}”。",
        "请选择“{parent}”下的{items}，或改正{parent_label}。",
        "{value} does not belong to {parent}.",
        "Choose one of {items}, or correct {parent_label}.",
        category="compliance",
        title=("二级指标不属于一级指标", "A level that does not belong to the one above"),
    ),
    parameters=NoParameters,
    find=level_mismatch,
)
