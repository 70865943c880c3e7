"""Apply sequences of edits with LibreOffice: /usr/bin/python3 libreoffice_edits.py JOBS.json PROFILE.

Runs outside the virtual environment, under the Python that has LibreOffice's module `uno`. JOBS: a list of
{source, target, edits, other}; prints a list of the edits that could not be made, one list for each job.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import uno

Edit = dict[str, Any]
_FILTERS = {".xlsx": "Calc MS Excel 2007 XML", ".ods": "calc8"}
_START_SECONDS = 60
_CLEARED = 1 | 2 | 4 | 16  # numbers, dates, texts, formulas
_RAISED = 33  # per cent of the height, as its own dialog has it


def _struct(name: str, **values: Any) -> Any:
    made = uno.createUnoStruct(f"com.sun.star.{name}")
    for key, value in values.items():
        setattr(made, key, value)
    return made


def _property(name: str, value: Any) -> Any:
    return _struct("beans.PropertyValue", Name=name, Value=value)


def _desktop(profile: Path) -> tuple[subprocess.Popen[bytes], Any]:
    """Start LibreOffice and connect to it."""
    pipe = f"kpixl{profile.name}{abs(hash(profile)) % 10**8}"
    started = subprocess.Popen(
        ["soffice", f"-env:UserInstallation={profile.as_uri()}", "--headless", "--norestore", "--invisible",
         f"--accept=pipe,name={pipe};urp;"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )  # fmt: skip
    context = uno.getComponentContext()
    resolver = context.ServiceManager.createInstanceWithContext("com.sun.star.bridge.UnoUrlResolver", context)
    end = time.monotonic() + _START_SECONDS
    while True:
        try:
            remote = resolver.resolve(f"uno:pipe,name={pipe};urp;StarOffice.ComponentContext")
            return started, remote.ServiceManager.createInstanceWithContext("com.sun.star.frame.Desktop", remote)
        except Exception:  # an exception type of UNO; it is not listening yet
            if time.monotonic() > end:
                started.kill()
                raise
            time.sleep(0.2)


class Book:
    """A workbook open in LibreOffice."""

    def __init__(self, desktop: Any, source: str, other: str) -> None:
        self.desktop, self.other = desktop, other
        self.document = self._opened(Path(source).as_uri())
        self._unprotect()

    def _opened(self, url: str) -> Any:
        return self.desktop.loadComponentFromURL(url, "_blank", 0, (_property("Hidden", True),))

    def _unprotect(self) -> None:
        sheets = self.document.Sheets
        for index in range(sheets.Count):
            sheets.getByIndex(index).unprotect("")

    def sheet(self, number: int) -> Any:
        sheets = self.document.Sheets
        return sheets.getByIndex(number % sheets.Count)

    def one(self, edit: Edit) -> None:
        """Make one edit."""
        do, sheet = edit["do"], self.sheet(edit["sheet"])
        getattr(self, f"do_{do}")(sheet, edit)

    def save(self, target: str) -> None:
        kind = _FILTERS[Path(target).suffix]
        self.document.storeToURL(Path(target).as_uri(), (_property("FilterName", kind),))
        self.document.close(True)

    # --- sheets ------------------------------------------------------------------------------

    def do_copy_sheet(self, sheet: Any, edit: Edit) -> None:
        self.document.Sheets.copyByName(sheet.Name, edit["name"], self.document.Sheets.Count)
        self._unprotect()

    def do_rename(self, sheet: Any, edit: Edit) -> None:
        sheet.Name = edit["name"]

    def do_reorder(self, sheet: Any, edit: Edit) -> None:
        self.document.Sheets.moveByName(sheet.Name, edit["to"])

    def do_hide_sheet(self, sheet: Any, _edit: Edit) -> None:
        sheet.IsVisible = False

    def do_delete_sheet(self, sheet: Any, _edit: Edit) -> None:
        self.document.Sheets.removeByName(sheet.Name)

    def do_alone(self, sheet: Any, _edit: Edit) -> None:
        new = self._opened("private:factory/scalc")
        first = new.Sheets.getByIndex(0).Name
        new.Sheets.importSheet(self.document, sheet.Name, 0)
        if new.Sheets.hasByName(first) and new.Sheets.Count > 1:
            new.Sheets.removeByName(first)
        self.document.close(True)
        self.document = new

    def do_transplant(self, sheet: Any, _edit: Edit) -> None:
        new = self._opened(Path(self.other).as_uri())
        new.Sheets.importSheet(self.document, sheet.Name, new.Sheets.Count)
        self.document.close(True)
        self.document = new

    # --- cells -------------------------------------------------------------------------------

    def do_type(self, sheet: Any, edit: Edit) -> None:
        cell, kind = sheet.getCellRangeByName(edit["cell"]), edit["kind"]
        if kind == "text":
            cell.setString(edit["value"])
        elif kind == "formula":
            cell.setFormula(f"={edit['value'].replace(',', ';')}")
        else:
            cell.setValue(edit["value"])
        if "format" in edit:
            formats, locale = self.document.NumberFormats, _struct("lang.Locale")
            key = formats.queryKey(edit["format"], locale, False)
            cell.NumberFormat = key if key != -1 else formats.addNew(edit["format"], locale)

    def do_append(self, sheet: Any, edit: Edit) -> None:
        cell = sheet.getCellRangeByName(edit["cell"])
        cell.setString(cell.String + edit["value"])

    def do_rich(self, sheet: Any, edit: Edit) -> None:
        cell = sheet.getCellRangeByName(edit["cell"])
        cell.setString("")
        for run in edit["runs"]:
            cursor = cell.createTextCursor()
            cursor.gotoEnd(False)
            cursor.CharStrikeout = 1 if run.get("strike") else 0
            cursor.CharEscapement = _RAISED if run.get("raised") else 0
            cell.insertString(cursor, run["text"], False)

    def do_strike(self, sheet: Any, edit: Edit) -> None:
        sheet.getCellRangeByName(edit["cell"]).CharStrikeout = 1

    def do_comment(self, sheet: Any, edit: Edit) -> None:
        address = sheet.getCellRangeByName(edit["cell"]).CellAddress
        sheet.Annotations.insertNew(address, edit["text"])

    def do_clear(self, sheet: Any, edit: Edit) -> None:
        sheet.getCellRangeByName(edit["range"]).clearContents(_CLEARED)

    def do_sort(self, sheet: Any, edit: Edit) -> None:
        cells = sheet.getCellRangeByName(edit["range"])
        field = _struct("table.TableSortField", Field=edit["by"] - cells.RangeAddress.StartColumn - 1,
                        IsAscending=not edit["descending"])  # fmt: skip
        fields = uno.Any("[]com.sun.star.table.TableSortField", (field,))
        cells.sort((_property("SortFields", fields), _property("ContainsHeader", False)))

    def _moved(self, sheet: Any, edit: Edit) -> tuple[Any, Any]:
        source = sheet.getCellRangeByName(edit["range"]).RangeAddress
        target = _struct("table.CellAddress", Sheet=source.Sheet, Column=source.StartColumn + edit["right"],
                         Row=source.StartRow + edit["down"])  # fmt: skip
        return target, source

    def do_move(self, sheet: Any, edit: Edit) -> None:
        sheet.moveRange(*self._moved(sheet, edit))

    def do_copy(self, sheet: Any, edit: Edit) -> None:
        sheet.copyRange(*self._moved(sheet, edit))

    def do_merge(self, sheet: Any, edit: Edit) -> None:
        sheet.getCellRangeByName(edit["range"]).merge(True)

    def do_unmerge(self, sheet: Any, edit: Edit) -> None:
        sheet.getCellRangeByName(edit["range"]).merge(False)

    def do_insert_rows(self, sheet: Any, edit: Edit) -> None:
        sheet.Rows.insertByIndex(edit["at"] - 1, edit["count"])

    def do_delete_rows(self, sheet: Any, edit: Edit) -> None:
        sheet.Rows.removeByIndex(edit["at"] - 1, edit["count"])

    def do_insert_columns(self, sheet: Any, edit: Edit) -> None:
        sheet.Columns.insertByIndex(edit["at"] - 1, edit["count"])

    def do_delete_columns(self, sheet: Any, edit: Edit) -> None:
        sheet.Columns.removeByIndex(edit["at"] - 1, edit["count"])

    def do_hide_rows(self, sheet: Any, edit: Edit) -> None:
        for row in range(edit["at"] - 1, edit["at"] - 1 + edit["count"]):
            sheet.Rows.getByIndex(row).IsVisible = False

    def do_hide_columns(self, sheet: Any, edit: Edit) -> None:
        sheet.Columns.getByIndex(edit["at"] - 1).IsVisible = False


def apply(desktop: Any, job: dict[str, Any]) -> list[str]:
    """Edit a workbook and save it; return the edits that could not be made."""
    book, failed = Book(desktop, job["source"], job["other"]), []
    for edit in job["edits"]:
        try:
            book.one(edit)
        except Exception as error:  # noqa: BLE001 - the exceptions of UNO have no common type of their own
            failed.append(f"{edit['do']}: {_plain(error)}")
    book.save(job["target"])
    return failed


class Office:
    """LibreOffice in a process of its own, started again where it has crashed."""

    def __init__(self, profile: Path) -> None:
        self.profile, self.starts = profile, 0
        self.start()

    def start(self) -> None:
        """Start it with a fresh profile."""
        self.starts += 1
        self.process, self.desktop = _desktop(self.profile.with_name(f"{self.profile.name}{self.starts}"))

    def stop(self) -> None:
        """End it, whatever it is doing."""
        self.process.terminate()
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()

    def apply(self, job: dict[str, Any]) -> list[str]:
        """Edit a workbook; where that fails or crashes LibreOffice, once more in a new process, else leave it out."""
        for _ in range(2):
            try:
                return apply(self.desktop, job)
            except Exception as error:  # noqa: BLE001 - the exceptions of UNO have no common type
                failed = f"crash: {_plain(error)}"
                self.stop()
                self.start()
        return [failed]


def _plain(error: Exception) -> str:
    return re.sub(r"[^ -~]+", " ", str(error))[:120]


def main() -> int:
    """Run from the command line."""
    jobs, office = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")), Office(Path(sys.argv[2]))
    try:
        done = [office.apply(job) for job in jobs]
        print(json.dumps(done, ensure_ascii=False))
    finally:
        office.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
