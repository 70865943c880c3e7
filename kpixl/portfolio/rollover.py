"""A portfolio -> the roster of a later year: what stays stays, what belongs to a year is emptied or moved, all listed.

Kept: ids, names, units, lists, rows with their levels, names, operators and units. Emptied: amounts, rates, and the
values of targets, which are notes at the cells of the new template. Moved: dates of a project that lies within its
year, and the year in texts that name no other.
"""

from __future__ import annotations

import re
from calendar import isleap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from enum import StrEnum
from pathlib import Path

from kpixl.forms.definition import Field, Form, Row, Table, Value
from kpixl.forms.types import FIELD_TYPES
from kpixl.forms.values import text_of
from kpixl.keys import Key
from kpixl.portfolio.model import Portfolio, Project
from kpixl.portfolio.pairing import pair_rows
from kpixl.problems import failure

LAST_YEAR = ".last-year.yaml"  # beside a roster: what the year before had
_YEAR = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)", re.ASCII)
# The number of a paper, 沪科协〔2026〕12号, is that of the paper for ever.
_PAPER = re.compile(r"[〔\[(（【]\s*(?:19|20)\d\d\s*[〕\])）】]\s*(?:第\s*)?\d+\s*号", re.ASCII)


class RolloverFate(StrEnum):
    """What became of a value: emptied; moved to the new year; kept although it names the old one, since nobody knows
    whether to move it; lost, since the form has no place for it."""

    EMPTIED = "emptied"
    MOVED = "moved"
    KEPT = "kept"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class Carried:
    """A value that is not simply as it was. `key`: where it was; `label`: its name; `new`: what it is."""

    project: str
    key: Key
    label: str
    old: Value
    new: Value
    fate: RolloverFate


@dataclass(frozen=True, slots=True)
class Rollover:
    """The roster of the new year; `last`: the projects as they were, by the same ids; `changes`: all that changed."""

    form: Form
    roster: Portfolio
    last: Portfolio
    changes: tuple[Carried, ...]


def roll_over(old_form: Form, portfolio: Portfolio, year: int, form: Form | None = None) -> Rollover:
    """Carry a portfolio over to `year`, onto `form` where that is another or a newer one.

    Raises KpixlError `rollover-year` where the portfolio has no year, or a later one.
    """
    if portfolio.year is None or year <= portfolio.year:
        raise failure("rollover-year", old=portfolio.year or "-", new=year)
    form = form or old_form
    last, rolled, changes = [], [], []
    for project in portfolio.projects:
        fitted, lost = _fitted(old_form, form, project)
        changed = _Rolling(form, portfolio.year, year, fitted)
        last.append(fitted)
        rolled.append(changed.project)
        changes += [*lost, *changed.changes]
    head = replace(portfolio, form=form.id)
    roster = replace(head, year=year, projects=tuple(rolled))
    return Rollover(form, roster, replace(head, projects=tuple(last)), tuple(changes))


def last_year_path(roster: Path) -> Path:
    """Return where the projects of the year before are kept that a roster was made from: beside it."""
    return roster.with_name(roster.stem + LAST_YEAR)


# --- another form -----------------------------------------------------------------------------


def _fitted(old: Form, new: Form, project: Project) -> tuple[Project, list[Carried]]:
    """Put the values of a project where another form has a field or column of the same key; return what has none."""
    tables: dict[str, tuple[Row, ...]] = {}
    for key, table in new.tables.items():
        rows = project.tables.get(key, ())
        tables[key] = tuple({column: row.get(column) for column in table.columns} for row in rows)
    values = {key: project.values.get(key) for key in new.fields}
    return Project(project.id, values, tables), [*_lost_fields(old, new, project), *_lost_cells(old, new, project)]


def _lost_fields(old: Form, new: Form, project: Project) -> Iterator[Carried]:
    """Yield the values of fields that another form does not have."""
    for key, value in project.values.items():
        if key not in new.fields and value is not None:
            yield Carried(project.id, Key(key), _label(old.fields[key]), value, None, RolloverFate.LOST)


def _lost_cells(old: Form, new: Form, project: Project) -> Iterator[Carried]:
    """Yield the values in tables or columns that another form does not have."""
    for key, rows in project.tables.items():
        known = new.tables[key].columns if key in new.tables else {}
        for number, row in enumerate(rows):
            for column, value in row.items():
                if column not in known and value is not None:
                    label = _row_label(old.tables[key], number, column)
                    yield Carried(project.id, Key(key, number, column), label, value, None, RolloverFate.LOST)


def _label(field: Field) -> str:
    return (field.heading or field.label).rstrip(":：")


def _row_label(table: Table, number: int, column: str) -> str:
    return f"{table.label} {number + 1} {_label(table.columns[column])}"


# --- another year -----------------------------------------------------------------------------


class _Rolling:
    """One project on the way to the new year."""

    def __init__(self, form: Form, old: int, new: int, project: Project) -> None:
        self.form, self.old, self.new, self.id = form, old, new, project.id
        dates = [value for value in project.values.values() if isinstance(value, date)]
        dates += [v for rows in project.tables.values() for row in rows for v in row.values() if isinstance(v, date)]
        self.within = all(value.year == old for value in dates)
        self.changes: list[Carried] = []
        values = {key: self._value(Key(key), f, project.values[key], _label(f)) for key, f in form.fields.items()}
        tables = {
            # A row that had nothing but a value is none any more.
            key: tuple(filter(_filled, [self._row(table, n, row) for n, row in enumerate(project.tables[key])]))
            for key, table in form.tables.items()
        }
        self.project = Project(project.id, values, tables)

    def _row(self, table: Table, number: int, row: Row) -> Row:
        targets = {target.value for target in table.targets.values()}
        return {
            column: self._value(
                Key(table.key, number, column),
                table.columns[column],
                value,
                _row_label(table, number, column),
                is_target=column in targets,
            )
            for column, value in row.items()
        }

    def _value(self, key: Key, field: Field, value: Value, label: str, *, is_target: bool = False) -> Value:
        if value is None:
            return None
        new, fate = self._carried(field, value, is_target)
        if fate is not None:
            self.changes.append(Carried(self.id, key, label, value, new, fate))
        return new

    def _carried(self, field: Field, value: Value, is_target: bool) -> tuple[Value, RolloverFate | None]:
        """Return a value in the new year, and what became of it; None where it is simply as it was."""
        if is_target or FIELD_TYPES[field.type].python is Decimal:
            return None, RolloverFate.EMPTIED
        if isinstance(value, date):
            return (_moved(value, self.new), RolloverFate.MOVED) if self.within else (value, RolloverFate.KEPT)
        if isinstance(value, str) and field.choices is None:  # an item of a list with another year is not in the list
            return self._text(value)
        return value, None

    def _text(self, text: str) -> tuple[str, RolloverFate | None]:
        years = set(_YEAR.findall(text))
        if str(self.old) not in years:
            return text, None
        if len(years) > 1 or _PAPER.search(text):
            return text, RolloverFate.KEPT
        return _YEAR.sub(str(self.new), text), RolloverFate.MOVED


def _filled(row: Row) -> bool:
    return any(value is not None for value in row.values())


def _moved(day: date, year: int) -> date:
    """Return the same day of another year; 29 February is the 28th where there is none."""
    leaps = day.month == 2 and day.day == 29 and not isleap(year)
    return day.replace(year=year, day=28 if leaps else day.day)


# --- beside the cells of the new template -------------------------------------------------------


def notes_of(form: Form, project: Project, last: Project) -> Iterator[tuple[Key, str]]:
    """Yield what the year before had where a project has nothing: the key, and the value as the form prints it."""
    for key, field in form.fields.items():
        if project.values[key] is None and (value := last.values[key]) is not None:
            yield Key(key), FIELD_TYPES[field.type].text(value)
    for key, table in form.tables.items():
        rows = project.tables[key]
        for old, new in pair_rows(table, last.tables[key], rows):
            yield from _row_notes(table, new, rows[new], last.tables[key][old])


def _row_notes(table: Table, number: int, row: Row, last: Row) -> Iterator[tuple[Key, str]]:
    values: Mapping[str, Sequence[str]] = {target.value: target.parts for target in table.targets.values()}
    for column, value in last.items():
        if row[column] is None and value is not None:
            parts = values.get(column, (column,))  # of a target all of it: ≥ 100 人
            shown = [text_of(last[part]) for part in parts if last[part] is not None]
            yield Key(table.key, number, column), " ".join(shown)
