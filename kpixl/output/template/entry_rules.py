"""What may be typed into the cell of a field: the options of Excel's data validation, with its messages."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from kpixl.forms.definition import Choices, Field, Form
from kpixl.forms.types import FIELD_TYPES
from kpixl.output.template.lists import list_formula
from kpixl.texts import Text, say

MAX_TITLE = 32  # characters that Excel takes
EXAMPLE: Text = ("例如“{example}”。", "For example {example}.")
CHOOSE: Text = ("请从下拉列表中选择。", "Choose from the list.")
CHOOSE_OR_TYPE: Text = ("可从下拉列表选择，也可直接填写其他内容。", "Choose from the list, or type something else.")
CHOOSE_PARENT: Text = ("请先选好“{parent}”，再从下拉列表中选择。", "Choose {parent} first, then from the list.")
NOT_LISTED: Text = ("内容不在列表中", "Not in the list")
NOT_LISTED_TEXT: Text = ("请从下拉列表中选择一项。", "Please choose an item of the list.")
UNUSUAL_TEXT: Text = (
    "内容不在常用列表中，确认无误可以使用。",
    "This is not in the usual list; keep it if it is right.",
)


def entry_options(
    form: Form, field: Field, lang: str, parent_cell: Callable[[str], str | None]
) -> dict[str, Any] | None:
    """Return the options of a field's cell, None where anything may be typed and nothing is to be shown.

    `parent_cell`: list -> the cell that holds the chosen item of it, None where there is none.
    """
    help_text = f"{field.help}\n" if field.help else ""
    rule = FIELD_TYPES[field.type].rule(form.money, lang)
    if rule is not None:
        return {**rule, "input_message": help_text + rule["input_message"]}
    if field.choices is not None:
        choices = form.choices[field.choices]
        above = parent_cell(choices.parent) if choices.parent else None
        return _list_options(form, field, choices, above, help_text, lang)
    return {"validate": "any", "input_message": field.help} if field.help else None


def _list_options(
    form: Form, field: Field, choices: Choices, above: str | None, help_text: str, lang: str
) -> dict[str, Any]:
    """Return the options of a cell with a dropdown; `above`: the cell of the item that the list depends on."""
    free = FIELD_TYPES[field.type].free_text
    message = _list_message(form, choices, above, free, lang)
    if not (free or above):
        message += say(EXAMPLE, lang, example=next(iter(choices.items), ""))
    return {
        "validate": "list",
        "source": list_formula(choices, above),
        "input_message": help_text + message,
        "error_title": say(NOT_LISTED, lang),
        "error_message": say(UNUSUAL_TEXT if choices.open else NOT_LISTED_TEXT, lang),
        "error_type": "information" if choices.open else "stop",
        # Suggestions only: the note is shown when the cell is chosen, a box at every name would be a nuisance.
        "show_error": not free,
    }


def _list_message(form: Form, choices: Choices, above: str | None, free: bool, lang: str) -> str:
    if free or choices.open:
        return say(CHOOSE_OR_TYPE, lang)
    if above is None:
        return say(CHOOSE, lang)
    parent = next((f.label for f in _fields(form) if f.choices == choices.parent), "")
    return say(CHOOSE_PARENT, lang, parent=parent)


def _fields(form: Form) -> Iterator[Field]:
    yield from form.fields.values()
    for table in form.tables.values():
        yield from table.columns.values()


def title_of(field: Field) -> str:
    """Return the title of the message at a field's cell."""
    return clipped(field.heading, MAX_TITLE)


def clipped(text: str, limit: int) -> str:
    """Return a text of at most `limit` characters."""
    return text if len(text) <= limit else text[: limit - 1] + "…"
