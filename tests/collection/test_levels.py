"""Portfolios as inputs: unique ids, the same merge, and every value traced through to the lowest level."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from random import Random

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kpixl.cli.main import run
from kpixl.collection.consolidate import consolidate
from kpixl.collection.model import Collection
from kpixl.collection.trace import trace
from kpixl.forms.load import load_form
from kpixl.output.template import build_template
from kpixl.portfolio import canonical
from kpixl.portfolio.model import Portfolio, Project
from tests.conftest import EXAMPLE

FORM, WHOLE = canonical.load(EXAMPLE / "2026.yaml", load_form)
CHANGED = Decimal("123456.78")


def _numbered(projects: Sequence[Project], office: str, unit: str) -> Portfolio:
    """Make the portfolio of an office: its projects from 01, all of one unit."""
    made = tuple(
        replace(p, id=f"{n:02}", values={**p.values, "unit": unit, "department": office})
        for n, p in enumerate(projects, 1)
    )
    return Portfolio(FORM.id, 2026, office, made)


BUREAUS = {"a": _numbered(WHOLE.projects[:4], "甲局", "甲中心"), "b": _numbered(WHOLE.projects[4:9], "乙局", "乙中心")}
CITY = _numbered(WHOLE.projects[9:12], "某市", "市本级")


def _workbook(portfolio: Portfolio, path: Path, *, changed: str = "", whole: Portfolio | None = None) -> Path:
    """Write the workbook as it is sent; somebody types a sum into that of the project `changed`."""
    path.write_bytes(build_template(FORM, portfolio, whole=whole))
    if changed:
        book = openpyxl.load_workbook(path)
        next(sheet for sheet in book.worksheets if sheet.title.startswith(f"{changed} "))["C7"] = float(CHANGED)
        book.save(path)
    return path


@pytest.fixture
def bureaus(tmp_path: Path) -> list[Path]:
    """Return the portfolios of two bureaus, each collected from a workbook, with its sources beside it."""
    paths = []
    for name, portfolio in BUREAUS.items():
        folder = tmp_path / name
        folder.mkdir()
        book = _workbook(portfolio, folder / f"{name}.xlsx")
        out = folder / f"bureau-{name}.yaml"
        assert run(["consolidate", str(book), "-o", str(out), "--no-summary"]) == 0
        assert canonical.load(out, load_form)[1] == portfolio
        paths.append(out)
    return paths


def _collect(paths: Sequence[Path], roster: Portfolio | None = None) -> Collection:
    return consolidate(paths, [FORM], roster=roster, workers=0)


def _codes(result: Collection) -> set[str]:
    return {problem.code for problem in result.problems}


def test_ids_are_unique_by_office_and_values_are_those_of_the_bureaus(bureaus: list[Path], tmp_path: Path) -> None:
    city = _workbook(CITY, tmp_path / "city.xlsx")
    result = _collect([*bureaus, city])
    ids = [project.id for project in result.portfolio.projects]
    assert sorted(ids) == sorted(
        [*(f"甲局-{n:02}" for n in range(1, 5)), *(f"乙局-{n:02}" for n in range(1, 6)), "01", "02", "03"]
    )
    assert result.portfolio.organization == "某市"
    assert _collect([city, *reversed(bureaus)]).portfolio == result.portfolio
    found = {project.id: project for project in result.portfolio.projects}
    for name, portfolio in BUREAUS.items():
        for project in portfolio.projects:
            assert replace(found[f"{portfolio.organization}-{project.id}"], id=project.id) == project, name
    numbered = [p for p in result.problems if p.code == "lower-numbered"]
    assert {(p.location.file, p.details["prefix"], p.details["count"]) for p in numbered} == {
        ("bureau-a.yaml", "甲局-", 4),
        ("bureau-b.yaml", "乙局-", 5),
    }


def test_one_portfolio_alone_keeps_its_ids(bureaus: list[Path]) -> None:
    result = _collect(bureaus[:1])
    assert result.portfolio == BUREAUS["a"]
    assert "lower-numbered" not in _codes(result)


def test_a_workbook_of_a_bureau_that_came_to_the_city_is_the_same_project(bureaus: list[Path], tmp_path: Path) -> None:
    direct = replace(BUREAUS["b"], projects=BUREAUS["b"].projects[1:2])
    book = _workbook(direct, tmp_path / "direct.xlsx", changed="02", whole=BUREAUS["b"])
    result = _collect([*bureaus, book])
    assert len(result.portfolio.projects) == 9
    assert not result.conflicts
    changed = next(p for p in result.portfolio.projects if p.id == "乙局-02")
    assert changed.values["funding.total.fiscal"] == CHANGED
    assert result.sources["乙局-02"].file == "direct.xlsx"  # it has all that the portfolio has, and the sum


def test_what_only_one_side_changed_counts_by_the_roster(bureaus: list[Path], tmp_path: Path) -> None:
    """The roster is what was sent out; the bureaus' projects get its numbers by name and unit."""
    sent = [project for portfolio in BUREAUS.values() for project in portfolio.projects]
    roster = Portfolio(FORM.id, 2026, "某市", tuple(replace(p, id=f"{n:03}") for n, p in enumerate(sent, 1)))
    direct = replace(roster, projects=roster.projects[5:6])
    book = _workbook(direct, tmp_path / "direct.xlsx", changed="006", whole=roster)
    result = _collect([*bureaus, book], roster)
    assert [project.id for project in result.portfolio.projects] == [f"{n:03}" for n in range(1, 10)]
    assert not result.conflicts
    assert result.portfolio.projects[5].values["funding.total.fiscal"] == CHANGED
    assert {(p.details["count"], p.details["matched"]) for p in result.problems if p.code == "lower-numbered"} == {
        (0, 4),
        (0, 5),
    }


def test_a_project_that_the_roster_lacks_keeps_the_id_of_its_office(bureaus: list[Path]) -> None:
    roster = Portfolio(FORM.id, 2026, "某市", (replace(BUREAUS["a"].projects[0], id="001"),))
    result = _collect(bureaus, roster)
    assert {p.id for p in result.portfolio.projects} == {
        "001", *(f"甲局-{n:02}" for n in range(2, 5)), *(f"乙局-{n:02}" for n in range(1, 6)),
    }  # fmt: skip
    assert sum(p.code == "not-in-roster" for p in result.problems) == 8


def test_a_portfolio_supersedes_the_files_it_was_made_from(bureaus: list[Path], tmp_path: Path) -> None:
    """A bureau corrects a value in its YAML, and the old workbook comes along."""
    book, out = _workbook(BUREAUS["a"], tmp_path / "a" / "a.xlsx", changed="01"), bureaus[0]
    command = ["consolidate", str(book), "-o", str(out), "--no-summary"]
    assert run(command) == 0
    first, *others = canonical.load(out, load_form)[1].projects
    edited = replace(first, values={**first.values, "goal.annual": "改写的目标。"})
    out.write_text(canonical.dumps(FORM, replace(BUREAUS["a"], projects=(edited, *others))), encoding="utf-8")
    assert run(command) == 0
    result = _collect([*bureaus, book])
    found = next(p for p in result.portfolio.projects if p.id == "甲局-01")
    assert found.values["goal.annual"] == "改写的目标。"
    assert not result.conflicts
    assert any(p.code == "returned-superseded" and "已汇入" in p.message("zh") for p in result.problems)


# --- trace --------------------------------------------------------------------------------------


def test_a_value_is_traced_through_three_levels(bureaus: list[Path], tmp_path: Path) -> None:
    city, province = tmp_path / "city.yaml", tmp_path / "province.yaml"
    assert run(["consolidate", *map(str, bureaus), "-o", str(city), "--no-summary"]) == 0
    assert run(["consolidate", str(city), "-o", str(province), "--no-summary"]) == 0
    found = trace(province, "乙局-03", "funding.annual.amount", load_form)
    (origin,) = found.origins
    sheet = f"03 {BUREAUS['b'].projects[2].values['name']}"
    assert (origin.place.file, origin.place.sheet, origin.place.address) == (
        "city.yaml",
        "乙局-03",
        "funding.annual.amount",
    )
    assert [(p.file, p.sheet, p.address) for p in origin.through] == [
        ("bureau-b.yaml", "03", "funding.annual.amount"),
        ("b.xlsx", sheet[:31], "F6"),
    ]
    (cell,) = trace(province, "乙局-03", "indicators.2.value", load_form).origins
    assert cell.through[-1].address == "F15"


def test_the_command_shows_the_way(bureaus: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    city = tmp_path / "city.yaml"
    assert run(["consolidate", *map(str, bureaus), "-o", str(city), "--no-summary"]) == 0
    capsys.readouterr()
    assert run(["trace", "甲局-01", "funding.annual.amount", "--portfolio", str(city)]) == 0
    assert "← a.xlsx › 01" in capsys.readouterr().out
    assert run(["trace", "甲局-01", "funding.annual.amount", "--portfolio", str(city), "--json"]) == 0
    (value,) = json.loads(capsys.readouterr().out)["values"]
    assert value["through"][0]["cell"] == "F6"


def test_all_is_verified(bureaus: list[Path], tmp_path: Path) -> None:
    city, out = _workbook(CITY, tmp_path / "city.xlsx"), tmp_path / "city.yaml"
    paths = [*map(str, bureaus), str(city)]
    assert run(["consolidate", *paths, "-o", str(out), "--no-summary"]) == 0
    assert run(["verify", str(out), *paths]) == 0


# --- what is no portfolio -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("version: '3'\nservices: {web: {image: nginx}}\n", "key-missing"),
        ("kpixl: 1\nform: nowhere\nyear: 2026\norganization: x\nprojects: []\n", "form-unknown"),
        ("a: &a [x, x]\nb: &b [*a, *a]\n", "yaml-alias"),
        ("kpixl: 1\nform: shanghai-target\nprojects:\n- id: 1\n", "value-wrong"),
        ("\x00\x01", "yaml-syntax"),
        ("- " * 5000 + "x", "yaml-syntax"),
        ("\n".join(f"key{n}: 1" for n in range(100)), "lower-more-problems"),
    ],
)
def test_a_hostile_or_foreign_file_is_a_clear_problem(
    text: str, code: str, tmp_path: Path, bureaus: list[Path]
) -> None:
    odd = tmp_path / "odd.yaml"
    odd.write_text(text, encoding="utf-8")
    result = _collect([*bureaus, odd])
    assert len(result.portfolio.projects) == 9
    problems = [p for p in result.problems if p.location.file == "odd.yaml"]
    assert code in {p.code for p in problems}
    assert len(problems) <= 21


def test_last_years_portfolio_is_named(bureaus: list[Path], tmp_path: Path) -> None:
    old = tmp_path / "old.yaml"
    old.write_text(canonical.dumps(FORM, replace(BUREAUS["a"], year=2025)), encoding="utf-8")
    assert "sheet-id-year" in _codes(_collect([*bureaus, old]))


def test_what_a_bureau_has_not_decided_is_reported(tmp_path: Path) -> None:
    folder = tmp_path / "a"
    folder.mkdir()
    _workbook(BUREAUS["a"], folder / "1.xlsx", changed="03")
    other = openpyxl.load_workbook(folder / "1.xlsx")
    next(sheet for sheet in other.worksheets if sheet.title.startswith("03 "))["C7"] = 1
    other.save(folder / "2.xlsx")
    out = tmp_path / "bureau.yaml"
    run(["consolidate", str(folder), "-o", str(out), "--no-summary"])
    result = _collect([out])
    assert [p.details["id"] for p in result.problems if p.code == "lower-undecided"] == ["03"]


# --- laws -----------------------------------------------------------------------------------------


@settings(max_examples=25, deadline=None)
@given(
    parts=st.lists(st.tuples(st.integers(0, 12), st.integers(0, 3)), min_size=1, max_size=12, unique=True),
    random=st.randoms(use_true_random=False),
)
def test_every_project_of_every_office_is_there_once(
    parts: list[tuple[int, int]], random: Random, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Any number of offices with any projects, in any order: as many projects as there were, each with its values."""
    folder = tmp_path_factory.mktemp("offices")
    offices = {n: [WHOLE.projects[p] for p, office in parts if office == n] for _, n in parts}
    made = {n: _numbered(projects, f"第{n}局", f"第{n}单位") for n, projects in offices.items()}
    paths = []
    for n, portfolio in made.items():
        paths.append(folder / f"{n}.yaml")
        paths[-1].write_text(canonical.dumps(FORM, portfolio), encoding="utf-8")
    result = _collect(paths)
    assert len(result.portfolio.projects) == len(parts)
    found = {project.id: project for project in result.portfolio.projects}
    for portfolio in made.values():
        for project in portfolio.projects:
            own = project.id if len(made) == 1 else f"{portfolio.organization}-{project.id}"
            assert found[own] == replace(project, id=own)
    shuffled = [*paths]
    random.shuffle(shuffled)
    assert _collect(shuffled).portfolio == result.portfolio
