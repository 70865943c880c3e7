"""Two portfolios compared: rows by what they are, projects by who they are, numbers with their difference."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from random import Random

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kpixl.cli.main import run
from kpixl.collection.intake import is_own_output
from kpixl.collection.sides import Side, load_sides
from kpixl.forms.definition import Form, Row, Value
from kpixl.forms.load import load_forms
from kpixl.keys import Key
from kpixl.output.diff.text import diff_data, diff_lines, excerpts
from kpixl.output.diff.workbook import build_workbook
from kpixl.portfolio import canonical
from kpixl.portfolio.diff import ChangeKind, Diff, ProjectChange, diff
from kpixl.portfolio.model import Portfolio, Project
from kpixl.problems import KpixlError
from tests.conftest import EXAMPLE
from tests.strategies import form_of, portfolios

SHANGHAI = form_of("shanghai-target")
TABLE = "indicators"


def _edited(portfolio: Portfolio, project_id: str, **values: Value) -> Portfolio:
    """Change values of a project; __ in a name is a dot."""
    changed = {key.replace("__", "."): value for key, value in values.items()}
    return _with(portfolio, project_id, lambda p: replace(p, values={**p.values, **changed}))


def _with(portfolio: Portfolio, project_id: str, change: Callable[[Project], Project]) -> Portfolio:
    projects = tuple(change(p) if p.id == project_id else p for p in portfolio.projects)
    return replace(portfolio, projects=projects)


def _rows(portfolio: Portfolio, project_id: str, rows: Sequence[Row]) -> Portfolio:
    return _with(portfolio, project_id, lambda p: replace(p, tables={**p.tables, TABLE: tuple(rows)}))


def _project(portfolio: Portfolio, project_id: str) -> Project:
    return next(p for p in portfolio.projects if p.id == project_id)


def _only(found: Diff) -> ProjectChange:
    (change,) = found.projects
    return change


def _text(found: Diff, lang: str = "zh") -> str:
    sides = Side("old.yaml", found.old), Side("new.yaml", found.new)
    return "\n".join(line.text for line in diff_lines(found, *sides, lang))


# --- laws ---------------------------------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(portfolios(SHANGHAI))
def test_a_portfolio_does_not_differ_from_itself(portfolio: Portfolio) -> None:
    assert diff(SHANGHAI, portfolio, portfolio).projects == ()


@settings(max_examples=60, deadline=None)
@given(portfolios(SHANGHAI), st.randoms(use_true_random=False))
def test_moved_rows_and_projects_are_no_change(portfolio: Portfolio, random: Random) -> None:
    moved = []
    for project in portfolio.projects:
        tables = {key: tuple(random.sample(rows, len(rows))) for key, rows in project.tables.items()}
        moved.append(replace(project, tables=tables))
    random.shuffle(moved)
    assert diff(SHANGHAI, portfolio, replace(portfolio, projects=tuple(moved))).projects == ()


@settings(max_examples=100, deadline=None)
@given(portfolios(SHANGHAI), portfolios(SHANGHAI))
def test_applying_a_diff_to_the_old_portfolio_gives_the_new_one(old: Portfolio, new: Portfolio) -> None:
    found = diff(SHANGHAI, old, new)
    changes = {id(change.old): change for change in found.projects if change.old is not None}
    applied = [_applied(p, changes.get(id(p))) for p in old.projects if _stays(changes.get(id(p)))]
    applied += [change.project for change in found.projects if change.kind is ChangeKind.ADDED]
    assert sorted(map(_sorted, applied)) == sorted(map(_sorted, new.projects))


def _stays(change: ProjectChange | None) -> bool:
    return change is None or change.kind is ChangeKind.CHANGED


def _applied(project: Project, change: ProjectChange | None) -> Project:
    """Apply a change to a project; added rows go to the end."""
    if change is None:
        return project
    assert change.new is not None
    values = {**project.values, **{v.field.key: v.new for v in change.values}}
    tables = {}
    for key, rows in project.tables.items():
        changed = {row.old: row for row in change.rows if row.table.key == key and row.old is not None}
        content = []
        for number, row in enumerate(rows):
            edit = changed.get(number)
            if edit is None or edit.kind is ChangeKind.CHANGED:
                content.append({**row, **{v.field.key: v.new for v in (edit.values if edit else ())}})
        added = [row for row in change.rows if row.table.key == key and row.kind is ChangeKind.ADDED]
        blank = dict.fromkeys(SHANGHAI.tables[key].columns)
        content += [{**blank, **{v.field.key: v.new for v in row.values}} for row in added]
        tables[key] = tuple(content)
    return Project(change.new.id, values, tables)


def _sorted(project: Project) -> tuple[str, str, list[list[str]]]:
    rows = sorted(sorted(f"{k}={v!r}" for k, v in row.items()) for rows in project.tables.values() for row in rows)
    return project.id, repr(sorted(project.values.items())), rows


@settings(max_examples=30, deadline=None)
@given(portfolios(SHANGHAI), portfolios(SHANGHAI))
def test_every_difference_can_be_shown_and_written(old: Portfolio, new: Portfolio) -> None:
    found = diff(SHANGHAI, old, new)
    sides = Side("a", old), Side("b", new)
    for lang in ("zh", "en"):
        assert list(diff_lines(found, *sides, lang))
    json.dumps(diff_data(found, *sides))
    book = openpyxl.load_workbook(io.BytesIO(build_workbook(found, *sides)))
    assert book.worksheets[0].max_row >= 4 + len(found.projects)


# --- rows and numbers ---------------------------------------------------------------------------


def test_an_amount_is_shown_with_its_difference_and_per_cent(example: tuple[Form, Portfolio]) -> None:
    form, portfolio = example
    found = diff(form, portfolio, _edited(portfolio, "01", funding__annual__appropriation=Decimal(500_000)))
    (value,) = _only(found).values
    assert (value.difference, value.percent) == (Decimal(-100_000), Decimal("-16.67"))
    assert "~ 当年财政拨款: 600,000.00 → 500,000.00（-100,000.00，-16.67%）" in _text(found)
    assert "~ 当年财政拨款: 600,000.00 → 500,000.00 (-100,000.00, -16.67%)" in _text(found, "en")


def test_a_difference_of_long_numbers_is_exact(example: tuple[Form, Portfolio]) -> None:
    form, portfolio = example
    large, small = Decimal("1" + "0" * 23), Decimal("0.0000000000000000000001")
    old = _edited(portfolio, "01", funding__annual__other=large)
    (value,) = _only(diff(form, old, _edited(portfolio, "01", funding__annual__other=small))).values
    assert str(value.difference) == "-99999999999999999999999.9999999999999999999999"
    (back,) = _only(diff(form, _edited(portfolio, "01", funding__annual__other=small), old)).values
    assert back.percent is not None


def test_from_nothing_and_from_zero_there_is_no_per_cent(example: tuple[Form, Portfolio]) -> None:
    form, portfolio = example
    old = _edited(portfolio, "01", funding__annual__other=Decimal(0), funding__total__other=None)
    new = _edited(portfolio, "01", funding__annual__other=Decimal(7), funding__total__other=Decimal(7))
    total, annual = _only(diff(form, old, new)).values
    assert (total.difference, total.percent) == (None, None)
    assert (annual.difference, annual.percent) == (Decimal(7), None)


@pytest.mark.parametrize("edit", ["value", "name", "level2", "unit"])
def test_a_row_edited_in_one_column_and_moved_is_one_change(example: tuple[Form, Portfolio], edit: str) -> None:
    form, portfolio = example
    rows = list(_project(portfolio, "01").tables[TABLE])
    changed = [*rows[1:], {**rows[0], edit: "改"}]
    (row,) = _only(diff(form, portfolio, _rows(portfolio, "01", changed))).rows
    assert (row.kind, row.old, row.new) == (ChangeKind.CHANGED, 0, len(rows) - 1)
    assert [value.field.key for value in row.values] == [edit]


def test_rows_put_in_and_taken_out_leave_the_others_alone(example: tuple[Form, Portfolio]) -> None:
    form, portfolio = example
    rows = list(_project(portfolio, "01").tables[TABLE])
    new = {
        **dict.fromkeys(rows[0]),
        "level1": "成本指标",
        "level2": "经济成本指标",
        "name": "新的",
        "value": Decimal(3),
    }
    found = diff(form, portfolio, _rows(portfolio, "01", [new, *rows[:2], *rows[3:]]))
    assert [(r.kind, r.old, r.new) for r in _only(found).rows] == [
        (ChangeKind.ADDED, None, 0),
        (ChangeKind.REMOVED, 2, None),
    ]
    text = _text(found)
    assert "+ 绩效指标 成本指标 / 经济成本指标 / 新的  3.00" in text
    assert "- 绩效指标 产出指标 / 时效指标 / 项目完成时间  2026 年 12 月 31 日前完成" in text


def test_a_row_that_is_there_twice_and_then_once_is_one_row_less(example: tuple[Form, Portfolio]) -> None:
    form, portfolio = example
    rows = list(_project(portfolio, "01").tables[TABLE])
    found = diff(form, _rows(portfolio, "01", [rows[0], *rows]), portfolio)
    (row,) = _only(found).rows
    assert row.kind is ChangeKind.REMOVED


def test_long_texts_are_cut_to_what_differs() -> None:
    old = "甲" * 100 + "乙" + "丙" * 100
    new = "甲" * 100 + "丁戊" + "丙" * 100
    assert excerpts(old, new) == ("…" + "甲" * 10 + "乙" + "丙" * 10 + "…", "…" + "甲" * 10 + "丁戊" + "丙" * 10 + "…")
    assert excerpts("a b", "a\nb") == ("a b", "a⏎b")
    assert excerpts("x" * 300, "") == ("x" * 120 + "…", "")


# --- projects -----------------------------------------------------------------------------------


def test_within_a_year_a_new_name_is_a_change_of_the_project(example: tuple[Form, Portfolio]) -> None:
    form, portfolio = example
    change = _only(diff(form, portfolio, _edited(portfolio, "01", name="另一个名称")))
    assert [value.field.key for value in change.values] == ["name"]


def test_between_years_names_decide_and_ids_do_not(example: tuple[Form, Portfolio]) -> None:
    form, portfolio = example
    count = len(portfolio.projects)
    renumbered = tuple(replace(p, id=f"{count - n:02}") for n, p in enumerate(portfolio.projects))
    found = diff(form, portfolio, replace(portfolio, year=2027, projects=renumbered))
    assert all(c.old and c.new and c.old.values == c.new.values for c in found.projects)
    assert found.count(ChangeKind.ADDED) == found.count(ChangeKind.REMOVED) == 0
    other = _edited(replace(portfolio, year=2027), "01", name="毫不相干的项目")
    kinds = [change.kind for change in diff(form, portfolio, other).projects]
    assert kinds == [ChangeKind.ADDED, ChangeKind.REMOVED]


def test_two_projects_that_swapped_their_ids_are_the_same_projects(example: tuple[Form, Portfolio]) -> None:
    form, portfolio = example
    first, second, *rest = portfolio.projects
    swapped = (replace(second, id=first.id), replace(first, id=second.id), *rest)
    found = diff(form, portfolio, replace(portfolio, projects=swapped))
    assert [(c.old and c.old.id, c.new and c.new.id) for c in found.projects] == [("02", "01"), ("01", "02")]
    assert all(change.values == () for change in found.projects)
    assert "~ 编号: 02 → 01" in _text(found)


def test_the_sum_of_all_projects_is_compared(example: tuple[Form, Portfolio]) -> None:
    form, portfolio = example
    found = diff(form, portfolio, replace(portfolio, projects=portfolio.projects[1:]))
    assert found.amount is not None
    assert found.amount.difference == -600_000
    assert "合计  年度资金申请总额: 14,050,565.00 → 13,450,565.00（-600,000.00，-4.27%）" in _text(found)


def test_other_forms_are_refused(example: tuple[Form, Portfolio]) -> None:
    form, portfolio = example
    with pytest.raises(KpixlError, match="different forms"):
        diff(form, portfolio, replace(portfolio, form="mini-form"))


# --- folders, files, workbook, command line -----------------------------------------------------


def test_a_folder_is_compared_by_the_ids_of_the_portfolio() -> None:
    form, old, new = load_sides(EXAMPLE / "2026.yaml", EXAMPLE / "returned", list(load_forms().values()))
    assert diff(form, old.portfolio, new.portfolio).projects == ()
    assert new.place("01", Key("funding.annual.appropriation")).address == "F7"
    assert old.place("01", Key("funding.annual.appropriation")).address == "F7"
    form, old, new = load_sides(EXAMPLE / "returned", EXAMPLE / "roster.yaml", list(load_forms().values()))
    assert [change.kind for change in diff(form, old.portfolio, new.portfolio).projects] == [ChangeKind.CHANGED] * 13


def test_last_years_portfolio_does_not_give_its_year_to_the_returned_files(
    example: tuple[Form, Portfolio], tmp_path: Path
) -> None:
    form, portfolio = example
    last = tmp_path / "2025.yaml"
    last.write_text(canonical.dumps(form, replace(portfolio, year=2025)), encoding="utf-8")
    form, _, new = load_sides(last, EXAMPLE / "returned", [form])
    assert new.portfolio.year == 2026
    assert not [p for p in new.problems if p.code == "sheet-id-year"]


def test_the_workbook_holds_numbers_colours_and_places(example: tuple[Form, Portfolio]) -> None:
    form, portfolio = example
    _, old, new = load_sides(EXAMPLE / "2026.yaml", EXAMPLE / "returned", [form])
    changed = _edited(portfolio, "01", funding__annual__appropriation=Decimal(500_000))
    found = diff(form, changed, portfolio)
    content = build_workbook(found, replace(old, portfolio=changed), new)
    assert content == build_workbook(found, replace(old, portfolio=changed), new)
    sheet = openpyxl.load_workbook(io.BytesIO(content))["改动明细"]
    head, row = ([cell.value for cell in line] for line in sheet.iter_rows())
    line = dict(zip(head, row, strict=True))
    assert (line["A"], line["B"], line["差额（B－A）"], line["变动 %"]) == (500_000, 600_000, 100_000, 20)
    assert line["B 的出处"] == "企业服务部/创新服务、人才举荐.xlsx › 01 创新服务与发展项目 › F7"
    assert sheet["F2"].fill.fgColor.rgb != sheet["G2"].fill.fgColor.rgb


def test_the_workbook_is_not_read_as_a_submission(example: tuple[Form, Portfolio], tmp_path: Path) -> None:
    form, portfolio = example
    path = tmp_path / "diff.xlsx"
    side = Side("a", portfolio)
    path.write_bytes(build_workbook(diff(form, portfolio, portfolio), side, side))
    assert is_own_output(path)


def test_the_command_exits_with_0_for_equal_and_1_for_different(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], example: tuple[Form, Portfolio]
) -> None:
    form, portfolio = example
    other = tmp_path / "other.yaml"
    other.write_text(canonical.dumps(form, _edited(portfolio, "01", unit="别处")), encoding="utf-8")
    known = str(EXAMPLE / "2026.yaml")
    assert run(["diff", known, str(EXAMPLE / "returned")]) == 0
    assert "两者完全相同。" in capsys.readouterr().out
    assert run(["diff", known, str(other), "--json", "-o", str(tmp_path / "d.xlsx")]) == 1
    data = json.loads(capsys.readouterr().out)
    assert data["counts"] == {"added": 0, "removed": 0, "changed": 1, "equal": 12}
    (value,) = data["projects"][0]["values"]
    assert (value["field"], value["new"], value["old_place"]["cell"]) == ("unit", "别处", "E4")
    assert (tmp_path / "d.xlsx").exists()
    assert run(["diff", known, str(tmp_path)]) == 3


def test_a_dry_run_shows_what_would_change_and_writes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], example: tuple[Form, Portfolio]
) -> None:
    form, portfolio = example
    out = tmp_path / "2026.yaml"
    changed = canonical.dumps(form, _edited(portfolio, "01", funding__annual__appropriation=Decimal(1)))
    out.write_text(changed, encoding="utf-8")
    command = ["consolidate", str(EXAMPLE / "returned"), "--roster", str(EXAMPLE / "roster.yaml"), "-o", str(out)]
    assert run([*command, "--dry-run"]) == 0
    captured = capsys.readouterr()
    assert "~ 当年财政拨款: 1.00 → 600,000.00（+599,999.00，+59999900%）  F7" in captured.out
    assert "试运行" in captured.err
    assert run([*command, "--dry-run", "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert (data["written"], data["diff"]["counts"]["changed"]) == ([], 1)
    assert out.read_text(encoding="utf-8") == changed
    assert [path.name for path in tmp_path.iterdir()] == ["2026.yaml"]


def test_a_dry_run_without_a_portfolio_shows_every_project_as_new(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["consolidate", str(EXAMPLE / "returned"), "-o", str(tmp_path / "new.yaml"), "--dry-run", "--json"]
    assert run(command) == 0
    assert json.loads(capsys.readouterr().out)["diff"]["counts"]["added"] == 13
    assert not list(tmp_path.iterdir())
