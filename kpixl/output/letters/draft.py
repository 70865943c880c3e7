"""A letter as a draft (.eml) that Outlook, Foxmail and others open ready to be sent."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator, Sequence
from pathlib import PurePath
from typing import NamedTuple
from urllib.parse import quote

from kpixl.files import OWN_LETTER

_WORD_BYTES = 42  # of a text that one encoded word takes: 56 digits, with the rest of the word below 76
_SEGMENT = 60  # characters of a segment of a name; a line has no more than 78
_TYPES = {
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".xlsm": "application/vnd.ms-excel.sheet.macroEnabled.12",
    ".ods": "application/vnd.oasis.opendocument.spreadsheet",
}
_OTHER_TYPE = "application/octet-stream"


class Attachment(NamedTuple):
    """A file that goes with a letter."""

    name: str
    content: bytes


def draft(to: Sequence[str], subject: str, text: str, attachments: Sequence[Attachment]) -> bytes:
    """Write a draft. Equal letters give equal bytes: it has no date, and its boundary follows from what it holds.

    `to`: addresses in ASCII, as kpixl.yaml and mails are read.
    """
    head = [OWN_LETTER.decode(), "X-Unsent: 1", "MIME-Version: 1.0"]
    if to:
        head.append("To: " + ",\r\n ".join(to))
    head.append("Subject: " + _words(subject))
    body = [*_part(["Content-Type: text/plain; charset=utf-8"], text.replace("\n", "\r\n").encode())]
    if not attachments:
        return _joined([*head, *body])
    boundary = _boundary(text, attachments)
    lines = [*head, f'Content-Type: multipart/mixed; boundary="{boundary}"', "", f"--{boundary}", *body]
    for each in attachments:
        lines += [f"--{boundary}", *_part(_headers(each.name), each.content)]
    return _joined([*lines, f"--{boundary}--"])


def _joined(lines: Sequence[str]) -> bytes:
    return ("\r\n".join(lines) + "\r\n").encode("ascii")


def _part(headers: Sequence[str], content: bytes) -> list[str]:
    digits = base64.encodebytes(content).decode("ascii").splitlines()
    return [*headers, "Content-Transfer-Encoding: base64", "", *digits]


def _headers(name: str) -> list[str]:
    """Return the headers of an attachment; its name twice, since old programs know encoded words only."""
    kind = _TYPES.get(PurePath(name).suffix.lower(), _OTHER_TYPE)
    return [
        f'Content-Type: {kind};\r\n name="{_words(name)}"',
        "Content-Disposition: attachment;\r\n " + _segments(name),
    ]


def _words(text: str) -> str:
    """Write a text as encoded words (RFC 2047), no character of it parted."""
    text = " ".join(text.split())
    return "\r\n ".join(f"=?UTF-8?B?{base64.b64encode(piece).decode('ascii')}?=" for piece in _pieces(text))


def _pieces(text: str) -> Iterator[bytes]:
    piece = b""
    for character in text:
        raw = character.encode("utf-8", "replace")
        if len(piece) + len(raw) > _WORD_BYTES:
            yield piece
            piece = b""
        piece += raw
    yield piece


def _segments(name: str) -> str:
    """Write the name of a file as a parameter in segments (RFC 2231)."""
    encoded = quote(name, safe="", errors="replace")
    if len(encoded) <= _SEGMENT:
        return f"filename*=UTF-8''{encoded}"
    # No segment ends within a %E5.
    found = re.findall(rf"(?:%..|[^%]){{1,{_SEGMENT // 3}}}", encoded)
    found[0] = f"UTF-8''{found[0]}"
    return ";\r\n ".join(f"filename*{number}*={segment}" for number, segment in enumerate(found))


def _boundary(text: str, attachments: Sequence[Attachment]) -> str:
    """Return a boundary that no Base64 can hold."""
    digest = hashlib.sha256(text.encode("utf-8", "replace"))
    for each in attachments:
        digest.update(each.content)
    return f"=_kpixl_{digest.hexdigest()[:32]}"
