"""The tables of an export and their columns: projects, the form's own tables, sources, problems, status, decisions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum

from kpixl.collection.decisions import NONE, PROJECT, Decision, Decisions
from kpixl.collection.merge import Source
from kpixl.forms.definition import Field, Form, MoneyUnit, Value
from kpixl.forms.money import unit_text
from kpixl.forms.types import FIELD_TYPES
from kpixl.forms.values import number_text, text_of
from kpixl.keys import Key
from kpixl.portfolio.merge_model import Parts
from kpixl.portfolio.model import Portfolio, Project
from kpixl.portfolio.wording import address_key, label_of, shown
from kpixl.problems import Problem, Severity
from kpixl.texts import Text, say


class ColumnKind(StrEnum):
    """What a column holds."""

    TEXT = "text"
    INTEGER = "integer"
    DECIMAL = "decimal"
    DATE = "date"


Cell = str | int | Decimal | date | None


@dataclass(frozen=True, slots=True)
class ExportColumn:
    """A column, and what is in it."""

    name: str
    kind: ColumnKind
    text: Text


@dataclass(frozen=True, slots=True)
class ExportTable:
    """A table: `rows` have a value of the column's kind, or None, for each column. `key`: columns that are unique."""

    name: str
    text: Text
    columns: tuple[ExportColumn, ...]
    rows: Sequence[tuple[Cell, ...]] = ()
    key: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Exported:
    """What is exported. `problems`: what checking found; `missing`: ids that only the roster has, and the reason why
    nothing is to be reported of one, "" where there is none; `decisions`: what the office decided."""

    form: Form
    portfolio: Portfolio
    sources: Mapping[str, Source] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    roster: Portfolio | None = None
    reasons: Mapping[str, str] = field(default_factory=dict)
    decisions: Decisions = NONE


_PROJECT = ExportColumn("project", ColumnKind.TEXT, ("项目编号", "id of the project"))
_PLACE = (
    ExportColumn("file", ColumnKind.TEXT, ("收回的文件", "the returned file")),
    ExportColumn("sheet", ColumnKind.TEXT, ("工作表", "the sheet")),
    ExportColumn("cell", ColumnKind.TEXT, ("单元格", "the cell")),
)
_SOURCES = (
    _PROJECT,
    ExportColumn(
        "key", ColumnKind.TEXT, ("数据的键，如 indicators.3.value", "key of the value, such as indicators.3.value")
    ),
    ExportColumn("table", ColumnKind.TEXT, ("所在的表，表外为空", "the table it is in; blank outside tables")),
    ExportColumn("row", ColumnKind.INTEGER, ("表中第几行，从 1 起", "its row in the table, from 1")),
    ExportColumn("label", ColumnKind.TEXT, ("表式中的标签", "its label on the form")),
    ExportColumn("value", ColumnKind.TEXT, ("数据，一律为文字", "the value, always as text")),
    *_PLACE,
    ExportColumn(
        "raw", ColumnKind.TEXT, ("填写的原文，与数据不同时才有", "what was typed, where that is not the value")
    ),
    ExportColumn("sha256", ColumnKind.TEXT, ("文件的 SHA-256 摘要", "SHA-256 digest of the file")),
)
_PROBLEMS = (
    _PROJECT,
    ExportColumn("code", ColumnKind.TEXT, ("问题代码", "code of the problem")),
    ExportColumn("severity", ColumnKind.TEXT, ("级别：error、warning、info", "error, warning or info")),
    *_PLACE,
    ExportColumn("field", ColumnKind.TEXT, ("填报项的标签", "label of the field")),
    ExportColumn("message", ColumnKind.TEXT, ("发现了什么", "what was found")),
    ExportColumn("hint", ColumnKind.TEXT, ("怎么处理", "what to do")),
)
_STATUS = (
    _PROJECT,
    ExportColumn("name", ColumnKind.TEXT, ("项目名称", "name of the project")),
    ExportColumn(
        "state",
        ColumnKind.TEXT,
        (
            "returned 已收且无误，errors 已收有误，missing 未收，nothing 无需申报",
            "returned, errors (returned with errors), missing, or nothing (to report)",
        ),
    ),
    ExportColumn("errors", ColumnKind.INTEGER, ("错误数", "number of errors")),
    ExportColumn("warnings", ColumnKind.INTEGER, ("警告数", "number of warnings")),
    ExportColumn("file", ColumnKind.TEXT, ("采用的文件", "the file that counts")),
    ExportColumn("sheet", ColumnKind.TEXT, ("采用的工作表", "the sheet that counts")),
    ExportColumn("reason", ColumnKind.TEXT, ("无需申报的原因", "why there is nothing to report")),
)
_DECISIONS = (
    ExportColumn(
        "number",
        ColumnKind.INTEGER,
        ("第几条，从 1 起；同一项以后一条为准", "its place, from 1; the last about a value counts"),
    ),
    ExportColumn(
        "kind",
        ColumnKind.TEXT,
        (
            "value 选定数据，remove 去掉项目，exclude 不采用文件，supersede 以另一文件代替",
            "value (was chosen), remove (a project), exclude (a file) or supersede (a file by another)",
        ),
    ),
    _PROJECT,
    ExportColumn("key", ColumnKind.TEXT, ("填报项的键，同 decisions.yaml", "key of the field, as in decisions.yaml")),
    ExportColumn("row", ColumnKind.TEXT, ("表中的行：各级和名称", "the row of a table, by its levels and name")),
    ExportColumn("label", ColumnKind.TEXT, ("表式中的标签", "its label on the form")),
    ExportColumn("value", ColumnKind.TEXT, ("选定的内容", "what was chosen")),
    ExportColumn("was", ColumnKind.TEXT, ("原来的内容", "what it replaced")),
    ExportColumn(
        "candidates", ColumnKind.TEXT, ("当时可选的各项内容，每行一项", "what there was to choose from, a line each")
    ),
    ExportColumn("file", ColumnKind.TEXT, ("不采用或被代替的文件", "the file that does not count")),
    ExportColumn("newer", ColumnKind.TEXT, ("代替它的文件", "the file that supersedes it")),
    ExportColumn("sha256", ColumnKind.TEXT, ("不采用的文件的 SHA-256 摘要", "SHA-256 digest of the excluded file")),
    ExportColumn("reason", ColumnKind.TEXT, ("理由", "why")),
    ExportColumn("by", ColumnKind.TEXT, ("在哪里决定的", "where it was decided")),
    ExportColumn(
        "date", ColumnKind.TEXT, ("日期，照 decisions.yaml 原文", "its date, as it is written in decisions.yaml")
    ),
)
_COLUMNS = (
    ExportColumn("table", ColumnKind.TEXT, ("表", "the table")),
    ExportColumn("column", ColumnKind.TEXT, ("列", "the column")),
    ExportColumn("kind", ColumnKind.TEXT, ("类型：text、integer、decimal、date", "text, integer, decimal or date")),
    ExportColumn("description", ColumnKind.TEXT, ("含义", "what it holds")),
)
OWN_NAMES = frozenset({"projects", "sources", "problems", "status", "decisions", "columns"})
NUMBER: Text = ("{label}，是数字时", "{label}, where it is a number")


def export_tables(exported: Exported, lang: str) -> list[ExportTable]:
    """Make every table of an export, and one that lists all of their columns."""
    form, portfolio = exported.form, exported.portfolio
    tables = [_projects(form, portfolio), *_tables(form, portfolio)]
    tables += [
        ExportTable("sources", ("各项数据的出处", "where each value came from"), _SOURCES, [*_sources(exported)]),
        ExportTable("problems", ("检查发现的问题", "what checking found"), _PROBLEMS, [*_problems(exported, lang)]),
        ExportTable("status", ("各项目的收表情况", "what became of each project"), _STATUS, [*_status(exported)]),
        ExportTable(
            "decisions", ("单位作出的决定", "what the office decided"), _DECISIONS, [*_decisions(exported)], ("number",)
        ),
    ]
    listed = [(t.name, c.name, str(c.kind), say(c.text, lang)) for t in tables for c in t.columns]
    return [*tables, ExportTable("columns", ("各表各列的含义", "what the columns hold"), _COLUMNS, listed)]


# --- values -------------------------------------------------------------------------------------


def _projects(form: Form, portfolio: Portfolio) -> ExportTable:
    """Make a row per project; an amount or date that could not be read is None here, and a text in `sources`."""
    columns = _field_columns(form.fields, form.money)
    rows = [
        (project.id, *(cell for key, f in form.fields.items() for cell in _cells(f, project.values[key])))
        for project in portfolio.projects
    ]
    return ExportTable("projects", ("每个项目一行", "a row per project"), (_PROJECT, *columns), rows, ("project",))


def _tables(form: Form, portfolio: Portfolio) -> Iterator[ExportTable]:
    row_column = ExportColumn("row", ColumnKind.INTEGER, ("第几行，从 1 起", "its place, from 1"))
    for key, table in form.tables.items():
        columns = (_PROJECT, row_column, *_field_columns(table.columns, form.money))
        rows = [
            (project.id, number, *(cell for name, f in table.columns.items() for cell in _cells(f, row[name])))
            for project in portfolio.projects
            for number, row in enumerate(project.tables[key], 1)
        ]
        text = (f"{table.label}，每条一行", f"{table.label}: a row per row of the form")
        yield ExportTable(f"form_{key}" if key in OWN_NAMES else key, text, columns, rows, ("project", "row"))


def _amount_text(label: str, money: MoneyUnit) -> Text:
    zh, en = unit_text(money)
    return (f"{label}（{zh}）", f"{label}, in {en}")


def _field_columns(fields: Mapping[str, Field], money: MoneyUnit) -> Iterator[ExportColumn]:
    for key, one in fields.items():
        label = (one.heading or one.label).rstrip(":：")
        name = key.replace(".", "_")
        yield ExportColumn(
            name, _kind(one), _amount_text(label, money) if FIELD_TYPES[one.type].is_amount else (label, label)
        )
        if _may_be_number(one):
            yield ExportColumn(
                f"{name}_number", ColumnKind.DECIMAL, (say(NUMBER, "zh", label=label), say(NUMBER, "en", label=label))
            )


def _kind(one: Field) -> ColumnKind:
    python = FIELD_TYPES[one.type].python
    return ColumnKind.DECIMAL if python is Decimal else ColumnKind.DATE if python is date else ColumnKind.TEXT


def _may_be_number(one: Field) -> bool:
    """Return whether a field holds texts and numbers, so that numbers have a column of their own too."""
    return _kind(one) is ColumnKind.TEXT and not FIELD_TYPES[one.type].keeps_digits


def _cells(one: Field, value: Value) -> Iterator[Cell]:
    kind = _kind(one)
    if kind is ColumnKind.TEXT:
        yield None if value is None else text_of(value)
        if _may_be_number(one):
            yield value if isinstance(value, Decimal) else None
    else:
        yield value if isinstance(value, Decimal if kind is ColumnKind.DECIMAL else date) else None


# --- sources, problems, status ------------------------------------------------------------------


def _sources(exported: Exported) -> Iterator[tuple[Cell, ...]]:
    """Yield every value that is filled in, with its source where that is known."""
    for project in exported.portfolio.projects:
        source = exported.sources.get(project.id)
        for key, table, row, one, value in _values(exported.form, project):
            if value is None:
                continue
            label = (one.heading or one.label).rstrip(":：")
            place = (source.file, source.sheet, source.address(key), source.raw.get(key)) if source else (None,) * 4
            yield project.id, str(key), table, row, label, text_of(value), *place, source.sha256 if source else None


def _values(form: Form, project: Project) -> Iterator[tuple[Key, str | None, int | None, Field, Value]]:
    for key, one in form.fields.items():
        yield Key(key), None, None, one, project.values[key]
    for name, table in form.tables.items():
        for number, row in enumerate(project.tables[name]):
            for column, one in table.columns.items():
                yield Key(name, number, column), name, number + 1, one, row[column]


def _problems(exported: Exported, lang: str) -> Iterator[tuple[Cell, ...]]:
    for problem in exported.problems:
        place = (problem.location.file, problem.location.sheet, problem.location.address, problem.location.field)
        texts = problem.message(lang), problem.hint(lang)
        yield problem.project, problem.code, str(problem.severity), *place, *texts


def _status(exported: Exported) -> Iterator[tuple[Cell, ...]]:
    """Yield the projects of the roster in its order, then those that are not in it."""
    returned = {project.id: project for project in exported.portfolio.projects}
    listed = {project.id: project for project in exported.roster.projects} if exported.roster else {}
    counts = Counter((p.project, p.severity) for p in exported.problems if p.project is not None)
    first = exported.form.key_fields[0]
    for project_id, project in (listed | returned).items():
        source = exported.sources.get(project_id)
        errors, warnings = (counts[project_id, s] for s in (Severity.ERROR, Severity.WARNING))
        reason = exported.reasons.get(project_id)
        state = _state(project_id in returned, errors, reason)
        place = (source.file, source.sheet) if source else (None, None)
        yield project_id, text_of(project.values[first]), state, errors, warnings, *place, reason


def _state(is_returned: bool, errors: int, reason: str | None) -> str:
    if is_returned:
        return "errors" if errors else "returned"
    return "missing" if reason is None else "nothing"


def _decisions(exported: Exported) -> Iterator[tuple[Cell, ...]]:
    """Yield every decision in the order of decisions.yaml: values, then files."""
    known = exported.decisions
    values = (_decision(exported.form, decision) for decision in known.values)
    excluded = (("exclude", *(None,) * 7, x.file, None, x.sha256, x.reason, None, x.date) for x in known.excluded)
    superseded = (("supersede", *(None,) * 7, s.file, s.newer, None, s.reason, None, None) for s in known.superseded)
    for number, cells in enumerate((*values, *excluded, *superseded), 1):
        yield number, *(None if cell == "" else cell for cell in cells)


def _decision(form: Form, decision: Decision) -> tuple[Cell, ...]:
    address, end = decision.choice.address, (None, None, None, decision.reason, decision.by, decision.date)
    if address == PROJECT:
        return "remove", decision.project, *(None,) * 6, *end
    candidates = "\n".join(map(_parts_text, decision.candidates or ()))
    was = None if decision.was is None else _parts_text(decision.was)
    place = (decision.project, address_key(address), address.row, label_of(form, address))
    return "value", *place, _parts_text(decision.choice.value), was, candidates, *end


def _parts_text(value: Parts) -> str:
    """Spell a value on one line, so that candidates can be a line each."""
    return " ".join(shown(value)[0].split())


def cell_text(cell: Cell) -> str:
    """Spell a value exactly: 600000.5, 2026-01-31."""
    if isinstance(cell, Decimal):
        return number_text(cell)
    return "" if cell is None else cell.isoformat() if isinstance(cell, date) else str(cell)
