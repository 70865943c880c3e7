"""Totals whose cell says something else than their parts, and forms pasted where they do not belong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import openpyxl
import pytest
from openpyxl.cell.cell import MergedCell

from kpixl.a1 import parse_a1
from kpixl.collection.consolidate import consolidate
from kpixl.forms.definition import Form
from kpixl.portfolio.model import Portfolio
from kpixl.recognise.totals import adds_up

PARTS = {"F7", "F8", "F9"}


@pytest.mark.parametrize(
    ("formula", "ours"),
    [
        ('=IF(COUNT(F7,F8,F9)=0,"",SUM(F7,F8,F9))', True),
        ("=SUM(F7:F9)", True),
        ("=SUM(F9:F7)", True),
        ("=MAX(F7:F9)", False),
        ("=AVERAGE(F7:F9)", False),
        ("=F7+F7+F8+F9", False),
        ("=IF(F7>0,SUM(F7:F9),0)", False),
        ("=COUNT(F7:F9)", False),
        ("=SUM(F7:F9)+本年", False),
        ("=$F$7+F8+F9", True),
        ("=SUM(F7:F9)+1", False),
        ("=35*20000", False),
        ("=SUM(F7:F8)", False),
        ("=SUM(F7:F10)", False),
        ("=SUM(F7:F1048576)", False),
        ("=SUM(F7:F9)-F7", False),
    ],
)
def test_only_the_sum_of_the_parts_is_computed_again(formula: str, ours: bool) -> None:
    assert adds_up(formula, set(map(parse_a1, PARTS))) is ours


def test_a_form_pasted_below_another_is_read_as_a_form(
    example: tuple[Form, Portfolio], example_template: Path, tmp_path: Path
) -> None:
    form, portfolio = example
    book = openpyxl.load_workbook(example_template)
    above, below = book.worksheets[1:3]
    for number, values in enumerate(below.iter_rows(max_row=45, max_col=7, values_only=True), 61):
        for column, value in enumerate(values, 1):
            target: Any = above.cell(number, column)
            if not isinstance(target, MergedCell):
                target.value = value
    book.remove(below)
    book.save(tmp_path / "pasted.xlsx")
    result = consolidate([tmp_path / "pasted.xlsx"], [form], workers=0)
    found = {p.values["name"]: p for p in result.portfolio.projects}
    assert {p.values["name"] for p in portfolio.projects} == set(found)
    for project in portfolio.projects[:2]:
        assert found[project.values["name"]].tables == project.tables


@pytest.mark.parametrize("column", [8, 11, 14])
def test_a_form_pasted_beside_another_is_read_as_a_form(
    column: int, example: tuple[Form, Portfolio], example_template: Path, tmp_path: Path
) -> None:
    """Whole sheets, or only what is seen of them: then the first one's sheet id lies under the second form."""
    form, portfolio = example
    book = openpyxl.load_workbook(example_template)
    left, right = book.worksheets[1:3]
    for hint in [span for span in left.merged_cells.ranges if span.min_col > 7]:
        left.unmerge_cells(str(hint))  # as pasting does
    for number, values in enumerate(right.iter_rows(max_col=7 if column == 8 else 10, values_only=True), 1):
        for at, value in enumerate(values, column):
            target: Any = left.cell(number, at)
            if value is not None and not isinstance(target, MergedCell):
                target.value = value
    book.remove(right)
    book.save(tmp_path / "pasted.xlsx")
    result = consolidate([tmp_path / "pasted.xlsx"], [form], workers=0)
    found = {p.values["name"]: p for p in result.portfolio.projects}
    for project in portfolio.projects:
        assert found[project.values["name"]].tables == project.tables
        assert found[project.values["name"]].values == project.values
    if column > 8:
        assert [p.id for p in result.portfolio.projects] == [p.id for p in portfolio.projects]
        assert [p.code for p in result.problems] == []


def test_a_text_that_no_cell_can_hold_is_told_and_left_out(tmp_path: Path, example: tuple[Form, Portfolio]) -> None:
    form, _ = example
    labels = [f"{field.label}\t值" for key, field in form.fields.items() if not key.startswith(("goal", "funding"))]
    goal = "年度总体目标\n" + "长" * 40_000
    heads = "\t一级指标\t二级指标\t三级指标\t年度指标值"
    (tmp_path / "long.txt").write_text("\n".join([form.title, *labels, goal, heads]), encoding="utf-8")
    result = consolidate([tmp_path / "long.txt"], [form], workers=0)
    (told,) = [p for p in result.problems if p.code == "cell-too-long"]
    assert told.location.address == "A10" and "40000" in told.message()
    assert result.portfolio.projects[0].values["goal.annual"] is None
