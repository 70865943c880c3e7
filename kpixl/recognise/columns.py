"""Which column of a found table is which column of the form, also for rows that a page break has shifted."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from functools import cached_property

from kpixl.forms.definition import Form, Target
from kpixl.forms.values import Raw, fold, read_target
from kpixl.recognise.labels import FoundTable, Heading
from kpixl.recognise.targets import may_be_operators, parts_by_content


class TableColumns:
    """Which physical column of a found table is which column of the form."""

    def __init__(
        self, form: Form, found: FoundTable, rows: Sequence[Sequence[Raw]], *, expected: bool = False
    ) -> None:
        self.form, self.table = form, form.tables[found.table]
        self.expected = expected  # it is laid out as it was sent: what a cell is follows from its column
        self.first = min(h.col for h in found.headings)
        self.others = found.others
        self.places: dict[str, tuple[int, int]] = {}
        self.targets: dict[str, Target] = {}
        self.told: dict[str, dict[str, int]] = {}  # targets whose parts do not stand where the template put them
        body = rows[found.row + 1 : found.last_row + 1]
        for heading in found.headings:
            self._place(heading, found, body)
        self._starts = {key: span[0] for key, span in self.places.items()}
        self._at: dict[int, str] = {}
        for key, (first, last) in self.places.items():
            for col in range(first, last + 1):
                self._at.setdefault(col, key)
        self.known = tuple(self.table.columns)
        # Operators and units that stand in one cell with their value.
        self.shared = frozenset(part for t in self.targets.values() for part in (t.operator, t.unit))
        self.order = [key for key, _ in sorted(self.places.items(), key=lambda item: item[1])]

    def has(self, col: int) -> bool:
        """Return whether a physical column is one of the table."""
        return col in self._at

    def has_required(self) -> bool:
        """Return whether every required column has its heading, or that of its target."""
        found = {*self.places, *(part for target in self.targets.values() for part in target.parts)}
        return all(key in found for key, column in self.table.columns.items() if column.required)

    @cached_property
    def closed(self) -> dict[str, frozenset[str]]:
        """Return the items of lists that allow nothing else: they tell a column by its content, if that is asked."""
        closed: dict[str, frozenset[str]] = {}
        for key in self.order:
            field = self.table.columns.get(key)
            if field is not None and field.fill and field.choices and not self.form.choices[field.choices].open:
                closed[key] = frozenset(map(fold, self.form.choices[field.choices].items))
        return closed

    @cached_property
    def items(self) -> frozenset[str]:
        """Return the items of all such lists."""
        return frozenset().union(*self.closed.values())

    def holds_level(self, row: Sequence[Raw], filled: Sequence[int]) -> bool:
        """Return whether one of some cells is an item of a list that tells a column."""
        return any(isinstance(raw := row[col], str) and fold(raw) in self.items for col in filled)

    def _place(self, heading: Heading, found: FoundTable, body: Sequence[Sequence[Raw]]) -> None:
        target = self.table.targets.get(heading.key)
        if target is None:
            self.places[heading.key] = (heading.col, heading.last_col)
            return
        if any(other.key in target.parts for other in found.headings):  # they are in columns of their own
            self.places[target.value] = (heading.col, heading.last_col)
            return
        if not found.entry:
            self.places[heading.key] = (heading.col, heading.last_col)
            self.targets[heading.key] = target
        elif told := self._parts_elsewhere(heading, target, body):
            self.told[heading.key] = told
            whole = [*told] == [target.value]
            self.places |= {heading.key if whole else part: (col, col) for part, col in told.items()}
            self.targets |= {heading.key: target} if whole else {}
        else:
            parts = _parts_by_place(heading, target)
            self.places |= {part: (col, col) for part, col in parts.items()}
            self.places[target.unit] = (parts[target.unit], max(heading.last_col, parts[target.unit]))

    def _parts_elsewhere(self, heading: Heading, target: Target, body: Sequence[Sequence[Raw]]) -> dict[str, int]:
        """Return the columns of a target's parts by their content, where they are not where the template put them."""
        first = (row[heading.col] for row in body if heading.col < len(row))
        plain = self.expected or may_be_operators(self.form, self.table, target, first)
        if heading.sent and plain:
            return {}
        likely = parts_by_content(
            self.form, self.table, target, body, range(heading.col, heading.last_col + 1)
        )
        parts = _parts_by_place(heading, target)
        return likely if not plain or any(parts[part] != col for part, col in likely.items()) else {}

    def cells(self, assigned: dict[str, int]) -> list[tuple[str, int]]:
        """List (column of the form, physical column) of what was typed in a row, and of where a blank could be."""
        places = self._starts | assigned
        for key, target in self.targets.items():
            places |= dict.fromkeys(target.parts, places.pop(key))
        return [(key, places[key]) for key in self.table.columns if key in places]

    def assign(self, row: Sequence[Raw], filled: Sequence[int], torn: bool) -> tuple[dict[str, int], bool]:
        """Return the column of each filled cell; also whether it was known by content, not by position.

        Only a table that may be `torn` is read by content; in a template a cell is what its column says.
        """
        plain: dict[str, int] = {}
        fits = True
        for col in filled:
            key = self._at.get(col)
            if key is None or key in plain:
                fits = False
            else:
                plain[key] = col
        if not torn or (fits and all(self._allowed(key, row[col]) for key, col in plain.items())):
            return plain, False
        if len(filled) == 1:  # a remark below the table
            return {}, False
        # What stands under headings of its own was put there; a page break moves a row to the left, never to the right.
        best = self._by_content(row, filled, fits)
        return (best, True) if best is not None else (plain, False)

    def _allowed(self, key: str, raw: Raw) -> bool:
        if key in self.closed:
            return isinstance(raw, str) and fold(raw) in self.closed[key]
        return True

    def _by_content(self, row: Sequence[Raw], filled: Sequence[int], to_the_right: bool) -> dict[str, int] | None:
        """Find the arrangement in order that fits best: levels by their lists, targets by their spelling.

        `to_the_right`: no cell belongs to a column left of its own.
        """
        if len(filled) > len(self.order):
            return None
        best, best_score = None, 0.0
        for chosen in itertools.combinations(self.order, len(filled)):
            if to_the_right and any(col > self.places[key][1] for key, col in zip(chosen, filled, strict=True)):
                continue
            score = sum(self._score(key, col, row[col]) for key, col in zip(chosen, filled, strict=True))
            if best is None or score > best_score:
                best, best_score = dict(zip(chosen, filled, strict=True)), score
        if best is None or not all(self._allowed(key, row[col]) for key, col in best.items()):
            return None
        return best

    def _score(self, key: str, col: int, raw: Raw) -> float:
        first, last = self.places[key]
        score = 1.0 if first <= col <= last else -0.1 * min(abs(col - first), abs(col - last))
        text = fold(raw) if isinstance(raw, str) and len(raw) < 60 else ""
        if key in self.closed:
            return score + (4 if text in self.closed[key] else -4)
        if text in self.items:
            return score - 4
        if (target := self.targets.get(key)) is not None and isinstance(raw, str):
            columns = self.table.columns
            operators, units = columns[target.operator].choices, columns[target.unit].choices
            assert operators is not None and units is not None
            score += 2 if read_target(raw, self.form.choices[operators], self.form.choices[units]) else 0.5
        return score


def _parts_by_place(heading: Heading, target: Target) -> dict[str, int]:
    return {part: heading.col + offset for offset, part in enumerate(target.parts)}
