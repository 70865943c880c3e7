"""What lies around the cells of an openpyxl sheet: columns, rows, comments, view and print set-up.

Settings go by the names that carry_write knows.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from kpixl.carry.model import CarriedBand, CarriedComment
from kpixl.carry.rules import filter_columns
from kpixl.carry.styles import Styles
from kpixl.cells import span_from
from kpixl.values import MAX_CELL_TEXT

_MARGINS = ("left", "right", "top", "bottom")
_PROTECT = {
    "objects": "objects",
    "scenarios": "scenarios",
    "formatCells": "format_cells",
    "formatColumns": "format_columns",
    "formatRows": "format_rows",
    "insertColumns": "insert_columns",
    "insertRows": "insert_rows",
    "insertHyperlinks": "insert_hyperlinks",
    "deleteColumns": "delete_columns",
    "deleteRows": "delete_rows",
    "selectLockedCells": "select_locked_cells",
    "selectUnlockedCells": "select_unlocked_cells",
    "sort": "sort",
    "autoFilter": "autofilter",
    "pivotTables": "pivot_tables",
}


def view_of(sheet: Any, styles: Styles) -> tuple[dict[str, Any], list[str]]:
    """Read how a sheet is shown; also returns the kinds of settings that are not carried."""
    view: dict[str, Any] = {}
    lost: list[str] = []
    if sheet.sheet_state != "visible":
        view["state"] = sheet.sheet_state
    if (color := styles.color(sheet.sheet_properties.tabColor)) is not None:
        view["tab"] = color
    shown = sheet.sheet_view
    if sheet.freeze_panes and shown.pane is not None:
        corner = span_from(sheet.freeze_panes)
        if corner is not None:
            # XlsxWriter wants the first frozen-out cell; where the panes are scrolled to is not kept.
            view["freeze"] = (int(shown.pane.ySplit or 0), int(shown.pane.xSplit or 0))
    if shown.zoomScale and shown.zoomScale != 100 and 10 <= shown.zoomScale <= 400:
        view["zoom"] = int(shown.zoomScale)
    if shown.showGridLines is False:
        view["gridlines"] = 2
    if shown.showZeros is False:
        view["zero"] = True
    if shown.rightToLeft:
        view["right_to_left"] = True
    layout = sheet.sheet_format
    if layout.customHeight and layout.defaultRowHeight:
        view["default_row"] = float(layout.defaultRowHeight)
    lost += _protection(sheet, view)
    lost += _filter(sheet, view)
    return view, lost


def _protection(sheet: Any, view: dict[str, Any]) -> list[str]:
    protection = sheet.protection
    if not protection.sheet:
        return []
    # The file says what is forbidden, XlsxWriter is told what is allowed.
    view["protect"] = {ours: not getattr(protection, theirs) for theirs, ours in _PROTECT.items()}
    if protection.password:
        view["password"] = protection.password
    return ["password"] if protection.hashValue else []


def _filter(sheet: Any, view: dict[str, Any]) -> list[str]:
    span = span_from(sheet.auto_filter.ref) if sheet.auto_filter.ref else None
    if span is None:
        return []
    view["autofilter"] = tuple(span)
    found = dict(filter_columns(sheet.auto_filter))
    view["filters"] = {span.col + col: rule for col, rule in found.items() if rule is not None}
    return ["filter"] if None in found.values() else []


def page_of(sheet: Any) -> tuple[dict[str, Any], list[str]]:
    """Read the print set-up of a sheet; also returns the kinds of settings that are not carried."""
    page: dict[str, Any] = {}
    lost: list[str] = []
    setup, margins, options = sheet.page_setup, sheet.page_margins, sheet.print_options
    page |= _scaling(setup, sheet.sheet_properties.pageSetUpPr)
    switches = {
        "landscape": setup.orientation == "landscape",
        "over": setup.pageOrder == "overThenDown",
        "black": setup.blackAndWhite,
        "headings": options.headings,
    }
    page |= {name: True for name, on in switches.items() if on}
    if setup.useFirstPageNumber and setup.firstPageNumber:
        page["start"] = int(setup.firstPageNumber)
    page["margins"] = tuple(float(getattr(margins, side)) for side in _MARGINS)
    page["header"] = (str(sheet.oddHeader or "")[:255], {"margin": float(margins.header)})
    page["footer"] = (str(sheet.oddFooter or "")[:255], {"margin": float(margins.footer)})
    if options.horizontalCentered or options.verticalCentered:
        page["center"] = (bool(options.horizontalCentered), bool(options.verticalCentered))
    lost += _print_ranges(sheet, page)
    for name, breaks in (("row_breaks", sheet.row_breaks), ("column_breaks", sheet.col_breaks)):
        if breaks.brk:
            page[name] = tuple(sorted(int(b.id) for b in breaks.brk if b.id))
    return page, lost


def _scaling(setup: Any, fit: Any) -> dict[str, Any]:
    scaling: dict[str, Any] = {}
    if setup.paperSize and int(setup.paperSize) > 0:
        scaling["paper"] = int(setup.paperSize)
    if fit is not None and fit.fitToPage:
        wide, tall = setup.fitToWidth, setup.fitToHeight
        scaling["fit"] = (1 if wide is None else int(wide), 1 if tall is None else int(tall))
    elif setup.scale and 10 <= int(setup.scale) <= 400 and int(setup.scale) != 100:
        scaling["scale"] = int(setup.scale)
    return scaling


def _print_ranges(sheet: Any, page: dict[str, Any]) -> list[str]:
    lost = []
    if area := sheet.print_area:
        ref = str(area).rpartition("!")[2]
        span = span_from(ref)
        if span is not None and "," not in str(area):
            page["area"] = tuple(span)
        else:
            lost.append("print")
    for name, text in (("rows", sheet.print_title_rows), ("columns", sheet.print_title_cols)):
        match = re.fullmatch(r"\$?(\w+):\$?(\w+)", str(text or "").rpartition("!")[2])
        if match and name == "rows" and match[1].isdecimal():
            page[name] = (int(match[1]) - 1, int(match[2]) - 1)
        elif match and name == "columns":
            first, last = span_from(f"{match[1]}1"), span_from(f"{match[2]}1")
            if first is not None and last is not None:
                page[name] = (first.col, last.col)
    return lost


# --- columns, rows, comments ------------------------------------------------------------------


def comments_of(sheet: Any) -> Iterator[CarriedComment]:
    """Yield the comments of a sheet."""
    for (row, col), cell in sorted(sheet._cells.items()):
        comment = getattr(cell, "comment", None)
        if comment is not None and comment.text:
            yield CarriedComment(row - 1, col - 1, comment.text[:MAX_CELL_TEXT], comment.author or "")


def columns_of(sheet: Any, styles: Styles) -> Iterator[CarriedBand]:
    """Yield the columns that have a width, a format or an outline of their own."""
    done = 0
    bands = sorted(sheet.column_dimensions.values(), key=lambda d: d.min or 0)
    for band in bands:
        if not band.min or not band.max or band.min <= done or band.max > 16_384:
            continue
        done = band.max
        style = styles.format(band) if band.has_style else ()
        options = _outline(band)
        size = float(band.width) if band.customWidth or band.width != 13 else None
        yield CarriedBand(band.min - 1, band.max - 1, size, style, options)


def rows_of(sheet: Any, styles: Styles) -> Iterator[CarriedBand]:
    """Yield the rows that have a height, a format or an outline of their own."""
    for number, band in sorted(sheet.row_dimensions.items()):
        style = styles.format(band) if band.has_style else ()
        options = _outline(band)
        # A height that was not set by hand is left to Excel, which fits it to the text again.
        size = float(band.ht) if band.ht is not None and band.customHeight else None
        if size is not None or style or options:
            yield CarriedBand(number - 1, number - 1, size, style, options)


def _outline(band: Any) -> tuple[tuple[str, Any], ...]:
    options: dict[str, Any] = {}
    if band.hidden:
        options["hidden"] = True
    if band.outlineLevel:
        options["level"] = min(int(band.outlineLevel), 7)
    if band.collapsed:
        options["collapsed"] = True
    return tuple(options.items())
