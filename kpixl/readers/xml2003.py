"""XML Spreadsheet 2003: what Excel 2003 and many budget systems write, often under the name .xls."""

from __future__ import annotations

import re
from collections.abc import Container
from datetime import datetime, time
from xml.parsers import expat

from kpixl.a1 import CellRef, Span
from kpixl.forms.values import Raw
from kpixl.readers.annotations import MAX_TEXT, Annotation
from kpixl.readers.grid import Grid, Rows, bounded, broken, no_entities, too_large
from kpixl.readers.limits import Limits

_SS = "urn:schemas-microsoft-com:office:spreadsheet|"
_X = "urn:schemas-microsoft-com:office:excel|"
_MAX_ROW, _MAX_COL = 1_048_576, 16_384


def read_xml(content: bytes, limits: Limits) -> list[Grid]:
    """Read the sheets of a workbook. Raises UnreadableError; a document type, hence every entity, is refused."""
    return _parsed(content, limits).grids


def notes(content: bytes, limits: Limits, sheets: Container[str]) -> list[Annotation]:
    """List the notes on some sheets of a workbook that was read."""
    if b"Comment" not in content and "Comment".encode("utf-16-le") not in content:
        return []
    return [note for note in _parsed(content, limits).notes if note.sheet in sheets and note.text]


def _parsed(content: bytes, limits: Limits) -> _Book:
    book = _Book(limits)
    parser = expat.ParserCreate(namespace_separator="|")
    parser.StartElementHandler = book.start
    parser.EndElementHandler = book.end
    parser.CharacterDataHandler = book.text
    parser.StartDoctypeDeclHandler = no_entities
    parser.buffer_text = True
    try:
        parser.Parse(_utf8(content), True)
    except (expat.ExpatError, ValueError, LookupError) as error:
        raise broken(error) from error
    return book


_DECLARED = re.compile(rb"""(<\?xml[^>]*\sencoding\s*=\s*["'])(?:gb\w*|gb_2312-80|cp936)(["'])""", re.IGNORECASE)


def _utf8(content: bytes) -> bytes:
    """Turn a Chinese encoding into one that expat knows."""
    if _DECLARED.match(content) is None:
        return content
    return _DECLARED.sub(rb"\1utf-8\2", content.decode("gb18030").encode(), count=1)


class _Book:
    """Takes the events of the parser and makes grids of them."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.grids: list[Grid] = []
        self.cells = 0
        self.name: str | None = None
        self.hidden = False
        self.kind: str | None = None  # of the value that is being read
        self.pieces: list[str] = []
        self.visible: list[str] | None = None
        self.notes: list[Annotation] = []
        self.note: list[str] | None = None  # its text is data too, but not that of the cell
        self._begin_table()

    def _begin_table(self) -> None:
        self.here = (-1, -1)
        self.rows: Rows = []
        self.merges: list[Span] = []
        self.row = self.col = -1

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """Take the beginning of an element."""
        if name == _SS + "Worksheet":
            self.name, self.hidden = attributes.get(_SS + "Name"), False
            self._begin_table()
        elif name == _SS + "Row":
            self.row = _place(attributes, self.row + 1, _MAX_ROW)
            self.col = -1
        elif name == _SS + "Cell":
            self._cell(attributes)
        elif name == _SS + "Comment":
            self.note = []
        elif name == _SS + "Data" and self.note is None:
            self.kind, self.pieces = attributes.get(_SS + "Type", "String"), []
        elif name == _X + "Visible":
            self.visible = []

    def _cell(self, attributes: dict[str, str]) -> None:
        self.col = _place(attributes, self.col + 1, _MAX_COL)
        across, down = _count(attributes, "MergeAcross"), _count(attributes, "MergeDown")
        if across or down:
            self._spend(1)
            self.merges.append(Span(self.row, self.col, self.row + down, self.col + across))
        self.here = (self.row, self.col)
        self.col += across

    def end(self, name: str) -> None:
        """Take the end of an element."""
        if name == _SS + "Data" and self.kind is not None:
            self._put(_value(self.kind, "".join(self.pieces)))
            self.kind = None
        elif name == _SS + "Comment" and self.note is not None:
            self.notes.append(Annotation(self.name or "", CellRef(*self.here), "".join(self.note)[:MAX_TEXT], False))
            self.note = None
        elif name == _X + "Visible" and self.visible is not None:
            self.hidden, self.visible = "Hidden" in "".join(self.visible), None
        elif name == _SS + "Worksheet":
            merges, rows = self.merges, self.rows
            self.grids.append(
                Grid(
                    self.name,
                    rows,
                    hidden=self.hidden,
                    merges=lambda: bounded(merges, rows, self.limits),
                    printed=True,
                )
            )

    def text(self, text: str) -> None:
        """Take text."""
        if self.note is not None:
            self.note.append(text)
        elif self.kind is not None:
            self.pieces.append(text)
        elif self.visible is not None:
            self.visible.append(text)

    def _put(self, value: Raw) -> None:
        row, col = self.here
        if row < 0:
            raise broken(("数据不在单元格中", "data stands outside of a cell"))
        self._spend(max(0, row + 1 - len(self.rows)))
        while len(self.rows) <= row:
            self.rows.append([])
        line = self.rows[row]
        self._spend(max(0, col + 1 - len(line)))
        line += [""] * (col + 1 - len(line))
        line[col] = value

    def _spend(self, cells: int) -> None:
        self.cells += cells
        if self.cells > self.limits.table_cells:
            raise too_large(self.cells, self.limits, "table_cells")


def _place(attributes: dict[str, str], following: int, limit: int) -> int:
    """Return the place that an element names, counted from 0, else the one that follows."""
    text = attributes.get(_SS + "Index")
    place = int(text) - 1 if text is not None else following
    if not 0 <= place < limit:
        raise broken(("单元格位置超出范围", "a cell is out of range"))
    return place


def _count(attributes: dict[str, str], key: str) -> int:
    return max(0, min(int(attributes.get(_SS + key, "0")), _MAX_ROW))


def _value(kind: str, text: str) -> Raw:
    """Read a value of a type; one that is not of its type stays text."""
    try:
        if kind == "Number":
            return float(text)
        if kind == "Boolean":
            return text.strip() == "1"
        if kind == "DateTime":
            moment = datetime.fromisoformat(text.strip())
            if moment.year == 1899:
                return moment.time()
            return moment.date() if moment.time() == time() else moment
    except ValueError:
        return text
    return text
