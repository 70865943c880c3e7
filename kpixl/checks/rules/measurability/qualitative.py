"""Values that are text, without their fillers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from kpixl.checks.parameters import Words
from kpixl.checks.rule import Roles, RuleLine, Subject
from kpixl.forms.values import fold


@dataclass(frozen=True, slots=True)
class Qualitative:
    """`fillers`: words that mean nothing by themselves; `unless`: values that can be verified although short."""

    rows: Roles
    fillers: Words
    unless: Words


def text_values(rows: Roles, subject: Subject) -> Iterator[tuple[RuleLine, str]]:
    for line in subject.lines[rows.table]:
        if isinstance(line.value, str):
            yield line, fold(line.value)


def content_of(p: Qualitative, text: str) -> str | None:
    """Return what a value contains beyond fillers; None where it can be verified."""
    if text in p.unless or any(c.isdigit() for c in text):
        return None
    return re.sub(r"\W", "", p.fillers.pattern.sub("", text))
