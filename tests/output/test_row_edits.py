"""Rows of a template deleted, inserted and sorted, and its sheets copied, in LibreOffice: every rule still works."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from kpixl.collection.consolidate import consolidate
from kpixl.forms.definition import Form
from kpixl.output.template import build_template
from kpixl.portfolio.model import Portfolio
from kpixl.portfolio.sheet_id import STATUS
from tests.applications import Office

# Each worker that gets one of these tests lets LibreOffice make every edit: keep them together.
pytestmark = pytest.mark.xdist_group("row-edits")

LEVEL1, LEVEL2, LEVEL3, OPERATOR, UNIT = "BCDEG"  # the columns of an indicator that have dropdowns
FIRST, MIDDLE, LAST = 13, 17, 36  # rows for indicators, as Excel counts them
ROWS = tuple(range(FIRST, LAST + 1))
INSERTED = 0
LOST = re.compile(r"#REF!|#NAME\?")


@dataclass(frozen=True, slots=True)
class Edit:
    """What is done to the first project's sheet; then the original row of each row for indicators that remains.

    `into`: the sheet is copied into that workbook first ("" for a blank one). `sheet`, `first`: what is looked at.
    """

    steps: tuple[tuple[int | str, ...], ...]
    rows: tuple[int, ...] = ROWS
    into: str | None = None
    sheet: int = 1
    first: int = FIRST


def without(row: int) -> tuple[int, ...]:
    """Return the rows that remain when one is deleted."""
    return tuple(r for r in ROWS if r != row)


EDITS = {
    "untouched": Edit(()),
    "first deleted": Edit((("delete", 1, FIRST - 1),), without(FIRST)),
    "middle deleted": Edit((("delete", 1, MIDDLE - 1),), without(MIDDLE)),
    "last deleted": Edit((("delete", 1, LAST - 1),), without(LAST)),
    "first three deleted": Edit((("delete", 1, FIRST - 1, 3),), ROWS[3:]),
    "inserted above the first": Edit((("insert", 1, FIRST - 1),), first=FIRST + 1),
    "inserted in the middle": Edit(
        (("insert", 1, MIDDLE - 1), ("fill", 1, f"B{MIDDLE}", "效益指标"), ("fill", 1, f"C{MIDDLE}", "社会效益指标")),
        (*range(FIRST, MIDDLE), INSERTED, *range(MIDDLE, LAST + 1)),
    ),
    "first deleted, then one inserted above the second": Edit(
        (("delete", 1, FIRST - 1), ("insert", 1, FIRST), ("fill", 1, f"B{FIRST + 1}", "效益指标")),
        (FIRST + 1, INSERTED, *range(FIRST + 2, LAST + 1)),
    ),
    "copied within": Edit((("copy", 1, "副本"),), sheet=2),
    "copied within, first deleted": Edit((("copy", 1, "副本"), ("delete", 2, FIRST - 1)), without(FIRST), sheet=2),
    "copied into another template": Edit((), into="other", sheet=3),
    "copied into another template, first deleted": Edit(
        (("delete", 3, FIRST - 1),), without(FIRST), into="other", sheet=3
    ),
}
SORTED = "sorted by level 3"
BLANK = "copied into a blank workbook"
MORE = {
    SORTED: Edit((("sort", 1, f"B{FIRST}:G{LAST}", 2),)),
    BLANK: Edit((("delete", 1, FIRST - 1),), without(FIRST), into="", sheet=1),
}


@pytest.fixture(scope="module")
def folder(example: tuple[Form, Portfolio], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a template of two projects, and another of a third."""
    form, portfolio = example
    path = tmp_path_factory.mktemp("rows")
    for name, projects in (("template", portfolio.projects[:2]), ("other", portfolio.projects[2:3])):
        (path / f"{name}.xlsx").write_bytes(build_template(form, replace(portfolio, projects=projects)))
    return path


@pytest.fixture(scope="module")
def edited(folder: Path, office: Office) -> dict[str, tuple[Path, dict[str, Any]]]:
    """Return what LibreOffice saved after each edit, and what it offered in each cell."""
    edits = EDITS | MORE
    jobs, cells = [], []
    for number, edit in enumerate(edits.values()):
        asked = [
            f"{col}{edit.first + n}" for n in range(len(edit.rows)) for col in (LEVEL1, LEVEL2, LEVEL3, OPERATOR, UNIT)
        ]
        steps = [*edit.steps, *(("ask", edit.sheet, cell) for cell in asked)]
        job: dict[str, Any] = {
            "source": str(folder / "template.xlsx"),
            "target": str(folder / f"{number}.xlsx"),
            "steps": steps,
        }
        if edit.into is not None:
            job |= {"other": str(folder / f"{edit.into}.xlsx") if edit.into else None, "sheet": 1}
        jobs.append(job)
        cells.append(asked)
    answers = office.edit(jobs)
    return {
        name: (Path(str(job["target"])), dict(zip(asked, answer, strict=True)))
        for name, job, asked, answer in zip(edits, jobs, cells, answers, strict=True)
    }


def rows_in(path: Path, sheet: int, first: int, count: int) -> list[tuple[Any, ...]]:
    """Return the values of some rows for indicators."""
    page = openpyxl.load_workbook(path).worksheets[sheet]
    area = page.iter_rows(min_row=first, max_row=first + count - 1, min_col=2, max_col=7, values_only=True)
    return [tuple(value or None for value in row) for row in area]


def status_of(path: Path, sheet: int) -> Any:
    """Return the status that a sheet shows."""
    cells = openpyxl.load_workbook(path, data_only=True).worksheets[sheet][1]
    return next(cell.value for cell in cells if str(cell.value).startswith(STATUS))


def offered(form: Form, row: tuple[Any, ...]) -> dict[str, list[str]]:
    """Return what the dropdowns of a row must offer, by column; those are left out whose parent is blank."""
    lists: dict[str, Collection[str]] = {
        column: form.choices[name].items for column, name in ((LEVEL1, "level1"), (OPERATOR, "operator"))
    }
    lists[UNIT] = form.choices["unit"].items
    for column, name, parent in ((LEVEL2, "level2", row[0]), (LEVEL3, "level3", row[1])):
        if parent is not None:
            lists[column] = form.choices[name].children[parent]
    return {column: list(items) for column, items in lists.items()}


def parts(path: Path) -> dict[str, str]:
    """Return the sheets and the workbook part of a package."""
    with zipfile.ZipFile(path) as package:
        names = [n for n in package.namelist() if n.startswith("xl/worksheets/sheet") or n == "xl/workbook.xml"]
        return {name: package.read(name).decode() for name in names}


def rules_of(path: Path, sheet: int) -> list[tuple[str, str]]:
    """List the conditional formats of a sheet: range and formula."""
    page = openpyxl.load_workbook(path).worksheets[sheet]
    return sorted(
        (str(area.sqref), formula)
        for area in page.conditional_formatting
        for rule in area.rules
        for formula in rule.formula
    )


@pytest.mark.parametrize("name", EDITS)
def test_every_dropdown_and_rule_survives(
    name: str, example: tuple[Form, Portfolio], folder: Path, edited: dict[str, tuple[Path, dict[str, Any]]]
) -> None:
    form, edit = example[0], EDITS[name]
    path, answers = edited[name]
    before = dict(zip(ROWS, rows_in(folder / "template.xlsx", 1, FIRST, len(ROWS)), strict=True))
    after = rows_in(path, edit.sheet, edit.first, len(edit.rows))
    assert [row for row, origin in zip(after, edit.rows, strict=True) if origin != INSERTED] == [
        before[origin] for origin in edit.rows if origin != INSERTED
    ]
    assert sum(row[1] is not None for row in after) >= 2
    for number, row in enumerate(after):
        for column, items in offered(form, row).items():
            assert answers[f"{column}{edit.first + number}"] == items, (column, number)
    assert {part for part, text in parts(path).items() if LOST.search(text)} == set()
    assert status_of(folder / "template.xlsx", 1) == f"{STATUS}已完成"
    begun = any(step[0] == "fill" for step in edit.steps)  # levels were chosen, and no more
    assert status_of(path, edit.sheet).startswith(f"{STATUS}缺项 " if begun else f"{STATUS}已完成")


@pytest.mark.parametrize("name", EDITS)
def test_rules_stay_over_all_rows(name: str, folder: Path, edited: dict[str, tuple[Path, dict[str, Any]]]) -> None:
    edit = EDITS[name]
    path, _ = edited[name]
    before, after = (
        [rule for rule in rules_of(*place) if re.search(r"\d:[A-Z]\d\d", rule[0])]
        for place in ((folder / "template.xlsx", 1), (path, edit.sheet))
    )
    last = edit.first + len(edit.rows) - 1
    assert len(before) >= 8
    assert after == [(re.sub(r"13:(.)36", rf"{edit.first}:\g<1>{last}", area), rule) for area, rule in before]


def test_sorted_rows_keep_their_own_lists(
    example: tuple[Form, Portfolio], folder: Path, edited: dict[str, tuple[Path, dict[str, Any]]]
) -> None:
    path, answers = edited[SORTED]
    before, after = (rows_in(file, 1, FIRST, len(ROWS)) for file in (folder / "template.xlsx", path))
    assert after != before
    assert sorted(map(str, after)) == sorted(map(str, before))
    for number, row in enumerate(after):
        for column, items in offered(example[0], row).items():
            assert answers[f"{column}{FIRST + number}"] == items, (column, number)
    assert not any(LOST.search(text) for text in parts(path).values())


def test_a_sheet_in_a_blank_workbook_loses_its_lists_alone(
    folder: Path, edited: dict[str, tuple[Path, dict[str, Any]]]
) -> None:
    """The lists stay behind, and with them what the dropdowns look up; rows, rules and status are whole."""
    path, _ = edited[BLANK]
    assert rows_in(path, 1, FIRST, len(ROWS) - 1) == rows_in(folder / "template.xlsx", 1, FIRST + 1, len(ROWS) - 1)
    # LibreOffice writes #NAME? for a name that is not there, and in some runs #REF! for the column beside it.
    dropdowns = re.compile(r"<dataValidations.*</dataValidations>", re.DOTALL)
    assert not any(LOST.search(dropdowns.sub("", text)) for text in parts(path).values())
    rules = rules_of(path, 1)
    assert len(rules) == len(rules_of(folder / "template.xlsx", 1))
    assert status_of(path, 1) == f"{STATUS}已完成"


@pytest.mark.parametrize("name", ["first deleted", "copied into another template, first deleted", BLANK])
def test_what_was_edited_is_read_as_typed(
    name: str, example: tuple[Form, Portfolio], edited: dict[str, tuple[Path, dict[str, Any]]]
) -> None:
    form, portfolio = example
    path, _ = edited[name]
    read = consolidate([path], [form], workers=0).portfolio.projects
    (project,) = (p for p in read if p.id == portfolio.projects[0].id)
    expected = portfolio.projects[0]
    assert project.values == expected.values
    assert project.tables["indicators"] == expected.tables["indicators"][1:]
