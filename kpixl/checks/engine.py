"""Portfolio -> problems: what is found in projects without the files they came from.

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
from kpixl.problems import Location, Problem, Severity, independent
from kpixl.problems.entry import Entry

if TYPE_CHECKING:
    from kpixl.checks.registry import Checks

# (project id, value key, label of the field) -> where it was typed
Locate = Callable[[str, Key, str], Location]


@dataclass(frozen=True, slots=True)
class Causes:
    """Why values are not known, by project: for each such value the key of the problem that reports it.

    `unread`: what could not be read; a key of a table without a row is about that column, or all, of every row.
    `undecided`: what submissions contradict each other in.
    """

    unread: Mapping[str, Mapping[Key, Key]] = field(default_factory=dict)
    undecided: Mapping[str, Mapping[Key, Key]] = field(default_factory=dict)

    def of(self, subject: Subject, rule: Rule, key: Key) -> Key | None:
        """Return the key of the problem that a finding follows from: a blank, or amounts that cannot be compared."""
        unread = self.unread.get(subject.project.id, {})
        if subject.is_blank(key):
            column = unread.get(Key(key.name, column=key.column)) if key.in_row else None
            return unread.get(key) or column or self.undecided.get(subject.project.id, {}).get(key)
        if not compares_amounts(rule, is_amount(subject.form, key)):
            return None
        return next((cause for amount, cause in unread.items() if is_amount(subject.form, amount)), None)


NO_CAUSES = Causes()
Checker = Callable[[Form, Portfolio, Locate | None, Causes], tuple[Problem, ...]]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a rule found: in which project, of which value, and with which details."""

    project: str
    code: str
    key: Key
    details: Mapping[str, object]
    category: str
    severity: Severity | None = None
    rule: Entry | None = field(default=None, compare=False, repr=False)
    at: Key | None = None
    caused_by: Key | None = None

    @property
    def keys(self) -> tuple[Key, ...]:
        """Return the key of its value, as a problem has it."""
        return (self.key,)


def check(
    form: Form, portfolio: Portfolio, locate: Locate | None = None, causes: Causes = NO_CAUSES
) -> tuple[Problem, ...]:
    """Check every project by the basic rules. `locate(project id, key, label)` returns where a value was typed."""
    where = locate or in_portfolio(form, portfolio)
    return tuple(
        Problem(
            rule.code,
            where(subject.project.id, hit.key, label_of(form, hit.key)),
            hit.details,
            project=subject.project.id,
            rule=rule.entry,
            keys=(hit.key,),
            caused_by=causes.of(subject, rule, hit.key),
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


def find(
    form: Form, portfolio: Portfolio, checks: Checks, roster: Portfolio | None = None, causes: Causes = NO_CAUSES
) -> Iterator[Finding]:
    """Apply every check to every project; what follows from another finding is left out.

    What follows from a problem that is known already names it, by `causes`.

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
            yield from _independent(subject, found, order, causes)


def _between(checks: Checks, subjects: Sequence[Subject]) -> dict[str, list[tuple[Any, Hit]]]:
    found: dict[str, list[tuple[Any, Hit]]] = {}
    for item in checks.checks:
        if item.rule.between:
            for project, hit in item.rule.find(item.parameters, subjects):
                found.setdefault(project, []).append((item, hit))
    return found


def _independent(
    subject: Subject, found: Sequence[tuple[Any, Hit]], order: _Order, causes: Causes
) -> Sequence[Finding]:
    """Return what does not follow from another finding, in the order of the form."""
    siblings = _Siblings(subject.form, found)
    findings = (
        Finding(
            subject.project.id,
            item.code,
            hit.key,
            hit.details,
            item.category,
            item.severity,
            item.rule.entry,
            hit.at,
            siblings.cause(item.rule, hit.key) or causes.of(subject, item.rule, hit.key),
        )
        for item, hit in found
    )
    return sorted(independent(findings), key=lambda finding: order(finding.key))


class _Siblings:
    """What was found in one project, to decide what follows from what."""

    def __init__(self, form: Form, found: Sequence[tuple[Any, Hit]]) -> None:
        self.form = form
        self.at: dict[Key, set[str]] = {}
        self.first: dict[str, Key] = {}
        for item, hit in found:
            self.at.setdefault(hit.key, set()).add(item.rule.code)
            self.first.setdefault(item.rule.code, hit.key)
        self.unread = next((key for key in self.at if "value-unread" in self.at[key] and is_amount(form, key)), None)

    def cause(self, rule: Rule, key: Key) -> Key | None:
        """Return the key of the finding that one of a rule follows from: of the same value, or from one elsewhere."""
        if self.at[key] & rule.yields_to:
            return key
        if codes := rule.follows & self.first.keys():
            return self.first[min(codes)]
        return self.unread if compares_amounts(rule, is_amount(self.form, key)) else None


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
