"""Several projects as rows of one table: every way in which such sheets are typed gives the same projects.

The cases are data in cases/flat/sheets.yaml.
"""

from __future__ import annotations

import re
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from kpixl.a1 import Span
from kpixl.forms.load import load_form, load_forms
from kpixl.forms.values import Raw
from kpixl.readers import Grid
from kpixl.recognise.extract import Extractor
from kpixl.recognise.submission import Nothing, Submission
from tests.yaml_cases import load_cases

DATA: dict[str, Any] = load_cases(Path(__file__).parents[1] / "cases/flat/sheets.yaml")
CASES: dict[str, dict[str, Any]] = DATA["cases"]
Rows = list[list[Raw]]


@cache
def extractor() -> Extractor:
    return Extractor(load_forms().values())  # every form that comes with kpixl is a candidate


def typed(text: str) -> Raw:
    return float(text[1:]) if text.startswith("#") else text


def line(text: str) -> list[Raw]:
    cells = [typed(cell.strip()) for cell in text.strip().strip("|").split("|")]
    return [*cells, *[""] * (14 - len(cells))]


def place(address: str) -> tuple[int, int]:
    letter, number = re.fullmatch(r"([A-Z])(\d+)", address).groups()  # type: ignore[union-attr]
    return int(number) - 1, ord(letter) - ord("A")


def span(text: str) -> Span:
    first, last = text.split(":")
    return Span(*place(first), *place(last))


def repeated(rows: Rows) -> None:
    """Repeat in each row what is printed once."""
    for number in range(5, len(rows)):
        for col in range(5):
            if rows[number][col] == "":
                rows[number][col] = rows[number - 1][col]


def sheet(case: dict[str, Any]) -> Grid:
    rows = [line(text) for text in DATA["base"].strip().splitlines()]
    if "move" in case:
        source, target = case["move"]
        rows.insert(target - 1, rows.pop(source - 1))
    if "repeat" in case:
        repeated(rows)
    if "order" in case:
        rows[4:] = [rows[number - 1] for number in case["order"]]
    for address, value in {**case.get("cells", {}), **case.get("targets", {})}.items():
        row, col = place(address)
        rows[row][col] = typed(str(value))
    for number in case.get("delete", ()):
        del rows[number - 1]
    for number in case.get("insert", ()):
        rows.insert(number - 1, line(""))
    for number, text in case.get("rows", ()):
        rows.insert(number - 1, line(text))
    spans = [] if "unmerged" in case else list(map(span, case.get("merges", DATA["merges"])))
    if (at := case.get("shifted")) is not None:
        spans = [Span(m.row + 1, m.col, m.last_row + 1, m.last_col) if m.row >= at - 1 else m for m in spans]
    if "columns" in case:
        order = [ord(letter) - ord("A") for letter in case["columns"]]
        rows = [*rows[:2], *([row[col] for col in order] + [""] for row in rows[2:])]
    return Grid("表", rows, merges=lambda: spans)


def read(case: dict[str, Any]) -> list[Submission]:
    found = extractor().extract(sheet(case), "t.xlsx")
    assert not isinstance(found, Nothing)
    assert {form.form for form in found} == {"sichuan-target"}
    return found


def contents(forms: list[Submission]) -> list[object]:
    """Return all values, rows of a project in the order of their names."""
    ordered = [sorted(form.tables["indicators"], key=lambda row: str(row["name"])) for form in forms]
    return [[dict(form.values), rows] for form, rows in zip(forms, ordered, strict=True)]


def told(forms: list[Submission]) -> list[tuple[str, str | None]]:
    """List problems and their cells, but for totals that agree."""
    return sorted((p.code, p.location.address) for f in forms for p in f.problems if p.code != "flat-total-read")


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if "kind" not in case])
def test_a_flat_sheet_is_read(name: str) -> None:
    case = CASES[name]
    forms = read(case)
    if case.get("same"):
        assert contents(forms) == contents(read({}))
        assert {form.organization for form in forms} == {case.get("organization", "示范县文化局")}
    for form, (unit, title, amount, count) in zip(forms, case.get("projects", ()), strict=False):
        assert (form.values["unit"], form.values["name"]) == (unit, title)
        assert form.values["amount"] == (None if amount is None else Decimal(amount))
        assert len(form.tables["indicators"]) == count
    assert "projects" not in case or len(forms) == len(case["projects"])
    if "levels" in case:
        assert [row["level1"] for form in forms for row in form.tables["indicators"]] == case["levels"]
    assert told(forms) == sorted((code, cell) for code, cell in case.get("problems", ()))
    assert {form.year for form in forms} == {2026}


def test_a_total_that_agrees_is_quoted() -> None:
    (problem,) = [p for form in read({}) for p in form.problems]
    assert (problem.code, problem.location.address) == ("flat-total-read", "C4")
    assert "A4“示范县文化局”" in problem.message("zh") and "500000" in problem.message("zh")


def test_what_is_repeated_is_accounted_for() -> None:
    form = read(CASES["sorted by level 1 with everything repeated"])[0]
    assert {str(cell) for cell in form.repeated} == {f"{letter}{row}" for letter in "ABCD" for row in (6, 8)}


def test_every_value_is_from_its_own_cell() -> None:
    grid = sheet({})
    for form in read({}):
        for key, cell in form.cells.items():
            row, col = cell
            if key.in_row:
                value = form.tables[key.name][key.row][key.column]
            elif key.name in form.values:
                value = form.values[key.name]
            else:
                continue  # the table as a whole
            assert str(grid.rows[row][col]) in (str(value), f"{value}.0")


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if "kind" in case])
def test_another_kind_is_reported_as_such(name: str) -> None:
    assert isinstance(extractor().extract(sheet(CASES[name]), "t.xlsx"), Nothing)
    found = Extractor([load_form("sichuan-target")]).extract(sheet(CASES[name]), "t.xlsx")
    assert isinstance(found, Nothing)
    assert [other.kind for other in found.others] == [CASES[name]["kind"]]
