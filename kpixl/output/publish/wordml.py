"""Pieces of WordprocessingML as text. What every form has in common is written once and kept."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from xml.sax.saxutils import escape

from kpixl.output.pages import show

NAMESPACES = (
    'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main" '
    'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships" '
    'xmlns:v="urn:schemas-microsoft-com:vml" xmlns:o="urn:schemas-microsoft-com:office:office"'
)


def run(text: str) -> str:
    """Write a text as one run, its line ends as breaks."""
    lines = '</w:t><w:br/><w:t xml:space="preserve">'.join(escape(show(line)) for line in text.split("\n"))
    return f'<w:r><w:t xml:space="preserve">{lines}</w:t></w:r>'


def field(code: str, shown: str) -> str:
    """Write a field; Word computes it anew when it opens the file, and shows `shown` until then."""
    return (
        '<w:r><w:fldChar w:fldCharType="begin" w:dirty="true"/></w:r>'
        f'<w:r><w:instrText xml:space="preserve"> {code} </w:instrText></w:r>'
        f'<w:r><w:fldChar w:fldCharType="separate"/></w:r><w:r><w:t>{shown}</w:t></w:r>'
        '<w:r><w:fldChar w:fldCharType="end"/></w:r>'
    )


def paragraph(style: str, content: str) -> str:
    """Write a paragraph in a named style; `content` is XML."""
    return f'<w:p><w:pPr><w:pStyle w:val="{style.replace(" ", "")}"/></w:pPr>{content}</w:p>'


def link(anchor: str, content: str) -> str:
    """Write a link to a bookmark; `content` is XML."""
    return f'<w:hyperlink w:anchor="{anchor}" w:history="1">{content}</w:hyperlink>'


@lru_cache(maxsize=4096)
def cell_head(width: int, columns: int, merge: str, vertical: bool, align: str, style: str, kept: bool = False) -> str:
    """Write what comes before a cell's text; the same few are in every form."""
    parts = [f'<w:tcW w:w="{width}" w:type="dxa"/>']
    if columns > 1:
        parts.append(f'<w:gridSpan w:val="{columns}"/>')
    if merge:
        parts.append('<w:vMerge w:val="restart"/>' if merge == "restart" else "<w:vMerge/>")
    if vertical:
        parts.append('<w:textDirection w:val="tbRlV"/>')
    parts.append(f'<w:vAlign w:val="{align}"/>')
    with_next = "<w:keepNext/>" if kept else ""
    return f'<w:tc><w:tcPr>{"".join(parts)}</w:tcPr><w:p><w:pPr><w:pStyle w:val="{style}"/>{with_next}</w:pPr>'


@lru_cache(maxsize=1024)
def row_head(height: float, *, repeats: bool = False) -> str:
    """Write what comes before a row's cells: `height` in points; one that `repeats` is on every page of its table.

    No row goes over the end of a page, unless it is higher than one.
    """
    repeated = "<w:tblHeader/>" if repeats else ""
    return (
        f'<w:tr><w:trPr><w:cantSplit/><w:trHeight w:val="{round(height * 20)}" w:hRule="atLeast"/>{repeated}</w:trPr>'
    )


def table_head(widths: Sequence[int], caption: str, *, ruled: bool) -> str:
    """Begin a table: every cell ruled, as in the official form, or only lines between the rows."""
    sides = ("top", "left", "bottom", "right", "insideH", "insideV") if ruled else ("top", "bottom", "insideH")
    borders = "".join(f'<w:{s} w:val="single" w:sz="4" w:space="0" w:color="333333"/>' for s in sides)
    margins = '<w:left w:w="70" w:type="dxa"/><w:right w:w="70" w:type="dxa"/>'
    grid = "".join(f'<w:gridCol w:w="{width}"/>' for width in widths)
    return (
        f'<w:tbl><w:tblPr><w:tblW w:w="{sum(widths)}" w:type="dxa"/><w:jc w:val="center"/>'
        f'<w:tblBorders>{borders}</w:tblBorders><w:tblLayout w:type="fixed"/><w:tblCellMar>{margins}</w:tblCellMar>'
        f'<w:tblCaption w:val="{escape(show(" ".join(caption.split())), {chr(34): "&quot;"})}"/></w:tblPr>'
        f"<w:tblGrid>{grid}</w:tblGrid>"
    )
