"""The second look at a workbook, where calamine's answer leaves a doubt (design 4.1).

calamine gives values only. Whether a cell is a formula or shown as per cent, openpyxl tells, which takes long; why a
cell reads blank stands in the part of its sheet, which takes next to nothing.
"""

from __future__ import annotations

import html
import io
import re
import warnings
import zipfile
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple
from xml.etree.ElementTree import ParseError

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
        ParseError,
        KeyError,
        ValueError,
        TypeError,
        IndexError,
        AttributeError,
        OverflowError,
    ):
        return None


# --- cells that read blank ----------------------------------------------------------------------

_KIND = re.compile(rb"\st=[\"'](\w+)[\"']")
_FORMULA = re.compile(rb"<(?:\w+:)?f\b[^>]*?(?:/>|>([^<]*)<)")
_VALUE = re.compile(rb"<(?:\w+:)?v\b[^>]*?(?:/>|>([^<]*)<)")


def broken_cells(package: Package, places: Iterable[Place]) -> dict[Place, Broken]:
    """Find which of some cells that read blank are formulas without a value, or errors."""
    wanted: dict[str, list[str]] = defaultdict(list)
    for sheet, address in places:
        wanted[sheet].append(address)
    found: dict[Place, Broken] = {}
    if wanted:
        for part, sheet in ooxml.sheet_names(package).items():
            if sheet in wanted:
                found |= {(sheet, address): why for address, why in _broken(package.read(part), wanted[sheet])}
    return found


def _broken(part: bytes, addresses: Iterable[str]) -> Iterator[tuple[str, Broken]]:
    names = "|".join(sorted(set(addresses))).encode()
    cell = re.compile(
        rb"<(?:\w+:)?c\s(?:[^>]*?\s)?r=[\"'](" + names + rb")[\"'][^>]*?(?:/>|>(.*?)</(?:\w+:)?c>)", re.DOTALL
    )
    for match in cell.finditer(part):
        inside = match[2] or b""
        kind, formula, value = _KIND.search(match[0].partition(b">")[0]), _FORMULA.search(inside), _VALUE.search(inside)
        cached = _text(value) if value else ""
        typed = f"={_text(formula)}" if formula else ""
        if kind is not None and kind[1] == b"e":
            yield match[1].decode(), Broken(typed, cached or "#N/A")
        elif formula and not cached and (value is None or kind is None or kind[1] != b"str"):
            yield match[1].decode(), Broken(typed, "")


def _text(match: re.Match[bytes]) -> str:
    return html.unescape((match[1] or b"").decode("utf-8", "replace")).strip()
