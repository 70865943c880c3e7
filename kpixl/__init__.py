"""kpixl: performance target workbooks out, one canonical YAML file and a summary back.

The functions below are the public interface, see docs/api.md; nothing in them prints or exits. What cannot go on raises
`KpixlError`; what a person must fix comes back as `Problem`s. Modules are imported when they are first used.

    import kpixl

    form = kpixl.load_form("shanghai-target")
    result = kpixl.collect(["returned"], [form])
    for problem in result.problems:
        print(problem.location, problem.message("en"))
    kpixl.save_portfolio("2026.yaml", form, result.portfolio)
    kpixl.write_summary("2026.xlsx", form, result.portfolio)
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kpixl.version import __version__

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from kpixl.collection.model import Collection
    from kpixl.disk import Written
    from kpixl.forms.definition import Form
    from kpixl.forms.load import known_forms, load_form, load_forms, parse_form
    from kpixl.portfolio.model import Portfolio, Project
    from kpixl.problems import KpixlError, Location, Problem, Severity
    from kpixl.readers import read_grids

__all__ = [
    "Collection",
    "Form",
    "KpixlError",
    "Location",
    "Portfolio",
    "Problem",
    "Project",
    "Severity",
    "Written",
    "__version__",
    "check",
    "collect",
    "known_forms",
    "load_form",
    "load_forms",
    "load_portfolio",
    "make_roster",
    "parse_form",
    "publish",
    "read_grids",
    "save_portfolio",
    "write_summary",
    "write_template",
]

_ELSEWHERE = {
    "Collection": "kpixl.collection.model",
    "Form": "kpixl.forms.definition",
    "KpixlError": "kpixl.problems",
    "Location": "kpixl.problems",
    "Portfolio": "kpixl.portfolio.model",
    "Problem": "kpixl.problems",
    "Project": "kpixl.portfolio.model",
    "Severity": "kpixl.problems",
    "Written": "kpixl.disk",
    "known_forms": "kpixl.forms.load",
    "load_form": "kpixl.forms.load",
    "load_forms": "kpixl.forms.load",
    "parse_form": "kpixl.forms.load",
    "read_grids": "kpixl.readers",
}


def __getattr__(name: str) -> Any:
    if name not in _ELSEWHERE:
        raise AttributeError(f"module 'kpixl' has no attribute {name!r}")
    return getattr(importlib.import_module(_ELSEWHERE[name]), name)


def load_portfolio(path: str | Path, forms: Iterable[Form] | None = None) -> tuple[Form, Portfolio]:
    """Load a portfolio or roster and its form, one of `forms` or of those that kpixl knows.

    Raises KpixlError with every place that is wrong, by line.
    """
    from kpixl.forms.load import load_form
    from kpixl.portfolio import canonical
    from kpixl.problems import failure

    if forms is None:
        return canonical.load(Path(path), load_form)
    known = {form.id: form for form in forms}

    def form_of(form_id: str) -> Form:
        if form_id not in known:
            raise failure("form-unknown", form=form_id, known=", ".join(known))
        return known[form_id]

    return canonical.load(Path(path), form_of)


def save_portfolio(
    path: str | Path, form: Form, portfolio: Portfolio, *, lang: str = "zh"
) -> tuple[list[Written], list[Problem]]:
    """Write a portfolio as YAML; a file that somebody has edited is copied first. Returns what was written."""
    from kpixl.portfolio import canonical

    return _write(Path(path), canonical.dumps(form, portfolio).encode(), "portfolio", lang)


def make_roster(
    form: Form, project_list: str | Path, *, year: int | None = None, organization: str | None = None
) -> tuple[Portfolio, tuple[Problem, ...]]:
    """Make a roster from an office's own list of projects. Raises KpixlError where it is no list."""
    from kpixl.collection.roster import make_roster
    from kpixl.inputs import read_input
    from kpixl.problems import KpixlError
    from kpixl.readers import read_grids

    path = Path(project_list)
    reading = read_grids(read_input(path), path.name)
    if not reading.grids and reading.problems:
        raise KpixlError(*reading.problems)
    roster, problems = make_roster(form, reading.grids, file=path.name, year=year, organization=organization)
    return roster, (*reading.problems, *problems)


def write_template(
    path: str | Path, form: Form, roster: Portfolio, *, split_by: str | None = None, lang: str = "zh"
) -> tuple[list[Written], tuple[Problem, ...]]:
    """Write the workbook that is sent out; with `split_by`, the key of a field, one per value into the folder `path`.

    Returns what was written and the problems. Raises KpixlError for an output that cannot be written.
    """
    from kpixl.output.template import write_templates

    return write_templates(form, roster, Path(path), by=split_by, lang=lang)


def collect(
    paths: Iterable[str | Path],
    forms: Sequence[Form],
    *,
    roster: Portfolio | None = None,
    workers: int | None = None,
    executor: Executor | None = None,
) -> Collection:
    """Read returned files and folders into one portfolio.

    `workers`: processes, by default as many as there are processors; 0 reads in this one. `executor`: reads
    them instead, any of `concurrent.futures`; it stays the caller's. Raises KpixlError where there is nothing to read.
    """
    from kpixl.collection.consolidate import consolidate

    return consolidate(
        [Path(path) for path in paths], forms, roster=roster, workers=workers if executor is None else executor
    )


def check(
    paths: Iterable[str | Path],
    forms: Sequence[Form],
    *,
    roster: Portfolio | None = None,
    configuration: str | Path | None = None,
) -> Collection:
    """Check returned files, or one portfolio, by every rule of its form and the office's kpixl.yaml."""
    from kpixl.collection.review import review

    config = None if configuration is None else Path(configuration)
    return review([Path(path) for path in paths], forms, roster=roster, config=config)


def write_summary(
    path: str | Path, form: Form, portfolio: Portfolio, *, lang: str = "zh"
) -> tuple[list[Written], tuple[Problem, ...]]:
    """Write the summary workbook; what an office has added to the one that is there stays."""
    from kpixl.output.summary import write_summary

    return write_summary(Path(path), form, portfolio, lang=lang)


def publish(
    path: str | Path,
    form: Form,
    portfolio: Portfolio,
    *,
    roster: Portfolio | None = None,
    draft: bool = False,
    lang: str = "zh",
) -> tuple[list[Written], list[Problem]]:
    """Write a portfolio for publication, by the ending of `path`: .html, .docx, .pdf or .md.

    Where the form's checks find errors, or projects are blank or missing from the portfolio, the problems are returned
    and nothing is written; a `draft` is written all the same, marked on every page. Raises KpixlError for others.
    """
    from kpixl.checks.engine import check
    from kpixl.output.publish import check_ending, publish_verdict
    from kpixl.output.publish.gate import judge
    from kpixl.problems import Location

    check_ending(Path(path))
    verdict = judge(form, portfolio, check(form, portfolio), Location(Path(path).name), roster)
    written, problems = publish_verdict(verdict, Path(path), today=date.today(), lang=lang, draft=draft)
    return list(written), list(problems)


def _write(path: Path, content: bytes, kind: str, lang: str) -> tuple[list[Written], list[Problem]]:
    from kpixl.disk import Output, commit

    return commit([Output(path, content, kind)], lang=lang, today=date.today())
