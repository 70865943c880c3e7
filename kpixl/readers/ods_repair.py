"""Content of .ods files that calamine refuses or passes over, written as it reads it.

It knows elements by their usual prefixes only, refuses the file where `office:value` is no number, shows that value
where LibreOffice shows the text, and passes over the text of a cell without a type.
"""

from __future__ import annotations

from collections.abc import Mapping
from xml.parsers import expat
from xml.sax.saxutils import escape, quoteattr

from kpixl.readers.grid import broken, no_entities

_NAMES = "urn:oasis:names:tc:opendocument:xmlns:"
_PREFIXES = ("office", "table", "text", "style", "draw")
_CALC = "urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0"
_CELLS = frozenset({"table:table-cell", "table:covered-table-cell"})
# How a cell of each type has its value; that of any other type is its text.
_VALUES = {
    "float": "office:value",
    "percentage": "office:value",
    "currency": "office:value",
    "date": "office:date-value",
    "time": "office:time-value",
    "boolean": "office:boolean-value",
}
_ALL_VALUES = frozenset({*_VALUES.values(), "office:string-value"})
_ASIDE = frozenset({"office:annotation", "draw:frame", "draw:custom-shape"})
_MAX_CONTENT = 64 << 20  # bytes: some 10 s


def is_sound(kind: str, attributes: Mapping[str, str]) -> bool:
    """Return whether calamine reads a cell of a type by its attributes as its text shows it."""
    if kind in _VALUES:
        value = attributes.get(_VALUES[kind])
        return value is not None and (_VALUES[kind] != "office:value" or _is_number(value))
    return "office:value" not in attributes or (not kind and _is_number(attributes["office:value"]))


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return "_" not in text and text == text.strip()


def mended(content: bytes) -> bytes:
    """Write content anew, with usual prefixes and sound cells. Raises UnreadableError."""
    if len(content) > _MAX_CONTENT:
        raise broken(("有单元格的内容写法有误", "cells are not spelled as they should be"))
    writer = _Writer()
    parser = expat.ParserCreate(namespace_separator="|")
    parser.StartElementHandler = writer.start
    parser.EndElementHandler = writer.end
    parser.CharacterDataHandler = writer.text
    parser.StartDoctypeDeclHandler = no_entities
    parser.buffer_text = True
    try:
        parser.Parse(content, True)
    except (expat.ExpatError, ValueError, LookupError) as error:
        raise broken(error) from error
    return "".join(writer.out).encode("utf-8", "surrogatepass")


class _Writer:
    """Takes the events of the parser and writes them down."""

    def __init__(self) -> None:
        self.out: list[str] = ['<?xml version="1.0" encoding="UTF-8"?>']
        self.known = {f"{_NAMES}{prefix}:1.0": prefix for prefix in _PREFIXES} | {_CALC: "calcext"}
        self.first = True
        self.aside = 0  # elements deep in a note or a drawing
        self.untyped: int | None = None  # where the start of a cell without a type is, until its text was seen

    def _named(self, name: str) -> str:
        space, _, local = name.rpartition("|")
        return f"{self.known.get(space, 'x')}:{local}"

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """Take the beginning of an element."""
        name = self._named(name)
        known = {self._named(key): text for key, text in attributes.items() if key.rpartition("|")[0] in self.known}
        if self.aside or name in _ASIDE:
            self.aside += 1
        elif name in _CELLS:
            known = _sound(known)
            self.untyped = None if known.get("office:value-type") else len(self.out)
        if self.first:
            known |= {f"xmlns:{prefix}": space for space, prefix in self.known.items()} | {"xmlns:x": "urn:x"}
            self.first = False
        self.out.append(f"<{name}{''.join(f' {key}={quoteattr(text)}' for key, text in known.items())}>")

    def text(self, text: str) -> None:
        """Take some text."""
        if self.untyped is not None and not self.aside and text.strip():
            self.out[self.untyped] = f'{self.out[self.untyped][:-1]} office:value-type="string">'
            self.untyped = None
        self.out.append(escape(text))

    def end(self, name: str) -> None:
        """Take the end of an element."""
        name = self._named(name)
        if self.aside:
            self.aside -= 1
        elif name in _CELLS:
            self.untyped = None
        self.out.append(f"</{name}>")


def _sound(attributes: dict[str, str]) -> dict[str, str]:
    """Return the attributes of a cell such that calamine reads what the cell shows."""
    kind = attributes.get("office:value-type", "")
    if is_sound(kind, attributes):
        return attributes
    kept = {key: text for key, text in attributes.items() if key not in _ALL_VALUES - {"office:string-value"}}
    return kept | ({"office:value-type": "string"} if kind else {})
