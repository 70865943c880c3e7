"""The official form of one project as cells: what is where, merged as it is published.

Pure: the summary workbook and the page draw the same cells, each in its own way. Rows and columns count
from 0 at the top left corner of the form.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache

from jinja2 import Template

from kpixl.forms.dated import with_year
from kpixl.forms.definition import Cell, Field, Form, PlacedTable, Row, Table, TableColumn, Value
from kpixl.forms.money import WAN, convert, money_text
from kpixl.forms.names import group_spans
from kpixl.forms.snippets import SMALL, BoundedEnvironment, Faults, rendered
from kpixl.forms.types import FIELD_TYPES, TEXT
from kpixl.forms.values import target_text, total
from kpixl.portfolio.aligned_rows import AlignedRows, aligned
from kpixl.portfolio.model import Portfolio, Project


@dataclass(frozen=True, slots=True)
class PrintedCell:
    """One cell of the printed form, spanning `rows` x `columns` from (`row`, `col`).

    `kind`: title, subtitle, label, value, caption, blank, heading (of a table's column, or without `key` of a group).
    `value`: the text of the form itself, or for a value what the project has there.
    `type`: of a value, a key of forms.types.FIELD_TYPES, or "target" for a target printed in one cell; else "".
    `key`: the field, column or target; `table`: the table it belongs to, "" outside tables.
    `scope`: which cells a label heads: row, col, rowgroup, colgroup, or "".
    """

    kind: str
    value: Value
    row: int
    col: int
    rows: int = 1
    columns: int = 1
    type: str = ""
    key: str = ""
    table: str = ""
    vertical: bool = False
    scope: str = ""


@dataclass(frozen=True, slots=True)
class PrintedRow:
    """One row, with the cells that begin in it; every place of the grid is covered by exactly one cell.

    `part`: title (titles of the form only), grid, heading (a table's headings), row (a row of a table).
    `height`: in points where the form gives one.
    """

    part: str
    cells: tuple[PrintedCell, ...]
    height: float | None = None
    table: str = ""


# --- texts of the form ------------------------------------------------------------------------


@lru_cache(maxsize=64)
def _template(source: str) -> Template:
    return BoundedEnvironment().from_string(source)


def form_text(form: Form, key: str, source: str, **values: object) -> str:
    """Render a text of a form definition, `key`. Raises KpixlError `form-invalid` where it is no valid template."""
    with Faults(form.file, key, form.lines.get(key, 1)):
        return rendered(_template(source), values, SMALL)


def subtitle_text(form: Form, year: int | None) -> str:
    """Render the subtitle; an unknown year is left blank as on paper."""
    return form_text(form, "subtitle", form.subtitle, year="" if year is None else year)


def heading_text(form: Form, portfolio: Portfolio) -> str:
    """Render the heading of a published set; parts that are not known leave no gap."""
    known = {"organization": portfolio.organization or "", "year": portfolio.year or ""}
    key = "heading" if form.heading else "title"
    return " ".join(form_text(form, key, form.heading or form.printed_title, **known).split())


def disclosure_text(form: Form, portfolio: Portfolio) -> str:
    """Render the sentence that discloses the number of projects and their sum; "" where the form has none."""
    if not form.summary.disclosure:
        return ""
    key = form.summary.amount
    amount = (total([project.values[key] for project in portfolio.projects]) if key else None) or Decimal(0)
    wan = (convert(amount, form.money, WAN) or amount).quantize(Decimal("0.01"), ROUND_HALF_UP)
    return form_text(
        form,
        "disclosure",
        form.summary.disclosure,
        count=len(portfolio.projects),
        amount=money_text(amount),
        money=form.money.name,
        wan=wan,
        year=portfolio.year or "",
        organization=portfolio.organization or "",
    )


# --- values as text ---------------------------------------------------------------------------


def printed_text(cell: PrintedCell) -> str:
    """Print the contents of a cell, as the official form does."""
    return FIELD_TYPES.get(cell.type, TEXT).text(cell.value)


# --- the grid ---------------------------------------------------------------------------------


def printed_form(form: Form, year: int | None, project: Project) -> tuple[PrintedRow, ...]:
    """Lay out the form of one project. A table without rows is printed with one blank row."""
    return FormPrinter(form, year).lay_out(project)


class FormPrinter:
    """Lays out many projects of one form and year; what is the form's own is laid out once.

    `longest`: the most rows that a merged cell of a table reaches over; a longer run is printed in several cells. On
    paper a cell must fit a page, or its text is on one page and rows that it belongs to on another.
    """

    def __init__(self, form: Form, year: int | None, *, longest: int | None = None) -> None:
        self._form, self._year, self._longest = form, year, longest
        self._own = [
            _own_cell(cell, form, year) for cell in (*form.layout.head, *form.layout.foot) if cell.kind != "value"
        ]
        self._values = [c for c in (*form.layout.head, *form.layout.foot) if c.kind == "value"]

    def lay_out(self, project: Project) -> tuple[PrintedRow, ...]:
        """Lay out the form of one project."""
        layout = self._form.layout
        groups = layout.table_rows
        contents = [aligned(group, project.tables) for group in groups]
        added = [(group[0].row, len(lines)) for group, lines in zip(groups, contents, strict=True)]
        height = layout.rows + sum(count for _, count in added)
        places: list[list[PrintedCell]] = [[] for _ in range(height)]
        parts = [("grid", "")] * height
        for group, lines in zip(groups, contents, strict=True):
            first, name, depth = _shifted(group[0].row, added), group[0].table, group[0].depth
            parts[first + 1 - depth : first + 1] = [("heading", name)] * depth
            parts[first + 1 : first + 1 + len(lines)] = [("row", name)] * len(lines)
            for placed in group:
                headings = _heading_cells(placed, first, self._year)
                rows = _table_cells(self._form.tables[placed.table], placed, lines, first, self._longest, self._year)
                for cell in (*headings, *rows):
                    places[cell.row].append(cell)
        for cell in self._fixed_cells(project, added):
            places[cell.row].append(cell)
        _fill_gaps(places, len(layout.widths), parts)
        heights = {_shifted(row, added): points for row, points in layout.heights.items()}
        return tuple(
            PrintedRow("title" if _is_title(cells) else part, tuple(cells), heights.get(index), table)
            for index, (cells, (part, table)) in enumerate(zip(places, parts, strict=True))
        )

    def _fixed_cells(self, project: Project, added: Sequence[tuple[int, int]]) -> Iterator[PrintedCell]:
        """Yield the cells outside tables, where the tables above them leave room."""
        for own in self._own:
            row = _shifted(own.row, added)
            yield own if row == own.row else replace(own, row=row)
        fields = self._form.fields
        for cell in self._values:
            row, value = _shifted(cell.row, added), project.values[cell.key]
            yield PrintedCell("value", value, row, cell.col, cell.rows, cell.columns, fields[cell.key].type, cell.key)


# Cells of a grid as printed: their kind, and what they head.
_GRID_CELLS = {"row": ("label", "row"), "column": ("label", "col"), "empty": ("blank", "")}


def _own_cell(cell: Cell, form: Form, year: int | None) -> PrintedCell:
    """Make the printed cell for a text of the form itself."""
    kind, text, scope = cell.kind, with_year(cell.text, year), ""
    if cell.kind == "subtitle":
        text = subtitle_text(form, year)
    elif cell.kind in _GRID_CELLS:
        kind, scope = _GRID_CELLS[cell.kind]
    elif cell.kind == "label":
        values = (c for c in (*form.layout.head, *form.layout.foot) if c.kind == "value" and c.key == cell.key)
        scope = "row" if any(value.row == cell.row for value in values) else "col"
    elif cell.kind == "caption":
        scope = "rowgroup" if cell.rows > 1 else "row"
    return PrintedCell(
        kind,
        text or None,
        cell.row,
        cell.col,
        cell.rows,
        cell.columns,
        key=cell.key,
        vertical=cell.vertical,
        scope=scope,
    )


def _is_title(cells: Sequence[PrintedCell]) -> bool:
    return len(cells) == 1 and cells[0].kind in ("title", "subtitle")


def _shifted(row: int, added: Sequence[tuple[int, int]]) -> int:
    """Move a row of the layout down by the rows of the tables above it."""
    return row + sum(count for table_row, count in added if table_row < row)


# --- tables -----------------------------------------------------------------------------------


def _heading_cells(placed: PlacedTable, last: int, year: int | None) -> Iterator[PrintedCell]:
    """Yield the headings of a table, of which `last` is the last row; shared ones are those of the first table."""
    name, top = placed.table, last + 1 - placed.depth
    is_first = placed.beside[:1] in ((), (name,))
    if placed.caption and placed.depth > 1:
        yield PrintedCell("blank", None, top, 0, placed.depth, table=name)
    for head in (head for head in placed.print if is_first or head.key not in placed.shared):
        row, rows = (last, 1) if head.group else (top, placed.depth)
        text = with_year(head.label, year)
        yield PrintedCell("heading", text, row, head.col, rows, head.columns, key=head.key, table=name, scope="col")
    for group, first, columns in group_spans(placed.print):
        text = with_year(group.label, year)
        yield PrintedCell("heading", text, top, first, 1, columns, table=name, scope="colgroup")


def _table_cells(
    table: Table, placed: PlacedTable, lines: AlignedRows, first: int, longest: int | None, year: int | None
) -> Iterator[PrintedCell]:
    """Yield the rows below the headings, of which `first` is the last row; the caption is beside the rows.

    The columns that tables side by side share are those of the first.
    """
    name, rows = table.key, lines.rows[table.key]
    is_first = placed.beside[:1] in ((), (name,))
    if placed.caption:
        caption = with_year(placed.caption, year)
        yield PrintedCell("caption", caption, first + 1, 0, len(rows), table=name, vertical=True, scope="rowgroup")
    breaks = [False] * len(rows)  # rows at which a run of an outer level begins
    for head in placed.print:
        col, columns, key = head.col, head.columns, head.key
        is_shared = key in placed.shared
        column = table.columns.get(key)
        kind = column.type if column else "target"
        values = [_table_value(table, key, row) for row in (lines.shared if is_shared else rows)]
        spans = [(index, 1) for index in range(len(rows))]
        if _is_merged(column, head):
            spans = merged_spans(values, breaks, longest)
            breaks = _breaks(spans, len(rows))
        if is_shared and not is_first:
            continue
        yield from (
            PrintedCell("value", values[start], first + 1 + start, col, count, columns, kind, key, name)
            for start, count in spans
        )


def _is_merged(column: Field | None, head: TableColumn) -> bool:
    """Return whether equal neighbours in a column are one cell on paper."""
    return column is not None and column.fill and not head.repeated


def merged_spans(values: Sequence[Value], breaks: Sequence[bool], longest: int | None = None) -> list[tuple[int, int]]:
    """Merge equal neighbours: (first, count) of each run. A run also ends at a row where `breaks` is true.

    A run of more than `longest` rows is parted. Blanks are never merged: a level missing twice is two things missing.
    """
    spans: list[tuple[int, int]] = []
    for index, value in enumerate(values):
        full = bool(spans) and spans[-1][1] == longest
        if spans and not full and value is not None and not breaks[index] and values[index - 1] == value:
            first, count = spans[-1]
            spans[-1] = (first, count + 1)
        else:
            spans.append((index, 1))
    return spans


def _breaks(spans: Sequence[tuple[int, int]], count: int) -> list[bool]:
    starts = {first for first, _ in spans}
    return [index in starts for index in range(count)]


def _table_value(table: Table, key: str, row: Row | None) -> Value:
    if row is None:
        return None
    if key in table.targets:
        return target_text(row, table.targets[key]) or None
    return row[key]


def _fill_gaps(places: Sequence[list[PrintedCell]], width: int, parts: Sequence[tuple[str, str]]) -> None:
    """Put a blank cell on every place that no cell covers, and sort each row from left to right."""
    taken = _taken(places, width)
    for row, cells in enumerate(places):
        if 0 in taken[row]:
            table = parts[row][1]
            gaps = [col for col in range(width) if not taken[row][col]]
            cells += [PrintedCell("blank", None, row, col, table=table) for col in gaps]
        cells.sort(key=lambda cell: cell.col)


def _taken(places: Sequence[list[PrintedCell]], width: int) -> list[bytearray]:
    """Return for each row a byte per column: 1 where a cell covers the place."""
    taken = [bytearray(width) for _ in places]
    for cells in places:
        for cell in cells:
            for row in range(cell.row, min(cell.row + cell.rows, len(places))):
                taken[row][cell.col : cell.col + cell.columns] = b"\1" * cell.columns
    return taken
