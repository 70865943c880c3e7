"""A short run of the fuzzing harness, and what longer ones once found."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import openpyxl
import pytest

from kpixl.intake import Job, read_files
from kpixl.secondlook import look
from tests.fuzz.run import fuzz, inputs
from tests.fuzz.seeds import FORMS
from tests.packages import package, rows, workbook


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
    "no types": workbook([rows({})]),
    "cut off": BOOK[:-30],
}


@pytest.mark.parametrize("content", BROKEN.values(), ids=BROKEN)
def test_the_second_look_gives_up_on_what_openpyxl_cannot_open(content: bytes) -> None:
    assert look(content, [("S1", "A1")]) is None
