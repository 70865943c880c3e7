"""Forms that nobody has defined are learnt: every part is found, and law 1 holds on the result."""

from __future__ import annotations

import io
import tempfile
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from kpixl import yaml_text
from kpixl.cli.main import run
from kpixl.collection.consolidate import consolidate
from kpixl.forms.load import DEFINITION, load_form, parse_form
from kpixl.learn import learn
from kpixl.learn.lint import examine
from kpixl.learn.roundtrip import round_trip
from kpixl.output.template import write_templates
from kpixl.portfolio import canonical
from kpixl.problems import KpixlError
from tests.applications import Office
from tests.learn.drawn import cases, draw
from tests.learn.measure import blank_template, learnt, measure, measure_template
from tests.strategies import FORM_IDS, HOSTILE_TEXTS, form_of, portfolios

CASES = {case["name"]: case for case in cases()}


def test_there_are_enough_forms() -> None:
    assert len(CASES) >= 20


@pytest.mark.parametrize("name", CASES)
def test_every_part_is_found_and_law_1_holds(name: str) -> None:
    drawn = draw(CASES[name])
    learned = learnt(drawn)
    measured = measure(drawn, learned)
    assert (measured.wrong, measured.missed) == ([], [])
    problems = round_trip(parse_form(yaml_text.parse(learned.text)))
    # What only a changed sheet shows is a warning: two tables that read alike, a constant beside a value.
    assert {problem.code for problem in problems} <= {"definition-label-weak"}


# Wrong and missed, each for a reason: nothing in a sheet shows that a text is kept as its cell displays it; a grid
# becomes a table, which the definition has not; a year in a label is taken for a part of it.
KNOWN = {
    "types-form": (2, 0), "shanghai-self-evaluation": (12, 0), "central-self-evaluation": (12, 0),
    "central-monitoring": (8, 0), "dated-form": (11, 1),
}  # fmt: skip


@pytest.mark.parametrize("form_id", FORM_IDS)
def test_the_blank_template_of_a_definition_is_learnt(form_id: str) -> None:
    measured, learned = measure_template(form_of(form_id))
    assert (len(measured.wrong), len(measured.missed)) == KNOWN.get(form_id, (0, 0)), measured
    assert learned.proposal.title == form_of(form_id).printed_title
    problems = round_trip(parse_form(yaml_text.parse(learned.text)))
    assert {problem.code for problem in problems} <= {"definition-label-weak"}


def test_what_a_template_holds_comes_back() -> None:
    """Lists, trees, sums, presets and required values of the flagship form."""
    form = form_of("shanghai-target")
    learned = parse_form(yaml_text.parse(learn(blank_template(form), "t.xlsx", "my-form").text))
    assert learned.subtitle == form.subtitle
    assert learned.choices["nature"].items.keys() == form.choices["nature"].items.keys()
    assert learned.choices["level2"].children == form.choices["level2"].children
    assert learned.choices["level3"].children == form.choices["level3"].children
    assert learned.fields["amount_2"].sum == ("appropriation_2", "previous_balance", "other_funds_2")
    assert [field.required for field in learned.fields.values()].count(True) == sum(
        field.required or any(key in other.sum[:1] for other in form.fields.values() if other.required)
        for key, field in form.fields.items()
        if not field.sum
    )
    levels = [{key: preset[key] for key in ("level1", "level2")} for preset in form.tables["indicators"].presets]
    assert [{k: v for k, v in p.items() if v} for p in learned.tables["indicators"].presets] == levels


@pytest.mark.parametrize("name", ["protected target of a district with lists", "Shanghai self-evaluation, filled"])
def test_drawn_portfolios_come_back(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    form_id = f"learnt-{len(name)}"
    (tmp_path / form_id).mkdir()
    text = learn(draw(CASES[name]).content, "f.xlsx", form_id).text
    (tmp_path / form_id / DEFINITION).write_text(text, encoding="utf-8")
    monkeypatch.setenv("KPIXL_FORMS", str(tmp_path))
    form = load_form(form_id)

    @given(portfolios(form).filter(lambda p: p.projects))
    @settings(
        deadline=None, max_examples=4, database=None, phases=[Phase.generate], suppress_health_check=[*HealthCheck]
    )
    def law(portfolio: Any) -> None:
        with tempfile.TemporaryDirectory() as folder:
            write_templates(form, portfolio, Path(folder, "t.xlsx"))
            result = consolidate([Path(folder, "t.xlsx")], [form], workers=0)
        assert canonical.dumps(form, result.portfolio) == canonical.dumps(form, portfolio)

    law()


@pytest.mark.parametrize("kind", ["ods", "xls"])
def test_other_kinds_of_files_are_learnt(kind: str, office: Office, tmp_path: Path) -> None:
    drawn = draw(CASES["city target with funds by year as a grid, and a budget of items"])
    (tmp_path / "form.xlsx").write_bytes(drawn.content)
    content = office.convert(tmp_path / "form.xlsx", tmp_path / "out", kind).read_bytes()
    measured = measure(drawn, learn(content, f"form.{kind}", "my-form"))
    assert (measured.wrong, measured.missed) == ([], [])


# --- whatever comes -----------------------------------------------------------------------------

texts = st.one_of(
    st.just(""),
    st.just(""),
    st.sampled_from(HOSTILE_TEXTS),
    st.sampled_from(["项目名称", "一级指标", "二级指标", "指标值", "资金（万元）", "资金（元）", "备注：", "合计"]),
    st.sampled_from(["1.", "是□ 否□", "填报人：  审核人：", "（2026年度）", "单位：万元", "绩效目标表"]),
    st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff"), max_size=30),
)


@example(rows=[["=1+1", "=1+1", "=100%", "=1+1"], [""], [""]], merges=[], framed=True)
@example(rows=[["", "1."], ["=1+1", "=1+1", "=100%"], [""], [""]], merges=[], framed=True)
@example(rows=[["\x7f", ""]], merges=[], framed=True)
@example(rows=[["", "", ""], ["", "{{ year }}"]], merges=[], framed=True)
@example(rows=[["", "=1+1", "=1+1"], ["=1+1"], ["=1+1"]], merges=[], framed=False)
@given(
    st.lists(st.lists(texts, min_size=1, max_size=6), min_size=1, max_size=8),
    st.lists(st.tuples(*[st.integers(1, 8)] * 4), max_size=5),
    st.booleans(),
)
@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow])
def test_any_sheet_gives_a_definition_that_loads_or_is_refused(
    rows: list[list[str]], merges: list[tuple[int, int, int, int]], framed: bool
) -> None:
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    side = openpyxl.styles.Side(style="thin")
    for r, row in enumerate(rows, 1):
        for c, text in enumerate(row, 1):
            cell = sheet.cell(r, c)
            cell.value = openpyxl.cell.cell.ILLEGAL_CHARACTERS_RE.sub("", text) or None
            cell.data_type = "s"
            if framed:
                cell.border = openpyxl.styles.Border(left=side, right=side, top=side, bottom=side)
    for top, left, height, width in merges:
        sheet.merge_cells(start_row=top, start_column=left, end_row=top + height - 1, end_column=left + width - 1)
    out = io.BytesIO()
    book.save(out)
    try:
        learned = learn(out.getvalue(), "f.xlsx", "my-form")
    except KpixlError as error:
        assert {problem.code for problem in error.problems} <= {"nothing-to-learn", "no-sheets"}
    else:
        parse_form(yaml_text.parse(learned.text))


# --- the commands -------------------------------------------------------------------------------


@pytest.fixture
def blank(tmp_path: Path) -> Path:
    path = tmp_path / "blank.xlsx"
    path.write_bytes(draw(CASES["protected target of a district with lists"]).content)
    return path


def test_learn_then_test(blank: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "my-form"
    assert run(["forms", "learn", str(blank), "-o", str(folder)]) == 0
    text = (folder / DEFINITION).read_text(encoding="utf-8")
    assert "# A4 “项目名称” → B4:D4" in text
    assert run(["forms", "test", str(folder)]) == 0
    assert run(["--forms-dir", str(tmp_path), "forms"]) == 0
    assert "my-form\t1" in capfd.readouterr().out
    before = text
    assert run(["forms", "learn", str(blank), "-o", str(folder)]) == 3
    assert (folder / DEFINITION).read_text(encoding="utf-8") == before


def test_learn_names_sheets(blank: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["forms", "learn", str(blank), "-o", str(tmp_path / "a"), "--sheet", "Form"]) == 3
    assert "sheet-unknown" in capfd.readouterr().err
    empty = openpyxl.Workbook()
    empty.worksheets[0]["A1"] = "只有一行字"
    empty.save(tmp_path / "empty.xlsx")
    assert run(["forms", "learn", str(tmp_path / "empty.xlsx"), "-o", str(tmp_path / "b")]) == 3
    assert "nothing-to-learn" in capfd.readouterr().err
    assert not (tmp_path / "b").exists()


WRONG = {
    "definition-column-unplaced": ("{column: weight}]\n\nchoices", "{column: value}]\n\nchoices"),
    "definition-label-ambiguous": ("label: 立项依据", "label: 立项依据, synonyms: [项目名称]"),
    "definition-label-long": ("label: 立项依据", f"label: {'立项依据' * 20}"),
    "definition-list-unused": ("\nchoices:", "\nchoices:\n  spare: {items: [甲, 乙]}"),
    "definition-column-narrow": ("widths: [13, ", "widths: [2, "),
    "definition-help-missing": ("kpixl-form: 1", "kpixl-form: 1"),
    "definition-none-required": ("required: true, ", ""),
    "key-duplicate": ("kpixl-form: 1", "kpixl-form: 1\nmoney: 元"),
    "form-invalid": ("label: 立项依据", "lable: 立项依据"),
}


@pytest.mark.parametrize("code", WRONG)
def test_what_is_wrong_with_a_definition_is_named(code: str, blank: Path, tmp_path: Path) -> None:
    folder = tmp_path / "my-form"
    text = learn(blank.read_bytes(), "blank.xlsx", "my-form").text
    before, after = WRONG[code]
    if before not in text:  # all widths are the usual ones
        before, after = "widths: [9, ", "widths: [2, "
    assert before in text
    folder.mkdir()
    (folder / DEFINITION).write_text(text.replace(before, after), encoding="utf-8")
    form, problems = examine(folder)
    assert code in [problem.code for problem in problems]
    assert (form is None) == (code == "form-invalid")
    if form is None:
        (problem,) = problems
        assert f"第 {text[: text.index(before)].count(chr(10)) + 1} 行" in problem.message("zh")


def test_the_exit_code_of_test(blank: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "my-form"
    assert run(["forms", "learn", str(blank), "-o", str(folder)]) == 0
    path = folder / DEFINITION
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("required: true, ", ""), encoding="utf-8")
    assert run(["forms", "test", str(folder)]) == 0
    assert run(["forms", "test", str(folder), "--strict", "--json"]) == 1
    assert '"definition-none-required"' in capfd.readouterr().out
    path.write_text(text.replace("type: money", "type: colour"), encoding="utf-8")
    assert run(["forms", "test", str(folder)]) == 1
    assert run(["forms", "test", str(tmp_path / "none")]) == 3
    assert run(["forms", "test"]) == 2


def test_rules_need_to_know_the_columns(tmp_path: Path) -> None:
    text = learn(draw(CASES["Shanghai target as published, filled"]).content, "f.xlsx", "my-form").text
    assert "checks:\n  rows: {indicators: " in text
    (tmp_path / "my-form").mkdir()
    for written, expected in ((text, False), (text.partition("\nchecks:")[0] + "\n", True)):
        (tmp_path / "my-form" / DEFINITION).write_text(written, encoding="utf-8")
        assert ("definition-no-rows-map" in [p.code for p in examine(tmp_path / "my-form")[1]]) == expected
