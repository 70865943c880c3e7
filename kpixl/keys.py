"""Addresses of values in a project: a field, or a column in a row of a table.

Texts such as `indicators.3.value` are how files spell a key: YAML, the sources file, JSON. They are made and parsed
here only.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import NamedTuple

WHOLE, WAITING = -1, -2  # in place of the number of a row; no row of a file has a number below 0
_OF_ROW = re.compile(r"(.+?)\.(\d{1,9})\.(.+)", re.ASCII | re.DOTALL)


class Key(NamedTuple):
    """The address of a value. `name`: a field or a table. `row`: the number of the row, from 0, and its `column`.

    Without a row it is a field, or a table as a whole. WAITING: a row that the template holds ready for a level, which
    is then in `column`, and that nobody filled in.
    """

    name: str
    row: int = WHOLE
    column: str = ""

    def __reduce__(self) -> tuple[Callable[[str, int, str], Key], tuple[str, int, str]]:
        """Let pickle give back the one that is kept."""
        return key_of, (self.name, self.row, self.column)

    def __str__(self) -> str:
        if self.row >= 0:
            return f"{self.name}.{self.row}.{self.column}"
        return self.name if self.row == WHOLE else f"{self.name}@{self.column}"

    @property
    def in_row(self) -> bool:
        """Return whether it is a value of a row."""
        return self.row >= 0


@lru_cache(maxsize=16384)
def key_of(name: str, row: int = WHOLE, column: str = "") -> Key:
    """Return a key; the projects of a form have the same few, which are kept once."""
    return Key(name, row, column)


@lru_cache(maxsize=4096)
def row_keys(table: str, row: int, columns: tuple[str, ...]) -> Mapping[str, Key]:
    """Map the columns of a row to the keys of its values."""
    return {column: key_of(table, row, column) for column in columns}


def parse_key(text: str) -> Key:
    """Parse a key as files spell it; no name within a key begins with a digit, so a number is a row."""
    found = _OF_ROW.fullmatch(text)
    return Key(found[1], int(found[2]), found[3]) if found else Key(text)
