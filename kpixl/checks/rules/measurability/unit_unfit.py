"""Rule unit-unfit: the unit does not fit the name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from kpixl.checks.parameters import Words
from kpixl.checks.rule import Hit, Roles, Rule, Subject
from kpixl.keys import Key
from kpixl.problems.entry import Entry


@dataclass(frozen=True, slots=True)
class UnitUnfit:
    """What a name contains -> the units that go with it; the first that matches decides."""

    rows: Roles
    fits: tuple[tuple[Words, tuple[str, ...]], ...]


def unit_unfit(p: UnitUnfit, subject: Subject) -> Iterator[Hit]:
    """Find units that do not go with the name."""
    for line in subject.lines[p.rows.table]:
        if line.unit is None or not isinstance(line.value, Decimal):
            continue
        units = _usual_units(p, line.folded)
        if units and line.unit not in units:
            details = {"name": line.named, "unit": line.unit, "units": "、".join(units)}
            yield Hit(Key(p.rows.table, line.number, p.rows.unit), details)


def _usual_units(p: UnitUnfit, name: str) -> tuple[str, ...]:
    return next((units for words, units in p.fits if name in words), ())


RULE = Rule(
    "unit-unfit",
    entry=Entry(
        "warning",
        "“{name}”的计量单位是“{unit}”，与名称不符。",
        "请把计量单位改为 {units} 之一，或改正指标名称。",
        "{name} has the unit {unit}, which does not fit its name.",
        "Make the unit one of {units}, or correct the name.",
        category="measurability",
        title=("单位与名称不符", "The unit does not fit the name"),
    ),
    parameters=UnitUnfit,
    find=unit_unfit,
)
