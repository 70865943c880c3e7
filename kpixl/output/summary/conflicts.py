"""The sheet 待决定: a row for every value that returned files contradict each other in, with a list to choose from.

What the office chooses there, with its reason, is read by the next run and recorded in decisions.yaml.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import zip_longest

from kpixl.a1 import Span
from kpixl.collection.settle import Offer, OpenConflict
from kpixl.forms.definition import Form, Value
from kpixl.output.summary.look import BORDER, FOOTER, TINT_DOUBT, TINT_HEADER
from kpixl.output.summary.marks import SummarySheet
from kpixl.output.workbook import Sheet
from kpixl.portfolio.wording import address_key, shown
from kpixl.text_fit import fitting_height
from kpixl.texts import Text, say

ROLE = "decide"
NAME: Text = ("待决定", "To decide")
PROJECT, CHOICE, REASON, FIELD, ROW = 0, 3, 4, 7, 8  # columns that are read again
FIRST = 9  # column of the first candidate; each has its value and where it was typed
HEAD = 2  # rows above the first contradiction
CANDIDATE: Text = ("候选 {number}", "Candidate {number}")
SENT: Text = ("下发时", "As sent out")
_SOURCE: Text = ("出处 {number}", "Source {number}")
_HEADINGS: tuple[tuple[Text, float], ...] = (
    (("项目编号", "Project"), 9),
    (("项目名称", "Name"), 24),
    (("填报项", "Item"), 26),
    (("选择", "Choice"), 14),
    (("理由", "Reason"), 24),
    (SENT, 24),
    (("已决定", "Decided"), 14),
    (("字段", "Field"), 16),
    (("行", "Row"), 22),
)
_HOW: Text = (
    "各份填报文件对下列内容填法不同。请在“选择”列从下拉列表中选定（也可直接填写应有的值），写明理由，"
    "保存本工作簿后再次汇总：选择即记入 decisions.yaml，并从本表消失。",
    "Returned files contradict each other in the values below. Choose one from the list in the column Choice (or type "
    "the value that it should have), give the reason, save this workbook and consolidate again: the choice is recorded "
    "in decisions.yaml and the row is gone.",
)
_PROMPT: Text = ("请选择采用哪一个候选，或直接填写应有的值。", "Choose a candidate, or type the right value.")
_VALUE_WIDTH, _SOURCE_WIDTH = 28.0, 30.0
_SIZE, _ROW_HEIGHT = 10.0, 20.0
_MAX_LIST = 255  # characters that Excel takes for a list


# What somebody typed into the columns Choice and Reason and that is no decision yet, by project, field and row.
Drafts = Mapping[tuple[str, str, str], tuple[str, str]]
NO_DRAFTS: Drafts = {}


def write_conflicts(
    sheet: Sheet, form: Form, conflicts: Sequence[OpenConflict], drafts: Drafts, lang: str
) -> SummarySheet:
    """Write the sheet."""
    most = max(len(conflict.offers) for conflict in conflicts)
    widths = [width for _, width in _HEADINGS] + [_VALUE_WIDTH, _SOURCE_WIDTH] * most
    rows: list[Sequence[Value]] = [[say(_HOW, lang)], _headings(most, lang)]
    rows += [_row(conflict, drafts, lang) for conflict in conflicts]
    _paint(sheet, form, rows, widths)
    for number, conflict in enumerate(conflicts, HEAD):
        options = [say(CANDIDATE, lang, number=n + 1) for n in range(len(conflict.offers))]
        _offer(sheet, number, [*options, say(SENT, lang)], lang)
    _set_up(sheet, widths, len(rows), lang)
    return SummarySheet(ROLE, sheet.name, tuple(rows))


def _headings(most: int, lang: str) -> list[Value]:
    headings: list[Value] = [say(text, lang) for text, _ in _HEADINGS]
    for number in range(1, most + 1):
        headings += [say(CANDIDATE, lang, number=number), say(_SOURCE, lang, number=number)]
    return headings


def _row(conflict: OpenConflict, drafts: Drafts, lang: str) -> list[Value]:
    address = conflict.address
    draft = drafts.get((conflict.project, address_key(address), address.row), ("", ""))
    decided = say(shown(conflict.decided), lang) if conflict.decided is not None else ""
    row: list[Value] = [conflict.project, conflict.name, conflict.label, *draft]
    row += [say(shown(conflict.sent), lang), decided, address_key(address), address.row]
    for offer in conflict.offers:
        row += [say(shown(offer.value), lang), _sources(offer)]
    return row


def _sources(offer: Offer) -> str:
    """Name every place where a candidate was typed, a line each: file, sheet, cell, when and by whom it was saved."""
    lines = []
    for place in offer.places:
        where = " › ".join(p for p in (place.location.file, place.location.sheet, place.location.address) if p)
        lines.append("  ".join(part for part in (where, place.date, place.editor) if part))
    return "\n".join(lines)


def _paint(sheet: Sheet, form: Form, rows: Sequence[Sequence[Value]], widths: Sequence[float]) -> None:
    book = sheet.book
    edge = {"border": 1, "border_color": BORDER, "text_wrap": True, "valign": "top"}
    header = book.format(**edge, bold=True, align="center", bg_color=TINT_HEADER, font_name=form.fonts["heading"])
    plain, choice = book.format(**edge, num_format="@"), book.format(**edge, num_format="@", bg_color=TINT_DOUBT)
    how = book.format(text_wrap=True, valign="top")
    sheet.merge(Span(0, 0, 0, FIRST - 1), rows[0][0], how)
    sheet.height(0, fitting_height(str(rows[0][0]), sum(widths[:FIRST]), _SIZE, _ROW_HEIGHT))
    sheet.write_row(1, rows[1], [header] * len(rows[1]))
    for number, row in enumerate(rows[HEAD:], HEAD):
        styles = [choice if col in (CHOICE, REASON) else plain for col in range(len(row))]
        sheet.write_row(number, row, styles)
        heights = (fitting_height(str(v or ""), w, _SIZE, _ROW_HEIGHT) for v, w in zip_longest(row, widths[: len(row)]))
        sheet.height(number, max(heights))


def _offer(sheet: Sheet, row: int, options: Sequence[str], lang: str) -> None:
    """Add the list to choose from; where Excel takes no list as long, the first of them. Anything may be typed."""
    fitting = [option for n, option in enumerate(options) if len(",".join(options[: n + 1])) <= _MAX_LIST]
    rule = {
        "validate": "list",
        "source": fitting,
        "error_type": "information",
        "show_error": False,
        "input_title": say(_HEADINGS[CHOICE][0], lang),
        "input_message": say(_PROMPT, lang),
    }
    sheet.validate(Span(row, CHOICE, row, CHOICE), rule)


def _set_up(sheet: Sheet, widths: Sequence[float], rows: int, lang: str) -> None:
    raw = sheet.raw
    sheet.widths(widths)
    raw.autofilter(1, 0, max(rows - 1, 1), len(widths) - 1)
    raw.freeze_panes(HEAD, CHOICE)
    raw.set_landscape()
    raw.set_paper(9)
    raw.fit_to_pages(1, 0)
    raw.repeat_rows(1)
    raw.set_footer(say(FOOTER, lang))
