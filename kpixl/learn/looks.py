"""Reads how the sheets of a workbook look; of other kinds than .xlsx and .ods only cells and merges."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from kpixl.a1 import Span, span_from, span_size
from kpixl.forms.values import is_blank, text_of
from kpixl.learn.ods_looks import add_looks
from kpixl.learn.sheet import MAX_COLUMNS, MAX_ROWS, CellLook, CellRule, SeenSheet
from kpixl.ooxml.package import Package
from kpixl.ooxml.sheet import SheetPart
from kpixl.ooxml.styles import Styles
from kpixl.ooxml.workbook import Workbook
from kpixl.ooxml.xml import PackageError, Tree, elements, local, q, whole
from kpixl.problems import Problem
from kpixl.readers import DEFAULT_LIMITS, Grid, Limits, read_grids
from kpixl.readers.number_formats import built_in

MAX_ITEMS = 500  # of a list; no dropdown that a person uses is longer
MAX_RULES = 2_000  # validations of a sheet
MAX_RULED = 200_000  # cells of all its validations: some lie over whole columns, none of which a form needs
MAX_NAMES = 500  # defined names that may be the lists of a dropdown's parent items
# Nobody sees these in a cell, and no definition can hold them.
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufeff\ufffe\uffff\ud800-\udfff]")
_PAPERS = {"8": "A3", "9": "A4"}
_SIDES = {"left": "l", "right": "r", "top": "t", "bottom": "b", "start": "l", "end": "r"}
_WHITE = frozenset({"FFFFFFFF", "00FFFFFF"})
_MARGINS = ("left", "right", "top", "bottom")
# A dropdown that depends on another cell: INDIRECT(B5), or INDIRECT("list."&MATCH(B5,parents,0)).
_PARENT = r"(?:\$?(?P<cell>[A-Z]{1,3})\$?\d+|INDEX\(\$?(?P<column>[A-Z]{1,3}):\$?[A-Z]{1,3},[A-Z()]{1,20}\))"
_BY_NAME = re.compile(rf"INDIRECT\({_PARENT}\)", re.IGNORECASE)
_BY_NUMBER = re.compile(rf'INDIRECT\("(?P<list>[^"]+)"&MATCH\({_PARENT},(?P<parents>[^,()]+),0\)\)', re.IGNORECASE)


def read_sheets(
    content: bytes, file: str, limits: Limits = DEFAULT_LIMITS
) -> tuple[list[SeenSheet], Sequence[Problem]]:
    """Read every sheet of a workbook that holds something."""
    reading = read_grids(content, file, limits)
    sheets = [_plain(grid) for grid in reading.grids]
    with suppress(PackageError):  # any other kind of file, or one that only calamine can read
        sheets = _with_looks(content, sheets)
    return [sheet for sheet in sheets if sheet.raws], reading.problems


def _with_looks(content: bytes, sheets: list[SeenSheet]) -> list[SeenSheet]:
    """Add how the cells look, as far as that is known for this kind of file. Raises PackageError."""
    if not Package(content).has("xl/workbook.xml"):
        return add_looks(content, sheets)
    book = Workbook(content)
    parts = {sheet.name: sheet.path for sheet in book.sheets() if sheet.worksheet}
    looks = _Looks(Styles(book.read(book.styles_part())))
    lists = _Lists(book, sheets)
    return [_seen(s, book.read(parts[s.name]), looks, lists) if s.name in parts else s for s in sheets]


def _plain(grid: Grid) -> SeenSheet:
    rows = grid.rows[: max(0, MAX_ROWS - grid.top)]
    raws = {
        (grid.top + r, grid.left + c): seen
        for r, row in enumerate(rows)
        for c, raw in enumerate(row[: max(0, MAX_COLUMNS - grid.left)])
        if not is_blank(raw) and not is_blank(seen := _plain_text(raw) if isinstance(raw, str) else raw)
    }
    merges = [
        Span(s.row + grid.top, s.col + grid.left, s.last_row + grid.top, s.last_col + grid.left)
        for s in grid.merges()
        if 0 <= s.row + grid.top < MAX_ROWS and 0 <= s.col + grid.left < MAX_COLUMNS
    ]
    return SeenSheet(grid.name or "", raws, tuple(merges), hidden=grid.hidden, cut=len(rows) < len(grid.rows))


def _plain_text(text: str) -> str:
    """Return a text without what nobody sees, and with no place for the year, which only a definition has."""
    return _CONTROL.sub("", text).replace("{{", "{ {").replace("{%", "{ %").replace("{#", "{ #")


def _seen(sheet: SeenSheet, content: bytes, looks: _Looks, lists: _Lists) -> SeenSheet:
    """Add to a sheet how its cells look."""
    root = SheetPart(content).root
    look: dict[tuple[int, int], CellLook] = {}
    formulas: dict[tuple[int, int], str] = {}
    for node in elements(content, "c"):
        span = span_from(node.get("r", ""))
        if span is None or span.row >= MAX_ROWS or span.col >= MAX_COLUMNS:
            continue
        look[span.row, span.col] = looks.of(whole(node, "s"))
        if (formula := node.find(q("f"))) is not None and formula.text:
            formulas[span.row, span.col] = formula.text
    widths, hidden = _widths(root)
    page = root.find(q("pageSetup"))
    margins = root.find(q("pageMargins"))
    protection = root.find(q("sheetProtection"))
    return replace(
        sheet,
        looks=True,
        look=look,
        formulas=formulas,
        rules=dict(lists.rules(root)),
        widths=widths,
        heights=_heights(content),
        hidden_columns=hidden,
        protected=protection is not None and protection.get("sheet") in ("1", "true"),
        paper="" if page is None else _PAPERS.get(page.get("paperSize", ""), ""),
        margins={} if margins is None else {side: _real(margins, side) for side in _MARGINS if margins.get(side)},
    )


def _real(node: Tree, name: str, default: float = 0) -> float:
    try:
        return float(node.get(name, default))
    except ValueError:
        return default


def _widths(root: Tree) -> tuple[dict[int, float], frozenset[int]]:
    widths: dict[int, float] = {}
    hidden: set[int] = set()
    usual = root.find(q("sheetFormatPr"))
    if usual is not None and usual.get("defaultColWidth"):
        widths = dict.fromkeys(range(MAX_COLUMNS), _real(usual, "defaultColWidth"))
    for node in root.iter(q("col")):
        span = range(max(whole(node, "min", 1), 1) - 1, min(whole(node, "max", 1), MAX_COLUMNS))
        if node.get("width"):
            widths |= dict.fromkeys(span, _real(node, "width"))
        if node.get("hidden") in ("1", "true"):
            hidden |= set(span)
    return widths, frozenset(hidden)


def _heights(content: bytes) -> dict[int, float]:
    rows = ((whole(node, "r", 1) - 1, _real(node, "ht")) for node in elements(content, "row") if node.get("ht"))
    return {row: height for row, height in rows if 0 <= row < MAX_ROWS and 0 < height < 410}


class _Looks:
    """The cell formats of a workbook, each made into a Look once."""

    def __init__(self, styles: Styles) -> None:
        self._xfs, self._fonts = styles.formats("cellXfs"), styles.formats("fonts")
        self._fills, self._borders = styles.formats("fills"), styles.formats("borders")
        self._codes = {node.get("numFmtId"): node.get("formatCode", "") for node in styles.formats("numFmts")}
        self._known: dict[int, CellLook] = {}

    def of(self, number: int) -> CellLook:
        """Return how cells of a format look."""
        if number not in self._known:
            self._known[number] = self._look(self._xfs[number]) if 0 <= number < len(self._xfs) else CellLook()
        return self._known[number]

    def _look(self, xf: Tree) -> CellLook:
        font = _nth(self._fonts, whole(xf, "fontId"))
        alignment, protection = xf.find(q("alignment")), xf.find(q("protection"))
        bold, size, name = (None if font is None else font.find(q(part)) for part in ("b", "sz", "name"))
        return CellLook(
            edges=_edges(_nth(self._borders, whole(xf, "borderId"))),
            fill=_fill(_nth(self._fills, whole(xf, "fillId"))),
            bold=bold is not None and bold.get("val") not in ("0", "false"),
            font="" if name is None else name.get("val", ""),
            size=0 if size is None else _real(size, "val"),
            locked=protection is None or protection.get("locked") not in ("0", "false"),
            number_format=self._codes.get(xf.get("numFmtId")) or built_in(whole(xf, "numFmtId")) or "",
            vertical=alignment is not None and alignment.get("textRotation") == "255",
        )


def _nth(nodes: Sequence[Tree], number: int) -> Tree | None:
    return nodes[number] if 0 <= number < len(nodes) else None


def _edges(border: Tree | None) -> frozenset[str]:
    sides = () if border is None else border
    return frozenset(_SIDES[local(side)] for side in sides if local(side) in _SIDES and side.get("style"))


def _fill(fill: Tree | None) -> str:
    pattern = None if fill is None else fill.find(q("patternFill"))
    colour = None if pattern is None else pattern.find(q("fgColor"))
    if pattern is None or colour is None or pattern.get("patternType") in (None, "none"):
        return ""
    if colour.get("rgb", "").upper() in _WHITE or dict(colour.attrib) == {"theme": "0"}:
        return ""
    return ",".join(f"{key}={value}" for key, value in sorted(colour.attrib.items()))


# --- validations --------------------------------------------------------------------------------


class _Lists:
    """The lists that dropdowns name: literal, a range of a sheet, a defined name, or one that depends on a cell."""

    def __init__(self, book: Workbook, sheets: Sequence[SeenSheet]) -> None:
        self._sheets = {sheet.name: sheet for sheet in sheets}
        self._names = {node.get("name", ""): node.text or "" for node in book.names_of(None)}
        self._by_name: dict[str, tuple[str, ...]] | None = None
        self._known: dict[str, tuple[str, ...]] = {}

    def rules(self, root: Tree) -> Iterator[tuple[tuple[int, int], CellRule]]:
        """Yield for each cell of a sheet what may be typed into it."""
        ruled = 0
        for number, node in enumerate(n for n in root.iter() if local(n) == "dataValidation"):
            if number >= MAX_RULES or ruled >= MAX_RULED:
                return
            rule = self._rule(node)
            for ref in _texts(node, "sqref").split():
                if (span := span_from(ref)) is not None and ruled < MAX_RULED:
                    ruled += min(span_size(span), MAX_ROWS * MAX_COLUMNS)
                    for row in range(max(span.row, 0), min(span.last_row + 1, MAX_ROWS)):
                        for col in range(max(span.col, 0), min(span.last_col + 1, MAX_COLUMNS)):
                            yield (row, col), rule

    def _rule(self, node: Tree) -> CellRule:
        kind, prompt = node.get("type", ""), " ".join(node.get("prompt", "").split())
        free = node.get("showErrorMessage") not in ("1", "true")
        closed = node.get("errorStyle", "stop") == "stop" and not free
        rule = CellRule("" if kind == "none" else kind, closed=closed, free=free, prompt=prompt)
        if kind != "list":
            return rule
        source = _texts(node, "formula1").strip()
        if (found := self._dependent(source)) is not None:
            parent, children = found
            items = tuple(dict.fromkeys(item for below in children.values() for item in below))
            return rule._replace(items=items, parent=parent, children=children)
        items = self._items(source)
        return rule._replace(items=items, formula="" if items else source)

    def _items(self, source: str) -> tuple[str, ...]:
        """Follow the source of a list; none where that is more than a range."""
        if source not in self._known:
            self._known[source] = self._followed(source)
        return self._known[source]

    def _followed(self, source: str) -> tuple[str, ...]:
        if len(source) > 1 and source.startswith('"') and source.endswith('"'):
            return _unique(part.strip() for part in source[1:-1].split(","))
        source = self._names.get(source.lstrip("="), source).lstrip("=")
        sheet, _, ref = source.rpartition("!")
        found = self._sheets.get(sheet.strip("'").replace("''", "'"))
        span = span_from(ref)
        if found is None or span is None:
            return ()
        cells = (
            found.raws.get((row, col), "")
            for row in range(span.row, min(span.last_row + 1, MAX_ROWS))
            for col in range(span.col, min(span.last_col + 1, MAX_COLUMNS))
        )
        return _unique(text_of(raw).strip() for raw in cells if not is_blank(raw))

    def _named(self) -> dict[str, tuple[str, ...]]:
        """Return the lists that have a name, by it."""
        if self._by_name is None:
            names = [name for name in self._names if not name.startswith("_")][:MAX_NAMES]
            self._by_name = {name: items for name in names if (items := self._items(name))}
        return self._by_name

    def _dependent(self, source: str) -> tuple[int, dict[str, tuple[str, ...]]] | None:
        source = "".join(source.split()).lstrip("=")
        if (match := _BY_NUMBER.fullmatch(source)) is not None:
            parents = self._items(match["parents"])
            children = {item: self._items(f"{match['list']}{number}") for number, item in enumerate(parents, 1)}
        elif (match := _BY_NAME.fullmatch(source)) is not None:
            children = self._named()
        else:
            return None
        column = span_from(f"{match['cell'] or match['column']}1".upper())
        return (column.col, children) if column is not None and any(children.values()) else None


def _unique(items: Any) -> tuple[str, ...]:
    return tuple(dict.fromkeys(item for item in items if item))[:MAX_ITEMS]


def _texts(node: Tree, name: str) -> str:
    """Return one property of a validation, as an attribute or, in Excel's extension, as an element."""
    if node.get(name):
        return str(node.get(name))
    found = next((child for child in node if local(child) == name), None)
    return "" if found is None else "".join(found.itertext())


def column_widths(sheet: SeenSheet, columns: range) -> Mapping[int, float]:
    """Return the width of each column in characters, Excel's usual one where none is given."""
    return {col: round(sheet.widths.get(col, 9.0), 1) for col in columns}
