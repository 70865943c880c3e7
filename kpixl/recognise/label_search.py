"""Any other sheet is searched by its labels: folded, with synonyms, equal ones told apart by order."""

from __future__ import annotations

import itertools
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from kpixl.a1 import Span
from kpixl.forms.definition import Choices, TableColumn
from kpixl.forms.values import Raw, is_blank, read_choice
from kpixl.portfolio.own_texts import is_furniture
from kpixl.recognise.grids import cross, following, grid_heading_rows
from kpixl.recognise.headings import Heads, columns_in, heading_rows, with_shared, with_those_beside
from kpixl.recognise.label_with_value import labels_with_values
from kpixl.recognise.labels import MAX_LABEL, Anchor, FoundForm, FoundTable, Heading, Hit, LabelIndex, Rows, Slot
from kpixl.recognise.near_labels import NearLabels, near_columns, near_fields, near_heading_row
from kpixl.recognise.other_columns import other_columns, without_repeated
from kpixl.recognise.stacked_headings import Stack, groups_in, rows_of, stacked

MAX_PUT_IN = 3  # columns in front of the last one: more would be another table


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
            forms[-1] = _continued(index, rows, forms[-1], inside, end - 1)
    return forms


def _continued(index: LabelIndex, rows: Rows, form: FoundForm, hits: list[Hit], end: int) -> FoundForm:
    """Add to a form what follows it, down to row `end`; a table under nothing but a title goes on on another page."""
    heads, stack = stacked(index, rows, hits, heading_rows(index, hits))
    columns = with_shared(index, columns_in(index, hits, heads), heads)
    if any(slot.kind == "field" for row, _, slots in hits for slot in slots if row not in heads):
        columns = []
    tables = _tables(index, rows, columns, set(), end, form.edge, (), stack)
    return replace(form, last_row=end, tables=(*form.tables, *_with_groups(tables, stack, groups_in(hits, heads))))


def _starts(index: LabelIndex, hits: Sequence[Hit]) -> list[int]:
    """Return the rows in which forms begin: at a title, or without one at the form's first label, or any."""
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
    headings = sum(len(p.print) for p in index.layout.tables)
    grid_heads = grid_heading_rows(index, hits) if index.form.grids else {}
    lines = {slot for _, _, slots in hits for slot in slots if slot.kind in ("row", "head")}
    wanted = len(index.labels) + headings + len(index.lines)
    titled = any(slot.kind == "title" for _, _, slots in hits for slot in slots)
    most = len({slot.key for _, _, slots in hits for slot in slots if slot.kind == "field"}) + headings + len(lines)
    if 3 * most < wanted and not titled:  # the first sheet of a template: looking for near headings there costs most
        return None
    heads = heading_rows(index, hits, grid_heads.values())
    heads |= _near_heads(index, rows, heads, hits, start, end)
    heads, stack = stacked(index, rows, hits, heads)
    columns = columns_in(index, hits, heads)
    others = [Anchor(r, c, s) for r, c, slots in hits for s in slots if s.kind in ("title", "caption")]
    anchors, ambiguous = _choose(index, rows, _field_places(index, rows, hits, heads, start, end))
    found = len(anchors) + len(lines)
    if 3 * (found + len({a.slot for a in columns})) < wanted and not titled:
        return None
    near = _near(index, rows, anchors, heads, columns, hits, end, stack)
    anchors |= {a.slot.key: a for a in near.anchors if a.slot.kind == "field"}
    columns = with_shared(index, [*columns, *(a for a in near.anchors if a.slot.kind == "column")], heads)
    found = len(anchors) + len(lines)
    if 2 * (found + len({a.slot for a in columns})) < wanted or _is_list(index, anchors.values()):
        return None
    edge = _edge(index, anchors.values(), columns, merges)
    edge += moved_by(rows[start : end + 1], edge)
    tables = _tables(index, rows, columns, {a.row for a in anchors.values()}, end, edge, merges, stack)
    tables = _with_groups(tables, stack, groups_in(hits, heads))
    made = FoundForm(
        start, end, anchors, tuple(others), tuple(tables), edge, ambiguous, False, near.anchors, near.unclear
    )
    return _with_loose(index, rows, hits, made, grid_heads, merges) if index.loose else made


def _field_places(
    index: LabelIndex, rows: Rows, hits: Sequence[Hit], heads: Heads, start: int, end: int
) -> dict[tuple[Slot, ...], list[tuple[int, int]]]:
    """Map the fields that each text may be the label of to where that text stands."""
    first_head = min(heads, default=end + 1)
    found = [(row, col, tuple(slot for slot in slots if slot.kind == "field")) for row, col, slots in hits]
    places: dict[tuple[Slot, ...], list[tuple[int, int]]] = defaultdict(list)
    for row, col, fields in found:
        if fields and row < first_head:
            places[fields].append((row, col))
    # A text of the table may read like a label: below its headings one counts only if it is missing above.
    above = set(places)
    for row, col, fields in found:
        if fields and row >= first_head and row not in heads and fields not in above:
            places[fields].append((row, col))
    known = {slot for fields in places for slot in fields}
    for row, col, fields in labels_with_values(index, rows, heads, {hit[:2] for hit in hits}, start, end):
        if not known & set(fields):
            places[fields].append((row, col))
    return places


def _choose(
    index: LabelIndex, rows: Rows, places: Mapping[tuple[Slot, ...], list[tuple[int, int]]]
) -> tuple[dict[str, Anchor], tuple[str, ...]]:
    """Choose the cell of each label, texts that only one field has first; also the fields whose cell is in doubt."""
    anchors: dict[str, Anchor] = {}
    ambiguous: list[str] = []
    for fields, cells in sorted(places.items(), key=lambda item: len(item[0])):
        chosen, doubt = _pair(index, fields, cells, anchors, rows)
        anchors.update(chosen)
        ambiguous += doubt
    return anchors, tuple(ambiguous)


def _with_loose(
    index: LabelIndex,
    rows: Rows,
    hits: Sequence[Hit],
    found: FoundForm,
    heads: Mapping[str, int],
    merges: Sequence[Span],
) -> FoundForm:
    """Add the values that have no label of their own: those of grids, and those that follow another."""
    taken = [*(anchor.row for anchor in found.anchors.values()), *(table.row for table in found.tables)]
    grids = cross(index, rows, hits, heads, [*taken, found.last_row + 1], found.edge, merges)
    spots = {**grids.spots, **following(index, rows, found.anchors, found.tables, found.edge)}
    near = (*found.near, *grids.near)
    return replace(found, spots=spots, lines=grids.lines, empty=grids.empty, near=near)


def _near_heads(
    index: LabelIndex, rows: Rows, heads: Heads, hits: Sequence[Hit], start: int, end: int
) -> dict[int, tuple[str, ...]]:
    """Find the headings of tables that have less than two that read as they should."""
    known = {table for tables in heads.values() for table in tables}
    lost = [table for table in index.placed if table not in known] if hits else []
    found = ((near_heading_row(index, rows, table, start, end), table) for table in lost)
    return {row: with_those_beside(index, table) for row, table in found if row is not None and row not in heads}


def _near(
    index: LabelIndex,
    rows: Rows,
    anchors: Mapping[str, Anchor],
    heads: Heads,
    columns: Sequence[Anchor],
    hits: Sequence[Hit],
    end: int,
    stack: Stack,
) -> NearLabels:
    """Find the labels and headings that are missing by what is nearly them."""
    taken = {(row, col) for row, col, _ in hits}
    found = [near_fields(index, rows, anchors, heads, taken, end)]
    for row, table in ((row, table) for row, tables in heads.items() for table in tables if row not in stack):
        own = rows_of(stack, row)
        there = [anchor for anchor in columns if anchor.row in own and anchor.slot.table == table]
        if not there and len(heads[row]) > 1:  # a table that the form was printed without
            continue
        found.append(near_columns(index, rows, table, own, there, taken))
    unclear = {slot: places for labels in found for slot, places in labels.unclear.items()}
    return NearLabels(tuple(anchor for labels in found for anchor in labels.anchors), unclear)


def _is_list(index: LabelIndex, anchors: Iterable[Anchor]) -> bool:
    """Return whether labels that the form has in several rows are the headings of a list of projects, in one row."""
    by_row = Counter(anchor.row for anchor in anchors)
    widest = max(Counter(cell.row for cell in index.labels.values()).values(), default=0)
    return max(by_row.values(), default=0) > widest + 1 and len({c.row for c in index.labels.values()}) > 2


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
    unread = tuple(field for field in fields if field.key not in anchors)  # the others have labels of their own
    fields = unread if len(places) == len(unread) else fields
    places = _in_one_row(index, fields, sorted(places))[: len(fields)]
    if len(places) == len(fields):
        return {s.key: Anchor(*p, s) for s, p in zip(fields, places, strict=True)}, []
    # Fewer than there should be: each goes to the group (funding.annual.*) whose labels stand in its column.
    chosen: dict[str, Anchor] = {}
    for row, col in places:
        free = [slot for slot in fields if slot.key not in chosen]
        best = min(free, key=lambda slot: _distance(slot.key, col, anchors))
        chosen[best.key] = Anchor(row, col, best)
    return chosen, list(chosen)


def _in_one_row(index: LabelIndex, fields: tuple[Slot, ...], places: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Keep of a label that stands too often the row in which all stand that the layout has in one row."""
    if len(places) > len(fields) and len({index.labels[field.key].row for field in fields}) == 1:
        rows = [row for row, _ in places]
        whole = next((row for row in rows if rows.count(row) == len(fields)), None)
        return [place for place in places if whole in (None, place[0])]
    return places


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
    width = len(index.layout.widths)
    printed: dict[str, list[TableColumn]] = defaultdict(list)
    for placed in index.layout.tables:
        for column in placed.print:
            printed[column.key].append(column)
    reach = [a.col + width - 1 - index.labels[a.slot.key].col for a in anchors]
    reach += [a.col + c.columns - 1 for a in columns for c in printed.get(a.slot.key, ())]
    edge = max(reach, default=width - 1)
    return max([edge, *(m.last_col for m in merges if 0 <= m.col <= edge)])


def moved_by(rows: Rows, edge: int) -> int:
    """Return by how many columns the last one of a form without merged cells was moved on: it is blank, and more stands
    behind; 0 where it was not."""
    for col in range(edge, edge + MAX_PUT_IN):
        if any(not is_blank(row[col]) for row in rows if len(row) > col):
            return 0
        behind = (row[col + 1] for row in rows if len(row) > col + 1)
        if sum(not is_blank(raw) and not is_furniture(raw) for raw in behind) > 1:
            return col + 1 - edge
    return 0


def _tables(
    index: LabelIndex,
    rows: Rows,
    columns: Sequence[Anchor],
    labelled: set[int],
    end: int,
    edge: int,
    merges: Sequence[Span],
    stack: Stack,
) -> list[FoundTable]:
    """Make a table of each row of headings, or of two that are one above the other.

    Each ends where the next begins, or at the next label of a field.
    """
    spans = {(m.row, m.col): m.last_col for m in merges}
    by_row: dict[int, dict[str, list[Anchor]]] = defaultdict(lambda: defaultdict(list))
    for anchor in columns:
        by_row[stack.get(anchor.row, anchor.row)][anchor.slot.table].append(anchor)
    ends = sorted({*by_row, *stack, *labelled, end + 1})
    found = []
    for start in sorted(by_row):
        last = next(row for row in ends if row > start) - 1
        keys = {
            table: without_repeated(index, rows, start, table, _heading_keys(index, table, anchors))
            for table, anchors in by_row[start].items()
        }
        own_columns = set(itertools.chain(*keys.values()))
        others = other_columns(index, rows, start, own_columns, edge, merges)
        taken = sorted({*own_columns, *others})
        aside = frozenset(itertools.chain(*(range(first, end + 1) for first, end in others.items())))
        for table, own in keys.items():
            places = {anchor.col: anchor.row for anchor in by_row[start][table]}
            headings = _headings(index, table, start, places, own, taken, edge, spans)
            # In headings over two rows the lower one may be unknown: it is no row of the table.
            head = start + _has_subheads(index, rows[start : last + 1], headings)
            headings = [replace(heading, up=head - places[heading.col]) for heading in headings]
            apart = _three_cells(index, table, rows[: last + 1], head + 1, headings, merges)
            found.append(FoundTable(table, head, last, tuple(headings), apart, others=aside))
    return found


def _has_subheads(index: LabelIndex, rows: Rows, headings: Iterable[Heading]) -> bool:
    """Return whether the second row holds headings below wide ones and nothing else: 前年 | 上年 | 预计当年实现.

    A row of the table has one cell below each heading, and what is in a list of the form is no heading.
    """
    if len(rows) < 2:
        return False
    filled = {col for col, raw in enumerate(rows[1]) if not is_blank(raw)}
    below = [filled.intersection(range(heading.col, heading.last_col + 1)) for heading in headings]
    lists = index.form.choices.values()
    return (
        bool(filled)
        and filled == set().union(*below)
        and all(len(cells) != 1 for cells in below)
        and all(_may_head(rows[1][col], lists) for col in filled)
    )


def _may_head(raw: Raw, lists: Iterable[Choices]) -> bool:
    if not isinstance(raw, str) or len(raw) > MAX_LABEL or any(letter.isdigit() for letter in raw):
        return False
    return not any(read_choice(raw, choices).value in choices.items for choices in lists)


def _with_groups(tables: Sequence[FoundTable], stack: Stack, groups: Sequence[Anchor]) -> list[FoundTable]:
    """Give each table the headings over its headings."""
    return [
        replace(
            table,
            groups=tuple(
                (group.row, group.col)
                for group in groups
                if group.slot.table == table.table and group.row in rows_of(stack, table.row)
            ),
        )
        for table in tables
    ]


def _headings(
    index: LabelIndex,
    table: str,
    last: int,
    places: Mapping[int, int],
    keys: Mapping[int, str],
    taken: Sequence[int],
    edge: int,
    spans: Mapping[tuple[int, int], int],
) -> list[Heading]:
    """Make the headings of a table, each with the columns up to the next one: `taken`, also by a table beside it.

    `last`: their last row; `places`: column -> row of the heading; `keys`: column -> what the heading is.
    """
    entry = {heading.key: heading.columns for heading in index.placed[table].entry}
    alone = _next_to_lost(index, table, keys)
    headings = []
    for c in sorted(keys):
        behind = next((col for col in taken if col > c), None)
        reach = spans.get((places[c], c)) if behind is None else behind - 1
        if c in alone:  # what is further to the right belongs to a heading that is lost
            reach = min(c + alone[c] - 1, edge if reach is None else reach)
        last_col = max(edge, c) if reach is None else max(reach, c)
        headings.append(Heading(keys[c], c, last_col, reach == c + entry.get(keys[c], 1) - 1, last - places[c]))
    return headings


def _next_to_lost(index: LabelIndex, table: str, keys: Mapping[int, str]) -> dict[int, int]:
    """Map each heading that is followed in the form by one that is lost to the columns that it has in the form."""
    order = [column.key for column in index.placed[table].print]
    widths = {column.key: column.columns for column in index.placed[table].print}
    found = [(col, order.index(key)) for col, key in sorted(keys.items()) if key in widths]
    return {
        col: widths[order[at]]
        for (col, at), (behind, following) in itertools.pairwise(found)
        if following > at + 1 and behind > col + widths[order[at]]
    }


def _heading_keys(index: LabelIndex, table: str, anchors: Sequence[Anchor]) -> dict[int, str]:
    """Return the column or target of each heading of a row. A label may mean both a target in one cell and its value
    alone; it is the value where operator or unit have headings of their own, and so is any label of a target where
    both have."""
    keys: dict[int, set[str]] = defaultdict(set)
    for anchor in anchors:
        keys[anchor.col].add(anchor.slot.key)
    alone = {key for found in keys.values() if len(found) == 1 for key in found}
    chosen: dict[int, str] = {}
    for col, found in keys.items():
        targets = [t for t in index.form.tables[table].targets.values() if t.key in found]
        own = {t.key: alone & {t.operator, t.unit} for t in targets}
        split = [t for t in targets if (own[t.key] and t.value in found) or len(own[t.key]) == 2]
        chosen[col] = split[0].value if split else targets[0].key if targets else min(found)
    return chosen


def _three_cells(
    index: LabelIndex, table: str, rows: Rows, first: int, headings: Sequence[Heading], merges: Sequence[Span]
) -> bool:
    """Return whether targets are typed in three cells: some row has two values under the heading of a target."""
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
