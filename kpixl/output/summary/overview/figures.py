"""The figures at the top of the overview: four to a line, five where one would be left over; each leads to its rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from kpixl.collection.run_record import total_amount
from kpixl.forms.definition import Value
from kpixl.output.summary.look import BORDER, STYLES, TINT_SUBTOTAL
from kpixl.output.summary.overview.canvas import ALARMING, COUNTS, PROJECTS, Canvas, Link
from kpixl.output.summary.overview.counts import run_totals
from kpixl.output.summary.table import FIRST_ROW

_AMOUNT = ("{label}（{unit}）", "{label} ({unit})")
_COUNT = ("{label}数", "{label}: number")
# First and last column of each of a line.
_FOUR = ((0, 0), (1, 2), (3, 6), (7, 10))
_FIVE = ((0, 0), (1, 2), (3, 4), (5, 7), (8, 10))
_ALARM = "#A3211D"

Draw = Callable[[int, int, int], None]
Figure = tuple[str, Draw]  # its label, and what writes it into a row from one column to another
Cards = dict[str, tuple[int, int, int]]  # row, first and last column of each figure of the run


def write_figures(canvas: Canvas) -> Cards:
    """Write the figures of the portfolio and those of the run; returns where the latter are."""
    places: Cards = {}
    _lines(canvas, [_projects(canvas), *_amount(canvas), *_rows(canvas), *_units(canvas)])
    if canvas.run is not None:
        totals = run_totals(canvas, canvas.run)
        _lines(canvas, [(canvas.say(COUNTS[n]), _known(canvas, n, totals[n], places)) for n in canvas.counts])
    return places


def link_figures(canvas: Canvas, cards: Cards, rows: Mapping[str, int]) -> None:
    """Let the figures of the run lead to rows of the overview, by the name of the count."""
    for name, (row, first, _) in cards.items():
        if name in rows and (number := canvas.rows[row][first]):
            to = (canvas.sheet.name, f"A{rows[name] + 1}")
            style = _style(canvas, "#,##0", alarm=name in ALARMING)
            canvas.sheet.link(row, first, to[0], str(number), style, to[1])
            canvas.sheet.write(row, first, number, style)


def _lines(canvas: Canvas, figures: Sequence[Figure]) -> None:
    columns = _FIVE if len(figures) == len(_FIVE) else _FOUR
    for start in range(0, len(figures), len(columns)):
        canvas.flow.take(6)
        labels, values = canvas.flow.take(18), canvas.flow.take(30)
        for (label, draw), (first, last) in zip(figures[start : start + len(columns)], columns, strict=False):
            canvas.put(labels, first, label, canvas.styles["label"], last=last)
            draw(values, first, last)


def _style(canvas: Canvas, number_format: str, *, alarm: bool = False) -> Any:
    color = {"font_color": _ALARM} if alarm else {}
    return canvas.book.format(
        STYLES["figure"], font_name=canvas.form.fonts["heading"], font_size=16, bold=True, num_format=number_format,
        align="left", indent=1, bg_color=TINT_SUBTOTAL, bottom=1, left=1, right=1, border_color=BORDER, **color,
    )  # fmt: skip


def _formula(canvas: Canvas, formula: str, cached: Decimal, number_format: str, to: Link | None) -> Draw:
    def draw(row: int, first: int, last: int) -> None:
        canvas.formula(row, first, formula, _style(canvas, number_format), cached, last=last, to=to)

    return draw


def _known(canvas: Canvas, name: str, number: int, places: Cards) -> Draw:
    def draw(row: int, first: int, last: int) -> None:
        style = _style(canvas, "#,##0", alarm=number > 0 and name in ALARMING)
        canvas.put(row, first, Decimal(number), style, last=last)
        places[name] = (row, first, last)

    return draw


def _projects(canvas: Canvas) -> Figure:
    count = Decimal(len(canvas.portfolio.projects))
    formula = f"=COUNTA({canvas.column(0)})" if count else "=0"
    return canvas.say(PROJECTS), _formula(canvas, formula, count, "#,##0", canvas.to_table(FIRST_ROW))


def _amount(canvas: Canvas) -> list[Figure]:
    if canvas.key is None:
        return []
    label = canvas.say(_AMOUNT, label=canvas.form.fields[canvas.key].heading, unit=canvas.unit_text)
    total = (total_amount(canvas.form, canvas.portfolio.projects) or Decimal(0)) / canvas.divisor
    formula = canvas.in_unit(f"SUM({canvas.amounts()})")
    return [(label, _formula(canvas, formula, total, "#,##0.00", canvas.to_table(canvas.table.total)))]


def _rows(canvas: Canvas) -> list[Figure]:
    figures = []
    for key, table in canvas.form.tables.items():
        count = Decimal(sum(len(p.tables[key]) for p in canvas.portfolio.projects))
        formula = f"=SUM({canvas.column(canvas.table.columns[key])})"
        to = (canvas.places.rows[key], "A1") if key in canvas.places.rows else None
        figures.append((canvas.say(_COUNT, label=table.label), _formula(canvas, formula, count, "#,##0", to)))
    return figures


def _units(canvas: Canvas) -> list[Figure]:
    field = canvas.unit_field
    if field is None:
        return []
    values: set[Value] = {project.values[field.key] for project in canvas.portfolio.projects}
    first = next((row for _, row in canvas.table.units), canvas.table.total)

    def draw(row: int, start: int, last: int) -> None:
        style = _style(canvas, "#,##0")
        canvas.put(row, start, Decimal(len(values)), style, last=last, to=canvas.to_table(first))

    return [(canvas.say(_COUNT, label=field.heading), draw)]
