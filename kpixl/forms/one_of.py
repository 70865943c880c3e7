"""`one-of` of a table: columns of which every row fills in exactly one, as boxes to tick."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from kpixl.forms.definition import Field
from kpixl.forms.node import Node, invalid

LEAST_COLUMNS = 2  # of one alone nothing can be chosen


def read_one_of(node: Node, columns: Mapping[str, Field]) -> tuple[tuple[str, ...], ...]:
    """Take the lists of columns of which each row fills in one; refused where a row could not."""
    groups: list[tuple[str, ...]] = []
    for number, spec in enumerate(node.take("one-of", list, [])):
        path = f"{node.path}.one-of[{number}]"
        keys = tuple(map(str, spec)) if isinstance(spec, list) else ()
        if len(keys) < LEAST_COLUMNS or len(set(keys)) < len(keys):
            raise invalid(path, f"must be a list of {LEAST_COLUMNS} or more columns")
        for key in keys:
            _check_column(path, key, columns, groups)
        groups.append(keys)
    return tuple(groups)


def _check_column(path: str, key: str, columns: Mapping[str, Field], groups: Sequence[Sequence[str]]) -> None:
    if key not in columns:
        raise invalid(path, f"no column {key}")
    if columns[key].required or columns[key].fill:
        raise invalid(path, f"{key} is filled in on every row: `required` or `fill`")
    if any(key in group for group in groups):
        raise invalid(path, f"{key} is in two lists")
