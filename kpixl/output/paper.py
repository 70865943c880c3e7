"""How much of a sheet goes on a page: the room inside the margins, and how wide columns are, both in points."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

_POINTS_PER_MM = 72 / 25.4
_POINTS_PER_INCH = 72.0
_DEFAULT_MARGIN = 0.75  # inches; XlsxWriter's, and Excel's
_PAPERS = {"A3": (8, 420.0), "A4": (9, 297.0), "A5": (11, 210.0)}  # number in a workbook, height in mm
# Of a column, at 96 dpi: 7 pixels for each digit of its width, 5 for its edges.
_POINTS_PER_WIDTH, _POINTS_BESIDE = 5.25, 3.75


def paper_number(name: str) -> int:
    """Return the number by which a workbook names a paper; that of A4 where the name is another's."""
    return _PAPERS.get(name, _PAPERS["A4"])[0]


def paper_room(name: str, margins: Mapping[str, float], *, landscape: bool) -> tuple[float, float]:
    """Return width and height in points that the margins, in inches, leave of a page."""
    high = _PAPERS.get(name, _PAPERS["A4"])[1]
    sides = (high, high / 2**0.5) if landscape else (high / 2**0.5, high)
    edges = (("left", "right"), ("top", "bottom"))
    width, height = (
        side * _POINTS_PER_MM - sum(margins.get(edge, _DEFAULT_MARGIN) for edge in both) * _POINTS_PER_INCH
        for side, both in zip(sides, edges, strict=True)
    )
    return width, height


def points_wide(widths: Iterable[float]) -> float:
    """Return how wide columns are together, given their widths in Excel's units."""
    return sum(width * _POINTS_PER_WIDTH + _POINTS_BESIDE for width in widths)
