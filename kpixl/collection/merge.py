"""Projects from many files -> one portfolio: who is who, what came twice, what is missing.

Identity: the sheet id in the sheet, then the form's key fields (name and unit), folded; never a guess.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from kpixl.checks.engine import NO_CAUSES, Causes
from kpixl.collection.decisions import NONE, PROJECT, Decision, Decisions
from kpixl.collection.judge import Judged, judge
from kpixl.collection.lineage import lineage
from kpixl.collection.match import Names
from kpixl.collection.roster_changes import as_sent
from kpixl.collection.settle import ChosenValues, OpenConflict, Settled, Superseded, settle
from kpixl.collection.versions import Received, Returned, Source, Version
from kpixl.files import natural_key
from kpixl.forms.definition import Form
from kpixl.forms.values import fold
from kpixl.keys import Key
from kpixl.portfolio import sheet_id as sheet_ids
from kpixl.portfolio.canonical import complete
from kpixl.portfolio.merge_model import Choice
from kpixl.portfolio.model import Portfolio, Project
from kpixl.portfolio.sheet_id import SheetId
from kpixl.problems import Location, Problem, Severity

__all__ = ["Merged", "Source", "merge"]


@dataclass(frozen=True, slots=True)
class Merged:
    """The portfolio, the source of each project by id, and what was noticed on the way.

    `ids`: the project of each returned form, in their order. `versions`: the forms in which each project came back;
    the first is the one that gave most. `conflicts`: what is to be decided. `superseded`: values that were typed and
    are not in the result. `decisions`: those that are new, with what they replaced and what there was to choose from.
    `undecided`: values (project, key) that have only what was sent out, with the place of the first candidate.
    `causes`: why values are not known. `absent`: the projects of the roster that did not come back.
    """

    portfolio: Portfolio
    sources: Mapping[str, Source]
    problems: tuple[Problem, ...]
    ids: tuple[str, ...]
    versions: Mapping[str, tuple[Version, ...]]
    conflicts: tuple[OpenConflict, ...] = ()
    superseded: tuple[Superseded, ...] = ()
    decisions: tuple[Decision, ...] = ()
    undecided: Mapping[tuple[str, Key], Location] = field(default_factory=dict)
    causes: Causes = NO_CAUSES
    absent: tuple[Project, ...] = ()


def merge(
    form: Form,
    returned: Sequence[Returned],
    roster: Portfolio | None,
    decisions: Decisions = NONE,
    new: Sequence[Decision] = (),
    sent: Portfolio | None = None,
) -> Merged:
    """Merge what came back. Without a roster, projects are in the order in which the template listed them.

    `sent`: the roster as it was sent out, where that is another than `roster`: the base of the merge.
    `decisions`: those of earlier runs; `new`: those that this one found, in the summary or in the YAML.
    """
    known = roster if sent is None or roster is None else as_sent(roster, sent)
    scope = _scope(form, returned, roster)
    foreign = [scope.excludes(item.form.sheet_id) for item in returned]
    names = Names(form, known)
    ids = names.assign(returned, foreign)
    problems = [*_other_years(returned, ids, foreign, scope), *_foreign(form, returned, ids, foreign, scope)]
    problems += names.problems
    groups: dict[str, list[Received]] = defaultdict(list)
    for item, project_id, other in zip(returned, ids, foreign, strict=True):
        project = complete(form, Project(project_id, item.form.values, item.form.tables))
        groups[project_id].append(Received(item, project, other))
    settled, judged = _settled(form, groups, known, decisions, new)
    problems += [problem for one in settled.values() for problem in one.problems]
    problems += judged.problems
    chosen = {i: one for i, one in settled.items() if i not in judged.removed}
    order = _order(chosen, groups, known)
    portfolio = Portfolio(form.id, scope.year, scope.organization, tuple(chosen[i].project for i in order))
    absent = () if roster is None else tuple(p for p in roster.projects if p.id not in groups)
    return Merged(
        portfolio,
        {i: chosen[i].source for i in order},
        tuple(problems),
        tuple(ids),
        {i: chosen[i].versions for i in order},
        (*(c for i in order for c in chosen[i].conflicts), *judged.reopened),
        tuple(lost for one in settled.values() for lost in one.superseded),
        judged.recorded,
        {(i, key): place for i in order for key, place in chosen[i].undecided.items()},
        Causes({i: chosen[i].unread for i in order}, {i: {k: k for k in chosen[i].undecided} for i in order}),
        absent,
    )


def _settled(
    form: Form,
    groups: Mapping[str, list[Received]],
    roster: Portfolio | None,
    decisions: Decisions,
    new: Sequence[Decision],
) -> tuple[dict[str, Settled], Judged]:
    """Settle every project, and judge the decisions by what they met."""
    sent = {project.id: complete(form, project) for project in roster.projects} if roster is not None else {}
    for group in groups.values():
        group.sort(key=lambda received: (natural_key(received.item.file), natural_key(received.item.form.sheet or "")))
    several = [group for group in groups.values() if len(group) > 1]
    links = lineage(form, several, sent, _named(decisions, several)) if several else {}
    earlier, fresh = decisions.by_project(), replace(decisions, values=tuple(new)).by_project()
    settled = {}
    for project_id, group in groups.items():
        chosen = ChosenValues(*(_values(each.get(project_id, ())) for each in (earlier, fresh)))
        settled[project_id] = settle(form, group, sent.get(project_id), links, chosen)
    return settled, judge(form, earlier, fresh, settled, decisions.file)


def _values(decisions: Sequence[Decision]) -> list[Choice]:
    return [decision.choice for decision in decisions if decision.choice.address != PROJECT]


def _named(decisions: Decisions, groups: Sequence[Sequence[Received]]) -> list[tuple[str, str]]:
    """Return the digests of files that the office has named as superseding each other."""
    digests = {received.item.file: received.item.sha256 for group in groups for received in group}
    return [(digests[s.file], digests[s.newer]) for s in decisions.superseded if {s.file, s.newer} <= digests.keys()]


def _order(
    chosen: Mapping[str, Settled], groups: Mapping[str, Sequence[Received]], roster: Portfolio | None
) -> list[str]:
    if roster is not None:
        listed = [p.id for p in roster.projects if p.id in chosen]
        return listed + [i for i in chosen if i not in set(listed)]

    def key(project_id: str) -> tuple[bool, int]:
        file = chosen[project_id].versions[0]
        received = next(r for r in groups[project_id] if (r.item.file, r.item.form.sheet) == (file.file, file.sheet))
        sheet_id = received.item.form.sheet_id
        own = sheet_id is not None and sheet_id.project == project_id and not received.foreign
        return (not own, sheet_id.order if own and sheet_id is not None else 0)

    return sorted(chosen, key=key)


# --- whose and of which year ------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Scope:
    """The portfolio that is being collected; `portfolio` is its id in sheet_ids."""

    portfolio: str
    year: int | None
    organization: str | None

    def excludes(self, sheet_id: SheetId | None) -> bool:
        """Return whether a sheet id is one of another portfolio; what a portfolio leaves open excludes nothing."""
        if sheet_id is None or sheet_id.portfolio == self.portfolio:
            return False
        return self.is_other_year(sheet_id.year) or (
            None not in (sheet_id.organization, self.organization)
            and fold(str(sheet_id.organization)) != fold(str(self.organization))
        )

    def is_other_year(self, year: int | None) -> bool:
        """Return whether a year is known and not the one that is being collected."""
        return year is not None and year != self.year


def _scope(form: Form, returned: Sequence[Returned], roster: Portfolio | None) -> _Scope:
    """Find the portfolio: the roster's, else the year of most forms and of those the organisation of most."""
    year, organization = (roster.year, roster.organization) if roster is not None else (None, None)
    if year is None:
        years = Counter(item.form.year for item in returned if item.form.year is not None)
        year = max(years, key=lambda y: (years[y], y), default=None)
    of_year = [item for item in returned if item.form.year in (None, year)]
    organization = organization or _organization(form, of_year)
    return _Scope(sheet_ids.portfolio_id(Portfolio(form.id, year, organization, ())), year, organization)


def _organization(form: Form, returned: Sequence[Returned]) -> str | None:
    found = Counter(item.form.organization for item in returned if item.form.organization)
    if not found and all(item.form.sheet_id is None for item in returned) and form.organization_field:
        values = (item.form.values.get(form.organization_field) for item in returned)
        found = Counter(value for value in values if isinstance(value, str))
    return max(found, key=lambda o: (found[o], o), default=None)


def _other_years(
    returned: Sequence[Returned], ids: Sequence[str], foreign: Sequence[bool], scope: _Scope
) -> list[Problem]:
    """Report forms of another year: by a sheet id, whose number then counts for nothing, or by what is printed."""
    return [
        Problem(
            "sheet-id-year",
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
    """Report sheet ids of another version or another portfolio."""
    problems = []
    for item, project_id, other in zip(returned, ids, foreign, strict=True):
        sheet_id = item.form.sheet_id
        if sheet_id is None:
            continue
        if sheet_id.version != form.version:
            details: dict[str, object] = {"other": sheet_id.version, "version": form.version}
            problems.append(Problem("sheet-id-version", item.place, details, project=project_id))
        if other and not scope.is_other_year(sheet_id.year):
            details = {"other": sheet_id.organization, "number": sheet_id.project}
            details |= {"own": scope.organization, "id": project_id}
            problems.append(Problem("sheet-id-portfolio", item.place, details, project=project_id))
    return problems
