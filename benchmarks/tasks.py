"""The tasks that run.py measures beside kpixl's own commands. Each is what somebody would write without kpixl."""

from __future__ import annotations

import html
import io
import json
import re
import resource
import sys
import time
import zipfile
from pathlib import Path
from typing import Any

_FORMULA = re.compile(r'<c r="([A-Z]+\d+)"[^>]*><f>(.*?)</f>')


def openpyxl_script(folder: Path) -> None:
    """Read every form by fixed addresses, as a script for one office would; print what was read."""
    import openpyxl

    fields = {
        "name": "B3", "nature": "E3", "category": "G3", "department": "B4", "unit": "E4", "start": "B5", "end": "E5",
        "total": "C6", "fiscal": "C7", "other": "C9", "amount": "F6", "appropriation": "F7", "carryover": "F8",
        "annual_other": "F9", "overall": "B11", "goal": "E11",
    }  # fmt: skip
    projects = []
    for path in sorted(folder.glob("*.xlsx")):
        book = openpyxl.load_workbook(path, data_only=True)
        for sheet in book.worksheets[1:]:
            if sheet["A3"].value != "项目名称":
                continue
            project: dict[str, Any] = {key: sheet[cell].value for key, cell in fields.items()}
            rows = []
            for number in range(13, sheet.max_row + 1):
                row = [sheet.cell(number, column).value for column in range(2, 8)]
                if any(value is not None for value in row):
                    rows.append(row)
            project["indicators"] = rows
            projects.append(project)
    print(json.dumps(projects, ensure_ascii=False, default=str))


def bare_calamine(folder: Path) -> None:
    """Read every cell of every sheet, and do nothing with it."""
    import python_calamine

    cells = 0
    for path in sorted(path for path in folder.iterdir() if path.suffix in (".xlsx", ".xls", ".ods")):
        book = python_calamine.load_workbook(io.BytesIO(path.read_bytes()))
        for number in range(len(book.sheet_names)):
            cells += sum(map(len, book.get_sheet_by_index(number).to_python()))
    print(cells)


def summary(portfolio: Path, out: Path) -> float:
    """Build kpixl's summary workbook; return the seconds it took without reading the portfolio."""
    from kpixl.forms.load import load_form
    from kpixl.output.summary import build_summary
    from kpixl.portfolio import canonical

    form, content = canonical.load(portfolio, load_form)
    start = time.perf_counter()
    built, _ = build_summary(form, content)
    seconds = time.perf_counter() - start
    out.write_bytes(built)
    return seconds


def bare_xlsxwriter(workbook: Path) -> float:
    """Write the cells, formulas, merges and row heights of a summary again with XlsxWriter alone."""
    import python_calamine
    import xlsxwriter
    from xlsxwriter.utility import xl_rowcol_to_cell

    book = python_calamine.load_workbook(io.BytesIO(workbook.read_bytes()))
    package = zipfile.ZipFile(workbook)
    sheets = []
    for number, name in enumerate(book.sheet_names):
        sheet = book.get_sheet_by_index(number)
        rows: Any = sheet.to_python(skip_empty_area=False)
        xml = package.read(f"xl/worksheets/sheet{number + 1}.xml").decode()
        formulas = {cell: html.unescape(text) for cell, text in _FORMULA.findall(xml)}
        sheets.append((name, rows, sheet.merged_cell_ranges or [], formulas))
    start = time.perf_counter()
    buffer = io.BytesIO()
    out = xlsxwriter.Workbook(buffer, {"in_memory": True})
    styles = [out.add_format({"border": 1, "font_size": 9 + n, "text_wrap": True}) for n in range(4)]
    for name, rows, merges, formulas in sheets:
        target = out.add_worksheet(name)
        covered = set()
        for first, last in merges:
            target.merge_range(*first, *last, "", styles[0])
            covered |= {(r, c) for r in range(first[0], last[0] + 1) for c in range(first[1], last[1] + 1)}
        for r, row in enumerate(rows):
            target.set_row(r, 20)
            for c, value in enumerate(row):
                if formulas and (formula := formulas.get(xl_rowcol_to_cell(r, c))) is not None:
                    target.write_formula(r, c, f"={formula}", styles[c % 4], value)
                elif isinstance(value, str):
                    if value:
                        target.write_string(r, c, value, styles[c % 4])
                    elif (r, c) not in covered:
                        target.write_blank(r, c, "", styles[c % 4])
                elif isinstance(value, int | float):
                    target.write_number(r, c, value, styles[c % 4])
                else:
                    target.write_datetime(r, c, value, styles[c % 4])
    out.close()
    return time.perf_counter() - start


def main() -> None:
    """Run one task by name."""
    task, *arguments = sys.argv[1:]
    paths = [Path(argument) for argument in arguments]
    if task == "openpyxl":
        openpyxl_script(*paths)
    elif task == "calamine":
        bare_calamine(*paths)
    else:
        seconds = summary(*paths) if task == "summary" else bare_xlsxwriter(*paths)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(json.dumps({"seconds": seconds, "mebibytes": peak}))


if __name__ == "__main__":
    main()
