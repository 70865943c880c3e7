"""Ctrl-C: the first ends the run and cleans up, further ones do not disturb the cleaning."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from types import FrameType
from typing import NoReturn

from kpixl.texts import Text, asked_language, say

EXIT_CODE = 130  # what shells expect after SIGINT: 128 + 2
PATIENCE = 1.5  # seconds for cleaning up; a library that swallows the interrupt must not keep the run alive


_TEXT: Text = (
    "已中断。已写完的文件是完整的，其余没有写出。",
    "Interrupted. Files that were already written are whole; the others were not written.",
)


class _State:
    interrupted = False
    shields = 0  # how many `uninterrupted` blocks are open
    text = _TEXT[0]


def watch(arguments: Sequence[str] = ()) -> None:
    """Handle SIGINT for a command line: KeyboardInterrupt once, nothing for those that follow."""
    _State.text = text_of(arguments)
    signal.signal(signal.SIGINT, _on_interrupt)


def finish(code: int) -> NoReturn:
    """End the process with `code`; no interrupt ends it in a traceback any more."""
    ignore()
    if _State.interrupted:
        # Where the interrupt came while some library evaluated a string, Python would end itself by the signal at exit.
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError):  # whoever read it is gone
                stream.flush()
        os._exit(code)
    sys.exit(code)


def ignore() -> None:
    """Take no notice of interrupts any more: the run is over."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_REAL, 0)


def forget() -> None:
    """Be ready for another run in this process."""
    _State.interrupted, _State.shields = False, 0


def text_of(arguments: Sequence[str]) -> str:
    """Return the sentence for a run that was interrupted."""
    return say(_TEXT, asked_language(arguments))


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Let a short block run to its end; an interrupt that comes meanwhile is raised after it.

    Without `watch` (kpixl used as a library) signals are the caller's, and this does nothing.
    """
    before = _State.interrupted
    _State.shields += 1
    try:
        yield
    finally:
        _State.shields -= 1
        if _State.interrupted and not before and not _State.shields:
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
    print(_State.text, file=sys.stderr, flush=True)
    os._exit(EXIT_CODE)
