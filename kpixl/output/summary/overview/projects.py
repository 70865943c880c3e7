"""The projects by amount: a chart, and the table that it is drawn from."""

from __future__ import annotations

from decimal import Decimal

from kpixl.a1 import a1
from kpixl.forms.values import fits_float
from kpixl.output.summary.overview.bars import LONGEST_LABEL, MOST_BARS, plan_bars
from kpixl.output.summary.overview.canvas import MONEY, PROJECTS, ROW, SHARE, SIZE, Canvas
from kpixl.output.summary.overview.groups import amount_of
from kpixl.output.summary.overview.to_settle import label_of
from kpixl.portfolio.model import Project
from kpixl.text_fit import row_height
from kpixl.texts import Text

_ALL: Text = ("按项目", "by project")
_LARGEST: Text = ("金额最大的 {count} 个项目", "the {count} largest projects")
_AMOUNT: Text = ("{label}（{unit}）", "{label} ({unit})")
_NAME, _MONEY, _SHARE = (0, 3), (4, 6), (7, 10)  # first and last columns of the table


def write_projects(canvas: Canvas, key: str) -> None:
    """Write chart and table, the largest amount first."""
    projects = [(p, v) for p in canvas.portfolio.projects if isinstance(v := p.values[key], Decimal) and fits_float(v)]
    projects.sort(key=lambda pair: -pair[1])
    if not projects:
        return
    plan = plan_bars([_label(canvas, project) for project, _ in projects[:MOST_BARS]])
    shown = projects[: plan.bars]
    by = canvas.say(_ALL) if len(shown) == len(projects) else canvas.say(_LARGEST, count=len(shown))
    canvas.heading(by[:1].upper() + by[1:], plan.height * 0.75 + 3 * ROW)
    chart_row = canvas.chart_room(plan)
    canvas.flow.keep(24 + ROW * len(shown))
    top = canvas.flow.take(24)
    unit = canvas.say(_AMOUNT, label=canvas.say(MONEY), unit=canvas.unit_text)
    for (first, last), text in zip(
        (_NAME, _MONEY, _SHARE), (canvas.say(PROJECTS), unit, canvas.say(SHARE)), strict=True
    ):
        canvas.put(top, first, text, canvas.styles["header"], last=last)
    rows = [_write_project(canvas, project, amount) for project, amount in shown]
    canvas.chart(by, (rows[0], rows[-1]), (_NAME[0], _MONEY[0]), plan, chart_row)


def _label(canvas: Canvas, project: Project) -> str:
    text = label_of(canvas, project)
    return text if len(text) <= LONGEST_LABEL else text[: LONGEST_LABEL - 1] + "…"


def _write_project(canvas: Canvas, project: Project, amount: Decimal) -> int:
    label, total = _label(canvas, project), amount_of(canvas, canvas.portfolio.projects)
    row = canvas.flow.take(row_height([(label, sum(canvas.widths[: _NAME[1] + 1]))], SIZE, ROW))
    canvas.put(row, _NAME[0], label, canvas.styles["text"], last=_NAME[1])
    at = canvas.table.rows[project.id]
    cell = f"{canvas.ref}{a1(at, canvas.table.columns[canvas.key or ''])}"
    canvas.formula(
        row, _MONEY[0], canvas.in_unit(cell), canvas.styles["number link"], amount / canvas.divisor, last=_MONEY[1],
        to=canvas.to_table(at),
    )  # fmt: skip
    all_of_it = f"SUM({canvas.amounts()})"
    share = amount / total if total else Decimal(0)
    formula = f"=IF({all_of_it}=0,0,{cell}/{all_of_it})"
    canvas.formula(row, _SHARE[0], formula, canvas.styles["share"], share, last=_SHARE[1])
    return row
