"""Sheets on their way from an old workbook into a new one. Frozen data, free of any spreadsheet library.

Formats are XlsxWriter properties as sorted pairs, so that equal ones can be shared.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from kpixl.cells import Span
from kpixl.problems import Problem

Format = tuple[tuple[str, Any], ...]
Options = Mapping[str, Any]
Content = str | float | bool | None


@dataclass(frozen=True, slots=True)
class CarriedCell:
    """A cell: its value, or a formula and the value it had. `rich`: (format or None, text) runs.

    `array`: the rectangle of an array formula; `dynamic`: it is one that spills.
    """

    row: int
    col: int
    value: Content
    format: Format = ()
    formula: str | None = None
    array: Span | None = None
    dynamic: bool = False
    rich: tuple[tuple[Format | None, str], ...] = ()


@dataclass(frozen=True, slots=True)
class CarriedLink:
    """A hyperlink on a cell, its target as XlsxWriter spells it."""

    row: int
    col: int
    url: str
    tip: str | None


@dataclass(frozen=True, slots=True)
class CarriedComment:
    """A comment on a cell."""

    row: int
    col: int
    text: str
    author: str


@dataclass(frozen=True, slots=True)
class CarriedBand:
    """Columns `first` to `last`, or one row: size in Excel's units or None, and how it is shown."""

    first: int
    last: int
    size: float | None
    format: Format
    options: tuple[tuple[str, Any], ...]


@dataclass(frozen=True, slots=True)
class CarriedRule:
    """A data validation, conditional format or table: where it stands and XlsxWriter's options for it.

    `format` is that of a conditional format.
    """

    spans: tuple[Span, ...]
    options: Options
    format: Format | None = None


@dataclass(frozen=True, slots=True)
class CarriedSheet:
    """One sheet. `page` and `view` hold settings by name, see carry_write."""

    name: str
    cells: tuple[CarriedCell, ...] = ()
    merges: tuple[Span, ...] = ()
    links: tuple[CarriedLink, ...] = ()
    comments: tuple[CarriedComment, ...] = ()
    columns: tuple[CarriedBand, ...] = ()
    rows: tuple[CarriedBand, ...] = ()
    validations: tuple[CarriedRule, ...] = ()
    conditions: tuple[CarriedRule, ...] = ()
    tables: tuple[CarriedRule, ...] = ()
    page: Options = field(default_factory=dict)
    view: Options = field(default_factory=dict)
    names: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Carried:
    """All that is carried from one workbook: its sheets, its names, and what has to be said about it.

    `lost`: what could not be carried, as (place, (zh, en)) pairs. `edited`: (sheet, what) of our sheets.
    `ids`: what stood in the first column of our table of projects, row by row.
    """

    sheets: tuple[CarriedSheet, ...] = ()
    names: tuple[tuple[str, str], ...] = ()
    lost: tuple[tuple[str, tuple[str, str]], ...] = ()
    edited: tuple[tuple[str, tuple[str, str]], ...] = ()
    ours: bool = True
    ids: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()


NOTHING = Carried()
