"""Workbooks of forms that nobody has defined, drawn from tests/cases/learn, and what is to be found in them.

A row is cells with | between them: `.` is blank, `<` merged with the cell on its left, `^` with the one above; `@type`
is where the value of the label in front is typed, `@^type` that of the label above, `%type heading` the heading of a
table's column, `!type heading` that of a field whose projects are rows; behind = is what the cell holds. `*` is a
constant between a label and its value. Rows that begin with ~ have no borders.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import yaml
from openpyxl.styles import Alignment, Border, Font, PatternFill, Protection, Side
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation

from kpixl.a1 import a1

CASES = Path(__file__).parents[1] / "cases" / "learn"
_THIN = Side(style="thin")


@dataclass
class Drawn:
    """A drawn workbook.

    `fields`: the cell of a label -> the cell of its value, and its type; `columns`: the cell of a heading -> its type.
    """

    name: str
    content: bytes
    fields: dict[str, tuple[str, str]] = field(default_factory=dict)
    columns: dict[str, str] = field(default_factory=dict)


def cases(stem: str = "*") -> Iterator[dict[str, Any]]:
    """Yield every case, or those of one file."""
    for path in sorted(CASES.glob(f"{stem}.yaml")):
        yield from yaml.safe_load(path.read_text(encoding="utf-8"))


def draw(case: Mapping[str, Any]) -> Drawn:
    """Draw the workbook of a case."""
    lines = [line for line in case["grid"].splitlines() if line.strip()]
    plain = {row for row, line in enumerate(lines) if line.startswith("~")}
    grid = [[cell.strip() for cell in line.removeprefix("~").split("|")] for line in lines]
    width = max(map(len, grid))
    grid = [row + ["<" if len(row) == 1 else "."] * (width - len(row)) for row in grid]
    spans = _spans(grid)
    drawn = Drawn(case["name"], b"")
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    for (row, col), (last_row, last_col) in spans.items():
        kind, text = _parted(grid[row][col])
        if kind.startswith("@"):
            label = (
                _label(spans, row - 1, col)
                if kind.startswith("@^")
                else _label(spans, row, col - 1 - grid[row][col - 1].startswith("*"))
            )
            drawn.fields[a1(*label)] = (a1(row, col), kind.lstrip("@^"))
        elif kind.startswith("!"):
            drawn.fields[a1(row, col)] = (a1(last_row + 1, col), kind[1:])
        elif kind.startswith("%"):
            drawn.columns[a1(row, col)] = kind[1:]
        _write(sheet, case, (row, col, last_row, last_col), kind, text, row not in plain)
    for letter, size in case.get("widths", {}).items():
        sheet.column_dimensions[letter].width = size
    for row, height in case.get("heights", {}).items():
        sheet.row_dimensions[row].height = height
    for cells, items in case.get("lists", {}).items():
        rule = DataValidation(type="list", formula1=f'"{",".join(items)}"', showErrorMessage=True)
        rule.add(cells)
        sheet.add_data_validation(rule)
    for cell, formula in case.get("formulas", {}).items():
        sheet[cell] = formula
    if case.get("protected"):
        sheet.protection.sheet = True
    out = io.BytesIO()
    book.save(out)
    drawn.content = out.getvalue()
    return drawn


def _parted(text: str) -> tuple[str, str]:
    """Part a cell into what it is and what it holds."""
    if text == ".":
        return "", ""
    if text.startswith("*"):
        return "*", text[1:]
    if text.startswith("@"):
        kind, _, held = text.partition("=")
        return kind, held
    if text.startswith(("%", "!")):
        kind, _, held = text.partition(" ")
        return kind, held
    return "", text


def _spans(grid: list[list[str]]) -> dict[tuple[int, int], tuple[int, int]]:
    """Map the first cell of each box to its last one."""
    spans = {}
    for r, row in enumerate(grid):
        for c, text in enumerate(row):
            if text in ("<", "^"):
                continue
            right, bottom = c, r
            while right + 1 < len(row) and grid[r][right + 1] == "<":
                right += 1
            while bottom + 1 < len(grid) and grid[bottom + 1][c] == "^":
                bottom += 1
            spans[r, c] = (bottom, right)
    return spans


def _label(spans: Mapping[tuple[int, int], tuple[int, int]], row: int, col: int) -> tuple[int, int]:
    return next(first for first, last in spans.items() if first[0] <= row <= last[0] and first[1] <= col <= last[1])


def _value(text: str) -> Any:
    if text.startswith("#"):
        return date.fromisoformat(text[1:]) if "-" in text[2:] else Decimal(text[1:])
    return text.replace("\\n", "\n") or None


FORMATS = {"money": "#,##0.00", "date": "yyyy-mm-dd", "percent": "0.00%"}


def _write(
    sheet: Any, case: Mapping[str, Any], span: tuple[int, int, int, int], kind: str, text: str, framed: bool
) -> None:
    row, col, last_row, last_col = span
    cell = sheet.cell(row + 1, col + 1)
    cell.value = _value(text)
    entry = kind.startswith("@") or (not text and not kind)
    for r in range(row, last_row + 1):
        for c in range(col, last_col + 1):
            each = sheet.cell(r + 1, c + 1)
            if framed:
                each.border = Border(left=_THIN, right=_THIN, top=_THIN, bottom=_THIN)
            if framed and case.get("coloured") and not entry:
                each.fill = PatternFill("solid", fgColor="FFD9E1F2")
            if case.get("protected"):
                each.protection = Protection(locked=not entry)
            if case.get("formatted") and entry and kind.lstrip("@^") in FORMATS:
                each.number_format = FORMATS[kind.lstrip("@^")]
    title = not framed and row < 2 and last_col - col > 2
    cell.font = Font(name="黑体" if title else "宋体", size=16 if title else 10, bold=title)
    cell.alignment = Alignment(
        wrap_text=True, horizontal="center", vertical="center", textRotation=255 if last_row - row > 5 else 0
    )
    if (last_row, last_col) != (row, col):
        sheet.merge_cells(f"{get_column_letter(col + 1)}{row + 1}:{get_column_letter(last_col + 1)}{last_row + 1}")
