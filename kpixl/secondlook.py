"""The second look at a workbook, where calamine's answer leaves a doubt (design 4.1).

calamine gives values only. Whether a cell is a formula or shown as per cent, openpyxl tells, which takes long; why a
cell reads blank stands in the part of its sheet, which takes next to nothing.
"""

from __future__ import annotations

import html
import io
import itertools
import re
import warnings
import zipfile
import zlib
from collections.abc import Container, Iterable, Iterator, Mapping
from functools import cache
from typing import NamedTuple

from kpixl.grids import ooxml
from kpixl.grids.packages import Package

Place = tuple[str, str]  # sheet and A1


class Seen(NamedTuple):
    """What openpyxl says of a cell: its formula, = first, and whether it is shown as per cent."""

    formula: str | None
    percent: bool


class Look(NamedTuple):
    """What openpyxl says of a workbook."""

    cells: Mapping[Place, Seen]
    from_1904: bool


class Broken(NamedTuple):
    """Why a cell reads blank that is not: a formula that was never calculated (`error` is blank), or an error."""

    formula: str
    error: str


def look(content: bytes, places: Iterable[Place]) -> Look | None:
    """Open a workbook with openpyxl and look at some cells; None where openpyxl cannot open it."""
    import openpyxl
    from openpyxl.utils.datetime import CALENDAR_MAC_1904
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            book = openpyxl.load_workbook(io.BytesIO(content))
        cells = {}
        for sheet, address in places:
            if sheet in book.sheetnames:
                cell = book[sheet][address]
                formula = str(cell.value) if cell.data_type == "f" else None
                cells[sheet, address] = Seen(formula, "%" in (cell.number_format or ""))
        return Look(cells, book.epoch == CALENDAR_MAC_1904)
    except (
        InvalidFileException,
        zipfile.BadZipFile,
        zlib.error,
        SyntaxError,  # what both XML parsers raise
        EOFError,
        NotImplementedError,
        RuntimeError,
        OSError,
        KeyError,
        ValueError,
        TypeError,
        IndexError,
        AttributeError,
        OverflowError,
    ):
        return None


# --- cells that read blank ----------------------------------------------------------------------

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
    for match in itertools.chain.from_iterable(pattern.finditer(part) for pattern in _suspects(prefix)):
        start = part.rfind(first, 0, match.start())
        head, _, inside = part[start : part.find(last, match.end())].partition(b">")
        address, kind = _ADDRESS.search(head), _KIND.search(head)
        if start < 0 or address is None or address[1] not in addresses:
            continue
        formula, value = _FORMULA.search(inside), _VALUE.search(inside)
        typed, cached = f"={_text(formula)}" if formula else "", _text(value) if value else ""
        if kind is not None and kind[1] == b"e":
            yield address[1].decode(), Broken(typed, cached or "#N/A")
        elif not cached and (value is None or kind is None or kind[1] != b"str"):
            yield address[1].decode(), Broken(typed, "")


def _text(match: re.Match[bytes]) -> str:
    return html.unescape((match[1] or b"").decode("utf-8", "replace")).strip()
