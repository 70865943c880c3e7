"""Make returned/: the workbooks as staff would have sent them back.

    python examples/sast-2026/make_returned.py                    # what openpyxl saves; same bytes each time
    python examples/sast-2026/make_returned.py --re-save          # also the three files that other programs saved

Each file starts as `kpixl template roster.yaml` makes it (one starts from scratch, in last year's look), is filled
from 2026.yaml, and then treated the way staff treat workbooks. README.md lists what was done to which file.
The files of --re-save need LibreOffice (`soffice`) and Gnumeric (`ssconvert`), and differ in a few bytes each time
because those programs write the time into them; they are committed, so that nobody needs the programs.
"""

from __future__ import annotations

import io
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import openpyxl
from openpyxl.styles import Alignment, Border, Side
from openpyxl.workbook import Workbook
from openpyxl.worksheet.worksheet import Worksheet

from kpixl.portfolio import canonical
from kpixl.forms.load import load_form
from kpixl.forms.definition import Form, Value
from kpixl.portfolio.model import Project
from kpixl.output.template import build_template
from kpixl.forms.values import number_text, target_text

HERE = Path(__file__).parent
RETURNED = HERE / "returned"
FORM, FILLED = canonical.load(HERE / "2026.yaml", load_form)
ROSTER = canonical.load(HERE / "roster.yaml", load_form)[1]

Change = Callable[[Workbook], None]


# --- filling in -------------------------------------------------------------------------------


def filled(ids: Sequence[str], gaps: Sequence[int] = ()) -> Workbook:
    """Fill in the workbook that was sent out for some projects; `gaps`: entry rows left blank, counted from 0."""
    part = replace(ROSTER, projects=tuple(p for p in ROSTER.projects if p.id in ids))
    book = openpyxl.load_workbook(io.BytesIO(build_template(FORM, part, whole=ROSTER)))
    by_id = {p.id: p for p in FILLED.projects}
    for project in part.projects:
        sheet = next(s for s in book.worksheets if s.title.startswith(f"{project.id} "))
        fill(sheet, FORM, by_id[project.id], gaps)
    return book


def fill(sheet: Worksheet, form: Form, project: Project, gaps: Sequence[int]) -> None:
    """Type what the roster could not know: the goals and the indicators."""
    for place in form.layout.head:
        if place.kind == "value" and form.fields[place.key].lines > 1:
            sheet.cell(place.row + 1, place.col + 1, project.values[place.key])
    for placed in form.layout.tables:
        table = form.tables[placed.table]
        columns: list[str] = []
        for heading in placed.entry:
            target = table.targets.get(heading.key)
            columns += target.parts if target else (heading.key,)
        first_col = placed.entry[0].col + 1
        free = [r for r in range(table.rows) if r not in gaps]
        rows = dict(zip(free, project.tables[placed.table], strict=False))
        for offset in range(table.rows):
            for number, key in enumerate(columns):
                value = rows[offset][key] if offset in rows else None
                put(sheet, placed.row + 2 + offset, first_col + number, value)


def put(sheet: Worksheet, row: int, col: int, value: Value) -> None:
    """Type a value into a text cell, where "=" is no formula."""
    cell = sheet.cell(row, col)
    cell.value = number_text(value) if isinstance(value, Decimal) else value
    if isinstance(value, str | Decimal):
        cell.data_type = "s"


# --- what staff do to workbooks ---------------------------------------------------------------


def rename(**titles: str) -> Change:
    """Rename sheets: key _06="..." names the sheet that begins with 06."""

    def change(book: Workbook) -> None:
        for key, title in titles.items():
            next(s for s in book.worksheets if s.title.startswith(f"{key[1:]} ")).title = title

    return change


def delete_cover(book: Workbook) -> None:
    """Delete the first sheet."""
    book.remove(book.worksheets[0])


def add_empty_sheet(book: Workbook) -> None:
    """Add the empty sheet that a new workbook brings along."""
    book.create_sheet("Sheet1")


def reverse_sheets(book: Workbook) -> None:
    """Put the project sheets into another order."""
    book.move_sheet(book.worksheets[2], -1)


def amounts_as_text(book: Workbook) -> None:
    """Paste amounts over the number cells: 60万 for 600000."""
    for sheet in book.worksheets[1:-1]:
        for row in sheet.iter_rows(min_row=6, max_row=9):
            for cell in row:
                if cell.value == 600000:
                    cell.value = "60万"


def insert_rows_in_head(book: Workbook) -> None:
    """Insert a blank row above the dates and one above the goals on every project sheet."""
    for sheet in book.worksheets[1:-1]:
        for at in (10, 5):
            insert_row(sheet, at)


def insert_row(sheet: Worksheet, at: int) -> None:
    """Insert a row before row `at` as Excel does; openpyxl moves only the cells."""

    def shifted(text: str) -> str:
        return re.sub(r"(\$?[A-Z]{1,2}\$?)(\d+)\b", lambda m: f"{m[1]}{int(m[2]) + (int(m[2]) >= at)}", text)

    merges = [str(span) for span in sheet.merged_cells.ranges]
    heights = {r: d.height for r, d in sheet.row_dimensions.items() if d.height}
    for span in merges:
        sheet.unmerge_cells(span)
    sheet.insert_rows(at)
    for span in merges:
        sheet.merge_cells(shifted(span))
    for r, height in heights.items():
        sheet.row_dimensions[r + (r >= at)].height = height
    for row in sheet.iter_rows():
        for cell in row:
            if cell.data_type == "f":
                cell.value = "".join(
                    part if i % 2 else shifted(part) for i, part in enumerate(re.split(r'("[^"]*")', str(cell.value)))
                )
    for rule in sheet.data_validations.dataValidation:
        rule.sqref = type(rule.sqref)(shifted(str(rule.sqref)))
        if rule.formula1:
            rule.formula1 = shifted(rule.formula1)


# --- last year's look, made by hand -----------------------------------------------------------


def last_years_form(project: Project) -> Workbook:
    """Draw the form as it looked before kpixl: no marker, merged levels, the target in one cell, other labels."""
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    sheet.title = "申报表（2026）"
    v = project.values
    money = {k: f"{a:,.2f}" for k, a in v.items() if isinstance(a, Decimal)}
    days = {k: f"{d.year}年{d.month}月{d.day}日" for k, d in v.items() if isinstance(d, date)}
    lines: list[list[tuple[str, Value, int]]] = [
        [("A", "财政项目支出绩效目标申报表", 7)],
        [("A", "（2026年度）", 7)],
        [("A", "项 目 名 称", 1), ("B", v["name"], 2), ("D", "项目属性", 1), ("E", v["nature"], 1),
         ("F", "项目类别", 1), ("G", v["category"], 1)],
        [("A", "项目主管部门", 1), ("B", v["department"], 2), ("D", "项目单位", 1), ("E", v["unit"], 3)],
        [("A", "项目开始日期", 1), ("B", days["start"], 2), ("D", "项目完成日期", 1), ("E", days["end"], 3)],
        [("B", "项目资金总额：", 1), ("C", None, 1), ("D", "年度资金申请总额：", 2),
         ("F", money["funding.annual.amount"], 2)],
        [("B", "其中：财政资金", 1), ("C", None, 1), ("D", "其中：当年财政拨款", 2),
         ("F", money["funding.annual.appropriation"], 2)],
        [("B", None, 1), ("C", None, 1), ("D", "上年结转资金", 2), ("F", money["funding.annual.carryover"], 2)],
        [("B", "其他资金", 1), ("C", None, 1), ("D", "其他资金", 2), ("F", money["funding.annual.other"], 2)],
        [("B", "项目总体目标", 3), ("E", "年度目标", 3)],
        [("B", v["goal.overall"], 3), ("E", v["goal.annual"], 3)],
        [("A", None, 1), ("B", "一级\n指标", 1), ("C", "二级\n指标", 1), ("D", "指标内容", 2), ("F", "年度指标值", 2)],
    ]
    rows = project.tables["indicators"]
    target = FORM.tables["indicators"].targets["target"]
    for row in rows:
        levels = [("B", row["level1"], 1), ("C", row["level2"], 1)]
        lines.append([*levels, ("D", row["name"], 2), ("F", target_text(row, target), 2)])
    side = Side(style="thin")
    for number, line in enumerate(lines, 1):
        for column, value, columns in line:
            col = "ABCDEFG".index(column) + 1
            put(sheet, number, col, value)
            if columns > 1:
                sheet.merge_cells(None, number, col, number, col + columns - 1)
    last = len(lines)
    for start, end, text in ((6, 9, "项目资金\n（元）"), (10, 11, "项目绩效目标"), (13, last, "绩 效 指 标")):
        sheet[f"A{start}"].value = text
        sheet.merge_cells(f"A{start}:A{end}")
    for column, level in (("B", "level1"), ("C", "level2")):
        start = 13
        for number in range(14, last + 2):
            if number > last or rows[number - 13][level] != rows[start - 13][level]:
                for r in range(start + 1, number):
                    sheet[f"{column}{r}"].value = None
                if number - start > 1:
                    sheet.merge_cells(f"{column}{start}:{column}{number - 1}")
                start = number
    for cells in sheet.iter_rows(min_row=1, max_row=last, max_col=7):
        for cell in cells:
            cell.alignment = Alignment(horizontal="center", vertical="center", wrap_text=True)
            if (cell.row or 0) > 2:
                cell.border = Border(side, side, side, side)
    for column in "ABCDEFG":
        sheet.column_dimensions[column].width = 15
    sheet.row_dimensions[11].height = 110
    return book


# --- saving -----------------------------------------------------------------------------------


def save(book: Workbook, path: Path) -> None:
    """Save with fixed times, so that equal contents are equal bytes."""
    book.active = 0
    stream = io.BytesIO()
    book.save(stream)
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(stream) as old, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            content = old.read(name)
            if name == "docProps/core.xml":
                content = re.sub(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", b"2025-11-20T09:00:00Z", content)
            new.writestr(zipfile.ZipInfo(name, (2025, 11, 20, 9, 0, 0)), content, zipfile.ZIP_DEFLATED)


def re_save(book: Workbook, path: Path) -> None:
    """Have another program save the workbook: Gnumeric for .xls, LibreOffice for the others."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        plain = Path(folder) / "plain.xlsx"
        save(book, plain)
        made = Path(folder) / "made" / f"plain{path.suffix}"
        made.parent.mkdir()
        if path.suffix == ".xls":
            command = ["ssconvert", str(plain), str(made)]
        else:
            own = f"-env:UserInstallation=file://{folder}/profile"
            command = ["soffice", own, "--headless", "--convert-to", path.suffix[1:], "--outdir", str(made.parent)]
            command.append(str(plain))
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        shutil.copyfile(made, path)


def lock_file(owner: str) -> bytes:
    """Make what Excel leaves beside an open workbook: its user's name, twice."""
    return bytes([len(owner)]) + owner.encode().ljust(54) + bytes([len(owner), 0]) + owner.ljust(54).encode("utf-16-le")


def make(book: Workbook, *changes: Change) -> Workbook:
    """Apply changes to a workbook."""
    for change in changes:
        change(book)
    return book


def main(arguments: Sequence[str]) -> None:
    """Write every returned file."""
    by_id = {p.id: p for p in FILLED.projects}
    ours = {
        "办公室.xlsx": filled(["02", "08", "12"]),
        "学会学术部 终稿2(改).xlsx": make(
            filled(["09", "10"]), rename(_09="学术交流", _10="学会创新 (2)"), delete_cover, add_empty_sheet
        ),
        "科普部/2026绩效目标.xlsx": make(filled(["03", "07"], gaps=(1, 3, 4)), insert_rows_in_head, reverse_sheets),
        "国际联络部/国际交流项目绩效目标(按去年表).xlsx": last_years_form(by_id["11"]),
    }
    others = {
        "企业服务部/创新服务、人才举荐.xlsx": make(filled(["01", "05"]), amounts_as_text),
        "组织人事部/绩效目标.xls": filled(["04"]),
        "调研宣传部/智库、之家.ods": filled(["06", "13"]),
    }
    RETURNED.mkdir(exist_ok=True)
    (RETURNED / "~$办公室.xlsx").write_bytes(lock_file("office"))
    for name, book in ours.items():
        save(book, RETURNED / name)
    if "--re-save" in arguments:
        for name, book in others.items():
            re_save(book, RETURNED / name)


if __name__ == "__main__":
    main(sys.argv[1:])
