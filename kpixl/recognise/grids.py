"""The grids of a form in any other sheet: rows and columns are found by their labels, values where they cross.

Values that follow another, under one label, are told by their order or by the column of a table above them.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from kpixl.a1 import Span
from kpixl.forms.values import is_blank
from kpixl.recognise.kinds import is_foreign
from kpixl.recognise.labels import Anchor, FoundTable, Hit, LabelIndex, Rows, Slot, Spot
from kpixl.recognise.near import MAX_LENGTH, Place, pair

LEAST_HEADINGS = 2
MAX_BELOW = 60  # rows of a grid below its headings


class Crossings(NamedTuple):
    """What was found of a form's grids: values, labels, places without a value, labels that read only nearly so."""

    spots: Mapping[str, Spot]
    lines: Mapping[Slot, Place]
    empty: frozenset[Place]
    near: tuple[Anchor, ...] = ()


def grid_heading_rows(index: LabelIndex, hits: Sequence[Hit]) -> dict[str, int]:
    """Map each grid to the row of its headings: the one with most of them, and more than of any table's."""
    grids: dict[tuple[str, int], set[str]] = defaultdict(set)
    tables: dict[tuple[str, int], set[str]] = defaultdict(set)
    for row, _, slots in hits:
        for slot in slots:
            if slot.kind == "head":
                grids[slot.key.rpartition(".")[0], row].add(slot.key)
            elif slot.kind == "column":
                tables[slot.table, row].add(slot.key)
    found: dict[str, int] = {}
    for name in index.form.grids:
        counts = {row: len(keys) for (grid, row), keys in grids.items() if grid == name}
        others = {row: max((len(k) for (_, r), k in tables.items() if r == row), default=0) for row in counts}
        rows = [row for row, count in counts.items() if count >= LEAST_HEADINGS and count > others[row]]
        if rows:
            found[name] = max(rows, key=lambda row: (counts[row], -row))
    return found


def cross(
    index: LabelIndex,
    rows: Rows,
    hits: Sequence[Hit],
    heads: Mapping[str, int],
    taken: Iterable[int],
    edge: int,
    merges: Sequence[Span],
) -> Crossings:
    """Find the values of the grids whose headings are in the rows `heads`.

    `taken`: rows of other labels of the form, at which a grid ends; `edge`: the form's last column.
    """
    ends = sorted({*taken, *heads.values(), len(rows)})
    spots: dict[str, Spot] = {}
    lines: dict[Slot, Place] = {}
    empty: set[Place] = set()
    near: list[Anchor] = []
    for name, top in heads.items():
        axis = _Lines(index, rows, hits, name)
        columns = axis.find("head", range(top, top + 1), 0, edge)
        first = min(col for _, col in columns.values())
        end = next(row for row in ends if row > top)
        labels = axis.find("row", range(top + 1, min(end, top + 1 + MAX_BELOW)), 0, first - 1)
        lines |= {Slot("head", f"{name}.{key}"): place for key, place in columns.items()}
        lines |= {Slot("row", f"{name}.{key}"): place for key, place in labels.items()}
        near += axis.near
        reach = _reach(columns, edge, merges)
        for (line, label), (column, place) in itertools.product(labels.items(), columns.items()):
            key, span = f"{name}.{line}.{column}", range(place[1], reach[column] + 1)
            if key in index.form.fields:
                spots[key] = Spot(label[0], span[0], span[-1], (place, label))
            else:
                empty |= {(label[0], col) for col in span}
    return Crossings(spots, lines, frozenset(empty), tuple(near))


def _reach(columns: Mapping[str, Place], edge: int, merges: Sequence[Span]) -> dict[str, int]:
    """Return the last column under each heading: before the next one, or as far as its merged cell reaches."""
    merged = {(m.row, m.col): m.last_col for m in merges}
    order = sorted(columns, key=lambda key: columns[key][1])
    following = [columns[key][1] - 1 for key in order[1:]]
    last = columns[order[-1]]
    return dict(zip(order, [*following, merged.get(last, max(edge, last[1]))], strict=True))


class _Lines:
    """Finds the rows or the columns of one grid by their labels, and those that are missing by what is nearly them."""

    def __init__(self, index: LabelIndex, rows: Rows, hits: Sequence[Hit], name: str) -> None:
        self.index, self.rows, self.hits, self.name = index, rows, hits, name
        self.near: list[Anchor] = []

    def find(self, kind: str, span: range, first: int, last: int) -> dict[str, Place]:
        """Map the lines of a kind (row, head) to their labels within some rows and columns."""
        found: dict[str, Place] = {}
        texts: dict[Place, str] = {}
        for row in span:
            for col, raw in enumerate(self.rows[row][first : last + 1] if row < len(self.rows) else (), first):
                if type(raw) is str and raw and len(raw) <= 2 * MAX_LENGTH:
                    texts[row, col] = raw
        for row, col, slots in self.hits:
            for slot in slots if row in span and first <= col <= last else ():
                if slot.kind == kind and slot.key.rpartition(".")[0] == self.name:
                    found.setdefault(slot.key.rpartition(".")[2], (row, col))
        return found | self._nearly(kind, found, texts)

    def _nearly(self, kind: str, found: Mapping[str, Place], texts: Mapping[Place, str]) -> dict[str, Place]:
        grid = self.index.form.grids[self.name]
        order = [*(grid.rows if kind == "row" else grid.columns)]
        missing = [key for key in order if key not in found]
        if not missing:
            return {}
        axis = 0 if kind == "row" else 1
        labels = {(row, col) for row, col, _ in self.hits}
        cells = {
            place: text
            for place, text in texts.items()
            if place not in labels and not is_foreign(text, self.index.kind)
        }

        def cores(key: str) -> frozenset[str]:
            return self.index.cores[Slot(kind, f"{self.name}.{key}")]

        def in_place(key: str, place: Place) -> bool:
            at = order.index(key)
            before = [found[k][axis] for k in order[:at] if k in found]
            behind = [found[k][axis] for k in order[at + 1 :] if k in found]
            return max(before, default=-1) < place[axis] < min(behind, default=place[axis] + 1)

        paired, _ = pair(missing, cells, cores, in_place, [core for key in found for core in cores(key)])
        self.near += [Anchor(*place, Slot(kind, f"{self.name}.{key}")) for key, place in paired.items()]
        return paired


# --- values that follow another ---------------------------------------------------------------


def following(
    index: LabelIndex, rows: Rows, anchors: Mapping[str, Anchor], tables: Sequence[FoundTable], edge: int
) -> dict[str, Spot]:
    """Find the values of labels that have several: in their order, or in the columns of a table as on the form."""
    groups: dict[str, list[str]] = defaultdict(list)
    for key, field in index.form.fields.items():
        if field.follows is not None and field.follows in anchors:
            groups[field.follows].append(key)
    spots: dict[str, Spot] = {}
    for lead, others in groups.items():
        anchor = anchors[lead]
        keys = sorted([lead, *others], key=lambda key: index.values[key].col)
        row = rows[anchor.row]
        filled = [c for c in range(anchor.col + 1, min(edge + 1, len(row))) if not is_blank(row[c])]
        places = filled if len(filled) == len(keys) else [_column_at(index, tables, edge, key) for key in keys]
        label = (anchor.row, anchor.col)
        spots |= {key: Spot(anchor.row, col, col, (label,)) for key, col in zip(keys, places, strict=True)}
    return spots


def _column_at(index: LabelIndex, tables: Sequence[FoundTable], edge: int, key: str) -> int:
    """Return where a value is if a table has the same columns as on the form, else counted from the last column."""
    col = index.values[key].col
    printed = {h.key: h.col for table in tables for h in index.placed[table.table].print}
    at = (h.col for table in tables for h in table.headings if printed.get(h.key) == col)
    return next(at, edge - (len(index.layout.widths) - 1 - col))
