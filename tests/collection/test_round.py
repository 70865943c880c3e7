"""The scripted round of docs/round.md: twelve returns in three waves, with `kpixl consolidate` alone."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import openpyxl
import pytest

from kpixl.cli.main import run
from kpixl.collection.consolidate import run_of
from kpixl.collection.folder import load_rosters, open_folder
from kpixl.forms.load import load_form, load_forms
from kpixl.output.status import Status, take_stock
from kpixl.output.status.page import render_status
from kpixl.output.status.text import status_text
from kpixl.portfolio import canonical
from tests.conftest import ROOT
from tests.round_story import LIST, UNITS, Story

# Whoever runs one of these plays the whole round: let one worker do so.
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("round")]

INIT = ["--form", "shanghai-target", "--year", "2026", "--organization", "某市科学技术协会", "--due", "2026-11-20"]


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Story, list[str]]]:
    """Play the round once; return its folder and the YAML after each run."""
    place = tmp_path_factory.mktemp("round")
    root = place / "2026"
    assert run(["init", str(root), "--list", str(ROOT / LIST), *INIT]) == 0
    story, texts = Story(root), []

    def consolidate(code: int) -> None:
        assert run(["-C", str(root), "consolidate"]) == code
        texts.append((root / "2026.yaml").read_text(encoding="utf-8"))

    assert run(["-C", str(root), "template"]) == 0
    story.first_wave()
    consolidate(1)
    story.second_wave()
    consolidate(1)
    assert run(["-C", str(root), "exclude", "试填.xlsx", "--why", "试填"]) == 0
    story.office_decides()
    consolidate(1)
    story.third_wave()
    consolidate(1)
    assert run(["-C", str(root), "decide", "12", "当年财政拨款", "280000", "--why", "以李老师的为准"]) == 0
    consolidate(0)
    consolidate(0)
    yield story, texts
    shutil.rmtree(place)


def test_the_story_is_as_large_as_it_claims(played: tuple[Story, list[str]]) -> None:
    story, _ = played
    assert len(list(story.returned.iterdir())) == 12
    assert len(UNITS) == 6
    _, portfolio = canonical.load(story.root / "2026.yaml", load_form)
    assert [p.id for p in portfolio.projects] == [f"{n:02}" for n in range(1, 31)]


def test_a_run_more_changes_nothing(played: tuple[Story, list[str]]) -> None:
    _, texts = played
    assert texts[-1] == texts[-2]


def test_every_filled_cell_is_accounted_for(
    played: tuple[Story, list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    story, _ = played
    assert run(["-C", str(story.root), "verify", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["problems"] == []
    assert found["files"] == 13, "one came in a mail, which is a file as well"
    assert (found["cells"]["lost"], found["cells"]["conflict"]) == (0, 0), "every conflict is decided"


@pytest.mark.parametrize(
    ("project", "field", "value", "by", "reason"),
    [
        ("11", "计划完成日期", "2026-11-30", "待决定", "李老师来电确认"),
        ("12", "当年财政拨款", 280000, "kpixl decide", "以李老师的为准"),
        ("03", "当年财政拨款", 235000, "YAML", ""),
    ],
)
def test_each_decision_can_be_traced(
    played: tuple[Story, list[str]],
    project: str,
    field: str,
    value: object,
    by: str,
    reason: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    story, _ = played
    assert run(["-C", str(story.root), "trace", project, field, "--json"]) == 0
    (found,) = json.loads(capsys.readouterr().out)["values"]
    assert found["value"] == value
    assert (found["decision"]["by"], found["decision"]["reason"]) == (by, reason)
    assert run(["-C", str(story.root), "trace", project, field]) == 0
    assert f"单位决定（{by} " in capsys.readouterr().out


def values(story: Story, project: str) -> dict[str, Any]:
    """Return the values of a project of the result."""
    _, portfolio = canonical.load(story.root / "2026.yaml", load_form)
    found = next(p for p in portfolio.projects if p.id == project)
    return {**found.values, "rows": found.tables["indicators"]}


def test_what_each_wave_brought_is_in_the_result(played: tuple[Story, list[str]]) -> None:
    story, _ = played
    assert str(values(story, "07")["end"]) == "2026-12-31", "corrected in the annotated copy"
    assert len(values(story, "13")["rows"]) == 4, "of one person"
    assert "第13项" in str(values(story, "13")["goal.annual"]), "of the other"
    assert "第21项" in str(values(story, "21")["goal.annual"]), "the trial is excluded"
    assert values(story, "02")["rows"][1]["value"] == 60, "returned again"


def test_a_blank_return_is_apart_until_it_is_filled_in(played: tuple[Story, list[str]]) -> None:
    _, texts = played
    assert '- id: "16"' in texts[1]
    assert "第16项" not in texts[1]
    assert "第16项" in texts[3]


def status(story: Story) -> Status:
    """Take stock of the round."""
    folder, forms = open_folder(story.root), load_forms()
    rosters = load_rosters(folder, forms)
    return take_stock(
        [story.returned],
        list(forms.values()),
        rosters.roster,
        sent=rosters.sent,
        due=folder.settings.due,
        config=folder.config,
        inputs=[folder.paths["roster"]],
    )


def test_text_page_workbook_and_overview_agree(played: tuple[Story, list[str]]) -> None:
    story, _ = played
    settings = (story.root / "kpixl.yaml").read_text(encoding="utf-8")
    (story.root / "kpixl.yaml").write_text(
        settings + 'nothing_to_report:\n- {project: "30", reason: 并入 29}\n',
        encoding="utf-8",
    )
    (story.returned / "国际部 终稿.xlsx").rename(story.root / "away.xlsx")
    (story.returned / "调研部.eml").rename(story.root / "away.eml")
    try:
        run(["-C", str(story.root), "consolidate"])
        found = status(story)
        counts = found.counts
        assert (counts.blank, counts.missing, counts.nothing) == (5, 4, 1)
        totals = [int(text) if text != "-" else 0 for text in status_text(found, "zh").totals[1:]]
        assert totals == [30, counts.returned, counts.errors, 5, 1, 4, counts.twice, counts.late]
        book = openpyxl.load_workbook(story.root / "status.xlsx", data_only=True)
        total = next(row for row in book["按单位"].iter_rows(values_only=True) if row[0] == "合计")
        assert list(total[1:9]) == totals
        assert (story.root / "status.html").read_text(encoding="utf-8") == render_status(found)
        letters = {path.stem for path in (story.root / "letters").glob("*.eml")}
        assert letters == {"国际部", "调研部"}
        record = run_of(story.root / "2026.yaml")
        assert record is not None
        assert (len(record.blank), len(record.missing), len(record.nothing)) == (5, 4, 1)
        cells = [
            [value for value in row if value is not None]
            for row in openpyxl.load_workbook(story.root / "2026.xlsx")["概览"].iter_rows(values_only=True)
        ]
        at = next(number for number, row in enumerate(cells) if row[:4] == ["应交", "已交", "未交", "空白"])
        assert cells[at + 1][:4] == [29, counts.back, 4, 5]
    finally:
        (story.root / "kpixl.yaml").write_text(settings, encoding="utf-8")
        (story.root / "away.xlsx").rename(story.returned / "国际部 终稿.xlsx")
        (story.root / "away.eml").rename(story.returned / "调研部.eml")
        run(["-C", str(story.root), "consolidate"])


def test_rounds_are_counted_and_a_correction_is_not_late(played: tuple[Story, list[str]]) -> None:
    story, _ = played
    projects = {p.id: p for _, p in status(story).projects}
    assert (projects["07"].round, projects["02"].round, projects["01"].round, projects["16"].round) == (2, 2, 1, 1)
    assert not projects["02"].late, "in time the first time"
    assert projects["16"].late, "what came in time was blank"
    assert datetime(2026, 11, 22) < (projects["26"].returns[0].time or datetime.min)


def test_where_everything_is_in_nobody_gets_a_letter(played: tuple[Story, list[str]]) -> None:
    story, _ = played
    assert run(["-C", str(story.root), "letters"]) == 0
    assert [path.name for path in (story.root / "letters").glob("*.eml")] == []


def test_copies_of_files_that_were_corrected_are_taken_away(played: tuple[Story, list[str]]) -> None:
    story, _ = played
    names = {path.name for path in (story.root / "annotated").glob("*.xlsx")}
    assert "科普部.xlsx" not in names
    assert "试填.xlsx" not in names
