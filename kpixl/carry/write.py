"""Write carried sheets into a new workbook, after our own."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from typing import Any

from kpixl.carry.model import Carried, CarriedCell, CarriedRule, CarriedSheet, Format
from kpixl.cells import Span, quoted, span_text
from kpixl.problems import Location, Problem
from kpixl.sheets import Book, Refusal, Sheet, SheetError

# What XlsxWriter raises or warns of where a sheet of somebody else's asks for the impossible.
_REFUSALS = (Refusal, UserWarning, SheetError, ValueError, TypeError, KeyError, IndexError, AttributeError)


def write_carried(book: Book, carried: Carried) -> list[Problem]:
    """Add the carried sheets and names to `book`; returns what has to be said."""
    writer = _Writer(book)
    problems = [Problem("sheet-carried", Location(), {"sheet": sheet.name}) for sheet in carried.sheets]
    sheets = [(book.sheet(sheet.name), sheet) for sheet in carried.sheets]
    for target, sheet in sheets:
        writer.write(target, sheet)
    for name, formula in carried.names:
        writer.try_to(book.define, name, formula)
    for _, sheet in sheets:
        for name, formula in sheet.names:
            writer.try_to(book.define, f"{quoted(sheet.name)}!{name}", formula)
    return problems


class _Writer:
    def __init__(self, book: Book) -> None:
        self._book = book
        self._formats: dict[Format, Any] = {}

    def try_to(self, action: Callable[..., object], *args: object) -> bool:
        """Do something that XlsxWriter may refuse; tell whether it did."""
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            try:
                action(*args)
            except _REFUSALS:
                return False
        return True

    def format(self, props: Format) -> Any:
        """Return the workbook's format for these properties, without the fonts of our own sheets."""
        if not props:
            return None
        if props not in self._formats:
            self._formats[props] = self._book.raw.add_format(dict(props))
        return self._formats[props]

    def write(self, target: Sheet, sheet: CarriedSheet) -> None:
        """Write one sheet; tables and merges first, for both fill cells that are then written as they were."""
        raw = target.raw
        for table in sheet.tables:
            self.try_to(raw.add_table, *table.spans[0], dict(table.options))
        for span in sheet.merges:
            self.try_to(raw.merge_range, *span, "", None)
        self._bands(target, sheet)
        for link in sheet.links:
            text = link.url if len(link.url) < 255 else "-"
            self.try_to(raw.write_url, link.row, link.col, link.url, None, text, link.tip)
        linked = {(link.row, link.col) for link in sheet.links}
        for cell in sheet.cells:
            linked.discard((cell.row, cell.col))
            self._cell(target, cell)
        for row, col in linked:
            raw._write_blank(row, col, "", self.format((("font_size", 11),)))
        for comment in sheet.comments:
            options = {"author": comment.author}
            self.try_to(raw.write_comment, comment.row, comment.col, comment.text, options)
        self._rules(target, sheet)
        self._settings(raw, sheet.view)
        self._settings(raw, sheet.page)

    def _bands(self, target: Sheet, sheet: CarriedSheet) -> None:
        raw = target.raw
        for band in sheet.columns:
            pixels = None if band.size is None else int(band.size * 7 + 0.5)
            raw.set_column_pixels(band.first, band.last, pixels, self.format(band.format), dict(band.options))
        for band in sheet.rows:
            raw.set_row(band.first, band.size, self.format(band.format), dict(band.options))

    # --- cells --------------------------------------------------------------------------------

    def _cell(self, target: Sheet, cell: CarriedCell) -> None:
        raw, style = target.raw, self.format(cell.format)
        row, col, value = cell.row, cell.col, cell.value
        if cell.formula is not None:
            self._formula(target, cell, style)
        elif cell.rich:
            parts: list[Any] = []
            for props, text in cell.rich:
                parts += [text] if props is None else [self.format(props), text]
            if raw._write_rich_string(row, col, *parts, *([style] if style is not None else [])):
                raw._write_string(row, col, str(value), style)
        elif isinstance(value, bool):
            raw._write_boolean(row, col, value, style)
        elif isinstance(value, str):
            raw._write_string(row, col, value, style)
        elif value is None:
            if style is not None:
                raw._write_blank(row, col, "", style)
        else:
            raw._write_number(row, col, value, style)

    def _formula(self, target: Sheet, cell: CarriedCell, style: Any) -> None:
        raw, value = target.raw, "" if cell.value is None else cell.value
        formula = cell.formula or ""
        if cell.array is None:
            raw._write_formula(cell.row, cell.col, formula, style, value)
        elif cell.dynamic:
            raw.write_dynamic_array_formula(*cell.array, formula, style, value)
        else:
            raw.write_array_formula(*cell.array, formula, style, value)

    # --- rules --------------------------------------------------------------------------------

    def _rules(self, target: Sheet, sheet: CarriedSheet) -> None:
        for rule in sheet.validations:
            options = dict(rule.options)
            if len(rule.spans) > 1:
                options["other_cells"] = [[*span] for span in rule.spans[1:]]
            self.try_to(target.validate, rule.spans[0], options)
        for rule in sheet.conditions:
            self.try_to(target.rule, rule.spans[0], self._condition(rule))

    def _condition(self, rule: CarriedRule) -> dict[str, Any]:
        options = dict(rule.options)
        if rule.format is not None:
            options["format"] = self._book.rule_format(**dict(rule.format))
        if len(rule.spans) > 1:
            options["multi_range"] = " ".join(map(_range_text, rule.spans))
        return options

    # --- settings -----------------------------------------------------------------------------

    def _settings(self, raw: Any, settings: Mapping[str, Any]) -> None:
        for name, value in settings.items():
            if name == "filters":
                self._filters(raw, value)
            else:
                self.try_to(_SETTINGS[name], raw, value)

    def _filters(self, raw: Any, filters: Mapping[int, Mapping[str, Any]]) -> None:
        for col, rule in filters.items():
            if "list" in rule:
                self.try_to(raw.filter_column_list, col, rule["list"])
            else:
                self.try_to(raw.filter_column, col, rule["rule"])


def _center(raw: Any, value: tuple[bool, bool]) -> None:
    if value[0]:
        raw.center_horizontally()
    if value[1]:
        raw.center_vertically()


# What view_of and page_of call a setting -> how XlsxWriter is told.
_SETTINGS: Mapping[str, Callable[[Any, Any], object]] = {
    "state": lambda raw, value: (raw.very_hidden if value == "veryHidden" else raw.hide)(),
    "tab": lambda raw, value: raw.set_tab_color(value),
    "freeze": lambda raw, value: raw.freeze_panes(*value),
    "zoom": lambda raw, value: raw.set_zoom(value),
    "gridlines": lambda raw, value: raw.hide_gridlines(value),
    "zero": lambda raw, _: raw.hide_zero(),
    "right_to_left": lambda raw, _: raw.right_to_left(),
    "protect": lambda raw, value: raw.protect("", dict(value)),
    "password": lambda raw, value: raw.protect_options.update(password=value),
    "default_row": lambda raw, value: raw.set_default_row(value),
    "autofilter": lambda raw, value: raw.autofilter(*value),
    "landscape": lambda raw, _: raw.set_landscape(),
    "paper": lambda raw, value: raw.set_paper(value),
    "scale": lambda raw, value: raw.set_print_scale(value),
    "fit": lambda raw, value: raw.fit_to_pages(*value),
    "margins": lambda raw, value: raw.set_margins(*value),
    "header": lambda raw, value: raw.set_header(*value),
    "footer": lambda raw, value: raw.set_footer(*value),
    "center": _center,
    "area": lambda raw, value: raw.print_area(*value),
    "rows": lambda raw, value: raw.repeat_rows(*value),
    "columns": lambda raw, value: raw.repeat_columns(*value),
    "row_breaks": lambda raw, value: raw.set_h_pagebreaks(list(value)),
    "column_breaks": lambda raw, value: raw.set_v_pagebreaks(list(value)),
    "over": lambda raw, _: raw.print_across(),
    "black": lambda raw, _: raw.print_black_and_white(),
    "headings": lambda raw, _: raw.print_row_col_headers(),
    "start": lambda raw, value: raw.set_start_page(value),
}


def _range_text(span: Span) -> str:
    first, _, last = span_text(span).partition(":")
    return first if first == last else f"{first}:{last}"
