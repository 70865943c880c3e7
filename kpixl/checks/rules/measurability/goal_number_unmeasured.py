"""Rule goal-number-unmeasured: a number of the goal that no indicator measures."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

from kpixl.checks.parameters import NO_WORDS, FieldKey, Words
from kpixl.checks.rule import Hit, Roles, Rule, RuleLine, Subject
from kpixl.checks.rules.completeness.texts import MARKUP
from kpixl.forms.definition import Value
from kpixl.forms.values import fold, number_text
from kpixl.keys import Key
from kpixl.problems.entry import Entry

LOOKED_AT = 16  # characters before a number
_SCALES = {"": 1, "万": 10_000, "亿": 100_000_000}


@dataclass(frozen=True, slots=True)
class Promised:
    """`units`: groups of units that count the same; `nouns`: a word before a number -> the unit it implies;
    `between`: words that may be between noun and number; `unless`: what may follow a unit that counts nothing;
    `before`: what may be before a number that promises nothing."""

    rows: Roles
    fields: tuple[FieldKey, ...]
    units: tuple[tuple[str, ...], ...]
    nouns: tuple[tuple[Words, tuple[str, ...]], ...]
    between: Words
    unless: Words
    before: Words = NO_WORDS


_DIGITS = r"\d[\d,]{0,20}(?:\.\d{1,6})?"


def _number(end: str) -> str:
    """Write an expression for a number or a range, with groups whose names end in `end`."""
    return rf"(?P<low{end}>{_DIGITS})(?:[-~—～至到](?P<high{end}>{_DIGITS}))?(?P<scale{end}>[万亿]?)"


@lru_cache(maxsize=8)
def _promises(units: tuple[tuple[str, ...], ...], between: str, unless: str, nouns: tuple[str, ...]) -> re.Pattern[str]:
    """Build one expression: number and unit, or noun and number. 第3次 and A4 count nothing."""
    known = sorted((re.escape(unit) for group in units for unit in group), key=len, reverse=True)
    counted = rf"(?<![A-Za-z_\d.第-]){_number('')}(?:余|多)?(?P<unit>{'|'.join(known)})(?!{unless})"
    words = "|".join(f"(?P<noun{n}>{noun})" for n, noun in enumerate(nouns))
    named = rf"(?:{words})(?:{between}){{0,3}}{_number('2')}(?![\d年月日])"
    return re.compile(f"{counted}|{named}")


def goal_number_unmeasured(p: Promised, subject: Subject) -> Iterator[Hit]:
    """Find numbers of the goal for which no indicator has the value, in a unit that counts the same.

    Silent where there is no indicator at all.
    """
    if not subject.lines[p.rows.table]:
        return
    group = {unit: number for number, units in enumerate(p.units) for unit in units}
    pattern = _promises(p.units, p.between.source, p.unless.source, tuple(words.source for words, _ in p.nouns))
    measured = [_measured(line, group) for line in subject.lines[p.rows.table]]
    for key, text in subject.texts(p.fields):
        told = set()
        for found, numbers, unit in _promised(text, pattern, p):
            if (found, unit) in told or _is_measured(numbers, group.get(unit), measured):
                continue
            told.add((found, unit))
            number = "-".join(dict.fromkeys(number_text(n) for n in numbers))
            yield Hit(Key(key), {"label": subject.heading(key), "found": found, "number": f"{number} {unit}"})


def _promised(text: str, pattern: re.Pattern[str], p: Promised) -> Iterator[tuple[str, list[Decimal], str]]:
    """Yield what a text promises: how it is written, its numbers and their unit."""
    bare = fold(MARKUP.sub("", text))
    for match in pattern.finditer(bare):
        if bare[max(0, match.start() - LOOKED_AT) : match.start()] not in p.before:
            yield match[0], *_promise(match, p)


def _measured(line: RuleLine, group: Mapping[str, int]) -> tuple[int | str | None, Value]:
    """Return what a row counts and how many: 2.4 万人次 are 24000 人次.

    A unit that is in no group counts only itself; None is a unit that is missing.
    """
    unit, value = line.unit, line.value
    if unit and unit not in group and isinstance(value, Decimal) and unit[0] in _SCALES:
        unit, value = unit[1:], value * _SCALES[unit[0]]
    return unit and group.get(unit, -1), value


def _promise(match: re.Match[str], p: Promised) -> tuple[list[Decimal], str]:
    found = match.groupdict()
    end = "" if found["low"] else "2"
    unit = found["unit"] or next(units[0] for n, (_, units) in enumerate(p.nouns) if found[f"noun{n}"])
    scale = _SCALES[found[f"scale{end}"]]
    parts = (found[f"low{end}"], found[f"high{end}"])
    return [Decimal(part.replace(",", "")) * scale for part in parts if part], unit


def _is_measured(numbers: Sequence[Decimal], group: int | None, measured: Sequence[tuple[object, object]]) -> bool:
    """Return whether a row has the number; a row that still lacks its value or its unit may turn out to be the one."""
    return any(
        numbers[0] <= value <= numbers[-1] and kind in (group, None)
        if isinstance(value, Decimal)
        else value is None and kind in (group, None)
        for kind, value in measured
    )


RULE = Rule(
    "goal-number-unmeasured",
    entry=Entry(
        "warning",
        "“{label}”中的“{found}”没有对应的绩效指标。",
        "请增加一条指标值为 {number} 的指标，或核对目标与指标的数字是否一致。",
        "{label} promises {found}, which no indicator measures.",
        "Add an indicator with the value {number}, or make goal and indicators agree.",
        category="measurability",
        title=("目标中的数量没有指标", "A number of the goal that no indicator measures"),
    ),
    parameters=Promised,
    find=goal_number_unmeasured,
)
