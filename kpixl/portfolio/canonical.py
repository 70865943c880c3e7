"""The canonical file: Portfolio <-> YAML text (design 5). One portfolio has exactly one text.

Values are tidied on the way in with the same readers that read workbooks, so a portfolio in memory is always
canonical: no padded numbers, no targets typed whole, no total left blank beside its parts.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from kpixl import yaml_text
from kpixl.forms.compute import computed_value
from kpixl.forms.definition import Field, Form, Row, Value
from kpixl.forms.types import FIELD_TYPES
from kpixl.forms.values import (
    MAX_CELL_TEXT,
    Raw,
    refused_character,
    storable,
    text_of,
    tidy_target,
    to_decimal,
    to_yaml,
    utf16_length,
)
from kpixl.inputs import check_regular, read_input
from kpixl.portfolio.model import Portfolio, Project
from kpixl.problems import KpixlError, Location, Problem

FORMAT = 1
HEAD_KEYS = ("kpixl", "form", "year", "organization", "projects")
FormSource = Callable[[str], Form]
# What people give instead of a portfolio: workbooks (zip, OLE) and lists.
_WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
_LISTS = frozenset({".csv", ".tsv", ".txt"})


# --- writing ----------------------------------------------------------------------------------


def dumps(form: Form, portfolio: Portfolio) -> str:
    """Write the one canonical text of `portfolio`."""
    out = [
        f"kpixl: {FORMAT}",
        f"form: {yaml_text.scalar(portfolio.form, '')}",
        f"year: {yaml_text.scalar(portfolio.year, '')}",
        f"organization: {yaml_text.scalar(portfolio.organization, '  ')}",
        "projects:" if portfolio.projects else "projects: []",
    ]
    steps = _steps(form)
    rows = [(key, [(column, f"    {column}: ") for column in table.columns]) for key, table in form.tables.items()]
    scalar = yaml_text.scalar
    for project in portfolio.projects:
        own = [f"- id: {yaml_text.quote(project.id)}"]
        values = project.values
        for prefix, key, indent in steps:
            own.append(f"{prefix}{scalar(to_yaml(values[key]), indent)}" if key else prefix)
        for table, columns in rows:
            own += _table_lines(table, project.tables[table], columns)
        out.append("\n".join(own))  # a text to a project takes a third of the memory of its lines
    out.append("")
    return "\n".join(out)


def _table_lines(table: str, rows: Sequence[Row], columns: Sequence[tuple[str, str]]) -> list[str]:
    """Write the rows of a table; `columns`: each with the text before its values."""
    scalar = yaml_text.scalar
    out = [f"  {table}:" if rows else f"  {table}: []"]
    for row in rows:
        lines = [prefix + scalar(to_yaml(row[column]), "      ") for column, prefix in columns]
        lines[0] = "  - " + lines[0][4:]
        out += lines
    return out


def _steps(form: Form) -> list[tuple[str, str, str]]:
    """List the lines of a project: (text before the value, field key or "" for a group, indent of a block)."""
    steps: list[tuple[str, str, str]] = []
    open_groups: tuple[str, ...] = ()
    for key in form.fields:
        *groups, name = key.split(".")
        for depth, group in enumerate(groups):
            if open_groups[: depth + 1] != tuple(groups[: depth + 1]):
                steps.append(("  " * (depth + 1) + f"{group}:", "", ""))
        open_groups = tuple(groups)
        indent = "  " * (len(groups) + 1)
        steps.append((f"{indent}{name}: ", key, indent + "  "))
    return steps


# --- reading ----------------------------------------------------------------------------------


def load(path: Path, form_of: FormSource) -> tuple[Form, Portfolio]:
    """Read a portfolio from disk. Raises KpixlError with everything that is wrong in it."""
    check_regular(path)
    if (size := path.stat().st_size) > yaml_text.MAX_YAML_BYTES:
        details = {"size": size, "limit": yaml_text.MAX_YAML_BYTES}
        raise KpixlError(Problem("yaml-too-large", Location(file=path.name), details))
    content = read_input(path)
    if content.startswith(_WORKBOOKS) or path.suffix.lower() in _LISTS:
        raise KpixlError(Problem("not-a-portfolio", Location(file=path.name), {"file": path.name}))
    return loads(yaml_text.decode(content, path.name), form_of, path.name)


def loads(text: str, form_of: FormSource, file: str | None = None) -> tuple[Form, Portfolio]:
    """Read a portfolio from YAML text. Raises KpixlError with every problem found, each with its line.

    Text that is not canonical to the letter was touched by hand, and then read a second time, slowly: the fast
    parser lets a repeated key pass and forgets how a number was typed.
    """
    data = yaml_text.parse(text, file)
    found = _Findings()
    form, portfolio = _portfolio(data, form_of, found)
    if form is not None and portfolio is not None and not found.items and text == dumps(form, portfolio):
        return form, portfolio
    marks = yaml_text.marks(text, file)
    found = _Findings(marks.numbers)
    form, portfolio = _portfolio(data, form_of, found)
    problems = marks.problems + [
        Problem(
            code,
            Location(file=file, field=".".join(map(str, path))),
            {**details, "line": yaml_text.line_of(marks.lines, path)},
        )
        for code, path, details in found.items
    ]
    if problems or form is None or portfolio is None:
        raise KpixlError(*sorted(problems, key=lambda p: int(str(p.details.get("line", 0)))))
    return form, portfolio


class _Findings:
    """What is wrong, by path; lines are looked up only when there is something.

    `numbers`: how numbers were typed, where that is known.
    """

    def __init__(self, numbers: Mapping[yaml_text.Path, str] | None = None) -> None:
        self.items: list[tuple[str, yaml_text.Path, dict[str, object]]] = []
        self.numbers = numbers or {}

    def typed(self, path: yaml_text.Path, raw: Any, as_text: bool) -> Any:
        """Return a number as it was typed, where the parser's number is less than that."""
        text = self.numbers.get(path)
        if text is None or isinstance(raw, str):
            return raw
        return text if as_text or not _same_number(text, raw) else raw

    def add(self, code: str, path: yaml_text.Path, **details: object) -> None:
        """Note a finding at `path`."""
        self.items.append((code, path, {"key": str(path[-1]) if path else ("文件", "the file"), **details}))

    def unknown(self, path: yaml_text.Path, known: list[str]) -> None:
        """Note an unknown key, with the nearest known one."""
        near = difflib.get_close_matches(str(path[-1]), known, 1)
        zh = f"是否应为“{near[0]}”？" if near else f"可用的键：{', '.join(known)}。"
        en = f"Did you mean {near[0]}?" if near else f"Known keys: {', '.join(known)}."
        self.add("key-unknown", path, suggestion=(zh, en))

    def wrong(self, path: yaml_text.Path, expected: tuple[str, str], found: object) -> None:
        """Note a value of the wrong kind."""
        self.add("value-wrong", path, expected=expected, found=_shown(found))


def _same_number(text: str, number: float) -> bool:
    try:
        return Decimal(text) == to_decimal(number)
    except ArithmeticError:
        return False


def _shown(found: object) -> object:
    if found is None:
        return ("空", "blank")
    if isinstance(found, dict):
        return ("一组键值", "a mapping")
    if isinstance(found, list):
        return ("一个列表", "a list")
    return f'"{found}"' if isinstance(found, str) else str(found)


_MAPPING = ("一组键值（key: value）", "a mapping (key: value)")
_LIST = ("一个列表（每项以 - 开头）", "a list (items that begin with -)")


def _portfolio(data: Any, form_of: FormSource, found: _Findings) -> tuple[Form | None, Portfolio | None]:
    if not isinstance(data, dict):
        found.wrong((), _MAPPING, data)
        return None, None
    for key in data:
        if key not in HEAD_KEYS:
            found.unknown((str(key),), list(HEAD_KEYS))
    if "kpixl" not in data:
        found.add("key-missing", (), key="kpixl: 1")
    elif data["kpixl"] != FORMAT or isinstance(data["kpixl"], bool):
        found.wrong(("kpixl",), (str(FORMAT), str(FORMAT)), data["kpixl"])
    if not isinstance(data.get("form"), str):
        found.add("key-missing", (), key="form")
        return None, None
    form = form_of(data["form"])
    year, organization = _year(data.get("year"), found), _organization(data.get("organization"), found)
    projects = data.get("projects")
    if not isinstance(projects, list):
        if projects is not None or "projects" not in data:
            found.wrong(("projects",), _LIST, projects)
        projects = []
    reader = _ProjectReader(form, found)
    return form, Portfolio(form.id, year, organization, tuple(reader.read_all(projects)))


def _year(raw: Any, found: _Findings) -> int | None:
    if raw is None or (isinstance(raw, int) and not isinstance(raw, bool) and 1900 <= raw <= 9999):
        return raw
    found.wrong(("year",), ("四位年份", "a year of four digits"), raw)
    return None


def _organization(raw: Any, found: _Findings) -> str | None:
    if raw is None:
        return None
    if not isinstance(raw, str):
        found.wrong(("organization",), ("文字", "text"), raw)
        return None
    _check_text(raw, ("organization",), found)
    return raw


def _check_text(text: str, path: yaml_text.Path, found: _Findings) -> None:
    if (character := refused_character(text)) is not None:
        found.add("text-refused", path, found=character)
    if len(text) * 2 > MAX_CELL_TEXT and (length := utf16_length(text)) > MAX_CELL_TEXT:
        found.add("text-too-long", path, length=length, limit=MAX_CELL_TEXT)


@dataclass(frozen=True, slots=True)
class _ProjectReader:
    form: Form
    found: _Findings

    def read_all(self, items: list[Any]) -> Iterator[Project]:
        seen: set[str] = set()
        groups = _groups(self.form)
        for index, item in enumerate(items):
            path: yaml_text.Path = ("projects", index)
            if not isinstance(item, dict):
                self.found.wrong(path, _MAPPING, item)
                continue
            project = self.read(item, path, groups)
            if project.id in seen:
                self.found.add("id-duplicate", path, id=project.id)
            seen.add(project.id)
            yield project

    def read(self, item: dict[Any, Any], path: yaml_text.Path, groups: Mapping[str, list[str]]) -> Project:
        raws: dict[str, Any] = {}
        self._flatten(item, path, "", groups, raws)
        project_id = raws.get("id")
        if isinstance(project_id, int | float) and not isinstance(project_id, bool):
            self.found.wrong(
                (*path, "id"), (f'加引号的文字，如 "{project_id}"', f'text in quotes, "{project_id}"'), project_id
            )
        elif not isinstance(project_id, str) or not project_id.strip():
            self.found.add("key-missing", path, key='id: "01"')
        else:
            _check_text(project_id, (*path, "id"), self.found)
        values = {key: self._value(f, raws.get(key), path, key) for key, f in self.form.fields.items()}
        tables = {key: tuple(self._rows(key, raws.get(key), (*path, key))) for key in self.form.tables}
        project = complete(self.form, Project(str(project_id), values, tables))
        for key, field in self.form.fields.items():
            if not field.printed and values[key] not in (None, computed := project.values[key]):
                expected = text_of(computed)
                self.found.wrong(
                    (*path, *key.split(".")), (f"计算结果 {expected}", f"computed: {expected}"), values[key]
                )
        return project

    def _flatten(
        self,
        item: Mapping[Any, Any],
        path: yaml_text.Path,
        prefix: str,
        groups: Mapping[str, list[str]],
        raws: dict[str, Any],
    ) -> None:
        known = groups[prefix]
        for name, value in item.items():
            key = f"{prefix}{name}"
            if name not in known:
                self.found.unknown((*path, str(name)), known)
            elif f"{key}." in groups:
                if isinstance(value, dict):
                    self._flatten(value, (*path, name), f"{key}.", groups, raws)
                elif value is not None:
                    self.found.wrong((*path, name), _MAPPING, value)
            else:
                raws[key] = value

    def _rows(self, key: str, items: Any, path: yaml_text.Path) -> Iterator[Row]:
        if items is None:
            return
        if not isinstance(items, list):
            self.found.wrong(path, _LIST, items)
            return
        columns = self.form.tables[key].columns
        for index, item in enumerate(items):
            where = (*path, index)
            if not isinstance(item, dict):
                self.found.wrong(where, _MAPPING, item)
                continue
            self._refuse_unknown(item, where, columns)
            row = {name: self._value(field, item.get(name), where, name) for name, field in columns.items()}
            if any(value is not None for value in row.values()):
                yield tidy_row(self.form, key, row)[0]

    def _refuse_unknown(self, item: Mapping[Any, Any], path: yaml_text.Path, columns: Mapping[str, Field]) -> None:
        for name in item:
            if name not in columns:
                self.found.unknown((*path, str(name)), list(columns))

    def _value(self, field: Field, raw: Any, path: yaml_text.Path, key: str) -> Value:
        if raw is None:
            return None
        where = (*path, *key.split("."))
        if isinstance(raw, bool) or not isinstance(raw, str | int | float):
            self.found.wrong(where, FIELD_TYPES[field.type].expected(self.form.money), raw)
            return None
        raw = self.found.typed(where, raw, FIELD_TYPES[field.type].keeps_digits)
        if isinstance(raw, str):
            _check_text(raw, where, self.found)
        return read_value(self.form, field, raw)[0]


def _groups(form: Form) -> dict[str, list[str]]:
    """Map each group prefix ("" or "funding.") to the names that may be in it."""
    groups: dict[str, list[str]] = {"": ["id"]}
    for key in (*form.fields, *form.tables):
        parts = key.split(".")
        for depth, name in enumerate(parts):
            prefix = "".join(f"{p}." for p in parts[:depth])
            names = groups.setdefault(prefix, [])
            if name not in names:
                names.append(name)
    return groups


# --- what makes a project canonical -----------------------------------------------------------


def read_value(form: Form, field: Field, raw: Raw) -> tuple[Value, bool]:
    """Read one raw value as its field's type; return whether it was read otherwise than plainly too."""
    if isinstance(raw, str) and (kept := storable(raw)) != raw:
        return read_value(form, field, kept)[0], True
    return FIELD_TYPES[field.type].read(raw, form.choices[field.choices] if field.choices else None, form.money)


def tidy_row(form: Form, table: str, row: dict[str, Value]) -> tuple[Row, bool]:
    """Split targets that were typed whole; return whether one was."""
    noted = False
    for target in form.tables[table].targets.values():
        columns = form.tables[table].columns
        operators, units = columns[target.operator].choices, columns[target.unit].choices
        assert operators is not None and units is not None
        noted |= tidy_target(row, target, form.choices[operators], form.choices[units])
    return row, noted


def complete(form: Form, project: Project) -> Project:
    """Fill in each blank total and computed value; one that is on no form is always the computed one."""
    values, changed = dict(project.values), False
    for key in form.computed:
        field = form.fields[key]
        if values[key] is None or not field.printed:
            computed = computed_value(field, values, project.tables)
            changed |= computed != values[key]
            values[key] = computed
    return replace(project, values=values) if changed else project
