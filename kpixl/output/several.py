"""One run for several forms: the files are read once, and each form gets a set of its own.

The set is in a folder named like the form: <form id>/<form id>.yaml, its sources, decisions and summary.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from kpixl.checks.engine import Checker, check
from kpixl.collection.consolidate import consolidate, office_of, write_consolidated
from kpixl.collection.decisions import decisions_path
from kpixl.collection.folder import AS_SENT, Folder, further_forms
from kpixl.collection.hand_edits import written_path
from kpixl.collection.intake import DEFAULT_LIMITS, Limits, Progress, Workers
from kpixl.collection.model import Collection
from kpixl.collection.office import Office
from kpixl.collection.several import further
from kpixl.collection.sources import sources_path
from kpixl.disk import Written
from kpixl.forms.definition import Form
from kpixl.forms.load import among
from kpixl.output.summary.choices import read_picks
from kpixl.portfolio import canonical
from kpixl.portfolio.model import Portfolio
from kpixl.problems import Location, Problem, failure


@dataclass(frozen=True, slots=True)
class FormPlace:
    """One form of several: its folder, and its roster where there is one."""

    form: Form
    folder: Path
    roster: Portfolio | None = None

    @property
    def portfolio(self) -> Path:
        """Return where its portfolio is."""
        return self.folder / f"{self.form.id}.yaml"

    @property
    def summary(self) -> Path:
        """Return where its summary is."""
        return self.folder / f"{self.form.id}.xlsx"

    @property
    def outputs(self) -> tuple[Path, ...]:
        """Return the files of its set, to be looked at before any work; none where its folder is yet to be made."""
        if not self.folder.is_dir():
            return ()
        out = self.portfolio
        return (out, self.summary, sources_path(out), decisions_path(out), written_path(out))


@dataclass(frozen=True, slots=True)
class FormRun:
    """What a run gave for one form of several."""

    place: FormPlace
    office: Office
    collection: Collection

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Return the problems of the office's own files, then those of what was read."""
        return (*self.office.problems, *self.collection.problems)


def places_in(folder: Path, forms: Sequence[Form], rosters: Iterable[tuple[Path, Portfolio]] = ()) -> list[FormPlace]:
    """Give each form its place in a folder. Raises KpixlError where two rosters are of one form, or one is of another.

    `rosters`: each with where it is.
    """
    known: dict[str, Portfolio] = {}
    for path, roster in rosters:
        if roster.form in known or roster.form not in {form.id for form in forms}:
            raise failure("roster-of-another-form", path.name, form=roster.form, forms=", ".join(f.id for f in forms))
        known[roster.form] = roster
    return [FormPlace(form, folder / form.id, known.get(form.id)) for form in forms]


def further_places(folder: Folder, forms: Mapping[str, Form]) -> list[FormPlace]:
    """Return the places of the forms that kpixl.yaml names beside that of the round, each with the roster in it."""
    places = [FormPlace(form, folder.root / form.id) for form in further_forms(folder, forms)]
    return [replace(place, roster=_roster(place)) for place in places]


def _roster(place: FormPlace) -> Portfolio | None:
    path = place.folder / AS_SENT
    return canonical.load(path, among([place.form]))[1] if path.is_file() else None


def collect_several(
    paths: Sequence[Path],
    places: Sequence[FormPlace],
    *,
    inputs: Sequence[Path] = (),
    limits: Limits = DEFAULT_LIMITS,
    workers: Workers = None,
    progress: Progress | None = None,
    today: date,
) -> list[FormRun]:
    """Read every submission under `paths` once, and merge it form by form. Raises KpixlError."""
    first, *rest = places
    if not (above := first.folder.absolute().parent.parent).is_dir():
        raise failure("folder-missing", path=str(above))
    office = _office(first, today)
    collection = consolidate(
        paths,
        [place.form for place in places],
        roster=first.roster,
        limits=limits,
        inputs=inputs,
        outputs=[path for place in places for path in place.outputs],
        workers=workers,
        progress=progress,
        decided=office,
        elsewhere=[place.form.id for place in rest],
    )
    return [FormRun(first, office, collection), *further_runs(collection, rest, today=today)]


def further_runs(
    collection: Collection, places: Sequence[FormPlace], *, checker: Checker = check, today: date
) -> list[FormRun]:
    """Merge for further forms what was read along with `collection`."""
    runs = []
    for place in places:
        office = _office(place, today)
        made = further(collection, place.form, roster=place.roster, checker=checker, decided=office)
        runs.append(FormRun(place, office, made))
    return runs


def _office(place: FormPlace, today: date) -> Office:
    picks = read_picks(place.summary) if place.summary.is_file() else []
    return office_of(place.portfolio, picks, today=today)


def write_several(
    runs: Sequence[FormRun], *, summary: bool = True, lang: str = "zh", today: date
) -> tuple[list[Written], tuple[Problem, ...]]:
    """Write the set of each form; return what was written, and all problems of the runs and of writing."""
    written: list[Written] = []
    problems: list[Problem] = []
    for run in runs:
        place = run.place
        if run.collection.portfolio.projects:
            with suppress(OSError):  # then no file of the set can be written, which is reported
                place.folder.mkdir(parents=True, exist_ok=True)
        made, found = write_consolidated(
            run.collection,
            place.portfolio,
            place.summary if summary else None,
            lang=lang,
            today=today,
            drafts=run.office.drafts,
        )
        written += made
        problems += [*run.office.problems, *(_of_form(problem, place.form) for problem in found)]
    return written, tuple(problems)


def _of_form(problem: Problem, form: Form) -> Problem:
    """Name the form of which no project was read."""
    return replace(problem, location=Location(field=form.title)) if problem.code == "no-projects" else problem
