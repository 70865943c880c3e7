"""Files and sheets that kpixl makes itself, known among those that people return."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from kpixl.files import OWN_LETTER, OWN_REPORT
from kpixl.portfolio import sheet_id as sheet_ids
from kpixl.portfolio.own_texts import PROBLEMS_KIND, own_sheet
from kpixl.readers import DEFAULT_LIMITS, Grid, read_grids

# Workbooks for the office, not for those who fill in.
OWN_KINDS = ('"kind":"summary"', '"kind":"status"', '"kind":"diff"')
MAX_ORIGINS = 50  # digests that a list names; a file that was sent back more often than that is no file of a round


# --- files for the office ---------------------------------------------------------------------


def is_own_output(path: Path) -> bool:
    """Return whether a file is a workbook or report that kpixl made for the office: summary, status, report."""
    if not path.is_file() or path.stat().st_size > DEFAULT_LIMITS.file_bytes:
        return False
    content = path.read_bytes()
    return is_report(content) or is_ours(read_grids(content, path.name).grids)


def is_report(content: bytes) -> bool:
    """Return whether a file is a report or letter of kpixl."""
    return OWN_REPORT in content[:1000] or content.startswith(OWN_LETTER)


def is_ours(grids: Sequence[Grid]) -> bool:
    """Return whether a workbook is a summary, status or comparison of kpixl."""
    own = next((g for g in grids if g.name == sheet_ids.OWN_SHEET), None)
    if own is None or not own.rows or not own.rows[0]:
        return False
    first = own.rows[0][0]
    return isinstance(first, str) and any(kind in first for kind in OWN_KINDS)


# --- sheets beside forms ----------------------------------------------------------------------


def problem_list(origins: Sequence[str] = ()) -> str:
    """Return what is in the first row of the sheet that `kpixl check --mark` puts in front of a submission.

    `origins`: the digests of the files that the copy was made from, the newest last.
    """
    facts = {"of": [*origins[-MAX_ORIGINS:]]} if origins else {}
    return json.dumps({"kpixl": sheet_ids.FORMAT, "kind": PROBLEMS_KIND, **facts}, separators=(",", ":"))


def is_problem_list(grid: Grid) -> bool:
    """Return whether a sheet is the list that `kpixl check --mark` puts in front of a submission."""
    return _list_facts(grid) is not None


def _list_facts(grid: Grid) -> Mapping[str, Any] | None:
    own = own_sheet(grid.rows) if grid.rows and not grid.top else None
    return own.facts if own is not None and own.facts["kind"] == PROBLEMS_KIND else None


def origins_of(grids: Iterable[Grid]) -> tuple[str, ...]:
    """Return the digests of the files that an annotated copy was made from, the newest last; none of any other file."""
    facts = next((facts for grid in grids if (facts := _list_facts(grid)) is not None), {})
    listed = facts.get("of")
    return tuple(map(str, listed[-MAX_ORIGINS:])) if isinstance(listed, list) else ()


def is_furniture(grid: Grid) -> bool:
    """Return whether kpixl itself put a sheet into the workbook, beside the forms; its name may be typed."""
    if grid.name is None or not grid.name.startswith(sheet_ids.OWN_SHEET):
        return is_problem_list(grid)
    return any(isinstance(raw, str) and raw.startswith(sheet_ids.PREFIX) for row in grid.rows[:1] for raw in row[:1])
