"""What kpixl wrote on its own sheets of a summary, kept on a hidden sheet, so that later edits can be listed.

Values are kept as text that survives re-saving by Excel, WPS and LibreOffice: numbers count to 13 digits, dates as
serial numbers, and results of formulas not at all (a saved filter changes them).
"""

from __future__ import annotations

import base64
import binascii
import json
import re
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from kpixl.a1 import quoted
from kpixl.forms.definition import Form, Value
from kpixl.forms.values import fits_float, number_text
from kpixl.output.workbook import Book, date_of, first_year, serial
from kpixl.portfolio.model import Portfolio
from kpixl.portfolio.sheet_id import OWN_SHEET

SHEET = OWN_SHEET
FORMAT = 2  # 1 held a checksum for each row
KIND = "summary"
NAME_PREFIX = "kpixl."
FORMULA = "\x02="  # in place of a formula, whose text every program spells its own way
_DATE = "\x04"  # in front of a date's serial number, so that it can be shown as a date
# What programs spell in several ways, and XML cannot hold.
_UNSTABLE = re.compile(r"_x[0-9A-Fa-f]{4}_|[\x00-\x08\x0b-\x1f]")
_LAST_DAY = 2_958_465  # 9999-12-31, by Excel's number
_CHUNK = 32_000  # characters; a cell holds 32,767
_MAX_UNPACKED = 256 << 20  # bytes; the hidden sheet comes from a file that anybody may have edited


# --- one row ----------------------------------------------------------------------------------

Row = tuple[str, ...]


def spelled_row(values: Iterable[Value | float], offset: int = 0) -> Row:
    """Spell the values of a row, without the blanks at its end. `offset`: days between 1900 and the first day."""
    row = [_spelled(value, offset) for value in values]
    while row and not row[-1]:
        row.pop()
    return tuple(row)


def _spelled(value: Value | float, offset: int) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return _UNSTABLE.sub("", value) if value != FORMULA and _UNSTABLE.search(value) else value
    if isinstance(value, Decimal):
        return _number(float(value)) if fits_float(value) else number_text(value)
    if isinstance(value, date):
        return value.isoformat() if value.year < first_year(offset) else f"{_DATE}{serial(value, offset)}"
    return _number(float(value))


def _number(number: float) -> str:
    return f"{number + 0.0:.13g}"


def plain(text: str) -> str:
    """Return a spelled value as another program may have saved it: a date is then a number."""
    return text.removeprefix(_DATE)


def shown(text: str, like: str, offset: int) -> str:
    """Return a spelled value for people; a number is shown as a date where `like` is one."""
    number = plain(text)
    if like.startswith(_DATE) and number.isdecimal() and len(number) < 8 and int(number) <= _LAST_DAY - offset:
        return date_of(int(number), offset)
    return number


# --- a sheet of ours --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SummarySheet:
    """A sheet that was written: its values row by row, FORMULA in place of each formula, and how many charts."""

    role: str
    name: str
    rows: tuple[Sequence[Value], ...]
    charts: int = 0


@dataclass(frozen=True, slots=True)
class RememberedSheet:
    """A sheet as the hidden one remembers it; `rows` is None where another version of kpixl wrote it."""

    name: str
    rows: tuple[Row, ...] | None
    charts: int = 0


@dataclass(frozen=True, slots=True)
class Memory:
    """What the hidden sheet of a summary holds: its language and its own sheets by role."""

    lang: str
    sheets: Mapping[str, RememberedSheet]


def write_memory(book: Book, form: Form, portfolio: Portfolio, lang: str, own: Sequence[SummarySheet]) -> None:
    """Add the hidden sheet: what the workbook is in A1, below it the packed values of all sheets of ours."""
    sheet = book.sheet(SHEET)
    facts: dict[str, Any] = {
        "kpixl": FORMAT,
        "kind": KIND,
        "form": form.id,
        "version": form.version,
        "year": portfolio.year,
        "lang": lang,
        "sheets": {s.role: s.name for s in own},
        "charts": {s.role: s.charts for s in own if s.charts},
    }
    sheet.write(0, 0, json.dumps(facts, ensure_ascii=False, separators=(",", ":")))
    packed = _pack(own, book.date_offset)
    for row, start in enumerate(range(0, len(packed), _CHUNK), 1):
        sheet.write(row, 0, packed[start : start + _CHUNK])
    for one in own:
        # A name follows its sheet when somebody renames it.
        book.define(NAME_PREFIX + one.role, f"={quoted(one.name)}!$A$1")
    sheet.raw.very_hidden()


def _pack(own: Sequence[SummarySheet], offset: int) -> str:
    """Pack the values, each text once: what the sheets show is much the same."""
    texts: dict[str, int] = {"": 0}
    known: dict[Value, int] = {}  # spelling a value takes longer than finding it here

    def number(value: Value) -> int:
        found = known.get(value)
        if found is None:
            text = _spelled(value, offset)
            found = known[value] = texts.setdefault(text, len(texts))
        return found

    def packed(values: Sequence[Value]) -> list[int]:
        row = [number(value) for value in values]
        while row and not row[-1]:
            row.pop()
        return row

    sheets = {sheet.role: [packed(row) for row in sheet.rows] for sheet in own}
    data = json.dumps([list(texts), sheets], ensure_ascii=False, separators=(",", ":"))
    return base64.b64encode(zlib.compress(data.encode("utf-8", "surrogatepass"), 6)).decode()


def read_memory(cells: Sequence[str]) -> Memory | None:
    """Read the first column of the hidden sheet; None where it is that of no summary, or damaged."""
    try:
        facts = json.loads(cells[0])
        if facts["kind"] != KIND:
            return None
        listed = facts["sheets"].items()
        names = {str(role): str(spec if isinstance(spec, str) else spec["name"]) for role, spec in listed}
        rows: Mapping[str, tuple[Row, ...] | None] = dict.fromkeys(names)
        if facts["kpixl"] == FORMAT:
            rows = _unpack("".join(cells[1:]))
        # Earlier versions had two charts on a sheet of their own and did not count them.
        charts = {str(role): int(count) for role, count in facts.get("charts", {"charts": 2}).items()}
        sheets = {role: RememberedSheet(name, rows[role], charts.get(role, 0)) for role, name in names.items()}
        return Memory(str(facts["lang"]), sheets)
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError, OverflowError):
        return None


def _unpack(packed: str) -> dict[str, tuple[Row, ...]]:
    try:
        unpacker = zlib.decompressobj()
        data = unpacker.decompress(base64.b64decode(packed, validate=True), _MAX_UNPACKED)
    except (zlib.error, binascii.Error) as error:
        raise ValueError("damaged") from error
    if not unpacker.eof:
        raise ValueError("too large")
    texts, sheets = json.loads(data.decode("utf-8", "surrogatepass"))
    texts = [str(text) for text in texts]
    return {str(role): tuple(tuple(texts[number] for number in row) for row in rows) for role, rows in sheets.items()}
