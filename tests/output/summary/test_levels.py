"""Totals by level: by unit, by the office above the units, in all."""

from __future__ import annotations

import io
from dataclasses import replace
from decimal import Decimal
from typing import Any

import openpyxl

from kpixl.portfolio.model import Portfolio
from tests.output.test_summary import build, portfolio

HEADER = 3


def opened(content: bytes, *, data_only: bool = False) -> Any:
    """Open a workbook with openpyxl."""
    return openpyxl.load_workbook(io.BytesIO(content), data_only=data_only)


def _city() -> Portfolio:
    """Return projects of four units under two offices."""
    whole = portfolio()
    projects = tuple(
        replace(p, values={**p.values, "department": "甲局" if n % 4 < 2 else "乙局", "unit": f"第{n % 4}单位"})
        for n, p in enumerate(whole.projects)
    )
    return replace(whole, projects=projects)


def _amounts(content: Portfolio, office: str) -> Decimal:
    amounts = [p.values["funding.annual.amount"] for p in content.projects if p.values["department"] == office]
    return sum((a for a in amounts if isinstance(a, Decimal)), Decimal(0))


def _subtotals(sheet: Any, column: str) -> dict[str, tuple[int, str]]:
    heads = {cell.value: cell.column for cell in sheet[HEADER]}
    amount = heads["年度资金申请总额"]
    found = {}
    for row in range(HEADER + 1, sheet.max_row + 1):
        name = sheet.cell(row, heads[column]).value
        if sheet.cell(row, 1).value == "小计" and name is not None:
            found[name] = (row, sheet.cell(row, amount).value)
    return found


def test_the_table_has_subtotals_by_unit_and_by_office() -> None:
    content = _city()
    built = build(content)
    values, formulas = opened(built, data_only=True)["汇总表"], opened(built)["汇总表"]
    units, offices = _subtotals(values, "实施单位"), _subtotals(values, "主管部门")
    assert list(units) == [f"第{n}单位" for n in range(4)]
    assert list(offices) == ["甲局", "乙局"]
    assert max(row for row, _ in units.values()) < min(row for row, _ in offices.values())
    for office, (row, amount) in offices.items():
        assert Decimal(str(amount)) == _amounts(content, office)
        assert "SUMPRODUCT" in str(_subtotals(formulas, "主管部门")[office][1]), row
    assert values.cell(max(row for row, _ in offices.values()) + 1, 1).value == "合计"


def test_the_overview_has_a_table_by_office_that_adds_up() -> None:
    content = _city()
    sheet = opened(build(content), data_only=True)["概览"]
    rows = [[cell.value for cell in row[:4]] for row in sheet.iter_rows()]
    start = next(n for n, row in enumerate(rows) if row[0] == "按主管部门")
    assert [row[0] for row in rows[start + 2 : start + 5]] == ["甲局", "乙局", "合计"]
    assert sum(row[1] for row in rows[start + 2 : start + 4]) == len(content.projects)
    amounts = [Decimal(str(row[2])) for row in rows[start + 2 : start + 4]]
    assert sum(amounts) == (_amounts(content, "甲局") + _amounts(content, "乙局")) / 10_000


def test_one_office_alone_has_no_subtotal() -> None:
    built = opened(build(portfolio()), data_only=True)
    assert _subtotals(built["汇总表"], "主管部门") == {}
    assert all(row[0].value != "按主管部门" for row in built["概览"].iter_rows())
