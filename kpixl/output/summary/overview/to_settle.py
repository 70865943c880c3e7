"""What changed since the summary before, and which projects must be settled."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from kpixl.collection.run_record import PortfolioChanges, RunRecord, total_amount
from kpixl.forms.values import text_of
from kpixl.output.summary.overview.canvas import COUNTS, ROW, SIZE, Canvas, Link
from kpixl.portfolio.model import Project
from kpixl.text_fit import row_height
from kpixl.texts import Text

_CHANGED: Text = ("与上次汇总相比", "Since the summary before")
_CHANGED_SINCE: Text = ("与上次汇总（{day}）相比", "Since the summary of {day}")
_ADDED: Text = ("新增 {count} 个：{names}", "{count} new: {names}")
_REMOVED: Text = ("减少 {count} 个：{names}", "{count} gone: {names}")
_EDITED: Text = ("内容有改动 {count} 个：{names}", "{count} changed: {names}")
_SUM_MOVED: Text = ("{label}合计由 {old} 变为 {new}（{unit}）", "{label}: from {old} to {new} ({unit})")
_OPEN: Text = ("需要处理的项目", "Projects to be settled")
_MORE: Text = ("另有 {count} 个", "and {count} more")
_ALL_SETTLED: Text = ("没有需要处理的项目。", "Nothing is left to be settled.")

_MOST_LISTED = 200  # projects to be settled
_MOST_NAMED = 20  # projects in one line


class _Item(NamedTuple):
    """A project that must be settled: the name of the count, what it is, whose, where, and how many errors."""

    kind: str
    label: str
    unit: str
    to: Link | None
    number: int


def write_changes(canvas: Canvas, changes: PortfolioChanges) -> None:
    """Write what differs from the portfolio before."""
    heading = _CHANGED if changes.since is None else _CHANGED_SINCE
    canvas.heading(canvas.say(heading, day=changes.since), 2 * ROW)
    names = {project.id: label_of(canvas, project) for project in canvas.portfolio.projects}
    lines = [
        _named(canvas, _ADDED, [names.get(i, i) for i in changes.added]),
        _named(canvas, _REMOVED, [f"{p.id} {p.name}".strip() for p in changes.removed]),
        _named(canvas, _EDITED, [names.get(i, i) for i in changes.changed]),
        _sum_moved(canvas, changes),
    ]
    for line in filter(None, lines):
        canvas.line(line, "plain")


def label_of(canvas: Canvas, project: Project) -> str:
    """Call a project by its id and name."""
    return f"{project.id} {text_of(project.values[canvas.form.key_fields[0]])}".strip()


def _named(canvas: Canvas, text: Text, names: Sequence[str]) -> str:
    if not names:
        return ""
    more = ["…"] if len(names) > _MOST_NAMED else []
    joined = ("、" if canvas.lang == "zh" else ", ").join([*names[:_MOST_NAMED], *more])
    return canvas.say(text, count=len(names), names=joined)


def _sum_moved(canvas: Canvas, changes: PortfolioChanges) -> str:
    new = total_amount(canvas.form, canvas.portfolio.projects)
    if canvas.key is None or changes.amount is None or new is None or new == changes.amount:
        return ""
    old_text, new_text = (f"{value / canvas.divisor:,.2f}" for value in (changes.amount, new))
    label = canvas.form.fields[canvas.key].heading
    return canvas.say(_SUM_MOVED, label=label, old=old_text, new=new_text, unit=canvas.unit_text)


def write_open(canvas: Canvas, run: RunRecord) -> Mapping[str, int]:
    """List the projects that must be settled; returns the row of the first of each kind, by the name of its count."""
    items = list(_items(canvas, run))
    canvas.heading(canvas.say(_OPEN), 2 * ROW)
    if not items:
        canvas.line(canvas.say(_ALL_SETTLED), "plain")
    rows: dict[str, int] = {}
    for item in items[:_MOST_LISTED]:
        rows.setdefault(item.kind, _write_item(canvas, item))
    if len(items) > _MOST_LISTED:
        canvas.line(canvas.say(_MORE, count=len(items) - _MOST_LISTED), "plain")
    return rows


def _write_item(canvas: Canvas, item: _Item) -> int:
    texts = [(item.label, sum(canvas.widths[:3])), (item.unit, sum(canvas.widths[3:8]))]
    row, styles = canvas.flow.take(row_height(texts, SIZE, ROW)), canvas.styles
    canvas.put(row, 0, item.label, styles["text"], last=2)
    canvas.put(row, 3, item.unit, styles["text"], last=7)
    text = canvas.say(COUNTS[item.kind]) + (f" {item.number}" if item.number else "")
    canvas.put(row, 8, text, styles["open link" if item.to else "open"], last=10, to=item.to)
    return row


def _items(canvas: Canvas, run: RunRecord) -> Iterator[_Item]:
    for named in run.missing:
        yield _Item("missing", f"{named.id} {named.name}".strip(), named.unit, None, 0)
    projects = {project.id: project for project in canvas.portfolio.projects}
    field = canvas.unit_field
    kinds: list[tuple[str, Mapping[str, int]]] = [
        ("blank", dict.fromkeys(run.blank, 0)),
        ("disputed", dict.fromkeys(run.disputed, 0)),
        ("errors", run.errors),
    ]
    for count, numbers in kinds:
        for i, number in numbers.items():
            if i in projects:
                unit = text_of(projects[i].values[field.key]) if field else ""
                to = canvas.to_table(canvas.table.rows[i])
                yield _Item(count, label_of(canvas, projects[i]), unit, to, number)
