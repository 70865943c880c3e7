"""Amounts of about ten thousand times each other."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from kpixl.checks.parameters import FieldKey

TEN_THOUSAND = 10_000


@dataclass(frozen=True, slots=True)
class Amount:
    """The field of an amount; `below`, in the form's unit: an amount under it was hardly typed in that unit."""

    field: FieldKey
    below: Decimal = Decimal(0)


def ten_thousand_fold(one: Decimal, other: Decimal) -> bool:
    """Return whether of two amounts one is about ten thousand times the other."""
    small, large = sorted((one, other))
    return small > 0 and Decimal("0.5") < large / small / TEN_THOUSAND < 2
