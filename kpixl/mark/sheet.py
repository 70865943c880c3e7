"""One worksheet: cells are tinted by a conditional format, so that no cell of it changes, and get notes.

The cells themselves are never parsed: what stands before and behind them becomes a tree, they are put back as bytes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from kpixl.cells import Span, a1, span_text
from kpixl.mark.notes import RULE, RULE_SIGNATURE
from kpixl.mark.xml import DAMAGED, OFFICE, Tree, UnmarkableError, add, add_related, dump, local, parse, q

_UTF8 = re.compile(rb"\s*<\?xml[^>]*encoding=[\"'](?!utf-8[\"'])", re.IGNORECASE)
_CELLS = re.compile(rb"<((?:\w+:)?)sheetData\b[^>]*?(/?)>")
_SELECTED = re.compile(rb"\stabSelected=[\"'](?:1|true)[\"']")
_ROW = re.compile(rb"<(?:\w+:)?row\s[^>]*>")
_ROW_NUMBER, _ROW_HEIGHT = re.compile(rb"\sr=[\"'](\d{1,7})[\"']"), re.compile(rb"\sht=[\"']([\d.]{1,9})[\"']")
# What stands behind a conditional format, and behind the link to the notes' drawing, in the standard's order.
_BEHIND_NOTES = (
    "legacyDrawingHF", "drawingHF", "picture", "oleObjects", "controls", "webPublishItems", "tableParts", "extLst",
)  # fmt: skip
_BEHIND_RULES = (
    "dataValidations", "hyperlinks", "printOptions", "pageMargins", "pageSetup", "headerFooter", "rowBreaks",
    "colBreaks", "customProperties", "cellWatches", "ignoredErrors", "smartTags", "drawing", "legacyDrawing",
    *_BEHIND_NOTES,
)  # fmt: skip


class SheetPart:
    """A worksheet part being marked."""

    def __init__(self, content: bytes) -> None:
        found = _CELLS.search(content)
        if found is None or _UTF8.match(content) or content[:2] in (b"\xff\xfe", b"\xfe\xff"):
            raise UnmarkableError(DAMAGED)
        end = found.end()
        if not found[2]:
            closing = b"</" + found[1] + b"sheetData>"
            end = content.rfind(closing) + len(closing)
            if end < found.end():
                raise UnmarkableError(DAMAGED)
        self._cells = content[found.start() : end]
        self.root = parse(content[: found.start()] + b"<" + found[1] + b"sheetData/>" + content[end:])
        if self.root.tag != q("worksheet"):
            raise UnmarkableError(DAMAGED)

    def finish(self) -> bytes:
        """Write the part."""
        content = dump(self.root)
        found = _CELLS.search(content)
        assert found is not None
        return content[: found.start()] + self._cells + content[found.end() :]

    # --- tints -------------------------------------------------------------------------------

    def untint(self) -> None:
        """Remove the tints of an earlier marking."""
        for group in list(self.root.iter(q("conditionalFormatting"))):
            for rule in [r for r in group if RULE_SIGNATURE in "".join(r.itertext())]:
                group.remove(rule)
            if not any(local(child) == "cfRule" for child in group):
                group.getparent().remove(group)

    def tint(self, spans: Mapping[int, Sequence[Span]]) -> None:
        """Tint rectangles, each group by the differential format of its number. Other rules keep their order."""
        rules = [node for node in self.root.iter() if local(node) == "cfRule" and node.get("priority")]
        lowest = min((int(node.get("priority")) for node in rules), default=len(spans) + 1)
        for node in rules:
            node.set("priority", str(int(node.get("priority")) + max(0, len(spans) + 1 - lowest)))
        for number, (dxf, places) in enumerate(spans.items(), 1):
            group = add(self.root, "conditionalFormatting", sqref=" ".join(map(_address, places)))
            rule = add(group, "cfRule", type="expression", dxfId=str(dxf), priority=str(number))
            add(rule, "formula", RULE)
            # In front of other rules: LibreOffice lets the first in the file win, whatever the priorities say.
            self._insert(group, ("conditionalFormatting", *_BEHIND_RULES))

    def _insert(self, node: Tree, behind: Sequence[str]) -> None:
        """Move a node in front of all that stands behind it by the standard."""
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
            self._insert(add_related(self.root, "legacyDrawing", key), _BEHIND_NOTES)

    def column_pixels(self) -> Mapping[int, float]:
        """Return the widths of columns that say one, in pixels."""
        widths: dict[int, float] = {}
        for node in self.root.iter(q("col")):
            first, last = int(node.get("min", "1")), min(int(node.get("max", "1")), 200)
            pixels = 0.0 if node.get("hidden") in ("1", "true") else float(node.get("width", "9")) * 7 + 5
            widths |= dict.fromkeys(range(first - 1, last), pixels)
        return widths

    def row_pixels(self) -> Mapping[int, float]:
        """Return the heights of rows that say one, in pixels."""
        heights: dict[int, float] = {}
        for match in _ROW.finditer(self._cells):
            number, height = _ROW_NUMBER.search(match[0]), _ROW_HEIGHT.search(match[0])
            if number is not None and height is not None:
                heights[int(number[1]) - 1] = float(height[1]) * 96 / 72
        return heights


def _address(span: Span) -> str:
    return a1(span.row, span.col) if span.single else span_text(span)


def deselected(content: bytes) -> bytes:
    """Return a sheet that is not selected: with two selected, typing would go into both."""
    found = _CELLS.search(content)
    end = found.start() if found else len(content)
    return _SELECTED.sub(b"", content[:end]) + content[end:]
