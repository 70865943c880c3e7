"""Trace values of one project to the file, sheet and cell they were typed in.

Made for large portfolios: only the lines of the one project are parsed, of the portfolio and of its sources. A
portfolio that somebody wrote otherwise than kpixl does is parsed as a whole.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from kpixl.collection.decisions import Decision, decisions_path, load_decisions
from kpixl.collection.deliveries import delivery_data
from kpixl.collection.merge import Source
from kpixl.collection.sources import portfolio_digest, project_source, sources_path
from kpixl.forms.definition import Field, Form, Value
from kpixl.forms.values import fold, text_of, to_yaml
from kpixl.inputs import read_input
from kpixl.keys import Key
from kpixl.portfolio import canonical
from kpixl.portfolio.canonical import FormSource
from kpixl.portfolio.diff import value_text
from kpixl.portfolio.model import Project
from kpixl.portfolio.pairing import row_path, row_title
from kpixl.portfolio.three_way import columns_of
from kpixl.problems import KpixlError, Location, Problem, failure
from kpixl.readers import Delivery
from kpixl.yaml_text import decode, quote

MAX_NAMED = 12  # projects that a message names


@dataclass(frozen=True, slots=True)
class Origin:
    """A value and where it came from. `raw`: what was typed where that is not the value; `row`: what its row is called.
    `decision`: of the office, where it chose this very value.
    `through`: where lower levels had it from, the nearest first.

    `place.cell` is None for a value that no cell holds, such as a total that was added up.
    """

    key: Key
    label: str
    field: Field
    value: Value
    place: Location
    raw: str | None
    row: str = ""
    decision: Decision | None = None
    through: tuple[Location, ...] = ()


@dataclass(frozen=True, slots=True)
class Trace:
    """The values of a project that were asked for. `sha256`: of the file they came from.

    `mails`: how those of the files came that a mail brought.
    """

    form: Form
    project: Project
    sha256: str | None
    origins: tuple[Origin, ...]
    problems: tuple[Problem, ...]
    mails: Mapping[str, Delivery]

    @property
    def name(self) -> str:
        """Return what people call the project."""
        return " ".join(text_of(self.project.values[self.form.key_fields[0]]).split())


def trace(path: Path, project: str, field: str | None, form_of: FormSource) -> Trace:
    """Trace the values of a project, named by id or name; only those of a field, column or row where it is named.

    Raises KpixlError: `project-unknown`, `field-unknown`, and what loading a portfolio raises.
    """
    content = read_input(path)
    form, found = _project(content, project, form_of, path.name)
    source, problems = _source(path, content, found.id)
    decided = load_decisions(decisions_path(path), form).by_project().get(found.id, ())
    origins = tuple(_with_decision(form, found, origin, decided) for origin in _origins(form, found, source))
    if field is not None:
        wanted = tuple(origin for origin in origins if _is_wanted(form, origin, field))
        if not wanted and not _is_known(form, field):
            known = ", ".join((*form.fields, *form.tables))
            raise failure("field-unknown", path.name, field=field, known=known)
        origins = wanted
    return Trace(form, found, source.sha256 if source else None, origins, problems, _mails(source, origins))


# --- one project of a large portfolio -----------------------------------------------------------


def _project(content: bytes, wanted: str, form_of: FormSource, file: str) -> tuple[Form, Project]:
    """Load one project, by its lines alone where the file is as kpixl writes it."""
    head, separator, body = content.partition(b"\nprojects:\n")
    start = _line_of_id(body, wanted)
    if separator and start < 0:
        form = canonical.loads(decode(head + b"\nprojects: []\n", file), form_of, file)[0]
        names = _names(form, body)
        # Without a name, which may be too long for a line, or without a match, the whole file is asked.
        if all(names.values()) and len(found_ids := _matches(names, wanted)) == 1:
            start = _line_of_id(body, found_ids[0])
    if start >= 0 and (found := _of_lines(head + separator, body, start, form_of)) is not None:
        return found
    form, portfolio = canonical.loads(decode(content, file), form_of, file)
    first = form.key_fields[0]
    chosen = _chosen({p.id: text_of(p.values[first]) for p in portfolio.projects}, wanted, file)
    return form, next(p for p in portfolio.projects if p.id == chosen)


def _of_lines(head: bytes, body: bytes, start: int, form_of: FormSource) -> tuple[Form, Project] | None:
    """Load the project that begins at `start`; None where its lines alone are not right: the whole file shows why."""
    end = body.find(b"\n- id: ", start)
    lines = body[start:] if end < 0 else body[start : end + 1]
    try:
        form, portfolio = canonical.loads(decode(head + lines, None), form_of)
    except KpixlError:
        return None
    return (form, portfolio.projects[0]) if len(portfolio.projects) == 1 else None


def _line_of_id(body: bytes, project: str) -> int:
    line = b"- id: " + quote(project).encode() + b"\n"
    return 0 if body.startswith(line) else 1 + found if (found := body.find(b"\n" + line)) >= 0 else -1


def _names(form: Form, body: bytes) -> dict[str, str]:
    """Map ids to names as they are written, on one line each; longer names are not found by this."""
    line = re.compile(rb"^- id: (.+)$|^  " + form.key_fields[0].encode() + rb": (.+)$", re.MULTILINE)
    names: dict[str, str] = {}
    last = ""
    for match in line.finditer(body):
        if match[1]:
            last = _unquoted(match[1])
            names[last] = ""
        else:
            names[last] = _unquoted(match[2])
    return names


def _unquoted(text: bytes) -> str:
    return "" if text[:1] in (b"|", b">") else text.decode("utf-8", "replace").strip("\"'")


def _chosen(names: Mapping[str, str], wanted: str, file: str) -> str:
    """Choose a project by id, by its whole name, or by a part of it that no other has."""
    found = _matches(names, wanted)
    if len(found) == 1:
        return found[0]
    if not found:
        raise failure("project-unknown", file, name=wanted)
    listed = "、".join(f"{project} {names[project]}" for project in found[:MAX_NAMED])
    raise failure("project-ambiguous", file, name=wanted, found=listed)


def _matches(names: Mapping[str, str], wanted: str) -> list[str]:
    """List the projects of that id; else those of that name; else those with it in their name."""
    if wanted in names:
        return [wanted]
    folded = {project: fold(name) for project, name in names.items()}
    whole = [project for project, name in folded.items() if name == fold(wanted)]
    return whole or [project for project, name in folded.items() if fold(wanted) in name]


# --- where its values came from -----------------------------------------------------------------


def _source(path: Path, portfolio: bytes, project: str) -> tuple[Source | None, tuple[Problem, ...]]:
    beside = sources_path(path)
    try:
        content = read_input(beside)
    except KpixlError:
        details = {"path": beside.name, "portfolio": path.name}
        return None, (Problem("sources-missing", Location(beside.name), details),)
    problems: tuple[Problem, ...] = ()
    if portfolio_digest(content) != hashlib.sha256(portfolio).hexdigest():
        problems = (Problem("portfolio-edited", Location(path.name), {"path": path.name}),)
    return project_source(content, project), problems


def _origins(form: Form, project: Project, source: Source | None) -> Iterator[Origin]:
    """Yield every value that is filled in, in the order of the form."""
    for key, field in form.fields.items():
        yield from _origin(Key(key), field, project.values[key], source)
    for key, table in form.tables.items():
        for number, row in enumerate(project.tables[key]):
            for column, field in table.columns.items():
                address = Key(key, number, column)
                title = f"{table.label} {number + 1} {row_title(table, row)}".strip()
                yield from _origin(address, field, row[column], source, title)


def _origin(key: Key, field: Field, value: Value, source: Source | None, row: str = "") -> Iterator[Origin]:
    if value is None:
        return
    steps = list(_steps(source, key)) if source else []
    place = source.at(key) if source else Location()
    raw = steps[-1][0].raw.get(steps[-1][1]) if steps else None
    through = tuple(giver.at(step) for giver, step in steps[1:])
    yield Origin(key, (field.heading or field.label).rstrip(":："), field, value, place, raw, row, through=through)


def _steps(source: Source, key: Key) -> Iterator[tuple[Source, Key]]:
    """Yield who gave a value and its key there, from this level down: in a portfolio the cell of a value is its key."""
    giver = source.giver(key)
    yield giver, key
    while giver.below is not None and isinstance(below := giver.cells.get(key), Key):
        key = below
        giver = giver.below.giver(key)
        yield giver, key


def _with_decision(form: Form, project: Project, origin: Origin, decisions: Sequence[Decision]) -> Origin:
    """Add the decision that a value comes from; a row is known by its path, or as it is now."""
    for decision in decisions:
        address, key = decision.choice.address, origin.key
        if address.key != key.name:
            continue
        if not key.in_row:
            return replace(origin, decision=decision) if decision.choice.value == (origin.value,) else origin
        table, row = form.tables[key.name], project.tables[key.name][key.row]
        columns = columns_of(table).get(address.column, tuple(table.columns))
        if key.column in columns and fold(address.row.partition(" #")[0]) == fold(row_path(table, row)):
            return replace(origin, decision=decision)
    return origin


def _mails(source: Source | None, origins: Sequence[Origin]) -> Mapping[str, Delivery]:
    """Return how the files came that values are from, of those that a mail brought."""
    files = {origin.place.file for origin in origins}
    parts = (source, *source.others) if source else ()
    return {part.file: part.delivery for part in parts if part.delivery is not None and part.file in files}


def _is_wanted(form: Form, origin: Origin, field: str) -> bool:
    """Return whether a value is the one named: by key, the beginning of one, label, or what its row is called."""
    if str(origin.key) == field or str(origin.key).startswith(f"{field}."):
        return True
    labels = (origin.label, origin.field.label, *origin.field.synonyms)
    if fold(field) in map(fold, labels):
        return True
    table = form.tables.get(origin.key.name)
    return table is not None and (fold(field) == fold(table.label) or fold(origin.row).endswith(fold(field)))


def _is_known(form: Form, field: str) -> bool:
    """Return whether a form has such a field or column, so that it is only blank."""
    fields = [*form.fields.values(), *(c for table in form.tables.values() for c in table.columns.values())]
    texts = {fold(text) for one in fields for text in (one.key, one.label, one.heading, *one.synonyms)}
    return fold(field) in texts or field in form.tables or any(key.startswith(f"{field}.") for key in form.fields)


def trace_data(found: Trace) -> dict[str, Any]:
    """Turn a trace into JSON data."""
    return {
        "project": found.project.id,
        "name": found.name,
        "sha256": found.sha256,
        "values": [
            {
                "key": str(origin.key),
                "label": origin.label,
                "row": origin.row or None,
                "value": to_yaml(origin.value),
                "file": origin.place.file,
                "sheet": origin.place.sheet,
                "cell": origin.place.address,
                "raw": origin.raw if origin.raw is not None else _raw(origin),
                "decision": None
                if origin.decision is None
                else {key: getattr(origin.decision, key) for key in ("reason", "by", "date")},
                "through": [{"file": p.file, "sheet": p.sheet, "cell": p.address} for p in origin.through],
                **delivery_data(found.mails.get(origin.place.file or "")),
            }
            for origin in found.origins
        ],
    }


def _raw(origin: Origin) -> str | None:
    """Return what was typed where it was read plainly: the value itself; None where nobody typed it."""
    return text_of(origin.value) if origin.place.cell is not None else None


def shown_value(origin: Origin) -> str:
    """Return a value as people read it, on one line."""
    return " ".join(value_text(origin.field, origin.value).split())
