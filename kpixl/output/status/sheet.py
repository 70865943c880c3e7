"""The status as a workbook: units with totals, every project, and the files that could not be read."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from kpixl.a1 import Span, absolute, column_name
from kpixl.forms.definition import Value
from kpixl.output.status import words
from kpixl.output.status.model import ProjectStatus, Status, UnitStatus, Unread
from kpixl.output.status.tell import (
    count_columns,
    moment_text,
    notes,
    numbers,
    probably,
    remarks,
    state_text,
    title_text,
    unit_heading,
    unit_name,
)
from kpixl.output.status.words import State
from kpixl.output.workbook import Book, Sheet, sheet_names
from kpixl.portfolio.sheet_id import OWN_SHEET
from kpixl.text_fit import fitting_height
from kpixl.texts import Text, say
from kpixl.version import __version__

_FACTS = json.dumps({"kpixl": 1, "kind": "status"}, separators=(",", ":"))

_TINT, _BORDER, _SIZE = "#DDE6F0", "#8C8C8C", 10.0
_ROW_HEIGHT, _TALLEST = 20.0, 120.0
_MARGINS = {"left": 0.4, "right": 0.4, "top": 0.5, "bottom": 0.6}
_FOOTER: Text = ("&C第 &P 页，共 &N 页", "&CPage &P of &N")
COLOURS = {State.RETURNED: "#D5EEDB", State.ERRORS: "#F5C2C7", State.NOTHING: "#E4E6EA", State.MISSING: "#FFE9B8"}


def build_workbook(status: Status, lang: str = "zh") -> bytes:
    """Build the workbook. Equal statuses give equal bytes."""
    fonts = status.form.fonts
    properties = {"kpixl-form": status.form.id, "kpixl-version": __version__}
    book = Book(title_text(status, lang), properties, font=str(fonts["body"]), size=_SIZE)
    texts = [words.UNITS_SHEET, words.PROJECTS_SHEET, *([words.UNREAD_SHEET] if status.unread else [])]
    names = sheet_names((say(text, lang) for text in texts), [OWN_SHEET])
    writer = _Writer(book, status, lang)
    writer.units(book.sheet(names[0]))
    writer.projects(book.sheet(names[1]))
    if status.unread:
        writer.unread(book.sheet(names[2]))
    own = book.sheet(OWN_SHEET)
    own.write(0, 0, _FACTS)
    own.raw.very_hidden()
    return book.finish()


class _Writer:
    """Writes the sheets of one status; they share their styles."""

    def __init__(self, book: Book, status: Status, lang: str) -> None:
        self.book, self.status, self.lang = book, status, lang
        self.strong = str(status.form.fonts["heading"])
        self.header = book.format(
            font_name=self.strong, bold=True, align="center", text_wrap=True, border=1, border_color=_BORDER,
            bg_color=_TINT,
        )  # fmt: skip
        self.text = self.style(text_wrap=True)
        self.centred = self.style(align="center")
        self.number = self.style(num_format='0;-0;"-"', align="right", indent=1)
        self.state = {s: self.style(align="center", bg_color=colour) for s, colour in COLOURS.items()}

    def style(self, **props: Any) -> Any:
        return self.book.format(border=1, border_color=_BORDER, **props)

    def say(self, text: Text) -> str:
        return say(text, self.lang)

    # --- by unit ------------------------------------------------------------------------------

    def units(self, sheet: Sheet) -> None:
        """Write one row per unit, the totals below it, and above it what this is."""
        columns = [unit_heading(self.status, self.lang), *(self.say(text) for _, text in count_columns(self.status))]
        columns.append(self.say(words.IN))
        longest = max((len(unit.name) for unit in self.status.units), default=0)
        widths = [min(max(2 * longest + 2, 20), 44), *[13.0 if self.lang == "zh" else 15.0] * (len(columns) - 1)]
        sheet.widths(widths)
        top = self.heading(sheet, widths)
        self.headings(sheet, top, columns)
        first = top + 1
        for row, unit in enumerate(self.status.units, first):
            self.unit(sheet, row, unit, widths[0])
        last = first + len(self.status.units) - 1
        self.totals(sheet, last + 1, first, len(columns))
        self.set_up(sheet, Span(top, 0, max(last, first), len(columns) - 1), rows=last + 2)

    def heading(self, sheet: Sheet, widths: Sequence[float]) -> int:
        """Write the title and the notes above the table; return the row that follows."""
        last = len(widths) - 1
        title = title_text(self.status, self.lang)
        style = self.book.format(font_name=self.strong, font_size=14, bold=True, align="center", text_wrap=True)
        sheet.merge(Span(0, 0, 0, last), title, style)
        sheet.height(0, fitting_height(title, sum(widths), 14, 32))
        row = 1
        for note in notes(self.status, self.lang):
            sheet.merge(Span(row, 0, row, last), note, self.book.format(text_wrap=True))
            sheet.height(row, fitting_height(note, sum(widths), _SIZE, 18))
            row += 1
        return row

    def unit(self, sheet: Sheet, row: int, unit: UnitStatus, width: float) -> None:
        name, counts = unit_name(unit, self.lang), numbers(unit.counts, self.status)
        sheet.write(row, 0, name, self.text)
        for col, number in enumerate(counts, 1):
            sheet.number(row, col, number, self.number)
        settled = unit.counts.returned + unit.counts.nothing
        self.share(
            sheet,
            row,
            len(counts) + 1,
            settled,
            unit.counts.projects,
            self.style(num_format="0%", align="right", indent=1),
        )
        sheet.height(row, min(fitting_height(name, width, _SIZE, _ROW_HEIGHT), _TALLEST))

    def totals(self, sheet: Sheet, row: int, first: int, columns: int) -> None:
        props: dict[str, Any] = {"bold": True, "bg_color": _TINT, "font_name": self.strong}
        sheet.write(row, 0, self.say(words.TOTAL), self.style(**props))
        number = self.style(**props, num_format='0;-0;"-"', align="right", indent=1)
        counts = numbers(self.status.counts, self.status)
        for col, total in enumerate(counts, 1):
            cells = f"{column_name(col)}{first + 1}:{column_name(col)}{row}"
            sheet.formula(row, col, f"=SUM({cells})", number, total)
        all_counts = self.status.counts
        settled = all_counts.returned + all_counts.nothing
        self.share(
            sheet,
            row,
            columns - 1,
            settled,
            all_counts.projects,
            self.style(**props, num_format="0%", align="right", indent=1),
        )
        sheet.height(row, _ROW_HEIGHT)

    def share(self, sheet: Sheet, row: int, col: int, settled: int, projects: int, style: Any) -> None:
        """Write the share of projects that need no more work: returned without errors, or nothing to report."""
        names = [name for name, _ in count_columns(self.status)]
        at = {name: f"{column_name(number)}{row + 1}" for number, name in enumerate(names, 1)}
        total = at["projects"]
        formula = f"=IF({total}=0,0,({at[State.RETURNED]}+{at[State.NOTHING]})/{total})"
        sheet.formula(row, col, formula, style, Decimal(settled) / projects if projects else 0)

    # --- by project ---------------------------------------------------------------------------

    def projects(self, sheet: Sheet) -> None:
        """Write one row per project."""
        form = self.status.form
        heads = [
            unit_heading(self.status, self.lang), form.id_field.heading, form.fields[form.key_fields[0]].heading,
            *(self.say(t) for t in (words.STATE, words.ERRORS, words.WARNINGS, words.FILE, words.SHEET, words.TIME,
                                    words.REMARK)),
        ]  # fmt: skip
        widths = [18.0, 10.0, 26.0, 11.0 if self.lang == "zh" else 18.0, 7.0, 7.0 if self.lang == "zh" else 10.0, 28.0,
                  20.0, 16.0, 26.0]  # fmt: skip
        sheet.widths(widths)
        self.headings(sheet, 0, heads)
        for row, (unit, project) in enumerate(self.status.projects, 1):
            self.project(sheet, row, unit, project, widths)
        count = len(self.status.projects)
        self.set_up(sheet, Span(0, 0, max(count, 1), len(heads) - 1), rows=count + 1, frozen=3)

    def project(
        self, sheet: Sheet, row: int, unit: UnitStatus, project: ProjectStatus, widths: Sequence[float]
    ) -> None:
        taken = project.returns[0] if project.returns else None
        counts: tuple[Value, Value] = (None, None)
        if taken is not None:
            counts = (Decimal(project.errors), Decimal(project.warnings))
        values: list[Value] = [
            unit_name(unit, self.lang), project.id, project.name, state_text(project, self.lang), *counts,
            taken.file if taken else None, taken.sheet if taken else None, None, remarks(project, self.lang),
        ]  # fmt: skip
        styles = [self.text, self.centred, self.text, self.state[project.state], self.number, self.number]
        styles += [self.text, self.text, self.centred, self.text]
        for col, (value, style) in enumerate(zip(values, styles, strict=True)):
            sheet.write(row, col, value, style)
        self.moment(sheet, row, 8, taken.time if taken else None)
        self.fit(sheet, row, values, widths)

    def moment(self, sheet: Sheet, row: int, col: int, moment: datetime | None) -> None:
        style = self.style(num_format="yyyy-mm-dd hh:mm", align="center")
        if moment is None or moment.year < 1901:
            sheet.write(row, col, moment_text(moment), style)
        else:
            sheet.write(row, col, moment.replace(second=0), style)

    # --- what could not be read ---------------------------------------------------------------

    def unread(self, sheet: Sheet) -> None:
        """Write one row per file or sheet that could not be read."""
        texts = (words.FILE, words.SHEET, words.TIME, words.REASON, words.REMEDY, words.PROBABLY)
        widths = [34.0, 16.0, 17.0, 46.0, 46.0, 28.0]
        sheet.widths(widths)
        self.headings(sheet, 0, [self.say(text) for text in texts])
        for row, item in enumerate(self.status.unread, 1):
            self.unread_file(sheet, row, item, widths)
        count = len(self.status.unread)
        self.set_up(sheet, Span(0, 0, count, len(widths) - 1), rows=count + 1, frozen=1)

    def unread_file(self, sheet: Sheet, row: int, item: Unread, widths: Sequence[float]) -> None:
        problem = item.problem
        values: list[Value] = [item.file, problem.location.sheet, None, problem.message(self.lang)]
        values += [problem.hint(self.lang), probably(item, self.status, self.lang)]
        for col, value in enumerate(values):
            sheet.write(row, col, value, self.text)
        self.moment(sheet, row, 2, item.time)
        self.fit(sheet, row, values, widths)

    # --- shared -------------------------------------------------------------------------------

    def headings(self, sheet: Sheet, row: int, texts: Sequence[str]) -> None:
        for col, text in enumerate(texts):
            sheet.write(row, col, text, self.header)
        sheet.height(row, 28)

    def fit(self, sheet: Sheet, row: int, values: Sequence[Value], widths: Sequence[float]) -> None:
        """Make a row high enough for its longest text, within reason."""
        texts = zip(values, widths, strict=True)
        heights = [fitting_height(v, w, _SIZE, _ROW_HEIGHT) for v, w in texts if isinstance(v, str)]
        sheet.height(row, min(max(heights, default=_ROW_HEIGHT), _TALLEST))

    def set_up(self, sheet: Sheet, table: Span, *, rows: int, frozen: int = 1) -> None:
        """Set filter, frozen header and page: A4 landscape, the header repeated."""
        raw = sheet.raw
        raw.autofilter(*table)
        raw.freeze_panes(table.row + 1, frozen)
        raw.set_default_row(_ROW_HEIGHT)
        raw.set_landscape()
        raw.set_paper(9)
        raw.fit_to_pages(1, 0)
        raw.repeat_rows(table.row)
        raw.set_margins(**_MARGINS)
        raw.center_horizontally()
        raw.set_footer(say(_FOOTER, self.lang))
        raw.print_area(0, 0, max(rows - 1, table.last_row), table.last_col)
        raw.ignore_errors({"number_stored_as_text": f"A1:{absolute(max(rows, 1), table.last_col).replace('$', '')}"})
