"""Fields of a form as people name them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import NamedTuple

from kpixl.forms.definition import Field, Form, HeadingGroup, PlacedTable, Table, TableColumn
from kpixl.forms.values import fold
from kpixl.problems import failure


def field_called(form: Form, name: str) -> Field:
    """Return the field called `name`: by its key, label, heading or a synonym, or by a part of one field's label only.

    Raises KpixlError `field-unknown`, with the fields that may be meant.
    """
    word = fold(name)
    names = {key: [fold(text) for text in (f.label, f.heading, *f.synonyms)] for key, f in form.fields.items()}
    for key, field in form.fields.items():
        if name == key or word in names[key]:
            return field
    near = [form.fields[key] for key in _near_keys(name, names)] if word else []
    if len(near) == 1:
        return near[0]
    known = ", ".join(f"{field.key} ({field.heading})" for field in near or form.fields.values())
    raise failure("field-unknown", field=name, known=known)


def _near_keys(name: str, names: Mapping[str, Sequence[str]]) -> list[str]:
    """List the fields a part of whose label or heading is `name`, or a part of their key; else of a synonym."""
    word = fold(name)
    printed = [
        key for key, (label, heading, *_) in names.items()
        if word in label or word in heading or name.casefold() in key.split(".")
    ]  # fmt: skip
    # Staff write synonyms, but nobody prints them.
    return printed or [key for key, texts in names.items() if any(word in text for text in texts)]


def unit_field(form: Form) -> Field | None:
    """Return the field that says whose a project is: what tells projects apart after the name; None where none does."""
    return form.fields[form.key_fields[1]] if len(form.key_fields) > 1 else None


def office_key(form: Form) -> str | None:
    """Return the key of the field of the office above the unit; None where none is, or where it is the unit itself."""
    unit, key = unit_field(form), form.organization_field
    return None if key in (unit.key if unit else None, form.summary.subtotals) else key


def group_spans(headings: Sequence[TableColumn]) -> list[tuple[HeadingGroup, int, int]]:
    """Return the groups over headings, each with its first physical column and how many columns it takes."""
    spans = []
    for group, found in groupby(headings, key=lambda heading: heading.group):
        inside = [*found]
        if group is not None:
            spans.append((group, inside[0].col, sum(heading.columns for heading in inside)))
    return spans


class EntryHeading(NamedTuple):
    """A text over the columns of a table in the template; `up`: rows above the last row of headings."""

    text: str
    col: int
    columns: int = 1
    up: int = 0
    rows: int = 1


def entry_headings(placed: PlacedTable, table: Table) -> Iterator[EntryHeading]:
    """Yield what the template writes over the columns of a table, but for the cells of its targets."""
    for heading in placed.entry:
        if heading.key not in table.targets:
            yield EntryHeading(heading.label, heading.col, heading.columns, *_reach(placed, heading))
    if placed.depth > 1:
        for group, col, columns in group_spans(placed.entry):
            yield EntryHeading(group.label, col, columns, placed.depth - 1)


def target_headings(placed: PlacedTable, table: Table) -> Iterator[EntryHeading]:
    """Yield what the template writes over the cells of a table's targets: the target's own label over its value."""
    for heading in placed.entry:
        if (target := table.targets.get(heading.key)) is not None:
            texts = (table.columns[target.operator].on_form, target.on_form, table.columns[target.unit].on_form)
            for col, text in enumerate(texts, heading.col):
                yield EntryHeading(text, col, 1, *_reach(placed, heading))


def _reach(placed: PlacedTable, heading: TableColumn) -> tuple[int, int]:
    """Return by how many rows a heading is above the last row of headings, and over how many rows it reaches."""
    return (0, 1) if heading.group else (placed.depth - 1, placed.depth)
