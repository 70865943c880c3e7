"""Boxes to tick in one cell, as printed forms have them: ☑特定目标类 □其他运转类."""

from __future__ import annotations

import re

TICKED = "☑☒■●√✓✔✅"
EMPTY = "□☐○◯▢"
MAX_TEXT = 200  # characters; a longer text is no line of boxes
_IN_BRACKETS = ((re.compile(rf"[(（\[【]\s*[{TICKED}xXvV]\s*[)）\]】]"), TICKED[0]),
                (re.compile(r"[(（\[【]\s*[)）\]】]"), EMPTY[0]))  # fmt: skip
_BOX = re.compile(f"([{TICKED}{EMPTY}])")
# The number of an item, before it or before the next box.
_COUNT = r"(?<![\w.])(?:\d{1,2}[.、)）](?!\d)|[一二三四五六七八九十]{1,2}、)"
_BESIDE = re.compile(rf"^[\s、,，;；.。]*(?:{_COUNT})?\s*|(?:{_COUNT})?[\s、,，;；.。]*$")
_NUMBER = re.compile(rf"\s*(?:{_COUNT})?\s*")


def ticked_item(text: str) -> str | None:
    """Return the item whose box is ticked, as it is printed; None where it is not just one, or there are no boxes.

    Boxes may be before their items or behind them: 特定目标类☑ 其他运转类□.
    """
    if len(text) > MAX_TEXT:
        return None
    for pattern, box in _IN_BRACKETS:
        text = pattern.sub(box, text)
    first, *parts = _BOX.split(text)
    boxes, texts = parts[::2], parts[1::2]
    ticked = [number for number, box in enumerate(boxes) if box in TICKED]
    if len(ticked) != 1:
        return None
    items = texts if _NUMBER.fullmatch(first) else [first, *texts]
    return _BESIDE.sub("", items[ticked[0]].strip()).strip() or None
