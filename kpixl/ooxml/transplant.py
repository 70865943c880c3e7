"""Sheets of a workbook that kpixl has just made, turned into sheets of another workbook.

The source is XlsxWriter's, whose spelling is known, so cells are rewritten as bytes: a tree of them takes ten times as
long. Texts become inline strings: adding to the shared strings of the other workbook would leave them there for ever.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Sequence

from kpixl.ooxml.package import rels_name
from kpixl.ooxml.workbook import Workbook
from kpixl.ooxml.xml import DAMAGED, PackageError

# XlsxWriter escapes < and > in texts and attributes, so these patterns find elements only.
_CELL = re.compile(rb'(<c r="[A-Z]+[0-9]+")(?: s="([0-9]+)")?(?: t="s"><v>([0-9]+)</v></c>)?')
_BAND = re.compile(rb'(<(?:row|col) [^<>]*? (?:s|style)=")([0-9]+)')
_STRING = re.compile(rb"<si>(.*?)</si>", re.DOTALL)
# Parts of a sheet that are taken along: what kpixl makes. Others would need numbers that are unique in the workbook.
_KINDS = frozenset({"drawing", "chart", "image"})


def restyled(source: Workbook, path: str, styles: Sequence[int]) -> bytes:
    """Return a sheet's part with the cell formats of another workbook, by their numbers here, and inline strings."""
    table = source.related(source.part, "sharedStrings")
    strings = _STRING.findall(source.read(table)) if table else []
    inline = [b' t="inlineStr"><is>%b</is></c>' % text for text in strings]
    numbers = [b"%d" % number for number in styles]

    def cell(match: re.Match[bytes]) -> bytes:
        start, style, text = match.groups()
        out: bytes = start if style is None else start + b' s="' + numbers[int(style)] + b'"'
        return out if text is None else out + inline[int(text)]

    def band(match: re.Match[bytes]) -> bytes:
        return match[1] + numbers[int(match[2])]

    try:
        return _BAND.sub(band, _CELL.sub(cell, source.read(path)))
    except IndexError as error:
        raise PackageError(DAMAGED) from error


def transplant(source: Workbook, path: str, target: Workbook, new: str, content: bytes) -> None:
    """Write `content`, made of a part, as the part `new` of another workbook, with copies of all it leads to."""
    target.write(new, content, source.type_of(path))
    targets: dict[str, str] = {}
    relations = list(source.relations(path))
    for relation in relations:
        if not relation.target:
            continue
        if relation.kind not in _KINDS:
            raise ValueError(f"kpixl's sheets have no {relation.kind}")
        folder, name = posixpath.split(relation.target)
        stem, ending = posixpath.splitext(name)
        place = target.unused(posixpath.join(folder, stem.rstrip("0123456789") + "{}" + ending))
        transplant(source, relation.target, target, place, source.read(relation.target))
        targets[relation.target] = place
    if relations:
        target.copy_relations(new, [(r.node, targets.get(r.target, "")) for r in relations])
    elif target.has(rels_name(new)):
        target.drop_relations(new)
