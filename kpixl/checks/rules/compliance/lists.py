"""Closed lists of a form."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from kpixl.forms.definition import Choices, Field, Form


def closed_lists(form: Form, fields: Mapping[str, Field]) -> Iterator[tuple[Field, Choices]]:
    for field in fields.values():
        if field.choices and not form.choices[field.choices].open:
            yield field, form.choices[field.choices]
