"""Measurability (可衡量性): targets that nobody could check at the end of the year."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

from kpixl.model import Value
from kpixl.rules.base import ROOTS, Hit, Line, Roles, Rule, Subject, shown
from kpixl.rules.completeness import MARKUP
from kpixl.rules.parameters import NO_WORDS, FieldKey, Item, Words
from kpixl.values import fold, number_text

HUNDRED = Decimal(100)
LOOKED_AT = 16  # characters before a number
_SCALES = {"": 1, "万": 10_000, "亿": 100_000_000}


# --- rates ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Rates:
    """Names of rates, their units, and names of rates that may pass 100 (growth)."""

    rows: Roles
    names: Words
    units: tuple[str, ...]
    unless: Words


def _rates(p: Rates, subject: Subject) -> Iterator[tuple[Line, Decimal]]:
    for line in subject.lines[p.rows.table]:
        # Names are looked at last: most values lie between, where nothing is wrong.
        if isinstance(line.value, Decimal) and line.unit in p.units and not 1 < line.value < HUNDRED:
            name = line.folded
            if name in p.names and name not in p.unless:
                yield line, line.value


def rate_over_100(p: Rates, subject: Subject) -> Iterator[Hit]:
    """Find rates over 100 %; an operator that says more than 100 is one."""
    for line, value in _rates(p, subject):
        if value > HUNDRED or (value == HUNDRED and line.operator == ">"):
            details = {"name": line.named, "target": line.target, "value": shown(value), "meant": _misread(value)}
            yield Hit(f"{p.rows.table}.{line.number}.{p.rows.value}", details)


def _misread(value: Decimal) -> tuple[str, str]:
    """Guess what was typed: a 2 in front may be a ≥ that was recognised badly."""
    rest = shown(value)[1:]
    if shown(value).startswith("2") and rest[:1].isdigit() and Decimal(rest) <= HUNDRED:
        return f"是否应为 ≥{rest}（“≥”误作“2”）", f"is it ≥{rest}, with the ≥ taken for a 2"
    return "是否多写了一位", "is there a digit too many"


def rate_at_least_100(p: Rates, subject: Subject) -> Iterator[Hit]:
    """Find ≥100 %."""
    for line, value in _rates(p, subject):
        if value == HUNDRED and line.operator == "≥":
            details = {"name": line.named, "target": line.target}
            yield Hit(f"{p.rows.table}.{line.number}.{p.rows.operator}", details)


def rate_fraction(p: Rates, subject: Subject) -> Iterator[Hit]:
    """Find 0.95 % where 95 % is meant."""
    for line, value in _rates(p, subject):
        if 0 < value <= 1 and line.operator not in ("≤", "<"):
            details = {"name": line.named, "target": line.target, "meant": number_text(value * 100)}
            yield Hit(f"{p.rows.table}.{line.number}.{p.rows.value}", details)


# --- units and operators ----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class UnitUnfit:
    """What a name says -> the units that go with it; the first that matches decides."""

    rows: Roles
    fits: tuple[tuple[Words, tuple[str, ...]], ...]


def unit_unfit(p: UnitUnfit, subject: Subject) -> Iterator[Hit]:
    """Find units that do not go with the name."""
    for line in subject.lines[p.rows.table]:
        if line.unit is None or not isinstance(line.value, Decimal):
            continue
        units = _usual_units(p, line.folded)
        if units and line.unit not in units:
            details = {"name": line.named, "unit": line.unit, "units": "、".join(units)}
            yield Hit(f"{p.rows.table}.{line.number}.{p.rows.unit}", details)


def _usual_units(p: UnitUnfit, name: str) -> tuple[str, ...]:
    return next((units for words, units in p.fits if name in words), ())


@dataclass(frozen=True, slots=True)
class Direction:
    """`names` (or any name under `levels`, unless it is one of `unless`) go with `operators`."""

    rows: Roles
    names: Words
    unless: Words
    wrong: tuple[str, ...]
    operators: tuple[str, ...]
    levels: tuple[Item, ...] = ()


def operator_direction(p: Direction, subject: Subject) -> Iterator[Hit]:
    """Find operators that point the wrong way: a cost of at least, a satisfaction of at most."""
    for line in subject.lines[p.rows.table]:
        if line.operator not in p.wrong or not isinstance(line.value, Decimal):
            continue
        name = line.folded
        if (name in p.names or line.level1 in p.levels) and name not in p.unless:
            details = {"name": line.named, "operator": line.operator, "operators": " ".join(p.operators)}
            yield Hit(f"{p.rows.table}.{line.number}.{p.rows.operator}", details)


# --- values that are text ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Qualitative:
    """`fillers`: words that say nothing by themselves; `unless`: values that can be verified although short."""

    rows: Roles
    fillers: Words
    unless: Words


def _texts(rows: Roles, subject: Subject) -> Iterator[tuple[Line, str]]:
    for line in subject.lines[rows.table]:
        if isinstance(line.value, str):
            yield line, fold(line.value)


def _left(p: Qualitative, text: str) -> str | None:
    """Return what a value says beyond fillers; None where it can be verified."""
    if text in p.unless or any(c.isdigit() for c in text):
        return None
    return re.sub(r"\W", "", p.fillers.pattern.sub("", text))


def value_vague(p: Qualitative, subject: Subject) -> Iterator[Hit]:
    """Find values made of nothing but filler words: 有效提升."""
    for line, text in _texts(p.rows, subject):
        if _left(p, text) == "":
            yield Hit(f"{p.rows.table}.{line.number}.{p.rows.value}", {"name": line.named, "value": line.value})


def value_tautology(p: Qualitative, subject: Subject) -> Iterator[Hit]:
    """Find values that, fillers apart, only repeat the name of the indicator, in whatever order."""
    for line, text in _texts(p.rows, subject):
        if (rest := _left(p, text)) and Counter(rest) <= Counter(line.folded):
            yield Hit(f"{p.rows.table}.{line.number}.{p.rows.value}", {"name": line.named, "value": line.value})


@dataclass(frozen=True, slots=True)
class Comparison:
    """Words that compare with another time."""

    rows: Roles
    words: Words


def comparison_no_baseline(p: Comparison, subject: Subject) -> Iterator[Hit]:
    """Find comparisons without any number."""
    for line, text in _texts(p.rows, subject):
        if text in p.words and not any(c.isdigit() for c in text):
            yield Hit(f"{p.rows.table}.{line.number}.{p.rows.value}", {"name": line.named, "value": line.value})


@dataclass(frozen=True, slots=True)
class AllQualitative:
    """An item of level 1 of which at least one row has a number."""

    rows: Roles
    level: Item


def benefit_qualitative(p: AllQualitative, subject: Subject) -> Iterator[Hit]:
    """Find projects of which every row of the level is text."""
    lines = [line for line in subject.lines[p.rows.table] if line.level1 == p.level and line.value is not None]
    if lines and all(isinstance(line.value, str) for line in lines):
        key = f"{p.rows.table}.{lines[0].number}.{p.rows.value}"
        yield Hit(key, {"count": len(lines), "level": p.level})


# --- numbers promised -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Promised:
    """`units`: groups of units that count the same; `nouns`: a word before a number -> the unit it stands for;
    `between`: words that may stand between noun and number; `unless`: what may follow a unit that counts nothing;
    `before`: what may stand before a number that promises nothing."""

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
        bare = fold(MARKUP.sub("", text))
        for match in pattern.finditer(bare):
            if bare[max(0, match.start() - LOOKED_AT) : match.start()] in p.before:
                continue
            numbers, unit = _promise(match, p)
            if (match[0], unit) in told or _is_measured(numbers, group.get(unit), measured):
                continue
            told.add((match[0], unit))
            number = "-".join(dict.fromkeys(number_text(n) for n in numbers))
            yield Hit(key, {"label": subject.heading(key), "found": match[0], "number": f"{number} {unit}"})


def _measured(line: Line, group: Mapping[str, int]) -> tuple[int | str | None, Value]:
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
    """Tell whether a row has the number; a row that still lacks its value or its unit may turn out to be the one."""
    return any(
        numbers[0] <= value <= numbers[-1] and kind in (group, None)
        if isinstance(value, Decimal)
        else value is None and kind in (group, None)
        for kind, value in measured
    )


RULES = (
    Rule("rate-over-100", Rates, rate_over_100),
    Rule("rate-at-least-100", Rates, rate_at_least_100),
    Rule("rate-fraction", Rates, rate_fraction),
    Rule("unit-unfit", UnitUnfit, unit_unfit),
    Rule("operator-direction", Direction, operator_direction),
    Rule("value-vague", Qualitative, value_vague, yields_to=ROOTS | {"comparison-no-baseline", "operator-unfit"}),
    Rule("value-tautology", Qualitative, value_tautology, yields_to=ROOTS | {"comparison-no-baseline"}),
    Rule("comparison-no-baseline", Comparison, comparison_no_baseline),
    Rule("benefit-qualitative", AllQualitative, benefit_qualitative),
    Rule("goal-number-unmeasured", Promised, goal_number_unmeasured),
)
