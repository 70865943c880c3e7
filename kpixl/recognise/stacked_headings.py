"""Headings over two rows: which row of headings is the upper one of which, and where the groups over others are."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from kpixl.forms.values import is_blank
from kpixl.recognise.headings import Heads, with_those_beside
from kpixl.recognise.labels import Anchor, Hit, LabelIndex, Rows, Slot

LEAST_BELOW = 2  # headings of groups in the lower row: one alone may be a word that was typed into the table
MAX_BLANK = 3  # rows that somebody put in between the two

Stack = Mapping[int, int]  # upper row of headings -> lower row


def stacked(
    index: LabelIndex, rows: Rows, hits: Iterable[Hit], heads: Heads
) -> tuple[dict[int, tuple[str, ...]], Stack]:
    """Join the rows of headings that are two rows of one table; of one that is known the other one is added."""
    found = dict(heads)
    if all(placed.depth == 1 for placed in index.placed.values()):
        return found, {}
    slots: dict[int, set[Slot]] = defaultdict(set)
    for row, _, others in hits:
        slots[row].update(others)
    stack: dict[int, int] = {}
    for row in sorted(heads):
        table = heads[row][0]
        if index.placed[table].depth == 1 or row in stack.values():
            continue
        above, below = (_next_filled(rows, row, step) for step in (-1, 1))
        if below is not None and _are_stacked(index, table, slots[row], slots[below]):
            stack[row] = below
        elif above is not None and above not in stack and _are_stacked(index, table, slots[above], slots[row]):
            stack[above] = row
    for upper, lower in stack.items():
        tables = with_those_beside(index, next(found[row][0] for row in (upper, lower) if row in found))
        found |= {upper: tables, lower: tables}
    return found, stack


def _next_filled(rows: Rows, row: int, step: int) -> int | None:
    """Return the nearest row above or below that is not blank."""
    near = range(row + step, row + step * (MAX_BLANK + 2), step)
    return next((r for r in near if 0 <= r < len(rows) and not all(map(is_blank, rows[r]))), None)


def _are_stacked(index: LabelIndex, table: str, upper: Iterable[Slot], lower: Iterable[Slot]) -> bool:
    """Return whether a row has groups or headings that reach over both rows, and the row below those of groups."""
    below = index.grouped(table)
    own = [{slot for slot in row if slot.table == table} for row in (upper, lower)]
    inside = [{slot.key for slot in row if slot.kind == "column"} & below for row in own]
    return bool(own[0]) and not inside[0] and len(inside[1]) >= min(LEAST_BELOW, len(below))


def groups_in(hits: Iterable[Hit], heads: Heads) -> list[Anchor]:
    """List the headings over others that were found in rows of headings."""
    return [
        Anchor(row, col, slot)
        for row, col, slots in hits
        for slot in slots
        if slot.kind == "group" and slot.table in heads.get(row, ())
    ]


def rows_of(stack: Stack, lower: int) -> Sequence[int]:
    """Return the rows of the headings of which `lower` is the last."""
    return sorted((lower, *(upper for upper, below in stack.items() if below == lower)))
