"""What is not read is quoted: a sheet without a form, a table without its headings. Sources of parted targets."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import openpyxl
from openpyxl.worksheet.worksheet import Worksheet

from kpixl.collection.consolidate import consolidate
from kpixl.collection.model import Collection
from kpixl.keys import Key
from kpixl.problems import Severity
from kpixl.recognise.quoted import MAX_CELLS
from tests.laws.edits import sent, template
from tests.strategies import form_of

FORM = "shanghai-target"


def returned(folder: Path, change: Callable[[Worksheet], None]) -> Collection:
    """Change the first project's sheet of a filled template and read it."""
    book = openpyxl.load_workbook(io.BytesIO(template(FORM, "filled")))
    change(book.worksheets[1])
    path = folder / "returned.xlsx"
    book.save(path)
    return consolidate([path], [form_of(FORM)], workers=0)


def test_sheet_of_a_project_without_a_form_is_reported(tmp_path: Path) -> None:
    result = returned(tmp_path, lambda sheet: sheet.delete_cols(2, 3))
    assert [project.id for project in result.portfolio.projects] == ["02"]
    problem = next(p for p in result.problems if p.code == "sheet-unread")
    assert (problem.severity, problem.project, problem.location.sheet) == (Severity.ERROR, "01", "01 记号0300号")
    message = problem.message("zh")
    assert "缺少的标签：项目性质" in message
    assert "C13“1023589”" in message  # the first target


def test_only_sheet_without_a_form_is_reported(tmp_path: Path) -> None:
    def change(sheet: Worksheet) -> None:
        sheet.delete_cols(2, 3)
        assert sheet.parent is not None
        sheet.parent.remove(sheet.parent.worksheets[2])

    result = returned(tmp_path, change)
    assert [p.code for p in result.problems] == ["sheet-unread"]


def test_table_without_a_heading_is_quoted(tmp_path: Path) -> None:
    def change(sheet: Worksheet) -> None:
        sheet["E12"], sheet["F12"], sheet["G12"] = "甲", "乙", "丙"

    result = returned(tmp_path, change)
    problem = next(p for p in result.problems if p.code == "heading-missing")
    for row in sent(FORM, "filled").projects[0].tables["indicators"]:
        assert f"“{row['value']}”" in problem.message("zh")


def test_cells_beyond_those_quoted_are_reported_themselves(tmp_path: Path) -> None:
    def change(sheet: Worksheet) -> None:
        sheet["E12"], sheet["F12"], sheet["G12"] = "甲", "乙", "丙"
        for row in range(17, 17 + MAX_CELLS):
            sheet.insert_rows(row)
            sheet.cell(row, 4).value = f"指标{row}"
            sheet.cell(row, 6).value = 7_000 + row

    result = returned(tmp_path, change)
    said = "".join(p.message("zh") for p in result.problems)
    assert [n for n in range(7_017, 7_017 + MAX_CELLS) if f"{n}" not in said] == []
    assert any(p.code == "stray-value" for p in result.problems)


def test_unit_typed_with_its_value_has_the_cell_of_the_value(tmp_path: Path) -> None:
    def change(sheet: Worksheet) -> None:
        sheet["F13"], sheet["E13"], sheet["G13"] = "≥11984人", None, None

    result = returned(tmp_path, change)
    row = result.portfolio.projects[0].tables["indicators"][0]
    assert (row["operator"], row["unit"]) == ("≥", "人")
    source = result.sources["01"]
    assert [source.address(Key("indicators", 0, part)) for part in ("operator", "value", "unit")] == ["F13"] * 3


def test_unit_of_a_number_format_has_the_cell_of_the_value(tmp_path: Path) -> None:
    def change(sheet: Worksheet) -> None:
        sheet["F13"], sheet["G13"] = 0.95, None
        sheet["F13"].number_format = "0%"

    result = returned(tmp_path, change)
    assert result.portfolio.projects[0].tables["indicators"][0]["unit"] == "%"
    assert result.sources["01"].address(Key("indicators", 0, "unit")) == "F13"
