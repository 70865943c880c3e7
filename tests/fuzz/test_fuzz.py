"""A short run of the fuzzing harness, and what longer ones once found."""

from __future__ import annotations

import io
import json
import struct
import zipfile
from pathlib import Path

import openpyxl
import pytest

from kpixl.a1 import CellRef
from kpixl.collection.consolidate import consolidate
from kpixl.collection.intake import Job, read_files
from kpixl.portfolio import canonical
from kpixl.portfolio import sheet_id as sheet_ids
from kpixl.readers import DEFAULT_LIMITS, ole, read_grids
from kpixl.readers.package import OpenedPackage
from kpixl.recognise.inspect_xlsx import look
from tests.fuzz.run import fuzz, inputs
from tests.fuzz.seeds import FORMS, file_seeds, form_of
from tests.packages import compound, package, packed_workbook, rows, workbook


@pytest.mark.slow
def test_a_few_hundred_broken_files_break_nothing() -> None:
    report = fuzz(400, run_seed=20_260_101)
    assert report.findings == {}
    assert report.tried >= 400
    assert {".xlsx projects", ".xls projects", ".yaml portfolio"} <= set(report.outcomes), "some still can be read"


def test_broken_files_in_a_folder_cost_only_themselves(tmp_path: Path) -> None:
    jobs = []
    for number, made in enumerate(inputs(3, 7, 0)):
        path = tmp_path / f"{number:02} {made.name}"
        path.write_bytes(made.content)
        jobs.append(Job(path, path.name))
    good = tmp_path / "good.txt"
    good.write_text("甲\t乙\n", encoding="utf-8")
    results = read_files([*jobs, Job(good, "good")], FORMS, workers=2)
    assert {result.file.partition(" › ")[0] for result in results} == {job.shown for job in jobs} | {"good"}
    assert [problem.code for problem in results[-1].problems] == ["no-form"]


# --- found -------------------------------------------------------------------------------------


def _rezipped(content: bytes, part: str, old: bytes, new: bytes) -> bytes:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    assert old in parts[part]
    return package({**parts, part: parts[part].replace(old, new)})


def _saved() -> bytes:
    stream = io.BytesIO()
    openpyxl.Workbook().save(stream)
    return stream.getvalue()


BOOK = _saved()
with zipfile.ZipFile(io.BytesIO(BOOK)) as _archive:
    AT = _archive.getinfo("xl/workbook.xml").header_offset + 30 + len("xl/workbook.xml")
BROKEN = {
    "nested": _rezipped(BOOK, "xl/workbook.xml", b"<sheets>", b"<x>" * 300 + b"</x>" * 300 + b"<sheets>"),
    "undeflatable": BOOK[:AT] + b"\xff" * 10 + BOOK[AT + 10 :],
}


@pytest.mark.parametrize("content", BROKEN.values(), ids=BROKEN)
def test_the_second_look_gives_up_on_a_list_of_sheets_that_it_cannot_read(content: bytes) -> None:
    assert look(OpenedPackage(content, DEFAULT_LIMITS), [("S1", CellRef(0, 0))]) is None


def _sectors(*changes: tuple[int, int]) -> bytes:
    """Make an old Office file and put numbers into it."""
    data = bytearray(compound({"Workbook": b"", "Other": b""}))
    for place, number in changes:
        data[place : place + 4] = struct.pack("<I", number)
    return bytes(data)


TABLE, DIRECTORY = 512, 1024  # where they begin in such a file


@pytest.mark.parametrize(
    "changes",
    [
        [(TABLE + 4, 1)],  # the directory follows itself
        [(TABLE + 8, 3), (TABLE + 12, 2)],  # the workbook runs in a circle
        [(DIRECTORY + 128 + 120, 1 << 31)],  # it claims 2 GiB
        [(60, 2), (TABLE + 8, 2)],
        [(68, 2)],  # the list of tables follows itself
    ],
)
def test_an_old_file_without_end_is_refused(changes: list[tuple[int, int]]) -> None:
    assert not ole.is_endless(_sectors())
    content = _sectors(*changes)
    if changes == [(68, 2)]:
        content = content[:1536] + struct.pack("<I", 2) * 128 + content[2048:]
    assert ole.is_endless(content)
    (problem,) = read_grids(content, "x.xls").problems
    assert problem.code == "not-a-workbook"


def test_a_header_that_counts_wrongly_is_put_right_before_memory_is_taken_for_it() -> None:
    content = _sectors((40, 1 << 30))  # sectors of the directory, 0 in this version of the format
    assert ole.with_true_header(content)[40:44] == b"\0\0\0\0"
    (problem,) = read_grids(content, "x.xls").problems
    assert problem.code == "no-sheets"


@pytest.mark.parametrize("fact", [{"project": " "}, {"project": "\\ud800"}, {"year": 99}, {"portfolio": "\\uffff"}])
def test_a_marker_that_no_portfolio_can_hold_is_none(fact: dict[str, str | int]) -> None:
    facts = {"kpixl": 1, "form": "f", "version": "1", "portfolio": "p", "project": "01", "order": 1, "year": 2026}
    spelled = json.dumps(facts, separators=(",", ":"))
    assert sheet_ids.loads(spelled) is not None
    assert sheet_ids.loads(json.dumps(facts | fact, separators=(",", ":")).replace("\\\\u", "\\u")) is None


def test_a_character_that_cannot_be_stored_is_replaced_and_said(tmp_path: Path) -> None:
    (seed,) = [seed for seed in file_seeds()[:20] if seed.name == "1.csv"]
    path = tmp_path / "x.csv"
    path.write_bytes(seed.content.replace(b"Bridge", "Bri\uffffdge".encode()))
    result = consolidate([path], FORMS, workers=0)
    (project,) = result.portfolio.projects
    assert project.values["title"] == "Bri\ufffddge"
    assert "value-normalised" in {problem.code for problem in result.problems}
    assert canonical.loads(canonical.dumps(result.form, result.portfolio), form_of)[1] == result.portfolio


def test_a_cell_beyond_what_the_sheet_declares_takes_no_memory() -> None:
    sheet = rows({"A1": "><v>1</v></c>", "XFD1048576": "><v>1</v></c>"}, "A1:B2")
    (problem,) = read_grids(workbook([sheet]), "x.xlsx").problems
    assert problem.code == "sheet-too-large"


def test_a_cell_in_a_column_that_no_sheet_has_is_refused() -> None:
    (problem,) = read_grids(workbook([rows({"PINFINITY6": "><v>1</v></c>"})]), "x.xlsx").problems
    assert problem.code == "not-a-workbook"


def test_a_workbook_that_lists_one_sheet_again_and_again_is_refused() -> None:
    sheet = b'<sheet name="S%d" sheetId="%d" r:id="rId1"/>'
    listed = b"".join(sheet % (number, number) for number in range(2, 300))
    content = _rezipped(BOOK, "xl/workbook.xml", b"</sheets>", listed + b"</sheets>")
    (problem,) = read_grids(content, "x.xlsx").problems
    assert problem.code == "not-a-workbook"
    assert "工作表的数目有误" in problem.message()


def test_parts_whose_names_have_slashes_that_lean_the_other_way_are_counted_too() -> None:
    content = packed_workbook({(0, 0): 1.0, (1_000_000, 16_000): 1.0})
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    leaning = package({name.replace("worksheets/", "worksheets\\"): part for name, part in parts.items()})
    for each in (content, leaning):
        (problem,) = read_grids(each, "x.xlsb").problems
        assert problem.code == "sheet-too-large"


def test_more_shared_strings_declared_than_there_can_be_are_refused() -> None:
    content = _rezipped(
        workbook([rows({})], ["x"]), "xl/sharedStrings.xml", b"<sst ", b'<sst uniqueCount="4294967295" '
    )
    (problem,) = read_grids(content, "x.xlsx").problems
    assert problem.code == "not-a-workbook"
