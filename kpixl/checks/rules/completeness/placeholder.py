"""Rule placeholder: a placeholder was left in."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from kpixl.checks.parameters import Words
from kpixl.checks.rule import Hit, Rule, Subject
from kpixl.keys import Key
from kpixl.portfolio.model import Project
from kpixl.problems.entry import Entry

Find = Callable[[str], re.Match[str] | None]


@dataclass(frozen=True, slots=True)
class Placeholder:
    """What is written where something is still to be filled in."""

    words: Words


def placeholder(p: Placeholder, subject: Subject) -> Iterator[Hit]:
    """Find placeholders in any text."""
    find = p.words.pattern.search
    # Most projects have no placeholder: one search through all of their text is faster than one for each value.
    if find("\n\n".join(_texts(subject.project))):
        yield from _in_fields(find, subject)
        yield from _in_tables(find, subject)


def _texts(project: Project) -> list[str]:
    rows = [row for table in project.tables.values() for row in table]
    return [value for group in (project.values, *rows) for value in group.values() if isinstance(value, str)]


def _in_fields(find: Find, subject: Subject) -> Iterator[Hit]:
    for key, value in subject.project.values.items():
        if isinstance(value, str) and (match := find(value)):
            yield Hit(Key(key), {"label": subject.heading(key), "found": match[0]})


def _in_tables(find: Find, subject: Subject) -> Iterator[Hit]:
    for table, lines in subject.project.tables.items():
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
