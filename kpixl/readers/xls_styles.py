"""The styles of a .xls, as far as a quick test needs them: number formats in use, and fonts that change a text."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from kpixl.readers import number_formats, ole

_FONT, _FORMAT, _XF, _EOF, _BOF = 0x31, 0x41E, 0xE0, 0x0A, 0x809
_PAIR = struct.Struct("<2H")
_STRUCK = 0x08  # flag of a font
_STYLE = 0x04  # flag of an XF that no cell has
_VERSION_8 = 0x600


def is_marked(content: bytes) -> bool:
    """Return whether any cell of a .xls may show something else than its value, or have text struck out or raised."""
    return any(_is_marked(stream) for stream in ole.workbook_streams(content))


def _is_marked(stream: bytes) -> bool:
    codes: dict[int, str] = {}
    used: set[int] = set()
    version = 0
    for kind, data in _globals(stream):
        if kind == _BOF:
            version = int.from_bytes(data[:2], "little")
        elif kind == _FONT and len(data) >= 10:
            flags, raised = int.from_bytes(data[2:4], "little"), int.from_bytes(data[8:10], "little")
            if flags & _STRUCK or raised:
                return True
        elif kind == _FORMAT:
            codes[int.from_bytes(data[:2], "little")] = _code(data[2:], version)
        elif kind == _XF and len(data) >= 6 and not data[4] & _STYLE:
            used.add(int.from_bytes(data[2:4], "little"))
    return not all(_is_plain(number, codes) for number in used)


def _is_plain(number: int, codes: dict[int, str]) -> bool:
    code = codes.get(number, number_formats.built_in(number))
    return code is None or number_formats.is_plain(code)


def _globals(stream: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the records before the first sheet that matter here."""
    at = 0
    while at + 4 <= len(stream):
        kind, length = _PAIR.unpack_from(stream, at)
        if kind == _EOF:
            return
        if kind in (_BOF, _FONT, _FORMAT, _XF):
            yield kind, stream[at + 4 : at + 4 + length]
        at += 4 + length


def _code(data: bytes, version: int) -> str:
    """Decode a code: its length in two bytes, or in one before version 8."""
    if version < _VERSION_8:
        return data[1 : 1 + data[0]].decode("gb18030", "replace") if data else ""
    size, wide = int.from_bytes(data[:2], "little"), data[2:3] == b"\1"
    text = data[3 : 3 + (2 * size if wide else size)]
    return text.decode("utf-16-le" if wide else "latin-1", "replace")
