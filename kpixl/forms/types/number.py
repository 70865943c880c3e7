"""A plain number: points, a score."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from kpixl.forms.definition import YUAN, Choices, MoneyUnit
from kpixl.forms.types.base import FieldType
from kpixl.forms.types.quantity import read_quantity
from kpixl.forms.values import Raw, Reading
from kpixl.texts import Text, say

LARGEST_NUMBER = 1e13

_HELP: Text = ("只填数字，例如 10。", "Digits only, for example 10.")
_WRONG: Text = ("不是数字", "Not a number")


class NumberType(FieldType):
    """A number without a unit."""

    noun = ("数字", "a number")
    python = Decimal
    typed = True
    align = "center"
    keeps_digits = False

    def read(self, raw: Raw, choices: Choices | None = None, unit: MoneyUnit = YUAN) -> Reading:  # noqa: ARG002
        """Read a number; text that is none stays."""
        return read_quantity(raw)

    def expected(self, unit: MoneyUnit = YUAN) -> Text:  # noqa: ARG002
        """Name what a person is asked to type."""
        return ("数字，例如 10", "a number such as 10")

    def number_format(self, unit: MoneyUnit = YUAN) -> str:  # noqa: ARG002
        """Show a number as it is."""
        return "General"

    def rule(self, unit: MoneyUnit, lang: str) -> dict[str, Any] | None:  # noqa: ARG002
        """Let only numbers be typed."""
        return {
            "validate": "decimal",
            "criteria": "between",
            "minimum": -LARGEST_NUMBER,
            "maximum": LARGEST_NUMBER,
            "input_message": say(_HELP, lang),
            "error_title": say(_WRONG, lang),
            "error_message": say(_HELP, lang),
        }


NUMBER = NumberType()
