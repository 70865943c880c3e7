"""A .xlsx or .xlsm -> the same with the problems marked in it. Parts that carry no mark stay as they are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from copy import deepcopy

from kpixl.cells import Span
from kpixl.grids import Grid, Limits
from kpixl.grids.packages import Package
from kpixl.intake import is_problem_list
from kpixl.mark.comments import EMPTY_DRAWING, Comments, has_boxes, usual_drawing, with_boxes, without_boxes
from kpixl.mark.listing import NAME, Group, list_workbook
from kpixl.mark.notes import MAX_NOTES, RULE_SIGNATURE, Note, notes_of
from kpixl.mark.parts import Parts
from kpixl.mark.sheet import SheetPart, deselected
from kpixl.mark.styles import EMPTY_STYLES, Styles
from kpixl.mark.xml import DAMAGED, OFFICE, Tree, UnmarkableError, add, add_related, dump, parse, q
from kpixl.marker import NOTE_SIGNATURE
from kpixl.problems import Severity
from kpixl.sheets import sheet_names
from kpixl.texts import say

_SHEET = "xl/worksheets/kpixl{}.xml"
_STYLES = "xl/styles.xml"  # openpyxl and calamine look for it here, whatever the relation says
_COMMENTS, _DRAWING = "xl/comments_kpixl{}.xml", "xl/drawings/notes_kpixl{}.vml"
_SHEET_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"
_STYLES_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.styles+xml"
_COMMENTS_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.comments+xml"
_DRAWING_TYPE = "application/vnd.openxmlformats-officedocument.vmlDrawing"
_SIGNATURES = "_xmlsignatures/"


def mark_workbook(package: Package, grids: Sequence[Grid], file: str, groups: Sequence[Group], lang: str) -> bytes:
    """Mark the workbook of a package whose `grids` were read. Raises UnmarkableError."""
    return _Marker(package, grids, lang).mark(file, groups)


class _Marker:
    """Marks one workbook; used once."""

    def __init__(self, package: Package, grids: Sequence[Grid], lang: str) -> None:
        self.parts, self.lang = Parts(package), lang
        self.grids = {grid.name: grid for grid in grids}
        self.sheets = self.parts.book.find(q("sheets"))
        if self.sheets is None:
            raise UnmarkableError(DAMAGED)
        styles = self.parts.related(self.parts.workbook, "styles")
        if styles is None:
            self.parts.relate(self.parts.workbook, "styles", _STYLES)
            self.parts.write(_STYLES, EMPTY_STYLES, _STYLES_TYPE)
        self.styles_part = styles or _STYLES
        self.styles = Styles(self.parts.read(self.styles_part))
        for name in {grid.name for grid in grids if is_problem_list(grid)}:
            self._drop_list(name)
        self.paths = {node.get("name"): self._path(node) for node in self.sheets}

    def mark(self, file: str, groups: Sequence[Group]) -> bytes:
        """Mark everything and pack the workbook."""
        wanted = {group.sheet: group.problems for group in groups if group.sheet is not None}
        for name, path in self.paths.items():
            self._sheet(path, notes_of(self.grids.get(name), wanted.get(name, ()), self.lang))
        self._add_list(list_workbook(file, groups, None, lang=self.lang))
        self.parts.write(self.styles_part, self.styles.finish())
        if self.parts.remove_folder(_SIGNATURES):
            for _, kind, target in list(self.parts.relations("")):
                if kind == "origin":
                    self.parts.unrelate("", target)
        return self.parts.finish()

    def _path(self, sheet: Tree) -> str:
        key = sheet.get(q("id", OFFICE))
        found = (target for node, _, target in self.parts.relations(self.parts.workbook) if node.get("Id") == key)
        path = next(found, None)
        if path is None:
            raise UnmarkableError(DAMAGED)
        return path

    # --- the sheets that are there -----------------------------------------------------------

    def _sheet(self, path: str, notes: Sequence[Note]) -> None:
        old = self.parts.read(path)
        content = deselected(old)
        comments = self.parts.related(path, "comments")
        if notes or NOTE_SIGNATURE.encode() in self.parts.read(comments or "") or RULE_SIGNATURE.encode() in content:
            sheet = SheetPart(content)
            sheet.untint()
            if notes:
                sheet.tint({self.styles.tint(s): spans for s in Severity if (spans := _places(notes, s))})
            self._notes(path, sheet, notes[:MAX_NOTES])
            content = sheet.finish()
        if content != old:
            self.parts.write(path, content)

    def _notes(self, path: str, sheet: SheetPart, notes: Sequence[Note]) -> None:
        """Put notes on a sheet in place of those of an earlier marking."""
        part = self.parts.related(path, "comments")
        if part is None and not notes:
            return
        comments = Comments(self.parts.read(part) if part else b"")
        drawing = self._drawing_of(path, sheet)
        shapes = usual_drawing(self.parts.read(drawing)) if drawing else EMPTY_DRAWING
        shapes = without_boxes(shapes, comments.remove_ours())
        fresh = comments.add(notes)
        if fresh:
            shapes = with_boxes(shapes, fresh, sheet.column_pixels(), sheet.row_pixels())
        if comments.empty:
            if part is not None:
                self._detach(path, part)
        else:
            part = part or self._attach(path, "comments", _COMMENTS)[0]
            self.parts.write(part, comments.finish(), _COMMENTS_TYPE)
        if has_boxes(shapes):
            if drawing is None:
                drawing, key = self._attach(path, "vmlDrawing", _DRAWING)
                self.parts.default_type("vml", _DRAWING_TYPE)
                sheet.draw(key)
            self.parts.write(drawing, shapes)
        elif drawing is not None:
            self._detach(path, drawing)
            sheet.draw(None)

    def _drawing_of(self, path: str, sheet: SheetPart) -> str | None:
        if sheet.drawing is None:
            return None
        found = (target for node, _, target in self.parts.relations(path) if node.get("Id") == sheet.drawing)
        return next(found, None)

    def _attach(self, path: str, kind: str, pattern: str) -> tuple[str, str]:
        """Relate a new part to a sheet; return its name and the id of the relation."""
        name = self.parts.unused(pattern)
        return name, self.parts.relate(path, kind, name)

    def _detach(self, path: str, part: str) -> None:
        self.parts.unrelate(path, part)
        self.parts.remove(part)

    # --- the list ----------------------------------------------------------------------------

    def _drop_list(self, name: str | None) -> None:
        """Remove the list of an earlier marking."""
        for number, node in enumerate(list(self.sheets)):
            if node.get("name") == name:
                path = self._path(node)
                self.parts.unrelate(self.parts.workbook, path)
                self.parts.remove(path)
                self.sheets.remove(node)
                self._renumber(number, -1)

    def _add_list(self, workbook: bytes) -> None:
        """Put the list in front of all sheets, and show it first."""
        path = self.parts.unused(_SHEET)
        self.parts.write(path, self._transplanted(workbook), _SHEET_TYPE)
        key = self.parts.relate(self.parts.workbook, "worksheet", path)
        names = [node.get("name", "") for node in self.sheets]
        taken = {node.get("sheetId") for node in self.sheets}
        free = next(number for number in range(1, len(taken) + 2) if str(number) not in taken)
        name = sheet_names([say(NAME, self.lang)], names)[0]
        sheet = add_related(self.sheets, "sheet", key, name=name, sheetId=str(free))
        self.sheets.insert(0, sheet)
        self._renumber(0, 1)
        for view in self.parts.book.iter(q("workbookView")):
            view.attrib.pop("firstSheet", None)
            view.set("activeTab", "0")

    def _renumber(self, first: int, step: int) -> None:
        """Let names that belong to one sheet follow it when sheets before it come or go."""
        for node in list(self.parts.book.iter(q("definedName"))):
            number = node.get("localSheetId")
            if number is None:
                continue
            if step < 0 and int(number) == first:
                node.getparent().remove(node)
            elif int(number) >= first:
                node.set("localSheetId", str(int(number) + step))
        for names in list(self.parts.book.iter(q("definedNames"))):
            if not len(names):
                names.getparent().remove(names)

    def _transplanted(self, workbook: bytes) -> bytes:
        """Turn the list's workbook into a sheet of this one: its formats are added here, its texts stand in it."""
        source = Package(workbook, Limits())
        styles = Styles(source.read("xl/styles.xml"))
        texts = list(parse(source.read("xl/sharedStrings.xml")))
        root = parse(source.read("xl/worksheets/sheet1.xml"))
        numbers: dict[str, str] = {}
        for node in root.iter(q("c"), q("row"), q("col")):
            for attribute in ("s", "style"):
                if (old := node.get(attribute)) is not None:
                    if old not in numbers:
                        numbers[old] = str(self.styles.transplant(styles, int(old)))
                    node.set(attribute, numbers[old])
        for cell in root.iter(q("c")):
            if cell.get("t") == "s":
                value = cell.find(q("v"))
                cell.set("t", "inlineStr")
                inline = add(cell, "is")
                inline.extend(deepcopy(list(texts[int(value.text)])))
                cell.remove(value)
        return dump(root)


def _places(notes: Iterable[Note], severity: Severity) -> list[Span]:
    return [note.place for note in notes if note.severity is severity]
