"""Mails among the returned files: one return, what is late, and where a value came from."""

from __future__ import annotations

import json
import os
import time
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from email.message import EmailMessage
from itertools import permutations
from pathlib import Path

import pytest

from kpixl.cli.main import run
from kpixl.collection.consolidate import consolidate
from kpixl.collection.deliveries import one_return
from kpixl.collection.intake import content_of
from kpixl.collection.model import Collection
from kpixl.collection.review import review
from kpixl.forms.definition import Form
from kpixl.output.annotate import write_marked
from kpixl.output.status import status_data, take_stock
from kpixl.output.status.page import render_status
from kpixl.output.status.text import status_text
from kpixl.output.template import build_template
from kpixl.portfolio import canonical
from kpixl.portfolio.model import Portfolio
from kpixl.readers import Delivery

EARLY, LATE = "Fri, 20 Nov 2026 16:00:00 +0800", "Sat, 21 Nov 2026 00:00:01 +0800"


@pytest.fixture(autouse=True)
def in_china(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "Asia/Shanghai")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.fixture
def returned(tmp_path: Path) -> Path:
    folder = tmp_path / "returned"
    folder.mkdir()
    return folder


def small(example: tuple[Form, Portfolio], *ids: str) -> Portfolio:
    return replace(example[1], projects=tuple(p for p in example[1].projects if p.id in ids))


def mail(received: str, attachments: dict[str, bytes], sender: str = "张三 <zs@unit.cn>") -> EmailMessage:
    made = EmailMessage()
    made["Received"], made["From"], made["To"] = f"by mx.example.cn; {received}", sender, "office@example.cn"
    made.set_content("您好")
    for name, content in attachments.items():
        made.add_attachment(content, maintype="application", subtype="octet-stream", filename=name)
    return made


def read(example: tuple[Form, Portfolio], returned: Path) -> Collection:
    return consolidate([returned], [example[0]], roster=small(example, "01", "02"), workers=0)


def test_what_is_late_is_decided_by_when_the_mail_was_received(example: tuple[Form, Portfolio], returned: Path) -> None:
    for name, when, project in (("a.eml", LATE, "01"), ("b.eml", EARLY, "02")):
        content = build_template(example[0], small(example, project))
        (returned / name).write_bytes(mail(when, {"表.xlsx": content}).as_bytes())
        os.utime(returned / name, (0, 0) if name == "a.eml" else None)
    options = {"due": datetime(2026, 11, 20)}
    status = take_stock([returned], [example[0]], small(example, "01", "02"), **options)
    late = {project.id: (project.late, project.returns[0].time) for _, project in status.projects}
    assert late == {"01": (True, datetime(2026, 11, 21, 0, 0, 1)), "02": (False, datetime(2026, 11, 20, 16))}
    # The text only counts what is late; the page and the data name it.
    sender = "发件人 张三 <zs@unit.cn>"
    assert sender not in "\n".join(line for block in status_text(status, "zh").blocks for _, line in block.lines)
    assert "发件人 张三 &lt;zs@unit.cn&gt;" in render_status(status)
    (first, _) = status_data(status, "zh")["units"][0]["projects"]
    assert first["returns"][0]["mail"] == {
        "received": "2026-11-21T00:00:01", "sender": "张三 <zs@unit.cn>", "address": "zs@unit.cn"
    }  # fmt: skip


def test_a_workbook_in_several_mails_is_one_return_received_at_the_earliest(
    example: tuple[Form, Portfolio], returned: Path
) -> None:
    content = build_template(example[0], small(example, "01"))
    (returned / "1.eml").write_bytes(mail(LATE, {"表.xlsx": content}).as_bytes())
    (returned / "2.eml").write_bytes(mail(EARLY, {"同一份.xlsx": content}).as_bytes())
    (returned / "3.xlsx").write_bytes(content)
    result = read(example, returned)
    assert {i: [v.file for v in versions] for i, versions in result.versions.items()} == {"01": ["2.eml › 同一份.xlsx"]}
    assert sorted(p.location.file or "" for p in result.problems if p.code == "mail-same") == [
        "1.eml › 表.xlsx", "3.xlsx"
    ]  # fmt: skip
    assert "returned-twice" not in {p.code for p in result.problems}
    files = [file for file in result.files if file.sha256 == result.sources["01"].sha256]
    for order in permutations(files):
        again = {file.file: bool(file.forms) for file in one_return(order)}
        assert again == {file.file: file.file == "2.eml › 同一份.xlsx" for file in files}


def test_equal_files_that_no_mail_brought_stay_as_they_were(example: tuple[Form, Portfolio], returned: Path) -> None:
    content = build_template(example[0], small(example, "01"))
    for name in ("1.xlsx", "2.xlsx"):
        (returned / name).write_bytes(content)
    assert len(read(example, returned).versions["01"]) == 2


def test_a_mail_that_was_sent_on_is_received_when_it_came_here_from_its_first_sender(
    example: tuple[Form, Portfolio], returned: Path
) -> None:
    inner = mail(EARLY, {"表.xlsx": build_template(example[0], small(example, "01"))})
    outer = mail(LATE, {}, "同事 <colleague@example.cn>")
    outer.add_attachment(inner)
    with zipfile.ZipFile(returned / "包.zip", "w") as archive:
        archive.writestr("转发.eml", outer.as_bytes())
    source = read(example, returned).sources["01"]
    assert source.delivery == Delivery(datetime(2026, 11, 21, 0, 0, 1), "张三 <zs@unit.cn>", "zs@unit.cn")


def test_an_attachment_is_found_again_and_marked_under_a_name_that_is_no_path(
    example: tuple[Form, Portfolio], returned: Path, tmp_path: Path
) -> None:
    wrong = replace(small(example, "01").projects[0])
    wrong = replace(wrong, values={**wrong.values, "goal.annual": "XX"})
    content = build_template(example[0], replace(small(example, "01"), projects=(wrong,)))
    (returned / "1.eml").write_bytes(
        mail(EARLY, {"..\\..\\表.xlsx": content, "/etc/表.xlsx": b"PK\x03\x04"}).as_bytes()
    )
    result = review([returned], [example[0]], roster=small(example, "01"), workers=0)
    assert [content_of(file) for file in result.files if file.forms] == [content]
    copies, _ = write_marked(
        result.files, result.problems, tmp_path / "marked", today=datetime(2026, 11, 21), workers=0
    )
    assert sorted(str(copy.path.relative_to(tmp_path / "marked")) for copy in copies) == [
        "1.eml/表 (2).xlsx（问题清单）.xlsx", "1.eml/表.xlsx"
    ]  # fmt: skip


def test_trace_shows_the_mail_and_verify_finds_every_cell(
    example: tuple[Form, Portfolio], returned: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    content = build_template(example[0], small(example, "01"))
    (returned / "1.eml").write_bytes(mail(EARLY, {"表.xlsx": content}).as_bytes())
    (returned / "2.eml").write_bytes(mail(LATE, {"表.xlsx": content}).as_bytes())
    roster, out = tmp_path / "roster.yaml", tmp_path / "2026.yaml"
    roster.write_text(canonical.dumps(example[0], small(example, "01")), encoding="utf-8")
    assert run(["consolidate", str(returned), "--roster", str(roster), "-o", str(out), "--no-summary"]) == 0
    capsys.readouterr()
    assert run(["trace", "01", "年度资金申请总额", "-p", str(out)]) == 0
    assert "邮件 2026-11-20 16:00 收到，发件人 张三 <zs@unit.cn>" in capsys.readouterr().out
    assert run(["trace", "01", "年度资金申请总额", "-p", str(out), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["values"][0]["mail"]["address"] == "zs@unit.cn"
    assert run(["verify", str(out), str(returned)]) == 0
