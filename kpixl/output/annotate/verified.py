"""A person's file -> a copy of it with the problems marked in it, whose cells are known to be those of the original.

The copy is read again before it is returned: that nothing else has changed is not believed but seen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from kpixl.collection.intake import is_problem_list, origins_of
from kpixl.ooxml.xml import DAMAGED, PackageError
from kpixl.output.annotate.opendocument import mark_opendocument
from kpixl.output.annotate.problem_list import Group
from kpixl.output.annotate.workbook import mark_workbook
from kpixl.readers import Grid, Opened, UnreadableError, open_content, read_opened
from kpixl.readers.detect import FileKind
from kpixl.readers.package import OpenedPackage
from kpixl.texts import Text

Mark = Callable[[OpenedPackage, Sequence[Grid], str, Sequence[Group], str, Sequence[str]], bytes]

KIND: Text = ("这种格式的文件不能加标注", "Files of this kind cannot be marked")
ALTERED: Text = ("加标注会改变文件的内容", "Marking it would change what it holds")


class UnmarkableError(Exception):
    """The file cannot be marked in place; carries the reason as a (zh, en) pair."""

    def __init__(self, reason: Text) -> None:
        super().__init__(reason[1])
        self.reason = reason


def marked(opened: Opened, file: str, groups: Sequence[Group], lang: str) -> bytes:
    """Return a copy of an opened workbook with `groups` marked in it. Raises UnmarkableError."""
    package = opened.package
    if package is None or opened.kind is not FileKind.PACKAGE or "xl/workbook.bin" in package.names:
        raise UnmarkableError(KIND)
    mark = mark_opendocument if "content.xml" in package.names else mark_workbook
    before = _grids(opened, file)
    try:
        content = _traced(mark, opened, package, before, file, groups, lang)
        after = _grids(open_content(content, opened.limits), file)
    except PackageError as error:
        raise UnmarkableError(error.reason) from error
    except (UnreadableError, ValueError, IndexError, OverflowError) as error:
        raise UnmarkableError(DAMAGED) from error
    if not is_problem_list(after[0]) or not _same(before, after[1:]):
        raise UnmarkableError(ALTERED)
    return content


def _traced(
    mark: Mark,
    opened: Opened,
    package: OpenedPackage,
    grids: Sequence[Grid],
    file: str,
    groups: Sequence[Group],
    lang: str,
) -> bytes:
    """Mark a file and note in the copy what it was made from; a copy that needs no other marks is not made anew."""
    origins = origins_of(grids[:1])
    again = mark(package, grids, file, groups, lang, origins) if origins else b""
    if again == opened.original:
        return again
    return mark(package, grids, file, groups, lang, (*origins, opened.sha256))


def _grids(opened: Opened, file: str) -> Sequence[Grid]:
    read = read_opened(opened, file)
    if read.problems:
        raise UnmarkableError(DAMAGED)
    return read.grids


def _same(before: Iterable[Grid], after: Iterable[Grid]) -> bool:
    """Return whether grids are equal, lists of problems left out."""

    def whole(grids: Iterable[Grid]) -> list[tuple[object, ...]]:
        return [(g.name, g.top, g.left, g.hidden, g.rows, g.merges()) for g in grids if not is_problem_list(g)]

    return whole(before) == whole(after)
