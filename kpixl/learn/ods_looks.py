"""Reads merges, borders and fills of OpenDocument spreadsheets, which the readers of their cells do not give."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from kpixl.a1 import Span
from kpixl.learn.sheet import MAX_COLUMNS, MAX_ROWS, CellLook, SeenSheet
from kpixl.ooxml.package import Package
from kpixl.ooxml.xml import Tree, parse, q, whole

_OASIS = "urn:oasis:names:tc:opendocument:xmlns:"
_TABLE, _STYLE, _FO = f"{_OASIS}table:1.0", f"{_OASIS}style:1.0", f"{_OASIS}xsl-fo-compatible:1.0"
_SIDES = {"border-left": "l", "border-right": "r", "border-top": "t", "border-bottom": "b"}


@dataclass
class _Seen:
    """What was seen of one sheet."""

    merges: list[Span]
    look: dict[tuple[int, int], CellLook]


def add_looks(content: bytes, sheets: list[SeenSheet]) -> list[SeenSheet]:
    """Add to the sheets of an OpenDocument spreadsheet how they look. Raises PackageError."""
    part = Package(content).read("content.xml")
    if not part:
        return sheets
    root = parse(part)
    looks = {node.get(q("name", _STYLE), ""): _look(node) for node in root.iter(q("style", _STYLE))}
    seen = {table.get(q("name", _TABLE), ""): _table(table, looks) for table in root.iter(q("table", _TABLE))}
    return [_with(sheet, seen[sheet.name]) if sheet.name in seen else sheet for sheet in sheets]


def _with(sheet: SeenSheet, seen: _Seen) -> SeenSheet:
    return replace(sheet, looks=True, merges=tuple(seen.merges), look=seen.look)


def _look(style: Tree) -> CellLook:
    cell, text = (style.find(q(f"{part}-properties", _STYLE)) for part in ("table-cell", "text"))
    edges: set[str] = set()
    fill = ""
    if cell is not None:
        whole_border = _is_line(cell.get(q("border", _FO)))
        edges = {side for name, side in _SIDES.items() if _is_line(cell.get(q(name, _FO))) or whole_border}
        colour = cell.get(q("background-color", _FO), "transparent")
        fill = "" if colour.casefold() in ("transparent", "#ffffff") else colour
    bold = text is not None and text.get(q("font-weight", _FO)) == "bold"
    size = (text.get(q("font-size", _FO)) or "") if text is not None else ""
    points = float(size.removesuffix("pt")) if size.removesuffix("pt").replace(".", "", 1).isdecimal() else 0.0
    return CellLook(frozenset(edges), fill, bold, size=points)


def _is_line(border: str | None) -> bool:
    return border is not None and border != "none"


def _table(table: Tree, looks: dict[str, CellLook]) -> _Seen:
    seen = _Seen([], {})
    row = 0
    for node in table.iter(q("table-row", _TABLE)):
        repeated = max(1, whole(node, q("number-rows-repeated", _TABLE), 1))
        for number in range(row, min(row + repeated, MAX_ROWS)):
            for col, cell in _cells(node):
                look = looks.get(cell.get(q("style-name", _TABLE), ""))
                if look is not None:
                    seen.look[number, col] = look
                rows, columns = (whole(cell, q(f"number-{side}-spanned", _TABLE), 1) for side in ("rows", "columns"))
                if rows > 1 or columns > 1:
                    last = (min(number + rows, MAX_ROWS) - 1, min(col + columns, MAX_COLUMNS) - 1)
                    seen.merges.append(Span(number, col, *last))
        row += repeated
        if row >= MAX_ROWS:
            break
    return seen


def _cells(row: Tree) -> Iterator[tuple[int, Tree]]:
    """Yield the cells of a row with their columns, repeated ones again and again."""
    col = 0
    for cell in row:
        if cell.tag not in (q("table-cell", _TABLE), q("covered-table-cell", _TABLE)):
            continue
        for _ in range(max(1, whole(cell, q("number-columns-repeated", _TABLE), 1))):
            if col >= MAX_COLUMNS:
                return
            yield col, cell
            col += 1
