"""What of a form was taken for nothing: every filled cell of it is a label, a value, or reported."""

from __future__ import annotations

from kpixl.forms.money import money_remark, names_unit, unit_cell
from kpixl.forms.values import Raw, is_blank, text_of
from kpixl.portfolio import sheet_id as sheet_ids
from kpixl.portfolio.own_texts import is_furniture
from kpixl.problems import Location, Problem
from kpixl.recognise.labels import MAX_LABEL
from kpixl.recognise.missing_labels import Losses, Lost
from kpixl.recognise.quoted import quoted
from kpixl.recognise.record import Named, Record
from kpixl.recognise.units import other_captions, quoted_places
from kpixl.recognise.unknown_columns import unknown_columns

_LOST_STATUS = "#VALUE!"  # in .ods


def report_strays(record: Record) -> None:
    """Report every filled cell that was neither a label nor taken as a value, and the labels that were lost."""
    strays = _strays(record)
    record.captions = other_captions(record, strays)
    for place in quoted_places(record):
        strays.pop(place, None)
    if not strays and record.found.expected:
        return
    lost = Losses(record.form, record.index, record.found, strays, record.grid, record.used).all()
    strays = {place: raw for place, raw in strays.items() if all(place not in loss.cells for loss in lost)}
    captions = {named.place for named in record.captions.values()}
    _take_columns(record, strays)
    # With a label lost, what is inside the form may be its value; a caption of amounts is none.
    inside = range(record.first_col, record.found.edge + 1) if lost else range(0)
    for place, raw in strays.items():
        code = "stray-value" if place[1] in inside and place not in captions else "stray-text"
        record.problem(code, place, None, text=text_of(raw))
    record.reported[:0] = [_lost(record, loss) for loss in lost]


def _take_columns(record: Record, strays: dict[tuple[int, int], Raw]) -> None:
    """Report the columns that the form does not have, and take their cells out of `strays`."""
    for column in unknown_columns(record.found.tables, strays):
        heading = text_of(strays.pop(column.heading))
        cells = quoted(record.grid, ((place, strays.pop(place)) for place in column.cells))
        code = "column-numbers" if column.numbers else "column-unknown"
        record.problem(code, column.heading, None, heading=heading, count=len(column.cells), cells=cells)


def _strays(record: Record) -> dict[tuple[int, int], Raw]:
    """Return the filled cells that were taken for nothing, but those that are reported here."""
    used = record.used
    strays: dict[tuple[int, int], Raw] = {}
    for r in range(record.found.first_row, record.found.last_row + 1):
        for c, raw in enumerate(record.rows[r]):
            if raw == "" or (r, c) in used or is_blank(raw) or _is_known(record, raw, (r, c)):
                continue
            if (r, c) in record.hidden:
                record.say_hidden((r, c), taken=False)
            elif c > record.found.edge and _is_reason(record, r, c):
                record.problem("reason-given", (r, c), None, text=text_of(raw))
            else:
                strays[r, c] = raw
    return strays


def _is_known(record: Record, raw: Raw, place: tuple[int, int]) -> bool:
    """Return whether a cell is none of a person's: what the template writes beside a form, a label, a unit of money."""
    row, col = place
    if col > record.found.edge and (is_furniture(raw) or _is_lost_status(record, row, col)):
        return True
    if not isinstance(raw, str):
        return False
    # A label is here once more as a heading repeated after a page break, or as a caption.
    return bool(record.index.slots(raw)) or (len(raw) <= MAX_LABEL and _is_unit_note(record, raw, place))


def _is_unit_note(record: Record, raw: str, place: tuple[int, int]) -> bool:
    """Take what a remark says of the unit of amounts, the first of them; tell whether that is all it says.

    Above the labels a unit alone, 万元, is a remark as well; further down it is one of some other content.
    """
    if not names_unit(raw):
        return False
    remark = money_remark(raw)
    unit = remark.unit if remark else unit_cell(raw) if place[0] < record.first_label else None
    if unit is None:
        return False
    alone = remark is None or not remark.rest
    if record.unit is None:
        record.unit, record.remark = Named(" ".join(raw.split()), unit, place), place if alone else None
    return alone and unit == record.unit.unit


def _lost(record: Record, lost: Lost) -> Problem:
    cell = record.grid.cell(*lost.place) if lost.place else None
    where = Location(record.file, record.grid.name, cell, lost.label)
    return Problem(lost.code, where, lost.details, lost.level, keys=lost.keys)


def _is_reason(record: Record, row: int, col: int) -> bool:
    """Return whether a cell is the one for reasons: it stands below the template's hint."""
    above = record.rows[row - 1] if row else ()
    hint = above[col] if col < len(above) else None
    return isinstance(hint, str) and hint.startswith(sheet_ids.REASONS)


def _is_lost_status(record: Record, row: int, col: int) -> bool:
    """Return whether a cell is the status or its hidden list: 0 from LibreOffice in .xls, Gnumeric's error."""
    if record.rows[row][col] not in (0, _LOST_STATUS):
        return False
    head = record.rows[record.found.first_row]
    status = col + sheet_ids.ID_GAP - sheet_ids.STATUS_GAP
    return any(sheet_ids.loads(head[c]) is not None for c in (col, status) if c < len(head))
