"""Seed one mistake into a clean returned workbook, so that its place is known.

    python -m tests.seeded.seed FOLDER        # write every seeded file, to open them and look

The kinds are data, tests/cases/seeded.yaml. Each starts from the template of base.yaml and has some of these keys,
applied in this order:
  portfolio   keys of the portfolio before its template is made (year, organization, version: of the form)
  book        sheets: {remove: [..]}, {rename: {..}}, {hide: [..]}, {copy: {sheet: title}}, {paste: {from: onto}},
              {add: {title: {A1: value}}}
  sheet       what the following keys change: a project's id, or a title; 01 where it is not said
  split       ranges that are no longer merged
  insert      numbers of rows before which a blank one is put
  delete      numbers of rows that are deleted
  cells       A1: value; null clears; {formula: ..}, {error: ..}, {percent: ..}, {cached: [formula, value]},
              {long: characters}
  file        what is done to the bytes: a key of FILES, or {ending: ..} for another name
  second      a second file: the same workbook with these `cells`
  roster      what the office's list says: false for none, else changes of project 01 by key
and `found` (severity, code, cell; where the file or sheet is another than that of 01, file › sheet › cell) and `also`,
everything else that is reported.
"""

from __future__ import annotations

import io
import re
import sys
import zipfile
from collections.abc import Callable, Mapping
from copy import copy
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import openpyxl
import yaml
from openpyxl.workbook import Workbook
from openpyxl.worksheet.worksheet import Worksheet

from kpixl.forms.definition import Form
from kpixl.forms.load import load_form, parse_form
from kpixl.output.template import build_template
from kpixl.portfolio import canonical
from kpixl.portfolio.model import Portfolio
from tests.packages import compound, document
from tests.yaml_cases import load_cases

HERE = Path(__file__).parent
CASES = HERE.parent / "cases" / "seeded.yaml"
NAME = "返回.xlsx"
SECOND = "返回（2）.xlsx"
FORMS_PAGE = HERE.parents[1] / "docs" / "forms.md"
Kind = Mapping[str, Any]


def kinds() -> list[Kind]:
    """Load every kind of mistake."""
    found: list[Kind] = load_cases(CASES)
    return found


@cache
def base(form: str) -> tuple[Form, Portfolio]:
    """Load the clean projects, of the official form or of the one that docs/forms.md explains."""
    if form == "":
        return canonical.load(HERE / "base.yaml", load_form)
    (sketch,) = re.findall(r"<!-- a whole form -->\n```yaml\n(.*?)```", FORMS_PAGE.read_text(encoding="utf-8"), re.S)
    known = parse_form(yaml.safe_load(sketch))
    return canonical.load(HERE / f"base-{form}.yaml", lambda _: known)


def roster_of(kind: Kind) -> Portfolio | None:
    """Return the office's list."""
    _, portfolio = base(kind.get("form", ""))
    spec = kind.get("roster", {})
    if spec is False:
        return None
    first, *others = portfolio.projects
    return replace(portfolio, projects=(replace(first, values={**first.values, **spec}), *others))


def title_of(sheet: str, form: str = "") -> str:
    """Return the title that the template gives the sheet of a project; another title stays as it is."""
    _, portfolio = base(form)
    names = {p.id: f"{p.id} {next(iter(p.values.values()))}" for p in portfolio.projects}
    return names.get(sheet, sheet)


_built: dict[tuple[str, str, str], bytes] = {}


def _template(form: Form, portfolio: Portfolio) -> bytes:
    """Build the template of a portfolio, once: nearly every kind begins with the same one."""
    key = (form.id, form.version, canonical.dumps(form, portfolio))
    if key not in _built:
        _built[key] = build_template(form, portfolio)
    return _built[key]


def seed(kind: Kind, folder: Path) -> list[Path]:
    """Write the file of a kind, and a second one where it has one."""
    form, portfolio = base(kind.get("form", ""))
    changes = dict(kind.get("portfolio", {}))
    sent = replace(form, version=changes.pop("version", form.version))
    content = _template(sent, replace(portfolio, **changes))
    path = folder / NAME
    written = [path]
    path.write_bytes(_changed(content, kind))
    if "second" in kind:
        written.append(folder / SECOND)
        written[1].write_bytes(_changed(content, kind["second"]))
    return [_damaged(path, kind["file"]), *written[1:]] if "file" in kind else written


def _changed(content: bytes, kind: Kind) -> bytes:
    book = openpyxl.load_workbook(io.BytesIO(content))
    for name, spec in kind.get("book", {}).items():
        BOOK[name](book, spec)
    title = title_of(kind.get("sheet", "01"), kind.get("form", ""))
    cells = kind.get("cells", {})
    if title in book.sheetnames:
        _change(book[title], kind, cells)
    stream = io.BytesIO()
    book.save(stream)
    formulas = {a: v["cached"][0] for a, v in cells.items() if isinstance(v, dict) and "cached" in v}
    content = stream.getvalue()
    return _with_formulas(content, book.sheetnames.index(title) + 1, formulas) if formulas else content


# --- cells and rows ---------------------------------------------------------------------------


def _change(sheet: Worksheet, kind: Kind, cells: Mapping[str, Any]) -> None:
    for span in kind.get("split", ()):
        sheet.unmerge_cells(span)
    for row in sorted(kind.get("insert", ()), reverse=True):
        _shift(sheet, row, 1)
    for row in sorted(kind.get("delete", ()), reverse=True):
        _shift(sheet, row, -1)
    for address, value in cells.items():
        put(sheet, address, value)


def _shift(sheet: Worksheet, row: int, by: int) -> None:
    """Insert or delete a row with the merges, as Excel does; formulas are left, their values are computed anew."""
    for span in list(sheet.merged_cells.ranges):
        if span.min_row > row or (span.min_row == row and by > 0):
            span.shift(row_shift=by)
        elif span.min_row == span.max_row == row:
            sheet.merged_cells.remove(span)
        elif span.max_row >= row:
            span.expand(down=by)
    (sheet.insert_rows if by > 0 else sheet.delete_rows)(row)


def put(sheet: Worksheet, address: str, value: Any) -> None:
    """Type a value into a cell; text stays text, also where it begins with =."""
    cell = sheet[address]
    if isinstance(value, dict):
        ((what, content),) = value.items()
        cell.value = content[1] if what == "cached" else _long(content) if what == "long" else content
        if what == "error" or (what == "cached" and str(content[1]).startswith("#")):
            cell.data_type = "e"
        if what == "percent":
            cell.number_format = "0%"
        return
    cell.value = value
    if isinstance(value, str):
        cell.data_type = "s"


def _long(length: int) -> str:
    """Write a goal of that many characters in which no sentence is repeated."""
    digits = "零一二三四五六七八九"
    clauses = (f"走进第{''.join(digits[int(d)] for d in str(n))}个小区的活动室" for n in range(length // 12 + 1))
    return "面向社区居民举办科普讲座，" + "，".join(clauses) + "，让居民听得懂。"


def _with_formulas(content: bytes, number: int, formulas: Mapping[str, str]) -> bytes:
    """Give cells that have values the formulas they come from; openpyxl writes either."""
    parts = _parts(content)
    name = f"xl/worksheets/sheet{number}.xml"
    sheet = parts[name].decode()
    for address, formula in formulas.items():
        sheet, count = re.subn(rf'(<c r="{address}"[^>]*>)', rf"\1<f>{formula.removeprefix('=')}</f>", sheet)
        assert count == 1, address
    return _zipped({**parts, name: sheet.encode()})


def _parts(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as package:
        return {name: package.read(name) for name in package.namelist()}


def _zipped(parts: Mapping[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as package:
        for name, content in parts.items():
            package.writestr(name, content)
    return stream.getvalue()


# --- sheets -----------------------------------------------------------------------------------


def _remove(book: Workbook, sheets: list[str]) -> None:
    for sheet in sheets:
        book.remove(book[title_of(sheet)])


def _rename(book: Workbook, titles: Mapping[str, str]) -> None:
    for sheet, title in titles.items():
        book[title_of(sheet)].title = title


def _hide(book: Workbook, sheets: list[str]) -> None:
    for sheet in sheets:
        book[title_of(sheet)].sheet_state = "hidden"


def _copy(book: Workbook, copies: Mapping[str, str]) -> None:
    for sheet, title in copies.items():
        book.copy_worksheet(book[title_of(sheet)]).title = title


def _paste(book: Workbook, pasted: Mapping[str, str]) -> None:
    """Paste the form of one sheet over that of another; the sheet id beside it stays."""
    for source, target in pasted.items():
        onto = book[title_of(target)]
        for row in book[title_of(source)].iter_rows(max_col=7):
            for cell in row:
                if type(cell).__name__ != "MergedCell":
                    place = onto[cell.coordinate]
                    place.value, place.data_type = cell.value, cell.data_type
                    place.number_format = copy(cell.number_format)


def _add(book: Workbook, sheets: Mapping[str, Mapping[str, Any]]) -> None:
    for title, cells in sheets.items():
        sheet = book.create_sheet(title)
        for address, value in cells.items():
            put(sheet, address, value)


BOOK: Mapping[str, Callable[[Workbook, Any], None]] = {
    "remove": _remove, "rename": _rename, "hide": _hide, "copy": _copy, "paste": _paste, "add": _add,
}  # fmt: skip


# --- bytes ------------------------------------------------------------------------------------

FILES: Mapping[str, Callable[[bytes], bytes]] = {
    "cut off": lambda content: content[: len(content) // 2],
    "empty": lambda _: b"",
    "password": lambda _: compound({"EncryptionInfo": b"", "EncryptedPackage": b""}),
    "picture": lambda _: b"\x89PNG\r\n\x1a\n" + bytes(64),
    "letter": lambda _: document("<w:p><w:r><w:t>绩效目标另行报送。</w:t></w:r></w:p>"),
    "slides": lambda _: compound({"PowerPoint Document": b""}),
    "sheet lost": lambda content: _zipped({k: v for k, v in _parts(content).items() if "worksheets/" not in k}),
    "sheet damaged": lambda content: _zipped(
        {k: v[: len(v) // 2] if k.endswith("sheet2.xml") else v for k, v in _parts(content).items()}
    ),
}


def _damaged(path: Path, spec: str | Mapping[str, str]) -> Path:
    if isinstance(spec, str):
        path.write_bytes(FILES[spec](path.read_bytes()))
        return path
    named = path.with_suffix(spec["ending"])
    path.rename(named)
    return named


def main(arguments: list[str]) -> None:
    """Write every seeded file into a folder of its own."""
    for number, kind in enumerate(kinds(), 1):
        folder = Path(arguments[0]) / f"{number:02} {re.sub(r'[/:]', '-', kind['kind'])}"
        folder.mkdir(parents=True, exist_ok=True)
        seed(kind, folder)


if __name__ == "__main__":
    main(sys.argv[1:])
