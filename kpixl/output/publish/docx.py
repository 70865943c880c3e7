"""A publication as a Word document: tables with the official merges, named styles, page numbers that Word fills in.

python-docx makes the package. The body is written as text and put into it afterwards: element by element, a thousand
forms with their 150,000 cells would take minutes; so they take seconds.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from kpixl.forms.definition import Form
from kpixl.forms.types import FIELD_TYPES
from kpixl.output.pages import show
from kpixl.output.publish.docx_package import empty_package, margin, paper_size, with_body
from kpixl.output.publish.model import PageForm, PageTable, Publication, TotalsTable, is_amount, is_long, long_fields
from kpixl.output.publish.wordml import cell_head, field, link, paragraph, row_head, run, table_head
from kpixl.portfolio.flat_print import printed_widths
from kpixl.portfolio.print_layout import PrintedCell, PrintedRow
from kpixl.text_fit import text_lines

ZIP_TIME = (1980, 1, 1, 0, 0, 0)  # equal publications give equal bytes
_TWIPS = 1440  # per inch
_LEAST_ROW = 20.0  # points, as in the official form


def docx_bytes(item: Publication, *, design: Path | None = None) -> bytes:
    """Write the publication as a document. Raises KpixlError `template-invalid` where the design's cannot be read."""
    package = empty_package(item, design)
    body = "".join(_body(item))
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(package)) as made, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as whole:
        for name in made.namelist():
            content = made.read(name)
            if name == "word/document.xml":
                content = with_body(content.decode(), body).encode()
            whole.writestr(zipfile.ZipInfo(name, ZIP_TIME), content, zipfile.ZIP_DEFLATED, 6)
    return out.getvalue()


def _body(item: Publication) -> Iterator[str]:
    printer = _Printer(item.form)
    forms = [(form, *printer.form(form, number)) for number, form in enumerate(item.forms(), 1)]
    yield paragraph("Title", run(item.heading))
    if item.draft:
        yield paragraph("Draft Note", run(item.word("draft_note")))
    if item.disclosure:
        yield paragraph("Disclosure", run(item.disclosure))
    for table in item.totals:
        yield from printer.totals(table, item)
    yield from printer.contents(item, [pages for _, _, pages in forms])
    yield from (text for _, text, _ in forms)


class _Printer:
    """Writes the forms of one definition; widths are in twips."""

    def __init__(self, form: Form) -> None:
        self._form, self._long = form, long_fields(form)
        width, height = (paper_size(form)[n] / 25.4 for n in (0, 1))
        self._room = round((width - margin(form, "left") - margin(form, "right")) * _TWIPS)
        self._height = (height - margin(form, "top") - margin(form, "bottom")) * 72
        self._widths = _shares(printed_widths(form), self._room)
        self._size = float(form.fonts["size"])

    def form(self, item: PageForm, number: int) -> tuple[str, int]:
        """Write the form of one project on a page of its own; estimate how many pages it takes."""
        rows = [row for block in item.blocks for row in (*block.head, *block.body)]
        kept = [keep for block in item.blocks for keep in _kept(block)]
        first = rows[0].cells[0].row if rows else 0
        name = f"{item.project.id} {item.name}"
        pieces = [
            f'<w:p><w:pPr><w:pStyle w:val="Heading1"/></w:pPr><w:bookmarkStart w:id="{number}" '
            f'w:name="{_bookmark(number)}"/>{run(name)}<w:bookmarkEnd w:id="{number}"/></w:p>'
        ]
        pieces += [paragraph("Form Title" if c.kind == "title" else "Form Subtitle", run(show(c))) for c in item.titles]
        pieces.append(table_head(self._widths, name, ruled=True))
        height = 70.0
        hanging: list[PrintedCell] = []
        for index, row in enumerate(rows, first):
            hanging = [cell for cell in hanging if cell.row + cell.rows > index]
            text, points = self._row(row, index, hanging, kept[index - first])
            pieces.append(text)
            height += points
            hanging += [cell for cell in row.cells if cell.rows > 1]
        pieces.append("</w:tbl>")
        return "".join(pieces), max(1, -int(-height // self._height))

    def _row(self, row: PrintedRow, index: int, hanging: Sequence[PrintedCell], kept: bool) -> tuple[str, float]:
        """Write one row: the cells that begin in it, and the rest of those that hang down into it."""
        pieces = [row_head(row.height or _LEAST_ROW)]
        lines = 1
        for cell in sorted((*row.cells, *hanging), key=lambda cell: cell.col):
            width = sum(self._widths[cell.col : cell.col + cell.columns])
            begins = cell.row == index
            text = show(cell) if begins else ""
            pieces.append(cell_head(width, cell.columns, _merge(cell, begins), cell.vertical, *self._look(cell), kept))
            pieces.append(f"{run(text)}</w:p></w:tc>" if text else "</w:p></w:tc>")
            if cell.rows == 1:
                lines = max(lines, text_lines(text, width / 20 * 96 / 72 / 7, self._size))
        pieces.append("</w:tr>")
        return "".join(pieces), max(row.height or _LEAST_ROW, lines * self._size * 1.5)

    def _look(self, cell: PrintedCell) -> tuple[str, str]:
        """Return where the text of a cell is, and its style."""
        if is_long(cell, self._long):
            return "top", "FormText"
        if is_amount(cell):
            return "center", "FormAmount"
        return "center", {"heading": "FormHeading", "value": "FormValue"}.get(cell.kind, "FormLabel")

    def totals(self, table: TotalsTable, item: Publication) -> Iterator[str]:
        """Write a table of totals."""
        widths = _shares((4, 2, 3) if table.amount else (4, 2), self._room)
        count = item.word("count")
        rows = [
            (name, str(number), amount) for name, number, amount in (*table.rows, (item.word("total"), *table.total))
        ]
        yield paragraph("Disclosure", "")
        yield table_head(widths, table.heading, ruled=False)
        for number, texts in enumerate([(table.heading, count, table.amount), *rows]):
            yield _plain_row(widths, texts[: len(widths)], amounts=(1, 2), repeats=number == 0)
        yield "</w:tbl>"

    def contents(self, item: Publication, pages: Sequence[int]) -> Iterator[str]:
        """Write the table of contents; its page numbers are fields, which hold an estimate until they are updated."""
        shares = [9.0, *(_SHARES.get(n, 14.0) for n in range(len(item.columns))), 7.0]
        widths = _shares(shares, self._room)
        amounts = [n for n, column in enumerate(item.columns, 1) if FIELD_TYPES[column.type].is_amount] + [
            len(widths) - 1
        ]
        yield paragraph("Contents Heading", run(item.word("contents")))
        yield table_head(widths, item.word("contents"), ruled=False)
        headings = [item.form.id_field.heading, *(c.heading for c in item.columns), item.word("page")]
        yield _plain_row(widths, headings, amounts=amounts, repeats=True)
        page = 1 - int(-(160 + 24 * (len(item.contents) + sum(len(t.rows) + 3 for t in item.totals))) // self._height)
        for number, (row, taken) in enumerate(zip(item.contents, pages, strict=True), 1):
            anchor = _bookmark(number)
            cells = [run(row.id), *map(run, row.texts), field(f"PAGEREF {anchor} \\h", str(page))]
            cells[1] = link(anchor, run(row.texts[0] or row.id))
            yield _plain_row(widths, cells, amounts=amounts, ready=True)
            page += taken
        if item.total:
            texts = ["", item.word("total"), *[""] * (len(widths) - 2)]
            texts[amounts[0]] = item.total
            yield _plain_row(widths, texts, amounts=amounts)
        yield "</w:tbl>"


_SHARES = {0: 26.0, 1: 20.0, 2: 15.0}


def _plain_row(
    widths: Sequence[int],
    texts: Sequence[str],
    *,
    amounts: Iterable[int],
    repeats: bool = False,
    ready: bool = False,
) -> str:
    """Write a row of contents or totals; `ready`: the texts are XML already."""
    right = set(amounts)
    pieces = [row_head(18, repeats=repeats)]
    for number, (width, text) in enumerate(zip(widths, texts, strict=True)):
        style = "ContentsAmount" if number in right else "ContentsEntry"
        pieces.append(cell_head(width, 1, "", False, "center", style))
        pieces.append(f"{text if ready else run(text) if text else ''}</w:p></w:tc>")
    return "".join((*pieces, "</w:tr>"))


def _kept(block: PageTable) -> list[bool]:
    """Return for every row whether it stays with the next: headings with what they head, too."""
    return [True] * len(block.head) + [number in block.kept for number in range(len(block.body))]


def _merge(cell: PrintedCell, begins: bool) -> str:
    return "" if cell.rows == 1 else "restart" if begins else "continue"


def _bookmark(number: int) -> str:
    return f"project_{number}"


def _shares(widths: Sequence[float], room: int) -> tuple[int, ...]:
    return tuple(round(room * width / sum(widths)) for width in widths)
