"""What was planned and what was reached, compared: two texts of a self-evaluation -> an Attainment.

A target and an actual value are compared where each is a number of the same unit; whatever else people write there is
left to the reader.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, localcontext

from kpixl.forms.unit_text import is_unit
from kpixl.forms.values import DIGITS, spelled

OperatorWords = Mapping[str, Sequence[str]]
"""Words that mean an operator, in front of a number or behind it: ≥ -> 不少于, 以上."""

OPERATORS = ("≥", "≤", "=", ">", "<")
MAX_TEXT = 60  # characters; a longer text describes something
_SIGNS = {">=": "≥", "=>": "≥", "<=": "≤", "=<": "≤", "≧": "≥", "≦": "≤", "═": "="}
_MEASURE = re.compile(rf"(?P<number>-?{DIGITS})(?P<scale>[万亿]?)\(?(?P<unit>[^()]*)\)?", re.ASCII)
_SCALES = {"": 0, "万": 4, "亿": 8}
_PRECISION = 40  # digits of a share; points have two decimals


@dataclass(frozen=True, slots=True)
class Measure:
    """A number with its unit, as a target or an actual value has it; `operator` is "" where there is none.

    `scaled`: it was written in 万 or 亿.
    """

    operator: str
    number: Decimal
    unit: str
    scaled: bool = False


@dataclass(frozen=True, slots=True)
class Attainment:
    """How an actual value compares with its target.

    `reached`: None where that is not clear (=5 and 7). `share`: the part of the points that it earns by proportion,
    1 where it was reached. `percent`: the actual value in per cent of the target, None where more is not better.
    """

    reached: bool | None
    share: Decimal
    percent: Decimal | None


def read_measure(text: str, words: OperatorWords) -> Measure | None:
    """Read ≥100(人), 51场, 12.6万人次 or 不少于100人; None of any other text."""
    folded = "".join(unicodedata.normalize("NFKC", text).split()).casefold()
    if not folded or len(folded) > MAX_TEXT:
        return None
    operator, rest = _operator(folded, words)
    match = _MEASURE.fullmatch(rest)
    if match is None or (number := spelled(match["number"])) is None:
        return None
    unit = match["unit"]
    if unit and not is_unit(unit, match["number"], operator=bool(operator)):
        return None
    return Measure(operator, number.scaleb(_SCALES[match["scale"]]), unit, bool(match["scale"]))


def _operator(folded: str, words: OperatorWords) -> tuple[str, str]:
    """Part the operator from the rest of a text: a sign in front, or words on either side."""
    for sign in (*_SIGNS, *OPERATORS):
        if folded.startswith(sign):
            return _SIGNS.get(sign, sign), folded.removeprefix(sign)
    for operator, spellings in words.items():
        for word in sorted(spellings, key=len, reverse=True):
            if folded.startswith(word):
                return operator, folded.removeprefix(word)
            if folded.endswith(word):
                return operator, folded.removesuffix(word)
    return "", folded


def compare(target: Measure, actual: Measure) -> Attainment | None:
    """Compare what was reached with its target; None where they are not numbers of one kind."""
    if actual.operator not in ("", "=") or min(target.number, actual.number) < 0:
        return None
    if actual.unit != target.unit and (actual.unit or _unclear_without_unit(target, actual)):
        return None
    return _attained(target.operator, target.number, actual.number)


def _unclear_without_unit(target: Measure, actual: Measure) -> bool:
    """Return whether a number without a unit may count another: 78 of 80万页, or 0.97 where 95 % are planned."""
    return (target.scaled and not actual.scaled) or (target.unit == "%" and target.number > 1 >= actual.number)


def _attained(operator: str, planned: Decimal, reached: Decimal) -> Attainment | None:
    with localcontext(prec=_PRECISION):
        if operator in ("≤", "<"):
            return _at_most(planned, reached, below=operator == "<")
        percent = reached / planned * 100 if planned else None
        share = min(reached / planned, Decimal(1)) if planned else Decimal(0)
        if operator in ("≥", ">"):
            enough = reached >= planned if operator == "≥" else reached > planned
            return Attainment(enough, Decimal(1) if enough else share, percent)
        if reached == planned:
            return Attainment(True, Decimal(1), percent)
        # 7 where 5 were planned may be more or too many; without an operator less may be better, too.
        if operator == "=":
            return Attainment(None if reached > planned else False, share, percent)
    return None


def _at_most(planned: Decimal, reached: Decimal, *, below: bool) -> Attainment:
    """Compare with a target that is a limit; `below`: a value equal to it misses it."""
    if reached < planned or (reached == planned and not below):
        return Attainment(True, Decimal(1), None)
    return Attainment(False, planned / reached if reached else Decimal(0), None)
