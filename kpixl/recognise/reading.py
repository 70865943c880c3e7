"""One form of a grid -> values, rows and sources. Nothing typed is dropped without a word."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from types import MappingProxyType

from kpixl.a1 import Span
from kpixl.forms.dated import has_year, with_year, year_in
from kpixl.forms.definition import Form, Layout, MoneyUnit
from kpixl.forms.money import MAX_REMARK, money_label, money_remark, names_unit, unit_cell, without_remark
from kpixl.forms.values import Raw, fold, is_blank, storable, text_of
from kpixl.portfolio.own_texts import is_furniture
from kpixl.portfolio.sheet_id import SheetId
from kpixl.problems import Location, Problem
from kpixl.readers import Grid
from kpixl.recognise.fields import read_fields
from kpixl.recognise.kinds import kind_of_title
from kpixl.recognise.labels import FoundForm, Hit, LabelIndex, Slot, pattern, printed_match
from kpixl.recognise.record import MAX_ALIKE, Named, Record, counted
from kpixl.recognise.sections import KnownForm
from kpixl.recognise.submission import LabelKey, Nothing, Submission
from kpixl.recognise.tables import read_table
from kpixl.recognise.unclaimed import report_strays
from kpixl.recognise.units import fill_totals, scale

_TITLE_YEAR = re.compile(r"(?<!\d)(20\d\d)年", re.ASCII)
# A line below the title with a year in other words than the form prints: （2026年1-8月）, 2026年上半年.
_PERIOD = re.compile(
    r"\(?\s*(?P<year>20\d\d)\s*年\s*(?:度|(?:1[0-2]|[1-9])\s*[-—–~至]\s*(?:1[0-2]|[1-9])\s*月份?|[上下]半年|全年"
    r"|第?[一二三四1-4]季度)?\s*\)?",
    re.ASCII,
)
MAX_HEAD = 20  # rows above a form in which its heading, its year and the unit of its amounts are looked for


class FormReader:
    """Reads forms of one definition, laid out as typed into or, with that `layout`, as printed."""

    def __init__(self, form: Form, layout: Layout | None = None) -> None:
        self.form = form
        self.index = LabelIndex(form, layout)
        self.subtitle = pattern(form.subtitle)
        self.heading = pattern(form.heading)
        self._sent_missing: frozenset[LabelKey] | None = None
        self.titles = tuple(pattern(text) for text in (form.printed_title, *form.title_synonyms) if has_year(text))

    @cached_property
    def looks(self) -> tuple[FormReader, ...]:
        """Return the readers of a form's layouts: this one, and where it is printed otherwise one for that."""
        typed, printed = self.form.entry_layout, self.form.layout
        same = len(typed.widths) == len(printed.widths) and typed.head == printed.head and typed.foot == printed.foot
        return (self,) if same else (self, FormReader(self.form, self.form.layout))

    @cached_property
    def known(self) -> KnownForm:
        """Return what recognising needs of the form."""
        return KnownForm(self.form.id, self.index.is_title, self.index.kind, self.index.is_label)

    def is_heading(self, raw: Raw) -> bool:
        """Return whether a cell is the heading above the forms of a publication."""
        return printed_match(self.heading, raw) is not None

    @cached_property
    def names(self) -> dict[LabelKey, str]:
        """Map every label of a field, and every column, that tells the form to how it is printed."""
        names = {("", key): self.form.fields[key].label for key in self.index.labels}
        for table in self.form.tables.values():
            names |= {(table.key, column.key): column.label for column in table.columns.values()}
        return names

    def nothing(self, hits: Iterable[Hit]) -> Nothing:
        """Return which labels a grid without a form has; the heading of a target counts for its parts."""
        seen = {(slot.table, slot.key) for _, _, slots in hits for slot in slots}
        for table in self.form.tables.values():
            for target in table.targets.values():
                if (table.key, target.key) in seen:
                    seen |= {(table.key, part) for part in target.parts}
        return Nothing(self.form.id, frozenset(seen & set(self.names)))

    def preamble(self, grid: Grid, file: str, first: FoundForm, sheet_id: SheetId | None) -> Iterator[Problem]:
        """Report what stands above the first form and is neither the heading of the set nor of a form without title."""
        strays = (
            (Location(file, grid.name, grid.cell(r, c)), raw)
            for r, row in enumerate(grid.rows[: first.first_row])
            for c, raw in enumerate(row)
            if not is_blank(raw)
            and not any(_agrees(m, sheet_id) for p in (self.heading, self.subtitle) if (m := printed_match(p, raw)))
            and not _is_unit_alone(raw)
            and not (c > first.edge and is_furniture(raw))
        )
        for where, raw in itertools.islice(strays, MAX_ALIKE):
            yield Problem("stray-text", where, {"text": text_of(raw)})
        for where, _ in strays:
            yield counted("stray-text", where, 1 + sum(1 for _ in strays))

    def read(
        self,
        grid: Grid,
        file: str,
        found: FoundForm,
        sheet_id: SheetId | None,
        loose: Sequence[Problem] = (),
        hidden: Mapping[tuple[int, int], Span] = MappingProxyType({}),
        above: int = 0,
    ) -> Submission:
        """Read one form. `hidden`: the filled cells that a merge hides, and that merge. `above`: the rows above all
        forms of the sheet."""
        record = Record(self.index, grid, file, found, sheet_id, hidden)
        read_fields(record)
        for table in record.found.tables:
            read_table(record, table)
        self._near(record)
        year, organization = self._printed(record, above)
        self._other_years(record, sheet_id.year if sheet_id and sheet_id.year else year)
        report_strays(record)
        _unit_above(record, above)
        scale(record)
        fill_totals(record)
        return Submission(
            form=record.form.id,
            sheet=record.grid.name,
            hidden=record.grid.hidden,
            sheet_id=sheet_id,
            year=sheet_id.year if sheet_id and sheet_id.year else year,
            organization=sheet_id.organization if sheet_id and sheet_id.organization else organization,
            values=record.values,
            tables={key: tuple(rows) for key, rows in record.tables.items()},
            cells=record.cells,
            doubts=tuple(doubt for doubt in dict.fromkeys(record.doubts) if doubt.key in record.cells),
            reported=(*loose, *record.reported, *record.counted()),
            missing=self._missing(record),
            suspect=grid.suspect,
        )

    def _near(self, record: Record) -> None:
        """Report the labels and headings that read only nearly as the form's."""
        for row, col, slot in record.found.near:
            label = self.index.printed(slot)
            typed = " ".join(text_of(record.raw(row, col)).split())
            record.problem("label-near", (row, col), label, found=typed, label=label)

    def _other_years(self, record: Record, year: int | None) -> None:
        """Report the labels and headings that have another year in them than the form."""
        for place, text, label in _dated_labels(record) if year else ():
            raw = text_of(record.raw(*place))
            if (own := year_in(fold(raw))) not in (None, year):
                typed, printed = " ".join(raw.split()), with_year(text, year)
                record.problem("label-year", place, label, text=typed, found=own, year=year, label=printed)

    def _missing(self, record: Record) -> frozenset[LabelKey]:
        if not record.found.expected:
            return self._not_in(record)
        if self._sent_missing is None:  # a sheet as sent has what every other one has
            self._sent_missing = self._not_in(record)
        return self._sent_missing

    def _not_in(self, record: Record) -> frozenset[LabelKey]:
        found = {table.table for table in record.found.tables}
        loose = frozenset(("", key) for key in self.index.loose if key not in record.found.spots)
        return loose | frozenset(
            (table, key)
            for table, key in self.names
            if (table not in found if table else key not in record.found.anchors)
        )

    def _printed(self, record: Record, above: int) -> tuple[int | None, str | None]:
        """Find the year printed under the title or in it, and the organisation in the heading above the forms."""
        year = organization = None
        for place, match in self._subtitles(record):
            year = _year(match) or year
            record.used.add(place)
            _note_subtitle(record, place, match, year)
        for r, row in enumerate(record.rows[: min(record.found.first_row, MAX_HEAD)]):
            for raw in row:
                if m := printed_match(self.heading, raw):
                    organization = storable((m.groupdict().get("organization") or "").strip()) or None
                    year = year or _year(m)
                else:
                    year = year or self._year_above(raw, r < above)
        return year, organization

    def _subtitles(self, record: Record) -> Iterator[tuple[tuple[int, int], re.Match[str]]]:
        """Yield the cells above the first label of a form that are its subtitle, or a title with a year in it."""
        head = min((a.row for a in record.found.anchors.values()), default=record.found.last_row)
        for r in range(record.found.first_row, head):
            for c, raw in enumerate(record.rows[r]):
                if raw != "" and (match := self._subtitle(record, raw, (r, c))) is not None:
                    yield (r, c), match

    def _subtitle(self, record: Record, raw: Raw, place: tuple[int, int]) -> re.Match[str] | None:
        match = next((m for p in (self.subtitle, *self.titles, _PERIOD) if (m := printed_match(p, raw))), None)
        if match is None and isinstance(raw, str) and "元" in raw:
            return self._with_remark(record, raw, place)
        return match

    def _year_above(self, raw: Raw, is_above_all: bool) -> int | None:
        """Return the year of a cell above a form: of a subtitle, or above all forms of a title of any kind of form."""
        if m := printed_match(self.subtitle, without_remark(raw) if isinstance(raw, str) else raw):
            return _year(m)
        if is_above_all and isinstance(raw, str) and kind_of_title(raw) is not None:
            return _year_in_title(raw)
        return None

    def _with_remark(self, record: Record, raw: str, place: tuple[int, int]) -> re.Match[str] | None:
        """Match a subtitle that shares its cell with the unit of amounts: （2026年度） 单位：万元; keep the unit."""
        if (remark := money_remark(raw)) is None:
            return None
        match = printed_match(self.subtitle, without_remark(raw))
        if match and record.unit is None:
            record.unit, record.remark = Named(" ".join(raw.split()), remark.unit, place), place
        return match


def _note_subtitle(record: Record, place: tuple[int, int], match: re.Match[str], year: int | None) -> None:
    """Report a line below the title that has another year than was sent out, or has it in other words."""
    text = text_of(record.raw(*place))
    if not _agrees(match, record.sheet_id):
        sent = record.sheet_id.year if record.sheet_id is not None else None
        record.problem("subtitle-differs", place, None, text=text, year=sent or "")
    elif match.re is _PERIOD:
        record.problem("subtitle-read", place, None, text=text, year=year or "")


def _unit_above(record: Record, above: int) -> None:
    """Take the unit that is named above all forms of a sheet, where the form itself names none.

    There is the remark where the form's title reads otherwise than it should: the form begins below it then.
    """
    if record.unit is not None:
        return
    for r, row in enumerate(record.rows[: min(above, MAX_HEAD)]):
        for c, raw in enumerate(row):
            if isinstance(raw, str) and (unit := _unit_in_head(raw)) is not None:
                record.unit = Named(" ".join(raw.split()), unit, (r, c))
                # Every form of the sheet would report it; the first one does.
                record.remark = (r, c) if _is_unit_alone(raw) and record.found.first_row == above else None
                return


def _unit_in_head(raw: str) -> MoneyUnit | None:
    """Return the unit that a text above a form names: alone, in a remark, or behind a title."""
    if len(raw) > MAX_REMARK or not names_unit(raw):
        return None
    if (remark := money_remark(raw)) is not None:
        return remark.unit
    title, unit = money_label(fold(raw))
    return unit if unit is not None and kind_of_title(title) is not None else unit_cell(raw)


def _is_unit_alone(raw: Raw) -> bool:
    """Return whether a text names a unit of money and nothing else."""
    if not isinstance(raw, str) or not names_unit(raw) or len(raw) > MAX_REMARK:
        return False
    remark = money_remark(raw)
    return not remark.rest if remark is not None else unit_cell(raw) is not None


def _dated_labels(record: Record) -> Iterator[tuple[tuple[int, int], str, str]]:
    """Yield the place of every label and heading with a year in it, how it is printed, and what messages call it."""
    index, found = record.index, record.found
    places = [((a.row, a.col), a.slot) for a in found.anchors.values()]
    places += [(place, slot) for slot, place in found.lines.items()]
    for table in found.tables:
        places += [(table.place(h), Slot("column", h.key, table.table)) for h in table.headings]
    for place, slot in places:
        if (defined := index.definition(slot)).dated:
            yield place, defined.dated, defined.label


def _agrees(match: re.Match[str], sheet_id: SheetId | None) -> bool:
    """Return whether a printed heading has no other year or organisation than the sheet id, which is what counts."""
    if sheet_id is None:
        return True
    organization = (match.groupdict().get("organization") or "").strip()
    return (sheet_id.year is None or _year(match) in (None, sheet_id.year)) and (
        not organization or sheet_id.organization is None or fold(organization) == fold(sheet_id.organization)
    )


def _year_in_title(title: str) -> int | None:
    """Return the year that a title names where it is only one: 2026年度项目支出绩效目标表."""
    years = set(_TITLE_YEAR.findall(fold(title)))
    return int(years.pop()) if len(years) == 1 else None


def _year(match: re.Match[str]) -> int | None:
    year = match.groupdict().get("year")
    return int(year) if year and int(year) >= 1900 else None
