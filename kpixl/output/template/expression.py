"""Conditions of a form's own (rule `expression`) -> formulas, where they compare the values of fields.

They are written in Jinja2's expressions. Those that comparisons are made of read the same in Python, whose parser is
at hand without loading Jinja2. What is more than that is left to `kpixl check`.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from decimal import Decimal

from kpixl.forms.definition import Value

Formula = Callable[[Callable[[str], str]], str]
Holds = Callable[[Mapping[str, Value]], bool]

_COMPARISONS: Mapping[type[ast.cmpop], tuple[str, Callable[[Decimal, Decimal], bool]]] = {
    ast.LtE: ("<=", lambda a, b: a <= b),
    ast.Lt: ("<", lambda a, b: a < b),
    ast.GtE: (">=", lambda a, b: a >= b),
    ast.Gt: (">", lambda a, b: a > b),
}


def translated(when: str, ensure: str) -> tuple[Formula, Holds] | None:
    """Translate a condition of amounts: where `when` holds, `ensure` must. None where that takes more.

    `when` joins `values['a'] is number` by `and`; `ensure` compares two values.
    """
    try:
        needed = [] if when.strip() == "true" else _numbers(ast.parse(when.strip(), mode="eval").body)
        left, sign, right = _comparison(ast.parse(ensure.strip(), mode="eval").body)
    except (SyntaxError, _OtherError, RecursionError, ValueError):
        return None
    keys = list(dict.fromkeys([*needed, left, right]))
    text, compare = _COMPARISONS[sign]

    def formula(refs: Callable[[str], str]) -> str:
        numbers = "*".join(f"ISNUMBER({refs(key)})" for key in keys)
        return f"{numbers}*(1-({refs(left)}{text}{refs(right)}))"

    def holds(values: Mapping[str, Value]) -> bool:
        numbers = {key: value for key in keys if isinstance(value := values[key], Decimal)}
        return len(numbers) == len(keys) and not compare(numbers[left], numbers[right])

    return formula, holds


class _OtherError(Exception):
    """An expression that is more than a comparison."""


def _numbers(node: ast.expr) -> list[str]:
    if isinstance(node, ast.BoolOp) and isinstance(node.op, ast.And):
        return [key for part in node.values for key in _numbers(part)]
    if (
        isinstance(node, ast.Compare)
        and len(node.ops) == 1
        and isinstance(node.ops[0], ast.Is)
        and isinstance(test := node.comparators[0], ast.Name)
        and test.id == "number"
    ):
        return [_key(node.left)]
    raise _OtherError


def _comparison(node: ast.expr) -> tuple[str, type[ast.cmpop], str]:
    if isinstance(node, ast.Compare) and len(node.ops) == 1 and type(node.ops[0]) in _COMPARISONS:
        return _key(node.left), type(node.ops[0]), _key(node.comparators[0])
    raise _OtherError


def _key(node: ast.expr) -> str:
    if (
        isinstance(node, ast.Subscript)
        and isinstance(node.value, ast.Name)
        and node.value.id == "values"
        and isinstance(node.slice, ast.Constant)
        and isinstance(node.slice.value, str)
    ):
        return node.slice.value
    raise _OtherError
