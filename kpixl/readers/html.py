"""HTML: the tables of a page. Excel and WPS save such pages under the name .xls. The only module that imports lxml."""

from __future__ import annotations

import codecs
import re
from typing import Any

import lxml.etree
import lxml.html

from kpixl.readers.detect import start_of
from kpixl.readers.grid import Grid, broken
from kpixl.readers.limits import Limits
from kpixl.readers.stack import RAISED, Flow, Placed, Stack
from kpixl.readers.struck import Struck
from kpixl.readers.wraps import collapse

_CHARSET = re.compile(r"charset\s*=\s*[\"']?\s*([\w-]+)", re.IGNORECASE)
_CHINESE = {"gb2312", "gbk", "gb_2312-80", "cp936", "x-gbk"}
_SKIPPED = frozenset({"head", "script", "style", "template", "noscript", "title", "comment", "rt", "rp"})
_BLOCKS = frozenset(
    re.findall(
        r"\w+",
        "address article aside blockquote body caption center dd div dl dt fieldset figure footer form "
        "h1 h2 h3 h4 h5 h6 header hr html li main nav ol p pre section tbody td tfoot th thead tr ul",
    )
)
_BREAK, _BLOCK = "\0", "\1"  # neither can stand in HTML
_SHOWN_OTHERWISE = frozenset({"input", "select", "sup"})
_UNSHOWN = frozenset({"hidden", "submit", "button", "reset", "image", "file", "password"})  # kinds of input
_SHEET_ANCHOR = re.compile(r"table\d+")  # LibreOffice puts <a name="table0"> before each sheet
_MAX_ROWSPAN = 65_534  # the bound of the HTML standard
_MAX_DEPTH = 200
_END = re.compile(r"</(?:body|html)\s{0,9}>", re.IGNORECASE)


def read_page(content: bytes, limits: Limits) -> tuple[list[Grid], list[Struck]]:
    """Read the tables of a page and the text around them as one grid; as one per sheet where the page names sheets.

    What is struck out in it is returned apart.

    Raises UnreadableError.
    """
    parser = lxml.html.HTMLParser(encoding="utf-8", no_network=True, remove_comments=True, remove_pis=True)
    try:
        root = lxml.html.document_fromstring(_whole(_decoded(content)).encode("utf-8", "replace"), parser=parser)
    except (lxml.etree.LxmlError, ValueError) as error:
        raise broken(error) from error
    if any("depth" in entry.message for entry in parser.error_log):
        raise broken(("标签嵌套过深", "its tags are nested too deeply"))
    struck = _take_struck(root)
    walk = _Walk(limits)
    walk.into(root, 0)
    return walk.grids(), struck


def _take_struck(root: Any) -> list[Struck]:
    """Take struck-out text out of the page; keep it where it is all of a cell."""
    found: list[Struck] = []
    cells: dict[Any, list[Any]] = {}
    for element in root.iter("s", "strike", "del"):
        around = next(element.iterancestors("td", "th", "p"), root)
        if not any(above.tag in ("s", "strike", "del") for above in element.iterancestors()):
            cells.setdefault(around, []).append(element)
    for around, elements in cells.items():
        text = collapse("".join("".join(element.itertext()) for element in elements))
        whole = collapse("".join(around.itertext()))
        rest = "" if whole == text else whole
        for element in elements if rest else ():
            element.drop_tree()
        rest = collapse("".join(around.itertext())) if rest else ""
        if text:
            found.append(Struck(text, rest if around is not root else "…"))
    return found


def _whole(text: str) -> str:
    """Leave out where pages end: of several pages one after the other all but the first would be lost."""
    return _END.sub("", text)


def _decoded(content: bytes) -> str:
    """Decode by the mark at the beginning, else by the encoding that the page declares, else by what fits."""
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return content.decode("utf-16", "replace")
    said = _CHARSET.search(start_of(content))
    name = said[1].lower() if said and not content.startswith(codecs.BOM_UTF8) else "utf-8"
    for encoding in ("gb18030" if name in _CHINESE else name, "utf-8-sig", "gb18030"):
        try:
            return content.decode(encoding)
        except (UnicodeDecodeError, LookupError):
            continue
    return content.decode("utf-8", "replace")


def _spaced(pieces: list[str]) -> str:
    """Join pieces of text as a browser shows them, its lines separated by line breaks."""
    text = re.sub(f"{_BLOCK}*{_BREAK}{_BLOCK}*", _BREAK, "".join(pieces).strip(_BLOCK))
    return re.sub(f"{_BLOCK}+", _BREAK, text)


def _lines(pieces: list[str]) -> list[str]:
    return [collapse(line) for line in _spaced(pieces).split(_BREAK)]


class _Walk:
    """The way through a page: what is not in a table is a line of text."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.stacks = [Stack(limits)]
        self.pieces: list[str] = []

    def grids(self) -> list[Grid]:
        """Return a grid for every sheet that is not blank."""
        self._flush()
        sheets = self.stacks[1:] or self.stacks
        return [grid for stack in sheets if (grid := stack.grid()) is not None]

    def into(self, element: Any, depth: int) -> None:
        """Take in an element and what is within."""
        if depth > _MAX_DEPTH:
            raise broken(("标签嵌套过深", "its tags are nested too deeply"))
        tag = element.tag if isinstance(element.tag, str) else ""
        if tag in _SKIPPED or not tag:
            return
        if tag == "a" and _SHEET_ANCHOR.fullmatch(element.get("name") or ""):
            self._flush()
            self.stacks.append(Stack(self.limits, collapse("".join(element.xpath(".//em//text()"))) or None))
            return
        if tag == "table":
            self._flush()
            self._table(element, depth)
            return
        if tag in _BLOCKS or tag == "br":
            self._flush()
        if tag in _SHOWN_OTHERWISE:
            self.pieces.append(_shown(element, tag))
            return
        self.pieces.append(element.text or "")
        for child in element:
            self.into(child, depth + 1)
            self.pieces.append(child.tail or "")
        if tag in _BLOCKS:
            self._flush()

    def _flush(self) -> None:
        for line in _lines(self.pieces):
            self.stacks[-1].text(line)
        self.pieces = []

    def _table(self, table: Any, depth: int) -> None:
        """Take in a table; tables within it follow it, and their text is not that of the cell around them."""
        flow, cells = Flow(self.limits), []
        inner: list[Any] = []
        for row in table.xpath("./tr | ./thead/tr | ./tbody/tr | ./tfoot/tr"):
            flow.next_row()
            cells += [self._cell(flow, cell, inner, depth) for cell in row if cell.tag in ("td", "th")]
        for caption in table.xpath("./caption"):
            self.into(caption, depth + 1)
        self.stacks[-1].table(cells)
        for nested in inner:
            self._table(nested, depth + 1)

    def _cell(self, flow: Flow, cell: Any, inner: list[Any], depth: int) -> Placed:
        pieces: list[str] = []
        _gather(cell, pieces, inner, depth)
        text = "\n".join(_lines(pieces)).strip("\n")
        if text and not text.strip("#") and (number := cell.get("x:num") or cell.get("sdval")):
            text = number  # a column too narrow to show it
        rows = min(_number(cell.get("rowspan")), _MAX_ROWSPAN)
        return flow.place(text, rows, _number(cell.get("colspan")))


def _gather(element: Any, pieces: list[str], inner: list[Any], depth: int) -> None:
    """Gather the text of an element, and apart from it the tables within."""
    if depth > _MAX_DEPTH:
        raise broken(("标签嵌套过深", "its tags are nested too deeply"))
    pieces.append(element.text or "")
    for child in element:
        tag = child.tag if isinstance(child.tag, str) else "script"
        if tag == "table":
            inner.append(child)
            pieces.append(_BLOCK)
        elif tag == "br":
            pieces.append(_BREAK)
        elif tag not in _SKIPPED:
            edge = _BLOCK if tag in _BLOCKS else ""
            pieces.append(edge)
            if tag in _SHOWN_OTHERWISE:
                pieces.append(_shown(child, tag))
            else:
                _gather(child, pieces, inner, depth + 1)
            pieces.append(edge)
        pieces.append(child.tail or "")


def _shown(element: Any, tag: str) -> str:
    """Return what a browser shows of an element whose text is not simply its content."""
    if tag == "sup":
        return "".join(element.itertext()).translate(RAISED)
    if tag == "select":
        options = element.findall(".//option")
        chosen = [option for option in options if option.get("selected") is not None] or options[:1]
        return "、".join("".join(option.itertext()).strip() for option in chosen)
    kind = (element.get("type") or "text").casefold()
    if kind in ("checkbox", "radio"):
        return "☑" if element.get("checked") is not None else "☐"
    return "" if kind in _UNSHOWN else element.get("value") or ""


def _number(text: str | None) -> int:
    return int(text) if text and len(text) < 7 and text.strip().isdecimal() else 1
