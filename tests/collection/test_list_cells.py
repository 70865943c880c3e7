"""What the cells of a project list show, and lists that are not read: nothing of a roster's source is lost unseen."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest
from openpyxl.workbook import Workbook
from openpyxl.worksheet.worksheet import Worksheet

from kpixl.collection.roster import plan_roster
from tests.strategies import form_of

HEADINGS = ["项目代码", "项目名称", "实施单位", "金额（元）"]


def planned(draw: Callable[[Workbook, Worksheet], None], folder: Path) -> tuple[list[dict[str, str]], list[str]]:
    """Draw a workbook with a list of one project, and read it: values as texts, problems with their places."""
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    sheet.title = "清单"
    sheet.append(HEADINGS)
    sheet.append(["A1", "甲", "一所", 60])
    draw(book, sheet)
    book.save(folder / "list.xlsx")
    found = plan_roster(form_of("shanghai-target"), folder / "list.xlsx", year=2026)
    assert found.roster is not None
    values = [{"id": p.id} | {k: str(v) for k, v in p.values.items() if v is not None} for p in found.roster.projects]
    places = [f"{p.code} {p.location.sheet} {p.location.cell or ''}".rstrip() for p in found.problems]
    assert all(problem.text("zh") and problem.text("en") for problem in found.problems)
    return values, [place for place in places if not place.startswith("label-near")]


def test_an_amount_counts_what_its_format_shows(tmp_path: Path) -> None:
    def draw(_: Workbook, sheet: Worksheet) -> None:
        sheet["D2"].number_format = '0"万元"'

    values, problems = planned(draw, tmp_path)
    assert values[0]["funding.annual.amount"] == "600000"
    assert problems == ["value-normalised 清单 D2"]


def test_a_format_that_adds_no_meaning_changes_nothing(tmp_path: Path) -> None:
    def draw(_: Workbook, sheet: Worksheet) -> None:
        sheet["D2"].number_format = '#,##0.00"元"'

    values, problems = planned(draw, tmp_path)
    assert (values[0]["funding.annual.amount"], problems) == ("60", [])


@pytest.mark.parametrize(("value", "kind", "code"), [("=5*2", "f", "formula-uncached"), ("#N/A", "e", "cell-error")])
def test_a_cell_that_reads_blank_and_is_not_is_named(value: str, kind: str, code: str, tmp_path: Path) -> None:
    def draw(_: Workbook, sheet: Worksheet) -> None:
        sheet["D2"] = value
        sheet["D2"].data_type = kind

    values, problems = planned(draw, tmp_path)
    assert "funding.annual.amount" not in values[0]
    assert problems == [f"{code} 清单 D2"]


def test_projects_of_lists_that_are_not_read_are_named(tmp_path: Path) -> None:
    def draw(book: Workbook, _: Worksheet) -> None:
        hidden, other, same = (book.create_sheet(name) for name in ("隐藏", "旧表", "简表"))
        hidden.sheet_state = "hidden"
        for sheet, headings, row in (
            (hidden, HEADINGS, ["B1", "乙", "一所", 5]),
            (other, HEADINGS[1:3], ["丙", "一所"]),
            (same, HEADINGS[1:2], ["甲"]),
        ):
            sheet.append(headings)
            sheet.append(row)

    values, problems = planned(draw, tmp_path)
    assert [value["name"] for value in values] == ["甲"]
    assert problems == ["list-skipped 旧表", "sheet-skipped 简表", "list-skipped 隐藏"]


def test_a_long_code_that_was_typed_as_a_number_has_lost_digits(tmp_path: Path) -> None:
    def draw(_: Workbook, sheet: Worksheet) -> None:
        sheet["A2"] = 310000246000010019012
        sheet.append(["310000246000010019013", "乙", "一所", 5])

    values, problems = planned(draw, tmp_path)
    assert values[1]["id"] == "310000246000010019013"
    assert problems == ["digits-lost 清单 A2"]
