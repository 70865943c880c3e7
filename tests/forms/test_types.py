"""Field types in workbooks that kpixl did not write: what a cell shows, and what is said of it."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from kpixl.collection.consolidate import consolidate
from kpixl.collection.model import Collection
from kpixl.forms.types.boxes import ticked_item
from tests.strategies import form_of

FORM = form_of("types-form")


def read(path: Path) -> Collection:
    return consolidate([path], [FORM], workers=0)


def written(folder: Path, share: Any, number_format: str, *, exact: Any = "无", exact_format: str = "General") -> Path:
    """Write the form as a stranger would, with one share and one text."""
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    rows: list[list[Any]] = [
        ["各类内容登记表"],
        ["2026 年"],
        ["事项", "换发证书", None, "经办部门及代码", "105 某处"],
        ["办理周期", "1年", "完成比例", share, "是否公开", "√"],
        ["显示内容", exact, None, "花费（万元）", 1.5],
        ["步骤名称", "承办单位", "时限", "比重", "已办结", "备查"],
        ["受理", "某科（2001）", "3个月", share, "×", exact],
    ]
    for row in rows:
        sheet.append(row)
    for cell in ("D4", "D7"):
        sheet[cell].number_format = number_format
    for cell in ("B5", "F7"):
        sheet[cell].number_format = exact_format
    path = folder / "returned.xlsx"
    book.save(path)
    return path


@pytest.mark.parametrize(
    ("share", "number_format", "value"),
    [
        (0.95, "0%", 95), (0.95, "0.00%", 95), (1, "0%", 100), (12, "0%", 1200), (95, "General", 95),
        (0.9512, "0%", "95.12"), (0.86182, "0.00%", "86.182"), (-0.05, "0%", -5), ("95％", "@", 95),
        (0.95, "General", "0.95"),        (95, '0"%"', 95), ("95%", "@", 95), (0, "0%", 0),
    ],
)  # fmt: skip
def test_a_share_is_read_as_its_cell_shows_it(share: Any, number_format: str, value: Any, tmp_path: Path) -> None:
    result = read(written(tmp_path, share, number_format))
    (project,) = result.portfolio.projects
    assert project.values["share"] == Decimal(str(value))
    assert project.tables["steps"][0]["weight"] == Decimal(str(value))
    noted = {p.location.address for p in result.problems if p.code in ("value-normalised", "value-rounded")}
    changed = share != value and not (share == "95%" or number_format == "General")
    assert {"D4", "D7"} <= noted if changed else {"D4", "D7"}.isdisjoint(noted)


@pytest.mark.parametrize(
    ("exact", "number_format", "text"),
    [(100, "0.00", "100.00"), (0.95, "0%", "95%"), (1234.5, "#,##0.00", "1,234.50"), (100, "General", "100"),
     ("≥95% ", "@", "≥95% ")],
)  # fmt: skip
def test_a_displayed_text_is_what_its_cell_shows(exact: Any, number_format: str, text: str, tmp_path: Path) -> None:
    (project,) = read(written(tmp_path, "95%", "@", exact=exact, exact_format=number_format)).portfolio.projects
    assert (project.values["exact"], project.tables["steps"][0]["shown"]) == (text, text)


def test_codes_ticks_and_periods_are_read_with_a_note(tmp_path: Path) -> None:
    result = read(written(tmp_path, "95%", "@"))
    (project,) = result.portfolio.projects
    (step,) = project.tables["steps"]
    assert (project.values["office"], project.values["open"], project.values["term"]) == ("[105]某处", "是", "1年")
    assert (step["by"], step["done"], step["within"]) == ("[2001]某科", "否", "3个月")
    noted = {p.location.address: p.details["reading"] for p in result.problems if p.code == "value-normalised"}
    assert noted == {"E3": "[105]某处", "F4": "是", "B7": "[2001]某科", "E7": "否"}


@pytest.mark.parametrize(("share", "message"), [("九成", "百分数"), ("95%左右", "百分数")])
def test_what_is_no_share_is_kept_and_named(share: str, message: str, tmp_path: Path) -> None:
    result = read(written(tmp_path, share, "@"))
    unread = [p for p in result.problems if p.code == "value-unread"]
    assert {p.location.address for p in unread} == {"D4", "D7"}
    assert all(message in p.message("zh") for p in unread)


BOXES = {
    "☑特定目标类 □其他运转类": "特定目标类",
    "□特定目标类；☑其他运转类；": "其他运转类",
    "特定目标类□、其他运转类■": "其他运转类",
    "1.□特定目标类 2.☑其他": "其他",
    "1、特定目标类□ 2、其他☑": "其他",
    "特定目标类（√） 其他（ ）": "特定目标类",
    "[x] A [ ] B": "A",
    "○A ●B": "B",
    "特定目标类√": "特定目标类",
    "☑2.5万以上 □5万以上": "2.5万以上",
    "□A □B": None,
    "☑A ☑B": None,
    "√": None,
    "A": None,
    "☑" + "A" * 300: None,
}


@pytest.mark.parametrize("text", BOXES)
def test_the_item_of_the_one_ticked_box_is_read(text: str) -> None:
    assert ticked_item(text) == BOXES[text]
