"""Proposes the tables of a definition: columns with types and lists, targets, rows that are printed beforehand."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from kpixl.forms.definition import MoneyUnit
from kpixl.forms.values import fold
from kpixl.learn.guess import BY_LABEL, Guess, guess_type
from kpixl.learn.lists import add_tree, operator_list, printed_levels, unit_list
from kpixl.learn.proposal import Proposal, ProposedField, ProposedTable, Remark
from kpixl.learn.remarks import FURTHER, GRID, PARTED, SIDE_BY_SIDE, STACKED, remark
from kpixl.learn.settle import free_key, plain_prompt, settled
from kpixl.learn.sheet import Box, Boxes
from kpixl.learn.tables import SeenTable, seen
from kpixl.learn.words import Meaning, column_meaning, data, field_meaning, type_meaning, unit_of

LEAST_ROWS = 6  # that a table offers which is to be filled in; a grid has as many as it prints
MAX_SHOWN = 4  # texts quoted in a remark


def propose_table(
    proposal: Proposal, boxes: Boxes, table: SeenTable, number: int, money: MoneyUnit, *, filled: bool
) -> None:
    """Add a table to a proposal."""
    meanings = [_meaning(table, n) for n in range(len(table.headings))]
    key = _key(proposal, table, meanings, number)
    guesses = [
        guess_type(_sample(table, n), box.text, meanings[n]) if not (table.grid and n == 0) else Guess("text", BY_LABEL)
        for n, box in enumerate(table.headings)
    ]
    trees = {} if table.grid else add_tree(proposal, table, key, guesses)
    used: set[str] = set()
    columns: list[ProposedField] = []
    for n, (heading, meaning, guess) in enumerate(zip(table.headings, meanings, guesses, strict=True)):
        name = free_key("item" if table.grid and n == 0 else meaning.key if meaning else _own(heading), used)
        columns.append(_column(proposal, boxes, table, n, name, meaning, guess, trees.get(n, ""), money))
    target = _target(boxes, table, columns, meanings)
    if target:
        columns = _parted(proposal, columns, target)
    presets = () if filled and not table.grid else _presets(table, columns)
    label = _label(table, key)
    rows = len(table.body) if table.grid else max(len(table.body), LEAST_ROWS, len(presets))
    cells = f"{table.headings[0].address}:{table.headings[-1].address}"
    found = ProposedTable(key, label, cells, rows, tuple(columns), target, presets, _remarks(table, target))
    proposal.tables.append(found)


def _own(heading: Box) -> str:
    return f"column_{heading.address.partition(':')[0].lower()}"


def _meaning(table: SeenTable, number: int) -> Meaning | None:
    label = _full_label(table, number)
    return column_meaning(label) or _amount_meaning(label)


def _amount_meaning(label: str) -> Meaning | None:
    """Return what a heading means that is otherwise the label of an amount."""
    found = field_meaning(label)
    return replace(found, required=False) if found is not None and found.type == "money" else None


def _full_label(table: SeenTable, number: int) -> str:
    """Return a heading, or the one above it where it is blank."""
    return " ".join(table.headings[number].text.split()) or str(data()["corner"])


def _key(proposal: Proposal, table: SeenTable, meanings: Sequence[Meaning | None], number: int) -> str:
    keys = {meaning.key for meaning in meanings if meaning is not None}
    name = f"table_{number}"
    if keys & {"level1", "level2", "name"}:
        name = "indicators"
    elif keys & {"start", "end"}:
        name = "schedule"
    elif table.grid and keys & {"initial_budget", "full_budget", "executed", "amount"}:
        name = "funding"
    return free_key(name, {one.key for one in proposal.tables} | {one.key.partition(".")[0] for one in proposal.fields})


def _label(table: SeenTable, key: str) -> str:
    text = table.caption.text if table.caption is not None else ""
    return " ".join(text.split())[:40] or _full_label(table, 0) or key


def _sample(table: SeenTable, number: int) -> Box:
    """Return the box below a heading that shows most of its type: one with a list, a filled one, or the first."""
    cells = table.column(number)
    return next((b for b in cells if b.rule and b.rule.kind), next((b for b in cells if seen(b)), cells[0]))


def _column(
    proposal: Proposal,
    boxes: Boxes,
    table: SeenTable,
    number: int,
    key: str,
    meaning: Meaning | None,
    guess: Guess,
    tree_list: str,
    money: MoneyUnit,
) -> ProposedField:
    heading, sample = table.headings[number], _sample(table, number)
    label = _full_label(table, number)
    kind, choices, remarks = settled(proposal, key, guess, label, money, tree_list)
    if table.grid and number and guess.unsure and _counts_money(table):
        kind, remarks = "money", []
    width = sum(boxes.sheet.widths.get(col, 9.0) for col in range(heading.col, heading.last_col + 1))
    return ProposedField(
        key,
        label,
        heading.address,
        sample.address,
        guess,
        kind,
        choices,
        required=bool(meaning and meaning.required),
        fill=bool((meaning and meaning.fill) or (tree_list and number == 0)) and not table.grid,
        width=round(min(max(width, 8), 60)),
        help=plain_prompt(sample.rule.prompt) if sample.rule else "",
        remarks=tuple(remarks),
    )


def _counts_money(table: SeenTable) -> bool:
    """Return whether a grid is of amounts, by its caption or the labels of its rows."""
    if table.caption is not None and unit_of(table.caption.text) is not None:
        return True
    labels = [row[0].text for row in table.body]
    known = [meaning for text in labels if (meaning := field_meaning(text) or type_meaning(text)) is not None]
    return sum(meaning.type == "money" for meaning in known) * 2 > len(labels)


# --- targets --------------------------------------------------------------------------------------


def _target(
    boxes: Boxes, table: SeenTable, columns: Sequence[ProposedField], meanings: Sequence[Meaning | None]
) -> str:
    """Return the label of the target that is to be parted: one column, and room for two more."""
    found = [n for n, meaning in enumerate(meanings) if meaning is not None and meaning.target]
    parted = {"operator", "unit"} & {one.key for one in columns}
    room = len(boxes.columns) - len(columns) - (table.caption is not None)
    if len(found) != 1 or parted or room < 2 or columns[found[0]].type not in ("text", "quantity"):
        return ""
    return columns[found[0]].label


def _parted(proposal: Proposal, columns: Sequence[ProposedField], label: str) -> list[ProposedField]:
    """Put the three parts of a target in the place of its column."""
    names = data()["parts"]
    found: list[ProposedField] = []
    for one in columns:
        if one.label != label:
            found.append(one)
            continue
        operators, units = operator_list(proposal), unit_list(proposal)
        parts = (("operator", "operator", operators), ("value", "quantity", ""), ("unit", "unit", units))
        found += [
            replace(
                one, key=key, label=names[key], type=kind, choices=listed, remarks=one.remarks if not listed else ()
            )
            for key, kind, listed in parts
        ]
    return found


# --- rows that are printed beforehand ---------------------------------------------------------------


def _presets(table: SeenTable, columns: Sequence[ProposedField]) -> tuple[dict[str, str], ...]:
    """Return the rows that a blank form prints: labels of a grid, levels over blank names, questions to be answered."""
    levels = printed_levels(table)
    texts = {column.cell: column for column in columns if column.type in ("text", "choice")}
    printed = {
        number: texts[heading.address].key
        for number, heading in enumerate(table.headings)
        if heading.address in texts and (number in levels or all(seen(row[number]) for row in table.body))
    }
    if not levels and not table.grid:
        return ()
    rows: list[dict[str, str]] = []
    above: dict[int, str] = {}
    for row in table.body:
        for number in printed:
            if text := seen(row[number]):
                above = {k: v for k, v in above.items() if k < number} | {number: " ".join(text.split())}
        if above:
            rows.append({printed[number]: text for number, text in above.items()})
    return tuple(dict(pairs) for pairs in dict.fromkeys(tuple(row.items()) for row in rows))


def _remarks(table: SeenTable, target: str) -> tuple[Remark, ...]:
    found: list[Remark] = []
    if table.upper:
        found.append(_quoting(STACKED, table.upper))
    if table.further:
        found.append(_quoting(FURTHER, table.further))
    if table.grid:
        rows = "、".join(" ".join(row[0].text.split()) for row in table.body[:MAX_SHOWN])
        found.append(remark(GRID, unsure=True, rows=rows))
    counts = Counter(fold(box.text) for box in table.headings if box.text)
    if twice := [box.text for box in table.headings if counts[fold(box.text)] > 1]:
        found.append(remark(SIDE_BY_SIDE, unsure=True, labels="、".join(dict.fromkeys(twice))))
    if target:
        found.append(remark(PARTED, label=target))
    return tuple(found)


def _quoting(text: tuple[str, str], quoted: Sequence[Box]) -> Remark:
    cells = ", ".join(box.address for box in quoted[:MAX_SHOWN])
    texts = "、".join(" ".join(box.text.split()) for box in quoted[:MAX_SHOWN])
    return remark(text, unsure=True, cells=cells, texts=texts)
