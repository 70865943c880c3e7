"""Rule dates-reversed: the end is before the start."""

from __future__ import annotations

from collections.abc import Iterator

from kpixl.checks.rule import Hit, Rule, Subject
from kpixl.checks.rules.compliance.dates import Dates, date_details, dates_of
from kpixl.keys import Key
from kpixl.problems.entry import Entry


def dates_reversed(p: Dates, subject: Subject) -> Iterator[Hit]:
    """Find projects that end before they begin."""
    if (dates := dates_of(p, subject)) and dates[1] < dates[0]:
        yield Hit(Key(p.end), date_details(p, subject, dates))


RULE = Rule(
    "dates-reversed",
    entry=Entry(
        "error",
        "“{end_label}”{end} 早于“{start_label}”{start}。",
        "请改正其中一个日期。",
        "{end_label} {end} is before {start_label} {start}.",
        "Correct one of the two dates.",
        category="compliance",
        title=("完成早于开始", "The end is before the start"),
    ),
    parameters=Dates,
    find=dates_reversed,
)
