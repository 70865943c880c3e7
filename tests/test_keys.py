"""Keys: what files spell is parsed to what was written."""

from __future__ import annotations

import pickle

from hypothesis import given
from hypothesis import strategies as st

from kpixl.a1 import CellRef, cell_at
from kpixl.keys import Key, key_of, parse_key

NAMES = st.from_regex(r"[a-z][a-z0-9_]{0,8}(\.[a-z][a-z0-9_]{0,8}){0,2}", fullmatch=True)


@given(NAMES.map(Key) | st.builds(Key, NAMES, st.integers(0, 999_999), NAMES))
def test_a_key_is_parsed_as_it_is_spelled(key: Key) -> None:
    assert parse_key(str(key)) == key


def test_keys_are_in_the_order_of_rows() -> None:
    spelled = ["indicators", "indicators.2.name", "indicators.10.name", "indicators.10.value"]
    assert [str(key) for key in sorted(map(parse_key, reversed(spelled)))] == spelled


def test_a_process_has_each_key_and_cell_once_though_they_came_from_another() -> None:
    key, cell = pickle.loads(pickle.dumps((Key("indicators", 3, "value"), CellRef(11, 2))))
    assert key == Key("indicators", 3, "value") and key is key_of("indicators", 3, "value")
    assert cell == CellRef(11, 2) and cell is cell_at(11, 2)
