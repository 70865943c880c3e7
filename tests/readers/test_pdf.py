"""PDF: what browsers and offices print gives the same projects; hostile drawings are read in bounds."""

from __future__ import annotations

import subprocess
import unicodedata
from collections.abc import Sequence
from pathlib import Path

import pytest

from kpixl.collection.consolidate import consolidate
from kpixl.collection.intake import Job, read_files
from kpixl.forms.definition import Form
from kpixl.output.publish.html import render_page
from kpixl.portfolio import canonical
from kpixl.portfolio.model import Portfolio
from kpixl.readers import Limits, read_grids
from kpixl.readers.radicals import ideograph
from tests.applications import TIMEOUT, Office, command
from tests.packages import drawn, pdf_stream

RADICALS = [chr(code) for code in range(0x2E80, 0x2FE0)]


def print_page(page: Path, target: Path) -> Path:
    """Print a page to a PDF with Chromium."""
    options = ["--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={target.parent / 'browser'}"]
    subprocess.run(
        [command("chromium"), *options, f"--print-to-pdf={target}", page.as_uri()],
        capture_output=True,
        timeout=TIMEOUT,
        check=True,
    )
    return target


def text(*shown: tuple[float, float, str]) -> bytes:
    """Draw texts of 12 points, each at its place from the left and from the bottom."""
    drawings = "".join(f"1 0 0 1 {x} {y} Tm ({string}) Tj\n" for x, y, string in shown)
    return f"BT /F1 12 Tf\n{drawings}ET\n".encode("latin-1")


def boxes(*corners: tuple[float, float, float, float]) -> bytes:
    """Draw rectangles: left, bottom, width, height."""
    return "".join(f"{x} {y} {width} {height} re S\n" for x, y, width, height in corners).encode()


def grid_of(content: bytes) -> list[list[str]]:
    (grid,) = read_grids(content, "x.pdf").grids
    return [[str(value) for value in row] for row in grid.rows]


def codes(content: bytes, **limits: float) -> list[str]:
    reading = read_grids(content, "x.pdf", Limits(**limits))  # type: ignore[arg-type]
    assert bool(reading.grids) != bool(reading.problems)
    return [problem.code for problem in reading.problems]


# --- the same projects --------------------------------------------------------------------------


def assert_same_projects(form: Form, portfolio: Portfolio, path: Path) -> None:
    result = consolidate([path], [form], workers=0)
    assert canonical.dumps(form, result.portfolio) == canonical.dumps(form, portfolio)
    assert {problem.code for problem in result.problems} == {"stray-text"}
    rows = [str(value) for grid in read_grids(path.read_bytes(), path.name).grids for row in grid.rows for value in row]
    assert not set("".join(rows)) & set(RADICALS)


@pytest.mark.application
def test_the_page_as_a_browser_prints_it_gives_the_same_projects(
    example: tuple[Form, Portfolio], tmp_path: Path
) -> None:
    form, portfolio = example
    page = tmp_path / "page.html"
    page.write_text(render_page(form, portfolio), encoding="utf-8")
    assert_same_projects(form, portfolio, print_page(page, tmp_path / "page.pdf"))


def test_the_filled_template_as_libreoffice_prints_it_gives_the_same_projects(
    example: tuple[Form, Portfolio], example_template: Path, office: Office, tmp_path: Path
) -> None:
    assert_same_projects(*example, office.convert(example_template, tmp_path, "pdf"))


# --- characters ---------------------------------------------------------------------------------


def test_every_radical_is_the_ideograph_it_looks_like() -> None:
    for radical in RADICALS:
        if unicodedata.name(radical, "").startswith("KANGXI"):
            assert ideograph(radical) == unicodedata.normalize("NFKC", radical)
        # U+2E80 has no ideograph of its own; the rest are no characters.
        assert ideograph(radical) not in RADICALS or radical == "⺀" or not unicodedata.name(radical, "")
    assert (ideograph("⺠"), ideograph("⻚"), ideograph("⽬"), ideograph("豈")) == ("民", "页", "目", "豈")


@pytest.mark.parametrize("char", ["目", "①", "㎡", "Ａ", "½", "²", "々", "〇", "a"])
def test_a_character_that_people_type_stays_as_it_is(char: str) -> None:
    assert ideograph(char) == char


def _named(*codes: str) -> bytes:
    """Make a font whose characters a, b, ... are named by these UTF-16 codes."""
    names = "".join(f"<{ord('a') + n:02x}> <{code}>\n" for n, code in enumerate(codes))
    cmap = (
        "/CIDInit /ProcSet findresource begin begincmap 1 begincodespacerange <00> <ff> endcodespacerange\n"
        f"{len(codes)} beginbfchar\n{names}endbfchar endcmap end"
    )
    return pdf_stream(cmap.encode())


def test_a_radical_in_a_file_is_read_as_its_ideograph() -> None:
    font = b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /ToUnicode 6 0 R >>"
    page = b"/Resources << /Font << /F1 7 0 R >> >>"
    content = drawn(text((50, 700, "abc")), page, groups=[_named("2F6C", "D840DC00", "6807"), font])
    assert grid_of(content) == [["目𠀀标"]]


# --- lines and cells ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("shown", "read"),
    [
        ([(50, 700, "science "), (50, 686, "park")], "science park"),
        ([(50, 700, "science"), (92, 700, " "), (50, 686, "park")], "science park"),
        ([(50, 700, "a  b")], "a  b"),
        ([(50, 700, "a"), (80, 700, "b")], "a b"),
    ],
)
def test_blanks_are_kept(shown: Sequence[tuple[float, float, str]], read: str) -> None:
    assert grid_of(drawn(boxes((48, 600, 46, 120)) + text(*shown))) == [[read]]


def test_a_text_that_reaches_over_a_rule_is_not_torn() -> None:
    row = boxes((50, 690, 40, 20), (90, 690, 200, 20))
    assert grid_of(drawn(row + text((52, 695, "overall")))) == [["overall", ""]]
    assert grid_of(drawn(row + text((52, 695, "over"), (95, 695, "all")))) == [["over", "all"]]


@pytest.mark.parametrize("turn", [0, 90, 180, 270])
def test_a_turned_page_is_read_as_it_is_seen(turn: int) -> None:
    matrix = {0: "1 0 0 1 0 0", 90: "0 1 -1 0 600 0", 180: "-1 0 0 -1 600 800", 270: "0 -1 1 0 0 800"}[turn]
    row = boxes((100, 300, 60, 20), (160, 300, 90, 20), (100, 280, 150, 20))
    texts = text((105, 305, "one"), (165, 305, "two"), (105, 285, "three"))
    content = drawn(f"{matrix} cm\n".encode() + row + texts, b"/Rotate %d" % turn)
    assert grid_of(content) == [["one", "two"], ["three"]]


def test_a_table_goes_on_over_the_end_of_a_page() -> None:
    content = drawn(boxes((50, 690, 60, 20), (110, 690, 60, 20)) + text((52, 695, "a"), (112, 695, "b")), pages=3)
    assert grid_of(content) == [["a", "b"]] * 3


def test_drawings_within_groups_are_read() -> None:
    group = pdf_stream(
        boxes((0, 0, 60, 20)) + text((5, 5, "inside")),
        b"/Type /XObject /Subtype /Form /BBox [0 0 600 800] /Matrix [1 0 0 1 50 600]"
        b" /Resources << /Font << /F1 3 0 R >> >>",
    )
    content = drawn(boxes((110, 600, 60, 20)) + text((115, 605, "beside")) + b"/X Do", groups=[group])
    assert grid_of(content) == [["inside", "beside"]]


# --- hostile files ------------------------------------------------------------------------------


def _lattice(count: int) -> bytes:
    lines = (f"0 {at} m {4 * count} {at} l S {at} 0 m {at} {4 * count} l S\n" for at in range(0, 4 * count, 4))
    return "".join(lines).encode()


@pytest.mark.parametrize(
    ("content", "limits"),
    [
        (drawn(text((50, 700, "x")), pages=4), {"pages": 3}),
        (drawn(text((50, 700, "x" * 2_000))), {"page_objects": 1_000}),
        (drawn(b"0 0 m " + b"10 20 l " * 2_000 + b"S"), {"page_objects": 1_000}),
        (drawn(_lattice(200) + text((50, 700, "x"))), {"page_objects": 10_000}),
        (drawn(_lattice(30) + text((50, 700, "x")), pages=3), {"table_cells": 2_000}),
        (drawn(text((50, 700, "x"))), {"page_seconds": 1e-9}),
    ],
    ids=["pages", "characters", "segments", "squares", "cells of all pages", "time"],
)
def test_what_is_too_large_is_refused(content: bytes, limits: dict[str, float]) -> None:
    code = "sheet-too-large" if "table_cells" in limits else "bound-exceeded"
    assert codes(content, **limits) == [code]
    assert codes(content) in ([], ["pdf-no-text"])


_FAR = b"1e38 0 0 1e38 1e38 1e38 Tm (abc) Tj 0 0 0 0 0 0 Tm (xyz) Tj 1 0 0 1 50 50 Tm 0.000001 Tz (a b c) Tj"


@pytest.mark.parametrize(
    "stream",
    [
        b"BT /F1 12 Tf " + _FAR + b" ET",
        b"1e38 0 0 1e38 0 0 cm 1e38 0 0 1e38 0 0 cm 0 0 m 1 1 l S 5 5 90 90 re S " + text((50, 700, "x")),
        b"q\n" * 100_000,
        b"BT /F9 1e30 Tf (x) Tj ET",
        b"BT /F1 -12 Tf 50 700 Td (x) Tj ET BT /F1 0 Tf 50 650 Td (y) Tj ET",
        b"1e38 1e38 -1e38 1e38 0 0 cm BT /F1 1e38 Tf 1e38 1e38 1e38 1e38 0 0 Tm (x) Tj ET",
        b"BT /F1 12 Tf (x Tj",
        b"/X Do /X Do",
    ],
    ids=["far", "not a number", "open", "no font", "below nothing", "infinite", "broken", "group in itself"],
)
def test_odd_drawings_do_no_harm(stream: bytes) -> None:
    itself = pdf_stream(
        b"/X Do " + text((9, 9, "y")),
        b"/Type /XObject /Subtype /Form /BBox [0 0 9 9] /Resources << /XObject << /X 6 0 R >> >>",
    )
    seen = drawn(stream, groups=[itself])
    assert codes(seen) in ([], ["pdf-no-text"], ["no-sheets"])
    behind = grid_of(drawn(text((50, 600, "kept")) + stream, groups=[itself]))
    assert "kept" in "".join("".join(row) for row in behind)


def _doubling(depth: int) -> list[bytes]:
    """Make groups that each draw the next one twice: a page of 2 ** depth lines in a few hundred bytes."""
    entries = b"/Type /XObject /Subtype /Form /BBox [0 0 600 800] /Resources << /XObject << /X %d 0 R >> >>"
    groups = [pdf_stream(b"/X Do /X Do ", entries % (7 + number)) for number in range(depth)]
    return [*groups, pdf_stream(b"0 0 m 9 9 l S ", entries % 6)]


def test_a_file_that_kills_its_reader_costs_only_itself(example: tuple[Form, Portfolio], tmp_path: Path) -> None:
    form, _ = example
    (tmp_path / "bomb.pdf").write_bytes(drawn(b"/X Do", groups=_doubling(22)))
    (tmp_path / "sound.pdf").write_bytes(drawn(text((9, 9, "x"))))
    jobs = [Job(tmp_path / name, name) for name in ("bomb.pdf", "sound.pdf")]
    bomb, sound = read_files(jobs, [form], Limits(memory_bytes=1 << 28, seconds=20), workers=2)
    assert [problem.code for problem in bomb.problems] == ["bound-exceeded"]
    assert "bound-exceeded" not in [problem.code for problem in sound.problems]
