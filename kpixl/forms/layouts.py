"""Read the layout of a form definition: rows of cells, tables and grids, as printed and as typed into."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from kpixl.forms.dated import check_places
from kpixl.forms.definition import Cell, Field, FieldGrid, Layout, PlacedTable, Table
from kpixl.forms.grids import GridCells, place_grid
from kpixl.forms.node import Node, invalid
from kpixl.forms.placed_tables import place_table
from kpixl.forms.tables_beside import divided, place_tables, read_entry_widths

_CELL_KINDS = frozenset({"title", "subtitle", "label", "value", "caption", "blank"})


@dataclass(frozen=True, slots=True)
class Parts:
    """What a layout places: title and subtitle, fields, tables and grids by their keys."""

    title: str
    subtitle: str
    fields: Mapping[str, Field]
    tables: Mapping[str, Table]
    grids: Mapping[str, FieldGrid]


@dataclass
class _Placed:
    """What is placed so far: above the first table, the tables, below; each cell as printed and as typed into."""

    parts: Parts
    wide: Mapping[str, int]  # columns as typed into and as printed
    head: GridCells = field(default_factory=lambda: GridCells([], []))
    foot: GridCells = field(default_factory=lambda: GridCells([], []))
    tables: list[PlacedTable] = field(default_factory=list)
    taken: set[tuple[int, int]] = field(default_factory=set)  # by cells that are several rows high

    @property
    def side(self) -> GridCells:
        """Return the side of the tables on which the next cells are."""
        return self.foot if self.tables else self.head


def read_layout(node: Node, parts: Parts) -> tuple[Layout, Layout]:
    """Read the layout as printed, and as typed into."""
    widths = tuple(float(w) for w in node.sequence("widths", (int, float)))
    entry_widths = read_entry_widths(node.take("entry-widths", list, None), widths)
    placed = _Placed(parts, {"entry": sum(map(len, entry_widths)), "print": len(widths)})
    heights: dict[int, float] = {}
    number = 0
    for place, spec in enumerate(node.take("rows", list)):
        row = Node(spec, f"layout.rows[{place}]")
        height = row.take("height", (int, float), None)
        count = _place_row(row, number, placed)
        if height is not None:
            heights |= dict.fromkeys(range(number, number + count), float(height))
        number += count
        row.finish()
    node.finish()
    head, foot = placed.head, placed.foot
    layout = Layout(widths, heights, number, tuple(head.print), tuple(placed.tables), tuple(foot.print))
    typed = replace(layout, head=tuple(head.entry), foot=tuple(foot.entry))
    return layout, divided(typed, entry_widths)


def _place_row(row: Node, number: int, placed: _Placed) -> int:
    """Place what begins in row `number`; return how many rows that takes."""
    parts, width = placed.parts, placed.wide["print"]
    if (name := row.take("table", str, None)) is not None:
        if name not in parts.tables:
            raise invalid(row.path, f"no table {name}")
        placed.tables.append(place_table(row, parts.tables[name], number, placed.wide))
        return placed.tables[-1].depth
    if (names := row.take("tables", list, None)) is not None:
        placed.tables += place_tables(row, names, parts.tables, number, placed.wide)
        return placed.tables[-1].depth
    if (name := row.take("grid", str, None)) is not None:
        if name not in parts.grids:
            raise invalid(row.path, f"no grid {name}")
        cells = place_grid(row, parts.grids[name], parts.fields, number, width)
        for side, more in zip(placed.side, cells, strict=True):
            side += more
        return len(parts.grids[name].rows) + 1
    for cell in _place_cells(row.take("cells", list), number, placed):
        for side in placed.side:
            side.append(cell)
    return 1


def _place_cells(specs: list[Any], row: int, placed: _Placed) -> Iterator[Cell]:
    where = f"layout.rows[{row}]"
    col = 0
    for spec in specs:
        node = Node(spec, where)
        while (row, col) in placed.taken:
            col += 1
        rows, columns = node.take("rows", int, 1), node.take("columns", int, 1)
        vertical = node.take("vertical", bool, False)
        kind, key, text = _content(node, spec, placed.parts)
        if col + columns > placed.wide["print"]:
            raise invalid(where, "wider than `widths`")
        placed.taken |= {(r, c) for r in range(row, row + rows) for c in range(col, col + columns)}
        yield Cell(kind, text, key, row, col, rows, columns, vertical)
        col += columns


def _content(node: Node, spec: object, parts: Parts) -> tuple[str, str, str]:
    """Return the kind of a cell, the key of its field and the text that it shows."""
    (kind, content), *more = node.rest.items() if node.rest else [("", "")]
    node.rest.clear()
    if more or kind not in _CELL_KINDS:
        raise invalid(node.path, f"what is {spec}?")
    if kind in ("label", "value"):
        if not isinstance(content, str) or content not in parts.fields:
            raise invalid(node.path, f"no field {content}")
        return kind, content, parts.fields[content].on_form if kind == "label" else ""
    if kind == "caption":
        return kind, "", check_places(str(content), node.path)
    return kind, "", {"title": parts.title, "subtitle": parts.subtitle}.get(kind, "")
