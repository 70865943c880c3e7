"""Several projects on one sheet as rows of one table: each is laid out as a form of its own, and read like any other.

The cells of a project are put where the form's layout has them, and keep their addresses.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import NamedTuple, Protocol

from kpixl.a1 import Span
from kpixl.forms.definition import Flat, Form, MoneyUnit
from kpixl.forms.money import column_unit, money_remark, read_money
from kpixl.forms.values import Raw, fold, is_blank, storable, text_of, total
from kpixl.problems import Location, Problem
from kpixl.readers import Grid
from kpixl.recognise.flat_headings import FlatHeadings, find_headings
from kpixl.recognise.flat_rows import FlatProject, FlatRows, FlatTotal, part_rows
from kpixl.recognise.label_search import labels_in, search
from kpixl.recognise.labels import LabelIndex, printed_match
from kpixl.recognise.labels import pattern as text_pattern
from kpixl.recognise.quoted import quoted
from kpixl.recognise.record import shown
from kpixl.recognise.side_by_side import Part
from kpixl.recognise.submission import Submission

Place = tuple[int, int]
TITLE, NOTES, TOP = 0, 1, 2  # rows above the layout of a project that is laid out anew: its title, and what is below


class _Put(Protocol):
    """Puts what is at `origin` at a place."""

    def __call__(self, place: Place, origin: Place, raw: Raw | None = None) -> None: ...


class FlatSheet(NamedTuple):
    """A flat sheet, with a part of its own for every project."""

    form: Form
    grid: Grid
    headings: FlatHeadings
    rows: FlatRows
    parts: tuple[Part, ...]

    def problems(self, file: str, forms: Sequence[Submission], others: Sequence[Submission]) -> Iterator[Problem]:
        """Report nearly right headings, rows without a project, values from above, and totals.

        `forms`: of this sheet; `others`: all of the same grid, where page breaks or titles have cut it.
        """
        for heading in self.headings.found:
            if heading.near:
                found = " ".join(text_of(self.grid.rows[heading.row][heading.col]).split())
                yield self._problem("label-near", file, (heading.row, heading.col), found=found, label=heading.text)
        for places in self.rows.orphans:
            text = " | ".join(text_of(self.grid.rows[row][col]) for row, col in places)
            yield self._problem("flat-row-alone", file, places[0], text=text)
        names = self.headings.cols("")
        for project in self.rows.projects:
            for key in project.above:
                row, col = project.fields[key]
                details = {"label": self.form.fields[key].label, "reading": text_of(self.grid.rows[row][col])}
                yield self._problem("flat-value-above", file, (project.rows[0], names[key]), **details)
        yield from self._totals(file, forms, others)

    def _problem(self, code: str, file: str, place: Place, **details: object) -> Problem:
        return Problem(code, Location(file, self.grid.name, self.grid.cell(*place)), details)

    # --- totals ------------------------------------------------------------------------------

    def organization(self) -> str | None:
        """Return whose projects these are: the name in the total above them all."""
        if self.rows.totals and not self.rows.totals[0].projects and (place := self.rows.totals[0].name) is not None:
            return storable(text_of(self.grid.rows[place[0]][place[1]])).strip() or None
        return None

    def _totals(self, file: str, forms: Sequence[Submission], others: Sequence[Submission]) -> Iterator[Problem]:
        """Compare every total with the projects that it can be of: all, those above, or those of a unit."""
        flat = self.form.flat
        if flat is None or flat.total_amount is None:
            return
        for number, row in enumerate(self.rows.totals):
            raw = self.grid.rows[row.amount[0]][row.amount[1]]
            value = read_money(raw, self.form.money, self._unit(flat.total_amount)).value
            sums = [self._sum(flat.total_amount, group) for group in (*self._groups(number, row, forms), others)]
            name = quoted(self.grid, [(row.name, self.grid.rows[row.name[0]][row.name[1]])] if row.name else [])
            code = "flat-total-read" if is_blank(raw) or value in sums else "flat-total-differs"
            yield self._problem(code, file, row.amount, found=text_of(raw), sum=shown(sums[0]), name=name)

    def _groups(self, number: int, row: FlatTotal, forms: Sequence[Submission]) -> Iterator[Sequence[Submission]]:
        """Yield the groups of projects that a total may be of, the likeliest first."""
        assert self.form.flat is not None
        totals = self.rows.totals
        name = text_of(self.grid.rows[row.name[0]][row.name[1]]) if row.name else ""
        key = self.form.flat.total_name or ""
        named = [form for form in forms if fold(text_of(form.values.get(key))) == fold(name)]
        if number == 0 and row.projects == 0:
            yield forms
        if named:
            yield named
        before = totals[number - 1].projects if number else 0
        after = totals[number + 1].projects if number + 1 < len(totals) else len(forms)
        yield from (forms[before : row.projects], forms[row.projects : after], forms)

    @staticmethod
    def _sum(key: str, forms: Iterable[Submission]) -> Decimal | None:
        return total([form.values[key] for form in forms])

    def _unit(self, key: str) -> MoneyUnit | None:
        """Return the unit in which totals are typed, as that of the amounts."""
        heading = next(h for h in self.headings.found if h.column == ("", key))
        if (unit := column_unit(heading.text)) is not None:
            return unit
        above = (raw for row in self.grid.rows[: self.headings.first] for raw in row if isinstance(raw, str))
        remarks = (money_remark(raw) for raw in above)
        return next((remark.unit for remark in remarks if remark is not None), None)


# --- finding and laying out -------------------------------------------------------------------


def find_flat(index: LabelIndex, grid: Grid, merges: Sequence[Span]) -> FlatSheet | None:
    """Read a grid as a flat sheet of a form; None where it is none."""
    flat = index.form.flat
    headings = find_headings(index, flat, grid.rows) if flat is not None else None
    if flat is None or headings is None:
        return None
    rows = part_rows(index, flat, grid.rows, merges, headings)
    layouter = _Layouter(index, flat, grid, merges, headings)
    parts = []
    for number, project in enumerate(rows.projects):
        above = [*layouter.strays_above(), *rows.strays] if number == 0 else []
        piece = layouter.lay_out(project, [*above, *project.strays])
        forms = search(index, piece.rows, labels_in(index, piece.rows))
        if not forms:
            return None
        parts.append(Part(piece, forms, ()))
    return FlatSheet(index.form, grid, headings, rows, tuple(parts)) if parts else None


class _Layouter:
    """Lays projects out as the form's layout has them. Made once per sheet."""

    def __init__(
        self, index: LabelIndex, flat: Flat, grid: Grid, merges: Sequence[Span], headings: FlatHeadings
    ) -> None:
        self.index, self.flat, self.grid, self.headings = index, flat, grid, headings
        self.spans = {(r, m.col): m for m in merges if m.last_row > m.row for r in range(m.row, m.last_row + 1)}
        self.fields, self.columns = headings.cols(""), headings.cols(flat.table)
        layout = index.form.layout
        self.width = len(layout.widths)
        self.head = next(placed.row for placed in layout.tables if placed.table == flat.table)
        self.entry = _entry_columns(index.form, flat)
        self.subtitle = text_pattern(index.form.subtitle)
        self.notes = [place for place in self._above() if self._is_note(*place)]

    def _above(self) -> Iterator[Place]:
        """Yield the filled cells above the headings, and those among them that are none."""
        taken = {(heading.row, heading.col) for heading in self.headings.found}
        for row in range(self.headings.last + 1):
            for col, raw in enumerate(self.grid.rows[row]):
                if not is_blank(raw) and (row, col) not in taken:
                    yield row, col

    def _is_note(self, row: int, col: int) -> bool:
        """Return whether a cell is the title, the subtitle, or names the unit of amounts: every project has these."""
        raw = self.grid.rows[row][col]
        if not isinstance(raw, str) or row >= self.headings.first:
            return False
        return self.index.is_title(raw) or bool(printed_match(self.subtitle, raw)) or money_remark(raw) is not None

    def strays_above(self) -> list[Place]:
        """List what is above the table and is nothing of the form."""
        return [place for place in self._above() if place not in self.notes]

    def lay_out(self, project: FlatProject, strays: Sequence[Place]) -> Grid:
        """Lay out one project; what is none of its values is put above the title, where it is reported."""
        cells: dict[Place, Raw] = {}
        first = next(h for h in self.headings.found if h.column == ("", self.index.form.key_fields[0]))
        origins: dict[Place | None, Place] = {None: (first.row, first.col)}

        def put(place: Place, origin: Place, raw: Raw | None = None) -> None:
            row, col = origin
            line = self.grid.rows[row]
            cells[place] = raw if raw is not None else line[col] if col < len(line) else ""
            origins[place] = origin

        lost = list(dict.fromkeys(strays))
        for number, origin in enumerate(lost):
            put((number, 0), origin)
        top = len(lost)
        cells[top + TITLE, 0] = self.index.form.title
        for number, origin in enumerate(self.notes):
            titled = self.index.is_title(self.grid.rows[origin[0]][origin[1]])
            put((top + TITLE, 0) if titled else (top + NOTES, number), origin)
        self._put_fields(project, top + TOP, put)
        self._put_table(project, top + TOP, put)
        height = max(row for row, _ in cells) + 1
        width = max(self.width, *(col + 1 for _, col in cells))
        rows: list[list[Raw]] = [["" for _ in range(width)] for _ in range(height)]
        for (row, col), raw in cells.items():
            rows[row][col] = raw
        return replace(self.grid, rows=rows, merges=list, origins=origins)

    def _shift(self, row: int, count: int) -> int:
        return row if row <= self.head else row + count

    def _put_fields(self, project: FlatProject, top: int, put: _Put) -> None:
        index, count = self.index, len(project.rows)
        for heading in self.headings.found:
            table, key = heading.column
            if not table:
                label, value = index.labels[key], index.values[key]
                put((top + self._shift(label.row, count), label.col), (heading.row, heading.col), heading.text)
                place = project.fields.get(key, (project.rows[0], heading.col))
                put((top + self._shift(value.row, count), value.col), place)

    def _put_table(self, project: FlatProject, top: int, put: _Put) -> None:
        for heading in self.headings.found:
            table, key = heading.column
            if not table:
                continue
            col = self.entry[key]
            put((top + self.head, col), (heading.row, heading.col), heading.text)
            for number, row in enumerate(project.rows, 1):
                span = self.spans.get((row, heading.col))
                torn = number == 1 and span is not None and span.row < row  # a level merged over two projects
                put((top + self.head + number, col), (span.row, span.col) if torn and span else (row, heading.col))


def _entry_columns(form: Form, flat: Flat) -> dict[str, int]:
    """Map each column of the table to its place in the layout in which it is typed."""
    placed = next(placed for placed in form.layout.tables if placed.table == flat.table)
    columns: dict[str, int] = {}
    for heading in placed.entry:
        target = form.tables[flat.table].targets.get(heading.key)
        keys = target.parts if target is not None else (heading.key,)
        columns |= {key: heading.col + offset for offset, key in enumerate(keys)}
    return columns
