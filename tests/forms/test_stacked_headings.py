"""Headings over two rows, the year in labels, and one of several columns: what is refused, and what is read."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from kpixl.a1 import Span
from kpixl.forms.dated import undated, with_year, without_year, year_in
from kpixl.forms.load import load_form, parse_form
from kpixl.forms.values import Raw
from kpixl.output.template import build_template
from kpixl.portfolio import canonical
from kpixl.portfolio.print_layout import printed_form, printed_text
from kpixl.problems import KpixlError
from kpixl.readers import Grid, read_grids
from kpixl.recognise.extract import Extractor
from kpixl.recognise.submission import Submission
from tests.laws.test_round_trip import PLAIN
from tests.strategies import form_of

CASES = Path(__file__).parents[1] / "cases" / "forms"
FORM, FILLED = canonical.loads(PLAIN["dated-form"], form_of)
KNOWN = [form_of(name) for name in ("shanghai-self-evaluation", "central-monitoring", "shanghai-target", "dated-form")]
EXTRACTOR = Extractor(KNOWN)
Change = Callable[[dict[str, Any]], object]


def definition(form_id: str = "dated-form") -> dict[str, Any]:
    path = Path(form_of(form_id).file)
    data: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return data


# --- what is refused --------------------------------------------------------------------------


def heads(data: dict[str, Any], look: str = "print") -> Any:
    return next(row for row in data["layout"]["rows"] if row.get("table") == "indicators")[look]


def columns(data: dict[str, Any]) -> Any:
    return data["tables"]["indicators"]["columns"]


def one_of(*lists: object) -> Change:
    return lambda data: data["tables"]["indicators"].update({"one-of": [*lists]})


REFUSED: dict[str, tuple[Change, str, str]] = {
    "a group without headings": (lambda d: heads(d)[0].update(headings=[]), "print[0]", "headings below it"),
    "a group without a text": (lambda d: heads(d)[0].update(over=" "), "print[0]", "must have a text"),
    "an unknown key": (lambda d: heads(d)[0].update(columns=3), "print[0]", "unknown key columns"),
    "a group in a group": (
        lambda d: heads(d)[0].update(headings=[{"over": "指标", "headings": [{"column": "level1"}]}]),
        "print[0].headings[0]",
        "two rows at most",
    ),
    "a group that reads like a column": (
        lambda d: heads(d, "entry")[1].update(over="实际完成值"),
        "layout.rows[5].entry",
        "reads like actual",
    ),
    "a synonym of a group that reads like a column": (
        lambda d: heads(d, "entry")[1].update(synonyms=["指 标 值"]),
        "layout.rows[5].entry",
        "reads like value",
    ),
    "two groups that read alike": (
        lambda d: heads(d).append({"over": "绩效指标", "headings": [heads(d).pop()]}),
        "layout.rows[5].print",
        "reads like another group",
    ),
    "a column that is not there": (
        lambda d: heads(d)[1]["headings"].append({"column": "nothing"}),
        "print[1].headings[3]",
        "no column nothing",
    ),
    "wider than the form": (
        lambda d: heads(d)[1]["headings"][0].update(columns=4),
        "layout.rows[5].print",
        "wider than",
    ),
    "no column wide": (lambda d: heads(d)[2].update(columns=0), "print[2].columns", "1 or more"),
    "another place in a title": (lambda d: d.update(title="{{ name }}自评表"), "title", "{{ year }} once"),
    "two years in a label": (
        lambda d: d["fields"]["goal"].update(label="{{ year }}年至{{ year }}年目标"),
        "fields.goal.label",
        "{{ year }} once",
    ),
    "a program in a heading": (
        lambda d: columns(d)["actual"].update(label="{{ 7 * 7 }}"),
        "columns.actual.label",
        "nothing else in braces",
    ),
    "a program in a group": (lambda d: heads(d)[0].update(over="{{ x }}"), "print[0].over", "nothing else in braces"),
    "one of one": (one_of(["reason"]), "indicators.one-of[0]", "2 or more columns"),
    "one of the same": (one_of(["reason", "reason"]), "indicators.one-of[0]", "2 or more columns"),
    "one of what is not there": (one_of(["reason", "x"]), "indicators.one-of[0]", "no column x"),
    "one of what is required": (one_of(["reason", "actual"]), "indicators.one-of[0]", "filled in on every row"),
    "one of two lists": (
        one_of(["reason", "nature"], ["nature", "measure"]),
        "indicators.one-of[1]",
        "nature is in two lists",
    ),
    "no list at all": (one_of("reason"), "indicators.one-of[0]", "must be a list"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_would_be_ambiguous_is_refused_with_its_key(case: str) -> None:
    change, key, reason = REFUSED[case]
    data = definition()
    change(data)
    with pytest.raises(KpixlError) as raised:
        parse_form(data)
    (problem,) = raised.value.problems
    assert (problem.code, key in str(problem.details["key"])) == ("form-invalid", True), problem.details
    assert reason in str(problem.details["reason"]), problem.details


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("over: 绩效指标, headings: [{column: level1}", "over: 实际完成值, headings: [{column: level1}"),
        ('title: "{{ year }}年度项目支出绩效自评表"', 'title: "{{ name }}年度项目支出绩效自评表"'),
        ('{label: "{{ year }}年预算数"', '{label: "{{ place }}年预算数"'),
        ("    rows: 8\n", "    rows: 8\n    one-of: [[name, level1]]\n"),
    ],
)
def test_a_mistake_is_refused_with_its_line(before: str, after: str, tmp_path: Path) -> None:
    text = (CASES / "dated-form" / "form.yaml").read_text(encoding="utf-8")
    changed = text.replace(before, after, 1)
    (tmp_path / "dated-form").mkdir()
    (tmp_path / "dated-form" / "form.yaml").write_text(changed, encoding="utf-8")
    at = changed.index(after) + len(after) - len(after.lstrip("\n "))
    lines = {changed.count("\n", 0, at + offset) + 1 for offset in range(len(after))}
    with pytest.raises(KpixlError) as raised:
        load_form("dated-form", [tmp_path])
    found = re.search(r"form\.yaml:(\d+) ", str(raised.value.problems[0].details["key"]))
    # Of a group the message names the row of the layout that has it.
    assert found and min(lines) - 2 <= int(found[1]) <= max(lines)


def test_every_row_of_headings_counts_as_a_row_of_the_layout() -> None:
    (placed,) = FORM.layout.tables
    assert (placed.top, placed.row, placed.depth) == (9, 10, 2)
    labels = {cell.key: cell.row for cell in FORM.layout.foot if cell.kind == "label"}
    assert labels == {"total.points": 11, "conclusion": 12, "problems": 13, "measures": 14}


# --- the year ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "year", "printed", "bare"),
    [
        ("{{ year }}年度自评表", 2026, "2026年度自评表", "年度自评表"),
        ("{{year}}年预算数", 2022, "2022年预算数", "年预算数"),
        ("目标（{{ year }}年度）", None, "目标（年度）", "目标（年度）"),
        ("没有年度", 2026, "没有年度", "没有年度"),
    ],
)
def test_the_year_of_a_label(text: str, year: int | None, printed: str, bare: str) -> None:
    assert (with_year(text, year), without_year(text)) == (printed, bare)


def test_only_a_year_is_left_out() -> None:
    assert [undated(t) for t in ("2026年预算", "120260年", "财预2019号", "第12条")] == [
        "年预算",
        "120260年",
        "财预号",
        "第12条",
    ]
    assert [year_in(t) for t in ("2026年", "1850年", "20261")] == [2026, None, None]


def read(cells: Sequence[Sequence[Raw]], merges: Sequence[Span] = ()) -> Submission:
    found = EXTRACTOR.extract(Grid("表", [list(row) for row in cells], merges=lambda: [*merges]), "t.xlsx")
    assert isinstance(found, list)
    (one,) = found
    assert one.form == FORM.id
    return one


def published() -> tuple[list[list[Raw]], list[Span]]:
    """Return the variant as it is published (DOMAIN section 6): cells and merges."""
    rows = printed_form(FORM, FILLED.year, FILLED.projects[0])
    cells: list[list[Raw]] = [["" for _ in FORM.layout.widths] for _ in rows]
    merges = []
    for cell in (cell for row in rows for cell in row.cells):
        cells[cell.row][cell.col] = printed_text(cell)
        if cell.rows * cell.columns > 1:
            merges.append(Span(cell.row, cell.col, cell.row + cell.rows - 1, cell.col + cell.columns - 1))
    return cells, merges


def changed(old: str, new: Raw) -> tuple[list[list[Raw]], list[Span]]:
    cells, merges = published()
    assert any(old in row for row in cells)
    return [[new if raw == old else raw for raw in row] for row in cells], merges


def assert_read(found: Submission) -> None:
    (project,) = FILLED.projects
    assert (dict(found.values), {k: tuple(v) for k, v in found.tables.items()}) == (project.values, project.tables)


def test_the_published_variant_has_its_headings_over_two_rows() -> None:
    cells, merges = published()
    assert [raw for raw in cells[9] if raw] == ["绩效指标", "年度指标值", "实际完成值", "分值", "得分", "偏差原因"]
    assert [raw for raw in cells[10] if raw] == ["一级指标", "二级指标", "三级指标", "指标性质", "指标值", "度量单位"]
    assert {Span(9, 0, 9, 2), Span(9, 3, 9, 5), Span(9, 6, 10, 6), Span(9, 9, 10, 9)} <= {*merges}
    assert cells[0][0] == "2022年度项目支出绩效自评表"
    assert cells[3][2] == "2022年预算数"
    assert cells[8][0] == "2022年度绩效目标"


def test_the_published_variant_is_read_and_told_from_other_self_evaluations() -> None:
    found = read(*published())
    assert_read(found)
    assert (found.year, found.problems) == (2022, ())


def test_in_the_template_the_year_is_written_and_read_again() -> None:
    grid = read_grids(build_template(FORM, FILLED), "t.xlsx").grids[1]
    assert grid.rows[0][0] == "2022年度项目支出绩效自评表"
    found = EXTRACTOR.extract(grid, "t.xlsx")
    assert isinstance(found, list)
    assert_read(found[0])
    assert found[0].problems == ()


def test_the_year_of_another_title_is_the_year_of_the_form() -> None:
    cells, merges = published()
    other = [[re.sub("2022", "2021", raw) if isinstance(raw, str) else raw for raw in row] for row in cells]
    found = read(other, merges)
    assert_read(found)
    assert (found.year, found.problems) == (2021, ())


@pytest.mark.parametrize("label", ["2022年预算数", "2022年度绩效目标"])
def test_a_label_of_another_year_is_reported(label: str) -> None:
    other = label.replace("2022", "2021")
    found = read(*changed(label, other))
    assert_read(found)
    (problem,) = found.problems
    assert (problem.code, problem.severity) == ("label-year", "warning")
    assert problem.details == {"text": other, "found": 2021, "year": 2022, "label": label}


def test_a_title_of_another_year_than_was_sent_is_reported() -> None:
    grid = read_grids(build_template(FORM, FILLED), "t.xlsx").grids[1]
    rows = [
        ["2021年度项目支出绩效自评表" if raw == "2022年度项目支出绩效自评表" else raw for raw in row]
        for row in grid.rows
    ]
    found = EXTRACTOR.extract(Grid("t", rows, merges=grid.merges), "t.xlsx")
    assert isinstance(found, list)
    assert_read(found[0])
    assert [(p.code, p.details["year"]) for p in found[0].problems] == [("subtitle-differs", 2022)]
    assert found[0].year == 2022


# --- headings spelled or laid out otherwise ---------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new"), [("年度指标值", "2022年指标值"), ("年度指标值", "年 度 指标值"), ("偏差原因", "偏差原因分析")]
)
def test_synonyms_of_both_rows(old: str, new: str) -> None:
    found = read(*changed(old, new))
    assert_read(found)
    assert found.problems == ()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("实际完成值", "实际完成值（全年）"),
        ("度量单位", "度量单位（必填）"),
        ("一级指标", "1.一级指标"),
        ("分值", "分值（权重）"),
    ],
)
def test_near_headings_in_either_row(old: str, new: str) -> None:
    found = read(*changed(old, new))
    assert {k: tuple(v) for k, v in found.tables.items()} == FILLED.projects[0].tables
    assert "label-near" in {p.code for p in found.problems}


def test_in_one_row_the_headings_are_read_as_well() -> None:
    """Somebody who does not know the groups has all headings in one row."""
    cells, _ = published()
    heads_only = [low or high for high, low in zip(cells[9], cells[10], strict=True)]
    found = read([*cells[:9], heads_only, *cells[11:]])
    assert_read(found)


def test_a_group_without_its_own_word_is_reported_and_its_columns_are_read() -> None:
    found = read(*changed("年度指标值", "其他说明"))
    assert_read(found)
    assert [(p.code, p.location.address) for p in found.problems] == [("stray-text", "D10")]


def test_without_the_upper_row_what_is_lost_is_named() -> None:
    cells, _ = published()
    found = read([*cells[:9], *cells[10:]])
    codes = {p.code for p in found.problems if p.severity == "error"}
    assert "heading-missing" in codes
    assert [row["level1"] for row in found.tables["indicators"]] == ["产出指标", "产出指标", "效益指标"]
    typed = {str(raw) for row in cells[11:14] for raw in row if raw}
    said = "".join(p.message() for p in found.problems)
    kept = {printed for row in found.tables["indicators"] for printed in map(str, row.values())}
    assert not [text for text in typed if text not in kept and text not in said]
