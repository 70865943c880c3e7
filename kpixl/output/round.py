"""One run over a collection folder: what came back is read once, and every output follows from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from kpixl.collection.consolidate import office_of, write_consolidated
from kpixl.collection.decisions import Pick, decisions_path
from kpixl.collection.folder import Folder, Rosters, grouping_field
from kpixl.collection.hand_edits import written_path
from kpixl.collection.intake import DEFAULT_LIMITS, FileResult, Limits, Progress, Workers
from kpixl.collection.model import Collection
from kpixl.collection.office import Office
from kpixl.collection.review import for_people, review
from kpixl.collection.roster_changes import as_sent
from kpixl.collection.sides import Side, existing_side, result_side
from kpixl.collection.sources import sources_path
from kpixl.disk import Output, Written, commit
from kpixl.forms.definition import Form
from kpixl.output.annotate import MarkedFile, check_folder, write_marked
from kpixl.output.letters import WrittenLetter, letters_of, write_letters
from kpixl.output.several import FormPlace, FormRun, further_runs, write_several
from kpixl.output.status import Status, status_of, status_outputs
from kpixl.output.template import template_outputs
from kpixl.portfolio import canonical
from kpixl.portfolio.diff import Diff, diff
from kpixl.problems import Problem


@dataclass(frozen=True, slots=True)
class Round:
    """What a run over a folder gave. `before`, `after`: the portfolio of the last run and of this one; `changes`: what
    differs between them. `further`: what the same files gave for each further form of the folder. `problems`: those of
    the office's own files first.
    """

    folder: Folder
    collection: Collection
    office: Office
    status: Status
    before: Side
    after: Side
    changes: Diff
    problems: tuple[Problem, ...]
    further: tuple[FormRun, ...] = ()


@dataclass(frozen=True, slots=True)
class WrittenRound:
    """What a run wrote. `problems`: all of the run and of writing; `copies`: the annotated ones."""

    written: tuple[Written, ...]
    problems: tuple[Problem, ...]
    copies: tuple[MarkedFile, ...]
    letters: tuple[WrittenLetter, ...]


def collect_round(
    folder: Folder,
    rosters: Rosters,
    forms: Sequence[Form],
    *,
    further: Sequence[FormPlace] = (),
    picks: Sequence[Pick] = (),
    limits: Limits = DEFAULT_LIMITS,
    workers: Workers = None,
    progress: Progress | None = None,
    today: date,
) -> Round:
    """Read what came back, merge, check and take stock. `picks`: what is chosen in the summary. Raises KpixlError.

    `further`: the other forms of the folder, each merged from the same files.
    """
    paths = folder.paths
    check_folder(paths["annotated"], [paths["returned"]])
    out, field = paths["portfolio"], grouping_field(folder, rosters.form)
    office = office_of(out, picks, today=today)
    reviewed = review(
        [paths["returned"]],
        forms,
        roster=rosters.roster,
        sent=rosters.sent,
        config=folder.config,
        inputs=[paths["roster"], folder.as_sent],
        outputs=[
            *(paths[key] for key in ("portfolio", "summary", "status", "status_page")),
            *(beside(out) for beside in (sources_path, decisions_path, written_path)),
            *(path for place in further for path in place.outputs),
        ],
        limits=limits,
        workers=workers,
        progress=progress,
        may_be_empty=True,
        decided=office,
        elsewhere=[place.form.id for place in further],
    )
    status = status_of(reviewed, rosters.roster, by=field, due=folder.settings.due)
    before, after = existing_side(out, rosters.form), result_side(reviewed, str(paths["returned"]))
    return Round(
        folder,
        reviewed,
        office,
        status,
        before,
        after,
        diff(rosters.form, before.portfolio, after.portfolio),
        (*office.problems, *reviewed.problems),
        tuple(run for run in further_runs(reviewed, further, today=today) if run.collection.files),
    )


def write_round(
    found: Round,
    *,
    limits: Limits = DEFAULT_LIMITS,
    lang: str = "zh",
    today: date,
    extra: Sequence[Path] = (),
    progress: Progress | None = None,
) -> WrittenRound:
    """Write YAML, sources, summary and status as one set, then copies of the files that count, and letters."""
    paths, reviewed = found.folder.paths, found.collection
    more = status_outputs(found.status, paths["status"], paths["status_page"], lang=lang, extra=extra)
    written, problems = write_consolidated(
        reviewed,
        paths["portfolio"],
        paths["summary"],
        lang=lang,
        today=today,
        drafts=found.office.drafts,
        declared=reviewed.declared,
        more=more,
    )
    if not reviewed.portfolio.projects:  # who is missing is known all the same
        written, refused = commit(more, lang=lang, today=today)
        problems = (*problems, *refused)
    more_written, more_problems = write_several(found.further, lang=lang, today=today)
    written, problems = [*written, *more_written], (*found.office.problems, *problems)
    shown = replace(reviewed, problems=problems)
    copies, said = write_marked(
        _counting(reviewed),
        for_people(shown),
        paths["annotated"],
        lang=lang,
        font=str(reviewed.form.fonts["body"]),
        limits=limits,
        today=today,
        progress=progress,
        tidy=True,
    )
    made = letters_of(reviewed, found.status, reviewed.config.contacts)
    letters, more_said = write_letters(
        reviewed, found.status, made.letters, paths["letters"], lang=lang, today=today, extra=extra, limits=limits,
        tidy=True,
    )  # fmt: skip
    return WrittenRound(tuple(written), (*problems, *more_problems, *said, *more_said), copies, letters)


def _counting(reviewed: Collection) -> list[FileResult]:
    """Leave out the files that were excluded, and those of which everything is superseded: nobody corrects them."""
    excluded = {p.location.file for p in reviewed.problems if p.code == "file-excluded"}
    versions = [version for several in reviewed.versions.values() for version in several]
    alive = {version.file for version in versions if not version.superseded}
    over = {version.file for version in versions} - alive
    return [file for file in reviewed.files if file.file not in excluded | over]


def write_sent(
    folder: Folder, rosters: Rosters, *, lang: str = "zh", today: date
) -> tuple[list[Written], tuple[Problem, ...]]:
    """Write the workbooks to send out, and beside them the roster as it is sent.

    What is there already and differs was sent, and is kept; the base of a project stays what was sent first.
    """
    field, sent = grouping_field(folder, rosters.form), folder.paths["sent"]
    sent.mkdir(exist_ok=True)
    by, out = (field.key, sent) if field is not None else (None, sent / folder.paths["summary"].name)
    outputs = template_outputs(rosters.form, rosters.roster, out, by=by, lang=lang, keep=True)
    base = canonical.dumps(rosters.form, as_sent(rosters.roster, rosters.sent))
    outputs.append(Output(folder.as_sent, base.encode(), "as-sent"))
    written, problems = commit(outputs, lang=lang, today=today)
    return written, tuple(problems)
