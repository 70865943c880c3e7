"""Hostile files: refused or read within bounds, said in one clear sentence, at the cost of nothing but themselves."""

from __future__ import annotations

import io
import multiprocessing
import os
import signal
import socket
import struct
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, NoReturn

import openpyxl
import pytest

from kpixl.collection import intake, one_file
from kpixl.collection.consolidate import consolidate
from kpixl.collection.intake import Job, read_files
from kpixl.forms.definition import Form
from kpixl.output.summary import write_summary
from kpixl.output.template import build_template
from kpixl.portfolio import canonical
from kpixl.portfolio.model import Portfolio
from kpixl.readers import FileReading, Limits, Opened, biff, open_content, read_grids
from kpixl.readers.limits import DEFAULT_LIMITS, LimitError, label, names, raising, setting, with_settings
from tests.packages import (
    BOF,
    EOF,
    compound,
    document,
    number,
    ods_cell,
    ods_row,
    old_workbook,
    package,
    packed_record,
    packed_workbook,
    record,
    rows,
    spreadsheet,
    workbook,
)
from tests.readers.test_containers import ONE, TEXT, zipped
from tests.recognise.test_reading import BASE, table

pytestmark = pytest.mark.workers

SMALL = Limits(sheet_cells=100_000, table_cells=100_000)
CORNER = rows({"A1": "><v>1</v></c>", "XFD1048576": "><v>1</v></c>"})


def refused(reading: FileReading) -> tuple[str, str | None, str]:
    """Return the only problem: its code, its sheet, and the bound to raise."""
    (only,) = reading.problems
    option = str(only.details.get("option", ""))
    assert option in only.hint()
    assert option in only.hint("en")
    return only.code, only.location.sheet, option.removeprefix("--limit ").partition("=")[0]


# --- declared, repeated and far-off cells -------------------------------------------------------

FAR = {
    "xls, a far column": old_workbook(number(0, 0) + number(65_535, 65_535)),
    "xls, a far column of several": old_workbook(
        number(65_535, 0) + record(0xBD, struct.pack("<2H", 0, 999) + bytes(14))
    ),
    "xls, a far text": old_workbook(number(0, 0) + record(0x204, struct.pack("<3H", 65_535, 65_535, 0) + b"\1\0\0x")),
    "xls, a far formula": old_workbook(number(0, 0) + record(0x06, struct.pack("<2H", 65_535, 40_000) + bytes(18))),
    "xlsb": packed_workbook({(0, 0): 1, (1_048_575, 16_383): 1}),
    "xlsb, a formula that shows an error": packed_workbook({(0, 0): 1, (1_048_575, 16_383): None}),
    "xlsb, a column that is none": packed_workbook({(0, 0): 1, (1, 0xFFFFFFFE): 1}),
    "xlsx": workbook([CORNER]),
    "ods, rows": spreadsheet(ods_row(ods_cell(repeated=100), repeated=1_000_000)),
    "ods, blank rows between": spreadsheet(
        ods_row(ods_cell(repeated=100)) + ods_row(repeated=1_000_000) + ods_row(ods_cell())
    ),
    "ods, columns": spreadsheet(ods_row(ods_cell(None, 16_000), ods_cell()) * 100 + ods_row(ods_cell()) * 100),
    "ods, columns of many rows": spreadsheet(ods_row(ods_cell(repeated=16_384)) * 1_000),
    "ods, covered": spreadsheet(ods_row(ods_cell().replace("table-cell", "covered-table-cell"), repeated=1_000_000)),
}


@pytest.mark.parametrize("content", FAR.values(), ids=FAR)
def test_a_sheet_that_reaches_too_far_takes_no_memory(content: bytes) -> None:
    reading = read_grids(content, "x", SMALL)
    assert refused(reading) == ("sheet-too-large", "S1", "sheet-cells")
    assert not reading.grids


@pytest.mark.parametrize(
    "content", [packed_workbook({(0, 0): 1, (1_048_575, 16_383): 1}, {(0, 0): 1}), workbook([CORNER, ONE])]
)
def test_where_sheets_are_read_one_by_one_one_that_is_too_large_costs_itself_only(content: bytes) -> None:
    reading = read_grids(content, "x")
    assert [(grid.name, grid.rows) for grid in reading.grids] == [("S2", [[1]])]
    assert refused(reading) == ("sheet-too-large", "S1", "sheet-cells")


def test_where_all_sheets_are_read_at_once_they_count_together() -> None:
    wide = number(0, 0) + number(300, 200)
    for content in (old_workbook(wide, wide), spreadsheet(*[ods_row(ods_cell(repeated=60), repeated=1_000)] * 2)):
        assert refused(read_grids(content, "x", SMALL)) == ("bound-exceeded", None, "sheet-cells")
        assert len(read_grids(content, "x").grids) == 2


@pytest.mark.parametrize(
    "content",
    [
        old_workbook(number(0, 0) + number(3, 2) + record(0xBD, struct.pack("<3HiHiH", 1, 1, 0, 6, 0, 6, 2))),
        packed_workbook({(0, 0): 1, (3, 2): 1}),
        spreadsheet(ods_row(ods_cell()) + ods_row(repeated=2) + ods_row(ods_cell(None, 2), ods_cell())),
    ],
    ids=["xls", "xlsb", "ods"],
)
def test_what_is_counted_is_what_is_read(content: bytes) -> None:
    (grid,) = read_grids(content, "x", Limits(sheet_cells=12)).grids
    assert (len(grid.rows), {len(row) for row in grid.rows}) == (4, {3})
    assert refused(read_grids(content, "x", Limits(sheet_cells=11)))[0] == "sheet-too-large"


@pytest.mark.parametrize("kind", [0, 2, 5, 7, 10])
def test_a_packed_record_without_its_place_is_refused(kind: int) -> None:
    name, parts = "xl/worksheets/sheet1.bin", parts_of(packed_workbook({(0, 0): 1}))
    end = packed_record(0x92)
    far = packed_record(0x25, b"\xff\xff\xff\x7f")  # what a reader has in hand when the short record comes
    part = bytes(parts[name])  # type: ignore[arg-type]
    content = package({**parts, name: part.replace(end, far + packed_record(kind) + end)})
    assert refused(read_grids(content, "x"))[0] == "not-a-workbook"


@pytest.mark.parametrize(
    "dimensions",
    [struct.pack("<2I3H", 0, 1 << 31, 0, 256, 0), struct.pack("<2I3H", 9, 3, 0, 256, 0)],
    ids=["beyond all sheets", "ends before it begins"],
)
def test_a_range_that_a_sheet_only_declares_takes_no_memory(dimensions: bytes) -> None:
    assert refused(read_grids(old_workbook(record(0x200, dimensions) + number(0, 0)), "x"))[0] == "not-a-workbook"


def test_sheets_of_an_old_workbook_that_lie_over_each_other_are_refused() -> None:
    content = old_workbook(number(0, 0) * 14, *[b""] * 11, places=[224] * 12)
    assert refused(read_grids(content, "x"))[0] == "not-a-workbook"


def test_rows_that_hang_down_beside_each_other_take_no_time() -> None:
    content = "<table>" + '<tr><td rowspan="65534" colspan="1">x</td></tr>' * 2_000 + "</table>"
    assert refused(read_grids(content.encode(), "x.html", SMALL)) == ("sheet-too-large", None, "table-cells")


@pytest.mark.parametrize("text", ["x\n", "x\r\n", "x\t", "x,", "x;"])
def test_lines_and_cells_of_text_count(text: str) -> None:
    content = text.encode() * 100_001
    assert refused(read_grids(content, "x.csv", SMALL)) == ("sheet-too-large", None, "table-cells")
    assert read_grids(text.encode() * 50_000, "x.csv", SMALL).grids


@pytest.mark.parametrize("before", ["", '<!DOCTYPE x [<!ENTITY a "b">]>'], ids=["no end", "entities"])
def test_a_spreadsheet_without_an_end_is_refused(before: str) -> None:
    content = spreadsheet(ods_row(ods_cell()), before=before, closed=bool(before))
    assert refused(read_grids(content, "x.ods"))[0] == "not-a-workbook"


@pytest.mark.parametrize(
    "content",
    [
        spreadsheet(ods_row(ods_cell("x" * 1_000, 100), repeated=100)),
        spreadsheet(ods_row(ods_cell('<text:s text:c="4000000000"/>'))),
        workbook([rows({f"A{n}": ' t="s"><v>0</v></c>' for n in range(1, 30)})], ["x" * 100_000]),
    ],
    ids=["repeated", "blanks", "shared"],
)
def test_text_that_is_repeated_is_refused_before_it_is_copied(content: bytes) -> None:
    assert refused(read_grids(content, "x", Limits(text_bytes=1 << 20))) == ("bound-exceeded", None, "text-bytes")


SHARED_TEXT = "文" * 50
IN_TEN_CELLS = {
    "xls": old_workbook(
        b"".join(record(0xFD, struct.pack("<3HI", 0, n, 0, 0)) for n in range(10)),
        strings=record(0xFC, struct.pack("<2IHB", 10, 1, 50, 1) + SHARED_TEXT.encode("utf-16-le")),
    ),
    "xlsb": packed_workbook({(0, n): bytes(4) for n in range(10)}, strings=[SHARED_TEXT]),
}


@pytest.mark.parametrize("content", IN_TEN_CELLS.values(), ids=IN_TEN_CELLS)
def test_a_string_that_cells_of_a_binary_workbook_share_counts_for_each(content: bytes) -> None:
    (grid,) = read_grids(content, "x", Limits(text_bytes=1_500)).grids
    assert grid.rows == [[SHARED_TEXT] * 10]
    assert refused(read_grids(content, "x", Limits(text_bytes=1_499))) == ("bound-exceeded", None, "text-bytes")


def spelled(text: str, flags: int = 0, more: bytes = b"", after: bytes = b"") -> bytes:
    """Spell a shared string of a .xls."""
    return struct.pack("<HB", len(text), flags) + more + text.encode("utf-16-le" if flags & 1 else "latin-1") + after


@pytest.mark.parametrize(
    ("records", "sizes"),
    [
        ((spelled("abc") + spelled("文文", 1) + spelled(""),), [3, 6, 0]),
        (
            (spelled("ab", 8, b"\1\0", bytes(4)) + spelled("c", 5, b"\5\0\0\0", bytes(5) + b"") + spelled("d"),),
            [2, 3, 1],
        ),
        ((spelled("abcd")[:-2], b"\0cd" + spelled("e")), [4, 1]),
        ((spelled("abcd")[:-2], b"\1c\0d\0" + spelled("e")), [8, 1]),
        ((spelled("ab", 8, b"\2\0", bytes(3)), bytes(5) + spelled("e")), [2, 1]),
        ((spelled("a"), spelled("b")), [1, 1]),
    ],
    ids=["plain", "fonts and readings", "goes on", "goes on in two bytes", "fonts go on", "ends with it"],
)
def test_shared_strings_of_an_old_workbook_are_measured(records: tuple[bytes, ...], sizes: list[int]) -> None:
    first, *more = records
    head = struct.pack("<2I", 9, len(sizes))
    stream = BOF + record(0xFC, head + first) + b"".join(record(0x3C, each) for each in more) + EOF
    assert biff.shared_sizes(stream) == sizes


NOT_THERE = (struct.pack("<2I", 1, 0x7FFFFFFF), struct.pack("<2IH", 1, 1, 9), struct.pack("<2IHB", 1, 1, 9, 0))


@pytest.mark.parametrize("strings", NOT_THERE)
def test_shared_strings_that_are_not_there_take_no_memory(strings: bytes) -> None:
    content = old_workbook(number(0, 0) * 4, strings=record(0xFC, strings))
    assert refused(read_grids(content, "x"))[0] == "not-a-workbook"


TEXTS = {
    "lines": ("x.txt", "a\n" * 110_000),
    "other ends of lines": ("x.txt", "a\f" * 110_000),
    "cells": ("x.csv", "a," * 110_000),
    "a separator that is told": ("x.csv", "sep=|\n" + "a|" * 110_000),
}


@pytest.mark.parametrize(("file", "text"), TEXTS.values(), ids=TEXTS)
def test_text_of_too_many_cells_is_refused_before_it_is_taken_apart(file: str, text: str) -> None:
    assert refused(read_grids(text.encode(), file, SMALL)) == ("sheet-too-large", None, "table-cells")
    assert not read_grids(text.encode(), file).problems


# --- merges, styles, nesting --------------------------------------------------------------------


def merged(*areas: str) -> bytes:
    """Make a workbook of 1,000 rows and 100 columns with merged ranges."""
    spelled = "".join(f'<mergeCell ref="{area}"/>' for area in areas)
    return workbook([rows({"A1": "><v>1</v></c>", "CV1000": "><v>1</v></c>"}) + f"<mergeCells>{spelled}</mergeCells>"])


def read_one(content: bytes, form: Form, folder: Path, limits: Limits = DEFAULT_LIMITS) -> intake.FileResult:
    """Read some content as a file, in this process."""
    path = folder / "x"
    path.write_bytes(content)
    (result,) = read_files([Job(path, "x")], [form], limits, workers=0)
    return result


# Large files are made by the test that reads them, not by each worker that collects the tests.
MERGES: dict[str, Callable[[], bytes]] = {
    "xlsx": lambda: merged(*(f"A{n}:B{n}" for n in range(1, 1_000_001))),
    "xls": lambda: old_workbook(number(0, 0) + record(0xE5, struct.pack("<H", 65_535)) * 16),
}


@pytest.mark.parametrize("content", MERGES.values(), ids=MERGES)
def test_a_million_merges_are_refused(content: Callable[[], bytes]) -> None:
    assert refused(read_grids(content(), "x")) == ("bound-exceeded", None, "merges")


def test_merges_that_lie_over_each_other_again_and_again_cost_their_sheet(
    example: tuple[Form, Portfolio], tmp_path: Path
) -> None:
    content = merged(*["A1:CV1000"] * 2)
    (only,) = read_one(content, example[0], tmp_path, Limits(sheet_cells=199_999)).problems
    assert (only.code, only.location.sheet) == ("sheet-too-large", "S1")
    (only,) = read_one(content, example[0], tmp_path, Limits(sheet_cells=200_000)).problems
    assert only.code == "no-form"


def parts_of(content: bytes) -> dict[str, str | bytes]:
    """Unpack a package."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_a_million_styles_are_read() -> None:
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    styles = f'<styleSheet xmlns="{main}"><cellXfs>' + '<xf numFmtId="0"/>' * 1_000_000 + "</cellXfs></styleSheet>"
    content = package({**parts_of(workbook([ONE])), "xl/styles.xml": styles})
    assert read_grids(content, "x.xlsx").grids[0].rows == [[1]]


DEEP: dict[str, Callable[[], bytes]] = {
    "xlsx": lambda: workbook(["<x>" * 100_000 + "</x>" * 100_000 + ONE]),
    "ods": lambda: spreadsheet("<table:x>" * 100_000 + "</table:x>" * 100_000 + ods_row(ods_cell())),
    "docx": lambda: document("<w:sdt>" * 100_000 + "</w:sdt>" * 100_000),
    "html": lambda: ("<table><tr><td>" * 100_000).encode(),
    "xml": lambda: (
        b'<?xml version="1.0"?><Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet">'
        + b"<Worksheet>" * 20_000
        + b"</Worksheet>" * 20_000
        + b"</Workbook>"
    ),
}


@pytest.mark.parametrize("layers", [1, 2])
def test_a_stream_of_a_pdf_that_unpacks_to_too_much_is_refused(layers: int) -> None:
    stream = b"q " * (1 << 20)
    for _ in range(layers):
        stream = zlib.compress(stream)
    content = b"%PDF-1.4\n1 0 obj\n<< /Filter /FlateDecode >>\nstream\n" + stream + b"\nendstream\nendobj\n"
    limits = replace(DEFAULT_LIMITS, text_bytes=1 << 20)
    assert [p.code for p in read_grids(content, "x.pdf", limits).problems] == ["bound-exceeded"]
    larger = replace(DEFAULT_LIMITS, text_bytes=1 << 22)
    assert [p.code for p in read_grids(content, "x.pdf", larger).problems] != ["bound-exceeded"]


def test_a_cell_of_text_that_is_too_long_is_said_in_words() -> None:
    (problem,) = read_grids(b"a,b\n1," + b"x" * 200_000, "x.csv").problems
    assert "有一格的内容过长" in problem.message()


@pytest.mark.parametrize("kind", DEEP)
def test_deep_nesting_ends_in_a_result(kind: str, example: tuple[Form, Portfolio], tmp_path: Path) -> None:
    path = tmp_path / "deep"
    path.write_bytes(DEEP[kind]())
    (result,) = read_files([Job(path, "deep")], [example[0]], workers=1)
    assert {problem.code for problem in result.problems} <= {"not-a-workbook", "no-form", "no-sheets"}
    assert result.problems


def _tangled(part: str, old: str, new: str) -> bytes:
    """Make a workbook with a sheet that reaches far, and change a part of it."""
    parts = parts_of(workbook([CORNER]))
    spelled = bytes(parts[part]).decode()  # type: ignore[arg-type]
    assert old in spelled
    return package({**parts, part: spelled.replace(old, new)})


MANY = 200_000
_SHEET, _BOOK, _RELATIONS = "xl/worksheets/sheet1.xml", "xl/workbook.xml", "xl/_rels/workbook.xml.rels"
TANGLED: dict[str, Callable[[], bytes]] = {
    "comments": lambda: b"<!---->" * 500 + b"x",
    "blanks": lambda: b" " * 4_096 + b"x",
    "a rule that is none": lambda: b"-" * 1_000_000 + b"x",
    "cells without an end": lambda: _tangled(_SHEET, "</sheetData></worksheet>", "<c " * MANY),
    "cells without a place": lambda: _tangled(_SHEET, "</sheetData>", "<c " * MANY + "</sheetData>"),
    "a cell with many places": lambda: _tangled(_SHEET, "</sheetData>", "<c" + ' r="A1"' * MANY + "/></sheetData>"),
    "sheets without an end": lambda: _tangled(_BOOK, "</workbook>", "<sheet " * MANY),
    "a sheet with half an attribute": lambda: _tangled(_BOOK, "<sheets>", f"<sheets><sheet {'a' * MANY}>"),
    "relations without an end": lambda: _tangled(_RELATIONS, "</Relationships>", "<Relationship " * MANY),
    "values without an end": lambda: package(
        {
            **parts_of(workbook([], ["x" * MANY])),
            _SHEET: "<worksheet><sheetData>" + "<v " * MANY,
        }
    ),
}


@pytest.mark.parametrize("content", TANGLED.values(), ids=TANGLED)
def test_what_is_tangled_is_followed_once_only(
    content: Callable[[], bytes], example: tuple[Form, Portfolio], tmp_path: Path
) -> None:
    """Each took minutes; the problem says what is wrong, be it damage, a bound, or that there is no form."""
    (problem,) = read_one(content(), example[0], tmp_path).problems
    assert problem.code in {"not-a-workbook", "sheet-too-large", "no-form", "no-sheets"}


def test_a_zip_that_unpacks_to_itself_and_more_is_refused(example: tuple[Form, Portfolio], tmp_path: Path) -> None:
    bomb = zipped(("a.txt", bytes(1 << 20)))
    for _ in range(6):
        bomb = zipped(*((f"{n}.zip", bomb) for n in range(10)))
    path = tmp_path / "bomb.zip"
    path.write_bytes(bomb)
    results = read_files([Job(path, "bomb.zip")], [example[0]], workers=0)
    assert {problem.code for result in results for problem in result.problems} == {"bound-exceeded"}


@pytest.mark.parametrize("above", [False, True])
def test_stray_cells_without_number_are_told_up_to_a_number(
    above: bool, example: tuple[Form, Portfolio], tmp_path: Path
) -> None:
    page = "\n".join("\t".join("" if cell is None else str(cell) for cell in row) for row in table(BASE["grid"]))
    strays = "\n".join(["\t".join(["散"] * 20)] * 100)
    content = "\n".join([strays, page] if above else [page, "\t" * 8 + strays.replace("\n", "\n" + "\t" * 8)])
    (found,) = read_one(content.encode(), example[0], tmp_path).forms
    told = Counter(problem.code for problem in found.problems)
    (more,) = [problem for problem in found.problems if problem.code == "problems-many"]
    assert (told["stray-text"], more.details["count"], more.severity) == (1_000, 1_000, "warning")
    assert more.location.address is not None
    assert "stray-text" in more.message()


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.slow
def test_files_of_one_name_without_number_are_told_apart(example: tuple[Form, Portfolio], tmp_path: Path) -> None:
    path = tmp_path / "same.zip"
    path.write_bytes(zipped(*[("a.txt", TEXT)] * 15_000))
    results = read_files([Job(path, "z")], [example[0]], workers=0)
    assert len({result.file for result in results}) == 15_000
    assert results[-1].file.endswith("a (15000).txt")


# --- what files reach out for -------------------------------------------------------------------


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nothing connect to anything."""

    def never(*_: object, **__: object) -> None:
        raise AssertionError("reading a file must not connect to anything")

    monkeypatch.setattr(socket, "socket", never)
    monkeypatch.setattr(socket, "getaddrinfo", never)


LINKED = rows({"A1": "><f>[1]Sheet1!A1</f><v>5</v></c>", "A2": "><f>cmd|'/C calc'!A0</f><v>0</v></c>"})
OUTSIDE = {
    "external workbook": (LINKED, [5, 0]),
    "picture of a page": ('<html><img src="http://x.invalid/p.png"><table><tr><td>5</td></tr></table>', ["5"]),
    "style of a page": (
        '<html><link rel=stylesheet href="file:///etc/passwd"><table><tr><td>5</td></tr></table>',
        ["5"],
    ),
}


@pytest.mark.usefixtures("offline")
@pytest.mark.parametrize(("text", "expected"), OUTSIDE.values(), ids=OUTSIDE)
def test_links_are_not_followed(text: str, expected: list[object]) -> None:
    link = '<externalLink xmlns="x"><ddeLink ddeService="cmd" ddeTopic="/C calc"/></externalLink>'
    linked = package({**parts_of(workbook([text])), "xl/externalLinks/externalLink1.xml": link})
    (grid,) = read_grids(text.encode() if text.startswith("<html>") else linked, "x").grids
    assert [cell for row in grid.rows for cell in row if cell != ""] == expected


ENTITY = '<!DOCTYPE x [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
INCLUDING = {
    "xlsx": workbook([rows({"A1": ' t="str"><v>&x;</v></c>'})]),
    "ods": spreadsheet(ods_row(ods_cell("&x;")), before=ENTITY),
    "docx": document("<w:p><w:r><w:t>&x;</w:t></w:r></w:p>"),
    "html": f"{ENTITY}<html><table><tr><td>&x;</td></tr></table></html>".encode(),
    "xml": f'<?xml version="1.0"?>{ENTITY}<Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet">'
    "<Worksheet><Table><Row><Cell><Data>&x;</Data></Cell></Row></Table></Worksheet></Workbook>".encode(),
}
for _kind, _part in (("xlsx", "xl/worksheets/sheet1.xml"), ("docx", "word/document.xml")):
    _parts = parts_of(INCLUDING[_kind])
    INCLUDING[_kind] = package({**_parts, _part: ENTITY.encode() + bytes(_parts[_part])})  # type: ignore[arg-type]


@pytest.mark.usefixtures("offline")
@pytest.mark.parametrize("content", INCLUDING.values(), ids=INCLUDING)
def test_no_file_of_this_computer_is_read_into_another(content: bytes) -> None:
    reading = read_grids(content, "x")
    assert "root:" not in str([grid.rows for grid in reading.grids])


@pytest.mark.usefixtures("offline")
def test_a_workbook_with_macros_is_read_for_its_values(
    example: tuple[Form, Portfolio], example_template: Path, tmp_path: Path
) -> None:
    form, portfolio = example
    parts = parts_of(example_template.read_bytes())
    plain, macros = "openxmlformats-officedocument.spreadsheetml.sheet.main", "ms-excel.sheet.macroEnabled.main"
    types = bytes(parts["[Content_Types].xml"]).decode()  # type: ignore[arg-type]
    assert plain in types
    parts["[Content_Types].xml"] = types.replace(plain, macros)
    path = tmp_path / "x.xlsm"
    path.write_bytes(package({**parts, "xl/vbaProject.bin": compound({"VBA": b"Shell"})}))
    result = consolidate([path], [form], workers=0)
    assert canonical.dumps(form, result.portfolio) == canonical.dumps(form, portfolio)


@pytest.mark.parametrize(
    "text", ["=cmd|' /C calc'!A0", "@SUM(1+1)*cmd|' /C calc'!A0", '+HYPERLINK("http://x.invalid")']
)
def test_a_command_typed_as_text_stays_text_to_the_end(
    text: str, example: tuple[Form, Portfolio], tmp_path: Path
) -> None:
    form, portfolio = example
    first = portfolio.projects[0]
    typed = replace(first, values={**first.values, "name": text, "goal.annual": text})
    path = tmp_path / "filled.xlsx"
    path.write_bytes(build_template(form, replace(portfolio, projects=(typed,))))
    result = consolidate([path], [form], workers=0)
    (project,) = result.portfolio.projects
    assert (project.values["name"], project.values["goal.annual"]) == (text, text)
    assert canonical.loads(canonical.dumps(form, result.portfolio), lambda _: form)[1] == result.portfolio
    summary = tmp_path / "summary.xlsx"
    write_summary(summary, form, result.portfolio, lang="zh")
    cells = [cell for sheet in openpyxl.load_workbook(summary) for row in sheet.iter_rows() for cell in row]
    assert {cell.data_type for cell in cells if cell.value == text} == {"s"}
    assert not any("cmd|" in str(cell.value) for cell in cells if cell.data_type == "f")


# --- a container in which there is no sheet -----------------------------------------------------

_NO_SHEETS = '<?xml version="1.0"?><Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet"></Workbook>'
EMPTY = {
    "zip": zipped(),
    "xlsx": workbook([]),
    "strict": workbook([], strict=True),
    "xlsb": packed_workbook(),
    "xls": old_workbook(),
    "ods": spreadsheet(),
    "docx": document(""),
    "docx, blank": document("<w:p/><w:tbl/>"),
    "html": b"<html><body></body></html>",
    "html, table": b"<html><body><table></table></body></html>",
    "xml": _NO_SHEETS.encode(),
    "text": b" \n\t\n",
}


@pytest.mark.parametrize("content", EMPTY.values(), ids=EMPTY)
def test_a_container_without_sheets_is_an_error(
    content: bytes, example: tuple[Form, Portfolio], tmp_path: Path
) -> None:
    result = read_one(content, example[0], tmp_path)
    assert [(problem.code, problem.severity) for problem in result.problems] == [("no-sheets", "error")]


def test_a_file_of_no_bytes_is_called_empty(example: tuple[Form, Portfolio], tmp_path: Path) -> None:
    (only,) = read_one(b"", example[0], tmp_path).problems
    assert (only.code, only.severity, "空" in only.message()) == ("file-empty", "error", True)


BLANK = {
    "xlsx": workbook([rows({}), rows({})]),
    "xlsb": packed_workbook({}),
    "xls": old_workbook(b""),
    "ods": spreadsheet(ods_row(ods_cell(None))),
}


@pytest.mark.parametrize("content", BLANK.values(), ids=BLANK)
def test_blank_sheets_alone_are_an_error(content: bytes, example: tuple[Form, Portfolio], tmp_path: Path) -> None:
    result = read_one(content, example[0], tmp_path)
    assert [(problem.code, problem.severity) for problem in result.problems] == [("no-form", "error")]


# --- a worker that dies -------------------------------------------------------------------------


def _killed(*_: object) -> NoReturn:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError


def _aborted(*_: object) -> NoReturn:
    os.abort()


def _out_of_memory(*_: object) -> NoReturn:
    raise MemoryError


DEATHS = {
    "killed": (_killed, "reader-died", ""),
    "aborted": (_aborted, "bound-exceeded", "memory-bytes"),
    "out of memory": (_out_of_memory, "bound-exceeded", "memory-bytes"),
}


@pytest.mark.skipif(
    "fork" not in multiprocessing.get_all_start_methods(), reason="workers are forked, so that the change reaches them"
)
@pytest.mark.parametrize(("die", "code", "bound"), DEATHS.values(), ids=DEATHS)
def test_a_worker_that_dies_costs_its_file_only(
    die: Callable[..., Opened],
    code: str,
    bound: str,
    example: tuple[Form, Portfolio],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(
        one_file, "open_content", lambda content, limits: (die if content == b"bad" else open_content)(content, limits)
    )
    jobs = []
    for n in range(40):
        path = tmp_path / f"{n}.txt"
        path.write_bytes(b"bad" if n == 13 else TEXT)
        jobs.append(Job(path, path.name))
    results = read_files(jobs, [example[0]], workers=2)
    assert [result.file for result in results] == [job.shown for job in jobs]
    assert {p.code for result in results if result.file != "13.txt" for p in result.problems} == {"no-form"}
    (problem,) = results[13].problems
    assert (problem.code, bound in problem.hint()) == (code, True)


# --- --limit ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "name", "value"),
    [
        ("file-bytes=200M", "file_bytes", 200 << 20),
        ("file_bytes = 1g", "file_bytes", 1 << 30),
        ("memory-bytes=1.5GiB", "memory_bytes", 3 << 29),
        ("text-bytes=4096", "text_bytes", 4096),
        ("sheet-cells=5", "sheet_cells", 5),
        ("Seconds=0.5", "seconds", 0.5),
    ],
)
def test_a_limit_is_set_as_it_is_typed(typed: str, name: str, value: float) -> None:
    expected: dict[str, Any] = {name: value}
    assert with_settings([typed]) == replace(DEFAULT_LIMITS, **expected)


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ("sheet-cels=5", "sheet-cells"),
        ("xyz=5", "memory-bytes"),
        ("pages", "="),
        ("pages=5M", "pages=500"),
        ("pages=2.5", "pages=500"),
        ("pages=0", "pages=500"),
        ("pages=-1", "pages=500"),
        ("seconds=inf", "seconds=120"),
        ("seconds=1e9", "seconds=120"),
        ("file-bytes=９", "file-bytes=64M"),
        ("file-bytes=9999999999999999", "file-bytes=64M"),
        ("file-bytes=", "file-bytes=64M"),
    ],
)
def test_a_limit_that_cannot_be_says_what_can(typed: str, says: str) -> None:
    with pytest.raises(LimitError) as caught:
        with_settings([typed])
    assert says in caught.value.message("zh")
    assert says in caught.value.message("en")


@pytest.mark.parametrize("name", [each.name for each in fields(Limits)])
def test_what_a_message_says_to_type_raises_the_bound(name: str) -> None:
    limit = getattr(DEFAULT_LIMITS, name)
    assert all(label(name))
    for needed in (0, limit + 1, limit * 3 + 7):
        raised = with_settings([raising(name, DEFAULT_LIMITS, needed).removeprefix("--limit ")])
        assert getattr(raised, name) >= max(needed, limit + 1)
        assert replace(raised, **{name: limit}) == DEFAULT_LIMITS
    assert with_settings([setting(name, limit)]) == DEFAULT_LIMITS


def test_every_bound_has_a_name_to_type() -> None:
    assert list(names().values()) == [each.name for each in fields(Limits)]
