"""The second sheet of the summary: one row per row of a table of the form, with the project it belongs to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from kpixl.a1 import column_name
from kpixl.forms.definition import Field, Form, MoneyUnit, Table, Value
from kpixl.forms.types import FIELD_TYPES
from kpixl.output.summary.columns import text_width
from kpixl.output.summary.look import BORDER, FOOTER, TINT_HEADER
from kpixl.output.summary.marks import SummarySheet
from kpixl.output.workbook import Book, Sheet
from kpixl.portfolio.model import Project
from kpixl.text_fit import fitting_height
from kpixl.texts import say

_SIZE = 10.0
_ROW_HEIGHT = 20.0
_TALLEST = 150.0
_MARGINS = {"left": 0.4, "right": 0.4, "top": 0.5, "bottom": 0.6}


def write_rows_sheet(
    sheet: Sheet, form: Form, table: Table, projects: Sequence[Project], lang: str, role: str
) -> SummarySheet:
    """Write the rows of `table` of all projects, in their order."""
    book = sheet.book
    about = _about(form)
    fields = [form.id_field, *about, *table.columns.values()]
    widths = [*_about_widths(form, about, projects), *(field.width for field in table.columns.values())]
    header = book.format(
        font_name=form.fonts["heading"], bold=True, align="center", text_wrap=True, border=1, border_color=BORDER,
        bg_color=TINT_HEADER,
    )  # fmt: skip
    for col, field in enumerate(fields):
        sheet.write(0, col, field.heading, header)
    sheet.height(0, 26)
    written: list[Sequence[Value]] = [[field.heading for field in fields]]
    styles = [_style(book, field, form.money, col < 1) for col, field in enumerate(fields)]
    # Two half-width characters to the unit: a shorter text surely fits on one line.
    limits = [int(width / 2) for width in widths]
    columns = list(table.columns)
    for project in projects:
        first: list[Value] = [project.id, *(project.values[f.key] for f in about)]
        least = _height(first, widths, limits, 0)
        for row in project.tables[table.key]:
            number = len(written)
            values = [*first, *[row[key] for key in columns]]
            sheet.write_row(number, values, styles)
            height = _height(values, widths, limits, len(first))
            if (height := max(least, height)) > _ROW_HEIGHT:
                sheet.height(number, min(height, _TALLEST))
            written.append(values)
    _set_up(sheet, widths, len(written), len(fields), lang)
    return SummarySheet(role, sheet.name, tuple(written))


def _about(form: Form) -> list[Field]:
    """Choose the fields that say which project a row is of."""
    return [form.fields[key] for key in form.key_fields]


def _about_widths(form: Form, about: Sequence[Field], projects: Sequence[Project]) -> Iterator[float]:
    """Yield the widths of the columns of a project's id and of the fields beside it."""
    yield text_width([p.id for p in projects], form.id_field.heading, 6, 16)
    for field in about:
        texts = [v for p in projects if isinstance(v := p.values[field.key], str)]
        yield text_width(texts, field.heading, 9, 40)


def _style(book: Book, field: Field, unit: MoneyUnit, centred: bool) -> Any:
    props: dict[str, Any] = {"border": 1, "border_color": BORDER, "text_wrap": True}
    kind = FIELD_TYPES[field.type]
    if kind.python is not str:
        props["num_format"] = kind.shown_format(unit)
    if centred or kind.align == "center":
        props["align"] = "center"
    return book.format(**props)


def _height(values: Sequence[Value], widths: Sequence[float], limits: Sequence[int], first: int) -> float:
    height = _ROW_HEIGHT
    for col in range(first, len(values)):
        value = values[col]
        if type(value) is str and len(value) > limits[col]:
            height = max(height, fitting_height(value, widths[col], _SIZE, _ROW_HEIGHT))
    return height


def _set_up(sheet: Sheet, widths: Sequence[float], rows: int, columns: int, lang: str) -> None:
    raw = sheet.raw
    sheet.widths(widths)
    raw.set_default_row(_ROW_HEIGHT)
    raw.autofilter(0, 0, max(rows - 1, 1), columns - 1)
    raw.ignore_errors({"number_stored_as_text": f"A1:{column_name(columns - 1)}{max(rows, 2)}"})
    raw.freeze_panes(1, 2)
    raw.set_landscape()
    raw.set_paper(9)
    raw.fit_to_pages(1, 0)
    raw.repeat_rows(0)
    raw.set_margins(**_MARGINS)
    raw.center_horizontally()
    raw.set_footer(say(FOOTER, lang))


def rows_sheets(form: Form, name: str) -> list[tuple[str, str, Table]]:
    """List (role, text for the sheet's name, table): one table has `name`, several have their labels behind it."""
    tables = form.tables
    if len(tables) == 1:
        return [("rows", name, table) for table in tables.values()]
    return [(f"rows.{key}", f"{name} {table.label}", table) for key, table in tables.items()]
