"""The parts of a workbook, to be changed one by one: whatever is not touched is copied as it is."""

from __future__ import annotations

import io
import posixpath
import zipfile
from collections.abc import Iterator

from kpixl.grids import UnreadableError
from kpixl.grids.packages import Package
from kpixl.mark.xml import DAMAGED, OFFICE, RELATIONS, Tree, UnmarkableError, add, dump, parse, q

CONTENT_TYPES = "[Content_Types].xml"
_EPOCH = (1980, 1, 1, 0, 0, 0)
_NO_RELATIONS = f'<?xml version="1.0" encoding="UTF-8"?><Relationships xmlns="{RELATIONS}"/>'.encode()
_KIND = OFFICE + "/"  # in front of the kind of a relation


class ChangedPackage:
    """A package being changed. Raises UnmarkableError where a part is damaged."""

    def __init__(self, package: Package) -> None:
        self._package = package
        self._changed: dict[str, bytes | None] = {}  # None: removed
        self._names = {name: part.filename for name, part in package.names.items()}

    def read(self, name: str) -> bytes:
        """Return a part as it is now; b"" where there is none."""
        if name in self._changed:
            return self._changed[name] or b""
        try:
            return self._package.read(name)
        except UnreadableError as error:
            raise UnmarkableError(DAMAGED) from error

    def has(self, name: str) -> bool:
        """Tell whether there is such a part."""
        return self._changed[name] is not None if name in self._changed else name.casefold() in self._names

    def write(self, name: str, content: bytes) -> None:
        """Change a part, or add one."""
        self._changed[self._names.get(name.casefold(), name)] = content

    def remove(self, name: str) -> None:
        """Remove a part, if it is there."""
        if self.has(name):
            self._changed[self._names.get(name.casefold(), name)] = None

    def finish(self) -> bytes:
        """Pack everything again; equal changes give equal bytes."""
        out = io.BytesIO()
        left = dict(self._changed)
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target:
            for part in self._package.names.values():
                content = left.pop(part.filename) if part.filename in left else self.read(part.filename)
                if content is not None:
                    target.writestr(_entry(part.filename, part.date_time, part.compress_type), content)
            for name, content in left.items():
                if content is not None:
                    target.writestr(_entry(name, _EPOCH), content)
        return out.getvalue()


class Parts(ChangedPackage):
    """A workbook being changed. Raises UnmarkableError where its parts are not what the standard says."""

    def __init__(self, package: Package) -> None:
        super().__init__(package)
        self.types = parse(self.read(CONTENT_TYPES))
        self.workbook = self._target("", "officeDocument")
        root = parse(self.read(self.workbook))
        if root.tag != q("workbook"):
            raise UnmarkableError(("“严格开放式”的 .xlsx", "a Strict Open XML workbook"))
        self.book = root

    def write(self, name: str, content: bytes, kind: str | None = None) -> None:
        """Change a part, or add one of the content type `kind`."""
        super().write(name, content)
        if kind is not None and not any(node.get("PartName") == f"/{name}" for node in self.types):
            add(self.types, "Override", PartName=f"/{name}", ContentType=kind)

    def default_type(self, ending: str, kind: str) -> None:
        """Give all parts whose names end so a content type."""
        if not any((node.get("Extension") or "").casefold() == ending for node in self.types):
            node = add(self.types, "Default", Extension=ending, ContentType=kind)
            self.types.insert(0, node)

    def remove(self, name: str) -> None:
        """Remove a part, and its relations with it."""
        super().remove(name)
        super().remove(rels_name(name))
        for node in [n for n in self.types if (n.get("PartName") or "").casefold() == f"/{name}".casefold()]:
            self.types.remove(node)

    def remove_folder(self, folder: str) -> bool:
        """Remove all parts under a folder; tell whether there were any."""
        names = [name for name in self._names.values() if name.casefold().startswith(folder)]
        for name in names:
            self.remove(name)
        return bool(names)

    def unused(self, pattern: str) -> str:
        """Fill the first number into a name pattern that makes a part that is not there yet."""
        number = 1
        while self.has(pattern.format(number)):
            number += 1
        return pattern.format(number)

    # --- relations ---------------------------------------------------------------------------

    def relations(self, part: str) -> Iterator[tuple[Tree, str, str]]:
        """Yield (element, last word of its type, target part) of each relation of a part that stays in the file."""
        for node in parse(self.read(rels_name(part)) or _NO_RELATIONS):
            if isinstance(node.tag, str) and node.get("TargetMode") != "External":
                target = posixpath.join("/", posixpath.dirname(part), node.get("Target", ""))
                yield node, node.get("Type", "").rpartition("/")[2], posixpath.normpath(target).lstrip("/")

    def related(self, part: str, kind: str) -> str | None:
        """Return the part that a relation of some kind leads to."""
        return next((target for _, found, target in self.relations(part) if found == kind), None)

    def _target(self, part: str, kind: str) -> str:
        target = self.related(part, kind)
        if target is None or not self.has(target):
            raise UnmarkableError(DAMAGED)
        return target

    def relate(self, part: str, kind: str, target: str) -> str:
        """Add a relation; return its id."""
        root = parse(self.read(rels_name(part)) or _NO_RELATIONS)
        taken = {node.get("Id") for node in root}
        key = next(f"rIdK{number}" for number in range(1, len(taken) + 2) if f"rIdK{number}" not in taken)
        add(root, "Relationship", Id=key, Type=_KIND + kind, Target=f"/{target}")
        self.write(rels_name(part), dump(root))
        return key

    def unrelate(self, part: str, target: str) -> None:
        """Remove the relations of a part to another."""
        keys = {node.get("Id") for node, _, found in self.relations(part) if found == target}
        root = parse(self.read(rels_name(part)) or _NO_RELATIONS)
        for node in [n for n in root if n.get("Id") in keys]:
            root.remove(node)
        self.write(rels_name(part), dump(root))

    # --- the whole ---------------------------------------------------------------------------

    def finish(self) -> bytes:
        """Pack the workbook again."""
        self.write(self.workbook, dump(self.book))
        self.write(CONTENT_TYPES, dump(self.types))
        return super().finish()


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
