"""Submissions and their problems -> marked copies, made in worker processes; the files of an archive in one pass."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import groupby

from kpixl.collection.intake import FileResult, Job, bounds_of, content_of, read_again
from kpixl.ooxml.contents import CHART, CHART_SHEET, MACROS, PICTURE, contents_of, has_macros
from kpixl.ooxml.workbook import Workbook
from kpixl.ooxml.xml import PackageError
from kpixl.output.annotate.problem_list import Group, list_workbook
from kpixl.output.annotate.verified import UnmarkableError, marked
from kpixl.parallel import Outcome, Pool, Progress
from kpixl.readers import Limits, UnreadableError, open_content
from kpixl.texts import Text

_GONE: Text = ("文件在检查之后被移动或修改", "The file was moved or changed after it was checked")
_BROKEN: Text = ("文件无法读取", "The file cannot be read")
_DEATHS: dict[str, Text] = {
    "seconds": ("加标注的时间超过上限（--limit seconds）", "Marking it takes longer than --limit seconds allows"),
    "memory_bytes": (
        "加标注占用的内存超过上限（--limit memory-bytes）",
        "Marking it takes more memory than --limit memory-bytes allows",
    ),
    "": ("加标注时程序中断", "Marking it broke off"),
}
_KEPT_ANYWAY = (CHART, CHART_SHEET, PICTURE)  # openpyxl keeps them, if not all of how they look


@dataclass(frozen=True, slots=True)
class Copy:
    """A copy with marks or, for a `reason`, the list of problems alone; and what openpyxl would have dropped of it."""

    content: bytes
    reason: Text | None = None
    kept: tuple[Text, ...] = ()


@dataclass(frozen=True, slots=True)
class Marking:
    """How files are marked: language, font of the list, bounds."""

    lang: str
    font: str
    limits: Limits


@dataclass(frozen=True, slots=True)
class _Item:
    """A file to mark: its place among all of them, how it is shown, and its problems."""

    number: int
    file: str
    sha256: str
    groups: Sequence[Group]


@dataclass(frozen=True, slots=True)
class _Task:
    """Files to mark that come from one file on disk: itself, or what is in an archive."""

    job: Job | None
    items: tuple[_Item, ...]


_Part = int | tuple[int, Copy]  # the number of the item that is begun, or what came of it


def make_copies(
    files: Sequence[FileResult],
    groups: Sequence[Sequence[Group]],
    marking: Marking,
    workers: int | None = None,
    progress: Progress | None = None,
) -> Iterator[tuple[int, Copy]]:
    """Yield the number and the copy of every file, given the problems of each. `progress` counts files.

    Where marking a file ends its worker, it gets a list; the files behind it in the same archive are tried again.
    """
    tasks = _tasks(files, groups)
    finished = 0
    with Pool(partial(_sheet_id, marking), bounds_of(marking.limits), workers) as pool:
        while tasks:
            again: list[_Task] = []
            for task, outcome in zip(tasks, pool.run(tasks), strict=True):
                copies, rest = _copies(task, outcome, marking)
                if rest:
                    again.append(replace(task, items=rest))
                yield from copies.items()
                finished += len(copies)
                if progress is not None:
                    progress(finished, len(files))
            tasks = again


def marked_copy(
    file: FileResult, groups: Sequence[Group], *, lang: str, font: str, limits: Limits
) -> tuple[bytes, Text | None, tuple[Text, ...]]:
    """Return the copy of a file, or the list and why it is only a list; and what openpyxl would have dropped."""
    item = _Item(0, file.file, file.sha256, groups)
    content = content_of(file, limits)
    made = (
        _absent(item, Marking(lang, font, limits))
        if content is None
        else _copy(item, content, Marking(lang, font, limits))
    )
    return made.content, made.reason, made.kept


def dropped_by_openpyxl(content: bytes) -> tuple[Text, ...]:
    """List what openpyxl would drop from a workbook in saving it: pictures, shapes, extended rules, macros."""
    try:
        workbook = Workbook(content)
        found = [MACROS] if has_macros(workbook) else []
        found += [text for sheet in workbook.sheets() for text in contents_of(workbook, sheet)]
    except PackageError:
        return ()
    return tuple(dict.fromkeys(text for text in found if text not in _KEPT_ANYWAY))


def _tasks(files: Sequence[FileResult], groups: Sequence[Sequence[Group]]) -> list[_Task]:
    """Join the files of one archive, which follow each other."""
    items = [_Item(n, f.file, f.sha256, found) for n, (f, found) in enumerate(zip(files, groups, strict=True))]
    runs = groupby(items, key=lambda item: files[item.number].job)
    return [_Task(job, tuple(run)) for job, run in runs]


def _copies(task: _Task, outcome: Outcome[_Part], marking: Marking) -> tuple[dict[int, Copy], tuple[_Item, ...]]:
    """Return the copies of the files of a task by number, and the files to try again.

    Those that ended the worker get a list.
    """
    copies = dict(part for part in outcome.parts if not isinstance(part, int))
    if outcome.death is None:
        return copies, ()
    reason = _DEATHS[outcome.death.bound]
    fatal, rest = _split(task, outcome.parts, copies)
    return copies | {item.number: _listed(item, reason, marking) for item in fatal}, rest


def _split(task: _Task, parts: Sequence[_Part], copies: dict[int, Copy]) -> tuple[tuple[_Item, ...], tuple[_Item, ...]]:
    """Part the files of a task whose worker died: the one that it was at, and those that were still to come.

    Where it was at none of them, opening the archive itself is fatal to all.
    """
    last = parts[-1] if parts else None
    left = tuple(item for item in task.items if item.number not in copies)
    if not isinstance(last, int):
        return left, ()
    return tuple(i for i in left if i.number == last), tuple(i for i in left if i.number != last)


# --- in the worker ----------------------------------------------------------------------------


def _sheet_id(marking: Marking) -> Callable[[_Task], Iterator[_Part]]:
    return partial(_mark, marking)


def _mark(marking: Marking, task: _Task) -> Iterator[_Part]:
    wanted = [(item.file, item.sha256) for item in task.items]
    left = dict(enumerate(task.items))
    for index, content in read_again(task.job, wanted, marking.limits) if task.job else ():
        item = left.pop(index)
        yield item.number
        yield item.number, _copy(item, content, marking)
    for item in left.values():
        yield item.number, _absent(item, marking)


def _copy(item: _Item, content: bytes, marking: Marking) -> Copy:
    try:
        opened = open_content(content, marking.limits)
        return Copy(marked(opened, item.file, item.groups, marking.lang), None, dropped_by_openpyxl(content))
    except UnreadableError:
        return _listed(item, _BROKEN, marking)
    except UnmarkableError as error:
        return _listed(item, error.reason, marking)


def _absent(item: _Item, marking: Marking) -> Copy:
    return _listed(item, _GONE if item.sha256 else _BROKEN, marking)


def _listed(item: _Item, reason: Text, marking: Marking) -> Copy:
    return Copy(list_workbook(item.file, item.groups, reason, lang=marking.lang, font=marking.font), reason)
