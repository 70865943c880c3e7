"""One file -> the forms in it; an archive or a mail gives a result for every file within."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from kpixl.collection.versions import Lower
from kpixl.files import OWN_LETTER, OWN_REPORT
from kpixl.forms.values import is_blank
from kpixl.inputs import read_input, system_reason
from kpixl.portfolio import sheet_id as sheet_ids
from kpixl.portfolio.own_texts import PROBLEMS_KIND, own_sheet
from kpixl.portfolio.sheet_id import SheetId
from kpixl.problems import KpixlError, Location, Problem, Severity
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
    read_grids,
    read_opened,
    too_deep,
)
from kpixl.readers.detect import FileKind
from kpixl.readers.properties import NO_PROPERTIES, Properties, read_properties
from kpixl.recognise.annotations import told as annotations_told
from kpixl.recognise.extract import Extractor
from kpixl.recognise.own_sheets import first_texts, typed_beside
from kpixl.recognise.quoted import content as quotation
from kpixl.recognise.quoted import quoted
from kpixl.recognise.submission import LabelKey, Nothing, Submission
from kpixl.recognise.verify import settle
from kpixl.texts import Text

_ONLY_LIST: Text = ("问题清单，不是填报文件", "a list of problems, not a submission")
# Workbooks for the office, not for those who fill in.
OWN_KINDS = ('"kind":"summary"', '"kind":"status"', '"kind":"diff"')
MAX_ORIGINS = 50  # digests that a list names; a file that was sent back more often than that is no file of a round


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
    if not named and _is_report(content):
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


def problem_list(origins: Sequence[str] = ()) -> str:
    """Return what is in the first row of the sheet that `kpixl check --mark` puts in front of a submission.

    `origins`: the digests of the files that the copy was made from, the newest last.
    """
    facts = {"of": [*origins[-MAX_ORIGINS:]]} if origins else {}
    return json.dumps({"kpixl": sheet_ids.FORMAT, "kind": PROBLEMS_KIND, **facts}, separators=(",", ":"))


def is_problem_list(grid: Grid) -> bool:
    """Return whether a sheet is the list that `kpixl check --mark` puts in front of a submission."""
    return _list_facts(grid) is not None


def _list_facts(grid: Grid) -> Mapping[str, Any] | None:
    own = own_sheet(grid.rows) if grid.rows and not grid.top else None
    return own.facts if own is not None and own.facts["kind"] == PROBLEMS_KIND else None


def origins_of(grids: Iterable[Grid]) -> tuple[str, ...]:
    """Return the digests of the files that an annotated copy was made from, the newest last; none of any other file."""
    facts = next((facts for grid in grids if (facts := _list_facts(grid)) is not None), {})
    listed = facts.get("of")
    return tuple(map(str, listed[-MAX_ORIGINS:])) if isinstance(listed, list) else ()


def _read(opened: Opened, shown: str, named: bool, extractor: Extractor) -> FileResult:
    """Read the forms of one workbook, document, page or text."""
    read = read_opened(opened, shown)
    if not named and _is_ours(read.grids):
        return FileResult(shown, read.sha256, problems=(Problem("own-output-skipped", Location(shown)),))
    forms: list[Submission] = []
    empty: list[tuple[Grid, Nothing]] = []
    problems = list(read.problems)
    sheets = [grid for grid in read.grids if not _is_furniture(grid)]
    lost = _missing_ids(read.grids, sheets)
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
    if not forms and empty:
        only_text = opened.kind is FileKind.TEXT
        found_none = _unrelated(shown, extractor, [n for _, n in empty], csv=only_text and _is_csv(shown))
        others = [other.problem(shown, grid, extractor.form(n.form).title, Severity.ERROR)
                  for grid, n in empty for other in n.others or ((n.weak,) if n.weak else ())]  # fmt: skip
        apart, unread = _apart(shown, extractor, empty), [_unread(shown, extractor, *sheet) for sheet in empty]
        problems += others or ([apart] if apart else [problem for problem in unread if problem] or [found_none])
    elif not forms and not problems:
        listed = any(map(is_problem_list, read.grids))
        problems.append(Problem("file-skipped" if listed else "no-sheets", Location(shown), {"reason": _ONLY_LIST}))
    else:
        problems += [p for sheet in empty if _foreign(sheet[0]) for p in _skipped(shown, extractor, *sheet, forms)]
    forms, looks = settle(forms, opened, shown, extractor.forms, rich=any(grid.rich for grid in read.grids))
    problems += annotations_told(opened, shown, forms)
    problems += typed_beside(read.grids, shown, {form.sheet for form in forms})
    properties = read_properties(opened.package) if opened.package is not None else NO_PROPERTIES
    return FileResult(
        shown,
        read.sha256,
        tuple(forms),
        tuple(problems),
        looks,
        properties=properties,
        origins=origins_of(read.grids[:1]),
    )


def _is_furniture(grid: Grid) -> bool:
    """Return whether kpixl itself put a sheet into the workbook, beside the forms; its name may be typed."""
    if grid.name is None or not grid.name.startswith(sheet_ids.OWN_SHEET):
        return is_problem_list(grid)
    return any(isinstance(raw, str) and raw.startswith(sheet_ids.PREFIX) for row in grid.rows[:1] for raw in row[:1])


def _missing_ids(grids: Sequence[Grid], sheets: Sequence[Grid]) -> dict[str, SheetId]:
    """Find on the hidden sheet the sheet ids of sheets that lost theirs; not one that is in another sheet."""
    bare = {grid.name for grid in sheets if grid.name and grid.rows and not sheet_ids.in_row(grid.rows[0])}
    own = next((grid for grid in grids if grid.name == sheet_ids.OWN_SHEET), None) if bare else None
    if own is None or not (listed := sheet_ids.listed(own.rows, bare)):
        return {}
    standing = {found.sheet_id.project for grid in sheets for found in sheet_ids.find(grid.rows)}
    return {name: sheet_id for name, sheet_id in listed.items() if sheet_id.project not in standing}


def is_own_output(path: Path) -> bool:
    """Return whether a file is a workbook or report that kpixl made for the office: summary, status, report."""
    if not path.is_file() or path.stat().st_size > DEFAULT_LIMITS.file_bytes:
        return False
    content = path.read_bytes()
    return _is_report(content) or _is_ours(read_grids(content, path.name).grids)


def _is_report(content: bytes) -> bool:
    return OWN_REPORT in content[:1000] or content.startswith(OWN_LETTER)


def _is_ours(grids: Sequence[Grid]) -> bool:
    own = next((g for g in grids if g.name == sheet_ids.OWN_SHEET), None)
    if own is None or not own.rows or not own.rows[0]:
        return False
    first = own.rows[0][0]
    return isinstance(first, str) and any(kind in first for kind in OWN_KINDS)


def _foreign(grid: Grid) -> bool:
    """Return whether a sheet is neither blank nor one that every template of ours has besides the forms."""
    return not sheet_ids.is_instructions(grid.rows) and any(not is_blank(raw) for row in grid.rows for raw in row)


def _skipped(
    file: str, extractor: Extractor, grid: Grid, nothing: Nothing, forms: Sequence[Submission]
) -> Sequence[Problem]:
    """Name the kind of a sheet without a form, or what else it is."""
    if nothing.others:
        # Beside forms of ours it may be meant to be there; the sheet of a project is not.
        sheet_id = sheet_ids.in_row(grid.rows[0]) if grid.rows else None
        level, title = Severity.ERROR if sheet_id else Severity.WARNING, extractor.form(nothing.form).title
        return [other.problem(file, grid, title, level) for other in nothing.others]
    return [_remainder(file, extractor, grid, nothing, forms)]


def _remainder(file: str, extractor: Extractor, grid: Grid, nothing: Nothing, forms: Sequence[Submission]) -> Problem:
    """Report what a sheet without a form is: a part of a form on another sheet, rows of a table, or something else."""
    names, where = extractor.names(nothing.form), Location(file, grid.name)

    def problem(code: str, labels: Iterable[LabelKey], form: Submission) -> Problem:
        shown = "、".join(names[key].rstrip(":：") for key in names if key in set(labels))
        return Problem(code, where, {"labels": shown, "other": form.sheet or ("前一页", "the page before")})

    for form in forms:
        if form.form == nothing.form and len(part := form.missing & nothing.seen) > 1:
            return problem("sheet-part", part, form)
    if (unread := _unread(file, extractor, grid, nothing)) is not None:
        return unread
    headings = {key for key in nothing.seen if key[0]}
    if len(headings) > 1:
        return problem("sheet-rows", headings, forms[-1])
    if nothing.weak is not None:
        return nothing.weak.problem(file, grid, extractor.form(nothing.form).title, Severity.INFO)
    return Problem("sheet-skipped", where, {"texts": first_texts(grid)})


def _unread(file: str, extractor: Extractor, grid: Grid, nothing: Nothing) -> Problem | None:
    """Report the sheet of a project whose form is not found, with what is filled in; None where it is no project's."""
    sheet_id = sheet_ids.in_row(grid.rows[0]) if grid.rows else None
    if sheet_id is None:
        return None
    names = extractor.names(nothing.form)
    missing = "、".join(name.rstrip(":：") for key, name in names.items() if key not in nothing.seen)
    typed = extractor.typed(nothing.form, grid)
    content = quotation(quoted(grid, typed))
    details = {"id": sheet_id.project, "missing": missing, "count": len(typed), "content": content}
    return Problem("sheet-unread", Location(file, grid.name), details, project=sheet_id.project)


def _apart(file: str, extractor: Extractor, empty: Sequence[tuple[Grid, Nothing]]) -> Problem | None:
    """Report sheets that make up a form only together."""
    best = max((nothing for _, nothing in empty), key=lambda n: len(n.seen))
    pieces = [(grid, n.seen) for grid, n in empty if n.form == best.form and len(n.seen) > 1]
    names = extractor.names(best.form)
    if len(pieces) < 2 or 4 * len(frozenset().union(*(seen for _, seen in pieces))) < 3 * len(names):
        return None
    return Problem("sheets-apart", Location(file), {"sheets": "、".join(grid.name or "-" for grid, _ in pieces)})


def _is_csv(shown: str) -> bool:
    return shown.casefold().endswith(".csv")


def _unrelated(file: str, extractor: Extractor, nothings: Sequence[Nothing], *, csv: bool) -> Problem:
    """Report that no form was found; of a .csv, that the form may be on another sheet of the workbook that it was."""
    best = max(nothings, key=lambda n: len(n.seen))
    if csv and not best.seen:
        return Problem("csv-one-sheet", Location(file), {"title": extractor.form(best.form).title})
    names = extractor.names(best.form)
    labels: Text = ("表中的标签一个也没有找到。", "Not one of its labels was found.")
    if best.seen:
        found = "、".join(name for key, name in names.items() if key in best.seen)
        missing = "、".join(name for key, name in names.items() if key not in best.seen)
        labels = (f"找到的标签：{found}；缺少：{missing}。", f"Labels found: {found}; missing: {missing}.")
    return Problem("no-form", Location(file), {"title": extractor.form(best.form).title, "labels": labels})
