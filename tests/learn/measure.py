"""How well forms that nobody has defined are learnt: fields and columns found right, wrong, missed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from kpixl.forms.definition import Form
from kpixl.learn import Learned, learn
from kpixl.output.template import build_template
from kpixl.portfolio.model import Portfolio
from tests.learn.drawn import Drawn
from tests.strategies import canonical_project


@dataclass
class Measured:
    """What was found right; wrong (another value cell or type, or no label at all); and what was missed."""

    right: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    missed: list[str] = field(default_factory=list)

    def judge(self, label: str, expected: tuple[str, str], found: tuple[str, str] | None) -> None:
        """Add one part."""
        if found is None:
            self.missed.append(f"{label} {expected}")
        elif found == expected:
            self.right.append(label)
        else:
            self.wrong.append(f"{label}: {found}, not {expected}")


def learnt(drawn: Drawn) -> Learned:
    """Learn a drawn workbook."""
    return learn(drawn.content, "form.xlsx", "my-form")


def measure(drawn: Drawn, learned: Learned) -> Measured:
    """Compare what was found with what was drawn."""
    found = {_first(one.cell): (_first(one.value_cell), one.type) for one in learned.proposal.fields}
    measured = Measured()
    for label, expected in drawn.fields.items():
        measured.judge(label, expected, found.pop(label, None))
    heads: dict[str, tuple[str, str]] = {}
    for one in (column for table in learned.proposal.tables for column in table.columns):
        cell = _first(one.cell)
        if cell not in heads or one.type == "quantity":  # of the parts of a target, its value
            heads[cell] = (cell, one.type)
    for cell, kind in drawn.columns.items():
        measured.judge(cell, (cell, kind), heads.pop(cell, None))
    measured.wrong += [f"{cell} is none: {what}" for cell, what in (found | heads).items()]
    return measured


def _first(cell: str) -> str:
    return cell.partition(":")[0]


# --- installed definitions ------------------------------------------------------------------------


def blank_template(form: Form) -> bytes:
    """Return the template of a form with nothing filled in."""
    return build_template(form, Portfolio(form.id, 2026, None, (canonical_project(form, "01", {}, {}),)))


def measure_template(form: Form) -> tuple[Measured, Learned]:
    """Learn the blank template of a definition and compare labels, headings and types, in their order."""
    learned = learn(blank_template(form), "template.xlsx", "my-form")
    labels = [cell.key for cell in (*form.layout.head, *form.layout.foot) if cell.kind == "label"]
    fields = [(form.fields[key].label, form.fields[key].type) for key in labels]
    measured = Measured()
    _compare(measured, fields, [(one.label, one.type) for one in learned.proposal.fields])
    columns: list[tuple[str, str]] = []
    for placed in form.layout.tables:
        table = form.tables[placed.table]
        for heading in placed.entry:
            target = table.targets.get(heading.key)
            keys = target.parts if target else (heading.key,)
            names = {target.value: target.label} if target else {}
            columns += [(names.get(key, table.columns[key].label), table.columns[key].type) for key in keys]
    tables = learned.proposal.tables
    _compare(measured, columns, [(one.label, one.type) for table in tables for one in table.columns])
    return measured, learned


def _compare(measured: Measured, expected: Iterable[tuple[str, str]], found: Iterable[tuple[str, str]]) -> None:
    left = [(label, kind) for label, kind in found]
    for label, kind in expected:
        same = next((one for one in left if one[0] == label), None)
        if same is not None:
            left.remove(same)
        measured.judge(label, (label, kind), same)
    measured.wrong += [f"{label} is none" for label, _ in left]
