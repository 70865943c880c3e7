"""Read many broken files and see that nothing breaks.

    python tests/fuzz/run.py --count 20000 --seed 1 [--seconds 600] [--out FOLDER]

Inputs are mutations of real files, files that Hypothesis makes, and YAML of both sorts. Each file goes the way that
`kpixl consolidate` goes (reading, recognising, merging, checking, writing the YAML and reading it again) and is then
marked, as `kpixl check --mark` does; YAML goes through `canonical.loads`. A finding is: an exception other than
KpixlError, more than ten seconds, more than 1 GiB, a process that dies. What was found is saved in FOLDER with a line
that repeats it. Exit code 1 where there is a finding.

One forked process reads input after input; this one watches it, and starts another where it dies or hangs.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import resource
import shutil
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from random import Random

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from hypothesis import HealthCheck, Phase, given, seed, settings

from kpixl.collection.consolidate import consolidate, sources_text
from kpixl.collection.model import Collection
from kpixl.output.annotate import marked_copy
from kpixl.output.annotate.problem_list import grouped
from kpixl.portfolio import canonical
from kpixl.problems import KpixlError, Problem
from kpixl.readers import Limits
from tests.fuzz import made, mutate
from tests.fuzz.seeds import FORMS, Seed, file_seeds, form_of, yaml_seeds

BATCH = 50
MAX_SECONDS, MAX_BYTES = 10.0, 1 << 30
# A page of a PDF is given up after this time; the default is as long as the whole input may take here.
LIMITS = Limits(page_seconds=2, memory_bytes=MAX_BYTES)
YAML = ".yaml"


@dataclass
class Report:
    """What a run gave."""

    tried: int = 0
    seconds: float = 0
    peak_bytes: int = 0
    slowest: float = 0
    slowest_at: tuple[int, int] = (0, 0)  # batch and index, for --only
    outcomes: Counter[str] = field(default_factory=Counter)
    findings: dict[str, str] = field(default_factory=dict)  # what -> how to repeat it
    repeated: Counter[str] = field(default_factory=Counter)


# --- one input ----------------------------------------------------------------------------------


def read_input(path: Path) -> str:
    """Take one input the whole way; return what became of it in a word. Raises what must not be raised."""
    problems: tuple[Problem, ...] = ()
    try:
        if path.suffix == YAML:
            form, portfolio = canonical.loads(path.read_text(encoding="utf-8", errors="replace"), form_of, path.name)
            word = "portfolio"
        else:
            result = consolidate([path], FORMS, workers=0, limits=LIMITS)
            form, portfolio, problems = result.form, result.portfolio, result.problems
            sources_text(result)
            _mark(result)
            word = "projects" if portfolio.projects else "no project"
    except KpixlError as error:
        word, problems = "refused", error.problems
    else:
        text = canonical.dumps(form, portfolio)
        try:
            assert canonical.loads(text, form_of)[1] == portfolio, "the portfolio is not what its text says"
        except KpixlError as error:
            raise AssertionError(f"the portfolio's own text is refused: {error}") from error
    for problem in problems:
        if "memory-bytes" in str(problem.details.get("option")):
            raise MemoryError
        for lang in ("zh", "en"):
            problem.data(lang)
    return word


def _mark(result: Collection) -> None:
    """Mark each file as kpixl check --mark does: a copy of it, or a list, is what must come of it."""
    for file in result.files:
        problems = [problem for problem in result.problems if problem.location.file == file.file]
        if problems:
            content, _, _ = marked_copy(file, grouped(problems, everything=True), lang="zh", font="宋体", limits=LIMITS)
            assert content


def inputs(number: int, run_seed: int, first: int) -> Iterator[Seed]:
    """Make the inputs of a batch from `first` on."""
    files, texts = _seeds()
    for index in range(first, BATCH):
        rng = Random(f"{run_seed}:{number}:{index}")
        if number % 5 == 2:
            yield Seed(f"x{YAML}", mutate.mutated_yaml(rng, texts).encode("utf-8", "surrogatepass"))
        else:
            yield mutate.mutated(rng, files)


_cache: list[tuple[list[Seed], list[str]]] = []


def _seeds() -> tuple[list[Seed], list[str]]:
    if not _cache:
        _cache.append((file_seeds(), yaml_seeds()))
    return _cache[0]


def _is_made(number: int) -> bool:
    """Tell which batches Hypothesis makes: a tenth, because it takes longer than reading them."""
    return number % 10 == 4


def _made(number: int, run_seed: int, take: Callable[[Seed], None]) -> None:
    """Have Hypothesis make a batch."""
    usual = settings(
        max_examples=BATCH, database=None, deadline=None, phases=[Phase.generate], suppress_health_check=[*HealthCheck]
    )
    seeded = seed(run_seed * 1_000_003 + number)
    if number % 20 == 4:

        @seeded
        @usual
        @given(made.yamls)
        def run(text: str) -> None:
            take(Seed(f"made{YAML}", text.encode("utf-8", "surrogatepass")))

    else:

        @seeded
        @usual
        @given(made.files)
        def run(drawn: Seed) -> None:
            take(drawn)

    run()


# --- the process that reads ---------------------------------------------------------------------


def _worker(pipe: Connection, folder: Path, run_seed: int, batches: range, first: int) -> None:
    """Read batches; say before each input where it is, and after it what came of it."""
    warnings.simplefilter("ignore")
    os.environ["RUST_BACKTRACE"] = "0"  # a panic is caught, and spelling out where it was takes long
    os.dup2(os.open(folder / "stderr", os.O_WRONLY | os.O_CREAT | os.O_APPEND), 2)
    used = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + MAX_BYTES, resource.getrlimit(resource.RLIMIT_AS)[1]))
    for number in batches:
        place = [number, first]

        def take(made_input: Seed, place: list[int] = place) -> None:
            path = folder / f"input{Path(made_input.name).suffix}"
            path.write_bytes(made_input.content)
            pipe.send((*place, str(path), "", "", 0.0))
            started = time.perf_counter()
            finding, outcome = "", ""
            try:
                outcome = read_input(path)
            except MemoryError:
                finding = "memory beyond the limit"
            except Exception as error:  # noqa: BLE001 - to find these is what the harness is for
                finding = _where(error)
            seconds = time.perf_counter() - started
            if seconds > MAX_SECONDS and not finding:
                finding = f"slow: {path.suffix}"
            pipe.send((*place, str(path), finding, outcome, seconds))
            place[1] += 1

        if _is_made(number):
            _made(number, run_seed, take)
        else:
            for each in inputs(number, run_seed, first):
                take(each)
        first = 0
    pipe.send(None)


def _where(error: Exception) -> str:
    """Name an exception by its type and the last line of kpixl that it passed."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if "/kpixl/" in frame.filename]
    last = frames[-1] if frames else traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} at {Path(last.filename).name}:{last.lineno}: {str(error)[:100]!r}"


# --- the process that watches -------------------------------------------------------------------


def fuzz(count: int, run_seed: int, seconds: float = 1e9, out: Path | None = None) -> Report:
    """Read `count` inputs, or as many as there is time for; save what is found in `out`."""
    report, started = Report(), time.monotonic()
    batches, first = range(-(-count // BATCH)), 0
    _seeds()  # made once, before the first fork
    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as name:
        folder = Path(name)
        while batches:
            last = _watch(report, folder, run_seed, batches, first, started + seconds, out)
            if last is None or time.monotonic() > started + seconds:
                break
            number, index = last
            # What Hypothesis makes cannot be taken up in the middle.
            batches, first = (range(number, batches.stop), index + 1) if not _is_made(number) else (
                range(number + 1, batches.stop), 0)  # fmt: skip
    report.seconds = time.monotonic() - started
    report.peak_bytes = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
    return report


def _watch(
    report: Report, folder: Path, run_seed: int, batches: range, first: int, end: float, out: Path | None
) -> tuple[int, int] | None:
    """Run a process until it is done (None), dies or hangs (the input that it was at)."""
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_worker, args=(theirs, folder, run_seed, batches, first), daemon=True)
    process.start()
    theirs.close()
    place, path, reading = (batches.start, first), "", False
    try:
        while time.monotonic() < end:
            if not ours.poll(MAX_SECONDS * 1.5):
                _found(report, f"hangs: {Path(path).suffix}", place, run_seed, path, out)
                return place
            message = ours.recv()
            if message is None:
                return None
            number, index, path, finding, outcome, taken = message
            place = (number, index)
            reading = not reading
            if not reading:
                report.tried += 1
                report.slowest, report.slowest_at = max((report.slowest, report.slowest_at), (taken, place))
                report.outcomes[f"{Path(path).suffix} {outcome or 'FOUND'}"] += 1
                if finding:
                    _found(report, finding, place, run_seed, path, out)
    except EOFError:
        process.join()
        if process.exitcode == 1:  # it was an input that could not be made
            raise RuntimeError((folder / "stderr").read_text(encoding="utf-8", errors="replace")) from None
        said = (folder / "stderr").read_text(encoding="utf-8", errors="replace")[-200:] if path else ""
        _found(report, f"died ({process.exitcode}): {Path(path).suffix} {said}", place, run_seed, path, out)
        return place
    finally:
        process.kill()
        process.join()
        ours.close()
    return None


def _found(report: Report, what: str, place: tuple[int, int], run_seed: int, path: str, out: Path | None) -> None:
    if what.startswith(("died", "hangs")):
        report.tried += 1
    report.repeated[what] += 1
    if what in report.findings:
        return
    repeat = f"python tests/fuzz/run.py --seed {run_seed} --only {place[0]}:{place[1]}"
    if out is not None and Path(path).is_file():
        out.mkdir(parents=True, exist_ok=True)
        kept = out / f"{run_seed}-{place[0]}-{place[1]}{Path(path).suffix}"
        shutil.copyfile(path, kept)
        repeat = f"python tests/fuzz/run.py --file {kept}"
        with (out / "findings.txt").open("a", encoding="utf-8") as stream:
            stream.write(f"{what}\n    {repeat}\n")
    report.findings[what] = repeat


def main() -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=3600)
    parser.add_argument("--out", type=Path, default=Path(tempfile.gettempdir()) / "kpixl-fuzz")
    parser.add_argument("--file", type=Path, help="read this file only, in this process")
    parser.add_argument("--only", help="BATCH:INDEX, make and read this input only, in this process")
    options = parser.parse_args()
    if options.only:
        number, index = map(int, options.only.split(":"))
        made_input = next(inputs(number, options.seed, index))
        options.file = options.out / f"only{Path(made_input.name).suffix}"
        options.out.mkdir(parents=True, exist_ok=True)
        options.file.write_bytes(made_input.content)
    if options.file:
        print(read_input(options.file))
        return 0
    report = fuzz(options.count, options.seed, options.seconds, options.out)
    speed = report.tried / report.seconds
    print(f"{report.tried} inputs in {report.seconds:.0f} s ({speed:.0f}/s), slowest {report.slowest:.1f} s ", end="")
    number, index = report.slowest_at
    print(f"({number}:{index}), peak {report.peak_bytes >> 20} MiB")
    print(json.dumps(dict(sorted(report.outcomes.items())), indent=1))
    for what, repeat in report.findings.items():
        print(f"FOUND {report.repeated[what]} times: {what}\n    {repeat}")
    print(f"{len(report.findings)} findings")
    return 1 if report.findings else 0


if __name__ == "__main__":
    sys.exit(main())
