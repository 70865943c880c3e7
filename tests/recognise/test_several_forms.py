"""With several forms installed every sheet is read by its own, as sent, as printed, and as a stranger typed it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from kpixl.cli.main import run
from kpixl.forms.definition import Form
from kpixl.forms.load import load_forms
from kpixl.forms.values import Raw
from kpixl.output.template import build_template
from kpixl.portfolio import canonical
from kpixl.portfolio.model import Portfolio
from kpixl.portfolio.print_layout import printed_form, printed_text
from kpixl.readers import Grid, read_grids
from kpixl.recognise.extract import Extractor

EXAMPLES = Path(__file__).parents[2] / "examples"
FORMS = load_forms()
# Forms of one project on a sheet, with an example of theirs.
GRIDS = {
    form.id: canonical.load(path, FORMS.__getitem__)
    for path in sorted(EXAMPLES.glob("*/2026.yaml"))
    if (form := canonical.load(path, FORMS.__getitem__)[0]).flat is None
}


def printed(form: Form, portfolio: Portfolio) -> list[list[Raw]]:
    """Return the first project as it is printed, without sheet id and merges."""
    rows = printed_form(form, portfolio.year, portfolio.projects[0])
    width = len(form.layout.widths)
    cells = {(c.row, c.col): printed_text(c) for row in rows for c in row.cells}
    return [[cells.get((r, c), "") for c in range(width)] for r in range(len(rows))]


def untitled(form: Form, portfolio: Portfolio) -> list[list[Raw]]:
    return printed(form, portfolio)[1:]


def indicators_only(form: Form, portfolio: Portfolio) -> list[list[Raw]]:
    """Leave out the amounts, as forms of some offices do."""
    rows = printed(form, portfolio)
    amounts = {cell.row for cell in form.layout.head if cell.key.startswith("funding.")}
    return [row for number, row in enumerate(rows) if number not in amounts]


def as_sent(form: Form, portfolio: Portfolio) -> list[list[Raw]]:
    grid = read_grids(build_template(form, portfolio), "t.xlsx").grids[1]
    return [[*row] for row in grid.rows]


def without_id(form: Form, portfolio: Portfolio) -> list[list[Raw]]:
    width = len(form.entry_layout.widths)
    return [row[:width] for row in as_sent(form, portfolio)]


@pytest.mark.parametrize("form_id", GRIDS)
@pytest.mark.parametrize(
    "sheet", [printed, untitled, indicators_only, as_sent, without_id], ids=lambda sheet: sheet.__name__
)
def test_a_sheet_is_read_by_its_own_form(sheet: Callable[[Form, Portfolio], list[list[Raw]]], form_id: str) -> None:
    form, portfolio = GRIDS[form_id]
    for forms in (FORMS.values(), reversed(FORMS.values())):  # the order in which they are installed decides nothing
        found = Extractor(forms).extract(Grid("t", sheet(form, portfolio)), "t.xlsx")
        assert isinstance(found, list)
        assert [one.form for one in found] == [form_id]
        name = form.key_fields[0]
        assert found[0].values[name] == portfolio.projects[0].values[name]
        for key, rows in portfolio.projects[0].tables.items():
            assert len(found[0].tables[key]) == len(rows)


def test_explain_names_the_form_of_each_sheet(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import openpyxl

    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for form_id, (form, portfolio) in GRIDS.items():
        sheet = book.create_sheet(form_id)
        for row in printed(form, portfolio):
            sheet.append([f"'{text}" if str(text).startswith("=") else text or None for text in row])
    path = tmp_path / "all.xlsx"
    book.save(path)
    assert run(["forms", "explain", str(path)]) == 0
    shown = capsys.readouterr().out
    for form_id in GRIDS:
        assert f"{form_id} · {form_id}" in shown
    assert "annual_indicators.level2" in shown


def test_words_of_the_form_typed_into_a_table_are_no_second_form() -> None:
    """Half of the labels of a form with four are two, which anybody may type below each other."""
    form, portfolio = canonical.load(EXAMPLES / "sichuan-target-2026" / "2026.yaml", FORMS.__getitem__)
    project = portfolio.projects[0]
    (rows,) = project.tables.values()
    words = [form.fields["unit"].label, form.fields["goal"].label]
    typed = tuple({**row, "unit": word} for row, word in zip(rows, words, strict=False))
    changed = replace(portfolio, projects=(replace(project, tables={"indicators": typed}),))
    found = Extractor([form]).extract(Grid("t", as_sent(form, changed)), "t.xlsx")
    assert isinstance(found, list)
    assert [row["unit"] for row in found[0].tables["indicators"]] == words
