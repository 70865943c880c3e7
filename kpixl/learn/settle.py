"""Settles what a definition can hold of a guess: its type, its list, its key."""

from __future__ import annotations

import re

from kpixl.forms.definition import MoneyUnit
from kpixl.forms.types import FIELD_TYPES
from kpixl.learn.guess import Guess
from kpixl.learn.lists import add_list, operator_list, unit_list
from kpixl.learn.proposal import Proposal, Remark
from kpixl.learn.remarks import OTHER_UNIT, TYPE_UNSURE, remark
from kpixl.learn.words import unit_of

MAX_HELP = 200  # characters of a message beside a cell
_NEED = re.compile(r"^(?:【[^【】]{1,6}】|\[[^\[\]]{1,10}\])\s*")


def free_key(key: str, used: set[str]) -> str:
    """Return a key that is not used yet, and use it."""
    chosen, number = key, 2
    while chosen in used:
        chosen, number = f"{key}_{number}", number + 1
    used.add(chosen)
    return chosen


def plain_prompt(prompt: str) -> str:
    """Return the message beside a cell without what the template puts in front of it itself."""
    return _NEED.sub("", prompt)[:MAX_HELP]


def settled(
    proposal: Proposal, key: str, guess: Guess, label: str, money: MoneyUnit, tree_list: str = ""
) -> tuple[str, str, list[Remark]]:
    """Return the type that a definition can hold, its list, and a remark on it."""
    remarks = [remark(TYPE_UNSURE, unsure=True)] if guess.unsure and not tree_list else []
    if guess.type == "operator":
        return "operator", operator_list(proposal, guess), remarks
    if guess.type == "unit":
        return "unit", unit_list(proposal, guess), remarks
    if tree_list or guess.type == "choice":
        kind = "text" if guess.rule is not None and guess.rule.free else "choice"
        listed = tree_list or add_list(proposal, key, guess.items, closed=guess.closed)
        return kind, listed, remarks
    other = unit_of(label)
    if FIELD_TYPES[guess.type].is_amount and other is not None and other != money:
        return "quantity", "", [*remarks, remark(OTHER_UNIT, unsure=True, unit=other.name, money=money.name)]
    return guess.type, "", remarks
