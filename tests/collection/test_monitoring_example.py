"""The example of the monitoring form: made by its script and commands, it is what the files in its folder are."""

from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path

import openpyxl

from kpixl.collection.consolidate import consolidate
from kpixl.forms.load import load_form, load_forms
from kpixl.portfolio import canonical
from kpixl.portfolio.derive import derive

EXAMPLE = Path(__file__).parents[2] / "examples" / "central-monitoring-2026"
FORM = load_form("central-monitoring")
ALL = [*load_forms().values()]


def test_the_roster_is_derived_from_the_targets() -> None:
    source, portfolio = canonical.load(EXAMPLE.parent / "central-target-2026" / "2026.yaml", load_form)
    derived = derive(FORM, source, portfolio)
    assert canonical.dumps(FORM, derived.portfolio) == (EXAMPLE / "roster.yaml").read_text(encoding="utf-8")


def test_the_returned_files_are_made_by_the_script(tmp_path: Path) -> None:
    shutil.copy(EXAMPLE / "make_returned.py", tmp_path)
    shutil.copy(EXAMPLE / "roster.yaml", tmp_path)
    spec = importlib.util.spec_from_file_location("make_returned", tmp_path / "make_returned.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.make(tmp_path / "returned")
    for path in sorted((EXAMPLE / "returned").iterdir()):
        made, kept = (
            [[[c.value for c in row] for row in sheet.iter_rows()] for sheet in openpyxl.load_workbook(p).worksheets]
            for p in (tmp_path / "returned" / path.name, path)
        )
        assert made == kept, path.name


def test_consolidated_with_every_form_known_it_is_the_portfolio() -> None:
    roster = canonical.load(EXAMPLE / "roster.yaml", load_form)[1]
    result = consolidate([EXAMPLE / "returned"], ALL, roster=roster, workers=0)
    assert canonical.dumps(FORM, result.portfolio) == (EXAMPLE / "2026.yaml").read_text(encoding="utf-8")
    assert sorted((p.code, p.location.address or "") for p in result.problems) == [
        ("label-near", "F11"),
        ("matched-by-name", ""),
        ("matched-by-name", ""),
        ("value-normalised", "G7"),
    ]
