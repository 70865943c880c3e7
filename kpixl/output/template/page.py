"""How a form of the template is printed: on one page, if it can still be read there."""

from __future__ import annotations

import math
from collections.abc import Mapping

from kpixl.forms.definition import Form
from kpixl.output.workbook import Sheet

_PAPERS = {"A4": (9, 297.0), "A3": (8, 420.0)}  # number in a workbook, height in mm
_POINTS_PER_MM = 72 / 25.4
_POINTS_PER_INCH = 72.0
_DEFAULT_MARGIN = 0.75  # inches; XlsxWriter's, and Excel's

# A form is never printed smaller than this on account of its height: ten points become seven, which a reader of printed
# forms still reads. What does not fit one page then gets more.
LEAST_SCALE = 0.7
# Wider than this, in characters of its columns, a form is printed across the page: upright it would be smaller still.
UPRIGHT_WIDTH = 130


def pages_high(height: float, paper: str, margins: Mapping[str, float], *, across: bool = False) -> int:
    """Return how many pages rows of `height` points need at the smallest scale; `across`: on paper on its side."""
    paper_height = _paper(paper)[1] / (2**0.5 if across else 1)
    edges = sum(margins.get(side, _DEFAULT_MARGIN) for side in ("top", "bottom"))
    room = paper_height * _POINTS_PER_MM - edges * _POINTS_PER_INCH
    return max(1, math.ceil(height * LEAST_SCALE / room))


def set_page(sheet: Sheet, form: Form, rows: int, height: float) -> None:
    """Set paper, margins, print area and scale for a form of that many rows, which are `height` points high together.

    Rows that are free print as nothing but take their room. Left to themselves they cost a page of their own: rows are
    higher in Excel and Gnumeric than in LibreOffice, so each application breaks elsewhere.
    """
    raw = sheet.raw
    raw.set_paper(_paper(form.paper)[0])
    across = sum(form.entry_layout.widths) > UPRIGHT_WIDTH
    if across:
        raw.set_landscape()
    else:
        raw.set_portrait()
    raw.fit_to_pages(1, pages_high(height, form.paper, form.margins, across=across))
    raw.center_horizontally()
    raw.set_margins(**form.margins)
    raw.print_area(0, 0, rows - 1, len(form.entry_layout.widths) - 1)
    # The tint of input cells is for the screen; on paper the form is black on white, and spare rows are nothing.
    raw.print_black_and_white()
    raw.set_footer("&C&P / &N")
    if form.entry_layout.tables:
        raw.repeat_rows(form.entry_layout.tables[0].top, form.entry_layout.tables[0].row)


def _paper(name: str) -> tuple[int, float]:
    return _PAPERS.get(name, _PAPERS["A4"])
