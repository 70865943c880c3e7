"""Rule placeholder: a placeholder was left in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from kpixl.checks.parameters import Words
from kpixl.checks.rule import Hit, Rule, Subject
from kpixl.keys import Key
from kpixl.problems.entry import Entry


@dataclass(frozen=True, slots=True)
class Placeholder:
    """What is written where something is still to be filled in."""

    words: Words


def placeholder(p: Placeholder, subject: Subject) -> Iterator[Hit]:
    """Find placeholders in any text."""
    find = p.words.pattern.search
    project = subject.project
    rows = [row for table in project.tables.values() for row in table]
    texts = [value for group in (project.values, *rows) for value in group.values() if isinstance(value, str)]
    if not find("\n\n".join(texts)):
        return
    for key, value in project.values.items():
        if isinstance(value, str) and (match := find(value)):
            yield Hit(Key(key), {"label": subject.heading(key), "found": match[0]})
    for table, lines in project.tables.items():
        columns = subject.form.tables[table].columns
        for number, row in enumerate(lines):
            for name, value in row.items():
                if isinstance(value, str) and (match := find(value)):
                    yield Hit(Key(table, number, name), {"label": columns[name].label, "found": match[0]})


RULE = Rule(
    "placeholder",
    entry=Entry(
        "error",
        "“{label}”中留有占位内容“{found}”。",
        "请把“{found}”换成实际内容。",
        "{label} still holds the placeholder {found}.",
        "Put the real content in place of {found}.",
        category="completeness",
        title=("占位内容没有替换", "A placeholder was left in"),
    ),
    parameters=Placeholder,
    find=placeholder,
)
