"""How far the cells of a sheet reach, and whether that is too far: asked before calamine makes room for them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from kpixl.readers.grid import UnreadableError, exceeded, too_large
from kpixl.readers.limits import Limits


class Extent(NamedTuple):
    """What reading a sheet takes: its name, the cells of the rectangle around it, its merged ranges.

    `suspect`: a cell of it shows an error. `texts`: those that calamine would cut, by row and column.
    """

    name: str
    cells: int
    merges: int
    suspect: bool = False
    texts: Mapping[tuple[int, int], str] = {}


class FilledBox:
    """The rectangle around the cells that were added."""

    __slots__ = ("bottom", "left", "right", "top")

    def __init__(self) -> None:
        self.top = self.left = 1 << 62
        self.bottom = self.right = -1

    def add(self, row: int, first: int, last: int) -> None:
        """Add cells of a row, from one column to another."""
        if row > self.bottom:
            self.bottom = row
        if row < self.top:
            self.top = row
        if first < self.left:
            self.left = first
        if last > self.right:
            self.right = last

    @property
    def cells(self) -> int:
        """Count the cells within."""
        return max(0, self.bottom - self.top + 1) * max(0, self.right - self.left + 1)


def refusal(extents: Iterable[Extent], limits: Limits) -> tuple[UnreadableError, str | None] | None:
    """Return why sheets that are all read at once are too large, and which of them is; None where they are not."""
    extents = list(extents)
    for extent in extents:
        if extent.cells > limits.sheet_cells:
            return too_large(extent.cells, limits), extent.name
    if (total := sum(extent.cells for extent in extents)) > limits.sheet_cells:
        return exceeded("sheet_cells", total, limits), None
    if (merges := sum(extent.merges for extent in extents)) > limits.merges:
        return exceeded("merges", merges, limits), None
    return None
