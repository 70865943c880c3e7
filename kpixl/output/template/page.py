"""How a form of the template is printed: on one page, if it can still be read there."""

from __future__ import annotations

import math
from dataclasses import dataclass

from kpixl.forms.definition import Form
from kpixl.output.paper import paper_number, paper_room, points_wide
from kpixl.output.workbook import Sheet

# Ten points become seven, which a reader of printed forms still reads. What does not fit one page then gets more.
LEAST_SCALE = 0.7


@dataclass(frozen=True, slots=True)
class PageSetup:
    """How a form is laid on paper: on its side or not, and on how many pages one below the other."""

    landscape: bool
    pages: int


def page_for(form: Form, height: float, spare: float = 0.0) -> PageSetup:
    """Return how a form of `height` points is printed: upright, unless its columns alone would make it too small there.

    `spare`: points of `height` in free rows, which print as nothing. A page of them alone would show only the headings
    that are repeated, so they cost no page: the whole becomes a little smaller.
    """
    width = points_wide(form.entry_layout.widths)
    landscape = paper_room(form.paper, form.margins, landscape=False)[0] / width < LEAST_SCALE
    room = paper_room(form.paper, form.margins, landscape=landscape)
    scale = min(LEAST_SCALE, room[0] / width)
    return PageSetup(landscape, max(1, math.ceil((height - spare) * scale / room[1])))


def set_page(sheet: Sheet, form: Form, rows: int, height: float, spare: float) -> None:
    """Set paper, margins, print area and scale for a form of that many rows, which are `height` points high together.

    Rows that are free print as nothing but take their room. Left to themselves they cost a page of their own: rows are
    higher in Excel and Gnumeric than in LibreOffice, so each application breaks elsewhere.
    """
    raw = sheet.raw
    page = page_for(form, height, spare)
    raw.set_paper(paper_number(form.paper))
    if page.landscape:
        raw.set_landscape()
    else:
        raw.set_portrait()
    raw.fit_to_pages(1, page.pages)
    raw.center_horizontally()
    raw.set_margins(**form.margins)
    raw.print_area(0, 0, rows - 1, len(form.entry_layout.widths) - 1)
    # The tint of input cells is for the screen; on paper the form is black on white, and spare rows are nothing.
    raw.print_black_and_white()
    raw.set_footer("&C&P / &N")
    if form.entry_layout.tables and page.pages > 1:
        raw.repeat_rows(form.entry_layout.tables[0].top, form.entry_layout.tables[0].row)
