"""The types of fields: one module each, and the table by which form.yaml names them."""

from __future__ import annotations

from collections.abc import Mapping

from kpixl.forms.types.base import FieldType
from kpixl.forms.types.choice import CHOICE
from kpixl.forms.types.code_and_name import CODE_AND_NAME
from kpixl.forms.types.date import DATE
from kpixl.forms.types.displayed import DISPLAYED
from kpixl.forms.types.money import MONEY
from kpixl.forms.types.number import NUMBER
from kpixl.forms.types.operator import OPERATOR
from kpixl.forms.types.percent import PERCENT
from kpixl.forms.types.period import PERIOD
from kpixl.forms.types.quantity import QUANTITY
from kpixl.forms.types.text import TEXT
from kpixl.forms.types.tick import TICK
from kpixl.forms.types.unit import UNIT

__all__ = ["FIELD_TYPES", "TEXT", "FieldType"]

FIELD_TYPES: Mapping[str, FieldType] = {
    "text": TEXT,
    "choice": CHOICE,
    "operator": OPERATOR,
    "unit": UNIT,
    "date": DATE,
    "money": MONEY,
    "number": NUMBER,
    "quantity": QUANTITY,
    "percent": PERCENT,
    "period": PERIOD,
    "tick": TICK,
    "code-and-name": CODE_AND_NAME,
    "displayed": DISPLAYED,
}
