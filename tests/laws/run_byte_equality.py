"""Compare what this tree reads with what an earlier commit read, to the byte: python tests/laws/run_byte_equality.py.

Both trees read the same files: what was returned in the example, every case of tests/cases/reading, and 200 drawn
portfolios, as YAML and as the workbooks that the earlier tree made of them; this tree also reads its own workbooks.
Equal is the YAML file of the result. Differences that are meant are listed, each with its reason, in
tests/cases/byte-equality.yaml; another difference, or a listed one that is none, is an exit code of 1.
"""

from __future__ import annotations

import argparse
import fnmatch
import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from hypothesis import HealthCheck, Phase, given, settings

from kpixl.forms.types import FIELD_TYPES
from kpixl.portfolio import canonical
from kpixl.portfolio.canonical import complete
from kpixl.portfolio.model import Portfolio
from tests.recognise.test_reading import ALL, write
from tests.strategies import form_of, portfolios

ROOT = Path(__file__).resolve().parents[2]
EARLIER = "e619173"  # the last commit before the redesign
FORM = "shanghai-target"  # the form that the earlier tree has
LISTED = ROOT / "tests" / "cases" / "byte-equality.yaml"

# Runs in either tree: reads the files listed as JSON, in order, and writes a YAML text, or problem codes, for each.
_READ = """
import json, sys, warnings
from pathlib import Path
sys.path[0] = sys.argv[1]
for name, module in list(sys.modules.items()):
    if name.startswith("__editable___kpixl"):
        module.MAPPING["kpixl.templates"] = sys.path[0] + "/templates"
import kpixl
assert kpixl.__file__.startswith(sys.path[0]), kpixl.__file__
try:
    from kpixl.collection.consolidate import consolidate
    from kpixl.forms.load import load_form
    from kpixl.output.template import build_template
    from kpixl.portfolio import canonical
    from kpixl.problems import KpixlError
except ImportError:
    from kpixl import canonical
    from kpixl.consolidate import consolidate
    from kpixl.form import load_form
    from kpixl.problems import KpixlError
    from kpixl.template import build_template
warnings.simplefilter("ignore")
form = load_form("shanghai-target")

def one(source, built):
    path = Path(source)
    try:
        if path.suffix == ".yaml":
            read = canonical.load(path, load_form)[1]
            if built:
                Path(built).write_bytes(build_template(form, read))
        else:
            read = consolidate([path], [form], workers=0).portfolio
    except KpixlError as error:
        return "; ".join(problem.code for problem in error.problems)
    return canonical.dumps(form, read)

jobs = json.loads(Path(sys.argv[2]).read_text(encoding="utf-8"))
found = [one(*job) for job in jobs]
Path(sys.argv[3]).write_text(json.dumps(found, ensure_ascii=False), encoding="utf-8")
"""

Results = Mapping[str, str]


def read_with(tree: Path, jobs: Mapping[str, tuple[Path, Path | None]], folder: Path) -> dict[str, str]:
    """Read files with the code of a tree; a job that has a second path writes the template of its portfolio there."""
    listed, found = folder / "jobs.json", folder / "found.json"
    listed.write_text(json.dumps([[str(path) if path else None for path in job] for job in jobs.values()]), "utf-8")
    subprocess.run([sys.executable, "-c", _READ, str(tree), str(listed), str(found)], cwd=folder, check=True)
    return dict(zip(jobs, json.loads(found.read_text(encoding="utf-8")), strict=True))


def checked_out(revision: str, folder: Path) -> Path:
    """Write the code of a commit into a folder."""
    command = ["git", "-C", str(ROOT), "archive", revision, "kpixl", "templates"]
    packed = subprocess.run(command, check=True, capture_output=True).stdout
    folder.mkdir()
    subprocess.run(["tar", "-x", "-C", str(folder)], input=packed, check=True)
    return folder


def with_amounts(portfolio: Portfolio) -> Portfolio:
    """Leave out texts that were typed as amounts: the earlier tree added up the other parts of such a total.

    Now it is blank, which CHANGELOG.md names; nearly every drawn portfolio has one, and would differ by it alone.
    """
    form = form_of(FORM)
    amounts = {key for key, field in form.fields.items() if FIELD_TYPES[field.type].is_amount}
    kept = [
        {key: None if key in amounts and isinstance(value, str) else value for key, value in project.values.items()}
        for project in portfolio.projects
    ]
    projects = (
        complete(form, replace(project, values=values))
        for project, values in zip(portfolio.projects, kept, strict=True)
    )
    return replace(portfolio, projects=tuple(projects))


def drawn(count: int) -> list[Portfolio]:
    """Draw portfolios, the same ones each time; those without a project have nothing to read."""
    found: list[Portfolio] = []

    @given(portfolios(form_of(FORM)).filter(lambda portfolio: bool(portfolio.projects)).map(with_amounts))
    @settings(
        max_examples=count, database=None, deadline=None, derandomize=True, phases=[Phase.generate],
        suppress_health_check=[*HealthCheck],
    )  # fmt: skip
    def collect(portfolio: Portfolio) -> None:
        found.append(portfolio)

    collect()
    return found[:count]


def files_to_read(folder: Path) -> dict[str, Path]:
    """Write the files that both trees read; the name of each begins with the group that it is counted in."""
    returned = sorted(path for path in (ROOT / "examples" / "sast-2026" / "returned").iterdir() if path.is_file())
    found = {f"example: {path.name}": path for path in returned}
    found["example: all at once"] = returned[0].parent
    for number, (name, case) in enumerate(ALL.items()):
        place = folder / f"case{number}"
        place.mkdir()
        found[f"case: {name}"] = write(case, place)
    return found


def written(portfolios_: list[Portfolio], folder: Path) -> dict[str, Path]:
    """Write portfolios as YAML files."""
    found = {}
    for number, portfolio in enumerate(portfolios_):
        found[f"portfolio: {number:03}"] = path = folder / f"{number:03}.yaml"
        path.write_text(canonical.dumps(form_of(FORM), portfolio), encoding="utf-8")
    return found


def compare(revision: str, count: int, folder: Path) -> tuple[Results, Results]:
    """Read everything with the earlier tree and with this one; return what each gave, by name."""
    earlier = checked_out(revision, folder / "earlier")
    files = {name: (path, None) for name, path in files_to_read(folder).items()}
    sources = written(drawn(count), folder)
    both: list[dict[str, str]] = []
    for tree, name in ((earlier, "sent-earlier"), (ROOT, "sent-now")):
        (folder / name).mkdir()
        built = {key: (path, folder / name / f"{path.stem}.xlsx") for key, path in sources.items()}
        both.append(read_with(tree, {**files, **built}, folder))
    # The workbooks of both trees are read by this one; the earlier tree reads those that it made.
    for found, tree in zip(both, (earlier, ROOT), strict=True):
        sent = {f"workbook: {path.stem}": (path, None) for path in sorted((folder / "sent-earlier").iterdir())}
        found |= read_with(tree, sent, folder)
    own = {f"own workbook: {path.stem}": (path, None) for path in sorted((folder / "sent-now").iterdir())}
    both[1] |= read_with(ROOT, own, folder)
    both[0] |= {name: both[0][name.removeprefix("own ")] for name in own if name.removeprefix("own ") in both[0]}
    return both[0], both[1]


def reason_of(name: str, listed: Mapping[str, str]) -> str | None:
    """Return why a result may differ; a name in the list may have * for any text."""
    return next((why for pattern, why in listed.items() if fnmatch.fnmatchcase(name, pattern)), None)


def main() -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("revision", nargs="?", default=EARLIER)
    parser.add_argument("--count", type=int, default=200, help="how many portfolios are drawn")
    parser.add_argument("--show", action="store_true", help="print both texts of each difference that is not listed")
    options = parser.parse_args()
    listed: dict[str, Any] = yaml.safe_load(LISTED.read_text(encoding="utf-8")) or {}
    with tempfile.TemporaryDirectory() as folder:
        before, now = compare(options.revision, options.count, Path(folder))
    differing = [name for name in before if before[name] != now[name]]
    unlisted = [name for name in differing if reason_of(name, listed) is None]
    unused = [pattern for pattern in listed if not fnmatch.filter(differing, pattern)]
    for name in unlisted:
        print(f"differs: {name}")
        if options.show:
            print(f"--- before\n{before[name]}\n--- now\n{now[name]}")
    for pattern in unused:
        print(f"listed, but equal: {pattern}")
    print(f"{len(before)} results, {len(differing)} differ, {len(unlisted)} of them not listed")
    return 1 if unlisted or unused else 0


if __name__ == "__main__":
    sys.exit(main())
