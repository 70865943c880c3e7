"""Inspects an OpenDocument spreadsheet (.ods): its content has all, and is read as a stream."""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Decimal
from typing import NamedTuple
from xml.parsers import expat

from kpixl.a1 import CellRef
from kpixl.forms.values import to_decimal
from kpixl.readers import ods
from kpixl.readers.grid import UnreadableError, no_entities
from kpixl.readers.number_formats import Display
from kpixl.readers.package import ERRORS, OpenedPackage
from kpixl.recognise.inspected import Broken, Inspected, Look, Place, Run
from kpixl.recognise.inspected import is_marked as any_marked

CONTENT = "content.xml"
_CHUNK = 1 << 20
_OFFICE = "urn:oasis:names:tc:opendocument:xmlns:office:1.0|"
_TABLE = "urn:oasis:names:tc:opendocument:xmlns:table:1.0|"
_CALC = "urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0|"
_CELLS = (_TABLE + "table-cell", _TABLE + "covered-table-cell")
_STYLE = "urn:oasis:names:tc:opendocument:xmlns:style:1.0|"
_TEXT = "urn:oasis:names:tc:opendocument:xmlns:text:1.0|"
_SPELLED = {_TEXT + "tab": "\t", _TEXT + "line-break": "\n"}
_VALUES = ("value", "date-value", "time-value", "boolean-value", "string-value")
_ERROR = re.compile(r"#[A-Z0-9/]+[!?]?|(?:Err|错误)[:：]\d{3}")
_YEAR = re.compile(r"\d{4}|\d+\D+\d+\D+\d")
_REFERENCE = re.compile(r"\[\.?([^\]]*)\]")
MAX_SHOWN = 32_767  # characters of a cell's text that are kept; no cell of Excel holds more
MAX_NOTED = 1_000  # characters of what a cell shows that a message quotes


# --- which files deserve it -----------------------------------------------------------------------

_MARKS = re.compile(rb"text-line-through-(?:style|type)=\"(?!none)|text-position=\"(?!0%)")
_TYPED = re.compile(rb"office:(?:date-|time-)?value=\"")
_SHOWN = re.compile(rb"office:(date-)?value=\"([^\"<>]*+)\"[^<>]*+>\s*+<text:p>([^<]*+)<")


def is_marked(package: OpenedPackage) -> bool:
    """Return whether any cell may show something else than its value, or text in it be struck out or raised.

    A quick test: every number must be shown by its digits, to two decimals at least, and every day with its year.
    """
    content = package.read(CONTENT)
    if _MARKS.search(content) is not None:
        return True
    shown = _SHOWN.findall(content)
    return len(shown) < len(_TYPED.findall(content)) or not all(_is_shown(*each) for each in shown)


def _is_shown(kind: bytes, value: bytes, text: bytes) -> bool:
    if kind:
        return value[:10] == text.strip()
    try:
        number, spelled = float(value), text.strip().replace(b",", b"")
        return float(spelled) == number or f"{number:.2f}".encode() == spelled
    except ValueError:
        return False


# --- what was asked for ---------------------------------------------------------------------------


class _Font(NamedTuple):
    struck: bool = False
    raised: int = 0


_USUAL = _Font()


class _DoneError(Exception):
    """Every cell that was asked for has been seen."""


def look(package: OpenedPackage, places: Iterable[Place]) -> Look | None:
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
        self.wanted: dict[str, dict[int, dict[int, CellRef]]] = {}  # sheet -> row -> column -> cell
        for sheet, cell in places:
            self.wanted.setdefault(sheet, {}).setdefault(cell.row, {})[cell.column] = cell
        self.cells: dict[Place, Inspected] = {}
        self.broken: dict[Place, Broken] = {}
        self.from_1904 = False
        self.inner = 0  # tables within tables, and notes
        self.sheet: str | None = None
        self.next_row = self.next_col = 0
        self.here: dict[int, CellRef] = {}  # column -> cell, of what is wanted in this row
        self.cell: tuple[list[Place], dict[str, str]] | None = None
        self.shown: list[Run] = []
        self.length = 0  # of what is shown
        self.style = ""  # whose properties are being read
        self.fonts: dict[str, _Font] = {}  # styles of text that is struck out or raised
        self.spans: list[_Font] = []  # around the text
        self.inside = False  # of a paragraph; white space between them is none of the text

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """Take the beginning of an element."""
        if self.inner or (self.sheet is not None and name == _TABLE + "table") or name == _OFFICE + "annotation":
            self.inner += 1
        elif name == _TABLE + "table":
            self.sheet, self.next_row = attributes.get(_TABLE + "name", ""), 0
        elif name == _TABLE + "table-row":
            self._start_row(ods.times(attributes, _TABLE + "number-rows-repeated"))
        elif name in _CELLS:
            self._start_cell(attributes)
        elif name == _TABLE + "null-date":
            self.from_1904 = attributes.get(_TABLE + "date-value", "").startswith("1904")
        elif name == _STYLE + "style":
            self.style = attributes.get(_STYLE + "name", "")
        elif name == _STYLE + "text-properties":
            if (font := _font(attributes)) != _USUAL:
                self.fonts[self.style] = font
        elif self.cell is not None:
            self._within(name, attributes)

    def _start_row(self, times: int) -> None:
        """Take the beginning of a row, or of several alike."""
        first, self.next_row, self.next_col = self.next_row, self.next_row + times, 0
        wanted = self.wanted.get(self.sheet or "", {})
        self.here = wanted.get(first, {})
        if times > 1:
            inside = [cells for row, cells in wanted.items() if first <= row < self.next_row]
            self.here = {col: cell for cells in inside for col, cell in cells.items()}

    def _start_cell(self, attributes: dict[str, str]) -> None:
        """Take the beginning of a cell, or of several alike."""
        first = self.next_col
        self.next_col += ods.times(attributes, _TABLE + "number-columns-repeated")
        found = [(self.sheet or "", a) for col, a in self.here.items() if first <= col < self.next_col]
        self.cell, self.shown, self.length = (found, attributes) if found else None, [], 0
        self.spans = [self.fonts.get(attributes.get(_TABLE + "style-name", ""), _USUAL)]

    def _within(self, name: str, attributes: dict[str, str]) -> None:
        """Take the beginning of an element of a cell's text."""
        if name == _TEXT + "span":
            font = self.fonts.get(attributes.get(_TEXT + "style-name", ""), _USUAL)
            self.spans.append(font if font != _USUAL else self.spans[-1])
        elif name == _TEXT + "s":
            self.text(" " * min(ods.times(attributes, _TEXT + "c"), MAX_SHOWN))
        elif name in _SPELLED:
            self.text(_SPELLED[name])
        elif name == _TEXT + "p":
            self.inside = True
            self.text("\n" if self.shown else "")

    def text(self, text: str) -> None:
        """Take some text."""
        if self.inside and self.cell is not None and not self.inner and self.length <= MAX_SHOWN:
            self.length += len(text)
            self.shown.append(Run(text, *self.spans[-1]))

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
                self._see(place, self.cell[1])
            self.cell, self.inside = None, False
        elif name == _TEXT + "span" and len(self.spans) > 1:
            self.spans.pop()
        elif name == _TEXT + "p":
            self.inside = False

    def _see(self, place: Place, attributes: dict[str, str]) -> None:
        text = "".join(run.text for run in self.shown)
        shown = text.strip()[:MAX_NOTED]
        formula = attributes.get(_TABLE + "formula")
        typed = None if formula is None else f"={_REFERENCE.sub(_plain, formula.partition('=')[2])}"
        kind = attributes.get(_OFFICE + "value-type")
        yearless = kind == "date" and _YEAR.search(shown) is None
        whole = self.length <= MAX_SHOWN  # of a text that was cut nothing is read anew
        value = _number(attributes) if kind != "string" else text
        percent = kind == "percentage" or (kind == "float" and shown.endswith("%"))
        same = kind == "float" and value is not None and _is_shown(b"", str(value).encode(), shown.encode())
        display = Display(shown, shown) if kind not in (None, "string") and shown and whole and not same else None
        runs = tuple(self.shown) if whole and any_marked(self.shown) else ()
        self.cells[place] = Inspected(typed, "0%" if percent else None, value, display, runs, yearless)
        if attributes.get(_CALC + "value-type") == "error" or (typed is not None and _ERROR.fullmatch(shown)):
            self.broken[place] = Broken(typed or "", shown or "#N/A")
        elif typed is not None and not shown and not any(_OFFICE + value in attributes for value in _VALUES):
            self.broken[place] = Broken(typed, "")


def _number(attributes: dict[str, str]) -> Decimal | None:
    try:
        return to_decimal(float(attributes[_OFFICE + "value"]))
    except (KeyError, ValueError, ArithmeticError):
        return None


def _font(attributes: dict[str, str]) -> _Font:
    """Read whether text is struck out, and raised ("super 58%", "33% 58%") or lowered ("sub", "-33%")."""
    lines = (attributes.get(f"{_STYLE}text-line-through-{what}", "none") for what in ("style", "type"))
    place = attributes.get(_STYLE + "text-position", "").split(" ")[0]
    lowered = place == "sub" or place.startswith("-")
    return _Font(any(line != "none" for line in lines), 0 if place in ("", "0%") else -1 if lowered else 1)


def _plain(reference: re.Match[str]) -> str:
    return reference[1].replace(":.", ":")
