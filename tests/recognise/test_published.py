"""The published set of 2026, read from its text: every figure and every text, and nothing reported but what is odd."""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from kpixl.collection.consolidate import consolidate
from kpixl.collection.model import Collection
from kpixl.forms.definition import Form
from kpixl.forms.load import load_form
from kpixl.forms.values import target_text
from kpixl.keys import Key
from kpixl.output.template import write_templates
from kpixl.portfolio import canonical
from kpixl.portfolio.model import Project
from tests.yaml_cases import load_cases

TESTS = Path(__file__).parents[1]
SHARED = Path(os.environ.get("KPIXL_SHARED", TESTS.parents[1] / "shared"))
TEXT = SHARED / "data" / "sast-2026-published.txt"
EXPECTED: dict[str, Any] = load_cases(TESTS / "cases" / "published-2026.yaml")

pytestmark = pytest.mark.skipif(not TEXT.exists(), reason=f"{TEXT} is not on this machine")


@pytest.fixture(scope="module")
def form() -> Form:
    return load_form("shanghai-target")


@pytest.fixture(scope="module")
def result(form: Form) -> Collection:
    return consolidate([TEXT], [form], workers=0)


def amount(projects: tuple[Project, ...], key: str) -> Decimal:
    values = [project.values[key] for project in projects]
    assert all(isinstance(value, Decimal) for value in values)
    return sum((value for value in values if isinstance(value, Decimal)), Decimal(0))


def test_the_head(result: Collection) -> None:
    portfolio = result.portfolio
    assert (portfolio.form, portfolio.year, portfolio.organization) == ("shanghai-target", 2026, "上海市科学技术协会")
    assert [p.id for p in portfolio.projects] == [f"{n:02}" for n in range(1, 14)]


@pytest.mark.parametrize("number", range(13))
def test_one_form(number: int, form: Form, result: Collection) -> None:
    expected = {**EXPECTED["common"], **EXPECTED["projects"][number]}
    project = result.portfolio.projects[number]
    goal, rows = expected.pop("goal"), expected.pop("indicators")
    cell, project_id = expected.pop("cell"), expected.pop("id")
    found = dict(project.values)
    text = found.pop("goal.annual")
    assert {k: v.isoformat() if isinstance(v, date) else v for k, v in found.items()} == expected
    assert isinstance(text, str)
    assert (len(text), hashlib.sha256(text.encode()).hexdigest()) == (goal["length"], goal["sha256"])
    target = form.tables["indicators"].targets["target"]
    levels = ("level1", "level2", "name")
    assert [
        " | ".join([*(str(row[k]) for k in levels), target_text(row, target)]) for row in project.tables["indicators"]
    ] == rows
    assert (project.id, result.sources[project.id].address(Key("name"))) == (project_id, cell)


def test_the_totals_of_the_set(result: Collection) -> None:
    projects = result.portfolio.projects
    assert amount(projects, "funding.annual.amount") == Decimal("14050565.00")
    assert amount(projects, "funding.annual.appropriation") == Decimal("13350565.00")
    assert amount(projects, "funding.annual.carryover") == 0
    assert amount(projects, "funding.annual.other") == Decimal("700000.00")
    by_category: dict[object, list[Project]] = {}
    for project in projects:
        by_category.setdefault(project.values["category"], []).append(project)
    totals = {key: (len(of), amount(tuple(of), "funding.annual.amount")) for key, of in by_category.items()}
    assert totals == {"特定目标类": (12, Decimal("13871025")), "其他运转类": (1, Decimal("179540"))}


def test_the_counts_of_the_indicators(result: Collection) -> None:
    rows = [row for project in result.portfolio.projects for row in project.tables["indicators"]]
    assert len(rows) == 66
    numbers = [row for row in rows if isinstance(row["value"], Decimal)]
    assert Counter(row["operator"] for row in numbers) == {"≥": 23, "=": 16}
    texts = [row for row in rows if isinstance(row["value"], str)]
    assert len(texts) == 27
    assert {row["operator"] for row in texts} == {"定性"}
    assert all(row["unit"] is None for row in texts)
    assert all(row["level1"] and row["level2"] and row["name"] for row in rows)
    ends = Counter(row["value"] for row in texts if "12" in str(row["value"]))
    assert sum(ends.values()) == 12
    # Spelled as they were printed: nothing is tidied silently.
    assert set(ends) == {
        "2026 年 12 月 31 日前完成",
        "2026 年 12 月 31 日 前完成",
        "2026年12月31日前完成",
        "2026 年 12 月 31 日 前",
    }


def test_what_is_torn_split_or_odd(result: Collection) -> None:
    projects = {project.id: project for project in result.portfolio.projects}
    assert projects["04"].values["name"] == "离退休人员抚恤金 丧葬费"
    for project_id in ("04", "07"):
        assert not any(row["level1"] == "满意度指标" for row in projects[project_id].tables["indicators"])
    for project_id in ("01", "06", "11", "13"):  # forms that a page break cuts in two
        assert projects[project_id].tables["indicators"][-1]["level1"] == "满意度指标"
    last = {row["name"]: row["level2"] for row in projects["13"].tables["indicators"]}
    assert last["短视频制作数量"] == "质量指标"  # read strictly; a check may doubt it
    assert projects["06"].values["goal.annual"] == projects["13"].values["goal.annual"]


def test_texts_are_untouched(result: Collection) -> None:
    cells = {cell for line in TEXT.read_text(encoding="utf-8").splitlines() for cell in line.split("\t")}
    for project in result.portfolio.projects:
        assert {project.values["name"], project.values["goal.annual"]} <= cells
        assert {row["name"] for row in project.tables["indicators"]} <= cells


def test_nothing_else_is_reported(result: Collection) -> None:
    assert [f"{p.code} {p.location.address}" for p in result.problems] == EXPECTED["problems"]


@pytest.mark.parametrize("by", [None, "category"])
def test_its_template_gives_it_back(by: str | None, form: Form, result: Collection, tmp_path: Path) -> None:
    write_templates(form, result.portfolio, tmp_path / "out.xlsx", by=by)
    again = consolidate([tmp_path / "out.xlsx"], [form], workers=0)
    assert canonical.dumps(form, again.portfolio) == canonical.dumps(form, result.portfolio)
    assert again.problems == ()
