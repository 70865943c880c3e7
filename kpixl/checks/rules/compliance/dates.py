"""Dates of projects and of texts."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from kpixl.checks.parameters import FieldKey, Item
from kpixl.checks.rule import Roles, Subject
from kpixl.forms.values import fold

DATE = re.compile(r"(?<!\d)(\d{4})[年./-](\d{1,2})[月./-](?:(\d{1,2})日?)?(?!\d)")


@dataclass(frozen=True, slots=True)
class Dates:
    """The fields in which a project begins and ends."""

    start: FieldKey
    end: FieldKey


def dates_of(p: Dates | Deadline, subject: Subject) -> tuple[date, date] | None:
    start, end = subject.project.values[p.start], subject.project.values[p.end]
    return (start, end) if isinstance(start, date) and isinstance(end, date) else None


def date_details(p: Dates, subject: Subject, dates: tuple[date, date]) -> dict[str, object]:
    labels = {"start_label": subject.heading(p.start), "end_label": subject.heading(p.end)}
    return {**labels, "start": dates[0].isoformat(), "end": dates[1].isoformat()}


@dataclass(frozen=True, slots=True)
class Deadline:
    """The kinds of indicator whose text names a date, and the dates it must lie between."""

    rows: Roles
    levels: tuple[Item, ...]
    start: FieldKey
    end: FieldKey


@lru_cache(maxsize=4096)
def deadline_of(text: str) -> tuple[date, bool] | None:
    """Read the date that a text names and whether it names the day; a month counts as its first day."""
    match = DATE.search(fold(text))
    if match is None:
        return None
    try:
        return date(int(match[1]), int(match[2]), int(match[3] or 1)), match[3] is not None
    except ValueError:
        return None
