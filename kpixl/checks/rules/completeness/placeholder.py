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
    texts = [*_texts(subject)]
    if not find("\n\n".join(text for _, text in texts)):  # one search for nearly every project
        return
    for key, text in texts:
        if match := find(text):
            label = subject.form.tables[key.name].columns[key.column].label if key.in_row else subject.heading(key.name)
            yield Hit(key, {"label": label, "found": match[0]})


def _texts(subject: Subject) -> Iterator[tuple[Key, str]]:
    for name, value in subject.project.values.items():
        if isinstance(value, str):
            yield Key(name), value
    for table, number, row in subject.rows():
        yield from ((Key(table.key, number, name), value) for name, value in row.items() if isinstance(value, str))


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
