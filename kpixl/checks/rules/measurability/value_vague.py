"""Rule value-vague: a vague value."""

from __future__ import annotations

from collections.abc import Iterator

from kpixl.checks.rule import ROOTS, Hit, Rule, Subject
from kpixl.checks.rules.measurability.qualitative import Qualitative, content_of, text_values
from kpixl.keys import Key
from kpixl.problems.entry import Entry


def value_vague(p: Qualitative, subject: Subject) -> Iterator[Hit]:
    """Find values made of nothing but filler words: 有效提升."""
    for line, text in text_values(p.rows, subject):
        if content_of(p, text) == "":
            yield Hit(Key(p.rows.table, line.number, p.rows.value), {"name": line.named, "value": line.value})


RULE = Rule(
    "value-vague",
    entry=Entry(
        "warning",
        "“{name}”的指标值“{value}”没有可以核对的内容。",
        "请写出年底能够核对的结果，例如数量、比率、日期或具体成果。",
        "The value {value} of {name} holds nothing that can be verified.",
        "Give a result that can be verified: a number, a rate, a date, or what will exist.",
        category="measurability",
        title=("指标值空泛", "A vague value"),
    ),
    parameters=Qualitative,
    find=value_vague,
    yields_to=ROOTS | {"comparison-no-baseline", "operator-unfit"},
)
