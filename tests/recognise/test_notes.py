"""Notes on how a cell was read: a later one resolves an earlier one of its cell; a problem always stays."""

from __future__ import annotations

from kpixl.a1 import parse_a1
from kpixl.problems import Location, Problem
from kpixl.recognise.submission import READ_AS, RESCALED, Finding, Note, resolved


def at(cell: str, code: str) -> Problem:
    return Problem(code, Location("a.xlsx", "表1", parse_a1(cell)))


def told(*findings: Finding) -> list[str]:
    return [f"{problem.location.address} {problem.code}" for problem in resolved(findings)]


def test_the_last_note_on_a_cell_resolves_the_others() -> None:
    first, other = Note(at("B5", "value-normalised"), frozenset()), Note(at("B6", "target-as-text"), frozenset())
    scaled = Note(at("B5", "amount-scaled"), READ_AS)
    assert told(first, other, scaled) == ["B6 target-as-text", "B5 amount-scaled"]
    # What a cell displays may be another value, but the unit of its label still counts.
    assert told(first, scaled, Note(at("B5", "displayed-otherwise"))) == ["B5 amount-scaled", "B5 displayed-otherwise"]
    assert told(first, scaled, Note(at("B5", "value-as-displayed"), RESCALED)) == ["B5 value-as-displayed"]


def test_a_resolved_note_has_resolved_those_before_it() -> None:
    scaled, plain = Note(at("B5", "amount-scaled")), Note(at("B5", "value-normalised"), RESCALED)
    assert told(scaled, plain, Note(at("B5", "struck-out"))) == ["B5 struck-out"]


def test_no_note_resolves_a_problem_or_another_cell() -> None:
    problem = at("B5", "value-normalised")
    assert told(problem, Note(at("B5", "value-unverified"))) == ["B5 value-normalised", "B5 value-unverified"]
    assert told(Note(at("B6", "value-normalised")), Note(at("B5", "value-unverified"))) == [
        "B6 value-normalised",
        "B5 value-unverified",
    ]
