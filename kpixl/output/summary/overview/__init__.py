"""The first sheet of the summary: what a head of office asks first. Every figure leads to its rows.

What only a run knows (what was expected, what is missing or disputed, what changed) is there where its record is known,
and left out otherwise.
"""

from __future__ import annotations

from decimal import Decimal

from kpixl.collection.run_record import RunRecord
from kpixl.forms.definition import Form
from kpixl.output.summary.look import FOOTER, STYLES
from kpixl.output.summary.marks import SummarySheet
from kpixl.output.summary.overview.canvas import MARGINS, Canvas, Places, print_scale
from kpixl.output.summary.overview.figures import link_figures, write_figures
from kpixl.output.summary.overview.groups import write_groups
from kpixl.output.summary.overview.projects import write_projects
from kpixl.output.summary.overview.to_settle import write_changes, write_open
from kpixl.output.workbook import Sheet
from kpixl.portfolio.model import Portfolio
from kpixl.portfolio.print_layout import heading_text
from kpixl.texts import Text, say

__all__ = ["Places", "write_overview"]

_TITLE: Text = ("{heading} · 概览", "{heading}: overview")
_DAY: Text = ("数据日期：{day}", "Data of {day}")
_UNIT: Text = ("金额单位：{unit}", "Amounts in {unit}")
_NOTHING: Text = ("另有无需申报 {count} 个", "Nothing to report: {count}")
_ROUNDED: Text = (
    "金额四舍五入到两位小数，各项之和与合计可能略有出入",
    "Amounts rounded to two decimals, so that parts may not add up exactly",
)
_FOUND: Text = ("错误、警告为合并时所见", "Errors and warnings as found while merging")


def write_overview(
    sheet: Sheet, form: Form, portfolio: Portfolio, lang: str, places: Places, run: RunRecord | None
) -> SummarySheet:
    """Write the overview; returns what is on it. `run`: the record of the run that gave the portfolio, if known."""
    canvas = Canvas(sheet, form, portfolio, lang, places, run)
    _write_head(canvas)
    cards = write_figures(canvas)
    write_groups(canvas)
    if run is not None:
        if run.changes is not None:
            write_changes(canvas, run.changes)
        link_figures(canvas, cards, write_open(canvas, run))
    if canvas.key is not None:
        write_projects(canvas, canvas.key)
    _set_up(canvas)
    cells = [canvas.rows.get(number, {}) for number in range(max(canvas.rows, default=-1) + 1)]
    rows = tuple([row.get(col) for col in range(max(row, default=-1) + 1)] for row in cells)
    return SummarySheet("overview", sheet.name, rows, canvas.charts)


def _write_head(canvas: Canvas) -> None:
    canvas.styles["title"] = canvas.book.format(
        STYLES["title"], font_name=canvas.form.fonts["heading"], font_size=16, bold=True, text_wrap=True
    )
    canvas.line(canvas.say(_TITLE, heading=heading_text(canvas.form, canvas.portfolio)), "title", 16, 32)
    notes = [canvas.say(_UNIT, unit=canvas.unit_text)]
    if _are_rounded(canvas):
        notes.append(canvas.say(_ROUNDED))
    if canvas.run is not None:
        notes = [canvas.say(_DAY, day=canvas.run.day.isoformat()), *notes, canvas.say(_FOUND)]
        if canvas.run.nothing:
            notes.append(canvas.say(_NOTHING, count=len(canvas.run.nothing)))
    canvas.line(("　" if canvas.lang == "zh" else " · ").join(notes), "note", 9)


def _are_rounded(canvas: Canvas) -> bool:
    """Return whether an amount has more than the two decimals that are shown of it."""
    if canvas.key is None:
        return False
    amounts = [project.values[canvas.key] for project in canvas.portfolio.projects]
    return any(isinstance(a, Decimal) and a % (Decimal(canvas.divisor) / 100) for a in amounts)


def _set_up(canvas: Canvas) -> None:
    raw, rows = canvas.sheet.raw, canvas.flow.row
    canvas.sheet.widths(canvas.widths)
    raw.hide_gridlines(2)
    raw.set_portrait()
    raw.set_paper(9)
    # A fixed scale: with "fit to pages" Excel leaves the breaks out that keep charts whole.
    raw.set_print_scale(print_scale(canvas.lang))
    raw.set_margins(**MARGINS)
    raw.center_horizontally()
    raw.set_footer(say(FOOTER, canvas.lang))
    raw.print_area(0, 0, rows - 1, len(canvas.widths) - 1)
    raw.ignore_errors({"number_stored_as_text": f"A1:K{rows}"})
    raw.freeze_panes(1, 0)
    canvas.flow.finish()
