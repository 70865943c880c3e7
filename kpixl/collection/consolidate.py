"""Submissions (+ roster) -> portfolio, sources and problems; and writing what came of it."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import date
from pathlib import Path
from types import MappingProxyType
from typing import Any

from kpixl.a1 import ValuePlace
from kpixl.checks.configuration import NO_CONFIG, Config
from kpixl.checks.engine import Checker, check
from kpixl.collection.conflicts import conflict_data, read_conflict
from kpixl.collection.decisions import (
    NONE,
    Decision,
    Decisions,
    Pick,
    decisions_path,
    excluded_files,
    known_address,
    with_more,
)
from kpixl.collection.deliveries import one_return
from kpixl.collection.hand_edits import written_path
from kpixl.collection.intake import (
    DEFAULT_LIMITS,
    FileResult,
    Job,
    Limits,
    Progress,
    Workers,
    is_own_output,
    read_files,
)
from kpixl.collection.levels import is_lower, of_lower, placed, read_lower
from kpixl.collection.merge import Merged, Source, merge
from kpixl.collection.model import Collection
from kpixl.collection.nothing_to_report import absence_problems, declared_of
from kpixl.collection.office import Office
from kpixl.collection.roster_changes import roster_problems
from kpixl.collection.run_record import RunRecord, read_run, record_run, run_data, with_changes
from kpixl.collection.settle import OpenConflict
from kpixl.collection.sources import read_source, source_data, sources_path
from kpixl.collection.versions import Returned
from kpixl.disk import Output, Written, check_target, commit, refuse_overlap
from kpixl.files import find_files, spelled_out
from kpixl.forms.definition import Form
from kpixl.inputs import read_input
from kpixl.keys import Key
from kpixl.portfolio import canonical
from kpixl.portfolio.model import Portfolio
from kpixl.problems import KpixlError, Location, Problem, independent
from kpixl.recognise.submission import Submission

Decided = Callable[[Form], tuple[Decisions, Sequence[Decision]]]


def undecided(form: Form) -> tuple[Decisions, Sequence[Decision]]:  # noqa: ARG001 - as a Decided
    """Return no decisions."""
    return NONE, ()


SOURCES_FORMAT = 1
MAX_DROPPED = 20  # ids that one message names


def consolidate(
    paths: Iterable[Path],
    forms: Sequence[Form],
    *,
    roster: Portfolio | None = None,
    limits: Limits = DEFAULT_LIMITS,
    inputs: Sequence[Path] = (),
    outputs: Sequence[Path] = (),
    workers: Workers = None,
    progress: Progress | None = None,
    checker: Checker = check,
    config: Config = NO_CONFIG,
    may_be_empty: bool = False,
    decided: Decided = undecided,
    sent: Portfolio | None = None,
    elsewhere: Sequence[str] = (),
) -> Collection:
    """Read every submission under `paths` and merge them.

    `sent`: the roster as it was sent out, where that is another than `roster` (the base of the merge).
    `elsewhere`: the ids of `forms` that are collected on their own from the same files (`kpixl.collection.several`).
    `outputs`: what will be written; refused before any work where it cannot be, or where it is itself read, be it
    as a submission or as one of the other `inputs` (the roster).
    `decided`: what the office decided, as a function of the form, which is known only after reading.
    `checker`: what is checked of the projects, by default only what the fields themselves demand. `config`: what the
    office has declared, so that what did not come back and need not is not missed.
    Raises KpixlError where there is nothing to read, unless that `may_be`.
    """
    paths = list(paths)
    found, skipped = find_files(paths, may_be_empty=may_be_empty)
    named = {path.resolve() for path in paths if path.is_file()}
    for out in outputs:
        check_target(out)
    # Last time's output may lie among the submissions and is regenerated; everything else that was found is theirs.
    own = {path for out in outputs if (path := out.resolve()) not in named and is_own_output(path)}
    refuse_overlap(outputs, [*inputs, *(path for path, _ in found if path not in own)])
    jobs = [Job(path, shown, path in named) for path, shown in _distinct(found)]
    lower = [read_lower(job, forms) for job in jobs if is_lower(job)]
    others = [job for job in jobs if not is_lower(job)]
    results = [*lower, *one_return(read_files(others, forms, limits, workers, progress))]
    return merged_of(results, skipped, forms, roster, sent, checker, config, decided, elsewhere)


def _distinct(found: Sequence[tuple[Path, str]]) -> list[tuple[Path, str]]:
    """Show a file by its path where two files would be shown alike."""
    names: dict[str, int] = {}
    for _, shown in found:
        names[shown] = names.get(shown, 0) + 1
    return [(path, shown if names[shown] == 1 else spelled_out(path)) for path, shown in found]


def _of_form(item: Returned, project: str) -> Iterator[Problem]:
    """Yield the problems of a form, each with the project that it is of."""
    if item.form.hidden:
        yield Problem("sheet-hidden", item.place, project=project)
    yield from (replace(problem, project=project) for problem in item.form.problems)


def merged_of(
    results: Sequence[FileResult],
    skipped: Sequence[Problem],
    forms: Sequence[Form],
    roster: Portfolio | None,
    sent: Portfolio | None,
    checker: Checker,
    config: Config,
    decided: Decided,
    elsewhere: Sequence[str] = (),
) -> Collection:
    """Merge what was read, as `consolidate` does: without a roster, for the commonest form but those of `elsewhere`."""
    by_id = {form.id: form for form in forms}
    counts = Counter(e.form for r in results for e in r.forms if e.form not in elsewhere)
    commonest = max(sorted(counts), key=counts.__getitem__, default=forms[0].id)
    form = by_id[roster.form if roster is not None else commonest]
    problems = [*skipped, *(p for r in results for p in r.problems), *roster_problems(form, roster, sent)]
    items = [_returned(result, one) for result in results for one in result.forms if one.form not in elsewhere]
    lower = [r.lower for r in results if r.lower is not None and {one.form for one in r.forms}.isdisjoint(elsewhere)]
    items, placing = placed(form, items, lower, roster)
    problems += placing
    decisions, new = decided(form)
    excluded, notes = excluded_files(decisions, [(r.file, r.sha256) for r in results])
    problems += notes
    returned = [item for item in items if item.form.form == form.id and item.file not in excluded]
    merged = merge(form, returned, roster, decisions, new, sent)
    others = [item for item in items if item.form.form != form.id]
    problems += [Problem("sheet-id-form", item.place, {"other": by_id[item.form.form].title}) for item in others]
    for item, project in zip(returned, merged.ids, strict=True):
        problems += _of_form(item, project)
    problems += merged.problems
    declared = declared_of(form, roster, config, {project.id for project in merged.portfolio.projects})
    problems += absence_problems(form, merged.absent, declared.reasons)
    problems += checker(form, merged.portfolio, _locator(merged), merged.causes)
    problems = independent(problems)
    order = {result.file: number for number, result in enumerate(results)}
    problems.sort(key=lambda p: order.get(p.location.file or "", -1))
    return Collection(
        form,
        merged.portfolio,
        (*problems, *declared.problems),
        _with_raw(merged.sources, problems),
        tuple(results),
        merged.versions,
        roster,
        sent,
        merged.conflicts,
        merged.superseded,
        with_more(form, decisions, merged.decisions),
        declared.reasons,
        config,
    )


def _returned(result: FileResult, form: Submission) -> Returned:
    item = Returned(result.file, result.sha256, form, result.time, result.properties, result.origins, result.delivery)
    return item if result.lower is None else of_lower(item, result.lower)


def _locator(merged: Merged) -> Callable[[str, Key, str], Location]:
    def locate(project: str, key: Key, label: str) -> Location:
        if (place := merged.undecided.get((project, key))) is not None:
            return place
        return replace(merged.sources[project].at(key), field=label.rstrip(":："))

    return locate


# --- where each value came from ---------------------------------------------------------------


def sources_text(result: Collection, portfolio: bytes = b"", run: RunRecord | None = None) -> str:
    """Write the sources file of the written `portfolio`: for every value the file, sheet and cell it was typed in.

    `run`: the record of the run, for summaries that are made from the portfolio later.
    """
    differing: dict[str, list[str]] = {}
    for problem in result.problems:
        if problem.code == "returned-differently" and problem.project is not None:
            differing.setdefault(problem.project, []).append(str(problem.details["differences"]))

    def line(project: str, source: Source) -> str:
        data = source_data(source) | ({"conflicts": differing[project]} if project in differing else {})
        return f"{json.dumps(project)}: {json.dumps(data, ensure_ascii=False)}"

    # A line per project: comparable, and the faster half of what json can do.
    lines = [line(project, source) for project, source in result.sources.items()]
    head = f'{{"kpixl-sources": {SOURCES_FORMAT}, "portfolio": "{hashlib.sha256(portfolio).hexdigest()}",\n'
    if run is not None:
        head += f'"run": {json.dumps(run_data(run), ensure_ascii=False)},\n'
    head += '"projects": {\n'
    conflicts = ",\n".join(json.dumps(conflict_data(result.form, c), ensure_ascii=False) for c in result.conflicts)
    tail = f', "conflicts": [\n{conflicts}\n]' if conflicts else ""
    return head + ",\n".join(lines) + "\n}" + tail + "}\n"


def _with_raw(sources: Mapping[str, Source], problems: Sequence[Problem]) -> dict[str, Source]:
    """Add what was typed where a value was read otherwise than plainly, from the problems that report it."""
    typed: dict[tuple[str | None, str | None], dict[ValuePlace, str]] = {}
    for problem in problems:
        if problem.code in ("value-normalised", "value-unverified") and problem.location.cell is not None:
            place = (problem.location.file, problem.location.sheet)
            typed.setdefault(place, {})[problem.location.cell] = str(problem.details["raw"])

    def completed(source: Source) -> Source:
        cells = typed.get((source.file, source.sheet), {})
        raw = {key: cells[cell] for key, cell in source.cells.items() if cell in cells}
        return replace(source, raw=raw, others=tuple(map(completed, source.others)))

    return {project: completed(source) for project, source in sources.items()} if typed else dict(sources)


def sources_of(portfolio: Path) -> dict[str, str] | None:
    """Read for each project the text of its source; None where no sources file belongs to this very portfolio."""
    try:
        return {str(i): str(read_source(s)) for i, s in _own_sources(portfolio)["projects"].items()}
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def run_of(portfolio: Path) -> RunRecord | None:
    """Read the record of the run that gave this very portfolio; None where none is known."""
    return read_run(_own_sources(portfolio).get("run"))


def _own_sources(portfolio: Path) -> dict[str, Any]:
    """Read the sources file that belongs to this very portfolio; empty where there is none."""
    data = _sources_data(portfolio)
    try:
        known = data.get("portfolio") == hashlib.sha256(portfolio.read_bytes()).hexdigest()
    except OSError:
        return {}
    return data if known else {}


def office_of(out: Path, picks: Sequence[Pick] = (), *, today: date) -> Office:
    """Prepare to read what the office decided about the portfolio at `out`; `picks`: what it chose in the summary."""
    data = _sources_data(out)
    digest, conflicts = data.get("portfolio"), data.get("conflicts", [])
    edited = isinstance(digest, str) and out.is_file() and hashlib.sha256(out.read_bytes()).hexdigest() != digest
    listed = [c for c in conflicts if isinstance(c, dict)] if isinstance(conflicts, list) else []
    return Office(out, today.isoformat(), picks, listed, edited)


def conflicts_of(portfolio: Path, form: Form) -> tuple[OpenConflict, ...]:
    """Read from the sources beside a portfolio what was to be decided after the last run; none where it is unknown."""
    found = []
    with suppress(KeyError, TypeError, AttributeError, ValueError):
        for data in office_of(portfolio, today=date.min).conflicts:
            address = known_address(form, data["field"], data["row"])
            if address is not None:
                found.append(read_conflict(form, data, address))
    return tuple(found)


def digests_of(portfolio: Path) -> dict[str, str]:
    """Read the digests of the files that a portfolio came from, by their names, from the sources beside it."""
    found: dict[str, str] = {}
    with suppress(KeyError, TypeError, AttributeError):
        for data in _sources_data(portfolio)["projects"].values():
            source = read_source(data)
            found |= {one.file: one.sha256 for one in (source, *source.others)}
    return found


def disputes_of(portfolio: Path) -> dict[str, tuple[str, ...]]:
    """Read for each project what its versions differ in and nobody decided; a portfolio edited since has none."""
    data = _own_sources(portfolio)
    try:
        found = {str(i): [*map(str, s.get("conflicts", ()))] for i, s in data["projects"].items()}
        for one in data.get("conflicts", ()):
            values = " / ".join(_plain(offer["value"]) for offer in one["candidates"])
            found.setdefault(str(one["project"]), []).append(f"{one['label']}：{values}")
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}
    return {i: tuple(differences) for i, differences in found.items() if differences}


def _plain(value: Any) -> str:
    """Return a value of a conflict, one or the parts of a target, on one line."""
    parts = value if isinstance(value, list) else value.values() if isinstance(value, dict) else [value]
    return " ".join(text for part in parts if part is not None for text in str(part).split()) or "空"


def _sources_data(portfolio: Path) -> dict[str, Any]:
    """Read the sources file beside a portfolio; empty where there is none that can be read."""
    try:
        data: Any = json.loads(read_input(sources_path(portfolio)))
    except (KpixlError, ValueError, RecursionError):
        return {}
    return data if isinstance(data, dict) else {}


# --- writing ----------------------------------------------------------------------------------


def write_consolidated(
    result: Collection,
    out: Path,
    summary: Path | None = None,
    *,
    lang: str = "zh",
    today: date,
    drafts: Mapping[tuple[str, str, str], tuple[str, str]] = MappingProxyType({}),
    declared: Mapping[str, str] = MappingProxyType({}),
    more: Sequence[Output] = (),
) -> tuple[list[Written], tuple[Problem, ...]]:
    """Write YAML, sources, decisions and summary; return (path, whether it changed) of each, and all problems.

    `drafts`: what is typed on the sheet 待决定 and is no decision yet. `declared`: the reason for each project of which
    nothing is to be reported. `more`: outputs that belong to the same set.

    `today` names the copy of an old summary that holds something which the new one lacks.
    Nothing is written where not one project was read: an office's good file must not give way to an empty one.
    """
    problems = result.problems
    if not result.portfolio.projects:
        return [], (*problems, Problem("no-projects"))
    content = canonical.dumps(result.form, result.portfolio).encode()
    old = _old_portfolio(result.form, out)
    run = record_run(result.form, result.portfolio, result.roster, problems, today, sent=result.sent, declared=declared)
    run = with_changes(run, result.form, result.portfolio, old, run_of(out))
    sources_content = sources_text(result, content, run).encode("utf-8", "surrogatepass")
    dropped = _dropped(result.portfolio, old, out)
    if dropped is not None:
        problems = (*problems, dropped)
    outputs = [
        Output(out, content, "portfolio", keep=dropped is not None, known=_known(out)),
        # It holds nothing that anybody typed, and is made anew for every portfolio.
        Output(sources_path(out), sources_content, "sources", judged=True),
        Output(written_path(out), content, "written", judged=True),
    ]
    if result.decisions.text:  # what people wrote there is in it, unless they did so while the files were read
        outputs.append(
            Output(decisions_path(out), result.decisions.text.encode(), "decisions", judged=result.decisions.is_on(out))
        )
    outputs += more
    if summary is not None:
        from kpixl.output.summary import summary_outputs

        sources = {i: str(s) for i, s in result.sources.items()}
        try:
            made, noted = summary_outputs(
                summary,
                result.form,
                result.portfolio,
                lang=lang,
                sources=sources,
                run=run,
                today=today,
                conflicts=result.conflicts,
                drafts=drafts,
            )
            outputs += made
        except KpixlError as error:  # the summary alone cannot be made or read
            noted = error.problems
        problems = (*problems, *noted)
    written, refused = commit(outputs, lang=lang, today=today)
    return [one for one in written if one.path.name != written_path(out).name], (*problems, *refused)


def _known(out: Path) -> frozenset[str]:
    """Return the digest of the portfolio that the sources beside `out` belong to."""
    data = _sources_data(out)
    return frozenset({data["portfolio"]} if isinstance(data.get("portfolio"), str) else ())


def _old_portfolio(form: Form, out: Path) -> Portfolio | None:
    """Read the portfolio that is to be replaced; None where there is none, or one that cannot be read."""
    if not out.is_file():
        return None
    try:
        return canonical.load(out, lambda _: form)[1]
    except KpixlError:  # no portfolio, or a broken one: as nothing of kpixl's it is copied in any case
        return None


def _dropped(new: Portfolio, old: Portfolio | None, out: Path) -> Problem | None:
    """Report projects of the portfolio at `out` that the new one lacks: only some of the files were read, perhaps."""
    if old is None:
        return None
    ids = {project.id for project in new.projects}
    gone = [project.id for project in old.projects if project.id not in ids]
    if not gone:
        return None
    shown = "、".join(gone[:MAX_DROPPED]) + ("……" if len(gone) > MAX_DROPPED else "")
    return Problem("projects-dropped", Location(out.name), {"path": out.name, "old": len(old.projects), "ids": shown})


def report_data(
    result: Collection, problems: Sequence[Problem], written: Sequence[tuple[Path, bool]], lang: str
) -> dict[str, Any]:
    """Turn a run into JSON data."""
    return {
        "form": result.form.id,
        "year": result.portfolio.year,
        "projects": len(result.portfolio.projects),
        "files": [
            {"file": f.file, "sha256": f.sha256, "projects": f.count(result.form.id), "second_looks": f.second_looks}
            for f in result.files
        ],
        "problems": [p.data(lang) for p in problems],
        "conflicts": [conflict_data(result.form, conflict) for conflict in result.conflicts],
        "written": [str(path) for path, _ in written],
    }
