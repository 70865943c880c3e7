"""What a portfolio may be: said by the loader, which refuses with line, key and remedy, and by the schema."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest

from kpixl import yaml_text
from kpixl.forms.load import load_form
from kpixl.portfolio import canonical
from kpixl.portfolio.schema import portfolio_schema
from kpixl.problems import KpixlError, Problem

CASES = sorted((Path(__file__).parents[1] / "cases" / "portfolio").glob("*.yaml"))
HEAD = "kpixl: 1\nform: shanghai-target\n"
PROJECT = HEAD + 'projects:\n- id: "01"\n'

GOOD = {
    "empty": HEAD + "projects: []\n",
    "blank list": HEAD + "projects:\n",
    "id only": PROJECT,
    "whole": (
        HEAD + "year: 2026\norganization: 某局\nprojects:\n"
        '- id: "01"\n  name: 甲\n  start: 2026-01-01\n'
        "  funding: {total: null, annual: {amount: 600000, appropriation: 0.5, other: null}}\n"
        "  goal: {annual: 一}\n"
        "  indicators:\n"
        "  - {level1: 产出指标, level2: 数量指标, name: 场次, operator: ≥, value: 2, unit: 场}\n"
    ),
    "text where a number is due": PROJECT + "  funding: {annual: {other: 60万}}\n  start: 年底前\n",
    "number where a text is due": PROJECT + "  name: 2026\n",
    "item that is not listed": PROJECT + "  nature: 另一种\n  indicators:\n  - {operator: 约}\n",
    "blanks": PROJECT + "  name:\n  funding:\n  goal: {}\n  indicators:\n",
    "empty row": PROJECT + "  indicators:\n  - {}\n",
}

# Too long or too odd for a file.
MADE = {
    "long text": (PROJECT + "  name: " + "长" * 32_768 + "\n", 5, "text-too-long", "32768"),
    "deep list": (HEAD + "projects: " + "[" * 50_000 + "]" * 50_000 + "\n", 3, "yaml-syntax", ""),
    "deep mapping": (PROJECT + "  name: " + "{a: " * 500 + "1" + "}" * 500 + "\n", 5, "yaml-syntax", ""),
    "surrogate": (PROJECT + '  name: "\\uD800"\n', 5, "yaml-syntax", ""),
}


def refusal(content: bytes) -> tuple[Problem, ...]:
    with pytest.raises(KpixlError) as caught:
        canonical.loads(yaml_text.decode(content, "p.yaml"), load_form, "p.yaml")
    return caught.value.problems


def expectations(content: bytes) -> list[tuple[int, str, list[str]]]:
    """Read the header of a case: `# expect LINE CODE WORD...` per problem; line 0 where there is none."""
    found = re.findall(rb"(?m)^# expect (\d+) (\S+)(.*)$", content)
    return [(int(line), code.decode(), words.decode().split()) for line, code, words in found]


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_a_wrong_portfolio_is_refused_with_line_key_and_remedy(path: Path) -> None:
    content = path.read_bytes()
    expected = expectations(content)
    problems = refusal(content)
    assert [(p.details.get("line", 0), p.code) for p in problems] == [e[:2] for e in expected]
    for problem, (_, _, words) in zip(problems, expected, strict=True):
        assert problem.hint() and problem.hint("en")
        for word in words:
            assert word in f"{problem.message()} {problem.hint()}"


@pytest.mark.parametrize("name", MADE)
def test_hostile_text_is_refused_with_its_line(name: str) -> None:
    text, line, code, word = MADE[name]
    (problem,) = refusal(text.encode())
    assert (problem.code, problem.details["line"]) == (code, line)
    assert word in problem.message()


# --- the schema says the same -----------------------------------------------------------------


def validator() -> jsonschema.Draft202012Validator:
    schema = portfolio_schema(load_form("shanghai-target"))
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


@pytest.mark.parametrize("name", GOOD)
def test_good_portfolios_are_taken_by_both(name: str) -> None:
    form, portfolio = canonical.loads(GOOD[name], load_form)
    validator().validate(yaml_text.parse(GOOD[name]))
    written = canonical.dumps(form, portfolio)
    assert canonical.loads(written, load_form) == (form, portfolio)
    validator().validate(yaml_text.parse(written))


# What is not a matter of structure: text that is no YAML, and ids that differ from each other.
BEYOND_SCHEMA = {"yaml-syntax", "yaml-alias", "not-utf8", "key-duplicate", "id-duplicate"}
STRUCTURAL = [path for path in CASES if {code for _, code, _ in expectations(path.read_bytes())} - BEYOND_SCHEMA]


@pytest.mark.parametrize("path", STRUCTURAL, ids=lambda path: path.stem)
def test_bad_portfolios_are_refused_by_both(path: Path) -> None:
    data: Any = yaml_text.parse(path.read_text(encoding="utf-8"))
    assert not validator().is_valid(data)


def test_long_and_refused_texts_are_refused_by_the_schema() -> None:
    assert not validator().is_valid(yaml_text.parse(MADE["long text"][0]))


def test_the_schema_shows_what_the_form_says() -> None:
    form = load_form("shanghai-target")
    schema = portfolio_schema(form)
    assert json.loads(json.dumps(schema)) == schema
    project = schema["properties"]["projects"]["items"]
    assert list(project["properties"]) == [
        *dict.fromkeys(key.split(".")[0] for key in ("id", *form.fields)),
        *form.tables,
    ]
    amount = project["properties"]["funding"]["properties"]["annual"]["properties"]["amount"]
    assert amount["title"] == "年度资金申请总额"
    unit = project["properties"]["indicators"]["items"]["properties"]["unit"]
    assert "人次" in unit["examples"] and "enum" not in unit
    assert project["properties"]["name"]["description"] == form.fields["name"].help
