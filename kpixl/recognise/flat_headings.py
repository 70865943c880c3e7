"""The headings of a flat sheet: fields and columns of the table in one row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from kpixl.forms.definition import Flat
from kpixl.forms.money import column_unit, without_unit
from kpixl.forms.values import Raw, fold, is_blank, text_of
from kpixl.recognise.labels import MAX_LABEL, LabelIndex, Rows, Slot
from kpixl.recognise.near import Place, core, pair

HEADINGS_WITHIN = 60  # rows in which they are looked for
LEAST_COLUMNS = 2  # of the table, beside a field: no other layout has both in one row

Column = tuple[str, str]  # table, or "" for a field, and key


class FlatHeading(NamedTuple):
    """A heading: where it is, its column of the form, and what is written over the column when it is laid out anew.

    `near`: it reads only nearly as the form's.
    """

    row: int
    col: int
    column: Column
    text: str
    near: bool = False


class FlatHeadings(NamedTuple):
    """The headings of a sheet, and their rows."""

    first: int
    last: int
    found: tuple[FlatHeading, ...]

    def cols(self, table: str) -> dict[str, int]:
        """Return the columns in the sheet of all fields ("") or of the columns of the table."""
        return {h.column[1]: h.col for h in self.found if h.column[0] == table}


def find_headings(index: LabelIndex, flat: Flat, rows: Rows) -> FlatHeadings | None:
    """Find the row that has most headings; None where no row has those of fields and of the table."""
    best: FlatHeadings | None = None
    for row in range(min(len(rows), HEADINGS_WITHIN)):
        if not _exact(index, flat, rows[row], row) or 2 * _most(rows[row : row + 2]) < len(flat.columns):
            continue
        found = _headings(index, flat, rows, row)
        if best is None or len(found.found) > len(best.found):
            best = found
    if best is None or 2 * len(best.found) < len(flat.columns):
        return None
    return best if _is_flat(best, flat) and index.form.key_fields[0] in best.cols("") else None


def _most(rows: Rows) -> int:
    """Return how many headings a row may have with the one below it: looking for near ones costs most."""
    return sum(1 for row in rows for raw in row if isinstance(raw, str) and 0 < len(raw) <= MAX_LABEL)


def _is_flat(found: FlatHeadings, flat: Flat) -> bool:
    return bool(found.cols("")) and len(found.cols(flat.table)) >= LEAST_COLUMNS


def _headings(index: LabelIndex, flat: Flat, rows: Rows, row: int) -> FlatHeadings:
    """Read the headings in a row, and below it those of a heading over several columns."""
    exact = _exact(index, flat, rows[row], row)
    last = row
    below = rows[row + 1] if row + 1 < len(rows) else ()
    more = {col: h for col, h in _exact(index, flat, below, row + 1).items() if col not in exact}
    name = next((col for col, h in exact.items() if h.column == ("", index.form.key_fields[0])), None)
    if more and (name is None or name >= len(below) or is_blank(below[name])):
        exact, last = {**exact, **more}, row + 1
    found = list(_once(exact))
    return FlatHeadings(row, last, (*found, *_near(index, flat, rows, row, last, found)))


def _exact(index: LabelIndex, flat: Flat, cells: Sequence[Raw], row: int) -> dict[int, FlatHeading]:
    """Return the headings of a row that read as they should, by column."""
    found = {}
    for col, raw in enumerate(cells):
        column = _column(index, flat, raw)
        if column is not None:
            found[col] = FlatHeading(row, col, column, text_of(raw))
    return found


def _column(index: LabelIndex, flat: Flat, raw: Raw) -> Column | None:
    """Return the column that a heading is of; a target in one cell is in the column of its value."""
    for slot in index.slots(raw):
        if slot.kind == "field":
            return "", slot.key
        if slot.kind == "column" and slot.table == flat.table:
            target = index.form.tables[flat.table].targets.get(slot.key)
            return flat.table, target.value if target else slot.key
    return None


def _once(exact: Mapping[int, FlatHeading]) -> list[FlatHeading]:
    """Keep the first heading of each column of the form; what is below another is left out, and reported."""
    kept: dict[Column, FlatHeading] = {}
    for _, heading in sorted(exact.items()):
        kept.setdefault(heading.column, heading)
    return list(kept.values())


def _near(
    index: LabelIndex, flat: Flat, rows: Rows, row: int, last: int, found: Sequence[FlatHeading]
) -> list[FlatHeading]:
    """Find the headings that read nearly as those that are missing, in their place among the others."""
    order = [(column.table, column.key) for column in flat.columns]
    there = {heading.column: heading.col for heading in found}
    taken = set(there.values())
    cells: dict[Place, str] = {}
    for number in range(row, last + 1):
        for col, raw in enumerate(rows[number]):
            if isinstance(raw, str) and 0 < len(raw) <= MAX_LABEL and col not in taken and core(raw):
                cells[number, col] = without_unit(fold(raw))

    def in_place(column: Column, place: Place) -> bool:
        at = order.index(column)
        before = max((there[c] for c in order[:at] if c in there), default=-1)
        behind = min((there[c] for c in order[at + 1 :] if c in there), default=place[1] + 1)
        return before < place[1] < behind

    known = [text for column in there for text in _cores(index, column)]
    missing = [column for column in order if column not in there]
    paired, _ = pair(missing, cells, lambda column: _cores(index, column), in_place, known)
    return [
        FlatHeading(*place, column, _label(index, column, text_of(rows[place[0]][place[1]])), True)
        for column, place in paired.items()
    ]


def _cores(index: LabelIndex, column: Column) -> frozenset[str]:
    table, key = column
    return index.cores[Slot("column" if table else "field", key, table)]


def _label(index: LabelIndex, column: Column, typed: str) -> str:
    """Return the form's own label for a heading, with the unit that the heading names."""
    table, key = column
    label = index.printed(Slot("column" if table else "field", key, table))
    unit = column_unit(typed)
    return f"{without_unit(label)}({unit.name})" if unit is not None else label
