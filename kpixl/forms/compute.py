"""Computed values: how one follows from others, as a value here and as a formula in a workbook.

Both are written side by side, so that they agree: the same operands count, the same are blank, the same rounding. What
follows from a text or from a blank is not known, and blank.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal, localcontext
from functools import reduce

from kpixl.forms.definition import Computation, Field, Row, Value
from kpixl.forms.values import MAX_DIGITS, bounded, number_text, total_of

Numbers = Sequence[Decimal]
# What a cell, or the cells of a column, are called in a formula; what they hold.
References = Callable[[str], str]
_PRECISION = 3 * MAX_DIGITS  # digits while computing: a product of the two longest numbers is exact


@dataclass(frozen=True, slots=True)
class Operation:
    """How numbers become one, and the same as a formula over texts; the last argument is what scales the result.

    `operands`: how many it takes, None for any number. `scaled`: its operands may count hundredths and others not.
    """

    result: Callable[[Numbers, Decimal], Decimal | None]
    formula: Callable[[Sequence[str], str], str]
    operands: int | None = None
    scaled: bool = False


def _ratio(numbers: Numbers, scale: Decimal) -> Decimal | None:
    return numbers[0] / numbers[1] * scale if numbers[1] else None


def _product(numbers: Numbers, scale: Decimal) -> Decimal:
    return reduce(lambda a, b: a * b, numbers, scale)


def _share(numbers: Numbers, scale: Decimal) -> Decimal:
    points, rate = numbers
    return min(points, max(Decimal(0), points * rate * scale))


OPERATIONS: Mapping[str, Operation] = {
    "sum": Operation(lambda numbers, _: sum(numbers, Decimal(0)), lambda cells, _: f"SUM({','.join(cells)})"),
    "ratio": Operation(_ratio, lambda cells, scale: f"{cells[0]}/{cells[1]}{scale}", operands=2, scaled=True),
    "product": Operation(_product, lambda cells, scale: "*".join(cells) + scale, scaled=True),
    "minimum": Operation(lambda numbers, _: min(numbers), lambda cells, _: f"MIN({','.join(cells)})"),
    # The share of points that a rate earns: at most all of them, at least none.
    "share": Operation(
        _share, lambda cells, scale: f"MIN({cells[0]},MAX(0,{cells[0]}*{cells[1]}{scale}))", operands=2, scaled=True
    ),
    "bands": Operation(lambda numbers, _: numbers[0], lambda cells, _: cells[0], operands=1),
}


def computed_value(field: Field, values: Mapping[str, Value], tables: Mapping[str, Sequence[Row]]) -> Value:
    """Compute the value of a field; None where its operands do not tell it."""
    computation = field.computation
    if computation is None:
        return None
    operands = [_operand(operand, values, tables) for operand in computation.operands]
    if computation.operation == "sum":
        return _rounded(total_of([value for part in operands for value in part]), computation.decimals)
    numbers = [part[0] for part in operands if len(part) == 1 and isinstance(part[0], Decimal)]
    if len(numbers) < len(operands):
        return None
    with localcontext(prec=_PRECISION):
        result = OPERATIONS[computation.operation].result(numbers, Decimal(1).scaleb(computation.power))
    return _band(computation.bands, result) if computation.bands else _rounded(result, computation.decimals)


def _band(bands: Mapping[str, Decimal], number: Decimal | None) -> str | None:
    """Return the text of the first band that a number reaches."""
    return next((text for text, least in bands.items() if number is not None and number >= least), None)


def _operand(operand: str | Decimal, values: Mapping[str, Value], tables: Mapping[str, Sequence[Row]]) -> list[Value]:
    """Return what an operand holds: one value, or those of all rows of a column."""
    if isinstance(operand, Decimal):
        return [operand]
    if operand in values:
        return [values[operand]]
    table, _, column = operand.rpartition(".")
    return [row[column] for row in tables[table]]


def _rounded(number: Decimal | None, decimals: int | None) -> Decimal | None:
    """Round half up, as Excel's ROUND does."""
    if number is None:
        return None
    if decimals is not None:
        with localcontext(prec=_PRECISION):
            number = number.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)
    return bounded(number)


def agrees(field: Field, value: Value, computed: Value) -> bool:
    """Return whether a value is the computed one, also where it has more decimals than that is rounded to."""
    computation = field.computation
    if isinstance(value, Decimal) and computation is not None:
        value = _rounded(value, computation.decimals)
    return value == computed


def formula(computation: Computation, ref: References) -> str:
    """Write the formula of a computed value; blank where its operands do not tell it."""
    cells = [number_text(part) if isinstance(part, Decimal) else ref(part) for part in computation.operands]
    counted = [ref(key) for key in computation.keys]
    text = OPERATIONS[computation.operation].formula(cells, _scale(computation.power))
    if computation.operation == "sum":
        return f'=IF(COUNT({",".join(counted)})=0,"",{_round(text, computation.decimals)})'
    text = _bands(text, computation.bands) if computation.bands else _round(text, computation.decimals)
    if computation.operation == "ratio":  # nothing is a part of nothing
        text = f'IF({cells[1]}=0,"",{text})'
    return f'=IF(COUNT({",".join(counted)})<{len(counted)},"",{text})'


def _scale(power: int) -> str:
    return "" if not power else f"{'*' if power > 0 else '/'}{10 ** abs(power)}"


def _round(text: str, decimals: int | None) -> str:
    return text if decimals is None else f"ROUND({text},{decimals})"


def _bands(cell: str, bands: Mapping[str, Decimal]) -> str:
    text = '""'
    for name, least in reversed([*bands.items()]):
        quoted = name.replace('"', '""')
        text = f'IF({cell}>={number_text(least)},"{quoted}",{text})'
    return text
