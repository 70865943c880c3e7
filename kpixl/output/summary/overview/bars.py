"""Bar charts with whole labels, drawn from a table on the same sheet; two slices of a ring are hard to compare."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from kpixl.a1 import Span, area
from kpixl.output.workbook import Sheet
from kpixl.text_fit import PIXELS_PER_POINT, PIXELS_PER_WIDTH, ems, text_lines

WIDTH = 610  # pixels
TALLEST = 1_000  # pixels; with heading and the first rows of its table on one page of A4 at 85 %
MOST_BARS = 30
LONGEST_LABEL = 60  # characters; three lines
_BLUE, _GRID = "#2F5D9B", "#D9D9D9"
_LABEL_SIZE = 9.0
_LABEL_ROOM = 270.0  # pixels; a longer label takes more lines
_LINE, _GAP = 16, 12  # pixels of a bar: for each line of its label, and between bars
_TITLE, _BOTTOM = 52, 16  # pixels above and below the bars
_VALUES = 96  # pixels right of the longest bar, for its value


class BarPlan(NamedTuple):
    """How a chart is laid out: pixels of its height, of the room for labels and of a bar."""

    height: int
    labels: float
    bars: int


def plan_bars(labels: Sequence[str]) -> BarPlan:
    """Lay out a chart for `labels`; `bars` of them fit."""
    em = _LABEL_SIZE * PIXELS_PER_POINT
    room = min(max(map(ems, labels), default=1.0) * em + 8, _LABEL_ROOM)
    lines = max((text_lines(label, room / PIXELS_PER_WIDTH, _LABEL_SIZE) for label in labels), default=1)
    slot = _LINE * lines + _GAP
    bars = min(len(labels), MOST_BARS, (TALLEST - _TITLE - _BOTTOM) // slot)
    return BarPlan(_TITLE + _BOTTOM + slot * max(bars, 2), room + 10, bars)


def insert_bars(
    sheet: Sheet, row: int, title: str, rows: tuple[int, int], columns: tuple[int, int], plan: BarPlan
) -> None:
    """Put a chart at the left of `row`, of the rows from the first to the last.

    `columns`: those that hold the labels and the numbers.
    """
    refs = [f"={sheet.ref}{area(Span(rows[0], column, rows[1], column))}" for column in columns]
    chart = sheet.book.chart({"type": "bar"})
    chart.add_series(
        {
            "categories": refs[0],
            "values": refs[1],
            "name": title,
            "fill": {"color": _BLUE},
            "gap": 60,
            # LibreOffice breaks a longer number into two lines; the table has it whole.
            "data_labels": {"value": True, "num_format": "[>=1000]#,##0;#,##0.00", "font": {"size": 9}},
        }
    )
    chart.set_title({"name": title, "name_font": {"size": 12, "bold": True}, "overlay": False})
    chart.set_legend({"none": True})
    chart.set_y_axis({"reverse": True, "num_font": {"size": _LABEL_SIZE}, "major_tick_mark": "none"})
    chart.set_x_axis({"visible": False, "major_gridlines": {"visible": True, "line": {"color": _GRID}}})
    left, height = plan.labels / WIDTH, plan.height
    chart.set_plotarea({"layout": {
        "x": left, "y": _TITLE / height, "width": 1 - left - _VALUES / WIDTH,
        "height": (height - _TITLE - _BOTTOM) / height,
    }})  # fmt: skip
    chart.set_size({"width": WIDTH, "height": height})
    chart.set_chartarea({"border": {"color": _GRID}})
    # Charts do not move or stretch when a row is made higher.
    sheet.insert_chart(row, 0, chart, {"object_position": 3, "x_offset": 2, "y_offset": 2})
