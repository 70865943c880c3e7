"""The rows of a flat sheet: which belong to which project, and which are totals or nothing of the form."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from kpixl.a1 import Span
from kpixl.forms.definition import Flat
from kpixl.forms.values import fold, is_blank, text_of
from kpixl.recognise.flat_headings import FlatHeadings
from kpixl.recognise.labels import MAX_LABEL, LabelIndex, Rows

TOTAL_WORDS = ("合计", "总计", "小计", "共计", "total")

Place = tuple[int, int]


@dataclass(slots=True)
class FlatProject:
    """A project's rows. `fields`: where each of its values is; `above`: those that are another project's as well.

    `again`: cells that repeat one of its values. `strays`: filled cells that are none of its values.
    """

    rows: list[int] = field(default_factory=list)
    fields: dict[str, Place] = field(default_factory=dict)
    above: list[str] = field(default_factory=list)
    again: list[Place] = field(default_factory=list)
    strays: list[Place] = field(default_factory=list)


class FlatTotal(NamedTuple):
    """A row that is a total: the cells of its name and of its amount; `projects`: how many come before it."""

    name: Place | None
    amount: Place
    projects: int


class FlatRows(NamedTuple):
    """What the rows below the headings are. `orphans`: rows of the table that no project is above."""

    projects: tuple[FlatProject, ...]
    totals: tuple[FlatTotal, ...]
    orphans: tuple[tuple[Place, ...], ...]
    strays: tuple[Place, ...]


def part_rows(index: LabelIndex, flat: Flat, rows: Rows, merges: Sequence[Span], headings: FlatHeadings) -> FlatRows:
    """Part the rows below the headings into projects."""
    parter = _Parter(index, flat, rows, merges, headings)
    for row in range(headings.last + 1, len(rows)):
        parter.take(row)
    return FlatRows(tuple(parter.projects), tuple(parter.totals), tuple(parter.orphans), tuple(parter.strays))


class _Parter:
    """Takes one row after the other; used once."""

    def __init__(
        self, index: LabelIndex, flat: Flat, rows: Rows, merges: Sequence[Span], headings: FlatHeadings
    ) -> None:
        self.index, self.form, self.rows = index, index.form, rows
        self.fields, self.columns = headings.cols(""), headings.cols(flat.table)
        self.heading_cols = {h.col for h in headings.found}
        self.name = self.fields[self.form.key_fields[0]]
        self.total_name = self.fields.get(flat.total_name or "", self.name)
        self.amount = self.fields.get(flat.total_amount or "")
        self.spans = {(r, m.col): m for m in merges if m.last_row > m.row for r in range(m.row, m.last_row + 1)}
        self.projects: list[FlatProject] = []
        self.totals: list[FlatTotal] = []
        self.orphans: list[tuple[Place, ...]] = []
        self.strays: list[Place] = []
        self.current: FlatProject | None = None
        self.torn = False  # headings were repeated since the last row: a merge that begins may go on with a project

    def take(self, row: int) -> None:
        """Take a row."""
        filled = [col for col, raw in enumerate(self.rows[row]) if not is_blank(raw)]
        if not filled:
            return
        if self._is_heading(row, filled):
            self.torn = True
            return
        has_cells = any(col in filled for col in self.columns.values())
        if not has_cells and self._is_total(row, filled):
            self._take_total(row, filled)
            return
        span = self.spans.get((row, self.name))
        if span is not None and span.row < row and span.row in (self.current.rows if self.current else ()):
            self._add(self.current, row, filled)
        elif self.name in filled:
            self._add(self._project(row, span), row, filled)
        elif has_cells and self.current is not None:
            self._add(self._unnamed() if self._differs(row) else self.current, row, filled)
        elif has_cells:
            self.orphans.append(tuple((row, col) for col in filled))
        else:
            self.strays += [(row, col) for col in filled]
        self.torn = False

    def _is_heading(self, row: int, filled: Sequence[int]) -> bool:
        """Return whether a row repeats the headings after a page break, or the title."""
        texts = [raw for col in filled if isinstance(raw := self.rows[row][col], str) and len(raw) <= MAX_LABEL]
        if len(filled) == 1 and texts and self.index.is_title(texts[0]):
            return True
        return 2 * sum(bool(self.index.is_label(text)) for text in texts) > len(self.heading_cols)

    # --- totals ------------------------------------------------------------------------------

    def _is_total(self, row: int, filled: Sequence[int]) -> bool:
        """Return whether a row without indicators is a total: an amount, and no project or a word for totals.

        The first row is one without an amount as well, where it has the name of the organisation alone.
        """
        if self.amount is not None and not self.projects and not self.totals and list(filled) == [self.total_name]:
            return self.total_name != self.name
        if self.amount is None or self.amount not in filled or (row, self.name) in self._inside():
            return False
        words = [fold(text_of(self.rows[row][col])) for col in (self.name, self.total_name, filled[0]) if col in filled]
        return self.name not in filled or any(word.endswith(TOTAL_WORDS) for word in words)

    def _inside(self) -> Iterable[Place]:
        """Return the cells that the merge over the current project's name covers."""
        span = self.spans.get((self.current.rows[0], self.name)) if self.current else None
        return {(r, self.name) for r in range(span.row, span.last_row + 1)} if span else ()

    def _take_total(self, row: int, filled: Sequence[int]) -> None:
        assert self.amount is not None
        others = (col for col in (self.total_name, self.name, *filled) if col in filled and col != self.amount)
        name = next(others, None)
        place = (row, name) if name is not None else None
        self.totals.append(FlatTotal(place, (row, self.amount), len(self.projects)))
        others = (col for col in filled if col not in (name, self.amount))
        self.strays += [(row, col) for col in others if fold(self._text(row, col)) not in TOTAL_WORDS]

    # --- projects ----------------------------------------------------------------------------

    def _project(self, row: int, span: Span | None) -> FlatProject:
        """Return the project that a row with a name belongs to: the one that has its values, or a new one."""
        begins = span is not None and span.row == row and not self.torn
        same = None if begins else next((p for p in reversed(self.projects) if self._agrees(p, row)), None)
        if same is None:
            same = FlatProject()
            self.projects.append(same)
        self.current = same
        return same

    def _differs(self, row: int) -> bool:
        """Return whether a row that lacks a name is another project: a field has another value than that above."""
        known = self.current.fields if self.current else {}
        typed = (
            (known[key], text) for key, col in self.fields.items() if key in known and (text := self._text(row, col))
        )
        return any(self._text(*place) != text for place, text in typed)

    def _unnamed(self) -> FlatProject:
        self.current = FlatProject()
        self.projects.append(self.current)
        return self.current

    def _agrees(self, project: FlatProject, row: int) -> bool:
        """Return whether all that a row has of fields is as in a project."""
        typed = {key: text for key, col in self.fields.items() if (text := self._text(row, col))}
        if project is not self.current and any(key not in typed for key in self.form.key_fields if key in self.fields):
            return False  # a name alone may be that of another unit's project
        return all(key in project.fields and self._text(*project.fields[key]) == text for key, text in typed.items())

    def _text(self, row: int, col: int) -> str:
        line = self.rows[row]
        return "" if col >= len(line) or is_blank(line[col]) else " ".join(text_of(line[col]).split())

    def _add(self, project: FlatProject | None, row: int, filled: Sequence[int]) -> None:
        assert project is not None
        first = not project.rows
        project.rows.append(row)
        for key, col in self.fields.items():
            if col in filled:
                place = project.fields.setdefault(key, (row, col))
                if place != (row, col):
                    same = self._text(*place) == self._text(row, col)
                    (project.again if same else project.strays).append((row, col))
        if first:
            self._from_above(project, row)
        project.strays += [(row, col) for col in filled if col not in self.heading_cols]

    def _from_above(self, project: FlatProject, row: int) -> None:
        """Take what is merged over several projects, or printed once for them: the unit whose projects they are."""
        for key, col in self.fields.items():
            if key in project.fields or not self.form.fields[key].fill:
                continue
            span = self.spans.get((row, col))
            before = self.projects[-2] if len(self.projects) > 1 and self.projects[-1] is project else None
            if span is not None and span.row < row:
                project.fields[key] = (span.row, span.col)
            elif before is not None and key in before.fields:
                project.fields[key] = before.fields[key]
                project.above.append(key)
