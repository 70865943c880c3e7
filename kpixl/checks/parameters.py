"""`checks` of a form.yaml -> the parameters of each rule, strictly: what is wrong is reported with its key.

A rule declares its parameters as a frozen dataclass; the annotation of each decides how it is read.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NewType, TypeVar, get_type_hints

from kpixl.checks.measures import OPERATORS
from kpixl.checks.rule import Roles
from kpixl.checks.scored import ScoredColumns
from kpixl.forms.definition import Form
from kpixl.forms.values import fold
from kpixl.problems import KpixlError, failure

FieldKey = NewType("FieldKey", str)
# An item of a list of choices on which another level or a row depends; a misspelt one would never match.
Item = NewType("Item", str)
MAX_PATTERN = 2_000
T = TypeVar("T")


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
    """Reads parameters for one form; `words`, `roles` and `scored` are what its checks have named."""

    form: Form
    words: Mapping[str, Any]
    roles: Mapping[str, Roles]
    scored: Mapping[str, ScoredColumns]

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
            elif field.name == "scored":
                values["scored"] = self._scored("", f"{path}.scored")
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
            ScoredColumns: self._scored,
            tuple[str, ...]: lambda v, p: self._list(self._text, v, p),
            tuple[FieldKey, ...]: lambda v, p: self._list(self._field, v, p),
            tuple[Item, ...]: lambda v, p: self._list(self._item, v, p),
            tuple[tuple[str, ...], ...]: self._lists,
            tuple[tuple[Words, tuple[str, ...]], ...]: self._fits,
            tuple[str, str]: self._pair,
            tuple[tuple[FieldKey, FieldKey], ...]: self._field_pairs,
            tuple[tuple[str, Decimal], ...]: self._bands,
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

    def _field_pairs(self, value: Any, path: str) -> tuple[tuple[FieldKey, FieldKey], ...]:
        pairs = self._list(lambda v, p: self._list(self._field, v, p), value, path)
        if wrong := [number for number, pair in enumerate(pairs) if len(pair) != 2]:
            raise invalid(f"{path}[{wrong[0]}]", "must be two fields")
        return pairs

    def _bands(self, value: Any, path: str) -> tuple[tuple[str, Decimal], ...]:
        if not isinstance(value, dict) or not value:
            raise invalid(path, "must be a mapping of a grade to its least score")
        bands = tuple((self._text(k, path), self._number(v, f"{path}.{k}")) for k, v in value.items())
        if [*bands] != sorted(bands, key=lambda band: band[1], reverse=True):
            raise invalid(path, "must fall from grade to grade")
        return bands

    def _rows(self, value: Any, path: str) -> Roles:
        return _named(self.roles, value, path, "rows")

    def _scored(self, value: Any, path: str) -> ScoredColumns:
        return _named(self.scored, value, path, "scores")


def _named(tables: Mapping[str, T], value: Any, path: str, section: str) -> T:
    """Return a table that a section of `checks` names; the first for ""."""
    if not tables:
        raise invalid(path, f"there is no table under checks.{section}")
    if value == "":
        return next(iter(tables.values()))
    if value not in tables:
        raise invalid(path, f"no table {value} under checks.{section}")
    return tables[value]


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


_SCORED = ("name", "target", "actual", "points", "score", "reason")


def read_scored(form: Form, data: Mapping[str, Any]) -> dict[str, ScoredColumns]:
    """Read `checks.scores`: table -> which column says what of a scored row, and `words` that mean an operator."""
    found = {}
    for name, spec in data.items():
        path = f"checks.scores.{name}"
        if name not in form.tables:
            raise invalid(path, f"no table {name}")
        if not isinstance(spec, dict) or set(spec) - {"words"} != set(_SCORED):
            raise invalid(path, f"must say {', '.join(_SCORED)}, and may say words")
        table = form.tables[name]
        columns = {key: str(spec[key]) for key in _SCORED}
        for key, column in columns.items():
            if column not in table.columns and (key != "target" or column not in table.targets):
                raise invalid(f"{path}.{key}", f"no column {column}")
        words = _operator_words(spec.get("words", {}), f"{path}.words")
        found[name] = ScoredColumns(name, words=words, **columns)
    return found


def _operator_words(data: Any, path: str) -> dict[str, tuple[str, ...]]:
    """Read what means an operator beside a number, folded as the texts are that it is compared with."""
    if not isinstance(data, dict) or not set(data) <= set(OPERATORS):
        raise invalid(path, f"must be a mapping of {' '.join(OPERATORS)} to lists of words")
    for operator, words in data.items():
        if not isinstance(words, list) or not all(isinstance(word, str) and fold(word) for word in words):
            raise invalid(f"{path}.{operator}", "must be a list of words")
    return {operator: tuple(map(fold, words)) for operator, words in data.items()}
