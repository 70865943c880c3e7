"""`checks` of a form.yaml -> the parameters of each rule, strictly: what is wrong is reported with its key.

A rule declares its parameters as a frozen dataclass; the annotation of each decides how it is read.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NewType, get_type_hints

from kpixl.checks.rule import Roles
from kpixl.forms.definition import Form
from kpixl.problems import KpixlError, failure

FieldKey = NewType("FieldKey", str)
# An item of a list of choices on which another level or a row depends; a misspelt one would never match.
Item = NewType("Item", str)
MAX_PATTERN = 2_000


@dataclass(frozen=True, slots=True)
class Words:
    """Words, each a regular expression, tried on text without blanks and in one width."""

    source: str
    pattern: re.Pattern[str]

    def __contains__(self, text: object) -> bool:
        return isinstance(text, str) and self.pattern.search(text) is not None


NO_WORDS = Words("", re.compile("(?!)"))


def invalid(key: str, reason: str) -> KpixlError:
    """Make the error for a key of the definition."""
    return failure("form-invalid", key=key, reason=reason)


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads parameters for one form; `words` and `roles` are what its checks have named."""

    form: Form
    words: Mapping[str, Any]
    roles: Mapping[str, Roles]

    def read(self, kind: type[Any], spec: Mapping[str, Any], path: str) -> Any:
        """Read the parameters `kind` from `spec`. Raises KpixlError `form-invalid`."""
        hints = get_type_hints(kind)
        known = {f.name.replace("_", "-"): f for f in dataclasses.fields(kind)}
        for key in spec:
            if key not in known:
                raise invalid(path, f"unknown key {key}; known: {', '.join(known) or 'none'}")
        values = {}
        for key, field in known.items():
            if key in spec:
                values[field.name] = self._convert(hints[field.name], spec[key], f"{path}.{key}")
            elif field.name == "rows":
                values["rows"] = self._rows("", f"{path}.rows")
            elif field.default is dataclasses.MISSING:
                raise invalid(path, f"{key} is missing")
        return kind(**values)

    def _convert(self, hint: Any, value: Any, path: str) -> Any:
        readers: dict[Any, Callable[[Any, str], Any]] = {
            str: self._text,
            int: self._whole,
            Decimal: self._number,
            FieldKey: self._field,
            Item: self._item,
            Words: self._words,
            Roles: self._rows,
            tuple[str, ...]: lambda v, p: self._list(self._text, v, p),
            tuple[FieldKey, ...]: lambda v, p: self._list(self._field, v, p),
            tuple[Item, ...]: lambda v, p: self._list(self._item, v, p),
            tuple[tuple[str, ...], ...]: self._lists,
            tuple[tuple[Words, tuple[str, ...]], ...]: self._fits,
            tuple[str, str]: self._pair,
        }
        return readers[hint](value, path)

    def _text(self, value: Any, path: str) -> str:
        if not isinstance(value, str) or not value:
            raise invalid(path, f"must be text, is {value!r}")
        return value

    def _whole(self, value: Any, path: str) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            raise invalid(path, f"must be a whole number, is {value!r}")
        return value

    def _number(self, value: Any, path: str) -> Decimal:
        if not isinstance(value, int | float) or isinstance(value, bool):
            raise invalid(path, f"must be a number, is {value!r}")
        return Decimal(repr(value))

    def _field(self, value: Any, path: str) -> FieldKey:
        if value not in self.form.fields:
            raise invalid(path, f"no field {value}")
        return FieldKey(value)

    def _item(self, value: Any, path: str) -> Item:
        if not any(value in choices.items for choices in self.form.choices.values()):
            raise invalid(path, f"{value!r} is in no list of choices")
        return Item(value)

    def _list(self, read: Callable[[Any, str], Any], value: Any, path: str) -> tuple[Any, ...]:
        if not isinstance(value, list) or not value:
            raise invalid(path, f"must be a list, is {value!r}")
        return tuple(read(item, f"{path}[{number}]") for number, item in enumerate(value))

    def _lists(self, value: Any, path: str) -> tuple[tuple[str, ...], ...]:
        return self._list(lambda v, p: self._list(self._text, v, p), value, path)

    def _pair(self, value: Any, path: str) -> tuple[str, str]:
        if not isinstance(value, dict) or set(value) != {"zh", "en"}:
            raise invalid(path, "must be a mapping of zh and en")
        return self._text(value["zh"], f"{path}.zh"), self._text(value["en"], f"{path}.en")

    def _words(self, value: Any, path: str) -> Words:
        """Read a list of regular expressions, or the name of one under checks.words."""
        if isinstance(value, str):
            if value not in self.words:
                raise invalid(path, f"no list {value} under checks.words")
            value = self.words[value]
        source = "|".join(self._list(self._text, value, path))
        if len(source) > MAX_PATTERN:
            raise invalid(path, f"is longer than {MAX_PATTERN} characters")
        try:
            return Words(source, re.compile(source, re.IGNORECASE))
        except re.error as error:
            raise invalid(path, f"is no regular expression: {error}") from error

    def _fits(self, value: Any, path: str) -> tuple[tuple[Words, tuple[str, ...]], ...]:
        if not isinstance(value, dict) or not value:
            raise invalid(path, "must be a mapping of a regular expression to a list")
        return tuple(
            (self._words([key], f"{path}.{key}"), self._list(self._text, items, f"{path}.{key}"))
            for key, items in value.items()
        )

    def _rows(self, value: Any, path: str) -> Roles:
        if not self.roles:
            raise invalid(path, "there is no table under checks.rows")
        if value == "":
            return next(iter(self.roles.values()))
        if value not in self.roles:
            raise invalid(path, f"no table {value} under checks.rows")
        return self.roles[value]


def read_roles(form: Form, data: Mapping[str, Any]) -> dict[str, Roles]:
    """Read `checks.rows`: table -> which column is level1, level2, name, and which target is the quantity."""
    roles = {}
    for name, spec in data.items():
        path = f"checks.rows.{name}"
        if name not in form.tables:
            raise invalid(path, f"no table {name}")
        table = form.tables[name]
        if not isinstance(spec, dict) or set(spec) != {"level1", "level2", "name", "target"}:
            raise invalid(path, "must say level1, level2, name and target")
        for key in ("level1", "level2", "name"):
            if spec[key] not in table.columns:
                raise invalid(f"{path}.{key}", f"no column {spec[key]}")
        if spec["target"] not in table.targets:
            raise invalid(f"{path}.target", f"no target {spec['target']}")
        roles[name] = Roles(name, spec["level1"], spec["level2"], spec["name"], *table.targets[spec["target"]].parts)
    return roles
