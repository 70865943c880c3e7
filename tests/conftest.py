"""Fixtures that several test modules share: the 13 projects, their template, the applications."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import pytest

from kpixl import parallel
from kpixl.forms.definition import Form
from kpixl.forms.load import load_form
from kpixl.output.template import build_template
from kpixl.portfolio import canonical
from kpixl.portfolio.model import Portfolio
from tests import applications
from tests.applications import Office

ROOT = Path(__file__).resolve().parents[1]
EXAMPLE = ROOT / "examples" / "sast-2026"


@pytest.fixture(autouse=True)
def chinese(monkeypatch: pytest.MonkeyPatch) -> None:
    """Speak the default language, whatever the machine's locale; read no forms but our own."""
    for name in ("KPIXL_LANG", "KPIXL_FORMS", "LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)


def pytest_collection_modifyitems(items: Sequence[pytest.Item]) -> None:
    """Mark what uses LibreOffice's fixtures; a test that starts another application has the marker itself."""
    for item in items:
        if "libreoffice" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.application)


@pytest.fixture(autouse=True)
def only_marked_tests_start_applications(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep `make test` quick: without the marker a test cannot start an application."""
    monkeypatch.setattr(applications, "permitted", request.node.get_closest_marker("application") is not None)


@pytest.fixture(autouse=True)
def only_marked_tests_start_workers(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Read in this process where a test is not about workers: starting them takes longer than most tests."""
    if request.node.get_closest_marker("workers") is None:
        monkeypatch.setattr(parallel, "default_count", lambda: 0)


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
def libreoffice(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Office]]:
    """Start LibreOffice with a profile of a name; end it with the session."""
    with ExitStack() as started:

        def start(name: str, recalculate: bool = False) -> Office:
            one = Office(tmp_path_factory.mktemp(name) / "profile", recalculate)
            started.callback(one.close)
            return one

        yield start


@pytest.fixture(scope="session")
def office(libreoffice: Callable[..., Office]) -> Office:
    """Return LibreOffice as it is installed: values in a workbook are taken as they were saved."""
    return libreoffice("office")


@pytest.fixture(scope="session")
def calculator(libreoffice: Callable[..., Office]) -> Office:
    """Return LibreOffice set to recalculate what it opens."""
    return libreoffice("calculator", recalculate=True)
