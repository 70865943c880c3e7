"""Mails: names, parts, times and senders as programs write them; and what a hostile one can do."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from datetime import datetime
from email.message import EmailMessage
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from kpixl.readers import Limits, Member, UnreadableError, members, open_content, read_grids
from kpixl.readers.container import BETWEEN
from kpixl.readers.detect import FileKind
from kpixl.readers.mime import MimePart, split
from tests.packages import compound

FOLDER = Path(__file__).parents[1] / "cases" / "mail"
NAMES: list[dict[str, Any]] = yaml.safe_load((FOLDER / "names.yaml").read_text(encoding="utf-8"))
MAILS: list[dict[str, Any]] = yaml.safe_load((FOLDER / "mails.yaml").read_text(encoding="utf-8"))


@pytest.fixture(autouse=True)
def in_china(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "Asia/Shanghai")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def opened(content: bytes, limits: Limits = Limits()) -> list[Member]:  # noqa: B008 - frozen
    """Return what a mail gives; it must be known as one."""
    found = open_content(content, limits)
    assert found.kind is FileKind.MAIL
    return list(members(found, "m.eml"))


def plain(content: bytes) -> str:
    """Return a content as text, whatever its line ends."""
    return content.decode("latin-1").replace("\r\n", "\n")


def message(*attachments: tuple[str, bytes]) -> EmailMessage:
    """Make a mail as Python's library does."""
    made = EmailMessage()
    made["From"], made["To"], made["Subject"] = "张三 <zs@unit.cn>", "office@example.cn", "绩效目标"
    made["Date"] = "Fri, 20 Nov 2026 16:59:00 +0800"
    made.set_content("您好，附件是我单位的表。\n")
    for name, content in attachments:
        made.add_attachment(content, maintype="application", subtype="octet-stream", filename=name)
    return made


# --- as programs write them ---------------------------------------------------------------------


@pytest.mark.parametrize("case", NAMES, ids=lambda case: str(case["says"]))
def test_names_are_read_in_every_spelling(case: dict[str, Any]) -> None:
    raw = case["header"].encode("latin-1").replace(b"\\x", b"%x")
    for number in range(256):
        raw = raw.replace(b"%%x%02x" % number, bytes([number]))
    headers, _ = split(raw + b"\r\n\r\n")
    assert MimePart(headers, b"", "application/octet-stream").name == case["name"]


@pytest.mark.parametrize("case", MAILS, ids=lambda case: str(case["says"]))
@pytest.mark.parametrize("ends", ["\n", "\r\n"], ids=["unix", "windows"])
def test_mails_are_read_as_programs_show_them(case: dict[str, Any], ends: str) -> None:
    found = opened(case["mail"].replace("\n", ends).encode())
    given = [
        [member.shown.removeprefix(f"m.eml{BETWEEN}"), member.problem.code if member.problem else plain(member.content)]
        for member in found
        if member.shown != "m.eml"
    ]
    assert given == [[name, plain(what) if isinstance(what, bytes) else what] for name, what in case["members"]]
    own = [member.problem for member in found if member.shown == "m.eml" and member.problem]
    assert [problem.code for problem in own] == case.get("own", [])
    if "quotes" in case:
        assert case["quotes"] in own[0].message()
    if "sender" in case:
        deliveries = {(m.delivery.received, m.delivery.sender) for m in found if m.delivery is not None}
        assert deliveries == {(case["received"], case["sender"])}


@pytest.mark.parametrize("cte", ["base64", "quoted-printable"])
@pytest.mark.parametrize("name", ["绩效目标 (终稿).xlsx", "a.xlsx", "很长的名字" * 20 + ".xlsx"])
def test_what_an_independent_library_writes_is_read(name: str, cte: str) -> None:
    content = bytes(range(256)) * 9
    made = message()
    made.add_attachment(content, maintype="application", subtype="x", filename=name, cte=cte)
    attached = opened(made.as_bytes())[0]
    assert (attached.shown, attached.content) == (f"m.eml{BETWEEN}{name}", content)


def test_a_mail_in_a_mail_and_more_are_read_part_by_part() -> None:
    outer = message(("乙.xlsx", b"2"))
    outer.add_attachment(message(("甲.xlsx", b"1")))
    inner = next(m for m in opened(outer.as_bytes()) if m.shown.endswith(".eml"))
    assert inner.shown == f"m.eml{BETWEEN}绩效目标.eml"
    assert [m.content for m in opened(inner.content) if m.problem is None] == [b"1"]


# --- kinds --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "code", "says"),
    [
        (b"\x78\x9f\x3e\x22\x01\x00", "other-kind", "winmail.dat"),
        (b"From a@b.cn Fri Nov 20 17:00:00 2026\nFrom: a@b.cn\nSubject: x\n\nhello\n", "other-kind", "另存为 .eml"),
        (b"From: a@b.cn\nTo: b\n\nhello", "other-kind", "附件"),
    ],
)
def test_what_is_no_mail_or_not_read_as_a_workbook_has_one_sentence(content: bytes, code: str, says: str) -> None:
    (problem,) = read_grids(content, "x").problems
    assert (problem.code, says in problem.text()) == (code, True)


def test_a_message_of_outlook_has_one_sentence() -> None:
    content = compound({"__properties_version1.0": b"\0" * 5000})
    (problem,) = read_grids(content, "x.msg").problems
    assert (
        problem.text()
        == "这是Outlook 邮件（.msg），kpixl 不能读取。请在 Outlook 中把附件拖到文件夹里，或把邮件另存为 .eml。"
    )


@pytest.mark.parametrize(
    "text", ["项目名称: 甲\n", "name: x\nunit: y\n", "From: a\tb\n1\t2\n", "a,b\n1,2\n", "To: x\n\n"]
)
def test_texts_with_colons_are_no_mails(text: str) -> None:
    assert open_content(text.encode()).kind is FileKind.TEXT


# --- bounds -------------------------------------------------------------------------------------


def nested(depth: int) -> bytes:
    body = b"Content-Disposition: attachment\n\nx\n"
    for number in range(depth):
        body = b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n%s\n--b%d--\n" % (number, number, body, number)
    return b"MIME-Version: 1.0\n" + body


@pytest.mark.parametrize(
    ("content", "limits", "code"),
    [
        (nested(17), Limits(), "not-a-workbook"),
        (nested(2_000), Limits(), "not-a-workbook"),
        (b"MIME-Version: 1.0\nX: " + b"x" * (1 << 19), Limits(), "not-a-workbook"),
        (b"MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=x\n\n" + b"--x\n\n1\n" * 30, Limits(members=20),
         "bound-exceeded"),
    ],
)  # fmt: skip
def test_a_mail_beyond_a_bound_is_refused(content: bytes, limits: Limits, code: str) -> None:
    with pytest.raises(UnreadableError) as raised:
        opened(content, limits)
    assert raised.value.problem("m.eml").code == code


def test_as_many_parts_as_allowed_are_read() -> None:
    assert opened(nested(16))[0].content == b"x\n"


HOSTILE = [
    b"MIME-Version: 1.0\nContent-Type: multipart/mixed; " + b'a="' * 9_000 + b"\n\n--x",
    b"MIME-Version: 1.0\nContent-Type: x/y; name=" + b"=?a?b?" * 9_000 + b"\n\nx",
    b"MIME-Version: 1.0\nFrom: " + b"<" * 60_000 + b"@\n\nx",
    b"MIME-Version: 1.0\nContent-Type: text/html\n\n" + b"<div>" * 50_000,
    b"MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=x\n\n" + b"--x\n" * 19_000,
    b"MIME-Version: 1.0\nContent-Disposition: attachment; filename*0*=" + b"%" * 60_000 + b"\n\nx",
    b"MIME-Version: 1.0\nContent-Disposition: attachment; "
    + b"".join(b"filename*%d=a; " % n for n in range(5_000))
    + b"\n\nx",
    b"MIME-Version: 1.0\nDate: " + b"1 " * 30_000 + b"\nReceived: ;" + b"(" * 60_000 + b"\n\nx",
]


@pytest.mark.parametrize("content", HOSTILE, ids=range(len(HOSTILE)))
def test_a_hostile_mail_ends_in_members_or_a_problem(content: bytes) -> None:
    found = read_all(content)
    assert found is not None


def read_all(content: bytes) -> list[Member] | None:
    """Read some content if it is a mail; None where it is refused with a problem."""
    try:
        return list(members(open_content(content), "m.eml"))
    except UnreadableError as error:
        assert error.problem("m.eml").text()
        return None


@cache
def whole() -> bytes:
    outer = message(("绩效.xlsx", bytes(range(200))), ("b.csv", b"1,2\n"))
    outer.add_attachment(message(("c.xlsx", b"PK\x03\x04")))
    return outer.as_bytes()


def broken(seed: int) -> bytes:
    """Break a mail in a few places."""
    draw, content = random.Random(seed), bytearray(whole())
    for _ in range(draw.randint(1, 8)):
        at, length = draw.randrange(len(content)), draw.randint(0, 40)
        piece = draw.choice(
            [b"", bytes(draw.randbytes(4)), b"\n", b'"', b"=", b"--", b";", b"\r\n\r\n", content[:length]]
        )
        content[at : at + draw.choice([0, length])] = piece
    return bytes(content[: draw.choice([len(content), draw.randrange(1, len(content))])])


def test_five_hundred_broken_mails_end_in_members_or_a_problem() -> None:
    read = 0
    for seed in range(500):
        for member in read_all(broken(seed)) or ():
            assert member.problem is not None or isinstance(member.content, bytes)
            assert "/" not in member.shown.removeprefix(f"m.eml{BETWEEN}")
            assert (
                member.delivery is None
                or member.delivery.received is None
                or isinstance(member.delivery.received, datetime)
            )
            read += 1
    assert read > 500, "most of them still give something"
