"""Inspects a binary workbook (.xlsb), for which there is no well-kept library: [MS-XLSB] 2.4 numbers the records.

Number formats, fonts, formulas and the date system are read; why a cell reads blank is not.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from functools import partial

from kpixl.forms.values import to_decimal
from kpixl.readers import biff, formulas, number_formats, xlsx
from kpixl.readers.grid import UnreadableError
from kpixl.readers.package import OpenedPackage
from kpixl.recognise.inspected import Inspected, Look, Place, Run, inspected

_STYLES, _STRINGS, _BOOK = "xl/styles.bin", "xl/sharedstrings.bin", "xl/workbook.bin"
MAX_READ = 8 << 20  # bytes of styles and strings together, as of a .xlsx
_FORMAT, _FONT, _XF, _BEGIN_XFS, _END_XFS, _PROPERTIES = 44, 43, 47, 617, 618, 153
_ROW, _RK, _REAL, _TEXT, _SHARED, _TEXT_FORMULA, _NUMBER_FORMULA, _ITEM = 0, 2, 5, 6, 7, 8, 9, 19
_STRUCK, _RICH, _RAISED = 0x08, 0x01, {1: 1, 2: -1}
_HEAD = 8  # bytes before the value of a cell: its column, and its style in three bytes
_FLAGS = 2  # bytes between the value of a formula and the length of its tokens

Font = tuple[bool, int]
Pieces = Sequence[tuple[str, int | None]]  # of a string, each with the number of its font; None is that of the cell


def is_marked(package: OpenedPackage) -> bool:
    """Return whether any cell may show something else than its value, or have text struck out or raised."""
    try:
        styles = _Styles(package.read(_STYLES))
    except (UnreadableError, struct.error, IndexError):
        return False
    codes = (styles.codes.get(number, number_formats.built_in(number)) for number, _ in styles.cells)
    return any(struck or raised for struck, raised in styles.fonts) or not all(
        code is None or number_formats.is_plain(code) for code in codes
    )


def look(package: OpenedPackage, places: Iterable[Place]) -> Look | None:
    """Inspect some cells; None where the workbook has no styles, or they are damaged or too many."""
    wanted: dict[str, dict[tuple[int, int], Place]] = {}
    for sheet, cell in places:
        wanted.setdefault(sheet, {})[cell] = (sheet, cell)
    sizes = [package.names[name].file_size for name in (_STYLES, _STRINGS, _BOOK) if name in package.names]
    if _STYLES not in package.names or sum(sizes) > MAX_READ:
        return None
    try:
        styles, from_1904 = _Styles(package.read(_STYLES)), _is_from_1904(package.read(_BOOK))
        cells: dict[Place, _Cell] = {}
        for part, sheet in xlsx.sheet_names(package).items():
            if sheet in wanted and part in package.names:
                cells |= _cells(package.read(part), wanted[sheet])
        strings = _strings(package.read(_STRINGS), {cell.string for cell in cells.values()})
    except (UnreadableError, struct.error, IndexError):
        return None
    seen = {place: cell.inspected(styles, strings, from_1904) for place, cell in cells.items()}
    return Look(seen, from_1904=from_1904)


def _is_from_1904(book: bytes) -> bool:
    return any(kind == _PROPERTIES and book[at] & 1 for kind, at, _ in biff.packed_records(book))


def _wide(data: bytes, at: int) -> tuple[str, int]:
    """Decode a text, its length in four bytes before it; return where it ends as well."""
    (size,) = struct.unpack_from("<I", data, at)
    end = at + 4 + 2 * size
    if end > len(data):
        raise IndexError(size)
    return data[at + 4 : end].decode("utf-16-le", "replace"), end


class _Styles:
    """The number formats and the fonts of cells, by the number of their style."""

    def __init__(self, data: bytes) -> None:
        self.codes: dict[int, str] = {}
        self.fonts: list[Font] = []
        self.cells: list[tuple[int, int]] = []  # number format and font
        inside = False
        for kind, at, _ in biff.packed_records(data):
            if kind == _FORMAT:
                self.codes[int.from_bytes(data[at : at + 2], "little")] = _wide(data, at + 2)[0]
            elif kind == _FONT:
                _, flags, _, raised = struct.unpack_from("<4H", data, at)
                self.fonts.append((bool(flags & _STRUCK), _RAISED.get(raised, 0)))
            elif kind in (_BEGIN_XFS, _END_XFS):
                inside = kind == _BEGIN_XFS
            elif kind == _XF and inside:
                self.cells.append(struct.unpack_from("<2H", data, at + 2))

    def of(self, style: int) -> tuple[str | None, int]:
        """Return the number format of a style, and the number of its font."""
        number, font = self.cells[style] if style < len(self.cells) else (0, 0)
        return self.codes.get(number, number_formats.built_in(number)), font

    def font(self, number: int) -> Font:
        """Return whether a font strikes text out, and whether it raises (1) or lowers (-1) it."""
        return self.fonts[number] if number < len(self.fonts) else (False, 0)


class _Cell:
    """A cell as it is stored: `string` is the number of its shared string, -1 for none."""

    def __init__(self, style: int, value: Decimal | str | None, formula: str | None, string: int = -1) -> None:
        self.style, self.value, self.formula, self.string = style, value, formula, string

    def inspected(self, styles: _Styles, strings: Mapping[int, Pieces], from_1904: bool) -> Inspected:
        """Return its record."""
        code, font = styles.of(self.style)
        pieces = strings.get(self.string, [(self.value, None)] if isinstance(self.value, str) else [])
        runs = tuple(Run(text, *styles.font(font if number is None else number)) for text, number in pieces)
        value = "".join(run.text for run in runs) if runs else self.value
        found = inspected(value, code, formula=self.formula, runs=runs, from_1904=from_1904)
        if isinstance(value, Decimal) and styles.font(font)[0]:  # a number that is struck out
            shown = found.display.text if found.display else number_formats.general(value)
            return inspected(value, code, formula=self.formula, runs=(Run(shown, True),), from_1904=from_1904)
        return found


def _cells(data: bytes, wanted: Mapping[tuple[int, int], Place]) -> dict[Place, _Cell]:
    found: dict[Place, _Cell] = {}
    row, last = -1, max(row for row, _ in wanted)
    for kind, at, length in biff.packed_records(data):
        if kind == _ROW:
            (row,) = struct.unpack_from("<I", data, at)
            if row > last:
                break
        elif kind in _VALUES and row >= 0:
            (column,) = struct.unpack_from("<I", data, at)
            if (place := wanted.get((row, column))) is not None:
                style = int.from_bytes(data[at + 4 : at + 7], "little")
                found.setdefault(place, _VALUES[kind](style, data[at + _HEAD : at + length]))
    return found


def _rk(style: int, data: bytes) -> _Cell:
    """Read a number in four bytes: a whole one, or the upper half of a float; either may be a hundredfold."""
    (number,) = struct.unpack_from("<i", data)
    value = float(number >> 2) if number & 2 else struct.unpack("<d", bytes(4) + struct.pack("<i", number & ~3))[0]
    return _Cell(style, _decimal(value / 100 if number & 1 else value), None)


def _decimal(value: float) -> Decimal | None:
    decimal = to_decimal(value)
    return decimal if decimal.is_finite() else None


def _real(style: int, data: bytes) -> _Cell:
    return _Cell(style, _decimal(struct.unpack_from("<d", data)[0]), None)


def _formula(style: int, data: bytes, *, text: bool) -> _Cell:
    value, end = _wide(data, 0) if text else (_decimal(struct.unpack_from("<d", data)[0]), 8)
    (length,) = struct.unpack_from("<I", data, end + _FLAGS)
    spelled = formulas.spelled(data[end + _FLAGS + 4 :], length, packed=True)
    return _Cell(style, value, spelled)


_VALUES: Mapping[int, Callable[[int, bytes], _Cell]] = {
    _RK: _rk,
    _REAL: _real,
    _TEXT: lambda style, data: _Cell(style, _wide(data, 0)[0], None),
    _SHARED: lambda style, data: _Cell(style, None, None, int.from_bytes(data[:4], "little")),
    _NUMBER_FORMULA: partial(_formula, text=False),
    _TEXT_FORMULA: partial(_formula, text=True),
}


def _strings(data: bytes, wanted: Container[int]) -> dict[int, Pieces]:
    """Map the shared strings that were asked for to their pieces of text."""
    found: dict[int, Pieces] = {}
    items = ((at, length) for kind, at, length in biff.packed_records(data) if kind == _ITEM)
    for number, (at, length) in enumerate(items):
        if number in wanted:
            item = data[at : at + length]
            text, end = _wide(item, 1)
            runs = _runs(item, end) if item[0] & _RICH else iter(())
            changes: list[tuple[int, int | None]] = [(0, None), *runs]
            units = text.encode("utf-16-le", "surrogatepass")  # runs are counted in these, two bytes each
            ends = [start for start, _ in changes[1:]] + [len(units) // 2]
            found[number] = [
                (units[2 * a : 2 * b].decode("utf-16-le", "replace"), font)
                for (a, font), b in zip(changes, ends, strict=True)
                if a < b
            ]
    return found


def _runs(item: bytes, at: int) -> Iterator[tuple[int, int]]:
    (count,) = struct.unpack_from("<I", item, at)
    for number in range(min(count, (len(item) - at) // 4)):
        yield struct.unpack_from("<2H", item, at + 4 + 4 * number)
