"""Portfolio -> problems: what can be said of a project without the file it came from.

Each rule is a function of (form, project); where it points is looked up by the caller in the project's sources.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import date
from decimal import Decimal

from kpixl.model import Field, Form, Portfolio, Project, Value
from kpixl.problems import Location, Problem
from kpixl.values import FIELD_TYPES, number_text, text_of, total

# (code, key of the value in the project, label, details)
Finding = tuple[str, str, str, dict[str, object]]
Rule = Callable[[Form, Project], Iterator[Finding]]
Locate = Callable[[str, str, str], Location]


def check(form: Form, portfolio: Portfolio, locate: Locate | None = None) -> tuple[Problem, ...]:
    """Check every project by every rule. `locate(project id, value key, label)` says where a value was typed."""
    where = locate or _in_portfolio(form, portfolio)
    return tuple(
        Problem(code, where(project.id, key, label), details)
        for project in portfolio.projects
        for rule in RULES
        for code, key, label, details in rule(form, project)
    )


def _in_portfolio(form: Form, portfolio: Portfolio) -> Locate:
    first = form.key_fields[0]
    names = {p.id: f"{p.id} {text_of(p.values[first])}".strip() for p in portfolio.projects}
    return lambda project, key, label: Location(None, names[project], None, label or key)


def unread(form: Form, project: Project) -> Iterator[Finding]:
    """Find values that are not of their type and were kept as typed."""
    for key, field in form.fields.items():
        yield from _unread(field, key, project.values[key])
    for table, rows in project.tables.items():
        for number, row in enumerate(rows):
            for key, field in form.tables[table].columns.items():
                yield from _unread(field, f"{table}.{number}.{key}", row[key])


def _unread(field: Field, key: str, value: Value) -> Iterator[Finding]:
    if isinstance(value, str) and FIELD_TYPES[field.type].typed in (date, Decimal):
        kind = FIELD_TYPES[field.type]
        yield "value-unread", key, field.label, {"raw": value, "type": kind.noun, "expected": kind.expected}


def required(form: Form, project: Project) -> Iterator[Finding]:
    """Find blank values that the form requires."""
    for key, field in form.fields.items():
        if field.required and project.values[key] is None:
            if field.sum:  # a total cannot be typed: point at its first part
                parts = "、".join(form.fields[part].heading for part in field.sum)
                label = f"{field.heading} ({parts})"
                yield "required-blank", field.sum[0], form.fields[field.sum[0]].label, {"label": label}
            else:
                yield "required-blank", key, field.label, {"label": field.heading}
    for table, rows in project.tables.items():
        columns: Mapping[str, Field] = form.tables[table].columns
        needed = [field for field in columns.values() if field.required]
        if needed and not rows:
            yield "no-rows", table, form.tables[table].label, {"label": form.tables[table].label}
        for number, row in enumerate(rows):
            for field in needed:
                if row[field.key] is None:
                    yield "required-blank", f"{table}.{number}.{field.key}", field.label, {"label": field.label}


def sums(form: Form, project: Project) -> Iterator[Finding]:
    """Find totals that differ from the sum of their parts; silent where a part could not be read."""
    for key, field in form.fields.items():
        amount, parts = project.values[key], [project.values[part] for part in field.sum]
        if not isinstance(amount, Decimal) or any(isinstance(part, str) for part in parts):
            continue
        added = total(parts)
        if added is not None and added != amount:
            labels = "、".join(form.fields[part].heading for part in field.sum)
            yield "sum-mismatch", key, field.label, {
                "label": field.heading,
                "amount": number_text(amount),
                "sum": number_text(added),
                "difference": number_text(amount - added),
                "parts": labels,
            }


RULES: tuple[Rule, ...] = (unread, sums, required)
