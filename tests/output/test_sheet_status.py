"""The live status of a template: what it is made of; the law over whole sheets is in tests/laws/test_sheet.py."""

from __future__ import annotations

import io
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import openpyxl
import pytest

from kpixl.collection.consolidate import consolidate
from kpixl.collection.review import review
from kpixl.forms.definition import Form
from kpixl.forms.load import load_form
from kpixl.output.template import build_template
from kpixl.output.template.conditions import field_conditions, table_conditions
from kpixl.output.template.expression import translated
from kpixl.output.template.formulas import contains
from kpixl.output.template.status import any_of
from kpixl.output.template.words import words_of
from kpixl.portfolio.model import Portfolio

FORM = load_form("shanghai-target")
BLANK_ROW = dict.fromkeys(FORM.tables["indicators"].columns)


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        ("待定$", ["待定$"]),
        ("^合规", ["^合规"]),
        ("待(补充|核实)", ["待补充", "待核实"]),
        ("再行?填", ["再填", "再行填"]),
        ("(?<![a-z])[x×]{2,}(?![a-z])", ["xx", "x×", "×x", "××"]),
        ("_{2,}", ["__"]),
        ("TBD", ["tbd"]),
        ("a.b", []),  # more than words: left to the check
        (r"\d+人", []),
        ("[a-z]x", []),
        ("(a", []),
    ],
)
def test_a_pattern_is_expanded_to_its_words(pattern: str, words: list[str]) -> None:
    found = [f"{'^' * w.first}{w.text}{'$' * w.last}" for w in words_of([pattern])]
    assert found == words


def test_an_exception_with_a_condition_on_its_neighbours_is_left_out() -> None:
    """Without the condition it would spare too much, and the sheet would be greener than the check."""
    assert words_of(["(?<!不)合格率$", "增长"], strict=True) == words_of(["增长"])


def test_a_comparison_of_amounts_becomes_a_formula_and_anything_else_none() -> None:
    made = translated("values['a'] is number and values['b'] is number", "values['a'] <= values['b']")
    assert made is not None
    formula, holds = made
    assert formula(str.upper) == "ISNUMBER(A)*ISNUMBER(B)*(1-(A<=B))"
    assert holds({"a": Decimal(2), "b": Decimal(1)})
    assert not holds({"a": Decimal(1), "b": Decimal(1)})
    assert not holds({"a": "x", "b": Decimal(1)})
    for when, ensure in [
        ("values['n'] == '阶段性项目'", "values['g'] is not none"),
        ("true", "rows['t'] | length > 1"),
        ("true", "values['a'] <="),
        ("true", "values['a'] <= 3"),
    ]:
        assert translated(when, ensure) is None


def test_no_formula_compares_a_truth_value_with_a_number() -> None:
    """Excel and Gnumeric hold FALSE>0 to be true; LibreOffice does not, so that the law would not show it."""
    for key, asked in field_conditions(FORM).items():
        for condition in asked:
            assert any_of([condition], str.upper).startswith("0+"), key
    assert contains("A1", words_of(["待定$"])) == '(0+(RIGHT(LOWER(A1),2)="待定")>0)'
    assert contains("A1", words_of(["xx"])) == '(0+(SUBSTITUTE(LOWER(A1),"xx","")<>LOWER(A1))>0)'


def test_what_is_asked_follows_from_the_form(example: tuple[Form, Portfolio]) -> None:
    fields = field_conditions(FORM)
    required = {key for key, field in FORM.fields.items() if field.required and not field.sum}
    assert {key for key, asked in fields.items() if any(c.missing for c in asked)} == required | {
        "funding.annual.appropriation"  # the first part of the total that is required
    }
    values = {**example[1].projects[0].values, "start": "明年年初", "goal.annual": "完成XX项工作"}
    wrong = {key for key, asked in fields.items() if any(not c.missing and c.holds(values) for c in asked)}
    assert wrong == {"start", "goal.annual"}


@pytest.mark.parametrize(
    ("row", "missing", "wrong"),
    [
        ({"name": "参与人数", "operator": "≥", "value": Decimal(100)}, {"level1", "level2", "unit"}, set()),
        (
            {"level1": "产出指标", "level2": "数量指标", "name": "人数", "value": Decimal(5)},
            {"operator", "unit"},
            set(),
        ),
        ({"level1": "产出指标", "level2": "经济成本指标", "name": "a", "value": "合规"}, set(), {"level2"}),
        (
            {
                "level1": "产出指标",
                "level2": "质量指标",
                "name": "合格率",
                "operator": "≥",
                "value": Decimal(120),
                "unit": "%",
            },
            set(),
            {"value"},
        ),
        ({"level1": "产出指标", "level2": "质量指标", "name": "满意度", "value": "≥120%"}, set(), {"value"}),
    ],
)
def test_a_row_that_was_begun(row: dict[str, object], missing: set[str], wrong: set[str]) -> None:
    asked = table_conditions(FORM, FORM.tables["indicators"], presets=True)
    whole = {**BLANK_ROW, **row}
    assert asked.begun.holds(whole)  # type: ignore[arg-type]
    for kind, keys in ((True, missing), (False, wrong)):
        found = {k for k, cs in asked.columns.items() if any(c.missing is kind and c.holds(whole) for c in cs)}  # type: ignore[arg-type]
        assert found == keys


def test_a_preset_row_that_was_left_is_none() -> None:
    asked = table_conditions(FORM, FORM.tables["indicators"], presets=True)
    left = {**BLANK_ROW, "level1": "产出指标", "level2": "数量指标"}
    assert not asked.begun.holds(left)
    assert table_conditions(FORM, FORM.tables["indicators"], presets=False).begun.holds(left)


# --- where to type -------------------------------------------------------------------------------


@pytest.fixture
def roster(example: tuple[Form, Portfolio]) -> Portfolio:
    """Return a portfolio of one project without indicators."""
    form, portfolio = example
    project = replace(portfolio.projects[0], tables=dict.fromkeys(form.tables, ()))
    return replace(portfolio, projects=(project,))


def test_each_cell_of_a_target_has_its_heading_and_optional_cells_look_so(roster: Portfolio) -> None:
    sheet = openpyxl.load_workbook(io.BytesIO(build_template(FORM, roster))).worksheets[1]
    assert [sheet[cell].value for cell in ("E12", "F12", "G12")] == ["计算符号", "年度(/项目)指标值", "计量单位"]
    assert sheet["E11"].fill.fgColor.rgb != sheet["B11"].fill.fgColor.rgb
    prompts = {str(v.sqref): v.prompt for v in sheet.data_validations.dataValidation}
    assert prompts["B11:D11"].startswith("【选填】")
    assert prompts["E11:G11"].startswith("【必填】")
    assert "例如" in prompts["E3"]
    assert all(sheet.cell(row, col).fill.fgColor.rgb == "00000000" for row in range(13, 37) for col in range(2, 8))


def test_a_reason_comes_back_and_is_listed_for_the_office(roster: Portfolio, tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    book = openpyxl.load_workbook(io.BytesIO(build_template(FORM, roster)))
    sheet = book.worksheets[1]
    assert str(sheet["I3"].value).startswith("◇ 说明")
    assert not sheet["I4"].protection.locked
    sheet["I4"] = "内部采购，没有服务对象"
    book.save(path)
    found = [p for p in consolidate([path], [FORM], workers=0).problems if p.code == "reason-given"]
    assert [(p.location.address, p.details["text"]) for p in found] == [("I4", "内部采购，没有服务对象")]


def test_a_missing_level_points_to_the_row_that_waits_for_it(roster: Portfolio, tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    book = openpyxl.load_workbook(io.BytesIO(build_template(FORM, roster)))
    for cell, text in {"D14": "参与人数", "E14": "≥", "F14": "100", "G14": "人"}.items():
        book.worksheets[1][cell] = text
    book.save(path)
    found = {p.details["level"]: p for p in review([path], [FORM]).problems if p.code.startswith("level-missing")}
    assert {level: found[level].location.address for level in ("成本指标", "质量指标", "满意度指标")} == {
        "成本指标": "D13",
        "质量指标": "D15",
        "满意度指标": "D18",
    }
    for problem in found.values():
        assert "kpixl" not in problem.hint("zh") + problem.hint("en")
