"""Apply many sequences in one run of an application: openpyxl, LibreOffice, SheetJS, ExcelJS."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence as Many
from dataclasses import dataclass, replace
from pathlib import Path

from tests.applications import absent, command, node
from tests.laws import openpyxl_edits
from tests.laws.edits import OTHER, Edit, Sequence, template

ENGINES = ("openpyxl", "libreoffice", "sheetjs", "exceljs")
SYSTEM_PYTHON = Path("/usr/bin/python3")  # the one for which Debian packages the module of LibreOffice
BATCH = 100  # sequences that one process of an application edits
TIMEOUT = 900  # seconds for a batch


@dataclass(frozen=True, slots=True)
class Edited:
    """What an application made of a sequence; `failed`: the edits that it could not make."""

    engine: str
    sequence: Sequence
    path: Path
    failed: tuple[str, ...]


def apply(engine: str, sequences: Many[Sequence], folder: Path) -> list[Edited]:
    """Edit the template of each sequence with `engine`; leave out what it could not save."""
    folder.mkdir(parents=True, exist_ok=True)
    if engine == "sheetjs":
        sequences = [replace(sequence, edits=tuple(map(_plain, sequence.edits))) for sequence in sequences]
    targets = [folder / f"{n}-{s.seed}{_suffix(engine, s)}" for n, s in enumerate(sequences)]
    jobs = [(_source(s.form, s.base, folder), target, s) for s, target in zip(sequences, targets, strict=True)]
    others = {s.form: _source(s.form, OTHER, folder) for s in sequences}
    if engine == "openpyxl":
        failed = [openpyxl_edits.apply(source, target, [*s.edits], others[s.form]) for source, target, s in jobs]
    else:
        listed = folder / "jobs.json"
        data = [{"source": str(source), "target": str(target), "edits": s.edits, "other": str(others[s.form])}
                for source, target, s in jobs]  # fmt: skip
        listed.write_text(json.dumps(data, ensure_ascii=False), encoding="utf-8")
        run = _libreoffice if engine == "libreoffice" else _node
        failed = run(engine, listed, folder)
    edited = zip(targets, sequences, failed, strict=True)
    return [Edited(engine, one, target, tuple(which)) for target, one, which in edited if target.exists()]


def _plain(edit: Edit) -> Edit:
    """Return an edit without formats within a text, which SheetJS 0.18.5 reads but does not write."""
    if edit["do"] != "rich":
        return edit
    text = "".join(run["text"] for run in edit["runs"])
    return {"do": "type", "sheet": edit["sheet"], "cell": edit["cell"], "value": text, "kind": "text"}


def _suffix(engine: str, sequence: Sequence) -> str:
    return ".ods" if engine == "libreoffice" and sequence.seed % 5 == 0 else ".xlsx"


def _source(form_id: str, base: str, folder: Path) -> Path:
    path = folder / f"{form_id}-{base}.xlsx"
    if not path.exists():
        path.write_bytes(template(form_id, base))
    return path


def _node(engine: str, jobs: Path, _folder: Path) -> list[list[str]]:
    found: list[list[str]] = json.loads(node(f"edit_{engine}.js", jobs))
    return found


def _libreoffice(_engine: str, jobs: Path, folder: Path) -> list[list[str]]:
    command("soffice")
    script = Path(__file__).parent / "libreoffice_edits.py"
    imported = subprocess.run([SYSTEM_PYTHON, "-c", "import uno"], capture_output=True, check=False)
    if imported.returncode != 0:
        absent("python3-uno")
    arguments = [str(one) for one in (SYSTEM_PYTHON, "-I", script, jobs, folder / "profile")]
    done = subprocess.run(arguments, capture_output=True, timeout=TIMEOUT, check=False)
    assert done.returncode == 0, done.stderr.decode("utf-8", "replace")
    found: list[list[str]] = json.loads(done.stdout)
    return found
