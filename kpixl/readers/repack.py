"""Other parts put into a zip package, without packing the rest of it again."""

from __future__ import annotations

import struct
import zipfile
import zlib
from collections.abc import Iterable, Mapping
from typing import NamedTuple

_UTF8 = 0x800  # the name of an entry is UTF-8
_VERSION = 20  # of the format: folders and deflate
_DATE = 33  # 1980-01-01, the first day there is
_HEADER, _ENTRY, _END = struct.Struct("<4s5H3L2H"), struct.Struct("<4s6H3L5H2L"), struct.Struct("<4s4H2LH")


class _Entry(NamedTuple):
    """A part as the directory has it; `offset`: where it begins."""

    name: bytes
    flags: int
    method: int
    crc: int
    packed: int
    size: int
    offset: int

    @property
    def header(self) -> bytes:
        """Return what is before its content."""
        facts = (self.flags, self.method, 0, _DATE, self.crc, self.packed, self.size, len(self.name))
        return _HEADER.pack(b"PK\3\4", _VERSION, *facts, 0) + self.name

    @property
    def listed(self) -> bytes:
        """Return what is in the directory."""
        facts = (self.flags, self.method, 0, _DATE, self.crc, self.packed, self.size, len(self.name))
        return _ENTRY.pack(b"PK\1\2", _VERSION, _VERSION, *facts, 0, 0, 0, 0, 0, self.offset) + self.name


def with_parts(content: bytes, kept: Iterable[zipfile.ZipInfo], new: Mapping[str, bytes]) -> bytes:
    """Return a package with some of its parts as they are, and new ones by name.

    What is there is not touched: behind it are the new parts, not deflated, and a directory of both.
    """
    out, entries = bytearray(content), []
    for part in kept:
        name, flags = _coded(part.filename)
        facts = (part.compress_type, part.CRC, part.compress_size, part.file_size, part.header_offset)
        entries.append(_Entry(name, part.flag_bits & ~_UTF8 | flags, *facts))
    for text, added in new.items():
        name, flags = _coded(text)
        entry = _Entry(name, flags, zipfile.ZIP_STORED, zlib.crc32(added), len(added), len(added), len(out))
        entries.append(entry)
        out += entry.header + added
    directory = b"".join(entry.listed for entry in entries)
    out += directory + _END.pack(b"PK\5\6", 0, 0, len(entries), len(entries), len(directory), len(out), 0)
    return bytes(out)


def _coded(name: str) -> tuple[bytes, int]:
    """Return a name as bytes, and the flag that goes with it."""
    return (name.encode("ascii"), 0) if name.isascii() else (name.encode("utf-8", "surrogatepass"), _UTF8)
