"""The round of docs/round.md: 30 projects of 6 units, 12 returns in three waves, and what the office does between.

Everything is done as people do it: in the workbooks that were sent out, in the summary, in the YAML. Times are fixed,
so that every run of the story is like the one in the documentation.
"""

from __future__ import annotations

import io
import os
import re
import shutil
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, cast

import openpyxl
from openpyxl.workbook import Workbook
from openpyxl.worksheet.worksheet import Worksheet

from kpixl.forms.load import load_form
from kpixl.forms.values import number_text
from kpixl.output.summary.conflicts import CHOICE, NAME, REASON

LIST = Path("examples") / "round-2026" / "projects.csv"
FORM = load_form("shanghai-target")
UNITS = {"办公室": 1, "科普部": 6, "学会部": 11, "国际部": 16, "企业服务部": 21, "调研部": 26}  # first id of each
GOALS, ROWS = "goals", "rows"  # what a person fills in

Changes = Mapping[str, Mapping[str, Any]]  # project -> field, or row and column -> what is typed
AMOUNT = "funding.annual.appropriation"


@dataclass
class Story:
    """The collection folder, and what happens in it."""

    root: Path

    @property
    def returned(self) -> Path:
        """Return the folder into which the office puts what comes back."""
        return self.root / "returned"

    # --- the first wave, 12 November --------------------------------------------------------

    def first_wave(self) -> None:
        """Return four files: one is whole, one has two mistakes, two people of one unit share the work."""
        day = datetime(2026, 11, 12, 9)
        self.send("办公室", "办公室.xlsx", "王", day)
        wrong: Changes = {"07": {"end": "年底"}, "09": {"r1.value": "若干"}}
        self.send("科普部", "科普部.xlsx", "刘", day.replace(hour=10), changes=wrong)
        dates: Changes = {"11": {"end": datetime(2026, 10, 31)}, "12": {AMOUNT: 260000}}
        self.send("学会部", "学会部-张.xlsx", "张", day.replace(hour=11), parts=(GOALS,), changes=dates)
        dates = {"11": {"end": datetime(2026, 11, 30)}, "12": {AMOUNT: 280000}}
        self.send("学会部", "学会部-李.xlsx", "李", day.replace(hour=12), parts=(ROWS,), changes=dates)

    # --- the second wave, 18 November -------------------------------------------------------

    def second_wave(self) -> None:
        """Return five files: a corrected annotated copy, a blank one, a trial, the true one, and the same twice."""
        day = datetime(2026, 11, 18, 9)
        right: Changes = {"07": {"end": datetime(2026, 12, 31)}, "09": {"r1.value": "12"}}
        book = openpyxl.load_workbook(self.root / "annotated" / "科普部.xlsx")
        change(book, right)
        self.save(book, "科普部（已改）.xlsx", "刘", day)
        self.send("国际部", "国际部.xlsx", "赵", day.replace(hour=10), parts=())
        trial = {"21": {"goal.annual": "测试测试，请勿采用，只是试着填一下看看。"}}
        self.send("企业服务部", "试填.xlsx", "孙", day.replace(hour=11), parts=(), changes=trial)
        self.send("企业服务部", "企业服务部.xlsx", "周", day.replace(hour=12))
        self.copy("企业服务部.xlsx", "企业服务部 - 副本.xlsx")

    def office_decides(self) -> None:
        """Choose in the sheet 待决定, and correct a value in the YAML."""
        path = self.root / "2026.xlsx"
        book = openpyxl.load_workbook(path)
        sheet = next(s for s in book.worksheets if s.title in NAME)
        for row in sheet.iter_rows():
            texts = [str(cell.value) for cell in row]
            if "11" in texts and "计划完成日期" in texts:
                choice, reason = cast("Any", row[CHOICE]), cast("Any", row[REASON])
                choice.value = next(text for text in texts if text.startswith("2026-11-30"))
                reason.value = "李老师来电确认"
        book.save(path)
        yaml = self.root / "2026.yaml"
        text = yaml.read_text(encoding="utf-8")
        at = text.index('- id: "03"')
        yaml.write_text(text[:at] + text[at:].replace("appropriation: 230000", "appropriation: 235000", 1), "utf-8")

    # --- the third wave, 22 November: late --------------------------------------------------

    def third_wave(self) -> None:
        """Return three files: two are late, one of them for the second time."""
        day = datetime(2026, 11, 22, 9)
        self.send("国际部", "国际部 终稿.xlsx", "赵", day)
        self.send("调研部", "调研部.xlsx", "吴", day.replace(hour=10))
        more = {"02": {"r1.value": "60"}}
        self.send("办公室", "办公室(2).xlsx", "王", day.replace(hour=11), changes=more)

    # --- what people do ----------------------------------------------------------------------

    def send(
        self,
        unit: str,
        name: str,
        editor: str,
        when: datetime,
        *,
        parts: Sequence[str] = (GOALS, ROWS),
        changes: Changes | None = None,
    ) -> None:
        """Fill in a unit's workbook and return it."""
        book = openpyxl.load_workbook(self.root / "sent" / f"{unit}.xlsx")
        for number in range(UNITS[unit], UNITS[unit] + 5):
            change(book, {f"{number:02}": filled(number, parts)})
        change(book, changes or {})
        self.save(book, name, editor, when)

    def save(self, book: Workbook, name: str, editor: str, when: datetime) -> None:
        """Save a workbook as a person did at a time."""
        path = self.returned / name
        path.write_bytes(saved(book, editor, when))
        os.utime(path, (when.timestamp(), when.timestamp()))

    def copy(self, name: str, other: str) -> None:
        """Return the same file again under another name."""
        shutil.copy2(self.returned / name, self.returned / other)


def filled(number: int, parts: Iterable[str]) -> dict[str, Any]:
    """Return what a person types for a project."""
    times, people = 4 + number % 9, 120 + 35 * (number % 11)
    goal = f"全年组织活动{times}场，参加{people}人次，参加者满意度不低于90%，做好第{number}项工作。"
    rows: list[tuple[Any, ...]] = [
        ("成本指标", "经济成本指标", "成本控制", "≤", 40, "万元"),
        ("产出指标", "数量指标", "组织活动场次", "≥", times, "场"),
        ("效益指标", "社会效益指标", "参加人次", "≥", people, "人次"),
        ("满意度指标", "服务对象满意度指标", "参加者满意度", "≥", 90, "%"),
    ]
    typed: dict[str, Any] = {"goal.annual": goal} if GOALS in parts else {}
    if ROWS in parts:
        columns = ("level1", "level2", "name", "operator", "value", "unit")
        for at, row in enumerate(rows):
            typed |= {f"r{at}.{column}": value for column, value in zip(columns, row, strict=True)}
    return typed


def change(book: Workbook, changes: Changes) -> None:
    """Type values into the sheets of projects."""
    for project, typed in changes.items():
        sheet = next(s for s in book.worksheets if s.title.startswith(f"{project} "))
        for key, value in typed.items():
            put(sheet, *place_of(key), value)


def place_of(key: str) -> tuple[int, int]:
    """Return row and column of a field, or of a column of a row such as r1.value, counted from 1."""
    if found := re.fullmatch(r"r(\d+)\.(\w+)", key):
        (placed,) = FORM.layout.tables
        table = FORM.tables[placed.table]
        columns: list[str] = []
        for heading in placed.entry:
            target = table.targets.get(heading.key)
            columns += target.parts if target else (heading.key,)
        return placed.row + 2 + int(found[1]), placed.entry[0].col + 1 + columns.index(found[2])
    cell = next(cell for cell in FORM.layout.head if cell.kind == "value" and cell.key == key)
    return cell.row + 1, cell.col + 1


def put(sheet: Worksheet, row: int, col: int, value: Any) -> None:
    """Type a value; numbers of targets are in text cells."""
    cell = sheet.cell(row, col)
    cell.value = value
    if row > FORM.layout.tables[0].row and value is not None:
        cell.value = value if isinstance(value, str) else number_text(value)
        cell.data_type = "s"


def saved(book: Workbook, editor: str, when: datetime) -> bytes:
    """Save a workbook by a person and at a time; equal contents are equal bytes."""
    book.properties.lastModifiedBy = editor
    stream, out = io.BytesIO(), io.BytesIO()
    book.save(stream)
    with zipfile.ZipFile(stream) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            content = old.read(name)
            if name == "docProps/core.xml":
                stamp = f"{when:%Y-%m-%dT%H:%M:%SZ}".encode()
                content = re.sub(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", stamp, content)
            new.writestr(zipfile.ZipInfo(name, when.timetuple()[:6]), content, zipfile.ZIP_DEFLATED)
    return out.getvalue()
