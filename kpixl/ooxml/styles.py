"""The styles of a workbook: formats of another are added behind those that are there, each once."""

from __future__ import annotations

from copy import deepcopy

from kpixl.ooxml.xml import DAMAGED, MAIN, PackageError, Tree, add, dump, key_of, local, parse, q, whole

# The order in which the standard wants the groups of styles.xml.
_GROUPS = ("numFmts", "fonts", "fills", "borders", "cellStyleXfs", "cellXfs", "cellStyles", "dxfs")
_PARTS = {"fontId": "fonts", "fillId": "fills", "borderId": "borders"}
_COMPARED = 5_000  # formats that a new one is compared with, the last ones: a workbook may hold 64,000
_OWN_FORMATS = 164  # number formats below are built in


EMPTY_STYLES = (  # as a workbook without styles looks
    f'<?xml version="1.0" encoding="UTF-8" standalone="yes"?><styleSheet xmlns="{MAIN}">'
    '<fonts count="1"><font><sz val="11"/><name val="Calibri"/></font></fonts>'
    '<fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill>'
    '</fills><borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>'
    '<cellStyleXfs count="1"><xf/></cellStyleXfs><cellXfs count="1"><xf xfId="0"/></cellXfs>'
    '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>'
).encode()


class Styles:
    """styles.xml of one workbook."""

    def __init__(self, content: bytes) -> None:
        self.root = parse(content)
        if self.root.tag != q("styleSheet"):
            raise PackageError(DAMAGED)
        self._known: dict[str, dict[tuple[object, ...], int]] = {}

    def finish(self) -> bytes:
        """Write the part."""
        return dump(self.root)

    def formats(self, group: str) -> list[Tree]:
        """List the elements of a group, such as "fonts" or "cellXfs"; none where the workbook lacks it."""
        found = self.root.find(q(group))
        return [] if found is None else [child for child in found if isinstance(child.tag, str)]

    def merge(self, other: Styles) -> list[int]:
        """Take over all cell formats of another workbook; return the number here of each. Raises PackageError.

        The first, which cells have that name none, stays the one that is there.
        """
        return [0, *(self.transplant(other, number) for number in range(1, len(other.formats("cellXfs"))))]

    def transplant(self, other: Styles, xf: int) -> int:
        """Take over a cell format of another workbook; return its number here. Raises PackageError."""
        try:
            source = other.formats("cellXfs")[xf]
            taken = self._taken(other, source)
            taken.set("xfId", str(self._named_style(other, whole(source, "xfId"))))
        except IndexError as error:
            raise PackageError(DAMAGED) from error
        return self.add("cellXfs", taken)

    def _taken(self, other: Styles, source: Tree) -> Tree:
        """Copy a format, with its font, fill, border and number format taken over."""
        taken = deepcopy(source)
        for attribute, name in _PARTS.items():
            part = other.formats(name)[whole(source, attribute)]
            taken.set(attribute, str(self.add(name, deepcopy(part))))
        taken.set("numFmtId", str(self._number_format(other, whole(source, "numFmtId"))))
        return taken

    def _named_style(self, other: Styles, number: int) -> int:
        """Return the number here of a named style of another workbook; one of that name here stays as it is."""
        of_it = [node for node in other.formats("cellStyles") if whole(node, "xfId") == number]
        if number == 0 or not of_it or of_it[0].get("builtinId") is not None:
            return 0
        name = of_it[0].get("name") or ""
        here = next((node for node in self.formats("cellStyles") if node.get("name") == name), None)
        if here is not None:
            return whole(here, "xfId")
        style_xfs, styles = self._group("cellStyleXfs"), self._group("cellStyles")
        new = len(self.formats("cellStyleXfs"))
        style_xfs.append(self._taken(other, other.formats("cellStyleXfs")[number]))
        style_xfs.set("count", str(new + 1))
        add(styles, "cellStyle", name=name, xfId=str(new))
        styles.set("count", str(len(self.formats("cellStyles"))))
        return new

    def add(self, name: str, new: Tree) -> int:
        """Add a format to a group unless there is an equal one; return its number."""
        group = self._group(name)
        if name not in self._known:
            there = self.formats(name)
            first = max(0, len(there) - _COMPARED)
            # The first of equal ones counts, so that a workbook made twice refers to the same.
            self._known[name] = {key_of(child): first + n for n, child in reversed(list(enumerate(there[first:])))}
        known, key = self._known[name], key_of(new)
        if key not in known:
            known[key] = len(self.formats(name))
            group.append(new)
            group.set("count", str(known[key] + 1))
        return known[key]

    def _number_format(self, other: Styles, number: int) -> int:
        if number < _OWN_FORMATS:
            return number
        code = next((n.get("formatCode") for n in other.formats("numFmts") if n.get("numFmtId") == str(number)), None)
        if code is None:
            return 0
        there = self.formats("numFmts")
        same = next((n for n in there if n.get("formatCode") == code), None)
        if same is not None:
            return whole(same, "numFmtId")
        free = max([_OWN_FORMATS - 1, *(whole(n, "numFmtId") for n in there)]) + 1
        group = self._group("numFmts")
        add(group, "numFmt", numFmtId=str(free), formatCode=code)
        group.set("count", str(len(there) + 1))
        return free

    def _group(self, name: str) -> Tree:
        """Return a group of formats, made where the workbook has none."""
        found = self.root.find(q(name))
        if found is None:
            found = add(self.root, name, count="0")
            after = [child for child in self.root if local(child) in _GROUPS[: _GROUPS.index(name)]]
            self.root.insert(self.root.index(after[-1]) + 1 if after else 0, found)
        return found
