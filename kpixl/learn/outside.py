"""What is above and below the frame of a form: title, year, unit of money, who fills it in, notes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from kpixl.forms.definition import MoneyUnit
from kpixl.forms.money import MAX_REMARK, money_remark
from kpixl.forms.values import fold
from kpixl.learn.pairs import PROSE, Pair
from kpixl.learn.sheet import Box, Boxes
from kpixl.learn.words import field_meaning, is_note
from kpixl.recognise.kinds import MAX_TITLE, kind_of_title

_YEAR = re.compile(r"[（(]?\s{0,9}(?:(?:19|20)\d\d|20[xX×_＿*]{2}|[xX×_＿]{2,4})?\s{0,9}年\s{0,4}度?\s{0,9}[)）]?")
_ANY_YEAR = re.compile(r"(?P<year>(?:19|20)\d\d|20[xX×_＿*]{2}|[xX×_＿]{2,4}|(?<=[（(])\s{0,12})(?=\s{0,9}年)")
# A label with its colon and, behind it, what was typed: 填报单位：某局    联系电话：
_LABEL = r"[^\s:：]{2,16}[:：]"
_INLINE = re.compile(rf"({_LABEL})([^:：]{{0,60}}?)(?=$|\s+{_LABEL})")
MAX_PIECES = 6
MAX_LINE = 200  # characters of a line with labels


@dataclass
class Outside:
    """What the rows outside of the frame hold. `pieces`: labels that share one cell with others or with their value."""

    title: Box | None = None
    title_text: str = ""
    subtitle: Box | None = None
    subtitle_text: str = ""
    unit: MoneyUnit | None = None
    pairs: list[Pair] = field(default_factory=list)
    pieces: set[Box] = field(default_factory=set)
    captions: list[Box] = field(default_factory=list)
    notes: list[Box] = field(default_factory=list)


def outer_rows(boxes: Boxes) -> tuple[list[int], list[int]]:
    """Return the rows above the frame of the form, and those below it."""
    framed = [row for row in boxes.rows if boxes.is_framed(row)] if boxes.framed else []
    head = [row for row in boxes.rows if framed and row < framed[0]]
    for row in [row for row in boxes.rows if row not in head]:
        texts = [box for box in boxes.line(row) if box.text]
        if not (len(texts) == 1 and _is_wide(boxes, texts[0]) and field_meaning(texts[0].text) is None) and texts:
            break
        head.append(row)
        if not boxes.framed and len(head) > 3:
            break
    foot = [row for row in boxes.rows if framed and row > framed[-1]]
    return head, foot


def _is_wide(boxes: Boxes, box: Box) -> bool:
    alone = not any(other is not box and (other.columns > 1 or other.look.edges) for other in boxes.line(box.row))
    return box.rows == 1 and (box.columns >= 0.7 * len(boxes.columns) or alone)


def read_outside(boxes: Boxes, head: Sequence[int], foot: Sequence[int]) -> Outside:
    """Read the rows outside of the frame."""
    found = Outside()
    texts = [box for row in head for box in boxes.starting(row) if box.text]
    found.title = _title(texts)
    if found.title is not None:
        found.title_text = _with_place(found.title.text)
    for box in texts:
        if box is not found.title:
            _head_text(boxes, box, found)
    for row in foot:
        for box in boxes.starting(row):
            if box.text:
                _foot_text(boxes, box, found)
    return found


def _title(texts: Sequence[Box]) -> Box | None:
    """Choose the title: what names a kind of form, else the largest text that is neither year nor unit."""
    able = [b for b in texts if len(b.text) <= MAX_TITLE and not _YEAR.fullmatch(b.text) and not _remark(b.text)]
    able = [box for box in able if isinstance(box.raw, str) and not box.text.rstrip().endswith((":", "："))]
    named = [box for box in able if kind_of_title(box.text) is not None]
    return max(named or able, key=lambda b: (b.look.size, b.columns, len(b.text), -b.row), default=None)


def _with_place(text: str) -> str:
    """Put a place for the year into a title where it has one: 2022年度项目支出绩效自评表."""
    text = " ".join(text.split())
    year = _ANY_YEAR.search(text)
    return f"{text[: year.start('year')]}{{{{ year }}}}{text[year.end('year') :]}" if year else text


def _remark(text: str) -> MoneyUnit | None:
    found = money_remark(text) if len(text) <= MAX_REMARK else None
    return found.unit if found else None


def _head_text(boxes: Boxes, box: Box, found: Outside) -> None:
    unit = _remark(box.text)
    if unit is not None and found.unit is None:
        found.unit = unit
    marked = _ANY_YEAR.search(box.text)
    if marked is not None and found.subtitle is None and len(box.text) <= MAX_REMARK and "{" not in box.text:
        found.subtitle = box
        blank = "" if marked["year"].strip() or not marked["year"] else " "
        found.subtitle_text = f"{box.text[: marked.start()]}{{{{ year }}}}{blank}{box.text[marked.end() :]}"
    elif unit is not None or not _pair(boxes, box, found):
        found.captions.append(box)


def _foot_text(boxes: Boxes, box: Box, found: Outside) -> None:
    if is_note(box.text) or "\n" in box.text or (len(box.text) > PROSE and not _INLINE.match(box.text)):
        found.notes.append(box)
    elif not _pair(boxes, box, found):
        found.captions.append(box)


def _pair(boxes: Boxes, box: Box, found: Outside) -> bool:
    """Pair the labels in a text with the blank cells behind it, or with parts of its own cell."""
    room = box.columns + sum(other.columns for other in _blanks(boxes, box))
    pieces = _INLINE.findall(box.text[:MAX_LINE])[:MAX_PIECES]
    if len(pieces) < 2 and not (pieces and (pieces[0][1].strip() or room == box.columns)):
        label = box.text.endswith((":", "：")) or field_meaning(box.text) is not None
        if not label or room == box.columns:
            return False
        value = Box(box.row, box.last_col + 1, 1, room - box.columns, look=box.look)
        found.pairs.append(Pair(box, value))
        return True
    if room < 2 * len(pieces) or fold(box.text).startswith(("http", "注:")):
        return False
    share, col = room // len(pieces), box.col
    for number, (label, typed) in enumerate(pieces, 1):
        end = box.col + room if number == len(pieces) else col + share
        piece = replace(box, col=col, columns=1, raw=label)
        found.pairs.append(Pair(piece, Box(box.row, col + 1, 1, end - col - 1, typed.strip(), box.look)))
        found.pieces.add(piece)
        col = end
    return True


def _blanks(boxes: Boxes, box: Box) -> Iterator[Box]:
    """Yield the blank boxes between a box and the next text of its row."""
    following = boxes.right_of(box)
    while following is not None and not following.text:
        yield following
        following = boxes.right_of(following)
