"""Cost indicators beside the amount asked for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from kpixl.checks.parameters import FieldKey, Item, Words
from kpixl.checks.rule import Hit, Roles, Subject
from kpixl.forms.definition import YUAN
from kpixl.forms.money import WAN, convert, unit_text
from kpixl.forms.values import number_text
from kpixl.keys import Key


@dataclass(frozen=True, slots=True)
class CostOver:
    """Cost indicators (by level 1 and name), the units that count 元 and 万元, and the amount they are held against."""

    rows: Roles
    levels: tuple[Item, ...]
    names: Words
    yuan: tuple[str, ...]
    wan: tuple[str, ...]
    field: FieldKey


def total_costs(p: CostOver, subject: Subject) -> Iterator[tuple[Decimal, Decimal, Hit]]:
    """Yield each total cost in the form's unit and the amount it is held against, with the hit that it would be."""
    amount, money = subject.project.values[p.field], subject.form.money
    if not isinstance(amount, Decimal):
        return
    for line in subject.lines[p.rows.table]:
        if line.level1 not in p.levels or not isinstance(line.value, Decimal) or line.folded not in p.names:
            continue
        unit = YUAN if line.unit in p.yuan else WAN if line.unit in p.wan else None
        cost = convert(line.value, unit, money) if unit else None
        if cost is None:
            continue  # counted in something else: people, or yuan for each of them
        details = {"name": line.named, "cost": number_text(cost), "money": unit_text(money)}
        details |= {"label": subject.heading(p.field)}
        key = Key(p.rows.table, line.number, p.rows.value)
        yield cost, amount, Hit(key, {**details, "amount": number_text(amount)})


# What casts doubt on the amount itself.
DOUBT_AMOUNTS = frozenset({"sum-mismatch", "amount-negative", "amount-magnitude", "amount-small"})
