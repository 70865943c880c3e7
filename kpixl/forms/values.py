"""Cells and values: texts folded for comparison, numbers without rounding, targets; the types are in forms.types.

Reading never loses anything: what is not of its type stays the text that was typed.
Spellings seen in returned files are listed in design/DOMAIN.md section 5.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple, TypeGuard

from kpixl.forms.definition import Choices, Row, Target, Value
from kpixl.forms.unit_text import is_unit

# What a cell can give: calamine's types, openpyxl's and YAML's.
Raw = str | int | float | bool | Decimal | date | datetime | time | timedelta | None

MAX_CELL_TEXT = 32_767  # Excel, in UTF-16 units
MAX_DIGITS = 24  # no number is longer when spelled out; below the 28 that Decimal keeps, so that sums stay exact
FLOAT_DIGITS = 15  # decimal digits that a double always keeps
INTEGER_DIGITS = 18  # decimal digits that a 64-bit integer always keeps
EXCEL_EPOCH = date(1899, 12, 30)
SERIAL_DAYS = range(20_000, 80_000)  # 1954 to 2119: serial numbers that can be meant as a date
SERIAL_LENGTH = 5  # digits of such a number


class Reading(NamedTuple):
    """A value and whether it was read otherwise than plainly (then the person is told)."""

    value: Value
    noted: bool = False


BLANK = Reading(None)


# --- text -------------------------------------------------------------------------------------

_UNSEEN = "\u200b\u200c\u200d\u2060\ufeff\u00ad"
INVISIBLE = dict.fromkeys(map(ord, _UNSEEN))


@lru_cache(maxsize=65_536)
def fold(text: str) -> str:
    """Fold a label or choice for comparison: width, white space, invisible characters, trailing colons, case."""
    folded = unicodedata.normalize("NFKC", text).translate(INVISIBLE)
    return "".join(folded.split()).rstrip(":").casefold()


def is_blank(raw: Raw) -> bool:
    """Return whether a cell holds nothing that a person can see."""
    if not isinstance(raw, str):
        return raw is None
    return not raw or raw.isspace() or (raw[0] in _UNSEEN and not raw.translate(INVISIBLE).strip())


def text_of(raw: Raw) -> str:
    """Spell a cell's content as the person sees it."""
    if isinstance(raw, str):
        return raw
    if isinstance(raw, bool):
        return "TRUE" if raw else "FALSE"
    if isinstance(raw, int | float | Decimal):
        return number_text(to_decimal(raw))
    if isinstance(raw, datetime):
        return raw.date().isoformat() if raw.time() == time() else raw.isoformat(sep=" ")
    if isinstance(raw, timedelta):  # longer than a day, as Excel shows it: 30:00:00
        minutes, seconds = divmod(int(raw.total_seconds()), 60)
        return f"{minutes // 60}:{minutes % 60:02}:{seconds:02}"
    return "" if raw is None else str(raw)


def utf16_length(text: str) -> int:
    """Count characters the way Excel does."""
    return len(text) + sum(c > "\uffff" for c in text)


_REFUSED = re.compile("[\ud800-\udfff\ufffe\uffff]")


def refused_character(text: str) -> str | None:
    """Return the first character that XML, hence Excel, cannot store even when escaped; None if there is none."""
    if text.isascii():
        return None
    return f"U+{ord(found[0]):04X}" if (found := _REFUSED.search(text)) else None


def storable(text: str) -> str:
    """Put the replacement character where one stands that neither Excel nor the portfolio's text can store."""
    return text if text.isascii() else _REFUSED.sub("\ufffd", text)


def read_choice(raw: Raw, choices: Choices | None) -> Reading:
    """Read an item of a list: equal after folding is the item; any other text stays as typed."""
    if is_blank(raw):
        return BLANK
    text = text_of(raw)
    if choices is None or text in choices.items:
        return Reading(text)
    item = _folded_items(choices).get(fold(text))
    return Reading(text) if item is None else Reading(item, True)


_FOLDED: dict[int, tuple[Choices, Mapping[str, str]]] = {}


def _folded_items(choices: Choices) -> Mapping[str, str]:
    # Keyed by identity (a Choices holds dicts and cannot be hashed); the object is kept so that its id stays its own.
    known = _FOLDED.get(id(choices))
    if known is None:
        folded = {fold(synonym): item for item, synonyms in choices.items.items() for synonym in synonyms}
        folded |= {fold(item): item for item in choices.items}
        known = _FOLDED[id(choices)] = (choices, folded)
    return known[1]


# --- numbers ----------------------------------------------------------------------------------

_OTHER_DIGITS = re.compile("[\u00b2\u00b3\u00b9\u2070-\u209c\u2460-\u24ff\u2776-\u2793]")  # 10², ①, ⑴
_THOUSANDS = re.compile(r"(?<!\d)\d{1,3}(?:[^\S\n\r]\d{3})+(?!\d)", re.ASCII)
_SPACED_COMMA = re.compile(r"\s*,\s*")


def as_typed(text: str, *numbers: str) -> bool:
    """Return whether numbers that were read from a text stand in it, be it in full width or in groups of three.

    Folding makes 102 of 10², and leaving out white space 5060 of "50 60".
    """
    if all(number in text for number in numbers):
        return True
    plain = unicodedata.normalize("NFKC", _OTHER_DIGITS.sub("?", text)).translate(INVISIBLE)
    plain = _THOUSANDS.sub(lambda m: "".join(m[0].split()), _SPACED_COMMA.sub(",", plain))
    return all(number in plain for number in numbers)


# Commas only where they part thousands: 2,00 may mean 2 or 200, so it stays text.
DIGITS = r"(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?"
PLAIN_DIGITS = re.compile(rf"-?{DIGITS}", re.ASCII)
OCTOBER = re.compile(r"(?:19|20)\d\d\.10", re.ASCII)  # 2026.10 is no 2026.1
PLAIN_NUMBER = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?", re.ASCII)


def to_decimal(number: float | Decimal) -> Decimal:
    """Convert a number to the Decimal of the 15 digits that Excel shows and lets people type.

    A file may hold 17: what formulas leave, 0.30000000000000004, would make totals differ from their parts.
    """
    return Decimal(f"{number:.15g}") if isinstance(number, float) else Decimal(number)


def number_text(number: Decimal) -> str:
    """Spell a number without exponent and without idle zeros: 600000, 0.5."""
    if not number:
        return "0"
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def fits_float(number: Decimal) -> bool:
    """Return whether a double, hence an Excel number, keeps every digit."""
    if abs(number.adjusted()) >= 300:
        return False
    # Few characters are few digits; taking a number apart costs five times as much.
    return len(str(number)) <= FLOAT_DIGITS or len(number.normalize().as_tuple().digits) <= FLOAT_DIGITS


def digits_lost(raw: Raw) -> bool:
    """Return whether a cell holds a number with more digits than Excel keeps: a code that was typed as a number."""
    return is_number(raw) and abs(raw) >= 10**FLOAT_DIGITS


def bounded(number: Decimal) -> Decimal | None:
    """Return a number that is no longer than any that is kept (-0 as 0), else None."""
    if not number.is_finite() or abs(number.adjusted()) > MAX_DIGITS or len(number_text(number)) > MAX_DIGITS:
        return None
    return number + 0


def spelled(text: str) -> Decimal | None:
    """Read digits with or without commas; None where the number would become too long."""
    digits = text.replace(",", "")
    return None if len(digits) > 2 * MAX_DIGITS else bounded(Decimal(digits))


def is_number(raw: Raw) -> TypeGuard[int | float | Decimal]:
    """Return whether a cell holds a number."""
    return isinstance(raw, int | float | Decimal) and not isinstance(raw, bool)


def maybe_percent(number: float | Decimal) -> bool:
    """Return whether a number without a unit can be what a cell holds that shows per cent: 0.95, 1, 2."""
    return -10 <= number <= 10


def plain_number(raw: float | Decimal) -> Reading:
    """Read a cell that holds a number; one that is too long or none at all stays as it is spelled."""
    number = bounded(to_decimal(raw))
    return Reading(str(raw)) if number is None else Reading(number)


# --- targets ----------------------------------------------------------------------------------

_TARGET = re.compile(rf"(?P<op>[≥≤=><]?)(?P<number>-?{DIGITS})(?P<rest>(?![\d,.]).*)", re.ASCII | re.DOTALL)
_WRAPPED_UNIT = re.compile(r"\((?P<unit>[^()]+)\)")
_SUFFIX_OPERATORS = {"及以上": "≥", "以上": "≥", "及以下": "≤", "以下": "≤", "以内": "≤"}


class TargetReading(NamedTuple):
    """The three parts of a target, and whether they were read otherwise than plainly."""

    operator: str | None
    value: Decimal
    unit: str | None
    noted: bool


def read_target(text: str, operators: Choices, units: Choices) -> TargetReading | None:
    """Read a target typed or printed in one cell, `≥100.00(人)`; None where it is text such as 合规.

    A unit without brackets that no list has is kept as typed, unless it may be no unit: 2026年12月31日前 is no number.
    """
    folded = unicodedata.normalize("NFKC", text).translate(INVISIBLE).strip()
    printed = folded
    symbol, folded = leading_operator("".join(folded.split()), operators)
    match = _TARGET.fullmatch(folded)
    if not match or match["op"] or (symbol is None and not match["rest"] and OCTOBER.fullmatch(folded)):
        return None
    typed, rest = match["number"], match["rest"]
    number = spelled(typed)
    if number is None or re.match(r"-?0\d", typed) or not as_typed(text, typed.lstrip("-")):
        return None
    for suffix, meant in _SUFFIX_OPERATORS.items():
        if symbol in (None, meant) and rest.endswith(suffix):  # ≥80%以上 says the same twice
            symbol, rest = meant, rest.removesuffix(suffix)
    unit = _target_unit(text, typed, rest, units, operator=symbol is not None) if rest else ""
    if unit is None:
        return None
    plain = f"{symbol or ''}{typed}({unit})" if unit else f"{symbol or ''}{typed}"
    return TargetReading(symbol, number, unit or None, printed != plain or text.strip() != printed)


def _target_unit(text: str, number: str, rest: str, units: Choices, *, operator: bool) -> str | None:
    """Return the unit that is behind the number of a target; None where it may be no unit. `text`: the whole target."""
    wrapped = _WRAPPED_UNIT.fullmatch(rest)
    unit = wrapped["unit"] if wrapped else rest
    known = read_choice(unit, units).value
    if known in units.items:
        return str(known)
    typed = _as_typed_end(text, f"({unit})")[1:-1] if wrapped else _as_typed_end(text, unit)
    spellings = (unit, typed)  # ㎡ is a unit, and so is 人／年 once it is folded
    likely = units.open and any(is_unit(one, number, operator=operator) for one in spellings)
    return typed if wrapped or likely else None


def _as_typed_end(text: str, folded: str) -> str:
    """Return the end of a text as it was typed, which reads so when folded: ℃ is folded to °C."""
    typed = "".join(text.translate(INVISIBLE).split())
    ends = (typed[start:] for start in range(len(typed)))
    return next((end for end in ends if unicodedata.normalize("NFKC", end) == folded), folded)


def leading_operator(text: str, operators: Choices) -> tuple[str | None, str]:
    """Return the operator that a folded text begins with, None where with none, and the rest of the text."""
    spellings = sorted(_folded_items(operators).items(), key=lambda pair: -len(pair[0]))
    for spelling, item in spellings:
        if item != operators.qualitative and text.casefold().startswith(spelling):
            return item, text[len(spelling) :]
    return None, text


def tidy_target(row: dict[str, Value], target: Target, operators: Choices, units: Choices) -> bool:
    """Split a target that was typed whole into its value cell, in place in a fresh `row`; tell whether it did.

    `≥90%` beside a blank or equal operator and unit is operator ≥, value 90, unit %.
    """
    value, operator, unit = row[target.value], row[target.operator], row[target.unit]
    if not isinstance(value, str) or len(value) > 40 or operator == operators.qualitative:
        return False
    read = read_target(value, operators, units)
    if read is None:
        return False
    if operator is not None and read.operator not in (None, operator):
        return False
    if unit is not None and read.unit not in (None, unit):
        return False
    row[target.operator] = operator if operator is not None else read.operator
    row[target.value] = read.value
    row[target.unit] = unit if unit is not None else read.unit
    return True


def target_text(row: Row, target: Target) -> str:
    """Print a target in one cell as the official form does: ≥100.00(人), 合规; where that is `plain`, ≥100人.

    A unit that would not be read again without its brackets keeps them.
    """
    value, unit = row[target.value], row[target.unit]
    operator = row[target.operator]
    if isinstance(value, Decimal):
        text = number_text(value)
        if target.plain and (unit is None or is_unit(text_of(unit), text, operator=operator is not None)):
            return f"{operator or ''}{text}{unit or ''}"
        whole, _, decimals = text.partition(".")
        return f"{operator or ''}{whole}.{decimals:0<2}{f'({unit})' if unit else ''}"
    if value is None:
        return f"{operator or ''}{f'({unit})' if unit else ''}"
    return f"{value}{f'({unit})' if unit else ''}"


def to_yaml(value: Value) -> str | int | float | None:
    """Turn a value into what the canonical file stores; a number that not every YAML parser keeps becomes text."""
    if isinstance(value, Decimal):
        if not fits_float(value) or value.adjusted() >= INTEGER_DIGITS:
            return number_text(value)
        return int(value) if value == value.to_integral_value() else float(value)
    return value.isoformat() if isinstance(value, date) else value


def total_of(parts: list[Value]) -> Decimal | None:
    """Add up the parts of a total; None where there is none, or one is text: what it amounts to is not known then."""
    return None if any(isinstance(part, str) for part in parts) else total(parts)


def total(parts: list[Value]) -> Decimal | None:
    """Add up the amounts among `parts`; None where there is none, or the sum is longer than a number may be."""
    amounts = [part for part in parts if isinstance(part, Decimal)]
    return bounded(sum(amounts, Decimal(0))) if amounts else None
