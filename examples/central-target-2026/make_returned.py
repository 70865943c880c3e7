"""Make roster.yaml and returned/ from 2026.yaml: the workbooks as staff would have sent them back.

    python examples/central-target-2026/make_returned.py

`干部学院.xlsx` and `信息中心.xlsx` are the workbooks that were sent out, filled in; in the second an amount was
typed with its unit. `档案馆(部里的表).xlsx` is the official form, nine columns with both tables under one
first level, typed by somebody who never had the workbook.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import openpyxl
from openpyxl.workbook import Workbook
from openpyxl.worksheet.worksheet import Worksheet

from kpixl.forms.load import load_form
from kpixl.forms.values import text_of
from kpixl.output.template import build_template
from kpixl.portfolio import canonical
from kpixl.portfolio.model import Portfolio, Project
from kpixl.portfolio.print_layout import printed_form, printed_text

HERE = Path(__file__).parent
FORM, FILLED = canonical.load(HERE / "2026.yaml", load_form)
KNOWN = ("name", "department", "unit", "nature", "period")  # before anybody filled anything in


def roster() -> Portfolio:
    """Return what the office knew of the projects."""
    projects = (
        Project(
            p.id,
            {key: p.values[key] if key in KNOWN else None for key in FORM.fields},
            dict.fromkeys(FORM.tables, ()),
        )
        for p in FILLED.projects
    )
    return replace(FILLED, projects=tuple(projects))


def filled(ids: Sequence[str]) -> Workbook:
    """Fill in the workbook that was sent out for some projects."""
    sent = roster()
    part = replace(sent, projects=tuple(p for p in sent.projects if p.id in ids))
    book = openpyxl.load_workbook(io.BytesIO(build_template(FORM, part, whole=sent)))
    for project in FILLED.projects:
        for sheet in book.worksheets:
            if sheet.title.startswith(f"{project.id} "):
                fill(sheet, project)
    return book


def fill(sheet: Worksheet, project: Project) -> None:
    """Type the amounts, the goals and the indicators."""
    for place in FORM.entry_layout.head:
        if place.kind == "value" and place.key not in KNOWN and not FORM.fields[place.key].sum:
            sheet.cell(place.row + 1, place.col + 1, project.values[place.key])
    for placed in FORM.entry_layout.tables:
        table = FORM.tables[placed.table]
        keys = [
            part
            for head in placed.entry
            for part in (table.targets[head.key].parts if head.key in table.targets else (head.key,))
        ]
        rows = project.tables[placed.table]
        for number in range(table.rows):
            for offset, key in enumerate(keys):
                value = rows[number][key] if number < len(rows) else None
                cell = sheet.cell(placed.row + 2 + number, placed.entry[0].col + 1 + offset)
                cell.value = None if value is None else text_of(value)
                if isinstance(cell.value, str) and cell.value.startswith("="):
                    cell.data_type = "s"  # the operator, no formula


def official(projects: Sequence[Project]) -> Workbook:
    """Type the official form of each project, as it is printed, on a sheet of its own."""
    book = Workbook()
    book.remove(book.worksheets[0])
    for project in projects:
        sheet = book.create_sheet(text_of(project.values["name"])[:10])
        for row in printed_form(FORM, FILLED.year, project):
            for cell in row.cells:
                kind = cell.type or "text"
                place = sheet.cell(cell.row + 1, cell.col + 1)
                value = cell.value if kind == "money" else printed_text(cell)
                place.value = None if value in (None, "") else value
                if isinstance(place.value, str) and place.value.startswith("="):
                    place.data_type = "s"
                if cell.rows > 1 or cell.columns > 1:
                    sheet.merge_cells(
                        start_row=cell.row + 1,
                        start_column=cell.col + 1,
                        end_row=cell.row + cell.rows,
                        end_column=cell.col + cell.columns,
                    )
    return book


def main() -> None:
    """Write everything."""
    returned = HERE / "returned"
    returned.mkdir(exist_ok=True)
    (HERE / "roster.yaml").write_text(canonical.dumps(FORM, roster()), encoding="utf-8")
    filled(["03"]).save(returned / "干部学院.xlsx")
    book = filled(["04"])
    amount = next(c for c in FORM.entry_layout.head if c.kind == "value" and c.key == "funding.annual.fiscal")
    book.worksheets[1].cell(amount.row + 1, amount.col + 1).value = "800万元"
    book.save(returned / "信息中心.xlsx")
    official([p for p in FILLED.projects if p.id in ("01", "02")]).save(returned / "档案馆(部里的表).xlsx")


if __name__ == "__main__":
    main()
