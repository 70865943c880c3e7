"""The template in the applications that staff use: saved again by each, and calculated by LibreOffice."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from openpyxl.formula.translate import Translator
from openpyxl.utils import column_index_from_string
from pypdfium2 import PdfDocument
from python_calamine import CalamineWorkbook

from kpixl.collection.consolidate import consolidate
from kpixl.collection.model import Collection
from kpixl.forms.definition import Form
from kpixl.forms.load import load_form
from kpixl.output.template import build_template
from kpixl.portfolio import canonical
from kpixl.portfolio.model import Portfolio
from kpixl.portfolio.sheet_id import STATUS
from kpixl.problems import Severity
from tests.applications import Office, gnumeric, pages_of, resave_with_node
from tests.conftest import ROOT

Cells = Mapping[tuple[str, str], str | int | None]


def read(form: Form, path: Path) -> Collection:
    return consolidate([path], [form], workers=0)


# --- saved again ------------------------------------------------------------------------------


def _libreoffice(kind: str) -> Callable[[Path, Path, Office], Path]:
    return lambda source, folder, office: office.convert(source, folder, kind)


def _gnumeric(kind: str) -> Callable[[Path, Path, Office], Path]:
    return lambda source, folder, _: gnumeric(source, folder / f"resaved.{kind}")


def _node(script: str) -> Callable[[Path, Path, Office], Path]:
    return lambda source, folder, _: resave_with_node(script, source, folder / "resaved.xlsx")


def _openpyxl(source: Path, folder: Path, _: Office) -> Path:
    target = folder / "resaved.xlsx"
    openpyxl.load_workbook(source).save(target)
    return target


RESAVED = {
    "libreoffice-xlsx": _libreoffice("xlsx"),
    "libreoffice-ods": _libreoffice("ods"),
    "libreoffice-xls": _libreoffice("xls"),
    "gnumeric-xlsx": _gnumeric("xlsx"),
    "gnumeric-xls": _gnumeric("xls"),
    "gnumeric-ods": _gnumeric("ods"),
    "sheetjs": _node("resave_sheetjs.js"),
    "exceljs": _node("resave_exceljs.js"),
    "openpyxl": _openpyxl,
}


@pytest.mark.parametrize("application", RESAVED)
def test_saved_again_the_13_projects_consolidate_to_the_same_bytes(
    application: str, example: tuple[Form, Portfolio], example_template: Path, office: Office, tmp_path: Path
) -> None:
    form, portfolio = example
    before = read(form, example_template)
    path = RESAVED[application](example_template, tmp_path, office)
    result = read(form, path)
    assert canonical.dumps(form, result.portfolio) == canonical.dumps(form, portfolio)
    # Nothing was noticed that was not there before: what the application did to the file costs nobody a message.
    assert [p.code for p in result.problems] == [p.code for p in before.problems]
    assert not [p for p in result.problems if p.severity is Severity.ERROR]


# --- printed -----------------------------------------------------------------------------------


def _long(portfolio: Portfolio, counts: Iterable[int]) -> Portfolio:
    """Return projects with that many indicators each."""
    project = portfolio.projects[0]
    rows = project.tables["indicators"]
    projects = tuple(
        replace(project, id=f"L{count}", tables={"indicators": (rows * count)[:count]}) for count in counts
    )
    return replace(portfolio, projects=projects)


@pytest.mark.parametrize("application", ["libreoffice", "gnumeric"])
@pytest.mark.parametrize("folder", ["sast", "central-target", "sichuan-target", "shanghai-self-evaluation"])
@pytest.mark.parametrize("portfolio", ["roster", "2026"])
def test_every_form_prints_on_one_page(
    application: str, folder: str, portfolio: str, office: Office, tmp_path: Path
) -> None:
    """The projects of the example, blank and filled in, and the first sheet; spare rows once cost eleven pages."""
    form, projects = canonical.load(ROOT / "examples" / f"{folder}-2026" / f"{portfolio}.yaml", load_form)
    path = tmp_path / "template.xlsx"
    path.write_bytes(build_template(form, projects))
    if application == "libreoffice":
        printed = office.convert(path, tmp_path, "pdf")
    else:
        printed = gnumeric(path, tmp_path / "printed.pdf")
    assert pages_of(printed) == 1 + len(projects.projects)
    document = PdfDocument(printed)
    try:
        for number, project in enumerate(projects.projects, 1):
            text = document[number].get_textpage().get_text_range()
            assert form.title in text and "".join(str(project.values["name"]).split()) in "".join(text.split())
    finally:
        document.close()


def test_a_form_with_many_indicators_gets_more_pages(
    example: tuple[Form, Portfolio], office: Office, tmp_path: Path
) -> None:
    form, portfolio = example
    counts = (5, 60, 100)
    path = tmp_path / "long.xlsx"
    path.write_bytes(build_template(form, _long(portfolio, counts)))
    heights = [sheet.page_setup.fitToHeight for sheet in openpyxl.load_workbook(path).worksheets[1:-1]]
    assert [int(height or 1) for height in heights] == [1, 3, 4]
    # The first sheet, and at most so many pages for each form: at least two where seven points would not hold it.
    assert 1 + 1 + 2 + 2 <= pages_of(office.convert(path, tmp_path / "out", "pdf")) <= 1 + 1 + 3 + 4


# --- dropdowns --------------------------------------------------------------------------------


def _list_formulas(sheet: Any) -> dict[str, str]:
    """Map the first cell of every dropdown to its formula."""
    return {
        str(rule.sqref).split()[0].split(":")[0]: rule.formula1
        for rule in sheet.data_validations.dataValidation
        if rule.type == "list"
    }


def _probe(template: Path, target: Path, dropdown: str, parents: list[str], width: int) -> None:
    """Add to a copy of the template a sheet that asks a dropdown's own formula for its list, one row per parent item:
    in A how many items, from B on the items. The parent stands where the formula looks for it, moved to the row.
    """
    book = openpyxl.load_workbook(template)
    origin, formula = _dropdown(book, dropdown)
    probe = book.create_sheet("probe")
    looked_at = re.search(r"\$([A-Z]+):", formula)
    column = looked_at[1] if looked_at else "Z"
    base = column_index_from_string("AA")
    for row, parent in enumerate(parents, 1):
        probe[f"{column}{row}"] = parent
        here = Translator(f"={formula}", origin=origin).translate_formula(f"AA{row}").removeprefix("=")
        probe.cell(row, base, f"=COUNTA({here})")
        for n in range(1, width + 1):
            probe.cell(row, base + n, f'=IFERROR(INDEX({here},{n}),"#none")')
    book.save(target)


def _dropdown(book: Any, name: str) -> tuple[str, str]:
    """Find the dropdown over the list `name`: its first cell and its formula."""
    sheet = book.worksheets[1]
    pattern = re.compile(rf'^=?(kpixl\.{name}$|INDIRECT\("kpixl\.{name}\.")')
    ((origin, formula),) = {(o, f) for o, f in _list_formulas(sheet).items() if pattern.match(f)}
    return origin, formula.removeprefix("=")


def _computed(path: Path, sheet: str) -> list[list[Any]]:
    return CalamineWorkbook.from_path(str(path)).get_sheet_by_name(sheet).to_python()


@pytest.mark.parametrize("name", ["level1", "level2", "level3", "operator", "unit"])
def test_a_dropdown_offers_its_list_in_libreoffice(
    name: str, example: tuple[Form, Portfolio], example_template: Path, calculator: Office, tmp_path: Path
) -> None:
    form, _ = example
    choices = form.choices[name]
    if choices.parent is None:
        expected = {"": list(choices.items)}
    else:
        expected = {parent: list(choices.children[parent]) for parent in form.choices[choices.parent].items}
    assert all(expected.values())
    width = max(map(len, expected.values()))
    probe = tmp_path / "probe.xlsx"
    _probe(example_template, probe, name, list(expected), width)
    rows = _computed(calculator.convert(probe, tmp_path / "out"), "probe")
    found = [row[-width - 1 :] for row in rows]
    assert [int(row[0]) for row in found] == [len(items) for items in expected.values()]
    for row, items in zip(found, expected.values(), strict=True):
        assert row[1 : len(items) + 1] == items


def test_every_list_of_the_form_has_its_dropdown(example: tuple[Form, Portfolio], example_template: Path) -> None:
    form, _ = example
    book = openpyxl.load_workbook(example_template)
    fields = [*form.fields.values(), *(c for t in form.tables.values() for c in t.columns.values())]
    lists = {f.choices for f in fields if f.choices}
    assert lists >= {"nature", "category", "level1", "level2", "level3", "operator", "unit"}
    for name in lists:
        _dropdown(book, name)


# --- status -----------------------------------------------------------------------------------

PROJECT = """\
- id: "{id}"
  name: 项目{id}
  nature: 其他一次性项目
  category: 特定目标类
  department: 某市科协
  unit: {unit}
  start: "2026-01-01"
  end: "2026-12-31"
  funding: {{annual: {{amount: {amount}, appropriation: 600, carryover: 0, other: 0}}}}
  goal: {{annual: 举办活动十场}}
  indicators:
  - {{level1: 产出指标, level2: 数量指标, name: {name}, operator: ≥, value: 10, unit: 场}}
  - {{level1: 产出指标, level2: 质量指标, name: 合格率, operator: =, value: 100, unit: "%"}}
"""


def _states() -> tuple[Form, Portfolio]:
    """Return four projects: finished, two values missing, a total that differs, and one with nothing but a name."""
    text = "kpixl: 1\nform: shanghai-target\nyear: 2026\norganization: 某市科协\nprojects:\n"
    text += PROJECT.format(id="01", unit="第一中心", amount=600, name="场次")
    text += PROJECT.format(id="02", unit="null", amount=600, name="null")
    text += PROJECT.format(id="03", unit="第一中心", amount=700, name="场次")
    text += '- id: "04"\n  name: 空白项目\n'
    return canonical.loads(text, load_form)


def _statuses(path: Path) -> tuple[list[str], list[str], str]:
    """Read what each project sheet says, what the first sheet says of each, and its count of finished ones."""
    book = CalamineWorkbook.from_path(str(path))
    cover, *sheets = [book.get_sheet_by_index(i).to_python() for i in range(len(book.sheet_names) - 1)]
    said = [str(cell).removeprefix(STATUS) for rows in sheets for cell in rows[0] if str(cell).startswith(STATUS)]
    assert len(said) == len(sheets)
    listed = [str(row[4]) for row in cover[-len(sheets) :]]
    (count,) = [str(c) for row in cover for c in row if str(c).startswith("已完成 ")]
    return said, listed, count


def _edited(template: Path, target: Path, changes: Cells) -> Path:
    """Type into a copy of the template; what openpyxl saves has no cached values at all."""
    book = openpyxl.load_workbook(template)
    for (sheet, cell), value in changes.items():
        book[next(name for name in book.sheetnames if name.startswith(sheet))][cell] = value
    book.save(target)
    return target


def test_the_statuses_that_kpixl_wrote_are_those_that_libreoffice_computes(calculator: Office, tmp_path: Path) -> None:
    template = tmp_path / "states.xlsx"
    template.write_bytes(build_template(*_states()))
    written = _statuses(template)
    assert written[0][:3] == ["已完成", "缺项 2：先看 E4 实施单位", "有误 1：先看 F6 年度资金申请总额"]
    assert re.fullmatch(r"缺项 \d+：先看 E3 项目性质", written[0][3])
    assert written[0] == written[1]
    assert written[2] == "已完成 1 / 4"
    blank = _edited(template, tmp_path / "uncached.xlsx", {})
    assert _statuses(calculator.convert(blank, tmp_path / "out")) == written


def test_the_statuses_of_the_13_projects_are_those_that_libreoffice_computes(
    example_template: Path, calculator: Office, tmp_path: Path
) -> None:
    written = _statuses(example_template)
    assert len(written[0]) == 13
    blank = _edited(example_template, tmp_path / "uncached.xlsx", {})
    assert _statuses(calculator.convert(blank, tmp_path / "out")) == written


def _cell_of(sheet: Any, label: str, nth: int = 0) -> str:
    """Find the cell to type into, right of the nth cell that says `label`."""
    found = [cell for row in sheet.iter_rows() for cell in row if cell.value == label]
    merged = {str(m).split(":")[0]: m for m in sheet.merged_cells.ranges}
    cell = found[nth]
    span = merged.get(cell.coordinate)
    return str(sheet.cell(cell.row, (span.max_col if span else cell.column) + 1).coordinate)


def test_the_status_follows_what_is_typed(calculator: Office, tmp_path: Path) -> None:
    template = tmp_path / "states.xlsx"
    template.write_bytes(build_template(*_states()))
    sheet = openpyxl.load_workbook(template).worksheets[1]
    unit, goal = _cell_of(sheet, "实施单位"), _below(sheet, "年度总体目标")
    carryover = _cell_of(sheet, "上年结转资金")
    first = next(row for row in range(1, 60) if sheet.cell(row, 2).value == "一级指标") + 1
    typed: dict[tuple[str, str], str | int | None] = {
        ("01", unit): None,  # one value taken away,
        ("01", goal): "   ",  # one that only looks filled in
        ("01", f"D{first + 5}"): "新指标",  # and a new row without its levels and its value
        ("02", unit): "第一中心",  # both blanks filled in
        ("02", f"D{first}"): "场次",
        ("03", carryover): 100,  # typed total and parts agree now
        ("04", carryover): "60万",  # an amount that is text
    }
    path = _edited(template, tmp_path / "typed.xlsx", typed)
    said, listed, count = _statuses(calculator.convert(path, tmp_path / "out"))
    assert said[:3] == ["缺项 5：先看 E4 实施单位", "已完成", "已完成"]
    assert re.fullmatch(r"缺项 \d+、有误 1：先看 E3 项目性质", said[3])
    assert listed == said
    assert count == "已完成 2 / 4"

    broken: dict[tuple[str, str], str | int | None] = {("01", carryover): "60万"}
    path = _edited(template, tmp_path / "broken.xlsx", broken)
    said, listed, count = _statuses(calculator.convert(path, tmp_path / "out"))
    assert said[0] == listed[0] == "有误 1：先看 F8 上年结转资金"
    assert count == "已完成 0 / 4"


def _below(sheet: Any, label: str) -> str:
    (cell,) = [cell for row in sheet.iter_rows() for cell in row if cell.value == label]
    return str(sheet.cell(cell.row + 1, cell.column).coordinate)
