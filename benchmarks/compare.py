"""Compare the main loop of this tree with that of another commit, both in one run.

    python benchmarks/compare.py 15da56e [--size 1000] [--rounds 15]

`kpixl consolidate --no-summary` reads the same workbooks with both, in turn. Printed: the fastest and the median
seconds, wall and processor, and the median of the ratios of each round, which a slow moment of the machine leaves
alone. Where valgrind is there, it counts the instructions of reading, and of building templates, in one process: those
are the same on a busy machine and on a quiet one. The packages beside kpixl are those of this environment, for both.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from run import HERE, make_portfolio

COUNTED = 260  # projects; valgrind takes fifty times as long
# An editable installation would give the other commit the form definitions of this one.
_START = """
import sys
sys.path[0] = sys.argv.pop(1)
for name, module in list(sys.modules.items()):
    if name.startswith("__editable___kpixl"):
        module.MAPPING["kpixl.templates"] = sys.path[0] + "/templates"
import kpixl
assert kpixl.__file__.startswith(sys.path[0])
"""
# Where functions were before the packages of today, for commits from then.
_IMPORTS = """
import sys
from pathlib import Path
try:
    from kpixl.cli.main import run
    from kpixl.collection.consolidate import consolidate
    from kpixl.forms.load import load_form
    from kpixl.output.template import build_template, split
    from kpixl.portfolio import canonical
except ImportError:
    from kpixl import canonical
    from kpixl.cli import run
    from kpixl.consolidate import consolidate
    from kpixl.form import load_form
    from kpixl.template import build_template, split
"""
_COMMAND = f"{_START}{_IMPORTS}sys.exit(run(sys.argv[1:]))"
_READ = f"""{_START}{_IMPORTS}
files = sorted(Path(sys.argv[1]).glob('*.xlsx'))[: int(sys.argv[2])]
assert consolidate(files, [load_form('shanghai-target')], workers=0).portfolio.projects
"""
_BUILD = f"""{_START}{_IMPORTS}
form, whole = canonical.load(Path(sys.argv[1]), load_form)
parts = list(split(whole, 'unit').values())[: int(sys.argv[2])]
assert all(build_template(form, part, whole=whole) for part in parts)
"""


def seconds(root: Path, sent: Path, out: Path) -> tuple[float, float]:
    """Consolidate with the tree at `root`; return wall and processor seconds."""
    arguments = [str(root), "consolidate", str(sent), "-o", str(out), "--no-summary"]
    start = time.perf_counter()
    process = subprocess.Popen([sys.executable, "-c", _COMMAND, *arguments], cwd=out.parent, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if os.waitstatus_to_exitcode(status):
        raise SystemExit(f"failed: {root}")
    return time.perf_counter() - start, usage.ru_utime + usage.ru_stime


def instructions(root: Path, code: str, source: Path, files: int) -> int:
    """Count the instructions that `code` needs for some files with the tree at `root`, without the start.

    0 without valgrind.
    """
    if shutil.which("valgrind") is None:
        return 0

    def count(number: int) -> int:
        command = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", sys.executable, "-c", code]
        environment = {**os.environ, "PYTHONHASHSEED": "0"}
        done = subprocess.run(
            [*command, str(root), str(source), str(number)],
            cwd=source.parent,
            env=environment,
            capture_output=True,
            text=True,
        )
        found = re.search(r"Collected : (\d+)", done.stderr)
        if done.returncode or found is None:
            raise SystemExit(f"failed: {root}\n{done.stderr[-2000:]}")
        return int(found[1])

    return count(files + 1) - count(1)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("revision")
    parser.add_argument("--size", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=15)
    options = parser.parse_args()
    here = HERE.parent
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        other, sent = folder / "tree", folder / "sent"
        archive = subprocess.run(
            ["git", "-C", str(here), "archive", options.revision, "kpixl", "templates"], check=True, capture_output=True
        )
        other.mkdir()
        subprocess.run(["tar", "-x", "-C", str(other)], input=archive.stdout, check=True)
        portfolio = make_portfolio(folder, options.size)
        kpixl = [sys.executable, "-m", "kpixl"]
        template = [*kpixl, "template", str(portfolio), "--split-by", "unit", "-o", str(sent)]
        subprocess.run(template, check=True, stderr=subprocess.DEVNULL)
        trees = {options.revision: other, "here": here}
        found: dict[str, list[tuple[float, float]]] = {tree: [] for tree in trees}
        for number in range(options.rounds):
            for tree in list(trees)[:: 1 if number % 2 else -1]:
                found[tree].append(seconds(trees[tree], sent, folder / "out.yaml"))
        files = min(COUNTED, options.size) // 13 - 1
        counts = {tree: instructions(root, _READ, sent, files) for tree, root in trees.items()}
        built = {tree: instructions(root, _BUILD, portfolio, files) for tree, root in trees.items()}
    print("| commit | wall, fastest | wall, median | processor, fastest | processor, median | reading | building |")
    print("|---|---:|---:|---:|---:|---:|---:|")
    for tree, runs in found.items():
        figures = [f(column) for column in zip(*runs, strict=True) for f in (min, statistics.median)]
        times = " | ".join(f"{figure:.2f}" for figure in figures)
        print(f"| {tree} | {times} | {counts[tree] / 1e9:.2f} G | {built[tree] / 1e9:.2f} G |")
    pairs = list(zip(found["here"], found[options.revision], strict=True))
    ratios = [statistics.median(new[i] / old[i] for new, old in pairs) for i in (0, 1)]
    reading, building = (c["here"] / (c[options.revision] or 1) for c in (counts, built))
    print(f"\nhere / {options.revision}: wall {ratios[0]:.3f}, processor {ratios[1]:.3f}")
    print(f"instructions: reading {reading:.3f}, building templates {building:.3f}")


if __name__ == "__main__":
    main()
