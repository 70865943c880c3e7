"""The formulas of binary workbooks: tokens in reverse Polish order -> text.

No library gives them. [MS-XLS] 2.5.198 and [MS-XLSB] 2.5.97 number the tokens; only what totals and percentages of a
form are made of is known here, any other formula is None.
"""

from __future__ import annotations

import struct
from collections.abc import Callable

from kpixl.a1 import a1

MAX_TOKENS = 2_000  # bytes; Excel keeps at most 1,800 in a .xls
MAX_TEXT = 8_192  # characters; Excel's own limit
_BINARY = dict(zip(range(0x03, 0x0F), ("+", "-", "*", "/", "^", "&", "<", "<=", "=", ">=", ">", "<>"), strict=True))
_AROUND = {0x12: "+{}", 0x13: "-{}", 0x14: "{}%", 0x15: "({})"}
_FUNCTIONS = {0: "COUNT", 1: "IF", 4: "SUM", 5: "AVERAGE", 6: "MIN", 7: "MAX", 169: "COUNTA", 183: "PRODUCT"}
_MISSING, _STRING, _ATTRIBUTE, _INTEGER, _NUMBER = 0x16, 0x17, 0x19, 0x1E, 0x1F
_CALL, _CELL, _AREA = 0x22, 0x24, 0x25  # each in three classes, 0x20 apart
_SUM, _CHOOSE = 0x10, 0x04  # kinds of attributes: SUM of one range; a table of jumps follows
_COLUMN = 0x3FFF  # the two bits above tell whether row and column move with the formula


def spelled(tokens: bytes, length: int, *, packed: bool = False) -> str | None:
    """Spell a formula of `length` bytes with its =; None where a token is not known. `packed`: of a .xlsb."""
    if not 0 < length <= min(len(tokens), MAX_TOKENS):
        return None
    reader = _Reader(tokens[:length], packed)
    try:
        while reader.at < length:
            if not reader.step():
                return None
    except (struct.error, IndexError, ValueError):  # cut off, or more is taken than was put
        return None
    return f"={reader.stack[0]}" if len(reader.stack) == 1 else None


class _Reader:
    """Goes through the tokens and keeps the operands; used once."""

    def __init__(self, tokens: bytes, packed: bool) -> None:
        self.tokens, self.packed, self.at = tokens, packed, 0
        self.stack: list[str] = []

    def step(self) -> bool:
        """Take a token; return whether it is known."""
        token = self._take("<B")
        if token in _BINARY:
            right, left = self.stack.pop(), self.stack.pop()
            return self._push(f"{left}{_BINARY[token]}{right}")
        if token in _AROUND:
            return self._push(_AROUND[token].format(self.stack.pop()))
        base = token if token < 0x40 else (token & 0x1F) | 0x20
        known: dict[int, Callable[[], bool]] = {
            _MISSING: lambda: self._push(""),
            _INTEGER: lambda: self._push(str(self._take("<H"))),
            _NUMBER: lambda: self._push(repr(self._take("<d")).removesuffix(".0")),
            _STRING: self._string,
            _ATTRIBUTE: self._attribute,
            _CALL: self._call,
            _CELL: self._cell,
            _AREA: self._area,
        }
        return known[base]() if base in known else False

    def _take(self, layout: str) -> int:
        (value,) = struct.unpack_from(layout, self.tokens, self.at)
        self.at += struct.calcsize(layout)
        return value  # type: ignore[no-any-return]

    def _push(self, text: str) -> bool:
        self.stack.append(text)
        return len(text) <= MAX_TEXT

    def _string(self) -> bool:
        if self.packed:
            size, wide = self._take("<H"), 2
        else:
            size, wide = self._take("<B"), 1 + (self._take("<B") & 1)
        text = self.tokens[self.at : self.at + size * wide].decode("utf-16-le" if wide == 2 else "latin-1", "replace")
        self.at += size * wide
        return self._push('"' + text.replace('"', '""') + '"')

    def _attribute(self) -> bool:
        """Take what defines the computation; only a sum of one range is part of the text."""
        kind = self._take("<B")
        self._take("<H")
        if kind & _SUM:
            return self._push(f"SUM({self.stack.pop()})")
        return not kind & _CHOOSE

    def _call(self) -> bool:
        count, number = self._take("<B") & 0x7F, self._take("<H")
        if number not in _FUNCTIONS or count > len(self.stack):
            return False
        arguments = self.stack[len(self.stack) - count :]
        del self.stack[len(self.stack) - count :]
        return self._push(f"{_FUNCTIONS[number]}({','.join(arguments)})")

    def _cell(self) -> bool:
        row, column = self._take("<I" if self.packed else "<H"), self._take("<H")
        return self._push(a1(row, column & _COLUMN))

    def _area(self) -> bool:
        layout = "<I" if self.packed else "<H"
        first, last = self._take(layout), self._take(layout)
        left, right = self._take("<H") & _COLUMN, self._take("<H") & _COLUMN
        return self._push(f"{a1(first, left)}:{a1(last, right)}")
