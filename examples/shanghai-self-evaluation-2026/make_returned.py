"""Make the returned files of this example: one filled into the template with openpyxl, one on last year's sheet."""

from __future__ import annotations

import io
import zipfile
from datetime import datetime
from pathlib import Path

import openpyxl
from openpyxl.workbook import Workbook
from openpyxl.worksheet.worksheet import Worksheet

from kpixl.forms.load import load_form
from kpixl.output.template import build_template
from kpixl.portfolio import canonical

HERE = Path(__file__).parent

# What staff of 临江市科普中心 typed: by project, cell by cell.
TYPED: dict[str, dict[str, object]] = {
    "01": {
        "E7": 300000, "E8": 0, "E9": 20000, "F7": 291600, "F8": 0, "F9": 20000,
        "F11": "全年举办科普讲座 51 场，现场听众 3216 人次，覆盖全部街道。",
        "F13": "6110元", "G13": 10, "H13": 10, "F14": "51场", "G14": 10, "H14": 10,
        "F15": "3216人次", "G15": 10, "H15": 10, "F16": "2026年12月11日完成", "G16": 20, "H16": 20,
        "F17": "76分", "G17": 30, "H17": 28.5, "I17": "部分场次没有安排测验；2027 年每场都做测验。",
        "F18": "95%", "G18": 10, "H18": 10,
    },
    "02": {
        "E7": 180000, "E8": 15000, "E9": 0, "F7": 139320, "F8": 15000, "F9": 0,
        "F11": "举办比赛一届，收到作品 158 件，推荐 7 件。",
        "F13": "158件", "G13": 20, "H13": 15.8, "I13": "两所学校没有组队；已列入下一年培训。",
        "F14": "7件", "G14": 20, "H14": 14, "I14": "参赛作品减少。", "F15": "2026年10月12日", "G15": 10, "H15": 6,
        "I15": "场地调整，推迟两周。", "F16": "48%", "G16": 30, "H16": 24, "I16": "与上面相同的原因。",
        "F17": "92%", "G17": 10, "H17": 10,
    },
}  # fmt: skip
# The sheet of 临江市学会服务中心, on last year's form: no kpixl id, figures typed over, the rate rounded wrongly.
OLD: list[list[object]] = [
    ["财政项目支出绩效自评表"],
    ["（2026年度）"],
    ["项目名称", "学术年会"],
    ["主管部门", "临江市科学技术协会", None, None, "实施单位", "临江市学会服务中心"],
    ["项目资金（元）", None, None, "年初预算数", "全年预算数", "全年执行数", "分值", "执行率", "得分"],
    [None, "年度资金总额", None, 250000, 250000, 215457.6, 10, "86.19%", 8.62],
    [None, "其中：当年财政拨款", None, 250000, 250000, 215457.6, "—", "—", "—"],
    [None, "上年结转资金", None, 0, 0, 0, "—", "—", "—"],
    [None, "其他资金", None, 0, 0, 0, "—", "—", "—"],
    ["年度总体目标", "预期目标", None, None, None, "实际完成情况"],
    [None, "举办学术年会一届，分会场不少于 6 个，参会人员不少于 400 人，出版论文集一册。", None, None, None,
     "举办年会一届，设分会场 7 个，参会 436 人，论文集于 11 月出版。"],
    ["绩效指标", "一级指标", "二级指标", "三级指标", "年度指标值", "实际完成值", "分值", "得分", "偏差原因分析及改进措施"],
    [None, "产出指标", "数量指标", "分会场数", "≥6.00(个)", "7个", 10, 10],
    [None, None, "质量指标", "论文录用合格率", "≥95.00(%)", "97%", 20, 20],
    [None, None, "时效指标", "论文集出版时间", "2026年11月底前", "2026年11月18日", 20, 20],
    [None, "效益指标", "社会效益指标", "参会人数", "≥400.00(人)", "436人", 30, 30],
    [None, "满意度指标", "服务对象满意度指标", "参会人员满意度", "≥90.00(%)", "94%", 10, 10],
    ["总分", None, None, None, None, None, 100, 98.62],
]  # fmt: skip
MERGED = ("A1:I1", "A2:I2", "B3:I3", "B4:D4", "F4:I4", "A5:A9", "B5:C5", "B6:C6", "B7:C7", "B8:C8", "B9:C9", "A10:A11",
          "B10:E10", "F10:I10", "B11:E11", "F11:I11", "A12:A17", "B13:B15", "A18:F18")  # fmt: skip


def fill(sheet: Worksheet, typed: dict[str, object]) -> None:
    """Type values into the cells of a sheet."""
    for cell, value in typed.items():
        sheet[cell] = value


def save(book: Workbook, path: Path) -> None:
    """Save a workbook with the same bytes each time: the time is in its properties and beside every part of it."""
    then = datetime(2027, 1, 20, 9)
    book.properties.created = then
    content = io.BytesIO()
    book.save(content)
    with zipfile.ZipFile(content) as made, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as kept:
        for part in made.infolist():
            text = made.read(part)
            if part.filename == "docProps/core.xml":  # openpyxl puts the present time there
                text = text.replace(str(book.properties.modified.isoformat())[:19].encode(), then.isoformat().encode())
            kept.writestr(zipfile.ZipInfo(part.filename, then.timetuple()[:6]), text, zipfile.ZIP_DEFLATED)


def make(folder: Path) -> None:
    """Write both files into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    form, roster = canonical.load(HERE / "roster.yaml", load_form)
    book = openpyxl.load_workbook(io.BytesIO(build_template(form, roster)))
    for name in book.sheetnames:
        if name[:2] in TYPED:
            fill(book[name], TYPED[name[:2]])
        elif name[:2].isdecimal():
            del book[name]
    save(book, folder / "临江市科普中心.xlsx")
    old = openpyxl.Workbook()
    sheet = old.worksheets[0]
    sheet.title = "自评表"
    for row in OLD:
        sheet.append(row)
    for merged in MERGED:
        sheet.merge_cells(merged)
    save(old, folder / "学会服务中心 自评.xlsx")


if __name__ == "__main__":
    make(HERE / "returned")
