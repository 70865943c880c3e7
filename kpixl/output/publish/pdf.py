"""A publication as a tagged PDF, set by typst (the extra `kpixl[pdf]`): embedded fonts, bookmarks, page numbers.

How it looks is written in `page.typ` of the user's own design, of the form's own folder, or of `shared/`. The data goes
to it as JSON, never as source: whatever somebody typed into a form stays text.
"""

from __future__ import annotations

import difflib
import importlib.util
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from kpixl.forms.definition import Form
from kpixl.forms.load import folders, known_forms
from kpixl.forms.types import FIELD_TYPES
from kpixl.output.pages import show
from kpixl.output.publish.model import (
    PageForm,
    PageTable,
    Publication,
    draft_mark,
    is_amount,
    is_kept,
    is_long,
    long_fields,
)
from kpixl.output.publish.typesetting import Mistake, families, typeset
from kpixl.portfolio.flat_print import is_landscape, printed_widths
from kpixl.portfolio.print_layout import PrintedCell, PrintedRow
from kpixl.problems import KpixlError, failure
from kpixl.text_fit import text_lines
from kpixl.texts import Text

TEMPLATE = "page.typ"
SHARED = f"shared/{TEMPLATE}"
_PAGE_WIDTH, _PAGE_HEIGHT = 7.0, 660.0  # inches and points of an A4 page that a form surely has
_NAMED = 10  # characters that no font has, named in a message
_SHORT = 100  # characters that fit a page however narrow their cell is

# What is looked for where the form's own font is not installed; each has both simplified Chinese and Latin.
SERIF = (
    "SimSun",
    "NSimSun",
    "Songti SC",
    "Noto Serif CJK SC",
    "Source Han Serif SC",
    "Noto Serif SC",
    "AR PL UMing CN",
    "AR PL UMing",
    "FandolSong",
)
SANS = (
    "SimHei",
    "Microsoft YaHei",
    "PingFang SC",
    "Heiti SC",
    "Noto Sans CJK SC",
    "Source Han Sans SC",
    "Noto Sans SC",
    "WenQuanYi Zen Hei",
    "WenQuanYi Micro Hei",
    "FandolHei",
)


def check_installed() -> None:
    """Raise KpixlError `pdf-extra-missing` where typst is not installed."""
    if importlib.util.find_spec("typst") is None:
        raise failure("pdf-extra-missing")


def pdf_bytes(item: Publication, *, extra: Sequence[Path] = (), design: Path | None = None) -> bytes:
    """Set the publication. Raises KpixlError `pdf-no-font`, `font-missing` or `template-invalid`."""
    check_installed()
    template = _find_template(item.form.id, extra, design)
    installed = families()
    body = choose_font(str(item.form.fonts["body"]), SERIF, SANS, installed)
    heading = choose_font(str(item.form.fonts["heading"]), SANS, SERIF, installed)
    made = typeset(template, json.dumps(_data(item, body, heading), ensure_ascii=False))
    if isinstance(made, Mistake):
        raise _without_glyph(item, made) or _invalid(template, made)
    return made


# --- template and its mistakes ----------------------------------------------------------------


def _find_template(form_id: str, extra: Sequence[Path], design: Path | None) -> Path:
    own = known_forms(extra).get(form_id)
    places = [place / TEMPLATE for place in (design, own) if place is not None]
    places += [folder / SHARED for folder in folders(extra)]
    return next(path for path in places if path.is_file())


# What typst 0.14 writes where PDF/UA forbids the box that is drawn for a character without a glyph.
_NO_GLYPH = re.compile(r'the text `"(?P<text>[^`]+)"` could not be displayed')
_ESCAPED = re.compile(r"\\u\{([0-9a-f]{1,6})\}")


def _without_glyph(item: Publication, mistake: Mistake) -> KpixlError | None:
    """Name the text that no installed font can show and the project it is in; None for any other mistake."""
    found = _NO_GLYPH.search(mistake.message)
    if found is None:
        return None
    text = _ESCAPED.sub(lambda escape: chr(int(escape[1], 16)), found["text"])
    holds = (f.project.id for f in item.forms() if any(text in _shown(c) for b in f.blocks for c in _cells(b)))
    codes = " ".join(f"U+{ord(character):04X}" for character in text[:_NAMED])
    return failure("glyph-missing", text=text[:_NAMED], codes=codes, project=next(holds, "-"))


def _cells(block: PageTable) -> Iterator[PrintedCell]:
    return (cell for row in (*block.head, *block.body) for cell in row.cells)


_PICTURES = re.compile("[\u2400-\u241f]")


def _shown(cell: PrintedCell | str) -> str:
    """Print a cell or a text; few fonts have the pictures of control characters that pages show."""
    return _PICTURES.sub("\ufffd", show(cell)).replace("\t", " ")


_PLACE = re.compile(r"┌─ (?P<file>[^\n]*?):(?P<line>\d+):\d+")


def _invalid(template: Path, mistake: Mistake) -> KpixlError:
    """Name file and line of a mistake in a template; typst's message names the variable."""
    place = _PLACE.search(mistake.diagnostic)
    # typst names the file from where the command runs.
    named = Path(place["file"]).resolve() if place else template
    file = str(named if named.is_file() else template)
    reason = "; ".join((mistake.message, *mistake.hints))
    return failure("template-invalid", path=file, line=int(place["line"]) if place else 0, reason=reason)


# --- fonts ------------------------------------------------------------------------------------


_NAMES = {"宋体": "SimSun", "黑体": "SimHei", "仿宋": "FangSong", "楷体": "KaiTi", "微软雅黑": "Microsoft YaHei"}


def choose_font(wanted: str, first: Sequence[str], second: Sequence[str], installed: Sequence[str]) -> str:
    """Return the font that is wanted where it is installed, else the first that is of the two lists.

    A name that is none of Windows' own (宋体 ...) was chosen by somebody. Raises KpixlError `font-missing` where that
    is missing, `pdf-no-font` where nothing of the lists is installed.
    """
    known = {name.casefold(): name for name in installed}
    name = _NAMES.get(wanted, wanted)
    if (found := known.get(name.casefold())) is not None:
        return found
    if name == wanted and wanted not in (*SERIF, *SANS):
        near = difflib.get_close_matches(wanted, installed, 1, 0.4)
        suggestion: Text = (f"，例如“{near[0]}”", f", such as {near[0]}") if near else ("", "")
        raise failure("font-missing", font=wanted, suggestion=suggestion)
    for candidate in (*first, *second):
        if (found := known.get(candidate.casefold())) is not None:
            return found
    raise failure("pdf-no-font", fonts=", ".join((*first, *second)))


# --- the data ---------------------------------------------------------------------------------


def _data(item: Publication, body: str, heading: str) -> Mapping[str, object]:
    """Turn a publication into what the template reads; docs/publishing.md explains every key."""
    form, forms = item.form, _FormData(item.form)
    return {
        "lang": item.lang,
        "draft": item.draft,
        "mark": draft_mark() if item.draft else "",
        "heading": _shown(item.heading),
        "disclosure": _shown(item.disclosure),
        "words": item.words(),
        "fonts": {"body": body, "heading": heading, "size": form.fonts["size"], "title": form.fonts["title"]},
        "paper": form.paper.lower(),
        "margins": {side: form.margins.get(side, 0.6) for side in ("top", "right", "bottom", "left")},
        "landscape": is_landscape(form),
        "widths": list(printed_widths(form)),
        "columns": [
            {"heading": form.id_field.heading, "amount": False},
            *({"heading": c.heading, "amount": FIELD_TYPES[c.type].is_amount} for c in item.columns),
        ],
        "contents": [
            {"anchor": row.anchor, "texts": [_shown(text) for text in (row.id, *row.texts)]} for row in item.contents
        ],
        "total": item.total,
        "totals": [
            {
                "headings": [t.heading, item.word("count"), *([t.amount] if t.amount else [])],
                "rows": [
                    [_shown(name), str(count), *([amount] if t.amount else [])]
                    for name, count, amount in (*t.rows, (item.word("total"), *t.total))
                ],
            }
            for t in item.totals
        ],
        "forms": [forms.form(page) for page in item.forms()],
    }


class _FormData:
    """Turns the forms of one definition into data."""

    def __init__(self, form: Form) -> None:
        self._long, self._size = long_fields(form), float(form.fonts["size"])
        units = _PAGE_WIDTH * 72 * 96 / 72 / 7  # column units of Excel, in which text is measured
        self._widths = [width / sum(printed_widths(form)) * units for width in printed_widths(form)]

    def form(self, page: PageForm) -> Mapping[str, object]:
        rows = [row for block in page.blocks for row in (*block.head, *block.body)]
        # Where a text is longer than a page nothing is kept together: typst would print it over the edge of the paper.
        keeps = all(self._fits(cell) for row in rows for cell in row.cells)
        blocks = [
            {"head": list(self._cells(block.head, keeps)), "rows": list(self._cells(block.body, keeps))}
            for block in page.blocks
        ]
        titles = [{"kind": cell.kind, "text": _shown(cell)} for cell in page.titles]
        return {
            "anchor": page.anchor,
            "id": _shown(page.project.id),
            "name": _shown(page.name),
            "titles": titles,
            "blocks": blocks,
        }

    def _fits(self, cell: PrintedCell) -> bool:
        text = _shown(cell)
        if len(text) < _SHORT:
            return True
        size = self._size * (0.94 if is_long(cell, self._long) else 1)
        lines = text_lines(text, sum(self._widths[cell.col : cell.col + cell.columns]), size)
        return lines * size * 1.55 < _PAGE_HEIGHT

    def _cells(self, rows: Sequence[PrintedRow], keeps: bool) -> Iterator[Mapping[str, object]]:
        """Yield the cells of some rows from left to right, row by row, as typst places them."""
        for row in rows:
            for cell in row.cells:
                yield self._cell(cell, keeps)

    def _cell(self, cell: PrintedCell, keeps: bool) -> Mapping[str, object]:
        long = is_long(cell, self._long)
        look = "long" if long else "amount" if is_amount(cell) else cell.kind
        data: dict[str, object] = {"text": _shown(cell), "look": look}
        if keeps and (long or is_kept(cell)):
            data["kept"] = True
        if cell.vertical:
            data["vertical"] = True
        if cell.rows > 1:
            data["rows"] = cell.rows
        if cell.columns > 1:
            data["columns"] = cell.columns
        return data
