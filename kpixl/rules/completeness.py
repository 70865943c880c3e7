"""Completeness (完整性): what is missing, unfinished or still to be filled in."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from kpixl.rules.base import ROOTS, Hit, Line, Roles, Rule, Subject, shown
from kpixl.rules.parameters import NO_WORDS, FieldKey, Item, Words
from kpixl.values import fold

MARKUP = re.compile(r"<[a-z/!][^<>]*>", re.IGNORECASE)
_ENDS = '。！？!?.;；…"”’』」》)）]】\n'
_CLAUSE_END = re.compile(r"[,，;；。！？!?]")
LAST = 200  # characters at the end in which an open bracket is looked for
_OPEN = re.compile(r"[(（《“「『【][^)）》”」』】]*$")


@dataclass(frozen=True, slots=True)
class LevelMissing:
    """A kind of indicator that each project has: an item of level 1 or of level 2."""

    rows: Roles
    level: Item


def level_missing(p: LevelMissing, subject: Subject) -> Iterator[Hit]:
    """Find projects without a row of the level; silent where a row may be the one: its level is blank, not one of
    the list, or belongs to another."""
    columns = subject.form.tables[p.rows.table].columns
    lines = subject.lines[p.rows.table]
    if any(p.level in (line.level1, line.level2) for line in lines):
        return
    for key in (p.rows.level1, p.rows.level2):
        items = subject.form.choices[columns[key].choices or ""].items
        if any(line.row[key] not in items for line in lines):
            return
    below = subject.form.choices[columns[p.rows.level2].choices or ""].children
    for line in lines:
        own = below.get(line.level1, ())
        if line.level2 not in own and p.level in own:
            return
    example = _example(subject, p)
    details = ("，例如“{0}”", ", for example {0}") if example else ("", "")
    zh, en = (text.format(example) for text in details)
    yield Hit(p.rows.table, {"level": p.level, "example": (zh, en)})


def _example(subject: Subject, p: LevelMissing) -> str:
    """Return a usual name for such a row, from the form's own lists."""
    columns = subject.form.tables[p.rows.table].columns
    below: list[str] = [p.level]
    for key in (p.rows.level2, p.rows.name):
        name = columns[key].choices
        children = subject.form.choices[name].children if name else {}
        below = list(children.get(below[0], below)) or below
    return below[0] if below[0] != p.level else ""


@dataclass(frozen=True, slots=True)
class GoalTooShort:
    """Texts that say what is to be achieved, and how many characters they have at least."""

    fields: tuple[FieldKey, ...]
    least: int


def _shown(text: str) -> str:
    """Return a text as people see it: without markup and line breaks."""
    return " ".join(MARKUP.sub("", text).split())


def goal_too_short(p: GoalTooShort, subject: Subject) -> Iterator[Hit]:
    """Find goals that are too short to be one."""
    for key, text in subject.texts(p.fields):
        bare = fold(MARKUP.sub("", text))
        if len(bare) < p.least:
            details = {"label": subject.heading(key), "length": len(bare), "text": _shown(text), "least": p.least}
            yield Hit(key, details)


@dataclass(frozen=True, slots=True)
class GoalTruncated:
    """`dangling`: ends after which a sentence goes on; `least`: characters of the shortest last clause."""

    fields: tuple[FieldKey, ...]
    dangling: Words
    least: int


def goal_truncated(p: GoalTruncated, subject: Subject) -> Iterator[Hit]:
    """Find texts that break off: in a word that goes on, in an open bracket, or with a stump after the last comma."""
    for key, text in subject.texts(p.fields):
        bare = fold(MARKUP.sub("", text))
        clauses = [clause for part in _CLAUSE_END.split(bare) if (clause := part.strip(_ENDS))]
        stump = len(clauses) > 1 and len(clauses[-1]) < p.least
        if stump or bare in p.dangling or _OPEN.search(bare[-LAST:]):
            yield Hit(key, {"label": subject.heading(key), "tail": _shown(text)[-16:]})


@dataclass(frozen=True, slots=True)
class Placeholder:
    """What is written where something is still to be filled in."""

    words: Words


def placeholder(p: Placeholder, subject: Subject) -> Iterator[Hit]:
    """Find placeholders in any text."""
    find = p.words.pattern.search
    project = subject.project
    rows = [row for table in project.tables.values() for row in table]
    texts = [value for group in (project.values, *rows) for value in group.values() if isinstance(value, str)]
    if not find("\n\n".join(texts)):
        return
    for key, value in project.values.items():
        if isinstance(value, str) and (match := find(value)):
            yield Hit(key, {"label": subject.heading(key), "found": match[0]})
    for table, lines in project.tables.items():
        columns = subject.form.tables[table].columns
        for number, row in enumerate(lines):
            for name, value in row.items():
                if isinstance(value, str) and (match := find(value)):
                    yield Hit(f"{table}.{number}.{name}", {"label": columns[name].label, "found": match[0]})


@dataclass(frozen=True, slots=True)
class UnitMissing:
    """A unit to name as an example; `unless`: names whose numbers have no unit."""

    rows: Roles
    example: str
    unless: Words = NO_WORDS


def _numbers(rows: Roles, subject: Subject) -> Iterator[Line]:
    return (line for line in subject.lines[rows.table] if isinstance(line.value, Decimal))


def unit_missing(p: UnitMissing, subject: Subject) -> Iterator[Hit]:
    """Find numbers without a unit."""
    label = subject.form.tables[p.rows.table].columns[p.rows.unit].label
    for line in _numbers(p.rows, subject):
        if line.unit is None and line.folded not in p.unless:
            details = {"name": line.named, "value": shown(line.value), "label": label, "example": p.example}
            yield Hit(f"{p.rows.table}.{line.number}.{p.rows.unit}", details)


@dataclass(frozen=True, slots=True)
class OperatorMissing:
    """The table whose numbers need an operator."""

    rows: Roles


def operators_of(rows: Roles, subject: Subject) -> tuple[str, str | None]:
    """Return the operators that go with a number, for a message, and the one that goes with text."""
    column = subject.form.tables[rows.table].columns[rows.operator]
    choices = subject.form.choices[column.choices or ""]
    return " ".join(item for item in choices.items if item != choices.qualitative), choices.qualitative


def operator_missing(p: OperatorMissing, subject: Subject) -> Iterator[Hit]:
    """Find numbers without an operator."""
    for line in _numbers(p.rows, subject):
        if line.operator is None:
            label = subject.form.tables[p.rows.table].columns[p.rows.operator].label
            operators = operators_of(p.rows, subject)[0]
            details = {"name": line.named, "value": shown(line.value), "label": label, "operators": operators}
            yield Hit(f"{p.rows.table}.{line.number}.{p.rows.operator}", details)


RULES = (
    Rule("level-missing", LevelMissing, level_missing),
    Rule("goal-too-short", GoalTooShort, goal_too_short, yields_to=ROOTS | {"placeholder"}),
    Rule("goal-truncated", GoalTruncated, goal_truncated, yields_to=ROOTS | {"goal-too-short"}),
    Rule("placeholder", Placeholder, placeholder),
    Rule("unit-missing", UnitMissing, unit_missing),
    Rule("operator-missing", OperatorMissing, operator_missing),
)
