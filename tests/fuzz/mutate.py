"""Mutations: what damage, programs and bad intent make of a file. Everything is drawn from the `random` given."""

from __future__ import annotations

import io
import re
import warnings
import zipfile
from collections.abc import Callable, Sequence
from random import Random

from tests.fuzz.seeds import Seed

NUMBERS = (
    "0", "1", "-1", "2", "255", "256", "65535", "65536", "1048576", "1048577", "16384", "2147483647", "2147483648",
    "4294967295", "4294967296", "9223372036854775807", "18446744073709551616", "1e308", "1e400", "-1e400", "NaN",
    "Infinity", "0.1e-400", "99999999999999999999999999999999999999", "", " ", "+5", "0x10", "１２", "²", "1_000",
    "-0", "1e999999999", "2958466", "-693594", "60", "1E5", "0b1",
)  # fmt: skip
VALUES = (
    *NUMBERS, "A1", "XFD1048576", "XFE1048577", "A1:XFD1048576", "A0", "ZZZZZZ9999999999", "A1:A1:A1", "s", "str",
    "inlineStr", "b", "e", "d", "n", "true", "#REF!", "../../../../etc/passwd", "/etc/passwd", "http://x.invalid/",
    "&x;", "&#0;", "&#xD800;", "&#x110000;", "&amp;", "<", "]]>", "2026-02-30", "0000-00-00", "9999-12-31",
    "1899-12-31", "25:61", "≥90%", "-人", "６０万元", "=cmd|' /C calc'!A0", '{"kpixl":1,"form":"mini-form"}',
    '{"kpixl":1,"form":"shanghai-target","version":"1","portfolio":"x","project":"66","order":3}', '{"kpixl":1e999}',
    '{"kpixl":1,"form":["x"],"order":-1}', '{"kpixl":' * 3000, "﻿", "\u202e", "\x85", "😀", "长" * 40_000, "9" * 5_000,
    "1" * 400, "0." + "0" * 400 + "1", "{0}{a.b}", "%s%n", "{{ 1/0 }}",
)  # fmt: skip
ENTITIES = (
    '<!DOCTYPE x [<!ENTITY x "y">]>',
    '<!DOCTYPE x [<!ENTITY x SYSTEM "file:///etc/passwd">]>',
    '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY x "&b;&b;&b;&b;&b;&b;">]>',
    '<!DOCTYPE x SYSTEM "http://x.invalid/x.dtd">',
)
_ATTRIBUTE = re.compile(r"(\s[\w:.-]+=)(\"[^\"<]*\"|'[^'<]*')")
_NUMBER = re.compile(r"(?<![\w.])-?\d+(?:\.\d+)?(?![\w.])")
_ELEMENT = re.compile(r"<([\w:]+)[^<>]*?(?:/>|>[^<>]*</\1>)")
_TAG = re.compile(r"</?[\w:]+[^<>]*>")
_CONTENT = re.compile(r">([^<>]+)<")

MAX_BYTES = 2 << 20


# --- bytes --------------------------------------------------------------------------------------


def damaged(content: bytes, rng: Random, seeds: Sequence[Seed]) -> bytes:
    """Damage bytes as transfers and memory sticks do."""
    data = bytearray(content or b"\0")
    kind = rng.randrange(9)
    at = rng.randrange(len(data))
    end = min(len(data), at + rng.choice((1, 2, 4, 16, 64, 512, 4096)))
    if kind < 3:
        for _ in range(rng.choice((1, 1, 2, 4, 16, 64))):
            data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    elif kind == 3:
        del data[at:]
    elif kind == 4:
        del data[at:end]
    elif kind == 5:
        data[at:end] = rng.randbytes(end - at)
    elif kind == 6:
        data[at:at] = data[at:end] * rng.choice((1, 2, 50))
    elif kind == 7:
        data[at : at + 4] = rng.choice((b"\xff" * 4, b"\0" * 4, b"\xff\xff\xff\x7f", b"\0\0\0\x80", b"\1\0\0\0"))
    else:
        other = rng.choice(seeds).content
        data[at:] = other[rng.randrange(len(other) + 1) :]
    return bytes(data)


# What the records of an old workbook begin with: cells, a declared range, merges, the place of a sheet.
_RECORD = re.compile(
    rb"(?:\x03\x02\x0e\0|\xfd\0\x0a\0|\x7e\x02\x0a\0|\xbd\0.\0|\x06\0.\0|\0\x02\x0e\0|\xe5\0.\0|\x85\0.\0)", re.DOTALL
)
_EXTREMES = (b"\0\0", b"\1\0", b"\xff\0", b"\0\1", b"\0\x40", b"\xff\x7f", b"\0\x80", b"\xfe\xff", b"\xff\xff")


def changed_records(content: bytes, rng: Random) -> bytes:
    """Change numbers in the records of an old workbook: where cells are, what a sheet declares."""
    data = bytearray(content)
    places = [match.start() for match in _RECORD.finditer(content, 512)]
    for _ in range(min(len(places), rng.choice((1, 1, 2, 8)))):
        at = rng.choice(places) + rng.choice((2, 4, 4, 6, 6, 8, 10, 12, 14))
        data[at : at + 2] = rng.choice(_EXTREMES)
    return bytes(data)


def changed_packed_records(content: bytes, rng: Random) -> bytes:
    """Change numbers in a part of a .xlsb that holds a sheet."""
    data = bytearray(content)
    places = [match.start() for match in re.finditer(rb"[\0\5\6].[\0\x80]", content, re.DOTALL)]
    for _ in range(min(len(places), rng.choice((1, 1, 2, 8)))):
        at = rng.choice(places) + rng.choice((1, 2, 3, 4, 5, 6))
        data[at : at + rng.choice((1, 2, 4))] = rng.choice(_EXTREMES) * 2
    return bytes(data)


# --- text ---------------------------------------------------------------------------------------


_WINDOW = 10_000  # characters


def _replaced(text: str, pattern: re.Pattern[str], make: Callable[[re.Match[str]], str], rng: Random) -> str:
    # A window, because searching the whole of a large part for every mutation takes most of the time, and where
    # elements have no end a pattern for whole ones takes for ever.
    start = rng.randrange(len(text) + 1)
    found = [m for _, m in zip(range(40), pattern.finditer(text, start, start + _WINDOW), strict=False)]
    found = found or [m for _, m in zip(range(40), pattern.finditer(text, 0, _WINDOW), strict=False)]
    if not found:
        return text
    match = rng.choice(found)
    return text[: match.start()] + make(match) + text[match.end() :]


def _nested(match: re.Match[str], rng: Random) -> str:
    depth = rng.choice((5, 60, 300, 2_000, 20_000))
    tag = re.match(r"[\w:]+", match[0][1:].lstrip("/"))
    name = tag[0] if tag else "x"
    return f"<{name}>" * depth + (f"</{name}>" * depth if rng.random() < 0.7 else "")


def _huge(match: re.Match[str], rng: Random) -> str:
    made = (
        '<dimension ref="A1:XFD1048576"/>',
        '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>',
        '<row r="100000"><c r="CV100000"><v>1</v></c></row>',
        '<c r="A1" t="s"><v>4294967295</v></c>',
        '<mergeCells count="3"><mergeCell ref="A1:XFD1048576"/><mergeCell ref="B2:A1"/><mergeCell ref="A1:B9"/>'
        "</mergeCells>",
        "<mergeCells>" + "".join(f'<mergeCell ref="A{n}:B{n + 1}"/>' for n in range(1, 5000)) + "</mergeCells>",
        '<table:table-row table:number-rows-repeated="1048576"><table:table-cell table:number-columns-repeated="16384"'
        ' office:value-type="float" office:value="1"/></table:table-row>',
        '<Row ss:Index="1048576"><Cell ss:Index="16384" ss:MergeAcross="16383"><Data>1</Data></Cell></Row>',
        '<tr><td rowspan="65534" colspan="1000">1</td></tr>' * 50,
        '<w:tr><w:tc><w:tcPr><w:gridSpan w:val="99999"/><w:vMerge/></w:tcPr><w:p/></w:tc></w:tr>' * 20,
        "<table>" * 300,
    )
    return match[0] + rng.choice(made)


def changed_text(text: str, rng: Random) -> str:
    """Change some XML, HTML or plain text."""
    kind = rng.randrange(12)
    if kind == 0:
        return _replaced(text, _ATTRIBUTE, lambda m: m[1] + '"' + rng.choice(VALUES) + '"', rng)
    if kind == 1:
        return _replaced(text, _NUMBER, lambda _: rng.choice(NUMBERS), rng)
    if kind == 2:
        return _replaced(text, _CONTENT, lambda _: ">" + rng.choice(VALUES) + "<", rng)
    if kind == 3:
        return _replaced(text, _TAG, lambda m: _nested(m, rng), rng)
    if kind == 4:
        return _replaced(text, _TAG, lambda m: _huge(m, rng), rng)
    if kind == 5:
        return _replaced(text, _ELEMENT, lambda m: m[0] * rng.choice((0, 2, 3, 100, 3_000)), rng)
    if kind == 6:
        return _replaced(text, _TAG, lambda m: m[0] * rng.choice((0, 2)), rng)
    if kind == 7:
        start = text.find("?>") + 2 if text.startswith("<?xml") else 0
        return text[:start] + rng.choice(ENTITIES) + _replaced(text[start:], _CONTENT, lambda _: ">&x;<", rng)
    if kind == 8:
        return _replaced(text, _ATTRIBUTE, lambda m: "" if rng.random() < 0.5 else m[0] * 2, rng)
    at = rng.randrange(len(text) + 1)
    if kind == 9:
        return text[:at] + rng.choice(VALUES) + text[at + rng.choice((0, 1, 10)) :]
    if kind == 10:
        other = rng.randrange(len(text) + 1)
        return text[:at] + text[other : other + 200] + text[at:]
    return text[:at] + text[at + rng.choice((1, 10, 100, 1000)) :]


def _text_of(content: bytes, rng: Random) -> bytes:
    encoding = "utf-8" if rng.random() < 0.9 else rng.choice(("gb18030", "utf-16", "utf-8-sig"))
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("gb18030", "replace")
    for _ in range(rng.choice((1, 1, 1, 2, 5))):
        text = changed_text(text, rng)[:MAX_BYTES]
    return text.encode(encoding, "replace")


# --- packages -----------------------------------------------------------------------------------

_LIKELY = re.compile(r"sheet\d+\.(xml|bin)$|sharedStrings|workbook|content\.xml$|document\.xml$|\.rels$|styles", re.I)


def _unpacked(content: bytes) -> list[tuple[str, bytes]]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return [(part.filename, archive.read(part)) for part in archive.infolist()]


def _packed(parts: Sequence[tuple[str, bytes]], rng: Random) -> bytes:
    stream = io.BytesIO()
    method = zipfile.ZIP_STORED if rng.random() < 0.1 else zipfile.ZIP_DEFLATED
    with warnings.catch_warnings(), zipfile.ZipFile(stream, "w", method, compresslevel=1) as archive:
        warnings.simplefilter("ignore")
        for name, content in parts:
            archive.writestr(name, content)
    return stream.getvalue()


def repacked(content: bytes, rng: Random, seeds: Sequence[Seed]) -> bytes:
    """Change the parts of a package and pack it again, so that its checksums are right."""
    parts = _unpacked(content)
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        if parts:
            _change_parts(parts, rng, seeds)
    made = _packed(parts, rng)
    if rng.random() < 0.1:  # lie about sizes, flags and places in the directory
        data = bytearray(made)
        at = data.rfind(b"PK\x01\x02") if rng.random() < 0.5 else data.find(b"PK\x01\x02")
        if at >= 0:
            data[at + rng.randrange(4, 46)] ^= rng.randrange(1, 256)
        made = bytes(data)
    return made


def _change_parts(parts: list[tuple[str, bytes]], rng: Random, seeds: Sequence[Seed]) -> None:
    likely = [n for n, (name, _) in enumerate(parts) if _LIKELY.search(name)]
    number = rng.choice(likely) if likely and rng.random() < 0.8 else rng.randrange(len(parts))
    other = rng.randrange(len(parts))
    name, content = parts[number]
    kind = rng.randrange(14)
    if kind == 0:
        parts[number], parts[other] = (name, parts[other][1]), (parts[other][0], content)
    elif kind == 1:
        del parts[number]
    elif kind == 2:
        parts.append((name, parts[other][1]))
    elif kind == 3:
        odd = ("../../" + name, name.upper(), "/" + name, name.replace("/", "\\"), "xl/workbook.xml", "a/" * 99)
        parts[number] = (rng.choice(odd) or "x", content)
    elif kind == 4:
        parts[number] = (name, damaged(content, rng, seeds))
    elif kind == 5:
        parts[number] = (name, rng.choice((b"", b"\0", content[: len(content) // 2], rng.choice(seeds).content)))
    elif kind == 6:
        parts[number] = (name, content.decode("utf-8", "replace").encode("utf-16"))
    elif name.endswith(".bin"):
        parts[number] = (name, changed_packed_records(content, rng))
    else:
        parts[number] = (name, _text_of(content, rng))


# --- inputs -------------------------------------------------------------------------------------


def mutated(rng: Random, seeds: Sequence[Seed]) -> Seed:
    """Make an input from one of the seeds."""
    seed = rng.choice(seeds)
    if seed.name.endswith((".pdf", ".doc", ".odt", ".mht")) and rng.random() < 0.8:
        seed = rng.choice(seeds)  # slow, or soon refused: fewer of them
    content = seed.content
    if content.startswith(b"PK") and rng.random() < 0.75:
        content = repacked(content, rng, seeds)
    elif content.startswith(b"\xd0\xcf") and rng.random() < 0.6:
        content = changed_records(content, rng)
    elif content.startswith((b"PK", b"\xd0\xcf")) or rng.random() < 0.4:
        content = damaged(content, rng, seeds)
    else:
        content = _text_of(content, rng)
    return Seed(seed.name, content)


_SCALARS = (
    *VALUES, "~", "[]", "{}", "[[[[]]]]", "{a: {b: {c: 1}}}", "!!python/object/apply:os.system [ls]", "!!binary aGk=",
    "&a x", "*a", "<<: *a", "? x", "- - - 1", "|", ">-", '"\\ud800"', '"\\x00"', "2026-01-01", ".inf", ".nan", "0o17",
    "1:30", "true", "[" * 500, "{a: " * 500, "- " * 500, "'", '"', "%YAML 1.1", "---", "...", "\t", "@", "`",
)  # fmt: skip
_VALUE = re.compile(r"(?<=: )[^\n{}]+|(?<=\[)[^\]]*")


def mutated_yaml(rng: Random, seeds: Sequence[str]) -> str:
    """Make YAML text from one of the portfolios."""
    text = rng.choice(seeds)
    for _ in range(rng.choice((1, 1, 2, 4))):
        lines = text.split("\n")
        at, other = rng.randrange(len(lines)), rng.randrange(len(lines))
        kind = rng.randrange(8)
        if kind < 3:
            text = _replaced(text, _VALUE, lambda _: rng.choice(_SCALARS), rng)
            continue
        if kind == 3:
            del lines[at]
        elif kind == 4:
            lines.insert(at, lines[other])
        elif kind == 5:
            lines[at] = " " * rng.choice((0, 1, 2, 4, 9)) + lines[at].lstrip()
        elif kind == 6:
            lines[at] = lines[at].replace(":", rng.choice(("", "::", ": :", ": &a", " : ")), 1)
        else:
            spot = rng.randrange(len(lines[at]) + 1)
            lines[at] = lines[at][:spot] + rng.choice(_SCALARS) + lines[at][spot + 1 :]
        text = "\n".join(lines)
    return text
