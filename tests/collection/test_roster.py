"""Lists of projects as offices keep them -> rosters. A list in a test is a Markdown table."""

from __future__ import annotations

import io
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

import pytest
import xlsxwriter

from kpixl import yaml_text
from kpixl.a1 import Span
from kpixl.collection.roster import make_roster, write_roster
from kpixl.disk import Written
from kpixl.forms.definition import Form
from kpixl.forms.load import load_form, parse_form
from kpixl.forms.values import Raw
from kpixl.output.summary import build_summary
from kpixl.portfolio import canonical
from kpixl.portfolio.model import Portfolio
from kpixl.problems import KpixlError, Problem
from kpixl.readers import Grid, read_grids

FORM = load_form("shanghai-target")


def grid(table: str, *, name: str | None = "清单", merges: Sequence[Span] = ()) -> Grid:
    """Read a Markdown table; a cell that is a number is one, and a blank line is a blank row."""
    rows: list[list[Raw]] = []
    for line in table.strip("\n").splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")] if line.strip() else []
        rows.append([float(c) if c.replace(".", "", 1).isdigit() and not c.startswith("0") else c for c in cells])
    return Grid(name, rows, merges=lambda: list(merges))


def roster(*grids: Grid, old: Portfolio | None = None, form: Form = FORM) -> tuple[Portfolio, list[Problem]]:
    portfolio, problems = make_roster(form, grids, file="清单.xlsx", old=old)
    again = canonical.loads(canonical.dumps(form, portfolio), lambda _: form)[1]
    assert again == portfolio  # what is made is canonical
    return portfolio, list(problems)


def ids(portfolio: Portfolio) -> dict[str, str]:
    return {str(project.values["name"]): project.id for project in portfolio.projects}


def codes(problems: Sequence[Problem]) -> list[str]:
    return [problem.code for problem in problems]


PLAIN = """
| 项目名称 | 实施单位 | 年度资金申请总额 |
| 甲 | 一所 | 600000 |
| 乙 | 二所 | 1000 |
"""


def test_a_plain_list() -> None:
    portfolio, problems = roster(grid(PLAIN))
    assert problems == []
    assert ids(portfolio) == {"甲": "01", "乙": "02"}
    assert portfolio.projects[0].values["funding.annual.amount"] == Decimal(600000)


def test_titles_two_header_rows_totals_blank_rows_and_remarks() -> None:
    portfolio, problems = roster(
        grid(
            """
| 某市科协2026年度项目清单 | | | | |
| | | | | 单位：万元 |
| 序号 | 项目名称 | 实施单位 | 年度资金 | |
| | | | 当年财政拨款 | 其他资金 |
| 1 | 甲 | 一所 | 60 | 0.5 |

| 小计 | | | 60 | 0.5 |
| 2 | 乙 | 二所 | 7 | |
| | 特定目标类合计 | | 7 | |
| 合计 | | | 67 | 0.5 |
| 注：以上均为初稿。 | | | | |
"""
        )
    )
    assert ids(portfolio) == {"甲": "1", "乙": "2"}
    assert portfolio.year == 2026
    values = portfolio.projects[0].values
    assert values["funding.annual.appropriation"] == Decimal(600000)
    assert values["funding.annual.other"] == Decimal(5000)  # after 当年财政拨款, so that of the year
    assert values["funding.annual.amount"] == Decimal(605000)
    assert codes(problems) == [
        "label-ambiguous",
        *["list-total-skipped"] * 3,
        "stray-text",
        *["value-normalised"] * 3,
    ]
    assert str(problems[0].location) == "清单.xlsx › 清单 › E4"


def test_headings_tell_equal_labels_apart() -> None:
    portfolio, problems = roster(grid("| 项目名称 | 年度其他资金 | 总额中其他资金 |\n| 甲 | 1 | 2 |"))
    values = portfolio.projects[0].values
    assert (values["funding.annual.other"], values["funding.total.other"]) == (Decimal(1), Decimal(2))
    assert problems == []


def test_equal_labels_that_are_all_there_go_in_the_order_of_the_form() -> None:
    portfolio, problems = roster(grid("| 其他资金 | 项目名称 | 其他资金 |\n| 1 | 甲 | 2 |"))
    values = portfolio.projects[0].values
    assert (values["funding.total.other"], values["funding.annual.other"]) == (Decimal(1), Decimal(2))
    assert problems == []


def test_money_units_in_headings_and_in_values() -> None:
    portfolio, problems = roster(
        grid("| 项目名称 | 当年财政拨款（万元） | 上年结转资金(元) | 年度其他资金 |\n| 甲 | 60 | 60 | 60万 |")
    )
    values = portfolio.projects[0].values
    assert values["funding.annual.appropriation"] == Decimal(600000)
    assert values["funding.annual.carryover"] == Decimal(60)
    assert values["funding.annual.other"] == Decimal(600000)
    assert [p.details["raw"] for p in problems] == ["60", "60万"]
    assert problems[0].details["reading"] == "600,000.00"
    assert problems[0].location.address == "B2"


def test_unknown_columns_and_unreadable_values_are_reported_and_kept_as_typed() -> None:
    portfolio, problems = roster(grid("| 项目名称 | 备注 | 计划开始日期 |\n| 甲 | 急 | 年初 |"))
    assert codes(problems) == ["list-column-unknown", "value-unread"]
    assert problems[0].details["label"] == "备注"
    assert portfolio.projects[0].values["start"] == "年初"


def test_a_unit_written_once_beside_its_projects() -> None:
    rows = "| 实施单位 | 项目名称 | 其他资金 |\n| 一所 | 甲 | 1 |\n| | 乙 | 2 |\n| | 丙 | |"
    merges = [Span(1, 0, 3, 0), Span(2, 2, 3, 2)]
    portfolio, _ = roster(grid(rows, merges=merges))
    assert [p.values["unit"] for p in portfolio.projects] == ["一所"] * 3
    assert portfolio.projects[2].values["funding.total.other"] is None  # no amount is counted twice


def test_a_repeated_header_is_no_project() -> None:
    assert ids(roster(grid("| 项目名称 |\n| 甲 |\n| 项目名称 |\n| 乙 |"))[0]) == {"甲": "01", "乙": "02"}


def test_a_list_of_one_sheet_per_unit_and_sheets_that_are_something_else() -> None:
    other = grid("| 项目名称 | 三级指标 |\n| 甲 | 场次 |", name="指标明细")
    hidden = Grid("_x", grid(PLAIN).rows, hidden=True)
    second = grid(PLAIN.replace("甲", "丙").replace("乙", "丁"), name="二")
    portfolio, problems = roster(grid(PLAIN, name="一"), other, hidden, second)
    assert ids(portfolio) == {"甲": "01", "乙": "02", "丙": "03", "丁": "04"}
    assert [(p.code, p.location.sheet) for p in problems] == [("sheet-skipped", "指标明细")]


NO_LISTS = {
    "nothing": "| |",
    "other labels": "| 姓名 | 电话 |\n| 张三 | 123 |",
    "a form": "| 项目名称 | 甲 | 项目性质 | 一次性项目 |\n| 主管部门 | 某局 | 实施单位 | 某所 |",
}


@pytest.mark.parametrize("name", NO_LISTS)
def test_what_is_no_list_is_refused(name: str) -> None:
    with pytest.raises(KpixlError) as caught:
        roster(grid(NO_LISTS[name]))
    problem, *suggestions = caught.value.problems
    assert problem.code == "list-no-header"
    assert all(suggestion.code == "list-column-unknown" for suggestion in suggestions)
    assert "项目名称" in problem.message() and "实施单位" in problem.hint()


# --- ids --------------------------------------------------------------------------------------


def test_ids_of_the_list_are_kept_as_text() -> None:
    portfolio, problems = roster(grid("| 项目编码 | 项目名称 |\n| 310012 | 甲 |\n| A-7 | 乙 |\n| | 丙 |"))
    assert ids(portfolio) == {"甲": "310012", "乙": "A-7", "丙": "310013"}
    assert problems == []


def test_a_running_number_gives_way_to_a_real_id() -> None:
    portfolio, _ = roster(grid("| 序号 | 项目编码 | 项目名称 |\n| 1 | X1 | 甲 |\n| 2 | X2 | 乙 |"))
    assert ids(portfolio) == {"甲": "X1", "乙": "X2"}


def test_a_running_number_that_starts_again_is_no_id() -> None:
    portfolio, problems = roster(grid("| 序号 | 项目名称 |\n| 1 | 甲 |\n| 2 | 乙 |\n| 1 | 丙 |"))
    assert ids(portfolio) == {"甲": "01", "乙": "02", "丙": "03"}
    assert codes(problems) == ["list-ids-repeated"]


def test_three_digits_from_a_hundred_projects_on() -> None:
    portfolio, _ = roster(grid("| 项目名称 |\n" + "\n".join(f"| 项目{n}号 |" for n in range(100))))
    assert [portfolio.projects[n].id for n in (0, 99)] == ["001", "100"]


def test_ids_stay_when_the_list_grows_and_is_sorted_anew() -> None:
    old, _ = roster(grid(PLAIN))
    new, problems = roster(grid("| 项目名称 | 实施单位 |\n| 丙 | 一所 |\n| 乙 | 二 所 |\n| 甲 | 三所 |"), old=old)
    assert ids(new) == {"丙": "03", "乙": "02", "甲": "04"}  # 甲 of another unit is another project
    assert [(p.code, p.details["id"]) for p in problems] == [("list-row-gone", "01")]


def test_ids_stay_when_a_row_is_put_between_running_numbers() -> None:
    old, _ = roster(grid("| 序号 | 项目名称 |\n| 1 | 甲 |\n| 2 | 乙 |"))
    new, problems = roster(grid("| 序号 | 项目名称 |\n| 1 | 甲 |\n| 2 | 丙 |\n| 3 | 乙 |"), old=old)
    assert ids(new) == {"甲": "1", "丙": "3", "乙": "2"}
    assert problems == []


def test_a_real_id_stays_when_its_project_is_renamed() -> None:
    old, _ = roster(grid("| 项目编码 | 项目名称 |\n| X1 | 甲 |"))
    assert ids(roster(grid("| 项目编码 | 项目名称 |\n| X1 | 甲甲 |"), old=old)[0]) == {"甲甲": "X1"}


def test_a_list_without_units_is_matched_by_name() -> None:
    old, _ = roster(grid(PLAIN))
    new, _ = roster(grid("| 项目名称 |\n| 丙 |\n| 乙 |\n| 甲 |"), old=old)
    assert ids(new) == {"丙": "03", "乙": "02", "甲": "01"}


def test_the_same_name_and_unit_twice() -> None:
    table = PLAIN + "| 甲 | 一所 | 5 |\n| 甲 | 二所 | 5 |"
    portfolio, problems = roster(grid(table))
    assert [p.id for p in portfolio.projects] == ["01", "02", "03", "04"]
    assert [(p.code, p.location.address) for p in problems] == [("list-name-twice", "A4")]
    assert [p.id for p in roster(grid(table), old=portfolio)[0].projects] == ["01", "02", "03", "04"]


def test_what_the_list_does_not_say_is_kept() -> None:
    text = """\
kpixl: 1
form: shanghai-target
year: 2026
organization: 某市科协
projects:
- id: "07"
  name: 甲
  unit: 一所
  nature: 一次性项目
  funding: {annual: {amount: 9, appropriation: 4, other: 5}}
  indicators: [{level1: 产出指标, name: 场次, value: 2}]
"""
    old = canonical.loads(text, lambda _: FORM)[1]
    new, _ = roster(grid("| 项目名称 | 实施单位 | 当年财政拨款 |\n| 甲 | 一所 | 10 |"), old=old)
    (project,) = new.projects
    assert (new.year, new.organization, project.id) == (2026, "某市科协", "07")
    assert project.values["nature"] == "一次性项目"
    assert project.values["funding.annual.amount"] == Decimal(15)  # added up anew
    assert project.tables == old.projects[0].tables


# --- files ------------------------------------------------------------------------------------


CSVS = {
    "commas": '项目名称,实施单位,年度资金申请总额\n"甲,""一""",一所,"600,000.00"\n',
    "semicolons": '项目名称;实施单位;年度资金申请总额\n"甲,""一""";一所;600,000.00\n',
    "tabs": '项目名称\t实施单位\t年度资金申请总额\n"甲,""一"""\t一所\t600,000.00\n',
}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
@pytest.mark.parametrize("name", CSVS)
def test_csv(name: str, encoding: str) -> None:
    reading = read_grids(CSVS[name].encode(encoding), "清单.csv")
    portfolio, problems = make_roster(FORM, reading.grids, file="清单.csv")
    assert ids(portfolio) == {'甲,"一"': "01"}
    assert portfolio.projects[0].values["funding.annual.amount"] == Decimal(600000)
    assert problems == ()


def test_text_with_tabs_is_still_no_csv() -> None:
    (published,) = read_grids('目标\t"一, 二\n--\t--\n'.encode(), "集.txt").grids
    assert published.rows == [["目标", '"一, 二'], []]


def test_a_character_that_excel_cannot_store_is_refused_with_its_cell() -> None:
    with pytest.raises(KpixlError) as caught:
        roster(grid("| 项目名称 |\n| 甲\uffff |"))
    (problem,) = caught.value.problems
    assert (problem.code, problem.location.address) == ("text-refused", "A2")


def workbook(rows: Sequence[Sequence[str | float]]) -> bytes:
    stream = io.BytesIO()
    with xlsxwriter.Workbook(stream, {"in_memory": True}) as book:
        sheet = book.add_worksheet("清单")
        for number, row in enumerate(rows, 2):
            sheet.write_row(number, 1, row)
    return stream.getvalue()


def test_the_roster_is_written_and_kept_up(tmp_path: Path) -> None:
    source, out = tmp_path / "清单.xlsx", tmp_path / "roster.yaml"
    source.write_bytes(workbook([["项目名称", "主管部门"], ["甲", "某局"]]))
    assert write_roster(FORM, source, out, year=2026) == ([Written(out, True)], 1, ())
    assert write_roster(FORM, source, out) == ([Written(out, False)], 1, ())
    source.write_bytes(workbook([["项目名称", "主管部门", "?"], ["乙", "某局", 1], ["甲", "某局", 2]]))
    written, count, problems = write_roster(FORM, source, out)
    assert (written, count, codes(problems)) == ([Written(out, True)], 2, ["list-column-unknown"])
    assert problems[0].location.address == "D3"
    assert ids(canonical.load(out, lambda _: FORM)[1]) == {"乙": "02", "甲": "01"}


def test_the_summary_is_a_list_too() -> None:
    text = "\n".join(
        f"- {{id: '{n:02}', name: 项目{n}, unit: 某所, category: 特定目标类, funding: {{annual: {{other: {n}}}}}}}"
        for n in range(1, 4)
    )
    text = f"kpixl: 1\nform: shanghai-target\nyear: 2026\norganization: 某局\nprojects:\n{text}\n"
    portfolio = canonical.loads(text, lambda _: FORM)[1]
    content, _ = build_summary(FORM, portfolio)
    again, problems = roster(*read_grids(content, "汇总.xlsx").grids)
    assert (again.year, again.projects) == (2026, portfolio.projects)
    assert set(codes(problems)) <= {"sheet-skipped", "list-column-unknown", "list-total-skipped"}


def test_bad_sources_are_refused(tmp_path: Path) -> None:
    out = tmp_path / "roster.yaml"
    with pytest.raises(KpixlError, match="There is no"):
        write_roster(FORM, tmp_path / "missing.xlsx", out)
    broken = tmp_path / "broken.xlsx"
    broken.write_bytes(b"PK\x03\x04nonsense")
    with pytest.raises(KpixlError, match="not a workbook"):
        write_roster(FORM, broken, out)
    with pytest.raises(KpixlError, match="does not exist"):
        write_roster(FORM, broken, tmp_path / "nowhere" / "roster.yaml")
    assert not out.exists()
    broken.write_bytes(workbook([["项目名称"], ["甲"]]))
    out.write_text("kpixl: 1\nform: another\nprojects: []\n", encoding="utf-8")
    with pytest.raises(KpixlError, match="no form called another"):
        write_roster(FORM, broken, out)


# --- another form -----------------------------------------------------------------------------

ANOTHER = """\
kpixl-form: 1
id: another
version: 1
title: Plan
id-field: {label: Number}
fields: {title: {label: Title}, cost: {label: Cost, type: money}}
layout:
  widths: [10, 20]
  rows:
  - {cells: [{label: title}, {value: title}]}
  - {cells: [{label: cost}, {value: cost}]}
"""


def test_a_form_without_units() -> None:
    form = parse_form(yaml_text.parse(ANOTHER))
    old, _ = roster(grid("| Title | Cost |\n| A | 1 |\n| B | 2 |\n| Total | 3 |"), form=form)
    new, _ = roster(grid("| COST | TITLE |\n| 1 | B |\n| 2 | A |"), form=form, old=old)
    assert {str(p.values["title"]): p.id for p in new.projects} == {"A": "01", "B": "02"}
