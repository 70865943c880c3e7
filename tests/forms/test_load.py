"""A form is data: a made-up form goes through the whole loop, and no Python knows a word of any form."""

from __future__ import annotations

import ast
import io
from functools import cache
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import yaml

import kpixl
from kpixl import yaml_text
from kpixl.collection.consolidate import consolidate
from kpixl.collection.roster import write_roster
from kpixl.forms.definition import Form
from kpixl.forms.load import load_form, parse_form
from kpixl.forms.values import fold
from kpixl.keys import Key
from kpixl.output.publish.html import render_page
from kpixl.output.summary import build_summary
from kpixl.output.template import write_templates
from kpixl.portfolio import canonical
from kpixl.portfolio.model import Portfolio
from kpixl.portfolio.schema import portfolio_schema
from kpixl.problems import KpixlError
from tests.strategies import form_of

TESTS = Path(__file__).parents[1]
MINI = TESTS / "cases" / "forms" / "mini-form" / "form.yaml"

PORTFOLIO = """\
kpixl: 1
form: mini-form
year: 2031
organization: Borough
projects:
- id: "01"
  title: "Town bridge"
  owner: Roads
  kind: repair
  begun: "2031-02-03"
  budget:
    total: 1234567.5
    own: 1234567.5
    grant: 0
  story: |-
    The bridge is old and too narrow. It gets new bearings,
    a new deck and a path for walkers.
  reserve: 500
  closing: Remarks
  signed:
    by: "J. Smith"
    day: "2030-12-01"
  milestones:
  - stage: Plan
    step: Survey
    what: "Survey of the bearings"
    due: "2031-03-31"
    cost: 10000
  - stage: Build
    step: Walls
    what: "Held in reserve"
    due: null
    cost: null
  - stage: Build
    step: Roof
    what: Deck
    due: "2031-10-31"
    cost: 1000000.25
  risks:
  - risk: Risk
    chance: Likelihood
  - risk: "High water"
    chance: low
- id: "02"
  title: Library
  owner: Culture
  kind: new
  begun: null
  budget:
    total: null
    own: null
    grant: null
  story: null
  reserve: null
  closing: null
  signed:
    by: null
    day: null
  milestones: []
  risks: []
"""


RESPELLED = {"Works": "Name of the works :", "What": "Description", "Owner:": "OWNER"}


@pytest.fixture
def mini() -> tuple[Form, Portfolio]:
    return canonical.loads(PORTFOLIO, form_of)


def test_the_made_up_form_goes_through_the_loop(mini: tuple[Form, Portfolio], tmp_path: Path) -> None:
    form, portfolio = mini
    assert canonical.dumps(form, portfolio) == PORTFOLIO
    write_templates(form, portfolio, tmp_path / "out", by="owner")
    assert sorted(p.name for p in (tmp_path / "out").glob("*.xlsx")) == ["Culture.xlsx", "Roads.xlsx"]
    result = consolidate([tmp_path / "out"], [load_form("shanghai-target"), form], workers=0)
    assert canonical.dumps(form, result.portfolio) == PORTFOLIO
    assert {(p.code, p.location.field) for p in result.problems} == {
        ("required-blank", "Begun on"),
        ("required-blank", "of which: own funds"),
        ("required-blank", "Filled in by"),
        ("no-rows", "Milestones"),
        ("no-rows", "Risks"),
    }
    assert result.sources["01"].address(Key("milestones", 2, "cost")) == "E12"


def test_it_is_searched_by_its_labels_when_it_comes_back_changed(tmp_path: Path) -> None:
    """Rows put in above the form and between its blocks, labels respelled, no sheet id left."""
    # A row that reads like the headings is taken for them here, as after a page break.
    text = PORTFOLIO.replace("risk: Risk", "risk: Ice").replace("chance: Likelihood", "chance: often")
    form, portfolio = canonical.loads(text, form_of)
    path = tmp_path / "t.xlsx"
    write_templates(form, portfolio, path)
    book = openpyxl.load_workbook(path)
    sheet = book.worksheets[1]
    cells = {(c.row, c.column): c.value for row in sheet.iter_rows(max_col=5) for c in row if c.value is not None}
    other = openpyxl.Workbook()
    blank = other.worksheets[0]
    for (row, col), value in cells.items():
        moved = row + (row > 2) + (row > 6) + (row > 20)
        if isinstance(value, str):
            value = RESPELLED.get(value, "=SUM(F8,F9)" if value.startswith("=") else value)
        blank.cell(moved + 2, col + 1).value = value
        blank.cell(moved + 2, col + 1).data_type = sheet.cell(row, col).data_type
    other.save(path)
    result = consolidate([path], [form], workers=0)
    found, expected = result.portfolio.projects[0], portfolio.projects[0]
    assert found.values == expected.values
    assert found.tables["milestones"] == expected.tables["milestones"]
    assert found.tables["risks"] == expected.tables["risks"]


def test_summary_page_schema_and_roster_take_it(mini: tuple[Form, Portfolio], tmp_path: Path) -> None:
    form, portfolio = mini
    content, problems = build_summary(form, portfolio, lang="en")
    assert problems == ()
    book = openpyxl.load_workbook(io.BytesIO(content))
    shown = {str(c.value) for sheet in book for row in sheet.iter_rows() for c in row if c.value is not None}
    assert {"Town bridge", "Survey of the bearings", "High water", "J. Smith", "What may go wrong"} <= shown
    page = render_page(form, portfolio, lang="en", extra=[TESTS / "cases" / "forms"])
    for word in ("Town bridge", "Survey of the bearings", "High water", "J. Smith", "Borough"):
        assert word in page
    schema: dict[str, Any] = portfolio_schema(form)
    assert "milestones" in schema["properties"]["projects"]["items"]["properties"]
    listing = openpyxl.Workbook()
    listing.worksheets[0].append(["Works", "Owner", "Budget in all"])
    listing.worksheets[0].append(["Town bridge", "Roads", 5])
    listing.worksheets[0].append(["Library", "Culture", None])
    listing.save(tmp_path / "list.xlsx")
    _, count, noted = write_roster(form, tmp_path / "list.xlsx", tmp_path / "roster.yaml", year=2031)
    assert (count, noted) == (2, ())
    _, roster = canonical.load(tmp_path / "roster.yaml", form_of)
    assert [p.values["owner"] for p in roster.projects] == ["Roads", "Culture"]
    write_templates(form, portfolio, tmp_path / "t.xlsx")
    assert [p.id for p in consolidate([tmp_path / "t.xlsx"], [form], roster=roster, workers=0).portfolio.projects] == [
        "01",
        "02",
    ]


# --- definitions that are wrong ---------------------------------------------------------------


def definition(**changed: Any) -> dict[str, Any]:
    return {**yaml.safe_load(MINI.read_text(encoding="utf-8")), **changed}


def test_key_fields() -> None:
    assert load_form("shanghai-target").key_fields == ("name", "unit")
    assert parse_form(definition()).key_fields == ("title", "owner")
    data = definition()
    del data["key-fields"]
    assert parse_form(data).key_fields == ("title",)


@pytest.mark.parametrize(
    ("changed", "key"),
    [
        ({"key-fields": ["title", "who"]}, "key-fields"),
        ({"organization-field": "who"}, "organization-field"),
        ({"kpixl-form": 2}, "kpixl-form"),
        ({"colour": "red"}, "form.yaml"),
        ({"fields": {"on": {"label": "On"}}}, "on"),
        ({"fields": {"sig.no": {"label": "No"}}}, "sig.no"),
        ({"fields": {"Title": {"label": "Title"}}}, "Title"),
        ({"fields": {"title": {"label": "Title", "type": "colour"}}}, "title.type"),
        ({"tables": {"yes": {"label": "Yes", "columns": {}}}}, "yes"),
    ],
)
def test_a_wrong_definition_is_refused_with_its_key(changed: dict[str, Any], key: str) -> None:
    with pytest.raises(KpixlError) as refused:
        parse_form(definition(**changed))
    problem = refused.value.problems[0]
    assert (problem.code, problem.details["key"]) == ("form-invalid", key)


# --- no Python knows a form -------------------------------------------------------------------

FORMS = sorted((TESTS.parent / "templates").glob("*/form.yaml"))

# Words that a form shares with the program, each for a reason of the program's own. None decides anything.
ALLOWED = {
    **dict.fromkeys(("=>", "=<", "≧", "≦", "═"), "measures: how a sign is typed, the same in every form"),
    "项": "snippets: a counted thing, in a message",
    "编号": "diff: the id, which every portfolio has",
    "项目编号": "export: heading of a column that every portfolio has",
    "项目名称": "export: heading of a column that every portfolio has",
    "元": "forms.money: the money that amounts are kept in, as said after a number (60万元)",
    "万元": "forms.money: a unit of money, the same in every form",
    "序号": "template: heading of the first sheet's own first column",
    "单位名称": "prepare: what --organization is",
    "符号": "values: noun of a type, for messages",
    "单位": "values: noun of a type, for messages",
    "计量单位": "values: noun of a type, for messages",
    "指标值": "values: noun of a type, for messages",
    "=": "a formula begins with it",
    "—": "forms.grids, recognise.fields: a dash, where a grid has no value",
    "<": "markup begins with it",
    ">": "markup ends with it",
    ">=": "Excel's spelling in conditional formats",
    "<=": "Excel's spelling in conditional formats",
    "%": "the percent format of a cell",
    "是": "types.tick: yes",
    "√": "types.tick: a tick, whatever it is of",
    "✓": "types.tick: a tick, whatever it is of",
    "✔": "types.tick: a tick, whatever it is of",
    "☑": "types.tick: a tick, whatever it is of",
    "≥": "an operator, the same in every form",
    "≤": "an operator, the same in every form",
}
# Within a message such words are ordinary Chinese; what a message is about comes from the form.
ALLOWED_IN_MESSAGES = {
    "不少于": "at least", "不超过": "at most", "文字描述": "text", "完成日期": "date of completion",
    "项目编号": "the id, which every portfolio has", "项目名称": "what a project is called",
    "年度总体目标": "trace: an example of a label", "总体目标": "trace: an example of a label",
    "单位名称": "nothing_to_report: the name of a unit", "绩效目标": "main: what the program is about",
    "绩效指标": "rules: the rows they look at", "指标名称": "rules: the rows they look at",
    "指标值": "rules: a target's parts", "计量单位": "rules: a target's parts", "计算符号": "rules: a target's parts",
    "一级指标": "rules: titles", "二级指标": "rules: titles", "成本指标": "rules: titles", "效益指标": "rules: titles",
    "预算数": "rules: what an executed amount is compared with", "全年预算数": "rules: the budget as adjusted",
    "执行率": "rules: executed by budget", "实际完成": "rules: what a target is compared with",
    "实际完成值": "rules: what a target is compared with", "完成值": "rules: what a target is compared with",
    "偏差原因": "rules: why a target was missed",
    "数量指标": "rules: titles", "质量指标": "rules: titles", "时效指标": "rules: titles",
}  # fmt: skip


def words_of(path: Path) -> set[str]:
    """List the labels, headings, captions and items that a definition prints, folded."""
    form = parse_form(yaml_text.parse(path.read_text(encoding="utf-8")))
    words = [form.title, *form.title_synonyms, form.id_field.label, *form.id_field.synonyms]
    tables = form.tables.values()
    for field in (*form.fields.values(), *(c for t in tables for c in t.columns.values())):
        words += [field.label, field.heading, *field.synonyms]
    words += [text for t in tables for target in t.targets.values() for text in (target.label, *target.synonyms)]
    words += [table.label for table in tables]
    words += [cell.text for cell in (*form.layout.head, *form.layout.foot)]
    words += [placed.caption for placed in form.layout.tables]
    words += [head.group.label for placed in form.layout.tables for head in placed.print if head.group]
    for choices in form.choices.values():
        words += [*choices.items, *(synonym for synonyms in choices.items.values() for synonym in synonyms)]
    return {fold(word) for word in words} - {""}


@cache
def texts_in(path: Path) -> list[tuple[int, str]]:
    """List the string literals of a module, docstrings left out."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, documented) and node.body and isinstance(node.body[0], ast.Expr)
    }
    return [
        (node.lineno, node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings
    ]


@pytest.mark.parametrize("path", FORMS, ids=lambda p: p.parent.name)
def test_no_module_holds_a_word_of_a_form(path: Path) -> None:
    """A literal that is such a word, or a message of the program that quotes one of three characters or more."""
    words = words_of(path) - set(map(fold, ALLOWED))
    long = {word for word in words if len(word) >= 3} - set(map(fold, ALLOWED_IN_MESSAGES))
    found = []
    for module in sorted(Path(kpixl.__file__).parent.rglob("*.py")):
        for line, text in texts_in(module):
            folded = fold(text)
            held = {folded} & words or {word for word in long if word in folded}
            found += [f"{module.name}:{line} {word}" for word in sorted(held)]
    assert found == []
