"""Many files -> forms: each is read in a worker process, so that one which brings its reader down costs only itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path

from kpixl.collection.executors import Results, Undone, read_on, undone
from kpixl.collection.one_file import FileResult, Job, beyond, failed, read_file
from kpixl.forms.definition import Form
from kpixl.parallel import Bounds, Death, Pool, Progress
from kpixl.problems import Location, Problem
from kpixl.readers import DEFAULT_LIMITS, Limits
from kpixl.recognise.extract import Extractor
from kpixl.texts import Text

Workers = int | Executor | None
"""Who reads: so many processes, by default as many as there are processors; 0 reads in this one; or an executor."""


def read_files(
    jobs: Sequence[Job],
    forms: Sequence[Form],
    limits: Limits = DEFAULT_LIMITS,
    workers: Workers = None,
    progress: Progress | None = None,
) -> list[FileResult]:
    """Read files in worker processes or on an executor; in the order of `jobs`.

    `progress` counts jobs. Bounds on time and memory hold in worker processes only. `workers` 0 reads in this process,
    without protection from files that crash their reader; a file that an executor fails to read is read in a process.
    """
    if isinstance(workers, Executor):
        read = _on_executor(jobs, forms, limits, workers, progress)
    else:
        read = _in_processes(jobs, forms, limits, workers, progress)
    results: list[FileResult] = []
    for job, found in zip(jobs, read, strict=True):
        time = _modified(job.path)
        results += [replace(result, job=job, modified=result.modified or time) for result in found]
    return results


def _in_processes(
    jobs: Sequence[Job], forms: Sequence[Form], limits: Limits, workers: int | None, progress: Progress | None
) -> Iterator[Results]:
    with Pool(partial(_reader, forms, limits), bounds_of(limits), workers) as pool:
        for job, outcome in zip(jobs, pool.run(jobs, progress), strict=True):
            yield outcome.parts[0] if outcome.death is None else (_lost(job, outcome.death, limits),)


def _on_executor(
    jobs: Sequence[Job], forms: Sequence[Form], limits: Limits, executor: Executor, progress: Progress | None
) -> Iterator[Results]:
    results = read_on(executor, jobs, forms, limits, progress)
    left = undone(results)
    again = [*_in_processes([jobs[number] for number in left], forms, limits, None, None)] if left else []
    for number, (first, *others) in zip(left, again, strict=True):
        noted = Problem("read-again", Location(jobs[number].shown), {"reason": left[number]})
        results[number] = (replace(first, problems=(*first.problems, noted)), *others)
    yield from (result for result in results if not isinstance(result, Undone))


def bounds_of(limits: Limits) -> Bounds:
    """Return the bounds on a worker process among all bounds."""
    return Bounds(limits.seconds, limits.memory_bytes)


def death_reason(death: Death) -> Text:
    """Return how a worker process ended, where that was not by a bound."""
    return (f"读取进程异常退出，代码 {death.exit_code}", f"the reading process died with code {death.exit_code}")


def _reader(forms: Sequence[Form], limits: Limits) -> Callable[[Job], list[tuple[FileResult, ...]]]:
    extractor = Extractor(forms)
    return lambda job: [read_file(job, extractor, limits)]


def _lost(job: Job, death: Death, limits: Limits) -> FileResult:
    if death.bound:
        return beyond(death.bound, job.shown, limits)
    return failed(job.shown, "reader-died", reason=death_reason(death))


def _modified(path: Path) -> datetime | None:
    """Return when a file was last written, in local time; None where the system does not say."""
    try:
        return datetime.fromtimestamp(int(path.stat().st_mtime))
    except (OSError, ValueError, OverflowError):
        return None
