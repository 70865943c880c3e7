"""Indicators that are rates."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from kpixl.checks.parameters import Words
from kpixl.checks.rule import Roles, RuleLine, Subject

HUNDRED = Decimal(100)


@dataclass(frozen=True, slots=True)
class Rates:
    """Names of rates, their units, and names of rates that may pass 100 (growth)."""

    rows: Roles
    names: Words
    units: tuple[str, ...]
    unless: Words


def rate_lines(p: Rates, subject: Subject) -> Iterator[tuple[RuleLine, Decimal]]:
    for line in subject.lines[p.rows.table]:
        # Names are looked at last: most values lie between, where nothing is wrong.
        if isinstance(line.value, Decimal) and line.unit in p.units and not 1 < line.value < HUNDRED:
            name = line.folded
            if name in p.names and name not in p.unless:
                yield line, line.value
