"""Sheets that lost their sheet id: the hidden sheet still says who they are, by the names they were sent out with."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest
from openpyxl.workbook import Workbook
from openpyxl.worksheet.worksheet import Worksheet

from kpixl.collection.consolidate import consolidate
from kpixl.collection.model import Collection
from kpixl.forms.definition import Form
from kpixl.portfolio.model import Portfolio
from kpixl.portfolio.sheet_id import PREFIX
from tests.applications import Office


def without_marker(sheet: Worksheet) -> None:
    cell = next(c for row in sheet.iter_rows() for c in row if isinstance(c.value, str) and c.value.startswith(PREFIX))
    cell.value = None


def without_column(sheet: Worksheet) -> None:
    sheet.delete_cols(10)


def without_first_row(sheet: Worksheet) -> None:
    for span in list(sheet.merged_cells.ranges):
        sheet.unmerge_cells(span.coord)
    sheet.delete_rows(1)


def damaged(sheet: Worksheet) -> None:
    for row in sheet.iter_rows():
        for cell in row:
            if isinstance(cell.value, str) and cell.value.startswith(PREFIX):
                cell.value = cell.value[:-5]


def returned(book: Workbook, form: Form, folder: Path, roster: Portfolio | None = None) -> Collection:
    book.save(folder / "returned.xlsx")
    return consolidate([folder / "returned.xlsx"], [form], roster=roster, workers=0)


@pytest.mark.parametrize("lose", [without_marker, without_column, without_first_row, damaged])
def test_the_hidden_sheet_says_who_it_is(
    lose: Callable[[Worksheet], None], example: tuple[Form, Portfolio], example_template: Path, tmp_path: Path
) -> None:
    form, portfolio = example
    book = openpyxl.load_workbook(example_template)
    sheet = book.worksheets[3]
    lose(sheet)
    sheet["B3" if lose is not without_first_row else "B2"].value = "另起的名称"  # so that only the sheet's name is left
    result = returned(book, form, tmp_path, portfolio)
    assert [p.id for p in result.portfolio.projects] == [p.id for p in portfolio.projects]
    found = result.portfolio.projects[2]
    assert (found.id, found.values["name"]) == ("03", "另起的名称")
    assert found.tables == portfolio.projects[2].tables
    said = {p.code: p for p in result.problems}
    assert said["sheet-id-from-hidden-sheet"].location.sheet == sheet.title
    assert "name-changed" in said


def test_a_marker_that_stands_in_another_sheet_is_not_given_away(
    example: tuple[Form, Portfolio], example_template: Path, tmp_path: Path
) -> None:
    """Two sheets swapped names, and one of them lost its sheet id."""
    form, portfolio = example
    book = openpyxl.load_workbook(example_template)
    first, second = book.worksheets[1:3]
    names = first.title, second.title
    first.title, second.title = "甲", "乙"
    second.title, first.title = names
    without_marker(second)
    result = returned(book, form, tmp_path, portfolio)
    assert "sheet-id-from-hidden-sheet" not in {p.code for p in result.problems}
    assert [p.values["name"] for p in result.portfolio.projects] == [p.values["name"] for p in portfolio.projects]
    assert "matched-by-name" in {p.code for p in result.problems}


def test_a_renamed_sheet_without_marker_is_known_by_name_and_unit(
    example: tuple[Form, Portfolio], example_template: Path, tmp_path: Path
) -> None:
    form, portfolio = example
    book = openpyxl.load_workbook(example_template)
    without_marker(book.worksheets[1])
    book.worksheets[1].title = "改名"
    result = returned(book, form, tmp_path, portfolio)
    assert result.portfolio.projects[0].values["name"] == portfolio.projects[0].values["name"]
    assert [p.code for p in result.problems] == ["matched-by-name"]


@pytest.mark.parametrize("kind", ["xls", "ods"])
def test_the_hidden_sheet_survives_other_kinds_of_file(
    kind: str, example: tuple[Form, Portfolio], example_template: Path, office: Office, tmp_path: Path
) -> None:
    form, portfolio = example
    book = openpyxl.load_workbook(example_template)
    for sheet in book.worksheets[1:14]:
        without_column(sheet)
    book.save(tmp_path / "returned.xlsx")
    path = office.convert(tmp_path / "returned.xlsx", tmp_path / "out", kind)
    result = consolidate([path], [form], workers=0)
    assert [p.id for p in result.portfolio.projects] == [p.id for p in portfolio.projects]
    assert {p.code for p in result.problems} == {"sheet-id-from-hidden-sheet"}
