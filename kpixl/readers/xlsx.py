"""What an Office Open XML workbook would cost to read, seen before calamine takes memory for it."""

from __future__ import annotations

import html
import posixpath
import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from kpixl.readers import biff, xlsx_repair
from kpixl.readers.grid import UnreadableError, broken, exceeded
from kpixl.readers.package import OpenedPackage

_SHORTEST_CELL = 18  # bytes of the shortest cell that shows a shared string
_STRINGS = "xl/sharedstrings.xml"
_SHEET, _BINARY = re.compile(r"xl/worksheets/[^/]+\.xml"), re.compile(r"xl/worksheets/[^/]+\.bin")
_COUNT = re.compile(rb"\buniqueCount\s*=\s*[\"']\+?(\d{1,20})[\"']")  # calamine takes memory for as many
_STRING = re.compile(rb"<(?:\w+:)?si\b(.*?)(?=<(?:\w+:)?si\b|$)", re.DOTALL)
_VALUE = re.compile(rb"<(?:\w+:)?v(?:\s[^<>]*)?>\s*([^<]*)")


def check_text(package: OpenedPackage) -> None:
    """Raise UnreadableError if the cells of a workbook show more text than the limit.

    A shared string is stored once and copied for every cell that shows it: 110 KB can become 12 GB.
    """
    strings = package.names.get(_STRINGS)
    if strings is None:
        return
    sheets = [part for name, part in package.names.items() if _SHEET.fullmatch(name)]
    limit = package.limits.text_bytes
    if any(int(count) > strings.file_size for count in _COUNT.findall(package.head(strings))):
        raise broken(("共享字符串的数目有误", "the number of its shared strings is wrong"))
    cells = sum(part.file_size for part in sheets) // _SHORTEST_CELL
    if cells * strings.file_size <= limit:
        return
    content = package.read(_STRINGS)
    if cells * max(map(len, content.split(b"</si>"))) <= limit:
        return
    lengths = [len(match[1]) for match in _STRING.finditer(content)]
    longest = max(lengths, default=0)
    total = 0
    for part in sheets:
        shown = _VALUE.finditer(package.read(part.filename))
        total += sum(_length(match[1].rstrip(), lengths, longest) for match in shown)
        if total > limit:
            raise exceeded("text_bytes", None, package.limits)


def _length(number: bytes, lengths: Sequence[int], longest: int) -> int:
    """Return how long the shared string of a number is, the longest where its digits are spelled as entities."""
    if number.isdigit() and len(number) < 9:
        return lengths[int(number)] if int(number) < len(lengths) else 0
    return longest if b"&" in number else 0


_SHORTEST_SHEET = 30  # bytes: <sheet name="" sheetId="1" r:id="a"/>


def check_sheets(package: OpenedPackage) -> None:
    """Raise UnreadableError if a workbook lists more sheets than it has parts: calamine reads one again and again."""
    part, most = package.names.get("xl/workbook.xml"), len(package.names)
    if part is None or part.file_size <= most * _SHORTEST_SHEET:
        return
    if package.read("xl/workbook.xml").count(b"sheetId") > most:
        raise broken(("工作表的数目有误", "the number of its sheets is wrong"))


_MERGE = re.compile(rb"[<:]mergeCell[\s/>]")
_SHORTEST_MERGE = 24  # bytes: <mergeCell ref="A1:B1"/>


def check_merges(package: OpenedPackage) -> None:
    """Raise UnreadableError if a workbook has more merged ranges than the limit: calamine reads all of them at once."""
    sheets = [name for name in package.names if _SHEET.fullmatch(name)]
    limit = package.limits.merges
    if sum(package.names[name].file_size for name in sheets) <= limit * _SHORTEST_MERGE:
        return
    found = sum(sum(1 for _ in _MERGE.finditer(package.read(name))) for name in sheets)
    if found > limit:
        raise exceeded("merges", found, package.limits)


_DIMENSION = re.compile(rb"<(?:\w+:)?dimension\s+ref=[\"']([A-Z]{1,3})(\d{1,7})(?::([A-Z]{1,3})(\d{1,7}))?[\"']")
# A row, or a cell, so far down or to the right that its sheet may be beyond the limit though it declares less. Other
# attributes that end in r may match as well: a pattern that begins with a letter is searched for four times as fast.
_FAR = re.compile(rb"r\s*=\s*[\"'](?:[A-Za-z]{0,3}\d{4}|[A-Za-z]{4,}+\d)")
# A column that no sheet has: calamine would make room for as many.
_BEYOND = re.compile(rb"\sr\s*=\s*[\"'][A-Za-z]{4}")
# Cells that hold something: an empty one that is only formatted closes itself and costs nothing.
# Here and below, no tag is looked for beyond the next <, and nothing is tried twice: of 300,000 tags without an end, or
# attributes without a value, each would be followed to the end of the part.
_CELL = re.compile(rb"<(?:\w+:)?c\s(?>(?:[^<>]*?\s)?r=[\"']([A-Z]{1,3})(\d{1,7})[\"'])[^<>/]*>")
_RELATION = re.compile(r"<(?:\w+:)?Relationship\s[^<>]*>")
_SHEET_NAME = re.compile(r"<(?:\w+:)?sheet\s[^<>]*>")
_SHEET_TAG = re.compile(r"<(?:\w+:)?sheet\s[^<>]*+(?:(?<=/)>|>\s*+</(?:\w+:)?sheet\s*+>)")
_ATTRIBUTE = re.compile(r"(?<![\w:])([\w:]++)\s*+=\s*(?:\"([^\"]*)\"|'([^']*)')")


# Spellings of an error, and of a formula that no value follows; a part without any of them has neither. A formula with
# a blank value shows a blank text if its cell is typed as text, or if it is a total of our own as XlsxWriter writes it.
_SUSPECT = (b't="e"', b"</f></c>", b"/></c>")
_SUSPECT_ELSEWHERE = (
    *_SUSPECT,
    b"t='e'",
    b":f></",
)  # in parts with prefixes or single quotes, which few programs write
_HEAD = 300  # bytes within which a part names its encoding
_ROOT = 1_000  # bytes within which the root begins, which shows whether elements have a prefix
_DATA = b"sheetData"  # the element that holds all cells, whatever its prefix
_BLANK_VALUES = (b"</f><v></v>", b"</f><v/>")
_BLANK_TEXT = (b't="str"', b"t='str'", b"<f>IF(COUNT(")


# A formula whose value follows: calamine takes the value, and half of its time to get past the formula.
_FORMULA = re.compile(rb"<f>[^<]*+</f>(?=<v>[^<])")
MAX_LIGHT = 64 << 20  # bytes of parts that are kept until calamine has read them; a workbook of 50 projects has 3 MiB
_RICH = (b"<strike", b":strike", b"vertAlign")  # what a text within a cell is marked with


class Survey(NamedTuple):
    """What the sheets of a workbook look like before they are read.

    `oversized`: the names of sheets whose used range is beyond the limit, with their cells: calamine takes all of it
    at once. `suspect`: whether any cell may be an error, or a formula without a value: both read blank. `faulty`: the
    parts in which calamine may read a value wrong. `rich`: whether any cell may hold text that is struck out or raised.
    `light`: parts without the formulas that have a value, by name.
    """

    oversized: dict[str, int]
    suspect: bool
    faulty: tuple[str, ...]
    rich: bool
    light: dict[str, bytes]


def survey(package: OpenedPackage) -> Survey:
    """Look over the sheets of a workbook.

    What a sheet declares is believed where it is small and no cell is far down; else all cells are looked at.
    """
    limit, shared = package.limits.sheet_cells, _STRINGS in package.names
    large: dict[str, int] = {}
    faulty: list[str] = []
    suspect = rich = False
    light: dict[str, bytes] = {}
    room = MAX_LIGHT
    for name in package.names:
        if _SHEET.fullmatch(name):
            content = package.read(name)
            before, inside, behind = _parted(content)
            inside, head = _FORMULA.sub(b"", inside), content[:_ROOT]
            if (room := room - len(content)) >= 0:
                light[name] = b"".join((before, inside, behind))
            found = _DIMENSION.search(head)
            small = found is not None and _area([found.groups()]) <= limit and _FAR.search(inside) is None
            if not small and (cells := _extent(inside)) > limit:
                large[name] = cells
            suspect = suspect or _is_suspect(inside, head[:_HEAD])
            faulty += [name] if xlsx_repair.is_faulty(inside, head=head, shared=shared) else []
            rich = rich or (b"inlineStr" in inside and any(mark in inside for mark in _RICH))
        elif _BINARY.fullmatch(name):
            cells, error = biff.packed_cells(package.read(name))
            suspect = suspect or error
            large |= {name: cells} if cells > limit else {}
    names = sheet_names(package) if large else {}
    sizes = {names.get(part, part): cells for part, cells in large.items()}
    return Survey(sizes, suspect, tuple(faulty), rich, light)


def _parted(content: bytes) -> tuple[bytes, bytes, bytes]:
    """Return what of a part may hold cells, and what is before and behind it: half of a sheet as sent has none."""
    first, last = content.find(_DATA), content.rfind(_DATA)
    return (content[:first], content[first:last], content[last:]) if 0 <= first < last else (b"", content, b"")


def _extent(content: bytes) -> int:
    """Return how many cells the rectangle around all of a sheet has. Raises UnreadableError."""
    if _BEYOND.search(content) is not None:
        raise broken(("单元格的位置有误", "a cell stands where no sheet has one"))
    return _area([match.groups() for match in _CELL.finditer(content)])


def _is_suspect(content: bytes, head: bytes) -> bool:
    usual = b"<worksheet " in head and b"='http" not in head
    for spelling in _SUSPECT if usual else _SUSPECT_ELSEWHERE:
        if spelling in content:
            return True
    for spelling in _BLANK_VALUES:
        at, behind = content.find(spelling), 0
        while at >= 0:
            start = content.rfind(b"<c ", behind, at)
            cell = content[start:at] if start >= 0 else b""
            if not any(text in cell for text in _BLANK_TEXT):
                return True
            behind = at + len(spelling)
            at = content.find(spelling, behind)
    return False


# What calamine knows; it refuses a sheet that shows another error, as newer versions of Excel have.
_KNOWN_ERRORS = frozenset({b"#NULL!", b"#DIV/0!", b"#VALUE!", b"#REF!", b"#NAME?", b"#NUM!", b"#N/A", b"#DATA!"})
_ERROR_VALUE = re.compile(
    rb"(\bt=[\"']e[\"'][^<>]*+>(?:<(?:\w+:)?f\b[^<>]*+(?:(?<=/)>|>[^<]*+</(?:\w+:)?f>))?<(?:\w+:)?v>)([^<]*+)"
)


def with_known_errors(package: OpenedPackage) -> dict[str, bytes]:
    """Return the sheets that calamine would refuse, by part: an error that it does not know is one that it knows."""
    changed = {}
    for name in sheet_parts(package):
        content = package.read(name)
        known = _ERROR_VALUE.sub(lambda m: m[0] if m[2] in _KNOWN_ERRORS else m[1] + b"#VALUE!", content)
        if known != content:
            changed[name] = known
    return changed


class Damaged(NamedTuple):
    """A cell whose content is damaged: the name of its sheet, its address, and what is there."""

    sheet: str
    cell: str
    text: str


def mended(package: OpenedPackage, parts: Iterable[str], changed: dict[str, bytes]) -> list[Damaged]:
    """Put right the values of some sheets, in `changed`; return the cells whose value is lost.

    `changed`: parts that are to be read instead of those of the package, by name. A sheet that is no XML is left
    blank, so that calamine refuses it and no other.
    """
    strings = sum(1 for _ in _STRING.finditer(package.read(_STRINGS)))
    damaged: list[Damaged] = []
    names: dict[str, str] = {}
    for part in parts:
        try:
            found = xlsx_repair.mended(changed.get(part) or package.read(part), strings)
        except UnreadableError:
            found = xlsx_repair.Mended(b"", ())
        changed[part] = found.content
        if found.unreadable:
            names = names or sheet_names(package)
            damaged += [Damaged(names.get(part, ""), cell, text) for cell, text in found.unreadable]
    return damaged


# What calamine takes for a sheet; at any other kind, as a macro sheet of Excel 4, it refuses the whole workbook.
_KINDS = frozenset({"worksheet", "chartsheet", "dialogsheet"})
_STATE = re.compile(r"""(?<!\w)state\s*+=\s*+["'](?!(?:visible|hidden|veryHidden)["'])[^"'<>]*+["']""")
_BOOK, _BINARY_BOOK = "xl/workbook.xml", "xl/workbook.bin"


def without_foreign_sheets(package: OpenedPackage) -> tuple[dict[str, bytes], list[str]]:
    """Leave out of the list of sheets what calamine cannot take for one; return the part changed, and their names.

    A module of Visual Basic has no part at all (`r:id=""`), a macro sheet one of another kind.
    """
    if _BOOK not in package.names:
        changed, left_out = biff.without_foreign_sheets(
            package.read("xl/workbook.bin"), relations(package, _BINARY_BOOK)
        )
        return ({_BINARY_BOOK: changed} if left_out else {}), left_out
    targets, left_out = relations(package, _BOOK), []

    def kept(match: re.Match[str]) -> str:
        sheet = _attributes(match[0])
        kind, _ = targets.get(next((text for key, text in sheet.items() if key.endswith(":id")), ""), ("", ""))
        if kind.rpartition("/")[2] in _KINDS:
            return _STATE.sub('state="hidden"', match[0])
        left_out.append(sheet.get("name", ""))
        return ""

    content = package.read(_BOOK).decode("utf-8", "replace")
    changed_text = _SHEET_TAG.sub(kept, content)
    return ({_BOOK: changed_text.encode()} if changed_text != content else {}), left_out


def sheet_parts(package: OpenedPackage) -> list[str]:
    """List the parts that hold worksheets, in lower case."""
    return [name for name in package.names if _SHEET.fullmatch(name)]


def _area(corners: list[tuple[bytes, ...]]) -> int:
    """Return how many cells the rectangle around some cells has."""
    places = [(_column(c[i]), int(c[i + 1])) for c in corners for i in range(0, len(c), 2) if c[i]]
    if not places:
        return 0
    columns, rows = [place[0] for place in places], [place[1] for place in places]
    return (max(columns) - min(columns) + 1) * (max(rows) - min(rows) + 1)


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number


def sheet_names(package: OpenedPackage) -> dict[str, str]:
    """Map the parts of sheets to their names."""
    book = "xl/workbook.xml" if "xl/workbook.xml" in package.names else "xl/workbook.bin"
    targets = relations(package, book)
    return {targets[relation][1]: name for relation, name in _sheets(package).items() if relation in targets}


def relations(package: OpenedPackage, part: str) -> dict[str, tuple[str, str]]:
    """Map the relations of a part to their types and the parts they lead to, in lower case."""
    folder, _, name = part.rpartition("/")
    spelled = package.read(f"{folder}/_rels/{name}.rels").decode("utf-8", "replace")
    found = {}
    for each in map(_attributes, _RELATION.findall(spelled)):
        target = each.get("Target", "").casefold()
        place = target.lstrip("/") if target.startswith("/") else posixpath.normpath(f"{folder}/{target}")
        found[each.get("Id", "")] = (each.get("Type", ""), place)
    return found


def _sheets(package: OpenedPackage) -> dict[str, str]:
    """Map the relations of sheets to their names."""
    if "xl/workbook.xml" not in package.names:
        return biff.packed_names(package.read("xl/workbook.bin"))
    spelled = _SHEET_NAME.findall(package.read("xl/workbook.xml").decode("utf-8", "replace"))
    return {
        next((value for key, value in sheet.items() if key.endswith(":id")), ""): sheet.get("name", "")
        for sheet in map(_attributes, spelled)
    }


def _attributes(tag: str) -> dict[str, str]:
    return {key: html.unescape(double or single) for key, double, single in _ATTRIBUTE.findall(tag)}
