"""Ctrl-C: the first ends the run and cleans up, further ones do not disturb the cleaning."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

EXIT_CODE = 130  # what shells expect after SIGINT: 128 + 2
PATIENCE = 1.5  # seconds for cleaning up; a library that swallows the interrupt must not keep the run alive


class _State:
    watching = False
    interrupted = False
    shields = 0  # how many `uninterrupted` blocks are open


def watch() -> None:
    """Handle SIGINT for a command: KeyboardInterrupt once, nothing for those that follow."""
    _State.watching, _State.interrupted, _State.shields = True, False, 0
    signal.signal(signal.SIGINT, _on_interrupt)


def interrupted() -> bool:
    """Return whether an interrupt has come."""
    return _State.interrupted


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Let a short block run to its end; an interrupt that comes meanwhile is raised after it.

    Without `watch` (kpixl used as a library) signals are the caller's, and this does nothing.
    """
    came_before = _State.interrupted
    _State.shields += 1
    try:
        yield
    finally:
        _State.shields -= 1
    if _State.watching and _State.interrupted and not came_before and not _State.shields:
        raise KeyboardInterrupt


def _on_interrupt(_number: int, _frame: FrameType | None) -> None:
    if _State.interrupted:
        return
    _State.interrupted = True
    if hasattr(signal, "setitimer"):
        signal.signal(signal.SIGALRM, _give_up)
        signal.setitimer(signal.ITIMER_REAL, PATIENCE)
    if not _State.shields:
        raise KeyboardInterrupt


def _give_up(_number: int, _frame: FrameType | None) -> None:
    if _State.shields:  # the disk is slow; what is being written is finished first
        signal.setitimer(signal.ITIMER_REAL, PATIENCE)
        return
    sys.stderr.flush()
    os._exit(EXIT_CODE)
