"""Many files -> forms: each is read in a worker process, so that one which brings its reader down costs only itself."""

from __future__ import annotations

import contextlib
import faulthandler
import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from datetime import datetime
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from kpixl.collection.one_file import FileResult, Job, beyond, failed, read_file
from kpixl.forms.definition import Form
from kpixl.readers import DEFAULT_LIMITS, Limits
from kpixl.recognise.extract import Extractor

BATCH = 8  # files handed to a worker at a time: keeps the pipe busy and the loss small when one dies

Progress = Callable[[int, int], None]


_extractor: Extractor | None = None
_limits = DEFAULT_LIMITS

Read = tuple[str, tuple[FileResult, ...]]  # a job, by how it is shown, and what came of it


def _start_worker(forms: Sequence[Form], limits: Limits) -> None:
    global _extractor, _limits
    _extractor, _limits = Extractor(forms), limits
    # A library that panics prints where; what a person needs to know of it is a problem.
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    _bound_memory(limits.memory_bytes)


def _bound_memory(extra: int) -> None:
    """Let this process have no more than `extra` bytes on top of what it has; where the system cannot, do nothing."""
    try:
        import resource

        used = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0]) * resource.getpagesize()
    except (ImportError, OSError, ValueError):
        return
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_AS, (used + extra, hard))


def _work(jobs: Sequence[Job]) -> list[Read]:
    """Read files in a worker. A file that takes too long ends the worker, also in the midst of a library's code."""
    assert _extractor is not None
    results = []
    for job in jobs:
        faulthandler.dump_traceback_later(_limits.seconds, exit=True, file=2)
        results.append((job.shown, read_file(job, _extractor, _limits)))
        faulthandler.cancel_dump_traceback_later()
    return results


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
    count = min(workers if workers is not None else os.cpu_count() or 1, len(jobs))
    results: dict[str, tuple[FileResult, ...]] = {}

    def done(batch: Iterable[Read]) -> None:
        results.update(batch)
        if progress is not None:
            progress(len(results), len(jobs))

    if not jobs:
        return []
    if workers == 0:
        extractor = Extractor(forms)
        for job in jobs:
            done([(job.shown, read_file(job, extractor, limits))])
    else:
        size = max(1, min(BATCH, -(-len(jobs) // count)))
        batches = [jobs[i : i + size] for i in range(0, len(jobs), size)]
        lost = _pooled(batches, count, forms, limits, done)
        # A batch whose worker died is read again file by file, to find the one that did it.
        for job in (job for batch in lost for job in batch):
            done([(job.shown, _read_alone(job, forms, limits))])
    times = {job.shown: _modified(job.path) for job in jobs}
    return [replace(r, job=job, modified=r.modified or times[job.shown]) for job in jobs for r in results[job.shown]]


def _modified(path: Path) -> datetime | None:
    """Return when a file was last written, in local time; None where the system does not say."""
    try:
        return datetime.fromtimestamp(int(path.stat().st_mtime))
    except (OSError, ValueError, OverflowError):
        return None


def _pooled(
    batches: Sequence[Sequence[Job]],
    count: int,
    forms: Sequence[Form],
    limits: Limits,
    done: Callable[[Iterable[Read]], None],
) -> list[Sequence[Job]]:
    """Read batches in worker processes; return those that were lost because a worker died."""
    lost: list[Sequence[Job]] = []
    with ProcessPoolExecutor(count, _context(), _start_worker, (forms, limits)) as pool:
        waiting: list[tuple[Future[list[Read]], Sequence[Job]]] = []
        try:
            waiting = [(pool.submit(_work, batch), batch) for batch in batches]
        except BrokenProcessPool:
            lost += batches[len(waiting) :]
        for future, batch in waiting:
            try:
                done(future.result())
            except BrokenProcessPool:
                lost.append(batch)
    return lost


def _read_alone(job: Job, forms: Sequence[Form], limits: Limits) -> tuple[FileResult, ...]:
    """Read a file in a process of its own; where that dies, say what of."""
    context = _context()
    ours, theirs = context.Pipe(duplex=False)
    started = time.monotonic()
    process = context.Process(target=_send, args=(theirs, job, forms, limits), daemon=True)
    process.start()
    theirs.close()
    with ours, contextlib.suppress(EOFError):
        results: tuple[FileResult, ...] = ours.recv()
        return results
    process.join()
    if time.monotonic() - started >= limits.seconds:
        return (beyond("seconds", job.shown, limits),)
    if process.exitcode == -signal.SIGABRT:  # what calamine does where there is no memory
        return (beyond("memory_bytes", job.shown, limits),)
    code = process.exitcode
    reason = (f"读取进程异常退出，代码 {code}", f"the reading process died with code {code}")
    return (failed(job.shown, "reader-died", reason=reason),)


def _send(pipe: Connection, job: Job, forms: Sequence[Form], limits: Limits) -> None:
    _start_worker(forms, limits)
    ((_, results),) = _work([job])
    pipe.send(results)


def _context() -> Any:
    # Forking spares each worker the start of Python; where it does not exist, spawning works as well.
    return multiprocessing.get_context("fork" if "fork" in multiprocessing.get_all_start_methods() else "spawn")
