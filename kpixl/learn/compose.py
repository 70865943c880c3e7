"""Composes a proposal of what was found on a sheet: fields, tables, lists, layout."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

from kpixl.forms.definition import YUAN, MoneyUnit
from kpixl.forms.money import UNITS, money_remark
from kpixl.forms.types import FIELD_TYPES
from kpixl.forms.values import fold
from kpixl.learn.beside import part_tables
from kpixl.learn.columns import propose_table
from kpixl.learn.guess import guess_type
from kpixl.learn.layout import USUAL_WIDTH, lay_out, least_width, narrowed
from kpixl.learn.outside import Outside, outer_rows, read_outside
from kpixl.learn.pairs import Pair, Pairs, find_pairs
from kpixl.learn.proposal import Proposal, ProposedField
from kpixl.learn.remarks import (
    AMBIGUOUS,
    CUT,
    FIRST_FIELD,
    MANY_PROJECTS,
    NO_TITLE,
    NO_UNIT,
    ONLY_TABLE,
    PIECE,
    PLACED_ONLY,
    YEAR_IN_TITLE,
    remark,
)
from kpixl.learn.settle import free_key, plain_prompt, settled
from kpixl.learn.sheet import Box, Boxes, SeenSheet
from kpixl.learn.sums import parts_of
from kpixl.learn.tables import SeenTable, find_tables
from kpixl.learn.words import Meaning, data, field_meaning, is_placeholder, needed, tick_items, type_meaning, unit_of

MAX_FIELDS = 300  # single values of a form; the longest seen has 60
LINE = 14.0  # points of a line of text in a form of 10 points
TALL = 60.0  # points of a row from which on its values are long texts


def compose(sheet: SeenSheet, form_id: str, file: str) -> Proposal:
    """Propose a definition of the form on a sheet."""
    boxes = Boxes(sheet)
    head, foot = outer_rows(boxes)
    tables = [table for table in find_tables(boxes) if table.head not in head]
    taken = {row for table in tables for row in range(table.top, table.last + 1)}
    numbers = [row for row in boxes.rows if row not in taken and row not in head and row not in foot]
    inner = find_pairs(boxes, taken, numbers)
    outside = read_outside(boxes, head, foot)
    proposal = Proposal(form_id, file, sheet.name, fonts=_fonts(boxes), paper=sheet.paper, margins=sheet.margins)
    _titles(proposal, outside)
    money = _money(proposal, outside, inner, tables)
    pairs = sorted([*outside.pairs, *inner.pairs], key=lambda pair: (pair.label.row, pair.label.col))
    if sheet.cut or len(pairs) > MAX_FIELDS:
        proposal.remarks.append(remark(CUT, unsure=True))
    pairs = pairs[:MAX_FIELDS]
    many = not pairs
    if many:
        tables, pairs = _without_fields(tables)
    keys = _fields(proposal, boxes, pairs, inner, outside, money)
    for number, table in enumerate(tables, 1):
        propose_table(proposal, boxes, table, number, money, filled=_is_filled(pairs))
    lay_out(proposal, boxes, keys, outside, tables)
    part_tables(proposal)
    if many and len(proposal.tables) == 1 and len(proposal.tables[0].columns) > 1:
        _flatten(proposal, boxes, outside)
    elif many:
        proposal.remarks.append(remark(ONLY_TABLE, unsure=True))
    return proposal


# --- title, money, fonts --------------------------------------------------------------------------


def _titles(proposal: Proposal, outside: Outside) -> None:
    proposal.title = outside.title_text or proposal.sheet
    proposal.subtitle = outside.subtitle_text
    proposal.instructions = tuple(box.text for box in outside.notes)
    if outside.title is None:
        proposal.remarks.append(remark(NO_TITLE, unsure=True, title=proposal.title))
    elif fold(outside.title.text) != fold(outside.title_text):
        proposal.remarks.append(remark(YEAR_IN_TITLE, cell=outside.title.address, text=outside.title.text))


def _money(proposal: Proposal, outside: Outside, inner: Pairs, tables: Sequence[SeenTable]) -> MoneyUnit:
    """Choose the unit of money: the one that most labels, captions and headings name, or a remark in the head."""
    texts = [pair.label.text for pair in inner.pairs] + [box.text for box in inner.captions]
    texts += [box.text for table in tables for box in (*table.headings, *table.upper)]
    texts += [table.caption.text for table in tables if table.caption is not None]
    named = Counter(unit for text in texts if (unit := unit_of(text)) is not None and unit.name in UNITS)
    most = named.most_common(1)
    unit = most[0][0] if most else outside.unit if outside.unit is not None and outside.unit.name in UNITS else None
    if unit is None:
        proposal.remarks.append(remark(NO_UNIT, unsure=True, unit=YUAN.name))
    unit = unit or YUAN
    proposal.money = unit.name
    return unit


def _fonts(boxes: Boxes) -> dict[str, str | float]:
    looks = [box.look for box in boxes.all() if box.text and box.look.font]
    if not looks:
        return {}
    largest = max(looks, key=lambda look: look.size)
    name, size = Counter((look.font, look.size) for look in looks).most_common(1)[0][0]
    return {"body": name, "heading": largest.font, "size": size or 10, "title": largest.size or 16}


def _is_filled(pairs: Sequence[Pair]) -> bool:
    """Return whether somebody has filled in the form: then what its tables hold is an example."""
    held = [pair.value.text for pair in pairs]
    typed = sum(bool(text) and not is_placeholder(text) and not tick_items(text) for text in held)
    return typed * 3 > len(held)


# --- fields ---------------------------------------------------------------------------------------


def _without_fields(tables: Sequence[SeenTable]) -> tuple[list[SeenTable], list[Pair]]:
    """Make fields of the first columns of a form that has only a table: projects as its rows."""
    if not tables or not tables[0].body:
        return list(tables), []
    first = tables[0]
    row = first.body[0]
    named = [n for n, box in enumerate(first.headings) if box.text]
    taken = [n for n in named if field_meaning(first.headings[n].text) is not None] or named[:1]
    taken = [n for n in taken if n < len(first.headings) - 1]
    kept = [n for n in range(len(first.headings)) if n not in taken]
    table = replace(
        first,
        headings=tuple(first.headings[n] for n in kept),
        body=tuple(tuple(cells[n] for n in kept) for cells in first.body),
        upper=(),
    )
    return [table, *tables[1:]], [Pair(first.headings[n], row[n]) for n in taken]


def _flatten(proposal: Proposal, boxes: Boxes, outside: Outside) -> None:
    """Add the columns of a sheet on which projects are rows, in the order of the sheet."""
    proposal.remarks.append(remark(MANY_PROJECTS, unsure=True))
    columns = [("field", one) for one in proposal.fields] + [("column", one) for one in proposal.tables[0].columns]
    starts = {box.address: box.col for box in boxes.all()}
    placed = [(starts[one.cell], kind, one.key) for kind, one in columns]
    placed.sort(key=lambda part: part[0])  # the parts of a target keep their order
    widths = dict(zip(boxes.columns, proposal.widths, strict=True))
    proposal.flat = tuple((kind, key, widths[col]) for col, kind, key in placed)
    kept = [widths[starts[one.cell]] for one in proposal.tables[0].columns]
    more = max(map(least_width, proposal.rows), default=0) - len(kept)
    proposal.widths = (*kept, *[USUAL_WIDTH] * more)
    proposal.rows = [narrowed(row, len(proposal.widths)) for row in proposal.rows]
    proposal.unit_line = next((box.text for box in outside.captions if money_remark(box.text) is not None), "")


def _fields(
    proposal: Proposal, boxes: Boxes, pairs: Sequence[Pair], inner: Pairs, outside: Outside, money: MoneyUnit
) -> dict[Box, str]:
    """Add a field for each pair; return the key of each label and value."""
    keys: dict[Box, str] = {}
    used: set[str] = set()
    for pair in pairs:
        meaning = field_meaning(pair.label.text)
        key = free_key(meaning.key if meaning else f"cell_{pair.value.address.partition(':')[0].lower()}", used)
        keys |= {pair.label: key, pair.value: key}
        found = _field(proposal, boxes, pair, key, meaning, money)
        if pair.label in outside.pieces:
            found = replace(found, remarks=(*found.remarks, remark(PIECE)))
        proposal.fields.append(found)
    _head_fields(proposal)
    _headings(proposal, {box: key for box, key in keys.items() if box in inner.role}, inner)
    addresses = {pair.value: keys[pair.value] for pair in pairs}
    amounts = {one.key for one in proposal.fields if FIELD_TYPES[one.type].is_amount}
    sums = {keys[box]: parts_of(boxes, box, addresses, amounts) for box in addresses if keys[box] in amounts}
    proposal.fields = [replace(one, sum=sums.get(one.key, ())) for one in proposal.fields]
    return keys


def _field(
    proposal: Proposal, boxes: Boxes, pair: Pair, key: str, meaning: Meaning | None, money: MoneyUnit
) -> ProposedField:
    label, value = pair.label, pair.value
    guess = guess_type(value, label.text, meaning)
    kind, choices, remarks = settled(proposal, key, guess, label.text, money)
    if pair.unsure:
        remarks.append(remark(PLACED_ONLY, unsure=True, cell=value.address))
    prompt = value.rule.prompt if value.rule else ""
    said = needed(prompt) if prompt else None
    said = needed(label.text) if said is None else said
    meant = meaning or type_meaning(label.text)
    width = sum(boxes.sheet.widths.get(col, 9.0) for col in range(value.col, value.last_col + 1))
    return ProposedField(
        key,
        label.text,
        label.address,
        value.address,
        guess,
        kind,
        choices,
        required=bool(said or (said is None and meaning is not None and meaning.required)),
        lines=_lines(boxes, value, kind, meant),
        width=round(min(max(width, 8), 60)),
        help=plain_prompt(prompt),
        remarks=tuple(remarks),
    )


def _lines(boxes: Boxes, value: Box, kind: str, meaning: Meaning | None) -> int:
    """Return the height of a text's box in lines; 1 where it is a line."""
    if kind != "text":
        return 1
    height = sum(boxes.sheet.heights.get(row, 0) for row in range(value.row, value.last_row + 1))
    if height >= TALL:
        return max(2, round(height / LINE))
    wide = value.columns * 3 >= len(boxes.columns)
    return meaning.lines if meaning is not None and wide else 1


def _head_fields(proposal: Proposal) -> None:
    """Choose what distinguishes projects, and the heading of their ids."""
    keys = [one.key for one in proposal.fields]
    meanings = {one.key: field_meaning(one.label) for one in proposal.fields}
    name = next((key for key in keys if (m := meanings[key]) is not None and m.required), None)
    if name is None and keys:
        proposal.remarks.append(remark(FIRST_FIELD, unsure=True, key=keys[0]))
    chosen = [key for key in (name or (keys[0] if keys else None), "unit") if key in keys]
    proposal.key_fields = tuple(dict.fromkeys(chosen))
    proposal.organization = next((key for key in keys if (m := meanings[key]) is not None and m.organization), "")
    spoken = data()["id-field"]
    labels = {fold(one.label) for one in proposal.fields}
    proposal.id_label = next(text for text in (spoken["label"], spoken["otherwise"]) if fold(text) not in labels)
    proposal.id_synonyms = tuple(text for text in spoken["synonyms"] if fold(text) not in labels)


def _headings(proposal: Proposal, keys: dict[Box, str], inner: Pairs) -> None:
    """Give fields whose labels read alike headings that differ, by what is above or beside them."""
    counts = Counter(fold(one.label.rstrip(":：")) for one in proposal.fields)
    taken = {fold(proposal.id_label)}
    labels = {key: box for box, key in reversed(keys.items()) if inner.role[box] == "label"}
    named: list[ProposedField] = []
    for one in proposal.fields:
        label = " ".join(one.label.rstrip(":：").split()) or one.key
        heading = label
        if counts[fold(one.label.rstrip(":："))] > 1 and one.key in labels:
            above = next(_contexts(labels[one.key], inner), "")
            heading = f"{above} {label}".strip()
            remarks = (*one.remarks, remark(AMBIGUOUS, label=label, heading=heading))
            one = replace(one, remarks=remarks)
        number = 2
        while fold(heading) in taken:
            heading, number = f"{label} {number}", number + 1
        taken.add(fold(heading))
        named.append(replace(one, heading="" if heading == one.label.rstrip(":：") else heading))
    proposal.fields = named


def _contexts(label: Box, inner: Pairs) -> Iterator[str]:
    """Yield what distinguishes a label from others that read alike: the first label of its column, its caption."""
    captions = [box for box in inner.captions if box.row <= label.row <= box.last_row and box.col < label.col]
    for caption in captions:
        column = [
            box
            for box, role in inner.role.items()
            if role == "label" and box.col == label.col and caption.row <= box.row < label.row
        ]
        if column:
            yield " ".join(min(column, key=lambda box: box.row).text.rstrip(":：").split())
    yield from (" ".join(caption.text.rstrip(":：").split()) for caption in captions)
