"""Rule text-hidden: a text is too long for the printed form."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from kpixl.checks.rule import Hit, NoParameters, Rule, Subject
from kpixl.keys import Key
from kpixl.problems.entry import Entry
from kpixl.text_fit import MAX_ROW_HEIGHT, fitting_height

SMALLEST_PRINT = 6.0  # points
SURELY_FITS, SURELY_FITS_LINES = 40, 40  # characters, lines: below them no text is measured


def text_hidden(_: NoParameters, subject: Subject) -> Iterator[Hit]:
    """Find texts that do not fit into Excel's tallest row at the smallest print in their cell of the form."""
    for cell in (*subject.form.layout.head, *subject.form.layout.foot):
        value = subject.project.values.get(cell.key)
        if cell.kind == "value" and isinstance(value, str) and len(value) > SURELY_FITS:
            width = sum(subject.form.layout.widths[cell.col : cell.col + cell.columns])
            if len(value) + value.count("\n") * _room(width) // SURELY_FITS_LINES < _room(width):
                continue
            if fitting_height(value, width, SMALLEST_PRINT, 0) > MAX_ROW_HEIGHT:
                limit = _room(width)
                yield Hit(Key(cell.key), {"label": subject.heading(cell.key), "length": len(value), "limit": limit})


@lru_cache(maxsize=64)
def _room(width: float) -> int:
    """Count, in hundreds, the Chinese characters that a cell can show."""
    length = 100
    while fitting_height("字" * (length + 100), width, SMALLEST_PRINT, 0) <= MAX_ROW_HEIGHT:
        length += 100
    return length


RULE = Rule(
    "text-hidden",
    entry=Entry(
        "warning",
        "“{label}”有 {length} 个字，打印的申报表放不下。",
        "请缩短到 {limit} 个字以内。",
        "{label} has {length} characters, more than the printed form can show.",
        "Shorten it to {limit} characters.",
        category="compliance",
        title=("打印放不下", "A text is too long for the printed form"),
    ),
    parameters=NoParameters,
    find=text_hidden,
)
