"""Load form definitions: form.yaml -> model.Form. What is wrong in one is said with its key.

Definitions are found in the wheel (`kpixl.templates`) and in the folders given by `--forms` or KPIXL_FORMS.
A form id from a workbook is only ever compared with the ids known here; it is never made into a path.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from importlib import resources
from pathlib import Path

from kpixl import yaml_text
from kpixl.forms.consistency import check_form
from kpixl.forms.dated import check_places, read_label, without_year
from kpixl.forms.definition import (
    YUAN,
    Field,
    FieldGrid,
    Form,
    MoneyUnit,
    Row,
    Summary,
    Table,
    Target,
)
from kpixl.forms.derivation import read_derivation
from kpixl.forms.flat import place_flat
from kpixl.forms.grids import computed_fields, is_grid, read_computation, read_grid
from kpixl.forms.layouts import Parts, read_layout
from kpixl.forms.lists import read_choices, read_trees
from kpixl.forms.money import UNITS
from kpixl.forms.node import Node, check_name, invalid
from kpixl.forms.one_of import read_one_of
from kpixl.forms.tables_beside import check_tables
from kpixl.forms.types import FIELD_TYPES
from kpixl.inputs import read_input
from kpixl.problems import KpixlError, Location, Problem, failure

DEFINITION = "form.yaml"
FORMAT = 1
MAX_ROWS = 5_000  # of a table: a template writes each of them
MAX_LINES = 409  # points, the height of Excel's tallest row; no text needs more lines
LEAST_WIDTH, MAX_WIDTH = 1, 255  # characters, Excel's widest column
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
    choices = read_choices(top.mapping("choices"), read_trees(top.mapping("trees")))
    typed, grids = _fields(top)
    tables = {key: _table(key, node) for key, node in top.nodes("tables")}
    fields, computed = computed_fields(typed, tables)
    title = check_places(top.take("title", str), "title")
    synonyms = tuple(check_places(text, "title-synonyms") for text in top.sequence("title-synonyms", str, []))
    subtitle = top.take("subtitle", str, "")
    layouts = read_layout(top.node("layout"), Parts(title, subtitle, fields, tables, grids))
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
    check_form(form)
    check_tables(form)
    return form


def _money(name: str) -> MoneyUnit:
    if name not in UNITS:
        raise invalid("money", f"must be one of {', '.join(UNITS)}")
    return UNITS[name]


def _check_key(key: str) -> None:
    check_name(key, key)
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
    table = Table(
        key=key,
        label=node.take("label", str),
        columns=columns,
        targets={name: _target(name, n, key, columns) for name, n in node.nodes("targets")},
        rows=node.bounded("rows", int, 1, MAX_ROWS, 20),
        presets=tuple(_presets(key, node, columns)),
        required=node.take("required", bool, True),
        one_of=read_one_of(node, columns),
    )
    node.finish()
    return table


def _target(name: str, node: Node, table: str, columns: Mapping[str, Field]) -> Target:
    label, dated = read_label(node)
    target = Target(
        key=name,
        label=label,
        dated=dated,
        synonyms=tuple(node.sequence("synonyms", str, [])),
        operator=node.take("operator", str),
        value=node.take("value", str),
        unit=node.take("unit", str),
        plain=_printed_plain(node),
    )
    node.finish()
    for part in target.parts:
        if part not in columns:
            raise invalid(f"tables.{table}.targets.{name}", f"no column {part}")
    return target


def _presets(table: str, node: Node, columns: Mapping[str, Field]) -> Iterator[Row]:
    for preset in node.sequence("presets", dict, []):
        if unknown := set(preset) - set(columns):
            raise invalid(f"tables.{table}.presets", f"no column {', '.join(sorted(map(str, unknown)))}")
        if wrong := [value for value in preset.values() if not isinstance(value, str)]:
            raise invalid(f"tables.{table}.presets", f"{wrong[0]!r} is no text")
        yield {column: preset.get(column) for column in columns}


def _printed_plain(node: Node) -> bool:
    """Read how a target is printed: ≥95.00(%) in `brackets`, by default, or ≥95% `plain`."""
    look = node.take("printed", str, "brackets")
    if look not in ("brackets", "plain"):
        raise invalid(f"{node.path}.printed", "must be brackets or plain")
    return bool(look == "plain")


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


