"""Tables of a form that is not known: a row of headings with rows of the same columns below."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from kpixl.forms.values import fold
from kpixl.learn.sheet import Box, Boxes
from kpixl.learn.words import column_meaning, field_meaning, is_placeholder, is_total, tick_items

SURE = 2  # headings that are known: then one row below is enough
LEAST_ROWS = 2  # of a table whose headings nobody knows; labels above their values have one row
LEAST_BLANK = 0.6  # share of blank cells below unknown headings: a filled table must look otherwise than its headings


@dataclass(frozen=True, slots=True)
class SeenTable:
    """A table: its headings (the lowest of each column), its rows, and the caption beside it.

    `top`: the first row of headings that stand over one another; `upper`: those above the lowest. `grid`: each row has
    a label of its own, so that the rows are always the same. `further`: captions left of `caption`.
    """

    top: int
    head: int
    last: int
    headings: tuple[Box, ...]
    body: tuple[tuple[Box, ...], ...]
    caption: Box | None = None
    upper: tuple[Box, ...] = ()
    grid: bool = False
    further: tuple[Box, ...] = ()

    def column(self, number: int) -> list[Box]:
        """List the boxes of a column, each once."""
        found: list[Box] = []
        for row in self.body:
            if not found or row[number] is not found[-1]:
                found.append(row[number])
        return found


def find_tables(boxes: Boxes) -> list[SeenTable]:
    """Find every table, from top to bottom."""
    found: list[SeenTable] = []
    row = boxes.rows.start
    while row < boxes.rows.stop:
        table = _table_at(boxes, row)
        if table is not None and (not found or table.top > found[-1].last):
            found.append(table)
            row = table.last
        row += 1
    return found


def seen(box: Box) -> str:
    """Return the text of a box unless it only shows where something is to be typed or ticked."""
    return "" if is_placeholder(box.text) or tick_items(box.text) else box.text


def _table_at(boxes: Boxes, row: int) -> SeenTable | None:
    line = boxes.line(row)
    heads = [box for box in line if box.last_row == row]
    captions = [box for box in line if box.last_row > row]
    if len(heads) < 2 or any(box.col > heads[0].col for box in captions):
        return None
    corner = not heads[0].text
    while len(heads) > 2 and not heads[-1].text:
        heads.pop()  # a table may be narrower than the form
    if any(is_placeholder(box.text) or not box.text for box in heads[1:]) or _hold_values(heads):
        return None
    body = list(_body(boxes, row, heads, captions)) or _unseen(boxes, row, heads)
    table = SeenTable(
        min(box.row for box in heads),
        row,
        row + len(body),
        tuple(heads),
        tuple(body),
        captions[-1] if captions else None,
        tuple(_upper(boxes, heads)),
        _is_grid(heads, body),
        tuple(captions[:-1]),
    )
    table = _beside_caption(table)
    return table if (not corner or table.grid) and _is_table(table) else None


def _beside_caption(table: SeenTable) -> SeenTable:
    """Take the first heading for a caption where all columns but its own are set up to be typed into."""
    first, *others = table.headings
    if not table.body or table.caption is not None or len(others) < 2 or column_meaning(first.text) is not None:
        return table
    if any(_is_set_up(row[0]) or row[0].text for row in table.body):
        return table
    if not all(_is_set_up(box) for box in table.body[0][1:]):
        return table
    return replace(table, caption=first, headings=tuple(others), body=tuple(row[1:] for row in table.body))


def _is_set_up(box: Box) -> bool:
    return box.rule is not None or box.look.number_format not in ("", "General")


def _hold_values(heads: Sequence[Box]) -> bool:
    """Return whether what may be headings holds something else: a number, a list, a formula, boxes to tick."""
    typed = (not isinstance(box.raw, str) or box.formula or (box.rule and box.rule.kind) for box in heads)
    return any(typed) or any(tick_items(box.text) for box in heads)


def _unseen(boxes: Boxes, row: int, heads: Sequence[Box]) -> list[tuple[Box, ...]]:
    """Return a blank row below headings that end a sheet without borders."""
    if boxes.framed or row != boxes.rows[-1]:
        return []
    return [tuple(Box(row + 1, box.col, 1, box.columns) for box in heads)]


def _body(boxes: Boxes, row: int, heads: Sequence[Box], captions: Sequence[Box]) -> Iterator[tuple[Box, ...]]:
    """Yield the rows below headings that have the same columns, beside the same caption."""
    starts = [box.col for box in heads]
    for below in range(row + 1, boxes.rows.stop):
        line = boxes.line(below)
        cells = [box for box in line if starts[0] <= box.col <= heads[-1].last_col]
        beside = [box for box in line if box.col < starts[0]]
        if [box.col for box in cells] != starts or cells[-1].last_col != heads[-1].last_col:
            return
        if captions and [(b.row, b.col) for b in beside] != [(b.row, b.col) for b in captions]:
            return
        if [fold(box.text) for box in cells] == [fold(box.text) for box in heads] or _is_last(boxes, below, cells):
            return
        if _alternate(cells):
            return
        yield tuple(cells)


def _is_last(boxes: Boxes, row: int, cells: Sequence[Box]) -> bool:
    """Return whether a row adds up the table above it."""
    following = {box.col for box in boxes.line(row + 1)} if row + 1 < boxes.rows.stop else set()
    return is_total(cells[0].text) and not {box.col for box in cells} <= following


def _alternate(cells: Sequence[Box]) -> bool:
    """Return whether cells are labels with blanks behind them, whatever stood in the rows above."""
    if sum(box.text.endswith((":", "：")) for box in cells) > 1:
        return True
    return len(cells) > 3 and all(field_meaning(b.text) for b in cells[:4:2]) and not any(b.text for b in cells[1:4:2])


def _upper(boxes: Boxes, heads: Sequence[Box]) -> Iterator[Box]:
    """Yield the headings that stand above others of the same table."""
    top = min(box.row for box in heads)
    upper = [boxes.at.get((row, box.col)) for box in heads for row in range(top, box.row)]
    yield from (box for box in dict.fromkeys(upper) if box is not None and box.text)


def _is_grid(heads: Sequence[Box], body: Sequence[Sequence[Box]]) -> bool:
    meaning = column_meaning(heads[0].text)
    if len(body) < LEAST_ROWS or len(heads) < 3 or (meaning is not None and (meaning.fill or meaning.key == "number")):
        return False
    labelled = all(seen(row[0]) and row[0].rows == 1 and not row[0].rule for row in body)
    empty = [not seen(box) or not isinstance(box.raw, str) for row in body for box in row[1:]]
    return labelled and sum(empty) >= LEAST_BLANK * len(empty)


def _is_table(table: SeenTable) -> bool:
    known = sum(column_meaning(box.text) is not None for box in table.headings)
    if not table.body or (len(table.body) < LEAST_ROWS and len(table.headings) < 4):
        return False
    if known >= SURE and known * 2 >= len(table.headings):
        return not _are_pairs(table)
    if len(table.body) < LEAST_ROWS or len(table.headings) < 3 - bool(table.caption) or _are_pairs(table):
        return False
    cells = [box for row in table.body for box in row[table.grid :]]
    blank = sum(not seen(box) for box in cells)
    return blank >= LEAST_BLANK * len(cells) or _looks_apart(table)


def _are_pairs(table: SeenTable) -> bool:
    """Return whether the rows are labels with values beside them: a later column holds labels of values."""
    labels = [box for row in table.body for box in row[1:] if field_meaning(box.text)]
    return len(labels) >= len(table.body)


def _looks_apart(table: SeenTable) -> bool:
    """Return whether the headings look different from what is below: filled, bold, or locked."""
    below = {(b.look.fill, b.look.bold, b.look.locked) for row in table.body for b in row}
    return all((b.look.fill, b.look.bold, b.look.locked) not in below for b in table.headings)
