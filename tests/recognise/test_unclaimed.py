"""What is typed outside the forms is quoted with its cell; what kpixl wrote there itself is not."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from pathlib import Path

import openpyxl
import pytest
from openpyxl.cell.cell import MergedCell
from openpyxl.workbook import Workbook
from openpyxl.worksheet.worksheet import Worksheet

from kpixl.a1 import parse_a1
from kpixl.collection.consolidate import consolidate
from kpixl.collection.one_file import FileResult, Job, read_file
from kpixl.collection.review import review
from kpixl.forms.definition import Form
from kpixl.forms.load import load_form as form_of
from kpixl.forms.values import Raw
from kpixl.output.annotate import write_marked
from kpixl.output.template import build_template
from kpixl.portfolio.model import Portfolio
from kpixl.portfolio.own_texts import OwnSheet, Rows, is_as_sent, is_furniture, own_sheet, own_sheet_id, typed_on
from kpixl.portfolio.sheet_id import HINT, MAX_LENGTH, OWN_SHEET, PREFIX, STATUS
from kpixl.problems import Location, Problem
from kpixl.readers import read_grids
from kpixl.recognise.extract import Extractor
from kpixl.recognise.labels import FoundTable, Heading
from kpixl.recognise.unknown_columns import unknown_columns
from tests.applications import Office

COVER = "填报说明"


def read(path: Path, form: Form) -> FileResult:
    (result,) = read_file(Job(path, path.name), Extractor([form]))
    return result


def problems(result: FileResult) -> list[Problem]:
    return [*result.problems, *(p for form in result.forms for p in form.problems)]


def texts(result: FileResult) -> dict[Location, object]:
    """Map the places of what was found outside the forms to its text."""
    return {p.location: p.details["text"] for p in problems(result) if p.code == "stray-text"}


def typed_everywhere(book: Workbook, names: Iterable[str]) -> dict[tuple[str, str], str]:
    """Type a text of its own into every other row of some sheets, but sheet ids; return them by sheet and cell."""
    typed: dict[tuple[str, str], str] = {}
    for name in names:
        sheet = book[name]
        for row in [*sheet.iter_rows(max_row=sheet.max_row + 2, max_col=sheet.max_column + 2)][::2]:
            for cell in row:
                if isinstance(cell, MergedCell) or str(cell.value).startswith(PREFIX):
                    continue
                cell.value = f"请看{name}{cell.coordinate}"
                typed[name, cell.coordinate] = cell.value
    return typed


def without_texts(book: Workbook) -> None:
    """Take from the sheet ids what older versions did not write there."""
    for name in (COVER, OWN_SHEET):
        for cell in book[name][1]:
            if isinstance(cell.value, str) and cell.value.startswith(PREFIX):
                facts = json.loads(cell.value)
                assert facts.pop("texts") and facts.pop("all")
                cell.value = json.dumps(facts, ensure_ascii=False, separators=(",", ":"))


def own_sheets(path: Path) -> list[tuple[Rows, OwnSheet]]:
    """Return the cells and the sheet id of each sheet that is no form."""
    grids = [grid.rows for grid in read_grids(path.read_bytes(), path.name).grids]
    return [(rows, own) for rows in grids if (own := own_sheet(rows)) is not None]


# --- as sent ----------------------------------------------------------------------------------


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_a_template_as_sent_has_nothing_outside_its_forms(
    lang: str, example: tuple[Form, Portfolio], tmp_path: Path
) -> None:
    form, portfolio = example
    for number, part in enumerate((portfolio, replace(portfolio, projects=()), replace(portfolio, year=None))):
        path = tmp_path / f"{number}.xlsx"
        path.write_bytes(build_template(form, part, lang=lang))
        assert texts(read(path, form)) == {}
        assert [is_as_sent(rows, own) for rows, own in own_sheets(path)] == [True, True]
        assert all(p.code != "sheet-skipped" for p in problems(read(path, form)))


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("kind", ["xlsx", "ods", "xls"])
def test_another_program_that_saves_a_template_adds_nothing(
    kind: str, lang: str, example: tuple[Form, Portfolio], calculator: Office, tmp_path: Path
) -> None:
    form, portfolio = example
    path = tmp_path / "a.xlsx"
    path.write_bytes(build_template(form, portfolio, lang=lang))
    assert texts(read(calculator.convert(path, tmp_path / "out", kind), form)) == {}


@pytest.mark.parametrize("kind", ["xlsx", "ods", "xls"])
def test_a_template_of_before_the_digests_has_nothing_either(
    kind: str, example: tuple[Form, Portfolio], example_template: Path, calculator: Office, tmp_path: Path
) -> None:
    book = openpyxl.load_workbook(example_template)
    without_texts(book)
    book.save(path := tmp_path / "a.xlsx")
    saved = calculator.convert(path, tmp_path / "out", kind)
    assert texts(read(saved, example[0])) == {}


def test_a_deleted_sheet_and_a_moved_row_of_the_cover_are_nothing_typed(
    example: tuple[Form, Portfolio], example_template: Path, calculator: Office, tmp_path: Path
) -> None:
    book = openpyxl.load_workbook(example_template)
    book.remove(book.worksheets[2])
    book[COVER].delete_rows(4)
    book.save(path := tmp_path / "a.xlsx")
    assert texts(read(path, example[0])) == {}
    assert texts(read(calculator.convert(path, tmp_path / "out"), example[0])) == {}


# --- typed ------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["xlsx", "ods", "xls"])
def test_every_text_typed_on_cover_and_hidden_sheet_is_quoted(
    kind: str, example: tuple[Form, Portfolio], example_template: Path, office: Office, tmp_path: Path
) -> None:
    book = openpyxl.load_workbook(example_template)
    typed = typed_everywhere(book, (COVER, OWN_SHEET))
    book.save(path := tmp_path / "a.xlsx")
    if kind != "xlsx":
        path = office.convert(path, tmp_path / "out", kind)
    assert len(typed) > 500
    found = texts(read(path, example[0]))
    assert found == {Location(path.name, sheet, parse_a1(cell)): text for (sheet, cell), text in typed.items()}


@pytest.mark.parametrize(
    ("sheet", "cell", "value"),
    [
        (COVER, "B2", "联系人：张三"),
        (COVER, "A1", "某市科协 2027 年度绩效目标"),  # in place of the title
        (COVER, "D13", "另一单位"),  # in place of a project's unit
        (COVER, "E13", "已完成，待审核"),  # in place of a status
        (COVER, "H5", 7),
        (COVER, "E5", "0"),
        (COVER, "G30", "已完成"),
        (OWN_SHEET, "A40", "备注"),
        (OWN_SHEET, "D12", "人员类"),  # once more what is in the list already
        (OWN_SHEET, "C1", "1"),
    ],
)
def test_one_cell_is_quoted(
    sheet: str, cell: str, value: object, example: tuple[Form, Portfolio], example_template: Path, tmp_path: Path
) -> None:
    book = openpyxl.load_workbook(example_template)
    place = book[sheet][cell]
    if isinstance(place, MergedCell):
        (span,) = [s for s in book[sheet].merged_cells.ranges if cell in s]
        book[sheet].unmerge_cells(span.coord)
    book[sheet][cell].value = value
    book.save(path := tmp_path / "a.xlsx")
    assert texts(read(path, example[0])) == {Location("a.xlsx", sheet, parse_a1(cell)): str(value)}


@pytest.mark.parametrize("cell", ["A10", "B10", "C2", "E4", "F3", "F12", "A40", "C40"])
def test_the_places_that_an_older_template_leaves_blank_are_looked_at_too(
    cell: str, example: tuple[Form, Portfolio], example_template: Path, tmp_path: Path
) -> None:
    book = openpyxl.load_workbook(example_template)
    without_texts(book)
    sheet = book[COVER]
    for span in list(sheet.merged_cells.ranges):
        sheet.unmerge_cells(span.coord)
    sheet[cell].value = "联系人：张三"
    book.save(path := tmp_path / "a.xlsx")
    assert texts(read(path, example[0])) == {Location("a.xlsx", COVER, parse_a1(cell)): "联系人：张三"}


def test_beyond_the_bound_texts_are_counted(
    example: tuple[Form, Portfolio], example_template: Path, tmp_path: Path
) -> None:
    book = openpyxl.load_workbook(example_template)
    for row in range(50, 1_060):
        book[COVER].cell(row, 2).value = f"第 {row} 行"
    book.save(path := tmp_path / "a.xlsx")
    result = read(path, example[0])
    assert len(texts(result)) == 1_000
    (more,) = [p for p in result.problems if p.code == "problems-many"]
    assert more.details == {"count": 10, "code": "stray-text"}


def test_too_many_texts_for_a_cell_leave_the_places_to_go_by() -> None:
    sheet_id = own_sheet_id({"kind": "template"}, ((n, 3, f"第 {n} 项") for n in range(5_000)))
    rows = [[sheet_id, "", "", "kpixl.level1"], ["", "", "", "甲"], ["", "备注", "", "乙"]]
    own = own_sheet(rows)
    assert len(sheet_id) <= MAX_LENGTH and own is not None and "texts" not in own.facts
    assert list(typed_on(rows, own)) == [((2, 1), "备注")]


# --- beside a form ----------------------------------------------------------------------------


def test_texts_in_the_margin_are_quoted_whatever_they_begin_with(
    example: tuple[Form, Portfolio], example_template: Path, tmp_path: Path
) -> None:
    book = openpyxl.load_workbook(example_template)
    sheet = book.worksheets[1]
    typed = {"I13": "◆ 请财务处核对", "I16": "◇ 备注", "L4": "◆ 已完成，待审", "I20": "◇ 返回", "K1": "◆"}
    for cell, text in typed.items():
        sheet[cell].value = text
    book.save(path := tmp_path / "a.xlsx")
    assert texts(read(path, example[0])) == {
        Location("a.xlsx", sheet.title, parse_a1(cell)): text for cell, text in typed.items()
    }


def test_what_kpixl_writes_in_the_margin_is_known_whole() -> None:
    ours = ["已完成", "缺项 3", "金额不一致", "Finished", "Missing 12", "Amounts differ"]
    hints = ["返回项目清单", "Back to the list of projects"]
    assert all(map(is_furniture, [*(STATUS + text for text in ours), *(HINT + text for text in hints)]))
    theirs: list[Raw] = [
        STATUS + "缺项",
        STATUS + "缺项 3 处",
        HINT + "已完成",
        STATUS + "返回项目清单",
        STATUS,
        3,
        "已完成",
    ]
    assert not any(is_furniture(raw) for raw in theirs)


def test_another_year_in_the_subtitle_is_reported(
    example: tuple[Form, Portfolio], example_template: Path, tmp_path: Path
) -> None:
    form, _ = example
    book = openpyxl.load_workbook(example_template)
    sheet = book.worksheets[1]
    sheet["A2"].value = "(2027 年度)"
    book.worksheets[2]["A2"].value = "（2026年度）"
    book.save(path := tmp_path / "a.xlsx")
    result = consolidate([path], [form], workers=0)
    assert result.portfolio.year == 2026
    (found,) = [p for p in result.problems if p.code == "subtitle-differs"]
    assert found.location == Location("a.xlsx", sheet.title, parse_a1("A2"))
    assert "(2027 年度)" in found.message() and "(2027 年度)" in found.message("en")


def test_a_heading_over_a_form_that_is_not_the_markers_is_quoted(
    example: tuple[Form, Portfolio], example_template: Path, tmp_path: Path
) -> None:
    form, portfolio = example
    for heading, quoted in (
        (f"{portfolio.organization} 2026 年度项目绩效目标汇总表", False),
        (f"{portfolio.organization} 2027 年度项目绩效目标汇总表", True),
        ("邻市科协 2026 年度项目绩效目标汇总表", True),
    ):
        book = openpyxl.load_workbook(example_template)
        sheet = book.worksheets[1]
        _push_down(sheet)
        sheet["A1"].value = heading
        book.save(path := tmp_path / "a.xlsx")
        result = read(path, form)
        assert texts(result) == ({Location("a.xlsx", sheet.title, parse_a1("A1")): heading} if quoted else {})


def _push_down(sheet: Worksheet) -> None:
    spans = [span.coord for span in sheet.merged_cells.ranges]
    for span in spans:
        sheet.unmerge_cells(span)
    sheet.insert_rows(1)


# --- skipped sheets ---------------------------------------------------------------------------


def test_the_first_texts_of_a_skipped_sheet_are_quoted(
    example: tuple[Form, Portfolio], example_template: Path, tmp_path: Path
) -> None:
    book = openpyxl.load_workbook(example_template)
    other = book.create_sheet("说明")
    for number, cell in enumerate(("B2", "C2", "A3", "D4", "A9", "A10"), 1):
        other[cell].value = f"第{number}条"
    other["B2"].value = "长" * 100
    book.save(path := tmp_path / "a.xlsx")
    (found,) = [p for p in read(path, example[0]).problems if p.code == "sheet-skipped"]
    assert found.location == Location("a.xlsx", "说明")
    quoted = f"B2“{'长' * 39}…”、C2“第2条”、A3“第3条”、D4“第4条”、A9“第5条”……"
    assert quoted in found.message() and quoted in found.message("en")


# --- annotated copies -------------------------------------------------------------------------


def test_what_is_answered_beside_the_list_of_problems_is_quoted_and_marked_anew(
    example: tuple[Form, Portfolio], example_template: Path, tmp_path: Path
) -> None:
    form, _ = example
    book = openpyxl.load_workbook(example_template)
    typed_everywhere(book, [COVER])
    book[OWN_SHEET]["A40"].value = "备注"
    book.worksheets[1]["B3"].value = None
    book.save(tmp_path / "a.xlsx")
    copy = annotated(tmp_path / "a.xlsx", form, tmp_path / "first")
    before = texts(read(tmp_path / "a.xlsx", form))
    assert texts(read(copy, form)) == before != {}

    book = openpyxl.load_workbook(copy)
    book.worksheets[0]["I5"].value = "已改"
    book.worksheets[0]["H6"].value = "不必改"
    name = book.worksheets[0].title
    book.save(copy)
    answers = {Location("a.xlsx", name, parse_a1("I5")): "已改", Location("a.xlsx", name, parse_a1("H6")): "不必改"}
    assert texts(read(copy, form)) == {**before, **answers}
    again = annotated(copy, form, tmp_path / "second")
    assert texts(read(again, form)) == before


def annotated(path: Path, form: Form, folder: Path) -> Path:
    result = review([path], [form])
    (copy,), _ = write_marked(result.files, result.problems, folder, today=date(2026, 11, 25))
    assert copy.reason is None, copy.reason
    return copy.path


OTHER_LABEL = """项目支出绩效自评表
项目名称,购书经费,,,项目编码,A001
主管部门,市文旅局,,,实施单位,市图书馆
年度总体目标,预期目标,,,实际完成情况
,购书两万册,,,购书两万册
一级指标,二级指标,三级指标,年度指标值,实际完成值,分值,得分
产出指标,数量指标,购书量,2万册,2万册,100,100
"""


def test_a_label_of_another_form_is_no_part_of_the_value_before_it(tmp_path: Path) -> None:
    path = tmp_path / "自评.csv"
    path.write_text(OTHER_LABEL, encoding="utf-8")
    (result,) = read_file(Job(path, path.name), Extractor([form_of("shanghai-self-evaluation")]))
    (form,) = result.forms
    assert form.values["name"] == "购书经费"
    told = {p.location.address: p.message() for p in form.reported if isinstance(p, Problem)}
    assert "项目编码" in told["E2"] and "A001" in told["F2"]


def test_a_column_beside_two_tables_that_share_rows_is_told_once() -> None:
    strays: dict[tuple[int, int], Raw] = {(3, 9): "备注", (4, 9): "甲", (5, 9): "乙", (4, 8): "丙"}
    heading = Heading("name", 1, 1)
    tables = [FoundTable(key, 3, 6, (heading,), apart) for key, apart in (("left", False), ("right", False))]
    (column,) = unknown_columns(tables, strays)
    assert column == ((3, 9), ((4, 9), (5, 9)), False)


def test_a_column_that_numbers_the_rows_is_known() -> None:
    strays: dict[tuple[int, int], Raw] = {(3, 0): "序号", (4, 0): 1, (5, 0): "2."}
    (column,) = unknown_columns([FoundTable("t", 3, 6, (Heading("name", 1, 1),), False)], strays)
    assert column.numbers


def test_a_row_of_nothing_but_an_error_is_reported_and_no_row(
    example: tuple[Form, Portfolio], tmp_path: Path
) -> None:
    path = tmp_path / "表.xlsx"
    path.write_bytes(build_template(*example))
    book = openpyxl.load_workbook(path)
    sheet = book.worksheets[1]
    last = max(row for row in range(13, 40) if sheet.cell(row, 4).value)
    sheet.cell(last + 2, 4).value = "#REF!"
    sheet.cell(last + 2, 4).data_type = "e"
    book.save(path)
    result = consolidate([path], [example[0]], workers=0)
    assert result.portfolio.projects[0].tables == example[1].projects[0].tables
    told = [p for p in result.problems if p.location.address == f"D{last + 2}"]
    assert [(p.code, p.keys) for p in told] == [("cell-error", ())]
