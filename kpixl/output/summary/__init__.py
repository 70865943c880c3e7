"""Portfolio -> summary workbook, regenerated at will: equal input gives equal bytes, and nothing of a person is lost.

Our sheets are made by `overview`, `table`, `rows` and `forms`. Where the office has put something of
its own into the workbook, they are grafted into it; `old` lists what a person changed on our sheets.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypedDict, Unpack

from kpixl.collection.run_record import RunRecord, open_projects
from kpixl.collection.settle import OpenConflict
from kpixl.disk import OLD, Output, Written, check_target, commit, spare_path
from kpixl.files import MACRO_ENDING
from kpixl.forms.definition import Form, Value
from kpixl.forms.values import text_of
from kpixl.output.summary.conflicts import NAME as DECIDE_NAME
from kpixl.output.summary.conflicts import NO_DRAFTS, Drafts, write_conflicts
from kpixl.output.summary.conflicts import ROLE as DECIDE
from kpixl.output.summary.forms import FormsWriter
from kpixl.output.summary.marks import NAME_PREFIX, SHEET, SummarySheet, write_memory
from kpixl.output.summary.overview import Places, write_overview
from kpixl.output.summary.rows import rows_sheets, write_rows_sheet
from kpixl.output.summary.table import HEADER_ROW, MAX_LINK_COUNT, TableWriter
from kpixl.output.workbook import Book, sheet_names, usable_sheet_name
from kpixl.portfolio.model import Portfolio
from kpixl.portfolio.print_layout import heading_text
from kpixl.problems import Location, Problem, failure
from kpixl.texts import Text, say

if TYPE_CHECKING:
    from kpixl.output.summary.old import Edits, OldSummary

MOST_FORMS = 300  # beyond, Excel takes long to open the sheet with all forms

_OVERVIEW: Text = ("概览", "Overview")
_TABLE: Text = ("汇总表", "Summary")
_ROWS: Text = ("指标明细", "Indicators")
_FORMS: Text = ("申报表", "Forms")

MAX_CELLS = 12  # named in one message
MAX_EDITS = 200  # changed cells of one sheet that are reported one by one; the copy of the file has all
_WHOLE_FILE: Text = ("整个文件（{reason}）", "the whole file ({reason})")
_MORE: Text = ("另有 {count} 个单元格被改动", "{count} more cells were changed")
_RENAMED: Text = ("已改名为“{name}”", "it was renamed {name}")


class SummaryOptions(TypedDict, total=False):
    """How a summary is made; what is left out is as in Options.

    `sources`: the source of each project, which makes a last column. `forms`: whether there is a sheet with all forms;
    by default there is none above 300 projects. `run`: the record of the run that gave the portfolio, for the first
    sheet. `conflicts`: what is to be decided, with the `drafts` of decisions that the office has typed.
    """

    lang: str
    sources: Mapping[str, str] | None
    forms: bool | None
    run: RunRecord | None
    conflicts: Sequence[OpenConflict]
    drafts: Drafts


class Options(NamedTuple):
    """The SummaryOptions of one summary, with the default of each."""

    lang: str = "zh"
    sources: Mapping[str, str] | None = None
    forms: bool | None = None
    run: RunRecord | None = None
    conflicts: Sequence[OpenConflict] = ()
    drafts: Drafts = NO_DRAFTS


class _Built(NamedTuple):
    """A workbook, its sheets and the problems of making it."""

    content: bytes
    sheets: tuple[SummarySheet, ...]
    problems: tuple[Problem, ...]


def own_names(form: Form, lang: str, taken: tuple[str, ...] = ()) -> dict[str, str]:
    """Name the sheets of the summary by role, in their order, none of them as those `taken`."""
    rows = rows_sheets(form, say(_ROWS, lang))
    texts = [("overview", say(_OVERVIEW, lang)), ("summary", say(_TABLE, lang)), (DECIDE, say(DECIDE_NAME, lang))]
    texts += [*((role, text) for role, text, _ in rows), ("forms", say(_FORMS, lang))]
    names = sheet_names((text for _, text in texts), [SHEET, *taken])
    return dict(zip((role for role, _ in texts), names, strict=True))


def build_summary(
    form: Form,
    portfolio: Portfolio,
    **options: Unpack[SummaryOptions],
) -> tuple[bytes, tuple[Problem, ...]]:
    """Build the summary workbook of a portfolio."""
    chosen = Options(**options)
    built = _build(form, portfolio, chosen, own_names(form, chosen.lang))
    return built.content, built.problems


def _build(
    form: Form, portfolio: Portfolio, options: Options, names: Mapping[str, str], *, date_1904: bool = False
) -> _Built:
    number = len(portfolio.projects)
    with_forms = number <= MOST_FORMS if options.forms is None else options.forms
    problems = []
    if options.forms is None and not with_forms:
        problems.append(Problem("forms-left-out", Location(), {"count": number, "limit": MOST_FORMS}))
    properties = {"kpixl-form": form.id, "kpixl-version": form.version}
    book = Book(
        heading_text(form, portfolio),
        properties,
        font=str(form.fonts["body"]),
        size=float(form.fonts["size"]),
        date_1904=date_1904,
    )
    left_out = {*(() if with_forms else ("forms",)), *(() if options.conflicts else (DECIDE,))}
    made = {role: name for role, name in names.items() if role not in left_out}
    own = _write_own(book, form, portfolio, options, made)
    write_memory(book, form, portfolio, options.lang, own)
    return _Built(book.finish(), tuple(own), tuple(problems))


def _write_own(
    book: Book, form: Form, portfolio: Portfolio, options: Options, names: Mapping[str, str]
) -> list[SummarySheet]:
    """Write our sheets; the forms first, so that links know where each one begins."""
    lang = options.lang
    sheets = {role: book.sheet(name) for role, name in names.items()}
    done: dict[str, SummarySheet] = {}
    links: Mapping[str, int] = {}
    if "forms" in sheets:
        done["forms"], starts = FormsWriter(sheets["forms"], form, portfolio, lang).write()
        links = starts if len(starts) <= MAX_LINK_COUNT else {}
    run = options.run
    table = TableWriter(
        sheets["summary"], form, portfolio, lang, options.sources, open_projects(run) if run else frozenset()
    ).write(links, names.get("forms", ""))
    done["summary"] = table.own
    for role, _, rows in rows_sheets(form, ""):
        done[role] = write_rows_sheet(sheets[role], form, rows, portfolio.projects, lang, role)
    if DECIDE in sheets:
        done[DECIDE] = write_conflicts(sheets[DECIDE], form, options.conflicts, options.drafts, lang)
    row_sheets = {rows.key: names[role] for role, _, rows in rows_sheets(form, "")}
    done["overview"] = write_overview(sheets["overview"], form, portfolio, lang, Places(table, row_sheets), run)
    return [done[role] for role in sheets]


# --- over an older summary --------------------------------------------------------------------


def update_summary(
    path: Path,
    form: Form,
    portfolio: Portfolio,
    *,
    today: date | None = None,
    **options: Unpack[SummaryOptions],
) -> tuple[bytes, tuple[Problem, ...], Path | None]:
    """Build the summary for `path`; where there is a workbook of the office, it is the base of the new one.

    Returns the workbook, the problems, and the path to which the old file must be copied first, None where it holds
    nothing that the new one lacks. Raises KpixlError where the old file cannot be read from disk.
    """
    check_target(path)
    chosen = Options(**options)
    if not path.exists():
        built = _build(form, portfolio, chosen, own_names(form, chosen.lang))
        return _fitted(built.content, path), built.problems, None
    try:
        content = path.read_bytes()
    except OSError as error:
        raise failure("not-readable", path=path.name, reason=error.strerror or str(error)) from error
    new, problems, notes = _updated(content, path, form, portfolio, chosen)
    copy = spare_path(path, say(OLD, chosen.lang), today or date.today()) if notes else None
    return new, (*problems, *(_with_copy(note, copy) for note in notes)), copy


def _updated(
    content: bytes, path: Path, form: Form, portfolio: Portfolio, options: Options
) -> tuple[bytes, tuple[Problem, ...], list[Problem]]:
    """Return the new workbook, the problems of making it, and those for which a copy of the old one is kept."""
    # Only here lxml is needed.
    from kpixl.ooxml.workbook import Workbook
    from kpixl.ooxml.xml import PackageError
    from kpixl.output.summary.old import OldSummary

    try:
        old = OldSummary(Workbook(content))
        return _taken_up(old, content, path, form, portfolio, options)
    except PackageError as error:
        built = _build(form, portfolio, options, own_names(form, options.lang))
        notes = _not_ours(path)
        what = tuple(text.format(reason=reason) for text, reason in zip(_WHOLE_FILE, error.reason, strict=True))
        notes.append(Problem("summary-not-carried", Location(path.name), {"what": what}))
        return _fitted(built.content, path), built.problems, notes


def _taken_up(
    old: OldSummary, content: bytes, path: Path, form: Form, portfolio: Portfolio, options: Options
) -> tuple[bytes, tuple[Problem, ...], list[Problem]]:
    """Do as _updated, for a workbook that can be edited. Raises PackageError where it cannot."""
    kept = old.holds_more
    names = _names(old, form, options.lang)
    built = _build(form, portfolio, options, names, date_1904=kept and old.date_1904)
    new = _grafted(old, content, built, path) if kept else _fitted(built.content, path)
    problems = built.problems
    if kept:
        problems += tuple(Problem("sheet-carried", Location(), {"sheet": sheet.name}) for sheet in old.foreign)
    if new == content:  # nobody has touched it
        return new, problems, []
    edits = old.edits()
    notes = [*(() if old.memory else _not_ours(path)), *_edit_problems(edits, path.name)]
    notes += _renamed(old, names, path.name)
    notes += _cells_moved(old, edits, built, portfolio, path.name)
    return new, problems, notes


def _names(old: OldSummary, form: Form, lang: str) -> dict[str, str]:
    """Name our sheets; as now, where the office has renamed them or its formulas may refer to them."""
    usual = own_names(form, old.memory.lang) if old.memory else {}
    current = {
        role: name
        for role, name in old.current.items()
        if role in usual and usable_sheet_name(name) and (old.holds_more or name != usual[role])
    }
    return own_names(form, lang, (*(sheet.name for sheet in old.foreign), *current.values())) | current


def _grafted(old: OldSummary, content: bytes, built: _Built, path: Path) -> bytes:
    """Put our sheets into the office's workbook. Raises PackageError."""
    from kpixl.ooxml.graft import graft
    from kpixl.ooxml.workbook import Workbook

    workbook = Workbook(content)
    workbook.check()
    replaced = {sheet.name: old.current[sheet.role] for sheet in built.sheets if sheet.role in old.current}
    if old.memory:
        replaced[SHEET] = SHEET
    gone = [name for name in old.current.values() if name not in replaced.values()]
    graft(workbook, Workbook(built.content), replaced, gone, NAME_PREFIX)
    if path.suffix.lower() == MACRO_ENDING:
        workbook.fit_ending(MACRO_ENDING)
    return workbook.finish()


def _fitted(content: bytes, path: Path) -> bytes:
    """Return a workbook of ours as the ending of its name promises it."""
    if path.suffix.lower() != MACRO_ENDING:
        return content
    from kpixl.ooxml.workbook import Workbook

    workbook = Workbook(content)
    workbook.fit_ending(MACRO_ENDING)
    return workbook.finish()


def summary_outputs(
    path: Path,
    form: Form,
    portfolio: Portfolio,
    *,
    today: date | None = None,
    **options: Unpack[SummaryOptions],
) -> tuple[list[Output], tuple[Problem, ...]]:
    """Build the summary for `path`, to be written with a copy of the old file where that is needed.

    Raises KpixlError where the old file cannot be read from disk.
    """
    content, problems, copy = update_summary(path, form, portfolio, today=today, **options)
    return [Output(path, content, "summary", judged=True, copy=copy)], problems


def write_summary(
    path: Path,
    form: Form,
    portfolio: Portfolio,
    *,
    today: date | None = None,
    **options: Unpack[SummaryOptions],
) -> tuple[list[Written], tuple[Problem, ...]]:
    """Write the summary to `path`, with a copy of the old file where that is needed.

    Returns what was written and the problems. Raises KpixlError where the old file cannot be read from disk.
    """
    outputs, problems = summary_outputs(path, form, portfolio, today=today, **options)
    written, refused = commit(outputs, lang=options.get("lang", "zh"), today=today or date.today())
    return written, (*problems, *refused)


# --- what makes a copy of the old file necessary ------------------------------------------------


def _not_ours(path: Path) -> list[Problem]:
    return [Problem("summary-not-ours", Location(file=path.name), {"path": path.name})]


def _edit_problems(edits: Edits, file: str) -> Iterator[Problem]:
    """List what a person changed on our sheets."""
    counts: dict[str, int] = {}
    for edit in edits.cells:
        counts[edit.sheet] = counts.get(edit.sheet, 0) + 1
        if counts[edit.sheet] <= MAX_EDITS:
            details = {"sheet": edit.sheet, "cell": str(edit.cell), "old": edit.old, "new": edit.new}
            yield Problem("summary-edited", Location(file, edit.sheet, edit.cell), details)
    others = list(edits.others)
    for sheet, count in counts.items():
        if count > MAX_EDITS:
            others.append((sheet, (_MORE[0].format(count=count - MAX_EDITS), _MORE[1].format(count=count - MAX_EDITS))))
    for sheet, what in others:
        yield Problem("summary-sheet-edited", Location(file, sheet), {"sheet": sheet, "what": what})
    for sheet, reason in edits.unknown:
        yield Problem("summary-not-compared", Location(file, sheet), {"sheet": sheet, "reason": reason})
    by_sheet: dict[str, list[Text]] = {}
    for sheet, what in edits.added:
        by_sheet.setdefault(sheet, []).append(what)
    for sheet, things in by_sheet.items():
        what = ("、".join(zh for zh, _ in things), ", ".join(en for _, en in things))
        yield Problem("summary-not-carried", Location(file, sheet), {"what": what})


def _renamed(old: OldSummary, names: Mapping[str, str], file: str) -> Iterator[Problem]:
    """Report sheets of ours whose new name is not kept."""
    for role, own in (old.memory.sheets if old.memory else {}).items():
        name = old.current.get(role, own.name)
        if name not in (own.name, names.get(role)):
            what = (_RENAMED[0].format(name=name), _RENAMED[1].format(name=name))
            yield Problem("summary-sheet-edited", Location(file, own.name), {"sheet": own.name, "what": what})


def _cells_moved(old: OldSummary, edits: Edits, built: _Built, portfolio: Portfolio, file: str) -> Iterator[Problem]:
    """Report formulas of others over our sheets, where what they refer to is now in other rows, columns or sheets."""
    table = next(sheet.rows for sheet in built.sheets if sheet.role == "summary")
    made = {sheet.role for sheet in built.sheets}
    if not (_projects_moved(edits, table, portfolio) or _columns_moved(old, table) or set(old.current) - made):
        return
    for sheet, cells in old.referring().items():
        if not sheet:
            yield Problem("summary-pivot-source", Location(file))
            continue
        more = ("…",) if len(cells) > MAX_CELLS else ()
        shown = tuple("、".join([*(cell[n] for cell in cells[:MAX_CELLS]), *more]) for n in range(2))
        yield Problem("summary-rows-moved", Location(file, sheet), {"sheet": sheet, "cells": shown})


def _projects_moved(edits: Edits, table: Sequence[Sequence[Value]], portfolio: Portfolio) -> bool:
    projects = {project.id for project in portfolio.projects}
    ids = [text_of(row[0]) if row else "" for row in table]
    before, after = ({number: i for number, i in enumerate(each) if i in projects} for each in (edits.ids, ids))
    return bool(edits.ids) and before != after


def _columns_moved(old: OldSummary, table: Sequence[Sequence[Value]]) -> bool:
    known = old.memory.sheets.get("summary") if old.memory else None
    if known is None or not known.rows or len(known.rows) <= HEADER_ROW:
        return False
    before = {heading: col for col, heading in enumerate(known.rows[HEADER_ROW])}
    after = {text_of(heading): col for col, heading in enumerate(table[HEADER_ROW])}
    return any(before[heading] != after[heading] for heading in before.keys() & after.keys())


def _with_copy(note: Problem, copy: Path | None) -> Problem:
    return replace(note, details={**note.details, "copy": copy.name if copy else ""})
