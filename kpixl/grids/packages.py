"""Zip packages (.xlsx, .xlsm, .xlsb, .ods, .docx, archives): their parts, and whether they may be unpacked at all."""

from __future__ import annotations

import io
import re
import zipfile
import zlib

from kpixl.grids.grid import broken, exceeded
from kpixl.grids.limits import Limits

SIGNATURES = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
MAX_RATIO = 1032  # deflate packs no better than this
_CHUNK = 1 << 20
_UNPACKED = ("解压后的大小（字节）", "the unpacked size in bytes")
_TEXT = ("文字总量（字节）", "the volume of text in bytes")
# Bytes of the shortest cell of a sheet that shows a shared string.
_SHORTEST_CELL = 18
ERRORS = (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, OSError, ValueError, KeyError)


class Package:
    """An opened zip file within bounds. Raises UnreadableError where it is damaged or exceeds one."""

    def __init__(self, content: bytes, limits: Limits) -> None:
        self.limits = limits
        try:
            self.zip = zipfile.ZipFile(io.BytesIO(content))
        except ERRORS as error:
            raise broken(("压缩包已损坏或不完整", "it is a damaged or incomplete package")) from error
        self.parts = self.zip.infolist()
        if len(self.parts) > limits.members:
            raise exceeded(("内含的文件数", "the number of files inside"), len(self.parts), limits.members)
        # Names are compared without case: some programs write xl/Workbook.xml.
        self.names = {part.filename.casefold(): part for part in self.parts}
        self.size = len(content)

    def check_size(self) -> None:
        """Raise UnreadableError if the package unpacks to more than the limit, whatever it says of its sizes."""
        limit = self.limits.unpacked_bytes
        if (declared := sum(part.file_size for part in self.parts)) > limit:
            raise exceeded(_UNPACKED, declared, limit)
        if self.size * MAX_RATIO <= limit:
            return  # it cannot
        if sum(part.compress_size for part in self.parts) > self.size:  # parts that lie over each other
            raise broken(("压缩包的目录有误", "the directory of the package is wrong"))
        # zipfile stops each part at its declared size; other readers do not: compare with what is really there.
        for part in self.parts:
            if part.compress_size * MAX_RATIO > limit and self._overflows(part):
                raise exceeded(_UNPACKED, f"> {part.file_size}", limit)

    def _overflows(self, part: zipfile.ZipInfo) -> bool:
        """Tell whether a part holds more than it declares."""
        if part.compress_type != zipfile.ZIP_DEFLATED:
            return part.compress_type != zipfile.ZIP_STORED  # nothing else occurs in Office files
        stream = self.zip.fp
        assert stream is not None
        stream.seek(part.header_offset)
        head = stream.read(30)
        stream.seek(int.from_bytes(head[26:28], "little") + int.from_bytes(head[28:30], "little"), io.SEEK_CUR)
        unpacker, left, room = zlib.decompressobj(-15), part.compress_size, part.file_size
        while left > 0 and not unpacker.eof:
            data = stream.read(min(_CHUNK, left))
            left -= len(data) or left
            while data:
                try:
                    room -= len(unpacker.decompress(data, _CHUNK))
                except zlib.error as error:
                    raise broken(error) from error
                if room < 0:
                    return True
                data = unpacker.unconsumed_tail
        return False

    def read(self, name: str) -> bytes:
        """Unpack a part, whatever the case of its name; b"" where there is none."""
        part = self.names.get(name.casefold())
        if part is None:
            return b""
        try:
            return self.zip.read(part)
        except ERRORS as error:
            raise broken(error) from error

    def head(self, name: str, size: int) -> bytes:
        """Unpack the beginning of a part."""
        try:
            with self.zip.open(self.names[name.casefold()]) as stream:
                return stream.read(size)
        except ERRORS as error:
            raise broken(error) from error


# --- the text of an Office Open XML workbook ----------------------------------------------------

_STRINGS = "xl/sharedstrings.xml"
_SHEET = re.compile(r"xl/worksheets/[^/]+\.(xml|bin)")
_STRING = re.compile(rb"<(?:\w+:)?si\b(.*?)(?=<(?:\w+:)?si\b|$)", re.DOTALL)
_VALUE = re.compile(rb"<(?:\w+:)?v(?:\s[^>]*)?>\s*([^<]*)")


def check_text(package: Package) -> None:
    """Raise UnreadableError if the cells of a workbook show more text than the limit.

    A shared string is stored once and copied for every cell that shows it: 110 KB can become 12 GB.
    """
    strings = package.names.get(_STRINGS)
    if strings is None:
        return
    sheets = [part.filename for name, part in package.names.items() if _SHEET.fullmatch(name)]
    limit = package.limits.text_bytes
    cells = sum(package.names[name.casefold()].file_size for name in sheets) // _SHORTEST_CELL
    if cells * strings.file_size <= limit:
        return
    lengths = [len(match[1]) for match in _STRING.finditer(package.read(_STRINGS))]
    longest = max(lengths, default=0)
    if cells * longest <= limit:
        return
    total = 0
    for name in sheets:
        for match in _VALUE.finditer(package.read(name)):
            text = match[1].rstrip()
            if text.isdigit() and len(text) < 9:
                total += lengths[int(text)] if int(text) < len(lengths) else 0
            elif b"&" in text:  # digits spelled as entities
                total += longest
        if total > limit:
            raise exceeded(_TEXT, f"> {limit}", limit)


# --- declared ranges ----------------------------------------------------------------------------

_DIMENSION = re.compile(rb"<(?:\w+:)?dimension\s+ref=[\"']([A-Z]{1,3})(\d{1,7}):([A-Z]{1,3})(\d{1,7})[\"']")
_HEAD = 1024  # the range is declared at the beginning of a sheet


def declared_cells(package: Package, name: str) -> int:
    """Return how many cells the declared range of a sheet has; 0 where it declares none."""
    match = _DIMENSION.search(package.head(name, _HEAD))
    if match is None:
        return 0
    first, top, last, bottom = match.groups()
    return (_column(last) - _column(first) + 1) * (int(bottom) - int(top) + 1)


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number
