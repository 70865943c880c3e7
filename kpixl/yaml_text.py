"""YAML at the edge: fast parsing, and the slow second look that finds line numbers.

`parse` uses a Rust parser (design 4.6); it knows no line numbers and lets a repeated key win silently,
so hand-written text also goes through `marks` (PyYAML), which finds both.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from kpixl.problems import KpixlError, Location, Problem

MAX_YAML_BYTES = 1 << 29  # 512 MiB: 13,000 projects are 20 MiB
MAX_DEPTH = 30
_ANCHOR = re.compile(r"(?m)(?:^|[\s\[{,:-])[&*][^\s,\[\]{}*]")

_NUMBER_LIKE = re.compile(r"[-+.]?[\d.]")
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff]")

Path = tuple[str | int, ...]


def decode(content: bytes, file: str | None) -> str:
    """Decode UTF-8 text, with or without BOM. Raises KpixlError `not-utf8`."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise KpixlError(Problem("not-utf8", Location(file=file), {"reason": str(error)})) from error


def parse(text: str, file: str | None = None) -> Any:
    """Parse YAML 1.2 text. Raises KpixlError `yaml-syntax` or `yaml-alias`, with the line."""
    import yaml12

    if (control := _CONTROL.search(text)) is not None:
        line = text.count("\n", 0, control.start()) + 1
        refused = (f"含有控制字符 U+{ord(control[0]):04X}", f"it holds the control character U+{ord(control[0]):04X}")
        raise KpixlError(Problem("yaml-syntax", Location(file=file), {"line": line, "reason": refused}))
    if _ANCHOR.search(text):
        _refuse_aliases(text, file)
    try:
        return yaml12.parse_yaml(text)
    except ValueError as error:
        found = re.search(r"line (\d+)", str(error))
        reason = re.sub(r"^YAML parse error: | at byte.*$", "", str(error))
        line = int(found[1]) if found else 1
        raise KpixlError(Problem("yaml-syntax", Location(file=file), {"line": line, "reason": reason})) from error


def _refuse_aliases(text: str, file: str | None) -> None:
    # Expanding aliases is how a small file becomes a huge one; no portfolio needs them.
    import yaml

    try:
        for event in yaml.parse(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
            if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
                line = event.start_mark.line + 1 if event.start_mark else 1
                raise KpixlError(Problem("yaml-alias", Location(file=file), {"line": line}))
    except yaml.YAMLError as error:
        raise _syntax_error(error, file) from error


def _syntax_error(error: Exception, file: str | None) -> KpixlError:
    mark = getattr(error, "problem_mark", None)
    details = {
        "line": mark.line + 1 if mark else 1,
        "reason": getattr(error, "problem", None) or str(error).splitlines()[0],
    }
    return KpixlError(Problem("yaml-syntax", Location(file=file), details))


class Marks(NamedTuple):
    """What the slow parser sees: the line of every key and item (counted from 1), the keys that stand twice, and
    how each number was typed (012, 1234567890123456.78), which the fast parser forgets."""

    lines: Mapping[Path, int]
    problems: list[Problem]
    numbers: Mapping[Path, str]


def marks(text: str, file: str | None = None) -> Marks:
    """Take the second look at hand-written text. Raises KpixlError `yaml-syntax`."""
    import yaml

    lines: dict[Path, int] = {}
    problems: list[Problem] = []
    numbers: dict[Path, str] = {}

    def walk(node: yaml.Node, path: Path) -> None:
        lines.setdefault(path, node.start_mark.line + 1)
        if len(path) > MAX_DEPTH:
            return
        if isinstance(node, yaml.MappingNode):
            seen: set[str] = set()
            for key, value in node.value:
                name = str(key.value)
                line = key.start_mark.line + 1
                if name in seen:
                    details = {"line": line, "key": name}
                    problems.append(Problem("key-duplicate", Location(file=file), details))
                seen.add(name)
                lines[(*path, name)] = line
                walk(value, (*path, name))
        elif isinstance(node, yaml.SequenceNode):
            for index, item in enumerate(node.value):
                walk(item, (*path, index))
        elif isinstance(node, yaml.ScalarNode) and not node.style and _NUMBER_LIKE.match(node.value):
            numbers[path] = node.value

    try:
        root = yaml.compose(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except yaml.YAMLError as error:
        raise _syntax_error(error, file) from error
    except RecursionError as error:
        raise KpixlError(
            Problem("yaml-syntax", Location(file=file), {"line": 1, "reason": "nested too deeply"})
        ) from error
    if root is not None:
        walk(root, ())
    return Marks(lines, problems, numbers)


def line_of(lines: Mapping[Path, int], path: Path) -> int:
    """Return the line of `path`, or of the nearest thing around it."""
    while path and path not in lines:
        path = path[:-1]
    return lines.get(path, 1)


# --- writing ----------------------------------------------------------------------------------

# A plain scalar that YAML 1.1 (PyYAML) and 1.2 both read as this very string: it begins with a letter that is no
# indicator, holds no ": " or " #", and is no number, date, bool or null in either version.
_PLAIN = re.compile(
    r"[A-Za-z\u3400-\u9fff\u2264\u2265][\w\u3400-\u9fff\u3001\u3002\u300a\u300b\u201c\u201d\uff08\uff09\uff0c/()%.、-]*"
)
_WORDS = re.compile(r"(?i)^(y|n|yes|no|on|off|true|false|null|nan|inf)$")
# What may stand in a literal block: printable in YAML 1.1 and 1.2, no line end but \n.
_NOT_IN_BLOCK = re.compile("[^\n\x20-\x7e\u00a1-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")
BLOCK_FROM = 60  # texts at least this long stand in a block of their own


def scalar(value: str | int | float | None, indent: str) -> str:
    """Write one scalar; `indent` is that of the lines of a block below the key."""
    if value is None:
        return "null"
    if not isinstance(value, str):
        return _number(value)
    if _PLAIN.fullmatch(value) and not _WORDS.match(value) and len(value) < BLOCK_FROM:
        return value
    if ("\n" in value or len(value) >= BLOCK_FROM) and _fits_block(value):
        return _block(value, indent)
    return quote(value)


def _number(value: float) -> str:
    if isinstance(value, int):
        return str(value)
    from decimal import Decimal

    text = format(Decimal(repr(value)), "f")
    return text if "." in text else text + ".0"


def _fits_block(text: str) -> bool:
    first = text.lstrip("\n")[:1]
    return first not in ("", " ") and not _NOT_IN_BLOCK.search(text)


def _block(text: str, indent: str) -> str:
    body = text.rstrip("\n")
    tail = len(text) - len(body)
    chomp = "-" if tail == 0 else "" if tail == 1 else "+"
    lines = [indent + line if line else "" for line in body.split("\n")]
    return f"|{chomp}\n" + "\n".join(lines) + "\n" * max(tail - 1, 0)


_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
_TO_ESCAPE = re.compile(
    '["\\\\\x00-\x1f\x7f-\xa0\u1680\u2000-\u200f\u2028-\u202f\u205f\u2060\u3000\ufeff\ud800-\udfff\ufffe\uffff]'
)


def quote(text: str) -> str:
    """Write `text` in double quotes; what cannot be seen is escaped."""
    return '"' + _TO_ESCAPE.sub(lambda m: _ESCAPES.get(m[0]) or f"\\u{ord(m[0]):04x}", text) + '"'
