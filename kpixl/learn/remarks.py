"""Remarks of a proposal on its guesses, in both languages."""

from __future__ import annotations

from kpixl.learn.proposal import Remark
from kpixl.texts import Text

CUT: Text = ("工作表过大，只看了前面的行和列", "the sheet is large; only its first rows and columns were looked at")
NO_TITLE: Text = ("没有找到标题，暂用工作表名“{title}”", "no title was found; the name of the sheet, {title}, is used")
YEAR_IN_TITLE: Text = (
    "{cell} 的标题“{text}”含年度：title 中写成了 {{{{ year }}}}",
    "{cell}: the title {text} has the year in it; `title` has {{{{ year }}}} in its place",
)
NO_UNIT: Text = (
    "没有找到金额单位，暂按{unit}",
    "no unit of money was found; {unit} is assumed",
)
MANY_PROJECTS: Text = (
    "这张表没有单独的填写项，像是一行一个项目的汇总表：写成了 flat，项目本身的列另在填写表的上方，请核对",
    "nothing but a table: projects seem to be its rows, so that it is `flat`. Columns of a project are fields too",
)
LABEL_TWICE: Text = (
    "“{label}”在表头中不止一次，加了编号，请改成各自的名称",
    "the heading {label} comes more than once and was numbered; give each its own name",
)
ONLY_TABLE: Text = (
    "这张表没有单独的填写项：前几列作为项目的填写项放在填写表的上方，请核对",
    "nothing but a table: its first columns are taken for fields of a project, above the table",
)
FIRST_FIELD: Text = ("没有找到项目名称，暂以 {key} 区分项目", "no name of a project was found; {key} tells them apart")
TYPE_UNSURE: Text = ("类型没有依据，暂作文本", "nothing shows the type; text is assumed")
PLACED_ONLY: Text = (
    "标签和填写格只能由位置推断（填写格 {cell}）",
    "only their places show which is label and which is value ({cell})",
)
OTHER_UNIT: Text = (
    "单位是{unit}，与其他金额（{money}）不同，作为数字保存，不换算",
    "counts in {unit}, unlike other amounts ({money}); kept as a number, not converted",
)
AMBIGUOUS: Text = (
    "有多处标签都是“{label}”，列表和提示中称为“{heading}”",
    "several labels read {label}; in lists and messages it is {heading}",
)
PIECE: Text = (
    "原表中几项写在同一格，这里分成了标签和填写格",
    "in the sheet several of these share one cell; here each has its own",
)
STACKED: Text = (
    "表头有上下两层，只保留了下层；上层 {cells}：{texts}",
    "the headings stand over one another; the lower ones were kept. Above: {cells} {texts}",
)
FURTHER: Text = (
    "表格左侧还有 {cells}：{texts}，版式只能有一个",
    "further captions beside the table, {cells} {texts}; a layout has one",
)
GRID: Text = (
    "各行有固定的行名（{rows}），作为预置行；行名以外的格请核对",
    "its rows have labels of their own ({rows}); they are presets, and its first column",
)
SIDE_BY_SIDE: Text = (
    "左右有两组同名的列（{labels}），这里作为并排的两个表格",
    "equal headings beside each other ({labels}): two tables side by side",
)
NARROW: Text = (
    "填写时每列只占一个物理列，原表中合并的列会变窄",
    "when filled in, each column takes one physical column: merged ones become narrower",
)
PARTED: Text = (
    "“{label}”在填写时分为计算符号、数值、单位三格，打印时合为一格",
    "{label} is typed in three cells, operator, value and unit, and printed as one",
)
CAPTION_REPEATED: Text = (
    "左侧标题 {cell} 跨越填写项和表格，两处各印一次",
    "the caption {cell} stands beside fields and a table; it is printed for each",
)
UNIT_LEFT_OUT: Text = (
    "{cell} 原文“{text}”的单位与其他金额不同，这里去掉了",
    "{cell}: {text} names another unit of money, left out here",
)
TYPED: Text = ("原格内有文字“{text}”，没有保留", "the cell holds {text}, which was left out")
SUMMED_MAYBE: Text = ("是否为其他各项之和？如是请写 sum: [...]", "is it a sum of others? then write sum: [...]")


def remark(text: Text, /, *, unsure: bool = False, **details: object) -> Remark:
    """Fill details into a text."""
    return Remark((text[0].format_map(details), text[1].format_map(details)), unsure)
