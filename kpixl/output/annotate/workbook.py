"""A .xlsx or .xlsm -> the same with the problems marked in it. Parts that carry no mark stay as they are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from kpixl.a1 import Span
from kpixl.collection.intake import is_problem_list
from kpixl.ooxml.comments import EMPTY_DRAWING, Comments, has_boxes, usual_drawing, with_boxes, without_boxes
from kpixl.ooxml.sheet import SheetPart, deselected
from kpixl.ooxml.styles import Styles
from kpixl.ooxml.transplant import restyled
from kpixl.ooxml.workbook import Workbook
from kpixl.ooxml.xml import q
from kpixl.output.annotate.notes import MAX_NOTES, RULE_SIGNATURE, ProblemNote, notes_of
from kpixl.output.annotate.problem_list import NAME, Group, list_workbook
from kpixl.output.annotate.sheet import tint, tint_format, untint
from kpixl.output.workbook import sheet_names
from kpixl.portfolio.sheet_id import NOTE_SIGNATURE
from kpixl.problems import Severity
from kpixl.readers import Grid
from kpixl.readers.package import OpenedPackage
from kpixl.texts import say

_SHEET = "xl/worksheets/kpixl{}.xml"
_COMMENTS, _DRAWING = "xl/comments_kpixl{}.xml", "xl/drawings/notes_kpixl{}.vml"
_SHEET_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"
_COMMENTS_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.comments+xml"
_DRAWING_TYPE = "application/vnd.openxmlformats-officedocument.vmlDrawing"


def mark_workbook(
    package: OpenedPackage, grids: Sequence[Grid], file: str, groups: Sequence[Group], lang: str, origins: Sequence[str]
) -> bytes:
    """Mark the workbook of a package whose `grids` were read. Raises PackageError."""
    return _Annotator(package, grids, lang).mark(file, groups, origins)


class _Annotator:
    """Marks one workbook; used once."""

    def __init__(self, package: OpenedPackage, grids: Sequence[Grid], lang: str) -> None:
        limits = package.limits
        self.parts = Workbook(package.content, members=limits.members, unpacked=limits.unpacked_bytes)
        self.lang = lang
        self.grids = {grid.name: grid for grid in grids}
        self.styles_part = self.parts.styles_part()
        self.styles = Styles(self.parts.read(self.styles_part))
        lists = {grid.name for grid in grids if is_problem_list(grid)}
        for sheet in self.parts.sheets():
            if sheet.name in lists:  # of an earlier marking
                self.parts.remove_sheet(sheet)

    def mark(self, file: str, groups: Sequence[Group], origins: Sequence[str]) -> bytes:
        """Mark everything and pack the workbook."""
        wanted = {group.sheet: group.marked for group in groups if group.sheet is not None}
        for sheet in self.parts.sheets():
            self._sheet(sheet.path, notes_of(self.grids.get(sheet.name), wanted.get(sheet.name, ()), self.lang))
        self._add_list(list_workbook(file, groups, None, lang=self.lang, origins=origins))
        self.parts.write(self.styles_part, self.styles.finish())
        self.parts.remove_signatures()
        return self.parts.finish()

    # --- the sheets that are there -----------------------------------------------------------

    def _sheet(self, path: str, notes: Sequence[ProblemNote]) -> None:
        old = self.parts.read(path)
        content = deselected(old)
        comments = self.parts.related(path, "comments")
        if notes or NOTE_SIGNATURE.encode() in self.parts.read(comments or "") or RULE_SIGNATURE.encode() in content:
            sheet = SheetPart(content)
            untint(sheet)
            if notes:
                tint(sheet, {tint_format(self.styles, s): spans for s in Severity if (spans := _places(notes, s))})
            self._notes(path, sheet, notes[:MAX_NOTES])
            content = sheet.finish()
        if content != old:
            self.parts.write(path, content)

    def _notes(self, path: str, sheet: SheetPart, notes: Sequence[ProblemNote]) -> None:
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
        found = (r.target for r in self.parts.relations(path) if r.node.get("Id") == sheet.drawing)
        return next(found, None)

    def _attach(self, path: str, kind: str, pattern: str) -> tuple[str, str]:
        """Relate a new part to a sheet; return its name and the id of the relation."""
        name = self.parts.unused(pattern)
        return name, self.parts.relate(path, kind, name)

    def _detach(self, path: str, part: str) -> None:
        self.parts.unrelate(path, part)
        self.parts.remove(part)

    # --- the list ----------------------------------------------------------------------------

    def _add_list(self, workbook: bytes) -> None:
        """Put the list in front of all sheets, and show it first."""
        source = Workbook(workbook)
        content = restyled(
            source, source.sheets()[0].path, self.styles.merge(Styles(source.read(source.styles_part())))
        )
        path = self.parts.unused(_SHEET)
        self.parts.write(path, content, _SHEET_TYPE)
        name = sheet_names([say(NAME, self.lang)], [sheet.name for sheet in self.parts.sheets()])[0]
        self.parts.add_sheet(0, name, path)
        for view in self.parts.book.iter(q("workbookView")):
            view.attrib.pop("firstSheet", None)
            view.set("activeTab", "0")


def _places(notes: Iterable[ProblemNote], severity: Severity) -> list[Span]:
    return [note.place for note in notes if note.severity is severity]
