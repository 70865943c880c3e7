"""Messages as they go by mail (RFC 5322, MIME): headers, parts and names, as far as they may be read.

Most mails break a rule or two, so what is read here is what mail programs show. Everything takes time in proportion to
the size of the message.
"""

from __future__ import annotations

import binascii
import codecs
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from itertools import islice
from urllib.parse import unquote_to_bytes

from kpixl.readers.grid import broken, exceeded
from kpixl.readers.limits import Limits

Headers = Mapping[str, Sequence[str]]  # by name in lower case; bytes as Latin-1, to be decoded when it is known how

MAX_HEADERS = 1 << 18  # bytes before the blank line; signatures of servers take some 10,000
MAX_HEADER = 1 << 13  # characters of one that are looked at: a file name of 255 ideographs takes 2,400
MAX_DEPTH = 16  # parts within parts: a reply with pictures and attachments has three
MAX_DATE = 200  # characters

_BLANK = re.compile(rb"\A\r?\n|\n\r?\n")
_FOLD = re.compile(rb"\r?\n[ \t]+")
_GUESSED = re.compile(rb"(?:\A|\n)--([^\r\n]{1,200}?)[ \t]*\r?\nContent-", re.IGNORECASE)
# Backslashes escape nothing: they are the second half of many a GBK character, and no name has a quotation mark.
_PARAMETER = re.compile(r';\s*([^\s=;"]{1,60})\s*=\s*("[^"]*+"|[^;]*+)')
_WORD = re.compile(r"=\?([^?\s]{1,40})\?([bBqQ])\?([^?]*)\?=")
_CONTINUED = re.compile(r"(\d{1,3})(\*?)")  # behind the first star of filename*0*
_CHINESE = re.compile(r"(?:x-)?(?:gb|cp_?936|ms_?936|936|euc-?cn)")
_GUESSES = ("utf-8", "gb18030")
# What programs write where they do not know: it is believed last.
_EMPTY_LABELS = frozenset({"us-ascii", "ascii", "iso-8859-1", "latin1", "windows-1252", "cp1252"})
# Of all that Python can decode, what mails are written in; others can be slow, or are no encodings of text.
_KNOWN = re.compile(r"utf-?(?:8|16(?:le|be)?)|big5(?:-?hkscs)?|iso-8859-\d{1,2}|windows-125\d|koi8-[ru]|"
                    r"shift_?jis|euc-(?:jp|kr)|iso-2022-(?:jp|kr)|hz(?:-gb-2312)?")  # fmt: skip


@dataclass(frozen=True, slots=True)
class MimePart:
    """A part of a message that holds no others. `related`: it belongs to a page, as pictures do."""

    headers: Headers
    body: bytes
    type: str
    related: bool = False

    @property
    def is_attached(self) -> bool:
        """Return whether it is marked as an attachment."""
        return first(self.headers, "content-disposition").lstrip().lower().startswith("attachment")

    @property
    def is_inline(self) -> bool:
        """Return whether it is shown within the text."""
        disposition = first(self.headers, "content-disposition").lstrip().lower()
        return self.related or "content-id" in self.headers or disposition.startswith("inline")

    @property
    def name(self) -> str:
        """Return the name of its file, "" where it has none."""
        for header, key in (("content-disposition", "filename"), ("content-type", "name")):
            if name := _named(first(self.headers, header), key).strip():
                return name
        return ""

    @property
    def charset(self) -> str:
        """Return what its text claims to be encoded in."""
        return parameters(first(self.headers, "content-type")).get("charset", "")

    def content(self) -> bytes:
        """Decode its body as it was encoded for the way; damage at the end costs only the end."""
        encoding = first(self.headers, "content-transfer-encoding").strip().lower()
        if encoding == "base64":
            return _base64(self.body)
        return binascii.a2b_qp(self.body) if encoding == "quoted-printable" else self.body

    def text(self) -> str:
        """Decode its text."""
        return decoded(self.content(), self.charset)


def split(message: bytes) -> tuple[Headers, bytes]:
    """Part a message, or a part of one, into headers and body. Raises UnreadableError where the headers do not end."""
    end = _BLANK.search(message, 0, MAX_HEADERS)
    if end is None and len(message) > MAX_HEADERS:
        raise broken(("邮件头过长", "its headers are too long"))
    head, body = (message[: end.start()], message[end.end() :]) if end else (message, b"")
    headers: dict[str, list[str]] = {}
    for line in _FOLD.sub(b" ", head).split(b"\n"):
        name, colon, value = line.partition(b":")
        if colon:
            headers.setdefault(name.decode("latin-1").strip().lower(), []).append(value.decode("latin-1").strip())
    return headers, body


def parts(headers: Headers, body: bytes, limits: Limits) -> Iterator[MimePart]:
    """Yield the parts of a message that hold no others. Raises UnreadableError where it exceeds a bound."""
    count = 0
    waiting = [(headers, body, 0, False, "text/plain")]
    while waiting:
        headers, body, depth, related, default = waiting.pop()
        kind = first(headers, "content-type")[:MAX_HEADER].partition(";")[0].strip().lower() or default
        if not kind.startswith("multipart/"):
            if (count := count + 1) > limits.members:
                raise exceeded("members", count, limits)
            yield MimePart(headers, body, kind, related)
            continue
        if depth == MAX_DEPTH:
            raise broken(("邮件各部分嵌套过深", "its parts are nested too deeply"))
        within = "message/rfc822" if kind == "multipart/digest" else "text/plain"
        pieces = [split(piece) for piece in _pieces(headers, body, limits)]
        related = related or kind == "multipart/related"
        waiting += [(inner, text, depth + 1, related, within) for inner, text in reversed(pieces)]


def _pieces(headers: Headers, body: bytes, limits: Limits) -> list[bytes]:
    """Part the body of a multipart; one whose boundary does not occur by the boundary that does."""
    boundary = parameters(first(headers, "content-type")).get("boundary", "").strip().encode("latin-1", "replace")
    if not boundary or b"--" + boundary not in body:
        guess = _GUESSED.search(body)
        if guess is None:
            return [b"\r\n" + body]  # whatever it is, it is text to be quoted
        boundary = guess[1]
    line = re.compile(rb"(?:\A|\r?\n)--" + re.escape(boundary) + rb"(--)?[ \t]*(?=\r?\n|\Z)")
    found: list[bytes] = []
    start = -1
    for match in line.finditer(body):
        if start >= 0:
            found.append(body[start : match.start()])
        if len(found) > limits.members:
            raise exceeded("members", len(found), limits)
        if match[1]:
            return found
        start = match.end() + (2 if body[match.end() : match.end() + 2] == b"\r\n" else 1)
    return [*found, body[start:]] if start >= 0 else found  # cut off on its way


def _base64(body: bytes) -> bytes:
    """Decode Base64 up to its padding; what is no digit of it was put in on the way."""
    digits = body.partition(b"=")[0].translate(None, _NO_DIGITS)
    digits = digits[: len(digits) - (len(digits) % 4 == 1)]
    return binascii.a2b_base64(digits + b"=" * (-len(digits) % 4))


_NO_DIGITS = bytes(set(range(256)) - set(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"))


# --- headers ------------------------------------------------------------------------------------


def first(headers: Headers, name: str) -> str:
    """Return the first header of a name, "" where there is none."""
    return headers[name][0][:MAX_HEADER] if name in headers else ""


def parameters(value: str) -> dict[str, str]:
    """Return the parameters of a header by name, as they are written; of several of a name the first."""
    found: dict[str, str] = {}
    for name, text in _PARAMETER.findall(value[:MAX_HEADER]):
        text = text.strip()
        found.setdefault(
            name.lower(), text[1:-1] if text[:1] == text[-1:] == '"' and len(text) > 1 else text.strip('"')
        )
    return found


def _named(value: str, key: str) -> str:
    """Return a parameter that is a file's name, in any of the ways in which programs write it."""
    found = parameters(value)
    segments: dict[int, tuple[str, bool]] = {}
    for name, text in found.items():
        number = _CONTINUED.fullmatch(name.removeprefix(f"{key}*")) if name.startswith(f"{key}*") else None
        if number is None and name == f"{key}*":
            segments[-1] = (text, True)
        elif number is not None and number[1]:
            segments[int(number[1])] = (text, bool(number[2]))
    if not segments:
        return words(found.get(key, ""))
    if -1 in segments:  # whole; beside it the same may be in pieces
        segments = {0: segments[-1]}
    return _joined([segments[number] for number in sorted(segments)])


def _joined(segments: Sequence[tuple[str, bool]]) -> str:
    """Join the segments of a name (RFC 2231). The first one, if it is encoded, begins with the charset."""
    charset, rest = "", segments[0][0]
    if segments[0][1] and segments[0][0].count("'") >= 2:
        charset, _, rest = segments[0][0].split("'", 2)
    raw = b"".join(
        unquote_to_bytes(text.encode("latin-1", "replace")) if encoded else text.encode("latin-1", "replace")
        for text, encoded in [(rest, segments[0][1]), *segments[1:]]
    )
    return words(raw.decode("latin-1")) if raw.startswith(b"=?") else decoded(raw, charset)


def words(value: str) -> str:
    """Decode a header with encoded words (RFC 2047), and with bytes that nobody encoded."""
    pieces: list[tuple[str, bytes]] = []
    end = 0
    for match in _WORD.finditer(value[:MAX_HEADER]):
        between = value[end : match.start()]
        if between.strip() or not end:  # the space between two words is none of the text
            pieces.append(("", between.encode("latin-1", "replace")))
        raw = match[3].encode("latin-1", "replace")
        content = _base64(raw) if match[2] in "bB" else binascii.a2b_qp(raw, header=True)
        charset = match[1].partition("*")[0].lower()
        if pieces[-1][0] == charset:  # one character may begin in a word and end in the next
            pieces[-1] = (charset, pieces[-1][1] + content)
        else:
            pieces.append((charset, content))
        end = match.end()
    pieces.append(("", value[end:MAX_HEADER].encode("latin-1", "replace")))
    return "".join(decoded(raw, charset) for charset, raw in pieces)


def decoded(raw: bytes, charset: str) -> str:
    """Decode a text by its label where that fits, else as UTF-8 or GB 18030."""
    name = charset.strip().strip("\"'").lower()
    if _CHINESE.match(name):  # whatever it is called, programs write all of GB 18030
        tried: tuple[str, ...] = ("gb18030", "utf-8")
    elif name in _EMPTY_LABELS:
        tried = ("utf-8", "gb2312", "cp1252")
    else:
        tried = (name, *_GUESSES) if _KNOWN.fullmatch(name) else _GUESSES
    for encoding in tried:
        try:
            return raw.decode(codecs.lookup(encoding).name)
        except (UnicodeDecodeError, LookupError):
            continue
    return raw.decode("utf-8", "replace")


def received(headers: Headers) -> datetime | None:
    """Return when a message was received, in local time: by the last server on its way, else when it was written."""
    hops = (value.rpartition(";")[2] for value in islice(headers.get("received", ()), MAX_DEPTH))
    return next((time for text in (*hops, first(headers, "date")) if (time := _time(text)) is not None), None)


def _time(text: str) -> datetime | None:
    try:
        # -0000 is a time in UTC whose place is not known; Python returns it as one of here.
        time = parsedate_to_datetime(text[:MAX_DATE].replace("-0000", "+0000"))
        return time.astimezone().replace(tzinfo=None, microsecond=0)
    except (ValueError, TypeError, IndexError, OverflowError, OSError, AttributeError):
        return None
