"""An .ods -> the same with the problems marked in it, the way LibreOffice writes conditional formats and notes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from copy import deepcopy

from kpixl.a1 import Span, a1, quoted
from kpixl.collection.intake import is_problem_list, problem_list
from kpixl.ooxml.package import Package as Parts
from kpixl.ooxml.xml import DAMAGED, PackageError, Tree, dump, local, make, parse, storable
from kpixl.output.annotate.notes import EDGES, MAX_NOTES, RULE, RULE_SIGNATURE, TINTS, ProblemNote, notes_of
from kpixl.output.annotate.problem_list import LAST, NAME, WIDTHS, Group, ListRow, list_rows
from kpixl.output.workbook import sheet_names
from kpixl.portfolio.sheet_id import NOTE_SIGNATURE
from kpixl.problems import Severity
from kpixl.readers import Grid
from kpixl.readers.package import OpenedPackage
from kpixl.texts import say

_ODF = "urn:oasis:names:tc:opendocument:xmlns:{}:1.0"
SPACES = {
    **{name: _ODF.format(name) for name in ("office", "style", "text", "table", "config")},
    "fo": _ODF.format("xsl-fo-compatible"),
    "svg": _ODF.format("svg-compatible"),
    "dc": "http://purl.org/dc/elements/1.1/",
    "xlink": "http://www.w3.org/1999/xlink",
    "calcext": "urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0",
}
_OWN = "kpixl-"  # how our automatic styles begin
_SIGNATURES = ("META-INF/documentsignatures.xml", "META-INF/macrosignatures.xml")
_RULE_STYLES = {severity: f"Kpixl{severity.capitalize()}" for severity in Severity}
_CENTIMETRES = 0.22  # of one unit of column width
_WHITE = re.compile(r"( {2,}|\t)")
_EDGE = "0.74pt solid #BFBFBF"


def mark_opendocument(
    package: OpenedPackage, grids: Sequence[Grid], file: str, groups: Sequence[Group], lang: str, origins: Sequence[str]
) -> bytes:
    """Mark the document of a package whose `grids` were read. Raises PackageError."""
    return _Annotator(package, grids, lang).mark(file, groups, origins)


def _q(name: str) -> str:
    prefix, _, word = name.partition(":")
    return f"{{{SPACES[prefix]}}}{word}"


def _new(name: str, *children: Tree, text: str | None = None, **attributes: str) -> Tree:
    """Make an element; the attribute table_name becomes table:name, and table_number__rows for number-rows."""
    named = {_q(key.replace("__", "-").replace("_", ":", 1)): value for key, value in attributes.items()}
    node = make(_q(name), SPACES, named)
    node.extend(children)
    if text is not None:
        node.text = storable(text)
    return node


class _Annotator:
    """Marks one document; used once."""

    def __init__(self, package: OpenedPackage, grids: Sequence[Grid], lang: str) -> None:
        limits = package.limits
        self.parts = Parts(package.content, members=limits.members, unpacked=limits.unpacked_bytes)
        self.lang = lang
        self.root = parse(self.parts.read("content.xml"))
        self.styles = parse(self.parts.read("styles.xml"))
        self.book = self.root.find(f"{_q('office:body')}/{_q('office:spreadsheet')}")
        if self.book is None:
            raise PackageError(DAMAGED)
        self.grids = {grid.name: grid for grid in grids}
        for table in self._tables():
            grid = self.grids.get(table.get(_q("table:name")))
            if grid is not None and is_problem_list(grid):
                self.book.remove(table)

    def mark(self, file: str, groups: Sequence[Group], origins: Sequence[str]) -> bytes:
        """Mark everything and pack the document."""
        wanted = {group.sheet: group.marked for group in groups if group.sheet is not None}
        for node in list(self.root.iter(_q("style:map"))):  # the older way to write rules: LibreOffice writes both
            if RULE_SIGNATURE in node.get(_q("style:condition"), ""):
                node.getparent().remove(node)
        for table in self._tables():
            name = table.get(_q("table:name"))
            notes = notes_of(self.grids.get(name), wanted.get(name, ()), self.lang)
            _untint(table)
            _remove_notes(table)
            if notes:
                _tint(table, name, notes)
            for note in notes[:MAX_NOTES]:
                _annotate(table, note)
        names = [table.get(_q("table:name"), "") for table in self._tables()]
        name = sheet_names([say(NAME, self.lang)], names)[0]
        self._styles()
        self._add_list(name, list_rows(file, groups, None, self.lang), problem_list(origins))
        self._show(name)
        self.parts.write("content.xml", dump(self.root))
        self.parts.write("styles.xml", dump(self.styles))
        for part in _SIGNATURES:
            self.parts.remove(part)
        return self.parts.finish()

    def _tables(self) -> list[Tree]:
        return list(self.book.findall(_q("table:table")))

    def _styles(self) -> None:
        """Add the styles that rules refer to, in place of those of an earlier marking."""
        group = self.styles.find(_q("office:styles"))
        if group is None:
            raise PackageError(DAMAGED)
        for style in [s for s in group if s.get(_q("style:name")) in _RULE_STYLES.values()]:
            group.remove(style)
        for severity, name in _RULE_STYLES.items():
            look = {"fo_background__color": f"#{TINTS[severity]}", "fo_border": f"0.74pt solid #{EDGES[severity]}"}
            group.append(_style(name, "table-cell", "table-cell", look, style_parent__style__name="Default"))

    # --- the list ----------------------------------------------------------------------------

    def _add_list(self, name: str, rows: Iterable[ListRow], own: str) -> None:
        """Put the list in front of all sheets."""
        automatic = self.root.find(_q("office:automatic-styles"))
        if automatic is None:
            raise PackageError(DAMAGED)
        for style in [s for s in automatic if (s.get(_q("style:name")) or "").startswith(_OWN)]:
            automatic.remove(style)
        automatic.extend(_list_styles())
        table = _new("table:table", table_name=name, table_style__name=_OWN + "table")
        for number in range(len(WIDTHS)):
            table.append(_new("table:table-column", table_style__name=f"{_OWN}column-{number}"))
        table.append(_new("table:table-column", table_visibility="collapse"))
        for number, row in enumerate(rows):
            line = _new("table:table-row", *_cells(row), table_style__name=_OWN + "row")
            if number == 0:
                line.append(_cell(own, ""))
            table.append(line)
        first = self.book.find(_q("table:table"))
        if first is None:
            raise PackageError(DAMAGED)
        first.addprevious(table)

    def _show(self, name: str) -> None:
        """Let the document open at the list."""
        if not self.parts.has("settings.xml"):
            return
        root = parse(self.parts.read("settings.xml"))
        for node in root.iter(_q("config:config-item")):
            if node.get(_q("config:name")) == "ActiveTable":
                node.text = name
        self.parts.write("settings.xml", dump(root))


# --- tints and notes --------------------------------------------------------------------------


def _untint(table: Tree) -> None:
    for group in list(table.iter(_q("calcext:conditional-format"))):
        for rule in [r for r in group if RULE_SIGNATURE in (r.get(_q("calcext:value")) or "")]:
            group.remove(rule)
        if not len(group):
            whole = group.getparent()
            whole.remove(group)
            if not len(whole):
                whole.getparent().remove(whole)


def _tint(table: Tree, name: str, notes: Sequence[ProblemNote]) -> None:
    """Tint cells by rules in front of those that are there: the first one wins."""
    rules = table.find(_q("calcext:conditional-formats"))
    if rules is None:
        rules = _new("calcext:conditional-formats")
        table.append(rules)
    for severity in reversed(Severity):
        places = [note.place for note in notes if note.severity is severity]
        if places:
            base = _address(name, places[0].row, places[0].col)
            ranges = (f"{_address(name, p.row, p.col)}:{_address(name, p.last_row, p.last_col)}" for p in places)
            rule = _new(
                "calcext:condition",
                calcext_apply__style__name=_RULE_STYLES[severity],
                calcext_value=f"formula-is({RULE})",
                calcext_base__cell__address=base,
            )
            group = _new("calcext:conditional-format", rule, calcext_target__range__address=" ".join(ranges))
            rules.insert(0, group)


def _address(sheet: str, row: int, col: int) -> str:
    return f"{quoted(sheet)}.{a1(row, col)}"


def _remove_notes(table: Tree) -> None:
    """Remove the notes of an earlier marking, and ours below a person's own."""
    for note in list(table.iter(_q("office:annotation"))):
        lines = [p for p in note if local(p) == "p"]
        ours = next((n for n, p in enumerate(lines) if "".join(p.itertext()).startswith(NOTE_SIGNATURE)), None)
        if ours == 0:
            note.getparent().remove(note)
        elif ours is not None:
            blank = ours - ("".join(lines[ours - 1].itertext()) == "")
            for line in lines[blank:]:
                note.remove(line)


def _annotate(table: Tree, note: ProblemNote) -> None:
    """Put a note at a cell, below a person's own; where the sheet ends above it, the list has to do."""
    cell = _cell_at(table, note.place)
    if cell is None:
        return
    there = cell.find(_q("office:annotation"))
    if there is None:
        there = _new("office:annotation", _new("dc:creator", text="kpixl"), office_display="false")
        cell.insert(0, there)
    else:
        there.append(_new("text:p"))
    there.extend(_paragraphs(note.text))


def _paragraphs(text: str) -> Iterator[Tree]:
    """Write lines as paragraphs; runs of blanks need an element, or they would be one blank."""
    for line in text.split("\n"):
        pieces = _WHITE.split(line)
        paragraph = _new("text:p", text=pieces[0])
        for white, words in zip(pieces[1::2], pieces[2::2], strict=True):
            node = _new("text:tab") if white == "\t" else _new("text:s", text_c=str(len(white)))
            node.tail = storable(words)
            paragraph.append(node)
        yield paragraph


def _cell_at(table: Tree, place: Span) -> Tree | None:
    """Return the cell at a place, taken out of what is repeated; made where its row ends before it."""
    row = _nth(_rows(table), place.row, "table:number-rows-repeated")
    if row is None:
        return None
    cells = [c for c in row if local(c) in ("table-cell", "covered-table-cell")]
    cell = _nth(cells, place.col, "table:number-columns-repeated")
    if cell is None:
        width = sum(_repeated(c, "table:number-columns-repeated") for c in cells)
        if place.col > width:
            row.append(_new("table:table-cell", table_number__columns__repeated=str(place.col - width)))
        cell = _new("table:table-cell")
        row.append(cell)
    return cell


def _rows(parent: Tree) -> Iterator[Tree]:
    for child in parent:
        if local(child) == "table-row":
            yield child
        elif local(child) in ("table-row-group", "table-header-rows", "table-rows"):
            yield from _rows(child)


def _repeated(node: Tree, attribute: str) -> int:
    return max(1, int(node.get(_q(attribute), "1")))


def _nth(nodes: Iterable[Tree], number: int, attribute: str) -> Tree | None:
    """Return the node of one place, alone: what it repeats before and behind become nodes of their own."""
    for node in nodes:
        count = _repeated(node, attribute)
        if number < count:
            for left, put in ((number, node.addprevious), (count - 1 - number, node.addnext)):
                if left:
                    copy = deepcopy(node)
                    copy.tail = None
                    copy.set(_q(attribute), str(left))
                    put(copy)
            node.attrib.pop(_q(attribute), None)
            return node
        number -= count
    return None


# --- how the list looks -----------------------------------------------------------------------

_LINES = {"title": "title", "how": "wrapped", "group": "group", "more": "wrapped"}
_BOLD = {"fo_font__weight": "bold", "style_font__weight__asian": "bold"}
_LARGE = {"fo_font__size": "14pt", "style_font__size__asian": "14pt"}
_CELL = {"fo_wrap__option": "wrap", "style_vertical__align": "top", "fo_border": _EDGE}
# Of each style: how the cell looks, its words, and whether they stand in the middle.
_LOOKS: dict[str, tuple[dict[str, str], dict[str, str], bool]] = {
    "title": ({"style_vertical__align": "middle"}, {**_BOLD, **_LARGE}, False),
    "wrapped": ({"fo_wrap__option": "wrap", "style_vertical__align": "top"}, {}, False),
    "group": ({"fo_background__color": "#F5F5F5", "fo_border": _EDGE}, _BOLD, False),
    "heading": ({"fo_background__color": "#E7E6E6", "fo_border": _EDGE}, _BOLD, True),
    "text": (_CELL, {}, False),
    "quiet": (_CELL, {"fo_color": "#6B6B6B"}, False),
    "centred": (_CELL, {}, True),
    "link": (_CELL, {"fo_color": "#0B57D0"}, True),
    **{severity: ({**_CELL, "fo_background__color": f"#{tint}"}, _BOLD, True) for severity, tint in TINTS.items()},
}


def _style(name: str, family: str, kind: str, look: dict[str, str], *more: Tree, **attributes: str) -> Tree:
    properties = _new(f"style:{kind}-properties", **look)
    return _new("style:style", properties, *more, style_name=name, style_family=family, **attributes)


def _list_styles() -> Iterator[Tree]:
    yield _style(_OWN + "table", "table", "table", {"table_display": "true"}, style_master__page__name="Default")
    yield _style(_OWN + "row", "table-row", "table-row", {"style_use__optimal__row__height": "true"})
    for number, width in enumerate(WIDTHS):
        look = {"style_column__width": f"{width * _CENTIMETRES:.2f}cm"}
        yield _style(f"{_OWN}column-{number}", "table-column", "table-column", look)
    for name, (cell, words, centred) in _LOOKS.items():
        more = [_new("style:paragraph-properties", fo_text__align="center")] if centred else []
        yield _style(_OWN + name, "table-cell", "table-cell", cell, *more, _new("style:text-properties", **words))


def _cells(row: ListRow) -> Iterator[Tree]:
    if row.kind == "headings":
        yield from (_cell(text, "heading") for text in row.texts)
    elif row.kind == "problem":
        styles = ["centred", str(row.severity), "link", *["text"] * (LAST - 2)]
        for number, (text, style) in enumerate(zip(row.texts, styles, strict=True)):
            cell = _cell(text, style)
            if number == 2 and row.link is not None:
                address = f"#{quoted(row.link[0])}.{row.link[1]}"
                link = _new("text:a", text=text, xlink_type="simple", xlink_href=address)
                cell[:] = [_new("text:p", link)]
            yield cell
    else:
        cell = _cell(row.texts[0], _LINES[row.kind])
        cell.set(_q("table:number-columns-spanned"), str(LAST + 1))
        cell.set(_q("table:number-rows-spanned"), "1")
        yield cell
        yield _new("table:covered-table-cell", table_number__columns__repeated=str(LAST))


def _cell(text: str, style: str) -> Tree:
    cell = _new("table:table-cell", *_paragraphs(text), office_value__type="string")
    if style:
        cell.set(_q("table:style-name"), _OWN + style)
    return cell
