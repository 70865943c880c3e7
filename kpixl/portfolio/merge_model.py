"""What merging the versions of a project is about: addresses of values, what versions make of them, what comes out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from kpixl.forms.definition import Value
from kpixl.keys import Key
from kpixl.portfolio.model import Project

Parts = tuple[Value, ...]  # the value of an address: one, or the three of a target, or all of a row
KEEP: Parts = ("keep",)  # of a row as a whole: that it is there, or not
DELETE: Parts = ("delete",)
NAMELESS = "-"  # the path of a row without levels and name


@dataclass(frozen=True, slots=True, order=True)
class Address:
    """What is merged as one. `key`: a field, or a table; there `row` is the path of a row (levels and name), and
    `column` a column or target, "" for the row as a whole."""

    key: str
    row: str = ""
    column: str = ""


@dataclass(frozen=True, slots=True)
class Variant:
    """One version of a project. `unread`: fields, and (table, column) or (table, "") that could not be read in it, so
    that a blank there is no change."""

    project: Project
    unread: frozenset[tuple[str, str]] = frozenset()


@dataclass(frozen=True, slots=True)
class Candidate:
    """A value that versions give to an address. `places`: each version, by its index, and the key of its cell."""

    value: Parts
    places: tuple[tuple[int, Key | None], ...]


@dataclass(frozen=True, slots=True)
class Conflict:
    """An address to which versions give different values. `sent`: what it was when it was sent out; `kept`: what it has
    now, which is the same unless nobody knows what was sent out."""

    address: Address
    sent: Parts
    kept: Parts
    candidates: tuple[Candidate, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """A value that a person has chosen for an address; for a whole row KEEP, DELETE, or its values in full."""

    address: Address
    value: Parts


@dataclass(frozen=True, slots=True)
class Overruled:
    """What a choice met: the value it replaced, None where the address does not exist, and the candidates of the
    versions. `lost`: what they changed in a row that was deleted or replaced as a whole."""

    choice: Choice
    replaced: Parts | None
    sent: Parts = ()
    candidates: tuple[Candidate, ...] = ()
    lost: tuple[tuple[Address, Candidate], ...] = ()


@dataclass(frozen=True, slots=True)
class MergeOutcome:
    """The merged project; `givers`: the version, and the key of the cell in it, that each of its values came from.

    `rows`: the paths of its rows by table, in their order. `overruled`, `fresh`: what the choices met, in their order.
    `edits`: what each version changed.
    """

    project: Project
    conflicts: tuple[Conflict, ...]
    givers: Mapping[Key, tuple[int, Key]]
    rows: Mapping[str, tuple[str, ...]]
    overruled: tuple[Overruled, ...]
    fresh: tuple[Overruled, ...]
    edits: tuple[Mapping[Address, Parts], ...]
