"""A sample of the law over edited workbooks (`make edits` holds it over 2,000), and every edit of a table's rows."""

from __future__ import annotations

from collections.abc import Sequence as Many
from itertools import count, islice
from pathlib import Path
from typing import Any

import pytest
from openpyxl.utils import get_column_letter

from kpixl.collection.consolidate import consolidate
from kpixl.collection.model import Collection
from kpixl.forms.definition import Row
from tests.laws.edits import Edit, Sequence, places, sent, sequence
from tests.laws.engines import ENGINES, apply
from tests.laws.law import held
from tests.strategies import form_of

pytestmark = pytest.mark.slow
SAMPLE = 10  # sequences for each application
FORM = "shanghai-target"
# openpyxl is a library; the others are applications that are started.
EVERY = [ENGINES[0], *(pytest.param(engine, marks=pytest.mark.application) for engine in ENGINES[1:])]


@pytest.mark.parametrize("engine", EVERY)
def test_nothing_typed_is_lost(engine: str, tmp_path: Path) -> None:
    seeds = count(20_000 + ENGINES.index(engine), len(ENGINES))
    sample = list(islice((one for seed in seeds if not (one := sequence(seed)).areas), SAMPLE))
    edited = apply(engine, sample, tmp_path)
    assert len(edited) == SAMPLE
    accounts = [held(one) for one in edited]
    assert {e.sequence.seed: a.breaks for e, a in zip(edited, accounts, strict=True) if a.breaks} == {}
    assert sum(account.in_yaml for account in accounts) > SAMPLE


# Sequences that `make edits` found broken: a unit with the source of its value; a copy that was left as it was sent; an
# operator of its own overwritten; a title moved into a form.
@pytest.mark.application
@pytest.mark.parametrize(
    ("engine", "seed"),
    [
        ("libreoffice", 565),
        ("openpyxl", 64),
        ("libreoffice", 1689),
        ("exceljs", 563),
        ("exceljs", 675),
        ("sheetjs", 1302),
    ],
)
def test_a_sequence_that_was_broken_holds(engine: str, seed: int, tmp_path: Path) -> None:
    [edited] = apply(engine, [sequence(seed)], tmp_path)
    assert held(edited).breaks == []


# A merge that hid the lower of two rows of headings was a traceback.
@pytest.mark.parametrize("seed", [1141, 1148, 1205])
def test_a_sequence_of_the_monitoring_form_holds(seed: int, tmp_path: Path) -> None:
    [edited] = apply("openpyxl", [sequence(seed, "central-monitoring")], tmp_path)
    assert held(edited).breaks == []


# --- rows of a table, and whole sheets ----------------------------------------------------------


def _row(number: int) -> Row:
    listed: Many[Row] = sent(FORM, "filled").projects[0].tables["indicators"]
    return listed[number]


def _at(number: int) -> int:
    return places(FORM).rows["indicators"][0] + number


def _typed(row: int) -> list[Edit]:
    """Type the second row of the table again into another row, with a name of its own."""
    columns = places(FORM).columns["indicators"]
    values = {**_row(1), "name": "新增指标"}
    cells = {f"{get_column_letter(columns[key])}{row}": str(value) for key, value in values.items()}
    return [{"do": "type", "sheet": 1, "cell": cell, "value": text, "kind": "text"} for cell, text in cells.items()]


def _insert(row: int) -> list[Edit]:
    return [{"do": "insert_rows", "sheet": 1, "at": row, "count": 1}, *_typed(row)]


def _delete(row: int) -> list[Edit]:
    return [{"do": "delete_rows", "sheet": 1, "at": row, "count": 1}]


def _sort() -> list[Edit]:
    columns = places(FORM).columns["indicators"].values()
    where = f"{get_column_letter(min(columns))}{_at(0)}:{get_column_letter(max(columns))}{_at(9)}"
    by = places(FORM).columns["indicators"]["name"]
    return [{"do": "sort", "sheet": 1, "range": where, "by": by, "descending": True}]


_NEW = {"name": "新增指标"}
# Name -> the edits, and the rows that the table then has: numbers of rows as sent, -1 for the new one.
CASES: dict[str, tuple[list[Edit], list[int]]] = {
    "delete first row": (_delete(_at(0)), [1, 2, 3]),
    "delete middle row": (_delete(_at(1)), [0, 2, 3]),
    "delete last filled row": (_delete(_at(3)), [0, 1, 2]),
    "delete last row": (_delete(places(FORM).rows["indicators"][1]), [0, 1, 2, 3]),
    "insert first row": (_insert(_at(0)), [-1, 0, 1, 2, 3]),
    "insert middle row": (_insert(_at(2)), [0, 1, -1, 2, 3]),
    "sort": (_sort(), [0, 1, 2, 3]),
    "copy within": ([{"do": "copy_sheet", "sheet": 1, "name": "副本"}], [0, 1, 2, 3]),
    "copy into another template": ([{"do": "transplant", "sheet": 1, "name": "申报表"}], [0, 1, 2, 3]),
    "copy into a blank workbook": ([{"do": "alone", "sheet": 1}], [0, 1, 2, 3]),
}


INTO_ANOTHER = "copy into another template"


def _read(engine: str, names: Many[str], folder: Path) -> dict[str, Collection]:
    sequences = [Sequence(number, FORM, "filled", tuple(CASES[name][0])) for number, name in enumerate(names)]
    edited = apply(engine, sequences, folder)
    return {names[one.sequence.seed]: consolidate([one.path], [form_of(FORM)], workers=0) for one in edited}


def _expected(name: str) -> list[dict[str, Any]]:
    return [{**_row(1), **_NEW} if number < 0 else dict(_row(number)) for number in CASES[name][1]]


@pytest.mark.parametrize("engine", EVERY)
def test_edited_rows_are_read(engine: str, tmp_path: Path) -> None:
    names = [name for name in CASES if name != INTO_ANOTHER]
    results = _read(engine, names, tmp_path)
    assert [*results] == names
    for name, result in results.items():
        found, expected = _rows(result), _expected(name)
        if name == "sort":  # each application has an order of its own
            found, expected = sorted(found, key=str), sorted(expected, key=str)
        assert found == expected, name


@pytest.mark.parametrize("engine", EVERY)
def test_sheet_in_another_template_is_read(engine: str, tmp_path: Path) -> None:
    result = _read(engine, [INTO_ANOTHER], tmp_path)[INTO_ANOTHER]
    assert _rows(result) == _expected(INTO_ANOTHER)


def _rows(result: Collection) -> list[dict[str, Any]]:
    """Return the indicators of the project that was sent as number one, whatever number it has now."""
    name = sent(FORM, "filled").projects[0].values["name"]
    return [dict(row) for p in result.portfolio.projects if p.values["name"] == name for row in p.tables["indicators"]]
