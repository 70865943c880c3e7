"""The self-evaluation form as DOMAIN section 6 describes it, cell by cell, in the template and in print."""

from __future__ import annotations

import io
from pathlib import Path

import openpyxl
import pytest

from kpixl.a1 import Span, span_text
from kpixl.forms.load import load_form
from kpixl.output.summary import build_summary
from kpixl.output.template import build_template
from kpixl.portfolio import canonical
from kpixl.portfolio.print_layout import printed_form, printed_text

EXAMPLE = Path(__file__).parents[2] / "examples" / "shanghai-self-evaluation-2026"
PUBLISHED = {
    "A1:I1": "财政项目支出绩效自评表",
    "A2:I2": "(2026 年度)",
    "A3": "项目名称", "B3:I3": "学术年会",
    "A4": "主管部门", "B4:D4": "临江市科学技术协会", "E4": "实施单位", "F4:I4": "临江市学会服务中心",
    "A5:A9": "项目资金(元)", "B5:C5": "",
    "D5": "年初预算数", "E5": "全年预算数", "F5": "全年执行数", "G5": "分值", "H5": "执行率", "I5": "得分",
    "B6:C6": "年度资金总额",
    "D6": "250,000.00", "E6": "250,000.00", "F6": "215,457.60", "G6": "10", "H6": "86.19%", "I6": "8.62",
    "B7:C7": "其中:当年财政拨款",
    "D7": "250,000.00", "E7": "250,000.00", "F7": "215,457.60", "G7": "—", "H7": "—", "I7": "—",
    "B8:C8": "上年结转资金", "D8": "0.00", "E8": "0.00", "F8": "0.00", "G8": "—", "H8": "—", "I8": "—",
    "B9:C9": "其他资金", "D9": "0.00", "E9": "0.00", "F9": "0.00", "G9": "—", "H9": "—", "I9": "—",
    "A10:A11": "年度总体目标", "B10:E10": "预期目标", "F10:I10": "实际完成情况",
    "B11:E11": "举办学术年会一届，分会场不少于 6 个，参会人员不少于 400 人，出版论文集一册。",
    "F11:I11": "举办年会一届，设分会场 7 个，参会 436 人，论文集于 11 月出版。",
    "B12": "一级指标", "C12": "二级指标", "D12": "三级指标", "E12": "年度指标值", "F12": "实际完成值", "G12": "分值",
    "H12": "得分", "I12": "偏差原因分析及改进措施",
    "A13:A17": "绩效指标", "B13:B15": "产出指标", "B16": "效益指标", "B17": "满意度指标",
    "C13": "数量指标", "D13": "分会场数", "E13": "≥6.00(个)", "F13": "7个", "G13": "10", "H13": "10", "I13": "",
    "C14": "质量指标", "D14": "论文录用合格率", "E14": "≥95.00(%)", "F14": "97%", "G14": "20", "H14": "20", "I14": "",
    "C15": "时效指标", "D15": "论文集出版时间", "E15": "2026年11月底前", "F15": "2026年11月18日", "G15": "20",
    "H15": "20", "I15": "",
    "C16": "社会效益指标", "D16": "参会人数", "E16": "≥400.00(人)", "F16": "436人", "G16": "30", "H16": "30", "I16": "",
    "C17": "服务对象满意度指标", "D17": "参会人员满意度", "E17": "≥90.00(%)", "F17": "94%", "G17": "10", "H17": "10",
    "I17": "",
    "A18:F18": "总分", "G18": "100", "H18": "98.62", "I18": "",
}  # fmt: skip


def test_it_is_printed_as_published_cell_by_cell() -> None:
    form, portfolio = canonical.load(EXAMPLE / "2026.yaml", load_form)
    printed = {}
    for row in printed_form(form, 2026, portfolio.projects[2]):
        for cell in row.cells:
            span = span_text(Span(cell.row, cell.col, cell.row + cell.rows - 1, cell.col + cell.columns - 1))
            first, last = span.split(":")
            printed[first if first == last else span] = printed_text(cell)
    del printed["A12"]  # beside the headings of the table, where the caption begins below
    assert printed == PUBLISHED


def test_computed_cells_are_locked_formulas_and_what_was_given_is_locked() -> None:
    form, roster = canonical.load(EXAMPLE / "roster.yaml", load_form)
    sheet = openpyxl.load_workbook(io.BytesIO(build_template(form, roster))).worksheets[1]
    formulas = {cell: sheet[cell].value for cell in ("D6", "H6", "I6", "G27", "H27")}
    assert formulas == {
        "D6": '=IF(COUNT(D7,D8,D9)=0,"",SUM(D7,D8,D9))',
        "H6": '=IF(COUNT(F6,E6)<2,"",IF(E6=0,"",ROUND(F6/E6*100,2)))',
        "I6": '=IF(COUNT(G6,H6)<2,"",ROUND(MIN(G6,MAX(0,G6*H6/100)),2))',
        "G27": '=IF(COUNT(G6,G13:G26)=0,"",ROUND(SUM(G6,G13:G26),2))',
        "H27": '=IF(COUNT(I6,H13:H26)=0,"",ROUND(SUM(I6,H13:H26),2))',
    }
    assert all(sheet[cell].protection.locked for cell in formulas)
    given, open_cells = ("B3", "D7", "B11", "B13", "E13"), ("E7", "G6", "F11", "F13", "H13", "B20", "E20")
    assert [cell for cell in (*given, *open_cells) if sheet[cell].protection.locked] == [*given]
    assert sheet["H6"].number_format == '0.00"%"'


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_summary_lists_scores_and_groups_by_grade(lang: str) -> None:
    form, portfolio = canonical.load(EXAMPLE / "2026.yaml", load_form)
    book = openpyxl.load_workbook(io.BytesIO(build_summary(form, portfolio, lang=lang)[0]))
    table = book.worksheets[1]
    heads = {cell.value: number for number, cell in enumerate(table[3])}
    rows = {row[0].value: row for row in table.iter_rows(min_row=4, max_row=6)}
    shown = {i: [row[heads[name]].value for name in ("总分值", "总得分", "评定等级")] for i, row in rows.items()}
    assert shown == {"01": [100, 98.24, "优"], "03": [100, 98.62, "优"], "02": [100, 77.71, "中"]}
