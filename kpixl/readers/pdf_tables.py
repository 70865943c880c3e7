"""Ruled lines of a page -> tables of cells, and the text outside of them.

A PDF knows characters and rules, not cells. The rules of a page make a lattice; its squares without a rule between them
are one cell, and what is open to the margin of the page is none. Every character is in a cell or outside of all.
"""

from __future__ import annotations

import bisect
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from kpixl.readers.grid import exceeded
from kpixl.readers.limits import Limits
from kpixl.readers.pdf_lines import PdfLine, gap_before, joined, lines_of
from kpixl.readers.pdf_pages import Char, Page, RuledLine

SAME = 3.0  # points within which two rules are one
_MARGIN = 6.0  # points between a rule and text, at most; text further away is centred
Square = tuple[int, int]


@dataclass(slots=True)
class PdfCell:
    """A cell that rules enclose, in points from left and in rows of its table."""

    row: int
    rows: int
    left: float
    right: float
    lines: list[PdfLine]

    @property
    def room(self) -> float:
        """Return how wide a line can be: the cell without its margins, of which the left one shows."""
        margin = min((line.left - self.left for line in self.lines), default=0.0)
        widest = max((line.right - line.left for line in self.lines), default=0.0)
        return max(widest, self.right - self.left - 2 * min(max(margin, 0.0), _MARGIN))

    @property
    def text(self) -> str:
        """Join the lines."""
        return joined(self.lines, self.room)


@dataclass(slots=True)
class PdfTable:
    """A table on one page: its vertical rules, its cells, whether it is the first or the last thing on its page."""

    page: int
    top: float
    bottom: float
    rules: list[float]
    cells: list[PdfCell] = field(default_factory=list)
    first: bool = False
    last: bool = False

    @property
    def height(self) -> int:
        """Count the rows."""
        return max((cell.row + cell.rows for cell in self.cells), default=0)


def distinct(places: Iterable[float]) -> list[float]:
    """Sort places, and leave out those that are the same as one before."""
    kept: list[float] = []
    for place in sorted(places):
        if not kept or place - kept[-1] > SAME:
            kept.append(place)
    return kept


def nearest(places: Sequence[float], place: float) -> int:
    """Return the number of the place that is nearest; `places` are sorted."""
    at = bisect.bisect_left(places, place)
    return at - 1 if at == len(places) or (at and place - places[at - 1] <= places[at] - place) else at


def find_tables(page: Page, limits: Limits) -> tuple[list[PdfTable], list[Char]]:
    """Find the tables of a page, from top to bottom, and the characters outside. Raises UnreadableError."""
    lattice = _Lattice(page.across, page.down, limits)
    inside: dict[int, list[Char]] = defaultdict(list)
    loose: list[Char] = []
    for run in _close_runs(page.chars):
        home = lattice.home(run)
        for char in run:
            number = lattice.cell_at(char.x, char.y) if home is None else home
            (loose if number is None else inside[number]).append(char)
    return sorted(lattice.tables(page.number, inside), key=lambda table: table.top), loose


def _close_runs(chars: Sequence[Char]) -> Iterator[list[Char]]:
    """Yield the characters that were drawn at once and follow each other closely."""
    run: list[Char] = []
    for char in chars:
        if run and (char.run != run[-1].run or char.left < run[0].left or gap_before(run[-1], char)):
            yield run
            run = []
        run.append(char)
    if run:
        yield run


class _Sets:
    """Numbers put into sets: each set is known by one of its numbers."""

    def __init__(self, count: int) -> None:
        self._above = list(range(count))

    def root(self, number: int) -> int:
        above = self._above
        while above[number] != number:
            above[number] = above[above[number]]
            number = above[number]
        return number

    def join(self, one: int, other: int) -> None:
        """Put two sets together; the lower number is that of both."""
        first, second = sorted((self.root(one), self.root(other)))
        self._above[second] = first


@dataclass(frozen=True, slots=True)
class _Box:
    """A cell in squares of the lattice: its first and, beyond its end, its last row and column."""

    top: int
    bottom: int
    left: int
    right: int


class _Lattice:
    """The squares between the rules of a page. Square 0 is the margin of the page; the others follow row by row."""

    def __init__(self, across: Sequence[RuledLine], down: Sequence[RuledLine], limits: Limits) -> None:
        self._xs, self._ys = distinct(r.at for r in down), distinct(r.at for r in across)
        self._columns, self._rows = max(len(self._xs) - 1, 0), max(len(self._ys) - 1, 0)
        if self._columns * self._rows > limits.page_objects:
            raise exceeded("page_objects", self._columns * self._rows, limits)
        self._across = _covered(across, self._ys, self._xs)
        self._down = _covered(down, self._xs, self._ys)
        self._boxes = self._find_boxes()
        self._owner = {
            (row, col): number
            for number, box in enumerate(self._boxes)
            for row in range(box.top, box.bottom)
            for col in range(box.left, box.right)
        }

    def cell_at(self, x: float, y: float) -> int | None:
        """Return the number of the cell at a place; None outside of all."""
        return self._owner.get((bisect.bisect_right(self._ys, y) - 1, bisect.bisect_right(self._xs, x) - 1))

    def home(self, run: Sequence[Char]) -> int | None:
        """Return the cell of a text that reaches over a rule, as one does that has no room; None for any other."""
        drawn = [char for char in run if not char.text.isspace()]
        cells = {self.cell_at(char.x, char.y) for char in drawn}
        if len(cells) < 2:
            return None
        centre = ((drawn[0].x + drawn[-1].x) / 2, (drawn[0].y + drawn[-1].y) / 2)
        middle, first = self.cell_at(*centre), self.cell_at(drawn[0].x, drawn[0].y)
        if middle is not None:
            box = self._boxes[middle]
            if first is None or abs((self._xs[box.left] + self._xs[box.right]) / 2 - centre[0]) <= SAME:
                return middle
        return first

    def tables(self, page: int, inside: dict[int, list[Char]]) -> Iterator[PdfTable]:
        """Yield the tables: cells that touch each other."""
        sets = _Sets(len(self._boxes))
        for (row, col), number in self._owner.items():
            for beside in ((row + 1, col), (row, col + 1)):
                if (other := self._owner.get(beside)) is not None:
                    sets.join(number, other)
        groups: dict[int, list[int]] = defaultdict(list)
        for number in range(len(self._boxes)):
            groups[sets.root(number)].append(number)
        for numbers in groups.values():
            yield self._table(page, numbers, inside)

    def _table(self, page: int, numbers: Sequence[int], inside: dict[int, list[Char]]) -> PdfTable:
        boxes = [self._boxes[number] for number in numbers]
        lefts = sorted({at for box in boxes for at in (box.left, box.right)})
        tops = sorted({at for box in boxes for at in (box.top, box.bottom)})
        height = {at: number for number, at in enumerate(tops)}
        table = PdfTable(page, self._ys[tops[0]], self._ys[tops[-1]], [self._xs[at] for at in lefts])
        for number, box in zip(numbers, boxes, strict=True):
            lines = [line for _, line in lines_of(inside.get(number, ()))]
            row, rows = height[box.top], height[box.bottom] - height[box.top]
            table.cells.append(PdfCell(row, rows, self._xs[box.left], self._xs[box.right], lines))
        return table

    def _find_boxes(self) -> list[_Box]:
        """Join the squares that no rule parts, leave out those that are open to the margin."""
        sets = _Sets(self._rows * self._columns + 1)
        for row in range(self._rows):
            for col in range(self._columns):
                square = self._square(row, col)
                for beside in self._open_to(row, col):
                    sets.join(square, beside)
        joined_squares: dict[int, list[Square]] = defaultdict(list)
        for row in range(self._rows):
            for col in range(self._columns):
                if root := sets.root(self._square(row, col)):
                    joined_squares[root].append((row, col))
        return [box for squares in joined_squares.values() for box in _boxes(squares)]

    def _square(self, row: int, col: int) -> int:
        within = 0 <= row < self._rows and 0 <= col < self._columns
        return 1 + row * self._columns + col if within else 0

    def _open_to(self, row: int, col: int) -> Iterator[int]:
        """Yield the squares to which one is open: above and left, and the margin below and to the right."""
        if (row, col) not in self._across:
            yield self._square(row - 1, col)
        if (col, row) not in self._down:
            yield self._square(row, col - 1)
        if row == self._rows - 1 and (row + 1, col) not in self._across:
            yield 0
        if col == self._columns - 1 and (col + 1, row) not in self._down:
            yield 0


def _boxes(squares: list[Square]) -> Iterator[_Box]:
    """Yield the cell that some squares make; where they are no rectangle, a cell for each run of them in a row."""
    rows, cols = [row for row, _ in squares], [col for _, col in squares]
    box = _Box(min(rows), max(rows) + 1, min(cols), max(cols) + 1)
    if (box.bottom - box.top) * (box.right - box.left) == len(squares):
        yield box
        return
    runs: dict[int, list[int]] = defaultdict(list)
    for row, col in squares:
        runs[row].append(col)
    for row, found in runs.items():
        starts = [found[0], *(after for before, after in pairwise(found) if after > before + 1)]
        ends = [*(before for before, after in pairwise(found) if after > before + 1), found[-1]]
        for first, last in zip(starts, ends, strict=True):
            yield _Box(row, row + 1, first, last + 1)


def _covered(rules: Iterable[RuledLine], places: Sequence[float], ends: Sequence[float]) -> set[Square]:
    """Return which parts of the lattice rules cover: (place, part between two ends)."""
    lines: dict[int, list[RuledLine]] = defaultdict(list)
    for rule in rules:
        lines[nearest(places, rule.at)].append(rule)
    covered: set[Square] = set()
    for place, found in lines.items():
        for first, last in _merged(found):
            begin, end = bisect.bisect_left(ends, first - SAME), bisect.bisect_right(ends, last + SAME)
            covered.update((place, part) for part in range(begin, end - 1))
    return covered


def _merged(rules: Sequence[RuledLine]) -> Iterator[tuple[float, float]]:
    """Put together rules that overlap or almost touch."""
    first = last = None
    for rule in sorted(rules, key=lambda r: r.first):
        if first is None or last is None:
            first, last = rule.first, rule.last
        elif rule.first <= last + SAME:
            last = max(last, rule.last)
        else:
            yield first, last
            first, last = rule.first, rule.last
    if first is not None and last is not None:
        yield first, last
