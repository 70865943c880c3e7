"""Notes and text boxes over a form: what stands in them is no value, but it is never passed over without a word."""

from __future__ import annotations

import io
import zipfile
from datetime import date
from html import escape
from pathlib import Path

import openpyxl
import pytest
import xlsxwriter
from openpyxl.comments import Comment

from kpixl.collection.consolidate import consolidate
from kpixl.collection.model import Collection
from kpixl.collection.review import review
from kpixl.forms.definition import Form
from kpixl.forms.load import load_form
from kpixl.output.annotate import write_marked
from kpixl.output.template import build_template
from kpixl.portfolio.model import Portfolio
from kpixl.problems import Severity
from kpixl.readers import DEFAULT_LIMITS
from kpixl.readers.annotations import MAX_TEXT, annotations_in
from kpixl.readers.package import OpenedPackage
from kpixl.recognise.annotations import MAX_LISTED
from tests.applications import Office
from tests.recognise.test_reading import BASE, expected, facts, table

FORM = "shanghai-target"
SHEET = "表"
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
DRAWING = "http://schemas.openxmlformats.org/drawingml/2006/"
TYPES = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


def written_over(folder: Path, bare: bool = False) -> Path:
    """Write a form with two notes and a text box over it, and a sheet with a note only; or the form alone."""
    path = folder / ("bare.xlsx" if bare else "over.xlsx")
    book = xlsxwriter.Workbook(str(path))
    sheet, other = book.add_worksheet(SHEET), book.add_worksheet("Sheet1")
    for row, cells in enumerate(table(BASE["grid"])):
        sheet.write_row(row, 0, [cell or "" for cell in cells])
    other.write("A1", "备查")
    if bare:
        book.close()
        return path
    sheet.write_comment("B4", "单位名称以批复为准\n张三", {"author": "张三"})
    sheet.write_comment("F16", "待核")
    sheet.insert_textbox("C11", "总目标另见附件\n共三条")
    sheet.insert_textbox("A20", "")
    other.write_comment("A1", "无关")
    book.close()
    return path


def read(path: Path) -> Collection:
    return consolidate([path], [load_form(FORM)], workers=0)


def told(result: Collection) -> list[tuple[str, str | None, str | None, str]]:
    return [
        (p.code, p.location.sheet, p.location.address, str(p.details["text"]))
        for p in result.problems
        if p.code.endswith("-unread")
    ]


@pytest.mark.parametrize("kind", ["xlsx", "ods", "resaved xlsx"])
def test_notes_and_boxes_are_said(kind: str, office: Office, tmp_path: Path) -> None:
    path, bare = written_over(tmp_path), written_over(tmp_path, bare=True)
    if kind != "xlsx":
        path, bare = (office.convert(p, tmp_path / "out", kind.rpartition(" ")[2]) for p in (path, bare))
    result = read(path)
    assert sorted(told(result)) == [
        ("box-unread", SHEET, "C11", "总目标另见附件\n共三条"),
        ("note-unread", SHEET, "B4", "单位名称以批复为准\n张三"),
        ("note-unread", SHEET, "F16", "待核"),
    ]
    assert result.portfolio.projects == read(bare).portfolio.projects


def test_notes_of_an_old_workbook_are_said(office: Office, tmp_path: Path) -> None:
    """Of a .xls, notes are read and boxes are not."""
    result = read(office.convert(written_over(tmp_path), tmp_path / "out", "xls"))
    assert sorted(told(result)) == [
        ("note-unread", SHEET, "B4", "单位名称以批复为准\n张三"),
        ("note-unread", SHEET, "F16", "待核"),
    ]


def test_notes_of_an_xml_spreadsheet_are_said_and_are_no_values(tmp_path: Path) -> None:
    path = tmp_path / "over.xml"
    notes = {(3, 1): "单位名称以批复为准\n张三", (15, 5): "待核"}
    kept = '<Comment><ss:Data xmlns="http://www.w3.org/TR/REC-html40"><B>{}</B></ss:Data></Comment>'
    rows = ""
    for r, cells in enumerate(table(BASE["grid"])):
        rows += "<Row>"
        for c, value in enumerate(cells):
            kind = "Number" if isinstance(value, float) else "String"
            data = "" if value is None else f'<Data ss:Type="{kind}">{escape(str(value))}</Data>'
            rows += f"<Cell>{data}{kept.format(notes[r, c]) if (r, c) in notes else ''}</Cell>"
        rows += "</Row>"
    space = "urn:schemas-microsoft-com:office:spreadsheet"
    head = f'<Workbook xmlns="{space}" xmlns:ss="{space}"><Worksheet ss:Name="{SHEET}"><Table>'
    path.write_text(f'<?xml version="1.0"?>{head}{rows}</Table></Worksheet></Workbook>', encoding="utf-8")
    result = read(path)
    assert told(result) == [
        ("note-unread", SHEET, "B4", "单位名称以批复为准\n张三"),
        ("note-unread", SHEET, "F16", "待核"),
    ]
    (project,) = result.portfolio.projects
    assert facts(project) == expected({})


@pytest.mark.parametrize("kind", ["xlsx", "ods"])
def test_notes_of_our_own_are_not_said(kind: str, office: Office, tmp_path: Path) -> None:
    """A marked copy that comes back has notes of ours; what a person had written above them is said."""
    path = written_over(tmp_path)
    book = openpyxl.load_workbook(path)
    book[SHEET]["B3"] = None  # an error, so that the copy is made
    book[SHEET]["B4"].comment = Comment("单位名称以批复为准", "张三")
    book[SHEET]["F16"] = "待定"
    book.save(path)
    if kind == "ods":
        path = office.convert(path, tmp_path / "ods", "ods")
    reviewed = review([path], [load_form(FORM)])
    files, _ = write_marked(
        reviewed.files, reviewed.problems, tmp_path / "marked", today=date(2026, 11, 24), everything=True
    )
    (copy,) = [tmp_path / "marked" / file.path for file in files]
    assert "【kpixl】".encode() in b"".join(parts(copy).values())
    found = told(read(copy))
    assert found
    assert {text for code, _, _, text in found if code == "note-unread"} == {"单位名称以批复为准", "待核"}


def parts(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as package:
        return {name: package.read(name) for name in package.namelist()}


def test_many_notes_are_counted(tmp_path: Path) -> None:
    path = written_over(tmp_path)
    book = openpyxl.load_workbook(path)
    for row in range(200, 200 + MAX_LISTED + 20):
        book[SHEET].cell(row, 1).comment = Comment("注", "甲")
    book.save(path)
    result = read(path)
    assert len(told(result)) == MAX_LISTED
    (more,) = [p for p in result.problems if p.code == "annotations-many"]
    assert (more.details["count"], more.severity) == (22, Severity.WARNING)


# --- parts as other programs write them ---------------------------------------------------------


def workbook(relations: str, files: dict[str, str]) -> OpenedPackage:
    """Make a workbook of one sheet with relations of its own."""
    head = "<Relationships xmlns='http://schemas.openxmlformats.org/package/2006/relationships'>"
    everything = {
        "xl/workbook.xml": f'<workbook xmlns="{MAIN}" xmlns:r="{TYPES}"><sheet name="{SHEET}" r:id="rId1"/></workbook>',
        "xl/_rels/workbook.xml.rels": f'{head}<Relationship Id="rId1" Type="{TYPES}/worksheet" '
        'Target="/xl/worksheets/sheet1.xml"/></Relationships>',
        "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{MAIN}"/>',
        "xl/worksheets/_rels/sheet1.xml.rels": f"{head}{relations}</Relationships>",
        **files,
    }
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as target:
        for name, content in everything.items():
            target.writestr(name, content)
    return OpenedPackage(stream.getvalue(), DEFAULT_LIMITS)


COMMENTS = f'<Relationship Id="a" Type="{TYPES}/comments" Target="../comments1.xml"/>'
THREADS = (
    '<Relationship Id="b" Type="http://schemas.microsoft.com/office/2017/10/relationships/threadedComment" '
    'Target="../threadedComments/threadedComment1.xml"/>'
)
BOXES = f'<Relationship Id="c" Type="{TYPES}/drawing" Target="../drawings/drawing1.xml"/>'
STAND_IN = (
    f'<x:comments xmlns:x="{MAIN}"><x:authors><x:author>tc={{1}}</x:author><x:author>张三</x:author></x:authors>'
    '<x:commentList><x:comment ref="B3" authorId="0"><x:text><x:t>[Threaded comment]</x:t></x:text></x:comment>'
    '<x:comment ref="C4" authorId="1"><x:text><x:r><x:t>甲</x:t></x:r><x:r><x:t>乙</x:t></x:r></x:text></x:comment>'
    "</x:commentList></x:comments>"
)
THREAD = (
    '<ThreadedComments xmlns="http://schemas.microsoft.com/office/spreadsheetml/2018/threadedcomments">'
    '<threadedComment ref="B3" id="{1}"><text>金额对吗？</text></threadedComment>'
    '<threadedComment ref="B3" id="{2}" parentId="{1}"><text>对</text></threadedComment></ThreadedComments>'
)
ALTERNATIVES = (
    f'<xdr:wsDr xmlns:xdr="{DRAWING}spreadsheetDrawing" xmlns:a="{DRAWING}main" '
    'xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006"><xdr:twoCellAnchor>'
    "<xdr:from><xdr:col>1</xdr:col><xdr:row>4</xdr:row></xdr:from><xdr:to><xdr:col>9</xdr:col><xdr:row>9</xdr:row>"
    "</xdr:to><mc:AlternateContent><mc:Choice><xdr:sp><a:p><a:t>框</a:t></a:p><a:p><a:t>内</a:t></a:p></xdr:sp>"
    "</mc:Choice><mc:Fallback><xdr:sp><a:p><a:t>框</a:t></a:p></xdr:sp></mc:Fallback></mc:AlternateContent>"
    "</xdr:twoCellAnchor><xdr:absoluteAnchor><xdr:sp><a:p><a:t>悬空</a:t></a:p></xdr:sp></xdr:absoluteAnchor></xdr:wsDr>"
)


@pytest.mark.parametrize(
    ("relations", "files", "expected"),
    [
        (
            COMMENTS + THREADS,
            {"xl/comments1.xml": STAND_IN, "xl/threadedComments/threadedComment1.xml": THREAD},
            [("C4", "甲乙", False), ("B3", "金额对吗？", False), ("B3", "对", False)],
        ),
        (BOXES, {"xl/drawings/drawing1.xml": ALTERNATIVES}, [("B5", "框\n内", True), ("", "悬空", True)]),
        (COMMENTS, {"xl/comments1.xml": STAND_IN.partition("</x:commentList>")[0]}, [("C4", "甲乙", False)]),
        (COMMENTS, {"xl/comments1.xml": f'<!DOCTYPE x [<!ENTITY y "z">]>{STAND_IN}'}, []),
        (COMMENTS, {"xl/comments2.xml": STAND_IN}, []),
        (
            COMMENTS,
            {"xl/comments1.xml": STAND_IN.replace("甲", "长" * 5_000)},
            [("C4", "长" * MAX_TEXT, False)],
        ),
    ],
    ids=["conversations", "alternatives", "cut off", "entities", "elsewhere", "long"],
)
def test_parts_of_a_workbook(relations: str, files: dict[str, str], expected: list[tuple[str, str, bool]]) -> None:
    found = annotations_in(workbook(relations, files), {SHEET})
    assert [(str(aside.cell or ""), aside.text, aside.box) for aside in found] == expected
    assert {aside.sheet for aside in found} <= {SHEET}
    assert annotations_in(workbook(relations, files), {"另一张"}) == []


def test_a_note_on_the_first_sheet_is_said(example: tuple[Form, Portfolio], tmp_path: Path) -> None:
    path = tmp_path / "表.xlsx"
    path.write_bytes(build_template(*example))
    book = openpyxl.load_workbook(path)
    book["填报说明"]["B3"].comment = Comment("下周补报", "张三")
    book.save(path)
    assert ("note-unread", "填报说明", "B3", "下周补报") in told(read(path))
