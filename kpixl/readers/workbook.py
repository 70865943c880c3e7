"""Workbooks: .xlsx, .xlsm, .xlsb, .xls, .et, .ods. The only module that imports calamine."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

import python_calamine as calamine

from kpixl.a1 import Span, cell_from
from kpixl.problems import Location, Problem
from kpixl.readers import biff, ods, xlsx
from kpixl.readers.extents import refusal
from kpixl.readers.grid import Grid, Rows, UnreadableError, bounded, broken, too_large
from kpixl.readers.limits import Limits
from kpixl.readers.package import OpenedPackage

_MANIFEST = "META-INF/manifest.xml"
_PACKED_STRINGS = "xl/sharedstrings.bin"


class _Found(NamedTuple):
    """What is known of a workbook before calamine reads it."""

    oversized: Mapping[str, int] = {}  # names of sheets beyond the limit -> cells
    suspect: bool = False
    texts: Mapping[str, Mapping[tuple[int, int], str]] = {}  # sheet -> cell -> a text that calamine cuts


def read_package(package: OpenedPackage, file: str, limits: Limits) -> tuple[list[Grid], list[Problem]]:
    """Read a workbook that is a zip package. Raises UnreadableError."""
    package.check_size()
    if b"encryption-data" in package.read(_MANIFEST):
        raise UnreadableError("password")
    if ods.is_ods(package):
        return _read_open_document(package, file, limits)
    xlsx.check_text(package)
    if _PACKED_STRINGS in package.names:
        sheets = [package.read(name) for name in package.names if name.startswith("xl/worksheets/")]
        biff.check_packed_text(package.read(_PACKED_STRINGS), sheets, limits)
    xlsx.check_sheets(package)
    xlsx.check_merges(package)
    oversized, suspect, faulty, rich = xlsx.survey(package)
    found = _Found(oversized, suspect)
    changed = xlsx.with_known_errors(package) if suspect else {}
    damaged = xlsx.mended(package, faulty, changed) if faulty else []
    try:
        grids, problems = _read_changed(package, changed, file, limits, found)
    except UnreadableError:
        # One sheet that is none costs calamine the whole workbook, and it hides the reason.
        listed, left_out = xlsx.without_foreign_sheets(package)
        if not listed:
            raise
        changed |= listed
        grids, problems = _read_changed(package, changed, file, limits, found)
        problems += [Problem("sheet-skipped", Location(file, name), {"texts": ""}) for name in left_out]
    if not faulty and any(problem.code == "not-a-workbook" for problem in problems):
        # A shared string that the file does not hold, or a number with blanks around it, costs its sheet.
        damaged = xlsx.mended(package, xlsx.sheet_parts(package), changed)
        again, after = _read_changed(package, changed, file, limits, found)
        if len(again) >= len(grids):
            grids, problems = again, after
    grids = [replace(grid, rich=True) for grid in grids] if rich else grids
    return grids, problems + [_damaged_cell(file, *cell) for cell in damaged]


def _read_changed(
    package: OpenedPackage, changed: Mapping[str, bytes], file: str, limits: Limits, found: _Found
) -> tuple[list[Grid], list[Problem]]:
    return _read(package.changed(changed) if changed else package.content, file, limits, found)


def _damaged_cell(file: str, sheet: str, cell: str, text: str) -> Problem:
    return Problem("cell-damaged", Location(file, sheet, cell_from(cell)), {"text": text})


def _read_open_document(package: OpenedPackage, file: str, limits: Limits) -> tuple[list[Grid], list[Problem]]:
    extents, content = ods.survey(package, limits)
    if (refused := refusal(extents, limits)) is not None:
        return [], [refused[0].problem(file, refused[1])]
    return _read(content, file, limits, _Found(suspect=ods.is_suspect(package)))


def read_old(content: bytes, file: str, limits: Limits) -> tuple[list[Grid], list[Problem]]:
    """Read a workbook of the old binary kind. Raises UnreadableError."""
    extents = biff.old_extents(content)
    if (found := refusal(extents, limits)) is not None:
        return [], [found[0].problem(file, found[1])]
    biff.check_old_text(content, limits)
    texts = {extent.name: extent.texts for extent in extents if extent.texts}
    suspect = any(extent.suspect for extent in extents)
    return _read(biff.readable(content), file, limits, _Found(suspect=suspect, texts=texts))


def _read(content: bytes, file: str, limits: Limits, found: _Found) -> tuple[list[Grid], list[Problem]]:
    """Read the sheets of a workbook but those of too many cells."""
    book = _guarded(lambda: calamine.load_workbook(io.BytesIO(content)))
    grids: list[Grid] = []
    problems: list[Problem] = []
    visible, worksheet = calamine.SheetVisibleEnum.Visible, calamine.SheetTypeEnum.WorkSheet
    if missed := found.oversized.keys() - {meta.name for meta in book.sheets_metadata}:
        raise too_large(found.oversized[min(missed)], limits)  # a sheet without a name; any of them may be the one
    for number, meta in enumerate(book.sheets_metadata):
        if meta.typ == calamine.SheetTypeEnum.MacroSheet:
            problems.append(Problem("sheet-skipped", Location(file, meta.name), {"texts": ""}))
        if meta.typ != worksheet:
            continue
        try:
            if (cells := found.oversized.get(meta.name, 0)) > 0:
                raise too_large(cells, limits)
            sheet = _guarded(partial(book.get_sheet_by_index, number))
            if (cells := sheet.height * sheet.width) > limits.sheet_cells:
                raise too_large(cells, limits)
            rows = _guarded(sheet.to_python)
        except UnreadableError as error:
            problems.append(error.problem(file, meta.name))
            continue
        top, left = sheet.start or (0, 0)
        for (row, col), text in found.texts.get(meta.name, {}).items():
            if row >= top and col >= left and row - top < len(rows) and col - left < len(rows[row - top]):
                rows[row - top][col - left] = text
        merges = _merges_of(sheet, top, left, rows, limits)
        grids.append(Grid(meta.name, rows, top, left, meta.visible != visible, merges, found.suspect))
    if not grids and not problems:
        problems.append(Problem("no-sheets", Location(file)))
    return grids, problems


def _guarded(call: Callable[[], Any]) -> Any:
    """Call calamine; its errors and its panics become UnreadableError."""
    try:
        return call()
    except calamine.PasswordError as error:
        raise UnreadableError("password") from error
    except (calamine.CalamineError, OSError, ValueError) as error:
        raise broken(error) from error
    except BaseException as error:  # a Rust panic arrives as a BaseException of its own
        if type(error).__name__ != "PanicException":
            raise
        raise broken(error) from error


def _merges_of(sheet: Any, top: int, left: int, rows: Rows, limits: Limits) -> Callable[[], list[Span]]:
    def merges() -> list[Span]:
        spans = [
            Span(first[0] - top, first[1] - left, last[0] - top, last[1] - left)
            for first, last in sheet.merged_cell_ranges or ()
        ]
        return bounded(spans, rows, limits)

    return merges
