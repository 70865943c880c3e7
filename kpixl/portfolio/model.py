"""A portfolio: the projects of a year, with their values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TypeVar

from kpixl.forms.definition import Row, Value
from kpixl.keys import WAITING, Key


@dataclass(frozen=True, slots=True)
class Project:
    """One project: values by field key, rows by table key. Every key of the form is present."""

    id: str
    values: Mapping[str, Value]
    tables: Mapping[str, tuple[Row, ...]]


@dataclass(frozen=True, slots=True)
class Portfolio:
    """The projects of one organisation, year and form."""

    form: str
    year: int | None
    organization: str | None
    projects: tuple[Project, ...]


def waiting_row(table: str, level: str) -> Key:
    """Return the key under which the place of a row is kept that was set beforehand and that nobody went on with."""
    return Key(table, WAITING, level)


T = TypeVar("T")


def of_values(cells: Mapping[Key, T]) -> dict[Key, T]:
    """Leave out of the cells of a sheet those that hold no value of the project: the rows that wait."""
    return {key: cell for key, cell in cells.items() if key.row != WAITING}


def filled_keys(values: Mapping[str, Value], tables: Mapping[str, tuple[Row, ...]]) -> Iterator[Key]:
    """Yield the keys of the values that are filled in."""
    yield from (Key(key) for key, value in values.items() if value is not None)
    for table, rows in tables.items():
        for number, row in enumerate(rows):
            yield from (Key(table, number, column) for column, value in row.items() if value is not None)
