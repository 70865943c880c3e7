"""A sheet as it looks: its boxes (cells and merged ranges) with borders, fills, protection, lists and formats."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from kpixl.a1 import Span, a1, span_text
from kpixl.forms.values import Raw, is_blank, text_of
from kpixl.portfolio.own_texts import is_furniture

MAX_ROWS, MAX_COLUMNS = 400, 60  # of a form; what is beyond is left out, and said
MAX_MERGES = 2_000  # merged ranges of a form; the longest seen has 300


@dataclass(frozen=True, slots=True)
class CellLook:
    """How a cell looks. `edges`: which of its sides (l, r, t, b) have a border; `fill`: its colour, "" for none."""

    edges: frozenset[str] = frozenset()
    fill: str = ""
    bold: bool = False
    font: str = ""
    size: float = 0
    locked: bool = True
    number_format: str = ""
    vertical: bool = False


class CellRule(NamedTuple):
    """What may be typed into a cell: the kind of its validation, the list, and the message shown beside it.

    `closed`: nothing else may be typed; `free`: the list only suggests. `parent`: the column of the cell on which a
    list depends; `children` are then the lists by the parent's item.
    `formula`: the source of a list that could not be followed.
    """

    kind: str = ""
    items: tuple[str, ...] = ()
    closed: bool = True
    free: bool = False
    prompt: str = ""
    parent: int | None = None
    children: Mapping[str, tuple[str, ...]] = {}
    formula: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Box:
    """A cell or a merged range; equal to nothing but itself. Its text is "" where nothing is seen in it."""

    row: int
    col: int
    rows: int = 1
    columns: int = 1
    raw: Raw = ""
    look: CellLook = CellLook()
    rule: CellRule | None = None
    formula: str = ""
    text: str = field(init=False, default="")  # what the box shows; asked for again and again

    def __post_init__(self) -> None:
        object.__setattr__(self, "text", "" if is_blank(self.raw) else text_of(self.raw).strip())

    @property
    def last_row(self) -> int:
        """Return its last row."""
        return self.row + self.rows - 1

    @property
    def last_col(self) -> int:
        """Return its last column."""
        return self.col + self.columns - 1

    @property
    def address(self) -> str:
        """Name its cells as the file does."""
        if self.rows == self.columns == 1:
            return a1(self.row, self.col)
        return span_text(Span(self.row, self.col, self.last_row, self.last_col))


@dataclass(frozen=True, slots=True)
class SeenSheet:
    """A sheet as it looks. `looks`: borders and the like are known; of some kinds of files only the merges are."""

    name: str
    raws: Mapping[tuple[int, int], Raw]
    merges: tuple[Span, ...]
    looks: bool = False
    look: Mapping[tuple[int, int], CellLook] = field(default_factory=dict)
    rules: Mapping[tuple[int, int], CellRule] = field(default_factory=dict)
    formulas: Mapping[tuple[int, int], str] = field(default_factory=dict)
    widths: Mapping[int, float] = field(default_factory=dict)
    heights: Mapping[int, float] = field(default_factory=dict)
    hidden_columns: frozenset[int] = frozenset()
    hidden: bool = False
    protected: bool = False
    paper: str = ""
    margins: Mapping[str, float] = field(default_factory=dict)
    cut: bool = False

    def is_open(self, row: int, col: int) -> bool:
        """Return whether a cell of a protected sheet may be typed into."""
        found = self.look.get((row, col))
        return self.protected and found is not None and not found.locked

    def is_drawn(self, row: int, col: int) -> bool:
        """Return whether a cell has a border, or may be typed into while others may not."""
        found = self.look.get((row, col))
        return found is not None and bool(found.edges or self.is_open(row, col))


class Boxes:
    """The boxes of the form on a sheet, by row.

    `columns` are the physical columns that belong to it. `framed`: borders, or cells that are not locked, show it.
    """

    def __init__(self, sheet: SeenSheet) -> None:
        self.sheet = sheet
        self.columns = _columns(sheet)
        self.at: dict[tuple[int, int], Box] = {}
        self.framed = sheet.looks and any(sheet.is_drawn(row, col) for row, col in sheet.look if col in self.columns)
        first, last = _rows(sheet, self.columns)
        self.rows = range(first, last + 1)
        for box in _boxes(sheet, self.rows, self.columns):
            for row in range(box.row, box.last_row + 1):
                for col in range(box.col, box.last_col + 1):
                    self.at[row, col] = box

    def line(self, row: int) -> list[Box]:
        """List the boxes that lie over a row, from left to right."""
        found = [self.at[row, col] for col in self.columns if (row, col) in self.at]
        return [box for number, box in enumerate(found) if number == 0 or found[number - 1] is not box]

    def starting(self, row: int) -> list[Box]:
        """List the boxes that begin in a row."""
        return [box for box in self.line(row) if box.row == row]

    def all(self) -> Iterator[Box]:
        """Yield every box once, row by row."""
        for row in self.rows:
            yield from self.starting(row)

    def right_of(self, box: Box) -> Box | None:
        """Return the box beside the first row of a box."""
        return self.at.get((box.row, box.last_col + 1))

    def below(self, box: Box) -> Box | None:
        """Return the box below the first column of a box."""
        return self.at.get((box.last_row + 1, box.col))

    def is_framed(self, row: int) -> bool:
        """Return whether any cell of a row has a border or may be typed into."""
        return any(self.sheet.is_drawn(row, col) for col in self.columns)


# --- the area of the form -----------------------------------------------------------------------


def _is_seen(sheet: SeenSheet, place: tuple[int, int]) -> bool:
    raw = sheet.raws.get(place, "")
    return not is_blank(raw) and not is_furniture(raw)


def _columns(sheet: SeenSheet) -> range:
    """Find the columns of the form: where borders are known, the run of used ones that holds most texts."""
    texts: dict[int, int] = {}
    for row, col in sheet.raws:
        if col not in sheet.hidden_columns and _is_seen(sheet, (row, col)):
            texts[col] = texts.get(col, 0) + 1
    if not texts:
        return range(0)
    used = set(texts)
    for span in sheet.merges:
        if _is_seen(sheet, (span.row, span.col)):
            used |= set(range(span.col, span.last_col + 1))
    if not sheet.looks:
        return range(min(used), max(used) + 1)
    used |= {col for row, col in sheet.look if sheet.is_drawn(row, col)}
    used -= sheet.hidden_columns
    runs: list[list[int]] = []
    for col in sorted(used):
        if runs and runs[-1][-1] == col - 1:
            runs[-1].append(col)
        else:
            runs.append([col])
    best = max(runs, key=lambda run: (sum(texts.get(col, 0) for col in run), -run[0]))
    return range(best[0], best[-1] + 1)


def _rows(sheet: SeenSheet, columns: range) -> tuple[int, int]:
    seen = [row for row, col in sheet.raws if col in columns and _is_seen(sheet, (row, col))]
    drawn = [row for row, col in sheet.look if col in columns and sheet.is_drawn(row, col)]
    return (min(seen), max(seen + drawn)) if seen else (0, -1)


def _boxes(sheet: SeenSheet, rows: range, columns: range) -> Iterator[Box]:
    covered: set[tuple[int, int]] = set()
    for span in _clipped(sheet.merges, rows, columns):
        places = [(r, c) for r in range(span.row, span.last_row + 1) for c in range(span.col, span.last_col + 1)]
        if covered.isdisjoint(places):  # of ranges that lie over each other the first one counts
            covered.update(places)
            yield _box(sheet, span)
    for row in rows:
        free = [col for col in columns if (row, col) not in covered]
        for run in _joined(sheet, row, free):
            yield _box(sheet, Span(row, run[0], row, run[-1]))


def _clipped(merges: tuple[Span, ...], rows: range, columns: range) -> Iterator[Span]:
    for span in merges[:MAX_MERGES]:
        first, last = max(span.row, rows.start), min(span.last_row, rows.stop - 1)
        left, right = max(span.col, columns.start), min(span.last_col, columns.stop - 1)
        if first <= last and left <= right and (span.row, span.col) == (first, left):
            yield Span(first, left, last, right)


def _joined(sheet: SeenSheet, row: int, free: list[int]) -> Iterator[list[int]]:
    """Join blank cells that no border parts although they are framed: they look like one cell."""
    run: list[int] = []
    for col in free:
        if run and not (col == run[-1] + 1 and _flow(sheet, row, run[-1], col)):
            yield run
            run = []
        run.append(col)
    if run:
        yield run


def _flow(sheet: SeenSheet, row: int, left: int, right: int) -> bool:
    here, there = sheet.look.get((row, left), CellLook()), sheet.look.get((row, right), CellLook())
    if _is_seen(sheet, (row, left)) or _is_seen(sheet, (row, right)) or (row, right) in sheet.rules:
        return False
    framed = {"t", "b"} & here.edges and {"t", "b"} & there.edges
    return bool(framed) and "r" not in here.edges and "l" not in there.edges


def _box(sheet: SeenSheet, span: Span) -> Box:
    place = (span.row, span.col)
    raw = sheet.raws.get(place, "")
    look = sheet.look.get(place, CellLook())
    return Box(
        span.row,
        span.col,
        span.last_row - span.row + 1,
        span.last_col - span.col + 1,
        raw if _is_seen(sheet, place) else "",
        look if sheet.protected else replace(look, locked=True),
        sheet.rules.get(place),
        sheet.formulas.get(place, ""),
    )
