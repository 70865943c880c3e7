"""The summary workbook: what stands where, right totals, equal bytes, links that lead somewhere."""

from __future__ import annotations

import dataclasses
import io
import re
import zipfile
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from kpixl.forms.definition import Form, Value
from kpixl.forms.load import load_form
from kpixl.output.summary import build_summary
from kpixl.output.summary.changes import CellChange, Changes, compare
from kpixl.output.summary.marks import FORMULA, SHEET, plain, read_memory, spelled_row
from kpixl.portfolio import canonical
from kpixl.portfolio.model import Portfolio, Project
from kpixl.readers import Grid, read_grids
from tests.applications import Office, assert_valid

FORM = load_form("shanghai-target")
LONG_GOAL = ("稳步提高院士专家工作站的运行质量，发挥引智聚智功能，引导人才向战略性新兴产业集聚。" * 14)[:518]

PROJECT = """\
- id: "{id}"
  name: {name}
  nature: 其他一次性项目
  category: {category}
  department: 上海市科学技术协会
  unit: 上海市科学技术协会
  start: "2026-01-01"
  end: "2026-12-31"
  funding:
    total: {{amount: null, fiscal: null, other: null}}
    annual: {{amount: {amount}, appropriation: {amount}, carryover: 0, other: 0}}
  goal: {{overall: null, annual: {goal}}}
  indicators:
  - {{level1: 产出指标, level2: 数量指标, name: 专家参与人数, operator: ≥, value: 100, unit: 人}}
  - {{level1: 产出指标, level2: 数量指标, name: 活动场次, operator: ≥, value: 8, unit: 场}}
  - {{level1: 产出指标, level2: 质量指标, name: 达标率, operator: "=", value: 100, unit: "%"}}
  - {{level1: 效益指标, level2: 质量指标, name: 氛围, operator: 定性, value: 有提升, unit: null}}
"""


def portfolio(count: int = 5) -> Portfolio:
    """Make projects in two categories that alternate, one with a goal of 518 characters."""
    text = "kpixl: 1\nform: shanghai-target\nyear: 2026\norganization: 上海市科学技术协会\nprojects:\n" + "".join(
        PROJECT.format(
            id=f"{n:02d}",
            name=f"项目{n}",
            category="其他运转类" if n % 2 else "特定目标类",
            amount=1000.25 * n,
            goal=LONG_GOAL if n == 2 else "完成全年任务。",
        )
        for n in range(1, count + 1)
    )
    return canonical.loads(text, load_form)[1]


def build(content: Portfolio, **options: Any) -> bytes:
    """Build the summary, which must have nothing to say."""
    built, problems = build_summary(FORM, content, **options)
    assert not problems
    return built


def opened(content: bytes) -> Any:
    """Open a workbook with openpyxl."""
    return openpyxl.load_workbook(io.BytesIO(content))


def grids_of(content: bytes) -> dict[str, Grid]:
    """Read the sheets by name."""
    return {grid.name or "": grid for grid in read_grids(content, "x.xlsx").grids}


def without_cached_values(content: bytes) -> bytes:
    """Take the results out of all formulas, so that whoever opens the workbook must calculate."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as source, zipfile.ZipFile(out, "w") as target:
        for name in source.namelist():
            part = source.read(name)
            if name.startswith("xl/worksheets/sheet"):
                part = re.sub(rb"</f><v>[^<]*</v>", b"</f>", part)
            target.writestr(name, part)
    return out.getvalue()


def with_value(content: Portfolio, number: int, key: str, value: Value) -> Portfolio:
    """Change one value of one project."""
    projects = list(content.projects)
    projects[number] = dataclasses.replace(projects[number], values={**projects[number].values, key: value})
    return dataclasses.replace(content, projects=tuple(projects))


# --- the first sheet --------------------------------------------------------------------------


def test_table_holds_every_project_grouped_with_totals_below() -> None:
    rows = grids_of(build(portfolio()))["汇总表"].rows
    assert rows[0][0] == "上海市科学技术协会 2026 年度项目绩效目标汇总表"
    assert str(rows[1][0]).startswith("编报绩效目标的项目5个，涉及项目预算资金1.50万元。")
    head = [str(cell) for cell in rows[2]]
    assert head[:5] == ["项目编号", "项目名称", "年度资金申请总额", "实施单位", "项目类别"]
    assert sorted(head[1:-2]) == sorted(field.heading for field in FORM.fields.values()) and head[-2] == "绩效指标数"
    assert [row[0] for row in rows[3:8]] == ["02", "04", "01", "03", "05"]
    amount, category, count = (head.index(h) for h in ("年度资金申请总额", "项目类别", "绩效指标数"))
    assert rows[3][head.index("计划开始日期")] == date(2026, 1, 1)
    totals = [(row[0], row[category], row[amount], row[count]) for row in rows[9:]]
    assert totals == [
        ("小计", "特定目标类", 6001.5, 8.0),
        ("小计", "其他运转类", 9002.25, 12.0),
        ("合计", "", 15003.75, 20.0),
    ]
    assert rows[9][1] == "2 个项目"


def test_totals_are_formulas_outside_the_filter() -> None:
    sheet = opened(build(portfolio()))["汇总表"]
    amount = next(cell.column_letter for cell in sheet[3] if cell.value == "年度资金申请总额")
    assert sheet.auto_filter.ref.startswith("A3:") and sheet.auto_filter.ref.endswith("8")
    assert sheet[f"{amount}10"].value.startswith("=SUMPRODUCT(")
    assert sheet[f"{amount}12"].value == f"=SUBTOTAL(109,{amount}$4:{amount}$8)"
    assert sheet[f"{amount}4"].number_format == "#,##0.00"
    assert sheet.freeze_panes == "D4" and sheet.print_title_rows == "$3:$3"
    assert sheet.page_setup.orientation == "landscape" and sheet.page_setup.fitToHeight == 0


def test_columns_that_are_blank_everywhere_are_folded_not_dropped() -> None:
    sheet = opened(build(portfolio()))["汇总表"]
    hidden = [cell.value for cell in sheet[3] if sheet.column_dimensions[cell.column_letter].hidden]
    assert "项目总目标" in {cell.value for cell in sheet[3]} and "项目资金总额" in hidden
    assert "年度资金申请总额" not in hidden


def test_text_in_an_amount_stays_text_tinted_and_outside_the_sum() -> None:
    content = with_value(portfolio(), 0, "funding.annual.amount", "约六万")
    sheet = opened(build(content))["汇总表"]
    cell = next(cell for row in sheet.iter_rows(min_row=4) for cell in row if cell.value == "约六万")
    assert cell.fill.fgColor.rgb == "FFFFE699" and cell.row == 6
    grand = grids_of(build(content))["汇总表"].rows[11][cell.column - 1]
    assert grand == 14003.5


@pytest.mark.parametrize("change", [None, "约六万"])
def test_totals_as_libreoffice_recalculates_them(office: Office, tmp_path: Path, change: str | None) -> None:
    content = portfolio(9)
    if change:
        content = with_value(content, 0, "funding.annual.amount", change)
        content = with_value(content, 3, "category", None)
    built = build(content)
    source = tmp_path / "summary.xlsx"
    source.write_bytes(without_cached_values(built))
    saved = office.convert(source, tmp_path / "out").read_bytes()
    for name in ("汇总表", "概览"):
        ours, theirs = grids_of(built)[name], grids_of(saved)[name]
        width = len(ours.rows[0])
        assert [_rounded(row) for row in ours.rows] == [_rounded(row)[:width] for row in theirs.rows[: len(ours.rows)]]


def _rounded(row: list[Any]) -> list[Any]:
    return [round(v, 6) if isinstance(v, float) else v for v in row]


def test_links_lead_to_the_form_of_their_project() -> None:
    book = opened(build(portfolio()))
    table, forms = book["汇总表"], book["申报表"]
    for row in range(4, 9):
        cell = table.cell(row, 1)
        name, _, place = cell.hyperlink.location.rpartition("!")
        assert name == "'申报表'"
        start = forms[place].row
        assert forms.cell(start, 1).value == FORM.title
        assert forms.cell(start + 2, 2).value == table.cell(row, 2).value


def test_sources_are_a_last_column() -> None:
    content = portfolio(2)
    rows = grids_of(build(content, sources={"01": "甲.xlsx › 01"}))["汇总表"].rows
    assert rows[2][-2] == "来源" and [row[-2] for row in rows[3:5]] == ["", "甲.xlsx › 01"]


# --- the other sheets -------------------------------------------------------------------------


def test_indicators_are_numbers_where_they_are() -> None:
    sheet = opened(build(portfolio(2)))["指标明细"]
    assert [cell.value for cell in sheet[2]] == [
        "01", "项目1", "上海市科学技术协会", "产出指标", "数量指标", "专家参与人数", "≥", 100, "人",
    ]  # fmt: skip
    assert sheet["H5"].value == "有提升"
    assert sheet.auto_filter.ref == "A1:I9" and sheet.freeze_panes == "C2"


def test_forms_have_the_merges_of_the_official_form() -> None:
    sheet = opened(build(portfolio(2)))["申报表"]
    merges = {str(span) for span in sheet.merged_cells.ranges}
    assert {"A1:G1", "A2:G2", "B3:C3", "E4:G4", "A6:A9", "D6:E6", "A10:A11", "B11:D11", "E11:G11", "F12:G12"} <= merges
    # Level 1 over its three rows, level 2 over its two; 质量指标 of the next level 1 is not joined.
    assert {"A13:A16", "B13:B15", "C13:C14"} <= merges and "C15:C16" not in merges
    assert sheet["F13"].value == "≥100.00(人)" and sheet["F16"].value == "有提升"
    assert [b.id for b in sheet.row_breaks.brk] == [16]
    assert sheet.sheet_properties.pageSetUpPr.fitToPage and sheet.page_setup.fitToHeight == 0
    assert sheet.print_options.horizontalCentered and sheet.page_setup.orientation == "portrait"
    assert sheet["F6"].value == 1000.25 and sheet["F6"].number_format == "#,##0.00"


def test_the_row_of_a_long_goal_is_high_enough() -> None:
    content = portfolio(2)
    sheet = opened(build(content))["申报表"]
    goals = {cell.row: len(str(cell.value)) for cell in sheet["E"] if cell.value == LONG_GOAL}
    (row,) = goals
    # 53 units of width take 27 characters of 10 points; a line is 13 points high.
    assert 518 / 27 * 13 < sheet.row_dimensions[row].height <= 409


def test_a_project_without_indicators_prints_one_empty_row() -> None:
    content = portfolio(1)
    bare = dataclasses.replace(content.projects[0], tables={"indicators": ()})
    sheet = opened(build(dataclasses.replace(content, projects=(bare,))))["申报表"]
    assert sheet.max_row == 13 and sheet["A13"].value == "绩效指标" and sheet["B13"].border.left.style == "thin"


# --- the whole --------------------------------------------------------------------------------


def test_the_forms_are_left_out_of_a_large_portfolio(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kpixl.output.summary.MOST_FORMS", 4)
    assert "申报表" in opened(build(portfolio(4))).sheetnames
    content = portfolio(5)
    built, problems = build_summary(FORM, content)
    assert [p.code for p in problems] == ["forms-left-out"]
    assert opened(built).sheetnames == ["概览", "汇总表", "指标明细", SHEET]
    assert "申报表" in opened(build(content, forms=True)).sheetnames
    assert "申报表" not in opened(build(portfolio(1), forms=False)).sheetnames


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_equal_input_gives_equal_bytes(lang: str) -> None:
    assert build(portfolio(), lang=lang) == build(portfolio(), lang=lang)


@pytest.mark.application
def test_no_projects_make_a_workbook_too(ooxml: Callable[[bytes], None]) -> None:
    built = build(Portfolio(FORM.id, None, None, ()))
    assert opened(built)["汇总表"].max_row == 3
    ooxml(built)


@pytest.mark.application
def test_hostile_values_stay_what_they_are(ooxml: Callable[[bytes], None]) -> None:
    content = portfolio(2)
    for key, value in (
        ("name", "<r>坏</r>"), ("nature", "=1+1"), ("category", '"*?>5'), ("unit", "http://a.b/\x0b#"),
        ("start", "明年"), ("funding.annual.amount", Decimal("12345678901234567890.12")),
    ):  # fmt: skip
        content = with_value(content, 0, key, value)
    built = build(content)
    rows = grids_of(built)["汇总表"].rows
    (row,) = [row for row in rows if row[0] == "01"]
    typed = ["<r>坏</r>", "12345678901234567890.12", "http://a.b/\x0b#", '"*?>5', "=1+1"]
    assert row[1:6] == typed and row[7] == "明年"
    ooxml(built)


@pytest.mark.application
def test_the_workbook_is_valid(ooxml: Callable[[bytes], None]) -> None:
    ooxml(build(portfolio(), sources={"01": "甲.xlsx"}))


@pytest.fixture
def ooxml(tmp_path: Path) -> Callable[[bytes], None]:
    """Return a check that the Open XML SDK takes a workbook."""

    def check(content: bytes) -> None:
        path = tmp_path / "checked.xlsx"
        path.write_bytes(content)
        assert_valid([path])

    return check


# --- fingerprints -----------------------------------------------------------------------------


def test_the_hidden_sheet_remembers_what_was_written() -> None:
    built = build(portfolio())
    memory = read_memory([str(row[0]) for row in grids_of(built)[SHEET].rows])
    assert memory is not None and memory.lang == "zh"
    assert {own.name for own in memory.sheets.values()} == {"概览", "汇总表", "指标明细", "申报表"}
    assert opened(built)[SHEET].sheet_state == "veryHidden"
    rows = memory.sheets["summary"].rows
    assert rows is not None and rows[3][:2] == ("02", "项目2") and rows[3][-1] == FORMULA
    assert plain(rows[3][7]) == "46023"  # 2026-01-01


@pytest.mark.parametrize(
    "cells", [[], [""], ["{}"], ['{"kind": "summary"}'], ['{"kpixl":2,"kind":"summary"}', "x"], ["["]]
)
def test_a_damaged_hidden_sheet_is_none_of_ours(cells: list[str]) -> None:
    assert read_memory(cells) is None


def test_spelled_values_survive_what_saving_does_to_them() -> None:
    written = spelled_row(["a", Decimal("0.1"), date(2026, 1, 1), None, ""])
    assert tuple(map(plain, written)) == spelled_row(["a", 0.1, 46023.0])
    assert spelled_row(["1", None]) != spelled_row([None, "1"])
    assert spelled_row([]) == spelled_row([None, ""]) == ()
    assert spelled_row(["a_x000D_\rb"]) == spelled_row(["a\rb"]) == ("ab",)
    assert spelled_row([date(2026, 1, 1)], 1462) != spelled_row([date(2026, 1, 1)])


def _rows(text: str) -> list[tuple[str, ...]]:
    """Spell a sheet: rows are parted by blanks, cells by commas; - is a blank row."""
    return [() if row == "-" else tuple(row.split(",")) for row in text.split()]


@pytest.mark.parametrize(
    ("old", "new", "changes"),
    [
        ("1,a 2,b", "1,a 2,b", Changes()),
        ("1,a 2,b", "1,a 2,c", Changes((CellChange(1, 1, "b", "c"),))),
        ("1,a 2,b", "1,a 2,b - 9", Changes((CellChange(3, 0, "", "9"),))),
        ("1,a 2,b", "1,a", Changes(deleted=(1,))),
        ("1,a 2,b 3,c", "2,b 1,a 3,c", Changes(reordered=True)),
        ("1,a 2,b 3,c", "1,a - 2,b 3,c", Changes(moved=1)),
        ("1,a 2,b 3,c", "1,a 9,z 2,b 3,d", Changes((CellChange(1, 0, "", "9"), CellChange(1, 1, "", "z"),
                                                   CellChange(3, 1, "c", "d")), moved=1)),
        ("1,a 1,b", "1,a 1,a", Changes((CellChange(1, 1, "b", "a"),))),
        ("1,a", "7,a", Changes((CellChange(0, 0, "1", "7"),))),
    ],
)  # fmt: skip
def test_changes_are_listed_by_cell(old: str, new: str, changes: Changes) -> None:
    assert compare(_rows(old), _rows(new)) == changes


def test_another_form_needs_no_change_of_python(form: Form) -> None:
    values: dict[str, Value] = dict.fromkeys(form.fields)
    content = Portfolio(form.id, 2027, "x", (Project("a", values, dict.fromkeys(form.tables, ())),))
    built, problems = build_summary(form, content)
    assert not problems and len(opened(built).sheetnames) >= 4


FORMS = Path(__file__).parents[1] / "cases" / "forms"


@pytest.fixture(params=sorted(p.parent.name for p in FORMS.glob("*/form.yaml")))
def form(request: pytest.FixtureRequest) -> Form:
    """Return each made-up form of the tests."""
    return load_form(request.param, [FORMS])
