"""What is known of the run that a portfolio came from, kept beside it and shown on the first sheet of the summary.

A portfolio alone does not know what was expected; a summary that is made from it later finds that here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from kpixl.forms.definition import Form
from kpixl.forms.names import unit_field
from kpixl.forms.values import fits_float, number_text, text_of
from kpixl.portfolio.model import Portfolio, Project
from kpixl.problems.problem import Problem, Severity

# Codes of problems: returns of a project contradict each other.
DISPUTES = frozenset({"returned-differently", "conflict", "decision-outdated"})


@dataclass(frozen=True, slots=True)
class NamedProject:
    """A project that is in no row of the summary: its id, name and unit."""

    id: str
    name: str
    unit: str


@dataclass(frozen=True, slots=True)
class PortfolioChanges:
    """What differs from the portfolio before: ids, projects that are gone, the total of the amounts then.

    `since`: the day of the run before; None where it is not known.
    """

    since: date | None
    added: tuple[str, ...]
    removed: tuple[NamedProject, ...]
    changed: tuple[str, ...]
    amount: Decimal | None


@dataclass(frozen=True, slots=True)
class RunRecord:
    """One run: its day, and what came back of what.

    `nothing`: projects that did not come back, and of which nothing is to be reported.
    `expected`: ids of the roster, with their units in `missing` for those that did not come back; None without a
    roster, and then `blank` is not known either. `errors`, `warnings`: numbers by project id, "" for those of none.
    """

    day: date
    expected: tuple[str, ...] | None
    missing: tuple[NamedProject, ...]
    blank: tuple[str, ...]
    disputed: tuple[str, ...]
    errors: Mapping[str, int]
    warnings: Mapping[str, int]
    changes: PortfolioChanges | None = None
    nothing: tuple[NamedProject, ...] = ()


def record_run(
    form: Form,
    portfolio: Portfolio,
    roster: Portfolio | None,
    problems: Sequence[Problem],
    day: date,
    *,
    sent: Portfolio | None = None,
    declared: Container[str] = (),
) -> RunRecord:
    """Record a run that gave `portfolio` and `problems`; what changed is added by `with_changes`.

    `sent`: the roster as it was sent out, where that is another. `declared`: ids of projects with nothing to report.
    """
    returned = {project.id: project for project in portfolio.projects}
    expected, absent, blank = None, [], []
    if roster is not None:
        expected = tuple(project.id for project in roster.projects)
        absent = [_named(form, project) for project in roster.projects if project.id not in returned]
        before = bases(roster, sent)
        blank = [i for i, project in returned.items() if i in before and is_blank(project, before[i])]
    disputed = {problem.project for problem in problems if problem.code in DISPUTES}
    return RunRecord(
        day,
        expected,
        tuple(named for named in absent if named.id not in declared),
        tuple(blank),
        tuple(project.id for project in portfolio.projects if project.id in disputed),
        _counted(problems, Severity.ERROR),
        _counted(problems, Severity.WARNING),
        nothing=tuple(named for named in absent if named.id in declared),
    )


def bases(roster: Portfolio, sent: Portfolio | None) -> dict[str, Project]:
    """Return every project of the roster as it was sent out, by id."""
    first = {project.id: project for project in sent.projects} if sent is not None else {}
    return {project.id: first.get(project.id, project) for project in roster.projects}


def _counted(problems: Iterable[Problem], severity: Severity) -> Mapping[str, int]:
    # A project that did not come back is counted as missing.
    found = (p.project or "" for p in problems if p.severity is severity and p.code != "not-returned")
    return dict(sorted(Counter(found).items()))


def _named(form: Form, project: Project) -> NamedProject:
    unit = unit_field(form)
    return NamedProject(
        project.id, text_of(project.values[form.key_fields[0]]), text_of(project.values[unit.key]) if unit else ""
    )


def is_blank(project: Project, sent: Project) -> bool:
    """Return whether a form holds nothing that was not on it when it was sent."""
    values = all(value is None or value == sent.values.get(key) for key, value in project.values.items())
    tables = all(not rows or rows == sent.tables.get(key) for key, rows in project.tables.items())
    return values and tables and any(not rows for rows in project.tables.values())


def open_projects(record: RunRecord) -> frozenset[str]:
    """Return the ids of the projects in the portfolio that must still be settled: contradictions and errors."""
    return frozenset({*record.disputed, *(i for i, count in record.errors.items() if i and count)})


# --- what changed -----------------------------------------------------------------------------


def with_changes(
    record: RunRecord, form: Form, new: Portfolio, old: Portfolio | None, before: RunRecord | None
) -> RunRecord:
    """Add what changed since the `old` portfolio, of which `before` is the record.

    Where nothing did, what the record before knew of its own predecessor stays: running twice changes nothing.
    """
    if old is None:
        return record
    if old.projects == new.projects:
        return replace(record, changes=before.changes if before else None)
    known = {project.id: project for project in old.projects}
    now = {project.id: project for project in new.projects}
    return replace(
        record,
        changes=PortfolioChanges(
            before.day if before else None,
            tuple(i for i in now if i not in known),
            tuple(_named(form, project) for i, project in known.items() if i not in now),
            tuple(i for i, project in now.items() if i in known and known[i] != project),
            total_amount(form, old.projects),
        ),
    )


def total_amount(form: Form, projects: Iterable[Project]) -> Decimal | None:
    """Add up the amounts that a form's summary is about; None where it names none."""
    key = form.summary.amount
    if key is None:
        return None
    return sum((v for p in projects if isinstance(v := p.values[key], Decimal) and fits_float(v)), Decimal(0))


# --- as data ----------------------------------------------------------------------------------


def run_data(record: RunRecord) -> dict[str, Any]:
    """Turn a record into JSON data."""
    changes = record.changes
    return {
        "date": record.day.isoformat(),
        "expected": record.expected,
        "missing": [[p.id, p.name, p.unit] for p in record.missing],
        "blank": record.blank,
        "disputed": record.disputed,
        "errors": record.errors,
        "warnings": record.warnings,
        "nothing": [[p.id, p.name, p.unit] for p in record.nothing],
        "changes": None
        if changes is None
        else {
            "since": changes.since.isoformat() if changes.since else None,
            "added": changes.added,
            "removed": [[p.id, p.name, p.unit] for p in changes.removed],
            "changed": changes.changed,
            "amount": None if changes.amount is None else number_text(changes.amount),
        },
    }


def read_run(data: Any) -> RunRecord | None:
    """Read JSON data, which anybody may have edited; None where it is no record."""
    try:
        changes = data["changes"]
        return RunRecord(
            date.fromisoformat(data["date"]),
            None if data["expected"] is None else _ids(data["expected"]),
            _projects(data["missing"]),
            _ids(data["blank"]),
            _ids(data["disputed"]),
            {str(i): int(n) for i, n in data["errors"].items()},
            {str(i): int(n) for i, n in data["warnings"].items()},
            None if changes is None else _read_changes(changes),
            _projects(data.get("nothing", ())),
        )
    except (KeyError, TypeError, ValueError, AttributeError, InvalidOperation):
        return None


def _read_changes(data: Any) -> PortfolioChanges:
    return PortfolioChanges(
        None if data["since"] is None else date.fromisoformat(data["since"]),
        _ids(data["added"]),
        _projects(data["removed"]),
        _ids(data["changed"]),
        None if data["amount"] is None else Decimal(data["amount"]),
    )


def _ids(data: Any) -> tuple[str, ...]:
    return tuple(str(i) for i in data)


def _projects(data: Any) -> tuple[NamedProject, ...]:
    return tuple(NamedProject(str(i), str(name), str(unit)) for i, name, unit in data)
