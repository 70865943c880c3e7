"""How the rows of a table look on a template's sheet: what is tinted, dimmed or framed as rows are filled in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from kpixl.a1 import Span
from kpixl.output.template.status import Asked, PlacedRows, in_row
from kpixl.output.workbook import Sheet

if TYPE_CHECKING:
    from xlsxwriter.format import Format

    from kpixl.output.template import SheetStyles


def write_row_looks(sheet: Sheet, styles: SheetStyles, asked: Asked, placed: PlacedRows) -> None:
    """Give used rows borders and tint, dim repeated levels, show what is missing and which row comes next.

    Other empty rows have no look of their own: on paper they are nothing.
    """
    table, columns, first, last = placed.table, placed.columns, placed.first, placed.last
    left, right = min(columns.values()), max(columns.values())
    used = f"LEN({'&'.join(in_row(c) for c in range(left, right + 1))})>0"
    # Each format is complete: LibreOffice applies only the first that matches.
    missing = sheet.book.rule_format(bg_color=styles.missing, border=1)
    begun = placed.asked.begun.formula(lambda key: in_row(columns[key]))
    for key, formula in asked.row_tints(placed).items():
        look(sheet, formula, Span(first, columns[key], last, columns[key]), missing)
    given = sheet.book.rule_format(bg_color=styles.label, border=1)
    for key, col in columns.items() if placed.sent else ():
        if table.columns[key].given:
            sent = f'=({in_row(col)}<>"")*(SUM(ROW())<={first + placed.sent})'
            look(sheet, sent, Span(first, col, last, col), given)
    levels = [columns[key] for key, field in table.columns.items() if field.fill and key in columns]
    dimmed = sheet.book.rule_format(font_color=styles.quiet, bg_color=styles.input, border=1)
    for number, col in enumerate(levels):
        same = [f"{in_row(c)}={in_row(c, -1)}" for c in levels[: number + 1]]
        # Levels that were set beforehand are not dim before somebody goes on with their row.
        formula = f'=({in_row(col)}<>"")*({")*(".join(same)})*{begun}>0'
        look(sheet, formula, Span(first, col, last, col), dimmed)
    _optional_looks(sheet, styles, placed, used)
    tinted = sheet.book.rule_format(bg_color=styles.input, border=1)
    look(sheet, f"={used}", Span(first, left, last, right), tinted)
    above = f"LEN({'&'.join(in_row(c, -1) for c in range(left, right + 1))})>0"
    free = sheet.book.rule_format(bg_color=styles.spare, border=4, border_color=styles.quiet)
    look(sheet, f"={above}", Span(first, left, last, right), free)


def _optional_looks(sheet: Sheet, styles: SheetStyles, placed: PlacedRows, used: str) -> None:
    """Tint what may stay blank in used rows as it is elsewhere: optional columns, and tables nobody has begun."""
    table, columns, first, last = placed.table, placed.columns, placed.first, placed.last
    style = sheet.book.rule_format(bg_color=styles.spare, border=1)
    if not table.required:
        begun = placed.asked.begun.formula(lambda key: in_row(columns[key]))
        whole = Span(first, min(columns.values()), last, max(columns.values()))
        look(sheet, f"=({used})*(1-{begun})>0", whole, style)
    parts = {part for target in table.targets.values() for part in target.parts}
    for key, col in columns.items():
        # Operator and unit may stay blank beside a text only; the status asks for them beside a number.
        if not table.columns[key].required and key not in parts:
            look(sheet, f"={used}", Span(first, col, last, col), style)


def write_caption_look(sheet: Sheet, styles: SheetStyles, placed: Sequence[PlacedRows]) -> None:
    """Draw the caption's cells beside the used rows of the tables, with a line below the last."""
    columns = [col for one in placed for col in one.columns.values()]
    used, below = (
        f"LEN({'&'.join(in_row(c, row) for c in range(min(columns), max(columns) + 1))})" for row in (0, 1)
    )
    side = sheet.book.rule_format(bg_color=styles.label, left=1, right=1)
    foot = sheet.book.rule_format(bg_color=styles.label, left=1, right=1, bottom=1)
    span = Span(placed[0].first, 0, placed[0].last, 0)
    look(sheet, f"=AND({used}>0,{below}=0)", span, foot)
    look(sheet, f"={used}>0", span, side)


def look(sheet: Sheet, formula: str, span: Span, style: Format) -> None:
    """Give cells a format where a formula is true."""
    sheet.rule(span, {"type": "formula", "criteria": formula, "format": style})
