"""Rule operator-direction: the operator points the wrong way."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from kpixl.checks.parameters import Item, Words
from kpixl.checks.rule import Hit, Roles, Rule, Subject
from kpixl.keys import Key
from kpixl.problems.entry import Entry


@dataclass(frozen=True, slots=True)
class Direction:
    """`names` (or any name under `levels`, unless it is one of `unless`) go with `operators`."""

    rows: Roles
    names: Words
    unless: Words
    wrong: tuple[str, ...]
    operators: tuple[str, ...]
    levels: tuple[Item, ...] = ()


def operator_direction(p: Direction, subject: Subject) -> Iterator[Hit]:
    """Find operators that point the wrong way: a cost of at least, a satisfaction of at most."""
    for line in subject.lines[p.rows.table]:
        if line.operator not in p.wrong or not isinstance(line.value, Decimal):
            continue
        name = line.folded
        if (name in p.names or line.level1 in p.levels) and name not in p.unless:
            details = {"name": line.named, "operator": line.operator, "operators": " ".join(p.operators)}
            yield Hit(Key(p.rows.table, line.number, p.rows.operator), details)


RULE = Rule(
    "operator-direction",
    entry=Entry(
        "warning",
        "“{name}”的计算符号是“{operator}”，方向像是反了。",
        "一般应选 {operators}，请核对后改正。",
        "{name} has the operator {operator}, which seems to point the wrong way.",
        "Usual is one of {operators}; check it and choose the right one.",
        category="measurability",
        title=("符号方向相反", "The operator points the wrong way"),
    ),
    parameters=Direction,
    find=operator_direction,
)
