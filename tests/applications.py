"""The applications that staff use, driven from tests: LibreOffice, Gnumeric, SheetJS, ExcelJS, the SDK validator.

Tests that drive one have the marker `application`: `make applications` runs them, `make test` the others. Where one is
not installed its tests are skipped with a reason; in CI (the variable CI is set) they fail instead. `.ci/run` installs
them all.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import threading
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

NODE = Path(__file__).parent / "node"
LIBREOFFICE = Path(__file__).parent / "libreoffice"
_SYSTEM_PYTHON = "/usr/bin/python3"  # the one that has LibreOffice's bridge
TIMEOUT = 240  # seconds; the slowest takes ten

permitted = True  # whether the test that runs has the marker; conftest.py sets it

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
    assert permitted, f"this test starts {name}: it needs the marker `application`"
    path = shutil.which(name)
    if path is None:
        absent(name)
    return str(path)


def _run(*arguments: str | Path) -> str:
    done = subprocess.run([str(a) for a in arguments], capture_output=True, timeout=TIMEOUT, check=False)
    out = done.stdout.decode("utf-8", "replace")
    assert done.returncode == 0, f"{arguments[0]}: {out}\n{done.stderr.decode('utf-8', 'replace')}"
    return out


class Office:
    """LibreOffice with a profile of its own, so that parallel runs do not meet; it starts when first needed, once."""

    def __init__(self, profile: Path, recalculate: bool = False) -> None:
        self.profile, self.recalculate = profile, recalculate
        self._server: subprocess.Popen[str] | None = None

    def convert(self, source: Path, folder: Path, kind: str = "xlsx", opened_as: str = "") -> Path:
        """Open `source` and save it in `folder` as `kind`; with `recalculate` every formula is computed anew.

        `kind`: an ending, or an ending and the filter, `xlsx:Calc MS Excel 2007 XML`. `opened_as`: the filter to open
        it with, where LibreOffice would choose another.
        """
        folder.mkdir(parents=True, exist_ok=True)
        target = folder / f"{source.stem}.{kind.split(':')[0]}"
        self._ask({"source": str(source), "target": str(target), "kind": kind, "opened_as": opened_as})
        assert target.exists(), target
        return target

    def edit(self, jobs: Sequence[Mapping[str, Any]]) -> list[list[Any]]:
        """Do the jobs of tests/libreoffice/serve.py; return the answers of each."""
        return [self._ask(job) for job in jobs]

    def close(self) -> None:
        """End LibreOffice, if it was started."""
        if self._server is not None:
            self._server.communicate(timeout=TIMEOUT)
            self._server = None

    def _ask(self, job: Mapping[str, Any]) -> Any:
        server = self._server = self._server or self._started()
        assert server.stdin is not None and server.stdout is not None
        stuck = threading.Timer(TIMEOUT, os.killpg, (server.pid, signal.SIGKILL))
        stuck.start()
        try:
            server.stdin.write(json.dumps(job, ensure_ascii=False) + "\n")
            server.stdin.flush()
            line = server.stdout.readline()
        finally:
            stuck.cancel()
        if not line:  # it died; the next test gets another one
            self._server = None
            raise AssertionError(f"LibreOffice ended with {server.wait(TIMEOUT)} over {job}")
        answer = json.loads(line)
        assert not isinstance(answer, dict), (answer, job)
        return answer

    def _started(self) -> subprocess.Popen[str]:
        command("soffice")
        if subprocess.run([_SYSTEM_PYTHON, "-c", "import uno"], capture_output=True, check=False).returncode:
            absent("LibreOffice's bridge to Python (python3-uno)")
        if self.recalculate and not self.profile.exists():
            (self.profile / "user").mkdir(parents=True)
            (self.profile / "user" / "registrymodifications.xcu").write_text(_RECALCULATE, encoding="utf-8")
        # In a group of its own, so that the timer ends it together with LibreOffice.
        return subprocess.Popen(
            [_SYSTEM_PYTHON, "-I", str(LIBREOFFICE / "serve.py"), str(self.profile)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            encoding="utf-8",
            start_new_session=True,
        )


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


def faults_in(files: Iterable[Path]) -> dict[str, list[dict[str, str]]]:
    """Map each file to what the Open XML SDK finds wrong in it."""
    paths = list(files)
    results: list[dict[str, Any]] = json.loads(node("validate.mjs", *paths))
    assert len(results) == len(paths)
    return {result["file"]: [] if result["ok"] else result["errors"] for result in results}


def assert_valid(files: Iterable[Path]) -> None:
    """Assert that the Open XML SDK finds nothing wrong, so that Excel opens the files without a repair prompt."""
    wrong = {file: errors[:5] for file, errors in faults_in(files).items() if errors}
    assert not wrong, json.dumps(wrong, ensure_ascii=False, indent=1)
