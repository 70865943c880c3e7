"""Looks at a definition without making anything of it: labels, help, lists, columns that cannot serve."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from kpixl import yaml_text
from kpixl.forms.definition import Field, Form
from kpixl.forms.load import DEFINITION, parse_form
from kpixl.forms.values import fold
from kpixl.inputs import read_input
from kpixl.learn.roundtrip import round_trip
from kpixl.problems import KpixlError, Location, Problem, Severity
from kpixl.recognise.labels import MAX_LABEL

_PART = re.compile(r"[.\[\]]")
NARROWEST = 4.0  # characters: three digits, or one Chinese character, and the margins of the cell


def examine(folder: Path) -> tuple[Form | None, list[Problem]]:
    """Load, lint and try the definition in a folder. Raises KpixlError where it cannot be read as YAML."""
    path = folder / DEFINITION
    text = yaml_text.decode(read_input(path), str(path))
    data = yaml_text.parse(text, str(path))
    marked = yaml_text.marks(text, str(path))
    try:
        form = replace(parse_form(data), file=str(path))
    except KpixlError as error:
        return None, [*marked.problems, *(_at_line(problem, path, marked.lines) for problem in error.problems)]
    problems = [*marked.problems, *_other_id(form, folder), *lint(form)]
    if any(problem.severity == Severity.ERROR for problem in problems):
        return form, problems  # a template cannot be made of it
    return form, [*problems, *round_trip(form)]


def _at_line(problem: Problem, path: Path, lines: Mapping[yaml_text.Path, int]) -> Problem:
    """Add the line of its key to what is wrong with a definition, where the key is found."""
    key = str(problem.details.get("key", ""))
    wanted = tuple(word for word in _PART.split(key.removeprefix(DEFINITION)) if word)
    line = next((line for place, line in lines.items() if wanted and _ends(place, wanted)), None)
    shown = key if line is None else (f"{key}（第 {line} 行）", f"{key} (line {line})")
    return replace(problem, location=Location(str(path)), details={**problem.details, "key": shown})


def _ends(place: yaml_text.Path, wanted: tuple[str, ...]) -> bool:
    names = tuple(word for part in place for word in str(part).split("."))
    return len(names) >= len(wanted) and names[-len(wanted) :] == wanted


def _other_id(form: Form, folder: Path) -> Iterator[Problem]:
    if form.id != folder.resolve().name:
        reason = (
            f"是 {form.id}，而文件夹名为 {folder.resolve().name}",
            f"is {form.id}, its folder {folder.resolve().name}",
        )
        yield Problem("form-invalid", Location(str(folder / DEFINITION)), {"key": "id", "reason": reason})


def lint(form: Form) -> Iterator[Problem]:
    """Yield what will make a definition hard to fill in or to read back."""
    yield from _labels(form)
    yield from _needs(form)
    yield from _lists(form)
    yield from _columns(form)
    if any(table.targets for table in form.tables.values()) and not form.checks.get("rows"):
        yield Problem("definition-no-rows-map", Location(form.file))


def _columns_of(form: Form) -> Iterator[tuple[str, Field]]:
    for table in form.tables.values():
        yield from ((f"{table.key}.{column.key}", column) for column in table.columns.values())


def _labels(form: Form) -> Iterator[Problem]:
    """Yield labels that several values share, in the form or a synonym, and labels that are too long to be found."""
    keys: dict[str, dict[str, str]] = defaultdict(dict)
    for key, field in form.fields.items():
        for text in (field.label, *field.synonyms):
            keys[fold(text)].setdefault(key, text)
    for named in keys.values():
        if len(named) > 1:
            details = {"label": next(iter(named.values())), "keys": "、".join(named)}
            yield Problem("definition-label-ambiguous", Location(form.file), details)
    for key, field in (*form.fields.items(), *_columns_of(form)):
        if len(field.label) > MAX_LABEL:
            long = {"length": len(field.label), "limit": MAX_LABEL}
            yield Problem("definition-label-long", Location(form.file, field=key), long)


def _needs(form: Form) -> Iterator[Problem]:
    required = {key: field for key, field in (*form.fields.items(), *_columns_of(form)) if field.required}
    if not required:
        yield Problem("definition-none-required", Location(form.file))
    bare = [field.label for field in required.values() if not field.help]
    if bare:
        details = {"count": len(bare), "fields": "、".join(bare)}
        yield Problem("definition-help-missing", Location(form.file), details)


def _lists(form: Form) -> Iterator[Problem]:
    used = {field.choices for _, field in (*form.fields.items(), *_columns_of(form))}
    while parents := {form.choices[name].parent for name in used if name} - used - {None}:
        used |= parents
    for name in form.choices.keys() - used:
        yield Problem("definition-list-unused", Location(form.file), {"name": name})


def _columns(form: Form) -> Iterator[Problem]:
    """Yield columns of tables that have no place, and physical columns that are too narrow."""
    for placed in form.layout.tables:
        table = form.tables[placed.table]
        for where, headings in (("entry", placed.entry), ("print", placed.print)):
            parts = {h.key: (h.key,) if h.key in table.columns else table.targets[h.key].parts for h in headings}
            there = {part for keys in parts.values() for part in keys}
            for column in table.columns.keys() - there:
                details = {"table": placed.table, "column": column, "where": where}
                yield Problem("definition-column-unplaced", Location(form.file), details)
    for number, width in enumerate(form.layout.widths, 1):
        if width < NARROWEST:
            yield Problem("definition-column-narrow", Location(form.file), {"number": number, "width": width})
