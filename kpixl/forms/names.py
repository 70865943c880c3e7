"""Fields of a form as people name them."""

from __future__ import annotations

from kpixl.forms.definition import Field, Form
from kpixl.forms.values import fold
from kpixl.problems import failure


def field_called(form: Form, name: str) -> Field:
    """Return the field called `name`: by its key, label or heading. Raises KpixlError `field-unknown`."""
    for key, field in form.fields.items():
        if name == key or fold(name) in (fold(field.label), fold(field.heading)):
            return field
    known = ", ".join(f"{key} ({field.heading})" for key, field in form.fields.items())
    raise failure("field-unknown", field=name, known=known)


def unit_field(form: Form) -> Field | None:
    """Return the field that says whose a project is: what tells projects apart after the name; None where none does."""
    return form.fields[form.key_fields[1]] if len(form.key_fields) > 1 else None
