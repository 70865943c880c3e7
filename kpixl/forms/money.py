"""Amounts of money: their units, how people write them, and where a sheet or a list names its unit.

An amount is a Decimal in the unit of its form (`money` in form.yaml). Every unit is a power of ten of the yuan, so that
converting moves the decimal point and no digit is ever rounded.
"""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal
from typing import NamedTuple

from kpixl.forms.definition import YUAN, MoneyUnit
from kpixl.forms.values import (
    BLANK,
    DIGITS,
    INVISIBLE,
    PLAIN_DIGITS,
    Raw,
    Reading,
    as_typed,
    bounded,
    fold,
    is_blank,
    is_number,
    number_text,
    plain_number,
    spelled,
    text_of,
)
from kpixl.texts import Text

# The units in which a form may count.
UNITS = {unit.name: unit for unit in (YUAN, MoneyUnit("千元", 3), MoneyUnit("万元", 4), MoneyUnit("亿元", 8))}
WAN = UNITS["万元"]

_IN_ENGLISH = {0: "yuan", 3: "1,000 yuan", 4: "10,000 yuan", 8: "100 million yuan"}
_POWERS = {"百": 2, "千": 3, "万": 4, "亿": 8}
_SCALE = "(?P<scale>[百千]?[万亿]?)"  # before 元; a sheet may count in 百万元 although no form does
# 5千 alone is no amount: it lacks 元 and is too short to be taken for one.
_AMOUNT = re.compile(
    rf"(?:rmb|cny|人民币|¥)?(?P<open>\()?(?P<sign>[-−]?)(?:¥)?(?P<digits>{DIGITS})"
    r"(?P<scale>[百千]?[万亿]|[百千](?=元))?元?(?:整|人民币)?\)?",
    re.ASCII,
)
_BRACKETED = re.compile(r"(?<=[\d)])\(((?:人民币)?(?:[百千]?[万亿]元?|元))\)$")  # 60(万元) is 60万元
_LABEL = re.compile(rf"(?P<stem>.*?)\(?(?:金额|货币)?(?P<said>(?:计量)?单位:?)?(?:人民币)?{_SCALE}元\)?")
# The same behind a sign, short in brackets, or in words: 项目资金/万元, 项目资金(万), 项目资金(以万元为单位).
_BEHIND = re.compile(
    rf"(?P<stem>.+?)(?:[/,:、;](?:人民币)?{_SCALE}元|\((?:人民币|¥)?:?(?P<short>[百千]?[万亿])\)"
    r"|\(?(?:金额)?以(?:人民币)?(?P<words>[百千]?[万亿]?)元为(?:计量|货币)?单位\)?)"
)
_COLUMN = re.compile(rf"(?:[/,:、;(\[](?:人民币)?{_SCALE}|(?P<bare>[百千]?[万亿]|[百千]))元[)\]]?")
_REMARK = re.compile(rf"(?:计量)?单位(?:[:为是]|均为)?(?:人民币)?{_SCALE}元(?!/)")
_IN_WORDS = re.compile(r"以((?:人民币)?[百千]?[万亿]?元)为(?:计量|货币)?单位")  # 金额以万元为单位
# Followed by no /: 单位：元/人 is no unit of amounts. Each blank is bounded, so that no text takes quadratic time.
_SPACED_REMARK = re.compile(r"[(\[]?(?:金额)?\s{0,3}单位\s{0,3}:?\s{0,3}(?:人民币)?[百千]?[万亿]?元[)\]]?(?!/)")
_ENDS = ("元", ")", "单位")  # of a label with its unit behind it
_FURNITURE = "()[]【】*注:货币"  # what may stand around a remark that holds nothing but the unit
MAX_REMARK = 60  # characters; a longer text is prose, whatever units it mentions


class UnitRemark(NamedTuple):
    """A unit named in a text, and the rest of the text (folded), "" where it names nothing but the unit."""

    unit: MoneyUnit
    rest: str


# --- units in texts ---------------------------------------------------------------------------


def money_label(text: str) -> tuple[str, MoneyUnit | None]:
    """Part a folded label from the unit behind it: 项目资金(万元) is 项目资金 and 万元."""
    match = _LABEL.fullmatch(text)
    if match is not None and (match["said"] or text.endswith(")")):
        return match["stem"].rstrip(":"), _unit(match["scale"])
    match = _BEHIND.fullmatch(text) if text.endswith(_ENDS) else None
    if match is None:
        return text, None
    return match["stem"].rstrip(":"), _unit(match["scale"] or match["short"] or match["words"] or "")


def money_remark(text: str) -> UnitRemark | None:
    """Find the unit in a remark such as 金额单位：万元 or （2026年度） 单位：万元; None where there is none."""
    folded = _IN_WORDS.sub(r"单位\1", fold(text))
    match = _REMARK.search(folded)
    if match is None:
        return None
    before, after = folded[: match.start()].removesuffix("金额"), folded[match.end() :]
    rest = before + after
    return UnitRemark(_unit(match["scale"]), rest if rest.strip(_FURNITURE) else "")


def without_remark(text: str) -> str:
    """Leave out of a text the unit that it names: （2026 年度） 单位：万元 is (2026 年度)."""
    return _SPACED_REMARK.sub("", unicodedata.normalize("NFKC", text[:MAX_REMARK])).strip() + text[MAX_REMARK:]


def list_unit(text: str) -> MoneyUnit | None:
    """Find the unit that a text above a list gives to all its amounts: 单位：千元, （万元）, 2026年度 单位：万元."""
    if len(text) > MAX_REMARK:
        return None
    if (remark := money_remark(text)) is not None:
        return remark.unit
    folded = fold(text)
    match = re.fullmatch(rf"\(?[^\d()]{{0,10}}?{_SCALE}元\)?", folded)
    return _unit(match["scale"]) if match else money_label(folded)[1]


def column_unit(text: str) -> MoneyUnit | None:
    """Find the unit at the end of the heading of a column: 预算金额（万元）, 预算/万元, 预算万元, 万元."""
    if len(text) > MAX_REMARK or not names_unit(text):
        return None
    if (unit := money_label(folded := fold(text))[1]) is not None:
        return unit
    match = next((found for found in _COLUMN.finditer(folded) if found.end() == len(folded)), None)
    return _unit(match["scale"] or match["bare"] or "") if match else unit_cell(text)


def without_unit(folded: str) -> str:
    """Leave out of a folded heading the unit at its end: 预算/万元 is 预算."""
    label, unit = money_label(folded)
    if unit is not None:
        return label
    match = next((found for found in _COLUMN.finditer(folded) if found.end() == len(folded)), None)
    return folded[: match.start()] if match else folded


def _unit(scale: str) -> MoneyUnit:
    name = f"{scale}元"
    return UNITS.get(name) or MoneyUnit(name, _power(scale))


def _power(scale: str) -> int:
    return sum(_POWERS[letter] for letter in scale)


def names_unit(text: str) -> bool:
    """Return whether a text may name a unit of money: no other has to be looked at."""
    return any(letter in text for letter in "元万亿")


def unit_cell(raw: Raw) -> MoneyUnit | None:
    """Return the unit where a cell holds nothing but one, as that beside an amount does: 万元, （万元）, 万."""
    if not isinstance(raw, str) or len(raw) > MAX_REMARK:
        return None
    bare = fold(raw).strip("()[]")
    return UNITS.get(bare) or UNITS.get(f"{bare}元" if bare in ("万", "亿") else "")


def has_own_unit(raw: Raw) -> bool:
    """Return whether an amount was typed with its own unit: 60万, 600000元."""
    return isinstance(raw, str) and any(c in raw for c in "元万亿萬億")


def unit_text(unit: MoneyUnit) -> Text:
    """Name a unit behind an amount: 60 万元; in English only the yuan has a name of its own."""
    return (unit.name, "yuan" if unit == YUAN else unit.name)


def unit_heading(unit: MoneyUnit) -> Text:
    """Name a unit in a heading: amounts in 10,000 yuan."""
    return (unit.name, _IN_ENGLISH.get(unit.power, unit.name))


def ten_thousand_times(unit: MoneyUnit) -> MoneyUnit:
    """Return the unit in which amounts were meant that are ten thousand times too small."""
    power = unit.power + WAN.power
    return next((u for u in UNITS.values() if u.power == power), MoneyUnit(f"万{unit.name}", power))


# --- amounts ----------------------------------------------------------------------------------


def convert(amount: Decimal, unit: MoneyUnit, to: MoneyUnit) -> Decimal | None:
    """Convert an amount between units, exactly; None where the number would become too long."""
    return amount if unit == to else bounded(amount.scaleb(unit.power - to.power))


def read_money(raw: Raw, form_unit: MoneyUnit = YUAN, sheet_unit: MoneyUnit | None = None) -> Reading:
    """Read an amount into `form_unit`: a number, or text such as 2,000.00 (plain) or 60万元 (noted).

    A bare number counts `sheet_unit` (by default the form's own), one typed with a unit counts that unit.
    """
    if is_blank(raw):
        return BLANK
    bare = sheet_unit or form_unit
    if is_number(raw):
        read = plain_number(raw)
    elif PLAIN_DIGITS.fullmatch(text := text_of(raw)):
        number = spelled(text)
        read = Reading(text if number is None else number)
    else:
        return _written(text, bare, form_unit)
    if bare == form_unit or not isinstance(read.value, Decimal):
        return read
    amount = convert(read.value, bare, form_unit)
    return Reading(text_of(raw)) if amount is None else Reading(amount, amount != read.value)


def _written(text: str, bare: MoneyUnit, to: MoneyUnit) -> Reading:
    """Read an amount written with signs, units or other digits; what is none stays text."""
    folded = unicodedata.normalize("NFKC", text).casefold().translate(INVISIBLE)
    match = _AMOUNT.fullmatch(_BRACKETED.sub(r"\1", "".join(folded.split())))
    number = spelled(match["digits"]) if match and as_typed(text, match["digits"]) else None
    if match is None or number is None or bool(match["open"]) != match[0].endswith(")"):
        return Reading(text)
    scale = match["scale"] or ""
    unit = _unit(scale) if scale or "元" in folded else bare
    amount = bounded((-number if match["sign"] or match["open"] else number).scaleb(unit.power - to.power))
    return Reading(text) if amount is None else Reading(amount, True)


def money_text(amount: Decimal) -> str:
    """Print an amount as #,##0.00; decimals beyond two are shown, never rounded away."""
    whole, _, decimals = number_text(amount).partition(".")
    return f"{'-' if whole.startswith('-') else ''}{int(whole.lstrip('-')):,}.{decimals:0<2}"
