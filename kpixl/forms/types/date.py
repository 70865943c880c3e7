"""A date, from 1990 to 2100 in the template."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from typing import Any

from kpixl.forms.definition import YUAN, Choices, MoneyUnit, Value
from kpixl.forms.types.base import FieldType
from kpixl.forms.values import (
    BLANK,
    EXCEL_EPOCH,
    SERIAL_DAYS,
    SERIAL_LENGTH,
    Raw,
    Reading,
    as_typed,
    is_blank,
    text_of,
)
from kpixl.texts import Text, say

FIRST_DATE, LAST_DATE = date(1990, 1, 1), date(2100, 12, 31)
DATE_HELP: Text = ("请填写日期，例如 2026-01-31。", "A date such as 2026-01-31.")
DATE_WRONG: Text = ("不是有效日期", "Not a date")

_ISO = re.compile(r"(\d{4})-(\d{2})-(\d{2})", re.ASCII)
_LOOSE_DATE = re.compile(r"(?P<y>\d{4})(?P<s>[-/.年])(?P<m>\d{1,2})[-/.月](?P<d>\d{1,2})日?", re.ASCII)
_MIDNIGHT = re.compile(r"[\sT]+0{1,2}:00(:00(\.0+)?)?\Z", re.ASCII)
_COMPACT_DATE = re.compile(r"(?P<y>(?:19|20)\d{2})(?P<m>\d{2})(?P<d>\d{2})", re.ASCII)


def read_date(raw: Raw) -> Reading:
    """Read a date: a date cell or ISO text is plain; other spellings and serial numbers are noted."""
    if is_blank(raw):
        return BLANK
    if isinstance(raw, datetime):
        return Reading(raw.date(), raw.time() != time())
    if isinstance(raw, date):
        return Reading(raw)
    if isinstance(raw, int | float) and not isinstance(raw, bool) and raw in SERIAL_DAYS:
        return Reading(EXCEL_EPOCH + timedelta(days=int(raw)), True)
    text = text_of(raw)
    folded = "".join(
        _MIDNIGHT.sub("", unicodedata.normalize("NFKC", text).strip()).split()
    )  # 2026/1/1 00:00 is no 10th
    if len(folded) == SERIAL_LENGTH and folded.isascii() and folded.isdecimal() and int(folded) in SERIAL_DAYS:
        return Reading(EXCEL_EPOCH + timedelta(days=int(folded)), True)
    match = _LOOSE_DATE.fullmatch(folded) or _COMPACT_DATE.fullmatch(folded)
    if match and as_typed(text, match["y"], match["m"], match["d"]):
        try:
            value = date(int(match["y"]), int(match["m"]), int(match["d"]))
        except ValueError:
            return Reading(text)
        return Reading(value, not _ISO.fullmatch(text))
    return Reading(text)


class DateType(FieldType):
    """A date."""

    noun = ("日期", "a date")
    python = date
    typed = True
    align = "center"
    keeps_digits = False

    def read(self, raw: Raw, choices: Choices | None = None, unit: MoneyUnit = YUAN) -> Reading:  # noqa: ARG002
        """Read a date in any of the usual spellings."""
        return read_date(raw)

    def expected(self, unit: MoneyUnit = YUAN) -> Text:  # noqa: ARG002
        """Name what a person is asked to type."""
        return ("日期，例如 2026-01-31", "a date such as 2026-01-31")

    def number_format(self, unit: MoneyUnit = YUAN) -> str:  # noqa: ARG002
        """Return the ISO format."""
        return "yyyy-mm-dd"

    def rule(self, unit: MoneyUnit, lang: str) -> dict[str, Any] | None:  # noqa: ARG002
        """Let only dates be typed."""
        return {
            "validate": "date",
            "criteria": "between",
            "minimum": FIRST_DATE,
            "maximum": LAST_DATE,
            "input_message": say(DATE_HELP, lang),
            "error_title": say(DATE_WRONG, lang),
            "error_message": say(DATE_HELP, lang),
        }

    def schema(self) -> dict[str, object]:
        """Annotate the text as a date."""
        return {"format": "date"}

    def width(self, values: Sequence[Value]) -> float | None:  # noqa: ARG002
        """Return the width of 2026-01-31."""
        return 12.0


DATE = DateType()
