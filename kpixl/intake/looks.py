"""What a second look into a file finds, whatever kind of file it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

Place = tuple[str, str]  # sheet and A1


class Seen(NamedTuple):
    """What the file says of a cell: its formula, = first, where that can be known; whether it shows per cent, and
    whether it shows a date without its year."""

    formula: str | None
    percent: bool
    yearless: bool = False


class Broken(NamedTuple):
    """Why a cell reads blank that is not: a formula that was never calculated (`error` is blank), or an error."""

    formula: str
    error: str


@dataclass(frozen=True, slots=True)
class Look:
    """What was seen of some cells; of those that read blank, only what is wrong with them."""

    cells: Mapping[Place, Seen] = field(default_factory=dict)
    broken: Mapping[Place, Broken] = field(default_factory=dict)
    from_1904: bool = False
