"""A name with its code in front, as budgets print departments: [105]某部."""

from __future__ import annotations

import re
import unicodedata
from typing import Any, NamedTuple

from kpixl.forms.definition import YUAN, Choices, MoneyUnit, Value
from kpixl.forms.types.base import FieldType
from kpixl.forms.values import BLANK, INVISIBLE, Raw, Reading, fold, is_blank, text_of
from kpixl.texts import Text, say

MAX_LENGTH = 200  # characters; a longer text is kept as it is
_CODE = r"(?P<code>[0-9]{2,20})"
_OPEN, _CLOSE = r"[(\[【〔]", r"[)\]】〕]"
# [105]某部, 105 某部, 105-某部, 某部(105). A name may begin with a digit only behind a bracket or a sign: 2026世博局.
_WRITTEN = (
    re.compile(rf"{_OPEN}\s*{_CODE}\s*{_CLOSE}[\s:-]*(?P<name>[^\s:-].*)", re.DOTALL),
    re.compile(rf"{_CODE}(?:\s*[-:—、]\s*|\s+)(?P<name>[^\s\d:—、-].*)", re.DOTALL),
    re.compile(rf"(?P<name>[^\s\d:-].*?)\s*{_OPEN}\s*{_CODE}\s*{_CLOSE}", re.DOTALL),
)
_BARE_CODE = re.compile(rf"{_OPEN}?{_CODE}{_CLOSE}?")
_HELP: Text = ("请填写代码和名称，例如 [105]某部。", "Code and name, such as [105]某部.")


class CodeAndName(NamedTuple):
    """The two parts, "" where one is not given."""

    code: str
    name: str


def parted(text: str) -> CodeAndName:
    """Part a text into code and name."""
    if len(text) > MAX_LENGTH:
        return CodeAndName("", text)
    plain = unicodedata.normalize("NFKC", text).translate(INVISIBLE).strip()
    if (bare := _BARE_CODE.fullmatch(plain)) is not None:
        return CodeAndName(bare["code"], "")
    for written in _WRITTEN:
        if (match := written.fullmatch(plain)) is not None:
            # The name as it was typed, in its own width.
            typed = next((t for t in (text[n:] for n in range(len(text))) if _plain(t) == match["name"]), match["name"])
            return CodeAndName(match["code"], typed.strip())
    return CodeAndName("", text)


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKC", text).translate(INVISIBLE).strip()


class CodeAndNameType(FieldType):
    """A name with its code."""

    noun = ("代码和名称", "a code and name")
    free_text = True

    def read(self, raw: Raw, choices: Choices | None = None, unit: MoneyUnit = YUAN) -> Reading:  # noqa: ARG002
        """Read code and name into [code]name; a name or a code alone stays as it is."""
        if is_blank(raw):
            return BLANK
        text = text_of(raw)
        code, name = parted(text)
        value = f"[{code}]{name}" if code and name else text
        return Reading(value, value != text)

    def includes(self, value: Value, other: Value) -> bool:
        """Return whether another value is of the same code and name, or has one of them only."""
        if not isinstance(value, str) or not isinstance(other, str):
            return value == other
        own, given = parted(value), parted(other)
        return given.code in ("", own.code) and fold(given.name) in ("", fold(own.name))

    def compared(self, value: Value) -> str:
        """Return the name, by which values are grouped and matched; the code where there is no other."""
        code, name = parted(text_of(value))
        return fold(name or code)

    def expected(self, unit: MoneyUnit = YUAN) -> Text:  # noqa: ARG002
        """Name what a person is asked to type."""
        return ("代码和名称，例如 [105]某部", "code and name such as [105]某部")

    def rule(self, unit: MoneyUnit, lang: str) -> dict[str, Any] | None:  # noqa: ARG002
        """Show what may be typed."""
        return {"validate": "any", "input_message": say(_HELP, lang)}

    def schema(self) -> dict[str, object]:
        """Suggest the spelling."""
        return {"examples": ["[105]某部"]}


CODE_AND_NAME = CodeAndNameType()
