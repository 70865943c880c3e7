"""The rows of headings of a project list: how many they are, what is over each column, which units they name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal

from kpixl.a1 import Span
from kpixl.collection.list_headings import MAX_LABEL, HeadingTexts, ListLabels, is_addition
from kpixl.forms.definition import MoneyUnit
from kpixl.forms.money import list_unit, money_remark, read_money
from kpixl.forms.values import Raw, is_blank, text_of
from kpixl.readers import Grid

HEADER_ROWS = 3  # at most: 资金来源 over 财政拨款 over 万元


def cell_at(grid: Grid, row: int, col: int) -> Raw:
    """Return a cell, blank where the row is shorter."""
    line = grid.rows[row] if row < len(grid.rows) else []
    return line[col] if col < len(line) else ""


def header_depth(labels: ListLabels, grid: Grid, row: int, name: int | None) -> int:
    """Return over how many rows the headings go: the name's cell covers those below it."""
    covered = {r for m in grid.merges() if (m.row, m.col) == (row, name) for r in range(row, m.last_row + 1)}
    depth = 1
    while name is not None and depth < HEADER_ROWS and row + depth < len(grid.rows):
        number = row + depth
        if not is_blank(cell_at(grid, number, name)) or not (number in covered or _has_headings(labels, grid, number)):
            break
        depth += 1
    return depth


def _has_headings(labels: ListLabels, grid: Grid, row: int) -> bool:
    """Return whether a row below headings is one of them: texts only, that mean something or are below a blank."""
    filled = {col: raw for col, raw in enumerate(grid.rows[row]) if not is_blank(raw)}
    if not filled or not all(isinstance(raw, str) for raw in filled.values()):
        return False
    texts = {col: text_of(raw) for col, raw in filled.items()}
    if any(labels.known(text) or is_addition(text) for text in texts.values()):
        return True
    amounts = any(isinstance(read_money(text).value, Decimal) for text in texts.values())  # in a CSV all are texts
    return not amounts and any(col and is_blank(cell_at(grid, row - 1, col)) for col in texts)


def heading_texts(grid: Grid, row: int, depth: int) -> list[HeadingTexts]:
    """Gather the texts over each column, from top to bottom."""
    rows = range(row, row + depth)
    width = max(len(grid.rows[number]) for number in rows)
    merged = _merged(grid, row - 1, row + depth)
    found = []
    for col in range(width):
        own = [number for number in rows if not is_blank(cell_at(grid, number, col))]
        if own:
            above = _group_above(grid, row, col, width, merged)
            texts = [text for number in rows if (text := _text_over(grid, range(number, row + depth), col, merged))]
            found.append(HeadingTexts(own[-1], col, (*above, *texts)))
    return found


def _merged(grid: Grid, first: int, end: int) -> dict[tuple[int, int], Span]:
    """Map the cells of rows to the merge that begins in their row."""
    return {(m.row, col): m for m in grid.merges() if first <= m.row < end for col in range(m.col, m.last_col + 1)}


def _text_over(grid: Grid, rows: range, col: int, merged: Mapping[tuple[int, int], Span]) -> str:
    """Return what the first of some rows has over a column; what is not merged reaches over the blanks behind it."""
    row, *below = rows
    if (span := merged.get((row, col))) is not None:
        return text_of(cell_at(grid, row, span.col)).strip()
    start = col
    if any(not is_blank(cell_at(grid, r, col)) for r in below):
        while start and is_blank(cell_at(grid, row, start)) and (row, start) not in merged:
            start -= 1
    if start < col and all(is_blank(cell_at(grid, r, start)) for r in below):
        return ""  # a heading with nothing below is that of its own column
    return text_of(cell_at(grid, row, start)).strip()


def _group_above(grid: Grid, row: int, col: int, width: int, merged: Mapping[tuple[int, int], Span]) -> Iterator[str]:
    """Yield what is merged over a column and others in the row above the headings, unless it is a title."""
    span = merged.get((row - 1, col))
    if span is not None and span.last_row == row - 1 and 1 < span.last_col - span.col + 1 < width - 1:
        yield text_of(cell_at(grid, row - 1, span.col))


def units_around(grid: Grid, header: int, first: int) -> tuple[MoneyUnit | None, list[tuple[tuple[int, int], str]]]:
    """Return the unit that texts above a list, among its headings or alone in a row below give to all amounts.

    Also the places of texts that contradict it.
    """
    named = [
        ((row, col), text_of(raw), unit)
        for row, cells in enumerate(grid.rows)
        for col, raw in enumerate(cells)
        if isinstance(raw, str)
        and "元" in raw
        and (unit := _list_unit(raw, cells, row - header, row - first)) is not None
    ]
    unit = named[0][2] if named else None
    return unit, [(place, text) for place, text, other in named if other != unit]


def _list_unit(raw: str, cells: Sequence[Raw], behind_header: int, below: int) -> MoneyUnit | None:
    if behind_header < 0:
        return list_unit(raw)
    remark = money_remark(raw) if len(raw) <= MAX_LABEL else None
    if remark is None or remark.rest or (below >= 0 and sum(not is_blank(cell) for cell in cells) > 1):
        return None  # 单位：万元 in a row of values is the text of that row
    return remark.unit
