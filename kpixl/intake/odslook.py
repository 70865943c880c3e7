"""The second look at an OpenDocument spreadsheet (.ods): its content says all, and is read as a stream."""

from __future__ import annotations

import re
from collections.abc import Iterable
from xml.parsers import expat

from kpixl.cells import parse_a1
from kpixl.grids import ods
from kpixl.grids.grid import UnreadableError, no_entities
from kpixl.grids.packages import ERRORS, Package
from kpixl.intake.looks import Broken, Look, Place, Seen

CONTENT = "content.xml"
_CHUNK = 1 << 20
_OFFICE = "urn:oasis:names:tc:opendocument:xmlns:office:1.0|"
_TABLE = "urn:oasis:names:tc:opendocument:xmlns:table:1.0|"
_CALC = "urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0|"
_CELLS = (_TABLE + "table-cell", _TABLE + "covered-table-cell")
_VALUES = ("value", "date-value", "time-value", "boolean-value", "string-value")
_ERROR = re.compile(r"#[A-Z0-9/]+[!?]?|(?:Err|错误)[:：]\d{3}")
_YEAR = re.compile(r"\d{4}|\d+\D+\d+\D+\d")
_REFERENCE = re.compile(r"\[\.?([^\]]*)\]")
MAX_SHOWN = 1_000  # characters of a cell's text


class _DoneError(Exception):
    """Every cell that was asked for has been seen."""


def look(package: Package, places: Iterable[Place]) -> Look | None:
    """Look at some cells; None where the content cannot be read."""
    reader = _Reader(places)
    parser = expat.ParserCreate(namespace_separator="|")
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    parser.StartDoctypeDeclHandler = no_entities
    parser.buffer_text = True
    try:
        with package.zip.open(package.names[CONTENT]) as stream:
            while chunk := stream.read(_CHUNK):
                parser.Parse(chunk, False)
            parser.Parse(b"", True)
    except _DoneError:
        pass
    except (expat.ExpatError, UnreadableError, *ERRORS):
        return None
    return Look(reader.cells, reader.broken, reader.from_1904)


class _Reader:
    """Takes the events of the parser; of the cells, only those that were asked for."""

    def __init__(self, places: Iterable[Place]) -> None:
        self.wanted: dict[str, dict[int, dict[int, str]]] = {}  # sheet -> row -> column -> address
        for sheet, address in places:
            row, col = parse_a1(address)
            self.wanted.setdefault(sheet, {}).setdefault(row, {})[col] = address
        self.cells: dict[Place, Seen] = {}
        self.broken: dict[Place, Broken] = {}
        self.from_1904 = False
        self.inner = 0  # tables within tables, and notes
        self.sheet: str | None = None
        self.next_row = self.next_col = 0
        self.here: dict[int, str] = {}  # column -> address, of what is wanted in this row
        self.cell: tuple[list[Place], dict[str, str]] | None = None
        self.shown: list[str] = []

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """Take the beginning of an element."""
        if self.inner or (self.sheet is not None and name == _TABLE + "table") or name == _OFFICE + "annotation":
            self.inner += 1
        elif name == _TABLE + "table":
            self.sheet, self.next_row = attributes.get(_TABLE + "name", ""), 0
        elif name == _TABLE + "table-row":
            first, self.next_row = self.next_row, self.next_row + ods.times(attributes, _TABLE + "number-rows-repeated")
            self.next_col = 0
            wanted = self.wanted.get(self.sheet or "", {})
            self.here = wanted.get(first, {})
            if self.next_row > first + 1:
                inside = [cells for row, cells in wanted.items() if first <= row < self.next_row]
                self.here = {col: address for cells in inside for col, address in cells.items()}
        elif name in _CELLS:
            first = self.next_col
            self.next_col += ods.times(attributes, _TABLE + "number-columns-repeated")
            found = [(self.sheet or "", a) for col, a in self.here.items() if first <= col < self.next_col]
            self.cell, self.shown = (found, attributes) if found else None, []
        elif name == _TABLE + "null-date":
            self.from_1904 = attributes.get(_TABLE + "date-value", "").startswith("1904")

    def text(self, text: str) -> None:
        """Take some text."""
        if self.cell is not None and not self.inner and len(self.shown) < MAX_SHOWN:
            self.shown.append(text)

    def end(self, name: str) -> None:
        """Take the end of an element."""
        if self.inner:
            self.inner -= 1
        elif name == _TABLE + "table":
            self.wanted.pop(self.sheet or "", None)
            self.sheet = None
            if not self.wanted:
                raise _DoneError
        elif name in _CELLS and self.cell is not None:
            for place in self.cell[0]:
                self._see(place, self.cell[1], "".join(self.shown).strip()[:MAX_SHOWN])
            self.cell = None

    def _see(self, place: Place, attributes: dict[str, str], shown: str) -> None:
        formula = attributes.get(_TABLE + "formula")
        typed = None if formula is None else f"={_REFERENCE.sub(_plain, formula.partition('=')[2])}"
        kind = attributes.get(_OFFICE + "value-type")
        yearless = kind == "date" and _YEAR.search(shown) is None
        self.cells[place] = Seen(typed, kind == "percentage" or (kind == "float" and shown.endswith("%")), yearless)
        if attributes.get(_CALC + "value-type") == "error" or (typed is not None and _ERROR.fullmatch(shown)):
            self.broken[place] = Broken(typed or "", shown or "#N/A")
        elif typed is not None and not shown and not any(_OFFICE + value in attributes for value in _VALUES):
            self.broken[place] = Broken(typed, "")


def _plain(reference: re.Match[str]) -> str:
    return reference[1].replace(":.", ":")
