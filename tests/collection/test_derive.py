"""From one form to the next: a roster derived from a portfolio, and the round of the example that follows."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings

from kpixl.cli.main import run
from kpixl.forms.load import known_forms, load_form, parse_form
from kpixl.forms.values import target_text
from kpixl.portfolio import canonical
from kpixl.portfolio.derive import derive
from kpixl.portfolio.model import Portfolio
from kpixl.problems import KpixlError
from tests.strategies import form_of, portfolios

EXAMPLE = Path(__file__).parents[2] / "examples" / "shanghai-self-evaluation-2026"
TARGETS, NEXT = form_of("shanghai-target"), form_of("shanghai-self-evaluation")


def definition() -> dict[str, Any]:
    data: dict[str, Any] = yaml.safe_load((known_forms()[NEXT.id] / "form.yaml").read_text(encoding="utf-8"))
    return data


def test_the_example_is_what_its_commands_make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("targets.yaml", "returned"):
        source = EXAMPLE / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, tmp_path / name)
    monkeypatch.chdir(tmp_path)
    assert run(["derive", "targets.yaml", "--form", NEXT.id, "-o", "roster.yaml"]) == 0
    assert run(["consolidate", "returned", "--roster", "roster.yaml", "-o", "2026.yaml"]) == 1
    for name in ("roster.yaml", "2026.yaml", "2026.sources.json"):
        # The sources name the time of the run.
        made, kept = ((folder / name).read_text(encoding="utf-8") for folder in (tmp_path, EXAMPLE))
        assert name.endswith(".json") or made == kept
    _, portfolio = canonical.load(tmp_path / "2026.yaml", load_form)
    scores = [(str(p.values["total.score"]), p.values["grade"]) for p in portfolio.projects]
    assert scores == [("98.24", "优"), ("77.71", "中"), ("98.62", "优")]


def test_a_wrong_rate_is_named_with_its_cell(capsys: pytest.CaptureFixture[str]) -> None:
    """The example of DOMAIN section 6: 215,457.60 of 250,000.00 is 86.18 %, published with 86.19."""
    assert run(["check", str(EXAMPLE / "returned"), "--roster", str(EXAMPLE / "roster.yaml")]) == 1
    out = capsys.readouterr()
    line = next(line for line in (out.out + out.err).splitlines() if "computed-mismatch" in line)
    assert "H6" in line
    assert "86.19%" in line
    assert "86.18%" in line


@given(portfolios(TARGETS))
@settings(max_examples=25, deadline=None)
def test_what_is_mapped_is_carried_over_and_the_rest_is_named(portfolio: Portfolio) -> None:
    derived, problems = derive(NEXT, TARGETS, portfolio)
    assert canonical.loads(canonical.dumps(NEXT, derived), form_of)[1] == derived
    assert [p.id for p in derived.projects] == [p.id for p in portfolio.projects]
    target = TARGETS.tables["indicators"].targets["target"]
    for before, after in zip(portfolio.projects, derived.projects, strict=True):
        assert after.values["name"] == before.values["name"]
        assert after.values["funding.appropriation.initial"] == before.values["funding.annual.appropriation"]
        printed = [target_text(row, target) for row in before.tables["indicators"]]
        kept = [row["target"] or "" for row in after.tables["indicators"]]
        assert [text for text in printed if text] == [text for text in kept if text]
    natures = [p.id for p in portfolio.projects if p.values["nature"] is not None]
    named = [p.details["count"] for p in problems if p.details["label"] == "项目性质"]
    assert named == ([len(natures)] if natures else [])


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"fields": {"nme": "name"}}, "nme"),
        ({"fields": {"grade": "name"}}, "grade"),
        ({"fields": {"name": {"value": True}}}, "name"),
        ({"tables": {"rows": {"table": "indicators"}}}, "rows"),
        ({"tables": {"indicators": {"columns": {}}}}, "tables.indicators"),
        ({"tables": {"indicators": {"table": "indicators", "columns": {"nme": "name"}}}}, "nme"),
    ],
)
def test_a_wrong_mapping_is_refused_when_the_form_is_loaded(change: dict[str, Any], key: str) -> None:
    with pytest.raises(KpixlError) as raised:
        parse_form({**definition(), "derive": {TARGETS.id: change}})
    assert key in str(raised.value.problems[0].details["key"])


@pytest.mark.parametrize(
    "change",
    [
        {"fields": {"name": "nme"}},
        {"tables": {"indicators": {"table": "rows"}}},
        {"tables": {"indicators": {"table": "indicators", "columns": {"name": "nme"}}}},
    ],
)
def test_a_mapping_from_what_is_not_there_is_refused(change: dict[str, Any]) -> None:
    form = parse_form({**definition(), "derive": {TARGETS.id: change}})
    portfolio = canonical.load(EXAMPLE / "targets.yaml", load_form)[1]
    with pytest.raises(KpixlError) as raised:
        derive(form, TARGETS, portfolio)
    assert raised.value.problems[0].code == "form-invalid"


def test_a_form_that_is_not_derived_from_another_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = str(tmp_path / "o.yaml")
    assert run(["derive", str(EXAMPLE / "targets.yaml"), "--form", TARGETS.id, "-o", out]) == 3
    assert "derive-unknown" in capsys.readouterr().err
