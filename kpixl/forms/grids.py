"""Grids and computed values of form.yaml -> fields: rows times columns, operands resolved, circles refused."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any, NamedTuple

from kpixl.forms.compute import OPERATIONS
from kpixl.forms.dated import check_places, read_label
from kpixl.forms.definition import Cell, Computation, Field, FieldGrid, GridLine, Table
from kpixl.forms.node import Node, invalid
from kpixl.forms.types import FIELD_TYPES, FieldType
from kpixl.forms.values import to_decimal

MAX_LINES = 60  # rows or columns of a grid; a form on paper has not half as many
MAX_DECIMALS = 6
MAX_STEPS = 50  # from one computed value to the next; no form has ten

ReadField = Callable[[str, Node], Field]


class GridFields(NamedTuple):
    """A grid and the fields in it, in the order of its rows."""

    grid: FieldGrid
    fields: Mapping[str, Field]


def is_grid(data: object) -> bool:
    """Return whether an entry of `fields` is a grid: it has rows and columns."""
    return isinstance(data, dict) and "rows" in data and "columns" in data


# --- grids ------------------------------------------------------------------------------------


def read_grid(key: str, node: Node, read_field: ReadField) -> GridFields:
    """Read a grid. Its columns are defined as fields are; `only` names the rows that have a value in a column."""
    rows = {name: _line(name, n) for name, n in node.nodes("rows")}
    lines = {name: line for name, (line, _) in rows.items()}
    columns: dict[str, _Column] = {}
    for name, n in node.nodes("columns"):
        only, needed = _rows_of(n, "only", rows, [*rows]), _rows_of(n, "required", rows, [])
        field = read_field(name, n)
        if field.sum or field.follows or not field.printed:
            raise invalid(n.path, "a column of a grid has no `sum`, `follows` or `printed`; rows add up")
        columns[name] = _Column(field, only, needed)
    for count in (len(rows), len(columns)):
        if not 0 < count <= MAX_LINES:
            raise invalid(node.path, f"must have 1 to {MAX_LINES} rows and columns")
    for row, (_, parts) in rows.items():
        _check_parts(key, row, parts, lines)
    fields = {
        f"{key}.{row}.{name}": _cell(key, line, name, parts, columns)
        for row, (line, parts) in rows.items()
        for name, column in columns.items()
        if row in column.only
    }
    heads = {name: GridLine(name, c.field.label, c.field.synonyms, c.field.dated) for name, c in columns.items()}
    grid = FieldGrid(key, node.take("label", str), lines, heads, node.take("empty", str, "—"))
    node.finish()
    return GridFields(grid, fields)


class _Column(NamedTuple):
    """A column of a grid: what its fields have in common, the rows that have a value in it, those that must have."""

    field: Field
    only: Sequence[str]
    required: Sequence[str]


def _rows_of(node: Node, key: str, rows: Mapping[str, object], default: Sequence[str]) -> list[str]:
    """Take a list of rows out of a column."""
    found = [str(row) for row in node.take(key, list, [*default])]
    if unknown := [row for row in found if row not in rows]:
        raise invalid(f"{node.path}.{key}", f"no row {', '.join(unknown)}")
    return found


def _line(name: str, node: Node) -> tuple[GridLine, Sequence[str]]:
    """Read a row: its label, and the rows that it adds up."""
    parts = [str(part) for part in node.take("sum", list, [])]
    label, dated = read_label(node)
    line = GridLine(name, label, tuple(map(str, node.take("synonyms", list, []))), dated)
    node.finish()
    return line, parts


def _check_parts(key: str, row: str, parts: Sequence[str], rows: Mapping[str, object]) -> None:
    for part in parts:
        if part not in rows or part == row:
            raise invalid(f"fields.{key}.rows.{row}.sum", f"no other row {part}")


def _cell(key: str, line: GridLine, column: str, parts: Sequence[str], columns: Mapping[str, _Column]) -> Field:
    """Make the field of a row and a column."""
    field = columns[column].field
    label = f"{line.label.rstrip(':：')} {field.label.rstrip(':：')}"
    total: tuple[str, ...] = ()
    if parts and FIELD_TYPES[field.type].is_amount:
        if field.compute is not None:
            raise invalid(f"fields.{key}.columns.{column}.compute", f"row {line.key} adds up this column already")
        total = tuple(f"{key}.{part}.{column}" for part in parts if part in columns[column].only)
    compute = field.compute
    if compute is not None:
        operands = tuple(_within(f"{key}.{line.key}", operand, columns) for operand in compute.operands)
        compute = replace(compute, operands=operands)
    return replace(
        field,
        key=f"{key}.{line.key}.{column}",
        label=label,
        dated="",
        heading=label,
        synonyms=(),
        required=line.key in columns[column].required,
        sum=total,
        compute=compute,
    )


def _within(prefix: str, operand: str | Decimal, columns: Mapping[str, object]) -> str | Decimal:
    """Name an operand in full: within a grid a column alone is the value in the same row."""
    return f"{prefix}.{operand}" if operand in columns else operand


class GridCells(NamedTuple):
    """The cells of a placed grid, as printed and as typed into; both in printed columns."""

    print: list[Cell]
    entry: list[Cell]


def place_grid(node: Node, grid: FieldGrid, fields: Mapping[str, Field], row: int, width: int) -> GridCells:
    """Place a grid that begins in row `row`: a caption beside it, headings, then its rows.

    `entry` of the layout gives it other columns where it is typed into.
    """
    caption = check_places(node.take("caption", str, ""), f"{node.path}.caption")
    beside = node.take("caption-columns", int, 1)
    printed = _GridColumns(caption, beside, node.take("labels", int, 1), node.mapping("columns"))
    typed = printed
    if "entry" in node.rest:
        entry = node.node("entry")
        typed = printed._replace(labels=entry.take("labels", int, printed.labels), wide=entry.mapping("columns"))
        entry.finish()
    for columns in (printed, typed):
        if unknown := [name for name in columns.wide if name not in grid.columns]:
            raise invalid(f"layout.rows[{row}]", f"no column {', '.join(unknown)}")
        sizes = (columns.beside, columns.labels, *columns.wide.values())
        if not all(isinstance(size, int) and size > 0 for size in sizes):
            raise invalid(f"layout.rows[{row}]", "a part of a grid takes at least one column")
        if columns.count(grid) > width:
            raise invalid(f"layout.rows[{row}]", "wider than `widths`")
    return GridCells(*([*_grid_cells(columns, grid, fields, row)] for columns in (printed, typed)))


class _GridColumns(NamedTuple):
    """How many physical columns each part of a grid takes: its caption, its labels, and its `wide` columns."""

    caption: str
    beside: int
    labels: int
    wide: Mapping[str, int]

    @property
    def left(self) -> int:
        return self.beside if self.caption else 0

    def count(self, grid: FieldGrid) -> int:
        return self.left + self.labels + sum(self.wide.get(name, 1) for name in grid.columns)


def _grid_cells(at: _GridColumns, grid: FieldGrid, fields: Mapping[str, Field], row: int) -> Iterator[Cell]:
    left, labels = at.left, at.labels
    if at.caption:
        yield Cell("caption", at.caption, "", row, 0, len(grid.rows) + 1, at.beside)
    yield Cell("blank", "", "", row, left, 1, labels)
    for number, line in enumerate(grid.rows.values(), row + 1):
        yield Cell("row", line.on_form, f"{grid.key}.{line.key}", number, left, 1, labels)
    col = left + labels
    for name, head in grid.columns.items():
        columns = at.wide.get(name, 1)
        yield Cell("column", head.on_form, f"{grid.key}.{name}", row, col, 1, columns)
        for number, place in enumerate(grid.rows, row + 1):
            key = f"{grid.key}.{place}.{name}"
            if key in fields:
                yield Cell("value", "", key, number, col, 1, columns)
            else:
                yield Cell("empty", grid.empty, "", number, col, 1, columns)
        col += columns


# --- computed values --------------------------------------------------------------------------


def read_computation(node: Node) -> Computation:
    """Read `compute`: one operation with its operands, and the decimals to which the result is rounded."""
    named = [name for name in OPERATIONS if name in node.rest]
    if len(named) != 1:
        raise invalid(node.path, f"must have one of {', '.join(OPERATIONS)}")
    name, operation = named[0], OPERATIONS[named[0]]
    found: Any = node.take(name, (list, str))
    operands = tuple(_operand(item, node.path) for item in ([found] if isinstance(found, str) else found))
    if operation.operands not in (None, len(operands)) or not any(isinstance(o, str) for o in operands):
        raise invalid(f"{node.path}.{name}", f"takes {operation.operands or 'some'} values of the form")
    decimals = node.take("decimals", int, None)
    if name == "ratio" and decimals is None:
        raise invalid(node.path, f"a {name} has no end; give the `decimals` that count")
    if decimals is not None and not 0 <= decimals <= MAX_DECIMALS:
        raise invalid(f"{node.path}.decimals", f"must be 0 to {MAX_DECIMALS}")
    bands = _bands(node) if name == "bands" else {}
    node.finish()
    return Computation(name, operands, decimals, bands)


def _operand(item: object, path: str) -> str | Decimal:
    if isinstance(item, bool) or not isinstance(item, str | int | float):
        raise invalid(path, f"{item!r} is neither a key nor a number")
    return item if isinstance(item, str) else to_decimal(item)


def _bands(node: Node) -> dict[str, Decimal]:
    bands: dict[str, Decimal] = {}
    for name, least in node.mapping("least").items():
        if isinstance(least, bool) or not isinstance(least, int | float):
            raise invalid(f"{node.path}.least.{name}", "must be a number")
        bands[str(name)] = to_decimal(least)
    if not bands or sorted(bands.values(), reverse=True) != [*bands.values()]:
        raise invalid(f"{node.path}.least", "must fall from band to band")
    return bands


def computed_fields(
    fields: Mapping[str, Field], tables: Mapping[str, Table]
) -> tuple[dict[str, Field], tuple[str, ...]]:
    """Return the fields with their computations ready to be used, and the computed ones in the order in which they are
    computed. What does not exist, or follows from itself, is refused."""
    order: dict[str, None] = {}
    ready = {key: _ready(field, fields, tables) for key, field in fields.items()}
    for key in ready:
        _visit(key, ready, order, ())
    return ready, tuple(order)


def _visit(key: str, fields: Mapping[str, Field], order: dict[str, None], open_keys: tuple[str, ...]) -> None:
    if key in order or (computation := fields[key].computation) is None:
        return
    if key in open_keys:
        circle = " -> ".join((*open_keys[open_keys.index(key) :], key))
        raise invalid(f"fields.{key}.compute", f"follows from itself: {circle}")
    if len(open_keys) > MAX_STEPS:
        raise invalid(f"fields.{key}.compute", f"is more than {MAX_STEPS} steps away from what is typed")
    for operand in computation.keys:
        if operand in fields:
            _visit(operand, fields, order, (*open_keys, key))
    order[key] = None


def _ready(field: Field, fields: Mapping[str, Field], tables: Mapping[str, Table]) -> Field:
    """Check a computation, and find out by which power of ten hundredths must be scaled."""
    computation = field.compute
    if computation is None:
        if not field.printed:
            raise invalid(f"fields.{field.key}.printed", "only a computed value may stand nowhere on the form")
        return field
    path = f"fields.{field.key}.compute"
    if field.sum:
        raise invalid(path, "`sum` computes it already")
    if field.required:
        raise invalid(f"fields.{field.key}.required", "a computed value is never typed; require what it follows from")
    own = FIELD_TYPES[field.type]
    kinds = [_kind_of(operand, path, computation, fields, tables) for operand in computation.operands]
    if (own.python is Decimal) == bool(computation.bands):
        raise invalid(f"fields.{field.key}.type", "must be text for bands, otherwise a number")
    if OPERATIONS[computation.operation].scaled:
        return replace(field, compute=replace(computation, power=_power(computation.operation, own, kinds)))
    alike = {(kind.is_amount, kind.in_percent) for kind in (own, *kinds) if kind is not None and kind.python is Decimal}
    if len(alike) > 1:
        raise invalid(path, "amounts, percentages and other numbers cannot be added up or compared")
    return field


def _kind_of(
    operand: str | Decimal,
    path: str,
    computation: Computation,
    fields: Mapping[str, Field],
    tables: Mapping[str, Table],
) -> FieldType | None:
    """Return the type of an operand; None of a number."""
    if isinstance(operand, Decimal):
        return None
    table, _, column = operand.rpartition(".")
    found = fields.get(operand) or (tables[table].columns.get(column) if table in tables else None)
    if found is None:
        raise invalid(path, f"no field or column {operand}")
    kind = FIELD_TYPES[found.type]
    if kind.python is not Decimal:
        raise invalid(path, f"{operand} is no number")
    if operand not in fields and computation.operation != "sum":
        raise invalid(path, f"{operand} is a column, which can only be added up")
    return kind


def _power(operation: str, own: FieldType, kinds: Sequence[FieldType | None]) -> int:
    """Return the power of ten by which a result is multiplied: 2 for each side of it that counts hundredths."""
    powers = [2 if kind is not None and kind.in_percent else 0 for kind in kinds]
    if operation == "share":  # the points are as they are; only the rate is scaled
        return -powers[1]
    return (2 if own.in_percent else 0) - (powers[0] - powers[1] if operation == "ratio" else sum(powers))
