"""A mapping of form.yaml while it is read: every key must be taken, and what is wrong is reported with its key."""

from __future__ import annotations

import re
from typing import Any

from kpixl.problems import KpixlError, failure

# Names on which the canonical file and the sheet id rely.
_NAME = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*")


def invalid(key: str, reason: str) -> KpixlError:
    """Make the error for a mistake in a definition."""
    return failure("form-invalid", key=key, reason=reason)


def check_name(name: str, where: str) -> None:
    """Refuse a key that is no name. Raises KpixlError `form-invalid`."""
    if not _NAME.fullmatch(name):
        raise invalid(where, "a key is made of a-z, 0-9, _ and dots")


class Node:
    """A mapping of the definition from which every key must be taken. `path`: where it is, for messages."""

    def __init__(self, data: object, path: str) -> None:
        if not isinstance(data, dict):
            raise invalid(path, "must be a mapping")
        self.rest: dict[str, Any] = dict(data)
        self.path = path

    def take(self, key: str, kind: type | tuple[type, ...], *default: Any) -> Any:
        """Take a value out; without a default it must be there."""
        if key not in self.rest:
            if default:
                return default[0]
            raise invalid(self.path, f"{key} is missing")
        value = self.rest.pop(key)
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise invalid(f"{self.path}.{key}", f"cannot be {value!r}")
        return value

    def mapping(self, key: str, kind: type | tuple[type, ...] = object) -> dict[str, Any]:
        """Take a mapping out, whose values are of a kind; empty where it is not given."""
        found: dict[str, Any] = self.take(key, dict, {})
        for name, value in found.items():
            self._check(f"{key}.{name}", value, kind)
        return found

    def sequence(self, key: str, kind: type | tuple[type, ...], *default: Any) -> list[Any]:
        """Take a list out, whose items are of a kind; without a default it must be there."""
        found: list[Any] = self.take(key, list, *default)
        for number, value in enumerate(found):
            self._check(f"{key}[{number}]", value, kind)
        return found

    def _check(self, place: str, value: object, kind: type | tuple[type, ...]) -> None:
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not object):
            raise invalid(f"{self.path}.{place}", f"cannot be {value!r}")

    def bounded(self, key: str, kind: type | tuple[type, ...], least: float, most: float, default: float) -> Any:
        """Take a number out that is neither too small nor too large."""
        value = self.take(key, kind, default)
        if isinstance(value, bool) or not least <= value <= most:
            raise invalid(f"{self.path}.{key}", f"must be {least:g} to {most:g}")
        return value

    def node(self, key: str) -> Node:
        """Take a mapping out as a node."""
        return Node(self.mapping(key), f"{self.path}.{key}")

    def nodes(self, key: str) -> list[tuple[str, Node]]:
        """Take a mapping of mappings out."""
        return [(str(k), Node(v, f"{self.path}.{key}.{k}")) for k, v in self.mapping(key).items()]

    def finish(self) -> None:
        """Complain about what nobody took."""
        if self.rest:
            raise invalid(self.path, f"unknown key {', '.join(map(str, self.rest))}")
