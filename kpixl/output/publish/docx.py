"""A publication as a Word document: real tables with the official merges, named styles, page numbers that Word fills in.

python-docx makes the package (styles, header, footer, properties). The body is written as text and put into the
package afterwards: element by element, a thousand forms with their 150,000 cells would take minutes, so they take
seconds. What every form has in common (cell properties) is written once and kept.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from docx import Document
from docx.enum.style import WD_STYLE_TYPE
from docx.oxml.parser import parse_xml
from docx.shared import Inches, Mm, Pt

from kpixl.forms.types import FIELD_TYPES
from kpixl.model import Form
from kpixl.output.publish.model import PageForm, Publication, TotalsTable, is_amount, is_long, long_fields
from kpixl.pages import show
from kpixl.printed import PrintedCell, PrintedRow
from kpixl.problems import failure
from kpixl.sheets import text_lines

DESIGN = "page.docx"  # of the user's own design: its styles, header and footer are kept
CREATED = datetime(2026, 1, 1)  # equal publications give equal bytes
ZIP_TIME = (1980, 1, 1, 0, 0, 0)
_BODY = "kpixl-body"  # the paragraph of the package that gives way to the body
_NS = (
    'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main" '
    'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships" '
    'xmlns:v="urn:schemas-microsoft-com:vml" xmlns:o="urn:schemas-microsoft-com:office:office"'
)
_PAPER = {"A4": (210, 297), "A3": (297, 420)}  # millimetres
_TWIPS = 1440  # per inch
_LEAST_ROW = 20.0  # points, as in the official form

# Paragraph styles: name -> (based on, size relative to the form's, bold font?, alignment, points before and after)
_STYLES = {
    "Form Title": (1.6, True, "center", 0, 2),
    "Form Subtitle": (1.05, False, "center", 0, 4),
    "Form Label": (1.0, False, "center", 0, 0),
    "Form Heading": (1.0, True, "center", 0, 0),
    "Form Value": (1.0, False, "center", 0, 0),
    "Form Amount": (1.0, False, "right", 0, 0),
    "Form Text": (0.94, False, "both", 2, 2),
    "Contents Entry": (1.0, False, "left", 2, 2),
    "Contents Amount": (1.0, False, "right", 2, 2),
    "Contents Heading": (1.4, True, "center", 14, 8),
    "Disclosure": (1.15, False, "both", 8, 4),
    "Draft Note": (1.2, True, "center", 4, 4),
}


def docx_bytes(item: Publication, *, design: Path | None = None) -> bytes:
    """Write the publication as a document. Raises KpixlError `template-invalid` where the design's cannot be read."""
    package = _package(item, design)
    body = "".join(_body(item))
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(package)) as made, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as whole:
        for name in made.namelist():
            content = made.read(name)
            if name == "word/document.xml":
                content = _with_body(content.decode(), body).encode()
            whole.writestr(zipfile.ZipInfo(name, ZIP_TIME), content, zipfile.ZIP_DEFLATED, 6)
    return out.getvalue()


def _with_body(document: str, body: str) -> str:
    """Put the body in place of the paragraph that keeps its place."""
    place = document.index(_BODY)
    first, last = document.rindex("<w:p>", 0, place), document.index("</w:p>", place) + len("</w:p>")
    return document[:first] + body + document[last:]


# --- the package: styles, header, footer ------------------------------------------------------


def _package(item: Publication, design: Path | None) -> bytes:
    own = design / DESIGN if design is not None and (design / DESIGN).is_file() else None
    try:
        document: Any = Document(str(own) if own else None)
    except Exception as error:  # whatever python-docx meets in a file that is no document of Word's
        raise failure("template-invalid", path=str(own), line=0, reason=str(error)) from error
    for element in list(document.element.body):
        if not element.tag.endswith("}sectPr"):
            document.element.body.remove(element)
    _properties(document.core_properties, item)
    if own is None:
        _fonts(document, item.form)
        _page(document.sections[0], item.form)
    _styles(document, item.form, keep=own is not None)
    _head_and_foot(document.sections[0], item, keep=own is not None)
    document.element.body.insert(0, parse_xml(f"<w:p {_NS}><w:r><w:t>{_BODY}</w:t></w:r></w:p>"))
    made = io.BytesIO()
    document.save(made)
    return made.getvalue()


def _properties(core: Any, item: Publication) -> None:
    core.title, core.author, core.last_modified_by = item.heading[:255], "kpixl", "kpixl"
    core.subject, core.keywords, core.comments = item.form.title[:255], "", ""
    core.created = core.modified = CREATED
    core.language = "zh-CN"
    core.revision = 1


def _fonts(document: Any, form: Form) -> None:
    """Name the form's font for every script; Word's theme would choose another one for Chinese."""
    defaults = document.styles.element.find(f"{_W}docDefaults/{_W}rPrDefault/{_W}rPr")
    for old in list(defaults):
        defaults.remove(old)
    defaults.append(_run_fonts(str(form.fonts["body"])))
    half_points = round(2 * float(form.fonts["size"]))
    for tag in ("sz", "szCs"):
        defaults.append(parse_xml(f'<w:{tag} {_NS} w:val="{half_points}"/>'))
    defaults.append(parse_xml(f'<w:lang {_NS} w:val="en-US" w:eastAsia="zh-CN" w:bidi="ar-SA"/>'))


_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"


def _run_fonts(font: str) -> Any:
    quoted = escape(font, {'"': "&quot;"})
    names = " ".join(f'w:{script}="{quoted}"' for script in ("ascii", "hAnsi", "eastAsia", "cs"))
    return parse_xml(f"<w:rFonts {_NS} {names}/>")


def _page(section: Any, form: Form) -> None:
    width, height = _PAPER.get(form.paper, _PAPER["A4"])
    section.page_width, section.page_height = Mm(width), Mm(height)
    for side in ("top", "right", "bottom", "left"):
        setattr(section, f"{side}_margin", Inches(_margin(form, side)))
    section.header_distance = section.footer_distance = Inches(0.35)


def _margin(form: Form, side: str) -> float:
    # The head and the foot of the page need room of their own.
    return max(form.margins.get(side, 0.6), 0.8 if side in ("top", "bottom") else 0.4)


def _styles(document: Any, form: Form, *, keep: bool) -> None:
    """Make the named styles; those that the user's own design has stay as they are."""
    styles = document.styles
    there = {style.name for style in styles}
    for name, (size, strong, align, before, after) in _STYLES.items():
        if not (keep and name in there):
            style = styles[name] if name in there else styles.add_style(name, WD_STYLE_TYPE.PARAGRAPH)
            style.base_style = styles["Normal"]
            _set_style(style, form, size, strong=strong, align=align, space=(before, after))
    if keep:
        return
    _set_style(styles["Title"], form, float(form.fonts["title"]) * 1.25 / float(form.fonts["size"]), strong=True)
    _set_style(styles["Heading 1"], form, 0.9, strong=False, align="left", space=(0, 2))
    styles["Heading 1"].paragraph_format.page_break_before = True
    for name in ("Header", "Footer"):
        _set_style(styles[name], form, 0.9, strong=False)


def _set_style(
    style: Any,
    form: Form,
    size: float,
    *,
    strong: bool,
    align: str = "center",
    space: tuple[float, float] = (0, 6),
) -> None:
    properties = style.element.get_or_add_rPr()
    for old in list(properties):
        properties.remove(old)
    properties.append(_run_fonts(str(form.fonts["heading" if strong else "body"])))
    style.font.size = Pt(round(2 * size * float(form.fonts["size"])) / 2)
    paragraph = style.element.get_or_add_pPr()
    for tag in ("pBdr", "numPr", "contextualSpacing", "jc"):
        for old in paragraph.findall(_W + tag):
            paragraph.remove(old)
    layout = style.paragraph_format
    layout.space_before, layout.space_after = Pt(space[0]), Pt(space[1])
    layout.line_spacing = 1.15
    layout.alignment = {"left": 0, "center": 1, "right": 2, "both": 3}[align]


def _head_and_foot(section: Any, item: Publication, *, keep: bool) -> None:
    if not keep:
        head, foot = section.header.paragraphs[0], section.footer.paragraphs[0]
        head.text = _clean(item.word("draft") if item.draft else item.heading)
        before, between, after = _around_numbers(item)
        foot.text = ""
        for text, field in ((before, "PAGE"), (between, "NUMPAGES"), (after, "")):
            for run in _runs(f"{_run(text) if text else ''}{_field(field, '1') if field else ''}"):
                foot._p.append(run)
    if item.draft:
        section.header.paragraphs[0]._p.append(parse_xml(_watermark(item.word("draft"))))


def _around_numbers(item: Publication) -> tuple[str, str, str]:
    before, _, rest = item.word("page_of", page="\0", pages="\1").partition("\0")
    between, _, after = rest.partition("\1")
    return before, between, after


def _runs(text: str) -> list[Any]:
    return list(parse_xml(f"<w:p {_NS}>{text}</w:p>"))


def _watermark(text: str) -> str:
    """Draw a text across the page, behind everything: as Word's own watermarks are drawn."""
    shape = (
        "position:absolute;margin-left:0;margin-top:0;width:460pt;height:115pt;rotation:315;z-index:-251658752;"
        "mso-position-horizontal:center;mso-position-horizontal-relative:margin;"
        "mso-position-vertical:center;mso-position-vertical-relative:margin"
    )
    return (
        f'<w:r {_NS}><w:rPr><w:noProof/></w:rPr><w:pict><v:shapetype id="_x0000_t136" coordsize="21600,21600" '
        'o:spt="136" adj="10800" path="m@7,l@8,m@5,21600l@6,21600e"><v:formulas><v:f eqn="sum #0 0 10800"/>'
        '<v:f eqn="prod #0 2 1"/><v:f eqn="sum 21600 0 @1"/><v:f eqn="sum 0 0 @2"/><v:f eqn="sum 21600 0 @3"/>'
        '<v:f eqn="if @0 @3 0"/><v:f eqn="if @0 21600 @1"/><v:f eqn="if @0 0 @2"/><v:f eqn="if @0 @4 21600"/>'
        '</v:formulas><v:path textpathok="t" o:connecttype="rect"/><v:textpath on="t" fitshape="t"/></v:shapetype>'
        f'<v:shape id="kpixl-draft" o:spid="_x0000_s2049" type="#_x0000_t136" style="{shape}" o:allowincell="f" '
        'fillcolor="#c00000" stroked="f"><v:fill opacity=".2"/>'
        f'<v:textpath style="font-family:&quot;SimHei&quot;;font-size:1pt" string="{escape(text)}"/></v:shape>'
        "</w:pict></w:r>"
    )


# --- pieces of XML ----------------------------------------------------------------------------


def _clean(text: str) -> str:
    return show(text)


def _run(text: str) -> str:
    """Write a text as one run, its line ends as breaks."""
    lines = '</w:t><w:br/><w:t xml:space="preserve">'.join(escape(_clean(line)) for line in text.split("\n"))
    return f'<w:r><w:t xml:space="preserve">{lines}</w:t></w:r>'


def _field(code: str, shown: str) -> str:
    """Write a field; Word computes it anew when it opens the file, and shows `shown` until then."""
    return (
        '<w:r><w:fldChar w:fldCharType="begin" w:dirty="true"/></w:r>'
        f'<w:r><w:instrText xml:space="preserve"> {code} </w:instrText></w:r>'
        f'<w:r><w:fldChar w:fldCharType="separate"/></w:r><w:r><w:t>{shown}</w:t></w:r>'
        '<w:r><w:fldChar w:fldCharType="end"/></w:r>'
    )


def _paragraph(style: str, content: str) -> str:
    return f'<w:p><w:pPr><w:pStyle w:val="{style.replace(" ", "")}"/></w:pPr>{content}</w:p>'


def _link(anchor: str, content: str) -> str:
    return f'<w:hyperlink w:anchor="{anchor}" w:history="1">{content}</w:hyperlink>'


@lru_cache(maxsize=4096)
def _cell_head(width: int, columns: int, merge: str, vertical: bool, align: str, style: str) -> str:
    """Write what comes before a cell's text; the same few are in every form."""
    parts = [f'<w:tcW w:w="{width}" w:type="dxa"/>']
    if columns > 1:
        parts.append(f'<w:gridSpan w:val="{columns}"/>')
    if merge:
        parts.append('<w:vMerge w:val="restart"/>' if merge == "restart" else "<w:vMerge/>")
    if vertical:
        parts.append('<w:textDirection w:val="tbRlV"/>')
    parts.append(f'<w:vAlign w:val="{align}"/>')
    return f'<w:tc><w:tcPr>{"".join(parts)}</w:tcPr><w:p><w:pPr><w:pStyle w:val="{style}"/></w:pPr>'


@lru_cache(maxsize=1024)
def _row_head(height: float, splits: bool, repeats: bool = False) -> str:
    kept = "" if splits else "<w:cantSplit/>"
    repeated = "<w:tblHeader/>" if repeats else ""
    return f'<w:tr><w:trPr>{kept}<w:trHeight w:val="{round(height * 20)}" w:hRule="atLeast"/>{repeated}</w:trPr>'


def _table_head(widths: Sequence[int], caption: str, *, ruled: bool) -> str:
    """Begin a table: every cell ruled, as in the official form, or only lines between the rows."""
    sides = ("top", "left", "bottom", "right", "insideH", "insideV") if ruled else ("top", "bottom", "insideH")
    borders = "".join(f'<w:{s} w:val="single" w:sz="4" w:space="0" w:color="333333"/>' for s in sides)
    margins = '<w:left w:w="70" w:type="dxa"/><w:right w:w="70" w:type="dxa"/>'
    grid = "".join(f'<w:gridCol w:w="{width}"/>' for width in widths)
    return (
        f'<w:tbl><w:tblPr><w:tblW w:w="{sum(widths)}" w:type="dxa"/><w:jc w:val="center"/>'
        f'<w:tblBorders>{borders}</w:tblBorders><w:tblLayout w:type="fixed"/><w:tblCellMar>{margins}</w:tblCellMar>'
        f'<w:tblCaption w:val="{escape(_clean(" ".join(caption.split())), {chr(34): "&quot;"})}"/></w:tblPr>'
        f"<w:tblGrid>{grid}</w:tblGrid>"
    )


# --- the body ---------------------------------------------------------------------------------


def _body(item: Publication) -> Iterator[str]:
    printer = _Printer(item.form)
    forms = [(form, *printer.form(form, number)) for number, form in enumerate(item.forms(), 1)]
    yield _paragraph("Title", _run(item.heading))
    if item.draft:
        yield _paragraph("Draft Note", _run(item.word("draft_note")))
    if item.disclosure:
        yield _paragraph("Disclosure", _run(item.disclosure))
    for table in item.totals:
        yield from printer.totals(table, item)
    yield from printer.contents(item, [pages for _, _, pages in forms])
    yield from (text for _, text, _ in forms)


class _Printer:
    """Writes the forms of one definition; widths are in twips."""

    def __init__(self, form: Form) -> None:
        self._form, self._long = form, long_fields(form)
        width, height = (_PAPER.get(form.paper, _PAPER["A4"])[n] / 25.4 for n in (0, 1))
        self._room = round((width - _margin(form, "left") - _margin(form, "right")) * _TWIPS)
        self._height = (height - _margin(form, "top") - _margin(form, "bottom")) * 72
        self._widths = _shares(form.layout.widths, self._room)
        self._size = float(form.fonts["size"])

    def form(self, item: PageForm, number: int) -> tuple[str, int]:
        """Write the form of one project on a page of its own; return how many pages it takes, as far as one can tell."""
        rows = [row for block in item.blocks for row in (*block.head, *block.body)]
        first = rows[0].cells[0].row if rows else 0
        name = f"{item.project.id} {item.name}"
        pieces = [
            f'<w:p><w:pPr><w:pStyle w:val="Heading1"/></w:pPr><w:bookmarkStart w:id="{number}" '
            f'w:name="{_bookmark(number)}"/>{_run(name)}<w:bookmarkEnd w:id="{number}"/></w:p>'
        ]
        pieces += [_paragraph("Form Title" if c.kind == "title" else "Form Subtitle", _run(show(c))) for c in item.titles]
        pieces.append(_table_head(self._widths, name, ruled=True))
        height = 70.0
        hanging: list[PrintedCell] = []
        for index, row in enumerate(rows, first):
            hanging = [cell for cell in hanging if cell.row + cell.rows > index]
            text, points = self._row(row, index, hanging)
            pieces.append(text)
            height += points
            hanging += [cell for cell in row.cells if cell.rows > 1]
        pieces.append("</w:tbl>")
        return "".join(pieces), max(1, -int(-height // self._height))

    def _row(self, row: PrintedRow, index: int, hanging: Sequence[PrintedCell]) -> tuple[str, float]:
        """Write one row: the cells that begin in it, and the rest of those that hang down into it."""
        splits = any(is_long(cell, self._long) for cell in row.cells)
        pieces = [_row_head(row.height or _LEAST_ROW, splits)]
        lines = 1
        for cell in sorted((*row.cells, *hanging), key=lambda cell: cell.col):
            width = sum(self._widths[cell.col : cell.col + cell.columns])
            begins = cell.row == index
            text = show(cell) if begins else ""
            pieces.append(_cell_head(width, cell.columns, _merge(cell, begins), cell.vertical, *self._look(cell)))
            pieces.append(f"{_run(text)}</w:p></w:tc>" if text else "</w:p></w:tc>")
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
        rows = [(name, str(number), amount) for name, number, amount in (*table.rows, (item.word("total"), *table.total))]
        yield _paragraph("Disclosure", "")
        yield _table_head(widths, table.heading, ruled=False)
        for number, texts in enumerate([(table.heading, count, table.amount), *rows]):
            yield _plain_row(widths, texts[: len(widths)], amounts=(1, 2), repeats=number == 0)
        yield "</w:tbl>"

    def contents(self, item: Publication, pages: Sequence[int]) -> Iterator[str]:
        """Write the table of contents; its page numbers are fields, with what is likely in them until they are updated."""
        shares = [9.0, *(_SHARES.get(n, 14.0) for n in range(len(item.columns))), 7.0]
        widths = _shares(shares, self._room)
        amounts = [n for n, column in enumerate(item.columns, 1) if FIELD_TYPES[column.type].is_amount] + [len(widths) - 1]
        yield _paragraph("Contents Heading", _run(item.word("contents")))
        yield _table_head(widths, item.word("contents"), ruled=False)
        headings = [item.form.id_field.heading, *(c.heading for c in item.columns), item.word("page")]
        yield _plain_row(widths, headings, amounts=amounts, repeats=True)
        page = 1 - int(-(160 + 24 * (len(item.contents) + sum(len(t.rows) + 3 for t in item.totals))) // self._height)
        for number, (row, taken) in enumerate(zip(item.contents, pages, strict=True), 1):
            anchor = _bookmark(number)
            cells = [_run(row.id), *map(_run, row.texts), _field(f"PAGEREF {anchor} \\h", str(page))]
            cells[1] = _link(anchor, _run(row.texts[0] or row.id))
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
    pieces = [_row_head(18, False, repeats)]
    for number, (width, text) in enumerate(zip(widths, texts, strict=True)):
        style = "ContentsAmount" if number in right else "ContentsEntry"
        pieces.append(_cell_head(width, 1, "", False, "center", style))
        pieces.append(f"{text if ready else _run(text) if text else ''}</w:p></w:tc>")
    return "".join((*pieces, "</w:tr>"))


def _merge(cell: PrintedCell, begins: bool) -> str:
    return "" if cell.rows == 1 else "restart" if begins else "continue"


def _bookmark(number: int) -> str:
    return f"project_{number}"


def _shares(widths: Sequence[float], room: int) -> tuple[int, ...]:
    return tuple(round(room * width / sum(widths)) for width in widths)
