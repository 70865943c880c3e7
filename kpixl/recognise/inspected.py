"""What inspecting cells of a file finds, whatever kind of file it is."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import NamedTuple

from kpixl.a1 import CellRef
from kpixl.readers import number_formats
from kpixl.readers.number_formats import Display

Place = tuple[str, CellRef]  # sheet and cell


class Run(NamedTuple):
    """A stretch of a cell's text in one font. `raised`: 1 above the line, -1 below it, 0 on it."""

    text: str
    struck: bool = False
    raised: int = 0


@dataclass(frozen=True, slots=True)
class Inspected:
    """One cell of a file.

    `formula`: with its =, None where it has none or the file hides it. `number_format`: its code, None where the file
    names none. `value`: what is stored. `display`: what the cell shows, None where that is the value itself or not
    known. `runs`: its text in pieces where any is struck out, raised or lowered. `yearless`: a date without its year.
    """

    formula: str | None = None
    number_format: str | None = None
    value: Decimal | str | None = None
    display: Display | None = None
    runs: tuple[Run, ...] = ()
    yearless: bool = False

    @property
    def percent(self) -> bool:
        """Return whether the format shows numbers as per cent."""
        return "%" in (self.number_format or "")

    @property
    def unknown(self) -> bool:
        """Return whether the cell shows something else than its value, and nobody knows what."""
        shown_as_is = self.number_format is None or number_formats.is_plain(self.number_format)
        return self.display is None and isinstance(self.value, Decimal) and not shown_as_is


class Broken(NamedTuple):
    """Why a cell reads blank that is not: a formula that was never calculated (`error` is blank), or an error."""

    formula: str
    error: str


@dataclass(frozen=True, slots=True)
class Look:
    """What was seen of some cells; of those that read blank, only what is wrong with them.

    `failed`: the cells could not be inspected. `blanks`: it is known which of those that read blank are broken.
    """

    cells: Mapping[Place, Inspected] = field(default_factory=dict)
    broken: Mapping[Place, Broken] = field(default_factory=dict)
    from_1904: bool = False
    failed: bool = False
    blanks: bool = True


@dataclass(frozen=True, slots=True)
class Inspector:
    """What inspects cells of one file; each kind of file has a module with these functions.

    `is_marked`: a quick test whether any cell may show something else than its value. `look`: inspects some cells;
    None where the file cannot be opened for that, or it would take too long. `broken`: finds why cells read blank,
    and all that do of some sheets, where that takes less than to inspect them. `blanks`: anything finds that.
    """

    is_marked: Callable[[], bool]
    look: Callable[[Iterable[Place]], Look | None]
    broken: Callable[[Iterable[Place], Container[str]], Mapping[Place, Broken]] | None = None
    blanks: bool = True


def inspected(
    value: Decimal | str | None,
    code: str | None,
    *,
    formula: str | None = None,
    runs: tuple[Run, ...] = (),
    from_1904: bool = False,
) -> Inspected:
    """Return the record of a cell whose format is known by its code; work out what it shows."""
    display, yearless = None, False
    if code is not None and value is not None and not number_formats.is_plain(code):
        display = number_formats.displayed(value, code, from_1904=from_1904)
        if display is not None and display.text == value:
            display = None
        yearless = isinstance(value, Decimal) and number_formats.is_yearless(code)
    return Inspected(formula, code, value, display, runs if is_marked(runs) else (), yearless)


def is_marked(runs: Iterable[Run]) -> bool:
    """Return whether any text is struck out, or set above or below the rest."""
    filled = [run for run in runs if run.text.strip()]
    return any(run.struck for run in filled) or len({run.raised for run in filled}) > 1
