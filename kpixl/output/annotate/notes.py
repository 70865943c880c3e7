"""What is said at a cell: the text of its note, and how badly it is wrong."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from kpixl.a1 import CellRef, Span
from kpixl.portfolio.sheet_id import NOTE_SIGNATURE
from kpixl.problems import Problem, Severity
from kpixl.problems.words import SEVERITY_WORDS
from kpixl.readers import Grid
from kpixl.texts import Text, say

MAX_NOTES = 2_000  # on a sheet; further cells are tinted and listed
MAX_NOTE = 1_500  # characters; the list has all

# What a rule of ours is known by, and the formula of that rule: it always holds.
RULE_SIGNATURE = '"kpixl"'
RULE = f"LEN({RULE_SIGNATURE})>0"

TINTS = {Severity.ERROR: "FFB4B4", Severity.WARNING: "FFD88A", Severity.INFO: "BFDDF5"}
EDGES = {Severity.ERROR: "C00000", Severity.WARNING: "B45309", Severity.INFO: "1F6FB2"}
_OPINION: Text = ("检查意见", " to be looked at")
_COLON: Text = ("：", ": ")


_OWN_WORDS = ("note-unread", "reason-given")  # what the person wrote is there already


class ProblemNote(NamedTuple):
    """A note: the cell, with all that is merged into it, its text, and the worst that is said."""

    place: Span
    text: str
    severity: Severity


def notes_of(grid: Grid | None, problems: Sequence[Problem], lang: str) -> list[ProblemNote]:
    """Make a note for each cell that problems are about; what a merge covers counts as the merged cell."""
    spans = [] if grid is None else [_moved(span, grid) for span in grid.merges()]
    cells: dict[Span, list[Problem]] = {}
    for problem in problems:
        cell = problem.location.cell
        if isinstance(cell, CellRef) and problem.code not in _OWN_WORDS:
            inside = (s for s in spans if s.row <= cell.row <= s.last_row and s.col <= cell.column <= s.last_col)
            cells.setdefault(next(inside, Span(*cell, *cell)), []).append(problem)
    return [ProblemNote(place, _text(found, lang), min(found, key=rank).severity) for place, found in cells.items()]


def _moved(span: Span, grid: Grid) -> Span:
    return Span(span.row + grid.top, span.col + grid.left, span.last_row + grid.top, span.last_col + grid.left)


def rank(problem: Problem) -> int:
    """Sort key: errors first."""
    return list(Severity).index(problem.severity)


def _text(problems: Sequence[Problem], lang: str) -> str:
    lines = [NOTE_SIGNATURE + say(_OPINION, lang)]
    for problem in problems:
        lines.append(say(SEVERITY_WORDS[problem.severity], lang) + say(_COLON, lang) + problem.message(lang))
        if hint := problem.hint(lang):
            lines.append(f"→ {hint}")
    text = "\n".join(lines)
    return text if len(text) <= MAX_NOTE else text[: MAX_NOTE - 1] + "…"
