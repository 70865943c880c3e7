"""Find an office's own list of projects in grids: its header, its columns, and which of its rows are projects.

The header is recognised by the form's labels; titles may stand above it, and it may take two rows.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from kpixl.forms.definition import Field, Form, MoneyUnit
from kpixl.forms.money import list_unit, money_label
from kpixl.forms.types import FIELD_TYPES
from kpixl.forms.values import Raw, fold, is_blank, text_of
from kpixl.problems import Location, Problem, failure
from kpixl.readers import Grid

ID = "id"
HEADER_WITHIN = 60  # rows in which the header is looked for
MAX_LABEL = 60  # a longer text is no heading
TOTAL_WORDS = ("合计", "总计", "小计", "共计", "total")


@dataclass(frozen=True, slots=True)
class Column:
    """A column that belongs to the form. `money`: the unit of its amounts where the list names one."""

    col: int
    field: Field
    money: MoneyUnit | None = None


@dataclass(frozen=True, slots=True)
class Listing:
    """A grid that is a list: the first row below its header, its columns, the texts above its header."""

    grid: Grid
    file: str
    first: int
    columns: tuple[Column, ...]
    above: tuple[str, ...]
    problems: tuple[Problem, ...] = ()

    @property
    def keys(self) -> frozenset[str]:
        """Return the fields that have a column."""
        return frozenset(column.field.key for column in self.columns)

    def place(self, row: int, col: int, field: str | None = None) -> Location:
        """Say where a cell is."""
        return Location(self.file, self.grid.name, self.grid.address(row, col), field)


@dataclass(frozen=True, slots=True)
class Line:
    """A row that is a project: its number in the grid, and what stands in each of the list's columns."""

    row: int
    cells: tuple[Raw, ...]


# --- the header -------------------------------------------------------------------------------


def find_listings(form: Form, grids: Sequence[Grid], file: str) -> tuple[list[Listing], list[Problem]]:
    """Find the sheet that knows most columns, and those with the very same ones; other lists are skipped.

    Raises KpixlError `list-no-header` where no sheet is a list.
    """
    labels = _Labels(form)
    listings = [found for grid in grids if not grid.hidden and (found := _find(labels, grid, file))]
    if not listings:
        seen = [text_of(raw) for grid in grids for row in grid.rows[:5] for raw in row if not is_blank(raw)]
        shown = "、".join(seen[:12]) or ("没有内容", "nothing")
        raise failure("list-no-header", file, label=labels.name.label, found=shown, labels=labels.shown)
    best = max(listings, key=lambda found: len(found.keys)).keys
    skipped = [
        Problem("sheet-skipped", Location(file, found.grid.name), {"texts": ""})
        for found in listings
        if found.keys != best
    ]
    return [found for found in listings if found.keys == best], skipped


def _find(labels: _Labels, grid: Grid, file: str) -> Listing | None:
    """Find the header row that knows most columns."""
    best: Listing | None = None
    for row in range(min(len(grid.rows), HEADER_WITHIN)):
        texts, depth = _headings(labels, grid.rows, row)
        if texts:
            found = _read_header(labels, grid, file, row, depth, texts)
            if best is None or len(found.keys) > len(best.keys):
                best = found
    if best is None:
        return None
    # Under the name's label stands another label: this is a form laid out as a grid, no list.
    name = next(column.col for column in best.columns if column.field is labels.name)
    return None if labels.lookup(text_of(cell_at(grid, best.first, name)))[0] else best


def _headings(labels: _Labels, rows: Sequence[Sequence[Raw]], row: int) -> tuple[dict[int, str], int]:
    """Return each column's heading, and over how many rows they go; nothing where `row` is no header."""
    top = {col: text_of(raw) for col, raw in enumerate(rows[row]) if not is_blank(raw)}
    names = [col for col, text in top.items() if labels.name.key in labels.lookup(text)[0]]
    if not names:
        return {}, 0
    below = rows[row + 1] if row + 1 < len(rows) else []
    sub = {col: text_of(raw) for col, raw in enumerate(below) if not is_blank(raw)}
    # In a second header row the name's cell is covered by the heading above it.
    if names[0] in sub or not any(labels.lookup(text)[0] for text in sub.values()):
        return top, 1
    return {col: sub.get(col) or top[col] for col in sorted(top.keys() | sub.keys())}, 2


def _read_header(labels: _Labels, grid: Grid, file: str, row: int, depth: int, texts: Mapping[int, str]) -> Listing:
    above = tuple(text_of(raw) for line in grid.rows[:row] for raw in line if not is_blank(raw))
    counted, contradictions = _units_above(grid, row)
    fields, unsure = labels.assign(texts)
    columns = tuple(
        Column(col, field, (labels.lookup(texts[col])[1] or counted) if _is_amount(field) else None)
        for col, field in fields.items()
    )
    found = Listing(grid, file, row + depth, columns, above)
    last = row + depth - 1
    problems = [
        Problem("label-ambiguous", found.place(last, col), {"label": texts[col], "reading": fields[col].heading})
        for col in unsure
    ]
    problems += [
        Problem("list-column-unknown", found.place(last, col), {"label": text, "labels": labels.shown})
        for col, text in texts.items()
        if col not in fields
    ]
    problems += [Problem("stray-text", found.place(*place), {"text": text}) for place, text in contradictions]
    return replace(found, problems=tuple(problems))


def _units_above(grid: Grid, header: int) -> tuple[MoneyUnit | None, list[tuple[tuple[int, int], str]]]:
    """Return the unit that the texts above a header give to all amounts, and the places of texts that contradict it."""
    named = [
        ((row, col), text_of(raw), unit)
        for row in range(header)
        for col, raw in enumerate(grid.rows[row])
        if isinstance(raw, str) and "元" in raw and (unit := list_unit(raw)) is not None
    ]
    first = named[0][2] if named else None
    return first, [(place, text) for place, text, unit in named if unit != first]


def _is_amount(field: Field) -> bool:
    return FIELD_TYPES[field.type].is_amount


class _Labels:
    """The form's labels, folded, and which fields each may stand for."""

    def __init__(self, form: Form) -> None:
        self.fields = (form.id_field, *form.fields.values())
        self.name = self.fields[1]
        self.shown = "、".join(field.heading for field in self.fields)
        self._headings = {fold(field.heading): [field.key] for field in self.fields}
        self._labels: dict[str, list[str]] = defaultdict(list)
        for field in self.fields:
            for text in dict.fromkeys(map(fold, (field.label, *field.synonyms))):
                self._labels[text].append(field.key)
        # A form may print the unit in a label, 资金总额（万元）, and a list another one in its heading.
        self._stems: dict[str, list[str]] = defaultdict(list)
        for text, keys in (*self._headings.items(), *self._labels.items()):
            if (label := money_label(text))[1] is not None:
                self._stems[label[0]] = list(dict.fromkeys([*self._stems[label[0]], *keys]))

    def lookup(self, text: str) -> tuple[list[str], MoneyUnit | None]:
        """Return the keys that a heading may stand for, in the form's order, and the money unit it names."""
        if len(text) > MAX_LABEL:
            return [], None
        folded = fold(text)
        if keys := self._headings.get(folded) or self._labels.get(folded):
            return keys, money_label(folded)[1]
        label, unit = money_label(folded)
        if unit is None:
            return [], None
        return self._headings.get(label) or self._labels.get(label) or self._stems.get(label) or [], unit

    def assign(self, texts: Mapping[int, str]) -> tuple[dict[int, Field], list[int]]:
        """Give each heading its field, and list the columns that could as well have been another field.

        A heading that several fields share is the first of them after the column to its left, as on the form.
        Each field has one column, but there may be several columns of ids.
        """
        by_key = {field.key: field for field in self.fields}
        order = {key: number for number, key in enumerate(by_key)}
        fields: dict[int, Field] = {}
        shared: dict[int, list[str]] = {}
        for col, text in texts.items():
            keys = self.lookup(text)[0]
            if len(keys) > 1:
                shared[col] = keys
            elif keys and (keys[0] == ID or by_key[keys[0]] not in fields.values()):
                fields[col] = by_key[keys[0]]
        for col, keys in shared.items():
            free = [key for key in keys if by_key[key] not in fields.values()]
            left = max((c for c in fields if c < col), default=None)
            after = -1 if left is None else order[fields[left].key]
            if free:
                fields[col] = by_key[next((key for key in free if order[key] > after), free[0])]
        counts = Counter(tuple(keys) for keys in shared.values())
        unsure = [col for col, keys in shared.items() if col in fields and counts[tuple(keys)] < len(keys)]
        return dict(sorted(fields.items())), unsure


# --- the rows ---------------------------------------------------------------------------------


def cell_at(grid: Grid, row: int, col: int) -> Raw:
    """Return a cell, blank where the row is shorter."""
    line = grid.rows[row] if row < len(grid.rows) else []
    return line[col] if col < len(line) else ""


def read_lines(form: Form, found: Listing) -> tuple[list[Line], list[Problem]]:
    """Read the rows that are projects: those with a name, but no totals and no repeated headers."""
    name = next(column for column in found.columns if column.field.key == next(iter(form.fields)))
    covered = _covered(found, name)
    lines: list[Line] = []
    problems: list[Problem] = []
    for row in range(found.first, len(found.grid.rows)):
        texts = [(col, text_of(raw)) for col, raw in enumerate(found.grid.rows[row]) if not is_blank(raw)]
        if not texts:
            continue
        title = text_of(cell_at(found.grid, row, name.col))
        if _is_total(found, row, name, texts):
            problems.append(Problem("list-total-skipped", found.place(row, texts[0][0]), {"text": texts[0][1]}))
        elif is_blank(title):
            text = " ".join(text for _, text in texts)
            problems.append(Problem("stray-text", found.place(row, texts[0][0]), {"text": text}))
        elif fold(title) not in (fold(name.field.label), fold(name.field.heading)):
            cells = (covered.get((row, c.col), cell_at(found.grid, row, c.col)) for c in found.columns)
            lines.append(Line(row, tuple(cells)))
    return lines, problems


def _is_total(found: Listing, row: int, name: Column, texts: Sequence[tuple[int, str]]) -> bool:
    """Tell whether a row is a total: it says so, and describes nothing else."""
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


def _covered(found: Listing, name: Column) -> dict[tuple[int, int], Raw]:
    """Say what stands in cells that a merge over several rows covers: a unit written once beside its projects."""
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
