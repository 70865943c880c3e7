"""The labels of a form, prepared for being found, and what is found: which cell is which label, where forms begin.

Two ways to the same result: `sent` for a sheet that still looks as it was sent, `search` for any other.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from kpixl.forms.dated import has_year, undated, without_year
from kpixl.forms.definition import Cell, Field, Form, GridLine, Layout, PlacedTable, Table, TableColumn, Target
from kpixl.forms.money import money_label, names_unit, without_unit
from kpixl.forms.names import entry_headings, target_headings
from kpixl.forms.tables_beside import twins
from kpixl.forms.types import FIELD_TYPES
from kpixl.forms.values import Raw, fold
from kpixl.recognise.kinds import kind_of_title
from kpixl.recognise.near import core

if TYPE_CHECKING:
    from kpixl.recognise.columns import TableColumns

Rows = Sequence[Sequence[Raw]]
LOOSE_KINDS = frozenset({"caption", "group"})  # texts that forms of any kind have
BLOCK_TEXTS = frozenset({"title", "label", "caption", "row", "column"})  # cells of the layout that tell a form as sent
MAX_LABEL = 60  # no label is longer; longer texts are not folded
MAX_PLACES = 4  # in a subtitle or heading: each makes a search for it longer by the length of the text
MAX_HEADING = 300  # nor is a heading, with the longest name of an organisation


class Slot(NamedTuple):
    """A place of the layout that carries a label. `kind`: title, field, caption, column and group (over columns) of a
    `table`; row or head (the heading of a column) of a grid, whose key begins with that of the grid."""

    kind: str
    key: str
    table: str = ""


class Anchor(NamedTuple):
    """A label found in a grid."""

    row: int
    col: int
    slot: Slot


BlockText = tuple[int, int, str | re.Pattern[str]]
Hit = tuple[int, int, tuple[Slot, ...]]


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading of a table found in a grid, with the columns that stand under it.

    `sent`: they are as many as the template has there, so that the parts of a target stand where it put them. `up`: by
    how many rows it is above the last row of headings.
    """

    key: str
    col: int
    last_col: int
    sent: bool = True
    up: int = 0


@dataclass(frozen=True, slots=True)
class FoundTable:
    """A table's headings, of which `row` is the last row. `entry`: the three parts of a target have a column each.

    `groups`: the cells of headings over others. `others`: the columns under headings that are not the form's.
    """

    table: str
    row: int
    last_row: int
    headings: tuple[Heading, ...]
    entry: bool = False
    groups: tuple[tuple[int, int], ...] = ()
    others: frozenset[int] = frozenset()

    def place(self, heading: Heading) -> tuple[int, int]:
        """Return the cell of a heading."""
        return self.row - heading.up, heading.col

    @property
    def cells(self) -> tuple[tuple[int, int], ...]:
        """Return the cells of all headings."""
        return (*map(self.place, self.headings), *self.groups)


class Spot(NamedTuple):
    """Where a value is that has no label of its own, and the places of the labels that tell it."""

    row: int
    col: int
    last_col: int
    labels: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class FoundForm:
    """One form in a grid: its rows, its labels, its tables, and the last column that belongs to it.

    `near`: labels that read only nearly so. `unclear`: missing ones for which several cells may be meant. `spots`: the
    values of grids, and those that follow another. `lines`: the labels of grids. `empty`: where a grid has no value.
    `expected`: it is laid out as sent; `places`: where its values are then, by field.
    """

    first_row: int
    last_row: int
    anchors: Mapping[str, Anchor]
    others: tuple[Anchor, ...]
    tables: tuple[FoundTable, ...]
    edge: int
    ambiguous: tuple[str, ...] = ()
    expected: bool = False
    near: tuple[Anchor, ...] = ()
    unclear: Mapping[Slot, Sequence[tuple[int, int]]] = field(default_factory=dict)
    spots: Mapping[str, Spot] = field(default_factory=dict)
    lines: Mapping[Slot, tuple[int, int]] = field(default_factory=dict)
    empty: frozenset[tuple[int, int]] = frozenset()
    places: Mapping[str, tuple[int, int]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LayoutBlock:
    """The rows of a layout from below one table to the headings of the next, as the template writes them.

    `texts`: (row within the block, column, text) of every title, label, caption and heading; one with a year in it as
    a pattern. `targets`: the headings over targets, in each of the ways in which templates have written them. `loose`:
    values without a label of their own, and the cells of grids that have none. `lines`: the labels of grids.
    """

    top: int
    height: int
    texts: tuple[BlockText, ...]
    labels: tuple[Cell, ...]
    placed: tuple[PlacedTable, ...]
    targets: tuple[tuple[BlockText, ...], ...] = ()
    loose: tuple[Cell, ...] = ()
    lines: tuple[Cell, ...] = ()

    def stands_at(self, rows: Rows, start: int) -> bool:
        """Return whether all texts of the block are there when its first row is `start`."""
        if not _stand(self.texts, rows, start):
            return False
        return not self.targets or any(_stand(texts, rows, start) for texts in self.targets)


def _stand(texts: Iterable[BlockText], rows: Rows, start: int) -> bool:
    for row, col, text in texts:
        cells = rows[start + row] if start + row < len(rows) else ()
        raw = cells[col] if col < len(cells) else ""
        if raw != text and (isinstance(text, str) or printed_match(text, raw) is None):
            return False
    return True


class LabelIndex:
    """The labels of one form, prepared for searching. Made once per form and layout.

    `layout`: where they are expected; by default where the template puts them.
    """

    def __init__(self, form: Form, layout: Layout | None = None) -> None:
        self.form, self.layout = form, layout or form.entry_layout
        self._slots: dict[str, list[Slot]] = defaultdict(list)
        self._dated: dict[str, list[Slot]] = defaultdict(list)  # the labels that have a year in them, without it
        self._seen: dict[str, tuple[Slot, ...]] = {}
        self.columns: dict[FoundTable, TableColumns] = {}  # of tables in sheets as sent
        self.sent: dict[tuple[int, ...], FoundForm] = {}  # what `as_sent` found, by where its blocks start
        layout = self.layout
        for slot, texts in _label_texts(form, layout):
            self._add(slot, *texts)
        self.labels = {cell.key: cell for cell in (*layout.head, *layout.foot) if cell.kind == "label"}
        self.values = {cell.key: cell for cell in (*layout.head, *layout.foot) if cell.kind == "value"}
        leading = {field.follows for field in form.fields.values() if field.follows}
        self.loose = frozenset(key for key in self.values if key not in self.labels or key in leading)
        self.foot = frozenset(cell.key for cell in layout.foot)
        self.placed = {placed.table: placed for placed in layout.tables}
        self.twins = tuple(twins(form))
        self._stems, self._dated_stems = self._without_units(self._slots), self._without_units(self._dated)

    def heads(self, table: str) -> tuple[TableColumn, ...]:
        """Return the headings of a table where the layout has them."""
        placed = self.placed[table]
        return placed.print if self.layout is self.form.layout else placed.entry

    def grouped(self, table: str) -> frozenset[str]:
        """Return the columns and targets of a table that have a group over their headings."""
        placed = self.placed[table]
        return frozenset(head.key for look in (placed.entry, placed.print) for head in look if head.group)

    def _add(self, slot: Slot, *texts: str) -> None:
        for text in texts:
            slots = self._dated[fold(without_year(text))] if has_year(text) else self._slots[fold(text)]
            if slot not in slots:
                slots.append(slot)

    def slots(self, raw: Raw) -> tuple[Slot, ...]:
        """Return the slots whose label a cell carries; none for any other cell."""
        if type(raw) is not str or not raw or len(raw) > MAX_LABEL:
            return ()
        known = self._seen.get(raw)
        if known is None:
            folded = fold(raw)
            known = _known(folded, self._slots, self._stems)
            if not known and self._dated:
                known = _known(undated(folded), self._dated, self._dated_stems)
            if len(self._seen) < 50_000:
                self._seen[raw] = known
        return known

    @cached_property
    def kind(self) -> str | None:
        """Return the kind of form that the title names."""
        kind = kind_of_title(self.form.title)
        return kind.id if kind else None

    def is_title(self, raw: Raw) -> bool:
        """Return whether a cell is the form's title, or a synonym of it."""
        return any(slot.kind == "title" for slot in self.slots(raw))

    def is_label(self, raw: Raw) -> bool:
        """Return whether a cell is the label of a field or the heading of a column."""
        return any(slot.kind in ("field", "column", "row", "head") for slot in self.slots(raw))

    @cached_property
    def own_texts(self) -> frozenset[str]:
        """Return the texts of the form as it prints them, folded: no synonym is among them."""
        return frozenset(fold(texts[0]) for _, texts in _label_texts(self.form, self.layout))

    @cached_property
    def lines(self) -> tuple[Slot, ...]:
        """List the labels of the rows and the headings of the columns of all grids."""
        return tuple(dict.fromkeys(slot for _, slot in self._texts() if slot.kind in ("row", "head")))

    @cached_property
    def size(self) -> int:
        """Count the titles, labels and headings of the form, each once."""
        return len({slot.key for _, slot in self._texts() if slot.kind not in LOOSE_KINDS})

    def _texts(self) -> Iterator[tuple[str, Slot]]:
        """Yield every text of the form that is looked for, folded and without a year, and where it is."""
        for texts in (self._slots, self._dated):
            yield from ((text, slot) for text, slots in texts.items() for slot in slots)

    def printed(self, slot: Slot) -> str:
        """Return what messages call a label or heading."""
        return self.definition(slot).label.rstrip(":：")

    def definition(self, slot: Slot) -> Field | Target | GridLine:
        """Return the field, column, target or line of a grid that a label or heading is of."""
        if slot.kind in ("row", "head"):
            name, _, line = slot.key.rpartition(".")
            grid = self.form.grids[name]
            return grid.rows[line] if slot.kind == "row" else grid.columns[line]
        if not slot.table:
            return self.form.fields[slot.key]
        table = self.form.tables[slot.table]
        return table.columns.get(slot.key) or table.targets[slot.key]

    @cached_property
    def cores(self) -> dict[Slot, frozenset[str]]:
        """Map each label and heading to its spellings, without what people put around them."""
        cores: dict[Slot, set[str]] = defaultdict(set)
        for text, slot in self._texts():
            if slot.kind in ("field", "column", "row", "head"):
                cores[slot].add(core(text))
        return defaultdict(frozenset, {slot: frozenset(texts - {""}) for slot, texts in cores.items()})

    @cached_property
    def fields(self) -> tuple[Slot, ...]:
        """List the labels of fields in the order of the form."""
        order = sorted(self.labels, key=lambda key: (self.labels[key].row, self.labels[key].col))
        return tuple(Slot("field", key) for key in order if key not in self.foot)

    def _without_units(self, texts: Mapping[str, Sequence[Slot]]) -> dict[str, list[Slot]]:
        """Index the labels and headings of amounts, and the captions beside them, without their units."""
        money = {key for key, field in self.form.fields.items() if FIELD_TYPES[field.type].is_amount}
        keys = money | {self.captions[key].text for key in money if key in self.captions}
        stems: dict[str, list[Slot]] = defaultdict(list)
        for text, slots in texts.items():
            if chosen := [s for s in slots if (s.kind in ("field", "caption") and s.key in keys) or self._counts(s)]:
                stems[money_label(text)[0]] += chosen
        return {stem: list(dict.fromkeys(slots)) for stem, slots in stems.items() if stem}

    def _counts(self, slot: Slot) -> bool:
        """Return whether a slot is a column of amounts, or a row of a grid, which may have some."""
        if slot.kind in ("row", "head"):
            keys = [key for key in self.loose if key.startswith(f"{slot.key.rpartition('.')[0]}.")]
            chosen = [k for k in keys if slot.kind == "row" or k.rpartition(".")[2] == slot.key.rpartition(".")[2]]
            return any(FIELD_TYPES[self.form.fields[key].type].is_amount for key in chosen)
        column = self.form.tables[slot.table].columns.get(slot.key) if slot.table else None
        return column is not None and FIELD_TYPES[column.type].is_amount

    @cached_property
    def captions(self) -> dict[str, Cell]:
        """Map each field to the caption beside it."""
        cells = (*self.layout.head, *self.layout.foot)
        captions = [cell for cell in cells if cell.kind == "caption"]
        owners = [c for c in cells if c.kind == "label" or (c.kind == "value" and c.key in self.loose)]
        beside = [(owner, c) for owner in owners for c in captions if c.row <= owner.row < c.row + c.rows]
        return {owner.key: caption for owner, caption in beside}

    @cached_property
    def blocks(self) -> tuple[LayoutBlock, ...]:
        """Cut the layout at its tables; the last block has no table."""
        layout = self.layout
        ends = [group[0].row for group in layout.table_rows]
        tops = [0, *(end + 1 for end in ends)]
        blocks = zip((*layout.table_rows, ()), tops, (*ends, layout.rows - 1), strict=True)
        return tuple(self._block(group, top, end) for group, top, end in blocks)

    def _block(self, group: tuple[PlacedTable, ...], top: int, end: int) -> LayoutBlock:
        """Return the rows `top` to `end` of the layout, the last of which is that of the headings of some tables."""
        cells = [c for c in (*self.layout.head, *self.layout.foot) if top <= c.row <= end]
        texts = [(c.row - top, c.col, c.text) for c in cells if c.kind in BLOCK_TEXTS]
        split: list[tuple[int, int, str]] = []
        whole: list[tuple[int, int, str]] = []
        for placed in group:
            table = self.form.tables[placed.table]
            texts += [(end - top - up, col, text) for text, col, _, up, _ in entry_headings(placed, table)]
            texts += [(placed.top - top, 0, placed.caption)] if placed.caption else []
            whole += [(end - top, h.col, h.label) for h in placed.entry if h.key in table.targets]
            split += [(end - top - up, col, text) for text, col, _, up, _ in target_headings(placed, table)]
        # One heading over the three cells of a target is how templates had it before each cell had its own.
        targets = (_block_texts(split), _block_texts(whole)) if whole else ()
        labels = tuple(c for c in cells if c.kind == "label")
        loose = tuple(c for c in cells if c.kind == "empty" or (c.kind == "value" and c.key in self.loose))
        lines = tuple(c for c in cells if c.kind in ("row", "column"))
        return LayoutBlock(top, end - top + 1, _block_texts(texts), labels, group, targets, loose, lines)

    @cached_property
    def below(self) -> dict[str, bool]:
        """Return for each field whether its value is below its label instead of to its right."""
        return {key: self.values[key].row != cell.row for key, cell in self.labels.items()}

    def is_caption_part(self, text: str, placed: PlacedTable) -> bool:
        """Return whether a cell is (a piece of) a table's vertical caption, torn by a page break."""
        return bool(placed.caption) and fold(undated(text)) in fold(without_year(placed.caption))


def _block_texts(texts: Iterable[tuple[int, int, str]]) -> tuple[BlockText, ...]:
    return tuple((row, col, pattern(text) if has_year(text) else text) for row, col, text in texts)


def _label_texts(form: Form, layout: Layout) -> Iterator[tuple[Slot, Sequence[str]]]:
    """Yield the place of each label of a form with the texts by which it is known."""
    yield Slot("title", "title"), (form.printed_title, *form.title_synonyms)
    for cell in (*layout.head, *layout.foot):
        if cell.kind == "label":
            field = form.fields[cell.key]
            yield Slot("field", cell.key), (field.on_form, field.heading, *field.synonyms)
        elif cell.kind == "caption":
            yield Slot("caption", cell.text), (cell.text,)
    for name, grid in form.grids.items():
        yield from ((Slot("row", f"{name}.{line.key}"), (line.on_form, *line.synonyms)) for line in grid.rows.values())
        heads = grid.columns.values()
        yield from ((Slot("head", f"{name}.{line.key}"), (line.on_form, *line.synonyms)) for line in heads)
    for placed in layout.tables:
        yield from _heading_texts(form.tables[placed.table], placed)


def _heading_texts(table: Table, placed: PlacedTable) -> Iterator[tuple[Slot, Sequence[str]]]:
    """Yield the headings of a table, those over others, and its caption, each with the texts by which it is known."""
    parts: tuple[Field | Target, ...] = (*table.columns.values(), *table.targets.values())
    yield from ((Slot("column", one.key, table.key), (one.on_form, *one.synonyms)) for one in parts)
    for group in dict.fromkeys(h.group for look in (placed.entry, placed.print) for h in look if h.group):
        yield Slot("group", group.label, table.key), (group.label, *group.synonyms)
    if placed.caption:
        yield Slot("caption", placed.caption), (placed.caption,)


def _known(text: str, slots: Mapping[str, list[Slot]], stems: Mapping[str, list[Slot]]) -> tuple[Slot, ...]:
    """Return the slots of a folded text, also where a unit of money was put behind it or left out."""
    return tuple(slots.get(text, ()) or stems.get(without_unit(text) if names_unit(text) else text, ()))


def pattern(template: str) -> re.Pattern[str]:
    """Turn a text with {{ year }} and {{ organization }} into a pattern that finds them again, however spaced.

    A year may be left blank. To be matched against text whose width is folded (NFKC).
    """
    parts = re.split(r"\{\{\s*(\w+)\s*\}\}", unicodedata.normalize("NFKC", template))
    kinds = {"year": r"(?P<year>\d{4})?", "organization": r"(?P<organization>\S.{0,100}?)"}
    if not template or len(parts) > 2 * MAX_PLACES + 1:
        return re.compile(r"(?!)")
    out = [
        kinds.get(part, ".*?") if i % 2 else r"\s*".join(map(re.escape, "".join(part.split())))
        for i, part in enumerate(parts)
    ]
    return re.compile(r"\s*".join(out))


def printed_match(printed: re.Pattern[str], raw: Raw) -> re.Match[str] | None:
    """Match a cell with a `pattern`; a text too long to be a heading is not looked at."""
    if not isinstance(raw, str) or len(raw) > MAX_HEADING:
        return None
    return printed.fullmatch(unicodedata.normalize("NFKC", raw).strip())


def in_their_columns(index: LabelIndex, found: FoundForm) -> int:
    """Count the labels and headings that are as far from the leftmost label as in the layout."""
    places = [(a.col, index.labels[key].col) for key, a in found.anchors.items()]
    for table in found.tables:
        at = {head.key: head.col for head in index.heads(table.table)}
        places += [(head.col, at[head.key]) for head in table.headings if head.key in at]
    if not places:
        return 0
    moved = min(col for col, _ in places) - min(col for _, col in places)
    return sum(col - own == moved for col, own in places)
