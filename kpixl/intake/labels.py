"""Find the labels of a form in a grid: where forms begin, and which cell is which label.

Two ways to the same result. A sheet that still looks as it was sent has every label at its address, which one
comparison each shows; anything else is searched: labels folded, with synonyms, equal ones told apart by order.
"""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

from kpixl.cells import Span
from kpixl.marker import MARK_GAP, is_furniture
from kpixl.model import Cell, Form, PlacedTable, TableColumn
from kpixl.values import Raw, fold, is_blank, money_label

Rows = Sequence[Sequence[Raw]]
MAX_LABEL = 60  # no label is longer; longer texts are not folded
MAX_HEADING = 300  # nor is a heading, with the longest name of an organisation


class Slot(NamedTuple):
    """A place of the layout that carries a label. `kind`: title, field, caption, column (of `table`)."""

    kind: str
    key: str
    table: str = ""


class Anchor(NamedTuple):
    """A label found in a grid."""

    row: int
    col: int
    slot: Slot


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading of a table found in a grid, with the columns that stand under it.

    `sent`: they are as many as the template has there, so that the parts of a target stand where it put them.
    """

    key: str
    col: int
    last_col: int
    sent: bool = True


@dataclass(frozen=True, slots=True)
class FoundTable:
    """A heading row. `entry`: the three parts of a target have a column each."""

    table: str
    row: int
    last_row: int
    headings: tuple[Heading, ...]
    entry: bool = False


@dataclass(frozen=True, slots=True)
class FoundForm:
    """One form in a grid: its rows, its labels, its tables, and the last column that belongs to it."""

    first_row: int
    last_row: int
    anchors: Mapping[str, Anchor]
    others: tuple[Anchor, ...]
    tables: tuple[FoundTable, ...]
    edge: int
    ambiguous: tuple[str, ...] = ()
    expected: bool = False


@dataclass(frozen=True, slots=True)
class Block:
    """The rows of a layout from below one table to the headings of the next, as the template writes them.

    `texts`: (row within the block, column, text) of every title, label, caption and heading.
    """

    top: int
    height: int
    texts: tuple[tuple[int, int, str], ...]
    labels: tuple[Cell, ...]
    placed: PlacedTable | None

    def stands_at(self, rows: Rows, start: int) -> bool:
        """Tell whether all texts of the block are there when its first row is `start`."""
        for row, col, text in self.texts:
            cells = rows[start + row] if start + row < len(rows) else ()
            if col >= len(cells) or cells[col] != text:
                return False
        return True


class LabelIndex:
    """The labels of one form, prepared for searching. Made once per form."""

    def __init__(self, form: Form) -> None:
        self.form = form
        self._slots: dict[str, list[Slot]] = defaultdict(list)
        self._seen: dict[str, tuple[Slot, ...]] = {}
        layout = form.layout
        for text in (form.title, *form.title_synonyms):
            self._add(Slot("title", "title"), text)
        for cell in (*layout.head, *layout.foot):
            if cell.kind == "label":
                field = form.fields[cell.key]
                self._add(Slot("field", cell.key), field.label, field.heading, *field.synonyms)
            elif cell.kind == "caption":
                self._add(Slot("caption", cell.text), cell.text)
        for placed in layout.tables:
            table = form.tables[placed.table]
            for column in table.columns.values():
                self._add(Slot("column", column.key, table.key), column.label, *column.synonyms)
            for target in table.targets.values():
                self._add(Slot("column", target.key, table.key), target.label, *target.synonyms)
            if placed.caption:
                self._add(Slot("caption", placed.caption), placed.caption)
        self._stems = self._without_units()
        self.labels = {cell.key: cell for cell in (*layout.head, *layout.foot) if cell.kind == "label"}
        self.values = {cell.key: cell for cell in (*layout.head, *layout.foot) if cell.kind == "value"}
        self.foot = frozenset(cell.key for cell in layout.foot)

    def _add(self, slot: Slot, *texts: str) -> None:
        for folded in dict.fromkeys(map(fold, texts)):
            self._slots[folded].append(slot)

    def slots(self, raw: Raw) -> tuple[Slot, ...]:
        """Return the slots whose label a cell carries; none for any other cell."""
        if type(raw) is not str or not raw or len(raw) > MAX_LABEL:
            return ()
        known = self._seen.get(raw)
        if known is None:
            folded = fold(raw)
            known = tuple(self._slots.get(folded, ()))
            if not known:
                known = tuple(self._stems.get(money_label(folded)[0] if "元" in folded else folded, ()))
            if len(self._seen) < 50_000:
                self._seen[raw] = known
        return known

    def _without_units(self) -> dict[str, list[Slot]]:
        """Index the labels of amounts, and the captions beside them, without their units."""
        money = {key for key, field in self.form.fields.items() if field.type == "money"}
        keys = money | {self.captions[key].text for key in money if key in self.captions}
        stems: dict[str, list[Slot]] = defaultdict(list)
        for text, slots in self._slots.items():
            if chosen := [slot for slot in slots if slot.kind in ("field", "caption") and slot.key in keys]:
                stems[money_label(text)[0]] += chosen
        return {stem: list(dict.fromkeys(slots)) for stem, slots in stems.items() if stem}

    @cached_property
    def captions(self) -> dict[str, Cell]:
        """Map each field to the caption beside it."""
        cells = (*self.form.layout.head, *self.form.layout.foot)
        captions = [cell for cell in cells if cell.kind == "caption"]
        beside = [(label, c) for label in cells for c in captions if c.row <= label.row < c.row + c.rows]
        return {label.key: caption for label, caption in beside if label.kind == "label"}

    @cached_property
    def units(self) -> dict[str, int]:
        """Say for each amount how many yuan it counts by what the form itself prints."""
        units = {}
        for key, field in self.form.fields.items():
            if field.type == "money":
                printed = [field.label, *([self.captions[key].text] if key in self.captions else ())]
                said = (money_label(fold(text))[1] for text in printed)
                units[key] = next((unit for unit in said if unit is not None), 1)
        return units

    @cached_property
    def blocks(self) -> tuple[Block, ...]:
        """Cut the layout at its tables; the last block has no table."""
        layout = self.form.layout
        ends = [placed.row for placed in layout.tables]
        blocks, top = [], 0
        for placed, end in zip((*layout.tables, None), (*ends, layout.rows - 1), strict=True):
            cells = [c for c in (*layout.head, *layout.foot) if top <= c.row <= end]
            texts = [(c.row - top, c.col, c.text) for c in cells if c.kind in ("title", "label", "caption")]
            if placed is not None:
                texts += [(end - top, heading.col, heading.label) for heading in placed.entry]
                if placed.caption:
                    texts.append((end - top, 0, placed.caption))
            labels = tuple(c for c in cells if c.kind == "label")
            blocks.append(Block(top, end - top + 1, tuple(texts), labels, placed))
            top = end + 1
        return tuple(blocks)

    @cached_property
    def below(self) -> dict[str, bool]:
        """Tell for each field whether its value stands below its label instead of to its right."""
        return {key: self.values[key].row != cell.row for key, cell in self.labels.items()}

    def is_caption_part(self, text: str, placed: PlacedTable) -> bool:
        """Tell whether a cell is (a piece of) a table's vertical caption, torn by a page break."""
        return bool(placed.caption) and fold(text) in fold(placed.caption)


# --- as sent ----------------------------------------------------------------------------------


def as_sent(index: LabelIndex, rows: Rows) -> FoundForm | None:
    """Recognise a sheet whose labels all stand where the template put them; None where one does not.

    Only tables may have grown or shrunk, so what follows them is looked for from below.
    """
    first, *others = index.blocks
    if not first.stands_at(rows, 0):
        return None
    starts, bottom = [len(rows)], len(rows)
    for block in reversed(others):
        found = _lowest(block, rows, first.height, bottom) if block.texts else bottom - block.height
        if found is None:
            return None
        starts.append(bottom := found)
    starts.append(0)
    starts.reverse()
    anchors: dict[str, Anchor] = {}
    tables: list[FoundTable] = []
    for block, start, following in zip(index.blocks, starts[:-1], starts[1:], strict=True):
        anchors |= {c.key: Anchor(c.row - block.top + start, c.col, Slot("field", c.key)) for c in block.labels}
        if block.placed is not None:
            headings = tuple(Heading(h.key, h.col, h.col + h.columns - 1) for h in block.placed.entry)
            row = start + block.height - 1
            tables.append(FoundTable(block.placed.table, row, following - 1, headings, entry=True))
    edge = len(index.form.layout.widths) - 1
    return FoundForm(0, len(rows) - 1, anchors, (), tuple(tables), edge, expected=True)


def holds_another(index: LabelIndex, rows: Rows, found: FoundForm) -> bool:
    """Tell whether a second form stands in what looks like the first one's table, or beside it: half its labels do."""
    below = _fields(index, rows[found.tables[0].row + 1 :]) - index.foot if found.tables else frozenset()
    if 2 * len(below) >= len(index.labels):
        return True
    if not any(len(row) > found.edge + 1 + MARK_GAP for row in rows):  # there stands what the template writes itself
        return False
    return 2 * len(_fields(index, [row[found.edge + 1 :] for row in rows])) >= len(index.labels)


def _fields(index: LabelIndex, rows: Rows) -> frozenset[str]:
    return frozenset(slot.key for row in rows for raw in row for slot in index.slots(raw) if slot.kind == "field")


def _lowest(block: Block, rows: Rows, first: int, end: int) -> int | None:
    """Find the lowest place of a block: rows typed into a table may read like it, so the template's hint decides."""
    places = [row for row in range(first, end - block.height + 1) if block.stands_at(rows, row)]
    hinted = [row for row in places if block.placed and any(map(is_furniture, rows[row + block.height - 1]))]
    return max(hinted or places, default=None)


# --- searched ---------------------------------------------------------------------------------


Hit = tuple[int, int, tuple[Slot, ...]]


def labels_in(index: LabelIndex, rows: Rows) -> list[Hit]:
    """List every cell that carries a label: row, column, and the slots it may stand for."""
    return [
        (number, col, slots)
        for number, row in enumerate(rows)
        for col, raw in enumerate(row)
        if type(raw) is str and (slots := index.slots(raw))
    ]


def search(index: LabelIndex, rows: Rows, hits: Sequence[Hit], merges: Sequence[Span] = ()) -> list[FoundForm]:
    """Find every form of a grid, one below the other, by its labels.

    What begins like a form and is none belongs to the form above, which reports it.
    """
    forms: list[FoundForm] = []
    for start, end in itertools.pairwise([*_starts(index, hits), len(rows)]):
        inside = [hit for hit in hits if start <= hit[0] < end]
        found = _assign(index, rows, inside, start, end - 1, [m for m in merges if start <= m.row < end])
        if found is not None:
            forms.append(found)
        elif forms:
            forms[-1] = replace(forms[-1], last_row=end - 1)
    return forms


def _starts(index: LabelIndex, hits: Sequence[Hit]) -> list[int]:
    """Tell in which rows forms begin: at a title, or where a title is missing at the form's first label, or any."""
    first = next(iter(index.labels), "")
    starts: list[int] = []
    titled, named = False, -1
    for row, _, slots in hits:
        kinds = {(slot.kind, slot.key) for slot in slots}
        if ("title", "title") in kinds:
            if not (titled and starts and row == starts[-1]):
                starts.append(row)
            titled = True
        elif ("field", first) in kinds and row != named:
            if not titled and (not starts or row > starts[-1]):
                starts.append(row)
            titled, named = False, row
    return starts or [row for row, *_ in hits][:1]  # with both lost, the labels that are left may do


def _assign(
    index: LabelIndex, rows: Rows, hits: list[Hit], start: int, end: int, merges: Sequence[Span]
) -> FoundForm | None:
    """Decide which hit is which label; None where too few of the form's labels are there."""
    heads = _heading_rows(hits)
    columns = [Anchor(r, c, s) for r, c, slots in hits if r in heads for s in slots if s.table == heads[r]]
    first_head = min(heads, default=end + 1)
    by_text: dict[tuple[Slot, ...], list[tuple[int, int]]] = defaultdict(list)
    others = [Anchor(r, c, s) for r, c, slots in hits for s in slots if s.kind in ("title", "caption")]
    # A text of the table may read like a label: below its headings one counts only if it is missing above.
    for above in (True, False):
        known = set(by_text)
        for row, col, slots in hits:
            fields = tuple(slot for slot in slots if slot.kind == "field")
            if fields and row not in heads and (row < first_head) == above and fields not in known:
                by_text[fields].append((row, col))
    anchors: dict[str, Anchor] = {}
    ambiguous: list[str] = []
    for fields, places in sorted(by_text.items(), key=lambda item: len(item[0])):
        chosen, doubt = _pair(index, fields, places, anchors, rows)
        anchors.update(chosen)
        ambiguous += doubt
    wanted = len(index.labels) + sum(len(p.print) for p in index.form.layout.tables)
    if 2 * (len(anchors) + len({a.slot for a in columns})) < wanted:
        return None
    edge = _edge(index, anchors.values(), columns, merges)
    edge += _is_moved(rows[start : end + 1], edge)
    tables = _tables(index, rows, columns, {a.row for a in anchors.values()}, end, edge, merges)
    return FoundForm(start, end, anchors, tuple(others), tuple(tables), edge, tuple(ambiguous))


def _heading_rows(hits: list[Hit]) -> dict[int, str]:
    """Map each row that holds two or more headings of a table to that table."""
    counts: dict[tuple[int, str], set[str]] = defaultdict(set)
    for row, _, slots in hits:
        for slot in slots:
            if slot.kind == "column":
                counts[row, slot.table].add(slot.key)
    best: dict[int, str] = {}
    for (row, table), keys in sorted(counts.items(), key=lambda item: len(item[1])):
        if len(keys) >= 2:
            best[row] = table
    return best


def _pair(
    index: LabelIndex,
    fields: tuple[Slot, ...],
    places: list[tuple[int, int]],
    anchors: Mapping[str, Anchor],
    rows: Rows,
) -> tuple[dict[str, Anchor], list[str]]:
    """Pair labels that read alike with the places where they were found; also the keys that were paired by guess."""
    if len(fields) == 1:
        if fields[0].key in index.foot:  # what stands in a table above it is no label
            places = [place for place in places if place[0] == places[-1][0]]
        row, col = _first_real(index, places, anchors, rows)
        return {fields[0].key: Anchor(row, col, fields[0])}, []
    places = sorted(places)[: len(fields)]
    if len(places) == len(fields):
        return {s.key: Anchor(*p, s) for s, p in zip(fields, places, strict=True)}, []
    # Fewer than there should be: each goes to the group (funding.annual.*) whose labels stand in its column.
    chosen: dict[str, Anchor] = {}
    for row, col in places:
        free = [slot for slot in fields if slot.key not in chosen]
        best = min(free, key=lambda slot: _distance(slot.key, col, anchors))
        chosen[best.key] = Anchor(row, col, best)
    return chosen, list(chosen)


def _distance(key: str, col: int, anchors: Mapping[str, Anchor]) -> int:
    group = key.rpartition(".")[0]
    columns = [a.col for k, a in anchors.items() if k.rpartition(".")[0] == group]
    return min((abs(col - c) for c in columns), default=1_000)


def _first_real(
    index: LabelIndex, places: list[tuple[int, int]], anchors: Mapping[str, Anchor], rows: Rows
) -> tuple[int, int]:
    """Choose the first place that is not itself the value of the label before it (a project named like a label)."""
    for row, col in places[:-1]:
        before = next((c for c in range(col - 1, -1, -1) if rows[row][c] not in ("", None)), None)
        slots = index.slots(rows[row][before]) if before is not None else ()
        if not any(slot.kind == "field" and not index.below[slot.key] for slot in slots):
            return row, col
        if any(a.row == row and a.col == before for a in anchors.values()):
            continue
        return row, col
    return places[-1]


def _edge(index: LabelIndex, anchors: Iterable[Anchor], columns: Iterable[Anchor], merges: Iterable[Span]) -> int:
    """Return the last column of the form: as far right of the rightmost label as the layout says, or as its merged
    cells reach where a column was inserted."""
    width = len(index.form.layout.widths)
    printed: dict[str, list[TableColumn]] = defaultdict(list)
    for placed in index.form.layout.tables:
        for column in placed.print:
            printed[column.key].append(column)
    reach = [a.col + width - 1 - index.labels[a.slot.key].col for a in anchors]
    reach += [a.col + c.columns - 1 for a in columns for c in printed.get(a.slot.key, ())]
    edge = max(reach, default=width - 1)
    return max([edge, *(m.last_col for m in merges if 0 <= m.col <= edge)])


def _is_moved(rows: Rows, edge: int) -> bool:
    """Tell whether the last column of a form without merged cells was moved on: it is blank, and more stands behind."""
    filled = [not is_blank(row[edge + 1]) and not is_furniture(row[edge + 1]) for row in rows if len(row) > edge + 1]
    return sum(filled) > 1 and all(is_blank(row[edge]) for row in rows if len(row) > edge)


def _tables(
    index: LabelIndex,
    rows: Rows,
    columns: Sequence[Anchor],
    labelled: set[int],
    end: int,
    edge: int,
    merges: Sequence[Span],
) -> list[FoundTable]:
    """Make a table of each heading row; each ends where the next begins, or at the next label of a field."""
    spans = {(m.row, m.col): m.last_col for m in merges}
    by_row: dict[int, list[Anchor]] = defaultdict(list)
    for anchor in columns:
        by_row[anchor.row].append(anchor)
    ends = sorted({*by_row, *labelled, end + 1})
    found = []
    for start in sorted(by_row):
        table = by_row[start][0].slot.table
        keys = _heading_keys(index, table, by_row[start])
        cols = sorted(keys)
        entry = {h.key: h.columns for p in index.form.layout.tables if p.table == table for h in p.entry}
        headings = []
        for c, n in zip(cols, [*cols[1:], None], strict=True):
            reach = spans.get((start, c)) if n is None else n - 1
            last_col = max(edge, c) if reach is None else max(reach, c)
            headings.append(Heading(keys[c], c, last_col, reach == c + entry.get(keys[c], 1) - 1))
        last = next(row for row in ends if row > start) - 1
        apart = _three_cells(index, table, rows[: last + 1], start + 1, headings, merges)
        found.append(FoundTable(table, start, last, tuple(headings), apart))
    return found


def _heading_keys(index: LabelIndex, table: str, anchors: Sequence[Anchor]) -> dict[int, str]:
    """Say which column or target each heading of a row is. A label may mean both a target in one cell and its value
    alone; it is the value where operator or unit have headings of their own."""
    keys: dict[int, set[str]] = defaultdict(set)
    for anchor in anchors:
        keys[anchor.col].add(anchor.slot.key)
    alone = {key for found in keys.values() if len(found) == 1 for key in found}
    chosen: dict[int, str] = {}
    for col, found in keys.items():
        targets = [t for t in index.form.tables[table].targets.values() if t.key in found]
        split = [t for t in targets if alone & {t.operator, t.unit} and t.value in found]
        chosen[col] = split[0].value if split else targets[0].key if targets else min(found)
    return chosen


def _three_cells(
    index: LabelIndex, table: str, rows: Rows, first: int, headings: Sequence[Heading], merges: Sequence[Span]
) -> bool:
    """Tell whether targets are typed in three cells: some row has two values under the heading of a target."""
    targets = index.form.tables[table].targets
    spans = [(h.col, h.last_col) for h in headings if h.key in targets and h.last_col > h.col]
    merged = {(m.row, m.col): m.last_col for m in merges if m.row >= first and m.row == m.last_row}
    for number in range(first, len(rows)):
        for col, last in spans:
            filled = [c for c, raw in enumerate(rows[number][col : last + 1], col) if raw not in ("", None)]
            # What a merge hides is no second value.
            if len(filled) > 1 and filled[1] > merged.get((number, filled[0]), filled[0]):
                return True
    return False


def pattern(template: str) -> re.Pattern[str]:
    """Turn a text with {{ year }} and {{ organization }} into a pattern that finds them again, however spaced.

    A year may be left blank. To be matched against text whose width is folded (NFKC).
    """
    parts = re.split(r"\{\{\s*(\w+)\s*\}\}", unicodedata.normalize("NFKC", template))
    kinds = {"year": r"(?P<year>\d{4})?", "organization": r"(?P<organization>\S.{0,100}?)"}
    out = [
        kinds.get(part, ".*?") if i % 2 else r"\s*".join(map(re.escape, "".join(part.split())))
        for i, part in enumerate(parts)
    ]
    return re.compile(r"\s*".join(out)) if template else re.compile(r"(?!)")


def printed_match(printed: re.Pattern[str], raw: Raw) -> re.Match[str] | None:
    """Match a cell with a `pattern`; a text too long to be a heading is not looked at."""
    if not isinstance(raw, str) or len(raw) > MAX_HEADING:
        return None
    return printed.fullmatch(unicodedata.normalize("NFKC", raw).strip())
