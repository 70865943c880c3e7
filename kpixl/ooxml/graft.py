"""Put freshly made sheets into a workbook of somebody else, in place of their older versions.

Only the parts that list sheets, names, formats and relations change; every other part stays as it is, byte for byte.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

from kpixl.ooxml.sheet import deselected, selected
from kpixl.ooxml.styles import Styles
from kpixl.ooxml.transplant import restyled, transplant
from kpixl.ooxml.workbook import BookSheet, Workbook
from kpixl.ooxml.xml import Tree, q, whole

_SHEET = "xl/worksheets/sheet{}.xml"
_BUILT_IN = "_xlnm."  # in front of the names by which Excel knows print areas, titles and filters
_CODE_NAME = re.compile(rb"<(?:\w+:)?sheetPr\b[^<>]*?\bcodeName=[\"']([^\"'<>]*+)[\"']")
_HEAD = 4_096  # bytes of a sheet's part within which its properties come


def graft(workbook: Workbook, fresh: Workbook, replaced: Mapping[str, str], gone: Collection[str], prefix: str) -> None:
    """Put all sheets of `fresh` into `workbook`. Raises PackageError.

    `replaced`: the name of a fresh sheet -> that of the sheet whose place it takes; others follow the fresh one
    before them, or come first. `gone`: names of sheets to remove. `prefix`: how the defined names of `fresh` begin.
    """
    sheets = {sheet.name: sheet for sheet in workbook.sheets()}
    active = _active(workbook)
    old = [sheets[name] for name in (*replaced.values(), *gone)]
    _clear(workbook, old, [sheets[name] for name in gone], prefix)
    styles = Styles(workbook.read(workbook.styles_part()))
    numbers = styles.merge(Styles(fresh.read(fresh.styles_part())))
    nodes: list[Tree] = []
    for sheet in fresh.sheets():
        before = sheets.get(replaced.get(sheet.name, ""))
        node, path = _place(workbook, sheet, before, nodes[-1] if nodes else None)
        content = deselected(restyled(fresh, sheet.path, numbers))
        if node is active:
            content = selected(content)
        transplant(fresh, sheet.path, workbook, path, _like(workbook.read(path), content))
        nodes.append(node)
    for number, node in enumerate(nodes):
        for name in fresh.names_of(number):
            workbook.define(name, list(workbook.listed).index(node))
    for name in fresh.names_of(None):
        workbook.define(name, None)
    workbook.write(workbook.styles_part(), styles.finish())
    _show(workbook, active)
    workbook.calculate_on_load()
    workbook.remove_signatures()


def _clear(workbook: Workbook, old: Collection[BookSheet], gone: Collection[BookSheet], prefix: str) -> None:
    """Remove what belongs to the sheets that are replaced, drawings and names, and the sheets that are not."""
    owned = workbook.reached([sheet.path for sheet in old])
    listed = list(workbook.listed)
    for sheet in old:
        workbook.drop_relations(sheet.path)
        workbook.drop_type(sheet.path)  # declared again with those of its drawings, in the same order every time
        for name in list(workbook.names_of(listed.index(sheet.node))):
            # A name that a person gave to a cell of the sheet stays with it.
            if (name.get("name") or "").startswith(_BUILT_IN):
                name.getparent().remove(name)
    for name in list(workbook.names_of(None)):
        if (name.get("name") or "").startswith(prefix):
            name.getparent().remove(name)
    for sheet in gone:
        workbook.remove_sheet(sheet)
    for part in sorted(owned - workbook.reached([""])):
        workbook.remove(part)


def _place(workbook: Workbook, sheet: BookSheet, before: BookSheet | None, left: Tree | None) -> tuple[Tree, str]:
    """Return element and part for a fresh sheet: those of the sheet that it replaces, or new ones."""
    if before is not None:
        before.node.set("name", sheet.name)
        return before.node, before.path
    path = workbook.unused(_SHEET)
    workbook.write(path, b"")
    node = workbook.add_sheet(0 if left is None else list(workbook.listed).index(left) + 1, sheet.name, path)
    if sheet.node.get("state"):
        node.set("state", sheet.node.get("state"))
    return node, path


def _active(workbook: Workbook) -> Tree | None:
    """Return the element of the sheet that is shown first."""
    view = next(workbook.book.iter(q("workbookView")), None)
    number = whole(view, "activeTab") if view is not None else 0
    return workbook.listed[number] if 0 <= number < len(workbook.listed) else None


def _show(workbook: Workbook, active: Tree | None) -> None:
    """Show the same sheet first as before."""
    listed = list(workbook.listed)
    for view in workbook.book.iter(q("workbookView")):
        view.attrib.pop("firstSheet", None)
        view.set("activeTab", str(listed.index(active) if active in listed else 0))


def _like(old: bytes, new: bytes) -> bytes:
    """Return a new sheet with the code name of the old one, by which the macros of a workbook know it."""
    found = _CODE_NAME.search(old[:_HEAD])
    if found is None:
        return new
    attribute = b' codeName="%b"' % found[1]
    head, tail = new[:_HEAD], new[_HEAD:]
    if b"<sheetPr" in head:
        return head.replace(b"<sheetPr", b"<sheetPr" + attribute, 1) + tail
    return re.sub(rb"<worksheet\b[^<>]*>", lambda m: m[0] + b"<sheetPr%b/>" % attribute, head, count=1) + tail
