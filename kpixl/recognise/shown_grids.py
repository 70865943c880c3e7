"""The grids of a file with what their cells show: 60 in the format 0"万元" is 60万元; blanks that are none are named.

For files that are read without a form's second look: lists of projects.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import replace

from kpixl.a1 import CellRef
from kpixl.forms.values import Raw, is_number
from kpixl.problems import Location, Problem
from kpixl.readers import FileReading, Grid, Opened, read_opened
from kpixl.recognise.inspected import Inspected, Inspector, Place
from kpixl.recognise.record import MAX_ALIKE
from kpixl.recognise.verify import broken_cell, inspector_of

_MEANING = frozenset("百千万亿%‰")  # what a number format adds that makes another number of it


def read_shown(opened: Opened, file: str) -> FileReading:
    """Read every grid of opened content, its numbers as they are shown."""
    reading = read_opened(opened, file)
    inspector = inspector_of(opened)
    if inspector is None or not reading.grids:
        return reading
    grids = _shown(reading.grids, inspector) if inspector.is_marked() else reading.grids
    return replace(reading, grids=tuple(grids), problems=(*reading.problems, *_broken(reading.grids, inspector, file)))


def _shown(grids: Sequence[Grid], inspector: Inspector) -> Sequence[Grid]:
    """Put the text in the place of each number whose format says another; a file that cannot be inspected stays."""
    look = inspector.look([place for grid in grids for place, _ in _numbers(grid)])
    if look is None:
        return grids
    return [
        _with_texts(grid, {cell: seen for (sheet, cell), seen in look.cells.items() if sheet == grid.name})
        for grid in grids
    ]


def _numbers(grid: Grid) -> Iterator[tuple[Place, tuple[int, int]]]:
    for r, row in enumerate(grid.rows):
        for c, raw in enumerate(row):
            if is_number(raw):
                yield (grid.name or "", grid.cell(r, c)), (r, c)


def _with_texts(grid: Grid, seen: dict[CellRef, Inspected]) -> Grid:
    changed: dict[int, list[Raw]] = {}
    for (_, cell), (r, c) in _numbers(grid):
        display = seen[cell].display if cell in seen else None
        if display is not None and _MEANING.intersection(display.text):
            changed.setdefault(r, list(grid.rows[r]))[c] = display.text
    return replace(grid, rows=[changed.get(r, row) for r, row in enumerate(grid.rows)]) if changed else grid


def _broken(grids: Sequence[Grid], inspector: Inspector, file: str) -> Iterator[Problem]:
    """Report the formulas without a value, and the errors: they read blank."""
    suspect = {grid.name for grid in grids if grid.suspect and grid.name}
    if inspector.broken is None or not suspect:
        return
    for (sheet, cell), why in itertools.islice(sorted(inspector.broken([], suspect).items()), MAX_ALIKE):
        yield broken_cell(Location(file, sheet, cell), why)
