"""The laws of design section 6, for every form: text and portfolio, template and consolidation, order, purity."""

from __future__ import annotations

import copy
import hashlib
import itertools
import json
import random
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from pathlib import Path

import openpyxl
import pytest
import yaml
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from openpyxl.cell.cell import MergedCell

from kpixl import yaml_text
from kpixl.a1 import Span
from kpixl.checks.engine import check
from kpixl.collection.consolidate import consolidate, sources_text
from kpixl.collection.model import Collection
from kpixl.forms.definition import Form
from kpixl.forms.values import Raw, is_blank, text_of
from kpixl.output.template import build_template, write_templates
from kpixl.portfolio import canonical
from kpixl.portfolio.model import Portfolio, Project
from kpixl.problems import KpixlError, Problem
from kpixl.readers import Grid, read_grids
from kpixl.recognise.extract import Extractor
from tests.strategies import FORM_IDS, HOSTILE_TEXTS, LONG_TEXTS, MARKER_LIKE, canonical_project, form_of, portfolios

usual = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
# Where an example takes a workbook, shrinking one would take minutes: the difference shown says enough.
workbooks = settings(usual, phases=[Phase.explicit, Phase.reuse, Phase.generate], database=None)


any_portfolio = st.sampled_from(FORM_IDS).flatmap(lambda form_id: portfolios(form_of(form_id)))


@contextmanager
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


def returned(*paths: Path) -> Collection:
    return consolidate(paths, [form_of(i) for i in FORM_IDS], workers=0)


def facts(problems: tuple[Problem, ...]) -> list[tuple[str, str]]:
    return sorted((p.code, repr(sorted(p.details.items()))) for p in problems)


def assert_same(form: Form, expected: Portfolio, result: Collection) -> None:
    """Compare to the byte of the YAML; of problems, only what `check` itself says of the portfolio."""
    assert canonical.dumps(form, result.portfolio) == canonical.dumps(form, expected)
    assert facts(result.problems) == facts(check(form, expected))


# --- law 1: text and portfolio ----------------------------------------------------------------


@given(any_portfolio)
@settings(usual, max_examples=120)
def test_loads_is_the_inverse_of_dumps(portfolio: Portfolio) -> None:
    form = form_of(portfolio.form)
    text = canonical.dumps(form, portfolio)
    read = canonical.loads(text, form_of)[1]
    assert read == portfolio
    assert canonical.dumps(form, read) == text


@given(any_portfolio)
@settings(usual, max_examples=60)
def test_both_yaml_parsers_read_the_same(portfolio: Portfolio) -> None:
    text = canonical.dumps(form_of(portfolio.form), portfolio)
    assert yaml.safe_load(text) == yaml_text.parse(text)


@given(
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\ufffe\uffff"), max_size=200), st.booleans()
)
@settings(usual, max_examples=300)
def test_any_text_survives_as_a_scalar(text: str, long: bool) -> None:
    text = text + "长" * yaml_text.BLOCK_FROM if long else text
    document = f"- key: {yaml_text.scalar(text, '    ')}\n- after: 1\n"
    expected = [{"key": text}, {"after": 1}]
    assert yaml_text.parse(document) == expected
    assert yaml.safe_load(document) == expected


# --- law 2: template and consolidation --------------------------------------------------------


@given(any_portfolio.filter(lambda p: p.projects))
@settings(workbooks, max_examples=25)
def test_a_template_gives_its_portfolio_back(portfolio: Portfolio) -> None:
    form = form_of(portfolio.form)
    with folder() as place:
        write_templates(form, portfolio, place / "t.xlsx")
        result = returned(place / "t.xlsx")
    assert_same(form, portfolio, result)


@given(any_portfolio.filter(lambda p: len(p.projects) > 1), st.booleans())
@settings(workbooks, max_examples=8)
def test_split_templates_give_their_portfolio_back_in_order(portfolio: Portfolio, by_name: bool) -> None:
    form = form_of(portfolio.form)
    by = form.key_fields[0] if by_name else form.key_fields[1]
    with folder() as place:
        written, kept = write_templates(form, portfolio, place / "out", by=by)
        assert len(written) == len({text_of(p.values[by]) for p in portfolio.projects}) and kept == ()
        result = returned(place / "out")
    assert_same(form, portfolio, result)


def test_many_projects_keep_their_order() -> None:
    form = form_of("mini-form")
    numbers = [*range(1, 41)]
    random.Random(7).shuffle(numbers)
    made = (
        canonical_project(form, str(n), {"title": f"Works {n % 3}", "owner": f"Owner {n % 5}"}, {}) for n in numbers
    )
    portfolio = Portfolio(form.id, 2031, "Borough", tuple(made))
    with folder() as place:
        write_templates(form, portfolio, place / "out", by="owner")
        assert len([*(place / "out").glob("*.xlsx")]) == 5
        assert_same(form, portfolio, returned(place / "out"))


# --- law 3: same in, same out; order does not matter ------------------------------------------


@given(any_portfolio.filter(lambda p: p.projects))
@settings(workbooks, max_examples=4)
def test_building_twice_gives_equal_bytes(portfolio: Portfolio) -> None:
    form = form_of(portfolio.form)
    assert build_template(form, portfolio) == build_template(form, copy.deepcopy(portfolio))


def test_the_order_of_arguments_and_files_does_not_matter(tmp_path: Path) -> None:
    form = form_of("mini-form")
    rows = [{"stage": "Plan", "step": None, "what": "Walls", "due": None, "cost": "much"}]
    made = tuple(
        canonical_project(
            form,
            f"{n:02}",
            {"title": f"Works {n}", "owner": f"Owner {n % 3}", "closing": "one version"},
            {"milestones": rows},
        )
        for n in range(1, 7)
    )
    portfolio = Portfolio(form.id, 2031, "Borough", made)
    write_templates(form, portfolio, tmp_path / "a", by="owner")
    # Each of the two was sent out with other values, so that nobody knows what was sent: they contradict each other.
    changed = Project("02", {**made[1].values, "closing": "another version"}, made[1].tables)
    other = Portfolio(form.id, 2031, "Borough", (changed, made[4]))
    write_templates(form, other, tmp_path / "b.xlsx")
    paths = [*sorted((tmp_path / "a").iterdir()), tmp_path / "b.xlsx", tmp_path / "a", tmp_path]
    (tmp_path / "a" / "~$lock.xlsx").write_bytes(b"")
    outcomes = set()
    for seed in range(6):
        random.Random(seed).shuffle(paths)
        result = consolidate(paths, [form], workers=0)
        problems = [(p.code, str(p.location), repr(p.details)) for p in result.problems]
        outcomes.add((canonical.dumps(form, result.portfolio), sources_text(result), repr(problems)))
    assert len(outcomes) == 1
    assert "'conflict'" in next(iter(outcomes))[2]


# --- law 4: what is put in between changes no value --------------------------------------------

PLAIN = {
    "shanghai-target": """\
kpixl: 1
form: shanghai-target
year: 2026
projects:
- id: "07"
  name: 创新服务
  nature: 阶段性项目
  category: 特定目标类
  department: 市科协
  unit: 服务中心
  start: "2026-01-01"
  end: "2026-12-31"
  funding: {total: {fiscal: 7, other: 8}, annual: {appropriation: 5, carryover: 0, other: 1.5}}
  goal: {overall: 三年目标。, annual: 办好活动。}
  indicators:
  - {level1: 产出指标, level2: 数量指标, name: 参与人数, operator: ≥, value: 100, unit: 人}
  - {level1: 产出指标, level2: 时效指标, name: 完成时间, operator: 定性, value: 年底前}
  - {level1: 效益指标, level2: 社会效益指标, name: 氛围, value: 有提升}
""",
    "mini-form": """\
kpixl: 1
form: mini-form
year: 2031
projects:
- id: "07"
  title: Bridge
  owner: Roads
  kind: new
  begun: "2031-02-03"
  budget: {own: 5, grant: 7.25}
  story: A bridge.
  reserve: 9
  closing: None so far.
  signed: {by: J. Smith, day: "2030-01-01"}
  milestones:
  - {stage: Build, step: Walls, what: Piers, due: "2031-05-05", cost: 3}
  - {stage: Build, step: Roof, what: Deck}
  risks:
  - {risk: Ice, chance: low}
""",
    "sichuan-target": """\
kpixl: 1
form: sichuan-target
year: 2026
projects:
- id: "07"
  unit: 县文化馆
  name: 文化下乡
  amount: 300000
  goal: 组织演出。
  indicators:
  - {level1: 产出指标, level2: 数量指标, name: 演出场次, nature: ≥, value: 12, unit: 场, weight: 60}
  - {level1: 产出指标, level2: 时效指标, name: 完成时间, nature: 定性, value: 年底前, weight: 20}
  - {level1: 效益指标, level2: 社会效益指标, name: 氛围, value: 有提升, weight: 20}
""",
    "central-target": """\
kpixl: 1
form: central-target
year: 2026
projects:
- id: "07"
  name: 档案修复
  department: "[105]某部"
  unit: 某馆
  nature: 延续项目
  period: 2025年-2027年
  funding: {midterm: {fiscal: 120.5, carryover: 0, other: 8}, annual: {fiscal: 40, carryover: 3.25, other: 1.5}}
  goal: {midterm: 修复全部馆藏。, annual: 修复 800 卷。}
  midterm_indicators:
  - {level1: 产出指标, level2: 数量指标, name: 修复卷数, operator: ≥, value: 2400, unit: 卷}
  - {level1: 满意度指标, level2: 服务对象满意度指标, name: 读者满意度, operator: ≥, value: 90, unit: "%"}
  annual_indicators:
  - {level1: 产出指标, level2: 数量指标, name: 修复卷数, operator: ≥, value: 800, unit: 卷}
  - {level1: 产出指标, level2: 时效指标, name: 完成时间, operator: 定性, value: 年底前}
  - {level1: 效益指标, level2: 社会效益指标, name: 查阅人次, value: 有提升}
""",
    "central-monitoring": """\
kpixl: 1
form: central-monitoring
year: 2026
projects:
- id: "07"
  name: 档案修复
  department: "[105]某部"
  unit: 某馆
  funding:
    fiscal: {initial: 318.6, executed: 190, expected: 318.6}
    carryover: {initial: 21.4, executed: 21.4, expected: 21.4}
    other: {initial: 10, executed: 0, expected: 6}
  goal: 修复 800 卷。
  indicators:
  - {level1: 产出指标, level2: 数量指标, name: 卷数, target: ≥3200卷, reached: 1704卷, expected: 3200卷, certain: √}
  - {level1: 产出指标, level2: 时效指标, name: 完成时间, target: 2026年11月底前, reached: 进行中, expected: 2026年12月,
     staff: 修复师不足, reason: 已招聘, possible: √, remark: 见附件}
  - {level1: 产出指标, level2: 时效指标, name: 上线, target: 11月底, reached: 无,
     expected: 12月, others: 其他, impossible: ✔}
""",
    "dated-form": """\
kpixl: 1
form: dated-form
year: 2022
projects:
- id: "07"
  name: 宣传
  department: 某局
  unit: 某中心
  funding:
    total: {weight: 10}
    fiscal: {budget: 20, executed: 19}
    own: {budget: 5, executed: 5}
  goal: 办好宣传。
  indicators:
  - {level1: 产出指标, level2: 数量指标, name: 场次, nature: ≥, value: 12, measure: 次, actual: 12次,
     points: 40, score: 40}
  - {level1: 产出指标, level2: 质量指标, name: 合格率, nature: ≥, value: 95, measure: "%", actual: 96%,
     points: 50, score: 50}
  - {level1: 效益指标, level2: 社会效益指标, name: 影响, nature: 定性, value: 提升, actual: 提升,
     points: 10, score: 9, reason: 无}
  conclusion: 优
  measures: 继续
""",
    "types-form": """\
kpixl: 1
form: types-form
year: 2026
projects:
- id: "07"
  subject: 换发证书
  office: "[105]某处"
  term: 2026年1月-2026年6月
  share: 86.18
  open: 是
  exact: "100.00"
  cost: 1.5
  steps:
  - {what: 受理, by: "[2001]某科", within: 3个月, weight: 40, done: 否, shown: "0.50"}
  - {what: 办结, weight: 60}
""",
    "shanghai-self-evaluation": """\
kpixl: 1
form: shanghai-self-evaluation
year: 2026
projects:
- id: "07"
  name: 创新服务
  department: 市科协
  unit: 服务中心
  funding:
    total: {points: 10}
    appropriation: {initial: 5, budget: 6, executed: 4.5}
    carryover: {initial: 0, budget: 0, executed: 0}
    other: {initial: 1.5, budget: 2, executed: 1}
  goal: {expected: 办好活动。, reached: 办成活动。}
  indicators:
  - {level1: 产出指标, level2: 数量指标, name: 参与人数, target: ≥100.00(人), actual: 102人, points: 45, score: 45}
  - {level1: 产出指标, level2: 时效指标, name: 时间, target: 年底前, actual: 延, points: 45, score: 40.5, reason: 验收}
""",
    "central-self-evaluation": """\
kpixl: 1
form: central-self-evaluation
year: 2026
projects:
- id: "07"
  name: 创新服务
  department: "[105]某部"
  unit: 服务中心
  funding:
    total: {points: 10}
    appropriation: {initial: 5, budget: 6, executed: 4.5}
    carryover: {initial: 0, budget: 0, executed: 0}
    other: {initial: 1.5, budget: 2, executed: 1}
  goal: {expected: 办好活动。, reached: 办成活动。}
  indicators:
  - {level1: 产出指标, level2: 数量指标, name: 参与人数, target: ≥100.00(人), actual: 102人, points: 45, score: 45}
  - {level1: 产出指标, level2: 时效指标, name: 时间, target: 年底前, actual: 延, points: 45, score: 40.5, reason: 验收}
""",
}


@pytest.mark.parametrize("marked", [True, False])
@pytest.mark.parametrize("form_id", FORM_IDS)
def test_a_blank_row_or_column_anywhere_changes_no_value(form_id: str, marked: bool) -> None:
    form, portfolio = canonical.loads(PLAIN[form_id], form_of)
    (project,) = portfolio.projects
    grid = read_grids(build_template(form, portfolio), "t.xlsx").grids[1]
    width = len(form.entry_layout.widths)
    rows = grid.rows if marked else [row[:width] for row in grid.rows]
    spans = grid.merges()
    lost = []
    for at in range(len(rows) + 1):
        merges = [Span(*(v + (at <= v) * (i % 2 == 0) for i, v in enumerate(span))) for span in spans]
        lost += _lost(form, project, [*rows[:at], [""] * len(rows[0]), *rows[at:]], merges, marked, f"row {at}")
    inside = {h.col + n for t in form.layout.tables for h in t.entry for n in range(1, h.columns)}
    for at in range(len(rows[0]) + 1):
        if at not in inside:  # between the cells of a target: the sheet is protected against that
            merges = [Span(*(v + (at <= v) * (i % 2) for i, v in enumerate(span))) for span in spans]
            lost += _lost(form, project, [[*r[:at], "", *r[at:]] for r in rows], merges, marked, f"column {at}")
    assert lost == []


def _lost(
    form: Form, project: Project, rows: list[list[Raw]], merges: list[Span], marked: bool, where: str
) -> list[str]:
    found = Extractor([form]).extract(Grid("t", rows, merges=lambda: merges), "t.xlsx")
    assert isinstance(found, list), where
    (read,) = found
    lost = [f"{where}: {key}" for key, value in project.values.items() if read.values[key] != value]
    for table, expected in project.tables.items():
        lost += [f"{where}: {table}"] if read.tables[table] != expected else []
    if marked and (read.sheet_id is None or read.sheet_id.project != "07"):
        lost.append(f"{where}: marker")
    return lost + [f"{where}: {p.code} {p.location.address}" for p in read.problems]


# --- law 5: nothing is changed in passing -----------------------------------------------------


@given(any_portfolio.filter(lambda p: p.projects))
@settings(workbooks, max_examples=4)
def test_nothing_mutates_its_arguments(portfolio: Portfolio) -> None:
    form = form_of(portfolio.form)
    before, form_before = copy.deepcopy(portfolio), copy.deepcopy(form)
    with folder() as place:
        canonical.dumps(form, portfolio)
        write_templates(form, portfolio, place / "t.xlsx")
        (place / "t.txt").write_text("just\ttext\n")
        files = {p: (hashlib.sha256(p.read_bytes()).digest(), p.stat().st_mtime_ns) for p in place.iterdir()}
        paths = [place / "t.xlsx", place / "t.txt"]
        consolidate(paths, [form], roster=portfolio, workers=0)
        check(form, portfolio)
        assert paths == [place / "t.xlsx", place / "t.txt"]
        assert files == {p: (hashlib.sha256(p.read_bytes()).digest(), p.stat().st_mtime_ns) for p in place.iterdir()}
    assert portfolio == before
    assert form == form_before


# --- law 6: hostile text ----------------------------------------------------------------------


def hostile_portfolio(form: Form, texts: tuple[str, ...]) -> Portfolio:
    """Put each text into the name of a project, and all of them into every field and column in turn."""
    made = []
    columns = {key: [*table.columns] for key, table in form.tables.items()}
    for number in range(0, len(texts), 4):
        turn = itertools.cycle(texts[number:] + texts[:number])
        raw = {key: next(turn) for key in form.fields}
        drawn = {key: [{c: next(turn) for c in names} for _ in range(3)] for key, names in columns.items()}
        made.append(canonical_project(form, f"{number:03}", raw, drawn))
    return Portfolio(form.id, 2026, "某市科协", tuple(made))


@pytest.mark.parametrize("form_id", FORM_IDS)
def test_hostile_text_survives(form_id: str, tmp_path: Path) -> None:
    form = form_of(form_id)
    portfolio = hostile_portfolio(form, tuple(t for t in HOSTILE_TEXTS if not is_blank(t)))
    assert HOSTILE_TEXTS[0] in portfolio.projects[0].values.values()
    first = next(iter(form.tables))
    held = {v for p in portfolio.projects for row in (p.values, *p.tables[first]) for v in row.values()}
    assert set(HOSTILE_TEXTS) - held <= {"\r", "\x85next"} | {t for t in HOSTILE_TEXTS if is_blank(t)}
    assert canonical.loads(canonical.dumps(form, portfolio), form_of)[1] == portfolio
    write_templates(form, portfolio, tmp_path / "t.xlsx")
    assert_same(form, portfolio, returned(tmp_path / "t.xlsx"))


@pytest.mark.parametrize("text", LONG_TEXTS, ids=lambda t: f"{t[:3]!a}-{len(t)}")
def test_the_longest_text_survives(text: str, tmp_path: Path) -> None:
    form = form_of("shanghai-target")
    project = canonical_project(form, "01", {"name": "长文", "goal.annual": text}, {})
    portfolio = Portfolio(form.id, 2026, None, (project,))
    assert project.values["goal.annual"] == text
    assert canonical.loads(canonical.dumps(form, portfolio), form_of)[1] == portfolio
    write_templates(form, portfolio, tmp_path / "t.xlsx")
    assert_same(form, portfolio, returned(tmp_path / "t.xlsx"))


def test_long_names_fit_the_marker(tmp_path: Path) -> None:
    form = form_of("mini-form")
    project = canonical_project(form, "编" * 300, {"title": "T" * 5_000, "owner": "O" * 300}, {})
    portfolio = Portfolio(form.id, 2031, "长" * 5_000, (project,))
    write_templates(form, portfolio, tmp_path / "out", by="owner")
    assert_same(form, portfolio, returned(tmp_path / "out"))


@pytest.mark.parametrize(
    ("escape", "code"),
    [(r"\ud800", "U+D800"), (r"\udfff", "U+DFFF"), (r"\ufffe", "U+FFFE"), (r"\uffff", "U+FFFF")],
)
def test_what_excel_cannot_store_is_refused_with_line_and_key(escape: str, code: str) -> None:
    text = f'kpixl: 1\nform: mini-form\nprojects:\n- id: "01"\n  title: "a{escape}b"\n'
    with pytest.raises(KpixlError) as refused:
        canonical.loads(text, form_of, "p.yaml")
    problem = refused.value.problems[0]
    assert problem.details.get("line") == 5, refused.value
    if problem.code == "text-refused":
        assert (problem.details["key"], problem.details["found"]) == ("title", code)
    else:  # a YAML parser may itself refuse to decode a surrogate
        assert (problem.code, escape.startswith(r"\ud")) == ("yaml-syntax", True)


@pytest.mark.parametrize("form_id", FORM_IDS)
def test_a_marker_typed_as_a_value_is_a_value(form_id: str, tmp_path: Path) -> None:
    """Also where our own sheet id was deleted: a sheet id is only what stands beside a form."""
    form = form_of(form_id)
    text = MARKER_LIKE.replace("shanghai-target", form_id)
    raw = dict.fromkeys([k for k, f in form.fields.items() if f.type == "text"], text)
    portfolio = Portfolio(form.id, 2026, "某市科协", (canonical_project(form, "01", raw, {}),))
    path = tmp_path / "t.xlsx"
    write_templates(form, portfolio, path)
    assert_same(form, portfolio, returned(path))
    book = openpyxl.load_workbook(path)
    sheet = book.worksheets[1]
    width = len(form.entry_layout.widths)
    for row in sheet.iter_rows(min_col=width + 1):
        for cell in row:
            if not isinstance(cell, MergedCell):
                cell.value = None
    sheet.cell(20, width + 4, "◆ a remark beside the form")
    sheet.cell(1, 1).value = "something else"
    book.save(path)
    result = returned(path)
    assert [p.values for p in result.portfolio.projects] == [p.values for p in portfolio.projects]
    assert [p.id for p in result.portfolio.projects] == ["01"]
    assert not any(p.code.startswith("marker") for p in result.problems)


# --- law 7, in part: where a value came from --------------------------------------------------


@given(any_portfolio.filter(lambda p: p.projects))
@settings(workbooks, max_examples=6)
def test_the_sources_name_the_cell_of_every_value(portfolio: Portfolio) -> None:
    form = form_of(portfolio.form)
    with folder() as place:
        path = place / "t.xlsx"
        write_templates(form, portfolio, path)
        result = returned(path)
        book = openpyxl.load_workbook(path, data_only=True)
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
    data = json.loads(sources_text(result))["projects"]
    for project in portfolio.projects:
        source = data[project.id]
        assert (source["file"], source["sha256"]) == ("t.xlsx", digest)
        sheet = book[source["sheet"]]
        printed = {key for key, field in form.fields.items() if field.printed}
        expected = {key: value for key, value in project.values.items() if value is not None and key in printed}
        for table, rows in project.tables.items():
            for number, row in enumerate(rows):
                expected |= {f"{table}.{number}.{key}": value for key, value in row.items() if value is not None}
        for key, value in expected.items():
            assert_shows(sheet[source["cells"][key]].value, value, key)
        assert printed <= set(source["cells"]), "a blank value has a place as well"


def assert_shows(found: object, value: object, key: str) -> None:
    """Compare what openpyxl reads with the value; it does not undo Excel's escapes, so texts with one are skipped."""
    if isinstance(value, str):
        if "_x" not in value and not any(c < " " or c == "\x7f" for c in value):
            assert str(found) == value, key
    elif isinstance(value, date):
        assert str(found)[:10] == value.isoformat(), key
    else:
        assert isinstance(value, Decimal)
        assert abs(Decimal(str(found).removesuffix("%")) - value) <= abs(value) * Decimal("1e-14"), key


def test_labels_typed_into_a_table_are_no_second_form() -> None:
    form = form_of("mini-form")
    labels = [field.label for field in form.fields.values() if field.label]
    columns = list(form.tables["milestones"].columns)
    rows = tuple(
        {**dict.fromkeys(columns), columns[number % 3]: label, columns[3]: date(2031, 1, 1)}
        for number, label in enumerate(labels)
    )
    project = canonical_project(form, "1", {"title": "Works"}, {"milestones": rows})
    portfolio = Portfolio(form.id, 2031, "Borough", (project,))
    with folder() as place:
        write_templates(form, portfolio, place / "t.xlsx")
        assert_same(form, portfolio, returned(place / "t.xlsx"))
