"""Projects from many files -> one portfolio: who is who, what came twice, what is missing.

Identity: the marker in the sheet, then the form's key fields (name and unit), folded; never a guess.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from kpixl import marker as markers
from kpixl.canonical import complete
from kpixl.files import natural_key
from kpixl.marker import Marker
from kpixl.match import Names
from kpixl.model import Form, Portfolio, Project
from kpixl.problems import Location, Problem, Severity
from kpixl.values import fold, text_of
from kpixl.versions import Candidate, Returned, Version, best, superseded


@dataclass(frozen=True, slots=True)
class Source:
    """Where a project came from: file, digest, sheet, and the cell of each value."""

    file: str
    sha256: str
    sheet: str | None
    cells: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.file} › {self.sheet}" if self.sheet else self.file


@dataclass(frozen=True, slots=True)
class Merged:
    """The portfolio, the source of each project by id, and what was noticed on the way.

    `ids`: the project of each returned form, in their order. `versions`: the forms in which each project came back;
    the first is the one that was taken.
    """

    portfolio: Portfolio
    sources: Mapping[str, Source]
    problems: tuple[Problem, ...]
    ids: tuple[str, ...]
    versions: Mapping[str, tuple[Version, ...]]


def merge(form: Form, returned: Sequence[Returned], roster: Portfolio | None) -> Merged:
    """Merge what came back. Without a roster, projects are in the order in which the template listed them."""
    scope = _scope(form, returned, roster)
    foreign = [scope.excludes(item.form.marker) for item in returned]
    names = Names(form, roster)
    ids = names.assign(returned, foreign)
    problems = [*_other_years(returned, ids, foreign, scope), *_foreign(form, returned, ids, foreign, scope)]
    problems += names.problems
    candidates: dict[str, list[Candidate]] = defaultdict(list)
    for item, project_id, other in zip(returned, ids, foreign, strict=True):
        project = complete(form, Project(project_id, item.form.values, item.form.tables))
        candidates[project_id].append(Candidate(item, project, other))
    sent = {project.id: complete(form, project) for project in roster.projects} if roster is not None else {}
    chosen, versions = {}, {}
    for project_id, group in candidates.items():
        taken = chosen[project_id] = best(form, group, sent.get(project_id))
        others = [(c, superseded(form, c, taken, sent.get(project_id))) for c in group if c is not taken]
        problems += [problem for _, problem in others]
        versions[project_id] = (
            Version(taken.item.file, taken.item.form.sheet, True),
            *(Version(c.item.file, c.item.form.sheet, problem.code == "returned-twice") for c, problem in others),
        )
    order = _order(chosen, roster)
    portfolio = Portfolio(form.id, scope.year, scope.organization, tuple(chosen[i].project for i in order))
    if roster is not None:
        problems += _missing(form, roster, chosen)
    sources = {i: _source(chosen[i].item) for i in order}
    return Merged(portfolio, sources, tuple(problems), tuple(ids), {i: versions[i] for i in order})


def _source(item: Returned) -> Source:
    return Source(item.file, item.sha256, item.form.sheet, item.form.cells)


def _order(chosen: Mapping[str, Candidate], roster: Portfolio | None) -> list[str]:
    if roster is not None:
        listed = [p.id for p in roster.projects if p.id in chosen]
        return listed + [i for i in chosen if i not in set(listed)]

    def key(project_id: str) -> tuple[bool, int]:
        mark = chosen[project_id].item.form.marker
        own = mark is not None and mark.project == project_id and not chosen[project_id].foreign
        return (not own, mark.order if own and mark is not None else 0)

    return sorted(chosen, key=key)


# --- whose and of which year ------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Scope:
    """The portfolio that is being collected; `portfolio` is its id in markers."""

    portfolio: str
    year: int | None
    organization: str | None

    def excludes(self, mark: Marker | None) -> bool:
        """Tell whether a marker is one of another portfolio; what a portfolio leaves open excludes nothing."""
        if mark is None or mark.portfolio == self.portfolio:
            return False
        return self.is_other_year(mark.year) or (
            None not in (mark.organization, self.organization)
            and fold(str(mark.organization)) != fold(str(self.organization))
        )

    def is_other_year(self, year: int | None) -> bool:
        """Tell whether a year is known and not the one that is being collected."""
        return year is not None and year != self.year


def _scope(form: Form, returned: Sequence[Returned], roster: Portfolio | None) -> _Scope:
    """Find the portfolio: the roster's, else the year of most forms and of those the organisation of most."""
    year, organization = (roster.year, roster.organization) if roster is not None else (None, None)
    if year is None:
        years = Counter(item.form.year for item in returned if item.form.year is not None)
        year = max(years, key=lambda y: (years[y], y), default=None)
    of_year = [item for item in returned if item.form.year in (None, year)]
    organization = organization or _organization(form, of_year)
    return _Scope(markers.portfolio_id(Portfolio(form.id, year, organization, ())), year, organization)


def _organization(form: Form, returned: Sequence[Returned]) -> str | None:
    found = Counter(item.form.organization for item in returned if item.form.organization)
    if not found and all(item.form.marker is None for item in returned) and form.organization_field:
        values = (item.form.values.get(form.organization_field) for item in returned)
        found = Counter(value for value in values if isinstance(value, str))
    return max(found, key=lambda o: (found[o], o), default=None)


def _other_years(
    returned: Sequence[Returned], ids: Sequence[str], foreign: Sequence[bool], scope: _Scope
) -> list[Problem]:
    """Report forms of another year: by a marker, whose number then counts for nothing, or by what is printed."""
    return [
        Problem(
            "marker-year",
            item.place,
            {"other": item.form.year, "year": scope.year, "id": project_id},
            Severity.ERROR if other else None,
            project=project_id,
        )
        for item, project_id, other in zip(returned, ids, foreign, strict=True)
        if scope.is_other_year(item.form.year)
    ]


def _foreign(
    form: Form, returned: Sequence[Returned], ids: Sequence[str], foreign: Sequence[bool], scope: _Scope
) -> list[Problem]:
    """Report markers of another version or another portfolio."""
    problems = []
    for item, project_id, other in zip(returned, ids, foreign, strict=True):
        mark = item.form.marker
        if mark is None:
            continue
        if mark.version != form.version:
            details: dict[str, object] = {"other": mark.version, "version": form.version}
            problems.append(Problem("marker-version", item.place, details, project=project_id))
        if other and not scope.is_other_year(mark.year):
            details = {"other": mark.organization, "number": mark.project, "own": scope.organization, "id": project_id}
            problems.append(Problem("marker-portfolio", item.place, details, project=project_id))
    return problems


# --- not at all -------------------------------------------------------------------------------


def _missing(form: Form, roster: Portfolio, chosen: Mapping[str, object]) -> list[Problem]:
    return [
        Problem(
            "not-returned",
            Location(),
            {
                "id": project.id,
                "name": text_of(markers.name_of(form, project)),
                "unit": "、".join(text_of(project.values[key]) for key in form.key_fields[1:]),
            },
            project=project.id,
        )
        for project in sorted(roster.projects, key=lambda p: natural_key(p.id))
        if project.id not in chosen
    ]
