"""Every rule has a case that triggers it and one that nearly does, as data in tests/cases/rules: `trigger`, `near`, and
further ones whose names begin so.

A case changes the clean project of base.yaml, or of base-<`base`>.yaml: `values` by field key, `rows` by number and
column, `drop` and `add` rows; `others` are further projects, each a case of its own; `roster` is the base changed
likewise; `columns` and `checks` are added to the form, `fields` to the definitions of its fields, `table` to that of
its table. `expected` lists every finding, as `[project] key code`; nothing else may be found.
"""

from __future__ import annotations

import copy
import dataclasses
import json
import time
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from kpixl.checks.engine import find
from kpixl.checks.registry import RULES, checks_of
from kpixl.checks.rule import CATEGORIES
from kpixl.checks.rules_page import rules_markdown
from kpixl.forms.definition import Form
from kpixl.forms.load import DEFINITION, known_forms, load_form, load_forms, parse_form
from kpixl.portfolio import canonical
from kpixl.portfolio.model import Portfolio
from kpixl.problems import KpixlError, Location, Problem
from kpixl.problems.catalogue import CATALOGUE
from kpixl.texts import LANGUAGES
from tests import strategies
from tests.yaml_cases import load_cases

CASES = Path(__file__).parents[1] / "cases" / "rules"
CODES = sorted(path.stem for path in CASES.glob("*.yaml") if not path.stem.startswith("base"))
BASES = ["", *sorted(path.stem.removeprefix("base-") for path in CASES.glob("base-*.yaml"))]
FORMS = CASES / "forms"
SHANGHAI = "shanghai-target"
SCORED = {key: key for key in ("name", "target", "actual", "points", "score", "reason")}
Case = Mapping[str, Any]


@cache
def definition(form_id: str) -> Any:
    return load_cases(known_forms([FORMS])[form_id] / DEFINITION)


@cache
def base(name: str) -> Any:
    return load_cases(CASES / f"base{name and '-'}{name}.yaml")


def base_of(case: Case) -> Any:
    return base(str(case.get("base", "")))


def form_of(case: Case) -> Form:
    if not any(case.get(key) for key in ("columns", "checks", "fields", "table")):
        return load_form(base_of(case)["form"], [FORMS])
    data = copy.deepcopy(definition(base_of(case)["form"]))
    for number, (key, column) in enumerate(case.get("columns", {}).items(), 2):
        data["tables"]["indicators"]["columns"][key] = column
        layout = data["layout"]
        *widths, last = layout["widths"]
        layout["entry-widths"] = [*widths, [last] * number]  # a cell more to type into
        next(row for row in layout["rows"] if row.get("table") == "indicators")["entry"].append({"column": key})
    data["tables"]["indicators"] |= case.get("table", {})
    for key, more in case.get("fields", {}).items():
        data["fields"][key] |= more
    data["checks"]["rules"] += case.get("checks", [])
    return parse_form(data)


def changed(case: Case, project_id: str) -> dict[str, Any]:
    """Return the base project with the case's changes, as it would be written."""
    project: dict[str, Any] = copy.deepcopy(base_of(case)["projects"][0])
    project["id"] = project_id
    for key, value in case.get("values", {}).items():
        *groups, name = key.split(".")
        place = project
        for group in groups:
            place = place[group]
        place[name] = value
    (table,) = (key for key, value in project.items() if isinstance(value, list))
    rows = project[table]
    for number, columns in case.get("rows", {}).items():
        rows[number].update(columns)
    project[table] = [r for n, r in enumerate(rows) if n not in case.get("drop", [])] + case.get("add", [])
    return project


def portfolio_of(form: Form, *cases: Case) -> Portfolio:
    projects = [changed(case, f"{number:02}") for number, case in enumerate(cases, 1)]
    text = json.dumps({**base_of(cases[0]), "projects": projects}, ensure_ascii=False)
    return canonical.loads(text, lambda _: form)[1]


def findings(case: Case) -> list[str]:
    form = form_of(case)
    portfolio = portfolio_of(form, case, *case.get("others", []))
    roster = portfolio_of(form, case["roster"]) if "roster" in case else None
    found = find(form, portfolio, checks_of(form), roster)
    several = len(portfolio.projects) > 1
    return [f"{f.project} {f.key} {f.code}" if several else f"{f.key} {f.code}" for f in found]


@cache
def load_case(code: str) -> dict[str, Case]:
    cases: dict[str, Case] = load_cases(CASES / f"{code}.yaml")
    return cases


@pytest.mark.parametrize("name", BASES)
def test_the_base_project_gives_no_finding(name: str) -> None:
    assert findings({"base": name}) == []


ALL = [(code, name) for code in CODES for name in load_case(code)]


@pytest.mark.parametrize(("code", "name"), [one for one in ALL if one[1].startswith("trigger")])
def test_trigger(code: str, name: str) -> None:
    case = load_case(code)[name]
    found = findings(case)
    assert sorted(found) == sorted(case["expected"])
    assert any(line.rpartition(" ")[2].partition(".")[0] == code for line in found), name


@pytest.mark.parametrize(("code", "name"), [one for one in ALL if one[1].startswith("near")])
def test_near_miss(code: str, name: str) -> None:
    near = load_case(code)[name]
    found = findings(near)
    assert [line for line in found if line.rpartition(" ")[2].partition(".")[0] == code] == []
    assert sorted(found) == sorted(near.get("expected", []))


def test_every_rule_has_cases_and_texts() -> None:
    assert set(CODES) == set(RULES)
    for code in CODES:
        assert {"trigger", "near"} <= set(load_case(code)), code
        assert all(name.startswith(("trigger", "near")) for name in load_case(code)), code
    assert not set(RULES) & set(CATALOGUE)
    for code, rule in RULES.items():
        assert rule.entry.category in CATEGORIES, code
        assert all(rule.entry.title), code


@pytest.mark.parametrize("form_id", [SHANGHAI, "shanghai-self-evaluation", "central-self-evaluation"])
def test_every_check_of_the_official_form_is_triggered_by_a_case(form_id: str) -> None:
    expected = [line for code, name in ALL for line in load_case(code)[name].get("expected", ())]
    triggered = {line.rpartition(" ")[2] for line in expected}
    assert {check.code for check in checks_of(load_form(form_id)).checks} <= triggered


def test_shown_in_both_languages_without_a_gap() -> None:
    for code in CODES:
        case = load_case(code)["trigger"]
        form = form_of(case)
        portfolio = portfolio_of(form, case, *case.get("others", []))
        roster = portfolio_of(form, case["roster"]) if "roster" in case else None
        for found in find(form, portfolio, checks_of(form), roster):
            problem = Problem(found.code, Location(), found.details, rule=found.rule)
            for lang in LANGUAGES:
                text = problem.message(lang) + problem.hint(lang)
                assert "{" not in text


@pytest.mark.parametrize(("column", "named"), [("operator", True), ("level1", True), ("level2", False)])
def test_items_of_a_short_list_are_named_to_choose_from(column: str, named: bool) -> None:
    """What is like no item has nothing to suggest."""
    form = load_form(SHANGHAI)
    portfolio = portfolio_of(form, {"rows": {1: {column: "⚑"}}})
    (found,) = (f for f in find(form, portfolio, checks_of(form)) if f.code == "choice-unlisted")
    hint = Problem(found.code, details=found.details, rule=found.rule).hint()
    items = form.choices[column].items
    assert hint == (f"请从列表中选择：{' '.join(items)}。" if named else "请从列表中选择。")


def test_every_form_has_checks_that_can_be_read() -> None:
    for form in load_forms().values():
        assert checks_of(form).checks, form.id


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_page_explains_every_rule_and_parameter(lang: str) -> None:
    page = rules_markdown(lang, list(load_forms().values()))
    for code, rule in RULES.items():
        assert f"### `{code}`" in page
        for field in dataclasses.fields(rule.parameters):
            assert f"`{field.name.replace('_', '-')}`" in page


WRONG: dict[str, tuple[Any, str]] = {
    "unknown rule": ({"rule": "goal-to-short"}, "rule must be one of"),
    "unknown parameter": ({"rule": "operator-missing", "id": "x", "tabel": "indicators"}, "unknown key tabel"),
    "missing parameter": ({"rule": "goal-too-short", "id": "x", "fields": ["goal.annual"]}, "least is missing"),
    "unknown field": (
        {"rule": "goal-too-short", "id": "x", "fields": ["goal.anual"], "least": 3},
        "no field goal.anual",
    ),
    "number for text": ({"rule": "unit-missing", "id": "x", "example": 3}, "must be text"),
    "text for number": ({"rule": "goal-too-short", "id": "x", "fields": ["goal.annual"], "least": "3"}, "whole number"),
    "unknown item": ({"rule": "level-missing", "id": "x", "level": "数量的指标"}, "in no list"),
    "unknown words": ({"rule": "placeholder", "id": "x", "words": "places"}, "no list places"),
    "bad expression": ({"rule": "placeholder", "id": "x", "words": ["("]}, "no regular expression"),
    "twice": ({"rule": "operator-missing"}, "occurs twice"),
    "bad id": ({"rule": "operator-missing", "id": "X y"}, "is made of"),
    "bad severity": ({"rule": "operator-missing", "id": "x", "severity": "fatal"}, "must be one of"),
    "bad category": ({"rule": "operator-missing", "id": "x", "category": "style"}, "must be one of"),
    "no mapping": ("operator-missing", "rule must be one of"),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_checks_are_refused_with_their_key(name: str) -> None:
    spec, reason = WRONG[name]
    with pytest.raises(KpixlError) as refused:
        checks_of(form_of({"checks": [spec]}))
    (problem,) = refused.value.problems
    assert problem.code == "form-invalid"
    assert str(problem.details["key"]).startswith("checks.rules[")
    assert reason in str(problem.details["reason"])


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(strategies.portfolios(load_form(SHANGHAI)))
def test_no_portfolio_brings_a_rule_down(portfolio: Portfolio) -> None:
    form = load_form(SHANGHAI)
    for found in find(form, portfolio, checks_of(form)):
        problem = Problem(found.code, details=found.details, rule=found.rule)
        assert problem.message("en")
        assert problem.message("zh")


@pytest.mark.parametrize(
    "text", ["(" * 32_000, "1," * 16_000, "<a" * 16_000, "。 " * 16_000, "人数" * 16_000, "9" * 32_000]
)
def test_no_text_keeps_a_rule_busy(text: str) -> None:
    form = load_form(SHANGHAI)
    portfolio = portfolio_of(form, {"values": {"goal.annual": text, "name": text}})
    start = time.process_time()
    list(find(form, portfolio, checks_of(form)))
    assert time.process_time() - start < 2


def expression(**spec: str) -> dict[str, Any]:
    texts = {"message": {"zh": "不对", "en": "wrong"}, "hint": {"zh": "改正", "en": "correct it"}}
    return {"rule": "expression", "id": "own", "field": "name", **texts, **spec}


@pytest.mark.parametrize(
    "source",
    [
        "values['nam'] is none",
        "1 +",
        "values.__class__.__mro__",
        "9 ** 9 ** 9",
        "'x' * 10000000",
        "values['start'] < 3",
        "x" * 2000,
        "unknown",
        "range(10)",
    ],
)
def test_wrong_expressions_are_refused_when_the_form_is_read(source: str) -> None:
    with pytest.raises(KpixlError) as refused:
        checks_of(form_of({"checks": [expression(when=source, ensure="true")]}))
    assert refused.value.problems[0].code == "form-invalid"


def test_an_expression_says_what_its_form_says() -> None:
    case = {"checks": [expression(ensure="rows['indicators'] | length > 7")]}
    assert findings(case) == ["name expression.own"]


def test_an_expression_does_not_fall_over_a_value_of_the_wrong_type() -> None:
    case = {
        "checks": [expression(when="values['end'] is not none", ensure="values['end'] >= values['start']")],
        "values": {"end": "年底"},
    }
    assert findings(case) == ["end value-unread"]


WRONG_SCORES: dict[str, tuple[dict[str, Any], str]] = {
    "no table": ({"scores": {"rows": {}}}, "no table rows"),
    "a role too few": ({"scores": {"indicators": {"name": "name"}}}, "must say name, target"),
    "an unknown column": ({"scores": {"indicators": {**SCORED, "reason": "why"}}}, "no column why"),
    "an unknown operator": ({"scores": {"indicators": {**SCORED, "words": {"约": ["大约"]}}}}, "mapping of ≥"),
    "no words": ({"scores": {"indicators": {**SCORED, "words": {"≥": "以上"}}}}, "list of words"),
    "nothing is scored": ({"rules": [{"rule": "reason-missing"}]}, "no table under checks.scores"),
    "one field of a pair": (
        {"rules": [{"rule": "executed-over-budget", "pairs": [["funding.total.executed"]]}]},
        "must be two fields",
    ),
    "grades that rise": (
        {"rules": [{"rule": "grade-unfit", "grade": "grade", "score": "total.score", "least": {"良": 80, "优": 90}}]},
        "must fall",
    ),
}


@pytest.mark.parametrize("name", WRONG_SCORES)
def test_wrong_roles_of_scores_are_refused_with_their_key(name: str) -> None:
    checks, reason = WRONG_SCORES[name]
    with pytest.raises(KpixlError) as refused:
        checks_of(parse_form({**definition("shanghai-self-evaluation"), "checks": checks}))
    (problem,) = refused.value.problems
    assert problem.code == "form-invalid"
    assert str(problem.details["key"]).startswith("checks.")
    assert reason in str(problem.details["reason"])


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(strategies.portfolios(load_form("central-self-evaluation")))
def test_no_self_evaluation_brings_a_rule_down(portfolio: Portfolio) -> None:
    form = load_form("central-self-evaluation")
    for found in find(form, portfolio, checks_of(form)):
        problem = Problem(found.code, details=found.details, rule=found.rule)
        assert problem.message("en")
        assert problem.message("zh")
