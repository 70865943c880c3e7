"""What a workbook holds beside cells: pictures, charts, shapes, macros and more, named for people."""

from __future__ import annotations

import re
from collections.abc import Mapping

from kpixl.ooxml.workbook import BookSheet, Workbook
from kpixl.ooxml.xml import local, parse
from kpixl.texts import Text

# What the kinds of relations of a sheet are called, where they are more than its cells.
_RELATED: Mapping[str, Text] = {
    "threadedComment": ("对话式批注的回复", "replies of threaded comments"),
    "pivotTable": ("数据透视表", "a pivot table"),
    "ctrlProp": ("表单控件", "form controls"),
    "control": ("控件", "controls"),
    "oleObject": ("嵌入对象", "embedded objects"),
    "package": ("嵌入对象", "embedded objects"),
    "slicer": ("切片器", "slicers"),
    "timeline": ("日程表", "timelines"),
    "queryTable": ("外部查询", "a query"),
    "image": ("背景图片", "a background picture"),
}
_EXTENSIONS: Mapping[str, Text] = {
    "78C0D931-6437-407D-A8EE-F0AAD7539E65": ("扩展的条件格式", "extended conditional formats"),
    "CCE6A557-97BC-4B89-ADB6-D9C93CAAB3DF": ("引用其他工作表的数据有效性", "extended data validations"),
    "05C60535-1F16-4FD2-B633-F4F36F0B64E0": ("迷你图", "sparklines"),
    "A8765BA9-456A-4DAB-B4F3-ACF838C121DE": ("切片器", "slicers"),
    "3A4CF648-6AED-40F4-86FF-DC5316D8AED3": ("切片器", "slicers"),
    "7E03D99C-DC04-49D9-9315-930204A7B6E9": ("日程表", "timelines"),
}
_EXTENSION = re.compile(rb'<(?:\w+:)?ext\b[^<>]*?uri="\{([0-9A-Fa-f-]{36})\}"')
MACROS: Text = ("宏（VBA）", "macros (VBA)")
PICTURE: Text = ("图片", "pictures")
CHART: Text = ("图表", "charts")
SHAPE: Text = ("图形或文本框", "shapes or text boxes")
CHART_SHEET: Text = ("图表工作表", "a chart sheet")
_DRAWN = {"graphicFrame": CHART, "pic": PICTURE, "sp": SHAPE, "cxnSp": SHAPE, "contentPart": SHAPE}


def has_macros(workbook: Workbook) -> bool:
    """Return whether a workbook holds macros."""
    return workbook.related(workbook.part, "vbaProject") is not None


def contents_of(workbook: Workbook, sheet: BookSheet) -> list[Text]:
    """List what a sheet holds beside cells and plain notes, each kind once. Raises PackageError."""
    if not sheet.worksheet:
        return [CHART_SHEET]
    relations = list(workbook.relations(sheet.path))
    found = [_RELATED[r.kind] for r in relations if r.kind in _RELATED]
    found += [text for r in relations if r.kind == "drawing" for text in drawn(workbook, r.target)]
    tail = workbook.read(sheet.path).rpartition(b"sheetData>")[2]
    extensions = (match[1].decode().upper() for match in _EXTENSION.finditer(tail))
    found += [_EXTENSIONS[uri] for uri in extensions if uri in _EXTENSIONS]
    return list(dict.fromkeys(found))


def drawn(workbook: Workbook, part: str) -> list[Text]:
    """List what a drawing holds, one by one, charts first. Raises PackageError."""
    if not workbook.has(part):
        return []
    found = [_DRAWN[name] for node in parse(workbook.read(part)).iter() if (name := local(node)) in _DRAWN]
    return sorted(found, key=lambda text: text != CHART)
