"""Read files on an executor that the caller brings: threads, processes, or the workers of a Dask cluster.

A task is one file and carries its content, so that another machine need not see the folder. What the executor fails to
do, be it that its workers die of a file, is done in worker processes of our own, which are bounded.
"""

from __future__ import annotations

import pickle
import threading
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from functools import lru_cache
from typing import NamedTuple

from kpixl.collection.one_file import FileResult, Job, content_or_problem, read_content
from kpixl.forms.definition import Form
from kpixl.parallel import Progress
from kpixl.readers import Limits
from kpixl.recognise.extract import Extractor
from kpixl.version import __version__

AHEAD = 128  # tasks that are under way at most: enough for some 60 workers
MOST_BYTES = 256 << 20  # of the files that are under way, unless one alone has more: bounds the memory of this process
PATIENCE = 30.0  # seconds beyond the bound of one file until an executor that finishes nothing is given up

# pdfium is not made for threads, nor is what an Extractor remembers of labels.
_READING = threading.Lock()

Results = tuple[FileResult, ...]


class Undone(NamedTuple):
    """Why an executor has no result for a file."""

    reason: str


def read_on(
    executor: Executor, jobs: Sequence[Job], forms: Sequence[Form], limits: Limits, progress: Progress | None = None
) -> list[Results | Undone]:
    """Read files on `executor`; in the order of `jobs`, whatever the order in which they are done."""
    run = _Run(executor, pickle.dumps(tuple(forms)), limits)
    found: dict[int, Results | Undone] = {}
    try:
        for number, result in run.results(jobs):
            found[number] = result
            if progress is not None:
                progress(len(found), len(jobs))
    finally:
        run.cancel()
    return [found.get(number, Undone(run.reason)) for number in range(len(jobs))]


class _Run:
    """The tasks of one call; `reason`: why the executor was given up."""

    def __init__(self, executor: Executor, forms: bytes, limits: Limits) -> None:
        self.executor, self.forms, self.limits = executor, forms, limits
        self.running: dict[Future[Results], tuple[int, int]] = {}  # the number of its job, the size of its content
        self.bytes = 0
        self.reason = ""

    def results(self, jobs: Sequence[Job]) -> Iterator[tuple[int, Results | Undone]]:
        """Yield what is done, with the number of its job, until all is or the executor is given up."""
        waiting = deque(enumerate(jobs))
        while (waiting or self.running) and not self.reason:
            while waiting and len(self.running) < AHEAD and self.bytes < MOST_BYTES and not self.reason:
                number, job = waiting.popleft()
                content = content_or_problem(job, self.limits)
                if isinstance(content, FileResult):
                    yield number, (content,)
                else:
                    self._submit(number, job, content)
            yield from self._finished()

    def _submit(self, number: int, job: Job, content: bytes) -> None:
        try:
            future = self.executor.submit(_read, self.forms, __version__, job, content, self.limits)
        except RuntimeError as error:  # shut down or broken, as the standard library's executors report it
            self.reason = _told(error)
            return
        self.running[future] = (number, len(content))
        self.bytes += len(content)

    def _finished(self) -> Iterator[tuple[int, Results | Undone]]:
        # Every worker may be at a file that takes as long as one may: after that, something must be done.
        longest = self.limits.seconds + PATIENCE
        done, _ = wait(self.running, timeout=longest, return_when=FIRST_COMPLETED)
        if self.running and not done:
            self.reason = f"no file was read within {longest:.0f} s"
        for future in done:
            number, size = self.running.pop(future)
            self.bytes -= size
            yield number, _outcome(future)

    def cancel(self) -> None:
        """Take back what has not begun."""
        for future in self.running:
            future.cancel()


def _outcome(future: Future[Results]) -> Results | Undone:
    try:
        return future.result()
    except Exception as error:  # noqa: BLE001 - of any executor; a fault of ours is raised where the file is read again
        return Undone(_told(error))


def _told(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__


# --- in the worker ----------------------------------------------------------------------------


def _read(forms: bytes, version: str, job: Job, content: bytes, limits: Limits) -> Results:
    """Read one file. Raises RuntimeError where another kpixl is installed, which may read it otherwise."""
    if version != __version__:
        raise RuntimeError(f"kpixl {__version__} instead of {version}")
    with _READING:
        return read_content(content, job, _extractor(forms), limits)


@lru_cache(maxsize=2)
def _extractor(forms: bytes) -> Extractor:
    # Made by read_on, as everything that an executor carries.
    return Extractor(pickle.loads(forms))


def undone(results: Sequence[Results | Undone]) -> Mapping[int, str]:
    """Map the numbers of the jobs that an executor left undone to the reasons."""
    return {number: result.reason for number, result in enumerate(results) if isinstance(result, Undone)}
