"""What was typed on sheets that hold no form: on the cover and the hidden sheet of a template, and on any other."""

from __future__ import annotations

import itertools
from collections.abc import Container, Iterable, Iterator

from kpixl.forms.values import is_blank, text_of
from kpixl.portfolio.own_texts import COVER_KIND, PROBLEMS_KIND, TEMPLATE_KIND, OwnSheet, own_sheet, typed_on
from kpixl.portfolio.sheet_id import PREFIX
from kpixl.problems import Location, Problem
from kpixl.readers import Grid
from kpixl.recognise.quoted import content, quoted
from kpixl.recognise.record import MAX_ALIKE, counted
from kpixl.texts import Text

KINDS = (COVER_KIND, PROBLEMS_KIND, TEMPLATE_KIND)
MAX_FIRST = 5  # texts of a sheet without a form: enough to know what it is


def typed_beside(grids: Iterable[Grid], file: str, read: Container[str | None]) -> Iterator[Problem]:
    """Report each text that somebody typed on a sheet that kpixl put beside the forms.

    `read`: the sheets on which a form was found, whose reader reports what else is there.
    """
    for grid in grids:
        own = _own(grid) if grid.name not in read else None
        if own is None:
            continue
        typed = typed_on(grid.rows, own, grid.left)
        for place, raw in itertools.islice(typed, MAX_ALIKE):
            yield Problem("stray-text", Location(file, grid.name, grid.cell(*place)), {"text": text_of(raw)})
        for place, _ in typed:
            yield counted("stray-text", Location(file, grid.name, grid.cell(*place)), 1 + sum(1 for _ in typed))


def own_names(grids: Iterable[Grid]) -> frozenset[str]:
    """Return the names of the sheets that kpixl put beside the forms."""
    return frozenset(grid.name for grid in grids if grid.name is not None and _own(grid) is not None)


def _own(grid: Grid) -> OwnSheet | None:
    own = None if grid.top else own_sheet(grid.rows)
    return own if own is not None and own.facts["kind"] in KINDS else None


def first_texts(grid: Grid) -> Text:
    """Quote the first filled cells of a sheet, to end a sentence with; blank where none is."""
    filled = (
        ((r, c), raw)
        for r, row in enumerate(grid.rows)
        for c, raw in enumerate(row)
        if raw != "" and not is_blank(raw) and not (isinstance(raw, str) and raw.startswith(PREFIX))
    )
    first = list(itertools.islice(filled, MAX_FIRST + 1))
    shown = quoted(grid, first[:MAX_FIRST]) + ("……" if len(first) > MAX_FIRST else "")
    return content(shown)
