"""`kpixl forms explain`: which labels are which fields, how they were recognised, and what to add to form.yaml."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kpixl.cli.main import run
from tests.recognise.test_kinds import SHEETS, workbook

GRID = SHEETS["target"]["the form itself"]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "case.xlsx"
    changed = (
        GRID.replace("| 项目名称", "| 1.项目名称（必填）")
        .replace("| 实施单位", "| 项 目 单 位")
        .replace("主管部门", "联系人")
    )
    path.write_bytes(workbook(changed, next(iter(SHEETS["approval"].values())), SHEETS["contract"]["agreement"]))
    return path


def explained(path: Path, capsys: pytest.CaptureFixture[str], *options: str) -> tuple[int, str]:
    code = run(["forms", "explain", str(path), *options])
    return code, capsys.readouterr().out


def test_every_label_is_listed_with_how_it_was_recognised(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out = explained(file, capsys, "--json")
    ours, other, contract = json.loads(out)["sheets"]
    labels = {label["key"]: label for label in ours["labels"]}
    assert code == 1
    assert ours["form"] == "shanghai-target"
    assert [labels[key]["how"] for key in ("name", "unit", "start", "department")] == [
        "near",
        "synonym",
        "exact",
        "missing",
    ]
    assert (labels["department"]["cell"], labels["department"]["text"]) == ("A4", "联系人")
    assert labels["indicators.target"]["cell"] == "F12"
    assert ours["add_synonyms"] == {"fields.name.synonyms": ["1.项目名称（必填）"]}
    assert (other["form"], other["other_kinds"][0]["kind"], other["other_kinds"][0]["cell"]) == (
        None,
        "绩效目标批复表",
        "A1",
    )
    assert contract["other_kinds"][0]["kind"] == "合同"


@pytest.mark.parametrize(
    ("lang", "words"), [("zh", ("写法相近", "没有找到")), ("en", ("nearly the same", "not found"))]
)
def test_in_both_languages(file: Path, capsys: pytest.CaptureFixture[str], lang: str, words: tuple[str, ...]) -> None:
    _, out = explained(file, capsys, "--lang", lang)
    assert all(word in out for word in words)
    assert 'fields.name.synonyms: ["1.项目名称（必填）"]' in out


def test_a_sheet_as_sent(example_template: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out = explained(example_template, capsys, "--json")
    sheets = [sheet for sheet in json.loads(out)["sheets"] if sheet["form"]]
    assert len(sheets) == 13
    assert all(sheet["as_sent"] and not sheet["add_synonyms"] for sheet in sheets)
    assert {label["how"] for sheet in sheets for label in sheet["labels"]} == {"exact"}
    assert code == 0


def test_what_is_suggested_is_then_a_synonym(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    definition = (Path(__file__).parents[2] / "templates/shanghai-target/form.yaml").read_text(encoding="utf-8")
    folder = tmp_path / "forms" / "shanghai-target"
    folder.mkdir(parents=True)
    (folder / "form.yaml").write_text(
        definition.replace("synonyms: [项目实施单位,", "synonyms: [具体实施单位, 项目实施单位,"), "utf-8"
    )
    path = tmp_path / "case.xlsx"
    path.write_bytes(workbook(GRID.replace("| 实施单位", "| 具体实施单位")))
    for options, how in (((), "near"), (("--forms-dir", str(tmp_path / "forms")), "synonym")):
        run([*options, "forms", "explain", str(path), "--json"])
        labels = json.loads(capsys.readouterr().out)["sheets"][0]["labels"]
        assert next(label["how"] for label in labels if label["key"] == "unit") == how


def test_a_missing_file_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["forms", "explain", "no.xlsx"]) == 3
    assert "no.xlsx" in capsys.readouterr().err


def test_forms_alone_lists_them(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["forms"]) == 0
    assert "\nshanghai-target\t" in capsys.readouterr().out
