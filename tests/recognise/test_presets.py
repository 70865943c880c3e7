"""Preset rows that nobody went on with are no indicators, whatever kind of file they come back in."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import openpyxl
import pytest

from kpixl.collection.consolidate import consolidate
from kpixl.forms.definition import Form, Value
from kpixl.output.template import build_template
from kpixl.portfolio.model import Portfolio
from kpixl.portfolio.own_texts import is_furniture
from kpixl.portfolio.sheet_id import OWN_SHEET
from kpixl.readers import read_grids
from tests.applications import Office

FILLED: dict[int, tuple[str | int | None, ...]] = {
    13: ("活动", "≥", 12, "次"),
    15: ("准时", "定性", "按时完成", None),
}  # two of the six rows
EXPECTED = [
    ("成本指标", "经济成本指标", "活动", "≥", 12, "次"),
    ("产出指标", "质量指标", "准时", "定性", "按时完成", None),
]


@pytest.fixture
def begun(example: tuple[Form, Portfolio], tmp_path: Path) -> Path:
    """Return a template of a project in which somebody went on with two of the preset rows."""
    form, portfolio = example
    project = replace(portfolio.projects[0], tables=dict.fromkeys(form.tables, ()))
    path = tmp_path / "template.xlsx"
    path.write_bytes(build_template(form, replace(portfolio, projects=(project,))))
    book = openpyxl.load_workbook(path)
    sheet = book[book.sheetnames[1]]
    for row, typed in FILLED.items():
        assert sheet.cell(row, 3).value == ("经济成本指标" if row == 13 else "质量指标")
        for column, value in enumerate(typed, 4):
            sheet.cell(row, column).value = value
    book.save(path)
    return path


def read(form: Form, path: Path) -> list[tuple[Value, ...]]:
    (project,) = consolidate([path], [form], workers=0).portfolio.projects
    return [tuple(row.values()) for row in project.tables["indicators"]]


def copied(path: Path, kind: str, office: Office) -> Path:
    """Make a copy of a template in another kind of file."""
    folder = path.parent / "copy"
    if kind == "csv":
        folder.mkdir()
        rows = read_grids(path.read_bytes(), path.name).grids[1].rows
        with (folder / "copy.csv").open("w", encoding="utf-8-sig", newline="") as stream:
            csv.writer(stream).writerows([raw for raw in row if not is_furniture(raw)] for row in rows)
        return folder / "copy.csv"
    if kind == "docx":
        page = office.convert(path, folder, "html")
        return office.convert(page, folder, "docx:MS Word 2007 XML", "HTML (StarWriter)")
    return path if kind == "xlsx" else office.convert(path, folder, kind)


@pytest.mark.parametrize("kind", ["xlsx", "ods", "xls", "html", "pdf", "docx", "csv"])
def test_rows_that_nobody_went_on_with_are_no_indicators(
    kind: str, example: tuple[Form, Portfolio], begun: Path, office: Office
) -> None:
    assert read(example[0], copied(begun, kind, office)) == EXPECTED


def test_a_sheet_that_lost_its_marker_has_no_more_indicators(example: tuple[Form, Portfolio], begun: Path) -> None:
    book = openpyxl.load_workbook(begun)
    del book[OWN_SHEET]
    for row in book[book.sheetnames[1]].iter_rows():
        for cell in row:
            if isinstance(cell.value, str) and is_furniture(cell.value):
                cell.value = None
    book.save(begun)
    assert read(example[0], begun) == EXPECTED


@pytest.mark.parametrize("kind", ["xlsx", "docx"])
def test_levels_that_are_no_preset_are_an_indicator(
    kind: str, example: tuple[Form, Portfolio], begun: Path, office: Office
) -> None:
    book = openpyxl.load_workbook(begun)
    book[book.sheetnames[1]]["C17"] = "生态效益指标"
    book.save(begun)
    typed = ("效益指标", "生态效益指标", None, None, None, None)
    assert read(example[0], copied(begun, kind, office)) == [*EXPECTED, typed]


def test_rows_of_a_project_that_are_like_presets_come_back(example: tuple[Form, Portfolio], tmp_path: Path) -> None:
    form, portfolio = example
    rows = form.tables["indicators"].presets[:2]
    project = replace(portfolio.projects[0], tables={"indicators": rows})
    path = tmp_path / "template.xlsx"
    path.write_bytes(build_template(form, replace(portfolio, projects=(project,))))
    assert read(form, path) == [tuple(row.values()) for row in rows]
