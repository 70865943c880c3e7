"""Compare two versions of a sheet, row by row, and list the cells that a person changed."""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Iterator, Sequence
from itertools import zip_longest
from typing import NamedTuple

from kpixl.output.summary.marks import Row, plain


class CellChange(NamedTuple):
    """A cell of the newer version: its place, what was written there, what is there now; spelled as in marks."""

    row: int
    col: int
    old: str
    new: str


class Changes(NamedTuple):
    """What differs: cells, rows of the older version that are gone, and whether rows are in another order.

    `moved` is the row (from 0) from which on rows are elsewhere, in the same order; None where there is none.
    """

    cells: tuple[CellChange, ...] = ()
    deleted: tuple[int, ...] = ()
    moved: int | None = None
    reordered: bool = False


def compare(old: Sequence[Row], new: Sequence[Row]) -> Changes:
    """List what changed from `old` to `new`; a sorted sheet or an inserted row is no change of its cells.

    Takes time in proportion to the rows, whatever they hold.
    """
    before = [tuple(map(plain, row)) for row in old]
    if list(_stripped(before)) == list(_stripped(new)):
        return Changes()
    gone, come = _left_over(before, new), _left_over(new, before)
    pairs = _pairs(before, new, gone, come)
    cells: list[CellChange] = []
    for number in come:
        cells += _changed_cells(number, old[pairs[number]] if number in pairs else (), new[number])
    deleted = sorted(set(gone) - set(pairs.values()))
    stayed = [[(n, row) for n, row in enumerate(rows) if row and n not in left]
              for rows, left in ((before, set(gone)), (new, set(come)))]  # fmt: skip
    reordered = [row for _, row in stayed[0]] != [row for _, row in stayed[1]]
    moved = next((min(a[0], b[0]) for a, b in zip(*stayed, strict=False) if a[0] != b[0]), None)
    return Changes(tuple(cells), tuple(deleted), None if reordered else moved, reordered)


def _changed_cells(number: int, was: Row, row: Row) -> Iterator[CellChange]:
    for col, (first, second) in enumerate(zip_longest(was, row, fillvalue="")):
        if plain(first) != second:
            yield CellChange(number, col, first, second)


def _stripped(rows: Sequence[Row]) -> Iterator[tuple[int, Row]]:
    return ((number, row) for number, row in enumerate(rows) if row)


def _left_over(rows: Sequence[Row], others: Sequence[Row]) -> list[int]:
    """List the rows, by number, of which there is no equal one among the others; each counts once."""
    there = Counter(others)
    left = []
    for number, row in enumerate(rows):
        if row and there[row] > 0:
            there[row] -= 1
        elif row:
            left.append(number)
    return left


def _pairs(old: Sequence[Row], new: Sequence[Row], gone: Sequence[int], come: Sequence[int]) -> dict[int, int]:
    """Map changed rows of `new` to what they were: the row of equal beginning, else of equal place, else the next."""
    pairs: dict[int, int] = {}
    waiting: dict[str, deque[int]] = defaultdict(deque)
    for number in gone:
        waiting[old[number][0]].append(number)
    for number in come:
        if (first := new[number][0]) and waiting[first]:
            pairs[number] = waiting[first].popleft()
    taken = set(pairs.values())
    free = [number for number in gone if number not in taken]
    at_place = set(free) & set(come) - set(pairs)
    pairs |= {number: number for number in at_place}
    rest = iter(number for number in free if number not in at_place)
    # A row beyond the end of the older version is a new one, not another one changed.
    changed = [n for n in come if n not in pairs and n < len(old)]
    return pairs | dict(zip(changed, rest, strict=False))
