"""The collection folder: made once, read strictly, never leading elsewhere; the roster as it was sent."""

from __future__ import annotations

from pathlib import Path

import pytest

from kpixl.cli.main import run
from kpixl.collection.folder import find_folder
from kpixl.problems import KpixlError
from tests.conftest import ROOT

LIST = str(ROOT / "examples" / "round-2026" / "projects.csv")
INIT = ["--list", LIST, "--form", "shanghai-target", "--year", "2026", "--organization", "某市科学技术协会"]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a new collection folder; the test runs beside it."""
    monkeypatch.chdir(tmp_path)
    assert run(["init", "2026", *INIT, "--due", "2026-11-20"]) == 0
    return tmp_path / "2026"


def edited(path: Path, old: str, new: str) -> None:
    """Replace a text in a file."""
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def test_a_new_folder_holds_settings_roster_and_places(folder: Path) -> None:
    assert sorted(p.name for p in folder.iterdir() if not p.name.startswith(".")) == [
        "kpixl.yaml",
        "returned",
        "roster.yaml",
        "sent",
    ]
    found = find_folder(folder)
    assert found is not None
    assert (found.settings.form, found.settings.year, found.settings.by) == ("shanghai-target", 2026, "unit")
    assert found.paths["portfolio"] == folder / "2026.yaml"


def test_nothing_is_overwritten(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = {path: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    assert run(["init", "2026", *INIT]) == 3
    assert "init-exists" in capsys.readouterr().err
    assert {path: path.read_bytes() for path in folder.iterdir() if path.is_file()} == before


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("due: 2026-11-20", "due: 20. November", ["第 5 行", "due", "2026-11-20"]),
        ("year: 2026", "year: 二零二六", ["第 3 行", "year", "2026"]),
        ("by: unit", "by: 处室长", ["第 6 行", "by", "unit"]),
        ("form: shanghai-target", "form: shanghai", ["第 2 行", "form", "shanghai-target"]),
        ("by: unit", "bye: unit", ["第 6 行", "bye", "by"]),
        ("year: 2026", "year: 2027", ["第 3 行", "2027", "2026", "roster.yaml"]),
        ("by: unit", "paths: {returned: ../elsewhere}\nby: unit", ["第 6 行", "returned", ".."]),
        ("by: unit", "paths: {portfolio: /etc/x.yaml}\nby: unit", ["第 6 行", "portfolio"]),
        ("by: unit", "paths: {portfolio: returned/x.yaml}\nby: unit", ["第 6 行", "portfolio", "returned"]),
        ("by: unit", "paths: {summary: roster.yaml}\nby: unit", ["第 6 行", "summary", ".xlsx"]),
        ("by: unit", "paths: {sommary: x.xlsx}\nby: unit", ["第 6 行", "sommary", "summary"]),
    ],
)
def test_a_wrong_setting_is_told_with_line_key_and_what_to_write(
    folder: Path, old: str, new: str, said: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    edited(folder / "kpixl.yaml", old, new)
    assert run(["-C", "2026", "consolidate"]) == 3
    told = capsys.readouterr().err
    assert [text for text in ["kpixl.yaml", *said] if text not in told] == []


def test_a_link_that_leads_out_is_refused(folder: Path, tmp_path: Path) -> None:
    (folder / "returned").rmdir()
    (tmp_path / "elsewhere").mkdir()
    (folder / "returned").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(KpixlError) as caught:
        find_folder(folder)
    assert [problem.code for problem in caught.value.problems] == ["path-outside"]


def test_without_a_folder_paths_are_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for command in ("template", "consolidate", "check", "status", "publish", "verify", "diff", "export", "summary"):
        assert run([command]) == 2, command
    assert run(["-C", ".", "consolidate"]) == 3


def test_a_kpixl_yaml_with_rules_only_makes_no_folder(tmp_path: Path) -> None:
    (tmp_path / "kpixl.yaml").write_text("ignore: [benefit-qualitative]\n", encoding="utf-8")
    assert find_folder(tmp_path) is None


def test_what_was_sent_stays_the_base_when_the_roster_changes(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["-C", "2026", "template"]) == 0
    sent = (folder / "sent" / "办公室.xlsx").read_bytes()
    text = (folder / "roster.yaml").read_text(encoding="utf-8")
    gone, last = text.index('- id: "05"'), text.index('- id: "06"')
    text = text[:gone] + text[last:]
    new = text[text.index('- id: "30"') :].replace('"30"', '"31"').replace("决策咨询专家库", "新增项目")
    text = text.replace("appropriation: 180000", "appropriation: 150000", 1) + new
    (folder / "roster.yaml").write_text(text, encoding="utf-8")
    (folder / "returned" / "办公室.xlsx").write_bytes(sent)
    capsys.readouterr()
    run(["-C", "2026", "consolidate"])
    told = capsys.readouterr().err
    assert told.count("roster-new") == told.count("roster-removed") == told.count("roster-changed") == 1
    assert "180000 → 150000" in told
    assert "appropriation: 180000" in (folder / "2026.yaml").read_text(encoding="utf-8")
    assert run(["-C", "2026", "template"]) == 0
    base = (folder / "sent" / "roster.yaml").read_text(encoding="utf-8")
    assert "appropriation: 180000" in base
    assert '"31"' in base
    assert '"05"' in base
    kept = list((folder / "sent").glob("办公室.旧-*.xlsx"))
    assert [path.read_bytes() for path in kept] == [sent]


def test_an_empty_round_has_a_status(folder: Path) -> None:
    assert run(["-C", "2026", "template"]) == 0
    assert run(["-C", "2026", "consolidate"]) == 1
    assert (folder / "status.html").is_file()
    assert not (folder / "2026.yaml").exists()
    assert run(["-C", "2026", "status"]) == 1
