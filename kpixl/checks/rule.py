"""What a rule is given and what it finds: Subject -> Hit."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, NamedTuple

from kpixl.forms.definition import Form, Row, Value
from kpixl.forms.values import fold, number_text, text_of
from kpixl.keys import Key
from kpixl.portfolio.model import Portfolio, Project
from kpixl.problems.entry import Entry

# What is wrong with a value itself; whatever else is found in that value follows from it.
ROOTS = frozenset({"value-unread", "required-blank", "no-rows"})
# The groups in which reviewers think; the key is what `select` and `ignore` take.
CATEGORIES: Mapping[str, tuple[str, str]] = {
    "completeness": ("完整性", "completeness"),
    "compliance": ("合规性", "compliance"),
    "measurability": ("可衡量性", "measurability"),
    "relevance": ("相关性", "relevance"),
    "cost-output": ("投入产出", "cost against output"),
    "scoring": ("自评计分", "scoring"),
}


class Hit(NamedTuple):
    """A finding in one project: the key of the value, and details."""

    key: Key
    details: Mapping[str, object]
    at: Key | None = None  # key of a better place to point at, where the sheet has one


@dataclass(frozen=True, slots=True)
class Roles:
    """Which columns of a table describe an indicator; `checks.rows` of the form."""

    table: str
    level1: str
    level2: str
    name: str
    operator: str
    value: str
    unit: str


@dataclass(slots=True)
class RuleLine:
    """One row of a table, by its roles; level and name as text, "" where blank."""

    number: int
    level1: str
    level2: str
    name: str
    operator: str | None
    value: Value
    unit: str | None
    row: Row

    @property
    def named(self) -> str:
        """Return what to call the row in a message."""
        return self.name or f"{self.number + 1}"

    @property
    def folded(self) -> str:
        """Return the name without blanks and in one width."""
        return fold(self.name)

    @property
    def target(self) -> str:
        """Spell the target: ≥100%."""
        return f"{self.operator or ''}{text_of(self.value)}{self.unit or ''}"


@dataclass(slots=True)
class Subject:
    """One project as rules see it. `listed` is the project of the same id in the roster."""

    form: Form
    project: Project
    year: int | None = None
    listed: Project | None = None
    lines: Mapping[str, Sequence[RuleLine]] = field(default_factory=dict)

    def heading(self, key: str) -> str:
        """Return what people call a field."""
        return self.form.fields[key].heading

    def is_blank(self, key: Key) -> bool:
        """Return whether a value is blank, or a table without rows."""
        if key.in_row:
            return self.project.tables[key.name][key.row][key.column] is None
        return (
            not self.project.tables[key.name] if key.name in self.form.tables else self.project.values[key.name] is None
        )

    def texts(self, keys: Sequence[str]) -> Iterator[tuple[str, str]]:
        """Yield (key, text) for those fields that hold text."""
        for key in keys:
            value = self.project.values[key]
            if isinstance(value, str):
                yield key, value


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule: its code, severity and texts, its parameters (a dataclass), and the function that finds.

    `find(parameters, subject)` yields Hits. With `between`, `find(parameters, subjects)` yields (project id, Hit)
    for the whole portfolio. A hit on a value that already has one of `yields_to` follows from that one and is dropped,
    and so is one in a project in which one of `follows` was found anywhere. What `compares_amounts` follows from an
    amount that was not read, wherever on the form that one is.
    """

    code: str
    entry: Entry
    parameters: type[Any]
    find: Callable[..., Iterator[Any]]
    between: bool = False
    yields_to: frozenset[str] = ROOTS
    follows: frozenset[str] = frozenset()
    compares_amounts: bool = False


@dataclass(frozen=True, slots=True)
class NoParameters:
    """The parameters of a rule that has none."""


def lines_of(roles: Roles, project: Project) -> list[RuleLine]:
    """Return the rows of a table by their roles."""
    lines = []
    for number, row in enumerate(project.tables[roles.table]):
        operator, unit = row[roles.operator], row[roles.unit]
        lines.append(
            RuleLine(
                number,
                text_of(row[roles.level1]),
                text_of(row[roles.level2]),
                text_of(row[roles.name]),
                operator if isinstance(operator, str) else None,
                row[roles.value],
                unit if isinstance(unit, str) else None,
                row,
            )
        )
    return lines


def subjects_of(
    form: Form, portfolio: Portfolio, roles: Mapping[str, Roles], roster: Portfolio | None = None
) -> list[Subject]:
    """Prepare every project."""
    listed = {project.id: project for project in roster.projects} if roster is not None else {}
    return [
        Subject(
            form,
            project,
            portfolio.year,
            listed.get(project.id),
            {table: lines_of(role, project) for table, role in roles.items()},
        )
        for project in portfolio.projects
    ]


def shown(value: Value) -> str:
    """Spell a value for a message."""
    return number_text(value) if isinstance(value, Decimal) else text_of(value)


def around(text: str, start: int, end: int, width: int = 8) -> str:
    """Quote a place of a text with some characters on either side."""
    return " ".join(text[max(0, start - width) : end + width].split())
