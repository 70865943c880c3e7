"""The summary that is there: which of its sheets are ours, what of them a person changed, what else is in it."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import unescape

from kpixl.a1 import CellRef, a1, quoted
from kpixl.ooxml.cells import SheetCell, read_cells, shared_strings
from kpixl.ooxml.comments import Comments
from kpixl.ooxml.contents import CHART, contents_of, drawn
from kpixl.ooxml.styles import Styles
from kpixl.ooxml.workbook import BookSheet, Workbook
from kpixl.ooxml.xml import PackageError, Tree, local, parse, q, whole
from kpixl.output.summary.changes import Changes, compare
from kpixl.output.summary.conflicts import CHOICE, REASON
from kpixl.output.summary.conflicts import ROLE as DECIDE
from kpixl.output.summary.look import BORDER, LINK, TINT_DOUBT, TINT_HEADER, TINT_OPEN, TINT_SUBTOTAL, TINT_TOTAL
from kpixl.output.summary.marks import (
    FORMULA,
    NAME_PREFIX,
    SHEET,
    Memory,
    RememberedSheet,
    Row,
    plain,
    read_memory,
    shown,
    spelled_row,
)
from kpixl.output.workbook import DAYS_TO_1904
from kpixl.texts import Text

OTHER_KIND: Text = ("kpixl 生成的另一种工作簿", "another kind of workbook that kpixl made")
_DELETED: Text = ("工作表已删除", "the sheet was deleted")
_OTHER_VERSION: Text = (
    "由另一版本的 kpixl 生成，无法逐格比对",
    "made by another version of kpixl, so its cells cannot be compared",
)
_UNREADABLE: Text = ("内容无法读取", "it cannot be read")
_REORDERED: Text = ("行的顺序被改动", "rows were reordered")
_MOVED: Text = ("第 {row} 行起有整行的增删", "rows were inserted or deleted from row {row} on")
_ROWS_GONE: Text = ("原第 {rows} 行被删除", "the former rows {rows} were deleted")
_COLORED: Text = ("有手工标色（{cells}）", "cells were colored by hand ({cells})")
_NOTES: Text = ("批注（{notes}）", "comments ({notes})")
_BLANK: Text = ("（空）", "(blank)")
_FORMULA: Text = ("（公式）", "(a formula)")
_PIVOT: Text = ("数据透视表", "a pivot table")
_MAX_SHOWN = 12  # rows or cells named in one text
_MAX_TEXT = 80  # characters of a value in a message; the copy of the file has all
# Relations of a workbook that any program writes; others are something that a person put into it.
_PLAIN = frozenset({"worksheet", "styles", "theme", "sharedStrings", "calcChain", "sheetMetadata"})
# White and black are what re-saving programs write for no color, blue for a link.
_OUR_COLORS = frozenset({
    *(color[1:] for color in (BORDER, LINK, TINT_DOUBT, TINT_HEADER, TINT_OPEN, TINT_SUBTOTAL, TINT_TOTAL)),
    "555555", "A3211D",  # labels and alarming figures of the overview
    "FFFFFF", "000000", "0000FF",
})  # fmt: skip
_FORMULA_CELL = re.compile(
    rb'<(?:\w+:)?c\s[^<>]*?\br="([A-Z]{1,3}[0-9]{1,7})"[^<>]*+>\s*+<(?:\w+:)?f\b[^<>]*+>([^<]++)'
)


@dataclass(frozen=True, slots=True)
class EditedCell:
    """A cell of one of our sheets that a person changed: what kpixl wrote, and what is there now."""

    sheet: str
    cell: CellRef
    old: Text
    new: Text


@dataclass(frozen=True, slots=True)
class Edits:
    """What a person did to our sheets: changed cells, other changes and additions as (sheet, what).

    `unknown`: sheets that could not be compared, as (sheet, reason). `ids`: what is in the first column of our table
    of projects, row by row.
    """

    cells: tuple[EditedCell, ...] = ()
    others: tuple[tuple[str, Text], ...] = ()
    added: tuple[tuple[str, Text], ...] = ()
    unknown: tuple[tuple[str, Text], ...] = ()
    ids: tuple[str, ...] = ()


class OldSummary:
    """A workbook in whose place a summary is written. Raises PackageError where it cannot be taken up."""

    def __init__(self, workbook: Workbook) -> None:
        self.workbook = workbook
        self._sheets = {sheet.name: sheet for sheet in workbook.sheets()}
        self._strings: list[str] | None = None
        self.memory = self._memory()
        if self.memory is None and SHEET in self._sheets:
            raise PackageError(OTHER_KIND)
        settings = workbook.book.find(q("workbookPr"))
        self.date_1904 = settings is not None and settings.get("date1904") in ("1", "true")
        self._offset = DAYS_TO_1904 if self.date_1904 else 0
        self.current = self._current_names(self.memory) if self.memory else {}

    @property
    def foreign(self) -> list[BookSheet]:
        """List the sheets that are not ours."""
        ours = {*self.current.values(), *([SHEET] if self.memory else [])}
        return [sheet for sheet in self._sheets.values() if sheet.name not in ours]

    @property
    def holds_more(self) -> bool:
        """Return whether there is anything of a person's in it beside what may be on our sheets."""
        names = (node.get("name") or "" for node in self.workbook.book.iter(q("definedName")))
        kinds = {relation.kind for relation in self.workbook.relations(self.workbook.part)}
        return bool(self.foreign or kinds - _PLAIN or any(not n.startswith(("_xlnm.", NAME_PREFIX)) for n in names))

    def _memory(self) -> Memory | None:
        sheet = self._sheets.get(SHEET)
        if sheet is None:
            return None
        rows = {cell.row: cell.value for cell in self._cells(sheet) if cell.col == 0}
        return read_memory([str(rows[number]) for number in sorted(rows)])

    def _cells(self, sheet: BookSheet) -> Iterable[SheetCell]:
        if self._strings is None:
            self._strings = shared_strings(self.workbook)
        return read_cells(self.workbook, sheet.path, self._strings)

    # --- which sheet is which ------------------------------------------------------------------

    def _current_names(self, memory: Memory) -> dict[str, str]:
        """Map each role to the name that its sheet has now.

        When a sheet is renamed, Excel lets the defined name that belongs to it follow; other programs do not, and
        then the sheet is known by its rows.
        """
        existing = [name for name, sheet in self._sheets.items() if name != SHEET and sheet.worksheet]
        current = self._names_by_definition(memory, existing)
        for role, own in memory.sheets.items():
            rest = [name for name in existing if name not in current.values()]
            if role not in current and (name := self._alike(own, rest)) is not None:
                current[role] = name
        return current

    def _names_by_definition(self, memory: Memory, existing: Sequence[str]) -> dict[str, str]:
        """Map roles to the sheets that their defined names refer to, or that are still called as they were."""
        defined = {node.get("name"): node.text or "" for node in self.workbook.names_of(None)}
        current: dict[str, str] = {}
        for role, own in memory.sheets.items():
            text = defined.get(NAME_PREFIX + role, "")
            name = next((n for n in existing if text.startswith((f"{quoted(n)}!", f"{n}!"))), own.name)
            if name in existing and name not in current.values():
                current[role] = name
        return current

    def _alike(self, own: RememberedSheet, names: Sequence[str]) -> str | None:
        """Return the first of the sheets that has most of the rows of one of ours."""
        return next((name for name in names if self._has_most(own, name)), None)

    def _has_most(self, own: RememberedSheet, name: str) -> bool:
        wanted = {tuple(map(plain, row)) for row in own.rows or () if row}
        try:
            return len(wanted.intersection(self._rows(name)[0])) * 2 > len(wanted)
        except PackageError:
            return False

    def _rows(self, name: str) -> tuple[list[Row], list[SheetCell]]:
        """Read a sheet: its rows as they are spelled in the memory, and its cells."""
        cells = list(self._cells(self._sheets[name]))
        rows: dict[int, dict[int, str]] = defaultdict(dict)
        for cell in cells:
            if cell.formula or cell.value not in (None, ""):
                rows[cell.row][cell.col] = FORMULA if cell.formula else "".join(spelled_row([cell.value], self._offset))
        spelled: list[Row] = []
        for number in range(max(rows, default=-1) + 1):
            row = rows.get(number, {})
            spelled.append(spelled_row([row.get(col) for col in range(max(row, default=-1) + 1)]) if row else ())
        return spelled, cells

    def own_rows(self, role: str) -> tuple[Sequence[Row], Sequence[Row]]:
        """Return the rows of one of our sheets as they were written, and as they are; none where it is not there.

        Raises PackageError where it cannot be read.
        """
        own = self.memory.sheets.get(role) if self.memory else None
        if own is None or own.rows is None or role not in self.current:
            return (), ()
        return own.rows, [tuple(map(plain, row)) for row in self._rows(self.current[role])[0]]

    # --- what was changed ----------------------------------------------------------------------

    def edits(self) -> Edits:
        """List what a person changed on our sheets. Raises PackageError where the formats cannot be read."""
        styles = Styles(self.workbook.read(self.workbook.styles_part()))
        strange = _strange_formats(styles)
        found = [
            self._edits_of(role, own, strange) for role, own in (self.memory.sheets if self.memory else {}).items()
        ]
        return Edits(
            tuple(cell for edits in found for cell in edits.cells),
            tuple(other for edits in found for other in edits.others),
            tuple(thing for edits in found for thing in edits.added),
            tuple(sheet for edits in found for sheet in edits.unknown),
            next((edits.ids for edits in found if edits.ids), ()),
        )

    def _edits_of(self, role: str, own: RememberedSheet, strange: Collection[int]) -> Edits:
        name = self.current.get(role)
        if name is None:
            return Edits(others=((own.name, _DELETED),))
        try:
            rows, cells = self._rows(name)
            added = tuple((name, text) for text in self._added(self._sheets[name], own.charts))
        except PackageError:
            return Edits(unknown=((name, _UNREADABLE),))
        if role == DECIDE:  # what the office typed for us to read
            own, rows = _without_answers(own), [*_unanswered(rows)]
        changes = Changes() if own.rows is None else compare(own.rows, rows)
        others = _row_changes(changes)
        if colored := [a1(cell.row, cell.col) for cell in cells if cell.style in strange]:
            others.append(_filled(_COLORED, cells=_listed(colored)))
        ids = tuple(row[0] if row else "" for row in rows) if role == "summary" else ()
        unknown = ((name, _OTHER_VERSION),) if own.rows is None else ()
        return Edits(tuple(self._edited(name, changes)), tuple((name, text) for text in others), added, unknown, ids)

    def _edited(self, name: str, changes: Changes) -> list[EditedCell]:
        return [
            EditedCell(name, CellRef(c.row, c.col), self._shown(c.old, c.old), self._shown(c.new, c.old))
            for c in changes.cells
        ]

    def _shown(self, text: str, like: str) -> Text:
        if not text:
            return _BLANK
        if text == FORMULA:
            return _FORMULA
        text = shown(text, like, self._offset)
        text = text if len(text) <= _MAX_TEXT else text[: _MAX_TEXT - 1] + "…"
        return text, text

    def _added(self, sheet: BookSheet, ours: int) -> list[Text]:
        """List what a person put onto a sheet of ours beside its cells."""
        relations = list(self.workbook.relations(sheet.path))
        drawings = [text for r in relations if r.kind == "drawing" for text in drawn(self.workbook, r.target)]
        found = [text for text in contents_of(self.workbook, sheet) if text not in drawings]
        found += drawings[min(ours, drawings.count(CHART)) :]
        for relation in relations:
            if relation.kind == "comments":
                notes = [
                    f"{cell} {text}"[:_MAX_TEXT] for cell, text in Comments(self.workbook.read(relation.target)).texts()
                ]
                found.append(_filled(_NOTES, notes=_listed(notes)))
        return list(dict.fromkeys(found))

    # --- what refers to our sheets --------------------------------------------------------------

    def referring(self) -> dict[str, list[Text]]:
        """List by sheet the cells of others whose formulas refer to our sheets; pivot tables over them under ""."""
        found: dict[str, list[Text]] = {}
        for sheet in self.foreign:
            for match in _FORMULA_CELL.finditer(self.workbook.read(sheet.path)):
                formula = unescape(match[2].decode("utf-8", "replace"))
                if any(name.replace("'", "''") in formula for name in self.current.values()):
                    found.setdefault(sheet.name, []).append((match[1].decode(), match[1].decode()))
        for relation in self.workbook.relations(self.workbook.part):
            if relation.kind == "pivotCacheDefinition" and self._over_ours(relation.target):
                found[""] = [_PIVOT]
        return found

    def _over_ours(self, part: str) -> bool:
        sources = parse(self.workbook.read(part)).iter(q("worksheetSource"))
        return any(node.get("sheet") in self.current.values() for node in sources)


def _without_answers(own: RememberedSheet) -> RememberedSheet:
    return RememberedSheet(own.name, None if own.rows is None else _unanswered(own.rows))


def _unanswered(rows: Sequence[Row]) -> tuple[Row, ...]:
    """Return the rows of the sheet of what is to be decided without what is chosen there."""
    blanked = (tuple("" if col in (CHOICE, REASON) else text for col, text in enumerate(row)) for row in rows)
    return tuple(spelled_row(row) for row in blanked)


def _row_changes(changes: Changes) -> list[Text]:
    texts = []
    if changes.deleted:
        texts.append(_filled(_ROWS_GONE, rows=_listed([str(row + 1) for row in changes.deleted])))
    if changes.reordered:
        texts.append(_REORDERED)
    elif changes.moved is not None:
        texts.append(_filled(_MOVED, row=str(changes.moved + 1)))
    return texts


def _filled(text: Text, **details: str) -> Text:
    return text[0].format(**details), text[1].format(**details)


def _listed(items: Sequence[str]) -> str:
    return ", ".join(items[:_MAX_SHOWN]) + (" …" if len(items) > _MAX_SHOWN else "")


# --- colors that a person gave to cells ---------------------------------------------------------


def _strange_formats(styles: Styles) -> frozenset[int]:
    """Return the cell formats, by number, with colors that are none of ours."""
    strange: Mapping[str, Collection[int]] = {
        attribute: {n for n, node in enumerate(styles.formats(group)) if _has_strange(node, tag)}
        for attribute, group, tag in (("fillId", "fills", "fgColor"), ("fontId", "fonts", "color"))
    }
    formats = enumerate(styles.formats("cellXfs"))
    return frozenset(n for n, xf in formats if any(whole(xf, key) in numbers for key, numbers in strange.items()))


def _has_strange(node: Tree, tag: str) -> bool:
    return any(_is_strange(color) for color in node.iter() if local(color) == tag)


def _is_strange(color: Tree) -> bool:
    if (rgb := color.get("rgb")) is not None:
        return rgb[-6:].upper() not in _OUR_COLORS
    if (theme := color.get("theme")) is not None:
        return theme not in ("0", "1") or color.get("tint") is not None
    return color.get("indexed", "64") not in ("8", "9", "64", "65")
