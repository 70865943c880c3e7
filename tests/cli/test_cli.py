"""The command line on bad input: each mistake gets its message, its hint and its exit code, in both languages."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import xlsxwriter

from kpixl import __version__
from kpixl.checks.registry import ENTRIES
from kpixl.cli.console import MAX_LISTED_FILES, MAX_LISTED_PROBLEMS
from kpixl.cli.main import run
from kpixl.forms.definition import Form
from kpixl.forms.load import load_form
from kpixl.output.template import build_template
from kpixl.portfolio import canonical
from kpixl.portfolio.model import Portfolio
from kpixl.problems import Problem
from tests.conftest import EXAMPLE

ENCRYPTED = Path(__file__).parents[1] / "cases" / "files" / "password.xlsx"  # an empty workbook, saved with a password
CLEAN, PROBLEMS, USAGE, CANNOT_GO_ON = 0, 1, 2, 3


class Ran(NamedTuple):
    """What a command line gave."""

    code: int
    out: str
    err: str


Kpixl = Callable[..., Ran]


@pytest.fixture
def kpixl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Kpixl:
    """Return a function that runs a command line in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def call(*arguments: str | Path) -> Ran:
        code = run([str(a) for a in arguments])
        captured = capsys.readouterr()
        assert "Traceback" not in captured.err
        return Ran(code, captured.out, captured.err)

    return call


@pytest.fixture(scope="module")
def workbooks(example: tuple[Form, Portfolio]) -> dict[str, bytes]:
    """Return two good submissions, of one project each."""
    form, portfolio = example
    one, two, *_ = (replace(portfolio, projects=(p,)) for p in portfolio.projects)
    parts = {"one.xlsx": one, "two.xlsx": two}
    return {name: build_template(form, part, whole=portfolio) for name, part in parts.items()}


@pytest.fixture
def returned(tmp_path: Path, workbooks: Mapping[str, bytes]) -> Path:
    """Return a folder with the two good submissions."""
    folder = tmp_path / "returned"
    folder.mkdir()
    for name, content in workbooks.items():
        (folder / name).write_bytes(content)
    return folder


def message(code: str, lang: str = "zh", **details: object) -> str:
    """Return what is printed of a problem, in one line."""
    problem = Problem(code, details=details)
    assert problem.message(lang)
    return problem.text(lang)


def said(ran: Ran, text: str) -> bool:
    """Tell whether `text` was printed, wherever the lines were wrapped."""
    return "".join(text.split()) in "".join(ran.err.split())


def digests(folder: Path) -> dict[str, tuple[str, int]]:
    """Map every file below a folder to its content and its time."""
    return {
        path.relative_to(folder).as_posix(): (hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_mtime_ns)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def unrelated(path: Path) -> None:
    """Write a workbook that holds no form."""
    book = xlsxwriter.Workbook(str(path))
    sheet = book.add_worksheet("食堂")
    for row in range(20):
        sheet.write(row, 0, f"菜品{row}")
        sheet.write(row, 1, row)
    book.close()


# --- files that cannot be read ----------------------------------------------------------------


def _nothing(path: Path) -> None:
    path.write_bytes(b"")


def _picture(path: Path) -> None:
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 20)


def _truncated(path: Path) -> None:
    path.write_bytes(path.with_name("one.xlsx").read_bytes()[:4000])


def _zip(path: Path) -> None:
    path.write_bytes(b"PK\x05\x06" + bytes(18))


BAD_FILES: dict[str, tuple[Callable[[Path], object], str]] = {
    "a picture": (_picture, "other-kind"),
    "cut off": (_truncated, "not-a-workbook"),
    "nothing in it": (_nothing, "file-empty"),
    "an empty archive": (_zip, "no-sheets"),
    "a password": (lambda path: shutil.copy(ENCRYPTED, path), "password"),
    "another table": (unrelated, "no-form"),
    "another text": (lambda path: path.write_text("会议通知\n明天下午两点\n", encoding="utf-8"), "no-form"),
}


@pytest.mark.parametrize("kind", BAD_FILES)
def test_a_bad_file_costs_only_itself(kind: str, kpixl: Kpixl, returned: Path, tmp_path: Path) -> None:
    make, code = BAD_FILES[kind]
    make(returned / "bad.xlsx")
    before = digests(returned)
    ran = kpixl("consolidate", returned, "-o", "out.yaml", "--json")
    assert ran.code == PROBLEMS
    report = json.loads(ran.out)
    (problem,) = report["problems"]
    assert (problem["file"], problem["code"], problem["severity"]) == ("bad.xlsx", code, "error")
    assert problem["message"]
    assert problem["hint"]
    assert report["projects"] == 2
    assert report["written"] == ["out.yaml", "out.sources.json", "out.xlsx"]
    _, portfolio = canonical.load(tmp_path / "out.yaml", load_form)
    assert [p.id for p in portfolio.projects] == ["01", "02"]
    assert digests(returned) == before


@pytest.mark.parametrize("kind", BAD_FILES)
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_nothing_is_written_when_no_project_was_read(kind: str, lang: str, kpixl: Kpixl, tmp_path: Path) -> None:
    make, code = BAD_FILES[kind]
    folder = tmp_path / "in"
    folder.mkdir()
    if kind == "cut off":
        (folder / "bad.xlsx").write_bytes(b"PK\x03\x04" + bytes(500))
    else:
        make(folder / "bad.xlsx")
    ran = kpixl("consolidate", folder, "-o", "out.yaml", "--lang", lang)
    assert ran.code == PROBLEMS
    assert ran.out == ""
    assert f" {code}\n" in ran.err
    assert said(ran, message("no-projects", lang))
    assert said(ran, ENTRIES[code].message(lang).split("{")[0])
    assert sorted(p.name for p in tmp_path.iterdir()) == ["in"]


def test_a_password_is_told_with_the_way_out(kpixl: Kpixl) -> None:
    ran = kpixl("consolidate", ENCRYPTED, "-o", "out.yaml")
    assert ran.code == PROBLEMS
    assert said(ran, message("password"))


# --- paths ------------------------------------------------------------------------------------


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize(
    ("arguments", "code", "details"),
    [
        (["consolidate", "empty", "-o", "out.yaml"], "nothing-to-read", {"path": "empty"}),
        (["consolidate", "nowhere", "-o", "out.yaml"], "path-missing", {"path": "nowhere"}),
        (["consolidate", "one.xlsx", "-o", "no/out.yaml"], "folder-missing", {"path": "no"}),
        (["consolidate", "one.xlsx", "-o", "out.yaml", "--summary", "no/out.xlsx"], "folder-missing", {"path": "no"}),
        (["consolidate", "one.xlsx", "-o", "empty"], "not-a-file-name", {"path": "empty", "ending": ".yaml"}),
        (["consolidate", "one.xlsx", "-o", "one.xlsx"], "output-is-input", {"path": "one.xlsx"}),
        (["consolidate", "one.xlsx", "-o", "one.yaml"], "output-is-input", {"path": "one.xlsx"}),
        (["consolidate", "one.xlsx", "-o", "out.yaml", "--roster", "none.yaml"], "path-missing", {"path": "none.yaml"}),
        (["template", "none.yaml", "-o", "out.xlsx"], "path-missing", {"path": "none.yaml"}),
        (["template", "good.yaml", "-o", "no/out.xlsx"], "folder-missing", {"path": "no"}),
        (["template", "good.yaml", "-o", "empty"], "not-a-file-name", {"path": "empty", "ending": ".xlsx"}),
        (
            ["template", "good.yaml", "-o", "one.xlsx", "--split-by", "unit"],
            "not-a-folder",
            {"path": "one.xlsx", "field": "unit"},
        ),
        (["summary", "good.yaml", "-o", "no/out.xlsx"], "folder-missing", {"path": "no"}),
        (["publish", "good.yaml", "-o", "no/out.html"], "folder-missing", {"path": "no"}),
        (["publish", "none.yaml", "-o", "out.html"], "path-missing", {"path": "none.yaml"}),
        (["roster", "none.csv", "-o", "out.yaml"], "path-missing", {"path": "none.csv"}),
        (["schema", "nope"], "form-unknown", {"form": "nope", "known": "shanghai-self-evaluation, shanghai-target"}),
        (
            ["consolidate", "one.xlsx", "-o", "out.yaml", "--form", "nope"],
            "form-unknown",
            {"form": "nope", "known": "shanghai-self-evaluation, shanghai-target"},
        ),
        (["--forms-dir", "nowhere", "forms"], "path-missing", {"path": "nowhere"}),
    ],
)
def test_what_cannot_go_on(
    arguments: list[str],
    code: str,
    details: Mapping[str, object],
    lang: str,
    kpixl: Kpixl,
    tmp_path: Path,
    workbooks: Mapping[str, bytes],
    example: tuple[Form, Portfolio],
) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "one.xlsx").write_bytes(workbooks["one.xlsx"])
    (tmp_path / "good.yaml").write_text(canonical.dumps(*example), encoding="utf-8")
    before = digests(tmp_path)
    ran = kpixl(*arguments, "--lang", lang)
    assert (ran.code, ran.out) == (CANNOT_GO_ON, "")
    assert said(ran, message(code, lang, **details))
    assert digests(tmp_path) == before


@pytest.mark.parametrize(
    "arguments",
    [
        ["consolidate", "in", "-o", "in/one.xlsx", "--no-summary"],
        ["consolidate", "in", "-o", "out.yaml", "--summary", "in/one.xlsx"],
        ["consolidate", "in", "-o", "in/one.yaml"],
        ["consolidate", "in", "-o", "out.xlsx"],  # YAML and summary in one place
        ["consolidate", "in", "-o", "good.yaml", "--roster", "good.yaml"],
        ["template", "good.yaml", "-o", "good.yaml"],
        ["summary", "good.yaml", "-o", "good.yaml"],
        ["publish", "good.yaml", "-o", "good.yaml"],
    ],
)
def test_an_output_never_replaces_an_input(
    arguments: list[str],
    kpixl: Kpixl,
    tmp_path: Path,
    workbooks: Mapping[str, bytes],
    example: tuple[Form, Portfolio],
) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "one.xlsx").write_bytes(workbooks["one.xlsx"])
    (tmp_path / "good.yaml").write_text(canonical.dumps(*example), encoding="utf-8")
    before = digests(tmp_path)
    ran = kpixl(*arguments)
    assert ran.code == CANNOT_GO_ON
    assert digests(tmp_path) == before


def test_a_file_that_may_not_be_written(
    kpixl: Kpixl, tmp_path: Path, returned: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "out.yaml").write_text("as it was", encoding="utf-8")

    def refuse(_from: Path, _to: Path) -> None:
        raise PermissionError(13, "Permission denied")  # what Windows says of a file that is open in Excel

    monkeypatch.setattr(Path, "replace", refuse)
    ran = kpixl("consolidate", returned, "-o", "out.yaml")
    assert ran.code == PROBLEMS
    copy = f"out.旧-{date.today():%Y%m%d}.yaml"  # what was there is kept before anything is replaced
    assert said(ran, message("not-writable", path=copy, reason=("没有写入权限，或正被别的程序使用", "")))
    assert {p.name for p in tmp_path.iterdir()} == {"out.yaml", "returned"}  # no half-written file stays behind
    assert (tmp_path / "out.yaml").read_text(encoding="utf-8") == "as it was"


# --- portfolios -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "code", "words"),
    [
        (b"kpixl: 1\nform: shanghai-target\nprojects:\n- {id: '01', nmae: x}\n", "key-unknown", ["4", "nmae", "name"]),
        (b"kpixl: 1\nform: shanghai-target\nproject: []\n", "key-unknown", ["3", "project"]),
        (
            b"kpixl: 1\nform: nope\nprojects: []\n",
            "form-unknown",
            ["nope", "shanghai-self-evaluation, shanghai-target"],
        ),
        ("kpixl: 1\nform: 上海\n".encode("gb18030"), "not-utf8", []),
        (b"kpixl: 1\n  form: [\n", "yaml-syntax", ["2"]),
        (b"", "value-wrong", ["1"]),
        (b"PK\x03\x04" + bytes(300), "not-a-portfolio", ["kpixl roster", "kpixl consolidate"]),
    ],
)
@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("command", ["template", "summary", "publish"])
def test_a_wrong_portfolio_is_refused_with_line_and_key(
    content: bytes, code: str, words: list[str], command: str, lang: str, kpixl: Kpixl, tmp_path: Path
) -> None:
    path = tmp_path / "wrong.yaml"
    path.write_bytes(content)
    ran = kpixl(command, path, "-o", "out", "--lang", lang)
    assert (ran.code, ran.out) == (CANNOT_GO_ON, "")
    (line,) = [line for line in ran.err.splitlines() if line.endswith(f" {code}")]
    assert all(word in line for word in words)
    assert ("错误" if lang == "zh" else "error") in line
    assert [p.name for p in tmp_path.iterdir()] == ["wrong.yaml"]


def test_every_mistake_of_a_portfolio_is_told_at_once(kpixl: Kpixl, tmp_path: Path) -> None:
    path = tmp_path / "wrong.yaml"
    text = "kpixl: 1\nform: shanghai-target\nprojects:\n- {id: '01', nmae: x}\n- {name: y}\n"
    path.write_text(text, encoding="utf-8")
    ran = kpixl("template", path, "-o", "out.xlsx")
    assert ran.code == CANNOT_GO_ON
    assert "key-unknown" in ran.err
    assert "key-missing" in ran.err


def test_an_unknown_field_to_split_by_is_told_with_the_fields_there_are(
    kpixl: Kpixl, tmp_path: Path, example: tuple[Form, Portfolio]
) -> None:
    (tmp_path / "good.yaml").write_text(canonical.dumps(*example), encoding="utf-8")
    ran = kpixl("template", "good.yaml", "-o", "out", "--split-by", "unti")
    assert ran.code == CANNOT_GO_ON
    assert "unti" in ran.err
    assert "unit" in ran.err.replace("unti", "")
    assert not (tmp_path / "out").exists()


# --- usage and language -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "zh", "en"),
    [
        (["consolidate", "x"], "缺少参数 -o/--output。", "-o/--output is missing."),
        (["consolidate", "-o", "x"], "缺少参数 PATH...。", "PATH... is missing."),
        (["publish", "-o", "x"], "缺少参数 PORTFOLIO.yaml。", "PORTFOLIO.yaml is missing."),
        (["consolidate", "x", "-o"], "选项 -o 需要一个值。", "The option -o needs a value."),
        (["consolidate", "x", "-o", "y", "--rooster", "z"], "没有选项 --rooster。", "There is no option --rooster."),
        (
            ["status", "x", "--roster", "y", "--due", "2026年11月20日"],
            '参数 --due 有误：请写成 2026-11-20 或 "2026-11-20 17:00"。',
            '--due is wrong: write it like 2026-11-20 or "2026-11-20 17:00".',
        ),
        (
            ["roster", "x", "-o", "y", "--year", "明年"],
            "参数 --year 有误：请填整数，例如 2026。",
            "--year is wrong: write a whole number such as 2026.",
        ),
        (["consolidat"], "没有命令 consolidat。", "There is no command consolidat."),
    ],
)
def test_wrong_usage(arguments: list[str], zh: str, en: str, kpixl: Kpixl) -> None:
    ran = kpixl(*arguments)
    assert (ran.code, ran.out) == (USAGE, "")
    assert zh in ran.err
    if arguments[-1] != "-o":  # there click does not say which command it was
        assert re.search(r"查看帮助：kpixl.* --help$", ran.err)
    ran = kpixl("--lang", "en", *arguments)
    assert (ran.code, ran.out) == (USAGE, "")
    assert en in ran.err


def test_a_near_option_is_suggested(kpixl: Kpixl) -> None:
    ran = kpixl("consolidate", "x", "-o", "y", "--rooster", "z")
    assert "是否指 --roster" in ran.err


def test_a_number_that_is_none(kpixl: Kpixl) -> None:
    for command in (["consolidate", "x", "-o", "y"], ["check", "x"], ["roster", "x", "-o", "y"]):
        ran = kpixl(*command, "--limit", "sheet-cells=viele")
        assert (ran.code, ran.out) == (USAGE, "")
        assert "--limit" in ran.err
        assert "viele" in ran.err
        ran = kpixl(*command, "--limit", "sheet-cels=3", "--lang", "en")
        assert ran.code == USAGE
        assert "did you mean sheet-cells?" in ran.err


MISSING = ["consolidate", "nowhere", "-o", "x.yaml"]


@pytest.mark.parametrize(
    ("arguments", "environment", "lang"),
    [
        (MISSING, {}, "zh"),
        (MISSING, {"LANG": "en_US.UTF-8"}, "en"),
        (MISSING, {"LANG": "en_US.UTF-8", "LC_ALL": "zh_CN.UTF-8"}, "zh"),
        (MISSING, {"LANG": "en_US.UTF-8", "KPIXL_LANG": "zh"}, "zh"),
        (MISSING, {"LANG": "zh_CN.UTF-8", "KPIXL_LANG": "en"}, "en"),
        (MISSING, {"LANG": "C.UTF-8"}, "zh"),
        (["--lang", "en", *MISSING], {"KPIXL_LANG": "zh"}, "en"),
        ([*MISSING, "--lang", "en"], {"KPIXL_LANG": "zh"}, "en"),
        ([*MISSING, "--lang", "zh"], {"LANG": "en_GB"}, "zh"),
        ([*MISSING, "--lang=en"], {}, "en"),
    ],
)
def test_the_language(
    arguments: list[str],
    environment: Mapping[str, str],
    lang: str,
    kpixl: Kpixl,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    ran = kpixl(*arguments)
    assert ran.code == CANNOT_GO_ON
    assert said(ran, message("path-missing", lang, path="nowhere"))


@pytest.mark.parametrize(
    "command", [[], ["roster"], ["template"], ["consolidate"], ["summary"], ["publish"], ["forms"], ["schema"]]
)
def test_help_in_both_languages(command: list[str], kpixl: Kpixl) -> None:
    chinese, english = kpixl(*command, "--help"), kpixl("--lang", "en", *command, "--help")
    assert (chinese.code, english.code) == (CLEAN, CLEAN)
    assert "用法：" in chinese.out
    assert "Usage:" not in chinese.out
    assert "Usage:" in english.out
    assert not any("\u4e00" <= c <= "\u9fff" for c in english.out)


def test_version(kpixl: Kpixl) -> None:
    assert kpixl("--version") == Ran(CLEAN, f"kpixl {__version__}\n", "")


def test_forms_and_schema_go_to_stdout(kpixl: Kpixl) -> None:
    ran = kpixl("forms")
    assert (ran.code, ran.err) == (CLEAN, "")
    assert "\nshanghai-target\t" in ran.out
    ran = kpixl("schema", "shanghai-target")
    assert (ran.code, ran.err) == (CLEAN, "")
    assert json.loads(ran.out)["$schema"]


# --- a clean run ------------------------------------------------------------------------------


def test_a_clean_run_says_on_stderr_what_it_wrote(kpixl: Kpixl, returned: Path, tmp_path: Path) -> None:
    ran = kpixl("consolidate", returned, "-o", "out.yaml")
    assert (ran.code, ran.out) == (CLEAN, "")
    for name in ("out.yaml", "out.sources.json", "out.xlsx"):
        assert (tmp_path / name).exists()
        assert f"已写出 {name}" in ran.err
    assert "one.xlsx" in ran.err
    assert "合计 2 个文件" in ran.err


def test_a_repeated_run_touches_neither_inputs_nor_outputs(kpixl: Kpixl, returned: Path, tmp_path: Path) -> None:
    first = kpixl("consolidate", returned, "-o", "out.yaml")
    before = digests(tmp_path)
    again = kpixl("consolidate", returned, "-o", "out.yaml")
    assert (first.code, again.code) == (CLEAN, CLEAN)
    assert digests(tmp_path) == before
    assert again.err.count("内容未变") == 3
    assert "已写出" not in again.err


@pytest.mark.parametrize("command", ["template", "summary", "publish"])
def test_other_commands_leave_an_equal_output_untouched_too(
    command: str, kpixl: Kpixl, tmp_path: Path, example: tuple[Form, Portfolio]
) -> None:
    (tmp_path / "good.yaml").write_text(canonical.dumps(*example), encoding="utf-8")
    out = "out.html" if command == "publish" else "out.xlsx"
    first = kpixl(command, "good.yaml", "-o", out)
    before = digests(tmp_path)
    again = kpixl(command, "good.yaml", "-o", out)
    assert (first.code, first.out, again.code, again.out) == (CLEAN, "", CLEAN, "")
    assert f"已写出 {out}" in first.err
    assert f"内容未变 {out}" in again.err
    assert digests(tmp_path) == before


def test_lock_files_hidden_files_and_data_files_are_passed_over_and_said_so(kpixl: Kpixl, returned: Path) -> None:
    (returned / "~$one.xlsx").write_bytes(b"lock")
    (returned / ".DS_Store").write_bytes(b"\0\0")
    (returned / ".git").mkdir()
    (returned / ".git" / "copy.xlsx").write_bytes((returned / "one.xlsx").read_bytes())
    (returned / "2026.yaml").write_text("kpixl: 1\n", encoding="utf-8")
    ran = kpixl("consolidate", returned, "-o", "out.yaml", "--json")
    assert ran.code == CLEAN
    report = json.loads(ran.out)
    assert report["projects"] == 2
    skipped = {p["file"]: (p["code"], p["severity"]) for p in report["problems"]}
    names = ["~$one.xlsx", ".DS_Store", ".git/copy.xlsx", "2026.yaml"]
    assert skipped == dict.fromkeys(names, ("file-skipped", "info"))
    ran = kpixl("consolidate", returned, "-o", "out.yaml")
    assert "~$one.xlsx" in ran.err
    assert "锁文件" in ran.err
    assert "隐藏文件" in ran.err


def test_a_folder_within_a_folder_is_read_and_a_summary_of_ours_is_not(kpixl: Kpixl, returned: Path) -> None:
    (returned / "一处").mkdir()
    (returned / "two.xlsx").rename(returned / "一处" / "two.xlsx")
    first = json.loads(kpixl("consolidate", returned, "-o", returned / "out.yaml", "--json").out)
    assert (first["projects"], first["problems"]) == (2, [])
    ran = kpixl("consolidate", returned, "-o", returned / "out.yaml", "--json")
    report = json.loads(ran.out)
    assert ran.code == CLEAN
    assert report["projects"] == 2
    assert {p["file"]: p["code"] for p in report["problems"]} == {
        ".out.written.yaml": "file-skipped",
        "out.sources.json": "file-skipped",
        "out.xlsx": "own-output-skipped",
        "out.yaml": "file-skipped",
    }


def test_json_says_where_a_value_stands_and_what_to_type(kpixl: Kpixl, tmp_path: Path) -> None:
    text = (
        "kpixl: 1\nform: shanghai-target\nyear: 2026\norganization: 某市科协\nprojects:\n"
        '- {id: "01", name: 创新, start: 年底前, funding: {annual: {amount: 5, appropriation: 3, other: 1}}}\n'
    )
    form, portfolio = canonical.loads(text, load_form)
    (tmp_path / "wrong.xlsx").write_bytes(build_template(form, portfolio))
    for lang in ("zh", "en"):
        ran = kpixl("consolidate", "wrong.xlsx", "-o", "out.yaml", "--json", "--lang", lang)
        assert ran.code == PROBLEMS
        report: dict[str, Any] = json.loads(ran.out)
        problems = {p["code"]: p for p in report["problems"]}
        for code, cell in (("value-unread", "B5"), ("sum-mismatch", "F6")):
            problem = problems[code]
            assert set(problem) == {"code", "severity", "file", "sheet", "cell", "field", "message", "hint"}
            assert (problem["file"], problem["sheet"], problem["cell"]) == ("wrong.xlsx", "01 创新", cell)
            assert problem["severity"] == "error"
            assert problem["message"]
            assert problem["hint"]
        assert ("年底前" in problems["value-unread"]["message"]) is True
        assert report["files"][0]["sha256"] == hashlib.sha256((tmp_path / "wrong.xlsx").read_bytes()).hexdigest()
    # What could not be read is kept as it was typed.
    assert "start: 年底前" in (tmp_path / "out.yaml").read_text(encoding="utf-8")


def test_a_form_that_nobody_began_is_an_error(kpixl: Kpixl, tmp_path: Path) -> None:
    form, portfolio = canonical.loads('kpixl: 1\nform: shanghai-target\nprojects:\n- {id: "01", name: 甲}\n', load_form)
    (tmp_path / "blank.xlsx").write_bytes(build_template(form, portfolio))
    ran = kpixl("consolidate", "blank.xlsx", "-o", "out.yaml")
    assert ran.code == PROBLEMS
    assert "no-rows" in ran.err and "required-blank" in ran.err


def test_strict_counts_warnings(kpixl: Kpixl, tmp_path: Path, example: tuple[Form, Portfolio]) -> None:
    form, portfolio = example
    first = portfolio.projects[0]
    blank = replace(portfolio, projects=(replace(first, values={**first.values, "nature": None}),))
    (tmp_path / "blank.xlsx").write_bytes(build_template(form, blank))
    assert kpixl("consolidate", "blank.xlsx", "-o", "out.yaml").code == CLEAN
    ran = kpixl("consolidate", "blank.xlsx", "-o", "out.yaml", "--strict")
    assert ran.code == PROBLEMS
    assert "required-blank" in ran.err


def test_a_roster_finds_out_who_is_missing(
    kpixl: Kpixl, returned: Path, tmp_path: Path, example: tuple[Form, Portfolio]
) -> None:
    (tmp_path / "roster.yaml").write_text(canonical.dumps(*example), encoding="utf-8")
    ran = kpixl("consolidate", returned, "--roster", "roster.yaml", "-o", "out.yaml", "--json")
    assert ran.code == CLEAN
    codes = [p["code"] for p in json.loads(ran.out)["problems"]]
    assert codes.count("not-returned") == 11


@pytest.mark.parametrize(("name", "code"), [("file-bytes", "file-too-large"), ("sheet_cells", "sheet-too-large")])
@pytest.mark.parametrize("command", [("consolidate", "-o", "out.yaml"), ("check",)])
def test_limits(command: tuple[str, ...], name: str, code: str, kpixl: Kpixl, returned: Path) -> None:
    ran = kpixl(*command, returned, "--limit", f"{name}=10", "--json")
    assert ran.code == PROBLEMS
    problems = json.loads(ran.out)["problems"]
    assert {p["code"] for p in problems} >= ({code, "no-projects"} if command[0] == "consolidate" else {code})
    # Whoever types what the messages say gets everything read.
    typed = {word.strip("。，") for p in problems for word in p["hint"].split() if "=" in word}
    values = {word.partition("=")[0]: word for word in sorted(typed, key=lambda word: (len(word), word))}
    ran = kpixl(*command, returned, *(part for word in values.values() for part in ("--limit", word)), "--json")
    assert code not in ran.out


def test_the_list_of_a_roster_is_read_within_limits(kpixl: Kpixl, tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text("项目名称,项目性质\n甲,乙\n" * 2, encoding="utf-8")
    ran = kpixl("roster", "list.csv", "-o", "roster.yaml", "--limit", "file-bytes=10")
    assert ran.code == CANNOT_GO_ON
    assert "--limit file-bytes=" in ran.err


# --- as a process -----------------------------------------------------------------------------


def process(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "kpixl", *arguments],
        cwd=folder,
        capture_output=True,
        encoding="utf-8",
        env={**os.environ, "PYTHONIOENCODING": "utf-8"},
        check=False,
    )


def test_the_process_ends_with_the_exit_code(returned: Path, tmp_path: Path) -> None:
    done = process(tmp_path, "consolidate", returned.name, "-o", "out.yaml", "--json")
    assert done.returncode == CLEAN
    assert done.stderr.splitlines() == ["已写出 out.yaml", "已写出 out.sources.json", "已写出 out.xlsx"]
    assert json.loads(done.stdout)["projects"] == 2
    done = process(tmp_path, "consolidate", "nowhere", "-o", "out.yaml")
    assert (done.returncode, done.stdout) == (CANNOT_GO_ON, "")
    assert "找不到 nowhere。" in done.stderr
    assert process(tmp_path, "nope").returncode == USAGE


def test_the_version_is_known_without_loading_anything(tmp_path: Path) -> None:
    done = process(tmp_path, "--version")
    assert (done.returncode, done.stdout, done.stderr) == (CLEAN, f"kpixl {__version__}\n", "")


def test_a_workbook_that_was_filled_in_is_kept_when_the_template_is_made_again(
    kpixl: Kpixl, tmp_path: Path, example: tuple[Form, Portfolio], workbooks: Mapping[str, bytes]
) -> None:
    (tmp_path / "p.yaml").write_text(canonical.dumps(*example), encoding="utf-8")
    (tmp_path / "f.xlsx").write_bytes(workbooks["one.xlsx"])
    ran = kpixl("template", "p.yaml", "-o", "f.xlsx")
    (copy,) = tmp_path.glob("f.旧-*.xlsx")
    assert ran.code == CLEAN and copy.read_bytes() == workbooks["one.xlsx"]
    assert copy.name in ran.err
    kpixl("template", "p.yaml", "-o", "f.xlsx")
    assert list(tmp_path.glob("f.旧-*.xlsx")) == [copy]  # nothing changed: no further copy


def test_a_portfolio_edited_by_hand_is_kept_and_the_last_run_is_not(
    kpixl: Kpixl, tmp_path: Path, workbooks: Mapping[str, bytes]
) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "one.xlsx").write_bytes(workbooks["one.xlsx"])
    for _ in range(2):
        kpixl("consolidate", "in", "-o", "o.yaml", "--no-summary")
    assert not list(tmp_path.glob("o.旧-*"))
    edited = (tmp_path / "o.yaml").read_bytes() + b"# my note\n"
    (tmp_path / "o.yaml").write_bytes(edited)
    ran = kpixl("consolidate", "in", "-o", "o.yaml", "--no-summary")
    (copy,) = tmp_path.glob("o.旧-*.yaml")
    assert copy.read_bytes() == edited and copy.name in ran.err


def test_the_page_replaces_no_other_file(kpixl: Kpixl, tmp_path: Path, example: tuple[Form, Portfolio]) -> None:
    (tmp_path / "p.yaml").write_text(canonical.dumps(*example), encoding="utf-8")
    (tmp_path / "note.html").write_text("mine", encoding="utf-8")
    kpixl("publish", "p.yaml", "-o", "note.html")
    (copy,) = tmp_path.glob("note.旧-*.html")
    assert copy.read_text(encoding="utf-8") == "mine"
    kpixl("publish", "p.yaml", "-o", "note.html")
    assert list(tmp_path.glob("note.旧-*.html")) == [copy]


@pytest.mark.parametrize("name", ["out.xlsx", "out.doc", "out", "out.txt"])
def test_a_page_is_not_written_under_the_name_of_another_kind(
    name: str, kpixl: Kpixl, tmp_path: Path, example: tuple[Form, Portfolio]
) -> None:
    (tmp_path / "p.yaml").write_text(canonical.dumps(*example), encoding="utf-8")
    ran = kpixl("publish", "p.yaml", "-o", name)
    assert (ran.code, "ending-unsupported" in ran.err) == (CANNOT_GO_ON, True)
    assert not (tmp_path / name).exists()


def test_the_output_cannot_be_this_folder(kpixl: Kpixl, tmp_path: Path, workbooks: Mapping[str, bytes]) -> None:
    (tmp_path / "one.xlsx").write_bytes(workbooks["one.xlsx"])
    ran = kpixl("consolidate", "one.xlsx", "-o", ".")
    assert ran.code == CANNOT_GO_ON and "not-a-file-name" in ran.err


# --- a first try ------------------------------------------------------------------------------


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize(
    "arguments",
    [
        ["publish", "returned", "-o", "x.html"],
        ["summary", "returned", "-o", "x.xlsx"],
        ["template", "returned", "-o", "x.xlsx"],
        ["roster", "returned", "-o", "x.yaml"],
        ["check", "returned", "--roster", "returned"],
        ["status", "returned", "--roster", "returned"],
    ],
    ids=lambda arguments: arguments[0],
)
@pytest.mark.usefixtures("returned")
def test_a_folder_in_place_of_a_file_is_named(arguments: list[str], lang: str, kpixl: Kpixl) -> None:
    ran = kpixl(*arguments, "--lang", lang)
    assert (ran.code, said(ran, message("folder-not-file", lang, path="returned"))) == (CANNOT_GO_ON, True)
    assert "kpixl consolidate returned" in ran.err


@pytest.mark.usefixtures("returned")
def test_a_folder_without_a_command_is_told_the_command(kpixl: Kpixl) -> None:
    for lang, words in (("zh", "要先写命令"), ("en", "A command comes first")):
        ran = kpixl("--lang", lang, "returned")
        assert ran.code == USAGE
        assert words in ran.err
        assert "kpixl consolidate returned" in ran.err
    assert "kpixl consolidate it's.xlsx" in kpixl("it's.xlsx").err


def test_help_is_found_however_it_is_asked_for(kpixl: Kpixl) -> None:
    for lang in ("zh", "en"):
        whole, one = kpixl("--lang", lang, "--help"), kpixl("--lang", lang, "publish", "--help")
        assert whole.out != one.out
        assert kpixl("--lang", lang, "-h") == kpixl("--lang", lang, "help") == kpixl("help", "--lang", lang) == whole
        assert kpixl("--lang", lang, "publish", "-h") == kpixl("--lang", lang, "help", "publish") == one
    ran = kpixl("help", "publsih")
    assert (ran.code, "publsih" in ran.err, "publish" in ran.err) == (USAGE, True, True)


@pytest.mark.parametrize("name", ["unit", "实施单位", "单位"])
def test_a_field_may_be_called_by_its_label(name: str, kpixl: Kpixl) -> None:
    assert kpixl("template", EXAMPLE / "2026.yaml", "-o", "out", "--split-by", name).code == CLEAN
    assert [path.suffix for path in Path("out").glob("[!.]*")] == [".xlsx"]


def test_a_label_of_several_fields_names_these_only(kpixl: Kpixl) -> None:
    ran = kpixl("template", EXAMPLE / "2026.yaml", "-o", "out", "--split-by", "日期")
    assert (ran.code, Path("out").exists()) == (CANNOT_GO_ON, False)
    assert "start (计划开始日期), end (计划完成日期)。" in ran.err


# --- very many files --------------------------------------------------------------------------


def test_a_file_without_any_label_does_not_list_those_it_lacks(kpixl: Kpixl) -> None:
    unrelated(Path("x.xlsx"))
    for lang, words in (("zh", "一个也没有找到"), ("en", "Not one of its labels")):
        ran = kpixl("check", "x.xlsx", "--lang", lang)
        assert words in ran.err
        assert "项目名称" not in ran.err


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_very_many_problems_are_listed_by_kind(
    lang: str, kpixl: Kpixl, returned: Path, workbooks: Mapping[str, bytes]
) -> None:
    for number in range(MAX_LISTED_PROBLEMS + 10):
        (returned / f"{number}.txt").write_text("会议通知", encoding="utf-8")
    for number in range(5):
        (returned / f"empty{number}.xlsx").write_bytes(b"")
    (returned / "~$one.xlsx").write_bytes(b"lock")
    ran = kpixl("consolidate", returned, "-o", "out.yaml", "--lang", lang)
    assert ran.code == PROBLEMS
    lines = ran.err.splitlines()
    kinds = [code for line in lines for code in ("no-form ", "file-empty ", "file-skipped ") if code in line]
    assert kinds == ["no-form ", "file-empty ", "file-skipped "]  # errors first, the commonest first
    assert sum("0.txt" in line or "1.txt" in line for line in lines) < 100
    errors = MAX_LISTED_PROBLEMS + 15
    assert f"错误 {errors} 条" in ran.err or f"errors {errors}," in ran.err
    table = [line.split() for line in lines if line.rstrip().endswith(f"{errors}     -     1") or "415" in line.split()]
    assert table[-1][-4:] == [str(len(workbooks)), str(errors), "-", "1"]
    assert len(lines) < MAX_LISTED_FILES + 40
