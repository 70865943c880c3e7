"""The first sheet of the summary: one row per project, totals below, everything that a filter or a sort leaves right.

The totals stand below the filtered range, not inside it: a subtotal row between projects is hidden by the first
filter and torn from its group by the first sort. A hidden column says of each project whether the filter shows it,
so that subtotals and grand total always add up what is seen.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from kpixl.a1 import Span, absolute, area, column_name
from kpixl.forms.definition import Form, Value
from kpixl.forms.money import unit_heading
from kpixl.forms.types import FIELD_TYPES, TEXT, FieldType
from kpixl.forms.values import fits_float
from kpixl.output.summary.marks import FORMULA, OwnSheet
from kpixl.output.workbook import Sheet, fitting_height
from kpixl.portfolio.model import Portfolio, Project
from kpixl.portfolio.print_layout import disclosure_text, heading_text
from kpixl.texts import Text, say

HEADER_ROW = 2
FIRST_ROW = HEADER_ROW + 1
MAX_LINK_COUNT = 65_530  # Excel's limit for one sheet

TINT_HEADER, TINT_TOTAL, TINT_SUBTOTAL, TINT_DOUBT = "#DDE6F0", "#DDE6F0", "#F2F5F9", "#FFE699"
BORDER, LINK = "#8C8C8C", "#1F4E9E"
FOOTER: Text = ("&C第 &P 页，共 &N 页", "&CPage &P of &N")

_SOURCE: Text = ("来源", "Source")
_SEEN: Text = ("筛选后可见", "Shown by the filter")
_COUNT: Text = ("{label}数", "{label}: number")
_UNIT: Text = ("（金额单位：{unit}）", " (amounts in {unit})")
_SUBTOTAL: Text = ("小计", "Subtotal")
_TOTAL: Text = ("合计", "Total")
_PROJECTS: Text = (" 个项目", " projects")
_NO_GROUP: Text = ("（未填）", "(blank)")

_SIZE, _LONG_SIZE = 10.0, 9.0
_ROW_HEIGHT, _TALLEST = 20.0, 150.0  # a longer goal is cut there and stands whole on its form
_LONG_WIDTH = 62.0
_MARGINS = {"left": 0.4, "right": 0.4, "top": 0.5, "bottom": 0.6}
_WIDEST_A4 = 150.0  # column units that are still legible across a landscape A4


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the sheet. `kind`: id, field, count, source, seen; `type`: that of its field, else text."""

    kind: str
    key: str
    heading: str
    width: float
    type: FieldType = TEXT
    blank: bool = False
    long: bool = False


@dataclass(frozen=True, slots=True)
class TableSheet:
    """Where things stand on the sheet, for the charts and links that refer to it."""

    own: OwnSheet
    rows: Mapping[str, int]
    columns: Mapping[str, int]
    groups: tuple[tuple[Value, int], ...]


def group_projects(form: Form, portfolio: Portfolio) -> list[tuple[Value, list[Project]]]:
    """Group the projects by the field of the form's subtotals, in the form's order, then by first appearance."""
    key = form.summary.subtotals
    if key is None:
        return [(None, list(portfolio.projects))]
    groups: dict[Value, list[Project]] = {}
    for project in portfolio.projects:
        groups.setdefault(project.values[key], []).append(project)
    ranks: dict[Value, int] = {value: rank for rank, value in enumerate(form.summary.order)}
    return sorted(groups.items(), key=lambda item: ranks.get(item[0], len(ranks)))


def excel_total(values: Sequence[Value]) -> Decimal:
    """Add up what Excel holds as numbers; an amount with more digits than it keeps stands there as text."""
    return sum((v for v in values if isinstance(v, Decimal) and fits_float(v)), Decimal(0))


class TableWriter:
    """Writes the sheet, row by row."""

    def __init__(
        self, sheet: Sheet, form: Form, portfolio: Portfolio, lang: str, sources: Mapping[str, str] | None
    ) -> None:
        self._sheet, self._book, self._lang = sheet, sheet.book, lang
        self._form, self._portfolio, self._sources = form, portfolio, sources
        self._columns = _columns(form, portfolio, lang, sources)
        self._rows: list[Sequence[Value]] = []
        self._styles = self._column_styles()
        # Longer texts may need a higher row; in a column of amounts or dates every text is remarkable.
        limits = [int(c.width / 2) if c.type.python is str else -1 for c in self._columns[:-1]]
        self._limits = list(enumerate(limits))
        border = {"border": 1, "border_color": BORDER}
        self._doubt = self._book.format(**border, text_wrap=True, bg_color=TINT_DOUBT)
        self._link = self._book.format(**border, align="center", font_color=LINK, underline=1)

    def _column_styles(self) -> list[Any]:
        styles = []
        for column in self._columns:
            props: dict[str, Any] = {"border": 1, "border_color": BORDER}
            if column.type.python is not str:
                props |= self._typed_props(column.type)
            elif column.kind in ("id", "count"):
                props["align"] = "center"
            else:
                props |= {"text_wrap": True} | ({"font_size": _LONG_SIZE} if column.long else {})
            styles.append(self._book.format(**props))
        return styles

    def _typed_props(self, kind: FieldType) -> dict[str, Any]:
        props = {"num_format": kind.number_format(self._form.money), "align": kind.align}
        return props | ({"indent": 1} if kind.align == "right" else {})

    def write(self, links: Mapping[str, int], forms_name: str) -> TableSheet:
        """Write everything; `links` maps a project's id to the row of its form on the sheet `forms_name`."""
        self._write_head()
        groups = group_projects(self._form, self._portfolio)
        rows: dict[str, int] = {}
        row = FIRST_ROW
        for _, projects in groups:
            for project in projects:
                self._write_project(row, project, links, forms_name)
                rows[project.id] = row
                row += 1
        last = row - 1
        group_rows = self._write_totals(groups, last)
        self._set_up(last)
        own = OwnSheet("summary", self._sheet.name, tuple(self._rows))
        places = {column.key: number for number, column in enumerate(self._columns)}
        return TableSheet(own, rows, places, group_rows)

    def _write_head(self) -> None:
        fonts, sheet = self._form.fonts, self._sheet
        last = self._last_shown
        title = heading_text(self._form, self._portfolio)
        style = self._book.format(font_name=fonts["heading"], font_size=fonts["title"], align="center")
        sheet.merge(Span(0, 0, 0, last), title, style)
        sheet.height(0, 32)
        unit = say(unit_heading(self._form.money), self._lang)
        note = disclosure_text(self._form, self._portfolio) + say(_UNIT, self._lang, unit=unit)
        sheet.merge(Span(1, 0, 1, last), note, self._book.format())
        sheet.height(1, 20)
        header = self._book.format(
            font_name=fonts["heading"], bold=True, align="center", text_wrap=True, border=1, border_color=BORDER,
            bg_color=TINT_HEADER,
        )  # fmt: skip
        for col, column in enumerate(self._columns):
            sheet.write(HEADER_ROW, col, column.heading, header)
        sheet.height(HEADER_ROW, max(fitting_height(c.heading, c.width, _SIZE, 24) for c in self._columns))
        self._rows = [[title], [note], [c.heading for c in self._columns]]

    @property
    def _last_shown(self) -> int:
        return max(1, len(self._columns) - 2)

    def _values(self, project: Project) -> list[Value]:
        values: list[Value] = [project.id, *project.values.values()]
        values += [Decimal(len(project.tables[table])) for table in self._form.tables]
        if self._sources is not None:
            values.append(self._sources.get(project.id))
        return values

    def _write_project(self, row: int, project: Project, links: Mapping[str, int], forms_name: str) -> None:
        sheet, styles = self._sheet, self._styles
        values = self._values(project)
        height = _ROW_HEIGHT
        for col, limit in self._limits:
            value = values[col]
            if type(value) is str and len(value) > limit:
                if limit < 0:
                    styles = [*styles[:col], self._doubt, *styles[col + 1 :]]
                height = max(height, self._needed(col, value))
        sheet.write_row(row, values, styles)
        if project.id in links:
            # On the id: LibreOffice does not wrap a linked text, and names are long.
            sheet.link(row, 0, forms_name, project.id, self._link, f"A{links[project.id] + 1}")
        seen = len(values)
        sheet.formula(row, seen, f"=1*SUBTOTAL(103,$A{row + 1})", None, 1)
        if height > _ROW_HEIGHT:
            sheet.height(row, min(height, _TALLEST))
        self._rows.append([*values, FORMULA])

    def _needed(self, col: int, text: str) -> float:
        column = self._columns[col]
        return fitting_height(text, column.width, _LONG_SIZE if column.long else _SIZE, _ROW_HEIGHT)

    # --- totals -------------------------------------------------------------------------------

    def _write_totals(self, groups: Sequence[tuple[Value, list[Project]]], last: int) -> tuple[tuple[Value, int], ...]:
        """Write a subtotal per group and the grand total below the projects and a thin empty row.

        Returns the row of each subtotal.
        """
        rows: list[tuple[Value, int]] = []
        if last < FIRST_ROW:
            return ()
        self._sheet.height(last + 1, 5)
        self._rows.append([])
        row = last + 2
        key = self._form.summary.subtotals
        if key is not None:
            for value, projects in groups:
                self._write_total(row, last, projects, (key, value))
                rows.append((value, row))
                row += 1
        self._write_total(row, last, self._portfolio.projects, None)
        return tuple(rows)

    def _write_total(self, row: int, last: int, projects: Sequence[Project], group: tuple[str, Value] | None) -> None:
        tint = TINT_SUBTOTAL if group else TINT_TOTAL
        props = {"border": 1, "border_color": BORDER, "bg_color": tint, "bold": group is None}
        plain = self._book.format(**props, text_wrap=True, align="center")
        seen = area(Span(FIRST_ROW, len(self._columns) - 1, last, len(self._columns) - 1))
        test = ""
        if group is not None:
            col = next(n for n, c in enumerate(self._columns) if c.key == group[0])
            # A blank group shows a word, so it is compared with nothing instead of with its own cell.
            same = '""' if group[1] is None else f"${column_name(col)}${row + 1}"
            test = f"--({area(Span(FIRST_ROW, col, last, col))}={same}),"
        written: list[Value] = []
        for number, column in enumerate(self._columns[:-1]):
            cells = f"{absolute(FIRST_ROW, number).replace('$', '', 1)}:{absolute(last, number).replace('$', '', 1)}"
            formula = f"=SUMPRODUCT({test}{seen},{cells})" if group else f"=SUBTOTAL(109,{cells})"
            value: Value = None
            if column.type.is_amount:
                amounts = [p.values[column.key] for p in projects]
                style = self._book.format(**props, **self._typed_props(column.type))
                value = self._total_cell(row, number, formula, style, excel_total(amounts))
            elif column.kind == "count":
                count = sum(len(p.tables[column.key]) for p in projects)
                value = self._total_cell(row, number, formula, plain, Decimal(count))
            elif number == 1 and self._total_text(column, group) is None:
                word = say(_PROJECTS, self._lang)
                formula = f'=SUMPRODUCT({test}{seen})&"{word}"'
                value = self._total_cell(row, number, formula, plain, f"{len(projects)}{word}")
            else:
                value = self._total_text(column, group)
                self._sheet.write(row, number, value, plain)
            written.append(value)
        self._rows.append(written)
        self._sheet.height(row, 22)

    def _total_text(self, column: Column, group: tuple[str, Value] | None) -> Value:
        if column.kind == "id":
            return say(_SUBTOTAL if group else _TOTAL, self._lang)
        if group is not None and column.key == group[0]:
            return say(_NO_GROUP, self._lang) if group[1] is None else group[1]
        return None

    def _total_cell(self, row: int, col: int, formula: str, style: Any, cached: Decimal | str) -> Value:
        self._sheet.formula(row, col, formula, style, cached)
        return FORMULA

    # --- set-up -------------------------------------------------------------------------------

    def _set_up(self, last: int) -> None:
        raw = self._sheet.raw
        shown = 0.0
        blank_before = False
        for number, column in enumerate(self._columns):
            options: dict[str, Any] = {}
            if column.kind == "seen":
                options = {"hidden": True}
            elif column.blank:
                options = {"level": 1, "hidden": True}
            else:
                shown += column.width
                options = {"collapsed": True} if blank_before else {}
            blank_before = column.blank
            raw.set_column(number, number, column.width, None, options)
        if last >= FIRST_ROW:
            raw.autofilter(HEADER_ROW, 0, last, self._last_shown)
        raw.ignore_errors({"number_stored_as_text": f"A1:{column_name(len(self._columns) - 1)}{max(last, 1) + 1}"})
        raw.set_default_row(_ROW_HEIGHT)
        raw.freeze_panes(FIRST_ROW, 2)
        raw.set_landscape()
        raw.set_paper(9 if shown <= _WIDEST_A4 else 8)
        raw.fit_to_pages(1, 0)
        raw.repeat_rows(HEADER_ROW)
        raw.set_margins(**_MARGINS)
        raw.center_horizontally()
        raw.set_footer(say(FOOTER, self._lang))


# --- columns ----------------------------------------------------------------------------------


def _columns(form: Form, portfolio: Portfolio, lang: str, sources: Mapping[str, str] | None) -> list[Column]:
    projects = portfolio.projects
    ids = [p.id for p in projects]
    columns = [Column("id", "", form.id_field.heading, text_width(ids, form.id_field.heading, 6, 16))]
    for number, (key, field) in enumerate(form.fields.items()):
        values = [p.values[key] for p in projects]
        blank = number > 0 and bool(projects) and not field.required and all(v is None for v in values)
        kind, texts = FIELD_TYPES[field.type], [v for v in values if isinstance(v, str)]
        width, long = kind.width(values), False
        if width is None:
            long = field.lines > 1
            width = _LONG_WIDTH if long else text_width(texts, field.heading, 9, field.width)
        columns.append(Column("field", key, field.heading, width, kind, blank, long))
    for key, table in form.tables.items():
        columns.append(Column("count", key, say(_COUNT, lang, label=table.label), 10))
    if sources is not None:
        width = text_width(list(sources.values()), say(_SOURCE, lang), 10, 36)
        columns.append(Column("source", "", say(_SOURCE, lang), width))
    columns.append(Column("seen", "", say(_SEEN, lang), 8))
    return columns


def text_width(texts: Sequence[str], heading: str, least: float, most: float) -> float:
    """Choose a width that shows the longest of `texts` on one line, between `least` and `most`."""
    longest = max(texts, key=len, default="")
    ems = max(_half_ems(longest), min(_half_ems(heading) + 3, 12))
    return min(max(least, ems * 1.0 + 2), most)


def _half_ems(text: str) -> int:
    return sum(2 if c >= "\u1100" else 1 for c in text)
