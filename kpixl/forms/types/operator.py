"""The operator of a target: an item such as ≥."""

from __future__ import annotations

from kpixl.forms.definition import YUAN, MoneyUnit
from kpixl.forms.types.choice import ChoiceType
from kpixl.texts import Text


class OperatorType(ChoiceType):
    """An operator."""

    noun = ("符号", "an operator")
    align = "center"

    def expected(self, unit: MoneyUnit = YUAN) -> Text:  # noqa: ARG002
        """Name what a person is asked to type."""
        return ("列表中的符号", "one of the list")


OPERATOR = OperatorType()
