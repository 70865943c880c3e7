"""Many things at once, in worker processes: each bounded, so that one task never costs another its result.

Each worker is handed some tasks and sends back every part of a result as soon as it has it. Where it dies, the task it
was at is known, and the rest goes to a new worker. Workers end with the process that started them, however it ends.
"""

from __future__ import annotations

import contextlib
import faulthandler
import multiprocessing
import os
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from multiprocessing.connection import Connection, wait
from pathlib import Path
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

from kpixl.interrupts import uninterrupted

BATCH = 8  # tasks handed to a worker at a time: keeps it busy without waiting for the next
AHEAD = 256  # results kept while an earlier task is still running: bounds memory
PATIENCE = 5.0  # seconds beyond the bound until a worker that should have ended itself is ended

T = TypeVar("T")
R = TypeVar("R")
Progress = Callable[[int, int], None]  # tasks done, tasks in all
Start = Callable[[], Callable[[T], Iterable[R]]]  # called once in each worker; must be picklable


@dataclass(frozen=True, slots=True)
class Bounds:
    """How long a part of a task may take, and how much memory a worker may use on top of what it starts with.

    None where there is no bound.
    """

    seconds: float | None = None
    memory_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class Death:
    """Why a task has no whole result: `bound` is the name of the exceeded bound, "" where its worker just ended."""

    bound: str
    exit_code: int | None = None


@dataclass(frozen=True, slots=True)
class Outcome(Generic[R]):
    """The parts that a task gave, and why there are no more, where its worker died."""

    parts: tuple[R, ...]
    death: Death | None = None


@dataclass(slots=True)
class _Worker:
    process: Any
    pipe: Connection
    tasks: deque[int] = field(default_factory=deque)  # numbers of the tasks it was handed and has not finished
    parts: list[Any] = field(default_factory=list)  # of the first of these
    fresh: bool = True  # the first task is its first
    since: float = 0.0  # when the first task, or its last part, began


def default_count() -> int:
    """Return how many workers there are where nobody says how many: one for each processor."""
    return os.cpu_count() or 1


class Pool(Generic[T, R]):
    """Worker processes that are started as they are needed; a context manager, at whose end none is left.

    `count` 0 runs tasks in this process, where no bounds hold and a crash is a crash.
    """

    def __init__(self, start: Start[T, R], bounds: Bounds, count: int | None = None) -> None:
        self._start, self._bounds = start, bounds
        self._count = count if count is not None else default_count()
        self._context = _context()
        self._workers: list[_Worker] = []
        # Nobody ever writes into it: its end tells workers that the process that started them has ended.
        self._lifeline, self._held = self._context.Pipe(duplex=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with uninterrupted():
            for worker in self._workers:
                worker.process.kill()
            for worker in self._workers:
                worker.process.join()
                worker.pipe.close()
            self._workers.clear()
            self._held.close()
            self._lifeline.close()

    def run(self, tasks: Sequence[T], progress: Progress | None = None) -> Iterator[Outcome[R]]:
        """Yield the outcome of every task, in the order of `tasks`; what `work` raises is raised here."""
        if self._count == 0:
            yield from self._run_here(tasks, progress)
            return
        waiting = deque(range(len(tasks)))
        retried: set[int] = set()
        done: dict[int, Outcome[R]] = {}
        following = finished = 0
        size = max(1, min(BATCH, -(-len(tasks) // self._count)))
        while following < len(tasks):
            self._hand_out(tasks, waiting, following + AHEAD, size)
            for number, outcome in self._collect(waiting, retried):
                done[number] = outcome
                finished += 1
                if progress is not None:
                    progress(finished, len(tasks))
            while following in done:
                yield done.pop(following)
                following += 1

    def _run_here(self, tasks: Sequence[T], progress: Progress | None) -> Iterator[Outcome[R]]:
        work = self._start()
        for number, task in enumerate(tasks, 1):
            outcome = Outcome(tuple(work(task)))
            if progress is not None:
                progress(number, len(tasks))
            yield outcome

    def _hand_out(self, tasks: Sequence[T], waiting: deque[int], end: int, size: int) -> None:
        """Give every idle worker some of the tasks that come before `end`; start workers while there is more to do."""
        idle = [worker for worker in self._workers if not worker.tasks]
        while waiting and waiting[0] < end:
            if not idle:
                if len(self._workers) >= self._count:
                    return
                idle.append(self._begin())
            worker = idle.pop()
            batch = [waiting.popleft() for _ in range(min(size, len(waiting)))]
            worker.tasks.extend(batch)
            worker.since = time.monotonic()
            # A worker that is already dead is noticed when its answer is waited for.
            with contextlib.suppress(OSError):
                worker.pipe.send([tasks[number] for number in batch])

    def _begin(self) -> _Worker:
        with uninterrupted():
            ours, theirs = self._context.Pipe()
            inherited = [self._held, ours, *(worker.pipe for worker in self._workers)]
            # What is inherited by forking must be closed there; a spawned process inherits nothing.
            closing = inherited if self._context.get_start_method() == "fork" else []
            arguments = (theirs, self._lifeline, closing, self._start, self._bounds)
            process = self._context.Process(target=_serve, args=arguments, daemon=True)
            process.start()
            theirs.close()
            worker = _Worker(process, ours)
            self._workers.append(worker)
            return worker

    def _collect(self, waiting: deque[int], retried: set[int]) -> Iterator[tuple[int, Outcome[R]]]:
        """Wait for workers; yield the tasks that are finished, be it by the death of their worker."""
        busy = {worker.pipe: worker for worker in self._workers if worker.tasks}
        ready = wait(busy, timeout=1.0)
        for pipe in ready:
            worker = busy[pipe]  # type: ignore[index]
            try:
                kind, content = worker.pipe.recv()
            except (EOFError, OSError):
                yield from self._buried(worker, waiting, retried)
                continue
            worker.since = time.monotonic()
            if kind == "part":
                worker.parts.append(content)
            elif kind == "error":
                raise content
            else:
                yield self._finished(worker, content)
        for worker in busy.values():
            # The clock of the worker itself ends it; this is for one that is stopped or swapped out.
            longest = None if self._bounds.seconds is None else self._bounds.seconds + PATIENCE
            if longest is not None and worker.pipe not in ready and time.monotonic() - worker.since > longest:
                worker.process.kill()

    def _finished(self, worker: _Worker, death: Death | None) -> tuple[int, Outcome[R]]:
        outcome: Outcome[R] = Outcome(tuple(worker.parts), death)
        worker.parts, worker.fresh = [], False
        return worker.tasks.popleft(), outcome

    def _buried(self, worker: _Worker, waiting: deque[int], retried: set[int]) -> Iterator[tuple[int, Outcome[R]]]:
        """Take leave of a dead worker: its task is lost or, where earlier ones may be to blame, tried once more."""
        with uninterrupted():
            worker.process.join()
            self._workers.remove(worker)
            worker.pipe.close()
        death = self._cause(worker)
        first = worker.tasks[0]
        if death.bound == "seconds" or worker.fresh or worker.parts or first in retried:
            yield self._finished(worker, death)
        else:
            retried.add(first)
        waiting.extendleft(reversed(worker.tasks))

    def _cause(self, worker: _Worker) -> Death:
        code, took = worker.process.exitcode, time.monotonic() - worker.since
        # A worker ends itself with code 1 where a task takes too long; when it began it is known here a bit late.
        most = self._bounds.seconds
        if most is not None and (took >= most or (code == 1 and took >= most / 2)):
            return Death("seconds", code)
        # SIGABRT is what calamine ends with where there is no memory.
        return Death("memory_bytes" if code == -signal.SIGABRT else "", code)


def in_processes(function: Callable[[T], R], items: Sequence[T], workers: int | None = None) -> list[R]:
    """Return `function` of each of `items`, in their order.

    `workers`: at most so many processes, as many as there are processors if None; below 2 everything is done in this
    process. Function, items and results must be such as pickle takes. Raises what `function` raises.
    """
    count = min(default_count() if workers is None else workers, len(items))
    if count < 2:
        return [function(item) for item in items]
    # A forked worker has the items already, and a task is but a number.
    with Pool(partial(_applied, function, items), Bounds(), count) as pool:
        outcomes = list(pool.run(range(len(items))))
    # A worker was killed, for want of memory perhaps: one thing at a time needs less.
    return [
        outcome.parts[0] if outcome.death is None else function(item)
        for item, outcome in zip(items, outcomes, strict=True)
    ]


def _applied(function: Callable[[T], R], items: Sequence[T]) -> Callable[[int], list[R]]:
    return lambda number: [function(items[number])]


def _context() -> Any:
    # Forking spares each worker the start of Python; where it does not exist, spawning works as well.
    return multiprocessing.get_context("fork" if "fork" in multiprocessing.get_all_start_methods() else "spawn")


# --- in the worker ----------------------------------------------------------------------------


def _serve(
    pipe: Connection, lifeline: Connection, inherited: Iterable[Connection], start: Start[Any, Any], bounds: Bounds
) -> None:
    """Do tasks until the process that started this one closes the pipe, or ends."""
    # A terminal sends Ctrl-C to every process; the one that started this one decides.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for connection in inherited:
        connection.close()
    threading.Thread(target=_end_with_parent, args=(lifeline,), daemon=True).start()
    # A library that panics prints where; what a person needs to know of it is a problem. Spelling out the way there
    # takes memory, and where none is left Rust waits for its own lock for ever.
    os.environ["RUST_BACKTRACE"] = "0"
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    if faulthandler.is_enabled():  # as under pytest, whose copy of stderr the line above does not reach
        faulthandler.enable(file=2)
    if bounds.memory_bytes is not None:
        _bound_memory(bounds.memory_bytes)
    with contextlib.suppress(EOFError, BrokenPipeError):
        try:
            work = start()
        except Exception as error:  # noqa: BLE001 - raised where the pool is used
            pipe.send(("error", error))
            return
        while True:
            for task in pipe.recv():
                pipe.send(_done(task, work, pipe, bounds.seconds))


def _done(
    task: object, work: Callable[[Any], Iterable[Any]], pipe: Connection, seconds: float | None
) -> tuple[str, Death | Exception | None]:
    """Do one task and send its parts. One that takes too long ends the worker, also in the midst of a library."""
    _start_clock(seconds)
    try:
        for part in work(task):
            pipe.send(("part", part))
            _start_clock(seconds)
    except MemoryError:
        return "end", Death("memory_bytes")
    except BrokenPipeError:
        raise
    except Exception as error:  # noqa: BLE001 - a fault of ours is raised where the pool is used
        return "error", error
    else:
        return "end", None
    finally:
        faulthandler.cancel_dump_traceback_later()


def _start_clock(seconds: float | None) -> None:
    if seconds is None:
        return
    try:
        faulthandler.dump_traceback_later(seconds, exit=True, file=2)
    except RuntimeError:
        # Earlier tasks left no memory for the thread of the clock; `_cause` takes this end for want of memory.
        os.abort()


def _end_with_parent(lifeline: Connection) -> None:
    with contextlib.suppress(EOFError, OSError):
        lifeline.recv_bytes()
    os._exit(1)


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
