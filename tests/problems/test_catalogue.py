"""The catalogue: a code is in one area only."""

from __future__ import annotations

from kpixl.problems.catalogue import AREAS, CATALOGUE


def test_no_code_is_in_two_areas() -> None:
    assert sum(len(area.ENTRIES) for area in AREAS) == len(CATALOGUE)
