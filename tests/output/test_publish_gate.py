"""The gate before a publication: what has not passed is named, and nothing is written; a draft is marked as one."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

import kpixl
from kpixl.cli.main import run
from kpixl.collection.consolidate import consolidate, write_consolidated
from kpixl.collection.sources import sources_path
from kpixl.forms.load import load_form, load_forms
from kpixl.output.publish import Published, publish
from kpixl.output.template import build_template
from kpixl.portfolio import canonical
from kpixl.portfolio.model import Portfolio

FORMS = list(load_forms().values())
HEAD = "kpixl: 1\nform: shanghai-target\nyear: 2026\norganization: 某市科协\nprojects:\n"
ONE = """\
- id: "{id}"
  name: 项目{id}
  nature: 其他一次性项目
  category: 特定目标类
  department: 某市科协
  unit: 第一中心
  start: 2026-01-01
  end: 2026-12-31
  funding: {{annual: {{amount: {amount}, appropriation: 600000, carryover: 0, other: 0}}}}
  goal: {{annual: 全年举办学术讲座一百场，服务五千人次，带动区域科普工作取得新的进展。}}
  indicators:
  - {{level1: 产出指标, level2: 数量指标, name: 讲座场次, operator: ≥, value: 100, unit: 场}}
"""
BLANK = '- {id: "03", name: 项目03, unit: 第一中心, category: 特定目标类}\n'


def project(number: str, amount: object = 600000) -> str:
    return ONE.format(id=number, amount=amount)


def roster(*ids: str) -> Portfolio:
    listed = "{{id: '{i}', name: 项目{i}, unit: 第一中心, category: 特定目标类}}"
    text = HEAD + "".join(f"- {listed.format(i=i)}\n" for i in ids)
    return canonical.loads(text, load_form)[1]


Publish = Callable[..., Published]


@pytest.fixture
def published(tmp_path: Path) -> Publish:
    """Publish a portfolio of these projects as tmp_path/out.html."""

    def run(*projects: str, out: str = "out.html", **options: object) -> Published:
        path = tmp_path / "2026.yaml"
        path.write_text(HEAD + "".join(projects), encoding="utf-8")
        return publish(path, tmp_path / out, FORMS, today=date(2026, 11, 25), **options)  # type: ignore[arg-type]

    return run


def found(result: Published) -> list[tuple[str, str | None]]:
    """Return code and project of every error."""
    return [(p.code, p.project) for p in result.problems if p.severity == "error"]


def test_what_passes_is_written(published: Publish, tmp_path: Path) -> None:
    result = published(project("01"), roster=roster("01"))
    assert found(result) == []
    assert [path.name for path, _ in result.written] == ["out.html"]
    assert "编报绩效目标的项目1个，涉及项目预算资金60.00万元。" in (tmp_path / "out.html").read_text(encoding="utf-8")


def test_an_error_of_the_checks_is_named_and_nothing_is_written(published: Publish, tmp_path: Path) -> None:
    result = published(project("01"), project("02", amount=700000))
    assert found(result) == [("sum-mismatch", "02"), ("publish-refused", None)]
    (place,) = (p.location for p in result.problems if p.code == "sum-mismatch")
    assert place.sheet == "02 项目02" and place.field == "年度资金申请总额"
    assert result.problems[-1].details == {"errors": 1, "conflicts": 0, "blank": 0, "missing": 0}
    assert result.written == () and not (tmp_path / "out.html").exists()


def test_a_file_of_before_stays_where_the_gate_refuses(published: Publish, tmp_path: Path) -> None:
    published(project("01"))
    before = (tmp_path / "out.html").read_bytes()
    assert published(project("01", amount=1)).written == ()
    assert (tmp_path / "out.html").read_bytes() == before


def test_a_waiver_in_the_configuration_opens_the_gate(published: Publish, tmp_path: Path) -> None:
    assert found(published(project("02", amount=700000))) != []
    text = 'waivers:\n- {project: "02", code: sum-mismatch, reason: 预算系统中即如此}\n'
    (tmp_path / "kpixl.yaml").write_text(text, encoding="utf-8")
    assert found(published(project("02", amount=700000))) == []


@pytest.mark.parametrize("known", [True, False])
def test_a_blank_project_is_refused_once(known: bool, published: Publish) -> None:
    listed = HEAD + project("01").split("\n")[0] + f"\n  name: 项目01\n{BLANK}"
    given = canonical.loads(listed, load_form)[1] if known else None
    result = published(project("01"), BLANK, roster=given)
    assert found(result) == [("publish-blank", "03"), ("publish-refused", None)]
    # What is missing from a blank form follows from its being blank.
    assert {p.code for p in result.problems if p.project == "03"} == {"publish-blank"}


def test_a_project_of_the_roster_that_is_missing_is_refused(published: Publish) -> None:
    result = published(project("01"), roster=roster("01", "04"))
    assert found(result) == [("publish-missing", "04"), ("publish-refused", None)]
    (missing,) = (p for p in result.problems if p.code == "publish-missing")
    assert "04" in missing.message() and "项目04" in missing.message() and "第一中心" in missing.message()


def test_a_project_with_nothing_to_report_is_not_missing(published: Publish, tmp_path: Path) -> None:
    text = 'nothing_to_report:\n- {project: "04", reason: 项目取消}\n'
    (tmp_path / "kpixl.yaml").write_text(text, encoding="utf-8")
    assert found(published(project("01"), roster=roster("01", "04"))) == []


def test_versions_that_differ_are_a_conflict_until_somebody_decides(tmp_path: Path) -> None:
    form, portfolio = canonical.loads(HEAD + project("01"), load_form)
    folder = tmp_path / "returned"
    folder.mkdir()
    (folder / "a.xlsx").write_bytes(build_template(form, portfolio))
    other = canonical.loads(HEAD + project("01").replace("一百场", "两百场"), load_form)[1]
    (folder / "b.xlsx").write_bytes(build_template(form, other))
    path = tmp_path / "2026.yaml"
    write_consolidated(consolidate([folder], [form], workers=0), path, today=date(2026, 11, 25))
    out = tmp_path / "out.html"
    result = publish(path, out, FORMS, today=date(2026, 11, 25))
    assert found(result) == [("publish-conflict", "01"), ("publish-refused", None)]
    (conflict,) = (p for p in result.problems if p.code == "publish-conflict")
    assert "一百场" in conflict.message() and "两百场" in conflict.message()
    # Whoever edits the portfolio has decided.
    path.write_text(path.read_text(encoding="utf-8").replace("一百场", "两百场"), encoding="utf-8")
    assert found(publish(path, out, FORMS, today=date(2026, 11, 25))) == []


@pytest.mark.parametrize("content", ["[]", "{}", '{"portfolio": 1}', '{"portfolio": "DIGEST", "projects": {"01": 5}}'])
def test_a_damaged_sources_file_is_no_conflict(content: str, published: Publish, tmp_path: Path) -> None:
    text = HEAD + project("01")
    digest = hashlib.sha256(text.encode()).hexdigest()
    sources_path(tmp_path / "2026.yaml").write_text(content.replace("DIGEST", digest), encoding="utf-8")
    assert found(published(project("01"))) == []


@pytest.mark.parametrize("ending", ["html", "docx", "pdf", "md"])
def test_a_draft_is_written_all_the_same_and_marked(ending: str, published: Publish, tmp_path: Path) -> None:
    if ending == "pdf":
        pytest.importorskip("typst")
    result = published(project("01"), BLANK, out=f"out.{ending}", draft=True, roster=roster("01", "03", "04"))
    assert [code for code, _ in found(result)] == ["publish-blank", "publish-missing"]
    content = (tmp_path / f"out.{ending}").read_bytes()
    if ending in ("html", "md"):
        text = content.decode()
        assert text.count("草稿 DRAFT") >= 2 and "项目1个，涉及项目预算资金60.00万元" in text
        assert "项目03" not in text  # what is blank is not published and not counted


def test_nothing_at_all_is_never_published(published: Publish) -> None:
    result = published(BLANK, draft=True)
    assert result.written == () and found(result)[-1] == ("publish-refused", None)


def test_the_command_exits_with_1_and_writes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, out = tmp_path / "2026.yaml", tmp_path / "out.docx"
    path.write_text(HEAD + project("02", amount=700000), encoding="utf-8")
    assert run(["publish", str(path), "-o", str(out)]) == 1
    assert not out.exists() and "publish-refused" in capsys.readouterr().err
    assert run(["publish", str(path), "-o", str(out), "--draft"]) == 1
    assert out.exists()


def test_the_api_has_the_same_gate(tmp_path: Path) -> None:
    form, portfolio = canonical.loads(HEAD + project("02", amount=700000), load_form)
    written, problems = kpixl.publish(tmp_path / "out.md", form, portfolio)
    assert written == [] and [p.code for p in problems][-1] == "publish-refused"
    written, _ = kpixl.publish(tmp_path / "out.md", form, portfolio, draft=True)
    assert [path.name for path, _ in written] == ["out.md"]


def test_sources_name_conflicts_only_where_there_are_any(example: tuple[kpixl.Form, Portfolio], tmp_path: Path) -> None:
    form, portfolio = example
    (tmp_path / "a.xlsx").write_bytes(build_template(form, portfolio))
    path = tmp_path / "2026.yaml"
    write_consolidated(consolidate([tmp_path / "a.xlsx"], [form], workers=0), path, today=date(2026, 11, 25))
    data = json.loads(sources_path(path).read_text(encoding="utf-8"))
    assert not any("conflicts" in entry for entry in data["projects"].values())
