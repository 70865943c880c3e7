"""Where a table of a layout is: its headings, in one row or with headings of groups over them, and their columns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, NamedTuple

from kpixl.forms.dated import check_places
from kpixl.forms.definition import Field, HeadingGroup, PlacedTable, Table, TableColumn, Target
from kpixl.forms.node import Node, invalid
from kpixl.forms.values import fold

LOOKS = ("entry", "print")
MAX_HEADINGS = 100  # of one table; no form on paper has half as many


class HeadingSpec(NamedTuple):
    """A heading as written in form.yaml, the group over it, and its key for messages."""

    spec: Any
    group: HeadingGroup | None
    path: str


def heading_specs(specs: Sequence[Any], path: str) -> Iterator[HeadingSpec]:
    """Yield the headings of a table from left to right; `{over: text, headings: [...]}` is a group of them."""
    if len(specs) > MAX_HEADINGS:
        raise invalid(path, f"has more than {MAX_HEADINGS} headings")
    for number, spec in enumerate(specs):
        where = f"{path}[{number}]"
        if not isinstance(spec, dict) or "over" not in spec:
            yield HeadingSpec(spec, None, where)
            continue
        node = Node(spec, where)
        label = check_places(node.take("over", str), f"{where}.over")
        group = HeadingGroup(label, tuple(map(str, node.take("synonyms", list, []))))
        inside = node.take("headings", list)
        node.finish()
        if not fold(label) or not 0 < len(inside) <= MAX_HEADINGS:
            raise invalid(where, "must have a text in `over` and headings below it")
        for place, below in enumerate(inside):
            if isinstance(below, dict) and "over" in below:
                raise invalid(f"{where}.headings[{place}]", "is a group in a group: headings are in two rows at most")
            yield HeadingSpec(below, group, f"{where}.headings[{place}]")


def place_table(node: Node, table: Table, row: int, wide: Mapping[str, int]) -> PlacedTable:
    """Place a table whose headings begin in row `row`."""
    caption = check_places(node.take("caption", str, ""), f"{node.path}.caption")
    heads: dict[str, tuple[TableColumn, ...]] = {}
    for look in LOOKS:
        col = 1 if caption else 0
        headings: list[TableColumn] = []
        for spec, group, path in heading_specs(node.take(look, list), f"{node.path}.{look}"):
            heading = _heading(Node(spec, path), look, table, col, group)
            headings.append(heading)
            col += heading.columns
        if col > wide[look]:
            raise invalid(f"{node.path}.{look}", "wider than `widths`")
        heads[look] = tuple(headings)
        check_groups(heads[look], table, f"{node.path}.{look}")
    depth = depth_of(*heads.values())
    return PlacedTable(table.key, row + depth - 1, caption, heads["entry"], heads["print"], depth=depth)


def _heading(node: Node, look: str, table: Table, col: int, group: HeadingGroup | None) -> TableColumn:
    repeated = node.take("repeated", bool, False) if look == "print" else False
    columns = node.take("columns", int, 1) if look == "print" else 1
    if (key := node.take("target", str, None)) is not None:
        if key not in table.targets:
            raise invalid(node.path, f"no target {key}")
        label, columns = table.targets[key].on_form, 3 if look == "entry" else columns
    else:
        key = node.take("column", str)
        if key not in table.columns:
            raise invalid(node.path, f"no column {key}")
        label = table.columns[key].on_form
    node.finish()
    if columns < 1:
        raise invalid(f"{node.path}.columns", "must be 1 or more")
    return TableColumn(key, label, col, columns, group, repeated)


def depth_of(*looks: Sequence[TableColumn]) -> int:
    """Return how many rows the headings of a table take."""
    return 2 if any(heading.group for look in looks for heading in look) else 1


def check_groups(headings: Sequence[TableColumn], table: Table, path: str) -> None:
    """Refuse groups that read like each other, or like a heading of their table: nobody could tell which is meant."""
    known = {fold(text): one.key for one in _parts(table) for text in (one.label, one.on_form, *one.synonyms)}
    for group, _ in groupby(heading.group for heading in headings):
        for text in dict.fromkeys(map(fold, (group.label, *group.synonyms) if group else ())):
            if text in known:
                raise invalid(path, f"the group over {text} reads like {known[text]}")
            known[text] = "another group"


def _parts(table: Table) -> tuple[Field | Target, ...]:
    return (*table.columns.values(), *table.targets.values())
