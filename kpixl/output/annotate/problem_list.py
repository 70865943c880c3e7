"""The sheet 问题清单: every problem of one file, by sheet, with links to the cells. Also a workbook by itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from kpixl.a1 import CellRef, Span
from kpixl.collection.intake import problem_list
from kpixl.output.annotate.notes import TINTS, rank
from kpixl.output.workbook import Book, Sheet
from kpixl.problems import Problem, Severity
from kpixl.problems.words import SEVERITY_WORDS
from kpixl.text_fit import fitting_height
from kpixl.texts import Text, say

NAME: Text = ("问题清单", "Problems")
MAX_ROWS = 5_000  # more problems than anybody works through; the rest is counted
COLUMNS: tuple[tuple[Text, float], ...] = (
    (("序号", "No."), 5),
    (("级别", "Level"), 7),
    (("单元格", "Cell"), 8),
    (("填报项", "Item"), 18),
    (("发现的问题", "What was found"), 52),
    (("请这样修改", "What to do"), 52),
)
WIDTHS = tuple(width for _, width in COLUMNS)
LAST = len(COLUMNS) - 1
SIZE = 10  # points
_TITLE: Text = ("问题清单：{file}", "Problems: {file}")
_COUNTS: Text = (
    "错误 {errors} 项，警告 {warnings} 项，提示 {notes} 项。",
    "{errors} errors, {warnings} warnings, {notes} notes. ",
)
_HOW_MARKED: Text = (
    "点击单元格地址可跳到该处；表中有颜色的单元格带有批注，说明问题和改法。错误必须修改，警告请核对，提示仅供参考。"
    "请直接在本文件中修改，保存后发回；本表和颜色、批注不影响汇总，不必删除。",
    "A click on a cell's address leads there; tinted cells carry a note with problem and remedy. Errors must be "
    "corrected, warnings checked; notes are for information. Correct this very file, save it and send it back; this "
    "sheet, the tints and the notes do not matter when it is read and may stay.",
)
_HOW_LISTED: Text = (
    "{reason}，所以问题列在这里。请在原文件中修改，保存后发回。错误必须修改，警告请核对，提示仅供参考。",
    "{reason}, so the problems are listed here. Correct the original, save it and send it back. Errors must be "
    "corrected, warnings checked; notes are for information.",
)
_WHOLE_FILE: Text = ("整个文件", "The whole file")
_SHEET: Text = ("工作表：{sheet}", "Sheet: {sheet}")
_MORE: Text = ("……另有 {count} 项未列出。", "... and {count} more.")


@dataclass(frozen=True, slots=True)
class Group:
    """The problems of one sheet, errors first; `sheet` is None for what is about the whole file.

    All are listed; errors are marked in the sheet, and with `everything` the others too.
    """

    sheet: str | None
    problems: tuple[Problem, ...]
    everything: bool = False

    @property
    def marked(self) -> tuple[Problem, ...]:
        """Return the problems that are marked in the sheet."""
        return tuple(p for p in self.problems if self.everything or p.severity is Severity.ERROR)


class ListRow(NamedTuple):
    """A row of the list. `kind`: title, how, headings, group, problem, more; a problem has a text for each column.

    `height` in points shows all of it; `link` is the (sheet, cell) that the address leads to.
    """

    kind: str
    texts: tuple[str, ...]
    height: float
    severity: Severity = Severity.INFO
    link: tuple[str, str] | None = None


def grouped(problems: Iterable[Problem], *, everything: bool = False) -> tuple[Group, ...]:
    """Group the problems of one file by sheet: the whole file first, then in the order in which sheets appear."""
    by_sheet: dict[str | None, list[Problem]] = {None: []}
    for problem in problems:
        by_sheet.setdefault(problem.location.sheet, []).append(problem)
    return tuple(
        Group(sheet, tuple(sorted(found, key=_order)), everything) for sheet, found in by_sheet.items() if found
    )


def _order(problem: Problem) -> tuple[int, int, int]:
    cell = problem.location.cell
    return (rank(problem), *(cell if isinstance(cell, CellRef) else (-1, -1)))


def list_rows(file: str, groups: Sequence[Group], reason: Text | None, lang: str) -> Iterator[ListRow]:
    """Yield the rows of the list. `reason`: why the file itself was not marked; None for a sheet put into it."""
    counts = [sum(p.severity is severity for g in groups for p in g.problems) for severity in Severity]
    how = _HOW_MARKED if reason is None else _HOW_LISTED
    said = say(_COUNTS, lang, **dict(zip(("errors", "warnings", "notes"), counts, strict=True)))
    yield _line("title", say(_TITLE, lang, file=file), 14)
    yield _line("how", said + say(how, lang, reason=say(reason or ("", ""), lang)))
    yield ListRow("headings", tuple(say(text, lang) for text, _ in COLUMNS), 20)
    number = 0
    for group in groups:
        if number < MAX_ROWS:
            yield _line("group", say(_SHEET, lang, sheet=group.sheet) if group.sheet else say(_WHOLE_FILE, lang))
        for problem in group.problems[: MAX_ROWS - number]:
            number += 1
            yield _problem(number, problem, lang, linked=reason is None)
    if (left := sum(counts) - number) > 0:
        yield _line("more", say(_MORE, lang, count=left))


def _line(kind: str, text: str, size: float = SIZE) -> ListRow:
    return ListRow(kind, (text,), fitting_height(text, sum(WIDTHS), size, 18))


def _problem(number: int, problem: Problem, lang: str, *, linked: bool) -> ListRow:
    place = problem.location
    texts = (
        str(number),
        say(SEVERITY_WORDS[problem.severity], lang),
        place.address or "",
        place.field or "",
        problem.message(lang),
        problem.hint(lang),
    )
    height = max(fitting_height(text, width, SIZE, 18) for text, width in zip(texts, WIDTHS, strict=True))
    link = (place.sheet, place.address) if linked and place.sheet and place.address else None
    return ListRow("problem", texts, height, problem.severity, link)


# --- in a workbook ----------------------------------------------------------------------------


def list_workbook(
    file: str,
    groups: Sequence[Group],
    reason: Text | None,
    *,
    lang: str,
    font: str = "宋体",
    origins: Sequence[str] = (),
) -> bytes:
    """Build the list as a workbook; its first sheet may also be put into another, made from files with `origins`."""
    book = Book(say(_TITLE, lang, file=file), {}, font=font, size=SIZE)
    painter = _Painter(book, book.sheet(say(NAME, lang)), problem_list(origins))
    for number, row in enumerate(list_rows(file, groups, reason, lang)):
        painter.paint(number, row)
    return book.finish()


class _Painter:
    """Writes the rows into a sheet."""

    def __init__(self, book: Book, sheet: Sheet, own: str) -> None:
        self.sheet = sheet
        edge = {"border": 1, "border_color": "#BFBFBF"}
        cell = {**edge, "valign": "top"}
        self.lines = {
            "title": book.format(bold=True, font_size=14),
            "how": book.format(text_wrap=True, valign="top"),
            "group": book.format(**edge, bold=True, bg_color="#F5F5F5"),
            "more": book.format(),
        }
        self.heading = book.format(**edge, bold=True, align="center", bg_color="#E7E6E6")
        self.text = book.format(**cell, text_wrap=True)
        self.centred = book.format(**cell, text_wrap=True, align="center")
        self.link = book.format(**cell, align="center", font_color="#0B57D0", underline=1)
        self.levels = {
            s: book.format(**cell, align="center", bold=True, bg_color=f"#{tint}") for s, tint in TINTS.items()
        }
        sheet.widths(WIDTHS)
        raw = sheet.raw
        raw.set_column(LAST + 1, LAST + 1, 2, None, {"hidden": True})
        raw.set_landscape()
        raw.set_paper(9)
        raw.fit_to_pages(1, 0)
        raw.set_margins(left=0.4, right=0.4, top=0.5, bottom=0.6)
        raw.set_footer("&C&P / &N")
        raw.hide_gridlines(2)
        sheet.write(0, LAST + 1, own)

    def paint(self, number: int, row: ListRow) -> None:
        """Write one row."""
        self.sheet.height(number, row.height)
        if row.kind == "headings":
            self.sheet.write_row(number, row.texts, [self.heading] * len(row.texts))
            self.sheet.raw.freeze_panes(number + 1, 0)
            self.sheet.raw.repeat_rows(number)
        elif row.kind == "problem":
            styles = [self.centred, self.levels[row.severity], self.centred, *[self.text] * 3]
            self.sheet.write_row(number, row.texts, styles)
            self.sheet.number(number, 0, int(row.texts[0]), self.centred)
            if row.link is not None:
                self.sheet.link(number, 2, row.link[0], row.link[1], self.link, row.link[1])
        else:
            self.sheet.merge(Span(number, 0, number, LAST), row.texts[0], self.lines[row.kind])
