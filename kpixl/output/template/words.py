"""Regular expressions of a form's checks -> the plain words that they look for, so that a formula can look too."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

MAX_WORDS = 200  # of one list; more would make a formula longer than Excel takes
_REPEAT = re.compile(r"[?*+]|\{(\d+)(?:,\d*)?\}")
_AROUND = re.compile(r"\?<?[=!]")  # begins a condition on the neighbours
_PARTS = re.compile(r"\\.|\[\^?[^\]]*\]|\(|\)|\||[^\\]", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Word:
    """A word, and whether it counts only at the beginning or the end of a text."""

    text: str
    first: bool = False
    last: bool = False


class _NoWordError(Exception):
    """A pattern that is more than a choice of words."""


def words_of(patterns: Iterable[str], *, strict: bool = False) -> tuple[Word, ...]:
    """List the words of those patterns that are a choice of words; any other pattern is left to `kpixl check`.

    A condition on the neighbours, as in `(?<![a-z])xx`, is left out: the word then counts more often than the pattern.
    With `strict` such a pattern is left out instead.
    """
    words: dict[Word, None] = {}
    for pattern in patterns:
        try:
            for text in _Expansion(pattern, strict).alternatives():
                word = Word(text.strip("\0\1").casefold(), text.startswith("\0"), text.endswith("\1"))
                if word.text and not set(word.text) & {"\0", "\1"}:
                    words[word] = None
        except _NoWordError:
            continue
    return tuple(words)[:MAX_WORDS]


class _Expansion:
    """Expands one pattern; ^ and $ become the characters 0 and 1."""

    def __init__(self, pattern: str, strict: bool) -> None:
        self.parts = _PARTS.findall(pattern)
        self.place, self.strict = 0, strict
        self.rest = pattern

    def alternatives(self) -> list[str]:
        found = self._choice()
        if self.place < len(self.parts):
            raise _NoWordError
        return found

    def _next(self) -> str | None:
        return self.parts[self.place] if self.place < len(self.parts) else None

    def _choice(self) -> list[str]:
        found = self._sequence()
        while self._next() == "|":
            self.place += 1
            found += self._sequence()
        return found

    def _sequence(self) -> list[str]:
        found = [""]
        while (part := self._next()) not in (None, "|", ")"):
            self.place += 1
            found = _joined(found, self._repeated(self._one(str(part))))
        return found

    def _one(self, part: str) -> list[str]:
        if part == "(":
            return self._group()
        if part.startswith("["):
            if part[1] == "^" or "\\" in part or ("-" in part[2:-2]):
                raise _NoWordError
            return list(part[1:-1])
        if part.startswith("\\"):
            if part[1].isalnum():
                raise _NoWordError
            return [part[1]]
        if part == ".":
            raise _NoWordError
        return [{"^": "\0", "$": "\1"}.get(part, part)]

    def _group(self) -> list[str]:
        around = _AROUND.match("".join(self.parts[self.place : self.place + 3]))
        if around is not None and self.strict:
            raise _NoWordError
        if self._next() == "?":
            self.place += around.end() if around else 2
        depth = self.place
        try:
            found = self._choice()
        except _NoWordError:
            if around is None:
                raise
            found = [""]
            self.place = depth
            while self._next() not in (None, ")"):
                self.place += 1
        if self._next() != ")":
            raise _NoWordError
        self.place += 1
        return [""] if around is not None else found

    def _repeated(self, found: list[str]) -> list[str]:
        match = _REPEAT.match("".join(self.parts[self.place : self.place + 8]))
        if match is None:
            return found
        end, length = self.place, match.end()
        while length > 0:
            length -= len(self.parts[end])
            end += 1
        self.place = end
        if match[0] == "+":
            return found
        if match[0] in "?*":
            return ["", *found]
        repeated = [""]
        for _ in range(int(match[1])):
            repeated = _joined(repeated, found)
        return repeated


def _joined(left: Sequence[str], right: Sequence[str]) -> list[str]:
    if len(left) * len(right) > MAX_WORDS:
        raise _NoWordError
    return [a + b for a in left for b in right]
