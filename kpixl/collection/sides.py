"""Load what is to be compared: a portfolio, a folder of returned files, or one of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from kpixl.collection.consolidate import consolidate
from kpixl.collection.intake import DEFAULT_LIMITS, Limits, Progress
from kpixl.collection.merge import Source
from kpixl.collection.model import Collection
from kpixl.collection.review import is_portfolio
from kpixl.collection.sources import read_sources
from kpixl.forms.definition import Form
from kpixl.forms.load import among
from kpixl.keys import Key
from kpixl.portfolio import canonical
from kpixl.portfolio.model import Portfolio
from kpixl.problems import Location, Problem, failure


@dataclass(frozen=True, slots=True)
class Side:
    """One of two things to compare. `sources`: where each project came from, as far as that is known."""

    name: str
    portfolio: Portfolio
    sources: Mapping[str, Source] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()

    def place(self, project: str, key: Key | None) -> Location:
        """Return where a value was typed; blank where that is not known."""
        source = self.sources.get(project)
        return source.at(key) if source else Location()


def load_sides(
    old: Path,
    new: Path,
    forms: Sequence[Form],
    *,
    limits: Limits = DEFAULT_LIMITS,
    progress: Progress | None = None,
) -> tuple[Form, Side, Side]:
    """Load two things to compare. Returned files get their ids from the portfolio that they are compared with.

    Raises KpixlError where one cannot be read, has no project, or is of another form.
    """
    known = {form.id: form for form in forms}
    portfolios = {path: _portfolio(path, known) for path in (old, new) if is_portfolio([path])}
    rosters = [side.portfolio for side in portfolios.values()]
    form_ids = {roster.form for roster in rosters}
    wanted = [known[form_id] for form_id in form_ids] or list(forms)
    read = partial(_returned, forms=wanted, roster=rosters[0] if rosters else None, limits=limits, progress=progress)
    first, second = (portfolios.get(path) or read(path) for path in (old, new))
    if first.portfolio.form != second.portfolio.form:
        raise failure("forms-differ", old=first.portfolio.form, new=second.portfolio.form)
    return known[first.portfolio.form], first, second


def existing_side(path: Path, form: Form) -> Side:
    """Load the portfolio at `path`, which may not be there yet."""
    if not path.exists():
        return Side(str(path), Portfolio(form.id, None, None, ()))
    return _portfolio(path, {form.id: form})


def result_side(result: Collection, name: str) -> Side:
    """Take what a run has read as a side."""
    return Side(name, result.portfolio, result.sources, result.problems)


def _portfolio(path: Path, known: Mapping[str, Form]) -> Side:
    return Side(str(path), canonical.load(path, among(known.values()))[1], read_sources(path))


def _returned(
    path: Path, *, forms: Sequence[Form], roster: Portfolio | None, limits: Limits, progress: Progress | None
) -> Side:
    """Read returned files. The year is theirs, unless they name none: a roster of last year gives only the names."""
    read = partial(consolidate, [path], forms, limits=limits, progress=progress, checker=_unchecked)
    result = read(roster=roster)
    if any(problem.code == "sheet-id-year" for problem in result.problems):
        result = read(roster=None)
    if not result.portfolio.projects:
        raise failure("nothing-read", path=str(path))
    problems = tuple(p for p in result.problems if p.code != "not-returned")
    return Side(str(path), result.portfolio, result.sources, problems)


def _unchecked(*_: object) -> tuple[Problem, ...]:
    return ()
