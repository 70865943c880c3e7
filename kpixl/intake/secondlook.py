"""The second look at an Office Open XML workbook, where calamine's answer leaves a doubt (design 4.1).

calamine gives values only. Whether a cell is a formula or shown as per cent, openpyxl tells, in its read-only way; why
a cell reads blank stands in the part of its sheet, which takes next to nothing.
"""

from __future__ import annotations

import contextlib
import html
import io
import re
import warnings
from collections.abc import Container, Iterable, Iterator, Mapping
from functools import cache
from typing import Any

from kpixl.cells import parse_a1
from kpixl.grids import UnreadableError, ooxml
from kpixl.grids.packages import ERRORS, Package
from kpixl.intake.looks import Broken, Look, Place, Seen
from kpixl.intake.record import MAX_ALIKE

# What openpyxl reads of a workbook whatever is asked of it, and how much of that is read: an object is made of each
# style, name and string. 8 MiB are 60,000 styles, nearly as many as Excel can have, and take 4 s.
_READ_ALWAYS = ("xl/workbook.xml", "xl/styles.xml", "xl/sharedstrings.xml", "xl/theme/theme1.xml")
MAX_READ = 8 << 20
# What openpyxl raises over a damaged part; both XML parsers raise SyntaxError.
_ERRORS = (*ERRORS, SyntaxError, LookupError, TypeError, AttributeError, OverflowError)


def look(package: Package, places: Iterable[Place]) -> Look | None:
    """Look at some cells with openpyxl; None where it cannot open the workbook, or would take too long.

    In its read-only way it reads the rows up to the last one asked for and nothing else of a sheet, as merged ranges.
    """
    if sum(package.names[name].file_size for name in _READ_ALWAYS if name in package.names) > MAX_READ:
        return None
    import openpyxl
    from openpyxl.utils.datetime import CALENDAR_MAC_1904
    from openpyxl.utils.exceptions import InvalidFileException

    wanted: dict[str, dict[tuple[int, int], Place]] = {}
    for sheet, address in places:
        wanted.setdefault(sheet, {})[parse_a1(address)] = (sheet, address)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            book = openpyxl.load_workbook(io.BytesIO(package.content), read_only=True, keep_links=False)
            seen: dict[Place, Seen] = {}
            for sheet in wanted.keys() & set(book.sheetnames):
                seen |= _seen(book[sheet], wanted[sheet])
        return Look(seen, from_1904=book.epoch == CALENDAR_MAC_1904)
    except (*_ERRORS, InvalidFileException):
        return None


# Formats that files only name by number and openpyxl does not know: 6月8日 in a Chinese Excel.
_YEARLESS = frozenset({28, 29, 51, 53, 54, 58})


def _seen(sheet: Any, places: Mapping[tuple[int, int], Place]) -> dict[Place, Seen]:
    rows, cols = [row for row, _ in places], [col for _, col in places]
    found = {}
    lines = sheet.iter_rows(min_row=min(rows) + 1, max_row=max(rows) + 1, max_col=max(cols) + 1)
    for number, cells in enumerate(lines, min(rows)):
        for col, cell in enumerate(cells):
            if (number, col) in places and cell.value is not None:
                formula = str(cell.value) if cell.data_type == "f" else None
                shown = cell.number_format or ""
                yearless = cell.style_array.numFmtId in _YEARLESS if shown == "General" else "y" not in shown.casefold()
                found[places[number, col]] = Seen(formula, "%" in shown, yearless)
        if number == max(rows):
            break  # else what follows the rows is parsed as well, be it a million rules
    return found


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


def broken_cells(package: Package, places: Iterable[Place], sheets: Container[str] = ()) -> dict[Place, Broken]:
    """Find which of some cells that read blank are formulas without a value, or errors; of `sheets`, which of all."""
    wanted = set(places)
    addresses = {address.encode() for _, address in wanted}
    found: dict[Place, Broken] = {}
    names = ooxml.sheet_names(package) if sheets else {}
    others = 0
    for part in ooxml.sheet_parts(package) if wanted or sheets else ():
        every = names.get(part, "") in sheets
        with contextlib.suppress(UnreadableError):  # that a sheet is damaged was said when it was read
            for address, why in _broken(package.read(part), None if every else addresses):
                names = names or ooxml.sheet_names(package)
                place = (names.get(part, ""), address)
                others += place not in wanted
                if place in wanted or (every and others <= MAX_ALIKE):
                    found[place] = why
    return found


def _broken(part: bytes, addresses: Container[bytes] | None) -> Iterator[tuple[str, Broken]]:
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
