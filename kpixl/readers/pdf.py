"""PDF with a text layer: ruled tables and the lines around them.

A text is its lines joined by the rule of `wraps.joint`. Pages are stacked into one grid; where a row is torn by the end
of a page, its halves are joined if its text was only wrapped there.
"""

from __future__ import annotations

import re
import zlib
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence

from kpixl.readers.grid import Grid, UnreadableError, broken, exceeded, too_large
from kpixl.readers.limits import Limits
from kpixl.readers.pdf_lines import PdfLine, is_wrapped, joined, lines_of
from kpixl.readers.pdf_pages import Page, read_pages
from kpixl.readers.pdf_tables import SAME, PdfCell, PdfTable, distinct, find_tables, nearest
from kpixl.readers.stack import Placed, Stack

_PAGE_NUMBER = re.compile(r"[-—–\s]*(第\s*)?\d{1,4}(\s*页)?([\s,，/]*(共\s*)?\d{1,4}(\s*页)?)?[-—–\s]*")
_TAIL = 2_048  # bytes at the end of a file in which its table of contents is named; Acrobat looks at 1,024


def read_pdf(content: bytes, limits: Limits) -> list[Grid]:
    """Read the tables of a PDF and the lines around them as one grid. Raises UnreadableError."""
    _check_streams(content, limits)
    _check_end(content)
    blocks: list[PdfTable | str] = []
    characters = cells = 0
    for page in read_pages(content, limits):
        characters += len(page.chars)
        found = _blocks(page, limits)
        cells += sum(len(block.cells) for block in found if isinstance(block, PdfTable))
        if cells > limits.table_cells:  # before the pages are stacked, which counts the cells of the grid
            raise too_large(cells, limits, "table_cells")
        blocks += found
    if not characters:
        raise UnreadableError("pdf-no-text")
    stack = Stack(limits)
    for run in _runs(blocks):
        if isinstance(run, str):
            stack.text(run)
        else:
            stack.table(_placed(run))
    grid = stack.grid()
    return [grid] if grid is not None else []


def _check_end(content: bytes) -> None:
    """Raise UnreadableError if the end of a file is missing: PDFium would read what is left without a word."""
    if b"startxref" not in content.rstrip(b"\0 \t\r\n\f")[-_TAIL:]:
        raise broken(("文件不完整，缺少结尾", "it is incomplete, its end is missing"))


_STREAM = re.compile(rb"(?<!end)stream\r?\n")
_CHUNK = 1 << 16
_LAYERS = 4  # streams packed within each other; as many as a reader unpacks


def _check_streams(content: bytes, limits: Limits) -> None:
    """Raise UnreadableError if a stream unpacks to more than all text may take: 1 MB can become 1 GB."""
    for match in _STREAM.finditer(content):
        data, at = content, match.end()
        for _ in range(_LAYERS):
            data, at = _unpacked(data, at, limits.text_bytes), 0
            if len(data) > limits.text_bytes:
                raise exceeded("text_bytes", None, limits)


def _unpacked(content: bytes, at: int, limit: int) -> bytes:
    """Unpack what begins at a place, up to the first byte beyond a limit; b"" where nothing is packed there."""
    unpacker, parts, size = zlib.decompressobj(), [], 0
    try:
        while at < len(content) and not unpacker.eof and size <= limit:
            parts.append(unpacker.decompress(content[at : at + _CHUNK], limit - size + 1))
            size += len(parts[-1])
            at += _CHUNK
    except zlib.error:
        pass  # what was unpacked so far counts
    return b"".join(parts)


# --- one page -----------------------------------------------------------------------------------


def _blocks(page: Page, limits: Limits) -> list[PdfTable | str]:
    """List the tables and lines of a page from top to bottom."""
    tables, loose = find_tables(page, limits)
    blocks: list[tuple[float, PdfTable | str]] = [(table.top, table) for table in tables]
    blocks += _paragraphs(list(lines_of(loose, margins=True)), tables, page.width)
    ordered = [block for _, block in sorted(blocks, key=lambda b: b[0])]
    if ordered and isinstance(ordered[0], PdfTable):
        ordered[0].first = True
    if ordered and isinstance(ordered[-1], PdfTable):
        ordered[-1].last = True
    return ordered


def _paragraphs(
    lines: Sequence[tuple[float, PdfLine]], tables: Sequence[PdfTable], width: float
) -> Iterator[tuple[float, str]]:
    """Join wrapped lines outside of tables; leave out the number of the page. Yields heights and texts."""
    widths = [table.rules[-1] - table.rules[0] for table in tables]
    tops = [table.top for table in tables]
    room = max([width * 0.6, *widths, *(line.right - line.left for _, line in lines)])
    edges = {lines[0][0], lines[-1][0]} if lines else set()
    paragraph: list[tuple[float, PdfLine]] = []
    for top, line in lines:
        if top in edges and _PAGE_NUMBER.fullmatch(line.text.strip()):
            continue
        if paragraph:
            last_top, last = paragraph[-1]
            beside = top - last_top < line.size / 2
            apart = beside or top - last_top > 2 * line.size or bisect_right(tops, last_top) < bisect_left(tops, top)
            if apart or last.size != line.size or not is_wrapped(last, line, room):
                yield paragraph[0][0], joined([seen for _, seen in paragraph], room)
                paragraph = []
        paragraph.append((top, line))
    if paragraph:
        yield paragraph[0][0], joined([seen for _, seen in paragraph], room)


# --- many pages ---------------------------------------------------------------------------------


def _runs(blocks: Sequence[PdfTable | str]) -> Iterator[str | list[PdfTable]]:
    """Group tables that go on over the end of a page."""
    run: list[PdfTable] = []
    rules: list[float] = []  # the vertical rules of the run
    for block in blocks:
        if run and isinstance(block, PdfTable) and _follows(run[-1], block) and _nested(rules, block.rules):
            run.append(block)
            rules = distinct([*rules, *block.rules])
            continue
        if run:
            yield run
        run, rules = [], []
        if isinstance(block, str):
            yield block
        else:
            run, rules = [block], block.rules
    if run:
        yield run


def _follows(before: PdfTable, table: PdfTable) -> bool:
    """Return whether nothing is between two tables but the end of a page."""
    return before.last and table.first and table.page == before.page + 1


def _nested(known: Sequence[float], rules: Sequence[float]) -> bool:
    """Return whether all the rules of one table are where another one has some; the rules are sorted."""
    few, many = sorted((known, rules), key=len)
    return all(abs(many[nearest(many, place)] - place) <= SAME for place in few)


def _placed(run: Sequence[PdfTable]) -> list[Placed]:
    """Number rows and columns through the tables of a run."""
    rules = distinct(x for table in run for x in table.rules)
    cells: list[PdfCell] = []
    lowest: list[PdfCell] = []  # those that reach down to the last row
    height = 0
    for table in run:
        if lowest and _torn(lowest, table):
            height -= 1
            added = _mend(lowest, height, table)
        else:
            added = [PdfCell(c.row + height, c.rows, c.left, c.right, c.lines) for c in table.cells]
        height += table.height
        cells += added
        lowest = [cell for cell in (*lowest, *added) if cell.row + cell.rows == height]
    placed = []
    for cell in cells:
        first, last = nearest(rules, cell.left), nearest(rules, cell.right)
        placed.append(Placed(cell.row, first, cell.rows, max(1, last - first), cell.text))
    return placed


def _by_place(cells: Sequence[PdfCell]) -> dict[int, PdfCell]:
    """Return cells by where they begin."""
    return {round(cell.left / SAME): cell for cell in cells}


def _match(above: dict[int, PdfCell], cell: PdfCell) -> PdfCell | None:
    place = round(cell.left / SAME)
    return next((above[p] for p in (place, place - 1, place + 1) if p in above), None)


def _torn(lowest: Sequence[PdfCell], table: PdfTable) -> bool:
    """Return whether the first row of a table is the rest of the row above it.

    It is if all its text goes on in mid-line; and some text has ended above, or what goes on is more than a line:
    a row of three short texts below another one is a row of its own.
    """
    above = _by_place(lowest)
    pairs = [(start, cell) for cell in table.cells if cell.row == 0 and (start := _match(above, cell)) is not None]
    filled = [(start, cell) for start, cell in pairs if cell.lines]
    if not filled or len(filled) < sum(cell.row == 0 and bool(cell.lines) for cell in table.cells):
        return False
    if not all(s.lines and is_wrapped(s.lines[-1], c.lines[0], s.room, slack=0) for s, c in filled):
        return False
    ended = any(s.lines and not c.lines and s.rows == c.rows == 1 for s, c in pairs)
    return ended or all(len(s.lines) > 1 or len(c.lines) > 1 for s, c in filled)


def _mend(lowest: Sequence[PdfCell], last: int, table: PdfTable) -> list[PdfCell]:
    """Put the rest of a torn row where the row began. Returns the cells that are new."""
    above = _by_place(lowest)
    added: list[PdfCell] = []
    for cell in table.cells:
        start = _match(above, cell) if cell.row == 0 else None
        if start is not None:
            start.lines = [*start.lines, *cell.lines]
            start.rows = max(start.rows, last + cell.rows - start.row)
        else:
            added.append(PdfCell(cell.row + last, cell.rows, cell.left, cell.right, cell.lines))
    return added
