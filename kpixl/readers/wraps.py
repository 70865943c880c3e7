"""Line wraps that a program put into a text: which of them hide a blank and which hide nothing."""

from __future__ import annotations

import re
import unicodedata
from typing import NamedTuple

# Punctuation that Chinese typesetting sets as wide as a character, though Unicode leaves it open.
_WIDE_PUNCTUATION = frozenset("“”‘’…—·≥≤")
_WHITE = re.compile(r"[ \t\r\n\f]+")


def is_wide(char: str) -> bool:
    """Return whether a character belongs to Chinese, Japanese or full-width text, which needs no blanks."""
    return char in _WIDE_PUNCTUATION or unicodedata.east_asian_width(char) in "WF"


def collapse(text: str) -> str:
    """Collapse white space as browsers do; a line break of the source between two wide characters is nothing.

    The rule is that of CSS Text Level 3, section 4.1.3. Blanks that do not break (U+00A0) stay.
    """

    def between(match: re.Match[str]) -> str:
        before, after = text[match.start() - 1 : match.start()], text[match.end() : match.end() + 1]
        if "\n" in match[0] and before and after and is_wide(before) and is_wide(after):
            return ""
        return " "

    return _WHITE.sub(between, text).strip(" ")


class Spacing(NamedTuple):
    """Where a text sets blanks more often than not: where Chinese and Latin meet, and behind half-width ; and ,."""

    words: bool = False
    marks: bool = False


TIGHT = Spacing()


def joint(before: str, after: str, spacing: Spacing = TIGHT) -> str:
    """Return what to put in place of a line wrap between two lines of a PDF.

    A blank that is in the file is kept as it is. Two words or numbers in Latin letters are only wrapped at a blank, or
    behind a hyphen, a slash or a bracket. Two wide characters have nothing between them. Where the two meet, a blank
    was there if the text sets one in most such places.
    """
    if not before or not after or before[-1].isspace() or after[0].isspace():
        return ""
    wide = is_wide(before[-1]) + is_wide(after[0])
    if wide == 0:
        return " " if before[-1] not in "-/–(" else ""
    if wide == 1 and before[-1] in ";,":
        return " " if spacing.marks else ""
    return " " if wide == 1 and spacing.words and _MIXED.fullmatch(before[-1] + after[0]) else ""


_MIXED = re.compile(r"[A-Za-z0-9][\u3400-\u9fff]|[\u3400-\u9fff][A-Za-z0-9]")
_SPACED = re.compile(r"(?<=[A-Za-z0-9]) (?=[\u3400-\u9fff])|(?<=[\u3400-\u9fff]) (?=[A-Za-z0-9])")
_TIGHT = re.compile(r"(?<=[A-Za-z0-9])(?=[\u3400-\u9fff])|(?<=[\u3400-\u9fff])(?=[A-Za-z0-9])")


_SPACED_MARK = re.compile(r"[;,] (?=[\u3400-\u9fff])")
_TIGHT_MARK = re.compile(r"[;,](?=[\u3400-\u9fff])")


def spacing_of(text: str) -> Spacing:
    """Return where a text, with a line end at each wrap, sets blanks."""
    return Spacing(
        len(_SPACED.findall(text)) > len(_TIGHT.findall(text)),
        len(_SPACED_MARK.findall(text)) > len(_TIGHT_MARK.findall(text)),
    )
