"""A minimal writer of .xlsb, for want of a program on Linux that saves one: texts, numbers and errors on one sheet."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Mapping, Sequence

_TYPES = """<?xml version="1.0" encoding="UTF-8"?>
<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">
<Default Extension="bin" ContentType="application/vnd.ms-excel.sheet.binary.macroEnabled.main"/>
<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/></Types>"""
_RELATIONS = """<?xml version="1.0" encoding="UTF-8"?>
<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1"
 Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/{kind}" Target="{target}"/>
</Relationships>"""
_ERRORS = {"#N/A": 0x2A, "#DIV/0!": 0x07}


def _record(kind: int, data: bytes = b"") -> bytes:
    number = bytes([kind]) if kind < 128 else bytes([kind & 0x7F | 0x80, kind >> 7])
    size, length = len(data), bytearray()
    while True:
        length.append(size & 0x7F | (0x80 if size > 127 else 0))
        size >>= 7
        if not size:
            return number + bytes(length) + data


def _text(text: str) -> bytes:
    return struct.pack("<I", len(text)) + text.encode("utf-16-le")


def _cell(col: int, value: object) -> bytes:
    head = struct.pack("<II", col, 0)
    if isinstance(value, str) and value in _ERRORS:
        return _record(3, head + bytes([_ERRORS[value]]))
    return _record(6, head + _text(value)) if isinstance(value, str) else _record(5, head + struct.pack("<d", value))


def workbook(rows: Sequence[Mapping[int, object]], name: str = "表") -> bytes:
    """Write a workbook; a row maps columns to values."""
    book = _record(156, struct.pack("<II", 0, 1) + _text("rId1") + _text(name))
    width = max(col for row in rows for col in row) + 1
    sheet = _record(129) + _record(148, struct.pack("<4I", 0, len(rows) - 1, 0, width - 1)) + _record(145)
    for number, row in enumerate(rows):
        sheet += _record(0, struct.pack("<IIHBBBI", number, 0, 300, 0, 0, 0, 0))
        sheet += b"".join(_cell(col, value) for col, value in sorted(row.items()))
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as package:
        package.writestr("[Content_Types].xml", _TYPES)
        package.writestr("_rels/.rels", _RELATIONS.format(kind="officeDocument", target="xl/workbook.bin"))
        package.writestr("xl/workbook.bin", _record(131) + _record(143) + book + _record(144) + _record(132))
        package.writestr("xl/_rels/workbook.bin.rels", _RELATIONS.format(kind="worksheet", target="worksheets/s.bin"))
        package.writestr("xl/worksheets/s.bin", sheet + _record(146) + _record(130))
    return stream.getvalue()
