"""A portfolio: the projects of a year, with their values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from kpixl.forms.definition import Row, Value


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
