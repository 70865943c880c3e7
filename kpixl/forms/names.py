"""Fields of a form as people name them."""

from __future__ import annotations

from kpixl.forms.definition import Field, Form
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
