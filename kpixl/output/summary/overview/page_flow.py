"""Rows one below the other on printed pages: where a page ends is decided here, so that no block is cut."""

from __future__ import annotations

from kpixl.output.workbook import Sheet

_A4 = 842.0  # points high


class PageFlow:
    """Counts the heights of the rows of a sheet and breaks the page before what would not fit."""

    def __init__(self, sheet: Sheet, margins: float, scale: int) -> None:
        """Begin at the top; `margins`: above and below, in inches; `scale`: of the print, in per cent."""
        self.sheet = sheet
        self.row = 0
        self.breaks: list[int] = []
        # Two lines stay free: printers differ in what they can reach.
        self._room = (_A4 - 72 * margins - 24) * 100 / scale
        self._used = 0.0

    def take(self, height: float) -> int:
        """Take a row of `height` points; return its number."""
        self.keep(height)
        self.sheet.height(self.row, height)
        self._used += height
        self.row += 1
        return self.row - 1

    def keep(self, height: float) -> None:
        """Begin a page unless `height` points fit on this one; what is higher than a page is broken anyhow."""
        if self._used and self._used + height > self._room:
            self.breaks.append(self.row)
            self._used = 0.0

    def block(self, height: float, rows_of: float = 20.0) -> int:
        """Take rows for something of `height` points that must not be cut; return the first."""
        count = int(height / rows_of) + 1
        self.keep(count * rows_of)
        first = self.row
        for _ in range(count):
            self.take(rows_of)
        return first

    def finish(self) -> None:
        """Set the page breaks."""
        if self.breaks:
            self.sheet.raw.set_h_pagebreaks(self.breaks)
