"""Make returned/ of this example: two workbooks filled in with openpyxl, and the official form typed by a stranger.

    python examples/central-self-evaluation-2026/make_returned.py
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import openpyxl
from openpyxl.workbook import Workbook

from kpixl.forms.load import load_form
from kpixl.output.template import build_template
from kpixl.portfolio import canonical

HERE = Path(__file__).parent

# What staff typed into the workbooks that were sent out: by project, cell by cell. All amounts are in 万元.
TYPED: dict[str, dict[str, object]] = {
    "01": {
        "E7": 318.6, "E8": 21.4, "E9": 10, "F7": 318.6, "F8": 20.1, "F9": 10,
        "F11": "修复濒危档案 3215 卷，数字化加工 78 万页，验收合格，11 月上线供公众查阅。",
        "F13": "612元/卷", "G13": 10, "H13": 10, "F14": "3215卷", "G14": 10, "H14": 10,
        "F15": "78万页", "G15": 10, "H15": 9.75, "I15": "两批底片受潮，延后扫描；2027 年第一季度补齐。",
        "F16": "98.6%", "G16": 10, "H16": 10, "F17": "2026年11月20日", "G17": 10, "H17": 10,
        "F18": "12.6万人次", "G18": 30, "H18": 30, "F19": "93%", "G19": 10, "H19": 10,
    },
    "02": {
        "E7": 126.35, "E8": 0, "E9": 0, "F7": 101.08, "F8": 0, "F9": 0,
        "F11": "更换灭火系统 6 套，改造管网 1180 米，二次报验后通过消防验收。",
        "F13": "101.08万元", "G13": 10, "H13": 10, "F14": "6套", "G14": 10, "H14": 10,
        "F15": "1180米", "G15": 10, "H15": 8.43, "I15": "地下一层与在建工程冲突，移至下一年施工。",
        "F16": "第二次通过", "G16": 10, "H16": 4, "I16": "首次报验缺两项检测报告。",
        "F17": "2026年12月18日", "G17": 10, "H17": 0, "I17": "因二次报验推迟。",
        "F18": "0起", "G18": 30, "H18": 30, "F19": "93%", "G19": 10, "H19": 9.79, "I19": "施工期间借阅不便。",
    },
    "03": {
        "E7": 88, "E8": 4.2, "E9": 0, "F7": 56.3, "F8": 4.2, "F9": 0,
        "F11": "举办培训班 5 期，培训基层业务骨干 402 人。",
        "F13": "548元/人天", "G13": 10, "H13": 10, "F14": "5期", "G14": 10, "H14": 6.25, "I14": "汛期停办三期。",
        "F15": "402人", "G15": 10, "H15": 6.28, "I15": "期数减少。", "F16": "97%", "G16": 10, "H16": 10,
        "F17": "62.5%", "G17": 10, "H17": 6.25, "I17": "汛期停办三期。",
        "F18": "55%", "G18": 30, "H18": 19.41, "I18": "回访时间过早；下一年改在结业半年后回访。",
        "F19": "94%", "G19": 10, "H19": 10,
    },
}  # fmt: skip
# The official form of 11 columns, as somebody typed it who never had the workbook; its total is added up wrongly.
OFFICIAL: list[list[object]] = [
    ["项目支出绩效自评表"],
    ["（2026年度）"],
    ["项目名称", None, "政务数据平台升级"],
    ["主管部门", None, "某部（105）", None, None, None, "实施单位", None, "某部信息中心"],
    ["项目资金（万元）", None, None, None, "年初预算数", "全年预算数", "全年执行数", "分值", "执行率", None, "得分"],
    [None, None, "年度资金总额", None, 800, 800, 752, 10, "94.00%", None, 9.4],
    [None, None, "其中：财政拨款", None, 800, 800, 752, "—", "—", None, "—"],
    [None, None, "上年结转资金", None, 0, 0, 0, "—", "—", None, "—"],
    [None, None, "其他资金", None, 0, 0, 0, "—", "—", None, "—"],
    ["年度总体目标", "预期目标", None, None, None, None, "实际完成情况"],
    [None, "完成平台主体建设，接入 12 个业务系统，通过三级等保测评并投入试运行。", None, None, None, None,
     "平台主体建成，接入 12 个业务系统，通过三级等保测评，12 月 10 日投入试运行。"],
    ["绩效指标", "一级指标", "二级指标", "三级指标", None, "年度指标值", "实际完成值", "分值", "得分", "偏差原因分析及改进措施"],
    [None, "产出指标", "数量指标", "接入业务系统", None, "≥12个", "12个", 15, 15],
    [None, None, "质量指标", "系统正常运行率", None, "≥99.5%", "99.7%", 10, 10],
    [None, None, None, "等保测评", None, "通过三级测评", "通过三级测评", 10, 10],
    [None, None, "时效指标", "试运行时间", None, "2026年12月中旬前", "2026年12月10日", 15, 15],
    [None, "效益指标", "社会效益指标", "共享数据调用量", None, "≥60万次", "54万次", 30, 27, "两个系统第四季度才接入。"],
    [None, "满意度指标", "服务对象满意度指标", "用户满意度", None, "≥88%", "91%", 10, 10],
    ["总分", None, None, None, None, None, None, 100, 97.4],
]  # fmt: skip
MERGED = (
    "A1:K1", "A2:K2", "A3:B3", "C3:K3", "A4:B4", "C4:F4", "G4:H4", "I4:K4", "A5:B9", "C5:D5", "I5:J5", "C6:D6", "I6:J6",
    "C7:D7", "I7:J7", "C8:D8", "I8:J8", "C9:D9", "I9:J9", "A10:A11", "B10:F10", "G10:K10", "B11:F11", "G11:K11",
    "A12:A18", "B13:B16", "C14:C15", "A19:G19", "J19:K19", *(f"D{row}:E{row}" for row in range(12, 19)),
    *(f"J{row}:K{row}" for row in range(12, 19)),
)  # fmt: skip


def filled(ids: Sequence[str]) -> Workbook:
    """Fill in the workbook that was sent out for some projects."""
    form, roster = canonical.load(HERE / "roster.yaml", load_form)
    part = replace(roster, projects=tuple(p for p in roster.projects if p.id in ids))
    book = openpyxl.load_workbook(io.BytesIO(build_template(form, part, whole=roster)))
    for sheet in book.worksheets:
        for cell, value in TYPED.get(sheet.title[:2], {}).items():
            sheet[cell] = value
    return book


def official() -> Workbook:
    """Type the official form."""
    book = Workbook()
    sheet = book.worksheets[0]
    sheet.title = "自评表"
    for row in OFFICIAL:
        sheet.append(row)
    for merged in MERGED:
        sheet.merge_cells(merged)
    return book


def save(book: Workbook, path: Path) -> None:
    """Save a workbook with the same bytes each time: the time is in its properties and beside every part of it."""
    then = datetime(2027, 1, 18, 9)
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
    save(filled(["01", "02"]), folder / "档案馆.xlsx")
    save(filled(["03"]), folder / "干部学院 自评.xlsx")
    save(official(), folder / "信息中心(部里的表).xlsx")


if __name__ == "__main__":
    make(HERE / "returned")
