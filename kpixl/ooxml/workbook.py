"""A workbook as a package: content types, relations, sheets and defined names, each of which can be changed."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from kpixl.ooxml.package import MAX_MEMBERS, MAX_UNPACKED, Package, rels_name
from kpixl.ooxml.styles import EMPTY_STYLES
from kpixl.ooxml.xml import (
    DAMAGED,
    OFFICE,
    RELATIONS,
    STRICT,
    PackageError,
    Tree,
    add,
    add_related,
    dump,
    parse,
    q,
    whole,
)

CONTENT_TYPES = "[Content_Types].xml"
_NO_RELATIONS = f'<?xml version="1.0" encoding="UTF-8"?><Relationships xmlns="{RELATIONS}"/>'.encode()
_KIND = OFFICE + "/"  # in front of the kind of a relation
_STYLES = "xl/styles.xml"  # openpyxl and calamine look for it here, whatever the relation names
_STYLES_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.styles+xml"
_MAIN_TYPES = {
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml",
    ".xlsm": "application/vnd.ms-excel.sheet.macroEnabled.main+xml",
}
_SIGNATURES = "_xmlsignatures/"
# The elements that the standard wants in front of some others in workbook.xml.
_BEFORE_NAMES = ("sheets", "functionGroups", "externalReferences")


class Relation(NamedTuple):
    """A relation of a part: its element, the last word of its type, the part it leads to ("" outside of the file)."""

    node: Tree
    kind: str
    target: str


class BookSheet(NamedTuple):
    """A sheet of a workbook: its name, its part, its element in workbook.xml, and whether it has cells."""

    name: str
    path: str
    node: Tree
    worksheet: bool


class Workbook(Package):
    """A workbook being read or changed. Raises PackageError where its parts are not as the standard wants them."""

    def __init__(self, content: bytes, *, members: int = MAX_MEMBERS, unpacked: int = MAX_UNPACKED) -> None:
        super().__init__(content, members=members, unpacked=unpacked)
        self.types = parse(self.read(CONTENT_TYPES))
        part = self.related("", "officeDocument")
        if part is None or not self.has(part):
            raise PackageError(DAMAGED)
        self.part = part
        self.book = parse(self.read(part))
        if self.book.tag != q("workbook"):
            raise PackageError(STRICT)
        sheets = self.book.find(q("sheets"))
        if sheets is None:
            raise PackageError(DAMAGED)
        for node in [n for n in sheets if not isinstance(n.tag, str)]:
            sheets.remove(node)  # a comment would count where sheets are counted
        self.listed = sheets

    # --- parts --------------------------------------------------------------------------------

    def write(self, name: str, content: bytes, kind: str | None = None) -> None:
        """Change a part, or add one of the content type `kind`."""
        super().write(name, content)
        if kind is not None and self.type_of(name) is None:
            add(self.types, "Override", PartName=f"/{name}", ContentType=kind)

    def type_of(self, name: str) -> str | None:
        """Return the content type that is declared for a part of this name."""
        wanted = f"/{name}".casefold()
        found = (n.get("ContentType") for n in self.types if (n.get("PartName") or "").casefold() == wanted)
        return next(found, None)

    def default_type(self, ending: str, kind: str) -> None:
        """Give all parts whose names end so a content type."""
        if not any((node.get("Extension") or "").casefold() == ending for node in self.types):
            node = add(self.types, "Default", Extension=ending, ContentType=kind)
            self.types.insert(0, node)

    def fit_ending(self, ending: str) -> None:
        """Declare the workbook as what its file name promises; Excel opens it only if both agree."""
        wanted = _MAIN_TYPES.get(ending.lower())
        for node in self.types:
            if wanted and (node.get("PartName") or "").casefold() == f"/{self.part}".casefold():
                node.set("ContentType", wanted)

    def remove(self, name: str) -> None:
        """Remove a part, with its relations and its content type."""
        super().remove(name)
        super().remove(rels_name(name))
        self.drop_type(name)

    def drop_type(self, name: str) -> None:
        """Remove the content type that is declared for a part."""
        for node in [n for n in self.types if (n.get("PartName") or "").casefold() == f"/{name}".casefold()]:
            self.types.remove(node)

    def remove_signatures(self) -> bool:
        """Remove digital signatures, which no changed file can keep; return whether there were any."""
        names = [name for name in self.names() if name.casefold().startswith(_SIGNATURES)]
        for name in names:
            self.remove(name)
        for relation in list(self.relations("")) if names else ():
            if relation.kind == "origin":
                self.unrelate("", relation.target)
        return bool(names)

    def unused(self, pattern: str) -> str:
        """Fill the first number into a name pattern that makes a part that is not there yet."""
        number = 1
        while self.has(pattern.format(number)):
            number += 1
        return pattern.format(number)

    # --- relations ----------------------------------------------------------------------------

    def relations(self, part: str) -> Iterator[Relation]:
        """Yield the relations of a part."""
        content = self.read(rels_name(part))
        for node in parse(content) if content else ():
            if not isinstance(node.tag, str):
                continue
            target = ""
            if node.get("TargetMode") != "External":
                # Joined to the root first, so that no number of ".." leads out of the package.
                target = posixpath.join("/", posixpath.dirname(part), node.get("Target", ""))
                target = posixpath.normpath(target).lstrip("/")
            yield Relation(node, node.get("Type", "").rpartition("/")[2], target)

    def related(self, part: str, kind: str) -> str | None:
        """Return the part of the file that a relation of some kind leads to."""
        return next((r.target for r in self.relations(part) if r.kind == kind and r.target), None)

    def relate(self, part: str, kind: str, target: str) -> str:
        """Add a relation; return its id."""
        root = parse(self.read(rels_name(part)) or _NO_RELATIONS)
        taken = {node.get("Id") for node in root}
        key = next(f"rIdK{number}" for number in range(1, len(taken) + 2) if f"rIdK{number}" not in taken)
        add(root, "Relationship", Id=key, Type=_KIND + kind, Target=_relative(part, target))
        self.write(rels_name(part), dump(root))
        return key

    def unrelate(self, part: str, target: str) -> None:
        """Remove the relations of a part to another."""
        keys = {relation.node.get("Id") for relation in self.relations(part) if relation.target == target}
        root = parse(self.read(rels_name(part)) or _NO_RELATIONS)
        for node in [n for n in root if n.get("Id") in keys]:
            root.remove(node)
        self.write(rels_name(part), dump(root))

    def copy_relations(self, part: str, relations: Iterable[tuple[Tree, str]]) -> None:
        """Give a part the relations of another package, each with the part that it leads to here ("" outside)."""
        root = parse(_NO_RELATIONS)
        for node, target in relations:
            facts = {**dict(node.attrib), **({"Target": _relative(part, target)} if target else {})}
            add(root, "Relationship", **facts)
        self.write(rels_name(part), dump(root))

    def drop_relations(self, part: str) -> None:
        """Remove all relations of a part."""
        super().remove(rels_name(part))

    def reached(self, parts: Iterable[str]) -> set[str]:
        """Return the parts to which relations lead from `parts`, themselves included; "" is the package."""
        found: set[str] = set()
        left = list(parts)
        while left:
            part = left.pop()
            if part in found or (part and not self.has(part)):
                continue
            found.add(part)
            if self.has(rels_name(part)):
                left += [relation.target for relation in self.relations(part) if relation.target]
        return found

    # --- sheets -------------------------------------------------------------------------------

    def sheets(self) -> list[BookSheet]:
        """List the sheets in their order. Raises PackageError where one has no part of its own."""
        parts = {relation.node.get("Id"): relation for relation in self.relations(self.part)}
        found = []
        for node in self.listed:
            relation = parts.get(node.get(q("id", OFFICE)))
            if relation is None or not self.has(relation.target):
                raise PackageError(DAMAGED)
            found.append(BookSheet(node.get("name", ""), relation.target, node, relation.kind == "worksheet"))
        if len({sheet.path for sheet in found}) < len(found):  # changing one sheet would change the other
            raise PackageError(DAMAGED)
        return found

    def add_sheet(self, place: int, name: str, path: str) -> Tree:
        """List a sheet, whose part is there, at a place; return its element."""
        key = self.relate(self.part, "worksheet", path)
        taken = {node.get("sheetId") for node in self.listed}
        free = next(number for number in range(1, len(taken) + 2) if str(number) not in taken)
        node = add_related(self.listed, "sheet", key, name=name, sheetId=str(free))
        self.listed.insert(place, node)
        self._renumber(place, 1)
        return node

    def remove_sheet(self, sheet: BookSheet) -> None:
        """Remove a sheet with its part and its names; what its part leads to stays."""
        place = list(self.listed).index(sheet.node)
        self.unrelate(self.part, sheet.path)
        self.remove(sheet.path)
        self.listed.remove(sheet.node)
        for node in list(self.names_of(place)):
            node.getparent().remove(node)
        self._renumber(place + 1, -1)

    def _renumber(self, first: int, step: int) -> None:
        """Let names that belong to one sheet follow it when sheets before it come or go."""
        for node in self.book.iter(q("definedName")):
            if node.get("localSheetId") is not None and (number := whole(node, "localSheetId")) >= first:
                node.set("localSheetId", str(number + step))

    # --- names --------------------------------------------------------------------------------

    def names_of(self, place: int | None) -> Iterator[Tree]:
        """Yield the defined names that belong to the sheet at a place; None: to the whole workbook."""
        wanted = None if place is None else str(place)
        for node in self.book.iter(q("definedName")):
            if node.get("localSheetId") == wanted:
                yield node

    def define(self, node: Tree, place: int | None) -> None:
        """Take over a defined name of another workbook."""
        group = self.book.find(q("definedNames"))
        if group is None:
            group = add(self.book, "definedNames")
            [child for child in self.book if child.tag in map(q, _BEFORE_NAMES)][-1].addnext(group)
        facts = {key: value for key, value in node.attrib.items() if key != "localSheetId"}
        if place is not None:
            facts["localSheetId"] = str(place)
        add(group, "definedName", node.text or "", **facts)

    def calculate_on_load(self) -> None:
        """Have Excel calculate every formula anew, and drop the order in which it did so."""
        if (chain := self.related(self.part, "calcChain")) is not None:
            self.unrelate(self.part, chain)
            self.remove(chain)
        node = self.book.find(q("calcPr"))
        if node is None:
            node = add(self.book, "calcPr")
            before = (*_BEFORE_NAMES, "definedNames")
            [child for child in self.book if child.tag in map(q, before)][-1].addnext(node)
        node.set("fullCalcOnLoad", "1")

    # --- the whole ----------------------------------------------------------------------------

    def styles_part(self) -> str:
        """Return the part of the styles, made where the workbook has none."""
        part = self.related(self.part, "styles")
        if part is None or not self.has(part):
            part = _STYLES
            self.relate(self.part, "styles", part)
            self.write(part, EMPTY_STYLES, _STYLES_TYPE)
        return part

    def finish(self) -> bytes:
        """Pack the workbook again."""
        for group in list(self.book.iter(q("definedNames"))):
            if not len(group):
                group.getparent().remove(group)
        self.write(self.part, dump(self.book))
        super().write(CONTENT_TYPES, dump(self.types))
        return super().finish()


def _relative(part: str, target: str) -> str:
    """Spell the target of a relation as seen from the part that has it; ExcelJS understands no other spelling."""
    return posixpath.relpath(f"/{target}", f"/{posixpath.dirname(part)}")
