"""The example of a form that is published as one table: made anew, and saved again by applications, it is the same."""

from __future__ import annotations

import importlib.util
import io
import shutil
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest

from kpixl.collection.consolidate import consolidate
from kpixl.collection.model import Collection
from kpixl.collection.review import review
from kpixl.collection.roster import write_roster
from kpixl.forms.definition import Form
from kpixl.forms.load import load_form, load_forms
from kpixl.output.publish import publication, render
from kpixl.output.summary import build_summary
from kpixl.output.template import build_template
from kpixl.portfolio import canonical
from kpixl.portfolio.model import Portfolio
from tests.applications import Office, resave_with_node
from tests.conftest import ROOT

EXAMPLE = ROOT / "examples" / "sichuan-target-2026"
Resave = Callable[[Path, Path, Office], Path]
RESAVED: dict[str, Resave] = {
    "libreoffice-xlsx": lambda source, folder, office: office.convert(source, folder, "xlsx"),
    "libreoffice-ods": lambda source, folder, office: office.convert(source, folder, "ods"),
    "sheetjs": lambda source, folder, _: resave_with_node("resave_sheetjs.js", source, folder / "resaved.xlsx"),
    "exceljs": lambda source, folder, _: resave_with_node("resave_exceljs.js", source, folder / "resaved.xlsx"),
}


@pytest.fixture(scope="module")
def known() -> tuple[Form, Portfolio]:
    return canonical.load(EXAMPLE / "2026.yaml", load_form)


def collect(path: Path, portfolio: Portfolio | None = None) -> Collection:
    return consolidate([path], list(load_forms().values()), roster=portfolio, workers=0)


def test_the_list_gives_the_roster(tmp_path: Path) -> None:
    out = tmp_path / "roster.yaml"
    write_roster(load_form("sichuan-target"), EXAMPLE / "list.csv", out, organization="示范县文化和旅游局")
    assert out.read_bytes() == (EXAMPLE / "roster.yaml").read_bytes()


def test_the_returned_files_give_the_result(known: tuple[Form, Portfolio]) -> None:
    form, _ = known
    roster = canonical.load(EXAMPLE / "roster.yaml", load_form)[1]
    result = collect(EXAMPLE / "returned", roster)
    assert canonical.dumps(form, result.portfolio) == (EXAMPLE / "2026.yaml").read_text(encoding="utf-8")
    assert {p.code for p in result.problems} == {"amount-scaled", "matched-by-name", "flat-total-read"}
    assert not review([EXAMPLE / "2026.yaml"], [form]).problems


def test_the_returned_files_are_made_by_the_script(tmp_path: Path) -> None:
    copy = tmp_path / "example"
    shutil.copytree(EXAMPLE, copy, ignore=shutil.ignore_patterns("returned", "__pycache__"))
    spec = importlib.util.spec_from_file_location("make_flat_returned", copy / "make_returned.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.main()
    made = sorted(path.name for path in (copy / "returned").iterdir())
    assert made == sorted(path.name for path in (EXAMPLE / "returned").iterdir())
    forms = [load_form("sichuan-target")]
    for name in made:  # the template's bytes change with kpixl, what is read from the files does not
        mine, committed = (
            consolidate([folder / name], forms, workers=0) for folder in (copy / "returned", EXAMPLE / "returned")
        )
        assert mine.portfolio.projects == committed.portfolio.projects


def flat_workbook(form: Form, portfolio: Portfolio) -> bytes:
    """Return the published table alone, as offices hand it on."""
    book = openpyxl.load_workbook(io.BytesIO(build_summary(form, portfolio)[0]))
    for sheet in book.worksheets:
        if sheet["A1"].value != form.title:
            book.remove(sheet)
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


@pytest.mark.parametrize("ending", [".html", ".docx"])
def test_what_was_published_is_read_back(ending: str, known: tuple[Form, Portfolio], tmp_path: Path) -> None:
    form, portfolio = known
    path = tmp_path / f"page{ending}"
    path.write_bytes(render(publication(form, portfolio), path))
    result = collect(path, portfolio)
    assert canonical.dumps(form, result.portfolio) == canonical.dumps(form, portfolio)
    assert {p.code for p in result.problems} <= {"matched-by-name", "flat-total-read", "stray-text"}


@pytest.mark.parametrize("application", ["as made", *RESAVED])
@pytest.mark.parametrize("kind", ["template", "table"])
def test_saved_again_the_projects_are_the_same_to_the_byte(
    application: str, kind: str, known: tuple[Form, Portfolio], office: Office, tmp_path: Path
) -> None:
    form, portfolio = known
    path = tmp_path / "sent.xlsx"
    path.write_bytes(build_template(form, portfolio) if kind == "template" else flat_workbook(form, portfolio))
    if application in RESAVED:
        path = RESAVED[application](path, tmp_path, office)
    result = collect(path, portfolio)
    assert canonical.dumps(form, result.portfolio) == canonical.dumps(form, portfolio)
    assert {p.code for p in result.problems} <= {"matched-by-name", "flat-total-read"}
