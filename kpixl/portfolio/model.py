"""A portfolio: the projects of a year, with their values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

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


def of_values(cells: Mapping[Key, str]) -> dict[Key, str]:
    """Leave out of the cells of a sheet those that hold no value of the project: the rows that wait."""
    return {key: cell for key, cell in cells.items() if key.row != WAITING}
