"""The single values of a form: which cells follow a label, and what stands in them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping

from kpixl.forms.money import unit_cell
from kpixl.forms.types import FIELD_TYPES
from kpixl.forms.values import Raw, digits_lost, fold, text_of
from kpixl.keys import key_of
from kpixl.portfolio.canonical import read_value
from kpixl.recognise.label_with_value import label_and_value
from kpixl.recognise.labels import Anchor
from kpixl.recognise.record import Record, shown
from kpixl.recognise.submission import Doubt

# What people put where a form has no value.
_DASHES = frozenset({"—", "——", "-", "--", "－", "–", "/", "／"})


def read_fields(record: Record) -> None:
    """Read every single value whose label was found."""
    record.values = dict.fromkeys(record.form.fields)
    labels = [(row, col) for row, col, _ in (*record.found.anchors.values(), *record.found.others)]
    labels += record.found.lines.values()
    record.used.update(labels)
    by_row: dict[int, list[int]] = defaultdict(list)
    for row, col in (*labels, *(cell for table in record.found.tables for cell in table.cells)):
        by_row[row].append(col)
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
        spot = record.found.places.get(key)
        if spot is not None and spot not in record.used and record.filled(*spot):  # as mostly in a sheet as sent
            _read(record, key, spot, record.raw(*spot))
            _note_label(record, key, anchor)
        else:
            _search(record, key, anchor, spot, by_row)


def _search(
    record: Record, key: str, anchor: Anchor, spot: tuple[int, int] | None, by_row: Mapping[int, list[int]]
) -> None:
    """Read a value that is not at its place `spot`: under, behind or in its label."""
    places = _under(record, key, spot) if spot else list(_spots(record, key, anchor.row, anchor.col, by_row))
    _take(record, key, places or _beside(record, key, anchor, by_row))
    place = (anchor.row, anchor.col)
    if key_of(key) in record.cells:
        _note_label(record, key, anchor)
    elif (typed := _in_label(record, key, anchor)) is not None:
        _keep(record, key, place, typed)
        record.normalised(place, record.form.fields[key].label, record.raw(*place), typed)
    label, value = record.index.labels[key], record.index.values[key]
    _note_blank(record, key, spot or (anchor.row + value.row - label.row, anchor.col + value.col - label.col))


def _note_blank(record: Record, name: str, place: tuple[int, int]) -> None:
    """Keep of a value that is blank where it should have been typed."""
    key, field = key_of(name), record.form.fields[name]
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


def _beside(record: Record, key: str, anchor: Anchor, by_row: Mapping[int, list[int]]) -> list[tuple[int, int]]:
    """Return the cells to the right of a label below which there is nothing, as other places print goals.

    A text with something of its own below it is a label that the form does not have.
    """
    if record.found.expected or not record.index.below[key]:
        return []
    end = min((c for c in by_row[anchor.row] if c > anchor.col), default=record.found.edge + 1)
    end = min(end, anchor.col + _reach(record, key))
    places = [(anchor.row, c) for c in range(anchor.col + 1, end) if record.filled(anchor.row, c)]
    below = by_row.get(anchor.row + 1)  # other labels or headings: nothing there is of what is beside this one
    return [(r, c) for r, c in places if below or not record.filled(r + 1, c)]


def _in_label(record: Record, key: str, anchor: Anchor) -> str | None:
    """Return the value that was typed behind a label, in its own cell; None where there is none."""
    raw = record.raw(anchor.row, anchor.col)
    return label_and_value(record.index, key, raw) if isinstance(raw, str) and not record.found.expected else None


def _note_label(record: Record, key: str, anchor: Anchor) -> None:
    """Report what was typed behind a label whose value was taken from a cell of its own."""
    typed = _in_label(record, key, anchor)
    if typed is None or unit_cell(typed) or fold(typed) == fold(shown(record.values[key])):
        return
    label = record.form.fields[key].label
    raw = text_of(record.raw(anchor.row, anchor.col))
    details = {"text": raw, "label": label.rstrip(":：︰﹕ "), "cell": str(record.cells[key_of(key)])}
    record.problem("label-with-text", (anchor.row, anchor.col), label, key_of(key), **details)


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
    places = _before_label(places)
    if len(places) > 1 and kind.free_text:
        raw = "\n".join(text_of(record.raw(*p)) for p in places)
        record.problem("cells-joined", places[0], field.label, label=field.label, count=len(places))
        record.used.update(places)
    elif len(places) > 1 and kind.is_amount and (unit := unit_cell(record.raw(*places[1]))):
        raw = f"{text_of(raw).strip()}{unit.name}"
        record.used.add(places[1])
    _read(record, key, places[0], raw)


def _before_label(places: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Leave out what looks like a label that the form does not have, and its value: 某项目 | | 项目编码 | A001.

    A text over several cells has no blank cell within it.
    """
    for number in range(1, len(places) - 1):
        (row, col), (before_row, before_col) = places[number], places[number - 1]
        if row == before_row == places[number + 1][0] and col > before_col + 1:
            return places[:number]
    return places


def _read(record: Record, name: str, place: tuple[int, int], raw: Raw) -> None:
    """Read a value, be it of one cell or joined, keep where it is, and report a reading that is not the plain one."""
    if _keep(record, name, place, raw):
        record.normalised(place, record.form.fields[name].label, raw, shown(record.values[name]))


def _keep(record: Record, name: str, place: tuple[int, int], typed: Raw) -> bool:
    """Read what was typed as a value, and keep where it is; return whether it was read otherwise than plainly."""
    key, field = key_of(name), record.form.fields[name]
    kind = FIELD_TYPES[field.type]
    record.used.add(place)
    raw = record.legible(place, field.label, typed, key)
    record.values[name], noted = read_value(record.form, field, raw)
    record.cells[key] = record.grid.cell(*place)
    record.doubt_serial(key, raw, record.values[name])
    record.doubt_display(key, kind, raw)
    if kind.is_amount:
        record.amounts[name] = (place, raw)
    elif kind.free_text and digits_lost(raw):
        record.problem("digits-lost", place, field.label, key, raw=text_of(raw))
    return noted
