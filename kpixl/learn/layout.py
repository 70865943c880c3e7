"""Lays a proposal out as the sheet is: rows, cells with their spans, tables, widths and heights."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from kpixl.forms.money import UNITS
from kpixl.learn.outside import Outside
from kpixl.learn.proposal import PlacedCell, PlacedRow, Proposal, ProposedTable
from kpixl.learn.remarks import CAPTION_REPEATED, NARROW, TYPED, UNIT_LEFT_OUT, remark
from kpixl.learn.sheet import Box, Boxes
from kpixl.learn.tables import SeenTable
from kpixl.learn.words import unit_of

USUAL_WIDTH = 9.0  # of a column for which the sheet gives none, in characters
NARROWEST, WIDEST = 3.0, 120.0  # columns that are narrower or wider cannot be typed into
_UNIT = re.compile(r"[（(][^（()）]{0,10}元[)）]$")
MAX_QUOTED = 40


class _Layout:
    """The layout of one proposal while it is made."""

    def __init__(self, proposal: Proposal, boxes: Boxes, keys: Mapping[Box, str], outside: Outside) -> None:
        self.proposal, self.boxes, self.outside = proposal, boxes, outside
        self.values = keys
        self.first = boxes.columns.start
        self.labels = {one.key: one.cell for one in proposal.fields}

    def cells(self, row: int, end: int) -> Iterator[PlacedCell]:
        """Yield the cells of a row; none reaches beyond row `end`, where a table begins."""
        for box in self.boxes.starting(row):
            kind, content = self._content(box)
            rows = min(box.last_row, end) - box.row + 1
            yield PlacedCell(kind, content, rows, box.columns, box.look.vertical and rows > 1)

    def _content(self, box: Box) -> tuple[str, str]:
        key = self.values.get(box)
        if key is not None and self.labels.get(key) == box.address:
            return "label", key
        if key is not None:
            return "value", key
        return ("caption", self.caption(box)) if box.text and len(box.text) < 200 else ("blank", "true")

    def caption(self, box: Box) -> str:
        """Return a caption; a unit of money that the form has not is left out, for a definition has one."""
        unit = unit_of(box.text)
        if unit is None or unit == UNITS[self.proposal.money]:
            return box.text
        self.proposal.remarks.append(remark(UNIT_LEFT_OUT, unsure=True, cell=box.address, text=box.text))
        bare = _UNIT.sub("", box.text).strip()
        return bare if unit_of(bare) is None else ""

    # --- rows outside of the frame ------------------------------------------------------------

    def outer_cells(self, row: int) -> list[PlacedCell]:
        """List the cells of a row above or below the frame, each as wide as the room up to the next."""
        placed = [(box.col, box) for box in self.boxes.starting(row) if box.text and box not in self.outside.notes]
        pairs = [pair for pair in self.outside.pairs if pair.label.row == row]
        starts = {pair.label.col for pair in pairs}
        parts = [(col, *self._outer(box)) for col, box in placed if col not in starts]
        for pair in pairs:
            key = self.values[pair.label]
            parts += [(pair.label.col, "label", key), (pair.value.col, "value", key)]
        parts.sort(key=lambda part: part[0])
        found = []
        for number, (col, kind, content) in enumerate(parts):
            start = self.first if number == 0 else col
            end = parts[number + 1][0] if number + 1 < len(parts) else self.boxes.columns.stop
            if end > start:
                found.append(PlacedCell(kind, content, 1, end - start))
        return found

    def _outer(self, box: Box) -> tuple[str, str]:
        if box is self.outside.title:
            return "title", "true"
        return ("subtitle", "true") if box is self.outside.subtitle else ("caption", self.caption(box))


def lay_out(
    proposal: Proposal, boxes: Boxes, keys: Mapping[Box, str], outside: Outside, tables: Sequence[SeenTable]
) -> None:
    """Add the layout to a proposal."""
    layout = _Layout(proposal, boxes, keys, outside)
    sheet = boxes.sheet
    proposal.widths = tuple(
        round(min(max(sheet.widths.get(col, USUAL_WIDTH), NARROWEST), WIDEST), 1) for col in boxes.columns
    )
    at = {table.top: (table, made) for table, made in zip(tables, proposal.tables, strict=True)}
    covered = {row for table in tables for row in range(table.top, table.last + 1)}
    outer = {box.row for box in (outside.title, outside.subtitle, *outside.captions, *outside.notes) if box is not None}
    outer |= {pair.label.row for pair in outside.pairs}
    for row in boxes.rows:
        height = sheet.heights.get(row)
        if row in at:
            proposal.rows.append(_table_row(layout, *at[row]))
        elif row in outer:
            if cells := layout.outer_cells(row):
                proposal.rows.append(PlacedRow(height, tuple(cells)))
        elif row not in covered:
            end = min((top for top in at if top > row), default=boxes.rows.stop) - 1
            proposal.rows.append(PlacedRow(height, tuple(layout.cells(row, end))))
    proposal.rows = _trimmed(proposal.rows)
    _head_of_flat(proposal, layout)
    _typed(proposal, keys, layout)


def _trimmed(rows: Sequence[PlacedRow]) -> list[PlacedRow]:
    """Leave out rows that hold nothing at the end."""
    kept = list(rows)
    while kept and not kept[-1].table and all(cell.kind == "blank" for cell in kept[-1].cells):
        kept.pop()
    return kept


def _head_of_flat(proposal: Proposal, layout: _Layout) -> None:
    """Place fields that were columns of a table above it, a row for each."""
    placed = {cell.content for row in proposal.rows for cell in row.cells if cell.kind == "value"}
    lost = [one.key for one in proposal.fields if one.key not in placed]
    width = len(layout.boxes.columns)
    rows = [
        PlacedRow(None, (PlacedCell("label", key), PlacedCell("value", key, columns=max(1, width - 1)))) for key in lost
    ]
    at = next((n for n, row in enumerate(proposal.rows) if row.table), len(proposal.rows))
    proposal.rows[at:at] = rows


def least_width(row: PlacedRow) -> int:
    """Return how many columns a row needs at least: one for each cell that holds something."""
    return sum(cell.kind != "blank" for cell in row.cells)


def narrowed(row: PlacedRow, width: int) -> PlacedRow:
    """Return a row that is no wider than `width`: where columns of projects were left out, the rest is a form.

    `width` is at least what the row needs; blank cells make room for the others.
    """
    cells = row.cells
    if sum(cell.columns for cell in cells) > width:
        cells = tuple(cell for cell in cells if cell.kind != "blank")
    room = width - len(cells)
    fitted: list[PlacedCell] = []
    for cell in cells:
        more = min(cell.columns - 1, room)
        fitted.append(replace(cell, columns=1 + more))
        room -= more
    return replace(row, cells=tuple(fitted), print=tuple((kind, key, 1) for kind, key, _ in row.print))


def _typed(proposal: Proposal, keys: Mapping[Box, str], layout: _Layout) -> None:
    """Add a remark to each value about what its cell held."""
    held = {
        key: " ".join(box.text.split())[:MAX_QUOTED]
        for box, key in keys.items()
        if box.text and isinstance(box.raw, str) and not box.rule and layout.labels.get(key) != box.address
    }
    proposal.fields = [
        replace(one, remarks=(*one.remarks, remark(TYPED, text=held[one.key]))) if one.key in held else one
        for one in proposal.fields
    ]


# --- tables -----------------------------------------------------------------------------------------


def _table_row(layout: _Layout, found: SeenTable, made: ProposedTable) -> PlacedRow:
    columns = layout.boxes.columns
    caption = layout.caption(found.caption) if found.caption is not None else ""
    proposal = layout.proposal
    if found.caption is not None and found.caption.row < found.top:
        proposal.remarks.append(remark(CAPTION_REPEATED, cell=found.caption.address))
    parts = ("operator", "value", "unit")
    entry = tuple(
        ("target", "target") if made.target and one.key == "value" else ("column", one.key)
        for one in made.columns
        if not (made.target and one.key in parts and one.key != "value")
    )
    spans = [box.columns for box in found.headings]
    room = len(columns) - bool(caption)
    spans = _fitting(spans, room)
    if sum(spans) > len(made.columns):
        proposal.remarks.append(remark(NARROW))
    height = layout.boxes.sheet.heights.get(found.head)
    printed = tuple((kind, key, span) for (kind, key), span in zip(entry, spans, strict=True))
    return PlacedRow(height, (), made.key, caption, entry, printed)


def _fitting(spans: Sequence[int], room: int) -> list[int]:
    """Make the widest column wider or narrower, so that all of them fill the room beside a caption."""
    fitted = list(spans)
    while sum(fitted) != room:
        widest = max(range(len(fitted)), key=lambda n: fitted[n])
        step = 1 if sum(fitted) < room else -1
        if step < 0 and fitted[widest] == 1:
            break
        fitted[widest] += step
    return fitted
