"""What the parts of the overview write on: cells, styles, sections, and where figures lead to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from kpixl.a1 import Span, absolute, quoted
from kpixl.collection.run_record import RunRecord
from kpixl.forms.definition import Field, Form, Value
from kpixl.forms.money import WAN, unit_heading
from kpixl.forms.names import unit_field
from kpixl.output.paper import paper_room, points_wide
from kpixl.output.summary.look import BORDER, LINK, STYLES, TINT_HEADER, TINT_OPEN, TINT_SUBTOTAL
from kpixl.output.summary.marks import FORMULA
from kpixl.output.summary.overview.bars import BarPlan, insert_bars
from kpixl.output.summary.overview.page_flow import PageFlow
from kpixl.output.summary.table import FIRST_ROW, TableSheet
from kpixl.output.workbook import Sheet
from kpixl.portfolio.model import Portfolio
from kpixl.problems import Severity
from kpixl.problems.words import SEVERITY_COUNTS
from kpixl.text_fit import fitting_height
from kpixl.texts import Text, say

# What a run knows, by the name of its count; shown in this order.
COUNTS: Mapping[str, Text] = {
    "expected": ("应交", "Expected"),
    "returned": ("已交", "Returned"),
    "missing": ("未交", "Missing"),
    "blank": ("空白", "Blank"),
    "disputed": ("争议", "Disputed"),
    "errors": SEVERITY_COUNTS[Severity.ERROR],
    "warnings": SEVERITY_COUNTS[Severity.WARNING],
}
OF_ROSTER = ("expected", "returned", "missing", "blank")
ALARMING = ("missing", "blank", "disputed", "errors")

PROJECTS: Text = ("项目", "Projects")
MONEY: Text = ("金额", "Amount")
SHARE: Text = ("占比", "Share")
TOTAL: Text = ("合计", "Total")
_CHART: Text = ("{label}（{by}，{unit}）", "{label}, {by} ({unit})")

WIDTHS = {"zh": [20.0, 6.0, 14.0, 7.5, *[5.0] * 7], "en": [20.0, 8.0, 14.0, 7.5, *[8.5] * 7]}
MARGINS = {"left": 0.4, "right": 0.4, "top": 0.5, "bottom": 0.6}
# Where the font of the workbook is missing, its stand-in makes columns wider, the widest of those seen (DejaVu Sans) by
# a third; some pixels more are rounded.
_STAND_IN = 1.37
SIZE, ROW = 10.0, 20.0
COUNT_FORMAT = '#,##0;-#,##0;"-"'

Link = tuple[str, str]  # sheet and cell


def print_scale(lang: str) -> int:
    """Return the scale, in per cent, at which the columns fit the width of a page of A4."""
    room, _high = paper_room("A4", MARGINS, landscape=False)
    return int(100 * room / (points_wide(WIDTHS[lang]) * _STAND_IN))


@dataclass(frozen=True, slots=True)
class Places:
    """Where figures lead to: the table of projects, and the sheet of the rows of each table of the form."""

    table: TableSheet
    rows: Mapping[str, str]


class Canvas:
    """The sheet, row by row from the top, with what is shown and where it leads to."""

    def __init__(
        self, sheet: Sheet, form: Form, portfolio: Portfolio, lang: str, places: Places, run: RunRecord | None
    ) -> None:
        """Begin at the top. `run`: the record of the run that gave the portfolio, None where none is known."""
        self.sheet, self.book, self.form, self.lang = sheet, sheet.book, form, lang
        self.portfolio, self.places, self.table, self.run = portfolio, places, places.table, run
        self.widths = WIDTHS[lang]
        self.flow = PageFlow(sheet, MARGINS["top"] + MARGINS["bottom"], print_scale(lang))
        self.rows: dict[int, dict[int, Value]] = {}
        self.charts = 0
        # Amounts of 600,000 yuan make long figures: smaller units are shown in 万元.
        self.unit = max(form.money, WAN, key=lambda unit: unit.power)
        self.divisor = 10 ** (self.unit.power - form.money.power)
        self.key = form.summary.amount
        self.unit_field: Field | None = unit_field(form)
        self.counts = [n for n in COUNTS if run and (run.expected is not None or n not in OF_ROSTER)]
        self.styles = self._styles()

    def _styles(self) -> dict[str, Any]:
        border = {"border": 1, "border_color": BORDER}
        link = {**border, "font_color": LINK, "underline": 1}
        count = {"num_format": COUNT_FORMAT, "align": "center"}
        number = {"num_format": "#,##0.00", "indent": 1, "align": "right"}
        share = {"num_format": "0.0%", "align": "right"}
        total = {**border, "bold": True, "bg_color": TINT_HEADER}
        font = self.form.fonts["heading"]
        style = self.book.format
        return {
            "text": style(STYLES["text"], **border, text_wrap=True),
            "header": style(
                STYLES["header"], **border, font_name=font, bold=True, align="center", text_wrap=True,
                bg_color=TINT_HEADER,
            ),
            "section": style(font_name=font, font_size=12, bold=True),
            "number": style(STYLES["number"], **border, **number),
            "number link": style(STYLES["link"], **link, **number),
            "share": style(**border, **share),
            "count": style(**border, **count),
            "count link": style(STYLES["link"], **link, **count),
            "open": style(STYLES["open"], **border, **count, bg_color=TINT_OPEN),
            "open link": style(STYLES["open"], **link, **count, bg_color=TINT_OPEN),
            "total": style(STYLES["total"], **total),
            "total number": style(STYLES["total"], **total, **number),
            "total count": style(STYLES["total"], **total, **count),
            "total share": style(STYLES["total"], **total, **share),
            "label": style(
                font_size=9, font_color="#555555", bg_color=TINT_SUBTOTAL, indent=1, top=1, left=1, right=1,
                border_color=BORDER,
            ),
            "note": style(STYLES["note"], font_size=9, font_color="#555555", text_wrap=True),
            "plain": style(text_wrap=True),
        }  # fmt: skip

    def say(self, text: Text, **values: object) -> str:
        """Return a text in the language of the workbook."""
        return say(text, self.lang, **values)

    @property
    def unit_text(self) -> str:
        """Name the unit in which amounts are shown."""
        return self.say(unit_heading(self.unit))

    # --- cells --------------------------------------------------------------------------------

    def put(
        self, row: int, col: int, value: Value, style: Any, *, last: int | None = None, to: Link | None = None
    ) -> None:
        """Write a value, merged up to the column `last`, that leads to `to`."""
        span = Span(row, col, row, col if last is None else last)
        self.sheet.merge(span, value, style)
        if to is not None:
            self.sheet.link(row, col, to[0], str(value), style, to[1])
            self.sheet.write(row, col, value, style)  # the text of a link is the cell's, and would be text
        self.rows.setdefault(row, {})[col] = value

    def formula(
        self,
        row: int,
        col: int,
        formula: str,
        style: Any,
        cached: Decimal,
        *,
        last: int | None = None,
        to: Link | None = None,
    ) -> None:
        """Write a formula as `put` does a value."""
        self.put(row, col, None, style, last=last)
        if to is not None:
            self.sheet.link(row, col, to[0], str(cached), style, to[1])
        self.sheet.formula(row, col, formula, style, cached)
        self.rows[row][col] = FORMULA

    def line(self, text: str, style: str, size: float = SIZE, least: float = 18.0) -> int:
        """Write a text over the whole width."""
        row = self.flow.take(fitting_height(text, sum(self.widths), size, least))
        self.put(row, 0, text, self.styles[style], last=len(self.widths) - 1)
        return row

    def heading(self, text: str, below: float = 3 * ROW) -> None:
        """Write the heading of a section, on the page of at least `below` points of what follows."""
        self.flow.keep(14 + 24 + below)
        self.flow.take(14)
        self.line(text, "section", 12, 24)

    def chart(
        self, by: str, rows: tuple[int, int], columns: tuple[int, int], plan: BarPlan, at: int | None = None
    ) -> None:
        """Draw the rows from the first to the last, at the row `at` or below what there is."""
        if at is None:
            at = self.chart_room(plan)
        label = self.form.fields[self.key].heading if self.key else ""
        title = self.say(_CHART, label=label, by=by, unit=self.unit_text)
        insert_bars(self.sheet, at, title, rows, columns, plan)
        self.charts += 1

    def chart_room(self, plan: BarPlan) -> int:
        """Take the rows of a chart, all on one page; return the first."""
        self.flow.take(6)
        return self.flow.block(plan.height * 0.75 + 6)

    # --- the table of projects ----------------------------------------------------------------

    def to_table(self, row: int | None) -> Link | None:
        """Return the link to a row of the table of projects."""
        return None if row is None else (self.table.own.name, f"A{row + 1}")

    @property
    def ref(self) -> str:
        """Return the name of the table's sheet as formulas write it."""
        return quoted(self.table.own.name) + "!"

    def column(self, col: int) -> str:
        """Return the cells of all projects in a column of the table."""
        return f"{self.ref}{absolute(FIRST_ROW, col)}:{absolute(max(self.table.last, FIRST_ROW), col)}"

    def amounts(self) -> str:
        """Return the cells of the amounts of all projects."""
        return self.column(self.table.columns[self.key or ""])

    def in_unit(self, formula: str) -> str:
        """Return a formula for an amount, in the unit in which amounts are shown."""
        return f"={formula}/{self.divisor}" if self.divisor > 1 else f"={formula}"
