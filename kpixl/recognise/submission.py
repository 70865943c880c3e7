"""What reading a grid gives: one form, with what only the file itself can tell; or nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from kpixl.forms.definition import Row, Value
from kpixl.portfolio.sheet_id import Marker
from kpixl.problems import Problem

LabelKey = tuple[str, str]  # table, or "" for a field, and key


class Doubt(NamedTuple):
    """A value that only a second look into the file can settle.

    `kind`: total (differs from the sum of its parts: typed, or a stale formula?), percent (a small number: 0.95 or
    95 %?), serial (a number read as a date: from 1900 or 1904?), date (of a target: is it shown with its year?), blank
    (or an error, or a formula without a value?).
    `cell`: its own cell, where the value was taken from the one above.
    """

    kind: str
    key: str
    cell: str = ""


@dataclass(frozen=True, slots=True)
class Extracted:
    """One form read from a grid: values and rows as in model.Project, and the cell each came from.

    `doubts`: what only the file itself can tell, see Doubt. `missing`: the labels that the form lacks. `suspect`: cells
    of its sheet that read blank may be formulas without a value, or errors.
    """

    form: str
    sheet: str | None
    hidden: bool
    marker: Marker | None
    year: int | None
    organization: str | None
    values: Mapping[str, Value]
    tables: Mapping[str, tuple[Row, ...]]
    cells: Mapping[str, str]
    doubts: tuple[Doubt, ...]
    problems: tuple[Problem, ...]
    missing: frozenset[LabelKey] = frozenset()
    suspect: bool = False


@dataclass(frozen=True, slots=True)
class Nothing:
    """A grid without a form: which labels of the nearest form it has."""

    form: str
    seen: frozenset[LabelKey]
