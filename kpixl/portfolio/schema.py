"""The JSON Schema of a portfolio, for editors: takes what `kpixl.portfolio.canonical` takes, suggests what is usual.

Two things JSON Schema cannot say are left to the loader: that ids differ, and that Excel counts UTF-16 units.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kpixl.forms.definition import Field, Form, Table
from kpixl.forms.types import FIELD_TYPES
from kpixl.forms.values import MAX_CELL_TEXT
from kpixl.portfolio.canonical import FORMAT

DRAFT = "https://json-schema.org/draft/2020-12/schema"
Schema = dict[str, Any]

# What Excel cannot store even when escaped; one range, so that every dialect of regular expressions reads it.
_STORABLE = "^[^\ufffe\uffff]*$"
YEARS = (1900, 9999)


def portfolio_schema(form: Form) -> Schema:
    """Build the schema of a portfolio of `form`.

    Values are as open as the loader is: text that is no number, date or item of a list is kept there with a
    problem, never refused. So lists are `examples`, and `format: date` is an annotation.
    """
    return {
        "$schema": DRAFT,
        "$id": f"urn:kpixl:{form.id}:{form.version}",
        "title": form.title,
        "description": form.description.get("zh", form.title),
        "type": "object",
        "additionalProperties": False,
        "required": ["kpixl", "form", "projects"],
        "properties": {
            "kpixl": {"const": FORMAT, "type": "integer"},
            "form": {"const": form.id},
            "year": {"type": ["integer", "null"], "minimum": YEARS[0], "maximum": YEARS[1]},
            "organization": _text(["string", "null"]),
            "projects": {"type": ["array", "null"], "items": _project(form)},
        },
    }


def _text(types: list[str]) -> Schema:
    return {"type": types, "maxLength": MAX_CELL_TEXT, "pattern": _STORABLE}


def _project(form: Form) -> Schema:
    properties: Schema = {"id": _titled(form.id_field, {**_text(["string"]), "allOf": [{"pattern": r"\S"}]})}
    for key, field in form.fields.items():
        *groups, name = key.split(".")
        inside = properties
        for group in groups:
            inside = inside.setdefault(group, _group())["properties"]
        inside[name] = _value(form, field)
    for key, table in form.tables.items():
        properties[key] = _rows(form, table)
    return _mapping(properties, "object", required=["id"])


def _group() -> Schema:
    """Make a group of fields; left blank, all of them are."""
    return _mapping({}, ["object", "null"])


def _mapping(properties: Schema, types: str | list[str], **more: object) -> Schema:
    return {"type": types, "additionalProperties": False, **more, "properties": properties}


def _rows(form: Form, table: Table) -> Schema:
    columns = {key: _value(form, column) for key, column in table.columns.items()}
    return {"title": table.label, "type": ["array", "null"], "items": _mapping(columns, "object")}


def _value(form: Form, field: Field) -> Schema:
    value = _text(["string", "number", "null"])
    value |= FIELD_TYPES[field.type].schema()
    if field.choices is not None:
        value["examples"] = list(form.choices[field.choices].items)
    return _titled(field, value)


def _titled(field: Field, value: Mapping[str, object]) -> Schema:
    """Put the form's description of a field before the rules for its value."""
    title: Schema = {"title": field.label.rstrip(":：")}
    return title | ({"description": field.help} if field.help else {}) | dict(value)
