"""What a text that is no amount probably means: only ever proposed to the person who corrects it, never read."""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal

from kpixl.forms.definition import MoneyUnit
from kpixl.forms.values import DIGITS, bounded, spelled

_NOTHING = frozenset(
    ["无", "没有", "暂无", "不涉及", "零", "〇", "/", "-", "--", "—", "——", "–", "n/a", "na", "×", "x"]
)
_POWERS = {"十": 1, "百": 2, "千": 3, "万": 4, "w": 4, "亿": 8}
# Two numbers (60-70万) mean no single amount, nor does a number of something else (附件1, 3个月).
_ONE_NUMBER = re.compile(
    r"(?:(?:大?约|共计?|合计|总计|计|预计|暂定|不超过|rmb|人民币|¥|:)\s?){0,3}"
    rf"(?P<digits>{DIGITS})\s?(?P<scale>[百千]?[万亿w])?(?P<rest>[^\d]{{0,12}})",
    re.ASCII,
)
_UNITS_BEHIND = re.compile(r"元?(?:整|左右|上下|以内|以下|以上)?(?:\(.{0,8}\))?[。.]?")
_NUMERALS = {
    **{letter: value for value, letter in enumerate("零一二三四五六七八九")},
    **{letter: value for value, letter in enumerate("〇壹贰叁肆伍陆柒捌玖")},
    "两": 2,
}
_TENS = {"拾": 1, "佰": 2, "仟": 3, "萬": 4, "億": 8, **{k: v for k, v in _POWERS.items() if k != "w"}}
_IN_CHARACTERS = re.compile(
    r"(?:人民币)?[^\w]?(?P<number>(?![百千万亿佰仟萬億])(?=.*[十百千万亿拾佰仟萬億])[零〇一二两三四五六七八九壹贰叁肆伍陆柒捌玖十百千万亿拾佰仟萬億]{2,20})元?整?"
)


def means_nothing(text: str) -> bool:
    """Return whether a text says that there is no amount: 无, / or 不涉及."""
    return unicodedata.normalize("NFKC", text).strip().casefold() in _NOTHING


def likely_amount(text: str, unit: MoneyUnit) -> Decimal | None:
    """Return the one amount, in `unit`, that a text such as 约60万, 60w or 六十万元 probably means; else None."""
    folded = unicodedata.normalize("NFKC", text).casefold().strip()
    if (match := _IN_CHARACTERS.fullmatch(folded)) is not None:
        return bounded(Decimal(_numeral(match["number"])).scaleb(-unit.power))
    match = _ONE_NUMBER.fullmatch(folded)
    if match is None or not _UNITS_BEHIND.fullmatch(match["rest"]):
        return None
    number = spelled(match["digits"])
    if number is None or not (match["scale"] or match["rest"].startswith("元")):
        return number
    power = sum(_POWERS[letter] for letter in match["scale"] or "")
    return bounded(number.scaleb(power - unit.power))


def _numeral(text: str) -> int:
    """Read 六十万 as 600000: digits count the next ten, hundred or thousand, and these the next 万 or 亿."""
    total = part = digit = 0
    for letter in text:
        if letter in _NUMERALS:
            digit = _NUMERALS[letter]
        elif (power := _TENS[letter]) < _POWERS["万"]:
            part, digit = part + (digit or 1) * 10**power, 0
        elif power > _POWERS["万"]:
            total, part, digit = (total + part + digit) * 10**power, 0, 0
        else:
            total, part, digit = total + (part + digit) * 10**power, 0, 0
    return total + part + digit
