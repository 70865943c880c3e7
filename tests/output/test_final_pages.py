"""Everything that is handed to people, for every form and in both languages, before independent validators."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from kpixl.cli.main import run
from kpixl.forms.load import load_form
from kpixl.output.publish import publication, render
from kpixl.portfolio import canonical
from tests.applications import command, faults_in
from tests.conftest import ROOT
from tests.pages import assert_fit_a_phone, assert_sound, violations_of

pytestmark = [pytest.mark.application, pytest.mark.slow]

EXAMPLES = ["sast-2026", "central-target-2026", "sichuan-target-2026", "shanghai-self-evaluation-2026"]
PAGES = ["publication", "status", "report"]

# The switch of the errors-only view is outside of every landmark: without scripts it must be beside what it hides.
SWITCH = ["region", "moderate", ['<input type="checkbox" id="only">']]

Pages = dict[str, str]


def make(example: str, folder: Path, lang: str) -> None:
    """Write into `folder` what the office, its units and the public get of an example."""
    given = ROOT / "examples" / example
    returned, roster = str(given / "returned"), ["--roster", str(given / "roster.yaml")]
    folder.mkdir()
    said = ["--lang", lang]
    out = {name: str(folder / name) for name in ("report.html", "status.html", "status.xlsx", "template.xlsx")}
    run(["template", str(given / "roster.yaml"), "-o", out["template.xlsx"], *said])
    run(["consolidate", returned, *roster, "-o", str(folder / "2026.yaml"), *said])
    run(
        [
            "check",
            returned,
            *roster,
            "--html",
            out["report.html"],
            "--mark",
            str(folder / "marked"),
            "--mark-all",
            *said,
        ]
    )
    late = ["--due", "2026-11-20"]
    run(["status", returned, *roster, *late, "--html", out["status.html"], "-o", out["status.xlsx"], *said])
    for ending in ("html", "docx"):
        target = str(folder / f"publication.{ending}")
        run(["publish", str(given / "2026.yaml"), "--draft", "-o", target, *said])


@pytest.fixture(scope="module", params=["zh", "en"])
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    """Return the language and the folder that has everything, a folder for each example."""
    folder = tmp_path_factory.mktemp("final")
    for example in EXAMPLES:
        make(example, folder / example, request.param)
    return request.param, folder


def pages_in(folder: Path) -> Pages:
    return {
        f"{example} {page}": (folder / example / f"{page}.html").read_text(encoding="utf-8")
        for example in EXAMPLES
        for page in PAGES
    }


def test_every_page_is_sound_and_in_one_language(made: tuple[str, Path]) -> None:
    lang, folder = made
    for name, page in pages_in(folder).items():
        published = name.endswith("publication")
        # What is published is Chinese whatever the language of the run.
        assert_sound(page, "zh" if published else lang, script=published)


@pytest.mark.parametrize("dark", [False, True])
def test_axe_finds_nothing_against_any_page(made: tuple[str, Path], dark: bool, tmp_path: Path) -> None:
    found = violations_of(pages_in(made[1]), tmp_path, dark=dark)
    assert {name: [v for v in told if v != SWITCH] for name, told in found.items()} == {name: [] for name in found}
    assert len(found) == len(EXAMPLES) * len(PAGES)


def test_every_page_fits_a_phone(made: tuple[str, Path], tmp_path: Path) -> None:
    assert_fit_a_phone(pages_in(made[1]), tmp_path)


@pytest.mark.parametrize("example", EXAMPLES)
def test_the_validator_finds_nothing_wrong_in_any_workbook_or_document(example: str, made: tuple[str, Path]) -> None:
    files = [path for kind in ("xlsx", "docx") for path in sorted((made[1] / example).rglob(f"*.{kind}"))]
    assert len(files) >= 4
    sent_in = {path.name: path for path in (ROOT / "examples" / example / "returned").rglob("*.xlsx")}
    found = faults_in([*files, *sent_in.values()])
    # An annotated copy is the person's own file: what was wrong with it before stays.
    before = {name: {error["description"] for error in found[str(path)]} for name, path in sent_in.items()}
    ours = {path: [e for e in found[str(path)] if e["description"] not in before.get(path.name, ())] for path in files}
    assert {path.name: errors for path, errors in ours.items() if errors} == {}


@pytest.mark.parametrize("example", EXAMPLES)
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_every_pdf_is_tagged_and_embeds_its_fonts(example: str, lang: str, tmp_path: Path) -> None:
    form, portfolio = canonical.load(ROOT / "examples" / example / "2026.yaml", load_form)
    path = tmp_path / "set.pdf"
    path.write_bytes(render(publication(form, portfolio, lang=lang, draft=True), path))
    told = {
        program: subprocess.run([command(program), path], capture_output=True, timeout=60, check=True).stdout.decode()
        for program in ("pdfinfo", "pdffonts")
    }
    assert re.search(r"^Tagged: +yes", told["pdfinfo"], re.MULTILINE)
    fonts = [line.split() for line in told["pdffonts"].splitlines()[2:]]
    assert fonts and all(
        row[-5:-2] == ["yes", "yes", "yes"] for row in fonts
    )  # embedded, a subset, with its characters
