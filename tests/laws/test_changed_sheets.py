"""Law 4: what people and programs do to a sheet around its values changes no value.

Blank rows and columns, moved blocks, renamed and copied sheets, labels spelled otherwise, another kind of file.
The portfolios are plain: no value that is itself a label (law 2 has those, where every label is in its place).
"""

from __future__ import annotations

import io
import tempfile
import unicodedata
from collections.abc import Sequence
from datetime import date
from functools import partial
from pathlib import Path

import openpyxl
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from kpixl.a1 import Span
from kpixl.collection.consolidate import consolidate
from kpixl.collection.model import Collection
from kpixl.forms.definition import Field, Form
from kpixl.forms.values import Raw
from kpixl.output.template import build_template
from kpixl.portfolio import canonical
from kpixl.portfolio.model import Portfolio, Project
from kpixl.readers import Grid, read_grids
from kpixl.recognise.extract import Extractor
from kpixl.recognise.labels import LabelIndex
from kpixl.recognise.submission import Submission
from tests.applications import Office
from tests.strategies import FORM_IDS, canonical_project, form_of

FORMS = {form_id: form_of(form_id) for form_id in FORM_IDS}
INDEXES = {form_id: LabelIndex(form) for form_id, form in FORMS.items()}
EXTRACTOR = Extractor(FORMS.values())
usual = settings(
    deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    phases=[Phase.explicit, Phase.reuse, Phase.generate], database=None,
)  # fmt: skip
files = settings(usual, max_examples=8)

# --- plain portfolios ---------------------------------------------------------------------------

_DATES = (date(2026, 1, 1), date(2026, 12, 31))
_TEXTS = (
    "甲", "举办科普活动，覆盖全市。", "第一行\n第二行", "G60 科创走廊", "Bridge", "two  spaces", "1.2.3", "（试行）",
    "é😀",
)  # fmt: skip
_TARGETS = ("≥90%", "100人", "6-8篇", "年底前", "有所提升")


def _raws(form: Form, field: Field) -> st.SearchStrategy[Raw]:
    if field.choices is not None:
        return st.sampled_from([*form.choices[field.choices].items])
    if field.type == "date":
        return st.dates(min_value=_DATES[0], max_value=_DATES[1])
    if field.type == "money":
        return st.decimals(1, 10**6, places=2)
    return st.sampled_from(_TARGETS if field.type == "quantity" else _TEXTS)


@st.composite
def plain_projects(draw: st.DrawFn, form: Form, number: int) -> Project:
    """Draw a project whose every field is filled, as a unit would."""
    raw: dict[str, Raw] = {key: draw(_raws(form, field)) for key, field in form.fields.items() if not field.sum}
    name, unit = form.key_fields
    raw |= {name: f"项目 {number}", unit: draw(st.sampled_from(["办公室", "科普部"]))}
    tables: dict[str, Sequence[dict[str, Raw]]] = {}
    for key, table in form.tables.items():
        row = st.fixed_dictionaries({c: _raws(form, f) for c, f in table.columns.items()})
        tables[key] = draw(st.lists(row, min_size=1, max_size=4))
    return canonical_project(form, f"{number:02}", raw, tables)


@st.composite
def plain_portfolios(draw: st.DrawFn, most: int = 1) -> Portfolio:
    form = FORMS[draw(st.sampled_from(FORM_IDS))]
    made = [draw(plain_projects(form, n)) for n in range(1, draw(st.integers(1, most)) + 1)]
    return Portfolio(form.id, 2026, "某市科协", tuple(made))


# --- noise --------------------------------------------------------------------------------------


def sheet_of(portfolio: Portfolio) -> Grid:
    """Return the sheet of a portfolio's only project as it is sent out."""
    return read_grids(build_template(FORMS[portfolio.form], portfolio), "t.xlsx").grids[1]


def with_row(rows: list[list[Raw]], merges: list[Span], at: int) -> tuple[list[list[Raw]], list[Span]]:
    moved = [Span(*(v + (at <= v) * (i % 2 == 0) for i, v in enumerate(span))) for span in merges]
    return [*rows[:at], [""] * len(rows[0]), *rows[at:]], moved


def with_column(rows: list[list[Raw]], merges: list[Span], at: int) -> tuple[list[list[Raw]], list[Span]]:
    moved = [Span(*(v + (at <= v) * (i % 2) for i, v in enumerate(span))) for span in merges]
    return [[*row[:at], "", *row[at:]] for row in rows], moved


def respelled(form: Form, text: str, how: Sequence[int]) -> str:
    """Spell a label as people do: a synonym, spread out, broken, full-width, with a colon; `how` decides."""
    for slot in INDEXES[form.id].slots(text):
        if slot.kind == "title":
            others = [form.title, *form.title_synonyms]
        elif slot.kind == "field":
            others = [form.fields[slot.key].label, *form.fields[slot.key].synonyms]
        else:
            others = [text]
        others = [word for word in others if INDEXES[form.id].slots(word) == INDEXES[form.id].slots(text)] or [text]
        text = others[how[0] % len(others)]
        break
    between = ("", "", " ", "\u00a0", "\u3000", "\n", "\u200b", "\r\n", "  ")[how[1] % 9]
    if between:
        at = how[2] % (len(text) + 1)
        text = text[:at] + between + text[at:] if how[3] % 2 else between.join(text)
    if how[4] % 3 == 0:
        text = "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in text)
    return text + ("", "：", ":", " ：", "\n")[how[5] % 5]


def extracted(grid: Grid) -> Submission:
    found = EXTRACTOR.extract(grid, "t.xlsx")
    assert isinstance(found, list), found
    (only,) = found
    return only


def assert_read(portfolio: Portfolio, grid: Grid) -> None:
    (project,) = portfolio.projects
    read = extracted(grid)
    assert read.form == portfolio.form
    assert read.values == project.values
    assert read.tables == project.tables
    assert [p.code for p in read.problems if p.severity == "error"] == []


def test_the_noise_is_noise() -> None:
    form = FORMS["shanghai-target"]
    label = next(iter(form.fields.values())).label
    spelled = {respelled(form, label, [a, b, 1, c, d, e]) for a in (0,) for b in range(9) for c in (0, 1)
               for d in (0, 1) for e in range(5)}  # fmt: skip
    assert len(spelled) > 30
    assert {unicodedata.normalize("NFKC", "".join(text.split())).rstrip(":").replace("\u200b", "") for text in spelled}


_hows = st.lists(st.integers(0, 1000), min_size=6, max_size=6)


@given(plain_portfolios(), st.lists(st.integers(0, 10**6), max_size=4), st.lists(st.integers(0, 10**6), max_size=3))
@usual
def test_blank_rows_and_columns(portfolio: Portfolio, rows_at: list[int], columns_at: list[int]) -> None:
    grid = sheet_of(portfolio)
    rows, merges = grid.rows, grid.merges()
    for at in rows_at:
        rows, merges = with_row(rows, merges, at % (len(rows) + 1))
    for at in sorted({at % (len(rows[0]) + 1) for at in columns_at}, reverse=True):
        rows, merges = with_column(rows, merges, at)
    assert_read(portfolio, Grid("t", rows, merges=lambda: merges))


@given(plain_portfolios(), st.booleans(), st.integers(1, 2))
@files
def test_a_column_put_in_anywhere(portfolio: Portfolio, marked: bool, number: int) -> None:
    """At every place in turn, also right of all labels, where each of them still stands as it was sent."""
    sent, edge = sheet_of(portfolio), len(FORMS[portfolio.form].entry_layout.widths)
    for at in range(edge):
        rows, merges = [row if marked else row[:edge] for row in sent.rows], sent.merges()
        for _ in range(number):
            rows, merges = with_column(rows, merges, at)
        assert_read(portfolio, Grid("t", rows, merges=partial(list, merges)))


def test_an_official_form_with_further_columns_is_not_that_of_shanghai() -> None:
    """Every label of one is a synonym of the other; title and unit are printed by one of them."""
    form = FORMS["central-self-evaluation"]
    portfolio = Portfolio(form.id, 2026, "某部", (canonical_project(form, "01", {"name": "档案修复"}, {}),))
    sent, edge = sheet_of(portfolio), len(form.entry_layout.widths)
    for at in range(edge):
        rows, merges = [row[:edge] for row in sent.rows], sent.merges()
        for _ in range(2):
            rows, merges = with_column(rows, merges, at)
        assert extracted(Grid("t", rows, merges=partial(list, merges))).form == form.id, at


@given(plain_portfolios(), st.data())
@usual
def test_labels_spelled_otherwise(portfolio: Portfolio, data: st.DataObject) -> None:
    form, grid = FORMS[portfolio.form], sheet_of(portfolio)
    index, width = INDEXES[form.id], len(form.entry_layout.widths)
    rows = [list(row) for row in grid.rows]
    for row in rows:
        for col, raw in enumerate(row[:width]):
            if isinstance(raw, str) and index.slots(raw):
                row[col] = respelled(form, raw, data.draw(_hows))
    assert_read(portfolio, Grid("t", rows, merges=grid.merges))


@given(plain_portfolios(), st.integers(0, 6), st.integers(0, 4), st.data())
@usual
def test_moved_blocks(portfolio: Portfolio, down: int, right: int, data: st.DataObject) -> None:
    """The form is moved on its sheet, and its rows of fields change places."""
    form, grid = FORMS[portfolio.form], sheet_of(portfolio)
    rows, merges = [list(row) for row in grid.rows], grid.merges()
    swappable = _single_rows(form, grid)
    order = data.draw(st.permutations(swappable))
    to = dict(zip(swappable, order, strict=True))
    rows = [rows[to.get(n, n)] for n in range(len(rows))]
    back = {old: new for new, old in to.items()}
    merges = [span._replace(row=back[span.row], last_row=back[span.row]) if span.row in back else span
              for span in merges]  # fmt: skip
    for _ in range(down):
        rows, merges = with_row(rows, merges, 0)
    for _ in range(right):
        rows, merges = with_column(rows, merges, 0)
    assert_read(portfolio, Grid("t", rows, merges=lambda: merges))


def _single_rows(form: Form, grid: Grid) -> list[int]:
    """List the rows of the head that hold whole fields: each with its value beside it, in no merge of rows."""
    first = min(table.row for table in form.layout.tables)
    kinds: dict[int, set[str]] = {}
    for cell in (*form.layout.head, *form.layout.foot):
        if cell.row < first - 1:
            kinds.setdefault(cell.row, set()).add(cell.kind)
    tall = {r for span in grid.merges() if span.last_row > span.row for r in range(span.row, span.last_row + 1)}
    return [row for row, found in kinds.items() if {"label", "value"} <= found <= {"label", "value"}
            and row not in tall]  # fmt: skip


# --- workbooks ----------------------------------------------------------------------------------


def returned(*paths: Path) -> Collection:
    return consolidate(paths, [*FORMS.values()], workers=0)


def text_of(portfolio: Portfolio) -> str:
    return canonical.dumps(FORMS[portfolio.form], portfolio)


_names = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="[]:*?/\\'\ufffe\uffff"),
                 min_size=1, max_size=15).filter(lambda name: bool(name.strip()))  # fmt: skip


@given(plain_portfolios(most=3), st.lists(_names, min_size=3, max_size=3), st.booleans())
@files
def test_renamed_and_copied_sheets(portfolio: Portfolio, names: list[str], copied: bool) -> None:
    book = openpyxl.load_workbook(io.BytesIO(build_template(FORMS[portfolio.form], portfolio)))
    sheets = book.worksheets[1 : 1 + len(portfolio.projects)]
    for number, sheet in enumerate(sheets):
        sheet.title = f"{names[number]}{number}"
    if copied:
        book.copy_worksheet(sheets[0]).title = "copy of it"
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "t.xlsx"
        book.save(path)
        result = returned(path)
    assert text_of(result.portfolio) == text_of(portfolio)
    codes = {p.code for p in result.problems}
    assert bool(codes & {"returned-twice", "returned-differently"}) == copied, codes


@pytest.mark.parametrize("kind", ["xls", "ods"])
def test_another_kind_of_file(kind: str, office: Office, tmp_path: Path) -> None:
    """A few portfolios, all in one go because starting LibreOffice is what takes the time."""
    found: list[Portfolio] = []

    @given(plain_portfolios(most=3))
    @settings(usual, max_examples=3, derandomize=True)
    def collect(portfolio: Portfolio) -> None:
        found.append(portfolio)

    collect()
    for number, portfolio in enumerate(found):
        path = tmp_path / f"{number}.xlsx"
        path.write_bytes(build_template(FORMS[portfolio.form], portfolio))
        result = returned(office.convert(path, tmp_path / "out", kind))
        assert text_of(result.portfolio) == text_of(portfolio)
