"""Many files -> forms: each is read in a worker process, so that one which brings its reader down costs only itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path

from kpixl.collection.one_file import FileResult, Job, beyond, failed, read_file
from kpixl.forms.definition import Form
from kpixl.parallel import Bounds, Death, Pool, Progress
from kpixl.readers import DEFAULT_LIMITS, Limits
from kpixl.recognise.extract import Extractor
from kpixl.texts import Text


def read_files(
    jobs: Sequence[Job],
    forms: Sequence[Form],
    limits: Limits = DEFAULT_LIMITS,
    workers: int | None = None,
    progress: Progress | None = None,
) -> list[FileResult]:
    """Read files in worker processes, as many as there are processors; in the order of `jobs`.

    `progress` counts jobs. Bounds on time and memory hold in worker processes only.
    `workers` 0 reads in this process, without protection from files that crash their reader.
    """
    results: list[FileResult] = []
    with Pool(partial(_reader, forms, limits), bounds_of(limits), workers) as pool:
        for job, outcome in zip(jobs, pool.run(jobs, progress), strict=True):
            found = outcome.parts[0] if outcome.death is None else (_lost(job, outcome.death, limits),)
            time = _modified(job.path)
            results += [replace(result, job=job, modified=result.modified or time) for result in found]
    return results


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
