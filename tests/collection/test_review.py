"""`kpixl check` as people use it: configuration, waivers, outputs, exit codes; and the published data of 2026."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from kpixl.checks.configuration import Config, find_config, loads_config, matches
from kpixl.checks.engine import check, find
from kpixl.checks.registry import checks_of
from kpixl.checks.rules.relevance import goal_similar
from kpixl.cli.main import run
from kpixl.collection.model import Collection
from kpixl.collection.review import review
from kpixl.forms.definition import Form
from kpixl.forms.load import load_form
from kpixl.output.sarif import sarif_data
from kpixl.output.template import build_template
from kpixl.portfolio import canonical
from kpixl.portfolio.model import Portfolio
from kpixl.problems import KpixlError, Problem, Severity
from tests.checks.test_rules import portfolio_of
from tests.seeded.seed import seed

ROOT = Path(__file__).resolve().parents[2]
PUBLISHED = ROOT.parent / "shared" / "data" / "sast-2026-published.txt"
FORM = "shanghai-target"

# What a reviewer flags in the 13 published forms (design/DOMAIN.md section 4): the code, and the forms that have it.
FLAGS: list[tuple[str, str, list[int]]] = [
    ("no cost indicator", "level-missing.cost", list(range(1, 14))),
    ("no satisfaction indicator", "level-missing.satisfaction", [4, 7]),
    ("≥100.00(%) for a rate", "rate-at-least-100", [12]),
    ("byte-identical goals", "goal-identical", [6, 13]),
    ("another year named in the goal", "year-other", [10]),
    ("a goal cut off mid-sentence", "goal-truncated", [9]),
    ("a sentence repeated in a goal", "sentence-repeated", [1]),
    ("a goal too short to be one", "goal-too-short", [4, 8]),
    ("。;", "punctuation-doubled", [2]),
    ("leaked <p> tags", "tags-left", [7, 10, 11]),
    ("numbers promised that no indicator measures", "goal-number-unmeasured", [7, 9, 12, 13]),
    ("a rate under 数量指标", "rate-as-quantity", [4, 5]),
    ("数量 in the name of a 质量 indicator", "quantity-as-quality", [13]),
    ("every benefit indicator qualitative", "benefit-qualitative", list(range(1, 14))),
    ("比去年提升 with no baseline", "comparison-no-baseline", [1, 5, 6, 7, 9, 10, 11, 13, 13]),
    ("a value that only repeats its name", "value-tautology", [2, 12]),
    ("a vague value", "value-vague", [3, 4, 8]),
    ("a completion date spelled four ways", "date-spellings", [2]),
    ("a name with a blank in it", "name-blank", [4]),
]


@pytest.fixture(scope="module")
def published() -> Collection:
    if not PUBLISHED.exists():
        pytest.skip("the published data is not here")
    return review([PUBLISHED], [load_form(FORM)])


def found_by_rules(result: Collection) -> list[Problem]:
    """List what a rule found, not what was noticed while reading."""
    codes = {check.code for check in result.checks}
    return [problem for problem in result.problems if problem.code in codes]


@pytest.mark.parametrize(("flag", "code", "forms"), FLAGS, ids=[flag for flag, _, _ in FLAGS])
def test_published_flags_are_found(published: Collection, flag: str, code: str, forms: list[int]) -> None:
    found = [int(p.project or 0) for p in published.problems if p.code == code]
    assert sorted(found) == forms, flag


def test_nothing_else_is_flagged_in_the_published_data(published: Collection) -> None:
    codes = {p.code for p in found_by_rules(published)}
    assert codes == {code for _, code, _ in FLAGS}
    assert not [p for p in published.problems if p.severity is Severity.ERROR]


def test_published_findings_name_their_cell(published: Collection) -> None:
    for problem in found_by_rules(published):
        assert problem.project is not None
        assert problem.location.file == PUBLISHED.name
        assert problem.location.address, problem


def test_the_promises_are_the_ones_a_reviewer_names(published: Collection) -> None:
    found = {p.details["found"] for p in published.problems if p.code == "goal-number-unmeasured"}
    assert found == {"25场", "人数2000", "2次", "6-8篇"}
    spelled = next(p for p in published.problems if p.code == "date-spellings")
    assert spelled.details["count"] == 4


def test_the_page_on_the_published_data_counts_what_is_found(published: Collection) -> None:
    page = (ROOT / "docs" / "check-2026.md").read_text(encoding="utf-8")
    counts: dict[str, int] = {}
    for problem in found_by_rules(published):
        counts[problem.code] = counts.get(problem.code, 0) + 1
    told = {code: int(number) for code, number in re.findall(r"^\| `([\w.-]+)` \| (\d+) \|", page, re.MULTILINE)}
    assert told == counts


# --- what follows from another problem ----------------------------------------------------------


@pytest.mark.parametrize(
    ("case", "expected"),
    [
        ({"values": {"funding.annual.appropriation": "五十万", "funding.annual.amount": 600000}}, ["value-unread"]),
        ({"rows": {1: {"value": None, "unit": None, "operator": None}}}, ["required-blank"]),
        ({"rows": {n: {"level2": "数目指标"} for n in (1, 2)}}, ["choice-unlisted", "choice-unlisted"]),
        ({"values": {"end": "年底"}}, ["value-unread"]),
        ({"values": {"goal.annual": "XX"}}, ["placeholder"]),
        ({"values": {"goal.annual": None}}, ["required-blank"]),
    ],
)
def test_what_follows_is_not_repeated(case: dict[str, Any], expected: list[str]) -> None:
    form = load_form(FORM)
    found = find(form, portfolio_of(form, case), checks_of(form))
    assert [f.code for f in found] == expected


def test_consolidate_applies_the_basic_rules_alone() -> None:
    form = load_form(FORM)
    portfolio = portfolio_of(form, {"values": {"category": None, "goal.annual": "XX"}})
    (problem,) = check(form, portfolio)
    assert problem.code == "required-blank"
    assert problem.location.field == "项目类别"


# --- the configuration --------------------------------------------------------------------------


def config(text: str) -> Config:
    return loads_config(text, "kpixl.yaml", ["level-missing.cost"])


def test_a_configuration_says_what_is_wanted() -> None:
    office = config(
        "select: [completeness, goal]\nignore: [level-missing.cost]\nseverity: {goal: info, goal-too-short: error}"
    )
    assert office.wants("level-missing.time", "completeness")
    assert not office.wants("level-missing.cost", "completeness")
    assert office.wants("goal-identical", "relevance")
    assert not office.wants("rate-over-100", "measurability")
    assert office.wants("password", ""), "what could not be read is not chosen among rules"
    assert office.severity_of("goal-identical", "relevance") is Severity.INFO
    assert office.severity_of("goal-too-short", "completeness") is Severity.ERROR
    assert office.severity_of("rate-over-100", "measurability") is None


def test_a_prefix_ends_where_a_word_ends() -> None:
    assert matches("goal", "goal-too-short", "completeness")
    assert matches("level-missing", "level-missing.cost", "cost-output")
    assert not matches("go", "goal-too-short", "completeness")


WRONG = [
    ("selct: [goal]", "key-unknown", 1, "select"),
    ("select: [goal]\nignore: [gaol-too-short]", "config-code-unknown", 2, "goal-too-short"),
    ("severity:\n  goal-too-short: fatal", "value-wrong", 2, "error, warning, info"),
    ("select: goal", "value-wrong", 1, "list"),
    ("- goal", "value-wrong", 1, "mapping"),
    ('waivers:\n- {project: "07", code: level-missing}', "waiver-no-reason", 2, "reason"),
    ('waivers:\n- {project: "07", code: level-missing, reason: " "}', "waiver-no-reason", 2, "reason"),
    ("waivers:\n- project: 7\n  code: level-missing\n  reason: 公众", "value-wrong", 2, '"7"'),
    ('waivers:\n- {project: "07", reason: 公众}', "key-missing", 2, "code"),
    ('waivers:\n- {project: "07", code: level-missing, reason: 公众, cel: B3}', "key-unknown", 2, "cell"),
    ("select: [goal]\nselect: [level]", "key-duplicate", 2, ""),
]


@pytest.mark.parametrize(("text", "code", "line", "hint"), WRONG)
def test_a_wrong_configuration_is_refused_with_line_and_remedy(text: str, code: str, line: int, hint: str) -> None:
    with pytest.raises(KpixlError) as refused:
        config(text)
    problem = next(p for p in refused.value.problems if p.code == code)
    assert problem.details["line"] == line
    assert hint in problem.message("en") + problem.hint("en")
    assert problem.location.file == "kpixl.yaml"


def test_all_that_is_wrong_is_said_at_once() -> None:
    with pytest.raises(KpixlError) as refused:
        config('selct: [x]\nignore: [nothing-such]\nwaivers:\n- {project: "07", code: level-missing}')
    assert [p.details["line"] for p in refused.value.problems] == [1, 2, 4]


def test_an_id_without_quotation_marks_is_not_said_to_be_missing_too() -> None:
    with pytest.raises(KpixlError) as refused:
        config("waivers:\n- {project: 7, code: level-missing, reason: 公众}")
    assert [p.code for p in refused.value.problems] == ["value-wrong"]


def test_the_configuration_is_found_beside_the_data(tmp_path: Path) -> None:
    (tmp_path / "returned").mkdir()
    (tmp_path / "kpixl.yaml").write_text("select: [goal]", encoding="utf-8")
    assert find_config([tmp_path / "returned"]) == tmp_path / "kpixl.yaml"
    assert find_config([tmp_path / "2026.yaml"]) == tmp_path / "kpixl.yaml"
    (tmp_path / "returned" / "kpixl.yaml").write_text("", encoding="utf-8")
    assert find_config([tmp_path / "returned"]) == tmp_path / "returned" / "kpixl.yaml"


# --- the command --------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path: Path, example: tuple[Form, Portfolio]) -> Path:
    """Return a folder with a portfolio of three projects and the workbook that was returned for it."""
    form, portfolio = example
    three = replace(portfolio, projects=portfolio.projects[:3])
    (tmp_path / "2026.yaml").write_text(canonical.dumps(form, three), encoding="utf-8")
    (tmp_path / "returned").mkdir()
    (tmp_path / "returned" / "返回 1.xlsx").write_bytes(build_template(form, three))
    return tmp_path


def reported(capsys: pytest.CaptureFixture[str], *arguments: object) -> dict[str, Any]:
    run(["check", *map(str, arguments), "--json"])
    data: dict[str, Any] = json.loads(capsys.readouterr().out)
    return data


def test_submissions_and_portfolio_give_the_same_findings(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ours, theirs = reported(capsys, folder / "2026.yaml"), reported(capsys, folder / "returned")
    key = ("code", "severity", "message", "hint", "category", "project")
    pairs = [[[p[k] for k in key] for p in data["problems"] if p["project"]] for data in (ours, theirs)]
    assert pairs[0] == pairs[1]
    assert all(p["file"] and p["sheet"] and p["cell"] for p in theirs["problems"] if p["project"])


def test_exit_codes(folder: Path) -> None:
    assert run(["check", str(folder / "2026.yaml")]) == 0
    assert run(["check", str(folder / "2026.yaml"), "--strict"]) == 1
    assert run(["check", str(folder / "missing")]) == 3
    assert run(["check"]) == 2
    (folder / "kpixl.yaml").write_text("severity: {level-missing.cost: error}", encoding="utf-8")
    assert run(["check", str(folder / "2026.yaml")]) == 1
    (folder / "kpixl.yaml").write_text("selct: []", encoding="utf-8")
    assert run(["check", str(folder / "2026.yaml")]) == 3


def test_select_ignore_and_severity(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "kpixl.yaml").write_text("select: [level-missing]\nseverity: {cost-output: info}", encoding="utf-8")
    found = reported(capsys, folder / "returned")["problems"]
    assert {(p["code"], p["severity"]) for p in found} == {("level-missing.cost", "info")}
    (folder / "kpixl.yaml").write_text(
        "ignore: [completeness, compliance, measurability, relevance, cost-output]", "utf-8"
    )
    assert reported(capsys, folder / "returned")["problems"] == []


def test_waivers(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = """waivers:
- {project: "01", code: level-missing.cost, reason: 试点单位不设成本指标}
- {project: "02", code: level-missing, field: 绩效指标, reason: 同上}
- {project: "03", code: level-missing, cell: Z99, reason: 没有这个单元格}
- {project: "66", code: level-missing, reason: 没有这个项目}
"""
    (folder / "kpixl.yaml").write_text(text, encoding="utf-8")
    data = reported(capsys, folder / "2026.yaml")
    missing = [p["project"] for p in data["problems"] if p["code"] == "level-missing.cost"]
    assert missing == ["03"]
    assert [(w["project"], w["reason"]) for w in data["waived"]] == [("01", "试点单位不设成本指标"), ("02", "同上")]
    unused = [p["message"] for p in data["problems"] if p["code"] == "waiver-unused"]
    assert len(unused) == 2
    assert "第 4 行" in unused[0]
    assert "第 5 行" in unused[1]


def seeded(folder: Path, cells: dict[str, object]) -> Path:
    """Return a folder with one file, beside which kpixl.yaml may stand."""
    (folder / "returned").mkdir()
    seed({"cells": cells}, folder / "returned")
    return folder / "returned"


WAIVED = [  # how a waiver may say what it means: each lets just one finding of the seeded project be
    "code: sum-mismatch",
    "code: sum",
    "code: compliance",
    "code: sum-mismatch, cell: F6",
    "code: sum-mismatch, cell: f6",
    "code: sum-mismatch, field: funding.annual.amount",
    "code: sum-mismatch, field: 年度资金申请总额",
]


@pytest.mark.parametrize("waiver", WAIVED)
def test_what_a_waiver_may_say(waiver: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    returned = seeded(tmp_path, {"F6": 610000})
    assert run(["check", str(returned)]) == 1
    capsys.readouterr()
    (tmp_path / "kpixl.yaml").write_text(f'waivers:\n- {{project: "01", {waiver}, reason: 尾差已说明}}\n', "utf-8")
    data = reported(capsys, returned)
    assert [w["code"] for w in data["waived"]] == ["sum-mismatch"]
    assert data["problems"] == []
    assert run(["check", str(returned)]) == 0


@pytest.mark.parametrize(
    "waiver",
    [
        'project: "02", code: sum-mismatch',
        'project: "01", code: sum-mismatch, cell: F7',
        'project: "01", code: sum-mismatch, field: 主管部门',
        'project: "01", code: measurability',
    ],
)
def test_a_waiver_that_means_something_else_is_reported(
    waiver: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    returned = seeded(tmp_path, {"F6": 610000})
    (tmp_path / "kpixl.yaml").write_text(f"waivers:\n- {{{waiver}, reason: 尾差已说明}}\n", "utf-8")
    data = reported(capsys, returned)
    assert {p["code"] for p in data["problems"]} == {"waiver-unused", "sum-mismatch"}
    assert data["waived"] == []


CHOSEN = [  # what kpixl.yaml says -> what is left of a sum that does not add up and an amount typed as 50万
    ("", {"sum-mismatch": "error", "value-normalised": "info"}),
    ("select: [sum-mismatch]", {"sum-mismatch": "error", "value-normalised": "info"}),
    ("select: [goal]", {"value-normalised": "info"}),
    ("ignore: [sum-mismatch]", {"value-normalised": "info"}),
    ("ignore: [sum, value-normalised]", {}),
    ("ignore: [compliance]", {"value-normalised": "info"}),
    ("select: [compliance]\nignore: [sum]", {"value-normalised": "info"}),
    ("severity: {compliance: info}", {"sum-mismatch": "info", "value-normalised": "info"}),
    ("severity: {compliance: info, sum: warning}", {"sum-mismatch": "warning", "value-normalised": "info"}),
    ("severity: {value-normalised: warning}", {"sum-mismatch": "error", "value-normalised": "warning"}),
]


@pytest.mark.parametrize(("text", "left"), CHOSEN)
def test_what_an_office_chooses(
    text: str, left: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    returned = seeded(tmp_path, {"F6": 610000, "F7": "50万"})
    (tmp_path / "kpixl.yaml").write_text(text, "utf-8")
    assert {p["code"]: p["severity"] for p in reported(capsys, returned)["problems"]} == left
    assert run(["check", str(returned)]) == int("error" in left.values())


def test_a_waiver_of_a_rule_that_is_ignored_is_not_called_unused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    returned = seeded(tmp_path, {"F6": 610000})
    text = 'ignore: [sum]\nwaivers:\n- {project: "01", code: sum-mismatch, reason: 尾差已说明}\n'
    (tmp_path / "kpixl.yaml").write_text(text, "utf-8")
    assert reported(capsys, returned)["problems"] == []


def test_a_waiver_of_a_project_that_was_not_looked_at_is_let_be(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = 'waivers:\n- {project: "66", code: level-missing, reason: 另一批}\n'
    (folder / "kpixl.yaml").write_text(text, encoding="utf-8")
    codes = [p["code"] for p in reported(capsys, folder / "returned")["problems"]]
    assert "waiver-unused" not in codes


def test_problems_are_grouped_errors_first(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "kpixl.yaml").write_text("severity: {benefit-qualitative: error}", encoding="utf-8")
    run(["check", str(folder / "returned"), "--lang", "en"])
    lines = capsys.readouterr().err.splitlines()
    headings = [line for line in lines if not line.startswith(" ")]
    assert len(headings) == len(set(headings)) == 3
    first = next(n for n, line in enumerate(lines) if line.startswith(" "))
    assert lines[first].strip().startswith("error")


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_sarif(folder: Path, lang: str) -> None:
    text = 'waivers:\n- {project: "01", code: level-missing, reason: 试点}\n'
    (folder / "kpixl.yaml").write_text(text, encoding="utf-8")
    log = sarif_data(review([folder / "returned"], [load_form(FORM)]), lang)
    (only,) = log["runs"]
    rules = only["tool"]["driver"]["rules"]
    assert log["version"] == "2.1.0"
    assert len({rule["id"] for rule in rules}) == len(rules)
    for result in only["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["level"] in ("error", "warning", "note")
        assert result["message"]["text"]
    place = only["results"][0]["locations"][0]
    uri = place["physicalLocation"]["artifactLocation"]["uri"]
    assert uri == "%E8%BF%94%E5%9B%9E%201.xlsx"
    assert re.fullmatch(r".+![A-Z]+\d+", place["logicalLocations"][0]["fullyQualifiedName"])
    assert [r["suppressions"][0]["justification"] for r in only["results"] if "suppressions" in r] == ["试点"]


def test_sarif_is_written_and_refused_before_the_work(folder: Path) -> None:
    out = folder / "out.sarif"
    assert run(["check", str(folder / "2026.yaml"), "--sarif", str(out)]) == 0
    assert json.loads(out.read_text(encoding="utf-8"))["version"] == "2.1.0"
    assert run(["check", str(folder / "2026.yaml"), "--sarif", str(folder / "no" / "out.sarif")]) == 3


def test_the_rules_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["rules"]) == 0
    assert "`level-missing.cost`" in capsys.readouterr().out


# --- alike among many ---------------------------------------------------------------------------


def test_few_pairs_are_compared_however_alike_the_texts_are() -> None:
    texts = [f"第{n}单位组织开展科普讲座，服务社区居民，提升科学素质，营造良好氛围。" for n in range(2000)]
    pairs = list(goal_similar._candidates(texts))
    assert len(pairs) <= len(texts) * goal_similar.MAX_COMPARED // 2
    assert {number for pair in pairs for number in pair} == set(range(len(texts)))


def test_a_message_names_a_few_of_many() -> None:
    form = load_form(FORM)
    portfolio = portfolio_of(form, *[{}] * 10)
    found = [f for f in find(form, portfolio, checks_of(form)) if f.code == "goal-identical"]
    assert len(found) == 10
    message = Problem(found[0].code, details=found[0].details, rule=found[0].rule)
    assert "等 9 个项目" in message.message("zh")
    assert "and 6 more" in message.message("en")
