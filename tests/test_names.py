"""A class name exists once in the package: two things of one name are one thing too many, or named too loosely."""

from __future__ import annotations

import ast
from collections import defaultdict
from pathlib import Path

import kpixl


def test_every_class_name_exists_once() -> None:
    root = Path(kpixl.__file__).parent
    places: dict[str, list[str]] = defaultdict(list)
    for path in sorted(root.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places[node.name].append(str(path.relative_to(root)))
    assert {name: where for name, where in places.items() if len(where) > 1} == {}
