"""An item of a list, typed or chosen."""

from __future__ import annotations

from kpixl.forms.definition import YUAN, Choices, MoneyUnit
from kpixl.forms.types.base import FieldType
from kpixl.forms.types.boxes import ticked_item
from kpixl.forms.values import Raw, Reading, read_choice
from kpixl.texts import Text


class ChoiceType(FieldType):
    """An item of a list; other text where the list is open."""

    noun = ("选项", "an item")
    needs_choices = True

    def read(self, raw: Raw, choices: Choices | None = None, unit: MoneyUnit = YUAN) -> Reading:  # noqa: ARG002
        """Read an item by its own spelling or a synonym, or the one that is ticked of several."""
        found = read_choice(raw, choices)
        if choices is None or not isinstance(found.value, str) or found.value in choices.items:
            return found
        item = read_choice(ticked_item(found.value), choices).value
        return Reading(item, True) if item in choices.items else found

    def expected(self, unit: MoneyUnit = YUAN) -> Text:  # noqa: ARG002
        """Name what a person is asked to type."""
        return ("列表中的一项", "an item of the list")


CHOICE = ChoiceType()
