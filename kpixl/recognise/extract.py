"""Grid -> forms: which forms a grid holds, where each begins, and whose marker stands beside it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from kpixl.a1 import Span
from kpixl.forms.definition import Form
from kpixl.forms.values import Raw, fold, is_blank
from kpixl.portfolio import sheet_id as sheet_ids
from kpixl.portfolio.own_texts import is_furniture
from kpixl.portfolio.sheet_id import FoundMarker, Marker
from kpixl.problems import Location, Problem
from kpixl.readers import Grid
from kpixl.recognise.label_search import labels_in, search
from kpixl.recognise.labels import FoundForm, Hit
from kpixl.recognise.reading import FormReader
from kpixl.recognise.side_by_side import Part, parts
from kpixl.recognise.submission import Extracted, LabelKey, Nothing
from kpixl.recognise.template_match import as_sent, holds_another


class Extractor:
    """Reads grids by a set of forms. Made once per run: it prepares the labels."""

    def __init__(self, forms: Iterable[Form]) -> None:
        self._readers = {form.id: FormReader(form) for form in forms}

    def form(self, form_id: str) -> Form:
        """Return one of the forms read by."""
        return self._readers[form_id].form

    def names(self, form_id: str) -> Mapping[LabelKey, str]:
        """Map the labels that tell a form to how they are printed."""
        return self._readers[form_id].names

    def typed(self, form_id: str, grid: Grid) -> list[tuple[tuple[int, int], Raw]]:
        """List the filled cells of a grid that are no labels of a form, nor what kpixl writes beside it."""
        index = self._readers[form_id].index
        return [
            ((r, c), raw)
            for r, row in enumerate(grid.rows)
            for c, raw in enumerate(row)
            if not is_blank(raw) and not is_furniture(raw)
            and not (isinstance(raw, str) and (index.slots(raw) or fold(raw) in index.titles))
        ]  # fmt: skip

    @property
    def forms(self) -> dict[str, Form]:
        """Return the forms read by, by id."""
        return {form_id: reader.form for form_id, reader in self._readers.items()}

    def extract(self, grid: Grid, file: str, lost: Marker | None = None) -> list[Extracted] | Nothing:
        """Read every form of `grid`; where there is none, say what was found.

        `lost`: the marker that the sheet should have, for its only form.
        """
        readers = self._candidates(sheet_ids.in_row(grid.rows[0]) or lost if grid.rows else None)
        for reader in readers:
            if grid.top or grid.left or (found := as_sent(reader.index, grid.rows)) is None:
                continue
            if not holds_another(reader.index, grid.rows, found):
                mark = sheet_ids.in_row(grid.rows[0][found.edge + 1 :])
                return [reader.read(grid, file, found, mark or lost, _given(grid, file, None if mark else lost))]
        marks = list(sheet_ids.find(grid.rows))
        readers = self._candidates(marks[0].marker if marks else lost)
        merges = grid.merges()
        grid = _uncovered(grid, merges, lambda raw: any(reader.index.slots(raw) for reader in readers))
        searched = [(reader, hits := labels_in(reader.index, grid.rows), search(reader.index, grid.rows, hits, merges))
                    for reader in readers]  # fmt: skip
        reader, hits, forms = max(searched, key=lambda s: (sum(len(f.anchors) for f in s[2]), _variety(s[1])))
        if not forms:
            return reader.nothing(hits)
        pieces = parts(reader.index, grid, hits, merges, forms)
        if sum(len(piece.forms) for piece in pieces) > 1 or marks:
            lost = None
        return [form for piece in pieces for form in _read(reader, piece, file, lost)]

    def _candidates(self, mark: Marker | None) -> list[FormReader]:
        """List the readers to try: the one that a marker names, else all."""
        named = self._readers.get(mark.form) if mark else None
        return [named] if named else list(self._readers.values())


def _variety(hits: Iterable[Hit]) -> int:
    return len({slot.key for _, _, slots in hits for slot in slots if slot.kind != "caption"})


def _given(grid: Grid, file: str, mark: Marker | None) -> tuple[Problem, ...]:
    """Say that a marker was taken from the hidden sheet."""
    where = Location(file, grid.name)
    return (Problem("marker-from-hidden-sheet", where, {"id": mark.project}),) if mark is not None else ()


def _read(reader: FormReader, part: Part, file: str, lost: Marker | None) -> Iterator[Extracted]:
    """Read the forms of a part, one below the other."""
    grid, forms, merges = part
    marks = list(sheet_ids.find(grid.rows))
    hidden = _hidden(grid, merges)
    for number, found in enumerate(forms):
        own = _own_mark(marks, forms, number)
        mark = own.marker if own is not None else lost
        loose = reader.preamble(grid, file, found, mark) if number == 0 else ()
        yield reader.read(grid, file, _clear_of(found, own), mark, (*_given(grid, file, lost), *loose), hidden)


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
    edge = mark.col - sheet_ids.MARK_GAP
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
    return replace(grid, rows=[touched.get(r, row) for r, row in enumerate(rows)])


def _hidden(grid: Grid, merges: Sequence[Span]) -> dict[tuple[int, int], Span]:
    """Map the cells that a merge hides and that hold something to that merge; one that begins a merge is shown."""
    rows, hidden = grid.rows, {}
    for span in merges:
        for r in range(max(span.row, 0), min(span.last_row + 1, len(rows))):
            for c in range(max(span.col, 0), min(span.last_col + 1, len(rows[r]))):
                if rows[r][c] not in ("", None):
                    hidden[r, c] = span
    for span in merges:
        hidden.pop((span.row, span.col), None)
    return hidden
