"""Workbooks: .xlsx, .xlsm, .xlsb, .xls, .et, .ods. The only module that imports calamine."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import python_calamine as calamine

from kpixl.cells import Span
from kpixl.grids import biff, ods, ooxml
from kpixl.grids.extents import refusal
from kpixl.grids.grid import Grid, Rows, UnreadableError, bounded, broken, too_large
from kpixl.grids.limits import Limits
from kpixl.grids.packages import Package
from kpixl.problems import Location, Problem

_MANIFEST = "META-INF/manifest.xml"
_PACKED_STRINGS = "xl/sharedstrings.bin"


def read_package(package: Package, file: str, limits: Limits) -> tuple[list[Grid], list[Problem]]:
    """Read a workbook that is a zip package. Raises UnreadableError."""
    package.check_size()
    if b"encryption-data" in package.read(_MANIFEST):
        raise UnreadableError("password")
    content = package.content
    if ods.is_ods(package):
        if (found := refusal(ods.extents(package, limits), limits)) is not None:
            return [], [found[0].problem(file, found[1])]
        content = ods.readable(package)
    ooxml.check_text(package)
    if _PACKED_STRINGS in package.names:
        sheets = [package.read(name) for name in package.names if name.startswith("xl/worksheets/")]
        biff.check_packed_text(package.read(_PACKED_STRINGS), sheets, limits)
    ooxml.check_sheets(package)
    ooxml.check_merges(package)
    oversized, suspect, rich = ooxml.survey(package)
    if suspect:
        content = ooxml.readable(package)
    grids, problems = _read(content, file, limits, oversized, suspect or ods.is_suspect(package))
    return [replace(grid, rich=True) for grid in grids] if rich else grids, problems


def read_old(content: bytes, file: str, limits: Limits) -> tuple[list[Grid], list[Problem]]:
    """Read a workbook of the old binary kind. Raises UnreadableError."""
    extents = biff.old_extents(content)
    if (found := refusal(extents, limits)) is not None:
        return [], [found[0].problem(file, found[1])]
    biff.check_old_text(content, limits)
    return _read(content, file, limits, {}, any(extent.suspect for extent in extents))


def _read(
    content: bytes, file: str, limits: Limits, oversized: dict[str, int], suspect: bool
) -> tuple[list[Grid], list[Problem]]:
    """Read the sheets of a workbook but those of too many cells, given by name."""
    book = _guarded(lambda: calamine.load_workbook(io.BytesIO(content)))
    grids: list[Grid] = []
    problems: list[Problem] = []
    visible, worksheet = calamine.SheetVisibleEnum.Visible, calamine.SheetTypeEnum.WorkSheet
    if missed := oversized.keys() - {meta.name for meta in book.sheets_metadata}:
        raise too_large(oversized[min(missed)], limits)  # a sheet without a name; any of them may be the one
    for number, meta in enumerate(book.sheets_metadata):
        if meta.typ != worksheet:
            continue
        try:
            if (cells := oversized.get(meta.name, 0)) > 0:
                raise too_large(cells, limits)
            sheet = _guarded(partial(book.get_sheet_by_index, number))
            if (cells := sheet.height * sheet.width) > limits.sheet_cells:
                raise too_large(cells, limits)
            rows = _guarded(sheet.to_python)
        except UnreadableError as error:
            problems.append(error.problem(file, meta.name))
            continue
        top, left = sheet.start or (0, 0)
        merges = _merges_of(sheet, top, left, rows, limits)
        grids.append(Grid(meta.name, rows, top, left, meta.visible != visible, merges, suspect))
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
