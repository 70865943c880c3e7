"""Find an office's own list of projects in grids: its header, its columns, and which of its rows are projects.

Titles may stand above the header, which may take several rows.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from kpixl.collection.group_rows import ListColumns, group_rows
from kpixl.collection.list_header import cell_at, header_depth, heading_texts, units_around
from kpixl.collection.list_headings import ID, MAX_LABEL, ListHeading, ListLabels, heading_year, names_money
from kpixl.forms.definition import Field, Form, MoneyUnit
from kpixl.forms.money import read_money
from kpixl.forms.types import FIELD_TYPES
from kpixl.forms.values import Raw, fold, is_blank, text_of
from kpixl.problems import Location, Problem
from kpixl.readers import Grid
from kpixl.recognise.closing_lines import is_closing_line
from kpixl.texts import Text

HIDDEN: Text = ("工作表已隐藏", "the sheet is hidden")
OTHER_COLUMNS: Text = ("列与另一张工作表不同", "its columns are not those of another sheet")
MAX_NAMES = 5  # of projects, listed in a message
NOTHING: Text = ("没有内容", "nothing")
_YEAR = re.compile(r"(?<!\d)((?:19|20)\d\d)年", re.ASCII)
HEADER_WITHIN = 60  # rows in which the header is looked for
HEADING_WORDS = 3  # headings that a row without a name must have to be shown as the header that is wrong
TOTAL_WORDS = ("合计", "总计", "小计", "共计", "total")


@dataclass(frozen=True, slots=True)
class ListColumn:
    """A column that belongs to the form. `money`: the unit of its amounts where the list names one."""

    col: int
    field: Field
    money: MoneyUnit | None = None


@dataclass(frozen=True, slots=True)
class Listing:
    """A grid that is a list: the first row below its header, its headings, the year that titles or headings name.

    `counted`: the unit that the list gives to all amounts. `problems`: of the header.
    """

    grid: Grid
    file: str
    first: int
    headings: tuple[ListHeading, ...]
    year: int | None = None
    counted: MoneyUnit | None = None
    problems: tuple[Problem, ...] = ()

    @property
    def columns(self) -> tuple[ListColumn, ...]:
        """Return the columns that were understood, from left to right."""
        return tuple(
            ListColumn(h.col, h.field, self.unit(h) if _is_amount(h.field) else None) for h in self.headings if h.field
        )

    @property
    def keys(self) -> frozenset[str]:
        """Return the fields that have a column."""
        return frozenset(heading.field.key for heading in self.headings if heading.field)

    def unit(self, heading: ListHeading) -> MoneyUnit | None:
        """Return the unit of a column of amounts: that of its heading, or else of the list."""
        return heading.unit or self.counted

    def place(self, row: int, col: int, field: str | None = None) -> Location:
        """Return where a cell is."""
        return Location(self.file, self.grid.name, self.grid.cell(row, col), field)

    def heading_place(self, heading: ListHeading) -> Location:
        """Return where a heading is."""
        return self.place(heading.row, heading.col)


@dataclass(frozen=True, slots=True)
class ListLine:
    """A row that is a project: its number in the grid, and the text in each of the list's columns."""

    row: int
    cells: tuple[Raw, ...]


@dataclass(frozen=True, slots=True)
class FoundLists:
    """The lists of a file, and why it is refused: no header, or amounts not understood.

    `skipped`: lists that are not read: hidden, or with other columns.
    """

    listings: tuple[Listing, ...]
    refused: tuple[Problem, ...] = ()
    skipped: tuple[Listing, ...] = ()


# --- the header -------------------------------------------------------------------------------


def find_listings(form: Form, grids: Sequence[Grid], file: str, year: int | None = None) -> FoundLists:
    """Find the sheet that knows most columns, and those with the very same ones; other lists are skipped.

    Where no sheet has a column of names, the sheet that is most like a list is returned, refused.
    """
    labels = ListLabels(form)
    shown = [grid for grid in grids if not grid.hidden]
    listings = [found for grid in shown if (found := _find(labels, grid, file, year))]
    hidden = [found for grid in grids if grid.hidden and (found := _find(labels, grid, file, year))]
    if not listings:
        return _without_header(labels, shown, file, year)
    best = max(listings, key=lambda found: len(found.keys)).keys
    skipped = (*(found for found in listings if found.keys != best), *hidden)
    chosen = tuple(found for found in listings if found.keys == best)
    return FoundLists(chosen, tuple(p for found in chosen for p in _amounts_missing(labels, found)), skipped)


def _find(labels: ListLabels, grid: Grid, file: str, year: int | None) -> Listing | None:
    """Find the header row that knows most columns."""
    best: Listing | None = None
    for row in range(min(len(grid.rows), HEADER_WITHIN)):
        texts = [(col, text_of(raw)) for col, raw in enumerate(grid.rows[row]) if not is_blank(raw)]
        name = next((col for col, text in texts if labels.is_name(text)), None)
        if name is not None:
            found = _read_header(labels, grid, file, row, name, year)
            if labels.name.key in found.keys and (best is None or len(found.keys) > len(best.keys)):
                best = found
    if best is None:
        return None
    # Below the name's label is another label: this is a form laid out as a grid, no list.
    name = next(column.col for column in best.columns if column.field is labels.name)
    return None if labels.lookup(text_of(cell_at(grid, best.first, name))) else best


def _without_header(labels: ListLabels, grids: Sequence[Grid], file: str, year: int | None) -> FoundLists:
    """Refuse a file without a column of names; show the row that is most like a header, with a suggestion for each."""
    rows = [(grid, row) for grid in grids for row in range(min(len(grid.rows), HEADER_WITHIN))]
    filled = {
        (number, row): [text_of(raw) for raw in grid.rows[row] if isinstance(raw, str) and not is_blank(raw)]
        for number, (grid, row) in enumerate(rows)
    }
    known = {key: sum(bool(labels.known(text)) for text in texts) for key, texts in filled.items()}
    seen = "、".join(text for texts in filled.values() for text in texts[:12] if len(text) <= MAX_LABEL)
    details = {"label": labels.name.label, "found": seen[:300] or NOTHING, "labels": labels.shown}
    best = max(known, key=lambda key: (known[key], len(filled[key]), -key[1]), default=None)
    if best is None or len(filled[best]) < HEADING_WORDS:
        return FoundLists((), (Problem("list-no-header", Location(file), details),))
    grid, row = rows[best[0]]
    found = _read_header(labels, grid, file, row, None, year)
    refused = Problem("list-no-header", found.place(row, found.headings[0].col), details)
    return FoundLists((found,), (refused, *_suggestions(found)))


def _amounts_missing(labels: ListLabels, found: Listing) -> tuple[Problem, ...]:
    """Refuse a list none of whose amounts was understood although it has some: money must not be left out unseen."""
    if not any(_is_amount(field) for field in labels.fields.values()) or any(
        _is_amount(column.field) for column in found.columns
    ):
        return ()
    like = [h for h in found.headings if h.field is None and names_money(h.text) and _has_numbers(found, h.col)]
    if not like:
        return ()
    amounts = "、".join(field.heading for field in labels.fields.values() if _is_amount(field))
    details = {"found": "、".join(heading.text for heading in like), "labels": amounts}
    return (Problem("list-no-amounts", found.heading_place(like[0]), details), *_suggestions(found))


def _has_numbers(found: Listing, col: int) -> bool:
    filled = [
        raw for row in range(found.first, len(found.grid.rows)) if not is_blank(raw := cell_at(found.grid, row, col))
    ]
    return 2 * sum(isinstance(read_money(raw).value, Decimal) for raw in filled) > len(filled)


def _read_header(labels: ListLabels, grid: Grid, file: str, row: int, name: int | None, year: int | None) -> Listing:
    depth = header_depth(labels, grid, row, name)
    texts = heading_texts(grid, row, depth)
    titled = year_of([text_of(raw) for line in grid.rows[:row] for raw in line if not is_blank(raw)])
    counted, contradictions = units_around(grid, row, row + depth)
    headings = labels.assign(texts, year or titled)
    found = Listing(grid, file, row + depth, headings, titled or heading_year(texts), counted)
    found = replace(found, headings=tuple(_without_text(found, heading) for heading in headings))
    strays = [Problem("stray-text", found.place(*place), {"text": text}) for place, text in contradictions]
    return replace(found, problems=(*_heading_problems(labels, found), *strays))


def _without_text(found: Listing, heading: ListHeading) -> ListHeading:
    """Suggest no field of text for a column of numbers."""
    closest = heading.closest
    if closest is None or closest.key == ID or _is_amount(closest):
        return heading
    return replace(heading, closest=None) if _has_numbers(found, heading.col) else heading


def _heading_problems(labels: ListLabels, found: Listing) -> list[Problem]:
    """Report each heading that was not understood, or only by its order or by nearly its words."""
    problems = []
    for heading in found.headings:
        place = found.heading_place(heading)
        if heading.field is None:
            problems.append(_unknown(labels, found, heading))
        elif heading.unsure:
            details = {"label": heading.text, "reading": heading.field.heading}
            problems.append(Problem("label-ambiguous", place, details))
        elif heading.how == "near":
            problems.append(Problem("label-near", place, {"found": heading.text, "label": heading.field.heading}))
    return problems


def _unknown(labels: ListLabels, found: Listing, heading: ListHeading) -> Problem:
    details = {"label": heading.text, "labels": labels.shown, "advice": advice(heading)}
    return Problem("list-column-unknown", found.heading_place(heading), details)


def _suggestions(found: Listing) -> tuple[Problem, ...]:
    return tuple(problem for problem in found.problems if problem.code == "list-column-unknown")


def advice(heading: ListHeading) -> Text:
    """Name the field that a heading may mean, and what to rename or add; nothing where none is like it."""
    if heading.how == "other-year":
        return ("该列是其他年度的。", "It is of another year. ")
    if heading.how == "year-unclear":
        return ("列名中有几个年度：请加上 --year 指定年度。", "The headings name several years: give --year. ")
    if heading.closest is None:
        return ("", "")
    label, key = heading.closest.heading, heading.closest.key
    place = "id-field.synonyms" if key == ID else f"fields.{key}.synonyms"
    text = heading.text
    return (
        f"如果它就是“{label}”，请把列名改为“{label}”，或在 form.yaml 的 {place} 中加入“{text}”。",
        f"If it is {label}, rename it to {label}, or add {text} to {place} in form.yaml. ",
    )


def year_of(texts: Sequence[str]) -> int | None:
    """Return the year that titles name where it is only one."""
    years = {int(year) for text in texts for year in _YEAR.findall(fold(text))}
    return years.pop() if len(years) == 1 else None


def _is_amount(field: Field) -> bool:
    return FIELD_TYPES[field.type].is_amount


def skipped_lists(form: Form, found: FoundLists, names: Collection[Raw]) -> Iterator[Problem]:
    """Report the lists that were not read; those with projects that no other list has may be meant as well.

    `names`: of the projects that were read.
    """
    known = {fold(text_of(name)) for name in names}
    for listing in found.skipped:
        number = [column.field.key for column in listing.columns].index(form.key_fields[0])
        read = (text_of(line.cells[number]).strip() for line in read_lines(form, listing)[0])
        more = [name for name in dict.fromkeys(read) if fold(name) not in known]
        # An overview with a few of the columns, such as a summary's first sheet, is no list that may be meant.
        if 2 * len(listing.keys) < len(found.listings[0].keys):
            more = []
        where = Location(listing.file, listing.grid.name)
        if more:
            names_shown = "、".join(more[:MAX_NAMES]) + ("……" if len(more) > MAX_NAMES else "")
            why = HIDDEN if listing.grid.hidden else OTHER_COLUMNS
            yield Problem("list-skipped", where, {"count": len(more), "names": names_shown, "why": why})
        elif not listing.grid.hidden:
            yield Problem("sheet-skipped", where, {"texts": ""})


# --- the rows ---------------------------------------------------------------------------------


def read_lines(form: Form, found: Listing) -> tuple[list[ListLine], list[Problem]]:
    """Read the rows that are projects: those with a name, but no totals and no repeated headers."""
    name = next((column for column in found.columns if column.field.key == form.key_fields[0]), None)
    if name is None:
        return [], []
    covered = _covered(found, name)
    groups = _group_rows(found, name)
    lines: list[ListLine] = []
    problems: list[Problem] = []
    for row in range(found.first, len(found.grid.rows)):
        if not (texts := _texts(found, row)):
            continue
        title = text_of(cell_at(found.grid, row, name.col))
        if row in groups or _is_total(found, row, name, texts):
            problems.append(Problem("list-total-skipped", found.place(row, texts[0][0]), {"text": texts[0][1]}))
        elif is_blank(title) or (len(texts) == 1 and is_closing_line(title)):
            text = " ".join(text for _, text in texts)
            problems.append(Problem("stray-text", found.place(row, texts[0][0]), {"text": text}))
        elif fold(title) not in (fold(name.field.label), fold(name.field.heading)):
            cells = (covered.get((row, c.col), cell_at(found.grid, row, c.col)) for c in found.columns)
            lines.append(ListLine(row, tuple(cells)))
    return lines, problems


def _group_rows(found: Listing, name: ListColumn) -> frozenset[int]:
    """Return the rows that head a group of projects and are none themselves."""
    others = [column for column in found.columns if column.col != name.col]
    ids = [column.col for column in others if column.field.key == ID]
    amounts = [column.col for column in others if _is_amount(column.field)]
    described = [column.col for column in others if column.col not in (*ids, *amounts)]
    rows = [
        row
        for row in range(found.first, len(found.grid.rows))
        if not is_blank(cell_at(found.grid, row, name.col)) and not _is_total(found, row, name, _texts(found, row))
    ]
    return group_rows(found.grid, rows, ListColumns(name.col, ids, described, amounts))


def _texts(found: Listing, row: int) -> list[tuple[int, str]]:
    """List the filled cells of a row."""
    return [(col, text_of(raw)) for col, raw in enumerate(found.grid.rows[row]) if not is_blank(raw)]


def _is_total(found: Listing, row: int, name: ListColumn, texts: Sequence[tuple[int, str]]) -> bool:
    """Return whether a row is labelled as a total and describes nothing else."""
    for col in (texts[0][0], name.col):
        folded = fold(text_of(cell_at(found.grid, row, col)))
        if folded in TOTAL_WORDS:
            return True
        described = (
            not _is_amount(column.field) and column.col != col and not is_blank(cell_at(found.grid, row, column.col))
            for column in found.columns
        )
        if folded.endswith(TOTAL_WORDS) and not any(described):
            return True
    return False


def _covered(found: Listing, name: ListColumn) -> dict[tuple[int, int], Raw]:
    """Fill in the cells that a merge over several rows covers: a unit written once beside its projects."""
    wanted = {
        column.col
        for column in found.columns
        if not _is_amount(column.field) and column.field.key not in (ID, name.field.key)
    }
    covered: dict[tuple[int, int], Raw] = {}
    for span in found.grid.merges():
        if span.col not in wanted or span.last_row <= span.row:
            continue
        value = cell_at(found.grid, span.row, span.col)
        for row in range(max(span.row, found.first), min(span.last_row + 1, len(found.grid.rows))):
            if is_blank(cell_at(found.grid, row, span.col)):
                covered[row, span.col] = value
    return covered
