"""Cost against output (投入产出): amounts that cannot be right."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from kpixl.rules.base import ROOTS, Hit, Roles, Rule, Subject
from kpixl.rules.parameters import FieldKey, Item, Words
from kpixl.values import number_text

WAN = 10_000


@dataclass(frozen=True, slots=True)
class Amount:
    """The field of an amount in yuan; `below`: an amount under it was hardly typed in yuan."""

    field: FieldKey
    below: Decimal = Decimal(0)


def amount_magnitude(p: Amount, subject: Subject) -> Iterator[Hit]:
    """Find amounts that are ten thousand times the roster's, or a ten thousandth of it."""
    amount = subject.project.values[p.field]
    listed = subject.listed.values.get(p.field) if subject.listed else None
    if not isinstance(amount, Decimal) or not isinstance(listed, Decimal):
        return
    if _far(amount, listed):
        details = {"label": subject.heading(p.field), "amount": number_text(amount), "expected": number_text(listed)}
        yield Hit(p.field, details)


def _far(one: Decimal, other: Decimal) -> bool:
    """Tell whether of two amounts one is about ten thousand times the other."""
    small, large = sorted((one, other))
    return small > 0 and Decimal("0.5") < large / small / WAN < 2


def amount_small(p: Amount, subject: Subject) -> Iterator[Hit]:
    """Find amounts too small to be in yuan, where no roster says otherwise."""
    amount = subject.project.values[p.field]
    if isinstance(amount, Decimal) and 0 < amount < p.below:
        if subject.listed and subject.listed.values.get(p.field) == amount:
            return
        details = {"label": subject.heading(p.field), "amount": number_text(amount), "meant": number_text(amount * WAN)}
        yield Hit(p.field, details)


@dataclass(frozen=True, slots=True)
class CostOver:
    """Cost indicators (by level 1 and name), what a unit is worth in yuan, and the amount they are held against."""

    rows: Roles
    levels: tuple[Item, ...]
    names: Words
    yuan: tuple[str, ...]
    wan: tuple[str, ...]
    field: FieldKey


def _costs(p: CostOver, subject: Subject) -> Iterator[tuple[Decimal, Decimal, Hit]]:
    """Yield each total cost in yuan and the amount it is held against, with the hit that it would be."""
    amount = subject.project.values[p.field]
    if not isinstance(amount, Decimal):
        return
    for line in subject.lines[p.rows.table]:
        if line.level1 not in p.levels or not isinstance(line.value, Decimal) or line.folded not in p.names:
            continue
        cost = line.value * (1 if line.unit in p.yuan else WAN if line.unit in p.wan else 0)
        details = {"name": line.named, "cost": number_text(cost), "label": subject.heading(p.field)}
        key = f"{p.rows.table}.{line.number}.{p.rows.value}"
        yield cost, amount, Hit(key, {**details, "amount": number_text(amount)})


def cost_over_amount(p: CostOver, subject: Subject) -> Iterator[Hit]:
    """Find total costs above the amount that is asked for."""
    return (hit for cost, amount, hit in _costs(p, subject) if cost > amount)


def cost_magnitude(p: CostOver, subject: Subject) -> Iterator[Hit]:
    """Find total costs that are ten thousand times the amount that is asked for, or a ten thousandth of it."""
    return (hit for cost, amount, hit in _costs(p, subject) if _far(cost, amount))


# What casts doubt on the amount itself.
_DOUBTED = frozenset({"sum-mismatch", "amount-negative", "amount-magnitude", "amount-small"})

RULES = (
    Rule("amount-magnitude", Amount, amount_magnitude),
    Rule("amount-small", Amount, amount_small, yields_to=ROOTS | {"amount-magnitude"}),
    Rule("cost-magnitude", CostOver, cost_magnitude, follows=_DOUBTED),
    Rule("cost-over-amount", CostOver, cost_over_amount, yields_to=ROOTS | {"cost-magnitude"}, follows=_DOUBTED),
)
