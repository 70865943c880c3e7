"""A sheet that still looks as it was sent: every label stands at its address, which one comparison each shows."""

from __future__ import annotations

from collections.abc import Container, Sequence

from kpixl.forms.definition import Cell
from kpixl.forms.names import group_spans
from kpixl.portfolio.own_texts import is_furniture
from kpixl.portfolio.sheet_id import ID_GAP, PREFIX
from kpixl.recognise.label_search import moved_by
from kpixl.recognise.labels import Anchor, FoundForm, FoundTable, Heading, LabelIndex, LayoutBlock, Rows, Slot, Spot

# Of a form with four labels half are two, which people type into a table as the words that they are.
LEAST_LABELS = 3
MAX_SENT = 256  # places of tables that are remembered: most sheets of a round have one of a few


def as_sent(index: LabelIndex, rows: Rows) -> FoundForm | None:
    """Recognise a sheet whose labels all stand where the template put them; None where one does not.

    Only tables may have grown or shrunk, so what follows them is looked for from below.
    """
    first, *others = index.blocks
    edge = len(index.layout.widths) - 1
    if not first.stands_at(rows, 0) or _is_widened(rows, edge):
        return None
    starts, bottom = [len(rows)], len(rows)
    for block in reversed(others):
        found = _lowest(block, rows, first.height, bottom) if block.texts else bottom - block.height
        if found is None:
            return None
        starts.append(bottom := found)
    starts.append(0)
    starts.reverse()
    place = (len(rows), *starts)
    if (known := index.sent.get(place)) is None:
        known = index.sent[place] = _found(index, starts, len(rows))
        if len(index.sent) > MAX_SENT:
            del index.sent[next(iter(index.sent))]
    return known


def _found(index: LabelIndex, starts: Sequence[int], height: int) -> FoundForm:
    """Return the form of a sheet with so many rows whose blocks start at some of them."""
    edge = len(index.layout.widths) - 1
    anchors: dict[str, Anchor] = {}
    tables: list[FoundTable] = []
    spots: dict[str, Spot] = {}
    empty: set[tuple[int, int]] = set()
    lines: dict[Slot, tuple[int, int]] = {}
    for block, start, following in zip(index.blocks, starts[:-1], starts[1:], strict=True):
        anchors |= {c.key: Anchor(c.row - block.top + start, c.col, Slot("field", c.key)) for c in block.labels}
        spots |= {c.key: _spot(c, block, start) for c in block.loose if c.kind == "value"}
        empty |= {(c.row - block.top + start, c.col) for c in block.loose if c.kind == "empty"}
        lines |= {_line(c): (c.row - block.top + start, c.col) for c in block.lines}
        for placed in block.placed:
            above = placed.depth - 1
            headings = tuple(
                Heading(h.key, h.col, h.col + h.columns - 1, up=0 if h.group else above) for h in placed.entry
            )
            row = start + block.height - 1
            groups = tuple((row - above, col) for _, col, _ in group_spans(placed.entry))
            tables.append(FoundTable(placed.table, row, following - 1, headings, True, groups))
    places = {
        key: (anchor.row + index.values[key].row - index.labels[key].row, index.values[key].col)
        for key, anchor in anchors.items()
    }
    return FoundForm(
        0,
        height - 1,
        anchors,
        (),
        tuple(tables),
        edge,
        expected=True,
        spots=spots,
        lines=lines,
        empty=frozenset(empty),
        places=places,
    )


def _line(cell: Cell) -> Slot:
    return Slot("row" if cell.kind == "row" else "head", cell.key)


def _spot(cell: Cell, block: LayoutBlock, start: int) -> Spot:
    return Spot(cell.row - block.top + start, cell.col, cell.col + cell.columns - 1)


def _is_widened(rows: Rows, edge: int) -> bool:
    """Return whether columns were put in right of all labels: the sheet id is further on, or what it follows."""
    head = rows[0]
    placed = [c for c, raw in enumerate(head) if c > edge and isinstance(raw, str) and raw.startswith(PREFIX)]
    return placed[0] > edge + ID_GAP if placed else moved_by(rows, edge) > 0


def holds_another(index: LabelIndex, rows: Rows, found: FoundForm) -> bool:
    """Return whether a second form is in what looks like the first one's table, or beside it: half its labels are."""
    least = min(len(index.labels), max(LEAST_LABELS, len(index.labels) / 2))
    if found.tables and _fields(index, rows[found.tables[0].row + 1 :], index.foot) >= least:
        return True
    if not any(len(row) > found.edge + 1 + ID_GAP for row in rows):  # there stands what the template writes itself
        return False
    return _fields(index, [row[found.edge + 1 :] for row in rows]) >= least


def _fields(index: LabelIndex, rows: Rows, apart: Container[str] = ()) -> int:
    """Count the labels that are moved as far as each other: typed into a table, they are anywhere.

    Below a title they may be further down than each other: somebody may have put in rows.
    """
    moved: dict[tuple[int, int], set[str]] = {}
    titled = False
    cells = ((row, col, raw) for row, line in enumerate(rows) for col, raw in enumerate(line) if raw != "")
    for row, col, slot in ((row, col, slot) for row, col, raw in cells for slot in index.slots(raw)):
        if slot.kind == "title":
            titled = True
        elif slot.kind == "field" and slot.key in index.labels and slot.key not in apart:
            label = index.labels[slot.key]
            moved.setdefault((col - label.col, 0 if titled else row - label.row), set()).add(slot.key)
    return max(map(len, moved.values()), default=0)


def _lowest(block: LayoutBlock, rows: Rows, first: int, end: int) -> int | None:
    """Find the lowest place of a block: rows typed into a table may read like it, so the template's hint decides."""
    places = [row for row in range(first, end - block.height + 1) if block.stands_at(rows, row)]
    hinted = [row for row in places if block.placed and any(map(is_furniture, rows[row + block.height - 1]))]
    return max(hinted or places, default=None)
