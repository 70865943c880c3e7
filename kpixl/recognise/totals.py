"""Whether the formula of a total is the form's own: a sum of its parts, each of them once."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator

from kpixl.a1 import CellRef, parse_a1
from kpixl.forms.compute import formula as own_formula
from kpixl.forms.definition import Computation

MAX_FORMULA = 500  # characters; that of a template with twenty parts has 300
_TOKEN = re.compile(r"\$?([A-Z]{1,3})\$?(\d{1,7})|(SUM|IF|COUNT)(?=\()|([-+(),:=;])|(\"\"|0)")
_COLUMN, _RANGE = "@", r"([A-Z]{1,3}\d{1,7}:[A-Z]{1,3}\d{1,7})"
_MAX_CELLS = 1_000  # of all ranges together; no total has more parts


class _NotOwnError(Exception):
    """Something else than a sum of cells."""


def adds_up(formula: str, parts: Collection[CellRef | None]) -> bool:
    """Return whether a formula is the sum of just these cells, each once: with SUM, + and the template's own IF."""
    cells = summed(formula)
    return cells is not None and len(cells) == len(set(cells)) and set(cells) == set(parts)


def computes(formula: str, computation: Computation, cells_of: Callable[[str], CellRef | list[CellRef] | None]) -> bool:
    """Return whether a formula is the one that the template writes for a computed value.

    `cells_of`: the cell of a field, None where it has none, or the cells of a column: its range may have grown, but
    must hold all of them.
    """
    text = _plain(formula)
    if len(text) > MAX_FORMULA:
        return False
    columns: list[list[CellRef]] = []

    def ref(key: str) -> str:
        cells = cells_of(key)
        if not isinstance(cells, list):
            return "" if cells is None else str(cells)
        columns.append(cells)
        return _COLUMN

    # The operands are asked for in the order in which the formula names them.
    pattern = re.escape(_plain(own_formula(computation, ref))).replace(_COLUMN, _RANGE)
    match = re.fullmatch(pattern, text)
    return match is not None and all(_holds(span, cells) for span, cells in zip(match.groups(), columns, strict=True))


def _plain(formula: str) -> str:
    return "".join(formula.split()).replace("$", "").replace(";", ",").upper()


def _holds(span: str, cells: list[CellRef]) -> bool:
    """Return whether a range of one column holds cells."""
    first, last = span.split(":")
    try:
        return set(cells) <= set(_between(parse_a1(first), parse_a1(last)))
    except _NotOwnError:
        return False


def is_own_total(formula: str) -> bool:
    """Return whether a formula is a total as the template writes it, also where it was pasted and refers elsewhere."""
    return formula.startswith("=IF(") and summed(formula) is not None


def summed(formula: str) -> list[CellRef] | None:
    """List the cells that a formula adds up, as often as it adds them; None where it does anything else.

    SUM(...), +, brackets, and IF(COUNT(cells)=0,"",sum) over the same cells, as the template writes it.
    """
    text = "".join(formula.split()).upper()
    if not text.startswith("=") or len(text) > MAX_FORMULA:
        return None
    tokens = list(_tokens(text[1:]))
    if None in tokens:
        return None
    reader = _Reader([token for token in tokens if token is not None])
    try:
        cells = reader.whole()
    except _NotOwnError:
        return None
    return list(cells)


def _tokens(text: str) -> Iterator[str | None]:
    at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            yield None
            return
        yield match[1] + match[2] if match[1] else match[0].replace(";", ",")
        at = match.end()


class _Reader:
    """Reads the tokens of a formula by its grammar."""

    def __init__(self, tokens: list[str]) -> None:
        self.tokens, self.at = tokens, 0

    def whole(self) -> list[CellRef]:
        """Read all of a formula."""
        cells = self._conditional() if self._peek() == "IF" else self._sum(0)
        if self.at < len(self.tokens):
            raise _NotOwnError
        return cells

    def _conditional(self) -> list[CellRef]:
        """Read IF(COUNT(cells)=0,"",sum): blank where all parts are, over the same cells."""
        for token in ("IF", "(", "COUNT", "("):
            self._expect(token)
        counted = self._list()
        for token in (")", "=", "0", ",", '""', ","):
            self._expect(token)
        cells = self._sum(0)
        self._expect(")")
        if Counter(cells) != Counter(counted):
            raise _NotOwnError
        return cells

    def _sum(self, depth: int) -> list[CellRef]:
        cells = self._term(depth)
        while self._peek() == "+":
            self.at += 1
            cells += self._term(depth)
        return cells

    def _term(self, depth: int) -> list[CellRef]:
        token = self._next()
        if depth > 8:
            raise _NotOwnError
        if token == "+":
            return self._term(depth + 1)
        if token == "SUM":
            self._expect("(")
            cells = self._list()
        elif token == "(":
            cells = self._sum(depth + 1)
        elif token[-1:].isdigit() and token != "0":
            return [parse_a1(token)]
        else:
            raise _NotOwnError
        self._expect(")")
        return cells

    def _list(self) -> list[CellRef]:
        """Read the arguments of a function: cells and ranges."""
        cells: list[CellRef] = []
        while True:
            cells += self._range()
            if self._peek() != ",":
                return cells
            self.at += 1

    def _range(self) -> list[CellRef]:
        first = self._next()
        if not first[-1:].isdigit() or first == "0":
            raise _NotOwnError
        if self._peek() != ":":
            return [parse_a1(first)]
        self.at += 1
        last = self._next()
        if not last[-1:].isdigit():
            raise _NotOwnError
        return _between(parse_a1(first), parse_a1(last))

    def _peek(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def _next(self) -> str:
        token = self._peek()
        self.at += 1
        return token

    def _expect(self, token: str) -> None:
        if self._next() != token:
            raise _NotOwnError


def _between(first: CellRef, last: CellRef) -> list[CellRef]:
    """List the cells of a range within one column."""
    if first.column != last.column:
        raise _NotOwnError
    ends = sorted((first.row, last.row))  # F9:F7 is F7:F9
    rows = range(ends[0], ends[1] + 1)
    if len(rows) > _MAX_CELLS:
        raise _NotOwnError
    return [CellRef(row, first.column) for row in rows]
