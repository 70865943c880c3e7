"""Rule no-rows: a table without rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from kpixl.checks.rule import Hit, NoParameters, Rule, Subject
from kpixl.forms.definition import Field
from kpixl.keys import Key
from kpixl.problems.entry import Entry


def no_rows(_: NoParameters, subject: Subject) -> Iterator[Hit]:
    """Find tables without rows, where a column of theirs is required."""
    for table, rows in subject.project.tables.items():
        columns: Mapping[str, Field] = subject.form.tables[table].columns
        if not rows and any(field.required for field in columns.values()):
            yield Hit(Key(table), {"label": subject.form.tables[table].label})


RULE = Rule(
    "no-rows",
    entry=Entry(
        "error",
        "没有填写任何{label}。",
        "请至少填写一条。",
        "There is no row under {label}.",
        "Fill in at least one.",
        category="completeness",
        title=("没有指标", "A table without rows"),
    ),
    parameters=NoParameters,
    find=no_rows,
    yields_to=frozenset(),
)
