"""The monitoring form and the variant with a year in its labels, saved again by other applications."""

from __future__ import annotations

from pathlib import Path

import pytest

from kpixl.output.template import build_template
from kpixl.portfolio import canonical
from kpixl.portfolio.model import Portfolio
from kpixl.problems import Severity
from tests.applications import Office
from tests.interop.test_template import RESAVED, read
from tests.laws.test_round_trip import PLAIN
from tests.strategies import form_of

EXAMPLE = Path(__file__).parents[2] / "examples" / "central-monitoring-2026"


def portfolio_of(form_id: str) -> Portfolio:
    if form_id == "central-monitoring":
        return canonical.load(EXAMPLE / "2026.yaml", form_of)[1]
    return canonical.loads(PLAIN[form_id], form_of)[1]


@pytest.mark.parametrize("application", RESAVED)
@pytest.mark.parametrize("form_id", ["central-monitoring", "dated-form"])
def test_saved_again_it_consolidates_to_the_same_bytes(
    form_id: str, application: str, office: Office, tmp_path: Path
) -> None:
    form, portfolio = form_of(form_id), portfolio_of(form_id)
    sent = tmp_path / "sent.xlsx"
    sent.write_bytes(build_template(form, portfolio))
    result = read(form, RESAVED[application](sent, tmp_path, office))
    assert canonical.dumps(form, result.portfolio) == canonical.dumps(form, portfolio)
    assert not [p for p in result.problems if p.severity is Severity.ERROR]


@pytest.mark.parametrize("application", ["libreoffice-xlsx", "sheetjs", "exceljs"])
def test_the_official_form_saved_again_is_read_the_same(application: str, office: Office, tmp_path: Path) -> None:
    form = form_of("central-monitoring")
    source = EXAMPLE / "returned" / "档案馆 执行监控表.xlsx"
    result = read(form, RESAVED[application](source, tmp_path, office))
    expected = portfolio_of("central-monitoring").projects[:2]
    assert [(p.values, p.tables) for p in result.portfolio.projects] == [(p.values, p.tables) for p in expected]
