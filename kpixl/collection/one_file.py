"""One file -> the forms in it; an archive or a mail gives a result for every file within."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence, Set
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from kpixl.collection.own_files import is_furniture, is_ours, is_problem_list, is_report, origins_of
from kpixl.collection.versions import Lower
from kpixl.collection.without_form import Empty, beside_forms, no_form
from kpixl.inputs import read_input, system_reason
from kpixl.portfolio import sheet_id as sheet_ids
from kpixl.portfolio.sheet_id import SheetId
from kpixl.problems import KpixlError, Location, Problem
from kpixl.readers import (
    BETWEEN,
    DEFAULT_LIMITS,
    Delivery,
    Grid,
    Limits,
    Member,
    Opened,
    UnreadableError,
    exceeded,
    file_too_large,
    members,
    open_content,
    read_opened,
    too_deep,
)
from kpixl.readers.detect import FileKind
from kpixl.readers.properties import NO_PROPERTIES, Properties, read_properties
from kpixl.recognise.annotations import told as annotations_told
from kpixl.recognise.extract import Extractor
from kpixl.recognise.own_sheets import own_names, typed_beside
from kpixl.recognise.submission import Nothing, Submission
from kpixl.recognise.verify import settle
from kpixl.texts import Text

_ONLY_LIST: Text = ("问题清单，不是填报文件", "a list of problems, not a submission")


@dataclass(frozen=True, slots=True)
class Job:
    """A file to read: where it is, how it is shown, and whether the person named this very file."""

    path: Path
    shown: str
    named: bool = False


@dataclass(frozen=True, slots=True)
class FileResult:
    """What one file gave. `job`: how it came to be read; a file of an archive has the archive's.

    `modified`: the file's own time, local; of a file in an archive, the time kept there. `properties`: what the program
    that saved it recorded. `origins`: digests of the files that an annotated copy was made from. `lower`: of a
    portfolio of a lower level, which that is. `delivery`: how it came by mail, None where it did not.
    """

    file: str
    sha256: str = ""
    forms: tuple[Submission, ...] = ()
    problems: tuple[Problem, ...] = ()
    second_looks: int = 0
    modified: datetime | None = None
    job: Job | None = None
    properties: Properties = NO_PROPERTIES
    origins: tuple[str, ...] = ()
    lower: Lower | None = None
    delivery: Delivery | None = None

    @property
    def time(self) -> datetime | None:
        """Return when it came back, as far as that is known: when its mail was received, else the file's own time."""
        return (self.delivery.received if self.delivery else None) or self.modified

    def count(self, form_id: str) -> int:
        """Return how many forms of a kind it gave."""
        return sum(form.form == form_id for form in self.forms)


# --- one file ---------------------------------------------------------------------------------


def read_file(job: Job, extractor: Extractor, limits: Limits = DEFAULT_LIMITS) -> tuple[FileResult, ...]:
    """Read one file; an archive or mail gives a result for every file in it. Whatever is wrong comes back as problems.

    A summary or report of ours is read only when it was named: found in a folder, its projects would count twice.
    """
    content = content_or_problem(job, limits)
    return (content,) if isinstance(content, FileResult) else read_content(content, job, extractor, limits)


def content_or_problem(job: Job, limits: Limits = DEFAULT_LIMITS) -> bytes | FileResult:
    """Return the content of a file, or the result of one that cannot be had or is too large."""
    path, shown = job.path, job.shown
    try:
        if (size := path.stat().st_size) > limits.file_bytes:
            return FileResult(shown, problems=(file_too_large(size, limits).problem(shown),))
        return read_input(path)
    except OSError as error:
        return failed(shown, "not-readable", reason=system_reason(error))
    except KpixlError as error:
        return FileResult(shown, problems=tuple(replace(p, location=Location(shown)) for p in error.problems))


def read_content(
    content: bytes, job: Job, extractor: Extractor, limits: Limits = DEFAULT_LIMITS
) -> tuple[FileResult, ...]:
    """Read the content of a file, as `read_file` does."""
    try:
        return tuple(_results(content, job.shown, job.named, extractor, limits, 0))
    except MemoryError:
        return (beyond("memory_bytes", job.shown, limits),)


def beyond(name: str, shown: str, limits: Limits) -> FileResult:
    """Make the result of a file that exceeds a bound of Limits."""
    return FileResult(shown, problems=(exceeded(name, None, limits).problem(shown),))


def failed(shown: str, code: str, **details: object) -> FileResult:
    """Make the result of a file that could not be read."""
    return FileResult(shown, problems=(Problem(code, Location(shown), details),))


def _results(
    content: bytes, shown: str, named: bool, extractor: Extractor, limits: Limits, depth: int
) -> list[FileResult]:
    """Read some content, `depth` archives and mails deep."""
    if not named and is_report(content):
        digest = hashlib.sha256(content).hexdigest()
        return [FileResult(shown, digest, problems=(Problem("own-output-skipped", Location(shown)),))]
    try:
        opened = open_content(content, limits)
        if not opened.is_container:
            return [_read(opened, shown, named, extractor)]
        return _contained(opened, shown, extractor, depth)
    except UnreadableError as error:
        return [FileResult(shown, hashlib.sha256(content).hexdigest(), problems=(error.problem(shown),))]


def _contained(opened: Opened, shown: str, extractor: Extractor, depth: int) -> list[FileResult]:
    """Read every file of an archive or mail; that itself has a result where there is something to say of it."""
    if depth >= opened.limits.nesting:
        raise too_deep(opened.limits)
    results: list[FileResult] = []
    problems: list[Problem] = []
    own: Delivery | None = None
    for member in members(opened, shown):
        if member.problem is None:
            found = _results(member.content, member.shown, False, extractor, opened.limits, depth + 1)
        elif member.problem.code == "file-skipped" or member.shown == shown:
            problems.append(member.problem)
            own = member.delivery
            continue
        else:
            found = [FileResult(member.shown, problems=(member.problem,))]
        results += [replace(r, modified=r.modified or member.modified, delivery=_delivery(r, member)) for r in found]
    if not results and all(problem.code == "file-skipped" for problem in problems):
        problems.append(Problem("no-sheets", Location(shown)))
    if problems:
        results.insert(0, FileResult(shown, opened.sha256, problems=tuple(problems), delivery=own))
    return results


def _delivery(result: FileResult, member: Member) -> Delivery | None:
    """Return how a file came by mail that lay in a member of a container."""
    return result.delivery.within(member.delivery) if result.delivery is not None else member.delivery


def content_of(result: FileResult, limits: Limits = DEFAULT_LIMITS) -> bytes | None:
    """Return the content of a file that was read, be it within archives; None where it is gone or not what it was."""
    if result.job is None or not result.sha256:
        return None
    return next((content for _, content in read_again(result.job, [(result.file, result.sha256)], limits)), None)


def read_again(
    job: Job, wanted: Sequence[tuple[str, str]], limits: Limits = DEFAULT_LIMITS
) -> Iterator[tuple[int, bytes]]:
    """Yield the number in `wanted` and the content of each file of a job, given how they are shown and their SHA-256.

    One pass, whatever the number of files in an archive. What is gone or not what it was is left out.
    """
    numbers = {key: number for number, key in enumerate(wanted)}
    shown = {name for name, _ in wanted}
    try:
        for name, content in _walk(read_input(job.path), job.shown, shown, _holders(shown), limits, 0):
            number = numbers.pop((name, hashlib.sha256(content).hexdigest()), None)
            if number is not None:
                yield number, content
    except (KpixlError, UnreadableError):
        return


def _holders(shown: Iterable[str]) -> set[str]:
    """List the archives and mails in which files lie, by how they are shown."""
    found = set()
    for name in shown:
        parts = name.split(BETWEEN)
        found |= {BETWEEN.join(parts[:count]) for count in range(1, len(parts))}
    return found


def _walk(
    content: bytes, shown: str, wanted: Set[str], holders: Set[str], limits: Limits, depth: int
) -> Iterator[tuple[str, bytes]]:
    """Yield the wanted files in some content that is shown as `shown`, and that content itself where it is wanted."""
    if shown in wanted:
        yield shown, content
    if shown not in holders or depth >= limits.nesting:
        return
    for member in members(open_content(content, limits), shown):
        if member.problem is None and (member.shown in wanted or member.shown in holders):
            yield from _walk(member.content, member.shown, wanted, holders, limits, depth + 1)


def _read(opened: Opened, shown: str, named: bool, extractor: Extractor) -> FileResult:
    """Read the forms of one workbook, document, page or text."""
    read = read_opened(opened, shown)
    if not named and is_ours(read.grids):
        return FileResult(shown, read.sha256, problems=(Problem("own-output-skipped", Location(shown)),))
    forms, empty, problems = _forms(read.grids, shown, extractor)
    problems = [*read.problems, *problems]
    if forms:
        problems += beside_forms(shown, extractor, empty, forms)
    elif empty:
        is_csv = opened.kind is FileKind.TEXT and shown.casefold().endswith(".csv")
        problems += no_form(shown, extractor, empty, csv=is_csv)
    elif not problems:
        code = "file-skipped" if any(map(is_problem_list, read.grids)) else "no-sheets"
        problems.append(Problem(code, Location(shown), {"reason": _ONLY_LIST}))
    forms, looks = settle(forms, opened, shown, extractor.forms, rich=any(grid.rich for grid in read.grids))
    filled = {form.sheet for form in forms if form.sheet is not None}
    problems += annotations_told(opened, shown, filled | own_names(read.grids) if forms else filled)
    problems += typed_beside(read.grids, shown, {form.sheet for form in forms})
    return FileResult(
        shown,
        read.sha256,
        tuple(forms),
        tuple(problems),
        looks,
        properties=read_properties(opened.package) if opened.package is not None else NO_PROPERTIES,
        origins=origins_of(read.grids[:1]),
    )


def _forms(
    grids: Sequence[Grid], shown: str, extractor: Extractor
) -> tuple[list[Submission], list[Empty], list[Problem]]:
    """Return the forms on the sheets of a file, the sheets without one, and the sheets that could not be read."""
    forms: list[Submission] = []
    empty: list[Empty] = []
    problems: list[Problem] = []
    sheets = [grid for grid in grids if not is_furniture(grid)]
    lost = _missing_ids(grids, sheets)
    for grid in sheets:
        try:
            found = extractor.extract(grid, shown, lost.get(grid.name or ""))
        except UnreadableError as error:  # its merged ranges are beyond a bound
            problems.append(error.problem(shown, grid.name))
            continue
        if isinstance(found, Nothing):
            empty.append((grid, found))
        else:
            forms += found
    return forms, empty, problems


def _missing_ids(grids: Sequence[Grid], sheets: Sequence[Grid]) -> dict[str, SheetId]:
    """Find on the hidden sheet the sheet ids of sheets that lost theirs; not one that is in another sheet."""
    bare = {grid.name for grid in sheets if grid.name and grid.rows and not sheet_ids.in_row(grid.rows[0])}
    own = next((grid for grid in grids if grid.name == sheet_ids.OWN_SHEET), None) if bare else None
    if own is None or not (listed := sheet_ids.listed(own.rows, bare)):
        return {}
    standing = {found.sheet_id.project for grid in sheets for found in sheet_ids.find(grid.rows)}
    return {name: sheet_id for name, sheet_id in listed.items() if sheet_id.project not in standing}
