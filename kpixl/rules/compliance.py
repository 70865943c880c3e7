"""Compliance (合规性): what contradicts the form's lists, dates and rules of writing."""

from __future__ import annotations

import difflib
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import lru_cache

from kpixl.model import Choices, Field, Form, Value
from kpixl.rules.base import ROOTS, Hit, NoParameters, Roles, Rule, Subject, around, shown
from kpixl.rules.completeness import operators_of
from kpixl.rules.parameters import FieldKey, Item, Words
from kpixl.sheets import MAX_ROW_HEIGHT, fitting_height
from kpixl.values import fold, number_text, total

_DATE = re.compile(r"(?<!\d)(\d{4})[年./-](\d{1,2})[月./-](?:(\d{1,2})日?)?(?!\d)")
_YEAR = re.compile(r"(?<!\d)(20\d\d)年")
_MONTH = re.compile(r"^(?:于|在)?(\d{1,2})月(?:底|末|份|前|\d{1,2}日)")  # 每年3月 and 3个月 name no month of the year
_BETWEEN_HAN = re.compile("(?<=[\u4e00-\u9fff])\\s+(?=[\u4e00-\u9fff])")
SMALLEST_PRINT = 6.0  # points
MAX_SHOWN = 6
MAX_NAMED = 8  # items of a list that are named in a hint
SURELY_FITS, SURELY_FITS_LINES = 40, 40  # characters, lines: below them no text is measured


@dataclass(frozen=True, slots=True)
class Dates:
    """The fields in which a project begins and ends."""

    start: FieldKey
    end: FieldKey


def _dates(p: Dates | Deadline, subject: Subject) -> tuple[date, date] | None:
    start, end = subject.project.values[p.start], subject.project.values[p.end]
    return (start, end) if isinstance(start, date) and isinstance(end, date) else None


def dates_reversed(p: Dates, subject: Subject) -> Iterator[Hit]:
    """Find projects that end before they begin."""
    if (dates := _dates(p, subject)) and dates[1] < dates[0]:
        yield Hit(p.end, _date_details(p, subject, dates))


def dates_outside_year(p: Dates, subject: Subject) -> Iterator[Hit]:
    """Find projects of which no day lies in the year of the form."""
    dates = _dates(p, subject)
    if dates is None or subject.year is None or dates[1] < dates[0]:
        return
    if not dates[0].year <= subject.year <= dates[1].year:
        wrong = p.start if dates[0].year > subject.year else p.end
        yield Hit(wrong, {**_date_details(p, subject, dates), "year": subject.year})


def _date_details(p: Dates, subject: Subject, dates: tuple[date, date]) -> dict[str, object]:
    labels = {"start_label": subject.heading(p.start), "end_label": subject.heading(p.end)}
    return {**labels, "start": dates[0].isoformat(), "end": dates[1].isoformat()}


@dataclass(frozen=True, slots=True)
class Deadline:
    """The kinds of indicator whose text names a date, and the dates it must lie between."""

    rows: Roles
    levels: tuple[Item, ...]
    start: FieldKey
    end: FieldKey


@lru_cache(maxsize=4096)
def deadline_of(text: str) -> tuple[date, bool] | None:
    """Read the date that a text names and whether it names the day; a month stands for its first day."""
    match = _DATE.search(fold(text))
    if match is None:
        return None
    try:
        return date(int(match[1]), int(match[2]), int(match[3] or 1)), match[3] is not None
    except ValueError:
        return None


def _within(text: str, start: date, end: date) -> bool:
    """Tell whether the date that a text names may lie between two: a day, a month, a year, or a month of the year."""
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
    dates = _dates(Dates(p.start, p.end), subject)
    if dates is None or dates[1] < dates[0]:
        return
    for line in subject.lines[p.rows.table]:
        if line.level2 not in p.levels or not isinstance(line.value, str):
            continue
        if not _within(line.value, *dates):
            details = {"name": line.named, "value": line.value, "start": str(dates[0]), "end": str(dates[1])}
            yield Hit(f"{p.rows.table}.{line.number}.{p.rows.value}", details)


def _closed(form: Form, fields: Mapping[str, Field]) -> Iterator[tuple[Field, Choices]]:
    for field in fields.values():
        if field.choices and not form.choices[field.choices].open:
            yield field, form.choices[field.choices]


def choice_unlisted(_: NoParameters, subject: Subject) -> Iterator[Hit]:
    """Find values of a closed list that are not in it."""
    form, project = subject.form, subject.project
    for field, choices in _closed(form, form.fields):
        yield from _unlisted(field, choices, field.key, project.values[field.key])
    for table, rows in project.tables.items():
        for field, choices in _closed(form, form.tables[table].columns):
            for number, row in enumerate(rows):
                if row[field.key] not in choices.items:
                    yield from _unlisted(field, choices, f"{table}.{number}.{field.key}", row[field.key])


def _unlisted(field: Field, choices: Choices, key: str, value: Value) -> Iterator[Hit]:
    if isinstance(value, str) and value not in choices.items:
        near = difflib.get_close_matches(fold(value), list(choices.items), 1, 0.5)
        suggestion = (f"，例如“{near[0]}”", f", for example {near[0]}") if near else ("", "")
        if not near and len(choices.items) <= MAX_NAMED:
            named = " ".join(choices.items)
            suggestion = (f"：{named}", f": {named}")
        yield Hit(key, {"label": field.label, "value": value, "suggestion": suggestion})


def level_mismatch(_: NoParameters, subject: Subject) -> Iterator[Hit]:
    """Find items of a list that belong to another item of the list above."""
    form = subject.form
    for table, rows in subject.project.tables.items():
        columns = form.tables[table].columns
        owner = {column.choices: column for column in columns.values() if column.choices}
        for field, choices in _closed(form, columns):
            above = owner.get(choices.parent or "")
            if above is None:
                continue
            for number, row in enumerate(rows):
                parent, value = row[above.key], row[field.key]
                below = choices.children.get(parent, ()) if isinstance(parent, str) else ()
                if below and value in choices.items and value not in below:
                    details = {"value": value, "parent": parent, "items": "、".join(below), "parent_label": above.label}
                    yield Hit(f"{table}.{number}.{field.key}", details)


@dataclass(frozen=True, slots=True)
class OperatorUnfit:
    """The table whose operators and values must go together."""

    rows: Roles


def operator_unfit(p: OperatorUnfit, subject: Subject) -> Iterator[Hit]:
    """Find the qualitative operator beside a number, and others beside a text."""
    qualitative = operators_of(p.rows, subject)[1]
    if qualitative is None:
        return
    for line in subject.lines[p.rows.table]:
        if line.operator is None or line.value is None:
            continue
        if (line.operator == qualitative) == isinstance(line.value, Decimal):
            operators = operators_of(p.rows, subject)[0]
            details = {"name": line.named, "operator": line.operator, "value": shown(line.value)}
            key = f"{p.rows.table}.{line.number}.{p.rows.operator}"
            yield Hit(key, {**details, "operators": operators, "qualitative": qualitative})


@dataclass(frozen=True, slots=True)
class InTexts:
    """What must not stand in these texts."""

    fields: tuple[FieldKey, ...]
    words: Words


def tags_left(p: InTexts, subject: Subject) -> Iterator[Hit]:
    """Find markup."""
    for key, text in subject.texts(p.fields):
        if found := p.words.pattern.findall(text):
            yield Hit(key, {"label": subject.heading(key), "found": " ".join(dict.fromkeys(found))})


def punctuation_doubled(p: InTexts, subject: Subject) -> Iterator[Hit]:
    """Find two stops where one is meant."""
    for key, text in subject.texts(p.fields):
        if match := p.words.pattern.search(text):
            context = around(text, *match.span())
            yield Hit(key, {"label": subject.heading(key), "found": match[0], "context": context})


@dataclass(frozen=True, slots=True)
class Names:
    """Fields that hold a name."""

    fields: tuple[FieldKey, ...]


def name_blank(p: Names, subject: Subject) -> Iterator[Hit]:
    """Find names with a blank between two Chinese characters."""
    for key, text in subject.texts(p.fields):
        fixed = _BETWEEN_HAN.sub("", text)
        if fixed != text:
            yield Hit(key, {"label": subject.heading(key), "value": text, "fixed": fixed})


@dataclass(frozen=True, slots=True)
class DateSpellings:
    """The kinds of indicator whose text names a date."""

    rows: Roles
    levels: tuple[Item, ...]


def date_spellings(p: DateSpellings, subjects: Sequence[Subject]) -> Iterator[tuple[str, Hit]]:
    """Find one date spelled in several ways; one hit, at the first that is not spelled like most."""
    found: dict[date, dict[str, list[tuple[str, int]]]] = {}
    for subject in subjects:
        for line in subject.lines[p.rows.table]:
            if line.level2 in p.levels and isinstance(line.value, str) and (named := deadline_of(line.value)):
                places = found.setdefault(named[0], {}).setdefault(line.value, [])
                places.append((subject.project.id, line.number))
    for spellings in found.values():
        if len(spellings) < 2:
            continue
        counts = Counter({text: len(places) for text, places in spellings.items()})
        commonest = counts.most_common(1)[0][0]
        project, number = min((places[0] for text, places in spellings.items() if text != commonest))
        shown_ways = "；".join(f"“{text}” × {count}" for text, count in counts.most_common(MAX_SHOWN))
        details = {"count": len(spellings), "spellings": shown_ways, "commonest": commonest}
        yield project, Hit(f"{p.rows.table}.{number}.{p.rows.value}", details)


def text_hidden(_: NoParameters, subject: Subject) -> Iterator[Hit]:
    """Find texts that do not fit into Excel's tallest row at the smallest print in their cell of the form."""
    for cell in (*subject.form.layout.head, *subject.form.layout.foot):
        value = subject.project.values.get(cell.key)
        if cell.kind == "value" and isinstance(value, str) and len(value) > SURELY_FITS:
            width = sum(subject.form.layout.widths[cell.col : cell.col + cell.columns])
            if len(value) + value.count("\n") * _room(width) // SURELY_FITS_LINES < _room(width):
                continue
            if fitting_height(value, width, SMALLEST_PRINT, 0) > MAX_ROW_HEIGHT:
                limit = _room(width)
                yield Hit(cell.key, {"label": subject.heading(cell.key), "length": len(value), "limit": limit})


@lru_cache(maxsize=64)
def _room(width: float) -> int:
    """Count, in hundreds, the Chinese characters that a cell can show."""
    length = 100
    while fitting_height("字" * (length + 100), width, SMALLEST_PRINT, 0) <= MAX_ROW_HEIGHT:
        length += 100
    return length


@dataclass(frozen=True, slots=True)
class Weights:
    """A column of numbers and what they add up to."""

    table: str
    column: str
    total: Decimal


def weights(p: Weights, subject: Subject) -> Iterator[Hit]:
    """Find weights that do not add up; silent where one is blank or no number."""
    values = [row[p.column] for row in subject.project.tables[p.table]]
    if not values or any(not isinstance(value, Decimal) for value in values):
        return
    if (added := total(values)) is not None and added != p.total:
        label = subject.form.tables[p.table].columns[p.column].label
        details = {"label": label, "sum": number_text(added), "total": number_text(p.total)}
        yield Hit(f"{p.table}.0.{p.column}", details)


@dataclass(frozen=True, slots=True)
class Amounts:
    """Amounts that are 0 or more."""

    fields: tuple[FieldKey, ...]


def amount_negative(p: Amounts, subject: Subject) -> Iterator[Hit]:
    """Find negative amounts; a total only where none of its parts is one."""
    values = subject.project.values
    negative = {key for key, value in values.items() if isinstance(value, Decimal) and value < 0}
    for key in p.fields:
        if key in negative and not negative.intersection(subject.form.fields[key].sum):
            yield Hit(key, {"label": subject.heading(key), "amount": shown(values[key])})


RULES = (
    Rule("dates-reversed", Dates, dates_reversed),
    Rule("dates-outside-year", Dates, dates_outside_year),
    Rule("deadline-outside", Deadline, deadline_outside, follows=frozenset({"dates-outside-year"})),
    Rule("choice-unlisted", NoParameters, choice_unlisted),
    Rule("level-mismatch", NoParameters, level_mismatch),
    Rule("operator-unfit", OperatorUnfit, operator_unfit, yields_to=ROOTS | {"choice-unlisted"}),
    Rule("tags-left", InTexts, tags_left),
    Rule("punctuation-doubled", InTexts, punctuation_doubled),
    Rule("name-blank", Names, name_blank),
    Rule("date-spellings", DateSpellings, date_spellings, between=True),
    Rule("text-hidden", NoParameters, text_hidden),
    Rule("weights", Weights, weights),
    Rule("amount-negative", Amounts, amount_negative),
)
