"""`kpixl check --mark`: the person's own file comes back with marks in it, and with nothing else changed."""

from __future__ import annotations

import io
import json
import multiprocessing
import os
import re
import signal
import struct
import time
import warnings
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any, NoReturn

import openpyxl
import pytest
from lxml import etree
from openpyxl.comments import Comment

from kpixl.a1 import CellRef, Span, a1, parse_a1
from kpixl.cli.main import run
from kpixl.collection.consolidate import consolidate
from kpixl.collection.intake import FileResult, Job, content_of, is_problem_list
from kpixl.collection.review import review
from kpixl.forms.definition import Form
from kpixl.forms.load import load_form
from kpixl.ooxml.comments import EMPTY_COMMENTS, Comments, has_boxes, without_boxes
from kpixl.ooxml.xml import parse
from kpixl.output.annotate import MarkedFile, dropped_by_openpyxl, write_marked
from kpixl.output.annotate.notes import MAX_NOTES, ProblemNote
from kpixl.output.annotate.opendocument import SPACES
from kpixl.output.annotate.problem_list import grouped
from kpixl.output.annotate.verified import UnmarkableError, marked
from kpixl.output.template import SheetStyles, build_template
from kpixl.output.template.form import FormSheet
from kpixl.output.template.status import Asked
from kpixl.output.workbook import Book
from kpixl.portfolio import canonical
from kpixl.portfolio import sheet_id as sheet_ids
from kpixl.portfolio.model import Portfolio
from kpixl.problems import KpixlError, Location, Problem, Severity
from kpixl.readers import Limits, archive, open_content, read_grids
from tests.applications import Office, assert_valid, node
from tests.conftest import EXAMPLE

TODAY = date(2026, 11, 24)
FORM = "shanghai-target"
MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


def returned() -> Iterator[Path]:
    """Yield the example's returned workbooks that can be marked."""
    yield from sorted(p for p in (EXAMPLE / "returned").rglob("*.xlsx") if not p.name.startswith("~"))


def mark_all(path: Path, folder: Path) -> tuple[tuple[MarkedFile, ...], tuple[Problem, ...]]:
    """Check some submissions and mark them."""
    result = review([path], [load_form(FORM)])
    return write_marked(result.files, result.problems, folder, today=TODAY, everything=True)


def mark_one(path: Path, folder: Path) -> Path:
    """Mark a submission in place; return its copy."""
    (copy,), _ = mark_all(path, folder)
    assert copy.reason is None, copy.reason
    return copy.path


def portfolio_text(path: Path) -> str:
    """Consolidate one submission; return its YAML, after a look that nothing is said of the marks."""
    result = consolidate([path], [load_form(FORM)])
    assert not [p for p in result.problems if p.code in ("sheet-skipped", "stray-text") and "kpixl" in str(p)]
    return canonical.dumps(result.form, result.portfolio)


def parts(content: bytes) -> dict[str, bytes]:
    """Unpack a workbook."""
    with zipfile.ZipFile(io.BytesIO(content)) as package:
        return {name: package.read(name) for name in package.namelist()}


def notes(path: Path) -> dict[str, str]:
    """Return the notes of a workbook by sheet and cell."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        book = openpyxl.load_workbook(path)
    cells = (cell for sheet in book.worksheets for row in sheet for cell in row)
    return {f"{cell.parent.title}!{cell.coordinate}": cell.comment.text for cell in cells if cell.comment}


# --- returned files ---------------------------------------------------------------------------


@pytest.fixture(scope="module", params=list(returned()), ids=lambda path: path.name)
def copies(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Return a submission and its marked copy."""
    return request.param, mark_one(request.param, tmp_path_factory.mktemp("marked"))


def test_marks_change_nothing_that_is_read(copies: tuple[Path, Path]) -> None:
    original, copy = copies
    assert portfolio_text(copy) == portfolio_text(original)
    before, after = (read_grids(p.read_bytes(), p.name).grids for p in copies)
    assert is_problem_list(after[0])
    assert [(g.name, g.rows, g.merges(), g.hidden) for g in after[1:]] == [
        (g.name, g.rows, g.merges(), g.hidden) for g in before
    ]


def test_marking_a_marked_file_replaces_the_marks(copies: tuple[Path, Path], tmp_path: Path) -> None:
    _, copy = copies
    assert mark_one(copy, tmp_path).read_bytes() == copy.read_bytes()


def test_every_problem_is_listed_and_each_cell_has_its_note_and_its_tint(copies: tuple[Path, Path]) -> None:
    original, copy = copies
    problems = review([original], [load_form(FORM)]).problems
    grid = read_grids(copy.read_bytes(), copy.name).grids[0]
    listed = [row for row in grid.rows if isinstance(row[0], float)]
    assert sorted((row[2], row[4], row[5]) for row in listed) == sorted(
        (p.location.address or "", p.message(), p.hint()) for p in problems
    )
    found = notes(copy)
    book = openpyxl.load_workbook(copy)
    noted = [(whole(book, cell), text) for cell, text in found.items()]
    tinted = tints(copy)
    for problem in problems:
        if problem.location.address:
            where = f"{problem.location.sheet}!{problem.location.address}"
            (note,) = [text for cells, text in noted if where in cells]
            assert note.startswith(sheet_ids.NOTE_SIGNATURE)
            assert problem.message() in note and problem.hint() in note
            assert where in tinted


def test_errors_are_marked_alone_and_the_rest_is_listed_unless_all_is_asked_for(tmp_path: Path) -> None:
    path = EXAMPLE / "returned" / "学会学术部 终稿2(改).xlsx"
    result = review([path], [load_form(FORM)])
    marked_cells = {}
    for everything in (False, True):
        folder = tmp_path / str(everything)
        (copy,), _ = write_marked(result.files, result.problems, folder, today=TODAY, everything=everything)
        marked_cells[everything] = set(tints(copy.path))
        rows = [row for row in read_grids(copy.path.read_bytes(), "a.xlsx").grids[0].rows if isinstance(row[0], float)]
        assert len(rows) == len(result.problems)
    errors = {f"{p.location.sheet}!{p.location.address}" for p in result.problems if p.severity is Severity.ERROR}
    assert marked_cells[False] <= errors
    assert marked_cells[False] < marked_cells[True]


def whole(book: openpyxl.Workbook, place: str) -> set[str]:
    """Return all cells of the merged cell at `place`."""
    sheet, _, cell = place.rpartition("!")
    for span in book[sheet].merged_cells.ranges:
        if cell in span:
            return {f"{sheet}!{c.coordinate}" for row in book[sheet][span.coord] for c in row}
    return {place}


def tints(path: Path) -> set[str]:
    """Return the cells that rules of ours tint, by sheet and cell."""
    book = openpyxl.load_workbook(path)
    found = set()
    for sheet in book.worksheets:
        for area in sheet.conditional_formatting:
            if any('"kpixl"' in str(rule.formula) for rule in area.rules):
                for span in area.cells.ranges:
                    cells = sheet[span.coord]
                    rows = cells if isinstance(cells, tuple) else ((cells,),)
                    found |= {f"{sheet.title}!{c.coordinate}" for row in rows for c in row}
    return found


def test_links_of_the_list_lead_to_the_cells(copies: tuple[Path, Path]) -> None:
    _, copy = copies
    book = openpyxl.load_workbook(copy)
    links = [cell.hyperlink for row in book.worksheets[0] for cell in row if cell.hyperlink]
    assert links
    for link in links:
        assert link.location
        sheet, _, cell = link.location.rpartition("!")
        assert book[sheet.strip("'").replace("''", "'")][cell] is not None
        assert link.location == f"'{sheet.strip(chr(39))}'!{cell}"


def test_one_sheet_is_selected_and_shown(copies: tuple[Path, Path]) -> None:
    _, copy = copies
    book = openpyxl.load_workbook(copy)
    assert book.active is book.worksheets[0]
    assert [s.title for s in book.worksheets if s.sheet_view.tabSelected] == [book.worksheets[0].title]


@pytest.mark.application
def test_marked_copies_are_as_valid_as_their_originals(tmp_path: Path) -> None:
    """openpyxl and SheetJS wrote some originals, not all of them by the standard."""
    pairs = [(path, mark_one(path, tmp_path / str(n))) for n, path in enumerate(returned())]
    files = [path for pair in pairs for path in pair]
    results: list[dict[str, Any]] = json.loads(node("validate.mjs", *files))
    said = {r["file"]: {(e["description"], e.get("xPath")) for e in r["errors"]} for r in results}
    assert any(not said[str(copy)] for _, copy in pairs)
    for original, copy in pairs:
        assert said[str(copy)] <= said[str(original)], copy.name


@pytest.mark.application
def test_a_marked_template_is_valid(example: tuple[Form, Portfolio], tmp_path: Path) -> None:
    form, portfolio = example
    broken = replace(
        portfolio.projects[0],
        values={**portfolio.projects[0].values, "start": "明年", "funding.annual.other": "60万元整"},
    )
    path = tmp_path / "one.xlsx"
    path.write_bytes(build_template(form, replace(portfolio, projects=(broken, *portfolio.projects[1:]))))
    copy = mark_one(path, tmp_path / "out")
    assert_valid([path, copy])


def test_libreoffice_saves_a_marked_copy_and_it_is_marked_anew(
    copies: tuple[Path, Path], office: Office, tmp_path: Path
) -> None:
    original, copy = copies
    saved = office.convert(copy, tmp_path)
    assert portfolio_text(saved) == portfolio_text(original)
    again = mark_one(saved, tmp_path / "again")
    assert portfolio_text(again) == portfolio_text(original)
    assert notes(again) == notes(copy)
    assert tints(again) == tints(copy)
    assert [is_problem_list(g) for g in read_grids(again.read_bytes(), again.name).grids].count(True) == 1
    (old,) = re.findall(rb"<sheets>.*</sheets>", parts(again.read_bytes())["xl/workbook.xml"])
    assert old.count("问题清单".encode()) == 1


def test_openpyxl_saves_a_marked_copy_and_it_is_marked_anew(copies: tuple[Path, Path], tmp_path: Path) -> None:
    """openpyxl writes the drawing of the notes with prefixes of its own."""
    original, copy = copies
    if copy.suffix != ".xlsx":
        pytest.skip("not openpyxl's kind")
    saved = tmp_path / copy.name
    openpyxl.load_workbook(copy).save(saved)
    again = mark_one(saved, tmp_path / "again")
    assert portfolio_text(again) == portfolio_text(original)
    assert notes(again) == notes(copy)
    assert tints(again) == tints(copy)
    for name, part in parts(again.read_bytes()).items():
        if name.endswith(".vml"):
            boxes = [re.findall(pattern, part) for pattern in (rb"<x:Row>\d+</x:Row>", rb"</v:shape>")]
            assert len(boxes[0]) == len(boxes[1])
            assert b"ns0" not in part


def test_what_was_corrected_is_no_longer_marked(example: tuple[Form, Portfolio], tmp_path: Path) -> None:
    form, portfolio = example
    good = portfolio.projects[0]
    bad = replace(good, values={**good.values, "start": "明年"})
    path = tmp_path / "one.xlsx"
    path.write_bytes(build_template(form, replace(portfolio, projects=(bad,))))
    copy = mark_one(path, tmp_path / "out")
    (cell,) = [cell for cell, text in notes(copy).items() if "明年" in text]
    content = parts(copy.read_bytes())
    sheet = next(n for n, part in content.items() if "明年".encode() in part and n.startswith("xl/sharedStrings"))
    content[sheet] = content[sheet].replace("明年".encode(), b"2026-01-01")
    fixed = tmp_path / "fixed.xlsx"
    with zipfile.ZipFile(fixed, "w", zipfile.ZIP_DEFLATED) as target:
        for name, part in content.items():
            target.writestr(name, part)
    again = mark_one(fixed, tmp_path / "again")
    assert cell in tints(copy)
    assert cell not in notes(again)
    assert cell not in tints(again)
    row, column = re.fullmatch(r".*!([A-Z]+)(\d+)", cell).groups()[::-1]  # type: ignore[union-attr]
    box = f"<x:Row>{int(row) - 1}</x:Row><x:Column>{ord(column) - 65}</x:Column>".encode()
    drawings = [part for name, part in parts(again.read_bytes()).items() if name.endswith(".vml")]
    assert all(box not in part for part in drawings)


# --- what people put into their files ---------------------------------------------------------


def png() -> bytes:
    """Make a picture of one pixel."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        chunk(kind, data) for kind, data in ((b"IHDR", head), (b"IDAT", zlib.compress(b"\0\1\2\3")), (b"IEND", b""))
    )


@pytest.fixture(scope="module")
def rich(example: tuple[Form, Portfolio]) -> bytes:
    """Make a submission with everything in it that a library loses in saving it again, and with an error at B5."""
    form, portfolio = example
    project = portfolio.projects[0]
    project = replace(project, values={**project.values, "start": "明年", "name": "一个&<名称>"})
    book = Book("x", {})
    sheet = FormSheet(book, form, SheetStyles(), "zh", "01 项目's", "填报说明", Asked(form))
    mark = sheet_ids.SheetId(form.id, form.version, "p", project.id, 1)
    sheet.write(project, 2026, mark)
    raw = book.sheets[0].raw
    raw.write_comment("B5", "领导批示：请核对", {"author": "王处"})
    raw.write_comment("E5", "对话", {"author": "tc={8F9B2A55-1111-2222-3333-444455556666}"})
    raw.write_comment("B3", "保留", {"author": "王处"})
    raw.insert_textbox("K5", "文本框")
    raw.insert_image("K12", "stamp.png", {"image_data": io.BytesIO(png())})
    raw.insert_button("K20", {"caption": "按钮"})
    raw.conditional_format("K30:K40", {"type": "data_bar", "data_bar_2010": True})
    own = book.sheet("自己的表")
    own.raw.write_row("A1", ["a", "b", "c"])
    own.raw.write_row("A2", [1, 2, 3])
    own.raw.write_formula("D2", "=SUM(A2:C2)", None, 6)
    own.raw.add_sparkline("E2", {"range": "自己的表!A2:C2"})
    own.raw.autofilter("A1:C2")
    own.raw.activate()
    book.define("自己的表!本地", "=自己的表!$A$1")
    chart = book.chart({"type": "column"})
    chart.add_series({"values": "=自己的表!$A$2:$C$2"})
    own.insert_chart(4, 0, chart, {})
    book.raw.add_vba_project(io.BytesIO(b"not really macros"), is_stream=True)
    return book.finish()


@pytest.fixture(scope="module")
def rich_copy(rich: bytes, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Mark it."""
    folder = tmp_path_factory.mktemp("rich")
    (folder / "rich.xlsm").write_bytes(rich)
    return mark_one(folder / "rich.xlsm", folder / "out")


def test_parts_that_are_not_marked_are_copied_to_the_byte(rich: bytes, rich_copy: Path) -> None:
    before, after = parts(rich), parts(rich_copy.read_bytes())
    changed = {name for name, content in before.items() if after.get(name) != content}
    assert changed == {
        "[Content_Types].xml",
        "xl/_rels/workbook.xml.rels",
        "xl/comments1.xml",
        "xl/drawings/vmlDrawing1.vml",
        "xl/styles.xml",
        "xl/workbook.xml",
        "xl/worksheets/sheet1.xml",
        "xl/worksheets/sheet2.xml",  # no longer the selected one
    }
    assert set(after) - set(before) == {"xl/worksheets/kpixl1.xml"}


@pytest.mark.application
def test_a_marked_copy_of_a_rich_workbook_is_valid(rich_copy: Path) -> None:
    assert_valid([rich_copy])


def test_a_sheet_gets_tints_and_nothing_else(rich: bytes, rich_copy: Path) -> None:
    before, after = (parts(content)["xl/worksheets/sheet1.xml"] for content in (rich, rich_copy.read_bytes()))
    cells = re.compile(rb"<sheetData>.*</sheetData>", re.DOTALL)
    assert cells.search(before)[0] == cells.search(after)[0]  # type: ignore[index]

    def rest(content: bytes) -> list[bytes]:
        root = etree.fromstring(content)
        for rule in list(root.iter(f"{MAIN}cfRule")):
            if '"kpixl"' in "".join(rule.itertext()):
                rule.getparent().getparent().remove(rule.getparent())
        order = sorted({int(r.get("priority")) for r in root.iter() if r.tag and r.get("priority")})
        for item in root.iter():
            if item.get("priority"):
                item.set("priority", str(order.index(int(item.get("priority")))))
            item.attrib.pop("tabSelected", None)
        return [etree.tostring(child, method="c14n") for child in root]

    assert rest(before) == rest(after)


def test_notes_of_people_stay_and_ours_stand_below(rich_copy: Path) -> None:
    found = {place.rpartition("!")[2]: text for place, text in notes(rich_copy).items()}
    assert found["B5"].startswith(f"领导批示：请核对\n\n{sheet_ids.NOTE_SIGNATURE}")
    assert "明年" in found["B5"]
    assert found["B3"] == "保留"
    assert found["E5"] == "对话"  # Excel shows the conversation and not this note: what is wrong stands in the list


def test_a_persons_note_is_what_it_was_when_the_problem_is_gone(rich_copy: Path, tmp_path: Path) -> None:
    content = rich_copy.read_bytes()
    problem = Problem("not-readable", Location("x", "01 项目's", parse_a1("F6")), {"reason": "x"})
    again = tmp_path / "again.xlsm"
    again.write_bytes(marked(open_content(content), "x", grouped([problem], everything=True), "zh"))
    found = {place.rpartition("!")[2]: text for place, text in notes(again).items()}
    assert found["B5"] == "领导批示：请核对"
    assert found["F6"].startswith(sheet_ids.NOTE_SIGNATURE)


def test_names_of_a_sheet_follow_it(rich: bytes, rich_copy: Path) -> None:
    names = [
        {
            node.get("name"): node.get("localSheetId")
            for node in parse(parts(content)["xl/workbook.xml"]).iter(f"{MAIN}definedName")
        }
        for content in (rich, rich_copy.read_bytes())
    ]
    assert "本地" in names[0]
    for name, number in names[0].items():
        assert names[1][name] == (None if number is None else str(int(number) + 1))


def test_what_openpyxl_would_drop_is_told(rich: bytes) -> None:
    """Saved by openpyxl, these parts are gone; the copy has them."""
    told = {text[1] for text in dropped_by_openpyxl(rich)}
    assert {"macros (VBA)", "shapes or text boxes", "sparklines", "extended conditional formats"} <= told
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        book = openpyxl.load_workbook(io.BytesIO(rich))
        out = io.BytesIO()
        book.save(out)
    left = parts(out.getvalue())
    assert not [name for name in left if name.startswith("xl/vbaProject")]
    text = b"".join(part for name, part in left.items() if name.endswith(".xml"))
    assert b"sparkline" not in text and "文本框".encode() not in text and b"x14:cfRule" not in text
    assert dropped_by_openpyxl(build_template(*canonical.load(EXAMPLE / "2026.yaml", load_form))) == ()


# --- what cannot be marked --------------------------------------------------------------------


@pytest.mark.application
def test_other_kinds_get_a_workbook_with_the_list(tmp_path: Path) -> None:
    path = EXAMPLE / "returned" / "组织人事部" / "绩效目标.xls"
    (copy,), said = mark_all(path, tmp_path / "out")
    assert copy.path.name == f"{path.name}（问题清单）.xlsx"
    assert copy.reason == ("这种格式的文件不能加标注", "Files of this kind cannot be marked")
    assert [p.code for p in said] == ["mark-listed"]
    (grid,) = read_grids(copy.path.read_bytes(), copy.path.name).grids
    problems = review([path], [load_form(FORM)]).problems
    assert {row[4] for row in grid.rows if isinstance(row[0], float)} == {p.message() for p in problems} != set()
    codes = {p.code for p in problems}
    assert not any(cell in codes for row in grid.rows for cell in row)  # people are told what is wrong, not its code
    returned_too = consolidate([copy.path], [load_form(FORM)]).problems
    assert [(p.code, p.severity) for p in returned_too] == [("file-skipped", Severity.INFO)]
    assert_valid([copy.path])


def test_a_file_that_cannot_be_read_gets_a_list(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    locked = Path(__file__).parents[1] / "cases" / "files" / "password.xlsx"
    (folder / "password.xlsx").write_bytes(locked.read_bytes())
    (folder / "broken.xlsx").write_bytes(b"PK\x03\x04 and then nothing")
    written, _ = mark_all(folder, tmp_path / "out")
    assert [(w.path.name, w.reason is None) for w in written] == [
        ("broken.xlsx（问题清单）.xlsx", False),
        ("password.xlsx（问题清单）.xlsx", False),
    ]
    grid = read_grids(written[1].path.read_bytes(), "x").grids[0]
    assert any("密码" in str(row[4]) for row in grid.rows)


def test_strict_workbooks_are_listed(example_template: Path, tmp_path: Path) -> None:
    content = parts(example_template.read_bytes())
    strict = tmp_path / "strict.xlsx"
    with zipfile.ZipFile(strict, "w") as target:
        for name, part in content.items():
            text = part.replace(
                b"http://schemas.openxmlformats.org/spreadsheetml/2006/main",
                b"http://purl.oclc.org/ooxml/spreadsheetml/main",
            )
            target.writestr(name, text)
    (copy,), _ = mark_all(strict, tmp_path / "out")
    assert copy.reason is not None and "Strict" in copy.reason[1]


@pytest.mark.parametrize(
    ("part", "old", "new"),
    [
        ("xl/workbook.xml", b"<workbook", b"<!DOCTYPE x [<!ENTITY a 'b'>]><workbook"),
        ("xl/styles.xml", b"<styleSheet", b"<!DOCTYPE x [<!ENTITY a 'b'>]><styleSheet"),
        ("xl/styles.xml", b"</styleSheet>", b""),
        ("xl/_rels/workbook.xml.rels", b"styles.xml", b"../../../etc/passwd"),
        ("xl/worksheets/sheet2.xml", b'priority="1"', b'priority="first"'),
        ("xl/worksheets/sheet2.xml", b"</worksheet>", b"<unclosed></worksheet>"),
    ],
)
def test_a_damaged_workbook_is_listed_or_marked_but_never_breaks_the_run(
    example_template: Path, tmp_path: Path, part: str, old: bytes, new: bytes
) -> None:
    content = parts(example_template.read_bytes())
    assert old in content[part]
    content[part] = content[part].replace(old, new, 1)
    path = tmp_path / "odd.xlsx"
    with zipfile.ZipFile(path, "w") as target:
        for name, data in content.items():
            target.writestr(name, data)
    (copy,), _ = mark_all(path, tmp_path / "out")
    assert copy.reason is not None
    assert is_problem_list(read_grids(copy.path.read_bytes(), "x").grids[0])


def test_marks_that_would_change_what_is_read_are_refused(rich: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    def drop_a_sheet(*_: object) -> bytes:
        return build_template(*canonical.load(EXAMPLE / "2026.yaml", load_form))

    monkeypatch.setattr("kpixl.output.annotate.workbook._Annotator.mark", drop_a_sheet)
    with pytest.raises(UnmarkableError, match="change what it holds"):
        marked(open_content(rich), "x", (), "zh")


def test_notes_are_bounded(rich: bytes) -> None:
    sheet = "自己的表"
    places = [Location("x", sheet, CellRef(row, 0)) for row in range(2_100)]
    problems = [Problem("not-readable", place, {"reason": "x" * 600}) for place in places]
    content = parts(marked(open_content(rich), "x", grouped(problems, everything=True), "zh"))
    (comments,) = [part for name, part in content.items() if "comments_kpixl" in name]
    assert comments.count(b"<comment ") == MAX_NOTES


# --- OpenDocument -----------------------------------------------------------------------------

ODS = EXAMPLE / "returned" / "调研宣传部" / "智库、之家.ods"


def ods_notes(path: Path) -> dict[str, str]:
    """Return the notes of a document by sheet and cell."""
    root = etree.fromstring(parts(path.read_bytes())["content.xml"])
    found = {}
    for table in root.iter(odf("table:table")):
        row = -1
        for line in table.iter(odf("table:table-row")):
            row += 1
            col = 0
            for cell in line:
                for note in cell.findall(odf("office:annotation")):
                    text = "\n".join("".join(p.itertext()) for p in note.findall(odf("text:p")))
                    found[f"{table.get(odf('table:name'))}!{a1(row, col)}"] = text
                col += int(cell.get(odf("table:number-columns-repeated"), "1"))
            row += int(line.get(odf("table:number-rows-repeated"), "1")) - 1
    return found


def odf(name: str) -> str:
    prefix, _, word = name.partition(":")
    return f"{{{SPACES[prefix]}}}{word}"


def test_an_ods_is_marked_and_read_as_before(office: Office, tmp_path: Path) -> None:
    copy = mark_one(ODS, tmp_path / "out")
    assert portfolio_text(copy) == portfolio_text(ODS)
    assert mark_one(copy, tmp_path / "again").read_bytes() == copy.read_bytes()
    problems = [p for p in review([ODS], [load_form(FORM)]).problems if p.location.address]
    notes_found = ods_notes(copy)
    assert problems
    for problem in problems:
        assert problem.message() in notes_found[f"{problem.location.sheet}!{problem.location.address}"]
    with zipfile.ZipFile(copy) as package:
        first = package.infolist()[0]
        assert (first.filename, first.compress_type) == ("mimetype", zipfile.ZIP_STORED)
    saved = office.convert(copy, tmp_path / "saved", "ods")
    again = mark_one(saved, tmp_path / "anew")
    assert portfolio_text(again) == portfolio_text(ODS)
    assert ods_notes(again) == notes_found
    content = parts(again.read_bytes())["content.xml"]
    rules = content.count(b"LEN(&quot;kpixl&quot;)")
    assert rules == parts(copy.read_bytes())["content.xml"].count(b"LEN(&quot;kpixl&quot;)") > 0
    assert [is_problem_list(g) for g in read_grids(again.read_bytes(), again.name).grids].count(True) == 1


def test_a_marked_workbook_saved_as_ods_is_marked_anew(office: Office, tmp_path: Path) -> None:
    original = EXAMPLE / "returned" / "办公室.xlsx"
    copy = mark_one(original, tmp_path / "out")
    saved = office.convert(copy, tmp_path / "saved", "ods")
    again = mark_one(saved, tmp_path / "anew")
    assert portfolio_text(again) == portfolio_text(original)
    assert {text.count(sheet_ids.NOTE_SIGNATURE) for text in ods_notes(again).values()} == {1}


def test_notes_of_people_in_an_ods_stay_and_ours_come_and_go(tmp_path: Path) -> None:
    content = parts(ODS.read_bytes())
    problem = next(p for p in review([ODS], [load_form(FORM)]).problems if p.location.address == "E11")
    root = etree.fromstring(content["content.xml"])
    table = next(t for t in root.iter(odf("table:table")) if t.get(odf("table:name")) == problem.location.sheet)
    note = etree.fromstring(
        f'<office:annotation xmlns:office="{SPACES["office"]}" xmlns:text="{SPACES["text"]}"><text:p>领导批示</text:p>'
        "</office:annotation>"
    )
    row = list(table.iter(odf("table:table-row")))[10]
    row[4].insert(0, note)
    path = tmp_path / "noted.ods"
    with zipfile.ZipFile(path, "w") as target:
        for name, part in {**content, "content.xml": etree.tostring(root)}.items():
            target.writestr(name, part)
    copy = mark_one(path, tmp_path / "out")
    where = f"{problem.location.sheet}!E11"
    assert ods_notes(copy)[where].startswith(f"领导批示\n\n{sheet_ids.NOTE_SIGNATURE}")
    other = Problem("not-readable", Location("x", problem.location.sheet, parse_a1("F3")), {"reason": "x"})
    again = tmp_path / "again.ods"
    again.write_bytes(marked(open_content(copy.read_bytes()), "x", grouped([other], everything=True), "zh"))
    assert ods_notes(again)[where] == "领导批示"
    assert ods_notes(again)[f"{problem.location.sheet}!F3"].startswith(sheet_ids.NOTE_SIGNATURE)


def test_a_repeated_row_is_taken_apart_for_a_note(tmp_path: Path) -> None:
    sheet = read_grids(ODS.read_bytes(), "x").grids[-1].name
    before = read_grids(ODS.read_bytes(), "x").grids
    problem = Problem("not-readable", Location("x", sheet, parse_a1("Z3")), {"reason": "a  b\tc"})
    content = marked(open_content(ODS.read_bytes()), "x", grouped([problem], everything=True), "zh")
    path = tmp_path / "far.ods"
    path.write_bytes(content)
    assert f"{sheet}!Z3" in ods_notes(path)
    assert [g.rows for g in read_grids(content, "x").grids[1:]] == [g.rows for g in before]


def saved_by_openpyxl(content: bytes) -> bytes:
    """Save a submission with openpyxl, with a person's notes: it numbers the prefixes of their drawing."""
    book = openpyxl.load_workbook(io.BytesIO(content))
    for place in ("B3", "B5"):
        book.worksheets[-2][place].comment = Comment("请核对", "王处")
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()


def without_styles(content: bytes) -> bytes:
    """Take the styles out of a submission, which the standard allows."""
    found = parts(content)
    del found["xl/styles.xml"]
    for name, pattern in (
        ("[Content_Types].xml", rb'<Override PartName="/xl/styles.xml"[^>]*>'),
        ("xl/_rels/workbook.xml.rels", rb'<Relationship [^>]*"styles.xml"[^>]*>'),
    ):
        found[name] = re.sub(pattern, b"", found[name])
    for name in [name for name in found if name.startswith("xl/worksheets/sheet")]:
        found[name] = re.sub(rb' (s|style|customFormat)="\d+"', b"", found[name])
        found[name] = re.sub(rb"<conditionalFormatting.*?</conditionalFormatting>", b"", found[name])
    return packed(found)


def with_the_last_sheet_number(content: bytes) -> bytes:
    """Give a sheet the highest number that Excel takes."""
    found = parts(content)
    found["xl/workbook.xml"] = found["xl/workbook.xml"].replace(b'sheetId="1"', b'sheetId="65534"')
    return packed(found)


def packed(found: dict[str, bytes]) -> bytes:
    """Pack a workbook."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as package:
        for name, content in found.items():
            package.writestr(name, content)
    return target.getvalue()


@pytest.mark.application
@pytest.mark.parametrize("change", [saved_by_openpyxl, without_styles, with_the_last_sheet_number])
def test_odd_workbooks_are_marked_and_valid(
    change: Callable[[bytes], bytes], example: tuple[Form, Portfolio], tmp_path: Path
) -> None:
    path = tmp_path / "a.xlsx"
    path.write_bytes(change(bad_template(example)))
    copy = mark_one(path, tmp_path / "out")
    assert portfolio_text(copy) == portfolio_text(path)
    assert any(sheet_ids.NOTE_SIGNATURE in text for text in notes(copy).values())
    assert mark_one(copy, tmp_path / "again").read_bytes() == copy.read_bytes()
    if change is not saved_by_openpyxl:  # its fonts are not in the standard's order
        assert_valid([copy])


def test_what_openpyxl_made_of_a_marked_copy_is_marked_anew(example: tuple[Form, Portfolio], tmp_path: Path) -> None:
    (tmp_path / "a.xlsx").write_bytes(bad_template(example))
    copy = mark_one(tmp_path / "a.xlsx", tmp_path / "out")
    saved = tmp_path / "b.xlsx"
    saved.write_bytes(saved_by_openpyxl(copy.read_bytes()))
    again = mark_one(saved, tmp_path / "again")
    places = {place: text for place, text in notes(again).items() if not place.startswith("问题清单")}
    (drawing,) = [data for name, data in parts(again.read_bytes()).items() if name.endswith(".vml")]
    assert len(re.findall(rb"<(?:\w+:)?shape\s", drawing)) == len(places)  # no box of a note that is gone


def test_a_persons_note_is_the_same_to_the_byte_when_it_is_marked_anew() -> None:
    """Gnumeric writes an empty run behind every note; Excel may write how its words are pronounced."""
    text = '<text><r><t>王</t></r><r><t/></r><rPh sb="0" eb="1"><t>wang</t></rPh></text>'
    comments = f'<commentList><comment ref="B5">{text}</comment></commentList>'
    before = EMPTY_COMMENTS.replace(b"<commentList/>", comments.encode())
    note = ProblemNote(Span(4, 1, 4, 1), sheet_ids.NOTE_SIGNATURE + "x", Severity.ERROR)
    once = Comments(before)
    assert once.add([note]) == []
    twice = Comments(once.finish())
    twice.remove_ours()
    twice.add([note])
    assert twice.finish() == once.finish()
    assert b"<t>wang</t>" in twice.finish()


@pytest.mark.parametrize("text", [b"<v:shape ", b"<v:shape>", b"</v:shape>", b"<v:shape/"])
def test_drawings_of_nothing_but_shapes_are_read_in_no_time(text: bytes) -> None:
    drawing = b"<xml>" + text * 200_000 + b"</xml>"
    assert without_boxes(drawing, [Span(0, 0, 0, 0)]) == drawing


# --- archives, names, folders -----------------------------------------------------------------


def bad_template(example: tuple[Form, Portfolio], number: int = 0) -> bytes:
    """Build the submission of one project, with an error in it."""
    form, portfolio = example
    good = portfolio.projects[number]
    return build_template(form, replace(portfolio, projects=(replace(good, values={**good.values, "start": "明年"}),)))


def test_files_of_archives_are_marked_inside_the_folder(example: tuple[Form, Portfolio], tmp_path: Path) -> None:
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as target:
        target.writestr("单位/a.xlsx", bad_template(example))
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as target:
        target.writestr("../../evil.xlsx", bad_template(example, 1))
        target.writestr("C:\\temp\\b.xlsx", bad_template(example, 2))
        target.writestr("inner.zip", inner.getvalue())
    out = tmp_path / "out"
    written, _ = mark_all(tmp_path / "all.zip", out)
    assert [w.reason for w in written] == [None] * 3
    assert sorted(w.path.relative_to(out).as_posix() for w in written) == [
        "all.zip/C_/temp/b.xlsx",
        "all.zip/evil.xlsx",
        "all.zip/inner.zip/单位/a.xlsx",
    ]
    assert not (tmp_path / "evil.xlsx").exists() and not (tmp_path.parent / "evil.xlsx").exists()


def test_names_that_are_too_long_or_in_each_others_way_end_no_run(
    example: tuple[Form, Portfolio], tmp_path: Path
) -> None:
    names = [
        "b.xlsx",
        "b.xlsx/c.xlsx",
        "b.XLSX",
        "b.xlsx",
        "/".join(["d" * 200] * 100) + "/e.xlsx",
        "f" * 60_000 + ".xlsx",
    ]
    with warnings.catch_warnings(), zipfile.ZipFile(tmp_path / "all.zip", "w") as target:
        warnings.simplefilter("ignore")
        for number, name in enumerate(names):
            target.writestr(name, bad_template(example, number))
    out = tmp_path / "out"
    written, _ = mark_all(tmp_path / "all.zip", out)
    assert [w.reason for w in written] == [None] * len(names)
    assert {w.path.suffix.lower() for w in written} == {".xlsx"}
    assert len({str(w.path).casefold() for w in written if w.path.is_file()}) == len(names)
    assert out / "all.zip" / "b.xlsx (2)" / "c.xlsx" in {w.path for w in written}


def test_names_that_are_no_utf8_are_read_as_gbk(example: tuple[Form, Portfolio], tmp_path: Path) -> None:
    """An archive from Windows, unpacked on Linux; beside it a file whose name reads alike."""
    source = tmp_path / "in"
    source.mkdir()
    try:
        for number, name in enumerate((os.fsdecode("科普部.xlsx".encode("gb18030")), "办公室.xlsx")):
            (source / name).write_bytes(bad_template(example, number))
    except OSError:
        pytest.skip("this file system takes names in UTF-8 only")
    outputs = [
        "--html",
        str(tmp_path / "r.html"),
        "--sarif",
        str(tmp_path / "r.sarif"),
        "--mark",
        str(tmp_path / "out"),
    ]
    assert run(["check", str(source), *outputs]) == 1
    assert sorted(p.name for p in (tmp_path / "out").glob("[!.]*")) == ["办公室.xlsx", "科普部.xlsx"]
    (source / "科普部.xlsx").write_bytes(bad_template(example, 2))
    result = consolidate([source], [load_form(FORM)])
    assert len(result.portfolio.projects) == 3  # none is taken for the other


def test_content_is_found_again_only_if_it_is_what_was_read(example: tuple[Form, Portfolio], tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    path.write_bytes(bad_template(example))
    (file,) = review([path], [load_form(FORM)]).files
    assert file.job == Job(path.resolve(), "a.xlsx", True)
    assert content_of(file) == path.read_bytes()
    path.write_bytes(b"something else")
    assert content_of(file) is None
    path.unlink()
    assert content_of(file, Limits()) is None


def test_a_folder_where_submissions_are_read_is_refused(tmp_path: Path) -> None:
    code = run(["--lang", "en", "check", str(tmp_path), "--mark", str(tmp_path / "marked")])
    assert code == 3
    assert not (tmp_path / "marked").exists()


def test_a_portfolio_has_no_files_to_mark(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["check", str(EXAMPLE / "2026.yaml"), "--mark", str(tmp_path / "m")]) == 3
    assert "没有可以标注的文件" in capsys.readouterr().err


def test_another_file_of_the_name_is_kept_and_old_copies_are_told(
    example: tuple[Form, Portfolio], tmp_path: Path
) -> None:
    source, out = tmp_path / "in", tmp_path / "out"
    source.mkdir()
    out.mkdir()
    (source / "a.xlsx").write_bytes(bad_template(example))
    (out / "a.xlsx").write_bytes(b"somebody's own")
    (out / "last week.xlsx").write_bytes(b"x")
    _, said = mark_all(source, out)
    assert {p.code for p in said} == {"copy-kept", "mark-stale"}
    assert (out / "a.旧-20261124.xlsx").read_bytes() == b"somebody's own"
    (again,), said = mark_all(source, out)
    assert not again.changed
    assert [p.code for p in said] == ["mark-stale"]


def test_the_folder_is_never_one_that_holds_the_originals(example: tuple[Form, Portfolio], tmp_path: Path) -> None:
    """Files named one by one may lie in the very folder that is to be written to."""
    path = tmp_path / "a.xlsx"
    path.write_bytes(bad_template(example))
    with pytest.raises(KpixlError) as raised:
        mark_all(path, tmp_path)
    assert raised.value.problems[0].code == "output-is-input"
    assert path.read_bytes() == bad_template(example)


def test_json_says_what_was_written(
    example: tuple[Form, Portfolio], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.xlsx").write_bytes(bad_template(example))
    code = run(["check", str(tmp_path / "a.xlsx"), "--mark", str(tmp_path / "out"), "--json"])
    captured = capsys.readouterr()
    assert code == 1
    assert json.loads(captured.out)["marked"] == [
        {"file": "a.xlsx", "copy": str(tmp_path / "out" / "a.xlsx"), "marked": True, "reason": None, "kept": []}
    ]
    assert "1 个文件已标注" in captured.err


def test_files_with_notes_only_are_left_out(tmp_path: Path) -> None:
    problem = Problem("value-normalised", Location("a.xlsx", "s", parse_a1("A1")), {"raw": "1", "reading": "1"})
    result = review([EXAMPLE / "returned" / "办公室.xlsx"], [load_form(FORM)])
    file = replace(result.files[0], file="a.xlsx")
    assert write_marked([file], [problem], tmp_path / "out", today=TODAY) == ((), ())


# --- boxes ------------------------------------------------------------------------------------


def test_boxes_are_removed_by_cell_alone() -> None:
    box = "<v:shape id='{0}'><x:ClientData><x:Row>{1}</x:Row>\n<x:Column> {2} </x:Column></x:ClientData></v:shape>"
    drawing = (
        "<xml><v:shapetype id='t'></v:shapetype>" + box.format("a", 1, 2) + box.format("b", 2, 1) + "</xml>"
    ).encode()
    left = without_boxes(drawing, [Span(1, 2, 1, 2)])
    assert left == ("<xml><v:shapetype id='t'></v:shapetype>" + box.format("b", 2, 1) + "</xml>").encode()
    assert has_boxes(left)
    assert not has_boxes(without_boxes(left, [Span(2, 1, 2, 1)]))


# --- many files, and files that end the worker ----------------------------------------------------


def with_a_problem_each(path: Path) -> tuple[tuple[FileResult, ...], list[Problem]]:
    """Read submissions; return them and one error for each."""
    files = review([path], [load_form(FORM)]).files
    return files, [Problem("no-sheets", Location(file.file)) for file in files]


def _killed(*_: object) -> NoReturn:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError


def _asleep(*_: object) -> NoReturn:
    time.sleep(600)
    raise AssertionError


def _out_of_memory(*_: object) -> NoReturn:
    raise MemoryError


ENDS = {"killed": (_killed, "程序中断"), "asleep": (_asleep, "seconds"), "memory": (_out_of_memory, "memory-bytes")}


@pytest.mark.skipif(
    "fork" not in multiprocessing.get_all_start_methods(), reason="workers are forked, so that the change reaches them"
)
@pytest.mark.parametrize(("end", "reason"), ENDS.values(), ids=ENDS)
@pytest.mark.parametrize("packed", [False, True], ids=["folder", "archive"])
def test_a_file_that_ends_its_worker_costs_only_its_own_marks(
    *,
    packed: bool,
    end: Callable[..., NoReturn],
    reason: str,
    example: tuple[Form, Portfolio],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(
        "kpixl.output.annotate.copies.marked", lambda *a: end() if a[1].endswith("3.xlsx") else marked(*a)
    )
    source = tmp_path / "in"
    source.mkdir()
    with zipfile.ZipFile(source / "a.zip", "w") if packed else nullcontext() as target:
        for number in range(6):
            content = bad_template(example, number)
            if target is not None:
                target.writestr(f"{number}.xlsx", content)
            else:
                (source / f"{number}.xlsx").write_bytes(content)
    files, problems = with_a_problem_each(source)
    limits = Limits(seconds=5)
    written, said = write_marked(files, problems, tmp_path / "out", today=TODAY, limits=limits, workers=2)
    assert [copy.reason is None for copy in written] == [True, True, True, False, True, True]
    (listed,) = [p for p in said if p.code == "mark-listed"]
    assert reason in listed.message()
    assert written[3].path.is_file()


def test_marking_asks_about_each_file_a_fixed_number_of_times(
    example: tuple[Form, Portfolio], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Were every copy compared with every input, twice as many files would take four times as long."""
    resolve = Path.resolve
    asked: list[Path] = []

    def count(path: Path, *, strict: bool = False) -> Path:
        asked.append(path)
        return resolve(path, strict=strict)

    counts = []
    for number in (10, 20):
        source = tmp_path / str(number)
        source.mkdir()
        for n in range(number):
            (source / f"{n}.xlsx").write_bytes(bad_template(example))
        files, problems = with_a_problem_each(source)
        with monkeypatch.context() as patch:
            asked.clear()
            patch.setattr(Path, "resolve", count)
            written, _ = write_marked(files, problems, tmp_path / f"{number}-out", today=TODAY, workers=0)
        assert len(written) == number
        counts.append(len(asked))
    assert counts[1] <= 2 * counts[0]


def test_an_archive_is_opened_once_whatever_the_number_of_its_files(
    example: tuple[Form, Portfolio], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as target:
        for number in range(6):
            target.writestr(f"{number}.xlsx", bad_template(example, number))
    files, problems = with_a_problem_each(tmp_path / "a.zip")
    opened: list[str] = []
    members = archive.members

    def count(opened_archive: Any, shown: str, limits: Limits) -> Iterator[Any]:
        opened.append(shown)
        yield from members(opened_archive, shown, limits)

    monkeypatch.setattr(archive, "members", count)
    written, _ = write_marked(files, problems, tmp_path / "out", today=TODAY, workers=0)
    assert (len(written), len(opened)) == (6, 1)


def test_a_marked_copy_that_somebody_edited_is_kept(example: tuple[Form, Portfolio], tmp_path: Path) -> None:
    (tmp_path / "a.xlsx").write_bytes(bad_template(example))
    out = tmp_path / "out"
    mark_all(tmp_path / "a.xlsx", out)
    (out / "a.xlsx").write_bytes(b"edited")
    _, said = mark_all(tmp_path / "a.xlsx", out)
    assert "copy-kept" in {p.code for p in said}
    assert (out / "a.旧-20261124.xlsx").read_bytes() == b"edited"
