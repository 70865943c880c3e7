"""The second look at an Office Open XML workbook, where calamine's answer leaves a doubt (design 4.1).

calamine gives values only. Whether a cell is a formula or shown as per cent, and why it reads blank, stands in the part
of its sheet. openpyxl would tell as well, but opens the whole workbook for it: one merged range over a whole sheet, or
200,000 styles, and it takes minutes and gigabytes.
"""

from __future__ import annotations

import contextlib
import html
import re
from collections.abc import Container, Iterable, Iterator
from functools import cache
from typing import NoReturn
from xml.parsers import expat

from kpixl.cells import a1, parse_a1
from kpixl.grids import UnreadableError, ooxml
from kpixl.grids.packages import Package
from kpixl.intake.looks import Broken, Look, Place, Seen

_PERCENTS = {"9": "0%", "10": "0.00%"}  # the formats of per cent that need no definition
_FROM_1904 = re.compile(rb"<(?:\w+:)?workbookPr\s[^>]*?\bdate1904\s*=\s*[\"'](?:1|true)[\"']")
MAX_SHARED = 10_000  # formulas of a sheet kept for the cells that share them; a form has a few
MAX_FORMULA = 8_192  # characters, as in Excel


def look(package: Package, places: Iterable[Place]) -> Look | None:
    """Look at some cells; None where a part cannot be read."""
    wanted: dict[str, set[str]] = {}
    for sheet, address in places:
        wanted.setdefault(sheet, set()).add(address)
    cells: dict[Place, tuple[str | None, int]] = {}
    styles = _Styles()
    try:
        _parse(package.read("xl/styles.xml"), styles)
        for part, sheet in ooxml.sheet_names(package).items():
            if sheet in wanted:
                reader = _Cells(wanted[sheet])
                _parse(package.read(part), reader)
                cells |= {(sheet, address): cell for address, cell in reader.found.items()}
        from_1904 = _FROM_1904.search(package.read("xl/workbook.xml")) is not None
    except (UnreadableError, expat.ExpatError, LookupError, ValueError):
        return None
    return Look({place: Seen(f, styles.percent(s)) for place, (f, s) in cells.items()}, from_1904=from_1904)


class _DoneError(Exception):
    """All that was asked for has been seen."""


def _parse(content: bytes, events: _Styles | _Cells) -> None:
    """Give the events of a part to a reader, until it is done; a part that is not there has none."""
    if not content:
        return
    parser = expat.ParserCreate()
    parser.StartElementHandler = events.first
    parser.StartDoctypeDeclHandler = _refused
    parser.buffer_text = True
    events.parser = parser
    with contextlib.suppress(_DoneError):
        parser.Parse(content, True)


def _refused(*_: object) -> NoReturn:
    raise ValueError("a document type, hence entities")


class _Styles:
    """Takes the events of the styles: which of the formats of cells show per cent."""

    parser: expat.XMLParserType

    def __init__(self) -> None:
        self.numbers: list[str] = []  # of the number format, by the number of the style
        self.formats = dict(_PERCENTS)
        self.inside = False

    def percent(self, style: int) -> bool:
        """Tell whether a style shows per cent."""
        return style < len(self.numbers) and "%" in self.formats.get(self.numbers[style], "")

    def first(self, name: str, _: dict[str, str]) -> None:
        """Take the outermost element, whose prefix all others have."""
        prefix = name.rpartition("styleSheet")[0]
        self.style, self.list, self.format = f"{prefix}xf", f"{prefix}cellXfs", f"{prefix}numFmt"
        self.parser.StartElementHandler = self.start

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """Take the beginning of an element."""
        if name == self.style and self.inside:
            self.numbers.append(attributes.get("numFmtId", "0"))
        elif name == self.format:
            self.formats[attributes.get("numFmtId", "")] = attributes.get("formatCode", "")
        elif name == self.list:
            self.inside = True
            self.parser.EndElementHandler = self.end

    def end(self, name: str) -> None:
        """Take the end of an element."""
        if name == self.list:
            raise _DoneError


class _Cells:
    """Takes the events of a sheet: formula and style of the cells that were asked for.

    It listens to ends and to text only within them, and within formulas that others share: the form may stand at the
    end of millions of cells.
    """

    parser: expat.XMLParserType

    def __init__(self, wanted: set[str]) -> None:
        self.wanted = wanted
        self.found: dict[str, tuple[str | None, int]] = {}
        self.shared: dict[str, tuple[str, str]] = {}  # number -> where it stands, formula
        self.row, self.address = 0, ""
        self.pieces: list[str] = []
        self.attributes: dict[str, str] = {}

    def first(self, name: str, _: dict[str, str]) -> None:
        """Take the outermost element, whose prefix all others have."""
        prefix = name.rpartition("worksheet")[0]
        self.tags = self.cell, self.formula, self.line = f"{prefix}c", f"{prefix}f", f"{prefix}row"
        self.parser.StartElementHandler = self.start

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """Take the beginning of an element."""
        if name == self.cell:
            self.address = attributes.get("r") or self._following()
            if self.address in self.wanted:
                self.found[self.address] = None, int(attributes.get("s", "0"))
                self.parser.EndElementHandler = self.end
        elif name == self.formula:
            if self.address in self.wanted or attributes.get("t") == "shared":
                self.attributes, self.pieces = attributes, []
                self.parser.CharacterDataHandler = self.pieces.append
                self.parser.EndElementHandler = self.end
        elif name == self.line:
            self.row, self.address = int(attributes.get("r", self.row + 1)), ""

    def _following(self) -> str:
        """Name the cell behind the one before: few programs leave out where a cell stands."""
        return a1(self.row - 1, parse_a1(self.address)[1] + 1 if self.address else 0)

    def end(self, name: str) -> None:
        """Take the end of an element."""
        if name == self.formula:
            self.parser.CharacterDataHandler = None
            formula = self._spelled("".join(self.pieces))
            if self.address in self.found:
                self.found[self.address] = f"={formula}", self.found[self.address][1]
        elif name == self.cell:
            self.parser.EndElementHandler = None
            if len(self.found) == len(self.wanted):
                raise _DoneError

    def _spelled(self, text: str) -> str:
        """Keep a formula that others share; where this one shares another, spell that as it reads here."""
        number = self.attributes.get("si") if self.attributes.get("t") == "shared" else None
        if number is None or len(text) > MAX_FORMULA:
            return text
        if text:
            if len(self.shared) < MAX_SHARED:
                self.shared[number] = self.address, text
            return text
        return _moved(*self.shared[number], self.address) if number in self.shared else ""


def _moved(origin: str, formula: str, address: str) -> str:
    """Spell a formula as it reads in another cell."""
    from openpyxl.formula.tokenizer import TokenizerError
    from openpyxl.formula.translate import Translator, TranslatorError

    try:
        return str(Translator(f"={formula}", origin).translate_formula(address)).removeprefix("=")
    except (TokenizerError, TranslatorError, ValueError, IndexError):
        return ""


# --- cells that read blank ----------------------------------------------------------------------

MAX_TAG = 1_000  # bytes; the opening tag of a cell has a few short attributes
_ROOT = re.compile(rb"<(\w+:)?worksheet\b")
_ADDRESS = re.compile(rb"\br=[\"']([A-Z]+\d+)[\"']")
_KIND = re.compile(rb"\bt=[\"'](\w+)[\"']")
_FORMULA = re.compile(rb"<(?:\w+:)?f\b[^>]*?(?:/>|>([^<]*)<)")
_VALUE = re.compile(rb"<(?:\w+:)?v\b[^>]*?(?:/>|>([^<]*)<)")


@cache
def _suspects(prefix: bytes) -> tuple[re.Pattern[bytes], ...]:
    """Return what finds formulas that no value follows, and errors; apart, each begins with bytes found fast."""
    no_value = rb"(?!<" + prefix + rb"v>[^<])"
    formulas = (rb"</" + prefix + rb"f>" + no_value, rb"<" + prefix + rb"f [^<>]*/>" + no_value)
    return tuple(map(re.compile, (*formulas, rb' t="e"', rb" t='e'")))


def broken_cells(package: Package, places: Iterable[Place]) -> dict[Place, Broken]:
    """Find which of some cells that read blank are formulas without a value, or errors."""
    wanted = set(places)
    addresses = {address.encode() for _, address in wanted}
    found: dict[Place, Broken] = {}
    names: dict[str, str] = {}
    for part in ooxml.sheet_parts(package) if wanted else ():
        with contextlib.suppress(UnreadableError):  # that a sheet is damaged was said when it was read
            for address, why in _broken(package.read(part), addresses):
                names = names or ooxml.sheet_names(package)
                place = (names.get(part, ""), address)
                if place in wanted:
                    found[place] = why
    return found


def _broken(part: bytes, addresses: Container[bytes]) -> Iterator[tuple[str, Broken]]:
    """Find the broken cells of a sheet, from where it shows: this is done for each file and has to be quick."""
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
            if address is None or address[1] not in addresses or address[1] in done:
                continue
            done.add(address[1])
            inside = part[start + len(head) : part.find(last, match.end())]
            if (why := _why(_KIND.search(head), inside)) is not None:
                yield address[1].decode(), why


def _why(kind: re.Match[bytes] | None, inside: bytes) -> Broken | None:
    formula, value = _FORMULA.search(inside), _VALUE.search(inside)
    typed, cached = f"={_text(formula)}" if formula else "", _text(value) if value else ""
    if kind is not None and kind[1] == b"e":
        return Broken(typed, cached or "#N/A")
    text = value is not None and kind is not None and kind[1] == b"str"  # a formula whose value is no text: ""
    return None if cached or text or formula is None else Broken(typed, "")


def _text(match: re.Match[bytes]) -> str:
    return html.unescape((match[1] or b"").decode("utf-8", "replace")).strip()
