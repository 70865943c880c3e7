"""Word documents: their tables, with the text between them. The only module that imports python-docx."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

from docx.exceptions import PythonDocxError
from docx.opc.exceptions import OpcError
from docx.oxml.parser import parse_xml
from docx.package import Package as WordPackage

from kpixl.readers.grid import Grid, broken
from kpixl.readers.limits import Limits
from kpixl.readers.package import ERRORS, OpenedPackage
from kpixl.readers.stack import MAX_SPAN, RAISED, Placed, Stack
from kpixl.readers.struck import Struck

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_P, _TBL, _TR, _TC = _W + "p", _W + "tbl", _W + "tr", _W + "tc"
# Deleted under track changes, shown twice for older programs, read out above a word, or properties.
_SKIPPED = frozenset(
    {_W + tag for tag in ("del", "moveFrom", "rt", "pPr", "rPr", "tblPr", "tblGrid", "trPr", "tcPr", "sectPr", "sdtPr")}
    | {"{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"}
)
_DELETED = frozenset({_W + "del", _W + "moveFrom"})
_TEXTS = frozenset({_W + "t", "{http://schemas.openxmlformats.org/officeDocument/2006/math}t"})
_SPELLED = {_W + "tab": " ", _W + "noBreakHyphen": "-", _W + "cr": "\n"}
# Signs of symbol fonts, by their last two digits: what Word's "Insert symbol" offers first, and boxes to tick.
_SIGNS = {"B3": "≥", "A3": "≤", "B1": "±", "B4": "×", "B8": "÷", "B9": "≠", "BB": "≈", "B0": "°", "B7": "·"}
_BOXES = {"FE": "☑", "52": "☑", "FD": "☒", "A8": "☐", "6F": "☐", "A3": "☐", "FC": "✓", "50": "✓", "FB": "✗"}
_OTHER_SIGN = "\ufffd"  # shows that something is there


def read_document(package: OpenedPackage, limits: Limits) -> tuple[list[Grid], list[Struck]]:
    """Read the tables of a document, with the text between them, as one grid, and what is struck out in it.

    Raises UnreadableError.
    """
    package.check_size()
    try:
        part = WordPackage.open(io.BytesIO(package.content)).main_document_part
        body = parse_xml(part.blob).find(_W + "body")
    except (PythonDocxError, OpcError, SyntaxError, AttributeError, TypeError, *ERRORS) as error:
        raise broken(error) from error
    if body is None:
        raise broken(("没有正文", "it has no body"))
    struck = _take_struck(body)
    stack = Stack(limits)
    _blocks(body, stack, limits)
    grid = stack.grid()
    return [grid] if grid is not None else [], struck


def _take_struck(body: Any) -> list[Struck]:
    """Take out what is struck out, or deleted under track changes; keep it where it is all of a cell."""
    found: list[Struck] = []
    runs: dict[Any, list[Any]] = {}  # by the cell or paragraph that they are in
    for run in filter(_is_struck, body.iter(_W + "r")):
        around = next((above for above in run.iterancestors(_TC)), None)
        runs.setdefault(run.getparent() if around is None else around, []).append(run)
    for around, struck in runs.items():
        text = "".join("".join(run.itertext(_W + "t", _W + "delText")) for run in struck).strip()
        places = [(run.getparent(), run.getparent().index(run), run) for run in struck]
        for parent, _, run in places:
            parent.remove(run)
        rest = _text(around).strip()
        if not rest:
            for parent, place, run in places:
                parent.insert(place, run)
        deleted_only = not rest and all(map(_is_deleted, struck))
        if text and not deleted_only:
            found.append(Struck(text, rest))
    return found


def _is_deleted(run: Any) -> bool:
    """Return whether a run was deleted under track changes."""
    return any(above.tag in _DELETED for above in run.iterancestors())


def _is_struck(run: Any) -> bool:
    return _is_deleted(run) or any(_is_on(run.find(f"{_W}rPr/{_W}{tag}")) for tag in ("strike", "dstrike"))


def _is_on(mark: Any) -> bool:
    return mark is not None and mark.get(_W + "val", "1") not in ("0", "false", "off")


def _blocks(element: Any, stack: Stack, limits: Limits) -> None:
    for child in _below(element, {_P, _TBL}):
        if child.tag == _TBL:
            _table(child, stack, limits)
        else:
            stack.text(_text(child))
            for box in _boxes(child):
                _blocks(box, stack, limits)


def _boxes(paragraph: Any) -> Iterator[Any]:
    """Yield the text boxes that are anchored in a paragraph."""
    for box in paragraph.iter(_W + "txbxContent"):
        if not any(above.tag in _SKIPPED for above in box.iterancestors()):
            yield box


def _below(element: Any, tags: set[str]) -> Iterator[Any]:
    """Yield the elements of some tags within, whatever wraps them: content controls, insertions, custom XML."""
    for child in element:
        if child.tag in tags:
            yield child
        elif not _is_skipped(child):
            yield from _below(child, tags)


def _is_skipped(element: Any) -> bool:
    """Return whether nothing within was typed; a content control that nobody filled in shows what to do in it."""
    return element.tag in _SKIPPED or (
        element.tag == _W + "sdt" and element.find(f"{_W}sdtPr/{_W}showingPlcHdr") is not None
    )


def _text(paragraph: Any) -> str:
    pieces: list[str] = []
    _spell(paragraph, pieces)
    return "".join(pieces).strip(" ")


def _spell(element: Any, pieces: list[str]) -> None:
    for child in element:
        if child.tag in _TEXTS:
            place = element.find(f"{_W}rPr/{_W}vertAlign")
            raised = place is not None and place.get(_W + "val") == "superscript"
            pieces.append((child.text or "").translate(RAISED) if raised else child.text or "")
        elif child.tag in _SPELLED:
            pieces.append(_SPELLED[child.tag])
        elif child.tag == _W + "br":
            pieces.append("\n" if child.get(_W + "type") in (None, "textWrapping") else "")
        elif child.tag == _W + "sym":
            signs = _SIGNS if child.get(_W + "font") == "Symbol" else _BOXES
            pieces.append(signs.get((child.get(_W + "char") or "").upper()[-2:], _OTHER_SIGN))
        elif child.tag == _W + "ddList":
            pieces.append(_chosen(child))
        elif not _is_skipped(child) and child.tag != _W + "txbxContent":
            _spell(child, pieces)


def _chosen(dropdown: Any) -> str:
    """Return the item that a form field of old documents shows; its text is nowhere else."""
    items = [item.get(_W + "val") or "" for item in dropdown.findall(_W + "listEntry")]
    number = _value(dropdown.find(_W + "result"), _value(dropdown.find(_W + "default"), 0))
    return items[number] if number < len(items) else ""


def _table(table: Any, stack: Stack, limits: Limits) -> None:
    """Take in a table; tables and text boxes within it follow it."""
    cells: list[Placed] = []
    inner: list[Any] = []
    hanging: dict[int, int] = {}  # column -> the cell that hangs down in it
    rows = [row for row in _below(table, {_TR}) if row.find(f"{_W}trPr/{_W}del") is None]
    for number, row in enumerate(rows):
        col = _value(row.find(f"{_W}trPr/{_W}gridBefore"), 0)
        for cell in _below(row, {_TC}):
            width = max(1, _value(cell.find(f"{_W}tcPr/{_W}gridSpan"), 1))
            merge = cell.find(f"{_W}tcPr/{_W}vMerge")
            text = _cell_text(cell, inner)
            if merge is not None and merge.get(_W + "val") != "restart" and col in hanging:
                above = cells[hanging[col]]
                cells[hanging[col]] = above._replace(rows=number - above.row + 1)
                width_shown = 1  # what is typed under a merge is kept, to be reported
            else:
                hanging.pop(col, None)
                if merge is not None:
                    hanging[col] = len(cells)
                width_shown = width
            if text or width_shown > 1 or col in hanging:
                cells.append(Placed(number, col, 1, width_shown, text))
            col += width
    stack.table(cells)
    for nested in inner:
        if nested.tag == _TBL:
            _table(nested, stack, limits)
        else:
            _blocks(nested, stack, limits)


def _cell_text(cell: Any, inner: list[Any]) -> str:
    lines = []
    for child in _below(cell, {_P, _TBL}):
        if child.tag == _TBL:
            inner.append(child)
        else:
            lines.append(_text(child))
            inner += _boxes(child)
    return "\n".join(lines).strip("\n")


def _value(element: Any, default: int) -> int:
    text = element.get(_W + "val") if element is not None else None
    return min(int(text), MAX_SPAN) if text and len(text) < 7 and text.isdecimal() else default
