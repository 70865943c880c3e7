"""Rule year-other: another year is named."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from kpixl.checks.parameters import FieldKey, Words
from kpixl.checks.rule import Hit, Rule, Subject, around
from kpixl.checks.rules.completeness.texts import MARKUP
from kpixl.forms.values import fold
from kpixl.keys import Key
from kpixl.problems.entry import Entry

_QUOTED = re.compile(r"《[^》]{1,200}》")
_YEAR = re.compile(r"(?<![\d.])((?:19|20)\d\d)年")


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
        match = next(_other_years(p, bare, range(min(years), max(years) + 1)), None)
        if match is not None:
            context = around(bare, *match.span())
            year = subject.year or max(years)
            yield Hit(Key(key), {"label": subject.heading(key), "found": match[1], "year": year, "context": context})


def _other_years(p: YearOther, bare: str, known: range) -> Iterator[re.Match[str]]:
    """Yield the years in a text that are not among those known, outside titles and without a word that refers."""
    quoted = [title.span() for title in _QUOTED.finditer(bare)]
    for match in _YEAR.finditer(bare):
        if any(start < match.start() < end for start, end in quoted):
            continue
        before, after = bare[max(0, match.start() - 6) : match.start()], bare[match.end() : match.end() + 16]
        if int(match[1]) not in known and before not in p.unless and after not in p.after:
            yield match


RULE = Rule(
    "year-other",
    entry=Entry(
        "warning",
        "“{label}”写的是 {found} 年，本表是 {year} 年度：“{context}”。",
        "请核对是否从往年复制而来；如需提到 {found} 年，请说明与本年的关系。",
        "{label} names the year {found}, this form is of {year}: {context}",
        "Check whether it was copied from another year.",
        category="relevance",
        title=("写的是其他年份", "Another year is named"),
    ),
    parameters=YearOther,
    find=year_other,
)
