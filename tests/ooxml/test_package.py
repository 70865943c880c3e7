"""Packages edited part by part: what is not changed stays, and no file makes us read or write outside of bounds."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence

import pytest

from kpixl.ooxml.cells import SheetCell, read_cells, shared_strings
from kpixl.ooxml.package import Package
from kpixl.ooxml.styles import EMPTY_STYLES, Styles
from kpixl.ooxml.workbook import Workbook
from kpixl.ooxml.xml import MAIN, PackageError, check, elements, key_of, parse
from tests.packages import package, rows, workbook


def styles(fonts: Sequence[str], formats: Sequence[str], numbers: str = "") -> Styles:
    """Make styles of some fonts, given by their inner XML, and cell formats, by their attributes."""
    text = EMPTY_STYLES.decode()
    text = text.replace("</font></fonts>", "</font>" + "".join(f"<font>{f}</font>" for f in fonts) + "</fonts>")
    text = text.replace(
        '<xf xfId="0"/></cellXfs>', '<xf xfId="0"/>' + "".join(f"<xf {f}/>" for f in formats) + "</cellXfs>"
    )
    return Styles(text.replace('<fonts count="1">', f'{numbers}<fonts count="1">').encode())


# --- packages ---------------------------------------------------------------------------------


def test_parts_that_are_not_changed_keep_place_and_bytes() -> None:
    content = package({"a": "1", "b/c.xml": "<x/>", "d": "2"})
    edited = Package(content)
    edited.write("D", b"3")
    edited.write("e", b"4")
    edited.remove("b/c.xml")
    with zipfile.ZipFile(io.BytesIO(edited.finish())) as book:
        assert [(name, book.read(name)) for name in book.namelist()] == [("a", b"1"), ("d", b"3"), ("e", b"4")]
    assert Package(content).finish() == Package(content).finish()


@pytest.mark.parametrize("name", ["../a", "a/../../b", "/etc/passwd", "..\\a", "C:\\a", "a/.."])
def test_a_name_that_leads_outside_is_refused(name: str) -> None:
    with pytest.raises(PackageError):
        Package(package({"a": "", name: "x"}))


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_parts_of_one_name_are_refused() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as book:
        for name in ("a.xml", "A.xml"):
            book.writestr(name, name)
    with pytest.raises(PackageError):
        Package(out.getvalue())


def test_bounds_of_parts_and_of_bytes() -> None:
    content = package({"a": "0" * 1000, "b": "1" * 1000})
    assert len(Package(content).names()) == 2
    for bounds in ({"members": 1}, {"unpacked": 1999}):
        with pytest.raises(PackageError, match="too large"):
            Package(content, **bounds)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"\xd0\xcf\x11\xe0" * 300])
def test_what_is_no_package_is_refused(content: bytes) -> None:
    with pytest.raises(PackageError):
        Package(content)


# --- XML ----------------------------------------------------------------------------------------

LAUGHS = (
    '<!DOCTYPE a [<!ENTITY b "bbbbbbbb">'
    + "".join(f'<!ENTITY b{n} "{f"&b{n - 1 or str()};" * 10}">' for n in range(1, 9))
    + "]>"
)


@pytest.mark.parametrize(
    "content",
    [
        '<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>',
        f"{LAUGHS}<a>&b8;</a>",
        '<!DOCTYPE a SYSTEM "http://127.0.0.1:9/a.dtd"><a/>',
        "<a>" * 1000 + "</a>" * 1000,
        "<a>",
        "",
    ],
)
def test_xml_with_entities_or_damage_is_refused(content: str) -> None:
    with pytest.raises(PackageError):
        parse(content.encode())
    with pytest.raises(PackageError):
        list(elements(content.encode() or b"<", "a"))


def test_a_document_type_is_no_part_of_a_workbook() -> None:
    check(b"<a/>")
    with pytest.raises(PackageError):
        check(b"<!DOCTYPE a><a/>")


def test_equal_elements_have_one_key_whatever_the_prefix() -> None:
    one = parse(f'<font xmlns="{MAIN}"><b/><sz val="9"/></font>'.encode())
    other = parse(f'<x:font xmlns:x="{MAIN}">\n <x:b/><x:sz val="9"/></x:font>'.encode())
    assert key_of(one) == key_of(other) != key_of(parse(f'<font xmlns="{MAIN}"><b/></font>'.encode()))


# --- styles -------------------------------------------------------------------------------------


def test_formats_are_added_once_and_behind_those_there() -> None:
    target = styles(["<b/>"], ['fontId="1"'])
    source = styles(["<i/>", "<b/>"], ['fontId="2"', 'fontId="1" numFmtId="4"', 'fontId="1" numFmtId="4"'])
    assert target.merge(source) == [0, 2, 3, 3]
    first = target.finish()
    again = Styles(first)
    numbers = again.merge(source)
    assert again.finish() == first and numbers[2] == numbers[3]
    assert [font[0].tag for font in again.formats("fonts")[1:]] == [f"{{{MAIN}}}b", f"{{{MAIN}}}i"]
    assert again.root.find(f"{{{MAIN}}}cellXfs").get("count") == str(len(again.formats("cellXfs")))


def test_number_formats_get_a_free_number_or_that_of_an_equal_one() -> None:
    numbers = '<numFmts count="1"><numFmt numFmtId="{}" formatCode="{}"/></numFmts>'
    target = styles([], [], numbers.format(164, "0.0"))
    assert target.transplant(styles([], ['numFmtId="170"'], numbers.format(170, "yyyy")), 1) == 1
    assert target.formats("cellXfs")[1].get("numFmtId") == "165"
    target.transplant(styles([], ['numFmtId="180"'], numbers.format(180, "0.0")), 1)
    assert target.formats("cellXfs")[2].get("numFmtId") == "164"
    assert [n.get("formatCode") for n in target.formats("numFmts")] == ["0.0", "yyyy"]


def test_a_format_that_refers_to_nothing_is_damage() -> None:
    with pytest.raises(PackageError):
        styles([], []).transplant(styles([], ['fontId="9"']), 1)


# --- workbooks and cells ------------------------------------------------------------------------


def test_names_follow_their_sheets_when_sheets_come_and_go() -> None:
    book = Workbook(workbook([rows({}), rows({}), rows({})]))
    name = parse(f'<definedName xmlns="{MAIN}" name="a">S3!$A$1</definedName>'.encode())
    book.define(name, 2)
    book.remove_sheet(book.sheets()[0])
    assert [node.get("localSheetId") for node in book.names_of(1)] == ["1"]
    book.write("xl/worksheets/new.xml", b"<x/>")
    book.add_sheet(1, "新", "xl/worksheets/new.xml")
    assert [node.text for node in book.names_of(2)] == ["S3!$A$1"]
    again = Workbook(book.finish())
    assert [sheet.name for sheet in again.sheets()] == ["S2", "新", "S3"]
    assert len({sheet.node.get("sheetId") for sheet in again.sheets()}) == 3


def test_relations_that_lead_outside_lead_to_the_root() -> None:
    book = Workbook(workbook([rows({})]))
    book.write(
        "xl/worksheets/_rels/sheet1.xml.rels",
        b'<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="a" '
        b'Type="x/drawing" Target="../../../../../etc/passwd"/></Relationships>',
    )
    assert book.related("xl/worksheets/sheet1.xml", "drawing") == "etc/passwd"
    assert "etc/passwd" not in book.reached([""])


def test_cells_are_read_as_they_are_stored() -> None:
    cells = {
        "A1": ' t="s"><v>1</v></c>',
        "B2": ' t="inlineStr"><is><r><t>a</t></r><r><t>b</t></r><rPh sb="0" eb="1"><t>x</t></rPh></is></c>',
        "C3": ' s="3"><f>1+1</f><v>2</v></c>',
        "D4": ' t="str"><f>A1</f><v>t</v></c>',
        "E5": ' t="b"><v>1</v></c>',
        "F6": ' s="1"/>',
    }
    book = Workbook(workbook([rows(cells)], ["x", "y"]))
    found = list(read_cells(book, book.sheets()[0].path, shared_strings(book)))
    assert found == [
        SheetCell(0, 0, "y", False, 0), SheetCell(1, 1, "ab", False, 0), SheetCell(2, 2, 2.0, True, 3),
        SheetCell(3, 3, "t", True, 0),
        SheetCell(4, 4, 1.0, False, 0), SheetCell(5, 5, None, False, 1),
    ]  # fmt: skip


def test_cells_without_an_address_follow_each_other() -> None:
    book = Workbook(
        workbook(["<sheetData><row><c><v>1</v></c><c><v>2</v></c></row><row><c><v>3</v></c></row></sheetData>"])
    )
    found = [(c.row, c.col, c.value) for c in read_cells(book, book.sheets()[0].path, [])]
    assert found == [(0, 0, 1.0), (0, 1, 2.0), (1, 0, 3.0)]


@pytest.mark.parametrize(
    "cell", ['r="XFE1"><v>1</v>', 'r="A1048577"><v>1</v>', 'r="A1" t="s"><v>9</v>', 'r="A1" t="s"><v>-1</v>',
             'r="A1"><v>x</v>', 'r="1A"><v>1</v>', 'r="A1" s="x"><v>1</v>']
)  # fmt: skip
def test_cells_that_cannot_be_are_damage(cell: str) -> None:
    book = Workbook(workbook([f"<sheetData><row><c {cell}</c></row></sheetData>"], ["a"]))
    with pytest.raises(PackageError):
        list(read_cells(book, book.sheets()[0].path, shared_strings(book)))


def test_strict_workbooks_are_told_apart() -> None:
    with pytest.raises(PackageError, match="Strict"):
        Workbook(workbook([rows({})], strict=True))
