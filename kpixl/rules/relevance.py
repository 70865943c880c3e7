"""Relevance (相关性): what stands in the wrong place, twice, or in the wrong project."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from kpixl.rules.base import Hit, Roles, Rule, Subject, around
from kpixl.rules.completeness import MARKUP
from kpixl.rules.parameters import NO_WORDS, FieldKey, Item, Words
from kpixl.values import fold

_CLAUSES = re.compile(r"[,。;!?\n]")
_SENTENCES = re.compile(r"[。;!?\n]")
_QUOTED = re.compile(r"《[^》]{1,200}》")
_YEAR = re.compile(r"(?<![\d.])((?:19|20)\d\d)年")


@dataclass(frozen=True, slots=True)
class Misplaced:
    """Names that do not belong under `levels`; `better` is where they do."""

    rows: Roles
    levels: tuple[Item, ...]
    names: Words
    better: tuple[Item, ...]
    unless: Words = NO_WORDS


def misplaced(p: Misplaced, subject: Subject) -> Iterator[Hit]:
    """Find names under a level that they do not belong to."""
    for line in subject.lines[p.rows.table]:
        if line.level2 in p.levels and line.folded in p.names and line.folded not in p.unless:
            details = {"name": line.named, "level": line.level2, "better": "、".join(p.better)}
            yield Hit(f"{p.rows.table}.{line.number}.{p.rows.name}", details)


@dataclass(frozen=True, slots=True)
class Duplicates:
    """The table in which no name stands twice."""

    rows: Roles


def indicator_duplicate(p: Duplicates, subject: Subject) -> Iterator[Hit]:
    """Find names that stand in several rows; one hit, at the second."""
    places: dict[str, list[int]] = {}
    for line in subject.lines[p.rows.table]:
        if line.name:
            places.setdefault(line.folded, []).append(line.number)
    for numbers in places.values():
        if len(numbers) > 1:
            rows = "、".join(str(number + 1) for number in numbers)
            name = subject.lines[p.rows.table][numbers[0]].name
            details = {"name": name, "count": len(numbers), "rows": rows}
            yield Hit(f"{p.rows.table}.{numbers[1]}.{p.rows.name}", details)


@dataclass(frozen=True, slots=True)
class Repeated:
    """Texts, and how many characters a clause has that should not come twice."""

    fields: tuple[FieldKey, ...]
    least: int


def sentence_repeated(p: Repeated, subject: Subject) -> Iterator[Hit]:
    """Find sentences and clauses that come twice; one hit for each text, at its longest."""
    for key, text in subject.texts(p.fields):
        bare = fold(MARKUP.sub("", text))
        whole = [s for s in _SENTENCES.split(bare) if "," in s]
        clauses = [c for c in (*whole, *_CLAUSES.split(bare)) if len(c) >= p.least]
        if len(set(clauses)) < len(clauses):
            counts = Counter(clauses)
            found = max((c for c in clauses if counts[c] > 1), key=len)
            yield Hit(key, {"label": subject.heading(key), "found": found, "count": counts[found]})


@dataclass(frozen=True, slots=True)
class YearOther:
    """`unless`: words just before a year that refer to another year on purpose; `after`: those just after it."""

    fields: tuple[FieldKey, ...]
    start: FieldKey
    end: FieldKey
    unless: Words
    after: Words


def year_other(p: YearOther, subject: Subject) -> Iterator[Hit]:
    """Find a year that is not the form's nor one of the project's; titles in 《》 and references are let be."""
    dates = [subject.project.values[key] for key in (p.start, p.end)]
    years = [d.year for d in dates if isinstance(d, date)] + ([subject.year] if subject.year else [])
    if not years:
        return
    for key, text in subject.texts(p.fields):
        bare = fold(MARKUP.sub("", text))
        quoted = [title.span() for title in _QUOTED.finditer(bare)]
        for match in _YEAR.finditer(bare):
            if any(start < match.start() < end for start, end in quoted):
                continue
            before, after = bare[max(0, match.start() - 6) : match.start()], bare[match.end() : match.end() + 16]
            if min(years) <= int(match[1]) <= max(years) or before in p.unless or after in p.after:
                continue
            context = around(bare, *match.span())
            year = subject.year or max(years)
            yield Hit(key, {"label": subject.heading(key), "found": match[1], "year": year, "context": context})
            break


RULES = (
    Rule("rate-as-quantity", Misplaced, misplaced),
    Rule("quantity-as-quality", Misplaced, misplaced),
    Rule("indicator-duplicate", Duplicates, indicator_duplicate),
    Rule("sentence-repeated", Repeated, sentence_repeated),
    Rule("year-other", YearOther, year_other),
)
