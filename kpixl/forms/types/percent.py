"""A share in per cent: the number of hundredths, 95 for 95 %."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from kpixl.forms.definition import YUAN, Choices, MoneyUnit, Value
from kpixl.forms.types.base import FieldType
from kpixl.forms.values import (
    BLANK,
    DIGITS,
    PLAIN_NUMBER,
    Raw,
    Reading,
    as_typed,
    is_blank,
    is_number,
    number_text,
    plain_number,
    spelled,
    text_of,
)
from kpixl.texts import Text, say

_PLAIN = re.compile(rf"({PLAIN_NUMBER.pattern})%?", re.ASCII)
# ％ is folded to %; 百分之九十五 stays text: Chinese numerals are not read anywhere else either.
_LOOSE = re.compile(rf"(?:百分之)?(?P<number>-?{DIGITS})(?:%|百分比)?", re.ASCII)
_HELP: Text = ("请填写百分数，例如 95% 或 95。", "A percentage such as 95% or 95.")


def read_percent(raw: Raw) -> Reading:
    """Read 95, 95% or 95％ as 95. What a bare 0.95 means is told by the format of its cell, not here."""
    if is_blank(raw):
        return BLANK
    if is_number(raw):
        return plain_number(raw)
    text = text_of(raw)
    if (plain := _PLAIN.fullmatch(text)) is not None:
        number = spelled(plain[1])
        return Reading(text) if number is None else Reading(number)
    match = _LOOSE.fullmatch("".join(unicodedata.normalize("NFKC", text).split()))
    if match is None or re.match(r"-?0\d", match["number"]) or not as_typed(text, match["number"].lstrip("-")):
        return Reading(text)
    number = spelled(match["number"])
    return Reading(text) if number is None else Reading(number, True)


class PercentType(FieldType):
    """A share in per cent."""

    noun = ("百分数", "a percentage")
    python = Decimal
    css_class = "money"
    typed = True
    align = "right"
    keeps_digits = False
    entered_as_text = True  # Excel would make 0.95 of 95%, and show 0.95 again where the format is lost
    in_percent = True

    def read(self, raw: Raw, choices: Choices | None = None, unit: MoneyUnit = YUAN) -> Reading:  # noqa: ARG002
        """Read a number with or without its sign."""
        return read_percent(raw)

    def expected(self, unit: MoneyUnit = YUAN) -> Text:  # noqa: ARG002
        """Name what a person is asked to type."""
        return ("百分数，例如 95%", "a percentage such as 95%")

    def text(self, value: Value) -> str:
        """Print 95 as 95%."""
        return f"{number_text(value)}%" if isinstance(value, Decimal) else super().text(value)

    def entered(self, value: Decimal) -> str:
        """Spell 95 as 95%."""
        return self.text(value)

    def computed_format(self, decimals: int | None, unit: MoneyUnit = YUAN) -> str:  # noqa: ARG002
        """Return a format that shows 95 as 95%: a computed cell holds hundredths as well."""
        return f'0{"." + "0" * decimals if decimals else ""}"%"'

    def shown_format(self, unit: MoneyUnit = YUAN) -> str:  # noqa: ARG002
        """Return a format that shows 99.63 as 99.63%: the cell holds hundredths."""
        return 'General"%"'

    def rule(self, unit: MoneyUnit, lang: str) -> dict[str, Any] | None:  # noqa: ARG002
        """Show what may be typed: a cell of text takes any."""
        return {"validate": "any", "input_message": say(_HELP, lang)}

    def schema(self) -> dict[str, object]:
        """Suggest a number."""
        return {"examples": [95]}

    def width(self, values: Sequence[Value]) -> float | None:  # noqa: ARG002
        """Return the width of 100.00%."""
        return 10.0


PERCENT = PercentType()
