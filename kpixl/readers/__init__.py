"""Files -> grids: whatever a file is, its cells as rows of values.

The kind is recognised by the content (kinds); each kind has its module, each library is loaded with its first file.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from kpixl.problems import Location, Problem
from kpixl.readers.container import BETWEEN, Delivery, Member, too_deep
from kpixl.readers.detect import MAIL, FileKind, kind_of, other, unsealed
from kpixl.readers.grid import FileReading, Grid, UnreadableError, exceeded, file_too_large
from kpixl.readers.limits import DEFAULT_LIMITS, Limits
from kpixl.readers.struck import struck_problems

__all__ = [
    "BETWEEN",
    "DEFAULT_LIMITS",
    "Delivery",
    "FileReading",
    "Grid",
    "Limits",
    "Member",
    "Opened",
    "UnreadableError",
    "exceeded",
    "file_too_large",
    "members",
    "open_content",
    "read_grids",
    "read_opened",
    "too_deep",
]

Found = tuple[list[Grid], list[Problem]]
_PACKED = (("压缩包（.zip）", "an archive (.zip)"), ("请解压后指定其中的文件。", "Unpack it and name the file."))


class Opened:
    """Some content whose kind is known; `package` where it is a zip package.

    `original`: the bytes as they came. `content`: what is read of them, which is something else where the file is
    encrypted under the password built into Excel, or its header is wrong.
    """

    def __init__(self, content: bytes, limits: Limits) -> None:
        self.original, self.limits = content, limits
        self.content = unsealed(content)
        self.kind, self.package = kind_of(self.content, limits)

    @property
    def sha256(self) -> str:
        """Return the digest of the bytes as they came."""
        return hashlib.sha256(self.original).hexdigest()

    @property
    def is_container(self) -> bool:
        """Return whether it holds files: an archive or a mail."""
        return self.kind in (FileKind.ARCHIVE, FileKind.MAIL)


def open_content(content: bytes, limits: Limits = DEFAULT_LIMITS) -> Opened:
    """Detect the kind of some content. Raises UnreadableError."""
    return Opened(content, limits)


def members(opened: Opened, shown: str) -> Iterator[Member]:
    """Yield the files of an archive or a mail; no others of any other kind. Raises UnreadableError."""
    if opened.kind is FileKind.MAIL:
        from kpixl.readers import mail

        yield from mail.members(opened.content, shown, opened.limits)
    elif opened.kind is FileKind.ARCHIVE and opened.package is not None:
        from kpixl.readers import archive

        yield from archive.members(opened.package, shown, opened.limits)


def read_grids(content: bytes, file: str, limits: Limits = DEFAULT_LIMITS) -> FileReading:
    """Read every grid of a file, its kind detected by its content. Whatever is wrong comes back as a problem."""
    try:
        opened = open_content(content, limits)
    except UnreadableError as error:
        return FileReading(hashlib.sha256(content).hexdigest(), (), (error.problem(file),))
    return read_opened(opened, file)


def read_opened(opened: Opened, file: str) -> FileReading:
    """Read every grid of opened content. Whatever is wrong comes back as a problem."""
    try:
        grids, problems = _read(opened, file)
    except UnreadableError as error:
        grids, problems = [], [error.problem(file)]
    if not grids and not problems:
        problems = [Problem("no-sheets", Location(file))]
    return FileReading(opened.sha256, tuple(grids), tuple(problems))


def _read(opened: Opened, file: str) -> Found:
    content, limits, package = opened.content, opened.limits, opened.package
    if opened.kind is FileKind.PACKAGE and package is not None:
        from kpixl.readers import workbook as workbooks

        return workbooks.read_package(package, file, limits)
    if opened.kind is FileKind.OLD:
        from kpixl.readers import workbook as workbooks

        return workbooks.read_old(content, file, limits)
    if opened.kind is FileKind.DOCUMENT and package is not None:
        from kpixl.readers import docx

        grids, struck = docx.read_document(package, limits)
        return grids, struck_problems(struck, file)
    if opened.kind is FileKind.ARCHIVE:
        raise other(*_PACKED)
    if opened.kind is FileKind.MAIL:
        raise other(*MAIL)
    if opened.kind is FileKind.TEXT:
        from kpixl.readers import text as texts

        return texts.read_text(content, file, limits), []
    return _read_marked_up(opened.kind, content, limits, file)


def _read_marked_up(kind: FileKind, content: bytes, limits: Limits, file: str) -> Found:
    if kind is FileKind.PDF:
        from kpixl.readers import pdf

        return pdf.read_pdf(content, limits), []
    if kind is FileKind.XML2003:
        from kpixl.readers import xml2003

        return xml2003.read_xml(content, limits), []
    from kpixl.readers import html as pages

    grids, struck = pages.read_page(content, limits)
    return grids, struck_problems(struck, file)
