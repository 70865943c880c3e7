"""Hold the law over many edit sequences in four applications: python tests/laws/run_edits.py --count 2000.

Prints each kind of break with how to repeat it, keeps the files in --out.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.laws.edits import Edit, Sequence, of_data, sequence
from tests.laws.engines import BATCH, ENGINES, Edited, apply
from tests.laws.law import Violation, held


def broken(edited: Edited) -> list[Violation]:
    """Hold the law over an edited file; what must not be raised breaks it too."""
    try:
        return held(edited, with_roster=edited.sequence.seed % 2 == 1)
    except Exception as error:  # noqa: BLE001 - to find these is what the run is for
        return [Violation("raised", f"{error!r} {traceback.format_exc()[-600:]}")]


def smallest(engine: str, found: Sequence, kind: str, folder: Path) -> tuple[Sequence, list[Violation]]:
    """Leave out edits as long as the law is broken in the same way."""

    def breaks(edits: list[Edit]) -> list[Violation]:
        shutil.rmtree(folder, ignore_errors=True)
        tried = Sequence(found.seed, found.form, found.base, tuple(edits))
        return [v for one in apply(engine, [tried], folder) for v in broken(one) if v.kind == kind]

    edits, kept, at = [*found.edits], breaks([*found.edits]), 0
    while kept and at < len(edits):
        fewer = edits[:at] + edits[at + 1 :]
        if again := breaks(fewer):
            edits, kept = fewer, again
        else:
            at += 1
    return Sequence(found.seed, found.form, found.base, tuple(edits)), kept


def run(engines: list[str], seeds: range, folder: Path, without: set[str]) -> Iterator[tuple[Edited, list[Violation]]]:
    """Edit and read, a batch at a time."""
    for engine in engines:
        own = [s for n, s in enumerate(seeds) if ENGINES[n % len(ENGINES)] == engine or len(engines) == 1]
        drawn = [one for s in own if not (one := sequence(s)).areas & without]
        for start in range(0, len(drawn), BATCH):
            here = folder / f"{engine}-{start}"
            for edited in apply(engine, drawn[start : start + BATCH], here):
                yield edited, broken(edited)
            shutil.rmtree(here, ignore_errors=True)


def main() -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0, help="the first seed")
    parser.add_argument("--engine", choices=ENGINES, action="append")
    parser.add_argument("--without", action="append", default=[], help="leave out sequences of an area: formats, rich ...")
    parser.add_argument("--out", type=Path, default=Path(tempfile.gettempdir()) / "kpixl-edits")
    parser.add_argument("--case", type=Path, help="hold the law over this sequence (JSON) only")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    started, tried, failed = time.monotonic(), Counter[str](), Counter[str]()
    found: list[tuple[Edited, list[Violation]]] = []
    engines = options.engine or [*ENGINES]
    with tempfile.TemporaryDirectory() as name:
        if options.case:
            case = of_data(json.loads(options.case.read_text(encoding="utf-8")))
            every = ((e, broken(e)) for engine in engines for e in apply(engine, [case], Path(name) / engine))
        else:
            every = run(engines, range(options.seed, options.seed + options.count), Path(name), {*options.without})
        for edited, breaks in every:
            tried[edited.engine] += 1
            failed.update(f"{edited.engine} {line.partition(':')[0]}" for line in edited.failed)
            if breaks:
                found.append((edited, breaks))
                _keep(options.out, edited, breaks)
    print(f"{sum(tried.values())} sequences in {time.monotonic() - started:.0f} s: {dict(tried)}")
    print(f"edits that could not be made: {dict(failed)}")
    for edited, breaks in found:
        print(f"{edited.engine} {edited.sequence.seed} {sorted(edited.sequence.areas)}")
        for one in breaks[:4]:
            print(f"    {one}")
    print(f"{len(found)} sequences break the law")
    return 1 if found else 0


def _keep(out: Path, edited: Edited, breaks: list[Violation]) -> None:
    stem = f"{edited.engine}-{edited.sequence.seed}"
    shutil.copyfile(edited.path, out / f"{stem}{edited.path.suffix}")
    data = {**edited.sequence.data(), "engine": edited.engine, "breaks": [str(one) for one in breaks]}
    (out / f"{stem}.json").write_text(json.dumps(data, ensure_ascii=False, indent=1), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
