"""Read what the office chose on the sheet 待决定 of a summary that is there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from kpixl.collection.decisions import Pick
from kpixl.inputs import read_input
from kpixl.ooxml.workbook import Workbook
from kpixl.ooxml.xml import PackageError
from kpixl.output.summary.conflicts import CANDIDATE, CHOICE, FIELD, FIRST, PROJECT, REASON, ROLE, ROW, SENT
from kpixl.output.summary.marks import NAME_PREFIX, Row
from kpixl.output.summary.old import OldSummary
from kpixl.problems import KpixlError
from kpixl.texts import say

_SENT_COLUMN = 5
_LANGS = ("zh", "en")


def read_picks(path: Path) -> list[Pick]:
    """Read the choices and reasons on the sheet of a summary; none where it has no such sheet, or cannot be read."""
    if not path.is_file():
        return []
    try:
        workbook = Workbook(read_input(path))
        names = {node.get("name") for node in workbook.names_of(None)}
        if NAME_PREFIX + ROLE not in names:
            return []
        old = OldSummary(workbook)
        return list(_picks(*old.own_rows(ROLE)))
    except (PackageError, KpixlError):  # writing the summary reports it
        return []


def _picks(written: Sequence[Row], rows: Sequence[Row]) -> Iterator[Pick]:
    """Compare the rows that were written with what they are now; rows may have been sorted."""
    known = {_address(row): row for row in written}
    for row in rows:
        choice, reason = _cell(row, CHOICE).strip(), _cell(row, REASON).strip()
        address = _address(row)
        if (choice or reason) and address in known and address[1]:
            yield Pick(*address, choice, _meant(known[address], choice), reason)


def _address(row: Row) -> tuple[str, str, str]:
    return _cell(row, PROJECT), _cell(row, FIELD), _cell(row, ROW)


def _cell(row: Row, col: int) -> str:
    return row[col] if col < len(row) else ""


def _meant(row: Row, choice: str) -> str:
    """Return the value that a choice means: that of a candidate, the one sent out, or what was typed."""
    wanted = "".join(choice.split()).casefold()
    for number, col in enumerate(range(FIRST, len(row), 2), 1):
        if wanted in ("".join(say(CANDIDATE, lang, number=number).split()).casefold() for lang in _LANGS):
            return row[col]
    if wanted in ("".join(say(SENT, lang).split()).casefold() for lang in _LANGS):
        return _cell(row, _SENT_COLUMN)
    return choice
