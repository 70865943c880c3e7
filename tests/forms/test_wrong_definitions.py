"""A definition that is wrong is refused with line and key, whatever was typed into it; never with a traceback.

The mistakes that people make are cases in cases/forms/wrong.yaml.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from kpixl import yaml_text
from kpixl.forms.load import known_forms, load_form, own_templates, parse_form
from kpixl.problems import KpixlError

FORMS = Path(__file__).parents[1] / "cases" / "forms"
MINI = (FORMS / "mini-form" / "form.yaml").read_text(encoding="utf-8")
CASES: dict[str, dict[str, Any]] = {
    case["case"]: case for case in yaml.safe_load((FORMS / "wrong.yaml").read_text(encoding="utf-8"))
}
OTHERS: list[Any] = [None, 5, -1, "", "x", [], {}, [1], [None], [[]], {"a": 1}, {"a": {"b": None}}, True, 1.5]
Place = tuple[str | int, ...]


@pytest.mark.parametrize("name", CASES)
def test_a_mistake_is_named_with_line_and_key(name: str, tmp_path: Path) -> None:
    case = CASES[name]
    assert MINI.count(case["text"]) == 1
    folder = tmp_path / "mini-form"
    folder.mkdir()
    (folder / "form.yaml").write_text(MINI.replace(case["text"], case["by"]), encoding="utf-8")
    with pytest.raises(KpixlError) as caught:
        load_form("mini-form", [tmp_path])
    problem = caught.value.problems[0]
    assert problem.code == case.get("code", "form-invalid")
    if "key" in case:
        assert f"form.yaml:{case['line']} " in problem.message()
        assert case["key"] in problem.message()
    else:
        assert problem.details["line"] == case["line"]


def places(data: Any, place: Place = ()) -> Iterator[Place]:
    """Yield the place of every value of a definition."""
    if place:
        yield place
    items: Any = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for key, value in items:
        yield from places(value, (*place, key))


def alike(place: Place) -> Place:
    """Return a place without what many have in common: the number in a list, the name of a field."""
    named = place[0] in ("fields", "tables", "trees")
    return tuple(
        "" if isinstance(part, int) or (named and number % 2 == 1) else part for number, part in enumerate(place)
    )


@pytest.mark.parametrize("name", ["mini-form", "types-form"])
def test_no_value_of_another_kind_ends_in_a_traceback(name: str) -> None:
    data = yaml.safe_load((FORMS / name / "form.yaml").read_text(encoding="utf-8"))
    refused = 0
    for place in {alike(place): place for place in places(data)}.values():
        for other in OTHERS:
            changed = copy.deepcopy(data)
            parent = changed
            for part in place[:-1]:
                parent = parent[part]
            parent[place[-1]] = other
            try:
                parse_form(changed)
            except KpixlError:
                refused += 1
    assert refused > 500


def test_our_own_definitions_have_no_key_twice() -> None:
    for folder in known_forms().values():
        assert folder.parent == own_templates()
        text = (folder / "form.yaml").read_text(encoding="utf-8")
        assert yaml_text.marks(text).problems == []
