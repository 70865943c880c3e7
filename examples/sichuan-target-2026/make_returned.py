"""Make returned/: the workbooks as the units would have sent them back; the same bytes each time.

    python examples/sichuan-target-2026/make_returned.py

Two units fill in the workbook of `kpixl template roster.yaml --split-by unit`; the third sends its own table: all its
projects on one sheet, as the province prints them, in 万元. The values are those of 2026.yaml.
"""

from __future__ import annotations

import io
import zipfile
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import openpyxl
from openpyxl.styles import Alignment, Border, Side
from openpyxl.workbook import Workbook
from openpyxl.worksheet.worksheet import Worksheet

from kpixl.forms.definition import Form, Value
from kpixl.forms.load import load_form
from kpixl.forms.values import number_text
from kpixl.output.template import build_template
from kpixl.portfolio import canonical
from kpixl.portfolio.model import Project

HERE = Path(__file__).parent
RETURNED = HERE / "returned"
FORM, FILLED = canonical.load(HERE / "2026.yaml", load_form)
ROSTER = canonical.load(HERE / "roster.yaml", load_form)[1]
WAN = Decimal(10_000)


def filled(unit: str) -> Workbook:
    """Fill in the workbook that was sent to a unit."""
    part = replace(ROSTER, projects=tuple(p for p in ROSTER.projects if p.values["unit"] == unit))
    book = openpyxl.load_workbook(io.BytesIO(build_template(FORM, part, whole=ROSTER)))
    by_id = {p.id: p for p in FILLED.projects}
    for project in part.projects:
        sheet = next(s for s in book.worksheets if s.title.startswith(f"{project.id} "))
        fill(sheet, FORM, by_id[project.id])
    return book


def fill(sheet: Worksheet, form: Form, project: Project) -> None:
    """Type what the roster could not know: the goal and the indicators."""
    for place in form.layout.head:
        if place.kind == "value" and form.fields[place.key].lines > 1:
            sheet.cell(place.row + 1, place.col + 1, project.values[place.key])
    for placed in form.layout.tables:
        table = form.tables[placed.table]
        columns: list[str] = []
        for heading in placed.entry:
            target = table.targets.get(heading.key)
            columns += target.parts if target else (heading.key,)
        rows = project.tables[placed.table]
        for offset in range(table.rows):
            for number, key in enumerate(columns, placed.entry[0].col + 1):
                put(sheet, placed.row + 2 + offset, number, rows[offset][key] if offset < len(rows) else None)


def put(sheet: Worksheet, row: int, col: int, value: Value) -> None:
    """Type a value into a text cell, where "=" is no formula."""
    cell = sheet.cell(row, col)
    cell.value = number_text(value) if isinstance(value, Decimal) else value
    if isinstance(value, str | Decimal):
        cell.data_type = "s"


def own_table(unit: str) -> Workbook:
    """Type the projects of a unit into one table, each field merged over its rows, amounts in 万元."""
    flat = FORM.flat
    assert flat is not None
    projects = [p for p in FILLED.projects if p.values["unit"] == unit]
    book = openpyxl.Workbook()
    sheet = book.active
    assert isinstance(sheet, Worksheet)
    sheet.title = "绩效目标表"
    width = len(flat.columns)
    sheet.append([FORM.title])
    sheet.merge_cells(start_row=1, end_row=1, start_column=1, end_column=width)
    sheet.append([*[None] * (width - 2), "金额单位：万元"])
    sheet.append([column.label for column in flat.columns])
    total = sum((p.values["amount"] for p in projects if isinstance(p.values["amount"], Decimal)), Decimal(0))
    sheet.append([unit, None, float(total / WAN)])
    for project in projects:
        first = sheet.max_row + 1
        rows = project.tables[flat.table]
        for number, row in enumerate(rows):
            cells = []
            for column in flat.columns:
                value = row[column.key] if column.table else project.values[column.key] if number == 0 else None
                if column.key == "amount" and isinstance(value, Decimal):
                    value /= WAN
                cells.append(float(value) if isinstance(value, Decimal) else value)
            sheet.append(cells)
            sheet.cell(sheet.max_row, 8).data_type = "s"  # "=" is no formula
        for number, column in enumerate(flat.columns, 1):
            if not column.table:
                sheet.merge_cells(
                    start_row=first, end_row=first + len(rows) - 1, start_column=number, end_column=number
                )
    side = Side(style="thin")
    for cells_of in sheet.iter_rows(min_row=3):
        for cell in cells_of:
            cell.border = Border(side, side, side, side)
            cell.alignment = Alignment(wrap_text=True, vertical="center")
    return book


def save(book: Workbook, path: Path) -> None:
    """Save a workbook with a fixed time in it, so that equal workbooks are equal files."""
    from datetime import datetime

    book.properties.creator = "openpyxl"
    book.properties.created = book.properties.modified = datetime(2026, 1, 15, 9)
    stream = io.BytesIO()
    book.save(stream)
    path.parent.mkdir(exist_ok=True)
    with zipfile.ZipFile(stream) as source, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            content = source.read(name)
            if name == "docProps/core.xml":  # openpyxl writes the time of saving over what was asked for
                text = content.decode()
                start = text.index("<dcterms:modified")
                end = text.index("</dcterms:modified>")
                content = (text[: text.index(">", start) + 1] + "2026-01-15T09:00:00Z" + text[end:]).encode()
            target.writestr(zipfile.ZipInfo(name, (2026, 1, 15, 9, 0, 0)), content)


def main() -> None:
    """Write all returned files."""
    save(filled("示范县文化和旅游局本级"), RETURNED / "局本级.xlsx")
    save(filled("示范县文化馆"), RETURNED / "文化馆 绩效目标.xlsx")
    save(own_table("示范县图书馆"), RETURNED / "图书馆绩效目标表（自制）.xlsx")


if __name__ == "__main__":
    main()
