"""The published table of several projects, cell by cell as DOMAIN section 6 has it; and definitions of one."""

from __future__ import annotations

import io
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import yaml

from kpixl.forms.definition import Form
from kpixl.forms.load import load_form, own_templates, parse_form
from kpixl.output.paper import paper_room, points_wide
from kpixl.output.publish import ENDINGS, publication, render
from kpixl.output.summary import build_summary
from kpixl.portfolio import canonical
from kpixl.portfolio.model import Portfolio
from kpixl.problems import KpixlError
from tests.conftest import ROOT

HEADINGS = ["单位名称", "项目名称", "预算数", "年度目标", "一级指标", "二级指标", "三级指标", "指标性质", "指标值"]
HEADINGS += ["度量单位", "权重", "指标方向性"]
PARTS = ("name", "nature", "value", "unit", "weight", "direction")
LETTERS = "ABCDEFGHIJKL"


@pytest.fixture(scope="module")
def example() -> tuple[Form, Portfolio]:
    return canonical.load(ROOT / "examples/sichuan-target-2026/2026.yaml", load_form)


@pytest.fixture(scope="module")
def sheet(example: tuple[Form, Portfolio]) -> Any:
    content, _ = build_summary(*example)
    book = openpyxl.load_workbook(io.BytesIO(content))
    return next(s for s in book.worksheets if s["A1"].value == example[0].title)


def test_title_unit_headings_and_the_department_first(sheet: Any) -> None:
    merged = {str(m) for m in sheet.merged_cells.ranges}
    assert sheet["A1"].value == "部门预算项目绩效目标申报表" and "A1:L1" in merged
    assert [c.value for c in sheet[2] if c.value] == ["(2026 年度)", "金额单位：元"]
    assert [c.value for c in sheet[3]] == HEADINGS
    assert [c.value for c in sheet[4]] == ["示范县文化和旅游局", None, 1801000, *[None] * 9]
    assert sheet["C4"].number_format == "#,##0.00"


def test_every_project_is_merged_over_its_rows(sheet: Any, example: tuple[Form, Portfolio]) -> None:
    _, portfolio = example
    merged = {str(m) for m in sheet.merged_cells.ranges}
    row = 5
    for project in portfolio.projects:
        rows = project.tables["indicators"]
        for letter, key in zip("ABCD", ("unit", "name", "amount", "goal"), strict=True):
            value = project.values[key]
            assert sheet[f"{letter}{row}"].value == (int(value) if isinstance(value, Decimal) else value)
            assert f"{letter}{row}:{letter}{row + len(rows) - 1}" in merged
        for number, content in enumerate(rows, row):
            for letter, key in zip(LETTERS[6:], PARTS, strict=True):
                value = content[key]
                assert sheet[f"{letter}{number}"].value == (int(value) if isinstance(value, Decimal) else value)
        row += len(rows)
    assert sheet.max_row == row - 1
    assert sheet.page_setup.orientation == "landscape"
    assert sheet.print_title_rows == "$1:$3"


def test_no_project_is_cut_by_the_end_of_a_page(sheet: Any, example: tuple[Form, Portfolio]) -> None:
    form, portfolio = example
    room, high = paper_room(form.paper, form.margins, landscape=True)
    high /= min(1, room / points_wide(sheet.column_dimensions[letter].width for letter in LETTERS))
    begins, row = {}, 5
    for project in portfolio.projects:
        begins[row] = project.id
        row += len(project.tables["indicators"])
    breaks = [one.id + 1 for one in sheet.row_breaks.brk]
    assert breaks and set(breaks) <= set(begins)
    head = sum(sheet.row_dimensions[number].height for number in (1, 2, 3))
    for first, last in pairwise([4, *breaks, row]):
        assert head + sum(sheet.row_dimensions[number].height for number in range(first, last)) <= high + 20


@pytest.mark.parametrize("ending", [".html", ".docx", ".md"])
def test_every_format_has_every_project(ending: str, example: tuple[Form, Portfolio]) -> None:
    assert ending in ENDINGS
    content = render(publication(*example), Path(f"p{ending}"))
    assert content == render(publication(*example), Path(f"p{ending}"))
    if ending != ".docx":
        text = content.decode()
        assert "1,801,000.00" in text and "金额单位：元" in text
        assert all(str(project.values["goal"]) in text for project in example[1].projects)


# --- definitions ------------------------------------------------------------------------------

WRONG: dict[str, tuple[object, str]] = {
    "not a mapping": ([1], "flat"),
    "no columns": ({}, "columns"),
    "a field missing": ("goal", "goal"),
    "a column twice": ("again", "once"),
    "an unknown column": ("unknown", "columns[0]"),
    "a total that is no amount": ("total", "no amount"),
    "another unit": ("unit", "万元"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_definition_is_refused(name: str) -> None:
    change, told = WRONG[name]
    data = yaml.safe_load((own_templates() / "sichuan-target/form.yaml").read_text(encoding="utf-8"))
    flat = data["flat"]
    if not isinstance(change, str):
        data["flat"] = change
    elif change == "goal":
        flat["columns"] = [c for c in flat["columns"] if c.get("field") != "goal"]
    elif change == "again":
        flat["columns"].append(flat["columns"][0])
    elif change == "unknown":
        flat["columns"][0] = {"field": "unknown", "width": 3}
    elif change == "total":
        flat["total"] = {"name": "unit", "amount": "goal"}
    else:
        flat["unit-line"] = "金额单位：万元"
    with pytest.raises(KpixlError) as caught:
        parse_form(data)
    assert caught.value.problems[0].code == "form-invalid"
    assert told in caught.value.problems[0].message("en")
