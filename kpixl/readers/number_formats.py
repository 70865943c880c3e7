"""What a number format displays: a format code and a value -> the text in the cell.

Codes as ECMA-376 part 1, 18.8.31 and Excel's help define them; built-in ones by number, 18.8.30. Numbers are Decimals,
rounded half away from zero as Excel does. What is not known for sure is None, never a guess.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import ROUND_FLOOR, ROUND_HALF_UP, Decimal
from functools import lru_cache
from typing import NamedTuple

from kpixl.readers.number_dates import ELAPSED, date_text
from kpixl.readers.number_words import numerals

MAX_CODE = 255  # characters; Excel's own limit
MAX_SCALE = 30  # digits before and behind the point; no number in a form is longer
GENERAL = "General"
FIRST_CUSTOM = 164  # numbers from here on are defined by each file

_CJK_DATES = {27: 'yyyy"年"m"月"', 28: 'm"月"d"日"', 30: "m-d-yy", 31: 'yyyy"年"m"月"d"日"', 32: 'h"时"mm"分"',
              33: 'h"时"mm"分"ss"秒"', 34: '上午/下午h"时"mm"分"', 35: '上午/下午h"时"mm"分"ss"秒"'}  # fmt: skip
_CJK_DATES |= dict.fromkeys((36, 50, 52, 57), _CJK_DATES[27]) | dict.fromkeys((29, 51, 53, 54, 58), _CJK_DATES[28])
_CJK_DATES |= {55: _CJK_DATES[34], 56: _CJK_DATES[35]}
_ACCOUNTING = '_ * {0}_ ;_ * -{0}_ ;_ * "-"_ ;_ @_ '
_BUILT_IN = {
    0: GENERAL, 1: "0", 2: "0.00", 3: "#,##0", 4: "#,##0.00", 5: '"¥"#,##0;"¥"-#,##0', 6: '"¥"#,##0;[Red]"¥"-#,##0',
    7: '"¥"#,##0.00;"¥"-#,##0.00', 8: '"¥"#,##0.00;[Red]"¥"-#,##0.00', 9: "0%", 10: "0.00%", 11: "0.00E+00",
    12: "# ?/?", 13: "# ??/??", 14: "yyyy/m/d", 15: "d-mmm-yy", 16: "d-mmm", 17: "mmm-yy", 18: "h:mm AM/PM",
    19: "h:mm:ss AM/PM", 20: "h:mm", 21: "h:mm:ss", 22: "yyyy/m/d h:mm", **_CJK_DATES, 37: "#,##0;-#,##0",
    38: "#,##0;[Red]-#,##0", 39: "#,##0.00;-#,##0.00", 40: "#,##0.00;[Red]-#,##0.00",
    41: _ACCOUNTING.format("#,##0"), 42: _ACCOUNTING.format('"¥"#,##0'), 43: _ACCOUNTING.format("#,##0.00"),
    44: _ACCOUNTING.format('"¥"#,##0.00'), 45: "mm:ss", 46: "[h]:mm:ss", 47: "mm:ss.0", 48: "##0.0E+0", 49: "@",
}  # fmt: skip


class Display(NamedTuple):
    """What a cell shows, and the same in Arabic digits where the format spells Chinese numerals."""

    text: str
    digits: str


class _Token(NamedTuple):
    """A piece of a code; `kind`: literal, blank, digit, point, comma, percent, exponent, general, text, date, ampm."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class _Section:
    """A part of a code between semicolons. `numerals`: n of [DBNumn]. `foreign`: names in a language not known here."""

    tokens: tuple[_Token, ...]
    condition: tuple[str, Decimal] | None = None
    numerals: int = 0
    chinese: bool = False
    foreign: bool = False

    def has(self, *kinds: str) -> bool:
        """Return whether any token is of these kinds."""
        return any(token.kind in kinds for token in self.tokens)


def built_in(number: int) -> str | None:
    """Return the code of a format that files only name by number, as a Chinese Excel shows it; None where unknown."""
    return _BUILT_IN.get(number)


def displayed(value: Decimal | str, code: str, *, from_1904: bool = False) -> Display | None:
    """Return what a cell of this value and format shows; None where that is not known.

    Days of dates are serial numbers, counted from 1900 or 1904.
    """
    sections = _sections(code)
    if sections is None:
        return None
    if isinstance(value, str):
        section = _text_section(sections)
        return Display(value, value) if section is None else _plainly(_with_text(section, value))
    if not value.is_finite() or (value and abs(value.adjusted()) > MAX_SCALE):
        return None
    chosen = _choose(sections, value)
    if chosen is None:
        return None
    section, signed = chosen
    if section.foreign:
        return None
    if section.has("date", "ampm"):
        return _date(section, value, from_1904)
    text = _number(section, abs(value))
    if text is None:
        return None
    sign = "-" if signed and value < 0 and any(c in text for c in "123456789") else ""
    spelled = numerals(text, section.numerals) if section.numerals else text
    return None if spelled is None else Display(f"{sign}{spelled}".strip(), f"{sign}{text}".strip())


def _plainly(text: str) -> Display:
    return Display(text.strip(), text.strip())


def _date(section: _Section, value: Decimal, from_1904: bool) -> Display | None:
    tokens = [(token.kind, token.text) for token in section.tokens]
    digits = date_text(tokens, value, from_1904=from_1904, chinese=section.chinese)
    if digits is None or not section.numerals:
        return None if digits is None else _plainly(digits)
    spelled = date_text(tokens, value, from_1904=from_1904, chinese=section.chinese, style=section.numerals)
    return None if spelled is None else Display(spelled.strip(), digits.strip())


# --- which formats add nothing --------------------------------------------------------------------

_DATE_SIGNS = frozenset("-/.,: 年月日时分秒")
_NUMBER_SIGNS = frozenset("-() ")


@lru_cache(maxsize=4096)
def is_plain(code: str) -> bool:
    """Return whether a format shows every value as itself: to two decimals at least, a date with year, month and day.

    Cells of other formats deserve a closer look; the formats of the templates are plain.
    """
    sections = _sections(code)
    if sections is None:
        return False
    text = _text_section(sections)
    if text is not None and [t.kind for t in text.tokens if t.kind != "blank"] != ["text"]:
        return False
    numeric = [section for section in sections if section is not text]
    if any(section.condition or section.numerals or section.foreign for section in numeric):
        return False
    if not numeric:  # @: numbers are shown as they are
        return True
    if len(numeric) == 1:
        return _is_plain_section(numeric[0])
    if not all(map(_is_plain_section, numeric[:2])) or not _literals(numeric[1]) & {"-", "("}:
        return False
    return len(numeric) < 3 or _literals(numeric[2]) - {" "} == {"-"} or _is_plain_section(numeric[2])


def is_yearless(code: str) -> bool:
    """Return whether a format shows dates without their year."""
    letters = [token.text[0] for section in _sections(code) or () for token in section.tokens if token.kind == "date"]
    return "d" in letters and not {"y", "e", "b", "g"} & set(letters)


def _literals(section: _Section) -> set[str]:
    return {char for token in section.tokens if token.kind == "literal" for char in token.text}


def _is_plain_section(section: _Section) -> bool:
    kinds = {token.kind for token in section.tokens}
    if kinds & {"date", "ampm"}:
        letters = {token.text[0] for token in section.tokens if token.kind == "date"}
        return not kinds & {"digit", "ampm"} and {"y", "m", "d"} <= letters and _literals(section) <= _DATE_SIGNS
    if kinds - {"blank", "literal"} <= {"general", "text"}:
        return bool(kinds & {"general", "text"}) and _literals(section) <= _NUMBER_SIGNS
    if kinds - {"blank", "literal", "digit", "point", "comma"} or not _literals(section) <= _NUMBER_SIGNS:
        return False
    whole, decimals = _placeholders(section.tokens)
    if whole.count("0") > 1 or len(decimals) < 2 or _commas(section.tokens)[1]:
        return False
    # A dash or a bracket between digits makes another number of them.
    first, last = (where(n for n, t in enumerate(section.tokens) if t.kind == "digit") for where in (min, max))
    return all(token.kind != "literal" for token in section.tokens[first:last])


# --- codes ----------------------------------------------------------------------------------------

_TOKEN = re.compile(
    r"""(?P<quoted>"[^"]*+"?)|[\\!](?P<escaped>.)|(?P<blank>_.)|(?P<fill>\*.)|\[(?P<bracket>[^\]]*+)\]
    |(?P<general>General|G/通用格式)|(?P<ampm>AM/PM|A/P|上午/下午)|(?P<exponent>E[+-])
    |(?P<date>y+|m+|d+|h+|s+|e+|aaaa?|b+|g+|n+)|(?P<digit>[0\#?])|(?P<point>\.)|(?P<comma>,)|(?P<percent>%)|(?P<text>@)
    |(?P<end>;)|(?P<literal>.)""",
    re.VERBOSE | re.IGNORECASE | re.DOTALL,
)
_CONDITION = re.compile(r"(<=|>=|<>|<|>|=)\s*(-?\d{1,15}(?:\.\d{1,15})?)", re.ASCII)
_LANGUAGE = re.compile(r"\$([^-]*)(?:-([0-9A-F]{1,8}))?", re.IGNORECASE)
_COLOR = re.compile(
    r"(?:colou?r|颜色) ?\d+|black|blue|cyan|green|magenta|red|white|yellow|[黑蓝绿红白黄青]色?|洋红", re.IGNORECASE
)
_CHINESE, _ENGLISH = ("04", "7804", "30804", "31404"), ("09",)  # how identifiers of languages end


@lru_cache(maxsize=4096)
def _sections(code: str) -> tuple[_Section, ...] | None:
    """Part a code into its sections; None where it is too long, or has too many of them."""
    if len(code) > MAX_CODE:
        return None
    parted: list[list[re.Match[str]]] = [[]]
    for match in _TOKEN.finditer(code):
        if match.lastgroup == "end":
            parted.append([])
        else:
            parted[-1].append(match)
    if len(parted) > 4:
        return None
    if not code:
        return (_Section((_Token("general", ""),)),)
    return tuple(map(_section, parted))


def _section(matches: Sequence[re.Match[str]]) -> _Section:
    tokens: list[_Token] = []
    condition, numeral, chinese, foreign = None, 0, False, False
    for match in matches:
        kind, text = match.lastgroup or "", match[0]
        if kind == "bracket":
            inside = match["bracket"].casefold()
            if found := _CONDITION.fullmatch(inside):
                condition = (found[1], Decimal(found[2]))
            elif inside in ELAPSED:
                tokens.append(_Token("date", f"[{inside}]"))
            elif inside.startswith("dbnum") and inside[5:] in ("1", "2", "3"):
                numeral = int(inside[5:])
            elif found := _LANGUAGE.fullmatch(match["bracket"]):
                tokens += [_Token("literal", found[1])] if found[1] else []
                chinese = chinese or (found[2] or "").casefold().endswith(_CHINESE)
                foreign = foreign or _is_foreign((found[2] or "").casefold())
            else:
                foreign = foreign or _COLOR.fullmatch(inside) is None
        elif kind in ("quoted", "escaped", "literal"):
            tokens.append(_Token("literal", text.strip('"') if kind == "quoted" else match[kind]))
        elif kind == "date":
            tokens.append(_Token("date", text.casefold()))
        elif kind != "fill":
            tokens.append(_Token(kind, text))
    foreign = foreign and any(token.kind in ("date", "ampm") or token.kind == "general" for token in tokens)
    return _Section(tuple(tokens), condition, numeral, chinese, foreign)


def _is_foreign(language: str) -> bool:
    """Return whether the identifier of a language is of none whose dates are spelled as in Chinese or English."""
    return bool(language) and not language.endswith((*_CHINESE, *_ENGLISH, "f800", "f400"))


def _text_section(sections: Sequence[_Section]) -> _Section | None:
    """Return the section for text: the fourth, or the last one with @."""
    return sections[-1] if len(sections) == 4 or sections[-1].has("text") else None


def _with_text(section: _Section, text: str) -> str:
    shown = {"text": text, "blank": " ", "general": text}
    return "".join(shown.get(token.kind, token.text) for token in section.tokens)


def _choose(sections: Sequence[_Section], value: Decimal) -> tuple[_Section, bool] | None:
    """Choose the section for a number, and whether a minus sign goes before it; None where none fits."""
    text = _text_section(sections)
    numeric = [section for section in sections if section is not text]
    if not numeric:
        return sections[-1], True  # @ alone shows a number as it is
    if len(numeric) == 1 and numeric[0].condition is None:
        return numeric[0], True
    least = ">" if len(numeric) > 2 else ">="
    for section, usual in zip(numeric, ((least, Decimal(0)), ("<", Decimal(0))), strict=False):
        condition = section.condition or usual
        if _holds(value, *condition):
            return section, condition[0] not in ("<", "<=") or condition[1] > 0
    if len(numeric) < 3 and numeric[-1].condition is not None:
        return None  # Excel fills the cell with #
    return numeric[-1], True


def _holds(value: Decimal, operator: str, bound: Decimal) -> bool:
    return {
        "<": value < bound, "<=": value <= bound, ">": value > bound, ">=": value >= bound, "=": value == bound,
        "<>": value != bound,
    }[operator]  # fmt: skip


# --- numbers --------------------------------------------------------------------------------------


def _placeholders(tokens: Sequence[_Token]) -> tuple[str, str]:
    """Return the digit places before and behind the point."""
    kinds = [token.kind for token in tokens]
    point = kinds.index("point") if "point" in kinds else len(tokens)
    before, behind = tokens[:point], tokens[point:]
    return ("".join(t.text for t in part if t.kind == "digit") for part in (before, behind))  # type: ignore[return-value]


def _commas(tokens: Sequence[_Token]) -> tuple[bool, int]:
    """Return whether thousands are parted, and by how many thousands the number is divided."""
    parted, pending, divided, seen = False, 0, 0, False
    for token in tokens:
        if token.kind == "comma":
            pending += seen
        elif token.kind == "digit":
            parted, pending, seen = parted or bool(pending), 0, True
        elif token.kind == "point":
            divided, pending = divided + pending, 0
    return parted, divided + pending


def general(value: Decimal) -> str:
    """Spell a number as the general format does, in a column that is wide enough."""
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _number(section: _Section, value: Decimal) -> str | None:
    """Spell a number that is not negative."""
    tokens = section.tokens
    if section.has("general", "text"):
        return _with_text(section, general(value))
    if section.has("exponent"):
        return _scientific(tokens, value)
    if any(token == ("literal", "/") for token in tokens) and section.has("digit"):
        return _fraction(tokens, value)
    parted, thousands = _commas(tokens)
    percents = sum(token.kind == "percent" for token in tokens)
    if percents > 4 or thousands > 6:
        return None
    return "".join(_pieces(tokens, value.scaleb(2 * percents - 3 * thousands), parted))


def _pieces(tokens: Sequence[_Token], value: Decimal, parted: bool = False) -> Iterator[str]:
    """Spell a number digit by digit; what lies between the digits stays there."""
    whole, behind = _placeholders(tokens)
    rounded = value.quantize(Decimal(1).scaleb(-len(behind)), ROUND_HALF_UP)
    digits, _, decimals = format(rounded, "f").partition(".")
    digits = digits.lstrip("0")
    left = len(whole)  # digit places still to come before the point
    place = 0  # digit places behind the point so far
    for token in tokens:
        if token.kind == "digit" and left:
            yield _whole(digits, token.text, left, first=left == len(whole), parted=parted)
            left -= 1
        elif token.kind == "digit":
            yield _decimal(decimals, place, token.text)
            place += 1
        elif token.kind == "point":
            yield digits + "." if not whole and not place else "."
        elif token.kind == "blank":
            yield " "
        elif token.kind != "comma":
            yield token.text


def _whole(digits: str, placeholder: str, position: int, *, first: bool, parted: bool) -> str:
    """Spell the digits at a place, counted from the point; the first place takes all that lie before it."""
    if position > len(digits):
        padded = {"0": "0", "?": " ", "#": ""}[placeholder]
        return padded + ("," if parted and padded == "0" and position % 3 == 1 and position > 1 else "")
    start = 0 if first else len(digits) - position
    taken = digits[start : len(digits) - position + 1]
    if not parted:
        return taken
    spelled = ((digit, len(digits) - start - n) for n, digit in enumerate(taken))
    return "".join(digit + ("," if at % 3 == 1 and at > 1 else "") for digit, at in spelled)


def _decimal(decimals: str, place: int, placeholder: str) -> str:
    if placeholder == "0" or decimals[place:].strip("0"):
        return decimals[place]
    return " " if placeholder == "?" else ""


def _scientific(tokens: Sequence[_Token], value: Decimal) -> str | None:
    at = next(n for n, token in enumerate(tokens) if token.kind == "exponent")
    mantissa, rest = tokens[:at], tokens[at + 1 :]
    whole, behind = _placeholders(mantissa)
    step = max(1, len(whole))
    if any(token.kind in ("percent", "comma") for token in tokens) or not rest or rest[0].kind != "digit":
        return None
    exponent = _exponent(value, step)
    if value.scaleb(-exponent).quantize(Decimal(1).scaleb(-len(behind)), ROUND_HALF_UP) >= Decimal(10) ** step:
        exponent += step
    width = sum(token.kind == "digit" for token in rest)
    sign = "-" if exponent < 0 else "+" if "+" in tokens[at].text else ""
    after = "".join(token.text for token in rest if token.kind == "literal")
    return "".join(_pieces(mantissa, value.scaleb(-exponent))) + f"E{sign}{abs(exponent):0{width}}{after}"


def _exponent(value: Decimal, step: int) -> int:
    """Return a multiple of `step` at which no more than `step` digits are before the point."""
    return int((Decimal(value.adjusted()) / step).to_integral_value(ROUND_FLOOR)) * step if value else 0


_FRACTION = re.compile(r"(?:(?P<whole>[#0?]+) +)?(?P<over>[#0?]+)/(?P<under>[#?]+|[1-9]\d*)", re.ASCII)


def _fraction(tokens: Sequence[_Token], value: Decimal) -> str | None:
    from fractions import Fraction

    match = _FRACTION.fullmatch("".join(token.text for token in tokens).strip())
    if match is None or len(match["under"]) > 3:
        return None
    whole, rest = divmod(value, 1) if match["whole"] else (Decimal(0), value)
    if match["under"].isdecimal():
        under = int(match["under"])
        over = int((rest * under).quantize(Decimal(1), ROUND_HALF_UP))
    else:
        over, under = Fraction(rest).limit_denominator(10 ** len(match["under"]) - 1).as_integer_ratio()
    if match["whole"] and over == under:
        whole, over = whole + 1, 0
    shown = f"{whole} " if match["whole"] and (whole or not over) else ""
    return (shown + (f"{over}/{under}" if over or not match["whole"] else "")).strip()
