"""Labels that have their value in the same cell: 项目名称：创新服务."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from kpixl.forms.values import is_blank
from kpixl.portfolio.own_texts import is_furniture
from kpixl.recognise.labels import Hit, LabelIndex, Rows, Slot
from kpixl.recognise.near import MAX_LENGTH, Place, core

MAX_COLONS = 3  # 其中：财政拨款：50 has two; a text with more is prose
_COLON = re.compile("[:：︰﹕]")


def label_and_value(index: LabelIndex, key: str, text: str) -> str | None:
    """Return what is behind the label of a field and a colon in the same text; None where that is not how it begins."""
    for number, colon in enumerate(_COLON.finditer(text)):
        if number == MAX_COLONS or colon.start() > 2 * MAX_LENGTH:
            break
        value = text[colon.end() :]
        if core(text[: colon.start()]) in index.cores[Slot("field", key)] and not is_blank(value):
            return value.strip()
    return None


def labels_with_values(
    index: LabelIndex, rows: Rows, heads: Collection[int], taken: Collection[Place], first: int, last: int
) -> Iterator[Hit]:
    """Yield the cells above the tables that are the label of a field and its value: row, column, fields.

    `heads`: the heading rows of tables, below which texts are those of indicators. `taken`: cells that are labels.
    `first`, `last`: the rows of the form.
    """
    for number in range(first, min([last + 1, len(rows), *heads])):
        for col, raw in enumerate(rows[number]):
            if type(raw) is not str or not _COLON.search(raw) or (number, col) in taken or is_furniture(raw):
                continue
            if fields := tuple(slot for slot in index.fields if label_and_value(index, slot.key, raw) is not None):
                yield number, col, fields
