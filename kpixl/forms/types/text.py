"""Free text, exactly as typed."""

from __future__ import annotations

from kpixl.forms.definition import YUAN, Choices, MoneyUnit
from kpixl.forms.types.base import FieldType
from kpixl.forms.values import BLANK, Raw, Reading, is_blank, text_of


class TextType(FieldType):
    """Free text."""

    noun = ("文字", "text")
    free_text = True

    def read(self, raw: Raw, choices: Choices | None = None, unit: MoneyUnit = YUAN) -> Reading:  # noqa: ARG002
        """Read text as it is shown."""
        return BLANK if is_blank(raw) else Reading(text_of(raw))


TEXT = TextType()
