"""The rows of tables side by side, put into common lines: rows that share their levels stand beside each other."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from kpixl.forms.definition import PlacedTable, Row, Value

_Levels = tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class AlignedRows:
    """The lines of tables in one row of headings: for each table its row in every line, None where it has none.

    `shared`: what the columns hold that are printed once for all of them.
    """

    rows: Mapping[str, tuple[Row | None, ...]]
    shared: tuple[Row | None, ...]

    def __len__(self) -> int:
        return len(self.shared)


def aligned(group: Sequence[PlacedTable], tables: Mapping[str, Sequence[Row]]) -> AlignedRows:
    """Put the rows of tables into lines, each table in its own order; without any row there is one blank line."""
    if len(group) == 1:
        rows: tuple[Row | None, ...] = tuple(tables[group[0].table]) or (None,)
        return AlignedRows({group[0].table: rows}, rows)
    return _side_by_side(group, tables)


def _side_by_side(group: Sequence[PlacedTable], tables: Mapping[str, Sequence[Row]]) -> AlignedRows:
    """Put the runs of equal levels of several tables beside each other."""
    keys = tuple(sorted(group[0].shared, key=[head.key for head in group[0].print].index))
    runs = {placed.table: _runs(tables[placed.table], keys) for placed in group}
    left = {name: Counter(levels for levels, _ in found) for name, found in runs.items()}
    lines: dict[str, list[Row | None]] = {name: [] for name in runs}
    shared: list[Row | None] = []
    while any(runs.values()):
        levels = _next(runs, left)
        taken = {name: found.popleft()[1] for name, found in runs.items() if found and found[0][0] == levels}
        count = max(map(len, taken.values()))
        for name, line in lines.items():
            own = taken.get(name, [])
            left[name][levels] -= name in taken
            line += [*own, *[None] * (count - len(own))]
        shared += [dict(zip(keys, levels, strict=True))] * count
    return AlignedRows({name: tuple(line) or (None,) for name, line in lines.items()}, tuple(shared) or (None,))


def _runs(rows: Sequence[Row], keys: Sequence[str]) -> deque[tuple[_Levels, list[Row]]]:
    """Part rows into runs of equal levels."""
    grouped = groupby(rows, key=lambda row: tuple(row[key] for key in keys))
    return deque((levels, list(run)) for levels, run in grouped)


def _next(runs: Mapping[str, deque[tuple[_Levels, list[Row]]]], left: Mapping[str, Counter[_Levels]]) -> _Levels:
    """Choose the levels of the next lines: those that no other table still has further down, else the first table's."""
    fronts = [(name, found[0][0]) for name, found in runs.items() if found]
    for _, levels in fronts:
        if all(front == levels or not left[name][levels] for name, front in fronts):
            return levels
    return fronts[0][1]
