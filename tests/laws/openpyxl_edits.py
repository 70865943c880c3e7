"""Apply a sequence of edits with openpyxl, as scripts do: it moves cells, not merges, rules or formulas."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
from openpyxl.cell.cell import MergedCell
from openpyxl.cell.rich_text import CellRichText, TextBlock
from openpyxl.cell.text import InlineFont
from openpyxl.comments import Comment
from openpyxl.styles import Font
from openpyxl.utils import range_boundaries
from openpyxl.workbook.workbook import Workbook
from openpyxl.worksheet.worksheet import Worksheet

Edit = dict[str, Any]


def apply(source: Path, target: Path, edits: list[Edit], other: Path) -> list[str]:
    """Edit a workbook and save it; return the edits that could not be made. `other`: a template to transplant into."""
    book = openpyxl.load_workbook(source, rich_text=True)
    failed = []
    for edit in edits:
        try:
            book = _one(book, edit, other) or book
        except (ValueError, KeyError, IndexError, TypeError, AttributeError) as error:
            failed.append(f"{edit['do']}: {error!r}")
    book.save(target)
    return failed


def _one(book: Workbook, edit: Edit, other: Path) -> Workbook | None:
    sheet = book.worksheets[edit["sheet"] % len(book.worksheets)]
    do = edit["do"]
    if do == "alone":
        blank = openpyxl.Workbook()
        return _copied(sheet, blank, blank.worksheets[0])
    if do == "transplant":
        into = openpyxl.load_workbook(other, rich_text=True)
        return _copied(sheet, into, into.create_sheet(edit["name"]))
    if do in _SHEETS:
        _SHEETS[do](book, sheet, edit)
    else:
        _CELLS[do](sheet, edit)
    return None


# --- sheets -------------------------------------------------------------------------------------


def _copy_sheet(book: Workbook, sheet: Worksheet, edit: Edit) -> None:
    book.copy_worksheet(sheet).title = edit["name"]


def _rename(_book: Workbook, sheet: Worksheet, edit: Edit) -> None:
    sheet.title = edit["name"]


def _reorder(book: Workbook, sheet: Worksheet, edit: Edit) -> None:
    book.move_sheet(sheet, edit["to"] - book.sheetnames.index(sheet.title))


def _hide_sheet(_book: Workbook, sheet: Worksheet, _edit: Edit) -> None:
    sheet.sheet_state = "hidden"


def _delete_sheet(book: Workbook, sheet: Worksheet, _edit: Edit) -> None:
    book.remove(sheet)
    if all(other.sheet_state != "visible" for other in book.worksheets):
        book.worksheets[0].sheet_state = "visible"


_SHEETS: dict[str, Callable[[Workbook, Worksheet, Edit], None]] = {
    "copy_sheet": _copy_sheet, "rename": _rename, "reorder": _reorder, "hide_sheet": _hide_sheet,
    "delete_sheet": _delete_sheet,
}  # fmt: skip


def _copied(sheet: Worksheet, book: Workbook, new: Worksheet) -> Workbook:
    """Copy the values of a sheet into a sheet of another workbook."""
    for row in sheet.iter_rows():
        for cell in row:
            if cell.value is not None and not isinstance(cell, MergedCell):
                new.cell(cell.row, cell.column, cell.value).number_format = cell.number_format
    for merged in sheet.merged_cells.ranges:
        new.merge_cells(merged.coord)
    return book


# --- cells --------------------------------------------------------------------------------------


def _cell(sheet: Worksheet, edit: Edit) -> Any:
    return sheet[edit["cell"]]  # that of a merge cannot be written: a TypeError, as its users get


def _type(sheet: Worksheet, edit: Edit) -> None:
    cell, value = _cell(sheet, edit), edit["value"]
    cell.value = f"={value}" if edit["kind"] == "formula" else value
    if edit["kind"] == "text" and str(value).startswith("="):
        cell.data_type = "s"
    if "format" in edit:
        cell.number_format = edit["format"]


def _append(sheet: Worksheet, edit: Edit) -> None:
    cell = _cell(sheet, edit)
    cell.value = f"{cell.value or ''}{edit['value']}"


def _rich(sheet: Worksheet, edit: Edit) -> None:
    def font(run: Edit) -> InlineFont:
        return InlineFont(strike=run.get("strike"), vertAlign="superscript" if run.get("raised") else None)

    _cell(sheet, edit).value = CellRichText(*(TextBlock(font(run), run["text"]) for run in edit["runs"]))


def _strike(sheet: Worksheet, edit: Edit) -> None:
    _cell(sheet, edit).font = Font(strike=True)


def _comment(sheet: Worksheet, edit: Edit) -> None:
    _cell(sheet, edit).comment = Comment(edit["text"], "审核人")


def _places(where: str) -> list[tuple[int, int]]:
    low, top, high, bottom = (int(bound or 0) for bound in range_boundaries(where))
    return [(row, col) for row in range(top, bottom + 1) for col in range(low, high + 1)]


def _set(sheet: Worksheet, row: int, col: int, value: Any) -> None:
    cell = sheet.cell(row, col)
    if not isinstance(cell, MergedCell):
        cell.value = value


def _clear(sheet: Worksheet, edit: Edit) -> None:
    for row, col in _places(edit["range"]):
        _set(sheet, row, col, None)


def _sort(sheet: Worksheet, edit: Edit) -> None:
    low, top, high, bottom = (int(bound or 0) for bound in range_boundaries(edit["range"]))
    rows = [[sheet.cell(r, c).value for c in range(low, high + 1)] for r in range(top, bottom + 1)]
    by = edit["by"] - low
    filled = [row for row in rows if row[by] is not None]
    filled.sort(key=lambda row: str(row[by]), reverse=edit["descending"])
    ordered = [*filled, *(row for row in rows if row[by] is None)]
    for r, row in enumerate(ordered, top):
        for c, value in enumerate(row, low):
            _set(sheet, r, c, value)


def _copy(sheet: Worksheet, edit: Edit) -> None:
    taken = [(row, col, sheet.cell(row, col).value) for row, col in _places(edit["range"])]
    for row, col, value in taken:
        if row + edit["down"] > 0 and col + edit["right"] > 0:
            _set(sheet, row + edit["down"], col + edit["right"], value)


def _move(sheet: Worksheet, edit: Edit) -> None:
    if int(range_boundaries(edit["range"])[1] or 0) + edit["down"] < 1:
        raise ValueError("above the first row")  # openpyxl would write merged ranges of row 0
    sheet.move_range(edit["range"], edit["down"], edit["right"])


def _unmerge(sheet: Worksheet, edit: Edit) -> None:
    for merged in _touched(sheet, edit["range"]):
        sheet.unmerge_cells(merged.coord)


def _hide_rows(sheet: Worksheet, edit: Edit) -> None:
    for row in range(edit["at"], edit["at"] + edit["count"]):
        sheet.row_dimensions[row].hidden = True


def _hide_columns(sheet: Worksheet, edit: Edit) -> None:
    sheet.column_dimensions[openpyxl.utils.get_column_letter(edit["at"])].hidden = True


_CELLS: dict[str, Callable[[Worksheet, Edit], None]] = {
    "type": _type, "append": _append, "rich": _rich, "strike": _strike, "comment": _comment, "clear": _clear,
    "sort": _sort, "copy": _copy, "hide_rows": _hide_rows, "hide_columns": _hide_columns,
    "move": _move,
    "merge": lambda sheet, edit: sheet.merge_cells(edit["range"]),
    "unmerge": _unmerge,
    "insert_rows": lambda sheet, edit: sheet.insert_rows(edit["at"], edit["count"]),
    "delete_rows": lambda sheet, edit: sheet.delete_rows(edit["at"], edit["count"]),
    "insert_columns": lambda sheet, edit: sheet.insert_cols(edit["at"], edit["count"]),
    "delete_columns": lambda sheet, edit: sheet.delete_cols(edit["at"], edit["count"]),
}  # fmt: skip


def _touched(sheet: Worksheet, where: str) -> list[Any]:
    low, top, high, bottom = (int(bound or 0) for bound in range_boundaries(where))
    return [m for m in sheet.merged_cells.ranges
            if m.min_row <= bottom and m.max_row >= top and m.min_col <= high and m.max_col >= low]  # fmt: skip
