"""Chinese numerals, as the formats [DBNum1], [DBNum2] and [DBNum3] of Excel spell them."""

from __future__ import annotations

import re

_DIGITS = ("〇一二三四五六七八九", "零壹贰叁肆伍陆柒捌玖", "０１２３４５６７８９")
_PLACES = (("", "十", "百", "千"), ("", "拾", "佰", "仟"), ("", "十", "百", "千"))
_GROUPS = ("", "万", "亿", "万亿")
_NUMBER = re.compile(r"\d+(\.\d+)?", re.ASCII)
MAX_DIGITS = 16


def numerals(text: str, style: int) -> str | None:
    """Spell the number in a text in numerals of a style, 1 to 3; None where that is not known: parted, or too long."""
    found = _NUMBER.search(text)
    if found is None:
        return text
    if "," in text or len(_NUMBER.findall(text)) > 1:
        return None
    whole, _, decimals = found[0].partition(".")
    if len(whole) > MAX_DIGITS:
        return None
    spelled = _whole(whole.lstrip("0"), style) or _DIGITS[style - 1][0]
    spelled += f".{digit_by_digit(decimals, style)}" if decimals else ""
    return text[: found.start()] + spelled + text[found.end() :]


def digit_by_digit(digits: str, style: int) -> str:
    """Spell digits one by one, as years are."""
    return "".join(_DIGITS[style - 1][int(digit)] for digit in digits)


def _whole(digits: str, style: int) -> str:
    """Spell a whole number by groups of four digits; a gap of zeros is one zero."""
    words, places = _DIGITS[style - 1], _PLACES[style - 1]
    spelled, gap = "", False
    for at, digit in enumerate(digits):
        group, place = divmod(len(digits) - at - 1, 4)
        if digit != "0":
            spelled += (words[0] if gap else "") + words[int(digit)] + places[place]
        gap = digit == "0" and bool(spelled)
        if place == 0 and digits[max(0, at - 3) : at + 1].strip("0"):
            spelled += _GROUPS[group]
            gap = gap and group > 0
    return spelled
