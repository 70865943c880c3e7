"""The single values of a form: which cells follow a label, and what stands in them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping

from kpixl.forms.money import unit_cell
from kpixl.forms.types import FIELD_TYPES
from kpixl.forms.values import text_of
from kpixl.keys import Key
from kpixl.portfolio.canonical import read_value
from kpixl.recognise.record import Record, shown
from kpixl.recognise.submission import Doubt

# What people put where a form has no value.
_DASHES = frozenset({"—", "——", "-", "--", "－", "–", "/", "／"})


def read_fields(record: Record) -> None:
    """Read every single value whose label was found."""
    record.values = dict.fromkeys(record.form.fields)
    by_row: dict[int, list[int]] = defaultdict(list)
    for row, col, _ in (*record.found.anchors.values(), *record.found.others):
        by_row[row].append(col)
        record.used.add((row, col))
    for row, col in (cell for table in record.found.tables for cell in table.cells):
        by_row[row].append(col)
    for row, col in record.found.lines.values():
        by_row[row].append(col)
        record.used.add((row, col))
    record.used.update(place for place in record.found.empty if _is_dash(record, place))
    for key, field in record.form.fields.items():
        if (loose := record.found.spots.get(key)) is not None:
            _take(record, key, [(loose.row, c) for c in range(loose.col, loose.last_col + 1)])
            _note_blank(record, key, (loose.row, loose.col))
            continue
        anchor = record.found.anchors.get(key)
        if anchor is None:
            continue  # said by strays, with what it leaves behind
        if key in record.found.ambiguous:
            where = (anchor.row, anchor.col)
            record.problem("label-ambiguous", where, field.label, label=field.label, reading=field.heading)
        spot = _as_sent_spot(record, key) if record.found.expected else None
        places = _under(record, key, spot) if spot else list(_spots(record, key, anchor.row, anchor.col, by_row))
        _take(record, key, places)
        label, value = record.index.labels[key], record.index.values[key]
        _note_blank(record, key, spot or (anchor.row + value.row - label.row, anchor.col + value.col - label.col))


def _note_blank(record: Record, name: str, place: tuple[int, int]) -> None:
    """Keep of a value that is blank where it should have been typed."""
    key, field = Key(name), record.form.fields[name]
    if key in record.cells:
        return
    record.cells[key] = record.grid.cell(*place)
    # To look at every blank costs a tenth of the time. In a sheet as sent, an optional one is looked at only where the
    # file may hold errors, or where its total, a formula, has no value (see amounts).
    if field.computation is None and (field.required or not record.found.expected or record.grid.suspect):
        record.doubts.append(Doubt("blank", key))


def _is_dash(record: Record, place: tuple[int, int]) -> bool:
    """Return whether a cell of a grid that has no value holds what is printed there, or another dash."""
    dashes = _DASHES | {grid.empty for grid in record.form.grids.values()}
    return record.filled(*place) and text_of(record.raw(*place)).strip() in dashes


def _as_sent_spot(record: Record, key: str) -> tuple[int, int] | None:
    label, value = record.index.labels[key], record.index.values[key]
    anchor = record.found.anchors[key]
    return (anchor.row + value.row - label.row, value.col) if (anchor.col == label.col) else None


def _under(record: Record, key: str, spot: tuple[int, int]) -> list[tuple[int, int]]:
    """Return where a value stands in a sheet as sent: in its cell, or in one that was unmerged from it."""
    row, col = spot
    further = [] if record.filled(*spot) else range(col + 1, col + record.index.values[key].columns)
    beside = [(row, c) for c in further if record.filled(row, c)]
    still_merged = beside and any((span.row, span.col) == spot for span in record.grid.merges())
    return [spot] if still_merged else [spot, *beside]


def _spots(record: Record, key: str, row: int, col: int, by_row: Mapping[int, list[int]]) -> Iterator[tuple[int, int]]:
    """Yield the filled cells that follow a label, up to the next label."""
    following = min((c for c in by_row[row] if c > col), default=record.found.edge + 1)
    # Where the next label is lost, what stands behind its place is not this label's.
    following = min(following, col + _reach(record, key))
    if not record.index.below[key]:
        yield from ((row, c) for c in range(col + 1, following) if record.filled(row, c))
        return
    for r in range(row + 1, record.found.last_row + 1):
        labels = by_row.get(r, ())
        if any(col <= c < following for c in labels) or (labels and r > row + 1):
            return
        yield from ((r, c) for c in range(col, following) if record.filled(r, c))
        offset = record.index.values[key].row - record.index.labels[key].row
        if r >= row + offset and len(record.found.tables) < len(record.form.tables):
            return  # without the headings of a table its rows would be taken for more of this text


def _reach(record: Record, key: str) -> int:
    """Return how many columns from its label a value may stand before the place of a label that is lost."""
    own = record.index.labels[key]
    lost = (
        cell.col - own.col
        for other, cell in record.index.labels.items()
        if cell.row == own.row and cell.col > own.col and other not in record.found.anchors
    )
    return min(lost, default=len(record.rows[record.found.first_row]) + record.found.edge + 1)


def _take(record: Record, key: str, places: list[tuple[int, int]]) -> None:
    field = record.form.fields[key]
    kind = FIELD_TYPES[field.type]
    places = [p for p in places if record.filled(*p) and p not in record.used]
    if not places:
        return
    if visible := [p for p in places if p not in record.hidden]:
        places = visible
    elif not record.index.slots(record.shown_over(places[0])):  # under the merge of a label is a usual place
        record.say_hidden(places[0], taken=True)
    last = places[0][1] + record.index.values[key].columns - 1
    places = [p for p in places if record.index.below.get(key) or p[1] <= last]
    raw = record.raw(*places[0])
    if len(places) > 1 and kind.free_text:
        raw = "\n".join(text_of(record.raw(*p)) for p in places)
        record.problem("cells-joined", places[0], field.label, label=field.label, count=len(places))
        record.used.update(places)
    elif len(places) > 1 and kind.is_amount and unit_cell(beside := record.raw(*places[1])):
        raw = f"{text_of(raw)}{beside}"
        record.used.add(places[1])
    record.used.add(places[0])
    raw = record.legible(places[0], field.label, raw, Key(key))
    value, noted = read_value(record.form, field, raw)
    record.values[key] = value
    record.cells[Key(key)] = record.grid.cell(*places[0])
    record.doubt_serial(Key(key), raw, value)
    record.doubt_display(Key(key), kind, raw)
    if kind.is_amount:
        record.amounts[key] = (places[0], raw)
    if noted:
        record.normalised(places[0], field.label, raw, shown(value))
