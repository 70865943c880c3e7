"""Tables side by side: where headings come once more in the row of a table, the next table begins."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

from kpixl.forms.values import fold
from kpixl.learn.proposal import BesideTable, PlacedRow, Proposal, ProposedField, ProposedTable
from kpixl.learn.remarks import LABEL_TWICE, remark

PARTS = ("operator", "value", "unit")
NARROW = 8.0  # characters of a column that a printed one is divided into
Entry = tuple[str, str]  # column or target, and its key


def part_tables(proposal: Proposal) -> None:
    """Make two tables of each in whose headings some come twice; the columns left of those are shared by both."""
    for number, row in enumerate(proposal.rows):
        table = next((one for one in proposal.tables if one.key == row.table), None)
        place = _repeated(table, row.entry) if table is not None else None
        if table is None or place is None:
            continue
        first, second = place
        shared, left, right = row.entry[:first], row.entry[first:second], row.entry[second:]
        own, other, others = _halves(table, shared, left, right)
        at = proposal.tables.index(table)
        proposal.tables[at : at + 1] = [_apart(own), _apart(other)]
        beside = BesideTable(other.key, (*shared, *others), tuple(key for _, key in shared), row.print[second:])
        proposal.rows[number] = replace(row, entry=(*shared, *left), print=row.print[:second], beside=beside)
        _divide(proposal, proposal.rows[number])


def _label(table: ProposedTable, entry: Entry) -> str:
    kind, key = entry
    return fold(table.target if kind == "target" else next(one.label for one in table.columns if one.key == key))


def _repeated(table: ProposedTable, entries: Sequence[Entry]) -> tuple[int, int] | None:
    """Return where the heading is that comes again first, and where it does."""
    seen: dict[str, int] = {}
    for number, entry in enumerate(entries):
        label = _label(table, entry)
        if label in seen:
            return seen[label], number
        seen[label] = number
    return None


def _halves(
    table: ProposedTable, shared: Sequence[Entry], left: Sequence[Entry], right: Sequence[Entry]
) -> tuple[ProposedTable, ProposedTable, list[Entry]]:
    """Return both tables, and how the second is typed into: its columns are like those of equal headings."""
    columns = {one.key: one for one in table.columns}
    columns |= {key: replace(columns[key], fill=True) for _, key in shared}
    alike = {_label(table, entry): entry for entry in left}
    entries = [alike.get(_label(table, entry), entry) for entry in right]
    own = replace(table, columns=_columns(columns, [*shared, *left]))
    kept = {one.key for one in own.columns}
    own = replace(own, presets=tuple({k: v for k, v in preset.items() if k in kept} for preset in table.presets))
    cells = {meant[1]: columns[entry[1]] for meant, entry in zip(entries, right, strict=True) if entry[0] == "column"}
    moved = {key: replace(columns[key], cell=at.cell, value_cell=at.value_cell) for key, at in cells.items()}
    other = replace(
        table,
        key=f"{table.key}_beside",
        columns=_columns({**columns, **moved}, [*shared, *entries]),
        target=table.target if ("target", "target") in entries else "",
        presets=(),
        remarks=(),
    )
    return own, other, entries


def _apart(table: ProposedTable) -> ProposedTable:
    """Number the columns of one label: nobody can tell them apart, and a definition with two of them is refused."""
    seen: Counter[str] = Counter()
    columns = []
    for column in table.columns:
        seen[fold(column.label)] += 1
        if (count := seen[fold(column.label)]) > 1:
            note = remark(LABEL_TWICE, unsure=True, label=column.label)
            column = replace(column, label=f"{column.label} {count}", remarks=(*column.remarks, note))
        columns.append(column)
    return replace(table, columns=tuple(columns))


def _columns(columns: Mapping[str, ProposedField], entries: Sequence[Entry]) -> tuple[ProposedField, ...]:
    keys = [part for kind, key in entries for part in (PARTS if kind == "target" else (key,))]
    return tuple(columns[key] for key in keys)


def _divide(proposal: Proposal, row: PlacedRow) -> None:
    """Divide the last column where the template needs more of them than are printed."""
    entries = [*row.entry, *(row.beside.entry if row.beside else ())]
    needed = bool(row.caption) + sum(3 if kind == "target" else 1 for kind, _ in entries)
    more = needed - len(proposal.widths)
    if more > 0:
        last = max(NARROW, round(proposal.widths[-1] / (more + 1), 1))
        proposal.entry_widths = (*((width,) for width in proposal.widths[:-1]), (last,) * (more + 1))
