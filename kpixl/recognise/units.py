"""The amounts of a form: in which unit they were typed, and what their totals are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import NamedTuple

from kpixl.forms.compute import computed_value
from kpixl.forms.definition import Value
from kpixl.forms.money import column_unit, convert, has_own_unit, money_label, names_unit, unit_cell, unit_text
from kpixl.forms.types import FIELD_TYPES
from kpixl.forms.values import Raw, fold, text_of
from kpixl.keys import Key
from kpixl.recognise.labels import MAX_LABEL
from kpixl.recognise.record import Named, Record, shown
from kpixl.recognise.submission import READ_AS, Doubt


def scale(record: Record) -> None:
    """Convert amounts where a label, a caption or a remark names another unit than the form's."""
    if record.found.expected and record.unit is None:
        return
    units = _units(record)
    if record.remark and record.unit and any(n.unit != record.unit.unit for n in units.values()):
        record.problem("stray-text", record.remark, None, text=record.unit.text)  # a label says otherwise
    scaled: list[_Scaled] = []
    for key, amount, named in _conversions(record, units):
        record.values[key] = amount
        scaled.append(_Scaled(*record.amounts[key], record.form.fields[key].label, amount, named))
    for found in record.table_amounts:
        row, by = record.tables[found.table][found.row], _heading_unit(record, found.heading)
        converted = _converted(record, row[found.column], found.raw, by) if by else None
        if by and converted is not None:
            record.tables[found.table][found.row] = {**row, found.column: converted}
            label = record.form.tables[found.table].columns[found.column].label
            scaled.append(_Scaled(found.place, found.raw, label, converted, by))
    money = unit_text(record.form.money)
    for one in scaled:
        details = {"raw": text_of(one.raw), "unit": one.named.text, "reading": shown(one.amount), "money": money}
        record.note("amount-scaled", one.place, one.label, details, READ_AS)  # it has the text as typed, too


class _Scaled(NamedTuple):
    """An amount that was converted, as it was typed and as it is now, and the text that names its unit."""

    place: tuple[int, int]
    raw: Raw
    label: str
    amount: Decimal
    named: Named


def quoted_places(record: Record) -> frozenset[tuple[int, int]]:
    """Return the captions of other wording that `scale` will quote with the amounts that it converts."""
    if not record.captions:
        return frozenset()
    captions = set(record.captions.values())
    return frozenset(named.place for _, _, named in _conversions(record, _units(record)) if named in captions)


def _conversions(record: Record, units: Mapping[str, Named]) -> Iterator[tuple[str, Decimal, Named]]:
    """Yield each amount that counts another unit, converted, and the text that names the unit."""
    for key, named in units.items():
        amount = _converted(record, record.values[key], record.amounts[key][1], named)
        if amount is not None:
            yield key, amount, named


def _converted(record: Record, value: Value, raw: Raw, named: Named) -> Decimal | None:
    """Return an amount that counts another unit in the form's; None where nothing has to be converted."""
    if not value or not isinstance(value, Decimal) or has_own_unit(raw):
        return None
    amount = convert(value, named.unit, record.form.money)
    return None if amount == value else amount


def _heading_unit(record: Record, place: tuple[int, int]) -> Named | None:
    text = text_of(record.raw(*place))
    unit = column_unit(text)
    return record.unit if unit is None else Named(" ".join(text.split()), unit, place)


def _units(record: Record) -> dict[str, Named]:
    captions = {a.slot.key: (a.row, a.col) for a in record.found.others if a.slot.kind == "caption"}
    named = ((key, _named_unit(record, key, captions)) for key in record.amounts)
    return {key: unit for key, unit in named if unit is not None}


def _named_unit(record: Record, key: str, captions: Mapping[str, tuple[int, int]]) -> Named | None:
    """Return the text that names the unit of an amount: the nearest of its label, its caption and a remark."""
    anchor, caption = record.found.anchors.get(key), record.index.captions.get(key)
    texts = [(text_of(record.raw(anchor.row, anchor.col)), (anchor.row, anchor.col))] if anchor else []
    if (spot := record.found.spots.get(key)) is not None:
        texts += [(text_of(record.raw(*place)), place) for place in spot.labels]
    if caption is not None and record.found.expected:
        texts.append((caption.text, (caption.row, caption.col)))
    elif caption is not None and caption.text in captions:
        place = captions[caption.text]
        texts.append((text_of(record.raw(*place)), place))
    for text, place in texts:
        if (unit := column_unit(text)) is not None:
            return Named(" ".join(text.split()), unit, place)
    return record.captions.get(key) or record.unit


# --- captions of other wording ----------------------------------------------------------------


def other_captions(record: Record, strays: Mapping[tuple[int, int], Raw]) -> dict[str, Named]:
    """Find texts such as 资金情况（万元） that stand beside or above amounts as a caption does."""
    found: dict[str, Named] = {}
    for (row, col), raw in strays.items():
        if not isinstance(raw, str) or len(raw) > MAX_LABEL or not names_unit(raw):
            continue
        stem, unit = money_label(fold(raw))
        keys: list[str] = []
        if unit is not None and stem:
            keys = _beside(record, row, col) or _below(record, row)
        elif (unit := unit_cell(raw)) is not None and _continues(record, row, col):
            keys = [*_beside(record, row - 1, col), *_beside(record, row, col)]
        if unit is not None:
            found |= dict.fromkeys(keys, Named(" ".join(raw.split()), unit, (row, col)))
    return found


def _continues(record: Record, row: int, col: int) -> bool:
    """Return whether a cell is the lower part of a caption: 资金情况 above （万元）, nothing before it in its row."""
    above = record.raw(row - 1, col) if row else None
    first = not any(record.filled(row, c) for c in range(col))
    return first and isinstance(above, str) and 0 < len(above) <= MAX_LABEL


def _beside(record: Record, row: int, col: int) -> list[str]:
    """List the amounts in the rows of a caption: those down to the next text in its column."""
    last = row
    while last < record.found.last_row and not record.filled(last + 1, col):
        last += 1
    return [key for r in range(row, last + 1) for key in _labels_after(record, r, col)]


def _below(record: Record, row: int) -> list[str]:
    """List the amounts in the rows right below a caption that has a row to itself."""
    if sum(record.filled(row, c) for c in range(len(record.rows[row]))) > 1:
        return []
    keys: list[str] = []
    while more := _labels_after(record, row + 1, -1):
        keys += more
        row += 1
    return keys


def _labels_after(record: Record, row: int, col: int) -> list[str]:
    """List the amounts whose labels follow a column; none where something else comes first."""
    fields = record.form.fields
    anchors = {key: a for key, a in record.found.anchors.items() if a.row == row}
    labels = {a.col: key for key, a in anchors.items() if FIELD_TYPES[fields[key].type].is_amount}
    known = {(a.row, a.col) for a in record.found.others}  # a caption without a unit may come first
    first = next(
        (c for c in range(col + 1, record.found.edge + 1) if record.filled(row, c) and (row, c) not in known), None
    )
    # A label that kpixl does not know, 上年预算（万元）, has its own value behind it: no caption of what comes next.
    return [key for c, key in labels.items() if c > col] if first in labels else []


# --- totals -----------------------------------------------------------------------------------


def fill_totals(record: Record) -> None:
    """Fill in blank totals and computed values; doubt those whose cell holds something else than what is computed."""
    fresh, stale = dict(record.values), False  # a stale value makes stale what was computed from it
    for name in record.form.computed:
        field = record.form.fields[name]
        value, computed = record.values[name], computed_value(field, record.values, record.tables)
        fresh[name] = computed_value(field, fresh, record.tables) if stale else computed
        stale = stale or (value is not None and value != computed)
        if value is None:
            record.values[name] = computed
            if record.grid.suspect:
                record.doubts.append(Doubt("blank", Key(name)))
            if computed is not None and record.found.expected:
                record.doubts += [Doubt("blank", Key(part)) for part in field.sum if record.values[part] is None]
        elif value != computed or value != fresh[name]:
            record.doubts.append(Doubt("total", Key(name)))
