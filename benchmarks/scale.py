"""Measure consolidating 100, 1,000 and 5,000 workbooks of 13 projects beside bare calamine, all in one run.

    python benchmarks/scale.py [--sizes 100,1000] [--full] [--rounds 1]

For each number of workbooks: `kpixl consolidate` with its summary, by one and two processes and on a Dask cluster of
two workers on this machine, and bare calamine, one after the other. Printed: seconds, wall and processor (of all
processes; those of a cluster are not the command's), the peak memory of the largest process, what each number is in
times of bare calamine, and in which part of the work the processor time of one process goes. `--full` adds 5,000
workbooks.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from run import HERE, PER_FILE, make_portfolio


@dataclass(frozen=True)
class Cost:
    """What a command cost: seconds, wall and of processors, and the peak memory of its largest process."""

    wall: float
    processor: float
    mebibytes: float


def cost(command: list[str]) -> Cost:
    """Run a command and take what it cost."""
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - start
    if os.waitstatus_to_exitcode(status):
        raise SystemExit(f"failed: {' '.join(command)}")
    return Cost(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def make_workbooks(folder: Path, count: int) -> Path:
    """Write `count` workbooks of 13 projects each, as they are sent out."""
    portfolio = make_portfolio(folder, count * PER_FILE)
    sent = folder / "sent"
    command = [sys.executable, "-m", "kpixl", "template", str(portfolio), "--split-by", "unit", "-o", str(sent)]
    subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
    return sent


@contextmanager
def dask_cluster() -> Iterator[str | None]:
    """Start a cluster of two workers on this machine and yield its address; None without Dask."""
    try:
        from distributed import LocalCluster
    except ImportError:
        yield None
        return
    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address="127.0.0.1:0", silence_logs=50) as cluster:
        yield str(cluster.scheduler_address)


def shares(sent: Path, folder: Path) -> dict[str, float]:
    """Return processor seconds of one process by part of the work: reading, merging and checking, writing."""
    from kpixl.collection import consolidate as module

    collecting: Any = module
    from kpixl.forms.load import load_form

    forms = [load_form("shanghai-target")]
    spent: dict[str, float] = {}
    read = collecting.read_files

    def timed_read(*arguments: object, **options: object) -> object:
        start = time.process_time()
        found = read(*arguments, **options)
        spent["reading"] = time.process_time() - start
        return found

    collecting.read_files = timed_read
    start = time.process_time()
    result = collecting.consolidate([sent], forms, workers=0)
    spent["merging, checking"] = time.process_time() - start - spent["reading"]
    start = time.process_time()
    collecting.write_consolidated(result, folder / "plain.yaml", today=date(2026, 1, 1))
    spent["YAML, sources"] = time.process_time() - start
    start = time.process_time()
    collecting.write_consolidated(result, folder / "whole.yaml", folder / "whole.xlsx", today=date(2026, 1, 1))
    spent["summary"] = time.process_time() - start - spent["YAML, sources"]
    return spent


def measure(count: int, rounds: int, folder: Path) -> None:
    """Measure one number of workbooks and print its lines."""
    sent = make_workbooks(folder, count)
    kpixl = [sys.executable, "-m", "kpixl", "consolidate", str(sent)]
    with dask_cluster() as address:
        tasks = {
            "bare calamine": [sys.executable, str(HERE / "tasks.py"), "calamine", str(sent)],
            "one process": [*kpixl, "--jobs", "1", "-o", str(folder / "one.yaml")],
            "two processes": [*kpixl, "--jobs", "2", "-o", str(folder / "two.yaml")],
        }
        if address is not None:
            tasks["Dask, two workers"] = [*kpixl, "--scheduler", address, "-o", str(folder / "dask.yaml")]
        best: dict[str, Cost] = {}
        for _ in range(rounds):
            for name, command in tasks.items():
                for old in folder.glob("*.xlsx"):
                    old.unlink()  # the summary is made anew
                found = cost(command)
                best[name] = min(best.get(name, found), found, key=lambda c: c.wall)
    written = {
        path.read_bytes() for path in folder.glob("*.yaml") if path.name in ("one.yaml", "two.yaml", "dask.yaml")
    }
    assert len(written) == 1, "the results differ"
    bare = best["bare calamine"]
    for name, found in best.items():
        ratios = f"{found.wall / bare.wall:.1f} | {found.processor / bare.processor:.1f}"
        numbers = f"{found.wall:.1f} | {found.processor:.1f} | {found.mebibytes:.0f}"
        print(f"| {count:,} | {name} | {numbers} | {ratios} |", flush=True)
    code = "import sys, json; from pathlib import Path; sys.path.insert(0, sys.argv[3]); from scale import shares; "
    code += "print(json.dumps(shares(Path(sys.argv[1]), Path(sys.argv[2]))))"
    command = [sys.executable, "-c", code, str(sent), str(folder), str(HERE)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    spent = json.loads(done.stdout.splitlines()[-1])
    parts = ", ".join(f"{name} {seconds / sum(spent.values()):.0%}" for name, seconds in spent.items())
    print(f"| {count:,} | shares | {parts} | | | | |", flush=True)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", default="100,1000")
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--rounds", type=int, default=1)
    options = parser.parse_args()
    sizes = [int(size) for size in options.sizes.split(",")]
    print("| workbooks | | wall s | processor s | peak MiB | wall / calamine | processor / calamine |")
    print("|---:|---|---:|---:|---:|---:|---:|")
    for count in [*sizes, *([5000] if options.full else [])]:
        with tempfile.TemporaryDirectory() as name:
            measure(count, options.rounds, Path(name))


if __name__ == "__main__":
    main()
