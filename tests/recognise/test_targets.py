"""Targets in one cell: operator, number and unit whatever the unit. The cases are data in cases/targets.yaml."""

from __future__ import annotations

from pathlib import Path

import pytest

from kpixl.forms.values import number_text
from kpixl.recognise.submission import Submission
from tests.recognise.test_labels import read
from tests.yaml_cases import load_cases

CASES = load_cases(Path(__file__).parents[1] / "cases/targets.yaml")
CELL = "F13"


def first(form: Submission) -> list[str]:
    row = form.tables["indicators"][0]
    value = row["value"]
    number = value if isinstance(value, str) else number_text(value)  # type: ignore[arg-type]
    return [str(row["operator"] or ""), number, str(row["unit"] or "")]


@pytest.mark.parametrize(("text", "expected"), CASES["parted"].items())
def test_a_target_is_parted(text: str, expected: str) -> None:
    form = read({CELL: text})
    *parts, note = [*(part.strip() for part in expected.split("|")), "", ""][:4]
    codes = {"note": ["value-normalised"], "text": ["target-as-text"], "": []}
    assert first(form) == parts
    assert [p.code for p in form.problems] == codes[note]


@pytest.mark.parametrize(("text", "note"), CASES["text"].items())
def test_text_is_qualitative_and_a_number_in_it_noted(text: str, note: str) -> None:
    form = read({CELL: text})
    assert first(form) == ["定性", text, ""]
    assert [p.code for p in form.problems] == (["target-as-text"] if note else [])
