"""Tables as CSV: UTF-8 with BOM, so that Excel reads Chinese, and no text that Excel would run as a formula."""

from __future__ import annotations

import csv
import io

from kpixl.output.export.tables import Cell, ColumnKind, ExportTable, cell_text

# Excel and LibreOffice run what begins with one of these; the last two let the rest of a cell begin anew.
_DANGEROUS = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")
BOM = b"\xef\xbb\xbf"


def csv_bytes(table: ExportTable) -> bytes:
    """Write a table as CSV (RFC 4180)."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\r\n")
    writer.writerow([column.name for column in table.columns])
    kinds = [column.kind for column in table.columns]
    writer.writerows([_cell(cell, kind) for cell, kind in zip(row, kinds, strict=True)] for row in table.rows)
    return BOM + stream.getvalue().encode("utf-8", "surrogatepass")


def _cell(cell: Cell, kind: ColumnKind) -> str:
    return guarded(cell) if kind is ColumnKind.TEXT and isinstance(cell, str) else cell_text(cell)


def guarded(text: str) -> str:
    """Put an apostrophe before a text that a spreadsheet would run; `unguarded` takes it away again.

    A text that begins with apostrophes before such a character gets one more, so that no two texts become the same.
    """
    return f"'{text}" if _would_run(text) else text


def unguarded(text: str) -> str:
    """Return the text that `guarded` was given."""
    return text[1:] if text.startswith("'") and _would_run(text) else text


def _would_run(text: str) -> bool:
    """Return whether a text without its apostrophes is a formula; an operator alone, as in indicators, is none."""
    rest = text.lstrip("'")
    return len(rest) > 1 and rest.startswith(_DANGEROUS)
