"""Rule tags-left: markup was left in a text."""

from __future__ import annotations

from collections.abc import Iterator

from kpixl.checks.rule import Hit, Rule, Subject
from kpixl.checks.rules.compliance.texts import InTexts
from kpixl.keys import Key
from kpixl.problems.entry import Entry


def tags_left(p: InTexts, subject: Subject) -> Iterator[Hit]:
    """Find markup."""
    for key, text in subject.texts(p.fields):
        if found := p.words.pattern.findall(text):
            yield Hit(Key(key), {"label": subject.heading(key), "found": " ".join(dict.fromkeys(found))})


RULE = Rule(
    "tags-left",
    entry=Entry(
        "warning",
        "“{label}”中混有网页标记 {found}。",
        "请删除 {found}，只留文字。",
        "{label} holds markup: {found}.",
        "Delete {found} and keep the text.",
        category="compliance",
        title=("混有网页标记", "Markup was left in a text"),
    ),
    parameters=InTexts,
    find=tags_left,
)
