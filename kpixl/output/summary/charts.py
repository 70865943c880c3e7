"""The fourth sheet of the summary: two native charts beside the small tables they are drawn from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from kpixl.a1 import Span, a1, area
from kpixl.forms.definition import Form, Value
from kpixl.forms.money import WAN, unit_heading
from kpixl.forms.values import fits_float, text_of
from kpixl.output.summary.marks import FORMULA, OwnSheet
from kpixl.output.summary.table import BORDER, FOOTER, TINT_HEADER, TableSheet, excel_total
from kpixl.output.workbook import Sheet
from kpixl.portfolio.model import Portfolio, Project
from kpixl.portfolio.sheet_id import name_of
from kpixl.texts import Text, say

MOST_BARS = 30
_MOST_NAME = 24
_SHARE_FONT = {"size": 10, "bold": True, "color": "white"}
_BLUE = "#2F5D9B"
_SLICES = ("#2F5D9B", "#E08E2B", "#7A9E3B", "#8A5BA5", "#B5483A", "#4BA3A8", "#A08A4B", "#7F7F7F")

_BARS: Text = ("{label}（按项目，{unit}）", "{label} by project ({unit})")
_LARGEST: Text = ("{label}（金额最大的 {count} 个项目，{unit}）", "{label}, the {count} largest projects ({unit})")
_SHARES: Text = ("{label}（按{group}，{unit}）", "{label} by {group} ({unit})")
_AMOUNT: Text = ("金额（{unit}）", "{unit}")
_PROJECT: Text = ("项目", "Project")
_NO_GROUP: Text = ("（未填）", "(blank)")


@dataclass(frozen=True, slots=True)
class _Line:
    """One line of a chart's table: text and amount, each with the formula it comes from or None."""

    text: str
    amount: Decimal
    text_formula: str | None
    amount_formula: str | None


class ChartsWriter:
    """Writes the tables and the charts that refer to them."""

    def __init__(self, sheet: Sheet, form: Form, lang: str, table: TableSheet) -> None:
        self._sheet, self._book, self._form, self._lang, self._table = sheet, sheet.book, form, lang, table
        # Amounts of 600,000 yuan make long labels: smaller units are drawn in 万元.
        self._unit = max(form.money, WAN, key=lambda unit: unit.power)
        self._divisor = 10 ** (self._unit.power - form.money.power)
        self._words = {"unit": say(unit_heading(self._unit), lang)}
        self._rows: dict[int, list[Value]] = {}

    def write(self, portfolio: Portfolio) -> OwnSheet:
        """Write both charts as far as the form asks for them."""
        self._sheet.widths([34, 16, 3, 13, 13, 13, 13, 13, 13, 13, 13])
        amount, structure = self._form.summary.amount, self._form.summary.structure
        row = 0
        if amount is not None:
            label = self._form.fields[amount].heading
            lines, largest = self._bar_lines(portfolio, amount)
            title = say(_LARGEST if largest else _BARS, self._lang, label=label, count=MOST_BARS, **self._words)
            row = self._chart(row, title, say(_PROJECT, self._lang), lines, self._bars)
            if structure is not None:
                group = self._form.fields[structure].heading
                title = say(_SHARES, self._lang, label=label, group=group, **self._words)
                self._chart(row, title, group, self._share_lines(portfolio, amount, structure), self._shares)
        self._set_up()
        rows = tuple(self._rows.get(number, []) for number in range(max(self._rows, default=-1) + 1))
        return OwnSheet("charts", self._sheet.name, rows)

    # --- what is drawn ------------------------------------------------------------------------

    def _bar_lines(self, portfolio: Portfolio, key: str) -> tuple[list[_Line], bool]:
        """List the projects from the largest amount down; tell whether some were left out."""
        with_amount = [(p, v) for p in portfolio.projects if isinstance(v := p.values[key], Decimal) and fits_float(v)]
        with_amount.sort(key=lambda pair: -pair[1])
        return [self._bar_line(p, v, key) for p, v in with_amount[:MOST_BARS]], len(with_amount) > MOST_BARS

    def _bar_line(self, project: Project, amount: Decimal, key: str) -> _Line:
        name = name_of(self._form, project)
        text = text_of(name)
        shown = f"{project.id} {text[:_MOST_NAME]}"
        row, at = self._table.rows[project.id], self._ref
        formula = f'={at(row, 0)}&" "&LEFT({at(row, 1)},{_MOST_NAME})' if isinstance(name, str) else None
        if any(c > "\uffff" for c in text):  # LEFT counts such characters twice
            formula = None
        return _Line(shown, amount / self._divisor, formula, self._in_unit(at(row, self._table.columns[key])))

    def _share_lines(self, portfolio: Portfolio, key: str, structure: str) -> list[_Line]:
        """List the groups; where the first sheet has their subtotals, as formulas over them."""
        subtotals = dict(self._table.groups) if structure == self._form.summary.subtotals else {}
        groups: dict[Value, list[Value]] = {value: [] for value in subtotals}
        for project in portfolio.projects:
            groups.setdefault(project.values[structure], []).append(project.values[key])
        col = self._table.columns[key]
        return [
            _Line(
                text_of(value) or say(_NO_GROUP, self._lang),
                excel_total(amounts) / self._divisor,
                None,
                self._in_unit(self._ref(subtotals[value], col)) if value in subtotals else None,
            )
            for value, amounts in groups.items()
        ]

    def _in_unit(self, ref: str) -> str:
        return f"={ref}/{self._divisor}" if self._divisor > 1 else f"={ref}"

    def _ref(self, row: int, col: int) -> str:
        return f"'{self._table.own.name}'!{a1(row, col)}"

    # --- drawing ------------------------------------------------------------------------------

    def _chart(
        self, row: int, title: str, heading: str, lines: Sequence[_Line], draw: Callable[[str, Span, int], int]
    ) -> int:
        """Write a table at `row` with its chart at its right; returns the first row below both."""
        header = self._book.format(
            font_name=self._form.fonts["heading"], bold=True, align="center", border=1, border_color=BORDER,
            bg_color=TINT_HEADER,
        )  # fmt: skip
        self._put(row, [heading, say(_AMOUNT, self._lang, **self._words)], header)
        self._sheet.height(row, 22)
        text_style = self._book.format(border=1, border_color=BORDER, text_wrap=True)
        amount_style = self._book.format(border=1, border_color=BORDER, num_format="#,##0.00")
        for number, line in enumerate(lines, row + 1):
            self._cell(number, 0, line.text, line.text_formula, text_style)
            self._cell(number, 1, line.amount, line.amount_formula, amount_style)
            self._sheet.height(number, 28 if len(line.text) > 16 else 20)
        if not lines:
            return row
        return draw(title, Span(row + 1, 0, row + len(lines), 1), sum(28 if len(x.text) > 16 else 20 for x in lines))

    def _put(self, row: int, values: Sequence[Value], style: Any) -> None:
        for col, value in enumerate(values):
            self._sheet.write(row, col, value, style)
        self._rows[row] = list(values)

    def _cell(self, row: int, col: int, value: Decimal | str, formula: str | None, style: Any) -> None:
        line = self._rows.setdefault(row, [None, None])
        if formula is None:
            number = value if isinstance(value, str) or fits_float(value) else Decimal(repr(float(value)))
            if isinstance(number, Decimal) and not fits_float(number):
                number = round(number, 4)
            self._sheet.write(row, col, number, style)
            line[col] = number
        else:
            self._sheet.formula(row, col, formula, style, value)
            line[col] = FORMULA

    def _refs(self, span: Span) -> dict[str, str]:
        at = self._sheet.ref
        return {
            "categories": f"={at}{area(Span(span.row, 0, span.last_row, 0))}",
            "values": f"={at}{area(Span(span.row, 1, span.last_row, 1))}",
        }

    def _bars(self, title: str, span: Span, table_points: int) -> int:
        chart = self._book.chart({"type": "bar"})
        count = span.last_row - span.row + 1
        chart.add_series(
            {
                **self._refs(span),
                "name": title,
                "fill": {"color": _BLUE},
                "gap": 60,
                "data_labels": {"value": True, "num_format": "#,##0.00", "font": {"size": 9}},
            }
        )
        chart.set_title({"name": title, "name_font": {"size": 13, "bold": True}, "overlay": False})
        chart.set_legend({"none": True})
        chart.set_y_axis({"reverse": True, "num_font": {"size": 9}, "major_tick_mark": "none"})
        chart.set_x_axis({
            "num_format": "#,##0", "num_font": {"size": 9}, "label_position": "high",
            "major_gridlines": {"visible": True, "line": {"color": "#D9D9D9"}}, "line": {"none": True},
        })  # fmt: skip
        height = max(260, 26 * count + 90)
        self._place(chart, span.row - 1, height)
        return self._below(span, table_points, height)

    def _shares(self, title: str, span: Span, table_points: int) -> int:
        chart = self._book.chart({"type": "doughnut"})
        count = span.last_row - span.row + 1
        chart.add_series(
            {
                **self._refs(span),
                "name": title,
                "points": [{"fill": {"color": _SLICES[n % len(_SLICES)]}} for n in range(count)],
                "data_labels": {"percentage": True, "num_format": "0.0%", "font": _SHARE_FONT},
            }
        )
        chart.set_title({"name": title, "name_font": {"size": 13, "bold": True}, "overlay": False})
        chart.set_legend({"position": "right", "font": {"size": 10}})
        chart.set_hole_size(55)
        self._place(chart, span.row - 1, 320)
        return self._below(span, table_points, 320)

    def _place(self, chart: Any, row: int, height: int) -> None:
        chart.set_size({"width": 760, "height": height})
        chart.set_chartarea({"border": {"color": "#D9D9D9"}})
        # Charts do not move or stretch when a row is made higher.
        self._sheet.insert_chart(row, 3, chart, {"object_position": 3})

    @staticmethod
    def _below(span: Span, table_points: int, height: int) -> int:
        """Return the row that stands below the table and below a chart of `height` pixels beside it."""
        table_pixels = (table_points + 22) * 96 / 72
        return span.last_row + 2 + max(0, int((height - table_pixels) / 20) + 1)

    def _set_up(self) -> None:
        raw = self._sheet.raw
        raw.hide_gridlines(2)
        raw.set_landscape()
        raw.set_paper(9)
        raw.fit_to_pages(1, 0)
        raw.center_horizontally()
        raw.set_footer(say(FOOTER, self._lang))
