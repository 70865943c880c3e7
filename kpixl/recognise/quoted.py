"""What was typed into cells that are not read, quoted for a problem."""

from __future__ import annotations

import itertools
from collections.abc import Iterable

from kpixl.forms.values import Raw, text_of
from kpixl.readers import Grid
from kpixl.texts import Text

MAX_QUOTED = 40  # characters of a cell: enough to recognise it by
MAX_CELLS = 100  # of a table with lost headings; a longer message is not read


def quoted(grid: Grid, cells: Iterable[tuple[tuple[int, int], Raw]]) -> str:
    """Quote cells with their addresses, B4“…”、C4“…”; no more than MAX_CELLS."""
    return "、".join(f"{grid.address(*place)}“{_short(raw)}”" for place, raw in itertools.islice(cells, MAX_CELLS))


def content(cells: str) -> Text:
    """Append a quotation, which may be blank, to the message that counts its cells."""
    return (f"：{cells}", f": {cells}") if cells else ("", "")


def _short(raw: Raw) -> str:
    text = " ".join(text_of(raw).split())
    return text if len(text) <= MAX_QUOTED else f"{text[: MAX_QUOTED - 1]}…"
