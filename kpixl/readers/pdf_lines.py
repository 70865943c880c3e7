"""Characters of a PDF -> lines -> texts: blanks that are drawn as gaps, and line ends that a program put in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from kpixl.readers.pdf_pages import Char
from kpixl.readers.stack import RAISED
from kpixl.readers.wraps import is_wide, joint, spacing_of

# Shares of the size of a character.
_SAME_LINE = 0.4  # how much higher or lower a character of the same line may be
_GAP = 0.3  # a wider gap without a blank in it is one
_WIDE_GAP = 0.8  # between wide characters, which are spread over a justified line
_APART = 3.0  # between texts side by side
_BLANK = 0.15  # how exactly a gap is as wide as so many blanks
_NARROWEST = 0.1  # a blank that is narrower is none: a gap would make millions of it
_RAISED, _SMALL = 0.2, 0.8  # digits raised by more, and smaller, are above the line


class PdfLine(NamedTuple):
    """A line of text: where it begins and ends, how large its characters are."""

    text: str
    left: float
    right: float
    size: float


def lines_of(chars: Sequence[Char], margins: bool = False) -> Iterator[tuple[float, PdfLine]]:
    """Put characters into lines, with the height of each: those of a line are at one height and read one way.

    `margins`: the first and the last line of a page may hold several texts side by side, as browsers print them there.
    """
    lines = [line for line in _gathered(chars) if any(not char.text.isspace() for char in line)]
    for number, line in enumerate(lines):
        line.sort(key=lambda char: char.left)
        edge = margins and number in (0, len(lines) - 1)
        for part in _parts(line) if edge else (line,):
            yield min(char.y for char in part), _line(part)


def _parts(line: list[Char]) -> Iterator[list[Char]]:
    """Cut a line where it has a wide gap."""
    part: list[Char] = []
    for char in line:
        if char.text.isspace():
            part += [char] * bool(part)
            continue
        seen = next((c for c in reversed(part) if not c.text.isspace()), None)
        if seen is not None and char.left - seen.right > char.size * _APART:
            yield part
            part = []
        part.append(char)
    yield part


def _gathered(chars: Sequence[Char]) -> Iterator[list[Char]]:
    line: list[Char] = []
    for char in sorted(chars, key=lambda c: (c.turn, c.base)):
        if line and (char.turn != line[0].turn or char.base - line[0].base > _reach(line[0], char)):
            yield line
            line = []
        line.append(char)
    if line:
        yield line


def _reach(first: Char, char: Char) -> float:
    """Return how far the next character may be below the first of a line; a raised one reaches down by its line."""
    return max(first.size, char.size, 1.0) * _SAME_LINE


def _line(chars: list[Char]) -> PdfLine:
    """Spell a line, its characters sorted."""
    seen = [c for c in chars if not c.text.isspace()]
    size = max(c.size for c in seen)
    base = max(c.base for c in seen if c.size >= size * _SMALL)
    text = ""
    for before, char in zip([None, *chars], chars, strict=False):
        if before is not None:
            text += _between(before, char)
        raised = char.size < size * _SMALL and base - char.base > size * _RAISED
        text += char.text.translate(RAISED) if raised else char.text
    return PdfLine(text.lstrip(" "), seen[0].left, seen[-1].right, size)


def _between(before: Char, char: Char) -> str:
    """Return the blanks that a gap between two characters shows.

    PDFium makes one blank of several; the gap behind it shows how many they were.
    """
    gap = char.left - before.right
    if char.text == " ":
        return ""
    if before.text == " ":
        width = before.right - before.left
        count = round(gap / width) if width > before.size * _NARROWEST and 0 < gap < before.size * 20 else 0
        return " " * count if count and abs(gap - count * width) < width * _BLANK else ""
    return " " if gap_before(before, char) and not before.text.isspace() else ""


def gap_before(before: Char, char: Char) -> bool:
    """Return whether there is room for a blank between two characters."""
    wide = is_wide(before.text) and is_wide(char.text)
    return char.left - before.right > max(before.size, char.size) * (_WIDE_GAP if wide else _GAP)


def joined(lines: Sequence[PdfLine], room: float) -> str:
    """Join lines that could be as wide as `room`: a line that had room for more was ended by a person."""
    spacing = spacing_of("\n".join(line.text for line in lines))
    texts: list[str] = []
    for number, line in enumerate(lines):
        if number and is_wrapped(lines[number - 1], line, room):
            texts.append(joint(texts[-1], line.text, spacing))
        elif number:
            texts[-1] = texts[-1].rstrip(" ")
            texts.append("\n")
        texts.append(line.text)
    return "".join(texts).rstrip(" ")


def is_wrapped(before: PdfLine, after: PdfLine, room: float, slack: int = 3) -> bool:
    """Return whether the next line begins where it does because what it begins with found no room on the line before.

    `slack`: characters allowed for, as punctuation must not begin a line and takes one or two down with it.
    """
    wide = is_wide(after.text[:1] or " ")
    head = 1.0 if wide else len(after.text.split(" ", 1)[0]) * 0.5
    return before.right - before.left + (head + slack) * after.size > room
