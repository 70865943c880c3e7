"""The words of a status, in table, workbook and page."""

from __future__ import annotations

from enum import StrEnum

from kpixl.problems import Severity
from kpixl.problems.words import SEVERITY_COUNTS
from kpixl.texts import Text


class State(StrEnum):
    """What became of a project. Each project has one; being late and coming back twice are shown beside it."""

    RETURNED = "returned"
    ERRORS = "errors"
    BLANK = "blank"
    NOTHING = "nothing"
    MISSING = "missing"


STATES: dict[State, Text] = {
    State.RETURNED: ("交回无误", "Returned"),
    State.ERRORS: ("交回有误", "With errors"),
    State.BLANK: ("交回空表", "Blank"),
    State.NOTHING: ("无需申报", "Nothing to report"),
    State.MISSING: ("未交回", "Missing"),
}
PROJECTS: Text = ("项目", "Projects")
TWICE: Text = ("重复提交", "Twice")
LATE: Text = ("迟交", "Late")
TOTAL: Text = ("合计", "Total")
UNIT: Text = ("单位", "Unit")
BLANK: Text = ("（未填）", "(blank)")
STATE: Text = ("情况", "Status")
ROUND: Text = ("交回次数", "Round")
FILE: Text = ("文件", "File")
SHEET: Text = ("工作表", "Sheet")
ERRORS: Text = SEVERITY_COUNTS[Severity.ERROR]
WARNINGS: Text = SEVERITY_COUNTS[Severity.WARNING]
TIME: Text = ("交回时间", "Came at")
SENDER: Text = ("发件人 {sender}", "from {sender}")
REMARK: Text = ("说明", "Remarks")
REASON: Text = ("原因", "Reason")
REMEDY: Text = ("处理办法", "What to do")
MAYBE_SENT: Text = ("  可能已交，见无法读取的文件", "  perhaps sent: see the files that could not be read")
PROBABLY: Text = ("可能属于", "Probably of")
IN: Text = ("完成率", "Settled")

TITLE: Text = ("{organization}{year}“{title}”收表情况", "{organization}{year}{title}: who has returned what")
YEAR: Text = (" {year} 年度", " {year} ")
DUE: Text = ("截止时间：{due}。", "Due: {due}.")
TIMES: Text = (
    "邮件中的文件，交回时间是收到邮件的时间；其他文件取文件本身的修改时间，复制、转发、解压都可能改变它，"
    "是否迟交请以实际收件时间为准。",
    "What came by mail came when the mail was received. The time of any other return is the modification time of its "
    "file, which copying, forwarding or unpacking may change: whether it was late is for you to confirm.",
)
MISSING_LIST: Text = ("未交回，请催交", "Missing: remind")
WRONG_LIST: Text = ("交回有误，请退回更正", "Returned with errors: send back")
BLANK_LIST: Text = ("交回的是空表，请退回填写", "Returned as they were sent, not filled in: send back")
TWICE_LIST: Text = (
    "重复提交，内容不同的已逐项合并，冲突请决定",
    "Returned in several files: where they differ they are merged by value; decide the conflicts",
)
UNREAD_LIST: Text = ("无法读取的文件，未计入交回", "Files that could not be read: not counted as returned")
NOTHING_LIST: Text = ("无需申报", "Nothing to report")
LATE_COUNT: Text = ("迟交 {count} 个项目，见工作簿和网页。", "Late: {count} projects; workbook and page show which.")
AGAIN: Text = ("第 {round} 次交回", "returned for the {ordinal} time")
NOTES_LIST: Text = ("其他问题", "Other problems")
ALL_IN: Text = ("全部交回，没有错误。", "Everything is in, without errors.")
PROJECTS_SHEET: Text = ("按项目", "Projects")
UNITS_SHEET: Text = ("按单位", "Units")
UNREAD_SHEET: Text = ("无法读取", "Not read")

UNLISTED: Text = ("不在项目名册中", "not in the roster")
SAME: Text = ("重复提交 {count} 份，内容相同", "{count} copies, all the same")
DIFFERENT: Text = ("重复提交 {count} 份，内容不同，另见 {others}", "{count} versions that differ; see also {others}")
COUNTED: Text = ("错误 {errors}，警告 {warnings}", "errors: {errors}, warnings: {warnings}")
OTHERWISE: Text = ("看不出属于哪个单位", "it is not known whose it is")
