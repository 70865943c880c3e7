"""Zip packages (.xlsx, .xlsm, .xlsb, .ods, .docx, archives): their parts, and whether they may be unpacked at all."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Mapping

from kpixl.readers.grid import broken, exceeded
from kpixl.readers.limits import Limits
from kpixl.readers.repack import with_parts

SIGNATURES = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
MAX_RATIO = 1032  # deflate packs no better than this
_CHUNK = 1 << 20
_HEAD = 1024  # the range of a sheet is declared within
_ENCRYPTED = 0x1
_DIRECTORY = ("压缩包的目录有误", "the directory of the package is wrong")
ERRORS = (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, OSError, ValueError, KeyError)


class OpenedPackage:
    """An opened zip file within bounds. Raises UnreadableError where it is damaged or exceeds one."""

    def __init__(self, content: bytes, limits: Limits) -> None:
        self.limits = limits
        try:
            self.zip = zipfile.ZipFile(io.BytesIO(content))
        except ERRORS as error:
            raise broken(("压缩包已损坏或不完整", "it is a damaged or incomplete package")) from error
        self.parts = self.zip.infolist()
        if len(self.parts) > limits.members:
            raise exceeded("members", len(self.parts), limits)
        # Names are compared without case, as some programs write xl/Workbook.xml, and whichever way their slashes lean;
        # so does calamine.
        self.names = {part.filename.casefold().replace("\\", "/"): part for part in self.parts}
        self._exact = {part.filename: part for part in self.parts}
        self.content = content

    def check_size(self) -> None:
        """Raise UnreadableError if the package unpacks to more than the limit, whatever sizes it declares."""
        limit = self.limits.unpacked_bytes
        if (declared := sum(part.file_size for part in self.parts)) > limit:
            raise exceeded("unpacked_bytes", declared, self.limits)
        if len(self.content) * MAX_RATIO <= limit:
            return  # it cannot
        if sum(part.compress_size for part in self.parts) > len(self.content):  # parts that lie over each other
            raise broken(_DIRECTORY)
        # zipfile stops each part at its declared size; other readers do not: compare with what is really there.
        for part in self.parts:
            if part.compress_size * MAX_RATIO > limit and self._overflows(part):
                raise exceeded("unpacked_bytes", None, self.limits)

    def _overflows(self, part: zipfile.ZipInfo) -> bool:
        """Return whether a part holds more than it declares."""
        if part.compress_type != zipfile.ZIP_DEFLATED:
            return part.compress_type != zipfile.ZIP_STORED  # nothing else occurs in Office files
        start = self._start(part)
        packed = memoryview(self.content)[start : start + part.compress_size]
        unpacker, room = zlib.decompressobj(-15), part.file_size
        for at in range(0, len(packed), _CHUNK):
            data: bytes | memoryview = packed[at : at + _CHUNK]
            while len(data) and not unpacker.eof:
                try:
                    room -= len(unpacker.decompress(data, _CHUNK))
                except zlib.error as error:
                    raise broken(error) from error
                if room < 0:
                    return True
                data = unpacker.unconsumed_tail
        return False

    def _start(self, part: zipfile.ZipInfo) -> int:
        """Return where the data of a part begins, behind its own header."""
        lengths = self.content[part.header_offset + 26 : part.header_offset + 30]
        name, extra = int.from_bytes(lengths[:2], "little"), int.from_bytes(lengths[2:], "little")
        return part.header_offset + 30 + name + extra

    def read(self, name: str) -> bytes:
        """Unpack a part, whatever the case of its name; b"" where there is none."""
        part = self._exact.get(name) or self.names.get(name.casefold())
        if part is None:
            return b""
        if (content := self._unpacked(part)) is not None:
            return content
        try:
            return self.zip.read(part)
        except ERRORS as error:
            raise broken(error) from error

    def _unpacked(self, part: zipfile.ZipInfo) -> bytes | None:
        """Unpack a part that is as its entry declares, in a third of the time of zipfile; None for any other."""
        start, size, name = self._start(part), part.file_size, part.orig_filename
        if part.flag_bits & _ENCRYPTED or not name.isascii():
            return None
        if self.content[part.header_offset : start].find(name.encode(), 30) != 30:
            return None
        content = self.content[start : start + part.compress_size]
        if part.compress_type == zipfile.ZIP_DEFLATED:
            try:
                content = zlib.decompressobj(-15).decompress(content, size + 1)
            except zlib.error:
                return None
        elif part.compress_type != zipfile.ZIP_STORED:
            return None
        return content if len(content) == size and zlib.crc32(content) == part.CRC else None

    def changed(self, parts: Mapping[str, bytes]) -> bytes:
        """Return the package with other content for some parts, or with new ones; given by name, in lower case."""
        kept = [part for name, part in self.names.items() if name not in parts]
        new = {self.names[name].filename if name in self.names else name: part for name, part in parts.items()}
        try:
            return with_parts(self.content, kept, new)
        except struct.error as error:  # a place or a size that no directory can hold
            raise broken(_DIRECTORY) from error

    def head(self, part: zipfile.ZipInfo) -> bytes:
        """Unpack the first kibibyte of a part, or b"" where that is not plain; much faster than zipfile."""
        start = self._start(part)
        packed = self.content[start : start + min(part.compress_size, _HEAD)]
        try:
            return zlib.decompressobj(-15).decompress(packed, _HEAD) if part.compress_type else packed
        except zlib.error:
            return b""
