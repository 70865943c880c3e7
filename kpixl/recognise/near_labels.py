"""The labels and headings that a form lacks, found by what is nearly them: unique, and in their place in the form."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from kpixl.portfolio.own_texts import is_furniture
from kpixl.recognise.kinds import is_foreign
from kpixl.recognise.labels import Anchor, LabelIndex, Rows, Slot
from kpixl.recognise.near import MAX_LENGTH, Place, closeness, core, pair

STEPS = (1.0, 0.0)  # what differs by brackets and numbers first: it shows where the others are
MAX_ROWS = 100  # in which headings are looked for; those of a form are near its top
MAX_TRIED = 200  # cells between two labels; more are rows of a table, and to compare each costs time


class NearLabels(NamedTuple):
    """What was found nearly, and for which labels (Slot) several cells may be meant."""

    anchors: tuple[Anchor, ...] = ()
    unclear: Mapping[Slot, Sequence[Place]] = {}


def near_fields(
    index: LabelIndex, rows: Rows, anchors: Mapping[str, Anchor], heads: Collection[int], taken: Collection[Place],
    last: int,
) -> NearLabels:  # fmt: skip
    """Find the labels of fields that are not among `anchors`, between those that are before and after them in the form.

    `heads`: the heading rows of tables. `taken`: cells that are labels. `last`: the form's last row.
    """
    found: dict[str, Anchor] = {}
    for least in STEPS:
        near = _fields(index, rows, {**anchors, **found}, heads, taken, last, least)
        found |= {anchor.slot.key: anchor for anchor in near.anchors}
    return NearLabels(tuple(found.values()), near.unclear)


def _fields(
    index: LabelIndex, rows: Rows, anchors: Mapping[str, Anchor], heads: Collection[int], taken: Collection[Place],
    last: int, least: float,
) -> NearLabels:  # fmt: skip
    missing = [key for key in sorted(index.labels, key=lambda key: _order(index, key)) if key not in anchors]
    if not missing or not anchors:
        return NearLabels()
    taken = {*taken, *((anchor.row, anchor.col) for anchor in anchors.values())}
    gaps = {key: _gap(index, key, anchors, heads, last) for key in missing}
    cells: dict[Place, str] = {}
    for place, text in _candidates(index, rows, (row for gap in gaps.values() for row in gap.rows), taken):
        if any(gap.holds(place) for gap in gaps.values()):
            cells[place] = text
            if len(cells) == MAX_TRIED:
                break
    known = [core for key in anchors for core in index.cores[Slot("field", key)]]
    paired, unclear = pair(
        missing,
        cells,
        lambda key: index.cores[Slot("field", key)],
        lambda key, place: gaps[key].holds(place),
        known,
        least,
        lambda key, place, label: place == _value_of(index, key, label),
    )
    return NearLabels(
        tuple(Anchor(*place, Slot("field", key)) for key, place in paired.items()),
        {Slot("field", key): places for key, places in unclear.items()},
    )


def near_columns(
    index: LabelIndex, rows: Rows, table: str, heads: Sequence[int], columns: Sequence[Anchor], taken: Collection[Place]
) -> NearLabels:
    """Find the headings of a table that are not among `columns`, the headings found in its rows of headings."""
    found: dict[str, Anchor] = {}
    for least in STEPS:
        near = _columns(index, rows, table, heads, [*columns, *found.values()], taken, least)
        found |= {anchor.slot.key: anchor for anchor in near.anchors}
    return NearLabels(tuple(found.values()), near.unclear)


def _columns(
    index: LabelIndex, rows: Rows, table: str, heads: Sequence[int], columns: Sequence[Anchor],
    taken: Collection[Place], least: float,
) -> NearLabels:  # fmt: skip
    there = {anchor.slot.key: anchor.col for anchor in columns}
    taken = {*taken, *((anchor.row, anchor.col) for anchor in columns)}
    order = _headings(index, table, there)
    missing = [key for key in order if key not in there]
    if not missing:
        return NearLabels()

    def in_place(key: str, place: Place) -> bool:
        at = order.index(key)
        before = [there[k] for k in order[:at] if k in there]
        behind = [there[k] for k in order[at + 1 :] if k in there]
        return max(before, default=-1) < place[1] < min(behind, default=place[1] + 1)

    paired, unclear = pair(
        missing,
        dict(_candidates(index, rows, heads, taken)),
        lambda key: index.cores[Slot("column", key, table)],
        in_place,
        [core for key in there for core in index.cores[Slot("column", key, table)]],
        least,
    )
    return NearLabels(
        tuple(Anchor(*place, Slot("column", key, table)) for key, place in paired.items()),
        {Slot("column", key, table): places for key, places in unclear.items()},
    )


def near_heading_row(index: LabelIndex, rows: Rows, table: str, first: int, last: int) -> int | None:
    """Find the last row of a table's headings where less than two read as they should: half of them do nearly."""
    placed = index.placed[table]
    labels = [index.cores[Slot("column", column.key, table)] for column in placed.print]
    needed = max(2, (len(labels) + 1) // 2)
    for number in range(first, min(last + 1, first + MAX_ROWS, len(rows))):
        if (count := _near_count(rows[max(number - placed.depth + 1, 0) : number + 1], labels)) < needed:
            continue
        more = _near_count(rows[number : number + placed.depth], labels)  # this may be the upper of two rows
        return number + 1 if placed.depth > 1 and more > count else number
    return None


def _near_count(heads: Rows, labels: Sequence[Collection[str]]) -> int:
    """Count the headings that some cell of the rows is nearly."""
    cores = {core(raw) for row in heads for raw in row if type(raw) is str and raw and len(raw) <= 2 * MAX_LENGTH}
    if len(cores) < 2:
        return 0
    return sum(any(closeness(text, label) for text in cores for label in spellings) for spellings in labels)


def _headings(index: LabelIndex, table: str, there: Collection[str]) -> list[str]:
    """List the columns of a table as they are printed; a target as its parts where one of these has a heading."""
    keys: list[str] = []
    targets = index.form.tables[table].targets
    for column in index.placed[table].print:
        target = targets.get(column.key)
        split = target is not None and column.key not in there and any(part in there for part in target.parts)
        keys += target.parts if target is not None and split else [column.key]
    return keys


def _order(index: LabelIndex, key: str) -> tuple[int, int]:
    return index.labels[key].row, index.labels[key].col


class _Gap(NamedTuple):
    """Where a label may be: after one place and before another; in a certain row where one of its row is there."""

    rows: range
    after: Place
    before: Place

    def holds(self, place: Place) -> bool:
        return place[0] in self.rows and self.after < place < self.before


def _gap(index: LabelIndex, key: str, anchors: Mapping[str, Anchor], heads: Collection[int], last: int) -> _Gap:
    own, labels = index.labels[key], index.labels
    order = sorted(anchors, key=lambda other: _order(index, other))
    before = next((k for k in reversed(order) if _order(index, k) < (own.row, own.col)), None)
    behind = next((k for k in order if _order(index, k) > (own.row, own.col)), None)
    after = _behind_value(index, before, anchors[before]) if before else (-1, 0)
    first, end = after[0], last + 1
    limit = (end, 0)
    if behind is not None:
        limit = (anchors[behind].row, anchors[behind].col)
    if key not in index.foot:  # the headings of the first table are below it
        limit = min(limit, (min(heads, default=end), 0))
    row = next((anchors[k].row for k in order if labels[k].row == own.row), None)
    if row is not None:
        return _Gap(range(row, row + 1), after, limit)
    if before is not None:
        first = anchors[before].row + 1
    if behind is not None:
        end = min(end, limit[0])
    return _Gap(range(max(first, 0), end), after, limit)


def _value_of(index: LabelIndex, key: str, place: Place) -> Place:
    """Return where the value is if a label is at a place."""
    label, value = index.labels[key], index.values[key]
    return place[0] + value.row - label.row, place[1] + value.col - label.col


def _behind_value(index: LabelIndex, key: str, anchor: Anchor) -> Place:
    """Return the last cell in the row of a label where its value may be, which is no label."""
    if index.below[key]:
        return anchor.row, anchor.col
    value = index.values[key]
    return anchor.row, anchor.col + value.col - index.labels[key].col + value.columns - 1


def _candidates(
    index: LabelIndex, rows: Rows, numbers: Iterable[int], taken: Collection[Place]
) -> Iterator[tuple[Place, str]]:
    """Yield the cells that may be labels: short, and not those of another kind of form."""
    for number in dict.fromkeys(numbers):
        for col, raw in enumerate(rows[number]) if number < len(rows) else ():
            if type(raw) is not str or not raw or len(raw) > 2 * MAX_LENGTH or (number, col) in taken:
                continue
            if not is_furniture(raw) and len(core(raw)) > 1 and not is_foreign(raw, index.kind):
                yield (number, col), raw
