"""Make the returned files of this example: two filled into the workbook that was sent, one on the ministry's own form.

    python examples/central-monitoring-2026/make_returned.py

`干部学院.xlsx` and `信息中心.xlsx` are the workbooks that were sent out, filled in; in the second an amount was typed
with its unit. `档案馆 执行监控表.xlsx` is the official form of 17 columns, typed by somebody who never had the workbook:
ticks are ✔, and one of its headings is of June.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import openpyxl
from openpyxl.workbook import Workbook
from openpyxl.worksheet.worksheet import Worksheet

from kpixl.forms.load import load_form
from kpixl.forms.values import text_of
from kpixl.output.template import build_template
from kpixl.portfolio import canonical
from kpixl.portfolio.model import Project
from kpixl.portfolio.print_layout import printed_form, printed_text

HERE = Path(__file__).parent

# What staff typed, row by row: reached, expected, then by column H-M a reason, the box (N-P) that is ticked, a remark.
Line = tuple[str, str, dict[str, str], str, str]
MONEY: dict[str, tuple[tuple[object, object], ...]] = {  # executed and expected: fiscal, carryover, other
    "01": ((196.4, 318.6), (21.4, 21.4), (0, 6)),
    "02": ((31.5, 126.35), (0, 0), (0, 0)),
    "03": ((52.8, 88), (4.2, 4.2), (0, 0)),
    "04": (("520万元", 800), (0, 0), (0, 0)),
}
TYPED: dict[str, list[Line]] = {
    "01": [
        ("605元/卷", "610元/卷", {}, "N", ""),
        ("1890卷", "3200卷", {}, "N", ""),
        ("41万页", "80万页", {}, "N", ""),
        ("99.1%", "98.5%", {}, "N", ""),
        ("尚未上线", "2026年11月底前", {}, "N", ""),
        ("5.2万人次", "10万人次", {"K": "阅览室改造", "M": "二季度闭馆改造两个月，8 月起延长开放时间。"}, "O", ""),
        ("93%", "92%", {}, "N", ""),
    ],
    "02": [
        ("31.5万元", "126.35万元", {}, "N", ""),
        ("2套", "6套", {}, "N", ""),
        ("300米", "1400米", {"H": "首笔款 5 月到位", "M": "资金到位后分两段施工，8 月补齐进度。"}, "N", ""),
        ("未到验收节点", "一次性通过", {}, "N", ""),
        ("正在施工", "2026年12月中旬", {"L": "雨季停工", "M": "停工 20 天，完工时间推后一个半月。"}, "P", "已报主管部门"),
        ("0起", "0起", {}, "N", ""),
        ("未到评价节点", "95%", {}, "N", ""),
    ],
    "03": [
        ("528元/人天", "540元/人天", {}, "N", ""),
        ("5期", "8期", {}, "N", ""),
        ("402人", "640人", {}, "N", ""),
        ("97.5%", "97%", {}, "N", ""),
        ("100%", "100%", {}, "N", ""),
        ("尚未回访", "85%", {"J": "回访人手不足", "M": "9 月起委托两所院校协助回访。"}, "O", ""),
        ("94%", "93%", {}, "N", ""),
    ],
    "04": [
        ("9个", "12个", {}, "N", ""),
        ("99.7%", "99.6%", {}, "N", ""),
        ("已提交材料", "通过三级测评", {}, "N", ""),
        ("开发联调", "2026年12月中旬前", {"I": "接口标准未定", "M": "与两家单位的接口标准 9 月定稿。"}, "O", ""),
        ("38万次", "66万次", {}, "N", ""),
        ("90%", "90%", {}, "N", ""),
    ],
}


def fill(sheet: Worksheet, project: str, tick: str) -> None:
    """Type what was reached into a sheet, whose rows of indicators begin in row 13."""
    for row, (executed, expected) in enumerate(MONEY[project], 7):
        sheet[f"G{row}"], sheet[f"M{row}"] = executed, expected
    for row, (reached, whole, reasons, box, remark) in enumerate(TYPED[project], 13):
        sheet[f"F{row}"], sheet[f"G{row}"], sheet[f"{box}{row}"] = reached, whole, tick
        sheet[f"Q{row}"] = remark or None
        for column, text in reasons.items():
            sheet[f"{column}{row}"] = text


def official(projects: Sequence[Project]) -> Workbook:
    """Type the official form of each project, as it is printed, on a sheet of its own."""
    form = load_form("central-monitoring")
    book = Workbook()
    book.remove(book.worksheets[0])
    for project in projects:
        sheet = book.create_sheet(text_of(project.values["name"])[:10])
        for cell in (cell for row in printed_form(form, 2026, project) for cell in row.cells):
            text = printed_text(cell)
            place = sheet.cell(cell.row + 1, cell.col + 1, cell.value if cell.type == "money" else text or None)
            if text.startswith("="):
                place.data_type = "s"  # a target, no formula
            if cell.rows > 1 or cell.columns > 1:
                reach = {"end_row": cell.row + cell.rows, "end_column": cell.col + cell.columns}
                sheet.merge_cells(start_row=cell.row + 1, start_column=cell.col + 1, **reach)
        fill(sheet, project.id, "✔")
    return book


def save(book: Workbook, path: Path) -> None:
    """Save a workbook with the same bytes each time: the time is in its properties and beside every part of it."""
    then = datetime(2026, 8, 12, 9)
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
    """Write the files into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    form, roster = canonical.load(HERE / "roster.yaml", load_form)
    for name, project in (("干部学院", "03"), ("信息中心", "04")):
        book = openpyxl.load_workbook(io.BytesIO(build_template(form, roster)))
        for sheet in book.sheetnames:
            if sheet[:2] == project:
                fill(book[sheet], project, "√")
            elif sheet[:2].isdecimal():
                del book[sheet]
        save(book, folder / f"{name}.xlsx")
    book = official(roster.projects[:2])
    book.worksheets[1]["F11"] = "1—6月执行数（完成值）"
    save(book, folder / "档案馆 执行监控表.xlsx")


if __name__ == "__main__":
    make(HERE / "returned")
