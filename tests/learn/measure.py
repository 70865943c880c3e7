"""How well forms that nobody has defined are learnt: fields and columns found right, wrong, missed."""

from __future__ import annotations

from dataclasses import dataclass, field

from kpixl.a1 import parse_a1
from kpixl.learn import Learned, learn
from tests.learn.drawn import Drawn

SAME = {"percent": ("percent", "quantity")}  # a number, until there is such a type


@dataclass
class Measured:
    """What was found right; wrong (another value cell or type, or no label at all); and what was missed."""

    right: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    missed: list[str] = field(default_factory=list)


def learnt(drawn: Drawn) -> Learned:
    """Learn a drawn workbook."""
    return learn(drawn.content, "form.xlsx", "my-form")


def measure(drawn: Drawn, learned: Learned) -> Measured:
    """Compare what was found with what was drawn."""
    found = {_first(one.cell): (_first(one.value_cell), one.type) for one in learned.proposal.fields}
    measured = Measured()
    for label, expected in drawn.fields.items():
        _judge(measured, label, expected, found.pop(label, None))
    columns = [
        c for table in learned.proposal.tables for c in table.columns if c.key not in ("operator", "unit") or c.label
    ]
    heads: dict[str, tuple[str, str]] = {}
    for one in columns:
        cell = _first(one.cell)
        if cell not in heads or one.type == "quantity":
            heads[cell] = (cell, one.type)
    for cell, kind in drawn.columns.items():
        _judge(measured, cell, (cell, kind), heads.pop(cell, None))
    measured.wrong += [f"{cell} is none: {what}" for cell, what in (found | heads).items()]
    return measured


def _first(cell: str) -> str:
    return cell.partition(":")[0]


def _judge(measured: Measured, label: str, expected: tuple[str, str], found: tuple[str, str] | None) -> None:
    if found is None:
        measured.missed.append(f"{label} {expected}")
    elif found[0] == expected[0] and found[1] in SAME.get(expected[1], (expected[1],)):
        measured.right.append(label)
    else:
        measured.wrong.append(f"{label}: {found}, not {expected}")


__all__ = ["Measured", "learnt", "measure", "parse_a1"]
