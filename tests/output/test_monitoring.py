"""The monitoring form as DOMAIN section 6 describes it, 17 columns, cell by cell, in the template and in print."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from openpyxl.cell.cell import MergedCell

from kpixl.a1 import Span, span_text
from kpixl.forms.load import load_form
from kpixl.output.publish import publication
from kpixl.output.publish.html import render_page
from kpixl.output.publish.markdown import markdown_text
from kpixl.output.summary import build_summary
from kpixl.output.template import build_template
from kpixl.portfolio import canonical
from kpixl.portfolio.print_layout import printed_form, printed_text

EXAMPLE = Path(__file__).parents[2] / "examples" / "central-monitoring-2026"
FORM, FILLED = canonical.load(EXAMPLE / "2026.yaml", load_form)
ROSTER = canonical.load(EXAMPLE / "roster.yaml", load_form)[1]

# What the form itself prints: over its head, over the amounts, and over the indicators in two rows.
HEAD = {
    "A1:Q1": "项目支出绩效目标执行监控表",
    "A2:Q2": "（2026年度）",
    "A3:C3": "项目名称", "A4:C4": "主管部门及代码", "H4:J4": "实施单位",
    "A5:A9": "项目资金（万元）", "B5:D5": "",
    "E5:F5": "年初预算数", "G5:I5": "1-7月执行数", "J5:L5": "1-7月执行率", "M5:Q5": "全年预计执行数",
    "B6:D6": "年度资金总额", "B7:D7": "其中：财政拨款", "B8:D8": "上年结转资金", "B9:D9": "其他资金",
    "A10:C10": "年度总体目标",
}  # fmt: skip
HEADINGS = {
    "B11:B12": "一级指标", "C11:C12": "二级指标", "D11:D12": "三级指标", "E11:E12": "年度指标值",
    "F11:F12": "1-7月执行数（完成值）", "G11:G12": "全年预计执行数（完成值）",
    "H11:M11": "偏差原因分析",
    "H12": "经费保障", "I12": "制度保障", "J12": "人员保障", "K12": "硬件条件保障", "L12": "其他", "M12": "原因说明",
    "N11:P11": "完成目标可能性", "N12": "确定能", "O12": "有可能", "P12": "完全不可能",
    "Q11:Q12": "备注",
}  # fmt: skip
VALUES = {
    "D3:Q3": "馆藏档案修复与数字化", "D4:G4": "[105]某部", "K4:Q4": "某部档案馆",
    "E6:F6": "350.00", "G6:I6": "217.80", "J6:L6": "62.23%", "M6:Q6": "346.00",
    "E7:F7": "318.60", "G7:I7": "196.40", "J7:L7": "61.64%", "M7:Q7": "318.60",
    "E8:F8": "21.40", "G8:I8": "21.40", "J8:L8": "100%", "M8:Q8": "21.40",
    "E9:F9": "10.00", "G9:I9": "0.00", "J9:L9": "0%", "M9:Q9": "6.00",
    "D10:Q10": "修复濒危档案 3200 卷，数字化加工 80 万页，验收合格后上线供公众查阅。",
    "A11:A12": "", "A13:A19": "绩效指标",
}  # fmt: skip
ROWS = (  # B-Q, levels on each row
    "成本指标|经济成本指标|单卷修复成本|≤620元/卷|605元/卷|610元/卷|||||||✔|||",
    "产出指标|数量指标|修复档案|≥3200卷|1890卷|3200卷|||||||✔|||",
    "产出指标|数量指标|数字化加工|≥80万页|41万页|80万页|||||||✔|||",
    "产出指标|质量指标|成果验收合格率|≥98%|99.1%|98.5%|||||||✔|||",
    "产出指标|时效指标|上线时间|2026年11月底前|尚未上线|2026年11月底前|||||||✔|||",
    "效益指标|社会效益指标|年查阅量|≥12万人次|5.2万人次|10万人次"
    "||||阅览室改造||二季度闭馆改造两个月，8 月起延长开放时间。||✔||",
    "满意度指标|服务对象满意度指标|查阅者满意度|≥90%|93%|92%|||||||✔|||",
)
COLUMNS = "BCDEFGHIJKLMNOPQ"


def test_it_is_printed_as_published_cell_by_cell() -> None:
    printed = {}
    for row in printed_form(FORM, 2026, FILLED.projects[0]):
        for cell in row.cells:
            span = span_text(Span(cell.row, cell.col, cell.row + cell.rows - 1, cell.col + cell.columns - 1))
            first, last = span.split(":")
            printed[first if first == last else span] = printed_text(cell)
    rows = {
        f"{column}{number}": text
        for number, row in enumerate(ROWS, 13)
        for column, text in zip(COLUMNS, row.split("|"), strict=True)
    }
    assert printed == HEAD | HEADINGS | VALUES | rows


def merged_texts(sheet: Any, last_row: int) -> dict[str, str]:
    """Return what the cells of a sheet hold, by their merged ranges."""
    spans = {str(merged).split(":")[0]: str(merged) for merged in sheet.merged_cells.ranges}
    return {
        spans.get(cell.coordinate, cell.coordinate): str(cell.value)
        for row in sheet.iter_rows(max_row=last_row, max_col=17)
        for cell in row
        if cell.value is not None and not isinstance(cell, MergedCell)
    }


def test_the_template_has_the_same_head_and_headings_cell_by_cell() -> None:
    sheet = openpyxl.load_workbook(io.BytesIO(build_template(FORM, ROSTER))).worksheets[1]
    typed = {
        "D3:Q3": "馆藏档案修复与数字化", "D4:G4": "[105]某部", "K4:Q4": "某部档案馆",
        "E7:F7": "318.6", "E8:F8": "21.4", "E9:F9": "10", "D10:Q10": VALUES["D10:Q10"], "A11:A12": "绩效指标",
        "E6:F6": '=IF(COUNT(E7,E8,E9)=0,"",SUM(E7,E8,E9))', "G6:I6": '=IF(COUNT(G7,G8,G9)=0,"",SUM(G7,G8,G9))',
        "M6:Q6": '=IF(COUNT(M7,M8,M9)=0,"",SUM(M7,M8,M9))',
    }  # fmt: skip
    rates = {f"J{n}:L{n}": f'=IF(COUNT(G{n},E{n})<2,"",IF(E{n}=0,"",ROUND(G{n}/E{n}*100,2)))' for n in range(6, 10)}
    texts = {place: text for place, text in (HEAD | HEADINGS).items() if text}
    assert merged_texts(sheet, 12) == texts | typed | rates
    assert [sheet[f"{column}13"].value for column in "BCDE"] == ROWS[0].split("|")[:4]


def test_what_was_planned_is_locked_and_boxes_offer_a_tick() -> None:
    sheet = openpyxl.load_workbook(io.BytesIO(build_template(FORM, ROSTER))).worksheets[1]
    given, open_cells = ("D3", "E7", "D10", "B13", "E13", "G6", "J6"), ("G7", "M7", "F13", "H13", "N13", "Q13", "B30")
    assert [cell for cell in (*given, *open_cells) if sheet[cell].protection.locked] == [*given]
    offered = {str(v.sqref): v.formula1 for v in sheet.data_validations.dataValidation if v.type == "list"}
    boxes = [cells for cells in offered if cells.startswith(("N13:", "O13:", "P13:"))]
    assert len(boxes) == 3 and len({offered[cells] for cells in boxes}) == 1
    assert sheet.page_setup.orientation == "landscape"
    assert sheet.print_title_rows is None  # one page: there is no second one on which to repeat the headings


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_summary_groups_by_progress(lang: str) -> None:
    book = openpyxl.load_workbook(io.BytesIO(build_summary(FORM, FILLED, lang=lang)[0]))
    table = book.worksheets[1]
    paces = {
        row[0].value: [c.value for c in row if c.value in ("达到序时进度", "低于序时进度")]
        for row in table.iter_rows(min_row=4)
    }
    found = {project: pace for project, pace in paces.items() if project in ("01", "02", "03", "04")}
    assert found == {"01": ["达到序时进度"], "02": ["低于序时进度"], "03": ["达到序时进度"], "04": ["达到序时进度"]}
    forms = book.worksheets[3]
    assert {"H11:M11", "N11:P11", "B11:B12"} <= {str(merged) for merged in forms.merged_cells.ranges}
    assert (forms["J6"].value, forms["J6"].number_format) == (62.23, '0.00"%"')


def test_the_page_has_both_rows_of_headings_on_every_page() -> None:
    page = render_page(FORM, FILLED)
    head = next(part for part in page.split("<thead>") if "偏差原因分析" in part).split("</thead>")[0]
    assert head.count("<tr") == 2
    assert '<th colspan="6" scope="colgroup">偏差原因分析</th>' in head
    assert '<th rowspan="2" scope="col">一级指标</th>' in head


def test_markdown_names_the_group_of_each_heading() -> None:
    text = markdown_text(publication(FORM, FILLED))
    assert "| 偏差原因分析：原因说明 | 完成目标可能性：确定能 | 完成目标可能性：有可能 |" in text
    assert "| 备注 |" in text
