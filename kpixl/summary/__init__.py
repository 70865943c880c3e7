"""Portfolio -> summary workbook, regenerated at will: equal input gives equal bytes, and nothing of a person is lost.

The sheets are made by summary_table, summary_rows, summary_forms and summary_charts; what the office added to an
older file is carried over by carry.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path

from kpixl.carry.model import NOTHING, Carried
from kpixl.carry.write import write_carried
from kpixl.disk import OLD, Output, Written, check_target, commit, spare_path
from kpixl.model import Form, Portfolio
from kpixl.printed import heading_text
from kpixl.problems import Location, Problem, failure
from kpixl.sheets import Book, sheet_names
from kpixl.summary.charts import ChartsWriter
from kpixl.summary.forms import FormsWriter
from kpixl.summary.marks import SHEET, OwnSheet, write_memory
from kpixl.summary.rows import rows_sheets, write_rows_sheet
from kpixl.summary.table import MAX_LINK_COUNT, TableWriter
from kpixl.texts import Text, say

MOST_FORMS = 300  # beyond, Excel takes long to open the sheet with all forms

_TABLE: Text = ("汇总表", "Summary")
_ROWS: Text = ("指标明细", "Indicators")
_FORMS: Text = ("申报表", "Forms")
_CHARTS: Text = ("图表", "Charts")

MAX_CELLS = 12  # named in one message


def own_names(form: Form, lang: str) -> dict[str, str]:
    """Name the sheets of the summary by role, in their order."""
    rows = rows_sheets(form, say(_ROWS, lang))
    texts = [("summary", say(_TABLE, lang)), *((role, text) for role, text, _ in rows)]
    texts += [("forms", say(_FORMS, lang)), ("charts", say(_CHARTS, lang))]
    return dict(zip((role for role, _ in texts), sheet_names((text for _, text in texts), [SHEET]), strict=True))


def build_summary(
    form: Form,
    portfolio: Portfolio,
    *,
    lang: str = "zh",
    sources: Mapping[str, str] | None = None,
    forms: bool | None = None,
    carried: Carried | None = None,
) -> tuple[bytes, tuple[Problem, ...]]:
    """Build the summary workbook of a portfolio.

    `sources` says of a project where it came from and makes a last column. `forms` forces the sheet with all
    forms or leaves it out; by default it is left out above 300 projects.
    """
    number = len(portfolio.projects)
    with_forms = number <= MOST_FORMS if forms is None else forms
    problems = []
    if forms is None and not with_forms:
        problems.append(Problem("forms-left-out", Location(), {"count": number, "limit": MOST_FORMS}))
    properties = {"kpixl-form": form.id, "kpixl-version": form.version}
    fonts = form.fonts
    book = Book(heading_text(form, portfolio), properties, font=str(fonts["body"]), size=float(fonts["size"]))
    own = _write_own(book, form, portfolio, lang, sources, with_forms)
    problems += write_carried(book, carried or NOTHING)
    write_memory(book, form, portfolio, lang, own)
    return book.finish(), tuple(problems)


def _write_own(
    book: Book, form: Form, portfolio: Portfolio, lang: str, sources: Mapping[str, str] | None, with_forms: bool
) -> list[OwnSheet]:
    """Write our sheets; the forms first, so that links know where each one stands."""
    names = own_names(form, lang)
    if not with_forms:
        del names["forms"]
    if form.summary.amount is None:
        del names["charts"]
    sheets = {role: book.sheet(name) for role, name in names.items()}
    done: dict[str, OwnSheet] = {}
    links: Mapping[str, int] = {}
    if with_forms:
        done["forms"], starts = FormsWriter(sheets["forms"], form, portfolio.year, lang).write(portfolio.projects)
        links = starts if len(starts) <= MAX_LINK_COUNT else {}
    table = TableWriter(sheets["summary"], form, portfolio, lang, sources).write(links, names.get("forms", ""))
    done["summary"] = table.own
    for role, _, rows in rows_sheets(form, ""):
        done[role] = write_rows_sheet(sheets[role], form, rows, portfolio.projects, lang, role)
    if "charts" in sheets:
        done["charts"] = ChartsWriter(sheets["charts"], form, lang, table).write(portfolio)
    return [done[role] for role in sheets]


# --- over an older summary --------------------------------------------------------------------


def update_summary(
    path: Path,
    form: Form,
    portfolio: Portfolio,
    *,
    lang: str = "zh",
    sources: Mapping[str, str] | None = None,
    forms: bool | None = None,
    today: date | None = None,
) -> tuple[bytes, tuple[Problem, ...], Path | None]:
    """Build the summary that is to stand at `path`, with what a person put into the one that stands there.

    Returns the workbook, what has to be said, and the path to which the old file must be copied first, None
    where it holds nothing that the new one lacks. Raises KpixlError where the old file cannot be read from disk.
    """
    check_target(path)
    if not path.exists():
        return *build_summary(form, portfolio, lang=lang, sources=sources, forms=forms), None
    try:
        content = path.read_bytes()
    except OSError as error:
        raise failure("not-readable", path.name, reason=error.strerror or str(error)) from error
    # Only here openpyxl is needed, which takes as long to load as a summary takes to write.
    from kpixl.summary.old import examine, moved_formulas

    names = own_names(form, lang)
    old = examine(content, path.name, names)
    built, problems = build_summary(form, portfolio, lang=lang, sources=sources, forms=forms, carried=old)
    notes = _notes(old, path)
    ids = {project.id for project in portfolio.projects}
    for sheet, cells in moved_formulas(old, built, path.name, names, ids).items():
        shown = ", ".join(cells[:MAX_CELLS]) + (" …" if len(cells) > MAX_CELLS else "")
        notes.append(Problem("summary-rows-moved", Location(path.name, sheet), {"sheet": sheet, "cells": shown}))
    copy = spare_path(path, say(OLD, lang), today or date.today()) if notes else None
    return built, (*problems, *(_with_copy(note, copy) for note in notes)), copy


def summary_outputs(
    path: Path,
    form: Form,
    portfolio: Portfolio,
    *,
    lang: str = "zh",
    sources: Mapping[str, str] | None = None,
    forms: bool | None = None,
    today: date | None = None,
) -> tuple[list[Output], tuple[Problem, ...]]:
    """Build the summary for `path`, to be written with a copy of the old file where that is needed.

    Raises KpixlError where the old file cannot be read from disk.
    """
    content, problems, copy = update_summary(
        path, form, portfolio, lang=lang, sources=sources, forms=forms, today=today
    )
    return [Output(path, content, "summary", judged=True, copy=copy)], problems


def write_summary(
    path: Path,
    form: Form,
    portfolio: Portfolio,
    *,
    lang: str = "zh",
    sources: Mapping[str, str] | None = None,
    forms: bool | None = None,
    today: date | None = None,
) -> tuple[list[Written], tuple[Problem, ...]]:
    """Write the summary to `path`, with a copy of the old file where that is needed.

    Returns what was written and the problems. Raises KpixlError where the old file cannot be read from disk.
    """
    outputs, problems = summary_outputs(path, form, portfolio, lang=lang, sources=sources, forms=forms, today=today)
    written, refused = commit(outputs, lang=lang, today=today or date.today())
    return written, (*problems, *refused)


def _notes(old: Carried, path: Path) -> list[Problem]:
    """List what makes a copy of the old file necessary."""
    notes = []
    if not old.ours:
        notes.append(Problem("summary-not-ours", Location(file=path.name), {"path": path.name}))
    for sheet, cells in old.edited:
        notes.append(Problem("summary-edited", Location(file=path.name, sheet=sheet), {"sheet": sheet, "cells": cells}))
    by_sheet: dict[str, list[Text]] = {}
    for sheet, what in old.lost:
        by_sheet.setdefault(sheet, []).append(what)
    for sheet, things in by_sheet.items():
        what = ("、".join(zh for zh, _ in things), ", ".join(en for _, en in things))
        notes.append(Problem("summary-not-carried", Location(file=path.name, sheet=sheet or None), {"what": what}))
    return notes


def _with_copy(note: Problem, copy: Path | None) -> Problem:
    return replace(note, details={**note.details, "copy": copy.name if copy else ""})
