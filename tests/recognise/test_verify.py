"""The second look into .xls, .ods and .xlsb, and what is said where no second look is possible.

For .xlsx its cases are data, see test_reading.py.
"""

from __future__ import annotations

import io
import re
import resource
import struct
import zipfile
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from kpixl.a1 import CellRef, parse_a1
from kpixl.collection.consolidate import consolidate
from kpixl.collection.model import Collection
from kpixl.forms.definition import Form
from kpixl.output.template import build_template
from kpixl.portfolio.model import Portfolio
from kpixl.readers import DEFAULT_LIMITS, read_grids
from kpixl.readers.biff import old_literals
from kpixl.readers.ole import SIGNATURE
from kpixl.readers.package import OpenedPackage
from kpixl.recognise import inspect_ods, inspect_xls, inspect_xlsx
from tests import xlsb
from tests.applications import Office, gnumeric
from tests.packages import number, old_workbook, record
from tests.packages import package as zipped
from tests.recognise.test_reading import BASE, facts, table, write
from tests.strategies import form_of

DOUBTFUL: dict[str, Any] = {
    "B4": {"formula": "=清单!B2"},
    "B5": {"serial": 46023},
    "B11": {"formula": "=NA()"},
    "F9": {"formula": "=-合规"},
    "F13": {"percent": 1},
    "F14": {"formula": "=1/0"},
    "F16": {"percent": 0.95},
}


def read(path: Path) -> Collection:
    return consolidate([path], [form_of("shanghai-target")], workers=0)


def told(result: Collection) -> dict[str, str]:
    return {p.location.address or "": p.code for p in result.problems}


def looks(result: Collection) -> int:
    return sum(file.second_looks for file in result.files)


@pytest.fixture(scope="module")
def doubtful(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write({"cells": DOUBTFUL}, tmp_path_factory.mktemp("doubtful"))


def saved(source: Path, kind: str, office: Office, folder: Path) -> Path:
    program, _, ending = kind.rpartition(" ")
    if program == "Gnumeric":
        return gnumeric(source, folder / f"book.{ending}")
    return office.convert(source, folder, ending)


@pytest.mark.parametrize("kind", ["xls", "ods", "Gnumeric xls"])
def test_what_is_in_doubt_is_looked_up(kind: str, doubtful: Path, office: Office, tmp_path: Path) -> None:
    result = read(saved(doubtful, kind, office, tmp_path))
    (project,) = result.portfolio.projects
    assert facts(project)[-4:] == [
        "产出指标 | 数量指标 | 参与人数 |  | 100 | %",
        "产出指标 | 质量指标 | 达标率",
        "产出指标 | 时效指标 | 完成时间 | 定性 | 2026年12月31日前完成",
        "满意度指标 | 服务对象满意度指标 | 满意度 |  | 95 | %",
    ]
    assert told(result) == {
        "B4": "cell-error",
        "B5": "value-normalised",
        "B11": "cell-error",
        "F9": "cell-error",
        "F13": "value-normalised",
        "F14": "cell-error",
        "F16": "value-normalised",
    }
    shown = {p.location.address: p.message() for p in result.problems if p.code == "cell-error"}
    assert "#DIV/0!" in shown["F14"] and "#N/A" in shown["B11"]
    assert looks(result) == 1


@pytest.mark.parametrize("kind", ["xls", "ods", "Gnumeric xls"])
def test_a_formula_that_spells_a_number_is_read_as_typed(kind: str, office: Office, tmp_path: Path) -> None:
    """In a cell of the general format =100% is worth 1 and shows 1."""
    formulas = {"F13": "=100%", "F14": "=(98.5%)", "F16": "=95%"}
    source = write({"cells": {cell: {"formula": text} for cell, text in formulas.items()}}, tmp_path)
    result = read(saved(source, kind, office, tmp_path))
    assert facts(result.portfolio.projects[0])[-4:] == [
        "产出指标 | 数量指标 | 参与人数 | = | 100 | %",
        "产出指标 | 质量指标 | 达标率 | = | 98.5 | %",
        "产出指标 | 时效指标 | 完成时间 | 定性 | 2026年12月31日前完成",
        "满意度指标 | 服务对象满意度指标 | 满意度 | = | 95 | %",
    ]
    assert told(result) == dict.fromkeys(formulas, "value-normalised")


# Tokens as [MS-XLS] 2.5.198 numbers them: 1E a whole number, 1F any number, 14 per cent, 13 minus, 15 brackets, 19 40
# blanks, 44 a cell, 05 times.
@pytest.mark.parametrize(
    ("tokens", "formula"),
    [
        ("1e6400 14", "=100%"),
        ("1f 0000000000a05840 14 15", "=(98.5%)"),
        ("19400001 1e0500 13", "=-5"),
        ("1f 0000000000005940 12", "=+100"),
        ("1e6400 14 1e6400 14 05", None),
        ("44 0100 02c0 14", None),
        ("1e6414", "=5220"),
        ("1e64", None),
        ("14", None),
        ("", None),
        ("1e6400" + "15" * 62, None),
    ],
)
def test_the_tokens_of_a_number_in_a_xls(tokens: str, formula: str | None) -> None:
    spelled = bytes.fromhex(tokens)
    cell = struct.pack("<3Hd", 2, 3, 0, 1) + bytes(6) + struct.pack("<H", len(spelled)) + spelled
    content = old_workbook(record(0x06, cell), number(0, 0) + record(0x06, cell))
    found = {} if formula is None else {("S2", 2, 3): formula}
    assert old_literals(content, {("S2", 2, 3), ("S2", 3, 2), ("S1", 0, 0)}) == found


@pytest.mark.parametrize("kind", ["xls", "ods"])
def test_days_counted_from_1904(kind: str, office: Office, tmp_path: Path) -> None:
    source = write({"cells": {"B5": {"serial": 44561}}, "date1904": True}, tmp_path)
    result = read(office.convert(source, tmp_path / "out", kind))
    assert facts(result.portfolio.projects[0])[5] == "start: 2026-01-01"
    assert (told(result), looks(result)) == ({"B5": "value-normalised"}, 1)


@pytest.mark.parametrize("kind", ["xlsx", "xls", "ods"])
def test_an_error_where_nothing_need_stand_is_said_in_a_sheet_as_sent(
    kind: str, example: tuple[Form, Portfolio], example_template: Path, calculator: Office, tmp_path: Path
) -> None:
    """A blank optional cell is nothing to report, but a formula that somebody typed there and that fails is."""
    book = openpyxl.load_workbook(example_template)
    sheet = book.worksheets[1]
    for cell in ("B11", "F8", "G13"):
        sheet[cell] = "=1/0"
    path = tmp_path / "errors.xlsx"
    book.save(path)
    result = consolidate([calculator.convert(path, tmp_path / "out", kind)], [example[0]], workers=0)
    found = {p.location.address: p.message() for p in result.problems if p.code == "cell-error"}
    assert set(found) == {"B11", "F8", "G13"}
    assert all("#DIV/0!" in message for message in found.values())


def test_a_formula_without_a_value_where_nothing_need_stand_is_said(
    example: tuple[Form, Portfolio], example_template: Path, tmp_path: Path
) -> None:
    book = openpyxl.load_workbook(example_template)
    book.worksheets[1]["F8"] = "=40000+2000"
    path = tmp_path / "uncached.xlsx"
    book.save(path)
    result = consolidate([path], [example[0]], workers=0)
    assert {p.location.address for p in result.problems if p.code == "formula-uncached"} >= {"F8"}


@pytest.mark.parametrize("kind", ["xls", "ods"])
def test_a_file_without_doubt_is_not_opened_twice(
    kind: str, example: tuple[Form, Portfolio], example_template: Path, office: Office, tmp_path: Path
) -> None:
    result = consolidate([office.convert(example_template, tmp_path, kind)], [example[0]], workers=0)
    assert (len(result.portfolio.projects), looks(result)) == (13, 0)


def test_a_stale_total_in_an_ods_is_added_up_anew(office: Office, tmp_path: Path) -> None:
    source = write({"cells": {"F6": {"formula": "=F7+F8+F9"}}}, tmp_path)
    path = office.convert(source, tmp_path / "out", "ods")
    rewrite(path, "content.xml", b'office:value="600000"', b'office:value="650000"')
    result = read(path)
    assert (told(result), looks(result)) == ({}, 1)


def rewrite(path: Path, part: str, old: bytes, new: bytes) -> None:
    """Replace bytes in a part of a package; all of the part where `old` is nothing."""
    with zipfile.ZipFile(path) as package:
        parts = {name: package.read(name) for name in package.namelist()}
    assert old in parts[part]
    parts[part] = parts[part].replace(old, new) if old else new
    with zipfile.ZipFile(path, "w") as package:
        for name, content in parts.items():
            package.writestr(name, content)


# --- where no second look is possible -----------------------------------------------------------


def binary(folder: Path, cells: dict[str, Any]) -> Path:
    rows = [{c: v for c, v in enumerate(row) if v is not None} for row in table(BASE["grid"])]
    for address, value in cells.items():
        rows[int(address[1:]) - 1]["ABCDEFG".index(address[0])] = value
    path = folder / "book.xlsb"
    path.write_bytes(xlsb.workbook(rows))
    return path


def test_a_binary_workbook_says_what_it_cannot_tell(tmp_path: Path) -> None:
    result = read(binary(tmp_path, {"B5": 46023.0, "B11": "#N/A", "F16": 0.95}))
    (project,) = result.portfolio.projects
    assert facts(project)[-1] == "满意度指标 | 服务对象满意度指标 | 满意度 |  | 0.95"
    problems = {p.code: p for p in result.problems}
    assert told(result) == {"": "blank-unverified", "B5": "value-normalised", "F16": "value-unverified"}
    assert "B11" in problems["blank-unverified"].message()
    assert "“0.95”读作“0.95”，但也可能是“95%”" in problems["value-unverified"].message()
    assert looks(result) == 0


@pytest.mark.parametrize(("flags", "day"), [(0, "2026-01-01"), (1, "2030-01-02")])
def test_a_binary_workbook_tells_its_date_system(flags: int, day: str, tmp_path: Path) -> None:
    path = binary(tmp_path, {"B5": 46023.0})
    parts = OpenedPackage(path.read_bytes(), DEFAULT_LIMITS)
    properties = b"\x99\x01\x0c" + bytes([flags]) + bytes(11)
    book = parts.read("xl/workbook.bin").replace(b"\x8f\x01\0", properties + b"\x8f\x01\0")
    path.write_bytes(parts.changed({"xl/workbook.bin": book}))
    result = read(path)
    assert day in map(str, result.portfolio.projects[0].values.values())
    assert told(result)["B5"] == "value-normalised"


def plain(value: Any) -> object:
    if isinstance(value, date):
        return value.isoformat()
    return value if isinstance(value, str) else float(value)


def test_an_error_in_a_binary_workbook_as_sent_is_said(example: tuple[Form, Portfolio], tmp_path: Path) -> None:
    """Also where nothing need stand: without the error, nothing is said of the blank cells."""
    form, portfolio = example
    content = build_template(form, replace(portfolio, projects=portfolio.projects[:1]))
    grid = next(g for g in read_grids(content, "x.xlsx").grids if (g.name or "").startswith("01"))
    rows = [{c: plain(value) for c, value in enumerate(row) if value != ""} for row in grid.rows]
    path = tmp_path / "book.xlsb"
    path.write_bytes(xlsb.workbook(rows))
    assert "blank-unverified" not in told(read(path)).values()
    rows[10][1] = "#N/A"
    path.write_bytes(xlsb.workbook(rows))
    (problem,) = [p for p in read(path).problems if p.code == "blank-unverified"]
    assert "B11" in problem.message()


def test_an_xlsx_that_openpyxl_cannot_open_says_so(tmp_path: Path) -> None:
    path = write({"cells": {"B5": {"serial": 46023}, "F16": {"percent": 0.95}, "B11": {"error": "#N/A"}}}, tmp_path)
    rewrite(path, "xl/styles.xml", b"<cellXfs", b"<cellXfs><broken")
    result = read(path)
    assert told(result) == {"B5": "value-unverified", "F16": "value-unverified", "B11": "cell-error"}
    assert looks(result) == 1


def test_an_ods_with_a_document_type_is_refused(office: Office, tmp_path: Path) -> None:
    path = office.convert(write({"cells": {"F16": {"percent": 0.95}}}, tmp_path), tmp_path / "out", "ods")
    rewrite(path, "content.xml", b"?>", b'?><!DOCTYPE x [<!ENTITY y "z">]>')
    assert told(read(path)) == {"": "not-a-workbook"}


@pytest.mark.parametrize("content", [b"", SIGNATURE, SIGNATURE + bytes(4096), b"x" * 600])
def test_what_xlrd_cannot_open_is_no_look(content: bytes) -> None:
    assert inspect_xls.look(content, [("表", CellRef(0, 0))]) is None


@pytest.mark.parametrize(
    "content",
    [
        "",
        "<a>",
        "<!DOCTYPE x><a/>",
        '<t:table xmlns:t="urn:oasis:names:tc:opendocument:xmlns:table:1.0"><t:table-row/>',
    ],
)
def test_what_expat_cannot_read_is_no_look(content: str) -> None:
    assert inspect_ods.look(package(content), [("表", CellRef(0, 0))]) is None


def package(content: str) -> OpenedPackage:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as target:
        target.writestr("content.xml", content)
    return OpenedPackage(stream.getvalue(), DEFAULT_LIMITS)


def test_repeated_rows_and_cells_notes_and_tables_within_tables() -> None:
    names = {"office": "office", "table": "table", "text": "text"}
    declared = " ".join(f'xmlns:{p}="urn:oasis:names:tc:opendocument:xmlns:{n}:1.0"' for p, n in names.items())
    percent = (
        '<table:table-cell office:value-type="percentage" office:value="0.5"{}><text:p>50%</text:p>{}'
        "</table:table-cell>"
    )
    note = "<office:annotation><text:p>#N/A</text:p></office:annotation>"
    inner = f'<table:table table:name="内"><table:table-row>{percent.format("", "")}</table:table-row></table:table>'
    error = '<table:table-cell table:formula="of:=[.A1]/[内.B2:.C3]"><text:p>Err:502</text:p>{}</table:table-cell>'
    rows = (
        '<table:table-row table:number-rows-repeated="3"><table:table-cell table:number-columns-repeated="2"/>'
        + percent.format(' table:number-columns-repeated="4"', inner)
        + "</table:table-row><table:table-row><table:covered-table-cell/>"
        + error.format(note)
        + '<table:table-cell table:formula="of:=B1"/></table:table-row>'
    )
    content = f'<x {declared}><table:table table:name="外">{rows}</table:table><broken'
    wanted = [("外", parse_a1(address)) for address in ("B2", "C1", "F3", "G3", "B4", "C4")]
    found = inspect_ods.look(package(content), wanted)
    assert found is not None  # what is broken behind the last sheet asked for was not reached
    assert [found.cells[place].percent for place in wanted[:3]] == [False, True, True]
    assert wanted[3] not in found.cells
    assert found.broken[wanted[4]] == ("=A1/内.B2:C3", "Err:502")
    assert found.broken[wanted[5]] == ("=B1", "")


# --- .xlsx --------------------------------------------------------------------------------------

FORMATS = ("General", "0%", "0.00%", "0.0%;[Red]-0.0%", "yyyy-mm-dd", "0.00")
FORMULAS = ("=1+1", "=100%", '=IF(A1>1,"<&>","")', "=SUM(A1:A3)")
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
SPELLINGS = {
    "as openpyxl spells": (),
    "with prefixes": ((r"<(/?)(?=\w+[\s/>])", r"<\1x:"), (f'xmlns="{MAIN}"', f'xmlns:x="{MAIN}"')),
    "single quotes": ((r"\"", "'"), (r"=''", '=""')),
    "cells without places": ((r'<(c|row) r="[A-Z]*\d+"', r"<\1"),),
    "no dimension": ((r"<dimension [^>]*>", ""),),
    "a wrong dimension": ((r"<dimension [^>]*>", '<dimension ref="A1"/>'),),
}


def many() -> bytes:
    """Make a workbook of two sheets with every format and formula."""
    book = openpyxl.Workbook()
    for sheet in (book.worksheets[0], book.create_sheet("其他")):
        for row, form in enumerate(FORMATS, 1):
            for col, value in enumerate((1, "x", 0.5, *FORMULAS, None), 1):
                sheet.cell(row, col, value).number_format = form
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def respelled(content: bytes, *changes: tuple[str, str]) -> bytes:
    """Change what all parts of XML but the relations spell, by patterns."""
    parts = {}
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for name in archive.namelist():
            text = archive.read(name).decode()
            for pattern, new in changes if name.startswith("xl/") and not name.endswith(".rels") else ():
                text = re.sub(pattern, new, text)
            parts[name] = text
    return zipped(parts)


@pytest.mark.parametrize("changes", SPELLINGS.values(), ids=SPELLINGS)
def test_the_quick_way_sees_what_a_whole_reading_sees(changes: tuple[tuple[str, str], ...]) -> None:
    assert_agrees(respelled(many(), *changes))


def test_the_quick_way_sees_what_a_whole_reading_sees_in_a_template(example_template: Path) -> None:
    assert_agrees(example_template.read_bytes())


def assert_agrees(content: bytes) -> None:
    """Compare formulas and formats of all filled cells with those of the workbook as openpyxl opens it whole."""
    cells = [cell for sheet in openpyxl.load_workbook(io.BytesIO(content)) for row in sheet.iter_rows() for cell in row]
    expected = {
        (cell.parent.title, CellRef(cell.row - 1, cell.column - 1)): (
            str(cell.value) if cell.data_type == "f" else None,
            "%" in cell.number_format,
        )
        for cell in cells
        if cell.value is not None
    }
    seen = inspect_xlsx.look(OpenedPackage(content, DEFAULT_LIMITS), expected)
    assert seen is not None and expected
    assert {place: (found.formula, found.percent) for place, found in seen.cells.items()} == expected


def test_a_formula_that_cells_share_is_spelled_as_each_reads_it() -> None:
    row = (
        '<row r="50"><c r="E50"><f t="shared" ref="E50:G50" si="0">SUM(E51:E53)</f><v>1</v></c>'
        '<c r="G50"><f t="shared" si="0"/><v>1</v></c></row></sheetData>'
    )
    content = respelled(many(), ("</sheetData>", row))
    seen = inspect_xlsx.look(
        OpenedPackage(content, DEFAULT_LIMITS), [("Sheet", parse_a1(cell)) for cell in ("E50", "G50", "I9")]
    )
    assert seen is not None
    formulas = {str(cell): found.formula for (_, cell), found in seen.cells.items()}
    assert formulas == {"E50": "=SUM(E51:E53)", "G50": "=SUM(G51:G53)"}


def test_what_stands_around_a_cell_in_doubt_takes_no_memory() -> None:
    """A merged range over a whole sheet takes openpyxl, opening it whole, two minutes and 3 GiB."""
    merged = '</sheetData><mergeCells><mergeCell ref="B1:XFD1048576"/></mergeCells>'
    content = respelled(many(), ("</sheetData>", merged))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    seen = inspect_xlsx.look(OpenedPackage(content, DEFAULT_LIMITS), [("Sheet", CellRef(1, 0))])
    assert seen is not None and seen.cells["Sheet", CellRef(1, 0)].percent
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000  # KiB


def test_a_workbook_with_too_many_styles_is_not_looked_at_again(tmp_path: Path) -> None:
    """What cannot be told in reasonable time is said, as where openpyxl cannot open a file."""
    path = write({"cells": {"F16": {"percent": 0.95}}}, tmp_path)
    styles = b'<xf numFmtId="9" fontId="0" fillId="0" borderId="0" xfId="0"/>' * (inspect_xlsx.MAX_READ // 50)
    rewrite(path, "xl/styles.xml", b"</cellXfs>", styles + b"</cellXfs>")
    assert told(read(path)) == {"F16": "value-unverified"}


SHOWN: dict[str, Any] = {
    "F7": {"shown": ['0"万元"', 50]},
    "F9": {"rich": ["~400000", "100000"]},
    "F13": {"rich": ["10", "^2"]},
    "F14": {"shown": ["0%", 15]},
    "B3": {"shown": ["0%", 1]},
}


@pytest.mark.parametrize("kind", ["xls", "ods"])
def test_what_cells_show_is_read_from_other_kinds_of_files_too(kind: str, office: Office, tmp_path: Path) -> None:
    result = read(saved(write({"cells": SHOWN}, tmp_path), kind, office, tmp_path))
    (project,) = result.portfolio.projects
    values = project.values
    assert values["name"] == "100%"
    assert values["funding.annual.appropriation"] == 500_000
    assert values["funding.annual.other"] == 100_000
    assert facts(project)[-4:-2] == [
        "产出指标 | 数量指标 | 参与人数 | 定性 | 10²",
        "产出指标 | 质量指标 | 达标率 |  | 1500 | %",
    ]
    assert told(result) == {
        "B3": "value-normalised",
        "F7": "value-as-displayed",
        "F9": "struck-out",
        "F13": "value-normalised",
        "F14": "value-normalised",
    }


@pytest.mark.parametrize("kind", ["xls", "ods"])
def test_a_part_typed_as_text_counts_in_a_total_that_did_not_add_it(kind: str, office: Office, tmp_path: Path) -> None:
    formula = '=IF(COUNT(F7,F8,F9)=0,"",SUM(F7,F8,F9))'
    cells = {"F6": {"formula": formula}, "F7": "60万", "F8": "", "F9": ""}
    result = read(saved(write({"cells": cells}, tmp_path), kind, office, tmp_path))
    assert result.portfolio.projects[0].values["funding.annual.amount"] == 600_000
    assert told(result) == {"F7": "value-normalised"}
