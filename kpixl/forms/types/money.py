"""An amount of money in the unit of its form."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from kpixl.forms.definition import YUAN, Choices, MoneyUnit, Value
from kpixl.forms.likely_money import likely_amount, means_nothing
from kpixl.forms.money import money_text, read_money, unit_text
from kpixl.forms.types.base import FieldType
from kpixl.forms.values import Raw, Reading, number_text
from kpixl.texts import Text, say

LARGEST_AMOUNT = 1e13
_EXAMPLE = Decimal(600_000)  # yuan

_HELP: Text = ("以{unit}为单位，只填数字，例如 {example}。", "In {unit}, digits only, for example {example}.")
_WRONG: Text = ("不是数字", "Not a number")
_WRONG_TEXT: Text = (
    "请只填数字，以{unit}为单位。例如六十万元填 {example}，不要带“万”“元”等文字。",
    "Digits only, in {unit}: {example}, without any words.",
)


class MoneyType(FieldType):
    """An amount."""

    noun = ("金额", "an amount")
    python = Decimal
    css_class = "money"
    typed = True
    align = "right"
    is_amount = True
    keeps_digits = False

    def read(self, raw: Raw, choices: Choices | None = None, unit: MoneyUnit = YUAN) -> Reading:  # noqa: ARG002
        """Read an amount into the form's unit."""
        return read_money(raw, unit)

    def expected(self, unit: MoneyUnit = YUAN) -> Text:
        """Name what a person is asked to type."""
        zh, en = unit_text(unit)
        return (f"以{zh}为单位的数字，例如 {_example(unit)}", f"a number in {en} such as {_example(unit)}")

    def expected_instead(self, text: str, unit: MoneyUnit = YUAN) -> Text:
        """Name the amount that is probably meant: 0 for 无, 600000 for 约60万."""
        zh, en = unit_text(unit)
        if means_nothing(text):
            return (f"以{zh}为单位的数字，没有这笔钱就填 0", f"a number in {en}, 0 if there is no such money")
        if (amount := likely_amount(text, unit)) is None:
            return self.expected(unit)
        digits = number_text(amount)
        return (f"以{zh}为单位的数字，是这个数就填 {digits}", f"a number in {en}, {digits} if that is meant")

    def number_format(self, unit: MoneyUnit = YUAN) -> str:
        """Show cents; in a larger unit also the digits that two decimals would hide."""
        return "#,##0.00" if unit == YUAN else f"#,##0.00{'#' * unit.power}"

    def text(self, value: Value) -> str:
        """Print an amount as #,##0.00."""
        return money_text(value) if isinstance(value, Decimal) else super().text(value)

    def rule(self, unit: MoneyUnit, lang: str) -> dict[str, Any] | None:
        """Let only numbers be typed."""
        words = {"unit": say(unit_text(unit), lang), "example": _example(unit)}
        return {
            "validate": "decimal",
            "criteria": "between",
            "minimum": -LARGEST_AMOUNT,
            "maximum": LARGEST_AMOUNT,
            "input_message": say(_HELP, lang, **words),
            "error_title": say(_WRONG, lang),
            "error_message": say(_WRONG_TEXT, lang, **words),
        }

    def width(self, values: Sequence[Value]) -> float | None:
        """Return the width that shows every amount and their sum."""
        amounts = [v for v in values if isinstance(v, Decimal)]
        widest = max([len(money_text(sum(amounts, Decimal(0)))), *(len(money_text(v)) for v in amounts)])
        return max(10.0, widest * 1.1 + 2)


def _example(unit: MoneyUnit) -> str:
    return number_text(_EXAMPLE.scaleb(-unit.power))


MONEY = MoneyType()
