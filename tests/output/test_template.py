"""The fillable workbook as an application sees it: protection, rules, page, names, and the SDK's verdict."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from openpyxl.utils import get_column_letter, range_boundaries

from kpixl import yaml_text
from kpixl.a1 import Span
from kpixl.collection.consolidate import consolidate
from kpixl.forms.definition import Form, Value
from kpixl.forms.load import load_form
from kpixl.output.template import SheetStyles, build_template, write_templates
from kpixl.output.template.page import PageSetup, page_for
from kpixl.output.template.status import status_text
from kpixl.output.workbook import Book, sheet_names
from kpixl.portfolio import canonical
from kpixl.portfolio.model import Portfolio
from kpixl.portfolio.own_texts import CLOSE_SIGN, MISSING_SIGN, OPEN_SIGN
from kpixl.readers import read_grids
from kpixl.text_fit import fitting_height
from tests.applications import assert_valid
from tests.conftest import ROOT

FORM = load_form("shanghai-target")
HOSTILE = [
    "=1+1",
    "+1",
    "-",
    "@SUM(A1)",
    "\u00a0\u3000x\u3000",
    "１００",
    "第一行\n第二行",
    "<p>&amp;\"'</p>",
    "😀" * 20,
    "שלום עולם",
    "http://example.org",
    "{=1}",
    "_x000D_",
    "tab\there",
    "'quoted",
    "文" * 32_767,
]


def blank_project(number: int, name: Value) -> str:
    return f'- id: "{number:02}"\n  name: {yaml_text.quote(str(name))}\n'


def portfolio(*names: str) -> Portfolio:
    text = "kpixl: 1\nform: shanghai-target\nyear: 2026\norganization: 某市科协\nprojects:\n"
    text += "".join(blank_project(number, name) for number, name in enumerate(names, 1))
    return canonical.loads(text, lambda _: FORM)[1]


def hostile() -> Portfolio:
    """Return a portfolio with a hostile text in every text of the form, one text per project."""
    blank = portfolio(*(f"项目{n}" for n in range(len(HOSTILE)))).projects
    projects = []
    for project, text in zip(blank, HOSTILE, strict=True):
        values = {k: text if f.type in ("text", "choice") else project.values[k] for k, f in FORM.fields.items()}
        rows = {
            table.key: ({c.key: text if c.type in ("text", "choice") else None for c in table.columns.values()},)
            for table in FORM.tables.values()
        }
        projects.append(replace(project, values=values, tables=rows))
    return replace(portfolio(), projects=tuple(projects))


@pytest.fixture(scope="module")
def sheets(example_template: Path) -> list[Any]:
    """Return the project sheets of the 13 projects' template."""
    book = workbook(example_template)
    return [s for s in book.worksheets[1:] if s.sheet_state == "visible"]


def rows_of(sheet: Any) -> tuple[int, int]:
    """Return the first and last row for indicators, told by the sheet's longest dropdowns."""
    spans = [rows_in(str(rule.sqref)) for rule in sheet.data_validations.dataValidation]
    ((first, last),) = {(first, last) for first, last in spans if last > first}
    return first, last


def rows_in(area: str) -> tuple[int, int]:
    """Return the first and last row of an area."""
    _, first, _, last = range_boundaries(area)
    assert first is not None
    assert last is not None
    return first, last


def workbook(path: Path) -> Any:
    """Open a workbook; Any, because openpyxl's stubs know less than openpyxl."""
    return openpyxl.load_workbook(path)


def workbook_of(content: bytes) -> Any:
    """Open a workbook that was not written to disk."""
    return openpyxl.load_workbook(io.BytesIO(content))


# --- what may be typed where ------------------------------------------------------------------


def test_there_are_at_least_20_rows_for_indicators(sheets: list[Any]) -> None:
    assert len(sheets) == 13
    for sheet in sheets:
        first, last = rows_of(sheet)
        assert last - first + 1 >= 20
        assert sheet.cell(first - 1, 2).value == "一级指标"


def test_indicator_rows_are_unlocked_to_the_last_cell_and_labels_are_locked(sheets: list[Any]) -> None:
    for sheet in sheets:
        first, last = rows_of(sheet)
        for row in range(first, last + 1):
            assert not sheet.row_dimensions[row].protection.locked  # also right of the form, or no row can be deleted
            written = [cell for cell in sheet[row] if cell.has_style]  # openpyxl makes up the others
            assert len(written) >= 7
            assert not any(cell.protection.locked for cell in written)
            assert not any(str(m).startswith(f"A{row}:") for m in sheet.merged_cells.ranges)
        labels = {f.label for f in FORM.fields.values()} | {FORM.title, "一级指标", "二级指标", "三级指标"}
        found = [cell for row in sheet.iter_rows() for cell in row if cell.value in labels]
        assert {cell.value for cell in found} == labels
        assert all(cell.protection.locked for cell in found)


def test_input_cells_are_unlocked_and_tinted_and_totals_are_locked_formulas(sheets: list[Any]) -> None:
    for sheet in sheets:
        by_label = {cell.value: cell for row in sheet.iter_rows(max_row=12) for cell in row}
        unit = sheet.cell(by_label["实施单位"].row, by_label["实施单位"].column + 1)
        assert not unit.protection.locked
        assert unit.fill.fgColor.rgb == "FFFFF6D6"
        total = sheet.cell(by_label["年度资金申请总额:"].row, by_label["年度资金申请总额:"].column + 2)
        assert total.protection.locked
        assert str(total.value).startswith("=IF(COUNT(")


def test_a_total_that_the_roster_gives_is_not_said_to_be_typed() -> None:
    """It is locked like one that adds itself up."""
    one = portfolio("项目").projects[0]
    given = replace(one, values={**one.values, "funding.annual.amount": Decimal(800_000)})
    content = build_template(FORM, replace(portfolio("项目"), projects=(given,)))
    sheet = openpyxl.load_workbook(io.BytesIO(content)).worksheets[1]
    (prompt,) = (v.prompt for v in sheet.data_validations.dataValidation if "F6" in str(v.sqref))
    assert (sheet["F6"].value, sheet["F6"].protection.locked) == (800_000, True)
    assert prompt == "此数已给定，各分项之和应与之相等。"


def test_sheets_are_protected_without_a_password_and_rows_may_come_and_go(example_template: Path) -> None:
    book = workbook(example_template)
    for sheet in book.worksheets:
        assert sheet.protection.sheet
        assert not sheet.protection.password
        assert not sheet.protection.hashValue
    for sheet in book.worksheets[1:-1]:
        # The file's flags say what is forbidden.
        assert not sheet.protection.insertRows
        assert not sheet.protection.deleteRows
        assert not sheet.protection.formatRows
        assert not sheet.protection.formatColumns
        assert sheet.protection.insertColumns
        assert sheet.protection.deleteColumns


def test_cells_for_a_target_are_text_so_that_anything_can_be_typed(sheets: list[Any]) -> None:
    for sheet in sheets:
        first, last = rows_of(sheet)
        for row in range(first, last + 1):
            operator, value, unit = (sheet.cell(row, col).number_format for col in (5, 6, 7))
            assert value == "@"
            assert operator == unit == "@"


# --- rules ------------------------------------------------------------------------------------


def test_rules_cover_every_indicator_row_and_look_only_at_their_own(sheets: list[Any]) -> None:
    """A row inserted in the middle then belongs to the same rules as its neighbours, relative to itself."""
    for sheet in sheets:
        first, last = rows_of(sheet)
        lists = {
            range_boundaries(str(rule.sqref))[0]: rule.formula1
            for rule in sheet.data_validations.dataValidation
            if rows_in(str(rule.sqref)) == (first, last) and rule.type == "list"
        }
        assert set(lists) == {2, 3, 4, 5, 7}  # level 1, 2, 3, operator, unit
        assert "MATCH(INDEX($B:$B,SUM(ROW()))," in lists[3]
        assert "MATCH(INDEX($C:$C,SUM(ROW()))," in lists[4]
        tints = [
            (str(area.sqref), formula)
            for area in sheet.conditional_formatting
            for rule in area.rules
            for formula in rule.formula
            if rows_in(str(area.sqref))[0] == first
        ]
        assert len(tints) >= 8
        for area, formula in tints:
            assert rows_in(area)[1] == last
            # No row is named: a named one that is deleted breaks the rule in LibreOffice.
            assert not re.search(r"[A-Z]\$?\d", formula), formula
            assert set(re.findall(r"ROW\(\)\)([+-]\d+)?\)", formula)) <= {"", "-1", "+1"}


def test_the_status_counts_exactly_the_indicator_rows(sheets: list[Any]) -> None:
    for sheet in sheets:
        first, last = rows_of(sheet)
        column = next(c.column for c in sheet[1] if str(c.value).startswith("{"))
        listed = [str(sheet.cell(row, column).value) for row in range(2, first - 1)]
        ranges = re.findall(r"\$[A-Z]\$(\d+):\$[A-Z]\$(\d+)", "".join(listed))
        assert all(len(formula) < 8_192 for formula in listed)  # Excel's limit
        assert ranges
        assert set(ranges) == {(str(first), str(last))}


def test_rules_speak_chinese(sheets: list[Any]) -> None:
    rules = sheets[0].data_validations.dataValidation
    assert {"list", "date", "decimal"} <= {rule.type for rule in rules}
    for rule in rules:
        assert re.search(r"[\u4e00-\u9fff]", rule.promptTitle)
        if rule.type in ("date", "decimal") or (rule.type == "list" and rule.showErrorMessage):
            assert re.search(r"[\u4e00-\u9fff]", rule.error)
            assert re.search(r"[\u4e00-\u9fff]", rule.errorTitle)


def test_no_rule_sits_in_an_extension(example_template: Path) -> None:
    with zipfile.ZipFile(example_template) as package:
        for name in package.namelist():
            assert b"x14:" not in package.read(name), name


# --- names, page, properties ------------------------------------------------------------------


def test_dropdowns_go_through_names_over_the_hidden_sheet(example_template: Path) -> None:
    book = workbook(example_template)
    hidden = [s for s in book.worksheets if s.sheet_state != "visible"]
    assert [s.title for s in hidden] == ["_kpixl"]
    for name in ("nature", "category", "operator", "unit", "level1", "level2", "level3"):
        items = list(FORM.choices[name].items)
        assert _named(book, f"kpixl.{name}") == items
    for name, parent in (("level2", "level1"), ("level3", "level2")):
        for number, item in enumerate(FORM.choices[parent].items, 1):
            assert _named(book, f"kpixl.{name}.{number}") == list(FORM.choices[name].children[item])
    defined = [n for n in book.defined_names if n.startswith("kpixl.")]
    used = {
        f
        for s in book.worksheets
        for rule in s.data_validations.dataValidation
        if rule.type == "list"
        for f in re.findall(r"kpixl\.[a-z0-9.]*[a-z0-9]", rule.formula1)
    }
    assert used <= set(defined)


def _named(book: Any, name: str) -> list[Any]:
    ((sheet, area),) = book.defined_names[name].destinations
    cells = book[sheet][area.replace("$", "")]
    return [row[0].value for row in cells] if isinstance(cells, tuple) else [cells.value]


def test_a_form_prints_on_one_a4_page_and_nothing_beside_it(sheets: list[Any]) -> None:
    for sheet in sheets:
        _, last = rows_of(sheet)
        assert range_boundaries(sheet.print_area.split("!")[1]) == (1, 1, 7, last)
        assert sheet.print_title_rows is None  # on paper that ignores the scale it would be a page of headings
        assert sheet.page_setup.orientation == "portrait"
        assert int(sheet.page_setup.paperSize) == 9
        assert sheet.page_setup.fitToWidth in (None, 1)
        assert sheet.page_setup.fitToHeight in (None, 1)
        assert sheet.sheet_properties.pageSetUpPr.fitToPage
        assert sheet.print_options.horizontalCentered
        assert sheet.freeze_panes is not None
        sheet_id = next(c for c in sheet[1] if str(c.value).startswith('{"kpixl":'))
        assert sheet_id.column > 7
        assert sheet.column_dimensions[get_column_letter(sheet_id.column)].hidden


@pytest.mark.parametrize(
    ("height", "paper", "pages"),
    [(500, "A4", 1), (1078, "A4", 1), (1081, "A4", 2), (2156, "A4", 2), (2160, "A4", 3), (1081, "A3", 1)],
)
def test_a_form_gets_as_many_pages_as_can_be_read(height: float, paper: str, pages: int) -> None:
    """A4 has 841.9 points, less 86.4 for margins: 755.5 hold 1,079 at 70 percent."""
    assert page_for(replace(FORM, paper=paper), height) == PageSetup(landscape=False, pages=pages)


def test_free_rows_cost_no_page() -> None:
    """A page of them alone would show the repeated headings and nothing else."""
    assert page_for(FORM, 1500, spare=450).pages == 1
    assert page_for(FORM, 1500, spare=400).pages == 2


@pytest.mark.parametrize(
    ("form", "landscape"),
    [("central-target", True), ("sichuan-target", False), ("shanghai-self-evaluation", False)],
)
def test_the_paper_lies_as_the_form_is_larger(form: str, landscape: bool) -> None:
    assert page_for(load_form(form), 800).landscape is landscape


def tints(sheet: Any, cell: str) -> list[str]:
    """Return the background of every rule over a cell, in order."""
    return [
        str(rule.dxf.fill.bgColor.rgb)[2:]
        for area in sheet.conditional_formatting
        for rule in area.rules
        if cell in area.sqref and rule.dxf is not None and rule.dxf.fill is not None
    ]


def test_what_may_stay_blank_in_used_rows_looks_optional() -> None:
    """A table that only some projects have, and columns that only some rows need, are not the yellow of required."""
    spare, needed = SheetStyles().spare[1:], SheetStyles().input[1:]
    form, portfolio = canonical.load(ROOT / "examples" / "central-target-2026" / "2026.yaml", load_form)
    sheet = workbook_of(build_template(form, portfolio)).worksheets[1]
    midterm, annual = tints(sheet, "B13"), tints(sheet, "H13")
    assert midterm[-3:] == [spare, needed, spare]  # the last is the next free row
    assert annual[-2:] == [needed, spare] and spare not in annual[:-1]
    form, portfolio = canonical.load(ROOT / "examples" / "sichuan-target-2026" / "2026.yaml", load_form)
    sheet = workbook_of(build_template(form, portfolio)).worksheets[1]
    name, weight = tints(sheet, "C7"), tints(sheet, "G7")
    assert name[-2:] == [needed, spare] and spare not in name[:-1]
    assert weight[-3:] == [spare, needed, spare]


@pytest.mark.parametrize("form", ["shanghai-target", "central-target", "sichuan-target", "shanghai-self-evaluation"])
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_every_status_fits_its_row_of_the_first_sheet(form: str, lang: str) -> None:
    """Rows are not made higher while people fill in, and the status grows and shrinks."""
    definition = load_form(form)
    portfolio = canonical.loads(f"kpixl: 1\nform: {form}\nprojects:\n- {{id: a}}\n", load_form)[1]
    cover = workbook_of(build_template(definition, portfolio, lang=lang)).worksheets[0]
    (row,) = (cell.row for cell in cover["B"] if cell.value == "a")
    width = cover.column_dimensions["E"].width
    headings = [field.heading for field in definition.fields.values()]
    headings += [column.label for table in definition.tables.values() for column in table.columns.values()]
    for heading in headings:
        text = status_text(f"{MISSING_SIGN * 12}{OPEN_SIGN}F12 {heading}{CLOSE_SIGN}", lang)
        assert fitting_height(text, width - 1.5, 11, 0) <= cover.row_dimensions[row].height


def test_the_properties_say_what_the_workbook_is(example_template: Path) -> None:
    book = workbook(example_template)
    assert book.properties.title == "上海市科学技术协会 2026 年度财政项目支出绩效目标申报表"
    facts = {p.name: p.value for p in book.custom_doc_props.props}
    assert facts["kpixl-form"] == "shanghai-target"
    assert facts["kpixl-form-version"] == FORM.version


def test_the_first_sheet_lists_and_links_every_project(example: tuple[Form, Portfolio], example_template: Path) -> None:
    book = workbook(example_template)
    cover, projects = book.worksheets[0], example[1].projects
    links = [cell for row in cover.iter_rows() for cell in row if cell.hyperlink]
    assert [cell.value for cell in links] == [p.values["name"] for p in projects]
    for cell, sheet in zip(links, book.worksheets[1:], strict=False):
        target, _, spot = cell.hyperlink.location.rpartition("!")
        assert target.strip("'") == sheet.title
        assert sheet[spot].value == cell.value  # it leads to the first cell to fill in
    tails = [str(cell.value) for cell in cover["A"] if re.fullmatch(r"\d+\.", str(cell.value))]
    assert len(tails) == len(FORM.instructions["zh"])


# --- formulas -----------------------------------------------------------------------------------


def test_formulas_of_rules_are_written_as_they_are() -> None:
    """XlsxWriter would put _xlfn. before names of newer functions, also within a text, and take a third longer."""
    book = Book("", {})
    sheet = book.sheet("a")
    rule = '=IF($A1="SORT(x) ACOT(x)",1,0)'
    sheet.rule(Span(0, 0, 5, 0), {"type": "formula", "criteria": rule, "format": book.rule_format(bold=True)})
    sheet.validate(Span(0, 1, 5, 1), {"validate": "custom", "value": rule})
    read = openpyxl.load_workbook(io.BytesIO(book.finish())).active
    assert read is not None
    assert [f for area in read.conditional_formatting for r in area.rules for f in r.formula] == [rule[1:]]
    assert [r.formula1 for r in read.data_validations.dataValidation] == [rule[1:]]


# --- sheet names ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("texts", "names"),
    [
        (["01 创新"], ["01 创新"]),
        (["一" * 40], ["一" * 31]),
        (["a" * 40, "A" * 40], ["a" * 31, "A" * 25 + "（2）"]),
        (["a/b\\c?d*e[f]g:h"], ["a b c d e f g h"]),
        (["'quoted'"], ["quoted"]),
        (["Plan", "PLAN", "plan"], ["Plan", "PLAN（2）", "plan（3）"]),
        (["History", "history"], ["History（2）", "history（3）"]),
        (["", "  ", "***"], ["_", "_（2）", "_（3）"]),
        (["😀" * 20], ["😀" * 15]),  # Excel counts UTF-16 units
        (["填报说明"], ["填报说明（2）"]),
        (["a\nb\tc"], ["a b c"]),
    ],
)
def test_sheet_names(texts: list[str], names: list[str]) -> None:
    assert sheet_names(texts, ["填报说明"]) == names


NASTY = ["History", "填报说明", "a/b", "A\\B", "a:b", *["超" * 60] * 2, "'x'", "😀" * 20, "%20", "#REF!", "!", "=1+1"]


# --- the SDK's verdict, and what comes back ---------------------------------------------------


def write(path: Path, form: Form, content: Portfolio) -> list[Path]:
    path.write_bytes(build_template(form, content))
    return [path]


def split_by_unit(path: Path, form: Form, content: Portfolio) -> list[Path]:
    units = ["一中心", "一中心", "con", "a/b", None]
    projects = tuple(
        replace(p, values={**p.values, "unit": units[n % len(units)]}) for n, p in enumerate(content.projects)
    )
    folder = path.with_suffix("")
    return [p for p, _ in write_templates(form, replace(content, projects=projects), folder, by="unit")[0]]


def english(path: Path, form: Form, content: Portfolio) -> list[Path]:
    path.write_bytes(build_template(form, content, lang="en"))
    return [path]


BUILT: dict[str, Callable[[Path, Form, Portfolio], list[Path]]] = {
    "full": write,
    "english": english,
    "split": split_by_unit,
    "one": lambda path, form, content: write(path, form, replace(content, projects=content.projects[:1])),
    "none": lambda path, form, content: write(path, form, replace(content, projects=())),
    "blank": lambda path, form, _: write(path, form, portfolio("项目一", "项目二")),
    "nasty-names": lambda path, form, _: write(path, form, portfolio(*NASTY)),
    "hostile": lambda path, form, _: write(path, form, hostile()),
    "roster": lambda path, form, content: write(path, form, roster_of(content)),
    "many-rows": lambda path, form, content: write(path, form, many_rows(content)),
}


def roster_of(content: Portfolio) -> Portfolio:
    """Return what an office sends out: the projects without goals and indicators."""
    return replace(
        content,
        projects=tuple(
            replace(p, values={**p.values, "goal.annual": None}, tables=dict.fromkeys(p.tables, ()))
            for p in content.projects
        ),
    )


def many_rows(content: Portfolio) -> Portfolio:
    """Return one project with more indicators than the form has rows for."""
    project = content.projects[0]
    rows = tuple({**row, "value": Decimal(n)} for n in range(40) for row in project.tables["indicators"][:1])
    return replace(content, projects=(replace(project, tables={"indicators": rows}),))


@pytest.mark.application
@pytest.mark.parametrize("kind", BUILT)
def test_excel_would_open_the_template_without_repairing_it(
    kind: str, example: tuple[Form, Portfolio], tmp_path: Path
) -> None:
    files = BUILT[kind](tmp_path / "built.xlsx", *example)
    assert len(files) == (4 if kind == "split" else 1)
    assert_valid(files)


@pytest.mark.parametrize("kind", ["nasty-names", "hostile", "many-rows", "roster"])
def test_what_was_built_reads_back_to_the_same_bytes(
    kind: str, example: tuple[Form, Portfolio], tmp_path: Path
) -> None:
    form, content = example
    made = {
        "nasty-names": portfolio(*NASTY),
        "hostile": hostile(),
        "many-rows": many_rows(content),
        "roster": roster_of(content),
    }[kind]
    files = write(tmp_path / "built.xlsx", form, made)
    result = consolidate(files, [form], workers=0)
    assert canonical.dumps(form, result.portfolio) == canonical.dumps(form, made)


def test_building_twice_gives_the_same_bytes(example: tuple[Form, Portfolio]) -> None:
    assert build_template(*example) == build_template(*example)


def test_nasty_sheet_names_do_not_break_links_and_statuses(tmp_path: Path) -> None:
    content = portfolio(*NASTY)
    (path,) = write(tmp_path / "built.xlsx", FORM, content)
    grids = read_grids(path.read_bytes(), path.name).grids
    assert len(grids) == len(NASTY) + 2
    names = [g.name for g in grids]
    assert len({str(n).casefold() for n in names}) == len(names)
    cover = workbook(path).worksheets[0]
    links = [cell.hyperlink.location for row in cover.iter_rows() for cell in row if cell.hyperlink]
    assert [link.rpartition("!")[0].strip("'") for link in links] == names[1:-1]
