"""Grids and computed values of a definition: what is refused, with key and line; formulas and values agree."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter
import yaml
from hypothesis import given
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook

from kpixl.forms.compute import agrees, computed_value, formula
from kpixl.forms.definition import Computation, Field
from kpixl.forms.load import known_forms, load_form, parse_form
from kpixl.problems import KpixlError
from tests.applications import Office
from tests.strategies import form_of

FORM = form_of("shanghai-self-evaluation")
Change = Callable[[dict[str, Any]], object]


def definition() -> dict[str, Any]:
    data: dict[str, Any] = yaml.safe_load((known_forms()[FORM.id] / "form.yaml").read_text(encoding="utf-8"))
    return data


def compute(key: str, **computation: object) -> Change:
    return lambda data: data["fields"][key].update(compute=computation)


AROUND = ("score", "points")
REFUSED: dict[str, tuple[Change, str, str]] = {
    "no operation": (compute("total.score", decimals=2), "total.score.compute", "must have one of"),
    "two operations": (compute("total.score", sum=["total.points"], product=["total.points"]), "compute", "one of"),
    "an unknown key": (compute("total.score", sum=["nothing"]), "total.score.compute", "no field or column nothing"),
    "itself": (compute("total.score", sum=["total.score"]), "total.score.compute", "total.score -> total.score"),
    "a circle": (
        lambda data: [compute(f"total.{a}", sum=[f"total.{b}"])(data) for a, b in (AROUND, AROUND[::-1])],
        "total.points.compute",
        "total.points -> total.score -> total.points",
    ),
    "a text": (compute("total.score", sum=["name"]), "total.score.compute", "name is no number"),
    "amounts and points": (
        compute("total.score", sum=["funding.total.executed", "total.points"]),
        "total.score.compute",
        "cannot be added up",
    ),
    "a column that is not added up": (
        compute("total.score", product=["indicators.score", "total.points"]),
        "total.score.compute",
        "only be added up",
    ),
    "a ratio without an end": (compute("total.score", ratio=["total.points", "total.points"]), "compute", "decimals"),
    "a ratio of three": (
        compute("total.score", ratio=["total.points"] * 3, decimals=2),
        "total.score.compute.ratio",
        "takes 2 values",
    ),
    "numbers alone": (compute("total.score", product=[2, 3]), "total.score.compute.product", "values of the form"),
    "too many decimals": (compute("total.score", sum=["total.points"], decimals=12), "compute.decimals", "0 to 6"),
    "bands that rise": (
        compute("grade", bands="total.score", least={"差": 0, "优": 90}),
        "grade.compute.least",
        "must fall",
    ),
    "bands of a number": (
        lambda data: data["fields"]["grade"].update(type="number"),
        "grade.type",
        "must be text for bands",
    ),
    "a computed value that is required": (
        lambda data: data["fields"]["total.score"].update(required=True),
        "total.score.required",
        "never typed",
    ),
    "a typed value that is on no form": (
        lambda data: data["fields"]["name"].update(printed=False),
        "name.printed",
        "only a computed value",
    ),
    "a column that is added up and computed": (
        lambda data: data["fields"]["funding"]["columns"]["executed"].update(compute={"minimum": ["budget"]}),
        "funding.columns.executed.compute",
        "row total adds up this column already",
    ),
    "a row that adds up itself": (
        lambda data: data["fields"]["funding"]["rows"]["total"].update(sum=["total"]),
        "funding.rows.total.sum",
        "no other row total",
    ),
    "a value for a row that is not there": (
        lambda data: data["fields"]["funding"]["columns"]["points"].update(only=["sum"]),
        "funding.columns.points.only",
        "no row sum",
    ),
    "a value that follows nothing": (
        lambda data: data["fields"]["total.score"].update(follows="nothing"),
        "total.score.follows",
        "no field nothing with a label",
    ),
    "a value left of the one that it follows": (
        lambda data: data["layout"]["rows"][-1].update(
            cells=[{"label": "total.points", "columns": 6}, {"value": "total.score"}, {"value": "total.points"}]
        ),
        "total.score.follows",
        "right of",
    ),
    "a grid that is not placed": (
        lambda data: data["layout"]["rows"].pop(4),
        "layout",
        "does not have one value of funding.total.initial",
    ),
    "a grid that is placed twice": (
        lambda data: data["layout"]["rows"].insert(5, data["layout"]["rows"][4]),
        "layout",
        "does not have one value of funding.total.initial",
    ),
    "a grid wider than the form": (
        lambda data: data["layout"]["rows"][4].update(labels=3),
        "layout.rows[4]",
        "wider than",
    ),
    "a grid without columns for its labels": (
        lambda data: data["layout"]["rows"][4].update(entry={"labels": 0}),
        "layout.rows[4]",
        "at least one column",
    ),
    "a grid typed into more columns than there are": (
        lambda data: data["layout"]["rows"][4].update(entry={"columns": {"rate": 3}}),
        "layout.rows[4]",
        "wider than",
    ),
    "a wide column that is none": (
        lambda data: data["layout"]["rows"][4].update(entry={"columns": {"share": 2}}),
        "layout.rows[4]",
        "no column share",
    ),
    "a column that computes": (
        lambda data: data["tables"]["indicators"]["columns"]["score"].update(compute={"sum": ["total.points"]}),
        "tables.indicators.columns.score",
        "has no `compute`",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_ambiguous_or_circular_is_refused_with_its_key(case: str) -> None:
    change, key, reason = REFUSED[case]
    data = definition()
    change(data)
    with pytest.raises(KpixlError) as raised:
        parse_form(data)
    (problem,) = raised.value.problems
    assert (problem.code, key in str(problem.details["key"])) == ("form-invalid", True), problem.details
    assert reason in str(problem.details["reason"])


@pytest.mark.parametrize(
    ("wrong", "line"),
    [
        ("{sum: [funding.total.points, indicators.points], decimals: 2}", "    compute: {sum: [total.points]"),
        ("{bands: total.score, least: {优: 90, 良: 80, 中: 60, 差: 0}}", "    compute: {bands: grade, least: {优: 1"),
    ],
)
def test_a_mistake_is_refused_with_its_line(wrong: str, line: str, tmp_path: Path) -> None:
    text = (known_forms()[FORM.id] / "form.yaml").read_text(encoding="utf-8")
    put = line.split("compute: ", 1)[1] + ("}" if "bands" in line else "") + "}"
    changed = text.replace(wrong, put)
    folder = tmp_path / FORM.id
    folder.mkdir()
    (folder / "form.yaml").write_text(changed, encoding="utf-8")
    number = 1 + changed[: changed.index(put)].count("\n")
    with pytest.raises(KpixlError) as raised:
        load_form(FORM.id, [tmp_path])
    assert re.search(rf"form\.yaml:{number} ", str(raised.value.problems[0].details["key"]))


# --- values and formulas agree ----------------------------------------------------------------

A, B = "a", "b"
COMPUTED: Mapping[str, Computation] = {
    "ratio": Computation("ratio", (A, B), 2, power=2),
    "product": Computation("product", (A, B), 2, power=-2),
    "minimum": Computation("minimum", (A, B, Decimal(50))),
    "share": Computation("share", (A, B), 2, power=-2),
    "sum": Computation("sum", (A, B), 1),
    "bands": Computation("bands", (A,), bands={"优": Decimal(90), "良": Decimal(80), "差": Decimal(0)}),
}
numbers = st.one_of(st.none(), st.integers(-200, 10**6), st.decimals(0, 10**6, places=2)).map(
    lambda n: None if n is None else Decimal(n)
)


def field(name: str) -> Field:
    return Field(name, name, "number", compute=COMPUTED[name])


def test_every_formula_gives_the_value_that_is_computed(calculator: Office, tmp_path: Path) -> None:
    """Halves, thirds and blanks, calculated by LibreOffice."""
    values = [None, *map(Decimal, ("0", "1", "3", "10", "79.995", "80", "90", "86.185", "0.005", "215457.6", "250000"))]
    pairs = [(a, b) for a in values for b in values]
    path = tmp_path / "t.xlsx"
    book = xlsxwriter.Workbook(str(path))
    sheet = book.add_worksheet()
    for row, pair in enumerate(pairs, 1):
        for col, value in enumerate(pair):
            if value is not None:
                sheet.write_number(row - 1, col, float(value))
        cells = {A: f"A{row}", B: f"B{row}"}
        for col, name in enumerate(COMPUTED, 2):
            sheet.write_formula(row - 1, col, formula(COMPUTED[name], cells.__getitem__), None, "-")
    book.close()
    rows = CalamineWorkbook.from_path(str(calculator.convert(path, tmp_path / "out", "xlsx"))).get_sheet_by_index(0)
    wrong = []
    for (a, b), cells_shown in zip(pairs, rows.to_python(), strict=True):
        for name, shown in zip(COMPUTED, cells_shown[2:], strict=True):
            expected = computed_value(field(name), {A: a, B: b}, {})
            wanted = float(expected) if isinstance(expected, Decimal) else str(expected or "")
            wrong += [] if shown == wanted else [(name, a, b, shown, expected)]
    assert wrong == []


@given(st.sampled_from([*COMPUTED]), numbers, numbers)
def test_what_is_computed_agrees_with_itself_and_nothing_follows_from_blanks(
    name: str, a: Decimal | None, b: Decimal | None
) -> None:
    value = computed_value(field(name), {A: a, B: b}, {})
    assert agrees(field(name), value, value)
    if a is None and (b is None or name != "sum"):
        assert value is None
