"""Several projects as the rows of one table, as they are published: what is where, each field merged over its rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from kpixl.forms.dated import with_year
from kpixl.forms.definition import Form, Row, Value
from kpixl.forms.values import total
from kpixl.portfolio.model import Portfolio, Project
from kpixl.portfolio.print_layout import PrintedCell, PrintedRow, merged_spans, subtitle_text

TITLE_HEIGHT, SUBTITLE_HEIGHT = 30.0, 18.0
UNIT_COLUMNS = 3  # at the right of the subtitle, where the unit of amounts is


class FlatPrinter:
    """Lays out the projects of one portfolio, each from a row on.

    `longest`: the most rows that a merged cell reaches over, as in FormPrinter.
    """

    def __init__(self, form: Form, portfolio: Portfolio, *, longest: int | None = None) -> None:
        assert form.flat is not None
        self._form, self._flat, self._portfolio, self._longest = form, form.flat, portfolio, longest
        self._width = len(self._flat.columns)

    def titles(self) -> tuple[PrintedRow, ...]:
        """Lay out the title, and the line of subtitle and unit below it."""
        title = PrintedCell("title", self._dated(self._form.printed_title), 0, 0, 1, self._width)
        split = max(self._width - UNIT_COLUMNS, 1) if self._flat.unit_line else self._width
        below = [PrintedCell("subtitle", subtitle_text(self._form, self._portfolio.year) or None, 1, 0, 1, split)]
        if split < self._width:
            below.append(PrintedCell("subtitle", self._dated(self._flat.unit_line), 1, split, 1, self._width - split))
        return (
            PrintedRow("title", (title,), TITLE_HEIGHT),
            PrintedRow("title", tuple(below), SUBTITLE_HEIGHT),
        )

    def _dated(self, text: str) -> str:
        return with_year(text, self._portfolio.year)

    def headings(self, row: int) -> PrintedRow:
        """Lay out the headings."""
        cells = (
            PrintedCell("heading", self._dated(column.label), row, col, key=column.key, table=column.table, scope="col")
            for col, column in enumerate(self._flat.columns)
        )
        return PrintedRow("heading", tuple(cells), table=self._flat.table)

    def total(self, row: int) -> tuple[PrintedRow, ...]:
        """Lay out the row with the organisation and the sum of all projects; nothing where the form has none."""
        name, amount = self._flat.total_name, self._flat.total_amount
        if name is None or amount is None:
            return ()
        known: dict[str, Value] = {
            name: self._portfolio.organization,
            amount: total([project.values[amount] for project in self._portfolio.projects]),
        }
        cells = []
        for col, column in enumerate(self._flat.columns):
            if not column.table and column.key in known:
                kind = self._form.fields[column.key].type
                cells.append(PrintedCell("value", known[column.key], row, col, type=kind, key=column.key))
            else:
                cells.append(PrintedCell("blank", None, row, col, table=self._flat.table))
        return (PrintedRow("row", tuple(cells), table=self._flat.table),)

    def lay_out(self, project: Project, first: int) -> tuple[PrintedRow, ...]:
        """Lay out the rows of one project, the first of them in row `first`. One without indicators has a blank row."""
        rows: Sequence[Row | None] = project.tables[self._flat.table] or (None,)
        places: list[list[PrintedCell]] = [[] for _ in rows]
        breaks = [False] * len(rows)
        for col, column in enumerate(self._flat.columns):
            cells = (
                self._field(project, column.key, len(rows))
                if not column.table
                else self._column(column.key, rows, breaks)
            )
            for start, count, value, kind in cells:
                table, row = column.table, first + start
                places[start].append(PrintedCell("value", value, row, col, count, 1, kind, column.key, table))
        return tuple(PrintedRow("row", tuple(cells), table=self._flat.table) for cells in places)

    def _field(self, project: Project, key: str, rows: int) -> Iterator[tuple[int, int, Value, str]]:
        """Yield the merged cells of a field: start, count, value, type."""
        step = self._longest or rows
        for start in range(0, rows, step):
            yield start, min(step, rows - start), project.values[key], self._form.fields[key].type

    def _column(
        self, key: str, rows: Sequence[Row | None], breaks: list[bool]
    ) -> Iterator[tuple[int, int, Value, str]]:
        """Yield the cells of a column of the table; where a level is merged, those below it end as well (`breaks`)."""
        field = self._form.tables[self._flat.table].columns[key]
        values = [row[key] if row is not None else None for row in rows]
        spans = [(index, 1) for index in range(len(rows))]
        if field.fill:
            spans = merged_spans(values, breaks, self._longest)
            for start, _ in spans:
                breaks[start] = True
        for start, count in spans:
            yield start, count, values[start], field.type


def printed_widths(form: Form) -> tuple[float, ...]:
    """Return the widths of the columns of a form as it is published."""
    return form.flat.widths if form.flat is not None else form.layout.widths


def is_landscape(form: Form) -> bool:
    """Return whether a form is published on paper that lies on its side."""
    return form.flat.landscape if form.flat is not None else form.landscape
