"""kpixl trace: from a value of the YAML to the cell it was typed in; kpixl verify: nothing changed, nothing missing."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import openpyxl
import pytest

from kpixl.cli.main import run
from kpixl.collection.account import account
from kpixl.collection.cell_fates import Fate
from kpixl.collection.consolidate import consolidate, sources_text
from kpixl.collection.intake import DEFAULT_LIMITS
from kpixl.collection.trace import Trace, trace
from kpixl.collection.verify import Verified, verify
from kpixl.forms.definition import Form
from kpixl.forms.load import load_form, load_forms
from kpixl.keys import Key
from kpixl.portfolio import canonical
from kpixl.portfolio.model import Portfolio
from kpixl.problems import KpixlError
from tests.conftest import EXAMPLE
from tests.laws.edits import FORMS, sent, sequence
from tests.laws.engines import apply
from tests.strategies import form_of

PORTFOLIO, RETURNED = EXAMPLE / "2026.yaml", EXAMPLE / "returned"
ENTERPRISE = "企业服务部/创新服务、人才举荐.xlsx"


def _trace(project: str, field: str | None = None, path: Path = PORTFOLIO) -> Trace:
    return trace(path, project, field, load_form)


def _codes(found: Verified) -> list[str]:
    return [problem.code for problem in found.problems]


@pytest.fixture
def round_(tmp_path: Path) -> Path:
    """Return a folder with the example's portfolio, sources and returned files, to be changed."""
    shutil.copytree(RETURNED, tmp_path / "returned")
    for name in ("2026.yaml", "2026.sources.json"):
        shutil.copy(EXAMPLE / name, tmp_path)
    return tmp_path


def _verify(folder: Path) -> Verified:
    return verify(folder / "2026.yaml", [folder / "returned"], list(load_forms().values()))


# --- trace --------------------------------------------------------------------------------------


@pytest.mark.parametrize("project", ["01", "创新服务与发展项目", "创新服务"])
@pytest.mark.parametrize("field", ["funding.annual.appropriation", "当年财政拨款", "其中：当年财政拨款"])
def test_a_value_is_traced_to_file_sheet_cell_and_what_was_typed(project: str, field: str) -> None:
    (origin,) = _trace(project, field).origins
    assert (origin.place.file, origin.place.sheet, origin.place.address) == (ENTERPRISE, "01 创新服务与发展项目", "F7")
    assert (origin.value, origin.raw) == (Decimal(600_000), "60万")


def test_all_values_have_the_cells_of_the_sources(example: tuple[Form, Portfolio]) -> None:
    form, portfolio = example
    sources = json.loads((EXAMPLE / "2026.sources.json").read_text(encoding="utf-8"))["projects"]
    for project in portfolio.projects:
        found = _trace(project.id)
        assert found.project == project
        assert {str(o.key): o.place.address for o in found.origins if o.place.address} == {
            key: cell for key, cell in sources[project.id]["cells"].items() if _value(form, project, key) is not None
        }


def _value(form: Form, project: object, key: str) -> object:
    values, tables = getattr(project, "values"), getattr(project, "tables")  # noqa: B009
    if key in form.tables:
        return None
    table, _, rest = key.partition(".")
    if table not in form.tables:
        return values[key]
    number, _, column = rest.partition(".")
    return tables[table][int(number)][column]


def test_a_row_is_traced_by_its_name_and_a_group_by_the_beginning_of_its_key() -> None:
    assert [o.key for o in _trace("01", "服务对象满意度").origins] == [
        Key("indicators", 4, column) for column in ("level1", "level2", "name", "operator", "value", "unit")
    ]
    assert [o.place.address for o in _trace("01", "funding.annual").origins] == ["F6", "F7", "F8", "F9"]
    assert len(_trace("01", "绩效指标").origins) == 28
    assert [o.place.address for o in _trace("01", "指标值").origins] == ["F13", "F14", "F15", "F16", "F17"]
    assert _trace("01", "项目总目标").origins == ()  # a field that is blank


@pytest.mark.parametrize(
    ("project", "field", "code"),
    [("99", None, "project-unknown"), ("科技", None, "project-ambiguous"), ("01", "预算", "field-unknown")],
)
def test_what_is_not_there_is_refused(project: str, field: str | None, code: str) -> None:
    with pytest.raises(KpixlError) as caught:
        _trace(project, field)
    assert [problem.code for problem in caught.value.problems] == [code]


def test_only_the_lines_of_one_project_are_parsed(
    round_: Path, monkeypatch: pytest.MonkeyPatch, example: tuple[Form, Portfolio]
) -> None:
    form, portfolio = example
    many = [replace(p, id=f"{n}-{p.id}") for n in range(50) for p in portfolio.projects]
    path = round_ / "2026.yaml"
    path.write_text(canonical.dumps(form, replace(portfolio, projects=tuple(many))), encoding="utf-8")
    parsed: list[int] = []
    loads = canonical.loads

    def counting(text: str, *others: object) -> object:
        parsed.append(len(text))
        return loads(text, *others)  # type: ignore[arg-type]

    monkeypatch.setattr(canonical, "loads", counting)
    assert _trace("49-13", path=path).project == replace(portfolio.projects[-1], id="49-13")
    assert sum(parsed) < 3_000


@pytest.mark.parametrize(
    "edit",
    [
        lambda text: text.replace('- id: "01"', "- id: '01'"),
        lambda text: text.replace('- id: "01"\n  name', '- nature: 其他一次性项目\n  id: "01"\n  name').replace(
            "  nature: 其他一次性项目\n", "", 1
        ),
        lambda text: text.replace("\nprojects:\n", "\nprojects: # 2026\n"),
        lambda text: text.replace("\n", "\r\n"),
    ],
    ids=["quotes", "order", "comment", "line ends"],
)
def test_a_file_written_by_hand_is_traced_too(round_: Path, edit: object) -> None:
    assert callable(edit)
    path = round_ / "2026.yaml"
    path.write_text(edit(path.read_text(encoding="utf-8")), encoding="utf-8")
    (origin,) = _trace("01", "当年财政拨款", path).origins
    assert origin.place.address == "F7"


def test_a_name_too_long_for_a_line_is_found(round_: Path, example: tuple[Form, Portfolio]) -> None:
    form, portfolio = example
    long = "很长的项目名称" * 20
    projects = (replace(portfolio.projects[0], values={**portfolio.projects[0].values, "name": long}),)
    path = round_ / "2026.yaml"
    path.write_text(canonical.dumps(form, replace(portfolio, projects=projects)), encoding="utf-8")
    assert _trace("很长的项目", path=path).project.id == "01"


def test_without_sources_and_after_an_edit_this_is_said(round_: Path) -> None:
    path = round_ / "2026.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("600000", "600001", 1), encoding="utf-8")
    assert [p.code for p in _trace("01", path=path).problems] == ["portfolio-edited"]
    (round_ / "2026.sources.json").unlink()
    found = _trace("01", path=path)
    assert [p.code for p in found.problems] == ["sources-missing"]
    assert all(origin.place.address is None for origin in found.origins)


def test_the_command_takes_the_only_portfolio_of_the_folder(
    round_: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(round_)
    assert run(["trace", "01", "当年财政拨款"]) == 0
    assert capsys.readouterr().out == (
        f"01  创新服务与发展项目  {ENTERPRISE} › 01 创新服务与发展项目\n  当年财政拨款: 600,000.00  F7  原文“60万”\n"
    )
    assert run(["trace", "01", "年度总体目标", "--json", "--lang", "en"]) == 0
    (value,) = json.loads(capsys.readouterr().out)["values"]
    assert (value["cell"], value["raw"]) == ("E11", value["value"])
    shutil.copy(round_ / "2026.yaml", round_ / "b.yaml")
    shutil.copy(round_ / "2026.sources.json", round_ / "b.sources.json")
    assert run(["trace", "01"]) == 3
    assert "portfolio-which" in capsys.readouterr().err
    assert run(["trace", "01", "--portfolio", "b.yaml"]) == 0


# --- verify -------------------------------------------------------------------------------------


def test_the_example_agrees_to_the_last_cell(round_: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = _verify(round_)
    assert _codes(found) == []
    assert found.account.cells == {Fate.RESULT: 508}
    assert run(["verify", str(round_ / "2026.yaml")]) == 0
    assert capsys.readouterr().out == "7 个文件，508 个填写的单元格：在汇总数据中 508。\n全部相符。\n"


def test_a_value_edited_in_the_yaml_is_found(round_: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = round_ / "2026.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("value: 85\n", "value: 90\n", 1), encoding="utf-8")
    found = _verify(round_)
    assert _codes(found) == ["portfolio-edited", "value-not-in-file"]
    place = found.problems[1].location
    assert (place.file, place.address, place.field) == (ENTERPRISE, "F17", "绩效指标 服务对象满意度 指标值")
    assert "“90”" in found.problems[1].message("en")
    assert run(["verify", str(path), "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["cells"]["lost"] == 0


def test_files_that_changed_moved_or_went_are_told(round_: Path) -> None:
    folder = round_ / "returned"
    (folder / "办公室.xlsx").unlink()
    (folder / "组织人事部" / "绩效目标.xls").rename(folder / "组织人事部" / "新名称.xls")
    path = folder / ENTERPRISE
    book = openpyxl.load_workbook(path)
    book["01 创新服务与发展项目"]["F7"] = 1
    book.save(path)
    codes = _codes(_verify(round_))
    assert codes.count("source-changed") == codes.count("source-renamed") == codes.count("source-gone") == 1
    assert codes.count("project-not-in-files") == 3
    assert codes.count("value-not-in-file") >= 1


def test_a_project_that_nobody_returned_and_one_left_out_are_told(
    round_: Path, example: tuple[Form, Portfolio]
) -> None:
    form, portfolio = example
    projects = (*portfolio.projects[1:], replace(portfolio.projects[0], id="77", values={
        **portfolio.projects[0].values, "name": "手工加的项目"}))  # fmt: skip
    content = canonical.dumps(form, replace(portfolio, projects=projects))
    (round_ / "2026.yaml").write_text(content, encoding="utf-8")
    codes = _codes(_verify(round_))
    for code in ("project-without-source", "project-not-in-files", "project-not-in-portfolio"):
        assert codes.count(code) == 1, code


def test_text_beside_the_form_is_quoted_and_equal_cells_of_a_second_version_are_in_the_result(round_: Path) -> None:
    book = openpyxl.load_workbook(round_ / "returned" / ENTERPRISE)
    sheet = book["01 创新服务与发展项目"]
    sheet["J40"] = "请领导审阅"
    sheet["F7"] = 5
    book.save(round_ / "returned" / "zz.xlsx")
    found = _verify(round_)
    assert found.account.cells[Fate.QUOTED] >= 1
    assert found.account.cells[Fate.SAME] + found.account.cells[Fate.RESULT] > 508 + 20
    assert found.account.cells[Fate.LOST] == 0


def test_a_cell_that_reading_forgets_is_found(example: tuple[Form, Portfolio]) -> None:
    """Leave out what was read of one cell: nothing but the account of cells would notice."""
    form, portfolio = example
    result = consolidate([RETURNED / "办公室.xlsx"], [form], roster=portfolio)
    (file,) = result.files
    first = file.forms[0]
    cells = {key: cell for key, cell in first.cells.items() if key != Key("goal.annual")}
    forgetful = replace(file, forms=(replace(first, cells=cells), *file.forms[1:]))
    found = account(replace(result, files=(forgetful,)), [form], DEFAULT_LIMITS)
    assert [(p.code, p.location.address) for p in found.problems] == [("cell-unaccounted", "E11")]


@pytest.mark.slow
def test_every_cell_of_edited_workbooks_is_accounted_for(tmp_path: Path) -> None:
    sequences = [sequence(seed) for seed in range(30_000, 30_040)]
    forms = [form_of(form_id) for form_id in FORMS]
    lost = {}
    for edited in apply("openpyxl", sequences, tmp_path):
        roster = sent(edited.sequence.form, edited.sequence.base) if edited.sequence.with_roster else None
        found = account(consolidate([edited.path], forms, roster=roster, workers=0), forms, DEFAULT_LIMITS)
        if found.problems:
            lost[edited.sequence.seed] = [(str(p.location), p.details) for p in found.problems]
    assert lost == {}


def test_the_sources_hold_what_was_typed_only_where_it_was_read_otherwise(example: tuple[Form, Portfolio]) -> None:
    form, portfolio = example
    data = json.loads(sources_text(consolidate([RETURNED], [form], roster=portfolio)))
    raws = {i: project["raw"] for i, project in data["projects"].items() if "raw" in project}
    assert raws == {
        "01": {"funding.annual.appropriation": "60万"},
        "11": {"start": "2026年1月1日", "end": "2026年12月31日"},
    }


def test_files_in_an_archive_and_one_that_is_broken_are_accounted_for(round_: Path) -> None:
    folder = round_ / "returned"
    shutil.make_archive(str(round_ / "all"), "zip", folder)
    shutil.rmtree(folder)
    folder.mkdir()
    (round_ / "all.zip").rename(folder / "all.zip")
    (folder / "broken.xlsx").write_bytes(b"PK\x03\x04 no workbook")
    found = _verify(round_)
    assert found.account.cells == {Fate.RESULT: 508}
    assert set(_codes(found)) == {"source-renamed"}
