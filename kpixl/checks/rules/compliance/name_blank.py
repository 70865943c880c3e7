"""Rule name-blank: a name with a blank in it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from kpixl.checks.parameters import FieldKey
from kpixl.checks.rule import Hit, Rule, Subject
from kpixl.keys import Key
from kpixl.problems.entry import Entry

_BETWEEN_HAN = re.compile("(?<=[\u4e00-\u9fff])\\s+(?=[\u4e00-\u9fff])")


@dataclass(frozen=True, slots=True)
class NameFields:
    """Fields that hold a name."""

    fields: tuple[FieldKey, ...]


def name_blank(p: NameFields, subject: Subject) -> Iterator[Hit]:
    """Find names with a blank between two Chinese characters."""
    for key, text in subject.texts(p.fields):
        fixed = _BETWEEN_HAN.sub("", text)
        if fixed != text:
            yield Hit(Key(key), {"label": subject.heading(key), "value": text, "fixed": fixed})


RULE = Rule(
    "name-blank",
    entry=Entry(
        "warning",
        "“{label}”中间有空格：“{value}”。",
        "请改为“{fixed}”。",
        "{label} has a blank inside: {value}.",
        "Make it {fixed}.",
        category="compliance",
        title=("名称中间有空格", "A name with a blank in it"),
    ),
    parameters=NameFields,
    find=name_blank,
)
