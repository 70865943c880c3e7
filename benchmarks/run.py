"""Measure kpixl against a plain openpyxl script, bare calamine and bare XlsxWriter, all in one run.

    python benchmarks/run.py [--sizes 1,13,1000,13000] [--repeat 3] [--markdown]

Every task runs in a process of its own, the tasks of a size in turn, round after round, so that a slow moment of
the machine falls on all of them. Printed: median seconds (start of Python included where the task is a command),
peak memory of the largest process, and the ratios that the project aims at.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

HERE = Path(__file__).resolve().parent
EXAMPLE = HERE.parent / "examples" / "sast-2026" / "2026.yaml"
PER_FILE = 13


@dataclass(frozen=True)
class Measured:
    """One run of one task."""

    seconds: float
    mebibytes: float


def make_portfolio(folder: Path, size: int) -> Path:
    """Write a portfolio of `size` projects: the example's over and over, a unit to every 13."""
    from kpixl.forms.load import load_form
    from kpixl.portfolio import canonical

    form, example = canonical.load(EXAMPLE, load_form)
    projects = []
    for number in range(size):
        model = example.projects[number % len(example.projects)]
        values = {
            **model.values,
            "name": f"{model.values['name']}（{number + 1}）",
            "unit": f"第{number // PER_FILE + 1:04}单位",
        }
        projects.append(replace(model, id=f"{number + 1:05}", values=values))
    path = folder / "portfolio.yaml"
    path.write_text(canonical.dumps(form, replace(example, projects=tuple(projects))), encoding="utf-8")
    return path


def timed(command: Sequence[str], codes: Sequence[int] = (0,)) -> Measured:
    """Run a command and take its wall time and the peak memory of its largest process; it must exit with `codes`."""
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    if os.waitstatus_to_exitcode(status) not in codes:
        raise SystemExit(f"failed: {' '.join(map(str, command))}")
    return Measured(seconds, usage.ru_maxrss / 1024)


def reported(task: str, *arguments: str) -> Measured:
    """Run a task of tasks.py, which times itself without the start of Python."""
    command = [sys.executable, str(HERE / "tasks.py"), task, *arguments]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    data = json.loads(done.stdout.splitlines()[-1])
    return Measured(data["seconds"], data["mebibytes"])


def measure(size: int, repeat: int, folder: Path) -> dict[str, Measured]:
    """Measure every task for one size; median of the rounds."""
    kpixl = [sys.executable, "-m", "kpixl"]
    portfolio = make_portfolio(folder, size)
    returned, out, summary = folder / "returned", folder / "out.yaml", folder / "out.xlsx"
    tasks: dict[str, Callable[[], Measured]] = {
        "template": lambda: timed([*kpixl, "template", str(portfolio), "--split-by", "unit", "-o", str(returned)]),
        "consolidate": lambda: timed([*kpixl, "consolidate", str(returned), "-o", str(out), "--no-summary"]),
        "consolidate, with summary": lambda: timed(
            [*kpixl, "consolidate", str(returned), "-o", str(folder / "whole.yaml")]
        ),
        "check (submissions)": lambda: timed([*kpixl, "check", str(returned)], (0, 1)),
        "check --mark": lambda: timed([*kpixl, "check", str(returned), "--mark", str(folder / "marked")], (0, 1)),
        "check": lambda: timed([*kpixl, "check", str(out)], (0, 1)),
        "openpyxl script": lambda: timed([sys.executable, str(HERE / "tasks.py"), "openpyxl", str(returned)]),
        "bare calamine": lambda: timed([sys.executable, str(HERE / "tasks.py"), "calamine", str(returned)]),
        "summary (building)": lambda: reported("summary", str(out), str(summary)),
        "bare XlsxWriter": lambda: reported("xlsxwriter", str(summary)),
        "summary (command)": lambda: timed([*kpixl, "summary", str(out), "-o", str(folder / "again.xlsx")]),
        **{
            f"publish .{ending}": partial(timed, [*kpixl, "publish", str(out), "-o", str(folder / f"out.{ending}")])
            for ending in ("html", "docx", "pdf", "md")
        },
    }
    rounds: dict[str, list[Measured]] = {name: [] for name in tasks}
    for number in range(repeat):
        for name, task in tasks.items():
            if name == "template":
                for old in returned.glob("*.xlsx"):
                    old.unlink()
            if name == "openpyxl script" and number and rounds[name][0].seconds > 60:
                continue
            rounds[name].append(task())
    return {name: _median(found) for name, found in rounds.items()}


def _median(found: Sequence[Measured]) -> Measured:
    return Measured(statistics.median(m.seconds for m in found), max(m.mebibytes for m in found))


def start_up(repeat: int) -> tuple[Measured, Measured]:
    """Measure `kpixl --version` beside `python -c pass`."""
    script = Path(sys.executable).with_name("kpixl")
    pairs = [(timed([str(script), "--version"]), timed([sys.executable, "-c", "pass"])) for _ in range(max(repeat, 15))]
    return _median([a for a, _ in pairs]), _median([b for _, b in pairs])


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", default="1,13,1000,13000")
    parser.add_argument("--repeat", type=int, default=3)
    options = parser.parse_args()
    version, nothing = start_up(options.repeat)
    ratio = version.seconds / nothing.seconds
    times = f"kpixl --version {1000 * version.seconds:.0f} ms, python -c pass {1000 * nothing.seconds:.0f} ms"
    print(f"{times}: {ratio:.1f}x\n")
    print("| projects | task | seconds | peak MiB |\n|---:|---|---:|---:|")
    ratios = []
    for size in map(int, options.sizes.split(",")):
        with tempfile.TemporaryDirectory() as folder:
            found = measure(size, options.repeat, Path(folder))
        for name, measured in found.items():
            print(f"| {size:,} | {name} | {measured.seconds:.2f} | {measured.mebibytes:.0f} |", flush=True)
        seconds = {name: measured.seconds for name, measured in found.items()}
        ratios.append(
            f"| {size:,} | {seconds['openpyxl script'] / seconds['consolidate']:.1f} "
            f"| {seconds['consolidate'] / seconds['bare calamine']:.1f} "
            f"| {seconds['summary (building)'] / seconds['bare XlsxWriter']:.2f} "
            f"| {seconds['check (submissions)'] / seconds['consolidate, with summary']:.2f} "
            f"| {seconds['check (submissions)'] / seconds['consolidate']:.2f} "
            f"| {seconds['check'] / seconds['consolidate']:.2f} |"
        )
    heads = (
        "openpyxl script / consolidate",
        "consolidate / bare calamine",
        "summary / bare XlsxWriter",
        "check (submissions) / consolidate, with summary",
        "check (submissions) / consolidate",
        "check (portfolio) / consolidate",
    )
    print(f"\n| projects | {' | '.join(heads)} |")
    print("|---:" * (len(heads) + 1) + "|")
    print("\n".join(ratios))


if __name__ == "__main__":
    main()
