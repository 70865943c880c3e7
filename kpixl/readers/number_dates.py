"""What the date and time tokens of a number format display: a serial number of days -> text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import NamedTuple

from kpixl.readers.number_words import digit_by_digit, numerals

ELAPSED = frozenset({"h", "hh", "m", "mm", "s", "ss"})  # in square brackets: counted on beyond a day
MAX_SERIAL = 2_958_465  # the last day of 9999
_DAY = 86_400
_MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
           "November", "December")  # fmt: skip
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_CHINESE_WEEKDAYS = "一二三四五六日"

Token = tuple[str, str]  # kind and text, see number_formats


class _Moment(NamedTuple):
    year: int
    month: int
    day: int
    weekday: int
    seconds: Decimal  # of the day
    total: Decimal  # seconds since day 0


def date_text(
    tokens: Sequence[Token], serial: Decimal, *, from_1904: bool, chinese: bool, style: int = 0
) -> str | None:
    """Spell a serial number of days; None where a cell shows no date. `style`: of Chinese numerals, 0 for none."""
    places = _fractions(tokens)
    seconds = (serial * _DAY).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
    moment = _moment(seconds, from_1904)
    if moment is None:
        return None
    pieces = list(_pieces(tokens, moment, chinese, places))
    if None in pieces:
        return None
    return "".join(_spelled(kind, text or "", style) for (kind, _), text in zip(tokens, pieces, strict=True))


def _spelled(kind: str, text: str, style: int) -> str:
    if not style or kind != "date" or not text.isdecimal():
        return text
    if len(text) > 2:
        return digit_by_digit(text, style)
    spelled = numerals(text, style) or text
    return spelled[1:] if len(spelled) > 1 and text.startswith("1") and len(text) == 2 else spelled  # 十二, not 一十二


def _moment(seconds: Decimal, from_1904: bool) -> _Moment | None:
    days, of_day = divmod(seconds, _DAY)
    if seconds < 0 or days > MAX_SERIAL:
        return None
    if from_1904:
        day = date(1904, 1, 1) + timedelta(days=int(days))
    elif days > 60:
        day = date(1899, 12, 30) + timedelta(days=int(days))
    elif days in (0, 60):  # days that only Excel has: 1900-01-00 and 1900-02-29
        month, number = (1, 0) if not days else (2, 29)
        return _Moment(1900, month, number, (int(days) + 5) % 7, of_day, seconds)
    else:
        day = date(1899, 12, 31) + timedelta(days=int(days))
    weekday = day.weekday() if from_1904 or days > 60 else (int(days) + 5) % 7
    return _Moment(day.year, day.month, day.day, weekday, of_day, seconds)


def _fractions(tokens: Sequence[Token]) -> int:
    """Count the decimals of seconds."""
    for at, (kind, text) in enumerate(tokens):
        if kind == "date" and text[0] == "s":
            behind = tokens[at + 1 :]
            if behind[:1] and behind[0][0] == "point":
                return next((n for n, (k, _) in enumerate(behind[1:]) if k != "digit"), len(behind) - 1)
    return 0


def _pieces(tokens: Sequence[Token], moment: _Moment, chinese: bool, places: int) -> Iterator[str | None]:
    half_day = any(kind == "ampm" for kind, _ in tokens)
    fraction = format(moment.seconds % 1, f".{places}f")[2:] if places else ""
    for at, (kind, text) in enumerate(tokens):
        if kind == "date":
            minutes = text[0] == "m" and len(text) < 3 and _is_minutes(tokens, at)
            yield _date_piece(text, moment, minutes, half_day, chinese)
        elif kind == "ampm":
            yield _half(text, moment, chinese)
        elif kind == "digit":
            yield fraction[:1]
            fraction = fraction[1:]
        else:
            yield " " if kind == "blank" else text


def _is_minutes(tokens: Sequence[Token], at: int) -> bool:
    """Return whether m is minutes: next to hours before it, or to seconds behind it."""
    dates = [(n, text) for n, (kind, text) in enumerate(tokens) if kind == "date"]
    number = next(n for n, (where, _) in enumerate(dates) if where == at)
    before = dates[number - 1][1].strip("[") if number else ""
    behind = dates[number + 1][1].strip("[") if number + 1 < len(dates) else ""
    return before.startswith("h") or behind.startswith("s")


def _half(text: str, moment: _Moment, chinese: bool) -> str:
    late = moment.seconds >= _DAY // 2
    if text.startswith("上") or (chinese and len(text) > 3):
        return "下午" if late else "上午"
    return text.upper().split("/")[late]


def _date_piece(text: str, moment: _Moment, minutes: bool, half_day: bool, chinese: bool) -> str | None:
    """Spell one run of letters; None where it is not known how."""
    letter, size = text.strip("[]")[0], len(text.strip("[]"))
    if text[0] == "[":
        unit = {"h": 3600, "m": 60, "s": 1}[letter]
        return f"{int(moment.total // unit):0{size}}"
    if letter == "y":
        return f"{moment.year % 100:02}" if size < 3 else f"{moment.year:04}"
    if letter == "e":
        return f"{moment.year:04}" if chinese or size == 4 else None
    if letter == "m" and not minutes:
        return _month(moment.month, size, chinese)
    if letter in "da":
        return _day(moment, letter, size, chinese)
    if letter in "hms":
        hours = int(moment.seconds) // 3600
        value = {"h": (hours - 1) % 12 + 1 if half_day else hours, "m": int(moment.seconds) // 60 % 60}.get(
            letter, int(moment.seconds) % 60
        )
        return f"{value:0{min(size, 2)}}"
    return None


def _month(month: int, size: int, chinese: bool) -> str | None:
    if size < 3:
        return f"{month:0{size}}"
    if chinese:
        return None  # versions of Excel differ
    name = _MONTHS[month - 1]
    return {3: name[:3], 5: name[0]}.get(size, name)


def _day(moment: _Moment, letter: str, size: int, chinese: bool) -> str:
    if letter == "d" and size < 3:
        return f"{moment.day:0{size}}"
    if letter == "a" or chinese:
        return ("星期" if size > 3 else "周") + _CHINESE_WEEKDAYS[moment.weekday]
    name = _WEEKDAYS[moment.weekday]
    return name[:3] if size == 3 else name
