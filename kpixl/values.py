"""Field types: how a typed value is read, and how a value is printed. One table, FIELD_TYPES.

Reading never loses anything: what is not of its type stays the text that was typed.
Spellings seen in returned files are listed in design/DOMAIN.md section 5.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple, TypeGuard

from kpixl.model import Choices, Row, Target, Value

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
_INVISIBLE = dict.fromkeys(map(ord, _UNSEEN))


@lru_cache(maxsize=65_536)
def fold(text: str) -> str:
    """Fold a label or choice for comparison: width, white space, invisible characters, trailing colons, case."""
    folded = unicodedata.normalize("NFKC", text).translate(_INVISIBLE)
    return "".join(folded.split()).rstrip(":").casefold()


def is_blank(raw: Raw) -> bool:
    """Tell whether a cell holds nothing that a person can see."""
    if not isinstance(raw, str):
        return raw is None
    return not raw or raw.isspace() or (raw[0] in _UNSEEN and not raw.translate(_INVISIBLE).strip())


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


def read_text(raw: Raw, choices: Choices | None = None) -> Reading:  # noqa: ARG001 - one signature for all
    """Read free text: exactly as typed."""
    return BLANK if is_blank(raw) else Reading(text_of(raw))


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


def _as_typed(text: str, *numbers: str) -> bool:
    """Tell whether numbers that were read from a text stand in it, be it in full width or in groups of three.

    Folding makes 102 of 10², and leaving out white space 5060 of "50 60".
    """
    if all(number in text for number in numbers):
        return True
    plain = unicodedata.normalize("NFKC", _OTHER_DIGITS.sub("?", text)).translate(_INVISIBLE)
    plain = _THOUSANDS.sub(lambda m: "".join(m[0].split()), _SPACED_COMMA.sub(",", plain))
    return all(number in plain for number in numbers)


# Commas only where they part thousands: 2,00 may mean 2 or 200, so it stays text.
_DIGITS = r"(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?"
_PLAIN_MONEY = re.compile(rf"-?{_DIGITS}", re.ASCII)
_OCTOBER = re.compile(r"(?:19|20)\d\d\.10", re.ASCII)  # 2026.10 is no 2026.1
_PLAIN_NUMBER = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?", re.ASCII)
_LOOSE_MONEY = re.compile(
    rf"(?:rmb|cny|人民币|¥)?(?P<open>\()?(?P<sign>[-−]?)(?:¥)?(?P<digits>{_DIGITS})(?P<scale>[万亿]?)"
    r"元?(?:整|人民币)?\)?",
    re.ASCII,
)
_SCALES = {"": 1, "万": 10_000, "亿": 100_000_000}


_MONEY_UNIT = re.compile(r"(?P<stem>.*?)\(?(?:金额)?(?P<said>单位:?)?(?:人民币)?(?P<scale>[百千]?[万亿]?)元\)?")
_UNIT_NOTE = re.compile(r"单位:?(?:人民币)?(?P<scale>[百千]?[万亿]?)元(?!/)")


def money_label(text: str) -> tuple[str, int | None]:
    """Part a folded label from the unit of money behind it, in yuan: 项目资金(万元) is 项目资金 and 10,000."""
    match = _MONEY_UNIT.fullmatch(text)
    if match is None or not (match["said"] or text.endswith(")")):
        return text, None
    return match["stem"].rstrip(":"), _yuan(match["scale"])


def money_note(text: str) -> tuple[int, bool] | None:
    """Return how many yuan a remark such as 金额单位：万元 says an amount counts, and whether it says nothing else."""
    folded = fold(text)
    match = _UNIT_NOTE.search(folded)
    rest = (folded[: match.start()] + folded[match.end() :]) if match else ""
    return (_yuan(match["scale"]), rest.strip("()[]【】*注:货币") in ("", "金额")) if match else None


def _yuan(scale: str) -> int:
    return math.prod({"百": 100, "千": 1_000, **_SCALES}[letter] for letter in scale)


def is_money_unit(raw: Raw) -> bool:
    """Tell whether a cell holds nothing but the unit of the amount before it."""
    return isinstance(raw, str) and fold(raw) in ("元", "万元", "亿元")


def has_money_unit(raw: Raw) -> bool:
    """Tell whether an amount was typed with its own unit: 60万, 600000元."""
    return isinstance(raw, str) and any(c in raw for c in "元万亿萬億")


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
    """Tell whether a double, hence an Excel number, keeps every digit."""
    return len(number.normalize().as_tuple().digits) <= FLOAT_DIGITS and abs(number.adjusted()) < 300


def scaled(amount: Decimal, scale: Decimal) -> Decimal | None:
    """Turn an amount that counts `scale` yuan into yuan; None where the number would become too long."""
    return _bounded(amount * scale)


def _bounded(number: Decimal) -> Decimal | None:
    """Return a number that is no longer than any that is kept (-0 as 0), else None."""
    if not number.is_finite() or abs(number.adjusted()) > MAX_DIGITS or len(number_text(number)) > MAX_DIGITS:
        return None
    return number + 0


def _spelled(text: str) -> Decimal | None:
    digits = text.replace(",", "")
    return None if len(digits) > 2 * MAX_DIGITS else _bounded(Decimal(digits))


def is_number(raw: Raw) -> TypeGuard[int | float | Decimal]:
    """Tell whether a cell holds a number."""
    return isinstance(raw, int | float | Decimal) and not isinstance(raw, bool)


def maybe_percent(number: float | Decimal) -> bool:
    """Tell whether a number without a unit can be what a cell holds that shows per cent: 0.95, 1, 2."""
    return -10 <= number <= 10


def _number(raw: float | Decimal) -> Reading:
    number = _bounded(to_decimal(raw))
    return Reading(str(raw)) if number is None else Reading(number)


def read_money(raw: Raw, choices: Choices | None = None) -> Reading:  # noqa: ARG001
    """Read an amount in yuan: a number, or text such as 2,000.00 (plain) or 60万元 (noted)."""
    if is_blank(raw):
        return BLANK
    if isinstance(raw, int | float | Decimal) and not isinstance(raw, bool):
        return _number(raw)
    text = text_of(raw)
    if _PLAIN_MONEY.fullmatch(text):
        number = _spelled(text)
        return Reading(text) if number is None else Reading(number)
    folded = unicodedata.normalize("NFKC", text).casefold().translate(_INVISIBLE)
    match = _LOOSE_MONEY.fullmatch("".join(folded.split()))
    number = _spelled(match["digits"]) if match and _as_typed(text, match["digits"]) else None
    if match is None or number is None or bool(match["open"]) != folded.rstrip().endswith(")"):
        return Reading(text)
    negative = bool(match["sign"]) or bool(match["open"])
    amount = _bounded(number * _SCALES[match["scale"]] * (-1 if negative else 1))
    return Reading(text) if amount is None else Reading(amount, True)


def read_quantity(raw: Raw, choices: Choices | None = None) -> Reading:  # noqa: ARG001
    """Read an indicator value: a number where it is one, else the text (a qualitative target)."""
    if is_blank(raw):
        return BLANK
    if isinstance(raw, int | float | Decimal) and not isinstance(raw, bool):
        return _number(raw)
    text = text_of(raw)
    if _OCTOBER.fullmatch(text):
        return Reading(text)
    if _PLAIN_NUMBER.fullmatch(text):
        number = _spelled(text)
        return Reading(text) if number is None else Reading(number)
    folded = "".join(unicodedata.normalize("NFKC", text).split())
    if _PLAIN_MONEY.fullmatch(folded) and not re.match(r"-?0\d", folded):
        number = _spelled(folded) if _as_typed(text, folded.lstrip("-")) else None
        if number is not None:
            return Reading(number, True)
    return Reading(text)


# --- dates ------------------------------------------------------------------------------------

_ISO = re.compile(r"(\d{4})-(\d{2})-(\d{2})", re.ASCII)
_LOOSE_DATE = re.compile(r"(?P<y>\d{4})(?P<s>[-/.年])(?P<m>\d{1,2})[-/.月](?P<d>\d{1,2})日?", re.ASCII)
_MIDNIGHT = re.compile(r"[\sT]+0{1,2}:00(:00(\.0+)?)?\Z", re.ASCII)
_COMPACT_DATE = re.compile(r"(?P<y>(?:19|20)\d{2})(?P<m>\d{2})(?P<d>\d{2})", re.ASCII)


def read_date(raw: Raw, choices: Choices | None = None) -> Reading:  # noqa: ARG001
    """Read a date: a date cell or ISO text is plain; other spellings and serial numbers are noted."""
    if is_blank(raw):
        return BLANK
    if isinstance(raw, datetime):
        return Reading(raw.date(), raw.time() != time())
    if isinstance(raw, date):
        return Reading(raw)
    if isinstance(raw, int | float) and not isinstance(raw, bool) and raw in SERIAL_DAYS:
        return Reading(EXCEL_EPOCH + timedelta(days=int(raw)), True)
    text = text_of(raw)
    folded = "".join(
        _MIDNIGHT.sub("", unicodedata.normalize("NFKC", text).strip()).split()
    )  # 2026/1/1 00:00 is no 10th
    if len(folded) == SERIAL_LENGTH and folded.isascii() and folded.isdecimal() and int(folded) in SERIAL_DAYS:
        return Reading(EXCEL_EPOCH + timedelta(days=int(folded)), True)
    match = _LOOSE_DATE.fullmatch(folded) or _COMPACT_DATE.fullmatch(folded)
    if match and _as_typed(text, match["y"], match["m"], match["d"]):
        try:
            value = date(int(match["y"]), int(match["m"]), int(match["d"]))
        except ValueError:
            return Reading(text)
        return Reading(value, not _ISO.fullmatch(text))
    return Reading(text)


# --- targets ----------------------------------------------------------------------------------

_TARGET = re.compile(rf"(?P<op>[≥≤=><]?)(?P<number>-?{_DIGITS})(?P<rest>(?![\d,.]).*)", re.ASCII | re.DOTALL)
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

    A unit without brackets must be one that is known or follow an operator: 2026年12月31日前 is no number.
    """
    folded = unicodedata.normalize("NFKC", text).translate(_INVISIBLE).strip()
    printed = folded
    symbol, folded = _leading_operator("".join(folded.split()), operators)
    match = _TARGET.fullmatch(folded)
    if not match or match["op"]:
        return None
    number = _spelled(match["number"])
    rest = match["rest"]
    if symbol is None and not rest and _OCTOBER.fullmatch(folded):
        return None
    if number is None or re.match(r"-?0\d", match["number"]) or not _as_typed(text, match["number"].lstrip("-")):
        return None
    for suffix, meant in _SUFFIX_OPERATORS.items():
        if symbol is None and rest.endswith(suffix):
            symbol, rest = meant, rest.removesuffix(suffix)
    wrapped = _WRAPPED_UNIT.fullmatch(rest)
    unit = wrapped["unit"] if wrapped else rest or None
    if unit is not None:
        known = read_choice(unit, units).value
        if not wrapped and known not in units.items:
            return None
        unit = str(known)
    plain = f"{symbol or ''}{match['number']}({unit})" if unit else f"{symbol or ''}{match['number']}"
    return TargetReading(symbol, number, unit, printed != plain or text.strip() != printed)


def _leading_operator(text: str, operators: Choices) -> tuple[str | None, str]:
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
    """Print a target in one cell as the official form does: ≥100.00(人), 合规."""
    value, unit = row[target.value], row[target.unit]
    operator = row[target.operator]
    if isinstance(value, Decimal):
        text = number_text(value)
        whole, _, decimals = text.partition(".")
        return f"{operator or ''}{whole}.{decimals:0<2}{f'({unit})' if unit else ''}"
    if value is None:
        return f"{operator or ''}{f'({unit})' if unit else ''}"
    return f"{value}{f'({unit})' if unit else ''}"


# --- the table of types -----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class FieldType:
    """A type: its reader, how Excel shows it, and what a person is asked to type."""

    read: Callable[[Raw, Choices | None], Reading]
    number_format: str
    noun: tuple[str, str]
    expected: tuple[str, str]
    typed: type = str


FIELD_TYPES: Mapping[str, FieldType] = {
    "text": FieldType(read_text, "@", ("文字", "text"), ("文字", "text")),
    "choice": FieldType(read_choice, "@", ("选项", "an item"), ("列表中的一项", "an item of the list")),
    "operator": FieldType(read_choice, "@", ("符号", "an operator"), ("列表中的符号", "one of the list")),
    "unit": FieldType(read_choice, "@", ("单位", "a unit"), ("计量单位", "a unit")),
    "date": FieldType(
        read_date,
        "yyyy-mm-dd",
        ("日期", "a date"),
        ("日期，例如 2026-01-31", "a date such as 2026-01-31"),
        date,
    ),
    "money": FieldType(
        read_money,
        "#,##0.00",
        ("金额", "an amount"),
        ("以元为单位的数字，例如 600000", "a number in yuan such as 600000"),
        Decimal,
    ),
    "quantity": FieldType(
        read_quantity,
        "@",
        ("指标值", "a value"),
        ("数字或文字", "a number or text"),
    ),
}


def to_yaml(value: Value) -> str | int | float | None:
    """Turn a value into what the canonical file stores; a number that not every YAML parser keeps becomes text."""
    if isinstance(value, Decimal):
        if not fits_float(value) or value.adjusted() >= INTEGER_DIGITS:
            return number_text(value)
        return int(value) if value == value.to_integral_value() else float(value)
    return value.isoformat() if isinstance(value, date) else value


def total(parts: list[Value]) -> Decimal | None:
    """Add up the amounts among `parts`; None where there is none, or the sum is longer than a number may be."""
    amounts = [part for part in parts if isinstance(part, Decimal)]
    return _bounded(sum(amounts, Decimal(0))) if amounts else None
