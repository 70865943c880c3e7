"""Sheets as they come back. Every case is data in cases/reading/*.yaml; adding one needs no Python.

A case starts from `base.yaml` (or its own `grid`, or `text`) and changes it, in this order:
  grid             a table of cells, | between them; #5 is a number, a blank cell is blank
  text             the text of a published file instead of a workbook; → is a tab
  unmerge          true: no merged cells
  delete-rows      row numbers, as in the base
  insert-rows      numbers of the rows before which a blank one is put
  insert-columns   letters of the columns before which a blank one is put
  delete-columns   letters of columns, as they are then
  cells            A1: value; null clears; {formula: ...}, {percent: ...}, {serial: ...}, {error: ...} are what they
                   say; {rich: [...]} is a text in several fonts; {cached: [formula, value]} has both;
                   {shown: [format, value]} is a value in a number format
  merge            ranges
  under            A1: value of cells that a merge hides, as other programs leave them
  notes            A1: text of a note that a person put on the cell
  beside           more forms on the sheet: each has `at`, its first cell, and any of the above
  hide-rows        row numbers, as they are then
  picture          true: the stamp of a unit is pasted in
  date1904         true: the workbook counts days from 1904
  sheets           several sheets instead: each has a `name` and any of the above; `hidden: true`
What is expected is what the base expects, but for `values` (by key), `rows` and `problems` (code and cell).
Several forms: `forms`, a list of such expectations; none: `forms: []`. `sources`: the cells of some values.
`looks`: how often openpyxl opened the file.
"""

from __future__ import annotations

import io
import re
import zipfile
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from openpyxl.cell import Cell
from openpyxl.cell.rich_text import CellRichText, TextBlock
from openpyxl.cell.text import InlineFont
from openpyxl.comments import Comment
from openpyxl.drawing.image import Image
from openpyxl.utils import column_index_from_string
from openpyxl.utils.cell import coordinate_to_tuple
from openpyxl.utils.datetime import CALENDAR_MAC_1904
from openpyxl.worksheet.worksheet import Worksheet
from PIL import Image as PILImage

from kpixl.collection.consolidate import consolidate
from kpixl.forms.definition import Value
from kpixl.forms.values import number_text
from kpixl.keys import Key, parse_key
from kpixl.portfolio.model import Project
from tests.strategies import form_of
from tests.yaml_cases import load_cases

CASES = Path(__file__).parents[1] / "cases" / "reading"
Case = dict[str, Any]


def load(name: str) -> Any:
    """Load a file of cases."""
    return load_cases(CASES / name)


BASE: dict[str, Any] = load("base.yaml")
ALL = {
    f"{path.stem}: {case['case']}": case
    for path in sorted(CASES.glob("*.yaml"))
    if path.name != "base.yaml"
    for case in load(path.name)
}
KNOWN = {
    "case", "grid", "text", "unmerge", "delete-rows", "insert-rows", "insert-columns", "cells", "merge", "sheets",
    "name", "hidden", "forms", "values", "rows", "problems", "sources", "why", "hide-rows", "date1904", "looks",
    "under", "notes", "picture", "delete-columns", "beside", "at",
}  # fmt: skip


def table(text: str) -> list[list[str | float | None]]:
    """Read a table of cells."""
    lines = [line.strip().strip("|").split("|") for line in text.strip().splitlines()]
    return [[plain(cell.strip()) for cell in line] for line in lines]


def plain(cell: str) -> str | float | None:
    return float(cell[1:]) if cell.startswith("#") else cell or None


def draw(sheet: Worksheet, case: Case) -> None:
    """Draw a case on a sheet."""
    merges = [] if case.get("unmerge") or "grid" in case else list(BASE["merge"])
    for row, cells in enumerate(table(str(case.get("grid", BASE["grid"]))), 1):
        for col, value in enumerate(cells, 1):
            put(sheet, row, col, value)
    for reference in merges:
        sheet.merge_cells(reference)
    rearrange(sheet, case)
    for address, value in case.get("cells", {}).items():
        cell = sheet[address]
        put(sheet, cell.row, cell.column, value)
    for reference in case.get("merge", ()):
        sheet.merge_cells(reference)
    for address, text in case.get("notes", {}).items():
        sheet[address].comment = Comment(text, "张三")
    if case.get("picture"):
        picture = io.BytesIO()
        PILImage.effect_noise((200, 200), 90).save(picture, "PNG")
        sheet.add_image(Image(picture), "C20")
    for address, value in case.get("under", {}).items():
        row, col = coordinate_to_tuple(address)
        sheet._cells[row, col] = Cell(sheet, row, col, value)
    for other in case.get("beside", ()):
        paste(sheet, other)
    for row in case.get("hide-rows", ()):
        sheet.row_dimensions[row].hidden = True


def rearrange(sheet: Worksheet, case: Case) -> None:
    """Put in and take away rows and columns."""
    for verb, by in (("delete", -1), ("insert", 1)):
        for row in sorted(case.get(f"{verb}-rows", ()), reverse=True):
            shift(sheet, row, 0, by)
    for verb, by in (("insert", 1), ("delete", -1)):
        for letter in sorted(case.get(f"{verb}-columns", ()), reverse=True):
            shift(sheet, 0, column_index_from_string(letter), by)


def paste(sheet: Worksheet, case: Case) -> None:
    """Draw a case by itself and paste it into a sheet."""
    copied = openpyxl.Workbook().worksheets[0]
    draw(copied, case)
    row, col = coordinate_to_tuple(case["at"])
    for cells in copied.iter_rows():
        for cell in cells:
            if cell.value is not None:
                put(sheet, cell.row + row - 1, cell.column + col - 1, cell.value)
    for span in copied.merged_cells.ranges:
        span.shift(col - 1, row - 1)
        sheet.merge_cells(span.coord)


def shift(sheet: Worksheet, row: int, col: int, by: int) -> None:
    """Insert or delete a row or column, as Excel does, with the merges."""
    spans = [span.bounds for span in sheet.merged_cells.ranges]
    for span in list(sheet.merged_cells.ranges):
        sheet.unmerge_cells(span.coord)
    if row:
        (sheet.insert_rows if by > 0 else sheet.delete_rows)(row)
    else:
        (sheet.insert_cols if by > 0 else sheet.delete_cols)(col)
    for left, top, right, bottom in spans:
        top, bottom = moved(top, bottom, row, by)
        left, right = moved(left, right, col, by)
        if top <= bottom and left <= right and (top, left) != (bottom, right):
            sheet.merge_cells(start_row=top, start_column=left, end_row=bottom, end_column=right)


def moved(first: int, last: int, at: int, by: int) -> tuple[int, int]:
    """Say where a range lies once `by` lines were put before line `at`, or taken away there; 0 is none."""
    return first + by * (0 < at < first + (by > 0)), last + by * (0 < at <= last)


def put(sheet: Worksheet, row: int, col: int, value: Any) -> None:
    cell = sheet.cell(row, col)
    if isinstance(value, dict):
        ((kind, content),) = value.items()
        if kind == "rich":
            content = CellRichText(*(rich_run(number, run) for number, run in enumerate(content) if run))
        cell.value = content[1] if kind in ("cached", "shown") else content
        if kind == "error" or str(cell.value).startswith("#"):
            cell.data_type = "e"
        cell.number_format = "0%" if kind == "percent" else content[0] if kind == "shown" else "General"
        return
    cell.value = value
    if isinstance(value, str):
        cell.data_type = "s"
    if isinstance(value, date):
        cell.number_format = "yyyy-mm-dd"


_FONTS = {"~": InlineFont(strike=True), "^": InlineFont(vertAlign="superscript")}


def rich_run(number: int, run: str) -> TextBlock | str:
    """Make a run of a text: ~ strikes it out, ^ raises it; of the others every second one is bold."""
    if run[0] in _FONTS:
        return TextBlock(_FONTS[run[0]], run[1:])
    return TextBlock(InlineFont(b=True), run) if number % 2 else run


def write(case: Case, folder: Path) -> Path:
    if "text" in case:
        path = folder / "case.txt"
        path.write_text(case["text"].replace("→", "\t"), encoding="utf-8")
        return path
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for sheet_case in case.get("sheets", [case]):
        assert set(sheet_case) <= KNOWN, set(sheet_case) - KNOWN
        sheet = book.create_sheet(sheet_case.get("name", "表"))
        draw(sheet, sheet_case)
        if sheet_case.get("hidden"):
            book.create_sheet("目录")
            sheet.sheet_state = "hidden"
    if case.get("date1904"):
        book.epoch = CALENDAR_MAC_1904
    path = folder / "case.xlsx"
    book.save(path)
    cached = {k: v["cached"][0] for k, v in case.get("cells", {}).items() if isinstance(v, dict) and "cached" in v}
    if cached:
        add_formulas(path, cached)
    return path


def add_formulas(path: Path, formulas: dict[str, str]) -> None:
    """Give cells that have values the formulas they come from; openpyxl writes either."""
    with zipfile.ZipFile(path) as package:
        parts = {name: package.read(name) for name in package.namelist()}
    part = parts["xl/worksheets/sheet1.xml"].decode()
    for address, formula in formulas.items():
        part = re.sub(rf'(<c r="{address}"[^>]*>)', rf"\1<f>{formula.removeprefix('=')}</f>", part)
    parts["xl/worksheets/sheet1.xml"] = part.encode()
    with zipfile.ZipFile(path, "w") as package:
        for name, content in parts.items():
            package.writestr(name, content)


def shown(value: Value | float) -> str:
    """Spell a value as the cases do."""
    if value is None:
        return ""
    return number_text(Decimal(str(value))) if isinstance(value, Decimal | int | float) else str(value)


def facts(project: Project) -> list[str]:
    """List what a form says, a line for each value and row."""
    lines = [f"{key}: {shown(value)}" for key, value in project.values.items()]
    rows = [" | ".join(shown(value) for value in row.values()) for row in project.tables["indicators"]]
    return lines + [row.rstrip(" |") for row in rows]


def expected(expectation: Case) -> list[str]:
    values = {**BASE["values"], **expectation.get("values", {})}
    lines = [f"{key}: {shown(value)}" for key, value in values.items()]
    rows: list[str] = expectation["rows"] if "rows" in expectation else BASE["rows"]
    return lines + [row.rstrip(" |") for row in rows]


@pytest.mark.parametrize("name", ALL)
@pytest.mark.filterwarnings("ignore::UserWarning:openpyxl")
def test_reading(name: str, tmp_path: Path) -> None:
    case = ALL[name]
    assert set(case) <= KNOWN, set(case) - KNOWN
    form = form_of("shanghai-target")
    assert set(BASE["values"]) == set(form.fields)
    result = consolidate([write(case, tmp_path)], [form], workers=0)
    found = [facts(project) for project in result.portfolio.projects]
    problems = [f"{p.code} {p.location.address or '-'}" for p in result.problems]
    wanted = [expected(one) for one in case.get("forms", [case])]
    assert [line for form in found for line in form] + problems == [
        line for form in wanted for line in form
    ] + case.get("problems", [])
    if "looks" in case:
        assert sum(file.second_looks for file in result.files) == case["looks"]
    if "sources" in case:
        source = result.sources[result.portfolio.projects[0].id]
        assert {key: source.address(parse_key(key)) for key in case["sources"]} == case["sources"]


AS_RETURNED: dict[str, list[str]] = load_cases(CASES.parent / "as-returned.yaml")


@pytest.mark.parametrize("line", AS_RETURNED)
def test_what_files_look_like_has_its_cases(line: str) -> None:
    assert AS_RETURNED[line]
    missing = [case for case in AS_RETURNED[line] if case not in ALL and not stands(case)]
    assert not missing


def stands(case: str) -> bool:
    """Tell whether there is a test file::function, or a file of the containers."""
    file, _, function = case.partition("::")
    if function:
        return f"def {function}(" in (Path(__file__).parents[1] / file).read_text(encoding="utf-8")
    return (CASES.parent / "containers" / case).is_file()


def test_a_broken_cell_is_shown_as_the_person_sees_it(tmp_path: Path) -> None:
    cells = {"B4": {"cached": ["=清单!B2&amp;1", "#REF!"]}, "E4": {"error": "#N/A"}, "B5": {"formula": "=TODAY()"}}
    result = consolidate([write({"cells": cells}, tmp_path)], [form_of("shanghai-target")], workers=0)
    assert [p.message().partition("，")[0] for p in result.problems] == [
        "单元格显示错误值 #REF!（=清单!B2&1）",
        "单元格显示错误值 #N/A",
        "单元格是没有计算结果的公式（=TODAY()）",
    ]


@pytest.mark.parametrize("unmerged", [True, False])
def test_a_value_that_stands_beside_its_cell_in_a_sheet_as_sent_is_read_where_people_see_it(
    unmerged: bool, example_template: Path, tmp_path: Path
) -> None:
    book = openpyxl.load_workbook(example_template)
    sheet = book.worksheets[1]
    if unmerged:
        sheet.unmerge_cells("F7:G7")
    sheet["F7"] = None
    sheet._cells[7, 7] = Cell(sheet, 7, 7, 500000)
    book.save(tmp_path / "beside.xlsx")
    result = consolidate([tmp_path / "beside.xlsx"], [form_of("shanghai-target")], workers=0)
    project = result.portfolio.projects[0]
    said = [p.code for p in result.problems if p.location.address == "G7"]
    read = (project.values["funding.annual.appropriation"], said)
    assert read == ((Decimal(500000), []) if unmerged else (None, ["stray-text"]))
    assert not unmerged or result.sources[project.id].address(Key("funding.annual.appropriation")) == "G7"
