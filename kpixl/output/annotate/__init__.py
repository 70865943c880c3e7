"""Problems -> copies of the submissions with the problems marked in them, to send back.

A .xlsx, .xlsm or .ods is copied with tints, notes and a list in front; of any other file the list alone is written.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import count
from pathlib import Path, PurePosixPath
from typing import Any

from kpixl.collection.intake import FileResult, Progress, content_of, is_problem_list
from kpixl.collection.review import PORTFOLIO_SUFFIXES
from kpixl.disk import check_target, keep_copy, refuse_overlap, write_atomic
from kpixl.files import natural_key, safe_file_names
from kpixl.ooxml.contents import CHART, CHART_SHEET, MACROS, PICTURE, contents_of, has_macros
from kpixl.ooxml.workbook import Workbook
from kpixl.ooxml.xml import PackageError
from kpixl.output.annotate.problem_list import NAME, Group, grouped, list_workbook
from kpixl.output.annotate.verified import UnmarkableError, marked
from kpixl.problems import Location, Problem, Severity, failure
from kpixl.readers import DEFAULT_LIMITS, Limits, UnreadableError, open_content, read_grids
from kpixl.readers.archive import BETWEEN, MAX_FOLDERS
from kpixl.texts import Text, say

_SEPARATORS = re.compile("/|" + re.escape(BETWEEN))
_LIST_NAME: Text = ("{stem}（{list}）", "{stem} ({list})")
_ENDING = ".xlsx"
_GONE: Text = ("文件在检查之后被移动或修改", "The file was moved or changed after it was checked")
_BROKEN: Text = ("文件无法读取", "The file cannot be read")
_KEPT_ANYWAY = (CHART, CHART_SHEET, PICTURE)  # openpyxl keeps them, if not all of how they look
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
    progress: Progress | None = None,
) -> tuple[tuple[MarkedFile, ...], tuple[Problem, ...]]:
    """Write into `folder` a marked copy of every submission that has errors or warnings; folders as in the original.

    A file of which there are only notes needs nothing from its sender and is left out. Returns what was written, and
    what has to be said of it. Raises KpixlError where the folder cannot be written.
    """
    found: dict[str, list[Problem]] = {}
    for problem in problems:
        found.setdefault(problem.location.file or "", []).append(problem)
    wanted = [f for f in files if any(p.severity is not Severity.INFO for p in found.get(f.file, ()))]
    inputs = [file.job.path for file in files if file.job is not None]
    written: list[MarkedFile] = []
    said: list[Problem] = []
    taken: set[str] = set()
    for file in wanted:
        content, reason, kept = marked_copy(file, grouped(found[file.file]), lang=lang, font=font, limits=limits)
        path = _path(file.file, folder, taken, lang, listed=reason is not None)
        refuse_overlap([path], inputs)
        changed, copies = _write(path, content, lang, today)
        written.append(MarkedFile(file.file, path, changed, reason, kept))
        said += copies
        if progress is not None:
            progress(len(written), len(wanted))
        if reason is not None:
            said.append(Problem("mark-listed", Location(file.file), {"reason": reason, "path": path.name}))
        if kept:
            said.append(Problem("mark-kept", Location(file.file), {"kept": _joined(kept)}))
    said += _stale(folder, [file.path for file in written])
    return tuple(written), tuple(said)


def marked_copy(
    file: FileResult, groups: Sequence[Group], *, lang: str, font: str, limits: Limits
) -> tuple[bytes, Text | None, tuple[Text, ...]]:
    """Return the copy of a file, or the list and why it is only a list; and what openpyxl would have dropped."""
    content = content_of(file, limits)
    reason = _GONE if file.sha256 else _BROKEN
    if content is not None:
        try:
            opened = open_content(content, limits)
            return marked(opened, file.file, groups, lang), None, dropped_by_openpyxl(content)
        except UnreadableError:
            reason = _BROKEN
        except UnmarkableError as error:
            reason = error.reason
    return list_workbook(file.file, groups, reason, lang=lang, font=font), reason, ()


def dropped_by_openpyxl(content: bytes) -> tuple[Text, ...]:
    """List what openpyxl would drop from a workbook in saving it: pictures, shapes, extended rules, macros."""
    try:
        workbook = Workbook(content)
        found = [MACROS] if has_macros(workbook) else []
        found += [text for sheet in workbook.sheets() for text in contents_of(workbook, sheet)]
    except PackageError:
        return ()
    return tuple(dict.fromkeys(text for text in found if text not in _KEPT_ANYWAY))


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


def _path(file: str, folder: Path, taken: set[str], lang: str, *, listed: bool) -> Path:
    """Name a copy like its original; a list says that it is one. No name from an archive leads out of `folder`."""
    *folders, name = [part for part in _SEPARATORS.split(file) if part] or ["_"]
    stem, ending = PurePosixPath(name).stem, PurePosixPath(name).suffix
    if listed:
        stem, ending = say(_LIST_NAME, lang, stem=name, list=say(NAME, lang)), _ENDING
    parent = folder
    for part in folders[-MAX_FOLDERS:]:
        parent = next(path for path in _numbered(parent, part, "") if not path.is_file())
    path = next(p for p in _numbered(parent, stem, ending) if str(p).casefold() not in taken and not p.is_dir())
    taken.add(str(path).casefold())
    return path


def _numbered(parent: Path, stem: str, ending: str) -> Iterator[Path]:
    """Yield names for a file or folder until one is free: a.xlsx, a (2).xlsx."""
    stem, ending = safe_file_names([stem])[0], safe_file_names([ending])[0] if ending else ""
    for number in count(1):
        yield parent / f"{stem}{'' if number == 1 else f' ({number})'}.{ending}".rstrip(".")


def _write(path: Path, content: bytes, lang: str, today: date) -> tuple[bool, list[Problem]]:
    """Write a copy; a file that is there and was not made by marking is kept beside it."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise failure("not-writable", path=str(path.parent), reason=error.strerror or str(error)) from error
    check_target(path)
    said = []
    if path.is_file() and (old := path.read_bytes()) != content and not _is_ours(old, path.name):
        said.append(keep_copy(path, lang, today))
    return write_atomic(path, content), said


def _is_ours(content: bytes, name: str) -> bool:
    return any(is_problem_list(grid) for grid in read_grids(content, name).grids[:1])


def _stale(folder: Path, written: Sequence[Path]) -> list[Problem]:
    """Report workbooks in `folder` that this run did not write: of files that have no problems any more, perhaps."""
    others = sorted((str(p.relative_to(folder)) for p in {*folder.rglob("*.xls*")} - {*written} if p.is_file()),
                    key=natural_key)  # fmt: skip
    if not others:
        return []
    shown = "、".join(others[:MAX_STALE]) + ("……" if len(others) > MAX_STALE else "")
    return [Problem("mark-stale", Location(), {"path": str(folder), "count": len(others), "names": shown})]


def _joined(texts: Iterable[Text]) -> Text:
    texts = list(texts)
    return "、".join(text[0] for text in texts), ", ".join(text[1] for text in texts)
