"""The first sheet of the summary: figures that add up, lead to their rows, and are left out where not known."""

from __future__ import annotations

import dataclasses
import io
import json
import re
import zipfile
from datetime import date
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from kpixl.collection.run_record import (
    NamedProject,
    PortfolioChanges,
    RunRecord,
    read_run,
    record_run,
    run_data,
    with_changes,
)
from kpixl.forms.load import load_form
from kpixl.output.summary import build_summary
from kpixl.output.summary.overview.bars import plan_bars
from kpixl.portfolio import canonical
from kpixl.portfolio.model import Portfolio
from kpixl.problems import Problem
from tests.applications import Office, _run, assert_valid, command
from tests.conftest import ROOT
from tests.output.test_summary import FORM, build, grids_of, opened, portfolio, with_value, without_cached_values

DAY = date(2026, 11, 25)
UNITS = ("上海科技馆", "上海科学技术普及事业中心（上海市科普作家协会秘书处）", "上海院士风采馆")
LONG = "科技工作者之家建设及长三角科技创新共同体联合攻关服务"


def collection(count: int) -> Portfolio:
    """Make projects of three units, some with long names."""
    content = portfolio(count)
    for number in range(count):
        content = with_value(content, number, "unit", UNITS[number % 3])
        if number % 4 == 1:
            content = with_value(content, number, "name", f"{LONG}（{number}）")
    return content


def record(content: Portfolio) -> RunRecord:
    """Make a run in which something of everything happened."""
    ids = [project.id for project in content.projects]
    return RunRecord(
        DAY,
        (*ids[:-1], "901", "902"),
        (NamedProject("901", "科创中国试点城市", UNITS[0]), NamedProject("902", "院士专家工作站", "市气象学会")),
        (ids[3],),
        (ids[1],),
        {"": 1, ids[2]: 2},
        {ids[0]: 3},
        PortfolioChanges(date(2026, 11, 18), (ids[0],), (NamedProject("77", "撤销的项目", ""),), (ids[1],), Decimal(1)),
    )


def texts(content: bytes) -> list[list[str]]:
    """Read the overview, without blanks."""
    rows = grids_of(content)["概览"].rows
    return [[str(cell) for cell in row if cell not in ("", None)] for row in rows]


def figures(content: bytes) -> dict[str, Any]:
    """Read the figures at the top by their labels."""
    rows = grids_of(content)["概览"].rows
    found: dict[str, Any] = {}
    for labels, values in pairwise(rows[:12]):
        for col, label in enumerate(labels):
            if isinstance(label, str) and label:
                found.setdefault(label, values[col])
    return found


def test_figures_add_up_and_are_left_out_where_they_are_not_known() -> None:
    content = collection(9)
    bare, full = figures(build(content)), figures(build(content, run=record(content)))
    assert (bare["项目"], bare["年度资金申请总额（万元）"], bare["绩效指标数"], bare["实施单位数"]) == (
        9,
        4.501125,
        36,
        3,
    )
    assert not {"应交", "未交", "争议", "错误"} & set(bare)
    names = ("应交", "已交", "未交", "空白", "争议", "错误", "警告")
    assert [full[name] for name in names] == [10, 7, 2, 1, 1, 3, 3]
    no_roster = figures(build(content, run=dataclasses.replace(record(content), expected=None, missing=(), blank=())))
    assert "应交" not in no_roster and "空白" not in no_roster and no_roster["错误"] == 3


def test_the_overview_comes_first_with_its_day_and_what_changed() -> None:
    content = collection(9)
    built = build(content, run=record(content))
    assert opened(built).sheetnames[0] == "概览"
    shown = "\n".join(" ".join(row) for row in texts(built))
    assert "数据日期：2026-11-25" in shown and "与上次汇总（2026-11-18）相比" in shown
    assert "新增 1 个：01 项目1" in shown and "减少 1 个：77 撤销的项目" in shown
    assert "年度资金申请总额合计由 0.00 变为 4.50（万元）" in shown
    assert "与上次汇总" not in "\n".join(" ".join(row) for row in texts(build(content)))


def test_five_figures_make_one_line() -> None:
    """A fifth on a line of its own looks forgotten; a form of two tables has five."""
    form, content = canonical.load(ROOT / "examples" / "central-target-2026" / "2026.yaml", load_form)
    built, _ = build_summary(form, content)
    lines = texts(built)
    assert ["项目", "年度资金总额（万元）", "中期指标数", "年度指标数", "实施单位数"] in lines


def test_the_meaning_of_a_tint_is_beside_the_note_and_not_the_title() -> None:
    rows = grids_of(build(collection(9), run=record(collection(9))))["汇总表"].rows
    assert [cell for cell in rows[0] if cell not in ("", None)] == [rows[0][0]]
    assert [str(cell)[:4] for cell in rows[1][1:] if cell not in ("", None)] == ["此底色：", "此底色："]


def test_units_count_what_is_missing_of_them() -> None:
    content = collection(9)
    rows = texts(build(content, run=record(content)))
    start = next(n for n, row in enumerate(rows) if row == ["按实施单位"])
    by_unit = {row[0]: row[1:] for row in rows[start + 2 : start + 7]}
    assert [by_unit[UNITS[0]][n] for n in (0, 3, 4, 5)] == ["3.0", "4.0", "2.0", "1.0"]
    assert [by_unit["市气象学会"][n] for n in (0, 3, 4, 5)] == ["0.0", "1.0", "0.0", "1.0"]
    assert by_unit["合计"][0] == "9.0" and by_unit["合计"][3:6] == ["10.0", "7.0", "2.0"]


def test_every_figure_leads_to_its_rows() -> None:
    content = collection(9)
    book = opened(build(content, run=record(content)))
    sheet, table = book["概览"], book["汇总表"]
    links = {cell.coordinate: cell.hyperlink.location for row in sheet.iter_rows() for cell in row if cell.hyperlink}
    assert links["A5"] == "'汇总表'!A4" and links["D5"] == "'指标明细'!A1"
    assert table[links["B5"].rpartition("!")[2]].value == "合计"
    labels = {sheet.cell(7, col).value: sheet.cell(8, col) for col in range(1, 12)}
    missing = sheet[links[labels["未交"].coordinate].rpartition("!")[2]]
    assert missing.value == "901 科创中国试点城市"
    by_unit = [row for row in sheet.iter_rows(max_col=3) if row[0].value in UNITS]
    for name, *numbers in by_unit:
        row = table[links[numbers[0].coordinate].rpartition("!")[2]].row
        assert name.value in [cell.value for cell in table[row]] and table.cell(row, 1).value == "小计"
    marked = {cell.value for cell in table["B"] if cell.fill.fgColor.rgb == "FFF8D7D3"}
    assert marked == {content.projects[1].values["name"], content.projects[2].values["name"]}


@pytest.mark.parametrize("change", [None, "约六万"])
def test_figures_as_libreoffice_recalculates_them(office: Office, tmp_path: Path, change: str | None) -> None:
    content = collection(9)
    content = with_value(content, 0, "unit", '"*?>5')
    if change:
        content = with_value(content, 0, "funding.annual.amount", change)
        content = with_value(content, 3, "category", None)
    built = build(content, run=record(content))
    (tmp_path / "summary.xlsx").write_bytes(without_cached_values(built))
    saved = office.convert(tmp_path / "summary.xlsx", tmp_path / "out").read_bytes()

    def rounded(content: bytes) -> list[list[Any]]:
        rows = grids_of(content)["概览"].rows
        return [[round(v, 6) if isinstance(v, float) else v for v in row if v not in ("", None)] for row in rows]

    ours = rounded(built)
    assert ours == rounded(saved)[: len(ours)]


@pytest.mark.parametrize("count", [13, 30, 120])
def test_no_chart_is_cut_by_the_end_of_a_page(count: int) -> None:
    content = collection(count)
    for lang in ("zh", "en"):
        built = build(content, run=record(content), lang=lang, forms=False)
        sheet = opened(built)["概览" if lang == "zh" else "Overview"]
        room = (842 - 72 * 1.1) * 100 / sheet.page_setup.scale
        ends = [brk.id for brk in sheet.row_breaks.brk]
        heights = [sheet.row_dimensions[row].height for row in range(1, sheet.max_row + 1)]
        pages = [sum(heights[a:b]) for a, b in zip([0, *ends], [*ends, len(heights)], strict=True)]
        assert max(pages) <= room
        charts = _anchors(built)
        assert len(charts) == 3
        for first, last in charts:
            assert not [end for end in ends if first < end <= last], (first, last, ends)


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_overview_is_one_page_wide_where_its_font_is_missing(office: Office, tmp_path: Path, lang: str) -> None:
    content = collection(30)
    (tmp_path / "x.xlsx").write_bytes(build(content, run=record(content), lang=lang, forms=False))
    sheet = opened((tmp_path / "x.xlsx").read_bytes()).worksheets[0]
    pdf = office.convert(tmp_path / "x.xlsx", tmp_path / "out", "pdf")
    sizes = re.findall(r"size: +([\d.]+) x ([\d.]+)", _run(command("pdfinfo"), "-l", "99", pdf))
    upright = [float(width) < float(height) for width, height in sizes]  # the other sheets are landscape
    assert upright.index(False) == len(sheet.row_breaks.brk) + 1


def test_amounts_that_are_rounded_are_said_to_be() -> None:
    def notes(*amounts: str) -> str:
        content = portfolio(2)
        for number, amount in enumerate(amounts):
            for key in ("funding.annual.appropriation", "funding.annual.amount"):
                content = with_value(content, number, key, Decimal(amount))
        return "".join(texts(build(content))[1])

    assert "四舍五入" in notes("600001.25", "500")
    assert "四舍五入" not in notes("600000", "500")  # 60.00 and 0.05 万元


def _anchors(content: bytes) -> list[tuple[int, int]]:
    """Return the first and last row (from 0) of each chart."""
    with zipfile.ZipFile(io.BytesIO(content)) as book:
        drawing = etree.fromstring(book.read("xl/drawings/drawing1.xml"))
    rows = [int(str(text)) for text in drawing.xpath("//*[local-name()='row']/text()")]
    return list(zip(rows[::2], rows[1::2], strict=True))


def test_charts_are_sorted_bars_with_whole_labels() -> None:
    content = collection(40)
    built = build(content, forms=False)
    with zipfile.ZipFile(io.BytesIO(built)) as book:
        charts = [book.read(name).decode() for name in sorted(book.namelist()) if "charts/chart" in name]
    assert len(charts) == 3 and all("barChart" in chart and "doughnut" not in chart for chart in charts)
    title, labels, values = _drawn(charts[2])
    assert re.fullmatch(r"年度资金申请总额（金额最大的 \d+ 个项目，万元）", title)
    sheet = opened(built)["概览"]
    names = [sheet.cell(row, 1).value for row in range(labels[0], labels[1] + 1)]
    assert names[0] == "40 项目40" and f"38 {LONG}（37）" in names
    cached = opened_values(built)
    amounts = [cached.cell(row, values[2]).value for row in range(values[0], values[1] + 1)]
    assert amounts == sorted(amounts, reverse=True) and len(amounts) == len(names)
    assert sheet.cell(values[0], values[2]).value.startswith("='汇总表'!")


def opened_values(content: bytes) -> Any:
    """Open the overview with the results of its formulas."""
    import openpyxl

    return openpyxl.load_workbook(io.BytesIO(content), data_only=True)["概览"]


def _drawn(chart: str) -> tuple[str, tuple[int, int], tuple[int, int, int]]:
    """Return the title of a chart, the rows of its labels, rows and column of its numbers."""
    title = "".join(re.findall(r"<a:t>([^<]*)</a:t>", chart))
    labels, values = re.findall(r"<c:f>[^<]*!\$([A-Z]+)\$(\d+):\$[A-Z]+\$(\d+)</c:f>", chart)[-2:]
    column = ord(values[0]) - ord("A") + 1
    return title, (int(labels[1]), int(labels[2])), (int(values[1]), int(values[2]), column)


def test_a_chart_has_room_for_labels_of_several_lines() -> None:
    short, long = plan_bars(["项目"] * 30), plan_bars([LONG * 2] * 30)
    assert short.bars == 30 and 14 < long.bars < 30 and long.height <= 1_000 and long.labels > short.labels


def test_the_longest_goal_is_whole_on_paper(office: Office, tmp_path: Path) -> None:
    content = with_value(collection(5), 0, "goal.annual", "稳步提高院士专家工作站的运行质量，" * 30 + "最后的字")
    (tmp_path / "x.xlsx").write_bytes(build(content, forms=False))
    pdf = office.convert(tmp_path / "x.xlsx", tmp_path / "out", "pdf")
    text = re.sub(r"\s", "", _run(command("pdftotext"), "-layout", pdf, "-"))
    assert "最后的字" in text and "此底色" in text
    sheet = opened((tmp_path / "x.xlsx").read_bytes())["汇总表"]
    assert sheet.page_setup.paperSize == 9 and sheet.page_setup.fitToWidth == 2
    assert sheet.print_title_cols == "$A:$C" and sheet["A1"].value and sheet["A1"].alignment.horizontal == "left"
    goals = next(cell for cell in sheet[3] if cell.value == "年度总体目标")
    assert sheet.cell(4, goals.column).alignment.vertical == "top"
    frozen = sum(sheet.column_dimensions[column].width for column in "ABC")
    assert frozen * 7 < 1366 * 0.4


@pytest.mark.application
def test_the_workbook_is_valid(tmp_path: Path) -> None:
    content = collection(13)
    (tmp_path / "x.xlsx").write_bytes(build(content, run=record(content), sources={"01": "甲.xlsx"}))
    assert_valid([tmp_path / "x.xlsx"])


# --- the record of a run ----------------------------------------------------------------------


def test_a_record_survives_being_written_down() -> None:
    kept = record(collection(5))
    assert read_run(json.loads(json.dumps(run_data(kept)))) == kept
    wrong: list[Any] = [None, [], {}, {**run_data(kept), "date": "gestern"}, {**run_data(kept), "errors": [1]}]
    for broken in wrong:
        assert read_run(broken) is None


def test_blank_missing_and_disputed_projects_are_recorded() -> None:
    content = collection(5)
    sent = dataclasses.replace(
        content,
        projects=tuple(
            dataclasses.replace(
                p,
                values={k: v if k in ("name", "unit") else None for k, v in p.values.items()},
                tables={"indicators": ()},
            )
            for p in content.projects
        ),
    )
    returned = dataclasses.replace(content, projects=(sent.projects[0], *content.projects[1:4]))
    problems = [Problem("returned-differently", project="02"), Problem("not-returned", project="05")]
    run = record_run(FORM, returned, sent, problems, DAY)
    assert (run.blank, run.disputed, [p.id for p in run.missing]) == (("01",), ("02",), ["05"])
    assert run.expected == ("01", "02", "03", "04", "05") and run.errors == {"02": 1} and run.warnings == {}
    assert record_run(FORM, returned, None, problems, DAY).expected is None


def test_running_twice_keeps_what_changed_before() -> None:
    old, new = collection(3), collection(4)
    first = record_run(FORM, old, None, [], date(2026, 11, 1))
    second = with_changes(record_run(FORM, new, None, [], DAY), FORM, new, old, first)
    assert second.changes is not None
    assert (second.changes.since, second.changes.added) == (date(2026, 11, 1), ("04",))
    again = with_changes(record_run(FORM, new, None, [], DAY), FORM, new, new, second)
    assert again == second
    assert with_changes(first, FORM, old, None, None).changes is None
