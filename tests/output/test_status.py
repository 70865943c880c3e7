"""`kpixl status`: what becomes of every project and file, and how it is shown; exit codes; the example."""

from __future__ import annotations

import json
import os
import shutil
import zipfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from kpixl.cli.main import run
from kpixl.collection.intake import Job, read_files
from kpixl.collection.review import review, review_data
from kpixl.forms.definition import Form, Value
from kpixl.forms.load import load_forms
from kpixl.output.status import status_data, take_stock, write_status
from kpixl.output.status.model import Status, _Names
from kpixl.output.status.page import render_status
from kpixl.output.status.sheet import build_workbook
from kpixl.output.status.text import status_text
from kpixl.output.status.words import State
from kpixl.output.template import build_template
from kpixl.portfolio import canonical
from kpixl.portfolio.model import Portfolio, Project
from kpixl.problems import Severity
from tests.applications import Office, assert_valid
from tests.conftest import EXAMPLE
from tests.pages import assert_fits_a_phone, assert_sound

ENCRYPTED = Path(__file__).parents[1] / "cases" / "files" / "password.xlsx"
UNITS = {"01": "办公室", "02": "办公室", "03": "科普部", "04": "学会部", "05": "学会部", "06": "国际部"}
IN_TIME, LATE = datetime(2026, 11, 20, 17, 30), datetime(2026, 11, 21, 0, 0, 1)

Change = Callable[[Project], Project]


@dataclass
class Desk:
    """An office's folder: a roster of six projects of four units, and what was returned."""

    folder: Path
    form: Form
    whole: Portfolio

    @property
    def returned(self) -> Path:
        return self.folder / "returned"

    @property
    def roster(self) -> Portfolio:
        blank = (replace(p, values={**p.values, "goal.annual": None}, tables={"indicators": ()}) for p in self.projects)
        return replace(self.whole, projects=tuple(blank))

    @property
    def projects(self) -> tuple[Project, ...]:
        return self.whole.projects

    def send(self, name: str, ids: Iterable[str], change: Change = lambda p: p, when: datetime = IN_TIME) -> Path:
        """Return some projects in one workbook."""
        content = replace(self.whole, projects=tuple(change(p) for p in self.projects if p.id in ids))
        return self.put(name, build_template(self.form, content), when)

    def put(self, name: str, content: bytes, when: datetime = IN_TIME) -> Path:
        """Put a file among the returned ones."""
        path = self.returned / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        os.utime(path, (when.timestamp(), when.timestamp()))
        return path

    def configure(self, text: str) -> None:
        """Write the office's kpixl.yaml."""
        (self.returned / "kpixl.yaml").write_text(text, encoding="utf-8")

    def take(self, **options: Any) -> Status:
        """Take stock."""
        return take_stock([self.returned], [self.form], self.roster, **options)

    def states(self, **options: Any) -> dict[str, str]:
        """Return the state of every project."""
        return {project.id: str(project.state) for _, project in self.take(**options).projects}


@pytest.fixture
def desk(tmp_path: Path, example: tuple[Form, Portfolio]) -> Desk:
    form, portfolio = example
    projects = tuple(replace(p, values={**p.values, "unit": UNITS[p.id]}) for p in portfolio.projects if p.id in UNITS)
    made = Desk(tmp_path, form, replace(portfolio, projects=projects))
    made.returned.mkdir()
    (tmp_path / "roster.yaml").write_text(canonical.dumps(form, made.roster), encoding="utf-8")
    return made


def changed(key: str, value: Value) -> Change:
    """Make the change of one value."""
    return lambda project: replace(project, values={**project.values, key: value})


def wrong(project: Project) -> Project:
    """Leave a placeholder in the goal: an error."""
    return changed("goal.annual", "XX")(project)


def everything(desk: Desk) -> None:
    """Make one of everything: each state, returned twice, late, unreadable, not in the roster."""
    desk.send("办公室/绩效目标.xlsx", ["01", "02"], lambda p: wrong(p) if p.id == "02" else p)
    desk.send("科普部.xlsx", ["03"], when=LATE)
    desk.send("科普部 终稿.xlsx", ["03"], changed("goal.annual", "举办全国科普日主场活动并汇总全市活动情况。"))
    desk.send("另报.xlsx", ["01"], lambda p: replace(p, id="99", values={**p.values, "name": "新增项目"}))
    desk.put("学会部 扫描.xlsx", ENCRYPTED.read_bytes())
    desk.configure("nothing_to_report:\n- {unit: 国际部, reason: 由市外办申报}\n")


# --- states -------------------------------------------------------------------------------------


def test_every_state(desk: Desk) -> None:
    everything(desk)
    assert desk.states() == {
        "01": "returned",
        "02": "errors",
        "03": "errors",
        "04": "missing",
        "05": "missing",
        "06": "nothing",
        "07": "returned",
    }


def test_the_data_of_a_run(desk: Desk) -> None:
    everything(desk)
    data = status_data(desk.take(due=datetime(2026, 11, 20)), "zh")
    expected = json.loads((Path(__file__).parents[1] / "cases" / "status.json").read_text(encoding="utf-8"))
    assert data == expected


def test_states_add_up(desk: Desk) -> None:
    everything(desk)
    status = desk.take(due=datetime(2026, 11, 20))
    for counts in [status.counts, *(unit.counts for unit in status.units)]:
        assert counts.returned + counts.errors + counts.nothing + counts.missing == counts.projects
    assert sum(unit.counts.projects for unit in status.units) == status.counts.projects == 7


def test_status_and_check_agree(desk: Desk) -> None:
    everything(desk)
    found = review_data(review([desk.returned], [desk.form], roster=desk.roster), "zh")["problems"]
    for _, project in desk.take().projects:
        own = [p["severity"] for p in found if p["project"] == project.id]
        assert project.errors == own.count("error")
        if project.returns:
            assert project.warnings == own.count("warning")


def test_what_the_office_ignores_is_no_error(desk: Desk) -> None:
    desk.send("a.xlsx", ["02"], wrong)
    assert desk.states()["02"] == "errors"
    desk.configure("ignore: [placeholder]")
    assert desk.states()["02"] == "returned"


@pytest.mark.parametrize("text", ["ignore: [password]", "select: [goal]"])
def test_an_unreadable_file_is_never_ignored(desk: Desk, text: str) -> None:
    desk.put("a.xlsx", ENCRYPTED.read_bytes())
    desk.configure(text)
    assert [item.file for item in desk.take().unread] == ["a.xlsx"]


def test_a_project_that_came_back_twice(desk: Desk) -> None:
    desk.send("a.xlsx", ["01", "03"], lambda p: changed("category", "其他类")(p) if p.id == "03" else p)
    desk.send("b.xlsx", ["01", "03"], lambda p: changed("category", "人员类")(p) if p.id == "03" else p)
    projects = {project.id: project for _, project in desk.take().projects}
    assert (projects["01"].twice, projects["01"].state) == ("same", State.RETURNED)
    assert (projects["03"].twice, projects["03"].state) == ("different", State.ERRORS)
    assert [(r.file, r.same) for r in projects["03"].returns] == [("a.xlsx", True), ("b.xlsx", False)]
    assert projects["02"].twice is None


def test_forms_of_one_text_are_told_apart(desk: Desk) -> None:
    """In a text all forms stand in one place; an error of one is not an error of the others."""
    page = build_template(desk.form, desk.whole, whole=desk.whole)
    book = desk.put("all.xlsx", page)
    (result,) = read_files([Job(book, "all.xlsx")], [desk.form], workers=0)
    assert len(result.forms) == 6
    desk.send("all.xlsx", UNITS, lambda p: wrong(p) if p.id == "05" else p)
    assert [i for i, state in desk.states().items() if state == "errors"] == ["05"]


def test_a_sheet_of_another_form_is_not_a_return(desk: Desk) -> None:
    forms = list(load_forms([Path(__file__).parents[1] / "cases" / "forms"]).values())
    mini = next(form for form in forms if form.id == "mini-form")
    text = "kpixl: 1\nform: mini-form\nprojects:\n- {id: '01'}\n"
    other = canonical.loads(text, lambda _: mini)[1]
    desk.send("a.xlsx", ["01"])
    desk.put("b.xlsx", build_template(mini, other))
    status = take_stock([desk.returned], forms, desk.roster)
    assert [(item.file, item.problem.code) for item in status.unread] == [("b.xlsx", "sheet-id-form")]
    assert status.counts.returned == 1


def test_nothing_came_back_yet(desk: Desk) -> None:
    assert set(desk.states().values()) == {"missing"}


# --- late ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("when", "due", "late"),
    [
        (IN_TIME, datetime(2026, 11, 20), False),
        (datetime(2026, 11, 20, 23, 59, 59), datetime(2026, 11, 20), False),
        (LATE, datetime(2026, 11, 20), True),
        (IN_TIME, datetime(2026, 11, 20, 17, 0), True),
        (IN_TIME, datetime(2026, 11, 20, 17, 30), False),
        (LATE, None, False),
    ],
)
def test_late_is_after_the_due_time(desk: Desk, when: datetime, due: datetime | None, late: bool) -> None:
    desk.send("a.xlsx", UNITS, when=when)
    status = desk.take(due=due)
    assert status.counts.late == (6 if late else 0)
    assert status.complete, "late is no error"


def test_a_file_in_an_archive_has_the_time_that_the_archive_keeps(desk: Desk) -> None:
    inner = desk.send("a.xlsx", ["01"])
    with zipfile.ZipFile(desk.returned / "all.zip", "w") as archive:
        archive.writestr(zipfile.ZipInfo("in/a.xlsx", (2026, 11, 21, 8, 0, 0)), inner.read_bytes())
        archive.writestr(zipfile.ZipInfo("in/b.xlsx", (2026, 0, 0, 0, 0, 0)), ENCRYPTED.read_bytes())
    inner.unlink()
    os.utime(desk.returned / "all.zip", (LATE.timestamp(), LATE.timestamp()))
    status = desk.take(due=datetime(2026, 11, 20))
    (taken,) = next(project.returns for _, project in status.projects if project.id == "01")
    assert (taken.file, taken.time, taken.late) == ("all.zip › in/a.xlsx", datetime(2026, 11, 21, 8), True)
    assert [item.time for item in status.unread] == [LATE], "no time of its own: that of the archive"


# --- unreadable files ---------------------------------------------------------------------------

NAMES = [
    ("科普部/目标.xlsx", "科普部"),
    ("科 普 部 终稿.xlsx", "科普部"),
    ("科普部和办公室.xlsx", None),
    ("目标.xlsx", None),
    ("上海市科普部.xlsx", "上海市科普部"),
    ("ＫＰＢ.xlsx", "kpb"),
    ("同名.xlsx", None),
]


@pytest.mark.parametrize(("file", "expected"), NAMES)
def test_whose_a_file_probably_is(file: str, expected: str | None) -> None:
    units = ["科普部", "办公室", "上海市科普部", "kpb", "部"]
    names = _Names([*((unit, unit) for unit in units), ("同名", "08"), ("同名", "09")])
    assert names.only(file) == expected


def test_an_unread_file_has_the_severity_that_the_office_gives_it(desk: Desk) -> None:
    desk.put("科普部/a.xlsx", ENCRYPTED.read_bytes())
    desk.configure("severity: {password: warning}\n")
    (item,) = desk.take().unread
    assert item.problem.severity is Severity.WARNING


def test_an_unread_file_is_not_counted_for_anybody(desk: Desk) -> None:
    desk.put("科普部/a.xlsx", ENCRYPTED.read_bytes())
    status = desk.take()
    (item,) = status.unread
    assert (item.unit, item.project, item.problem.code) == ("科普部", None, "password")
    assert set(desk.states().values()) == {"missing"}


def test_a_missing_project_whose_file_could_not_be_read_is_not_simply_reminded(desk: Desk) -> None:
    """To be told to send what one has sent is annoying."""
    project = next(p for p in desk.projects if p.id == "03")
    desk.put(f"{project.values['name']}.xlsx", ENCRYPTED.read_bytes())
    missing, *_ = status_text(desk.take(), "zh").blocks
    assert [line for _, line in missing.lines if "可能已交" in line] == [
        f"03 {project.values['name']}  可能已交，见无法读取的文件"
    ]


# --- nothing to report --------------------------------------------------------------------------


def test_declarations(desk: Desk) -> None:
    desk.configure("""nothing_to_report:
- {unit: 学 会 部, reason: 本年度没有项目}
- {project: "01", reason: 并入 02}
- {unit: 科谱部, reason: 写错了}
- {project: "77", reason: 没有这个}
""")
    desk.send("a.xlsx", ["01", "04"])
    status = desk.take()
    states = {project.id: (str(project.state), project.reason) for _, project in status.projects}
    assert states["05"] == ("nothing", "本年度没有项目")
    assert states["04"] == states["01"] == ("returned", None)
    assert states["03"] == ("missing", None)
    said = [(p.code, p.details["line"]) for p in status.problems]
    assert said == [
        ("declaration-contradicted", 2),
        ("declaration-contradicted", 3),
        ("declaration-unknown", 4),
        ("declaration-unknown", 5),
    ]
    assert "“科普部”" in status.problems[2].hint("zh")
    assert "科普部" in status.problems[2].hint("en")


def test_check_knows_what_is_declared(desk: Desk) -> None:
    desk.configure("nothing_to_report:\n- {unit: 学会部, reason: 没有项目}\n")
    desk.send("a.xlsx", ["01"])
    found = review([desk.returned], [desk.form], roster=desk.roster).problems
    codes: dict[str, list[str | None]] = {}
    for problem in found:
        codes.setdefault(problem.code, []).append(problem.project)
    assert codes["not-returned"] == ["02", "03", "06"]
    assert codes["nothing-to-report"] == ["04", "05"]


WRONG = [
    ("nothing_to_report: 学会部", "value-wrong", 1),
    ("nothing_to_report:\n- 学会部", "value-wrong", 2),
    ("nothing_to_report:\n- {unit: 学会部}", "key-missing", 2),
    ("nothing_to_report:\n- {reason: 没有}", "value-wrong", 2),
    ('nothing_to_report:\n- {unit: 学会部, project: "04", reason: 没有}', "value-wrong", 2),
    ("nothing_to_report:\n- {project: 4, reason: 没有}", "value-wrong", 2),
    ("nothing_to_report:\n- {unti: 学会部, reason: 没有}", "key-unknown", 2),
    ("nothing_to_raport: []", "key-unknown", 1),
]


@pytest.mark.parametrize(("text", "code", "line"), WRONG)
def test_wrong_declarations_name_their_line(
    desk: Desk, text: str, code: str, line: int, capsys: pytest.CaptureFixture[str]
) -> None:
    desk.configure(text)
    assert status_of(desk) == 3
    err = capsys.readouterr().err
    assert f" {code}\n" in err
    assert f"第 {line} 行" in err


def test_a_waiver_of_what_is_yet_to_come_is_let_be(desk: Desk) -> None:
    desk.configure('waivers:\n- {project: "04", code: level-missing, reason: 试点}\n')
    desk.send("a.xlsx", ["01"])
    assert desk.take().problems == ()
    desk.send("a.xlsx", ["01", "04"], lambda p: p)
    desk.configure('waivers:\n- {project: "04", code: rate-over-100, reason: 试点}\n')
    assert [p.code for p in desk.take().problems] == ["waiver-unused"]


# --- units --------------------------------------------------------------------------------------


@pytest.mark.parametrize("by", ["category", "项目类别"])
def test_another_field_can_make_the_groups(desk: Desk, by: str) -> None:
    status = desk.take(by=by)
    assert {unit.name for unit in status.units} == {str(p.values["category"]) for p in desk.projects}
    assert status.by is not None
    assert status.by.key == "category"


def test_one_unit_spelled_in_two_ways_is_one(desk: Desk) -> None:
    spelled = (changed("unit", "办 公 室")(p) if p.id == "02" else p for p in desk.roster.projects)
    roster = replace(desk.roster, projects=tuple(spelled))
    status = take_stock([desk.returned], [desk.form], roster)
    assert next((unit.name, len(unit.projects)) for unit in status.units) == ("办公室", 2)


# --- the command --------------------------------------------------------------------------------


def status_of(desk: Desk, *options: str | Path) -> int:
    arguments = ["status", desk.returned, "--roster", desk.folder / "roster.yaml", *options]
    return run([str(argument) for argument in arguments])


def test_exit_codes(desk: Desk) -> None:
    assert status_of(desk) == 1
    desk.send("all.xlsx", UNITS)
    assert status_of(desk) == 0
    bad = desk.put("bad.xlsx", ENCRYPTED.read_bytes())
    assert status_of(desk) == 1
    bad.unlink()
    desk.send("all.xlsx", UNITS, wrong)
    assert status_of(desk) == 1
    assert status_of(desk, "--due", "soon") == 2
    assert run(["status", str(desk.returned)]) == 2
    assert status_of(desk, "--by", "no-such") == 3
    assert run(["status", str(desk.folder / "roster.yaml"), "--roster", str(desk.folder / "roster.yaml")]) == 3
    assert status_of(desk, "-o", desk.folder / "no" / "s.xlsx") == 3
    assert status_of(desk, "-o", desk.folder / "s.pdf") == 3


NAME = "04 离退休人员抚恤金"
TOLD = {
    "zh": ["未交回，请催交", NAME, "无法读取的文件", "可能属于 学会部", "由市外办申报", "截止时间：2026-11-20"],
    "en": ["Missing: remind", NAME, "could not be read", "Probably of 学会部", "由市外办申报", "Due: 2026-11-20"],
}


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_table_for_people(desk: Desk, lang: str, capsys: pytest.CaptureFixture[str]) -> None:
    everything(desk)
    assert status_of(desk, "--due", "2026-11-20", "--lang", lang) == 1
    out = capsys.readouterr().out
    assert [text for text in TOLD[lang] if text not in out] == []
    (row,) = [line for line in out.splitlines() if line.startswith("科普部 ")]
    assert row.split() == ["科普部", "1", "-", "1", "-", "-", "-", "1", "-"]


def test_json_goes_to_stdout_alone(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    everything(desk)
    assert status_of(desk, "--json", "--html", desk.folder / "s.html") == 1
    captured = capsys.readouterr()
    assert json.loads(captured.out)["counts"]["missing"] == 2
    assert "s.html" in captured.err


def test_hostile_names_do_no_harm_on_a_terminal(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    name = "[red]\x1b[31m{0}"
    roster = replace(desk.roster, projects=tuple(changed("name", name)(p) for p in desk.roster.projects))
    (desk.folder / "roster.yaml").write_text(canonical.dumps(desk.form, roster), encoding="utf-8")
    assert status_of(desk) == 1
    assert "[red]\\u001b[31m{0}" in capsys.readouterr().out


def test_outputs_may_lie_among_what_was_returned(desk: Desk) -> None:
    everything(desk)
    options: list[str | Path] = ["-o", desk.returned / "情况.xlsx", "--html", desk.returned / "情况.html"]
    assert status_of(desk, *options) == 1
    before = [(desk.returned / name).read_bytes() for name in ("情况.xlsx", "情况.html")]
    assert status_of(desk, *options) == 1
    assert [(desk.returned / name).read_bytes() for name in ("情况.xlsx", "情况.html")] == before
    assert [item.file for item in desk.take().unread] == ["学会部 扫描.xlsx"]


@pytest.mark.parametrize("name", ["办公室/绩效目标.xlsx", "学会部 扫描.xlsx", "kpixl.yaml", "../roster.yaml"])
def test_no_input_is_ever_written_over(desk: Desk, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    everything(desk)
    path = desk.returned / name
    before = path.read_bytes()
    for option in ("--html", "-o") if path.suffix == ".xlsx" else ("--html",):
        assert status_of(desk, option, path) == 3
        assert "output-is-input" in capsys.readouterr().err
    assert status_of(desk, "-o", desk.folder / "s.xlsx", "--html", desk.folder / "s.xlsx") == 3
    assert path.read_bytes() == before


# --- the workbook -------------------------------------------------------------------------------


def cells(sheet: Any) -> list[list[Any]]:
    return [[cell.value for cell in row] for row in sheet.iter_rows()]


def test_the_workbook(desk: Desk, tmp_path: Path) -> None:
    everything(desk)
    path = tmp_path / "s.xlsx"
    path.write_bytes(build_workbook(desk.take(due=datetime(2026, 11, 20))))
    book = openpyxl.load_workbook(path)
    assert book.sheetnames == ["按单位", "按项目", "无法读取", "_kpixl"]
    units, projects, unread = (cells(sheet) for sheet in book.worksheets[:3])
    assert units[0][0] == "上海市科学技术协会 2026 年度“财政项目支出绩效目标申报表”收表情况"
    assert units[1][0] == "截止时间：2026-11-20。"
    heads = ["交回无误", "交回有误", "交回空表", "无需申报", "未交回", "重复提交", "迟交"]
    assert units[3] == ["实施单位", "项目", *heads, "完成率"]
    assert units[4][:9] == ["办公室", 3, 2, 1, 0, 0, 0, 0, 0]
    assert units[-1][:3] == ["合计", "=SUM(B5:B8)", "=SUM(C5:C8)"]
    late = next(row for row in projects if row[1] == "03")
    assert late[3:7] == ["交回有误", 1, 1, 2]
    assert late[7:10] == ["科普部 终稿.xlsx", "03 落实推进《全民科学素质纲要》", datetime(2026, 11, 20, 17, 30)]
    assert "另见 科普部.xlsx" in late[10]
    assert next(row for row in projects if row[1] == "07")[10] == "不在项目名册中"
    assert unread[1][0] == "学会部 扫描.xlsx"
    assert unread[1][5] == "学会部"
    for sheet in book.worksheets[:3]:
        assert sheet.auto_filter.ref
        assert sheet.freeze_panes
        assert (sheet.page_setup.paperSize, sheet.page_setup.orientation) == (9, "landscape")
        assert sheet.print_title_rows


def test_cached_totals_are_what_the_formulas_give(desk: Desk, tmp_path: Path, calculator: Office) -> None:
    everything(desk)
    path = tmp_path / "s.xlsx"
    path.write_bytes(build_workbook(desk.take(due=datetime(2026, 11, 20))))
    again = calculator.convert(path, tmp_path / "calculated")
    values = [cells(openpyxl.load_workbook(p, data_only=True)["按单位"])[3:] for p in (path, again)]
    assert values[0][-1] == ["合计", 7, 2, 2, 0, 1, 2, 1, 0, pytest.approx(3 / 7)]
    assert [row[:9] for row in values[0]] == [row[:9] for row in values[1]]
    assert [row[9] for row in values[0][1:]] == pytest.approx([row[9] for row in values[1][1:]])


def hostile(desk: Desk, text: str) -> None:
    """Put a text everywhere a person or a file can put one."""
    desk.whole = replace(
        desk.whole,
        organization=text,
        projects=tuple(changed("unit", text)(changed("name", text)(p)) for p in desk.projects),
    )
    (desk.folder / "roster.yaml").write_text(canonical.dumps(desk.form, desk.roster), encoding="utf-8")


HOSTILE = [
    "=1+1",
    "<script>alert(1)</script>",
    "</td></table><b onclick=x>\"'&amp;",
    "{{ 7*7 }}{% raw %}",
    "_x000D_",
    "\u202eRTL",
    "文" * 300,
    "a\nb\tc",
    "@SUM(A1) [red]",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_stays_text(desk: Desk, text: str, tmp_path: Path) -> None:
    hostile(desk, text)
    desk.send("a.xlsx", ["01"])
    status = desk.take()
    page = render_status(status)
    assert_sound(page)
    assert "<script" not in page
    assert "onclick=x>" not in page
    path = tmp_path / "s.xlsx"
    path.write_bytes(build_workbook(status))
    names = [cell.value for cell in openpyxl.load_workbook(path)["按项目"]["C"]][1:]
    assert names == [text] * 6


@pytest.mark.application
def test_the_workbooks_are_valid(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "empty.xlsx").write_bytes(build_workbook(desk.take()))
    none = take_stock([desk.returned], [desk.form], replace(desk.roster, projects=()))
    (tmp_path / "none.xlsx").write_bytes(build_workbook(none, "en"))
    everything(desk)
    (tmp_path / "all.xlsx").write_bytes(build_workbook(desk.take(due=datetime(2026, 11, 20))))
    hostile(desk, "=1+1<b>_x000D_")
    (tmp_path / "hostile.xlsx").write_bytes(build_workbook(desk.take()))
    assert_valid(sorted(tmp_path.glob("*.xlsx")))


def test_equal_returns_give_equal_outputs(desk: Desk) -> None:
    everything(desk)
    one, two = desk.take(), desk.take()
    assert build_workbook(one) == build_workbook(two)
    assert render_status(one) == render_status(two)
    written, _ = write_status(one, desk.folder / "s.xlsx", desk.folder / "s.html")
    assert [changed for _, changed in written] == [True, True]
    again, _ = write_status(two, desk.folder / "s.xlsx", desk.folder / "s.html")
    assert [changed for _, changed in again] == [False, False]


# --- the page -----------------------------------------------------------------------------------


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_page(desk: Desk, lang: str) -> None:
    everything(desk)
    page = assert_sound(render_status(desk.take(due=datetime(2026, 11, 20)), lang=lang), lang)
    rows = [[" ".join(cell.itertext()).strip() for cell in row] for row in page.iter("tr")]
    assert ["科普部", "1", "0", "1", "0", "0", "0", "1", "0"] in rows
    assert any(row[0] == "学会部 扫描.xlsx" and row[-1] == "学会部" for row in rows if row)
    assert any(row[:2] == ["06", str(desk.projects[5].values["name"])] and row[-1] == "由市外办申报" for row in rows)


@pytest.mark.application
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_page_fits_a_phone(desk: Desk, lang: str, tmp_path: Path) -> None:
    everything(desk)
    desk.put(f"{'很长的文件名' * 6}{'x' * 40}.xlsx", ENCRYPTED.read_bytes())
    assert_fits_a_phone(render_status(desk.take(due=datetime(2026, 11, 20)), lang=lang), tmp_path)


# --- the example --------------------------------------------------------------------------------


def test_the_example_is_complete(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["status", str(EXAMPLE / "returned"), "--roster", str(EXAMPLE / "roster.yaml")]
    assert run([*arguments, "--config", str(EXAMPLE / "kpixl.yaml"), "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert data["counts"]["projects"] == data["counts"]["returned"] == 13
    assert data["unread"] == []


def test_the_example_with_a_file_taken_away(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copytree(EXAMPLE / "returned", tmp_path / "returned")
    (tmp_path / "returned" / "办公室.xlsx").unlink()
    assert run(["status", str(tmp_path / "returned"), "--roster", str(EXAMPLE / "roster.yaml"), "--json"]) == 1
    (unit,) = json.loads(capsys.readouterr().out)["units"]
    assert [p["id"] for p in unit["projects"] if p["status"] == "missing"] == ["02", "08", "12"]
