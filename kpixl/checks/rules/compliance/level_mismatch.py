"""Rule level-mismatch: a level that does not belong to the one above."""

from __future__ import annotations

from collections.abc import Iterator

from kpixl.checks.rule import Hit, NoParameters, Rule, Subject
from kpixl.checks.rules.compliance.lists import closed_lists
from kpixl.forms.definition import Choices, Field, Row
from kpixl.keys import Key
from kpixl.problems.entry import Entry


def level_mismatch(_: NoParameters, subject: Subject) -> Iterator[Hit]:
    """Find items of a list that belong to another item of the list above."""
    form = subject.form
    for table, rows in subject.project.tables.items():
        columns = form.tables[table].columns
        owner = {column.choices: column for column in columns.values() if column.choices}
        levels = [(f, c, above) for f, c in closed_lists(form, columns) if (above := owner.get(c.parent or ""))]
        for field, choices, above in levels:
            for number, row in enumerate(rows):
                if (details := _mismatch(row, field, above, choices)) is not None:
                    yield Hit(Key(table, number, field.key), details)


def _mismatch(row: Row, field: Field, above: Field, choices: Choices) -> dict[str, object] | None:
    """Return what a message says of an item that is below another item than that of its row."""
    parent, value = row[above.key], row[field.key]
    below = choices.children.get(parent, ()) if isinstance(parent, str) else ()
    if not below or value not in choices.items or value in below:
        return None
    return {"value": value, "parent": parent, "items": "、".join(below), "parent_label": above.label}


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
