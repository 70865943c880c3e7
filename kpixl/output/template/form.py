"""One project's sheet of the template: the official look, with dropdowns, rules, status and sheet id."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
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
from kpixl.output.template.lists import list_formula
from kpixl.output.template.page import set_page
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
EXAMPLE: Text = ("例如“{example}”。", "For example {example}.")
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
CHOOSE: Text = ("请从下拉列表中选择。", "Choose from the list.")
CHOOSE_OR_TYPE: Text = ("可从下拉列表选择，也可直接填写其他内容。", "Choose from the list, or type something else.")
CHOOSE_PARENT: Text = ("请先选好“{parent}”，再从下拉列表中选择。", "Choose {parent} first, then from the list.")
NOT_LISTED: Text = ("内容不在列表中", "Not in the list")
NOT_LISTED_TEXT: Text = ("请从下拉列表中选择一项。", "Please choose an item of the list.")
UNUSUAL_TEXT: Text = (
    "内容不在常用列表中，确认无误可以使用。",
    "This is not in the usual list; keep it if it is right.",
)


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
            self._look(formula, span, self.book.rule_format(bg_color=self.styles.missing, border=1))

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
        options = {"validate": "any", "input_title": _title(field), "input_message": say(words, self.lang)}
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

    # --- rules for what may be typed ---------------------------------------------------------

    def _rule(
        self, field: Field, span: Span, parent_cell: Callable[[str], str | None], message: str | None = None
    ) -> None:
        """Check what is typed and show what may be, or `message` in its place."""
        options = self._options(field, parent_cell)
        if options is not None:
            options["input_message"] = message or options.get("input_message", "")
            options["input_title"] = _title(field)
            need = "" if field.computation else say(REQUIRED if self._is_needed(field) else OPTIONAL, self.lang)
            options["input_message"] = _clip(need + options["input_message"], 255)
            self.sheet.validate(span, options)

    def _is_needed(self, field: Field) -> bool:
        return field.required or field.key in self.needed

    def _options(self, field: Field, parent_cell: Callable[[str], str | None]) -> dict[str, Any] | None:
        help_text = f"{field.help}\n" if field.help else ""
        rule = FIELD_TYPES[field.type].rule(self.form.money, self.lang)
        if rule is not None:
            return {**rule, "input_message": help_text + rule["input_message"]}
        if field.choices is not None:
            return self._list_options(field, help_text, parent_cell)
        return {"validate": "any", "input_message": field.help} if field.help else None

    def _list_options(self, field: Field, help_text: str, parent_cell: Callable[[str], str | None]) -> dict[str, Any]:
        assert field.choices is not None
        lang, choices = self.lang, self.form.choices[field.choices]
        above = parent_cell(choices.parent) if choices.parent else None
        free = FIELD_TYPES[field.type].free_text
        if free or choices.open:
            message = say(CHOOSE_OR_TYPE, lang)
        elif above is not None:
            parent = next((f.label for f in self._fields() if f.choices == choices.parent), "")
            message = say(CHOOSE_PARENT, lang, parent=parent)
        else:
            message = say(CHOOSE, lang)
        if not (free or above):
            message += say(EXAMPLE, lang, example=next(iter(choices.items), ""))
        return {
            "validate": "list",
            "source": list_formula(choices, above),
            "input_message": help_text + message,
            "error_title": say(NOT_LISTED, lang),
            "error_message": say(UNUSUAL_TEXT if choices.open else NOT_LISTED_TEXT, lang),
            "error_type": "information" if choices.open else "stop",
            # Suggestions only: the note is shown when the cell is chosen, a box at every name would be a nuisance.
            "show_error": not free,
        }

    def _fields(self) -> Iterator[Field]:
        yield from self.form.fields.values()
        for table in self.form.tables.values():
            yield from table.columns.values()

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
            self._looks(one)
            self.tables.append(one)
        if group[0].caption:
            self._caption_look(placed)
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
        table, columns, open_row = placed.table, placed.columns, self.book.format(locked=False)
        rows: Sequence[Row] = project.tables[table.key] or table.presets
        styles = {key: self._entry_style(table.columns[key]) for key in columns}
        given_styles = {key: self._entry_style(table.columns[key], locked=True) for key in columns}
        for number, r in enumerate(range(placed.first, placed.last + 1)):
            row = rows[number] if number < len(rows) else None
            height = self.heights[r]
            for key, col in columns.items():
                column = table.columns[key]
                value = _as_entered(column, row[key] if row is not None else None)
                given = column.given and value is not None and placed.sent > 0
                self.sheet.write(r, col, value, given_styles[key] if given else styles[key])
                if isinstance(value, str):
                    height = max(height, fitting_height(value, self.layout.widths[col], self.size, 0))
            self._height(r, height, open_row)

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

    def _looks(self, placed: PlacedRows) -> None:
        """Give used rows borders and tint, dim repeated levels, show what is missing and which row comes next.

        Other empty rows have no look of their own: on paper they are nothing.
        """
        table, columns, first, last = placed.table, placed.columns, placed.first, placed.last
        left, right = min(columns.values()), max(columns.values())
        used = f"LEN({'&'.join(in_row(c) for c in range(left, right + 1))})>0"
        book = self.book
        # Each format is complete: LibreOffice applies only the first that matches.
        missing = book.rule_format(bg_color=self.styles.missing, border=1)
        begun = placed.asked.begun.formula(lambda key: in_row(columns[key]))
        for key, formula in self.asked.row_tints(placed).items():
            self._look(formula, Span(first, columns[key], last, columns[key]), missing)
        given = book.rule_format(bg_color=self.styles.label, border=1)
        for key, col in columns.items() if placed.sent else ():
            if table.columns[key].given:
                sent = f'=({in_row(col)}<>"")*(SUM(ROW())<={first + placed.sent})'
                self._look(sent, Span(first, col, last, col), given)
        levels = [columns[key] for key, field in table.columns.items() if field.fill and key in columns]
        dimmed = book.rule_format(font_color=self.styles.quiet, bg_color=self.styles.input, border=1)
        for number, col in enumerate(levels):
            same = [f"{in_row(c)}={in_row(c, -1)}" for c in levels[: number + 1]]
            # Levels that were set beforehand are not dim before somebody goes on with their row.
            formula = f'=({in_row(col)}<>"")*({")*(".join(same)})*{begun}>0'
            self._look(formula, Span(first, col, last, col), dimmed)
        self._optional_looks(placed, used)
        tinted = book.rule_format(bg_color=self.styles.input, border=1)
        self._look(f"={used}", Span(first, left, last, right), tinted)
        above = f"LEN({'&'.join(in_row(c, -1) for c in range(left, right + 1))})>0"
        free = book.rule_format(bg_color=self.styles.spare, border=4, border_color=self.styles.quiet)
        self._look(f"={above}", Span(first, left, last, right), free)

    def _optional_looks(self, placed: PlacedRows, used: str) -> None:
        """Tint what may stay blank in used rows as it is elsewhere: optional columns, and tables nobody has begun."""
        table, columns, first, last = placed.table, placed.columns, placed.first, placed.last
        style = self.book.rule_format(bg_color=self.styles.spare, border=1)
        if not table.required:
            begun = placed.asked.begun.formula(lambda key: in_row(columns[key]))
            self._look(
                f"=({used})*(1-{begun})>0", Span(first, min(columns.values()), last, max(columns.values())), style
            )
        parts = {part for target in table.targets.values() for part in target.parts}
        for key, col in columns.items():
            # Operator and unit may stay blank beside a text only; the status asks for them beside a number.
            if not table.columns[key].required and key not in parts:
                self._look(f"={used}", Span(first, col, last, col), style)

    def _caption_look(self, placed: Sequence[PlacedRows]) -> None:
        """Draw the caption's cells beside the used rows of the tables, with a line below the last."""
        columns = [col for one in placed for col in one.columns.values()]
        used, below = (
            f"LEN({'&'.join(in_row(c, row) for c in range(min(columns), max(columns) + 1))})" for row in (0, 1)
        )
        side = self.book.rule_format(bg_color=self.styles.label, left=1, right=1)
        foot = self.book.rule_format(bg_color=self.styles.label, left=1, right=1, bottom=1)
        span = Span(placed[0].first, 0, placed[0].last, 0)
        self._look(f"=AND({used}>0,{below}=0)", span, foot)
        self._look(f"={used}>0", span, side)

    def _look(self, formula: str, span: Span, style: Format) -> None:
        self.sheet.rule(span, {"type": "formula", "criteria": formula, "format": style})

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
        title = _clip(say(REASONS, self.lang).removeprefix(HINT).partition("（")[0].partition(" (")[0], 32)
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


def _title(field: Field) -> str:
    return _clip(field.heading, 32)


def _clip(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _as_entered(field: Field, value: Value) -> Value:
    """Return what is written into a cell; some numbers as text, so that =100% and - can be typed over them."""
    kind = FIELD_TYPES[field.type]
    return kind.entered(value) if kind.entered_as_text and isinstance(value, Decimal) else value
