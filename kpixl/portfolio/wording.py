"""Addresses and their values as people read and write them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from kpixl.forms.definition import Form, Table, Value
from kpixl.forms.values import fold, text_of, to_yaml
from kpixl.portfolio.canonical import read_value, tidy_row
from kpixl.portfolio.merge_model import DELETE, KEEP, Address, Parts
from kpixl.portfolio.three_way import columns_of
from kpixl.texts import Text

KEEP_ROW: Text = ("保留本行", "keep the row")
DELETE_ROW: Text = ("删除本行", "delete the row")
BLANK: Text = ("（空）", "(blank)")


def label_of(form: Form, address: Address) -> str:
    """Return the label of an address: 项目名称, or 绩效指标 产出指标/数量指标/讲座场次 指标值."""
    if not address.key:
        return form.id_field.heading
    if address.key in form.fields:
        return form.fields[address.key].heading
    table = form.tables[address.key]
    parts = [table.label, address.row, _column_label(table, address.column) if address.column else ""]
    return " ".join(part for part in parts if part)


def _column_label(table: Table, name: str) -> str:
    return table.targets[name].label if name in table.targets else table.columns[name].label


def shown(value: Parts) -> Text:
    """Spell a value in full, those of a target or row side by side."""
    if value == KEEP:
        return KEEP_ROW
    if value == DELETE:
        return DELETE_ROW
    text = " ".join(text_of(part) for part in value if part is not None)
    return (text, text) if text else BLANK


def read_shown(form: Form, address: Address, text: str, known: Sequence[Parts] = ()) -> Parts | None:
    """Read a value that a person typed: one of those known as it is spelled, else by the type of the field.

    None where it cannot be a value of the address.
    """
    for value in known:
        if text in shown(value) or fold(text) == fold(shown(value)[0]):
            return value
    if fold(text) in map(fold, BLANK):
        text = ""
    if address.key in form.fields:
        return (read_value(form, form.fields[address.key], text or None)[0],)
    if not address.column:
        return _presence(text)
    table = form.tables[address.key]
    columns = columns_of(table)[address.column]
    target = table.targets.get(address.column)
    row: dict[str, Value] = dict.fromkeys(table.columns)
    typed = target.value if target else columns[0]
    row[typed] = read_value(form, table.columns[typed], text or None)[0]
    tidied = tidy_row(form, address.key, row)[0]
    return tuple(tidied[column] for column in columns)


def _presence(text: str) -> Parts | None:
    if fold(text) in map(fold, (*KEEP_ROW, "keep", "保留")):
        return KEEP
    return DELETE if fold(text) in map(fold, (*DELETE_ROW, "delete", "删除")) else None


# --- in YAML and JSON -------------------------------------------------------------------------


def value_data(form: Form, address: Address, value: Parts) -> Any:
    """Turn a value into data: one value, or a mapping by column; keep or delete of a row."""
    if value in (KEEP, DELETE):
        return value[0]
    columns = _columns(form, address)
    if len(columns) == 1:
        return to_yaml(value[0])
    return {column: to_yaml(part) for column, part in zip(columns, value, strict=True)}


def value_of(form: Form, address: Address, data: Any) -> Parts | None:
    """Read such data; None where it is no value of the address."""
    if address.key in form.tables and not address.column and isinstance(data, str):
        return _presence(data)
    columns = _columns(form, address)
    if len(columns) == 1:
        data = {columns[0]: data}
    if isinstance(data, str | int | float) and not isinstance(data, bool):
        return read_shown(form, address, str(data))
    if not isinstance(data, Mapping) or not set(data) <= set(columns):
        return None
    if any(isinstance(raw, bool | list | dict) for raw in data.values()):
        return None
    fields = form.fields if address.key in form.fields else form.tables[address.key].columns
    return tuple(read_value(form, fields[column], data.get(column))[0] for column in columns)


def _columns(form: Form, address: Address) -> tuple[str, ...]:
    if address.key in form.fields:
        return (address.key,)
    table = form.tables[address.key]
    return columns_of(table)[address.column] if address.column else tuple(table.columns)


# --- what people call them --------------------------------------------------------------------


def address_of(form: Form, name: str, row: str = "") -> Address | None:
    """Find the address that a person means by a key or label, in a row by its path or name; None where there is none.

    In a table a column is named alone, or behind the table: indicators.value.
    """
    wanted = fold(name)
    if not row:
        found = [k for k, f in form.fields.items() if name == k or wanted in (fold(f.label), fold(f.heading))]
        return Address(found[0]) if found else None
    for key, table in form.tables.items():
        if wanted in (fold(key), fold(table.label)):
            return Address(key, row)
        for column, parts in columns_of(table).items():
            names = {column, _column_label(table, column), *parts, *(table.columns[part].label for part in parts)}
            if wanted in {fold(n) for n in names} | {fold(f"{key}.{n}") for n in names}:
                return Address(key, row, column)
    return None


def address_key(address: Address) -> str:
    """Return the key of an address as it is written in files: funding.total, indicators.target."""
    return f"{address.key}.{address.column}" if address.column else address.key
