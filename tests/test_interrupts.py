"""Ctrl-C: a run ends at once, with a sentence, and nothing is left of it; what is being written is finished."""

from __future__ import annotations

import os
import random
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from kpixl import interrupts
from kpixl.interrupts import uninterrupted
from tests.laws.run_interrupts import interrupt

pytestmark = [pytest.mark.workers, pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")]


@pytest.fixture
def watched() -> Iterator[None]:
    """Handle interrupts as the command does, in this process."""
    before = signal.getsignal(signal.SIGINT)
    interrupts.watch()
    yield
    interrupts.ignore()
    interrupts.forget()
    signal.signal(signal.SIGINT, before)


@pytest.mark.slow
def test_two_interrupts_leave_nothing_behind(tmp_path: Path) -> None:
    assert list(interrupt(tmp_path, 2, random.Random(1), copies=8)) == []


@pytest.mark.usefixtures("watched")
def test_only_the_first_interrupt_is_raised() -> None:
    with pytest.raises(KeyboardInterrupt):
        os.kill(os.getpid(), signal.SIGINT)
    os.kill(os.getpid(), signal.SIGINT)
    with uninterrupted():
        os.kill(os.getpid(), signal.SIGINT)


@pytest.mark.usefixtures("watched")
def test_an_interrupt_waits_for_the_end_of_what_must_not_be_cut() -> None:
    steps = []
    with pytest.raises(KeyboardInterrupt), uninterrupted():
        with uninterrupted():
            os.kill(os.getpid(), signal.SIGINT)
            steps.append("inner")
        steps.append("outer")
    assert steps == ["inner", "outer"]
