"""A portfolio: the projects of a year, with their values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from kpixl.forms.definition import Form, Row, Value


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
