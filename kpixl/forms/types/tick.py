"""A tick box: 是 or 否, typed, ticked or chosen."""

from __future__ import annotations

from typing import Any

from kpixl.forms.definition import YUAN, Choices, MoneyUnit, Value
from kpixl.forms.types.base import FieldType
from kpixl.forms.values import BLANK, Raw, Reading, fold, is_blank, text_of
from kpixl.texts import Text, say

YES, NO = "是", "否"
_SPELLINGS = dict.fromkeys(("是", "有", "√", "✓", "✔", "☑", "☒", "■", "true", "yes", "y"), YES)
_SPELLINGS |= dict.fromkeys(("否", "无", "×", "✗", "✘", "☐", "□", "false", "no", "n"), NO)
_HELP: Text = ("请从下拉列表中选择“是”或“否”。", "Choose 是 (yes) or 否 (no).")
_WRONG: Text = ("只能填“是”或“否”", "Only 是 or 否")


class TickType(FieldType):
    """A tick box."""

    noun = ("是或否", "a tick")
    align = "center"
    typed = True
    items = (YES, NO)

    def read(self, raw: Raw, choices: Choices | None = None, unit: MoneyUnit = YUAN) -> Reading:  # noqa: ARG002
        """Read a tick or a cross, a box, a truth value or a word."""
        if is_blank(raw):
            return BLANK
        text = text_of(raw)
        value = _SPELLINGS.get(fold(text))
        return Reading(text) if value is None else Reading(value, value != text)

    def is_unread(self, value: Value) -> bool:
        """Return whether a value is neither of the two."""
        return isinstance(value, str) and value not in (YES, NO)

    def expected(self, unit: MoneyUnit = YUAN) -> Text:  # noqa: ARG002
        """Name what a person is asked to type."""
        return ("“是”或“否”", "是 or 否")

    def rule(self, unit: MoneyUnit, lang: str) -> dict[str, Any] | None:  # noqa: ARG002
        """Offer both in a dropdown."""
        return {
            "validate": "list",
            "source": list(self.items),
            "input_message": say(_HELP, lang),
            "error_title": say(_WRONG, lang),
            "error_message": say(_HELP, lang),
        }

    def schema(self) -> dict[str, object]:
        """Suggest both."""
        return {"examples": [YES, NO]}


TICK = TickType()
