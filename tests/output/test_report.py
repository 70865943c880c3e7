"""The HTML report of `kpixl check`: what is on it, in which order, and that nothing typed becomes markup."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from kpixl.cli.main import run
from kpixl.collection.model import Collection
from kpixl.collection.review import review
from kpixl.forms.load import parse_form
from kpixl.keys import Key
from kpixl.output.report import MOST_LISTED, render_report
from kpixl.portfolio import canonical
from kpixl.problems import Location, Problem
from tests.output.test_status import ENCRYPTED, HOSTILE, Desk, changed, everything, hostile, wrong
from tests.output.test_status import desk as desk
from tests.pages import assert_fits_a_phone, assert_sound

CONFIG = """\
waivers:
- {project: "01", code: level-missing.cost, reason: 试点单位不设成本指标}
nothing_to_report:
- {unit: 国际部, reason: 由市外办申报}
"""


def reviewed(desk: Desk) -> Collection:
    return review([desk.returned], [desk.form], roster=desk.roster)


def rows(node: Any) -> list[list[str]]:
    return [[" ".join("".join(cell.itertext()).split()) for cell in row] for row in node.iter("tr")]


def texts(page: Any, path: str) -> list[str]:
    return [" ".join("".join(node.itertext()).split()) for node in page.xpath(path)]


@pytest.fixture
def page(desk: Desk) -> Any:
    everything(desk)
    desk.configure(CONFIG)
    return assert_sound(render_report(reviewed(desk)))


def test_the_totals_are_those_of_check(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    everything(desk)
    out = desk.folder / "report.html"
    arguments = ["check", str(desk.returned), "--roster", str(desk.folder / "roster.yaml"), "--json"]
    assert run([*arguments, "--html", str(out)]) == 1
    counts = json.loads(capsys.readouterr().out)["counts"]
    root = assert_sound(out.read_text(encoding="utf-8"))
    totals = dict(zip(texts(root, "//dt"), texts(root, "//dd"), strict=True))
    assert totals == {
        "文件": "5",
        "项目": "4",
        "错误": str(counts["error"]),
        "警告": str(counts["warning"]),
        "提示": str(counts["info"]),
    }
    by_rule = rows(root.xpath("//section[@aria-labelledby='rules']")[0])[1:]
    assert sum(int(row[4]) for row in by_rule) == sum(counts.values())
    assert by_rule[0][0] == "错误"


def test_sections_stand_in_order(page: Any) -> None:
    assert texts(page, "//h2/text()/..") == texts(page, "//h2")
    heads = [" ".join(str(node.text).split()) for node in page.xpath("//h2")]
    assert heads == [
        "目录",
        "未交回的项目",
        "按规则统计",
        "文件及其他问题",
        "办公室",
        "科普部",
        "已豁免的问题及理由",
    ]
    heads = page.xpath("//section[@id='unit-1']//h3")
    parts = [" ".join(head.xpath(".//span[@class='part']/text()")) for head in heads]
    places = [" ".join(text.replace("/ ", "/").split()) for text in parts]
    assert places == [
        "办公室/绩效目标.xlsx › 01 创新服务与发展项目",
        "办公室/绩效目标.xlsx › 02 市科协组织机构管理",
        "另报.xlsx › 99 新增项目",
    ]


def test_a_problem_says_where_what_and_what_to_type(page: Any) -> None:
    (section,) = [s for s in page.xpath("//section[@id='unit-1']/section") if "02 市科协" in "".join(s.itertext())]
    first = rows(section)[1]
    assert first == [
        "错误",
        "E11 年度总体目标",
        "“年度总体目标”中留有占位内容“XX”。",
        "请把“XX”换成实际内容。",
        "placeholder",
    ]


def test_every_problem_is_there_once(desk: Desk) -> None:
    everything(desk)
    desk.configure(CONFIG)
    result = reviewed(desk)
    root = assert_sound(render_report(result))
    shown = [row for table in root.xpath("//table[contains(@class, 'problems')]") for row in rows(table)[1:]]
    expected = [p for p in result.problems if p.code not in ("not-returned", "nothing-to-report")]
    assert sorted((row[4], row[2]) for row in shown) == sorted(
        (p.code, " ".join(p.message().split())) for p in expected
    )


def test_who_is_missing(page: Any) -> None:
    (section,) = page.xpath("//section[@aria-labelledby='missing']")
    assert texts(section, ".//h3") == ["学会部", "无需申报"]
    assert texts(section, ".//li") == [
        "04 离退休人员抚恤金 丧葬费",
        "05 科技人才举荐与服务",
        "项目 06“科技创新智库建设”（国际部）已声明无需申报：由市外办申报",
    ]


def test_what_is_waived_stands_at_the_end_with_its_reason(page: Any) -> None:
    (table,) = page.xpath("//section[@aria-labelledby='waived']//table")
    (row,) = rows(table)[1:]
    assert row[0] == "01 创新服务与发展项目"
    assert row[3:] == ["level-missing.cost", "试点单位不设成本指标"]
    assert page.xpath("//main/section")[-1].get("aria-labelledby") == "waived"


def test_without_a_roster_nobody_is_missing(desk: Desk) -> None:
    desk.send("a.xlsx", ["01"])
    root = assert_sound(render_report(review([desk.returned], [desk.form])))
    assert not root.xpath("//*[@id='missing']")


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_a_portfolio_has_a_report_too(desk: Desk, lang: str) -> None:
    path, out = desk.folder / "2026.yaml", desk.folder / "report.html"
    whole = replace(desk.whole, projects=tuple(wrong(p) if p.id == "02" else p for p in desk.projects))
    path.write_text(canonical.dumps(desk.form, whole), encoding="utf-8")
    assert run(["check", str(path), "--html", str(out), "--lang", lang]) == 1
    root = assert_sound(out.read_text(encoding="utf-8"), lang)
    assert len(root.xpath("//dt")) == 4
    assert "02 市科协组织机构管理" in texts(root, "//h3")


def test_nothing_found(desk: Desk) -> None:
    result = replace(reviewed_of_nothing(desk), problems=())
    root = assert_sound(render_report(result))
    assert "没有发现问题。" in texts(root, "//nav/p")


def reviewed_of_nothing(desk: Desk) -> Collection:
    path = desk.folder / "2026.yaml"
    path.write_text(canonical.dumps(desk.form, desk.whole), encoding="utf-8")
    return review([path], [desk.form])


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_stays_text(desk: Desk, text: str) -> None:
    hostile(desk, text)
    desk.send("a.xlsx", ["01", "02"], changed("goal.annual", text * 2))
    shown = render_report(reviewed(desk))
    root = assert_sound(shown)
    assert "<script" not in shown
    assert "onclick=x>" not in shown
    name = "01 " + " ".join(text.split())
    assert any(name in found for found in texts(root, "//h3"))


def test_hostile_details_and_places(desk: Desk) -> None:
    result = reviewed_of_nothing(desk)
    nasty = "</td><script>x</script>\x0b\x00"
    problem = Problem("stray-text", Location(nasty, nasty, Key(nasty), nasty), {"text": nasty})
    shown = render_report(replace(result, problems=(problem,)))
    root = assert_sound(shown)
    row = rows(root.xpath("//table[contains(@class, 'problems')]")[0])[1]
    assert "</td><script>x</script>\u240b\u2400" in row[2]


def test_a_form_without_units(tmp_path: Path) -> None:
    from kpixl import yaml_text
    from tests.output.test_publish import MADE_UP

    form = parse_form(yaml_text.parse(MADE_UP))
    path = tmp_path / "p.yaml"
    path.write_text("kpixl: 1\nform: made-up\nprojects:\n- {id: a, title: T, sum: five}\n", encoding="utf-8")
    root = assert_sound(render_report(review([path], [form])))
    assert any("value-unread" in row for row in rows(root))


def test_equal_results_give_equal_pages(desk: Desk) -> None:
    everything(desk)
    assert render_report(reviewed(desk)) == render_report(reviewed(desk))


def test_a_long_table_of_contents_lists_units_alone(desk: Desk) -> None:
    result = reviewed_of_nothing(desk)
    many = tuple(Problem("no-sheets", Location(f"{n}.xlsx")) for n in range(MOST_LISTED + 1))
    root = assert_sound(render_report(replace(result, problems=many)))
    assert texts(root, "//nav//a") == ["按规则统计", "文件及其他问题"]
    assert len(root.xpath("//h3")) == MOST_LISTED + 1


@pytest.mark.parametrize("name", ["a.xlsx", "kpixl.yaml", "../roster.yaml"])
@pytest.mark.parametrize("option", ["--html", "--sarif"])
def test_no_input_is_ever_written_over(desk: Desk, name: str, option: str, capsys: pytest.CaptureFixture[str]) -> None:
    desk.send("a.xlsx", ["01"])
    desk.configure(CONFIG)
    path = desk.returned / name
    before = path.read_bytes()
    roster = str(desk.folder / "roster.yaml")
    assert run(["check", str(desk.returned), "--roster", roster, option, str(path)]) == 3
    assert "output-is-input" in capsys.readouterr().err
    assert path.read_bytes() == before


def test_the_portfolio_is_not_written_over(desk: Desk) -> None:
    reviewed_of_nothing(desk)
    path = desk.folder / "2026.yaml"
    before = path.read_bytes()
    assert run(["check", str(path), "--html", str(path)]) == 3
    assert path.read_bytes() == before


def test_a_report_among_submissions_is_passed_over(desk: Desk) -> None:
    desk.send("a.xlsx", ["01"])
    out = desk.returned / "检查结果.html"
    arguments = ["check", str(desk.returned), "--html", str(out), "--sarif", str(desk.returned / "x.sarif")]
    assert run(arguments) == 0
    first = out.read_text(encoding="utf-8")
    assert "no-form" not in first
    assert run(arguments) == 0
    assert "no-form" not in out.read_text(encoding="utf-8")


@pytest.mark.application
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_report_fits_a_phone(desk: Desk, lang: str, tmp_path: Path) -> None:
    everything(desk)
    desk.configure(CONFIG)
    desk.put(f"{'很长的文件名' * 6}{'x' * 40}.xlsx", ENCRYPTED.read_bytes())
    assert_fits_a_phone(render_report(reviewed(desk), lang=lang), tmp_path)
