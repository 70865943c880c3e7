"""The print model: what every published format prints, computed once, from top to bottom.

A format draws it in its own way and computes nothing that a reader could compare: equal figures in every format.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from kpixl.forms.definition import Field, Form
from kpixl.forms.load import own_templates
from kpixl.forms.money import money_text, unit_heading
from kpixl.forms.names import unit_field
from kpixl.forms.types import FIELD_TYPES
from kpixl.forms.values import text_of, total
from kpixl.portfolio.flat_print import FlatPrinter
from kpixl.portfolio.model import Portfolio, Project
from kpixl.portfolio.print_layout import (
    FormPrinter,
    PrintedCell,
    PrintedRow,
    disclosure_text,
    heading_text,
    printed_text,
)
from kpixl.texts import Text, say

WORDS: dict[str, Text] = {
    "contents": ("目录", "Contents"),
    "skip": ("跳到正文", "Skip to the forms"),
    "back": ("返回目录", "Back to contents"),
    "total": ("合计", "Total"),
    "totals": ("汇总", "Totals"),
    "count": ("项目数", "Projects"),
    "page": ("页码", "Page"),
    "search": ("查找项目", "Find a project"),
    "found": ("显示 {shown} 个，共 {all} 个", "{shown} of {all} shown"),
    "note": ("由 kpixl 生成", "Made with kpixl"),
    "draft": ("草稿 DRAFT", "草稿 DRAFT"),
    "draft_note": (
        "本稿尚未通过检查，不得公开。",
        "This draft has not passed the checks and must not be published.",
    ),
    "page_of": ("第 {page} 页，共 {pages} 页", "Page {page} of {pages}"),
}
LONGEST = 12  # rows of a table that a merged cell reaches over: they fit a page, and are kept together on it
_BLANK: Text = ("（未填）", "(blank)")


@dataclass(frozen=True, slots=True)
class PageTable:
    """A run of rows that is one table: its repeated heading rows, and the rows below them.

    `kept`: the rows of the body, counted from 0, that are not to be parted from the next by the end of a page.
    """

    head: tuple[PrintedRow, ...]
    body: tuple[PrintedRow, ...]
    kept: frozenset[int]


@dataclass(frozen=True, slots=True)
class PageForm:
    """One project: its anchor, what it is called, its titles, and its blocks from top to bottom."""

    anchor: str
    project: Project
    name: str
    titles: tuple[PrintedCell, ...]
    blocks: tuple[PageTable, ...]


@dataclass(frozen=True, slots=True)
class ContentsRow:
    """One line of the table of contents: a text for each of its columns."""

    anchor: str
    id: str
    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TotalsTable:
    """Number of projects and amount by the values of one field; `amount`: its heading, "" where the form has none."""

    heading: str
    amount: str
    rows: tuple[tuple[str, int, str], ...]
    total: tuple[int, str]


@dataclass(frozen=True, slots=True)
class Publication:
    """A portfolio as it is published. `columns`: of the contents; `total`: the sum of the amounts, "" without any."""

    form: Form
    portfolio: Portfolio
    lang: str
    draft: bool
    heading: str
    disclosure: str
    columns: tuple[Field, ...]
    contents: tuple[ContentsRow, ...]
    total: str
    totals: tuple[TotalsTable, ...]

    def words(self) -> dict[str, str]:
        """Return the words that are not the form's own, in the language of the publication."""
        return {key: say(text, self.lang) for key, text in WORDS.items()}

    def word(self, key: str, **details: object) -> str:
        """Return one of them, with what it is about."""
        return say(WORDS[key], self.lang, **details)

    def forms(self) -> Iterator[PageForm]:
        """Lay out one project after the other; a set of thousands is never held whole."""
        if self.form.flat is not None:
            yield from self._flat_forms()
            return
        printer = FormPrinter(self.form, self.portfolio.year, longest=LONGEST)
        for row, project in zip(self.contents, self.portfolio.projects, strict=True):
            titles, blocks = split_blocks(printer.lay_out(project))
            yield PageForm(row.anchor, project, row.texts[0] or row.id, titles, blocks)

    def _flat_forms(self) -> Iterator[PageForm]:
        """Lay out the rows of each project below the headings of the table; the first has its titles and total too."""
        printer = FlatPrinter(self.form, self.portfolio, longest=LONGEST)
        for number, (row, project) in enumerate(zip(self.contents, self.portfolio.projects, strict=True)):
            titles = printer.titles() if number == 0 else ()
            headings = printer.headings(len(titles))
            total = printer.total(len(titles) + 1) if number == 0 else ()
            body = (*total, *printer.lay_out(project, len(titles) + 1 + len(total)))
            cells = tuple(cell for title in titles for cell in title.cells if cell.value is not None)
            blocks = (PageTable((headings,), body, _kept(body)),)
            yield PageForm(row.anchor, project, row.texts[0] or row.id, cells, blocks)


def publication(
    form: Form, portfolio: Portfolio, *, lang: str = "zh", draft: bool = False, font: str | None = None
) -> Publication:
    """Compute what is published. `font`: in place of the fonts that the form names."""
    if font:
        form = replace(form, fonts={**form.fonts, "body": font, "heading": font})
    columns = contents_columns(form)
    amount = form.summary.amount
    return Publication(
        form,
        portfolio,
        lang,
        draft,
        heading_text(form, portfolio),
        disclosure_text(form, portfolio),
        columns,
        tuple(_contents(portfolio.projects, columns)),
        _sum(portfolio.projects, amount) if amount else "",
        tuple(_totals(form, portfolio.projects, lang)),
    )


def draft_mark() -> str:
    """Return 草稿 DRAFT as a drawing (SVG, outlines only), to be laid over a page.

    A drawing, because the letters of a text would be read among the values when the printed draft is read again.
    """
    return (own_templates() / "shared" / "draft.svg").read_text(encoding="utf-8")


# --- contents and totals ----------------------------------------------------------------------


def contents_columns(form: Form) -> tuple[Field, ...]:
    """Choose the columns of the table of contents: what distinguishes projects, and the amount."""
    keys = dict.fromkeys((*form.key_fields, form.summary.amount))
    return tuple(form.fields[key] for key in keys if key is not None)


def _contents(projects: Sequence[Project], columns: Sequence[Field]) -> Iterator[ContentsRow]:
    for number, project in enumerate(projects, 1):
        cells = (PrintedCell("value", project.values[c.key], 0, 0, type=c.type) for c in columns)
        yield ContentsRow(_anchor(project.id, number), project.id, tuple(printed_text(cell) for cell in cells))


def _anchor(project_id: str, number: int) -> str:
    """Name a project's place: after its id where that can be part of a link as it is."""
    return f"p-{project_id}" if re.fullmatch(r"[a-zA-Z0-9][\w.-]*", project_id) else f"p--{number}"


def _totals(form: Form, projects: Sequence[Project], lang: str) -> Iterator[TotalsTable]:
    """Yield a table by unit and one by category, each where the form has it and the projects differ in it."""
    unit, amount, heading = unit_field(form), form.summary.amount, _amount_heading(form, lang)
    keys = dict.fromkeys(key for key in (unit.key if unit else None, form.summary.subtotals) if key is not None)
    for key in keys:
        order = form.summary.order if key == form.summary.subtotals else ()
        groups: dict[str, list[Project]] = {name: [] for name in order}
        for project in projects:
            groups.setdefault(text_of(project.values[key]) or say(_BLANK, lang), []).append(project)
        rows = tuple((name, len(of), _sum(of, amount)) for name, of in groups.items() if of)
        if len(rows) > 1:  # one row alone is the total once more
            yield TotalsTable(form.fields[key].heading, heading, rows, (len(projects), _sum(projects, amount)))


def _amount_heading(form: Form, lang: str) -> str:
    """Return the heading of the amounts with their unit, "" where the form has none."""
    if form.summary.amount is None:
        return ""
    heading = form.fields[form.summary.amount].heading
    return heading if form.money.name in heading else f"{heading} ({say(unit_heading(form.money), lang)})"


def _sum(projects: Sequence[Project], key: str | None) -> str:
    return money_text(total([project.values[key] for project in projects]) or Decimal(0)) if key else ""


# --- forms ------------------------------------------------------------------------------------


def split_blocks(rows: Iterable[PrintedRow]) -> tuple[tuple[PrintedCell, ...], tuple[PageTable, ...]]:
    """Split a printed form into its leading titles and one block per grid and per table."""
    titles: list[PrintedCell] = []
    blocks: list[tuple[list[PrintedRow], list[PrintedRow]]] = []
    last = ""
    for row in rows:
        if row.part == "title" and not blocks:
            titles += row.cells
            continue
        # Several rows of headings are one head.
        begins = row.part == "heading" and not (blocks and blocks[-1][0] and not blocks[-1][1])
        if not blocks or row.table != last or begins:
            blocks.append(([], []))
            last = row.table
        blocks[-1][row.part != "heading"].append(row)
    return tuple(titles), tuple(PageTable(tuple(head), tuple(body), _kept(body)) for head, body in blocks)


def _kept(body: Sequence[PrintedRow]) -> frozenset[int]:
    """Find the rows that a cell joins with the next: it names what they have in common."""
    spans = ((n, cell.rows) for n, row in enumerate(body) for cell in row.cells if is_kept(cell))
    return frozenset(row for first, count in spans for row in range(first, first + count - 1))


def long_fields(form: Form) -> frozenset[str]:
    """Return the fields that hold running text."""
    return frozenset(key for key, field in form.fields.items() if field.lines > 1)


def is_long(cell: PrintedCell, long: frozenset[str]) -> bool:
    """Return whether a cell holds running text, to be printed from its top left corner."""
    return cell.kind == "value" and not cell.table and cell.key in long


def is_kept(cell: PrintedCell) -> bool:
    """Return whether the rows over which a cell reaches are to be on one page."""
    return cell.rows > 1 and (cell.kind == "value" or (cell.kind == "caption" and not cell.table))


def is_amount(cell: PrintedCell) -> bool:
    """Return whether a cell holds an amount, to be printed at its right."""
    return cell.type in FIELD_TYPES and FIELD_TYPES[cell.type].is_amount
