"""How long something takes, or from when to when, as typed: 1年, 2024年-2026年."""

from __future__ import annotations

import re
import unicodedata
from typing import Any

from kpixl.forms.definition import YUAN, Choices, MoneyUnit
from kpixl.forms.types.base import FieldType
from kpixl.forms.values import BLANK, Raw, Reading, is_blank, text_of
from kpixl.texts import Text, say

MAX_LENGTH = 60  # characters; a longer text describes something
_COUNT = r"(?:\d{1,2}(?:\.5)?|[一二两三四五六七八九十]{1,3}|半)"
_LENGTH = rf"{_COUNT}(?:年度?|个?月|个季度|周|天|日)(?:期|以上|以内)?"
_DAY = r"(?:19|20)\d\d(?:年度?)?(?:[-/.]?\d{1,2}月?(?:[-/.]?\d{1,2}日?)?|\d{1,2}月(?:\d{1,2}日)?)?(?:底|初|末)?"
_SPAN = rf"(?:自|从)?{_DAY}(?:(?:-|—|–|~|至|到){{1,2}}{_DAY}(?:止)?)?"
_OPEN = "长期|常年|经常性|一次性|当年|本年度?|跨年度?"
_WHOLE = rf"{_LENGTH}|{_SPAN}|{_OPEN}"
# One of them, and another in brackets or behind a comma: 3年（2024年-2026年）.
_PERIOD = re.compile(rf"(?:{_WHOLE})(?:[,;(]{{1,2}}(?:{_WHOLE})\)?)?", re.ASCII)
_HELP: Text = ("请填写时长或起止时间，例如 1年、2024年-2026年。", "A length or a span, such as 1年 or 2024年-2026年.")


def is_period(text: str) -> bool:
    """Return whether a text names a length of time, or a span of it."""
    if len(text) > MAX_LENGTH:
        return False
    return _PERIOD.fullmatch("".join(unicodedata.normalize("NFKC", text).split())) is not None


class PeriodType(FieldType):
    """A period."""

    noun = ("周期", "a period")
    typed = True

    def read(self, raw: Raw, choices: Choices | None = None, unit: MoneyUnit = YUAN) -> Reading:  # noqa: ARG002
        """Read a period as it is shown."""
        return BLANK if is_blank(raw) else Reading(text_of(raw))

    def is_unread(self, value: object) -> bool:
        """Return whether a value is a text that names no period."""
        return isinstance(value, str) and not is_period(value)

    def expected(self, unit: MoneyUnit = YUAN) -> Text:  # noqa: ARG002
        """Name what a person is asked to type."""
        return ("时长或起止时间，例如 1年、2024年-2026年", "a length or a span such as 1年 or 2024年-2026年")

    def rule(self, unit: MoneyUnit, lang: str) -> dict[str, Any] | None:  # noqa: ARG002
        """Show what may be typed: no formula tells a period."""
        return {"validate": "any", "input_message": say(_HELP, lang)}

    def schema(self) -> dict[str, object]:
        """Suggest some."""
        return {"examples": ["1年", "2024年-2026年"]}


PERIOD = PeriodType()
