"""XML parts as trees. The only module on this path that imports lxml: it keeps prefixes as they were."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Mapping
from typing import Any
from xml.parsers import expat

from lxml import etree

from kpixl.texts import Text

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"
TYPES = "http://schemas.openxmlformats.org/package/2006/content-types"

MAX_TREE = 32 << 20  # bytes of a part that becomes a tree; the cells of a sheet never do

Tree = Any

# No entity is resolved, nothing is fetched, no text or depth goes beyond libxml2's bounds: files come from anybody.
_SAFE: Mapping[str, bool] = {"resolve_entities": False, "no_network": True, "load_dtd": False, "huge_tree": False}


class PackageError(Exception):
    """The package cannot be edited; carries the reason as a (zh, en) pair."""

    def __init__(self, reason: Text) -> None:
        super().__init__(reason[1])
        self.reason = reason


DAMAGED: Text = ("文件的内部结构不规范", "the file is not built as the standard says")
TOO_LARGE: Text = ("文件过大", "the file is too large")
STRICT: Text = ("“严格开放式”的 .xlsx", "a Strict Open XML workbook")


def q(name: str, space: str = MAIN) -> str:
    """Qualify a name as lxml wants it."""
    return f"{{{space}}}{name}"


def local(tree: Tree) -> str:
    """Return the name of an element without its namespace; "" for comments and the like."""
    return etree.QName(tree).localname if isinstance(tree.tag, str) else ""


def parse(content: bytes) -> Tree:
    """Parse a part. Raises PackageError; a document type, hence every entity, is refused."""
    if len(content) > MAX_TREE:
        raise PackageError(TOO_LARGE)
    try:
        root = etree.fromstring(content, etree.XMLParser(**_SAFE))
    except (etree.XMLSyntaxError, ValueError) as error:
        raise PackageError(DAMAGED) from error
    if root is None or root.getroottree().docinfo.doctype:
        raise PackageError(DAMAGED)
    return root


def whole(tree: Tree, name: str, default: int = 0) -> int:
    """Return a whole number from an attribute. Raises PackageError where it holds something else."""
    try:
        return int(tree.get(name, default))
    except ValueError as error:
        raise PackageError(DAMAGED) from error


def elements(content: bytes, *names: str) -> Iterator[Tree]:
    """Yield elements of the main namespace as they end, each cleared afterwards. Raises PackageError.

    For parts that are too large for a tree; the caller must not keep the elements.
    """
    if b"<!DOCTYPE" in content:
        raise PackageError(DAMAGED)
    try:
        for _, node in etree.iterparse(io.BytesIO(content), tag=[q(name) for name in names], **_SAFE):
            yield node
            node.clear()
    except (etree.XMLSyntaxError, ValueError) as error:
        raise PackageError(DAMAGED) from error


def check(content: bytes) -> None:
    """Raise PackageError where a part is not well-formed, or has a document type, hence entities."""
    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = _refuse
    try:
        parser.Parse(content, True)
    except (expat.ExpatError, LookupError, ValueError) as error:  # of an encoding that there is not
        raise PackageError(DAMAGED) from error


def _refuse(*_: object) -> None:
    raise PackageError(DAMAGED)


def key_of(tree: Tree) -> tuple[object, ...]:
    """Return what makes an element equal to another, whatever the prefixes."""
    children = (key_of(child) for child in tree if isinstance(child.tag, str))
    return (tree.tag, (tree.text or "").strip(), tuple(sorted(tree.attrib.items())), *children)


def with_prefixes(root: Tree, spaces: Mapping[str, str]) -> bytes:
    """Write a tree without a declaration, its namespaces declared in front under the prefixes of `spaces`."""
    etree.cleanup_namespaces(root, top_nsmap=dict(spaces))
    content: bytes = etree.tostring(root)
    return content


def dump(root: Tree) -> bytes:
    """Write a part."""
    content: bytes = etree.tostring(root, xml_declaration=True, encoding="UTF-8", standalone=True)
    return content


def add(parent: Tree, name: str, text: str | None = None, /, **attributes: str) -> Tree:
    """Append an element of the parent's namespace."""
    child = etree.SubElement(parent, q(name, etree.QName(parent).namespace or ""), attributes)
    if text is not None:
        child.text = storable(text)
        if text != text.strip():
            child.set("{http://www.w3.org/XML/1998/namespace}space", "preserve")
    return child


def make(name: str, spaces: Mapping[str, str] | Mapping[None, str], attributes: Mapping[str, str]) -> Tree:
    """Make an element of a qualified name, with the usual prefixes."""
    return etree.Element(name, dict(attributes), nsmap=dict(spaces))


def add_related(parent: Tree, name: str, key: str, /, **attributes: str) -> Tree:
    """Append an element that names a relation."""
    child = etree.SubElement(parent, q(name), attributes, nsmap={"r": OFFICE})
    child.set(q("id", OFFICE), key)
    return child


_UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def storable(text: str) -> str:
    """Put the replacement character in place of what XML cannot hold."""
    return _UNWRITABLE.sub("\ufffd", text)
