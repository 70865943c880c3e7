"""Rule choice-unlisted: not an item of a closed list."""

from __future__ import annotations

import difflib
from collections.abc import Iterator

from kpixl.checks.rule import Hit, NoParameters, Rule, Subject
from kpixl.checks.rules.compliance.lists import closed_lists
from kpixl.forms.definition import Choices, Field, Value
from kpixl.forms.values import fold
from kpixl.keys import Key
from kpixl.problems.entry import Entry

MAX_NAMED = 8  # items of a list that are named in a hint


def choice_unlisted(_: NoParameters, subject: Subject) -> Iterator[Hit]:
    """Find values of a closed list that are not in it."""
    form, project = subject.form, subject.project
    for field, choices in closed_lists(form, form.fields):
        yield from _unlisted(field, choices, Key(field.key), project.values[field.key])
    for table, rows in project.tables.items():
        for field, choices in closed_lists(form, form.tables[table].columns):
            for number, row in enumerate(rows):
                if row[field.key] not in choices.items:
                    yield from _unlisted(field, choices, Key(table, number, field.key), row[field.key])


def _unlisted(field: Field, choices: Choices, key: Key, value: Value) -> Iterator[Hit]:
    if isinstance(value, str) and value not in choices.items:
        near = difflib.get_close_matches(fold(value), list(choices.items), 1, 0.5)
        suggestion = (f"，例如“{near[0]}”", f", for example {near[0]}") if near else ("", "")
        if not near and len(choices.items) <= MAX_NAMED:
            named = " ".join(choices.items)
            suggestion = (f"：{named}", f": {named}")
        yield Hit(key, {"label": field.label, "value": value, "suggestion": suggestion})


RULE = Rule(
    "choice-unlisted",
    entry=Entry(
        "warning",
        "“{label}”填的是“{value}”，不在列表中。",
        "请从列表中选择{suggestion}。",
        "{label} is {value}, which is not in the list.",
        "Choose from the list{suggestion}.",
        category="compliance",
        title=("不在列表中", "Not an item of a closed list"),
    ),
    parameters=NoParameters,
    find=choice_unlisted,
)
