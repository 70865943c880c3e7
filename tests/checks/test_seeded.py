"""Every mistake seeded into a clean file is found at its cell, and no other is made up (tests/cases/seeded.yaml)."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from kpixl.a1 import cell_from
from kpixl.checks.registry import RULES
from kpixl.collection.model import Collection
from kpixl.collection.review import review
from kpixl.problems import Location, Problem
from tests.seeded.seed import NAME, Kind, base, kinds, roster_of, seed, title_of

KINDS = {kind["kind"]: kind for kind in kinds()}
KEYS = {"kind", "form", "portfolio", "book", "sheet", "split", "insert", "delete", "cells", "file", "second", "roster",
        "found", "also"}  # fmt: skip
PLACE = re.compile(r"(?:(?P<file>[^:!]+):)?(?:(?P<sheet>[^!]*)!)?(?P<cell>[A-Z]{1,3}\d+)?")


def checked(kind: Kind, folder: Path) -> Collection:
    form, _ = base(kind.get("form", ""))
    return review(seed(kind, folder), [form], roster=roster_of(kind), workers=0)


def spelled(problem: Problem) -> tuple[str, Location]:
    place = problem.location
    return f"{problem.severity} {problem.code}", Location(place.file, place.sheet, place.cell)


def expected(line: str, kind: Kind) -> tuple[str, Location]:
    """Read `severity code place`."""
    severity, code, place = line.split(" ", 2)
    if place in ("list", "file"):
        return f"{severity} {code}", Location(NAME if place == "file" else None)
    match = PLACE.fullmatch(place)
    assert match, place
    form = kind.get("form", "")
    sheet = title_of(match["sheet"] if match["sheet"] is not None else kind.get("sheet", "01"), form)
    return f"{severity} {code}", Location(match["file"] or NAME, sheet, cell_from(match["cell"] or ""))


def test_there_are_kinds_enough_and_every_rule_is_among_them() -> None:
    assert len(KINDS) == len(kinds()) >= 75
    found = {kind["found"].split(" ")[1].partition(".")[0] for kind in KINDS.values()}
    # Only forms of the next stages compute and score values, and have boxes to tick: tests/collection/test_derive.py
    # has a computed one, tests/cases/rules the others.
    later = {code for code, rule in RULES.items() if rule.entry.category == "scoring"}
    assert set(RULES) - later - {"computed-mismatch", "one-of"} <= found


@pytest.mark.parametrize("name", KINDS)
def test_a_kind_is_one_mistake(name: str) -> None:
    kind = KINDS[name]
    assert set(kind) <= KEYS, set(kind) - KEYS
    # What is wrong with a whole workbook is found on each of its sheets.
    alike = " ".join(kind["found"].split(" ")[:2])
    assert not [line for line in kind.get("also", ()) if line.startswith("error ") and not line.startswith(alike)]
    _, place = expected(kind["found"], kind)
    cells = kind.get("second", kind).get("cells", ())
    if place.address is not None and cells and not {"delete", "book"} & set(kind):
        assert place.address in cells


@pytest.mark.parametrize("form", sorted({kind.get("form", "") for kind in KINDS.values()}))
def test_nothing_is_found_in_the_clean_file(form: str, tmp_path: Path) -> None:
    result = checked({"form": form}, tmp_path)
    assert [spelled(problem) for problem in result.problems] == []
    assert result.portfolio == base(form)[1]


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.filterwarnings("ignore::UserWarning:openpyxl")
def test_a_seeded_mistake_is_found_where_it_is(name: str, tmp_path: Path) -> None:
    kind = KINDS[name]
    found = [spelled(problem) for problem in checked(kind, tmp_path).problems]
    wanted = [expected(line, kind) for line in (kind["found"], *kind.get("also", ()))]
    assert Counter(found) == Counter(wanted)
