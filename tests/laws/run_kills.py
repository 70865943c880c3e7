"""Kill runs at random moments and start pairs of runs at once; report what is damaged, mixed or left over.

    python tests/laws/run_kills.py [--kills 200] [--pairs 20] [--seed 1]

Exits 1 where a set of outputs was damaged, or mixed without a warning, or where a process or temporary file remained.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from datetime import date
from pathlib import Path

from kpixl.disk import TEMPORARY, TEMPORARY_END, unfinished
from kpixl.forms.load import load_form
from kpixl.locks import LOCK
from kpixl.output.template import write_templates
from kpixl.portfolio import canonical
from kpixl.portfolio.model import Portfolio
from kpixl.problems import KpixlError
from kpixl.readers import read_grids

EXAMPLE = Path(__file__).parents[2] / "examples" / "sast-2026" / "2026.yaml"
FIRST, SECOND = "第一次", "第二次"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--pairs", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    chance = random.Random(options.seed)
    with tempfile.TemporaryDirectory() as place:
        desk = Desk(Path(place))
        faults = desk.kills(options.kills, chance) + desk.pairs(options.pairs)
    for fault in faults:
        print(fault)
    print(f"{len(faults)} faults")
    return int(bool(faults))


class Desk:
    """Two states of the returned files that differ in every project, and the folder that runs write into."""

    def __init__(self, place: Path) -> None:
        self.out = place / "out"
        form, portfolio = canonical.load(EXAMPLE, load_form)
        for word in (FIRST, SECOND):
            write_templates(form, _with_goal(portfolio, word), place / word, by="department")
        self.place = place
        self.took = self._time()

    def kills(self, number: int, chance: random.Random) -> list[str]:
        """Replace a set of the first state by one of the second, killed on the way; look at what is left, go on."""
        faults: list[str] = []
        warned = whole = 0
        for kill in range(number):
            self._fresh()
            run = self._start(SECOND)
            # Outputs are written at the end of a run: every other kill is aimed there.
            time.sleep(chance.uniform(self.took * 0.7 * (kill % 2), self.took * 1.05))
            os.killpg(run.pid, signal.SIGKILL)
            run.wait()
            states = self.states()
            if len(states) > 1 and not unfinished(self.out / "2026.yaml"):
                faults.append(f"kill {kill}: mixed without a word: {states}")
            warned += len(states) > 1
            whole += states == {SECOND}
            if self._start(SECOND).wait() not in (0, 1):
                faults.append(f"kill {kill}: the next run failed")
            faults += [f"kill {kill}: after the next run {fault}" for fault in self.faults({SECOND})]
        print(f"{number} kills: {warned} left a set half replaced, with a warning; {whole} came after the end")
        return faults

    def pairs(self, number: int) -> list[str]:
        """Two runs at once: what is there afterwards is of one of them."""
        faults: list[str] = []
        for pair in range(number):
            self._fresh()
            runs = [self._start(FIRST), self._start(SECOND)]
            codes = [run.wait() for run in runs]
            faults += [f"pair {pair}: {fault}" for fault in self.faults({FIRST}, {SECOND})]
            if any(code not in (0, 1) for code in codes):
                faults.append(f"pair {pair}: exit codes {codes}")
        print(f"{number} pairs")
        return faults

    def states(self) -> set[str]:
        """Return of which states the outputs are; "damaged" for one that cannot be read."""
        found = set()
        for name in ("2026.yaml", "2026.xlsx"):
            try:
                found.add(_state(self.out / name))
            except (KpixlError, OSError, ValueError) as error:
                found.add(f"damaged {name}: {error}")
        sources = json.loads((self.out / "2026.sources.json").read_text(encoding="utf-8"))
        if sources["portfolio"] != hashlib.sha256((self.out / "2026.yaml").read_bytes()).hexdigest():
            found.add("sources of another portfolio")
        return found

    def faults(self, *allowed: set[str]) -> list[str]:
        """Return what is wrong in the folder at rest."""
        states = self.states()
        found = [] if states in allowed else [f"outputs are of {states}"]
        names = [path.name for path in self.out.iterdir()]
        left = [n for n in names if n == LOCK or (n.startswith(TEMPORARY) and n.endswith(TEMPORARY_END))]
        found += [f"{name} is left over" for name in left]
        if processes(str(self.place)):
            found.append("a process is left over")
        return found

    def _fresh(self) -> None:
        shutil.rmtree(self.out, ignore_errors=True)
        shutil.copytree(self.place / "start", self.out) if (self.place / "start").is_dir() else self.out.mkdir()

    def _time(self) -> float:
        """Write the set that every kill starts from, and return how long a run takes."""
        self._fresh()
        self._start(FIRST).wait()
        shutil.copytree(self.out, self.place / "start")
        before = time.monotonic()
        self._start(SECOND).wait()
        return time.monotonic() - before

    def _start(self, state: str) -> subprocess.Popen[bytes]:
        command = [
            sys.executable,
            "-m",
            "kpixl",
            "consolidate",
            str(self.place / state),
            "-o",
            str(self.out / "2026.yaml"),
        ]
        silent = subprocess.DEVNULL
        return subprocess.Popen(command, stdout=silent, stderr=silent, start_new_session=True)


def _with_goal(portfolio: Portfolio, word: str) -> Portfolio:
    from dataclasses import replace

    projects = (replace(p, values={**p.values, "goal.overall": f"{word}的总目标"}) for p in portfolio.projects)
    return replace(portfolio, organization=f"某市科协{word}", projects=tuple(projects))


def _state(path: Path) -> str:
    if path.suffix == ".yaml":
        _, portfolio = canonical.load(path, load_form)
        text = str(portfolio)
    else:
        text = str([grid.rows for grid in read_grids(path.read_bytes(), path.name).grids])
    if (FIRST in text) == (SECOND in text):
        raise ValueError("neither state, or both")
    return FIRST if FIRST in text else SECOND


def processes(mark: str) -> list[int]:
    """List the processes whose command line names the folder."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            line = (folder / "cmdline").read_bytes().decode(errors="replace")
        except OSError:
            continue
        if mark in line and int(folder.name) != os.getpid():
            found.append(int(folder.name))
    return found


if __name__ == "__main__":
    print(f"seed and date: {sys.argv[1:]} {date.today()}")
    sys.exit(main())
