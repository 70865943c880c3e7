"""Forms beside each other on one sheet: a grid is cut where the labels of a form begin again to their right."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from kpixl.a1 import Span
from kpixl.readers import Grid
from kpixl.recognise.label_search import labels_in, search
from kpixl.recognise.labels import FoundForm, Hit, LabelIndex, Slot


class Part(NamedTuple):
    """A piece of a grid, a grid itself, and the forms in it, one below the other."""

    grid: Grid
    forms: list[FoundForm]
    merges: Sequence[Span]


def parts(
    index: LabelIndex, grid: Grid, hits: Sequence[Hit], merges: Sequence[Span], forms: list[FoundForm]
) -> list[Part]:
    """Cut a grid into pieces without forms beside each other; `forms` are those found in the whole of it.

    It stays whole unless more labels find their place in the pieces.
    """
    whole = [Part(grid, forms, merges)]
    if not _again(index, hits):
        return whole
    # Forms that stand below others need not begin in the columns of those, nor those beside each other in one row.
    bounds = [0, *(form.first_row for form in forms[1:]), len(grid.rows)]
    by_rows: list[Part] = []
    for first, end in itertools.pairwise(bounds):
        piece, inside = _piece(grid, merges, Span(first, 0, end - 1, _width(grid) - 1))
        by_rows += _cut(index, piece, labels_in(index, piece.rows), inside)
    return max(whole, by_rows, _cut(index, grid, hits, merges), key=_labels)


def _labels(pieces: Sequence[Part]) -> int:
    return sum(len(form.anchors) + len(form.tables) for piece in pieces for form in piece.forms)


def _again(index: LabelIndex, hits: Sequence[Hit]) -> list[int]:
    """List the columns of the form's leftmost labels and titles that stand somewhere to the left as well."""
    leftmost = {key for key, cell in index.labels.items() if cell.col == 0} | {"title"}
    places: dict[tuple[Slot, ...], set[int]] = defaultdict(set)
    for _, col, slots in hits:
        if any(slot.kind in ("field", "title") and slot.key in leftmost for slot in slots):
            places[slots].add(col)
    return sorted({col for columns in places.values() for col in columns if col > min(columns)})


def _cut(index: LabelIndex, grid: Grid, hits: Sequence[Hit], merges: Sequence[Span]) -> list[Part]:
    """Cut a grid at the columns to whose right half of the labels stand once more."""
    wanted = len(index.labels) + sum(len(placed.print) for placed in index.layout.tables)
    labels = [(col, slots) for _, col, slots in hits if slots[0].kind in ("field", "column")]
    columns = [0]
    for col in _again(index, hits):
        left = {slots for c, slots in labels if columns[-1] <= c < col}
        if 2 * len(left & {slots for c, slots in labels if c >= col}) >= wanted:
            columns.append(col)
    pieces = []
    for first, end in itertools.pairwise([*columns, _width(grid)]):
        piece, inside = _piece(grid, merges, Span(0, first, len(grid.rows) - 1, end - 1))
        pieces.append(Part(piece, search(index, piece.rows, labels_in(index, piece.rows), inside), inside))
    if all(piece.forms for piece in pieces):
        return pieces
    # What stands in a piece without a form would be reported by nobody.
    return [Part(grid, search(index, grid.rows, hits, merges), merges)]


def _width(grid: Grid) -> int:
    return max(map(len, grid.rows), default=0)


def _piece(grid: Grid, merges: Sequence[Span], span: Span) -> tuple[Grid, list[Span]]:
    """Return a rectangle of a grid as a grid of its own, with the merged cells that begin in it."""
    rows = [row[span.col : span.last_col + 1] for row in grid.rows[span.row : span.last_row + 1]]
    inside = [
        Span(m.row - span.row, m.col - span.col, min(m.last_row, span.last_row) - span.row,
             min(m.last_col, span.last_col) - span.col)
        for m in merges
        if span.row <= m.row <= span.last_row and span.col <= m.col <= span.last_col
    ]  # fmt: skip
    piece = replace(grid, rows=rows, top=grid.top + span.row, left=grid.left + span.col, merges=lambda: inside)
    return piece, inside
