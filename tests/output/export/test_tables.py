"""The table of decisions: each as it is in decisions.yaml, in words."""

from __future__ import annotations

from pathlib import Path
from shutil import copyfile

from kpixl.cli.main import run
from kpixl.output.export.csv_files import BOM
from kpixl.output.export.gather import gather
from kpixl.output.export.tables import Cell, export_tables
from tests.conftest import EXAMPLE
from tests.strategies import form_of

DECISIONS = """kpixl-decisions: 1
decisions:
- project: "01"
  field: funding.annual.other
  value: 120000
  was: 100000
  candidates: [120000, 150000]
  reason: 与财务科电话核实
  by: 待决定
  date: 2026-11-25
- project: "01"
  field: indicators.target
  row: 产出指标/数量指标/专家参与人数
  value: {operator: "≥", value: 110, unit: 人}
- {project: "09", remove: true, reason: 撤项}
- {exclude: 作废.xlsx, sha256: 9f2c, reason: 试填, date: 2026-11-26}
- {supersede: 旧.xlsx, with: 新.xlsx, reason: 来电说明}
"""


def _decided(folder: Path) -> Path:
    portfolio = folder / "2026.yaml"
    copyfile(EXAMPLE / "2026.yaml", portfolio)
    (folder / "decisions.yaml").write_text(DECISIONS, encoding="utf-8")
    return portfolio


def _rows(portfolio: Path) -> list[dict[str, Cell]]:
    table = next(t for t in export_tables(gather(portfolio, form_of("shanghai-target")), "zh") if t.name == "decisions")
    names = [column.name for column in table.columns]
    return [{n: c for n, c in zip(names, row, strict=True) if c is not None} for row in table.rows]


def test_every_decision_is_a_row(tmp_path: Path) -> None:
    value, target, removed, excluded, superseded = _rows(_decided(tmp_path))
    assert value == {
        "number": 1,
        "kind": "value",
        "project": "01",
        "key": "funding.annual.other",
        "label": "年度其他资金",
        "value": "120000",
        "was": "100000",
        "candidates": "120000\n150000",
        "reason": "与财务科电话核实",
        "by": "待决定",
        "date": "2026-11-25",
    }
    assert (target["key"], target["row"], target["value"]) == (
        "indicators.target",
        "产出指标/数量指标/专家参与人数",
        "≥ 110 人",
    )
    assert removed == {"number": 3, "kind": "remove", "project": "09", "reason": "撤项"}
    assert excluded == {
        "number": 4,
        "kind": "exclude",
        "file": "作废.xlsx",
        "sha256": "9f2c",
        "reason": "试填",
        "date": "2026-11-26",
    }
    assert superseded == {
        "number": 5,
        "kind": "supersede",
        "file": "旧.xlsx",
        "newer": "新.xlsx",
        "reason": "来电说明",
    }


def test_the_command_writes_the_decisions(tmp_path: Path) -> None:
    assert run(["export", str(_decided(tmp_path)), "-o", str(tmp_path / "out")]) == 0
    lines = (tmp_path / "out" / "decisions.csv").read_bytes().removeprefix(BOM).decode().split("\r\n")
    assert lines[0].startswith("number,kind,project,key,row,label,value,was,candidates,")
    assert lines[-2].startswith("5,supersede,")


def test_without_decisions_the_table_is_empty() -> None:
    assert _rows(EXAMPLE / "2026.yaml") == []
