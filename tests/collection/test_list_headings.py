"""Headings of project lists: read as their field and in their unit, or left out and named; never read as another.

The cases are data in cases/lists/headings.yaml.
"""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from kpixl.collection.roster import ReadList, read_list
from kpixl.forms.types import FIELD_TYPES
from kpixl.readers import Grid
from tests.strategies import form_of
from tests.yaml_cases import load_cases

CASES: dict[str, Any] = load_cases(Path(__file__).parents[1] / "cases/lists/headings.yaml")
FORM = form_of("shanghai-target")
BASE = {
    "name": ("项目名称", "甲"),
    "unit": ("实施单位", "一所"),
    "start": ("计划开始日期", "2026-02-01"),
    "end": ("计划完成日期", "2026-11-30"),
    "funding.annual.amount": ("年度资金申请总额", 60),
}
TYPED: dict[str, Any] = {
    "department": "某局",
    "nature": "一次性项目",
    "category": "特定目标类",
    "goal.annual": "办展览十场。",
}
POWERS = {"元": 0, "千元": 3, "万元": 4}
RIGHT = [(key, text) for key, texts in CASES["right"].items() for text in texts]
UNITS = [(unit, text) for unit, texts in CASES["units"].items() for text in texts]


def read(key: str, heading: str, typed: Any) -> ReadList:
    """Read a list whose column of `key` has this heading, or that has one column more."""
    columns = {**BASE, key: (heading, typed)}
    if key.startswith("funding.annual.") and key != "funding.annual.amount":
        del columns["funding.annual.amount"]
    rows = [[h for h, _ in columns.values()], [value for _, value in columns.values()]]
    return read_list(FORM, [Grid("清单", rows)], file="清单.xlsx", year=2026)


def values(found: ReadList) -> dict[str, object]:
    assert found.roster is not None
    (project,) = found.roster.projects
    return {key: value for key, value in project.values.items() if value is not None}


def expected(key: str, typed: Any) -> dict[str, object]:
    found = read(key, FORM.fields[key].heading, typed)
    assert not found.problems
    return values(found)


@pytest.mark.parametrize(("key", "text"), RIGHT)
def test_a_heading_is_read_as_its_field(key: str, text: str) -> None:
    amount = FIELD_TYPES[FORM.fields[key].type].is_amount
    typed = BASE[key][1] if key in BASE else 60 if amount else TYPED[key]
    found = read(key, text, typed)
    assert values(found) == expected(key, typed)
    assert {p.code for p in found.problems} <= {"label-near", "label-ambiguous"}


@pytest.mark.parametrize("key", ["funding.annual.amount", "funding.annual.appropriation", "funding.annual.carryover"])
@pytest.mark.parametrize(("unit", "text"), UNITS)
def test_a_heading_may_name_the_unit(key: str, unit: str, text: str) -> None:
    found = read(key, FORM.fields[key].heading + text, 60)
    assert values(found)[key] == Decimal(60).scaleb(POWERS[unit])


@pytest.mark.parametrize("text", CASES["wrong"])
def test_another_heading_is_left_out_and_named(text: str) -> None:
    found = read("more", text, 7)
    assert values(found) == values(read("more", "备注", 7))
    assert [p.details["label"] for p in found.problems if p.code == "list-column-unknown"] == [text]


def test_there_are_enough_cases() -> None:
    assert len(RIGHT) + len(UNITS) + len(CASES["wrong"]) >= 100
