"""What reading a grid gives: one form, with what only the file itself can tell; or nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from kpixl.a1 import CellRef
from kpixl.forms.definition import Row, Value
from kpixl.keys import Key
from kpixl.portfolio.sheet_id import SheetId
from kpixl.problems import Location, Problem, Severity
from kpixl.readers import Grid
from kpixl.recognise.kinds import kind_called

LabelKey = tuple[str, str]  # table, or "" for a field, and key
READ_AS = frozenset({"value-normalised", "target-as-text"})  # how a text was read, before its cell was inspected
RESCALED = READ_AS | {"amount-scaled"}  # and in which unit
NO_NOTES: frozenset[str] = frozenset()


class Doubt(NamedTuple):
    """A value that only a second look into the file can settle.

    `kind`: total (differs from the sum of its parts: typed, or a stale formula?), percent (a small number: 0.95 or
    95 %?), shown (a number where the displayed text
    counts), serial (a number read as a date: from 1900 or 1904?), date (of a target: is it shown with its year?), blank
    (or an error, or a formula without a value?).
    `cell`: its own cell, where the value was taken from the one above.
    """

    kind: str
    key: Key
    cell: CellRef | None = None


class ReadingNote(NamedTuple):
    """How a cell was read otherwise than typed, as far as one step of reading knows; a later one may know better.

    `resolves`: the codes of the earlier notes on the same cell that do not count any more.
    """

    problem: Problem
    resolves: frozenset[str] = READ_AS


Reported = Problem | ReadingNote


def resolved(reported: Iterable[Reported]) -> tuple[Problem, ...]:
    """Turn notes into problems, in their order: of those on one cell the ones that no later one resolves."""
    problems: list[Problem] = []
    later: dict[object, frozenset[str]] = {}  # by cell
    for one in reversed([*reported]):
        if isinstance(one, Problem):
            problems.append(one)
            continue
        problem, cell = one.problem, one.problem.location.cell
        known = later.get(cell, NO_NOTES)
        if problem.code not in known:
            problems.append(problem)
        later[cell] = known | one.resolves
    return tuple(reversed(problems))


@dataclass(frozen=True, slots=True)
class Submission:
    """One form read from a grid: values and rows as in model.Project, and the cell each came from.

    `doubts`: what only the file itself can tell, see Doubt. `reported`: what is to be reported of it. `missing`: the
    labels that the form lacks. `suspect`: cells of its sheet that read blank may be formulas without a value, or
    errors. `repeated`: cells that hold a value again.
    """

    form: str
    sheet: str | None
    hidden: bool
    sheet_id: SheetId | None
    year: int | None
    organization: str | None
    values: Mapping[str, Value]
    tables: Mapping[str, tuple[Row, ...]]
    cells: Mapping[Key, CellRef]
    doubts: tuple[Doubt, ...]
    reported: tuple[Reported, ...]
    missing: frozenset[LabelKey] = frozenset()
    suspect: bool = False
    repeated: frozenset[CellRef] = frozenset()

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Return what is to be reported, by what is known of its cells by now."""
        return resolved(self.reported)


class OtherKind(NamedTuple):
    """A part of a grid that is another kind of form or paper: the kind's id, and the cells that tell."""

    kind: str
    place: tuple[int, int]
    told: tuple[str, ...]

    def problem(self, file: str, grid: Grid, title: str, level: Severity) -> Problem:
        """Report it; `title`: the form that is collected."""
        told = "、".join(" ".join(text.split()) for text in self.told)
        where = Location(file, grid.name, grid.cell(*self.place))
        return Problem(
            "sheet-other-kind", where, {"kind": kind_called(self.kind).name, "title": title, "told": told}, level
        )


@dataclass(frozen=True, slots=True)
class Nothing:
    """A grid without a form: which labels of the nearest form it has.

    `others`: what it is instead. `weak`: what it is instead if nothing better is known.
    """

    form: str
    seen: frozenset[LabelKey]
    others: tuple[OtherKind, ...] = ()
    weak: OtherKind | None = None
