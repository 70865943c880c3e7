"""Roster x returned files -> who has returned what: taken by `take_stock`, shown as table, JSON, workbook and page."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

from kpixl.collection.intake import DEFAULT_LIMITS, Limits, Progress, Workers
from kpixl.collection.model import Collection
from kpixl.collection.review import is_portfolio, review
from kpixl.disk import Output, Written, commit
from kpixl.forms.definition import Form
from kpixl.forms.names import field_called, unit_field
from kpixl.output.status.model import Status, status_data, status_of
from kpixl.portfolio.model import Portfolio
from kpixl.problems import Problem, failure

__all__ = [
    "Status",
    "review_and_status",
    "status_data",
    "status_of",
    "status_outputs",
    "take_stock",
    "write_status",
]


def take_stock(paths: Sequence[Path], forms: Sequence[Form], roster: Portfolio, **options: Any) -> Status:
    """Return the status alone; see `review_and_status`."""
    return review_and_status(paths, forms, roster, **options)[1]


def review_and_status(
    paths: Sequence[Path],
    forms: Sequence[Form],
    roster: Portfolio,
    *,
    by: str | None = None,
    due: datetime | None = None,
    config: Path | None = None,
    inputs: Sequence[Path] = (),
    outputs: Sequence[Path] = (),
    limits: Limits = DEFAULT_LIMITS,
    workers: Workers = None,
    progress: Progress | None = None,
    sent: Portfolio | None = None,
) -> tuple[Collection, Status]:
    """Check what lies under `paths` as `kpixl check` does; return the state of every project of the roster.

    `by`: the field by which to group, by default the one that names the owner of a project. `due`: local time; a date
    alone means its whole day. `inputs`, `outputs`: as for review. Raises KpixlError as review does, save where
    nothing can be read: then everything is missing; `field-unknown`, and
    `not-submissions` where a portfolio is given in place of returned files.
    """
    if is_portfolio(paths):
        raise failure("not-submissions", path=str(paths[0]))
    form = next(form for form in forms if form.id == roster.form)
    field = field_called(form, by) if by is not None else unit_field(form)
    reviewed = review(
        paths,
        forms,
        roster=roster,
        config=config,
        inputs=inputs,
        outputs=outputs,
        limits=limits,
        workers=workers,
        progress=progress,
        may_be_empty=True,
        sent=sent,
    )
    return reviewed, status_of(reviewed, roster, by=field, due=due)


def write_status(
    status: Status,
    workbook: Path | None,
    page: Path | None,
    *,
    lang: str = "zh",
    extra: Sequence[Path] = (),
    today: date | None = None,
) -> tuple[list[Written], list[Problem]]:
    """Write the workbook and the page, where they are wanted; return what was written and the problems."""
    outputs = status_outputs(status, workbook, page, lang=lang, extra=extra)
    return commit(outputs, lang=lang, today=today or date.today())


def status_outputs(
    status: Status, workbook: Path | None, page: Path | None, *, lang: str = "zh", extra: Sequence[Path] = ()
) -> list[Output]:
    """Make the workbook and the page, where they are wanted."""
    outputs = []
    if workbook is not None:
        from kpixl.output.status.sheet import build_workbook

        outputs.append(Output(workbook, build_workbook(status, lang), "status"))
    if page is not None:
        from kpixl.output.status.page import render_status

        outputs.append(Output(page, render_status(status, lang=lang, extra=extra).encode(), "status-page"))
    return outputs
