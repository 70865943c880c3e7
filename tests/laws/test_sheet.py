"""Some states of a sheet, of the many that `make sheet-law` draws."""

from __future__ import annotations

from pathlib import Path

from tests.applications import Office
from tests.laws.sheet_law import breaks, judged


def test_the_status_is_never_greener_than_the_check(calculator: Office, tmp_path: Path) -> None:
    found = judged(range(32), tmp_path, calculator)
    assert {one.said: breaks(one) for one in found if breaks(one)} == {}
    finished = [one for one in found if one.said == "已完成"]
    assert len(finished) >= 3
    assert len(found) - len(finished) >= 10
