"""Fixtures that several test modules share: the 13 projects, their template, the applications."""

from __future__ import annotations

from pathlib import Path

import pytest

from kpixl.forms.definition import Form
from kpixl.forms.load import load_form
from kpixl.output.template import build_template
from kpixl.portfolio import canonical
from kpixl.portfolio.model import Portfolio
from tests.applications import Office

ROOT = Path(__file__).resolve().parents[1]
EXAMPLE = ROOT / "examples" / "sast-2026"


@pytest.fixture(autouse=True)
def chinese(monkeypatch: pytest.MonkeyPatch) -> None:
    """Speak the default language, whatever the machine's locale; read no forms but our own."""
    for name in ("KPIXL_LANG", "KPIXL_FORMS", "LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="session")
def example() -> tuple[Form, Portfolio]:
    """Return the form and the 13 projects of the example."""
    return canonical.load(EXAMPLE / "2026.yaml", load_form)


@pytest.fixture(scope="session")
def example_template(example: tuple[Form, Portfolio], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the template of the 13 projects; not to be changed."""
    path = tmp_path_factory.mktemp("template") / "template.xlsx"
    path.write_bytes(build_template(*example))
    return path


@pytest.fixture(scope="session")
def office(tmp_path_factory: pytest.TempPathFactory) -> Office:
    """Return LibreOffice as it is installed: values in a workbook are taken as they were saved."""
    return Office(tmp_path_factory.mktemp("office") / "profile")


@pytest.fixture(scope="session")
def calculator(tmp_path_factory: pytest.TempPathFactory) -> Office:
    """Return LibreOffice set to recalculate what it opens."""
    return Office(tmp_path_factory.mktemp("calculator") / "profile", recalculate=True)
