"""Names under a level that they do not belong to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from kpixl.checks.parameters import NO_WORDS, Item, Words
from kpixl.checks.rule import Hit, Roles, Subject
from kpixl.keys import Key


@dataclass(frozen=True, slots=True)
class Misplaced:
    """Names that do not belong under `levels`; `better` is where they do."""

    rows: Roles
    levels: tuple[Item, ...]
    names: Words
    better: tuple[Item, ...]
    unless: Words = NO_WORDS


def misplaced(p: Misplaced, subject: Subject) -> Iterator[Hit]:
    """Find names under a level that they do not belong to."""
    for line in subject.lines[p.rows.table]:
        if line.level2 in p.levels and line.folded in p.names and line.folded not in p.unless:
            details = {"name": line.named, "level": line.level2, "better": "、".join(p.better)}
            yield Hit(Key(p.rows.table, line.number, p.rows.name), details)
