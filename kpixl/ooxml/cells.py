"""The cells of a worksheet as they are stored: values without their formats, and whether each is a formula."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from kpixl.ooxml.workbook import Workbook
from kpixl.ooxml.xml import DAMAGED, TOO_LARGE, PackageError, Tree, elements, local, q, whole

MAX_PART = 256 << 20  # bytes of a sheet that is read row by row; a million formatted rows are as many
MAX_ROW, MAX_COL = 1_048_576, 16_384  # Excel's
_PLACE = re.compile(r"([A-Z]{1,3})([0-9]{1,7})")
_C, _F, _IS, _T, _V = map(q, ("c", "f", "is", "t", "v"))

Content = str | float | None


class SheetCell(NamedTuple):
    """A cell: its place, its value or a formula's last result, whether it is a formula, the number of its format."""

    row: int
    col: int
    value: Content
    formula: bool
    style: int


def shared_strings(workbook: Workbook) -> list[str]:
    """Return the texts that cells refer to by number. Raises PackageError."""
    part = workbook.related(workbook.part, "sharedStrings")
    if part is None:
        return []
    if workbook.size(part) > MAX_PART:
        raise PackageError(TOO_LARGE)
    return [_text(node) for node in elements(workbook.read(part), "si")]


def read_cells(workbook: Workbook, path: str, strings: Sequence[str]) -> Iterator[SheetCell]:
    """Yield the cells of a sheet's part that hold something or have a format. Raises PackageError."""
    if workbook.size(path) > MAX_PART:
        raise PackageError(TOO_LARGE)
    row = -1
    try:
        for node in elements(workbook.read(path), "row"):
            row = whole(node, "r", row + 2) - 1
            col = -1
            for cell in node.iter(_C):
                if (place := cell.get("r")) is not None:
                    row, col = _place(place)
                else:
                    col += 1
                if not (0 <= row < MAX_ROW and 0 <= col < MAX_COL):
                    raise PackageError(DAMAGED)
                formula = cell.find(_F) is not None
                yield SheetCell(row, col, _value(cell, strings), formula, whole(cell, "s"))
    except (ValueError, IndexError, OverflowError) as error:
        raise PackageError(DAMAGED) from error


def _place(address: str) -> tuple[int, int]:
    match = _PLACE.fullmatch(address)
    if match is None:
        raise PackageError(DAMAGED)
    col = 0
    for letter in match[1]:
        col = col * 26 + ord(letter) - 64
    return int(match[2]) - 1, col - 1


def _value(cell: Tree, strings: Sequence[str]) -> Content:
    kind = cell.get("t", "n")
    if kind == "inlineStr":
        inline = cell.find(_IS)
        return None if inline is None else _text(inline)
    text = cell.findtext(_V)
    if text is None:
        return None
    if kind == "s":
        if (number := int(text)) < 0:  # which Python would count from the end
            raise IndexError(number)
        return strings[number]
    if kind in ("str", "e", "d"):
        return str(text)
    return float(text) if text.strip() else None


def _text(node: Tree) -> str:
    """Join the runs of a text, without how they are pronounced."""
    if len(node) == 1 and node[0].tag == _T:
        return node[0].text or ""
    return "".join(t.text or "" for t in node.iter(_T) if local(t.getparent()) != "rPh")
