"""Files -> grids: whatever a file is, its cells as rows of values. The only module that imports calamine."""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from kpixl.cells import Span, a1
from kpixl.problems import Location, Problem
from kpixl.values import Raw

# Bounds on hostile input, each raised by an option of `consolidate`. A filled workbook of 50 projects is 0.3 MiB.
MAX_FILE_BYTES = 64 << 20
# A form has about 300 cells; 20 million empty formatted ones take calamine 1 s and 1 GiB.
MAX_SHEET_CELLS = 20_000_000
MAX_TEXT_COLUMNS = 256

_ZIP, _OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
# A rule that stands for a page break in the text of a PDF: cells of nothing but dashes.
_RULE = re.compile(r"[-—=|\s]*-{2,}[-—=|\s]*")


@dataclass(frozen=True, slots=True)
class Grid:
    """The cells of one sheet or table. `rows[0][0]` stands at (`top`, `left`); blank cells are "".

    `merges` is a function because most grids are read without looking at them.
    """

    name: str | None
    rows: list[list[Raw]]
    top: int = 0
    left: int = 0
    hidden: bool = False
    merges: Callable[[], list[Span]] = field(default=list)

    def address(self, row: int, col: int) -> str:
        """Name the cell at `rows[row][col]` as its file does."""
        return a1(self.top + row, self.left + col)


@dataclass(frozen=True, slots=True)
class Reading:
    """What a file held: its digest, its grids, and what kept others from being read."""

    sha256: str
    grids: tuple[Grid, ...]
    problems: tuple[Problem, ...] = ()


def read_grids(content: bytes, file: str, max_cells: int = MAX_SHEET_CELLS) -> Reading:
    """Read every grid of a file, its kind told by its content. Whatever is wrong comes back as a problem."""
    digest = hashlib.sha256(content).hexdigest()
    if content.startswith((_ZIP, _OLE)):
        grids, problems = _read_workbook(content, file, max_cells)
    else:
        grids, problems = _read_text(content, file)
    return Reading(digest, tuple(grids), tuple(problems))


# --- workbooks --------------------------------------------------------------------------------


def _read_workbook(content: bytes, file: str, max_cells: int) -> tuple[list[Grid], list[Problem]]:
    import python_calamine as calamine

    grids: list[Grid] = []
    problems: list[Problem] = []
    where = Location(file=file)
    try:
        book = calamine.load_workbook(io.BytesIO(content))
    except calamine.PasswordError:
        return [], [Problem("password", where)]
    except (calamine.CalamineError, OSError, ValueError) as error:
        if _is_encrypted(content):
            return [], [Problem("password", where)]
        return [], [Problem("not-a-workbook", where, {"reason": _reason(error)})]
    except BaseException as error:  # a Rust panic arrives as a BaseException of its own
        if type(error).__name__ != "PanicException":
            raise
        return [], [Problem("not-a-workbook", where, {"reason": _reason(error)})]
    visible = calamine.SheetVisibleEnum.Visible
    worksheet = calamine.SheetTypeEnum.WorkSheet
    for number, meta in enumerate(book.sheets_metadata):
        if meta.typ != worksheet:
            continue
        place = Location(file=file, sheet=meta.name)
        try:
            sheet = book.get_sheet_by_index(number)
            if (cells := sheet.height * sheet.width) > max_cells:
                problems.append(Problem("sheet-too-large", place, {"cells": cells, "limit": max_cells}))
                continue
            top, left = sheet.start or (0, 0)
            rows: Any = sheet.to_python()
        except (calamine.CalamineError, OSError, ValueError) as error:
            problems.append(Problem("not-a-workbook", place, {"reason": _reason(error)}))
            continue
        except BaseException as error:
            if type(error).__name__ != "PanicException":
                raise
            problems.append(Problem("not-a-workbook", place, {"reason": _reason(error)}))
            continue
        grids.append(Grid(meta.name, rows, top, left, meta.visible != visible, _merges_of(sheet, top, left)))
    if not grids and not problems:
        problems.append(Problem("no-sheets", where))
    return grids, problems


def _merges_of(sheet: Any, top: int, left: int) -> Callable[[], list[Span]]:
    def merges() -> list[Span]:
        return [
            Span(first[0] - top, first[1] - left, last[0] - top, last[1] - left)
            for first, last in sheet.merged_cell_ranges or ()
        ]

    return merges


def _is_encrypted(content: bytes) -> bool:
    # An encrypted .xlsx is an OLE file with this stream; directory names are UTF-16.
    return content.startswith(_OLE) and "EncryptedPackage".encode("utf-16-le") in content


def _reason(error: BaseException) -> str:
    text = " ".join(str(error).split())
    return text[:160] or type(error).__name__


# --- text -------------------------------------------------------------------------------------


def _read_text(content: bytes, file: str) -> tuple[list[Grid], list[Problem]]:
    """Read tab-separated text, such as that of a published PDF, as one grid: a line is a row."""
    text = _decode(content)
    if text is None:
        reason = ("内容既不是工作簿，也不是文本", "it is neither a workbook nor text")
        return [], [Problem("not-a-workbook", Location(file=file), {"reason": reason})]
    if not text.strip():
        return [], [Problem("no-sheets", Location(file=file))]
    rows: list[list[Raw]] = []
    for line in text.splitlines():
        cells: list[Raw] = [] if _RULE.fullmatch(line) else [c.strip(" ") for c in line.split("\t", MAX_TEXT_COLUMNS)]
        rows.append(cells)
    return [Grid(None, rows)], []


def _decode(content: bytes) -> str | None:
    for encoding in ("utf-8-sig", "gb18030"):
        if encoding == "gb18030" and b"\0" in content:
            return None
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        controls = sum(c < " " and c not in "\t\r\n\f" for c in text[:10_000])
        return None if controls else text
    return None
