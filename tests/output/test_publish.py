"""The printed form and the page: what stands where, merged as published, and nothing but text in it."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Sequence
from decimal import Decimal
from html.parser import HTMLParser
from pathlib import Path

import pytest

from kpixl import yaml_text
from kpixl.forms.definition import Form
from kpixl.forms.load import load_form, parse_form
from kpixl.forms.money import money_text
from kpixl.output.publish.html import render_page
from kpixl.portfolio import canonical
from kpixl.portfolio.model import Portfolio
from kpixl.portfolio.print_layout import PrintedCell, PrintedRow, merged_spans, printed_form, printed_text
from kpixl.problems import KpixlError

SHANGHAI = """\
kpixl: 1
form: shanghai-target
year: 2026
organization: 某市科协
projects:
- id: "01"
  name: 创新服务
  unit: 第一中心
  start: 2026-01-01
  funding: {annual: {appropriation: 1234567.5, other: 0}}
  goal: {annual: "第一行\\n第二行"}
  indicators:
  - {level1: 产出指标, level2: 数量指标, name: 场次, operator: ≥, value: 100, unit: 场}
  - {level1: 产出指标, level2: 数量指标, name: 人次, operator: ≥, value: 5000, unit: 人次}
  - {level1: 产出指标, level2: 质量指标, name: 达标率, operator: "=", value: 99.5, unit: "%"}
  - {level1: 效益指标, level2: 质量指标, name: 影响, operator: 定性, value: 有提升}
- id: "02"
  name: 空白项目
"""

# Another form altogether: two tables, a foot between and below them, no indicators, nothing that is vertical.
MADE_UP = """\
kpixl-form: 1
id: made-up
version: 1
title: Plan
id-field: {label: No.}
fields:
  title: {label: What, type: text}
  sum: {label: Cost, type: money}
  remark: {label: Remark, type: text, lines: 3}
  signed: {label: Signed, type: text}
tables:
  steps: {label: Steps, columns: {phase: {label: Phase, fill: true}, step: {label: Step}}}
  risks: {label: Risks, columns: {risk: {label: Risk}}}
layout:
  widths: [10, 20, 30]
  rows:
  - {height: 20, cells: [{title: true, columns: 3}]}
  - {cells: [{label: title}, {value: title, columns: 2}]}
  - {cells: [{label: sum}, {value: sum}]}
  - {table: steps, entry: [{column: phase}, {column: step}], print: [{column: phase}, {column: step}]}
  - {height: 40, cells: [{label: remark}, {value: remark, columns: 2}]}
  - {table: risks, caption: R, entry: [{column: risk}], print: [{column: risk, columns: 2}]}
  - {cells: [{label: signed}, {value: signed, columns: 2}]}
summary: {charts: {amount: sum}}
"""


def shanghai(text: str = SHANGHAI) -> tuple[Form, Portfolio]:
    return canonical.loads(text, load_form)


def made_up() -> Form:
    return parse_form(yaml_text.parse(MADE_UP))


def lines(rows: Sequence[PrintedRow]) -> list[str]:
    """Show each row's own cells as text(rows x columns), spans only where there are any."""
    return [" | ".join(map(shown_cell, row.cells)) for row in rows]


def shown_cell(cell: PrintedCell) -> str:
    span = f"({cell.rows}x{cell.columns})" if (cell.rows, cell.columns) != (1, 1) else ""
    return printed_text(cell) + span


def assert_covered_once(rows: Sequence[PrintedRow], width: int) -> None:
    places = [
        (r, c)
        for row in rows
        for cell in row.cells
        for r in range(cell.row, cell.row + cell.rows)
        for c in range(cell.col, cell.col + cell.columns)
    ]
    assert sorted(places) == [(r, c) for r in range(len(rows)) for c in range(width)]


# --- the printed form -------------------------------------------------------------------------


def test_the_official_grid_with_levels_merged() -> None:
    form, portfolio = shanghai()
    rows = printed_form(form, portfolio.year, portfolio.projects[0])
    assert_covered_once(rows, 7)
    shown = lines(rows)
    assert shown[0] == "财政项目支出绩效目标申报表(1x7)"
    assert shown[1] == "(2026 年度)(1x7)"
    assert shown[5] == "项目资金 (元)(4x1) | 项目资金总额: |  | 年度资金申请总额:(1x2) | 1,234,567.50(1x2)"
    assert shown[11] == " | 一级指标 | 二级指标 | 三级指标(1x2) | 年度(/项目)指标值(1x2)"
    assert shown[12:] == [
        "绩效指标(4x1) | 产出指标(3x1) | 数量指标(2x1) | 场次(1x2) | ≥100.00(场)(1x2)",
        "人次(1x2) | ≥5000.00(人次)(1x2)",
        "质量指标 | 达标率(1x2) | =99.50(%)(1x2)",
        "效益指标 | 质量指标 | 影响(1x2) | 有提升(1x2)",  # the same level 2 under another level 1 stays apart
    ]
    assert [row.part for row in rows] == ["title"] * 2 + ["grid"] * 9 + ["heading"] + ["row"] * 4


def test_labels_head_their_row_or_their_column() -> None:
    form, portfolio = shanghai()
    cells = [c for row in printed_form(form, 2026, portfolio.projects[0]) for c in row.cells]
    scopes = {c.key: c.scope for c in cells if c.kind == "label"}
    assert (scopes["name"], scopes["goal.annual"]) == ("row", "col")


def test_an_empty_project_is_printed_with_one_blank_row_and_an_unknown_year_left_blank() -> None:
    form, portfolio = shanghai()
    rows = printed_form(form, None, portfolio.projects[1])
    assert_covered_once(rows, 7)
    assert lines(rows)[12:] == ["绩效指标 |  |  | (1x2) | (1x2)"]
    assert lines(rows)[1] == "( 年度)(1x7)"


def test_what_stands_below_a_table_moves_down_with_its_rows() -> None:
    form = made_up()
    text = """\
kpixl: 1
form: made-up
projects:
- {id: a, title: T, sum: 5, remark: R, signed: S, risks: [{risk: fire}, {risk: flood}],
   steps: [{phase: A, step: 1}, {phase: A, step: 2}, {step: 3}, {step: 4}]}
"""
    _, portfolio = canonical.loads(text, lambda _: form)
    rows = printed_form(form, None, portfolio.projects[0])
    assert_covered_once(rows, 3)
    assert lines(rows) == [
        "Plan(1x3)",
        "What | T(1x2)",
        "Cost | 5.00 | ",
        "Phase | Step | ",
        "A(2x1) | 1 | ",
        "2 | ",
        " | 3 | ",  # two blank levels are two things missing
        " | 4 | ",
        "Remark | R(1x2)",
        " | Risk(1x2)",
        "R(2x1) | fire(1x2)",
        "flood(1x2)",
        "Signed | S(1x2)",
    ]
    assert [row.height for row in rows] == [20, *[None] * 7, 40, *[None] * 4]


def test_runs_end_where_the_outer_level_breaks() -> None:
    assert merged_spans(["a", "a", "a", None, None], [False, False, True, False, False]) == [
        (0, 2),
        (2, 1),
        (3, 1),
        (4, 1),
    ]


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        ("600000", "600,000.00"),
        ("0", "0.00"),
        ("-1234.5", "-1,234.50"),
        ("-0.5", "-0.50"),
        ("0.125", "0.125"),
    ],
)
def test_amounts(amount: str, text: str) -> None:
    assert money_text(Decimal(amount)) == text


# --- the page ---------------------------------------------------------------------------------


class Page(HTMLParser):
    """Collects what a browser would see: tags, ids, links, and the text of each table cell."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.cells: list[str] = []
        self.feed(html)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag in ("td", "th"):
            self.cells.append("")
        if tag == "br" and self.cells:
            self.cells[-1] += "\n"
        if tag not in ("meta", "col", "br", "input"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "td" in self.open or "th" in self.open:
            self.cells[-1] += data


def test_the_page_has_contents_and_every_form() -> None:
    html = render_page(*shanghai())
    page = Page(html)
    assert "<h1>某市科协 2026 年度项目绩效目标汇总表</h1>" in html
    assert "编报绩效目标的项目2个，涉及项目预算资金123.46万元。" in html
    ids = [a["id"] for _, a in page.tags if "id" in a]
    links = [a["href"] for tag, a in page.tags if tag == "a"]
    assert len(set(ids)) == len(ids)
    assert {str(link)[1:] for link in links} <= set(ids) and "#p-01" in links
    assert page.cells[:6] == ["实施单位", "项目数", "年度资金申请总额 (元)", "第一中心", "1", "1,234,567.50"]
    first = page.cells.index("项目编号")
    assert page.cells[first : first + 4] == ["项目编号", "项目名称", "实施单位", "年度资金申请总额"]
    assert page.cells[first + 4 : first + 8] == ["01", "创新服务", "第一中心", "1,234,567.50"]
    assert "第一行\n第二行" in page.cells
    assert page.cells.count("绩效指标") == 2


def test_the_page_loads_nothing_and_runs_nothing_but_its_search() -> None:
    html = render_page(*shanghai())
    tags = [tag for tag, _ in Page(html).tags]
    assert not {*tags} & {"link", "img", "iframe", "object"}
    assert tags.count("script") == 1
    (script,) = re.findall("<script>(.*?)</script>", html, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'; form-action 'none'" in html
    assert "url(" not in html and "@import" not in html and "http://" not in html and "https://" not in html


HOSTILE = "</td><script>alert('x')</script>\" ' & {{ 7*7 }} \u202eabc \u0663\n<b>\x0b"


def test_hostile_text_stays_text() -> None:
    form, portfolio = shanghai()
    text = SHANGHAI.replace("创新服务", yaml_text.quote(HOSTILE)).replace('"01"', yaml_text.quote(HOSTILE))
    html = render_page(*shanghai(text.replace("某市科协", yaml_text.quote(HOSTILE))))
    page = Page(html)
    assert {tag for tag, _ in page.tags} == {tag for tag, _ in Page(render_page(form, portfolio)).tags}
    # Number and name in the contents, and the name again in the form.
    assert page.cells.count(HOSTILE.replace("\x0b", "\u240b")) == 3


def test_equal_portfolios_give_equal_pages() -> None:
    assert render_page(*shanghai()) == render_page(*shanghai())


def test_tool_words_follow_the_language_and_the_form_does_not() -> None:
    html = render_page(*shanghai(), lang="en")
    assert "Contents" in html and "目录" not in html and "绩效指标" in html


def test_a_form_without_a_template_takes_the_shared_one() -> None:
    form = made_up()
    html = render_page(form, Portfolio(form.id, None, None, ()))
    assert "<h1>Plan</h1>" in html


def test_a_form_may_bring_its_own_template(tmp_path: Path) -> None:
    folder = tmp_path / "made-up"
    folder.mkdir()
    (folder / "form.yaml").write_text(MADE_UP, encoding="utf-8")
    page = folder / "page.html.j2"
    source = '{% extends "shared/page.html.j2" %}{% block front %}<h1>Mine</h1>{% endblock %}'
    page.write_text(source, encoding="utf-8")
    form = load_form("made-up", [tmp_path])
    portfolio = Portfolio(form.id, None, None, ())
    assert "<h1>Mine</h1>" in render_page(form, portfolio, extra=[tmp_path])
    page.write_text("<p>\n{{ no_such_thing }}", encoding="utf-8")
    with pytest.raises(KpixlError, match="no_such_thing") as caught:
        render_page(form, portfolio, extra=[tmp_path])
    (problem,) = caught.value.problems
    assert (problem.code, problem.details["path"], problem.details["line"]) == ("template-invalid", str(page), 2)
