"""PDF with a text layer: ruled tables and the lines around them. The only module that imports pdfplumber.

A PDF knows characters and rules, not cells: a cell is what rules enclose, a line is what stands at one height, and a
text is its lines joined by the rule of `wraps.joint`. Pages are stacked into one grid; where a row is torn by the end
of a page, its halves are joined if its text was only wrapped there.
"""

from __future__ import annotations

import bisect
import contextlib
import io
import logging
import re
import signal
import struct
import threading
import zlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import pdfplumber
from pdfplumber.utils.exceptions import MalformedPDFException, PdfminerException

from kpixl.grids.grid import Grid, UnreadableError, broken, exceeded
from kpixl.grids.limits import Limits
from kpixl.grids.stack import Placed, Stack
from kpixl.grids.wraps import is_spaced, is_wide, joint

# It tells the log of every blemish; what matters to a person is a problem.
logging.getLogger("pdfminer").setLevel(logging.CRITICAL)

# What pdfminer raises on broken files; it has no error of its own for most of them.
_ERRORS = (
    PdfminerException,
    MalformedPDFException,
    ValueError,
    TypeError,
    KeyError,
    IndexError,
    AttributeError,
    AssertionError,
    OverflowError,
    RecursionError,
    ZeroDivisionError,
    EOFError,
    OSError,
    struct.error,
)
_SAME = 3.0  # points within which two rules are one
_MARGIN = 6.0  # points between a rule and text, at most; text further away is centred
_PAGE_NUMBER = re.compile(r"[-—–\s]*(第\s*)?\d{1,4}(\s*页)?([\s,，/]*(共\s*)?\d{1,4}(\s*页)?)?[-—–\s]*")


class Line(NamedTuple):
    """A line of text: where it begins and ends, how large its characters are."""

    text: str
    left: float
    right: float
    size: float


@dataclass(slots=True)
class Cell:
    """A cell that rules enclose, in points from left and in rows of its table."""

    row: int
    rows: int
    left: float
    right: float
    lines: list[Line]

    @property
    def room(self) -> float:
        """Return how wide a line can be: the cell without its margins, of which the left one shows."""
        margin = min((line.left - self.left for line in self.lines), default=0.0)
        widest = max((line.right - line.left for line in self.lines), default=0.0)
        return max(widest, self.right - self.left - 2 * min(max(margin, 0.0), _MARGIN))

    @property
    def text(self) -> str:
        """Join the lines."""
        return joined(self.lines, self.room)


@dataclass(slots=True)
class Table:
    """A table on one page: its vertical rules, its cells, whether it is the first or the last thing on its page."""

    page: int
    rules: list[float]
    cells: list[Cell] = field(default_factory=list)
    first: bool = False
    last: bool = False

    @property
    def height(self) -> int:
        """Count the rows."""
        return max((cell.row + cell.rows for cell in self.cells), default=0)


def read_pdf(content: bytes, limits: Limits) -> list[Grid]:
    """Read the tables of a PDF and the lines around them as one grid. Raises UnreadableError."""
    _check_streams(content, limits)
    blocks: list[Table | str] = []
    characters = 0
    try:
        with _timed(limits.page_seconds):
            pdf = pdfplumber.open(io.BytesIO(content))
            count = len(pdf.pages)
        if count > limits.pages:
            raise exceeded("pages", count, limits)
        for page in pdf.pages:
            with _timed(limits.page_seconds):
                characters += len(page.chars)
                blocks += _blocks(page)
                page.close()
    except _ERRORS as error:
        raise _refusal(error, limits) from error
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


_STREAM = re.compile(rb"(?<!end)stream\r?\n")
_CHUNK = 1 << 16
_LAYERS = 4  # streams packed within each other; pdfminer unpacks as many as a stream says


def _check_streams(content: bytes, limits: Limits) -> None:
    """Raise UnreadableError if a stream unpacks to more than all text may take: 1 MB can become 1 GB in pdfminer."""
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


def _refusal(error: BaseException, limits: Limits) -> UnreadableError:
    """Say what is wrong with a file; pdfplumber wraps what pdfminer raises, in one way or another."""
    chain = repr((error, error.__cause__, error.__context__))
    if "PDFPasswordIncorrect" in chain:
        return UnreadableError("password")
    if "TimeoutError" in chain:
        return exceeded("page_seconds", None, limits)
    return broken(error)


@contextlib.contextmanager
def _timed(seconds: float) -> Iterator[None]:
    """End what takes longer, again and again: pdfminer runs in circles on some broken files.

    Only in the main thread, and not on Windows; elsewhere the time for the whole file has to do.
    """
    if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        yield
        return

    def end(*_: object) -> None:
        raise TimeoutError

    before = signal.signal(signal.SIGALRM, end)
    signal.setitimer(signal.ITIMER_REAL, seconds, 1)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


# --- one page -----------------------------------------------------------------------------------


def _blocks(page: Any) -> list[Table | str]:
    """List the tables and lines of a page from top to bottom."""
    found = page.find_tables()
    loose = [c for c in page.chars if not any(_within(c, table.bbox) for table in found)]
    blocks: list[tuple[float, Table | str]] = [(t.bbox[1], _table(page, t)) for t in found]
    blocks += _paragraphs(list(_lines(loose)), [t.bbox for t in found], page.width)
    ordered = [block for _, block in sorted(blocks, key=lambda b: b[0])]
    for block, mark in ((ordered[0], "first"), (ordered[-1], "last")) if ordered else ():
        if isinstance(block, Table):
            setattr(block, mark, True)
    return ordered


def _paragraphs(
    lines: Sequence[tuple[float, Line]], tables: Sequence[tuple[float, float, float, float]], width: float
) -> Iterator[tuple[float, str]]:
    """Join wrapped lines outside of tables; leave out the number of the page. Yields heights and texts."""
    room = max([width * 0.6, *(t[2] - t[0] for t in tables), *(line.right - line.left for _, line in lines)])
    edges = {lines[0][0], lines[-1][0]} if lines else set()
    paragraph: list[tuple[float, Line]] = []
    for top, line in lines:
        if top in edges and _PAGE_NUMBER.fullmatch(line.text.strip()):
            continue
        if paragraph:
            last_top, last = paragraph[-1]
            apart = top - last_top > 2 * line.size or any(last_top < t[1] < top for t in tables)
            if apart or last.size != line.size or not _wrapped(last, line, room):
                yield paragraph[0][0], joined([seen for _, seen in paragraph], room)
                paragraph = []
        paragraph.append((top, line))
    if paragraph:
        yield paragraph[0][0], joined([seen for _, seen in paragraph], room)


def _within(char: Any, box: tuple[float, float, float, float]) -> bool:
    x, y = (char["x0"] + char["x1"]) / 2, (char["top"] + char["bottom"]) / 2
    return bool(box[0] <= x <= box[2] and box[1] <= y <= box[3])


def _table(page: Any, found: Any) -> Table:
    """Make cells of rectangles and put every character where its middle is."""
    boxes = found.cells
    rules = _distinct(x for box in boxes for x in (box[0], box[2]))
    heights = _distinct(y for box in boxes for y in (box[1], box[3]))
    table = Table(page.page_number, rules)
    owner: dict[tuple[int, int], int] = {}
    chars: dict[int, list[Any]] = defaultdict(list)
    for left, top, right, bottom in boxes:
        a, b, c, d = _index(rules, left), _index(heights, top), _index(rules, right), _index(heights, bottom)
        owner |= {(x, y): len(table.cells) for x in range(a, c) for y in range(b, d)}
        table.cells.append(Cell(b, max(1, d - b), left, right, []))
    for char in page.chars:
        if _within(char, found.bbox):
            x = bisect.bisect_right(rules, (char["x0"] + char["x1"]) / 2) - 1
            y = bisect.bisect_right(heights, (char["top"] + char["bottom"]) / 2) - 1
            if (number := owner.get((x, y))) is not None:
                chars[number].append(char)
    for number, inside in chars.items():
        table.cells[number].lines = [line for _, line in _lines(inside)]
    return table


def _distinct(places: Iterable[float]) -> list[float]:
    kept: list[float] = []
    for place in sorted(places):
        if not kept or place - kept[-1] > _SAME:
            kept.append(place)
    return kept


def _index(places: Sequence[float], place: float) -> int:
    return min(range(len(places)), key=lambda i: abs(places[i] - place))


def _lines(chars: Sequence[Any]) -> Iterator[tuple[float, Line]]:
    """Put characters into lines: those whose middles are at one height; with the height of each."""
    line: list[Any] = []
    middle = 0.0
    for char in sorted(chars, key=lambda c: (c["top"] + c["bottom"]) / 2):
        here = (char["top"] + char["bottom"]) / 2
        if line and here - middle > max(char["size"], 1) * 0.4:
            yield line[0]["top"], _line(line)
            line = []
        if not line:
            middle = here
        line.append(char)
    if line:
        yield line[0]["top"], _line(line)


def _line(chars: list[Any]) -> Line:
    """Spell a line; a gap without a character in it is a blank."""
    chars = sorted(chars, key=lambda c: c["x0"])
    text = ""
    for before, char in zip([None, *chars], chars, strict=False):
        gap = char["x0"] - before["x1"] if before is not None else 0.0
        if gap > char["size"] * 0.3 and not text.endswith(" ") and char["text"] != " ":
            text += " "
        text += char["text"]
    seen = [c for c in chars if not c["text"].isspace()] or chars
    return Line(text.lstrip(), seen[0]["x0"], seen[-1]["x1"], max(c["size"] for c in seen))


# --- lines to texts -----------------------------------------------------------------------------


def joined(lines: Sequence[Line], room: float) -> str:
    """Join lines that could be as wide as `room`: a line that had room for more was ended by a person."""
    spaced = is_spaced("\n".join(line.text for line in lines))
    text = ""
    for before, line in zip([None, *lines], lines, strict=False):
        if before is None:
            text = line.text
        elif _wrapped(before, line, room):
            text += joint(text, line.text, spaced) + line.text
        else:
            text = text.rstrip(" ") + "\n" + line.text
    return text.rstrip(" ")


def _wrapped(before: Line, after: Line, room: float, slack: int = 3) -> bool:
    """Tell whether the next line begins where it does because what it begins with found no room on the line before.

    `slack`: characters allowed for, as punctuation must not begin a line and takes one or two down with it.
    """
    wide = is_wide(after.text[:1] or " ")
    head = 1.0 if wide else len(after.text.split(" ", 1)[0]) * 0.5
    return before.right - before.left + (head + slack) * after.size > room


# --- many pages ---------------------------------------------------------------------------------


def _runs(blocks: Sequence[Table | str]) -> Iterator[str | list[Table]]:
    """Group tables that go on over the end of a page."""
    run: list[Table] = []
    for block in blocks:
        if isinstance(block, str):
            if run:
                yield run
            run = []
            yield block
        elif run and run[-1].last and block.first and block.page == run[-1].page + 1 and _nested(run, block):
            run.append(block)
        else:
            if run:
                yield run
            run = [block]
    if run:
        yield run


def _nested(run: Sequence[Table], table: Table) -> bool:
    """Tell whether the rules of a table stand where those of the tables before do, or the other way round."""
    known = _distinct(x for t in run for x in t.rules)
    few, many = sorted((known, table.rules), key=len)
    return all(any(abs(a - b) <= _SAME for b in many) for a in few)


def _placed(run: Sequence[Table]) -> list[Placed]:
    """Number rows and columns through the tables of a run."""
    rules = _distinct(x for table in run for x in table.rules)
    cells: list[Cell] = []
    height = 0
    for table in run:
        if cells and _torn(cells, height, table):
            height -= 1
            _mend(cells, height, table)
        else:
            cells += [Cell(c.row + height, c.rows, c.left, c.right, c.lines) for c in table.cells]
        height += table.height
    placed = []
    for cell in cells:
        first, last = _index(rules, cell.left), _index(rules, cell.right)
        placed.append(Placed(cell.row, first, cell.rows, max(1, last - first), cell.text))
    return placed


def _last_row(cells: Sequence[Cell], height: int) -> dict[int, Cell]:
    """Return the cells that reach down to a row, by where they begin."""
    return {round(cell.left / _SAME): cell for cell in cells if cell.row + cell.rows == height}


def _match(above: dict[int, Cell], cell: Cell) -> Cell | None:
    place = round(cell.left / _SAME)
    return next((above[p] for p in (place, place - 1, place + 1) if p in above), None)


def _torn(cells: Sequence[Cell], height: int, table: Table) -> bool:
    """Tell whether the first row of a table is the rest of the row above it.

    It is if all its text goes on in mid-line; and some text has ended above, or what goes on is more than a line:
    a row of three short texts below another one is a row of its own.
    """
    above = _last_row(cells, height)
    pairs = [(start, cell) for cell in table.cells if cell.row == 0 and (start := _match(above, cell)) is not None]
    filled = [(start, cell) for start, cell in pairs if cell.lines]
    if not filled or len(filled) < sum(cell.row == 0 and bool(cell.lines) for cell in table.cells):
        return False
    if not all(s.lines and _wrapped(s.lines[-1], c.lines[0], s.room, slack=0) for s, c in filled):
        return False
    ended = any(s.lines and not c.lines and s.rows == c.rows == 1 for s, c in pairs)
    return ended or all(len(s.lines) > 1 or len(c.lines) > 1 for s, c in filled)


def _mend(cells: list[Cell], last: int, table: Table) -> None:
    """Put the rest of a torn row where the row began."""
    above = _last_row(cells, last + 1)
    for cell in table.cells:
        start = _match(above, cell) if cell.row == 0 else None
        if start is not None:
            start.lines = [*start.lines, *cell.lines]
            start.rows = max(start.rows, last + cell.rows - start.row)
        else:
            cells.append(Cell(cell.row + last, cell.rows, cell.left, cell.right, cell.lines))
