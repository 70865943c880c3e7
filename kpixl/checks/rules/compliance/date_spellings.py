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
    for spellings in _spellings(p, subjects).values():
        if len(spellings) < 2:
            continue
        counts = Counter({text: len(places) for text, places in spellings.items()})
        commonest = counts.most_common(1)[0][0]
        project, number = min((places[0] for text, places in spellings.items() if text != commonest))
        shown_ways = "；".join(f"“{text}” × {count}" for text, count in counts.most_common(MAX_SHOWN))
        details = {"count": len(spellings), "spellings": shown_ways, "commonest": commonest}
        yield project, Hit(Key(p.rows.table, number, p.rows.value), details)


def _spellings(p: DateSpellings, subjects: Sequence[Subject]) -> dict[date, dict[str, list[tuple[str, int]]]]:
    """Gather the texts that name each date, and of each text the projects and rows that hold it."""
    found: dict[date, dict[str, list[tuple[str, int]]]] = {}
    for subject in subjects:
        for line in subject.lines[p.rows.table]:
            if line.level2 in p.levels and isinstance(line.value, str) and (named := deadline_of(line.value)):
                places = found.setdefault(named[0], {}).setdefault(line.value, [])
                places.append((subject.project.id, line.number))
    return found


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
