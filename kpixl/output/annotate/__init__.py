"""Problems -> copies of the submissions with the problems marked in them, to send back.

A .xlsx, .xlsm or .ods is copied with tints, notes and a list in front; of any other file the list alone is written.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence, Set
from dataclasses import dataclass
from datetime import date
from itertools import count
from pathlib import Path, PurePosixPath
from typing import Any

from kpixl.collection.intake import FileResult
from kpixl.disk import Output, commit, remove_own
from kpixl.files import PORTFOLIO_SUFFIXES, natural_key, safe_file_names
from kpixl.locks import write_reason
from kpixl.output.annotate.copies import Copy, Marking, dropped_by_openpyxl, make_copies, marked_copy
from kpixl.output.annotate.problem_list import NAME, grouped
from kpixl.parallel import Progress
from kpixl.problems import Location, Problem, Severity, failure
from kpixl.readers import DEFAULT_LIMITS, Limits
from kpixl.readers.container import BETWEEN, MAX_FOLDERS
from kpixl.texts import Text, say

__all__ = [
    "MarkedFile",
    "check_folder",
    "copy_name",
    "dropped_by_openpyxl",
    "marked_copy",
    "marked_data",
    "write_marked",
]

_SEPARATORS = re.compile("/|" + re.escape(BETWEEN))
_LIST_NAME: Text = ("{stem}（{list}）", "{stem} ({list})")
_ENDING = ".xlsx"
KIND = "annotated"  # how the manifest of the folder calls copies
TOGETHER = 64  # copies written at a time: the manifest is written once for them
MAX_STALE = 5  # names shown


@dataclass(frozen=True, slots=True)
class MarkedFile:
    """What was written for a submission.

    `reason`: why it is only a list of the problems; None for a copy with marks. `kept`: what the copy holds that
    openpyxl would have dropped.
    """

    file: str
    path: Path
    changed: bool
    reason: Text | None = None
    kept: tuple[Text, ...] = ()


def check_folder(folder: Path, inputs: Iterable[Path]) -> None:
    """Raise the KpixlError that writing to `folder` would end in: it must not lie where submissions are read."""
    if folder.is_file():
        raise failure("mark-no-folder", path=str(folder))
    if not folder.absolute().parent.is_dir():
        raise failure("folder-missing", path=str(folder.absolute().parent))
    for path in inputs:
        if path.suffix.lower() in PORTFOLIO_SUFFIXES:
            raise failure("mark-needs-files", path=str(path))
        if path.is_dir() and folder.resolve().is_relative_to(path.resolve()):
            raise failure("mark-inside-input", path=str(folder), input=str(path))


def write_marked(
    files: Sequence[FileResult],
    problems: Iterable[Problem],
    folder: Path,
    *,
    lang: str = "zh",
    font: str = "宋体",
    limits: Limits = DEFAULT_LIMITS,
    today: date,
    workers: int | None = None,
    progress: Progress | None = None,
    everything: bool = False,
    tidy: bool = False,
) -> tuple[tuple[MarkedFile, ...], tuple[Problem, ...]]:
    """Write into `folder` a marked copy of every submission that has errors or warnings; folders as in the original.

    `tidy`: remove copies of an earlier run that this one does not make, where nobody has edited them.
    Errors are marked in the sheets, with `everything` also warnings and notes; the list in front has them all.
    Copies are made in worker processes. A file of which there are only notes needs nothing from its sender and is left
    out. Returns what was written, and the problems of writing it. Raises KpixlError where a copy would replace one of
    the files that were read.
    """
    found: dict[str, list[Problem]] = {}
    for problem in problems:
        found.setdefault(problem.location.file or "", []).append(problem)
    wanted = [f for f in files if any(p.severity is not Severity.INFO for p in found.get(f.file, ()))]
    tasks = [grouped(found[file.file], everything=everything) for file in wanted]
    inputs = {file.job.path.resolve() for file in files if file.job is not None}
    writer = _Writer(folder, inputs, lang, today)
    for number, copy in make_copies(wanted, tasks, Marking(lang, font, limits), workers, progress):
        writer.add(number, wanted[number].file, copy)
    writer.flush()
    written = tuple(writer.written[number] for number in sorted(writer.written))
    stale = _stale(folder, [file.path for file in written], tidy=tidy)
    return written, (*(p for number in sorted(writer.said) for p in writer.said[number]), *writer.problems, *stale)


class _Writer:
    """Writes copies as they are made, some at a time."""

    def __init__(self, folder: Path, inputs: Set[Path], lang: str, today: date) -> None:
        self.written: dict[int, MarkedFile] = {}
        self.said: dict[int, list[Problem]] = {}
        self.problems: list[Problem] = []
        self._folder, self._inputs, self._lang, self._today = folder, inputs, lang, today
        self._taken: dict[str, bool] = {}
        self._waiting: dict[int, tuple[str, Path, Copy]] = {}

    def add(self, number: int, file: str, copy: Copy) -> None:
        """Name a copy, and write it in time."""
        path = _path(file, self._folder, self._taken, self._lang, listed=copy.reason is not None)
        if path.resolve() in self._inputs:
            raise failure("output-is-input", path=str(path))
        self._waiting[number] = (file, path, copy)
        if len(self._waiting) >= TOGETHER:
            self.flush()

    def flush(self) -> None:
        """Write what is waiting."""
        outputs = []
        for _, path, copy in self._waiting.values():
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                outputs.append(Output(path, copy.content, KIND))
            except OSError as error:
                where = Location(path.name)
                self.problems.append(Problem("not-writable", where, {"path": str(path), "reason": write_reason(error)}))
        written, problems = commit(outputs, lang=self._lang, today=self._today)
        self.problems += problems
        changed = dict(written)
        for number, (file, path, copy) in self._waiting.items():
            if (target := path if path in changed else path.resolve()) in changed:
                self.written[number] = MarkedFile(file, path, changed[target], copy.reason, copy.kept)
                self.said[number] = list(_said(file, path, copy))
        self._waiting.clear()


def _said(file: str, path: Path, copy: Copy) -> Iterator[Problem]:
    if copy.reason is not None:
        yield Problem("mark-listed", Location(file), {"reason": copy.reason, "path": path.name})
    if copy.kept:
        yield Problem("mark-kept", Location(file), {"kept": _joined(copy.kept)})


def marked_data(written: Iterable[MarkedFile], lang: str) -> list[dict[str, Any]]:
    """Turn what was written into JSON data."""
    return [
        {
            "file": item.file,
            "copy": str(item.path),
            "marked": item.reason is None,
            "reason": None if item.reason is None else say(item.reason, lang),
            "kept": [say(text, lang) for text in item.kept],
        }
        for item in written
    ]


def copy_name(name: str, lang: str, *, listed: bool) -> tuple[str, str]:
    """Return stem and ending of a copy: those of its original, or of a list, named as one."""
    if listed:
        return say(_LIST_NAME, lang, stem=name, list=say(NAME, lang)), _ENDING
    return PurePosixPath(name).stem, PurePosixPath(name).suffix


def _path(file: str, folder: Path, taken: dict[str, bool], lang: str, *, listed: bool) -> Path:
    """Name a copy like its original; a list is named as one. No name from an archive leads out of `folder`.

    `taken`: the names in use, and whether each is a folder's.
    """
    *folders, name = [part for part in _SEPARATORS.split(file) if part] or ["_"]
    stem, ending = copy_name(name, lang, listed=listed)
    parent = folder
    for part in folders[-MAX_FOLDERS:]:
        parent = next(p for p in _numbered(parent, part, "") if taken.get(str(p).casefold(), True) and not p.is_file())
        taken[str(parent).casefold()] = True
    path = next(p for p in _numbered(parent, stem, ending) if str(p).casefold() not in taken and not p.is_dir())
    taken[str(path).casefold()] = False
    return path


def _numbered(parent: Path, stem: str, ending: str) -> Iterator[Path]:
    """Yield names for a file or folder until one is free: a.xlsx, a (2).xlsx."""
    stem, ending = safe_file_names([stem])[0], safe_file_names([ending])[0] if ending else ""
    for number in count(1):
        yield parent / f"{stem}{'' if number == 1 else f' ({number})'}.{ending}".rstrip(".")


def _stale(folder: Path, written: Sequence[Path], *, tidy: bool) -> list[Problem]:
    """Report workbooks in `folder` that this run did not write: of files that have no problems any more, perhaps."""
    found = [p for p in {*folder.rglob("*.xls*"), *folder.rglob("*.ods")} - {*written} if p.is_file()]
    found = remove_own(found, KIND) if tidy else found
    others = sorted((str(path.relative_to(folder)) for path in found), key=natural_key)
    if not others:
        return []
    shown = "、".join(others[:MAX_STALE]) + ("……" if len(others) > MAX_STALE else "")
    return [Problem("mark-stale", Location(), {"path": str(folder), "count": len(others), "names": shown})]


def _joined(texts: Iterable[Text]) -> Text:
    texts = list(texts)
    return "、".join(text[0] for text in texts), ", ".join(text[1] for text in texts)
