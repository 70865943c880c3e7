"""A law of the template: its live status is never greener than the check, and what it names shows red.

States are drawn from a seed: a project of the example or a blank one, some cells of it changed as people change them.
LibreOffice recalculates them, many sheets in one workbook. Then (1) where a sheet says that it is finished, `check`
finds no error on it; (2) where it names a cell, the rules of that cell tint it red, or nobody has begun the table.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

import openpyxl
from openpyxl.cell import MergedCell

from kpixl.a1 import parse_a1
from kpixl.collection.review import review
from kpixl.forms.definition import Form
from kpixl.forms.load import load_form
from kpixl.output.template import build_template
from kpixl.portfolio import canonical
from kpixl.portfolio.model import Portfolio, Project
from kpixl.portfolio.sheet_id import STATUS
from kpixl.problems import Severity
from tests.applications import Office

ROOT = Path(__file__).resolve().parents[2]
FORM = load_form("shanghai-target")
BATCH = 60  # sheets of one workbook: openpyxl takes some seconds for them
SCRATCH = 30  # columns to the right in which a rule's formula is computed
Cells = dict[str, Any]

_PLACEHOLDERS = ["XX", "xxx项目", "待补充", "某某单位", "请填写", "方案待定", "＊＊", "____", "TBD", "待 定"]
_TEXTS = ["", "   ", "\u3000", "测试", "另一个单位", "Exxon 合作", "-", "=1+1", "2026年"]
_DATES = [
    "明年年初",
    "2026年",
    "",
    date(2026, 12, 31),
    date(2026, 1, 1),
    date(2025, 1, 1),
    "2026-03-01",
    46023,
    3,
    "待定",
]
_AMOUNTS = ["60万", "", 0, -5, 1234.56, "1,000", 0.1, 0.2, 1e9, "XX", "约5万元"]
_VALUES = ["", "100", "120", 100, 101, "≥90", "≥120%", "120%", "90%", "2026-12-31", "12:30", "合规", "XX", "1e5",
           "１２０", "120%以上", "不低于120%", "待定", "50", "-3", " 80", "120（%）"]  # fmt: skip
_NAMES = ["", "参与人数", "群众满意度", "培训合格率", "投资增长率", "XX率", "新指标", "满 意 率", "  "]
_UNITS = ["", "%", "人", "％", "次", "XX", " ", "元"]
_OPERATORS = ["", "≥", "=", "定性", ">", ">=", "大约", "＝"]
_LEVELS = [(one, two) for one, below in FORM.choices["level2"].children.items() for two in below]


@dataclass(frozen=True, slots=True)
class State:
    """A project as it is sent, and what is then typed into its sheet: address -> value."""

    project: Project
    typed: Cells = field(default_factory=dict)


def bases() -> list[Project]:
    """Return the projects to begin with: mostly those of the example; some without their indicators, or blank."""
    portfolio = canonical.load(ROOT / "examples" / "sast-2026" / "2026.yaml", load_form)[1]
    bare = [replace(p, tables=dict.fromkeys(p.tables, ())) for p in portfolio.projects]
    blank = [replace(p, values={**dict.fromkeys(p.values), "name": f"项目{n}"}) for n, p in enumerate(bare)]
    return [*portfolio.projects * 5, *bare, *blank[:3]]


def _filled_row(draw: random.Random) -> tuple[Any, ...]:
    one, two = draw.choice(_LEVELS)
    return (one, two, draw.choice(_NAMES), draw.choice(_OPERATORS), draw.choice(_VALUES), draw.choice(_UNITS))


def state(seed: int, addresses: Mapping[str, str], first_row: int) -> State:
    """Draw a state. `addresses`: key of a field -> its cell; the rows of the table begin at `first_row`."""
    draw = random.Random(seed)
    typed: Cells = {}
    project = draw.choice(bases())
    for _ in range(draw.choice((0, 0, 0, 1, 1, 2, 6))):
        key = draw.choice([k for k in addresses if not FORM.fields[k].sum])
        kind = FORM.fields[key].type
        lists = {"date": _DATES, "money": _AMOUNTS}
        typed[addresses[key]] = draw.choice(lists.get(kind, _TEXTS + _PLACEHOLDERS))
    for _ in range(draw.choice((0, 0, 1, 1, 2, 4))):
        row, column = first_row + draw.randrange(12), draw.randrange(8)
        cells = _filled_row(draw)
        if column < 6:
            typed["BCDEFG"[column] + str(row)] = cells[column]
        else:
            typed |= {f"{letter}{row}": value for letter, value in zip("BCDEFG", cells, strict=True)}
    return State(project, typed)


# --- recalculating -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Judged:
    """What a sheet says of a state, and what was found of it."""

    state: State
    said: str
    errors: tuple[str, ...]
    red: bool | None  # of the named cell; None where none is named


def judged(seeds: range, folder: Path, calculator: Office) -> list[Judged]:
    """Build, type into, recalculate and check the states of some seeds."""
    folder.mkdir(parents=True, exist_ok=True)
    addresses, first_row = _layout()
    states = [state(seed, addresses, first_row) for seed in seeds]
    projects = tuple(replace(s.project, id=f"{n:03}") for n, s in enumerate(states, 1))
    portfolio = Portfolio(FORM.id, 2026, "某市科协", projects)
    source = folder / "states.xlsx"
    source.write_bytes(build_template(FORM, portfolio))
    book = openpyxl.load_workbook(source)
    for sheet, one in zip(book.worksheets[1:-1], states, strict=True):
        for address, value in one.typed.items():
            _type(sheet, address, value)
    book.save(source)
    computed = calculator.convert(source, folder / "computed")
    said = _statuses(computed)
    errors = _errors(computed)
    red = _red(source, said, folder, calculator)
    return [Judged(*found) for found in zip(states, said, (errors.get(p.id, ()) for p in projects), red, strict=True)]


def _layout() -> tuple[dict[str, str], int]:
    """Return where the fields of a sheet stand, and the first row of its table."""
    places = {p.table: p for p in FORM.layout.tables}
    cells = {c.key: f"{'ABCDEFG'[c.col]}{c.row + 1}" for c in FORM.layout.head if c.kind == "value"}
    return cells, first_row_of(places["indicators"].row)


def first_row_of(heading: int) -> int:
    """Return the first row of a table, as people count, whose headings stand in row `heading` from 0."""
    return heading + 2


def _type(sheet: Any, address: str, value: Any) -> None:
    cell = sheet[address]
    assert not isinstance(cell, MergedCell), address
    cell.value = value or None if isinstance(value, str) else value
    if isinstance(value, str):
        cell.data_type = "s"
    elif isinstance(value, date):
        cell.number_format = "yyyy-mm-dd"


def _statuses(path: Path) -> list[str]:
    book = openpyxl.load_workbook(path, data_only=True)
    found = [[str(c.value) for c in sheet[1] if str(c.value).startswith(STATUS)] for sheet in book.worksheets[1:-1]]
    assert all(len(texts) == 1 for texts in found), found
    return [texts[0].removeprefix(STATUS) for texts in found]


def _errors(path: Path) -> dict[str, tuple[str, ...]]:
    result = review([path], [FORM])
    found: dict[str, list[str]] = {}
    for problem in result.problems:
        if problem.severity is Severity.ERROR and problem.project is not None:
            found.setdefault(problem.project, []).append(
                f"{problem.code} {problem.location.address}: {problem.message('zh')}"
            )
    return {project: tuple(texts) for project, texts in found.items()}


def named_cell(said: str) -> str | None:
    """Return the cell that a status names: F15 of `缺项 2：先看 F15 指标值`."""
    return said.partition("先看 ")[2].partition(" ")[0] or None


def _red(source: Path, said: list[str], folder: Path, calculator: Office) -> list[bool | None]:
    """Tell whether a rule of the template tints the named cell of each sheet red: its formula is computed beside it."""
    book = openpyxl.load_workbook(source)
    places: list[tuple[int, str, list[str]]] = []
    for number, (sheet, text) in enumerate(zip(book.worksheets[1:-1], said, strict=True)):
        if (cell := named_cell(text)) is not None:
            row, col = parse_a1(cell)
            scratch = []
            for offset, formula in enumerate(_red_rules(sheet, cell)):
                target = sheet.cell(row + 1, col + 1 + SCRATCH + offset, f"=IF({formula},1,0)")
                scratch.append(target.coordinate)
            places.append((number, cell, scratch))
    path = folder / "rules.xlsx"
    book.save(path)
    values = openpyxl.load_workbook(calculator.convert(path, folder / "computed"), data_only=True).worksheets[1:-1]
    found: list[bool | None] = [None] * len(said)
    for number, cell, scratch in places:
        sheet = values[number]
        begun = any(sheet[at].value == 1 for at in scratch)
        found[number] = begun or _is_blank(sheet[cell].value)
    return found


def _is_blank(value: object) -> bool:
    return value is None or not str(value).strip()


def _red_rules(sheet: Any, cell: str) -> Iterator[str]:
    for area in sheet.conditional_formatting:
        if cell in area.sqref or any(cell in r for r in area.sqref.ranges):
            for rule in area.rules:
                if rule.dxf and rule.dxf.fill and rule.dxf.fill.bgColor.rgb == "FFFCE4E6":
                    yield from rule.formula


def breaks(found: Judged) -> list[str]:
    """Return how a state breaks the law."""
    broken = []
    if found.said.startswith("已完成") and found.errors:
        broken.append(f"says {found.said}, but {found.errors}")
    if found.red is False:
        broken.append(f"says {found.said}, but that cell is not red")
    return broken


__all__ = ["BATCH", "FORM", "Form", "Judged", "breaks", "judged"]
