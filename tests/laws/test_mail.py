"""A law of mails: reading them gives what reading their attachments from a folder gives."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from dataclasses import replace
from email.message import EmailMessage
from functools import cache
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from kpixl.collection.consolidate import consolidate
from kpixl.collection.model import Collection
from kpixl.forms.definition import Form
from kpixl.forms.load import load_form
from kpixl.output.template import build_template
from kpixl.portfolio import canonical
from kpixl.portfolio.model import Portfolio
from kpixl.readers import BETWEEN
from tests.conftest import EXAMPLE

# Problems that are of the mails themselves.
OF_MAILS = {"mail-text", "mail-no-attachment", "mail-same"}
NAME = st.text(st.sampled_from("绩效目标表终稿镕㐁 ab12()（）·-_"), min_size=1, max_size=30).map(
    lambda text: text.strip() or "表"
)


@cache
def project() -> tuple[Form, Portfolio]:
    form, whole = canonical.load(EXAMPLE / "2026.yaml", load_form)
    return form, replace(whole, projects=whole.projects[:4])


@cache
def workbook(ids: frozenset[str]) -> bytes:
    """Build the workbook of some projects."""
    form, whole = project()
    return build_template(form, replace(whole, projects=tuple(p for p in whole.projects if p.id in ids)))


ATTACHMENT = st.tuples(NAME, st.frozensets(st.sampled_from(["01", "02", "03", "04"]), min_size=1, max_size=2))
MAIL = st.fixed_dictionaries(
    {
        "attachments": st.lists(ATTACHMENT, max_size=3),
        "text": st.sampled_from(["", "您好，见附件。", "第 1 项改为 50 万元"]),
        "page": st.booleans(),
        "cte": st.sampled_from(["base64", "quoted-printable"]),
        "sent_on": st.booleans(),
        "ends": st.sampled_from(["\n", "\r\n"]),
    }
)


def mail(text: str, page: bool, attachments: Iterable[tuple[str, bytes]], cte: str) -> EmailMessage:
    made = EmailMessage()
    made["From"], made["To"], made["Subject"] = "张三 <zs@unit.cn>", "office@example.cn", "绩效目标"
    made.set_content(text)
    if page:
        made.add_alternative(f"<p>{text}</p><img src='cid:a'>", subtype="html")
        related = made.get_payload()[-1]  # type: ignore[index]
        related.add_related(b"\x89PNG\r\n\x1a\n", "image", "png", cid="<a>")  # type: ignore[union-attr]
    for name, content in attachments:
        made.add_attachment(content, maintype="application", subtype="octet-stream", filename=name, cte=cte)
    return made


def result_of(folder: Path) -> Collection:
    form, whole = project()
    return consolidate([folder], [form], roster=whole, workers=0, may_be_empty=True)


def told(result: Collection) -> list[str]:
    """List what was noticed, files called by their own names."""
    return sorted(
        f"{p.code} {p.location.sheet} {p.location.cell} {p.project}" for p in result.problems if p.code not in OF_MAILS
    )


# A smaller example would be found in minutes, and the mails are told apart as they are.
@settings(
    max_examples=20,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow],
)
@given(st.lists(MAIL, min_size=1, max_size=3))
def test_reading_mails_is_reading_what_is_attached_to_them(mails: list[dict[str, object]]) -> None:
    form = project()[0]
    with tempfile.TemporaryDirectory() as name:
        by_mail, plain = Path(name, "mail"), Path(name, "plain")
        by_mail.mkdir()
        plain.mkdir()
        seen: set[bytes] = set()
        for number, drawn in enumerate(mails):
            attachments = [(f"{stem}.xlsx", workbook(ids)) for stem, ids in drawn["attachments"]]  # type: ignore[attr-defined]
            made = mail(str(drawn["text"]), bool(drawn["page"]), attachments, str(drawn["cte"]))
            if drawn["sent_on"]:
                outer = mail("转发", False, [], "base64")
                outer.add_attachment(made)
                made = outer
            content = made.as_bytes().replace(b"\n", str(drawn["ends"]).encode())
            (by_mail / f"{number}.eml").write_bytes(content)
            for place, (file, data) in enumerate(attachments):
                if data not in seen:  # equal files that mails brought are one return
                    (plain / f"{number}-{place}-{file}").write_bytes(data)
                seen.add(data)
        ours, theirs = result_of(by_mail), result_of(plain)
        assert canonical.dumps(form, ours.portfolio) == canonical.dumps(form, theirs.portfolio)
        assert told(ours) == told(theirs)
        names = {source.file.rpartition(BETWEEN)[2].rpartition(".")[2] for source in ours.sources.values()}
        assert names <= {"xlsx"}
        assert all(source.delivery is not None for source in ours.sources.values())
