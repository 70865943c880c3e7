"""`derive` of form.yaml: how projects are prefilled from those of another form.

What is there of the other form is checked when it is used: it need not be installed to read this one.
"""

from __future__ import annotations

from collections.abc import Mapping

from kpixl.forms.definition import Constant, Derivation, DerivedTable, Field, Table, Value
from kpixl.forms.node import Node, invalid
from kpixl.forms.values import to_decimal


def read_derivation(node: Node, fields: Mapping[str, Field], tables: Mapping[str, Table]) -> Derivation:
    """Read how this form is derived from one other form."""
    read = Derivation(_sources(node, "fields", fields), {})
    derived: dict[str, DerivedTable] = {}
    for name, part in node.nodes("tables"):
        if name not in tables:
            raise invalid(part.path, f"no table {name}")
        derived[name] = DerivedTable(part.take("table", str), _sources(part, "columns", tables[name].columns))
        part.finish()
    node.finish()
    return Derivation(read.fields, derived)


def _sources(node: Node, key: str, known: Mapping[str, Field]) -> dict[str, str | Constant]:
    """Read a mapping of own keys to keys of the other form, or to `value: ...`."""
    found: dict[str, str | Constant] = {}
    for name, source in node.mapping(key).items():
        path = f"{node.path}.{key}.{name}"
        if name not in known:
            raise invalid(path, f"no field or column {name}")
        if known[name].computation is not None:
            raise invalid(path, "is computed")
        found[name] = source if isinstance(source, str) else Constant(_constant(Node(source, path)))
    return found


def _constant(node: Node) -> Value:
    value = node.take("value", (str, int, float))
    node.finish()
    if isinstance(value, bool):
        raise invalid(node.path, "must be a text or a number")
    return value if isinstance(value, str) else to_decimal(value)
