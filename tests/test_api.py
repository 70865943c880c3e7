"""The public interface: its examples run, it prints nothing by itself, and imports nothing before it is needed."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import kpixl
from tests.conftest import EXAMPLE

ROOT = Path(__file__).parents[1]
EXAMPLES = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "api.md").read_text(encoding="utf-8"), re.DOTALL)


@pytest.mark.parametrize("number", range(len(EXAMPLES)))
def test_examples_run_from_a_plain_checkout(number: int, tmp_path: Path) -> None:
    folder = tmp_path / "desk"
    shutil.copytree(EXAMPLE, folder)
    start = f"import sys; sys.path.insert(0, {str(tmp_path / 'checkout')!r})\n"
    for name in ("kpixl", "templates"):
        shutil.copytree(ROOT / name, tmp_path / "checkout" / name, ignore=shutil.ignore_patterns("__pycache__"))
    # -S leaves out the installed kpixl, and with it all libraries: their folder is added again.
    libraries = next(path for path in sys.path if path.endswith("site-packages"))
    code = f"{start}sys.path.append({libraries!r})\n{EXAMPLES[number]}"
    done = subprocess.run([sys.executable, "-S", "-c", code], cwd=folder, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr


def test_the_first_example_gives_the_example(tmp_path: Path) -> None:
    form = kpixl.load_form("shanghai-target")
    _, roster = kpixl.load_portfolio(EXAMPLE / "roster.yaml", [form])
    result = kpixl.collect([EXAMPLE / "returned"], [form], roster=roster, workers=0)
    written, problems = kpixl.save_portfolio(tmp_path / "out.yaml", form, result.portfolio)
    assert [item.path.name for item in written] == ["out.yaml"] and problems == []
    assert (tmp_path / "out.yaml").read_bytes() == (EXAMPLE / "2026.yaml").read_bytes()


def test_everything_named_is_there_and_documented() -> None:
    for name in kpixl.__all__:
        assert getattr(kpixl, name).__doc__
    with pytest.raises(AttributeError):
        _ = kpixl.nothing


def test_nothing_prints_or_exits(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    with pytest.raises(kpixl.KpixlError):
        kpixl.load_portfolio(tmp_path / "none.yaml")
    with pytest.raises(kpixl.KpixlError):
        kpixl.load_portfolio(EXAMPLE / "2026.yaml", [])
    with pytest.raises(kpixl.KpixlError):
        kpixl.collect([tmp_path], [kpixl.load_form("shanghai-target")])
    assert capsys.readouterr() == ("", "")


def test_importing_it_imports_nothing_else() -> None:
    code = "import sys, kpixl; print(sorted(m for m in sys.modules if m.startswith('kpixl.')))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "['kpixl.version']"
