"""Spellings of labels, one at a time on a filled form: read right, or an error that names the label; never wrong.

The cases are data in cases/labels/variants.yaml.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from kpixl.readers import Grid
from kpixl.recognise.extract import Extractor
from kpixl.recognise.submission import Submission
from tests.recognise.test_reading import table
from tests.strategies import form_of
from tests.yaml_cases import load_cases

CASES: dict[str, Any] = load_cases(Path(__file__).parents[1] / "cases/labels/variants.yaml")
RIGHT = [(cell, text) for cell, texts in CASES["right"].items() for text in texts]
WRONG = [(cell, text) for cell, texts in CASES["wrong"].items() for text in texts]


@cache
def extractor() -> Extractor:
    return Extractor([form_of("shanghai-target")])


def read(changes: Mapping[str, str] = {}) -> Submission:
    rows: list[list[Any]] = [["" if cell is None else cell for cell in row] for row in table(CASES["grid"])]
    for address, text in changes.items():
        letter, number = re.fullmatch(r"([A-Z])(\d+)", address).groups()  # type: ignore[union-attr]
        row, col = rows[int(number) - 1], ord(letter) - ord("A")
        row += [""] * (col + 1 - len(row))
        row[col] = text
    width = max(map(len, rows))
    found = extractor().extract(Grid("表", [row + [""] * (width - len(row)) for row in rows]), "t.xlsx")
    assert isinstance(found, list)
    (form,) = found
    return form


def facts(form: Submission) -> dict[str, object]:
    rows = {f"{t}.{n}.{c}": v for t, rows in form.tables.items() for n, row in enumerate(rows) for c, v in row.items()}
    return {**form.values, **rows}


def differences(form: Submission) -> dict[str, object]:
    wanted, found = facts(read()), facts(form)
    return {key: found.get(key) for key in wanted.keys() | found.keys() if found.get(key) != wanted.get(key)}


def errors(form: Submission) -> list[str]:
    return [p.code for p in form.problems if p.severity == "error"]


def outcome(cell: str, text: str) -> str:
    """Tell how a spelling is read: exact (of the form or one of its synonyms), near, error, or wrong."""
    form = read({cell: text})
    near = [p for p in form.problems if p.code == "label-near"]
    if not differences(form) and not errors(form):
        assert len(near) <= 1
        return "near" if near else "exact"
    lost = all(value is None for value in differences(form).values())
    return "error" if lost and errors(form) else "wrong"


def test_the_form_itself_is_read_without_a_problem() -> None:
    form = read()
    assert not form.problems
    assert None not in form.values.values()
    assert len(RIGHT) >= 120


@pytest.mark.parametrize(("cell", "text"), RIGHT)
def test_a_spelling_is_read_right(cell: str, text: str) -> None:
    assert outcome(cell, text) in ("exact", "near")


@pytest.mark.parametrize(("cell", "text"), WRONG)
def test_another_label_is_an_error(cell: str, text: str) -> None:
    assert outcome(cell, text) == "error"


@pytest.mark.parametrize(
    ("cells", "label"),
    [
        ({"B3": "项目名", "A3": "项目名（全称）"}, None),  # a project called like a label: it is beside the label
        ({"D4": "某实施单位", "F4": "该实施单位"}, "实施单位"),
        ({"D5": "计划的完成日期", "F5": "计划完成的日期"}, "计划完成日期"),
    ],
)
def test_several_cells_that_may_be_a_label_are_named(cells: dict[str, str], label: str | None) -> None:
    form = read(cells)
    unclear = [p for p in form.problems if p.code == "label-unclear"]
    if label is None:
        assert not unclear
        assert form.values["name"] == "项目名"
        return
    (problem,) = unclear
    assert problem.severity == "error"
    assert problem.details["label"] == label
    assert all(f"{cell}“{text}”" in problem.message() for cell, text in cells.items())


@pytest.mark.parametrize("number", range(-1, 5))
def test_all_labels_may_read_otherwise_at_once(number: int) -> None:
    form = read({cell: texts[min(number, len(texts) - 1)] for cell, texts in CASES["right"].items()})
    assert all(value is None for value in differences(form).values())
    if differences(form):
        assert errors(form)
    assert len(differences(form)) <= 2  # of two labels that read alike
