"""Archives (.zip): the files within, as far as they may be read. No name in an archive is ever used as a path."""

from __future__ import annotations

import stat
import zipfile
from collections.abc import Iterator
from datetime import datetime
from pathlib import PurePosixPath

from kpixl.files import natural_key, skip_reason
from kpixl.problems import Location, Problem
from kpixl.readers.container import Labels, Member, clean_name
from kpixl.readers.grid import file_too_large
from kpixl.readers.limits import Limits
from kpixl.readers.package import ERRORS, OpenedPackage

_UTF8_NAME, _ENCRYPTED = 0x800, 0x1
_DAMAGED = (
    "它在压缩包中已损坏，或压缩方式不受支持",
    "it is damaged in the archive, or packed in another way",
)


def members(package: OpenedPackage, shown: str, limits: Limits) -> Iterator[Member]:
    """Yield the files of an archive in natural order. Raises UnreadableError where it exceeds a bound."""
    package.check_size()
    named = sorted(((_name(part), part) for part in package.parts), key=lambda item: natural_key(item[0]))
    labels = Labels(shown)
    for name, part in named:
        if not part.is_dir():
            yield _member(package, part, name, labels.of(name), limits)._replace(modified=_time(part))


def _member(package: OpenedPackage, part: zipfile.ZipInfo, name: str, shown: str, limits: Limits) -> Member:
    where = Location(shown)
    if stat.S_ISLNK(part.external_attr >> 16):
        return Member(shown, b"", Problem("file-skipped", where, {"reason": ("链接", "a link")}))
    if (reason := skip_reason(PurePosixPath(name))) is not None or name.startswith("__MACOSX/"):
        return Member(shown, b"", Problem("file-skipped", where, {"reason": reason or ("隐藏文件", "hidden file")}))
    if part.flag_bits & _ENCRYPTED:
        return Member(shown, b"", Problem("password", where))
    if part.file_size > limits.file_bytes:
        return Member(shown, b"", file_too_large(part.file_size, limits).problem(shown))
    try:
        return Member(shown, package.zip.read(part))
    except ERRORS:
        return Member(shown, b"", Problem("not-readable", where, {"reason": _DAMAGED}))


def _time(part: zipfile.ZipInfo) -> datetime | None:
    """Return when a file was last written, in local time as archives keep it; None where that is no time."""
    try:
        return datetime(*part.date_time)
    except ValueError:
        return None


def _name(part: zipfile.ZipInfo) -> str:
    """Decode a name, which Windows in China writes in GBK without saying so, and leave out what a path could abuse."""
    name = part.filename
    if not part.flag_bits & _UTF8_NAME:
        raw = name.encode("cp437", "replace")
        for encoding in ("utf-8", "gb18030"):
            try:
                name = raw.decode(encoding)
                break
            except UnicodeDecodeError:
                continue
    return clean_name(name)
