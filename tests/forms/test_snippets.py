"""Templates in form definitions: whatever they try ends soon, as a problem that names file, line and reason."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from kpixl.checks.registry import checks_of
from kpixl.cli.main import run
from kpixl.forms.definition import Form
from kpixl.forms.load import load_form
from kpixl.forms.snippets import SMALL, BoundedEnvironment, rendered
from kpixl.portfolio.model import Portfolio
from kpixl.portfolio.print_layout import form_text, subtitle_text
from kpixl.problems import KpixlError
from tests.conftest import EXAMPLE

TEMPLATES = Path(__file__).parents[2] / "templates"
NEST = "{% set a = [1, 1, 1, 1, 1, 1, 1, 1] %}" + "{% set a = [a, a, a, a, a, a, a, a] %}" * 20
MACRO = "{% macro f(n) %}{% if n %}{{ f(n - 1) }}{{ f(n - 1) }}{% endif %}{% endmacro %}{{ f(40) }}"
HOSTILE = {
    "repeated text": "{{ 'a' * 2000000000 }}",
    "repeated list": "{{ ([1] * 2000000000)|length }}",
    "repeated from the left": "{{ 2000000000 * 'a' }}",
    "range": "{% for i in range(99999999) %}{% endfor %}",
    "nested loops": "{% for a in range(9999) %}{% for b in range(9999) %}{% endfor %}{% endfor %}",
    "loop that prints": "{% for a in range(9999) %}" + "x" * 5_000 + "{% endfor %}",
    "captured": "{% set x %}{% for a in range(9999) %}" + "x" * 5_000 + "{% endfor %}{% endset %}{{ x|length }}",
    "recursive loop": "{% for a in [[]] recursive %}{{ loop(range(9999)) }}{{ loop([[], []]) }}{% endfor %}",
    "power": "{{ 9 ** (9 ** 9) }}",
    "product of powers": "{% set n = 9 ** 999 %}" + "{% set n = n * n %}" * 30 + "{{ n }}",
    "doubled text": "{% set x = 'abcdefgh' %}" + "{% set x = x ~ x %}" * 60 + "{{ x }}",
    "doubled sum": "{% set x = 'abcdefgh' %}" + "{% set x = x + x %}" * 60 + "{{ x }}",
    "doubled list": "{% set x = [1] %}" + "{% set x = x + x %}" * 60 + "{{ x|length }}",
    "doubled block": "{% set x = 'abcdefgh' %}" + "{% set x %}{{ x }}{{ x }}{% endset %}" * 60 + "{{ x }}",
    "nested lists, printed": NEST + "{{ a }}",
    "nested lists, as text": NEST + "{{ a|string|length }}",
    "nested lists, joined": NEST + "{{ a ~ 'x' }}",
    "nested lists, compared": NEST + NEST.replace("a", "b").replace("bll", "all") + "{{ a == b }}",
    "nested lists, found": NEST + "{{ 7 in [a] }}",
    "nested lists, tested": NEST + "{{ a is eq([a]) }}",
    "key of tuples": "{% set a = (1, 1) %}" + "{% set a = (a, a, a, a) %}" * 40 + "{{ {a: 1} }}",
    "looked up by tuples": "{% set a = (1, 1) %}" + "{% set a = (a, a, a, a) %}" * 40 + "{{ {}[a] }}",
    "centred": "{{ 'a'|center(2000000000) }}",
    "indented": "{{ 'a'|indent(2000000000, true) }}",
    "batched": "{{ [1]|batch(2000000000, 0)|list }}",
    "sliced": "{{ [1]|slice(2000000000)|list }}",
    "ljust": "{{ 'a'.ljust(2000000000) }}",
    "zfill": "{{ 'a'.zfill(2000000000) }}",
    "tabs": "{{ '\t'.expandtabs(2000000000) }}",
    "replaced": "{% set x = 'a' * 5000 %}{{ x|replace('a', x)|replace('a', x) }}",
    "joined": "{% set x = 'a' * 5000 %}{{ x.join(x) }}",
    "formatted": "{{ '%2000000000d'|format(1) }}",
    "formatted by a value": "{{ '%*d' % (2000000000, 1) }}",
    "formatted by %": "{{ '%2000000000d' % 1 }}",
    "format method": "{{ '{:2000000000}'.format(1) }}",
    "format mapped": "{{ ['{:2000000000}']|map('format', 1)|join }}",
    "lipsum": "{{ lipsum(n=100000) }}",
    "macro": MACRO,
    "macro of itself": "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
    "include": "{% include 'x' %}",
    "include of a file": "{% include '/etc/passwd' %}",
    "import": "{% import 'x' as x %}",
    "extends": "{% extends 'x' %}",
    "unknown name": "{{ yaer }}",
    "unknown filter": "{{ year|nope }}",
    "unknown test": "{{ year is nope }}",
    "unfinished": "{{ year",
    "unknown tag": "{% nope %}",
    "division": "{{ 1 // 0 }}",
    "kind": "{{ 'a' + 1 }}",
    "no sequence": "{% for a in 1 %}{% endfor %}",
    "too deep": "{{ " + "(" * 3_000 + "1" + ")" * 3_000 + " }}",
    "too deep in loops": "{% for a in [1] %}" * 60 + "{% endfor %}" * 60,
    "long number": "{{ " + "9" * 20_000 + " }}",
    "inside": "{{ ''.__class__.__mro__ }}",
}


@pytest.mark.parametrize("source", HOSTILE.values(), ids=HOSTILE)
def test_a_text_that_cannot_be_rendered_is_a_problem_of_the_form(source: str, example: tuple[Form, Portfolio]) -> None:
    form = replace(example[0], subtitle=source)
    with pytest.raises(KpixlError) as raised:
        subtitle_text(form, 2026)
    (problem,) = raised.value.problems
    assert problem.code == "form-invalid"
    assert problem.details["key"] == f"{TEMPLATES / 'shanghai-target' / 'form.yaml'}:9 subtitle"
    assert problem.details["reason"]


GOOD = {
    "{{ year }}": "2026",
    "({{ year }} 年度)": "(2026 年度)",
    "{{ '%.2f'|format(1234567.891) }} 元": "1234567.89 元",
    "{{ '%d' % 5000000 }}": "5000000",
    "{{ amount|int }}, {{ amount|round(1) }}": "5000000, 5000000",
    "{% for i in range(3) %}{{ loop.index }}/{{ loop.length }}{{ ', ' if not loop.last }}{% endfor %}": "1/3, 2/3, 3/3",
    "{{ ['b', 'a']|sort|join('、') }}": "a、b",
    "{{ 'x' * 20 }}{{ [1, 2] + [3] }}": "x" * 20 + "[1, 2, 3]",
    "{% macro f(x) %}<{{ x }}>{% endmacro %}{{ f('a') ~ f(1) }}": "<a><1>",
    "{{ 'abc'.upper().replace('B', 'x').center(9) }}|": "   AxC   |",
    "{{ {'a': 1}['a'] }}{{ 'a' if 1 < 2 < 3 and 'a' in 'cat' }}": "1a",
    "{{ text|replace('a', 'bb')|length }}": "20000",
}


@pytest.mark.parametrize(("source", "expected"), GOOD.items(), ids=list(GOOD))
def test_what_forms_need_is_within_the_bounds(source: str, expected: str, example: tuple[Form, Portfolio]) -> None:
    values = {"year": 2026, "amount": 5_000_000, "text": "a" * 10_000}
    assert form_text(example[0], "heading", source, **values) == expected


@pytest.mark.parametrize(
    ("source", "line", "reason"),
    [
        ("<p>\n{{ 'a' * 2000000000 }}", 2, "过多"),
        ("\n\n{% for i in range(99999999) %}{% endfor %}", 3, "range"),
        ("{{ heading }}\n{{ headline }}", 2, "headline"),
        ("{% include 'nowhere.html' %}", 1, "nowhere.html"),
        ("{% include 'page.html.j2' %}", 1, "RecursionError"),
        ("{% for a in range(9999) %}\n{% for b in range(9999) %}x{% endfor %}{% endfor %}", 2, "过多"),
        ("<p>\n{% endfor %}", 2, "endfor"),
        ("\xff", 1, "UnicodeDecodeError"),
    ],
)
def test_a_page_that_cannot_be_rendered_is_a_problem_of_the_form(
    source: str, line: int, reason: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own = tmp_path / "forms" / "shanghai-target"
    shutil.copytree(TEMPLATES / "shanghai-target", own)
    (own / "page.html.j2").write_bytes(source.encode("latin-1"))
    out = tmp_path / "out.html"
    code = run(["--forms-dir", str(tmp_path / "forms"), "publish", str(EXAMPLE / "2026.yaml"), "-o", str(out)])
    said = capsys.readouterr().err
    assert (code, out.exists(), "Traceback" in said) == (3, False, False)
    assert "template-invalid" in said
    assert reason in said
    assert f"page.html.j2 第 {line} 行" in said


def test_a_fault_of_ours_is_not_called_one_of_the_form() -> None:
    from kpixl.forms.snippets import Faults
    from kpixl.portfolio.print_layout import printed_text

    environment = BoundedEnvironment()
    template = environment.from_string("{{ f(1) }}")
    with pytest.raises(AttributeError), Faults("x"):
        rendered(template, {"f": printed_text}, SMALL)


@pytest.mark.parametrize(
    "condition", ["'a' * 2000000000", "9 ** (9 ** 9)", "range(9)", "(" * 450 + "1" + ")" * 450, "'%2000000000d' % 1"]
)
def test_a_condition_of_a_form_is_bounded_too(condition: str) -> None:
    form = load_form("shanghai-target")
    spec = {
        "rule": "expression",
        "id": "x",
        "field": "name",
        "ensure": condition,
        "message": {"zh": "x", "en": "x"},
        "hint": {"zh": "x", "en": "x"},
    }
    with pytest.raises(KpixlError) as raised:
        checks_of(replace(form, checks={**form.checks, "rules": [spec]}))
    assert [problem.code for problem in raised.value.problems] == ["form-invalid"]
