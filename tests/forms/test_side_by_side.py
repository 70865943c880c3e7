"""Tables side by side: the central form as it is printed, typed into, saved by other programs and read again."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl.cell.cell import MergedCell

from kpixl import yaml_text
from kpixl.collection.consolidate import consolidate
from kpixl.collection.model import Collection
from kpixl.forms.definition import Form, Row, Value
from kpixl.forms.load import load_forms, parse_form
from kpixl.forms.values import fold
from kpixl.output.publish.html import render_page
from kpixl.output.template import build_template
from kpixl.portfolio import canonical
from kpixl.portfolio.aligned_rows import aligned
from kpixl.portfolio.model import Portfolio
from kpixl.portfolio.print_layout import printed_form, printed_text
from kpixl.problems import KpixlError, Severity
from kpixl.readers import Grid, read_grids
from kpixl.recognise.extract import Extractor
from tests.applications import Office, resave_with_node
from tests.strategies import form_of

FORM = form_of("central-target")
EXAMPLE = Path(__file__).parents[2] / "examples" / "central-target-2026"
FILLED: Portfolio = canonical.load(EXAMPLE / "2026.yaml", form_of)[1]
ROSTER: Portfolio = canonical.load(EXAMPLE / "roster.yaml", form_of)[1]
ALL = [*load_forms().values()]
DEFINITION = Path(__file__).parents[2] / "templates" / "central-target" / "form.yaml"

# The official form (design/DOMAIN.md section 6): what is printed where, nine columns A-I.
PUBLISHED = {
    "A1:I1": "项目支出绩效目标表",
    "A2:I2": "（2026年度）",
    "A3:C3": "项目名称", "D3:I3": "馆藏档案修复与数字化",
    "A4:C4": "主管部门及代码", "D4:E4": "[105]某部", "F4:G4": "实施单位", "H4:I4": "某部档案馆",
    "A5:C5": "项目属性", "D5:E5": "延续项目", "F5:G5": "项目周期", "H5:I5": "2025年-2027年",
    "A6:C9": "项目资金（万元）",
    "D6": "中期资金总额", "E6": "1,000.00", "F6:G6": "年度资金总额", "H6:I6": "350.00",
    "D7": "其中：财政拨款", "E7": "960.00", "F7:G7": "其中：财政拨款", "H7:I7": "318.60",
    "D8": "上年结转资金", "E8": "0.00", "F8:G8": "上年结转资金", "H8:I8": "21.40",
    "D9": "其他资金", "E9": "40.00", "F9:G9": "其他资金", "H9:I9": "10.00",
    "A10:A11": "总体目标", "B10:E10": "中期目标", "F10:I10": "年度目标",
    "B12": "一级指标", "C12": "二级指标", "D12": "三级指标", "E12": "指标值",
    "F12": "二级指标", "G12:H12": "三级指标", "I12": "指标值",
    "A13:A19": "绩效指标",
    "B13": "成本指标", "F13": "经济成本指标", "G13:H13": "单卷修复成本", "I13": "≤620元/卷",
    "B14:B17": "产出指标", "C14:C15": "数量指标", "D14": "修复档案", "E14": "≥9600卷", "E15": "≥240万页",
    "C16": "质量指标", "E16": "≥98%", "F14:F15": "数量指标", "I14": "≥3200卷", "F17": "时效指标",
    "I17": "2026年11月底前", "B18": "效益指标", "C18": "可持续影响指标", "F18": "社会效益指标",
    "B19": "满意度指标", "E19": "≥90%", "I19": "≥90%",
}  # fmt: skip


def consolidated(*paths: Path) -> Collection:
    return consolidate(paths, ALL, workers=0)


def filled_only(portfolio: Portfolio) -> list[tuple[dict[str, Value], dict[str, tuple[Row, ...]]]]:
    return [(dict(p.values), dict(p.tables)) for p in portfolio.projects]


# --- printed ----------------------------------------------------------------------------------


def test_the_form_is_printed_as_it_is_published() -> None:
    cells = [cell for row in printed_form(FORM, 2026, FILLED.projects[0]) for cell in row.cells]
    spans = {
        f"{'ABCDEFGHI'[c.col]}{c.row + 1}"
        + (f":{'ABCDEFGHI'[c.col + c.columns - 1]}{c.row + c.rows}" if c.rows + c.columns > 2 else ""): printed_text(c)
        for c in cells
    }
    assert {place: spans.get(place) for place in PUBLISHED} == PUBLISHED
    covered = [(r, c) for x in cells for r in range(x.row, x.row + x.rows) for c in range(x.col, x.col + x.columns)]
    assert len(covered) == len(set(covered)) == 19 * 9


levels = st.sampled_from(["甲", "乙", "丙", None])


@given(st.lists(levels, max_size=7), st.lists(levels, max_size=7))
@settings(max_examples=200)
def test_aligned_rows_keep_each_table_in_its_order(left: list[str | None], right: list[str | None]) -> None:
    group = FORM.layout.tables
    tables: dict[str, list[Row]] = {
        placed.table: [{"level1": level, "name": str(number)} for number, level in enumerate(side)]
        for placed, side in zip(group, (left, right), strict=True)
    }
    lines = aligned(group, tables)
    for name, rows in tables.items():
        assert [row for row in lines.rows[name] if row is not None] == rows
        for row, shared in zip(lines.rows[name], lines.shared, strict=True):
            assert row is None or shared is None or row["level1"] == shared["level1"]
    if left and left == right:
        assert len(lines) == len(left)


# --- read again -------------------------------------------------------------------------------


def test_the_example_gives_what_it_should() -> None:
    result = consolidate([EXAMPLE / "returned"], ALL, roster=ROSTER, workers=0)
    assert canonical.dumps(FORM, result.portfolio) == (EXAMPLE / "2026.yaml").read_text(encoding="utf-8")
    assert sorted(p.code for p in result.problems) == ["matched-by-name", "matched-by-name", "value-normalised"]


def test_the_roster_of_the_example_is_made_of_it(tmp_path: Path) -> None:
    script = (EXAMPLE / "make_returned.py").read_text(encoding="utf-8")
    (tmp_path / "make_returned.py").write_text(script, encoding="utf-8")
    (tmp_path / "2026.yaml").write_bytes((EXAMPLE / "2026.yaml").read_bytes())
    subprocess.run([sys.executable, str(tmp_path / "make_returned.py")], check=True)
    assert (tmp_path / "roster.yaml").read_bytes() == (EXAMPLE / "roster.yaml").read_bytes()


@pytest.mark.parametrize("known", ["alone", "all"])
def test_the_published_page_gives_the_portfolio_back(known: str, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text(render_page(FORM, FILLED), encoding="utf-8")
    result = consolidate([page], ALL if known == "all" else [FORM], workers=0)
    assert filled_only(result.portfolio) == filled_only(FILLED)
    assert result.portfolio.form == FORM.id and result.portfolio.year == 2026
    assert not [p for p in result.problems if p.severity is Severity.ERROR]


def official(folder: Path, change: Callable[[Any], object]) -> Path:
    """Return the official form of the first project of the example, as a stranger typed it, changed."""
    book = openpyxl.load_workbook(EXAMPLE / "returned" / "档案馆(部里的表).xlsx")
    book.remove(book.worksheets[1])
    change(book.worksheets[0])
    path = folder / "returned.xlsx"
    book.save(path)
    return path


def unmerge(sheet: Any) -> None:
    for span in list(sheet.merged_cells.ranges):
        sheet.unmerge_cells(str(span))


def retitle(sheet: Any) -> None:
    sheet["A1"] = "中央部门项目支出绩效目标表"


def respell(sheet: Any) -> None:
    texts = {"D12": "三级指标名称", "F12": "二 级 指 标", "I12": "指标值：", "A4": "主管部门", "F7": "财政拨款",
             "D7": "财政拨款", "A6": "项目资金（万元）："}  # fmt: skip
    for cell, text in texts.items():
        sheet[cell] = text


def in_yuan(sheet: Any) -> None:
    sheet["A6"] = "项目资金（元）"
    for row in range(6, 10):
        for col in "EH":
            sheet[f"{col}{row}"] = Decimal(str(sheet[f"{col}{row}"].value)) * 10_000


def deeper(sheet: Any) -> None:
    unmerge(sheet)
    sheet.insert_rows(1, 2)


@pytest.mark.parametrize("change", [unmerge, retitle, respell, in_yuan, deeper], ids=lambda change: change.__name__)
def test_the_official_form_of_a_stranger_is_read_whatever_its_state(
    change: Callable[[Any], object], tmp_path: Path
) -> None:
    result = consolidated(official(tmp_path, change))
    (project,) = result.portfolio.projects
    expected = FILLED.projects[0]
    assert (result.portfolio.form, dict(project.values)) == (FORM.id, dict(expected.values))
    assert dict(project.tables) == dict(expected.tables)
    assert not [p for p in result.problems if p.severity is Severity.ERROR]


def test_a_form_with_the_indicators_of_the_year_alone(tmp_path: Path) -> None:
    def alone(sheet: Any) -> None:
        for row in range(13, 20):
            for col in "CDE":
                if not isinstance(sheet[f"{col}{row}"], MergedCell):
                    sheet[f"{col}{row}"] = None
        for cell in ("C12", "D12", "E12", "B10"):
            sheet[cell] = None

    (project,) = consolidated(official(tmp_path, alone)).portfolio.projects
    assert project.tables["annual_indicators"] == FILLED.projects[0].tables["annual_indicators"]
    assert project.tables["midterm_indicators"] == ()


def test_a_level_without_any_indicator_is_reported(tmp_path: Path) -> None:
    def more(sheet: Any) -> None:
        sheet["B21"] = "其他指标"

    result = consolidated(official(tmp_path, more))
    (project,) = result.portfolio.projects
    assert dict(project.tables) == dict(FILLED.projects[0].tables)
    strays = [(p.code, p.location.address) for p in result.problems if p.code.startswith("stray")]
    assert strays == [("stray-text", "B21")]


# --- saved by other programs ------------------------------------------------------------------

RESAVED: dict[str, Callable[[Path, Path, Office], Path]] = {
    "libreoffice": lambda source, folder, office: office.convert(source, folder, "xlsx"),
    "sheetjs": lambda source, folder, _: resave_with_node("resave_sheetjs.js", source, folder / "resaved.xlsx"),
    "exceljs": lambda source, folder, _: resave_with_node("resave_exceljs.js", source, folder / "resaved.xlsx"),
}


@pytest.mark.parametrize("application", RESAVED)
@pytest.mark.parametrize("which", ["template", "official"])
def test_saved_again_it_is_the_same(application: str, which: str, office: Office, tmp_path: Path) -> None:
    source, expected = tmp_path / "source.xlsx", FILLED
    if which == "template":
        source.write_bytes(build_template(FORM, FILLED))
    else:
        source = EXAMPLE / "returned" / "档案馆(部里的表).xlsx"
        expected = replace(FILLED, projects=FILLED.projects[:2])
    result = consolidated(RESAVED[application](source, tmp_path, office))
    if which == "template":
        assert canonical.dumps(FORM, result.portfolio) == canonical.dumps(FORM, expected)
    assert filled_only(result.portfolio) == filled_only(expected)
    assert not [p for p in result.problems if p.severity is Severity.ERROR]


# --- definitions that would be ambiguous ------------------------------------------------------


def defined() -> Any:
    return yaml_text.parse(DEFINITION.read_text(encoding="utf-8"))


def columns(data: Any, table: str) -> Any:
    return data["tables"][table]["columns"]


def two_of_a_name(data: Any) -> None:
    columns(data, "annual_indicators")["name"]["label"] = "二级指标"


def two_of_a_synonym(data: Any) -> None:
    columns(data, "annual_indicators")["unit"]["synonyms"] = ["符号"]


def one_below_the_other(data: Any) -> None:
    twins(data)
    columns(data, "annual_indicators")["unit"]["label"] = "量词"


def twins(data: Any) -> None:
    """Put the tables below each other, with the same headings."""
    rows = data["layout"]["rows"]
    both = rows.pop()
    for name in both["tables"]:
        heads = [{k: v for k, v in head.items() if k not in ("table", "columns")} for head in both["entry"]]
        own = [head for head, spec in zip(heads, both["entry"], strict=True) if spec["table"] == name]
        rows.append({"table": name, "entry": own, "print": own})


def no_place(data: Any) -> None:
    entry = data["layout"]["rows"][-1]["entry"]
    entry.remove({"table": "annual_indicators", "column": "level1"})


def shared_in_entry(data: Any) -> None:
    data["layout"]["rows"][-1]["entry"][0] = {"column": "level1"}


def shared_name(data: Any) -> None:
    data["layout"]["rows"][-1]["print"][0] = {"column": "name"}


def no_column(data: Any) -> None:
    data["layout"]["entry-widths"][2:4] = [[16, 22], []]  # as many as before, but none for the labels of amounts


def too_few_widths(data: Any) -> None:
    data["layout"]["entry-widths"].pop()


@pytest.mark.parametrize(
    ("change", "key"),
    [
        (two_of_a_name, "tables.annual_indicators.columns.name"),
        (two_of_a_synonym, "tables.annual_indicators.columns.unit"),
        (one_below_the_other, "tables.annual_indicators"),
        (no_place, "tables.annual_indicators.columns.level1"),
        (shared_in_entry, "layout.rows[11].entry[0]"),
        (shared_name, "layout.rows[11].print[0]"),
        (no_column, "layout.entry-widths"),
        (too_few_widths, "layout.entry-widths"),
    ],
    ids=lambda value: value if isinstance(value, str) else value.__name__,
)
def test_a_definition_that_would_be_ambiguous_is_refused(change: Callable[[Any], None], key: str) -> None:
    data = deepcopy(defined())
    change(data)
    with pytest.raises(KpixlError) as refused:
        parse_form(data)
    (problem,) = refused.value.problems
    assert problem.code == "form-invalid" and str(problem.details["key"]).endswith(key)


def test_tables_with_the_same_headings_are_told_apart_by_their_order() -> None:
    data = deepcopy(defined())
    twins(data)
    form = parse_form(data)
    _, portfolio = canonical.load(EXAMPLE / "2026.yaml", lambda _: form)
    for grid, project in zip(
        read_grids(build_template(form, portfolio), "t.xlsx").grids[1:], portfolio.projects, strict=False
    ):
        bare = [row[: len(form.entry_layout.widths)] for row in grid.rows]  # without sheet id
        extracted = Extractor([form]).extract(Grid("t", bare), "t.xlsx")
        assert isinstance(extracted, list)
        (found,) = extracted
        for key, rows in project.tables.items():
            assert [row["name"] for row in found.tables[key]] == [row["name"] for row in rows]


def test_every_label_that_two_fields_share_has_two_places() -> None:
    alike = [
        f.label for f in FORM.fields.values() if [fold(g.label) for g in FORM.fields.values()].count(fold(f.label)) > 1
    ]
    assert len(alike) == 6  # three labels in both blocks of amounts


def test_recognition_knows_both_layouts() -> None:
    form: Form = FORM
    assert (len(form.layout.widths), len(form.entry_layout.widths)) == (9, 13)
