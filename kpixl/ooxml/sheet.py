"""One worksheet to be changed around its cells.

The cells are never parsed: what comes before and behind them becomes a tree, they are put back as bytes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from kpixl.ooxml.xml import DAMAGED, OFFICE, PackageError, Tree, add_related, dump, local, parse, q

_UTF8 = re.compile(rb"\s*<\?xml[^>]*encoding=[\"'](?!utf-8[\"'])", re.IGNORECASE)
_CELLS = re.compile(rb"<((?:\w+:)?)sheetData\b[^>]*?(/?)>")
_SELECTED = re.compile(rb"\stabSelected=[\"'](?:1|true)[\"']")
_ROW = re.compile(rb"<(?:\w+:)?row\s[^>]*>")
_ROW_NUMBER, _ROW_HEIGHT = re.compile(rb"\sr=[\"'](\d{1,7})[\"']"), re.compile(rb"\sht=[\"']([\d.]{1,9})[\"']")
# What comes behind a conditional format, and behind the link to the notes' drawing, in the standard's order.
_BEHIND_NOTES = (
    "legacyDrawingHF", "drawingHF", "picture", "oleObjects", "controls", "webPublishItems", "tableParts", "extLst",
)  # fmt: skip
BEHIND_RULES = (
    "dataValidations", "hyperlinks", "printOptions", "pageMargins", "pageSetup", "headerFooter", "rowBreaks",
    "colBreaks", "customProperties", "cellWatches", "ignoredErrors", "smartTags", "drawing", "legacyDrawing",
    *_BEHIND_NOTES,
)  # fmt: skip


class SheetPart:
    """A worksheet part being changed."""

    def __init__(self, content: bytes) -> None:
        found = _CELLS.search(content)
        if found is None or _UTF8.match(content) or content[:2] in (b"\xff\xfe", b"\xfe\xff"):
            raise PackageError(DAMAGED)
        end = found.end()
        if not found[2]:
            closing = b"</" + found[1] + b"sheetData>"
            end = content.rfind(closing) + len(closing)
            if end < found.end():
                raise PackageError(DAMAGED)
        self._cells = content[found.start() : end]
        self.root = parse(content[: found.start()] + b"<" + found[1] + b"sheetData/>" + content[end:])
        if self.root.tag != q("worksheet"):
            raise PackageError(DAMAGED)

    def finish(self) -> bytes:
        """Write the part."""
        content = dump(self.root)
        found = _CELLS.search(content)
        assert found is not None
        return content[: found.start()] + self._cells + content[found.end() :]

    def insert(self, node: Tree, behind: Sequence[str] = BEHIND_RULES) -> None:
        """Move a node in front of all that the standard wants behind it."""
        following = next((child for child in self.root if child is not node and local(child) in behind), None)
        if following is not None:
            following.addprevious(node)

    # --- notes -------------------------------------------------------------------------------

    @property
    def drawing(self) -> str | None:
        """The id of the relation to the drawing of the notes."""
        node = self.root.find(q("legacyDrawing"))
        return None if node is None else node.get(q("id", OFFICE))

    def draw(self, key: str | None) -> None:
        """Link the drawing of the notes, or none."""
        node = self.root.find(q("legacyDrawing"))
        if node is not None:
            self.root.remove(node)
        if key is not None:
            self.insert(add_related(self.root, "legacyDrawing", key), _BEHIND_NOTES)

    def column_pixels(self) -> Mapping[int, float]:
        """Return the widths of columns that have one, in pixels."""
        widths: dict[int, float] = {}
        for node in self.root.iter(q("col")):
            first, last = int(node.get("min", "1")), min(int(node.get("max", "1")), 200)
            pixels = 0.0 if node.get("hidden") in ("1", "true") else float(node.get("width", "9")) * 7 + 5
            widths |= dict.fromkeys(range(first - 1, last), pixels)
        return widths

    def row_pixels(self) -> Mapping[int, float]:
        """Return the heights of rows that have one, in pixels."""
        heights: dict[int, float] = {}
        for match in _ROW.finditer(self._cells):
            number, height = _ROW_NUMBER.search(match[0]), _ROW_HEIGHT.search(match[0])
            if number is not None and height is not None:
                heights[int(number[1]) - 1] = float(height[1]) * 96 / 72
        return heights


def deselected(content: bytes) -> bytes:
    """Return a sheet that is not selected: with two selected, typing would go into both."""
    found = _CELLS.search(content)
    end = found.start() if found else len(content)
    return _SELECTED.sub(b"", content[:end]) + content[end:]


def selected(content: bytes) -> bytes:
    """Return a sheet of XlsxWriter's, not selected before, that is selected."""
    return content.replace(b"<sheetView ", b'<sheetView tabSelected="1" ', 1)
