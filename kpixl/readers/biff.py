"""What a binary workbook (.xls, .xlsb) would cost to read, seen before calamine takes memory for it.

calamine makes room for the rectangle around all cells of a sheet, and one cell may claim any address: so the
records are walked first. What a sheet declares of its own size is not believed.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence

from kpixl.readers import formulas, ole
from kpixl.readers.extents import Extent, FilledBox
from kpixl.readers.grid import broken, exceeded
from kpixl.readers.limits import Limits

_PAIR = struct.Struct("<2H")
_BOF, _EOF, _BOUND_SHEET, _DIMENSIONS, _MERGES, _MUL_RK = 0x809, 0x0A, 0x85, 0x200, 0xE5, 0xBD
_CELLS = frozenset({0x06, 0xBD, 0xD6, 0xFD, 0x203, 0x204, 0x205, 0x27E})
_FORMULA, _BOOL_OR_ERROR, _NOTE, _TEXT = 0x06, 0x205, 0x1C, 0x207
_LOOKED_AT = _CELLS | {_BOF, _EOF, _DIMENSIONS, _MERGES, _NOTE, _TEXT}
_VERSION_8 = 0x600
_MAX_DECLARED = 65_536 * 256  # cells of a whole sheet; calamine reserves what a sheet declares
_MAX_WALKED = 4  # times the stream: sheets stand one after another, so that walking all of them is walking it once
_DECLARED = ("工作表声明的范围有误", "a sheet declares a range that no sheet can have")
_PLACES = ("工作表的位置有误", "the places of its sheets are wrong")


def old_extents(content: bytes) -> list[Extent]:
    """Return the extent of every sheet of a .xls. Raises UnreadableError where its sheets lie over each other."""
    return [extent for stream in ole.workbook_streams(content) for extent in _stream_extents(stream)]


def _stream_extents(stream: bytes) -> Iterator[Extent]:
    room = len(stream) * _MAX_WALKED
    for place, name in _bound_sheets(stream):
        extent, end = _sheet(stream, place, name)
        room -= max(0, end - place)
        if room < 0:
            raise broken(_PLACES)
        yield extent


def _bound_sheets(stream: bytes) -> list[tuple[int, str]]:
    """List where the sheets begin, and their names."""
    found: list[tuple[int, str]] = []
    at, version = 0, 0
    while at + 8 <= len(stream):
        kind, length = _PAIR.unpack_from(stream, at)
        data = stream[at + 4 : at + 4 + length] if kind in (_BOF, _BOUND_SHEET) else b""
        if kind == _BOF:
            version = int.from_bytes(data[:2], "little")
        elif kind == _BOUND_SHEET:
            found.append((int.from_bytes(data[:4], "little"), _sheet_name(data[6:], version)))
        elif kind == _EOF:
            break
        at += 4 + length
    return found


def _sheet_name(data: bytes, version: int) -> str:
    """Decode a name: its length, then from version 8 on whether its characters are two bytes each."""
    if version < _VERSION_8:
        return data[1:].decode("gb18030", "replace")
    return data[2:].decode("utf-16-le" if data[1:2] == b"\1" else "latin-1", "replace")


def _sheet(stream: bytes, at: int, name: str) -> tuple[Extent, int]:
    """Walk the records of a sheet to its end; charts within are walked as well."""
    box, merges, end, suspect = FilledBox(), 0, at, False
    unpack, cells = _PAIR.unpack_from, _CELLS
    texts: dict[tuple[int, int], str] = {}
    row = col = 0
    for kind, place, length in _walk(stream, at):
        end = place
        if kind in cells:
            row, col = unpack(stream, place)
            box.add(row, col, col + max(0, length // 6 - 2 if kind == _MUL_RK else 0))
            suspect = suspect or _is_error(kind, stream[place + 6 : place + 14])
        elif kind == _MERGES:
            merges += unpack(stream, place)[0]
        elif kind == _TEXT and length >= _FULL and stream[place + length : place + length + 2] == _CONTINUED:
            texts[row, col] = _long_text(stream, place, length)
        elif kind == _DIMENSIONS and _declared(stream[place : place + length]) > _MAX_DECLARED:
            raise broken(_DECLARED)
    return Extent(name, box.cells, merges, suspect, texts), end


_FULL = 8_000  # bytes of a record that may go on in the next one; it holds 8,224 at most
_CONTINUED = b"\x3c\0"


def _long_text(stream: bytes, at: int, length: int) -> str:
    """Read the text that a formula shows, over all its records: calamine stops at the end of the first one."""
    left = int.from_bytes(stream[at : at + 2], "little")
    place, flags, pieces = at + 3, stream[at + 2], []
    while True:
        data = stream[place : at + length]
        piece = data.decode("utf-16-le", "replace") if flags & 1 else data.decode("latin-1")
        pieces.append(piece[:left])
        left -= len(piece)
        at += length
        if left <= 0 or stream[at : at + 2] != _CONTINUED or at + 5 > len(stream):
            return "".join(pieces)
        length = int.from_bytes(stream[at + 2 : at + 4], "little")
        at, place, flags = at + 4, at + 5, stream[at + 4]


def _walk(stream: bytes, at: int) -> Iterator[tuple[int, int, int]]:
    """Yield the records that are looked at of a sheet: kind, and place and length of what they hold."""
    depth, end, unpack, looked_at = 0, len(stream), _PAIR.unpack_from, _LOOKED_AT
    while at + 8 <= end:
        kind, length = unpack(stream, at)
        at += 4
        if kind in looked_at:
            yield kind, at, length
            if kind == _BOF:
                depth += 1
            elif kind == _EOF:
                depth -= 1
                if depth <= 0:
                    break
        at += length


def _is_error(kind: int, value: bytes) -> bool:
    """Return whether a cell shows an error, given its kind and what follows its place and its format."""
    if kind == _BOOL_OR_ERROR:
        return value[1:2] == b"\1"
    return kind == _FORMULA and value[0:1] == b"\2" and value[6:8] == b"\xff\xff"


def _declared(data: bytes) -> int:
    """Return how many cells a sheet declares, in either of the two ways."""
    if len(data) == 14:
        first, last, left, right = struct.unpack_from("<2I2H", data)
    elif len(data) == 10:
        first, last, left, right = struct.unpack_from("<4H", data)
    else:
        return 0
    if not last or not right:
        return 0
    # Where the end is before the beginning, calamine counts as machines do.
    return int((last - first) % (1 << 32) * max(right, right - left))


# --- what calamine reads wrong ------------------------------------------------------------------

_CODEPAGE, _FORMAT, _STYLE = 0x42, 0x41E, 0xE0
_UNICODE = 1200
# Numbers of formats that calamine takes from the file; any other is to it what Excel has built in, dates among them.
_OWN_FORMATS = frozenset({*range(5, 9), *range(23, 27), *range(41, 45), *range(63, 67), *range(164, 383)})
_KINDS_OF_SHEETS, _MAX_STATE, _CHART = frozenset({0, 1, 2, 6}), 2, 2


def readable(content: bytes) -> bytes:
    """Return a .xls as calamine reads it rightly, where one of these makes it go wrong without a word.

    Texts of version 8 are Unicode whatever the code page, which Java's jxl writes otherwise. Gnumeric gives formats of
    its own the numbers 50 to 58, which are dates in a Chinese Excel. A sheet of an unknown kind, or state, costs all.
    """
    changed = None
    for stream in ole.streams(content):
        for at, value in _global_edits(stream.data):
            changed = changed or bytearray(content)
            for place, byte in enumerate(value):
                changed[stream.place(at + place)] = byte
    return bytes(changed) if changed else content


def _global_edits(stream: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield what is to be changed in the records before the first sheet: place and bytes."""
    at, version = 0, 0
    formats: dict[int, int] = {}  # place of a record -> number
    styles: dict[int, int] = {}  # place of the number of a style's format -> that number
    while at + 8 <= len(stream):
        kind, length = _PAIR.unpack_from(stream, at)
        at += 4
        if kind == _BOF:
            version = int.from_bytes(stream[at : at + 2], "little")
        elif kind == _CODEPAGE and version == _VERSION_8 and stream[at : at + 2] != _UNICODE.to_bytes(2, "little"):
            yield at, _UNICODE.to_bytes(2, "little")
        elif kind == _FORMAT:
            formats[at] = int.from_bytes(stream[at : at + 2], "little")
        elif kind == _STYLE and length >= 4:
            styles[at + 2] = int.from_bytes(stream[at + 2 : at + 4], "little")
        elif kind == _BOUND_SHEET and length >= 6:
            if stream[at + 4] & 0x3F > _MAX_STATE:
                yield at + 4, bytes([_MAX_STATE])
            if stream[at + 5] not in _KINDS_OF_SHEETS:
                yield at + 5, bytes([_CHART])
        elif kind == _EOF:
            break
        at += length
    yield from _renumbered(formats, styles)


def _renumbered(formats: Mapping[int, int], styles: Mapping[int, int]) -> Iterator[tuple[int, bytes]]:
    """Yield the changes that give formats numbers with which calamine takes them from the file."""
    wrong = {number for number in formats.values() if number not in _OWN_FORMATS}
    free = (number for number in range(382, 163, -1) if number not in set(formats.values()))
    new = dict(zip(sorted(wrong), free, strict=False))
    for places in (formats, styles):
        yield from ((at, new[number].to_bytes(2, "little")) for at, number in places.items() if number in new)


def has_notes(content: bytes) -> bool:
    """Return whether a .xls has notes."""
    return any(
        kind == _NOTE
        for stream in ole.workbook_streams(content)
        for start, _ in _bound_sheets(stream)
        for kind, _, _ in _walk(stream, start)
    )


# --- formulas -----------------------------------------------------------------------------------

_TOKENS = 20  # bytes before the length of a formula's tokens: place, format, value, flags
_MAX_TOKENS = 64  # bytes; a number, its signs and blanks take some twenty
_INTEGER, _NUMBER, _BLANKS = 0x1E, 0x1F, b"\x19\x40"
_AROUND = {0x12: "+{}", 0x13: "-{}", 0x14: "{}%", 0x15: "({})"}


def old_literals(content: bytes, wanted: Container[tuple[str, int, int]]) -> dict[tuple[str, int, int], str]:
    """Map the cells of a .xls that are a formula of one number, as =100%, to it; of those asked for by sheet and place.

    No library gives the formulas of a .xls. Any other formula is left out.
    """
    return _spelled(content, wanted, _literal)


def old_formulas(content: bytes, wanted: Container[tuple[str, int, int]]) -> dict[tuple[str, int, int], str]:
    """Map the cells of a .xls that are a formula to it, where formulas.spelled knows all of its tokens."""
    return _spelled(content, wanted, lambda tokens: formulas.spelled(tokens[2:], int.from_bytes(tokens[:2], "little")))


def _spelled(
    content: bytes, wanted: Container[tuple[str, int, int]], spell: Callable[[bytes], str | None]
) -> dict[tuple[str, int, int], str]:
    found: dict[tuple[str, int, int], str] = {}
    for stream in ole.workbook_streams(content):
        for start, name in _bound_sheets(stream):
            for kind, at, length in _walk(stream, start):
                if kind == _FORMULA and length > _TOKENS:
                    cell = (name, *_PAIR.unpack_from(stream, at))
                    if cell in wanted and (text := spell(stream[at + _TOKENS : at + length])) is not None:
                        found.setdefault(cell, text)
    return found


def _literal(tokens: bytes) -> str | None:
    """Spell the tokens of a formula, their length first, if it is one number with signs around."""
    end, at, text = 2 + int.from_bytes(tokens[:2], "little"), 2, ""
    if end > min(len(tokens), _MAX_TOKENS):
        return None
    while at < end:
        token, operand = tokens[at], tokens[at + 1 : end]
        if token == _INTEGER and not text and len(operand) >= 2:
            text, at = str(int.from_bytes(operand[:2], "little")), at + 3
        elif token == _NUMBER and not text and len(operand) >= 8:
            text, at = repr(struct.unpack_from("<d", operand)[0]).removesuffix(".0"), at + 9
        elif token in _AROUND and text:
            text, at = _AROUND[token].format(text), at + 1
        elif tokens[at : at + 2] == _BLANKS:
            at += 4
        else:
            return None
    return f"={text}" if text else None


# --- .xlsb --------------------------------------------------------------------------------------

_ROW, _BLANK, _END_CELLS, _BEGIN_DATA, _END_DATA, _BUNDLE = 0x00, 0x01, 0x0C, 0x91, 0x92, 0x9C
_PROPERTIES = 0x99
_NO_RELATION = b"\xff\xff\xff\xff"
_FOLDERS = frozenset({"worksheets", "chartsheets", "dialogsheets"})
_ERRORS = (0x03, 0x0B)  # an error, and a formula that shows one
_SHORTEST = 4  # bytes: the row, or the column, and more
_SHORT = ("单元格记录不完整", "the record of a cell is incomplete")
_MAX_ROW = 0x0010_0000  # calamine stops at a row beyond


def packed_cells(data: bytes) -> tuple[int, bool]:
    """Count the cells of the rectangle around those of a sheet of a .xlsb, and return whether one is an error.

    Raises UnreadableError.
    """
    box, row, inside, suspect = FilledBox(), 0, False, False
    for kind, at, length in _records(data):
        if kind == _BEGIN_DATA:
            inside = True
        elif kind == _END_DATA and inside:
            break
        elif inside and kind < _END_CELLS and kind != _BLANK:
            if length < _SHORTEST:  # calamine would take the place of another record for that of this one
                raise broken(_SHORT)
            place = int.from_bytes(data[at : at + 4], "little")
            if kind == _ROW:
                row = place
                if row > _MAX_ROW:
                    break
            else:
                box.add(row, place, place)
                suspect = suspect or kind in _ERRORS
    return box.cells, suspect


def _records(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Yield the records of a part: kind, and place and length of what they hold."""
    at, end = 0, len(data)
    while at + 1 < end:
        kind = data[at]
        at += 1
        if kind & 0x80:
            kind = (kind & 0x7F) | (data[at] & 0x7F) << 7
            at += 1
        length = shift = 0
        while at < end:
            byte = data[at]
            at += 1
            length |= (byte & 0x7F) << shift
            shift += 7
            if not byte & 0x80 or shift == 28:
                break
        yield kind, at, length
        at += length


def packed_records(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Yield the records of a part of a .xlsb: kind, and place and length of what they hold."""
    return _records(data)


def without_foreign_sheets(data: bytes, targets: Mapping[str, tuple[str, str]]) -> tuple[bytes, list[str]]:
    """Take out of the list of sheets of a .xlsb what calamine cannot take for one; return the part, and their names.

    A sheet without a relation is passed over; one of another kind than these, or with a relation that is not there,
    would cost the whole workbook.
    """
    changed, left_out = bytearray(data), []
    for kind, at, length in _records(data):
        if kind == _BUNDLE and length >= 16:
            relation, name = _bundle(data[at : at + length])
            folder = targets.get(relation, ("", ""))[1].removeprefix("xl/").partition("/")[0]
            if folder not in _FOLDERS and data[at + 8 : at + 12] != _NO_RELATION:
                changed[at + 8 : at + 12] = _NO_RELATION
                left_out.append(name)
    return bytes(changed), left_out


def counts_from_1904(data: bytes) -> bool:
    """Return which date system a .xlsb has, given its part of the workbook."""
    return any(kind == _PROPERTIES and length and data[at] & 1 for kind, at, length in _records(data))


def packed_names(data: bytes) -> dict[str, str]:
    """Map the relations of the sheets of a .xlsb to their names, given its part of the workbook."""
    found: dict[str, str] = {}
    for kind, at, length in _records(data):
        if kind == _BUNDLE and length >= 16:
            relation, name = _bundle(data[at : at + length])
            found[relation] = name
    return found


def _bundle(body: bytes) -> tuple[str, str]:
    """Return the relation and the name of a sheet."""
    size = 0 if body[8:12] == _NO_RELATION else int.from_bytes(body[8:12], "little") * 2
    relation, rest = body[12 : 12 + size], body[12 + size + 4 :]
    return relation.decode("utf-16-le", "replace"), rest.decode("utf-16-le", "replace")


# --- the volume of text -------------------------------------------------------------------------
#
# A shared string is stored once and copied for every cell that shows it: 240 KB of a .xls, or 6 KB of a .xlsb, can
# become gigabytes.

_STRINGS, _CONTINUE, _SHARED, _ITEM, _PACKED_SHARED = 0xFC, 0x3C, 0xFD, 0x13, 0x07
_SHARED_BYTES, _PACKED_BYTES = 14, 6  # of the shortest records of cells that show a shared string
_WIDE, _READINGS, _FONTS = 1, 4, 8  # flags of a string: characters of two bytes; what else it has
_COUNT = ("共享字符串的数目有误", "the number of its shared strings is wrong")


def check_old_text(content: bytes, limits: Limits) -> None:
    """Raise UnreadableError if the cells of a .xls show more text than the limit."""
    for stream in ole.workbook_streams(content):
        sizes = shared_sizes(stream)
        if len(stream) // _SHARED_BYTES * max(sizes, default=0) > limits.text_bytes:
            numbers = (
                int.from_bytes(stream[at + 6 : at + 10], "little")
                for start, _ in _bound_sheets(stream)
                for kind, at, _ in _walk(stream, start)
                if kind == _SHARED
            )
            _check_volume(sizes, numbers, limits)


def check_packed_text(strings: bytes, sheets: Sequence[bytes], limits: Limits) -> None:
    """Raise UnreadableError if the cells of a .xlsb show more text than the limit, given the parts with both."""
    items = (strings[at : at + length] for kind, at, length in _records(strings) if kind == _ITEM)
    sizes = [3 * int.from_bytes(item[1:5], "little") for item in items]
    if sum(map(len, sheets)) // _PACKED_BYTES * max(sizes, default=0) > limits.text_bytes:
        numbers = (
            int.from_bytes(data[at + 8 : at + 12], "little")
            for data in sheets
            for kind, at, _ in _records(data)
            if kind == _PACKED_SHARED
        )
        _check_volume(sizes, numbers, limits)


def _check_volume(sizes: Sequence[int], numbers: Iterable[int], limits: Limits) -> None:
    """Add up the strings that cells show, given by their numbers."""
    total = sum(sizes[number] for number in numbers if number < len(sizes))
    if total > limits.text_bytes:
        raise exceeded("text_bytes", total, limits)


def shared_sizes(stream: bytes) -> list[int]:
    """List how many bytes each shared string of a .xls takes in UTF-8, about. Raises UnreadableError."""
    sizes: list[int] = []
    for blocks in _string_blocks(stream):
        count = int.from_bytes(blocks[0][4:8], "little")
        if count > len(stream):  # calamine takes memory for as many
            raise broken(_COUNT)
        strings = _Strings(blocks)
        try:
            sizes += [strings.size() for _ in range(count)]
        except (struct.error, IndexError) as error:
            raise broken(_COUNT) from error
    return sizes


def _string_blocks(stream: bytes) -> Iterator[list[bytes]]:
    """Yield the record of the shared strings with those that continue it; a file has one."""
    at = 0
    blocks: list[bytes] = []
    while at + 4 <= len(stream):
        kind, length = _PAIR.unpack_from(stream, at)
        if blocks and kind != _CONTINUE:
            yield blocks
            blocks = []
        if blocks or kind == _STRINGS:
            blocks.append(stream[at + 4 : at + 4 + length])
        elif kind == _EOF:
            break
        at += 4 + length
    if blocks:
        yield blocks


class _Strings:
    """Goes through the shared strings of a .xls, from block to block."""

    def __init__(self, blocks: list[bytes]) -> None:
        self.blocks, self.number, self.at = blocks, 0, 8

    def size(self) -> int:
        """Go past a string; return how many bytes it takes in UTF-8, about."""
        self._room()
        length, flags = struct.unpack_from("<HB", self.blocks[self.number], self.at)
        self.at += 3
        after = 4 * self._integer(2) if flags & _FONTS else 0
        after += self._integer(4) if flags & _READINGS else 0
        size, wide = 0, flags & _WIDE
        while length:
            if self.at >= len(self.blocks[self.number]):
                self.number, self.at = self.number + 1, 1
                wide = self.blocks[self.number][0] & _WIDE  # each block sets it anew
            taken = min(length, self._room() >> wide)
            self.at += max(taken << wide, 1)
            size += taken * 3 if wide else taken
            length -= taken
        while after:
            taken = min(after, self._room())
            self.at += taken
            after -= taken
        return size

    def _room(self) -> int:
        """Return how much is left of the block, having gone on to the next one at its end."""
        while self.at >= len(self.blocks[self.number]):
            self.number, self.at = self.number + 1, 0
        return len(self.blocks[self.number]) - self.at

    def _integer(self, size: int) -> int:
        self.at += size
        return int.from_bytes(self.blocks[self.number][self.at - size : self.at], "little")
