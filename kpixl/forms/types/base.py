"""What every type of field can do; the defaults are those of text."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from kpixl.forms.definition import YUAN, Choices, MoneyUnit, Value
from kpixl.forms.values import Raw, Reading, fold, number_text, text_of
from kpixl.texts import Text


class FieldType:
    """A type of field: how its values are read, checked, shown and typed. Nothing else asks for the type's name.

    `choices` is the field's list, where it has one, and `unit` the money unit of its form; most types need neither.
    """

    noun: Text  # what a value is called in a message
    python: type = str  # what a value is when it could be read; text that could not be read stays text
    typed = False  # text that is none of its values is an error, not a value
    css_class = ""  # in an HTML page
    align = ""  # "center" or "right" in a narrow column of the summary; "" for running text
    free_text = False  # whatever is typed is a value: several cells may be joined, a list only suggests
    needs_choices = False
    items: tuple[str, ...] = ()  # what it can only be, whichever form it is on
    is_amount = False  # counts a unit of money: can be added up, converted, compared with other amounts
    keeps_digits = True  # a number in YAML is kept as it is written there: 1.10 is no 1.1
    entered_as_text = False  # a number is written as text in the template, so that =100% can be typed over it
    in_percent = False  # counts hundredths: a cell that shows 95% holds 0.95
    as_displayed = False  # what the cell shows is the value, whatever number is stored in it

    def read(self, raw: Raw, choices: Choices | None = None, unit: MoneyUnit = YUAN) -> Reading:
        """Read what was typed. What is not of the type stays the text that was typed."""
        raise NotImplementedError

    def is_unread(self, value: Value) -> bool:
        """Return whether a value is text that could not be read as the type."""
        return self.typed and isinstance(value, str)

    def includes(self, value: Value, other: Value) -> bool:
        """Return whether a value holds all that another one does, which may be spelled otherwise."""
        return value == other

    def compared(self, value: Value) -> str:
        """Return the text by which values are matched: folded, without what may differ in its spelling."""
        return fold(text_of(value))

    def expected(self, unit: MoneyUnit = YUAN) -> Text:  # noqa: ARG002
        """Name what a person is asked to type."""
        return self.noun

    def expected_instead(self, text: str, unit: MoneyUnit = YUAN) -> Text:  # noqa: ARG002
        """Name what a person is asked to type in place of `text`, which is no value."""
        return self.expected(unit)

    def number_format(self, unit: MoneyUnit = YUAN) -> str:  # noqa: ARG002
        """Return the number format of its cells in Excel."""
        return "@"

    def computed_format(self, decimals: int | None, unit: MoneyUnit = YUAN) -> str:  # noqa: ARG002
        """Return the number format of a cell that computes a value, rounded to `decimals`."""
        return self.number_format(unit)

    def shown_format(self, unit: MoneyUnit = YUAN) -> str:
        """Return the number format of a cell that shows a value and is never typed into."""
        return self.number_format(unit)

    def text(self, value: Value) -> str:
        """Print a value as the official form does."""
        return number_text(value) if isinstance(value, Decimal) else text_of(value)

    def entered(self, value: Decimal) -> str:
        """Spell a number for a cell of text in the template."""
        return number_text(value)

    def rule(self, unit: MoneyUnit, lang: str) -> dict[str, Any] | None:  # noqa: ARG002
        """Return XlsxWriter's options for the data validation of an entry cell; None where anything may be typed."""
        return None

    def schema(self) -> dict[str, object]:
        """Return what JSON Schema adds for its values."""
        return {}

    def width(self, values: Sequence[Value]) -> float | None:  # noqa: ARG002
        """Return the width of a column of `values` in the summary; None where it is that of a text."""
        return None
