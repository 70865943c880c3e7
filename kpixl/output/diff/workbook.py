"""What differs between two portfolios, as a workbook: a sheet of projects, and one of every value, in colours."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from kpixl.a1 import Span, absolute
from kpixl.collection.sides import Side
from kpixl.disk import Output
from kpixl.forms.definition import Field, Value
from kpixl.forms.types import FIELD_TYPES
from kpixl.forms.values import text_of
from kpixl.keys import Key
from kpixl.output.diff.text import ONLY, label, row_keys, side_text, totals_text
from kpixl.output.workbook import Book, Sheet, sheet_names
from kpixl.portfolio.diff import ChangeKind, Diff, ProjectChange, RowChange, ValueChange, value_text
from kpixl.portfolio.sheet_id import OWN_SHEET
from kpixl.text_fit import fitting_height
from kpixl.texts import Text, say
from kpixl.version import __version__

_FACTS = json.dumps({"kpixl": 1, "kind": "diff"}, separators=(",", ":"))
_TINT, _BORDER, _SIZE = "#DDE6F0", "#8C8C8C", 10.0
_ROW_HEIGHT, _TALLEST = 20.0, 200.0
_MARGINS = {"left": 0.4, "right": 0.4, "top": 0.5, "bottom": 0.6}
_PER_CENT = '+0.00"%";-0.00"%";0.00"%"'
_FOOTER: Text = ("&C第 &P 页，共 &N 页", "&CPage &P of &N")
_COLOURS = {ChangeKind.ADDED: "#D5EEDB", ChangeKind.REMOVED: "#F5C2C7", ChangeKind.CHANGED: "#FFE9B8"}
_OLD_COLOUR, _NEW_COLOUR = "#FBE3E5", "#E6F5EA"

TITLE: Text = ("两个版本的差异", "What differs between two versions")
PROJECTS: Text = ("项目", "Projects")
VALUES: Text = ("改动明细", "Changes")
CHANGED: Text = ("有改动", "changed")
STATE: Text = ("情况", "What happened")
PART: Text = ("位置", "Part of the form")
FIELD: Text = ("填报项", "Field")
DIFFERENCE: Text = ("差额（B－A）", "Difference (B - A)")
PER_CENT: Text = ("变动 %", "Change %")
PLACE: Text = ("{side} 的出处", "Where {side} was typed")
VALUE_COUNT: Text = ("改动的填报项", "Changed fields")
ROW_COUNT: Text = ("改动的行", "Changed rows")
TOTAL: Text = ("合计（全部项目）", "Total of all projects")
NONE: Text = ("两者完全相同。", "Both are equal.")


class _Change(NamedTuple):
    """One line of the sheet of changes."""

    project: ProjectChange
    kind: ChangeKind
    part: str
    value: ValueChange | None
    places: tuple[str, str]


def diff_output(found: Diff, old: Side, new: Side, path: Any, lang: str) -> Output:
    """Make the workbook for `path`; it is still to be written."""
    return Output(path, build_workbook(found, old, new, lang), "diff")


def build_workbook(found: Diff, old: Side, new: Side, lang: str = "zh") -> bytes:
    """Build the workbook. Equal differences give equal bytes."""
    properties = {"kpixl-form": found.form.id, "kpixl-version": __version__}
    book = Book(say(TITLE, lang), properties, font=str(found.form.fonts["body"]), size=_SIZE)
    names = sheet_names((say(PROJECTS, lang), say(VALUES, lang)), [OWN_SHEET])
    writer = _Writer(book, found, old, new, lang)
    writer.projects(book.sheet(names[0]))
    writer.changes(book.sheet(names[1]))
    own = book.sheet(OWN_SHEET)
    own.write(0, 0, _FACTS)
    own.raw.very_hidden()
    return book.finish()


class _Writer:
    """Writes the two sheets; they share their styles."""

    def __init__(self, book: Book, found: Diff, old: Side, new: Side, lang: str) -> None:
        self.book, self.found, self.old, self.new, self.lang = book, found, old, new, lang
        self.form = found.form
        self.strong = str(self.form.fonts["heading"])
        self.header = self.style(font_name=self.strong, bold=True, align="center", text_wrap=True, bg_color=_TINT)
        self.text = self.style(text_wrap=True)
        self.centred = self.style(align="center", text_wrap=True)
        self.percent = self.style(num_format=_PER_CENT, align="right", indent=1)
        self.states = {kind: self.style(align="center", bg_color=colour) for kind, colour in _COLOURS.items()}

    def style(self, **props: Any) -> Any:
        return self.book.format(border=1, border_color=_BORDER, **props)

    def say(self, text: Text, **details: object) -> str:
        return say(text, self.lang, **details)

    def state(self, kind: ChangeKind) -> str:
        return self.say(CHANGED if kind is ChangeKind.CHANGED else ONLY[kind])

    def number_style(self, field: Field, colour: str = "", *, signed: bool = False) -> Any:
        """Return the style of a number of a field; a difference shows its sign."""
        kind = FIELD_TYPES[field.type]
        plain = kind.number_format(self.form.money) if kind.is_amount else "0.##########"
        shown = f"+{plain};-{plain};{plain}" if signed else plain
        return self.style(num_format=shown, align="right", indent=1, **({"bg_color": colour} if colour else {}))

    # --- by project ---------------------------------------------------------------------------

    def projects(self, sheet: Sheet) -> None:
        """Write what is compared, then one row per project that differs, and the total of all projects."""
        amount = self.found.amount
        columns: list[tuple[str, float]] = [
            (self.form.id_field.heading, 10),
            (label(self.form.fields[self.form.key_fields[0]].heading), 34),
            (self.say(STATE), 12 if self.lang == "zh" else 15),
        ]
        if amount is not None:
            heading = label(amount.field.heading)
            columns += [(f"A {heading}", 20), (f"B {heading}", 20), (self.say(DIFFERENCE), 18)]
            columns += [(self.say(PER_CENT), 11)]
        columns += [(self.say(VALUE_COUNT), 11), (self.say(ROW_COUNT), 11)]
        sheet.widths(width for _, width in columns)
        top = self.heading(sheet, [width for _, width in columns])
        self.headings(sheet, top, [text for text, _ in columns])
        row = top
        for row, change in enumerate(self.found.projects, top + 1):
            self.project(sheet, row, change, columns[1][1])
        if amount is not None:
            row += 1
            self.total(sheet, row, amount, len(columns))
        self.set_up(sheet, Span(top, 0, max(top + len(self.found.projects), top + 1), len(columns) - 1), row + 1, 2)

    def heading(self, sheet: Sheet, widths: Sequence[float]) -> int:
        """Write the title and what A and B are; return the row that follows."""
        last = len(widths) - 1
        style = self.book.format(font_name=self.strong, font_size=14, bold=True, align="center")
        sheet.merge(Span(0, 0, 0, last), self.say(TITLE), style)
        sheet.height(0, 32)
        notes = [f"{letter}  {side_text(side, self.lang)}" for letter, side in (("A", self.old), ("B", self.new))]
        notes.append(totals_text(self.found, self.lang) if self.found.projects else self.say(NONE))
        for row, note in enumerate(notes, 1):
            sheet.merge(Span(row, 0, row, last), note, self.book.format(text_wrap=True))
            sheet.height(row, fitting_height(note, sum(widths), _SIZE, 18))
        return len(notes) + 1

    def project(self, sheet: Sheet, row: int, change: ProjectChange, width: float) -> None:
        name = text_of(change.project.values[self.form.key_fields[0]])
        sheet.write(row, 0, change.project.id, self.centred)
        sheet.write(row, 1, name, self.text)
        sheet.write(row, 2, self.state(change.kind), self.states[change.kind])
        col = 3
        if (key := self.form.summary.amount) is not None:
            amounts = [side.values[key] if side else None for side in (change.old, change.new)]
            self.amounts(sheet, row, col, ValueChange(self.form.fields[key], *amounts))
            col += 4
        for count in (len(change.values), len(change.rows)):
            sheet.write(row, col, Decimal(count) if count else None, self.centred)
            col += 1
        sheet.height(row, min(fitting_height(name, width, _SIZE, _ROW_HEIGHT), _TALLEST))

    def amounts(self, sheet: Sheet, row: int, col: int, amount: ValueChange) -> None:
        """Write an amount of both sides, their difference, and that in per cent."""
        changed = amount.old != amount.new
        for number, value, colour in ((col, amount.old, _OLD_COLOUR), (col + 1, amount.new, _NEW_COLOUR)):
            shown = colour if changed and value is not None else ""
            sheet.write(row, number, value, self.number_style(amount.field, shown))
        sheet.write(row, col + 2, amount.difference or None, self.number_style(amount.field, signed=True))
        sheet.write(row, col + 3, amount.percent or None, self.percent)

    def total(self, sheet: Sheet, row: int, amount: ValueChange, columns: int) -> None:
        sheet.merge(Span(row, 0, row, 2), self.say(TOTAL), self.header)
        self.amounts(sheet, row, 3, amount)
        for col in range(7, columns):
            sheet.write(row, col, None, self.header)
        sheet.height(row, _ROW_HEIGHT)

    # --- by value -----------------------------------------------------------------------------

    def changes(self, sheet: Sheet) -> None:
        """Write one row per value that differs, with the cells it was typed in."""
        places = [self.say(PLACE, side=side) for side in "AB"]
        heads = [
            self.form.id_field.heading, label(self.form.fields[self.form.key_fields[0]].heading), self.say(STATE),
            self.say(PART), self.say(FIELD), "A", "B", self.say(DIFFERENCE), self.say(PER_CENT), *places,
        ]  # fmt: skip
        widths = [10.0, 24.0, 12.0 if self.lang == "zh" else 15.0, 28.0, 18.0, 36.0, 36.0, 17.0, 11.0, 24.0, 24.0]
        sheet.widths(widths)
        self.headings(sheet, 0, heads)
        row = 0
        for row, change in enumerate(self.lines(), 1):
            self.change(sheet, row, change, widths)
        self.set_up(sheet, Span(0, 0, max(row, 1), len(heads) - 1), row + 1, 2)

    def lines(self) -> Iterator[_Change]:
        for change in self.found.projects:
            if change.kind is not ChangeKind.CHANGED:
                yield _Change(change, change.kind, "", None, self.places(change, None, None))
            for value in change.values:
                key = Key(value.field.key)
                yield _Change(change, ChangeKind.CHANGED, "", value, self.places(change, key, key))
            for row in change.rows:
                part = f"{row.table.label} {self.number(row)} {row.title}".strip()
                for value in row.values:
                    yield _Change(change, row.kind, part, value, self.places(change, *row_keys(row, value)))

    def number(self, row: RowChange) -> str:
        """Number a row as people count: its place in A and in B, once where that is the same."""
        first, second = ("-" if number is None else str(number + 1) for number in (row.old, row.new))
        return first if first == second else f"{first} → {second}"

    def places(self, change: ProjectChange, old_key: Key | None, new_key: Key | None) -> tuple[str, str]:
        return (
            str(self.old.place(change.old.id, old_key)) if change.old else "",
            str(self.new.place(change.new.id, new_key)) if change.new else "",
        )

    def change(self, sheet: Sheet, row: int, change: _Change, widths: Sequence[float]) -> None:
        name = text_of(change.project.project.values[self.form.key_fields[0]])
        value = change.value
        field = label(value.field.heading or value.field.label) if value else ""
        texts: list[Value] = [change.project.project.id, name, self.state(change.kind), change.part, field]
        styles = [self.centred, self.text, self.states[change.kind], self.text, self.text]
        for col, (text, style) in enumerate(zip(texts, styles, strict=True)):
            sheet.write(row, col, text, style)
        shown = ["", ""]
        if value is not None:
            shown = [value_text(value.field, one) for one in (value.old, value.new)]
            self.value(sheet, row, 5, value.field, value.old, _OLD_COLOUR)
            self.value(sheet, row, 6, value.field, value.new, _NEW_COLOUR)
            sheet.write(row, 7, value.difference, self.number_style(value.field, signed=True))
            sheet.write(row, 8, value.percent, self.percent)
        else:
            for col in range(5, 9):
                sheet.write(row, col, None, self.text)
        for col, place in enumerate(change.places, 9):
            sheet.write(row, col, place, self.text)
        filled = [*map(text_of, texts), *shown, "", "", *change.places]
        heights = [fitting_height(t, w, _SIZE, _ROW_HEIGHT) for t, w in zip(filled, widths, strict=True)]
        sheet.height(row, min(max(heights), _TALLEST))

    def value(self, sheet: Sheet, row: int, col: int, field: Field, value: Value, colour: str) -> None:
        if value is None:
            sheet.write(row, col, None, self.text)
        elif isinstance(value, Decimal):
            sheet.write(row, col, value, self.number_style(field, colour))
        else:
            sheet.write(row, col, value_text(field, value), self.style(text_wrap=True, bg_color=colour))

    # --- shared -------------------------------------------------------------------------------

    def headings(self, sheet: Sheet, row: int, texts: Sequence[str]) -> None:
        for col, text in enumerate(texts):
            sheet.write(row, col, text, self.header)
        sheet.height(row, 32)

    def set_up(self, sheet: Sheet, table: Span, rows: int, frozen: int) -> None:
        """Set filter, frozen header and page: A4 landscape, the header repeated."""
        raw = sheet.raw
        raw.autofilter(*table)
        raw.freeze_panes(table.row + 1, frozen)
        raw.set_landscape()
        raw.set_paper(9)
        raw.fit_to_pages(1, 0)
        raw.repeat_rows(table.row)
        raw.set_margins(**_MARGINS)
        raw.set_footer(self.say(_FOOTER))
        raw.print_area(0, 0, max(rows - 1, table.last_row), table.last_col)
        raw.ignore_errors({"number_stored_as_text": f"A1:{absolute(max(rows, 1), table.last_col).replace('$', '')}"})
