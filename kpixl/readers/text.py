"""Text: comma- or tab-separated cells, and the text of a published PDF."""

from __future__ import annotations

import codecs
import csv
import io
import re

from kpixl.forms.values import Raw
from kpixl.readers.grid import Grid, Rows, UnreadableError, broken, too_large
from kpixl.readers.limits import Limits

# A rule in place of a page break in the text of a PDF: cells of nothing but dashes.
_RULE = re.compile(r"(?=.*--)[-—=|\s]*+")
_LINE_END = re.compile(r"\r\n|[\r\n\f]")  # no other: a cell may hold U+2028, or U+000B, Word's break within one
_TOO_LONG = ("有一格的内容过长，或引号不成对", "a cell is too long, or its quotes do not match")
_SEPARATOR = re.compile(r"sep=(.)\r?\n", re.IGNORECASE)  # a first line that Excel obeys and does not show
_KEPT_AS_TEXT = re.compile(r'="((?:[^"]|"")*)"')  # ="007", as lists are written for Excel
_NEEDS_QUOTES = frozenset('\n\t,"')


def read_text(content: bytes, file: str, limits: Limits) -> list[Grid]:
    """Read text as one grid. Raises UnreadableError where it is no text, or blank."""
    text = decode(content)
    if text is None:
        raise broken(("内容既不是工作簿，也不是文本", "it is neither a workbook nor text"))
    if not text.strip():
        raise UnreadableError("no-sheets")
    _check_cells(text, file, limits)
    if (separator := _SEPARATOR.match(text)) is not None:
        return [Grid(None, _csv(text[separator.end() :], separator[1], limits), printed=True)]
    if (delimiter := _delimiter(text, file)) is not None:
        return [Grid(None, _csv(text, delimiter, limits), printed=True)]
    if (rows := _quoted(text, limits)) is not None:
        return [Grid(None, rows, printed=True)]
    rows = []
    for line in _LINE_END.split(text.removesuffix("\n").removesuffix("\r")):
        cells: list[Raw] = [] if _RULE.fullmatch(line) else [_cell(c) for c in line.split("\t", limits.columns)]
        rows.append(cells)
    return [Grid(None, rows, printed=True)]


def _cell(text: str) -> str:
    text = text.strip(" ").replace("\v", "\n")
    kept = _KEPT_AS_TEXT.fullmatch(text) if text.startswith("=") else None
    return text if kept is None else kept[1].replace('""', '"')


def _check_cells(text: str, file: str, limits: Limits) -> None:
    """Raise UnreadableError if a text has too many cells: one ends with each line and with each separator."""
    separator = _SEPARATOR.match(text)
    delimiter = separator[1] if separator else _delimiter(text, file) or "\t"
    lines = sum(map(text.count, "\n\r\f")) - text.count("\r\n") + 1
    if (cells := lines + text.count(delimiter)) > limits.table_cells:
        raise too_large(cells, limits, "table_cells")


def decode(content: bytes) -> str | None:
    """Decode text: UTF-8, UTF-16 with its mark (Excel's "Unicode text"), else GB 18030; None where it is no text."""
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        encodings = ["utf-16"]
    else:
        encodings = ["utf-8-sig"] if b"\0" in content else ["utf-8-sig", "gb18030"]
    for encoding in encodings:
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        return None if any(c < " " and c not in "\t\r\n\f\v" for c in text[:10_000]) else text
    return None


def _delimiter(text: str, file: str) -> str | None:
    """Return what separates the cells of a text without a single tab, or of a .csv file; None for other text.

    The name is asked only what the content leaves open: a text with both tabs and commas.
    """
    if not file.casefold().endswith(".csv") and "\t" in text:
        return None
    lines = text.lstrip()[:10_000].splitlines()
    found = {mark: sum(mark in line for line in lines) for mark in (",", "\t", ";")}  # one text may hold many commas
    best = max(found, key=lambda mark: found[mark])
    return best if found[best] else None


def _csv(text: str, delimiter: str, limits: Limits, strict: bool = False) -> Rows:
    try:
        lines = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=strict))
    except csv.Error as error:
        raise broken(_TOO_LONG) from error
    # What is beyond the last column that is looked at stays together in it, to be reported and not lost.
    columns = limits.columns
    kept = [[*line[:columns], *filter(None, [delimiter.join(line[columns:])])] for line in lines]
    return [[_cell(cell) for cell in line] for line in kept]


def _quoted(text: str, limits: Limits) -> Rows | None:
    """Read tab-separated text as Excel writes it: quotes around what needs them; None where they were just typed."""
    if '\t"' not in text and '\n"' not in text and not text.startswith('"'):
        return None
    try:
        rows = _csv(text, "\t", limits, strict=True)
    except UnreadableError:
        return None
    quoted = any(isinstance(cell, str) and not _NEEDS_QUOTES.isdisjoint(cell) for row in rows for cell in row)
    return rows if quoted else None
