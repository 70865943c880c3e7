"""How much room a text takes in a cell: its lines, row heights, column widths.

Widths are counted in ems: an East Asian character is one em, any other a part of it. Lines break as in spreadsheets:
between East Asian characters, but not before closing nor after opening punctuation; between words elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

MAX_ROW_HEIGHT = 409.0  # points; Excel's own limit
# A column width counts digits of the default font at 11 points, 7 pixels at 96 dpi; five pixels of a cell stay free.
PIXELS_PER_WIDTH = 7.0
PADDING = 5.0
PIXELS_PER_POINT = 96 / 72
# Of a font's size: 1.2 in SimSun, 1.32 in YaHei, 1.45 in the Noto fonts that stand in for both outside Windows, and 1.5
# for these at 125 %, where 10 points are rounded up to 17 pixels.
LINE = 1.5
_BESIDE_LINES = 3.0  # points of a row above and below its lines
_NARROW, _BLANK = 0.55, 0.33  # em; letters and digits are 0.5 in SimSun, 0.56 in Noto Sans CJK
# Zoomed to 125 %, programs round the width of every character and of the column to pixels.
_SLACK = 0.97

# Quotes, dashes and signs such as ≥ from U+2000 on are full-width in Chinese fonts.
_WIDE = re.compile("[\u1100-\U0010ffff]+")
_PIECES = re.compile("(?P<wide>[\u1100-\U0010ffff]+)|(?P<blank>[^\\S\u1100-\U0010ffff]+)|[^\\s\u1100-\U0010ffff]+")
_NOT_FIRST = frozenset("，。、；：？！）》】」』〉〕”’…—·％℃,.;:?!)]}%")
_NOT_LAST = frozenset("（《【「『〈〔“‘([{")
_MOST_CARRIED = 4  # characters that punctuation takes with it onto the next line


def ems(text: str) -> float:
    """Return the width of `text` on one line, in ems."""
    if text.isascii():
        return _NARROW * len(text)
    wide = sum(map(len, _WIDE.findall(text)))
    return wide + _NARROW * (len(text) - wide)


def text_lines(text: str, width: float, size: float) -> int:
    """Count the lines that `text` takes in a cell of `width` (column units) at `size` points."""
    em = size * PIXELS_PER_POINT
    room = max((width * PIXELS_PER_WIDTH - PADDING) * _SLACK / em, 1.0)
    return sum(_wrapped(line, room) for line in text.split("\n"))


def _wrapped(line: str, room: float) -> int:
    """Count the lines of a paragraph in `room` ems, filling each as far as it goes."""
    if ems(line) <= room:
        return 1
    lines, used = 1, 0.0
    for piece in _PIECES.finditer(line):
        text = piece[0]
        if piece["wide"]:
            more, used = _broken(text, room, used)
            lines += more
        elif piece["blank"]:
            used = min(used + _BLANK * len(text), room)  # blanks hang over the end of a line
        else:
            more, used = _word(_NARROW * len(text), room, used, text[0] in _NOT_FIRST)
            lines += more
    return lines


def _word(width: float, room: float, used: float, sticks: bool) -> tuple[int, float]:
    """Put a word behind what fills `used` ems of a line; return the lines that begin and what fills the last.

    `sticks`: it begins with punctuation, which takes the character before it along.
    """
    if used + width <= room:
        return 0, used + width
    if width > room:  # broken anywhere, also early at a slash; a long number is wider than letters
        full, rest = divmod(1.1 * width, room)
        return int(full) + 1, rest
    return 1, width + (1.0 if sticks else 0.0)


def _broken(text: str, room: float, used: float) -> tuple[int, float]:
    """Do as `_word` for a run of East Asian characters."""
    begun, start = 0, 0
    while len(text) - start > room - used:
        end = start + max(0, int(room - used))
        # At most a few: a row of closing brackets is broken all the same.
        for _ in range(_MOST_CARRIED):
            if end > start and (text[end] in _NOT_FIRST or text[end - 1] in _NOT_LAST):
                end -= 1
        if end == start and used == 0.0:
            end += 1
        begun, start, used = begun + 1, end, 0.0
    return begun, used + len(text) - start


def fitting_height(text: str, width: float, size: float, least: float) -> float:
    """Return the row height in points that shows all of `text`, at least `least`; it may exceed MAX_ROW_HEIGHT."""
    return max(least, height_of(text_lines(text, width, size), size))


def height_of(lines: int, size: float) -> float:
    """Return the height in points of a row of so many lines at `size` points."""
    return lines * size * LINE + _BESIDE_LINES


def fitting_size(text: str, width: float, size: float, smallest: float = 6) -> float:
    """Return the largest font size, from `size` down in half points, at which `text` fits Excel's tallest row."""
    while size > smallest and fitting_height(text, width, size, 0) > MAX_ROW_HEIGHT:
        size -= 0.5
    return size


def fitting_width(texts: Iterable[str], size: float, least: float, most: float) -> float:
    """Return the column width that shows the longest of `texts` on one line, between `least` and `most`."""
    longest = max(map(ems, texts), default=0.0)
    return min(max(least, (longest * size * PIXELS_PER_POINT / _SLACK + PADDING) / PIXELS_PER_WIDTH + 0.5), most)


def row_height(texts: Sequence[tuple[str, float]], size: float, least: float) -> float:
    """Return the height that shows texts beside each other, each given with the width of its column."""
    return min(max((fitting_height(t, w, size, least) for t, w in texts), default=least), MAX_ROW_HEIGHT)
