"""The wheel: what is in it, and the whole loop run from it in an environment that holds nothing else."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import venv
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest

from kpixl import __version__
from tests.conftest import EXAMPLE, ROOT

SOURCES = ["kpixl", "templates", "setup.cfg", "pyproject.toml", "README.md", "LICENSE"]


def _run(*command: str | Path, cwd: Path, code: int = 0) -> str:
    """Run a command with nothing of this environment in its own; return its stdout."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "KPIXL", "VIRTUAL_ENV"))}
    done = subprocess.run(
        [str(c) for c in command], cwd=cwd, env=environment, capture_output=True, encoding="utf-8", check=False
    )
    assert done.returncode == code, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def _wheel(folder: Path) -> Path:
    """Build the wheel from a copy of the sources, so that no leftovers of earlier builds get in."""
    tree = folder / "tree"
    tree.mkdir(parents=True)
    for name in SOURCES:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, tree / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, tree / name)
    _run(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "-w", folder, tree, cwd=folder)
    (built,) = folder.glob("*.whl")
    return built


@dataclass(frozen=True)
class Installed:
    """An environment with the wheel in it, and a folder to work in."""

    python: Path
    kpixl: Path
    folder: Path


def _installed(wheel: Path, home: Path, folder: Path) -> Installed:
    """Install the wheel, without extras, into an empty environment."""
    venv.create(home, with_pip=True)
    programs = home / ("Scripts" if os.name == "nt" else "bin")
    _run(programs / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", wheel, cwd=home)
    folder.mkdir()
    return Installed(programs / "python", programs / "kpixl", folder)


@pytest.mark.slow
def test_the_wheel_alone_runs_the_loop_and_gives_the_same_bytes(tmp_path: Path) -> None:
    # One test, because building and installing are its slow part and parallel workers share nothing.
    wheel = _wheel(tmp_path / "wheel")
    _assert_whole(wheel)
    installed = _installed(wheel, tmp_path / "environment", tmp_path / "elsewhere")
    _assert_no_dev_tools(installed)
    _assert_loop(installed)
    _assert_module_and_command_agree(installed)


def _assert_whole(wheel: Path) -> None:
    """Code, forms and the type marker, and nothing else."""
    assert wheel.name == f"kpixl-{__version__}-py3-none-any.whl"
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        metadata = archive.read(f"kpixl-{__version__}.dist-info/METADATA").decode()
    modules = {path.relative_to(ROOT).as_posix() for path in (ROOT / "kpixl").rglob("*.py")}
    forms = {
        f"kpixl/templates/{path.relative_to(ROOT / 'templates').as_posix()}"
        for pattern in ("*/form.yaml", "*/*.j2", "*/*.typ", "*/*.svg", "shared/*.yaml")
        for path in (ROOT / "templates").glob(pattern)
    }
    assert {"kpixl/templates/shanghai-target/form.yaml", "kpixl/templates/shanghai-target/page.html.j2"} <= forms
    content = {name for name in names if ".dist-info/" not in name}
    assert content == modules | forms | {"kpixl/py.typed", "kpixl/templates/__init__.py"}
    assert any(name.endswith("/licenses/LICENSE") for name in names)
    assert "Requires-Python: >=3.11" in metadata
    required = [line for line in metadata.splitlines() if line.startswith("Requires-Dist:") and "extra ==" not in line]
    assert not [line for line in required if any(tool in line for tool in ("pytest", "mypy", "ruff", "hypothesis"))]


def _assert_no_dev_tools(installed: Installed) -> None:
    out = _run(installed.python, "-m", "pip", "list", "--format", "json", cwd=installed.folder)
    names = {package["name"].lower() for package in json.loads(out)}
    assert "kpixl" in names
    assert not names & {"pytest", "hypothesis", "mypy", "ruff", "build"}


def _assert_loop(installed: Installed) -> None:
    kpixl, folder = installed.kpixl, installed.folder
    assert "\nshanghai-target\t" in _run(kpixl, "forms", cwd=folder)
    schema = json.loads(_run(kpixl, "schema", "shanghai-target", cwd=folder))
    assert schema["$schema"]
    shutil.copy(EXAMPLE / "2026.yaml", folder / "sent.yaml")
    _run(kpixl, "template", "sent.yaml", "-o", "template.xlsx", cwd=folder)
    _run(kpixl, "template", "sent.yaml", "-o", "units", "--split-by", "category", cwd=folder)
    _run(kpixl, "consolidate", "template.xlsx", "-o", "2026.yaml", cwd=folder)
    assert (folder / "2026.yaml").read_bytes() == (EXAMPLE / "2026.yaml").read_bytes()
    _run(kpixl, "consolidate", "units", "-o", "again.yaml", "--no-summary", cwd=folder)
    assert (folder / "again.yaml").read_bytes() == (EXAMPLE / "2026.yaml").read_bytes()
    _run(kpixl, "summary", "2026.yaml", "-o", "summary.xlsx", cwd=folder)
    assert (folder / "summary.xlsx").read_bytes() == (folder / "2026.xlsx").read_bytes()
    _run(kpixl, "publish", "2026.yaml", "-o", "2026.html", cwd=folder)
    assert "创新服务与发展项目" in (folder / "2026.html").read_text(encoding="utf-8")


def _assert_module_and_command_agree(installed: Installed) -> None:
    for command in ([installed.kpixl], [installed.python, "-m", "kpixl"]):
        assert _run(*command, "--version", cwd=installed.folder) == f"kpixl {__version__}\n"
    _run(installed.kpixl, "publish", "none.yaml", "-o", "x.html", cwd=installed.folder, code=3)
