"""The package of a Word document: named styles, fonts, header and footer, and a place for the body.

The only module besides `readers.docx` that imports python-docx.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from docx import Document
from docx.enum.section import WD_ORIENT
from docx.enum.style import WD_STYLE_TYPE
from docx.oxml.parser import parse_xml
from docx.shared import Inches, Mm, Pt

from kpixl.forms.definition import Form
from kpixl.output.pages import show
from kpixl.output.publish.model import Publication
from kpixl.output.publish.wordml import NAMESPACES, field, run
from kpixl.portfolio.flat_print import is_landscape
from kpixl.problems import failure

DESIGN = "page.docx"  # of the user's own design: its styles, header and footer are kept
CREATED = datetime(2026, 1, 1)  # equal publications give equal bytes
PAPERS: Mapping[str, tuple[int, int]] = {"A4": (210, 297), "A3": (297, 420)}  # millimetres
_BODY = "kpixl-body"  # the paragraph of the package that gives way to the body
_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"

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


def with_body(document: str, body: str) -> str:
    """Put the body in place of the paragraph that keeps its place."""
    place = document.index(_BODY)
    first, last = document.rindex("<w:p>", 0, place), document.index("</w:p>", place) + len("</w:p>")
    return document[:first] + body + document[last:]


def empty_package(item: Publication, design: Path | None) -> bytes:
    """Make the document without its body. Raises KpixlError `template-invalid` where the design's cannot be read."""
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
    document.element.body.insert(0, parse_xml(f"<w:p {NAMESPACES}><w:r><w:t>{_BODY}</w:t></w:r></w:p>"))
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
        defaults.append(parse_xml(f'<w:{tag} {NAMESPACES} w:val="{half_points}"/>'))
    defaults.append(parse_xml(f'<w:lang {NAMESPACES} w:val="en-US" w:eastAsia="zh-CN" w:bidi="ar-SA"/>'))


def _run_fonts(font: str) -> Any:
    quoted = escape(font, {'"': "&quot;"})
    names = " ".join(f'w:{script}="{quoted}"' for script in ("ascii", "hAnsi", "eastAsia", "cs"))
    return parse_xml(f"<w:rFonts {NAMESPACES} {names}/>")


def _page(section: Any, form: Form) -> None:
    width, height = paper_size(form)
    section.page_width, section.page_height = Mm(width), Mm(height)
    section.orientation = WD_ORIENT.LANDSCAPE if is_landscape(form) else WD_ORIENT.PORTRAIT
    for side in ("top", "right", "bottom", "left"):
        setattr(section, f"{side}_margin", Inches(margin(form, side)))
    section.header_distance = section.footer_distance = Inches(0.35)


def paper_size(form: Form) -> tuple[int, int]:
    """Return width and height of a page in millimetres."""
    width, height = PAPERS.get(form.paper, PAPERS["A4"])
    return (height, width) if is_landscape(form) else (width, height)


def margin(form: Form, side: str) -> float:
    """Return the margin on a side, in inches."""
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
        head.text = show(item.word("draft") if item.draft else item.heading)
        before, between, after = _around_numbers(item)
        foot.text = ""
        for text, code in ((before, "PAGE"), (between, "NUMPAGES"), (after, "")):
            for element in _runs(f"{run(text) if text else ''}{field(code, '1') if code else ''}"):
                foot._p.append(element)
    if item.draft:
        section.header.paragraphs[0]._p.append(parse_xml(_watermark(item.word("draft"))))


def _around_numbers(item: Publication) -> tuple[str, str, str]:
    before, _, rest = item.word("page_of", page="\0", pages="\1").partition("\0")
    between, _, after = rest.partition("\1")
    return before, between, after


def _runs(text: str) -> list[Any]:
    return list(parse_xml(f"<w:p {NAMESPACES}>{text}</w:p>"))


def _watermark(text: str) -> str:
    """Draw a text across the page, behind everything: as Word's own watermarks are drawn."""
    shape = (
        "position:absolute;margin-left:0;margin-top:0;width:460pt;height:115pt;rotation:315;z-index:-251658752;"
        "mso-position-horizontal:center;mso-position-horizontal-relative:margin;"
        "mso-position-vertical:center;mso-position-vertical-relative:margin"
    )
    return (
        f'<w:r {NAMESPACES}><w:rPr><w:noProof/></w:rPr><w:pict><v:shapetype id="_x0000_t136" coordsize="21600,21600" '
        'o:spt="136" adj="10800" path="m@7,l@8,m@5,21600l@6,21600e"><v:formulas><v:f eqn="sum #0 0 10800"/>'
        '<v:f eqn="prod #0 2 1"/><v:f eqn="sum 21600 0 @1"/><v:f eqn="sum 0 0 @2"/><v:f eqn="sum 21600 0 @3"/>'
        '<v:f eqn="if @0 @3 0"/><v:f eqn="if @0 21600 @1"/><v:f eqn="if @0 0 @2"/><v:f eqn="if @0 @4 21600"/>'
        '</v:formulas><v:path textpathok="t" o:connecttype="rect"/><v:textpath on="t" fitshape="t"/></v:shapetype>'
        f'<v:shape id="kpixl-draft" o:spid="_x0000_s2049" type="#_x0000_t136" style="{shape}" o:allowincell="f" '
        'fillcolor="#c00000" stroked="f"><v:fill opacity=".2"/>'
        f'<v:textpath style="font-family:&quot;SimHei&quot;;font-size:1pt" string="{escape(text)}"/></v:shape>'
        "</w:pict></w:r>"
    )
