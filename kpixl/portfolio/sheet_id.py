"""The sheet id: who a sheet is, in one cell that survives copying and every re-saving application (design 4.3)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Container, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any, NamedTuple

from kpixl.forms.definition import Form, Value
from kpixl.forms.values import Raw, fold, refused_character, text_of
from kpixl.portfolio.model import Portfolio, Project

OWN_SHEET = "_kpixl"  # the hidden sheet with the id of the workbook, and once more of each sheet
PREFIX = '{"kpixl":'
FORMAT = 1
LOWER = "lower"  # in place of its portfolio: of a project of a lower level, when it has its number at this one
MAX_LENGTH = 32_767  # what a cell holds
# What kpixl itself writes beside a form (status, hints) begins with one of these and is never a value.
STATUS, HINT = "◆ ", "◇ "
REASONS = (HINT + "说明", HINT + "Reasons")  # how the hint begins below which staff say why something does not apply
OWN_LINK = '=IFERROR(HYPERLINK("#"&'  # how the formula of the status begins
# A note of ours (`kpixl check --mark`) begins so; below a person's own it is a paragraph that begins so. By that it is
# found again, whichever program has saved the file in between.
NOTE_SIGNATURE = "【kpixl】"
# Where it is: columns right of the form's last one. A value is never there.
STATUS_GAP, ID_GAP = 2, 3


@dataclass(frozen=True, slots=True)
class SheetId:
    """The contents of a sheet id. `order` counts from 1; `name` is a digest of the project's name when written.

    `sent`: a digest of the values that the sheet was sent out with, "" of sheets made before it was kept.
    `presets`: the tables whose presets were written as rows, so that one left as it was is no row.
    `explicit`: a blank level is blank and not the one above.
    """

    form: str
    version: str
    portfolio: str
    project: str
    order: int
    name: str = ""
    year: int | None = None
    organization: str | None = None
    presets: tuple[str, ...] = ()
    explicit: bool = False
    sent: str = ""


def portfolio_id(portfolio: Portfolio) -> str:
    """Name a portfolio shortly: form, year, and a digest of the organisation."""
    return f"{portfolio.form}-{portfolio.year or 0}-{digest(portfolio.organization)}"


def digest(value: Value | Raw) -> str:
    """Digest a name, folded, to eight hexadecimal digits; "" for a blank one."""
    text = fold(text_of(value))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8] if text else ""


def content_digest(project: Project) -> str:
    """Digest the values of a project that are not blank, to sixteen hexadecimal digits."""
    values = [(key, text_of(value)) for key, value in sorted(project.values.items()) if value is not None]
    tables = [
        (table, [[(key, text_of(row[key])) for key in sorted(row) if row[key] is not None] for row in rows])
        for table, rows in sorted(project.tables.items())
        if rows
    ]
    return hashlib.sha256(json.dumps([values, tables]).encode()).hexdigest()[:16]


def name_of(form: Form, project: Project) -> Value:
    """Return the value by which people call a project: the form's first key field."""
    return project.values[form.key_fields[0]]


def dumps(sheet_id: SheetId) -> str:
    """Write the sheet id's cell's text."""
    facts = {k: v for k, v in asdict(sheet_id).items() if v not in (None, False, "", ())}
    return json.dumps({"kpixl": FORMAT, **facts}, ensure_ascii=False, separators=(",", ":"))


def loads(raw: Raw) -> SheetId | None:
    """Read a sheet id; None for any other cell, and for one that somebody damaged."""
    if not isinstance(raw, str) or not raw.startswith(PREFIX) or len(raw) > MAX_LENGTH:
        return None
    return _loads(raw)


@lru_cache(maxsize=1024)  # each is asked for several times: whose form, whose sheet, which of them
def _loads(text: str) -> SheetId | None:
    try:
        data: Any = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(data, dict) or data.pop("kpixl", None) != FORMAT:
        return None
    kinds = {"order": int, "year": int, "presets": list, "explicit": bool}
    facts = {
        k: data[k]
        for k in SheetId.__dataclass_fields__
        if k in data and isinstance(data[k], kinds.get(k, str)) and (kinds.get(k) is not int or data[k] is not True)
    }
    facts["presets"] = tuple(map(str, facts.get("presets", ())))
    needed = {"form", "version", "portfolio", "project", "order"}
    if not needed <= set(facts) or not facts["project"].strip() or not 1900 <= facts.get("year", 1900) <= 9999:
        return None
    # JSON can spell what no portfolio can hold.
    return None if any(isinstance(v, str) and refused_character(v) for v in facts.values()) else SheetId(**facts)


def is_instructions(rows: Sequence[Sequence[Raw]]) -> bool:
    """Return whether kpixl put a sheet beside the forms: its first row names kpixl, and no project."""
    return bool(rows) and any(isinstance(raw, str) and raw.startswith(PREFIX) and not loads(raw) for raw in rows[0])


def listed(rows: Sequence[Sequence[Raw]], names: Container[str]) -> dict[str, SheetId]:
    """Read from the hidden sheet of a template the sheet ids of some sheets, by the names they were sent out with."""
    found: dict[str, SheetId] = {}
    for row in rows:
        name = row[0] if len(row) > 1 else None
        if isinstance(name, str) and name in names and (sheet_id := loads(row[1])) is not None:
            found[name] = sheet_id
    return found


class PlacedSheetId(NamedTuple):
    """A sheet id and its place."""

    sheet_id: SheetId
    row: int
    col: int


def in_row(cells: Sequence[Raw]) -> SheetId | None:
    """Return the sheet id in a row; it is at its end."""
    return next((sheet_id for raw in reversed(cells) if (sheet_id := loads(raw))), None)


def find(rows: Sequence[Sequence[Raw]]) -> Iterator[PlacedSheetId]:
    """Find the sheet ids of a sheet, from the top; one in a form of ours is the rightmost cell of its first row."""
    for number, row in enumerate(rows):
        for col in range(len(row) - 1, -1, -1):
            raw = row[col]
            if type(raw) is str and raw.startswith(PREFIX) and (known := loads(raw)):
                yield PlacedSheetId(known, number, col)
