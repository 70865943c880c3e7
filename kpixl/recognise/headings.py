"""The headings of tables in a row: which table each is of, also where tables stand side by side under equal ones."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence

from kpixl.recognise.labels import Anchor, Hit, LabelIndex, Slot

Heads = Mapping[int, tuple[str, ...]]  # row -> the tables whose headings it has


def heading_rows(index: LabelIndex, hits: Iterable[Hit], apart: Collection[int] = ()) -> dict[int, tuple[str, ...]]:
    """Map each row that holds two or more headings of a table to that table and those beside it.

    `apart`: the rows of the headings of grids.
    """
    counts: dict[tuple[int, str], set[str]] = defaultdict(set)
    for row, _, slots in hits:
        for slot in slots:
            if slot.kind in ("column", "group") and row not in apart:
                counts[row, slot.table].add(slot.key)
    best: dict[int, str] = {}
    for (row, table), keys in sorted(counts.items(), key=lambda item: len(item[1])):
        if len(keys) >= 2:
            best[row] = table
    _put_in_order(index, best)
    return {row: with_those_beside(index, table) for row, table in best.items()}


def _put_in_order(index: LabelIndex, best: dict[int, str]) -> None:
    """Tell tables with the same headings apart by their order; where one is missing, nobody knows which it is."""
    for tables in index.twins:
        rows = sorted(row for row, table in best.items() if table in tables)
        if len(rows) == len(tables):
            best |= dict(zip(rows, tables, strict=True))


def with_those_beside(index: LabelIndex, table: str) -> tuple[str, ...]:
    """Return a table and those side by side with it, from left to right."""
    return index.placed[table].beside or (table,)


def columns_in(index: LabelIndex, hits: Sequence[Hit], heads: Heads) -> list[Anchor]:
    """List the headings that were found in rows of headings, each as one of its table."""
    found: list[Anchor] = []
    for row, tables in heads.items():
        inside = sorted((col, slots) for r, col, slots in hits if r == row)
        found += _parted(index, hits, row, inside, tables) if len(tables) > 1 else _whole(row, inside, tables[0])
    return found


def _whole(row: int, cells: Iterable[tuple[int, tuple[Slot, ...]]], table: str) -> list[Anchor]:
    return [
        Anchor(row, col, slot)
        for col, slots in cells
        for slot in slots
        if slot.table == table and slot.kind == "column"
    ]


def _parted(
    index: LabelIndex,
    hits: Sequence[Hit],
    row: int,
    cells: Sequence[tuple[int, tuple[Slot, ...]]],
    tables: Sequence[str],
) -> list[Anchor]:
    """Part a row of headings among tables side by side: where one comes once more, the next table begins."""
    runs: list[list[tuple[int, tuple[Slot, ...]]]] = [[]]
    seen: set[str] = set()
    for col, slots in cells:
        keys = {slot.key for slot in slots if slot.table in tables}
        if keys & seen and len(runs) < len(tables):
            runs.append([])
            seen = set()
        seen |= keys
        runs[-1].append((col, slots))
    # A form with fewer tables than there should be: those whose labels are above, or that must be there.
    chosen = tables if len(runs) == len(tables) else _likely(index, hits, tables, len(runs))
    return [anchor for run, table in zip(runs, chosen, strict=True) for anchor in _whole(row, run, table)]


def _likely(index: LabelIndex, hits: Sequence[Hit], tables: Sequence[str], count: int) -> list[str]:
    """Choose the tables that a form has where some are left out, in their order."""
    labels = {slot.key for _, _, slots in hits for slot in slots if slot.kind == "field"}

    def rank(table: str) -> tuple[bool, bool]:
        return _labels_above(index, table) <= labels, index.form.tables[table].required

    best = sorted(tables, key=rank, reverse=True)[:count]
    return [table for table in tables if table in best]


def _labels_above(index: LabelIndex, table: str) -> set[str]:
    """Return the labels in the row of labels nearest above a table, over the columns that are its own."""
    placed = index.placed[table]
    own = [head for head in placed.print if head.key not in placed.shared]
    first, last = min(h.col for h in own), max(h.col + h.columns - 1 for h in own)
    cells = [cell for cell in index.form.layout.head if cell.kind == "label" and cell.row < placed.row]
    nearest = max((cell.row for cell in cells), default=-1)
    return {c.key for c in cells if c.row == nearest and c.col <= last and c.col + c.columns > first}


def with_shared(index: LabelIndex, columns: Collection[Anchor], heads: Heads) -> list[Anchor]:
    """Give tables side by side the headings that are printed once for all of them."""
    found = list(columns)
    for row, tables in heads.items():
        there = {anchor.slot: anchor for anchor in columns if anchor.row == row}
        present = {slot.table for slot in there}
        for key in index.placed[tables[0]].shared:
            slots = [Slot("column", key, table) for table in tables]
            one = next((there[slot] for slot in slots if slot in there), None)
            lacking = [slot for slot in slots if slot.table in present and slot not in there]
            found += [Anchor(row, one.col, slot) for slot in lacking] if one else []
    return found
