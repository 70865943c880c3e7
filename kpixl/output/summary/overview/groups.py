"""Tables and charts by category and by unit."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from kpixl.a1 import a1
from kpixl.collection.run_record import NamedProject
from kpixl.forms.definition import Value
from kpixl.forms.names import office_key
from kpixl.forms.values import text_of
from kpixl.output.summary.overview.bars import plan_bars
from kpixl.output.summary.overview.canvas import ALARMING, COUNTS, MONEY, PROJECTS, ROW, SHARE, SIZE, TOTAL, Canvas
from kpixl.output.summary.overview.counts import counts_of
from kpixl.output.summary.table import excel_total, group_projects, projects_by
from kpixl.portfolio.model import Project
from kpixl.text_fit import row_height
from kpixl.texts import Text

_BY: Text = ("按{field}", "by {field}")
_NO_GROUP: Text = ("（未填）", "(blank)")


@dataclass(frozen=True, slots=True)
class _Group:
    """Projects of one unit or category, with the row that their figures lead to, and those that are missing."""

    value: Value
    projects: Sequence[Project]
    row: int | None
    missing: Sequence[NamedProject] = ()


def write_groups(canvas: Canvas) -> None:
    """Write table and chart by category, by unit, by the office above the units where there are several of those, and
    by the form's `structure`, as far as it has them."""
    fields, category, unit = canvas.form.fields, canvas.form.summary.subtotals, canvas.unit_field
    if category is not None:
        _write(canvas, fields[category].heading, category, _categories(canvas), of_units=False)
    if unit is not None and unit.key != category:
        _write(canvas, unit.heading, unit.key, _units(canvas), of_units=True)
    office = office_key(canvas.form)
    if office is not None and canvas.table.offices:
        rows, found = dict(canvas.table.offices), projects_by(office, canvas.portfolio.projects)
        groups = [_Group(value, projects, rows[value]) for value, projects in found.items()]
        _write(canvas, fields[office].heading, office, groups, of_units=False)
    structure = canvas.form.summary.structure
    if structure is not None and structure not in (category, unit.key if unit else None, office):
        groups = [_Group(*item, None) for item in projects_by(structure, canvas.portfolio.projects).items()]
        _write(canvas, fields[structure].heading, structure, groups, of_units=False)


def amount_of(canvas: Canvas, projects: Iterable[Project]) -> Decimal:
    """Add up amounts, in the form's unit."""
    return Decimal(0) if canvas.key is None else excel_total([p.values[canvas.key] for p in projects])


def _categories(canvas: Canvas) -> list[_Group]:
    rows = dict(canvas.table.groups)
    return [
        _Group(value, projects, rows.get(value)) for value, projects in group_projects(canvas.form, canvas.portfolio)
    ]


def _units(canvas: Canvas) -> list[_Group]:
    """List the units, the largest amount first; those of which nothing came back are last."""
    if canvas.unit_field is None:
        return []
    groups = projects_by(canvas.unit_field.key, canvas.portfolio.projects)
    missing: dict[Value, list[NamedProject]] = {}
    for project in canvas.run.missing if canvas.run else ():
        missing.setdefault(project.unit or None, []).append(project)
    rows = dict(canvas.table.units)
    found = [
        _Group(value, projects, rows.get(value, canvas.table.rows[projects[0].id]), missing.get(value, ()))
        for value, projects in groups.items()
    ]
    found.sort(key=lambda group: -amount_of(canvas, group.projects))
    return [*found, *(_Group(value, (), None, named) for value, named in missing.items() if value not in groups)]


def _write(canvas: Canvas, heading: str, key: str, groups: Sequence[_Group], *, of_units: bool) -> None:
    by = canvas.say(_BY, field=heading)
    canvas.heading(by[:1].upper() + by[1:])
    # In which category a project is that did not come back is not known.
    counts = [n for n in canvas.counts if of_units or n not in ("expected", "missing")]
    texts = [heading, *map(canvas.say, (PROJECTS, MONEY, SHARE)), *(canvas.say(COUNTS[n]) for n in counts)]
    top = canvas.flow.take(24)
    for col, text in enumerate(texts):
        canvas.put(top, col, text, canvas.styles["header"])
    total = amount_of(canvas, canvas.portfolio.projects)
    rows = [_write_group(canvas, group, key, counts, total, top + len(groups) + 1) for group in groups]
    _write_total(canvas, rows, groups, counts)
    if canvas.key is not None and len(rows) > 1:
        plan = plan_bars([_name(canvas, group) for group in groups])
        canvas.chart(by, (rows[0], rows[plan.bars - 1]), (0, 2), plan)


def _name(canvas: Canvas, group: _Group) -> str:
    return text_of(group.value) or canvas.say(_NO_GROUP)


def _write_group(canvas: Canvas, group: _Group, key: str, counts: Sequence[str], total: Decimal, total_row: int) -> int:
    """Write the row of a group; its figures are formulas over the table of projects. `total`: the amount of all."""
    name, styles = _name(canvas, group), canvas.styles
    row = canvas.flow.take(row_height([(name, canvas.widths[0])], SIZE, ROW))
    canvas.put(row, 0, name, styles["text"])
    same = '""' if group.value is None else f"$A{row + 1}"
    test = f"--({canvas.column(canvas.table.columns[key])}={same})"
    to, link = canvas.to_table(group.row), " link" if group.row is not None else ""
    canvas.formula(row, 1, f"=SUMPRODUCT({test})", styles["count" + link], Decimal(len(group.projects)), to=to)
    if canvas.key is not None:
        amount = amount_of(canvas, group.projects)
        formula = canvas.in_unit(f"SUMPRODUCT({test},{canvas.amounts()})")
        canvas.formula(row, 2, formula, styles["number" + link], amount / canvas.divisor, to=to)
        of = f"$C${total_row + 1}"
        canvas.formula(
            row, 3, f"=IF({of}=0,0,C{row + 1}/{of})", styles["share"], amount / total if total else Decimal(0)
        )
    found = counts_of(canvas.run, [p.id for p in group.projects], len(group.missing))
    for col, count in enumerate(counts, 4):
        style = "open" if found[count] and count in ALARMING else "count"
        canvas.put(row, col, Decimal(found[count]), styles[style])
    return row


def _write_total(canvas: Canvas, rows: Sequence[int], groups: Sequence[_Group], counts: Sequence[str]) -> None:
    row, styles = canvas.flow.take(22), canvas.styles
    first, last = (rows[0], rows[-1]) if rows else (row, row)
    canvas.put(row, 0, canvas.say(TOTAL), styles["total"])

    def add_up(col: int, style: str, cached: Decimal) -> None:
        formula = f"=SUM({a1(first, col)}:{a1(last, col)})" if rows else "=0"
        canvas.formula(row, col, formula, styles[style], cached)

    add_up(1, "total count", Decimal(sum(len(group.projects) for group in groups)))
    if canvas.key is not None:
        total = amount_of(canvas, canvas.portfolio.projects)
        add_up(2, "total number", total / canvas.divisor)
        add_up(3, "total share", Decimal(1) if total else Decimal(0))
    sums = [counts_of(canvas.run, [p.id for p in group.projects], len(group.missing)) for group in groups]
    for col, count in enumerate(counts, 4):
        add_up(col, "total count", Decimal(sum(found[count] for found in sums)))
