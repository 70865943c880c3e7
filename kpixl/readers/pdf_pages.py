"""The characters and ruled lines of a PDF, page by page. The only module that imports pypdfium2.

PDFium's C interface is called directly: the classes of pypdfium2 cost ten times as much for each character. Lengths
are points; on a page x runs to the right and y downwards, however the page is rotated.
"""

from __future__ import annotations

import ctypes
import math
import time
from collections.abc import Iterator
from itertools import pairwise
from typing import Any, NamedTuple

import pypdfium2.raw as pdfium

from kpixl.readers.grid import UnreadableError, broken, exceeded
from kpixl.readers.limits import Limits
from kpixl.readers.radicals import ideograph
from kpixl.readers.wraps import is_wide

_THIN = 3.0  # points: a filled area that is no thicker is a ruled line
_STRAIGHT = 1.0  # points by which a ruled line may slant
_FORMS = 12  # groups of graphics within each other; PDFium itself stops at 40
_CLOCK = 1_000  # characters or graphics between two looks at the clock
_UNKNOWN = "\ufffd"  # shows that a character is there, though its font does not name it
_MOVE = pdfium.FPDF_SEGMENT_MOVETO


class Char(NamedTuple):
    """A character: where its middle is; where it begins and ends in its direction of reading, and its base line.

    `turn` counts quarter turns to the right: 0 reads to the right, 1 downwards, 3 upwards. `run` numbers the texts as
    the PDF has them: a producer draws a line, a word or a character at once, but never two cells.
    """

    text: str
    x: float
    y: float
    left: float
    right: float
    base: float
    size: float
    turn: int
    run: int


class RuledLine(NamedTuple):
    """A ruled line: at which height or distance it is, and from where to where it goes."""

    at: float
    first: float
    last: float


class Page(NamedTuple):
    """What is drawn on a page; `number` counts from 1, `across` are horizontal rules and `down` vertical ones."""

    number: int
    width: float
    chars: list[Char]
    across: list[RuledLine]
    down: list[RuledLine]


def read_pages(content: bytes, limits: Limits) -> Iterator[Page]:
    """Yield the pages of a PDF. Raises UnreadableError where it is damaged or locked, or a bound is exceeded."""
    document = pdfium.FPDF_LoadMemDocument64(content, len(content), None)
    if not document:
        raise _refusal(pdfium.FPDF_GetLastError())
    try:
        count = pdfium.FPDF_GetPageCount(document)
        if count > limits.pages:
            raise exceeded("pages", count, limits)
        if count < 1:
            raise broken(("没有页面", "it has no pages"))
        for number in range(count):
            yield _read_page(document, number, limits)
    finally:
        pdfium.FPDF_CloseDocument(document)


def _refusal(code: int) -> UnreadableError:
    if code in (pdfium.FPDF_ERR_PASSWORD, pdfium.FPDF_ERR_SECURITY):
        return UnreadableError("password")
    return broken(("PDF 的结构已损坏", "the structure of the PDF is damaged"))


def _read_page(document: Any, number: int, limits: Limits) -> Page:
    budget = _Budget(limits)
    page = pdfium.FPDF_LoadPage(document, number)
    if not page:
        raise broken((f"第 {number + 1} 页已损坏", f"page {number + 1} is damaged"))
    text = None
    try:
        view = _View(pdfium.FPDFPage_GetRotation(page))
        across: list[RuledLine] = []
        down: list[RuledLine] = []
        blanks: list[Char] = []
        for kind, item, matrix in _objects(page, budget):
            if kind == pdfium.FPDF_PAGEOBJ_PATH:
                _rules(item, view.of(matrix), across, down, budget)
            elif (blank := _blank(item, view.of(matrix))) is not None:
                blanks.append(blank)
        text = pdfium.FPDFText_LoadPage(page)
        if not text:
            raise broken((f"第 {number + 1} 页的文字已损坏", f"the text of page {number + 1} is damaged"))
        chars = _chars(text, view, budget)
        return Page(number + 1, pdfium.FPDF_GetPageWidthF(page), chars + blanks, across, down)
    finally:
        if text:
            pdfium.FPDFText_ClosePage(text)
        pdfium.FPDF_ClosePage(page)


class _Budget:
    """What a page may cost: a number of characters and graphics, and time. Raises UnreadableError beyond."""

    def __init__(self, limits: Limits) -> None:
        self._limits, self._spent, self._looked = limits, 0, 0
        self._end = time.monotonic() + limits.page_seconds

    def spend(self, count: int) -> None:
        """Take characters or graphics out of the budget."""
        self._spent += count
        if self._spent > self._limits.page_objects:
            raise exceeded("page_objects", self._spent, self._limits)
        if self._spent - self._looked >= _CLOCK:
            self._looked = self._spent
            self.look()

    def look(self) -> None:
        """Look at the clock."""
        if time.monotonic() > self._end:
            raise exceeded("page_seconds", None, self._limits)


class _Matrix(NamedTuple):
    a: float
    b: float
    c: float
    d: float
    e: float
    f: float

    def then(self, other: _Matrix) -> _Matrix:
        """Return the matrix that applies this one first."""
        return _Matrix(
            self.a * other.a + self.b * other.c,
            self.a * other.b + self.b * other.d,
            self.c * other.a + self.d * other.c,
            self.c * other.b + self.d * other.d,
            self.e * other.a + self.f * other.c + other.e,
            self.e * other.b + self.f * other.d + other.f,
        )

    def point(self, x: float, y: float) -> tuple[float, float]:
        """Move a point."""
        return self.a * x + self.c * y + self.e, self.b * x + self.d * y + self.f

    @property
    def turn(self) -> int:
        """Return the direction in which text reads, in quarter turns to the right."""
        return round(_finite(math.atan2(self.b, self.a)) / (math.pi / 2)) % 4


def _finite(number: float) -> float:
    """Return a number, and 0 for what is none: factors in a broken file multiply to infinity."""
    return number if math.isfinite(number) else 0.0


_IDENTITY = _Matrix(1, 0, 0, 1, 0, 0)
# From the space of a page, where y runs upwards, to what is seen after its quarter turns to the right.
_VIEWS = (
    _Matrix(1, 0, 0, -1, 0, 0),
    _Matrix(0, 1, 1, 0, 0, 0),
    _Matrix(-1, 0, 0, 1, 0, 0),
    _Matrix(0, -1, -1, 0, 0, 0),
)
# The direction of reading becomes "to the right" by a turn back.
_UNTURNED = (_IDENTITY, _Matrix(0, -1, 1, 0, 0, 0), _Matrix(-1, 0, 0, -1, 0, 0), _Matrix(0, 1, -1, 0, 0, 0))


class _View(NamedTuple):
    """How a page is seen: by its quarter turns."""

    rotation: int

    @property
    def matrix(self) -> _Matrix:
        return _VIEWS[self.rotation % 4]

    def of(self, matrix: _Matrix) -> _Matrix:
        """Return how an object is seen whose matrix is given."""
        return matrix.then(self.matrix)


def _matrix(item: Any) -> _Matrix:
    found = pdfium.FS_MATRIX()
    if not pdfium.FPDFPageObj_GetMatrix(item, found):
        return _IDENTITY
    return _Matrix(found.a, found.b, found.c, found.d, found.e, found.f)


def _objects(page: Any, budget: _Budget) -> Iterator[tuple[int, Any, _Matrix]]:
    """Yield the texts and paths of a page with their matrices, those of groups too."""
    levels = [(page, _IDENTITY, 0, pdfium.FPDFPage_CountObjects(page))]
    budget.look()
    budget.spend(levels[0][3])
    while levels:
        group, outer, at, count = levels.pop()
        if at >= count:
            continue
        levels.append((group, outer, at + 1, count))
        get = pdfium.FPDFFormObj_GetObject if len(levels) > 1 else pdfium.FPDFPage_GetObject
        item = get(group, at)
        kind = pdfium.FPDFPageObj_GetType(item)
        if kind in (pdfium.FPDF_PAGEOBJ_PATH, pdfium.FPDF_PAGEOBJ_TEXT):
            yield kind, item, _matrix(item).then(outer)
        elif kind == pdfium.FPDF_PAGEOBJ_FORM and len(levels) <= _FORMS:
            inside = pdfium.FPDFFormObj_CountObjects(item)
            budget.spend(max(inside, 0))
            levels.append((item, _matrix(item).then(outer), 0, inside))


# --- characters ---------------------------------------------------------------------------------


def _chars(text: Any, view: _View, budget: _Budget) -> list[Char]:
    """List the characters of a page that are drawn; blanks and line ends that PDFium adds by itself are not."""
    count = max(pdfium.FPDFText_CountChars(text), 0)
    budget.look()
    budget.spend(count)
    chars: list[Char] = []
    box, matrix = pdfium.FS_RECTF(), pdfium.FS_MATRIX()
    x, y = ctypes.c_double(), ctypes.c_double()
    high = run = last = 0
    for index in range(count):
        if index % _CLOCK == 0:
            budget.look()
        code = pdfium.FPDFText_GetUnicode(text, index)
        hyphen = pdfium.FPDFText_IsHyphen(text, index) == 1
        if not hyphen and pdfium.FPDFText_IsGenerated(text, index) == 1:
            continue
        if 0xD800 <= code < 0xDC00:  # the first half of a character beyond U+FFFF; its other half comes next
            high = code
            continue
        pdfium.FPDFText_GetLooseCharBox(text, index, box)
        pdfium.FPDFText_GetCharOrigin(text, index, x, y)
        pdfium.FPDFText_GetMatrix(text, index, matrix)
        size = pdfium.FPDFText_GetFontSize(text, index) * math.hypot(matrix.c, matrix.d)
        seen = view.of(_Matrix(matrix.a, matrix.b, matrix.c, matrix.d, 0, 0))
        spelled = "-" if hyphen else _spelled(code, high, pdfium.FPDFText_HasUnicodeMapError(text, index) == 1)
        high = 0
        item = ctypes.cast(pdfium.FPDFText_GetTextObject(text, index), ctypes.c_void_p).value or 0
        run, last = run + (item != last or not item), item
        place = (box.left, box.bottom, box.right, box.top), (x.value, y.value)
        chars.append(_char(spelled, *place, size, run, view, seen))
    return chars


def _spelled(code: int, high: int, unmapped: bool) -> str:
    """Spell a character; one of a font that names none is shown as such, not left out."""
    if 0xDC00 <= code < 0xE000:
        return chr(0x10000 + ((high - 0xD800) << 10) + code - 0xDC00) if high else _UNKNOWN
    if code in (0x09, 0x0A, 0x0D):
        return " "
    if unmapped or code < 0x20 or 0xFFFE <= code <= 0xFFFF or code > 0x10FFFF:
        return _UNKNOWN
    return ideograph(chr(code))


def _char(
    spelled: str,
    box: tuple[float, float, float, float],
    origin: tuple[float, float],
    size: float,
    run: int,
    view: _View,
    seen: _Matrix,
) -> Char:
    turn = seen.turn
    unturned = view.matrix.then(_UNTURNED[turn])
    corners = [view.matrix.point(box[0], box[1]), view.matrix.point(box[2], box[3])]
    ends = [unturned.point(box[0], box[1])[0], unturned.point(box[2], box[3])[0]]
    left, base = unturned.point(*origin)
    # A box may hold the ink alone: then the character begins where the pen was set, and a wide one fills its square.
    right = max(*ends, left + size) if is_wide(spelled) else max(*ends, left)
    x, y = (corners[0][0] + corners[1][0]) / 2, (corners[0][1] + corners[1][1]) / 2
    x, y, left, right, base = map(_finite, (x, y, left, right, base))
    return Char(spelled, x, y, left, right, base, _finite(abs(size)), turn, run)


def _blank(item: Any, seen: _Matrix) -> Char | None:
    """Return the blank that is a text of its own: some producers draw each so, and PDFium's texts leave them out."""
    left, bottom, right, top = (ctypes.c_float() for _ in range(4))
    if not pdfium.FPDFPageObj_GetBounds(item, left, bottom, right, top) or right.value - left.value >= _INK:
        return None
    size = ctypes.c_float()
    pdfium.FPDFTextObj_GetFontSize(item, size)
    turn = seen.turn
    along, base = _UNTURNED[turn].point(seen.e, seen.f)
    scaled = size.value * math.hypot(seen.c, seen.d)
    x, y, along, base = map(_finite, (seen.e, seen.f, along, base))
    return Char(" ", x, y, along, along, base, _finite(abs(scaled)), turn, _NO_RUN)


_NO_RUN = -1
_INK = 0.01  # points: PDFium leaves out texts that are narrower


# --- ruled lines --------------------------------------------------------------------------------


def _rules(path: Any, seen: _Matrix, across: list[RuledLine], down: list[RuledLine], budget: _Budget) -> None:
    """Add the ruled lines of a path: the straight lines that it strokes, and what it fills if that is thin."""
    fill, stroke = ctypes.c_int(), ctypes.c_int()
    pdfium.FPDFPath_GetDrawMode(path, fill, stroke)
    if not fill.value and not stroke.value:
        return
    for points in _subpaths(path, seen, budget):
        if stroke.value:
            for (x0, y0), (x1, y1) in pairwise(points):
                _add_rule(x0, y0, x1, y1, _STRAIGHT, across, down)
        else:
            xs, ys = [x for x, _ in points], [y for _, y in points]
            _add_rule(min(xs), min(ys), max(xs), max(ys), _THIN, across, down)


def _add_rule(
    x0: float, y0: float, x1: float, y1: float, thick: float, across: list[RuledLine], down: list[RuledLine]
) -> None:
    width, height = abs(x1 - x0), abs(y1 - y0)
    if not (math.isfinite(width) and math.isfinite(height)):
        return
    if height <= thick and width > height:
        across.append(RuledLine((y0 + y1) / 2, min(x0, x1), max(x0, x1)))
    elif width <= thick and height > width:
        down.append(RuledLine((x0 + x1) / 2, min(y0, y1), max(y0, y1)))


def _subpaths(path: Any, seen: _Matrix, budget: _Budget) -> Iterator[list[tuple[float, float]]]:
    """Yield the points of each part of a path; a curve is as good as the line between its ends."""
    count = max(pdfium.FPDFPath_CountSegments(path), 0)
    budget.spend(count)
    x, y = ctypes.c_float(), ctypes.c_float()
    points: list[tuple[float, float]] = []
    for index in range(count):
        segment = pdfium.FPDFPath_GetPathSegment(path, index)
        pdfium.FPDFPathSegment_GetPoint(segment, x, y)
        if pdfium.FPDFPathSegment_GetType(segment) == _MOVE and points:
            yield points
            points = []
        points.append(seen.point(x.value, y.value))
        if pdfium.FPDFPathSegment_GetClose(segment):
            points.append(points[0])
    if points:
        yield points
