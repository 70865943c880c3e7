"""Submissions (+ roster) -> portfolio, sources and problems; and writing what came of it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

from kpixl import canonical
from kpixl.check import Checker, check, compares_amounts
from kpixl.files import check_target, find_files, keep_copy, refuse_overlap, spelled_out, write_atomic
from kpixl.intake import DEFAULT_LIMITS, FileResult, Job, Limits, Progress, is_own_output, read_files
from kpixl.merge import Merged, Returned, Source, Version, merge
from kpixl.model import Form, Portfolio
from kpixl.problems import Location, Problem
from kpixl.values import fold

SOURCES_SUFFIX = ".sources.json"
SOURCES_FORMAT = 1


@dataclass(frozen=True, slots=True)
class Consolidated:
    """Everything the run gave: the portfolio, where each value came from, what was noticed, and every file read.

    `versions`: the forms in which each project came back, the one that was taken first.
    """

    form: Form
    portfolio: Portfolio
    sources: Mapping[str, Source]
    problems: tuple[Problem, ...]
    files: tuple[FileResult, ...]
    versions: Mapping[str, tuple[Version, ...]]


def consolidate(
    paths: Iterable[Path],
    forms: Sequence[Form],
    *,
    roster: Portfolio | None = None,
    limits: Limits = DEFAULT_LIMITS,
    inputs: Sequence[Path] = (),
    outputs: Sequence[Path] = (),
    workers: int | None = None,
    progress: Progress | None = None,
    checker: Checker = check,
    may_be_empty: bool = False,
) -> Consolidated:
    """Read every submission under `paths` and merge them.

    `outputs`: what will be written; refused before any work where it cannot be, or where it is itself read, be it
    as a submission or as one of the other `inputs` (the roster).
    `checker`: what is checked of the projects, by default only what the fields themselves demand.
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
    results = read_files(jobs, forms, limits, workers, progress)
    return _merged(results, skipped, forms, roster, checker)


def _distinct(found: Sequence[tuple[Path, str]]) -> list[tuple[Path, str]]:
    """Show a file by its path where two files would be shown alike."""
    names: dict[str, int] = {}
    for _, shown in found:
        names[shown] = names.get(shown, 0) + 1
    return [(path, shown if names[shown] == 1 else spelled_out(path)) for path, shown in found]


def _merged(
    results: Sequence[FileResult],
    skipped: Sequence[Problem],
    forms: Sequence[Form],
    roster: Portfolio | None,
    checker: Checker,
) -> Consolidated:
    by_id = {form.id: form for form in forms}
    kinds = sorted({e.form for r in results for e in r.forms})
    form = by_id[roster.form if roster is not None else _commonest(results) if kinds else forms[0].id]
    problems = [*skipped, *(p for r in results for p in r.problems)]
    items = [Returned(result.file, result.sha256, extracted) for result in results for extracted in result.forms]
    returned = [item for item in items if item.form.form == form.id]
    merged = merge(form, returned, roster)
    problems += [
        Problem("marker-form", item.place, {"other": by_id[item.form.form].title})
        for item in items
        if item.form.form != form.id
    ]
    for item, project in zip(returned, merged.ids, strict=True):
        if item.form.hidden:
            problems.append(Problem("sheet-hidden", item.place, project=project))
        problems += [replace(problem, project=project) for problem in item.form.problems]
    problems += merged.problems
    checked = checker(form, merged.portfolio, _locator(merged))
    problems += without_consequences(form, problems, checked)
    order = {result.file: number for number, result in enumerate(results)}
    problems.sort(key=lambda p: order.get(p.location.file or "", -1))
    return Consolidated(form, merged.portfolio, merged.sources, tuple(problems), tuple(results), merged.versions)


def without_consequences(form: Form, read: Sequence[Problem], checked: Sequence[Problem]) -> list[Problem]:
    """Leave out of what was `checked` what follows from values that could not be `read`: that they read blank, and
    what comes of comparing amounts of which one is not known."""
    broken = {p.location for p in read if p.code in BROKEN}
    missing = {(*_sheet(p), fold(label)) for p in read for label in _labels(p)}
    money = {fold(field.label) for field in form.fields.values() if field.type == "money"}
    amounts = {_sheet(p) for p in read if p.code in BROKEN and fold(p.location.field or "") in money}
    amounts |= {place[:2] for place in missing if place[2] in money}

    def follows(problem: Problem) -> bool:
        if problem.code in ("required-blank", "no-rows"):
            label = fold(str(problem.details["label"]))
            return problem.location in broken or (*_sheet(problem), label) in missing
        on_amount = fold(problem.location.field or "") in money
        return _sheet(problem) in amounts and compares_amounts(problem.code, on_amount)

    return [problem for problem in checked if not follows(problem)]


BROKEN = ("cell-error", "formula-uncached")


def _sheet(problem: Problem) -> tuple[str | None, str | None]:
    return problem.location.file, problem.location.sheet


def _labels(problem: Problem) -> Sequence[str]:
    """List the labels of what was not read because a label or heading is lost."""
    if problem.code == "heading-missing":
        columns = problem.details["columns"]
        return [str(label) for label in columns] if isinstance(columns, list) else []
    return [str(problem.details["label"])] if problem.code in ("label-missing", "table-missing") else []


def _commonest(results: Sequence[FileResult]) -> str:
    counts: dict[str, int] = {}
    for result in results:
        for extracted in result.forms:
            counts[extracted.form] = counts.get(extracted.form, 0) + 1
    return max(sorted(counts), key=lambda form: counts[form])


def _locator(merged: Merged) -> Callable[[str, str, str], Location]:
    def locate(project: str, key: str, label: str) -> Location:
        source = merged.sources[project]
        return Location(source.file, source.sheet, source.cells.get(key), label.rstrip(":："))

    return locate


# --- where each value came from ---------------------------------------------------------------


def sources_text(result: Consolidated, portfolio: bytes = b"") -> str:
    """Write the sources file of the written `portfolio`: for every value the file, sheet and cell it was typed in."""
    projects = {
        i: {"file": s.file, "sha256": s.sha256, "sheet": s.sheet, "cells": s.cells} for i, s in result.sources.items()
    }
    # A line per project: comparable, and the faster half of what json can do.
    lines = [f"{json.dumps(i)}: {json.dumps(p, ensure_ascii=False)}" for i, p in projects.items()]
    head = (
        f'{{"kpixl-sources": {SOURCES_FORMAT}, "portfolio": "{hashlib.sha256(portfolio).hexdigest()}", "projects": {{\n'
    )
    return head + ",\n".join(lines) + "\n}}\n"


def sources_path(portfolio: Path) -> Path:
    """Return where the sources of a portfolio file are kept: beside it."""
    return portfolio.with_name(portfolio.stem + SOURCES_SUFFIX)


def sources_of(portfolio: Path) -> dict[str, str] | None:
    """Read for each project the text of its source; None where there is no sources file that can be read."""
    path = sources_path(portfolio)
    try:
        data: Any = json.loads(path.read_text(encoding="utf-8"))
        projects = data["projects"].items()
        return {str(i): str(Source(str(s["file"]), "", s["sheet"])) for i, s in projects}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


# --- writing ----------------------------------------------------------------------------------


def write_consolidated(
    result: Consolidated, out: Path, summary: Path | None = None, *, lang: str = "zh", today: date
) -> tuple[list[tuple[Path, bool]], tuple[Problem, ...]]:
    """Write YAML, sources and summary; return (path, whether it changed) of each, and all problems.

    `today` names the copy of an old summary that cannot be carried over whole.
    Nothing is written where not one project was read: an office's good file must not give way to an empty one.
    """
    problems = result.problems
    if not result.portfolio.projects:
        return [], (*problems, Problem("no-projects"))
    content = canonical.dumps(result.form, result.portfolio).encode()
    sources_content = sources_text(result, content).encode("utf-8", "surrogatepass")
    if out.is_file() and _touched(out, content):
        problems = (*problems, keep_copy(out, lang, today))
    written = [
        (out, write_atomic(out, content)),
        (sources_path(out), write_atomic(sources_path(out), sources_content)),
    ]
    if summary is not None:
        from kpixl.summary import write_summary

        sources = {i: str(s) for i, s in result.sources.items()}
        changed, more, copy = write_summary(
            summary, result.form, result.portfolio, lang=lang, sources=sources, today=today
        )
        written += [(copy, True)] if copy is not None else []
        written.append((summary, changed))
        problems = (*problems, *more)
    return written, problems


def _touched(out: Path, content: bytes) -> bool:
    """Tell whether the file to be replaced is more than what the last run wrote: edited by hand, or something else."""
    old = out.read_bytes()
    if old == content:
        return False
    try:
        data: Any = json.loads(sources_path(out).read_text(encoding="utf-8"))
        return bool(data["portfolio"] != hashlib.sha256(old).hexdigest())
    except (OSError, ValueError, KeyError, TypeError):
        return True


def report_data(
    result: Consolidated, problems: Sequence[Problem], written: Sequence[tuple[Path, bool]], lang: str
) -> dict[str, Any]:
    """Turn a run into JSON data."""
    return {
        "form": result.form.id,
        "year": result.portfolio.year,
        "projects": len(result.portfolio.projects),
        "files": [
            {"file": f.file, "sha256": f.sha256, "projects": len(f.forms), "second_looks": f.second_looks}
            for f in result.files
        ],
        "problems": [p.data(lang) for p in problems],
        "written": [str(path) for path, _ in written],
    }
