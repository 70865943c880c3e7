"""Seeds: small files of every kind that kpixl reads, each holding a form, and portfolios as YAML."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import replace
from html import escape
from pathlib import Path
from typing import NamedTuple

import xlsxwriter

from kpixl.forms.definition import Form
from kpixl.forms.load import load_form
from kpixl.output.template import build_template
from kpixl.portfolio import canonical
from kpixl.portfolio.model import Portfolio
from kpixl.readers import Grid, read_grids
from tests.packages import document, drawn, package, packed_workbook, pdf_stream, portable

TESTS = Path(__file__).resolve().parents[1]
EXAMPLE = TESTS.parent / "examples" / "sast-2026"
FORMS = [load_form("shanghai-target"), load_form("mini-form", [TESTS / "cases" / "forms"])]
SPREADSHEET = "urn:schemas-microsoft-com:office:spreadsheet"
MINI = """\
kpixl: 1
form: mini-form
year: 2031
projects:
- id: "07"
  title: Bridge
  owner: Roads
  kind: new
  begun: "2031-02-03"
  budget: {own: 5, grant: 7.25}
  story: A bridge.
  signed: {by: J. Smith, day: "2030-01-01"}
  milestones:
  - {stage: Build, step: Walls, what: Piers, due: "2031-05-05", cost: 3}
  risks:
  - {risk: Ice, chance: low}
"""


class Seed(NamedTuple):
    """Some content and the name it came under."""

    name: str
    content: bytes


def form_of(form_id: str) -> Form:
    """Return a form of the harness; any other name is refused as kpixl does."""
    return next((form for form in FORMS if form.id == form_id), None) or load_form(form_id)


def portfolios() -> list[tuple[Form, Portfolio]]:
    """Return two small portfolios, one of each form."""
    form, example = canonical.load(EXAMPLE / "2026.yaml", form_of)
    return [(form, replace(example, projects=example.projects[:2])), canonical.loads(MINI, form_of)]


def yaml_seeds() -> list[str]:
    """Return portfolios as text."""
    return [MINI, *(canonical.dumps(form, portfolio) for form, portfolio in portfolios())]


def file_seeds() -> list[Seed]:
    """Return the example's returned files and its form in every other kind of file."""
    returned = sorted(path for path in (EXAMPLE / "returned").rglob("*") if path.is_file() and path.name[0] != "~")
    seeds = [Seed(path.name, path.read_bytes()) for path in returned]
    sheets: list[Grid] = []
    for form, portfolio in portfolios():
        template = build_template(form, replace(portfolio, projects=portfolio.projects[:1]))
        seeds.append(Seed(f"{form.id}.xlsx", template))
        sheets.append(read_grids(template, "t.xlsx").grids[1])
    for number, grid in enumerate(sheets):
        page = _page(grid)
        seeds += [
            Seed(f"{number}.csv", _separated(grid, ",").encode("utf-8-sig")),
            Seed(f"{number}.txt", _separated(grid, "\t").encode("gb18030")),
            Seed(f"{number}.html", page.encode()),
            Seed(f"{number}.xls", _xml2003(grid)),
            Seed(f"{number}.docx", _document(grid)),
            Seed(f"{number}.xlsb", _packed(grid)),
            Seed(f"{number}.xlsx", _written_over(grid)),
        ]
    seeds.append(Seed("all.zip", package({seed.name: seed.content for seed in seeds[-8:]})))
    seeds += [Seed("1.pdf", _pdf(sheets[1])), Seed("2.pdf", _drawn())]
    # Files that are refused are seeds as well, but fewer: what they are is told before anything is read.
    containers = TESTS / "cases" / "containers"
    refused = [Seed(path.name, path.read_bytes()) for path in sorted(containers.iterdir()) if path.suffix in _REFUSED]
    return seeds * 4 + refused


_REFUSED = {".doc", ".docx", ".odt", ".mht", ".xls", ".html"}


def _rows(grid: Grid) -> Iterable[Sequence[str]]:
    return ([str(value) for value in row] for row in grid.rows)


def _separated(grid: Grid, delimiter: str) -> str:
    stream = io.StringIO(newline="")
    csv.writer(stream, delimiter=delimiter).writerows(_rows(grid))
    return stream.getvalue()


def _page(grid: Grid) -> str:
    spans = {(s.row, s.col): s for s in grid.merges()}
    out = ["<html><head><meta charset=utf-8></head><body><table>"]
    for r, row in enumerate(_rows(grid)):
        out.append("<tr>")
        for c, text in enumerate(row):
            span = spans.get((r, c))
            wide = f' rowspan="{span.last_row - r + 1}"' if span and span.last_row > r else ""
            out.append(f"<td{wide}>{escape(text)}</td>")
        out.append("</tr>")
    return "\n".join([*out, "</table></body></html>"])


def _xml2003(grid: Grid) -> bytes:
    def cell(text: str) -> str:
        return f'<Cell ss:MergeAcross="0"><Data ss:Type="String">{escape(text)}</Data></Cell>'

    rows = "".join(f'<Row ss:Index="{n}">{"".join(map(cell, row))}</Row>\n' for n, row in enumerate(_rows(grid), 1))
    head = f'<?xml version="1.0"?><Workbook xmlns="{SPREADSHEET}" xmlns:ss="{SPREADSHEET}">'
    return f'{head}<Worksheet ss:Name="t"><Table>{rows}</Table></Worksheet></Workbook>'.encode()


def _packed(grid: Grid) -> bytes:
    texts = {(r, c): text for r, row in enumerate(_rows(grid)) for c, text in enumerate(row) if text}
    return packed_workbook({place: text[:4_000] for place, text in texts.items()})


def _written_over(grid: Grid) -> bytes:
    """Make a workbook with notes and a box over the form, and with cells that ask for a second look."""
    stream = io.BytesIO()
    book = xlsxwriter.Workbook(stream, {"in_memory": True, "date_1904": True})
    sheet, percent = book.add_worksheet("t"), book.add_format({"num_format": "0%"})
    for r, row in enumerate(_rows(grid)):
        for c, text in enumerate(row):
            sheet.write_string(r, c, text)
    sheet.write_number("F13", 0.95, percent)
    sheet.write_formula("F14", "=100%", None, 1)
    sheet.write_formula("F15", "=1/0", None, "#DIV/0!")
    sheet.write_number("B5", 44561)
    sheet.write_comment("B4", "note", {"author": "A"})
    sheet.insert_textbox("C6", "box")
    book.close()
    return stream.getvalue()


def _document(grid: Grid) -> bytes:
    def cell(text: str) -> str:
        kept = "".join(c for c in text if c >= " ")
        return f'<w:tc><w:tcPr><w:gridSpan w:val="1"/></w:tcPr><w:p><w:r><w:t>{escape(kept)}</w:t></w:r></w:p></w:tc>'

    rows = "".join(f"<w:tr>{''.join(map(cell, row))}</w:tr>" for row in _rows(grid))
    return document(f"<w:p><w:r><w:t>2031</w:t></w:r></w:p><w:tbl>{rows}</w:tbl>")


def _drawn() -> bytes:
    """Draw a turned page with a group, a font that names radicals, and rules that are filled areas."""
    names = b"begincmap 1 begincodespacerange <00> <ff> endcodespacerange 1 beginbfchar <61> <2F6C> endbfchar endcmap"
    group = b"/Type /XObject /Subtype /Form /BBox [0 0 600 800] /Matrix [1 0 0 1 50 600]"
    drawing = b"0 0 200 1 re f 0 50 200 1 re f 0 0 1 50 re f 200 0 1 50 re f BT /F1 9 Tf 5 5 Td (a b) Tj ET"
    font = b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /ToUnicode 7 0 R >>"
    page = b"/Rotate 90 /Resources << /Font << /F1 8 0 R >> /XObject << /X 6 0 R >> >>"
    entries = group + b" /Resources << /Font << /F1 8 0 R >> >>"
    groups = [pdf_stream(drawing, entries), pdf_stream(names), font]
    return drawn(b"0 1 -1 0 600 0 cm /X Do q 2 0 0 2 0 -600 cm /X Do Q", page, 3, groups)


def _pdf(grid: Grid) -> bytes:
    """Draw a grid as a ruled table with a standard font; what is not ASCII is left out."""
    draw = []
    for r, row in enumerate(_rows(grid)):
        for c, text in enumerate(row[:5]):
            x, y = 20 + c * 90, 800 - r * 20
            kept = "".join(ch for ch in text if " " <= ch < "\x7f" and ch not in "\\()")
            draw.append(f"{x} {y} 90 20 re S BT /F1 6 Tf {x + 2} {y + 6} Td ({kept}) Tj ET")
    stream = "\n".join(draw).encode()
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 5 0 R"
        b" /Resources << /Font << /F1 4 0 R >> >> >>",
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream),
    ]
    return portable(objects)
