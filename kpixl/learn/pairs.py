"""Labels and values of a form that is not known: which boxes are labels, and where each one's value is typed."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from kpixl.learn.sheet import Box, Boxes
from kpixl.learn.words import MAX_LABEL, field_meaning, is_placeholder, is_total, tick_items

PROSE = 25  # characters; a longer text beside a label is its value


@dataclass(frozen=True, slots=True)
class Pair:
    """A label with the box of its value. `unsure`: nothing but their places shows which is which."""

    label: Box
    value: Box
    unsure: bool = False


@dataclass
class Pairs:
    """The pairs of the rows outside of tables, and what is neither a label nor a value."""

    pairs: list[Pair] = field(default_factory=list)
    captions: list[Box] = field(default_factory=list)
    blanks: list[Box] = field(default_factory=list)
    role: dict[Box, str] = field(default_factory=dict)


def find_pairs(boxes: Boxes, rows: Container[int], numbers: Sequence[int]) -> Pairs:
    """Pair labels with values in the rows `numbers`; `rows` are those of tables, into which no value reaches."""
    found = Pairs()
    for number in numbers:
        over = _over_blanks(boxes, number)
        for box in boxes.starting(number):
            if box not in found.role:
                _place(boxes, box, rows, found, over)
    found.captions = [box for box, role in found.role.items() if role == "caption"]
    found.blanks = [box for box, role in found.role.items() if role == "blank"]
    return found


def _place(boxes: Boxes, box: Box, tables: Container[int], found: Pairs, over: Container[Box]) -> None:
    if not box.text or is_placeholder(box.text):
        found.role[box] = "blank"
        return
    value = _value_of(boxes, box, tables, found.role) if box not in over else boxes.below(box)
    if value is None or value in found.role or value.row in tables:
        found.role[box] = "caption"
        return
    found.role |= {box: "label", value: "value"}
    found.pairs.append(Pair(box, value, _is_unsure(boxes, box, value)))


def _value_of(boxes: Boxes, box: Box, tables: Container[int], role: Mapping[Box, str]) -> Box | None:
    """Find the box in which the value of a label is typed: beside it, or below it."""
    if len(box.text) > MAX_LABEL or not isinstance(box.raw, str) or box.formula:
        return None
    beside = boxes.right_of(box)
    if beside is not None and is_total(box.text) and (reached := _reached(boxes, beside)) is not None:
        return reached
    if beside is not None and (beside.row, beside.rows) == (box.row, box.rows) and beside not in role:
        if _is_value(box, beside):
            return beside
    elif box.rows > 1:
        return None  # a caption beside several rows
    below = boxes.below(box)
    if below is None or below.row in tables or below in role or below.col != box.col or below.columns != box.columns:
        return None
    return below if _is_value(box, below) and not _heads_row(boxes, below) else None


def _over_blanks(boxes: Boxes, number: int) -> frozenset[Box]:
    """Return the boxes of a row of texts over a row of blanks, each as wide as the text above it; else none."""
    row = [box for box in boxes.starting(number) if box.rows == 1]
    if len(row) < 2 or not all(box.text for box in row):
        return frozenset()
    below = [boxes.below(box) for box in row]
    fits = all(
        under is not None
        and (under.col, under.columns) == (box.col, box.columns)
        and (not under.text or is_placeholder(under.text))
        for box, under in zip(row, below, strict=True)
    )
    return frozenset(row) if fits else frozenset()


def _reached(boxes: Boxes, full: Box) -> Box | None:
    """Return the box of what was reached, where the number beside a total is only the maximum: 总分 100 98.62."""
    if not isinstance(full.raw, int | float | Decimal) and not full.text.isdecimal():
        return None
    beyond = boxes.right_of(full)
    able = beyond is not None and beyond.rows == full.rows and (not beyond.text or not isinstance(beyond.raw, str))
    return beyond if able else None


def _heads_row(boxes: Boxes, below: Box) -> bool:
    """Return whether a blank below a text is the value of a label in front of it."""
    before = boxes.at.get((below.row, below.col - 1))
    return before is not None and before.rows == below.rows and bool(before.text) and not below.text


def _is_value(label: Box, other: Box) -> bool:
    """Return whether a box beside or below a label is where its value is typed."""
    if not other.text or is_placeholder(other.text) or not isinstance(other.raw, str) or other.formula:
        return True
    if (other.rule is not None and other.rule.kind) or tick_items(other.text):
        return True
    if label.look.locked != other.look.locked:
        return label.look.locked
    if label.look.fill != other.look.fill:
        return bool(label.look.fill)
    if field_meaning(other.text) is not None:
        return False
    if len(other.text) > PROSE or label.text.endswith((":", "：")):
        return True
    return field_meaning(label.text) is not None


def _is_unsure(boxes: Boxes, label: Box, value: Box) -> bool:
    if tick_items(value.text):
        return False
    if field_meaning(label.text) is not None:
        return bool(value.text) and not is_placeholder(value.text) and label.look == value.look and not value.rule
    further = boxes.at.get((value.row, value.last_col + 1))
    return value.row == label.row and further is not None and further.rows == value.rows and not further.text
