"""What a lost label or heading takes with it: one problem where it should stand, with the content that is not read."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from kpixl.forms.definition import Form, PlacedTable
from kpixl.forms.values import Raw
from kpixl.keys import Key
from kpixl.problems import Severity
from kpixl.readers import Grid
from kpixl.recognise.columns import TableColumns
from kpixl.recognise.labels import Anchor, FoundForm, FoundTable, LabelIndex, Slot
from kpixl.recognise.quoted import MAX_CELLS, content, quoted

Place = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Lost:
    """A problem, and the cells that it quotes: they are reported once. `place` None: where it was, nobody knows.

    `keys`: the values that cannot be read without it.
    """

    keys: tuple[Key, ...]
    code: str
    place: Place | None
    label: str
    details: Mapping[str, object]
    level: Severity | None = None
    cells: frozenset[Place] = field(default_factory=frozenset)


class Losses:
    """Finds what is lost of one form.

    `strays`: filled cells that were taken for nothing, with what they hold; `used`: those that were taken.
    """

    def __init__(
        self,
        form: Form,
        index: LabelIndex,
        found: FoundForm,
        strays: Mapping[Place, Raw],
        grid: Grid,
        used: Collection[Place],
    ) -> None:
        self.form, self.index, self.found, self.strays, self.grid = form, index, found, strays, grid
        self.taken = {(a.row, a.col) for a in (*found.anchors.values(), *found.others)}
        self.taken |= set(used)
        self.taken |= {cell for table in found.tables for cell in table.cells}

    def all(self) -> list[Lost]:
        """List what is lost: labels, headings, whole tables."""
        if self.found.expected:
            return []
        known = {table.table for table in self.found.tables}
        headings = [lost for table in self.found.tables for lost in self._heading(table)]
        return [
            *self._labels(),
            *self._lines(),
            *headings,
            *(self._table(key) for key in self.form.tables if key not in known),
        ]

    # --- labels ------------------------------------------------------------------------------

    def _labels(self) -> Iterator[Lost]:
        for key, known in self.form.fields.items():
            if key in self.index.labels and key not in self.found.anchors:
                lost = self._label(key, known.label)
                like = self.found.unclear.get(Slot("field", key))
                yield self._unclear(lost, like) if like else lost

    def _unclear(self, lost: Lost, like: Sequence[Place]) -> Lost:
        """Name the cells that may each be a lost label."""
        cells = [(place, self.strays[place]) for place in like if place in self.strays]
        details = {"label": lost.label, "taken": lost.details["taken"], "like": quoted(self.grid, cells)}
        return Lost(
            lost.keys, "label-unclear", like[0], lost.label, details, Severity.ERROR, lost.cells | {p for p, _ in cells}
        )

    def _label(self, key: str, label: str) -> Lost:
        place = self._beside(key)
        own, value = self.index.labels[key], self.index.values[key]
        if place is None:
            return Lost((Key(key),), "label-missing", None, label, {"label": label, "taken": _blank()})
        row, col = place[0] + value.row - own.row, place[1] + value.col - own.col
        region = [(row, c) for c in range(col, col + value.columns) if (row, c) in self.strays]
        cells = frozenset([*region, *([place] if place in self.strays else [])])
        if not cells:
            return Lost((Key(key),), "label-missing", place, label, {"label": label, "taken": _blank()})
        taken = _unread(self._quoted(region), self._quoted([place] if place in self.strays else []))
        return Lost((Key(key),), "label-missing", place, label, {"label": label, "taken": taken}, Severity.ERROR, cells)

    def _beside(self, key: str) -> Place | None:
        """Return where a lost label should stand, by the nearest label that is there; None where another stands."""
        place = expected_place(self.index, self.found.anchors, key)
        return None if place in self.taken else place

    def _quoted(self, cells: Collection[Place]) -> str:
        return quoted(self.grid, ((cell, self.strays[cell]) for cell in cells))

    def _lines(self) -> Iterator[Lost]:
        """List the rows and headings of grids that are lost; what is in them is reported as cells of no value."""
        for slot in self.index.lines:
            if slot not in self.found.lines:
                label = self.index.printed(slot)
                keys = tuple(Key(name) for name in self.form.fields if _crosses(slot, name))
                yield Lost(keys, "label-missing", None, label, {"label": label, "taken": _blank()})

    # --- tables ------------------------------------------------------------------------------

    def _heading(self, found: FoundTable) -> list[Lost]:
        """List the required columns of a table without a heading; what else is in the rows is its content."""
        table = self.form.tables[found.table]
        columns = TableColumns(self.form, found, self.grid.rows)
        read = set(columns.places) | {part for target in columns.targets.values() for part in target.parts}
        lost = [key for key, column in table.columns.items() if column.required and key not in read]
        if not lost:
            return []
        cells = self._rows(found.row + 1, found.last_row)
        labels = [table.columns[key].label for key in lost]
        row = self._heading_row(found, lost[0])
        place = (row, min(c for _, c in cells)) if cells else self._empty_heading(found, lost, row)
        unread = {"count": len(cells), "content": content(self._quoted(cells))}
        details = {"label": table.label, "heading": "、".join(labels), "columns": labels, **unread}
        keys = tuple(Key(found.table, column=key) for key in lost)
        return [Lost(keys, "heading-missing", place, labels[0], details, None, frozenset(cells[:MAX_CELLS]))]

    def _heading_row(self, found: FoundTable, key: str) -> int:
        """Return the row in which a lost heading should stand: that of one over which there is no group either."""
        depth, grouped = self.index.placed[found.table].depth, self.index.grouped(found.table)
        alike = [heading.up for heading in found.headings if (heading.key in grouped) == (key in grouped)]
        return found.row - (alike[0] if alike else 0 if key in grouped else depth - 1)

    def _empty_heading(self, found: FoundTable, lost: Sequence[str], row: int) -> Place | None:
        """Return where the first lost heading should stand, by the nearest one that is there."""
        for target in self.form.tables[found.table].targets.values():
            if lost[0] in target.parts and (known := [found.place(h) for h in found.headings if h.key == target.key]):
                return known[0]  # the heading is there, the column of a part below it is not
        at = {heading.key: heading.col for heading in self.index.placed[found.table].entry}
        there = {heading.key: heading.col for heading in found.headings if heading.key in at}
        if lost[0] not in at or not there:
            return None
        near = min(there, key=lambda key: abs(at[key] - at[lost[0]]))
        place = (row, there[near] + at[lost[0]] - at[near])
        return None if place in self.taken or place[1] < 0 else place

    def _table(self, key: str) -> Lost:
        table, placed = self.form.tables[key], self.index.placed[key]
        headings = "、".join(c.label for c in table.columns.values() if c.required)
        place = self._above(placed)
        cells = self._rows(place[0], self._end(place[0])) if place else []
        unread = {"count": len(cells), "content": content(self._quoted(cells))}
        details = {"label": table.label, "headings": headings, **unread}
        return Lost((Key(key),), "table-missing", place, table.label, details, None, frozenset(cells[:MAX_CELLS]))

    def _above(self, placed: PlacedTable) -> Place | None:
        """Return where the headings of a lost table should begin, by the nearest label above them."""
        before = max((p.row for p in self.index.layout.tables if p.row < placed.row), default=-1)
        labels = self.index.labels
        above = [key for key in self.found.anchors if before < labels[key].row < placed.top]
        if not above or not placed.entry:
            return None
        near = max(above, key=lambda key: labels[key].row)
        anchor: Anchor = self.found.anchors[near]
        return anchor.row + placed.top - labels[near].row, max(anchor.col + placed.entry[0].col - labels[near].col, 0)

    def _end(self, row: int) -> int:
        """Return the last row before the next label or heading."""
        following = [r for r, _ in self.taken if r > row]
        return min(following, default=self.found.last_row + 1) - 1

    def _rows(self, first: int, last: int) -> list[Place]:
        left = min((anchor.col for anchor in self.found.anchors.values()), default=0)
        return [(r, c) for r, c in self.strays if first <= r <= last and left <= c <= self.found.edge]


def expected_place(index: LabelIndex, anchors: Mapping[str, Anchor], key: str) -> Place | None:
    """Return where a lost label should be, by the nearest label that is there."""
    own, labels = index.labels[key], index.labels

    def distance(other: str) -> tuple[int, int]:
        return abs(labels[other].row - own.row), abs(labels[other].col - own.col)

    near = min(anchors, key=distance, default=None)
    if near is None:
        return None
    anchor = anchors[near]
    place = (anchor.row + own.row - labels[near].row, anchor.col + own.col - labels[near].col)
    return None if min(place) < 0 else place


def _blank() -> tuple[str, str]:
    return "该项按空白处理", "its value is taken as blank"


def _unread(content: str, instead: str) -> tuple[str, str]:
    zh = [f"该处现为 {instead}"] if instead else []
    en = [f"in its place stands {instead}"] if instead else []
    zh.append(f"{content} 没有汇总" if content else "该项按空白处理")
    en.append(f"{content} was not taken up" if content else "its value is taken as blank")
    return "，".join(zh), "; ".join(en)


def _crosses(slot: Slot, name: str) -> bool:
    """Return whether a field is in the row, or under the heading, of a grid."""
    grid, _, line = slot.key.rpartition(".")
    if not name.startswith(f"{grid}."):
        return False
    row, _, column = name.removeprefix(f"{grid}.").rpartition(".")
    return line == (row if slot.kind == "row" else column)
