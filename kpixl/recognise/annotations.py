"""Says what people wrote over the cells of a form instead of into them: it is not taken up, but nobody overlooks it."""

from __future__ import annotations

from collections.abc import Iterable

from kpixl.portfolio.sheet_id import NOTE_SIGNATURE
from kpixl.problems import Location, Problem
from kpixl.readers import Opened
from kpixl.readers.annotations import Aside, asides
from kpixl.readers.detect import FileKind
from kpixl.recognise import inspect_xls
from kpixl.recognise.submission import Extracted

MAX_LISTED = 100  # of a file
MAX_SHOWN = 300  # characters of each


def told(opened: Opened, file: str, forms: Iterable[Extracted]) -> list[Problem]:
    """Make a problem for each note and each text box on the sheets of a file's forms; not for our own notes."""
    sheets = {form.sheet for form in forms if form.sheet is not None}
    found: Iterable[Aside] = ()
    if opened.kind is FileKind.PACKAGE and opened.package is not None:
        found = asides(opened.package, sheets)
    elif opened.kind is FileKind.OLD:
        found = inspect_xls.notes(opened.content, sheets)
    elif opened.kind is FileKind.XML2003:
        from kpixl.readers import xml2003

        found = xml2003.notes(opened.content, opened.limits, sheets)
    texts = [(aside, text) for aside in dict.fromkeys(found) if (text := _typed(aside.text))]
    problems = [
        Problem(
            "box-unread" if aside.box else "note-unread",
            Location(file, aside.sheet, aside.cell),
            {"text": text if len(text) <= MAX_SHOWN else text[:MAX_SHOWN] + "……"},
        )
        for aside, text in texts[:MAX_LISTED]
    ]
    if len(texts) > MAX_LISTED:
        problems.append(Problem("asides-many", Location(file), {"count": len(texts) - MAX_LISTED}))
    return problems


def _typed(text: str) -> str:
    """Return a note without what `kpixl check --mark` put into it, below what a person wrote."""
    return text.partition(NOTE_SIGNATURE)[0].strip()
