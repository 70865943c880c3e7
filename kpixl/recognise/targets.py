"""Which cells under the heading of a target are its operator, its value and its unit, told by what stands in them."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence

from kpixl.forms.definition import Choices, Form, Table, Target
from kpixl.forms.types.quantity import read_quantity
from kpixl.forms.values import Raw, fold, is_blank, is_number, read_choice, read_target, text_of

MAX_COLUMNS = 8  # under one heading; the template has three
LONG_UNIT = 8  # characters; the longest that is known has four

Parts = Mapping[str, int]  # part of a target -> column; its value alone: the whole target stands in that column


def parts_by_content(
    form: Form, table: Table, target: Target, body: Sequence[Sequence[Raw]], columns: range
) -> dict[str, int]:
    """Arrange the parts of a target over the columns under its heading as fits best.

    `columns`: from the heading to the last that it spans. Of equal arrangements the template's own is returned.
    """
    filled = [c for c in columns if any(c < len(row) and not is_blank(row[c]) for row in body)][:MAX_COLUMNS]
    cells = {c: [row[c] for row in body if c < len(row) and not is_blank(row[c])] for c in filled}
    scores = {
        (part, c): sum(_score(form, table, target, part, raw) for raw in cells[c])
        for part in (*target.parts, "")
        for c in filled
    }
    operator, value, unit = target.parts
    template = dict(zip(target.parts, columns, strict=False))

    def rank(chosen: Mapping[str, int]) -> tuple[float, bool, int, int]:
        left = sum(len(cells[c]) for c in filled if c not in chosen.values())
        whole = [*chosen] == [value]
        kinds = [""] if whole else [*chosen]
        fit = sum(scores[kind, c] for kind, c in zip(kinds, chosen.values(), strict=True)) - left
        as_sent = not whole and all(template.get(part) == c for part, c in chosen.items())
        # Of columns with whole targets the last one counts: before it forms have what was reached in earlier years.
        return fit, as_sent, len(chosen), max(chosen.values())

    options = [
        dict(zip(parts, chosen, strict=True))
        for parts in ((operator, value, unit), (operator, value), (value, unit), (operator, unit), (value,))
        for chosen in itertools.combinations(filled, len(parts))
    ]
    return max(options, key=rank, default=template)


def may_be_operators(form: Form, table: Table, target: Target, cells: Iterable[Raw]) -> bool:
    """Return whether a column may be that of a target's operators: one of its cells is one, or all are blank."""
    filled = [text_of(raw) for raw in cells if not is_blank(raw)]
    return not filled or any(_listed(text, _choices(form, table, target.operator)) for text in filled)


def _score(form: Form, table: Table, target: Target, part: str, raw: Raw) -> float:
    """Return how well a cell reads as a part of a target; part "" is a whole target."""
    operators, units = _choices(form, table, target.operator), _choices(form, table, target.unit)
    text = raw if isinstance(raw, str) else ""
    listed = (_listed(text, operators), _listed(text, units))
    number = is_number(raw) or is_number(read_quantity(raw).value)
    read = read_target(text, operators, units) if text else None
    whole = 2 if read and read.operator else 1.5 if number or read else 0.5
    by_part = {
        target.operator: 2 if listed[0] else -3,
        target.value: -3 if listed[0] else -2 if listed[1] else 1 if number else 0.5,
        target.unit: -3 if number or read else 2 if listed[1] else -2 if len(fold(text)) > LONG_UNIT else 0,
    }
    return by_part.get(part, whole)


def _listed(text: str, choices: Choices) -> bool:
    return bool(text) and read_choice(text, choices).value in choices.items


def _choices(form: Form, table: Table, column: str) -> Choices:
    name = table.columns[column].choices
    assert name is not None
    return form.choices[name]
