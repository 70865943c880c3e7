"""A portfolio as one self-contained HTML page: table of contents, then every form in its official look.

What is on the page is computed here and in `kpixl.portfolio.print_layout`; how it looks is said by the Jinja2 template
`page.html.j2` in the form's own folder, or by `shared/page.html.j2` where the form has none.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache, partial
from pathlib import Path

from jinja2 import Template
from markupsafe import Markup

from kpixl.forms.definition import Field, Form
from kpixl.forms.money import money_text
from kpixl.forms.types import FIELD_TYPES
from kpixl.forms.values import total
from kpixl.output.pages import choose_template, page_environment, render, show
from kpixl.portfolio.model import Portfolio, Project
from kpixl.portfolio.print_layout import (
    FormPrinter,
    PrintedCell,
    PrintedRow,
    disclosure_text,
    heading_text,
    printed_text,
)
from kpixl.problems import failure
from kpixl.texts import Text, say

TEMPLATE = "page.html.j2"
SHARED = f"shared/{TEMPLATE}"
PAGE_ENDINGS = (".html", ".htm", ".xhtml")

WORDS: dict[str, Text] = {
    "contents": ("目录", "Contents"),
    "skip": ("跳到正文", "Skip to the forms"),
    "back": ("返回目录", "Back to contents"),
    "total": ("合计", "Total"),
    "note": ("由 kpixl 生成", "Made with kpixl"),
}


@dataclass(frozen=True, slots=True)
class Block:
    """A run of rows that is one HTML table: its repeated heading rows, and the rows below them."""

    head: tuple[PrintedRow, ...]
    body: tuple[PrintedRow, ...]


@dataclass(frozen=True, slots=True)
class PageForm:
    """One project on the page: its anchor, its titles, and its blocks from top to bottom."""

    anchor: str
    project: Project
    titles: tuple[PrintedCell, ...]
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class ContentsRow:
    """One line of the table of contents: a text for each of its columns."""

    anchor: str
    id: str
    texts: tuple[str, ...]


def check_ending(path: Path) -> None:
    """Raise KpixlError `ending-unsupported` where a name ends in what a page is not: a program would not open it."""
    if path.suffix.lower() not in PAGE_ENDINGS:
        raise failure("ending-unsupported", path=str(path), ending=path.suffix or "?", stem=path.stem)


def render_page(form: Form, portfolio: Portfolio, *, lang: str = "zh", extra: Sequence[Path] = ()) -> str:
    """Render the page of `portfolio`; `extra` are the folders of definitions given by the user.

    Raises KpixlError `form-invalid` where the form's template cannot be rendered.
    """
    template = _template(form, extra)
    anchors = _anchors(portfolio.projects)
    columns = contents_columns(form)
    amount = form.summary.amount
    return render(
        template,
        len(portfolio.projects),
        form=form,
        lang=lang,
        words={key: say(text, lang) for key, text in WORDS.items()},
        heading=heading_text(form, portfolio),
        disclosure=disclosure_text(form, portfolio),
        columns=columns,
        contents=_contents(portfolio.projects, anchors, columns),
        total=_total_text(portfolio, amount) if amount else "",
        widths=_percentages(form.layout.widths),
        forms=_page_forms(form, portfolio, anchors),
    )


def _template(form: Form, extra: Sequence[Path]) -> Template:
    """Find the form's own template, else the shared one; a form's template may extend the shared one."""
    jinja = page_environment(form, extra)
    long = frozenset(key for key, field in form.fields.items() if field.lines > 1)
    jinja.filters["cells"] = partial(html_cells, long=long)
    return choose_template(jinja, TEMPLATE, SHARED)


# --- the filter of the template ---------------------------------------------------------------


def html_cells(row: PrintedRow, long: frozenset[str]) -> Iterator[tuple[str, Markup, str]]:
    """Turn a row into (tag, attributes, content) per cell; `long` are the fields that hold running text.

    In Python and not in the template, where the sandbox looks at every attribute: 13,000 projects have a
    million cells.
    """
    for cell in row.cells:
        tag = "td" if cell.kind in ("value", "blank") else "th"
        name = _CLASSES.get(cell.type) or ("vertical" if cell.vertical else "")
        if cell.kind == "value" and not cell.table and cell.key in long:
            name = "long"
        text = show(cell)
        content = Markup("<span>{}</span>").format(text) if cell.vertical else text
        yield tag, _attributes(cell.columns, cell.rows, cell.scope, name), content


_CLASSES = {name: kind.css_class for name, kind in FIELD_TYPES.items()}


@lru_cache(maxsize=1024)
def _attributes(columns: int, rows: int, scope: str, name: str) -> Markup:
    given = {"colspan": columns, "rowspan": rows, "scope": scope, "class": name}
    return Markup().join(Markup(' {}="{}"').format(key, value) for key, value in given.items() if value not in (1, ""))


# --- what is on the page ----------------------------------------------------------------------


def contents_columns(form: Form) -> tuple[Field, ...]:
    """Choose the columns of the table of contents: what projects are told apart by, and the amount."""
    keys = dict.fromkeys((*form.key_fields, form.summary.amount))
    return tuple(form.fields[key] for key in keys if key is not None)


def _contents(projects: Sequence[Project], anchors: Sequence[str], columns: Sequence[Field]) -> Iterator[ContentsRow]:
    for project, anchor in zip(projects, anchors, strict=True):
        cells = (PrintedCell("value", project.values[c.key], 0, 0, type=c.type) for c in columns)
        yield ContentsRow(anchor, project.id, tuple(printed_text(cell) for cell in cells))


def _total_text(portfolio: Portfolio, key: str) -> str:
    return money_text(total([project.values[key] for project in portfolio.projects]) or Decimal(0))


def _anchors(projects: Sequence[Project]) -> list[str]:
    """Name each project's place on the page: after its id where that can stand in a link as it is."""
    return [
        f"p-{project.id}" if re.fullmatch(r"[a-zA-Z0-9][\w.-]*", project.id) else f"p--{number}"
        for number, project in enumerate(projects, 1)
    ]


def _percentages(widths: Sequence[float]) -> list[str]:
    return [f"{100 * width / sum(widths):.3f}%" for width in widths]


def _page_forms(form: Form, portfolio: Portfolio, anchors: Sequence[str]) -> Iterator[PageForm]:
    printer = FormPrinter(form, portfolio.year)
    for project, anchor in zip(portfolio.projects, anchors, strict=True):
        titles, blocks = split_blocks(printer.lay_out(project))
        yield PageForm(anchor, project, titles, blocks)


def split_blocks(rows: Iterable[PrintedRow]) -> tuple[tuple[PrintedCell, ...], tuple[Block, ...]]:
    """Split a printed form into its leading titles and one block per grid and per table."""
    titles: list[PrintedCell] = []
    blocks: list[tuple[list[PrintedRow], list[PrintedRow]]] = []
    last = ""
    for row in rows:
        if row.part == "title" and not blocks:
            titles += row.cells
            continue
        if not blocks or row.table != last or row.part == "heading":
            blocks.append(([], []))
            last = row.table
        blocks[-1][row.part != "heading"].append(row)
    return tuple(titles), tuple(Block(tuple(head), tuple(body)) for head, body in blocks)
