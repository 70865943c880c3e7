"""What people write over the cells of a workbook instead of into them: notes and text boxes.

calamine gives cells only. The parts that hold the rest are looked at where a package has any.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Container, Iterator
from typing import NamedTuple, Protocol
from xml.parsers import expat

from kpixl.a1 import CellRef, cell_from
from kpixl.readers import ods, xlsx
from kpixl.readers.grid import UnreadableError, no_entities
from kpixl.readers.package import OpenedPackage

MAX_TEXT = 1_000  # characters of a note that are kept
_NOTES, _THREADS, _DRAWING = "/comments", "/threadedComment", "/drawing"  # how the types of relations end
_ANCHORS = frozenset({"twoCellAnchor", "oneCellAnchor", "absoluteAnchor"})
_STAND_IN = "tc="  # the author of a note that only replaces a conversation, which is read itself


class Annotation(NamedTuple):
    """A note, or the text of a box: its sheet, its cell (the corner of a box; None where unknown)."""

    sheet: str
    cell: CellRef | None
    text: str
    box: bool


class _Events(Protocol):
    def start(self, name: str, attributes: dict[str, str], /) -> None: ...
    def text(self, text: str) -> None: ...
    def end(self, name: str) -> None: ...


def annotations_in(package: OpenedPackage, sheets: Container[str]) -> list[Annotation]:
    """List the notes and the boxes with text on some sheets of a workbook; what is damaged is left out."""
    found: list[Annotation] = []
    with contextlib.suppress(UnreadableError):
        if ods.is_ods(package):
            found += _in_spreadsheet(package, sheets)
        elif any("comment" in name or name.startswith("xl/drawings/drawing") for name in package.names):
            names = xlsx.sheet_names(package)
            for part in xlsx.sheet_parts(package):
                if (sheet := names.get(part, "")) in sheets:
                    found += _on_sheet(package, part, sheet)
    return [one for one in found if one.text]


def _on_sheet(package: OpenedPackage, part: str, sheet: str) -> Iterator[Annotation]:
    for kind, target in xlsx.relations(package, part).values():
        if kind.endswith((_NOTES, _THREADS)):
            notes = _Notes()
            _parse(package.read(target), notes)
            yield from (Annotation(sheet, cell, text, False) for cell, text in notes.found)
        elif kind.endswith(_DRAWING):
            boxes = _Boxes()
            _parse(package.read(target), boxes)
            yield from (Annotation(sheet, cell, text, True) for cell, text in boxes.found)


def _in_spreadsheet(package: OpenedPackage, sheets: Container[str]) -> Iterator[Annotation]:
    content = package.read("content.xml")
    if b"annotation" in content or b"<draw:" in content:
        reader = _Spreadsheet()
        _parse(content, reader)
        yield from (one for one in reader.found if one.sheet in sheets)


def _parse(content: bytes, events: _Events) -> None:
    """Parse a part as far as it is well-formed; names come without their namespace."""
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.StartElementHandler = lambda name, attributes: events.start(
        name.rpartition(" ")[2], {key.rpartition(" ")[2]: value for key, value in attributes.items()}
    )
    parser.EndElementHandler = lambda name: events.end(name.rpartition(" ")[2])
    parser.CharacterDataHandler = events.text
    parser.StartDoctypeDeclHandler = no_entities
    parser.buffer_text = True
    with contextlib.suppress(expat.ExpatError, UnreadableError, ValueError, LookupError):
        parser.Parse(content, True)


class _Words:
    """Gathers the text of one note or box."""

    def __init__(self) -> None:
        self.words: list[str] = []
        self.room = MAX_TEXT

    def add(self, text: str) -> None:
        if self.room > 0:
            self.words.append(text[: self.room])
            self.room -= len(text)

    def take(self) -> str:
        text = "".join(self.words).strip()
        self.words, self.room = [], MAX_TEXT
        return text


class _Notes:
    """Takes the events of a part with notes, or with conversations about cells."""

    def __init__(self) -> None:
        self.found: list[tuple[CellRef | None, str]] = []
        self.authors: list[str] = []
        self.words = _Words()
        self.cell: CellRef | None = None
        self.inside = ""
        self.skipped = False

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self.inside = name
        if name in ("comment", "threadedComment"):
            self.cell = cell_from(attributes.get("ref", "").partition(":")[0])
            author = attributes.get("authorId", "")
            number = int(author) if author.isdecimal() and len(author) < 9 else len(self.authors)
            self.skipped = number < len(self.authors) and self.authors[number].startswith(_STAND_IN)
            self.words.take()
        elif name == "author":
            self.authors.append("")

    def text(self, text: str) -> None:
        if self.inside == "author":
            self.authors[-1] += text
        elif self.inside in ("t", "text"):
            self.words.add(text)

    def end(self, name: str) -> None:
        self.inside = ""
        if name in ("comment", "threadedComment") and not self.skipped:
            self.found.append((self.cell, self.words.take()))


class _Boxes:
    """Takes the events of a drawing: text, and where its anchors begin."""

    def __init__(self) -> None:
        self.found: list[tuple[CellRef | None, str]] = []
        self.words = _Words()
        self.place: dict[str, str] = {}
        self.inside = ""
        self.starting = False
        self.fallbacks = 0  # the same once more, for older programs

    def start(self, name: str, _: dict[str, str]) -> None:
        self.inside = name
        if name in _ANCHORS:
            self.place = {}
            self.words.take()
        elif name == "from":
            self.starting = True
        self.fallbacks += name == "Fallback"

    def text(self, text: str) -> None:
        if self.starting and self.inside in ("row", "col"):
            self.place[self.inside] = text.strip()
        elif self.inside == "t" and not self.fallbacks:
            self.words.add(text)

    def end(self, name: str) -> None:
        self.inside = ""
        if name == "from":
            self.starting = False
        elif name == "p":
            self.words.add("\n")
        elif name == "Fallback":
            self.fallbacks -= 1
        elif name in _ANCHORS:
            row, col = self.place.get("row", ""), self.place.get("col", "")
            known = re.fullmatch(r"\d{1,7} \d{1,5}", f"{row} {col}", re.ASCII) is not None
            self.found.append((CellRef(int(row), int(col)) if known else None, self.words.take()))


class _Spreadsheet:
    """Takes the events of an OpenDocument spreadsheet: notes within cells, shapes within cells or beside them."""

    def __init__(self) -> None:
        self.found: list[Annotation] = []
        self.sheets: list[str] = []
        self.row = self.col = self.next_row = self.next_col = 0
        self.within: list[str] = []  # the note or shape, and what is open in it
        self.paragraphs = 0
        self.words = _Words()
        self.in_cell = False

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if self.within:
            self.within.append(name)
            self.paragraphs += name == "p"
        elif name == "annotation" or name in _SHAPES:
            self.within.append(name)
        elif name == "table":
            self.sheets.append(attributes.get("name", ""))
            self.next_row = 0
        elif name == "table-row":
            self.row, self.next_col = self.next_row, 0
            self.next_row += ods.times(attributes, "number-rows-repeated")
        elif name in ("table-cell", "covered-table-cell"):
            self.col, self.in_cell = self.next_col, True
            self.next_col += ods.times(attributes, "number-columns-repeated")

    def text(self, text: str) -> None:
        if self.paragraphs:
            self.words.add(text)

    def end(self, name: str) -> None:
        if not self.within:
            self.in_cell = self.in_cell and name not in ("table-cell", "covered-table-cell")
            if name == "table":
                self.sheets.pop()
            return
        self.within.pop()
        if name == "p":
            self.paragraphs -= 1
            self.words.add("\n")
        if not self.within:
            cell = CellRef(self.row, self.col) if self.in_cell else None
            sheet = self.sheets[-1] if self.sheets else ""
            self.found.append(Annotation(sheet, cell, self.words.take(), name in _SHAPES))


_SHAPES = frozenset({"frame", "custom-shape", "rect", "ellipse", "line", "polygon", "path", "caption", "g"})
