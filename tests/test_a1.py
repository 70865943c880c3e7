"""Places of values: what files spell is parsed to the cell, or to the key, that was written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kpixl.a1 import CellRef, cell_from, parse_place
from kpixl.keys import Key
from kpixl.problems import Location
from tests.test_keys import NAMES

CELLS = st.builds(CellRef, st.integers(0, 1_048_575), st.integers(0, 16_383))


@given(CELLS | NAMES.map(Key) | st.builds(Key, NAMES, st.integers(0, 999_999), NAMES))
def test_a_place_is_parsed_as_it_is_spelled(place: CellRef | Key) -> None:
    assert parse_place(str(place)) == place
    assert Location("a.xlsx", "1", place).address == str(place)


@pytest.mark.parametrize("text", ["", "A", "1", "A0", "A01", "a1", "ABCD1", "A1:B2", "$A$1", "A１", "A1 "])
def test_what_is_no_address_is_no_cell(text: str) -> None:
    assert cell_from(text) is None
