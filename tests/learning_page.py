"""docs/learning.md: what `kpixl forms learn` finds in drawn forms and in blank templates. Made by docs/generate.py."""

from __future__ import annotations

from collections.abc import Iterator

from kpixl import yaml_text
from kpixl.forms.load import load_forms, parse_form
from kpixl.learn.roundtrip import round_trip
from tests.learn.drawn import CASES, cases, draw
from tests.learn.measure import Measured, learnt, measure, measure_template
from tests.strategies import FORM_IDS, form_of

INTRODUCTION = """\
# How well a form is learnt from a workbook

`kpixl forms learn BLANK.xlsx -o my-form/` proposes a definition of a form that has none
([forms.md](forms.md#learn-a-form-from-a-workbook)). Each line below is a workbook of such a form, drawn from
[tests/cases/learn](../tests/cases/learn) after layouts that places publish, with made-up contents; `tests/learn` holds
the results. A value counts as right where its label, the cell in which it is typed and its type are, a column of a
table where its heading and its type are. Law 1: portfolios made for the proposed definition come back equal, to the
byte, from its own template. Weak: what is not read any more where a row was inserted and the sheet id is gone; `kpixl
forms test` names it.

The forms of *further* were drawn when the rules were made. In what they found at first, 74 parts were right, 14 wrong
and 21 missed; the rules were then mended. Those of *unseen* are by someone who had not read the rules: seven forms, 60
parts right, 10 wrong, none missed. Two are left out, as nothing in their sheets tells the types of blank cells.
"""


def page() -> str:
    """Write the page."""
    return "\n".join([INTRODUCTION, *_drawn(), "", *_templates()]) + "\n"


def _drawn() -> Iterator[str]:
    total = Measured()
    yield "| form | right | wrong | missed | to be checked | law 1 | weak |"
    yield "|---|---:|---:|---:|---:|---|---:|"
    for path in sorted(CASES.glob("*.yaml")):
        yield f"| **{path.stem}** | | | | | | |"
        for case in cases(path.stem):
            drawn = draw(case)
            learned = learnt(drawn)
            found = measure(drawn, learned)
            yield _line(case["name"], found, len(learned.unsure), learned.text)
            for part in ("right", "wrong", "missed"):
                getattr(total, part).extend(getattr(found, part))
    yield f"| all | {len(total.right)} | {len(total.wrong)} | {len(total.missed)} | | | |"


def _templates() -> Iterator[str]:
    yield "## Blank templates of definitions\n"
    yield "Of forms that come with kpixl, and of those of the tests. That a text is kept as its cell displays it"
    yield "(`displayed`) cannot be seen in a sheet, so that it counts as wrong.\n"
    yield "| definition | right | wrong | missed | to be checked | law 1 | weak |"
    yield "|---|---:|---:|---:|---:|---|---:|"
    for form_id in dict.fromkeys((*load_forms(), *FORM_IDS)):
        found, learned = measure_template(form_of(form_id))
        yield _line(form_id, found, len(learned.unsure), learned.text)


def _line(name: str, found: Measured, unsure: int, text: str) -> str:
    codes = [problem.code for problem in round_trip(parse_form(yaml_text.parse(text)))]
    weak = codes.count("definition-label-weak")
    holds = "holds" if len(codes) == weak else "broken"
    counts = (len(found.right), len(found.wrong), len(found.missed), unsure)
    return f"| {name} | {' | '.join(map(str, counts))} | {holds} | {weak or ''} |"
