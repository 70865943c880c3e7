"""Account for every filled cell of returned files: in the result, superseded, in a conflict, or quoted in a problem.

The files are read a second time, to grids only: what is on them is held against what reading has claimed and reported.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from kpixl.a1 import CellRef
from kpixl.collection.cell_fates import CellPlace, Fate, cell_fates
from kpixl.collection.intake import FileResult, Limits, content_of, is_problem_list
from kpixl.collection.model import Collection
from kpixl.forms.definition import Form
from kpixl.forms.values import Raw, fold, text_of
from kpixl.keys import Key
from kpixl.portfolio.model import filled_keys, of_values
from kpixl.portfolio.sheet_id import OWN_SHEET, PREFIX, loads
from kpixl.problems import Location, Problem
from kpixl.readers import Grid, read_grids
from kpixl.recognise.extract import Extractor
from kpixl.recognise.submission import Submission

MAX_LOOKED = 2_000  # cells of a file that are looked for in its messages
MAX_REPORTED = 1_000  # cells of a file that are reported one by one
MAX_QUOTED = 60  # characters of a cell
QUOTED_WHOLE = 30  # characters of a cell that every message quotes
LEAST_QUOTE = 4  # characters; a shorter text may be part of any message, and counts only in one at its cell


_Row = list[tuple[CellRef, Raw]]


@dataclass(slots=True)
class Account:
    """How many cells of the returned files had which fate, and a problem for each that is nowhere."""

    cells: Counter[Fate] = field(default_factory=Counter)
    problems: list[Problem] = field(default_factory=list)


def account(result: Collection, forms: Sequence[Form], limits: Limits) -> Account:
    """Account for the filled cells of every file that a run has read."""
    found = Account()
    book = _Book(result)
    extractor = Extractor(forms)
    for file in result.files:
        found.problems += _file(file, book, extractor, limits, found.cells)
    return found


class _Book:
    """What is known of each cell: claimed by a form, or reported."""

    def __init__(self, result: Collection) -> None:
        self.form = result.form.id
        self.fates = cell_fates(result)
        self.reported: set[CellPlace] = set()
        self.whole: set[tuple[str | None, str | None]] = set()
        self.same = {problem.location.file for problem in result.problems if problem.code == "mail-same"}
        self.looked: Counter[str] = Counter()
        texts: dict[str | None, list[str]] = defaultdict(list)
        for problem in result.problems:
            place = problem.location
            self.reported.add((place.file, place.sheet, place.cell))
            texts[place.file].append(_squeezed(problem.message("zh")))
            if problem.code == "problems-many" or (place.cell is None and problem.code in NOT_TAKEN):
                self.whole.add((place.file, place.sheet))
        self.told = {file: "\n".join(several) for file, several in texts.items()}

    def quotes(self, file: str, cell: CellRef, raw: Raw) -> bool:
        """Return whether a problem of the file quotes a cell: with its address, or a text long enough to be its own.

        Every look goes through all messages of the file, so that there are no more than MAX_LOOKED of them.
        """
        self.looked[file] += 1
        if self.looked[file] > MAX_LOOKED:
            return False
        told, text = self.told.get(file, ""), _squeezed(text_of(raw))[:QUOTED_WHOLE]
        return f"{cell}“{text}" in told or (len(text) >= LEAST_QUOTE and text in told)


NOT_TAKEN = frozenset(
    {"sheet-skipped", "sheet-part", "sheet-rows", "sheets-apart", "sheet-unread", "no-form", "sheet-id-form",
     "own-output-skipped", "file-skipped", "file-excluded", "csv-one-sheet"}
)  # fmt: skip


def _file(
    file: FileResult, book: _Book, extractor: Extractor, limits: Limits, cells: Counter[Fate]
) -> Iterator[Problem]:
    if file.lower is not None:  # it has no cells, and every value is one of a project
        yield from _lower(file, book, cells)
        return
    content = content_of(file, limits)
    if content is None:
        if file.sha256:  # it was read a moment ago; one that could not be read has no digest, and is reported
            yield Problem("source-changed", Location(file.file), {"file": file.file})
        return
    lost: list[Problem] = []
    for sheet, cell, raw, fate in _cells(file, content, book, extractor, limits):
        cells[fate] += 1
        if fate is Fate.LOST and len(lost) < MAX_REPORTED:
            lost.append(Problem("cell-unaccounted", Location(file.file, sheet, cell), {"text": _short(raw)}))
    yield from lost


def _cells(
    file: FileResult, content: bytes, book: _Book, extractor: Extractor, limits: Limits
) -> Iterator[tuple[str | None, CellRef, Raw, Fate]]:
    """Yield every filled cell of a file with its sheet and its fate."""
    claimed = _claimed(file, extractor)
    form = extractor.form(file.forms[0].form if file.forms else book.form)
    presets = _presets(form)
    for grid in read_grids(content, file.file, limits).grids:
        for row in _rows(grid, extractor, form.id):
            texts = {fold(text_of(raw)) for _, raw in row}
            is_preset = any(texts <= preset for preset in presets)
            for cell, raw in row:
                fate = _fate(file.file, grid, cell, raw, claimed[grid.name], book)
                # The template wrote it, and nobody went on; a later row may have taken its level from here.
                yield grid.name, cell, raw, Fate.TEMPLATE if is_preset and fate is Fate.LOST else fate


def _claimed(file: FileResult, extractor: Extractor) -> dict[str | None, set[CellRef]]:
    """Return for each sheet the cells that its forms took values from."""
    claimed: dict[str | None, set[CellRef]] = defaultdict(set)
    for submission in file.forms:
        tables = extractor.form(submission.form).tables  # where a table begins is noted too, and is no value
        values = of_values(submission.cells).items()
        claimed[submission.sheet] |= submission.repeated
        claimed[submission.sheet] |= {cell for key, cell in values if key.in_row or key.name not in tables}
    return claimed


def _presets(form: Form) -> list[set[str]]:
    """Return the texts of each row that the template writes."""
    rows = [preset for table in form.tables.values() for preset in table.presets]
    return [{fold(text_of(value)) for value in row.values() if value is not None} for row in rows]


def _lower(file: FileResult, book: _Book, cells: Counter[Fate]) -> Iterator[Problem]:
    """Account for the values of a portfolio of a lower level, whose keys are their places."""
    left_out = Fate.NOT_TAKEN if (file.file, None) in book.whole else Fate.LOST
    for submission in file.forms:
        for key in filled_keys(submission.values, submission.tables):
            fate = book.fates.get((file.file, submission.sheet, key), left_out)
            cells[fate] += 1
            if fate is Fate.LOST:
                place = Location(file.file, submission.sheet, key)
                yield Problem("cell-unaccounted", place, {"text": _short(_value(submission, key))})


def _value(submission: Submission, key: Key) -> Raw:
    rows = submission.tables.get(key.name, ())
    value = rows[key.row][key.column] if key.in_row else submission.values[key.name]
    return text_of(value)


def _rows(grid: Grid, extractor: Extractor, form: str) -> Iterator[_Row]:
    """Yield the filled cells row by row, without labels and without what the template writes on its other sheets."""
    if is_problem_list(grid) or (grid.name or "").startswith(OWN_SHEET) or _is_cover(grid):
        return
    for _, cells in groupby(extractor.typed(form, grid), key=lambda cell: cell[0][0]):
        if row := [(grid.cell(*place), raw) for place, raw in cells if not extractor.is_heading(form, raw)]:
            yield row


def _is_cover(grid: Grid) -> bool:
    """Return whether a sheet is the template's first one; what is typed there is reported by the reader."""
    head = grid.rows[0] if grid.rows else []
    return any(isinstance(raw, str) and raw.startswith(PREFIX) and not loads(raw) for raw in head)


def _fate(file: str, grid: Grid, cell: CellRef, raw: Raw, claimed: set[CellRef], book: _Book) -> Fate:
    if file in book.same:
        return Fate.SAME
    if cell in claimed:
        if (file, None) in book.whole:  # left out by decision
            return Fate.NOT_TAKEN
        if (fate := book.fates.get((file, grid.name, cell))) is not None:
            return fate
    if (file, grid.name, cell) in book.reported:
        return Fate.QUOTED
    if {(file, grid.name), (file, None)} & book.whole:
        return Fate.NOT_TAKEN
    if book.quotes(file, cell, raw):
        return Fate.QUOTED
    return Fate.LOST


def _squeezed(text: str) -> str:
    return "".join(text.split())


def _short(raw: Raw) -> str:
    text = " ".join(text_of(raw).split())
    return text if len(text) <= MAX_QUOTED else f"{text[: MAX_QUOTED - 1]}…"
