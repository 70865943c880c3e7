"""The hidden sheet of a template: the lists behind its dropdowns, and once more who the workbook is (design 4.3, 4.4).

A list is a defined name over a column, `kpixl.<list>`; a list that depends on another has one name per parent item,
`kpixl.<list>.<number of the item in its parent list>`, found by INDIRECT and MATCH. No label becomes a name.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from kpixl.a1 import Span, area
from kpixl.forms.definition import Choices, Form
from kpixl.output.workbook import Book, Sheet
from kpixl.portfolio.own_texts import own_sheet_id
from kpixl.portfolio.sheet_id import OWN_SHEET

FIRST_LIST_COLUMN = 3


def write_lists(
    book: Book, form: Form, facts: Mapping[str, object], placed: Iterable[tuple[str, str]], used: Iterable[str]
) -> Sheet:
    """Add the hidden sheet: `facts` of the workbook, the names of its sheets with their sheet ids, the `used` lists."""
    sheet = book.sheet(OWN_SHEET)
    written = sheet.record()
    for row, (name, sheet_id) in enumerate(placed, 1):
        sheet.write(row, 0, name, book.format())
        sheet.write(row, 1, sheet_id, book.format())
    col = FIRST_LIST_COLUMN
    for name in _closure(form.choices, used):
        choices = form.choices[name]
        col = _column(book, sheet, col, f"kpixl.{name}", tuple(choices.items))
        if choices.parent is not None:
            for number, item in enumerate(form.choices[choices.parent].items, 1):
                col = _column(book, sheet, col, f"kpixl.{name}.{number}", choices.children.get(item, ()))
    sheet.write(0, 0, own_sheet_id(facts, written), book.format())
    sheet.raw.protect()
    sheet.raw.hide()
    return sheet


def _closure(choices: Mapping[str, Choices], used: Iterable[str]) -> list[str]:
    """List the used lists and those they depend on, each once."""
    order: dict[str, None] = {}
    for name in used:
        above: str | None = name
        while above is not None:
            order[above] = None
            above = choices[above].parent
    return sorted(order)


def _column(book: Book, sheet: Sheet, col: int, name: str, items: tuple[str, ...]) -> int:
    locked = book.format()
    sheet.write(0, col, name, locked)
    for row, item in enumerate(items, 1):
        sheet.write(row, col, item, locked)
    book.define(name, f"={sheet.ref}{area(Span(1, col, max(1, len(items)), col))}")
    return col + 1


def list_formula(choices: Choices, parent_cell: str | None) -> str:
    """Return the source of a dropdown; `parent_cell` holds the item that it depends on."""
    if choices.parent is None or parent_cell is None:
        return f"=kpixl.{choices.name}"
    return f'=INDIRECT("kpixl.{choices.name}."&MATCH({parent_cell},kpixl.{choices.parent},0))'
