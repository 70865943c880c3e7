"""A publication as Markdown, as repositories and forums show it; merged cells are repeated, nothing is left out."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from kpixl.forms.definition import Form
from kpixl.forms.types import FIELD_TYPES
from kpixl.output.pages import show
from kpixl.output.publish.model import PageForm, PageTable, Publication, is_amount
from kpixl.portfolio.print_layout import PrintedCell, PrintedRow

# What Markdown, or HTML in it, would take for more than text; a dot or a plus only after digits begins a list.
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~&$])")


def markdown_text(item: Publication) -> str:
    """Write the publication as Markdown (GitHub's tables); a draft has its mark over the whole and over every form."""
    return "\n".join(_lines(item)) + "\n"


def _lines(item: Publication) -> Iterator[str]:
    draft = [f"**{item.word('draft')}** {item.word('draft_note')}", ""] if item.draft else []
    yield from (f"# {_text(item.heading)}", "", *draft)
    if item.disclosure:
        yield from (_text(item.disclosure), "")
    for table in item.totals:
        rows = [(name, str(count), amount) for name, count, amount in (*table.rows, (item.word("total"), *table.total))]
        width = 3 if table.amount else 2
        yield from _table((table.heading, item.word("count"), table.amount)[:width], [r[:width] for r in rows], {1, 2})
    yield from (f"## {item.word('contents')}", "")
    headings = [item.form.id_field.heading, *(column.heading for column in item.columns)]
    amounts = {n for n, column in enumerate(item.columns, 1) if FIELD_TYPES[column.type].is_amount}
    listed = []
    for row in item.contents:
        name, *others = map(_text, row.texts)
        listed.append([_text(row.id), f"[{name or _text(row.id)}](#{row.anchor})", *others])
    if item.total:
        totals = ["", item.word("total"), *[""] * (len(headings) - 2)]
        totals[min(amounts)] = item.total
        listed.append(totals)
    yield from _table(headings, listed, amounts, ready=True)
    for form in item.forms():
        yield from (f'<a id="{form.anchor}"></a>', "", f"## {_text(form.project.id)} {_text(form.name)}", "", *draft)
        yield from _form(form, item.form)


def _form(page: PageForm, form: Form) -> Iterator[str]:
    yield from (f"{_text(show(cell))}  " for cell in page.titles)
    yield ""
    for block in page.blocks:
        yield from _listed(block) if block.head else _pairs(block.body, form)


def _pairs(rows: Sequence[PrintedRow], form: Form) -> Iterator[str]:
    """List the values of a grid, each behind its heading; amounts with their unit, which a caption has on paper."""
    for cell in (cell for row in rows for cell in row.cells if cell.kind == "value"):
        heading = form.fields[cell.key].heading
        if is_amount(cell) and form.money.name not in heading:
            heading += f" ({form.money.name})"
        yield f"- {_text(heading)}: {_text(show(cell))}".rstrip()
    yield ""


def _listed(block: PageTable) -> Iterator[str]:
    """Write a table: a merged cell is repeated in every row over which it reaches."""
    own = [cell for row in block.head for cell in row.cells if cell.kind == "heading"]
    groups = [cell for cell in own if not cell.key]
    headings = sorted((cell for cell in own if cell.key), key=lambda cell: cell.col)
    columns = [cell.col for cell in headings]
    yield from _table([_under(cell, groups) for cell in headings], [*_texts(block.body, columns)], set())


def _texts(body: Sequence[PrintedRow], columns: Sequence[int]) -> Iterator[list[str]]:
    """Yield the texts of each row in the columns, "" where no cell reaches."""
    last: dict[int, PrintedCell] = {}
    for reached, row in enumerate(body, body[0].cells[0].row if body else 0):
        last |= {cell.col: cell for cell in row.cells}
        yield [show(last[c]) if c in last and last[c].row + last[c].rows > reached else "" for c in columns]


def _under(heading: PrintedCell, groups: Sequence[PrintedCell]) -> str:
    """Write a heading behind that of its group: a table of Markdown has one row of headings."""
    over = (g for g in groups if g.row < heading.row and g.col <= heading.col < g.col + g.columns)
    return "：".join(show(cell) for cell in (*over, heading))


def _table(
    headings: Sequence[str], rows: Sequence[Sequence[str]], amounts: set[int], *, ready: bool = False
) -> Iterator[str]:
    """Write a table; `ready`: the texts are Markdown already."""
    yield _row(map(_text, headings))
    yield _row("---:" if n in amounts else "---" for n in range(len(headings)))
    for row in rows:
        yield _row(row if ready else map(_text, row))
    yield ""


def _row(texts: Iterator[str] | Sequence[str]) -> str:
    return f"| {' | '.join(texts)} |"


def _text(text: str) -> str:
    """Write a text so that it is shown as it is: nothing in it is markup, and its line ends stay."""
    return "<br>".join(_SPECIAL.sub(r"\\\1", show(line)) for line in text.split("\n"))
