"""Fields of a form as people name them."""

from __future__ import annotations

from kpixl.forms.definition import Field, Form, PlacedTable, Table
from kpixl.forms.values import fold
from kpixl.problems import failure


def field_called(form: Form, name: str) -> Field:
    """Return the field called `name`: by its key, label, heading or a synonym, or by a part of one field's label only.

    Raises KpixlError `field-unknown`, with the fields that may be meant.
    """
    word = fold(name)
    near: list[Field] = []
    nearly: list[Field] = []  # by a synonym only, which staff write but nobody prints
    for key, field in form.fields.items():
        names = [fold(text) for text in (field.label, field.heading, *field.synonyms)]
        if name == key or word in names:
            return field
        if word and (any(word in text for text in names[:2]) or name.casefold() in key.split(".")):
            near.append(field)
        elif word and any(word in text for text in names):
            nearly.append(field)
    near = near or nearly
    if len(near) == 1:
        return near[0]
    known = ", ".join(f"{field.key} ({field.heading})" for field in near or form.fields.values())
    raise failure("field-unknown", field=name, known=known)


def unit_field(form: Form) -> Field | None:
    """Return the field that says whose a project is: what tells projects apart after the name; None where none does."""
    return form.fields[form.key_fields[1]] if len(form.key_fields) > 1 else None


def office_key(form: Form) -> str | None:
    """Return the key of the field of the office above the unit; None where none is, or where it is the unit itself."""
    unit, key = unit_field(form), form.organization_field
    return None if key in (unit.key if unit else None, form.summary.subtotals) else key


def target_headings(table: Table, placed: PlacedTable) -> list[tuple[int, str]]:
    """Return what the template writes over the cells of a table's targets: (column, text), the target's own label over
    its value."""
    found = []
    for heading in placed.entry:
        if (target := table.targets.get(heading.key)) is not None:
            texts = (table.columns[target.operator].label, target.label, table.columns[target.unit].label)
            found += list(enumerate(texts, heading.col))
    return found
