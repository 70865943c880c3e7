"""The marker: who a sheet is, in one cell that survives copying and every re-saving application (design 4.3)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from kpixl.model import Form, Portfolio, Project, Value
from kpixl.values import Raw, fold, text_of

PREFIX = '{"kpixl":'
FORMAT = 1
MAX_LENGTH = 2_000
# What kpixl itself writes beside a form (status, hints) begins with one of these and is never a value.
STATUS, HINT = "◆ ", "◇ "


@dataclass(frozen=True, slots=True)
class Marker:
    """What the marker cell says. `order` counts from 1; `name` is a digest of the project's name when written.

    `presets`: the rows of the form's presets were written, so one left as it was is no row.
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
    presets: bool = False
    explicit: bool = False


def portfolio_id(portfolio: Portfolio) -> str:
    """Name a portfolio shortly: form, year, and a digest of the organisation."""
    return f"{portfolio.form}-{portfolio.year or 0}-{digest(portfolio.organization)}"


def digest(value: Value | Raw) -> str:
    """Digest a name, folded, to eight hexadecimal digits; "" for a blank one."""
    text = fold(text_of(value))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8] if text else ""


def name_of(form: Form, project: Project) -> Value:
    """Return the value by which people call a project: the form's first field."""
    return project.values[next(iter(form.fields))]


def dumps(marker: Marker) -> str:
    """Write the marker cell's text."""
    facts = {k: v for k, v in asdict(marker).items() if v not in (None, False, "")}
    return json.dumps({"kpixl": FORMAT, **facts}, ensure_ascii=False, separators=(",", ":"))


def loads(raw: Raw) -> Marker | None:
    """Read a marker; None for any other cell, and for one that somebody damaged."""
    if not isinstance(raw, str) or not raw.startswith(PREFIX) or len(raw) > MAX_LENGTH:
        return None
    try:
        data: Any = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    if not isinstance(data, dict) or data.pop("kpixl", None) != FORMAT:
        return None
    kinds = {"order": int, "year": int, "presets": bool, "explicit": bool}
    facts = {
        k: data[k]
        for k in Marker.__dataclass_fields__
        if k in data and isinstance(data[k], kinds.get(k, str)) and (kinds.get(k) is not int or data[k] is not True)
    }
    needed = {"form", "version", "portfolio", "project", "order"}
    return Marker(**facts) if needed <= set(facts) else None


def find(rows: Sequence[Sequence[Raw]]) -> tuple[Marker, int, int] | None:
    """Find the marker of a sheet: usually the last cell of its first row."""
    if rows and rows[0] and (known := loads(rows[0][-1])):
        return known, 0, len(rows[0]) - 1
    for row, col in _candidates(rows):
        if found := loads(rows[row][col]):
            return found, row, col
    return None


def _candidates(rows: Sequence[Sequence[Raw]]) -> Iterable[tuple[int, int]]:
    for number, row in enumerate(rows):
        for col, raw in enumerate(row):
            if type(raw) is str and raw.startswith(PREFIX):
                yield number, col
