"""Tables side by side under one row of headings, columns that are divided where they are typed into, and what of
tables would be ambiguous."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import accumulate, combinations
from typing import Any

from kpixl.forms.dated import check_places
from kpixl.forms.definition import Cell, Field, Form, Layout, PlacedTable, Table, TableColumn, Target
from kpixl.forms.node import Node, invalid
from kpixl.forms.placed_tables import check_groups, depth_of, heading_specs
from kpixl.forms.values import fold

TOO_ALIKE = 2  # headings that two tables have in common: by so many is a table found


# --- divided columns --------------------------------------------------------------------------


def read_entry_widths(data: list[Any] | None, widths: Sequence[float]) -> tuple[tuple[float, ...], ...]:
    """Read for each printed column the widths of those that it is divided into in the template.

    A number is one column of that width, [] is none: its place goes to the column before it.
    """
    if data is None:
        return tuple((width,) for width in widths)
    if len(data) != len(widths):
        raise invalid("layout.entry-widths", f"must have an item for each of the {len(widths)} `widths`")
    found = [tuple(item) if isinstance(item, list) else (item,) for item in data]
    for number, item in enumerate(found):
        if not all(isinstance(width, int | float) and not isinstance(width, bool) and width > 0 for width in item):
            raise invalid(f"layout.entry-widths[{number}]", f"cannot be {data[number]!r}")
    return tuple(tuple(map(float, item)) for item in found)


def divided(layout: Layout, widths: Sequence[Sequence[float]]) -> Layout:
    """Return the layout as it is typed into: every cell takes the columns that its own were divided into."""
    if all(len(item) == 1 for item in widths):
        return replace(layout, widths=tuple(item[0] for item in widths))
    starts = [0, *accumulate(map(len, widths))]

    def moved(cell: Cell) -> Cell:
        col, end = starts[cell.col], starts[cell.col + cell.columns]
        if end == col:
            raise invalid("layout.entry-widths", f"leaves no column for {cell.kind} {cell.key or cell.text}")
        return replace(cell, col=col, columns=end - col)

    flat = tuple(width for item in widths for width in item)
    return replace(layout, widths=flat, head=tuple(map(moved, layout.head)), foot=tuple(map(moved, layout.foot)))


# --- tables side by side ----------------------------------------------------------------------


def place_tables(
    node: Node, names: Sequence[str], tables: Mapping[str, Table], row: int, wide: Mapping[str, int]
) -> list[PlacedTable]:
    """Place tables side by side. A heading names its table; in print one without is shared by all of them."""
    for name in names:
        if name not in tables:
            raise invalid(f"{node.path}.tables", f"no table {name}")
    caption = check_places(node.take("caption", str, ""), f"{node.path}.caption")
    shared: list[str] = []
    heads = {look: _place_headings(node, look, names, tables, wide[look], 1 if caption else 0, shared)
             for look in ("entry", "print")}  # fmt: skip
    depth = depth_of(*(headings for own in heads.values() for headings in own.values()))
    return [
        PlacedTable(name, row + depth - 1, "" if number else caption, tuple(heads["entry"][name]),
                    tuple(heads["print"][name]), tuple(names), frozenset(shared), depth)
        for number, name in enumerate(names)
    ]  # fmt: skip


def _place_headings(
    node: Node, look: str, names: Sequence[str], tables: Mapping[str, Table], wide: int, col: int, shared: list[str]
) -> dict[str, list[TableColumn]]:
    """Place the headings of tables side by side from column `col` on; add to `shared` those of several tables."""
    heads: dict[str, list[TableColumn]] = {name: [] for name in names}
    for spec, group, where in heading_specs(node.take(look, list), f"{node.path}.{look}"):
        owners, heading = _heading(spec, look, names, tables, col, where)
        heading = replace(heading, group=group)
        if len(owners) > 1:
            shared.append(heading.key)
        for name in owners:
            heads[name].append(heading)
        col += heading.columns
    if col > wide:
        raise invalid(f"{node.path}.{look}", "wider than its widths")
    for name in names:
        check_groups(heads[name], tables[name], f"{node.path}.{look}")
    return heads


def _heading(
    spec: Any, look: str, names: Sequence[str], tables: Mapping[str, Table], col: int, where: str
) -> tuple[Sequence[str], TableColumn]:
    """Read a heading: the tables that it belongs to, and its place."""
    known = {"table", "column", "target", "columns"}
    if not isinstance(spec, dict) or not set(spec) <= known or ("column" in spec) == ("target" in spec):
        raise invalid(where, "must have `table`, and `column` or `target`")
    owners = [spec["table"]] if "table" in spec else [*names]
    key, wide = str(spec.get("column", spec.get("target"))), spec.get("columns", 1)
    if not set(owners) <= set(names):
        raise invalid(where, f"no table {spec['table']} in `tables`")
    if len(owners) > 1 and (look == "entry" or not all(_levels(tables[name], key) for name in owners)):
        raise invalid(where, "only a column with `fill` that every table has can be shared, and only in `print`")
    table = tables[owners[0]]
    parts: Mapping[str, Field | Target] = table.targets if "target" in spec else table.columns
    if key not in parts:
        raise invalid(where, f"table {owners[0]} has no {'target' if 'target' in spec else 'column'} {key}")
    if look == "entry":
        wide = 3 if "target" in spec else 1
    return owners, TableColumn(key, parts[key].on_form, col, int(wide))


def _levels(table: Table, key: str) -> bool:
    return key in table.columns and table.columns[key].fill


# --- what would be ambiguous ------------------------------------------------------------------


def check_tables(form: Form) -> None:
    """Refuse tables of which a heading could be two columns, or a row belong to two tables."""
    for placed in form.layout.tables:
        _check_complete(form.tables[placed.table], placed)
        _check_columns(form.tables[placed.table])
    for above, below in combinations(form.layout.tables, 2):
        both = [_texts(form.tables[placed.table]) for placed in (above, below)]
        alike = both[0] & both[1]
        # A row of headings is of the table that it has most of: unclear where they are half of one. Of tables with the
        # same headings the order tells which is which.
        half = min(map(len, both)) / 2
        if above.row != below.row and both[0] != both[1] and len(alike) >= max(TOO_ALIKE, half):
            reason = f"has the headings of {above.table}: {', '.join(sorted(alike))}; put them side by side"
            raise invalid(f"tables.{below.table}", reason)


def _check_columns(table: Table) -> None:
    """Refuse two columns of one name."""
    names: dict[str, str] = {}
    for key, text in ((key, text) for key, texts in _headings(table) for text in texts):
        other = names.setdefault(text, key)
        if other != key and not _is_value_of(table, key, other):
            raise invalid(f"tables.{table.key}.columns.{key}", f"reads like {other}: both are called {text}")


def _check_complete(table: Table, placed: PlacedTable) -> None:
    """Refuse a table with a column that cannot be typed: what a roster says there would be lost."""
    keys = [heading.key for heading in placed.entry]
    typed = {part for key in keys for part in (table.targets[key].parts if key in table.targets else (key,))}
    if lost := [key for key in table.columns if key not in typed]:
        raise invalid(f"tables.{table.key}.columns.{lost[0]}", "has no place in `entry` of the layout")


def _headings(table: Table) -> Iterator[tuple[str, frozenset[str]]]:
    named: list[Field | Target] = [*table.columns.values(), *table.targets.values()]
    for one in named:
        yield one.key, frozenset(map(fold, (one.label, *one.synonyms)))


def twins(form: Form) -> Iterator[tuple[str, ...]]:
    """Yield the tables below each other that have the same headings, in the order of the layout."""
    groups: dict[frozenset[str], list[PlacedTable]] = {}
    for placed in form.layout.tables:
        groups.setdefault(_texts(form.tables[placed.table]), []).append(placed)
    for group in groups.values():
        if len(group) > 1 and len({placed.row for placed in group}) == len(group):
            yield tuple(placed.table for placed in sorted(group, key=lambda placed: placed.row))


def _texts(table: Table) -> frozenset[str]:
    return frozenset().union(*(texts for _, texts in _headings(table)))


def _is_value_of(table: Table, key: str, other: str) -> bool:
    """Return whether one is a target and the other its value: which is meant, the headings beside it tell."""
    return any({key, other} == {target.key, target.value} for target in table.targets.values())
