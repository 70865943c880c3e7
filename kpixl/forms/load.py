"""Load form definitions: form.yaml -> model.Form. What is wrong in one is said with its key.

Definitions are found in the wheel (`kpixl.templates`) and in the folders given by `--forms` or KPIXL_FORMS.
A form id from a workbook is only ever compared with the ids known here; it is never made into a path.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from kpixl import yaml_text
from kpixl.forms.dated import check_places, read_label, without_year
from kpixl.forms.definition import (
    YUAN,
    Cell,
    Choices,
    Field,
    FieldGrid,
    Form,
    Layout,
    MoneyUnit,
    PlacedTable,
    Row,
    Summary,
    Table,
    Target,
)
from kpixl.forms.derivation import read_derivation
from kpixl.forms.flat import place_flat
from kpixl.forms.grids import GridCells, computed_fields, is_grid, place_grid, read_computation, read_grid
from kpixl.forms.money import UNITS, money_label
from kpixl.forms.node import Node, invalid
from kpixl.forms.one_of import read_one_of
from kpixl.forms.placed_tables import place_table
from kpixl.forms.tables_beside import check_tables, divided, place_tables, read_entry_widths
from kpixl.forms.types import FIELD_TYPES
from kpixl.forms.values import fold
from kpixl.inputs import read_input
from kpixl.problems import KpixlError, Location, Problem, failure

DEFINITION = "form.yaml"
FORMAT = 1
_ITEM = (str, int, float)  # what an item of a list or tree may be in YAML: 2026 is a number there
MAX_ROWS = 5_000  # of a table: a template writes each of them
MAX_LINES = 409  # points, the height of Excel's tallest row; no text needs more lines
LEAST_WIDTH, MAX_WIDTH = 1, 255  # characters, Excel's widest column
# Names on which the canonical file and the sheet id rely.
_KEY = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*")
# As a key these are no text in YAML 1.1, which many programs still read.
_NO_KEYS = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})


# Texts that are templates: three at the top, one below `summary`.
_TEXTS = re.compile(r"^(?: {1,20}(?=disclosure))?(?P<key>title|subtitle|heading|disclosure):", re.MULTILINE)
DEFAULT_FONTS: Mapping[str, str | float] = {"body": "宋体", "heading": "黑体", "size": 10, "title": 16}


# --- finding ----------------------------------------------------------------------------------


def folders(extra: Sequence[Path] = ()) -> list[Path]:
    """List the folders of definitions, the user's own first."""
    own = [Path(p) for p in os.environ.get("KPIXL_FORMS", "").split(os.pathsep) if p]
    return [*extra, *own, own_templates()]


def own_templates() -> Path:
    """Return the folder of the definitions that come with kpixl: of the installed package, or of a plain checkout."""
    try:
        return Path(str(resources.files("kpixl.templates")))
    except ModuleNotFoundError:
        return Path(__file__).parents[2] / "templates"


def known_forms(extra: Sequence[Path] = ()) -> dict[str, Path]:
    """Map the id (the folder's name) of every definition to its folder."""
    found: dict[str, Path] = {}
    for folder in folders(extra):
        if not folder.is_dir():
            raise failure("path-missing", path=str(folder))
        for definition in sorted(folder.glob(f"*/{DEFINITION}")):
            found.setdefault(definition.parent.name, definition.parent)
    return found


def load_form(form_id: str, extra: Sequence[Path] = ()) -> Form:
    """Load the form called `form_id`. Raises KpixlError `form-unknown` or `form-invalid`."""
    known = known_forms(extra)
    if form_id not in known:
        raise failure("form-unknown", form=form_id, known=", ".join(known))
    return _load(known[form_id])


def load_forms(extra: Sequence[Path] = ()) -> dict[str, Form]:
    """Load every known form."""
    return {form_id: _load(folder) for form_id, folder in known_forms(extra).items()}


def among(forms: Iterable[Form]) -> Callable[[str], Form]:
    """Return a function that finds a form by id among these. It raises KpixlError `form-unknown`."""
    known = {form.id: form for form in forms}

    def form_of(form_id: str) -> Form:
        if form_id not in known:
            raise failure("form-unknown", form=form_id, known=", ".join(known))
        return known[form_id]

    return form_of


@cache
def _load(folder: Path) -> Form:
    path = folder / DEFINITION
    text = yaml_text.decode(read_input(path), str(path))
    data = yaml_text.parse(text, str(path))
    # Of two fields with one key the first would be lost. Looking for them takes as long as reading all of kpixl's own.
    if folder.parent != own_templates() and (repeated := yaml_text.marks(text, str(path)).problems):
        raise KpixlError(*repeated)
    try:
        form = parse_form(data)
    except KpixlError as error:
        raise KpixlError(*(_with_line(problem, text, path) for problem in error.problems)) from error
    if form.id != folder.name:
        raise invalid("id", f"is {form.id}, its folder is called {folder.name}")
    lines = {found["key"]: text.count("\n", 0, found.start("key")) + 1 for found in _TEXTS.finditer(text)}
    return replace(form, file=str(path), lines=lines)


def _with_line(problem: Problem, text: str, path: Path) -> Problem:
    """Put the line of the key that is wrong, or of the nearest thing around it, before the key."""
    words = str(problem.details.get("key", "")).removeprefix(f"{DEFINITION}.")
    lines = {_dotted(place): line for place, line in yaml_text.marks(text).lines.items() if place}
    while words and not (found := [line for name, line in lines.items() if f".{name}".endswith(f".{words}")]):
        words = words.rpartition(".")[0]
    where = f"{path}:{min(found)} " if words else f"{path} "
    details = {**problem.details, "key": f"{where}{problem.details.get('key', '')}"}
    return replace(problem, location=Location(str(path)), details=details)


def _dotted(place: yaml_text.Path) -> str:
    """Spell a path as messages do: layout.rows[3].cells[0]."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in place).lstrip(".")


# --- parsing ----------------------------------------------------------------------------------


def parse_form(data: object) -> Form:
    """Turn the parsed form.yaml into a Form. Raises KpixlError `form-invalid`."""
    top = Node(data, "form.yaml")
    if top.take("kpixl-form", int) != FORMAT:
        raise invalid("kpixl-form", f"must be {FORMAT}")
    choices = _choices(top.mapping("choices"), _trees(top.mapping("trees")))
    typed, grids = _fields(top)
    tables = {key: _table(key, node) for key, node in top.nodes("tables")}
    fields, computed = computed_fields(typed, tables)
    title = check_places(top.take("title", str), "title")
    synonyms = tuple(check_places(text, "title-synonyms") for text in top.sequence("title-synonyms", str, []))
    subtitle = top.take("subtitle", str, "")
    layouts = _layout(top.node("layout"), title, subtitle, fields, tables, grids)
    printing = top.node("print")
    form = Form(
        id=top.take("id", str),
        version=str(top.take("version", (str, int, float))),
        title=without_year(title),
        title_synonyms=synonyms,
        subtitle=subtitle,
        heading=top.take("heading", str, ""),
        description={k: str(v) for k, v in top.mapping("description").items()},
        id_field=_field("id", top.node("id-field")),
        organization_field=top.take("organization-field", str, None),
        key_fields=tuple(top.sequence("key-fields", str, [])) or tuple(fields)[:1],
        fields=fields,
        tables=tables,
        choices=choices,
        layout=layouts[0],
        entry_layout=layouts[1],
        paper=printing.take("paper", str, "A4"),
        margins={k: float(v) for k, v in printing.mapping("margins", (int, float)).items()},
        fonts={**DEFAULT_FONTS, **top.mapping("fonts", (str, int, float))},
        summary=_summary(top.node("summary")),
        instructions={k: tuple(map(str, v)) for k, v in top.mapping("instructions", list).items()},
        checks=top.mapping("checks"),
        money=_money(top.take("money", str, YUAN.name)),
        flat=place_flat(top.take("flat", dict, None), fields, tables),
        derive={name: read_derivation(node, fields, tables) for name, node in top.nodes("derive")},
        default=top.take("default", bool, False),
        grids=grids,
        computed=computed,
        printed_title=title,
        landscape=printing.take("landscape", bool, False),
    )
    printing.finish()
    top.finish()
    _check(form)
    _check_units(form)
    _check_presets(form)
    check_tables(form)
    return form


def _money(name: str) -> MoneyUnit:
    if name not in UNITS:
        raise invalid("money", f"must be one of {', '.join(UNITS)}")
    return UNITS[name]


def _check_key(key: str) -> None:
    if not _KEY.fullmatch(key):
        raise invalid(key, "a key is made of a-z, 0-9, _ and dots")
    if found := _NO_KEYS.intersection(key.split(".")):
        raise invalid(key, f"{', '.join(found)} is not a name in every YAML")


def _fields(top: Node) -> tuple[dict[str, Field], dict[str, FieldGrid]]:
    """Read the fields in their order, those of the grids among them."""
    fields: dict[str, Field] = {}
    grids: dict[str, FieldGrid] = {}
    for key, node in top.nodes("fields"):
        if is_grid(node.rest):
            _check_key(key)
            grids[key], inside = read_grid(key, node, _field)
            fields |= inside
        else:
            fields[key] = _field(key, node)
    return fields, grids


def _field(key: str, node: Node) -> Field:
    _check_key(key)
    kind = node.take("type", str, "text")
    if kind not in FIELD_TYPES:
        raise invalid(f"{key}.type", f"must be one of {', '.join(FIELD_TYPES)}")
    label, dated = read_label(node)
    field = Field(
        key=key,
        label=label,
        dated=dated,
        type=kind,
        synonyms=tuple(map(str, node.take("synonyms", list, []))),
        heading=node.take("heading", str, label.rstrip(":：")),
        choices=node.take("choices", str, None),
        required=node.take("required", bool, False),
        sum=tuple(node.sequence("sum", str, [])),
        fill=node.take("fill", bool, False),
        lines=node.bounded("lines", int, 1, MAX_LINES, 1),
        width=float(node.bounded("width", (int, float), LEAST_WIDTH, MAX_WIDTH, 14)),
        help=node.take("help", str, ""),
        compute=read_computation(node.node("compute")) if "compute" in node.rest else None,
        follows=node.take("follows", str, None),
        printed=node.take("printed", bool, True),
        given=node.take("given", bool, False),
    )
    node.finish()
    return field


def _table(key: str, node: Node) -> Table:
    _check_key(key)
    columns = {k: _field(k, n) for k, n in node.nodes("columns")}
    for column in columns.values():
        if column.compute or column.follows or not column.printed:
            raise invalid(f"{node.path}.columns.{column.key}", "a column has no `compute`, `follows` or `printed`")
    targets = {}
    for name, n in node.nodes("targets"):
        label, dated = read_label(n)
        targets[name] = Target(
            key=name,
            label=label,
            dated=dated,
            synonyms=tuple(n.sequence("synonyms", str, [])),
            operator=n.take("operator", str),
            value=n.take("value", str),
            unit=n.take("unit", str),
            plain=_printed_plain(n),
        )
        n.finish()
        for part in targets[name].parts:
            if part not in columns:
                raise invalid(f"tables.{key}.targets.{name}", f"no column {part}")
    presets: list[Row] = []
    for preset in node.sequence("presets", dict, []):
        unknown = set(preset) - set(columns)
        if unknown:
            raise invalid(f"tables.{key}.presets", f"no column {', '.join(sorted(map(str, unknown)))}")
        if wrong := [value for value in preset.values() if not isinstance(value, str)]:
            raise invalid(f"tables.{key}.presets", f"{wrong[0]!r} is no text")
        presets.append({column: preset.get(column) for column in columns})
    table = Table(
        key=key,
        label=node.take("label", str),
        columns=columns,
        targets=targets,
        rows=node.bounded("rows", int, 1, MAX_ROWS, 20),
        presets=tuple(presets),
        required=node.take("required", bool, True),
        one_of=read_one_of(node, columns),
    )
    node.finish()
    return table


def _printed_plain(node: Node) -> bool:
    """Read how a target is printed: ≥95.00(%) in `brackets`, by default, or ≥95% `plain`."""
    look = node.take("printed", str, "brackets")
    if look not in ("brackets", "plain"):
        raise invalid(f"{node.path}.printed", "must be brackets or plain")
    return bool(look == "plain")


def _trees(data: Mapping[str, Any]) -> dict[str, dict[int, dict[str, tuple[str, ...]]]]:
    """Unfold each tree into levels: depth -> parent item -> items; the roots are the children of ""."""
    unfolded: dict[str, dict[int, dict[str, tuple[str, ...]]]] = {}
    for name, tree in data.items():
        unfolded[name] = {}
        _unfold("", tree, 0, unfolded[name], name)
    return unfolded


def _unfold(parent: str, node: Any, depth: int, levels: dict[int, dict[str, tuple[str, ...]]], name: str) -> None:
    if not isinstance(node, dict | list | tuple) or not all(isinstance(item, _ITEM) for item in node):
        raise invalid(f"trees.{name}", f"{parent or name} must have a list or mapping of texts below it")
    levels.setdefault(depth, {})[parent] = tuple(map(str, node))
    if isinstance(node, dict):
        for item, below in node.items():
            _unfold(str(item), below or (), depth + 1, levels, name)


def _choices(
    data: Mapping[str, Any], trees: Mapping[str, Mapping[int, Mapping[str, tuple[str, ...]]]]
) -> dict[str, Choices]:
    choices: dict[str, Choices] = {}
    for name, spec in data.items():
        if not _KEY.fullmatch(name):
            raise invalid(f"choices.{name}", "a key is made of a-z, 0-9, _ and dots")
        node = Node(spec, f"choices.{name}")
        parent, tree = node.take("parent", str, None), node.take("tree", str, None)
        is_open, qualitative = node.take("open", bool, True), node.take("qualitative", str, None)
        children: Mapping[str, tuple[str, ...]] = {}
        if tree is not None:
            if tree not in trees:
                raise invalid(f"choices.{name}.tree", f"no tree {tree}")
            depth = 0
            above = parent
            while above is not None:
                if above not in data:
                    raise invalid(f"choices.{name}.parent", f"no list {above}")
                depth, above = depth + 1, data[above].get("parent")
            level = trees[tree].get(depth, {})
            children = level if parent is not None else {}
            items: Any = {item: () for below in level.values() for item in below}
        else:
            items = _items(node)
        clean = {str(k): tuple(map(str, v or ())) for k, v in items.items()}
        choices[name] = Choices(name, clean, is_open, parent, children, qualitative)
        node.finish()
    return choices


def _items(node: Node) -> dict[str, Any]:
    """Read the items of a list, with their synonyms or without."""
    if isinstance(node.rest.get("items"), list):
        return dict.fromkeys(map(str, node.sequence("items", _ITEM)), ())
    if "items" not in node.rest:
        raise invalid(node.path, "needs `items` or `tree`")
    return node.mapping("items", (list, type(None)))


def _summary(node: Node) -> Summary:
    charts = node.mapping("charts", str)
    summary = Summary(
        subtotals=node.take("subtotals", str, None),
        order=tuple(node.sequence("order", str, [])),
        amount=charts.get("amount"),
        structure=charts.get("structure"),
        disclosure=node.take("disclosure", str, ""),
    )
    node.finish()
    return summary


# --- layout -----------------------------------------------------------------------------------


def _layout(
    node: Node,
    title: str,
    subtitle: str,
    fields: Mapping[str, Field],
    tables: Mapping[str, Table],
    grids: Mapping[str, FieldGrid],
) -> tuple[Layout, Layout]:
    """Read the layout as printed, and as typed into."""
    widths = tuple(float(w) for w in node.sequence("widths", (int, float)))
    entry_widths = read_entry_widths(node.take("entry-widths", list, None), widths)
    wide = {"entry": sum(map(len, entry_widths)), "print": len(widths)}
    # What is above the first table and what is below, each as printed and as typed into.
    head, foot = GridCells([], []), GridCells([], [])
    placed: list[PlacedTable] = []
    heights: dict[int, float] = {}
    taken: set[tuple[int, int]] = set()
    number = 0
    for place, spec in enumerate(node.take("rows", list)):
        row = Node(spec, f"layout.rows[{place}]")
        height, count = row.take("height", (int, float), None), 1
        if (name := row.take("table", str, None)) is not None:
            if name not in tables:
                raise invalid(f"layout.rows[{place}]", f"no table {name}")
            placed.append(place_table(row, tables[name], number, wide))
            count = placed[-1].depth
        elif (names := row.take("tables", list, None)) is not None:
            placed += place_tables(row, names, tables, number, wide)
            count = placed[-1].depth
        elif (name := row.take("grid", str, None)) is not None:
            if name not in grids:
                raise invalid(f"layout.rows[{place}]", f"no grid {name}")
            cells = place_grid(row, grids[name], fields, number, len(widths))
            for side, more in zip(foot if placed else head, cells, strict=True):
                side += more
            count = len(grids[name].rows) + 1
        else:
            for cell in _place_cells(row.take("cells", list), number, taken, len(widths), fields):
                text = {"title": title, "subtitle": subtitle}.get(cell.kind, cell.text)
                for side in foot if placed else head:
                    side.append(replace(cell, text=text))
        if height is not None:
            heights |= dict.fromkeys(range(number, number + count), float(height))
        number += count
        row.finish()
    node.finish()
    layout = Layout(widths, heights, number, tuple(head.print), tuple(placed), tuple(foot.print))
    typed = replace(layout, head=tuple(head.entry), foot=tuple(foot.entry))
    return layout, divided(typed, entry_widths)


def _place_cells(
    specs: list[Any], row: int, taken: set[tuple[int, int]], width: int, fields: Mapping[str, Field]
) -> Iterator[Cell]:
    col = 0
    for spec in specs:
        node = Node(spec, f"layout.rows[{row}]")
        while (row, col) in taken:
            col += 1
        rows, columns = node.take("rows", int, 1), node.take("columns", int, 1)
        vertical = node.take("vertical", bool, False)
        (kind, content), *more = node.rest.items() if node.rest else [("", "")]
        node.rest.clear()
        if more or kind not in ("title", "subtitle", "label", "value", "caption", "blank"):
            raise invalid(f"layout.rows[{row}]", f"what is {spec}?")
        key = text = ""
        if kind in ("label", "value"):
            if not isinstance(content, str) or content not in fields:
                raise invalid(f"layout.rows[{row}]", f"no field {content}")
            key, text = content, fields[content].on_form if kind == "label" else ""
        elif kind == "caption":
            text = check_places(str(content), f"layout.rows[{row}]")
        if col + columns > width:
            raise invalid(f"layout.rows[{row}]", "wider than `widths`")
        taken |= {(r, c) for r in range(row, row + rows) for c in range(col, col + columns)}
        yield Cell(kind, text, key, row, col, rows, columns, vertical)
        col += columns


# --- consistency ------------------------------------------------------------------------------


def _check(form: Form) -> None:
    _check_fields(form)
    placed = Counter((c.kind, c.key) for c in (*form.layout.head, *form.layout.foot) if c.key)
    for kind, key in _cells_of(form):
        if placed.pop((kind, key), 0) != 1:
            raise invalid("layout", f"does not have one {kind} of {key}")
    if placed:
        raise invalid("layout", "has too much: " + ", ".join(f"{kind} of {key}" for kind, key in placed))
    _check_follows(form)
    if set(form.tables) != {p.table for p in form.layout.tables}:
        raise invalid("layout", "does not place every table once")
    summary = form.summary
    named = [("key-fields", name) for name in form.key_fields] + [
        ("organization-field", form.organization_field),
        ("summary.subtotals", summary.subtotals),
        ("summary.charts.amount", summary.amount),
        ("summary.charts.structure", summary.structure),
    ]
    for where, name in named:
        if name is not None and name not in form.fields:
            raise invalid(where, f"no field {name}")
    _check_headings(form)
    keys = set(form.fields)
    if any(key.rpartition(".")[0] in keys for key in keys if "." in key) or keys & set(form.tables):
        raise invalid("fields", "a key stands for a value and for a group")


def _check_headings(form: Form) -> None:
    """Refuse a field without a label, and two with the same heading: in lists nobody could tell them apart."""
    seen: dict[str, str] = {}
    for field in (form.id_field, *form.fields.values()):
        if not fold(field.label):
            raise invalid(f"fields.{field.key}.label", "is blank")
        other = seen.setdefault(fold(field.heading), field.key)
        if other != field.key:
            raise invalid(f"fields.{field.key}", f"has the heading of {other}; give one a `heading`")


def _check_presets(form: Form) -> None:
    """Refuse a preset that its list does not have: the template would hold what its own rule refuses."""
    for table in form.tables.values():
        for number, preset in enumerate(table.presets):
            for key, value in preset.items():
                choices = form.choices.get(table.columns[key].choices or "")
                if value is not None and choices is not None and not choices.open and value not in choices.items:
                    raise invalid(f"tables.{table.key}.presets[{number}].{key}", f"{value} is not in {choices.name}")


def _cells_of(form: Form) -> Iterator[tuple[str, str]]:
    """Yield what the layout must place: kind and key of every cell that is no mere text."""
    inside = {f"{grid}.{row}.{column}" for grid, g in form.grids.items() for row in g.rows for column in g.columns}
    for key, field in form.fields.items():
        if field.printed:
            yield "value", key
        if field.printed and not field.follows and key not in inside:
            yield "label", key
    for name, grid in form.grids.items():
        yield from (("row", f"{name}.{line}") for line in grid.rows)
        yield from (("column", f"{name}.{line}") for line in grid.columns)


def _check_follows(form: Form) -> None:
    """Refuse a value that does not stand to the right of the one that it follows."""
    values = {c.key: c for c in (*form.layout.head, *form.layout.foot) if c.kind == "value"}
    for key, field in form.fields.items():
        if field.follows is None:
            continue
        before, own = values.get(field.follows), values[key]
        if before is None or form.fields[field.follows].follows is not None:
            raise invalid(f"fields.{key}.follows", f"no field {field.follows} with a label")
        if own.row != before.row or own.col <= before.col:
            raise invalid(f"fields.{key}.follows", f"the value must stand right of that of {field.follows}")


def _check_fields(form: Form) -> None:
    columns = [c for t in form.tables.values() for c in t.columns.values()]
    for field in (*form.fields.values(), *columns):
        if field.choices is not None and field.choices not in form.choices:
            raise invalid(f"{field.key}.choices", f"no list {field.choices}")
        if FIELD_TYPES[field.type].needs_choices and field.choices is None:
            raise invalid(field.key, f"a {field.type} needs `choices`")
        for part in field.sum:
            if part not in form.fields or not FIELD_TYPES[form.fields[part].type].is_amount or form.fields[part].sum:
                raise invalid(f"{field.key}.sum", f"{part} is no amount that is typed")


def _check_units(form: Form) -> None:
    """Refuse a form that prints another unit beside an amount than the one in which it counts."""
    columns = [c for t in form.tables.values() for c in t.columns.values()]
    amounts = [f for f in (*form.fields.values(), *columns) if FIELD_TYPES[f.type].is_amount]
    captions = [c.text for c in (*form.layout.head, *form.layout.foot) if c.kind == "caption"]
    captions += [form.flat.unit_line] if form.flat else []
    for text in (*(t for f in amounts for t in (f.label, f.heading)), *captions):
        unit = money_label(fold(text))[1]
        if unit is not None and unit != form.money:
            raise invalid("money", f"is {form.money.name}, but {' '.join(text.split())} counts in {unit.name}")
