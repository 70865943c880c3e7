"""One form of a grid -> values, rows and sources. Nothing typed is dropped without a word."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, time, timedelta
from decimal import Decimal
from functools import cached_property
from types import MappingProxyType
from typing import NamedTuple

from kpixl import marker as markers
from kpixl.canonical import read_value, tidy_row
from kpixl.cells import Span
from kpixl.grids import Grid
from kpixl.intake.columns import TableColumns
from kpixl.intake.labels import (
    MAX_LABEL,
    FoundForm,
    FoundTable,
    Hit,
    LabelIndex,
    pattern,
    printed_match,
)
from kpixl.intake.lost import Losses, Lost
from kpixl.marker import Marker
from kpixl.model import Form, PlacedTable, Row, Table, Target, Value
from kpixl.problems import Location, Problem
from kpixl.values import (
    FIELD_TYPES,
    MAX_CELL_TEXT,
    SERIAL_LENGTH,
    Raw,
    fold,
    has_money_unit,
    is_blank,
    is_money_unit,
    is_number,
    maybe_percent,
    money_label,
    money_note,
    read_target,
    scaled,
    storable,
    text_of,
    total,
    utf16_length,
)

_LOST_STATUS = "#VALUE!"  # in .ods
# What programs print of a cell that shows an error, or whose column is too narrow: all that a text or a page has of it.
_ERROR = re.compile(
    r"#(?:NULL!|DIV/0!|VALUE!|REF!|NAME\?|NUM!|N/A|SPILL!|CALC!|FIELD!|GETTING_DATA)|#{3,}|(?:Err|错误)[:：]\d{3}"
)

# What people write in a line below the table to sign it: 填报人：张三.
_ROLE = r"(?:(?:填[报表]|制表|审核|复核|经办|负责|联系)人|联系电话|填[报表](?:日期|时间|单位))"
_SIGNED = re.compile(rf"{_ROLE}|.{{0,4}}{_ROLE}(?:\(.{{1,6}}\))?:.*", re.DOTALL)

LabelKey = tuple[str, str]  # table, or "" for a field, and key


class Doubt(NamedTuple):
    """A value that only a second look into the file can settle.

    `kind`: total (differs from the sum of its parts: typed, or a stale formula?), percent (a small number: 0.95 or
    95 %?), serial (a number read as a date: from 1900 or 1904?), date (of a target: is it shown with its year?), blank
    (or an error, or a formula without a value?).
    `cell`: its own cell, where the value was taken from the one above.
    """

    kind: str
    key: str
    cell: str = ""


@dataclass(frozen=True, slots=True)
class Extracted:
    """One form read from a grid: values and rows as in model.Project, and the cell each came from.

    `doubts`: what only the file itself can tell, see Doubt. `missing`: the labels that the form lacks.
    """

    form: str
    sheet: str | None
    hidden: bool
    marker: Marker | None
    year: int | None
    organization: str | None
    values: Mapping[str, Value]
    tables: Mapping[str, tuple[Row, ...]]
    cells: Mapping[str, str]
    doubts: tuple[Doubt, ...]
    problems: tuple[Problem, ...]
    missing: frozenset[LabelKey] = frozenset()


@dataclass(frozen=True, slots=True)
class Nothing:
    """A grid without a form: which labels of the nearest form it has."""

    form: str
    seen: frozenset[LabelKey]


class FormReader:
    """Reads forms of one definition."""

    def __init__(self, form: Form) -> None:
        self.form = form
        self.index = LabelIndex(form)
        self.subtitle = pattern(form.subtitle)
        self.heading = pattern(form.heading)
        self.placed = {placed.table: placed for placed in form.layout.tables}

    @cached_property
    def ours(self) -> frozenset[str]:
        """Return the folded texts that the form itself prints and that are no labels of values."""
        return frozenset(map(fold, (self.form.title, *self.form.title_synonyms)))

    @cached_property
    def names(self) -> dict[LabelKey, str]:
        """Map every label that tells the form to how it is printed."""
        names = {("", key): field.label for key, field in self.form.fields.items()}
        for table in self.form.tables.values():
            names |= {(table.key, column.key): column.label for column in table.columns.values()}
        return names

    def nothing(self, hits: Iterable[Hit]) -> Nothing:
        """Say which labels a grid without a form has; the heading of a target stands for its parts."""
        seen = {(slot.table, slot.key) for _, _, slots in hits for slot in slots}
        for table in self.form.tables.values():
            for target in table.targets.values():
                if (table.key, target.key) in seen:
                    seen |= {(table.key, part) for part in target.parts}
        return Nothing(self.form.id, frozenset(seen & set(self.names)))

    def preamble(self, grid: Grid, file: str, first: FoundForm) -> Iterator[Problem]:
        """Report what stands above the first form and is neither the heading of the set nor of a form without title."""
        for r, row in enumerate(grid.rows[: first.first_row]):
            for c, raw in enumerate(row):
                ours = printed_match(self.heading, raw) or printed_match(self.subtitle, raw)
                if not is_blank(raw) and not ours and not (c > first.edge and markers.is_furniture(raw)):
                    where = Location(file, grid.name, grid.address(r, c))
                    yield Problem("stray-text", where, {"text": text_of(raw)})

    def read(
        self,
        grid: Grid,
        file: str,
        found: FoundForm,
        mark: Marker | None,
        loose: Sequence[Problem] = (),
        hidden: Mapping[tuple[int, int], Span] = MappingProxyType({}),
    ) -> Extracted:
        """Read one form. `hidden`: the filled cells that a merge hides, and that merge."""
        return _Reading(self, grid, file, found, mark, hidden).result(loose)


class _Reading:
    """The reading of one form: gathers values, sources and problems; used once."""

    def __init__(
        self,
        reader: FormReader,
        grid: Grid,
        file: str,
        found: FoundForm,
        mark: Marker | None,
        hidden: Mapping[tuple[int, int], Span],
    ) -> None:
        self.hidden = hidden
        self.reader, self.form, self.index = reader, reader.form, reader.index
        self.grid, self.rows, self.file, self.found = grid, grid.rows, file, found
        self.mark = mark
        self.values: dict[str, Value] = {}
        self.tables: dict[str, list[Row]] = {key: [] for key in reader.form.tables}
        self.cells: dict[str, str] = {}
        self.problems: list[Problem] = []
        self.used: set[tuple[int, int]] = set()
        self.doubts: list[Doubt] = []
        self.amounts: dict[str, tuple[tuple[int, int], Raw]] = {}
        self.unit: tuple[str, int] | None = None  # what a remark says that amounts count, and where it stands
        self.remark: tuple[int, int] | None = None  # where that is still to be said

    def result(self, loose: Sequence[Problem]) -> Extracted:
        """Read everything and return it frozen."""
        self._fields()
        for table in self.found.tables:
            self._table(table)
        year, organization = self._printed()
        self._strays()
        self._scale()
        self._totals()
        return Extracted(
            form=self.form.id,
            sheet=self.grid.name,
            hidden=self.grid.hidden,
            marker=self.mark,
            year=self.mark.year if self.mark and self.mark.year else year,
            organization=self.mark.organization if self.mark and self.mark.organization else organization,
            values=self.values,
            tables={key: tuple(rows) for key, rows in self.tables.items()},
            cells=self.cells,
            doubts=tuple(doubt for doubt in dict.fromkeys(self.doubts) if doubt.key in self.cells),
            problems=(*loose, *self.problems),
            missing=self._missing(),
        )

    def _missing(self) -> frozenset[LabelKey]:
        found = {table.table for table in self.found.tables}
        return frozenset(
            (table, key)
            for table, key in self.reader.names
            if (table not in found if table else key not in self.found.anchors)
        )

    # --- single values -----------------------------------------------------------------------

    def _fields(self) -> None:
        self.values = dict.fromkeys(self.form.fields)
        by_row: dict[int, list[int]] = defaultdict(list)
        for row, col, _ in (*self.found.anchors.values(), *self.found.others):
            by_row[row].append(col)
            self.used.add((row, col))
        for table in self.found.tables:
            by_row[table.row] += [h.col for h in table.headings]
        for key, field in self.form.fields.items():
            anchor = self.found.anchors.get(key)
            if anchor is None:
                continue  # said by _strays, with what it leaves behind
            if key in self.found.ambiguous:
                where = (anchor.row, anchor.col)
                self._problem("label-ambiguous", where, field.label, label=field.label, reading=field.heading)
            spot = self._as_sent_spot(key) if self.found.expected else None
            places = self._under(key, spot) if spot else list(self._spots(key, anchor.row, anchor.col, by_row))
            self._take(key, places)
            if key not in self.cells:  # blank: where it should have been typed
                label, value = self.index.labels[key], self.index.values[key]
                place = spot or (anchor.row + value.row - label.row, anchor.col + value.col - label.col)
                self.cells[key] = self.grid.address(*place)
                # To look at every blank costs a tenth of the time. In a sheet as sent, an optional one is looked at
                # only where the file may hold errors, or where its total, a formula, has no value (see _totals).
                if not field.sum and (field.required or not self.found.expected or self.grid.suspect):
                    self.doubts.append(Doubt("blank", key))

    def _as_sent_spot(self, key: str) -> tuple[int, int] | None:
        label, value = self.index.labels[key], self.index.values[key]
        anchor = self.found.anchors[key]
        return (anchor.row + value.row - label.row, value.col) if (anchor.col == label.col) else None

    def _under(self, key: str, spot: tuple[int, int]) -> list[tuple[int, int]]:
        """Return where a value stands in a sheet as sent: in its cell, or in one that was unmerged from it."""
        row, col = spot
        further = [] if self._filled(*spot) else range(col + 1, col + self.index.values[key].columns)
        beside = [(row, c) for c in further if self._filled(row, c)]
        still_merged = beside and any((span.row, span.col) == spot for span in self.grid.merges())
        return [spot] if still_merged else [spot, *beside]

    def _spots(self, key: str, row: int, col: int, by_row: Mapping[int, list[int]]) -> Iterator[tuple[int, int]]:
        """Yield the filled cells that follow a label, up to the next label."""
        following = min((c for c in by_row[row] if c > col), default=self.found.edge + 1)
        # Where the next label is lost, what stands behind its place is not this label's.
        following = min(following, col + self._reach(key))
        if not self.index.below[key]:
            yield from ((row, c) for c in range(col + 1, following) if self._filled(row, c))
            return
        for r in range(row + 1, self.found.last_row + 1):
            labels = by_row.get(r, ())
            if any(col <= c < following for c in labels) or (labels and r > row + 1):
                return
            yield from ((r, c) for c in range(col, following) if self._filled(r, c))
            offset = self.index.values[key].row - self.index.labels[key].row
            if r >= row + offset and len(self.found.tables) < len(self.form.tables):
                return  # without the headings of a table its rows would be taken for more of this text

    def _reach(self, key: str) -> int:
        """Return how many columns from its label a value may stand before the place of a label that is lost."""
        own = self.index.labels[key]
        lost = (
            cell.col - own.col
            for other, cell in self.index.labels.items()
            if cell.row == own.row and cell.col > own.col and other not in self.found.anchors
        )
        return min(lost, default=len(self.rows[self.found.first_row]) + self.found.edge + 1)

    def _take(self, key: str, places: list[tuple[int, int]]) -> None:
        field = self.form.fields[key]
        places = [p for p in places if self._filled(*p) and p not in self.used]
        if not places:
            return
        if shown := [p for p in places if p not in self.hidden]:
            places = shown
        elif not self.index.slots(self._shown_over(places[0])):  # under the merge of a label is a usual place
            self._hidden(places[0], taken=True)
        last = places[0][1] + self.index.values[key].columns - 1
        places = [p for p in places if self.index.below[key] or p[1] <= last]
        raw = self._raw(*places[0])
        if len(places) > 1 and field.type == "text":
            raw = "\n".join(text_of(self._raw(*p)) for p in places)
            self._problem("cells-joined", places[0], field.label, label=field.label, count=len(places))
            self.used.update(places)
        elif len(places) > 1 and field.type == "money" and is_money_unit(beside := self._raw(*places[1])):
            raw = f"{text_of(raw)}{beside}"
            self.used.add(places[1])
        self.used.add(places[0])
        raw = self._legible(places[0], field.label, raw)
        value, noted = read_value(self.form, field, raw)
        self.values[key] = value
        self.cells[key] = self.grid.address(*places[0])
        self._doubt_serial(key, raw, value)
        if field.type == "money":
            self.amounts[key] = (places[0], raw)
        if noted:
            self._normalised(places[0], field.label, raw, _shown(value))

    def _doubt_serial(self, key: str, raw: Raw, value: Value) -> None:
        """Doubt a date that was typed as the number of a day: two date systems count from different days."""
        if isinstance(value, date) and (is_number(raw) or (isinstance(raw, str) and len(raw.strip()) == SERIAL_LENGTH)):
            self.doubts.append(Doubt("serial", key))

    # --- tables ------------------------------------------------------------------------------

    def _table(self, found: FoundTable) -> None:
        table, placed = self.form.tables[found.table], self.reader.placed[found.table]
        self.used.update((found.row, h.col) for h in found.headings)
        columns = TableColumns(self.form, found, self.rows)
        self._told(found, columns)
        self.cells.setdefault(found.table, self.grid.address(found.row + 1, columns.first))
        above: dict[str, Value] = {}
        stands: dict[str, str] = {}  # where each value of the row was typed; a level may stand above
        for r in range(found.row + 1, self._last_row(found) + 1):
            places = [c for c in range(min(self.found.edge + 1, len(self.rows[r]))) if self._filled(r, c)]
            places = [c for c in places if not self._caption(r, c, columns.first, placed)]
            if not places:
                continue
            assigned, shifted = columns.assign(self.rows[r], places, torn=self.mark is None and not self.found.expected)
            if not assigned:
                continue
            raws = {key: self.rows[r][c] for key, c in assigned.items()}
            self.used.update((r, c) for c in assigned.values())
            for col in assigned.values() if self.hidden else ():
                if (r, col) in self.hidden:
                    self._hidden((r, col), taken=True)
            row = self._row(found.table, r, raws, assigned, columns)
            if self.mark is None or not self.mark.explicit:
                hidden = {key for key, c in assigned.items() if (r, c) in self.hidden}
                unread = {key for key in assigned if row.get(key, "") is None}
                _fill_down(self.form, found.table, row, above, hidden, unread)
            stands = {key: cell for key, cell in stands.items() if table.columns[key].fill and row[key] is not None}
            for key, c in columns.cells(assigned):
                if key in assigned or key not in stands:
                    stands[key] = self.grid.address(r, c)
            if self.mark is not None and table.key in self.mark.presets and row in table.presets:
                continue
            if shifted:
                reading = " | ".join(f"{table.columns[k].label}: {_shown(v)}" for k, v in row.items() if v is not None)
                self._problem("column-shift", (r, places[0]), table.label, reading=reading)
            prefix = f"{found.table}.{len(self.tables[found.table])}"
            self.cells |= {f"{prefix}.{key}": cell for key, cell in stands.items()}
            self.tables[found.table].append(row)
            self._doubt_row(prefix, table, row, raws, columns.shared)
            if self.grid.suspect:  # a level that reads blank, as those that are printed once do, may be an error
                blank = [c for c in columns.cells(assigned) if table.columns[c[0]].fill and c[0] not in assigned]
                filled = [(f"{prefix}.{key}", self.grid.address(r, c)) for key, c in blank if row[key] is not None]
                self.doubts += [Doubt("blank", *own) for own in filled]

    def _last_row(self, found: FoundTable) -> int:
        """Return the last row of a table; the lines below it in which people sign are no indicators."""
        last = found.last_row
        for r in range(last, found.row, -1):
            filled = [raw for raw in self.rows[r] if not is_blank(raw)] if any(self.rows[r]) else []
            if filled and not any(_is_signed(raw) for raw in filled):
                break
            if filled:
                last = r - 1
        return last

    def _told(self, found: FoundTable, columns: TableColumns) -> None:
        """Say where the parts of a target stand that are not where the template put them."""
        labels = self.form.tables[found.table].columns
        for heading in found.headings:
            if (parts := columns.told.get(heading.key)) is not None:
                where = {part: self.grid.address(0, col).rstrip("0123456789") for part, col in parts.items()}
                reading = "、".join(f"{labels[part].label} {col}" for part, col in where.items())
                label = self.form.tables[found.table].targets[heading.key].label
                self._problem("target-columns", (found.row, heading.col), label, label=label, reading=reading)

    def _doubt_row(self, prefix: str, table: Table, row: Row, raws: Mapping[str, Raw], shared: Container[str]) -> None:
        """Doubt what is blank, numbers that may be a part of 100 %, and dates typed as numbers."""
        for key, value in row.items():
            if value is None and key not in shared and (table.columns[key].required or self.grid.suspect):
                self.doubts.append(Doubt("blank", f"{prefix}.{key}"))
            elif isinstance(value, date):
                self._doubt_serial(f"{prefix}.{key}", raws.get(key), value)
        for target in table.targets.values():
            raw, key = raws.get(target.value, raws.get(target.key)), f"{prefix}.{target.value}"
            if isinstance(raw, date):
                self.doubts.append(Doubt("date", key))
            elif isinstance(raw, time | timedelta):
                where = Location(self.file, self.grid.name, self.cells[key], table.columns[target.value].label)
                details = {"kind": ("时间", "a time"), "example": "1:3", "reading": text_of(raw)}
                self.problems.append(Problem("value-recast", where, details))
            if is_number(raw) and maybe_percent(raw) and row[target.unit] in (None, "%"):
                self.doubts.append(Doubt("percent", key))

    def _caption(self, row: int, col: int, first: int, placed: PlacedTable) -> bool:
        raw = self.rows[row][col]
        if col >= first or not isinstance(raw, str) or not self.index.is_caption_part(raw, placed):
            return False
        self.used.add((row, col))
        return True

    def _row(
        self, table: str, r: int, raws: Mapping[str, Raw], places: Mapping[str, int], columns: TableColumns
    ) -> dict[str, Value]:
        fields = self.form.tables[table].columns
        row: dict[str, Value] = dict.fromkeys(fields)
        for key, typed in raws.items():
            target = columns.targets.get(key)
            raw = self._legible((r, places[key]), fields[target.value if target else key].label, typed)
            if raw == "":
                continue
            if target is not None:
                operators, units = fields[target.operator].choices, fields[target.unit].choices
                noted = self._whole_target(row, raw, target, operators, units)
                label, value = target.label, _target(row, target, text_of(raw))
            else:
                row[key], noted = read_value(self.form, fields[key], raw)
                label, value = fields[key].label, _shown(row[key])
            if noted:
                self._normalised((r, places[key]), label, raw, value)
        if tidy_row(self.form, table, row)[1]:
            for target in self.form.tables[table].targets.values():
                if target.value in places:
                    raw, place = raws[target.value], (r, places[target.value])
                    self._normalised(place, target.label, raw, _target(row, target, text_of(raw)))
        return row

    def _whole_target(
        self, row: dict[str, Value], raw: Raw, target: Target, operators: str | None, units: str | None
    ) -> bool:
        """Read a target that stands in one cell."""
        assert operators is not None and units is not None
        choices = self.form.choices[operators]
        if isinstance(raw, str):
            if (read := read_target(raw, choices, self.form.choices[units])) is not None:
                row[target.operator], row[target.value], row[target.unit] = read.operator, read.value, read.unit
                return read.noted
            row[target.operator], row[target.value] = choices.qualitative, raw
            return False
        row[target.value] = FIELD_TYPES["quantity"].read(raw, None).value
        return False

    # --- the rest ----------------------------------------------------------------------------

    def _scale(self) -> None:
        """Turn amounts into yuan where a label, a caption or a remark says that they count 万元."""
        if self.found.expected and self.unit is None:
            return
        captions = {a.slot.key: (a.row, a.col) for a in self.found.others if a.slot.kind == "caption"}
        units = {key: self._said_unit(key, captions) for key in self.amounts}
        if self.remark and self.unit and any(said is not None and said[1] != self.unit[1] for said in units.values()):
            self._problem("stray-text", self.remark, None, text=self.unit[0])  # a label says otherwise
        for key, (place, raw) in self.amounts.items():
            value, said = self.values[key], units[key]
            if said is None or not value or not isinstance(value, Decimal) or has_money_unit(raw):
                continue
            amount = scaled(value, Decimal(said[1]) / self.index.units[key])
            if amount is not None and amount != value:
                self.values[key] = amount
                cell = self.grid.address(*place)
                self.problems = [p for p in self.problems if (p.code, p.location.cell) != ("value-normalised", cell)]
                details = {"raw": text_of(raw), "unit": said[0], "reading": _shown(amount)}
                self._problem("amount-scaled", place, self.form.fields[key].label, **details)

    def _said_unit(self, key: str, captions: Mapping[str, tuple[int, int]]) -> tuple[str, int] | None:
        """Return what says how many yuan an amount counts, the nearest first, and how many."""
        anchor, caption = self.found.anchors.get(key), self.index.captions.get(key)
        texts = [text_of(self._raw(anchor.row, anchor.col))] if anchor else []
        if caption is not None and self.found.expected:
            texts.append(caption.text)
        elif caption is not None and caption.text in captions:
            texts.append(text_of(self._raw(*captions[caption.text])))
        for text in texts:
            if (unit := money_label(fold(text))[1]) is not None:
                return " ".join(text.split()), unit
        return self.unit

    def _totals(self) -> None:
        """Fill in blank totals; doubt those whose cell says something else than their parts add up to."""
        for key, field in self.form.fields.items():
            if field.sum:
                value, parts = self.values[key], total([self.values[part] for part in field.sum])
                if value is None:
                    self.values[key] = parts
                    if parts is None and self.grid.suspect:
                        self.doubts.append(Doubt("blank", key))
                    elif parts is not None and self.found.expected:
                        self.doubts += [Doubt("blank", part) for part in field.sum if self.values[part] is None]
                elif value != parts:
                    self.doubts.append(Doubt("total", key))

    def _printed(self) -> tuple[int | None, str | None]:
        """Find the year printed under the title, and the organisation in the heading above the forms."""
        year = organization = None
        head = min((a.row for a in self.found.anchors.values()), default=self.found.last_row)
        for r in range(self.found.first_row, head):
            for c, raw in enumerate(self.rows[r]):
                if m := printed_match(self.reader.subtitle, raw):
                    year = _year(m)
                    self.used.add((r, c))
        for row in self.rows[: min(self.found.first_row, 20)]:
            for raw in row:
                if m := printed_match(self.reader.heading, raw):
                    organization = storable((m.groupdict().get("organization") or "").strip()) or None
                    year = year or _year(m)
                elif m := printed_match(self.reader.subtitle, raw):
                    year = year or _year(m)
        return year, organization

    def _strays(self) -> None:
        """Report every filled cell that was neither a label nor taken as a value, and the labels that were lost."""
        used = self.used
        strays: dict[tuple[int, int], Raw] = {}
        for r in range(self.found.first_row, self.found.last_row + 1):
            for c, raw in enumerate(self.rows[r]):
                if raw != "" and (r, c) not in used and not is_blank(raw):
                    if c > self.found.edge and (markers.is_furniture(raw) or self._is_lost_status(r, c)):
                        continue
                    if isinstance(raw, str) and (self.index.slots(raw) or fold(raw) in self.reader.ours):
                        continue  # a heading repeated after a page break, a caption
                    if isinstance(raw, str) and len(raw) <= MAX_LABEL and self._is_unit_note(raw, (r, c)):
                        continue
                    if (r, c) in self.hidden:
                        self._hidden((r, c), taken=False)
                        continue
                    strays[r, c] = raw
        lost = Losses(self.form, self.index, self.found, strays, self.grid, used).all()
        for (r, c), raw in strays.items():
            if all((r, c) not in loss.cells for loss in lost):
                # With a label lost, what stands inside the form may be its value.
                code = "stray-value" if lost and self.first_col <= c <= self.found.edge else "stray-text"
                self._problem(code, (r, c), None, text=text_of(raw))
        self.problems[:0] = [self._lost(loss) for loss in lost]

    def _is_unit_note(self, raw: str, place: tuple[int, int]) -> bool:
        """Take what a remark says of the unit of amounts, the first of them; tell whether that is all it says."""
        if (note := money_note(raw)) is None:
            return False
        unit, alone = note
        if self.unit is None:
            self.unit, self.remark = (" ".join(raw.split()), unit), place if alone else None
        return alone and unit == self.unit[1]

    def _lost(self, lost: Lost) -> Problem:
        cell = self.grid.address(*lost.place) if lost.place else None
        return Problem(lost.code, Location(self.file, self.grid.name, cell, lost.label), lost.details, lost.level)

    def _shown_over(self, place: tuple[int, int]) -> Raw:
        span = self.hidden[place]
        return self._raw(span.row, span.col) if self._filled(span.row, span.col) else ""

    def _hidden(self, place: tuple[int, int], *, taken: bool) -> None:
        """Report what a merge hides and what is shown in its place; blanks were not looked at."""
        span = self.hidden[place]
        merge = f"{self.grid.address(span.row, span.col)}:{self.grid.address(span.last_row, span.last_col)}"
        done = ("已读取藏着的内容", "what is hidden was read") if taken else ("未汇总", "it was not taken up")
        shown = text_of(self._shown_over(place)) or ("空白", "nothing")
        self._problem("value-hidden", place, None, text=text_of(self._raw(*place)), merge=merge, shown=shown, done=done)

    @cached_property
    def first_col(self) -> int:
        """Return the first column of the form."""
        return min((a.col for a in self.found.anchors.values()), default=0)

    def _is_lost_status(self, row: int, col: int) -> bool:
        """Tell whether a cell is the status beside the marker: LibreOffice makes 0 of it in .xls, Gnumeric an error."""
        cells = self.rows[row][col : col + markers.MARK_GAP - markers.STATUS_GAP + 1]
        return cells[0] in (0, _LOST_STATUS) and markers.loads(cells[-1]) is not None

    def _raw(self, row: int, col: int) -> Raw:
        return self.rows[row][col]

    def _filled(self, row: int, col: int) -> bool:
        if row >= len(self.rows) or col >= len(self.rows[row]):
            return False
        raw = self.rows[row][col]
        return raw != "" and not is_blank(raw)

    def _problem(self, code: str, place: tuple[int, int] | None, field: str | None, **details: object) -> None:
        cell = self.grid.address(*place) if place else None
        self.problems.append(Problem(code, Location(self.file, self.grid.name, cell, field), details))

    def _legible(self, place: tuple[int, int], label: str, raw: Raw) -> Raw:
        """Leave out an error that came as text, and a text that no cell could hold again, and say so."""
        if not isinstance(raw, str):
            return raw
        text = raw.strip() if self.grid.printed or not self.found.expected else "-"  # what is typed as sent, is text
        if text[:1] in "#E错" and _ERROR.fullmatch(text):
            self._problem("cell-error", place, label, error=text, formula="")
            return ""
        if 2 * len(raw) <= MAX_CELL_TEXT or utf16_length(raw) <= MAX_CELL_TEXT:
            return raw
        self._problem("cell-too-long", place, label, length=utf16_length(raw), limit=MAX_CELL_TEXT)
        return ""

    def _normalised(self, place: tuple[int, int], label: str, raw: Raw, reading: str) -> None:
        self._problem("value-normalised", place, label, raw=text_of(raw), reading=reading)


def _is_signed(raw: Raw) -> bool:
    if not isinstance(raw, str) or len(raw) > MAX_LABEL:
        return False
    return _SIGNED.fullmatch("".join(unicodedata.normalize("NFKC", raw).split())) is not None


def _year(match: re.Match[str]) -> int | None:
    year = match.groupdict().get("year")
    return int(year) if year and int(year) >= 1900 else None


def _shown(value: Value) -> str:
    if isinstance(value, date):
        return value.isoformat()
    return text_of(value) if isinstance(value, Decimal) else (value or "")


def _target(row: Row, target: Target, typed: str) -> str:
    """Show a target as it was read; where it looks as it was typed, with a line between its parts."""
    parts = [_shown(row[part]) for part in target.parts if row[part] is not None]
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
