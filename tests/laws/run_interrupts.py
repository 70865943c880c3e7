"""Send two Ctrl-C at random moments to runs with workers; report what does not end, speak or clean up as it should.

    python -m tests.laws.run_interrupts [--interrupts 20] [--seed 1]

Each number of interrupts is tried on `consolidate` and on `check --mark`, in turn to the whole group of processes, as a
terminal does, and to the first process only. Exits 1 where a run took longer than LONGEST to end, ended with another
code than 130, printed a traceback or nothing, or left a process or a temporary file.
"""

from __future__ import annotations

import argparse
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from kpixl.disk import TEMPORARY, TEMPORARY_END
from kpixl.forms.load import load_form
from kpixl.locks import LOCK
from kpixl.output.template import write_templates
from kpixl.portfolio import canonical
from tests.laws.run_kills import processes

_RAISED = re.compile(r"Traceback|\b[A-Z]\w+Error\b")  # a table of a run that was done has a column of errors
EXAMPLE = Path(__file__).parents[2] / "examples" / "sast-2026" / "2026.yaml"
LONGEST = 2.0  # seconds from the first Ctrl-C to the end
PYTHON = 0.3  # seconds until Python runs the command; before, nobody can answer a Ctrl-C
COPIES = 30


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--interrupts", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    chance = random.Random(options.seed)
    with tempfile.TemporaryDirectory() as place:
        faults = list(interrupt(Path(place), options.interrupts, chance))
    for fault in faults:
        print(fault)
    print(f"{len(faults)} faults")
    return int(bool(faults))


def interrupt(place: Path, number: int, chance: random.Random, copies: int = COPIES) -> Iterator[str]:
    """Yield what is wrong after `number` double Ctrl-C during each command."""
    (place / "returned").mkdir()
    prepare(place / "returned", copies)
    (place / "out").mkdir()
    returned, out = str(place / "returned"), place / "out"
    commands = {
        "consolidate": ["consolidate", returned, "-o", str(out / "2026.yaml"), "--lang", "en"],
        "check --mark": ["check", returned, "--mark", str(out / "marked"), "--lang", "en"],
    }
    for name, command in commands.items():
        began = time.monotonic()
        start(command).communicate()
        took, ended, slowest = time.monotonic() - began, 0, 0.0
        for n in range(number):
            shutil.rmtree(out)
            out.mkdir()
            run = start(command)
            time.sleep(chance.uniform(min(PYTHON, took / 2), took))
            if run.poll() is not None:
                ended += 1
                run.communicate()
                continue
            send = os.killpg if n % 2 else os.kill
            seconds, faults = double(run, send, chance.uniform(0.05, 0.3), place)
            slowest = max(slowest, seconds)
            yield from (f"{name} {n}: {fault}" for fault in faults)
        print(
            f"{name}: {number} times, {ended} of them after the end; took {took:.1f} s; slowest to end {slowest:.2f} s"
        )


def prepare(folder: Path, copies: int) -> None:
    """Write the templates of the example, filled as they are, many times."""
    form, portfolio = canonical.load(EXAMPLE, load_form)
    write_templates(form, portfolio, folder / "0", by="department")
    for copy in range(1, copies):
        shutil.copytree(folder / "0", folder / str(copy))


def start(command: Sequence[str]) -> subprocess.Popen[str]:
    """Start a command in a group of processes of its own."""
    line = [sys.executable, "-m", "kpixl", *command]
    pipe = subprocess.PIPE
    return subprocess.Popen(line, stdout=subprocess.DEVNULL, stderr=pipe, text=True, start_new_session=True)


def double(
    run: subprocess.Popen[str], send: Callable[[int, int], None], pause: float, place: Path
) -> tuple[float, list[str]]:
    """Send two Ctrl-C; return the seconds until the end, and what is wrong then."""
    began = time.monotonic()
    send(run.pid, signal.SIGINT)
    time.sleep(pause)
    if run.poll() is None:
        send(run.pid, signal.SIGINT)
    try:
        _, said = run.communicate(timeout=30)
    except subprocess.TimeoutExpired:
        os.killpg(run.pid, signal.SIGKILL)
        _, said = run.communicate()
    return time.monotonic() - began, list(_faults(run, said, time.monotonic() - began, place))


def _faults(run: subprocess.Popen[str], said: str, seconds: float, place: Path) -> Iterator[str]:
    if seconds > LONGEST:
        yield f"ended after {seconds:.1f} s only"
    finished = run.returncode in (0, 1) and "Interrupted" not in said  # it came when all was done
    if not finished and (run.returncode != 130 or "Interrupted" not in said):
        yield f"ended with {run.returncode}: {said[-300:]!r}"
    if _RAISED.search(said):
        yield f"printed {said[-300:]!r}"
    for attempt in range(20):  # the system takes its time to remove a process that was ended
        if not (left := processes(str(place))):
            break
        time.sleep(0.05 * (attempt > 0))
    else:
        yield f"left processes {left}"
    names = [path.name for path in (place / "out").rglob("*")]
    temporary = [n for n in names if n == LOCK or (n.startswith(TEMPORARY) and n.endswith(TEMPORARY_END))]
    if temporary:
        yield f"left {temporary}"


if __name__ == "__main__":
    sys.exit(main())
