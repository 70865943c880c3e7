"""Read from an old summary what a person put into it, so that the new one can hold it again.

The only module on this path that imports openpyxl. What openpyxl raises on broken files is caught by its concrete
classes; then the old file is kept as a copy and the work goes on.
"""

from __future__ import annotations

import io
import re
import warnings
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from itertools import product
from typing import Any

import openpyxl
from openpyxl.cell.rich_text import CellRichText, TextBlock
from openpyxl.styles.colors import COLOR_INDEX
from openpyxl.utils.datetime import to_excel
from openpyxl.utils.exceptions import InvalidFileException
from openpyxl.worksheet.formula import ArrayFormula, DataTableFormula

from kpixl.carry.model import (
    Carried,
    CarriedCell,
    CarriedLink,
    CarriedRule,
    CarriedSheet,
    Content,
    Format,
)
from kpixl.carry.page import columns_of, comments_of, page_of, rows_of, view_of
from kpixl.carry.parts import TOO_LARGE, BrokenPackage, Package, SheetPart
from kpixl.carry.rules import EXTERNAL, condition, spans_of, table, validation
from kpixl.carry.styles import FONT_PROPERTIES, Styles
from kpixl.cells import Span, a1, quoted, span_from, span_size
from kpixl.sheets import MAX_SHEET_NAME, sheet_names
from kpixl.texts import Text
from kpixl.values import MAX_CELL_TEXT, utf16_length

MAX_CELLS = 1_000_000
MAX_ARRAY = 100_000
_FORBIDDEN_NAME = re.compile(r"[\[\]:*?/\\]|^'|'$")
_ERROR = re.compile(r"#[A-Z0-9/]+[!?]?")
_TABLE_NAME = re.compile(r"([\w.]+)\[")
_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")
# The errors of both XML parsers that openpyxl may use, expat and lxml, are SyntaxErrors.
_BROKEN = (
    KeyError, ValueError, TypeError, IndexError, AttributeError, OverflowError, EOFError, OSError, RecursionError,
    AssertionError, NotImplementedError, MemoryError, zlib.error, zipfile.BadZipFile, InvalidFileException, SyntaxError,
)  # fmt: skip

UNREADABLE: Text = ("无法读取的工作表", "sheets that cannot be read")
_LOST: Mapping[str, Text] = {
    "condition": ("部分条件格式", "some conditional formats"),
    "validation": ("部分数据有效性", "some data validations"),
    "table": ("表格（ListObject）的定义", "the definition of a table"),
    "gradient": ("渐变填充", "gradient fills"),
    "external": ("引用其他文件的公式（保留现值）", "formulas over other files (their values are kept)"),
    "data-table": ("模拟运算表", "a data table (what-if)"),
    "password": ("工作表保护密码", "the password of the sheet's protection"),
    "filter": ("部分筛选条件", "some filter criteria"),
    "print": ("部分打印设置", "some print settings"),
    "long": ("超过 32767 个字符的文字", "text of more than 32,767 characters"),
    "merge": ("重叠的合并单元格", "merges that overlap"),
    "names": ("部分名称", "some defined names"),
}


def read_foreign(
    package: Package, wanted: Sequence[SheetPart], renames: Mapping[str, str], taken: Sequence[str]
) -> Carried:
    """Read the sheets `wanted` of a workbook.

    `renames` maps our sheets' names there to those they will have, for the formulas that refer to them; `taken`
    are the names of the new workbook's own sheets.
    """
    lost: list[tuple[str, Text]] = []
    readable: list[SheetPart] = []
    for part in wanted:
        if part.worksheet and package.too_large(part):
            lost.append((part.name, TOO_LARGE))
        elif part.worksheet:
            readable.append(part)
    names = sheet_names_kept([part.name for part in readable], taken)
    moved = {part.name: name for part, name in zip(readable, names, strict=True) if part.name != name}
    try:
        books = _load(package.reduced([part.path for part in readable]))
        reader = _BookReader(package, *books, {**renames, **moved})
        sheets = []
        for part, name in zip(readable, names, strict=True):
            if part.name not in books[0].sheetnames:
                lost.append((part.name, UNREADABLE))
                continue
            sheet, kinds = reader.read(part)
            sheets.append(replace(sheet, name=name))
            lost += [(part.name, _LOST[kind]) for kind in kinds]
        defined, complete = reader.names()
        if not complete:
            lost.append(("", _LOST["names"]))
    except (*_BROKEN, BrokenPackage):
        return Carried(lost=(*lost, ("", UNREADABLE)))
    return Carried(tuple(sheets), defined, tuple(lost))


def sheet_names_kept(names: Sequence[str], taken: Sequence[str]) -> list[str]:
    """Keep sheet names as far as Excel and our own sheets allow."""
    kept: list[str] = []
    for name in names:
        used = [*taken, *kept]
        fine = 0 < utf16_length(name) <= MAX_SHEET_NAME and not _FORBIDDEN_NAME.search(name)
        known = name.casefold() in {n.casefold() for n in used}
        kept.append(name if fine and not known else sheet_names([name], used)[0])
    return kept


def _load(content: bytes) -> tuple[Any, Any]:
    """Load the workbook twice: formulas and rich text, and the values that formulas had."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        formulas = openpyxl.load_workbook(io.BytesIO(content), rich_text=True, keep_links=False)
        values = openpyxl.load_workbook(io.BytesIO(content), data_only=True, keep_links=False)
    return formulas, values


class _BookReader:
    def __init__(self, package: Package, book: Any, values: Any, renames: Mapping[str, str]) -> None:
        self._package, self._book, self._values = package, book, values
        palette = getattr(book, "_colors", None) or COLOR_INDEX
        self._styles = Styles(book.loaded_theme, [str(c) for c in palette])
        self._renames = _renaming(renames)
        self._tables: dict[str, tuple[CarriedRule, ...]] = {}
        self._lost_tables: set[str] = set()
        self._read_tables()

    def read(self, part: SheetPart) -> tuple[CarriedSheet, list[str]]:
        """Read one sheet; also returns the kinds of things on it that are not carried."""
        sheet, values = self._book[part.name], self._values[part.name]
        lost: list[str] = []
        if len(sheet._cells) > MAX_CELLS:
            raise OverflowError(part.name)
        tables, conditions = self._tables[part.name], self._conditions(sheet, lost)
        if len(tables) < len(sheet.tables):
            lost.append("table")
        reader = _CellReader(self._styles, self._formula, self._lost_tables, self._dynamic(part))
        cells, gone = reader.read(sheet, values)
        view, view_lost = view_of(sheet, self._styles)
        page, page_lost = page_of(sheet)
        lost += [*gone, *view_lost, *page_lost]
        carried = CarriedSheet(
            name=part.name,
            cells=tuple(cells),
            merges=_merges(sheet, tables, lost),
            links=tuple(_links(sheet, self._formula)),
            comments=tuple(comments_of(sheet)),
            columns=tuple(columns_of(sheet, self._styles)),
            rows=tuple(rows_of(sheet, self._styles)),
            validations=self._validations(sheet, lost),
            conditions=conditions,
            tables=tables,
            page=page,
            view=view,
            names=tuple(self._sheet_names(sheet, lost)),
        )
        return carried, list(dict.fromkeys(lost))

    def names(self) -> tuple[tuple[tuple[str, str], ...], bool]:
        """List the names of the whole workbook that are not ours, and tell whether all could be kept."""
        kept: list[tuple[str, str]] = []
        complete = True
        for name, defined in sorted(self._book.defined_names.items()):
            if name.startswith(("kpixl.", "_xlnm.", "_xlfn", "_xlpm")):
                continue
            if (formula := self._name_formula(defined)) is None:
                complete = complete and "#REF!" in str(defined.attr_text)
            else:
                kept.append((name, formula))
        return tuple(kept), complete

    def _name_formula(self, defined: Any) -> str | None:
        text = str(defined.attr_text or "")
        if not text or EXTERNAL.search(text) or "#REF!" in text or defined.hidden:
            return None
        return "=" + self._formula(text)

    def _sheet_names(self, sheet: Any, lost: list[str]) -> Iterator[tuple[str, str]]:
        for name, defined in sorted(sheet.defined_names.items()):
            if name.startswith("_xlnm."):
                continue
            if (formula := self._name_formula(defined)) is not None:
                yield name, formula
            else:
                lost.append("names")

    def _formula(self, text: str) -> str:
        renamed: str = self._renames(text)
        return renamed

    def _dynamic(self, part: SheetPart) -> set[str]:
        """List the cells whose array formulas spill."""
        if "xl/metadata.xml" not in self._package.sizes:
            return set()
        content = self._package.read(part.path)
        cells = re.findall(rb'<c\b(?=[^>]*\bcm="\d+")[^>]*\br="([A-Z]+\d+)"', content)
        return {cell.decode() for cell in cells}

    def _validations(self, sheet: Any, lost: list[str]) -> tuple[CarriedRule, ...]:
        found = [validation(rule) for rule in sheet.data_validations.dataValidation]
        if None in found:
            lost.append("validation")
        return tuple(self._renamed(rule) for rule in found if rule is not None)

    def _conditions(self, sheet: Any, lost: list[str]) -> tuple[CarriedRule, ...]:
        rules = [
            (rule.priority or 0, spans_of(area.cells.ranges), rule)
            for area in sheet.conditional_formatting
            for rule in area.rules
        ]
        rules.sort(key=lambda item: item[0])
        found = [condition(rule, spans, self._styles) for _, spans, rule in rules]
        if None in found:
            lost.append("condition")
        return tuple(self._renamed(rule) for rule in found if rule is not None)

    def _renamed(self, rule: CarriedRule) -> CarriedRule:
        options = {
            k: self._formula(v) if k in ("value", "minimum", "maximum", "criteria") and isinstance(v, str) else v
            for k, v in rule.options.items()
        }
        return replace(rule, options=options)

    def _read_tables(self) -> None:
        """Read the tables of all sheets, since formulas anywhere may name them."""
        taken: set[str] = set()
        for sheet in self._book.worksheets:
            found: list[CarriedRule] = []
            for one in sheet.tables.values():
                rule, name = table(one), str(one.displayName).casefold()
                if rule is None or name in taken or any(_meet(rule.spans[0], r.spans[0]) for r in found):
                    self._lost_tables.add(name)
                else:
                    taken.add(name)
                    found.append(rule)
            self._tables[sheet.title] = tuple(found)
        self._lost_tables -= taken


def _renaming(renames: Mapping[str, str]) -> Any:
    """Return a function that puts new sheet names into a formula."""
    spellings: dict[str, str] = {}
    for old, new in renames.items():
        if old != new:
            spellings |= {f"{quoted(old)}!": f"{quoted(new)}!", f"{old}!": f"{quoted(new)}!"}
    if not spellings:
        return lambda text: text
    # A text in quotes is left alone; so is a name that only ends like the old one.
    pattern = re.compile(
        '"[^"]*"|(?<![\\w.\'!])(?:' + "|".join(sorted(map(re.escape, spellings), key=len, reverse=True)) + ")"
    )
    return lambda text: pattern.sub(lambda m: spellings.get(m[0], m[0]), text)


# --- cells ------------------------------------------------------------------------------------


class _CellReader:
    def __init__(self, styles: Styles, formula: Any, lost_tables: set[str], dynamic: set[str]) -> None:
        self._styles, self._rename, self._dynamic = styles, formula, dynamic
        self._lost_tables = lost_tables
        self._lost: list[str] = []

    def read(self, sheet: Any, values: Any) -> tuple[list[CarriedCell], list[str]]:
        """Read all cells, by row and column, and the kinds of things that are not carried."""
        cells = []
        for (row, col), cell in sorted(sheet._cells.items()):
            style = self._styles.format(cell)
            if cell.has_style and cell.fill.tagname == "gradientFill":
                self._lost.append("gradient")
            value = getattr(cell, "value", None)
            if value is not None or cell.has_style:
                cached = values._cells.get((row, col))
                cells.append(self._cell(row - 1, col - 1, value, style, cached))
        return cells, self._lost

    def _cell(self, row: int, col: int, value: Any, style: Format, cached: Any) -> CarriedCell:
        if isinstance(value, CellRichText):
            return self._rich_cell(row, col, value, style)
        if isinstance(value, ArrayFormula | DataTableFormula) or _is_formula(value, cached):
            return self._formula(row, col, value, style, _plain(getattr(cached, "value", None), self._text))
        if getattr(cached, "data_type", "") == "e" and _ERROR.fullmatch(str(value)):
            return CarriedCell(row, col, value, style, formula=f"={value}")
        return CarriedCell(row, col, _plain(value, self._text), style)

    def _rich_cell(self, row: int, col: int, value: CellRichText, style: Format) -> CarriedCell:
        plain = tuple(pair for pair in style if pair[0] in FONT_PROPERTIES)
        runs, text = self._rich(value, plain), self._text(str(value))
        if len(runs) > 1:
            return CarriedCell(row, col, text, style, rich=runs)
        font = dict(runs[0][0] or ()) if runs else {}
        return CarriedCell(row, col, text, tuple(sorted((dict(style) | font).items())))

    def _formula(self, row: int, col: int, value: Any, style: Format, cached: Content) -> CarriedCell:
        if isinstance(value, DataTableFormula):
            self._lost.append("data-table")
            return CarriedCell(row, col, cached, style)
        text = str(value.text if isinstance(value, ArrayFormula) else value)
        text = text if text.startswith("=") else f"={text}"
        gone = any(name.casefold() in self._lost_tables for name in _TABLE_NAME.findall(text))
        if EXTERNAL.search(text) or gone:
            self._lost.append("table" if gone else "external")
            return CarriedCell(row, col, cached, style)
        formula = self._rename(text)
        if not isinstance(value, ArrayFormula):
            return CarriedCell(row, col, cached, style, formula)
        array = span_from(str(value.ref))
        if array is None or (array.row, array.col) != (row, col) or span_size(array) > MAX_ARRAY:
            array = Span(row, col, row, col)
        return CarriedCell(row, col, cached, style, formula, array, a1(row, col) in self._dynamic)

    def _rich(self, value: CellRichText, plain: Format) -> tuple[tuple[Format | None, str], ...]:
        """Return the runs of a rich text; neighbours without a format of their own are one run."""
        runs: list[tuple[Format | None, str]] = []
        for run in value:
            text = self._text(str(run))
            style = tuple(sorted(self._styles.font(run.font).items())) if isinstance(run, TextBlock) else None
            if not text:
                continue
            # XlsxWriter gives its own font to a run without one, unless it is the first.
            style = plain if style is None and runs else style
            if runs and runs[-1][0] == style:
                runs[-1] = (style, runs[-1][1] + text)
            else:
                runs.append((style, text))
        return tuple(runs)

    def _text(self, text: str) -> str:
        """Undo the escapes of the file format, which openpyxl leaves in and XlsxWriter would escape again."""
        if "_x" in text:
            text = _ESCAPED.sub(lambda m: chr(int(m[1], 16)), text)
        if len(text) * 2 > MAX_CELL_TEXT and utf16_length(text) > MAX_CELL_TEXT:
            self._lost.append("long")
            text = text[: MAX_CELL_TEXT // 2]
        return text


def _is_formula(value: Any, cached: Any) -> bool:
    # Text that merely begins with = reads the same in both workbooks.
    return isinstance(value, str) and value[:1] == "=" and len(value) > 1 and (cached is None or cached.value != value)


def _plain(value: Any, text: Any) -> Content:
    """Turn a cell's value into what XlsxWriter writes; dates become serial numbers of the 1900 system."""
    if isinstance(value, bool | float) or value is None:
        return value
    if isinstance(value, int):
        return float(value)
    if isinstance(value, datetime | date | time | timedelta):
        return float(to_excel(value))  # type: ignore[no-untyped-call]
    result: str = text(str(value))
    return result


# --- what lies around the cells ---------------------------------------------------------------


def _merges(sheet: Any, tables: Sequence[CarriedRule], lost: list[str]) -> tuple[Span, ...]:
    """List the merges; of two that overlap, which Excel would call damage, only the first is kept."""
    taken: set[tuple[int, int]] = set()
    kept: list[Span] = []
    for span in spans_of(sheet.merged_cells.ranges):
        cells = set(_cells_of(span))
        if taken & cells or any(_meet(span, rule.spans[0]) for rule in tables):
            lost.append("merge")
        elif not span.single:
            taken |= cells
            kept.append(span)
    return tuple(kept)


def _meet(one: Span, other: Span) -> bool:
    rows = one.row <= other.last_row and other.row <= one.last_row
    return rows and one.col <= other.last_col and other.col <= one.last_col


def _cells_of(span: Span) -> Iterator[tuple[int, int]]:
    return product(range(span.row, span.last_row + 1), range(span.col, span.last_col + 1))


def _links(sheet: Any, rename: Any) -> Iterator[CarriedLink]:
    for (row, col), cell in sorted(sheet._cells.items()):
        link = getattr(cell, "hyperlink", None)
        if link is None:
            continue
        target, _, anchor = (link.target or "").partition("#")
        place = rename(link.location or anchor)
        if re.match(r"(https?|ftps?|mailto):", target):
            url = target + (f"#{place}" if place else "")
        elif target:
            url = f"external:{target.removeprefix('file:///')}" + (f"#{place}" if place else "")
        else:
            url = f"internal:{place}" if place else ""
        if url:
            yield CarriedLink(row - 1, col - 1, url, link.tooltip)
