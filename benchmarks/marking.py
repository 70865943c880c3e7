"""How marking grows with the number of files: the seconds of processor and of the clock for each number.

    python benchmarks/marking.py [--files 50,100,200]

Every file is one project of the example with an error in it. Reading the files is left out. "From one archive": the
same files in one .zip.
"""

from __future__ import annotations

import argparse
import resource
import sys
import tempfile
import time
import zipfile
from dataclasses import replace
from datetime import date
from pathlib import Path

from kpixl.a1 import parse_a1
from kpixl.collection.intake import FileResult, Job, read_files
from kpixl.forms.load import load_form
from kpixl.output.annotate import write_marked
from kpixl.output.template import build_template
from kpixl.portfolio import canonical
from kpixl.problems import Location, Problem

EXAMPLE = Path(__file__).parents[1] / "examples" / "sast-2026" / "2026.yaml"


def main() -> None:
    """Print a table of Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", default="50,100,200")
    numbers = [int(number) for number in parser.parse_args().files.split(",")]
    form, portfolio = canonical.load(EXAMPLE, load_form)
    content = build_template(form, replace(portfolio, projects=portfolio.projects[:1]))
    print("| files | processor | clock | one archive, processor | one archive, clock |\n|---:|---:|---:|---:|---:|")
    for number in numbers:
        with tempfile.TemporaryDirectory() as place:
            folder = Path(place)
            jobs = []
            with zipfile.ZipFile(folder / "all.zip", "w", zipfile.ZIP_DEFLATED) as archive:
                for n in range(number):
                    path = folder / f"{n}.xlsx"
                    path.write_bytes(content)
                    archive.writestr(path.name, content)
                    jobs.append(Job(path, path.name))
            apart = _seconds(read_files(jobs, [form]), folder / "marked")
            together = _seconds(read_files([Job(folder / "all.zip", "all.zip")], [form]), folder / "marked2")
        print("|".join(["", f" {number} ", *(f" {seconds:.2f} " for seconds in (*apart, *together)), ""]), flush=True)


def _seconds(files: list[FileResult], out: Path) -> tuple[float, float]:
    """Mark files; return the seconds of processor, workers included, and of the clock."""
    problems = [Problem("no-sheets", Location(file.file, file.forms[0].sheet, parse_a1("B5"))) for file in files]
    before, began = _processor(), time.monotonic()
    written, _ = write_marked(files, problems, out, today=date(2026, 11, 25))
    if len(written) != len(files) or any(copy.reason for copy in written):
        sys.exit("not every file was marked")
    return _processor() - before, time.monotonic() - began


def _processor() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


if __name__ == "__main__":
    main()
