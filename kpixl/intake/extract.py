"""Grid -> forms: which forms a grid holds, where each begins, and whose marker stands beside it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from kpixl import marker as markers
from kpixl.cells import Span
from kpixl.grids import Grid
from kpixl.intake.labels import (
    FoundForm,
    as_sent,
    holds_another,
    search,
)
from kpixl.intake.reading import Extracted, FormReader, Nothing
from kpixl.marker import FoundMarker, Marker
from kpixl.model import Form
from kpixl.values import (
    Raw,
)


class Extractor:
    """Reads grids by a set of forms. Made once per run: it prepares the labels."""

    def __init__(self, forms: Iterable[Form]) -> None:
        self._readers = {form.id: FormReader(form) for form in forms}

    def form(self, form_id: str) -> Form:
        """Return one of the forms read by."""
        return self._readers[form_id].form

    @property
    def forms(self) -> dict[str, Form]:
        """Return the forms read by, by id."""
        return {form_id: reader.form for form_id, reader in self._readers.items()}

    def extract(self, grid: Grid, file: str) -> list[Extracted] | Nothing:
        """Read every form of `grid`; where there is none, say what was found."""
        readers = self._candidates(_first_mark(grid.rows[0]) if grid.rows else None)
        for reader in readers:
            if grid.top or grid.left or (found := as_sent(reader.index, grid.rows)) is None:
                continue
            if not holds_another(reader.index, grid.rows, found):
                return [reader.read(grid, file, found, _first_mark(grid.rows[0][found.edge + 1 :]))]
        marks = list(markers.find(grid.rows))
        readers = self._candidates(marks[0].marker if marks else None)
        merges = grid.merges()
        grid = _uncovered(grid, merges, lambda raw: any(reader.index.slots(raw) for reader in readers))
        searched = [(reader, *search(reader.index, grid.rows, merges)) for reader in readers]
        reader, forms, seen = max(searched, key=lambda s: (sum(len(f.anchors) for f in s[1]), len(s[2])))
        if not forms:
            return reader.nothing(seen)
        results = []
        for number, found in enumerate(forms):
            own = _own_mark(marks, forms, number)
            loose = reader.preamble(grid, file, found) if number == 0 else ()
            results.append(reader.read(grid, file, _clear_of(found, own), own and own.marker, tuple(loose)))
        return results

    def _candidates(self, mark: Marker | None) -> list[FormReader]:
        """List the readers to try: the one that a marker names, else all."""
        named = self._readers.get(mark.form) if mark else None
        return [named] if named else list(self._readers.values())


def _first_mark(cells: Sequence[Raw]) -> Marker | None:
    """Return the marker in a row; it stands at its end."""
    return next((mark for raw in reversed(cells) if (mark := markers.loads(raw))), None)


def _own_mark(marks: Sequence[FoundMarker], forms: Sequence[FoundForm], number: int) -> FoundMarker | None:
    """Choose the marker of a form: beside its rows or above its labels, never where a value may stand."""
    found = forms[number]
    first = 0 if number == 0 else found.first_row
    last = found.last_row if number + 1 < len(forms) else math.inf
    labels = min((a.row for a in found.anchors.values()), default=0)
    return next((m for m in marks if first <= m.row <= last and (m.row < labels or m.col > found.edge)), None)


def _clear_of(found: FoundForm, mark: FoundMarker | None) -> FoundForm:
    """Let a form end before what the template writes beside it."""
    if mark is None:
        return found
    edge = mark.col - markers.MARK_GAP
    rightmost = max((a.col for a in found.anchors.values()), default=0)
    return replace(found, edge=edge) if rightmost < edge < found.edge else found


def _uncovered(grid: Grid, merges: Iterable[Span], is_label: Callable[[Raw], bool]) -> Grid:
    """Blank the cells that a merge hides when they repeat what is shown; others are left, to be reported.

    A label is never blanked: a merge that did not follow its row may lie over two labels that read alike.
    """
    rows = grid.rows
    touched: dict[int, list[Raw]] = {}
    for span in merges:
        if span.row < 0 or span.col < 0 or span.row >= len(rows):
            continue
        shown = rows[span.row][span.col] if span.col < len(rows[span.row]) else ""
        for r in range(span.row, min(span.last_row + 1, len(rows))):
            for c in range(span.col, min(span.last_col + 1, len(rows[r]))):
                if (
                    (r, c) != (span.row, span.col)
                    and rows[r][c] not in ("", None)
                    and rows[r][c] == shown
                    and not is_label(shown)
                ):
                    touched.setdefault(r, list(rows[r]))[c] = ""
    if not touched:
        return grid
    return Grid(grid.name, [touched.get(r, row) for r, row in enumerate(rows)], grid.top, grid.left, grid.hidden)
