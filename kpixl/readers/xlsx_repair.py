"""Cells of .xlsx sheets that calamine reads wrong without a word, put right before it sees them.

calamine takes any `<v>` of a shared string that is not plain digits for string 0, and stops reading a number at a
character reference, a comment or a CDATA section within it. Such parts are parsed with expat and written anew.
"""

from __future__ import annotations

import re
from typing import NamedTuple
from xml.parsers import expat
from xml.sax.saxutils import escape, quoteattr

from kpixl.readers.grid import broken, no_entities

# A cell with a shared string that is not spelled as nearly every program does, its number in plain digits.
_UNUSUAL = re.compile(rb'"s"(?!><v>\d++</v>)')
# The same however it is spelled: a cell with a shared string whose value is not plain digits.
_NO_INDEX = re.compile(
    rb"[\"']s[\"'][^<>]*+>(?:\s*+<(?:\w+:)?f\b[^<>]*+(?:(?<=/)>|>[^<]*+</(?:\w+:)?f>))?\s*+(?:<!--|<(?:\w+:)?v(?:\s[^<>]*+)?>(?!\d*+</))"
)
_FEW = 100  # of a character that is rare in a sheet; from it a word is found ten times as fast as from a common one
# Markup within a value, or a character reference in one.
_MARKUP = re.compile(rb"<v(?:\s[^<>]*+)?>(?:[^<]*+<(?!/)|[^<&]*+&#)")
_MARKUP_PREFIXED = re.compile(rb"<\w+:v(?:\s[^<>]*+)?>(?:[^<]*+<(?!/)|[^<&]*+&#)")
_MAX_PART = 64 << 20  # bytes: expat takes some 10 s for as many; no honest sheet with such cells is as large
_TEXTS = frozenset({"str", "inlineStr", "d"})  # kinds of cells whose value is kept as it is


class Mended(NamedTuple):
    """A sheet's part written anew, and the cells whose value names nothing: address and what is there instead."""

    content: bytes
    unreadable: tuple[tuple[str, str], ...]


def is_faulty(cells: bytes, *, head: bytes, shared: bool) -> bool:
    """Return whether calamine may read a value of a sheet wrong, given the `head` of its part and what holds its cells.

    `shared`: whether the workbook has shared strings.

    Where all is as usual this takes one search for a word and some for single characters, which are much faster.
    """
    unusual = shared and (_UNUSUAL.search(cells) is not None or _holds(cells, b"'s'", b"'"))
    if unusual and _NO_INDEX.search(cells) is not None:
        return True
    odd = _holds(cells, b"<?", b"?") or _holds(cells, b"&#", b"#") or _holds(cells, b"<!", b"!")
    markup = _MARKUP if b"<worksheet" in head else _MARKUP_PREFIXED
    return odd and markup.search(cells) is not None


def _holds(part: bytes, word: bytes, rare: bytes) -> bool:
    """Return whether a part holds a word, given the rare character that it begins or ends with."""
    at, size = part.find(rare), len(word)
    for _ in range(_FEW):
        if at < 0:
            return False
        if word in part[max(0, at - size + 1) : at + size]:
            return True
        at = part.find(rare, at + 1)
    return word in part


def mended(part: bytes, strings: int) -> Mended:
    """Write a sheet's part anew with plain values, given how many shared strings there are. Raises UnreadableError."""
    if len(part) > _MAX_PART:
        raise broken(("有单元格的内容写法有误", "cells are not spelled as they should be"))
    writer = _Writer(strings)
    parser = expat.ParserCreate()
    parser.StartElementHandler = writer.start
    parser.EndElementHandler = writer.end
    parser.CharacterDataHandler = writer.text
    parser.StartDoctypeDeclHandler = no_entities
    parser.buffer_text = True
    try:
        parser.Parse(part, True)
    except (expat.ExpatError, ValueError, LookupError) as error:
        raise broken(error) from error
    return Mended("".join(writer.out).encode("utf-8", "surrogatepass"), tuple(writer.unreadable))


class _Writer:
    """Takes the events of the parser and writes them down, values put right."""

    def __init__(self, strings: int) -> None:
        self.strings = strings
        self.out: list[str] = []
        self.unreadable: list[tuple[str, str]] = []
        self.address, self.kind = "", ""
        self.value: list[str] | None = None

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """Take the beginning of an element."""
        local = name.rpartition(":")[2]
        if local == "c":
            self.address, self.kind = attributes.get("r", ""), attributes.get("t", "n")
        elif local == "v":
            self.value = []
        self.out.append(f"<{name}{''.join(f' {key}={quoteattr(text)}' for key, text in attributes.items())}>")

    def text(self, text: str) -> None:
        """Take some text."""
        if self.value is not None:
            self.value.append(text)
        else:
            self.out.append(escape(text))

    def end(self, name: str) -> None:
        """Take the end of an element."""
        if self.value is not None and name.rpartition(":")[2] == "v":
            self.out.append(escape(self._plain("".join(self.value))))
            self.value = None
        self.out.append(f"</{name}>")

    def _plain(self, text: str) -> str:
        """Return a value as calamine reads it; blank where it names no string."""
        if self.kind in _TEXTS:
            return text
        plain = text.strip()
        if self.kind != "s" or not plain:
            return plain
        if plain.isascii() and plain.isdecimal() and len(plain) < 10 and int(plain) < self.strings:
            return plain
        self.unreadable.append((self.address, plain[:100]))
        return ""
