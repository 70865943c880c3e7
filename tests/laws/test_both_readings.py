"""Both readings agree: calamine's grids are those that openpyxl sees, for workbooks of every portfolio."""

from __future__ import annotations

import io
import re
from datetime import date, datetime, time
from decimal import Decimal

import openpyxl
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from kpixl.a1 import Span
from kpixl.forms.values import Raw
from kpixl.output.template import build_template
from kpixl.portfolio.model import Portfolio
from kpixl.readers import read_grids
from tests.strategies import FORM_IDS, form_of, hostile, portfolios

usual = settings(
    deadline=None, max_examples=15, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    phases=[Phase.explicit, Phase.reuse, Phase.generate], database=None,
)  # fmt: skip
Cells = dict[tuple[int, int], Raw]


def plain(value: object) -> Raw:
    """Spell a value so that both libraries' ways of spelling it are equal."""
    if isinstance(value, datetime):
        return value.date() if value.time() == time() else value
    if isinstance(value, bool | date):
        return value
    if isinstance(value, int | float | Decimal):
        return float(value)
    return unescaped(str(value)).replace("\r\n", "\n").replace("\r", "\n")


def with_calamine(content: bytes) -> dict[str, tuple[bool, Cells, set[Span]]]:
    found = {}
    for grid in read_grids(content, "t.xlsx").grids:
        cells = {
            (grid.top + r, grid.left + c): plain(value)
            for r, row in enumerate(grid.rows)
            for c, value in enumerate(row)
            if value not in ("", None)
        }
        spans = {Span(s.row + grid.top, s.col + grid.left, s.last_row + grid.top, s.last_col + grid.left)
                 for s in grid.merges()}  # fmt: skip
        found[str(grid.name)] = (grid.hidden, cells, spans)
    return found


def unescaped(text: str) -> str:
    """Undo Excel's escapes (_x000D_), as often as there are some: openpyxl leaves them as they are stored.

    On both sides, because the result of a formula is stored without them; law 2 shows that none is undone twice.
    """
    text = text.replace("_x005F", "")  # of _x005F_x0041_ calamine makes _x005FA, where it is the result of a formula
    undone = re.sub("_x([0-9A-Fa-f]{4})_", lambda match: chr(int(match[1], 16)), text)
    return text if undone == text else unescaped(undone)


def with_openpyxl(content: bytes) -> dict[str, tuple[bool, Cells, set[Span]]]:
    found = {}
    for sheet in openpyxl.load_workbook(io.BytesIO(content), data_only=True).worksheets:
        cells: Cells = {}
        for row in sheet.iter_rows():
            for cell in row:
                if cell.value not in ("", None):
                    cells[(cell.row - 1, cell.column - 1)] = plain(cell.value)
        spans = {Span(m.min_row - 1, m.min_col - 1, m.max_row - 1, m.max_col - 1) for m in sheet.merged_cells.ranges}
        found[sheet.title] = (sheet.sheet_state != "visible", cells, spans)
    return found


@given(st.sampled_from(FORM_IDS).flatmap(lambda form_id: portfolios(form_of(form_id), most=2)))
@usual
def test_templates(portfolio: Portfolio) -> None:
    content = build_template(form_of(portfolio.form), portfolio)
    assert with_calamine(content) == with_openpyxl(content)


_values = st.one_of(
    st.booleans(),
    st.integers(-(2**53), 2**53),
    st.floats(allow_nan=False, allow_infinity=False).filter(lambda x: x == 0 or 1e-300 < abs(x) < 1e300),
    st.dates(date(1900, 3, 1), date(2100, 1, 1)),
    hostile.filter(lambda text: not text.startswith("=") and not any(c < " " and c not in "\t\n" for c in text)),
    st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff="), max_size=20),
)
_places = st.tuples(st.integers(1, 40), st.integers(1, 30))


@given(
    st.dictionaries(_places, _values, min_size=1, max_size=40),
    st.lists(st.tuples(_places, st.integers(0, 3), st.integers(0, 3)), max_size=2),
    st.booleans(),
)
@settings(usual, max_examples=80)
def test_workbooks_of_any_cells(
    cells: dict[tuple[int, int], Raw], merges: list[tuple[tuple[int, int], int, int]], hidden: bool
) -> None:
    book = openpyxl.Workbook()
    sheet = book.create_sheet("表 1")
    sheet.sheet_state = "hidden" if hidden else "visible"
    taken: set[tuple[int, int]] = set()
    for (row, col), down, right in merges:
        covered = {(r, c) for r in range(row, row + down + 1) for c in range(col, col + right + 1)}
        if len(covered) > 1 and not covered & taken:
            taken |= covered
            sheet.merge_cells(start_row=row, start_column=col, end_row=row + down, end_column=col + right)
            cells = {place: v for place, v in cells.items() if place not in covered or place == (row, col)}
    for (row, col), value in cells.items():
        sheet.cell(row, col).value = value
    stream = io.BytesIO()
    book.save(stream)
    assert with_calamine(stream.getvalue()) == with_openpyxl(stream.getvalue())
