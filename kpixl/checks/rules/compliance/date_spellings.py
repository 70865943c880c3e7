"""Rule date-spellings: dates are spelled in several ways."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from kpixl.checks.parameters import Item
from kpixl.checks.rule import Hit, Roles, Rule, Subject
from kpixl.checks.rules.compliance.dates import deadline_of
from kpixl.keys import Key
from kpixl.problems.entry import Entry

MAX_SHOWN = 6


@dataclass(frozen=True, slots=True)
class DateSpellings:
    """The kinds of indicator whose text names a date."""

    rows: Roles
    levels: tuple[Item, ...]


def date_spellings(p: DateSpellings, subjects: Sequence[Subject]) -> Iterator[tuple[str, Hit]]:
    """Find one date spelled in several ways; one hit, at the first that is not spelled like most."""
    found: dict[date, dict[str, list[tuple[str, int]]]] = {}
    for day, spelling, place in _dates(p, subjects):
        found.setdefault(day, {}).setdefault(spelling, []).append(place)
    for spellings in found.values():
        if len(spellings) < 2:
            continue
        counts = Counter({text: len(places) for text, places in spellings.items()})
        commonest = counts.most_common(1)[0][0]
        project, number = min((places[0] for text, places in spellings.items() if text != commonest))
        shown_ways = "；".join(f"“{text}” × {count}" for text, count in counts.most_common(MAX_SHOWN))
        details = {"count": len(spellings), "spellings": shown_ways, "commonest": commonest}
        yield project, Hit(Key(p.rows.table, number, p.rows.value), details)


def _dates(p: DateSpellings, subjects: Sequence[Subject]) -> Iterator[tuple[date, str, tuple[str, int]]]:
    """Yield each date that a row names, as it is spelled there, with the project and the number of the row."""
    for subject in subjects:
        for line in subject.lines[p.rows.table]:
            if line.level2 in p.levels and isinstance(line.value, str) and (named := deadline_of(line.value)):
                yield named[0], line.value, (subject.project.id, line.number)


RULE = Rule(
    "date-spellings",
    entry=Entry(
        "info",
        "同一完成日期有 {count} 种写法：{spellings}。",
        "请统一写作“{commonest}”。",
        "Dates of completion are spelled in {count} ways: {spellings}.",
        "Spell all of them like {commonest}.",
        category="compliance",
        title=("完成日期写法不一", "Dates are spelled in several ways"),
    ),
    parameters=DateSpellings,
    find=date_spellings,
    between=True,
)
