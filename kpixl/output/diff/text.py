"""What differs between two portfolios, as text and as data for machines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, NamedTuple

from kpixl.collection.sides import Side
from kpixl.forms.definition import Form, Table
from kpixl.forms.types import FIELD_TYPES
from kpixl.forms.values import number_text, target_text, text_of, to_yaml
from kpixl.keys import Key
from kpixl.portfolio.diff import ChangeKind, Diff, ProjectChange, RowChange, ValueChange, value_text
from kpixl.portfolio.model import Portfolio
from kpixl.problems import Location
from kpixl.texts import Text, say

MAX_SHOWN = 60  # characters of a text before it is cut to what differs
CONTEXT = 10  # characters shown before and after what differs

SIDE: Text = ("{name}（{facts}）", "{name} ({facts})")
COUNT: Text = ("{count} 个项目", "projects: {count}")
ONLY: dict[ChangeKind, Text] = {
    ChangeKind.ADDED: ("只在 B 中", "only in B"),
    ChangeKind.REMOVED: ("只在 A 中", "only in A"),
}
EQUAL: Text = ("两者完全相同。", "Both are equal.")
TOTALS: Text = (
    "有改动 {changed} 个，只在 A 中 {removed} 个，只在 B 中 {added} 个，相同 {same} 个。",
    "Changed: {changed}; only in A: {removed}; only in B: {added}; equal: {same}.",
)
SUM: Text = ("合计", "Total")
BLANK: Text = ("空", "blank")
RENUMBERED: Text = ("编号", "id")
SIGNS = {ChangeKind.ADDED: "+", ChangeKind.REMOVED: "-", ChangeKind.CHANGED: "~"}


class DiffLine(NamedTuple):
    """A line to show: what it is about (None for a heading), how far it is indented, and its text."""

    kind: ChangeKind | None
    indent: int
    text: str


def diff_lines(found: Diff, old: Side, new: Side, lang: str) -> Iterator[DiffLine]:
    """Write what differs, project by project, and the totals below."""
    for letter, side in (("A", old), ("B", new)):
        yield DiffLine(None, 0, f"{letter}  {_side_text(side.name, side.portfolio, lang)}")
    if not found.projects:
        yield DiffLine(None, 0, say(EQUAL, lang))
        return
    yield from change_lines(found, old, new, lang)


def change_lines(
    found: Diff, old: Side, new: Side, lang: str, only: Mapping[ChangeKind, Text] = ONLY, totals: Text = TOTALS
) -> Iterator[DiffLine]:
    """Write what differs, project by project, the total and the counts. `only`: of a project on one side."""
    for change in found.projects:
        yield from _project(found.form, change, old, new, lang, only)
    if found.amount is not None and found.amount.old != found.amount.new:
        yield DiffLine(None, 0, f"{say(SUM, lang)}  {value_change_text(found.amount, lang)}")
    yield DiffLine(None, 0, totals_text(found, lang, totals))


def totals_text(found: Diff, lang: str, text: Text = TOTALS) -> str:
    """Count the projects that differ."""
    counts = {str(kind): found.count(kind) for kind in ChangeKind}
    return say(text, lang, same=found.unchanged, **counts)


def _side_text(name: str, portfolio: Portfolio, lang: str) -> str:
    facts = [str(portfolio.year)] if portfolio.year is not None else []
    facts.append(say(COUNT, lang, count=len(portfolio.projects)))
    return say(SIDE, lang, name=name, facts=("，" if lang == "zh" else ", ").join(facts))


def side_text(side: Side, lang: str) -> str:
    """Name a side with its year and number of projects."""
    return _side_text(side.name, side.portfolio, lang)


def project_title(form: Form, change: ProjectChange) -> str:
    """Return id and name of a project."""
    name = " ".join(text_of(change.project.values[form.key_fields[0]]).split())
    return f"{change.project.id} {name}".strip()


def _project(
    form: Form, change: ProjectChange, old: Side, new: Side, lang: str, only: Mapping[ChangeKind, Text]
) -> Iterator[DiffLine]:
    title = project_title(form, change)
    if change.old is None or change.new is None:
        yield DiffLine(change.kind, 0, f"{SIGNS[change.kind]} {title}  {say(only[change.kind], lang)}")
        return
    source = str(new.place(change.new.id, None)) or str(old.place(change.old.id, None))
    yield DiffLine(None, 0, "  ".join(filter(None, (title, source))))
    if change.old.id != change.new.id:
        yield DiffLine(ChangeKind.CHANGED, 1, f"~ {say(RENUMBERED, lang)}: {change.old.id} → {change.new.id}")
    for value in change.values:
        key = Key(value.field.key)
        cell = new.place(change.new.id, key).address or old.place(change.old.id, key).address
        yield DiffLine(ChangeKind.CHANGED, 1, "  ".join(filter(None, (f"~ {value_change_text(value, lang)}", cell))))
    for row in change.rows:
        text = f"{SIGNS[row.kind]} {row_change_text(row, lang)}"
        yield DiffLine(row.kind, 1, "  ".join(filter(None, (text, _row_cells(row, change, old, new)))))


def _row_cells(row: RowChange, change: ProjectChange, old: Side, new: Side) -> str:
    """Name the cells of what differs in a row, those of the new side where they are known."""
    assert change.old is not None
    assert change.new is not None
    keys = [row_keys(row, value) for value in row.values]
    cells = [new.place(change.new.id, b).address or old.place(change.old.id, a).address for a, b in keys]
    named = list(dict.fromkeys(filter(None, cells)))
    return " ".join(named if row.kind is ChangeKind.CHANGED else named[:1])


def label(field_label: str) -> str:
    """Return a label without its colon."""
    return field_label.rstrip(":：")


def value_change_text(change: ValueChange, lang: str) -> str:
    """Write one change: 当年财政拨款: 600,000.00 → 500,000.00 (-100,000.00, -16.67 %)."""
    before, after = excerpts(value_text(change.field, change.old), value_text(change.field, change.new))
    blank = say(BLANK, lang)
    text = f"{label(change.field.heading or change.field.label)}: {before or blank} → {after or blank}"
    if change.difference is None:
        return text
    parts = [difference_text(change)]
    if change.percent is not None:
        parts.append(f"{_signed(number_text(change.percent), change.percent)}%")
    return f"{text}（{'，'.join(parts)}）" if lang == "zh" else f"{text} ({', '.join(parts)})"


def difference_text(change: ValueChange) -> str:
    """Write a difference as numbers of its field are written, with its sign."""
    assert change.difference is not None
    is_amount = FIELD_TYPES[change.field.type].is_amount
    shown = value_text(change.field, change.difference) if is_amount else number_text(change.difference)
    return _signed(shown, change.difference)


def _signed(text: str, number: Decimal) -> str:
    return f"+{text}" if number > 0 else text


def row_change_text(change: RowChange, lang: str) -> str:
    """Write a row that is only on one side as a whole, of another what differs."""
    where = f"{change.table.label} {change.title}".strip()
    if change.kind is ChangeKind.CHANGED:
        return f"{where}: " + ("；" if lang == "zh" else "; ").join(value_change_text(v, lang) for v in change.values)
    return f"{change.table.label} {row_text(change.table, change)}"


def row_text(table: Table, change: RowChange) -> str:
    """Write all of a row that is only on one side: its texts, and its targets as they are printed."""
    values = dict.fromkeys(table.columns) | {
        value.field.key: value.new if change.kind is ChangeKind.ADDED else value.old for value in change.values
    }
    parts = {part for target in table.targets.values() for part in target.parts}
    texts = [value_text(table.columns[key], value) for key, value in values.items() if key not in parts]
    shown = " / ".join(" ".join(text.split()) for text in texts if text)
    targets = [text for target in table.targets.values() if (text := target_text(values, target))]
    return "  ".join(filter(None, (shown, *targets)))


def excerpts(old: str, new: str) -> tuple[str, str]:
    """Cut two long texts to where they differ, with some characters around that."""
    if old.split() == new.split():  # only white space differs, and is shown
        old, new = old.replace("\n", "⏎"), new.replace("\n", "⏎")
    else:
        old, new = " ".join(old.split()), " ".join(new.split())
    if max(len(old), len(new)) <= MAX_SHOWN:
        return old, new
    start = _common(old, new)
    shorter = min(len(old), len(new)) - start
    end = _common(old[::-1][:shorter], new[::-1][:shorter])
    return _cut(old, start, len(old) - end), _cut(new, start, len(new) - end)


def _common(first: str, second: str) -> int:
    """Count the characters with which both texts begin."""
    shorter = min(len(first), len(second))
    return next((n for n in range(shorter) if first[n] != second[n]), shorter)


def _cut(text: str, start: int, end: int) -> str:
    first, last = max(0, start - CONTEXT), min(len(text), end + CONTEXT)
    if last - first > 2 * MAX_SHOWN:
        last = first + 2 * MAX_SHOWN
    return f"{'…' if first else ''}{text[first:last]}{'…' if last < len(text) else ''}"


# --- for machines -----------------------------------------------------------------------------


def diff_data(found: Diff, old: Side, new: Side) -> dict[str, Any]:
    """Turn a diff into JSON data. Amounts are written as in the YAML file, differences as exact texts."""
    return {
        "form": found.form.id,
        "old": _side_data(old),
        "new": _side_data(new),
        "counts": {**{str(kind): found.count(kind) for kind in ChangeKind}, "equal": found.unchanged},
        "amount": None if found.amount is None else _value_data(found.amount, Location(), Location()),
        "projects": [_project_data(found.form, change, old, new) for change in found.projects],
    }


def _side_data(side: Side) -> dict[str, Any]:
    portfolio = side.portfolio
    return {
        "name": side.name,
        "year": portfolio.year,
        "organization": portfolio.organization,
        "projects": len(portfolio.projects),
    }


def _project_data(form: Form, change: ProjectChange, old: Side, new: Side) -> dict[str, Any]:
    ids = [project and project.id for project in (change.old, change.new)]

    def value(one: ValueChange, old_key: Key | None, new_key: Key | None) -> dict[str, Any]:
        return _value_data(one, old.place(ids[0] or "", old_key), new.place(ids[1] or "", new_key))

    return {
        "kind": str(change.kind),
        "old_id": ids[0],
        "new_id": ids[1],
        "name": text_of(change.project.values[form.key_fields[0]]),
        "values": [value(one, Key(one.field.key), Key(one.field.key)) for one in change.values],
        "rows": [
            {
                "kind": str(row.kind),
                "table": row.table.key,
                "title": row.title,
                "old_row": row.old,
                "new_row": row.new,
                "values": [value(one, *row_keys(row, one)) for one in row.values],
            }
            for row in change.rows
        ],
    }


def row_keys(row: RowChange, value: ValueChange) -> tuple[Key | None, Key | None]:
    """Return the keys by which the sources know a value of a row, in the old portfolio and in the new one."""
    numbers = (row.old, row.new)
    first, second = (None if n is None else Key(row.table.key, n, value.field.key) for n in numbers)
    return first, second


def _value_data(change: ValueChange, old: Location, new: Location) -> dict[str, Any]:
    data: dict[str, Any] = {
        "field": change.field.key,
        "label": label(change.field.label),
        "old": to_yaml(change.old),
        "new": to_yaml(change.new),
    }
    if change.difference is not None:
        data["difference"] = number_text(change.difference)
        data["percent"] = None if change.percent is None else number_text(change.percent)
    for name, place in (("old_place", old), ("new_place", new)):
        if place.cell is not None:
            data[name] = {"file": place.file, "sheet": place.sheet, "cell": place.address}
    return data
