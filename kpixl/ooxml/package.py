"""A zip package whose parts are read and changed one by one: whatever is not changed is copied as it is."""

from __future__ import annotations

import io
import posixpath
import zipfile
import zlib

from kpixl.ooxml.xml import DAMAGED, TOO_LARGE, PackageError, check

MAX_MEMBERS = 20_000  # parts: a sheet has about five, and few offices have 4,000 sheets
MAX_UNPACKED = 512 << 20  # bytes of all parts: room for pictures, and for a million formatted rows
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the first moment that a zip entry can have: equal parts give equal bytes
_ERRORS = (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, OSError, ValueError, KeyError)


class Package:
    """The parts of a package. Raises PackageError where it is damaged, too large, or a name leads outside."""

    def __init__(self, content: bytes, *, members: int = MAX_MEMBERS, unpacked: int = MAX_UNPACKED) -> None:
        try:
            self._zip = zipfile.ZipFile(io.BytesIO(content))
        except _ERRORS as error:
            raise PackageError(DAMAGED) from error
        entries = self._zip.infolist()
        # zipfile stops each part at the size that it declares, so the declared sizes are a bound on what is read.
        if len(entries) > members or sum(entry.file_size for entry in entries) > unpacked:
            raise PackageError(TOO_LARGE)
        self._entries = {entry.filename: entry for entry in entries}
        # Names are compared without case, and whichever way their slashes lean, as Office does.
        self._names = {_folded(name): name for name in self._entries}
        # Of two parts of one name every program reads another one; a name that leads outside is an attack.
        if len(self._names) < len(entries) or any(map(_leads_out, self._names)):
            raise PackageError(DAMAGED)
        self._changed: dict[str, bytes | None] = {}  # None: removed

    def names(self) -> list[str]:
        """List the parts that there are now."""
        there = [name for name in self._entries if name not in self._changed]
        return there + [name for name, content in self._changed.items() if content is not None]

    def read(self, name: str) -> bytes:
        """Return a part as it is now; b"" where there is none."""
        name = self._spelled(name)
        if name in self._changed:
            return self._changed[name] or b""
        if name not in self._entries:
            return b""
        try:
            return self._zip.read(name)
        except _ERRORS as error:
            raise PackageError(DAMAGED) from error

    def size(self, name: str) -> int:
        """Return the size of a part in bytes, without unpacking it; 0 where there is none."""
        name = self._spelled(name)
        if name in self._changed:
            return len(self._changed[name] or b"")
        return self._entries[name].file_size if name in self._entries else 0

    def has(self, name: str) -> bool:
        """Return whether there is such a part."""
        name = self._spelled(name)
        return self._changed[name] is not None if name in self._changed else name in self._entries

    def write(self, name: str, content: bytes) -> None:
        """Change a part, or add one."""
        name = self._spelled(name)
        self._names.setdefault(_folded(name), name)
        self._changed[name] = content

    def remove(self, name: str) -> None:
        """Remove a part, if it is there."""
        if self.has(name):
            self._changed[self._spelled(name)] = None

    def check(self) -> None:
        """Raise PackageError where a part is not well-formed; not of drawings of notes, which Excel itself spoils."""
        for name in self.names():
            if name.casefold().endswith((".xml", ".rels")):
                check(self.read(name))

    def finish(self) -> bytes:
        """Pack everything again; equal changes give equal bytes."""
        out = io.BytesIO()
        left = dict(self._changed)
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target:
            for name, entry in self._entries.items():
                content = left.pop(name) if name in left else self.read(name)
                if content is not None:
                    target.writestr(_entry(name, entry.date_time, entry.compress_type), content)
            for name, content in left.items():
                if content is not None:
                    target.writestr(_entry(name, _EPOCH), content)
        return out.getvalue()

    def _spelled(self, name: str) -> str:
        """Return a name as the package spells it."""
        return self._names.get(_folded(name), name)


def _folded(name: str) -> str:
    return name.casefold().replace("\\", "/")


def _leads_out(name: str) -> bool:
    return name.startswith("/") or ".." in name.split("/") or ":" in name.split("/")[0]


def _entry(
    name: str, moment: tuple[int, int, int, int, int, int], packing: int = zipfile.ZIP_DEFLATED
) -> zipfile.ZipInfo:
    """Make a directory entry; what was stored plainly stays so (an OpenDocument begins with its plain media type)."""
    entry = zipfile.ZipInfo(name, max(moment, _EPOCH))
    entry.compress_type = zipfile.ZIP_STORED if packing == zipfile.ZIP_STORED else zipfile.ZIP_DEFLATED
    return entry


def rels_name(part: str) -> str:
    """Name the part that holds the relations of a part."""
    folder, name = posixpath.split(part)
    return posixpath.join(folder, "_rels", f"{name}.rels")
