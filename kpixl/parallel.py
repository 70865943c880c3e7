"""The same function for many things, in worker processes, on all processors."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Any, TypeVar

T = TypeVar("T")
R = TypeVar("R")

_function: Callable[[Any], Any] | None = None
_items: Sequence[Any] = ()


def in_processes(function: Callable[[T], R], items: Sequence[T], workers: int | None = None) -> list[R]:
    """Return `function` of each of `items`, in their order.

    `workers`: at most so many processes, as many as there are processors if None; below 2 everything is done in this
    process. Function, items and results must be such as pickle takes. Raises what `function` raises.
    """
    most = (os.cpu_count() or 1) if workers is None else workers
    count = min(most, len(items))
    if count < 2:
        return [function(item) for item in items]
    done: list[R] = []
    try:
        with ProcessPoolExecutor(count, _context(), _start, (function, items)) as pool:
            try:
                done.extend(pool.map(_work, range(len(items))))
            finally:
                pool.shutdown(wait=True, cancel_futures=True)
    except BrokenProcessPool:  # a worker was killed, for want of memory perhaps: one thing at a time needs less
        done.extend(function(item) for item in items[len(done) :])
    return done


def _start(function: Callable[[Any], Any], items: Sequence[Any]) -> None:
    """Keep what all tasks share: a forked worker has it already, and a task is but a number."""
    global _function, _items
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C ends the parent, which ends the workers in order
    _function, _items = function, items


def _work(number: int) -> Any:
    assert _function is not None
    return _function(_items[number])


def _context() -> Any:
    # Forking spares each worker the start of Python; where it does not exist, spawning works as well.
    return multiprocessing.get_context("fork" if "fork" in multiprocessing.get_all_start_methods() else "spawn")
