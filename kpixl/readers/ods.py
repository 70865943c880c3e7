"""What an OpenDocument spreadsheet would cost to read, seen before calamine takes memory for it.

Rows and cells say how often they are repeated, and calamine repeats them: 200 bytes can be 17 billion cells. And where
a sheet has no end, neither has calamine: so the whole is parsed, which takes longer than calamine does.
"""

from __future__ import annotations

import re
from xml.parsers import expat

from kpixl.readers import ods_repair
from kpixl.readers.extents import Extent
from kpixl.readers.grid import broken, exceeded, no_entities
from kpixl.readers.limits import Limits
from kpixl.readers.package import OpenedPackage

_CONTENT, _MIMETYPE, _MANIFEST = "content.xml", "mimetype", "META-INF/manifest.xml"
_MIME = b"application/vnd.oasis.opendocument.spreadsheet"  # calamine reads as many bytes
_USUAL = b"<table:table "
_ASIDE = frozenset({"office:annotation", "draw:frame", "draw:custom-shape"})  # their text is not the cell's
_MAX_ROWS, _MAX_COLUMNS = 1_048_576, 16_384  # calamine reads no further
# What calamine looks at, by these very prefixes.
_TABLE, _ROW, _BLANKS = "table:table", "table:table-row", "text:s"
_INDENT = re.compile(rb">\s+(?=</?table:)")
_BREAK = re.compile(rb"<text:(tab|line-break)\b[^>]*>(?:</text:\1>)?")  # calamine passes over both
_CELLS = frozenset({"table:table-cell", "table:covered-table-cell"})
_VALUES = tuple(f"office:{kind}value" for kind in ("", "string-", "date-", "time-", "boolean-"))


def is_ods(package: OpenedPackage) -> bool:
    """Return whether calamine may take a package for an OpenDocument spreadsheet, for want of another kind."""
    return _CONTENT in package.names and not any(name.startswith("xl/workbook.") for name in package.names)


def is_suspect(package: OpenedPackage) -> bool:
    """Return whether any cell may be an error, which reads blank."""
    return is_ods(package) and b'value-type="error"' in package.read(_CONTENT)


def survey(package: OpenedPackage, limits: Limits) -> tuple[list[Extent], bytes]:
    """Return the extent of every sheet, and the package as calamine can read it. Raises UnreadableError.

    A document type, hence every entity, is refused.
    """
    changed: dict[str, bytes] = {}
    if not package.read(_MIMETYPE).startswith(_MIME):
        changed[_MIMETYPE] = _MIME  # written by hand, or by a program that leaves it out
    if _MANIFEST.casefold() not in package.names:
        changed[_MANIFEST] = b"<manifest:manifest/>"
    original = content = package.read(_CONTENT)
    if _USUAL not in content:
        content = ods_repair.mended(content)
    count = _counted(content, limits)
    if count.faulty:
        content = ods_repair.mended(content)
        count = _counted(content, limits)
    content = _without_indents(content)
    if content is not original:
        changed[_CONTENT] = content
    return count.extents, package.changed(changed) if changed else package.content


def _without_indents(content: bytes) -> bytes:
    """Return content as calamine can read it: it takes no white space between tables, rows and cells (Gnumeric), and
    passes over tabs and line breaks within a text."""
    if _INDENT.search(content) is None and _BREAK.search(content) is None:
        return content
    content = _BREAK.sub(lambda match: b"\t" if match[1] == b"tab" else b"\n", content)
    return _INDENT.sub(b">", content)


def _counted(content: bytes, limits: Limits) -> _Count:
    """Count what calamine would make of some content. Raises UnreadableError."""
    count = _Count(limits)
    parser = expat.ParserCreate()
    parser.StartElementHandler = count.start
    parser.EndElementHandler = count.end
    parser.CharacterDataHandler = count.characters
    parser.StartDoctypeDeclHandler = no_entities
    parser.buffer_text = True
    try:
        parser.Parse(content, True)
    except (expat.ExpatError, ValueError, LookupError) as error:
        raise broken(error) from error
    return count


class _Count:
    """Takes the events of the parser and counts what calamine would make of them.

    `faulty`: it would refuse a cell, and with it the file, or pass over what the cell shows.
    """

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.extents: list[Extent] = []
        self.text = 0  # of all cells
        self.faulty = False
        self._table("")

    def _table(self, name: str) -> None:
        self.name = name
        self.rows = self.pending_rows = self.stored = self.right = 0
        self.left = _MAX_COLUMNS
        self._row(1)

    def _row(self, repeats: int) -> None:
        self.repeats = min(repeats, _MAX_ROWS)
        self.width = self.pending = self.first = 0
        self.row_text = 0
        self.cell_repeats = 0  # 0 outside of cells
        self.untyped = self.unread = False  # the cell has no type: text in it would be passed over

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """Take the beginning of an element."""
        if name in _CELLS:
            self._cell(attributes)
        elif name == _ROW:
            self._row(times(attributes, "table:number-rows-repeated"))
        elif name == _TABLE:
            self._table(attributes.get("table:name", ""))
        elif name in _ASIDE:
            self.unread = False
        elif name == _BLANKS:
            self.row_text += self.cell_repeats * times(attributes, "text:c")

    def _cell(self, attributes: dict[str, str]) -> None:
        repeats = self.cell_repeats = min(times(attributes, "table:number-columns-repeated"), _MAX_COLUMNS)
        formula, kind = attributes.get("table:formula", ""), attributes.get("office:value-type", "")
        self.faulty = self.faulty or not ods_repair.is_sound(kind, attributes)
        self.untyped = self.unread = not kind
        typed = next((attributes[key] for key in _VALUES if key in attributes), None)
        if typed is None and not formula and kind != "string":
            self.pending = min(self.pending + repeats, _MAX_COLUMNS)  # empty, or only formatted
            return
        if not self.width:
            self.first = self.pending
        self.width = self.pending = min(self.pending + repeats, _MAX_COLUMNS)
        self.row_text += (len(typed or "") + len(formula)) * repeats

    def characters(self, text: str) -> None:
        """Take text."""
        self.row_text += len(text) * self.cell_repeats
        if self.unread and self.cell_repeats and text.strip():
            self.faulty = True

    def end(self, name: str) -> None:
        """Take the end of an element."""
        if name in _ASIDE:
            self.unread = self.untyped
        elif name in _CELLS:
            self.cell_repeats = 0
        elif name == _ROW:
            self._end_row()
        elif name == _TABLE:
            cells = self.rows * max(0, self.right - self.left)
            self.extents.append(Extent(self.name, max(cells, self.stored), 0))

    def _end_row(self) -> None:
        self.text += self.row_text * self.repeats
        if self.text > self.limits.text_bytes:
            raise exceeded("text_bytes", self.text, self.limits)
        self.stored += self.width  # before rows are repeated, each is kept once, from the first column on
        if not self.width:
            self.pending_rows += self.repeats if self.rows else 0
            return
        self.rows = min(self.rows + self.pending_rows + self.repeats, _MAX_ROWS)
        self.pending_rows = 0
        self.left, self.right = min(self.left, self.first), max(self.right, self.width)


def times(attributes: dict[str, str], key: str) -> int:
    """Return how often a row or cell is repeated."""
    text = attributes.get(key)
    if text is None:
        return 1
    text = text.strip().removeprefix("+")
    return int(text) if text.isdecimal() and len(text) < 20 else 1
