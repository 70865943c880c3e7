"""List every filled cell of a workbook, from its raw XML: shares no code with the readers of kpixl or with openpyxl."""

from __future__ import annotations

import posixpath
import re
import unicodedata
import xml.etree.ElementTree as ET
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path

_RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
_OFFICE = "{urn:oasis:names:tc:opendocument:xmlns:office:1.0}"
_TABLE = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
_TEXT = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}"
_REFERENCE = re.compile(r"([A-Z]+)([0-9]+)")
MAX_REPEATED = 100  # a filled cell that .ods repeats; the edits repeat none oftener


@dataclass(frozen=True, slots=True)
class FilledCell:
    """A filled cell, or a note (`is_note`) at one. `row`, `col` from 1.

    `text`: what is stored, all runs of a rich text joined; of a formula its last value. `is_number`: stored as one.
    """

    sheet: str
    row: int
    col: int
    text: str
    is_number: bool = False
    formula: str = ""
    is_note: bool = False

    @property
    def address(self) -> str:
        """Return the A1 address."""
        letters, col = "", self.col
        while col:
            col, rest = divmod(col - 1, 26)
            letters = chr(65 + rest) + letters
        return f"{letters}{self.row}"


def normal(text: str, *, is_number: bool = False) -> str:
    """Spell a text or number so that equal ones are equal: width and white space folded, numbers without zeros."""
    if is_number:
        try:
            return format(Decimal(repr(float(text))).normalize(), "f")
        except (ValueError, InvalidOperation):
            return text
    folded = unicodedata.normalize("NFKC", re.sub(r"_x000[dD]_", "", text))
    return "".join(c for c in folded if not c.isspace() and unicodedata.category(c) not in ("Cf", "Cc"))


def filled_cells(path: Path) -> list[FilledCell]:
    """List the filled cells and the notes of a .xlsx or .ods."""
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        found = _opendocument(archive) if "content.xml" in names else _open_xml(archive)
        return [cell for cell in found if cell.text.strip() or cell.formula]


# --- Office Open XML ----------------------------------------------------------------------------


def _local(element: ET.Element) -> str:
    return element.tag.rpartition("}")[2]


def _children(element: ET.Element, name: str) -> Iterator[ET.Element]:
    return (child for child in element if _local(child) == name)


def _all(element: ET.Element, name: str) -> Iterator[ET.Element]:
    return (child for child in element.iter() if _local(child) == name)


def _part(archive: zipfile.ZipFile, name: str) -> ET.Element | None:
    return ET.fromstring(archive.read(name)) if name in archive.namelist() else None


def _relations(archive: zipfile.ZipFile, name: str) -> dict[str, tuple[str, str]]:
    """Map the relations of a part to kind and target."""
    folder, _, base = name.rpartition("/")
    root = _part(archive, f"{folder}/_rels/{base}.rels".lstrip("/"))
    if root is None:
        return {}
    found = {}
    for one in root:
        target = one.get("Target", "")
        target = target.lstrip("/") if target.startswith("/") else posixpath.normpath(posixpath.join(folder, target))
        found[one.get("Id", "")] = (one.get("Type", "").rpartition("/")[2], target)
    return found


def _open_xml(archive: zipfile.ZipFile) -> Iterator[FilledCell]:
    start = next(target for kind, target in _relations(archive, "").values() if kind == "officeDocument")
    book, relations = _part(archive, start), _relations(archive, start)
    assert book is not None
    strings = [
        _rich(item)
        for kind, target in relations.values()
        if kind == "sharedStrings" and (root := _part(archive, target)) is not None
        for item in _children(root, "si")
    ]
    for sheet in _all(book, "sheet"):
        kind, target = relations.get(sheet.get(_RELATION, ""), ("", ""))
        if kind == "worksheet" and (root := _part(archive, target)) is not None:
            name = sheet.get("name", "")
            yield from _sheet(name, root, strings)
            for kind, note_part in _relations(archive, target).values():
                if kind in ("comments", "threadedComment") and (notes := _part(archive, note_part)) is not None:
                    yield from _notes(name, notes)


def _rich(item: ET.Element) -> str:
    """Join the texts of a shared or inline string, without its phonetic guides."""
    texts = [t.text or "" for t in _children(item, "t")]
    texts += [t.text or "" for run in _children(item, "r") for t in _children(run, "t")]
    return "".join(texts)


def _sheet(name: str, root: ET.Element, strings: list[str]) -> Iterator[FilledCell]:
    row = 0
    for line in _all(root, "row"):
        row, col = int(line.get("r", row + 1)), 0
        for cell in _children(line, "c"):
            row, col = _place(cell.get("r", ""), (row, col + 1))
            yield _cell(name, row, col, cell, strings)


def _place(reference: str, otherwise: tuple[int, int]) -> tuple[int, int]:
    if (match := _REFERENCE.fullmatch(reference)) is None:
        return otherwise
    col = 0
    for letter in match[1]:
        col = col * 26 + ord(letter) - 64
    return int(match[2]), col


def _cell(name: str, row: int, col: int, cell: ET.Element, strings: list[str]) -> FilledCell:
    kind = cell.get("t", "n")
    value = next((v.text or "" for v in _children(cell, "v")), "")
    formula = next((f.text or "=" for f in _children(cell, "f")), "")
    if kind == "s" and value.strip().isdigit():
        value = strings[int(value)]
    elif kind == "inlineStr":
        value = "".join(_rich(item) for item in _children(cell, "is"))
    elif kind == "b":
        value = "TRUE" if value.strip() == "1" else "FALSE"
    return FilledCell(name, row, col, value, kind == "n" and bool(value), formula)


def _notes(name: str, root: ET.Element) -> Iterator[FilledCell]:
    for kind in ("comment", "threadedComment"):
        for note in _all(root, kind):
            row, col = _place(note.get("ref", ""), (0, 0))
            yield FilledCell(name, row, col, "".join(t.text or "" for t in _all(note, "t")), is_note=True)


# --- OpenDocument -------------------------------------------------------------------------------


def _opendocument(archive: zipfile.ZipFile) -> Iterator[FilledCell]:
    root = _part(archive, "content.xml")
    assert root is not None
    for table in root.iter(f"{_TABLE}table"):
        name, row = table.get(f"{_TABLE}name", ""), 1
        for line in table.iter(f"{_TABLE}table-row"):
            repeated = int(line.get(f"{_TABLE}number-rows-repeated", "1"))
            cells = list(_row(name, row, line))
            for below in range(min(repeated, MAX_REPEATED) if cells else 0):
                for cell in cells:
                    yield FilledCell(name, row + below, cell.col, cell.text, cell.is_number, cell.formula, cell.is_note)
            row += repeated


def _row(name: str, row: int, line: ET.Element) -> Iterator[FilledCell]:
    col = 1
    for cell in line:
        if cell.tag not in (f"{_TABLE}table-cell", f"{_TABLE}covered-table-cell"):
            continue
        repeated = int(cell.get(f"{_TABLE}number-columns-repeated", "1"))
        for note in cell.iter(f"{_OFFICE}annotation"):
            yield FilledCell(name, row, col, _paragraphs(note), is_note=True)
        kind, formula = cell.get(f"{_OFFICE}value-type", ""), cell.get(f"{_TABLE}formula", "")
        text, is_number = _paragraphs(cell), kind in ("float", "percentage", "currency")
        if is_number:
            text = cell.get(f"{_OFFICE}value", "")
        elif kind == "date":
            text = cell.get(f"{_OFFICE}date-value", "").partition("T")[0]
        elif kind == "boolean":
            text = cell.get(f"{_OFFICE}boolean-value", "").upper()
        if text or formula:
            for right in range(min(repeated, MAX_REPEATED)):
                yield FilledCell(name, row, col + right, text, is_number, formula)
        col += repeated


def _paragraphs(element: ET.Element) -> str:
    """Join the paragraphs of a cell or a note, not those of a note within the cell."""
    return "\n".join(_inline(child) for child in element if child.tag == f"{_TEXT}p")


def _inline(element: ET.Element) -> str:
    text = element.text or ""
    for child in element:
        if child.tag == f"{_TEXT}s":
            text += " " * int(child.get(f"{_TEXT}c", "1"))
        elif child.tag == f"{_TEXT}line-break":
            text += "\n"
        elif child.tag == f"{_TEXT}tab":
            text += "\t"
        else:
            text += _inline(child)
        text += child.tail or ""
    return text
