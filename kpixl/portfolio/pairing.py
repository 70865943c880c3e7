"""Pair what two portfolios have in common: projects by id and name, rows of a table by their texts.

Every pass takes the first free partner of an equal key, so the whole takes time in proportion to projects and rows.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Hashable, Sequence
from typing import TypeVar

from kpixl.forms.definition import Form, Row, Table
from kpixl.forms.types import FIELD_TYPES
from kpixl.forms.values import fold, text_of
from kpixl.portfolio.model import Portfolio, Project

Pair = tuple[int, int]
_Item = TypeVar("_Item")


def pair_projects(form: Form, old: Portfolio, new: Portfolio) -> list[Pair]:
    """Pair the projects of two portfolios, by index.

    Within a year the id decides, unless another project has the name; between years only name and unit do, since an
    office may number anew.
    """
    first = form.key_fields[0]

    def name(project: Project) -> str | None:
        return fold(text_of(project.values[first])) or None

    def id_and_name(project: Project) -> Hashable:
        return project.id, name(project)

    kinds = {key: FIELD_TYPES[form.fields[key].type] for key in form.key_fields}

    def names(project: Project) -> Hashable:
        return name(project) and tuple(kind.compared(project.values[key]) for key, kind in kinds.items())

    keys: list[Callable[[Project], Hashable]] = [names, name]
    if old.year == new.year or None in (old.year, new.year):
        keys = [id_and_name, *keys, lambda project: project.id]
    return _paired(old.projects, new.projects, keys)


def pair_rows(table: Table, old: Sequence[Row], new: Sequence[Row]) -> list[Pair]:
    """Pair the rows of a table, by index: equal ones wherever they are, then those of equal levels and name, then
    those of equal name, then those of equal levels, in their order."""
    levels, names = _identity(table)

    def name(row: Row) -> Hashable:
        texts = tuple(fold(text_of(row[key])) for key in names)
        return texts if any(texts) else None

    def level(row: Row) -> tuple[str, ...]:
        return tuple(fold(text_of(row[key])) for key in levels)

    def whole(row: Row) -> Hashable:
        return tuple(row.values())

    return _paired(old, new, [whole, lambda row: name(row) and (name(row), level(row)), name, level])


def row_title(table: Table, row: Row) -> str:
    """Return what people call a row: its name, else its levels."""
    levels, names = _identity(table)
    for keys in (names, levels):
        if texts := [text_of(row[key]) for key in keys if row[key] is not None]:
            return " ".join(" / ".join(texts).split())
    return ""


def _identity(table: Table) -> tuple[list[str], list[str]]:
    """Return the columns that distinguish rows: those to choose from, and those of free text; no targets or amounts."""
    parts = {part for target in table.targets.values() for part in target.parts}
    own = [column for key, column in table.columns.items() if key not in parts]
    names = [column.key for column in own if FIELD_TYPES[column.type].free_text]
    return [column.key for column in own if column.choices and column.key not in names], names


def _paired(old: Sequence[_Item], new: Sequence[_Item], keys: Sequence[Callable[[_Item], Hashable]]) -> list[Pair]:
    """Pair items by one key after another; each once, and none by a key of None. In the order of `new`."""
    left_old, left_new, pairs = list(range(len(old))), list(range(len(new))), []
    for key in keys:
        waiting: dict[Hashable, deque[int]] = defaultdict(deque)
        for number in left_old:
            waiting[key(old[number])].append(number)
        waiting.pop(None, None)
        found = {n: queue.popleft() for n in left_new if (queue := waiting.get(key(new[n])))}
        pairs += [(o, n) for n, o in found.items()]
        taken = set(found.values())
        left_old = [number for number in left_old if number not in taken]
        left_new = [number for number in left_new if number not in found]
    return sorted(pairs, key=lambda pair: pair[1])


def row_path(table: Table, row: Row) -> str:
    """Return what a row is addressed by: its levels and its name, 产出指标/数量指标/讲座场次."""
    levels, names = _identity(table)
    return "/".join(" ".join(text_of(row[key]).split()) for key in (*levels, *names) if row[key] is not None)
