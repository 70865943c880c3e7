"""Letters: who gets which, what they say, and drafts that other programs read."""

from __future__ import annotations

import hashlib
import io
import json
import os
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kpixl.checks.rule import CATEGORIES
from kpixl.cli.main import run
from kpixl.forms.definition import Form
from kpixl.output.letters import WrittenLetter, letters_of, write_letters
from kpixl.output.letters.draft import Attachment, draft
from kpixl.output.status import review_and_status
from kpixl.output.template import build_template
from kpixl.portfolio import canonical
from kpixl.portfolio.model import Portfolio, Project
from kpixl.problems import KpixlError, Problem
from tests.applications import node

UNITS = {"01": "办公室", "02": "办公室", "03": "科普部", "04": "学会部", "05": "国际部"}
DUE = datetime(2026, 11, 20)
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@pytest.fixture(autouse=True)
def in_china(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "Asia/Shanghai")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


class Desk:
    """An office: a roster of five projects of four units, and what came back."""

    def __init__(self, folder: Path, form: Form, portfolio: Portfolio) -> None:
        self.folder, self.form = folder, form
        named = (p for p in portfolio.projects if p.id in UNITS)
        projects = tuple(replace(p, values={**p.values, "unit": UNITS[p.id]}) for p in named)
        self.whole = replace(portfolio, projects=projects)
        self.returned.mkdir()
        (folder / "roster.yaml").write_text(canonical.dumps(form, self.roster), encoding="utf-8")

    @property
    def returned(self) -> Path:
        return self.folder / "returned"

    @property
    def roster(self) -> Portfolio:
        blank = (replace(p, values={**p.values, "goal.annual": None}, tables={"indicators": ()}) for p in self.projects)
        return replace(self.whole, projects=tuple(blank))

    @property
    def projects(self) -> tuple[Project, ...]:
        return self.whole.projects

    def workbook(self, *ids: str, goal: str = "") -> bytes:
        """Build the workbook of some projects; a goal that is wrong in all of them, if one is given."""
        chosen = (p for p in self.projects if p.id in ids)
        if goal:
            chosen = (replace(p, values={**p.values, "goal.annual": goal}) for p in chosen)
        return build_template(self.form, replace(self.whole, projects=tuple(chosen)))

    def put(self, name: str, content: bytes) -> None:
        path = self.returned / name
        path.write_bytes(content)
        os.utime(path, (DUE.timestamp(), DUE.timestamp()))

    def mail(self, name: str, sender: str, received: str, **attachments: bytes) -> None:
        """Put a mail among what came back."""
        made = EmailMessage()
        made["Received"] = f"by mx.example.cn; {received}"
        made["From"], made["To"] = sender, "office@example.cn"
        made.set_content("您好")
        for stem, content in attachments.items():
            made.add_attachment(content, maintype="application", subtype="octet-stream", filename=f"{stem}.xlsx")
        self.put(name, made.as_bytes())

    def write(self, lang: str = "zh", **options: Any) -> tuple[dict[str, WrittenLetter], tuple[Problem, ...]]:
        """Write the letters; return them by unit, and all problems."""
        chosen = {key: options.pop(key) for key in ("everything", "warnings") if key in options}
        reviewed, status = review_and_status([self.returned], [self.form], self.roster, due=DUE, workers=0)
        made = letters_of(reviewed, status, reviewed.config.contacts, **chosen)
        written, problems = write_letters(
            reviewed, status, made.letters, self.folder / "letters", lang=lang, today=date(2026, 11, 21), workers=0,
            **options,
        )  # fmt: skip
        return {one.letter.unit: one for one in written}, (*made.rest, *problems)

    def text(self, letter: WrittenLetter) -> str:
        return letter.text.read_bytes().decode("utf-8-sig")  # line ends as they are


@pytest.fixture
def desk(tmp_path: Path, example: tuple[Form, Portfolio]) -> Desk:
    return Desk(tmp_path, *example)


def round_of(desk: Desk) -> None:
    """Make a round: one unit complete, one with errors by mail, one with a file that cannot be read, one missing."""
    desk.put("科普部.xlsx", desk.workbook("03"))
    desk.mail("1.eml", "张三 <zs@unit.cn>", "Fri, 20 Nov 2026 16:00:00 +0800", 办公室=desk.workbook("01", goal="XX"))
    desk.put("学会部.xlsx", b"PK\x03\x04")


# --- who, and what ------------------------------------------------------------------------------


def test_units_with_something_to_do_get_a_letter_that_says_what(desk: Desk) -> None:
    round_of(desk)
    written, _ = desk.write()
    assert list(written) == ["办公室", "学会部", "国际部"]
    office, society, foreign = (desk.text(one) for one in written.values())
    assert office.startswith("请更正并补交：2026 年度财政项目支出绩效目标申报表（办公室）\r\n\r\n办公室：\r\n")
    assert "请于 2026-11-20 前办理" in office
    assert "办公室.xlsx（2026-11-20 16:00，张三 <zs@unit.cn>）：01 创新服务与发展项目" in office
    assert "办公室.xlsx › 01 创新服务与发展项目\r\n  1. E11 年度总体目标：" in office
    assert "【尚未交来】共 1 个项目\r\n  02 " in office
    assert "XX" in office
    assert "1.eml" not in office, "the unit does not know what the office calls its mails"
    assert "【无法读取的文件】\r\n  学会部.xlsx：这不是可以读取的工作簿" in society
    assert foreign.startswith("请补交：")
    assert "【请更正】" not in foreign


def test_a_unit_that_is_done_gets_thanks_only_when_all_are_written_to(desk: Desk) -> None:
    round_of(desk)
    lenient = ", ".join(f"{category}: info" for category in CATEGORIES)
    (desk.returned / "kpixl.yaml").write_text(f"severity: {{{lenient}}}\n", encoding="utf-8")
    assert "科普部" not in desk.write()[0]
    written, _ = desk.write(everything=True)
    assert desk.text(written["科普部"]).startswith("已收齐：")
    assert "谢谢" in desk.text(written["科普部"])
    assert written["科普部"].copies == ()


def test_warnings_alone_make_a_letter_when_asked_for(desk: Desk) -> None:
    desk.put("科普部.xlsx", desk.workbook("03"))
    assert "科普部" not in desk.write()[0]
    (letter,) = (one for unit, one in desk.write(warnings=True)[0].items() if unit == "科普部")
    assert letter.letter.warnings
    assert desk.text(letter).startswith("请核对：")


def test_letters_in_english(desk: Desk) -> None:
    round_of(desk)
    text = desk.text(desk.write(lang="en")[0]["办公室"])
    assert text.startswith("Please correct and return: 2026 财政项目支出绩效目标申报表 (办公室)")
    for heading in ("RECEIVED", "TO CORRECT: 1", "STILL MISSING: 1", "ATTACHED"):
        assert f"\r\n{heading}" in text


def test_addresses_are_the_offices_own_then_those_of_senders(desk: Desk) -> None:
    round_of(desk)
    desk.mail("2.eml", "李四 <ls@unit.cn>", "Fri, 20 Nov 2026 17:00:00 +0800", 又=desk.workbook("02", goal="XX"))
    assert {unit: one.letter.to for unit, one in desk.write()[0].items()} == {
        "办公室": ("ls@unit.cn", "zs@unit.cn"),
        "学会部": (),
        "国际部": (),
    }
    config = desk.returned / "kpixl.yaml"
    config.write_text("contacts: {办公室: a@b.cn, 国际部: [c@d.cn, e@f.cn], 无此: x@y.cn}\n", encoding="utf-8")
    written, problems = desk.write()
    assert {unit: one.letter.to for unit, one in written.items()} == {
        "办公室": ("a@b.cn",),
        "学会部": (),
        "国际部": ("c@d.cn", "e@f.cn"),
    }
    assert [p.details for p in problems if p.code == "contact-unknown"] == [{"unit": "无此"}]


@pytest.mark.parametrize("text", ["contacts: 甲", "contacts: {甲: 乙}", 'contacts: {甲: "a@b.cn\\nBcc: x@y.cn"}'])
def test_what_is_no_address_is_refused_with_its_line(desk: Desk, text: str) -> None:
    (desk.returned / "kpixl.yaml").write_text(text + "\n", encoding="utf-8")
    with pytest.raises(KpixlError) as raised:
        desk.write()
    assert [problem.code for problem in raised.value.problems] == ["value-wrong"]


def test_what_the_office_decides_is_in_no_letter_and_is_listed(desk: Desk) -> None:
    desk.put("办公室 甲.xlsx", desk.workbook("01", goal="举办全国科普日主场活动并汇总全市活动情况。"))
    desk.put("办公室 乙.xlsx", desk.workbook("01", goal="组织四十场讲座，全年参加人数不少于两万人次。"))
    written, problems = desk.write()
    assert "conflict" in {problem.code for problem in problems}
    assert all(p.code != "conflict" for one in written.values() for p in one.letter.errors)


def test_nothing_is_asked_of_a_version_that_a_corrected_copy_supersedes(desk: Desk) -> None:
    desk.put("办公室.xlsx", desk.workbook("01", "02", goal="XX"))
    copies = {path.name: path.read_bytes() for path in desk.write()[0]["办公室"].copies}
    assert list(copies) == ["办公室·办公室.xlsx"]
    book = openpyxl.load_workbook(io.BytesIO(copies["办公室·办公室.xlsx"]))
    for name in book.sheetnames:
        if name[:2] in ("01", "02"):
            book[name]["E11"] = "举办全国科普日主场活动，参加人数达到两万人次以上。"
    corrected = io.BytesIO()
    book.save(corrected)
    desk.put("收到的.xlsx", corrected.getvalue())
    written, _ = desk.write()
    assert "办公室" not in written or not [
        p for p in written["办公室"].letter.errors if p.location.file == "办公室.xlsx"
    ]


# --- files --------------------------------------------------------------------------------------


def test_equal_returns_give_equal_bytes_and_nothing_is_written_twice(desk: Desk) -> None:
    round_of(desk)
    desk.write()
    before = {path.name: path.read_bytes() for path in (desk.folder / "letters").iterdir()}
    written, problems = desk.write()
    assert {path.name: path.read_bytes() for path in (desk.folder / "letters").iterdir()} == before
    assert not any(one.changed for one in written.values())
    assert "copy-kept" not in {problem.code for problem in problems}


def test_a_letter_of_an_earlier_run_is_named_and_a_changed_draft_is_kept(desk: Desk) -> None:
    round_of(desk)
    first, _ = desk.write()
    first["国际部"].draft.write_bytes(b"From: office@example.cn\n\nmine")
    desk.put("国际部.xlsx", desk.workbook("05", goal="XX"))
    desk.put("学会部.xlsx", desk.workbook("04"))
    _, problems = desk.write()
    codes = [problem.code for problem in problems]
    assert codes.count("copy-kept") == 1
    assert codes.count("letters-stale") == 1
    assert b"mine" in next((desk.folder / "letters").glob("国际部.旧-*.eml")).read_bytes()


def test_letters_among_the_returned_files_are_not_read(desk: Desk) -> None:
    round_of(desk)
    draft_path = desk.write()[0]["办公室"].draft
    desk.put("退回.eml", draft_path.read_bytes())
    reviewed, _ = review_and_status([desk.returned], [desk.form], desk.roster, workers=0)
    assert [p.code for p in reviewed.problems if p.location.file == "退回.eml"] == ["own-output-skipped"]


def test_units_and_files_cannot_name_a_path(desk: Desk) -> None:
    units = {"01": "../../甲", "02": "../../甲", "03": "CON", "04": "乙·丙", "05": "乙"}
    projects = (replace(p, values={**p.values, "unit": units[p.id]}) for p in desk.projects)
    desk.whole = replace(desk.whole, projects=tuple(projects))
    desk.mail("1.eml", "a@b.cn", "Fri, 20 Nov 2026 16:00:00 +0800", **{"..\\..\\x": desk.workbook("01", goal="XX")})
    desk.mail("2.eml", "a@b.cn", "Fri, 20 Nov 2026 16:00:00 +0800", 丁=desk.workbook("04", goal="XX"))
    desk.mail("3.eml", "a@b.cn", "Fri, 20 Nov 2026 16:00:00 +0800", 丙·丁=desk.workbook("05", goal="XX"))
    written, problems = desk.write()
    folder = desk.folder / "letters"
    paths = [path for one in written.values() for path in (one.draft, one.text, *one.copies)]
    assert len(paths) == len(set(paths)) == 11
    assert {path.parent for path in paths} == {folder}
    assert all(path.is_file() for path in paths)
    assert {p.name for p in folder.iterdir()} - {path.name for path in paths} == {".kpixl-outputs.json"}
    assert sorted(p.name for p in desk.folder.iterdir()) == ["letters", "returned", "roster.yaml"]
    assert not [p for p in problems if p.code == "not-writable"]


# --- drafts, read by others ---------------------------------------------------------------------


def parsed(content: bytes) -> tuple[str, str, list[tuple[str, bytes]]]:
    """Read a draft with Python's library: subject, text, attachments."""
    found = message_from_bytes(content, policy=policy.default)
    assert isinstance(found, EmailMessage)
    body = found.get_body()
    assert body is not None
    attachments = [(str(part.get_filename()), part.get_content()) for part in found.iter_attachments()]
    return str(found["Subject"]), body.get_content(), attachments


@pytest.mark.application
def test_drafts_hold_the_copies_to_the_byte_for_two_other_parsers(desk: Desk) -> None:
    round_of(desk)
    name = "很长的文件名" * 12
    desk.mail("2.eml", "a@b.cn", "Fri, 20 Nov 2026 15:00:00 +0800", **{name: desk.workbook("02", goal="XX")})
    letter = desk.write()[0]["办公室"]
    content = letter.draft.read_bytes()
    head, _, body = desk.text(letter).replace("\r\n", "\n").partition("\n\n")
    copies = [path.read_bytes() for path in letter.copies]
    assert len(copies) == 2
    subject, text, attachments = parsed(content)
    assert (subject, text.replace("\r\n", "\n")) == (head, body)
    assert [data for _, data in attachments] == copies
    assert [len(name) < 20 for name, _ in attachments] == [True, False]
    found = json.loads(node("parse_mail.mjs", letter.draft))
    assert (found["subject"], found["text"].replace("\r\n", "\n").strip()) == (head, body.strip())
    assert [one["address"] for one in found["to"]] == list(letter.letter.to)
    assert found["unsent"] == "1"
    assert found["attachments"] == [[name, XLSX, hashlib.sha256(data).hexdigest()] for name, data in attachments]
    assert all(len(line) <= (76 if b"=?" in line else 90) for line in content.split(b"\r\n"))
    content.decode("ascii")


NAME = st.text(st.characters(blacklist_categories=("Cs", "Cc", "Zl", "Zp", "Cn", "Zs"), blacklist_characters='"\\'),
               min_size=1, max_size=60)  # fmt: skip


@settings(max_examples=100, deadline=None)
@given(NAME, st.text(st.characters(blacklist_categories=("Cs", "Cc")), max_size=200), st.binary(max_size=300), NAME)
def test_any_subject_text_name_and_content_come_back_from_a_draft(
    subject: str, text: str, content: bytes, name: str
) -> None:
    made = draft(["a@b.cn"], subject, f"{text}\n", [Attachment(f"{name}.xlsx", content), Attachment("b.ods", b"")])
    found = parsed(made)
    assert (found[0], found[1].replace("\r\n", "\n")) == (" ".join(subject.split()), f"{text}\n")
    assert found[2] == [(f"{name}.xlsx", content), ("b.ods", b"")]


def test_a_draft_without_attachments_is_plain() -> None:
    assert parsed(draft([], "题", "文\n", []))[:2] == ("题", "文\r\n")
    assert b"multipart" not in draft([], "题", "文\n", [])


# --- templates ----------------------------------------------------------------------------------


def test_a_template_of_ones_own(desk: Desk) -> None:
    round_of(desk)
    own = desk.folder / "own.j2"
    own.write_text("{{ unit }}！{{ due }}\n\n{% for p in missing %}{{ p }}；{% endfor %}<b>", encoding="utf-8")
    written, _ = desk.write(template=own)
    assert desk.text(written["国际部"]) == "国际部！2026-11-20\r\n\r\n05 科技人才举荐与服务；<b>\r\n"


@pytest.mark.parametrize(
    ("source", "line"),
    [("{{ nothing }}", 1), ("a\n\n{% for", 3), ("{% for a in range(9999) %}{{ 'x' * 9999 }}{% endfor %}", 1),
     ("{% include '/etc/passwd' %}", 1), ("{{ ''.__class__.__mro__ }}", 1)],
)  # fmt: skip
def test_a_wrong_template_is_one_problem_with_its_line(desk: Desk, source: str, line: int) -> None:
    round_of(desk)
    own = desk.folder / "own.j2"
    own.write_text(source, encoding="utf-8")
    with pytest.raises(KpixlError) as raised:
        desk.write(template=own)
    (problem,) = raised.value.problems
    assert (problem.code, problem.details["line"]) == ("template-invalid", line)
    assert not list((desk.folder).glob("letters/*.eml"))


def test_the_templates_are_copied_with_a_form(tmp_path: Path) -> None:
    assert run(["forms", "copy", "shanghai-target", str(tmp_path / "own")]) == 0
    assert {"letter.zh.j2", "letter.en.j2"} <= {path.name for path in (tmp_path / "own").iterdir()}


# --- the command --------------------------------------------------------------------------------


def test_the_command_writes_and_tells(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    round_of(desk)
    paths = [str(desk.returned), "--roster", str(desk.folder / "roster.yaml"), "-o", str(desk.folder / "letters")]
    assert run(["letters", *paths, "--due", "2026-11-20"]) == 0
    told = capsys.readouterr().err
    assert "办公室.eml → zs@unit.cn  错误 1" in told
    assert "国际部.eml → （收件人未知）  未交回 1" in told
    assert run(["letters", *paths, "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert [one["unit"] for one in data["letters"]] == ["办公室", "学会部", "国际部"]
    assert data["letters"][0]["missing"] == ["02"]


def test_the_folder_of_letters_must_not_lie_where_returns_are_read(desk: Desk) -> None:
    arguments = [str(desk.returned), "--roster", str(desk.folder / "roster.yaml")]
    assert run(["letters", *arguments, "-o", str(desk.returned / "letters")]) == 3
