"""Tints on a worksheet: conditional formats in front of the others, so that no cell and no cell's format changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from kpixl.a1 import Span, a1, span_text
from kpixl.ooxml.sheet import BEHIND_RULES, SheetPart
from kpixl.ooxml.styles import Styles
from kpixl.ooxml.xml import MAIN, add, local, make, q
from kpixl.output.annotate.notes import EDGES, RULE, RULE_SIGNATURE, TINTS
from kpixl.problems import Severity


def untint(sheet: SheetPart) -> None:
    """Remove the tints of an earlier marking."""
    for group in list(sheet.root.iter(q("conditionalFormatting"))):
        for rule in [r for r in group if RULE_SIGNATURE in "".join(r.itertext())]:
            group.remove(rule)
        if not any(local(child) == "cfRule" for child in group):
            group.getparent().remove(group)


def tint(sheet: SheetPart, spans: Mapping[int, Sequence[Span]]) -> None:
    """Tint rectangles, each group by the differential format of its number. Other rules keep their order."""
    rules = [node for node in sheet.root.iter() if local(node) == "cfRule" and node.get("priority")]
    lowest = min((int(node.get("priority")) for node in rules), default=len(spans) + 1)
    for node in rules:
        node.set("priority", str(int(node.get("priority")) + max(0, len(spans) + 1 - lowest)))
    for number, (dxf, places) in enumerate(spans.items(), 1):
        group = add(sheet.root, "conditionalFormatting", sqref=" ".join(map(_address, places)))
        rule = add(group, "cfRule", type="expression", dxfId=str(dxf), priority=str(number))
        add(rule, "formula", RULE)
        # In front of other rules: LibreOffice lets the first in the file win, whatever the priorities say.
        sheet.insert(group, ("conditionalFormatting", *BEHIND_RULES))


def tint_format(styles: Styles, severity: Severity) -> int:
    """Return the number of the differential format that tints a cell."""
    dxf = make(q("dxf"), {None: MAIN}, {})
    pattern = add(add(dxf, "fill"), "patternFill", patternType="solid")
    for name in ("fgColor", "bgColor"):
        add(pattern, name, rgb="FF" + TINTS[severity])
    border = add(dxf, "border")
    for side in ("left", "right", "top", "bottom"):
        add(add(border, side, style="thin"), "color", rgb="FF" + EDGES[severity])
    return styles.add("dxfs", dxf)


def _address(span: Span) -> str:
    return a1(span.row, span.col) if span.single else span_text(span)
