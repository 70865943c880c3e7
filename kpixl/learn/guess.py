"""Which type a value has: by its validation, its number format, what was typed, and its label."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

from kpixl.forms.types import FIELD_TYPES
from kpixl.forms.values import is_number
from kpixl.learn.sheet import Box, CellRule
from kpixl.learn.words import Meaning, message_meaning, tick_items, type_meaning, unit_of
from kpixl.texts import Text

_QUOTED = re.compile(r'"[^"]*"|\\.|\[[^\]]*\]')
BY_RULE: Text = ("有效性规则", "its validation")
BY_MESSAGE: Text = ("单元格提示", "the message beside the cell")
BY_LIST: Text = ("下拉列表", "its list")
BY_TICKS: Text = ("方框选项", "boxes to tick")
BY_FORMAT: Text = ("数字格式 {format}", "its number format {format}")
BY_VALUE: Text = ("已填内容", "what was typed")
BY_LABEL: Text = ("标签用词", "the words of its label")
BY_DEFAULT: Text = ("没有其他依据", "nothing else")


@dataclass(frozen=True, slots=True)
class Guess:
    """A type with what points at it; `items` where it is a choice, `closed`: nothing else may be chosen."""

    type: str
    reason: Text
    items: tuple[str, ...] = ()
    closed: bool = False
    rule: CellRule | None = None

    @property
    def unsure(self) -> bool:
        """Return whether nothing in the sheet or the label points at the type."""
        return self.reason == BY_DEFAULT


def guess_type(box: Box, label: str, meaning: Meaning | None) -> Guess:
    """Guess the type of what is typed into a box."""
    meant = meaning if meaning is not None and meaning.type else type_meaning(label) if meaning is None else None
    by_label = "money" if unit_of(label) is not None else meant.type if meant is not None else ""
    for guess in (_by_rule(box, by_label), _by_format(box, by_label), _by_value(box, by_label)):
        if guess is not None:
            return guess
    if by_label:
        return Guess(known_type(by_label), BY_LABEL)
    return Guess("text", BY_DEFAULT if meaning is None else BY_LABEL)


def known_type(name: str) -> str:
    """Return a type that this version knows: text where it has no such type."""
    return name if name in FIELD_TYPES else "text"


def _by_rule(box: Box, by_label: str) -> Guess | None:
    rule = box.rule
    if rule is None:
        return None
    if rule.kind == "list" and rule.items:
        listed = by_label if by_label in ("operator", "unit") else "choice"
        if rule.closed and rule.items == FIELD_TYPES["tick"].items:
            return Guess("tick", BY_LIST)
        return Guess(listed, BY_LIST, rule.items, rule.closed, rule)
    if rule.kind == "date":
        return Guess("date", BY_RULE)
    if rule.kind in ("decimal", "whole"):
        return Guess("money" if by_label == "money" or _is_amount(box) else "quantity", BY_RULE)
    said = message_meaning(rule.prompt) if rule.prompt else None
    return Guess(known_type(said.type), BY_MESSAGE) if said is not None else None


def _by_format(box: Box, by_label: str) -> Guess | None:
    code = _QUOTED.sub("", box.look.number_format).casefold()
    shown = box.look.number_format
    reason = (BY_FORMAT[0].format(format=shown), BY_FORMAT[1].format(format=shown))
    if "y" in code and ("m" in code or "d" in code):
        return Guess("date", reason)
    if "%" in code:
        return Guess(known_type("percent"), reason)
    if _is_amount(box) or ("0.00" in code and by_label == "money"):
        return Guess("money" if by_label in ("money", "") else known_type(by_label), reason)
    return None


def _is_amount(box: Box) -> bool:
    return "#,##0" in box.look.number_format


def _by_value(box: Box, by_label: str) -> Guess | None:
    if isinstance(box.raw, date):
        return Guess("date", BY_VALUE)
    if isinstance(box.raw, str) and (items := tick_items(box.raw)):
        return Guess("choice", BY_TICKS, items)
    if is_number(box.raw) and box.text:
        return Guess("money" if by_label == "money" else by_label or "quantity", BY_VALUE)
    return None
