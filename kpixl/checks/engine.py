"""Portfolio -> problems: what can be said of projects without the files they came from.

What points where is looked up by the caller in the sources of the projects. `kpixl consolidate` applies the basic
rules alone; `kpixl check` all that the form asks for (kpixl.checks.registry).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from kpixl.checks.basic import BASIC_RULES
from kpixl.checks.rule import Hit, NoParameters, Rule, Subject, subjects_of
from kpixl.forms.definition import Form
from kpixl.forms.types import FIELD_TYPES
from kpixl.forms.values import text_of
from kpixl.keys import Key
from kpixl.portfolio.model import Portfolio
from kpixl.problems import Location, Problem, Severity
from kpixl.problems.entry import Entry

if TYPE_CHECKING:
    from kpixl.checks.registry import Checks

# (project id, value key, label of the field) -> where it was typed
Locate = Callable[[str, Key, str], Location]
Checker = Callable[[Form, Portfolio, Locate | None], tuple[Problem, ...]]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing a rule has to say: in which project, of which value, and with which details."""

    project: str
    code: str
    key: Key
    details: Mapping[str, object]
    category: str
    severity: Severity | None = None
    rule: Entry | None = field(default=None, compare=False, repr=False)
    at: Key | None = None


def check(form: Form, portfolio: Portfolio, locate: Locate | None = None) -> tuple[Problem, ...]:
    """Check every project by the basic rules. `locate(project id, value key, label)` says where a value was typed."""
    where = locate or in_portfolio(form, portfolio)
    return tuple(
        Problem(
            rule.code,
            where(subject.project.id, hit.key, label_of(form, hit.key)),
            hit.details,
            project=subject.project.id,
            rule=rule.entry,
        )
        for subject in (Subject(form, project) for project in portfolio.projects)
        for rule in BASIC_RULES
        for hit in rule.find(_NOTHING, subject)
    )


_NOTHING = NoParameters()


def in_portfolio(form: Form, portfolio: Portfolio) -> Locate:
    """Locate values by project and label, for a portfolio of which no files are known."""
    first = form.key_fields[0]
    names = {p.id: f"{p.id} {text_of(p.values[first])}".strip() for p in portfolio.projects}
    return lambda project, key, label: Location(None, names[project], None, label.rstrip(":：") or str(key))


def label_of(form: Form, key: Key) -> str:
    """Return the printed label of a field, a column or a table."""
    if key.in_row:
        return form.tables[key.name].columns[key.column].label
    return form.fields[key.name].label if key.name in form.fields else form.tables[key.name].label


# --- all rules --------------------------------------------------------------------------------


def find(form: Form, portfolio: Portfolio, checks: Checks, roster: Portfolio | None = None) -> Iterator[Finding]:
    """Apply every check to every project; what follows from another finding is left out.

    Findings come in the order of the projects, and in each in the order of the form's values.
    """
    subjects = subjects_of(form, portfolio, checks.roles, roster)
    between = _between(checks, subjects)
    alone = [c for c in checks.checks if not c.rule.between]
    order = _Order(form)
    for subject in subjects:
        found = [(c, hit) for c in alone for hit in c.rule.find(c.parameters, subject)]
        found += between.get(subject.project.id, ())
        if found:
            yield from _independent(subject, found, order)


def _between(checks: Checks, subjects: Sequence[Subject]) -> dict[str, list[tuple[Any, Hit]]]:
    found: dict[str, list[tuple[Any, Hit]]] = {}
    for item in checks.checks:
        if item.rule.between:
            for project, hit in item.rule.find(item.parameters, subjects):
                found.setdefault(project, []).append((item, hit))
    return found


def _independent(subject: Subject, found: Sequence[tuple[Any, Hit]], order: _Order) -> list[Finding]:
    """Drop hits on a value of which a weightier thing was said, and those that follow from one elsewhere."""
    said: dict[Key, set[str]] = {}
    for item, hit in found:
        said.setdefault(hit.key, set()).add(item.rule.code)
    anywhere = {item.rule.code for item, _ in found}
    unread = any("value-unread" in said[key] for key in said if is_amount(subject.form, key))
    kept = [
        (item, hit)
        for item, hit in found
        if not said[hit.key] & item.rule.yields_to
        and not anywhere & item.rule.follows
        and not (unread and compares_amounts(item.rule, is_amount(subject.form, hit.key)))
    ]
    kept.sort(key=lambda pair: order(pair[1].key))
    return [
        Finding(subject.project.id, i.code, hit.key, hit.details, i.category, i.severity, i.rule.entry, hit.at)
        for i, hit in kept
    ]


def is_amount(form: Form, key: Key) -> bool:
    """Return whether a value is a field of the form that is an amount."""
    return key.name in form.fields and FIELD_TYPES[form.fields[key.name].type].is_amount


def compares_amounts(rule: Rule, on_amount: bool) -> bool:
    """Return whether what a rule found compares amounts, so that it follows from one that was not read."""
    return rule.compares_amounts or (rule.code == "expression" and on_amount)


class _Order:
    """The order of value keys on the form."""

    def __init__(self, form: Form) -> None:
        keys = [*form.fields, *form.tables]
        columns = [column for table in form.tables.values() for column in table.columns]
        self.places = {key: number for number, key in enumerate(keys)}
        self.columns = {key: number for number, key in enumerate(columns)}

    def __call__(self, key: Key) -> tuple[int, int, int]:
        return self.places[key.name], key.row, self.columns[key.column] if key.in_row else 0
