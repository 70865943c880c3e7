"""What labels usually mean: the data of templates/shared/learn.yaml, by which keys, types and lists are proposed."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

from kpixl import yaml_text
from kpixl.forms.definition import MoneyUnit
from kpixl.forms.load import own_templates
from kpixl.forms.money import money_label
from kpixl.forms.values import fold
from kpixl.recognise.near import core

MAX_LABEL = 60  # characters; a longer text is a value, a note, or a question with its answer
_BRACKETS = re.compile(r"\([^()]{0,30}\)")


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a label means: the key of the value, its type ("" where the label shows none), and more of it."""

    key: str
    type: str = ""
    lines: int = 1
    required: bool = False
    organization: bool = False
    fill: bool = False
    target: bool = False


@dataclass(frozen=True, slots=True)
class _Words:
    pattern: re.Pattern[str]
    meaning: Meaning


@cache
def data() -> Mapping[str, Any]:
    """Load the data file."""
    text = (own_templates() / "shared" / "learn.yaml").read_text(encoding="utf-8")
    found: Mapping[str, Any] = yaml_text.parse(text, "learn.yaml")
    return found


def _whole(patterns: Sequence[str]) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{p})" for p in patterns))


@cache
def _words(group: str) -> tuple[_Words, ...]:
    names = Meaning.__slots__
    return tuple(
        _Words(_whole(one["words"]), Meaning(**{"key": "", **{k: v for k, v in one.items() if k in names}}))
        for one in data()[group]
    )


def _spellings(text: str) -> tuple[str, ...]:
    folded = fold(text)
    return tuple(dict.fromkeys((folded, core(text), _BRACKETS.sub("", folded).rstrip(":"))))


@lru_cache(maxsize=4096)
def _meaning(group: str, text: str) -> Meaning | None:
    if not text or len(text) > MAX_LABEL:
        return None
    spellings = _spellings(text)
    return next((w.meaning for w in _words(group) for s in spellings if s and w.pattern.fullmatch(s)), None)


def field_meaning(text: str) -> Meaning | None:
    """Return what a label of a single value means; None where it is not known."""
    return _meaning("fields", text)


def column_meaning(text: str) -> Meaning | None:
    """Return what a heading of a table means; None where it is not known."""
    return _meaning("columns", text)


def type_meaning(text: str) -> Meaning | None:
    """Return the type that the end of an unknown label points at."""
    return _meaning("types", text)


def unit_of(text: str) -> MoneyUnit | None:
    """Return the unit of money in which a label or caption counts."""
    return money_label(fold(text))[1] if len(text) <= MAX_LABEL else None


def message_meaning(text: str) -> Meaning | None:
    """Return the type that the message beside a cell points at."""
    folded = fold(text)[: 4 * MAX_LABEL]
    return next((w.meaning for w in _words("messages") if w.pattern.fullmatch(folded)), None)


@cache
def _pattern(group: str) -> re.Pattern[str]:
    return _whole(data()[group])


@lru_cache(maxsize=4096)
def _fits(group: str, text: str) -> bool:
    return len(text) <= 4 * MAX_LABEL and _pattern(group).fullmatch(fold(text)) is not None


def is_placeholder(text: str) -> bool:
    """Return whether a text only shows where something is to be typed: 指标1：, ……, 年 月 日."""
    return all(not line.strip() or _fits("placeholders", line) for line in text.splitlines()) if text else False


def is_total(text: str) -> bool:
    """Return whether a text heads the row that adds up a table."""
    return _fits("totals", text)


def is_note(text: str) -> bool:
    """Return whether a text explains how to fill in the form."""
    return any(_fits("notes", line[: 2 * MAX_LABEL]) for line in text.splitlines()[:1])


def needed(text: str) -> bool | None:
    """Return whether a text makes a value required (True) or optional (False); None where it does neither."""
    return True if _fits("required", text) else False if _fits("optional", text) else None


def tick_items(text: str) -> tuple[str, ...]:
    """List the items of boxes to tick: 新增项目□ 延续项目□; none where there are fewer than two boxes."""
    signs = data()["ticks"]
    if sum(text.count(sign) for sign in signs) < 2:
        return ()
    parts = re.split(f"[{re.escape(signs)}]", text)
    items = [re.sub(r"^\d+[.、]|[\s、,，;；()（）:：]+", "", part.strip()) for part in parts]
    return tuple(dict.fromkeys(item for item in items if item))
