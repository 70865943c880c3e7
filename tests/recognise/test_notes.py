"""Notes on how a cell was read: a later one resolves an earlier one of its cell; a problem always stays."""

from __future__ import annotations

from kpixl.a1 import parse_a1
from kpixl.problems import Location, Problem
from kpixl.recognise.submission import READ_AS, RESCALED, ReadingNote, Reported, resolved


def at(cell: str, code: str) -> Problem:
    return Problem(code, Location("a.xlsx", "表1", parse_a1(cell)))


def note(cell: str, code: str, resolves: frozenset[str] = READ_AS) -> ReadingNote:
    return ReadingNote(at(cell, code), resolves)


def told(*reported: Reported) -> list[str]:
    return [f"{problem.location.address} {problem.code}" for problem in resolved(reported)]


def test_the_last_note_on_a_cell_resolves_the_others() -> None:
    first, other = note("B5", "value-normalised", frozenset()), note("B6", "target-as-text", frozenset())
    scaled = note("B5", "amount-scaled", READ_AS)
    assert told(first, other, scaled) == ["B6 target-as-text", "B5 amount-scaled"]
    # What a cell displays may be another value, but the unit of its label still counts.
    assert told(first, scaled, note("B5", "displayed-otherwise")) == ["B5 amount-scaled", "B5 displayed-otherwise"]
    assert told(first, scaled, note("B5", "value-as-displayed", RESCALED)) == ["B5 value-as-displayed"]


def test_a_resolved_note_has_resolved_those_before_it() -> None:
    scaled, plain = note("B5", "amount-scaled"), note("B5", "value-normalised", RESCALED)
    assert told(scaled, plain, note("B5", "struck-out")) == ["B5 struck-out"]


def test_no_note_resolves_a_problem_or_another_cell() -> None:
    problem = at("B5", "value-normalised")
    assert told(problem, note("B5", "value-unverified")) == ["B5 value-normalised", "B5 value-unverified"]
    assert told(note("B6", "value-normalised"), note("B5", "value-unverified")) == [
        "B6 value-normalised",
        "B5 value-unverified",
    ]
