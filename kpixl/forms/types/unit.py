"""The unit of a target: an item such as 人次."""

from __future__ import annotations

from kpixl.forms.definition import YUAN, MoneyUnit
from kpixl.forms.types.choice import ChoiceType
from kpixl.texts import Text


class UnitType(ChoiceType):
    """A unit of measure."""

    noun = ("单位", "a unit")
    align = "center"

    def expected(self, unit: MoneyUnit = YUAN) -> Text:  # noqa: ARG002
        """Name what a person is asked to type."""
        return ("计量单位", "a unit")


UNIT = UnitType()
