"""Which amounts a total adds up, by the formula in its cell."""

from __future__ import annotations

import itertools
import re
from collections.abc import Container, Mapping

from kpixl.a1 import span_from
from kpixl.learn.sheet import Box, Boxes

MAX_FORMULA = 300  # characters; a longer one is no sum of a few cells
_CELL = r"\$?[A-Z]{1,2}\$?\d{1,4}"
_LISTED = re.compile(rf"SUM\(({_CELL}(?::{_CELL})?(?:,{_CELL}(?::{_CELL})?)*)\)")
_ADDED = re.compile(rf"{_CELL}(?:\+{_CELL})+")
_UNLESS_BLANK = re.compile(rf'IF\(COUNT\([A-Z\d$:,]*\)=0,"",({_LISTED.pattern})\)')


def parts_of(boxes: Boxes, total: Box, keys: Mapping[Box, str], amounts: Container[str]) -> tuple[str, ...]:
    """Return the keys of the amounts that the formula of a total adds up; none where it does something else."""
    formula = "".join(total.formula.split()).lstrip("=")
    if not formula or len(formula) > MAX_FORMULA:
        return ()
    if (wrapped := _UNLESS_BLANK.fullmatch(formula)) is not None:
        formula = wrapped[1]
    listed = _LISTED.fullmatch(formula)
    if listed is None and _ADDED.fullmatch(formula) is None:
        return ()
    found: list[str] = []
    for ref in listed[1].split(",") if listed is not None else formula.split("+"):
        found += _amounts(boxes, ref, keys)
    good = len(found) >= 2 and len(set(found)) == len(found) and all(key in amounts for key in found)
    return tuple(found) if good and not any(box.formula for box, key in keys.items() if key in found) else ()


def _amounts(boxes: Boxes, ref: str, keys: Mapping[Box, str]) -> list[str]:
    """Return the keys of the values in a range of cells."""
    span = span_from(ref)
    if span is None:
        return []
    places = itertools.product(range(span.row, span.last_row + 1), range(span.col, span.last_col + 1))
    parts = dict.fromkeys(boxes.at.get(place) for place in itertools.islice(places, MAX_FORMULA))
    return [keys[box] for box in parts if box is not None and box in keys]
