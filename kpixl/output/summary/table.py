"""The table of projects: one row for each, totals below, everything that a filter or a sort leaves right.

The totals stand below the filtered range, not inside it: a subtotal row between projects is hidden by the first
filter and torn from its group by the first sort. A hidden column holds for each project whether the filter shows it,
so that subtotals and grand total always add up what is seen. Number, name and amount come first and stay in view, and
so does the title, which is as wide as they are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from kpixl.a1 import Span, absolute, area, column_name
from kpixl.forms.definition import Form, Value
from kpixl.forms.money import unit_heading
from kpixl.forms.names import office_key, unit_field
from kpixl.forms.types import FieldType
from kpixl.forms.values import fits_float, text_of
from kpixl.output.paper import paper_number
from kpixl.output.summary.columns import SummaryColumn, frozen_columns, list_columns, pages_across
from kpixl.output.summary.look import (
    BORDER,
    FOOTER,
    LINK,
    STYLES,
    TINT_DOUBT,
    TINT_HEADER,
    TINT_OPEN,
    TINT_SUBTOTAL,
    TINT_TOTAL,
)
from kpixl.output.summary.marks import FORMULA, SummarySheet
from kpixl.output.workbook import Sheet
from kpixl.portfolio.model import Portfolio, Project
from kpixl.portfolio.print_layout import disclosure_text, heading_text
from kpixl.text_fit import MAX_ROW_HEIGHT, fitting_height
from kpixl.texts import Text, say

HEADER_ROW = 2
FIRST_ROW = HEADER_ROW + 1
MAX_LINK_COUNT = 65_530  # Excel's limit for one sheet

_UNIT: Text = ("（金额单位：{unit}）", " (amounts in {unit})")
_SUBTOTAL: Text = ("小计", "Subtotal")
_TOTAL: Text = ("合计", "Total")
_PROJECTS: Text = (" 个项目", " projects")
_NO_GROUP: Text = ("（未填）", "(blank)")

_LEGEND: tuple[tuple[str, Text], ...] = (
    (TINT_DOUBT, ("此底色：不是金额或日期，未计入合计", "this tint: no amount or date, not in the totals")),
    (TINT_OPEN, ("此底色：有错误或有争议，见概览", "this tint: errors or contradicting returns, see the overview")),
)

_LEGEND_COLUMNS = 2  # as wide as what a tint means is long

_SIZE, _LONG_SIZE, _TITLE_SIZE = 10.0, 9.0, 14.0
_TOTAL_HEIGHT = 22.0
_ROW_HEIGHT = 20.0
_MARGINS = {"left": 0.4, "right": 0.4, "top": 0.5, "bottom": 0.6}

Rows = tuple[tuple[Value, int], ...]  # of subtotals: what each is of, and its row


@dataclass(frozen=True, slots=True)
class TableSheet:
    """Where things stand on the sheet, for the charts and links that refer to it."""

    own: SummarySheet
    rows: Mapping[str, int]
    columns: Mapping[str, int]
    groups: Rows
    units: Rows
    offices: Rows
    last: int
    total: int | None


def group_projects(form: Form, portfolio: Portfolio) -> list[tuple[Value, list[Project]]]:
    """Group the projects by the field of the form's subtotals, in the form's order, then by first appearance."""
    key = form.summary.subtotals
    if key is None:
        return [(None, list(portfolio.projects))]
    groups = projects_by(key, portfolio.projects)
    ranks: dict[Value, int] = {value: rank for rank, value in enumerate(form.summary.order)}
    return sorted(groups.items(), key=lambda item: ranks.get(item[0], len(ranks)))


def projects_by(key: str, projects: Sequence[Project]) -> dict[Value, list[Project]]:
    """Group projects by a field, in the order of their first appearance."""
    groups: dict[Value, list[Project]] = {}
    for project in projects:
        groups.setdefault(project.values[key], []).append(project)
    return groups


def excel_total(values: Sequence[Value]) -> Decimal:
    """Add up what Excel holds as numbers; an amount with more digits than it keeps is text there."""
    return sum((v for v in values if isinstance(v, Decimal) and fits_float(v)), Decimal(0))


class TableWriter:
    """Writes the sheet, row by row."""

    def __init__(
        self,
        sheet: Sheet,
        form: Form,
        portfolio: Portfolio,
        lang: str,
        sources: Mapping[str, str] | None,
        open_projects: Set[str] = frozenset(),
    ) -> None:
        """Prepare; `open_projects`: ids of those that must still be settled, whose names are tinted."""
        self._sheet, self._book, self._lang = sheet, sheet.book, lang
        self._form, self._portfolio, self._sources, self._open = form, portfolio, sources, open_projects
        self._columns = list_columns(form, portfolio, lang, sources)
        self._fields = [column.key for column in self._columns if column.kind == "field"]
        self._frozen = frozen_columns(form)
        self._rows: list[Sequence[Value]] = []
        self._styles = self._column_styles()
        # Longer texts may need a higher row; in a column of amounts or dates every text is remarkable.
        limits = [int(c.width / 2) if c.type.python is str else -1 for c in self._columns[:-1]]
        self._limits = list(enumerate(limits))
        props = {"border": 1, "border_color": BORDER, "valign": "top"}
        self._doubt = self._book.format(STYLES["doubt"], **props, text_wrap=True, bg_color=TINT_DOUBT)
        self._open_style = self._book.format(STYLES["open"], **props, text_wrap=True, bg_color=TINT_OPEN)
        self._link = self._book.format(STYLES["link"], **props, align="center", font_color=LINK, underline=1)

    def _column_styles(self) -> list[Any]:
        styles = []
        for column in self._columns:
            # At the top: a row may be higher than the screen, and what is in the middle would be out of sight.
            props: dict[str, Any] = {"border": 1, "border_color": BORDER, "valign": "top"}
            style = STYLES["text"]
            if column.type.python is not str:
                style, props = STYLES["number"], props | self._typed_props(column.type)
            elif column.kind in ("id", "count"):
                props["align"] = "center"
            else:
                props |= {"text_wrap": True} | ({"font_size": _LONG_SIZE} if column.long else {})
            styles.append(self._book.format(style, **props))
        return styles

    def _typed_props(self, kind: FieldType) -> dict[str, Any]:
        props = {"num_format": kind.shown_format(self._form.money), "align": kind.align}
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
        group_rows, unit_rows, office_rows, total = self._write_totals(groups, last)
        self._set_up(last)
        own = SummarySheet("summary", self._sheet.name, tuple(self._rows))
        places = {column.key: number for number, column in enumerate(self._columns)}
        return TableSheet(own, rows, places, group_rows, unit_rows, office_rows, last, total)

    def _write_head(self) -> None:
        """Write title and note over the columns that stay in view, the legend beside them, and the headings."""
        fonts, sheet, last = self._form.fonts, self._sheet, self._frozen - 1
        width = sum(column.width for column in self._columns[: self._frozen])
        title = heading_text(self._form, self._portfolio)
        props: dict[str, Any] = {"text_wrap": True, "align": "left"}
        style = self._book.format(
            STYLES["title"], **props, font_name=fonts["heading"], font_size=_TITLE_SIZE, bold=True
        )
        sheet.merge(Span(0, 0, 0, last), title, style)
        sheet.height(0, fitting_height(title, width, _TITLE_SIZE, 28))
        unit = say(unit_heading(self._form.money), self._lang)
        note = disclosure_text(self._form, self._portfolio) + say(_UNIT, self._lang, unit=unit)
        sheet.merge(Span(1, 0, 1, last), note, self._book.format(STYLES["note"], **props, font_size=_LONG_SIZE))
        self._rows = [[title], [note], [c.heading for c in self._columns]]
        self._write_legend()
        header = self._book.format(
            STYLES["header"], font_name=fonts["heading"], bold=True, align="center", text_wrap=True, border=1,
            border_color=BORDER, bg_color=TINT_HEADER,
        )  # fmt: skip
        for col, column in enumerate(self._columns):
            sheet.write(HEADER_ROW, col, column.heading, header)
        sheet.height(HEADER_ROW, max(fitting_height(c.heading, c.width, _SIZE, 24) for c in self._columns))

    def _write_legend(self) -> None:
        """Say right of the note what the tints mean, beside each other; above it nothing crowds the title."""
        row = 1
        shown = [(tint, text) for tint, text in _LEGEND if tint != TINT_OPEN or self._open]
        height = fitting_height(str(self._rows[row][0]), self._width_of(0, self._frozen - 1), _LONG_SIZE, 20)
        first = self._frozen
        for tint, text in shown:
            last = min(first + _LEGEND_COLUMNS - 1, self._last_shown)
            if last <= first:
                break
            words = say(text, self._lang)
            style = self._book.format(
                border=1,
                border_color=BORDER,
                bg_color=tint,
                font_size=_LONG_SIZE,
                text_wrap=True,
                align="left",
                indent=1,
            )
            self._sheet.merge(Span(row, first, row, last), words, style)
            self._rows[row] = [*self._rows[row], *[None] * (first - len(self._rows[row])), words]
            height = max(height, fitting_height(words, self._width_of(first, last) - 1.5, _LONG_SIZE, 20))
            first = last + 1
        self._sheet.height(row, height)

    def _width_of(self, first: int, last: int) -> float:
        return sum(column.width for column in self._columns[first : last + 1])

    @property
    def _last_shown(self) -> int:
        return max(1, len(self._columns) - 2)

    def _values(self, project: Project) -> list[Value]:
        values: list[Value] = [project.id, *[project.values[key] for key in self._fields]]
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
        if project.id in self._open:
            styles = [styles[0], self._open_style, *styles[2:]]
        sheet.write_row(row, values, styles)
        if project.id in links:
            # On the id: LibreOffice does not wrap a linked text, and names are long.
            sheet.link(row, 0, forms_name, project.id, self._link, f"A{links[project.id] + 1}")
        seen = len(values)
        sheet.formula(row, seen, f"=1*SUBTOTAL(103,$A{row + 1})", None, 1)
        if height > _ROW_HEIGHT:
            sheet.height(row, min(height, MAX_ROW_HEIGHT))
        self._rows.append([*values, FORMULA])

    def _needed(self, col: int, text: str) -> float:
        column = self._columns[col]
        return fitting_height(text, column.width, _LONG_SIZE if column.long else _SIZE, _ROW_HEIGHT)

    # --- totals -------------------------------------------------------------------------------

    def _write_totals(
        self, groups: Sequence[tuple[Value, list[Project]]], last: int
    ) -> tuple[Rows, Rows, Rows, int | None]:
        """Write the subtotals and the grand total below the projects and a thin empty row.

        Returns the row of each subtotal by the form's group, of each by unit, of each by the office above the units,
        and of the total. One unit or office alone has no subtotal: it would be the total.
        """
        if last < FIRST_ROW:
            return (), (), (), None
        self._sheet.height(last + 1, 5)
        self._rows.append([])
        row = last + 2
        key, unit, office = self._form.summary.subtotals, unit_field(self._form), office_key(self._form)
        levels: list[tuple[str | None, Sequence[tuple[Value, list[Project]]]]] = [(key, groups if key else [])]
        for level in (unit.key if unit is not None and unit.key != key else None, office):
            found = projects_by(level, self._portfolio.projects) if level else {}
            levels.append((level, [*found.items()] if len(found) > 1 else []))
        rows: list[Rows] = []
        for field, parts in levels:
            rows.append(tuple((value, row + number) for number, (value, _) in enumerate(parts)))
            for value, projects in parts:
                assert field is not None
                self._write_total(row, last, projects, (field, value))
                row += 1
        self._write_total(row, last, self._portfolio.projects, None)
        return rows[0], rows[1], rows[2], row

    def _write_total(self, row: int, last: int, projects: Sequence[Project], group: tuple[str, Value] | None) -> None:
        """Write one subtotal, or the total where `group` (field, value) is None."""
        style_name, tint = (STYLES["subtotal"], TINT_SUBTOTAL) if group else (STYLES["total"], TINT_TOTAL)
        props = {"border": 1, "border_color": BORDER, "bg_color": tint, "bold": group is None}
        plain = self._book.format(style_name, **props, text_wrap=True, align="center")
        counted = self._counted_rows(row, last, group)
        written: list[Value] = []
        for number, column in enumerate(self._columns[:-1]):
            formula = _sum_formula(number, last, counted, whole=group is None)
            value: Value = None
            if column.type.is_amount:
                amounts = [p.values[column.key] for p in projects]
                style = self._book.format(style_name, **props, **self._typed_props(column.type))
                value = self._total_cell(row, number, formula, style, excel_total(amounts))
            elif column.kind == "count":
                count = sum(len(p.tables[column.key]) for p in projects)
                value = self._total_cell(row, number, formula, plain, Decimal(count))
            elif number == 1 and self._total_text(column, group) is None:
                word = say(_PROJECTS, self._lang)
                formula = f'=SUMPRODUCT({counted})&"{word}"'
                value = self._total_cell(row, number, formula, plain, f"{len(projects)}{word}")
            else:
                value = self._total_text(column, group)
                self._sheet.write(row, number, value, plain)
            written.append(value)
        self._rows.append(written)
        self._sheet.height(row, self._total_height(group))

    def _counted_rows(self, row: int, last: int, group: tuple[str, Value] | None) -> str:
        """Return the operands of a formula that is 1 for the rows of projects that are shown and in the group."""
        seen = area(Span(FIRST_ROW, len(self._columns) - 1, last, len(self._columns) - 1))
        if group is None:
            return seen
        col = self._column_of(group[0])
        # A blank group shows a word, so it is compared with nothing instead of with its own cell.
        same = '""' if group[1] is None else f"${column_name(col)}${row + 1}"
        return f"--({area(Span(FIRST_ROW, col, last, col))}={same}),{seen}"

    def _total_height(self, group: tuple[str, Value] | None) -> float:
        """Choose a height that shows the name of the group."""
        if group is None:
            return _TOTAL_HEIGHT
        width = self._columns[self._column_of(group[0])].width
        return min(fitting_height(text_of(group[1]), width, _SIZE, _TOTAL_HEIGHT), MAX_ROW_HEIGHT)

    def _column_of(self, key: str) -> int:
        return next(number for number, column in enumerate(self._columns) if column.key == key)

    def _total_text(self, column: SummaryColumn, group: tuple[str, Value] | None) -> Value:
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
        blank_before = False
        for number, column in enumerate(self._columns):
            options: dict[str, Any] = {}
            if column.kind == "seen":
                options = {"hidden": True}
            elif column.blank:
                options = {"level": 1, "hidden": True}
            else:
                options = {"collapsed": True} if blank_before else {}
            blank_before = column.blank
            raw.set_column(number, number, column.width, None, options)
        if last >= FIRST_ROW:
            raw.autofilter(HEADER_ROW, 0, last, self._last_shown)
        raw.ignore_errors({"number_stored_as_text": f"A1:{column_name(len(self._columns) - 1)}{max(last, 1) + 1}"})
        raw.set_default_row(_ROW_HEIGHT)
        raw.freeze_panes(FIRST_ROW, self._frozen)
        raw.set_landscape()
        pages, on_a4 = pages_across(self._columns, self._frozen)
        raw.set_paper(paper_number("A4" if on_a4 else "A3"))
        raw.fit_to_pages(pages, 0)
        raw.repeat_rows(HEADER_ROW)
        if pages > 1:  # the columns that name the project of a row are on both
            raw.repeat_columns(0, self._frozen - 1)
        raw.set_margins(**_MARGINS)
        raw.center_horizontally()
        raw.set_footer(say(FOOTER, self._lang))


def _sum_formula(col: int, last: int, counted: str, *, whole: bool) -> str:
    """Return the formula that adds up a column: all rows that are shown, or those that `counted` tests for."""
    cells = f"{absolute(FIRST_ROW, col).replace('$', '', 1)}:{absolute(last, col).replace('$', '', 1)}"
    return f"=SUBTOTAL(109,{cells})" if whole else f"=SUMPRODUCT({counted},{cells})"
