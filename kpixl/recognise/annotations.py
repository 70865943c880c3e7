"""Says what people wrote over the cells of a form instead of into them: it is not taken up, but nobody overlooks it."""

from __future__ import annotations

from collections.abc import Iterable, Set

from kpixl.portfolio.sheet_id import NOTE_SIGNATURE
from kpixl.problems import Location, Problem
from kpixl.readers import Opened
from kpixl.readers.annotations import Annotation, annotations_in
from kpixl.readers.detect import FileKind
from kpixl.recognise import inspect_xls

MAX_LISTED = 100  # of a file
MAX_SHOWN = 300  # characters of each


def told(opened: Opened, file: str, sheets: Set[str]) -> list[Problem]:
    """Make a problem for each note and each text box on some sheets of a file; not for our own notes."""
    found: Iterable[Annotation] = ()
    if opened.kind is FileKind.PACKAGE and opened.package is not None:
        found = annotations_in(opened.package, sheets)
    elif opened.kind is FileKind.OLD:
        found = inspect_xls.notes(opened.content, sheets)
    elif opened.kind is FileKind.XML2003:
        from kpixl.readers import xml2003

        found = xml2003.notes(opened.content, opened.limits, sheets)
    texts = [(one, text) for one in dict.fromkeys(found) if (text := _typed(one.text))]
    problems = [
        Problem(
            "box-unread" if one.box else "note-unread",
            Location(file, one.sheet, one.cell),
            {"text": text if len(text) <= MAX_SHOWN else text[:MAX_SHOWN] + "……"},
        )
        for one, text in texts[:MAX_LISTED]
    ]
    if len(texts) > MAX_LISTED:
        problems.append(Problem("annotations-many", Location(file), {"count": len(texts) - MAX_LISTED}))
    return problems


def _typed(text: str) -> str:
    """Return a note without what `kpixl check --mark` put into it, below what a person wrote."""
    return text.partition(NOTE_SIGNATURE)[0].strip()
