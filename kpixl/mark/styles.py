"""The styles of a workbook: formats that marks need are added behind those that are there, each once."""

from __future__ import annotations

from copy import deepcopy

from kpixl.mark.notes import EDGES, TINTS
from kpixl.mark.xml import DAMAGED, MAIN, Tree, UnmarkableError, add, canonical, dump, local, parse, q
from kpixl.problems import Severity

# The order in which the standard wants the groups of styles.xml.
_GROUPS = ("numFmts", "fonts", "fills", "borders", "cellStyleXfs", "cellXfs", "cellStyles", "dxfs")
_PARTS = {"fontId": "fonts", "fillId": "fills", "borderId": "borders"}
_COMPARED = 200  # formats that a new one is compared with; those of an earlier marking are the last
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
            raise UnmarkableError(DAMAGED)

    def finish(self) -> bytes:
        """Write the part."""
        return dump(self.root)

    def tint(self, severity: Severity) -> int:
        """Return the number of the differential format that tints a cell."""
        group = self._group("dxfs")
        dxf = add(group, "dxf")
        pattern = add(add(dxf, "fill"), "patternFill", patternType="solid")
        for name in ("fgColor", "bgColor"):
            add(pattern, name, rgb="FF" + TINTS[severity])
        border = add(dxf, "border")
        for side in ("left", "right", "top", "bottom"):
            add(add(border, side, style="thin"), "color", rgb="FF" + EDGES[severity])
        return _last_once(group)

    def transplant(self, other: Styles, xf: int) -> int:
        """Take over a cell format of another workbook; return its number here."""
        source = other._group("cellXfs")[xf]
        taken = deepcopy(source)
        for attribute, name in _PARTS.items():
            group = self._group(name)
            group.append(deepcopy(other._group(name)[int(source.get(attribute, "0"))]))
            taken.set(attribute, str(_last_once(group)))
        if int(source.get("numFmtId", "0")) >= _OWN_FORMATS:
            raise ValueError("the list uses built-in number formats only")
        taken.set("xfId", "0")
        group = self._group("cellXfs")
        group.append(taken)
        return _last_once(group)

    def _group(self, name: str) -> Tree:
        """Return a group of formats, made where the workbook has none."""
        found = self.root.find(q(name))
        if found is None:
            found = add(self.root, name, count="0")
            after = [child for child in self.root if local(child) in _GROUPS[: _GROUPS.index(name)]]
            self.root.insert(self.root.index(after[-1]) + 1 if after else 0, found)
        return found


def _last_once(group: Tree) -> int:
    """Keep the last format of a group only where none before is equal; return its number."""
    children = [child for child in group if isinstance(child.tag, str)]
    first = max(0, len(children) - _COMPARED)
    new = canonical(children[-1])
    number = next(n for n, child in enumerate(children[first:], first) if canonical(child) == new)
    if number < len(children) - 1:
        group.remove(children.pop())
    group.set("count", str(len(children)))
    return number
