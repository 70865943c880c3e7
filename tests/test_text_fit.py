"""How much room texts take: by hand, and as LibreOffice makes its rows high."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from lxml import etree

from kpixl.output.workbook import Book
from kpixl.text_fit import PIXELS_PER_WIDTH, ems, fitting_height, fitting_size, fitting_width, height_of, text_lines
from tests.applications import Office

GOAL = ("稳步提高院士专家工作站的运行质量，发挥引智聚智功能（含 2026 年“揭榜挂帅”项目），引导人才集聚。" * 14)[:518]
LATIN = "Improve the quality of the expert workstations, and bring people to emerging industries by 2026-12-31. " * 5
TEXTS = {
    "goal": GOAL,
    "short": "完成全年任务。",
    "latin": LATIN,
    "mixed": "组织“科普中国”品牌活动≥20场次，覆盖 100,000 人次；公众号 www.sast.gov.cn 推送 365 篇。" * 6,
    "lines": "一、开展调研；\n二、形成报告 3 份；\n\n三、" + "推动成果转化" * 12,
    "brackets": "（《【「『“" * 20 + "”』」】》）" * 20,
    "word": "https://www.example.org/" + "a" * 300,
    "blanks": "一 二  三   四" * 30,
}


@pytest.mark.parametrize(
    ("text", "width", "lines"),
    [
        ("", 10, 1),
        ("字" * 4, 11.0, 1),  # 72 pixels hold 5 characters of 13.3
        ("字" * 5 + "。", 11.0, 2),
        ("字" * 5 + "。" + "字" * 4, 11.0, 3),  # the full stop takes a character along, so the last no longer fits
        ("a\nb\n", 10, 3),
        ("word " * 4, 11.0, 2),
        ("字", 0.1, 1),
    ],
)
def test_lines_are_counted_as_spreadsheets_break_them(text: str, width: float, lines: int) -> None:
    assert text_lines(text, width, 10) == lines


def test_a_text_of_any_kind_ends_in_time_and_within_its_length() -> None:
    for text in ("。" * 30_000, "（" * 30_000, "a" * 30_000, " " * 30_000, "a b" * 10_000, "字a" * 15_000):
        for width in (0.0, 1.0, 60.0):
            assert 1 <= text_lines(text, width, 10) <= len(text)


def test_wider_cells_take_no_more_lines() -> None:
    for text in TEXTS.values():
        counts = [text_lines(text, width, 10) for width in range(6, 120, 3)]
        assert counts == sorted(counts, reverse=True)


def test_a_fitting_width_shows_the_longest_text_on_one_line() -> None:
    texts = ["市科协组织机构管理", "创新服务与发展项目", "A-1 项目"]
    width = fitting_width(texts, 10, 4, 60)
    assert max(text_lines(text, width, 10) for text in texts) == 1
    assert text_lines(max(texts, key=ems), width - 3, 10) == 2
    assert fitting_width(texts, 10, 4, 9) == 9 and fitting_width([], 10, 4, 9) == 4


def test_the_size_shrinks_until_excels_tallest_row_shows_the_text() -> None:
    size = fitting_size(GOAL * 3, 90, 10)
    assert 6 < size < 10 and fitting_height(GOAL * 3, 90, size, 0) <= 409 < fitting_height(GOAL * 3, 90, size + 0.5, 0)


@pytest.mark.parametrize("font", ["宋体", "Noto Sans CJK SC", "AR PL UMing CN"])
@pytest.mark.parametrize("zoom", [100, 125])
def test_rows_are_as_high_as_libreoffice_wants_them(office: Office, tmp_path: Path, font: str, zoom: int) -> None:
    """LibreOffice chooses heights itself where a file gives none: at 125 % the font and the columns grow alike."""
    widths, scale = (12.0, 24.0, 37.0, 60.0), zoom / 100
    book = Book("x", {}, font=font)
    sheet = book.sheet("高")
    sheet.widths([width * scale for width in widths] * 2)
    cases = [(text, col, (9.0, 10.0)[col // 4] * scale) for text in TEXTS.values() for col in range(8)]
    for row, (text, col, size) in enumerate(cases):
        sheet.write(row, col, text, book.format(text_wrap=True, font_size=size))
    (tmp_path / "x.xlsx").write_bytes(book.finish())
    flat = office.convert(tmp_path / "x.xlsx", tmp_path / "out", "fods")
    # It measures rows on loading where a file says nothing of their height.
    flat.write_bytes(re.sub(rb' style:row-height="[^"]*"', b"", flat.read_bytes()))
    heights, columns = _measured(office.convert(flat, tmp_path / "measured", "fods"))
    for (text, col, size), height in zip(cases, heights, strict=False):
        ours = fitting_height(text, columns[col], size, 0)
        assert height <= ours, (text[:12], columns[col], size)
        if text in (TEXTS["goal"], TEXTS["mixed"], TEXTS["lines"]):  # the lines of UMing are 1.1 em high, not 1.5
            assert ours <= height * 1.75 + height_of(1, size), (text[:12], columns[col], size)


def _measured(path: Path) -> tuple[list[float], list[float]]:
    """Return the heights of rows in points and the widths of columns in units, as LibreOffice has them."""
    tree = etree.parse(path)
    spaces = {k: v for k, v in tree.getroot().nsmap.items() if k}

    def sizes(kind: str, attribute: str) -> dict[str, float]:
        style = f"{{{spaces['style']}}}"
        found = tree.iterfind(f".//style:style/style:table-{kind}-properties[@style:{attribute}]", spaces)
        return {node.getparent().get(f"{style}name"): _inches(node.get(style + attribute)) for node in found}

    def listed(kind: str, known: dict[str, float]) -> list[float]:
        table = f"{{{spaces['table']}}}"
        return [
            known[node.get(f"{table}style-name")]
            for node in tree.iterfind(f".//table:table-{kind}", spaces)
            for _ in range(min(int(node.get(f"{table}number-{kind}s-repeated", 1)), 100))
        ]

    heights = listed("row", sizes("row", "row-height"))
    widths = listed("column", sizes("column", "column-width"))
    return [72 * h for h in heights], [96 * w / PIXELS_PER_WIDTH for w in widths]


def _inches(text: str) -> float:
    number, unit = re.fullmatch(r"([0-9.]+)(in|cm|mm|pt)", text).groups()  # type: ignore[union-attr]
    return float(number) / {"in": 1, "cm": 2.54, "mm": 25.4, "pt": 72}[unit]
