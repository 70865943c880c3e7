"""The third sheet of the summary: all forms one after another, each as it is published."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from kpixl.a1 import Span
from kpixl.forms.definition import Form, Value
from kpixl.forms.types import FIELD_TYPES, TEXT, FieldType
from kpixl.forms.values import fits_float
from kpixl.output.paper import paper_number, paper_room, points_wide
from kpixl.output.summary.look import FOOTER, TINT_DOUBT
from kpixl.output.summary.marks import SummarySheet
from kpixl.output.workbook import Sheet
from kpixl.portfolio.flat_print import FlatPrinter, is_landscape, printed_widths
from kpixl.portfolio.model import Portfolio, Project
from kpixl.portfolio.print_layout import FormPrinter, PrintedCell, PrintedRow
from kpixl.text_fit import LINE, MAX_ROW_HEIGHT, fitting_height, fitting_size
from kpixl.texts import say

_ROW_HEIGHT = 20.0
_LONG_HEIGHT = 64.0  # of a goal, however short it is
_SHORT = 40
FLAT_HEAD = 3  # rows above the projects of one table that every page repeats: title, subtitle, headings


class FormsWriter:
    """Writes one form below the other on one sheet."""

    def __init__(self, sheet: Sheet, form: Form, portfolio: Portfolio, lang: str) -> None:
        self._sheet, self._book, self._form, self._lang = sheet, sheet.book, form, lang
        self._portfolio = portfolio
        self._size = float(form.fonts["size"])
        self._widths = printed_widths(form)
        self._styles: dict[tuple[object, ...], Any] = {}
        self._known: dict[tuple[object, ...], float] = {}
        self._room: dict[tuple[int, int], float] = {}

    def write(self) -> tuple[SummarySheet, Mapping[str, int]]:
        """Write all forms, or the one table of all projects; returns where each project begins."""
        starts: dict[str, int] = {}
        written: list[Sequence[Value]] = []
        tall: list[float] = []
        for project, rows in self._flat() if self._form.flat else self._forms():
            if project is not None:
                starts[project.id] = len(written)
            written += self._write_rows(rows, len(written))
            if self._form.flat:
                tall.append(sum(self._heights(rows)))
        begins = [start for start in starts.values() if start]
        self._set_up(len(written), self._whole_on_pages(begins, tall) if self._form.flat else begins)
        return SummarySheet("forms", self._sheet.name, tuple(written)), starts

    def _whole_on_pages(self, begins: Sequence[int], tall: Sequence[float]) -> list[int]:
        """Choose the rows before which a page of the one table ends, so that no project is cut.

        `tall`: points of the head, which every page repeats, and of each project. What is higher than a page is cut.
        """
        room, high = paper_room(self._form.paper, self._form.margins, landscape=is_landscape(self._form))
        head, *projects = tall
        high = high / min(1.0, room / points_wide(self._widths)) - head
        breaks: list[int] = []
        used = 0.0
        for row, height in zip(begins, projects, strict=True):
            if used and used + height > high:
                breaks.append(row)
                used = 0.0
            used += height
        return breaks

    def _forms(self) -> Iterator[tuple[Project | None, Sequence[PrintedRow]]]:
        printer = FormPrinter(self._form, self._portfolio.year)
        yield from ((project, printer.lay_out(project)) for project in self._portfolio.projects)

    def _flat(self) -> Iterator[tuple[Project | None, Sequence[PrintedRow]]]:
        """Yield the head of the table, then the rows of each project; their cells count from the first of them."""
        printer = FlatPrinter(self._form, self._portfolio)
        titles = printer.titles()
        yield None, (*titles, printer.headings(len(titles)), *printer.total(len(titles) + 1))
        yield from ((project, printer.lay_out(project, 0)) for project in self._portfolio.projects)

    def _write_rows(self, rows: Sequence[PrintedRow], top: int) -> list[Sequence[Value]]:
        heights = self._heights(rows)
        contents: list[dict[int, Value]] = [{} for _ in rows]
        for number, row in enumerate(rows):
            self._sheet.height(top + number, heights[number])
            for cell in row.cells:
                contents[number][cell.col] = self._write_cell(cell, top)
        return [[content.get(col) for col in range(len(self._widths))] for content in contents]

    # --- cells --------------------------------------------------------------------------------

    def _write_cell(self, cell: PrintedCell, top: int) -> Value:
        row = top + cell.row
        span = Span(row, cell.col, row + cell.rows - 1, cell.col + cell.columns - 1)
        self._sheet.merge_free(span, cell.value, self._style(cell))
        return cell.value

    def _style(self, cell: PrintedCell) -> Any:
        """Return the format of a cell; cells of one place and kind of content share it."""
        size = self._size_of(cell)
        value = cell.value
        content = "number" if isinstance(value, Decimal) and fits_float(value) else type(value)
        key = (cell.kind, cell.type, cell.table, cell.key, cell.vertical, content, size)
        if key not in self._styles:
            self._styles[key] = self._new_style(cell, size)
        return self._styles[key]

    def _size_of(self, cell: PrintedCell) -> float:
        """Choose the font size: that of the form, less for a text that would not fit Excel's tallest row."""
        if cell.kind == "title":
            return float(self._form.fonts["title"])
        if isinstance(cell.value, str) and len(cell.value) > 200:
            return fitting_size(cell.value, self._width(cell), self._size)
        return self._size

    def _new_style(self, cell: PrintedCell, size: float) -> Any:
        fonts = self._form.fonts
        if cell.kind == "title":
            return self._book.format(font_name=fonts["heading"], font_size=size, bold=True, align="center")
        if cell.kind == "subtitle":
            return self._book.format(align="center")
        props: dict[str, Any] = {"border": 1, "text_wrap": True, "font_size": size}
        if cell.kind != "value":
            props["align"] = "center"
            if cell.vertical:
                props["rotation"] = 270  # XlsxWriter's number for letters stacked upright
                del props["text_wrap"]
        elif (kind := FIELD_TYPES.get(cell.type, TEXT)).is_amount:
            props |= self._number_props(cell.value, kind.number_format(self._form.money))
        elif isinstance(cell.value, kind.python) and not isinstance(cell.value, str):
            props |= {"align": kind.align, "num_format": self._number_format(cell, kind)}
        else:
            props |= self._text_props(cell)
        return self._book.format(**props)

    def _number_format(self, cell: PrintedCell, kind: FieldType) -> str:
        """Return the number format of a value; a computed one has the decimals that it is rounded to."""
        field = self._form.fields.get(cell.key) if not cell.table else None
        if field is not None and field.compute is not None:
            return kind.computed_format(field.compute.decimals, self._form.money)
        return kind.shown_format(self._form.money)

    @staticmethod
    def _number_props(value: Value, number_format: str) -> dict[str, Any]:
        if isinstance(value, Decimal) and fits_float(value):
            return {"align": "right", "num_format": number_format, "indent": 1}
        return {"align": "right"} | ({"bg_color": TINT_DOUBT} if value is not None else {})

    def _text_props(self, cell: PrintedCell) -> dict[str, Any]:
        field = self._form.tables[cell.table].columns.get(cell.key) if cell.table else self._form.fields[cell.key]
        if field is not None and field.lines > 1:
            return {"align": "left", "valign": "top"} if cell.value is not None else {}
        if field is not None and cell.table and not field.fill and FIELD_TYPES[field.type].free_text:
            return {"align": "left"}
        return {"align": "center"}

    # --- heights ------------------------------------------------------------------------------

    def _width(self, cell: PrintedCell) -> float:
        key = (cell.col, cell.columns)
        if key not in self._room:
            # Every column is five pixels wider than its units say, and a text needs five of them once.
            self._room[key] = sum(self._widths[cell.col : cell.col + cell.columns]) + 5 / 7 * cell.columns
        return self._room[key]

    def _heights(self, rows: Sequence[PrintedRow]) -> list[float]:
        """Choose heights that show all texts; what spans several rows is given to the last, a value to all of them."""
        heights = [row.height or _ROW_HEIGHT for row in rows]
        for number, row in enumerate(rows):
            needed = (self._needed(cell) for cell in row.cells if not _is_spanning(cell))
            heights[number] = max(heights[number], max(needed, default=0.0))
        for cell in (cell for row in rows for cell in row.cells if _is_spanning(cell)):
            last = cell.row + cell.rows - 1
            lacking = self._needed(cell) - sum(heights[cell.row : last + 1])
            sharing = _rows_to_raise(cell)
            for number in sharing:
                heights[number] += max(lacking, 0) / len(sharing)
        return [min(height, MAX_ROW_HEIGHT) for height in heights]

    def _needed(self, cell: PrintedCell) -> float:
        """Return the height that a cell's text needs; equal short texts are measured once."""
        value = cell.value
        if not isinstance(value, str):
            return self._least(cell)
        if len(value) > _SHORT:
            return self._measured(cell, value)
        key = (value, cell.kind, cell.table, cell.key, cell.col, cell.columns)
        if key not in self._known:
            self._known[key] = self._measured(cell, value)
        return self._known[key]

    def _least(self, cell: PrintedCell) -> float:
        field = self._form.fields.get(cell.key) if cell.kind == "value" and not cell.table else None
        return _LONG_HEIGHT if field is not None and field.lines > 1 else 0.0

    def _measured(self, cell: PrintedCell, text: str) -> float:
        if cell.kind in ("title", "subtitle"):
            return 0.0
        size = self._size_of(cell)
        if cell.vertical:
            return len(text) * size * LINE + 8
        return fitting_height(text, self._width(cell), size, self._least(cell))

    # --- set-up -------------------------------------------------------------------------------

    def _set_up(self, rows: int, breaks: Sequence[int]) -> None:
        raw, form = self._sheet.raw, self._form
        self._sheet.widths(self._widths)
        raw.hide_gridlines(2)
        if is_landscape(form):
            raw.set_landscape()
        else:
            raw.set_portrait()
        if form.flat:
            raw.repeat_rows(0, FLAT_HEAD - 1)
        raw.set_paper(paper_number(form.paper))
        raw.fit_to_pages(1, 0)
        raw.set_margins(**form.margins)
        raw.center_horizontally()
        raw.set_footer(say(FOOTER, self._lang))
        if rows:
            raw.print_area(0, 0, rows - 1, len(self._widths) - 1)
        if breaks:
            raw.set_h_pagebreaks(list(breaks))


def _is_spanning(cell: PrintedCell) -> bool:
    return cell.rows > 1 or cell.vertical


def _rows_to_raise(cell: PrintedCell) -> range:
    """Return the rows that are made higher where a cell needs it: all of a field's value, the last of other cells."""
    last = cell.row + cell.rows - 1
    return range(cell.row if cell.kind == "value" and not cell.table else last, last + 1)
