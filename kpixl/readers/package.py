"""Zip packages (.xlsx, .xlsm, .xlsb, .ods, .docx, archives): their parts, and whether they may be unpacked at all."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Mapping

from kpixl.readers.grid import broken, exceeded
from kpixl.readers.limits import Limits

SIGNATURES = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
MAX_RATIO = 1032  # deflate packs no better than this
_CHUNK = 1 << 20
_HEAD = 1024  # the range of a sheet is declared within
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
            raise broken(("压缩包的目录有误", "the directory of the package is wrong"))
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
        try:
            return self.zip.read(part)
        except ERRORS as error:
            raise broken(error) from error

    def changed(self, parts: Mapping[str, bytes]) -> bytes:
        """Pack everything again, some parts with other content, or new; they are given by name, in lower case."""
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as target:
            for name, part in self.names.items():
                target.writestr(part.filename, parts[name] if name in parts else self.read(part.filename))
            for name in parts.keys() - self.names.keys():
                target.writestr(name, parts[name])
        return packed.getvalue()

    def head(self, part: zipfile.ZipInfo) -> bytes:
        """Unpack the first kibibyte of a part, or b"" where that is not plain; much faster than zipfile."""
        start = self._start(part)
        packed = self.content[start : start + min(part.compress_size, _HEAD)]
        try:
            return zlib.decompressobj(-15).decompress(packed, _HEAD) if part.compress_type else packed
        except zlib.error:
            return b""
