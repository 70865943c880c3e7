"""Rule punctuation-doubled: doubled punctuation."""

from __future__ import annotations

from collections.abc import Iterator

from kpixl.checks.rule import Hit, Rule, Subject, around
from kpixl.checks.rules.compliance.texts import InTexts
from kpixl.keys import Key
from kpixl.problems.entry import Entry


def punctuation_doubled(p: InTexts, subject: Subject) -> Iterator[Hit]:
    """Find two stops where one is meant."""
    for key, text in subject.texts(p.fields):
        if match := p.words.pattern.search(text):
            context = around(text, *match.span())
            yield Hit(Key(key), {"label": subject.heading(key), "found": match[0], "context": context})


RULE = Rule(
    "punctuation-doubled",
    entry=Entry(
        "warning",
        "“{label}”中标点重复：“{context}”。",
        "请在“{found}”中只留一个标点。",
        "{label} has doubled punctuation: {context}",
        "Keep one of {found}.",
        category="compliance",
        title=("标点重复", "Doubled punctuation"),
    ),
    parameters=InTexts,
    find=punctuation_doubled,
)
