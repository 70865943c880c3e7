"""Several forms from one set of files: each gets its own set, as if it had been collected alone."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from kpixl.cli.main import run
from kpixl.collection.consolidate import consolidate
from kpixl.collection.several import further
from kpixl.forms.load import load_form
from kpixl.portfolio import canonical
from tests.recognise.test_mixed import EVALUATION, EXAMPLE, TARGETS, mixed

FORMS = (TARGETS, EVALUATION)
BOTH = ["--form", TARGETS.id, "--form", EVALUATION.id]
EXPECTED = {TARGETS.id: EXAMPLE / "targets.yaml", EVALUATION.id: EXAMPLE / "2026.yaml"}


@pytest.fixture
def returned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder with one workbook of both forms, and make the folder above it the current one."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "returned").mkdir()
    mixed(tmp_path / "returned" / "mixed.xlsx", marked=True)
    return tmp_path / "returned"


def kept(form_id: str) -> str:
    form, portfolio = canonical.load(EXPECTED[form_id], load_form)
    return canonical.dumps(form, portfolio)


@pytest.mark.parametrize("asked", [BOTH, [*BOTH[2:], *BOTH[:2]]], ids=["targets first", "evaluations first"])
def test_each_form_has_the_set_that_it_has_alone(
    asked: list[str], returned: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["consolidate", "returned", *asked, "-o", "out"]) == 1
    errors = [line.split()[-1] for line in capsys.readouterr().err.splitlines() if line.startswith("  错误")]
    assert errors == ["computed-mismatch"]
    for form in FORMS:
        place = Path("out", form.id)
        assert (place / f"{form.id}.yaml").read_text(encoding="utf-8") == kept(form.id)
        alone = consolidate([returned], [form], workers=0)
        assert canonical.dumps(form, alone.portfolio) == kept(form.id)
        sources = json.loads((place / f"{form.id}.sources.json").read_text(encoding="utf-8"))
        assert sources["projects"].keys() == alone.sources.keys()
        assert (place / f"{form.id}.xlsx").is_file()


def test_what_was_read_for_one_form_gives_the_other(tmp_path: Path) -> None:
    mixed(tmp_path / "t.xlsx", marked=False)
    first = consolidate([tmp_path / "t.xlsx"], FORMS, workers=0, elsewhere=[EVALUATION.id])
    second = further(first, EVALUATION)
    assert (first.form.id, second.form.id) == (TARGETS.id, EVALUATION.id)
    assert not {p.code for p in (*first.problems, *second.problems)} & {"marker-form", "sheet-other-kind"}
    assert [p.tables for p in second.portfolio.projects] == [
        p.tables for p in canonical.load(EXPECTED[EVALUATION.id], load_form)[1].projects
    ]


def test_a_form_that_did_not_come_is_named_and_problems_of_files_are_told_once(
    returned: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copy(EXAMPLE / "returned" / "临江市科普中心.xlsx", returned / "mixed.xlsx")
    (returned / "broken.xlsx").write_bytes(b"PK\x03\x04 no workbook")
    assert run(["consolidate", "returned", *BOTH, "-o", "out"]) == 1
    shown = capsys.readouterr().err
    assert shown.count("not-a-workbook") == 1
    (line,) = [line for line in shown.splitlines() if "no-projects" in line]
    assert TARGETS.title in line
    assert not Path("out", TARGETS.id).exists()
    assert Path("out", EVALUATION.id, f"{EVALUATION.id}.yaml").is_file()


def test_every_form_has_its_own_roster(returned: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Project 04 of the targets did not come; nobody misses it among the evaluations."""
    targets = (EXAMPLE / "targets.yaml").read_text(encoding="utf-8")
    more = targets[targets.index('- id: "03"') :].replace('"03"', '"04"').replace("学术年会", "院士讲堂")
    Path("targets.yaml").write_text(targets + more, encoding="utf-8")
    rosters = ["--roster", "targets.yaml", "--roster", str(EXAMPLE / "roster.yaml")]
    assert run(["consolidate", str(returned), *BOTH, *rosters, "-o", "out", "--json"]) == 1
    data = json.loads(capsys.readouterr().out)["forms"]
    missing = [[p["code"] for p in part["problems"] if p["code"] == "not-returned"] for part in data]
    assert missing == [["not-returned"], []]
    assert [part["form"] for part in data] == [TARGETS.id, EVALUATION.id]
    assert all(Path(path).parent.name == part["form"] for part in data for path in part["written"])


@pytest.mark.parametrize("rosters", [("sichuan-target-2026/roster.yaml",), ("sast-2026/roster.yaml",) * 2])
def test_a_roster_of_no_form_or_of_one_twice_is_refused(
    rosters: tuple[str, ...], returned: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = [arg for name in rosters for arg in ("--roster", str(EXAMPLE.parent / name))]
    assert run(["consolidate", str(returned), *BOTH, *given, "-o", "out"]) == 3
    assert "roster-of-another-form" in capsys.readouterr().err
    assert not Path("out").exists()


@pytest.mark.parametrize(
    "arguments",
    [
        [*BOTH, "-o", "out.yaml"],
        [*BOTH, "-o", "out", "--summary", "s.xlsx"],
        ["-o", "out.yaml", "--roster", "a.yaml", "--roster", "b.yaml"],
    ],
)
def test_paths_that_are_those_of_one_form_are_refused(arguments: list[str], returned: Path) -> None:
    assert run(["consolidate", str(returned), *arguments]) == 2
    assert [path.name for path in returned.parent.iterdir()] == ["returned"]


def test_a_form_given_twice_is_one(returned: Path) -> None:
    assert run(["consolidate", str(returned), *BOTH[:2], *BOTH[:2], "-o", "out.yaml"]) in (0, 1)
    assert Path("out.yaml").is_file()


def test_a_dry_run_writes_nothing_and_is_one_report(returned: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["consolidate", str(returned), *BOTH, "-o", "out", "--dry-run", "--json"]) == 1
    parts = json.loads(capsys.readouterr().out)["forms"]
    assert [len(part["diff"]["projects"]) for part in parts] == [3, 3]
    assert not Path("out").exists()


def test_a_correction_of_one_form_is_a_decision_of_that_form(returned: Path) -> None:
    command = ["consolidate", str(returned), *BOTH, "-o", "out"]
    run(command)
    portfolio = Path("out", TARGETS.id, f"{TARGETS.id}.yaml")
    changed = portfolio.read_text(encoding="utf-8").replace("社区科普讲座", "社区科普讲堂")
    portfolio.write_text(changed, encoding="utf-8")
    run(command)
    assert portfolio.read_text(encoding="utf-8") == changed
    assert "社区科普讲堂" in (portfolio.parent / "decisions.yaml").read_text(encoding="utf-8")
    assert not Path("out", EVALUATION.id, "decisions.yaml").exists()


# --- in a collection folder -------------------------------------------------------------------


def round_folder(returned: Path, form: str) -> Path:
    """Make the folder above `returned` that of a round of targets."""
    folder = returned.parent
    (folder / "kpixl.yaml").write_text(f"form: {form}\nyear: 2026\n", encoding="utf-8")
    shutil.copy(EXAMPLE / "targets.yaml", folder / "roster.yaml")
    return folder


def test_a_round_collects_every_form_that_kpixl_yaml_names(returned: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = round_folder(returned, f"[{TARGETS.id}, {EVALUATION.id}]")
    (folder / EVALUATION.id).mkdir()
    shutil.copy(EXAMPLE / "roster.yaml", folder / EVALUATION.id / "roster.yaml")
    assert run(["consolidate"]) == 1
    shown = capsys.readouterr().err
    assert "computed-mismatch" in shown
    assert not {"marker-form", "not-returned"} & set(shown.split())
    assert f"{EVALUATION.title} ({EVALUATION.id})" in shown
    assert (folder / "2026.yaml").read_text(encoding="utf-8") == kept(TARGETS.id)
    evaluated = folder / EVALUATION.id / f"{EVALUATION.id}.yaml"
    assert evaluated.read_text(encoding="utf-8") == kept(EVALUATION.id)
    assert (folder / "status.xlsx").is_file()


def test_a_further_form_that_has_not_come_yet_is_no_error(returned: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = round_folder(returned, f"[{TARGETS.id}, central-self-evaluation]")
    run(["consolidate"])
    assert "no-projects" not in capsys.readouterr().err
    assert not (folder / "central-self-evaluation").exists()


@pytest.mark.parametrize(
    "form", [f"[{TARGETS.id}, nothing]", f"[{TARGETS.id}, {TARGETS.id}]", "[]", f"[{TARGETS.id}, 3]"]
)
def test_a_wrong_list_of_forms_is_refused(form: str, returned: Path, capsys: pytest.CaptureFixture[str]) -> None:
    round_folder(returned, form)
    assert run(["consolidate"]) == 3
    assert "value-wrong" in capsys.readouterr().err
