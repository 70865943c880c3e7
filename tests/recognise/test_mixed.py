"""Target and self-evaluation of one project in one workbook: each goes to its own form, or is named as its kind."""

from __future__ import annotations

import copy
import io
from pathlib import Path

import openpyxl
import pytest
from openpyxl.worksheet.worksheet import Worksheet

from kpixl.collection.consolidate import consolidate
from kpixl.collection.model import Collection
from kpixl.forms.definition import Form
from kpixl.forms.load import load_form
from kpixl.output.summary import build_summary
from kpixl.output.template import build_template
from kpixl.portfolio import canonical
from tests.strategies import form_of

EXAMPLE = Path(__file__).parents[2] / "examples" / "shanghai-self-evaluation-2026"
TARGETS, EVALUATION = form_of("shanghai-target"), form_of("shanghai-self-evaluation")


def copied(source: Worksheet, target: Worksheet, width: int | None = None) -> None:
    """Copy the cells and merges of a sheet, up to a column."""
    for row in source.iter_rows(max_col=width):
        for cell in row:
            if cell.value is not None and type(cell).__name__ != "MergedCell":
                target.cell(cell.row, cell.column, copy.copy(cell.value)).data_type = cell.data_type
    for merged in source.merged_cells.ranges:
        if width is None or merged.max_col <= width:
            target.merge_cells(str(merged))


def mixed(path: Path, *, marked: bool) -> None:
    """Put the sheets of both forms of the example's projects into one workbook, with or without their kpixl ids."""
    book = openpyxl.Workbook()
    for name in ("targets.yaml", "2026.yaml"):
        form, portfolio = canonical.load(EXAMPLE / name, load_form)
        sent = openpyxl.load_workbook(io.BytesIO(build_template(form, portfolio)))
        for sheet in sent.worksheets[1:-1]:
            width = None if marked else len(form.layout.widths)
            copied(sheet, book.create_sheet(f"{sheet.title[:20]} {form.id[:8]}{form.id[-3:]}"), width)
    book.remove(book.worksheets[0])
    book.save(path)


def read(path: Path, *forms: Form) -> Collection:
    return consolidate([path], forms, workers=0)


@pytest.mark.parametrize("marked", [True, False])
def test_each_sheet_of_a_mixed_workbook_goes_to_its_own_form(marked: bool, tmp_path: Path) -> None:
    path = tmp_path / "mixed.xlsx"
    mixed(path, marked=marked)
    result = read(path, TARGETS, EVALUATION)
    found = [(form.form, form.sheet) for file in result.files for form in file.forms]
    assert [form for form, _ in found] == [TARGETS.id] * 3 + [EVALUATION.id] * 3
    others = {p.location.sheet for p in result.problems if p.code == "sheet-id-form"}
    assert others == {sheet for form, sheet in found if form != result.form.id}


@pytest.mark.parametrize("marked", [True, False])
@pytest.mark.parametrize(("form", "name"), [(TARGETS, "targets.yaml"), (EVALUATION, "2026.yaml")])
def test_one_form_alone_takes_no_value_of_the_other(form: Form, name: str, marked: bool, tmp_path: Path) -> None:
    path = tmp_path / "mixed.xlsx"
    mixed(path, marked=marked)
    _, expected = canonical.load(EXAMPLE / name, load_form)
    result = read(path, form)
    assert [(p.values, p.tables) for p in result.portfolio.projects] == [
        (p.values, p.tables) for p in expected.projects
    ]
    kinds = [p.location.sheet for p in result.problems if p.code == "sheet-other-kind"]
    assert len(kinds) == 3


def test_the_summary_of_targets_does_not_hold_evaluations(tmp_path: Path) -> None:
    path = tmp_path / "mixed.xlsx"
    mixed(path, marked=True)
    result = read(path, TARGETS)
    content, _ = build_summary(result.form, result.portfolio)
    book = openpyxl.load_workbook(io.BytesIO(content))
    assert not any(cell.value in ("优", "中") for sheet in book for row in sheet.iter_rows() for cell in row)
