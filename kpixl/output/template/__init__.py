"""Portfolio -> fillable workbook(s): a first sheet with instructions and live status, then one sheet per project."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from pathlib import Path

from kpixl.a1 import Span, absolute
from kpixl.disk import Output, Written, check_target, commit
from kpixl.files import safe_file_names
from kpixl.forms.definition import Form, Row, Value
from kpixl.forms.names import field_called
from kpixl.forms.values import text_of
from kpixl.output.template.form import NO_NOTES, FormSheet, Notes
from kpixl.output.template.lists import write_lists
from kpixl.output.template.status import Asked, SheetStatus, status_text
from kpixl.output.workbook import Book, Sheet, sheet_names
from kpixl.portfolio import sheet_id as sheet_ids
from kpixl.portfolio.canonical import complete
from kpixl.portfolio.model import Portfolio, Project
from kpixl.portfolio.own_texts import (
    CLOSE_SIGN,
    COVER_KIND,
    COVER_STATUS,
    DONE_COUNT,
    GONE,
    HOW_TO,
    MISSING_SIGN,
    NUMBER,
    OPEN_SIGN,
    PROJECTS,
    STATUS_HEAD,
    TEMPLATE_KIND,
    own_sheet_id,
)
from kpixl.portfolio.rollover import notes_of
from kpixl.problems import Problem, failure
from kpixl.text_fit import ems, fitting_height, fitting_width
from kpixl.texts import Text, say
from kpixl.version import __version__

MAX_SHEETS = 500  # Excel opens 500 of these sheets in some seconds; beyond that an office wants one file per unit
FEW_PROJECTS = 10  # they are built in some 60 ms, in which worker processes would hardly have started

COVER_NAME: Text = ("填报说明", "Instructions")
COVER_TITLE: Text = ("{organization}{year}{title}", "{organization} {year}{title}")
YEAR: Text = (" {year} 年度", "{year} ")
LAST: Text = ("{year}年：{value}", "{year}: {value}")


@dataclass(frozen=True, slots=True)
class SheetStyles:
    """The colours of the template: paper, print and screen agree on them."""

    label: str = "#F2F2F2"
    input: str = "#FFF6D6"
    spare: str = "#F3F8FC"
    missing: str = "#FCE4E6"
    done: str = "#D5EEDB"
    partial: str = "#FFE9B8"
    wrong: str = "#F5C2C7"
    quiet: str = "#7F7F7F"
    hint: str = "#404040"


def build_template(
    form: Form,
    portfolio: Portfolio,
    *,
    lang: str = "zh",
    whole: Portfolio | None = None,
    last: Portfolio | None = None,
) -> bytes:
    """Build the workbook for all projects of `portfolio`.

    `whole`: the portfolio of which this is a part, when it was split; sheet ids refer to it. `last`: the year before,
    whose values are notes beside the cells that are blank.
    Raises KpixlError `too-many-sheets`.
    """
    whole = whole or portfolio
    if len(portfolio.projects) > MAX_SHEETS:
        raise failure("too-many-sheets", count=len(portfolio.projects), limit=MAX_SHEETS)
    year = say(YEAR, lang, year=portfolio.year) if portfolio.year else ""
    title = say(COVER_TITLE, lang, organization=portfolio.organization or "", year=year, title=form.title).strip()
    book = Book(
        title,
        {"kpixl-form": form.id, "kpixl-form-version": form.version, "kpixl-version": __version__},
        font=str(form.fonts["body"]),
        size=float(form.fonts["size"]),
    )
    cover_name = say(COVER_NAME, lang)
    names = sheet_names(
        (f"{p.id} {text_of(sheet_ids.name_of(form, p))}" for p in portfolio.projects), [cover_name, sheet_ids.OWN_SHEET]
    )
    cover = book.sheet(cover_name)
    places = {p.id: number for number, p in enumerate(whole.projects, 1)}
    before = {p.id: p for p in last.projects} if last is not None else {}
    year_before = last.year if last is not None and last.year else ""
    statuses: list[SheetStatus] = []
    placed = []
    asked = Asked(form)
    for project, name in zip(portfolio.projects, names, strict=True):
        sheet_id = _sheet_id(form, whole, project, places[project.id])
        sheet = FormSheet(book, form, SheetStyles(), lang, name, cover_name, asked)
        notes = _notes(form, project, before.get(project.id), year_before, lang)
        statuses.append(sheet.write(project, portfolio.year, sheet_id, notes))
        placed.append((name, sheet_ids.dumps(sheet_id)))
    _write_cover(cover, form, portfolio, names, statuses, title, lang)
    write_lists(book, form, _workbook_facts(form, whole), placed, _lists_used(form))
    return book.finish()


def _lists_used(form: Form) -> list[str]:
    """Return the lists that fields or columns of a form are filled in from."""
    used = {f.choices for f in form.fields.values() if f.choices}
    used |= {c.choices for t in form.tables.values() for c in t.columns.values() if c.choices}
    return sorted(used)


def _notes(form: Form, project: Project, before: Project | None, year: object, lang: str) -> Notes:
    """Return what the year before had for a project where it is blank now."""
    if before is None:
        return NO_NOTES
    return {key: say(LAST, lang, year=year, value=value) for key, value in notes_of(form, project, before)}


def split(portfolio: Portfolio, by: str) -> dict[str, Portfolio]:
    """Split a portfolio by the values of field `by`: text of the value -> portfolio, in order of appearance."""
    groups: dict[str, list[Project]] = {}
    for project in portfolio.projects:
        groups.setdefault(text_of(project.values[by]), []).append(project)
    return {text: replace(portfolio, projects=tuple(projects)) for text, projects in groups.items()}


def write_templates(
    form: Form,
    portfolio: Portfolio,
    out: Path,
    *,
    by: str | None = None,
    lang: str = "zh",
    today: date | None = None,
    last: Portfolio | None = None,
) -> tuple[list[Written], tuple[Problem, ...]]:
    """Write the workbook to `out`, or with `by` one workbook per value into the folder `out`.

    Returns (path, whether the file changed) of each, and what has to be said: a workbook that is already there with
    other content may have been filled in, so a copy of it is kept. The folder is made where its parent exists.
    Raises KpixlError for an output that cannot be written, or an unknown field.
    """
    outputs = template_outputs(form, portfolio, out, by=by, lang=lang, last=last)
    written, problems = commit(outputs, lang=lang, today=today or date.today())
    return written, tuple(problems)


def template_outputs(
    form: Form,
    portfolio: Portfolio,
    out: Path,
    *,
    by: str | None = None,
    lang: str = "zh",
    keep: bool = False,
    last: Portfolio | None = None,
) -> list[Output]:
    """Build what write_templates writes. `keep`: a workbook that is there with other content was sent, and is kept."""
    if by is None:
        check_target(out, ".xlsx")
        parts = {out: portfolio}
    else:
        by = field_called(form, by).key
        if out.is_file():
            raise failure("not-a-folder", path=str(out), field=by)
        if not out.parent.is_dir():
            raise failure("folder-missing", path=str(out.parent))
        groups = split(portfolio, by)
        names = safe_file_names(groups)
        parts = {out / f"{name}.xlsx": part for name, part in zip(names, groups.values(), strict=True)}
        out.mkdir(exist_ok=True)
    built = _build_all(form, tuple(parts.values()), portfolio, lang, last)
    return [Output(path, content, "template", keep=keep) for path, content in zip(parts, built, strict=True)]


def _build_all(
    form: Form, parts: Sequence[Portfolio], whole: Portfolio, lang: str, last: Portfolio | None
) -> list[bytes]:
    """Build one workbook for each part of `whole`, on all processors where that pays."""
    build = partial(build_template, form, lang=lang, whole=whole, last=last)
    if len(parts) < 2 or len(whole.projects) < FEW_PROJECTS:
        return [build(part) for part in parts]
    from kpixl.parallel import in_processes

    return in_processes(build, parts)


def _sheet_id(form: Form, whole: Portfolio, project: Project, order: int) -> sheet_ids.SheetId:
    return sheet_ids.SheetId(
        form=form.id,
        version=form.version,
        portfolio=sheet_ids.portfolio_id(whole),
        project=project.id,
        order=order,
        name=sheet_ids.digest(sheet_ids.name_of(form, project)),
        year=whole.year,
        organization=whole.organization,
        presets=tuple(t.key for t in form.tables.values() if t.presets and not project.tables[t.key]),
        explicit=any(_has_gap(form, key, rows) for key, rows in project.tables.items()),
        sent=sheet_ids.content_digest(complete(form, project)),
    )


def _has_gap(form: Form, table: str, rows: Sequence[Row]) -> bool:
    """Return whether a blank level follows a filled one: then blank must not be read as `the same`."""
    filled: dict[str, Value] = {}
    for row in rows:
        for key, column in form.tables[table].columns.items():
            if column.fill:
                if row[key] is None and filled.get(key) is not None:
                    return True
                filled[key] = row[key]
    return False


def _workbook_facts(form: Form, whole: Portfolio) -> Mapping[str, object]:
    return {
        "kind": TEMPLATE_KIND,
        "form": form.id,
        "version": form.version,
        "portfolio": sheet_ids.portfolio_id(whole),
        "year": whole.year,
        "organization": whole.organization,
    }


# --- the first sheet --------------------------------------------------------------------------

_WIDTHS = (7, 9, 46, 26)  # of the columns before the status
_STATUS_LEAST, _STATUS_MOST = 30, 44
_INDENT = 1.5  # column units that an indented text lacks


def _cover_widths(form: Form, lang: str) -> tuple[float, ...]:
    """Return the widths of the columns, the last as wide as the longest status if it may be."""
    return (*_WIDTHS, _INDENT + fitting_width([_longest_status(form, lang)], 11, _STATUS_LEAST, _STATUS_MOST))


def _longest_status(form: Form, lang: str) -> str:
    """Return the longest text that a status may have, as rows are not made higher while people fill in."""
    columns = (column for table in form.tables.values() for column in table.columns.values())
    headings = [*(field.heading for field in form.fields.values()), *(column.label for column in columns)]
    listed = f"{MISSING_SIGN * 10}{OPEN_SIGN}E10 {max(headings, key=ems)}{CLOSE_SIGN}"
    return status_text(listed, lang)


def _write_cover(
    sheet: Sheet,
    form: Form,
    portfolio: Portfolio,
    names: Sequence[str],
    statuses: Sequence[SheetStatus],
    title: str,
    lang: str,
) -> None:
    book, styles = sheet.book, SheetStyles()
    widths = _cover_widths(form, lang)
    last = COVER_STATUS
    written = sheet.record()
    sheet.widths(widths)
    sheet.merge(
        Span(0, 0, 0, last),
        title,
        book.format(font_name=form.fonts["heading"], font_size=16, bold=True, align="center", text_wrap=True),
    )
    sheet.height(0, fitting_height(title, sum(widths), 16, 36))
    section = book.format(font_name=form.fonts["heading"], font_size=12, bold=True)
    sheet.write(1, 0, say(HOW_TO, lang), section)
    sheet.height(1, 22)
    row = 2
    number_style = book.format(align="center", valign="top", font_size=11)
    lines = form.instructions.get(lang) or next(iter(form.instructions.values()), ())
    for number, line in enumerate(lines, 1):
        sheet.write(row, 0, f"{number}.", number_style)
        sheet.merge(Span(row, 1, row, last), line, book.format(text_wrap=True, font_size=11, valign="top"))
        sheet.height(row, fitting_height(line, sum(widths[1:]), 11, 18))
        row += 1
    row += 1
    sheet.write(row, 0, say(PROJECTS, lang), section)
    _done_count(sheet, row, row + 2, statuses, lang)
    sheet.height(row, 22)
    _project_list(sheet, form, portfolio, names, statuses, row + 1, lang)
    sheet.raw.protect("", {"format_columns": True, "format_rows": True})
    sheet.raw.hide_gridlines(2)
    sheet.raw.set_paper(9)
    sheet.raw.set_portrait()
    sheet.raw.fit_to_pages(1, 0)
    sheet.raw.center_horizontally()
    sheet.raw.set_footer("&C&P / &N")
    sheet.write(0, last + 2, own_sheet_id({"kind": COVER_KIND}, written), book.format(font_color="#FFFFFF"))
    sheet.raw.set_column(last + 2, last + 2, 2, None, {"hidden": True})
    sheet.raw.print_area(0, 0, row + 1 + len(names), last)
    sheet.raw.activate()
    sheet.raw.set_tab_color(styles.quiet)


def _done_count(sheet: Sheet, row: int, first: int, statuses: Sequence[SheetStatus], lang: str) -> None:
    """Write how many projects are finished, beside the heading of the list."""
    if not statuses:
        return
    last = COVER_STATUS
    done = statuses[0].words.done
    cells = f"{absolute(first, last)}:{absolute(first + len(statuses) - 1, last)}"
    count = sum(s.text == done for s in statuses)
    tail = f" / {len(statuses)}"
    formula = f'="{say(DONE_COUNT, lang)} "&COUNTIF({cells},"{done}")&"{tail}"'
    style = sheet.book.format(align="right", bold=True)
    sheet.formula(row, last, formula, style, f"{say(DONE_COUNT, lang)} {count}{tail}")


def _project_list(
    sheet: Sheet,
    form: Form,
    portfolio: Portfolio,
    names: Sequence[str],
    statuses: Sequence[SheetStatus],
    row: int,
    lang: str,
) -> None:
    book, styles = sheet.book, SheetStyles()
    first, *others = (form.fields[key] for key in form.key_fields)
    about = "、".join(field.heading for field in others)
    heads = [say(NUMBER, lang), form.id_field.label, first.heading, about, say(STATUS_HEAD, lang)]
    head = book.format(bold=True, align="center", border=1, bg_color=styles.label, font_size=11)
    for col, text in enumerate(heads):
        sheet.write(row, col, text, head)
    sheet.height(row, 22)
    plain = book.format(border=1, text_wrap=True, font_size=11, align="left", indent=1)
    centred = book.format(border=1, align="center", font_size=11)
    blue = {"font_color": "#0563C1", "underline": 1}
    link = book.format(border=1, text_wrap=True, font_size=11, align="left", indent=1, **blue)
    widths, longest = _cover_widths(form, lang), _longest_status(form, lang)
    top = row + 1
    for number, (project, name, status) in enumerate(zip(portfolio.projects, names, statuses, strict=True)):
        row = top + number
        label = text_of(project.values[first.key]) or name
        about = "、".join(text_of(project.values[field.key]) for field in others)
        sheet.number(row, 0, number + 1, centred)
        sheet.write(row, 1, project.id, centred)
        sheet.link(row, 2, name, label[:255], link, status.first_input)
        sheet.write(row, 3, about, plain)
        gone = say(GONE, lang)
        formula = f'=IFERROR(MID({status.cell},3,99),"{gone}")'
        sheet.formula(row, 4, formula, plain, status.text)
        texts = zip((label, about, longest), widths[2:], strict=True)
        sheet.height(row, max(fitting_height(text, width - _INDENT, 11, 20) for text, width in texts))
    if statuses:
        _colour_statuses(sheet, Span(top, 4, top + len(statuses) - 1, 4), statuses[0])


def _colour_statuses(sheet: Sheet, span: Span, status: SheetStatus) -> None:
    words, styles = status.words, SheetStyles()
    colours = {words.done: styles.done, words.missing: styles.partial, words.wrong: styles.wrong}
    for word, colour in colours.items():
        options = {
            "type": "text",
            "criteria": "begins with",
            "value": word,
            "format": sheet.book.rule_format(bg_color=colour),
        }
        sheet.rule(span, options)
