"""The sheet 问题清单: every problem of one file, by sheet, with links to the cells. Also a workbook by itself."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from kpixl.cells import Span, span_from
from kpixl.intake import PROBLEM_LIST
from kpixl.mark.styles import TINTS
from kpixl.problems import Problem, Severity
from kpixl.sheets import Book, Sheet, fitting_height
from kpixl.texts import Text, say

NAME: Text = ("问题清单", "Problems")
MAX_ROWS = 5_000  # more problems than anybody works through; the rest is counted
_HEADINGS: tuple[tuple[Text, float], ...] = (
    (("序号", "No."), 5),
    (("级别", "Level"), 7),
    (("单元格", "Cell"), 8),
    (("填报项", "Item"), 20),
    (("发现的问题", "What was found"), 52),
    (("请这样修改", "What to do"), 52),
    (("规则", "Code"), 20),
)
_LAST = len(_HEADINGS) - 1
_LEVELS: dict[Severity, Text] = {
    Severity.ERROR: ("错误", "error"),
    Severity.WARNING: ("警告", "warning"),
    Severity.INFO: ("提示", "note"),
}
_TITLE: Text = ("问题清单：{file}", "Problems: {file}")
_COUNTS: Text = (
    "错误 {errors} 项，警告 {warnings} 项，提示 {notes} 项。",
    "{errors} errors, {warnings} warnings, {notes} notes.",
)
_HOW_MARKED: Text = (
    "点击单元格地址可跳到该处：有颜色的单元格带有批注，说明问题和改法。错误必须修改，警告请核对，提示仅供参考。"
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
COLON: Text = ("：", ": ")
_FOOTER = "&C&P / &N"


@dataclass(frozen=True, slots=True)
class Group:
    """The problems of one sheet, errors first; `sheet` is None for what is about the whole file."""

    sheet: str | None
    problems: tuple[Problem, ...]


def grouped(problems: Iterable[Problem]) -> tuple[Group, ...]:
    """Group the problems of one file by sheet: the whole file first, then in the order in which sheets appear."""
    by_sheet: dict[str | None, list[Problem]] = {None: []}
    for problem in problems:
        by_sheet.setdefault(problem.location.sheet, []).append(problem)
    return tuple(Group(sheet, tuple(sorted(found, key=_order))) for sheet, found in by_sheet.items() if found)


def _order(problem: Problem) -> tuple[int, int, int]:
    place = span_from(problem.location.cell or "")
    return (list(Severity).index(problem.severity), *((place.row, place.col) if place else (-1, -1)))


def list_workbook(file: str, groups: Sequence[Group], reason: Text | None, *, lang: str, font: str = "宋体") -> bytes:
    """Build the list as a workbook. `reason`: why the file itself was not marked; None for a sheet put into it."""
    book = Book(say(_TITLE, lang, file=file), {}, font=font, size=10)
    _Painter(book, book.sheet(say(NAME, lang)), lang, links=reason is None).paint(file, groups, reason)
    return book.finish()


class _Painter:
    """Writes the list; used once."""

    def __init__(self, book: Book, sheet: Sheet, lang: str, *, links: bool) -> None:
        self.book, self.sheet, self.lang, self.links = book, sheet, lang, links
        self.row = 0
        self.number = 0
        self.text = book.format(text_wrap=True, valign="top", border=1, border_color="#BFBFBF")
        self.centred = book.format(text_wrap=True, valign="top", align="center", border=1, border_color="#BFBFBF")
        self.quiet = book.format(text_wrap=True, valign="top", border=1, border_color="#BFBFBF", font_color="#6B6B6B")
        self.link = book.format(
            align="center", valign="top", border=1, border_color="#BFBFBF", font_color="#0B57D0", underline=1
        )
        self.levels = {
            severity: book.format(
                align="center", valign="top", border=1, border_color="#BFBFBF", bg_color=f"#{tint}", bold=True
            )
            for severity, tint in TINTS.items()
        }

    def paint(self, file: str, groups: Sequence[Group], reason: Text | None) -> None:
        """Write everything."""
        self._set_up()
        counts = {severity: sum(p.severity is severity for g in groups for p in g.problems) for severity in Severity}
        errors, warnings, notes = (counts[severity] for severity in Severity)
        how = say(_HOW_MARKED if reason is None else _HOW_LISTED, self.lang, reason=say(reason or ("", ""), self.lang))
        self._line(say(_TITLE, self.lang, file=file), self.book.format(bold=True, font_size=14), 14)
        counted = say(_COUNTS, self.lang, errors=errors, warnings=warnings, notes=notes)
        self._line(counted + how, self.book.format(text_wrap=True, valign="top"), 10)
        header = self.book.format(bold=True, align="center", border=1, border_color="#BFBFBF", bg_color="#E7E6E6")
        self.sheet.write_row(self.row, [say(text, self.lang) for text, _ in _HEADINGS], [header] * len(_HEADINGS))
        self.sheet.height(self.row, 20)
        self.row += 1
        self.sheet.raw.freeze_panes(self.row, 0)
        self.sheet.raw.repeat_rows(self.row - 1)
        for group in groups:
            self._group(group)
        if (left := sum(counts.values()) - self.number) > 0:
            self._line(say(_MORE, self.lang, count=left), self.book.format(), 10)

    def _set_up(self) -> None:
        raw = self.sheet.raw
        self.sheet.widths([width for _, width in _HEADINGS])
        raw.set_column(_LAST + 1, _LAST + 1, 2, None, {"hidden": True})
        self.sheet.write(0, _LAST + 1, PROBLEM_LIST)
        raw.set_landscape()
        raw.set_paper(9)
        raw.fit_to_pages(1, 0)
        raw.set_margins(left=0.4, right=0.4, top=0.5, bottom=0.6)
        raw.set_footer(_FOOTER)
        raw.hide_gridlines(2)

    def _line(self, text: str, style: object, size: float) -> None:
        """Write a line over all columns."""
        width = sum(width for _, width in _HEADINGS)
        self.sheet.merge(Span(self.row, 0, self.row, _LAST), text, style)
        self.sheet.height(self.row, fitting_height(text, width, size, 18))
        self.row += 1

    def _group(self, group: Group) -> None:
        if self.number >= MAX_ROWS:
            return
        name = say(_SHEET, self.lang, sheet=group.sheet) if group.sheet else say(_WHOLE_FILE, self.lang)
        self._line(name, self.book.format(bold=True, bg_color="#F5F5F5", border=1, border_color="#BFBFBF"), 10)
        for problem in group.problems[: MAX_ROWS - self.number]:
            self._problem(problem)

    def _problem(self, problem: Problem) -> None:
        self.number += 1
        place, row = problem.location, self.row
        message, hint = problem.message(self.lang), problem.hint(self.lang)
        self.sheet.number(row, 0, self.number, self.centred)
        self.sheet.write(row, 1, say(_LEVELS[problem.severity], self.lang), self.levels[problem.severity])
        if self.links and place.sheet and place.cell:
            self.sheet.link(row, 2, place.sheet, place.cell, self.link, place.cell)
        else:
            self.sheet.write(row, 2, place.cell, self.centred)
        for col, text in enumerate((place.field or "", message, hint), 3):
            self.sheet.write(row, col, text, self.text)
        self.sheet.write(row, _LAST, problem.code, self.quiet)
        texts = zip((place.field or "", message, hint, problem.code), _HEADINGS[3:], strict=True)
        self.sheet.height(row, max(fitting_height(text, width, 10, 18) for text, (_, width) in texts))
        self.row += 1


def note_text(problems: Sequence[Problem], lang: str) -> str:
    """Say in a note what is wrong with a cell."""
    lines = [say(("检查意见", "to be looked at"), lang)]
    for problem in problems:
        lines.append(f"{say(_LEVELS[problem.severity], lang)}{say(COLON, lang)}{problem.message(lang)}")
        if hint := problem.hint(lang):
            lines.append(f"→ {hint}")
    return "\n".join(lines)
