"""The value of a target: a number where it is one, else text."""

from __future__ import annotations

import re
import unicodedata

from kpixl.forms.definition import YUAN, Choices, MoneyUnit
from kpixl.forms.types.base import FieldType
from kpixl.forms.values import (
    BLANK,
    OCTOBER,
    PLAIN_DIGITS,
    PLAIN_NUMBER,
    Raw,
    Reading,
    as_typed,
    is_blank,
    is_number,
    plain_number,
    spelled,
    text_of,
)
from kpixl.texts import Text


def read_quantity(raw: Raw) -> Reading:
    """Read an indicator value: a number where it is one, else the text (a qualitative target)."""
    if is_blank(raw):
        return BLANK
    if is_number(raw):
        return plain_number(raw)
    text = text_of(raw)
    if OCTOBER.fullmatch(text):
        return Reading(text)
    if PLAIN_NUMBER.fullmatch(text):
        number = spelled(text)
        return Reading(text) if number is None else Reading(number)
    folded = "".join(unicodedata.normalize("NFKC", text).split())
    if PLAIN_DIGITS.fullmatch(folded) and not re.match(r"-?0\d", folded):
        number = spelled(folded) if as_typed(text, folded.lstrip("-")) else None
        if number is not None:
            return Reading(number, True)
    return Reading(text)


class QuantityType(FieldType):
    """A number or text."""

    noun = ("指标值", "a value")
    align = "center"  # numbers and texts of one column stand alike
    keeps_digits = False
    entered_as_text = True

    def read(self, raw: Raw, choices: Choices | None = None, unit: MoneyUnit = YUAN) -> Reading:  # noqa: ARG002
        """Read a number or text."""
        return read_quantity(raw)

    def expected(self, unit: MoneyUnit = YUAN) -> Text:  # noqa: ARG002
        """Name what a person is asked to type."""
        return ("数字或文字", "a number or text")


QUANTITY = QuantityType()
