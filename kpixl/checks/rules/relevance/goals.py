"""Goals grouped by their text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kpixl.checks.parameters import FieldKey
from kpixl.checks.rule import Subject
from kpixl.checks.rules.completeness.texts import MARKUP
from kpixl.forms.values import fold, text_of

MAX_NAMED = 3  # projects that one message names


@dataclass(frozen=True, slots=True)
class Identical:
    """Texts of which each project has its own; those shorter than `least` are let be."""

    field: FieldKey
    least: int


@dataclass(frozen=True, slots=True)
class Similar:
    """As Identical; texts at least `percent` alike are found."""

    field: FieldKey
    least: int
    percent: int


def by_text(p: Identical | Similar, subjects: Sequence[Subject]) -> dict[str, list[Subject]]:
    groups: dict[str, list[Subject]] = {}
    for subject in subjects:
        value = subject.project.values[p.field]
        if isinstance(value, str):
            text = fold(MARKUP.sub("", value))
            if len(text) >= p.least:
                groups.setdefault(text, []).append(subject)
    return groups


def named_projects(others: Sequence[Subject], count: int) -> tuple[str, str]:
    """Name up to MAX_NAMED projects of `count`."""
    key = others[0].form.key_fields[0]
    names = [(s.project.id, text_of(s.project.values[key])) for s in others[:MAX_NAMED]]
    zh, en = "、".join(f"项目 {i}“{name}”" for i, name in names), ", ".join(f"project {i} {name}" for i, name in names)
    more = count - len(names)
    return (f"{zh}等 {count} 个项目", f"{en} and {more} more") if more else (zh, en)
