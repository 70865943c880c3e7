"""Rule dates-outside-year: the dates are of another year."""

from __future__ import annotations

from collections.abc import Iterator

from kpixl.checks.rule import Hit, Rule, Subject
from kpixl.checks.rules.compliance.dates import Dates, date_details, dates_of
from kpixl.keys import Key
from kpixl.problems.entry import Entry


def dates_outside_year(p: Dates, subject: Subject) -> Iterator[Hit]:
    """Find projects of which no day lies in the year of the form."""
    dates = dates_of(p, subject)
    if dates is None or subject.year is None or dates[1] < dates[0]:
        return
    if not dates[0].year <= subject.year <= dates[1].year:
        wrong = p.start if dates[0].year > subject.year else p.end
        yield Hit(Key(wrong), {**date_details(p, subject, dates), "year": subject.year})


RULE = Rule(
    "dates-outside-year",
    entry=Entry(
        "warning",
        "“{start_label}”{start} 至“{end_label}”{end} 不在 {year} 年度内。",
        "请核对日期；本表申报的是 {year} 年度的目标。",
        "{start_label} {start} to {end_label} {end} does not touch the year {year}.",
        "Check the dates: the targets are those of {year}.",
        category="compliance",
        title=("日期不在本年度", "The dates are of another year"),
    ),
    parameters=Dates,
    find=dates_outside_year,
)
