"""Inspects a workbook of the old binary kind (.xls). The only module that imports xlrd.

xlrd gives number formats, fonts and errors. Formulas it does not give; those of a number, as =100%, and of totals are
found in the records themselves.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Callable, Container, Iterable
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

from kpixl.a1 import CellRef
from kpixl.forms.values import to_decimal
from kpixl.readers import biff, number_formats, xls_styles
from kpixl.readers.annotations import MAX_TEXT, Annotation
from kpixl.recognise.inspected import Broken, Inspected, Look, Place, Run, inspected

T = TypeVar("T")
_RAISED = {1: 1, 2: -1}  # how fonts say that text is above or below the line

is_marked = xls_styles.is_marked


def look(content: bytes, places: Iterable[Place]) -> Look | None:
    """Open a workbook with xlrd and look at some cells; None where xlrd cannot open it."""
    cells = {(sheet, *cell): (sheet, cell) for sheet, cell in places}

    def seen_in(book: Any) -> Look:
        import xlrd

        names = set(book.sheet_names())
        typed = {cells[cell]: formula for cell, formula in biff.old_formulas(content, cells).items()}
        seen: dict[Place, Inspected] = {}
        broken: dict[Place, Broken] = {}
        for place in cells.values():
            sheet = book.sheet_by_name(place[0]) if place[0] in names else None
            cell = _cell(sheet, place[1])
            if cell is not None:
                seen[place] = _inspected(book, cell, _pieces(book, sheet, cell, place[1]), typed.get(place))
                if cell.ctype == xlrd.XL_CELL_ERROR:
                    broken[place] = Broken("", xlrd.error_text_from_code.get(cell.value, "#N/A"))
        return Look(seen, broken, book.datemode == 1)

    return _opened(content, seen_in)


def notes(content: bytes, sheets: Container[str]) -> list[Annotation]:
    """List the notes on some sheets; none where xlrd cannot open the workbook."""

    def listed_in(book: Any) -> list[Annotation]:
        return [
            Annotation(name, CellRef(row, col), note.text.strip()[:MAX_TEXT], False)
            for name in book.sheet_names()
            if name in sheets
            for (row, col), note in sorted(book.sheet_by_name(name).cell_note_map.items())
        ]

    return (_opened(content, listed_in) or []) if biff.has_notes(content) else []


def _opened(content: bytes, use: Callable[[Any], T]) -> T | None:
    """Use a workbook that xlrd opens; None where it cannot."""
    import xlrd

    try:
        with Path(os.devnull).open("w", encoding="utf-8") as log:  # else it prints its complaints
            return use(
                xlrd.open_workbook(
                    file_contents=content, formatting_info=True, on_demand=True, ragged_rows=True, logfile=log
                )
            )
    except (
        xlrd.XLRDError,
        xlrd.compdoc.CompDocError,
        xlrd.formula.FormulaError,
        struct.error,
        ArithmeticError,
        AssertionError,
        AttributeError,
        EOFError,
        LookupError,
        OSError,
        RuntimeError,
        TypeError,
        ValueError,
    ):
        return None


def _cell(sheet: Any | None, place: CellRef) -> Any | None:
    row, col = place
    return sheet.cell(row, col) if sheet is not None and row < sheet.nrows and col < sheet.row_len(row) else None


def _inspected(book: Any, cell: Any, runs: tuple[Run, ...], formula: str | None) -> Inspected:
    import xlrd

    value: Decimal | str | None = cell.value if isinstance(cell.value, str) else None
    if cell.ctype in (xlrd.XL_CELL_NUMBER, xlrd.XL_CELL_DATE):
        value = to_decimal(cell.value)
    from_1904, code = book.datemode == 1, _format(book, cell)
    found = inspected(value, code, formula=formula, runs=runs, from_1904=from_1904)
    font = _font(book, book.xf_list[cell.xf_index].font_index)
    if font[0] and isinstance(value, Decimal):  # a number that is struck out
        shown = found.display.text if found.display else number_formats.general(value)
        return inspected(value, code, formula=formula, runs=(Run(shown, *font),), from_1904=from_1904)
    return found


def _pieces(book: Any, sheet: Any, cell: Any, place: CellRef) -> tuple[Run, ...]:
    """Part a text into its fonts; before the first change it has that of its cell."""
    if not isinstance(cell.value, str):
        return ()
    changes = [(0, book.xf_list[cell.xf_index].font_index), *sheet.rich_text_runlist_map.get(place, ())]
    units = cell.value.encode("utf-16-le", "surrogatepass")  # runs are counted in these, two bytes each
    ends = [at for at, _ in changes[1:]] + [len(units) // 2]
    return tuple(
        Run(units[2 * at : 2 * end].decode("utf-16-le", "replace"), *_font(book, font))
        for (at, font), end in zip(changes, ends, strict=True)
        if at < end
    )


def _font(book: Any, number: int) -> tuple[bool, int]:
    """Return whether a font strikes text out, and whether it raises (1) or lowers (-1) it."""
    font = book.font_list[number]
    return bool(font.struck_out), _RAISED.get(font.escapement, 0)


def _format(book: Any, cell: Any) -> str | None:
    """Return the code of a cell's number format; what files only name by number is that of a Chinese Excel."""
    key = book.xf_list[cell.xf_index].format_key
    found = book.format_map.get(key)
    usual = number_formats.built_in(key)
    if found is None or (usual is not None and found not in book.format_list):
        return usual
    return str(found.format_str)
