"""The notes of a worksheet: the part that holds their texts, and the drawing that holds their boxes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Protocol, TypeVar

from kpixl.a1 import Span, a1, span_from
from kpixl.ooxml.xml import DAMAGED, PackageError, Tree, add, dump, local, parse, q, with_prefixes
from kpixl.portfolio.sheet_id import NOTE_SIGNATURE
from kpixl.text_fit import text_lines

_BELOW = "\n\n" + NOTE_SIGNATURE
AUTHOR = "kpixl"
_THREADED = "tc="  # the author of a note that only replaces a conversation: Excel shows the conversation
EMPTY_COMMENTS = (
    b'<?xml version="1.0" encoding="UTF-8" standalone="yes"?><comments xmlns="http://schemas.openxmlformats.org/'
    b'spreadsheetml/2006/main"><authors/><commentList/></comments>'
)
_SPACES = {
    "v": "urn:schemas-microsoft-com:vml",
    "o": "urn:schemas-microsoft-com:office:office",
    "x": "urn:schemas-microsoft-com:office:excel",
}
EMPTY_DRAWING = (
    b'<xml xmlns:v="urn:schemas-microsoft-com:vml" xmlns:o="urn:schemas-microsoft-com:office:office" '
    b'xmlns:x="urn:schemas-microsoft-com:office:excel"></xml>'
)
_SHAPE_TYPE = (
    '<v:shapetype xmlns:v="urn:schemas-microsoft-com:vml" xmlns:o="urn:schemas-microsoft-com:office:office" '
    'id="_x0000_t202" coordsize="21600,21600" o:spt="202" path="m,l,21600r21600,l21600,xe">'
    '<v:stroke joinstyle="miter"/><v:path gradientshapeok="t" o:connecttype="rect"/></v:shapetype>'
)
_SHAPE = (
    '<v:shape xmlns:v="urn:schemas-microsoft-com:vml" xmlns:o="urn:schemas-microsoft-com:office:office" '
    'xmlns:x="urn:schemas-microsoft-com:office:excel" id="_x0000_s{id}" type="#_x0000_t202" '
    'style="position:absolute;margin-left:80pt;margin-top:2pt;width:{width}pt;height:{height}pt;z-index:{order};'
    'visibility:hidden" fillcolor="#fffbe6" strokecolor="#b45309" o:insetmode="auto"><v:fill color2="#fffbe6"/>'
    '<v:shadow on="t" color="black" obscured="t"/><v:path o:connecttype="none"/>'
    '<v:textbox style="mso-direction-alt:auto"><div style="text-align:left"></div></v:textbox>'
    '<x:ClientData ObjectType="Note"><x:MoveWithCells/><x:SizeWithCells/><x:Anchor>{anchor}</x:Anchor>'
    "<x:AutoFill>False</x:AutoFill><x:Row>{row}</x:Row><x:Column>{col}</x:Column></x:ClientData></v:shape>"
)
# What Excel writes into a box need not be well-formed.
_SHAPE_TAG = re.compile(rb"<(?:\w+:)?shape\b[^<>]*?(/?)>")
_SHAPE_END = re.compile(rb"</(?:\w+:)?shape\s*>")
_ROW, _COLUMN = (re.compile(rb"<(?:\w+:)?" + name + rb">\s*(\d{1,7})\s*<") for name in (b"Row", b"Column"))
_END = re.compile(rb"</xml\s*>\s*\Z")
_ID = re.compile(rb"_x0000_s(\d{1,9})")
_FIRST_ID = 1025  # what Excel begins with
_WIDTH, _LINE, _MAX_HEIGHT = 300, 17, 420  # pixels


class CellNote(Protocol):
    """A note to add: the cell, with all that is merged into it, and its text."""

    @property
    def place(self) -> Span:
        """The cell."""

    @property
    def text(self) -> str:
        """The text."""


AnyNote = TypeVar("AnyNote", bound=CellNote)


class Comments:
    """The part that holds the texts."""

    def __init__(self, content: bytes) -> None:
        self.root = parse(content or EMPTY_COMMENTS)
        authors, notes = self.root.find(q("authors")), self.root.find(q("commentList"))
        if authors is None or notes is None:
            raise PackageError(DAMAGED)
        self._authors, self._list = authors, notes

    @property
    def empty(self) -> bool:
        """Return whether there is no note."""
        return not any(local(node) == "comment" for node in self._list)

    def finish(self) -> bytes:
        """Write the part."""
        return dump(self.root)

    def remove_ours(self) -> list[Span]:
        """Remove the notes of an earlier marking; return the cells that have no note any more."""
        gone = []
        for node in [n for n in self._list if local(n) == "comment"]:
            text = "".join(t.text or "" for t in _words(node))
            if text.startswith(NOTE_SIGNATURE):
                self._list.remove(node)
                if (place := span_from(node.get("ref", ""))) is not None:
                    gone.append(place)
            elif _BELOW in text:
                _cut(node, text.index(_BELOW))
        return gone

    def add(self, notes: Iterable[AnyNote]) -> list[AnyNote]:
        """Add notes, below those that are there; return those that need a box of their own."""
        known = {node.get("ref"): node for node in self._list if local(node) == "comment"}
        fresh = []
        for note in notes:
            ref = a1(note.place.row, note.place.col)
            there = known.get(ref)
            if there is None:
                node = add(self._list, "comment", ref=ref, authorId=str(self._author()))
                _append(add(node, "text"), note.text)
                fresh.append(note)
            elif not self._author_of(there).startswith(_THREADED) and (text := there.find(q("text"))) is not None:
                _append(text, "\n\n" + note.text)
        return fresh

    def texts(self) -> list[tuple[str, str]]:
        """List (cell, text) of every note."""
        notes = [node for node in self._list if local(node) == "comment"]
        return [(node.get("ref", ""), "".join(t.text or "" for t in _words(node))) for node in notes]

    def _author(self) -> int:
        names = [node.text or "" for node in self._authors]
        if AUTHOR not in names:
            names.append(AUTHOR)
            add(self._authors, "author", AUTHOR)
        return names.index(AUTHOR)

    def _author_of(self, note: Tree) -> str:
        number = int(note.get("authorId", "0"))
        return (self._authors[number].text or "") if number < len(self._authors) else ""


def _append(text: Tree, words: str) -> None:
    """Append a run to a text; one that is plain becomes a run first."""
    plain = text.find(q("t"))
    if plain is not None:
        run = add(text, "r")
        plain.addprevious(run)
        run.append(plain)
    run = add(text, "r")
    font = add(run, "rPr")
    for name, value in (("sz", "9"), ("color", "FF000000"), ("rFont", "宋体"), ("family", "3"), ("charset", "134")):
        add(font, name, **{"rgb" if name == "color" else "val": value})
    node = add(run, "t", words)
    node.set("{http://www.w3.org/XML/1998/namespace}space", "preserve")
    phonetic = next((child for child in text if local(child) in ("rPh", "phoneticPr")), None)
    if phonetic is not None:
        phonetic.addprevious(run)


def _words(note: Tree) -> list[Tree]:
    """List the texts of a note, without how they are pronounced."""
    return [node for node in note.iter(q("t")) if local(node.getparent()) != "rPh"]


def _cut(note: Tree, length: int) -> None:
    """Keep the first characters of a note."""
    for node in _words(note):
        words = node.text or ""
        run = node.getparent()
        if words and not length and local(run) == "r":
            run.getparent().remove(run)
        elif words:
            node.text, length = words[:length], max(0, length - len(words))


# --- boxes ------------------------------------------------------------------------------------


def usual_drawing(drawing: bytes) -> bytes:
    """Return a drawing with the prefixes of Excel, which the patterns here go by; openpyxl writes others.

    Excel's own need not be well-formed, so they are left as they are. Raises PackageError.
    """
    if b'xmlns:v="urn:schemas-microsoft-com:vml"' in drawing[:2_000]:
        return drawing
    return with_prefixes(parse(drawing), _SPACES)


def _shapes(drawing: bytes) -> Iterator[tuple[int, int]]:
    """Yield where each shape of a drawing begins and ends."""
    behind = 0
    while (tag := _SHAPE_TAG.search(drawing, behind)) is not None:
        end = tag if tag[1] else _SHAPE_END.search(drawing, tag.end())
        if end is None:
            return
        behind = end.end()
        yield tag.start(), behind


def without_boxes(drawing: bytes, places: Iterable[Span]) -> bytes:
    """Remove the boxes of the notes of some cells."""
    gone = {(place.row, place.col) for place in places}
    kept, behind = [], 0
    for start, end in _shapes(drawing) if gone else ():
        row, col = _ROW.search(drawing, start, end), _COLUMN.search(drawing, start, end)
        if row and col and (int(row[1]), int(col[1])) in gone:
            kept.append(drawing[behind:start])
            behind = end
    return b"".join([*kept, drawing[behind:]])


def has_boxes(drawing: bytes) -> bool:
    """Return whether there is any shape."""
    return next(_shapes(drawing), None) is not None


def with_boxes(
    drawing: bytes, notes: Iterable[CellNote], columns: Mapping[int, float], rows: Mapping[int, float]
) -> bytes:
    """Add the boxes of notes. `columns`, `rows`: their sizes in pixels where they are not the usual ones."""
    found = _END.search(drawing)
    if found is None:
        raise PackageError(DAMAGED)
    end = found.start()
    first = max([_FIRST_ID - 1, *(int(number) for number in _ID.findall(drawing))]) + 1
    shapes = [] if b'id="_x0000_t202"' in drawing else [_SHAPE_TYPE]
    for number, note in enumerate(notes):
        height = _height(note)
        shapes.append(
            _SHAPE.format(
                id=first + number,
                width=round(_WIDTH * 0.75, 2),
                height=round(height * 0.75, 2),
                order=number + 1,
                anchor=_anchor(note.place, height, columns, rows),
                row=note.place.row,
                col=note.place.col,
            )
        )
    return drawing[:end] + "".join(shapes).encode() + drawing[end:]


def _height(note: CellNote) -> int:
    return min(_MAX_HEIGHT, 14 + text_lines(note.text, _WIDTH / 7, 9) * _LINE)


def _anchor(place: Span, height: int, columns: Mapping[int, float], rows: Mapping[int, float]) -> str:
    """Place a box right of its cell: column, offset, row, offset of both corners, as Excel wants them."""
    left, top = place.last_col + 1, place.row
    right, x = _reach(left, 12 + _WIDTH, columns, 64.0)
    bottom, y = _reach(top, 4 + height, rows, 20.0)
    return f"{left}, 12, {top}, 4, {right}, {x}, {bottom}, {y}"


def _reach(first: int, pixels: float, sizes: Mapping[int, float], usual: float) -> tuple[int, int]:
    """Return in which column or row a length from the edge of `first` ends, and how far inside."""
    while pixels >= (size := sizes.get(first, usual)) and first < 1_048_575:
        pixels -= size
        first += 1
    return first, int(pixels)
