"""Which labels of a sheet are which fields of a form, how they were recognised, and what to add to form.yaml."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from kpixl.forms.definition import Target
from kpixl.forms.values import fold, text_of
from kpixl.problems import Problem
from kpixl.readers import DEFAULT_LIMITS, Grid, Limits, read_grids
from kpixl.recognise.extract import AsSent, Extractor
from kpixl.recognise.kinds import kind_called
from kpixl.recognise.labels import Anchor, FoundForm, LabelIndex, Slot
from kpixl.recognise.missing_labels import expected_place
from kpixl.recognise.reading import FormReader
from kpixl.recognise.submission import OtherKind
from kpixl.texts import Text, say

HOW: dict[str, Text] = {
    "exact": ("与表式相同", "as in the form"),
    "folded": ("空格、全半角或单位不同", "other blanks, widths or unit"),
    "synonym": ("表式中的同义写法", "a synonym of the form"),
    "near": ("写法相近", "nearly the same"),
    "unclear": ("不能确定", "several cells may be meant"),
    "missing": ("没有找到", "not found"),
}


class Label(NamedTuple):
    """A label of a form: its key (`table.column` for a heading), how it is printed, and where and how it was found.

    Of one that is missing, `cell` and `text` are what is in its place. `defined`: where form.yaml defines it.
    """

    key: str
    label: str
    how: str
    cell: str = ""
    text: str = ""
    defined: str = ""


@dataclass(frozen=True, slots=True)
class Explained:
    """One form on one sheet, or a sheet without one. `sent`: it is laid out as it was sent out.

    `others`: what the sheet is instead, each with its cell.
    """

    sheet: str | None
    form: str | None
    sent: bool
    labels: tuple[Label, ...] = ()
    others: tuple[tuple[Text, str, str], ...] = ()

    @property
    def synonyms(self) -> dict[str, list[str]]:
        """Return what to add to form.yaml, by the place there: fields.name.synonyms."""
        found: dict[str, list[str]] = {}
        for label in self.labels:
            if label.how == "near":
                found.setdefault(f"{label.defined}.synonyms", []).append(label.text)
        return found

    def data(self, lang: str) -> dict[str, Any]:
        """Return it as data for machines."""
        return {
            "sheet": self.sheet,
            "form": self.form,
            "as_sent": self.sent,
            "labels": [label._asdict() for label in self.labels],
            "other_kinds": [{"kind": say(kind, lang), "cell": c, "evidence": told} for kind, c, told in self.others],
            "add_synonyms": self.synonyms,
        }


def explain(
    content: bytes, file: str, extractor: Extractor, limits: Limits = DEFAULT_LIMITS
) -> tuple[list[Explained], Sequence[Problem]]:
    """Explain every sheet of a file that holds something."""
    read = read_grids(content, file, limits)
    return [one for grid in read.grids if grid.rows for one in _sheet(extractor, grid)], read.problems


def _sheet(extractor: Extractor, grid: Grid) -> Iterator[Explained]:
    layout = extractor.locate(grid)
    if isinstance(layout, AsSent):
        yield Explained(grid.name, layout.reader.form.id, True, tuple(_labels(layout.reader, grid, layout.form)))
        return
    weak = [OtherKind(s.weak, s.place, s.told) for s in layout.sections if s.weak and not layout.parts]
    others = tuple(_other(grid, other) for other in (*layout.others, *weak))
    for reader, part in layout.parts:
        for form in part.forms:
            yield Explained(grid.name, reader.form.id, False, tuple(_labels(reader, part.grid, form)), others)
            others = ()
    if others or not layout.parts:
        yield Explained(grid.name, None, False, (), others)


def _other(grid: Grid, other: OtherKind) -> tuple[Text, str, str]:
    told = "、".join(" ".join(text.split()) for text in other.told)
    return kind_called(other.kind).name, grid.address(*other.place), told


def _labels(reader: FormReader, grid: Grid, form: FoundForm) -> Iterator[Label]:
    """List the labels of a form, then the headings of its tables."""
    for key in reader.index.labels:
        yield _label(reader.index, grid, form, Slot("field", key), form.anchors.get(key))
    for slot in reader.index.lines:
        place = form.lines.get(slot)
        yield _label(reader.index, grid, form, slot, Anchor(*place, slot) if place else None)
    for table in form.tables:
        at = {
            heading.key: Anchor(*table.place(heading), Slot("column", heading.key, table.table))
            for heading in table.headings
        }
        for key in _headings(reader.index, table.table, at):
            yield _label(reader.index, grid, form, Slot("column", key, table.table), at.get(key))
    found = {table.table for table in form.tables}
    for name in reader.form.tables.keys() - found:
        for key in _headings(reader.index, name, {}):
            yield _label(reader.index, grid, form, Slot("column", key, name), None)


def _headings(index: LabelIndex, table: str, found: dict[str, Anchor]) -> list[str]:
    """List the headings that a table has or should have: a target, or its parts where they are there."""
    printed = [column.key for column in index.placed[table].print]
    targets = index.form.tables[table].targets
    parts = {key: [p for p in targets[key].parts if p in found] for key in printed if key in targets}
    return [key for name in printed for key in (parts.get(name) or [name])]


def _label(index: LabelIndex, grid: Grid, form: FoundForm, slot: Slot, anchor: Anchor | None) -> Label:
    key = f"{slot.table}.{slot.key}" if slot.table else slot.key
    label = Label(key, index.printed(slot), "missing", defined=_defined(index, slot))
    if anchor is not None:
        text = _text(grid, anchor.row, anchor.col)
        how = _how(index, form, slot, anchor, text)
        return label._replace(how=how, cell=grid.address(anchor.row, anchor.col), text=text)
    if like := form.unclear.get(slot, ()):
        texts = "、".join(_text(grid, *place) for place in like)
        return label._replace(how="unclear", cell="、".join(grid.address(*place) for place in like), text=texts)
    place = expected_place(index, form.anchors, slot.key) if slot.kind == "field" else None
    if place is None or place[0] >= len(grid.rows) or place[1] >= len(grid.rows[place[0]]):
        return label
    return label._replace(cell=grid.address(*place), text=_text(grid, *place))


def _defined(index: LabelIndex, slot: Slot) -> str:
    if slot.kind in ("row", "head"):
        grid, _, line = slot.key.rpartition(".")
        return f"fields.{grid}.{'rows' if slot.kind == 'row' else 'columns'}.{line}"
    if not slot.table:
        return f"fields.{slot.key}"
    part = "columns" if slot.key in index.form.tables[slot.table].columns else "targets"
    return f"tables.{slot.table}.{part}.{slot.key}"


def _how(index: LabelIndex, form: FoundForm, slot: Slot, anchor: Anchor, text: str) -> str:
    if any((near.row, near.col) == (anchor.row, anchor.col) for near in form.near):
        return "near"
    defined, printed = index.definition(slot), {index.printed(slot)}
    if isinstance(defined, Target):  # a template heads a target's cells with its parts
        printed |= {index.form.tables[slot.table].columns[part].label for part in defined.parts}
    if text.rstrip(":：") in printed:
        return "exact"
    return "synonym" if fold(text) in map(fold, defined.synonyms) else "folded"


def _text(grid: Grid, row: int, col: int) -> str:
    return " ".join(text_of(grid.rows[row][col]).split())
