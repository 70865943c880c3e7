"""Kill runs over a collection folder at random moments, and start two at once; report what is lost or half done.

    python -m tests.laws.run_round_kills [--kills 60] [--pairs 10] [--seed 1]

The folder is one as in docs/round.md, with a file to be excluded, a choice on the sheet 待决定 and a value edited in
the YAML, all three not yet taken up. Exits 1 where decisions.yaml is not whole after a kill, where
the run after it ends in another result than one without a kill, or where something is left over.
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
from datetime import datetime
from pathlib import Path

from kpixl.collection.decisions import NONE, Decisions, load_decisions
from kpixl.disk import RUN_LOCK, TEMPORARY, TEMPORARY_END, unfinished
from kpixl.locks import LOCK
from kpixl.problems import KpixlError
from tests.conftest import ROOT
from tests.laws.run_kills import processes
from tests.round_story import FORM, LIST, Story

INIT = ["--form", "shanghai-target", "--year", "2026", "--organization", "某市科学技术协会", "--due", "2026-11-20"]
DECIDE = ["decide", "12", "当年财政拨款", "280000", "--why", "以李老师的为准"]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=60)
    parser.add_argument("--pairs", type=int, default=10)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    chance = random.Random(options.seed)
    with tempfile.TemporaryDirectory() as place:
        desk = RoundDesk(Path(place))
        faults = desk.pairs(options.pairs) + desk.kills(options.kills, chance)
    for fault in faults:
        print(fault)
    print(f"{len(faults)} faults")
    return int(bool(faults))


class RoundDesk:
    """The folder in which every kill begins, and what a run over it that nobody kills ends in."""

    def __init__(self, place: Path) -> None:
        self.place, self.root, self.start = place, place / "2026", place / "start"
        self._run("init", str(self.root), "--list", str(ROOT / LIST), *INIT).wait()
        story = Story(self.root)
        self._on("template").wait()
        day = datetime(2026, 11, 12, 9)
        story.send("办公室", "办公室.xlsx", "王", day)
        story.two_people(day)
        story.trial(day)
        self._on("consolidate").wait()
        self._on("exclude", "试填.xlsx", "--why", "试填").wait()
        story.office_decides()
        shutil.copytree(self.root, self.start)
        self.before = self._decided()
        began = time.monotonic()
        self._on("consolidate").wait()
        self.took = time.monotonic() - began
        self.result, self.decided = self._result(), self._decided()
        print(f"a run takes {self.took:.1f} s; decisions before {len(self.before)}, after {len(self.decided)}")

    def kills(self, number: int, chance: random.Random) -> list[str]:
        """Kill a run, look at what is left, and run once more."""
        faults: list[str] = []
        half = ended = 0
        for kill in range(number):
            self._fresh()
            run = self._on("consolidate")
            # Outputs are written at the end: two of three kills are aimed there.
            time.sleep(chance.uniform(self.took * (0.65 if kill % 3 else 0.05), self.took * 1.02))
            ended += run.poll() is not None
            os.killpg(run.pid, signal.SIGKILL) if run.poll() is None else None
            run.wait()
            half += bool(unfinished(self.root / "2026.yaml"))
            faults += [f"kill {kill}: {fault}" for fault in self._half_done()]
            if (code := self._on("consolidate").wait()) not in (0, 1):
                faults.append(f"kill {kill}: the next run ended with {code}")
            faults += [f"kill {kill}: after the next run {fault}" for fault in self._faults()]
            print(f"{kill + 1} kills, {half} half in place, {len(faults)} faults", file=sys.stderr, flush=True)
        print(f"{number} kills: {ended} came after the end, {half} left a set half in place")
        return faults

    def pairs(self, number: int) -> list[str]:
        """Start two runs at once, every other time a run and a decision on the command line."""
        faults: list[str] = []
        for pair in range(number):
            self._fresh()
            with_decide = bool(pair % 2)
            runs = [self._on("consolidate"), self._on(*(DECIDE if with_decide else ["consolidate"]))]
            if any((codes := [run.wait() for run in runs])[n] not in (0, 1) for n in range(2)):
                faults.append(f"pair {pair}: exit codes {codes}")
            if with_decide:
                self._on("consolidate").wait()
            missing = {*self.decided, *([("12", "280000")] if with_decide else [])} - set(self._decided())
            faults += [f"pair {pair}: {one} is lost" for one in missing]
            if not with_decide:
                faults += [f"pair {pair}: {fault}" for fault in self._faults()]
        print(f"{number} pairs, {len(faults)} faults")
        return faults

    # --- what is there -----------------------------------------------------------------------

    def _half_done(self) -> list[str]:
        """Return what is wrong after a kill: decisions are there whole, those of before or all."""
        try:
            decided = self._decided()
        except KpixlError as error:
            return [f"decisions.yaml is damaged: {error}"]
        return [] if decided in (self.before, self.decided) else [f"decisions are {decided}"]

    def _faults(self) -> list[str]:
        """Return what differs from a run that nobody killed."""
        found = [] if self._decided() == self.decided else [f"decisions are {self._decided()}"]
        found += [f"{name} differs" for name, digest in self._result().items() if self.result[name] != digest]
        sources = json.loads((self.root / "2026.sources.json").read_text(encoding="utf-8"))
        if sources["portfolio"] != self._result()["2026.yaml"]:
            found.append("sources of another portfolio")
        names = [path.name for path in self.root.rglob("*")]
        left = [n for n in names if n in (LOCK, RUN_LOCK) or (n.startswith(TEMPORARY) and n.endswith(TEMPORARY_END))]
        found += [f"{name} is left over" for name in left]
        return [*found, *(["a process is left over"] if processes(str(self.place)) else [])]

    def _result(self) -> dict[str, str]:
        names = ("2026.yaml", ".2026.written.yaml", "status.html")
        return {name: hashlib.sha256((self.root / name).read_bytes()).hexdigest() for name in names}

    def _decided(self) -> list[tuple[str, str]]:
        path = self.root / "decisions.yaml"
        decisions: Decisions = load_decisions(path, FORM) if path.is_file() else NONE
        values = [(d.project, " ".join(map(str, d.choice.value))) for d in decisions.values]
        return sorted([*values, *((one.file, one.reason) for one in decisions.excluded)])

    def _fresh(self) -> None:
        shutil.rmtree(self.root)
        shutil.copytree(self.start, self.root)

    def _on(self, *arguments: str) -> subprocess.Popen[bytes]:
        return self._run("-C", str(self.root), *arguments)

    def _run(self, *arguments: str) -> subprocess.Popen[bytes]:
        silent = subprocess.DEVNULL
        line = [sys.executable, "-m", "kpixl", *arguments]
        return subprocess.Popen(line, stdout=silent, stderr=silent, start_new_session=True, cwd=ROOT)


if __name__ == "__main__":
    sys.exit(main())
