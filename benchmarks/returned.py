"""Measure reading returned files as they come, beside bare calamine and a plain openpyxl script, all in one run.

    python benchmarks/returned.py [--files 10] [--rounds 3]

The same projects, 13 to a file: as sent; saved again by openpyxl; with rows inserted, so that no sheet is laid out as
it was sent; saved again by LibreOffice as .xlsx, .ods and .xls; a published set of 13 in .docx and PDF, copied. Seconds
of whole commands, of which the start of Python is taken off; kpixl reads in one process. calamine reads no .docx and no
PDF, the script only .xlsx and, by its addresses, only what is laid out as sent.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

from run import HERE, make_portfolio

INSERTED = (3, 10)  # rows of the sheet, from 1: below the title, and above the goals; merges do not follow


def processor(command: list[str]) -> float:
    """Run a command and take its processor seconds, those of its processes included."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    code = os.waitstatus_to_exitcode(status)
    if code not in (0, 1):  # 1: there are problems, as in what comes back
        raise SystemExit(f"failed with {code}: {' '.join(command)}")
    return usage.ru_utime + usage.ru_stime


def _saved(paths: list[Path], out: Path, rows: tuple[int, ...] = ()) -> None:
    """Save workbooks again with openpyxl, with rows inserted into each form."""
    import openpyxl

    for path in paths:
        book = openpyxl.load_workbook(path)
        for sheet in book.worksheets[1:]:
            for row in rows:
                sheet.insert_rows(row)
        book.save(out / path.name)


def _converted(paths: list[Path], out: Path, *, ending: str) -> None:
    command = ["soffice", f"-env:UserInstallation=file://{out.parent}/profile", "--headless", "--convert-to", ending]
    subprocess.run([*command, "--outdir", str(out), *map(str, paths)], check=True, capture_output=True, timeout=600)


def _published(out: Path, count: int, ending: str) -> None:
    first = out / f"0.{ending}"
    portfolio = make_portfolio(out.parent, 13)
    command = [sys.executable, "-m", "kpixl", "publish", str(portfolio), "--draft", "-o", str(first)]
    subprocess.run(command, check=True, capture_output=True)
    for number in range(1, count):
        shutil.copyfile(first, out / f"{number}.{ending}")


def make(folder: Path, count: int) -> dict[str, Path]:
    """Make a folder of `count` files for every way in which they come back."""
    portfolio = make_portfolio(folder, count * 13)
    sent = folder / "as sent"
    command = [sys.executable, "-m", "kpixl", "template", str(portfolio), "--split-by", "unit", "-o", str(sent)]
    subprocess.run(command, check=True, capture_output=True)
    books = sorted(sent.glob("*.xlsx"))
    ways: dict[str, Callable[[Path], None]] = {
        "openpyxl": lambda out: _saved(books, out),
        "rows inserted": lambda out: _saved(books, out, INSERTED),
        "published .docx": lambda out: _published(out, count, "docx"),
        "published PDF": lambda out: _published(out, count, "pdf"),
    }
    if shutil.which("soffice"):
        ways |= {f"LibreOffice .{e}": partial(_converted, books, ending=e) for e in ("xlsx", "ods", "xls")}
    folders = {"as sent": sent}
    for name, way in ways.items():
        folders[name] = folder / name
        folders[name].mkdir()
        way(folders[name])
    return {name: path for name, path in folders.items() if any(path.iterdir())}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folders = make(Path(name), options.files)
        kpixl = [sys.executable, "-m", "kpixl", "consolidate"]
        rest = ["--no-summary", "--jobs", "1"]
        best: dict[tuple[str, str], float] = {}
        for _ in range(options.rounds):
            for way, folder in folders.items():
                out = Path(name) / "out" / way / "out.yaml"  # each has its own: a run looks at what is there
                out.parent.mkdir(parents=True, exist_ok=True)
                tasks = {"kpixl": [*kpixl, str(folder), "-o", str(out), *rest], "nothing": [*kpixl, "--help"]}
                if not way.startswith("published"):
                    tasks["calamine"] = [sys.executable, str(HERE / "tasks.py"), "calamine", str(folder)]
                    tasks["no calamine"] = [sys.executable, "-c", "import python_calamine, io, pathlib"]
                if any(folder.glob("*.xlsx")):
                    tasks["openpyxl"] = [sys.executable, str(HERE / "tasks.py"), "openpyxl", str(folder)]
                    tasks["no openpyxl"] = [sys.executable, "-c", "import openpyxl"]
                for task, command in tasks.items():
                    spent = processor(command)
                    best[way, task] = min(best.get((way, task), spent), spent)
    print("| files | kpixl, s | bare calamine, s | openpyxl script, s | kpixl / calamine | script / kpixl |")
    print("|---|---:|---:|---:|---:|---:|")
    for way in folders:
        own = best[way, "kpixl"] - best[way, "nothing"]
        others = []
        for task in ("calamine", "openpyxl"):
            known = (way, task) in best
            others.append(best[way, task] - best[way, f"no {task}"] if known else None)
        shown = ["–" if other is None else f"{other:.2f}" for other in others]
        calamine, script = others
        ratios = [f"{own / calamine:.1f}" if calamine else "–", f"{script / own:.1f}" if script else "–"]
        print(f"| {way} | {own:.2f} | {' | '.join(shown)} | {' | '.join(ratios)} |")


if __name__ == "__main__":
    main()
