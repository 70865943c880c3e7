"""Rule value-tautology: a value that repeats its name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from kpixl.checks.rule import ROOTS, Hit, Rule, Subject
from kpixl.checks.rules.measurability.qualitative import Qualitative, content_of, text_values
from kpixl.keys import Key
from kpixl.problems.entry import Entry


def value_tautology(p: Qualitative, subject: Subject) -> Iterator[Hit]:
    """Find values that, fillers apart, only repeat the name of the indicator, in whatever order."""
    for line, text in text_values(p.rows, subject):
        if (rest := content_of(p, text)) and Counter(rest) <= Counter(line.folded):
            yield Hit(Key(p.rows.table, line.number, p.rows.value), {"name": line.named, "value": line.value})


RULE = Rule(
    "value-tautology",
    entry=Entry(
        "warning",
        "“{name}”的指标值“{value}”只是重复了指标名称。",
        "请写出做到什么程度算完成，例如数量、比率、日期或具体成果。",
        "The value {value} of {name} only repeats its name.",
        "Say when it counts as reached: a number, a rate, a date, or what will exist.",
        category="measurability",
        title=("指标值重复名称", "A value that repeats its name"),
    ),
    parameters=Qualitative,
    find=value_tautology,
    yields_to=ROOTS | {"comparison-no-baseline"},
)
