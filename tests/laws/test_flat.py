"""What is published as one table of several projects is read back as it was: `collect(flat(P)) == P`.

Merged, repeated in each row, or printed once; with rows put in, and, where all is repeated, in any order.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kpixl.a1 import Span
from kpixl.forms.definition import Row, Value
from kpixl.forms.values import Raw
from kpixl.portfolio.canonical import complete
from kpixl.portfolio.flat_print import FlatPrinter
from kpixl.portfolio.model import Portfolio, Project
from kpixl.portfolio.print_layout import PrintedRow
from kpixl.readers import Grid
from kpixl.recognise.extract import Extractor
from kpixl.recognise.submission import Nothing
from tests.strategies import canonical_rows, form_of

FORM = form_of("sichuan-target")
EXTRACTOR = Extractor([form_of("shanghai-target"), FORM])
WIDTH = 12
words = st.text("甲乙丙丁戊己庚辛文化体育场馆维护abc12", min_size=1, max_size=8)
amounts = st.integers(0, 10**9).map(Decimal)
LEVELS = [(one, two) for one in FORM.choices["level2"].children for two in FORM.choices["level2"].children[one]]


@st.composite
def rows(draw: st.DrawFn) -> dict[str, Raw]:
    level1, level2 = draw(st.sampled_from(LEVELS))
    number = draw(st.booleans())
    return {
        "level1": level1,
        "level2": level2,
        "name": "指" + draw(words),
        "nature": draw(st.sampled_from(["≥", "≤", "="])) if number else "定性",
        "value": draw(amounts) if number else "完成" + draw(words),
        "unit": draw(st.sampled_from(["人", "%", "次"])) if number else None,
        "weight": draw(st.one_of(st.none(), st.integers(1, 100).map(Decimal))),
        "direction": draw(st.sampled_from([None, "正向指标", "反向指标"])),
    }


@st.composite
def portfolios(draw: st.DrawFn) -> Portfolio:
    keys = draw(st.lists(st.tuples(words, words), min_size=1, max_size=4, unique=True))
    projects = []
    for number, (unit, name) in enumerate(keys, 1):
        table = canonical_rows(FORM, "indicators", draw(st.lists(rows(), max_size=5)))
        values: dict[str, Value] = {
            "unit": f"{unit}馆",
            "name": f"{name}项目",
            "amount": draw(st.one_of(st.none(), amounts)),
            "goal": draw(st.one_of(st.none(), words.map("目标{}".format))),
        }
        projects.append(complete(FORM, Project(str(number), values, {"indicators": table})))
    return Portfolio(FORM.id, 2026, "某局", tuple(projects))


def printed(portfolio: Portfolio) -> tuple[list[list[Raw]], list[Span], list[range]]:
    """Return the cells of the published table, its merges, and the rows of each project."""
    printer = FlatPrinter(FORM, portfolio)
    head: list[PrintedRow] = [*printer.titles(), printer.headings(2), *printer.total(3)]
    laid = list(head)
    ranges = []
    for project in portfolio.projects:
        part = printer.lay_out(project, len(laid))
        ranges.append(range(len(laid), len(laid) + len(part)))
        laid += part
    cells: list[list[Raw]] = [["" for _ in range(WIDTH)] for _ in laid]
    merges = []
    for row in laid:
        for cell in row.cells:
            cells[cell.row][cell.col] = "" if cell.value is None else cell.value
            if cell.rows > 1 or cell.columns > 1:
                merges.append(Span(cell.row, cell.col, cell.row + cell.rows - 1, cell.col + cell.columns - 1))
    return cells, merges, ranges


def read(cells: list[list[Raw]], merges: Sequence[Span]) -> list[tuple[dict[str, Value], list[Row]]]:
    found = EXTRACTOR.extract(Grid("表", cells, merges=lambda: list(merges)), "t.xlsx")
    assert not isinstance(found, Nothing)
    assert {p.code for form in found for p in form.problems} <= {"value-normalised", "flat-total-read"}
    assert {(form.year, form.organization) for form in found} == {(2026, "某局")}
    return [(dict(form.values), list(form.tables["indicators"])) for form in found]


def expected(portfolio: Portfolio) -> list[tuple[dict[str, Value], list[Row]]]:
    return [(dict(p.values), list(p.tables["indicators"])) for p in portfolio.projects]


quick = settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow])


@given(portfolios())
@quick
def test_merged_as_it_is_published(portfolio: Portfolio) -> None:
    cells, merges, _ = printed(portfolio)
    assert read(cells, merges) == expected(portfolio)


@given(portfolios(), st.data())
@quick
def test_printed_once_with_blank_rows_put_in(portfolio: Portfolio, data: st.DataObject) -> None:
    cells, _, _ = printed(portfolio)
    for at in sorted(data.draw(st.lists(st.integers(4, len(cells)), max_size=4)), reverse=True):
        cells.insert(at, ["" for _ in range(WIDTH)])
    assert read(cells, ()) == expected(portfolio)


@given(portfolios(), st.randoms(use_true_random=False))
@quick
def test_repeated_in_each_row_and_sorted(portfolio: Portfolio, random: object) -> None:
    """In whatever order the rows come: each project has its rows, in the order in which they come."""
    cells, merges, ranges = printed(portfolio)
    for span in merges:
        if span.row > 3:
            for row in range(span.row, span.last_row + 1):
                cells[row][span.col] = cells[span.row][span.col]
    order = [row for rows in ranges for row in rows]
    random.shuffle(order)  # type: ignore[attr-defined]
    found = read([*cells[:4], *(cells[row] for row in order)], ())

    def known(projects: list[tuple[dict[str, Value], list[Row]]]) -> list[tuple[str, str, str]]:
        return sorted(
            (str(values["unit"]), str(values["name"]), repr(sorted(map(repr, rows)))) for values, rows in projects
        )

    assert known(found) == known(expected(portfolio))
