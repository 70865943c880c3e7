"""Sequences of edits as staff make them, drawn from a seed; each one is data (JSON) that every application can apply.

An edit is a mapping: `do` names it, `sheet` is the number of a sheet in the order of the workbook at that moment.
What is typed is unique within a sequence, so that it can be counted wherever later edits carry it. `reads` lists the
values as which it may be read; `area` names what the sequence touches.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import cache
from random import Random
from typing import Any

import openpyxl
from openpyxl.utils import get_column_letter

from kpixl.forms.definition import Field, Form
from kpixl.forms.values import Raw
from kpixl.output.template import build_template
from kpixl.portfolio.model import Portfolio, Project
from tests.strategies import canonical_project, form_of

Edit = dict[str, Any]
FORMS = ("shanghai-target", "mini-form")
OTHER_FORMS = ("central-target", "central-monitoring", "shanghai-self-evaluation", "central-self-evaluation")
BASES = ("blank", "filled")
OTHER = "other"  # the template of another organisation, into which sheets are copied; its projects are blank
_DAY_ZERO = date(1899, 12, 30)
_EDIT_NUMBERS = 1000  # what edits type is numbered from here, what was sent below


@dataclass(frozen=True, slots=True)
class Sequence:
    """One sequence: what was sent, the edits, and whether it is read with the roster (`with_roster`) as sent."""

    seed: int
    form: str
    base: str
    edits: tuple[Edit, ...]
    with_roster: bool = False

    def data(self) -> dict[str, Any]:
        """Return the sequence as JSON data."""
        return {"seed": self.seed, "form": self.form, "base": self.base, "with_roster": self.with_roster,
                "edits": list(self.edits)}  # fmt: skip

    @property
    def areas(self) -> set[str]:
        """Return what the sequence touches: the areas of its edits."""
        return {str(edit["area"]) for edit in self.edits if "area" in edit}


def of_data(data: Mapping[str, Any]) -> Sequence:
    """Make a sequence of JSON data."""
    edits = tuple(data["edits"])
    return Sequence(data.get("seed", 0), data["form"], data["base"], edits, data.get("with_roster", False))


# --- what is sent -------------------------------------------------------------------------------


def word(number: int) -> str:
    """Make a text that nothing else contains."""
    return f"记号{number:04}号"


def amount(number: int) -> Decimal:
    """Make an amount that is no sum of a few others."""
    return Decimal(100_003 + number * number * 7 + number * 131)


def day(number: int) -> date:
    """Make a date that nothing else has."""
    return date(2021, 1, 1) + timedelta(days=number % 3000)


def _sent_value(form: Form, field: Field, number: int) -> Raw:
    if field.choices is not None:
        items = [*form.choices[field.choices].items]
        return items[number % len(items)]
    if field.type == "date":
        return day(number)
    return amount(number) if field.type in ("money", "quantity") else word(number)


@cache
def sent(form_id: str, base: str) -> Portfolio:
    """Return the two projects that are sent: with their key fields only (`blank`, `other`), or filled."""
    form = form_of(form_id)
    projects: list[Project] = []
    for index in (1, 2):
        start = index * 300 + (5000 if base == OTHER else 0)
        fields = [field for field in form.fields.values() if not field.sum]
        raw = {f.key: _sent_value(form, f, start + n) for n, f in enumerate(fields)}
        tables: dict[str, list[dict[str, Raw]]] = {}
        if base != "filled":
            raw = {key: value for key, value in raw.items() if key in form.key_fields}
        else:
            for at, (key, table) in enumerate(form.tables.items()):
                rows = [{c: _sent_value(form, f, start + 50 + at * 60 + r * 10 + n)
                         for n, (c, f) in enumerate(table.columns.items())} for r in range(4)]  # fmt: skip
                tables[key] = [dict(row) | _levels(form, key, r) for r, row in enumerate(rows)]
        projects.append(canonical_project(form, f"{index:02}", raw, tables))
    return Portfolio(form_id, 2026, word(998 if base == OTHER else 999), tuple(projects))


def _levels(form: Form, table: str, number: int) -> dict[str, Raw]:
    presets = form.tables[table].presets
    return {key: value for key, value in presets[number % len(presets)].items() if value is not None} if presets else {}


@cache
def template(form_id: str, base: str) -> bytes:
    """Return the workbook that is sent."""
    return build_template(form_of(form_id), sent(form_id, base))


# --- where one can type -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Places:
    """Cells of the first project's sheet by what belongs into them, and the extent of the form.

    `rows`: first and last row for each table; `columns`: the column of each part of a row.
    """

    values: Mapping[str, tuple[str, ...]]  # type -> addresses
    labels: tuple[str, ...]
    totals: tuple[str, ...]
    rows: Mapping[str, tuple[int, int]]
    columns: Mapping[str, Mapping[str, int]]
    width: int
    height: int
    sheets: int


@cache
def places(form_id: str) -> Places:
    """Find where the template of a form is filled in."""
    form = form_of(form_id)
    book = openpyxl.load_workbook(io.BytesIO(template(form_id, "blank")))
    sheet = book.worksheets[1]
    width = len(form.entry_layout.widths)
    columns = {placed.table: _columns(form, placed.table) for placed in form.layout.tables}
    rows: dict[str, tuple[int, int]] = {}
    for placed in form.layout.tables:
        heading = placed.entry[0]
        lines = range(1, sheet.max_row + 1)
        first = last = next(r for r in lines if sheet.cell(r, heading.col + 1).value == heading.label) + 1
        while not sheet.cell(last + 1, heading.col + 1).protection.locked:
            last += 1
        rows[placed.table] = (first, last)
    inside = {r for first, last in rows.values() for r in range(first, last + 1)}
    values: dict[str, list[str]] = {"text": [], "date": [], "money": []}
    labels, totals = [], []
    for line in sheet.iter_rows(max_col=width):
        for cell in line:
            if cell.row in inside:
                continue
            if isinstance(cell.value, str) and cell.value.startswith("="):
                totals.append(cell.coordinate)
            elif cell.protection.locked:
                labels += [cell.coordinate] if cell.value else []
            elif type(cell).__name__ != "MergedCell":
                shown = cell.number_format
                kind = "date" if shown == "yyyy-mm-dd" else "money" if shown.startswith("#,##0.00") else "text"
                values[kind].append(cell.coordinate)
    kept = {kind: tuple(found) for kind, found in values.items()}
    height = max(last for _, last in rows.values()) + 6
    return Places(kept, tuple(labels), tuple(totals), rows, columns, width, height, len(book.worksheets))


def _columns(form: Form, table: str) -> dict[str, int]:
    placed = next(p for p in form.layout.tables if p.table == table)
    columns: dict[str, int] = {}
    for heading in placed.entry:
        target = form.tables[table].targets.get(heading.key)
        for offset, part in enumerate(target.parts if target else (heading.key,)):
            columns[part] = heading.col + 1 + offset
    return columns


# --- what is typed ------------------------------------------------------------------------------


class Typist:
    """Draws what is typed into cells; everything drawn is new in its sequence."""

    def __init__(self, rng: Random, power: int) -> None:
        """`power`: of ten, of the unit in which the form counts money."""
        self.rng, self.power = rng, power
        self.number = _EDIT_NUMBERS + rng.randrange(100) * 20

    def _next(self) -> int:
        self.number += 1
        return self.number

    def text(self) -> Edit:
        """Draw a text, sometimes with white space or line breaks."""
        token = word(self._next())
        how = self.rng.randrange(8)
        spelled = {0: f" {token} ", 1: f"{token}\n第二行", 2: f"　{token}", 3: f"（{token}）", 4: f"{token}：说明"}
        return {"value": spelled.get(how, token), "kind": "text"}

    def amount(self) -> Edit:
        """Draw an amount in one of its spellings."""
        value = amount(self._next())
        tenth = (value / 10_000).normalize()
        wide = str.maketrans("0123456789.,", "０１２３４５６７８９．，")
        spellings: list[tuple[str | float, str, Decimal]] = [
            (float(value), "number", value),
            (float(value), "number", value),
            (float(value) + 0.25, "number", value + Decimal("0.25")),
            (str(value), "text", value),
            (f"{value:,}", "text", value),
            (f"{value:,}.50", "text", value + Decimal("0.5")),
            (str(value).translate(wide), "text", value),
            (f"¥{value:,}", "text", value),
            (f"{value}元", "text", value),
            (f"{tenth:f}万元", "text", value),
            (f"{tenth:f} 万", "text", value),
            (f"人民币{value}元", "text", value),
            (f" {value} ", "text", value),
        ]
        typed, kind, reading = self.rng.choice(spellings)
        if "元" in str(typed) or "万" in str(typed):
            reading = reading.scaleb(-self.power)
        return {"value": typed, "kind": kind, "reads": [f"{reading.normalize():f}"]}

    def date(self) -> Edit:
        """Draw a date, as a real one or as text."""
        value = day(self._next())
        y, m, d = value.year, value.month, value.day
        texts = [f"{y}年{m}月{d}日", f"{y}.{m}.{d}", f"{y}/{m:02}/{d:02}", f"{y}-{m}-{d}", f"{y}{m:02}{d:02}",
                 f"{y} 年 {m} 月 {d} 日"]  # fmt: skip
        reads = [value.isoformat()]
        if self.rng.random() < 0.5:
            shown = self.rng.choice(["yyyy-mm-dd", "yyyy/m/d", 'yyyy"年"m"月"d"日"'])
            return {"value": (value - _DAY_ZERO).days, "kind": "date", "format": shown, "reads": reads}
        return {"value": self.rng.choice(texts), "kind": "text", "reads": reads}

    def target(self) -> Edit:
        """Draw the value of a target."""
        n = 10_000 + self._next()
        typed, reads = self.rng.choice(
            [(f"{n}", [f"{n}"]), (f"≥{n}", [f"{n}"]), (f"{n}人", [f"{n}"]), (f"{n}.5%", [f"{n}.5"]),
             (f"{n}人以上", [f"{n}"]), (f"不少于{n}篇", [f"{n}"]), (f"{n}-{n + 5}次", []), (f"比上年提高{n}", []),
             (f"{n:,}", [f"{n}"]), (word(n % 10_000), []), (f"＞{n}次", [f"{n}"])]
        )  # fmt: skip
        if self.rng.random() < 0.3:
            return {"value": n, "kind": "number", "reads": [f"{n}"]}
        return {"value": typed, "kind": "text", "reads": reads}

    def anything(self) -> Edit:
        """Draw a text, an amount, a date or a target."""
        kind: Callable[[], Edit] = self.rng.choice([self.text, self.text, self.amount, self.date, self.target])
        return kind()


# --- edits --------------------------------------------------------------------------------------


class Editor:
    """Draws the edits of one sequence."""

    def __init__(self, rng: Random, form_id: str) -> None:
        self.rng, self.form, self.at = rng, form_of(form_id), places(form_id)
        self.type = Typist(rng, self.form.money.power)

    # A project's sheet; the cover and the hidden sheet are rarely meant.
    def _sheet(self) -> int:
        return self.rng.choice([1, 1, 1, 2])

    def _put(self, cell: str, typed: Edit, **more: object) -> Edit:
        return {"do": "type", "sheet": self._sheet(), "cell": cell, **typed, **more}

    def _row(self) -> int:
        return self.rng.randint(1, self.at.height)

    def _column(self) -> int:
        return self.rng.randint(1, self.at.width + 1)

    def _table_row(self) -> tuple[str, int]:
        table = self.rng.choice([*self.at.rows])
        first, last = self.at.rows[table]
        return table, self.rng.choice([first, first + 1, first + 2, first + 4, self.rng.randint(first, last), last + 1])

    def _range(self, rows: int = 4, columns: int = 4) -> str:
        row, col = self._row(), self._column()
        last = (row + self.rng.randrange(rows), col + self.rng.randrange(columns))
        return f"{get_column_letter(col)}{row}:{get_column_letter(last[1])}{last[0]}"

    # --- typing ------------------------------------------------------------------------------

    def field(self) -> list[Edit]:
        """Type into a value's cell, mostly of its type."""
        kind = self.rng.choice([kind for kind in self.at.values if self.at.values[kind]])
        cell = self.rng.choice(self.at.values[kind])
        drawn = {"text": self.type.text, "date": self.type.date, "money": self.type.amount}[kind]()
        return [self._put(cell, drawn if self.rng.random() < 0.9 else self.type.anything())]

    def row(self) -> list[Edit]:
        """Fill a row of a table, or some of it."""
        table, row = self._table_row()
        sheet = self._sheet()
        edits = []
        for key, column in self.form.tables[table].columns.items():
            if self.rng.random() < 0.25:
                continue
            cell = f"{get_column_letter(self.at.columns[table][key])}{row}"
            edits.append({"do": "type", "sheet": sheet, "cell": cell, **self._part(table, column)})
        return edits

    def _part(self, table: str, column: Field) -> Edit:
        choices = self.form.choices[column.choices] if column.choices else None
        if choices is not None and self.rng.random() < 0.85:
            return {"value": self.rng.choice([*choices.items]), "kind": "text"}
        if any(column.key == target.value for target in self.form.tables[table].targets.values()):
            return self.type.target()
        return {"date": self.type.date, "money": self.type.amount}.get(column.type, self.type.text)()

    def label(self) -> list[Edit]:
        """Type over a label, or behind it."""
        cell = self.rng.choice(self.at.labels)
        return [self._put(cell, self.type.text(), do=self.rng.choice(["type", "append"]))]

    def margin(self) -> list[Edit]:
        """Type beside, below or far from the form."""
        right, below = self.at.width + self.rng.randint(1, 4), self.at.height + self.rng.randint(0, 5)
        col, row = self.rng.choice([(right, self._row()), (self._column(), below), (right + 20, below + 60)])
        return [self._put(f"{get_column_letter(col)}{row}", self.type.anything())]

    def blank_cell(self) -> list[Edit]:
        """Type into any cell of the form."""
        return [self._put(f"{get_column_letter(self._column())}{self._row()}", self.type.anything())]

    def outside(self) -> list[Edit]:
        """Type on the cover, on the hidden sheet, into the subtitle, or with a sign of kpixl in front."""
        cell = f"{get_column_letter(self.rng.randint(1, 7))}{self.rng.randint(3, 30)}"
        typed = {**self.type.text(), "area": "outside"}
        how = self.rng.randrange(4)
        if how == 0:
            return [{"do": "type", "sheet": 0, "cell": cell, **typed}]
        if how == 1:
            return [{"do": "type", "sheet": -1, "cell": cell, **typed}]
        if how == 2:
            return [self._put("A2", typed)]
        sign = self.rng.choice(["◆ ", "◇ "])
        return [self._put(f"{get_column_letter(self.at.width + 2)}{self._row()}", typed, value=sign + typed["value"])]

    def formula(self) -> list[Edit]:
        """Type a formula where a value belongs."""
        value = amount(self.type._next())
        cell = self.rng.choice(self.at.values["money"])
        spelled = f"{value - 1}+1"
        return [self._put(cell, {"value": spelled, "kind": "formula", "reads": [f"{value}"]})]

    def total(self) -> list[Edit]:
        """Type over a computed total, a number or a formula."""
        cell = self.rng.choice(self.at.totals)
        if self.rng.random() < 0.4:
            return [self._put(cell, self.type.amount())]
        value = amount(self.type._next())
        more = {"value": f"MAX({value},1)", "kind": "formula", "reads": [f"{value}"], "area": "totals"}
        return [self._put(cell, more)]

    def formatted(self) -> list[Edit]:
        """Type a number whose format adds to what it means."""
        n = 10_000 + self.type._next()
        yuan, tens, half = (
            f"{Decimal(each).scaleb(-self.form.money.power).normalize():f}"
            for each in (n, n * 10_000, n * 10_000 + 5_000)
        )
        shown: list[tuple[float, str, list[str]]] = [
            (n, '0"万元"', [tens]), (n + 0.5, '0.00"万"', [half]),
            (n / 10_000, "0.00%", [f"{n / 100:g}"]),
            (n, '#,##0"元"', [yuan]), (n, "0.0", [f"{n}"]), (n, "0_ ", [f"{n}"]),
        ]  # fmt: skip
        value, number_format, reads = self.rng.choice(shown)
        cell = self.rng.choice(self.at.values["money"])
        if any(table.targets for table in self.form.tables.values()) and number_format.endswith("%"):
            table, row = self._table_row()
            target = next(iter(self.form.tables[table].targets.values()))
            cell = f"{get_column_letter(self.at.columns[table][target.value])}{row}"
        typed = {"value": value, "kind": "number", "format": number_format, "reads": reads, "exact": True}
        return [self._put(cell, typed, area="formats")]

    def rich(self) -> list[Edit]:
        """Type a rich text: with a struck-out or a raised part."""
        kind = self.rng.choice(["text", "money"])
        cell = self.rng.choice(self.at.values[kind])
        number = self.type._next()
        plain = word(number) if kind == "text" else f"{amount(number)}"
        other, how = self.rng.choice([(f"{amount(number) + 3}", "strike"), ("1", "raised"), ("2", "raised")])
        runs = [{"text": plain}, {"text": other, how: True}]
        if how == "strike" and self.rng.random() < 0.5:
            runs.reverse()
        return [{"do": "rich", "sheet": self._sheet(), "cell": cell, "runs": runs, "reads": [plain], "exact": True,
                 "area": "rich"}]  # fmt: skip

    def struck(self) -> list[Edit]:
        """Strike a cell out."""
        kind = self.rng.choice([kind for kind in self.at.values if self.at.values[kind]])
        return [{"do": "strike", "sheet": self._sheet(), "cell": self.rng.choice(self.at.values[kind]), "area": "rich"}]

    def comment(self) -> list[Edit]:
        """Add a note."""
        cell = f"{get_column_letter(self._column())}{self._row()}"
        return [{"do": "comment", "sheet": self._sheet(), "cell": cell, "text": word(self.type._next())}]

    # --- moving ------------------------------------------------------------------------------

    def insert(self) -> list[Edit]:
        """Insert or delete rows or columns."""
        do = self.rng.choice([*["insert_rows", "delete_rows"] * 2, "insert_columns", "delete_columns"])
        rows = do.endswith("rows")
        at = self.rng.choice([self._row(), self._table_row()[1]]) if rows else self._column()
        return [{"do": do, "sheet": self._sheet(), "at": at, "count": self.rng.choice([1, 1, 2, 3])}]

    def table_row(self) -> list[Edit]:
        """Insert or delete the first, a middle or the last row of a table."""
        first, last = self.at.rows[self.rng.choice([*self.at.rows])]
        at = self.rng.choice([first, (first + last) // 2, last])
        do = self.rng.choice(["insert_rows", "delete_rows"])
        return [{"do": do, "sheet": self._sheet(), "at": at, "count": 1}]

    def sort(self) -> list[Edit]:
        """Sort the rows of a table, whole or not."""
        table = self.rng.choice([*self.at.rows])
        first, last = self.at.rows[table]
        low, high = min(self.at.columns[table].values()), max(self.at.columns[table].values())
        if self.rng.random() < 0.2:
            low = min(low + 1, high)
        by = self.rng.randint(low, high)
        where = f"{get_column_letter(low)}{first}:{get_column_letter(high)}{self.rng.choice([last, first + 5])}"
        down = self.rng.random() < 0.4
        return [{"do": "sort", "sheet": self._sheet(), "range": where, "by": by, "descending": down}]

    def merge(self) -> list[Edit]:
        """Merge cells, or undo it."""
        do = self.rng.choice(["merge", "unmerge"])
        return [{"do": do, "sheet": self._sheet(), "range": self._range()}]

    def move(self) -> list[Edit]:
        """Move or copy a block."""
        do = self.rng.choice(["move", "copy"])
        where = self._range(3, 5)
        if self.rng.random() < 0.5:
            row = self._table_row()[1]
            where = f"{get_column_letter(self._column())}{row}:{get_column_letter(self.at.width)}{row}"
        down, right = self.rng.choice([(1, 0), (3, 0), (-1, 0), (0, 1), (0, 2), (8, 0), (2, 1)])
        return [{"do": do, "sheet": self._sheet(), "range": where, "down": down, "right": right}]

    def clear(self) -> list[Edit]:
        """Empty cells."""
        return [{"do": "clear", "sheet": self._sheet(), "range": self._range(3, 3)}]

    def sheet(self) -> list[Edit]:
        """Copy, rename, move, hide or delete a sheet; hide rows or columns."""
        sheet = self._sheet()
        name = f"表{self.rng.randrange(1000)}"
        return [self.rng.choice([
            {"do": "copy_sheet", "sheet": sheet, "name": name},
            {"do": "copy_sheet", "sheet": sheet, "name": name},
            {"do": "rename", "sheet": sheet, "name": name},
            {"do": "reorder", "sheet": sheet, "to": self.rng.randrange(4)},
            {"do": "hide_sheet", "sheet": sheet},
            {"do": "hide_rows", "sheet": sheet, "at": self._row(), "count": 2},
            {"do": "hide_columns", "sheet": sheet, "at": self._column(), "count": 1},
            {"do": "delete_sheet", "sheet": self.rng.choice([0, 1, 2, 3])},
        ])]  # fmt: skip


_USUAL = ["field"] * 6 + ["row"] * 6 + ["label", "margin", "margin", "blank_cell", "comment", "formula", "total",
          "insert", "insert", "table_row", "table_row", "sort", "sort", "merge", "move", "move", "clear", "sheet",
          "sheet"]  # fmt: skip
_FORMATTED = ["formatted", "rich", "struck", "outside"]


def sequence(seed: int, form: str | None = None) -> Sequence:
    """Draw the sequence of a seed, for a form that is drawn too unless it is given."""
    rng = Random(seed)
    drawn = FORMS[rng.random() < 0.25]
    form_id = form or drawn
    editor = Editor(rng, form_id)
    edits: list[Edit] = []
    for _ in range(rng.choice([1, 2, 3, 3, 4, 5, 7])):
        name = rng.choice(_FORMATTED if rng.random() < 0.1 else _USUAL)
        edits += getattr(editor, name)()
    if (end := rng.random()) < 0.06:
        edits.append({"do": "alone", "sheet": 1})
    elif end < 0.12:
        edits.append({"do": "transplant", "sheet": 1, "name": "申报表"})
    return Sequence(seed, form_id, rng.choice(BASES), tuple(edits), rng.random() < 0.5)
