"""An old workbook as a package of parts: which sheets are ours, and what in the others no library carries.

Reads the zip file itself: openpyxl drops pictures, charts and extensions without a word, so what is lost can only
be seen here. Everything is bounded; a part that is too large or no XML counts as damage.
"""

from __future__ import annotations

import io
import posixpath
import re
import zipfile
import zlib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from xml.etree import ElementTree

from kpixl.cells import span_from, span_size
from kpixl.texts import Text

MAX_PARTS = 5_000
MAX_TOTAL = 512 << 20
MAX_SHEET = 48 << 20  # of XML; openpyxl makes some fifty times as much memory of it
MAX_MERGED_CELLS = 200_000
_SKIPPED_FOLDERS = ("chartsheets", "drawings", "charts", "media", "pivotTables", "pivotCache", "embeddings")
_UNCHANGED = b"2000-01-01T00:00:00Z</dcterms:modified>"
_EMPTY_SHEET = (
    b'<?xml version="1.0" encoding="UTF-8"?>'
    b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData/></worksheet>'
)
_EMPTY_RELS = (
    b'<?xml version="1.0" encoding="UTF-8"?>'
    b'<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"/>'
)
_UNREADABLE = (KeyError, zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, OSError, EOFError)
_REL = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"

# Kinds of relations of a sheet that are read, and what each of the others is called.
_READ = {"hyperlink", "comments", "vmlDrawing", "table"}
_SILENT = {"printerSettings", "drawing", "externalLinkPath"}
_LOST: Mapping[str, Text] = {
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
_WORKBOOK_PARTS: Mapping[str, Text] = {
    "xl/vbaProject.bin": ("宏（VBA）", "macros (VBA)"),
    "xl/connections.xml": ("数据连接", "data connections"),
}
PICTURE: Text = ("图片", "pictures")
CHART: Text = ("图表", "charts")
SHAPE: Text = ("图形或文本框", "shapes or text boxes")
COMMENT: Text = ("批注", "comments")
CHART_SHEET: Text = ("图表工作表", "a chart sheet")
TOO_LARGE: Text = ("超出 Excel 限度的工作表", "a sheet beyond Excel's limits")


class BrokenPackage(Exception):
    """The file is no package of parts that can be read."""


@dataclass(frozen=True, slots=True)
class SheetPart:
    """A sheet of the workbook: its part, and its relations as (kind, part) pairs."""

    name: str
    path: str
    worksheet: bool
    relations: tuple[tuple[str, str], ...]


class Package:
    """The parts of one workbook."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        try:
            self._zip = zipfile.ZipFile(io.BytesIO(content))
        except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError) as error:
            raise BrokenPackage(str(error)) from error
        entries = self._zip.infolist()
        if len(entries) > MAX_PARTS or sum(entry.file_size for entry in entries) > MAX_TOTAL:
            raise BrokenPackage("too large")
        self.sizes = {entry.filename: entry.file_size for entry in entries}
        self._workbook = self.xml("xl/workbook.xml")
        self.sheets = tuple(self._sheets())

    def read(self, path: str) -> bytes:
        """Return a part. Raises BrokenPackage."""
        try:
            return self._zip.read(path)
        except _UNREADABLE as error:
            raise BrokenPackage(str(error)) from error

    def xml(self, path: str) -> ElementTree.Element:
        """Return a part as a tree. Raises BrokenPackage."""
        content = self.read(path)
        if len(content) > MAX_SHEET or b"<!DOCTYPE" in content or b"<!ENTITY" in content:
            raise BrokenPackage(path)
        try:
            return ElementTree.fromstring(content)
        except (ElementTree.ParseError, ValueError, LookupError) as error:
            raise BrokenPackage(f"{path}: {error}") from error

    @property
    def touched(self) -> bool:
        """Tell whether another program saved the file: all of them then change its date."""
        return "docProps/core.xml" not in self.sizes or _UNCHANGED not in self.read("docProps/core.xml")

    def names(self) -> dict[str, str]:
        """Map the names that stand for the whole workbook to what they refer to."""
        return {
            node.get("name", ""): node.text or ""
            for node in self._workbook.iter()
            if _local(node.tag) == "definedName" and node.get("localSheetId") is None
        }

    def _sheets(self) -> Iterator[SheetPart]:
        targets = {key: (kind, part) for key, kind, part in self._relations("xl/workbook.xml")}
        for node in self._workbook.iter():
            if _local(node.tag) != "sheet" or (key := node.get(_REL)) not in targets or key is None:
                continue
            kind, path = targets[key]
            relations = tuple((kind, part) for _, kind, part in self._relations(path))
            yield SheetPart(node.get("name", ""), path, kind == "worksheet", relations)

    def _relations(self, path: str) -> Iterator[tuple[str, str, str]]:
        """Yield (id, last word of the type, target part) of each relation of a part."""
        rels = rels_path(path)
        if rels not in self.sizes:
            return
        for node in self.xml(rels):
            target = node.get("Target", "")
            if node.get("TargetMode") != "External":
                target = posixpath.normpath(posixpath.join("/", posixpath.dirname(path), target)).lstrip("/")
            yield node.get("Id", ""), node.get("Type", "").rpartition("/")[2], target

    # --- what gets lost -----------------------------------------------------------------------

    def lost_parts(self) -> list[Text]:
        """List what the workbook as a whole holds that is not carried."""
        lost = [text for part, text in _WORKBOOK_PARTS.items() if part in self.sizes]
        if any(part.startswith("xl/externalLinks/") for part in self.sizes):
            lost.append(("对其他文件的引用（保留现值）", "references to other files (their values are kept)"))
        return lost

    def lost_on_sheet(self, sheet: SheetPart) -> list[Text]:
        """List what a sheet that is not ours holds that is not carried."""
        if not sheet.worksheet:
            return [CHART_SHEET]
        lost = [_LOST[kind] for kind, _ in sheet.relations if kind in _LOST]
        lost += [text for kind, part in sheet.relations if kind == "drawing" for text in self._drawn(part)]
        tail = self.read(sheet.path).rpartition(b"</sheetData>")[2]
        for match in re.finditer(rb'<ext\b[^>]*?uri="\{([0-9A-Fa-f-]{36})\}"', tail):
            if text := _EXTENSIONS.get(match[1].decode().upper()):
                lost.append(text)
        return list(dict.fromkeys(lost))

    def added_to_own(self, sheet: SheetPart, charts: int) -> list[Text]:
        """List what a person put onto a sheet of ours beside its cells; `charts` are ours."""
        lost = [_LOST[kind] for kind, _ in sheet.relations if kind in _LOST]
        if any(kind == "comments" for kind, _ in sheet.relations):
            lost.append(COMMENT)
        drawn = [text for kind, part in sheet.relations if kind == "drawing" for text in self._drawn(part)]
        lost += drawn[charts:] if drawn[:charts] == [CHART] * charts else [t for t in drawn if t != CHART]
        return list(dict.fromkeys(lost))

    def _drawn(self, part: str) -> list[Text]:
        """List what a drawing holds, charts first."""
        if part not in self.sizes:
            return []
        kinds = {"graphicFrame": CHART, "pic": PICTURE, "sp": SHAPE, "cxnSp": SHAPE, "contentPart": SHAPE}
        found = [kinds[name] for node in self.xml(part).iter() if (name := _local(node.tag)) in kinds]
        return sorted(found, key=lambda text: text != CHART)

    def too_large(self, sheet: SheetPart) -> bool:
        """Tell whether openpyxl would take too long over a sheet."""
        if self.sizes.get(sheet.path, 0) > MAX_SHEET or self.out_of_bounds(sheet):
            return True
        content = self.read(sheet.path)
        merged = sum(map(_cell_count, re.findall(rb'<mergeCell\b[^>]*?ref="([A-Z]+\d+:[A-Z]+\d+)"', content)))
        linked = sum(map(_cell_count, re.findall(rb'<hyperlink\b[^>]*?ref="([A-Z]+\d+:[A-Z]+\d+)"', content)))
        return merged + linked > MAX_MERGED_CELLS

    def out_of_bounds(self, sheet: SheetPart) -> bool:
        """Tell whether a sheet has an address that no Excel sheet has."""
        content = self.read(sheet.path)
        return re.search(rb'\br="(?:[A-Z]{4,}\d*|[A-Z]*\d{8,})"', content) is not None

    # --- for openpyxl -------------------------------------------------------------------------

    def reduced(self, wanted: Collection[str]) -> bytes:
        """Return the workbook with only the sheets `wanted` (by part) filled, and of those only what is read."""
        out = io.BytesIO()
        empty = {sheet.path for sheet in self.sheets if sheet.worksheet} - set(wanted)
        drop = tuple(f"xl/{name}/" for name in _SKIPPED_FOLDERS)
        with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as target:
            for path in self.sizes:
                if path in empty:
                    target.writestr(path, _EMPTY_SHEET)
                elif path.startswith(drop) or path.endswith("/"):
                    continue
                elif path.startswith("xl/worksheets/_rels/"):
                    target.writestr(path, self._reduced_rels(path, {rels_path(part) for part in wanted}))
                elif path == "xl/sharedStrings.xml" and self.sizes[path] > MAX_SHEET * 2:
                    raise BrokenPackage(path)
                else:
                    target.writestr(path, self._harmless(path))
        return out.getvalue()

    def _harmless(self, path: str) -> bytes:
        content = self.read(path)
        if path.endswith((".xml", ".rels")) and (b"<!DOCTYPE" in content or b"<!ENTITY" in content):
            raise BrokenPackage(path)
        return content

    def _reduced_rels(self, path: str, wanted: Collection[str]) -> bytes:
        if path not in wanted:
            return _EMPTY_RELS
        root = self.xml(path)
        for node in list(root):
            if node.get("Type", "").rpartition("/")[2] not in _READ:
                root.remove(node)
        return ElementTree.tostring(root)


def rels_path(path: str) -> str:
    """Name the part that holds the relations of a part."""
    folder, _, name = path.rpartition("/")
    return f"{folder}/_rels/{name}.rels"


def _local(tag: str) -> str:
    return tag.rpartition("}")[2]


def _cell_count(ref: bytes) -> int:
    span = span_from(ref.decode())
    return 0 if span is None else span_size(span)


# --- marks that a person made on our sheets ---------------------------------------------------


def decorated_rows(package: Package, sheet: SheetPart, known: Collection[str]) -> list[int]:
    """List the rows (from 0) of a sheet of ours with cells in colours that are not among `known`, such as "FFE699"."""
    strange = _strange_formats(package.xml("xl/styles.xml"), known)
    if not strange:
        return []
    rows = {
        int(match[1]) - 1
        for match in re.finditer(rb'<c\b[^>]*?\br="[A-Z]+(\d+)"[^>]*?\bs="(\d+)"', package.read(sheet.path))
        if int(match[2]) in strange
    }
    return sorted(rows)


def _strange_formats(styles: ElementTree.Element, known: Collection[str]) -> set[int]:
    groups = {_local(node.tag): list(node) for node in styles}
    fills = [_has_strange(node, "fgColor", known) for node in groups.get("fills", [])]
    fonts = [_has_strange(node, "color", known) for node in groups.get("fonts", [])]
    strange = set()
    for index, xf in enumerate(groups.get("cellXfs", [])):
        fill, font = int(xf.get("fillId", 0)), int(xf.get("fontId", 0))
        if (fill < len(fills) and fills[fill]) or (font < len(fonts) and fonts[font]):
            strange.add(index)
    return strange


def _has_strange(node: ElementTree.Element, tag: str, known: Collection[str]) -> bool:
    return any(_strange(color, known) for color in node.iter() if _local(color.tag) == tag)


def _strange(color: ElementTree.Element, known: Collection[str]) -> bool:
    if (rgb := color.get("rgb")) is not None:
        return rgb[-6:].upper() not in known
    if (theme := color.get("theme")) is not None:
        return theme not in ("0", "1") or color.get("tint") is not None
    return color.get("indexed", "64") not in ("8", "9", "64", "65")


def formula_count(package: Package, sheet: SheetPart) -> int:
    """Count the cells of a sheet that hold formulas."""
    return len(re.findall(rb"<f[\s>/]", package.read(sheet.path)))
