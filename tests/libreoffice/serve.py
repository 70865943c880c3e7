"""Keep one LibreOffice open, to convert files and edit workbooks in: /usr/bin/python3 serve.py PROFILE.

Run by the system's Python, which has LibreOffice's bridge (package python3-uno). Each line on standard input is a job
as JSON, its answer a line on standard output: `null` when done, {"error": text} where it could not be. A job with
`kind` converts {source, target, kind, opened_as}; another edits as a person would {source, target, steps, other}: steps
are lists whose first item names a function below, and the answer is what the `ask` steps found. LibreOffice ends with
the input.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
import uuid
from pathlib import Path
from typing import Any

import uno
from com.sun.star.beans import PropertyValue
from com.sun.star.connection import NoConnectException
from com.sun.star.lang import DisposedException
from com.sun.star.table import TableSortField
from com.sun.star.uno import Exception as UnoException

# The filter that saves each kind of file, by the sort of document: as `soffice --convert-to` chooses them.
FILTERS = {
    "sheet.SpreadsheetDocument": {
        "fods": "OpenDocument Spreadsheet Flat XML",
        "html": "HTML (StarCalc)",
        "ods": "calc8",
        "pdf": "calc_pdf_Export",
        "xls": "MS Excel 97",
        "xlsx": "Calc MS Excel 2007 XML",
    },
    "text.WebDocument": {"pdf": "writer_web_pdf_Export"},
    "text.TextDocument": {"docx": "MS Word 2007 XML", "pdf": "writer_pdf_Export"},
}
PROBE_COLUMN = 40
STARTUP = 60  # seconds


def options(**values: Any) -> tuple[Any, ...]:
    """Return named arguments as LibreOffice takes them."""
    return tuple(PropertyValue(name, 0, value, 0) for name, value in values.items())


def connect(profile: str) -> tuple[subprocess.Popen[bytes], Any]:
    """Start LibreOffice and return its process and desktop; the pipe has a name that nobody else uses."""
    pipe = f"kpixl{uuid.uuid4().hex}"
    process = subprocess.Popen(
        [
            "soffice",
            f"-env:UserInstallation={Path(profile).as_uri()}",
            "--headless",
            "--norestore",
            f"--accept=pipe,name={pipe};urp;",
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    here = uno.getComponentContext()
    resolver = here.ServiceManager.createInstanceWithContext("com.sun.star.bridge.UnoUrlResolver", here)
    for _ in range(STARTUP * 5):
        try:
            there = resolver.resolve(f"uno:pipe,name={pipe};urp;StarOffice.ComponentContext")
            return process, there.ServiceManager.createInstanceWithContext("com.sun.star.frame.Desktop", there)
        except NoConnectException:
            time.sleep(0.2)
    process.kill()
    raise SystemExit("LibreOffice did not start")


def load(desktop: Any, path: str | None, filter_name: str = "") -> Any:
    """Open a file, or a blank workbook for None."""
    url = Path(path).as_uri() if path else "private:factory/scalc"
    chosen = {"FilterName": filter_name} if filter_name else {}
    opened = desktop.loadComponentFromURL(url, "_blank", 0, options(Hidden=True, **chosen))
    if opened is None:
        raise ValueError(f"LibreOffice cannot open {path}")
    return opened


def filter_of(opened: Any, kind: str) -> str:
    """Return the filter that saves a document as `kind`; `xlsx:A filter` names its own."""
    ending, _, named = kind.partition(":")
    if named:
        return named
    sort = next(sort for sort in FILTERS if opened.supportsService(f"com.sun.star.{sort}"))
    return FILTERS[sort][ending]


def convert(desktop: Any, job: dict[str, Any]) -> None:
    """Open a file and save it as another kind."""
    opened = load(desktop, job["source"], job["opened_as"])
    try:
        target = Path(job["target"]).as_uri()
        opened.storeToURL(target, options(FilterName=filter_of(opened, job["kind"])))
    finally:
        opened.close(True)


def delete(book: Any, sheet: int, first: int, count: int = 1) -> None:
    """Delete rows of a sheet; rows count from 0."""
    book.Sheets[sheet].Rows.removeByIndex(first, count)


def insert(book: Any, sheet: int, first: int, count: int = 1) -> None:
    """Insert rows into a sheet, before `first`."""
    book.Sheets[sheet].Rows.insertByIndex(first, count)


def sort(book: Any, sheet: int, area: str, column: int) -> None:
    """Sort an area by one of its columns, downwards."""
    field = TableSortField()
    field.Field, field.IsAscending = column, False
    wanted = uno.Any("[]com.sun.star.table.TableSortField", (field,))
    book.Sheets[sheet].getCellRangeByName(area).sort(options(SortFields=wanted, ContainsHeader=False))


def copy(book: Any, sheet: int, name: str) -> None:
    """Copy a sheet within its workbook, behind the original."""
    book.Sheets.copyByName(book.Sheets[sheet].Name, name, sheet + 1)


def fill(book: Any, sheet: int, address: str, text: str) -> None:
    """Type a text into a cell."""
    book.Sheets[sheet].getCellRangeByName(address).String = text


def ask(book: Any, sheet: int, address: str) -> list[str] | str | None:
    """Return what the dropdown of a cell offers: its own formula, calculated in its own row."""
    page = book.Sheets[sheet]
    cell = page.getCellRangeByName(address)
    formula = cell.Validation.getFormula1()
    if not formula:
        return None
    row = cell.CellAddress.Row

    def calculated(text: str) -> str:
        probe = page.getCellByPosition(PROBE_COLUMN, row)
        probe.Formula = text
        result = str(probe.String)
        probe.Formula = ""
        return result

    count = calculated(f"=COUNTA({formula})")
    if not count.isdigit():
        return count
    return [calculated(f"=INDEX({formula};{n})") for n in range(1, int(count) + 1)]


STEPS = {function.__name__: function for function in (delete, insert, sort, copy, fill, ask)}


def work(desktop: Any, job: dict[str, Any]) -> list[Any]:
    """Do one job; a sheet goes into another workbook where the job has `other` (a path, or null for a blank one)."""
    book = load(desktop, job["source"])
    for sheet in book.Sheets:
        sheet.unprotect("")
    book.calculateAll()
    if "other" in job:
        target = load(desktop, job["other"])
        target.Sheets.importSheet(book, book.Sheets[job["sheet"]].Name, target.Sheets.Count)
        book.close(True)
        book = target
        for sheet in book.Sheets:
            sheet.unprotect("")
    answers = [answer for name, *rest in job["steps"] if (answer := STEPS[name](book, *rest)) or name == "ask"]
    book.calculateAll()
    path = Path(job["target"])
    book.storeToURL(path.as_uri(), options(FilterName=filter_of(book, path.suffix[1:])))
    book.close(True)
    return answers


def answer(desktop: Any, job: dict[str, Any]) -> Any:
    """Do one job; what LibreOffice refuses is an answer too."""
    try:
        return convert(desktop, job) if "kind" in job else work(desktop, job)
    except (UnoException, ValueError) as error:
        return {"error": str(error)}


def main() -> None:
    """Answer the jobs on standard input until it ends."""
    process, desktop = connect(sys.argv[1])
    try:
        for line in sys.stdin:
            print(json.dumps(answer(desktop, json.loads(line)), ensure_ascii=False), flush=True)
    finally:
        try:
            desktop.terminate()
            process.wait(30)
        except (DisposedException, subprocess.TimeoutExpired):  # gone already, or stuck
            process.kill()


if __name__ == "__main__":
    main()
