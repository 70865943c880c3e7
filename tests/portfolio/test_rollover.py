"""A new year: what belongs to the old one is emptied or moved, and every change is listed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import openpyxl
import pytest
from hypothesis import given, settings

from kpixl import yaml_text
from kpixl.cli.main import run
from kpixl.collection.consolidate import consolidate
from kpixl.forms.definition import Form
from kpixl.forms.load import load_form, parse_form
from kpixl.keys import Key
from kpixl.output.template import build_template
from kpixl.portfolio import canonical
from kpixl.portfolio.model import Portfolio, Project
from kpixl.portfolio.rollover import RolloverFate, roll_over
from kpixl.problems import KpixlError
from tests.conftest import EXAMPLE, ROOT
from tests.strategies import form_of, portfolios

SHANGHAI = form_of("shanghai-target")
TEMPLATES = ROOT / "tests" / "cases" / "templates"


def _changed(example: tuple[Form, Portfolio], **values: object) -> Portfolio:
    portfolio = example[1]
    first = portfolio.projects[0]
    kept = {key.replace("_", "."): value for key, value in values.items()}
    changed = replace(first, values={**first.values, **kept})  # type: ignore[dict-item]
    return replace(portfolio, projects=(changed,))


def _values(project: Project) -> Iterator[tuple[Key, object]]:
    yield from ((Key(key), value) for key, value in project.values.items())
    for table, rows in project.tables.items():
        for number, row in enumerate(rows):
            yield from ((Key(table, number, column), value) for column, value in row.items())


def test_the_example_is_carried_over(example: tuple[Form, Portfolio]) -> None:
    form, portfolio = example
    rolled = roll_over(form, portfolio, 2027)
    assert rolled.last == portfolio
    assert (rolled.roster.year, rolled.roster.organization) == (2027, portfolio.organization)
    first, before = rolled.roster.projects[0], portfolio.projects[0]
    assert (first.id, first.values["name"], first.values["unit"]) == (
        "01",
        before.values["name"],
        before.values["unit"],
    )
    assert (first.values["start"], first.values["end"]) == (date(2027, 1, 1), date(2027, 12, 31))
    assert first.values["funding.annual.amount"] is None
    for row, old in zip(first.tables["indicators"], before.tables["indicators"], strict=True):
        assert row == {**old, "value": None}


@pytest.mark.parametrize(
    ("text", "after", "fate"),
    [
        ("2026年科普活动", "2027年科普活动", RolloverFate.MOVED),
        ("2026 年 6 月前、2026 年 12 月前各一次", "2027 年 6 月前、2027 年 12 月前各一次", RolloverFate.MOVED),
        ("2025-2026年计划", "2025-2026年计划", RolloverFate.KEPT),
        ("按沪科协〔2026〕12号文", "按沪科协〔2026〕12号文", RolloverFate.KEPT),
        ("编号20260101", "编号20260101", None),
        ("2025年回顾", "2025年回顾", None),
        ("十四五规划", "十四五规划", None),
    ],
)
def test_years_in_texts_move_where_they_are_unambiguous(
    text: str, after: str, fate: RolloverFate | None, example: tuple[Form, Portfolio]
) -> None:
    rolled = roll_over(SHANGHAI, _changed(example, goal_annual=text), 2027)
    assert rolled.roster.projects[0].values["goal.annual"] == after
    assert [c.fate for c in rolled.changes if c.key == Key("goal.annual")] == ([fate] if fate else [])


def test_dates_of_several_years_stay(example: tuple[Form, Portfolio]) -> None:
    rolled = roll_over(SHANGHAI, _changed(example, start=date(2026, 3, 1), end=date(2028, 6, 30)), 2027)
    assert rolled.roster.projects[0].values["start"] == date(2026, 3, 1)
    assert [c.fate for c in rolled.changes if c.key in (Key("start"), Key("end"))] == [
        RolloverFate.KEPT,
        RolloverFate.KEPT,
    ]


def test_the_29th_of_february_is_the_28th(example: tuple[Form, Portfolio]) -> None:
    leap = replace(_changed(example, start=date(2028, 2, 29), end=date(2028, 12, 31)), year=2028)
    assert roll_over(SHANGHAI, leap, 2029).roster.projects[0].values["start"] == date(2029, 2, 28)


@pytest.mark.parametrize(("old", "new"), [(2026, 2026), (2026, 2025), (None, 2027)])
def test_a_year_must_follow(old: int | None, new: int, example: tuple[Form, Portfolio]) -> None:
    with pytest.raises(KpixlError) as raised:
        roll_over(SHANGHAI, replace(example[1], year=old), new)
    assert [p.code for p in raised.value.problems] == ["rollover-year"]


@settings(max_examples=30, deadline=None)
@given(portfolios(SHANGHAI))
def test_every_change_is_listed_once_and_nothing_else_changes(portfolio: Portfolio) -> None:
    portfolio = replace(portfolio, year=2026)
    rolled = roll_over(SHANGHAI, portfolio, 2030)
    listed = {(c.project, c.key): c for c in rolled.changes}
    assert len(listed) == len(rolled.changes)
    for before, after in zip(portfolio.projects, rolled.roster.projects, strict=True):
        expected: dict[tuple[str, int], dict[str, object]] = {}
        for key, old in _values(before):
            change = listed.get((before.id, key))
            assert change is None or change.old == old
            row = expected.setdefault((key.name, key.row), {})
            row[key.column] = change.new if change else old
        for name in SHANGHAI.fields:
            assert after.values[name] == expected[name, -1][""]
        for name in SHANGHAI.tables:
            rows = [row for (table, number), row in sorted(expected.items()) if table == name and number >= 0]
            assert list(after.tables[name]) == [row for row in rows if any(v is not None for v in row.values())]
    text = canonical.dumps(SHANGHAI, rolled.roster)
    assert canonical.dumps(SHANGHAI, canonical.loads(text, load_form)[1]) == text


# --- another form -------------------------------------------------------------------------------


def _definition(**changes: str) -> Form:
    """Return the form with texts of its definition replaced."""
    text = (ROOT / "templates" / "shanghai-target" / "form.yaml").read_text(encoding="utf-8")
    for old, new in changes.items():
        assert old in text
        text = text.replace(old, new)
    return parse_form(yaml_text.parse(text))


def test_what_another_form_has_no_place_for_is_listed(example: tuple[Form, Portfolio]) -> None:
    older = replace(SHANGHAI, fields={k: v for k, v in SHANGHAI.fields.items() if k != "category"})
    rolled = roll_over(SHANGHAI, example[1], 2027, older)
    lost = [c for c in rolled.changes if c.fate is RolloverFate.LOST]
    assert {c.key for c in lost} == {Key("category")}
    assert len(lost) == len(example[1].projects)
    assert all("category" not in project.values for project in rolled.roster.projects)


def test_a_template_of_an_older_version_is_read_and_losses_are_named(
    example: tuple[Form, Portfolio], tmp_path: Path
) -> None:
    """A field that the version of today has no more: everything else is read, its value is quoted."""
    older = _definition(**{'version: "2026.1"': 'version: "2025.1"', "label: 项目性质,": "label: 归口处室,"})
    portfolio = _changed(example)
    path = tmp_path / "older.xlsx"
    path.write_bytes(build_template(older, portfolio))
    result = consolidate([path], [SHANGHAI], workers=0)
    (project,) = result.portfolio.projects
    expected = portfolio.projects[0]
    assert {k: v for k, v in project.values.items() if k != "nature"} == {
        k: v for k, v in expected.values.items() if k != "nature"
    }
    assert project.tables == expected.tables
    codes = {p.code for p in result.problems}
    assert "sheet-id-version" in codes
    told = " ".join(p.message("zh") for p in result.problems)
    assert "项目性质" in told and str(expected.values["nature"]) in told


@pytest.mark.parametrize("path", sorted(TEMPLATES.glob("*.xlsx")), ids=lambda path: path.stem)
def test_every_released_template_is_read_for_ever(path: Path) -> None:
    """A workbook as each release has sent it out: one project filled in, one blank with its preset rows."""
    result = consolidate([path], [SHANGHAI], workers=0)
    assert canonical.dumps(SHANGHAI, result.portfolio) == (TEMPLATES / "sent.yaml").read_text(encoding="utf-8")
    assert {p.code for p in result.problems} == {"no-rows", "required-blank"}
    assert {p.project for p in result.problems} == {"02"}


# --- the command --------------------------------------------------------------------------------


def test_the_roster_makes_a_template_with_notes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    roster, book = tmp_path / "2027-roster.yaml", tmp_path / "2027.xlsx"
    assert run(["rollover", str(EXAMPLE / "2026.yaml"), "--year", "2027", "-o", str(roster)]) == 0
    out = capsys.readouterr().out
    assert "计划开始日期: 2026-01-01 → 2027-01-01" in out and "已清空，原为 600000" in out
    assert (tmp_path / "2027-roster.last-year.yaml").read_bytes() == (EXAMPLE / "2026.yaml").read_bytes()
    assert run(["template", str(roster), "-o", str(book)]) == 0
    sheet = openpyxl.load_workbook(book).worksheets[1]
    assert [sheet[cell].comment.text for cell in ("F6", "F7", "F13")] == [
        "【kpixl】2026年：600,000.00",
        "【kpixl】2026年：600,000.00",
        "【kpixl】2026年：≥ 100 人",
    ]
    result = consolidate([book], [SHANGHAI], roster=canonical.load(roster, load_form)[1], workers=0)
    assert {p.code for p in result.problems} <= {"required-blank", "returned-unfilled"}
    assert result.portfolio == canonical.load(roster, load_form)[1]


def test_the_list_as_data(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["rollover", str(EXAMPLE / "2026.yaml"), "--year", "2027", "-o", str(tmp_path / "r.yaml"), "--json"]
    assert run(command) == 0
    data = json.loads(capsys.readouterr().out)
    assert {c["fate"] for c in data["changes"]} >= {"emptied", "moved"}
    assert Decimal(str(data["changes"][2]["old"])) == 600_000
