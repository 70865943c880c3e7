"""Files made by hand for tests: zip packages, Office Open XML workbooks, Word documents, old Office files, PDF."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Mapping, Sequence

_TYPES = (
    '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Default Extension="xml" ContentType="application/xml"/>{}</Types>'
)
_RELATIONS = '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">{}</Relationships>'
TRANSITIONAL = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
STRICT = "http://purl.oclc.org/ooxml/officeDocument/relationships"
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_STRICT_MAIN = "http://purl.oclc.org/ooxml/spreadsheetml/main"
_WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_WORD_TYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"


def package(parts: Mapping[str, str | bytes]) -> bytes:
    """Zip some parts."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return stream.getvalue()


def _relation(number: int, kind: str, target: str, base: str) -> str:
    return f'<Relationship Id="r{number}" Type="{base}/{kind}" Target="{target}"/>'


def workbook(sheets: Sequence[str], strings: Sequence[str] = (), *, strict: bool = False) -> bytes:
    """Make a workbook of sheets S1, S2, ... whose XML between <worksheet> and </worksheet> is given."""
    base, main = (STRICT, _STRICT_MAIN) if strict else (TRANSITIONAL, _MAIN)
    listed = "".join(f'<sheet name="S{n}" sheetId="{n}" r:id="r{n}"/>' for n in range(1, len(sheets) + 1))
    relations = [_relation(n, "worksheet", f"worksheets/sheet{n}.xml", base) for n in range(1, len(sheets) + 1)]
    relations.append(_relation(0, "sharedStrings", "sharedStrings.xml", base))
    parts = {
        "[Content_Types].xml": _TYPES.format(""),
        "_rels/.rels": _RELATIONS.format(_relation(1, "officeDocument", "xl/workbook.xml", base)),
        "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{base}"><sheets>{listed}</sheets></workbook>',
        "xl/_rels/workbook.xml.rels": _RELATIONS.format("".join(relations)),
        "xl/sharedStrings.xml": f'<sst xmlns="{main}">' + "".join(f"<si><t>{s}</t></si>" for s in strings) + "</sst>",
    }
    for number, sheet in enumerate(sheets, 1):
        parts[f"xl/worksheets/sheet{number}.xml"] = f'<worksheet xmlns="{main}">{sheet}</worksheet>'
    return package(parts)


def rows(cells: Mapping[str, str], dimension: str = "") -> str:
    """Spell the sheet XML of some cells, each given by its address and the XML after it."""
    head = f'<dimension ref="{dimension}"/>' if dimension else ""
    spelled = ((address.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ"), address, rest) for address, rest in cells.items())
    return f"{head}<sheetData>" + "".join(f'<row r="{r}"><c r="{a}"{x}</row>' for r, a, x in spelled) + "</sheetData>"


def document(body: str) -> bytes:
    """Make a Word document with a body."""
    override = f'<Override PartName="/word/document.xml" ContentType="{_WORD_TYPE}"/>'
    return package(
        {
            "[Content_Types].xml": _TYPES.format(override),
            "_rels/.rels": _RELATIONS.format(_relation(1, "officeDocument", "word/document.xml", TRANSITIONAL)),
            "word/document.xml": f'<w:document xmlns:w="{_WORD}"><w:body>{body}</w:body></w:document>',
        }
    )


def compound(streams: Mapping[str, bytes]) -> bytes:
    """Make an old Office file (OLE) whose root holds up to three streams, each within one sector."""
    free, end = 0xFFFFFFFF, 0xFFFFFFFE
    header = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16) + struct.pack("<5H", 0x3E, 3, 0xFFFE, 9, 6) + bytes(10)
    header += struct.pack("<4I", 1, 1, 0, 4096) + struct.pack("<4I", end, 0, end, 0)
    header += struct.pack("<109I", 0, *[free] * 108)
    table = struct.pack("<128I", 0xFFFFFFFD, end, *[end] * len(streams), *[free] * (126 - len(streams)))
    entries = [_entry("Root Entry", 5, free, 1, end, 0)]
    for number, (name, content) in enumerate(streams.items(), 1):
        right = number + 1 if number < len(streams) else free
        entries.append(_entry(name, 2, right, free, number + 1, max(len(content), 4096)))
    directory = b"".join(entries).ljust(512, b"\0")
    return header + table + directory + b"".join(content.ljust(512, b"\0") for content in streams.values())


def _entry(name: str, kind: int, right: int, child: int, start: int, size: int) -> bytes:
    spelled = name.encode("utf-16-le") + b"\0\0"
    entry = spelled.ljust(64, b"\0") + struct.pack("<HBB3I", len(spelled), kind, 1, 0xFFFFFFFF, right, child)
    return entry + bytes(36) + struct.pack("<IQ", start, size)


# --- binary workbooks ---------------------------------------------------------------------------


def record(kind: int, data: bytes = b"") -> bytes:
    """Spell a record of a .xls."""
    return struct.pack("<2H", kind, len(data)) + data


BOF, EOF = record(0x809, struct.pack("<2H", 0x600, 0x10) + bytes(12)), record(0x0A)


def number(row: int, col: int, value: float = 1) -> bytes:
    """Spell a cell of a .xls that holds a number."""
    return record(0x203, struct.pack("<3Hd", row, col, 0, value))


def old_workbook(*sheets: bytes, places: Sequence[int] | None = None, strings: bytes = b"") -> bytes:
    """Make a .xls of sheets S1, S2, ... of some records, altogether some hundred bytes; `places` may lie.

    `strings`: the records of the shared strings.
    """
    bodies = [BOF + sheet + EOF for sheet in sheets]
    head = len(BOF) + len(EOF) + len(strings) + sum(len(_bound_sheet(0, n)) for n in range(len(bodies)))
    true = [head + sum(map(len, bodies[:n])) for n in range(len(bodies))]
    bound = b"".join(_bound_sheet(place, n) for n, place in enumerate(places or true))
    return compound({"Workbook": BOF + bound + strings + EOF + b"".join(bodies)})


def _bound_sheet(place: int, index: int) -> bytes:
    name = f"S{index + 1}".encode("utf-16-le")
    return record(0x85, struct.pack("<IBBBB", place, 0, 0, len(name) // 2, 1) + name)


def packed_record(kind: int, data: bytes = b"") -> bytes:
    """Spell a record of a .xlsb."""
    head = bytes([kind]) if kind < 0x80 else bytes([kind & 0x7F | 0x80, kind >> 7])
    return head + bytes([len(data) & 0x7F | 0x80, len(data) >> 7]) + data


def _packed_cell(col: int, value: float | str | bytes | None) -> bytes:
    """Make a cell; None is a formula that shows an error, bytes are the number of a shared string."""
    if isinstance(value, bytes):
        return packed_record(7, struct.pack("<2I", col, 0) + value)
    if value is None:
        return packed_record(11, struct.pack("<2I", col, 0) + bytes([0x2A]) + bytes(8))
    if isinstance(value, str):
        text = value.encode("utf-16-le")
        return packed_record(6, struct.pack("<3I", col, 0, len(text) // 2) + text)
    return packed_record(5, struct.pack("<2Id", col, 0, value))


def packed_workbook(
    *sheets: Mapping[tuple[int, int], float | str | bytes | None], strings: Sequence[str] = ()
) -> bytes:
    """Make a .xlsb of sheets S1, S2, ... of numbers and texts by row and column; bytes are the number of a string."""
    parts: dict[str, str | bytes] = {"[Content_Types].xml": _TYPES.format(""), "_rels/.rels": _RELATIONS.format("")}
    bundles, relations = b"", ""
    for number_, cells in enumerate(sheets, 1):
        relation, name = (f"{letter}{number_}".encode("utf-16-le") for letter in "rS")
        spelled = struct.pack("<3I", 0, number_, len(relation) // 2) + relation
        bundles += packed_record(0x9C, spelled + struct.pack("<I", len(name) // 2) + name)
        relations += _relation(number_, "worksheet", f"worksheets/sheet{number_}.bin", TRANSITIONAL)
        body = b"".join(
            packed_record(0, struct.pack("<I", row) + bytes(13)) + _packed_cell(col, value)
            for (row, col), value in cells.items()
        )
        begin = packed_record(0x81) + packed_record(0x94, bytes(16)) + packed_record(0x91)
        parts[f"xl/worksheets/sheet{number_}.bin"] = begin + body + packed_record(0x92) + packed_record(0x82)
    if strings:
        items = b"".join(
            packed_record(0x13, struct.pack("<BI", 0, len(text)) + text.encode("utf-16-le")) for text in strings
        )
        begin, end = packed_record(0x9F, struct.pack("<2I", 9, len(strings))), packed_record(0xA0)
        parts["xl/sharedStrings.bin"] = begin + items + end
        relations += _relation(0, "sharedStrings", "sharedStrings.bin", TRANSITIONAL)
    parts["xl/workbook.bin"] = packed_record(0x83) + bundles + packed_record(0x90) + packed_record(0x84)
    parts["xl/_rels/workbook.bin.rels"] = _RELATIONS.format(relations)
    return package(parts)


# --- OpenDocument -------------------------------------------------------------------------------

_ODF = "urn:oasis:names:tc:opendocument:xmlns"
_ODF_NAMES = " ".join(f'xmlns:{name}="{_ODF}:{name}:1.0"' for name in ("office", "table", "text", "style"))


def spreadsheet(*tables: str, before: str = "", closed: bool = True) -> bytes:
    """Make a .ods of sheets S1, S2, ... whose XML between <table:table> and its end is given."""
    spelled = "".join(f'<table:table table:name="S{n}">{t}</table:table>' for n, t in enumerate(tables, 1))
    content = f'<?xml version="1.0"?>{before}<office:document-content {_ODF_NAMES}><office:body>'
    content += f"<office:spreadsheet>{spelled}</office:spreadsheet></office:body></office:document-content>"
    if not closed:
        content = content.partition("</table:table>")[0]
    mime = "application/vnd.oasis.opendocument.spreadsheet"
    return package({"mimetype": mime, "META-INF/manifest.xml": "<manifest:manifest/>", "content.xml": content})


def ods_row(*cells: str, repeated: int = 1) -> str:
    """Spell a row of a .ods."""
    return f'<table:table-row table:number-rows-repeated="{repeated}">{"".join(cells)}</table:table-row>'


def ods_cell(text: str | None = "x", repeated: int = 1) -> str:
    """Spell a cell of a .ods; one without text is empty and formatted."""
    head = f'<table:table-cell table:style-name="ce1" table:number-columns-repeated="{repeated}"'
    return (
        f"{head}/>" if text is None else f'{head} office:value-type="string"><text:p>{text}</text:p></table:table-cell>'
    )


def small_compound(name: str, content: bytes) -> bytes:
    """Make an old Office file whose only stream is below 4,096 bytes, in small sectors within the root's stream."""
    free, end = 0xFFFFFFFF, 0xFFFFFFFE
    sectors, small = -(-len(content) // 512), -(-len(content) // 64)
    header = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16) + struct.pack("<5H", 0x3E, 3, 0xFFFE, 9, 6) + bytes(10)
    header += struct.pack("<4I", 1, 1, 0, 4096) + struct.pack("<4I", 2, 1, end, 0)
    header += struct.pack("<109I", 0, *[free] * 108)
    chain = [*range(4, 3 + sectors), end]  # of the root's stream, from sector 3 on
    table = struct.pack("<128I", 0xFFFFFFFD, end, end, *chain, *[free] * (125 - sectors))
    root = _entry("Root Entry", 5, free, 1, 3, sectors * 512)
    directory = (root + _entry(name, 2, free, free, 0, len(content))).ljust(512, b"\0")
    small_table = struct.pack("<128I", *range(1, small), end, *[free] * (128 - small))
    return header + table + directory + small_table + content.ljust(sectors * 512, b"\0")


def large_compound(name: str, content: bytes) -> bytes:
    """Make an old Office file whose only stream takes as many sectors as it needs, up to 60,000 bytes."""
    free, end = 0xFFFFFFFF, 0xFFFFFFFE
    content = content.ljust(4096, b"\0")
    sectors = -(-len(content) // 512)
    header = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16) + struct.pack("<5H", 0x3E, 3, 0xFFFE, 9, 6) + bytes(10)
    header += struct.pack("<4I", 1, 1, 0, 4096) + struct.pack("<4I", end, 0, end, 0)
    header += struct.pack("<109I", 0, *[free] * 108)
    table = struct.pack("<128I", 0xFFFFFFFD, end, *range(3, 2 + sectors), end, *[free] * (126 - sectors))
    root = _entry("Root Entry", 5, free, 1, end, 0)
    directory = (root + _entry(name, 2, free, free, 2, len(content))).ljust(512, b"\0")
    return header + table + directory + content.ljust(sectors * 512, b"\0")


def old_stream(*sheets: bytes, head: bytes = b"", kinds: Sequence[int] = (), states: Sequence[int] = ()) -> bytes:
    """Make the workbook stream of a .xls of sheets S1, S2, ...; `head`: records before the first of them."""
    bodies = [BOF + sheet + EOF for sheet in sheets]
    start = len(BOF) + len(head) + len(EOF) + sum(len(_bound_sheet(0, n)) for n in range(len(bodies)))
    bound = b""
    for n in range(len(bodies)):
        spelled = bytearray(_bound_sheet(start + sum(map(len, bodies[:n])), n))
        spelled[8] = states[n] if n < len(states) else 0
        spelled[9] = kinds[n] if n < len(kinds) else 0
        bound += spelled
    return BOF + head + bound + EOF + b"".join(bodies)


def portable(objects: Sequence[bytes]) -> bytes:
    """Make a PDF of its objects, numbered from 1; the first one is its catalogue."""
    out, places = b"%PDF-1.4\n", []
    for number, each in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, each)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    size, at = len(objects) + 1, len(out)
    head = b"xref\n0 %d\n0000000000 65535 f \n" % size
    return out + head + table + b"trailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF" % (size, at)


def pdf_stream(content: bytes, entries: bytes = b"") -> bytes:
    """Make a packed stream, an object of a PDF."""
    packed = zlib.compress(content, 9)
    return b"<< %s /Filter /FlateDecode /Length %d >>\nstream\n%s\nendstream" % (entries, len(packed), packed)


def drawn(content: bytes, page: bytes = b"", pages: int = 1, groups: Sequence[bytes] = ()) -> bytes:
    """Make a PDF that draws the same on each page, in the font /F1. `groups` are the objects from number 6 on.

    `page` are more entries of each page; `groups` can be named in its resources.
    """
    kids = b"5 0 R " * pages
    return portable(
        [
            b"<< /Type /Catalog /Pages 2 0 R >>",
            b"<< /Type /Pages /Kids [%s] /Count %d >>" % (kids, pages),
            b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
            pdf_stream(content),
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 600 800] /Contents 4 0 R"
            b" /Resources << /Font << /F1 3 0 R >> /XObject << /X 6 0 R >> >> %s >>" % page,
            *groups,
        ]
    )
