"""Whole project lists: headings over several rows, units, years, and lists that are refused.

The cases are data in cases/lists/lists.yaml.
"""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kpixl.a1 import Span
from kpixl.cli.main import run
from kpixl.collection.list_form import form_of_list
from kpixl.collection.list_mapping import mapping_data
from kpixl.collection.roster import ReadList, make_roster, read_list
from kpixl.forms.load import load_forms
from kpixl.forms.values import Raw
from kpixl.problems import KpixlError
from kpixl.readers import Grid
from tests.strategies import form_of

FORM = form_of("shanghai-target")
CASES: dict[str, Any] = yaml.safe_load(
    (Path(__file__).parents[1] / "cases/lists/lists.yaml").read_text(encoding="utf-8")
)
READ = [name for name, case in CASES.items() if "refused" not in case]
REFUSED = [name for name, case in CASES.items() if "refused" in case]


def grid(case: dict[str, Any]) -> Grid:
    rows: list[list[Raw]] = []
    for line in case["list"].strip().splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        rows.append([float(cell[1:]) if cell.startswith("#") else cell for cell in cells])
    spans = [Span(*numbers) for numbers in case.get("merges", ())]
    return Grid("清单", rows, merges=lambda: spans)


def read(case: dict[str, Any]) -> ReadList:
    return read_list(FORM, [grid(case)], file="清单.xlsx")


def named(found: ReadList) -> list[object]:
    return [problem.details["label"] for problem in found.problems if problem.code == "list-column-unknown"]


@pytest.mark.parametrize("name", READ)
def test_a_list_is_read(name: str) -> None:
    case = CASES[name]
    found = read(case)
    assert found.roster is not None
    assert found.roster.year == case.get("year")
    values = {k: v for k, v in found.roster.projects[0].values.items() if v is not None and k not in ("name", "unit")}
    wanted = {k: v if isinstance(v, date) else Decimal(v) for k, v in case["values"].items()}
    kept = case.get("kept", {})  # texts that are no amounts
    assert {key: values.pop(key) for key in kept} == kept
    assert {key: values.get(key) for key in wanted} == wanted
    totals = {key for key, field in FORM.fields.items() if field.sum}
    assert set(values) - totals <= set(wanted)
    assert named(found) == case.get("left_out", [])
    if "projects" in case:
        assert [project.values["name"] for project in found.roster.projects] == case["projects"]
    if "problems" in case:
        told = [f"{p.code} {p.location.cell}" for p in found.problems]
        assert told == case["problems"]
        assert all(problem.text() for problem in found.problems)


@pytest.mark.parametrize("name", REFUSED)
def test_a_list_is_refused_with_a_suggestion_for_each_heading(name: str) -> None:
    case = CASES[name]
    with pytest.raises(KpixlError) as caught:
        make_roster(FORM, [grid(case)], file="清单.xlsx")
    first, *suggestions = caught.value.problems
    assert first.code == case["refused"]
    assert first.location.address
    labels = [problem.details["label"] for problem in suggestions]
    assert labels[: len(case.get("suggested", []))] == case.get("suggested", [])
    data = mapping_data(read(case), "zh")  # a refused list can still be looked at
    assert data["refused"]
    assert [column["heading"] for column in data["columns"] if not column["key"]] == labels


def test_the_suggestion_names_the_closest_field_and_where_to_add_it() -> None:
    (problem,) = [p for p in read(CASES["no amount is understood"]).problems if "测算" in str(p.details.get("label"))]
    assert "年度资金申请总额" in problem.hint("zh") or "项目资金总额" in problem.hint("zh")
    assert ".synonyms" in problem.hint("zh")


SEVERAL_YEARS = """
| 项目名称 | 实施单位 | 2025年预算（万元） | 2026年预算（万元） | 其中：财政拨款 | 本年 |
| 甲 | 一所 | #90 | #100 | #80 | #1 |
"""


def test_of_columns_of_several_years_none_is_taken_before_the_year_is_given() -> None:
    found = read({"list": SEVERAL_YEARS})
    told = {p.details["label"]: p.hint() for p in found.problems if p.code == "list-column-unknown"}
    assert all("--year" in told[heading] for heading in ("2025年预算（万元）", "2026年预算（万元）"))
    assert "如果它就是" not in told["本年"]  # a column of numbers is no text


def test_a_dry_run_shows_the_mapping_and_writes_nothing(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    source, out = tmp_path / "清单.csv", tmp_path / "roster.yaml"
    source.write_text("2026年清单,,单位：万元\n项目名称,财政拨款,备注\n甲,60,急\n合计,60,\n", encoding="utf-8")
    form = ["--form", "shanghai-target"]
    assert run(["roster", str(source), "-o", str(out), "--dry-run", "--json", *form]) == 0
    assert not out.exists()
    data = json.loads(capfd.readouterr().out)
    assert (data["year"], data["projects"], data["refused"]) == (2026, 1, False)
    money = data["columns"][1]
    assert (money["cell"], money["key"], money["how"], money["unit"]) == (
        "B2",
        "funding.annual.appropriation",
        "order",
        "万元",
    )
    assert money["values"] == ["60"]
    assert [entry["place"] for entry in data["left_out"]] == ["清单.csv › A4"]
    assert run(["roster", str(source), "--dry-run", *form]) == 0
    shown = capfd.readouterr()
    assert "财政拨款" in shown.out and "B2" in shown.out and "备注" in shown.out
    assert list(tmp_path.iterdir()) == [source]


def test_the_form_is_told_by_the_headings_of_the_list(tmp_path: Path) -> None:
    source, out = tmp_path / "清单.csv", tmp_path / "roster.yaml"
    source.write_text("项目名称,实施单位,项目周期,年度资金总额\n甲,某馆,1年,60\n", encoding="utf-8")
    assert run(["roster", str(source), "-o", str(out), "--year", "2026"]) == 0
    assert "form: central-target" in out.read_text(encoding="utf-8")
    # Once there is a roster, its form stays, although the list alone could be another's.
    source.write_text("项目名称,实施单位\n甲,某馆\n", encoding="utf-8")
    assert run(["roster", str(source), "-o", str(out), "--year", "2026"]) <= 1
    assert "form: central-target" in out.read_text(encoding="utf-8")
    other = tmp_path / "other.yaml"
    assert run(["roster", str(source), "-o", str(other)]) <= 1
    assert "form: shanghai-target" in other.read_text(encoding="utf-8")  # the default, where the headings are anybody's


def test_the_form_is_the_one_that_has_most_of_the_headings(tmp_path: Path) -> None:
    forms = list(load_forms().values())
    source = tmp_path / "清单.csv"
    for header, expected in (
        ("项目名称,主管部门,实施单位,计划开始日期,当年财政拨款", "shanghai-target"),
        ("项目名称,单位名称,预算数,年度目标", "sichuan-target"),
    ):
        source.write_text(f"{header}\n甲,,,,\n", encoding="utf-8")
        assert form_of_list(forms, source, None).id == expected


HEADINGS = ["项目名称", "实施单位", "当年财政拨款（万元）", "上年结转", "结束日期"]
HEADINGS += ["备注", "其中：2025年预算数", "联系人"]


@given(st.permutations(range(len(HEADINGS))))
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_the_order_of_columns_does_not_matter(order: list[int]) -> None:
    values: list[Raw] = ["甲", "一所", 60.0, 5.0, "2026-12-31", "急", 7.0, "张三"]
    rows = [[cells[at] for at in order] for cells in (HEADINGS, values)]
    found = read_list(FORM, [Grid("清单", [list(row) for row in rows])], file="清单.xlsx", year=2026)
    assert found.roster is not None
    known = {key: value for key, value in found.roster.projects[0].values.items() if value is not None}
    assert known == {
        "name": "甲",
        "unit": "一所",
        "end": date(2026, 12, 31),
        "funding.annual.amount": Decimal(600005),
        "funding.annual.appropriation": Decimal(600000),
        "funding.annual.carryover": Decimal(5),
    }
    assert set(named(found)) == {"备注", "其中：2025年预算数", "联系人"}
