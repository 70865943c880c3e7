"""Cells are written as XlsxWriter writes them."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from kpixl.output import workbook
from kpixl.output.workbook import Book

VALUES: list[Any] = ["text", ' a<b>&"c" ', "", None, 1, 1.5, -1e300, 1 / 3, 123456789012345678, date(2026, 1, 1)]


def _made(monkeypatch: pytest.MonkeyPatch | None) -> bytes:
    if monkeypatch is not None:
        monkeypatch.delattr(workbook._Worksheet, "_write_cell")
    book = Book("t", {})
    sheet = book.sheet("a")
    style = book.format(bold=True)
    for row, value in enumerate(VALUES):
        for col, used in enumerate((style, None, book.format(num_format="0.00"))):
            if isinstance(value, int | float):
                sheet.number(row, col + 25, value, used)
            else:
                sheet.write(row, col + 25, value, used)
    sheet.formula(len(VALUES), 0, "=1+1", style, 2)
    sheet.raw.write_boolean(len(VALUES), 1, True, style)
    sheet.height(len(VALUES) + 1, 20, style)
    sheet.number(len(VALUES) + 1, 0, 7)
    return book.finish()


def test_cells_are_written_as_xlsxwriter_writes_them(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _made(None) == _made(monkeypatch)
