"""Measure reading with one form definition against reading with all that are installed, both in one run.

    python benchmarks/recognition.py [--files 4] [--rounds 5]

The same projects, 13 to a workbook: as sent, where the sheet id names the form; without sheet ids, laid out as sent;
and with rows inserted, so that labels are searched for, with and without sheet ids. One process reads every file with
both sets of definitions in turn; printed are the fewest processor seconds of each, and their ratio.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from run import HERE
from scale import make_workbooks

INSERTED = (3, 10)  # rows of the sheet, from 1: below the title, and above the goals


def without_ids(book: Any) -> None:
    """Blank what names the form: the sheet ids, in the forms and on the hidden sheet."""
    for sheet in book.worksheets:
        for row in sheet.iter_rows():
            for cell in row:
                if isinstance(cell.value, str) and cell.value.startswith('{"kpixl"'):
                    cell.value = None


def with_rows(book: Any) -> None:
    """Insert rows into every form; merges do not follow."""
    for sheet in book.worksheets[1:]:
        for row in INSERTED:
            sheet.insert_rows(row)


def saved(paths: Sequence[Path], out: Path, *changes: Callable[[Any], None]) -> Path:
    """Save workbooks again with openpyxl, changed."""
    import openpyxl

    out.mkdir()
    for path in paths:
        book = openpyxl.load_workbook(path)
        for change in changes:
            change(book)
        book.save(out / path.name)
    return out


def seconds(folder: Path, forms: Sequence[Any]) -> float:
    """Return the processor seconds of reading the files of a folder in this process."""
    from kpixl.collection.one_file import Job
    from kpixl.collection.workers import read_files

    jobs = [Job(path, path.name) for path in sorted(folder.glob("*.xlsx"))]
    start = time.process_time()
    results = read_files(jobs, forms, workers=0)
    spent = time.process_time() - start
    assert sum(len(result.forms) for result in results) == 13 * len(jobs)
    return spent


def main() -> None:
    """Measure and print."""
    from kpixl.forms.load import load_form

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    ids = sorted(path.parent.name for path in (HERE.parent / "templates").glob("*/form.yaml"))
    one, every = [load_form("shanghai-target")], [load_form(form_id) for form_id in ids]
    print(f"| {options.files} workbooks | one definition, s | all {len(every)}, s | ratio |\n|---|---:|---:|---:|")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        sent = make_workbooks(folder, options.files)
        paths = sorted(sent.glob("*.xlsx"))
        ways = {
            "as sent": sent,
            "as sent, without sheet ids": saved(paths, folder / "plain", without_ids),
            "rows inserted": saved(paths, folder / "moved", with_rows),
            "rows inserted, without sheet ids": saved(paths, folder / "both", without_ids, with_rows),
        }
        for way, files in ways.items():
            rounds = [(seconds(files, one), seconds(files, every)) for _ in range(options.rounds)]
            few, many = (min(column) for column in zip(*rounds, strict=True))
            print(f"| {way} | {few:.2f} | {many:.2f} | {many / few:.2f} |", flush=True)


if __name__ == "__main__":
    main()
