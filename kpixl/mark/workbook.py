"""A person's workbook -> a copy of it with the problems marked in it. Nothing else of it changes.

The copy is read again before it is returned: the grids must be those of the original.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from copy import deepcopy

from kpixl.cells import Span
from kpixl.grids import Grid, Limits, Opened, UnreadableError, open_content, read_opened
from kpixl.grids.packages import Package
from kpixl.intake import is_problem_list
from kpixl.mark.comments import (
    EMPTY_DRAWING,
    SIGNATURE,
    Comments,
    Note,
    has_boxes,
    with_boxes,
    without_boxes,
)
from kpixl.mark.listing import NAME, Group, list_workbook, note_text
from kpixl.mark.parts import Parts
from kpixl.mark.sheet import SheetPart, deselected
from kpixl.mark.styles import Styles
from kpixl.mark.xml import DAMAGED, OFFICE, Tree, UnmarkableError, add, add_related, dump, parse, q
from kpixl.problems import Problem, Severity
from kpixl.sheets import sheet_names, text_lines
from kpixl.texts import say

_SHEET = "xl/worksheets/kpixl{}.xml"
_COMMENTS, _DRAWING = "xl/comments_kpixl{}.xml", "xl/drawings/notes_kpixl{}.vml"
_SHEET_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"
_COMMENTS_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.comments+xml"
_DRAWING_TYPE = "application/vnd.openxmlformats-officedocument.vmlDrawing"
_SIGNATURES = "_xmlsignatures/"
MAX_NOTES = 2_000  # on a sheet; further cells are tinted and listed
MAX_NOTE = 1_500  # characters; the list has all
_NOTE_WIDTH, _LINE, _MAX_HEIGHT = 300, 17, 420  # pixels

KIND = ("这种格式的文件不能加标注", "Files of this kind cannot be marked")
ALTERED = ("加标注会改变文件的内容", "Marking it would change what it holds")


def marked(opened: Opened, file: str, groups: Sequence[Group], *, lang: str, font: str) -> bytes:
    """Return a copy of an opened workbook with `groups` marked in it. Raises UnmarkableError."""
    if opened.package is None or not any(name.startswith("xl/workbook.xml") for name in opened.package.names):
        raise UnmarkableError(KIND)
    before = _grids(opened, file)
    try:
        content = _Marker(opened.package, before, lang).mark(file, groups, font)
        after = _grids(open_content(content, opened.limits), file)
    except (UnreadableError, ValueError, IndexError, OverflowError) as error:
        raise UnmarkableError(DAMAGED) from error
    if not is_problem_list(after[0]) or not _same(before, after[1:]):
        raise UnmarkableError(ALTERED)
    return content


def _grids(opened: Opened, file: str) -> Sequence[Grid]:
    read = read_opened(opened, file)
    if read.problems:
        raise UnmarkableError(DAMAGED)
    return read.grids


def _same(before: Iterable[Grid], after: Iterable[Grid]) -> bool:
    """Tell whether grids are equal, lists of problems left out."""

    def whole(grids: Iterable[Grid]) -> list[tuple[object, ...]]:
        return [(g.name, g.top, g.left, g.hidden, g.rows, g.merges()) for g in grids if not is_problem_list(g)]

    return whole(before) == whole(after)


class _Marker:
    """Marks one workbook; used once."""

    def __init__(self, package: Package, grids: Sequence[Grid], lang: str) -> None:
        self.parts, self.lang = Parts(package), lang
        self.sheets = self.parts.book.find(q("sheets"))
        styles = self.parts.related(self.parts.workbook, "styles")
        if self.sheets is None or styles is None:
            raise UnmarkableError(DAMAGED)
        self.styles_part, self.styles = styles, Styles(self.parts.read(styles))
        for name in {grid.name for grid in grids if is_problem_list(grid)}:
            self._drop_list(name)
        self.paths = {node.get("name"): self._path(node) for node in self.sheets}

    def mark(self, file: str, groups: Sequence[Group], font: str) -> bytes:
        """Mark everything and pack the workbook."""
        wanted = {group.sheet: group.problems for group in groups if group.sheet is not None}
        for name, path in self.paths.items():
            self._sheet(path, wanted.get(name, ()))
        self._add_list(list_workbook(file, groups, None, lang=self.lang, font=font))
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

    def _sheet(self, path: str, problems: Sequence[Problem]) -> None:
        content = deselected(self.parts.read(path))
        comments = self.parts.related(path, "comments")
        if problems or SIGNATURE.encode() in self.parts.read(comments or "") or b'"kpixl"' in content:
            content = self._marked_sheet(path, content, problems)
        if content != self.parts.read(path):
            self.parts.write(path, content)

    def _marked_sheet(self, path: str, content: bytes, problems: Sequence[Problem]) -> bytes:
        sheet = SheetPart(content)
        sheet.untint()
        cells: dict[Span, list[Problem]] = {}
        for problem in problems:
            if problem.location.cell and (place := sheet.whole(problem.location.cell)) is not None:
                cells.setdefault(place, []).append(problem)
        if cells:
            sheet.tint(self._tints(cells))
        notes = [self._note(place, found) for place, found in list(cells.items())[:MAX_NOTES]]
        self._notes(path, sheet, notes)
        return sheet.finish()

    def _tints(self, cells: dict[Span, list[Problem]]) -> dict[int, list[Span]]:
        """Group cells by the worst that is said of them."""
        spans: dict[int, list[Span]] = {}
        for severity in Severity:
            chosen = [s for s, found in cells.items() if min(found, key=_rank).severity is severity]
            if chosen:
                spans[self.styles.tint(severity)] = chosen
        return spans

    def _note(self, place: Span, problems: Sequence[Problem]) -> Note:
        text = SIGNATURE + note_text(problems, self.lang)
        if len(text) > MAX_NOTE:
            text = text[: MAX_NOTE - 1] + "…"
        lines = text_lines(text, _NOTE_WIDTH / 7, 9)
        return Note(place, text, (_NOTE_WIDTH, min(_MAX_HEIGHT, 14 + lines * _LINE)))

    def _notes(self, path: str, sheet: SheetPart, notes: Sequence[Note]) -> None:
        """Put notes on a sheet in place of those of an earlier marking."""
        part = self.parts.related(path, "comments")
        if part is None and not notes:
            return
        comments = Comments(self.parts.read(part) if part else b"")
        drawing = self._drawing_of(path, sheet)
        shapes = without_boxes(self.parts.read(drawing) if drawing else EMPTY_DRAWING, comments.remove_ours())
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
        free = 1 + max((int(node.get("sheetId", "0")) for node in self.sheets), default=0)
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


def _rank(problem: Problem) -> int:
    return list(Severity).index(problem.severity)
