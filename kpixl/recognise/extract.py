"""Grid -> forms: which forms a grid holds, where each begins, and whose sheet id is beside it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import NamedTuple

from kpixl.a1 import Span
from kpixl.forms.definition import Form
from kpixl.forms.values import Raw, fold, is_blank, text_of
from kpixl.portfolio import sheet_id as sheet_ids
from kpixl.portfolio.own_texts import is_cover_as_sent, is_furniture
from kpixl.portfolio.sheet_id import PlacedSheetId, SheetId
from kpixl.problems import Location, Problem, Severity
from kpixl.readers import Grid
from kpixl.recognise.flat import FlatSheet, find_flat
from kpixl.recognise.label_search import labels_in, search
from kpixl.recognise.labels import FoundForm, Hit, LabelIndex, in_their_columns, printed_match
from kpixl.recognise.reading import FormReader
from kpixl.recognise.sections import Section, sections, whole
from kpixl.recognise.side_by_side import Part, parts
from kpixl.recognise.submission import LabelKey, Nothing, OtherKind, Reported, Submission
from kpixl.recognise.template_match import as_sent, holds_another

# How much more a form with the very title counts than one without; half its labels may be spelled otherwise then, but
# a title that was left over another form's labels does not make it this one.
TITLED = 1.5
MAX_HEAD = 20  # rows; the heading of a publication is above all forms


class AsSent(NamedTuple):
    """A sheet laid out as it was sent."""

    reader: FormReader
    form: FoundForm


class SheetLayout(NamedTuple):
    """The forms of any other sheet, and what of it is another kind; `nothing`: what it has where it has no form.

    `flat`: what has its projects as rows of one table, by the number of the first of its parts.
    """

    parts: tuple[tuple[FormReader, Part], ...]
    nothing: Nothing
    others: tuple[OtherKind, ...]
    sections: tuple[Section, ...]
    marked: bool
    flat: Mapping[int, FlatSheet] = MappingProxyType({})


class _Divided(NamedTuple):
    """The forms of groups of sections, what is of another kind, and the numbers of groups with and without a form."""

    located: list[tuple[FormReader, Part]]
    others: list[OtherKind]
    nothing: list[Nothing]
    having: list[int]
    without: list[int]
    flat: dict[int, FlatSheet]


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
            and not (isinstance(raw, str) and index.slots(raw))
        ]  # fmt: skip

    def is_heading(self, form_id: str, raw: Raw) -> bool:
        """Return whether a cell is the line under the title of a form, or that above a set of forms."""
        reader = self._readers[form_id]
        return any(printed_match(printed, raw) for printed in (reader.subtitle, reader.heading))

    @property
    def forms(self) -> dict[str, Form]:
        """Return the forms read by, by id."""
        return {form_id: reader.form for form_id, reader in self._readers.items()}

    def extract(self, grid: Grid, file: str, lost: SheetId | None = None) -> list[Submission] | Nothing:
        """Read every form of `grid`; where there is none, say what was found.

        `lost`: the sheet id that the sheet should have, for its only form.
        """
        layout = self.locate(grid, lost)
        if isinstance(layout, AsSent):
            sheet_id = sheet_ids.in_row(grid.rows[0][layout.form.edge + 1 :])
            loose = _given(grid, file, None if sheet_id else lost)
            return [layout.reader.read(grid, file, layout.form, sheet_id or lost, loose)]
        if not layout.parts:
            nothing = layout.nothing
            weak = next((OtherKind(s.weak, s.place, s.told) for s in layout.sections if s.weak), None)
            return replace(nothing, others=layout.others, weak=weak)
        lost = None if layout.marked or sum(len(part.forms) for _, part in layout.parts) > 1 else lost
        read = [list(_read(reader, part, file, lost)) for reader, part in layout.parts]
        for first, sheet in layout.flat.items():
            others = [form for part in read for form in part if form.form == sheet.form.id]
            own = slice(first, first + len(sheet.parts))
            read[own] = _with_flat(sheet, file, read[own], others)
        forms = [form for part in read for form in part]
        title = self.form(forms[0].form).title
        told = [other.problem(file, grid, title, Severity.WARNING) for other in layout.others]
        return [replace(forms[0], reported=(*told, *forms[0].reported)), *forms[1:]]

    def locate(self, grid: Grid, lost: SheetId | None = None) -> AsSent | SheetLayout:
        """Find the forms of a grid: laid out as sent, or section by section, each by the form that fits it best."""
        readers = self._candidates(sheet_ids.in_row(grid.rows[0]) or lost if grid.rows else None)
        for reader in readers:
            if grid.top or grid.left or (sent := as_sent(reader.index, grid.rows)) is None:
                continue
            if not holds_another(reader.index, grid.rows, sent):
                return AsSent(reader, sent)
        # Every template has one; to search it takes as long as reading several forms.
        if not (grid.top or grid.left) and is_cover_as_sent(grid.rows):
            return SheetLayout((), readers[0].nothing(()), (), (whole(grid.rows),), False)
        placed = list(sheet_ids.find(grid.rows))
        readers = self._candidates(placed[0].sheet_id if placed else lost)
        merges = grid.merges()
        grid = _uncovered(grid, merges, lambda raw: any(reader.index.slots(raw) for reader in readers))
        if sheet_ids.is_instructions(grid.rows):  # every template has such a sheet: what kind it is, is known
            found = [whole(grid.rows)]
        else:
            found = sections(grid.rows, [reader.known for reader in self._readers.values()], bool(placed or lost))
        groups = _groups(found)
        divided = self._divide(groups, grid, merges, readers)
        if divided.having and divided.without:
            divided = self._divide(_rejoined(groups, divided), grid, merges, readers)
        none = divided.nothing[0] if divided.nothing else readers[0].nothing(())
        return SheetLayout(
            tuple(divided.located), none, tuple(divided.others), tuple(found), bool(placed), divided.flat
        )

    def _divide(
        self, groups: Sequence[Sequence[Section]], grid: Grid, merges: Sequence[Span], readers: Sequence[FormReader]
    ) -> _Divided:
        """Find the forms of each group of sections."""
        divided = _Divided([], [], [], [], [], {})
        for number, group in enumerate(groups):
            able = [look for reader in readers if group[0].reads(reader.known) for look in reader.looks]
            if not able:
                divided.others.extend(_other(section) for section in group)
                continue
            piece = grid if sum(map(len, groups)) == len(group) else _only(grid, group, able)
            if (sheet := _flat(able, piece, merges)) is not None:
                divided.having.append(number)
                divided.flat[len(divided.located)] = sheet
                divided.located.extend((self._readers[sheet.form.id], part) for part in sheet.parts)
                continue
            reader, hits, parts = _best(able, piece, merges)
            divided.located.extend((reader, part) for part in parts)
            (divided.having if parts else divided.without).append(number)
            if not parts:
                divided.nothing.append(reader.nothing(hits))
        return divided

    def _candidates(self, sheet_id: SheetId | None) -> list[FormReader]:
        """List the readers to try: the one that a sheet id names, else all."""
        named = self._readers.get(sheet_id.form) if sheet_id else None
        return [named] if named else list(self._readers.values())


def _best(
    readers: Sequence[FormReader], grid: Grid, merges: Sequence[Span]
) -> tuple[FormReader, list[Hit], Sequence[Part]]:
    """Choose the form of which a grid has most, and least that the form has not."""
    labelled = [(reader, labels_in(reader.index, grid.rows)) for reader in readers]
    cells = len({hit[:2] for _, hits in labelled for hit in hits}) or 1
    shares = [_share(reader.index, hits, cells) for reader, hits in labelled]
    found: dict[int, tuple[FormReader, list[Hit], list[FoundForm]]] = {}
    least = -1.0
    for number in sorted(range(len(readers)), key=lambda number: -shares[number]):
        if shares[number] < least:  # searching for forms costs most: those of a smaller share are not chosen
            break
        reader, hits = labelled[number]
        found[number] = (reader, hits, search(reader.index, grid.rows, hits, merges))
        least = shares[number] if found[number][2] else least

    def score(number: int) -> tuple[bool, float, int, int, int]:
        reader, hits, forms = found[number]
        # Forms may know each other's labels as synonyms; the title, and the unit in a caption, are printed by one.
        own = sum(fold(text_of(grid.rows[row][col])) in reader.index.own_texts for row, col, _ in hits)
        in_place = sum(in_their_columns(reader.index, form) for form in forms)  # tells the layouts of a form apart
        return bool(forms), shares[number], sum(len(form.anchors) for form in forms), own, in_place

    reader, hits, forms = found[max(sorted(found), key=score)]
    return reader, hits, parts(reader.index, grid, hits, merges, forms) if forms else ()


def _share(index: LabelIndex, hits: Sequence[Hit], cells: int) -> float:
    """Return how much of a form is there and how much of all labelled `cells` is the form's; more with its title."""
    share = _variety(hits) / index.size * len({hit[:2] for hit in hits}) / cells
    return share * (TITLED if any(slot.kind == "title" for _, _, slots in hits for slot in slots) else 1)


def _flat(readers: Sequence[FormReader], grid: Grid, merges: Sequence[Span]) -> FlatSheet | None:
    """Read a grid as rows of projects by the form that has most of its headings."""
    sheets = (find_flat(reader.index, grid, merges) for reader in readers if reader.form.flat is not None)
    found = [sheet for sheet in sheets if sheet is not None]
    return max(found, key=lambda sheet: len(sheet.headings.found), default=None)


def _with_flat(
    sheet: FlatSheet, file: str, read: list[list[Submission]], others: Sequence[Submission]
) -> list[list[Submission]]:
    """Add what is known of a flat sheet as a whole to its projects; what is wrong with it is reported once.

    `read`: the forms of each of its parts, one for every project. `others`: all forms of the grid that are of its kind.
    """
    forms = [form for part in read for form in part]
    loose = list(sheet.problems(file, forms, others))
    organization = sheet.organization()
    told: set[tuple[str, Location]] = set()
    added: list[list[Submission]] = []
    for part, project in zip(read, sheet.rows.projects, strict=True):
        again = frozenset(sheet.grid.cell(*place) for place in project.again)
        added.append([])
        for form in part:
            reported = tuple(f for f in (*loose, *form.reported) if _subject(f) not in told)
            told |= {_subject(one) for one in reported}
            known = form.organization or organization
            added[-1].append(replace(form, organization=known, reported=reported, repeated=again))
    return added


def _subject(one: Reported) -> tuple[str, Location]:
    """Return what is reported, and where: rows that projects have in common are read with each of them."""
    problem = one if isinstance(one, Problem) else one.problem
    return problem.code, problem.location


def _groups(found: Sequence[Section]) -> list[list[Section]]:
    """Gather the sections of each kind: their forms may stand beside each other, and are read together."""
    groups: dict[tuple[str | None, frozenset[str]], list[Section]] = {}
    for section in found:
        groups.setdefault((section.kind, section.forms if section.kind is None else frozenset()), []).append(section)
    return list(groups.values())


def _rejoined(groups: Sequence[Sequence[Section]], divided: _Divided) -> list[Sequence[Section]]:
    """Add the groups without a form to one with a form: a title that was moved or copied into a form cuts it there."""
    joined = {number: [*group] for number, group in enumerate(groups)}
    for number in divided.without:
        before = max((one for one in divided.having if one < number), default=divided.having[0])
        joined[before] += joined.pop(number)
    return [*joined.values()]


def _only(grid: Grid, kept: Sequence[Section], readers: Sequence[FormReader]) -> Grid:
    """Blank all rows but those of some sections, and the heading of a publication: its contents are of another kind."""
    rows = {row for section in kept for row in range(section.first, section.last + 1)}
    rows |= {
        row for row, cells in enumerate(grid.rows[:MAX_HEAD]) if any(r.is_heading(c) for r in readers for c in cells)
    }
    return replace(grid, rows=[row if number in rows else [] for number, row in enumerate(grid.rows)])


def _other(section: Section) -> OtherKind:
    kind = section.kind or section.weak
    assert kind is not None
    return OtherKind(kind, section.place, section.told)


def _variety(hits: Iterable[Hit]) -> int:
    return len({slot.key for _, _, slots in hits for slot in slots if slot.kind != "caption"})


def _given(grid: Grid, file: str, sheet_id: SheetId | None) -> tuple[Problem, ...]:
    """Report that a sheet id was taken from the hidden sheet."""
    where = Location(file, grid.name)
    return (Problem("sheet-id-from-hidden-sheet", where, {"id": sheet_id.project}),) if sheet_id is not None else ()


def _read(reader: FormReader, part: Part, file: str, lost: SheetId | None) -> Iterator[Submission]:
    """Read the forms of a part, one below the other."""
    grid, forms, merges = part
    placed = list(sheet_ids.find(grid.rows))
    hidden = _hidden(grid, merges)
    for number, found in enumerate(forms):
        own = _own_id(placed, forms, number)
        sheet_id = own.sheet_id if own is not None else lost
        loose = reader.preamble(grid, file, found, sheet_id) if number == 0 else ()
        loose = (*_given(grid, file, lost), *loose)
        yield reader.read(grid, file, _clear_of(found, own), sheet_id, loose, hidden, forms[0].first_row)


def _own_id(placed: Sequence[PlacedSheetId], forms: Sequence[FoundForm], number: int) -> PlacedSheetId | None:
    """Choose the sheet id of a form: beside its rows or above its labels, never where a value may stand."""
    found = forms[number]
    first = 0 if number == 0 else found.first_row
    last = found.last_row if number + 1 < len(forms) else math.inf
    labels = min((a.row for a in found.anchors.values()), default=0)
    return next((m for m in placed if first <= m.row <= last and (m.row < labels or m.col > found.edge)), None)


def _clear_of(found: FoundForm, sheet_id: PlacedSheetId | None) -> FoundForm:
    """Let a form end before what the template writes beside it."""
    if sheet_id is None:
        return found
    edge = sheet_id.col - sheet_ids.ID_GAP
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
