"""The tables of a form: which cell of a row is which column, and what a blank level means."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from datetime import date, time, timedelta

from kpixl.a1 import CellRef, column_name
from kpixl.forms.definition import Field, Form, PlacedTable, Row, Table, Target, Value
from kpixl.forms.types import FIELD_TYPES
from kpixl.forms.types.quantity import read_quantity
from kpixl.forms.unit_text import is_numeric
from kpixl.forms.values import (
    Raw,
    fold,
    is_blank,
    is_number,
    leading_operator,
    maybe_percent,
    read_target,
    target_text,
    text_of,
)
from kpixl.keys import Key, row_keys
from kpixl.portfolio.canonical import read_value, tidy_row
from kpixl.portfolio.model import waiting_row
from kpixl.recognise.closing_lines import is_closing_line
from kpixl.recognise.columns import TableColumns
from kpixl.recognise.labels import FoundTable, Heading
from kpixl.recognise.near import core
from kpixl.recognise.record import Record, TableAmount, shown
from kpixl.recognise.submission import Doubt

MAX_KNOWN = 1_000  # tables whose columns are remembered: of each form as many as there are numbers of rows


def read_table(record: Record, found: FoundTable) -> None:
    """Read the rows of a table that was found."""
    record.used.update(found.cells)
    lines = _Lines(record, found)
    _told(record, found, lines.columns)
    record.cells.setdefault(Key(found.table), record.grid.cell(found.row + 1, lines.columns.first))
    for r in range(found.row + 1, _last_row(record, found) + 1):
        lines.read(r)


class _Lines:
    """The lines below the headings of a table, read one after the other: a blank level is that of the line above."""

    def __init__(self, record: Record, found: FoundTable) -> None:
        self.record, self.found = record, found
        self.table, self.placed = record.form.tables[found.table], record.index.placed[found.table]
        self.columns, self.shared = _columns(record, found), _shared(record, found)
        # A page break may have shifted its rows; where a heading is lost, what is below it only seems to be shifted.
        self.torn = record.sheet_id is None and not record.found.expected and self.columns.has_required()
        self.amounts = [h for h in found.headings if _is_amount(self.table, h.key)]
        self.above: dict[str, Value] = {}
        self.stands: dict[str, CellRef] = {}  # where each value of the row was typed; a level may stand above

    def read(self, r: int) -> None:
        """Read a line: a row of the table, one of a table beside it, or none."""
        places = _places(self.record, self.columns, self.placed, r)
        if not places or _is_below(self.record, self.columns, r, places):
            return
        assigned, shifted = self.columns.assign(self.record.rows[r], places, self.torn)
        if not assigned:
            return
        raws = {key: self.record.rows[r][c] for key, c in assigned.items()}
        if self.shared.issuperset(assigned):
            self._pass(r, raws, assigned)
            return
        reported = len(self.record.reported)
        row = self._fill(r, raws, assigned)
        if not any(value is not None for value in row.values()):  # nothing but errors, which are reported
            self.record.unkey(reported)
            return
        cells = self.columns.cells(assigned)
        self._stand(r, row, assigned, cells)
        if _is_left_preset(self.record, self.table, row):
            _keep_waiting(self.record, self.found.table, row, r, cells)
            return
        if shifted:
            reading = " | ".join(f"{self.table.columns[k].label}: {shown(v)}" for k, v in row.items() if v is not None)
            self.record.problem("column-shift", (r, places[0]), self.table.label, reading=reading)
        self._keep(r, row, raws, assigned)
        if self.record.grid.suspect:
            self._doubt_blank_levels(r, row, assigned, cells)

    def _pass(self, r: int, raws: Mapping[str, Raw], assigned: Mapping[str, int]) -> None:
        """Pass over a line of the tables beside this one; what is below it may go on with its levels."""
        row = _row(self.record, self.found.table, r, raws, assigned, self.columns)
        unread = {key for key in assigned if row[key] is None}
        _fill_down(self.record.form, self.found.table, row, self.above, (), unread)
        self.stands |= {key: self.record.grid.cell(r, c) for key, c in assigned.items()}

    def _fill(self, r: int, raws: Mapping[str, Raw], assigned: Mapping[str, int]) -> dict[str, Value]:
        """Read the values of a row, its blank levels from the lines above."""
        record = self.record
        record.used.update([(r, c) for c in assigned.values()])
        _say_hidden(record, r, assigned)
        row = _row(record, self.found.table, r, raws, assigned, self.columns)
        if record.sheet_id is None or not record.sheet_id.explicit:
            hidden = {key for key, c in assigned.items() if (r, c) in record.hidden}
            unread = {key for key in assigned if row.get(key, "") is None}
            _fill_down(record.form, self.found.table, row, self.above, hidden, unread)
        return row

    def _stand(
        self, r: int, row: Mapping[str, Value], assigned: Mapping[str, int], cells: Iterable[tuple[str, int]]
    ) -> None:
        """Note where each value of a row was typed."""
        columns, cell = self.table.columns, self.record.grid.cell
        stands = {key: at for key, at in self.stands.items() if columns[key].fill and row[key] is not None}
        stands |= {key: cell(r, c) for key, c in cells if key in assigned or key not in stands}
        self.stands = stands | _parted(self.record, self.table, r, row, assigned)

    def _keep(self, r: int, row: dict[str, Value], raws: Mapping[str, Raw], assigned: Mapping[str, int]) -> None:
        """Keep a row, and what is to be verified of it."""
        record, name = self.record, self.found.table
        number = len(record.tables[name])
        keys = row_keys(name, number, self.columns.known)
        record.cells.update((keys[key], cell) for key, cell in self.stands.items())
        if self.amounts:
            _keep_amounts(record, self.found, self.amounts, r, raws, assigned)
        record.tables[name].append(row)
        _say_recast(record, self.table, r, raws, assigned)
        _doubt_row(record, number, self.table, row, raws, self.columns.shared)

    def _doubt_blank_levels(
        self, r: int, row: Mapping[str, Value], assigned: Mapping[str, int], cells: Iterable[tuple[str, int]]
    ) -> None:
        """Doubt the levels that were filled down into cells where the file may hold an error."""
        columns, number = self.table.columns, len(self.record.tables[self.found.table]) - 1
        levels = {k: c for k, c in cells if columns[k].fill and k not in assigned and row[k] is not None}
        _doubt_levels(self.record, self.table.key, number, r, levels)


def _columns(record: Record, found: FoundTable) -> TableColumns:
    """Return the columns of a table; in a sheet as sent they follow from where it was found."""
    if not record.found.expected:
        return TableColumns(record.form, found, record.rows)
    if (known := record.index.columns.get(found)) is None:
        known = TableColumns(record.form, found, record.rows, expected=True)
        if len(record.index.columns) < MAX_KNOWN:
            record.index.columns[found] = known
    return known


def _places(record: Record, columns: TableColumns, placed: PlacedTable, r: int) -> list[int]:
    """List the filled cells of a row; without what is another table's, where there is one beside it."""
    cells = record.rows[r][: record.found.edge + 1]
    places = [c for c, raw in enumerate(cells) if raw != "" and not is_blank(raw) and c not in columns.others]
    places = [c for c in places if c >= columns.first or not _caption(record, r, c, columns.first, placed)]
    return [c for c in places if columns.has(c)] if placed.beside else places


def _is_below(record: Record, columns: TableColumns, r: int, places: Sequence[int]) -> bool:
    """Return whether a line is none of the table: a text stands where its caption is, and no level anywhere.

    合计 below the rows, 审核意见 with its answer. Of a row that a page break has moved there, a level is to be seen.
    """
    first = record.raw(r, places[0])
    return places[0] < columns.first and isinstance(first, str) and not columns.holds_level(record.rows[r], places)


def _say_hidden(record: Record, r: int, assigned: Mapping[str, int]) -> None:
    for col in assigned.values() if record.hidden else ():
        if (r, col) in record.hidden:
            record.say_hidden((r, col), taken=True)


def _shared(record: Record, found: FoundTable) -> frozenset[str]:
    """Return the columns of a table that tables beside it have in common with it on this sheet."""
    others = {h.col for t in record.found.tables if t.row == found.row and t.table != found.table for h in t.headings}
    return frozenset(heading.key for heading in found.headings if heading.col in others)


def _is_amount(table: Table, key: str) -> bool:
    return key in table.columns and FIELD_TYPES[table.columns[key].type].is_amount


def _keep_amounts(
    record: Record,
    found: FoundTable,
    amounts: Sequence[Heading],
    r: int,
    raws: Mapping[str, Raw],
    places: Mapping[str, int],
) -> None:
    """Keep where the amounts of a row were typed: which unit they count is known at the end."""
    number = len(record.tables[found.table])
    for heading in amounts:
        if (key := heading.key) in places:
            place = (r, places[key])
            record.table_amounts.append(TableAmount(found.table, number, key, found.place(heading), place, raws[key]))


def _is_left_preset(record: Record, table: Table, row: Row) -> bool:
    """Return whether a row holds a preset and nothing else: the template wrote it, and nobody went on with it.

    Copies in Word or PDF lose the sheet id, but not these rows. With a sheet id that lists no presets, the rows were
    the project's own when it was sent.
    """
    return (record.sheet_id is None or table.key in record.sheet_id.presets) and row in table.presets


def _keep_waiting(record: Record, table: str, row: Row, r: int, cells: Sequence[tuple[str, int]]) -> None:
    """Keep the place of a row that waits to be filled in: its first cell that is free."""
    free = next((col for key, col in cells if row[key] is None), cells[0][1])
    for level in row.values():
        if isinstance(level, str):
            record.cells.setdefault(waiting_row(table, level), record.grid.cell(r, free))


def _parted(record: Record, table: Table, r: int, row: Row, assigned: Mapping[str, int]) -> dict[str, CellRef]:
    """Return the cell of an operator and a unit that were typed together with their value."""
    if len(assigned) == len(table.columns):  # every cell is filled, as mostly
        return {}
    return {
        part: record.grid.cell(r, assigned[target.value])
        for target in table.targets.values()
        if target.value in assigned
        for part in (target.operator, target.unit)
        if part not in assigned and row[part] is not None
    }


def _doubt_levels(record: Record, table: str, number: int, r: int, filled_down: Mapping[str, int]) -> None:
    """Doubt levels that were taken from above: one that reads blank, as those printed once do, may be an error."""
    record.doubts += [Doubt("blank", Key(table, number, key), record.grid.cell(r, c)) for key, c in filled_down.items()]


def _last_row(record: Record, found: FoundTable) -> int:
    """Return the last row of a table; the lines below it in which people sign are no indicators."""
    last = found.last_row
    for r in range(last, found.row, -1):
        filled = [raw for raw in record.rows[r] if not is_blank(raw)] if any(record.rows[r]) else []
        if filled and not any(is_closing_line(raw) for raw in filled):
            break
        if filled:
            last = r - 1
    return last


def _told(record: Record, found: FoundTable, columns: TableColumns) -> None:
    """Return the cells of the parts of a target that are not where the template put them."""
    labels = record.form.tables[found.table].columns
    for heading in found.headings:
        if (parts := columns.told.get(heading.key)) is not None:
            where = {part: column_name(record.grid.cell(0, col).column) for part, col in parts.items()}
            reading = "、".join(f"{labels[part].label} {col}" for part, col in where.items())
            label = record.form.tables[found.table].targets[heading.key].label
            record.problem("target-columns", found.place(heading), label, label=label, reading=reading)


def _doubt_row(
    record: Record, number: int, table: Table, row: Row, raws: Mapping[str, Raw], shared: Container[str]
) -> None:
    """Doubt what is blank, numbers that may be a part of 100 %, and dates typed as numbers."""
    keys = row_keys(table.key, number, tuple(table.columns))
    for column, value in row.items():
        if value is None and column not in shared and (table.columns[column].required or record.grid.suspect):
            record.doubts.append(Doubt("blank", keys[column]))
        elif isinstance(value, date):
            record.doubt_serial(keys[column], raws.get(column), value)
        if column in raws:
            kind = FIELD_TYPES[table.columns[column].type]
            record.doubt_display(keys[column], kind, raws[column])
    for target in table.targets.values():
        raw, key = raws.get(target.value, raws.get(target.key)), keys[target.value]
        if isinstance(raw, date):
            record.doubts.append(Doubt("date", key))
        if is_number(raw) and maybe_percent(raw) and row[target.unit] in (None, "%"):
            record.doubts.append(Doubt("percent", key))


def _say_recast(record: Record, table: Table, r: int, raws: Mapping[str, Raw], places: Mapping[str, int]) -> None:
    """Report which targets a program made a time of while they were typed."""
    for target in table.targets.values():
        key = target.value if target.value in raws else target.key
        raw = raws.get(key)
        if isinstance(raw, time | timedelta):
            details = {"kind": ("时间", "a time"), "example": "1:3", "reading": text_of(raw)}
            record.problem("value-recast", (r, places[key]), table.columns[target.value].label, **details)


def _caption(record: Record, row: int, col: int, first: int, placed: PlacedTable) -> bool:
    raw = record.rows[row][col]
    if col >= first or not isinstance(raw, str) or not record.index.is_caption_part(raw, placed):
        return False
    record.used.add((row, col))
    return True


def _row(
    record: Record, table: str, r: int, raws: Mapping[str, Raw], places: Mapping[str, int], columns: TableColumns
) -> dict[str, Value]:
    fields = record.form.tables[table].columns
    row: dict[str, Value] = dict.fromkeys(fields)
    keys = row_keys(table, len(record.tables[table]), columns.known)
    for key, typed in raws.items():
        target = columns.targets.get(key)
        column = target.value if target else key
        raw = record.legible((r, places[key]), fields[column].label, typed, keys[column])
        if raw == "":
            continue
        if target is not None:
            noted = _whole_target(record, table, row, raw, target, (r, places[key]))
            label, value = target.label, _target(row, target, text_of(raw))
        else:
            row[key], noted = _column(record, fields[key], raw)
            label, value = fields[key].label, shown(row[key])
        if noted:
            record.normalised((r, places[key]), label, raw, value)
    if tidy_row(record.form, table, row)[1]:
        for target in record.form.tables[table].targets.values():
            if target.value in places:
                raw, place = raws[target.value], (r, places[target.value])
                record.normalised(place, target.label, raw, _target(row, target, text_of(raw)))
    return row


def _column(record: Record, field: Field, raw: Raw) -> tuple[Value, bool]:
    """Read the cell of a column; return whether that has to be noted.

    An item of a closed list may be numbered or have its points behind it, 1.数量指标（20分）; not in a template as
    sent, where it was chosen from the list or is a text that came with the project.
    """
    value, noted = read_value(record.form, field, raw)
    choices = record.form.choices[field.choices] if field.choices and not record.found.expected else None
    if choices is None or choices.open or not isinstance(value, str) or value in choices.items:
        return value, noted
    alike = [item for item in choices.items if core(item) == core(value)]
    return (alike[0], True) if len(alike) == 1 else (value, noted)


def _whole_target(
    record: Record, table: str, row: dict[str, Value], raw: Raw, target: Target, place: tuple[int, int]
) -> bool:
    """Read a target that is in one cell; return whether that has to be noted."""
    columns = record.form.tables[table].columns
    operators, unit_list = columns[target.operator].choices, columns[target.unit].choices
    assert operators is not None and unit_list is not None
    choices, units = record.form.choices[operators], record.form.choices[unit_list]
    if isinstance(raw, str):
        if (read := read_target(raw, choices, units)) is not None:
            row[target.operator], row[target.value], row[target.unit] = read.operator, read.value, read.unit
            return read.noted and target_text(row, target) != raw.strip()
        row[target.operator], row[target.value] = choices.qualitative, raw
        if is_numeric(raw) or leading_operator(fold(raw), choices)[0] is not None:
            record.note("target-as-text", place, target.label, {"text": raw})
        return False
    row[target.value] = read_quantity(raw).value
    return False


def _target(row: Row, target: Target, typed: str) -> str:
    """Show a target as it was read; where it looks as it was typed, with a line between its parts."""
    parts = [shown(row[part]) for part in target.parts if row[part] is not None]
    return " | ".join(parts) if "".join(parts) == typed else "".join(parts)


def _fill_down(
    form: Form,
    table: str,
    row: dict[str, Value],
    above: dict[str, Value],
    hidden: Container[str],
    unread: Container[str],
) -> None:
    """Give a blank level the value above it, as merged and printed-once levels mean; a new one ends those below.

    What a merge hides is of this row alone: the rows below belong to what is shown over them. What could not be read,
    an error, ends what is above as well.
    """
    levels = [key for key, field in form.tables[table].columns.items() if field.fill]
    for number, key in enumerate(levels):
        if key in unread:
            for ended in levels[number:]:
                above.pop(ended, None)
        elif row[key] is None:
            row[key] = above.get(key)
        elif key in hidden:
            continue
        elif row[key] != above.get(key):
            for lower in levels[number + 1 :]:
                above.pop(lower, None)
        above[key] = row[key]
