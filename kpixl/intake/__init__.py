"""Files -> forms: reads each file in a worker process, so that one which brings its reader down costs only itself."""

from __future__ import annotations

import contextlib
import faulthandler
import hashlib
import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from kpixl import marker as markers
from kpixl.grids import (
    DEFAULT_LIMITS,
    Grid,
    Limits,
    Opened,
    UnreadableError,
    exceeded,
    file_too_large,
    open_content,
    read_grids,
    read_opened,
)
from kpixl.intake.doubts import settle
from kpixl.intake.extract import Extractor
from kpixl.intake.reading import Extracted, Nothing
from kpixl.model import Form
from kpixl.problems import Location, Problem
from kpixl.values import is_blank

OWN_SHEET = "_kpixl"  # the hidden sheet that says what a workbook of ours is
SUMMARY_KIND = '"kind":"summary"'
BATCH = 8  # files handed to a worker at a time: keeps the pipe busy and the loss small when one dies

Progress = Callable[[int, int], None]


__all__ = ["DEFAULT_LIMITS", "FileResult", "Job", "Limits", "Progress", "read_file", "read_files"]


@dataclass(frozen=True, slots=True)
class FileResult:
    """What one file gave."""

    file: str
    sha256: str = ""
    forms: tuple[Extracted, ...] = ()
    problems: tuple[Problem, ...] = ()
    second_looks: int = 0


@dataclass(frozen=True, slots=True)
class Job:
    """A file to read: where it is, how it is shown, and whether the person named this very file."""

    path: Path
    shown: str
    named: bool = False


# --- one file ---------------------------------------------------------------------------------


def read_file(job: Job, extractor: Extractor, limits: Limits = DEFAULT_LIMITS) -> tuple[FileResult, ...]:
    """Read one file; an archive gives a result for every file in it. Whatever is wrong comes back as problems.

    A summary of ours is read only when it was named: found in a folder, its projects would count twice.
    """
    path, shown = job.path, job.shown
    try:
        if (size := path.stat().st_size) > limits.file_bytes:
            return (FileResult(shown, problems=(file_too_large(size, limits).problem(shown),)),)
        content = path.read_bytes()
    except OSError as error:
        return (_failed(shown, "not-readable", reason=error.strerror or str(error)),)
    try:
        return tuple(_results(content, shown, job.named, extractor, limits, 0))
    except MemoryError:
        return (_beyond("memory_bytes", shown, limits),)


def _beyond(name: str, shown: str, limits: Limits) -> FileResult:
    return FileResult(shown, problems=(exceeded(name, None, limits).problem(shown),))


def _failed(shown: str, code: str, **details: object) -> FileResult:
    return FileResult(shown, problems=(Problem(code, Location(shown), details),))


def _results(
    content: bytes, shown: str, named: bool, extractor: Extractor, limits: Limits, depth: int
) -> list[FileResult]:
    """Read some content, `depth` archives deep."""
    try:
        opened = open_content(content, limits)
        if opened.archive is None:
            return [_read(opened, shown, named, extractor)]
        return _archived(opened, shown, extractor, depth)
    except UnreadableError as error:
        return [FileResult(shown, hashlib.sha256(content).hexdigest(), problems=(error.problem(shown),))]


def _archived(opened: Opened, shown: str, extractor: Extractor, depth: int) -> list[FileResult]:
    """Read every file of an archive; the archive itself has a result where there is something to say of it."""
    from kpixl.grids import archives

    assert opened.archive is not None
    if depth >= opened.limits.nesting:
        raise archives.too_deep(opened.limits)
    results: list[FileResult] = []
    problems: list[Problem] = []
    for member in archives.members(opened.archive, shown, opened.limits):
        if member.problem is None:
            results += _results(member.content, member.shown, False, extractor, opened.limits, depth + 1)
        elif member.problem.code == "file-skipped":
            problems.append(member.problem)
        else:
            results.append(FileResult(member.shown, problems=(member.problem,)))
    if not results:
        problems.append(Problem("no-sheets", Location(shown)))
    if problems:
        digest = hashlib.sha256(opened.content).hexdigest()
        results.insert(0, FileResult(shown, digest, problems=tuple(problems)))
    return results


def _read(opened: Opened, shown: str, named: bool, extractor: Extractor) -> FileResult:
    """Read the forms of one workbook, document, page or text."""
    read = read_opened(opened, shown)
    if not named and _is_summary(read.grids):
        return FileResult(shown, read.sha256, problems=(Problem("own-output-skipped", Location(shown)),))
    forms: list[Extracted] = []
    empty: list[tuple[Grid, Nothing]] = []
    problems = list(read.problems)
    for grid in read.grids:
        if grid.name is not None and grid.name.startswith(OWN_SHEET):
            continue
        try:
            found = extractor.extract(grid, shown)
        except UnreadableError as error:  # its merged ranges are beyond a bound
            problems.append(error.problem(shown, grid.name))
            continue
        if isinstance(found, Nothing):
            empty.append((grid, found))
        else:
            forms += found
    if not forms and empty:
        problems.append(_unrelated(shown, extractor, [nothing for _, nothing in empty]))
    elif not forms and not problems:
        problems.append(Problem("no-sheets", Location(shown)))
    else:
        problems += [Problem("sheet-skipped", Location(shown, grid.name)) for grid, _ in empty if _foreign(grid)]
    forms, looks = settle(forms, opened, shown, extractor.forms)
    return FileResult(shown, read.sha256, tuple(forms), tuple(problems), looks)


def is_own_summary(path: Path) -> bool:
    """Tell whether a file is a summary workbook that kpixl made."""
    if not path.is_file() or path.stat().st_size > DEFAULT_LIMITS.file_bytes:
        return False
    return _is_summary(read_grids(path.read_bytes(), path.name).grids)


def _is_summary(grids: Sequence[Grid]) -> bool:
    own = next((g for g in grids if g.name == OWN_SHEET), None)
    if own is None or not own.rows or not own.rows[0]:
        return False
    first = own.rows[0][0]
    return isinstance(first, str) and SUMMARY_KIND in first


def _foreign(grid: Grid) -> bool:
    """Tell whether a sheet is neither blank nor one that every template of ours has."""
    head = grid.rows[0] if grid.rows else []
    own = any(isinstance(raw, str) and raw.startswith(markers.PREFIX) for raw in head)
    return not own and any(not is_blank(raw) for row in grid.rows for raw in row)


def _unrelated(file: str, extractor: Extractor, nothings: Sequence[Nothing]) -> Problem:
    best = max(nothings, key=lambda n: len(n.found))
    title = extractor.form(best.form).title
    none = ("无", "none")
    details: dict[str, object] = {
        "title": title,
        "found": "、".join(best.found) or none,
        "missing": "、".join(best.missing) or none,
    }
    return Problem("no-form", Location(file), details)


# --- many files -------------------------------------------------------------------------------

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
    return [result for job in jobs for result in results[job.shown]]


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
        return (_beyond("seconds", job.shown, limits),)
    if process.exitcode == -signal.SIGABRT:  # what calamine does where there is no memory
        return (_beyond("memory_bytes", job.shown, limits),)
    code = process.exitcode
    reason = (f"读取进程异常退出，代码 {code}", f"the reading process died with code {code}")
    return (_failed(job.shown, "reader-died", reason=reason),)


def _send(pipe: Connection, job: Job, forms: Sequence[Form], limits: Limits) -> None:
    _start_worker(forms, limits)
    ((_, results),) = _work([job])
    pipe.send(results)


def _context() -> Any:
    # Forking spares each worker the start of Python; where it does not exist, spawning works as well.
    return multiprocessing.get_context("fork" if "fork" in multiprocessing.get_all_start_methods() else "spawn")
