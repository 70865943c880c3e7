"""Mails (.eml): what is attached to them, when they were received, and from whom.

Nothing in a mail is run, loaded or followed; no name of an attachment is used as a path. What is typed in the mail
itself is quoted in a problem, and not read.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import PurePosixPath

from kpixl.files import ADDRESS, skip_reason
from kpixl.problems import Location, Problem
from kpixl.readers import html, mime
from kpixl.readers.container import Delivery, Labels, Member, clean_name
from kpixl.readers.detect import is_picture, other
from kpixl.readers.grid import UnreadableError
from kpixl.readers.limits import Limits
from kpixl.readers.mime import Headers, MimePart
from kpixl.texts import Text

MAX_BODY = 1 << 20  # characters of a text that are looked at; pictures within a page make it long
MAX_LINES = 400  # texts of a page
QUOTED, QUOTED_FIRST = 12, 4  # lines that are quoted: the first ones, and those with figures
MAX_LINE, MAX_SUBJECT, MAX_SENDER = 200, 60, 200  # characters

_NAMELESS = "附件"
_SIGNATURES = ("application/pkcs7-signature", "application/x-pkcs7-signature", "application/pgp-signature")
_SEALED = ("application/pkcs7-mime", "application/x-pkcs7-mime", "application/pgp-encrypted")
_CARDS = ("text/calendar", "text/vcard", "text/x-vcard")
_SKIPPED: dict[str, Text] = {
    **dict.fromkeys(_SIGNATURES, ("邮件的数字签名", "the signature of the mail")),
    **dict.fromkeys(_CARDS, ("日程或名片", "an appointment or a card")),
}
_SEALED_MAIL = (
    ("加密的邮件", "an encrypted mail"),
    ("请在邮件程序中打开，把附件另存后提交。", "Open it in the mail program and save what is attached."),
)
# How the name of a file ends whose mail gives none: by its content.
_ENDINGS = (
    (b"PK", b"xl/workbook", ".xlsx"), (b"PK", b"word/document", ".docx"), (b"PK", b"opendocument.spreadsheet", ".ods"),
    (b"PK", b"", ".zip"), (b"\xd0\xcf\x11\xe0", b"", ".xls"), (b"%PDF", b"", ".pdf"), (b"", b"", ".txt"),
)  # fmt: skip


def members(content: bytes, shown: str, limits: Limits) -> Iterator[Member]:
    """Yield what is attached to a mail, in its order, then the problems of the mail itself.

    Raises UnreadableError where it exceeds a bound.
    """
    headers, body = mime.split(content.lstrip(b"\xef\xbb\xbf\r\n"))
    delivery = delivery_of(headers)
    labels = Labels(shown)
    texts: list[MimePart] = []
    attached = pictures = 0
    for part in mime.parts(headers, body, limits):
        if _is_text(part):
            texts.append(part)
            continue
        data = part.content()
        if part.is_inline and is_picture(data):
            pictures += 1
            continue
        attached += 1
        yield _member(part, data, labels)._replace(delivery=delivery)
    where = Location(shown)
    subject = mime.words(mime.first(headers, "subject"))
    if (lines := _lines(texts, limits)) or re.search(r"\d", subject):
        yield Member(shown, b"", Problem("mail-text", where, {"texts": _quoted([subject, *lines])}), None, delivery)
    if not attached:
        yield Member(shown, b"", Problem("mail-no-attachment", where, {"pictures": _counted(pictures)}), None, delivery)


def delivery_of(headers: Headers) -> Delivery:
    """Return when a mail was received and from whom."""
    value = mime.first(headers, "from")
    bracketed = re.search(r"<\s*([^<>\s]{0,320})\s*>", value)
    found = ADDRESS.search(bracketed[1] if bracketed else value)
    address = found[0] if found else ""
    name = mime.words(value[: bracketed.start()] if bracketed else value.replace(address, "")).strip(" \"'()")
    name = "".join(c for c in name if c.isprintable())[:MAX_SENDER]
    sender = f"{name} <{address}>" if name and address else name or address
    return Delivery(mime.received(headers), sender, address)


def _is_text(part: MimePart) -> bool:
    """Return whether a part is what was written in the mail, or a report of a server."""
    if part.is_attached or part.name:
        return False
    return part.type in ("text/plain", "text/html") or (part.type.startswith("message/") and part.type != _MESSAGE)


_MESSAGE = "message/rfc822"


def _member(part: MimePart, data: bytes, labels: Labels) -> Member:
    name = clean_name(_name(part, data)).rpartition("/")[2]
    shown = labels.of(name)
    where = Location(shown)
    reason = _SKIPPED.get(part.type) or skip_reason(PurePosixPath(name))
    if reason is not None and not data.startswith((b"PK", b"\xd0\xcf\x11\xe0")):
        return Member(shown, b"", Problem("file-skipped", where, {"reason": reason}))
    if part.type in _SEALED:
        return Member(shown, b"", other(*_SEALED_MAIL).problem(shown))
    return Member(shown, data)


def _name(part: MimePart, data: bytes) -> str:
    """Return the name of an attachment; a message that is sent on has its subject, others one by their content."""
    if part.name:
        return part.name
    if part.type == _MESSAGE:
        return f"{_subject(data)[:MAX_SUBJECT] or _NAMELESS}.eml"
    return _NAMELESS + next(end for start, within, end in _ENDINGS if data.startswith(start) and within in data)


def _subject(message: bytes) -> str:
    """Return the subject of a message that is sent on; its slashes are none of a path."""
    try:
        subject = mime.words(mime.first(mime.split(message)[0], "subject"))
    except UnreadableError:  # reported when it is read itself
        return ""
    return subject.replace("/", "_").replace("\\", "_").strip()


# --- what was typed in the mail -----------------------------------------------------------------


def _lines(parts: Sequence[MimePart], limits: Limits) -> list[str]:
    """List the lines of a mail; of its page only what the plain text beside it does not have."""
    plain = "\n".join(part.text()[:MAX_BODY] for part in parts if part.type != "text/html")[:MAX_BODY]
    lines, known = plain.splitlines(), "".join(plain.split())
    for part in parts:
        if part.type == "text/html":
            lines += (text for text in _page(part.text()[:MAX_BODY], limits) if "".join(text.split()) not in known)
    told = (" ".join(line.split()) for line in lines)
    return [line for line in told if line]


def _page(text: str, limits: Limits) -> Iterable[str]:
    """List the texts of a page, those in tables cell by cell."""
    try:
        grids, _ = html.read_page(b"\xef\xbb\xbf" + text.encode("utf-8", "replace"), limits)
    except UnreadableError:
        return re.sub(r"<[^<>]*>", "\n", text).splitlines()[:MAX_LINES]
    texts = (str(raw).strip("\ufeff") for grid in grids for row in grid.rows for raw in row if raw != "")
    return [line for _, line in zip(range(MAX_LINES), texts, strict=False)]


def _quoted(lines: Sequence[str]) -> Text:
    """Quote the first lines and those with figures, and count the others."""
    figures = [n for n, line in enumerate(lines) if n < QUOTED_FIRST or re.search(r"\d", line)]
    chosen = sorted(figures[:QUOTED])
    quotes = "、".join(f"“{_short(lines[n])}”" for n in chosen if lines[n].strip())
    rest = len(lines) - len(chosen)
    return (
        quotes + (f"，另有 {rest} 行" if rest else ""),
        quotes + (f", and {rest} more lines" if rest else ""),
    )


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= MAX_LINE else f"{text[: MAX_LINE - 1]}…"


def _counted(pictures: int) -> Text:
    return (f"，只有 {pictures} 张图片", f", only {pictures} pictures") if pictures else ("", "")
