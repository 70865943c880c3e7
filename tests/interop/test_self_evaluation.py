"""The self-evaluation forms saved again by other applications: computed values stay, or are computed anew."""

from __future__ import annotations

from pathlib import Path

import openpyxl
import pytest

from kpixl.forms.load import load_form
from kpixl.output.template import build_template
from kpixl.portfolio import canonical
from tests.applications import Office
from tests.interop.test_template import RESAVED, read

EXAMPLES = Path(__file__).parents[2] / "examples"
EXAMPLE = EXAMPLES / "shanghai-self-evaluation-2026"
# The cells in which the examples have a value that is computed otherwise.
WRONG = {"shanghai-self-evaluation": "H6", "central-self-evaluation": "H27"}


@pytest.mark.parametrize("application", RESAVED)
@pytest.mark.parametrize("form_id", WRONG)
def test_saved_again_the_example_consolidates_to_the_same_bytes(
    form_id: str, application: str, office: Office, tmp_path: Path
) -> None:
    form, portfolio = canonical.load(EXAMPLES / f"{form_id}-2026" / "2026.yaml", load_form)
    sent = tmp_path / "sent.xlsx"
    sent.write_bytes(build_template(form, portfolio))
    result = read(form, RESAVED[application](sent, tmp_path, office))
    assert canonical.dumps(form, result.portfolio) == canonical.dumps(form, portfolio)
    assert [(p.code, p.location.address) for p in result.problems] == [("computed-mismatch", WRONG[form_id])]


@pytest.mark.parametrize(
    "application", ["libreoffice-xlsx", "libreoffice-ods", "libreoffice-xls", "sheetjs", "exceljs"]
)
def test_what_was_typed_is_computed_again_however_it_was_saved(
    application: str, office: Office, tmp_path: Path
) -> None:
    """An amount and a score are typed by a program that leaves the results of the formulas as they were."""
    form, portfolio = canonical.load(EXAMPLE / "2026.yaml", load_form)
    sent = tmp_path / "sent.xlsx"
    sent.write_bytes(build_template(form, portfolio))
    book = openpyxl.load_workbook(sent)
    book.worksheets[1]["F7"], book.worksheets[1]["H15"] = 150000, 5
    book.save(sent)
    values = read(form, RESAVED[application](sent, tmp_path, office)).portfolio.projects[0].values
    computed = {
        key: str(values[key]) for key in ("funding.total.executed", "funding.total.rate", "funding.total.score")
    }
    assert computed == {
        "funding.total.executed": "170000",
        "funding.total.rate": "53.13",
        "funding.total.score": "5.31",
    }
    assert (str(values["total.score"]), values["grade"]) == ("88.81", "良")
