"""Sends portfolios made for a definition through its template and back: what does not come back equal is a problem."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

from kpixl.checks.engine import check
from kpixl.collection.consolidate import consolidate
from kpixl.forms.definition import Field, Form, Row, Value
from kpixl.forms.types import FIELD_TYPES
from kpixl.forms.values import Raw
from kpixl.output.summary import build_summary
from kpixl.output.template import build_template, write_templates
from kpixl.portfolio import canonical
from kpixl.portfolio.model import Portfolio, Project
from kpixl.problems import KpixlError, Location, Problem
from kpixl.readers import Grid, read_grids
from kpixl.recognise.extract import Extractor

YEAR = 2026
ROWS = 3  # of each table of a filled project
LONG_TEXT = "第一句写清做什么。\n第二句写清做到什么程度，数量 1,200 人次，比例 95%。"


def made_portfolios(form: Form) -> Iterator[tuple[str, Portfolio]]:
    """Yield portfolios that try a form: blank, filled, only required values, and as many rows as a table offers."""
    yield "blank", _portfolio(form, {}, 0)
    yield "filled", _portfolio(form, dict(form.fields), ROWS)
    yield "required", _portfolio(form, {k: f for k, f in form.fields.items() if f.required}, 1)
    yield "many rows", _portfolio(form, dict(form.fields), max((t.rows for t in form.tables.values()), default=0) + 2)


def _portfolio(form: Form, filled: Mapping[str, Field], rows: int) -> Portfolio:
    projects = tuple(_project(form, number, filled, rows) for number in (1, 2))
    return Portfolio(form.id, YEAR, "某市某局", projects)


def _project(form: Form, number: int, filled: Mapping[str, Field], rows: int) -> Project:
    name = form.key_fields[0]
    values: dict[str, Value] = {}
    for place, (key, field) in enumerate(form.fields.items(), 1):
        raw = _sample(form, field, number + place) if (key in filled or key == name) and not field.sum else None
        values[key] = canonical.read_value(form, field, raw)[0]
    tables = {key: tuple(_rows(form, key, number, rows)) for key in form.tables}
    return canonical.complete(form, Project(f"{number:02}", values, tables))


def _rows(form: Form, table: str, number: int, count: int) -> Iterator[Row]:
    columns = form.tables[table].columns
    above: dict[str, Raw] = {}
    for row in range(count):
        raw: dict[str, Raw] = {}
        for place, (key, column) in enumerate(columns.items(), 1):
            raw[key] = _sample(form, column, number + row + place, {columns[k].choices: v for k, v in raw.items()})
        above = raw or above
        read = {key: canonical.read_value(form, column, raw[key])[0] for key, column in columns.items()}
        yield canonical.tidy_row(form, table, read)[0]


def _sample(form: Form, field: Field, number: int, chosen: Mapping[str | None, Raw] | None = None) -> Raw:
    """Return a value of a field's type; `chosen`: what other columns of the row hold, by their lists."""
    kind = FIELD_TYPES[field.type]
    if field.choices is not None and not kind.free_text:
        choices = form.choices[field.choices]
        items: tuple[str, ...] = tuple(choices.items)
        if choices.parent is not None and chosen:
            items = choices.children.get(str(chosen.get(choices.parent)), ()) or items
        return items[number % len(items)] if items else None
    if kind.items:
        return kind.items[number % len(kind.items)]
    if kind.python is Decimal:
        return Decimal(number * 12_345) + Decimal(number % 100) / 100
    if kind.python is date:
        return date(YEAR, 1, 1) + timedelta(days=7 * number)
    return LONG_TEXT if field.lines > 1 else f"{field.heading or field.label}{number}"[:40]


# --- there and back -------------------------------------------------------------------------------


def round_trip(form: Form) -> list[Problem]:
    """Send every made portfolio through template and consolidation; also look for the labels on a sheet that moved."""
    problems: list[Problem] = []
    for name, portfolio in made_portfolios(form):
        try:
            problems += _returned(form, name, portfolio)
            check(form, portfolio)
            build_summary(form, portfolio)
        except KpixlError as error:
            problems += error.problems
    return [*problems, *_by_labels(form)]


def _returned(form: Form, name: str, portfolio: Portfolio) -> Iterator[Problem]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "template.xlsx")
        write_templates(form, portfolio, path)
        result = consolidate([path], [form], workers=0)
    expected = canonical.dumps(form, portfolio).splitlines()
    found = canonical.dumps(form, result.portfolio).splitlines()
    if expected != found:
        first = next(
            (pair for pair in zip(expected, found, strict=False) if pair[0] != pair[1]), (expected[-1], found[-1])
        )
        details = {"portfolio": name, "sent": first[0].strip(), "back": first[1].strip()}
        yield Problem("definition-round-trip", Location(form.file), details)


def _by_labels(form: Form) -> Iterator[Problem]:
    """Name the values that are lost when a row was inserted above the form and its sheet id is gone."""
    portfolio = _portfolio(form, dict(form.fields), ROWS)
    grids = read_grids(build_template(form, portfolio), "template.xlsx").grids
    width = len(form.layout.widths)
    rows: list[list[Raw]] = [[""] * width, *(row[:width] for row in grids[1].rows)]
    spans = [span._replace(row=span.row + 1, last_row=span.last_row + 1) for span in grids[1].merges()]
    found = Extractor([form]).extract(Grid("moved", rows, merges=lambda: spans), "template.xlsx")
    expected = portfolio.projects[0]
    if not isinstance(found, list):
        yield Problem("definition-not-found", Location(form.file), {"title": form.title})
        return
    for key, field in form.fields.items():
        if found[0].values[key] != expected.values[key]:
            yield Problem("definition-label-weak", Location(form.file, field=field.heading), {"key": key})
    for key, table in form.tables.items():
        if found[0].tables[key] != expected.tables[key]:
            yield Problem("definition-label-weak", Location(form.file, field=table.label), {"key": key})
