"""Regenerating over an older summary: the office's own parts stay byte for byte, its edits of ours are listed."""

from __future__ import annotations

import base64
import dataclasses
import io
import json
import random
import re
import subprocess
import sys
import warnings
import zipfile
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import xlsxwriter
from lxml import etree
from openpyxl.cell.rich_text import CellRichText, TextBlock
from openpyxl.cell.text import InlineFont
from openpyxl.comments import Comment
from openpyxl.drawing.image import Image
from openpyxl.formatting import rule as rules
from openpyxl.styles import Border, Font, PatternFill, Protection, Side
from openpyxl.styles.colors import Color
from openpyxl.utils.datetime import CALENDAR_MAC_1904
from openpyxl.workbook.defined_name import DefinedName
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.formula import ArrayFormula
from openpyxl.worksheet.table import Table, TableStyleInfo

from kpixl.disk import Written
from kpixl.ooxml.package import rels_name
from kpixl.ooxml.workbook import Workbook
from kpixl.ooxml.xml import MAIN, OFFICE, RELATIONS, add, q
from kpixl.output.summary import build_summary, own_names, update_summary, write_summary
from kpixl.output.summary.marks import SHEET
from kpixl.output.template import build_template
from kpixl.portfolio import canonical
from kpixl.readers import read_grids
from tests.applications import Office, assert_valid, gnumeric, node, resave_with_node
from tests.output.test_summary import FORM, portfolio, with_value

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
    """Add a sheet with one of everything that an office may put on it."""
    sheet = book.create_sheet(NOTES)
    sheet["A1"] = "办公室"
    sheet["A1"].font = Font(name="楷体", size=14, bold=True, color="FFFF0000")
    sheet["A1"].fill = PatternFill("solid", fgColor=Color(theme=4, tint=0.4))
    sheet["A1"].border = Border(left=Side("thin"), top=Side("double", color="FF0000FF"))
    sheet["A1"].protection = Protection(locked=False)
    sheet["B1"] = "='汇总表'!B4"
    sheet["B2"] = "=SUM(汇总表!C4:C6)"
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


# --- what stays -------------------------------------------------------------------------------


def parts(path: Path) -> dict[str, bytes]:
    """Return the parts of a workbook."""
    with zipfile.ZipFile(path) as book:
        return {name: book.read(name) for name in book.namelist()}


def of_ours(path: Path) -> set[str]:
    """Return the parts that only our sheets lead to, and the sheets themselves."""
    book = Workbook(path.read_bytes())
    ours = {"概览", "汇总表", "指标明细", "申报表", SHEET}
    owned = {sheet.path for sheet in book.sheets() if sheet.name in ours}
    reached = book.reached(owned)
    for part in owned:
        book.drop_relations(part)
    return {name.removeprefix("/") for name in (reached - book.reached([""])) | owned} | {rels_name(p) for p in reached}


def assert_grafted(path: Path, *, at_first: bool = False) -> list[str]:
    """Regenerate, twice; the office's parts must be equal, our values those of a fresh summary; returns the codes."""
    before, ours_before = parts(path), set() if at_first else of_ours(path)
    earlier = path.with_name(f"before{path.suffix}")
    earlier.write_bytes(path.read_bytes())
    codes = regenerate(path)
    after, ours = parts(path), of_ours(path)
    gone = {name for name in before if "calcChain" in name or name.startswith("_xmlsignatures/")}
    gone |= {"_rels/.rels"} if any(name.startswith("_xmlsignatures/") for name in before) else set()
    theirs = set(before) - ours_before - CHANGED - gone
    assert theirs and {name for name in theirs if after.get(name) != before[name]} == set()
    assert set(after) - ours - CHANGED - theirs - {"_rels/.rels"} == set()
    assert our_values(path.read_bytes()) == our_values(build_summary(FORM, CONTENT)[0])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what openpyxl would drop
        assert openpyxl.load_workbook(path, keep_vba=True).sheetnames
    assert_no_new_faults(earlier, path)
    whole = path.read_bytes()
    assert set(regenerate(path)) <= {"sheet-carried"} and path.read_bytes() == whole
    return codes


CHANGED = {"[Content_Types].xml", "xl/workbook.xml", "xl/_rels/workbook.xml.rels", "xl/styles.xml"}


def our_values(content: bytes) -> dict[str | None, list[list[Any]]]:
    """Read the sheets that a fresh summary has."""
    ours = own_names(FORM, "zh").values()
    return {grid.name: grid.rows for grid in read_grids(content, "x.xlsx").grids if grid.name in ours}


def assert_no_new_faults(before: Path, after: Path) -> None:
    """Assert that the Open XML SDK finds nothing wrong in a workbook that it did not find in another."""
    faults = [
        {(error.get("path", ""), error["description"]) for error in result["errors"]}
        for result in json.loads(node("validate.mjs", before, after))
    ]
    assert faults[1] - faults[0] == set()


@pytest.mark.application
def test_sheets_of_others_stay_as_they_were(path: Path) -> None:
    edit(path, add_notes)
    assert assert_grafted(path) == ["sheet-carried", "sheet-carried"]
    book = openpyxl.load_workbook(path)
    assert book.sheetnames == ["概览", "汇总表", "指标明细", "申报表", SHEET, NOTES, "藏"]
    assert book["藏"].sheet_state == "hidden" and book.defined_names["我的"].attr_text == f"'{NOTES}'!$A$1:$A$3"
    sheet: Any = book[NOTES]
    assert sheet["A1"].font.name == "楷体" and sheet["A3"].number_format == 'yyyy"年"m"月"d"日"'
    assert sheet.print_area == f"'{NOTES}'!$A$1:$L$20" and sheet.print_title_rows == "$1:$2"
    ours = book["汇总表"]
    assert ours.print_title_rows == "$3:$3" and ours["A3"].font.b and ours["A4"].border.left.style == "thin"


@pytest.mark.application
def test_sheets_stay_in_the_order_that_the_office_gave_them(path: Path) -> None:
    def reorder(book: Any) -> None:
        add_notes(book)
        book._sheets = [book[name] for name in (NOTES, "概览", "藏", "汇总表", SHEET, "申报表", "指标明细")]
        book.active = 3

    edit(path, reorder)
    assert_grafted(path)
    book: Any = openpyxl.load_workbook(path)
    assert book.sheetnames == [NOTES, "概览", "藏", "汇总表", SHEET, "申报表", "指标明细"]
    assert book.active.title == "汇总表"
    selected = [sheet.title for sheet in book.worksheets if sheet.sheet_view.tabSelected]
    assert "汇总表" in selected and not {"概览", "申报表", "指标明细"} & set(selected)
    assert book["指标明细"].print_title_rows == "$1:$1" and book[NOTES].print_area.endswith("$A$1:$L$20")


@pytest.mark.application
def test_rich_text_without_a_font_name_stays_well_formed(path: Path) -> None:
    """Drawn again by another library, such a run once became broken XML."""

    def add(book: Any) -> None:
        book.create_sheet(NOTES)["A1"] = CellRichText("前", TextBlock(InlineFont(b=True), "粗"), "后")

    edit(path, add)
    assert any(b"<r><rPr><b" in part and b"rFont" not in part for part in parts(path).values())
    assert_grafted(path)
    assert [str(run) for run in openpyxl.load_workbook(path, rich_text=True)[NOTES]["A1"].value] == ["前", "粗", "后"]


def test_libreoffice_opens_a_grafted_summary_and_calculates_over_it(path: Path, office: Office, tmp_path: Path) -> None:
    edit(path, add_notes)
    changed = with_value(CONTENT, 1, "funding.annual.amount", Decimal(7_000_000))
    write_summary(path, FORM, changed, today=DAY)
    saved = office.convert(path, tmp_path / "saved", "xlsx:Calc MS Excel 2007 XML")
    values = openpyxl.load_workbook(saved, data_only=True)
    assert values[NOTES]["B1"].value == "项目2" and values[NOTES]["B2"].value == pytest.approx(7_004_001)
    assert values.sheetnames[5:] == [NOTES, "藏"]


@pytest.mark.parametrize("program", ["libreoffice", "exceljs", "gnumeric"])
def test_a_workbook_that_another_program_saved_is_grafted(
    path: Path, program: str, office: Office, tmp_path: Path
) -> None:
    if program == "exceljs":  # it cannot read what openpyxl writes
        path.write_bytes(foreign_book(_comment))
    else:
        edit(path, add_notes)
    regenerate(path)
    saved = tmp_path / "saved.xlsx"
    if program == "libreoffice":
        saved = office.convert(path, tmp_path / "saved", "xlsx:Calc MS Excel 2007 XML")
    elif program == "exceljs":
        resave_with_node("resave_exceljs.js", path, saved)
    else:
        gnumeric(path, saved)
    path.write_bytes(saved.read_bytes())
    assert set(assert_grafted(path)) == {"sheet-carried"}


def test_what_belongs_to_our_sheets_is_not_left_behind(path: Path) -> None:
    """Drawings and charts of an older version of our sheets go with it, however often it is made anew."""
    edit(path, add_notes)
    names = []
    for count in (4, 5, 3):
        write_summary(path, FORM, portfolio(count), today=DAY)
        names.append(sorted(parts(path)))
    assert names[0] == names[1] == names[2]
    assert len([name for name in names[0] if name.startswith("xl/charts/")]) == 2


def test_formulas_over_our_sheets_have_their_results(path: Path, office: Office, tmp_path: Path) -> None:
    edit(path, add_notes)
    path.write_bytes(office.convert(path, tmp_path / "saved", "xlsx:Calc MS Excel 2007 XML").read_bytes())
    regenerate(path)
    values = openpyxl.load_workbook(path, data_only=True)[NOTES]
    assert values["B1"].value == "项目2" and values["B2"].value == pytest.approx(6001.5)
    assert values["C20"].value == 3


def test_our_sheets_keep_their_names_in_another_language(path: Path) -> None:
    """Formulas of the office refer to them, and its sheets are not changed."""
    edit(path, add_notes)
    assert regenerate(path, "en") == ["sheet-carried", "sheet-carried"]
    book = openpyxl.load_workbook(path)
    assert book.sheetnames[:4] == ["概览", "汇总表", "指标明细", "申报表"]
    assert book[NOTES]["B1"].value == "='汇总表'!B4" and book["汇总表"]["A10"].value == "Total"


def test_a_sheet_of_ours_that_was_renamed_keeps_its_name(path: Path) -> None:
    for extra in (False, True):
        edit(
            path,
            lambda book: setattr(book["汇总表" if "汇总表" in book.sheetnames else "总表 (2)"], "title", "总表 (2)"),
        )
        if extra:
            edit(path, add_notes)
        for _ in range(2):
            assert set(regenerate(path)) <= {"sheet-carried"}
            book = openpyxl.load_workbook(path)
            assert book.sheetnames[1] == "总表 (2)" and "汇总表" not in book.sheetnames
            assert book["概览"]["A5"].value.startswith("=COUNTA('总表 (2)'!")


def test_a_name_that_our_sheets_cannot_have_is_reported(path: Path) -> None:
    edit(path, lambda book: setattr(book["汇总表"], "title", "SUM(1)"))
    assert "已改名为“SUM(1)”" in message(path)
    assert regenerate(path) == ["summary-sheet-edited"]
    assert openpyxl.load_workbook(path).sheetnames[:2] == ["概览", "汇总表"]


def test_dates_count_from_1904_where_the_office_does(path: Path) -> None:
    def change(book: Any) -> None:
        book.create_sheet(NOTES)["A1"] = "Mac"
        book.epoch = CALENDAR_MAC_1904

    path.unlink()
    book = openpyxl.Workbook()
    change(book)
    book.save(path)
    assert regenerate(path) == ["sheet-carried", "sheet-carried", "summary-not-ours"]
    grids = {grid.name: grid for grid in read_grids(path.read_bytes(), "x.xlsx").grids}
    column = list(grids["汇总表"].rows[2]).index("计划开始日期")
    assert grids["汇总表"].rows[3][column] == date(2026, 1, 1)
    assert regenerate(path) == ["sheet-carried", "sheet-carried"]
    edit(path, lambda book: book["汇总表"].__setitem__("H4", date(2026, 2, 1)))
    assert "H4 被手工改动：原为“2026-01-01”，改为“2026-02-01”" in message(path)


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
    book["汇总表"]["C9"] = 5


def _highlight(book: Any) -> None:
    book["指标明细"]["C3"].fill = PatternFill("solid", fgColor="FFFFFF00")


def _insert(book: Any) -> None:
    book["指标明细"].insert_rows(4)


def _sort(book: Any) -> None:
    sheet = book["汇总表"]
    for col in range(1, sheet.max_column):
        first, second = sheet.cell(4, col), sheet.cell(6, col)
        first.value, second.value = second.value, first.value


def _delete(book: Any) -> None:
    book["指标明细"].delete_rows(13)


def _clear(book: Any) -> None:
    book["汇总表"]["B5"] = None


def _date(book: Any) -> None:
    book["汇总表"]["H4"] = date(2026, 2, 1)


@pytest.mark.parametrize(
    ("change", "code", "said"),
    [
        (_overwrite, "summary-edited", "“汇总表”的 B5 被手工改动：原为“项目1”，改为“改”"),
        (_clear, "summary-edited", "“汇总表”的 B5 被手工改动：原为“项目1”，改为“（空）”"),
        (_date, "summary-edited", "“汇总表”的 H4 被手工改动：原为“2026-01-01”，改为“2026-02-01”"),
        (_number, "summary-edited", "“指标明细”的 H2 被手工改动：原为“100”，改为“101”"),
        (_note_below, "summary-edited", "“汇总表”的 B20 被手工改动：原为“（空）”，改为“制表：张三”"),
        (_formula, "summary-edited", "“汇总表”的 C9 被手工改动：原为“（公式）”，改为“5”"),
        (_highlight, "summary-sheet-edited", "“指标明细”被手工改动：有手工标色（C3）"),
        (_insert, "summary-sheet-edited", "“指标明细”被手工改动：第 4 行起有整行的增删"),
        (_sort, "summary-sheet-edited", "“汇总表”被手工改动：行的顺序被改动"),
        (_delete, "summary-sheet-edited", "“指标明细”被手工改动：原第 13 行被删除"),
        (lambda book: book.remove(book["概览"]), "summary-sheet-edited", "“概览”被手工改动：工作表已删除"),
    ],
)
@pytest.mark.parametrize("extra", [False, True])
def test_edits_of_our_sheets_are_listed_and_kept_in_a_copy(
    path: Path, change: Callable[[Any], None], code: str, said: str, extra: bool
) -> None:
    """Each with old and new value, whether the office has sheets of its own or not."""
    if extra:
        edit(path, add_notes)
        regenerate(path)
    edit(path, change)
    assert said in message(path)
    moved = ["summary-rows-moved"] if extra and change is _sort else []
    assert [c for c in regenerate(path) if c != "sheet-carried"] == [code, *moved]
    assert [c for c in regenerate(path) if c != "sheet-carried"] == []


def test_edits_are_listed_in_english_too(path: Path) -> None:
    edit(path, _overwrite)
    (problem,) = update_summary(path, FORM, CONTENT, today=DAY)[1]
    assert (problem.location.sheet, problem.location.address) == ("汇总表", "B5")
    assert "项目1 became 改" in problem.message("en")


def test_many_edits_are_counted_beyond_two_hundred(path: Path) -> None:
    def change(book: Any) -> None:
        for row in range(40, 343):
            book["汇总表"].cell(row, 1).value = row

    edit(path, change)
    found = update_summary(path, FORM, CONTENT, today=DAY)[1]
    assert [p.code for p in found] == ["summary-edited"] * 200 + ["summary-sheet-edited"]
    assert "另有 103 个单元格被改动" in found[-1].message()


def test_a_sheet_of_ours_that_cannot_be_read_is_made_anew_and_the_rest_stays(path: Path) -> None:
    edit(path, add_notes)
    regenerate(path)
    name = next(sheet.path for sheet in Workbook(path.read_bytes()).sheets() if sheet.name == "指标明细")
    path.write_bytes(replaced(path.read_bytes(), name, b'r="C3"', b'r="ZZZ3"'))
    assert regenerate(path) == ["sheet-carried", "sheet-carried", "summary-not-compared"]
    assert regenerate(path) == ["sheet-carried", "sheet-carried"]


@pytest.mark.application
def test_a_sheet_that_is_no_longer_made_is_removed(path: Path) -> None:
    edit(path, add_notes)
    edit(path, lambda book: book["申报表"].defined_names.add(DefinedName("本表", attr_text="申报表!$A$1")))
    edit(path, lambda book: book["概览"].defined_names.add(DefinedName("本图", attr_text="概览!$A$1")))
    outputs = update_summary(path, FORM, CONTENT, forms=False, today=DAY)
    path.write_bytes(outputs[0])
    book = openpyxl.load_workbook(path)
    assert book.sheetnames == ["概览", "汇总表", "指标明细", SHEET, NOTES, "藏"]
    assert list(book["概览"].defined_names) == ["本图"] and book[NOTES].print_area
    assert_grafted(path)
    assert openpyxl.load_workbook(path).sheetnames == ["概览", "汇总表", "指标明细", "申报表", SHEET, NOTES, "藏"]


OLDER = Path(__file__).parents[1] / "cases" / "files" / "summary-before-overview.xlsx"  # charts apart


def test_an_older_summary_gets_the_overview_first_and_keeps_what_the_office_has(path: Path) -> None:
    path.write_bytes(OLDER.read_bytes())
    edit(path, add_notes)
    before = parts(path)
    assert sorted(regenerate(path)) == ["sheet-carried", "sheet-carried", "summary-rows-moved"]
    book = openpyxl.load_workbook(path)
    assert book.sheetnames == ["概览", "汇总表", "指标明细", "申报表", SHEET, NOTES, "藏"]
    sheets = {sheet.name: sheet.path.removeprefix("/") for sheet in Workbook(path.read_bytes()).sheets()}
    assert all(parts(path)[sheets[name]] == before[sheets[name]] for name in (NOTES, "藏"))
    assert regenerate(path) == ["sheet-carried", "sheet-carried"]


def test_an_older_summary_without_anything_of_the_offices_is_made_anew(path: Path) -> None:
    path.write_bytes(OLDER.read_bytes())
    assert regenerate(path) == []
    assert openpyxl.load_workbook(path).sheetnames == ["概览", "汇总表", "指标明细", "申报表", SHEET]


def test_named_styles_come_along_once(path: Path) -> None:
    edit(path, add_notes)
    for _ in range(2):
        regenerate(path)
        styles = parts(path)["xl/styles.xml"].decode()
        assert len(re.findall(r'<cellStyle [^>]*name="kpixl 表头"', styles)) == 1
    book = openpyxl.load_workbook(path)
    assert book["汇总表"]["A3"].style == "kpixl 表头" and book["汇总表"]["C4"].style == "kpixl 数值"


def test_a_summary_of_an_older_version_is_ours_but_not_compared(path: Path) -> None:
    old = replaced(path.read_bytes(), "xl/sharedStrings.xml", b'{"kpixl":2,', b'{"kpixl":1,')
    path.write_bytes(old)
    assert set(regenerate(path)) == {"summary-not-compared"}
    assert regenerate(path) == []


def test_copies_never_overwrite_each_other(path: Path) -> None:
    for _ in range(3):
        edit(path, _overwrite)
        regenerate(path)
    names = sorted(p.name for p in path.parent.glob("*.xlsx"))
    assert names == ["2026.xlsx", "2026.旧-20261122-2.xlsx", "2026.旧-20261122-3.xlsx", "2026.旧-20261122.xlsx"]


# --- what the office may have in its workbook ----------------------------------------------------


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


def _comment(_: Any, sheet: Any) -> None:
    sheet.write_comment("B2", "请核对", {"author": "张三", "visible": True})


def _filter(_: Any, sheet: Any) -> None:
    sheet.write_column("A1", ["项", "甲", "乙"])
    sheet.autofilter("A1:A3")
    sheet.filter_column("A", "x == 甲")
    sheet.set_row(2, options={"hidden": True})
    sheet.set_column("B:C", 31.5, None, {"hidden": True})
    sheet.set_column("D:D", 4.25)


def _table(_: Any, sheet: Any) -> None:
    sheet.add_table("A1:B3", {"name": "表1", "columns": [{"header": "项"}, {"header": "额"}]})


def _names(book: Any, sheet: Any) -> None:
    sheet.write("A1", 1)
    book.define_name("合同额", "=台账!$A$1")
    book.define_name("台账!本地", "=台账!$A$1")


def _button(_: Any, sheet: Any) -> None:
    sheet.insert_button("B3", {"caption": "汇总"})
    sheet.insert_checkbox("D3", True)


FEATURES: dict[str, Callable[[Any, Any], None]] = {
    "picture": _picture,
    "chart": _chart,
    "chart sheet": _chart_sheet,
    "sparkline": _sparkline,
    "data bar": _data_bar,
    "text box": lambda _, sheet: sheet.insert_textbox("B2", "注"),
    "external reference": _external,
    "overlapping merges": _overlapping,
    "comment": _comment,
    "filter, widths, hidden columns": _filter,
    "table": _table,
    "names": _names,
    "button": _button,
    "dynamic array": lambda _, sheet: sheet.write_dynamic_array_formula("A1", "=_xlfn.UNIQUE(B1:B3)"),
    "dropdown": lambda _, sheet: sheet.data_validation("A1", {"validate": "list", "source": ["甲", "乙"]}),
    "background": lambda _, sheet: sheet.set_background(io.BytesIO(PNG)),
}


@pytest.mark.application
@pytest.mark.parametrize("feature", FEATURES)
def test_what_the_office_has_of_its_own_stays_byte_for_byte(tmp_path: Path, feature: str) -> None:
    path = tmp_path / "x.xlsx"
    path.write_bytes(foreign_book(FEATURES[feature]))
    first = parts(path)
    codes = assert_grafted(path, at_first=True)
    assert set(codes) == {"sheet-carried", "summary-not-ours"}
    assert assert_grafted(path)[0] == "sheet-carried"
    assert {name for name in first if name not in CHANGED and parts(path)[name] != first[name]} == set()


def test_everything_at_once_stays_and_libreoffice_opens_it(tmp_path: Path, office: Office) -> None:
    path = tmp_path / "x.xlsx"

    def fill(book: Any, sheet: Any) -> None:
        for number, (name, feature) in enumerate(FEATURES.items()):
            if name not in ("names", "overlapping merges", "external reference"):  # not twice in one workbook
                feature(book, sheet if not number else book.add_worksheet(f"表{number}"))

    path.write_bytes(foreign_book(fill))
    assert_grafted(path, at_first=True)
    saved = office.convert(path, tmp_path / "saved", "xlsx:Calc MS Excel 2007 XML")
    assert our_values(saved.read_bytes())["指标明细"] == our_values(path.read_bytes())["指标明细"]


CACHE = """\
<pivotCacheDefinition xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.\
openxmlformats.org/officeDocument/2006/relationships" r:id="rId1" refreshOnLoad="1" recordCount="0"><cacheSource \
type="worksheet"><worksheetSource ref="A3:B6" sheet="汇总表"/></cacheSource><cacheFields count="2"><cacheField \
name="a" numFmtId="0"><sharedItems/></cacheField><cacheField name="b" \
numFmtId="0"><sharedItems/></cacheField></cacheFields>\
</pivotCacheDefinition>"""
RECORDS = """\
<pivotCacheRecords xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" count="0"/>"""
PIVOT = """\
<pivotTableDefinition xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" name="透视表1" cacheId="1" \
dataCaption="值" createdVersion="3"><location ref="D3:E5" firstHeaderRow="1" firstDataRow="1" firstDataCol="1"/>\
<pivotFields count="2"><pivotField axis="axisRow" showAll="0"><items count="1"><item t="default"/></items>\
</pivotField><pivotField dataField="1" showAll="0"/></pivotFields><rowFields count="1"><field x="0"/></rowFields>\
<rowItems count="1"><i t="grand"><x/></i></rowItems><colItems count="1"><i/></colItems><dataFields count="1">\
<dataField name="求和" fld="1" \
baseField="0" baseItem="0"/></dataFields></pivotTableDefinition>"""
_SHEETML = "application/vnd.openxmlformats-officedocument.spreadsheetml."


def add_pivot(path: Path) -> None:
    """Add a pivot table over our table to the office's sheet, as Excel lays its parts out."""
    book = Workbook(path.read_bytes())
    book.write("xl/pivotCache/pivotCacheDefinition1.xml", CACHE.encode(), _SHEETML + "pivotCacheDefinition+xml")
    book.write("xl/pivotCache/pivotCacheRecords1.xml", RECORDS.encode(), _SHEETML + "pivotCacheRecords+xml")
    book.write("xl/pivotTables/pivotTable1.xml", PIVOT.encode(), _SHEETML + "pivotTable+xml")
    kind = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/pivotCacheRecords"
    node = etree.fromstring(f'<Relationship Id="rId1" Type="{kind}"/>')
    book.copy_relations("xl/pivotCache/pivotCacheDefinition1.xml", [(node, "xl/pivotCache/pivotCacheRecords1.xml")])
    book.relate("xl/pivotTables/pivotTable1.xml", "pivotCacheDefinition", "xl/pivotCache/pivotCacheDefinition1.xml")
    (sheet,) = [sheet for sheet in book.sheets() if sheet.name == NOTES]
    book.relate(sheet.path, "pivotTable", "xl/pivotTables/pivotTable1.xml")
    key = book.relate(book.part, "pivotCacheDefinition", "xl/pivotCache/pivotCacheDefinition1.xml")
    caches = add(book.book, "pivotCaches")
    cache = add(caches, "pivotCache", cacheId="1")
    cache.set(q("id", OFFICE), key)
    path.write_bytes(book.finish())


@pytest.mark.application
def test_a_pivot_table_over_our_table_stays(path: Path) -> None:
    edit(path, lambda book: book.create_sheet(NOTES).__setitem__("A1", "透视"))
    regenerate(path)
    before = path.with_name("before.xlsx")
    before.write_bytes(path.read_bytes())
    add_pivot(path)
    assert_no_new_faults(before, path)
    assert assert_grafted(path) == ["sheet-carried"]
    sheet: Any = openpyxl.load_workbook(path)[NOTES]
    pivots = sheet._pivots
    assert [pivot.cache.cacheSource.worksheetSource.sheet for pivot in pivots] == ["汇总表"]
    _, problems = write_summary(path, FORM, portfolio(5), today=DAY)
    assert {p.code for p in problems} == {"sheet-carried", "summary-pivot-source"}


def with_macros(content: bytes) -> bytes:
    """Make a workbook one with macros: their part is of another kind, which is none of our business."""
    book = Workbook(content)
    book.write(
        "xl/vbaProject.bin", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "application/vnd.ms-office.vbaProject"
    )
    node = etree.fromstring(f'<Relationship Id="rIdV" Type="{VBA}"/>')
    root = etree.fromstring(book.read("xl/_rels/workbook.xml.rels"))
    node.set("Target", "vbaProject.bin")
    root.append(
        etree.fromstring(
            etree.tostring(node).replace(b"<Relationship ", b'<Relationship xmlns="%b" ' % RELATIONS.encode())
        )
    )
    book.write("xl/_rels/workbook.xml.rels", etree.tostring(root))
    book.fit_ending(".xlsm")
    for number, sheet in enumerate(book.sheets()):
        part = book.read(sheet.path)
        assert b"codeName" not in part
        named = b'<sheetPr codeName="Sheet%d"' % number
        part = (
            part.replace(b"<sheetPr", named, 1)
            if b"<sheetPr" in part
            else part.replace(b"<dimension", named + b"/><dimension", 1)
        )
        book.write(sheet.path, part)
    return book.finish()


VBA = "http://schemas.microsoft.com/office/2006/relationships/vbaProject"


@pytest.mark.application
def test_macros_stay_and_know_their_sheets(path: Path) -> None:
    macros = path.with_suffix(".xlsm")
    macros.write_bytes(with_macros(path.read_bytes()))
    names = code_names(macros)
    assert len(names) == 5 and None not in names
    assert assert_grafted(macros) == []
    assert code_names(macros) == names
    assert parts(macros)["xl/vbaProject.bin"][:4] == b"\xd0\xcf\x11\xe0"
    assert b"macroEnabled" in parts(macros)["[Content_Types].xml"]


def code_names(path: Path) -> list[bytes | None]:
    """Return the names by which macros know the sheets, in their order."""
    book = Workbook(path.read_bytes())
    found = (re.search(rb'codeName="([^"]*)"', book.read(sheet.path)) for sheet in book.sheets())
    return [match and match[1] for match in found]


@pytest.mark.application
def test_a_summary_for_macros_opens_before_it_has_any(tmp_path: Path) -> None:
    path = tmp_path / "2026.xlsm"
    write_summary(path, FORM, CONTENT, today=DAY)
    assert b"sheet.macroEnabled.main+xml" in parts(path)["[Content_Types].xml"]
    assert_valid([path])
    assert regenerate(path) == []


@pytest.mark.application
def test_a_conversation_on_the_offices_sheet_stays(path: Path) -> None:
    edit(path, lambda book: book.create_sheet(NOTES).__setitem__("A1", "x"))
    book = Workbook(path.read_bytes())
    (sheet,) = [sheet for sheet in book.sheets() if sheet.name == NOTES]
    space = "http://schemas.microsoft.com/office/spreadsheetml/2018/threadedcomments"
    text = f'<ThreadedComments xmlns="{space}"><threadedComment ref="A1" id="{{1}}"><text>对话</text></threadedComment>'
    book.write("xl/threadedComments/threadedComment1.xml", f"{text}</ThreadedComments>".encode(), "application/x")
    book.write("xl/persons/person.xml", f'<personList xmlns="{space}"/>'.encode(), "application/y")
    book.relate(sheet.path, "threadedComment", "xl/threadedComments/threadedComment1.xml")
    book.relate(book.part, "person", "xl/persons/person.xml")
    path.write_bytes(book.finish())
    assert assert_grafted(path) == ["sheet-carried"]


@pytest.mark.application
def test_the_order_of_calculation_is_dropped(path: Path) -> None:
    """It lists cells of our sheets that may hold no formula any more, which Excel would call damage."""
    edit(path, add_notes)
    book = Workbook(path.read_bytes())
    chain = f'<calcChain xmlns="{MAIN}"><c r="B1" i="6"/></calcChain>'
    book.write("xl/calcChain.xml", chain.encode(), _SHEETML + "calcChain+xml")
    book.relate(book.part, "calcChain", "xl/calcChain.xml")
    path.write_bytes(book.finish())
    assert_grafted(path)
    found = parts(path)
    assert "xl/calcChain.xml" not in found and b"calcChain" not in found["xl/_rels/workbook.xml.rels"]
    assert b"calcChain" not in found["[Content_Types].xml"] and b'fullCalcOnLoad="1"' in found["xl/workbook.xml"]


def test_the_command_takes_a_workbook_with_macros(path: Path) -> None:
    portfolio_file, out = path.with_name("p.yaml"), path.with_suffix(".xlsm")
    portfolio_file.write_text(canonical.dumps(FORM, CONTENT), encoding="utf-8")
    out.write_bytes(with_macros(path.read_bytes()))
    before = parts(out)
    arguments = [sys.executable, "-m", "kpixl", "summary", str(portfolio_file), "-o"]
    assert subprocess.run([*arguments, str(out)], check=False).returncode == 0
    assert parts(out)["xl/vbaProject.bin"] == before["xl/vbaProject.bin"]
    assert subprocess.run([*arguments, str(path.with_suffix(".xls"))], check=False).returncode == 3


@pytest.mark.application
def test_a_workbook_that_was_signed_loses_its_signature(path: Path) -> None:
    """No changed file can keep one; Excel would call it invalid."""
    edit(path, add_notes)
    book = Workbook(path.read_bytes())
    book.write("_xmlsignatures/origin.sigs", b"", "application/x")
    book.relate("", "digital-signature/origin", "_xmlsignatures/origin.sigs")
    path.write_bytes(book.finish())
    assert_grafted(path)
    assert not any("signature" in name for name in parts(path)) and b"origin" not in parts(path)["_rels/.rels"]


def test_comments_on_our_sheets_are_listed_and_kept_in_the_copy(path: Path) -> None:
    def comment(book: Any) -> None:
        book["汇总表"]["B4"].comment = Comment("为什么？", "李四")

    edit(path, comment)
    assert "批注（B4 为什么？）" in message(path)
    assert regenerate(path) == ["summary-not-carried"]


def test_a_picture_on_our_sheet_is_kept_in_the_copy(path: Path) -> None:
    def draw(book: Any) -> None:
        for name in ("概览", "汇总表"):
            book[name].add_image(Image(io.BytesIO(PNG)), "H9")

    edit(path, draw)
    pillow = pytest.importorskip("PIL")
    assert pillow and regenerate(path) == ["summary-not-carried", "summary-not-carried"]
    assert not any(name.startswith("xl/media") for name in parts(path))


def test_a_sheet_that_has_the_name_of_ours_keeps_it(tmp_path: Path) -> None:
    path = tmp_path / "x.xlsx"
    book = openpyxl.Workbook()
    book.create_sheet("汇总表", 0)["A1"] = "别人的"
    book.worksheets[1].title, book.worksheets[1]["A1"] = "b", "=汇总表!A1"
    book.save(path)
    assert regenerate(path) == ["sheet-carried", "sheet-carried", "summary-not-ours"]
    names = openpyxl.load_workbook(path)
    assert names["汇总表"]["A1"].value == "别人的" and names["b"]["A1"].value == "=汇总表!A1"
    assert names["汇总表（2）"]["A1"].value.endswith("汇总表") and names["概览"]["A5"].value.startswith(
        "=COUNTA('汇总表（2）'!"
    )
    assert regenerate(path) == ["sheet-carried", "sheet-carried"]


def test_another_workbook_of_ours_is_not_grafted_into(tmp_path: Path) -> None:
    path = tmp_path / "x.xlsx"
    path.write_bytes(build_template(FORM, CONTENT))
    assert "kpixl 生成的另一种工作簿" in message(path)
    assert regenerate(path) == ["summary-not-ours", "summary-not-carried"]
    assert openpyxl.load_workbook(path).sheetnames[:2] == ["概览", "汇总表"]


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
        path.write_bytes(content)
        written, problems = write_summary(path, FORM, CONTENT, today=DAY)
        assert path in [item.path for item in written], problems
        assert our_values(path.read_bytes()) == our_values(build_summary(FORM, CONTENT)[0])
