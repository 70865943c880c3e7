"""The amounts of a form: how many yuan they count, and what their totals are."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from kpixl.intake.extracted import Doubt
from kpixl.intake.record import Record, shown
from kpixl.values import fold, has_money_unit, money_label, scaled, text_of, total


def scale(record: Record) -> None:
    """Turn amounts into yuan where a label, a caption or a remark says that they count 万元."""
    if record.found.expected and record.unit is None:
        return
    captions = {a.slot.key: (a.row, a.col) for a in record.found.others if a.slot.kind == "caption"}
    units = {key: _said_unit(record, key, captions) for key in record.amounts}
    others = (said[1] for said in units.values() if said is not None)
    if record.remark and record.unit and any(other != record.unit[1] for other in others):
        record.problem("stray-text", record.remark, None, text=record.unit[0])  # a label says otherwise
    for key, (place, raw) in record.amounts.items():
        value, said = record.values[key], units[key]
        if said is None or not value or not isinstance(value, Decimal) or has_money_unit(raw):
            continue
        amount = scaled(value, Decimal(said[1]) / record.index.units[key])
        if amount is not None and amount != value:
            record.values[key] = amount
            cell = record.grid.address(*place)
            record.problems = [p for p in record.problems if (p.code, p.location.cell) != ("value-normalised", cell)]
            details = {"raw": text_of(raw), "unit": said[0], "reading": shown(amount)}
            record.problem("amount-scaled", place, record.form.fields[key].label, **details)


def _said_unit(record: Record, key: str, captions: Mapping[str, tuple[int, int]]) -> tuple[str, int] | None:
    """Return what says how many yuan an amount counts, the nearest first, and how many."""
    anchor, caption = record.found.anchors.get(key), record.index.captions.get(key)
    texts = [text_of(record.raw(anchor.row, anchor.col))] if anchor else []
    if caption is not None and record.found.expected:
        texts.append(caption.text)
    elif caption is not None and caption.text in captions:
        texts.append(text_of(record.raw(*captions[caption.text])))
    for text in texts:
        if (unit := money_label(fold(text))[1]) is not None:
            return " ".join(text.split()), unit
    return record.unit


def fill_totals(record: Record) -> None:
    """Fill in blank totals; doubt those whose cell says something else than their parts add up to."""
    for key, field in record.form.fields.items():
        if field.sum:
            value, parts = record.values[key], total([record.values[part] for part in field.sum])
            if value is None:
                record.values[key] = parts
                if record.grid.suspect:
                    record.doubts.append(Doubt("blank", key))
                if parts is not None and record.found.expected:
                    record.doubts += [Doubt("blank", part) for part in field.sum if record.values[part] is None]
            elif value != parts:
                record.doubts.append(Doubt("total", key))
