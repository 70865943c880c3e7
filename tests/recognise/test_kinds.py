"""Every kind of form is told as what it is: sheets of cases/kinds/<kind>.yaml, none of them read as another kind.

A case has a name (`sheet`) and a `grid`, a table of cells with | between them; #5 is a number. `title-alone`: nothing
but its title tells it from a target form. The file's name is the
kind that templates/shared/kinds.yaml calls it.
"""

from __future__ import annotations

import io
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import yaml

from kpixl.collection.one_file import FileResult, Job, read_file
from kpixl.forms.definition import Form
from kpixl.forms.load import load_forms, parse_form
from kpixl.readers import Grid
from kpixl.recognise.extract import Extractor
from kpixl.recognise.kinds import kind_called, kind_of_title, kinds
from kpixl.recognise.submission import Submission
from tests.conftest import ROOT
from tests.recognise.test_reading import put, table
from tests.strategies import form_of
from tests.yaml_cases import load_cases

CASES = Path(__file__).parents[1] / "cases" / "kinds"
OURS = "target"
FOUND: dict[str, list[dict[str, Any]]] = {path.stem: load_cases(path) for path in sorted(CASES.glob("*.yaml"))}
SHEETS = {kind: {case["sheet"]: str(case["grid"]) for case in found} for kind, found in FOUND.items()}
ALL = [(kind, name) for kind, sheets in SHEETS.items() for name in sheets]
TITLE_ALONE = {(kind, case["sheet"]) for kind, found in FOUND.items() for case in found if case.get("title-alone")}
# What is above a sheet in the place of its own title: nothing, an attachment's number, a title that tells nothing, the
# title of the form that is being collected.
TITLES = {
    "no title": "",
    "an attachment's number": "| 附件3 |",
    "a title that tells nothing": "| 某局二〇二六年材料 |",
    "the title of the target form": "| 项目支出绩效目标申报表 |",
}


def workbook(*sheets: str) -> bytes:
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for number, grid in enumerate(sheets, 1):
        sheet = book.create_sheet(f"表{number}")
        for row, cells in enumerate(table(grid), 1):
            for col, value in enumerate(cells, 1):
                put(sheet, row, col, value)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def read(folder: Path, *sheets: str, by: Extractor | None = None) -> FileResult:
    path = folder / "case.xlsx"
    path.write_bytes(workbook(*sheets))
    (result,) = read_file(Job(path, "case.xlsx"), by or Extractor([form_of("shanghai-target")]))
    return result


def told(result: FileResult) -> str:
    """Name the kind that a file was taken for; what is read is a target."""
    if result.forms:
        return OURS
    names = [p.details["kind"] for p in result.problems if p.code == "sheet-other-kind"]
    return next((kind.id for kind in kinds() if kind.name in names), "unknown")


def test_there_are_enough_sheets_and_kinds() -> None:
    assert len(ALL) >= 40
    assert len(SHEETS) >= 8
    assert set(SHEETS) <= {kind.id for kind in kinds()}


@pytest.mark.parametrize(("kind", "name"), ALL)
def test_a_sheet_is_told_as_its_kind(kind: str, name: str, tmp_path: Path) -> None:
    result = read(tmp_path, SHEETS[kind][name])
    assert told(result) == kind
    if kind != OURS:
        (problem,) = (p for p in result.problems if p.code == "sheet-other-kind")
        assert problem.severity == "error"
        assert problem.location.address
        assert kind_called(kind).name[0] in problem.message()
    else:
        assert not [p for p in result.problems if p.code == "sheet-other-kind"]
        assert result.forms[0].values["name"] in ("水利宣传", "绩效自评表编制")


def retitled(kind: str, name: str, title: str) -> str:
    """Return a sheet with another title, or none, in the place of its own."""
    lines = [line for line in SHEETS[kind][name].splitlines() if line.strip()]
    first = [cell.strip() for cell in lines[0].split("|") if cell.strip()]
    own = len(first) == 1 and kind_of_title(first[0]) is not None
    return "\n".join([title, *lines[own:]] if title else lines[own:])


@pytest.mark.parametrize("title", TITLES)
@pytest.mark.parametrize(("kind", "name"), [case for case in ALL if case not in TITLE_ALONE])
def test_without_its_title_a_sheet_is_never_another_kind(kind: str, name: str, title: str, tmp_path: Path) -> None:
    result = read(tmp_path, retitled(kind, name, TITLES[title]))
    assert told(result) in (kind, "unknown")
    assert bool(result.forms) == (kind == OURS)


def test_under_a_wrong_title_of_ours_the_labels_decide(tmp_path: Path) -> None:
    """Two titles above, one of the form that is collected: what has scores is not read as targets."""
    grid = SHEETS["self-evaluation"]["Shanghai's form under the heading of an attachment"]
    result = read(tmp_path, grid.replace("附件3", "项目支出绩效目标申报表"))
    assert not result.forms
    assert told(result) == "self-evaluation"


def test_a_label_that_reads_like_the_title_of_a_plan_is_a_label(tmp_path: Path) -> None:
    grid = SHEETS[OURS]["the form itself"].replace("| 项目绩效目标 |", "| 项目实施进度计划 |\n| 项目绩效目标 |")
    (form,) = read(tmp_path, grid).forms
    assert [row["name"] for row in form.tables["indicators"]] == ["宣传场次", "公众满意度"]


@pytest.mark.parametrize("kind", [kind for kind in SHEETS if kind not in (OURS, "summary-list")])
def test_beside_a_target_form_another_kind_is_named_and_left_out(kind: str, tmp_path: Path) -> None:
    other = next(iter(SHEETS[kind].values()))
    result = read(tmp_path, SHEETS[OURS]["the form itself"], other)
    (form,) = result.forms
    assert form.values["name"] == "水利宣传"
    (problem,) = (p for p in result.problems if p.code == "sheet-other-kind")
    assert problem.severity == ("info" if kind_called(kind).weak else "warning")
    assert problem.location.sheet == "表2"


@pytest.mark.parametrize("kind", ["self-evaluation", "monitoring", "approval", "adjustment"])
@pytest.mark.parametrize("below", [True, False])
def test_forms_of_two_kinds_on_one_sheet_are_parted(kind: str, below: bool, tmp_path: Path) -> None:
    grids = [SHEETS[OURS]["the form itself"], next(iter(SHEETS[kind].values()))]
    result = read(tmp_path, "\n".join(grids if below else reversed(grids)))
    (form,) = result.forms
    assert form.values["name"] == "水利宣传"
    assert [row["name"] for row in form.tables["indicators"]] == ["宣传场次", "公众满意度"]
    assert [p.severity for p in form.problems if p.code == "sheet-other-kind"] == ["warning"]


def test_a_goal_that_reads_like_a_title_is_no_title(tmp_path: Path) -> None:
    grid = SHEETS[OURS]["the form itself"].replace("办好宣传活动。", "完成项目支出绩效自评表")
    (form,) = read(tmp_path, grid).forms
    assert form.values["goal.annual"] == "完成项目支出绩效自评表"
    assert [p.code for p in form.problems] == []


@pytest.mark.parametrize(
    ("title", "kind"),
    [
        ("2023年度项目支出绩效自评表（公开）", "self-evaluation"),
        ("部门整体支出绩效自评表", "self-evaluation"),
        ("项目支出绩效目标执行监控表", "monitoring"),
        ("部门整体支出绩效目标申报表", "department-target"),
        ("预算项目支出绩效目标申报表", "target"),
        ("绩效目标批复表", "approval"),
        ("某市2026年度项目绩效目标汇总表", "summary-list"),
        ("水利宣传", None),
        ("编制绩效自评表并报送市财政局审核。" * 6, None),
    ],
)
def test_titles(title: str, kind: str | None) -> None:
    found = kind_of_title(title)
    assert (found.id if found else None) == kind


def self_evaluation() -> Form:
    """Make a definition of a self-evaluation out of the target form: another title, two columns more."""
    text = (ROOT / "templates" / "shanghai-target" / "form.yaml").read_text(encoding="utf-8")
    data = yaml.safe_load(text)
    data |= {"id": "our-evaluation", "title": "财政项目支出绩效自评表", "title-synonyms": [], "checks": {}}
    table, placed = data["tables"]["indicators"], data["layout"]["rows"][-1]
    table["columns"] |= {"actual": {"label": "实际完成值"}, "score": {"label": "得分"}}
    for cells in (placed["entry"], placed["print"]):
        cells += [{"column": "actual"}, {"column": "score"}]
    for widths in ("widths", "entry-widths"):
        data["layout"][widths] += [12, 12]
    return parse_form(data)


EVALUATION = (
    SHEETS[OURS]["the form itself"]
    .replace("财政项目支出绩效目标申报表", "财政项目支出绩效自评表")
    .replace("年度(/项目)指标值", "年度(/项目)指标值 | | 实际完成值 | 得分")
    .replace("≥12.00(场)", "≥12.00(场) | | 12场 | 10")
)


@pytest.mark.parametrize("titled", [True, False])
def test_an_installed_definition_reads_its_kind(titled: bool) -> None:
    ours, evaluation = form_of("shanghai-target"), self_evaluation()
    grids = {"target": SHEETS[OURS]["the form itself"], "our-evaluation": EVALUATION}
    read: dict[str, Submission] = {}
    for forms in ([ours, evaluation], [evaluation, ours]):
        extractor = Extractor(forms)
        for form, grid in grids.items():
            text = grid if titled else "\n".join(grid.splitlines()[2:])
            rows: list[list[Any]] = [["" if cell is None else cell for cell in row] for row in table(text)]
            width = max(map(len, rows))
            found = extractor.extract(Grid("表", [row + [""] * (width - len(row)) for row in rows]), "t.xlsx")
            assert isinstance(found, list)
            assert [one.form for one in found] == [ours.id if form == OURS else form]
            assert not [p for p in found[0].problems if p.code == "sheet-other-kind"]
            read[form] = found[0]
    (row, _) = read["our-evaluation"].tables["indicators"]
    assert [row["value"], row["actual"], row["score"]] == [Decimal(12), "12场", "10"]


# --- with every definition that there is ------------------------------------------------------


@cache
def everything() -> Extractor:
    return Extractor(load_forms().values())


def kind_of_form(form_id: str) -> str:
    """Return the kind of a form by its title; one of several projects in one table is a list of projects as well."""
    kind = kind_of_title(everything().form(form_id).title)
    return kind.id if kind else "unknown"


def read_by(result: FileResult) -> str:
    """Name the form that reads a sheet, else the kind that it is told as."""
    return " ".join(sorted({form.form for form in result.forms})) or told(result)


@pytest.mark.parametrize(("kind", "name"), ALL)
def test_with_every_definition_a_sheet_is_read_by_a_form_of_its_kind(kind: str, name: str, tmp_path: Path) -> None:
    result = read(tmp_path, SHEETS[kind][name], by=everything())
    forms = {form.form for form in result.forms}
    if kind == "summary-list":  # the published table of several projects is one
        assert forms <= {form.id for form in everything().forms.values() if form.flat}
    else:
        assert {kind_of_form(form) for form in forms} <= {kind}
    assert forms or told(result) in (kind, "unknown")


MONITORED = [name for name in SHEETS["monitoring"] if "确定能" in SHEETS["monitoring"][name]]


@pytest.mark.parametrize("title", [None, *TITLES])
@pytest.mark.parametrize("name", MONITORED)
def test_a_monitoring_sheet_is_read_whatever_its_title(name: str, title: str | None, tmp_path: Path) -> None:
    grid = SHEETS["monitoring"][name] if title is None else retitled("monitoring", name, TITLES[title])
    (form,) = read(tmp_path, grid, by=everything()).forms
    assert form.form == "central-monitoring"
    assert [row["name"] for row in form.tables["indicators"]] == ["托举人数", "考核合格率", "人才成长", "人才满意度"]
    assert [(row["certain"], row["possible"]) for row in form.tables["indicators"]] == [
        ("√", None), ("√", None), (None, "√"), ("√", None),
    ]  # fmt: skip
    assert (form.values["funding.total.executed"], form.values["goal"]) == (Decimal(66), "托举青年人才二十名。")
    assert not [p for p in form.problems if p.severity == "error"]


@pytest.mark.parametrize("kind", ["monitoring", "self-evaluation"])
@pytest.mark.parametrize("title", TITLES)
def test_what_follows_the_targets_is_never_read_as_targets(kind: str, title: str, tmp_path: Path) -> None:
    for name in SHEETS[kind]:
        result = read(tmp_path, retitled(kind, name, TITLES[title]), by=everything())
        assert {kind_of_form(form.form) for form in result.forms} <= {kind}, name


def installed() -> list[tuple[str, str, str]]:
    """Return for every sheet its kind, its name and the form that reads it, else what it is told as."""
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        return [(kind, name, read_by(read(Path(folder), SHEETS[kind][name], by=everything()))) for kind, name in ALL]


def confusion(title: str | None = None) -> list[tuple[str, str, str]]:
    """Return for every sheet its kind, its name and what it is told as; for the documentation.

    `title`: what is in the place of each title, a key of TITLES; sheets that only their title tells are then left out.
    """
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        if title is None:
            return [(kind, name, told(read(Path(folder), SHEETS[kind][name]))) for kind, name in ALL]
        able = [case for case in ALL if case not in TITLE_ALONE]
        return [(kind, name, told(read(Path(folder), retitled(kind, name, TITLES[title])))) for kind, name in able]
