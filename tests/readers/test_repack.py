"""A package with other parts is read as one that was packed anew, and a sheet without its formulas as with them."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest
import python_calamine
from hypothesis import given
from hypothesis import strategies as st

from kpixl.readers import DEFAULT_LIMITS, UnreadableError, read_grids
from kpixl.readers.package import OpenedPackage
from tests.packages import package, workbook

NAMES = st.text("ab/甲é", min_size=1, max_size=6)


@given(st.dictionaries(NAMES, st.binary(max_size=50), min_size=1), st.dictionaries(NAMES, st.binary(max_size=50)))
def test_parts_that_are_not_changed_stay_and_the_others_are_new(old: dict[str, bytes], new: dict[str, bytes]) -> None:
    opened = OpenedPackage(package(old), DEFAULT_LIMITS)
    with zipfile.ZipFile(io.BytesIO(opened.changed(new))) as changed:
        assert changed.testzip() is None
        assert {name: changed.read(name) for name in changed.namelist()} == {**old, **new}


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2])
def test_a_part_is_read_however_it_is_packed(compression: int) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        archive.writestr("a", b"x" * 1000)
        archive.writestr("empty", b"")
    opened = OpenedPackage(buffer.getvalue(), DEFAULT_LIMITS)
    assert (opened.read("A"), opened.read("empty"), opened.read("none")) == (b"x" * 1000, b"", b"")


def test_a_part_that_is_not_what_was_packed_is_refused() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a", b"text that is there")
    opened = OpenedPackage(buffer.getvalue().replace(b"that is", b"that IS"), DEFAULT_LIMITS)
    with pytest.raises(UnreadableError):
        opened.read("a")


def test_a_place_that_no_directory_can_hold_is_refused() -> None:
    opened = OpenedPackage(package({"a": b"1", "b": b"2"}), DEFAULT_LIMITS)
    opened.parts[0].header_offset = -1
    with pytest.raises(UnreadableError):
        opened.changed({"b": b"3"})


@pytest.mark.parametrize(
    "cell",
    [
        ' t="str"><f>IF(A2="a","甲","r=""A12345""")</f><v>甲</v></c>',
        "><f>SUM(A2:A3)</f><v>1.5</v></c>",
        ' t="b"><f>TRUE()</f><v>1</v></c>',
        ' t="e"><f>1/0</f><v>#DIV/0!</v></c>',
        '><f>IF(COUNT(A2)=0,"",A2)</f><v></v></c>',
        '><f t="shared" ref="A1:A2" si="0">B1</f><v>3</v></c>',
        ' t="s"><f>A2</f><v>0</v></c>',
    ],
)
def test_a_formula_that_is_left_out_changes_no_value(cell: str) -> None:
    row = f'<row r="1"><c r="A1"{cell}<c r="B1"><v>2</v></c></row>'
    content = workbook([f"<sheetData>{row}</sheetData>"], ["shared"])
    expected = python_calamine.load_workbook(io.BytesIO(content)).get_sheet_by_index(0).to_python()
    assert expected[0][-1] == 2
    assert read_grids(content, "a.xlsx").grids[0].rows == expected


def test_the_example_is_read_as_calamine_reads_it() -> None:
    path = Path(__file__).parents[2] / "examples" / "sast-2026" / "returned" / "办公室.xlsx"
    book = python_calamine.load_workbook(str(path))
    grids = read_grids(path.read_bytes(), path.name).grids
    assert [grid.rows for grid in grids] == [book.get_sheet_by_name(grid.name or "").to_python() for grid in grids]
