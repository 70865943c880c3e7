"""A round in files: two people, later saves, annotated copies, choices in the summary, edits in the YAML, commands."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import yaml

from kpixl.cli.main import run
from kpixl.collection.consolidate import consolidate
from kpixl.collection.decisions import read_decisions
from kpixl.output.template import write_templates
from kpixl.portfolio import canonical
from kpixl.portfolio.model import Portfolio, Project
from kpixl.problems import KpixlError, Problem
from tests.strategies import canonical_project, form_of

FORM = form_of("shanghai-target")
SENT = Portfolio(
    FORM.id,
    2026,
    "某市科协",
    tuple(
        canonical_project(FORM, f"{n:02}", {"name": name, "unit": "一所", "department": "科委"}, {})
        for n, name in enumerate(("甲", "乙"), 1)
    ),
)
ROW = {"D14": "讲座场次", "E14": "≥", "F14": "5", "G14": "场"}


class Round:
    """A folder with a roster and returned files, and the command line run in it."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder, self.capsys = folder, capsys
        (folder / "roster.yaml").write_text(canonical.dumps(FORM, SENT), encoding="utf-8")
        write_templates(FORM, SENT, folder / "sent.xlsx")
        (folder / "returned").mkdir()

    def send(self, name: str, cells: Mapping[str, str | int], editor: str = "", saved: int = 0, of: str = "") -> None:
        """Return a file in which cells of the first project were filled in; `of`: the file it was made from."""
        book = openpyxl.load_workbook(self.folder / of if of else self.folder / "sent.xlsx")
        sheet = book[next(title for title in book.sheetnames if title.startswith("01"))]
        for cell, value in cells.items():
            sheet[cell] = value
        book.save(self.folder / "returned" / name)
        self._stamp(self.folder / "returned" / name, editor, datetime(2026, 11, 20, 9, saved))

    def _stamp(self, path: Path, editor: str, saved: datetime) -> None:
        """Write who saved a file and when; openpyxl writes the present time, whatever it is given."""
        import re
        import zipfile

        with zipfile.ZipFile(path) as package:
            parts = {name: package.read(name) for name in package.namelist()}
        core = parts["docProps/core.xml"].decode()
        core = re.sub(r"(<dcterms:modified[^>]*>)[^<]*", rf"\g<1>{saved:%Y-%m-%dT%H:%M:%SZ}", core)
        core = re.sub(r"<cp:lastModifiedBy>[^<]*</cp:lastModifiedBy>", "", core)
        name = f"<cp:lastModifiedBy>{editor}</cp:lastModifiedBy>"
        parts["docProps/core.xml"] = core.replace("</cp:coreProperties>", name + "</cp:coreProperties>").encode()
        with zipfile.ZipFile(path, "w") as package:
            for part, content in parts.items():
                package.writestr(part, content)

    def run(self, *arguments: str) -> str:
        """Run a command in the folder and return what it prints."""
        run(arguments)
        done = self.capsys.readouterr()
        return done.out + done.err

    def consolidate(self) -> str:
        return self.run("consolidate", "returned", "-o", "2026.yaml", "--roster", "roster.yaml", "--lang", "zh")

    def problems(self) -> tuple[Problem, ...]:
        return consolidate([self.folder / "returned"], [FORM], roster=SENT, workers=0).problems

    @property
    def first(self) -> Project:
        """Return the first project of the result."""
        return canonical.load(self.folder / "2026.yaml", lambda _: FORM)[1].projects[0]

    @property
    def decided(self) -> list[dict[str, object]]:
        """Return the entries of decisions.yaml."""
        path = self.folder / "decisions.yaml"
        found: list[dict[str, object]] = yaml.safe_load(path.read_text("utf-8"))["decisions"] if path.exists() else []
        return found

    def sheet(self) -> list[list[Any]] | None:
        """Return the rows of the sheet of what is to be decided, None where there is none."""
        book = openpyxl.load_workbook(self.folder / "2026.xlsx")
        return [[c.value for c in row] for row in book["待决定"].rows] if "待决定" in book.sheetnames else None

    def choose(self, choice: str, reason: str) -> None:
        """Fill in the choice of the first row."""
        book = openpyxl.load_workbook(self.folder / "2026.xlsx")
        book["待决定"]["D3"], book["待决定"]["E3"] = choice, reason
        book.save(self.folder / "2026.xlsx")

    def edit(self, old: str, new: str) -> None:
        """Edit the YAML."""
        path = self.folder / "2026.yaml"
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new, 1), encoding="utf-8")


@pytest.fixture
def office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Round:
    monkeypatch.chdir(tmp_path)
    return Round(tmp_path, capsys)


def codes(problems: Iterable[Problem]) -> list[str]:
    return [p.code for p in problems if p.code.startswith(("conflict", "returned", "decision"))]


# --- by value, and by lineage -----------------------------------------------------------------


def test_two_people_who_filled_in_different_fields_do_not_contradict_each_other(office: Round) -> None:
    office.send("a.xlsx", {"E3": "经常性", "C7": 100, **ROW}, "张三")
    office.send("b.xlsx", {"B11": "办二十场讲座。"}, "李四")
    told = office.consolidate()
    assert office.first.values["nature"] == "经常性"
    assert office.first.values["goal.overall"] == "办二十场讲座。"
    assert [row["name"] for row in office.first.tables["indicators"]] == ["讲座场次"]
    first = "a.xlsx › 01 甲：项目性质、总额中财政资金、绩效指标 产出指标/数量指标/讲座场次；"
    assert f"{first}b.xlsx › 01 甲：项目总目标" in told
    assert office.sheet() is None


def test_candidates_are_shown_in_full(office: Round) -> None:
    long, longer = "办讲座。" * 300, "办展览。" * 400
    office.send("a.xlsx", {"B11": long}, "张三")
    office.send("b.xlsx", {"B11": longer}, "李四", saved=5)
    told = office.consolidate()
    assert long in told
    assert longer in told
    rows = office.sheet()
    assert rows is not None
    assert rows[1][:7] == ["项目编号", "项目名称", "填报项", "选择", "理由", "下发时", "已决定"]
    assert rows[1][7:] == ["字段", "行", "候选 1", "出处 1", "候选 2", "出处 2"]
    assert rows[2] == [
        "01", "甲", "项目总目标", None, None, "（空）", None, "goal.overall", None,
        long, "a.xlsx › 01 甲 › B11  2026-11-20 09:00  张三",
        longer, "b.xlsx › 01 甲 › B11  2026-11-20 09:05  李四",
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["0.xlsx", "z.xlsx"])
def test_a_corrected_annotated_copy_supersedes_whatever_its_name(name: str, office: Round) -> None:
    office.send("a.xlsx", {"C7": 100, "E3": "经常性", **ROW})
    office.run("check", "returned", "--roster", "roster.yaml", "--mark", "marked")
    office.send(name, {"C7": 120}, of="marked/a.xlsx")
    office.consolidate()
    assert office.first.values["funding.total.fiscal"] == 120
    (found,) = [p for p in office.problems() if p.code == "returned-superseded"]
    assert (found.location.file, found.location.address, found.severity) == ("a.xlsx", "C7", "info")
    assert "总额中财政资金 C7 “100” ≠ “120”" in found.message()


@pytest.mark.parametrize("name", ["0.xlsx", "z.xlsx"])
def test_a_later_save_of_the_same_person_supersedes_whatever_its_name(name: str, office: Round) -> None:
    office.send("a.xlsx", {"C7": 100, "E3": "经常性", **ROW}, "张三", saved=1)
    office.send(name, {"C7": 120, "E3": "经常性", **ROW}, "张三", saved=9)
    assert codes(office.problems())[0] == "returned-superseded"
    office.consolidate()
    assert office.first.values["funding.total.fiscal"] == 120


def test_another_person_is_no_later_save(office: Round) -> None:
    office.send("a.xlsx", {"C7": 100, "E3": "经常性", **ROW}, "张三", saved=1)
    office.send("b.xlsx", {"C7": 120, "E3": "经常性", **ROW}, "李四", saved=9)
    assert "conflict" in codes(office.problems())


# --- decisions --------------------------------------------------------------------------------


def contradict(office: Round) -> None:
    office.send("a.xlsx", {"C7": 100}, "张三")
    office.send("b.xlsx", {"C7": 120}, "李四")
    office.consolidate()


@pytest.mark.parametrize(
    ("choice", "value"), [("候选 2", 120), ("候选1", 100), ("下发时", None), ("150", 150), ("Candidate 2", 120)]
)
def test_a_choice_in_the_summary_is_recorded_and_the_conflict_is_gone(
    choice: str, value: int | None, office: Round
) -> None:
    contradict(office)
    assert office.first.values["funding.total.fiscal"] is None
    office.choose(choice, "电话核实")
    told = office.consolidate()
    assert office.first.values["funding.total.fiscal"] == value
    assert office.sheet() is None
    assert "summary-edited" not in told
    (entry,) = office.decided
    assert (entry["project"], entry["field"], entry["value"], entry["reason"]) == (
        "01", "funding.total.fiscal", value, "电话核实",
    )  # fmt: skip
    assert entry["candidates"] == [100, 120]
    before = (office.folder / "2026.yaml").read_bytes()
    assert "decision-made" not in office.consolidate()
    assert (office.folder / "2026.yaml").read_bytes() == before


def test_a_reason_without_a_choice_stays_on_the_sheet(office: Round) -> None:
    contradict(office)
    office.choose("", "等局里答复")
    office.consolidate()
    rows = office.sheet()
    assert rows is not None
    assert rows[2][3:5] == [None, "等局里答复"]
    assert office.decided == []
    office.run("summary", "2026.yaml", "-o", "2026.xlsx")
    rows = office.sheet()
    assert rows is not None
    assert rows[2][3:5] == [None, "等局里答复"]


def test_a_decision_is_reported_where_a_file_says_something_else_since(office: Round) -> None:
    contradict(office)
    office.choose("候选 2", "电话核实")
    office.consolidate()
    office.send("c.xlsx", {"C7": 130}, "王五")
    told = office.consolidate()
    assert "已决定为“120”" in told
    assert "“130”（c.xlsx › 01 甲 › C7" in told
    assert office.first.values["funding.total.fiscal"] == 120
    rows = office.sheet()
    assert rows is not None
    assert rows[2][6] == "120"
    office.choose("候选 2", "仍按原值")
    assert "decision-outdated" not in office.consolidate()
    assert office.sheet() is None
    assert office.decided[-1]["candidates"] == [100, 120, 130]


def test_edits_in_the_yaml_become_decisions_and_survive_the_next_run(office: Round) -> None:
    office.send("a.xlsx", {"C7": 100, **ROW}, "张三")
    office.consolidate()
    office.edit("name: 讲座场次", "name: 科普讲座场次")
    office.edit("fiscal: 100", "fiscal: 110")
    told = office.consolidate()
    assert "“总额中财政资金”：由“100”改为“110”" in told
    assert "由“讲座场次”改为“科普讲座场次”" in told
    for _ in range(2):
        assert office.first.values["funding.total.fiscal"] == 110
        assert office.first.values["funding.total.amount"] == 110
        assert office.first.tables["indicators"][0]["name"] == "科普讲座场次"
        office.consolidate()
    assert [entry["by"] for entry in office.decided] == ["YAML", "YAML"]
    # A row that was renamed by a decision is edited once more, and another is deleted.
    office.edit("value: 5", "value: 6")
    office.consolidate()
    assert office.first.tables["indicators"][0]["value"] == 6
    assert office.decided[-1]["row"] == "产出指标/数量指标/讲座场次"


def test_a_project_deleted_in_the_yaml_stays_out(office: Round) -> None:
    office.send("a.xlsx", {"C7": 100}, "张三")
    office.consolidate()
    path = office.folder / "2026.yaml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text[: text.index('- id: "02"')], encoding="utf-8")
    for _ in range(2):
        office.consolidate()
        assert [p.id for p in canonical.load(path, lambda _: FORM)[1].projects] == ["01"]
    assert office.decided == [{"project": "02", "remove": True, "by": "YAML", "date": office.decided[0]["date"]}]


def test_a_yaml_that_cannot_be_read_is_not_replaced(office: Round) -> None:
    contradict(office)
    office.edit("fiscal: null", "fiscal: [1")
    edited = (office.folder / "2026.yaml").read_bytes()
    assert "yaml-syntax" in office.consolidate()
    assert (office.folder / "2026.yaml").read_bytes() == edited


def test_decide_and_exclude(office: Round) -> None:
    contradict(office)
    office.run("decide", "甲", "总额中财政资金", "140", "--why", "局长批示")
    office.consolidate()
    assert office.first.values["funding.total.fiscal"] == 140
    assert office.sheet() is None
    office.send("c.xlsx", {"F7": 7, **ROW}, "王五")
    office.consolidate()
    office.run("decide", "01", "indicators.target", "≥8场", "--row", "讲座场次", "--why", "统一口径")
    office.consolidate()
    row = office.first.tables["indicators"][0]
    assert (row["operator"], str(row["value"]), row["unit"]) == ("≥", "8", "场")
    office.run("exclude", "returned/c.xlsx", "--why", "试填")
    told = office.consolidate()
    assert "按决定不计入（理由：试填）" in told
    assert office.first.values["funding.annual.appropriation"] is None
    assert "没有用上" in told  # the decision about its row
    assert "row-unknown" in office.run("decide", "01", "indicators.target", "≥8场", "--row", "没有", "--why", "x")
    assert "field-unknown" in office.run("decide", "01", "没有", "8", "--why", "x")
    assert "project-unknown" in office.run("decide", "99", "总额中财政资金", "8", "--why", "x")


def test_check_takes_the_decisions_beside_the_data(office: Round) -> None:
    contradict(office)
    office.choose("候选 2", "电话核实")
    office.consolidate()
    assert "conflict" not in office.run("check", "returned", "--roster", "roster.yaml")


# --- the file ---------------------------------------------------------------------------------


def test_what_people_write_into_the_file_stays(office: Round) -> None:
    contradict(office)
    office.choose("候选 2", "电话核实")
    office.consolidate()
    path = office.folder / "decisions.yaml"
    text = path.read_text(encoding="utf-8").replace("- project", "# 财务科老王来电\n- project")
    path.write_text(text, encoding="utf-8")
    office.run("decide", "01", "项目总目标", "办讲座。", "--why", "补")
    assert path.read_text(encoding="utf-8").startswith(text)
    office.consolidate()
    assert office.first.values["goal.overall"] == "办讲座。"


@pytest.mark.parametrize(
    "entry",
    [
        "- {project: 7, field: name, value: 甲}",
        '- {project: "07", field: nothing, value: 甲}',
        '- {project: "07", field: name, values: 甲}',
        '- {project: "07", field: name, value: [1]}',
        "- {supersede: a.xlsx}",
        "- 甲",
    ],
)
def test_an_entry_that_cannot_be_understood_is_named_with_its_line(entry: str) -> None:
    with pytest.raises(KpixlError) as caught:
        read_decisions(f"kpixl-decisions: 1\ndecisions:\n{entry}\n", FORM)
    (problem,) = caught.value.problems
    assert (problem.code, problem.details["line"]) == ("decision-invalid", 3)
