"""What kind of file some content is: by the content, never by the name."""

from __future__ import annotations

import codecs
import re
from collections.abc import Collection
from enum import StrEnum

from kpixl.readers import locked, ole
from kpixl.readers.grid import UnreadableError, broken
from kpixl.readers.limits import Limits
from kpixl.readers.package import SIGNATURES, OpenedPackage


class FileKind(StrEnum):
    """Kinds that are read; everything else raises UnreadableError with its name."""

    PACKAGE = "workbook that is a zip package"
    OLD = "workbook of the old binary kind"
    DOCUMENT = "text document"
    ARCHIVE = "archive"
    MAIL = "mail"
    PDF = "PDF"
    PAGE = "HTML"
    XML2003 = "XML spreadsheet 2003"
    TEXT = "text"


Pair = tuple[str, str]  # the same in Chinese and English

_AS_XLSX = (
    "请用 Excel 或 WPS 打开，另存为 .xlsx 后重新提交。",
    "Save it from Excel or WPS as .xlsx and send it again.",
)
_AS_DOCX = (
    "请用 Word 或 WPS 打开，另存为 .docx 后重新提交。",
    "Save it from Word or WPS as .docx and send it again.",
)
_ORIGINAL = ("请提交可以编辑的原文件（.xlsx）。", "Send the original that can be edited (.xlsx).")
_UNPACK = ("请解压后提交其中的文件，或改用 .zip 压缩。", "Unpack it and send the files, or pack them as .zip.")
_ATTACHED = ("请把附件另存后提交。", "Save what is attached to it and send that.")
_DRAGGED = (
    "请在 Outlook 中把附件拖到文件夹里，或把邮件另存为 .eml。",
    "In Outlook drag what is attached into the folder, or save the message as .eml.",
)
_EACH_SAVED = ("请在邮件程序中把其中的邮件另存为 .eml。", "In the mail program save the mails in it as .eml.")
_SENT_PLAIN = (
    "附件被 Outlook 打包在其中，请发件人把邮件格式改为 HTML 或纯文本后重发。",
    "Outlook packed what was attached into it: ask the sender to send it again as HTML or plain text.",
)

_PICTURE = ("图片（{0}）", "a picture ({0})")
_PACKED = ("{0} 压缩包", "a {0} archive")

# Beginning of the content, what it is, what to do.
SIGNATURE_TABLE: tuple[tuple[bytes, str, Pair, Pair], ...] = (
    (b"\x89PNG\r\n", "PNG", _PICTURE, _ORIGINAL),
    (b"\xff\xd8\xff", "JPEG", _PICTURE, _ORIGINAL),
    (b"GIF8", "GIF", _PICTURE, _ORIGINAL),
    (b"BM....\0\0\0\0", "BMP", _PICTURE, _ORIGINAL),
    (b"II\\*\0", "TIFF", _PICTURE, _ORIGINAL),
    (b"MM\0\\*", "TIFF", _PICTURE, _ORIGINAL),
    (b"RIFF....WEBP", "WebP", _PICTURE, _ORIGINAL),
    (b"....ftyp(heic|heix|mif1|avif)", "HEIC", _PICTURE, _ORIGINAL),
    (b"Rar!\x1a\x07", "RAR", _PACKED, _UNPACK),
    (b"7z\xbc\xaf\x27\x1c", "7z", _PACKED, _UNPACK),
    (b"\x1f\x8b", "gzip", _PACKED, _UNPACK),
    (b"BZh[1-9]", "bzip2", _PACKED, _UNPACK),
    (b"\xfd7zXZ\0", "xz", _PACKED, _UNPACK),
    (b".{257}ustar", "tar", _PACKED, _UNPACK),
    (b"\\{\\\\rtf", "RTF", ("{0} 文档", "an {0} document"), _AS_DOCX),
    (b"MZ", "Windows", ("{0} 程序", "a program for {0}"), _ORIGINAL),
    (b"....ftyp", "MP4", ("视频", "a video"), _ORIGINAL),
    (b"\\x01\0\0\0.{36} EMF", "EMF", _PICTURE, _ORIGINAL),
    (b"\xd7\xcd\xc6\x9a", "WMF", _PICTURE, _ORIGINAL),
    (
        b"\x78\x9f\x3e\\x22",
        "winmail.dat",
        ("Outlook 专用格式的附件（{0}）", "a file that only Outlook reads ({0})"),
        _SENT_PLAIN,
    ),
    (
        b"From \\S[^\r\n]* \\d{4}\r?\n[A-Za-z][\\w-]*:",
        "mbox",
        ("存有多封邮件的文件（.{0}）", "a file of several mails (.{0})"),
        _EACH_SAVED,
    ),
)
_SIGNATURES = tuple((re.compile(start, re.DOTALL), word, what, remedy) for start, word, what, remedy in SIGNATURE_TABLE)

# Name at the root of an old Office file; the first that is there decides.
OLE_TABLE: tuple[tuple[str, Pair, Pair], ...] = (
    ("worddocument", ("旧版 Word 或 WPS 文字文档（.doc、.wps）", "an old Word or WPS document (.doc, .wps)"), _AS_DOCX),
    ("powerpoint document", ("演示文稿（.ppt、.dps）", "a presentation (.ppt, .dps)"), _ORIGINAL),
    ("__properties_version1.0", ("Outlook 邮件（.msg）", "an Outlook message (.msg)"), _DRAGGED),
    ("visiodocument", ("Visio 图", "a Visio drawing"), _ORIGINAL),
    ("contents", ("WPS 或 Works 文档", "a Works document"), _AS_DOCX),
)

# Part of a zip package that only one kind of file has.
PACKAGE_TABLE: tuple[tuple[str, Pair, Pair], ...] = (
    ("ppt/presentation.xml", ("演示文稿（.pptx）", "a presentation (.pptx)"), _ORIGINAL),
    ("ofd.xml", ("OFD 版式文件", "an OFD file"), _ORIGINAL),
    (
        "index/document.iwa",
        ("Apple iWork 文档（.numbers、.pages）", "an iWork document (.numbers, .pages)"),
        _AS_XLSX,
    ),
    ("visio/document.xml", ("Visio 图", "a Visio drawing"), _ORIGINAL),
    ("androidmanifest.xml", ("安卓程序", "an Android program"), _ORIGINAL),
)
_ODF = {
    "application/vnd.oasis.opendocument.text": (
        ("文字文档（.odt）", "an OpenDocument text (.odt)"),
        _AS_DOCX,
    ),
    "application/vnd.oasis.opendocument.presentation": (("演示文稿（.odp）", "a presentation (.odp)"), _ORIGINAL),
    "application/vnd.oasis.opendocument.graphics": (("OpenDocument 绘图", "an OpenDocument drawing"), _ORIGINAL),
    "application/epub+zip": (("电子书（.epub）", "an e-book (.epub)"), _ORIGINAL),
}

_ODF_BODY = re.compile(rb"<office:body\b[^<>]*+>\s*+<office:(\w+)")
_ODF_BODIES = {"text": "text", "presentation": "presentation"}
_OFFICE_FOLDERS = ("xl/", "word/", "docprops/", "customxml/", "_rels/")
_MAIN_PART = re.compile(
    rb"""<(?:\w+:)?Relationship\b(?=[^<>]*+\sType=["'][^"'<>]*+/officeDocument["'])[^<>]*?\sTarget=["']([^"'<>]++)["']"""
)
_NO_BOOK = ("文件中缺少工作簿的主要部分", "the main part of a workbook is missing")

_HEADER = re.compile(rb"([A-Za-z][\w-]{0,76})[ \t]*:")
# Headers that nothing but a mail has, and some that it has together.
_OF_MAIL = frozenset({b"received", b"mime-version", b"return-path", b"message-id", b"delivered-to", b"x-unsent"})
_TOGETHER = (b"from", frozenset({b"to", b"date", b"subject"}))
_HEADERS = 1 << 16  # bytes in which they are looked for: some servers put their signatures first
# A page saved by Excel or a browser as one file: its parts belong together, and it was sent to nobody.
_ARCHIVED = re.compile(
    rb"^Content-Type:\s*multipart/related|^X-Document-Type:\s*Workbook", re.IGNORECASE | re.MULTILINE
)
_SENT = re.compile(rb"^(?:Received|To|Delivered-To|Return-Path):", re.IGNORECASE | re.MULTILINE)
MAIL = (("电子邮件（.eml）", "an e-mail (.eml)"), _ATTACHED)
_WEB_ARCHIVE = (("网页存档（单个文件的网页，.mht）", "a web archive, a page in a single file (.mht)"), _AS_XLSX)
_FRAMES = (
    (
        "工作簿另存成的网页（.htm），各工作表在旁边同名的文件夹里",
        "a workbook saved as a web page (.htm), its sheets in the folder beside",
    ),
    _AS_XLSX,
)
_FLAT = (
    ("单个 XML 文件的 OpenDocument 文档（.fods 等）", "an OpenDocument file of plain XML (.fods and the like)"),
    _AS_XLSX,
)
# What comes before the first tag is taken once and for all: 100 comments could be parted in 2^99 ways.
_HTML = re.compile(
    r"(?:<\?xml[^>]*>|(?><!--.*?-->)|\s)*+<(?:!doctype\s+html|html|head|body|meta|table|div|style|tr)\b",
    re.IGNORECASE | re.DOTALL,
)
_XML = re.compile(r"\s*(?:<\?xml\b|<!--|<\w+:?\w*[\s>])")
_SPREADSHEET_2003 = "urn:schemas-microsoft-com:office:spreadsheet"
_SNIFFED = 4096


def other(kind: Pair, remedy: Pair) -> UnreadableError:
    """Make the error for a file of a kind that is not read."""
    return UnreadableError("other-kind", kind=kind, remedy=remedy)


def unsealed(content: bytes) -> bytes:
    """Return what kind_of and the readers are to see: an old Office file that Excel opens without asking as it does."""
    if not content.startswith(ole.SIGNATURE):
        return content
    content = ole.with_true_header(content)
    return (locked.unlocked(content) if locked.is_locked(content) else None) or content


def kind_of(content: bytes, limits: Limits) -> tuple[FileKind, OpenedPackage | None]:
    """Detect the kind of a file, and return it opened where it is a zip package.

    Raises UnreadableError `file-empty` where there is nothing, `other-kind` that names what the file is where kpixl
    does not read such files,
    `password` where it is encrypted, and what Package raises.
    """
    if not content:
        raise UnreadableError("file-empty")
    if content.startswith(SIGNATURES):
        package = OpenedPackage(content, limits)
        return _package_kind(package), package
    if content.startswith(ole.SIGNATURE):
        return _old_kind(content), None
    if b"%PDF-" in content[:1024]:
        return FileKind.PDF, None
    for start, word, what, remedy in _SIGNATURES:
        if start.match(content):
            raise other((what[0].format(word), what[1].format(word)), remedy)
    return _text_kind(content), None


def _package_kind(package: OpenedPackage) -> FileKind:
    names = package.names
    if any(name.startswith("xl/workbook.") for name in names):
        return FileKind.PACKAGE
    if "word/document.xml" in names:
        return FileKind.DOCUMENT
    if "mimetype" in names:
        mime = package.read("mimetype")[:200].decode("ascii", "replace").strip()
        if mime in _ODF:
            raise other(*_ODF[mime])
        if mime.startswith("application/vnd.oasis.opendocument.spreadsheet"):
            return FileKind.PACKAGE
    for name, what, remedy in PACKAGE_TABLE:
        if name in names:
            raise other(what, remedy)
    if "content.xml" in names and "mimetype" not in names:
        return _unnamed_kind(package)
    if "meta-inf/manifest.xml" in names:
        return FileKind.PACKAGE  # with unusual names; calamine reports why it cannot be read
    if not names.keys().isdisjoint(("[content_types].xml", "_rels/.rels")) or _is_office(names):
        return _office_kind(package)
    return FileKind.ARCHIVE


def _unnamed_kind(package: OpenedPackage) -> FileKind:
    """Detect the kind of an OpenDocument file without its `mimetype`, as some programs leave it out."""
    body = _ODF_BODY.search(package.read("content.xml"))
    if body is None or body[1] == b"spreadsheet":
        return FileKind.PACKAGE
    mime = f"application/vnd.oasis.opendocument.{_ODF_BODIES.get(body[1].decode(), 'graphics')}"
    raise other(*_ODF[mime])


def _is_office(names: Collection[str]) -> bool:
    """Return whether a package holds nothing but parts of an Office file."""
    return all(name.startswith(_OFFICE_FOLDERS) for name in names) and any(name.endswith(".xml") for name in names)


def _office_kind(package: OpenedPackage) -> FileKind:
    """Detect the kind of an Office file whose main part is not where it usually is. Raises UnreadableError."""
    main = _MAIN_PART.search(package.read("_rels/.rels"))
    if main is None or main[1].decode("utf-8", "replace").casefold().lstrip("/") not in package.names:
        raise broken(_NO_BOOK)
    return FileKind.PACKAGE


def _old_kind(content: bytes) -> FileKind:
    if locked.is_locked(content):
        raise UnreadableError("password")
    names = ole.root_names(content)
    if "workbook" not in names and "book" not in names:
        for name, what, remedy in OLE_TABLE:
            if name in names:
                raise other(what, remedy)
    if ole.is_endless(content):
        raise broken(("文件内部的索引已损坏", "its internal index is damaged"))
    return FileKind.OLD


def _text_kind(content: bytes) -> FileKind:
    start = start_of(content)
    if _HTML.match(start):
        if "<frameset" in start.casefold() and "worksheet" in start.casefold():
            raise other(*_FRAMES)
        return FileKind.PAGE
    if _XML.match(start):
        if _SPREADSHEET_2003 in start:
            return FileKind.XML2003
        if "urn:oasis:names:tc:opendocument" in start and ":document" in start:
            raise other(*_FLAT)
        if "urn:schemas-microsoft-com:office:word" in start or "/wordml" in start:
            raise other(("Word 2003 XML 文档", "a Word 2003 XML document"), _AS_DOCX)
        if start.lstrip().startswith("<?xml"):
            raise other(("XML 文件", "an XML file"), _AS_XLSX)
    if not _is_mail(content):
        return FileKind.TEXT
    if _ARCHIVED.search(content[:_SNIFFED]) is not None and _SENT.search(content[:_SNIFFED]) is None:
        raise other(*_WEB_ARCHIVE)
    return FileKind.MAIL


def _is_mail(content: bytes) -> bool:
    """Return whether a text begins with the headers of a mail."""
    content = content.removeprefix(codecs.BOM_UTF8).lstrip(b"\r\n")
    if _HEADER.match(content) is None:
        return False
    names = set()
    for line in content[:_HEADERS].split(b"\n"):
        if not line.strip():
            break
        if (header := _HEADER.match(line)) is not None:
            names.add(header[1].lower())
    return not names.isdisjoint(_OF_MAIL) or (_TOGETHER[0] in names and not names.isdisjoint(_TOGETHER[1]))


def is_picture(content: bytes) -> bool:
    """Return whether some content is a picture."""
    return any(start.match(content) for start, _, what, _ in _SIGNATURES if what is _PICTURE)


def start_of(content: bytes) -> str:
    """Decode the beginning of a text as far as its marks-up is concerned."""
    head = content[:_SNIFFED]
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return head.decode("utf-16", "replace")
    return head.removeprefix(codecs.BOM_UTF8).decode("latin-1")
