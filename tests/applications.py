"""The applications that staff use, driven from tests: LibreOffice, Gnumeric, SheetJS, ExcelJS, the SDK validator.

Where one is not installed its tests are skipped with a reason; in CI (the variable CI is set) they fail instead.
`.ci/run` installs them all.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

NODE = Path(__file__).parent / "node"
LIBREOFFICE = Path(__file__).parent / "libreoffice"
_SYSTEM_PYTHON = "/usr/bin/python3"  # the one that has LibreOffice's bridge
TIMEOUT = 240  # seconds; the slowest takes ten

# "Recalculate on load: always" for Excel and OpenDocument files.
_RECALCULATE = """\
<?xml version="1.0" encoding="UTF-8"?>
<oor:items xmlns:oor="http://openoffice.org/2001/registry">
<item oor:path="/org.openoffice.Office.Calc/Formula/Load"><prop oor:name="OOXMLRecalcMode" oor:op="fuse">\
<value>0</value></prop></item>
<item oor:path="/org.openoffice.Office.Calc/Formula/Load"><prop oor:name="ODFRecalcMode" oor:op="fuse">\
<value>0</value></prop></item>
</oor:items>
"""


def absent(what: str) -> None:
    """Skip the test for want of an application; fail it in CI."""
    message = f"{what} is not installed; .ci/run installs it"
    if os.environ.get("CI"):
        pytest.fail(message)
    pytest.skip(message)


def command(name: str) -> str:
    """Return the path of a command, or skip (fail in CI)."""
    path = shutil.which(name)
    if path is None:
        absent(name)
    return str(path)


def _run(*arguments: str | Path) -> str:
    done = subprocess.run([str(a) for a in arguments], capture_output=True, timeout=TIMEOUT, check=False)
    out = done.stdout.decode("utf-8", "replace")
    assert done.returncode == 0, f"{arguments[0]}: {out}\n{done.stderr.decode('utf-8', 'replace')}"
    return out


@dataclass(frozen=True)
class Office:
    """LibreOffice with a profile of its own, so that parallel runs do not meet."""

    profile: Path
    recalculate: bool = False

    def convert(self, source: Path, folder: Path, kind: str = "xlsx", opened_as: str = "") -> Path:
        """Open `source` and save it in `folder` as `kind`; with `recalculate` every formula is computed anew.

        `opened_as`: the filter to open it with, where LibreOffice would choose another.
        """
        soffice = command("soffice")
        if self.recalculate and not self.profile.exists():
            (self.profile / "user").mkdir(parents=True)
            (self.profile / "user" / "registrymodifications.xcu").write_text(_RECALCULATE, encoding="utf-8")
        folder.mkdir(parents=True, exist_ok=True)
        profile = f"-env:UserInstallation={self.profile.as_uri()}"
        filters = [f"--infilter={opened_as}"] if opened_as else []
        out = _run(
            soffice, profile, "--headless", "--norestore", *filters, "--convert-to", kind, "--outdir", folder, source
        )
        target = folder / f"{source.stem}.{kind.split(':')[0]}"
        assert target.exists(), out  # soffice exits 0 when it cannot load a file
        return target

    def edit(self, jobs: Sequence[Mapping[str, Any]], folder: Path) -> list[list[Any]]:
        """Do the jobs of tests/libreoffice/edit.py; return the answers of each."""
        command("soffice")
        if subprocess.run([_SYSTEM_PYTHON, "-c", "import uno"], capture_output=True, check=False).returncode:
            absent("LibreOffice's bridge to Python (python3-uno)")
        listed = folder / "jobs.json"
        listed.write_text(json.dumps(jobs, ensure_ascii=False), encoding="utf-8")
        answers: list[list[Any]] = json.loads(_run(_SYSTEM_PYTHON, LIBREOFFICE / "edit.py", self.profile, listed))
        assert len(answers) == len(jobs)
        return answers


def gnumeric(source: Path, target: Path) -> Path:
    """Re-save a workbook with Gnumeric; the kind follows from the name of `target`."""
    _run(command("ssconvert"), source, target)
    return target


def pages_of(pdf: Path) -> int:
    """Count the pages of a PDF."""
    found = re.search(r"^Pages:\s+(\d+)", _run(command("pdfinfo"), pdf), re.MULTILINE)
    assert found, pdf
    return int(found[1])


def node(script: str, *arguments: Path) -> str:
    """Run a script of tests/node."""
    program = command("node")
    if not (NODE / "node_modules").is_dir():
        absent("what tests/node/package.json lists (npm install --prefix tests/node)")
    return _run(program, NODE / script, *arguments)


def resave_with_node(script: str, source: Path, target: Path) -> Path:
    """Re-save a workbook with SheetJS or ExcelJS."""
    node(script, source, target)
    assert target.exists()
    return target


def assert_valid(files: Iterable[Path]) -> None:
    """Assert that the Open XML SDK finds nothing wrong, so that Excel opens the files without a repair prompt."""
    paths = list(files)
    results: list[dict[str, Any]] = json.loads(node("validate.mjs", *paths))
    assert len(results) == len(paths)
    wrong = {result["file"]: result["errors"][:5] for result in results if not result["ok"]}
    assert not wrong, json.dumps(wrong, ensure_ascii=False, indent=1)
