"""Who is who: sheet ids, names, rosters, copies, and what came twice. And every problem code can be shown."""

from __future__ import annotations

import ast
import dataclasses
import itertools
import string
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import openpyxl
import pytest

import kpixl
from kpixl.a1 import CellRef, parse_a1
from kpixl.checks.registry import ENTRIES
from kpixl.collection.consolidate import consolidate
from kpixl.collection.merge import Merged, merge
from kpixl.collection.one_file import Job, read_file
from kpixl.collection.versions import Returned
from kpixl.forms.definition import Form, Row, Value
from kpixl.keys import Key
from kpixl.output.template import write_templates
from kpixl.portfolio import sheet_id as sheet_ids
from kpixl.portfolio.canonical import complete
from kpixl.portfolio.model import Portfolio, Project
from kpixl.portfolio.sheet_id import SheetId
from kpixl.problems import Location, Problem
from kpixl.recognise.extract import Extractor
from kpixl.recognise.submission import Submission
from tests.applications import Office
from tests.strategies import canonical_project, form_of

FORM = form_of("shanghai-target")
OWN = Portfolio(FORM.id, 2026, "某市科协", ())
ROW: Row = {"level1": "产出指标", "level2": "数量指标", "name": "场次", "operator": "≥", "value": "5", "unit": "场"}


def mark(project: str, name: str, order: int = 1, **changed: object) -> SheetId:
    digest = sheet_ids.digest(name)
    plain = SheetId(FORM.id, FORM.version, sheet_ids.portfolio_id(OWN), project, order, digest, 2026, "某市科协")
    return dataclasses.replace(plain, **changed)  # type: ignore[arg-type]


def item(
    name: str | None,
    *,
    unit: str = "一所",
    file: str = "a.xlsx",
    sheet: str = "表1",
    sheet_id: SheetId | None = None,
    rows: tuple[Row, ...] = (),
    **values: Value,
) -> Returned:
    """Make a returned form; every value is said to stand in a cell of its own."""
    raw: Mapping[str, Value] = {"name": name, "unit": unit, **values}
    project = canonical_project(FORM, "", raw, {"indicators": rows})
    cells = {Key(key): CellRef(number, 0) for number, key in enumerate(FORM.fields)}
    cells |= {
        Key("indicators", 0, key): CellRef(number, 1) for number, key in enumerate(FORM.tables["indicators"].columns)
    }
    year = sheet_id.year if sheet_id else 2026
    organization = sheet_id.organization if sheet_id else None
    form = Submission(
        FORM.id, sheet, False, sheet_id, year, organization, project.values, project.tables, cells, (), (),
    )  # fmt: skip
    return Returned(file, "0" * 64, form)


def absent(merged: Merged) -> list[str]:
    return [project.id for project in merged.absent]


def roster(*names: str, unit: str = "一所", ids: tuple[str, ...] = ()) -> Portfolio:
    made = (
        canonical_project(FORM, ids[n] if ids else f"{n + 1:02}", {"name": name, "unit": unit}, {})
        for n, name in enumerate(names)
    )
    return dataclasses.replace(OWN, projects=tuple(made))


def names(merged: Merged) -> dict[str, Value]:
    return {project.id: project.values["name"] for project in merged.portfolio.projects}


def codes(merged: Merged) -> list[str]:
    return [problem.code for problem in merged.problems]


# --- twice ------------------------------------------------------------------------------------


def test_the_same_twice_is_only_a_note() -> None:
    one, other = (item("甲", file=f, sheet_id=mark("07", "甲")) for f in ("a.xlsx", "b.xlsx"))
    merged = merge(FORM, [one, other], None)
    assert (names(merged), codes(merged)) == ({"07": "甲"}, ["returned-twice"])
    assert merged.problems[0].location.file == "b.xlsx"
    assert "a.xlsx" in merged.problems[0].message()
    assert merged.sources["07"].file == "a.xlsx"


def test_two_versions_are_told_apart_value_by_value() -> None:
    one = item("甲", sheet_id=mark("07", "甲"), department="科协", rows=(ROW,))
    changed: Row = {**ROW, "value": "6"}
    other = item("甲", file="b.xlsx", sheet_id=mark("07", "甲"), department="科委", rows=(changed,))
    merged = merge(FORM, [one, other], None)
    assert (names(merged), codes(merged)) == ({"07": "甲"}, ["conflict", "conflict"])
    project = merged.portfolio.projects[0]
    assert project.values["department"] == "科协"
    first, second = merged.problems
    assert first.location == Location("a.xlsx", "表1", parse_a1("A4"), "主管部门")
    assert "“科协”（a.xlsx › 表1 › A4）、“科委”（b.xlsx › 表1 › A4）" in first.message()
    assert "“≥ 5 场”（a.xlsx › 表1 › B5）、“≥ 6 场”（b.xlsx › 表1 › B5）" in second.message()
    assert second.location.field == "绩效指标 产出指标/数量指标/场次 年度(/项目)指标值"


def test_a_row_more_is_no_contradiction() -> None:
    first = item("甲", sheet_id=mark("07", "甲"), department="科协")
    versions = [first, item("甲", file="b.xlsx", sheet_id=mark("07", "甲"), department="科委", rows=(ROW,))]
    merged = merge(FORM, versions, None)
    assert codes(merged) == ["conflict"]
    assert merged.portfolio.projects[0].tables["indicators"] == versions[1].form.tables["indicators"]
    assert merged.sources["07"].at(Key("indicators", 0, "value")) == Location("b.xlsx", "表1", parse_a1("B5"))


# --- copied and renamed -----------------------------------------------------------------------


def test_a_copied_sheet_that_names_another_project_is_new() -> None:
    copy = item("乙", sheet="表1 (2)", sheet_id=mark("07", "甲"))
    original = item("甲", sheet_id=mark("07", "甲"))
    for returned in ([original, copy], [copy, original]):
        merged = merge(FORM, returned, None)
        assert (names(merged), codes(merged)) == ({"07": "甲", "08": "乙"}, ["sheet-id-copied"])
        assert merged.problems[0].location.sheet == "表1 (2)"


def test_a_renamed_project_stays_who_it_is() -> None:
    merged = merge(FORM, [item("甲（二期）", sheet_id=mark("07", "甲"))], roster("甲", ids=("07",)))
    assert (names(merged), codes(merged)) == ({"07": "甲（二期）"}, ["name-changed"])


def test_a_name_spelled_with_blanks_is_the_same_name() -> None:
    merged = merge(
        FORM, [item("甲 项目", sheet_id=mark("07", "甲项目")), item("甲项目", sheet_id=mark("07", "甲项目"))], None
    )
    assert (names(merged), codes(merged)) == ({"07": "甲 项目"}, ["conflict"])


def test_two_renamed_copies_are_two_versions() -> None:
    """Neither bears the name that was written: which one is meant, a person must say."""
    merged = merge(FORM, [item(name, sheet=name, sheet_id=mark("07", "甲")) for name in ("乙", "丙")], None)
    assert (names(merged), codes(merged)) == (
        {"07": "丙"},
        ["name-changed", "name-changed", "conflict"],
    )


def test_a_form_pasted_over_another_projects_sheet_is_that_other_project() -> None:
    pasted = item("乙", sheet_id=mark("01", "甲"))
    for known in (None, roster("甲", "乙")):
        merged = merge(FORM, [pasted, item("乙", sheet_id=mark("02", "乙", 2))], known)
        assert names(merged) == {"02": "乙"}
        assert codes(merged)[0] == "sheet-id-other-project"


def test_names_swapped_between_two_sheets_are_told() -> None:
    swapped = [item("乙", sheet_id=mark("01", "甲")), item("甲", sheet_id=mark("02", "乙", 2))]
    merged = merge(FORM, swapped, None)
    assert sorted(names(merged).items()) == [("01", "甲"), ("02", "乙")]
    assert codes(merged) == ["sheet-id-other-project"] * 2


def test_a_copy_left_without_a_name_is_no_new_project() -> None:
    merged = merge(FORM, [item("甲", sheet_id=mark("07", "甲")), item(None, sheet_id=mark("07", "甲"))], None)
    assert (names(merged), codes(merged)) == ({"07": "甲"}, ["returned-contained"])


# --- sheet ids of other things ------------------------------------------------------------------


def test_last_years_sheet_is_noticed() -> None:
    old = mark("02", "乙", 2, year=2025, portfolio=sheet_ids.portfolio_id(dataclasses.replace(OWN, year=2025)))
    merged = merge(FORM, [item("甲", sheet_id=mark("01", "甲")), item("乙", sheet_id=old)], roster("甲", "乙"))
    assert (merged.portfolio.year, codes(merged)) == (2026, ["sheet-id-year"])
    assert merged.problems[0].details == {"other": 2025, "year": 2026, "id": "02"}
    assert merged.problems[0].severity == "error"


def test_another_organisations_sheet_is_noticed() -> None:
    other = dataclasses.replace(OWN, organization="某区科协")
    foreign = mark("02", "乙", 2, portfolio=sheet_ids.portfolio_id(other), organization="某区科协")
    merged = merge(FORM, [item("甲", sheet_id=mark("01", "甲")), item("乙", sheet_id=foreign)], roster("甲", "乙"))
    assert codes(merged) == ["sheet-id-portfolio"]
    assert merged.problems[0].details == {"other": "某区科协", "number": "02", "own": "某市科协", "id": "02"}
    assert merged.problems[0].severity == "error"


def of_other(name: str, file: str = "b.xlsx", department: str = "", rows: tuple[Row, ...] = ()) -> Returned:
    """Make a form of another organisation, which numbers its projects from 01 too."""
    other = dataclasses.replace(OWN, organization="某区科协")
    marked = mark("01", name, portfolio=sheet_ids.portfolio_id(other), organization="某区科协")
    return item(name, file=file, unit="二所", sheet_id=marked, rows=rows, department=department or None)


def in_any_order(returned: Sequence[Returned], known: Portfolio | None) -> Merged:
    """Merge the forms in every order, which must not change the portfolio or what is reported."""
    merged = [merge(FORM, list(order), known) for order in itertools.permutations(returned)]
    assert len({str(m.portfolio) for m in merged}) == 1
    assert len({str(sorted(codes(m))) for m in merged}) == 1
    return merged[0]


def test_another_portfolio_with_the_same_numbers_never_replaces_ours() -> None:
    merged = in_any_order([item("甲", sheet_id=mark("01", "甲")), of_other("乙")], roster("甲"))
    assert (names(merged), codes(merged)) == ({"01": "甲", "02": "乙"}, ["sheet-id-portfolio"])
    assert merged.problems[0].location == Location("b.xlsx", "表1")
    assert merged.problems[0].project == "02"


def test_another_portfolio_does_not_take_the_place_of_what_has_not_come_back() -> None:
    merged = merge(FORM, [of_other("乙")], roster("甲"))
    assert (names(merged), codes(merged), absent(merged)) == ({"02": "乙"}, ["sheet-id-portfolio"], ["01"])


def test_a_form_of_another_portfolio_gives_way_to_ours_of_the_same_name() -> None:
    ours = item("甲", unit="二所", sheet_id=mark("01", "甲"), department="科协")
    merged = in_any_order([of_other("甲", department="科委", rows=(ROW,)), ours], roster("甲", unit="二所"))
    assert codes(merged) == ["sheet-id-portfolio", "returned-differently"]
    assert merged.portfolio.projects[0].values["department"] == "科协"


def test_two_portfolios_without_a_roster_are_kept_apart() -> None:
    ours = [item(name, file="a.xlsx", sheet_id=mark(f"0{n}", name, n)) for n, name in enumerate("甲乙", 1)]
    merged = in_any_order([of_other("丙"), *ours], None)
    assert names(merged) == {"01": "甲", "02": "乙", "03": "丙"}
    assert codes(merged) == ["sheet-id-portfolio"]
    assert merged.portfolio.organization == "某市科协"


def test_of_two_portfolios_that_are_equally_many_one_is_chosen_whatever_the_order() -> None:
    merged = in_any_order([item("甲", sheet_id=mark("01", "甲")), of_other("乙")], None)
    assert sorted(names(merged).values(), key=str) == ["乙", "甲"]
    assert codes(merged) == ["sheet-id-portfolio"]


def unnamed(name: str, file: str, unit: str = "一所") -> Returned:
    """Make a form of a portfolio without an organisation: its sheet id is like that of every other such portfolio."""
    marked = mark("01", name, portfolio=f"{FORM.id}-2026-", organization=None)
    return item(name, file=file, unit=unit, sheet_id=marked)


@pytest.mark.parametrize("known", [None, roster("甲")])
def test_portfolios_without_an_organisation_are_told_apart_by_the_names_sent_out(known: Portfolio | None) -> None:
    many = [unnamed("甲", "a.xlsx"), unnamed("甲", "b.xlsx"), unnamed("乙", "c.xlsx")]
    merged = in_any_order(many, known)
    assert names(merged) == {"01": "甲", "02": "乙"}
    assert sorted(codes(merged)) == ["returned-twice", "sheet-id-collision"]
    found = next(p for p in merged.problems if p.code == "sheet-id-collision")
    assert found.location == Location("c.xlsx", "表1", parse_a1("A1"))
    assert found.details == {"id": "02", "name": "乙", "number": "01", "other": "甲"}


def test_a_project_of_another_unit_is_not_the_one_that_the_roster_renamed() -> None:
    renamed = merge(FORM, [unnamed("乙", "a.xlsx")], roster("甲"))
    assert (names(renamed), codes(renamed)) == ({"01": "乙"}, ["name-changed"])
    other = merge(FORM, [unnamed("乙", "a.xlsx", unit="二所")], roster("甲"))
    assert (names(other), codes(other), absent(other)) == ({"02": "乙"}, ["sheet-id-collision"], ["01"])


def test_a_number_of_last_year_counts_for_nothing() -> None:
    old = mark("01", "乙", year=2025, portfolio=sheet_ids.portfolio_id(dataclasses.replace(OWN, year=2025)))
    own, foreign = item("甲", sheet_id=mark("01", "甲")), item("乙", file="b.xlsx", sheet_id=old)
    merged = in_any_order([own, foreign], roster("甲"))
    assert (names(merged), codes(merged)) == ({"01": "甲", "02": "乙"}, ["sheet-id-year"])


# --- filled and unfilled ----------------------------------------------------------------------


def test_a_sheet_as_it_was_sent_out_never_beats_a_filled_one() -> None:
    prefilled = item("甲", department="科协", rows=(ROW,))
    sent = sheet_ids.content_digest(Project("01", prefilled.form.values, prefilled.form.tables))
    marked = mark("01", "甲", sent=sent)
    unfilled = item("甲", file="a.xlsx", department="科协", sheet_id=marked, rows=(ROW,))
    # Prefilled values were changed and a row deleted: nothing but the digest tells which of them was filled in.
    filled = item("甲", file="b.xlsx", department="科委", sheet_id=marked)
    merged = in_any_order([unfilled, filled], None)
    assert merged.portfolio.projects[0].values["department"] == "科委"
    assert codes(merged) == ["returned-unfilled"]
    assert merged.problems[0].location.file == "a.xlsx"
    assert [v.file for v in merged.versions["01"]] == ["b.xlsx", "a.xlsx"]


def test_a_sheet_with_the_values_of_the_roster_never_beats_a_filled_one() -> None:
    unfilled = item("甲", file="a.xlsx", sheet_id=mark("01", "甲"), department="科协")
    filled = item("甲", file="b.xlsx", sheet_id=mark("01", "甲"), department="科委")
    sent_out = canonical_project(FORM, "01", {"name": "甲", "unit": "一所", "department": "科协"}, {})
    merged = in_any_order([unfilled, filled], dataclasses.replace(OWN, projects=(sent_out,)))
    assert merged.portfolio.projects[0].values["department"] == "科委"
    assert codes(merged) == ["returned-unfilled"]


def test_a_sheet_that_only_lacks_what_another_has_gives_way_to_it() -> None:
    less = item("甲", file="a.xlsx", sheet_id=mark("01", "甲"))
    more = item("甲", file="b.xlsx", sheet_id=mark("01", "甲"), rows=(ROW,))
    merged = in_any_order([less, more], None)
    assert len(merged.portfolio.projects[0].tables["indicators"]) == 1
    assert codes(merged) == ["returned-contained"]


@pytest.mark.parametrize("kind", ["xlsx", "ods", "xls"])
def test_a_marker_has_the_digest_of_what_a_template_holds(
    kind: str, example: tuple[Form, Portfolio], example_template: Path, office: Office, tmp_path: Path
) -> None:
    """Also after another program has saved it."""
    form, portfolio = example
    path = example_template if kind == "xlsx" else office.convert(example_template, tmp_path, kind)
    (result,) = read_file(Job(path, path.name), Extractor([form]))
    projects = [complete(form, Project("", e.values, e.tables)) for e in result.forms]
    sent = [e.sheet_id.sent for e in result.forms if e.sheet_id is not None]
    assert sent == [sheet_ids.content_digest(project) for project in projects]
    assert len(set(sent)) == len(portfolio.projects)


@pytest.mark.parametrize("filled_name", ["0.xlsx", "z.xlsx"])
@pytest.mark.parametrize("known", [True, False])
def test_workbooks_of_two_offices_and_one_as_it_was_sent(filled_name: str, known: bool, tmp_path: Path) -> None:
    """In one folder, whatever their names: ours as sent, ours filled in, and that of another office."""
    ours = roster("甲", "乙")
    write_templates(FORM, ours, tmp_path / "b.xlsx")
    theirs = dataclasses.replace(roster("丙", unit="二所"), organization="某区科协")
    write_templates(FORM, theirs, tmp_path / "a.xlsx")
    book = openpyxl.load_workbook(tmp_path / "b.xlsx")
    (result,) = read_file(Job(tmp_path / "b.xlsx", "b.xlsx"), Extractor([FORM]))
    for key, value in (("unit", "三所"), ("goal.annual", "举办二十场科普讲座。")):
        book.worksheets[1][str(result.forms[0].cells[Key(key)])].value = value
    book.save(tmp_path / filled_name)
    found = consolidate([tmp_path], [FORM], roster=ours if known else None, workers=0)
    read = {p.id: (p.values["name"], p.values["unit"], p.values["goal.annual"]) for p in found.portfolio.projects}
    assert read == {
        "01": ("甲", "三所", "举办二十场科普讲座。"),
        "02": ("乙", "一所", None),
        "03": ("丙", "二所", None),
    }
    places = {(p.code, p.location.file, p.project) for p in found.problems}
    assert {("sheet-id-portfolio", "a.xlsx", "03"), ("returned-unfilled", "b.xlsx", "01")} <= places


def test_another_version_of_the_form_is_noticed() -> None:
    merged = merge(FORM, [item("甲", sheet_id=mark("01", "甲", version="2025.9"))], None)
    assert codes(merged) == ["sheet-id-version"]
    assert "2025.9" in merged.problems[0].message()


def test_another_form_is_left_out(tmp_path: Path) -> None:
    mini = form_of("mini-form")
    write_templates(FORM, roster("甲", "乙"), tmp_path / "a.xlsx")
    other = Portfolio(mini.id, 2026, "x", (canonical_project(mini, "01", {"title": "Bridge"}, {}),))
    write_templates(mini, other, tmp_path / "b.xlsx")
    result = consolidate([tmp_path], [FORM, mini], workers=0)
    assert result.portfolio.form == FORM.id
    assert [p.id for p in result.portfolio.projects] == ["01", "02"]
    found = next(p for p in result.problems if p.code == "sheet-id-form")
    assert (found.location.file, found.details) == ("b.xlsx", {"other": mini.title})


# --- with a roster, without sheet ids -----------------------------------------------------------


def test_names_are_matched_folded_and_the_match_is_said() -> None:
    merged = merge(FORM, [item("乙 项目："), item("甲")], roster("甲", "乙项目"))
    assert names(merged) == {"01": "甲", "02": "乙 项目："}
    assert codes(merged) == ["matched-by-name"] * 2


def test_equal_names_are_told_apart_by_unit() -> None:
    both = dataclasses.replace(
        OWN,
        projects=(*roster("甲", unit="一所").projects, *roster("甲", unit="二所", ids=("02",)).projects),
    )
    merged = merge(FORM, [item("甲", unit="二所"), item("甲", unit="一所")], both)
    assert [p.values["unit"] for p in merged.portfolio.projects] == ["一所", "二所"]


def test_what_is_not_in_the_roster_gets_a_new_id_and_a_suggestion() -> None:
    merged = merge(FORM, [item("科普活动经费"), item("别的")], roster("科普活动费", "甲", ids=("01", "09")))
    assert names(merged) == {"10": "科普活动经费", "11": "别的"}
    assert codes(merged) == ["not-in-roster", "not-in-roster"]
    assert absent(merged) == ["01", "09"]
    first, second = merged.problems[:2]
    assert "01“科普活动费”" in first.message()
    assert second.details["suggestion"] == ("", "")


def test_a_marker_that_the_roster_does_not_know_counts_for_nothing() -> None:
    merged = merge(FORM, [item("甲", sheet_id=mark("55", "甲"))], roster("甲"))
    assert (names(merged), codes(merged)) == ({"01": "甲"}, ["matched-by-name"])


def test_the_roster_gives_the_order() -> None:
    returned = [item(name, sheet_id=mark(i, name)) for name, i in (("丙", "03"), ("甲", "01"), ("乙", "02"))]
    assert [*names(merge(FORM, returned, roster("乙", "甲", "丙", ids=("02", "01", "03"))))] == ["02", "01", "03"]


def test_new_ids_are_padded_and_leave_taken_ones_alone() -> None:
    assert [*names(merge(FORM, [item(f"{n}") for n in range(3)], None))] == ["01", "02", "03"]
    many = merge(FORM, [item(f"{n}", file=f"{n}.xlsx") for n in range(120)], None)
    assert [p.id for p in many.portfolio.projects] == [f"{n:03}" for n in range(1, 121)]
    taken = [item("甲", sheet_id=mark("A-1", "甲")), item("乙", sheet_id=mark("041", "乙", 2)), item("丙")]
    assert names(merge(FORM, taken, None)) == {"A-1": "甲", "041": "乙", "42": "丙"}


def test_without_anything_to_go_by_a_name_that_comes_twice_is_one_project() -> None:
    merged = merge(FORM, [item("甲"), item("甲", file="b.xlsx"), item(None), item(None, file="b.xlsx")], None)
    assert names(merged) == {"01": "甲", "02": None, "03": None}
    assert codes(merged) == ["matched-by-name", "returned-twice"]


def test_the_year_and_organisation_of_most() -> None:
    years = [item(f"{n}", sheet_id=mark(f"0{n}", f"{n}", n, year=y)) for n, y in ((1, 2025), (2, 2026), (3, 2026))]
    merged = merge(FORM, years, None)
    assert (merged.portfolio.year, merged.portfolio.organization) == (2026, "某市科协")
    assert merge(FORM, [item("甲", department="某局")], None).portfolio.organization == "某局"
    assert merge(FORM, [], None).portfolio == Portfolio(FORM.id, None, None, ())


# --- every code ------------------------------------------------------------------------------


def placeholders(code: str) -> set[str]:
    entry = ENTRIES[code]
    texts = (entry.zh, entry.zh_hint, entry.en, entry.en_hint)
    return {name for text in texts for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def made_with(tree: ast.AST) -> Iterator[tuple[str, set[str]]]:
    """Yield (code, details given) for every call in a function whose first argument is a code."""
    for function in ast.walk(tree):
        if not isinstance(function, ast.FunctionDef):
            continue
        literals = {
            key.value
            for node in ast.walk(function)
            if isinstance(node, ast.Dict)
            for key in node.keys
            if isinstance(key, ast.Constant) and isinstance(key.value, str)
        }
        for call in ast.walk(function):
            if isinstance(call, ast.Call) and call.args and isinstance(call.args[0], ast.Constant):
                if isinstance(call.func, ast.Attribute) and call.func.attr == "take":  # a key of form.yaml
                    continue
                code = call.args[0].value
                if isinstance(code, str) and code in ENTRIES:
                    yield code, literals | {word.arg for word in call.keywords if word.arg is not None}


SOURCES = [*Path(kpixl.__file__).parent.rglob("*.py")]
# canonical._Findings and canonical.loads add the first two; summary the third, when the copy has its name.
# publish.gate adds the last three to each of its problems.
GIVEN_LATER = {"key", "line", "copy", "id", "name", "unit"}


def test_every_code_is_used() -> None:
    words = {
        node.value
        for path in SOURCES
        if path.parent.name != "catalogue"
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    assert set(ENTRIES) <= words


def test_every_problem_is_made_with_the_details_its_texts_need() -> None:
    lacking = []
    for path in SOURCES:
        for code, given in made_with(ast.parse(path.read_text(encoding="utf-8"))):
            if missing := placeholders(code) - given - GIVEN_LATER:
                lacking.append((path.name, code, missing))
    assert lacking == []


@pytest.mark.parametrize("code", ENTRIES)
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_every_code_can_be_shown(code: str, lang: str) -> None:
    details: dict[str, object] = dict.fromkeys(placeholders(code), ("甲", "Alpha"))
    problem = Problem(code, Location("a.xlsx", "表", parse_a1("B3"), "项目名称"), details, rule=ENTRIES[code])
    data = problem.data(lang)
    assert problem.message(lang)
    assert data["code"] == code
    assert data["severity"] in ("error", "warning", "info")
    if placeholders(code):
        shown = f"{data['message']}{data['hint']}"
        assert ("Alpha" in shown, "甲" in shown) == (lang == "en", lang == "zh")
