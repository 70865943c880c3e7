"""Read what people write as keys and values in kpixl.yaml: everything that is wrong, each with its line."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Any

from kpixl import yaml_text
from kpixl.problems import Location, Problem
from kpixl.texts import Text

A_MAPPING: Text = ("一组键值（key: value）", "a mapping (key: value)")
A_LIST: Text = ("一个列表（每项以 - 开头）", "a list (items that begin with -)")


class MappingReader:
    """Notes everything that is wrong in a parsed text, with its line."""

    def __init__(self, marks: yaml_text.Marks, file: str) -> None:
        self.lines, self.file = marks.lines, file
        self.problems = list(marks.problems)

    def line(self, path: yaml_text.Path) -> int:
        """Return the line of a key."""
        return yaml_text.line_of(self.lines, path)

    def note(self, code: str, path: yaml_text.Path, /, **details: object) -> None:
        """Note a problem of the value at `path`."""
        details = {"line": self.line(path), "key": str(path[-1]) if path else self.file, **details}
        self.problems.append(Problem(code, Location(self.file, field=".".join(map(str, path)) or None), details))

    def unknown(self, path: yaml_text.Path, known: Iterable[str]) -> None:
        """Note a key that is none of the known ones."""
        known = list(known)
        near = difflib.get_close_matches(str(path[-1]), known, 1)
        zh = f"是否应为“{near[0]}”？" if near else f"可用的键：{', '.join(known)}。"
        en = f"Did you mean {near[0]}?" if near else f"Known keys: {', '.join(known)}."
        self.note("key-unknown", path, suggestion=(zh, en))

    def wrong(self, path: yaml_text.Path, expected: Text, found: object) -> None:
        """Note a value that is not what it should be."""
        self.note("value-wrong", path, expected=expected, found=str(found))

    def list(self, key: str, value: Any) -> list[Any]:
        """Read a list; blank is an empty one."""
        if value is None:
            return []
        if not isinstance(value, list):
            self.wrong((key,), A_LIST, value)
            return []
        return value

    def mapping(self, path: yaml_text.Path, value: Any) -> dict[str, Any]:
        """Read a mapping; blank is an empty one."""
        if value is None:
            return {}
        if not isinstance(value, dict):
            self.wrong(path, A_MAPPING, value)
            return {}
        return {str(key): each for key, each in value.items()}

    def texts(self, path: yaml_text.Path, item: Any, known: tuple[str, ...]) -> dict[str, str | None] | None:
        """Read a mapping of texts; None where it is no mapping."""
        if not isinstance(item, dict):
            self.wrong(path, A_MAPPING, item)
            return None
        for key in item:
            if key not in known:
                self.unknown((*path, str(key)), known)
        return {key: self.text(item.get(key), (*path, key)) for key in known}

    def text(self, value: Any, path: yaml_text.Path) -> str | None:
        """Read a text; None where it is blank or none."""
        if value is None or isinstance(value, str):
            return value
        self.wrong(path, (f'加引号的文字，如 "{value}"', f'text in quotes, "{value}"'), value)
        return None
