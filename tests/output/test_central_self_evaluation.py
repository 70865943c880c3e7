"""The central self-evaluation form as DOMAIN section 6 describes it, cell by cell, in print and in the template."""

from __future__ import annotations

import io
import shutil
from pathlib import Path

import openpyxl
import pytest
from openpyxl.cell.cell import MergedCell

from kpixl.a1 import Span, span_text
from kpixl.cli.main import run
from kpixl.collection.consolidate import consolidate
from kpixl.forms.load import load_form, load_forms
from kpixl.output.publish.html import render_page
from kpixl.output.summary import build_summary
from kpixl.output.template import build_template
from kpixl.portfolio import canonical
from kpixl.portfolio.print_layout import printed_form, printed_text

EXAMPLES = Path(__file__).parents[2] / "examples"
EXAMPLE = EXAMPLES / "central-self-evaluation-2026"
TARGETS = EXAMPLES / "central-target-2026" / "2026.yaml"
PUBLISHED = {
    "A1:K1": "项目支出绩效自评表",
    "A2:K2": "（2026年度）",
    "A3:B3": "项目名称", "C3:K3": "政务数据平台升级",
    "A4:B4": "主管部门", "C4:F4": "[105]某部", "G4:H4": "实施单位", "I4:K4": "某部信息中心",
    "A5:B9": "项目资金（万元）", "C5:D5": "",
    "E5": "年初预算数", "F5": "全年预算数", "G5": "全年执行数", "H5": "分值", "I5:J5": "执行率", "K5": "得分",
    "C6:D6": "年度资金总额",
    "E6": "800.00", "F6": "800.00", "G6": "752.00", "H6": "10", "I6:J6": "94%", "K6": "9.4",
    "C7:D7": "其中：当年财政拨款",
    "E7": "800.00", "F7": "800.00", "G7": "752.00", "H7": "—", "I7:J7": "—", "K7": "—",
    "C8:D8": "上年结转资金", "E8": "0.00", "F8": "0.00", "G8": "0.00", "H8": "—", "I8:J8": "—", "K8": "—",
    "C9:D9": "其他资金", "E9": "0.00", "F9": "0.00", "G9": "0.00", "H9": "—", "I9:J9": "—", "K9": "—",
    "A10:A11": "年度总体目标", "B10:F10": "预期目标", "G10:K10": "实际完成情况",
    "B11:F11": "完成平台主体建设，接入 12 个业务系统，通过三级等保测评并投入试运行。",
    "G11:K11": "平台主体建成，接入 12 个业务系统，通过三级等保测评，12 月 10 日投入试运行。",
    "B12": "一级指标", "C12": "二级指标", "D12:E12": "三级指标", "F12": "年度指标值", "G12": "实际完成值",
    "H12": "分值", "I12": "得分", "J12:K12": "偏差原因分析及改进措施",
    "A13:A18": "绩效指标", "B13:B16": "产出指标", "B17": "效益指标", "B18": "满意度指标",
    "C13": "数量指标", "D13:E13": "接入业务系统", "F13": "≥12个", "G13": "12个", "H13": "15", "I13": "15",
    "J13:K13": "",
    "C14:C15": "质量指标", "D14:E14": "系统正常运行率", "F14": "≥99.5%", "G14": "99.7%", "H14": "10", "I14": "10",
    "J14:K14": "", "D15:E15": "等保测评", "F15": "通过三级测评", "G15": "通过三级测评", "H15": "10", "I15": "10",
    "J15:K15": "",
    "C16": "时效指标", "D16:E16": "试运行时间", "F16": "2026年12月中旬前", "G16": "2026年12月10日", "H16": "15",
    "I16": "15", "J16:K16": "",
    "C17": "社会效益指标", "D17:E17": "共享数据调用量", "F17": "≥60万次", "G17": "54万次", "H17": "30", "I17": "27",
    "J17:K17": "两个系统第四季度才接入。",
    "C18": "服务对象满意度指标", "D18:E18": "用户满意度", "F18": "≥88%", "G18": "91%", "H18": "10", "I18": "10",
    "J18:K18": "",
    "A19:G19": "总分", "H19": "100", "I19": "97.4", "J19:K19": "",
}  # fmt: skip
# The template has a column for each that is typed into: 三级指标 and 偏差原因 have those of D:E and J:K to themselves.
SENT = {
    "A1:I1": "项目支出绩效自评表", "A2:I2": "（2026年度）", "A3:B3": "项目名称", "C3:I3": "政务数据平台升级",
    "A4:B4": "主管部门", "C4:E4": "[105]某部", "F4:G4": "实施单位", "H4:I4": "某部信息中心",
    "A5:B9": "项目资金（万元）",
    "D5": "年初预算数", "E5": "全年预算数", "F5": "全年执行数", "G5": "分值", "H5": "执行率", "I5": "得分",
    "C6": "年度资金总额", "C7": "其中：当年财政拨款", "C8": "上年结转资金", "C9": "其他资金",
    "D7": 800, "G6": 10, "G7": "—",
    "A10:A11": "年度总体目标", "B10:E10": "预期目标", "F10:I10": "实际完成情况",
    "B11:E11": "完成平台主体建设，接入 12 个业务系统，通过三级等保测评并投入试运行。",
    "A12": "绩效指标", "B12": "一级指标", "C12": "二级指标", "D12": "三级指标", "E12": "年度指标值",
    "F12": "实际完成值", "G12": "分值", "H12": "得分", "I12": "偏差原因分析及改进措施",
    "B13": "产出指标", "C13": "数量指标", "D13": "接入业务系统", "E13": "≥12个", "F13": None, "B18": "满意度指标",
    "A27:F27": "总分",
}  # fmt: skip


def test_it_is_printed_as_published_cell_by_cell() -> None:
    form, portfolio = canonical.load(EXAMPLE / "2026.yaml", load_form)
    printed, covered = {}, []
    for row in printed_form(form, 2026, portfolio.projects[3]):
        for cell in row.cells:
            span = span_text(Span(cell.row, cell.col, cell.row + cell.rows - 1, cell.col + cell.columns - 1))
            first, last = span.split(":")
            printed[first if first == last else span] = printed_text(cell)
            covered += [(r, c) for r in range(cell.row, cell.row + cell.rows)
                        for c in range(cell.col, cell.col + cell.columns)]  # fmt: skip
    del printed["A12"]  # beside the headings of the table, where the caption begins below
    assert printed == PUBLISHED
    assert len(covered) == len(set(covered)) == 19 * 11


def test_the_template_has_a_cell_for_each_value() -> None:
    form, roster = canonical.load(EXAMPLE / "roster.yaml", load_form)
    sheet = openpyxl.load_workbook(io.BytesIO(build_template(form, roster))).worksheets[4]
    merged = {str(span).split(":")[0]: str(span) for span in sheet.merged_cells.ranges}
    found = {
        merged.get(cell.coordinate, cell.coordinate): cell.value
        for row in sheet.iter_rows(max_col=len(form.entry_layout.widths))
        for cell in row
        if not isinstance(cell, MergedCell)
    }
    assert {place: found.get(place, "no such cell") for place in SENT} == SENT
    formulas = {cell: sheet[cell].value for cell in ("E6", "H6", "I6", "G27", "H27")}
    assert formulas == {
        "E6": '=IF(COUNT(E7,E8,E9)=0,"",SUM(E7,E8,E9))',
        "H6": '=IF(COUNT(F6,E6)<2,"",IF(E6=0,"",ROUND(F6/E6*100,2)))',
        "I6": '=IF(COUNT(G6,H6)<2,"",ROUND(MIN(G6,MAX(0,G6*H6/100)),2))',
        "G27": '=IF(COUNT(G6,G13:G26)=0,"",ROUND(SUM(G6,G13:G26),2))',
        "H27": '=IF(COUNT(I6,H13:H26)=0,"",ROUND(SUM(I6,H13:H26),2))',
    }
    assert all(sheet[cell].protection.locked for cell in ("C3", "D7", "B11", "B13", "E13", *formulas))
    assert not any(sheet[cell].protection.locked for cell in ("E7", "F11", "F13", "G13", "H13", "I13"))


def test_the_example_is_what_its_commands_make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(EXAMPLE / "returned", tmp_path / "returned")
    monkeypatch.chdir(tmp_path)
    assert run(["derive", str(TARGETS), "--form", "central-self-evaluation", "-o", "roster.yaml"]) == 0
    assert run(["consolidate", "returned", "--roster", "roster.yaml", "-o", "2026.yaml"]) == 1
    for name in ("roster.yaml", "2026.yaml"):
        assert (tmp_path / name).read_text(encoding="utf-8") == (EXAMPLE / name).read_text(encoding="utf-8")


def test_a_total_that_was_added_up_wrongly_is_named_with_its_cell() -> None:
    _, roster = canonical.load(EXAMPLE / "roster.yaml", load_form)
    result = consolidate([EXAMPLE / "returned"], [*load_forms().values()], roster=roster, workers=0)
    (wrong,) = [p for p in result.problems if p.code == "computed-mismatch"]
    assert (wrong.location.file, wrong.location.address) == ("信息中心(部里的表).xlsx", "I19")
    assert (wrong.details["value"], wrong.details["computed"]) == ("97.4", "96.4")


def test_the_summary_lists_scores_and_groups_by_grade() -> None:
    form, portfolio = canonical.load(EXAMPLE / "2026.yaml", load_form)
    book = openpyxl.load_workbook(io.BytesIO(build_summary(form, portfolio)[0]))
    table = book.worksheets[1]
    heads = {cell.value: number for number, cell in enumerate(table[3])}
    shown = [
        (row[0].value, *(row[heads[name]].value for name in ("总分值", "总得分", "评定等级")))
        for row in table.iter_rows(min_row=4, max_row=7)
    ]
    scores = [("01", 99.71, "优"), ("04", 97.4, "优"), ("02", 80.22, "良"), ("03", 74.75, "中")]
    assert shown == [(number, 100, score, grade) for number, score, grade in scores]


@pytest.mark.parametrize("installed", ["alone", "beside the others"])
def test_the_published_page_gives_the_portfolio_back(installed: str, tmp_path: Path) -> None:
    form, portfolio = canonical.load(EXAMPLE / "2026.yaml", load_form)
    page = tmp_path / "page.html"
    page.write_text(render_page(form, portfolio), encoding="utf-8")
    forms = [form] if installed == "alone" else [*load_forms().values()]
    result = consolidate([page], forms, workers=0)
    assert [(p.values, p.tables) for p in result.portfolio.projects] == [
        (p.values, p.tables) for p in portfolio.projects
    ]


@pytest.mark.parametrize("title", ["", "财政项目支出绩效自评表", "2026年度部门预算项目支出绩效自评表"])
def test_the_official_form_is_told_from_that_of_shanghai(title: str, tmp_path: Path) -> None:
    """Their labels are the same but for a few; amounts are never read in the unit of the other form."""
    book = openpyxl.load_workbook(EXAMPLE / "returned" / "信息中心(部里的表).xlsx")
    book.worksheets[0]["A1"] = title or None
    path = tmp_path / "t.xlsx"
    book.save(path)
    result = consolidate([path], [*load_forms().values()], workers=0)
    (project,) = result.portfolio.projects
    amounts = {"central-self-evaluation": 752, "shanghai-self-evaluation": 7520000}
    assert project.values["funding.total.executed"] == amounts[result.portfolio.form]
    assert len(project.tables["indicators"]) == 6
    if title != "财政项目支出绩效自评表":
        assert result.portfolio.form == "central-self-evaluation"


@pytest.mark.parametrize("title", ["", "项目支出绩效自评表", "2026年度财政项目支出绩效自评表"])
def test_the_form_of_shanghai_is_told_from_the_official_one(title: str, tmp_path: Path) -> None:
    book = openpyxl.load_workbook(EXAMPLES / "shanghai-self-evaluation-2026" / "returned" / "学会服务中心 自评.xlsx")
    book.worksheets[0]["A1"] = title or None
    path = tmp_path / "t.xlsx"
    book.save(path)
    result = consolidate([path], [*load_forms().values()], workers=0)
    assert result.portfolio.form == "shanghai-self-evaluation"
    assert str(result.portfolio.projects[0].values["funding.total.executed"]) == "215457.6"
