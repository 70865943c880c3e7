"""Every kind of file that comes back: read rightly, or refused with one clear sentence."""

from __future__ import annotations

import csv
import io
import re
import struct
import sys
import zipfile
import zlib
from collections.abc import Callable
from datetime import date
from html import escape
from pathlib import Path
from typing import Any
from xml.parsers import expat

import docx
import openpyxl
import pytest
import python_calamine as calamine
import yaml
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls
from openpyxl.worksheet.properties import PageSetupProperties

from kpixl.a1 import Span, area
from kpixl.cli.main import run
from kpixl.collection.consolidate import consolidate
from kpixl.collection.intake import Job, read_files
from kpixl.collection.model import Collection
from kpixl.forms.definition import Form
from kpixl.output.summary import write_summary
from kpixl.portfolio import canonical
from kpixl.portfolio.model import Portfolio
from kpixl.readers import FileReading, Grid, Limits, read_grids
from kpixl.readers.grid import broken
from kpixl.readers.pdf_lines import PdfLine, joined
from kpixl.readers.wraps import Spacing, collapse, joint, spacing_of
from tests.applications import Office
from tests.packages import compound, document, ods_cell, ods_row, package, rows, spreadsheet, workbook

FOLDER = Path(__file__).parents[1] / "cases" / "containers"
CASES: list[dict[str, Any]] = yaml.safe_load((FOLDER / "expected.yaml").read_text(encoding="utf-8"))
# The published text is not ours to ship: where it is not at hand, the 13 projects of the example stand in for it.
PUBLISHED = Path(__file__).resolve().parents[3] / "shared" / "data" / "sast-2026-published.txt"
SMALL = Limits(unpacked_bytes=1 << 20, members=20, sheet_cells=100_000, table_cells=100_000)


def problem(reading: FileReading) -> tuple[str, str]:
    assert not reading.grids
    (only,) = reading.problems
    assert only.message("en")
    assert only.hint()
    return only.code, only.message()


def beheaded(found: Grid) -> list[list[Any]]:
    """Return the rows of a grid without blanks before a line of text."""
    return [[row[-1]] if len(row) > 10 and not any(row[:-1]) else row for row in found.rows]


# --- files of the folder ------------------------------------------------------------------------


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case["file"]))
def test_a_file_is_what_its_content_is(case: dict[str, Any]) -> None:
    reading = read_grids((FOLDER / case["file"]).read_bytes(), case["file"], Limits(page_seconds=3))
    if "code" in case:
        code, message = problem(reading)
        assert (code, case["says"] in message) == (case["code"], True), message
        return
    assert [p.code for p in reading.problems] == case.get("problems", [])
    if "sheets" in case:
        assert [grid.name for grid in reading.grids] == case["sheets"]
    if "rows" in case:
        assert beheaded(reading.grids[0]) == case["rows"]
        spans = [area(span).replace("$", "") for span in reading.grids[0].merges()]
        assert spans == case.get("merges", [])


def test_every_file_of_the_folder_is_a_case() -> None:
    assert {case["file"] for case in CASES} == {path.name for path in FOLDER.iterdir()} - {"expected.yaml"}


LATIN = re.compile(r"[A-Za-z]{2,}")
# Names of programs and kinds of files that people know; no word of a library's own message is among them.
KNOWN_WORDS = {"Apple", "BMP", "DTD", "Excel", "GIF", "HTML", "JPEG", "OFD", "OpenDocument", "PDF", "PNG", "RAR", "RTF"}
KNOWN_WORDS |= {"Visio", "WPS", "Windows", "Word", "Works", "XML"}
RAISED = [
    calamine.CalamineError("Cannot detect file format"),
    calamine.CalamineError("failed to fill whole buffer"),
    calamine.CalamineError("Unsupported cell error value '#SPILL!'"),
    calamine.CalamineError("Parse float error: invalid float literal"),
    calamine.CalamineError("slice index starts at 9 but ends at 7"),
    calamine.WorksheetNotFound("表一"),
    KeyError("xl/worksheets/sheet1.xml"),
    zipfile.BadZipFile("Bad CRC-32 for file 'xl/workbook.xml'"),
    expat.ExpatError("not well-formed (invalid token): line 1, column 7"),
    zlib.error("Error -3 while decompressing data: invalid block type"),
    struct.error("unpack requires a buffer of 4 bytes"),
    ValueError(""),
]


@pytest.mark.parametrize("error", RAISED, ids=repr)
def test_what_a_library_raises_is_told_in_the_language_of_the_reader(error: BaseException) -> None:
    found = broken(error).problem("x.xlsx", "表一")
    assert set(LATIN.findall(found.message())) <= KNOWN_WORDS, found.message()
    assert "表一" not in found.message()
    assert not re.search(r"[\u4e00-\u9fff]", found.message("en"))


def test_what_is_not_known_is_quoted_as_a_detail_in_english() -> None:
    found = broken(ValueError("something  new\n")).problem("x.xlsx")
    assert found.message("en").endswith("(technical detail: “something new”).")


@pytest.mark.parametrize("case", [case for case in CASES if "code" in case], ids=lambda case: str(case["file"]))
def test_no_refusal_in_chinese_holds_words_of_a_library(case: dict[str, Any]) -> None:
    message = problem(read_grids((FOLDER / case["file"]).read_bytes(), "x", Limits(page_seconds=3)))[1]
    words = set(LATIN.findall(re.sub(r"\.\w+|kpixl", "", message)))
    assert words <= KNOWN_WORDS | {"gzip"}, message


def test_a_csv_without_a_form_may_be_one_sheet_of_a_workbook(example: tuple[Form, Portfolio], tmp_path: Path) -> None:
    path = tmp_path / "表.csv"
    path.write_text("填表说明,请先看这里\n", encoding="utf-8")
    (result,) = read_files([Job(path, "表.csv")], [example[0]], workers=0)
    assert [p.code for p in result.problems] == ["csv-one-sheet"]
    assert "另存为 .xlsx" in result.problems[0].hint()


def test_a_workbook_without_its_main_part_is_one_problem_and_makes_no_folder(tmp_path: Path) -> None:
    (tmp_path / "returned").mkdir()
    (tmp_path / "returned" / "bookless.xlsx").write_bytes((FOLDER / "bookless.xlsx").read_bytes())
    assert run(["check", str(tmp_path / "returned"), "--mark", str(tmp_path / "marked"), "--json"]) == 1
    assert [path.is_dir() for path in (tmp_path / "marked").glob("[!.]*")] == [False]


# --- old Office files ---------------------------------------------------------------------------

BOF = struct.pack("<2H", 0x809, 4) + bytes(4)


@pytest.mark.parametrize(
    ("streams", "code", "says"),
    [
        ({"PowerPoint Document": b""}, "other-kind", "演示文稿"),
        ({"__properties_version1.0": b""}, "other-kind", "邮件"),
        ({"VisioDocument": b""}, "other-kind", "Visio"),
        ({"EncryptionInfo": b"", "EncryptedPackage": b""}, "password", "密码"),
        ({"Workbook": BOF + struct.pack("<3H", 0x2F, 2, 0)}, "password", "密码"),  # XOR
        ({"Book": BOF + struct.pack("<3H", 0x2F, 2, 1)}, "password", "密码"),  # RC4
        ({"WordDocument": b""}, "other-kind", "Word"),
        ({"Something": b""}, "not-a-workbook", "不是可以读取的工作簿"),
    ],
)
def test_an_old_office_file_is_told_by_its_root(streams: dict[str, bytes], code: str, says: str) -> None:
    found = problem(read_grids(compound(streams), "x.xls"))
    assert (found[0], says in found[1]) == (code, True), found


# --- packages -----------------------------------------------------------------------------------

ONE = rows({"A1": "><v>1</v></c>"})
ODT = '<office:document-content xmlns:office="o"><office:body><office:text/></office:body></office:document-content>'
MANIFEST = (
    "<manifest:manifest><manifest:file-entry><manifest:encryption-data/></manifest:file-entry></manifest:manifest>"
)


@pytest.mark.parametrize(
    ("parts", "code", "says"),
    [
        ({"ppt/presentation.xml": "", "[Content_Types].xml": ""}, "other-kind", "演示文稿"),
        ({"OFD.xml": ""}, "other-kind", "OFD"),
        ({"Index/Document.iwa": ""}, "other-kind", "iWork"),
        ({"mimetype": "application/epub+zip"}, "other-kind", "电子书"),
        (
            {"mimetype": "application/vnd.oasis.opendocument.spreadsheet", "META-INF/manifest.xml": MANIFEST},
            "password",
            "密码",
        ),
        ({"[Content_Types].xml": "<Types/>"}, "not-a-workbook", "缺少工作簿的主要部分"),
        ({"xl/worksheets/sheet1.xml": "<x/>", "xl/styles.xml": "<x/>"}, "not-a-workbook", "缺少工作簿的主要部分"),
        ({"content.xml": ODT, "META-INF/manifest.xml": ""}, "other-kind", ".odt"),
        ({"甲.xlsx": b""}, "other-kind", "压缩包"),
    ],
)
def test_a_package_is_told_by_its_parts(parts: dict[str, str], code: str, says: str) -> None:
    found = problem(read_grids(package(parts), "x.xlsx"))
    assert (found[0], says in found[1]) == (code, True), found


def test_a_strict_workbook_is_read() -> None:
    (grid,) = read_grids(workbook([ONE], strict=True), "x.xlsx").grids
    assert grid.rows == [[1]]


def test_names_of_parts_are_compared_without_case() -> None:
    content = workbook([ONE]).replace(b"xl/workbook.xml", b"xl/Workbook.xml")
    assert read_grids(content, "x.xlsx").grids[0].rows == [[1]]


def test_a_workbook_without_sheets_is_an_error() -> None:
    assert problem(read_grids(workbook([]), "x.xlsx"))[0] == "no-sheets"


@pytest.mark.parametrize("name", ["x.xls", "x.csv", "x.docx", "x", "x.pdf"])
def test_the_name_of_a_workbook_does_not_matter(name: str) -> None:
    assert read_grids(workbook([ONE]), name).grids[0].rows == [[1]]


# --- bounds -------------------------------------------------------------------------------------


def test_a_package_that_unpacks_to_too_much_is_refused() -> None:
    content = package({"xl/workbook.xml": bytes(2 << 20)})
    assert problem(read_grids(content, "x.xlsx", SMALL))[0] == "bound-exceeded"


def test_a_package_that_lies_about_its_size_is_refused() -> None:
    content = package({"xl/workbook.xml": bytes(4 << 20)})
    true, false = struct.pack("<I", 4 << 20), struct.pack("<I", 1000)
    assert problem(read_grids(content.replace(true, false), "x.xlsx", SMALL))[0] == "bound-exceeded"


def test_too_many_parts_are_refused() -> None:
    content = package({f"xl/worksheets/sheet{n}.xml": "" for n in range(30)})
    assert problem(read_grids(content, "x.xlsx", SMALL))[0] == "bound-exceeded"


@pytest.mark.parametrize("dimension", ["A1:XFD1048576", ""], ids=["declared", "not declared"])
def test_one_cell_in_the_far_corner_costs_its_sheet_only(dimension: str) -> None:
    corner = rows({"A1": "><v>1</v></c>", "XFD1048576": "><v>2</v></c>"}, dimension)
    reading = read_grids(workbook([corner, ONE]), "x.xlsx")
    assert [grid.name for grid in reading.grids] == ["S2"]
    (only,) = reading.problems
    assert (only.code, only.location.sheet, only.details["cells"]) == ("sheet-too-large", "S1", 16384 * 1048576)


def test_a_million_empty_formatted_rows_cost_nothing() -> None:
    sheet = rows({"A1": "><v>1</v></c>", **{f"P{n}": ' s="1"/>' for n in range(1_000, 21_000)}}, "A1:P1048576")
    assert read_grids(workbook([sheet]), "x.xlsx", Limits(sheet_cells=1_000_000)).grids[0].rows == [[1]]


def test_a_long_text_in_many_cells_is_refused_before_it_is_copied() -> None:
    cells = {f"A{n}": ' t="s"><v>0</v></c>' for n in range(1, 301)}
    reading = read_grids(workbook([rows(cells)], ["x" * 1_000_000]), "x.xlsx")
    assert problem(reading)[0] == "bound-exceeded"
    few = dict(list(cells.items())[:3])
    assert len(read_grids(workbook([rows(few)], ["x" * 1_000_000]), "x.xlsx").grids[0].rows) == 3


@pytest.mark.parametrize(
    "text",
    [
        "<table>" + '<tr><td rowspan="60000" colspan="1000">x</td></tr>' * 300 + "</table>",
        "<table><tr>" + '<td colspan="1000">x</td>' * 300 + "</tr></table>",
        '<?xml version="1.0"?><Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet" '
        'xmlns:ss="urn:schemas-microsoft-com:office:spreadsheet"><Worksheet><Table><Row ss:Index="1000000">'
        "<Cell><Data>x</Data></Cell></Row></Table></Worksheet></Workbook>",
    ],
    ids=["rowspan", "colspan", "index"],
)
def test_spans_and_places_beyond_the_limit_are_refused(text: str) -> None:
    assert problem(read_grids(text.encode(), "x.xls", SMALL))[0] == "sheet-too-large"


@pytest.mark.parametrize(
    "text", ["<div>" * 5_000 + "<table><tr><td>甲</td></tr></table>", "<table><tr><td>" * 2_000 + "甲"]
)
def test_deeply_nested_pages_are_refused(text: str) -> None:
    assert problem(read_grids(text.encode(), "x.html"))[0] == "not-a-workbook"


def test_pages_of_a_pdf_are_bounded() -> None:
    content = (FOLDER / "scanned.pdf").read_bytes()
    assert problem(read_grids(content, "x.pdf", Limits(pages=0)))[0] == "bound-exceeded"


def slow(folder: Path) -> tuple[Path, Limits]:
    path = folder / "slow.txt"
    path.write_text("甲\t乙\n" * 3_000_000, encoding="utf-8")
    return path, Limits(seconds=0.3, table_cells=10_000_000)


def greedy(folder: Path) -> tuple[Path, Limits]:
    path = folder / "greedy.xlsx"
    path.write_bytes(workbook([rows({"A1": "><v>1</v></c>", "L600000": "><v>1</v></c>"})]))
    return path, Limits(memory_bytes=200 << 20)


@pytest.mark.skipif(sys.platform != "linux", reason="memory is bounded on Linux")
@pytest.mark.parametrize(("make", "bound"), [(slow, "--limit seconds=0.6"), (greedy, "--limit memory-bytes=400M")])
def test_a_file_that_takes_too_much_costs_itself_only(
    make: Callable[[Path], tuple[Path, Limits]], bound: str, example: tuple[Form, Portfolio], tmp_path: Path
) -> None:
    path, limits = make(tmp_path)
    good = tmp_path / "good.txt"
    good.write_text("甲\t乙\n", encoding="utf-8")
    jobs = [Job(good, "good"), Job(path, "bad"), Job(good, "good 2")]
    results = read_files(jobs, [example[0]], limits, workers=1)
    assert [[p.code for p in r.problems] for r in results] == [["no-form"], ["bound-exceeded"], ["no-form"]]
    assert bound in results[1].problems[0].hint()


# --- archives -----------------------------------------------------------------------------------


def zipped(*members: tuple[str | bytes, bytes]) -> bytes:
    """Zip members; a name given as bytes is written as it is, as Windows does."""
    stream = io.BytesIO()
    replaced: list[tuple[bytes, bytes]] = []
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for number, (name, content) in enumerate(members):
            if isinstance(name, bytes):
                placeholder = (f"{number:03}" * len(name))[: len(name)]
                replaced.append((placeholder.encode(), name))
                archive.writestr(placeholder, content)
            else:
                archive.writestr(name, content)
    data = stream.getvalue()
    for old, new in replaced:
        data = data.replace(old, new)
    return data


TEXT = "甲\t乙\n".encode()


def shown(content: bytes, form: Form, tmp_path: Path, limits: Limits | None = None) -> dict[str, list[str]]:
    path = tmp_path / "包.zip"
    path.write_bytes(content)
    results = read_files([Job(path, "包.zip")], [form], limits or Limits(), workers=0)
    found: dict[str, list[str]] = {}
    for result in results:
        found.setdefault(result.file, [])
        for each in result.problems:
            found.setdefault(each.location.file or "", []).append(each.code)
    return found


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ([("甲.txt", TEXT)], {"包.zip › 甲.txt": ["no-form"]}),
        ([("填报表-甲.txt".encode("gb18030"), TEXT)], {"包.zip › 填报表-甲.txt": ["no-form"]}),
        ([("填报表-甲.txt".encode(), TEXT)], {"包.zip › 填报表-甲.txt": ["no-form"]}),
        ([("../../etc/甲.txt", TEXT)], {"包.zip › etc/甲.txt": ["no-form"]}),
        ([(b"C:\\\\up\\\\a.txt", TEXT)], {"包.zip › C:/up/a.txt": ["no-form"]}),
        (
            [("甲/~$甲.xlsx", b"x"), ("__MACOSX/甲/._甲.xlsx", b"x"), ("甲/甲.txt", TEXT)],
            {
                "包.zip": [],
                "包.zip › 甲/~$甲.xlsx": ["file-skipped"],
                "包.zip › __MACOSX/甲/._甲.xlsx": ["file-skipped"],
                "包.zip › 甲/甲.txt": ["no-form"],
            },
        ),
        ([("内.zip", zipped(("乙.txt", TEXT)))], {"包.zip › 内.zip › 乙.txt": ["no-form"]}),
        (
            [("1.zip", zipped(("2.zip", zipped(("3.zip", zipped(("4.zip", zipped(("乙.txt", TEXT)))))))))],
            {"包.zip › 1.zip › 2.zip › 3.zip › 4.zip": ["bound-exceeded"]},
        ),
        ([], {"包.zip": ["no-sheets"]}),
        ([("空/", b"")], {"包.zip": ["no-sheets"]}),
        ([("图.png", b"\x89PNG\r\n\x1a\n")], {"包.zip › 图.png": ["other-kind"]}),
    ],
)
def test_every_file_of_an_archive_is_shown(
    members: list[tuple[str | bytes, bytes]],
    expected: dict[str, list[str]],
    example: tuple[Form, Portfolio],
    tmp_path: Path,
) -> None:
    assert shown(zipped(*members), example[0], tmp_path) == expected


def test_files_of_one_name_in_an_archive_are_told_apart(example: tuple[Form, Portfolio], tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match="Duplicate"):
        content = zipped(("甲.txt", TEXT), ("甲.txt", TEXT))
    assert list(shown(content, example[0], tmp_path)) == ["包.zip › 甲.txt", "包.zip › 甲 (2).txt"]


def test_an_encrypted_a_damaged_and_a_large_file_cost_themselves_only(
    example: tuple[Form, Portfolio], tmp_path: Path
) -> None:
    content = bytearray(zipped(("1.txt", TEXT), ("2.txt", TEXT * 99), ("3.txt", bytes(5000)), ("4.txt", TEXT)))
    entries = [at for at in range(len(content)) if content[at : at + 4] == b"PK\x01\x02"]
    content[entries[0] + 8] |= 1  # flag: encrypted
    content[entries[1] + 16] ^= 0xFF  # checksum
    found = shown(bytes(content), example[0], tmp_path, Limits(file_bytes=4000))
    codes = [found[f"包.zip › {n}.txt"] for n in range(1, 5)]
    assert codes == [["password"], ["not-readable"], ["file-too-large"], ["no-form"]]


def test_a_link_in_an_archive_is_skipped(example: tuple[Form, Portfolio], tmp_path: Path) -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        link = zipfile.ZipInfo("甲.txt")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "/etc/passwd")
    assert shown(stream.getvalue(), example[0], tmp_path) == {
        "包.zip": ["no-sheets"],
        "包.zip › 甲.txt": ["file-skipped"],
    }


def test_an_archive_of_archives_gives_the_portfolio(
    example: tuple[Form, Portfolio], example_template: Path, tmp_path: Path
) -> None:
    form, portfolio = example
    path = tmp_path / "包.zip"
    path.write_bytes(zipped(("内.zip", zipped(("部门/甲.xlsx".encode("gb18030"), example_template.read_bytes())))))
    for workers in (0, 1):
        result = consolidate([path], [form], workers=workers)
        assert canonical.dumps(form, result.portfolio) == canonical.dumps(form, portfolio)
        assert {str(s.file) for s in result.sources.values()} == {"包.zip › 内.zip › 部门/甲.xlsx"}


# --- OpenDocument -------------------------------------------------------------------------------


def test_tabs_and_line_breaks_within_a_text_are_kept() -> None:
    """LibreOffice makes a paragraph of each line, Gnumeric a line break within one."""
    cell = ods_cell('一<text:line-break/>二<text:tab/>三<text:line-break text:c="1"></text:line-break>四')
    (grid,) = read_grids(spreadsheet(ods_row(cell)), "x.ods").grids
    assert grid.rows == [["一\n二\t三\n四"]]


# --- Word ---------------------------------------------------------------------------------------


def p(text: str) -> str:
    return f"<w:p><w:r><w:t>{text}</w:t></w:r></w:p>"


def tc(content: str, *properties: str) -> str:
    return f"<w:tc><w:tcPr>{''.join(properties)}</w:tcPr>{content}</w:tc>"


def test_a_word_table_gives_its_merges_and_everything_typed() -> None:
    wide, down, on = '<w:gridSpan w:val="2"/>', '<w:vMerge w:val="restart"/>', "<w:vMerge/>"
    inner = f"<w:tbl><w:tr>{tc(p('内'))}</w:tr></w:tbl>"
    changed = "<w:p><w:del><w:r><w:delText>旧</w:delText></w:r></w:del><w:ins><w:r><w:t>新</w:t></w:r></w:ins></w:p>"
    control = f"<w:sdt><w:sdtPr/><w:sdtContent>{p('选项')}</w:sdtContent></w:sdt>"
    table = (
        f"<w:tbl><w:tr>{tc(p('甲'), down)}{tc(p('乙') + p('丙'), wide)}</w:tr>"
        f"<w:tr>{tc(p(''), on)}{tc(changed)}{tc(control + inner)}</w:tr>"
        f"<w:tr>{tc(p('藏'), on)}{tc(p('x'))}</w:tr></w:tbl>"
    )
    (grid,) = read_grids(document(p("标题") + table), "x.docx").grids
    assert beheaded(grid) == [["标题"], [], ["甲", "乙\n丙"], ["", "新", "选项"], ["藏", "x"], [], ["内"]]
    assert grid.merges() == [Span(2, 0, 4, 0), Span(2, 1, 2, 2)]


MATH = 'xmlns:m="http://schemas.openxmlformats.org/officeDocument/2006/math"'
LIST = '<w:ddList>{}<w:listEntry w:val="一次性"/><w:listEntry w:val="阶段性"/></w:ddList>'
UNFILLED = f"<w:sdt><w:sdtPr><w:showingPlcHdr/></w:sdtPr><w:sdtContent>{p('单击此处输入文字。')}</w:sdtContent></w:sdt>"


@pytest.mark.parametrize(
    ("run", "text"),
    [
        ('<w:sym w:font="Symbol" w:char="F0B3"/><w:t>90%</w:t>', "≥90%"),
        ('<w:sym w:font="Symbol" w:char="F0A3"/><w:t>5天</w:t>', "≤5天"),
        ('<w:sym w:font="Wingdings 2" w:char="F0A3"/><w:t>是</w:t>', "☐是"),
        ('<w:sym w:font="Wingdings 2" w:char="0052"/><w:t>是</w:t>', "☑是"),
        ('<w:sym w:font="Webdings" w:char="F043"/><w:t>是</w:t>', "\ufffd是"),
        (f"<m:oMath {MATH}><m:r><m:t>≥90%</m:t></m:r></m:oMath>", "≥90%"),
        ("<w:fldChar><w:ffData>" + LIST.format('<w:result w:val="1"/>') + "</w:ffData></w:fldChar>", "阶段性"),
        ("<w:fldChar><w:ffData>" + LIST.format("") + "</w:ffData></w:fldChar>", "一次性"),
        (UNFILLED, ""),
        ('<w:t>10</w:t></w:r><w:r><w:rPr><w:vertAlign w:val="superscript"/></w:rPr><w:t>2人</w:t>', "10²人"),
    ],
)
def test_what_word_keeps_besides_plain_text_is_read(run: str, text: str) -> None:
    table = f"<w:tbl><w:tr>{tc(p('甲'))}{tc(f'<w:p><w:r>{run}</w:r></w:p>')}</w:tr></w:tbl>"
    (grid,) = read_grids(document(table), "x.docx").grids
    assert grid.rows == [["甲", text] if text else ["甲"]]


def test_the_text_of_a_box_in_a_cell_stands_aside() -> None:
    box = f"<w:p><w:r><w:t>乙</w:t></w:r><w:r><w:pict><w:txbxContent>{p('框')}</w:txbxContent></w:pict></w:r></w:p>"
    (grid,) = read_grids(document(f"<w:tbl><w:tr>{tc(p('甲'))}{tc(box)}</w:tr></w:tbl>"), "x.docx").grids
    assert grid.rows[0] == ["甲", "乙"]
    assert [row[-1] for row in grid.rows[1:] if row] == ["框"]


def test_a_broken_word_document_is_refused() -> None:
    assert problem(read_grids(document("<w:p>"), "x.docx"))[0] == "not-a-workbook"


# --- the same 13 projects, whatever file they come in -------------------------------------------


def forms_page(form: Form, portfolio: Portfolio, folder: Path) -> Path:
    """Write the official forms as a page of ruled tables, as Word and Writer keep them."""
    grid = forms_grid(summary_of(form, portfolio, folder))
    spans = {(span.row, span.col): span for span in grid.merges()}
    hidden = {
        (r, c) for s in spans.values() for r in range(s.row, s.last_row + 1) for c in range(s.col, s.last_col + 1)
    }
    out = [f"<meta charset=utf-8><h1>{portfolio.organization} {portfolio.year} 年度项目绩效目标汇总表</h1>"]
    opened = False
    for r, row in enumerate(grid.rows):
        blank = not any(v != "" for v in row) and not any((r, c) in hidden for c in range(len(row)))
        if opened == blank:
            out.append("</table><p></p>" if opened else '<table border=1 cellspacing=0 width="100%">')
            opened = not opened
        if not blank:
            out.append("<tr>" + "".join(_td(r, c, v, spans, hidden) for c, v in enumerate(row)) + "</tr>")
    path = folder / "forms.html"
    path.write_text("\n".join([*out, "</table>"]), encoding="utf-8")
    return path


def printed(summary: Path) -> Path:
    """Leave the forms alone in the summary workbook, as wide as a page."""
    book = openpyxl.load_workbook(summary)
    for name in book.sheetnames:
        if name != "申报表":
            del book[name]
    sheet = book["申报表"]
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight = 1, 0
    book.save(summary.with_name("forms.xlsx"))
    return summary.with_name("forms.xlsx")


def _td(row: int, col: int, value: Any, spans: dict[tuple[int, int], Span], hidden: set[tuple[int, int]]) -> str:
    span = spans.get((row, col))
    if span is None:
        return "" if (row, col) in hidden else f"<td>{escape(str(value))}</td>"
    size = f"rowspan={span.last_row - row + 1} colspan={span.last_col - col + 1}"
    return f"<td {size}>{escape(str(value))}</td>"


def summary_of(form: Form, portfolio: Portfolio, folder: Path) -> Path:
    path = folder / "summary.xlsx"
    write_summary(path, form, portfolio, lang="zh", today=date(2026, 1, 1))
    return path


def forms_grid(path: Path) -> Grid:
    return next(g for g in read_grids(path.read_bytes(), path.name).grids if g.name == "申报表")


def read(form: Form, path: Path) -> Collection:
    return consolidate([path], [form], workers=0)


WRITER = "HTML (StarWriter)"


@pytest.mark.parametrize("kind", ["html", "docx", "pdf", "sheet.pdf"])
def test_documents_made_from_the_published_text_give_the_same_projects(
    kind: str, example: tuple[Form, Portfolio], office: Office, tmp_path: Path
) -> None:
    form, portfolio = example
    if PUBLISHED.exists():
        portfolio = read(form, PUBLISHED).portfolio
    assert len(portfolio.projects) == 13
    page = forms_page(form, portfolio, tmp_path)
    if kind == "sheet.pdf":
        page = office.convert(printed(tmp_path / "summary.xlsx"), tmp_path / "out", "pdf")
    elif kind != "html":
        page = office.convert(page, tmp_path / "out", "docx:MS Word 2007 XML" if kind == "docx" else "pdf", WRITER)
    result = read(form, page)
    assert canonical.dumps(form, result.portfolio) == canonical.dumps(form, portfolio)
    assert {p.code for p in result.problems} <= {"stray-text"}


@pytest.mark.parametrize("kind", ["ods", "html", "xls"])
def test_the_template_in_another_kind_of_file_gives_the_same_projects(
    kind: str, example: tuple[Form, Portfolio], example_template: Path, office: Office, tmp_path: Path
) -> None:
    form, portfolio = example
    path = office.convert(example_template, tmp_path, kind)
    assert canonical.dumps(form, read(form, path).portfolio) == canonical.dumps(form, portfolio)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "gb18030", "utf-16"])
def test_one_sheet_as_text_gives_its_project(
    encoding: str, example: tuple[Form, Portfolio], example_template: Path, tmp_path: Path
) -> None:
    form, portfolio = example
    sheets = read_grids(example_template.read_bytes(), example_template.name).grids
    rows = next(grid.rows for grid in sheets if grid.name and grid.name.startswith("01"))
    path = tmp_path / "one.xls"
    with path.open("w", encoding=encoding, newline="") as stream:  # as Excel does: "Unicode text" is tab-separated
        csv.writer(stream, delimiter="\t" if encoding == "utf-16" else ",").writerows(rows)
    (project,) = read(form, path).portfolio.projects
    assert (project.values, project.tables) == (portfolio.projects[0].values, portfolio.projects[0].tables)


# --- line wraps ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "after", "spaced", "between"),
    [
        ("战略", "性", False, ""),
        ("science", "park", False, " "),
        ("6-", "8", False, ""),
        ("建言专报 6-8", "篇", True, " "),
        ("建言专报6-8", "篇", False, ""),
        ("走廊 ", "U30", True, ""),
        ("举办，", "2026", True, ""),
        ("6-8 篇;", "各级", True, " "),
        ("6-8 篇;", "各级", False, ""),
        ("≥100.00(人", "次)", True, ""),
    ],
)
def test_what_a_wrap_in_a_pdf_stood_for(before: str, after: str, spaced: bool, between: str) -> None:
    assert joint(before, after, Spacing(words=spaced, marks=spaced)) == between


def test_where_a_text_sets_blanks_is_counted_but_at_its_wraps() -> None:
    assert spacing_of("专报 6 篇; 调查 2 次;\n站点") == Spacing(words=True, marks=True)
    assert spacing_of("专报6篇;调查2次;\n站点") == Spacing()


def test_a_line_with_room_for_more_was_ended_by_a_person() -> None:
    lines = [
        PdfLine("一、甲乙", 0, 40, 10),
        PdfLine("二、甲乙丙丁戊己庚辛壬癸", 0, 120, 10),
        PdfLine("子丑", 0, 20, 10),
    ]
    assert joined(lines, 122) == "一、甲乙\n二、甲乙丙丁戊己庚辛壬癸子丑"


def test_white_space_in_a_page_is_what_browsers_show() -> None:
    assert collapse(" 项目\r\n  名称  G60\n 科创 ") == "项目名称 G60 科创"


def test_struck_out_and_deleted_text_of_a_document_is_left_out_and_reported(tmp_path: Path) -> None:
    book = docx.Document()
    grid = book.add_table(4, 2)
    for row, label in enumerate(("甲", "乙", "丙", "丁")):
        grid.cell(row, 0).text = label
        grid.cell(row, 1).text = ""
    first = grid.cell(0, 1).paragraphs[0]
    first.add_run("400000").font.strike = True
    first.add_run("500000")
    second = grid.cell(1, 1).paragraphs[0]
    second.add_run("80").font.double_strike = True
    third = grid.cell(2, 1).paragraphs[0]._p
    third.append(parse_xml(f'<w:del {nsdecls("w")} w:id="1"><w:r><w:delText>旧</w:delText></w:r></w:del>'))
    third.append(parse_xml(f'<w:ins {nsdecls("w")} w:id="2"><w:r><w:t>新</w:t></w:r></w:ins>'))
    fourth = grid.cell(3, 1).paragraphs[0]._p
    fourth.append(parse_xml(f'<w:del {nsdecls("w")} w:id="3"><w:r><w:delText>无</w:delText></w:r></w:del>'))
    book.save(str(tmp_path / "a.docx"))
    reading = read_grids((tmp_path / "a.docx").read_bytes(), "a.docx")
    assert reading.grids[0].rows == [["甲", "500000"], ["乙", "80"], ["丙", "新"], ["丁"]]
    assert [(p.code, p.details["text"], p.details["reading"]) for p in reading.problems] == [
        ("struck-out", "400000", "500000"),
        ("struck-out-kept", "80", "80"),
        ("struck-out", "旧", "新"),
    ]
