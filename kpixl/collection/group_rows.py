"""Rows of a project list that head a group of projects and carry its total: 一所 over the projects of 一所."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import NamedTuple

from kpixl.collection.list_header import cell_at
from kpixl.forms.money import read_money
from kpixl.forms.values import fold, is_blank, text_of
from kpixl.readers import Grid

LEAST_ROWS = 2  # whose sum tells a total; a single project may cost as much as the one above it
_CHINESE_NUMBER = re.compile(r"[(（]?[一二三四五六七八九十]{1,3}[)）]?[、.．]?")


class ListColumns(NamedTuple):
    """The columns of a list: of names, of ids, of what else describes a project, of amounts."""

    name: int
    ids: Sequence[int]
    described: Sequence[int]
    amounts: Sequence[int]


def group_rows(grid: Grid, rows: Sequence[int], columns: ListColumns) -> frozenset[int]:
    """Return the rows that head a group. `rows`: those with a name that are no totals.

    Such a row says nothing of a project but a name and amounts, and the rows up to the next one of its kind have its
    name in a column, or its amount as their sum; or it alone has a number such as 一 or （二）.
    """
    heads = [row for row in rows if all(is_blank(cell_at(grid, row, col)) for col in columns.described)]
    if not columns.described or len(heads) == len(rows):
        return frozenset()
    groups = _groups(rows, set(heads))
    return frozenset(head for head, members in groups if members and _heads(grid, columns, head, members))


def _groups(rows: Sequence[int], heads: set[int]) -> Iterator[tuple[int, list[int]]]:
    starts = [number for number, row in enumerate(rows) if row in heads]
    for start, end in itertools.pairwise([*starts, len(rows)]):
        yield rows[start], list(rows[start + 1 : end])


def _heads(grid: Grid, columns: ListColumns, head: int, members: Sequence[int]) -> bool:
    name = fold(text_of(cell_at(grid, head, columns.name)))
    if any(all(fold(text_of(cell_at(grid, row, col))) == name for row in members) for col in columns.described):
        return True
    if any(_numbered(grid, head, col) and not any(_numbered(grid, row, col) for row in members) for col in columns.ids):
        return True
    sums = ((_amount(grid, head, col), [_amount(grid, row, col) for row in members]) for col in columns.amounts)
    return any(total and len(parts) >= LEAST_ROWS and total == _sum(parts) for total, parts in sums)


def _numbered(grid: Grid, row: int, col: int) -> bool:
    return _CHINESE_NUMBER.fullmatch(text_of(cell_at(grid, row, col)).strip()) is not None


def _amount(grid: Grid, row: int, col: int) -> Decimal | None:
    value = read_money(cell_at(grid, row, col)).value
    return value if isinstance(value, Decimal) else None


def _sum(parts: Iterable[Decimal | None]) -> Decimal:
    return sum((part for part in parts if part is not None), Decimal(0))
