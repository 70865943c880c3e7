"""Checked XlsxWriter: the only module that imports it.

XlsxWriter warns and returns a code where Excel would complain (design 4.12); here that raises. Text is never
taken for a formula, a link or a number. Equal calls give equal bytes: the creation date is fixed.
"""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from xml.sax.saxutils import escape

import xlsxwriter
import xlsxwriter.packager
from xlsxwriter.format import Format
from xlsxwriter.packager import Packager
from xlsxwriter.styles import Styles, XFormatType
from xlsxwriter.worksheet import Worksheet

from kpixl.a1 import Span, column_name, quoted
from kpixl.forms.definition import Value
from kpixl.forms.values import EXCEL_EPOCH, FLOAT_DIGITS, fits_float, number_text, text_of, utf16_length
from kpixl.text_fit import MAX_ROW_HEIGHT

CREATED = datetime(2000, 1, 1)
DAYS_TO_1904 = 1462  # between the first days of Excel's two calendars; the later one comes from the Mac
MAX_SHEET_NAME = 31
_FORBIDDEN_IN_SHEET_NAME = re.compile(r"[\[\]:*?/\\\x00-\x1f']")
_FUNCTION = re.compile(r"[A-Za-z0-9_.]\(")  # what XlsxWriter takes for the name of a function
_WIDE = str.maketrans("()", "（）")

_NOT_IN_ATTRIBUTE = re.compile(r"[\x00-\x1f<>]")

_PLAIN_CELLS = frozenset({"String", "Number", "Datetime", "Blank"})  # of XlsxWriter's kinds of cells

Props = Mapping[str, Any]


# What XlsxWriter raises itself; for callers who pass on what somebody else made.
Refusal = xlsxwriter.exceptions.XlsxWriterException


class SheetError(Exception):
    """A call that Excel would not take: a mistake in kpixl, not of its user."""


def sheet_names(texts: Iterable[str], taken: Iterable[str] = ()) -> list[str]:
    """Turn texts into sheet names: 31 characters, no forbidden ones, no two alike whatever the case.

    Apostrophes are forbidden too, although Excel allows them inside a name: too many programs misquote them. Round
    brackets become full-width: some programs take `SORT(` in a quoted name for a function.
    """
    names: list[str] = []
    used = {name.casefold() for name in taken} | {"history"}  # Excel keeps "History" for itself
    for text in texts:
        base = _clip(" ".join(_FORBIDDEN_IN_SHEET_NAME.sub(" ", text).translate(_WIDE).split()) or "_", MAX_SHEET_NAME)
        name, number = base, 1
        while name.casefold() in used:
            number += 1
            name = f"{_clip(base, MAX_SHEET_NAME - 6)}（{number}）"
        used.add(name.casefold())
        names.append(name)
    return names


def usable_sheet_name(name: str) -> bool:
    """Return whether a sheet can keep a name that another program gave it."""
    if _FORBIDDEN_IN_SHEET_NAME.search(name) or not 0 < utf16_length(name) <= MAX_SHEET_NAME:
        return False
    return _FUNCTION.search(name) is None


def _clip(text: str, limit: int) -> str:
    """Cut to `limit` UTF-16 units, as Excel counts."""
    while len(text.encode("utf-16-le")) > 2 * limit:
        text = text[:-1]
    return text.rstrip()


class _Worksheet(Worksheet):  # type: ignore[misc]  # XlsxWriter has no types
    """A worksheet that takes a formula as it is written.

    XlsxWriter searches every formula for some 150 names of newer functions, to put Excel's own prefix before them:
    half of the time a template takes. Ours use none of these, and in those carried over the prefix is there already.
    Cells are written as XlsxWriter writes them, which makes a list of their attributes first.
    """

    def _prepare_formula(self, formula: str, expand_future_functions: bool = False) -> str:  # noqa: ARG002
        return formula.removeprefix("=")

    def _write_cell(self, row: int, col: int, cell: Any) -> None:
        """Write a cell; those that are nearly all, formatted texts, numbers and blanks, in a third of the time."""
        kind, style = type(cell).__name__, cell.format
        if not style or kind not in _PLAIN_CELLS:
            super()._write_cell(row, col, cell)
            return
        start = f'<c r="{column_name(col)}{row + 1}" s="{style._get_xf_index()}"'
        if kind == "String":
            self.fh.write(f'{start} t="s"><v>{cell.string}</v></c>')
        else:
            self.fh.write(f"{start}/>" if kind == "Blank" else f"{start}><v>{cell.number:.16G}</v></c>")


class _Styles(Styles):  # type: ignore[misc]
    """Styles with names, which XlsxWriter does not know: every format with a name is derived from the first of it."""

    def _write_cell_style_xfs(self) -> None:
        first: dict[str, Format] = {}
        for xf in self.xf_formats:
            if (name := getattr(xf, "style_name", None)) is not None:
                first.setdefault(name, xf)
        self.named = first
        before = 2 if self.has_hyperlink else 1
        numbers = {name: number for number, name in enumerate(first, before)}
        for xf in self.xf_formats:
            if (name := getattr(xf, "style_name", None)) is not None:
                xf.xf_id = numbers[name]
        self._xml_start_tag("cellStyleXfs", [("count", before + len(first))])
        self._write_xf(self.xf_formats[0], XFormatType.STYLE)
        if self.has_hyperlink:
            self._write_style_xf(True, self.hyperlink_font_id)
        for xf in first.values():
            self._write_xf(xf, XFormatType.STYLE)
        self._xml_end_tag("cellStyleXfs")

    def _write_cell_styles(self) -> None:
        before = 2 if self.has_hyperlink else 1
        self._xml_start_tag("cellStyles", [("count", before + len(self.named))])
        if self.has_hyperlink:
            self._write_cell_style("Hyperlink", 1, 8)
        self._write_cell_style()
        for number, name in enumerate(self.named, before):
            self._xml_empty_tag("cellStyle", [("name", name), ("xfId", number)])
        self._xml_end_tag("cellStyles")


class _Packager(Packager):  # type: ignore[misc]
    """Writes the parts of a workbook; the class of the styles is the module's own there."""

    def _write_styles_file(self) -> None:
        known = xlsxwriter.packager.Styles
        xlsxwriter.packager.Styles = _Styles
        try:
            super()._write_styles_file()
        finally:
            xlsxwriter.packager.Styles = known


class _Workbook(xlsxwriter.Workbook):  # type: ignore[misc]
    """A workbook whose formats may have the names of styles."""

    def _get_packager(self) -> Packager:
        return _Packager()


class Book:
    """A workbook in memory; `finish` returns its bytes."""

    def __init__(
        self,
        title: str,
        properties: Mapping[str, str],
        *,
        font: str = "宋体",
        size: float = 10,
        date_1904: bool = False,
    ) -> None:
        self._buffer = io.BytesIO()
        self.date_offset = DAYS_TO_1904 if date_1904 else 0
        self.raw = _Workbook(
            self._buffer,
            {
                "in_memory": True,
                "strings_to_formulas": False,
                "strings_to_urls": False,
                "strings_to_numbers": False,
                "default_date_format": "yyyy-mm-dd",
                "date_1904": date_1904,
            },
        )
        self.raw.set_properties({"title": title, "author": "kpixl", "created": CREATED})
        for name, value in properties.items():
            self.raw.set_custom_property(name, value, "text")
        self.raw.set_calc_mode("auto")
        self._base: dict[str, Any] = {"font_name": font, "font_size": size, "valign": "vcenter"}
        self._formats: dict[tuple[tuple[str, Any], ...], Format] = {}
        self._rule_formats: dict[tuple[tuple[str, Any], ...], Format] = {}
        self.sheets: list[Sheet] = []

    def format(self, style: str | None = None, /, **props: Any) -> Format:
        """Return the format with these XlsxWriter properties on top of the book's font; equal ones are shared.

        `style`: the named style that people find it under in Excel; it looks like the first format made with it.
        """
        key = (("", style), *sorted(props.items()))
        known = self._formats.get(key)
        if known is None:
            known = self._formats[key] = self.raw.add_format({**self._base, **props})
            if style is not None:
                known.style_name = style
        return known

    def rule_format(self, **props: Any) -> Format:
        """Return a format for a conditional format: only what it changes; equal ones are shared."""
        key = tuple(sorted(props.items()))
        known = self._rule_formats.get(key)
        if known is None:
            known = self._rule_formats[key] = self.raw.add_format(props)
        return known

    def sheet(self, name: str) -> Sheet:
        """Add a worksheet; `name` must already be valid (see sheet_names)."""
        try:
            sheet = Sheet(self, self.raw.add_worksheet(name, _Worksheet))
        except xlsxwriter.exceptions.XlsxWriterException as error:
            raise SheetError(str(error)) from error
        self.sheets.append(sheet)
        return sheet

    def define(self, name: str, formula: str) -> None:
        """Define a name for `formula`, given with its leading =."""
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            if self.raw.define_name(name, formula):
                raise SheetError(f"not a name: {name}")

    def chart(self, options: Props) -> Any:
        """Add a chart; insert it with Sheet.insert_chart."""
        chart = self.raw.add_chart(options)
        if chart is None:
            raise SheetError(f"no such chart: {options}")
        return chart

    def finish(self) -> bytes:
        """Close the workbook and return its bytes."""
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            self.raw.close()
        return self._buffer.getvalue()


class Sheet:
    """A worksheet whose every write is checked. `raw` is XlsxWriter's own, for set-up calls that return nothing."""

    def __init__(self, book: Book, raw: Worksheet) -> None:
        self.book = book
        self.raw = raw
        self.name: str = raw.get_name()
        self._record: list[tuple[int, int, str]] | None = None

    def record(self) -> list[tuple[int, int, str]]:
        """Begin to keep what is written, but no formulas; returns the growing list of (row, column, text)."""
        self._record = []
        return self._record

    @property
    def ref(self) -> str:
        """Return the quoted name with its !, to put before an address in a formula."""
        return quoted(self.name) + "!"

    def write(self, row: int, col: int, value: Value, style: Format | None = None) -> None:
        """Write a value as what it is: text, number, date or blank. A number Excel cannot keep is written as text."""
        if self._record is not None and value not in (None, ""):
            self._record.append((row, col, text_of(value)))
        if isinstance(value, str):
            code = self.raw._write_string(row, col, _typed(value), style) if value else self._blank(row, col, style)
        elif value is None:
            code = self._blank(row, col, style)
        elif isinstance(value, Decimal):
            if fits_float(value):
                code = self.raw._write_number(row, col, float(value), style)
            else:
                code = self.raw._write_string(row, col, number_text(value), style)
        else:
            code = self._date(row, col, value, style)
        if code:
            raise SheetError(f"{self.name} {row},{col}: write returned {code}")

    def write_row(self, row: int, values: Sequence[Value], styles: Sequence[Format | None]) -> None:
        """Write values side by side from the first column, as `write` does, at the speed of XlsxWriter itself."""
        text, number = self.raw._write_string, self.raw._write_number
        for col, value in enumerate(values):
            if type(value) is str and value:
                code = text(row, col, _typed(value), styles[col])
            elif type(value) is Decimal and len(str(value)) <= FLOAT_DIGITS:
                code = number(row, col, float(value), styles[col])
            else:
                self.write(row, col, value, styles[col])
                continue
            if code:
                raise SheetError(f"{self.name} {row},{col}: write returned {code}")

    def merge_free(self, span: Span, value: Value, style: Format) -> None:
        """Merge a rectangle that no other merge of the caller touches; without XlsxWriter's slow look at every cell."""
        if not span.single:
            self.raw.merge.append([*span])
            blank = self.raw._write_blank
            for row in range(span.row, span.last_row + 1):
                for col in range(span.col, span.last_col + 1):
                    if blank(row, col, "", style):
                        raise SheetError(f"{self.name} {row},{col}: cannot be merged")
        self.write(span.row, span.col, value, style)

    def _blank(self, row: int, col: int, style: Format | None) -> int:
        return int(self.raw._write_blank(row, col, "", style) or 0) if style is not None else 0

    def _date(self, row: int, col: int, value: date, style: Format | None) -> int:
        if value.year < first_year(self.book.date_offset):
            return int(self.raw._write_string(row, col, value.isoformat(), style))
        return int(self.raw._write_datetime(row, col, value, style))

    def number(self, row: int, col: int, value: float, style: Format | None = None) -> None:
        """Write a plain number."""
        if self._record is not None:
            self._record.append((row, col, text_of(value)))
        _ok(self.raw.write_number(row, col, value, style))

    def formula(
        self, row: int, col: int, formula: str, style: Format | None, cached: float | Decimal | str | None
    ) -> None:
        """Write a formula with the value it has now; None and "" are shown as blank."""
        value: float | str = "" if cached is None else cached if isinstance(cached, str) else float(cached)
        _ok(self.raw.write_formula(row, col, formula, style, value))

    def link(self, row: int, col: int, sheet: str, text: str, style: Format | None = None, cell: str = "A1") -> None:
        """Write a link to a cell of another sheet."""
        # XlsxWriter unquotes on %; the name is quoted for Excel.
        url = f"internal:{quoted(sheet)}!{cell}"
        # The text also becomes an attribute, where XlsxWriter escapes no control characters.
        plain = _NOT_IN_ATTRIBUTE.sub(" ", text)
        _ok(self.raw.write_url(row, col, url, style, plain))
        if plain != text or _typed(text) != text:  # nor is a text that XlsxWriter changes written by write_url
            self.write(row, col, text, style)
        elif self._record is not None:
            self._record.append((row, col, text))

    def note(self, row: int, col: int, text: str) -> None:
        """Put a note beside a cell, as people call a comment; it is not shown until the cell is pointed at."""
        _ok(self.raw.write_comment(row, col, text, {"author": "kpixl", "width": 240, "height": 60}))

    def merge(self, span: Span, value: Value, style: Format) -> None:
        """Merge a rectangle and write into it; a single cell is written plainly."""
        if span.single:
            self.write(span.row, span.col, value, style)
            return
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            _ok(self.raw.merge_range(*span, "", style))
        self.write(span.row, span.col, value, style)

    def merge_formula(self, span: Span, formula: str, style: Format, cached: float | Decimal | str | None) -> None:
        """Merge a rectangle and write a formula into it."""
        self.merge(span, None, style)
        self.formula(span.row, span.col, formula, style, cached)

    def validate(self, span: Span, options: Props) -> None:
        """Add a data validation, with XlsxWriter's options."""
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            _ok(self.raw.data_validation(*span, dict(options)))

    def rule(self, span: Span, options: Props) -> None:
        """Add a conditional format, with XlsxWriter's options."""
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            _ok(self.raw.conditional_format(*span, dict(options)))

    def height(self, row: int, points: float, style: Format | None = None, **options: Any) -> None:
        """Set a row's height, at most what Excel takes."""
        _ok(self.raw.set_row(row, min(points, MAX_ROW_HEIGHT), style, options or None))

    def widths(self, widths: Iterable[float], first: int = 0) -> None:
        """Set the widths of successive columns."""
        for col, width in enumerate(widths, first):
            _ok(self.raw.set_column(col, col, width))

    def insert_chart(self, row: int, col: int, chart: Any, options: Props) -> None:
        """Put a chart on the sheet."""
        _ok(self.raw.insert_chart(row, col, chart, dict(options)))


# XlsxWriter escapes _xHHHH_ in a text, but not where one begins with the last _ of another.
_OVERLAP = re.compile("(?<=_x[0-9a-fA-F]{4})(?=_x[0-9a-fA-F]{4}_)")


def _typed(text: str) -> str:
    """Mark text as text: XlsxWriter takes what is between <r> and </r> for rich text of its own making."""
    if text.startswith("<r>") or "_x" in text:
        runs = _OVERLAP.split(text)
        if len(runs) > 1 or text.endswith("</r>"):
            return "".join(f'<r><t xml:space="preserve">{escape(run)}</t></r>' for run in runs)
    return text


def _ok(code: object) -> None:
    if isinstance(code, int) and code < 0:
        raise SheetError(f"XlsxWriter returned {code}")


# --- dates --------------------------------------------------------------------------------------


def first_year(offset: int) -> int:
    """Return the first year whose dates Excel holds as such; 1900 has a day too many there."""
    return 1905 if offset else 1901


def serial(value: date, offset: int) -> int:
    """Return the number by which Excel holds a date, `offset` days after the calendar of 1900 began."""
    return (value - EXCEL_EPOCH).days - offset


def date_of(number: int, offset: int) -> str:
    """Return the date that Excel holds by a number, as text."""
    return (EXCEL_EPOCH + timedelta(days=number + offset)).isoformat()
