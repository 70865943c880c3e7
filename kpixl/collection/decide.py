"""Decisions from the command line: `kpixl decide` and `kpixl exclude`."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from kpixl.collection.decisions import BY_COMMAND, Decision, Exclusion
from kpixl.forms.definition import Form
from kpixl.forms.values import fold, text_of
from kpixl.inputs import read_input
from kpixl.portfolio.merge_model import DELETE, KEEP, Address, Choice, Parts
from kpixl.portfolio.model import Portfolio, Project
from kpixl.portfolio.pairing import row_path
from kpixl.portfolio.three_way import columns_of
from kpixl.portfolio.wording import address_key, address_of, label_of, read_shown, value_of
from kpixl.problems import failure

MAX_LISTED = 20  # rows named in one message


def decision(
    form: Form,
    portfolio: Portfolio,
    conflicts: Sequence[Mapping[str, Any]],
    *,
    project: str,
    field: str,
    value: str,
    row: str = "",
    why: str = "",
    today: str,
) -> Decision:
    """Make the decision that a value is to be `value`. `conflicts`: those of the last run, as in its sources file.

    `project`: id or name; `field`: key or label; `row`: the path or the name of a row. Raises KpixlError
    `project-unknown`, `project-ambiguous`, `field-unknown`, `row-unknown` or `value-unfit`.
    """
    found = _project(form, portfolio, project)
    address = address_of(form, field, row)
    if address is None:
        known = ", ".join(f"{key} ({f.heading})" for key, f in form.fields.items())
        tables = (f"{t.key}.{c}" for t in form.tables.values() for c in columns_of(t))
        raise failure("field-unknown", field=field, known=", ".join([known, *tables]))
    open_ones = [c for c in conflicts if c["project"] == found.id and c["field"] == address_key(address)]
    if address.row:
        address = _with_row(form, found, address, open_ones)
    conflict: Mapping[str, Any] = next((c for c in open_ones if (c["row"] or "") == address.row), {})
    candidates = [v for each in conflict.get("candidates", ()) if (v := value_of(form, address, each["value"]))]
    now = _now(form, found, address)
    chosen = read_shown(form, address, value, [*candidates, now])
    if chosen is None:
        raise failure("value-unfit", value=value, label=label_of(form, address))
    known_values = tuple(candidates or [now])
    return Decision(found.id, Choice(address, chosen), why, BY_COMMAND, today, now, known_values)


def _project(form: Form, portfolio: Portfolio, wanted: str) -> Project:
    first = form.key_fields[0]
    found = [p for p in portfolio.projects if p.id == wanted]
    found = found or [p for p in portfolio.projects if fold(text_of(p.values[first])) == fold(wanted)]
    if not found:
        raise failure("project-unknown", name=wanted)
    if len(found) > 1:
        raise failure("project-ambiguous", name=wanted, found="、".join(p.id for p in found[:MAX_LISTED]))
    return found[0]


def _with_row(form: Form, project: Project, address: Address, conflicts: Sequence[Mapping[str, Any]]) -> Address:
    """Name the row by its path. A name alone is enough where only one row has it."""
    table, wanted = form.tables[address.key], fold(address.row)
    paths = [row_path(table, row) for row in project.tables[address.key]]
    paths += [str(c["row"]) for c in conflicts if c["row"] and c["row"] not in paths]
    found = [path for path in paths if fold(path) == wanted]
    found = found or [path for path in paths if fold(path.rpartition("/")[2]) == wanted]
    if len(found) != 1:
        known = "；".join(paths[:MAX_LISTED]) + ("……" if len(paths) > MAX_LISTED else "")
        raise failure("row-unknown", row=address.row, known=known, count=len(found))
    return Address(address.key, found[0], address.column)


def _now(form: Form, project: Project, address: Address) -> Parts:
    """Return the value that an address has in the result."""
    if address.key in form.fields:
        return (project.values[address.key],)
    table = form.tables[address.key]
    row = next((r for r in project.tables[address.key] if fold(row_path(table, r)) == fold(address.row)), None)
    if not address.column:
        return KEEP if row is not None else DELETE
    columns = columns_of(table)[address.column]
    return tuple(row[column] if row is not None else None for column in columns)


def exclusion(file: str, digests: Mapping[str, str], *, why: str, today: str) -> Exclusion:
    """Make the decision that a file does not count: one on disk, or one of the last run by the name it is shown with.

    `digests`: of the files of the last run. Raises KpixlError `path-missing`.
    """
    if file in digests:
        return Exclusion(file, digests[file], why, today)
    path = Path(file)
    return Exclusion(path.name, hashlib.sha256(read_input(path)).hexdigest(), why, today)
