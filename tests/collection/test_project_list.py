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

from kpixl.a1 import Span
from kpixl.cli.main import run
from kpixl.collection.list_mapping import mapping_data
from kpixl.collection.roster import ReadList, make_roster, read_list
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
    assert {key: values.get(key) for key in wanted} == wanted
    totals = {key for key, field in FORM.fields.items() if field.sum}
    assert set(values) - totals <= set(wanted)
    assert named(found) == case.get("left_out", [])


@pytest.mark.parametrize("name", REFUSED)
def test_a_list_is_refused_with_a_suggestion_for_each_heading(name: str) -> None:
    case = CASES[name]
    with pytest.raises(KpixlError) as caught:
        make_roster(FORM, [grid(case)], file="清单.xlsx")
    first, *suggestions = caught.value.problems
    assert first.code == case["refused"]
    assert first.location.cell
    labels = [problem.details["label"] for problem in suggestions]
    assert labels[: len(case.get("suggested", []))] == case.get("suggested", [])
    data = mapping_data(read(case), "zh")  # a refused list can still be looked at
    assert data["refused"]
    assert [column["heading"] for column in data["columns"] if not column["key"]] == labels


def test_the_suggestion_names_the_closest_field_and_where_to_add_it() -> None:
    (problem,) = [p for p in read(CASES["no amount is understood"]).problems if "测算" in str(p.details.get("label"))]
    assert "年度资金申请总额" in problem.hint("zh") or "项目资金总额" in problem.hint("zh")
    assert ".synonyms" in problem.hint("zh")


def test_a_dry_run_shows_the_mapping_and_writes_nothing(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    source, out = tmp_path / "清单.csv", tmp_path / "roster.yaml"
    source.write_text("2026年清单,,单位：万元\n项目名称,财政拨款,备注\n甲,60,急\n合计,60,\n", encoding="utf-8")
    assert run(["roster", str(source), "-o", str(out), "--dry-run", "--json"]) == 0
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
    assert run(["roster", str(source), "--dry-run"]) == 0
    shown = capfd.readouterr()
    assert "财政拨款" in shown.out and "B2" in shown.out and "备注" in shown.out
    assert list(tmp_path.iterdir()) == [source]
