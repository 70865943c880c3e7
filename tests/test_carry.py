"""Regenerating over an older summary: what a person put into it is still there, or a copy is and it is said."""

from __future__ import annotations

import base64
import dataclasses
import io
import random
import re
import zipfile
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import xlsxwriter
from openpyxl.cell.rich_text import CellRichText, TextBlock
from openpyxl.cell.text import InlineFont
from openpyxl.comments import Comment
from openpyxl.formatting import rule as rules
from openpyxl.styles import Border, Font, PatternFill, Protection, Side
from openpyxl.styles.colors import Color
from openpyxl.workbook.defined_name import DefinedName
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.formula import ArrayFormula
from openpyxl.worksheet.table import Table, TableStyleInfo

from kpixl.disk import Written
from kpixl.summary import build_summary, own_names, update_summary, write_summary
from kpixl.summary.old import examine
from tests.applications import Office, assert_valid
from tests.test_summary import FORM, portfolio, with_value

DAY = date(2026, 11, 22)
CONTENT = portfolio(3)
NOTES = "备注 1"
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return a summary as it was first written."""
    path = tmp_path / "2026.xlsx"
    write_summary(path, FORM, CONTENT, today=DAY)
    return path


def regenerate(path: Path, lang: str = "zh") -> list[str]:
    """Write the summary again; returns codes, and asserts that a copy was made exactly where one was announced."""
    before = path.read_bytes()
    written, problems = write_summary(path, FORM, CONTENT, lang=lang, today=DAY)
    codes, copy = [problem.code for problem in problems], copy_of(written, path)
    assert (copy is not None) == bool(set(codes) - {"sheet-carried"})
    if copy is not None:
        assert copy.read_bytes() == before
        assert all(copy.name in p.message() for p in problems if p.code != "sheet-carried")
    return codes


def copy_of(written: Sequence[Written], path: Path) -> Path | None:
    """Return the copy that was kept of the old summary, where one was."""
    return next((item.path for item in written if item.path != path), None)


def edit(path: Path, change: Callable[[Any], None]) -> None:
    """Change a workbook through openpyxl, as another program."""
    book = openpyxl.load_workbook(path, rich_text=True)
    change(book)
    book.save(path)


def message(path: Path) -> str:
    """Return what is said when the summary is written again."""
    return " ".join(p.message() for p in update_summary(path, FORM, CONTENT, today=DAY)[1])


def add_notes(book: Any) -> None:
    """Add a sheet with one of everything that is carried."""
    sheet = book.create_sheet(NOTES)
    sheet["A1"] = "办公室"
    sheet["A1"].font = Font(name="楷体", size=14, bold=True, color="FFFF0000")
    sheet["A1"].fill = PatternFill("solid", fgColor=Color(theme=4, tint=0.4))
    sheet["A1"].border = Border(left=Side("thin"), top=Side("double", color="FF0000FF"))
    sheet["A1"].protection = Protection(locked=False)
    sheet["B1"] = "='汇总表'!B4"
    sheet["B2"] = "=SUM(汇总表!L4:L6)"
    sheet["A3"], sheet["A3"].number_format = date(2026, 3, 1), 'yyyy"年"m"月"d"日"'
    sheet["A4"], sheet["A5"], sheet["A6"] = True, 0.1, "a_x000D_b"
    sheet["C1"] = CellRichText("前", TextBlock(InlineFont(b=True, color=Color("FF00FF00"), rFont="黑体"), "粗"), "后")
    sheet["D1"] = "合并"
    sheet.merge_cells("D1:E3")
    sheet["A9"].hyperlink = "https://example.org/a?b=1#x"
    sheet["A10"] = "回到汇总"
    sheet["A10"].hyperlink = "#'汇总表'!A1"
    sheet["B3"].comment = Comment("记得核对", "张三")
    sheet["B4"] = ArrayFormula("B4:B5", "=A4:A5*2")
    make: Any = rules
    for rule in (
        make.CellIsRule(operator="greaterThan", formula=["3"], fill=PatternFill("solid", bgColor="FFFFFF00")),
        make.ColorScaleRule(start_type="min", start_color="FFFF0000", end_type="max", end_color="FF00FF00"),
        make.FormulaRule(formula=["G1>2"], font=Font(bold=True, color="FFFF0000")),
        make.IconSetRule("3Arrows", "percent", [0, 33, 67]),
    ):
        sheet.conditional_formatting.add("G1:G5", rule)
    choice = DataValidation(type="list", formula1='"甲,乙"', allow_blank=True)
    choice.add("G1:G5")
    choice.add("H7")
    sheet.add_data_validation(choice)
    for row, line in enumerate([("项", "额"), ("x", 1), ("y", 2)], 11):
        sheet.cell(row, 1, line[0])
        sheet.cell(row, 2, line[1])
    sheet.add_table(Table(displayName="表1", ref="A11:B13", tableStyleInfo=TableStyleInfo("TableStyleMedium9")))
    sheet["C20"] = "=SUM(表1[额])"
    sheet.column_dimensions["A"].width, sheet.column_dimensions["C"].hidden = 30.5703125, True
    sheet.row_dimensions[2].height, sheet.row_dimensions[4].hidden = 33, True
    sheet.freeze_panes, sheet.sheet_properties.tabColor = "B2", "FF00AA00"
    sheet.page_setup.orientation, sheet.page_setup.paperSize = "landscape", 8
    sheet.print_title_rows, sheet.print_area = "1:2", "A1:L20"
    sheet.oddFooter.center.text = "第 &P 页"
    sheet.protection.sheet = True
    book.defined_names["我的"] = DefinedName("我的", attr_text=f"'{NOTES}'!$A$1:$A$3")
    hidden = book.create_sheet("藏")
    hidden.sheet_state, hidden["A1"] = "hidden", 7


# --- what is carried --------------------------------------------------------------------------


def test_sheets_of_others_come_back_as_they_were(path: Path) -> None:
    edit(path, add_notes)
    assert regenerate(path) == ["sheet-carried", "sheet-carried"]
    assert_valid([path])
    book = openpyxl.load_workbook(path, rich_text=True)
    assert book.sheetnames[:4] == ["汇总表", "指标明细", "申报表", "图表"]
    assert book.sheetnames[4:6] == [NOTES, "藏"] and book["藏"].sheet_state == "hidden"
    sheet: Any = book[NOTES]
    assert sheet["A1"].font.name == "楷体" and sheet["A1"].font.b and sheet["A1"].font.color.rgb == "FFFF0000"
    assert sheet["A1"].fill.fgColor.rgb == "FF95B3D7" and sheet["A1"].border.top.style == "double"
    assert not sheet["A1"].protection.locked and sheet.protection.sheet
    assert sheet["B1"].value == "='汇总表'!B4" and sheet["B2"].value == "=SUM(汇总表!L4:L6)"
    assert sheet["A3"].value.date() == date(2026, 3, 1) and sheet["A3"].number_format == 'yyyy"年"m"月"d"日"'
    assert sheet["A4"].value is True and sheet["A5"].value == 0.1
    assert [str(run) for run in sheet["C1"].value] == ["前", "粗", "后"] and sheet["C1"].value[1].font.b
    assert {str(span) for span in sheet.merged_cells.ranges} == {"D1:E3"}
    assert sheet["A9"].hyperlink.target == "https://example.org/a?b=1"
    assert sheet["A10"].hyperlink.location == "'汇总表'!A1" and sheet["A10"].value == "回到汇总"
    assert sheet["B3"].comment.text == "记得核对" and sheet["B3"].comment.author == "张三"
    assert sheet["B4"].value.text == "=A4:A5*2" and sheet["B4"].value.ref == "B4:B5"
    (choice,) = sheet.data_validations.dataValidation
    assert choice.formula1 == '"甲,乙"' and str(choice.sqref) == "G1:G5 H7"
    kinds = [rule.type for area in sheet.conditional_formatting for rule in area.rules]
    assert kinds == ["cellIs", "colorScale", "expression", "iconSet"]
    assert sheet.tables["表1"].ref == "A11:B13" and sheet["C20"].value == "=SUM(表1[额])"
    assert abs(sheet.column_dimensions["A"].width - 30.57) < 0.15 and sheet.column_dimensions["C"].hidden
    assert sheet.row_dimensions[2].height == 33 and sheet.row_dimensions[4].hidden
    assert sheet.freeze_panes == "B2" and sheet.sheet_properties.tabColor.rgb == "FF00AA00"
    assert sheet.page_setup.orientation == "landscape" and sheet.print_title_rows == "$1:$2"
    assert sheet.print_area == f"'{NOTES}'!$A$1:$L$20" and sheet.oddFooter.center.text == "第 &P 页"
    assert book.defined_names["我的"].attr_text == f"'{NOTES}'!$A$1:$A$3"


def test_carried_sheets_survive_any_number_of_regenerations(path: Path) -> None:
    edit(path, add_notes)
    regenerate(path)
    first = path.read_bytes()
    for _ in range(3):
        assert regenerate(path) == ["sheet-carried", "sheet-carried"]
        assert path.read_bytes() == first


def test_formulas_over_our_sheets_have_their_results(path: Path, office: Office, tmp_path: Path) -> None:
    edit(path, add_notes)
    path.write_bytes(office.convert(path, tmp_path / "saved", "xlsx:Calc MS Excel 2007 XML").read_bytes())
    regenerate(path)
    values = openpyxl.load_workbook(path, data_only=True)[NOTES]
    assert values["B1"].value == "项目2" and values["B2"].value == pytest.approx(6001.5)
    assert values["C20"].value == 3


def test_formulas_follow_our_sheets_into_another_language(path: Path) -> None:
    edit(path, add_notes)
    assert regenerate(path, "en") == ["sheet-carried", "sheet-carried"]
    book = openpyxl.load_workbook(path)
    assert book[NOTES]["B1"].value == "='Summary'!B4" and book[NOTES]["B2"].value == "=SUM('Summary'!L4:L6)"
    assert book[NOTES]["A10"].hyperlink.location == "'Summary'!A1"


# --- what was edited --------------------------------------------------------------------------


def test_nothing_is_said_of_a_file_that_was_only_saved_again(path: Path, office: Office, tmp_path: Path) -> None:
    first = path.read_bytes()
    path.write_bytes(office.convert(path, tmp_path / "saved", "xlsx:Calc MS Excel 2007 XML").read_bytes())
    assert path.read_bytes() != first
    assert regenerate(path) == [] and path.read_bytes() == first
    edit(path, lambda _: None)
    assert path.read_bytes() != first
    assert regenerate(path) == [] and path.read_bytes() == first


def test_nothing_is_said_when_the_projects_change(path: Path) -> None:
    changed = with_value(CONTENT, 0, "name", "新名称")
    written, problems = write_summary(path, FORM, changed, today=DAY)
    assert problems == () and [item.path for item in written] == [path]


def test_formulas_whose_projects_moved_are_named_and_the_old_file_is_kept(path: Path) -> None:
    edit(path, add_notes)
    regenerate(path)
    fewer = dataclasses.replace(CONTENT, projects=CONTENT.projects[1:])
    written, problems = write_summary(path, FORM, fewer, today=DAY)
    (moved,) = [p for p in problems if p.code == "summary-rows-moved"]
    copy = copy_of(written, path)
    assert moved.location.sheet == NOTES and copy is not None and copy.name in moved.message()


def _overwrite(book: Any) -> None:
    book["汇总表"]["B5"] = "改"


def _number(book: Any) -> None:
    book["指标明细"]["H2"] = 101


def _note_below(book: Any) -> None:
    book["汇总表"]["B20"] = "制表：张三"


def _formula(book: Any) -> None:
    book["汇总表"]["L9"] = 5


def _highlight(book: Any) -> None:
    book["指标明细"]["C3"].fill = PatternFill("solid", fgColor="FFFFFF00")


def _insert(book: Any) -> None:
    book["指标明细"].insert_rows(4)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (_overwrite, "“汇总表”被手工改动（第 5 行）"),
        (_number, "“指标明细”被手工改动（第 2 行）"),
        (_note_below, "“汇总表”被手工改动（第 20 行）"),
        (_formula, "“汇总表”被手工改动（公式被改动）"),
        (_highlight, "“指标明细”被手工改动（第 3 行 有手工标色）"),
        (_insert, "“指标明细”被手工改动（第 4 行）"),
        (lambda book: book.remove(book["图表"]), "“图表”被手工改动（工作表已删除）"),
        (lambda book: setattr(book["申报表"], "title", "各表"), "“申报表”被手工改动（已改名为“各表”）"),
    ],
)
def test_edits_of_our_sheets_are_named_and_kept_in_a_copy(path: Path, change: Callable[[Any], None], said: str) -> None:
    edit(path, change)
    assert said in message(path)
    assert regenerate(path) == ["summary-edited"]
    assert regenerate(path) == []


def test_copies_never_overwrite_each_other(path: Path) -> None:
    for _ in range(3):
        edit(path, _overwrite)
        regenerate(path)
    names = sorted(p.name for p in path.parent.glob("*.xlsx"))
    assert names == ["2026.xlsx", "2026.旧-20261122-2.xlsx", "2026.旧-20261122-3.xlsx", "2026.旧-20261122.xlsx"]


# --- what cannot be carried -------------------------------------------------------------------


def foreign_book(fill: Callable[[Any, Any], None]) -> bytes:
    """Make a workbook with one sheet through XlsxWriter."""
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True})
    fill(book, book.add_worksheet("台账"))
    book.close()
    return out.getvalue()


def _picture(_: Any, sheet: Any) -> None:
    sheet.insert_image("B2", "dot.png", {"image_data": io.BytesIO(PNG)})


def _chart(book: Any, sheet: Any) -> None:
    sheet.write_column("A1", [1, 2])
    chart = book.add_chart({"type": "line"})
    chart.add_series({"values": "=台账!$A$1:$A$2"})
    sheet.insert_chart("C1", chart)


def _chart_sheet(book: Any, sheet: Any) -> None:
    sheet.write_column("A1", [1, 2])
    chart = book.add_chart({"type": "pie"})
    chart.add_series({"values": "=台账!$A$1:$A$2"})
    book.add_chartsheet().set_chart(chart)


def _sparkline(_: Any, sheet: Any) -> None:
    sheet.write_row("A1", [1, 2])
    sheet.add_sparkline("C1", {"range": "台账!A1:B1"})


def _data_bar(_: Any, sheet: Any) -> None:
    sheet.conditional_format("A1:A5", {"type": "data_bar", "data_bar_2010": True})


def _external(_: Any, sheet: Any) -> None:
    sheet.write_formula("A1", "=[1]别处!A1", None, 42)


def _overlapping(_: Any, sheet: Any) -> None:
    sheet.merge_range("A1:B2", "x")
    sheet.merge.append([1, 1, 2, 2])


@pytest.mark.parametrize(
    ("fill", "said"),
    [
        (_picture, "图片"),
        (_chart, "图表"),
        (_sparkline, "迷你图"),
        (_data_bar, "扩展的条件格式"),
        (_external, "引用其他文件的公式"),
        (_overlapping, "重叠的合并单元格"),
        (lambda _, sheet: sheet.insert_textbox("B2", "注"), "图形或文本框"),
        (_chart_sheet, "图表工作表"),
    ],
)
def test_what_cannot_be_carried_is_said_and_kept_in_a_copy(
    tmp_path: Path, fill: Callable[[Any, Any], None], said: str
) -> None:
    path = tmp_path / "x.xlsx"
    path.write_bytes(foreign_book(fill))
    assert said in message(path)
    assert regenerate(path) == ["sheet-carried", "summary-not-ours", "summary-not-carried"]
    assert_valid([path])
    assert regenerate(path) == ["sheet-carried"]


def test_comments_on_our_sheets_are_kept_in_the_copy(path: Path) -> None:
    def comment(book: Any) -> None:
        book["汇总表"]["B4"].comment = Comment("为什么？", "李四")

    edit(path, comment)
    assert "批注" in message(path)
    assert regenerate(path) == ["summary-not-carried"]


def test_the_value_of_a_formula_over_another_file_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "x.xlsx"
    path.write_bytes(foreign_book(_external))
    regenerate(path)
    assert openpyxl.load_workbook(path)["台账"]["A1"].value == 42


def test_a_sheet_that_has_the_name_of_ours_gets_another(tmp_path: Path) -> None:
    path = tmp_path / "x.xlsx"
    book = openpyxl.Workbook()
    book.create_sheet("汇总表", 0)["A1"] = "别人的"
    book.worksheets[1].title, book.worksheets[1]["A1"] = "b", "=汇总表!A1"
    book.save(path)
    assert regenerate(path) == ["sheet-carried", "sheet-carried", "summary-not-ours"]
    names = openpyxl.load_workbook(path)
    assert names["汇总表（2）"]["A1"].value == "别人的" and names["b"]["A1"].value == "='汇总表（2）'!A1"


# --- hostile files ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content", [b"", b"hello", b"PK\x03\x04rubbish", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)]
)
def test_a_file_that_is_no_workbook_is_kept_in_a_copy(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.xlsx"
    path.write_bytes(content)
    assert regenerate(path) == ["summary-not-ours", "summary-not-carried"]


def replaced(content: bytes, part: str, old: bytes, new: bytes) -> bytes:
    """Replace bytes in a part."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as source, zipfile.ZipFile(out, "w") as target:
        for name in source.namelist():
            text = source.read(name)
            if name == part:
                assert old in text
                text = text.replace(old, new)
            target.writestr(name, text)
    return out.getvalue()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"</sheetData>", b'</sheetData><mergeCells count="1"><mergeCell ref="A1:XFD1048576"/></mergeCells>'),
        (b"<sheetData>", b'<sheetData><row r="9999999"><c r="ZZZZ9999999"><v>1</v></c></row>'),
        (b"<sheetData>", b'<sheetData><row r="1"><c r="A1"><f t="array" ref="A1:XFD1048576">1</f></c></row>'),
        (b"<sheetData>", b'<cols><col min="1" max="99999999" width="x"/></cols><sheetData>'),
        (b"<sheetData>", b'<!DOCTYPE a [<!ENTITY b "c">]><sheetData>'),
        (b"</worksheet>", b""),
    ],
)
def test_hostile_sheets_end_quickly_with_a_copy(tmp_path: Path, old: bytes, new: bytes) -> None:
    path = tmp_path / "x.xlsx"
    plain = foreign_book(lambda _, sheet: sheet.write("C5", "内容"))
    path.write_bytes(replaced(plain, "xl/worksheets/sheet1.xml", old, new))
    assert "summary-not-ours" in regenerate(path)


def _damaged(content: bytes, seed: int) -> Iterator[bytes]:
    chance = random.Random(seed)
    with zipfile.ZipFile(io.BytesIO(content)) as book:
        parts = {name: book.read(name) for name in book.namelist()}
    for _ in range(25):
        name = chance.choice([n for n in parts if re.search(r"sheet[5-7]|workbook|styles|shared|table1|comments", n)])
        text = bytearray(parts[name])
        for _ in range(3):
            place = chance.randrange(len(text))
            text[place : place + chance.randrange(20)] = chance.choice([b"", b'"', b"<", b"-1", b"99999999", b"x"])
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as target:
            for part, whole in parts.items():
                target.writestr(part, bytes(text) if part == name else whole)
        yield out.getvalue()


@pytest.mark.parametrize("seed", range(4))
def test_damage_never_stops_the_work(path: Path, seed: int) -> None:
    edit(path, add_notes)
    regenerate(path)
    for content in _damaged(path.read_bytes(), seed):
        old = examine(content, "x.xlsx", own_names(FORM, "zh"))
        assert build_summary(FORM, CONTENT, carried=old)[0].startswith(b"PK")
