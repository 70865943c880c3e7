"""The flat layout of a form, from its definition: several projects on one sheet, as rows of one table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from kpixl.forms.definition import Field, Flat, FlatColumn, Table
from kpixl.forms.types import FIELD_TYPES
from kpixl.problems import KpixlError, failure

_KEYS = frozenset({"columns", "unit-line", "total", "landscape"})


def place_flat(spec: object, fields: Mapping[str, Field], tables: Mapping[str, Table]) -> Flat | None:
    """Read `flat` of a definition; None where there is none. Raises KpixlError `form-invalid`.

    Every field and every column of the form's only table has a column, so that nothing is left out when it is printed.
    """
    if spec is None:
        return None
    if not isinstance(spec, dict) or set(spec) - _KEYS:
        raise _invalid("", f"must be a mapping of {', '.join(sorted(_KEYS))}")
    if len(tables) != 1:
        raise _invalid("", "needs a form with one table")
    table = next(iter(tables.values()))
    columns = tuple(_columns(spec.get("columns"), fields, table))
    given = [(column.table, column.key) for column in columns]
    for where, keys in (("", fields), (table.key, table.columns)):
        if lost := [key for key in keys if given.count((where, key)) != 1]:
            raise _invalid(".columns", f"must have {', '.join(lost)} once")
    unit_line = spec.get("unit-line", "")
    landscape = spec.get("landscape", True)
    if not isinstance(unit_line, str) or not isinstance(landscape, bool):
        raise _invalid("", "unit-line is a text, landscape true or false")
    return Flat(table.key, columns, unit_line, landscape, *_total(spec.get("total"), fields))


def _columns(specs: object, fields: Mapping[str, Field], table: Table) -> Iterator[FlatColumn]:
    if not isinstance(specs, list):
        raise _invalid(".columns", "must be a list")
    for number, spec in enumerate(specs):
        rest: dict[str, Any] = dict(spec) if isinstance(spec, dict) else {}
        width = rest.pop("width", None)
        (kind, key), *more = rest.items() if rest else [("", "")]
        known: Mapping[str, Field] = {"field": fields, "column": table.columns}.get(kind, {})
        named = isinstance(key, str) and key in known
        if more or not named or isinstance(width, bool) or not isinstance(width, int | float):
            raise _invalid(f".columns[{number}]", f"what is {spec}? field or column, and width")
        yield FlatColumn("" if kind == "field" else table.key, key, known[key].on_form.rstrip(":："), float(width))


def _total(spec: object, fields: Mapping[str, Field]) -> tuple[str | None, str | None]:
    """Return the fields in whose columns the row above all projects has the organisation and the sum."""
    if spec is None:
        return None, None
    known = isinstance(spec, dict) and all(isinstance(key, str) and key in fields for key in spec.values())
    if not isinstance(spec, dict) or set(spec) != {"name", "amount"} or not known:
        raise _invalid(".total", "must have name and amount, each a field")
    name, amount = str(spec["name"]), str(spec["amount"])
    if not FIELD_TYPES[fields[amount].type].is_amount:
        raise _invalid(".total", f"{amount} is no amount")
    return name, amount


def _invalid(where: str, reason: str) -> KpixlError:
    return failure("form-invalid", key=f"flat{where}", reason=reason)
