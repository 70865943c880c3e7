"""What follows from another problem is left out, by the key that it names."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from kpixl.keys import Key
from kpixl.problems import Problem, independent

AMOUNT, GOAL, CELL = Key("amount"), Key("goal"), Key("indicators", 2, "value")


def problem(project: str, *keys: Key, caused_by: Key | None = None) -> Problem:
    return Problem("no-sheets", project=project, keys=keys, caused_by=caused_by)


def test_a_blank_follows_from_the_cell_that_could_not_be_read() -> None:
    error, blank = problem("01", CELL), problem("01", CELL, caused_by=CELL)
    assert independent([blank, error]) == [error]


def test_a_sum_follows_from_an_amount_elsewhere() -> None:
    error, difference = problem("01", AMOUNT), problem("01", GOAL, caused_by=AMOUNT)
    assert independent([error, difference]) == [error]


def test_a_cause_of_another_project_or_one_that_is_not_there_leaves_nothing_out() -> None:
    found = [problem("02", AMOUNT), problem("01", GOAL, caused_by=AMOUNT), problem("01", CELL, caused_by=CELL)]
    assert independent(found) == found


KEYS = st.sampled_from([AMOUNT, GOAL, CELL])


@given(st.lists(st.builds(lambda key, cause: problem("01", key, caused_by=cause), KEYS, st.none() | KEYS)))
def test_what_follows_from_nothing_always_stays(found: list[Problem]) -> None:
    kept = independent(found)
    assert [one for one in found if one.caused_by is None] == [one for one in kept if one.caused_by is None]
    assert all(any(one is other for other in found) for one in kept)
