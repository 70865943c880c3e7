"""Struck-out text of documents and pages: left out of the cell that it is in, and reported."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from kpixl.problems import Location, Problem


class Struck(NamedTuple):
    """Text that is struck out, and what the cell or paragraph around it reads without; "" where that is nothing."""

    text: str
    rest: str


def struck_problems(struck: Iterable[Struck], file: str) -> list[Problem]:
    """Report text that is struck out. Where all of a cell is, it was read all the same."""
    problems = []
    for text, rest in struck:
        code = "struck-out" if rest else "struck-out-kept"
        problems.append(Problem(code, Location(file), {"text": text, "reading": rest or text}))
    return problems
