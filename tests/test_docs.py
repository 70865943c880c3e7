"""The documentation is what the program says and does: texts are fresh, commands run, links lead somewhere."""

from __future__ import annotations

import re
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest
import yaml

from kpixl.forms.load import load_form, load_forms, parse_form
from kpixl.forms.types import FIELD_TYPES
from kpixl.forms.values import Raw
from kpixl.portfolio import canonical
from kpixl.portfolio.sheet_id import OWN_SHEET
from kpixl.readers import read_grids

ROOT = Path(__file__).parent.parent
PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md")), *sorted((ROOT / "examples").rglob("*.md"))]


@pytest.mark.slow
def test_generated_parts_are_fresh_and_readme_commands_run() -> None:
    command = [sys.executable, str(ROOT / "docs" / "generate.py"), "--check"]
    done = subprocess.run(command, capture_output=True, check=False)
    assert done.returncode == 0, (done.stdout + done.stderr).decode()


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_links_to_files_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)|src=\"([^\"]+)\"", page.read_text(encoding="utf-8"))
    targets = [first or second for first, second in links]
    missing = [t for t in targets if "://" not in t and not (page.parent / t).exists()]
    assert not missing


def test_readmes_have_the_same_sections_and_commands() -> None:
    pages = [(ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "README.zh-CN.md")]
    levels, commands = [], []
    for text in pages:
        # Comments of shell blocks begin with # as well.
        prose = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
        levels.append([len(m) for m in re.findall(r"^(#+) ", prose, re.MULTILINE)])
        commands.append(re.findall(r"^\$ .*", text, re.MULTILINE))
    assert levels[0] == levels[1]
    assert commands[0] == commands[1]


def test_pictures_are_small() -> None:
    for picture in (ROOT / "docs" / "images").iterdir():
        assert picture.stat().st_size < 150_000, picture.name


def test_forms_page_explains_every_key() -> None:
    page = (ROOT / "docs" / "forms.md").read_text(encoding="utf-8")
    missing = [key for key in _keys_read() if f"`{key}`" not in page]
    missing += [kind for kind in FIELD_TYPES if f"`{kind}`" not in page]
    assert not missing


def _keys_read() -> list[str]:
    """List the keys that the loader of definitions takes."""
    source = (ROOT / "kpixl" / "forms" / "load.py").read_text(encoding="utf-8")
    return sorted(set(re.findall(r"\.(?:take|node|nodes|mapping)\(\"([\w-]+)\"", source)))


def test_the_form_of_the_forms_page_works() -> None:
    page = (ROOT / "docs" / "forms.md").read_text(encoding="utf-8")
    (sketch,) = re.findall(r"<!-- a whole form -->\n```yaml\n(.*?)```", page, re.DOTALL)
    form = parse_form(yaml.safe_load(sketch))
    assert form.id not in load_forms()


def test_the_file_of_the_canonical_page_is_canonical() -> None:
    page = (ROOT / "docs" / "canonical-file.md").read_text(encoding="utf-8")
    (sample,) = re.findall(r"<!-- a canonical file -->\n```yaml\n(.*?)```", page, re.DOTALL)
    form, portfolio = canonical.loads(sample, load_form)
    assert canonical.dumps(form, portfolio) == sample


def test_every_decision_has_a_number_and_at_most_ten_lines() -> None:
    text = (ROOT / "docs" / "decisions.md").read_text(encoding="utf-8")
    parts = re.split(r"^## ", text, flags=re.MULTILINE)[1:]
    assert [part.split(".")[0] for part in parts] == [str(n) for n in range(1, len(parts) + 1)]
    assert [part.split("\n")[0] for part in parts if len(part.strip().split("\n")) > 11] == []


EXAMPLE = ROOT / "examples" / "sast-2026"


def test_the_example_is_what_its_readme_says(tmp_path: Path) -> None:
    roster, result, summary = (tmp_path / name for name in ("roster.yaml", "2026.yaml", "2026.xlsx"))
    options = ["--year", "2026", "--organization", "上海市科学技术协会"]
    assert _kpixl("roster", str(EXAMPLE / "list.csv"), "-o", str(roster), *options) == 0
    assert roster.read_bytes() == (EXAMPLE / "roster.yaml").read_bytes()
    arguments = [str(EXAMPLE / "returned"), "--roster", str(roster), "-o", str(result), "--summary", str(summary)]
    assert _kpixl("consolidate", *arguments, "--strict") == 0
    assert result.read_bytes() == (EXAMPLE / "2026.yaml").read_bytes()
    sources = tmp_path / "2026.sources.json"
    assert _without_day(sources.read_text("utf-8")) == _without_day((EXAMPLE / "2026.sources.json").read_text("utf-8"))
    assert _cells(summary) == _cells(EXAMPLE / "2026.xlsx")


def test_the_example_has_the_published_totals() -> None:
    _, portfolio = canonical.load(EXAMPLE / "2026.yaml", load_form)
    assert len(portfolio.projects) == 13
    assert sum(len(project.tables["indicators"]) for project in portfolio.projects) == 66
    keys = ("amount", "appropriation", "carryover", "other")
    sums = [sum(Decimal(str(p.values[f"funding.annual.{key}"])) for p in portfolio.projects) for key in keys]
    assert sums == [14_050_565, 13_350_565, 0, 700_000]


def test_the_example_is_small() -> None:
    assert sum(path.stat().st_size for path in EXAMPLE.rglob("*") if path.is_file()) < 300_000


def _kpixl(*arguments: str) -> int:
    return subprocess.run([sys.executable, "-m", "kpixl", "--lang", "zh", *arguments], check=False).returncode


def _cells(path: Path) -> dict[str | None, list[list[Raw]]]:
    """Read the cells that people see, without the day of the run; the hidden sheet holds the same once more."""
    grids = {grid.name: grid.rows for grid in read_grids(path.read_bytes(), path.name).grids}
    shown = {name: rows for name, rows in grids.items() if name != OWN_SHEET}
    shown["概览"] = [[_without_day(cell) if isinstance(cell, str) else cell for cell in row] for row in shown["概览"]]
    return shown


def _without_day(text: str) -> str:
    """Take out the day of the run that made the example."""
    return re.sub(r"(数据日期：|\"date\": \")\d{4}-\d\d-\d\d", r"\1", text)


@pytest.mark.parametrize(("name", "words"), [("README.md", "{} rules on"), ("README.zh-CN.md", "共 {} 条规则")])
def test_the_readme_counts_the_rules(name: str, words: str) -> None:
    from kpixl.checks.registry import RULES

    assert words.format(len(RULES)) in (ROOT / name).read_text(encoding="utf-8")
