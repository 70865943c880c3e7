"""One project's sheet of the template: the official look, with dropdowns, rules, status and sheet id."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from kpixl.a1 import Span, a1, absolute
from kpixl.forms.compute import computed_value
from kpixl.forms.compute import formula as computed_formula
from kpixl.forms.dated import with_year
from kpixl.forms.definition import Cell, Computation, Field, Form, PlacedTable, Row, Value
from kpixl.forms.names import entry_headings, target_headings
from kpixl.forms.types import FIELD_TYPES
from kpixl.forms.values import text_of
from kpixl.keys import Key
from kpixl.output.template.entry_rules import MAX_TITLE, clipped, entry_options, title_of
from kpixl.output.template.page import set_page
from kpixl.output.template.row_looks import look, write_caption_look, write_row_looks
from kpixl.output.template.status import (
    Asked,
    PlacedRows,
    SheetStatus,
    in_row,
    refs_to,
    status_formula,
    status_text,
    words_in,
)
from kpixl.output.workbook import Book, Sheet
from kpixl.portfolio import sheet_id as sheet_ids
from kpixl.portfolio.model import Project
from kpixl.portfolio.own_texts import BACK, MORE_ROWS, REASONS
from kpixl.portfolio.print_layout import subtitle_text
from kpixl.portfolio.sheet_id import HINT, ID_GAP, NOTE_SIGNATURE, STATUS, STATUS_GAP, SheetId
from kpixl.text_fit import MAX_ROW_HEIGHT, fitting_height, fitting_size
from kpixl.texts import Text, say

if TYPE_CHECKING:
    from xlsxwriter.format import Format

    from kpixl.output.template import SheetStyles

SPARE_ROWS = 5  # free rows below a table that is already filled in
ROW_HEIGHT = 22.0
STATUS_WIDTH = 42  # of the column beside the form: its texts take two lines, and make no row of the form higher
REASONS_ROWS = range(2, 9)  # the label and the cell below it, beside the head of the form

REQUIRED: Text = ("【必填】", "[Required] ")
OPTIONAL: Text = ("【选填】", "[Optional] ")
REASONS_HELP: Text = (
    "【选填】例如：本项目为内部采购，没有服务对象，不设相应指标。",
    "[Optional] For example: an internal purchase serves nobody, so there is no such indicator.",
)
SUMMED: Text = ("自动计算，无需填写。", "Adds itself up.")
COMPUTED: Text = ("自动计算，无需填写。", "Computes itself.")
GIVEN_COMPUTED: Text = (
    "此数已给定，与计算结果不符时请核对。",
    "This is given; check it where the computed value differs.",
)
GIVEN: Text = ("此数已给定，各分项之和应与之相等。", "This is given; its parts must add up to it.")

Notes = Mapping[Key, str]
NO_NOTES: Notes = MappingProxyType({})


class FormSheet:
    """Writes one project sheet."""

    def __init__(
        self, book: Book, form: Form, styles: SheetStyles, lang: str, name: str, cover: str, asked: Asked
    ) -> None:
        self.book, self.form, self.styles, self.lang = book, form, styles, lang
        self.sheet: Sheet = book.sheet(name)
        self.cover = cover
        layout = self.layout = form.entry_layout
        self.width = len(layout.widths)
        self.status_col, self.id_col = self.width - 1 + STATUS_GAP, self.width - 1 + ID_GAP
        self.size = float(form.fonts["size"])
        self.asked = asked
        self.needed = {field.sum[0] if field.sum else key for key, field in form.fields.items() if field.required}
        self.places: dict[str, Span] = {}
        self.tables: list[PlacedRows] = []
        self.heights: dict[int, float] = {}  # of rows, in points
        self.as_text: list[str] = []  # cells in which a number is text, which Excel would mark

    def write(self, project: Project, year: int | None, sheet_id: SheetId, notes: Notes = NO_NOTES) -> SheetStatus:
        """Write the whole sheet and return its status. `notes`: what to say beside the cells of values."""
        sheet, layout = self.sheet, self.layout
        sheet.widths([*layout.widths, 2, STATUS_WIDTH])
        cells = (*layout.head, *layout.foot)
        counts = {group[0].row: self._row_count(group, project) for group in layout.table_rows}
        shifts = [sum(count for above, count in counts.items() if above < row) for row in range(layout.rows)]
        self.places = {c.key: _cell_at(c.row + shifts[c.row], c.col) for c in cells if c.kind == "value"}
        for placed in layout.tables:
            self._place_columns(placed, placed.row + shifts[placed.row] + 1, counts[placed.row])
        for row, height in self._heights(cells, project).items():
            self._height(row + shifts[row], height)
        for group in layout.table_rows:
            self._tables(group, shifts[group[0].row], project, counts[group[0].row], year)
        for cell in cells:
            self._cell(cell, shifts[cell.row], project, year)
        status = self._status(project)
        self._furniture(sheet_id)
        self._notes(notes)
        self._view()
        rows = layout.rows + sum(counts.values())
        set_page(sheet, self.form, rows, sum(self.heights.values()), self._spare_height())
        return status

    # --- single cells ------------------------------------------------------------------------

    def _cell(self, cell: Cell, shift: int, project: Project, year: int | None) -> None:
        row = cell.row + shift
        span = Span(row, cell.col, row + cell.rows - 1, cell.col + cell.columns - 1)
        if cell.kind == "value":
            self._value(self.form.fields[cell.key], span, project)
            return
        text = subtitle_text(self.form, year) if cell.kind == "subtitle" else with_year(cell.text, year)
        if cell.kind in ("title", "subtitle"):
            big = cell.kind == "title"
            style = self.book.format(
                font_name=self.form.fonts["heading" if big else "body"],
                font_size=self.form.fonts["title"] if big else self.size + 1,
                bold=big,
                align="center",
            )
        else:
            style = self._label_style(cell.vertical)
        self.sheet.merge(span, text, style)

    def _label_style(self, vertical: bool = False) -> Format:
        # 270: letters one below the other
        props: dict[str, Any] = {"rotation": 270} if vertical else {"text_wrap": True}
        return self.book.format(align="center", border=1, bg_color=self.styles.label, **props)

    def _value(self, field: Field, span: Span, project: Project) -> None:
        value = project.values[field.key]
        if field.computation and value == computed_value(field, project.values, project.tables):
            self._formula(field, field.computation, span, value)
        else:
            self._typed_value(field, span, value)
        self._tint(field, span)

    def _typed_value(self, field: Field, span: Span, value: Value) -> None:
        """Write a value that may be typed over, unless it is computed or given."""
        computed = field.computation is not None
        typed = value if computed else _as_entered(field, value)
        locked = computed or (field.given and value is not None)
        self.sheet.merge(span, typed, self._input_style(field, value, span, locked=locked))
        if FIELD_TYPES[field.type].entered_as_text:
            self.as_text.append(a1(span.row, span.col))
        given = say(GIVEN if field.sum else GIVEN_COMPUTED, self.lang)
        self._rule(field, span, lambda _: None, given if computed and value is not None else None)

    def _tint(self, field: Field, span: Span) -> None:
        """Tint a cell in which something is missing or wrong."""
        if (formula := self.asked.tints(self.places).get(field.key)) is not None:
            look(self.sheet, formula, span, self.book.rule_format(bg_color=self.styles.missing, border=1))

    def _input_style(self, field: Field, value: Value, span: Span, locked: bool = False) -> Format:
        kind = FIELD_TYPES[field.type]
        long = field.lines > 1
        width = sum(self.layout.widths[span.col : span.last_col + 1])
        size = fitting_size(value, width, self.size) if isinstance(value, str) and len(value) > 200 else self.size
        return self.book.format(
            locked=locked,
            num_format=self._number_format(field),
            border=1,
            text_wrap=True,
            bg_color=self.styles.label
            if locked
            else self.styles.input
            if field.key in self.needed
            else self.styles.spare,
            align="right" if kind.align == "right" else "left" if long else "center",
            indent=1 if kind.align == "right" or long else 0,
            valign="top" if long else "vcenter",
            font_size=size,
        )

    def _number_format(self, field: Field) -> str:
        kind = FIELD_TYPES[field.type]
        if field.compute is not None:
            return kind.computed_format(field.compute.decimals, self.form.money)
        return kind.number_format(self.form.money)

    def _formula(self, field: Field, computation: Computation, span: Span, value: Value) -> None:
        """Write a computed value as a locked formula; blank while what it follows from is."""
        style = self._input_style(field, value, span, locked=True)
        cached = value if isinstance(value, Decimal | str) else ""
        self.sheet.merge_formula(span, computed_formula(computation, self._ref), style, cached)
        words = SUMMED if field.sum else COMPUTED
        options = {"validate": "any", "input_title": title_of(field), "input_message": say(words, self.lang)}
        self.sheet.validate(Span(span.row, span.col, span.row, span.col), options)

    def _ref(self, key: str) -> str:
        """Name cells in a formula as people do: the form's own formulas are recognised by it."""
        return refs_to(self.places)(key).replace("$", "")

    def _place_columns(self, placed: PlacedTable, first: int, count: int) -> None:
        """Keep where the columns of a table are, for formulas."""
        table = self.form.tables[placed.table]
        for heading in placed.entry:
            target = table.targets.get(heading.key)
            for col, key in enumerate(target.parts if target else (heading.key,), heading.col):
                self.places[f"{table.key}.{key}"] = Span(first, col, first + count - 1, col)

    def _heights(self, cells: Sequence[Cell], project: Project) -> dict[int, float]:
        """Return the height of every row: that of the form, or more where the text needs it."""
        layout = self.layout
        heights = {row: layout.heights.get(row, 20.0) for row in range(layout.rows)}
        for cell in cells:
            if cell.kind != "value" or cell.rows != 1:
                continue
            field, value = self.form.fields[cell.key], project.values[cell.key]
            width = sum(layout.widths[cell.col : cell.col + cell.columns])
            text = text_of(value) if isinstance(value, str) else ""
            size = fitting_size(text, width, self.size)
            least = field.lines * self.size * 1.4 if field.lines > 1 else 0
            heights[cell.row] = max(heights[cell.row], least, fitting_height(text, width, size, 0) if text else 0)
        return heights

    def _rule(
        self, field: Field, span: Span, parent_cell: Callable[[str], str | None], message: str | None = None
    ) -> None:
        """Check what is typed and show what may be, or `message` in its place."""
        options = entry_options(self.form, field, self.lang, parent_cell)
        if options is not None:
            options["input_message"] = message or options.get("input_message", "")
            options["input_title"] = title_of(field)
            need = "" if field.computation else say(REQUIRED if self._is_needed(field) else OPTIONAL, self.lang)
            options["input_message"] = clipped(need + options["input_message"], 255)
            self.sheet.validate(span, options)

    def _is_needed(self, field: Field) -> bool:
        return field.required or field.key in self.needed

    # --- tables ------------------------------------------------------------------------------

    def _row_count(self, group: Sequence[PlacedTable], project: Project) -> int:
        tables = [self.form.tables[placed.table] for placed in group]
        return max(max(t.rows, len(project.tables[t.key] or t.presets) + SPARE_ROWS) for t in tables)

    def _tables(self, group: Sequence[PlacedTable], shift: int, project: Project, count: int, year: int | None) -> None:
        """Write the headings and rows of a table, or of tables side by side, and what is around them."""
        top = group[0].row + shift
        for row in range(group[0].top, group[0].row + 1):
            self._height(row + shift, max(ROW_HEIGHT, self.layout.heights.get(row, 0)))
        if group[0].caption:
            caption = Span(group[0].top + shift, 0, top, 0)
            self.sheet.merge(caption, with_year(group[0].caption, year), self._label_style())
        placed = [self._headings(one, top, project, count, year) for one in group]
        self._free_rows(placed, top + 1, top + count)
        for one in placed:
            self._rows(one, project)
            self._rules(one)
            write_row_looks(self.sheet, self.styles, self.asked, one)
            self.tables.append(one)
        if group[0].caption:
            write_caption_look(self.sheet, self.styles, placed)
        hint = HINT + say(MORE_ROWS, self.lang, count=count)
        self.sheet.write(top, self.status_col, hint, self._hint_style())
        self._height(top, max(self.heights[top], fitting_height(hint, STATUS_WIDTH, 10, 0)))

    def _headings(self, placed: PlacedTable, top: int, project: Project, count: int, year: int | None) -> PlacedRows:
        """Write the headings of a table; return where its rows are and what is asked of them."""
        table, label = self.form.tables[placed.table], self._label_style()
        columns: dict[str, int] = {}
        for heading in placed.entry:
            target = table.targets.get(heading.key)
            for offset, key in enumerate(target.parts if target else (heading.key,)):
                columns[key] = heading.col + offset
        for text, col, width, up, rows in (*entry_headings(placed, table), *target_headings(placed, table)):
            span = Span(top - up, col, top - up + rows - 1, col + width - 1)
            self.sheet.merge(span, with_year(text, year), label)
        sent = len(project.tables[table.key])
        presets = bool(table.presets) and not sent
        return PlacedRows(table, top + 1, top + count, columns, self.asked.of_table(table, presets=presets), sent)

    def _free_rows(self, placed: Sequence[PlacedRows], first: int, last: int) -> None:
        """Unlock whole rows, also beyond the form, or Excel would not let one be deleted.

        Gnumeric saves 16,384 cells for each such row: slow there, but right everywhere.
        """
        open_row = self.book.format(locked=False)
        taken = {col for one in placed for col in one.columns.values()}
        for r in range(first, last + 1):
            self._height(r, ROW_HEIGHT, open_row)
            for col in range(self.width):
                if col not in taken:
                    self.sheet.write(r, col, None, open_row)

    def _rows(self, placed: PlacedRows, project: Project) -> None:
        table, columns = placed.table, placed.columns
        rows: Sequence[Row] = project.tables[table.key] or table.presets
        styles = {key: self._entry_style(table.columns[key]) for key in columns}
        given_styles = {key: self._entry_style(table.columns[key], locked=True) for key in columns}
        blank: Row = dict.fromkeys(table.columns)
        for number, r in enumerate(range(placed.first, placed.last + 1)):
            self._row(r, placed, rows[number] if number < len(rows) else blank, styles, given_styles)

    def _row(
        self, r: int, placed: PlacedRows, row: Row, styles: Mapping[str, Format], given_styles: Mapping[str, Format]
    ) -> None:
        """Write the values of one row of a table, and make it as high as its texts need."""
        height = self.heights[r]
        for key, col in placed.columns.items():
            column = placed.table.columns[key]
            value = _as_entered(column, row[key])
            given = column.given and value is not None and placed.sent > 0
            self.sheet.write(r, col, value, given_styles[key] if given else styles[key])
            if isinstance(value, str):
                height = max(height, fitting_height(value, self.layout.widths[col], self.size, 0))
        self._height(r, height, self.book.format(locked=False))

    def _entry_style(self, field: Field, locked: bool = False) -> Format:
        kind = FIELD_TYPES[field.type]
        return self.book.format(
            locked=locked,
            num_format=kind.number_format(self.form.money),
            text_wrap=True,
            align="right" if kind.align == "right" else "center",
        )

    def _rules(self, placed: PlacedRows) -> None:
        table, columns, first, last = placed.table, placed.columns, placed.first, placed.last

        def parent_cell(name: str) -> str | None:
            col = next((c for key, c in columns.items() if table.columns[key].choices == name), None)
            return None if col is None else in_row(col)

        for key, col in columns.items():
            self._rule(table.columns[key], Span(first, col, last, col), parent_cell)
            if FIELD_TYPES[table.columns[key].type].entered_as_text:
                self.as_text.append(f"{a1(first, col)}:{a1(last, col)}")

    # --- status ------------------------------------------------------------------------------

    def _status(self, project: Project) -> SheetStatus:
        """Write the status, and below the sheet id the hidden list that it counts."""
        plain = self.book.format(font_color="#FFFFFF")
        parts = self.asked.listed(project, self.places, self.tables)
        for number, (formula, now) in enumerate(parts, 1):
            self.sheet.formula(number, self.id_col, formula, plain, now)
        cells = [absolute(number, self.id_col) for number in range(1, len(parts) + 1)]
        listed, whole = "".join(now for _, now in parts), absolute(len(parts) + 1, self.id_col)
        self.sheet.formula(len(parts) + 1, self.id_col, f'="{HINT}"&{"&".join(cells)}', plain, HINT + listed)
        words, text = words_in(self.lang), status_text(listed, self.lang)
        first_input = a1(*next(iter(self.places.values()))[:2])
        style = self.book.format(bold=True, underline=1, font_size=11, align="left", text_wrap=True)
        formula = status_formula(whole, first_input, self.lang)
        self.sheet.formula(0, self.status_col, formula, style, STATUS + text)
        spot = Span(0, self.status_col, 0, self.status_col)
        for word, colour in ((words.done, "done"), (words.missing, "partial"), (words.wrong, "wrong")):
            tint = self.book.rule_format(bg_color=getattr(self.styles, colour))
            self.sheet.rule(spot, {"type": "text", "criteria": "begins with", "value": STATUS + word, "format": tint})
        return SheetStatus(f"{self.sheet.ref}{absolute(0, self.status_col)}", text, words, first_input)

    def _notes(self, notes: Notes) -> None:
        """Write notes beside the cells of values."""
        rows = {placed.table.key: placed for placed in self.tables}
        for key, text in notes.items():
            placed = rows.get(key.name)
            if not key.in_row:
                row, col = self.places[key.name][:2]
            elif placed is not None and key.column in placed.columns:
                row, col = placed.first + key.row, placed.columns[key.column]
            else:  # a table without entry rows of its own
                continue
            self.sheet.note(row, col, NOTE_SIGNATURE + text)

    # --- around the form ---------------------------------------------------------------------

    def _spare_height(self) -> float:
        """Return how high the rows are that nothing is written in."""
        free = {r for placed in self.tables for r in range(placed.first, placed.last + 1)}
        filled = {r for placed in self.tables for r in range(placed.first, placed.first + placed.filled)}
        return sum(self.heights[r] for r in free - filled)

    def _hint_style(self) -> Format:
        return self.book.format(font_color=self.styles.hint, font_size=10, text_wrap=True, valign="top", locked=False)

    def _furniture(self, sheet_id: SheetId) -> None:
        link = self.book.format(font_color="#0563C1", underline=1, font_size=9)
        self.sheet.link(1, self.status_col, self.cover, HINT + say(BACK, self.lang), link)
        self._reasons()
        self.sheet.write(0, self.id_col, sheet_ids.dumps(sheet_id), self.book.format(font_color="#FFFFFF"))
        self.sheet.raw.set_column(self.id_col, self.id_col, 2, None, {"hidden": True})

    def _reasons(self) -> None:
        """Write the cell in which staff may say why something does not apply, where the head of the form has room."""
        head = min((placed.top for placed in self.layout.tables), default=self.layout.rows)
        last = min(REASONS_ROWS.stop, head) - 1
        if last <= REASONS_ROWS.start:
            return
        label = say(REASONS, self.lang)
        self.sheet.write(REASONS_ROWS.start, self.status_col, label, self._hint_style())
        self._height(REASONS_ROWS.start, max(self.heights[2], fitting_height(label, STATUS_WIDTH, 10, 0)))
        span = Span(REASONS_ROWS.start + 1, self.status_col, last, self.status_col)
        style = self.book.format(
            locked=False, num_format="@", text_wrap=True, valign="top", border=4, bg_color=self.styles.spare
        )
        self.sheet.merge(span, None, style)
        title = clipped(say(REASONS, self.lang).removeprefix(HINT).partition("（")[0].partition(" (")[0], MAX_TITLE)
        options = {"validate": "any", "input_title": title, "input_message": say(REASONS_HELP, self.lang)}
        self.sheet.validate(Span(span.row, span.col, span.row, span.col), options)

    def _view(self) -> None:
        raw = self.sheet.raw
        if self.as_text:
            raw.ignore_errors({"number_stored_as_text": " ".join(self.as_text)})
        raw.protect("", {"insert_rows": True, "delete_rows": True, "format_rows": True, "format_columns": True})
        raw.hide_gridlines(2)
        first = next(iter(self.places.values()))[:2]
        raw.freeze_panes(first[0] + 1, 0)
        raw.set_selection(*first, *first)

    def _height(self, row: int, points: float, style: Format | None = None) -> None:
        self.heights[row] = min(points, MAX_ROW_HEIGHT)
        self.sheet.height(row, points, style)


def _cell_at(row: int, col: int) -> Span:
    return Span(row, col, row, col)


def _as_entered(field: Field, value: Value) -> Value:
    """Return what is written into a cell; some numbers as text, so that =100% and - can be typed over them."""
    kind = FIELD_TYPES[field.type]
    return kind.entered(value) if kind.entered_as_text and isinstance(value, Decimal) else value
