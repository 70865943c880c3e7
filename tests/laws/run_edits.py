"""Hold the law over many edit sequences in four applications: python tests/laws/run_edits.py --count 2000.

Prints a table, and each break with what repeats it; the broken files are kept in --out. Exit code 1 where one is lost.
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
from collections.abc import Iterable, Iterator
from collections.abc import Sequence as Many
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.laws.edits import FORMS, OTHER_FORMS, Edit, Sequence, of_data, sequence
from tests.laws.engines import BATCH, ENGINES, Edited, apply
from tests.laws.law import Account, Violation, held

MAX_SHOWN = 60  # broken sequences that are printed; every one is kept


def account_of(edited: Edited) -> Account:
    """Account for an edited file; an exception breaks the law too."""
    try:
        return held(edited)
    except Exception as error:  # noqa: BLE001 - to find these is what the run is for
        return Account(breaks=[Violation("raised", f"{error!r} {traceback.format_exc()[-600:]}")])


def smallest(engine: str, found: Sequence, kind: str, folder: Path) -> Sequence:
    """Leave out edits as long as the law is broken in the same way."""

    def is_broken(edits: Many[Edit]) -> bool:
        shutil.rmtree(folder, ignore_errors=True)
        tried = Sequence(found.seed, found.form, found.base, tuple(edits), found.with_roster)
        return any(b.kind == kind for one in apply(engine, [tried], folder) for b in account_of(one).breaks)

    edits, at = [*found.edits], 0
    while at < len(edits):
        fewer = edits[:at] + edits[at + 1 :]
        if is_broken(fewer):
            edits = fewer
        else:
            at += 1
    return Sequence(found.seed, found.form, found.base, tuple(edits), found.with_roster)


def of_seed(seed: int, form: str | None = None) -> Sequence:
    """Draw the sequence of a seed; without a form, every third is for one of the forms with more than target cells."""
    return sequence(seed, form or (OTHER_FORMS[seed // 3 % len(OTHER_FORMS)] if seed % 3 == 2 else None))


def run(
    engines: Many[str], seeds: range, folder: Path, without: set[str], form: str | None
) -> Iterator[tuple[Edited, Account]]:
    """Edit and read, a batch at a time; the engines take turns over the seeds."""
    for number, engine in enumerate(engines):
        drawn = [one for s in seeds[number :: len(engines)] if not (one := of_seed(s, form)).areas & without]
        for start in range(0, len(drawn), BATCH):
            here = folder / f"{engine}-{start}"
            for edited in apply(engine, drawn[start : start + BATCH], here):
                yield edited, account_of(edited)
            shutil.rmtree(here, ignore_errors=True)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0, help="the first seed")
    parser.add_argument("--engine", choices=ENGINES, action="append")
    parser.add_argument("--without", action="append", default=[], help="leave out an area: formats, rich ...")
    parser.add_argument("--form", choices=[*FORMS, *OTHER_FORMS], help="draw sequences for this form only")
    parser.add_argument("--out", type=Path, default=Path(tempfile.gettempdir()) / "kpixl-edits")
    parser.add_argument("--smallest", action="store_true", help="leave out edits that a break does not need")
    parser.add_argument("--case", type=Path, help="hold the law over this sequence (JSON) only")
    return parser.parse_args()


def main() -> int:
    """Run from the command line."""
    options = _arguments()
    options.out.mkdir(parents=True, exist_ok=True)
    started, engines = time.monotonic(), options.engine or [*ENGINES]
    totals: dict[str, Counter[str]] = {engine: Counter() for engine in engines}
    broken: list[tuple[Edited, Account]] = []
    every: Iterable[tuple[Edited, Account]]
    with tempfile.TemporaryDirectory() as name:
        if options.case:
            case = of_data(json.loads(options.case.read_text(encoding="utf-8")))
            every = ((e, account_of(e)) for engine in engines for e in apply(engine, [case], Path(name) / engine))
        else:
            seeds = range(options.seed, options.seed + options.count)
            every = run(engines, seeds, Path(name), {*options.without}, options.form)
        for edited, account in every:
            _count(totals[edited.engine], account)
            if account.breaks:
                broken.append((edited, account))
                _keep(options.out, edited, account)
        if options.smallest:
            broken = [(_reduced(edited, account, Path(name) / "tried"), account) for edited, account in broken]
    _print(totals, broken)
    print(f"{time.monotonic() - started:.0f} s; what breaks the law is kept in {options.out}")
    return 1 if broken else 0


def _reduced(edited: Edited, account: Account, folder: Path) -> Edited:
    least = smallest(edited.engine, edited.sequence, account.breaks[0].kind, folder)
    return Edited(edited.engine, least, edited.path, edited.failed)


_COLUMNS = ("sequences", "typed", "in YAML", "quoted", "sheet not taken", "lost", "made up", "misplaced", "raised")


def _count(total: Counter[str], account: Account) -> None:
    total.update({"sequences": 1, "typed": account.typed, "in YAML": account.in_yaml, "quoted": account.quoted,
                  "sheet not taken": account.not_taken})  # fmt: skip
    total.update(broken.kind for broken in account.breaks)


def _print(totals: dict[str, Counter[str]], broken: Many[tuple[Edited, Account]]) -> None:
    for edited, account in broken[:MAX_SHOWN]:
        sequence = edited.sequence
        roster = " with roster" if sequence.with_roster else ""
        print(f"{edited.engine} {sequence.seed} {sequence.form} {sequence.base}{roster} {sorted(sequence.areas)}")
        for one in account.breaks[:4]:
            print(f"    {one}")
        for edit in sequence.edits:
            print(f"        {json.dumps(edit, ensure_ascii=False)}")
    print(f"{len(broken)} sequences break the law\n")
    print(f"{'engine':<12}" + "".join(f"{column:>17}" for column in _COLUMNS))
    for engine, total in [*totals.items(), ("all", sum(totals.values(), Counter[str]()))]:
        print(f"{engine:<12}" + "".join(f"{total[column]:>17}" for column in _COLUMNS))


def _keep(out: Path, edited: Edited, account: Account) -> None:
    stem = f"{edited.engine}-{edited.sequence.seed}"
    shutil.copyfile(edited.path, out / f"{stem}{edited.path.suffix}")
    data = {**edited.sequence.data(), "engine": edited.engine, "breaks": [str(one) for one in account.breaks]}
    (out / f"{stem}.json").write_text(json.dumps(data, ensure_ascii=False, indent=1), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
