"""Rule deadline-outside: a deadline lies outside the project's dates."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date

from kpixl.checks.rule import Hit, Rule, Subject
from kpixl.checks.rules.compliance.dates import Dates, Deadline, dates_of, deadline_of
from kpixl.forms.values import fold
from kpixl.keys import Key
from kpixl.problems.entry import Entry

_YEAR = re.compile(r"(?<!\d)(20\d\d)年")
_MONTH = re.compile(r"^(?:于|在)?(\d{1,2})月(?:底|末|份|前|\d{1,2}日)")  # 每年3月 and 3个月 name no month of the year


def _within(text: str, start: date, end: date) -> bool:
    """Return whether the date that a text names may lie between two: a day, a month, a year, or a month of the year."""
    if named := deadline_of(text):
        return (start if named[1] else start.replace(day=1)) <= named[0] <= end
    folded = fold(text)
    if years := [int(year) for year in _YEAR.findall(folded)]:
        return all(start.year <= year <= end.year for year in years)
    month = _MONTH.search(folded)
    if month is None or start.year != end.year or not 1 <= int(month[1]) <= 12:
        return True
    return start.month <= int(month[1]) <= end.month


def deadline_outside(p: Deadline, subject: Subject) -> Iterator[Hit]:
    """Find dates of completion that the project's own dates do not hold."""
    dates = dates_of(Dates(p.start, p.end), subject)
    if dates is None or dates[1] < dates[0]:
        return
    for line in subject.lines[p.rows.table]:
        if line.level2 not in p.levels or not isinstance(line.value, str):
            continue
        if not _within(line.value, *dates):
            details = {"name": line.named, "value": line.value, "start": str(dates[0]), "end": str(dates[1])}
            yield Hit(Key(p.rows.table, line.number, p.rows.value), details)


RULE = Rule(
    "deadline-outside",
    entry=Entry(
        "warning",
        "“{name}”写的是 {value}，不在项目起止日期 {start} 至 {end} 之内。",
        "请改为 {end} 或之前，或改正项目起止日期。",
        "{name} says {value}, outside the project's dates {start} to {end}.",
        "Make it {end} or earlier, or correct the dates of the project.",
        category="compliance",
        title=("时效指标超出项目期限", "A deadline lies outside the project's dates"),
    ),
    parameters=Deadline,
    find=deadline_outside,
    follows=frozenset({"dates-outside-year"}),
)
