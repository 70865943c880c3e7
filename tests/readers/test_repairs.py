"""What calamine reads wrong without a word, or refuses though Excel opens it: read rightly, or said with its cell."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from kpixl.collection.consolidate import consolidate
from kpixl.forms.definition import Form
from kpixl.portfolio import canonical
from kpixl.portfolio.model import Portfolio
from kpixl.readers import FileReading, Limits, read_grids
from kpixl.readers.package import OpenedPackage
from tests.packages import (
    compound,
    large_compound,
    ods_cell,
    ods_row,
    old_stream,
    package,
    packed_record,
    packed_workbook,
    record,
    rows,
    small_compound,
    spreadsheet,
    workbook,
)


def parts_of(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def first(reading: FileReading) -> list[list[Any]]:
    assert reading.problems == ()
    return [list(row) for row in reading.grids[0].rows]


# --- .xlsx: values ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        (' t="s"><v> 1 </v></c>', "one"),
        (' t="s"><v>\n  1\n</v></c>', "one"),
        (' t="s" cm="1"><v>\t1</v></c>', "one"),
        (" t='s'><v> 1</v></c>", "one"),
        (' t="s"><v xml:space="preserve">1 </v></c>', "one"),
        (' t="s"><v>&#49;</v></c>', "one"),
        (' t="s"><v><![CDATA[1]]></v></c>', "one"),
        (' t="s"><v><!-- -->1</v></c>', "one"),
        (' t="s"><v>01</v></c>', "one"),
        (' t="n"><v> 12 </v></c>', 12),
        ("><v>12&#49;</v></c>", 121),
        ("><v>12<!-- -->3</v></c>", 123),
        ("><v><![CDATA[12]]></v></c>", 12),
        ("><v>12<?x y?>3</v></c>", 123),
        (' t="str"><v><![CDATA[甲<乙]]></v></c>', "甲<乙"),
        (' t="str"><v>甲&#10;乙</v></c>', "甲\n乙"),
    ],
)
def test_a_value_is_read_however_it_is_spelled(cell: str, value: object) -> None:
    content = workbook([rows({"A1": cell, "B1": ' t="s"><v>0</v></c>'})], ["null", "one"])
    assert first(read_grids(content, "x.xlsx")) == [[value, "null"]]


def test_a_value_of_an_element_with_a_prefix_is_read() -> None:
    part = (
        b'<x:worksheet xmlns:x="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><x:sheetData><x:row r="1">'
    )
    part += b'<x:c r="A1"><x:v>12&#49;</x:v></x:c></x:row></x:sheetData></x:worksheet>'
    content = package({**parts_of(workbook([""])), "xl/worksheets/sheet1.xml": part})
    assert first(read_grids(content, "x.xlsx")) == [[121]]


@pytest.mark.parametrize("text", ["x", "1.0", "+1", "-1", "2", "99999999999", "１"])
def test_a_cell_whose_string_is_not_there_is_named_and_costs_itself_only(text: str) -> None:
    content = workbook([rows({"A1": ' t="s"><v>1</v></c>', "C7": f' t="s"><v>{text}</v></c>'})], ["null", "one"])
    reading = read_grids(content, "x.xlsx")
    assert reading.grids[0].rows[0][0] == "one"
    assert not any("null" in row for row in reading.grids[0].rows)
    (only,) = reading.problems
    assert (only.code, only.location.sheet, only.location.address) == ("cell-damaged", "S1", "C7")
    assert text in only.message()


def test_an_empty_value_of_a_shared_string_is_blank() -> None:
    content = workbook([rows({"A1": ' t="s"><v></v></c>', "B1": ' t="s"><v>1</v></c>'})], ["null", "one"])
    reading = read_grids(content, "x.xlsx")
    assert (reading.problems, [v for row in reading.grids[0].rows for v in row if v != ""]) == ((), ["one"])


# --- .xlsx, .xlsb, .xls: sheets that are none ----------------------------------------------------

ONE = rows({"A1": "><v>1</v></c>"})
MACRO = "http://schemas.microsoft.com/office/2006/relationships/xlMacrosheet"


def with_sheet(spelled: str, relation: str = "") -> bytes:
    content = workbook([ONE])
    parts = {name: part.decode() for name, part in parts_of(content).items()}
    parts["xl/workbook.xml"] = parts["xl/workbook.xml"].replace("</sheets>", f"{spelled}</sheets>")
    rels = "xl/_rels/workbook.xml.rels"
    parts[rels] = parts[rels].replace("</Relationships>", f"{relation}</Relationships>")
    return package(parts)


@pytest.mark.parametrize(
    ("spelled", "relation"),
    [
        ('<sheet name="模块1" sheetId="9" state="veryHidden" r:id=""/>', ""),
        ('<sheet name="模块1" sheetId="9" r:id="none"></sheet>', ""),
        (
            '<sheet name="模块1" sheetId="9" r:id="m"/>',
            f'<Relationship Id="m" Type="{MACRO}" Target="macrosheets/s.xml"/>',
        ),
    ],
)
def test_a_module_or_macro_sheet_costs_nothing(spelled: str, relation: str) -> None:
    reading = read_grids(with_sheet(spelled, relation), "x.xlsx")
    assert [(grid.name, grid.rows) for grid in reading.grids] == [("S1", [[1]])]
    assert [(p.code, p.location.sheet) for p in reading.problems] == [("sheet-skipped", "模块1")]


def test_a_state_that_is_none_hides_its_sheet_only() -> None:
    parts = {name: part.decode() for name, part in parts_of(workbook([ONE])).items()}
    parts["xl/workbook.xml"] = parts["xl/workbook.xml"].replace('name="S1"', 'name="S1" state="collapsed"')
    (grid,) = read_grids(package(parts), "x.xlsx").grids
    assert (grid.rows, grid.hidden) == ([[1]], True)


@pytest.mark.parametrize("kind", ["chartsheet", "dialogsheet"])
def test_a_chart_or_dialog_sheet_costs_nothing(kind: str) -> None:
    base = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    relation = f'<Relationship Id="c" Type="{base}/{kind}" Target="{kind}s/sheet1.xml"/>'
    reading = read_grids(with_sheet('<sheet name="图" sheetId="9" r:id="c"/>', relation), "x.xlsx")
    assert ([grid.name for grid in reading.grids], reading.problems) == (["S1"], ())


def test_a_sheet_whose_part_is_missing_is_named_without_english() -> None:
    base = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    relation = f'<Relationship Id="w" Type="{base}/worksheet" Target="worksheets/none.xml"/>'
    reading = read_grids(with_sheet('<sheet name="乙" sheetId="9" r:id="w"/>', relation), "x.xlsx")
    assert [grid.name for grid in reading.grids] == ["S1"]
    (only,) = reading.problems
    assert (only.code, only.location.sheet) == ("not-a-workbook", "乙")
    assert "缺少" in only.message()
    assert not any(c.isascii() and c.isalpha() for c in only.message())


@pytest.mark.parametrize("relation", ["", "macro"])
def test_a_module_or_macro_sheet_of_a_binary_workbook_costs_nothing(relation: str) -> None:
    parts = parts_of(packed_workbook({(0, 0): 1}))
    spelled = [struct.pack("<I", len(text)) + text.encode("utf-16-le") for text in (relation, "模块1")]
    bundle = packed_record(0x9C, struct.pack("<2I", 2, 9) + b"".join(spelled))
    book = parts["xl/workbook.bin"].replace(packed_record(0x90), bundle + packed_record(0x90))
    added = f'<Relationship Id="macro" Type="{MACRO}" Target="macrosheets/sheet1.bin"/></Relationships>'
    rels = parts["xl/_rels/workbook.bin.rels"].decode().replace("</Relationships>", added)
    content = package({**parts, "xl/workbook.bin": book, "xl/_rels/workbook.bin.rels": rels})
    reading = read_grids(content, "x.xlsb")
    assert [(grid.name, grid.rows) for grid in reading.grids] == [("S1", [[1]])]
    assert [(p.code, p.location.sheet) for p in reading.problems] == [("sheet-skipped", "模块1")]


@pytest.mark.parametrize(("kind", "said"), [(1, ["S2"]), (2, []), (6, []), (5, [])])
def test_a_sheet_of_another_kind_of_an_old_workbook_costs_nothing(kind: int, said: list[str]) -> None:
    stream = old_stream(_number(0, 0, 0, 1), b"", kinds=[0, kind], states=[0, 1])
    reading = read_grids(compound({"Workbook": stream}), "x.xls")
    assert [(grid.name, grid.rows) for grid in reading.grids] == [("S1", [[1]])]
    assert [p.location.sheet for p in reading.problems] == said


def test_a_state_that_is_none_of_an_old_workbook_costs_nothing() -> None:
    stream = old_stream(_number(0, 0, 0, 1), states=[0x3F])
    (grid,) = read_grids(compound({"Workbook": stream}), "x.xls").grids
    assert (grid.rows, grid.hidden) == ([[1]], True)


# --- .xls ---------------------------------------------------------------------------------------


def _number(row: int, col: int, style: int, value: float) -> bytes:
    return record(0x203, struct.pack("<3Hd", row, col, style, value))


def _label(row: int, col: int, text: str, *, wide: bool = True) -> bytes:
    spelled = text.encode("utf-16-le" if wide else "latin-1")
    return record(0x204, struct.pack("<3HHB", row, col, 0, len(text), wide) + spelled)


def _format(number: int, text: str) -> bytes:
    return record(0x41E, struct.pack("<HHB", number, len(text), 1) + text.encode("utf-16-le"))


def _style(number: int) -> bytes:
    return record(0xE0, struct.pack("<2H", 0, number) + bytes(16))


@pytest.mark.parametrize("page", [1252, 936, 65001, 0, 1200])
def test_texts_of_version_8_are_unicode_whatever_the_code_page(page: int) -> None:
    stream = old_stream(
        _label(0, 0, "项目") + _label(0, 1, "éb", wide=False), head=record(0x42, struct.pack("<H", page))
    )
    for content in (compound({"Workbook": stream}), small_compound("Workbook", stream)):
        assert first(read_grids(content, "x.xls")) == [["项目", "éb"]]


@pytest.mark.parametrize("number", [14, 22, 27, 36, 45, 46, 47, 50, 58])
def test_a_format_of_the_file_counts_and_not_what_excel_has_built_in(number: int) -> None:
    head = _format(164, "0.0") + _format(number, "#,##0.00") + _style(0) + _style(number)
    stream = old_stream(_number(0, 0, 1, 46000), head=head)
    assert first(read_grids(compound({"Workbook": stream}), "x.xls")) == [[46000]]


@pytest.mark.parametrize("number", [14, 50, 60, 400])
def test_a_date_format_of_the_file_is_one_whatever_its_number(number: int) -> None:
    stream = old_stream(_number(0, 0, 1, 46000), head=_format(number, "yyyy-mm-dd") + _style(0) + _style(number))
    assert first(read_grids(compound({"Workbook": stream}), "x.xls")) == [[date(2025, 12, 9)]]


def test_a_format_that_excel_has_built_in_stays() -> None:
    stream = old_stream(_number(0, 0, 1, 46000) + _number(0, 1, 0, 5), head=_style(0) + _style(57))
    assert first(read_grids(compound({"Workbook": stream}), "x.xls")) == [[date(2025, 12, 9), 5]]


def _shown(text: str, *, wide: bool) -> bytes:
    """Spell a formula that shows a text, over as many records as it takes."""
    room = (8_221 if not wide else 4_110, 8_223 if not wide else 4_111)  # characters in the first record, and others
    spelled = [text[: room[0]], *(text[at : at + room[1]] for at in range(room[0], len(text), room[1]))]
    data = [piece.encode("utf-16-le" if wide else "latin-1") for piece in spelled]
    formula = record(
        0x06, struct.pack("<3H", 1, 1, 0) + bytes(6) + b"\xff\xff" + struct.pack("<HIH", 0, 0, 3) + b"\x1e\1\0"
    )
    shown = record(0x207, struct.pack("<HB", len(text), wide) + data[0])
    return formula + shown + b"".join(record(0x3C, bytes([wide]) + piece) for piece in data[1:])


@pytest.mark.parametrize(
    ("text", "wide"), [("甲乙" * 8_000, True), ("ab" * 8_000, False), ("甲" * 4_110, True), ("c" * 8_222, False)]
)
def test_a_long_text_of_a_formula_is_read_whole(text: str, wide: bool) -> None:
    stream = old_stream(_number(0, 0, 0, 1) + _shown(text, wide=wide) + _number(2, 2, 0, 2))
    grid = first(read_grids(large_compound("Workbook", stream), "x.xls"))
    assert grid == [[1, "", ""], ["", text, ""], ["", "", 2]]


@pytest.mark.parametrize("version", [3, 0x3B, 4])
def test_a_header_with_wrong_counts_is_read(version: int) -> None:
    """ExcelLibrary, and programs on top of it, write another version, and count small sectors instead of tables."""
    content = bytearray(compound({"Workbook": old_stream(_label(0, 0, "项目"))}))
    struct.pack_into("<H", content, 26, version)
    struct.pack_into("<2I", content, 40, 70_000, 70_000)
    struct.pack_into("<I", content, 64, 70_000)
    assert first(read_grids(bytes(content), "x.xls")) == [["项目"]]


# --- .ods ---------------------------------------------------------------------------------------


def _cell(attributes: str, text: str = "<text:p>甲</text:p>") -> str:
    return f"<table:table-cell {attributes}>{text}</table:table-cell>"


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        (_cell('office:value-type="string" office:value="甲"'), "甲"),
        (_cell('office:value-type="string" office:value="5"'), "甲"),
        (_cell('office:value-type="float" office:value="五"'), "甲"),
        (_cell('office:value-type="float" office:value=""'), "甲"),
        (_cell('office:value-type="float"'), "甲"),
        (_cell('office:value-type="date"'), "甲"),
        (_cell(""), "甲"),
        (_cell('office:value="5"'), 5),
        (_cell('office:value-type="float" office:value="5"'), 5),
        (_cell("", "<office:annotation><text:p>批注</text:p></office:annotation><text:p>甲</text:p>"), "甲"),
    ],
)
def test_a_cell_of_a_spreadsheet_is_what_it_shows(cell: str, value: object) -> None:
    content = spreadsheet(ods_row(ods_cell(), cell, ods_cell()))
    assert first(read_grids(content, "x.ods")) == [["x", value, "x"]]


@pytest.mark.parametrize(
    "changed",
    [
        {"mimetype": None},
        {"mimetype": b"\n application/vnd.oasis.opendocument.spreadsheet\n"},
        {"mimetype": None, "META-INF/manifest.xml": None},
        {"META-INF/manifest.xml": None},
    ],
)
def test_a_spreadsheet_without_what_says_so_is_read(changed: Mapping[str, bytes | None]) -> None:
    parts = {**parts_of(spreadsheet(ods_row(ods_cell()))), **changed}
    content = package({name: part for name, part in parts.items() if part is not None})
    assert first(read_grids(content, "x.ods")) == [["x"]]


def test_a_spreadsheet_with_other_prefixes_is_read() -> None:
    parts = parts_of(spreadsheet(ods_row(ods_cell("甲"))))
    content = parts["content.xml"]
    for prefix in (b"office", b"table", b"text"):
        content = content.replace(b"xmlns:" + prefix + b"=", b"xmlns:n" + prefix + b"=")
        content = content.replace(b"<" + prefix + b":", b"<n" + prefix + b":")
        content = content.replace(b"</" + prefix + b":", b"</n" + prefix + b":")
        content = content.replace(b" " + prefix + b":", b" n" + prefix + b":")
    assert first(read_grids(package({**parts, "content.xml": content}), "x.ods")) == [["甲"]]


def test_what_is_put_right_stays_within_bounds() -> None:
    far = spreadsheet(ods_row(_cell('office:value-type="float" table:number-columns-repeated="1000"'), repeated=1_000))
    (only,) = read_grids(far, "x.ods", Limits(sheet_cells=1_000)).problems
    assert only.code == "sheet-too-large"


# --- the whole loop -----------------------------------------------------------------------------


def test_a_returned_workbook_with_spaced_values_gives_its_projects(
    example: tuple[Form, Portfolio], example_template: Path, tmp_path: Path
) -> None:
    form, portfolio = example
    path = tmp_path / "x.xlsx"
    openpyxl.load_workbook(example_template).save(path)
    parts = OpenedPackage(path.read_bytes(), Limits())
    spaced = {
        name: parts.read(name).replace(b"<v>", b"<v>\n ").replace(b"</v>", b" </v>")
        for name in parts.names
        if name.startswith("xl/worksheets/sheet")
    }
    path.write_bytes(parts.changed(spaced))
    result = consolidate([path], [form], workers=0)
    assert canonical.dumps(form, result.portfolio) == canonical.dumps(form, portfolio)
