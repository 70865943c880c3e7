"""The second look at a workbook of the old binary kind (.xls). The only module that imports xlrd.

xlrd tells number formats and errors. That a cell is a formula it does not tell; those that spell a number, as =100%,
are found in the records themselves.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Callable, Container, Iterable
from pathlib import Path
from typing import Any, TypeVar

from kpixl.cells import a1, parse_a1
from kpixl.grids import biff
from kpixl.grids.asides import MAX_TEXT, Aside
from kpixl.intake.looks import Broken, Look, Place, Seen

T = TypeVar("T")


def look(content: bytes, places: Iterable[Place]) -> Look | None:
    """Open a workbook with xlrd and look at some cells; None where xlrd cannot open it."""
    cells = {(sheet, *parse_a1(address)): (sheet, address) for sheet, address in places}

    def seen_in(book: Any) -> Look:
        import xlrd

        names = set(book.sheet_names())
        typed = {cells[cell]: formula for cell, formula in biff.old_literals(content, cells).items()}
        seen: dict[Place, Seen] = {}
        broken: dict[Place, Broken] = {}
        for place in cells.values():
            cell = _cell(book.sheet_by_name(place[0]), place[1]) if place[0] in names else None
            if cell is not None:
                seen[place] = Seen(typed.get(place), "%" in _format(book, cell))
                if cell.ctype == xlrd.XL_CELL_ERROR:
                    broken[place] = Broken("", xlrd.error_text_from_code.get(cell.value, "#N/A"))
        return Look(seen, broken, book.datemode == 1)

    return _opened(content, seen_in)


def notes(content: bytes, sheets: Container[str]) -> list[Aside]:
    """List the notes on some sheets; none where xlrd cannot open the workbook."""

    def listed_in(book: Any) -> list[Aside]:
        return [
            Aside(name, a1(row, col), note.text.strip()[:MAX_TEXT], False)
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


def _cell(sheet: Any, address: str) -> Any | None:
    row, col = parse_a1(address)
    return sheet.cell(row, col) if row < sheet.nrows and col < sheet.row_len(row) else None


def _format(book: Any, cell: Any) -> str:
    key = book.xf_list[cell.xf_index].format_key
    return str(book.format_map[key].format_str) if key in book.format_map else ""
