"""kpixl check --since: what an earlier check found is not reported again, whatever it was kept in."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from kpixl.a1 import parse_a1
from kpixl.cli.main import run
from kpixl.collection.baseline import load_baseline, only_new
from kpixl.collection.model import Collection, Known
from kpixl.collection.review import review
from kpixl.forms.load import load_form
from kpixl.portfolio import canonical
from kpixl.problems import KpixlError, Location, Problem
from tests.conftest import EXAMPLE

SHANGHAI = load_form("shanghai-target")


@pytest.fixture
def returned(tmp_path: Path) -> Path:
    """Return a folder with two of the example's files."""
    folder = tmp_path / "returned"
    shutil.copytree(EXAMPLE / "returned" / "科普部", folder)
    shutil.copy(EXAMPLE / "returned" / "办公室.xlsx", folder)
    return folder


def _json(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> dict[str, Any]:
    run([str(a) for a in arguments])
    data = json.loads(capsys.readouterr().out)
    assert isinstance(data, dict)
    return data


def _break(folder: Path, cell: str, value: str) -> None:
    """Type a value into the first project's sheet, and save the file under another name, as people do."""
    path = folder / "2026绩效目标.xlsx"
    book = openpyxl.load_workbook(path)
    book.worksheets[1][cell] = value
    path.unlink()
    book.save(folder / "2026绩效目标(改).xlsx")


def _codes(data: dict[str, Any]) -> list[str]:
    return sorted(problem["code"] for problem in data["problems"])


@pytest.mark.parametrize("kind", ["json", "sarif", "yaml"])
@pytest.mark.parametrize("language", ["zh", "en"])
def test_only_what_is_new_is_reported(
    returned: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], kind: str, language: str
) -> None:
    before = _json(capsys, "check", returned, "--json", "--lang", language, "--sarif", tmp_path / "last.sarif")
    (tmp_path / "last.json").write_text(json.dumps(before), encoding="utf-8")
    run(["consolidate", str(returned), "-o", str(tmp_path / "last.yaml"), "--no-summary"])
    capsys.readouterr()
    assert "level-missing.satisfaction" in _codes(before)
    last = tmp_path / f"last.{kind}"
    again = _json(capsys, "check", returned, "--since", last, "--json")
    reading = {"file-skipped", "value-normalised", "stray-text"} if kind == "yaml" else set()
    assert set(_codes(again)) <= reading
    assert len(again["since"]["known"]) + len(again["problems"]) == len(before["problems"])
    _break(returned, "F7", "六十万左右")
    new = _json(capsys, "check", returned, "--since", last, "--json")
    errors = [(p["code"], p["cell"]) for p in new["problems"] if p["severity"] == "error"]
    assert errors == [("value-unread", "F7")]
    assert "level-missing.satisfaction" not in _codes(new)


def test_a_chain_of_baselines_forgets_nothing(
    returned: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second, log = tmp_path / "1.json", tmp_path / "2.json", tmp_path / "2.sarif"
    first.write_text(json.dumps(_json(capsys, "check", returned, "--json")), encoding="utf-8")
    _break(returned, "F7", "六十万左右")
    data = _json(capsys, "check", returned, "--since", first, "--json", "--sarif", log)
    second.write_text(json.dumps(data), encoding="utf-8")
    states = {r["baselineState"] for r in json.loads(log.read_text(encoding="utf-8"))["runs"][0]["results"]}
    assert states == {"new", "unchanged"}
    for last in (second, log):
        assert _json(capsys, "check", returned, "--since", last, "--json")["problems"] == []


def test_what_was_resolved_is_counted(returned: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _break(returned, "F7", "六十万左右")
    last = tmp_path / "last.json"
    last.write_text(json.dumps(_json(capsys, "check", returned, "--json")), encoding="utf-8")
    file = returned / "2026绩效目标(改).xlsx"
    shutil.copy(EXAMPLE / "returned" / "科普部" / "2026绩效目标.xlsx", file)
    data = _json(capsys, "check", returned, "--since", last, "--json")
    assert [(k["code"], k["cell"]) for k in data["since"]["resolved"] if k["severity"] == "error"] == [
        ("value-unread", "F7")
    ]
    assert run(["check", str(returned), "--since", str(last)]) == 0
    assert "已解决" in capsys.readouterr().err


def test_a_finding_stands_for_one_only_and_the_nearest_is_the_known_one() -> None:
    form, portfolio = canonical.load(EXAMPLE / "2026.yaml", load_form)
    result = review([EXAMPLE / "2026.yaml"], [form])
    twins = tuple(
        Problem("stray-text", Location("a.xlsx", "1", parse_a1(cell)), {"text": "备注"}, project="01")
        for cell in ("B2", "B3")
    )
    text = "".join(twins[0].text("en").split())
    known = Known("stray-text", "01", Location("a.xlsx", "1", parse_a1("B3")), (text,), "info")
    found = only_new(replace(result, problems=twins), [known], "last.json")
    assert [p.location.address for p in found.problems] == ["B2"]
    assert found.since is not None
    assert [p.location.address for p in found.since.known] == ["B3"]
    assert isinstance(found, Collection)
    assert portfolio.projects


@pytest.mark.parametrize(
    "content", ["[]", "{}", "1", "", '{"runs": [{"results": [{}]}]}', '{"problems": [{}]}', "\x00"]
)
def test_another_file_is_refused(tmp_path: Path, content: str) -> None:
    last = tmp_path / "last.json"
    last.write_text(content, encoding="utf-8")
    with pytest.raises(KpixlError) as caught:
        load_baseline(last, [SHANGHAI])
    assert [problem.code for problem in caught.value.problems] == ["since-unreadable"]
