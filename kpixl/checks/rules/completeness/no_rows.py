"""Rule no-rows: a table without rows."""

from __future__ import annotations

from collections.abc import Iterator

from kpixl.checks.rule import Hit, NoParameters, Rule, Subject
from kpixl.keys import Key
from kpixl.problems.entry import Entry


def no_rows(_: NoParameters, subject: Subject) -> Iterator[Hit]:
    """Find tables without rows, where a column of theirs is required."""
    for table, rows in subject.project.tables.items():
        definition = subject.form.tables[table]
        if not rows and definition.required and any(field.required for field in definition.columns.values()):
            yield Hit(Key(table), {"label": definition.label})


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
