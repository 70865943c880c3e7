"""Law over units: whatever a form counts in, a sheet or list names, or a person types, the yuan are the same."""

from __future__ import annotations

import io
from dataclasses import replace
from decimal import Decimal
from functools import cache
from typing import Any

import openpyxl
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from kpixl.checks.engine import check
from kpixl.collection.roster import make_roster
from kpixl.forms.definition import YUAN, Form, MoneyUnit, Value
from kpixl.forms.load import DEFINITION, known_forms, parse_form
from kpixl.forms.money import UNITS, convert, money_text
from kpixl.forms.values import number_text
from kpixl.output.publish.html import render_page
from kpixl.output.summary import build_summary
from kpixl.output.template import build_template
from kpixl.portfolio import canonical
from kpixl.portfolio.model import Portfolio, Project
from kpixl.problems import KpixlError, Location
from kpixl.readers import Grid, read_grids
from kpixl.recognise.extract import Extractor
from tests.strategies import form_of

NAMES = [*UNITS]
FIELD = "funding.annual.appropriation"
SHEET_UNITS = [*UNITS.values(), MoneyUnit("百万元", 6)]
# How an amount is typed; {} is the number in the unit that the notation names, or in the sheet's own unit.
NOTATIONS: dict[str, MoneyUnit | None] = {
    "{}": None, " {} ": None, "￥{}": None, "{}元": YUAN, "人民币{}元整": YUAN, "{}千元": UNITS["千元"],
    "{}万": UNITS["万元"], "{} 万元": UNITS["万元"], "{}亿元": UNITS["亿元"], "{}百万元": MoneyUnit("百万元", 6),
}  # fmt: skip
CAPTIONS = ("项目资金（{}）", "项目资金\n(单位：{})", "资金情况（{}）", "项目资金申请（{}）", "资金来源（单位：{}）")
yuan = st.decimals(1, 10**10, places=2).map(lambda amount: amount + 0)


def definition() -> dict[str, Any]:
    data: dict[str, Any] = yaml.safe_load((known_forms()["shanghai-target"] / DEFINITION).read_text(encoding="utf-8"))
    return data


@cache
def form_in(unit: str) -> Form:
    """Return the official form as if it counted in another unit."""
    data = definition()
    data["money"] = unit
    for row in data["layout"]["rows"]:
        for cell in row.get("cells", ()):
            if "元" in cell.get("caption", ""):
                cell["caption"] = f"项目资金 ({unit})"
    return parse_form(data)


@cache
def extractor_of(unit: str) -> Extractor:
    return Extractor([form_in(unit)])


def portfolio_in(unit: str, amount: Decimal) -> Portfolio:
    form = form_in(unit)
    values = {**dict.fromkeys(form.fields), "name": "甲", "unit": "一所", "department": "市科协", FIELD: amount}
    project = canonical.complete(form, Project("01", values, dict.fromkeys(form.tables, ())))
    return Portfolio(form.id, 2026, "市科协", (project,))


@cache
def sheet_in(unit: str) -> Grid:
    return read_grids(build_template(form_in(unit), portfolio_in(unit, Decimal(1))), "t.xlsx").grids[1]


def place_of(grid: Grid, text: str) -> tuple[int, int]:
    return next((r, c) for r, row in enumerate(grid.rows) for c, raw in enumerate(row) if raw == text)


def in_yuan(unit: str, amount: object) -> object:
    return convert(amount, UNITS[unit], YUAN) if isinstance(amount, Decimal) else amount


def in_unit(amount: Decimal, unit: MoneyUnit) -> Decimal:
    converted = convert(amount, YUAN, unit)
    assert converted is not None
    return converted


@given(amount=yuan, unit=st.sampled_from(NAMES), sheet=st.sampled_from(SHEET_UNITS), caption=st.sampled_from(CAPTIONS),
       notation=st.sampled_from([*NOTATIONS]))  # fmt: skip
@settings(deadline=None, max_examples=300)
def test_a_sheet_is_read_by_its_units(
    amount: Decimal, unit: str, sheet: MoneyUnit, caption: str, notation: str
) -> None:
    grid = sheet_in(unit)
    rows = [list(row) for row in grid.rows]
    row, col = place_of(grid, f"项目资金 ({unit})")
    rows[row][col] = caption.format(sheet.name)
    rows[row][place_of(grid, "年度资金申请总额:")[1] + 2] = ""
    own = NOTATIONS[notation]
    label_row, label_col = place_of(grid, "其中: 当年财政拨款")
    rows[label_row][label_col + 2] = notation.format(number_text(in_unit(amount, own or sheet)))
    found = extractor_of(unit).extract(replace(grid, rows=rows), "t.xlsx")
    assert isinstance(found, list)
    assert in_yuan(unit, found[0].values[FIELD]) == amount
    told = [p for p in found[0].problems if p.code in ("amount-scaled", "value-normalised")]
    # Every conversion is told with what was typed; nothing is told of a bare number in the form's own unit.
    converted = number_text(in_unit(amount, own or sheet)) != number_text(in_unit(amount, UNITS[unit]))
    assert told or not converted
    assert all(p.details["raw"] == rows[label_row][label_col + 2] for p in told)


@given(amount=yuan, unit=st.sampled_from(NAMES), sheet=st.sampled_from(SHEET_UNITS),
       notation=st.sampled_from([*NOTATIONS]), heading=st.booleans())  # fmt: skip
@settings(deadline=None, max_examples=200)
def test_a_list_is_read_by_its_units(
    amount: Decimal, unit: str, sheet: MoneyUnit, notation: str, heading: bool
) -> None:
    typed = notation.format(number_text(in_unit(amount, NOTATIONS[notation] or sheet)))
    name = f"当年财政拨款（{sheet.name}）" if heading else "当年财政拨款"
    above = "2026年度项目清单" if heading else f"（2026年度） 单位：{sheet.name}"
    grid = Grid("清单", [[above, "", ""], ["项目名称", "实施单位", name], ["甲", "一所", typed]])
    portfolio, _ = make_roster(form_in(unit), [grid], file="清单.xlsx")
    assert in_yuan(unit, portfolio.projects[0].values[FIELD]) == amount
    assert portfolio.year == 2026


@pytest.mark.parametrize("unit", NAMES)
def test_what_is_written_comes_back_and_names_the_unit(unit: str) -> None:
    form, amount = form_in(unit), in_unit(Decimal("1234567.89"), UNITS[unit])
    portfolio = portfolio_in(unit, amount)
    template = build_template(form, portfolio)
    (read,) = extractor_of(unit).extract(read_grids(template, "t.xlsx").grids[1], "t.xlsx")  # type: ignore[misc]
    assert read.values == portfolio.projects[0].values
    book = openpyxl.load_workbook(io.BytesIO(template))
    prompts = {rule.prompt for rule in book.worksheets[1].data_validations.dataValidation if rule.type == "decimal"}
    assert prompts
    assert all(f"以{unit}为单位" in str(prompt) for prompt in prompts)
    page = render_page(form, portfolio)
    assert money_text(amount) in page
    assert "项目预算资金123.46万元" in page
    summary = openpyxl.load_workbook(io.BytesIO(build_summary(form, portfolio)[0]))
    texts = [str(c.value) for sheet in summary for row in sheet.iter_rows() for c in row if c.value is not None]
    drawn = "亿元" if unit == "亿元" else "万元"
    assert any(f"（金额单位：{unit}）" in text for text in texts)
    assert f"金额（{drawn}）" in texts
    assert str(float(amount)) in texts


@pytest.mark.parametrize("unit", NAMES)
def test_problems_name_the_unit(unit: str) -> None:
    form = form_in(unit)
    values = {**portfolio_in(unit, Decimal(1)).projects[0].values, FIELD: "约六十"}
    portfolio = Portfolio(form.id, 2026, None, (Project("01", values, dict.fromkeys(form.tables, ())),))
    problems = check(form, portfolio, lambda *_: Location("a.xlsx"))
    (unread,) = [p for p in problems if p.code == "value-unread"]
    assert f"以{unit}为单位的数字，例如 {number_text(in_unit(Decimal(600000), UNITS[unit]))}" in unread.hint()


def test_a_form_that_contradicts_itself_is_refused() -> None:
    with pytest.raises(KpixlError) as refused:
        parse_form({**definition(), "money": "万元"})
    assert "项目资金 (元)" in str(refused.value.problems[0].details["reason"])
    with pytest.raises(KpixlError):
        parse_form({**definition(), "money": "角"})


def test_two_units_above_a_list_are_reported() -> None:
    grid = Grid("清单", [["单位：千元", "单位：万元"], ["项目名称", "当年财政拨款"], ["甲", 60.0]])
    portfolio, problems = make_roster(form_in("元"), [grid], file="清单.xlsx")
    assert portfolio.projects[0].values[FIELD] == Decimal(60000)
    assert [(p.code, p.location.address) for p in problems if p.code == "stray-text"] == [("stray-text", "B1")]


@given(amount=yuan, unit=st.sampled_from(SHEET_UNITS), heading=st.booleans(), bare=st.booleans())
@settings(deadline=None, max_examples=60)
def test_amounts_in_a_table_are_read_by_their_heading_or_a_remark(
    amount: Decimal, unit: MoneyUnit, heading: bool, bare: bool
) -> None:
    form = form_of("mini-form")
    row: dict[str, Value] = {**dict.fromkeys(form.tables["milestones"].columns), "stage": "Plan", "what": "x"}
    values = {**dict.fromkeys(form.fields), "title": "A", "owner": "B"}
    project = Project("1", values, {"milestones": (row,), "risks": ()})
    template = build_template(form, Portfolio(form.id, 2026, "B", (project,)))
    grid = read_grids(template, "t.xlsx").grids[1]
    rows = [list(cells) for cells in grid.rows]
    top, col = place_of(grid, "Cost")
    if heading:
        rows[top][col] = f"Cost（{unit.name}）"
    else:
        rows[1][3] = f"单位：{unit.name}"
    typed = in_unit(amount, unit if bare else YUAN)
    rows[top + 1][col] = number_text(typed) + ("" if bare else "元")
    found = Extractor([form]).extract(replace(grid, rows=rows), "t.xlsx")
    assert isinstance(found, list)
    assert [r["cost"] for r in found[0].tables["milestones"]] == [amount]
    codes = [p.code for p in found[0].problems if p.location.address == grid.address(top + 1, col)]
    assert codes == (["value-normalised"] if not bare else ["amount-scaled"] if unit != YUAN else [])
