"""Compare two portfolios of a form: by project, field and row; a row that only moved is no change."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Context, Decimal
from enum import StrEnum
from functools import cached_property

from kpixl.forms.definition import Field, Form, Row, Table, Value
from kpixl.forms.types import FIELD_TYPES
from kpixl.forms.values import total
from kpixl.portfolio.model import Portfolio, Project
from kpixl.portfolio.pairing import pair_projects, pair_rows, row_title
from kpixl.problems import failure

# Numbers have at most 24 digits, on either side of the point: no difference of two is rounded.
_EXACT = Context(prec=100)


class ChangeKind(StrEnum):
    """What became of a project or a row."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True)
class ValueChange:
    """One value that differs. `field`: its definition, of the form or of a column; values as in model.Project."""

    field: Field
    old: Value
    new: Value

    @property
    def difference(self) -> Decimal | None:
        """Return how much larger the new number is; None where one of the two is no number."""
        if isinstance(self.old, Decimal) and isinstance(self.new, Decimal):
            return _EXACT.subtract(self.new, self.old)
        return None

    @property
    def percent(self) -> Decimal | None:
        """Return the difference in per cent of the old number, to two decimals; None where that is 0."""
        if self.difference is None or not self.old:
            return None
        assert isinstance(self.old, Decimal)
        share = _EXACT.divide(_EXACT.multiply(self.difference, Decimal(100)), abs(self.old))
        return share.quantize(Decimal("0.01"), ROUND_HALF_UP, _EXACT)


@dataclass(frozen=True, slots=True)
class RowChange:
    """A row that differs. `old`, `new`: its index in each portfolio, None where it is not there.

    `values`: what differs; of a row that is only in one portfolio, all that is filled in.
    """

    kind: ChangeKind
    table: Table
    title: str
    old: int | None
    new: int | None
    values: tuple[ValueChange, ...]


@dataclass(frozen=True, slots=True)
class ProjectChange:
    """A project that differs. `old`, `new`: the project in each portfolio, None where it is not there."""

    kind: ChangeKind
    old: Project | None
    new: Project | None
    values: tuple[ValueChange, ...] = ()
    rows: tuple[RowChange, ...] = ()

    @property
    def project(self) -> Project:
        """Return the project as it is now, or was."""
        project = self.new or self.old
        assert project is not None
        return project


@dataclass(frozen=True)
class Diff:
    """What differs between two portfolios, in the order of the new one; projects only in the old one come last."""

    form: Form
    old: Portfolio
    new: Portfolio
    projects: tuple[ProjectChange, ...]

    def count(self, kind: ChangeKind) -> int:
        """Count the projects of a kind."""
        return sum(change.kind is kind for change in self.projects)

    @property
    def unchanged(self) -> int:
        """Count the projects that are equal in both."""
        return len(self.new.projects) - self.count(ChangeKind.ADDED) - self.count(ChangeKind.CHANGED)

    @cached_property
    def amount(self) -> ValueChange | None:
        """Return the sum over all projects of the amount that the form's summary adds up."""
        key = self.form.summary.amount
        if key is None:
            return None
        sums = [total([project.values[key] for project in side.projects]) for side in (self.old, self.new)]
        return ValueChange(self.form.fields[key], *sums)


def diff(form: Form, old: Portfolio, new: Portfolio) -> Diff:
    """Compare two portfolios. Raises KpixlError `forms-differ` where they are not of `form`."""
    if {old.form, new.form} != {form.id}:
        raise failure("forms-differ", old=old.form, new=new.form)
    pairs = pair_projects(form, old, new)
    partners = {n: o for o, n in pairs}
    changes = []
    for number, project in enumerate(new.projects):
        before = old.projects[partners[number]] if number in partners else None
        if (change := compare_projects(form, before, project)) is not None:
            changes.append(change)
    paired = set(partners.values())
    gone = (project for number, project in enumerate(old.projects) if number not in paired)
    changes += [ProjectChange(ChangeKind.REMOVED, project, None) for project in gone]
    return Diff(form, old, new, tuple(changes))


def compare_projects(form: Form, old: Project | None, new: Project) -> ProjectChange | None:
    """Compare two versions of a project; None where they are equal."""
    if old is None:
        return ProjectChange(ChangeKind.ADDED, None, new)
    values = tuple(_changed(form.fields, old.values, new.values)) if old.values != new.values else ()
    rows = tuple(
        change
        for key, table in form.tables.items()
        if old.tables[key] != new.tables[key]
        for change in compare_rows(table, old.tables[key], new.tables[key])
    )
    return ProjectChange(ChangeKind.CHANGED, old, new, values, rows) if values or rows or old.id != new.id else None


def compare_rows(table: Table, old: Sequence[Row], new: Sequence[Row]) -> Iterator[RowChange]:
    """Compare the rows of a table: in the order of the new ones, then those that are gone."""
    partners = {n: o for o, n in pair_rows(table, old, new)}
    for number, row in enumerate(new):
        before = partners.get(number)
        if before is None:
            values = tuple(_changed(table.columns, {}, row))
            yield RowChange(ChangeKind.ADDED, table, row_title(table, row), None, number, values)
        elif values := tuple(_changed(table.columns, old[before], row)):
            yield RowChange(ChangeKind.CHANGED, table, row_title(table, old[before]), before, number, values)
    paired = set(partners.values())
    for number, row in enumerate(old):
        if number not in paired:
            values = tuple(_changed(table.columns, row, {}))
            yield RowChange(ChangeKind.REMOVED, table, row_title(table, row), number, None, values)


def _changed(fields: Mapping[str, Field], old: Row, new: Row) -> Iterator[ValueChange]:
    for key, field in fields.items():
        if old.get(key) != new.get(key):
            yield ValueChange(field, old.get(key), new.get(key))


def value_text(field: Field, value: Value) -> str:
    """Spell a value for people: amounts as 600,000.00, dates as 2026-01-01."""
    return "" if value is None else FIELD_TYPES[field.type].text(value)
