"""Inspects an Office Open XML workbook, where calamine's answer leaves a cell ambiguous.

calamine gives values only. Formulas, number formats, fonts and the pieces of rich text stand in the parts themselves:
they are read as streams, of each sheet up to the last row asked for. Why a cell reads blank takes next to nothing.
"""

from __future__ import annotations

import contextlib
import html
import re
from collections.abc import Callable, Container, Iterable, Iterator
from decimal import Decimal, InvalidOperation
from functools import cache, lru_cache
from typing import NamedTuple
from xml.parsers import expat

from kpixl.a1 import CellRef, parse_a1
from kpixl.forms.values import to_decimal
from kpixl.readers import UnreadableError, number_formats, xlsx
from kpixl.readers.grid import no_entities
from kpixl.readers.package import OpenedPackage
from kpixl.recognise.inspected import Broken, Inspected, Look, Place, Run, inspected
from kpixl.recognise.record import MAX_ALIKE

_STYLES, _STRINGS, _BOOK = "xl/styles.xml", "xl/sharedstrings.xml", "xl/workbook.xml"
# What is read whatever is asked for, and how much of it: 8 MiB are 60,000 styles, nearly as many as Excel can have.
MAX_READ = 8 << 20
_FROM_1904 = re.compile(rb"<(?:\w+:)?workbookPr\b[^<>]*?\bdate1904\s*=\s*[\"'](?:1|true|on)[\"']")
_ESCAPED = re.compile("_x([0-9A-Fa-f]{4})_")  # how strings spell characters that XML cannot hold


def look(package: OpenedPackage, places: Iterable[Place]) -> Look | None:
    """Inspect some cells; None where a part is damaged, or it would take too long."""
    wanted: dict[str, dict[tuple[int, int], Place]] = {}
    for sheet, cell in places:
        wanted.setdefault(sheet, {})[cell] = (sheet, cell)
    if sum(package.names[name].file_size for name in (_STYLES, _STRINGS, _BOOK) if name in package.names) > MAX_READ:
        return None
    try:
        styles = _Styles(package)
        from_1904 = _FROM_1904.search(package.read(_BOOK)) is not None
        cells: dict[Place, _Cell] = {}
        sheets = {sheet: part for part, sheet in xlsx.sheet_names(package).items() if part in package.names}
        if not wanted.keys() <= sheets.keys():  # a list of sheets that is read otherwise here than by calamine
            return None
        for sheet, part in sheets.items():
            if sheet in wanted:
                cells |= _Sheet(package, part, wanted[sheet]).found
        strings = _Strings(package, {cell.string for cell in cells.values()} - {-1}).found
    except (expat.ExpatError, UnreadableError, LookupError, ValueError):
        return None
    seen = {place: _inspected(cell, styles, strings, from_1904=from_1904) for place, cell in cells.items()}
    return Look(seen, from_1904=from_1904)


def _inspected(cell: _Cell, styles: _Styles, strings: dict[int, list[_Piece]], *, from_1904: bool) -> Inspected:
    code, font = styles.of(cell.style)
    pieces = strings.get(cell.string, cell.pieces)
    value: Decimal | str | None = "".join(piece.text for piece in pieces)
    if not pieces:
        value = _number(cell.value) if cell.kind in ("", "n") else cell.value if cell.kind == "str" else None
    found = inspected(value, code, formula=cell.formula, from_1904=from_1904)
    if not pieces and value is not None and font.struck:
        shown = found.display.text if found.display else cell.value
        pieces = [_Piece(shown, None)]
    runs = tuple(Run(piece.text, *(font if piece.font is None else piece.font)) for piece in pieces)
    return inspected(value, code, formula=cell.formula, runs=runs, from_1904=from_1904) if runs else found


def _number(text: str) -> Decimal | None:
    try:
        return to_decimal(float(text))
    except (ValueError, InvalidOperation):
        return None


# --- which files deserve it -----------------------------------------------------------------------

_USED = re.compile(rb"\bnumFmtId\s*=\s*[\"'](\d{1,9})")
_DEFINED = re.compile(rb"<(?:\w+:)?numFmt\s[^<>]*+>")
_CODE = re.compile(rb"\bformatCode\s*=\s*(?:\"([^\"]*)\"|'([^']*)')")
_MARKS = (b"strike", b"vertAlign")


def is_marked(package: OpenedPackage) -> bool:
    """Return whether any cell may show something else than its value, or text in it be struck out or raised.

    A quick test of the styles and the strings: the formats of a template are plain, and its fonts on the line.
    """
    strings = package.read(_STRINGS)
    return any(mark in strings for mark in _MARKS) or _are_marked(package.read(_STYLES))


@lru_cache(maxsize=16)  # the files of a round mostly have the same styles
def _are_marked(styles: bytes) -> bool:
    if any(mark in styles for mark in _MARKS):
        return True
    start, end = styles.find(b"cellXfs"), styles.rfind(b"cellXfs")
    if not all(_is_plain_number(int(number)) for number in set(_USED.findall(styles, start, max(start, end)))):
        return True
    return not all(map(_is_plain_code, _DEFINED.findall(styles)))


@cache
def _plain_numbers() -> frozenset[int]:
    codes = ((number, number_formats.built_in(number)) for number in range(number_formats.FIRST_CUSTOM))
    return frozenset(number for number, code in codes if code is None or number_formats.is_plain(code))


def _is_plain_number(number: int) -> bool:
    return number >= number_formats.FIRST_CUSTOM or number in _plain_numbers()


def _is_plain_code(tag: bytes) -> bool:
    found = _CODE.search(tag)
    code = html.unescape((found[1] or found[2] or b"").decode("utf-8", "replace")) if found else ""
    return number_formats.is_plain(code)


# --- the parts, as streams ------------------------------------------------------------------------


class _Font(NamedTuple):
    struck: bool = False
    raised: int = 0


_USUAL = _Font()
_RAISED = {"superscript": 1, "subscript": -1}


class _Piece(NamedTuple):
    """A stretch of text and its font; None where it has that of its cell."""

    text: str
    font: _Font | None


class _Cell(NamedTuple):
    """A cell as it is spelled: `string` is the number of its shared string, -1 for none."""

    style: int
    kind: str
    formula: str | None
    value: str
    string: int
    pieces: list[_Piece]


def _parse(content: bytes, start: Callable[[str, dict[str, str]], None], end: Callable[[str], None],
           text: Callable[[str], object] | None = None) -> None:  # fmt: skip
    """Parse a part; handlers get names without their prefixes. A document type, hence every entity, is refused."""
    parser = expat.ParserCreate()
    parser.StartElementHandler = lambda name, attributes: start(name.rpartition(":")[2], attributes)
    parser.EndElementHandler = lambda name: end(name.rpartition(":")[2])
    if text is not None:
        parser.CharacterDataHandler = text
    parser.StartDoctypeDeclHandler = no_entities
    parser.buffer_text = True
    parser.Parse(content, True)


def _is_on(attributes: dict[str, str]) -> bool:
    return attributes.get("val", "1") not in ("0", "false", "off")


class _Styles:
    """The number formats and the fonts of cells, by the number of their style."""

    def __init__(self, package: OpenedPackage) -> None:
        self.codes: dict[int, str] = {}
        self.fonts: list[_Font] = []
        self.cells: list[tuple[int, int]] = []  # number format and font
        self.part = ""  # numFmts, fonts or cellXfs, while within
        content = package.read(_STYLES)
        if content:
            _parse(content, self.start, self.end)

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """Take the beginning of an element."""
        if name in ("numFmts", "fonts", "cellXfs"):
            self.part = name
        elif name == "numFmt" and self.part == "numFmts":
            self.codes[int(attributes.get("numFmtId", 0))] = attributes.get("formatCode", "")
        elif name == "xf" and self.part == "cellXfs":
            self.cells.append((int(attributes.get("numFmtId", 0)), int(attributes.get("fontId", 0))))
        elif self.part == "fonts":
            if name == "font":
                self.fonts.append(_USUAL)
            elif name == "strike" and self.fonts:
                self.fonts[-1] = self.fonts[-1]._replace(struck=_is_on(attributes))
            elif name == "vertAlign" and self.fonts:
                self.fonts[-1] = self.fonts[-1]._replace(raised=_RAISED.get(attributes.get("val", ""), 0))

    def end(self, name: str) -> None:
        """Take the end of an element."""
        if name == self.part:
            self.part = ""

    def of(self, style: int) -> tuple[str | None, _Font]:
        """Return the number format and the font of a style; the usual ones where there is no such style."""
        number, font = self.cells[style] if 0 <= style < len(self.cells) else (0, 0)
        code = self.codes.get(number, number_formats.built_in(number))
        return code, self.fonts[font] if 0 <= font < len(self.fonts) else _USUAL


class _Runs:
    """Gathers the pieces of a string; a reading above a word is left out."""

    def __init__(self) -> None:
        self.pieces: list[_Piece] = []
        self.font: _Font | None = None
        self.parts: list[str] = []  # of the piece that is being read
        self.inside = self.reading = False  # of an element with text; of a reading

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """Take the beginning of an element."""
        if name == "t" and not self.reading:
            self.inside, self.parts = True, []
        elif name == "r":
            self.font = None
        elif name == "rPr":
            self.font = _USUAL
        elif name == "strike" and self.font is not None:
            self.font = self.font._replace(struck=_is_on(attributes))
        elif name == "vertAlign" and self.font is not None:
            self.font = self.font._replace(raised=_RAISED.get(attributes.get("val", ""), 0))
        elif name == "rPh":
            self.reading = True

    def end(self, name: str) -> None:
        """Take the end of an element."""
        if name == "t" and self.inside:
            text = _ESCAPED.sub(lambda match: chr(int(match[1], 16)), "".join(self.parts))
            self.inside = False
            self.pieces.append(_Piece(text, self.font))
        elif name == "r":
            self.font = None
        elif name == "rPh":
            self.reading = False

    def text(self, text: str) -> None:
        """Take some text."""
        if self.inside:
            self.parts.append(text)


class _Strings:
    """The shared strings that some cells show, by their numbers."""

    def __init__(self, package: OpenedPackage, wanted: Container[int]) -> None:
        self.found: dict[int, list[_Piece]] = {}
        self.wanted, self.number = wanted, -1
        self.runs = _Runs()
        content = package.read(_STRINGS) if wanted else b""
        if content:
            _parse(content, self.start, self.end, self.text)

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """Take the beginning of an element."""
        if name == "si":
            self.number += 1
            self.runs = _Runs()
        elif self.number in self.wanted:
            self.runs.start(name, attributes)

    def end(self, name: str) -> None:
        """Take the end of an element."""
        if self.number in self.wanted:
            self.runs.end(name)
            if name == "si":
                self.found[self.number] = self.runs.pieces

    def text(self, text: str) -> None:
        """Take some text."""
        if self.runs.inside:
            self.runs.text(text)


class _DoneError(Exception):
    """The last row that was asked for has been seen."""


class _Sheet:
    """The cells of a sheet that were asked for."""

    def __init__(self, package: OpenedPackage, part: str, wanted: dict[tuple[int, int], Place]) -> None:
        self.found: dict[Place, _Cell] = {}
        self.wanted, self.last = wanted, max(row for row, _ in wanted)
        self.row = self.col = -1
        self.shared: dict[str, tuple[str, CellRef]] = {}  # formulas that cells share: the first one's, and its cell
        self.attributes: dict[str, str] | None = None  # of the cell that is being read, if any
        self.place: Place | None = None  # of that cell, if it was asked for
        self.texts: dict[str, list[str]] = {}  # of its elements f and v
        self.formula: dict[str, str] | None = None
        self.element = ""
        self.runs = _Runs()
        with contextlib.suppress(_DoneError):
            _parse(package.read(part), self.start, self.end, self.text)

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """Take the beginning of an element."""
        if name == "row":
            self.row = int(attributes.get("r", self.row + 2)) - 1
            self.col = -1
            if self.row > self.last:
                raise _DoneError
        elif name == "c":
            self.row, self.col = parse_a1(attributes["r"]) if "r" in attributes else (self.row, self.col + 1)
            self.attributes, self.place = attributes, self.wanted.get((self.row, self.col))
            self.texts, self.formula, self.element, self.runs = {}, None, "", _Runs()
        elif self.attributes is None:
            return
        elif name in ("f", "v"):
            self.element = name
            self.texts[name] = []
            self.formula = attributes if name == "f" else self.formula
        elif self.place is not None:
            self.runs.start(name, attributes)

    def text(self, text: str) -> None:
        """Take some text."""
        if self.element:
            self.texts[self.element].append(text)
        elif self.runs.inside:
            self.runs.text(text)

    def end(self, name: str) -> None:
        """Take the end of an element."""
        if name == "c":
            formula = self._formula() if self.formula is not None else None
            if self.place is not None and self.attributes is not None:
                self._keep(self.place, self.attributes, formula)
            self.attributes = self.place = None
        elif name == self.element:
            self.element = ""
        elif self.place is not None:
            self.runs.end(name)

    def _keep(self, place: Place, attributes: dict[str, str], formula: str | None) -> None:
        kind, value = attributes.get("t", ""), "".join(self.texts.get("v", ())).strip()
        if not value and formula is None and not self.runs.pieces:
            return  # a blank cell that is only formatted
        string = int(value) if kind == "s" and value.isdecimal() else -1
        style = attributes.get("s", "0")
        self.found[place] = _Cell(
            int(style) if style.isdecimal() else 0, kind, formula, value, string, self.runs.pieces
        )

    def _formula(self) -> str | None:
        """Spell the formula of a cell; of cells that share one, only the first has it."""
        assert self.formula is not None
        text, number = "".join(self.texts.get("f", ())), self.formula.get("si", "")
        if self.formula.get("t") != "shared":
            return f"={text}"
        if text:
            self.shared[number] = (f"={text}", CellRef(self.row, self.col))
        if self.place is None or number not in self.shared:
            return f"={text}"
        return _moved(*self.shared[number], self.place[1])


def _moved(formula: str, origin: CellRef, place: CellRef) -> str:
    """Spell a formula as the cell at another place reads it."""
    if origin == place:
        return formula
    from openpyxl.formula.translate import Translator

    return str(Translator(formula, str(origin)).translate_formula(str(place)))


# --- cells that read blank ----------------------------------------------------------------------

MAX_TAG = 1_000  # bytes; the opening tag of a cell has a few short attributes
_ROOT = re.compile(rb"<(\w+:)?worksheet\b")
_ADDRESS = re.compile(rb"\br=[\"']([A-Z]+\d+)[\"']")
_KIND = re.compile(rb"\bt=[\"'](\w+)[\"']")
_FORMULA = re.compile(rb"<(?:\w+:)?f\b[^<>]*+(?:(?<=/)>|>([^<]*+)<)")
_VALUE = re.compile(rb"<(?:\w+:)?v\b[^<>]*+(?:(?<=/)>|>([^<]*+)<)")


@cache
def _suspects(prefix: bytes) -> tuple[re.Pattern[bytes], ...]:
    """Return what finds formulas that no value follows, and errors; apart, each begins with bytes found fast."""
    no_value = rb"(?!<" + prefix + rb"v>[^<])"
    formulas = (rb"</" + prefix + rb"f>" + no_value, rb"<" + prefix + rb"f [^<>]*/>" + no_value)
    return tuple(map(re.compile, (*formulas, rb' t="e"', rb" t='e'")))


def broken_cells(package: OpenedPackage, places: Iterable[Place], sheets: Container[str] = ()) -> dict[Place, Broken]:
    """Find which of some cells that read blank are formulas without a value, or errors; of `sheets`, which of all."""
    wanted = set(places)
    addresses = {str(cell).encode() for _, cell in wanted}
    found: dict[Place, Broken] = {}
    names = xlsx.sheet_names(package) if sheets else {}
    others = 0
    for part in xlsx.sheet_parts(package) if wanted or sheets else ():
        every = names.get(part, "") in sheets
        with contextlib.suppress(UnreadableError):  # that a sheet is damaged was said when it was read
            for cell, why in _broken(package.read(part), None if every else addresses):
                names = names or xlsx.sheet_names(package)
                place = (names.get(part, ""), cell)
                others += place not in wanted
                if place in wanted or (every and others <= MAX_ALIKE):
                    found[place] = why
    return found


def _broken(part: bytes, addresses: Container[bytes] | None) -> Iterator[tuple[CellRef, Broken]]:
    """Find the broken cells of a sheet, from where it shows: this is done for each file and has to be quick.

    `addresses`: the cells that are looked for, None for all.
    """
    root = _ROOT.search(part, 0, 2_000)
    prefix = (root and root[1]) or b""
    first, last = b"<" + prefix + b"c ", b"</" + prefix + b"c>"
    done = set()
    for pattern in _suspects(prefix):
        behind = 0  # each cell is looked for behind the one before: a sheet without cells costs no more than another
        for match in pattern.finditer(part):
            start, behind = part.rfind(first, behind, match.start()), match.end()
            head = part[start : part.find(b">", start, start + MAX_TAG)] if start >= 0 else b""
            address = _ADDRESS.search(head, 0, MAX_TAG)
            if address is None or address[1] in done or not (addresses is None or address[1] in addresses):
                continue
            done.add(address[1])
            inside = part[start + len(head) : part.find(last, match.end())]
            if (why := _why(_KIND.search(head), inside)) is not None:
                yield parse_a1(address[1].decode()), why


def _why(kind: re.Match[bytes] | None, inside: bytes) -> Broken | None:
    formula, value = _FORMULA.search(inside), _VALUE.search(inside)
    typed, cached = f"={_text(formula)}" if formula else "", _text(value) if value else ""
    if kind is not None and kind[1] == b"e":
        return Broken(typed, cached or "#N/A")
    text = value is not None and kind is not None and kind[1] == b"str"  # a formula whose value is no text: ""
    return None if cached or text or formula is None else Broken(typed, "")


def _text(match: re.Match[bytes]) -> str:
    return _unescaped(match[1] or b"").strip()


@lru_cache(maxsize=128)  # every sheet of a workbook that lost its values has the same long formulas
def _unescaped(text: bytes) -> str:
    return html.unescape(text.decode("utf-8", "replace"))
