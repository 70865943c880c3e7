"""The properties of a document that show which of two files was saved later, and by whom."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from html import unescape

from kpixl.readers.grid import UnreadableError
from kpixl.readers.package import OpenedPackage

# Where packages keep them, and the elements: Open XML, then OpenDocument.
_OPEN_XML = ("docProps/core.xml", b"dcterms:modified", b"cp:lastModifiedBy")
_OPEN_DOCUMENT = ("meta.xml", b"dc:date", b"dc:creator")
_MOST = 1 << 16  # bytes; beyond, it is no list of properties
_MAX_NAME = 200  # characters


@dataclass(frozen=True, slots=True)
class Properties:
    """When a file was last saved (UTC), and by whom, as its program recorded it; None and "" where it did not."""

    saved: datetime | None = None
    editor: str = ""


NO_PROPERTIES = Properties()


def read_properties(package: OpenedPackage) -> Properties:
    """Read the properties of a package; what is missing or damaged counts as not recorded."""
    name, saved, editor = _OPEN_DOCUMENT if "meta.xml" in package.names else _OPEN_XML
    part = package.names.get(name.casefold())
    if part is None or part.file_size > _MOST:
        return Properties()
    try:
        content = package.read(name)
    except UnreadableError:
        return Properties()
    return Properties(_time(_text(content, saved)), _text(content, editor))


def _text(content: bytes, element: bytes) -> str:
    found = re.search(rb"<" + element + rb"(?:\s[^<>]*)?>([^<]*)<", content)
    return " ".join(unescape(found[1].decode("utf-8", "replace")).split())[:_MAX_NAME] if found else ""


def _time(text: str) -> datetime | None:
    """Read a time as Open XML and OpenDocument write it; one without a zone is UTC in the former, taken as such."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    try:
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
