"""A portfolio of one form -> the roster of the next: targets become what is evaluated when the year is over."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import NamedTuple

from kpixl.forms.compute import computed_value
from kpixl.forms.definition import Constant, Derivation, DerivedTable, Field, Form, Row, Table, Value
from kpixl.forms.money import convert
from kpixl.forms.types import FIELD_TYPES
from kpixl.forms.values import target_text
from kpixl.portfolio.canonical import complete, read_value, tidy_row
from kpixl.portfolio.model import Portfolio, Project
from kpixl.problems import Location, Problem, failure
from kpixl.problems.problem import KpixlError

MAX_NAMED = 20  # ids that one message names


class Derived(NamedTuple):
    """The roster, and what of the portfolio it has no place for."""

    portfolio: Portfolio
    problems: tuple[Problem, ...]


def derive(form: Form, source: Form, portfolio: Portfolio) -> Derived:
    """Make the roster of `form` from a portfolio of `source`, by the mapping in the definition of `form`.

    Raises KpixlError `derive-unknown` where it has none, `form-invalid` where that names what `source` has not.
    """
    derivation = form.derive.get(source.id)
    if derivation is None:
        raise failure("derive-unknown", form=form.id, source=source.id, known=", ".join(form.derive) or "-")
    _check(form, source, derivation)
    deriver = _Deriver(form, source, derivation)
    projects = tuple(deriver.project(project) for project in portfolio.projects)
    derived = Portfolio(form.id, portfolio.year, portfolio.organization, projects)
    lost = (*_lost_fields(source, derivation, portfolio), *_lost_columns(source, derivation, portfolio))
    return Derived(derived, lost)


def _check(form: Form, source: Form, derivation: Derivation) -> None:
    """Refuse a mapping from what the other form does not have."""
    for key, origin in derivation.fields.items():
        if isinstance(origin, str) and origin not in source.fields:
            raise _wrong(form, source, f"fields.{key}", origin)
    for name, table in derivation.tables.items():
        if table.table not in source.tables:
            raise _wrong(form, source, f"tables.{name}.table", table.table)
        there = source.tables[table.table]
        for key, origin in table.columns.items():
            if isinstance(origin, str) and origin not in there.columns and origin not in there.targets:
                raise _wrong(form, source, f"tables.{name}.columns.{key}", origin)


def _wrong(form: Form, source: Form, key: str, origin: str) -> KpixlError:
    return failure(
        "form-invalid",
        file=form.file,
        key=f"{form.file} derive.{source.id}.{key}",
        reason=f"{source.id} has no {origin}",
    )


class _Deriver:
    """Derives projects by one mapping."""

    def __init__(self, form: Form, source: Form, derivation: Derivation) -> None:
        self.form, self.source, self.derivation = form, source, derivation

    def project(self, project: Project) -> Project:
        """Derive one project."""
        values: dict[str, Value] = dict.fromkeys(self.form.fields)
        for key, origin in self.derivation.fields.items():
            values[key] = self._value(self.form.fields[key], origin, project.values, self.source.fields)
        tables: dict[str, tuple[Row, ...]] = dict.fromkeys(self.form.tables, ())
        for name, derived in self.derivation.tables.items():
            there = self.source.tables[derived.table]
            rows = (self._row(name, derived, there, row) for row in project.tables[derived.table])
            tables[name] = tuple(row for row in rows if any(value is not None for value in row.values()))
        return complete(self.form, Project(project.id, values, tables))

    def _row(self, name: str, derived: DerivedTable, there: Table, row: Row) -> Row:
        """Derive one row; a target is printed into one column."""
        columns = self.form.tables[name].columns
        made: dict[str, Value] = dict.fromkeys(columns)
        for key, origin in derived.columns.items():
            if isinstance(origin, str) and origin in there.targets:
                made[key] = read_value(self.form, columns[key], target_text(row, there.targets[origin]) or None)[0]
            else:
                made[key] = self._value(columns[key], origin, row, there.columns)
        return tidy_row(self.form, name, made)[0]

    def _value(
        self, field: Field, origin: str | Constant, values: Mapping[str, Value], known: Mapping[str, Field]
    ) -> Value:
        """Carry a value over: amounts into the unit of this form, others as they are read here."""
        if isinstance(origin, Constant):
            return origin.value
        value, kind, own = values[origin], FIELD_TYPES[known[origin].type], FIELD_TYPES[field.type]
        if isinstance(value, Decimal) and kind.is_amount and own.is_amount:
            return convert(value, self.source.money, self.form.money)
        if value is None or isinstance(value, own.python):
            return value
        return read_value(self.form, field, kind.text(value))[0]


def _lost_fields(source: Form, derivation: Derivation, portfolio: Portfolio) -> Iterator[Problem]:
    """Name each field with values that the next form has no place for."""
    kept = {origin for origin in derivation.fields.values() if isinstance(origin, str)}
    for key, field in source.fields.items():
        ids = [p.id for p in portfolio.projects if not _follows(field, p)]
        if key not in kept and ids:
            yield _not_carried(field.heading, ids)


def _lost_columns(source: Form, derivation: Derivation, portfolio: Portfolio) -> Iterator[Problem]:
    """Name each column with values that the next form has no place for."""
    used = {derived.table: derived for derived in derivation.tables.values()}
    for name, table in source.tables.items():
        columns = _columns(table, used[name]) if name in used else set()
        for key, column in table.columns.items():
            ids = _with_values(portfolio, name, key)
            if key not in columns and ids:
                yield _not_carried(f"{table.label} {column.label}", ids)


def _with_values(portfolio: Portfolio, table: str, column: str) -> list[str]:
    """List the projects, by id, that have a value in a column."""
    return [p.id for p in portfolio.projects if any(row[column] is not None for row in p.tables[table])]


def _follows(field: Field, project: Project) -> bool:
    """Return whether a value is blank or follows from others: then nothing is lost with it."""
    value = project.values[field.key]
    return value is None or (
        field.computation is not None and value == computed_value(field, project.values, project.tables)
    )


def _columns(table: Table, derived: DerivedTable) -> set[str]:
    origins = {origin for origin in derived.columns.values() if isinstance(origin, str)}
    return origins | {part for key in origins & set(table.targets) for part in table.targets[key].parts}


def _not_carried(label: str, ids: list[str]) -> Problem:
    shown = "、".join(ids[:MAX_NAMED]) + ("……" if len(ids) > MAX_NAMED else "")
    return Problem("derive-left-out", Location(field=label), {"label": label, "count": len(ids), "ids": shown})
