"""Whether the parts of a form definition fit each other: every name exists, every value has its one place."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from kpixl.forms.definition import Form
from kpixl.forms.money import money_label
from kpixl.forms.node import invalid
from kpixl.forms.types import FIELD_TYPES
from kpixl.forms.values import fold


def check_form(form: Form) -> None:
    """Refuse a form whose parts do not fit each other. Raises KpixlError `form-invalid`."""
    _check_fields(form)
    _check_places(form)
    _check_follows(form)
    if set(form.tables) != {p.table for p in form.layout.tables}:
        raise invalid("layout", "does not place every table once")
    _check_named(form)
    _check_headings(form)
    keys = set(form.fields)
    if any(key.rpartition(".")[0] in keys for key in keys if "." in key) or keys & set(form.tables):
        raise invalid("fields", "a key stands for a value and for a group")
    _check_units(form)
    _check_presets(form)


def _check_places(form: Form) -> None:
    """Refuse a layout that lacks a cell of the form, or has one twice."""
    placed = Counter((c.kind, c.key) for c in (*form.layout.head, *form.layout.foot) if c.key)
    for kind, key in _cells_of(form):
        if placed.pop((kind, key), 0) != 1:
            raise invalid("layout", f"does not have one {kind} of {key}")
    if placed:
        raise invalid("layout", "has too much: " + ", ".join(f"{kind} of {key}" for kind, key in placed))


def _check_named(form: Form) -> None:
    """Refuse the name of a field that does not exist."""
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
    cells = [
        (table, number, key, value)
        for table in form.tables.values()
        for number, preset in enumerate(table.presets)
        for key, value in preset.items()
        if value is not None
    ]
    for table, number, key, value in cells:
        choices = form.choices.get(table.columns[key].choices or "")
        if choices is not None and not choices.open and value not in choices.items:
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
